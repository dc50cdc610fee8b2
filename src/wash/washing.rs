//! Washes one contract table: what is visible and sound becomes clean, what is broken goes to quarantine, nothing vanishes.

use std::collections::HashSet;

use polars::prelude::*;

use super::attribution::{broken_records, unusable_keys};
use super::copies::without_copies;
use super::error::IngestError;
use super::ledger::{JOINED, LedgerLine};
use super::named::{NAMED_BEFORE_EVENT, NamingRows, named_since};
use super::parents::{MISSING, NOT_MEANT, OTHER_MERCHANT, PRESENT, Parents, QUARANTINED};
use super::quarantine::{QuarantineRow, broken_rows, contradicting_rows, lost_rows};
use super::rules::{RowTerms, Rule, first_failing, row_rules};
use super::unparsed::unparsed;
use super::version::{FAILS_ITSELF, PARENT_KNOWN, UNTIL};
use super::versions::{Settled, key_hashes, settle};
use crate::contract::{
    EVENT_CONTRADICTED, RECORDED_BEFORE, RECORDED_BEFORE_EVENT, SUPERSEDED_AT, TableContract, Type, Visibility,
    event_contradicted, recorded_before_event, recorded_before_milestones, visible,
};
use crate::domain::AsOf;
use crate::source::{InputFile, JoinedInput, MalformedRecord};
use crate::store::BrokenRecord;

/// Washed rows of one table.
#[derive(Debug, Clone)]
pub(crate) struct Washed {
    /// The contract's columns (and `merchant_id` where the contract has none, taken from the parent), with `superseded_at`: null in
    /// the usable version of a row, else the instant from which a later one, sound or broken, or one that contradicts it is known. Later
    /// milestones are masked.
    pub clean: DataFrame,
    /// Whom the broken rows concern.
    pub broken: Vec<BrokenRecord>,
    /// Broken rows, in no order.
    pub quarantine: Vec<QuarantineRow>,
    /// One line a file.
    pub ledger: Vec<LedgerLine>,
    /// `_key` and `_merchant` of rows that refer to what the job does not mean, where others may refer to them.
    pub not_meant: Option<DataFrame>,
}

/// Rows of one table that are washed together, with what of its files never became a row.
#[derive(Clone, Copy)]
pub(crate) struct RowsToWash<'a> {
    pub table: &'static TableContract,
    /// The table's files.
    pub files: &'a [InputFile],
    /// Malformed records.
    pub malformed: &'a [MalformedRecord],
    /// Rows that the SELECT did not return.
    pub not_mapped: Option<&'a DataFrame>,
    /// The rows that may name these.
    pub naming: &'a NamingRows<'a>,
}

/// Washes rows of one table and remembers their keys in `parents`, which must hold every row that these refer to and that is there.
///
/// Per row the first rule that fails is its reason: unreadable cells, required nulls, words, ranges, currency, a stamp
/// before the event, rows that name it before its event, the contract's checks, foreign keys. Then the newest version of each key counts: where that is broken, or sound ones of its instant contradict each
/// other, the key is not usable, and what refers to it is not either.
///
/// # Errors
/// The ledger does not balance, or a frame operation fails: both are faults of this program.
pub(crate) fn wash_rows(
    rows: DataFrame,
    of: RowsToWash<'_>,
    as_of: &AsOf,
    terms: &RowTerms,
    parents: &mut Parents,
) -> Result<Washed, IngestError> {
    let rows = with_contradictions(rows, of, as_of, terms)?;
    wash(rows, of, as_of, terms, parents)
        .map_err(|e| IngestError::Frame { table: of.table.name, why: e.to_string() })
        .and_then(|washed| match washed.ledger.iter().find(|line| !line.balances()) {
            Some(line) => Err(IngestError::LedgerBroken { line: Box::new(line.clone()) }),
            None => Ok(washed),
        })
}

/// Accounts for files whose rows were only joined: a row is kept if it is a row at all.
pub(crate) fn account_for_joined(input: &JoinedInput) -> Result<(Vec<LedgerLine>, Vec<QuarantineRow>), IngestError> {
    let mut ledger: Vec<LedgerLine> = input.files.iter().map(|file| LedgerLine::of(JOINED, file)).collect();
    let broken = |e: PolarsError| IngestError::Frame { table: JOINED, why: e.to_string() };
    let lost = lost_rows(&input.malformed, None, &input.files).map_err(broken)?;
    for line in &mut ledger {
        line.read = line.raw_rows;
        line.kept = line.raw_rows;
    }
    for (line, skipped) in ledger.iter_mut().zip(&input.skipped) {
        line.kept = line.kept.saturating_sub(*skipped);
        line.skipped = *skipped;
    }
    for row in &lost {
        if let Some(line) = ledger.get_mut(row.file_index as usize) {
            line.kept = line.kept.saturating_sub(1);
            line.quarantined += 1;
            *line.rules.entry(row.rule.clone()).or_default() += 1;
        }
    }
    Ok((ledger, lost))
}

fn wash(
    frame: DataFrame,
    of: RowsToWash<'_>,
    as_of: &AsOf,
    terms: &RowTerms,
    parents: &mut Parents,
) -> PolarsResult<Washed> {
    let RowsToWash { table, files, malformed, not_mapped, .. } = of;
    let mut ledger: Vec<LedgerLine> = files.iter().map(|file| LedgerLine::of(table.name, file)).collect();
    count(&mut ledger, &frame, |line| &mut line.read)?;

    let frame = refer(table, frame, parents)?;
    let parent_seen = parent_seen(table, &frame)?;
    let lineage = frame.select(["_file"])?;
    let sifted = visible(table, frame, as_of, parent_seen.as_ref())?;
    count(&mut ledger, &lineage.filter(&sifted.not_yet_visible)?, |line| &mut line.not_yet_visible)?;
    let (frame, skipped) = without_not_meant(table, sifted.visible)?;
    let not_meant = match &skipped {
        Some(skipped) => {
            count(&mut ledger, skipped, |line| &mut line.skipped)?;
            remember_not_meant(table, skipped, parents)?
        }
        None => None,
    };
    let (frame, copies) = without_copies(table, frame, files.len())?;
    for (line, copies) in ledger.iter_mut().zip(copies) {
        line.copies = copies;
    }

    let mut rules = row_rules(table, &frame, terms.currency)?;
    let own_rules = rules.len();
    rules.extend(reference_rules(table));
    let codes = first_failing(&frame, &rules)?;
    let fails: BooleanChunked = codes.not_equal(0);
    let (sound, mut failing, codes) = if fails.any() {
        (frame.filter(&!&fails)?, frame.filter(&fails)?, codes.filter(&fails)?)
    } else {
        let none = frame.clear();
        (frame, none, codes.clear())
    };
    let mut lost = broken_rows(table, &failing, &codes, &rules, files)?;
    let reasons: Vec<String> = lost.iter().map(|row| row.rule.clone()).collect();
    let by_parent = |code: u32| {
        code as usize > own_rules && rules.get(code as usize - 1).is_some_and(|r| r.name == PARENT_QUARANTINED)
    };
    let fails_itself: BooleanChunked = codes.iter().map(|code| code.map(|code| !by_parent(code))).collect();
    failing.with_column(fails_itself.with_name(FAILS_ITSELF.into()).into_column())?;
    let never_mapped = lost_rows(malformed, not_mapped, files)?;
    for row in &never_mapped {
        if let Some(line) = ledger.get_mut(row.file_index as usize) {
            line.read += 1;
        }
    }
    lost.extend(never_mapped);

    let unparsed = unparsed(table, malformed, not_mapped, as_of, terms)?;
    let settled =
        settle(table, sound, (&failing, &reasons), &unparsed, as_of, terms.recorded_before_event_micros, files.len())?;
    lost.extend(contradicting_rows(table, &settled.contradicting, &settled.contradicting_columns, files)?);
    for row in &lost {
        if let Some(line) = ledger.get_mut(row.file_index as usize) {
            line.quarantined += 1;
            *line.rules.entry(row.rule.clone()).or_default() += 1;
        }
    }
    for (line, duplicates) in ledger.iter_mut().zip(&settled.duplicates) {
        line.duplicate = duplicates + line.copies;
    }
    let broken = broken_records(table, &settled.broken, parents)?;
    let is_usable = settled.rows.column(SUPERSEDED_AT)?.is_null();
    let usable = if is_usable.all() { settled.rows.clone() } else { settled.rows.filter(&is_usable)? };
    count(&mut ledger, &usable, |line| &mut line.kept)?;
    for line in &mut ledger {
        line.kept += line.not_yet_visible;
    }
    let unusable = unusable_keys(table, &broken, &settled.rows, &settled.first_known)?;
    parents.remember(table, &usable, &first_known(table, &usable, &settled)?, unusable)?;

    let mut clean = settled.rows;
    for lineage in ["_file", "_row"] {
        clean.drop_in_place(lineage)?;
    }
    Ok(Washed { clean, broken, quarantine: lost, ledger, not_meant })
}

/// Adds the hidden columns that say where times contradict each other: a row's own, or those of rows that name it.
fn with_contradictions(
    mut frame: DataFrame,
    of: RowsToWash<'_>,
    as_of: &AsOf,
    terms: &RowTerms,
) -> Result<DataFrame, IngestError> {
    let (table, tolerance) = (of.table, terms.recorded_before_event_micros);
    let own = own_contradictions(table, &mut frame, as_of, tolerance);
    own.map_err(|e| IngestError::Frame { table: table.name, why: e.to_string() })?;
    if let Some(named) = named_since(table, &frame, of.naming, as_of, tolerance)? {
        let with_named = with_named(&mut frame, &named);
        with_named.map_err(|e| IngestError::Frame { table: table.name, why: e.to_string() })?;
    }
    Ok(frame)
}

fn own_contradictions(table: &TableContract, frame: &mut DataFrame, as_of: &AsOf, tolerance: i64) -> PolarsResult<()> {
    if let Some(early) = recorded_before_event(table, frame, as_of, tolerance)? {
        frame.with_column(early.with_name(RECORDED_BEFORE_EVENT.into()).into_column())?;
    }
    for (milestone, before) in recorded_before_milestones(table, frame, as_of, tolerance)? {
        frame.with_column(before.with_name(format!("{RECORDED_BEFORE}{milestone}").into()).into_column())?;
    }
    if let Some(contradicted) = event_contradicted(table, frame, as_of)? {
        frame.with_column(contradicted.with_name(EVENT_CONTRADICTED.into()).into_column())?;
    }
    Ok(())
}

/// Adds since when a row's event is contradicted by rows that name it.
fn with_named(frame: &mut DataFrame, named: &Int64Chunked) -> PolarsResult<()> {
    let contradicted: Int64Chunked = match frame.column(EVENT_CONTRADICTED) {
        Ok(own) => {
            own.i64()?.iter().zip(named.iter()).map(|(own, named)| [own, named].into_iter().flatten().min()).collect()
        }
        Err(_) => named.clone(),
    };
    frame.with_column(contradicted.with_name(EVENT_CONTRADICTED.into()).into_column())?;
    frame.with_column(named.is_not_null().with_name(NAMED_BEFORE_EVENT.into()).into_column())?;
    Ok(())
}

/// For each usable row when its key, in whatever version, became known.
fn first_known(table: &TableContract, usable: &DataFrame, settled: &Settled) -> PolarsResult<Int64Chunked> {
    let [key] = table.key else { return Ok(settled.known.clone()) };
    let Ok(keys) = usable.column(key)?.str() else { return Ok(settled.known.clone()) };
    let of_several = |key: Option<&str>| key.and_then(|key| settled.first_known.get(key).copied());
    Ok(keys.iter().zip(settled.known.iter()).map(|(key, own)| of_several(key).or(own)).collect())
}

/// Adds the state of each reference as a hidden column, until when all of them held, and the parent's merchant to tables that do not
/// name one.
fn refer(table: &TableContract, mut frame: DataFrame, parents: &Parents) -> PolarsResult<DataFrame> {
    let mut held: Option<Int64Chunked> = None;
    for (at, reference) in table.foreign_keys.iter().enumerate() {
        let referred = parents.look_up(&frame, reference)?;
        frame.with_column(referred.state.with_name(reference_column(at)).into_column())?;
        held = Some(match held {
            None => referred.until,
            Some(before) => before.iter().zip(referred.until.iter()).map(|(a, b)| a.min(b)).collect(),
        });
        if at == 0 && table.visibility == Visibility::Parent {
            frame.with_column(referred.known.with_name(PARENT_KNOWN.into()).into_column())?;
        }
        if at == 0 && table.column("merchant_id").is_none() {
            frame.with_column(referred.merchant.with_name("merchant_id".into()).into_column())?;
        }
    }
    if let Some(held) = held {
        frame.with_column(held.with_name(UNTIL.into()).into_column())?;
    }
    Ok(frame)
}

fn reference_column(at: usize) -> PlSmallStr {
    format!("_reference.{at}").into()
}

/// For tables seen with their parent: whether the row names a parent that is among the rows seen so far, sound or broken.
fn parent_seen(table: &TableContract, frame: &DataFrame) -> PolarsResult<Option<BooleanChunked>> {
    match table.visibility {
        Visibility::Parent => match table.parent() {
            Some(reference) => {
                let names_one = frame.column(reference.column)?.is_not_null();
                Ok(Some(frame.column(&reference_column(0))?.u32()?.not_equal(MISSING) & names_one))
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The rule of a row that refers to a key that is not usable.
pub(crate) const PARENT_QUARANTINED: &str = "parent-quarantined";
/// Those of a row that refers to a key that is not there, and to one of another merchant.
const PARENT_MISSING: &str = "parent-missing";
const PARENT_OF_ANOTHER: &str = "parent-of-another-merchant";
/// The rules of rows of which what they refer to is not found.
pub(crate) const NOT_JOINED: [&str; 3] = [PARENT_MISSING, PARENT_QUARANTINED, PARENT_OF_ANOTHER];

fn reference_rules(table: &TableContract) -> impl Iterator<Item = Rule> + '_ {
    table.foreign_keys.iter().enumerate().flat_map(|(at, reference)| {
        debug_assert!(matches!(table.column(reference.column).map(|c| c.kind), Some(Type::Id)));
        let is = move |state: u32| col(reference_column(at)).eq(lit(state));
        let rule = move |name, fails| Rule { name, column: reference.column, is_unreadable: false, fails };
        debug_assert_eq!(PRESENT, 0);
        [
            rule(PARENT_MISSING, is(MISSING).or(is(NOT_MEANT))),
            rule(PARENT_QUARANTINED, is(QUARANTINED)),
            rule(PARENT_OF_ANOTHER, is(OTHER_MERCHANT)),
        ]
    })
}

/// Sets rows apart that refer to what the job does not mean: an order of a test, a loan in another currency. A key of which another version refers to
/// something that is meant is not set apart: its versions contradict each other, and nothing may hide that.
fn without_not_meant(table: &TableContract, frame: DataFrame) -> PolarsResult<(DataFrame, Option<DataFrame>)> {
    let mut is_not_meant = vec![false; frame.height()];
    for at in 0..table.foreign_keys.len() {
        let states = frame.column(&reference_column(at))?.u32()?;
        for (slot, state) in is_not_meant.iter_mut().zip(states.iter()) {
            *slot |= state == Some(NOT_MEANT);
        }
    }
    if !is_not_meant.contains(&true) {
        return Ok((frame, None));
    }
    let keys = key_hashes(table, &frame)?;
    let meant: HashSet<u64> =
        keys.iter().zip(&is_not_meant).filter(|(_, is_not_meant)| !**is_not_meant).map(|(key, _)| *key).collect();
    let is_set_apart: BooleanChunked =
        keys.iter().zip(&is_not_meant).map(|(key, is_not_meant)| *is_not_meant && !meant.contains(key)).collect();
    Ok((frame.filter(&!&is_set_apart)?, Some(frame.filter(&is_set_apart)?)))
}

/// What refers to rows that are set apart is not meant either.
fn remember_not_meant(
    table: &'static TableContract,
    rows: &DataFrame,
    parents: &mut Parents,
) -> PolarsResult<Option<DataFrame>> {
    let ([key], true) = (table.key, table.is_referred_to()) else { return Ok(None) };
    let keys = Parents::keys_of(rows, key)?;
    parents.add_not_meant(table.name, &keys)?;
    Ok(Some(keys))
}

fn count(ledger: &mut [LedgerLine], frame: &DataFrame, field: fn(&mut LedgerLine) -> &mut u64) -> PolarsResult<()> {
    let mut counts = vec![0_u64; ledger.len()];
    for file in frame.column("_file")?.u32()?.iter().flatten() {
        if let Some(count) = counts.get_mut(file as usize) {
            *count += 1;
        }
    }
    for (line, count) in ledger.iter_mut().zip(counts) {
        *field(line) += count;
    }
    Ok(())
}
