//! Tables that nothing is made of, and that may say what merchants owe: words for loans will never be complete.

use super::job_file::inputs_of;
use super::landscape::Landscape;
use super::table_draft::TableDraft;
use crate::contract::MERCHANTS;
use crate::profile::{ColumnAt, ValueKind};

/// A column of a table that is another's key has nearly all its values there.
const NEARLY_ALL: f64 = 0.9;
/// Of fewer merchants values meet by chance.
const MIN_MERCHANTS: usize = 5;

/// Which unread tables name merchants beside sums and days, and what that may mean; none where there are none. `drafts`: all tables that something is made of.
pub(super) fn may_be_loans(land: &Landscape, drafts: &[TableDraft]) -> Option<String> {
    let merchants = drafts.iter().find(|draft| draft.table.name == MERCHANTS.name)?;
    let key = land.column_called(&merchants.column("merchant_id")?.from)?;
    if key.distinct < MIN_MERCHANTS {
        return None;
    }
    let read: Vec<&str> = drafts.iter().flat_map(|draft| inputs_of(draft, land.folder)).collect();
    let names_merchants = |at: &ColumnAt| {
        let cells = land.column(*at);
        cells.is_like_an_id() && cells.distinct > 1 && cells.share_found_in(key) >= NEARLY_ALL
    };
    let is_sum = |at: &ColumnAt| {
        let cells = land.column(*at);
        let is_amount = matches!(cells.kind, ValueKind::Decimal(_)) || cells.range.1 >= 100.0;
        cells.is_number() && is_amount && !cells.is_unique_counter() && cells.distinct > 1
    };
    let of_table = |table: usize| {
        let named = land.columns(table).find(names_merchants)?;
        let is_other = |at: &ColumnAt| *at != named;
        let sum = land.columns(table).filter(is_other).find(is_sum)?;
        let day = land.columns(table).find(|at| land.column(*at).is_time())?;
        let [named, sum, day] = [named, sum, day].map(|at| format!("{:?}", land.column(at).name));
        Some(format!("{:?} ({named}, {sum}, {day})", land.table(table).name))
    };
    let tables = (0..land.folder.tables.len()).filter(|table| !read.contains(&land.table(*table).name.as_str()));
    let found: Vec<String> = tables.filter_map(of_table).collect();
    (!found.is_empty()).then(|| {
        format!(
            "no loan book is read, and nothing is made of {}, where merchants stand beside sums and days: loans, advances or what is repaid of them, it may be. Every merchant is \
             taken to owe nothing. Write sources/loans.sql, instalments.sql and payments.sql where it is so; where it is not, let the model approve itself (approve_as) or approve it",
            found.join(" and ")
        )
    })
}
