//! The view `shipments`: each parcel, judged against its own promises.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PolarsResult, Series};

use super::column::integers;
use super::error::TileError;
use super::orders::{Orders, contract_column, instants};
use super::parcels::{hours_between, is_late};
use super::schema::{ViewKind, ViewSchema, column};
use super::view::{Children, ViewRules};

/// Schema of the view.
pub static SHIPMENTS: ViewSchema = ViewSchema {
    name: "shipments",
    doc: "one row a parcel",
    needs: &["shipments"],
    columns: &[
        column("shipment_id", ViewKind::Text, "shipments", "the parcel"),
        column("order_id", ViewKind::Text, "shipments", "its order"),
        column("merchant_id", ViewKind::Text, "shipments", "who ships"),
        column("order_placed_at", ViewKind::Instant, "shipments", "when its order was placed"),
        column("ship_by_at", ViewKind::Instant, "shipments", "due time for handing over, once due"),
        column("shipped_at", ViewKind::Instant, "shipments", "handed to the carrier"),
        column("promised_at", ViewKind::Instant, "shipments", "promised arrival, once due"),
        column("delivered_at", ViewKind::Instant, "shipments", "arrival"),
        column("lost_at", ViewKind::Instant, "shipments", "declared lost"),
        column("carrier", ViewKind::Text, "shipments", "the carrier"),
        column("tracking", ViewKind::Text, "shipments", "the tracking number"),
        column("ship_late", ViewKind::Flag, "shipments", "handed over late, or not at all though due"),
        column("delivery_late", ViewKind::Flag, "shipments", "arrived late, or not at all though due"),
        column("ship_delay_hours", ViewKind::Integer, "shipments", "hours from due time to handing over, rounded down"),
        column(
            "delivery_delay_hours",
            ViewKind::Integer,
            "shipments",
            "hours from promised to real arrival, rounded down",
        ),
        column(
            "suspect",
            ViewKind::Flag,
            "orders",
            "its order is judged not authentic, or another row is of the same parcel",
        ),
    ],
};

/// Joins the view.
pub fn build(
    shipments: &Children<'_>,
    is_copy: &[bool],
    orders: &Orders,
    rules: ViewRules<'_>,
) -> Result<DataFrame, TileError> {
    const TABLE: &str = "shipments";
    let Children { table, of_order } = shipments;
    let ship_by = integers(table, TABLE, "ship_by_at")?;
    let shipped = integers(table, TABLE, "shipped_at")?;
    let promised = integers(table, TABLE, "promised_at")?;
    let delivered = integers(table, TABLE, "delivered_at")?;
    let cancelled = |n: usize| orders.cancelled_at.get(of_order.get(n).copied().flatten()?);
    let all = 0..table.height();
    let late = |due: &dyn Fn(usize) -> Option<i64>, done: &dyn Fn(usize) -> Option<i64>| -> Vec<Option<bool>> {
        all.clone().map(|n| is_late(due(n), done(n), cancelled(n))).collect()
    };
    let delay = |due: &dyn Fn(usize) -> Option<i64>, done: &dyn Fn(usize) -> Option<i64>| -> Vec<Option<i64>> {
        all.clone().map(|n| Some(hours_between(due(n)?, done(n)?))).collect()
    };
    let assemble = || -> PolarsResult<DataFrame> {
        let mut columns: Vec<Column> = Vec::with_capacity(SHIPMENTS.columns.len());
        for spec in rules.columns_of(&SHIPMENTS) {
            let name = spec.name.into();
            columns.push(match spec.name {
                "order_placed_at" => {
                    let placed = of_order.iter().map(|row| row.and_then(|row| orders.placed_at.get(row))).collect();
                    instants(spec.name, placed)?
                }
                "ship_late" => Series::new(name, late(&|n| ship_by.get(n), &|n| shipped.get(n))).into_column(),
                "delivery_late" => Series::new(name, late(&|n| promised.get(n), &|n| delivered.get(n))).into_column(),
                "ship_delay_hours" => Series::new(name, delay(&|n| ship_by.get(n), &|n| shipped.get(n))).into_column(),
                "delivery_delay_hours" => {
                    Series::new(name, delay(&|n| promised.get(n), &|n| delivered.get(n))).into_column()
                }
                "suspect" => {
                    let suspect: Vec<bool> = of_order
                        .iter()
                        .zip(is_copy)
                        .map(|(row, is_copy)| {
                            *is_copy || row.and_then(|row| orders.is_suspect.get(row)).copied().unwrap_or(false)
                        })
                        .collect();
                    Series::new(name, suspect).into_column()
                }
                _ => contract_column(table, spec)?,
            });
        }
        DataFrame::new(table.height(), columns)
    };
    assemble().map_err(|source| TileError::View { view: TABLE, source })
}
