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
    let mut seen = if ahead.any() { frame.filter(&!&ahead)? } else { frame };
    mask_milestones(table, &mut seen, as_of)?;
    Ok(Sifted { visible: seen, ahead })
}

fn ahead(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    parent_visible: Option<&BooleanChunked>,
) -> PolarsResult<BooleanChunked> {
    let mut ahead = match table.visibility {
        Visibility::Instant(event) => not_before(frame, event, as_of)?,
        Visibility::Day(event) => {
            let days = frame.column(event)?.date()?.physical();
            known(&days.gt_eq(as_of.days_since_epoch()))
        }
        Visibility::Parent => BooleanChunked::full("ahead".into(), false, frame.height()),
    };
    if table.has_recorded_at() {
        ahead = ahead | not_before(frame, "recorded_at", as_of)?;
    }
    if frame.schema().contains(SUPERSEDED_AT) {
        ahead = ahead | before(frame, SUPERSEDED_AT, as_of)?;
    }
    if let (Visibility::Parent, Some(parent_visible)) = (table.visibility, parent_visible) {
        let own_times = table.masks.iter().map(|m| m.milestone).chain(table.has_recorded_at().then_some("recorded_at"));
        let mut is_placed = parent_visible.clone();
        for time in own_times {
            is_placed = is_placed | before(frame, time, as_of)?;
        }
        ahead = ahead | !is_placed;
    }
    Ok(ahead)
}

fn mask_milestones(table: &TableContract, frame: &mut DataFrame, as_of: &AsOf) -> PolarsResult<()> {
    for mask in table.masks {
        let later = not_before(frame, mask.milestone, as_of)?;
        if !later.any() {
            continue;
        }
        let earlier = !later;
        for &name in std::iter::once(&mask.milestone).chain(mask.reveals) {
            for name in [name.to_owned(), format!("{UNREADABLE}{name}")] {
                let Ok(column) = frame.column(&name) else { continue };
                let unknown = Column::full_null(column.name().clone(), frame.height(), column.dtype());
                let masked = column.zip_with(&earlier, &unknown)?;
                frame.with_column(masked)?;
            }
        }
    }
    Ok(())
}

fn not_before(frame: &DataFrame, time: &str, as_of: &AsOf) -> PolarsResult<BooleanChunked> {
    Ok(known(&frame.column(time)?.datetime()?.physical().gt_eq(as_of.micros())))
}

fn before(frame: &DataFrame, time: &str, as_of: &AsOf) -> PolarsResult<BooleanChunked> {
    Ok(known(&frame.column(time)?.datetime()?.physical().lt(as_of.micros())))
}

/// Unknown is not true.
fn known(comparison: &BooleanChunked) -> BooleanChunked {
    if comparison.null_count() == 0 { comparison.clone() } else { comparison.iter().map(|c| c == Some(true)).collect() }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::contract::{ORDERS, SHIPMENTS};

    fn as_of() -> AsOf {
        AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap()
    }

    /// Every column of the contract: null, but for the instants given, in microseconds after as-of.
    fn frame(table: &TableContract, rows: usize, times: &[(&str, &[Option<i64>])]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let columns = table.columns.iter().map(|c| match times.iter().find(|(name, _)| *name == c.name) {
            Some((_, offsets)) => {
                let micros: Int64Chunked = offsets.iter().map(|o| o.map(|o| as_of().micros() + o)).collect();
                micros.into_series().cast(&instant).unwrap().with_name(c.name.into()).into_column()
            }
            None if c.name.ends_with("_at") => Column::full_null(c.name.into(), rows, &instant),
            None if c.name.ends_with("_minor") => Int64Chunked::full(c.name.into(), 7, rows).into_column(),
            None => StringChunked::full(c.name.into(), "x", rows).into_column(),
        });
        DataFrame::new(rows, columns.collect()).unwrap()
    }

    #[test]
    fn the_very_instant_is_not_visible() {
        let rows = frame(
            &ORDERS,
            5,
            &[
                ("placed_at", &[Some(-1), Some(0), Some(-1), Some(-1), None]),
                ("recorded_at", &[Some(-1), None, Some(0), None, None]),
            ],
        );
        let sifted = visible(&ORDERS, rows, &as_of(), None).unwrap();
        let ahead: Vec<_> = sifted.ahead.iter().flatten().collect();
        assert_eq!(ahead, [false, true, true, false, false], "an event that cannot be read is not ahead");
        assert_eq!(sifted.visible.height(), 3);
    }

    #[test]
    fn later_milestones_are_masked_with_what_they_reveal() {
        let rows = frame(
            &ORDERS,
            2,
            &[
                ("placed_at", &[Some(-5), Some(-5)]),
                ("paid_at", &[Some(-1), Some(0)]),
                ("refunded_at", &[Some(-1), Some(3)]),
            ],
        );
        let seen = visible(&ORDERS, rows, &as_of(), None).unwrap().visible;
        let known = |name: &str| -> Vec<bool> { seen.column(name).unwrap().is_not_null().iter().flatten().collect() };
        assert_eq!(known("paid_at"), [true, false]);
        assert_eq!(known("refunded_at"), [true, false]);
        assert_eq!(known("refund_minor"), [true, false], "the sum is known only once the refund is");
        assert_eq!(known("amount_minor"), [true, true]);
    }

    #[test]
    fn a_row_without_a_time_of_its_own_is_seen_with_its_parent() {
        let rows = || frame(&SHIPMENTS, 4, &[("promised_at", &[Some(9), Some(9), Some(-9), None])]);
        let parents: BooleanChunked = [true, false, false, false].into_iter().collect();
        let ahead: Vec<_> =
            visible(&SHIPMENTS, rows(), &as_of(), Some(&parents)).unwrap().ahead.iter().flatten().collect();
        assert_eq!(ahead, [false, true, false, true], "a dated orphan is for the wash to judge");
        assert!(!visible(&SHIPMENTS, rows(), &as_of(), None).unwrap().ahead.any());
    }

    #[test]
    fn a_replaced_version_is_hidden_once_the_next_is_known() {
        let mut rows = frame(&ORDERS, 3, &[("placed_at", &[Some(-9), Some(-9), Some(-9)])]);
        let replaced = frame(&ORDERS, 3, &[("placed_at", &[Some(-1), Some(0), None])]);
        rows.with_column(replaced.column("placed_at").unwrap().clone().with_name(SUPERSEDED_AT.into())).unwrap();
        let ahead: Vec<_> = visible(&ORDERS, rows, &as_of(), None).unwrap().ahead.iter().flatten().collect();
        assert_eq!(ahead, [true, false, false]);
    }
}
