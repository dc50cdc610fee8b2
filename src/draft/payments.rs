//! The contract table `payments`: which rows are money that a borrower paid, what names them, and which of them were taken back.

use std::collections::BTreeSet;

use super::assign::{assign, free_name};
use super::ends::MAX_STATES;
use super::landscape::Landscape;
use super::lending::{put_name, put_own_without, skip_named};
use super::not_meant::{skip_of_none, skip_rows};
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::taken_back::rows_that_take_back;
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{LOANS, PAYMENTS, Type};
use crate::domain::Currency;
use crate::profile::{ColumnAt, ValueKind};

/// Drafts the SELECT.
pub(super) fn draft(land: &Landscape, currency: Option<Currency>, table: usize, loans: usize) -> TableDraft {
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&PAYMENTS, &scope);
    draft.head.push("Payments: one row a repayment of a loan.".to_owned());
    let running: BTreeSet<ColumnAt> = land.columns(table).filter(|at| is_running_number_of_files(land, *at)).collect();
    // A number of another table, such as how many payments a loan has, names none of these rows.
    if let Some((at, worth)) = land.naming(table, C::Payment).filter(|(at, _)| names_rows(land, *at, &running)) {
        let name = scope.name(at);
        draft.put("payment_id", Piece::sure(scope.id_of(at, &name)), name, worth);
    }
    put_name(&mut draft, &mut scope, "loan_id", C::Loan);
    put_own_without(&mut draft, &mut scope, &running);
    let own_number = put_number(&mut draft, &scope);
    if !draft.has("channel") {
        draft.put(
            "channel",
            Piece::guess("'voluntary'", "nothing says that a payment was deducted"),
            "nothing found",
            0.5,
        );
    }
    let below_zero = written_below_zero(&mut draft, &scope);
    let paid_out = skip_paid_out(&mut draft, &scope, loans);
    taken_back(&mut draft, &scope, own_number, &paid_out, below_zero);
    super::bounced::put_day(&mut draft, &scope);
    did_not_stay(&mut draft, &scope);
    skip_rows(&mut draft, &scope);
    super::refused::skip_refused(&mut draft, &scope);
    if let Some((loan, _)) = land.naming(table, C::Loan) {
        skip_of_none(&mut draft, &scope, loan, "loan");
    }
    super::flags::tell_unread(&mut draft, &scope, "amount_minor", "paid");
    draft.finish(&scope)
}

/// Whether a column tells the payments of a table apart, but for rows that were sent again.
fn names_rows(land: &Landscape, at: ColumnAt, running: &BTreeSet<ColumnAt>) -> bool {
    let cells = land.column(at);
    !running.contains(&at) && cells.distinct * 2 > cells.rows() - cells.nulls
}

/// In the book of a merchant's account what is paid on a loan goes off it: nearly all rows that name a loan are below zero, and are taken without the sign. Says whether
/// that is so.
fn written_below_zero(draft: &mut TableDraft, scope: &Scope) -> bool {
    const NEARLY_ALL: f64 = 0.9;
    let land = scope.land;
    let found = assign(land, scope.driver, &PAYMENTS, &["amount_minor"], true, &BTreeSet::new()).remove("amount_minor");
    let Some((amount, (loan, _))) = found.map(|found| found.at).zip(land.naming(scope.driver, C::Loan)) else {
        return false;
    };
    let below = &land.column(amount).numbers.negative;
    let of_loans = (land.column(loan).rows() - land.column(loan).nulls) as f64;
    let below_of_loans = land.folder.share_of_rows_found(loan, loan, below) * below.len() as f64;
    let is_mixed = below.len() * 10 < (land.column(amount).rows() - land.column(amount).nulls) * 9;
    if below_of_loans < NEARLY_ALL * of_loans || below.is_empty() {
        return false;
    }
    if is_mixed {
        let minor = scope.minor(amount, &scope.name(amount)).sql;
        let sql = scope.as_written(&format!("-1 * {minor}"), amount, &scope.name(amount));
        draft.put("amount_minor", Piece::guess(sql, "written with a minus, taken without"), scope.name(amount), 0.8);
    }
    true
}

/// What names a payment where no column is called so: a column of which every row has its own value, such as a receipt's number, else loan, time and amount. Gives the
/// column.
fn put_number(draft: &mut TableDraft, scope: &Scope) -> Option<ColumnAt> {
    let land = scope.land;
    if let Some(drafted) = draft.column("payment_id") {
        return land.columns(scope.driver).find(|at| scope.name(*at) == drafted.from);
    }
    if let Some((at, worth)) = own_number(land, scope.driver) {
        let name = scope.name(at);
        draft.put("payment_id", Piece::sure(scope.id_of(at, &name)), name, worth);
        return Some(at);
    }
    let parts: Vec<&str> = ["loan_id", "paid_at", "amount_minor"]
        .iter()
        .filter_map(|column| draft.column(column))
        .map(|drafted| drafted.sql.as_str())
        .collect();
    if parts.len() == 3 && scope.is_text() {
        let note = "payments have no number: loan, time and amount name one, so that two alike on one day count once";
        draft.put("payment_id", Piece::guess(parts.join(" || '-' || "), note), "loan, time and amount", 0.5);
    }
    None
}

/// Whether a column is a running number that begins anew in each file: each value once a file, and of another loan or time in the next. Rows that are sent again
/// say the same.
fn is_running_number_of_files(land: &Landscape, at: ColumnAt) -> bool {
    let cells = land.column(at);
    let Some((loan, _)) = land.naming(at.table, C::Loan).filter(|(loan, _)| *loan != at) else { return false };
    if !cells.is_like_an_id() || cells.is_unique() || !cells.names_every_row() {
        return false;
    }
    let differs = |other: ColumnAt| {
        let (repeated, alike) = land.table(at.table).alike_within(at.column, other.column);
        alike * 2 < repeated
    };
    // Of times one may be that of sending.
    let mut times = land.columns(at.table).filter(|other| land.column(*other).is_time()).peekable();
    differs(loan) || (times.peek().is_some() && times.all(differs))
}

/// A column of which every row has its own value, and that is no count of the file's rows: of those that are called a number or a reference before others.
fn own_number(land: &Landscape, table: usize) -> Option<(ColumnAt, f64)> {
    let worth = |at: ColumnAt| -> Option<f64> {
        let (cells, name) = (land.column(at), land.column_name(at));
        let names_a_thing = name.says(C::Id) || name.says(C::Order) || name.says(C::Payment);
        let is_called_so = names_a_thing || (name.says(C::Number) && !name.concepts.contains(&C::Loan));
        // `No.` from 1 on counts the rows of this file; those of the next begin with 1 again.
        if cells.is_unique_counter() && !names_a_thing {
            return None;
        }
        if is_called_so { Some(0.9) } else { (cells.kind == ValueKind::Text).then_some(0.6) }
    };
    let own = land.columns(table).filter(|at| {
        let cells = land.column(*at);
        let names_another = land.named.get(at).is_some_and(|(meant, _)| !matches!(meant, C::Payment | C::Order));
        cells.names_every_row() && cells.is_like_an_id() && !names_another && !is_running_number_of_files(land, *at)
    });
    let worths = own.filter_map(|at| Some((at, worth(at)?)));
    worths.max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
}

/// Leaves out what was paid out to the borrower, which is no repayment: the kinds that say so, which are given.
fn skip_paid_out(draft: &mut TableDraft, scope: &Scope, loans: usize) -> BTreeSet<String> {
    let land = scope.land;
    let raw = land.table(scope.driver);
    let of_loan = |column: &'static str| assign(land, loans, &LOANS, &[column], true, &BTreeSet::new()).remove(column);
    let own =
        |column: &'static str| assign(land, scope.driver, &PAYMENTS, &[column], true, &BTreeSet::new()).remove(column);
    let paid_out = || -> Option<Vec<bool>> {
        let names = land.naming(scope.driver, C::Loan)?.0;
        let same = [
            (own("amount_minor")?.at, of_loan("principal_minor")?.at),
            (own("paid_at")?.at, of_loan("disbursed_at")?.at),
        ];
        Some(land.folder.repeats((names, land.key(loans, C::Loan)?), &same))
    };
    let paid_out = paid_out().unwrap_or_default();
    let kinds = land
        .columns(scope.driver)
        .filter(|at| land.column_name(*at).says(C::Kind) && (2..=MAX_STATES).contains(&land.column(*at).words.len()));
    let mut skipped = BTreeSet::new();
    for kind in kinds {
        let mut shares = raw.share_by_word(kind.column, &paid_out);
        for word in land.column(kind).words.keys() {
            shares.entry(word.clone()).or_default();
        }
        let says = |word: &str| super::names::Name::of(word).says(C::Disbursed);
        let is_payout = |(word, share): &(&String, &f64)| **share >= 0.9 || says(word);
        let words: Vec<&str> = shares.iter().filter(is_payout).map(|(word, _)| word.as_str()).collect();
        if !words.is_empty() && words.len() < shares.len() {
            let why = "say what was paid out to the borrower, on the loan's day: no repayment";
            skip_named(draft, scope, kind, &words, why);
            skipped.extend(words.into_iter().map(str::to_owned));
        }
    }
    skipped
}

/// Rows that take a payment back are no payments: they are skipped, and the payment that each of them names is reversed on its day. Where nothing names it, a person must
/// say which payments did not stay.
fn taken_back(
    draft: &mut TableDraft,
    scope: &Scope,
    number: Option<ColumnAt>,
    others: &BTreeSet<String>,
    below_zero: bool,
) {
    let land = scope.land;
    let found = |column| assign(land, scope.driver, &PAYMENTS, &[column], true, &BTreeSet::new()).remove(column);
    let (amount, when) = (found("amount_minor").map(|found| found.at), found("paid_at").map(|found| found.at));
    // What is paid off an account stands below zero there.
    let signed = amount.filter(|_| !below_zero);
    let Some(back) = rows_that_take_back(scope, signed, number, others) else { return };
    draft.skip(back.skipped(scope, "take a payment back: they are none"));
    if draft.has("reversed_at") {
        return;
    }
    let named = back.names.zip(when).zip(draft.column("payment_id").map(|drafted| drafted.sql.clone()));
    let Some(((original, when), payment)) = named else {
        let why = format!(
            "{} take back what was paid ({}), and nothing says which payment: write when a payment was reversed, and NULL for those that stayed",
            back.rows_in_words(),
            back.told
        );
        draft.put_gap("reversed_at", "nothing names the payment", &why);
        return;
    };
    let rows = scope.twin("reversals");
    let name = free_name(land, "reversed");
    let id = rows.id_of(original, &rows.name(original));
    let at = rows.render(Type::Instant, "reversed_at", when, &rows.name(when)).sql;
    let body = format!(
        "SELECT\n    {id} AS payment,\n    MIN({at}) AS reversed_at\nFROM {}\nWHERE {}\nGROUP BY {id}",
        rows.driver_name(),
        back.condition(&rows)
    );
    draft.twin = rows.twin_of();
    draft.needs_all = true;
    draft.with.push((name.clone(), body));
    draft.joins.push(format!("LEFT JOIN {name} ON {payment} = {name}.payment"));
    let note = "the day of the row that takes it back; a part of a payment takes all of it back";
    draft.put("reversed_at", Piece::guess(format!("{name}.reversed_at"), note), scope.name(original), 0.7);
}

/// Leaves out payments that failed, bounced or have not arrived, where nothing says when they did not stay.
fn did_not_stay(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let reversed_at = draft.column("reversed_at").filter(|_| draft.twin.is_none());
    let reversed_at = reversed_at.and_then(|drafted| land.column_at(scope.driver, &drafted.from));
    let is_dated = |at: ColumnAt, word: &str| {
        let dated = reversed_at.map(|time| land.table(scope.driver).filled_by_word(at.column, time.column, |_| true));
        dated.is_some_and(|dated| dated.get(word).is_some_and(|share| *share >= 1.0))
    };
    let flags = land.columns(scope.driver).filter(|at| {
        let name = land.column_name(*at);
        let is_called_so = name.says(C::Reversed) || name.says(C::Refund) || name.says(C::Chargeback);
        is_called_so && !land.column(*at).is_time() && (1..=2).contains(&land.column(*at).words.len())
    });
    for flag in flags {
        let reversed = words::yes(land.column(flag));
        let is_all = land.column(flag).rows_with(&reversed) == land.column(flag).rows();
        if let [word] = reversed.as_slice()
            && !is_dated(flag, word)
            && !is_all
        {
            skip_named(draft, scope, flag, &reversed, "were reversed, and nothing says when");
        }
    }
    let states = land.columns(scope.driver).filter(|at| {
        let name = land.column_name(*at);
        (name.says(C::Status) || name.says(C::Outcome)) && (2..=MAX_STATES).contains(&land.column(*at).words.len())
    });
    for state in states {
        let never = words::never_stayed(land.column(state));
        let is_some = !never.is_empty() && never.len() < land.column(state).words.len();
        let undated: Vec<&str> = never.into_iter().filter(|word| !is_dated(state, word)).collect();
        if is_some && !undated.is_empty() {
            skip_named(draft, scope, state, &undated, "did not arrive or did not stay, and nothing says when");
        }
    }
}
