//! Order loans repaid by escrow: what the platform releases of the orders that secure a loan goes to the lender first.
//!
//! Only loans on an offer are: the lender of the history left it to the merchant to pay.

use super::super::calendar::{DAY, Second};
use super::super::cash::Purse;
use super::super::draw::whole;
use super::super::trade::Trade;
use super::{Loan, Payment, Today};

impl Loan {
    /// Passes on what escrow has released of the pledged orders by the end of the day and has not been passed on yet, at most what closes the loan: who
    /// pays everything owes interest up to today, on what was not covered before.
    pub(super) fn repay_from_escrow(
        &mut self,
        trade: &Trade,
        purse: &mut Purse,
        today: Today,
        index: usize,
    ) -> Option<Payment> {
        self.offer.filter(|_| self.is_open && !self.pledged.is_empty())?;
        let midnight = today.calendar.midnight(today.day);
        let released_by_now = |at: &Second| (self.disbursed..midnight + DAY).contains(at);
        let releases = self.pledged.iter().filter_map(|&order| {
            let order = trade.orders.get(order)?;
            let at = order.completed.filter(released_by_now)?;
            Some((at, whole(Purse::net_of_commission(order.amount as f64))))
        });
        let (last, released) = releases.fold((midnight, 0), |(last, sum), (at, amount)| (last.max(at), sum + amount));
        let passed_on = released - self.from_escrow;
        let closing = self.closing_price(today.day);
        let amount = passed_on.min(closing);
        if amount <= 0 {
            return None;
        }
        if amount == closing {
            self.close_early(today.day);
        } else {
            self.settle(amount);
        }
        self.from_escrow += amount;
        purse.cash -= amount as f64;
        Some(Payment { loan: index, at: last, amount, channel: "deduction", reversed: None })
    }

    /// What is still to be paid today for the loan to close.
    pub(in super::super) fn closing_price(&self, day: i64) -> i64 {
        if self.due(day) > 0 || self.instalments.len() != 1 {
            return self.outstanding();
        }
        let accrued = i64::try_from((self.uncovered * i128::from(self.daily_rate_ppm) + 500_000) / 1_000_000);
        let interest = self.instalments.iter().map(|i| i.interest).sum::<i64>();
        (self.principal + accrued.unwrap_or(i64::MAX).min(interest) - self.received).max(0).min(self.outstanding())
    }

    /// Pays what closes the loan today, and tells how much: interest that has not accrued is never owed.
    pub(super) fn close_early(&mut self, day: i64) -> i64 {
        let price = self.closing_price(day);
        let forgiven = self.outstanding() - price;
        if let Some(last) = self.instalments.last_mut() {
            last.interest -= forgiven.min(last.interest);
        }
        self.settle(price);
        price
    }

    /// An evening on which the loan is open.
    pub(super) fn count_uncovered(&mut self) {
        self.uncovered += i128::from((self.principal - self.received).max(0));
    }
}
