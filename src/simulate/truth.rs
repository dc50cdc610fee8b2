//! What only the simulator knows, one table a file. Tests read it; the pipeline never does.

use super::settings::SimulationSettings;
use crate::contract::{Column, TableContract, Type, Visibility};

const fn truth_table(
    name: &'static str,
    doc: &'static str,
    key: &'static [&'static str],
    columns: &'static [Column],
) -> TableContract {
    TableContract {
        name,
        optional: true,
        doc,
        key,
        columns,
        visibility: Visibility::Parent,
        masks: &[],
        checks: &[],
        foreign_keys: &[],
    }
}

/// Every truth table but the outlooks.
pub(super) static TABLES: [&TableContract; 6] = [&MERCHANTS, &ORDERS, &REVIEWS, &DISPUTES, &LOANS, &PLANTED];

/// The truth tables of a simulation.
pub(super) fn tables(settings: &SimulationSettings) -> impl Iterator<Item = &'static TableContract> {
    TABLES.into_iter().chain((settings.outlook_lives > 0).then_some(&OUTLOOKS))
}

/// What a fraudulent row was made for.
const NATURES: Type = Type::Word(&["brushed", "attack"]);

/// Hidden traits, one row a merchant.
pub(super) static MERCHANTS: TableContract = truth_table(
    "merchants",
    "hidden traits of a merchant",
    &["merchant_id"],
    &[
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("diligence_ppm", Type::Integer, "diligence in millionths of a standard deviation"),
        Column::required("honesty_ppm", Type::Integer, "honesty in millionths of a standard deviation"),
        Column::required("orders_a_year", Type::Integer, "orders expected in an ordinary year"),
        Column::required("margin_ppm", Type::Integer, "gross margin in millionths of sales"),
        Column::required("fixed_cost_ppm", Type::Integer, "fixed costs in millionths of planned sales"),
        Column::required("starting_cash_minor", Type::Money, "cash on the first day"),
        Column::required("is_borrower", Type::Integer, "1 where the merchant would take loans"),
        Column::required("is_brusher", Type::Integer, "1 where it fakes orders"),
        Column::required("is_attacked", Type::Integer, "1 where it is attacked"),
        Column::required("industry_turns_down", Type::Integer, "1 where its industry does"),
        Column::optional("dark_at", Type::Instant, "when it stopped shipping and paying for good"),
        Column::optional("dark_why", Type::Word(&["cash", "will", "retired"]), "why it did"),
    ],
);

/// Orders that are not genuine trade.
pub(super) static ORDERS: TableContract = truth_table(
    "orders",
    "orders that are not genuine trade",
    &["order_id"],
    &[
        Column::required("order_id", Type::Id, "the order"),
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("nature", NATURES, "what it is instead"),
    ],
);

/// Reviews that are not genuine.
pub(super) static REVIEWS: TableContract = truth_table(
    "reviews",
    "reviews that are not genuine opinion",
    &["review_id"],
    &[
        Column::required("review_id", Type::Id, "the review"),
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("nature", NATURES, "what it is instead"),
    ],
);

/// Complaints without cause.
pub(super) static DISPUTES: TableContract = truth_table(
    "disputes",
    "disputes opened to harm",
    &["dispute_id"],
    &[
        Column::required("dispute_id", Type::Id, "the dispute"),
        Column::required("merchant_id", Type::Id, "the merchant"),
        Column::required("nature", NATURES, "what it is instead"),
    ],
);

/// How loans really went.
pub(super) static LOANS: TableContract = truth_table(
    "loans",
    "how a loan went by the end of the simulation",
    &["loan_id"],
    &[
        Column::required("loan_id", Type::Id, "the loan"),
        Column::required("merchant_id", Type::Id, "the borrower"),
        Column::required("outcome", Type::Word(&["repaid", "running", "bad-cash", "bad-will"]), "how it went"),
        Column::required("worst_days_past_due", Type::Integer, "most days that any instalment stood overdue"),
    ],
);

/// What could be foreseen of borrowers who are late with nothing, one row a borrower and night.
pub(super) static OUTLOOKS: TableContract = truth_table(
    "outlooks",
    "how a borrower's life goes on from a night, lived many times with other luck: what the best watcher could foresee",
    &["merchant_id", "on_night"],
    &[
        Column::required("merchant_id", Type::Id, "the borrower, who owes something and is late with nothing"),
        Column::required("on_night", Type::Day, "the night"),
        Column::required("owed_minor", Type::Money, "principal not repaid"),
        Column::required("lives", Type::Integer, "how often it was lived on for 180 days"),
        Column::required("bad", Type::Integer, "lives in which a loan goes bad"),
        Column::required(
            "missed_30d",
            Type::Integer,
            "those whose first missed payment on the way falls within 30 days",
        ),
        Column::required(
            "bad_minor",
            Type::Money,
            "principal of the night's loans that go bad, on average over the lives",
        ),
    ],
);

/// Rows tampered with on their way to the lender.
pub(super) static PLANTED: TableContract = truth_table(
    "planted",
    "rows that came late, twice, in versions, or broken, and ledgers with faults",
    &["table_name", "kind", "key"],
    &[
        Column::required("table_name", Type::Text, "contract table"),
        Column::required(
            "kind",
            Type::Word(&[
                "late",
                "resent",
                "duplicate",
                "broken",
                "resent-equal",
                "resent-changed",
                "broken-in-place",
                "broken-later",
                "loan-broken-in-place",
                "loan-broken-later",
                "instalment-broken-in-place",
                "instalment-broken-later",
                "instalment-dropped",
                "schedule-resent-equal",
                "schedule-changed",
                "payment-broken-in-place",
                "payment-broken-later",
                "payment-under-two-ids",
            ]),
            "what was done: `broken` is a row under a key of its own, all else befell the row of that key",
        ),
        Column::required(
            "effect",
            Type::Word(&["quarantined", "unknown-loan", "superseded", "none"]),
            "what a reader has to make of it",
        ),
        Column::optional("rule", Type::Text, "the rule that a broken row breaks"),
        Column::optional("key", Type::Text, "first key column of the row; null where the null was planted there"),
        Column::optional("number", Type::Integer, "number of an instalment"),
        Column::optional("loan_id", Type::Id, "the loan of which nothing may be taken as known"),
    ],
);
