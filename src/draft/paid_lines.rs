//! Instalments as lenders keep them who book what was paid on the line of what was due: a line is an instalment, and a payment where something was paid on it. Where
//! lines state one amount, principal and interest are told apart by the loan's principal.

use std::collections::BTreeSet;

use super::assign::{assign, free_name};
use super::landscape::Landscape;
use super::scope::{Piece, Scope};
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use crate::contract::{INSTALMENTS, LOANS, PAYMENTS, Type};
use crate::domain::Currency;
use crate::profile::ColumnAt;

/// Where a line of instalments says what was paid on it.
pub(super) struct PaidLines {
    loan: ColumnAt,
    due: ColumnAt,
    paid: ColumnAt,
}

impl PaidLines {
    /// `None` where lines do not say both when they fall due and when they were paid.
    pub(super) fn of(land: &Landscape, table: usize) -> Option<Self> {
        let (loan, _) = land.naming(table, C::Loan)?;
        let due = assign(land, table, &INSTALMENTS, &["due_on"], true, &BTreeSet::new()).remove("due_on")?.at;
        let is_paid = |at: ColumnAt| {
            let name = land.column_name(at);
            at != due && !name.says(C::Due) && [C::Paid, C::Payment, C::Settled].iter().any(|c| name.says(*c))
        };
        let paid = land.candidates(table, &PAYMENTS, "paid_at", true).into_iter().find(|found| is_paid(found.at))?.at;
        // Several payments of one instalment are rows of payments.
        let raw = land.table(table);
        let (different, rows) = raw.combinations(&[loan.column, due.column]);
        (rows == raw.rows && different + raw.sent_again >= raw.rows).then_some(Self { loan, due, paid })
    }

    /// Whether some lines were not paid yet: where all were, those that are still to come may be missing.
    pub(super) fn has_unpaid(&self, land: &Landscape) -> bool {
        land.column(self.paid).nulls > 0
    }
}

/// Payments that stand in lines of instalments.
pub(super) fn payments(land: &Landscape, currency: Option<Currency>, table: usize) -> Option<TableDraft> {
    let PaidLines { loan, due, paid } = PaidLines::of(land, table)?;
    let scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&PAYMENTS, &scope);
    draft.head.push("Payments: an instalment's line says when it was paid, and is a payment then.".to_owned());
    let text = |at: ColumnAt| scope.id_of(at, &scope.name(at));
    draft.put("loan_id", Piece::sure(text(loan)), scope.name(loan), 0.9);
    let (id, from) = number(&scope, loan, due)?;
    let in_parts = "a line holds one payment: where an instalment was paid in parts, all of it counts as paid on the day that stands there";
    draft.put("payment_id", Piece::guess(id, in_parts), from, 0.7);
    draft.put("paid_at", scope.render(Type::Instant, "paid_at", paid, &scope.name(paid)), scope.name(paid), 0.9);
    let own = land.candidates(table, &PAYMENTS, "amount_minor", true);
    let is_of_paying = |at: ColumnAt| [C::Paid, C::Payment].iter().any(|c| land.column_name(at).says(*c));
    let stated = own.into_iter().find(|found| is_of_paying(found.at));
    let nothing = format!("{} IS NOT NULL", scope.bare(paid));
    let mut keeps = nothing.clone();
    if let Some(found) = &stated {
        let cell = scope.name(found.at);
        draft.put("amount_minor", scope.render(Type::Money, "amount_minor", found.at, &cell), cell, found.score);
        // What was paid on no day is broken, and not passed over.
        keeps = format!("{nothing} OR COALESCE({} > 0, FALSE)", scope.number(found.at, &scope.bare(found.at)));
    } else {
        let due = amount_due(land, table)?;
        let sql = scope.render(Type::Money, "amount_minor", due, &scope.name(due)).sql;
        let note = "no column says how much was paid: all that was due";
        draft.put("amount_minor", Piece::guess(sql, note), scope.name(due), 0.5);
    }
    draft.put("channel", Piece::guess("'voluntary'", "nothing says that a payment was deducted"), "nothing found", 0.5);
    if let Some(found) =
        assign(land, table, &PAYMENTS, &["reversed_at"], true, &BTreeSet::from([paid, due])).get("reversed_at")
    {
        let cell = scope.name(found.at);
        draft.put("reversed_at", scope.render(Type::Instant, "reversed_at", found.at, &cell), cell, found.score);
    }
    let rows = land.column(paid).nulls;
    if rows > 0 {
        draft.skip(Skipped {
            why: format!("{rows} row(s) of instalments on which nothing was paid."),
            keeps: if stated.is_some() { format!("({keeps})") } else { keeps },
            share: rows as f64 / land.column(paid).rows().max(1) as f64,
        });
    }
    Some(draft.finish(&scope))
}

/// What names the payment of a line: what names the line.
fn number(scope: &Scope, loan: ColumnAt, due: ColumnAt) -> Option<(String, String)> {
    let land = scope.land;
    let raw = land.table(loan.table);
    let text = |at: ColumnAt| scope.id_of(at, &scope.name(at));
    let own = land.naming(loan.table, C::Instalment).or_else(|| land.naming(loan.table, C::Payment));
    if let Some((at, _)) = own.filter(|(at, _)| land.column(*at).names_every_row()) {
        return Some((text(at), scope.name(at)));
    }
    let found = assign(land, loan.table, &INSTALMENTS, &["number"], true, &BTreeSet::from([loan, due]));
    let numbers = found.get("number").map(|found| found.at);
    let tells = |at: &ColumnAt| {
        let (different, rows) = raw.combinations(&[loan.column, at.column]);
        rows == raw.rows && different + raw.sent_again >= raw.rows
    };
    let at = numbers.into_iter().chain([due]).find(tells)?;
    Some((format!("{} || '-' || {}", text(loan), text(at)), format!("{} and {}", scope.name(loan), scope.name(at))))
}

/// The one amount that a line says is due.
fn amount_due(land: &Landscape, table: usize) -> Option<ColumnAt> {
    const OTHERWISE: [C; 9] =
        [C::Paid, C::Payment, C::Settled, C::Fee, C::Interest, C::Principal, C::Id, C::Number, C::Loan];
    let is_due = |at: &ColumnAt| {
        let (cells, name) = (land.column(*at), land.column_name(*at));
        let is_called_so = name.says(C::Amount) || name.says(C::Due) || name.says(C::Instalment);
        cells.is_number() && is_called_so && !cells.is_unique_counter() && !OTHERWISE.iter().any(|c| name.says(*c))
    };
    let says_amount = |at: &ColumnAt| land.column_name(*at).says(C::Amount);
    land.columns(table).filter(is_due).max_by_key(|at| (says_amount(at), std::cmp::Reverse(*at)))
}

/// Where lines state one amount: the loan's principal in equal parts, and what is left of the amount as interest; beside a stated interest the rest is principal.
pub(super) fn parts_of_dues(draft: &mut TableDraft, scope: &Scope, loans: usize) {
    let land = scope.land;
    let Some(due) = amount_due(land, scope.driver) else { return };
    let amount = scope.minor(due, &scope.name(due));
    let from = scope.name(due);
    let stated = |column: &'static str| {
        let found = assign(land, scope.driver, &INSTALMENTS, &[column], true, &BTreeSet::from([due])).remove(column)?;
        Some(scope.minor(found.at, &scope.name(found.at)).sql)
    };
    if let Some(interest) = stated("interest_minor") {
        let fee = stated("fee_minor").map_or(String::new(), |fee| format!(" - {fee}"));
        let note = "what interest and fee leave of the amount due";
        draft.put("principal_minor", Piece::guess(format!("{}{fee} - {interest}", amount.sql), note), from, 0.7);
        return;
    }
    let found = assign(land, loans, &LOANS, &["principal_minor"], true, &BTreeSet::new());
    let lent = found.get("principal_minor").map(|found| found.at);
    let keys = land.key(loans, C::Loan).zip(land.naming(scope.driver, C::Loan).map(|(at, _)| at));
    let (Some(lent), Some((key, loan)), Some(number)) = (lent, keys, draft.column("number").map(|c| c.sql.clone()))
    else {
        return;
    };
    let of_loans = Scope::new(land, loans, scope.currency);
    let (parts, principal) = (free_name(land, "parts"), free_name(land, "lent"));
    let name = |scope: &Scope, at: ColumnAt| scope.id_of(at, &scope.name(at));
    let (own, of_loan) = (name(scope, loan), name(&of_loans, key));
    draft.with.push((
        parts.clone(),
        format!("SELECT\n    {own} AS loan,\n    COUNT(*) AS parts\nFROM {}\nGROUP BY {own}", scope.driver_name()),
    ));
    draft.with.push((
        principal.clone(),
        format!(
            "SELECT\n    {of_loan} AS loan,\n    MAX({}) AS principal\nFROM {}\nGROUP BY {of_loan}",
            of_loans.minor(lent, &of_loans.name(lent)).sql,
            of_loans.driver_name()
        ),
    ));
    draft.joins.push(format!("LEFT JOIN {parts} ON {own} = {parts}.loan"));
    draft.joins.push(format!("LEFT JOIN {principal} ON {own} = {principal}.loan"));
    draft.keys.extend([(loan, loan), (loan, key)]);
    let number = format!("TRY_CAST({number} AS BIGINT)");
    let part = format!("DIV({principal}.principal, {parts}.parts)");
    let last = format!("{principal}.principal - {part} * ({parts}.parts - 1)");
    let part = format!("CASE WHEN {number} < {parts}.parts THEN {part} ELSE {last} END");
    let rest = format!("{} - {part}", amount.sql);
    let note = "lines state one amount: the principal in equal parts";
    draft.put("principal_minor", Piece::guess(part, note), from.clone(), 0.5);
    let note = "what the principal's part leaves of the amount due";
    let rest = format!("CASE WHEN {rest} < 0 THEN 0 ELSE {rest} END");
    draft.put("interest_minor", Piece::guess(rest, note), from, 0.5);
}
