//! The way to the lender: rows come late, twice, in versions, and broken.
//!
//! Most rows carry no `recorded_at`: the platform's dump does not say when the lender learnt of them, and they are as visible
//! as their events. Rows that came late or were sent again are stamped, and no version shows a milestone later than its stamp.

use super::calendar::{DAY, Second};
use super::draw::Draw;
use super::life::World;
use super::rows::{Cell, Id, Rows};
use super::tables::Tables;
use super::truth;
use crate::contract::{TableContract, Visibility};

/// Columns that hold a promise about the future: known from the first version on.
const PROMISES: [&str; 2] = ["ship_by_at", "promised_at"];

/// Sends one merchant's rows on their way; what was done to them goes to the `planted` truth.
pub(super) fn deliver(mut tables: Tables, world: &World, merchant: u64) -> Tables {
    let mut draw = Draw::new(world.settings.seed, "feed", merchant);
    let mut planted = Rows::new(&truth::PLANTED);
    tables.contract = tables.contract.iter().map(|rows| deliver_table(rows, &mut draw, world, &mut planted)).collect();
    if let Some(truth) = tables.truth.iter_mut().find(|t| std::ptr::eq(t.table, &raw const truth::PLANTED)) {
        truth.append(planted);
    }
    tables
}

fn deliver_table(rows: &Rows, draw: &mut Draw, world: &World, planted: &mut Rows) -> Rows {
    let table = rows.table;
    let settings = world.settings;
    let mut sent = Rows::new(table);
    let mut tail = Rows::new(table);
    let mut note = |kind: &'static str, rule: Option<&'static str>, key: Option<&Cell>| {
        planted.push([Cell::Word(table.name), Cell::Word(kind), Cell::word(rule), key.cloned().unwrap_or(Cell::Null)]);
    };
    let mut broken = 0;
    for row in rows.iter() {
        let stamps = Stamps::of(table, row);
        if let Some(late) = stamps.late(draw, settings.late_share, world.calendar.end()) {
            note("late", None, row.first());
            sent.push(stamped(table, row, late));
        } else if let Some((early, again)) = stamps.twice(draw, settings.resent_share, world.calendar.end()) {
            note("resent", None, row.first());
            sent.push(stamped(table, row, early));
            sent.push(stamped(table, row, again));
        } else {
            sent.push(row.iter().cloned());
            if draw.chance(settings.duplicate_share) {
                note("duplicate", None, row.first());
                tail.push(row.iter().cloned());
            }
        }
        if draw.chance(settings.broken_share) {
            broken += 1;
            if let Some((rule, bad)) = break_row(draw, world, table, row, broken) {
                note("broken", Some(rule), bad.first());
                tail.push(bad);
            }
        }
    }
    sent.append(tail);
    sent
}

/// When a row's facts happened.
struct Stamps {
    first: Option<Second>,
    last: Option<Second>,
}

impl Stamps {
    fn of(table: &TableContract, row: &[Cell]) -> Self {
        if !table.has_recorded_at() {
            return Self { first: None, last: None };
        }
        let cell = |name: &str| position(table, name).and_then(|i| row.get(i));
        let instant = |name: &str| match cell(name) {
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

    /// Days after the last fact, but before the simulation ends.
    fn late(&self, draw: &mut Draw, share: f64, end: Second) -> Option<Second> {
        let last = self.last?;
        if !draw.chance(share) {
            return None;
        }
        let stamp = last + draw.whole(2 * DAY, 30 * DAY);
        (stamp < end).then_some(stamp)
    }

    /// Soon after the first fact, and again soon after the last.
    fn twice(&self, draw: &mut Draw, share: f64, end: Second) -> Option<(Second, Second)> {
        let (first, last) = (self.first?, self.last?);
        if !draw.chance(share) {
            return None;
        }
        let early = first + draw.whole(60, 3_600);
        let again = last + draw.whole(60, 3_600);
        (early < last && again < end).then_some((early, again))
    }
}

fn position(table: &TableContract, column: &str) -> Option<usize> {
    table.columns.iter().position(|c| c.name == column)
}

fn set(table: &TableContract, row: &mut [Cell], column: &str, cell: Cell) {
    if let Some(slot) = position(table, column).and_then(|i| row.get_mut(i)) {
        *slot = cell;
    }
}

/// The version of a row as recorded at `stamp`: later milestones, and what only they reveal, are not yet in it.
fn stamped(table: &TableContract, row: &[Cell], stamp: Second) -> Vec<Cell> {
    let mut version = row.to_vec();
    for mask in table.masks.iter().filter(|m| !PROMISES.contains(&m.milestone)) {
        let at = position(table, mask.milestone).and_then(|i| row.get(i));
        if matches!(at, Some(Cell::At(at)) if *at >= stamp) {
            set(table, &mut version, mask.milestone, Cell::Null);
            mask.reveals.iter().for_each(|column| set(table, &mut version, column, Cell::Null));
        }
    }
    set(table, &mut version, "recorded_at", Cell::At(stamp));
    version
}

/// A way to break a row.
struct Damage {
    table: &'static str,
    rule: &'static str,
    column: &'static str,
    how: How,
}

enum How {
    Null,
    Number(i64),
    Word(&'static str),
    /// Earlier than the named column.
    Before(&'static str),
    /// More than the named column.
    Beyond(&'static str),
    /// A parent that does not exist.
    Orphan,
    /// A currency that is not the job's.
    Currency,
}

const fn damage(table: &'static str, rule: &'static str, column: &'static str, how: How) -> Damage {
    Damage { table, rule, column, how }
}

/// Every way in which each table's rows are broken. Rules within a row bear the contract's names.
static DAMAGES: [Damage; 39] = [
    damage("merchants", "null", "category", How::Null),
    damage("merchants", "unknown-word", "verification", How::Word("platinum")),
    damage("merchants", "closed-before-registered", "closed_at", How::Before("registered_at")),
    damage("orders", "null", "order_id", How::Null),
    damage("orders", "null", "buyer_id", How::Null),
    damage("orders", "range", "amount_minor", How::Number(-4_200)),
    damage("orders", "currency", "currency", How::Currency),
    damage("orders", "orphan", "merchant_id", How::Orphan),
    damage("orders", "paid-before-placed", "paid_at", How::Before("placed_at")),
    damage("orders", "completed-before-placed", "completed_at", How::Before("placed_at")),
    damage("orders", "refund-exceeds-amount", "refund_minor", How::Beyond("amount_minor")),
    damage("shipments", "null", "order_id", How::Null),
    damage("shipments", "orphan", "order_id", How::Orphan),
    damage("shipments", "delivered-before-shipped", "delivered_at", How::Before("shipped_at")),
    damage("reviews", "range", "stars", How::Number(0)),
    damage("reviews", "range", "stars", How::Number(6)),
    damage("reviews", "null", "created_at", How::Null),
    damage("reviews", "orphan", "order_id", How::Orphan),
    damage("disputes", "unknown-word", "kind", How::Word("misunderstanding")),
    damage("disputes", "unknown-word", "outcome", How::Word("draw")),
    damage("disputes", "closed-before-opened", "closed_at", How::Before("opened_at")),
    damage("disputes", "range", "amount_minor", How::Number(-100)),
    damage("disputes", "orphan", "order_id", How::Orphan),
    damage("loans", "range", "principal_minor", How::Number(0)),
    damage("loans", "unknown-word", "product", How::Word("payday-loan")),
    damage("loans", "written-off-before-disbursed", "written_off_at", How::Before("disbursed_at")),
    damage("instalments", "range", "principal_minor", How::Number(-1)),
    damage("instalments", "orphan", "loan_id", How::Orphan),
    damage("payments", "range", "amount_minor", How::Number(0)),
    damage("payments", "unknown-word", "channel", How::Word("barter")),
    damage("payments", "orphan", "loan_id", How::Orphan),
    damage("payments", "reversed-before-paid", "reversed_at", How::Before("paid_at")),
    damage("applications", "unknown-word", "product", How::Word("mortgage")),
    damage("applications", "orphan", "merchant_id", How::Orphan),
    damage("applications", "range", "requested_minor", How::Number(0)),
    damage("inventory", "range", "stock_value_minor", How::Number(-1)),
    damage("inventory", "null", "cost_of_sales_minor", How::Null),
    damage("guarantee_groups", "left-before-joined", "left_at", How::Before("joined_at")),
    damage("guarantee_groups", "orphan", "merchant_id", How::Orphan),
];

/// Numbers from here on belong to planted rows and to parents that do not exist.
const PLANTED_FROM: u32 = 500_000;

/// A broken row beside the good one, under a key of its own.
fn break_row(
    draw: &mut Draw,
    world: &World,
    table: &TableContract,
    row: &[Cell],
    number: u32,
) -> Option<(&'static str, Vec<Cell>)> {
    let ways: Vec<&Damage> = DAMAGES.iter().filter(|d| d.table == table.name).collect();
    let at = usize::try_from(draw.whole(0, i64::try_from(ways.len()).ok()? - 1)).ok()?;
    let way = ways.get(at)?;
    let mut bad = row.to_vec();
    give_own_key(table, &mut bad, number);
    let cell = |name: &str| position(table, name).and_then(|i| row.get(i));
    let broken = match &way.how {
        How::Null => Cell::Null,
        How::Number(value) => Cell::Int(*value),
        How::Word(word) => Cell::Word(word),
        How::Before(column) => match cell(column)? {
            Cell::At(at) => Cell::At(at - draw.whole(3_600, 5 * DAY)),
            _ => return None,
        },
        How::Beyond(column) => match cell(column)? {
            Cell::Int(value) => Cell::Int(value + draw.whole(1, 100_000)),
            _ => return None,
        },
        How::Orphan => match cell(way.column)? {
            Cell::Id(id) => Cell::Id(displaced(*id, PLANTED_FROM + number)),
            _ => return None,
        },
        How::Currency => Cell::Word(if world.settings.currency.code() == "USD" { "EUR" } else { "USD" }),
    };
    set(table, &mut bad, way.column, broken);
    if way.rule == "refund-exceeds-amount" && cell("refunded_at") == Some(&Cell::Null) {
        let placed = cell("placed_at")?.clone();
        set(table, &mut bad, "refunded_at", placed);
    }
    Some((way.rule, bad))
}

fn give_own_key(table: &TableContract, row: &mut [Cell], number: u32) {
    let own = match row.first() {
        Some(Cell::Id(id)) => Cell::Id(displaced(*id, PLANTED_FROM + number)),
        _ => return,
    };
    match table.key {
        [key] => set(table, row, key, own),
        [_, second] => {
            let shifted = match position(table, second).and_then(|i| row.get(i)) {
                Some(Cell::Int(value)) => Cell::Int(value + 5_000 + i64::from(number % 4_000)),
                Some(Cell::Day(day)) => Cell::Day(day - 7),
                _ => own,
            };
            let column = if matches!(shifted, Cell::Id(_)) { table.key.first() } else { Some(second) };
            if let Some(column) = column {
                set(table, row, column, shifted);
            }
        }
        _ => {}
    }
}

/// An id of the same kind that no good row has.
fn displaced(id: Id, number: u32) -> Id {
    match id {
        Id::Merchant(m) => Id::Merchant(900_000_000 + m),
        Id::Group(g) => Id::Group(900_000_000 + g),
        Id::Order(m, _) => Id::Order(m, number),
        Id::Shipment(m, _) => Id::Shipment(m, number),
        Id::Review(m, _) => Id::Review(m, number),
        Id::Dispute(m, _) => Id::Dispute(m, number),
        Id::Loan(m, _) => Id::Loan(m, number),
        Id::Payment(m, _) => Id::Payment(m, number),
        Id::Application(m, _) => Id::Application(m, number),
        Id::Buyer(_) | Id::Tracking(..) | Id::Currency(_) => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{self, ORDERS};

    const ORDER: Id = Id::Order(1, 1);

    fn order(placed: Second, completed: Second) -> Vec<Cell> {
        let mut row = vec![Cell::Null; ORDERS.columns.len()];
        set(&ORDERS, &mut row, "order_id", Cell::Id(ORDER));
        set(&ORDERS, &mut row, "placed_at", Cell::At(placed));
        set(&ORDERS, &mut row, "completed_at", Cell::At(completed));
        set(&ORDERS, &mut row, "refunded_at", Cell::At(completed + 10));
        set(&ORDERS, &mut row, "refund_minor", Cell::Int(5));
        row
    }

    fn cell<'a>(row: &'a [Cell], column: &str) -> &'a Cell {
        &row[position(&ORDERS, column).unwrap()]
    }

    #[test]
    fn a_version_hides_what_came_after_it_and_what_only_that_reveals() {
        let version = stamped(&ORDERS, &order(100, 200), 205);
        assert_eq!(cell(&version, "completed_at"), &Cell::At(200));
        assert_eq!(cell(&version, "refunded_at"), &Cell::Null);
        assert_eq!(cell(&version, "refund_minor"), &Cell::Null);
        assert_eq!(cell(&version, "recorded_at"), &Cell::At(205));
        let at_the_instant = stamped(&ORDERS, &order(100, 200), 200);
        assert_eq!(cell(&at_the_instant, "completed_at"), &Cell::Null, "a stamp is later than what it shows");
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

    #[test]
    fn every_damage_is_of_a_column_and_every_table_can_be_damaged() {
        for damage in &DAMAGES {
            assert!(contract::table(damage.table).unwrap().column(damage.column).is_some(), "{}", damage.rule);
            if let How::Before(column) | How::Beyond(column) = damage.how {
                assert!(contract::table(damage.table).unwrap().column(column).is_some());
            }
        }
        for table in contract::TABLES {
            assert!(DAMAGES.iter().any(|d| d.table == table.name), "{}", table.name);
        }
    }
}
