//! When a row's facts happened, and what a version of it shows that was recorded at some instant.

use super::calendar::{DAY, Second};
use super::draw::Draw;
use super::rows::{Cell, cell, set};
use crate::contract::{TableContract, Visibility};

/// Columns that hold a promise about the future: known from the first version on.
const PROMISES: [&str; 2] = ["ship_by_at", "promised_at"];

/// When a row's facts happened.
pub(super) struct Stamps {
    first: Option<Second>,
    last: Option<Second>,
}

impl Stamps {
    pub(super) fn of(table: &TableContract, row: &[Cell]) -> Self {
        if !table.has_recorded_at() {
            return Self { first: None, last: None };
        }
        let instant = |name: &str| match cell(table, row, name) {
            Some(Cell::At(at)) => Some(*at),
            Some(Cell::Day(day)) => Some((i64::from(*day) + 1) * DAY),
            _ => None,
        };
        let milestones = table.masks.iter().map(|m| m.milestone).filter(|m| !PROMISES.contains(m));
        let milestones: Vec<Second> = milestones.filter_map(instant).collect();
        let event = match table.visibility {
            Visibility::Instant(name) | Visibility::Day(name) => instant(name),
            Visibility::Parent => milestones.iter().min().copied(),
        };
        Self { first: event, last: milestones.into_iter().chain(event).max() }
    }

    /// When the last fact happened.
    pub(super) const fn last(&self) -> Option<Second> {
        self.last
    }

    /// Days after the last fact, but before the simulation ends.
    pub(super) fn late(&self, draw: &mut Draw, share: f64, end: Second) -> Option<Second> {
        let last = self.last?;
        if !draw.chance(share) {
            return None;
        }
        let stamp = last + draw.whole(2 * DAY, 30 * DAY);
        (stamp < end).then_some(stamp)
    }

    /// Soon after the first fact, and again soon after the last.
    pub(super) fn twice(&self, draw: &mut Draw, share: f64, end: Second) -> Option<(Second, Second)> {
        let (first, last) = (self.first?, self.last?);
        if !draw.chance(share) {
            return None;
        }
        let early = first + draw.whole(60, 3_600);
        let again = last + draw.whole(60, 3_600);
        (early < last && again < end).then_some((early, again))
    }

    /// Soon after the first fact, for a version that is soon corrected.
    pub(super) fn early(&self, draw: &mut Draw) -> Option<Second> {
        Some(self.first? + draw.whole(60, 3_600))
    }

    /// Hours to days after the last fact, but before the simulation ends.
    pub(super) fn afterwards(&self, draw: &mut Draw, end: Second) -> Option<Second> {
        let stamp = self.last? + draw.whole(3_601, 5 * DAY);
        (stamp < end).then_some(stamp)
    }
}

/// The version of a row as recorded at `stamp`: later milestones, and what only they reveal, are not yet in it.
pub(super) fn stamped(table: &TableContract, row: &[Cell], stamp: Second) -> Vec<Cell> {
    let mut version = row.to_vec();
    for mask in table.masks.iter().filter(|m| !PROMISES.contains(&m.milestone)) {
        if matches!(cell(table, row, mask.milestone), Some(Cell::At(at)) if *at >= stamp) {
            set(table, &mut version, mask.milestone, Cell::Null);
            mask.reveals.iter().for_each(|column| set(table, &mut version, column, Cell::Null));
        }
    }
    set(table, &mut version, "recorded_at", Cell::At(stamp));
    version
}

#[cfg(test)]
mod tests {
    use super::super::rows::Id;
    use super::*;
    use crate::contract::ORDERS;

    fn order(placed: Second, completed: Second) -> Vec<Cell> {
        let mut row = vec![Cell::Null; ORDERS.columns.len()];
        set(&ORDERS, &mut row, "order_id", Cell::Id(Id::Order(1, 1)));
        set(&ORDERS, &mut row, "placed_at", Cell::At(placed));
        set(&ORDERS, &mut row, "completed_at", Cell::At(completed));
        set(&ORDERS, &mut row, "refunded_at", Cell::At(completed + 10));
        set(&ORDERS, &mut row, "refund_minor", Cell::Int(5));
        row
    }

    fn shown<'a>(row: &'a [Cell], column: &str) -> &'a Cell {
        cell(&ORDERS, row, column).unwrap()
    }

    #[test]
    fn a_version_hides_what_came_after_it_and_what_only_that_reveals() {
        let version = stamped(&ORDERS, &order(100, 200), 205);
        assert_eq!(shown(&version, "completed_at"), &Cell::At(200));
        assert_eq!(shown(&version, "refunded_at"), &Cell::Null);
        assert_eq!(shown(&version, "refund_minor"), &Cell::Null);
        assert_eq!(shown(&version, "recorded_at"), &Cell::At(205));
        let at_the_instant = stamped(&ORDERS, &order(100, 200), 200);
        assert_eq!(shown(&at_the_instant, "completed_at"), &Cell::Null, "a stamp is later than what it shows");
    }

    #[test]
    fn versions_are_sent_in_order_and_within_the_simulation() {
        let mut draw = Draw::new(1, "test", 0);
        let stamps = Stamps::of(&ORDERS, &order(0, 9 * DAY));
        let (early, again) = stamps.twice(&mut draw, 1.0, 20 * DAY).unwrap();
        assert!(0 < early && early < 9 * DAY + 10 && 9 * DAY + 10 < again);
        assert!(stamps.twice(&mut draw, 1.0, 9 * DAY).is_none());
        assert!(stamps.late(&mut draw, 1.0, 9 * DAY).is_none());
        assert!(stamps.late(&mut draw, 1.0, 90 * DAY).unwrap() >= 11 * DAY);
    }
}
