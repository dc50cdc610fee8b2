//! The one as-of filter: what of a contract table can be seen at an instant.
//!
//! - A row whose event time, or whose `recorded_at`, lies at or after as-of is *not yet visible*: it does not exist yet.
//! - A row that says it was recorded before its own event (see [`recorded_before_event`]) contradicts itself and waits for nothing: it is
//!   seen from its `recorded_at`, for the wash to judge.
//! - A row that a later version replaced *before* as-of is hidden (see [`SUPERSEDED_AT`]).
//! - Of a visible row, each later milestone (and each promise) at or after as-of is nulled, with the columns it reveals.
//!   A row that says it was recorded before such a milestone (see [`recorded_before_milestones`]) contradicts itself: the cell stays, for the wash to
//!   judge. So does one that another, earlier milestone of the row may not precede.
//! - A row of which something happened before its own event contradicts itself too: a milestone that the contract says comes later (see
//!   [`event_contradicted`]), or another row that names it ([`EVENT_CONTRADICTED`], for the wash to find). It is seen from then on.
//! - A row without an event time of its own ([`Visibility::Parent`]) is seen with its parent. Where the parent is not seen, the row
//!   is not yet visible if nothing in it is dated before as-of; otherwise it is an orphan, for the wash to judge. Whether the parent
//!   is missing or merely not yet visible makes no difference: what lies at or after as-of must not change what is said of the past.
//!
//! A restatement counts what was recorded up to a later instant ([`AsOf::knowing`]): the times of events are held against as-of as ever, and a
//! `recorded_at` between the two is taken for one just before as-of.
//!
//! A time that cannot be read is null here, and one beyond the contract's range (a loan of the year 2999) is not a time either: such a
//! row is never waiting for its day, it is for the wash to judge. [`known_at`] says the same the other way round: from when on a row
//! is visible.

use polars::prelude::*;

use super::table::{DAYS, INSTANTS, TableContract, Type, Visibility};
use crate::domain::AsOf;

/// Column of the store: the instant at which a later version of the same row became known; null for the latest version.
pub const SUPERSEDED_AT: &str = "superseded_at";

/// Prefix of the hidden columns that keep the text of cells which could not be read as their contract type.
pub const UNREADABLE: &str = "_unreadable.";

/// Hidden column: whether a row says it was recorded before its own event. Absent where none does.
pub const RECORDED_BEFORE_EVENT: &str = "_recorded_before_event";

/// Prefix of the hidden columns that say of a milestone whether a row says it was recorded before it. Absent where none does.
pub const RECORDED_BEFORE: &str = "_recorded_before.";

/// Hidden column: the first instant, in UTC microseconds, that says a row's event had happened before the row says it does. Null where nothing says
/// so; absent where that is so of every row.
pub const EVENT_CONTRADICTED: &str = "_event_contradicted";

/// A table as of an instant.
#[derive(Debug, Clone)]
pub struct VisibleTable {
    /// Visible rows, later milestones masked, in their former order.
    pub visible: DataFrame,
    /// For each row of the unfiltered frame: whether it was set aside.
    pub not_yet_visible: BooleanChunked,
}

/// Sets aside what lies at or after `as_of` and masks later milestones in what remains.
///
/// `frame` holds the contract's columns, and may hold [`SUPERSEDED_AT`], [`RECORDED_BEFORE_EVENT`], [`EVENT_CONTRADICTED`] and [`UNREADABLE`] columns. `parent_visible` says for each
/// row whether its parent row is visible; tables seen with their parent need it, and without it every parent counts as visible.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn visible(
    table: &TableContract,
    frame: DataFrame,
    as_of: &AsOf,
    parent_visible: Option<&BooleanChunked>,
) -> PolarsResult<VisibleTable> {
    let hidden = not_yet_visible(table, &frame, as_of, parent_visible)?;
    let mut seen = if hidden.any() { frame.filter(&!&hidden)? } else { frame };
    mask_milestones(table, &mut seen, as_of)?;
    Ok(VisibleTable { visible: seen, not_yet_visible: hidden })
}

/// For each row whether it says it was recorded before its own event happened, by more than `tolerance_micros`; a date happens from its
/// first instant on. `None`: no row says so. Which as-of one looks from changes nothing; `as_of` gives the time zone of dates.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn recorded_before_event(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    tolerance_micros: i64,
) -> PolarsResult<Option<BooleanChunked>> {
    let (Some(event), true) = (table.visibility.event(), table.has_recorded_at()) else { return Ok(None) };
    if frame.column("recorded_at")?.null_count() == frame.height() {
        return Ok(None);
    }
    let events = times(table, frame, event, as_of, first_of_day)?;
    let recorded = times(table, frame, "recorded_at", as_of, first_of_day)?;
    let is_before = |(event, recorded): (Option<i64>, Option<i64>)| {
        event.zip(recorded).is_some_and(|(event, recorded)| event.saturating_sub(recorded) > tolerance_micros)
    };
    let before: BooleanChunked = events.into_iter().zip(recorded).map(is_before).collect();
    Ok(before.any().then_some(before))
}

/// The milestones before which some row says it was recorded, by more than `tolerance_micros`, and for each row whether it does: what has not happened
/// cannot be recorded, so that one of the two instants is wrong. Not those that may be foreseen.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn recorded_before_milestones(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    tolerance_micros: i64,
) -> PolarsResult<Vec<(&'static str, BooleanChunked)>> {
    if !table.has_recorded_at() || frame.column("recorded_at")?.null_count() == frame.height() {
        return Ok(Vec::new());
    }
    let recorded = times(table, frame, "recorded_at", as_of, first_of_day)?;
    let mut found = Vec::new();
    for mask in table.masks.iter().filter(|mask| !mask.is_foreseen) {
        if frame.column(mask.milestone)?.null_count() == frame.height() {
            continue;
        }
        let milestones = times(table, frame, mask.milestone, as_of, first_of_day)?;
        let is_before = |(milestone, recorded): (Option<i64>, &Option<i64>)| {
            milestone
                .zip(*recorded)
                .is_some_and(|(milestone, recorded)| milestone.saturating_sub(recorded) > tolerance_micros)
        };
        let before: BooleanChunked = milestones.into_iter().zip(&recorded).map(is_before).collect();
        if before.any() {
            found.push((mask.milestone, before));
        }
    }
    Ok(found)
}

/// For each row the earliest of its milestones that lie before the event which they follow, in UTC microseconds. `None`: no row has one. Which as-of one
/// looks from changes nothing.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn event_contradicted(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
) -> PolarsResult<Option<Int64Chunked>> {
    let Some(event) = table.visibility.event() else { return Ok(None) };
    let mut earliest: Option<Vec<Option<i64>>> = None;
    for milestone in followers(table, event) {
        if frame.column(milestone)?.null_count() == frame.height() {
            continue;
        }
        let events = times(table, frame, event, as_of, first_of_day)?;
        let milestones = times(table, frame, milestone, as_of, first_of_day)?;
        let before =
            milestones.into_iter().zip(events).map(|(at, event)| at.filter(|at| event.is_some_and(|e| *at < e)));
        earliest = Some(match earliest {
            None => before.collect(),
            Some(found) => found.into_iter().zip(before).map(|(a, b)| [a, b].into_iter().flatten().min()).collect(),
        });
    }
    Ok(earliest.filter(|found| found.iter().any(Option::is_some)).map(|found| found.into_iter().collect()))
}

/// When each row says that it happened, and since when that is known, in UTC microseconds; a date has happened when it is over. Promises are no
/// happenings. Null where no time of the row can be read.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn happened_and_known(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
) -> PolarsResult<Vec<Option<(i64, i64)>>> {
    let is_foreseen = |name: &str| table.masks.iter().any(|mask| mask.milestone == name && mask.is_foreseen);
    let dating: Vec<&str> = match table.visibility {
        Visibility::Instant(event) | Visibility::Day(event) => vec![event],
        Visibility::Parent => own_times(table).filter(|name| *name != "recorded_at" && !is_foreseen(name)).collect(),
    };
    let mut happened: Vec<Option<i64>> = vec![None; frame.height()];
    for name in dating {
        for (slot, at) in happened.iter_mut().zip(times(table, frame, name, as_of, last_of_day)?) {
            *slot = [*slot, at].into_iter().flatten().min();
        }
    }
    let recorded = recorded_times(table, frame, as_of)?;
    let both = happened.into_iter().zip(recorded);
    Ok(both
        .map(|(happened, recorded)| happened.map(|at| (at, recorded.map_or(at, |recorded| recorded.max(at)))))
        .collect())
}

/// When each row was recorded, as the observation counts it: what a restatement counts though it was recorded later is of just before as-of.
fn recorded_times(table: &TableContract, frame: &DataFrame, as_of: &AsOf) -> PolarsResult<Vec<Option<i64>>> {
    if !table.has_recorded_at() {
        return Ok(vec![None; frame.height()]);
    }
    let late = as_of.micros()..as_of.known_before();
    let recorded = times(table, frame, "recorded_at", as_of, last_of_day)?.into_iter();
    Ok(recorded.map(|at| at.map(|at| if late.contains(&at) { as_of.micros() - 1 } else { at })).collect())
}

/// For each row whether it does not say when it was recorded: a stamp that cannot be read, or is beyond the range, says nothing.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn unstamped(table: &TableContract, frame: &DataFrame, as_of: &AsOf) -> PolarsResult<BooleanChunked> {
    Ok(recorded_times(table, frame, as_of)?.iter().map(Option::is_none).collect())
}

/// The times that the contract says do not precede `earlier`.
fn followers<'a>(table: &'a TableContract, earlier: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    table.checks.iter().filter_map(move |check| check.follows(earlier))
}

/// For each row the last instant, in UTC microseconds, at which it was not yet visible: a run sees it if this lies before its
/// as-of. Null: no time of the row can be read, and it was always visible.
///
/// `parent_known` holds the same of the parent's row for tables seen with their parent: null where there is none. `as_of` gives the time
/// zone of dates.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn known_at(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    parent_known: Option<&Int64Chunked>,
) -> PolarsResult<Int64Chunked> {
    let recorded = recorded_times(table, frame, as_of)?.into_iter();
    let known: Int64Chunked = match table.visibility {
        Visibility::Instant(event) | Visibility::Day(event) => {
            let (early, contradicted) = (early_rows(frame)?, contradicted_rows(frame)?);
            let is_early = |at: usize| early.is_some_and(|early| early.get(at) == Some(true));
            let sooner = |at: usize, event: Option<i64>| {
                let contradicted = contradicted.and_then(|contradicted| contradicted.get(at));
                [event, contradicted].into_iter().flatten().min()
            };
            let events = times(table, frame, event, as_of, last_of_day)?.into_iter().zip(recorded).enumerate();
            events
                .map(|(at, (event, recorded))| if is_early(at) { recorded } else { sooner(at, event).max(recorded) })
                .collect()
        }
        Visibility::Parent => {
            let mut placed: Vec<Option<i64>> = match parent_known {
                Some(parent) => parent.iter().collect(),
                None => vec![None; frame.height()],
            };
            for time in own_times(table) {
                for (placed, own) in placed.iter_mut().zip(times(table, frame, time, as_of, last_of_day)?) {
                    *placed = [*placed, own].into_iter().flatten().min();
                }
            }
            placed.into_iter().zip(recorded).map(|(placed, recorded)| recorded.or(placed)).collect()
        }
    };
    Ok(known)
}

/// The hidden column [`RECORDED_BEFORE_EVENT`], where the frame has it.
fn early_rows(frame: &DataFrame) -> PolarsResult<Option<&BooleanChunked>> {
    frame.schema().contains(RECORDED_BEFORE_EVENT).then(|| frame.column(RECORDED_BEFORE_EVENT)?.bool()).transpose()
}

/// The hidden column [`EVENT_CONTRADICTED`], where the frame has it.
fn contradicted_rows(frame: &DataFrame) -> PolarsResult<Option<&Int64Chunked>> {
    frame.schema().contains(EVENT_CONTRADICTED).then(|| frame.column(EVENT_CONTRADICTED)?.i64()).transpose()
}

/// A time column in UTC microseconds, a date as `of_day` says; null where it cannot be read or is beyond the range.
fn times(
    table: &TableContract,
    frame: &DataFrame,
    name: &str,
    as_of: &AsOf,
    of_day: fn(i64, &AsOf) -> Option<i64>,
) -> PolarsResult<Vec<Option<i64>>> {
    let column = frame.column(name)?;
    let bounds = table.column(name).and_then(super::table::Column::bounds).unwrap_or(INSTANTS);
    let within = |cell: Option<i64>| cell.filter(|c| (bounds.0..=bounds.1).contains(c));
    if let Ok(days) = column.date() {
        return Ok(days
            .physical()
            .iter()
            .map(|day| within(day.map(i64::from)).and_then(|d| of_day(d, as_of)))
            .collect());
    }
    Ok(column.datetime()?.physical().iter().map(within).collect())
}

/// The first microsecond of a date in the zone of `as_of`.
fn first_of_day(day: i64, as_of: &AsOf) -> Option<i64> {
    let back = i64::from(as_of.days_since_epoch()) - day;
    Some(as_of.days_before(i32::try_from(back).ok()?).ok()?.micros())
}

/// The last microsecond of a date in the zone of `as_of`.
fn last_of_day(day: i64, as_of: &AsOf) -> Option<i64> {
    Some(first_of_day(day + 1, as_of)? - 1)
}

/// The times by which a row of a table without an event time can be placed in the past.
fn own_times(table: &TableContract) -> impl Iterator<Item = &'static str> {
    table.columns.iter().filter(|c| matches!(c.kind, Type::Instant | Type::Day)).map(|c| c.name)
}

/// For each row whether it is set aside, as [`visible`] says.
///
/// # Errors
/// A column of the contract is missing from the frame, or has another type.
pub fn not_yet_visible(
    table: &TableContract,
    frame: &DataFrame,
    as_of: &AsOf,
    parent_visible: Option<&BooleanChunked>,
) -> PolarsResult<BooleanChunked> {
    let mut hidden = match table.visibility {
        Visibility::Instant(event) | Visibility::Day(event) => {
            let mut waits = not_before(frame, event, as_of)?;
            if let Some(early) = early_rows(frame)? {
                waits = waits & !early;
            }
            if let Some(contradicted) = contradicted_rows(frame)? {
                waits = waits & !known(&contradicted.lt(as_of.micros()));
            }
            waits
        }
        Visibility::Parent => BooleanChunked::full("hidden".into(), false, frame.height()),
    };
    if table.has_recorded_at() {
        hidden = hidden | not_before_instant(frame.column("recorded_at")?, as_of.known_before())?;
    }
    if frame.schema().contains(SUPERSEDED_AT) {
        hidden = hidden | before(frame, SUPERSEDED_AT, as_of)?;
    }
    if let (Visibility::Parent, Some(parent_visible)) = (table.visibility, parent_visible) {
        let mut is_placed = parent_visible.clone();
        for time in own_times(table) {
            is_placed = is_placed | before(frame, time, as_of)?;
        }
        hidden = hidden | !is_placed;
    }
    Ok(hidden)
}

fn mask_milestones(table: &TableContract, frame: &mut DataFrame, as_of: &AsOf) -> PolarsResult<()> {
    for mask in table.masks {
        let mut later = not_before(frame, mask.milestone, as_of)?;
        if let Ok(contradicts) = frame.column(&format!("{RECORDED_BEFORE}{}", mask.milestone)) {
            later = later & !contradicts.bool()?.clone();
        }
        if !later.any() {
            continue;
        }
        // What has happened already follows nothing that lies ahead.
        for follower in followers(table, mask.milestone) {
            later = later & !before(frame, follower, as_of)?;
        }
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
    let column = frame.column(time)?;
    if let Ok(days) = column.date() {
        let (physical, last) = (days.physical(), i32::try_from(DAYS.1).unwrap_or(i32::MAX));
        return Ok(known(&(physical.gt_eq(as_of.days_since_epoch()) & physical.lt_eq(last))));
    }
    not_before_instant(column, as_of.micros())
}

fn not_before_instant(column: &Column, micros: i64) -> PolarsResult<BooleanChunked> {
    let physical = column.datetime()?.physical();
    Ok(known(&(physical.gt_eq(micros) & physical.lt_eq(INSTANTS.1))))
}

fn before(frame: &DataFrame, time: &str, as_of: &AsOf) -> PolarsResult<BooleanChunked> {
    let column = frame.column(time)?;
    if let Ok(days) = column.date() {
        return Ok(known(&days.physical().lt(as_of.days_since_epoch())));
    }
    Ok(known(&column.datetime()?.physical().lt(as_of.micros())))
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
        let hidden: Vec<_> = sifted.not_yet_visible.iter().flatten().collect();
        assert_eq!(hidden, [false, true, true, false, false], "an event that cannot be read does not wait for its day");
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
        let sifted = visible(&SHIPMENTS, rows(), &as_of(), Some(&parents)).unwrap();
        let hidden: Vec<_> = sifted.not_yet_visible.iter().flatten().collect();
        assert_eq!(hidden, [false, true, false, true], "a dated orphan is for the wash to judge");
        assert!(!visible(&SHIPMENTS, rows(), &as_of(), None).unwrap().not_yet_visible.any());
    }

    #[test]
    fn a_replaced_version_is_hidden_once_the_next_is_known() {
        let mut rows = frame(&ORDERS, 3, &[("placed_at", &[Some(-9), Some(-9), Some(-9)])]);
        let replaced = frame(&ORDERS, 3, &[("placed_at", &[Some(-1), Some(0), None])]);
        rows.with_column(replaced.column("placed_at").unwrap().clone().with_name(SUPERSEDED_AT.into())).unwrap();
        let sifted = visible(&ORDERS, rows, &as_of(), None).unwrap();
        let hidden: Vec<_> = sifted.not_yet_visible.iter().flatten().collect();
        assert_eq!(hidden, [true, false, false]);
    }

    #[test]
    fn a_date_beyond_the_range_neither_waits_nor_is_masked() {
        let far = INSTANTS.1 + 1 - as_of().micros();
        let rows = frame(&ORDERS, 2, &[("placed_at", &[Some(far), Some(-9)]), ("paid_at", &[None, Some(far)])]);
        let sifted = visible(&ORDERS, rows, &as_of(), None).unwrap();
        assert!(!sifted.not_yet_visible.any());
        assert_eq!(sifted.visible.column("paid_at").unwrap().null_count(), 1, "it is there to be judged");
    }

    #[test]
    fn a_restatement_counts_what_was_recorded_later_of_what_happened_before() {
        let micros = as_of().micros();
        let knowing = as_of().knowing(date(2018, 8, 3)).unwrap();
        let later = knowing.known_before() - micros;
        assert_eq!(later, 2 * crate::domain::MICROS_PER_DAY);
        assert!(as_of().knowing(date(2018, 7, 1)).is_err(), "what was known on the day cannot be left out");
        let times: [(&str, &[Option<i64>]); 2] = [
            ("placed_at", &[Some(-1), Some(-1), Some(-1), Some(0), Some(-1)]),
            ("recorded_at", &[Some(-1), Some(0), Some(later), Some(-1), Some(later - 1)]),
        ];
        let rows = || frame(&ORDERS, 5, &times);
        let hidden = visible(&ORDERS, rows(), &knowing, None).unwrap().not_yet_visible;
        assert_eq!(hidden.iter().flatten().collect::<Vec<_>>(), [false, false, true, true, false]);
        let known = known_at(&ORDERS, &rows(), &knowing, None).unwrap();
        let known: Vec<bool> = known.iter().map(|known| known.unwrap() < micros).collect();
        assert_eq!(known, [true, true, false, false, true], "the same, seen from the row");
    }

    /// What `known_at` says is what `visible` does, at every instant around it.
    #[test]
    fn known_at_is_the_filter_seen_from_the_row() {
        let placed = [Some(-9), Some(-9), None, Some(3), Some(-5), None];
        let recorded = [Some(-4), None, Some(-2), Some(-8), Some(7), None];
        let promised = [Some(-6), Some(-2), Some(2), None, Some(-1), Some(5)];
        let parents =
            [Some(-7), None, None, Some(1), None, Some(-3)].map(|p: Option<i64>| p.map(|p| as_of().micros() + p));
        let parent_known: Int64Chunked = parents.iter().copied().collect();
        let orders = || frame(&ORDERS, 6, &[("placed_at", &placed), ("recorded_at", &recorded)]);
        let parcels = || frame(&SHIPMENTS, 6, &[("promised_at", &promised), ("recorded_at", &recorded)]);
        let of_orders = known_at(&ORDERS, &orders(), &as_of(), None).unwrap();
        let of_parcels = known_at(&SHIPMENTS, &parcels(), &as_of(), Some(&parent_known)).unwrap();
        assert_eq!(of_orders.get(5), None);
        // As-of dates are midnights: the rows move past the date instead of the date past the rows.
        for shift in -12..12 {
            let moved = |offsets: &[Option<i64>]| -> Vec<Option<i64>> {
                offsets.iter().map(|o| o.map(|o| o + shift)).collect()
            };
            let (placed, recorded, promised) = (moved(&placed), moved(&recorded), moved(&promised));
            let now = as_of().micros() - shift;
            let orders = frame(&ORDERS, 6, &[("placed_at", &placed), ("recorded_at", &recorded)]);
            let parcels = frame(&SHIPMENTS, 6, &[("promised_at", &promised), ("recorded_at", &recorded)]);
            let seen: BooleanChunked = parents.iter().map(|p| p.is_some_and(|p| p < now)).collect();
            let orders = visible(&ORDERS, orders, &as_of(), None).unwrap().not_yet_visible;
            let parcels = visible(&SHIPMENTS, parcels, &as_of(), Some(&seen)).unwrap().not_yet_visible;
            for row in 0..6 {
                let is_known = |known: &Int64Chunked| known.get(row).is_none_or(|known| known < now);
                assert_eq!(orders.get(row), Some(!is_known(&of_orders)), "order {row} at {shift}");
                assert_eq!(parcels.get(row), Some(!is_known(&of_parcels)), "parcel {row} at {shift}");
            }
        }
    }
}
