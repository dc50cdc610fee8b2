//! Payments that are authorised first and captured later, each in a row of its own: only what was captured was sold.

use super::ends::MAX_STATES;
use super::lending::skip_named;
use super::names;
use super::scope::Scope;
use super::table_draft::TableDraft;
use crate::profile::{ColumnAt, RawTable};

const AUTHORISES: [&str; 20] = [
    "auth", "auths", "authorization", "authorisation", "authorize", "authorise", "authorized", "authorised", "preauth",
    "preauthorization", "preauthorisation", "autorizacion", "autorizacao", "autorisation", "autorisierung",
    "autorizzazione", "autoryzacja", "provizyon", "预授权", "授权",
];
const CAPTURES: [&str; 17] = [
    "capture", "captured", "settle", "settlement", "settled", "clearing", "presentment", "completion", "captura",
    "einzug", "cattura", "remise", "obciazenie", "请款", "预授权完成", "清算", "结算",
];

fn is_one_of(word: &str, any: &[&str]) -> bool {
    names::words(word).iter().any(|part| any.contains(&part.as_str()))
}

/// Leaves out the rows that authorise what others of the table capture.
pub(super) fn skip_authorisations(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let raw = land.table(scope.driver);
    let found = land.columns(scope.driver).find_map(|at| {
        let cells = land.column(at);
        let captures = |word: &str| is_one_of(word, &CAPTURES);
        let authorises = |word: &str| is_one_of(word, &AUTHORISES) && !captures(word);
        let said: Vec<&str> = cells.words.keys().map(String::as_str).filter(|word| authorises(word)).collect();
        let is_kind = (2..=MAX_STATES).contains(&cells.words.len()) && !said.is_empty();
        if !is_kind || !cells.words.keys().any(|word| captures(word)) {
            return None;
        }
        let (first, later) = (raw.rows_with_words(at.column, authorises), raw.rows_with_words(at.column, captures));
        name_what_was_authorised(land.columns(scope.driver), raw, &first, &later).then_some((at, said))
    });
    if let Some((at, said)) = found {
        skip_named(draft, scope, at, &said, "only authorise what a later row captures: that row is the sale");
    }
}

/// Whether nearly every capture has its own reference that an authorisation has too. Two states of one payment share none.
fn name_what_was_authorised(
    columns: impl Iterator<Item = ColumnAt> + Clone,
    raw: &RawTable,
    first: &[usize],
    later: &[usize],
) -> bool {
    const NEARLY_ALL: f64 = 0.9;
    /// Of fewer captures nothing follows for the authorisations.
    const FEWEST: usize = 20;
    /// What is authorised is mostly authorised once.
    const MOSTLY: f64 = 0.5;
    if later.len() < FEWEST {
        return false;
    }
    let names_one = |own: ColumnAt, other: ColumnAt| {
        raw.share_of_rows_met(own.column, later, other.column, first) >= NEARLY_ALL
            && raw.share_of_own(own.column, later) >= NEARLY_ALL
            && raw.share_of_own(other.column, first) >= MOSTLY
    };
    let is_like_an_id =
        |at: &ColumnAt| raw.columns.get(at.column).is_some_and(crate::profile::RawColumn::is_like_an_id);
    let ids = columns.filter(is_like_an_id);
    ids.clone().any(|own| ids.clone().any(|other| names_one(own, other)))
}
