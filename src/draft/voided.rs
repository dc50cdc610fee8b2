//! Sales that a later row of their table makes void: that row is no sale, and the one that it names came to nothing.

use super::assign::free_name;
use super::ends::MAX_STATES;
use super::lending::skip_named;
use super::orders_plan::OrdersPlan;
use super::other_business::OtherBusiness;
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::taken_back::{MAX_SHARE, what_they_name};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::Type;

/// Cancels the sales that rows of such a kind name; `number` is the order's number. Where nothing says which sale it was, a person is told.
pub(super) fn cancel_voided(
    draft: &mut TableDraft,
    scope: &Scope,
    plan: &OrdersPlan,
    number: &str,
    others: Option<&OtherBusiness>,
) {
    let land = scope.land;
    if plan.is_by_line() {
        return;
    }
    let raw = land.table(scope.driver);
    let mut kinds = land
        .columns(scope.driver)
        .filter(|at| land.column_name(*at).says(C::Kind) && (2..=MAX_STATES).contains(&land.column(*at).words.len()));
    let found = kinds.find_map(|at| {
        let back = words::take_back(land.column(at));
        let said: Vec<&str> = words::failed(land.column(at)).into_iter().filter(|word| !back.contains(word)).collect();
        let rows = raw.rows_with_words(at.column, |word| said.contains(&word));
        let is_few = !rows.is_empty() && rows.len() as f64 <= MAX_SHARE * raw.rows as f64;
        is_few.then_some((at, said, rows))
    });
    let Some((kind, said, rows)) = found else { return };
    let is_left_out = |word: &&str| others.is_some_and(|others| others.words.contains(*word));
    let left: Vec<&str> = said.iter().copied().filter(|word| !is_left_out(word)).collect();
    if !left.is_empty() {
        skip_named(draft, scope, kind, &left, "take a sale back: they are none");
    }
    let listed = words::listed(&said);
    let when = plan.placed.as_ref().filter(|found| found.path.is_empty()).map(|found| found.at);
    let (Some(sale), Some(when)) = (what_they_name(scope, plan.order, &rows), when) else {
        let note = format!(
            "{} row(s) with {listed} in {:?} make sales void, and nothing says which: where such a sale is a row of its own, it counts",
            rows.len(),
            land.column(kind).name
        );
        draft.look_at("amount_minor", &note);
        return;
    };
    let rows_again = scope.twin("credit_notes");
    let name = free_name(land, "voided");
    let id = rows_again.id_of(sale, &rows_again.name(sale));
    let at = rows_again.render(Type::Instant, "cancelled_at", when, &rows_again.name(when)).sql;
    draft.twin = rows_again.twin_of();
    draft.needs_all = true;
    draft.with.push((
        name.clone(),
        format!(
            "SELECT\n    {id} AS order_number,\n    MIN({at}) AS cancelled_at\nFROM {}\nWHERE {} IN ({listed})\nGROUP BY {id}",
            rows_again.driver_name(),
            rows_again.id_of(kind, &rows_again.name(kind)),
        ),
    ));
    draft.joins.push(format!("LEFT JOIN {name} ON {number} = {name}.order_number"));
    let note = format!("{} row(s) with {listed} name the sale that they make void", rows.len());
    let sql_of = |column: &str| draft.column(column).map(|drafted| drafted.sql.clone());
    let (before, completed) = (sql_of("cancelled_at"), sql_of("completed_at"));
    if let Some(before) = before {
        let mut times = [before, format!("{name}.cancelled_at")];
        scope.as_one_type(&mut times);
        if let Some(drafted) = draft.column_mut("cancelled_at") {
            drafted.sql = format!("COALESCE({})", times.join(", "));
            drafted.remark(&note);
        }
    } else {
        let from = scope.column_name(sale);
        draft.put("cancelled_at", Piece::guess(format!("{name}.cancelled_at"), note), from, 0.7);
    }
    if let (Some(completed), Some(drafted)) = (completed, draft.column_mut("completed_at")) {
        drafted.sql = format!("CASE WHEN {name}.order_number IS NOT NULL THEN NULL ELSE {completed} END");
    }
}
