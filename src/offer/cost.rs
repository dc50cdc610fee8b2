//! What a loan costs the borrower: its interest, its annual rate, and what early repayment saves.

use super::apr::apr_of_days;
use super::course::course;
use super::error::OfferError;
use super::policy::Product;
use super::schedule::{Due, Terms, schedule};
use crate::domain::DailyRate;

/// What a loan costs that is drawn in full and repaid on its schedule; of a share of sales, as its receipts are expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostOfLoan {
    /// Actuarial annual percentage rate.
    pub apr: f64,
    /// The larger of it and that of a borrower who repays no more than the minimum: what the law's most is held against.
    pub most_apr: f64,
    /// All interest, minor units.
    pub interest_minor: i64,
    /// What of it is saved by paying everything off halfway through the term, minor units.
    pub early_saving_minor: i64,
    /// The day on which a share of sales is repaid as expected; `None` of other repayments.
    pub expected_days: Option<u16>,
    /// All interest of a borrower who repays no more than a share of sales must, minor units; `None` of other repayments.
    pub most_interest_minor: Option<i64>,
}

impl CostOfLoan {
    /// The cost of a product at a limit and rate. A share of sales rests on the receipts that are expected over the term; without them, on the minimum.
    ///
    /// # Errors
    /// Terms that make no schedule, or a schedule without an annual rate.
    pub fn of(
        product: &Product,
        limit_minor: i64,
        rate: DailyRate,
        expected_receipts_minor: Option<i64>,
    ) -> Result<Self, OfferError> {
        let terms = product.terms(limit_minor, rate);
        Self::of_terms(&terms, expected_receipts_minor)
    }

    /// The cost of a loan, as [`Self::of`].
    ///
    /// # Errors
    /// Terms that make no schedule, or a schedule without an annual rate.
    pub fn of_terms(terms: &Terms, expected_receipts_minor: Option<i64>) -> Result<Self, OfferError> {
        let dues = schedule(terms)?;
        let payments: Vec<(u16, i64)> = dues.iter().map(|d| (d.day, d.amount_minor())).collect();
        let apr = apr_of(terms, &payments)?;
        let by_schedule = Self {
            apr,
            most_apr: apr,
            interest_minor: dues.iter().map(|d| d.interest_minor).sum(),
            early_saving_minor: early_saving_minor(terms, &dues, terms.term_days / 2),
            expected_days: None,
            most_interest_minor: None,
        };
        let Some(share) = terms.repayment.sales_share() else { return Ok(by_schedule) };
        let receipts_minor = expected_receipts_minor.unwrap_or(0);
        let expected = course(terms, share, receipts_minor, None)?;
        let paid_off = course(terms, share, receipts_minor, Some(terms.term_days / 2))?;
        let apr = apr_of(terms, &expected.payments)?;
        Ok(Self {
            apr,
            most_apr: apr.max(by_schedule.apr),
            interest_minor: expected.interest_minor,
            early_saving_minor: (expected.interest_minor - paid_off.interest_minor).max(0),
            expected_days: Some(expected.closes_on_day()),
            most_interest_minor: Some(by_schedule.interest_minor),
        })
    }
}

fn apr_of(terms: &Terms, payments: &[(u16, i64)]) -> Result<f64, OfferError> {
    apr_of_days(terms.principal_minor, payments).ok_or(OfferError::Schedule {
        principal_minor: terms.principal_minor,
        term_days: terms.term_days,
        why: "it has no annual rate",
    })
}

/// Interest that is not due when everything is paid off on a day: what the schedule asks after it, less what has accrued on the balance since the
/// last instalment. No fee is asked for early repayment.
#[must_use]
pub fn early_saving_minor(terms: &Terms, dues: &[Due], day: u16) -> i64 {
    let (paid, to_come): (Vec<&Due>, Vec<&Due>) = dues.iter().partition(|due| due.day <= day);
    let balance = terms.principal_minor - paid.iter().map(|due| due.principal_minor).sum::<i64>();
    let since = day - paid.last().map_or(0, |due| due.day);
    let accrued = (i128::from(balance) * i128::from(terms.rate.ppm()) * i128::from(since) + 500_000) / 1_000_000;
    let scheduled: i64 = to_come.iter().map(|due| due.interest_minor).sum();
    scheduled.saturating_sub(i64::try_from(accrued).unwrap_or(i64::MAX)).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::Repayment;

    #[test]
    fn early_repayment_saves_the_interest_of_the_days_that_are_left() {
        let rate = DailyRate::from_ppm(500).unwrap();
        let terms = Terms {
            principal_minor: 1_000_000,
            rate,
            term_days: 180,
            repayment: Repayment::EqualPrincipal,
            instalments: 2,
        };
        let dues = schedule(&terms).unwrap();
        // 90 days on 1,000,000 and 90 on 500,000 at 0.05 % a day.
        assert_eq!(dues.iter().map(|d| d.interest_minor).collect::<Vec<_>>(), [45_000, 22_500]);
        assert_eq!(early_saving_minor(&terms, &dues, 90), 22_500);
        // Ten days of the second period have accrued: 500,000 × 0.05 % × 10.
        assert_eq!(early_saving_minor(&terms, &dues, 100), 20_000);
        assert_eq!(early_saving_minor(&terms, &dues, 0), 67_500);
        assert_eq!(early_saving_minor(&terms, &dues, 180), 0);
    }
}
