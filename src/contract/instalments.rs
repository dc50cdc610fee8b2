//! Instalments: what a borrower promised to pay, and when.

use super::table::{Column, ForeignKey, TableContract, Type, Visibility};

/// One row an instalment of a loan. The whole schedule, its future part included, is known from the loan's disbursement, and a changed
/// one from its `recorded_at`; readers take no promise for broken before its day has passed.
pub static INSTALMENTS: TableContract = TableContract {
    name: "instalments",
    optional: true,
    doc: "one row an instalment of a loan",
    key: &["loan_id", "number"],
    columns: &[
        Column::required("loan_id", Type::Id, "the loan"),
        Column::required("number", Type::Integer, "1, 2, … within the loan").within(1, 10_000),
        Column::required("due_on", Type::Day, "the date by whose end it must be paid"),
        Column::required("principal_minor", Type::Money, "principal due. That of all instalments adds up to what was lent; where a lender rounds and is off by a minor unit an instalment at most (short of it only where the last one falls due on the last of term_days, and not of a restructured loan), the last one bears the difference and asks for as much in all, as far as its interest and fee give way").within(0, 1_000_000_000_000),
        Column::required("interest_minor", Type::Money, "interest due").within(0, 1_000_000_000_000),
        Column::required("fee_minor", Type::Money, "fees due; who repays the principal before the day owes none of it. A fixed fee that is owed all the same, as of a merchant cash advance, is part of the principal of loan and instalment, and 0 here").within(0, 1_000_000_000_000),
        Column::recorded_at(),
    ],
    visibility: Visibility::Parent,
    masks: &[],
    checks: &[],
    foreign_keys: &[ForeignKey { column: "loan_id", table: "loans", key: "loan_id", same_merchant: false }],
};
