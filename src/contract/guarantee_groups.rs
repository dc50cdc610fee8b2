//! Guarantee groups: merchants who answer for one another.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// One row a membership.
pub static GUARANTEE_GROUPS: TableContract = TableContract {
    name: "guarantee_groups",
    optional: true,
    doc: "one row a membership of a merchant in a group",
    key: &["group_id", "merchant_id"],
    columns: &[
        Column::required("group_id", Type::Id, "the group"),
        Column::required("merchant_id", Type::Id, "the member"),
        Column::required("joined_at", Type::Instant, "when it joined"),
        Column::optional("left_at", Type::Instant, "when it left"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("joined_at"),
    masks: &[Mask { milestone: "left_at", reveals: &[], is_foreseen: true }],
    checks: &[Check { rule: "left-before-joined", column: "left_at", holds: "left_at >= joined_at" }],
    foreign_keys: &[ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true }],
};
