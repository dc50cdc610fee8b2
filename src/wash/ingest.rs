//! From raw files to the store, one table at a time.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use polars::prelude::*;

use super::activity::Activity;
use super::error::IngestError;
use super::ledger::{JOINED, LedgerLine, quarantined_share};
use super::parents::Parents;
use super::quarantine::{QuarantineRow, sort_and_number};
use super::settings::IntakeSettings;
use super::washing::{account_for_joined, wash_table};
use crate::contract::{self, SUPERSEDED_AT};
use crate::domain::AsOf;
use crate::source::SourceSpec;
use crate::source::{InputFile, Sources};
use crate::store::{BrokenRecord, Store, StoreWriter};

/// Where ingesting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestProgress {
    /// The as-of date is known.
    AsOf(Date),
    /// A table is about to be read; `number` of `of`, counted from 1.
    Reading {
        /// Contract table.
        table: &'static str,
        /// Which one.
        number: usize,
        /// How many the job has.
        of: usize,
    },
    /// A table is washed and stored.
    Stored {
        /// Contract table.
        table: &'static str,
        /// Rows read.
        read: u64,
        /// Rows quarantined.
        quarantined: u64,
    },
}

/// What ingesting made.
#[derive(Debug)]
pub struct Ingested {
    /// The observation.
    pub as_of: AsOf,
    /// One line a table and file, in washing order.
    pub ledger: Vec<LedgerLine>,
    /// One line for each file that was only joined to others, under [`JOINED`]. They have no times, so their counts, unlike those of
    /// the ledger's visible rows, grow with rows that only the future needs.
    pub joined: Vec<LedgerLine>,
    /// Broken rows by table, sorted and numbered; a table without any has an empty list. Under [`JOINED`] those of files that were only
    /// joined.
    pub quarantine: BTreeMap<&'static str, Vec<QuarantineRow>>,
    /// Every raw file that was read, those that were only joined included.
    pub inputs: Vec<InputFile>,
    /// Broken records, as in a shard's `broken`, that lead to no merchant: malformed ones, and children of rows that are not there.
    pub unattributed: Vec<BrokenRecord>,
    /// On which days each table's visible rows happened.
    pub activity: BTreeMap<&'static str, Activity>,
    /// The clean rows, and the broken records by merchant.
    pub store: Store,
}

impl Ingested {
    /// Every line: the tables' files, then the files that were only joined.
    pub fn whole_ledger(&self) -> impl Iterator<Item = &LedgerLine> {
        self.ledger.iter().chain(&self.joined)
    }
}

/// Washes all of a job's tables, as they were known on `as_of`, into a fresh store at `store_dir`, which is replaced as a whole
/// at the very end.
///
/// # Errors
/// See [`IngestError`]. Nothing is left at `store_dir` but what was there before.
pub fn ingest(
    job: &IntakeSettings,
    as_of: Date,
    store_dir: &Path,
    progress: &mut dyn FnMut(IngestProgress),
) -> Result<Ingested, IngestError> {
    let mut sources = Sources::new(&job.source);
    let as_of = AsOf::new(as_of, job.time_zone.clone())?;
    progress(IngestProgress::AsOf(as_of.date()));

    let mut parents = Parents::default();
    let mut ledger = Vec::new();
    let mut quarantine = BTreeMap::new();
    let mut broken: Vec<BrokenRecord> = Vec::new();
    let mut activity = BTreeMap::new();
    let mut writer: Option<StoreWriter> = None;
    for (at, spec) in job.source.sources.iter().enumerate() {
        progress(IngestProgress::Reading { table: spec.table, number: at + 1, of: job.source.sources.len() });
        let Some(source) = sources.read(spec)? else { continue };
        sources.close_unused(job.source.sources.get(at + 1..).unwrap_or_default());
        let table = source.table;
        let washed = wash_table(source, &as_of, job.currency, &mut parents)?;
        check_limit(job, spec.table, &washed.ledger)?;
        let active = Activity::of_table(table, &washed.clean, &job.time_zone)
            .map_err(|e| IngestError::Frame { table: table.name, why: e.to_string() })?;
        activity.insert(table.name, active);
        let writer = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(StoreWriter::create(store_dir, &as_of, buckets(job, spec, &washed.clean))?),
        };
        writer.write_table(table, &washed.clean)?;
        progress(IngestProgress::Stored {
            table: table.name,
            read: washed.ledger.iter().map(|l| l.read).sum(),
            quarantined: washed.ledger.iter().map(|l| l.quarantined).sum(),
        });
        quarantine.insert(table.name, washed.quarantine);
        broken.extend(washed.broken);
        ledger.extend(washed.ledger);
    }
    let mut joined = Vec::new();
    for input in sources.joined_only() {
        let (lines, lost) = account_for_joined(input)?;
        check_limit(job, JOINED, &lines)?;
        joined.extend(lines);
        broken.extend(input.malformed.iter().map(|record| BrokenRecord {
            table: JOINED.to_owned(),
            rule: record.rule.to_owned(),
            ..BrokenRecord::default()
        }));
        quarantine.entry(JOINED).or_insert_with(Vec::new).extend(lost);
    }
    for rows in quarantine.values_mut() {
        sort_and_number(rows);
    }
    let mut writer = match writer {
        Some(writer) => writer,
        None => StoreWriter::create(store_dir, &as_of, 1)?,
    };
    writer.write_broken(&broken)?;
    let store = writer.finish()?;
    broken.retain(|record| record.merchant_id.is_none() && record.counts_at(&as_of));
    broken.sort();
    let inputs = sources.files();
    Ok(Ingested { as_of, ledger, joined, quarantine, inputs, unattributed: broken, activity, store })
}

/// The configured number of buckets, or about 2,000 merchants in each: a power of two up to 1,024.
fn buckets(job: &IntakeSettings, spec: &SourceSpec, merchants: &DataFrame) -> u32 {
    const MERCHANTS_IN_A_BUCKET: usize = 2_000;
    job.store.buckets.unwrap_or_else(|| {
        let is_merchants = spec.table == contract::MERCHANTS.name;
        let latest = merchants.column(SUPERSEDED_AT).map_or(0, Column::null_count);
        let wanted = if is_merchants { latest.div_ceil(MERCHANTS_IN_A_BUCKET) } else { 1 };
        u32::try_from(wanted.next_power_of_two().min(1_024)).unwrap_or(1_024)
    })
}

fn check_limit(job: &IntakeSettings, table: &'static str, ledger: &[LedgerLine]) -> Result<(), IngestError> {
    let limit = job.wash.max_quarantine_share_by_table.get(table).copied();
    let limit = limit.unwrap_or(job.wash.max_quarantine_share);
    let share = quarantined_share(ledger);
    if share <= limit {
        return Ok(());
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (rule, count) in ledger.iter().flat_map(|line| &line.rules) {
        *counts.entry(rule).or_default() += count;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
    let rules = counts.iter().take(5).map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ");
    Err(IngestError::QuarantineLimit {
        table,
        share,
        limit,
        quarantined: ledger.iter().map(|l| l.quarantined).sum(),
        judged: ledger.iter().map(LedgerLine::judged).sum(),
        rules,
    })
}
