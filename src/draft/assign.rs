//! Gives each contract column at most one raw column, the surest first.

use std::collections::{BTreeMap, BTreeSet};

use super::landscape::{Found, Landscape};
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::words;
use crate::contract::{TableContract, Type};
use crate::profile::ColumnAt;

/// The raw column of each of these contract columns that has one. No raw column serves two; where a required column would have none, it takes what only an
/// optional one was given.
pub(super) fn assign(
    land: &Landscape,
    driver: usize,
    table: &'static TableContract,
    columns: &[&'static str],
    own_only: bool,
    taken: &BTreeSet<ColumnAt>,
) -> BTreeMap<&'static str, Found> {
    let mut offers: Vec<(&'static str, Found)> = columns
        .iter()
        .flat_map(|column| {
            land.candidates(driver, table, column, own_only).into_iter().map(move |found| (*column, found))
        })
        .collect();
    offers.sort_by(|a, b| b.1.score.total_cmp(&a.1.score).then_with(|| a.1.at.cmp(&b.1.at)).then_with(|| a.0.cmp(b.0)));
    let mut given: BTreeMap<&'static str, Found> = BTreeMap::new();
    let mut used = taken.clone();
    for (column, found) in &offers {
        if !given.contains_key(column) && used.insert(found.at) {
            given.insert(column, found.clone());
        }
    }
    let is_required = |column: &str| table.column(column).is_some_and(|known| known.required);
    for (column, found) in offers.iter().filter(|(column, _)| is_required(column)) {
        let holder = given.iter().find(|(_, held)| held.at == found.at).map(|(holder, _)| *holder);
        if let Some(holder) = holder.filter(|holder| !given.contains_key(column) && !is_required(holder)) {
            given.remove(holder);
            given.insert(column, found.clone());
        }
    }
    given
}

/// Puts a found column into a draft, as the contract wants it. Says whether that could be done.
pub(super) fn put_found(draft: &mut TableDraft, scope: &mut Scope, column: &'static str, found: &Found) -> bool {
    let Some(known) = draft.table.column(column) else { return false };
    let sql = scope.reach(found);
    let raw = scope.land.column(found.at);
    let from = scope.column_name(found.at);
    let piece = match known.kind {
        Type::Word(allowed) => {
            match words::mapped(draft.table.name, column, raw, &scope.id_of(found.at, &sql), allowed) {
                Some(mapped) if mapped == sql => Piece::sure(mapped),
                Some(mapped) => Piece::guess(mapped, format!("words of {from} as the contract's: compare them")),
                None => return false,
            }
        }
        kind => scope.render(kind, column, found.at, &sql),
    };
    draft.put(column, piece, from.clone(), found.score);
    if column == "stars"
        && let Some(why) = super::stars::doubt(raw, &from)
    {
        draft.doubt(column, &why);
    }
    true
}

/// A name for a WITH part that no input has.
pub(super) fn free_name(land: &Landscape, base: &str) -> String {
    let is_taken = |name: &str| land.folder.tables.iter().any(|table| table.name == name);
    let mut name = base.to_owned();
    while is_taken(&name) {
        name.push_str("_of_job");
    }
    name
}
