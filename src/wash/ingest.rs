//! From raw files to the store: rows are read table by table and washed bucket by bucket.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use super::account::{Account, Filled, Sums};
use super::activity::Activity;
use super::amounts::Amounts;
use super::buckets::Wash;
use super::error::{IngestError, NullCounts, RuleTally, TooManyBroken};
use super::kept::{self, KeepRows, Kept, KeptError};
use super::ledger::{JOINED, LedgerLine, quarantined_share};
use super::people::PeopleByKind;
use super::quarantine::{Quarantine, QuarantineRow};
use super::root_reasons::{RootReasons, root_reasons};
use super::rules::{REQUIRED_NULL, RowTerms};
use super::settings::IntakeSettings;
use super::staging::Staging;
use super::washing::{PARENT_QUARANTINED, account_for_joined};
use crate::contract;
use crate::domain::AsOf;
use crate::source::{ColumnGap, InputFile, InputFormat, Sources};
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
    /// All tables are read, and their rows split into so many buckets.
    Read {
        /// Buckets of merchants.
        buckets: u32,
        /// Records of the files that drive a table.
        rows: u64,
        /// Files whose rows earlier nights kept, and that were not read.
        kept_files: usize,
        /// All files.
        files: usize,
        /// Records of those that were read.
        rows_read: u64,
    },
    /// One more bucket is washed and stored.
    Washed,
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
    /// Broken rows by table; a table without any has none in it. Under [`JOINED`] those of files that were only
    /// joined.
    pub quarantine: BTreeMap<&'static str, Arc<Quarantine>>,
    /// Every raw file that was read, those that were only joined included.
    pub inputs: Vec<InputFile>,
    /// How they were read.
    pub formats: Vec<InputFormat>,
    /// Broken records, as in a shard's `broken`, that lead to no merchant: malformed ones, and children of rows that are not there.
    pub unattributed: Vec<BrokenRecord>,
    /// On which days each table's visible rows happened.
    pub activity: BTreeMap<&'static str, Activity>,
    /// Amounts by day and table, of tables whose amounts are compared.
    pub amounts: BTreeMap<&'static str, Amounts>,
    /// In how many of each table's visible rows optional columns have a value.
    pub filled: BTreeMap<&'static str, Filled>,
    /// Whom reviews and disputes name beside their orders; strays left out.
    pub people: BTreeMap<&'static str, PeopleByKind>,
    /// Columns that some files lack, or all.
    pub column_gaps: Vec<ColumnGap>,
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
/// Rows are split by the bucket of their merchant as they are read; then each bucket is washed alone. No table is ever held as a whole, but
/// for those that a SELECT makes from the whole of its inputs.
///
/// # Errors
/// See [`IngestError`]. Nothing is left at `store_dir` but what was there before.
pub fn ingest(
    job: &IntakeSettings,
    as_of: Date,
    store_dir: &Path,
    progress: &(dyn Fn(IngestProgress) + Sync),
) -> Result<Ingested, IngestError> {
    ingest_keeping(job, as_of, store_dir, None, progress)
}

/// As [`ingest`]; rows of files that an earlier night read are taken from where it kept them. What comes out is the same.
///
/// # Errors
/// See [`IngestError`].
pub fn ingest_keeping(
    job: &IntakeSettings,
    as_of: Date,
    store_dir: &Path,
    keep: Option<&KeepRows>,
    progress: &(dyn Fn(IngestProgress) + Sync),
) -> Result<Ingested, IngestError> {
    let mut damaged = 0;
    loop {
        match (keep, attempt(job, as_of, store_dir, keep, progress)) {
            (Some(at), Err(IngestError::Kept(KeptError::Damaged { path, why }))) if damaged < DAMAGED_PACKS => {
                // The night begins again, and reads the files of the damaged pack.
                damaged += 1;
                kept::forget(at, &path, &why, damaged == DAMAGED_PACKS)?;
            }
            (_, made) => return made,
        }
    }
}

/// So many packs may be found damaged in one night; with the last all of them are given up.
const DAMAGED_PACKS: usize = 4;

fn attempt(
    job: &IntakeSettings,
    as_of: Date,
    store_dir: &Path,
    keep: Option<&KeepRows>,
    progress: &(dyn Fn(IngestProgress) + Sync),
) -> Result<Ingested, IngestError> {
    let mut sources = Sources::new(&job.source, &StoreWriter::scratch_of(store_dir));
    let as_of = AsOf::new(as_of, job.time_zone.clone())?;
    let as_of = match job.known_before {
        Some(date) => as_of.knowing(date)?,
        None => as_of,
    };
    progress(IngestProgress::AsOf(as_of.date()));

    let mut kept = keep.map(Kept::open).transpose()?;
    if let Some(kept) = &kept {
        sources.know(kept.known(&sources, &job.source));
    }
    let buckets = buckets(job, &mut sources)?;
    if let Some(kept) = &mut kept {
        kept.settle(&mut sources, &job.source, buckets)?;
    }
    let writer = StoreWriter::create(store_dir, &as_of, buckets)?;
    let scratch = writer.scratch();
    let terms =
        RowTerms { currency: job.currency, recorded_before_event_micros: job.wash.recorded_before_event_micros() };
    let staging = Staging::new(&scratch, buckets, &as_of, terms);
    let account = Account::new(&as_of, &job.time_zone, &scratch);
    let mut tables = Vec::new();
    for (at, spec) in job.source.sources.iter().enumerate() {
        progress(IngestProgress::Reading { table: spec.table, number: at + 1, of: job.source.sources.len() });
        let mut kept_table = kept.as_mut().and_then(|kept| kept.table(spec.table));
        let read = staging.read(&mut sources, spec, kept_table.as_mut());
        let Some(staged) = read.map_err(|error| as_changed(&sources).unwrap_or(error))? else { continue };
        if let (Some(kept), Some(table)) = (&mut kept, kept_table) {
            kept.put_back(table, &sources);
        }
        sources.close_unused(job.source.sources.get(at + 1..).unwrap_or_default());
        let lines = staged.files.iter().zip(&staged.skipped);
        let lines = lines.map(|(file, skipped)| LedgerLine::of(staged.table.name, file).with_skipped(*skipped));
        account.open(staged.table, lines.collect())?;
        tables.push(staged);
    }
    if let Some(changed) = as_changed(&sources) {
        return Err(changed);
    }
    if let Some(kept) = &kept {
        kept.commit()?;
    }
    let rows = tables.iter().flat_map(|table| &table.files).map(|file| file.raw_rows).sum();
    let (kept_files, files, rows_read) = sources.read_so_far();
    progress(IngestProgress::Read { buckets, rows, kept_files, files, rows_read });
    let wash = Wash { staging: &staging, tables: &tables, as_of: &as_of, terms, writer: &writer, account: &account };
    wash.all(buckets, &|| progress(IngestProgress::Washed))?;
    drop(tables);

    let Sums { mut ledger, mut quarantine, activity, amounts, filled, people, mut unattributed } = account.close()?;
    let mut too_many = Vec::new();
    for spec in &job.source.sources {
        let lines = ledger.get(spec.table).map_or(&[][..], Vec::as_slice);
        too_many.extend(over_limit(job, spec.table, lines, &quarantine)?);
    }
    let mut joined = Vec::new();
    for input in sources.joined_only() {
        let (lines, lost) = account_for_joined(&input)?;
        quarantine.entry(JOINED).or_insert_with(|| Arc::new(Quarantine::new(&scratch))).extend(lost)?;
        too_many.extend(over_limit(job, JOINED, &lines, &quarantine)?);
        joined.extend(lines);
        unattributed.extend(input.malformed.iter().map(|record| BrokenRecord {
            table: JOINED.to_owned(),
            rule: record.rule.to_owned(),
            ..BrokenRecord::default()
        }));
    }
    if !too_many.is_empty() {
        return Err(IngestError::QuarantineLimit(too_many));
    }
    unattributed.sort();
    let store = writer.finish()?;
    let ledger = job.source.sources.iter().filter_map(|spec| ledger.remove(spec.table)).flatten().collect();
    let (inputs, formats, column_gaps) = (sources.files(), sources.formats(), sources.column_gaps());
    Ok(Ingested {
        as_of,
        ledger,
        joined,
        quarantine,
        inputs,
        formats,
        unattributed,
        activity,
        amounts,
        filled,
        people,
        column_gaps,
        store,
    })
}

/// Why what was read is not to be trusted, or cannot be read.
fn as_changed(sources: &Sources<'_>) -> Option<IngestError> {
    sources.changed().map(IngestError::from)
}

/// The configured number of buckets, or the power of two, up to 4,096, that gives each about 2,000 merchants and no more than about half a
/// million rows.
fn buckets(job: &IntakeSettings, sources: &mut Sources<'_>) -> Result<u32, IngestError> {
    const MERCHANTS_IN_A_BUCKET: u64 = 2_000;
    const ROWS_IN_A_BUCKET: u64 = 500_000;
    let (mut merchants, mut rows) = (0, 0);
    for spec in &job.source.sources {
        let about = sources.rows_about(spec)?;
        rows += about;
        if spec.table == contract::MERCHANTS.name {
            merchants = about;
        }
    }
    let wanted = merchants.div_ceil(MERCHANTS_IN_A_BUCKET).max(rows.div_ceil(ROWS_IN_A_BUCKET));
    let wanted = u32::try_from(wanted.max(1).next_power_of_two()).unwrap_or(u32::MAX).min(4_096);
    Ok(job.store.buckets.unwrap_or(wanted))
}

/// Why a table is not accepted, where more of its rows are broken than the job allows.
fn over_limit(
    job: &IntakeSettings,
    table: &'static str,
    ledger: &[LedgerLine],
    quarantine: &BTreeMap<&'static str, Arc<Quarantine>>,
) -> Result<Option<TooManyBroken>, IngestError> {
    let limit = job.wash.max_quarantine_share_by_table.get(table).copied();
    let limit = limit.unwrap_or(job.wash.max_quarantine_share);
    let share = quarantined_share(ledger);
    let quarantined: u64 = ledger.iter().map(|line| line.quarantined).sum();
    // One row of a small table is more than any share: it costs its own merchant, and no night.
    let is_single = quarantined == 1 && limit > 0.0;
    if share <= limit || is_single {
        return Ok(None);
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (rule, count) in ledger.iter().flat_map(|line| &line.rules) {
        *counts.entry(rule).or_default() += count;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
    let (mut firsts, nulls) = first_rows(table, quarantine.get(table).map(Arc::as_ref))?;
    let rules = counts.iter().take(5).map(|(rule, rows)| RuleTally {
        rule: (*rule).to_owned(),
        rows: *rows,
        nulls: if *rule == REQUIRED_NULL { nulls.clone() } else { Vec::new() },
        first: firsts.remove(*rule),
    });
    let rules: Vec<RuleTally> = rules.collect();
    let is_by_parents = |(rule, count): &(&str, u64)| *rule == PARENT_QUARANTINED && count * 2 > quarantined;
    let mut roots = if counts.iter().any(is_by_parents) { root_reasons(table, quarantine)? } else { Vec::new() };
    roots.truncate(3);
    Ok(Some(TooManyBroken {
        table,
        share,
        limit,
        quarantined,
        judged: ledger.iter().map(LedgerLine::judged).sum(),
        rules,
        roots: RootReasons(roots),
        ahead: ledger.iter().map(|line| line.not_yet_visible).sum(),
    }))
}

/// The first row by file and number that each rule set aside, in words, and which required columns have no value, with how many rows.
fn first_rows(
    table: &str,
    quarantine: Option<&Quarantine>,
) -> Result<(BTreeMap<String, String>, NullCounts), IngestError> {
    let contract = contract::table(table);
    let mut firsts: BTreeMap<String, QuarantineRow> = BTreeMap::new();
    let mut nulls: BTreeMap<&'static str, u64> = BTreeMap::new();
    for row in quarantine.map(Quarantine::rows).transpose()?.into_iter().flatten() {
        let row = row?;
        for column in contract.map_or_else(Vec::new, |table| row.required_nulls(table)) {
            *nulls.entry(column).or_default() += 1;
        }
        let is_first = firsts.get(&row.rule).is_none_or(|known| (&row.file, row.row) < (&known.file, known.row));
        if is_first {
            firsts.insert(row.rule.clone(), row);
        }
    }
    let mut nulls: NullCounts = nulls.into_iter().collect();
    nulls.sort_by_key(|(column, rows)| (std::cmp::Reverse(*rows), *column));
    let told = |row: &QuarantineRow| {
        let place = format!("{} row {}", row.file, row.row);
        match (&row.column, &row.value) {
            (Some(column), Some(value)) => format!("{place}, {column} = {value:?}"),
            (Some(column), None) => format!("{place}, {column} = null"),
            (None, Some(why)) => format!("{place}: {why}"),
            (None, None) => place,
        }
    };
    Ok((firsts.iter().map(|(rule, row)| (rule.clone(), told(row))).collect(), nulls))
}
