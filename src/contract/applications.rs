//! Applications: what a merchant asks for and declares.

use super::table::{Column, ForeignKey, MAX_MONEY, TableContract, Type, Visibility};

/// One row an application for credit.
pub static APPLICATIONS: TableContract = TableContract {
    name: "applications",
    optional: true,
    doc: "one row an application for credit",
    key: &["application_id"],
    columns: &[
        Column::required("application_id", Type::Id, "the application"),
        Column::required("merchant_id", Type::Id, "who applies"),
        Column::required("applied_at", Type::Instant, "when"),
        Column::required("product", Type::Word(&["order-loan", "credit-loan", "group-loan"]), "for what"),
        Column::required("requested_minor", Type::Money, "how much").within(1, 1_000_000_000_000),
        Column::optional("order_ids", Type::Ids, "orders offered as receivables"),
        Column::optional("gross_sales_12m_minor", Type::Money, "declared sales of the last twelve months")
            .within(0, MAX_MONEY),
        Column::optional("operating_costs_12m_minor", Type::Money, "declared operating costs").within(0, MAX_MONEY),
        Column::optional("gross_assets_minor", Type::Money, "declared assets").within(0, MAX_MONEY),
        Column::optional("gross_liabilities_minor", Type::Money, "declared liabilities").within(0, MAX_MONEY),
        Column::recorded_at(),
    ],
    visibility: Visibility::Instant("applied_at"),
    masks: &[],
    checks: &[],
    foreign_keys: &[ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true }],
};
