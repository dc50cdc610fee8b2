//! Inventory: stock on hand and what was sold out of it.

use super::table::{Column, ForeignKey, TableContract, Type, Visibility};

/// One row a merchant and date.
pub static INVENTORY: TableContract = TableContract {
    name: "inventory",
    optional: true,
    doc: "one row a merchant and date of stock-taking",
    key: &["merchant_id", "on"],
    columns: &[
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("on", Type::Day, "the date of the stock-taking"),
        Column::required("stock_value_minor", Type::Money, "value of the stock at cost").within(0, 1_000_000_000_000),
        Column::required("cost_of_sales_minor", Type::Money, "cost of what was sold since the last stock-taking")
            .within(0, 1_000_000_000_000),
        Column::recorded_at(),
    ],
    visibility: Visibility::Day("on"),
    masks: &[],
    checks: &[],
    foreign_keys: &[ForeignKey { column: "merchant_id", table: "merchants", key: "merchant_id", same_merchant: true }],
};
