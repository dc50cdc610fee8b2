//! The view `disputes`: each dispute with the date of the order it is about.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PolarsResult, Series, StringChunked};

use super::column::{integers, required_texts, texts};
use super::error::TileError;
use super::orders::{Orders, contract_column, instants};
use super::schema::{ViewKind, ViewSchema, column};
use super::view::{Children, ViewRules};
use crate::authenticity::{NotTheBuyerSettings, author};

/// Schema of the view. Disputes carry no verdict: dropping those about suspect orders would let a merchant hide complaints
/// behind faked orders. Dismissed ones are told by `outcome`. Those of people who did not place the order are not there ([`of_others`]).
pub static DISPUTES: ViewSchema = ViewSchema {
    name: "disputes",
    doc: "one row a dispute",
    needs: &["disputes"],
    columns: &[
        column("dispute_id", ViewKind::Text, "disputes", "the dispute"),
        column("order_id", ViewKind::Text, "disputes", "the order disputed, if any"),
        column("merchant_id", ViewKind::Text, "disputes", "against whom"),
        column("buyer_id", ViewKind::Text, "disputes", "by whom"),
        column("opened_at", ViewKind::Instant, "disputes", "when it was opened"),
        column("closed_at", ViewKind::Instant, "disputes", "when it was decided"),
        column("kind", ViewKind::Text, "disputes", "what is alleged"),
        column("outcome", ViewKind::Text, "disputes", "how it was decided"),
        column("amount_minor", ViewKind::Integer, "disputes", "money in dispute"),
        column("order_placed_at", ViewKind::Instant, "disputes", "when the order was placed; null where none is named"),
        column("order_amount_minor", ViewKind::Integer, "disputes", "value of the order; null where none is named"),
        column("days_to_open", ViewKind::Integer, "disputes", "whole days of 24 hours from placing to opening"),
    ],
};

const TABLE: &str = "disputes";

/// What an order's disputes amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflict {
    /// How many.
    pub count: i64,
    /// Not yet decided.
    pub open: i64,
    /// Decided for the buyer.
    pub lost: i64,
    /// Won by the merchant or withdrawn.
    pub dismissed: i64,
    /// When the first was opened.
    pub opened_at: Option<i64>,
    /// Kind of the latest.
    pub kind: Option<String>,
    /// Outcome of the latest.
    pub outcome: Option<String>,
    /// Money in dispute, together.
    pub amount_minor: i64,
    latest: Option<(i64, String)>,
}

/// Folds disputes by order: element `n` belongs to the order whose row is `n`.
pub fn fold_disputes(disputes: &Children<'_>, orders: usize) -> Result<Vec<Conflict>, TileError> {
    let Children { table: disputes, of_order } = disputes;
    let mut folded = vec![Conflict::default(); orders];
    let ids = required_texts(disputes, TABLE, "dispute_id")?;
    let opened = integers(disputes, TABLE, "opened_at")?;
    let closed = integers(disputes, TABLE, "closed_at")?;
    let amounts = integers(disputes, TABLE, "amount_minor")?;
    let kinds = texts(disputes, TABLE, "kind")?;
    let outcomes = texts(disputes, TABLE, "outcome")?;
    for (n, row) in of_order.iter().enumerate() {
        let Some(conflict) = row.and_then(|row| folded.get_mut(row)) else { continue };
        conflict.count += 1;
        match (closed.get(n), outcomes.get(n)) {
            (None, _) => conflict.open += 1,
            (Some(_), Some("buyer-won")) => conflict.lost += 1,
            (Some(_), Some(_)) => conflict.dismissed += 1,
            (Some(_), None) => {}
        }
        let opened_at = opened.get(n);
        conflict.opened_at = match (conflict.opened_at, opened_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        // The largest number stands for anything larger; a measure that adds it up is unknown for the merchant.
        conflict.amount_minor = conflict.amount_minor.saturating_add(amounts.get(n).unwrap_or(0));
        let this = Some((opened_at.unwrap_or(i64::MIN), ids.get(n).unwrap_or_default().to_owned()));
        if this > conflict.latest {
            conflict.latest = this;
            conflict.kind = kinds.get(n).map(str::to_owned);
            conflict.outcome = outcomes.get(n).map(str::to_owned);
        }
    }
    Ok(folded)
}

/// For each dispute whether it counts for nothing because somebody else than the order's buyer opened it. `buyers` belong to the orders row by row.
pub fn of_others(
    disputes: &Children<'_>,
    buyers: &StringChunked,
    settings: NotTheBuyerSettings,
) -> Result<Vec<bool>, TileError> {
    let Children { table, of_order } = disputes;
    let people = texts(table, TABLE, "buyer_id")?;
    let closed = integers(table, TABLE, "closed_at")?;
    let kinds = texts(table, TABLE, "kind")?;
    let outcomes = texts(table, TABLE, "outcome")?;
    let is_anothers = |(n, order): (usize, &Option<usize>)| {
        let author = author(people.get(n), order.and_then(|row| buyers.get(row)));
        let is_lost = closed.get(n).is_some() && outcomes.get(n) == Some("buyer-won");
        settings.leaves_out_dispute(author, is_lost, kinds.get(n))
    };
    Ok(of_order.iter().enumerate().map(is_anothers).collect())
}

/// Joins the view.
pub fn build(disputes: &Children<'_>, orders: &Orders, rules: ViewRules<'_>) -> Result<DataFrame, TileError> {
    const DAY: i64 = crate::domain::MICROS_PER_DAY;
    let Children { table, of_order } = disputes;
    let opened = integers(table, TABLE, "opened_at")?;
    let placed: Vec<Option<i64>> = of_order.iter().map(|row| row.and_then(|row| orders.placed_at.get(row))).collect();
    let assemble = || -> PolarsResult<DataFrame> {
        let mut columns: Vec<Column> = Vec::with_capacity(DISPUTES.columns.len());
        for spec in rules.columns_of(&DISPUTES) {
            columns.push(match spec.name {
                "order_placed_at" => instants(spec.name, placed.clone())?,
                "order_amount_minor" => {
                    let amounts: Vec<Option<i64>> =
                        of_order.iter().map(|row| row.and_then(|row| orders.amount_minor.get(row))).collect();
                    Series::new(spec.name.into(), amounts).into_column()
                }
                "days_to_open" => {
                    let days: Vec<Option<i64>> = placed
                        .iter()
                        .enumerate()
                        .map(|(n, placed)| Some(opened.get(n)?.saturating_sub((*placed)?).div_euclid(DAY)))
                        .collect();
                    Series::new(spec.name.into(), days).into_column()
                }
                _ => contract_column(table, spec)?,
            });
        }
        DataFrame::new(table.height(), columns)
    };
    assemble().map_err(|source| TileError::View { view: TABLE, source })
}
