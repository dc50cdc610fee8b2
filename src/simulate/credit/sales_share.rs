//! Loans repaid by a share of sales: what a day takes of its receipts, and the interest that accrues.
//!
//! Milestones are the least that is paid by their day. Payments before a milestone repay principal; at the milestone the interest falls due that has
//! accrued meanwhile, evening by evening, on what was lent, is not due and is not covered.

use super::super::draw::whole;
use super::super::schedule::settle;
use super::Loan;

/// Interest of the milestone that comes next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accrual {
    /// Position of the milestone.
    milestone: usize,
    /// Minor units × parts per million.
    accrued: i128,
    /// The last evening that is in it.
    through: Option<i64>,
}

#[cfg(test)]
impl Loan {
    /// A payment is under way that will bounce.
    pub(in crate::simulate) const fn bounces_after(&self, day: i64) -> bool {
        day < self.bounces_until
    }

    /// Days past due on a morning.
    pub(in crate::simulate) fn days_past_due_on(&self, day: i64) -> i64 {
        self.days_past_due(day)
    }
}

impl Loan {
    /// What a day's receipts give, at most what closes the loan; nothing for a loan that is repaid in another way.
    pub(super) fn share_of(&self, received: f64, at_most: f64) -> i64 {
        let share = self.repayment.share_ppm().map_or(0.0, |ppm| received.max(0.0) * ppm as f64 / 1e6);
        whole(share.min(at_most)).min(self.outstanding()).max(0)
    }

    /// An evening.
    pub(super) fn accrue(&mut self, day: i64) {
        if self.repayment.share_ppm().is_none() || self.accrual.through.is_some_and(|through| day <= through) {
            return;
        }
        let Some(next) = self.instalments.iter().position(|i| i.due_day > day) else { return };
        let (due, undue) = self.instalments.split_at(next);
        let due: i64 = due.iter().map(|i| i.principal + i.interest + i.fee).sum();
        let undue: i64 = undue.iter().map(|i| i.principal).sum();
        let owed = undue - (self.received - due).max(0);
        let before = if self.accrual.milestone == next { self.accrual.accrued } else { 0 };
        let accrued = before + i128::from(owed.max(0)) * i128::from(self.daily_rate_ppm);
        self.accrual = Accrual { milestone: next, accrued, through: Some(day) };
        let promised = self.versions.last().and_then(|v| v.instalments.get(next)).map_or(0, |i| i.interest);
        if let Some(milestone) = self.instalments.get_mut(next) {
            milestone.interest = promised.min(i64::try_from((accrued + 500_000) / 1_000_000).unwrap_or(i64::MAX));
        }
        self.settle_anew();
    }

    /// Puts all that was paid on the milestones again, the oldest first: what they ask for has changed.
    pub(super) fn settle_anew(&mut self) {
        self.instalments.iter_mut().for_each(|i| i.paid = 0);
        settle(&mut self.instalments, self.received);
    }
}
