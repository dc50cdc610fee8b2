//! What went back to buyers, where other rows say so: a table of refunds, or credit notes among the orders as rows with a negative amount.

use super::assign::free_name;
use super::landscape::{Found, Landscape};
use super::orders_plan::OrdersPlan;
use super::scope::{Piece, Scope, quoted};
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use crate::contract::{DISPUTES, Type};
use crate::profile::ColumnAt;

/// Of the rows of orders, so many may be credit notes; where more are negative, the sign means something else.
const MAX_CREDIT_SHARE: f64 = 0.4;

/// Rows that give money back for orders.
struct Refunds {
    order: ColumnAt,
    when: ColumnAt,
    amount: ColumnAt,
    /// Which rows of their table are meant; empty where all are.
    only: String,
    /// Whether their rows stand among the orders', where the job skips them: a second input of the same files has them.
    is_among_orders: bool,
    /// Whether amounts have a minus.
    is_negative: bool,
    score: f64,
}

/// Adds when money went back and how much, where the orders' own rows do not say it.
pub(super) fn refunds(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan, number: &str) {
    let land = scope.land;
    let credits = credit_notes(draft, scope, plan);
    if draft.has("refunded_at") || plan.splits() {
        return;
    }
    let Some(found) = credits.or_else(|| table_of_refunds(land, plan)) else { return };
    let inner = Scope::new(land, found.order.table, scope.currency);
    let order = inner.id_of(found.order, &inner.name(found.order));
    let when = inner.render(Type::Instant, "refunded_at", found.when, &inner.name(found.when)).sql;
    let minor = inner.minor(found.amount, &inner.name(found.amount)).sql;
    let minor = if found.is_negative { format!("-1 * ({minor})") } else { minor };
    let name = free_name(land, "given_back");
    let body = format!(
        "SELECT\n    {order} AS order_number,\n    MIN({when}) AS refunded_at,\n    CASE WHEN COUNT({minor}) = COUNT(*) THEN SUM({minor}) ELSE NULL END AS \
             refund_minor\nFROM {}{}\nGROUP BY {order}",
        inner.driver_name(),
        found.only
    );
    let body = if found.is_among_orders {
        let (own, twin) = (inner.driver_name(), free_name(land, "credit_notes"));
        draft.twin = Some((twin.clone(), own.to_owned()));
        // By their own number rows lie apart from the orders that they name.
        draft.needs_all = true;
        body.replace(&format!("{own}."), &format!("{twin}.")).replace(&format!("FROM {own}"), &format!("FROM {twin}"))
    } else {
        draft.keys.push((plan.order, found.order));
        body
    };
    draft.with.push((name.clone(), body));
    draft.joins.push(format!("LEFT JOIN {name} ON {number} = {name}.order_number"));
    let note = "the first of an order's refunds dates them all";
    draft.put("refunded_at", Piece::guess(format!("{name}.refunded_at"), note), inner.name(found.when), found.score);
    draft.put(
        "refund_minor",
        Piece::guess(format!("{name}.refund_minor"), "the sum of an order's refunds"),
        inner.name(found.amount),
        found.score,
    );
}

/// Orders with a negative amount are credit notes: they are skipped as orders. Which order each is of, a column says whose values are numbers of
/// orders.
fn credit_notes(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan) -> Option<Refunds> {
    let land = scope.land;
    if plan.is_by_line() || plan.lines.is_some() {
        return None;
    }
    let amount = super::amount::main_amount(land, plan.driver, &|_| true)?.at;
    let negative = &land.column(amount).negative;
    let raw = land.table(plan.driver);
    if negative.is_empty() || negative.len() as f64 > MAX_CREDIT_SHARE * raw.rows as f64 {
        return None;
    }
    let below_zero = |sql: &str| format!("{} < 0", scope.number(amount, sql));
    draft.skip(Skipped {
        why: format!("Rows with a negative {:?} are credit notes, not orders.", raw.columns[amount.column].name),
        keeps: format!("COALESCE(NOT ({}), TRUE)", below_zero(&quoted(&raw.columns[amount.column].name))),
        // Nothing that follows an order names its credit note.
        share: 0.0,
    });
    let when = plan.placed.as_ref().filter(|found| found.path.is_empty())?.at;
    let columns = (0..raw.columns.len()).filter(|c| *c != plan.order.column && raw.columns[*c].is_like_an_id());
    let shares = columns.map(|column| (raw.share_found_in(column, plan.order.column, negative), column));
    let (share, column) = shares.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))?;
    (share > 0.5).then(|| Refunds {
        order: ColumnAt { table: plan.driver, column },
        when,
        amount,
        only: format!("\nWHERE {}", below_zero(&scope.name(amount))),
        is_among_orders: true,
        is_negative: true,
        score: 0.7,
    })
}

/// A table that is called after refunds, or a table of disputes that says what went back.
fn table_of_refunds(land: &Landscape, plan: &OrdersPlan) -> Option<Refunds> {
    let tables = (0..land.folder.tables.len()).filter(|table| *table != plan.driver && *table != plan.sales_table());
    let best = |found: Vec<Found>| found.into_iter().map(|f| (f.score, f.at)).next();
    let found = tables.filter_map(|table| {
        let (order, _) = land.naming(table, C::Order)?;
        let is_called_so = land.table_name(table).says(C::Refund);
        let columns = (0..land.table(table).columns.len()).map(|column| ColumnAt { table, column });
        let says_refund = |at: &ColumnAt| land.column_name(*at).says(C::Refund);
        let is_money = |at: &ColumnAt| {
            let name = land.column_name(*at);
            land.column(*at).is_number() && ![C::Id, C::Number, C::Quantity, C::Time].iter().any(|c| name.says(*c))
        };
        let stated = columns.clone().find(|at| says_refund(at) && is_money(at));
        if !(is_called_so || stated.is_some()) || !matches!(land.role(table), None | Some(C::Dispute)) {
            return None;
        }
        let amount = stated.or_else(|| Some(best(land.candidates(table, &DISPUTES, "amount_minor", true))?.1))?;
        let when = columns.clone().find(|at| says_refund(at) && land.column(*at).is_time());
        let closed = || best(land.candidates(table, &DISPUTES, "closed_at", true));
        let opened = || best(land.candidates(table, &DISPUTES, "opened_at", true));
        let when = when.or_else(|| Some(closed().or_else(opened)?.1))?;
        let is_negative = land.column(amount).negative.len() * 2 > land.table(table).rows;
        Some(Refunds { order, when, amount, only: String::new(), is_among_orders: false, is_negative, score: 0.7 })
    });
    found.into_iter().max_by_key(|refunds| land.table(refunds.order.table).rows)
}
