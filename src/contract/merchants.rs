//! Merchants: who can be scored.

use super::table::{Check, Column, MAX_MONEY, Mask, TableContract, Type, Visibility};

/// One row a merchant.
pub static MERCHANTS: TableContract = TableContract {
    name: "merchants",
    optional: false,
    doc: "one row a merchant",
    key: &["merchant_id"],
    columns: &[
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("registered_at", Type::Instant, "when the shop was opened"),
        Column::required("category", Type::Text, "main line of business"),
        Column::required("region", Type::Text, "where the shop is"),
        Column::optional(
            "verification",
            Type::Word(&["none", "basic", "full"]),
            "how far the platform has verified the merchant",
        ),
        Column::optional(
            "owner_id",
            Type::Text,
            "who stands behind the shop: the verified person or company. Shops of one owner are one borrower to every bound that does not grow with trade; \
             only letters and digits count, whatever their case, and those that look alike are the same",
        ),
        Column::optional("deposit_minor", Type::Money, "security deposit held by the platform").within(0, MAX_MONEY),
        Column::optional("closed_at", Type::Instant, "when the shop was closed"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("registered_at"),
    masks: &[Mask { milestone: "closed_at", reveals: &[], is_foreseen: false }],
    checks: &[Check { rule: "closed-before-registered", column: "closed_at", holds: "closed_at >= registered_at" }],
    foreign_keys: &[],
};
