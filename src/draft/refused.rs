//! Sales and payments that were asked for and refused, as a flag or a code beside them says: a card that was declined brought nobody money.

use super::ends::MAX_STATES;
use super::landscape::Landscape;
use super::not_meant::skip_words;
use super::scope::Scope;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use super::words;
use crate::profile::ColumnAt;

/// Where more of the rows are refused, the column means something else: that approval was asked for, or is still to come.
const MOST: f64 = 0.5;
/// Words of what has to be approved, and is not.
const MAY_BE: [&str; 7] = ["requir", "need", "allow", "elig", "able", "auto_", "limit"];

/// Leaves out rows that were refused.
pub(super) fn skip_refused(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let mut columns = land.columns(scope.driver);
    let mut others = columns.clone();
    let flagged = columns.find_map(|at| Some((at, no_of_flag(land, at)?)));
    let Some((at, refused)) = flagged.or_else(|| others.find_map(|at| Some((at, refusing_codes(land, at)?)))) else {
        return;
    };
    let which = format!(
        "with {} in {} were refused: nothing was sold or paid.",
        words::listed(&refused),
        scope.column_name(at)
    );
    skip_words(draft, scope, at, &refused, &which);
}

fn is_few(land: &Landscape, at: ColumnAt, words: &[&str]) -> bool {
    let raw = land.column(at);
    !words.is_empty() && (raw.rows_with(words) as f64) < MOST * (raw.rows() - raw.nulls) as f64
}

/// The words of a flag called approved or captured that say no.
fn no_of_flag<'a>(land: &Landscape<'a>, at: ColumnAt) -> Option<Vec<&'a str>> {
    const SUCCEEDED: [&str; 8] =
        ["captured", "succe", "accepted", "confirmed", "exitos", "sucesso", "is_paid", "ispaid"];
    let raw = land.column(at);
    let lower = raw.name.to_lowercase();
    let is_called_so =
        lower == "paid" || land.column_name(at).says(C::Approved) || SUCCEEDED.iter().any(|word| lower.contains(word));
    let (yes, no) = (words::yes(raw), words::no(raw));
    let is_flag = !yes.is_empty() && !no.is_empty() && yes.len() + no.len() == raw.words.len();
    let may_be = MAY_BE.iter().any(|word| lower.contains(word));
    (is_called_so && is_flag && !may_be && !raw.is_time() && is_few(land, at, &no)).then_some(no)
}

/// The codes of an issuer's answer that are not its zero: `00` is approved, and every other number says why not.
fn refusing_codes<'a>(land: &Landscape<'a>, at: ColumnAt) -> Option<Vec<&'a str>> {
    const ANSWERS: [&str; 9] =
        ["response", "respcode", "resp_code", "resp code", "resposta", "respuesta", "reponse", "antwort", "应答"];
    const ZEROS: [&str; 2] = ["00", "000"];
    let raw = land.column(at);
    let lower = raw.name.to_lowercase();
    let is_called_so = ANSWERS.iter().any(|word| lower.contains(word));
    let are_codes = (2..=MAX_STATES).contains(&raw.words.len()) && raw.longest <= 3;
    let words = raw.words.keys().map(String::as_str);
    let (granted, refused): (Vec<&str>, Vec<&str>) = words.partition(|word| ZEROS.contains(word));
    (is_called_so && are_codes && !granted.is_empty() && is_few(land, at, &refused)).then_some(refused)
}
