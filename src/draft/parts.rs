//! Whether each row of an order says what all of the order costs, or what its own part does.

use super::landscape::Landscape;
use super::orders_plan::{Lines, OrdersPlan};
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, SumCheck};

/// What an amount on a row of an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Share {
    /// Each row repeats what the order costs.
    Whole,
    /// The rows of an order add up to what it costs.
    Part,
    /// Neither shows, and why.
    Unclear(String),
}

/// Of fewer different values, all lines of an order may have the same by chance.
const MIN_TOTALS: usize = 10;
/// So many orders show whether rows add up.
const MIN_COMPARED: usize = 20;
/// Of the orders compared, or of those with several rows, so many agree.
const NEARLY_ALL: f64 = 0.95;
/// Where fewer orders have rows alike, each row is a part.
const MOST: f64 = 0.9;
/// Of rows that are parts, those of orders with several are this much smaller than those that are alone.
const SMALLER: f64 = 0.8;
/// Of rows that repeat it, those of orders with several are this much larger: who buys more pays more.
const LARGER: f64 = 1.2;

/// What `amount` says on a row of `lines`.
pub(super) fn share_of_row(land: &Landscape, plan: &OrdersPlan, lines: &Lines, amount: ColumnAt) -> Share {
    let raw = land.table(lines.table);
    // Two lines may cost the same: what is called a line's is one's.
    let is_called_of_line = [C::Item, C::Unit].iter().any(|c| land.column_name(amount).says(*c));
    let number = land.column(lines.order);
    let has_several = (number.rows() - number.nulls) as f64 > 1.05 * number.distinct as f64;
    if is_called_of_line || !has_several || land.column(amount).distinct < MIN_TOTALS {
        return Share::Part;
    }
    if let Some(share) = by_totals(land, plan, lines, amount) {
        return share;
    }
    let (orders, alike) = raw.alike_within(lines.order.column, amount.column);
    let share_alike = alike as f64 / orders.max(1) as f64;
    if share_alike < MOST {
        return Share::Part;
    }
    // Rows of a table of their own, each with its own number, may be equal parts: what they are is shown by orders with a single one.
    let has_own_key = lines.table != plan.driver && raw.columns.iter().any(|c| c.is_key() && c.is_like_an_id());
    let size = raw.means_by_uniqueness(lines.order.column, amount.column).filter(|(alone, _)| *alone > 0.0);
    match size.map(|(alone, together)| together / alone) {
        Some(ratio) if has_own_key && ratio < SMALLER => Share::Part,
        _ if alike == orders && !has_own_key => Share::Whole,
        Some(ratio) if alike == orders && ratio >= LARGER => Share::Whole,
        _ => Share::Unclear(format!(
            "is the same on all rows of {alike} of {orders} orders with several rows, and nothing tells whether each row repeats what the order costs (MAX, as \
             drafted) or is a part of it (SUM): write the one that is meant"
        )),
    }
}

/// By a column of the orders' own table, to which the rows of each order add up, or which each of them repeats.
fn by_totals(land: &Landscape, plan: &OrdersPlan, lines: &Lines, amount: ColumnAt) -> Option<Share> {
    if lines.table == plan.driver {
        return None;
    }
    let totals = land.columns(plan.driver).filter(|at| land.column(*at).is_number() && *at != plan.order);
    totals.map(|total| land.folder.adds_up((lines.order, amount), (plan.order, total))).find_map(|found| {
        let SumCheck { orders, sums, repeats } = found;
        let are_nearly_all = |count: usize| orders >= MIN_COMPARED && count as f64 >= NEARLY_ALL * orders as f64;
        match (are_nearly_all(sums), are_nearly_all(repeats)) {
            (true, false) => Some(Share::Part),
            (false, true) => Some(Share::Whole),
            _ => None,
        }
    })
}
