//! The merchant's purse: receipts come when escrow is released, goods are paid for when ordered, costs every day.

use super::draw::Draw;
use super::traits::Traits;

/// The platform's commission on completed sales.
const COMMISSION: f64 = 0.03;

/// Cash and goods already paid for. Minor units as `f64`: this is the merchant's own book, not a contract table.
#[derive(Clone)]
pub(super) struct Purse {
    pub(super) cash: f64,
    /// Goods bought in advance, at cost.
    pub(super) stock: f64,
    /// Smoothed shortage of cash: 0 at ease to 1 without any.
    pub(super) strain: f64,
    /// Sales a day that the merchant expects; fixed costs follow it slowly.
    pub(super) planned_sales: f64,
    /// Cost of goods sold since it was last taken.
    pub(super) cost_of_sales: f64,
    /// Net receipts by day, escrow releases less refunds.
    receipts: Vec<f64>,
}

impl Purse {
    pub(super) fn new(traits: &Traits, days: usize) -> Self {
        let daily_sales = traits.daily_orders * traits.mean_amount();
        Self {
            cash: traits.cash_days * daily_sales + traits.order_value,
            stock: 0.0,
            strain: 0.0,
            planned_sales: daily_sales,
            cost_of_sales: 0.0,
            receipts: vec![0.0; days],
        }
    }

    /// Books a later receipt (negative: a refund); beyond the simulation it is of no matter.
    pub(super) fn expect(&mut self, day: i64, amount: f64) {
        if let Some(slot) = usize::try_from(day).ok().and_then(|d| self.receipts.get_mut(d)) {
            *slot += amount;
        }
    }

    /// Buys the goods of an order, from stock first.
    pub(super) fn buy_goods(&mut self, cost: f64) {
        let from_stock = cost.min(self.stock);
        self.stock -= from_stock;
        self.cash -= cost - from_stock;
        self.cost_of_sales += cost;
    }

    /// Net receipts of a day.
    pub(super) fn received(&self, day: usize) -> f64 {
        self.receipts.get(day).copied().unwrap_or(0.0)
    }

    /// One day: takes in receipts, pays fixed costs and mishaps, lets the owner draw what is neither needed nor owed. Gives
    /// the day's receipts.
    pub(super) fn live_a_day(
        &mut self,
        draw: &mut Draw,
        traits: &Traits,
        day: usize,
        expected_sales: f64,
        owed: f64,
    ) -> f64 {
        let received = self.received(day);
        self.cash += received;
        self.planned_sales += (expected_sales - self.planned_sales) / 75.0;
        self.cash -= traits.fixed_share * self.planned_sales;
        if draw.chance(0.3 / 365.0) {
            self.cash -= draw.between(0.3, 1.8) * 30.0 * self.planned_sales * traits.margin * 2.0;
        }
        let comfortable = 28.0 * self.planned_sales + 2.0 * traits.order_value + owed;
        if self.cash > comfortable {
            self.cash -= 0.025 * (self.cash - comfortable);
        }
        let needed = 9.0 * self.planned_sales + 0.5 * traits.order_value;
        let shortage = (1.0 - (self.cash + 0.4 * self.stock) / needed).clamp(0.0, 1.0);
        self.strain += (shortage - self.strain) / 30.0;
        received
    }

    /// What remains of a sale when escrow is released.
    pub(super) fn net_of_commission(amount: f64) -> f64 {
        amount * (1.0 - COMMISSION)
    }
}
