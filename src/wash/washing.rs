//! Washes one contract table: what is visible and sound becomes clean, what is broken goes to quarantine, nothing vanishes.

use polars::prelude::*;

use super::error::IngestError;
use super::ledger::{JOINED, LedgerLine};
use super::parents::{MISSING, OTHER_MERCHANT, PRESENT, Parents, QUARANTINED};
use super::quarantine::{QuarantineRow, broken_rows, lost_rows};
use super::rules::{Rule, first_failing, row_rules};
use super::versions::settle;
use crate::contract::{TableContract, Type, UNREADABLE, Visibility, visible};
use crate::domain::{AsOf, Currency};
use crate::source::{JoinedInput, SourceTable};

/// A washed table.
#[derive(Debug, Clone)]
pub struct Washed {
    /// The contract's columns (and `merchant_id` where the contract has none, taken from the parent), with `superseded_at`: null in
    /// the latest version of a row, else the instant from which a later one is known. Later milestones are masked.
    pub clean: DataFrame,
    /// Broken rows, in no order.
    pub quarantine: Vec<QuarantineRow>,
    /// One line a file.
    pub ledger: Vec<LedgerLine>,
}

/// Washes one table and remembers its keys in `parents`, which must hold every table that this one refers to.
///
/// Per row the first rule that fails is its reason: unreadable cells, required nulls, words, ranges, currency, the contract's
/// checks, foreign keys. What remains is reduced to the latest version of each key.
///
/// # Errors
/// The ledger does not balance, or a frame operation fails: both are faults of this program.
pub fn wash_table(
    source: SourceTable,
    as_of: &AsOf,
    currency: Currency,
    parents: &mut Parents,
) -> Result<Washed, IngestError> {
    let table = source.table;
    wash(source, as_of, currency, parents)
        .map_err(|e| IngestError::Frame { table: table.name, why: e.to_string() })
        .and_then(|washed| match washed.ledger.iter().find(|line| !line.balances()) {
            Some(line) => Err(IngestError::LedgerBroken { line: Box::new(line.clone()) }),
            None => Ok(washed),
        })
}

/// Accounts for files whose rows were only joined: a row is kept if it is a row at all.
pub(crate) fn account_for_joined(input: &JoinedInput) -> Result<(Vec<LedgerLine>, Vec<QuarantineRow>), IngestError> {
    let mut ledger: Vec<LedgerLine> = input.files.iter().map(|file| LedgerLine::of(JOINED, file)).collect();
    let broken = |e: PolarsError| IngestError::Frame { table: JOINED, why: e.to_string() };
    let lost = lost_rows(&input.broken, None, &input.files).map_err(broken)?;
    for line in &mut ledger {
        line.read = line.raw_rows;
        line.kept = line.raw_rows;
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

fn wash(source: SourceTable, as_of: &AsOf, currency: Currency, parents: &mut Parents) -> PolarsResult<Washed> {
    let SourceTable { table, frame, files, broken, not_mapped } = source;
    let mut ledger: Vec<LedgerLine> = files.iter().map(|file| LedgerLine::of(table.name, file)).collect();
    count(&mut ledger, &frame, |line| &mut line.read)?;

    let frame = refer(table, frame, parents)?;
    let parent_seen = parent_seen(table, &frame)?;
    let lineage = frame.select(["_file"])?;
    let sifted = visible(table, frame, as_of, parent_seen.as_ref())?;
    count(&mut ledger, &lineage.filter(&sifted.ahead)?, |line| &mut line.ahead)?;
    let frame = sifted.visible;

    let mut rules = row_rules(table, &frame, currency)?;
    rules.extend(reference_rules(table));
    let codes = first_failing(&frame, &rules)?;
    let fails: BooleanChunked = codes.not_equal(0);
    let (sound, mut lost) = if fails.any() {
        let failing = frame.filter(&fails)?;
        let broken = broken_rows(table, &failing, &codes.filter(&fails)?, &rules, &files)?;
        (frame.filter(&!&fails)?, broken)
    } else {
        (frame, Vec::new())
    };
    let quarantined_keys: Vec<String> = lost.iter().filter_map(|b| b.key.clone()).collect();
    let never_mapped = lost_rows(&broken, not_mapped.as_ref(), &files)?;
    for row in &never_mapped {
        if let Some(line) = ledger.get_mut(row.file_index as usize) {
            line.read += 1;
        }
    }
    lost.extend(never_mapped);
    for row in &lost {
        if let Some(line) = ledger.get_mut(row.file_index as usize) {
            line.quarantined += 1;
            *line.rules.entry(row.rule.clone()).or_default() += 1;
        }
    }

    let sound = without_hidden(&sound)?;
    let settled = settle(table, sound, as_of, files.len())?;
    for (line, duplicates) in ledger.iter_mut().zip(&settled.duplicates) {
        line.duplicate = *duplicates;
    }
    let is_latest = settled.rows.column(crate::contract::SUPERSEDED_AT)?.is_null();
    let latest = if is_latest.all() { settled.rows.clone() } else { settled.rows.filter(&is_latest)? };
    count(&mut ledger, &latest, |line| &mut line.kept)?;
    for line in &mut ledger {
        line.kept += line.ahead;
    }
    parents.remember(table, &latest, &quarantined_keys)?;

    let mut clean = settled.rows;
    for lineage in ["_file", "_row"] {
        clean.drop_in_place(lineage)?;
    }
    Ok(Washed { clean, quarantine: lost, ledger })
}

/// Adds the state of each reference as a hidden column, and the parent's merchant to tables that do not name one.
fn refer(table: &TableContract, mut frame: DataFrame, parents: &Parents) -> PolarsResult<DataFrame> {
    for (at, reference) in table.foreign_keys.iter().enumerate() {
        let referred = parents.look_up(&frame, reference)?;
        frame.with_column(referred.state.with_name(reference_column(at)).into_column())?;
        if at == 0 && table.column("merchant_id").is_none() {
            frame.with_column(referred.merchant.with_name("merchant_id".into()).into_column())?;
        }
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

fn reference_rules(table: &TableContract) -> impl Iterator<Item = Rule> + '_ {
    table.foreign_keys.iter().enumerate().flat_map(|(at, reference)| {
        debug_assert!(matches!(table.column(reference.column).map(|c| c.kind), Some(Type::Id)));
        let is = move |state: u32| col(reference_column(at)).eq(lit(state));
        let rule = move |name, fails| Rule { name, column: reference.column, is_unreadable: false, fails };
        debug_assert_eq!(PRESENT, 0);
        [
            rule("parent-missing", is(MISSING)),
            rule("parent-quarantined", is(QUARANTINED)),
            rule("parent-of-another-merchant", is(OTHER_MERCHANT)),
        ]
    })
}

fn without_hidden(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let shown = frame
        .get_column_names()
        .into_iter()
        .filter(|name| !name.starts_with(UNREADABLE) && !name.starts_with("_reference."))
        .cloned();
    frame.select(shown)
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
