//! Orders that come again and again, each time as they stood when the file was written: dumps of every night or week.
//!
//! Their rows are versions of one order, not its lines: all that varies between them is how far the order has come. They are read as they are, and washing takes
//! the newest that could be seen; which one that is, an update time says, or the day in the name of the file.

use jiff::civil::Date;

use super::landscape::Landscape;
use super::names::Name;
use super::orders_plan::OrdersPlan;
use super::scope::Piece;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, DatedFiles, Folder, RawColumn};

/// Orders with several rows, from which on it shows what these have in common.
const MIN_SEEN: usize = 20;
/// A column that is the same on all rows of so many of these orders does not vary.
const NEARLY_ALL: f64 = 0.98;

/// Notes whether the rows of an order are versions of it.
pub(super) fn mark(land: &Landscape, plan: &mut OrdersPlan) {
    if are_versions(land, plan) {
        plan.lines = None;
        plan.has_versions = true;
    }
    for other in &mut plan.other_forms {
        mark(land, other);
    }
}

/// Whether the rows of an order are versions of it.
fn are_versions(land: &Landscape, plan: &OrdersPlan) -> bool {
    let table = land.table(plan.driver);
    let varies = |at: &ColumnAt| {
        let (orders, alike) = table.alike_within(plan.order.column, at.column);
        orders >= MIN_SEEN && (alike as f64) < NEARLY_ALL * orders as f64
    };
    let varying: Vec<ColumnAt> = land.columns(plan.driver).filter(|at| *at != plan.order).filter(varies).collect();
    let tells_how_far = |at: &ColumnAt| {
        let name = land.column_name(*at);
        name.says(C::Status) || name.says(C::Recorded)
    };
    let may_change = |at: &ColumnAt| {
        let name = land.column_name(*at);
        let is_of_the_way = [C::Refund, C::Tracking, C::Carrier].iter().any(|concept| name.says(*concept));
        tells_how_far(at) || land.column(*at).is_time() || is_of_the_way
    };
    !land.column(plan.order).is_key() && varying.iter().any(tells_how_far) && varying.iter().all(may_change)
}

/// Takes tables of loans for dumps whose every dated file says how all loans stand.
pub(super) fn note_dumps_of_loans(folder: &mut Folder) {
    let is_of_loan = |name: &str| {
        let name = Name::of(name);
        name.says(C::Loan) && ![C::Instalment, C::Payment, C::Merchant, C::Buyer].iter().any(|c| name.says(*c))
    };
    let tables = folder.tables.iter().enumerate().filter(|(_, table)| table.dated_files.is_some());
    let keys: Vec<ColumnAt> = tables
        .filter(|(_, table)| is_of_loan(&table.name))
        .filter_map(|(at, table)| {
            let is_key = |column: &RawColumn| {
                is_of_loan(&column.name) && column.is_like_an_id() && column.names_rows_of_each_file()
            };
            Some(ColumnAt { table: at, column: table.columns.iter().position(is_key)? })
        })
        .collect();
    for key in keys {
        folder.take_for_dumps(key, &|name| Name::of(name).says(C::Loan));
    }
}

/// Says of each row of a loan book when it was known, where files are dumps.
pub(super) fn stamp_dumps(draft: &mut TableDraft, land: &Landscape) {
    let Some(at) = (0..land.folder.tables.len()).find(|at| land.table(*at).name == draft.from) else { return };
    let table = land.table(at);
    let is_dump = table.columns.iter().any(RawColumn::is_key_of_each_file);
    let (false, Some(dated)) = (draft.has("recorded_at"), &table.dated_files) else { return };
    if is_dump || table.sent_again > 0 {
        put_stamp(
            draft,
            land,
            at,
            dated,
            "the end of the day in the name of the file: each says how a loan stood by then",
        );
    }
}

/// The first day on which all rows can be seen, where the names of files say when rows were known.
pub(super) fn known_by(land: &Landscape, plan: &OrdersPlan) -> Option<Date> {
    let says_it = land.columns(plan.driver).any(|at| land.column_name(at).says(C::Recorded));
    let dated = land.table(plan.driver).dated_files.filter(|_| plan.has_versions && !says_it)?;
    dated.last_on.tomorrow().ok()
}

/// Says of each row of such a table when it was known, where no column does.
pub(super) fn stamp(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    let table = land.table(plan.driver);
    if !plan.has_versions || draft.from != table.name || draft.has("recorded_at") {
        return;
    }
    let Some(dated) = &table.dated_files else {
        draft.put_gap(
            "recorded_at",
            "nothing says it",
            "an order comes several times, as it stood each time, and nothing tells which row is the newest: write when it was, or name the files by their day",
        );
        return;
    };
    let note = "the end of the day in the name of the file: an order comes again as it stood by then";
    put_stamp(draft, land, plan.driver, dated, note);
}

/// Reads when rows were known from the names of their files.
fn put_stamp(draft: &mut TableDraft, land: &Landscape, table: usize, dated: &DatedFiles, note: &str) {
    let column = free_column(land, table);
    let day = format!("regexp_extract({}.{column}, '{}', 1)", super::scope::quoted(&draft.from), dated.regex);
    draft.put(
        "recorded_at",
        Piece::guess(format!("try_strptime({day} || ' 23:59:59', '{} %H:%M:%S')", dated.format), note),
        format!("the names of {}", land.table(table).files),
        0.7,
    );
    draft.path_column = Some(column);
}

/// A name that no column of the table has.
fn free_column(land: &Landscape, table: usize) -> String {
    let mut name = "file_path".to_owned();
    while land.table(table).columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
        name.push('_');
    }
    name
}
