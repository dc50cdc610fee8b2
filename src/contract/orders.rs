//! Orders: the trade itself.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// One row an order of one buyer with one merchant.
pub static ORDERS: TableContract = TableContract {
    name: "orders",
    optional: false,
    doc: "one row an order of one buyer with one merchant",
    key: &["order_id"],
    columns: &[
        Column::required("order_id", Type::Id, "the order"),
        Column::required("merchant_id", Type::Id, "who sells"),
        Column::required("buyer_id", Type::Id, "who buys"),
        Column::required("placed_at", Type::Instant, "when the buyer ordered"),
        Column::optional("paid_at", Type::Instant, "when the buyer paid into escrow"),
        Column::optional("cancelled_at", Type::Instant, "when the order was cancelled"),
        Column::optional("completed_at", Type::Instant, "when the buyer confirmed receipt and escrow was released"),
        Column::optional("refunded_at", Type::Instant, "when money went back to the buyer"),
        Column::required(
            "amount_minor",
            Type::Money,
            "what the buyer owes for the order; a later version with more is not believed once the order was sent off",
        )
        .within(0, 1_000_000_000_000),
        Column::optional(
            "refund_minor",
            Type::Money,
            "what went back to the buyer; where only refunded_at is there, all of it is taken to have",
        )
        .within(0, 1_000_000_000_000),
        Column::required("currency", Type::Text, "ISO 4217 code; must be the job's"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("placed_at"),
    masks: &[
        Mask { milestone: "paid_at", reveals: &[], is_foreseen: false },
        Mask { milestone: "cancelled_at", reveals: &[], is_foreseen: false },
        Mask { milestone: "completed_at", reveals: &[], is_foreseen: false },
        Mask { milestone: "refunded_at", reveals: &["refund_minor"], is_foreseen: false },
    ],
    checks: &[
        Check { rule: "paid-before-placed", column: "paid_at", holds: "paid_at >= placed_at" },
        Check { rule: "cancelled-before-placed", column: "cancelled_at", holds: "cancelled_at >= placed_at" },
        Check { rule: "completed-before-placed", column: "completed_at", holds: "completed_at >= placed_at" },
        Check { rule: "refunded-before-placed", column: "refunded_at", holds: "refunded_at >= placed_at" },
        // Money that went back on no day would have gone back on none.
        Check {
            rule: "refund-without-date",
            column: "refund_minor",
            holds: "refunded_at IS NOT NULL OR refund_minor = 0",
        },
        Check { rule: "refund-exceeds-amount", column: "refund_minor", holds: "refund_minor <= amount_minor" },
    ],
    foreign_keys: &[ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true }],
};
