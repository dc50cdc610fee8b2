//! How a loan repaid by a share of sales runs when receipts come in evenly: day by day, as the loan's book will reckon it.
//!
//! Each day ends with the share of its receipts. On a milestone's day what is missing to its minimum is paid on top. The loan closes on the day on which
//! payments cover what is due, the principal to come and the interest accrued on it.

use super::error::OfferError;
use super::sales_share::SalesShare;
use super::schedule::{Terms, schedule};

/// How a loan runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Days after disbursement and what is paid on them; days without a payment are left out.
    pub payments: Vec<(u16, i64)>,
    /// Principal owed on the night before each day, from the first on, until the loan closes.
    pub owed_minor: Vec<i64>,
    /// All interest.
    pub interest_minor: i64,
}

impl Course {
    /// The day on which the last of it is paid.
    #[must_use]
    pub fn closes_on_day(&self) -> u16 {
        self.payments.last().map_or(0, |&(day, _)| day)
    }
}

/// The course of a loan of which `receipts_minor` come in over the term; paid off in full on the day `paid_off_on`, where it is open then.
///
/// # Errors
/// Terms that make no schedule, or amounts beyond 64 bits.
pub fn course(
    terms: &Terms,
    share: SalesShare,
    receipts_minor: i64,
    paid_off_on: Option<u16>,
) -> Result<Course, OfferError> {
    let overflows = |_| OfferError::Schedule {
        principal_minor: terms.principal_minor,
        term_days: terms.term_days,
        why: "its payments overflow",
    };
    let given = i128::from(share.of_receipts_minor(receipts_minor));
    let milestones = schedule(terms)?;
    let mut coming = milestones.iter().peekable();
    let (mut paid, mut due, mut undue, mut accrued) = (0_i64, 0_i64, terms.principal_minor, 0_i128);
    let mut run = Course { payments: Vec::new(), owed_minor: Vec::new(), interest_minor: 0 };
    for day in 1..=terms.term_days {
        let owed = (undue - (paid - due).max(0)).max(0);
        run.owed_minor.push(owed);
        accrued += i128::from(owed) * i128::from(terms.rate.ppm());
        let is_milestone = coming.peek().is_some_and(|milestone| milestone.day == day);
        if let Some(milestone) = coming.next_if(|milestone| milestone.day == day) {
            let interest = i64::try_from((accrued + 500_000) / 1_000_000).map_err(overflows)?;
            due += milestone.principal_minor + interest.min(milestone.interest_minor);
            undue -= milestone.principal_minor;
            accrued = 0;
        }
        let until = |day: u16| given * i128::from(day) / i128::from(terms.term_days);
        let of_the_day = i64::try_from(until(day) - until(day - 1)).map_err(overflows)?;
        let closes_at = due + undue + i64::try_from(accrued / 1_000_000).map_err(overflows)?;
        let missing = if is_milestone { (due - paid).max(0) } else { 0 };
        let wanted = if paid_off_on.is_some_and(|on| day >= on) { i64::MAX } else { of_the_day.max(missing) };
        let payment = wanted.min((closes_at - paid).max(0));
        if payment > 0 {
            run.payments.push((day, payment));
            paid += payment;
        }
        if paid >= closes_at {
            break;
        }
    }
    run.interest_minor = paid - terms.principal_minor;
    Ok(run)
}
