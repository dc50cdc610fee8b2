//! What a borrower would pay, and when.

use serde::Serialize;

use super::error::OfferError;
use super::repayment::Repayment;
use super::sales_share::{MILESTONE_DAYS, milestones};
use crate::domain::DailyRate;

/// One payment of an offered loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Days after disbursement.
    pub day: u16,
    /// Principal, in minor units.
    pub principal_minor: i64,
    /// Interest, in minor units.
    pub interest_minor: i64,
}

impl Due {
    /// The whole payment.
    #[must_use]
    pub const fn amount_minor(&self) -> i64 {
        self.principal_minor + self.interest_minor
    }
}

/// Principal of a loan that stands for those of any size: so large that rounding to minor units is no matter.
pub(super) const REFERENCE_MINOR: i64 = 1_000_000_000;

/// The terms of an offered loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What is lent, in minor units.
    pub principal_minor: i64,
    /// Simple interest a day on what is still owed.
    pub rate: DailyRate,
    /// Days to the last payment.
    pub term_days: u16,
    /// How it is repaid.
    pub repayment: Repayment,
    /// Equally spaced payments, which divide the term; of a share of sales its milestones.
    pub instalments: u16,
}

/// The payments of a loan. Interest of a period is `balance × rate × days`, rounded half up to a minor unit; principal adds up to
/// what was lent, the last payment taking what rounding left. Of a share of sales these are the milestones, each met by its last day and not before.
///
/// # Errors
/// Terms that make no schedule, or amounts beyond 64 bits.
pub fn schedule(terms: &Terms) -> Result<Vec<Due>, OfferError> {
    let refuse = |why| OfferError::Schedule { principal_minor: terms.principal_minor, term_days: terms.term_days, why };
    let count = i64::from(terms.instalments);
    let is_spaced = match terms.repayment {
        Repayment::SalesShare(_) => terms.instalments == milestones(terms.term_days),
        Repayment::Bullet | Repayment::EqualPrincipal | Repayment::EqualInstalment => {
            count != 0 && terms.term_days.is_multiple_of(terms.instalments)
        }
    };
    if terms.principal_minor <= 0 || count == 0 || terms.term_days == 0 || !is_spaced {
        return Err(refuse("the principal must be positive and the instalments must divide the term"));
    }
    let spacing = match terms.repayment {
        Repayment::SalesShare(_) => MILESTONE_DAYS,
        Repayment::Bullet | Repayment::EqualPrincipal | Repayment::EqualInstalment => {
            terms.term_days / terms.instalments
        }
    };
    let interest_over = |balance: i64, days: u16| {
        let millionths = i128::from(balance) * i128::from(terms.rate.ppm()) * i128::from(days);
        i64::try_from((millionths + 500_000) / 1_000_000).map_err(|_| refuse("interest overflows"))
    };
    let level = match terms.repayment {
        Repayment::EqualInstalment => {
            let period_ppm = i128::from(terms.rate.ppm()) * i128::from(spacing);
            let interest_on = |balance: i64| interest_over(balance, spacing);
            level_payment(terms.principal_minor, period_ppm, terms.instalments, &interest_on)?
        }
        Repayment::Bullet | Repayment::EqualPrincipal | Repayment::SalesShare(_) => 0,
    };
    let mut balance = terms.principal_minor;
    let mut dues = Vec::with_capacity(usize::from(terms.instalments));
    let mut before = 0;
    for number in 1..=terms.instalments {
        let day = if number == terms.instalments { terms.term_days } else { spacing * number };
        let interest_minor = interest_over(balance, day - before)?;
        let principal_minor = match terms.repayment {
            _ if number == terms.instalments => balance,
            Repayment::Bullet => 0,
            // Parts that differ by at most one minor unit: element n of the principal cut into `count`.
            Repayment::EqualPrincipal => {
                let cut = |n: u16| i128::from(terms.principal_minor) * i128::from(n) / i128::from(count);
                i64::try_from(cut(number) - cut(number - 1)).map_err(|_| refuse("principal overflows"))?
            }
            Repayment::EqualInstalment => (level - interest_minor).clamp(0, balance),
            Repayment::SalesShare(share) => {
                let repaid = terms.principal_minor - balance;
                (share.least_repaid_minor(terms.principal_minor, number) - repaid).clamp(0, balance)
            }
        };
        balance -= principal_minor;
        before = day;
        dues.push(Due { day, principal_minor, interest_minor });
    }
    Ok(dues)
}

/// The smallest level payment that leaves the last one no larger than the others: found on integers, so that no platform's
/// logarithms decide a minor unit.
fn level_payment(
    principal_minor: i64,
    period_ppm: i128,
    instalments: u16,
    interest_on: &impl Fn(i64) -> Result<i64, OfferError>,
) -> Result<i64, OfferError> {
    let covers = |level: i64| -> Result<bool, OfferError> {
        let mut balance = principal_minor;
        for _ in 0..instalments {
            let interest = interest_on(balance)?;
            if level < interest {
                return Ok(false);
            }
            balance -= level - interest;
            if balance <= 0 {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let mut low = principal_minor / i64::from(instalments);
    let whole = i128::from(principal_minor) + i128::from(principal_minor) * period_ppm / 1_000_000 + 1;
    let mut high = i64::try_from(whole).map_err(|_| OfferError::Schedule {
        principal_minor,
        term_days: 0,
        why: "a payment overflows",
    })?;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if covers(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(if covers(low)? { low } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(principal_minor: i64, ppm: i64, repayment: Repayment, instalments: u16) -> Terms {
        let rate = DailyRate::from_ppm(ppm).unwrap();
        Terms { principal_minor, rate, term_days: 180, repayment, instalments }
    }

    #[test]
    fn a_bullet_pays_everything_at_the_end() {
        let dues = schedule(&Terms { term_days: 7, ..terms(1_000_000, 500, Repayment::Bullet, 1) }).unwrap();
        assert_eq!(dues, [Due { day: 7, principal_minor: 1_000_000, interest_minor: 3_500 }]);
    }

    #[test]
    fn level_payments_match_the_annuity_formula() {
        // 6 × 30 days at 1.5 % a period: 100,000.00 × 0.015 ÷ (1 − 1.015^−6) = 17,552.52 (Python 3: 100000 * 0.015 / (1 - 1.015 ** -6)).
        let dues = schedule(&terms(10_000_000, 500, Repayment::EqualInstalment, 6)).unwrap();
        let level = dues[0].amount_minor();
        assert!((level - 1_755_252).abs() <= 1, "{level}");
        assert!(dues[..5].iter().all(|d| d.amount_minor() == level));
        assert!(dues[5].amount_minor() <= level && level - dues[5].amount_minor() < 12);
    }

    #[test]
    fn equal_principal_parts_differ_by_at_most_one() {
        let dues = schedule(&terms(1_000, 500, Repayment::EqualPrincipal, 6)).unwrap();
        assert_eq!(dues.iter().map(|d| d.principal_minor).collect::<Vec<_>>(), [166, 167, 167, 166, 167, 167]);
    }

    #[test]
    fn impossible_terms_are_refused() {
        assert!(schedule(&terms(0, 500, Repayment::Bullet, 1)).is_err());
        assert!(schedule(&terms(100, 500, Repayment::EqualPrincipal, 7)).is_err());
        assert!(schedule(&terms(100, 500, Repayment::EqualPrincipal, 0)).is_err());
    }

    proptest! {
        #[test]
        fn principal_adds_up_and_nothing_is_negative(
            principal in 1_i64..200_000_000,
            ppm in 0_i64..2_000,
            repayment in prop::sample::select(vec![Repayment::EqualPrincipal, Repayment::EqualInstalment]),
            instalments in prop::sample::select(vec![2_u16, 3, 6, 12, 90]),
        ) {
            let dues = schedule(&terms(principal, ppm, repayment, instalments)).unwrap();
            prop_assert_eq!(dues.iter().map(|d| d.principal_minor).sum::<i64>(), principal);
            prop_assert!(dues.iter().all(|d| d.principal_minor >= 0 && d.interest_minor >= 0));
            prop_assert_eq!(dues.last().map(|d| d.day), Some(180));
            // A regular loan's rate is the daily rate times the days of a year, up to the rounding of minor units.
            if principal > 1_000_000 && 180 / instalments % 7 != 0 {
                let payments: Vec<(u16, i64)> = dues.iter().map(|d| (d.day, d.amount_minor())).collect();
                let apr = crate::offer::apr_of_days(principal, &payments).unwrap();
                let nominal = 365.0 * f64::from(i32::try_from(ppm).unwrap()) / 1e6;
                prop_assert!((apr - nominal).abs() < 0.001_25, "{} against {}", apr, nominal);
            }
        }
    }
}
