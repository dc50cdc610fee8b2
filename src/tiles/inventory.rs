//! The view `inventory`: stock-takings.

use super::schema::{ViewKind, ViewSchema, column};

/// Schema of the view: the contract table as it is.
pub static INVENTORY: ViewSchema = ViewSchema {
    name: "inventory",
    doc: "one row a merchant and date of stock-taking",
    needs: &["inventory"],
    columns: &[
        column("merchant_id", ViewKind::Text, "inventory", "the merchant"),
        column("on", ViewKind::Day, "inventory", "the date; written \"on\" in SQL, where the bare word is reserved"),
        column("stock_value_minor", ViewKind::Integer, "inventory", "value of the stock at cost"),
        column(
            "cost_of_sales_minor",
            ViewKind::Integer,
            "inventory",
            "cost of what was sold since the last stock-taking",
        ),
    ],
};
