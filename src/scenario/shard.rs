//! A shard's merchants with broken records, and their tables with these records in them.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::Scenario;
use super::missing::ROW_MISSING;
use super::rows::{Cell, Row, with_rows};
use super::stock::Stock;
use super::trade::{BY_STARS, BY_VALUE, Known, Trade};
use crate::authenticity::UNKNOWN_BUYER;
use crate::contract::{DISPUTES, INVENTORY, ORDERS, REVIEWS, SHIPMENTS, TableContract};
use crate::domain::MICROS_PER_DAY;
use crate::store::{BrokenRecord, Shard};

/// Tables whose broken records are read; orders first, because the others refer to them.
const READ: [&TableContract; 5] = [&ORDERS, &SHIPMENTS, &REVIEWS, &DISPUTES, &INVENTORY];

/// Merchants of a shard with broken records that a scenario reads.
fn affected_merchants(shard: &Shard) -> BTreeSet<&str> {
    let is_read = |record: &&BrokenRecord| {
        READ.iter().any(|table| table.name == record.table && shard.tables.contains_key(table.name))
    };
    shard.broken.iter().filter(is_read).filter_map(|record| record.merchant_id.as_deref()).collect()
}

/// The merchants of a shard with broken records of trade: all that does not depend on how these are read.
pub struct AffectedMerchants {
    shard: Shard,
    /// By merchant.
    trade: BTreeMap<String, Trade>,
    /// By merchant.
    stock: BTreeMap<String, Stock>,
}

impl AffectedMerchants {
    /// Those of a shard; `None` where nobody is concerned.
    ///
    /// # Errors
    /// A table without the columns of its contract.
    pub fn of(shard: &Shard) -> PolarsResult<Option<Self>> {
        let merchants = affected_merchants(shard);
        if merchants.is_empty() {
            return Ok(None);
        }
        let shard = shard.of_merchants(|merchant| merchants.contains(merchant))?;
        let spoilt = spoilt_orders(shard.table(SHIPMENTS.name), shard.table(DISPUTES.name))?;
        let trade = shard.table(ORDERS.name).map(|orders| Trade::of_merchants(orders, &spoilt));
        let trade = trade.transpose()?.unwrap_or_default();
        let stock = shard.table(INVENTORY.name).map(Stock::of_merchants).transpose()?.unwrap_or_default();
        Ok(Some(Self { shard, trade, stock }))
    }

    /// Their tables with their broken records read in one way.
    ///
    /// # Errors
    /// A table without the columns of its contract.
    pub fn assumed(&self, scenario: Scenario) -> PolarsResult<Shard> {
        let Shard { as_of, mut tables, earlier, broken } = self.shard.clone();
        let last = as_of.micros() - 1;
        let with_broken = BTreeMap::new();
        let (left_open, meant_before) = (Vec::new(), BTreeMap::new());
        let mut reader = Reader { scenario, last, known: &self.trade, with_broken, left_open, meant_before };
        for table in READ {
            let Some(frame) = tables.get(table.name) else { continue };
            let mut rows: Vec<Row> = Vec::new();
            let mut replaced: PlHashSet<String> = PlHashSet::new();
            let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
            let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
            for (number, record) in broken.iter().enumerate().filter(|(_, record)| record.table == table.name) {
                let Some(merchant) = record.merchant_id.as_deref() else { continue };
                if record.key.as_deref().is_some_and(|key| !seen.insert((merchant, key))) {
                    continue;
                }
                if record.rule == ROW_MISSING {
                    let read = missing.entry(merchant).or_default();
                    *read += 1;
                    if *read > MOST_MISSING {
                        continue;
                    }
                }
                let key = record.key.clone().unwrap_or_else(|| format!("unreadable {number}"));
                match table.name {
                    name if name == ORDERS.name => rows.push(reader.order(merchant, record, &key, &mut replaced)),
                    name if name == SHIPMENTS.name => rows.extend(reader.shipments(merchant, record, (&key, number))),
                    name if name == REVIEWS.name => rows.extend(reader.reviews(merchant, record, &key)),
                    // Of a merchant without any stock-taking that can be read, nothing is known of its stock.
                    name if name == INVENTORY.name => {
                        let stock = self.stock.get(merchant);
                        rows.extend(stock.map(|stock| stock.taking(merchant, record, scenario, &as_of)));
                    }
                    _ => rows.extend(reader.disputes(merchant, record, &key)),
                }
            }
            if table.name == SHIPMENTS.name {
                let unsent = reader.unsent(frame, &rows)?;
                rows.extend(unsent);
            }
            if rows.is_empty() {
                continue;
            }
            let gone: Vec<bool> = if replaced.is_empty() {
                Vec::new()
            } else {
                let ids = frame.column("order_id")?.str()?;
                ids.iter().map(|id| id.is_some_and(|id| replaced.contains(id))).collect()
            };
            tables.insert(table.name, with_rows(table, frame, &gone, rows)?);
        }
        Ok(Shard { as_of, tables, earlier, broken })
    }
}

/// Orders of which a promise is known to be broken: a parcel that came late, not yet or never, or a dispute that the merchant has not won.
fn spoilt_orders(shipments: Option<&DataFrame>, disputes: Option<&DataFrame>) -> PolarsResult<BTreeSet<String>> {
    let mut spoilt = BTreeSet::new();
    if let Some(shipments) = shipments {
        let instant = |name: &str| Ok::<_, PolarsError>(shipments.column(name)?.datetime()?.physical());
        let (promised, delivered, lost) = (instant("promised_at")?, instant("delivered_at")?, instant("lost_at")?);
        for (at, order) in shipments.column("order_id")?.str()?.iter().enumerate() {
            let is_late = promised.get(at).is_some_and(|promised| delivered.get(at).is_none_or(|at| at > promised));
            spoilt.extend(order.filter(|_| is_late || lost.get(at).is_some()).map(str::to_owned));
        }
    }
    if let Some(disputes) = disputes {
        let (orders, outcomes) = (disputes.column("order_id")?.str()?, disputes.column("outcome")?.str()?);
        for (order, outcome) in orders.iter().zip(outcomes.iter()) {
            let is_over = matches!(outcome, Some("merchant-won" | "withdrawn"));
            spoilt.extend(order.filter(|_| !is_over).map(str::to_owned));
        }
    }
    Ok(spoilt)
}

struct Reader<'a> {
    scenario: Scenario,
    /// The last instant that can be seen.
    last: i64,
    /// By merchant, as it is known.
    known: &'a BTreeMap<String, Trade>,
    /// The same of merchants with broken orders, as these are read.
    with_broken: BTreeMap<String, Trade>,
    /// Orders that cannot be read and are taken to wait still: merchant, order, and when it was placed.
    left_open: Vec<(String, String, i64)>,
    /// By table and merchant, what records that name no order are taken to be about.
    meant_before: BTreeMap<(&'static str, String), MeantBefore>,
}

/// What earlier records of a table and merchant that name no order are taken to be about.
struct MeantBefore {
    /// The orders of the first of them.
    first: Vec<PlSmallStr>,
    /// From the second one on, the merchant's orders with those that are taken.
    rest: Option<Trade>,
}

impl Reader<'_> {
    /// The orders that a record may be about. Several that name none are each about others: they may be about as many orders as they are, and whichever these are, none would weigh more. Where
    /// all are taken they begin again.
    fn meant(
        &mut self,
        table: &'static str,
        merchant: &str,
        (record, by): (&BrokenRecord, i64),
        weighed: &[(bool, i64)],
    ) -> Vec<Known> {
        let Some(trade) = self.with_broken.get(merchant).or_else(|| self.known.get(merchant)) else {
            return Vec::new();
        };
        let meant_of =
            |trade: &Trade| -> Vec<Known> { trade.meant(record, by, weighed).into_iter().cloned().collect() };
        let is_named = record.order_id.as_deref().is_some_and(|id| trade.named(id).is_some());
        if is_named || self.scenario == Scenario::Favourable {
            return meant_of(trade);
        }
        let ids = |meant: &[Known]| meant.iter().map(|order| order.id.clone()).collect::<Vec<_>>();
        let Some(before) = self.meant_before.get_mut(&(table, merchant.to_owned())) else {
            let meant = meant_of(trade);
            self.meant_before.insert((table, merchant.to_owned()), MeantBefore { first: ids(&meant), rest: None });
            return meant;
        };
        let MeantBefore { first, rest } = before;
        let rest = rest.get_or_insert_with(|| {
            let mut rest = trade.clone();
            rest.take(first);
            rest
        });
        let mut meant = meant_of(rest);
        if meant.is_empty() {
            rest.release();
            meant = meant_of(rest);
        }
        rest.take(&ids(&meant));
        meant
    }

    fn trade(&self, merchant: &str) -> Option<&Trade> {
        self.with_broken.get(merchant).or_else(|| self.known.get(merchant))
    }

    /// When a record's event was, as far as anything says so: its own time, or else that by which it must have happened. What cannot be read is
    /// unresolved as late as could be.
    fn instant(&self, record: &BrokenRecord) -> i64 {
        let otherwise = match self.scenario {
            Scenario::Unresolved => None,
            Scenario::Favourable | Scenario::Adverse => record.known_at,
        };
        self.said(record).or(otherwise).unwrap_or(self.last).min(self.last)
    }

    /// When a record says that its event was; what lies ahead is a slip.
    fn said(&self, record: &BrokenRecord) -> Option<i64> {
        record.event_at.filter(|at| *at <= self.last)
    }

    /// When an order was placed. Where nothing says so, one that went wrong did so long enough ago to count: measures let orders of the last weeks mature.
    fn placed_at(&self, record: &BrokenRecord) -> i64 {
        match (self.scenario, self.said(record)) {
            (Scenario::Adverse, None) => {
                record.known_at.unwrap_or(self.last).min(self.last - DAYS_TO_COUNT * MICROS_PER_DAY)
            }
            _ => self.instant(record),
        }
    }

    /// An instant some days after another, if it has passed by then.
    fn after(&self, at: i64, days: i64) -> i64 {
        at.saturating_add(days.saturating_mul(MICROS_PER_DAY)).min(self.last)
    }

    /// An order. One whose id cannot be read may be a newer version of an order that is there: read as a broken promise, it takes the place of
    /// that order.
    fn order(&mut self, merchant: &str, record: &BrokenRecord, key: &str, replaced: &mut PlHashSet<String>) -> Row {
        let placed_at = self.placed_at(record);
        let by = record.known_at.unwrap_or(self.last);
        let scenario = self.scenario;
        let known = || self.known.get(merchant).cloned().unwrap_or_default();
        let trade = self.with_broken.entry(merchant.to_owned()).or_insert_with(known);
        let is_new = record.order_id.as_ref().is_some_and(|id| trade.named(id).is_none());
        let before = if is_new { None } else { trade.corrected(record, by).cloned() };
        let takes_place = before.filter(|_| scenario != Scenario::Favourable);
        let currency = trade.last().map(|order| order.currency.clone()).unwrap_or_default();
        let known = match takes_place {
            Some(before) => {
                replaced.insert(before.id.to_string());
                trade.remove(&before.id);
                before
            }
            None => Known {
                id: record.order_id.as_deref().filter(|_| is_new).unwrap_or(key).into(),
                buyer: record.buyer_id.as_deref().unwrap_or(UNKNOWN_BUYER).into(),
                placed_at,
                amount_minor: record.amount_minor.unwrap_or_else(|| trade.largest_minor()),
                currency,
                is_completed: false,
                is_spoilt: false,
                is_assumed: true,
                is_taken: false,
            },
        };
        let youngest_settled = self.last.saturating_sub(DAYS_LEFT_OPEN * MICROS_PER_DAY);
        let is_left_open = scenario == Scenario::Unresolved && known.placed_at > youngest_settled;
        let is_completed = scenario != Scenario::Adverse && !is_left_open;
        let known = Known { is_completed, is_assumed: true, ..known };
        trade.insert(known.clone());

        let placed_at = known.placed_at;
        let mut row = Row::from([
            ("order_id", Cell::Text(known.id.to_string())),
            ("merchant_id", Cell::Text(merchant.to_owned())),
            ("buyer_id", Cell::Text(known.buyer.to_string())),
            ("placed_at", Cell::Number(placed_at)),
            ("paid_at", Cell::Number(placed_at)),
            ("amount_minor", Cell::Number(known.amount_minor)),
            ("currency", Cell::Text(known.currency.to_string())),
        ]);
        if is_left_open {
            self.left_open.push((merchant.to_owned(), known.id.to_string(), placed_at));
            return row;
        }
        let settled = self.after(placed_at, DAYS_TO_SETTLE);
        let mut put = |column, cell| row.insert(column, Cell::Number(cell));
        if scenario == Scenario::Adverse {
            put("cancelled_at", settled);
        } else {
            put("completed_at", settled);
        }
        if scenario != Scenario::Favourable {
            put("refunded_at", settled);
            put("refund_minor", known.amount_minor);
        }
        row
    }

    /// Of orders that are left open a promise to hand them over by now, unless something is known of their parcels.
    fn unsent(&self, sent: &DataFrame, assumed: &[Row]) -> PolarsResult<Vec<Row>> {
        if self.left_open.is_empty() {
            return Ok(Vec::new());
        }
        let of_row = |row: &Row| match row.get("order_id") {
            Some(Cell::Text(order)) => Some(order.clone()),
            _ => None,
        };
        let sent = sent.column("order_id")?.str()?;
        let known: PlHashSet<String> =
            sent.iter().flatten().map(str::to_owned).chain(assumed.iter().filter_map(of_row)).collect();
        let unsent = self.left_open.iter().filter(|(_, order, _)| !known.contains(order.as_str()));
        let row = |(merchant, order, placed_at): &(String, String, i64)| {
            Row::from([
                ("shipment_id", Cell::Text(format!("none of {order}"))),
                ("order_id", Cell::Text(order.clone())),
                ("merchant_id", Cell::Text(merchant.clone())),
                ("ship_by_at", Cell::Number(*placed_at)),
            ])
        };
        Ok(unsent.map(row).collect())
    }

    /// Parcels; the record's number keeps their times apart, for rows that have all times in common are of one parcel.
    fn shipments(&mut self, merchant: &str, record: &BrokenRecord, (key, number): (&str, usize)) -> Vec<Row> {
        let apart = i64::try_from(number % 1_000_000).unwrap_or(0);
        let by = record.known_at.unwrap_or(self.last);
        let orders = self.meant(SHIPMENTS.name, merchant, (record, by), BY_VALUE);
        let row = |order: &Known| {
            let placed = order.placed_at;
            let mut row = Row::from([
                ("shipment_id", Cell::Text(format!("{key} of {}", order.id))),
                ("order_id", Cell::Text(order.id.to_string())),
                ("merchant_id", Cell::Text(merchant.to_owned())),
            ]);
            let mut put = |column, cell| row.insert(column, Cell::Number(cell));
            match self.scenario {
                Scenario::Favourable => {
                    // A promise that is not due yet is masked.
                    for (column, due) in [("ship_by_at", 2), ("promised_at", 10)] {
                        let due = placed.saturating_add(due * MICROS_PER_DAY);
                        if due <= self.last {
                            put(column, due);
                        }
                    }
                    put("shipped_at", placed);
                    put("delivered_at", self.after(placed, 1).saturating_sub(apart).max(placed));
                }
                Scenario::Adverse => {
                    put("ship_by_at", placed);
                    put("promised_at", placed);
                    put("lost_at", self.after(placed, 1));
                }
                Scenario::Unresolved => {
                    put("ship_by_at", placed);
                    put("promised_at", placed);
                    put("shipped_at", self.last.saturating_sub(apart).max(placed));
                    put("delivered_at", self.last.saturating_sub(apart).max(placed));
                }
            }
            row
        };
        orders.iter().map(row).collect()
    }

    fn reviews(&mut self, merchant: &str, record: &BrokenRecord, key: &str) -> Vec<Row> {
        let created_at = self.instant(record);
        let stars = if self.scenario == Scenario::Favourable { 5 } else { 1 };
        let orders = self.meant(REVIEWS.name, merchant, (record, created_at), BY_STARS);
        let row = |order: &Known| {
            Row::from([
                ("review_id", Cell::Text(format!("{key} of {}", order.id))),
                ("order_id", Cell::Text(order.id.to_string())),
                ("merchant_id", Cell::Text(merchant.to_owned())),
                // Two that cannot be read are two: neither is a copy of the other, or of one that can be read.
                ("buyer_id", Cell::Text(UNKNOWN_BUYER.to_owned())),
                ("created_at", Cell::Number(created_at)),
                ("stars", Cell::Number(stars)),
            ])
        };
        orders.iter().map(row).collect()
    }

    /// Disputes; those of a merchant without orders name none.
    fn disputes(&mut self, merchant: &str, record: &BrokenRecord, key: &str) -> Vec<Row> {
        let opened_at = self.instant(record);
        let orders = self.meant(DISPUTES.name, merchant, (record, opened_at), BY_VALUE);
        let amount_minor = record.amount_minor.unwrap_or_else(|| self.trade(merchant).map_or(0, Trade::largest_minor));
        let (kind, outcome) = match self.scenario {
            Scenario::Favourable => ("other", Some("merchant-won")),
            Scenario::Adverse => ("counterfeit", Some("buyer-won")),
            Scenario::Unresolved => ("lawsuit", None),
        };
        let row = |order: Option<&Known>| {
            let mut row = Row::from([
                (
                    "dispute_id",
                    Cell::Text(order.map_or_else(|| key.to_owned(), |order| format!("{key} of {}", order.id))),
                ),
                ("merchant_id", Cell::Text(merchant.to_owned())),
                ("opened_at", Cell::Number(opened_at)),
                ("amount_minor", Cell::Number(amount_minor)),
                ("kind", Cell::Text(kind.to_owned())),
            ]);
            if let Some(order) = order {
                row.insert("order_id", Cell::Text(order.id.to_string()));
                row.insert("buyer_id", Cell::Text(order.buyer.to_string()));
            }
            if let Some(outcome) = outcome {
                row.insert("outcome", Cell::Text(outcome.to_owned()));
                row.insert("closed_at", Cell::Number(opened_at));
            }
            row
        };
        if orders.is_empty() { vec![row(None)] } else { orders.iter().map(|order| row(Some(order))).collect() }
    }
}

/// Missing rows of one merchant and table that are read, so that the work has a bound (project judgement). Beyond these `max_broken_record_share` alone counts them: at a tenth, only of a
/// table of more than 100,000 rows of one merchant may more be gone than are read.
const MOST_MISSING: usize = 10_000;

/// Days from placing an order to its end, good or bad: late enough that what was due by then is late.
const DAYS_TO_SETTLE: i64 = 5;

/// Days for which an order that cannot be read may still wait to be handed over (project judgement).
const DAYS_LEFT_OPEN: i64 = 30;

/// Days after which what became of an order counts in every measure of the last months (project judgement).
const DAYS_TO_COUNT: i64 = 45;

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
