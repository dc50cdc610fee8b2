//! Completed trade of days past that the night before did not know.
//!
//! What was sold and settled weeks ago does not grow from one night to the next. Where it does, orders were dated back, or amounts that had long been paid were
//! changed afterwards: the cheapest way to look like a shop that has kept its promises for a year. Nobody can tell which of a merchant's orders they are, since only
//! their sum is remembered; so nothing is taken away, and credit waits where they are too large a share ([`PastTrade::share`]). Orders and their completion may come
//! [`SETTLED_AFTER_DAYS`] late. Source: project judgement.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use polars::prelude::{Int64Chunked, PolarsResult};
use serde::{Deserialize, Serialize};

use super::missing::{MissingError, RememberedRows, instants, sums_by_merchant};
use crate::contract::ORDERS;
use crate::domain::{AsOf, MICROS_PER_DAY, days_between};
use crate::store::Shard;

/// Days that an order's completion may take to be told of.
pub(super) const SETTLED_AFTER_DAYS: i32 = 14;

/// Days before those by which an order was placed that is settled however lately it was completed: hardly any takes as long, and orders of a whole year that are all said to have been
/// completed last week came to light as well.
const PLACED_BEFORE_DAYS: i64 = 76;

/// Of what a merchant has sold and settled, what earlier nights should have known and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastTrade {
    /// What came to light too late.
    pub grown_minor: i64,
    /// All that is settled of the days that are looked at.
    pub settled_minor: i64,
    /// The last night that saw any of it come to light.
    pub grown_on: Date,
}

impl PastTrade {
    /// What a night remembers of it; `None` where nothing came to light.
    #[must_use]
    pub fn of(row: &RememberedRows) -> Option<Self> {
        let grown_minor = row.grown_minor.filter(|grown| *grown > 0)?;
        Some(Self { grown_minor, settled_minor: row.settled_minor.unwrap_or(0), grown_on: row.grown_on? })
    }

    /// What came to light ÷ all that is settled, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        (self.grown_minor as f64 / self.settled_minor.max(1) as f64).min(1.0)
    }
}

/// Orders placed from the first day on that were completed before the last one.
pub(super) type SettledDays = (Date, Date);

/// What a merchant's settled trade was by the night before, over the days of that night.
#[derive(Debug, Clone, Copy)]
pub(super) struct TradeBefore {
    /// The night.
    pub on: Date,
    pub settled_minor: i64,
    /// Negative where less was seen again than was known.
    pub grown_minor: i64,
    pub grown_on: Option<Date>,
}

impl TradeBefore {
    /// That of a merchant who had none.
    pub(super) fn none((_, settled_until_on): SettledDays) -> Self {
        let on = settled_until_on.saturating_add(SETTLED_AFTER_DAYS.days());
        Self { on, settled_minor: 0, grown_minor: 0, grown_on: None }
    }

    /// What has come to light in all once the same days have become `settled_minor`, and when last. What was gone and is back has not; and of what came to light as much is
    /// forgotten every night as leaves the `days` that are looked at.
    pub(super) fn grown(self, settled_minor: i64, tonight: Date, days: u16) -> (i64, Option<Date>) {
        let days = i64::from(days.max(1));
        let left = (days - i64::from(days_between(self.on, tonight)).max(0)).max(0);
        // A share of an i64.
        let remembered = i64::try_from(i128::from(self.grown_minor) * i128::from(left) / i128::from(days)).unwrap_or(0);
        let more = settled_minor.saturating_sub(self.settled_minor);
        let grown = remembered.saturating_add(more);
        (grown, if more > 0 { Some(tonight) } else { self.grown_on })
    }
}

/// What every merchant's settled orders came to, what went back to buyers taken off; `None` without orders.
pub(super) fn settled(
    shard: &Shard,
    (from_on, settled_until_on): SettledDays,
) -> Result<Option<BTreeMap<String, i64>>, MissingError> {
    let Some(orders) = shard.table(ORDERS.name) else { return Ok(None) };
    let zone = shard.as_of.time_zone();
    let [from, until] = [from_on, settled_until_on].map(|day| AsOf::new(day, zone.clone()).map(|at| at.micros()));
    let (from, until) = (from?, until?);
    let placed_before = until.saturating_sub(PLACED_BEFORE_DAYS * MICROS_PER_DAY);
    let broken = |source| MissingError::Frame { table: ORDERS.name, source };
    let sums = |name: &str| -> PolarsResult<Int64Chunked> { Ok(orders.column(name)?.i64()?.clone()) };
    let owners = orders.column("merchant_id").and_then(|ids| ids.str()).map_err(broken)?;
    let [placed, completed, refunded] = ["placed_at", "completed_at", "refunded_at"].map(|at| instants(orders, at));
    let (placed, completed, refunded) =
        (placed.map_err(broken)?, completed.map_err(broken)?, refunded.map_err(broken)?);
    let (amounts, refunds) = (sums("amount_minor").map_err(broken)?, sums("refund_minor").map_err(broken)?);
    let kept = |row: usize| {
        let is_settled = placed
            .get(row)
            .zip(completed.get(row))
            .is_some_and(|(placed, completed)| placed >= from && (completed < until || placed < placed_before));
        if !is_settled {
            return 0;
        }
        let amount = amounts.get(row).unwrap_or(0);
        // A refund of which no sum is told is one of everything.
        amount - refunded.get(row).map_or(0, |_| refunds.get(row).unwrap_or(amount))
    };
    Ok(Some(sums_by_merchant(owners, kept).into_iter().map(|(merchant, sum)| (merchant.to_owned(), sum)).collect()))
}

#[cfg(test)]
#[path = "past_trade_tests.rs"]
mod tests;
