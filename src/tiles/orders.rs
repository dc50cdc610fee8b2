//! The view `orders`: each order with what became of it.

use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, IntoColumn, NamedFrom, PolarsResult, Series, StringChunked, TimeUnit,
};

use super::column::{integers, required_texts};
use super::disputes::Conflict;
use super::error::TileError;
use super::merchants::Merchants;
use super::parcels::{Parcels, hours_between};
use super::reviews::Ratings;
use super::schema::{ViewColumn, ViewKind, ViewSchema, column};
use super::view::ViewRules;
use crate::authenticity::{self, OrderFacts, Verdict};

/// Schema of the view.
pub static ORDERS: ViewSchema = ViewSchema {
    name: "orders",
    doc: "one row an order, with its parcels, latest review, disputes and authenticity verdict",
    needs: &["orders"],
    columns: &[
        column("order_id", ViewKind::Text, "orders", "the order"),
        column("merchant_id", ViewKind::Text, "orders", "who sells"),
        column("buyer_id", ViewKind::Text, "orders", "who buys"),
        column("placed_at", ViewKind::Instant, "orders", "when the buyer ordered"),
        column("paid_at", ViewKind::Instant, "orders", "when the buyer paid into escrow"),
        column("cancelled_at", ViewKind::Instant, "orders", "when it was cancelled"),
        column("completed_at", ViewKind::Instant, "orders", "when the buyer confirmed and escrow was released"),
        column("refunded_at", ViewKind::Instant, "orders", "when money went back"),
        column("amount_minor", ViewKind::Integer, "orders", "what the buyer owes"),
        column("refund_minor", ViewKind::Integer, "orders", "what went back to the buyer"),
        column(
            "escrow_lag_hours",
            ViewKind::Integer,
            "orders",
            "hours from payment (placing, where unpaid) to completion",
        ),
        column("parcels", ViewKind::Integer, "shipments", "how many parcels"),
        column("parcels_shipped", ViewKind::Integer, "shipments", "parcels handed to the carrier"),
        column("parcels_delivered", ViewKind::Integer, "shipments", "parcels that arrived"),
        column("parcels_lost", ViewKind::Integer, "shipments", "parcels declared lost"),
        column("ship_by_at", ViewKind::Instant, "shipments", "last due time for handing over, once due"),
        column("shipped_at", ViewKind::Instant, "shipments", "last handing over, once all are handed over"),
        column("promised_at", ViewKind::Instant, "shipments", "last promised arrival, once due"),
        column("delivered_at", ViewKind::Instant, "shipments", "last arrival, once all have arrived"),
        column("lost_at", ViewKind::Instant, "shipments", "first loss"),
        column("has_tracking", ViewKind::Flag, "shipments", "some parcel handed over has a tracking number"),
        column(
            "ship_late",
            ViewKind::Flag,
            "shipments",
            "handed over late, or not at all though due; null while no promise is due",
        ),
        column(
            "delivery_late",
            ViewKind::Flag,
            "shipments",
            "arrived late, or not at all though due; null while no promise is due",
        ),
        column(
            "ship_delay_hours",
            ViewKind::Integer,
            "shipments",
            "worst hours from due time to handing over, rounded down; negative is early",
        ),
        column(
            "delivery_delay_hours",
            ViewKind::Integer,
            "shipments",
            "worst hours from promised to real arrival, rounded down; negative is early",
        ),
        column(
            "handling_hours",
            ViewKind::Integer,
            "shipments",
            "hours from payment (placing, where unpaid) to the last handing over",
        ),
        column("delivery_hours", ViewKind::Integer, "shipments", "hours from placing to the last arrival"),
        column(
            "stars",
            ViewKind::Integer,
            "reviews",
            "stars of the review, not judged suspect, that the order is rated by: the buyer's latest",
        ),
        column("reviewed_at", ViewKind::Instant, "reviews", "when that review was given"),
        column("disputes", ViewKind::Integer, "disputes", "how many disputes"),
        column("disputes_open", ViewKind::Integer, "disputes", "disputes not yet decided"),
        column("disputes_lost", ViewKind::Integer, "disputes", "disputes decided for the buyer"),
        column("disputes_dismissed", ViewKind::Integer, "disputes", "disputes won by the merchant or withdrawn"),
        column("dispute_opened_at", ViewKind::Instant, "disputes", "when the first dispute was opened"),
        column("dispute_kind", ViewKind::Text, "disputes", "kind of the latest dispute"),
        column("dispute_outcome", ViewKind::Text, "disputes", "outcome of the latest dispute"),
        column("dispute_minor", ViewKind::Integer, "disputes", "money in dispute, all disputes together"),
        column("suspect", ViewKind::Flag, "orders", "judged not authentic"),
        column("suspect_rule", ViewKind::Text, "orders", "the rules that made it suspect, joined by +"),
    ],
};

/// The view and what other views need of it.
pub struct Orders {
    /// The frame, in the shard's row order.
    pub frame: DataFrame,
    /// When each order was placed.
    pub placed_at: Int64Chunked,
    /// Its value.
    pub amount_minor: Int64Chunked,
    /// When it was cancelled.
    pub cancelled_at: Int64Chunked,
    /// Whether it is suspect.
    pub is_suspect: Vec<bool>,
    /// Its verdict, with the evidence.
    pub verdicts: Vec<Verdict>,
}

/// What belongs to orders, row by row; `None` where the job lacks its table.
#[derive(Clone, Copy)]
pub struct Joined<'a> {
    pub parcels: Option<&'a [Parcels]>,
    pub ratings: Option<&'a Ratings>,
    pub conflicts: Option<&'a [Conflict]>,
}

/// Joins the view.
pub fn build(
    table: &DataFrame,
    merchants: &Merchants,
    joined: Joined<'_>,
    rules: ViewRules<'_>,
) -> Result<Orders, TileError> {
    const TABLE: &str = "orders";
    let order_ids = required_texts(table, TABLE, "order_id")?;
    let buyer_ids = required_texts(table, TABLE, "buyer_id")?;
    let placed_at = integers(table, TABLE, "placed_at")?;
    let paid_at = integers(table, TABLE, "paid_at")?;
    let cancelled_at = integers(table, TABLE, "cancelled_at")?;
    let completed_at = integers(table, TABLE, "completed_at")?;
    let refunded_at = integers(table, TABLE, "refunded_at")?;
    let amount_minor = integers(table, TABLE, "amount_minor")?;
    let Joined { parcels, ratings, conflicts } = joined;
    let facts: Vec<OrderFacts> = (0..table.height())
        .map(|row| {
            let parcels = parcels.and_then(|all| all.get(row)).copied().unwrap_or_default();
            let rating = ratings.and_then(|all| all.of_order(row));
            OrderFacts {
                order_id: order_ids.get(row).unwrap_or_default(),
                buyer_id: buyer_ids.get(row).unwrap_or_default(),
                placed_at: placed_at.get(row).unwrap_or_default(),
                amount_minor: amount_minor.get(row).unwrap_or_default(),
                shipped_at: parcels.shipped_at,
                delivered_at: parcels.delivered_at,
                has_tracking: parcels.has_tracking,
                is_troubled: cancelled_at.get(row).is_some()
                    || refunded_at.get(row).is_some()
                    || conflicts.and_then(|all| all.get(row)).is_some_and(|conflict| conflict.count > 0)
                    || parcels.lost > 0
                    || parcels.ship_late == Some(true)
                    || parcels.delivery_late == Some(true),
                is_completed: completed_at.get(row).is_some(),
                stars: rating.map(|r| r.stars),
                reviewed_at: rating.map(|r| r.created_at),
            }
        })
        .collect();
    let owners = merchants.of_rows(table, TABLE)?;
    let verdicts = authenticity::judge_orders(&facts, &owners, rules.authenticity);
    let is_suspect: Vec<bool> = verdicts.iter().map(Verdict::is_suspect).collect();
    let suspect_rules: Vec<Option<String>> = verdicts.iter().map(Verdict::rules).collect();

    let parts = Parts {
        order_ids: &order_ids,
        placed_at: &placed_at,
        paid_at: &paid_at,
        completed_at: &completed_at,
        parcels,
        ratings,
        conflicts,
        is_suspect: &is_suspect,
        rules: &suspect_rules,
    };
    let frame = parts.assemble(table, rules).map_err(|source| TileError::View { view: TABLE, source })?;
    Ok(Orders { frame, placed_at, amount_minor, cancelled_at, is_suspect, verdicts })
}

struct Parts<'a> {
    order_ids: &'a StringChunked,
    placed_at: &'a Int64Chunked,
    paid_at: &'a Int64Chunked,
    completed_at: &'a Int64Chunked,
    parcels: Option<&'a [Parcels]>,
    ratings: Option<&'a Ratings>,
    conflicts: Option<&'a [Conflict]>,
    is_suspect: &'a [bool],
    rules: &'a [Option<String>],
}

impl Parts<'_> {
    fn assemble(&self, table: &DataFrame, rules: ViewRules<'_>) -> PolarsResult<DataFrame> {
        let columns = rules.columns_of(&ORDERS).map(|spec| self.column(table, spec));
        let columns = columns.collect::<PolarsResult<Vec<Column>>>()?;
        DataFrame::new(table.height(), columns)
    }

    fn column(&self, table: &DataFrame, spec: &ViewColumn) -> PolarsResult<Column> {
        let whole = match spec.name {
            "escrow_lag_hours" => Some(self.hours(|row| self.completed_at.get(row))),
            "handling_hours" => Some(self.hours(|row| self.parcel(row)?.shipped_at)),
            "delivery_hours" => Some(self.whole(|row| {
                let delivered = self.parcel(row)?.delivered_at?;
                Some(hours_between(self.placed_at.get(row)?, delivered))
            })),
            "stars" => Some(self.whole(|row| self.ratings?.of_order(row).map(|r| r.stars))),
            "reviewed_at" => Some(self.whole(|row| self.ratings?.of_order(row).map(|r| r.created_at))),
            "parcels" => Some(self.whole(|row| self.parcel(row).map(|p| p.count))),
            "parcels_shipped" => Some(self.whole(|row| self.parcel(row).map(|p| p.shipped))),
            "parcels_delivered" => Some(self.whole(|row| self.parcel(row).map(|p| p.delivered))),
            "parcels_lost" => Some(self.whole(|row| self.parcel(row).map(|p| p.lost))),
            "ship_by_at" => Some(self.whole(|row| self.parcel(row)?.ship_by_at)),
            "shipped_at" => Some(self.whole(|row| self.parcel(row)?.shipped_at)),
            "promised_at" => Some(self.whole(|row| self.parcel(row)?.promised_at)),
            "delivered_at" => Some(self.whole(|row| self.parcel(row)?.delivered_at)),
            "lost_at" => Some(self.whole(|row| self.parcel(row)?.lost_at)),
            "ship_delay_hours" => Some(self.whole(|row| self.parcel(row)?.ship_delay_hours)),
            "delivery_delay_hours" => Some(self.whole(|row| self.parcel(row)?.delivery_delay_hours)),
            "disputes" => Some(self.whole(|row| self.conflict(row).map(|c| c.count))),
            "disputes_open" => Some(self.whole(|row| self.conflict(row).map(|c| c.open))),
            "disputes_lost" => Some(self.whole(|row| self.conflict(row).map(|c| c.lost))),
            "disputes_dismissed" => Some(self.whole(|row| self.conflict(row).map(|c| c.dismissed))),
            "dispute_opened_at" => Some(self.whole(|row| self.conflict(row)?.opened_at)),
            "dispute_minor" => Some(self.whole(|row| self.conflict(row).map(|c| c.amount_minor))),
            _ => None,
        };
        if let Some(values) = whole {
            return values.with_name(spec.name.into()).into_column().cast(&spec.kind.dtype());
        }
        let own = match spec.name {
            "has_tracking" => Series::new(spec.name.into(), self.rows(|row| self.parcel(row)?.has_tracking)),
            "ship_late" => Series::new(spec.name.into(), self.rows(|row| self.parcel(row)?.ship_late)),
            "delivery_late" => Series::new(spec.name.into(), self.rows(|row| self.parcel(row)?.delivery_late)),
            "dispute_kind" => Series::new(spec.name.into(), self.rows(|row| self.conflict(row)?.kind.as_deref())),
            "dispute_outcome" => Series::new(spec.name.into(), self.rows(|row| self.conflict(row)?.outcome.as_deref())),
            "suspect" => Series::new(spec.name.into(), self.is_suspect),
            "suspect_rule" => Series::new(spec.name.into(), self.rules),
            _ => return contract_column(table, spec),
        };
        Ok(own.into_column())
    }

    fn rows<T>(&self, value: impl Fn(usize) -> Option<T>) -> Vec<Option<T>> {
        (0..self.order_ids.len()).map(value).collect()
    }

    fn whole(&self, value: impl Fn(usize) -> Option<i64>) -> Int64Chunked {
        (0..self.order_ids.len()).map(value).collect()
    }

    /// Hours from payment, or placing where there was none, to a milestone.
    fn hours(&self, milestone: impl Fn(usize) -> Option<i64>) -> Int64Chunked {
        self.whole(|row| {
            let start = self.paid_at.get(row).or_else(|| self.placed_at.get(row))?;
            Some(hours_between(start, milestone(row)?))
        })
    }

    /// Orders without any parcel have counts of zero and everything else null.
    fn parcel(&self, row: usize) -> Option<&Parcels> {
        self.parcels?.get(row)
    }

    fn conflict(&self, row: usize) -> Option<&Conflict> {
        self.conflicts?.get(row)
    }
}

/// A contract column as it is, all null where the source leaves it out.
pub fn contract_column(table: &DataFrame, spec: &ViewColumn) -> PolarsResult<Column> {
    let dtype = spec.kind.dtype();
    match table.column(spec.name) {
        Ok(found) if found.dtype() == &dtype => Ok(found.clone()),
        Ok(found) => found.strict_cast(&dtype),
        Err(_) => Ok(Column::full_null(spec.name.into(), table.height(), &dtype)),
    }
}

/// Microseconds as an instant column.
pub fn instants(name: &str, values: Vec<Option<i64>>) -> PolarsResult<Column> {
    Series::new(name.into(), values)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .map(IntoColumn::into_column)
}
