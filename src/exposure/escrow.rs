//! Which orders are receivables: money that escrow will release.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use polars::prelude::{Column, DataFrame, PolarsError};

use super::error::ExposureError;
use super::order_records::about_some_order;
use super::read::AccountTerms;
use super::receivable::Receivable;
use super::sales::{ShippedOrder, one_a_sale};
use super::settings::{DisputeRecords, ReceivableTerms};
use crate::authenticity::REPEATED;
use crate::contract::ORDERS;
use crate::domain::MICROS_PER_DAY;
use crate::store::{BrokenRecord, Shard};
use crate::tiles::Views;

/// The receivables of a shard.
pub(super) enum ShardReceivables {
    /// Nothing is known to be shipped, or to be undisputed.
    Absent,
    By {
        known: BTreeMap<String, Vec<Receivable>>,
        /// Merchants with a record about one of their orders that does not say which.
        unknown: BTreeSet<String>,
    },
}

/// Days over which the largest order of a shop is looked for.
const YEAR_DAYS: i64 = 365;

/// Columns of the view `orders` that receivables are read from.
pub const RECEIVABLE_COLUMNS: [&str; 15] = [
    "order_id", "merchant_id", "buyer_id", "placed_at", "paid_at", "cancelled_at", "completed_at", "refunded_at",
    "refund_minor", "amount_minor", "shipped_at", "lost_at", "dispute_opened_at", "suspect", "suspect_rule",
];

/// Receivables by merchant.
///
/// A receivable is money that escrow will release: the order was paid and shipped, and is not confirmed, cancelled, disputed,
/// lost or suspect, and no record of it or of what belongs to it is broken. What went back to the buyer it no longer holds; where nobody knows how much did, that is
/// all. Of orders that may be one sale at most one is
/// ([`one_a_sale`]). Where a record does not say which order it is about, it may
/// be about any that was placed before the record was known: a merchant with such an order has receivables that nobody knows.
pub(super) fn receivables(
    shard: &Shard,
    views: &Views,
    terms: &AccountTerms<'_>,
) -> Result<ShardReceivables, ExposureError> {
    let nothing = || ShardReceivables::By { known: BTreeMap::new(), unknown: BTreeSet::new() };
    let Some(aging) = terms.receivables else { return Ok(nothing()) };
    let Some(orders) = views.by_name.get("orders") else { return Ok(ShardReceivables::Absent) };
    // Without shipments nothing is known to be shipped; without disputes nothing is known to be undisputed.
    let knows_disputes = views.has_table("disputes")
        || (aging.disputes == DisputeRecords::NotKept && !terms.declared.contains("disputes"));
    if !views.has_table("shipments") || !knows_disputes {
        return Ok(ShardReceivables::Absent);
    }
    let frame = &orders.frame;
    let mut by_merchant =
        undoubted(shard, views, *aging).map_err(|source| ExposureError::Frame { table: ORDERS.name, source })?;
    for receivables in by_merchant.values_mut() {
        receivables.sort_by(|a, b| a.order_id.cmp(&b.order_id));
    }
    let mut unknown = BTreeSet::new();
    for (merchant, last_known_at) in about_some_order(shard, frame)? {
        let may_be_meant = |receivable: &Receivable| receivable.placed_at <= last_known_at;
        if by_merchant.get(&merchant).is_some_and(|own| own.iter().any(may_be_meant)) {
            by_merchant.remove(&merchant);
            unknown.insert(merchant);
        }
    }
    Ok(ShardReceivables::By { known: by_merchant, unknown })
}

/// The receivables as far as each order and those that may be one sale with it tell.
fn undoubted(
    shard: &Shard,
    views: &Views,
    aging: ReceivableTerms,
) -> Result<BTreeMap<String, Vec<Receivable>>, PolarsError> {
    let Some(orders) = views.by_name.get(ORDERS.name) else { return Ok(BTreeMap::new()) };
    let frame = &orders.frame;
    let broken: BTreeSet<&str> = shard.broken.iter().filter_map(|record| record.order_id.as_deref()).collect();
    let unset = |column: &str| frame.column(column).map(Column::is_null);
    let live = unset("completed_at")? & unset("cancelled_at")? & unset("lost_at")? & unset("dispute_opened_at")?;
    let suspect = frame.column("suspect")?.bool()?;
    let paid = frame.column("paid_at")?.is_not_null();
    let (ids, owners) = (frame.column("order_id")?.str()?, frame.column("merchant_id")?.str()?);
    let buyers = frame.column("buyer_id")?.str()?;
    let amounts = frame.column("amount_minor")?.i64()?;
    let (left, is_refunded) = (what_is_left(frame)?, frame.column("refunded_at")?.is_not_null());
    let placed = &frame.column("placed_at")?.datetime()?.phys;
    let largest =
        aging.largest_order_times.map(|times| Ok::<_, PolarsError>((times, largest_seen_through(shard, frame)?)));
    let largest = largest.transpose()?;
    // A shop that has seen no order through has none that tells what is usual.
    let most = |row: usize| match (&largest, owners.get(row)) {
        (Some((times, largest)), Some(owner)) => {
            largest.get(owner).copied().unwrap_or(0).saturating_mul(i64::from(*times))
        }
        _ => i64::MAX,
    };
    let shipped = &frame.column("shipped_at")?.datetime()?.phys;
    let order = |row: usize| {
        let (order_id, placed_at, amount_minor) = (ids.get(row)?, placed.get(row)?, amounts.get(row)?);
        let left_minor = left(row, amount_minor);
        let is_refunded_in_full = left_minor == 0 && is_refunded.get(row) == Some(true);
        let has_ended = live.get(row) != Some(true) || broken.contains(order_id) || is_refunded_in_full;
        let is_sent = paid.get(row) == Some(true) && !has_ended;
        let counted = shipped.get(row).filter(|_| is_sent);
        Some(ShippedOrder {
            order_id,
            buyer_id: buyers.get(row)?,
            placed_at,
            amount_minor,
            has_ended,
            is_suspect: suspect.get(row) != Some(false),
            shipped_at: shipped.get(row),
            counted_minor: counted
                .map_or(0, |at| aging.counted_minor(left_minor.min(most(row)), at, shard.as_of.micros())),
        })
    };
    let doubtful = merchants_in_doubt(frame, &shard.broken)?;
    let mut of_doubtful: BTreeMap<&str, Vec<ShippedOrder<'_>>> = BTreeMap::new();
    let mut by_merchant: BTreeMap<String, Vec<Receivable>> = BTreeMap::new();
    for row in 0..frame.height() {
        let Some(owner) = owners.get(row) else { continue };
        if doubtful.contains(owner) {
            of_doubtful.entry(owner).or_default().extend(order(row));
            continue;
        }
        // Most orders have been confirmed long ago.
        if live.get(row) != Some(true) || suspect.get(row) != Some(false) {
            continue;
        }
        if let Some(order) = order(row).filter(|order| order.counted_minor > 0) {
            by_merchant.entry(owner.to_owned()).or_default().push(order.alone());
        }
    }
    // A record that says neither a buyer nor a time and a sum is held against no order (`ShippedOrder::may_be`).
    let says_enough = |r: &&BrokenRecord| r.buyer_id.is_some() || (r.event_at.is_some() && r.amount_minor.is_some());
    let mut broken_of: BTreeMap<&str, Vec<&BrokenRecord>> = BTreeMap::new();
    for record in shard.broken.iter().filter(|record| record.table == ORDERS.name).filter(says_enough) {
        if let Some(owner) = record.merchant_id.as_deref() {
            broken_of.entry(owner).or_default().push(record);
        }
    }
    for (owner, orders) in of_doubtful {
        let broken = broken_of.remove(owner).unwrap_or_default();
        let receivables = one_a_sale(orders, &broken, views.repeated);
        if !receivables.is_empty() {
            by_merchant.insert(owner.to_owned(), receivables);
        }
    }
    Ok(by_merchant)
}

/// What is left of an order's amount, by row: nothing where it was paid back and nobody knows how much.
fn what_is_left(orders: &DataFrame) -> Result<impl Fn(usize, i64) -> i64, PolarsError> {
    let (refunded, refunds) = (orders.column("refunded_at")?.is_not_null(), orders.column("refund_minor")?.i64()?);
    Ok(move |row: usize, amount_minor: i64| {
        if refunded.get(row) != Some(true) {
            return amount_minor;
        }
        refunds.get(row).map_or(0, |refund| amount_minor.saturating_sub(refund.max(0)).max(0))
    })
}

/// The largest order that each merchant has seen through in the year before: completed, not suspect, less what went back.
fn largest_seen_through<'a>(shard: &Shard, orders: &'a DataFrame) -> Result<HashMap<&'a str, i64>, PolarsError> {
    let since = shard.as_of.micros().saturating_sub(YEAR_DAYS * MICROS_PER_DAY);
    let (owners, suspect) = (orders.column("merchant_id")?.str()?, orders.column("suspect")?.bool()?);
    let completed = orders.column("completed_at")?.datetime()?.physical();
    let (amounts, left) = (orders.column("amount_minor")?.i64()?, what_is_left(orders)?);
    let mut largest: HashMap<&str, i64> = HashMap::new();
    for row in 0..orders.height() {
        let is_seen_through = completed.get(row).is_some_and(|at| at >= since) && suspect.get(row) == Some(false);
        let (Some(owner), Some(amount)) = (owners.get(row).filter(|_| is_seen_through), amounts.get(row)) else {
            continue;
        };
        let kept = largest.entry(owner).or_default();
        *kept = left(row, amount).max(*kept);
    }
    Ok(largest)
}

/// Merchants with a sale that may have been sent under several ids, sound or broken.
fn merchants_in_doubt<'a>(orders: &'a DataFrame, broken: &'a [BrokenRecord]) -> Result<HashSet<&'a str>, PolarsError> {
    let (owners, rules) = (orders.column("merchant_id")?.str()?, orders.column("suspect_rule")?.str()?);
    let is_repeated = |rules: &str| rules.split('+').any(|rule| rule == REPEATED);
    let repeated = owners.iter().zip(rules.iter()).filter(|(_, rules)| rules.is_some_and(is_repeated));
    let of_broken = broken.iter().filter(|record| record.table == ORDERS.name);
    let of_broken = of_broken.filter_map(|record| record.merchant_id.as_deref());
    Ok(repeated.filter_map(|(owner, _)| owner).chain(of_broken).collect())
}
