//! A schedule of instalments that no name gives away: rows that name loans by their key, fall due step by step, and come to what each loan lent.

use std::collections::BTreeSet;

use super::assign::assign;
use super::landscape::Landscape;
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::contract::{LOANS, Type};
use crate::profile::ColumnAt;

/// So many loans must have several rows.
const MIN_LOANS: usize = 5;
/// Of so many of them rows come to the principal: cents that were rounded are left over in others.
const MIN_EXACT: f64 = 0.5;
/// So many steps from row to row are a week, two, or a month.
const MIN_REGULAR: f64 = 0.9;

/// Which columns say what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByValues {
    pub table: usize,
    pub due: ColumnAt,
    pub principal: ColumnAt,
    /// The count of a loan's instalments.
    pub number: Option<ColumnAt>,
    /// The one other sum that is less than the principal.
    pub interest: Option<ColumnAt>,
}

/// The table whose rows come to what most loans lent.
pub(super) fn find(land: &Landscape, loans: usize) -> Option<ByValues> {
    let key = land.key(loans, C::Loan)?;
    let principal =
        assign(land, loans, &LOANS, &["principal_minor"], true, &BTreeSet::new()).remove("principal_minor")?.at;
    let names_loans = |at: ColumnAt| land.folder.references.iter().any(|r| r.from == at && r.to == key);
    // Rows with a payment's number are payments, though what was repaid comes to what was lent too.
    let tables = (0..land.folder.tables.len()).filter(|table| land.key(*table, C::Payment).is_none());
    let columns =
        tables.flat_map(|table| land.columns(table)).filter(|at| names_loans(*at) && !land.column(*at).is_key());
    let found = columns.filter_map(|at| of_table(land, at, (key, principal)));
    let counts = |found: &ByValues| found.number.is_some();
    let best = found.max_by(|(own, a), (other, b)| {
        counts(a).cmp(&counts(b)).then(own.total_cmp(other)).then_with(|| b.table.cmp(&a.table))
    });
    best.map(|(_, found)| found)
}

fn of_table(land: &Landscape, loan: ColumnAt, lent: (ColumnAt, ColumnAt)) -> Option<(f64, ByValues)> {
    let raw = land.table(loan.table);
    let is_due = |at: &ColumnAt| {
        let steps = raw.days_between(loan.column, at.column).unwrap_or_default();
        let is_regular = |days: &&i64| matches!(days, 7 | 14 | 28..=31);
        let regular = steps.iter().filter(is_regular).count() as f64;
        land.column(*at).is_time()
            && !steps.is_empty()
            && steps.iter().all(|days| *days > 0)
            && regular >= MIN_REGULAR * steps.len() as f64
    };
    let due = land.columns(loan.table).find(is_due)?;
    let number = land.columns(loan.table).find(|at| raw.counts_within(loan.column, at.column));
    let sums =
        || land.columns(loan.table).filter(|at| land.column(*at).is_number() && Some(*at) != number && *at != loan);
    let exact = |at: ColumnAt| {
        let found = land.folder.adds_up((loan, at), lent);
        let share = found.sums as f64 / found.orders.max(1) as f64;
        (found.orders >= MIN_LOANS && share > MIN_EXACT).then_some(share)
    };
    let (share, principal) = sums()
        .filter_map(|at| Some((exact(at)?, at)))
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))?;
    let is_less = |at: &ColumnAt| {
        let cells = land.column(*at);
        *at != principal
            && cells.nulls == 0
            && cells.numbers.range.0 >= 0.0
            && cells.numbers.mean < 0.5 * land.column(principal).numbers.mean
    };
    let mut less = sums().filter(is_less);
    let interest = less.next().filter(|_| less.next().is_none());
    Some((share, ByValues { table: loan.table, due, principal, number, interest }))
}

impl ByValues {
    /// Puts what values say of instalments, and gives the columns that are taken.
    pub(super) fn put(&self, draft: &mut TableDraft, scope: &Scope) -> BTreeSet<ColumnAt> {
        let found = [
            ("due_on", Type::Day, Some(self.due), "rows of a loan stand a week or a month apart"),
            ("principal_minor", Type::Money, Some(self.principal), "rows of a loan come to what was lent"),
            ("number", Type::Integer, self.number, "it counts the rows of each loan"),
            ("interest_minor", Type::Money, self.interest, "the only other sum of an instalment"),
        ];
        let mut taken = BTreeSet::new();
        for (column, kind, at, why) in found {
            let Some(at) = at else { continue };
            let cell = scope.name(at);
            let piece = scope.render(kind, column, at, &cell);
            let note = piece.note.map_or(why.to_owned(), |note| format!("{why}; {note}"));
            draft.put(column, Piece::guess(piece.sql, note), cell, 0.7);
            taken.insert(at);
        }
        taken
    }
}
