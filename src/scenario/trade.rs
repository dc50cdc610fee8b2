//! The orders that a broken record may be about.
//!
//! A merchant may have a million orders and thousands of broken records, so that no record looks at every order, only at those of one day: they lie by the day on which they were placed, and of
//! each day it is known which could be meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use polars::prelude::*;

use crate::domain::MICROS_PER_DAY;
use crate::store::BrokenRecord;

/// An order that a broken record may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of an order that do not depend on one another")]
pub(super) struct Known {
    pub id: PlSmallStr,
    pub buyer: PlSmallStr,
    pub placed_at: i64,
    pub amount_minor: i64,
    pub currency: PlSmallStr,
    pub is_completed: bool,
    /// A promise of it is known to be broken: another broken one takes less from it.
    pub is_spoilt: bool,
    /// Its own record cannot be read.
    pub is_assumed: bool,
    /// Another record that cannot be read is taken to be about it already.
    pub is_taken: bool,
}

impl Known {
    /// How much a broken promise on it would cost on a day: its amount, less the older it is. After `half_days` it counts half.
    fn weight(&self, day: i64, half_days: i64) -> i64 {
        let age_days = day.saturating_sub(day_of(self.placed_at)).max(0);
        self.amount_minor.saturating_mul(half_days) / half_days.saturating_add(age_days)
    }

    /// Whether another broken promise would cost anything.
    const fn is_sound(&self, is_completed: bool, with_assumed: bool) -> bool {
        self.is_completed == is_completed && !self.is_spoilt && self.may_be_meant(with_assumed)
    }

    /// Whether a record that names no order may be about it.
    const fn may_be_meant(&self, with_assumed: bool) -> bool {
        !self.is_taken && (with_assumed || !self.is_assumed)
    }

    fn by_time(&self) -> (i64, &str) {
        (self.placed_at, self.id.as_str())
    }
}

/// The day of an instant, in UTC.
const fn day_of(at: i64) -> i64 {
    at.div_euclid(MICROS_PER_DAY)
}

/// Orders, completed and not, by how soon a broken promise weighs half: measures differ in how soon they forget, and a completed order is a promise kept until
/// it is a broken one, while of another only the promise is broken (project judgement).
pub(super) const BY_VALUE: &[(bool, i64)] = &[(true, 45), (true, HALF_YEAR), (false, 45), (false, HALF_YEAR)];

/// Stars are counted whatever the order was worth.
pub(super) const BY_STARS: &[(bool, i64)] = &[(true, HALF_YEAR)];

const HALF_YEAR: i64 = 180;

/// The orders of one merchant.
#[derive(Debug, Clone, Default)]
pub(super) struct Trade {
    days: BTreeMap<i64, Day>,
    /// When each was placed, by id.
    placed: PlHashMap<PlSmallStr, i64>,
}

/// Of so many orders of a day it is kept which could be meant.
const MANY: usize = 8;

/// The orders of one day, by when they were placed, and id.
#[derive(Debug, Clone, Default)]
struct Day {
    orders: Vec<Known>,
    /// Kept where there are [`MANY`]: of a few it is as quickly asked again.
    meant: OnceLock<Box<CandidateOrders>>,
}

/// Positions of the orders of a day that a record of a later day may be about.
#[derive(Debug, Clone, Copy, Default)]
struct CandidateOrders {
    /// Of those of which no promise is known to be broken the one of the largest amount: not completed or completed, without or with orders that cannot be read.
    heaviest: [[Option<usize>; 2]; 2],
    /// The completed one of the largest amount that can be read, whatever else is known of it.
    largest_completed: Option<usize>,
    /// The last completed one, without or with orders that cannot be read.
    latest_completed: [Option<usize>; 2],
    /// The last one.
    latest: [Option<usize>; 2],
    largest_minor: i64,
}

impl Day {
    fn meant(&self) -> CandidateOrders {
        if self.orders.len() < MANY { self.find() } else { **self.meant.get_or_init(|| Box::new(self.find())) }
    }

    fn find(&self) -> CandidateOrders {
        let mut meant = CandidateOrders::default();
        let amount = |at: usize| self.orders.get(at).map_or(i64::MIN, |order| order.amount_minor);
        // Of equal amounts the later order.
        let heavier = |slot: &mut Option<usize>, at: usize| {
            if slot.is_none_or(|best| amount(best) <= amount(at)) {
                *slot = Some(at);
            }
        };
        for (at, order) in self.orders.iter().enumerate() {
            meant.largest_minor = meant.largest_minor.max(order.amount_minor);
            if order.is_completed && !order.is_assumed {
                heavier(&mut meant.largest_completed, at);
            }
            for with_assumed in [false, true] {
                if !order.may_be_meant(with_assumed) {
                    continue;
                }
                meant.latest[usize::from(with_assumed)] = Some(at);
                if order.is_completed {
                    meant.latest_completed[usize::from(with_assumed)] = Some(at);
                }
                if !order.is_spoilt {
                    heavier(&mut meant.heaviest[usize::from(order.is_completed)][usize::from(with_assumed)], at);
                }
            }
        }
        meant
    }

    fn order(&self, of: impl Fn(&CandidateOrders) -> Option<usize>) -> Option<&Known> {
        self.orders.get(of(&self.meant())?)
    }
}

impl Trade {
    /// The orders of every merchant of a table; of those in `spoilt` a promise is known to be broken.
    pub(super) fn of_merchants(orders: &DataFrame, spoilt: &BTreeSet<String>) -> PolarsResult<BTreeMap<String, Self>> {
        let text = |name: &str| orders.column(name)?.str();
        let instant = |name: &str| Ok::<_, PolarsError>(orders.column(name)?.datetime()?.physical());
        let (ids, merchants, buyers, currencies) =
            (text("order_id")?, text("merchant_id")?, text("buyer_id")?, text("currency")?);
        let (placed, completed) = (instant("placed_at")?, instant("completed_at")?);
        let amounts = orders.column("amount_minor")?.i64()?;
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for at in 0..orders.height() {
            let (Some(id), Some(merchant), Some(placed_at)) = (ids.get(at), merchants.get(at), placed.get(at)) else {
                continue;
            };
            let known = Known {
                id: id.into(),
                buyer: buyers.get(at).unwrap_or_default().into(),
                placed_at,
                amount_minor: amounts.get(at).unwrap_or(0),
                currency: currencies.get(at).unwrap_or_default().into(),
                is_completed: completed.get(at).is_some(),
                is_spoilt: spoilt.contains(id),
                is_assumed: false,
                is_taken: false,
            };
            match all.get_mut(merchant) {
                Some(trade) => trade.push(known),
                None => all.entry(merchant.to_owned()).or_default().push(known),
            }
        }
        for day in all.values_mut().flat_map(|trade| trade.days.values_mut()) {
            day.orders.sort_by(|a, b| a.by_time().cmp(&b.by_time()));
        }
        Ok(all)
    }

    /// Adds an order at the end of its day, which is sorted afterwards.
    fn push(&mut self, order: Known) {
        self.placed.insert(order.id.clone(), order.placed_at);
        self.days.entry(day_of(order.placed_at)).or_default().orders.push(order);
    }

    /// Adds an order.
    pub(super) fn insert(&mut self, order: Known) {
        self.placed.insert(order.id.clone(), order.placed_at);
        let day = self.days.entry(day_of(order.placed_at)).or_default();
        let at = day.orders.partition_point(|other| other.by_time() <= order.by_time());
        day.orders.insert(at, order);
        day.meant = OnceLock::new();
    }

    /// Takes an order out.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(day) = self.placed.remove(id).and_then(|placed_at| self.days.get_mut(&day_of(placed_at))) else {
            return;
        };
        day.orders.retain(|order| order.id != id);
        day.meant = OnceLock::new();
    }

    /// From now on no record that names no order is about these.
    pub(super) fn take(&mut self, ids: &[PlSmallStr]) {
        for id in ids {
            let Some(day) = self.placed.get(id).and_then(|placed_at| self.days.get_mut(&day_of(*placed_at))) else {
                continue;
            };
            day.orders.iter_mut().filter(|order| order.id == *id).for_each(|order| order.is_taken = true);
            day.meant = OnceLock::new();
        }
    }

    /// Records may be about every order again.
    pub(super) fn release(&mut self) {
        for day in self.days.values_mut() {
            day.orders.iter_mut().for_each(|order| order.is_taken = false);
            day.meant = OnceLock::new();
        }
    }

    /// The order of an id.
    pub(super) fn named(&self, id: &str) -> Option<&Known> {
        let placed_at = *self.placed.get(id)?;
        let day = self.days.get(&day_of(placed_at))?;
        let at = day.orders.binary_search_by(|order| (order.placed_at, order.id.as_str()).cmp(&(placed_at, id)));
        day.orders.get(at.ok()?)
    }

    /// The largest amount of an order; 0 without any.
    pub(super) fn largest_minor(&self) -> i64 {
        self.days.values().map(|day| day.meant().largest_minor).max().unwrap_or(0)
    }

    /// The order placed last.
    pub(super) fn last(&self) -> Option<&Known> {
        self.days.values().rev().find_map(|day| day.orders.last())
    }

    /// The orders that a record of what belongs to an order may be about: the one that it names; or else, of those placed by then, the latest completed one
    /// and those of which a broken promise weighs most, as `weighed` says. Which these are is asked twice, with and without orders that cannot be read: another record that
    /// cannot be read must not draw this one away from an order that it hurts. None that is taken is meant unless it is named.
    pub(super) fn meant(&self, record: &BrokenRecord, by: i64, weighed: &[(bool, i64)]) -> Vec<&Known> {
        if let Some(named) = record.order_id.as_deref().and_then(|id| self.named(id)) {
            return vec![named];
        }
        let mut meant: Vec<&Known> = Vec::new();
        for with_assumed in [false, true] {
            let latest = self.latest(by, with_assumed);
            let heaviest = weighed.iter().filter_map(|&(is_completed, half_days)| {
                let of_day = |day: &CandidateOrders| day.heaviest[usize::from(is_completed)][usize::from(with_assumed)];
                self.heaviest((by, half_days), |order| order.is_sound(is_completed, with_assumed), of_day)
            });
            for order in latest.into_iter().chain(heaviest) {
                if meant.iter().all(|other| other.id != order.id) {
                    meant.push(order);
                }
            }
        }
        meant
    }

    /// The order that an order record without a usable id may be a newer version of: the one of its event and buyer; where its event cannot be read, the
    /// one that weighs most. No two records are of one: what is a record that cannot be read itself has none.
    pub(super) fn corrected(&self, record: &BrokenRecord, by: i64) -> Option<&Known> {
        let Some(event_at) = record.event_at else {
            let can_be_read = |order: &Known| order.is_completed && !order.is_assumed;
            return self.heaviest((by, HALF_YEAR), can_be_read, |day| day.largest_completed);
        };
        self.days.get(&day_of(event_at))?.orders.iter().rev().find(|order| {
            order.placed_at == event_at
                && !order.is_assumed
                && record.buyer_id.as_deref().is_none_or(|buyer| buyer == order.buyer.as_str())
        })
    }

    /// The latest completed order placed by an instant; where there is none, the latest of all.
    fn latest(&self, by: i64, with_assumed: bool) -> Option<&Known> {
        let slot = usize::from(with_assumed);
        let is_there = |order: &&Known| order.is_completed && order.placed_at <= by && order.may_be_meant(with_assumed);
        let of_day = || self.days.get(&day_of(by))?.orders.iter().rev().find(is_there);
        let before =
            || self.days.range(..day_of(by)).rev().find_map(|(_, day)| day.order(|meant| meant.latest_completed[slot]));
        let any = || self.days.values().rev().find_map(|day| day.order(|meant| meant.latest[slot]));
        of_day().or_else(before).or_else(any)
    }

    /// Of the orders that are meant, placed by an instant, the one of which a broken promise weighs most, the later of two; `of_day` says which that is among those of one day.
    fn heaviest(
        &self,
        (by, half_days): (i64, i64),
        is_meant: impl Fn(&Known) -> bool,
        of_day: impl Fn(&CandidateOrders) -> Option<usize>,
    ) -> Option<&Known> {
        let day = day_of(by);
        let before = self.days.range(..day).filter_map(|(_, orders)| orders.order(&of_day));
        let today = self.days.get(&day).and_then(|orders| {
            let meant = orders.orders.iter().filter(|order| order.placed_at <= by && is_meant(order));
            meant.max_by_key(|order| order.amount_minor)
        });
        before.chain(today).max_by_key(|order| (order.weight(day, half_days), order.placed_at))
    }
}

#[cfg(test)]
#[path = "trade_tests.rs"]
mod tests;
