//! Reviews: what customers say of a kept promise. Never the text.

use super::table::{Column, ForeignKey, TableContract, Type, Visibility};

/// One row a review of an order.
pub static REVIEWS: TableContract = TableContract {
    name: "reviews",
    optional: true,
    doc: "one row a review of an order; never the text",
    key: &["review_id"],
    columns: &[
        Column::required("review_id", Type::Id, "the review"),
        Column::required("order_id", Type::Id, "the order reviewed"),
        Column::required("merchant_id", Type::Id, "the merchant reviewed"),
        Column::required("buyer_id", Type::Id, "who reviews"),
        Column::required("created_at", Type::Instant, "when the review was given"),
        Column::required("stars", Type::Integer, "1 (worst) to 5 (best)").within(1, 5),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("created_at"),
    masks: &[],
    checks: &[],
    foreign_keys: &[
        ForeignKey { column: "order_id", table: "orders", key: "order_id", same_merchant: true },
        ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true },
    ],
};
