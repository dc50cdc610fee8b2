//! Payments: what a borrower did pay.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// One row a repayment.
pub static PAYMENTS: TableContract = TableContract {
    name: "payments",
    optional: true,
    doc: "one row a repayment of a loan",
    key: &["payment_id"],
    columns: &[
        Column::required("payment_id", Type::Id, "the payment"),
        Column::required("loan_id", Type::Id, "the loan it repays"),
        Column::required("paid_at", Type::Instant, "when the money arrived"),
        Column::required("amount_minor", Type::Money, "how much").within(1, 1_000_000_000_000),
        Column::required("channel", Type::Word(&["voluntary", "deduction"]), "paid by the borrower, or deducted"),
        Column::optional("reversed_at", Type::Instant, "when the payment bounced"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("paid_at"),
    masks: &[Mask { milestone: "reversed_at", reveals: &[], is_foreseen: false }],
    checks: &[Check { rule: "reversed-before-paid", column: "reversed_at", holds: "reversed_at >= paid_at" }],
    foreign_keys: &[ForeignKey { column: "loan_id", table: "loans", key: "loan_id", same_merchant: false }],
};
