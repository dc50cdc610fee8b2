//! Rows of trade that an earlier night knew and tonight does not see: each is a record of which nothing can be read any more.
//!
//! Every night sends all rows of [`RememberedRows::from_on`] to tonight again. A dispute, a bad review or a cancelled order that is no longer sent, whoever lost
//! it, would buy its merchant credit, and among a million others its absence shows in no share of a table. So the next night counts the rows of each merchant again over
//! the same days: what is fewer stands among the broken records, and credit rests on the worst that these could have said. Rows that wait in quarantine are
//! counted, tonight and by the night before ([`broken_rows`]): one that broke yesterday and is gone today is missed, and one that has been broken all along makes up for no other. The
//! count says nothing of which row is gone, or of one that was put in its place.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::contract::{APPLICATIONS, DISPUTES, INVENTORY, ORDERS, REVIEWS, SHIPMENTS, TableContract};
use crate::domain::{AsOf, AsOfError, MICROS_PER_DAY, days_between};
use crate::store::{BrokenRecord, Shard, bucket_of};
use crate::wash::key_text;

use super::past_trade::{SETTLED_AFTER_DAYS, SettledDays, TradeBefore, settled};

/// The rule that a missing row breaks.
pub const ROW_MISSING: &str = "row-missing";

/// Tables whose rows are missed, each with the columns that say when a row was: the earliest of them counts, since later ones may still be masked.
const COUNTED: [(&TableContract, &[&str]); 6] = [
    (&ORDERS, &["placed_at"]),
    (&SHIPMENTS, &["ship_by_at", "shipped_at", "promised_at"]),
    (&REVIEWS, &["created_at"]),
    (&DISPUTES, &["opened_at"]),
    (&APPLICATIONS, &["applied_at"]),
    (&INVENTORY, &["on"]),
];

/// How many rows each table has of a merchant, in the order of [`COUNTED`].
type Rows = [i64; COUNTED.len()];

/// The rows of one merchant that the next night has to see: a row of `remembered_rows.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedRows {
    /// The merchant.
    pub merchant_id: String,
    /// First day of the rows counted.
    pub from_on: Date,
    /// The day after the last one.
    pub until_on: Date,
    /// Orders placed in these days, those that are missing or cannot be read among them; likewise the others.
    pub orders: i64,
    /// Parcels, by the first day that anything says of them.
    pub shipments: i64,
    /// Reviews.
    pub reviews: i64,
    /// Disputes.
    pub disputes: i64,
    /// Applications.
    pub applications: i64,
    /// Stock-takings.
    pub inventory: i64,
    /// Of all of these how many an earlier night knew and tonight does not see.
    pub missing: i64,
    /// Since which night some are missing without a break.
    pub missing_since_on: Option<Date>,
    /// First day of the orders that were summed up; `None` where none were.
    pub settled_from_on: Option<Date>,
    /// The day before which they were completed.
    pub settled_until_on: Option<Date>,
    /// What the settled orders of these days came to, what went back to buyers taken off.
    pub settled_minor: Option<i64>,
    /// Of that, what earlier nights should have known and did not; negative where they knew more.
    pub grown_minor: Option<i64>,
    /// The last night that saw any come to light.
    pub grown_on: Option<Date>,
}

impl RememberedRows {
    /// The days that settled trade was summed up over, and what it came to; `None` where it was not.
    fn trade(&self) -> Option<(SettledDays, TradeBefore)> {
        let (days, settled_minor) = ((self.settled_from_on?, self.settled_until_on?), self.settled_minor?);
        let (grown_minor, grown_on) = (self.grown_minor.unwrap_or(0), self.grown_on);
        Some((days, TradeBefore { settled_minor, grown_minor, grown_on, ..TradeBefore::none(days) }))
    }

    /// Takes over what settled trade came to, and nothing of what grew.
    fn note_trade(&mut self, days: Option<SettledDays>, settled_minor: i64) {
        (self.settled_from_on, self.settled_until_on) = days.unzip();
        self.settled_minor = days.map(|_| settled_minor);
        (self.grown_minor, self.grown_on) = (None, None);
    }

    /// Leaves settled trade as another night saw it.
    fn keep_trade(&mut self, before: &Self) {
        (self.settled_from_on, self.settled_until_on) = (before.settled_from_on, before.settled_until_on);
        (self.settled_minor, self.grown_minor, self.grown_on) =
            (before.settled_minor, before.grown_minor, before.grown_on);
    }

    const fn rows(&self) -> Rows {
        [self.orders, self.shipments, self.reviews, self.disputes, self.applications, self.inventory]
    }
}

/// What the night before remembered of merchants' rows, by bucket; nothing on a first night.
#[derive(Debug, Clone, Default)]
pub struct RowsBefore {
    by_bucket: Vec<BTreeMap<String, RememberedRows>>,
    /// Tables that may have lost rows tonight.
    forgiven: BTreeSet<String>,
    /// Days of rows that have to be sent again; none are missed with 0.
    days: u16,
    /// The days that the night before summed settled trade up over; a merchant of whom it had no row had none.
    settled_days: Option<SettledDays>,
    /// Merchants whose trade of days past is believed as it is sent.
    confirmed: BTreeSet<String>,
}

impl RowsBefore {
    /// Of the rows of `remembered_rows.parquet`, for shards of so many `buckets`. Tables in `forgiven` may have lost rows tonight.
    #[must_use]
    pub fn new(
        rows: impl IntoIterator<Item = RememberedRows>,
        buckets: u32,
        forgiven: BTreeSet<String>,
        days: u16,
    ) -> Self {
        let mut by_bucket = vec![BTreeMap::new(); buckets.max(1) as usize];
        let mut settled_days = None;
        for row in rows {
            settled_days = settled_days.max(row.trade().map(|((from, until), _)| (from, until)));
            if let Some(merchants) = by_bucket.get_mut(bucket_of(&row.merchant_id, buckets) as usize) {
                merchants.insert(row.merchant_id.clone(), row);
            }
        }
        Self { by_bucket, forgiven, days, settled_days, confirmed: BTreeSet::new() }
    }

    /// Believes the trade of these merchants as it is sent, however it grew.
    #[must_use]
    pub fn confirming(mut self, merchants: &BTreeSet<String>) -> Self {
        self.confirmed.clone_from(merchants);
        self
    }

    fn of_bucket(&self, bucket: u32) -> impl Iterator<Item = &RememberedRows> {
        self.by_bucket.get(bucket as usize).into_iter().flat_map(BTreeMap::values)
    }

    /// Puts what a shard misses among its broken records; returns what the next night has to see of the bucket.
    ///
    /// # Errors
    /// A table without the columns of its contract, or a day beyond the calendar.
    pub fn hold_against(&self, shard: &mut Shard, bucket: u32) -> Result<Vec<RememberedRows>, MissingError> {
        if self.days == 0 {
            return Ok(Vec::new());
        }
        let broken = broken_rows(shard)?;
        let missing = self.missing(shard, &broken, bucket)?;
        for (merchant, rows) in &missing {
            for ((table, _), missing) in COUNTED.iter().zip(rows) {
                let record = BrokenRecord {
                    table: table.name.to_owned(),
                    merchant_id: Some(merchant.clone()),
                    rule: ROW_MISSING.to_owned(),
                    ..BrokenRecord::default()
                };
                let records = usize::try_from(*missing).unwrap_or(0);
                shard.broken.extend(std::iter::repeat_n(record, records));
            }
        }
        if !missing.is_empty() {
            shard.broken.sort_unstable();
        }
        self.to_remember(shard, (&broken, &missing), bucket)
    }

    /// By merchant, how many rows of each table an earlier night knew and this shard lacks.
    fn missing(
        &self,
        shard: &Shard,
        broken: &[BrokenRow],
        bucket: u32,
    ) -> Result<BTreeMap<String, Rows>, MissingError> {
        let mut missing = BTreeMap::new();
        let mut by_days: BTreeMap<(Date, Date), Vec<&RememberedRows>> = BTreeMap::new();
        for row in self.of_bucket(bucket) {
            by_days.entry((row.from_on, row.until_on)).or_default().push(row);
        }
        for (days, remembered) in by_days {
            let now = counted(shard, (broken, Undated::Counted), days)?;
            for before in remembered {
                let is_long_ago = |since: Date| days_between(since, shard.as_of.date()) > i32::from(self.days);
                if before.missing_since_on.is_some_and(is_long_ago) {
                    continue;
                }
                let merchant = before.merchant_id.as_str();
                let now = now.get(merchant).copied().unwrap_or_default();
                let mut lost = Rows::default();
                for (((table, _), lost), (was, now)) in
                    COUNTED.iter().zip(&mut lost).zip(before.rows().into_iter().zip(now))
                {
                    // What an absent table says is not known, and its gate has spoken.
                    if shard.table(table.name).is_some() && !self.forgiven.contains(table.name) {
                        *lost = (was - now).max(0);
                    }
                }
                if lost.iter().any(|lost| *lost > 0) {
                    missing.insert(merchant.to_owned(), lost);
                }
            }
        }
        Ok(missing)
    }

    /// The rows that tonight's shard has, and those that it misses.
    fn to_remember(
        &self,
        shard: &Shard,
        (broken, missing): (&[BrokenRow], &BTreeMap<String, Rows>),
        bucket: u32,
    ) -> Result<Vec<RememberedRows>, MissingError> {
        let until_on = shard.as_of.date();
        let from_on = shard.as_of.days_before(i32::from(self.days))?.date();
        let mut now = counted(shard, (broken, Undated::LeftOut), (from_on, until_on))?;
        // A merchant of whom nothing is seen any more.
        for merchant in missing.keys() {
            now.entry(merchant.clone()).or_default();
        }
        let none = BTreeMap::new();
        let before = self.by_bucket.get(bucket as usize).unwrap_or(&none);
        let noted = |merchant: &str| {
            let lost: i64 = missing.get(merchant).map_or(0, |lost| lost.iter().sum());
            let since = before.get(merchant).and_then(|known| known.missing_since_on).unwrap_or(until_on);
            (lost, (lost > 0).then_some(since))
        };
        let counted_now = now.into_iter().map(|(merchant_id, mut rows)| {
            let lost = missing.get(&merchant_id).copied().unwrap_or_default();
            rows.iter_mut().zip(lost).for_each(|(rows, lost)| *rows += lost);
            let [orders, shipments, reviews, disputes, applications, inventory] = rows;
            let (missing, missing_since_on) = noted(&merchant_id);
            let row = RememberedRows {
                merchant_id,
                from_on,
                until_on,
                orders,
                shipments,
                reviews,
                disputes,
                applications,
                inventory,
                missing,
                missing_since_on,
                settled_from_on: None,
                settled_until_on: None,
                settled_minor: None,
                grown_minor: None,
                grown_on: None,
            };
            (row.merchant_id.clone(), row)
        });
        let mut remembered: BTreeMap<String, RememberedRows> = counted_now.collect();
        // What a table had that is absent tonight cannot be counted over other days: the row stands as an earlier night left it.
        let had_what_is_absent = |row: &&RememberedRows| {
            COUNTED.iter().zip(row.rows()).any(|((table, _), rows)| rows > 0 && shard.table(table.name).is_none())
        };
        for row in before.values().filter(had_what_is_absent) {
            let (missing, missing_since_on) = noted(&row.merchant_id);
            remembered.insert(row.merchant_id.clone(), RememberedRows { missing, missing_since_on, ..row.clone() });
        }
        self.note_trade(shard, bucket, &mut remembered)?;
        Ok(remembered.into_values().collect())
    }

    /// Sums up the settled trade of every merchant, and what of it the night before should have known and did not.
    fn note_trade(
        &self,
        shard: &Shard,
        bucket: u32,
        remembered: &mut BTreeMap<String, RememberedRows>,
    ) -> Result<(), MissingError> {
        let (from_on, tonight) = (shard.as_of.days_before(i32::from(self.days))?.date(), shard.as_of.date());
        let settled_until_on = shard.as_of.days_before(SETTLED_AFTER_DAYS)?.date();
        let none = BTreeMap::new();
        let before = self.by_bucket.get(bucket as usize).unwrap_or(&none);
        let Some(now) = settled(shard, (from_on, settled_until_on))? else {
            // Nothing can be summed up: all stands as the night before left it.
            for (merchant, row) in remembered {
                match before.get(merchant) {
                    Some(before) => row.keep_trade(before),
                    None => row.note_trade(self.settled_days, 0),
                }
            }
            return Ok(());
        };
        // The days of the night before, of which there may be more than one where a table was absent.
        let mut again: BTreeMap<SettledDays, BTreeMap<String, i64>> = BTreeMap::new();
        let of_rows = before.values().filter_map(|row| row.trade().map(|(days, _)| days));
        for days in of_rows.chain(self.settled_days).collect::<BTreeSet<_>>() {
            again.insert(days, settled(shard, days)?.unwrap_or_default());
        }
        for (merchant, row) in remembered {
            row.note_trade(Some((from_on, settled_until_on)), now.get(merchant).copied().unwrap_or(0));
            let known = match before.get(merchant) {
                Some(before) => before.trade(),
                None => self.settled_days.map(|days| (days, TradeBefore::none(days))),
            };
            let judged = known.filter(|_| !self.confirmed.contains(merchant));
            let Some((days, trade)) = judged else { continue };
            let settled_again = again.get(&days).and_then(|sums| sums.get(merchant)).copied().unwrap_or(0);
            let (grown, grown_on) = trade.grown(settled_again, tonight, self.days);
            (row.grown_minor, row.grown_on) = (Some(grown), grown_on);
        }
        Ok(())
    }
}

/// A record that cannot be read, in place of a row.
struct BrokenRow {
    merchant_id: String,
    /// Its table's place in [`COUNTED`].
    table: usize,
    /// When it says that it was.
    event_at: Option<i64>,
    /// Since when it is known to be broken.
    known_at: Option<i64>,
}

/// What counts of broken records that do not say when they were.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undated {
    /// Nothing: the next night may be told of a later day, and would miss them.
    LeftOut,
    /// Those that may be of the days: one of them may be a row that was there before.
    Counted,
}

impl BrokenRow {
    /// Whether it is of these days, as far as anything of it says when it was: what has been known since before them is older.
    fn is_within(&self, (from, until): (i64, i64), undated: Undated) -> bool {
        match self.event_at {
            Some(at) => (from..until).contains(&at),
            None => undated == Undated::Counted && self.known_at.is_none_or(|known| known >= from),
        }
    }
}

/// The records of a shard that stand where a row would: one of each key, and none of a key that also has a sound row.
fn broken_rows(shard: &Shard) -> Result<Vec<BrokenRow>, MissingError> {
    let mut broken = Vec::new();
    for (at, (table, _)) in COUNTED.iter().enumerate() {
        let Some(frame) = shard.table(table.name) else { continue };
        let is_of_table = |record: &&BrokenRecord| {
            record.table == table.name && record.rule != ROW_MISSING && record.counts_at(&shard.as_of)
        };
        let records: Vec<(&str, &BrokenRecord)> = shard
            .broken
            .iter()
            .filter(is_of_table)
            .filter_map(|record| Some((record.merchant_id.as_deref()?, record)))
            .collect();
        let keys: PlHashSet<&str> = records.iter().filter_map(|(_, record)| record.key.as_deref()).collect();
        let sound =
            sound_keys(table, frame, &keys).map_err(|source| MissingError::Frame { table: table.name, source })?;
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (merchant, record) in records {
            if record
                .key
                .as_deref()
                .is_some_and(|key| sound.contains(&(merchant, key)) || !seen.insert((merchant, key)))
            {
                continue;
            }
            let (event_at, known_at) = (record.event_at, record.known_at);
            broken.push(BrokenRow { merchant_id: merchant.to_owned(), table: at, event_at, known_at });
        }
    }
    Ok(broken)
}

/// Those of some keys that rows of the table have, each with the row's merchant.
fn sound_keys<'a>(
    table: &TableContract,
    frame: &'a DataFrame,
    keys: &PlHashSet<&'a str>,
) -> PolarsResult<PlHashSet<(&'a str, &'a str)>> {
    let mut sound = PlHashSet::default();
    if keys.is_empty() {
        return Ok(sound);
    }
    let merchants = frame.column("merchant_id")?.str()?;
    if let [key] = table.key {
        let rows = merchants.iter().zip(frame.column(key)?.str()?.iter());
        sound.extend(rows.filter_map(|(merchant, key)| merchant.zip(key)).filter(|(_, key)| keys.contains(key)));
        return Ok(sound);
    }
    for (row, merchant) in merchants.iter().enumerate() {
        let key = key_text(frame, table.key, row)?;
        sound.extend(merchant.zip(key.and_then(|key| keys.get(key.as_str()).copied())));
    }
    Ok(sound)
}

/// How many rows of each table, and broken records in place of rows, every merchant of a shard has from one day to another, the latter not included.
fn counted(
    shard: &Shard,
    (broken, undated): (&[BrokenRow], Undated),
    (from_on, until_on): (Date, Date),
) -> Result<BTreeMap<String, Rows>, MissingError> {
    let zone = shard.as_of.time_zone();
    let [from, until] = [from_on, until_on].map(|day| AsOf::new(day, zone.clone()));
    let (from, until) = (from?.micros(), until?.micros());
    let mut all: BTreeMap<String, Rows> = BTreeMap::new();
    for (at, (table, columns)) in COUNTED.iter().enumerate() {
        let Some(frame) = shard.table(table.name) else { continue };
        let broken = |source| MissingError::Frame { table: table.name, source };
        let instants = columns.iter().map(|column| instants(frame, column)).collect::<PolarsResult<Vec<_>>>();
        let instants = instants.map_err(broken)?;
        let owners = frame.column("merchant_id").and_then(|ids| ids.str()).map_err(broken)?;
        let counts = |row: usize| {
            let first = instants.iter().filter_map(|instants| instants.get(row)).min();
            i64::from(first.is_some_and(|at| (from..until).contains(&at)))
        };
        for (merchant, rows) in sums_by_merchant(owners, counts).into_iter().filter(|(_, rows)| *rows > 0) {
            all.entry(merchant.to_owned()).or_default().get_mut(at).into_iter().for_each(|count| *count = rows);
        }
    }
    for row in broken.iter().filter(|row| row.is_within((from, until), undated)) {
        let rows = all.entry(row.merchant_id.clone()).or_default();
        rows.get_mut(row.table).into_iter().for_each(|count| *count += 1);
    }
    Ok(all)
}

/// What the rows of each merchant come to, where they lie merchant by merchant.
pub(super) fn sums_by_merchant(owners: &StringChunked, of_row: impl Fn(usize) -> i64) -> BTreeMap<&str, i64> {
    let mut all: BTreeMap<&str, i64> = BTreeMap::new();
    let mut owned = owners.iter().enumerate().filter_map(|(row, owner)| Some((owner?, row))).peekable();
    while let Some((merchant, row)) = owned.next() {
        let mut sum = of_row(row);
        while let Some((_, row)) = owned.next_if(|(owner, _)| *owner == merchant) {
            sum = sum.saturating_add(of_row(row));
        }
        let known = all.entry(merchant).or_default();
        *known = known.saturating_add(sum);
    }
    all
}

/// A column of instants or dates, in microseconds.
pub(super) fn instants(frame: &DataFrame, column: &str) -> PolarsResult<Int64Chunked> {
    let Ok(column) = frame.column(column) else { return Ok(Int64Chunked::full_null(column.into(), frame.height())) };
    let days =
        |days: &DateChunked| days.physical().iter().map(|day| day.map(|day| i64::from(day) * MICROS_PER_DAY)).collect();
    match column.dtype() {
        DataType::Date => column.date().map(days),
        _ => column.datetime().map(|instants| instants.physical().clone()),
    }
}

/// Why rows could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum MissingError {
    /// A column is missing or of another type.
    #[error("count the rows of {table}: {source}")]
    Frame {
        /// Contract table.
        table: &'static str,
        /// The frame library's own words.
        source: PolarsError,
    },
    /// A day beyond the calendar.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
}

#[cfg(test)]
#[path = "missing_tests.rs"]
mod tests;
