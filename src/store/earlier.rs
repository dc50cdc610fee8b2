//! What was said before: versions of rows that could be seen, and that later ones replaced before the instant.

use polars::prelude::{BooleanChunked, DataFrame, PolarsResult};

use super::reader::columns;
use crate::contract::{SUPERSEDED_AT, TableContract, visible};
use crate::domain::AsOf;

/// Until when a version counted, beside the contract's columns.
pub const COUNTED_UNTIL: &str = "counted_until";

/// Of a table's rows of all times those that were replaced before an instant, milestones masked as of it, in the store's order; `None` where there are
/// none.
pub(super) fn earlier_versions(
    table: &TableContract,
    rows: &DataFrame,
    as_of: &AsOf,
) -> PolarsResult<Option<DataFrame>> {
    if !rows.schema().contains(SUPERSEDED_AT) {
        return Ok(None);
    }
    let replaced = rows.column(SUPERSEDED_AT)?.datetime()?.physical();
    let is_earlier: BooleanChunked = replaced.iter().map(|at| at.is_some_and(|at| at < as_of.micros())).collect();
    if !is_earlier.any() {
        return Ok(None);
    }
    let mut earlier = rows.filter(&is_earlier)?;
    earlier.rename(SUPERSEDED_AT, COUNTED_UNTIL.into())?;
    let seen = visible(table, earlier, as_of, None)?.visible;
    seen.select(columns(table).chain([COUNTED_UNTIL])).map(Some)
}
