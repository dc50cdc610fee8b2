//! The view `applications`: what merchants ask for and declare.

use super::schema::{ViewKind, ViewSchema, column};

/// Schema of the view: the contract table without its list of orders.
pub static APPLICATIONS: ViewSchema = ViewSchema {
    name: "applications",
    doc: "one row an application for credit",
    needs: &["applications"],
    columns: &[
        column("application_id", ViewKind::Text, "applications", "the application"),
        column("merchant_id", ViewKind::Text, "applications", "who applies"),
        column("applied_at", ViewKind::Instant, "applications", "when"),
        column("product", ViewKind::Text, "applications", "for what"),
        column("requested_minor", ViewKind::Integer, "applications", "how much"),
        column("gross_sales_12m_minor", ViewKind::Integer, "applications", "declared sales of the last twelve months"),
        column("operating_costs_12m_minor", ViewKind::Integer, "applications", "declared operating costs"),
        column("gross_assets_minor", ViewKind::Integer, "applications", "declared assets"),
        column("gross_liabilities_minor", ViewKind::Integer, "applications", "declared liabilities"),
    ],
};
