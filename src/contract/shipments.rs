//! Shipments: promises about time, kept or broken.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// One row a parcel of an order.
pub static SHIPMENTS: TableContract = TableContract {
    name: "shipments",
    optional: true,
    doc: "one row a parcel of an order",
    key: &["shipment_id"],
    columns: &[
        Column::required("shipment_id", Type::Id, "the parcel"),
        Column::required("order_id", Type::Id, "the order it belongs to"),
        Column::required("merchant_id", Type::Id, "who ships"),
        Column::optional("ship_by_at", Type::Instant, "promised: handed to the carrier by then"),
        Column::optional("shipped_at", Type::Instant, "handed to the carrier"),
        Column::optional("promised_at", Type::Instant, "promised: delivered by then"),
        Column::optional("delivered_at", Type::Instant, "delivered to the buyer"),
        Column::optional("lost_at", Type::Instant, "declared lost"),
        Column::optional("carrier", Type::Text, "the carrier"),
        Column::optional("tracking", Type::Text, "the carrier's tracking number"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Parent,
    masks: &[
        Mask { milestone: "ship_by_at", reveals: &[], is_foreseen: true },
        Mask { milestone: "shipped_at", reveals: &["carrier", "tracking"], is_foreseen: false },
        Mask { milestone: "promised_at", reveals: &[], is_foreseen: true },
        Mask { milestone: "delivered_at", reveals: &[], is_foreseen: false },
        Mask { milestone: "lost_at", reveals: &[], is_foreseen: false },
    ],
    checks: &[Check { rule: "delivered-before-shipped", column: "delivered_at", holds: "delivered_at >= shipped_at" }],
    foreign_keys: &[
        ForeignKey { column: "order_id", table: "orders", key: "order_id", same_merchant: true },
        ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true },
    ],
};
