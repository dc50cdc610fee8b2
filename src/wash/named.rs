//! Loans that other rows name before they say they were paid out.
//!
//! A loan whose disbursement was mistyped into the next year waits for its day, and meanwhile nobody owes it. Where the row says when it was recorded,
//! that tells (`recorded-before-event`); where it does not, the rows that name it do: a loan that is due or paid exists.
//! Such a row is broken (`named-before-event`) from the day on which the first of them is known, and its merchant is told by it.
//!
//! That a row is named proves nothing of one that says it was recorded at or after as-of, for that is not known yet; nor where another version of it can be seen,
//! which is the one that the others name. A row that they follow by no more than the tolerance waits like any other.

use std::collections::HashMap;

use polars::prelude::*;

use super::error::IngestError;
use crate::contract::{LOANS, TABLES, TableContract, Visibility, happened_and_known, not_yet_visible, unstamped};
use crate::domain::AsOf;

/// Hidden column: whether rows that name a row are known from before its event. Absent where none is.
pub(super) const NAMED_BEFORE_EVENT: &str = "_named_before_event";

/// The rows of a table of [`naming_tables`] that may name some rows; none where the job does not have it.
pub(super) type NamingRows<'a> = dyn Fn(&'static TableContract) -> Result<Option<DataFrame>, IngestError> + 'a;

/// The tables whose rows name this one's and are no earlier than it. Only of loans: who is not there is offered nothing, and what names an order that
/// waits leads to no order, and is read at its worst without it.
fn naming_tables(table: &TableContract) -> impl Iterator<Item = &'static TableContract> {
    let name = table.name;
    TABLES.iter().copied().filter(move |child| name == LOANS.name && child.foreign_keys.iter().any(|r| r.table == name))
}

/// For each row the first instant from which on a row that names it is known, where it happened before this one by more than `tolerance_micros`.
/// `None`: there is none.
///
/// `rows` are all that may have the key, with their hidden columns; `naming` gives the rows of a table of [`naming_tables`], and is asked only if need be.
///
/// # Errors
/// A column of the contract is missing from a frame, or `naming` fails.
pub(super) fn named_since(
    table: &'static TableContract,
    rows: &DataFrame,
    naming: &NamingRows<'_>,
    as_of: &AsOf,
    tolerance_micros: i64,
) -> Result<Option<Int64Chunked>, IngestError> {
    let broken = |e: PolarsError| IngestError::Frame { table: table.name, why: e.to_string() };
    let waiting = waiting(table, rows, as_of).map_err(broken)?;
    if waiting.by_key.is_empty() {
        return Ok(None);
    }
    let mut since: Vec<Option<i64>> = vec![None; rows.height()];
    for child in naming_tables(table) {
        if let Some(frame) = naming(child)? {
            waiting.note(child, &frame, as_of, tolerance_micros, &mut since).map_err(broken)?;
        }
    }
    Ok(since.iter().any(Option::is_some).then(|| since.into_iter().collect()))
}

/// Rows that wait for their day and do not say when they were recorded, of keys of which no version can be seen.
struct Waiting {
    table: &'static str,
    by_key: HashMap<String, Vec<WaitingRow>>,
}

struct WaitingRow {
    at: usize,
    event: i64,
}

fn waiting(table: &'static TableContract, rows: &DataFrame, as_of: &AsOf) -> PolarsResult<Waiting> {
    let mut waiting = Waiting { table: table.name, by_key: HashMap::new() };
    let ([key], Visibility::Instant(event), true) =
        (table.key, table.visibility, naming_tables(table).next().is_some())
    else {
        return Ok(waiting);
    };
    let hidden = not_yet_visible(table, rows, as_of, None)?;
    let unstamped = unstamped(table, rows, as_of)?;
    if !(&hidden & &unstamped).any() {
        return Ok(waiting);
    }
    let keys = rows.column(key)?.str()?;
    let events = rows.column(event)?.datetime()?.physical();
    for (at, key) in keys.iter().enumerate() {
        let waits = hidden.get(at) == Some(true) && unstamped.get(at) == Some(true);
        if let (Some(key), Some(event), true) = (key, events.get(at), waits) {
            waiting.by_key.entry(key.to_owned()).or_default().push(WaitingRow { at, event });
        }
    }
    for (key, hidden) in keys.iter().zip(hidden.iter()) {
        if let (Some(key), Some(false)) = (key, hidden) {
            waiting.by_key.remove(key);
        }
    }
    Ok(waiting)
}

impl Waiting {
    /// Notes since when the rows of a table name rows that wait.
    fn note(
        &self,
        child: &TableContract,
        frame: &DataFrame,
        as_of: &AsOf,
        tolerance_micros: i64,
        since: &mut [Option<i64>],
    ) -> PolarsResult<()> {
        let Some(reference) = child.foreign_keys.iter().find(|r| r.table == self.table) else { return Ok(()) };
        let named = frame.column(reference.column)?.str()?;
        let names_one: BooleanChunked =
            named.iter().map(|name| name.is_some_and(|name| self.by_key.contains_key(name))).collect();
        if !names_one.any() {
            return Ok(());
        }
        let frame = frame.filter(&names_one)?;
        let named = frame.column(reference.column)?.str()?;
        let times = happened_and_known(child, &frame, as_of)?;
        for (name, time) in named.iter().zip(times) {
            let (Some(name), Some((happened, known))) = (name, time) else { continue };
            for waiting in self.by_key.get(name).into_iter().flatten() {
                let is_before = waiting.event.saturating_sub(happened) > tolerance_micros;
                if let (true, Some(slot)) = (is_before && known < as_of.micros(), since.get_mut(waiting.at)) {
                    *slot = [*slot, Some(known)].into_iter().flatten().min();
                }
            }
        }
        Ok(())
    }
}
