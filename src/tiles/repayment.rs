//! The views `instalment_status` and `loan_status`: the loan book, as it stands at as-of ([`crate::repayment::repayment_tables`]). Both hold
//! known loans only; a feature on them is null for a merchant with a loan that is not known.

use super::schema::{ViewKind, ViewSchema, column};

/// Schema of the view: one row an instalment already due.
pub static INSTALMENT_STATUS: ViewSchema = ViewSchema {
    name: "instalment_status",
    doc: "one row an instalment that has come due, with what was paid on it",
    needs: &["loans", "instalments", "payments"],
    columns: &[
        column("merchant_id", ViewKind::Text, "instalments", "the borrower"),
        column("loan_id", ViewKind::Text, "instalments", "the loan"),
        column("product", ViewKind::Text, "loans", "the product"),
        column("number", ViewKind::Integer, "instalments", "1, 2, … within the loan"),
        column("due_on", ViewKind::Day, "instalments", "the date by whose end it must be paid"),
        column("due_at", ViewKind::Instant, "instalments", "midnight after the due date: from here on it is late"),
        column("due_minor", ViewKind::Integer, "instalments", "what is due"),
        column("paid_minor", ViewKind::Integer, "payments", "what was paid on it"),
        column("settled_at", ViewKind::Instant, "payments", "when it was paid in full"),
        column(
            "days_late",
            ViewKind::Integer,
            "payments",
            "days past due at settlement, at as-of while unpaid; 0 in time",
        ),
        column("is_settled", ViewKind::Flag, "payments", "paid in full"),
    ],
};

/// Schema of the view: one row a loan.
pub static LOAN_STATUS: ViewSchema = ViewSchema {
    name: "loan_status",
    doc: "one row a loan, as it stands at as-of",
    needs: &["loans", "instalments", "payments"],
    columns: &[
        column("merchant_id", ViewKind::Text, "loans", "the borrower"),
        column("loan_id", ViewKind::Text, "loans", "the loan"),
        column("product", ViewKind::Text, "loans", "the product"),
        column("disbursed_at", ViewKind::Instant, "loans", "when the money was paid out"),
        column("principal_minor", ViewKind::Integer, "loans", "what was lent"),
        column("outstanding_minor", ViewKind::Integer, "payments", "principal not yet repaid"),
        column("arrears_minor", ViewKind::Integer, "payments", "due and unpaid"),
        column("dpd", ViewKind::Integer, "payments", "days past due now"),
        column("worst_dpd", ViewKind::Integer, "payments", "most days past due ever"),
        column("closed_at", ViewKind::Instant, "payments", "when it was repaid in full"),
        column("repaid_early", ViewKind::Flag, "payments", "repaid before its last instalment was due"),
        column("is_written_off", ViewKind::Flag, "loans", "written off"),
        column("is_restructured", ViewKind::Flag, "loans", "terms eased"),
    ],
};
