//! Deductions: arrears, shares of sales and what pledged orders have released, taken from a borrower's payment account, each at most once.
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
//! has not arrived by the next night holds back the next one, and what is missing is made up for at the milestone. A night never takes more of these, over
//! all loans of a merchant, than the configured share of what an average day
//! took in, and never so much that less than the floor of an average day is left: a shop that cannot buy goods or feed its keeper repays nobody.
//! `cap = min(share × day, max(0, day − floor))`, `day = receipts ÷ days`. Unknown receipts deduct nothing, and while one of a borrower's
//! loans is not known, nothing is taken for any of them: what the borrower still owes, and whether it was paid, is for a person to find out.
//! Nor is anything taken on a night whose payments end earlier than they usually do ([`DeductionTerms::payments_days_older`]): what was paid since is
//! not known, and would be taken a second time. A night that has lost all payments knows nothing of what was paid.
//!
//! **Released orders** ([`DeductionTerms::released_orders_repay`]). A loan that is secured by orders is repaid by them: every night, without an alert and
//! before it falls due, what escrow has released of them since the loan was paid out is taken, less what was paid on the loan already and at most what
//! closes it. That money is the lender's by the terms of the loan, so that neither share nor floor of receipts bounds it, and unknown receipts do not
//! hold it back. Orders that are not found have released nothing.
//!
//! **The order.** Loans are served one after the other in the configured order, each as far as the cap reaches.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::error::MonitorError;
use super::finite::finite;
use super::open_deduction::{OpenDeduction, OrdersBefore, UnderWay};
use super::pledges::Pledges;
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
    /// What of it orders that secure the loan have released.
    #[serde(default)]
    pub released_minor: Option<i64>,
    /// Arrears, days past due and the rule that asked, the share of which day's receipts, or what orders have released, in words.
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

/// What deductions from one merchant's account rest on.
#[derive(Clone, Copy)]
pub struct DeductionCase<'a> {
    /// The merchant.
    pub merchant_id: &'a str,
    /// Features.
    pub features: &'a dyn FeatureLookup,
    /// All loans of the merchant.
    pub loans: MerchantLoans<'a>,
    /// Tonight's alerts.
    pub alerts: &'a [Alert],
    /// What has become of the orders that secure loans; `None` where it cannot be known.
    pub pledges: Option<&'a Pledges>,
    /// How many days earlier than usual tonight's payments end; with `None` nothing is known of payments.
    pub payments_days_late: Option<i32>,
    /// What earlier nights ordered.
    pub before: OrdersBefore<'a>,
}

/// Orders deductions for the loans of one merchant on which an alert asks for it, which are repaid by a share of sales, or whose orders have been released.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn deduct(terms: &DeductionTerms, case: &DeductionCase<'_>) -> Result<Deductions, MonitorError> {
    let mut under_way = UnderWay::of(case.before, case.loans, terms.under_way_days);
    let mut found = order(terms, case, claims(terms, case), &mut under_way)?;
    found.open = under_way.into_orders();
    Ok(found)
}

/// The loans of a merchant on which something is asked for, in the order in which they are served.
fn claims<'a>(terms: &DeductionTerms, case: &DeductionCase<'a>) -> Vec<Claim<'a>> {
    let DeductionCase { merchant_id, loans, alerts, pledges, .. } = *case;
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
    let released = |loan: &LoanStanding| {
        let pledged = pledges.filter(|_| terms.released_orders_repay)?.of_loan(&loan.loan_id)?;
        Some(Released { of_orders_minor: pledged.released_minor, paid_minor: loan.paid_minor() })
    };
    let claim = |loan| Claim {
        loan,
        rule: rule_of(loan).filter(|_| loan.arrears_minor > 0),
        released: released(loan).filter(|released| released.left_minor() > 0 && loan.payoff_minor > 0),
    };
    let mut claims: Vec<Claim<'_>> =
        open.map(claim).filter(|claim| claim.released.is_some() || claim.asks_of_receipts()).collect();
    // What is late goes first.
    claims
        .sort_unstable_by(|a, b| a.rule.is_none().cmp(&b.rule.is_none()).then_with(|| terms.order.of(a.loan, b.loan)));
    claims
}

/// Orders what is asked for, as far as it is known and the cap of the night reaches.
fn order(
    terms: &DeductionTerms,
    case: &DeductionCase<'_>,
    claims: Vec<Claim<'_>>,
    under_way: &mut UnderWay,
) -> Result<Deductions, MonitorError> {
    let DeductionCase { merchant_id, features, loans, payments_days_late, .. } = *case;
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
    let receipts = finite(features, merchant_id, &terms.receipts_feature)?;
    // Of unknown receipts nothing is taken.
    let mut left = receipts.map_or(0, |receipts| cap_of_a_night(receipts, terms));
    let day_minor = match (&terms.day_receipts_feature, receipts) {
        (_, None) => None,
        (None, Some(receipts)) => Some(whole(receipts) / i128::from(terms.receipts_days.max(1))),
        (Some(feature), Some(_)) => finite(features, merchant_id, feature)?.map(whole),
    };
    for claim in claims {
        let released_minor = claim.released.map_or(0, |released| released.left_minor().min(claim.loan.payoff_minor));
        let of_receipts = claim.asks(day_minor, released_minor).filter(|_| receipts.is_some());
        if of_receipts.is_none() && claim.asks_of_receipts() {
            found.receipts_unknown += 1;
        }
        let asked_minor = of_receipts.as_ref().map_or(0, |(asked, _)| *asked).saturating_add(released_minor);
        let asked_minor = asked_minor.min(claim.closes_minor());
        let amount_minor = under_way.room_minor(claim.loan, asked_minor).min(left.saturating_add(released_minor));
        if amount_minor < terms.min_minor {
            continue;
        }
        left -= (amount_minor - released_minor).max(0);
        let whys = of_receipts.map(|(_, why)| why).into_iter().chain(claim.released.map(Released::why));
        found.deductions.push(Deduction {
            key: under_way.order(claim.loan, amount_minor),
            loan_id: claim.loan.loan_id.clone(),
            merchant_id: merchant_id.to_owned(),
            amount_minor,
            released_minor: Some(amount_minor.min(released_minor)),
            why: whys.collect::<Vec<_>>().join("; "),
        });
    }
    Ok(found)
}

/// A loan on which something is asked for tonight: arrears by an alert, a share of sales by its terms, what its orders have released, or all at once.
struct Claim<'a> {
    loan: &'a LoanStanding,
    /// The rule that asks for arrears.
    rule: Option<&'a str>,
    /// What the orders that secure it have released, where more than was paid.
    released: Option<Released>,
}

/// What the orders that secure a loan have released since it was paid out, and what was paid on it since.
#[derive(Clone, Copy)]
struct Released {
    of_orders_minor: i64,
    paid_minor: i64,
}

impl Released {
    /// Whatever was paid counts as paid out of what was released.
    const fn left_minor(self) -> i64 {
        self.of_orders_minor.saturating_sub(self.paid_minor)
    }

    fn why(self) -> String {
        let Self { of_orders_minor, paid_minor } = self;
        format!("released orders: {of_orders_minor} minor units of the orders that secure it, {paid_minor} are paid")
    }
}

impl Claim<'_> {
    const fn asks_of_receipts(&self) -> bool {
        self.rule.is_some() || (self.loan.sales_share_ppm.is_some() && self.loan.payoff_minor > 0)
    }

    fn closes_minor(&self) -> i64 {
        self.loan.payoff_minor.max(self.loan.arrears_minor)
    }

    /// How much of receipts, and why: of what is late only what the released orders do not pay. `None` where nothing is asked for, or where it rests on what the last day took in alone, and that is not known.
    fn asks(&self, day_minor: Option<i128>, released_minor: i64) -> Option<(i64, String)> {
        let loan = self.loan;
        let late = self.rule.map(|rule| {
            let why = format!("{rule}: {} minor units in arrears, {} days past due", loan.arrears_minor, loan.dpd);
            (loan.arrears_minor.saturating_sub(released_minor).max(0), why)
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
        Some((asked.min(self.closes_minor()), why))
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
#[path = "deduction_release_tests.rs"]
mod release_tests;

#[cfg(test)]
#[path = "deduction_orders_tests.rs"]
mod orders_tests;
