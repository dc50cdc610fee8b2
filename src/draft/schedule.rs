//! Instalments of loans whose export has none, drafted from their terms: equal parts of the principal month by month where the term is in months, else all
//! of it at the end of the term. It is a guess that a person must compare with the contracts: who pays by another schedule seems late or early.

use std::collections::BTreeSet;

use super::assign::{assign, free_name};
use super::landscape::{Found, Landscape};
use super::rates::Fees;
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::contract::{INSTALMENTS, LOANS, Type};
use crate::domain::Currency;
use crate::profile::ColumnAt;

/// Longer terms are years, or days under another name.
const MAX_MONTHS: usize = 120;

/// Words for what is paid each month, and those that make it of a payment.
const MONTHLY_PAYMENTS: [&str; 5] = ["emi", "mensualite", "mensualité", "mensualidad", "monatsrate"];
const MONTHLY: [&str; 8] =
    ["monthly", "mensual", "mensuel", "mensuelle", "mensal", "mensile", "monatlich", "monatliche"];

/// Drafts the instalments; `None` where the amount, the day of paying out or the term of a loan is not stated. The loans' term then runs to the last of them.
pub(super) fn of_terms(
    land: &Landscape,
    currency: Option<Currency>,
    loans: &mut TableDraft,
    table: usize,
) -> Option<TableDraft> {
    let scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&INSTALMENTS, &scope);
    let found = assign(land, table, &LOANS, &["disbursed_at", "principal_minor", "term_days"], true, &BTreeSet::new());
    let at = |column: &str| found.get(column).map(|found| found.at);
    let (disbursed, principal) = (at("disbursed_at")?, at("principal_minor")?);
    let paid_out = scope.render(Type::Day, "disbursed_at", disbursed, &scope.name(disbursed)).sql;
    let stated = at("term_days");
    let term = stated.or_else(|| super::lending::end_of_term(land, table, disbursed))?;
    let is_in_months = stated.is_some_and(|term| super::term::is_in_months(land, term));
    if is_in_months && !(1.0..=MAX_MONTHS as f64).contains(&super::term::longest(land, term)) {
        return None;
    }
    let term_sql = if stated.is_some() {
        super::term::number(&scope, term, &scope.name(term))
    } else {
        let end = scope.render(Type::Day, "disbursed_at", term, &scope.name(term)).sql;
        format!("date_diff('day', {paid_out}, {end})")
    };
    let loan = loans.column("loan_id")?.clone();
    let by_sales = super::advances::are_repaid_by_sales(loans);
    let is_level = is_in_months && !by_sales;
    let has_factor = super::rates::payback_factor(land, table).is_some();
    let owed = if by_sales || has_factor { super::advances::with_its_fee(&scope, principal) } else { None };
    let holds_its_fee = owed.is_some();
    let principal_minor = owed.unwrap_or_else(|| scope.minor(principal, &scope.name(principal))).sql;
    let terms = free_name(land, "terms");
    let interest = if has_factor && holds_its_fee {
        Piece::guess("0", "the factor of the principal holds it")
    } else {
        interest(&scope, principal, (term, &term_sql), (is_in_months, is_level))
    };
    let (fee, fee_from) = if holds_its_fee {
        (Piece::guess("0", "the fee is part of the principal"), "nothing found".to_owned())
    } else {
        fee(&scope, table, principal, term, is_level)
    };
    let columns = [
        format!("{} AS loan", loan.sql),
        format!("{paid_out} AS paid_out_on"),
        format!("{principal_minor} AS principal"),
        format!("{term_sql} AS term"),
        format!("{} AS interest", interest.sql),
        format!("{} AS fee", fee.sql),
    ];
    let own = scope.driver_name();
    draft.with.push((
        terms.clone(),
        format!(
            "SELECT\n    {own}._file AS in_file,\n    {own}._row AS in_row,\n    1 AS every,\n    {}\nFROM {own}",
            columns.join(",\n    ")
        ),
    ));
    draft.joins.push(format!("INNER JOIN {terms} ON {own}._file = {terms}.in_file AND {own}._row = {terms}.in_row"));
    draft.head.push(
        "Instalments: the export has no schedule. This one is made of the loans' terms: compare it with the contracts."
            .to_owned(),
    );
    let (number, due, part, note) = if is_level {
        let numbers = numbers_of_instalments(land, &mut draft, own);
        draft.joins.push(format!(
            "INNER JOIN {numbers} ON {numbers}.every = {terms}.every\nWHERE {numbers}.number <= {terms}.term"
        ));
        // A term beyond the numbers would lack its last instalments: its rows are broken, and the loan unknown.
        let number = format!("CASE WHEN {terms}.term > {MAX_MONTHS} THEN NULL ELSE {numbers}.number END");
        let share = format!("DIV({terms}.principal, {terms}.term)");
        let last = format!("{terms}.principal - {share} * ({terms}.term - 1)");
        (
            number.clone(),
            format!("add_months({terms}.paid_out_on, {number})"),
            format!("CASE WHEN {number} < {terms}.term THEN {share} ELSE {last} END"),
            "no schedule is stated: equal parts month by month",
        )
    } else {
        let after = if is_in_months { "add_months" } else { "add_days" };
        let note = if by_sales {
            "no milestones are stated: all by the end of the term, so that nobody is late before"
        } else {
            "no schedule is stated: all at the end of the term, so that nobody is late before"
        };
        ("1".to_owned(), format!("{after}({terms}.paid_out_on, {terms}.term)"), format!("{terms}.principal"), note)
    };
    let name_of = |at: ColumnAt| scope.name(at);
    let whole = |sql: String| format!("CAST({sql} AS BIGINT)");
    draft.put("loan_id", Piece::sure(loan.sql), loan.from, loan.confidence);
    draft.put("number", Piece::guess(whole(number.clone()), note), name_of(term), 0.5);
    draft.put("due_on", Piece::guess(format!("CAST({due} AS DATE)"), note), name_of(term), 0.5);
    draft.put("principal_minor", Piece::guess(whole(part), note), name_of(principal), 0.5);
    draft.put(
        "interest_minor",
        Piece { sql: whole(format!("{terms}.interest")), note: interest.note },
        name_of(principal),
        0.5,
    );
    let with_the_first =
        if is_level { format!("CASE WHEN {number} = 1 THEN {terms}.fee ELSE 0 END") } else { format!("{terms}.fee") };
    draft.put("fee_minor", Piece { sql: whole(with_the_first), note: fee.note }, fee_from, 0.5);
    draft.skipped.clone_from(&loans.skipped);
    Some(draft.finish(&scope))
}

/// A part of the SELECT with the numbers from 1 to [`MAX_MONTHS`], whatever terms there are today: made of tens and ones.
fn numbers_of_instalments(land: &Landscape, draft: &mut TableDraft, own: &str) -> String {
    let [tens, ones, numbers] = ["tens", "ones", "numbers"].map(|name| free_name(land, name));
    let one = |n: usize| format!("SELECT DISTINCT {n} AS number, 1 AS every FROM {own}");
    let all = |count: usize| (0..count).map(one).collect::<Vec<_>>().join("\nUNION ALL ");
    draft.with.push((tens.clone(), all(MAX_MONTHS / 10)));
    draft.with.push((ones.clone(), all(10)));
    let body = format!(
        "SELECT\n    {tens}.number * 10 + {ones}.number + 1 AS number,\n    {tens}.every AS every\nFROM {tens}\nINNER JOIN {ones} ON {tens}.every = {ones}.every"
    );
    draft.with.push((numbers.clone(), body));
    numbers
}

/// Interest of one instalment: what a stated instalment leaves beside its part of the principal, else that of a level schedule at the stated rate, else none.
fn interest(
    scope: &Scope,
    principal: ColumnAt,
    (term, n): (ColumnAt, &str),
    (is_in_months, is_level): (bool, bool),
) -> Piece {
    let (land, table) = (scope.land, principal.table);
    let principal_minor = scope.minor(principal, &scope.name(principal)).sql;
    if let Some(stated) = stated_instalment(land, table, principal, term).filter(|_| is_level) {
        let amount = scope.minor(stated, &scope.name(stated)).sql;
        let beside = format!("{amount} - DIV({principal_minor}, {n})");
        let sql = format!("CASE WHEN {beside} < 0 THEN 0 ELSE {beside} END");
        return Piece::guess(sql, format!("what {} leaves beside the principal", scope.name(stated)));
    }
    let Some(Found { at, .. }) = super::rates::find(land, table) else {
        return Piece::guess("0", "no instalment and no rate is stated");
    };
    let ppm = super::rates::exact_per_day(scope, at);
    let (days, note) = if is_level {
        // Over the life of a loan that is repaid in equal parts half of it is owed, and half of a part.
        (format!("365.0 / 12 * ({n} + 1) / (2 * {n})"), "of a level schedule at the stated rate")
    } else {
        let days = if is_in_months { format!("365.0 / 12 * {n}") } else { n.to_owned() };
        (days, "for the term at the stated rate")
    };
    Piece::guess(format!("TRY_CAST(ROUND({principal_minor} * {ppm} / 1000000 * {days}) AS BIGINT)"), note)
}

/// The fee of a loan, which is owed with its first instalment, or its only one.
fn fee(scope: &Scope, table: usize, principal: ColumnAt, term: ColumnAt, is_in_months: bool) -> (Piece, String) {
    let land = scope.land;
    let fees = super::rates::fees(land, table);
    let holds_it = is_in_months && stated_instalment(land, table, principal, term).is_some();
    match fees {
        Fees::Owed(at) if !holds_it => {
            let cell = scope.name(at);
            let sql = super::rates::fee_minor(scope, at);
            let when = if is_in_months { "with the first instalment" } else { "with the only instalment" };
            (
                Piece::guess(
                    sql,
                    format!(
                        "{cell} is owed {when}; who repays the principal sooner owes no fee of later instalments: where it is owed all the same, add it to the principal of loans and instalments"
                    ),
                ),
                cell,
            )
        }
        _ => (Piece::guess("0", not_among(&fees, land)), "nothing found".to_owned()),
    }
}

/// What is said of fees that are drafted as none.
pub(super) fn not_among(fees: &Fees, land: &Landscape) -> String {
    fees.unplaced(land).map_or("none is stated".to_owned(), |columns| {
        format!("none as drafted; loans have {columns}: add what of it is owed and no instalment holds")
    })
}

/// Whether a table of loans in months says what is paid each month.
pub(super) fn states_instalments(land: &Landscape, table: usize) -> bool {
    let found = assign(land, table, &LOANS, &["principal_minor", "term_days"], true, &BTreeSet::new());
    let both =
        found.get("principal_minor").zip(found.get("term_days")).map(|(principal, term)| (principal.at, term.at));
    both.is_some_and(|(principal, term)| {
        super::term::is_in_months(land, term) && stated_instalment(land, table, principal, term).is_some()
    })
}

fn stated_instalment(land: &Landscape, table: usize, principal: ColumnAt, term: ColumnAt) -> Option<ColumnAt> {
    land.columns(table).find(|at| *at != principal && is_instalment(land, *at, principal, term))
}

/// Whether a column says what is paid each month: it is called so, and over the term it comes to what was lent and something more.
fn is_instalment(land: &Landscape, at: ColumnAt, principal: ColumnAt, term: ColumnAt) -> bool {
    let cells = land.column(at);
    let name = land.column_name(at);
    let is_monthly = cells.is_called(&MONTHLY) && (name.says(C::Payment) || name.says(C::Amount) || name.says(C::Paid));
    let is_called_so =
        name.says(C::Instalment) || name.says(C::Payment) || cells.is_called(&MONTHLY_PAYMENTS) || is_monthly;
    let over_the_term = cells.numbers.mean * super::term::mean(land, term);
    is_called_so && cells.is_number() && (0.7..3.0).contains(&(over_the_term / land.column(principal).numbers.mean))
}
