//! What has become of the orders that secure open loans.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::PolarsError;
use serde::{Deserialize, Serialize};

use crate::repayment::{LoanLedger, LoanStanding};
use crate::store::Shard;

/// The orders that secure one loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PledgedOrders {
    /// Value of all that were found.
    pub value_minor: i64,
    /// Value of those that were cancelled, and what of the others went back to their buyers.
    pub lost_minor: i64,
    /// What escrow has released of them since the loan was paid out, less what went back to their buyers.
    #[serde(default)]
    pub released_minor: i64,
    /// Orders that were not found among the clean rows: what became of them is not known.
    pub not_found: u64,
}

/// The orders that secure the loans of a shard, by loan; a loan that is not secured by orders has no entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pledges {
    by_loan: BTreeMap<String, PledgedOrders>,
}

impl Pledges {
    /// Looks up the orders of every known open loan of the shard.
    ///
    /// # Errors
    /// The table of orders lacks a column.
    pub fn of(shard: &Shard, ledger: &LoanLedger) -> Result<Self, PolarsError> {
        let open = ledger.known.iter().filter(|loan| !loan.is_closed && !loan.pledged_order_ids.is_empty());
        let mut loans_of: HashMap<&str, Vec<&LoanStanding>> = HashMap::new();
        let mut by_loan: BTreeMap<String, PledgedOrders> = BTreeMap::new();
        for loan in open {
            let not_found = loan.pledged_order_ids.len() as u64;
            by_loan.insert(loan.loan_id.clone(), PledgedOrders { not_found, ..PledgedOrders::default() });
            for order in &loan.pledged_order_ids {
                loans_of.entry(order).or_default().push(loan);
            }
        }
        let Some(orders) = shard.table("orders").filter(|_| !loans_of.is_empty()) else { return Ok(Self { by_loan }) };
        let ids = orders.column("order_id")?.str()?;
        let amounts = orders.column("amount_minor")?.i64()?;
        let is_cancelled = orders.column("cancelled_at")?.is_not_null();
        let is_refunded = orders.column("refunded_at")?.is_not_null();
        let refunds = orders.column("refund_minor")?.i64()?;
        let completed = orders.column("completed_at")?.datetime()?.physical();
        let lost = |row: usize, amount: i64| match (is_cancelled.get(row), is_refunded.get(row)) {
            // A part went back; where nobody knows how much, it may have been all.
            (Some(false), Some(true)) => refunds.get(row).map_or(amount, |refund| refund.clamp(0, amount.max(0))),
            (Some(false), Some(false)) => 0,
            _ => amount,
        };
        for (row, (id, amount)) in ids.iter().zip(amounts.iter()).enumerate() {
            let (Some(id), Some(amount)) = (id, amount) else { continue };
            let lost_minor = lost(row, amount);
            for loan in loans_of.get(id).into_iter().flatten() {
                let Some(pledged) = by_loan.get_mut(&loan.loan_id) else { continue };
                pledged.not_found = pledged.not_found.saturating_sub(1);
                pledged.value_minor = pledged.value_minor.saturating_add(amount);
                pledged.lost_minor = pledged.lost_minor.saturating_add(lost_minor);
                if completed.get(row).is_some_and(|at| at >= loan.disbursed_at) {
                    pledged.released_minor = pledged.released_minor.saturating_add((amount - lost_minor).max(0));
                }
            }
        }
        // Loans that rest on the same orders are repaid by them one after the other, the first paid out first.
        for loan in ledger.known.iter().filter(|loan| !loan.is_closed) {
            let Some(pledged) = by_loan.get_mut(&loan.loan_id) else { continue };
            let taken = claimed_before(loan, ledger.of(&loan.merchant_id).known);
            pledged.released_minor = pledged.released_minor.saturating_sub(taken).max(0);
        }
        Ok(Self { by_loan })
    }

    /// The orders that secure a loan; `None` where none do.
    #[must_use]
    pub fn of_loan(&self, loan_id: &str) -> Option<&PledgedOrders> {
        self.by_loan.get(loan_id)
    }
}

/// What loans that were paid out earlier on the same orders were repaid, and still ask for.
fn claimed_before(loan: &LoanStanding, of_borrower: &[LoanStanding]) -> i64 {
    let is_earlier = |other: &&LoanStanding| {
        (other.disbursed_at, &other.loan_id) < (loan.disbursed_at, &loan.loan_id)
            && (!other.is_closed || (other.offer_id.is_some() && other.offer_id == loan.offer_id))
            && other.pledged_order_ids.iter().any(|order| loan.pledged_order_ids.contains(order))
    };
    let claimed =
        |sum: i64, other: &LoanStanding| sum.saturating_add(other.paid_minor()).saturating_add(other.payoff_minor);
    of_borrower.iter().filter(is_earlier).fold(0, claimed)
}

#[cfg(test)]
impl FromIterator<(String, PledgedOrders)> for Pledges {
    fn from_iter<I: IntoIterator<Item = (String, PledgedOrders)>>(pledges: I) -> Self {
        Self { by_loan: pledges.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use polars::prelude::{DataFrame, DataType, TimeUnit, df};

    use super::*;
    use crate::domain::AsOf;
    use crate::repayment::LoanStanding;
    use crate::repayment::fixture::overdue_loan;

    fn loan(loan_id: &str, orders: &[&str], is_closed: bool) -> LoanStanding {
        LoanStanding {
            loan_id: loan_id.into(),
            pledged_order_ids: orders.iter().map(|o| (*o).to_owned()).collect(),
            is_closed,
            disbursed_at: 4,
            ..overdue_loan("order-loan", 0)
        }
    }

    fn with_instants(mut frame: DataFrame, columns: &[&str]) -> DataFrame {
        for column in columns {
            let instants =
                frame.column(column).unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
            frame.with_column(instants).unwrap();
        }
        frame
    }

    #[test]
    fn cancelled_and_refunded_orders_are_lost_and_missing_ones_are_not_known() {
        let at = |lost: [i64; 4]| lost.map(|l| (l > 0).then_some(l)).to_vec();
        let orders = df!(
            "order_id" => ["a", "b", "c", "d"],
            "amount_minor" => [100_i64, 200, 400, 800],
            "cancelled_at" => at([0, 7, 0, 0]),
            "refunded_at" => at([0, 0, 7, 0]),
            "refund_minor" => [None::<i64>; 4],
            "completed_at" => [Some(4_i64), None, Some(5), Some(2)],
        )
        .unwrap();
        let orders = with_instants(orders, &["completed_at"]);
        let as_of = AsOf::new(date(2025, 5, 1), TimeZone::UTC).unwrap();
        let shard =
            Shard { as_of, tables: BTreeMap::from([("orders", orders)]), earlier: BTreeMap::new(), broken: Vec::new() };
        let known = vec![
            loan("l1", &["a", "b", "c"], false),
            loan("l2", &["d", "gone"], false),
            loan("l3", &["a"], true),
            loan("l4", &[], false),
        ];
        let ledger = LoanLedger { known, unknown: Vec::new(), remarks: Vec::new() };
        let pledges = Pledges::of(&shard, &ledger).unwrap();
        let found = |value_minor, lost_minor, not_found, released_minor| {
            Some(PledgedOrders { value_minor, lost_minor, released_minor, not_found })
        };
        assert_eq!(pledges.of_loan("l1").copied(), found(700, 600, 0, 100));
        assert_eq!(pledges.of_loan("l2").copied(), found(800, 0, 1, 0), "it was released before the loan was paid out");
        assert_eq!((pledges.of_loan("l3"), pledges.of_loan("l4")), (None, None));
        let without = Shard { tables: BTreeMap::new(), ..shard };
        assert_eq!(Pledges::of(&without, &ledger).unwrap().of_loan("l1").copied(), found(0, 0, 3, 0));
    }

    #[test]
    fn loans_that_rest_on_the_same_orders_are_repaid_by_them_one_after_the_other() {
        let orders = df!(
            "order_id" => ["a", "b"],
            "amount_minor" => [100_i64, 100],
            "cancelled_at" => [None::<i64>; 2],
            "refunded_at" => [None::<i64>; 2],
            "refund_minor" => [None::<i64>; 2],
            "completed_at" => [Some(7_i64), None],
        );
        let as_of = AsOf::new(date(2025, 5, 1), TimeZone::UTC).unwrap();
        let tables = BTreeMap::from([("orders", with_instants(orders.unwrap(), &["completed_at"]))]);
        let shard = Shard { as_of, tables, earlier: BTreeMap::new(), broken: Vec::new() };
        let drawn = |loan_id: &str, disbursed_at, payoff_minor, paid: i64| LoanStanding {
            disbursed_at,
            payoff_minor,
            received_minor: paid,
            offer_id: Some("offer".into()),
            ..loan(loan_id, &["a", "b"], payoff_minor == 0)
        };
        let released = |first: LoanStanding, second: LoanStanding| {
            let ledger = LoanLedger { known: vec![first, second], unknown: Vec::new(), remarks: Vec::new() };
            let pledges = Pledges::of(&shard, &ledger).unwrap();
            ["l1", "l2"].map(|loan| pledges.of_loan(loan).map(|pledged| pledged.released_minor))
        };
        let second = || drawn("l2", 6, 80, 0);
        assert_eq!(released(drawn("l1", 5, 80, 0), second()), [Some(100), Some(20)]);
        assert_eq!(released(drawn("l1", 5, 50, 30), second()), [Some(100), Some(20)], "whatever of it was paid");
        assert_eq!(released(drawn("l1", 5, 0, 80), second()), [None, Some(20)], "and once all was");
    }

    #[test]
    fn of_a_refund_the_part_is_lost_and_all_where_nobody_knows_how_much() {
        let lost = |refund: Option<i64>, is_cancelled: bool| {
            let orders = df!(
                "order_id" => ["a"],
                "amount_minor" => [400_i64],
                "cancelled_at" => [is_cancelled.then_some(7_i64)],
                "refunded_at" => [7_i64],
                "refund_minor" => [refund],
                "completed_at" => [Some(5_i64)],
            );
            let as_of = AsOf::new(date(2025, 5, 1), TimeZone::UTC).unwrap();
            let tables = BTreeMap::from([("orders", with_instants(orders.unwrap(), &["completed_at"]))]);
            let shard = Shard { as_of, tables, earlier: BTreeMap::new(), broken: Vec::new() };
            let known = vec![loan("l1", &["a"], false)];
            let ledger = LoanLedger { known, unknown: Vec::new(), remarks: Vec::new() };
            let pledged = *Pledges::of(&shard, &ledger).unwrap().of_loan("l1").unwrap();
            (pledged.lost_minor, pledged.released_minor)
        };
        assert_eq!(
            [lost(Some(100), false), lost(Some(400), false), lost(Some(0), false)],
            [(100, 300), (400, 0), (0, 400)]
        );
        assert_eq!(lost(None, false), (400, 0), "how much went back is not known");
        assert_eq!(lost(Some(100), true), (400, 0), "a cancelled order brings nothing");
    }
}
