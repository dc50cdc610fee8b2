//! Rows of a table of payments or orders that take back what another row says: reversals, refunds and chargebacks among the rows that they undo.

use std::collections::BTreeSet;

use super::ends::MAX_STATES;
use super::scope::Scope;
use super::table_draft::Skipped;
use super::vocabulary::Concept as C;
use super::words;
use crate::profile::ColumnAt;

/// Of the rows of a table, so many may take others back; where more are negative, the sign means something else.
pub(super) const MAX_SHARE: f64 = 0.4;

/// Rows that take others back, and how they are told from the others.
pub(super) struct TakenBack {
    /// Words of a column that says what a row is.
    kind: Option<(ColumnAt, Vec<String>)>,
    /// The amount, where it is below zero.
    negative: Option<ColumnAt>,
    /// The column of the rows that each of them takes back, where there is one.
    pub names: Option<ColumnAt>,
    /// Where none has their key: a column whose value each of them has in common with the one row that it takes back.
    pub shares: Option<ColumnAt>,
    /// How they are told, for a person.
    pub told: String,
    /// Whether amounts of some of them are below zero.
    pub are_negative: bool,
    rows: Vec<usize>,
    share: f64,
}

/// The rows of a driving table that take others back, if it has any. `amount` is its sum, `key` what names its rows, `others` are words of kinds that mean
/// something else.
pub(super) fn rows_that_take_back(
    scope: &Scope,
    amount: Option<ColumnAt>,
    key: Option<ColumnAt>,
    others: &BTreeSet<String>,
) -> Option<TakenBack> {
    let land = scope.land;
    let raw = land.table(scope.driver);
    let is_few = |rows: usize| rows > 0 && rows as f64 <= MAX_SHARE * raw.rows as f64;
    let kinds = || {
        land.columns(scope.driver).filter(|at| {
            land.column_name(*at).says(C::Kind) && (2..=MAX_STATES).contains(&land.column(*at).words.len())
        })
    };
    // Negative rows of another kind, such as what was paid out, are no reversals.
    let of_others: BTreeSet<usize> =
        kinds().flat_map(|at| raw.rows_with_words(at.column, |word| others.contains(word))).collect();
    let below_zero: Vec<usize> = amount.map_or_else(Vec::new, |at| land.column(at).numbers.negative.clone());
    let below_zero: Vec<usize> = below_zero.into_iter().filter(|row| !of_others.contains(row)).collect();
    let negative = amount.filter(|_| is_few(below_zero.len()));
    let kind = kinds().find_map(|at| {
        let said: Vec<String> = words::take_back(land.column(at))
            .into_iter()
            .filter(|word| !others.contains(*word))
            .map(str::to_owned)
            .collect();
        let rows = raw.rows_with_words(at.column, |word| said.iter().any(|known| known == word));
        is_few(rows.len()).then_some((at, said, rows))
    });
    let are_negative = negative.is_some();
    // Where kinds tell all of them from rows of other business below zero, the sign tells nothing more.
    let is_told_by_kind =
        |rows: &[usize]| kind.as_ref().is_some_and(|(.., of_kind)| rows.iter().all(|row| of_kind.contains(row)));
    let negative = negative.filter(|_| of_others.is_empty() || !is_told_by_kind(&below_zero));
    let mut rows: BTreeSet<usize> = kind.iter().flat_map(|(.., rows)| rows.iter().copied()).collect();
    if negative.is_some() {
        rows.extend(below_zero);
    }
    if rows.is_empty() {
        return None;
    }
    let mut told: Vec<String> = Vec::new();
    if let Some((at, said, _)) = &kind {
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        told.push(format!("{} in {:?}", words::listed(&said), land.column(*at).name));
    }
    told.extend(negative.map(|at| format!("{:?} below zero", land.column(at).name)));
    let rows: Vec<usize> = rows.into_iter().collect();
    let names = key.and_then(|key| what_they_name(scope, key, &rows));
    let shares = key.filter(|_| names.is_none()).and_then(|key| what_they_share(scope, key, &rows, &of_others));
    Some(TakenBack {
        names,
        shares,
        are_negative,
        kind: kind.map(|(at, said, _)| (at, said)),
        negative,
        told: told.join(" or "),
        share: rows.len() as f64 / raw.rows.max(1) as f64,
        rows,
    })
}

/// The column in which these rows name those that they take back: one that the others leave empty before one that all have, which names nothing else; or the rows' own
/// key, where each of them has that of another row.
pub(super) fn what_they_name(scope: &Scope, key: ColumnAt, rows: &[usize]) -> Option<ColumnAt> {
    const MOST: f64 = 0.5;
    /// So many rows take one and the same row back, on average, at the most.
    const FEWEST: usize = 5;
    let land = scope.land;
    let raw = land.table(scope.driver);
    // A year, or another number of which there are few, is found among the numbers of orders by chance.
    let tells_apart = |at: &ColumnAt| land.column(*at).distinct * FEWEST >= rows.len();
    let columns =
        land.columns(scope.driver).filter(|at| *at != key && land.column(*at).is_like_an_id() && tells_apart(at));
    let found = columns.filter_map(|at| {
        let share = raw.share_found_in(at.column, key.column, rows);
        let is_theirs = (raw.rows - land.column(at).nulls) as f64 <= MAX_SHARE * raw.rows as f64;
        let names_another =
            land.named.get(&at).is_some_and(|known| land.named.get(&key).is_none_or(|own| own.0 != known.0));
        (share > MOST && (is_theirs || !names_another)).then_some((is_theirs, share, at))
    });
    let other = found.max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then_with(|| b.2.cmp(&a.2)));
    let repeats = || {
        let cells = land.column(key);
        let again = raw.rows.saturating_sub(cells.nulls + cells.distinct);
        let is_so = again <= rows.len() && again as f64 > MOST * rows.len() as f64;
        is_so.then_some(key)
    };
    other.map(|(.., at)| at).or_else(repeats)
}

/// The column in which these rows have a value of one other row, where the key of the table tells all rows apart: the number of an order in a book whose lines have numbers of
/// their own. Who sells and who buys is in common with many.
fn what_they_share(scope: &Scope, key: ColumnAt, rows: &[usize], of_others: &BTreeSet<usize>) -> Option<ColumnAt> {
    const MOST: f64 = 0.9;
    let land = scope.land;
    let raw = land.table(scope.driver);
    let is_sale = |row: &usize| rows.binary_search(row).is_err() && !of_others.contains(row);
    let sales: Vec<usize> = (0..raw.rows).filter(is_sale).collect();
    let columns = land.columns(scope.driver).filter(|at| *at != key && land.column(*at).is_like_an_id());
    columns.into_iter().find(|at| raw.share_named_once(at.column, rows, &sales).is_some_and(|share| share >= MOST))
}

impl TakenBack {
    /// The condition that they meet, by the names of `scope`.
    pub(super) fn condition(&self, scope: &Scope) -> String {
        self.condition_on(scope, &|at| scope.name(at))
    }

    fn condition_on(&self, scope: &Scope, name: &dyn Fn(ColumnAt) -> String) -> String {
        let mut conditions = Vec::new();
        if let Some((at, said)) = &self.kind {
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            conditions.push(format!("{} IN ({})", scope.id_of(*at, &name(*at)), words::listed(&said)));
        }
        conditions.extend(self.negative.map(|at| format!("{} < 0", scope.number(at, &name(at)))));
        conditions.iter().map(|condition| format!("COALESCE({condition}, FALSE)")).collect::<Vec<_>>().join(" OR ")
    }

    /// The column that says what went back: `amount`, or where it is blank on these rows, another that is filled on them, as a debit stands beside a credit. Kinds on
    /// which that is blank too take nothing back, and are no more among these rows.
    pub(super) fn amount_of(&mut self, scope: &Scope, amount: ColumnAt) -> ColumnAt {
        const DEBITS: [&str; 6] = ["debit", "soll", "debe", "debito", "débito", "dare"];
        const MOST: f64 = 0.5;
        let land = scope.land;
        let Some((kind, said)) = &mut self.kind else { return amount };
        let raw = land.table(scope.driver);
        let filled = |at: ColumnAt, word: &str| {
            raw.filled_by_word(kind.column, at.column, |_| true).get(word).copied().unwrap_or_default()
        };
        let is_on_any = |at: ColumnAt, said: &[String]| said.iter().any(|word| filled(at, word) > MOST);
        if said.iter().any(|word| filled(amount, word) > MOST && !is_undone(word)) {
            return amount;
        }
        let mut others = land
            .columns(scope.driver)
            .filter(|at| *at != amount && land.column(*at).is_number() && land.column(*at).is_called(&DEBITS));
        let Some(other) = others.find(|at| is_on_any(*at, said)) else { return amount };
        said.retain(|word| filled(other, word) > MOST);
        other
    }

    /// Leaves them out.
    pub(super) fn skipped(&self, scope: &Scope, why: &str) -> Skipped {
        let condition = self.condition_on(scope, &|at| scope.bare(at));
        Skipped {
            why: format!("{} with {} {why}.", self.rows_in_words(), self.told),
            keeps: format!("NOT ({condition})"),
            share: self.share,
        }
    }

    pub(super) fn rows_in_words(&self) -> String {
        format!("{} row(s)", self.rows.len())
    }

    /// Whether a column says what a row is.
    pub(super) const fn has_kind(&self) -> bool {
        self.kind.is_some()
    }

    /// Share of them whose time is after the first of the rows that have the same value in `key`.
    pub(super) fn share_after_first(&self, scope: &Scope, key: ColumnAt, time: ColumnAt) -> f64 {
        scope.land.table(scope.driver).share_after_first(key.column, time.column, &self.rows)
    }
}

/// Whether a kind says that what was taken back was given again: a chargeback that the merchant won.
fn is_undone(word: &str) -> bool {
    let lower = word.to_lowercase();
    lower.contains("revers") && (lower.contains("chargeback") || lower.contains("refund"))
}
