//! Rows of a driving table that are not meant: test orders, and orders, disputes and loans in other currencies than the job's. The job counts them as
//! skipped, and with them what names them.

use super::scope::Scope;
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{LOANS, ORDERS};
use crate::profile::{ColumnAt, RawColumn};

/// Columns that mark rows which somebody made to try the shop.
const TEST_FLAGS: [&str; 9] =
    ["test", "is_test", "istest", "test_order", "testmode", "test_mode", "is_test_order", "sandbox", "is_sandbox"];
/// Columns that people write marks into, several in a cell.
const TAGS: [&str; 16] = [
    "tag", "tags", "order_tags", "order tags", "label", "labels", "flags", "etiqueta", "etiquetas", "etiquette",
    "etiquettes", "etichetta", "etichette", "etiket", "etiketler", "schlagworte",
];
/// Marks of rows that somebody made to try the shop.
const TEST_WORDS: [&str; 16] = [
    "test", "tests", "testing", "test order", "test-order", "testorder", "testbestellung", "teste", "prueba",
    "pruebas", "essai", "deneme", "sandbox", "测试", "テスト", "테스트",
];
/// Columns that mark rows which nobody made to try the shop.
const LIVE_FLAGS: [&str; 4] = ["livemode", "live_mode", "is_live", "live"];
/// Columns that say in a word whether a row was made in earnest.
const ENVIRONMENTS: [&str; 8] = ["domain", "mode", "environment", "env", "umgebung", "ambiente", "entorno", "环境"];
/// Where more of the rows are marked, the column means something else.
const MAX_TEST_SHARE: f64 = 0.2;

/// Leaves out test rows and rows in other currencies.
pub(super) fn skip_rows(draft: &mut TableDraft, scope: &Scope) {
    let raw = scope.land.table(scope.driver);
    let columns = || scope.land.columns(scope.driver).zip(&raw.columns);
    if let Some((column, cells)) = columns().find(|(at, _)| scope.land.column_name(*at).says(C::Currency)) {
        let others = other_currencies(scope, cells, draft.table.name == ORDERS.name);
        if !others.is_empty() {
            let currency = scope.currency.map_or_else(String::new, |currency| currency.code());
            let owed = if draft.table.name == LOANS.name { " What is owed on them is not counted." } else { "" };
            let which = format!("in {} are left out: all amounts of a job are in {currency}.{owed}", others.join(", "));
            skip_words(draft, scope, column, &others, &which);
        }
    }
    other_symbols(draft, scope);
    let flagged = columns().find_map(|(column, cells)| match cells.name.to_lowercase() {
        name if TEST_FLAGS.contains(&name.as_str()) => Some((column, cells, words::yes(cells))),
        name if LIVE_FLAGS.contains(&name.as_str()) => Some((column, cells, words::no(cells))),
        _ => None,
    });
    if let Some((column, cells, marked)) = flagged {
        let rows = cells.rows_with(&marked);
        if rows > 0 && (rows as f64) < MAX_TEST_SHARE * cells.rows() as f64 {
            skip_words(draft, scope, column, &marked, &format!("that {:?} marks are tests.", cells.name));
        }
    }
    tests_by_word(draft, scope);
    deleted(draft, scope);
    sums_of_files(draft, scope);
}

/// Leaves out rows that add up the others of their file: one of a file, with a word for it and hardly another cell.
fn sums_of_files(draft: &mut TableDraft, scope: &Scope) {
    const WORDS: [&str; 28] = [
        "total", "total:", "totals", "totals:", "grand total", "grand total:", "subtotal", "sum", "sum:", "summe",
        "summe:", "gesamt", "gesamt:", "gesamtsumme", "totale", "totale:", "total general", "total geral", "suma",
        "suma:", "razem", "razem:", "toplam", "toplam:", "genel toplam", "итого", "合计", "合計",
    ];
    const MOSTLY: f64 = 0.5;
    let raw = scope.land.table(scope.driver);
    // Wide exports leave many cells empty on every row.
    let usual = raw.share_of_blanks(&(0..raw.rows).collect::<Vec<_>>());
    let least_blank = (usual + 0.2).clamp(MOSTLY, 0.9);
    for at in scope.land.columns(scope.driver) {
        let rows = raw.rows_that_say(at.column, &WORDS);
        let is_one_a_file = !rows.is_empty() && rows.len() <= raw.file_count.max(1) * 2;
        if !is_one_a_file || raw.share_of_blanks(&rows) < least_blank || raw.columns[at.column].is_list {
            continue;
        }
        let cell = scope.id_of(at, &scope.bare(at));
        draft.skip(Skipped {
            why: format!(
                "{} row(s) of which {:?} says that they add up the others.",
                rows.len(),
                raw.columns[at.column].name
            ),
            keeps: format!("COALESCE(LOWER(TRIM({cell})) NOT IN ({}), TRUE)", words::listed(&WORDS)),
            share: rows.len() as f64 / raw.rows.max(1) as f64,
        });
    }
}

/// Leaves out rows that somebody deleted, of which the export keeps a mark: the time of it, or a yes.
fn deleted(draft: &mut TableDraft, scope: &Scope) {
    const MARKS: [&str; 7] =
        ["deleted_at", "deleted_on", "deletedat", "is_deleted", "isdeleted", "deleted", "date_deleted"];
    for at in scope.land.columns(scope.driver) {
        let cells = scope.land.column(at);
        if !MARKS.contains(&cells.name.to_lowercase().as_str()) {
            continue;
        }
        let marked = words::yes(cells);
        let rows = if cells.is_time() { cells.rows() - cells.nulls } else { cells.rows_with(&marked) };
        if rows == 0 || rows * 2 > cells.rows() {
            continue;
        }
        let which = format!("that {:?} calls deleted are left out.", cells.name);
        if cells.is_time() {
            draft.skip(Skipped {
                why: format!("{rows} row(s) {which}"),
                keeps: format!("{} IS NULL", scope.bare(at)),
                share: rows as f64 / cells.rows().max(1) as f64,
            });
        } else {
            skip_words(draft, scope, at, &marked, &which);
        }
    }
}

/// Leaves out rows that a word marks as tests: one of a cell's tags, or all that a status, a kind or a channel says.
fn tests_by_word(draft: &mut TableDraft, scope: &Scope) {
    let raw = scope.land.table(scope.driver);
    for (at, cells) in scope.land.columns(scope.driver).zip(&raw.columns) {
        let is_of_tags = TAGS.contains(&cells.name.to_lowercase().as_str());
        let is_environment = ENVIRONMENTS.contains(&cells.name.to_lowercase().as_str());
        let is_one_word =
            is_environment || [C::Status, C::Kind, C::Channel].iter().any(|c| scope.land.column_name(at).says(*c));
        let is_test = |word: &str| TEST_WORDS.contains(&word.trim().to_lowercase().as_str());
        let says_test =
            |cell: &str| is_test(cell) || (is_of_tags && cell.split(|c: char| !c.is_alphanumeric()).any(is_test));
        let marked: Vec<&str> = cells.words.keys().map(String::as_str).filter(|cell| says_test(cell)).collect();
        let rows = cells.rows_with(&marked);
        if !(is_of_tags || is_one_word) || rows == 0 || rows as f64 >= MAX_TEST_SHARE * cells.rows() as f64 {
            continue;
        }
        let which = format!("that {:?} calls {} are tests.", cells.name, words::listed(&marked));
        if !cells.is_list && !is_of_tags {
            skip_words(draft, scope, at, &marked, &which);
            return;
        }
        let name = scope.bare(at);
        let keeps = if cells.is_list {
            let has = |word: &&str| format!("ARRAY_CONTAINS({name}, '{word}')");
            format!("COALESCE(NOT ({}), TRUE)", marked.iter().map(has).collect::<Vec<_>>().join(" OR "))
        } else {
            // Tomorrow's cells may hold other tags beside it.
            let tags = marked.iter().flat_map(|cell| cell.split(|c: char| !c.is_alphanumeric()).chain([*cell]));
            let words: std::collections::BTreeSet<String> =
                tags.filter(|tag| is_test(tag)).map(|tag| tag.trim().to_lowercase()).collect();
            let words = words.into_iter().collect::<Vec<_>>().join("|");
            format!("COALESCE(NOT regexp_like(LOWER({name}), '(^|[^a-z])({words})([^a-z]|$)'), TRUE)")
        };
        let share = rows as f64 / cells.rows() as f64;
        draft.skip(Skipped { why: format!("{rows} row(s) {which}"), keeps, share });
        return;
    }
}

/// Leaves out orders whose amount has another currency's symbol than most.
fn other_symbols(draft: &mut TableDraft, scope: &Scope) {
    let amount = super::amount::main_amount(scope.land, scope.driver, &|_| true);
    let (true, Some(at)) = (draft.table.name == ORDERS.name, amount.map(|found| found.at)) else { return };
    let cells = scope.land.column(at);
    if cells.numbers.other_symbols.is_empty() {
        return;
    }
    let rows: usize = cells.numbers.other_symbols.values().sum();
    let symbols: Vec<&str> = cells.numbers.other_symbols.keys().map(String::as_str).collect();
    let cell = scope.bare(at);
    let like = |symbol: &&str| format!("{cell} LIKE '%{}%'", symbol.replace('\'', "''"));
    draft.skip(Skipped {
        why: format!(
            "{rows} row(s) whose {:?} is in {} are left out: all amounts of a job are in one currency.",
            cells.name,
            symbols.join(", ")
        ),
        keeps: format!("COALESCE(NOT ({}), TRUE)", symbols.iter().map(like).collect::<Vec<_>>().join(" OR ")),
        share: rows as f64 / cells.rows().max(1) as f64,
    });
}

/// In files of events of all kinds, leaves out lines that name none of what a row is of (an order, a loan), such as transfers and fees of the month. Where a column of kinds tells them, a line of another
/// kind that names none is broken, and is not passed over.
pub(super) fn skip_of_none(draft: &mut TableDraft, scope: &Scope, order: ColumnAt, what: &str) {
    /// Fewer are single faults.
    const MIN_SHARE: f64 = 0.005;
    let land = scope.land;
    let (raw, cells) = (land.table(order.table), land.column(order));
    if order.table != scope.driver || cells.nulls == 0 {
        return;
    }
    let kinds = land.columns(scope.driver).filter(|at| land.column_name(*at).says(C::Kind));
    let told = kinds.filter_map(|kind| {
        let named = raw.filled_by_word(kind.column, order.column, |_| true);
        let (never, ever): (Vec<_>, Vec<_>) = named.into_iter().partition(|(_, share)| *share <= 0.01);
        let is_told = !never.is_empty() && !ever.is_empty() && ever.iter().all(|(_, share)| *share >= 0.95);
        is_told.then(|| (kind, never.into_iter().map(|(word, _)| word).collect::<Vec<String>>()))
    });
    let told = told.into_iter().next();
    if told.is_none() && cells.null_share() < MIN_SHARE {
        return;
    }
    let number = scope.bare(order);
    let (keeps, of_kinds) = match &told {
        Some((kind, never)) => {
            let words: Vec<&str> = never.iter().map(String::as_str).collect();
            let said = words::listed(&words);
            let is_of_these = format!("COALESCE({} IN ({said}), TRUE)", scope.id_of(*kind, &scope.bare(*kind)));
            (
                format!("({number} IS NOT NULL OR NOT {is_of_these})"),
                format!(" (of {said} in {:?})", land.column(*kind).name),
            )
        }
        None => (format!("{number} IS NOT NULL"), String::new()),
    };
    draft.skip(Skipped {
        why: format!("{} row(s) name no {what}{of_kinds}: transfers, fees and the like.", cells.nulls),
        keeps,
        share: cells.null_share(),
    });
}

/// Whether a column says of each row on which side of an account it stands: by its name, or by words that stand for nothing else. A card may be one of credit or debit.
fn tells_side(land: &super::landscape::Landscape, at: ColumnAt) -> bool {
    const DIRECTIONS: [&str; 6] = ["direction", "flow", "side", "sens", "richtung", "sentido"];
    const ABBREVIATIONS: [&str; 4] = ["cr", "dr", "cr.", "dr."];
    let cells = land.column(at);
    let plain: String = cells.name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let names_both = ["drcr", "crdr", "debitcredit", "creditdebit", "sollhaben", "debecredito", "dc", "cd"];
    let is_named_so = names_both.iter().any(|both| plain == *both || (both.len() > 2 && plain.contains(both)));
    let are_abbreviated = cells.words.keys().all(|word| ABBREVIATIONS.contains(&word.to_lowercase().as_str()));
    let has_balance = || land.columns(at.table).any(|other| land.column(other).is_called(&super::amount::BALANCES));
    let is_kind = land.column_name(at).says(C::Kind) && !land.column_name(at).says(C::Payment);
    is_named_so || are_abbreviated || cells.is_called(&DIRECTIONS) || (is_kind && has_balance())
}

/// In books of accounts, leaves out what went out: only what came in was sold. `is_of_accounts`: who sells is called an account; else a column must say on which side rows stand.
pub(super) fn skip_outgoing(draft: &mut TableDraft, scope: &Scope, is_of_accounts: bool) {
    let raw = scope.land.table(scope.driver);
    let columns = scope.land.columns(scope.driver).zip(&raw.columns);
    let found = columns.filter(|(at, _)| is_of_accounts || tells_side(scope.land, *at)).find_map(|(column, cells)| {
        let words: Vec<&str> = cells.words.keys().map(String::as_str).collect();
        let (came_in, went_out): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| words::is_incoming(word));
        let are_told = !came_in.is_empty() && !went_out.is_empty() && went_out.iter().all(|w| words::is_outgoing(w));
        are_told.then_some((column, cells, went_out))
    });
    if let Some((column, cells, went_out)) = found {
        let said = words::listed(&went_out);
        let which = format!("of which {:?} says {said} went out of the account: nothing was sold.", cells.name);
        skip_words(draft, scope, column, &went_out, &which);
    }
}

/// Codes that a column holds beside the job's. Of orders, whose amounts the job's currency is read from, a column that never says it means something else.
fn other_currencies<'a>(scope: &Scope, cells: &'a RawColumn, are_orders: bool) -> Vec<&'a str> {
    let Some(currency) = scope.currency.map(|currency| currency.code()) else { return Vec::new() };
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let words = cells.words.keys().map(String::as_str);
    if are_orders && !cells.words.keys().any(|word| word.eq_ignore_ascii_case(&currency)) {
        return Vec::new();
    }
    words.filter(|word| is_code(word) && !word.eq_ignore_ascii_case(&currency)).collect()
}

/// Leaves out the rows that have one of these words in a column; `which` says which they are, and why. A row whose cell is empty is meant.
pub(super) fn skip_words(draft: &mut TableDraft, scope: &Scope, at: ColumnAt, words: &[&str], which: &str) {
    let cells = scope.land.column(at);
    let rows = cells.rows_with(words);
    let cell = scope.id_of(at, &scope.bare(at));
    draft.skip(Skipped {
        why: format!("{rows} row(s) {which}"),
        keeps: format!("COALESCE({cell} NOT IN ({}), TRUE)", words::listed(words)),
        share: rows as f64 / cells.rows().max(1) as f64,
    });
}
