//! What drafted tables say of each other, measured: a column that is called a merchant's and has no merchant's number is none that was found.

use super::landscape::Landscape;
use super::table_draft::{Certainty, TableDraft};
use crate::contract::{LOANS, MERCHANTS};

/// Of the rows so many must name one of the other table's.
const MIN_FOUND: f64 = 0.5;
/// Without points and dashes so many are, or they are written differently in other ways too.
const MIN_FOUND_PLAIN: f64 = 0.9;
/// Columns that name rows of another table, by that table's name and key.
const NAMED: [(&str, &str, &str); 2] =
    [("merchant_id", MERCHANTS.name, "merchant_id"), ("loan_id", LOANS.name, "loan_id")];

/// Marks columns whose values are not found where they should be.
pub(super) fn doubt_references(land: &Landscape, drafts: &mut [TableDraft], book: &mut [TableDraft]) {
    let mut doubts: Vec<(usize, &str, String)> = Vec::new();
    let tables: Vec<&TableDraft> = drafts.iter().chain(book.iter()).collect();
    for (at, table) in tables.iter().enumerate() {
        for (column, parent, key) in NAMED.into_iter().filter(|(_, parent, _)| table.table.name != *parent) {
            let parents = tables.iter().filter(|known| known.table.name == parent);
            let keys: Vec<&str> = parents.filter_map(|known| Some(known.column(key)?.from.as_str())).collect();
            if let Some(why) = table.column(column).and_then(|drafted| {
                let is_found = drafted.certainty != Certainty::Gap;
                keys.iter().filter(|_| is_found).find_map(|key| not_found(land, &drafted.from, key, parent))
            }) {
                doubts.push((at, column, why));
            }
        }
    }
    for (at, column, why) in doubts {
        let own = drafts.len();
        let table = if at < own { drafts.get_mut(at) } else { book.get_mut(at - own) };
        if let Some(table) = table {
            table.doubt(column, &why);
        }
    }
}

/// Why a column cannot name what a key does; none where it can, or where either is no column as it stands.
fn not_found(land: &Landscape, from: &str, key: &str, parent: &str) -> Option<String> {
    let (cells, keys) = (land.column_called(from)?, land.column_called(key)?);
    if std::ptr::eq(cells, keys) || keys.distinct == 0 || cells.distinct == 0 {
        return None;
    }
    // Rows that give back name others than those that sell do.
    let share = cells.share_of_rows_found_in(keys);
    if share >= MIN_FOUND {
        return None;
    }
    let plain = cells.share_found_plainly(keys);
    let hint = if plain >= MIN_FOUND_PLAIN {
        format!(
            ". Without signs between letters and digits {:.0} % of its values do: write regexp_replace(x, '[^\\p{{L}}\\p{{N}}]', '') of both, here and wherever sources/ name them",
            100.0 * plain
        )
    } else {
        String::new()
    };
    Some(format!("{:.0} % of the rows of {from} name {parent} of {key}{hint}", 100.0 * share))
}
