//! Ways in which a row breaks the contract.

use super::calendar::DAY;
use super::draw::Draw;
use super::life::World;
use super::rows::{Cell, Id, cell, set};
use crate::contract::TableContract;

/// A way to break a row.
struct Damage {
    table: &'static str,
    rule: &'static str,
    column: &'static str,
    how: DamageKind,
}

enum DamageKind {
    Null,
    Number(i64),
    /// Days since 1970: a date that no contract allows, such as 1800-01-01 or 2999-12-31.
    Day(i32),
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

const fn damage(table: &'static str, rule: &'static str, column: &'static str, how: DamageKind) -> Damage {
    Damage { table, rule, column, how }
}

/// Every way in which each table's rows are broken. Rules within a row bear the contract's names.
static DAMAGES: [Damage; 44] = [
    damage("merchants", "null", "category", DamageKind::Null),
    damage("merchants", "unknown-word", "verification", DamageKind::Word("platinum")),
    damage("merchants", "closed-before-registered", "closed_at", DamageKind::Before("registered_at")),
    damage("orders", "null", "order_id", DamageKind::Null),
    damage("orders", "null", "buyer_id", DamageKind::Null),
    damage("orders", "range", "amount_minor", DamageKind::Number(-4_200)),
    damage("orders", "currency", "currency", DamageKind::Currency),
    damage("orders", "orphan", "merchant_id", DamageKind::Orphan),
    damage("orders", "paid-before-placed", "paid_at", DamageKind::Before("placed_at")),
    damage("orders", "completed-before-placed", "completed_at", DamageKind::Before("placed_at")),
    damage("orders", "refund-exceeds-amount", "refund_minor", DamageKind::Beyond("amount_minor")),
    damage("shipments", "null", "order_id", DamageKind::Null),
    damage("shipments", "orphan", "order_id", DamageKind::Orphan),
    damage("shipments", "delivered-before-shipped", "delivered_at", DamageKind::Before("shipped_at")),
    damage("reviews", "range", "stars", DamageKind::Number(0)),
    damage("reviews", "range", "stars", DamageKind::Number(6)),
    damage("reviews", "null", "created_at", DamageKind::Null),
    damage("reviews", "orphan", "order_id", DamageKind::Orphan),
    damage("disputes", "unknown-word", "kind", DamageKind::Word("misunderstanding")),
    damage("disputes", "unknown-word", "outcome", DamageKind::Word("draw")),
    damage("disputes", "closed-before-opened", "closed_at", DamageKind::Before("opened_at")),
    damage("disputes", "range", "amount_minor", DamageKind::Number(-100)),
    damage("disputes", "orphan", "order_id", DamageKind::Orphan),
    damage("loans", "range", "principal_minor", DamageKind::Number(0)),
    damage("loans", "range", "term_days", DamageKind::Number(0)),
    damage("loans", "unknown-word", "product", DamageKind::Word("payday-loan")),
    damage("loans", "written-off-before-disbursed", "written_off_at", DamageKind::Before("disbursed_at")),
    damage("instalments", "range", "principal_minor", DamageKind::Number(-1)),
    damage("instalments", "range", "interest_minor", DamageKind::Number(-1)),
    damage("instalments", "range", "due_on", DamageKind::Day(-62_091)),
    damage("instalments", "range", "due_on", DamageKind::Day(376_199)),
    damage("instalments", "null", "due_on", DamageKind::Null),
    damage("instalments", "orphan", "loan_id", DamageKind::Orphan),
    damage("payments", "range", "amount_minor", DamageKind::Number(0)),
    damage("payments", "unknown-word", "channel", DamageKind::Word("barter")),
    damage("payments", "orphan", "loan_id", DamageKind::Orphan),
    damage("payments", "reversed-before-paid", "reversed_at", DamageKind::Before("paid_at")),
    damage("applications", "unknown-word", "product", DamageKind::Word("mortgage")),
    damage("applications", "orphan", "merchant_id", DamageKind::Orphan),
    damage("applications", "range", "requested_minor", DamageKind::Number(0)),
    damage("inventory", "range", "stock_value_minor", DamageKind::Number(-1)),
    damage("inventory", "null", "cost_of_sales_minor", DamageKind::Null),
    damage("guarantee_groups", "left-before-joined", "left_at", DamageKind::Before("joined_at")),
    damage("guarantee_groups", "orphan", "merchant_id", DamageKind::Orphan),
];

/// Numbers from here on belong to planted rows and to parents that do not exist.
pub(super) const PLANTED_FROM: u32 = 500_000;

/// A broken row beside the good one, under a key of its own. A broken instalment or payment belongs to no loan either: what a loan's
/// ledger suffers is planted apart.
pub(super) fn break_beside(
    draw: &mut Draw,
    world: &World,
    table: &TableContract,
    row: &[Cell],
    number: u32,
) -> Option<(&'static str, Vec<Cell>)> {
    let way = choose(draw, table, |_| true)?;
    let mut bad = row.to_vec();
    give_own_key(table, &mut bad, number);
    if table.name == "payments"
        && let Some(Cell::Id(loan)) = cell(table, row, "loan_id")
    {
        set(table, &mut bad, "loan_id", Cell::Id(displaced(*loan, PLANTED_FROM + number)));
    }
    apply(way, draw, world, table, bad, number)
}

/// The same row broken, under its own key. `allows` says which rules may be broken in which columns.
pub(super) fn break_row(
    draw: &mut Draw,
    world: &World,
    table: &TableContract,
    row: &[Cell],
    allows: impl Fn(&str, &str) -> bool,
) -> Option<(&'static str, Vec<Cell>)> {
    let way = choose(draw, table, |d| !table.key.contains(&d.column) && allows(d.rule, d.column))?;
    apply(way, draw, world, table, row.to_vec(), 0)
}

fn choose(draw: &mut Draw, table: &TableContract, allows: impl Fn(&Damage) -> bool) -> Option<&'static Damage> {
    let ways: Vec<&'static Damage> = DAMAGES.iter().filter(|d| d.table == table.name && allows(d)).collect();
    draw.choose(&ways.iter().map(|way| Some(*way)).collect::<Vec<_>>(), None)
}

fn apply(
    way: &Damage,
    draw: &mut Draw,
    world: &World,
    table: &TableContract,
    mut row: Vec<Cell>,
    number: u32,
) -> Option<(&'static str, Vec<Cell>)> {
    let broken = match &way.how {
        DamageKind::Null => Cell::Null,
        DamageKind::Number(value) => Cell::Int(*value),
        DamageKind::Day(day) => Cell::Day(*day),
        DamageKind::Word(word) => Cell::Word(word),
        DamageKind::Before(column) => match cell(table, &row, column)? {
            Cell::At(at) => Cell::At(at - draw.whole(3_600, 5 * DAY)),
            _ => return None,
        },
        DamageKind::Beyond(column) => match cell(table, &row, column)? {
            Cell::Int(value) => Cell::Int(value + draw.whole(1, 100_000)),
            _ => return None,
        },
        DamageKind::Orphan => match cell(table, &row, way.column)? {
            Cell::Id(id) => Cell::Id(displaced(*id, PLANTED_FROM + number)),
            _ => return None,
        },
        DamageKind::Currency => Cell::Word(if world.settings.currency.code() == "USD" { "EUR" } else { "USD" }),
    };
    if way.rule == "refund-exceeds-amount" && cell(table, &row, "refunded_at") == Some(&Cell::Null) {
        let placed = cell(table, &row, "placed_at")?.clone();
        set(table, &mut row, "refunded_at", placed);
    }
    set(table, &mut row, way.column, broken);
    Some((way.rule, row))
}

fn give_own_key(table: &TableContract, row: &mut [Cell], number: u32) {
    let own = match row.first() {
        Some(Cell::Id(id)) => Cell::Id(displaced(*id, PLANTED_FROM + number)),
        _ => return,
    };
    match table.key {
        [key] => set(table, row, key, own),
        // A merchant's stock-takings keep their merchant, whom others must find.
        [key, second] => match cell(table, row, second) {
            Some(Cell::Day(day)) => set(table, row, second, Cell::Day(day - 7)),
            _ => set(table, row, key, own),
        },
        _ => {}
    }
}

/// An id of the same kind that no good row has.
pub(super) fn displaced(id: Id, number: u32) -> Id {
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
        Id::Buyer(_) | Id::Tracking(..) | Id::Currency(_) | Id::Offer(_) => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn every_damage_is_of_a_column_and_every_table_can_be_damaged() {
        for damage in &DAMAGES {
            assert!(contract::table(damage.table).unwrap().column(damage.column).is_some(), "{}", damage.rule);
            if let DamageKind::Before(column) | DamageKind::Beyond(column) = damage.how {
                assert!(contract::table(damage.table).unwrap().column(column).is_some());
            }
        }
        for table in contract::TABLES {
            assert!(DAMAGES.iter().any(|d| d.table == table.name), "{}", table.name);
        }
    }
}
