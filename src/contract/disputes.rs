//! Disputes: promises that a buyer, a brand or a court says were broken.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// One row a dispute.
pub static DISPUTES: TableContract = TableContract {
    name: "disputes",
    optional: true,
    doc: "one row a dispute",
    key: &["dispute_id"],
    columns: &[
        Column::required("dispute_id", Type::Id, "the dispute"),
        Column::optional("order_id", Type::Id, "the order disputed; only a lawsuit may name none"),
        Column::required("merchant_id", Type::Id, "against whom"),
        Column::optional(
            "buyer_id",
            Type::Id,
            "by whom; of an order that somebody else placed it counts only once it is decided for the buyer",
        ),
        Column::required("opened_at", Type::Instant, "when it was opened"),
        Column::optional("closed_at", Type::Instant, "when it was decided"),
        Column::required(
            "kind",
            Type::Word(&["not-received", "not-as-described", "counterfeit", "chargeback", "lawsuit", "other"]),
            "what is alleged",
        ),
        Column::optional("outcome", Type::Word(&["merchant-won", "buyer-won", "withdrawn"]), "how it was decided"),
        Column::required("amount_minor", Type::Money, "what is in dispute").within(0, 1_000_000_000_000),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("opened_at"),
    masks: &[Mask { milestone: "closed_at", reveals: &["outcome"], is_foreseen: false }],
    checks: &[
        Check { rule: "order-not-named", column: "order_id", holds: "order_id IS NOT NULL OR kind = 'lawsuit'" },
        Check { rule: "closed-before-opened", column: "closed_at", holds: "closed_at >= opened_at" },
        Check { rule: "outcome-without-close", column: "outcome", holds: "outcome IS NULL OR closed_at IS NOT NULL" },
    ],
    foreign_keys: &[
        ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true },
        ForeignKey { column: "order_id", table: "orders", key: "order_id", same_merchant: true },
    ],
};
