//! The loan book: loans, instalments, payments. And the tables that stand alone: applications, inventory, guarantee groups.

use std::collections::BTreeSet;

use super::assign::{assign, free_name, put_found};
use super::ends::MAX_STATES;
use super::landscape::Landscape;
use super::names::Name;
use super::not_meant::{skip_rows, skip_words};
use super::paid_lines::PaidLines;
use super::schedule_by_values::{self, ByValues};
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{APPLICATIONS, GUARANTEE_GROUPS, INSTALMENTS, INVENTORY, LOANS, PAYMENTS, TableContract, Type};
use crate::domain::Currency;
use crate::profile::ColumnAt;

/// The contract column of what a loan costs.
const RATE: &str = "daily_rate_ppm";

/// Drafts whatever of the loan book the export has.
pub(super) fn loan_book(land: &Landscape, currency: Option<Currency>) -> Vec<TableDraft> {
    let loans = land.best_about(C::Loan, &LOANS, |table| land.key(table, C::Loan).is_some());
    let Some(loans) = loans else { return Vec::new() };
    let names_loan = |table: usize| table != loans && land.naming(table, C::Loan).is_some();
    let instalments = land.best_about(C::Instalment, &INSTALMENTS, names_loan);
    let payments = land.best_about(C::Payment, &PAYMENTS, names_loan);
    // Rows that are called payments and say when each falls due are instalments too.
    let are_lines = |table: &usize| PaidLines::of(land, *table).is_some_and(|lines| lines.has_unpaid(land));
    let instalments = instalments.or(payments.filter(are_lines));
    let by_values = if instalments.is_none() { schedule_by_values::find(land, loans) } else { None };
    let instalments = instalments.or(by_values.map(|found| found.table));
    let payments = match by_values.map(|found| found.table) {
        Some(table) if payments == Some(table) => {
            land.best_about(C::Payment, &PAYMENTS, |other| other != table && names_loan(other))
        }
        _ => payments,
    };
    let due = by_values.map(|found| found.due);
    let mut loan_draft = loan_rows(land, currency, loans, instalments.map(|table| (table, due)));
    let schedule = match instalments {
        Some(table) => Some(instalment_rows(land, currency, table, loans, by_values)),
        None => super::schedule::of_terms(land, currency, &mut loan_draft, loans),
    };
    let mut drafts = vec![loan_draft];
    drafts.extend(schedule);
    drafts.extend(match payments.filter(|table| Some(*table) != instalments) {
        Some(table) => Some(super::payments::draft(land, currency, table, loans)),
        None => instalments.and_then(|table| super::paid_lines::payments(land, currency, table)),
    });
    drafts
}

/// Whether nothing of a drafted table has to be found before the loan book can be read. What its rate is, is asked of a person like any gap of a required
/// table: no loan is left out for it.
pub(super) fn is_complete(draft: &TableDraft) -> bool {
    draft.gaps().all(|gap| draft.table.name == LOANS.name && gap.column == RATE)
}

/// What a loan book that was found in part lacks, or which tables speak of loans though none could be made of them, and what credit loses by it; none where
/// nothing speaks of loans.
pub(super) fn why_no_book(land: &Landscape, book: &[TableDraft]) -> Option<String> {
    if book.is_empty() {
        let spoken_of: Vec<String> =
            (0..land.folder.tables.len()).filter_map(|table| loan_words(land, table)).collect();
        return (!spoken_of.is_empty()).then(|| {
            format!(
                "no loan book is read, though {} of loans, advances or days past due: what it would take (loans with their day, amount and term; \
                 instalments; payments) was not found there. Every merchant is taken to owe nothing until sources/loans.sql, instalments.sql and \
                 payments.sql are written",
                one_speaks(&spoken_of)
            )
        });
    }
    let drafted = |name: &str| book.iter().find(|draft| draft.table.name == name);
    let mut lacks: Vec<String> = Vec::new();
    for name in [LOANS.name, INSTALMENTS.name, PAYMENTS.name] {
        match drafted(name) {
            None if name == INSTALMENTS.name => lacks.push(
                "there is no table of instalments, and the loans do not state amount, day and term to make a schedule of".to_owned(),
            ),
            None => {
                let of_loans = if name == PAYMENTS.name { repayments_in_a_book(land) } else { None };
                let or = of_loans.map_or(String::new(), |rows| format!(", but {rows}"));
                lacks.push(format!("no table of {name} was found{or}"));
            }
            Some(draft) => {
                let gaps: Vec<&str> = draft.gaps().map(|gap| gap.column).collect();
                if !is_complete(draft) {
                    lacks.push(format!("{} lacks {}", draft.file(), gaps.join(", ")));
                }
            }
        }
    }
    if lacks.is_empty() {
        lacks.push("all rows of a table of it are left out".to_owned());
    }
    Some(format!(
        "the loan book is not read: {}. Loans, instalments and payments are read together or not at all; without them willingness is learnt from \
         distress of trade, every merchant is taken to owe nothing, and nothing is deducted. Add what is missing before lending",
        lacks.join("; ")
    ))
}

/// Rows of a book of money that speak of loans and name them, in words.
fn repayments_in_a_book(land: &Landscape) -> Option<String> {
    const NEARLY_ALL: f64 = 0.9;
    let key = land.about(C::Loan).find_map(|table| land.key(table, C::Loan))?;
    let kinds = (0..land.folder.tables.len()).filter(|table| *table != key.table).flat_map(|table| {
        land.columns(table).filter(|at| land.column_name(*at).says(C::Kind) && !land.column(*at).words.is_empty())
    });
    kinds.into_iter().find_map(|kind| {
        let raw = land.table(kind.table);
        let said: Vec<&str> =
            land.column(kind).words.keys().map(String::as_str).filter(|word| tells_of_loans(word)).collect();
        let rows = raw.rows_with_words(kind.column, |word| said.contains(&word));
        let names_loans = |at: &ColumnAt| {
            *at != kind && !rows.is_empty() && land.folder.share_of_rows_found(*at, key, &rows) >= NEARLY_ALL
        };
        let named = land.columns(kind.table).find(names_loans)?;
        Some(format!(
            "{} rows with {} in {:?} of {:?} name loans in {:?}: payments can be made of them, by a SELECT with where = \"… IN ({})\" from a second name of its files",
            rows.len(),
            words::listed(&said),
            land.column(kind).name,
            raw.name,
            land.column(named).name,
            words::listed(&said)
        ))
    })
}

fn one_speaks(tables: &[String]) -> String {
    let verb = if tables.len() == 1 { "speaks" } else { "speak" };
    format!("{} {verb}", tables.join(" and "))
}

/// A table that speaks of loans by its name, or by those of columns, with these columns.
fn loan_words(land: &Landscape, table: usize) -> Option<String> {
    let raw = land.table(table);
    let columns: Vec<&str> = raw.columns.iter().map(|c| c.name.as_str()).filter(|name| tells_of_loans(name)).collect();
    let by_its_name = tells_of_loans(&raw.name) || tells_of_loans(&raw.title);
    match columns.as_slice() {
        [] => by_its_name.then(|| format!("{:?}", raw.name)),
        _ => Some(format!("{:?} ({})", raw.name, columns.join(", "))),
    }
}

/// Whether a name can be of nothing but lending: `credit` may be a card, a note or the other side of debit.
pub(super) fn tells_of_loans(name: &str) -> bool {
    const OTHERWISE: [&str; 4] = ["credit", "kredi", "credito", "kredyt"];
    const ALSO: [&str; 6] = ["financing", "financement", "finanzierung", "financiamento", "financiamiento", "dpd"];
    let plain: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let is_loan = Name::of(name).says(C::Loan) && !OTHERWISE.iter().any(|word| plain.contains(word));
    is_loan
        || plain.contains("pastdue")
        || ALSO.iter().any(|word| plain == *word || plain.starts_with(word) && word.len() > 3)
}

pub(super) fn put_name(draft: &mut TableDraft, scope: &mut Scope, column: &str, entity: C) {
    if let Some(found) = scope.land.find_entity(scope.driver, entity) {
        let sql = scope.reach_id(&found);
        draft.put(column, Piece::sure(sql), scope.name(found.at), found.score);
    }
}

/// All columns of a table that its own raw table has, except those already drafted.
pub(super) fn put_own(draft: &mut TableDraft, scope: &mut Scope) {
    put_own_without(draft, scope, &BTreeSet::new());
}

/// As [`put_own`], of raw columns that are not among these.
pub(super) fn put_own_without(draft: &mut TableDraft, scope: &mut Scope, taken: &BTreeSet<ColumnAt>) {
    let table: &'static TableContract = draft.table;
    let columns: Vec<&'static str> = table.columns.iter().map(|c| c.name).filter(|name| !draft.has(name)).collect();
    let own = assign(scope.land, scope.driver, table, &columns, true, taken);
    for (column, found) in &own {
        put_found(draft, scope, column, found);
    }
}

/// `instalments`: their table, and the column of their days where no name says it.
fn loan_rows(
    land: &Landscape,
    currency: Option<Currency>,
    table: usize,
    instalments: Option<(usize, Option<ColumnAt>)>,
) -> TableDraft {
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&LOANS, &scope);
    draft.head.push("Loans: one row a loan.".to_owned());
    put_name(&mut draft, &mut scope, "loan_id", C::Loan);
    put_name(&mut draft, &mut scope, "merchant_id", C::Merchant);
    if land.naming(table, C::Group).is_some() {
        put_name(&mut draft, &mut scope, "group_id", C::Group);
    }
    put_own(&mut draft, &mut scope);
    for (column, word, note) in [
        ("product", "'credit-loan'", "no product is named: all are credit loans"),
        ("repayment", "'equal-instalment'", "nothing says how loans are repaid: in equal instalments"),
    ] {
        if !draft.has(column) {
            draft.put(column, Piece::guess(word, note), "nothing found", 0.4);
        }
    }
    let in_months = draft.column("term_days").and_then(|term| land.column_at(table, &term.from));
    let in_months = in_months.filter(|term| super::term::is_in_months(land, *term));
    if let Some(term) = in_months {
        calendar_term(&mut draft, &scope, term);
    } else if !draft.has("term_days") {
        term_until(&mut draft, &scope);
    }
    // Of a term in months a schedule beside it says the day.
    if let Some((instalments, due)) = instalments.filter(|_| !draft.has("term_days") || in_months.is_some()) {
        term_of_schedule(&mut draft, &scope, instalments, due);
    }
    put_rate(&mut draft, &mut scope, instalments.is_some());
    super::advances::repaid_by_sales(&mut draft, &scope);
    // Instalments that are stated say themselves what is owed.
    if instalments.is_none() && !super::advances::are_repaid_by_sales(&draft) {
        super::advances::owed_by_factor(&mut draft, &scope);
    }
    never_paid_out(&mut draft, &scope);
    skip_rows(&mut draft, &scope);
    draft.finish(&scope)
}

/// What loans cost a day. Where nothing says it, instalments do, and the rate is 0; where there are none either, a person must say that it is.
fn put_rate(draft: &mut TableDraft, scope: &mut Scope, has_schedule: bool) {
    let land = scope.land;
    if super::rates::payback_factor(land, scope.driver).is_some() && !has_schedule {
        let note = "a factor says what is paid back, whatever the time: 0 a day";
        draft.put(RATE, Piece::guess("0", note), "the factor", 0.7);
        if let Some(rate) = super::rates::find(land, scope.driver) {
            let why = format!(
                "a factor says what is paid back, and {} states a rate: which of them holds?",
                scope.name(rate.at)
            );
            draft.doubt(RATE, &why);
        }
        return;
    }
    if let Some(found) = super::rates::find(land, scope.driver) {
        put_found(draft, scope, RATE, &found);
        if let Some(why) = super::rates::doubt(land, found.at, &scope.name(found.at)) {
            draft.doubt(RATE, &why);
        }
        return;
    }
    let note =
        "no column is called a rate: 0, and what is owed is what instalments say; terms are eased at no interest";
    draft.put(RATE, Piece::guess("0", note), "no column is called a rate", 0.4);
    let has_price = matches!(super::rates::fees(land, scope.driver), super::rates::Fees::Owed(_));
    if !has_schedule && !has_price && !super::schedule::states_instalments(land, scope.driver) {
        let why =
            "no column is called a rate, and no instalment says what interest is owed: leave 0 where loans bear none";
        draft.doubt(RATE, why);
    }
}

/// A term in months runs to the same day of the month: thirty days are not always one.
fn calendar_term(draft: &mut TableDraft, scope: &Scope, term: ColumnAt) {
    let Some(disbursed) = draft.column("disbursed_at").map(|c| c.sql.clone()) else { return };
    let cell = scope.name(term);
    let months = super::term::number(scope, term, &cell);
    let sql = format!("date_diff('day', {disbursed}, add_months({disbursed}, {months}))");
    draft.put("term_days", Piece::guess(sql, "calendar months, to the last instalment"), cell, 0.7);
}

/// The day on which a loan ends, where a column says it and none the term: the last of the times after the day of paying out that is called so.
pub(super) fn end_of_term(land: &Landscape, table: usize, disbursed: ColumnAt) -> Option<ColumnAt> {
    const END: [&str; 9] = ["end", "ends", "maturity", "expiry", "until", "target", "ende", "fin", "scadenza"];
    let paid_out = &land.column(disbursed).micros;
    let is_end = |at: &ColumnAt| {
        let (cells, name) = (land.column(*at), land.column_name(*at));
        let is_called_so = cells.is_called(&END) || name.says(C::Due) || name.says(C::Estimated);
        let both = || paid_out.iter().zip(&cells.micros).filter_map(|(from, to)| Some(((*from)?, (*to)?)));
        let is_later = || both().count() > 0 && both().all(|(from, to)| from < to);
        *at != disbursed && cells.is_time() && cells.nulls == 0 && is_called_so && is_later()
    };
    land.columns(table).find(is_end)
}

/// The term runs to the day on which the loan is to end.
fn term_until(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let disbursed =
        draft.column("disbursed_at").and_then(|c| Some((c.sql.clone(), land.column_at(scope.driver, &c.from)?)));
    let Some((from, disbursed)) = disbursed else { return };
    let Some(end) = end_of_term(land, scope.driver, disbursed) else { return };
    let cell = scope.name(end);
    let until = scope.render(Type::Instant, "disbursed_at", end, &cell).sql;
    draft.put(
        "term_days",
        Piece::guess(format!("date_diff('day', {from}, {until})"), "days to the end that is stated"),
        cell,
        0.7,
    );
}

/// The term runs to the last instalment.
fn term_of_schedule(draft: &mut TableDraft, loans: &Scope, instalments: usize, due: Option<ColumnAt>) {
    let land = loans.land;
    let scope = Scope::new(land, instalments, loans.currency);
    let by_name = || assign(land, instalments, &INSTALMENTS, &["due_on"], true, &BTreeSet::new()).remove("due_on");
    let due = due.or_else(|| by_name().map(|found| found.at));
    let (Some((loan, _)), Some(due)) = (land.naming(instalments, C::Loan), due) else { return };
    let paid_out = draft.column("disbursed_at");
    let Some((disbursed, from)) = paid_out.map(|c| (c.sql.clone(), c.from.clone())) else { return };
    let Some((key, _)) = land.naming(loans.driver, C::Loan) else { return };
    let ends = free_name(land, "last_due");
    let day = scope.render(Type::Day, "due_on", due, &scope.name(due)).sql;
    draft.keys.push((key, loan));
    let loan = scope.id_of(loan, &scope.name(loan));
    draft.with.push((
        ends.clone(),
        format!("SELECT\n    {loan} AS loan,\n    MAX({day}) AS due_on\nFROM {}\nGROUP BY {loan}", scope.driver_name()),
    ));
    draft.joins.push(format!("LEFT JOIN {ends} ON {} = {ends}.loan", loans.id_of(key, &loans.name(key))));
    let days = |sql: &str| format!("CAST(CAST({sql} AS DATE) AS BIGINT)");
    let is_instant = loans.gives_instants(land.column_called(&from));
    let first = if is_instant { disbursed } else { format!("SUBSTR({disbursed}, 1, 10)") };
    draft.put(
        "term_days",
        Piece::guess(format!("{} - {}", days(&format!("{ends}.due_on")), days(&first)), "days to the last instalment"),
        scope.name(due),
        0.7,
    );
}

fn instalment_rows(
    land: &Landscape,
    currency: Option<Currency>,
    table: usize,
    loans: usize,
    by_values: Option<ByValues>,
) -> TableDraft {
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&INSTALMENTS, &scope);
    draft.head.push("Instalments: one row an instalment of a loan.".to_owned());
    put_name(&mut draft, &mut scope, "loan_id", C::Loan);
    let taken = by_values.map(|found| found.put(&mut draft, &scope)).unwrap_or_default();
    put_own_without(&mut draft, &mut scope, &taken);
    let number_is_sound = draft.column("number").is_some_and(|c| c.confidence >= 0.6);
    if let (false, Some(due), Some((loan, _))) =
        (number_is_sound, draft.column("due_on").map(|c| c.sql.clone()), land.naming(table, C::Loan))
    {
        let sql = format!("ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {due})", scope.name(loan));
        draft.put("number", Piece::guess(sql, "numbered in the order in which they fall due"), "due_on", 0.6);
    }
    if !draft.has("principal_minor") {
        super::paid_lines::parts_of_dues(&mut draft, &scope, loans);
    }
    if draft.has("principal_minor") {
        let fees = super::schedule::not_among(&super::rates::fees(land, loans), land);
        for (column, note) in [("interest_minor", "none is stated".to_owned()), ("fee_minor", fees)] {
            if !draft.has(column) {
                draft.put(column, Piece::guess("0", note), "nothing found", 0.4);
            }
        }
    }
    skip_rows(&mut draft, &scope);
    draft.finish(&scope)
}

/// Loans of states that are never paid out are applications: they are skipped.
fn never_paid_out(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let raw = land.table(scope.driver);
    let own = assign(land, scope.driver, &LOANS, &["disbursed_at"], true, &BTreeSet::new());
    let Some(disbursed) = own.get("disbursed_at").map(|found| found.at).filter(|at| land.column(*at).nulls > 0) else {
        return;
    };
    for state in land.states(scope.driver, MAX_STATES) {
        let filled = raw.filled_by_word(state.column, disbursed.column, |_| true);
        let (never, ever): (Vec<_>, Vec<_>) = filled.into_iter().partition(|(_, share)| *share <= 0.01);
        if never.is_empty() || ever.is_empty() || ever.iter().any(|(_, share)| *share < 0.95) {
            continue;
        }
        let words: Vec<&str> = never.iter().map(|(word, _)| word.as_str()).collect();
        let said = words::listed(&words);
        let why = format!("were never paid out: rows with {said} have no {:?}", land.column(disbursed).name);
        skip_named(draft, scope, state, &words, &why);
        return;
    }
}

/// Leaves rows out by some words of a column, which are named.
pub(super) fn skip_named(draft: &mut TableDraft, scope: &Scope, at: ColumnAt, words: &[&str], why: &str) {
    let which = format!("with {} in {:?} {why}.", words::listed(words), scope.land.column(at).name);
    skip_words(draft, scope, at, words, &which);
}

/// Columns that name things, with what they name.
type Names = &'static [(&'static str, C)];

/// Applications, stock-takings and guarantee groups, each of a table of its own.
pub(super) fn standing_alone(land: &Landscape, currency: Option<Currency>) -> Vec<TableDraft> {
    let tables: [(&'static TableContract, C, Names); 3] = [
        (&APPLICATIONS, C::Application, &[("application_id", C::Application), ("merchant_id", C::Merchant)]),
        (&INVENTORY, C::Inventory, &[("merchant_id", C::Merchant)]),
        (&GUARANTEE_GROUPS, C::Group, &[("group_id", C::Group), ("merchant_id", C::Merchant)]),
    ];
    let mut drafts = Vec::new();
    for (contract, entity, keys) in tables {
        let Some(table) = land.best_about(entity, contract, |table| land.find_entity(table, C::Merchant).is_some())
        else {
            continue;
        };
        let mut scope = Scope::new(land, table, currency);
        let mut draft = TableDraft::new(contract, &scope);
        draft.head.push(format!("{}: {}.", contract.name, contract.doc));
        for (column, entity) in keys {
            put_name(&mut draft, &mut scope, column, *entity);
        }
        put_own(&mut draft, &mut scope);
        if contract.name == "applications" && !draft.has("product") {
            draft.put("product", Piece::guess("'credit-loan'", "no product is named"), "nothing found", 0.4);
        }
        skip_rows(&mut draft, &scope);
        drafts.push(draft.finish(&scope));
    }
    drafts
}
