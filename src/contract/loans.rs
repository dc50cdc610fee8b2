//! Loans: credit already given.

use super::table::{Check, Column, ForeignKey, Mask, TableContract, Type, Visibility};

/// The product that a guarantee group answers for.
pub const GROUP_LOAN: &str = "group-loan";

/// One row a loan.
pub static LOANS: TableContract = TableContract {
    name: "loans",
    optional: true,
    doc: "one row a loan",
    key: &["loan_id"],
    columns: &[
        Column::required("loan_id", Type::Id, "the loan"),
        Column::required("merchant_id", Type::Id, "the borrower"),
        Column::required("product", Type::Word(&["order-loan", "credit-loan", GROUP_LOAN]), "the product"),
        Column::required("disbursed_at", Type::Instant, "when the money was paid out"),
        Column::required("principal_minor", Type::Money, "what was lent").within(1, 1_000_000_000_000),
        Column::required("term_days", Type::Integer, "days to the last instalment").within(1, 3_660),
        Column::required("daily_rate_ppm", Type::Integer, "interest a day in parts per million: 500 is 0.05 %")
            .within(0, 1_000_000),
        Column::required(
            "repayment",
            Type::Word(&["bullet", "equal-principal", "equal-instalment", "sales-share"]),
            "how it is repaid",
        ),
        Column::optional(
            "sales_share_ppm",
            Type::Integer,
            "of a loan that is repaid by a share of sales: the share of each day's receipts that is taken, in parts per million; its instalments are \
             milestones, the least that has to be paid by then, and of their interest only what has accrued by the day on what is owed",
        )
        .within(1, 1_000_000),
        Column::optional("written_off_at", Type::Instant, "when the lender wrote it off"),
        Column::optional("restructured_at", Type::Instant, "when its terms were eased"),
        Column::optional("group_id", Type::Id, "the guarantee group that is jointly liable"),
        Column::optional("offer_id", Type::Id, "the published offer that was drawn"),
        Column::optional("pledged_order_ids", Type::Ids, "orders that secure it"),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("disbursed_at"),
    masks: &[
        Mask { milestone: "written_off_at", reveals: &[], is_foreseen: false },
        Mask { milestone: "restructured_at", reveals: &[], is_foreseen: false },
    ],
    checks: &[
        Check {
            rule: "written-off-before-disbursed",
            column: "written_off_at",
            holds: "written_off_at >= disbursed_at",
        },
        Check {
            rule: "restructured-before-disbursed",
            column: "restructured_at",
            holds: "restructured_at >= disbursed_at",
        },
    ],
    foreign_keys: &[ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true }],
};
