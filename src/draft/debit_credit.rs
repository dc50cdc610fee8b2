//! Statements of accounts that write what came in and what went out in two columns: a row has one of both.

use super::landscape::Landscape;
use super::names;
use super::scope::Scope;
use super::table_draft::{Skipped, TableDraft};
use crate::profile::{ColumnAt, RawColumn, RawTable};

/// The two columns of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DebitCredit {
    /// What went out.
    pub debit: ColumnAt,
    /// What came in.
    pub credit: ColumnAt,
}

/// Words of names of what came in, as the owner of the account sees it. Without accents and in small letters.
const CREDIT: [&str; 37] = [
    "credit", "credits", "cr", "deposit", "deposits", "deposited", "in", "paidin", "moneyin", "inflow", "inflows",
    "received", "haben", "eingang", "gutschrift", "abono", "abonos", "haber", "entrada", "entradas", "ingresos",
    "credito", "creditos", "alacak", "giris", "girıs", "avere", "entrate", "uznanie", "uznania", "wplywy", "kredit",
    "masuk", "收入", "贷方", "入金", "입금",
];
/// The same of what went out.
const DEBIT: [&str; 39] = [
    "debit", "debits", "dr", "withdrawal", "withdrawals", "withdrawn", "out", "paidout", "moneyout", "outflow",
    "outflows", "spent", "soll", "ausgang", "lastschrift", "cargo", "cargos", "debe", "saida", "saidas", "egresos",
    "debito", "debitos", "borc", "cikis", "cıkıs", "dare", "uscite", "obciazenie", "obciazenia", "wyplywy", "debet",
    "keluar", "支出", "借方", "出金", "출금", "payments", "retiros",
];
/// Words that may stand beside them.
const BESIDE: [&str; 24] = [
    "amount", "amt", "money", "paid", "total", "value", "sum", "betrag", "umsatz", "importe", "monto", "valor",
    "tutar", "tutari", "kwota", "amounts", "transaction", "金额", "金額", "jumlah", "inr", "usd", "eur", "kes",
];
/// Of the rows so many have one of both.
const NEARLY_ALL: f64 = 0.98;
/// Fewer rows show nothing.
const FEWEST: usize = 20;

/// Whether a name is one of these words, with nothing but an amount or a currency beside it.
fn is_called(raw: &RawColumn, any: &[&str]) -> bool {
    let words = names::words(&raw.name);
    // Scripts that write words together write an amount behind.
    let is_together = |word: &str, known: &&str| {
        let rest = word.strip_prefix(known).filter(|_| !known.is_ascii());
        rest.is_some_and(|rest| BESIDE.contains(&rest))
    };
    let is_one = |word: &String| any.contains(&word.as_str()) || any.iter().any(|known| is_together(word, known));
    let (said, others): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| is_one(word));
    !said.is_empty() && others.iter().all(|word| BESIDE.contains(&word.as_str()))
}

/// The two columns of a table that writes its amounts so.
pub(super) fn of(raw: &RawTable, table: usize) -> Option<DebitCredit> {
    let called = |any: &'static [&'static str]| {
        raw.columns.iter().enumerate().filter(|(_, column)| column.is_number() && is_called(column, any))
    };
    called(&CREDIT).find_map(|(credit, came_in)| {
        let (debit, _) =
            called(&DEBIT).find(|(debit, went_out)| *debit != credit && have_one_of_both(came_in, went_out))?;
        Some(DebitCredit { debit: ColumnAt { table, column: debit }, credit: ColumnAt { table, column: credit } })
    })
}

/// Whether nearly all rows have an amount in one of two columns, and both columns have some.
fn have_one_of_both(first: &RawColumn, second: &RawColumn) -> bool {
    let is_there = |number: &Option<f64>| number.is_some_and(|number| number != 0.0);
    let both = || first.numbers.sample.iter().zip(&second.numbers.sample).map(|(a, b)| (is_there(a), is_there(b)));
    let sampled = both().count();
    let rows = both().filter(|(a, b)| *a || *b).count();
    // A till has such columns too, for what was paid by card; what was paid in cash has neither.
    let have_either = rows as f64 >= NEARLY_ALL * sampled as f64;
    let one = both().filter(|(a, b)| a != b).count();
    let has = |column: &RawColumn| column.numbers.sample.iter().any(is_there);
    have_either && rows >= FEWEST && one as f64 >= NEARLY_ALL * rows as f64 && has(first) && has(second)
}

/// Leaves out of the sales what went out of the account.
pub(super) fn skip_debits(draft: &mut TableDraft, scope: &Scope) {
    let land: &Landscape = scope.land;
    let Some(DebitCredit { debit, credit }) = land.debit_credit(scope.driver) else { return };
    let (came_in, went_out) = (land.column(credit), land.column(debit));
    let cell = scope.bare(credit);
    let number = scope.number(credit, &cell);
    let empty = came_in.numbers.sample.iter().filter(|number| number.is_none_or(|number| number == 0.0)).count();
    draft.skip(Skipped {
        why: format!(
            "row(s) without an amount in {:?} brought nothing in: what went out of an account stands in {:?}.",
            came_in.name, went_out.name
        ),
        // What cannot be read is not passed over.
        keeps: format!("({cell} IS NOT NULL AND COALESCE({number} <> 0, TRUE))"),
        share: empty as f64 / came_in.numbers.sample.len().max(1) as f64,
    });
}

/// Says what else may have come in.
pub(super) fn tell_credits(draft: &mut TableDraft, scope: &Scope) {
    let Some(sides) = scope.land.debit_credit(scope.driver) else { return };
    draft.look_at(
        "amount_minor",
        &format!(
            "all that came in by {:?} is taken for sales: leave out by `where` what is none, such as transfers between own accounts, loans and paid-in capital",
            scope.land.column(sides.credit).name
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_pair(credit: &str, debit: &str) -> bool {
        let column = |name: &str, is_credit: bool| {
            let cells: Vec<String> = (0..40)
                .map(|n| if (n % 4 != 0) == is_credit { format!("1{n}.50") } else { "0.00".to_owned() })
                .collect();
            RawColumn::of_texts(name, &cells.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let (credit, debit) = (column(credit, true), column(debit, false));
        is_called(&credit, &CREDIT) && is_called(&debit, &DEBIT) && have_one_of_both(&credit, &debit)
    }

    #[test]
    fn columns_of_two_sides_are_known_by_their_names_and_rows() {
        for (credit, debit) in [
            ("Deposits", "Withdrawals"),
            ("Paid In", "Withdrawn"),
            ("Credit Amount (INR)", "Debit Amount (INR)"),
            ("Alacak", "Borç"),
            ("Haben", "Soll"),
            ("Crédito", "Débito"),
            ("Abonos", "Cargos"),
            ("收入金额", "支出金额"),
        ] {
            assert!(is_pair(credit, debit), "{credit}, {debit}");
        }
        for (credit, debit) in [("Credit limit", "Debit card"), ("Deposit id", "Withdrawals"), ("In stock", "Sold out")]
        {
            assert!(!is_pair(credit, debit), "{credit}, {debit}");
        }
        // Half of a till's sales are paid in cash.
        let tender = |part: usize| {
            let cells: Vec<&str> = (0..80).map(|n| if n % 4 == part { "12.50" } else { "" }).collect();
            RawColumn::of_texts("Credit", &cells)
        };
        assert!(!have_one_of_both(&tender(0), &tender(1)));
        let full = RawColumn::of_texts("Deposits", &["1.5"; 40]);
        assert!(!have_one_of_both(&full, &full));
    }
}
