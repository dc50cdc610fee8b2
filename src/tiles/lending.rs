//! The views `loans` and `payments`: the loan book as it stands in the contract.

use super::schema::{ViewKind, ViewSchema, column};

/// Schema of the view: loans given.
pub static LOANS: ViewSchema = ViewSchema {
    name: "loans",
    doc: "one row a loan",
    needs: &["loans"],
    columns: &[
        column("loan_id", ViewKind::Text, "loans", "the loan"),
        column("merchant_id", ViewKind::Text, "loans", "the borrower"),
        column("product", ViewKind::Text, "loans", "the product"),
        column("disbursed_at", ViewKind::Instant, "loans", "when the money was paid out"),
        column("principal_minor", ViewKind::Integer, "loans", "what was lent"),
        column("term_days", ViewKind::Integer, "loans", "days to the last instalment"),
        column("daily_rate_ppm", ViewKind::Integer, "loans", "interest a day in parts per million"),
        column("repayment", ViewKind::Text, "loans", "how it is repaid"),
        column("written_off_at", ViewKind::Instant, "loans", "when it was written off"),
        column("restructured_at", ViewKind::Instant, "loans", "when its terms were eased"),
    ],
};

/// Schema of the view: repayments received.
pub static PAYMENTS: ViewSchema = ViewSchema {
    name: "payments",
    doc: "one row a repayment of a loan",
    needs: &["payments"],
    columns: &[
        column("payment_id", ViewKind::Text, "payments", "the payment"),
        column("loan_id", ViewKind::Text, "payments", "the loan it repays"),
        column("merchant_id", ViewKind::Text, "payments", "the borrower"),
        column("paid_at", ViewKind::Instant, "payments", "when the money arrived"),
        column("amount_minor", ViewKind::Integer, "payments", "how much"),
        column("channel", ViewKind::Text, "payments", "voluntary or deduction"),
        column("reversed_at", ViewKind::Instant, "payments", "when it bounced"),
    ],
};
