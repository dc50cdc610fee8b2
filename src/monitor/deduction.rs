//! Deductions: arrears, and shares of sales, taken from a borrower's payment account, each at most once.
//!
//! **The key.** An order's key digests the loan, how many deductions of it had arrived and how many of those were reversed when it was first given. It does
//! not hold the day or the amount. What a night ordered is under way until deductions have arrived that come to it ([`super::open_deduction`]). So
//! - the same night run again, or replayed, gives the same key: the payment service drops the second order;
//! - an order of which nothing has arrived yet is given again under its own key, whatever else arrived, bounced or was paid meanwhile, and over no more than before:
//!   nothing is taken twice however late payments are posted;
//! - an order of which a part has arrived is given no more, and what is left of it may still arrive: what is asked for beside it gets a key of its own, and is
//!   less by that much;
//! - once all of it has arrived, whether or not it bounced later, what is still owed gets a key of its own.
//!
//! At no time may more arrive of all orders of a loan together than was owed when the last one was given. Where a source never marks payments as
//! deductions the key never changes, and a loan is deducted once only: the safe failure. A key is used up by success alone: an order that the service refuses may come
//! again under the same key.
//!
//! **The amount.** The arrears where an alert asks for them; and of a loan repaid by a share of sales, every night and without an alert, its share
//! of what the last day took in ([`DeductionTerms::day_receipts_feature`]), up to what would close it. The key is the same: a share whose deduction
//! has not arrived by the next night holds back the next one, and what is missing is made up for at the milestone. A night never takes more, over
//! all loans of a merchant, than the configured share of what an average day
//! took in, and never so much that less than the floor of an average day is left: a shop that cannot buy goods or feed its keeper repays nobody.
//! `cap = min(share × day, max(0, day − floor))`, `day = receipts ÷ days`. Unknown receipts deduct nothing, and while one of a borrower's
//! loans is not known, nothing is taken for any of them: what the borrower still owes, and whether it was paid, is for a person to find out.
//! Nor is anything taken on a night whose payments end earlier than they usually do ([`DeductionTerms::payments_days_older`]): what was paid since is
//! not known, and would be taken a second time. A night that has lost all payments knows nothing of what was paid.
//!
//! **The order.** Loans are served one after the other in the configured order, each as far as the cap reaches.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::error::MonitorError;
use super::finite::finite;
use super::open_deduction::{OpenDeduction, OrdersBefore, UnderWay};
use super::settings::{AccountOrder, Action, DeductionTerms};
use crate::features::FeatureLookup;
use crate::repayment::{LoanStanding, MerchantLoans};

/// One order to deduct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deduction {
    /// Idempotency key.
    pub key: String,
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Arrears, days past due and the rule that asked, or the share of which day's receipts, in words.
    pub why: String,
}

/// Deductions of one merchant, or many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deductions {
    /// In the order in which loans are served.
    pub deductions: Vec<Deduction>,
    /// Loans that would have been deducted but for receipts that are unknown.
    pub receipts_unknown: u64,
    /// Loans that would have been deducted but for payments that end too early, or are not there.
    pub payments_late: u64,
    /// Loans that would have been deducted but for their borrower's having a loan of which nothing is known.
    pub loans_unknown: u64,
    /// Orders that may be under way after tonight, tonight's among them.
    pub open: Vec<OpenDeduction>,
}

/// Orders deductions for the loans of one merchant on which an alert asks for it or which are repaid by a share of sales, on a night whose payments end so many days earlier than usual; with `None` nothing is known of payments.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn deduct(
    terms: &DeductionTerms,
    merchant_id: &str,
    features: &dyn FeatureLookup,
    loans: MerchantLoans<'_>,
    alerts: &[Alert],
    payments_days_late: Option<i32>,
    before: OrdersBefore<'_>,
) -> Result<Deductions, MonitorError> {
    let mut under_way = UnderWay::of(before, loans, terms.under_way_days);
    let claims = claims(terms, merchant_id, loans, alerts);
    let mut found = order(terms, (merchant_id, features), loans, claims, payments_days_late, &mut under_way)?;
    found.open = under_way.into_orders();
    Ok(found)
}

/// The loans of a merchant on which something is asked for, in the order in which they are served.
fn claims<'a>(
    terms: &DeductionTerms,
    merchant_id: &str,
    loans: MerchantLoans<'a>,
    alerts: &'a [Alert],
) -> Vec<Claim<'a>> {
    let rule_of = |loan: &LoanStanding| {
        let asks = |a: &&Alert| {
            a.acts()
                && a.action == Action::Deduct
                && a.merchant_id == merchant_id
                && a.loan_id.as_deref() == Some(&loan.loan_id)
        };
        alerts.iter().find(asks).map(|a| a.rule.as_str())
    };
    let open = loans.known.iter().filter(|l| l.merchant_id == merchant_id && !l.is_closed && !l.is_written_off);
    let mut claims: Vec<Claim<'_>> = open
        .map(|loan| Claim { loan, rule: rule_of(loan).filter(|_| loan.arrears_minor > 0) })
        .filter(|claim| claim.rule.is_some() || (claim.loan.sales_share_ppm.is_some() && claim.loan.payoff_minor > 0))
        .collect();
    // What is late goes first.
    claims
        .sort_unstable_by(|a, b| a.rule.is_none().cmp(&b.rule.is_none()).then_with(|| terms.order.of(a.loan, b.loan)));
    claims
}

/// Orders what is asked for, as far as it is known and the cap of the night reaches.
fn order(
    terms: &DeductionTerms,
    (merchant_id, features): (&str, &dyn FeatureLookup),
    loans: MerchantLoans<'_>,
    claims: Vec<Claim<'_>>,
    payments_days_late: Option<i32>,
    under_way: &mut UnderWay,
) -> Result<Deductions, MonitorError> {
    let mut found = Deductions::default();
    if claims.is_empty() {
        return Ok(found);
    }
    if !loans.unknown.is_empty() {
        found.loans_unknown = claims.len() as u64;
        return Ok(found);
    }
    if payments_days_late.is_none_or(|days| days > i32::from(terms.payments_days_older)) {
        found.payments_late = claims.len() as u64;
        return Ok(found);
    }
    let Some(receipts) = finite(features, merchant_id, &terms.receipts_feature)? else {
        found.receipts_unknown = claims.len() as u64;
        return Ok(found);
    };
    let mut left = cap_of_a_night(receipts, terms);
    let day_minor = match &terms.day_receipts_feature {
        None => Some(whole(receipts) / i128::from(terms.receipts_days.max(1))),
        Some(feature) => finite(features, merchant_id, feature)?.map(whole),
    };
    for claim in claims {
        let Some((asked_minor, why)) = claim.asks(day_minor) else {
            found.receipts_unknown += 1;
            continue;
        };
        let amount_minor = under_way.room_minor(claim.loan, asked_minor).min(left);
        if amount_minor < terms.min_minor {
            continue;
        }
        left -= amount_minor;
        found.deductions.push(Deduction {
            key: under_way.order(claim.loan, amount_minor),
            loan_id: claim.loan.loan_id.clone(),
            merchant_id: merchant_id.to_owned(),
            amount_minor,
            why,
        });
    }
    Ok(found)
}

/// A loan on which something is asked for tonight: arrears by an alert, a share of sales by its terms, or both at once.
struct Claim<'a> {
    loan: &'a LoanStanding,
    /// The rule that asks for arrears.
    rule: Option<&'a str>,
}

impl Claim<'_> {
    /// How much, and why; `None` where it rests on what the last day took in alone, and that is not known.
    fn asks(&self, day_minor: Option<i128>) -> Option<(i64, String)> {
        let loan = self.loan;
        let late = self.rule.map(|rule| {
            let why = format!("{rule}: {} minor units in arrears, {} days past due", loan.arrears_minor, loan.dpd);
            (loan.arrears_minor, why)
        });
        let share = loan.sales_share_ppm.zip(day_minor).map(|(share_ppm, day)| {
            // The share cannot exceed the day, which was 64 bits wide.
            let share = i64::try_from(day * i128::from(share_ppm) / 1_000_000).unwrap_or(i64::MAX);
            (share, format!("share of sales: {share_ppm} ppm of the {day} minor units of a day"))
        });
        let (asked, why) = match (late, share) {
            (Some((arrears, late)), Some((share, why))) => (arrears.saturating_add(share), format!("{late}; {why}")),
            (late, share) => late.or(share)?,
        };
        Some((asked.min(loan.payoff_minor.max(loan.arrears_minor)), why))
    }
}

/// Whole minor units that came in, none where more went out.
fn whole(receipts: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating is what is meant, and NaN was refused")]
    let whole = i128::from(receipts.max(0.0).floor() as i64);
    whole
}

/// `min(share × day, max(0, day − floor))` with `day = receipts ÷ days`, rounded down; nothing where receipts are negative.
fn cap_of_a_night(receipts: f64, terms: &DeductionTerms) -> i64 {
    let whole = whole(receipts);
    let days = i128::from(terms.receipts_days.max(1));
    let share = whole * i128::from(terms.receipts_share_ppm) / 1_000_000 / days;
    let above_floor = (whole / days - i128::from(terms.floor_minor)).max(0);
    // Neither is negative.
    i64::try_from(share.min(above_floor)).unwrap_or(i64::MAX)
}

impl AccountOrder {
    /// Which of two late loans of a merchant is served first; the loan's id decides between equals.
    fn of(self, a: &LoanStanding, b: &LoanStanding) -> Ordering {
        let by = match self {
            Self::MostOverdue => b.dpd.cmp(&a.dpd),
            Self::OldestLoan => a.disbursed_at.cmp(&b.disbursed_at),
            Self::LeastArrears => a.arrears_minor.cmp(&b.arrears_minor),
        };
        by.then_with(|| a.loan_id.cmp(&b.loan_id))
    }
}

#[cfg(test)]
#[path = "deduction_fixture.rs"]
pub(super) mod fixture;

#[cfg(test)]
#[path = "deduction_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "deduction_nights_tests.rs"]
mod nights_tests;

#[cfg(test)]
#[path = "deduction_share_tests.rs"]
mod share_tests;

#[cfg(test)]
#[path = "deduction_orders_tests.rs"]
mod orders_tests;
