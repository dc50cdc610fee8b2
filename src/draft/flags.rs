//! Columns of few values that nothing of a SELECT reads, and that may say which rows are none of what it counts: a person is told, with how many rows say what.

use super::landscape::Landscape;
use super::scope::{Scope, quoted};
use super::table_draft::{TableDraft, names};
use super::vocabulary::Concept as C;
use super::words::listed;
use crate::contract::PAYMENTS;
use crate::profile::ColumnAt;

/// What names of such columns hold, in lowercase.
const NAMES: [&str; 34] = [
    "approv", "aprov", "autho", "autor", "captur", "succe", "paid", "settl", "posted", "confirm", "fulfil", "deliver",
    "active", "resp", "result", "reject", "declin", "fail", "void", "chargeb", "fraud", "domain", "environ", "duplic",
    "draft", "quote", "doc", "dr_cr", "debit", "message_type", "mti", "event", "valid", "nsf",
];
/// What they may mean.
const MEAN: [C; 8] = [C::Status, C::Outcome, C::Kind, C::Cancelled, C::Reversed, C::Refund, C::Chargeback, C::Approved];
/// What a column is of that says something else of its row.
const OTHERWISE: [C; 10] = [
    C::Channel,
    C::Category,
    C::Region,
    C::City,
    C::Country,
    C::Currency,
    C::Product,
    C::Item,
    C::Discount,
    C::Freight,
];
/// Most values of such a column, an empty cell among them.
const MOST: usize = 6;
/// Of the rows so many have the same value, or more: the others are exceptions.
const NEARLY_ALL: f64 = 0.8;
/// Columns named at the most.
const SHOWN: usize = 4;

/// Names them beside a column of the draft; `count_as` says what all rows are taken for.
pub(super) fn tell_unread(draft: &mut TableDraft, scope: &Scope, column: &str, count_as: &str) {
    let land = scope.land;
    let kept: Vec<&str> = draft.skipped.iter().map(|rows| rows.keeps.as_str()).collect();
    let read = format!("{}\n{}", draft.sql(), kept.join("\n"));
    let is_payment = draft.table.name == PAYMENTS.name;
    let is_left_out = |at: &ColumnAt| kept.iter().any(|keeps| names(keeps, &quoted(&land.column(*at).name)));
    let read_so: Vec<ColumnAt> = land.columns(scope.driver).filter(is_left_out).collect();
    // What happened to the exceptions has a time that is drafted.
    let ends = ["reversed_at", "cancelled_at", "refunded_at"].map(|column| {
        let drafted = draft.column(column)?;
        land.columns(scope.driver).find(|at| scope.column_name(*at) == drafted.from || scope.name(*at) == drafted.from)
    });
    let is_dated = |at: ColumnAt| {
        let exceptions = land.column(at).words.values().max().copied().unwrap_or_default();
        ends.iter().flatten().any(|time| {
            let filled = land.table(scope.driver).filled_by_word(at.column, time.column, |_| true);
            let rows_of = |word: &String| land.column(at).words.get(word).copied().unwrap_or_default();
            filled.iter().all(|(word, share)| rows_of(word) == exceptions || *share >= 1.0)
        })
    };
    let told: Vec<String> = land
        .columns(scope.driver)
        .filter(|at| !names(&read, &quoted(&land.column(*at).name)) && may_tell(land, *at, is_payment))
        .filter(|at| !read_so.iter().any(|read| says_the_same(land, *read, *at)) && !is_dated(*at))
        .filter_map(|at| exceptions(land, at))
        .take(SHOWN)
        .collect();
    if !told.is_empty() {
        let note = format!(
            "{}: all of these rows count as {count_as}; leave out by `where` those that are none",
            told.join("; ")
        );
        draft.look_at(column, &note);
    }
}

/// Whether two columns tell the same rows apart.
fn says_the_same(land: &Landscape, read: ColumnAt, other: ColumnAt) -> bool {
    let raw = land.table(read.table);
    raw.determines(read.column, other.column) && raw.determines(other.column, read.column)
}

/// Whether a column may say that rows are something else.
fn may_tell(land: &Landscape, at: ColumnAt, is_payment: bool) -> bool {
    let (raw, name) = (land.column(at), land.column_name(at));
    let lower = raw.name.to_lowercase();
    let is_called_so =
        NAMES.iter().any(|piece| lower.contains(piece)) || MEAN.iter().any(|concept| name.says(*concept));
    // How it was paid says nothing of a sale.
    let is_of_payment = !is_payment && name.says(C::Payment) && name.says(C::Kind);
    let is_otherwise = OTHERWISE.iter().any(|concept| name.says(*concept)) || lower.ends_with("id") || is_of_payment;
    is_called_so && !is_otherwise && !raw.is_time() && !raw.is_list
}

/// A column of few values of which nearly all rows have one, with the others.
fn exceptions(land: &Landscape, at: ColumnAt) -> Option<String> {
    let raw = land.column(at);
    let mut values: Vec<(Option<&str>, usize)> =
        raw.words.iter().map(|(word, rows)| (Some(word.as_str()), *rows)).collect();
    if values.iter().map(|(_, rows)| rows).sum::<usize>() + raw.nulls != raw.rows() {
        return None;
    }
    values.extend((raw.nulls > 0).then_some((None, raw.nulls)));
    values.sort_by_key(|(word, rows)| (std::cmp::Reverse(*rows), *word));
    let share = |rows: usize| rows as f64 / raw.rows().max(1) as f64;
    let first = share(values.first()?.1);
    if !(2..=MOST).contains(&values.len()) || first < NEARLY_ALL {
        return None;
    }
    let said = |(word, rows): &(Option<&str>, usize)| {
        let word = word.map_or("nothing".to_owned(), |word| listed(&[word]));
        format!("{word} ({:.1} %)", 100.0 * share(*rows))
    };
    Some(format!("{:?} says {}", raw.name, values.iter().map(said).collect::<Vec<_>>().join(", ")))
}
