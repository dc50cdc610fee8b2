//! The one as-of filter: what of a contract table can be seen at an instant.
//!
//! - A row whose event time, or whose `recorded_at`, lies at or after as-of is *ahead*: it does not exist yet.
//! - A row that a later version replaced *before* as-of is hidden (see [`SUPERSEDED_AT`]).
//! - Of a visible row, each later milestone (and each promise) at or after as-of is nulled, with the columns it reveals.
//! - A row without an event time of its own ([`Visibility::Parent`]) is seen with its parent. Where the parent is not seen, the row
//!   is ahead if nothing in it is dated before as-of; otherwise it is an orphan, for the wash to judge. Whether the parent
//!   is missing or merely ahead makes no difference: what lies at or after as-of must not change what is said of the past.
//!
//! An event time that cannot be read is null here and never ahead.

use polars::prelude::*;

use super::table::{TableContract, Visibility};
use crate::domain::AsOf;

/// Column of the store: the instant at which a later version of the same row became known; null for the latest version.
pub const SUPERSEDED_AT: &str = "superseded_at";

/// Prefix of the hidden columns that keep the text of cells which could not be read as their contract type.
pub const UNREADABLE: &str = "_unreadable.";

/// A table as of an instant.
#[derive(Debug, Clone)]
pub struct Sifted {
    /// Visible rows, later milestones masked, in their former order.
    pub visible: DataFrame,
    /// For each row of the unfiltered frame: whether it was set aside.
    pub ahead: BooleanChunked,
}

/// Sets aside what lies at or after `as_of` and masks later milestones in what remains.
///
/// `frame` holds the contract's columns, and may hold [`SUPERSEDED_AT`] and [`UNREADABLE`] columns. `parent_visible` says for each
/// row whether its parent row is visible; tables seen with their parent need it, and without it every parent counts as visible.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn visible(
    table: &TableContract,
    frame: DataFrame,
    as_of: &AsOf,
    parent_visible: Option<&BooleanChunked>,
) -> PolarsResult<Sifted> {
    let ahead = ahead(table, &frame, as_of, parent_visible)?;
    let seen = if ahead.any() { frame.filter(&!&ahead)? } else { frame };
    Ok(Sifted { visible: mask_milestones(table, seen, as_of)?, ahead })
}

fn ahead(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    parent_visible: Option<&BooleanChunked>,
) -> PolarsResult<BooleanChunked> {
    let mut ahead = match table.visibility {
        Visibility::Instant(event) => not_before(event, as_of),
        Visibility::Day(event) => col(event).gt_eq(date_literal(as_of)).fill_null(lit(false)),
        Visibility::Parent => lit(false),
    };
    if table.has_recorded_at() {
        ahead = ahead.or(not_before("recorded_at", as_of));
    }
    if frame.schema().contains(SUPERSEDED_AT) {
        ahead = ahead.or(before(SUPERSEDED_AT, as_of));
    }
    let mut frame = frame.clone();
    if let (Visibility::Parent, Some(parent_visible)) = (table.visibility, parent_visible) {
        frame.with_column(parent_visible.clone().with_name("_parent_visible".into()).into_column())?;
        let own_times = table.masks.iter().map(|m| m.milestone).chain(table.has_recorded_at().then_some("recorded_at"));
        let any_past = own_times.fold(lit(false), |any, time| any.or(before(time, as_of)));
        ahead = ahead.or(col("_parent_visible").not().and(any_past.not()));
    }
    let height = frame.height();
    let flags = frame.lazy().select([ahead.alias("ahead")]).collect()?;
    let flags = flags.column("ahead")?.bool()?;
    // A constant expression over a frame comes back with one row.
    Ok(if flags.len() == height { flags.clone() } else { flags.new_from_index(0, height) })
}

fn mask_milestones(table: &TableContract, frame: DataFrame, as_of: &AsOf) -> PolarsResult<DataFrame> {
    let mut masks = Vec::new();
    for mask in table.masks {
        let later = not_before(mask.milestone, as_of);
        for &column in std::iter::once(&mask.milestone).chain(mask.reveals) {
            let unreadable = format!("{UNREADABLE}{column}");
            if frame.schema().contains(&unreadable) {
                masks.push(nulled(&unreadable, later.clone()));
            }
            masks.push(nulled(column, later.clone()));
        }
    }
    if masks.is_empty() { Ok(frame) } else { frame.lazy().with_columns(masks).collect() }
}

fn nulled(column: &str, when_true: Expr) -> Expr {
    when(when_true).then(Expr::Literal(LiteralValue::untyped_null())).otherwise(col(column)).alias(column)
}

fn not_before(time: &str, as_of: &AsOf) -> Expr {
    col(time).gt_eq(instant_literal(as_of)).fill_null(lit(false))
}

fn before(time: &str, as_of: &AsOf) -> Expr {
    col(time).lt(instant_literal(as_of)).fill_null(lit(false))
}

fn instant_literal(as_of: &AsOf) -> Expr {
    lit(as_of.micros()).cast(DataType::Datetime(TimeUnit::Microseconds, None))
}

fn date_literal(as_of: &AsOf) -> Expr {
    lit(as_of.days_since_epoch()).cast(DataType::Date)
}
