//! Everything that a monitor file may hold.

use super::drift::{DRIFT_ALLOW_KEYS, DRIFT_KEYS};
use super::hazard_terms::HAZARD_KEYS;
use super::officers::OFFICERS_KEYS;
use super::portfolio::{PORTFOLIO_KEYS, PROVISION_KEYS, SCENARIO_KEYS};
use super::queue::QUEUE_KEYS;
use super::restoration::{HELP_KEYS, REGROWTH_KEYS, RESTORATION_KEYS};
use super::restructure::{RECEIPTS_DAYS, RECEIPTS_FEATURE, RESTRUCTURE_KEYS};
use super::rule_reference::RULE_SECTIONS;
use crate::config::{Key, Section};
use crate::repayment::{LEDGER_KEYS, MATERIALITY_KEYS, WATERFALL_KEYS};

static MONITOR_KEYS: Section = Section {
    head: "",
    doc: "Amounts are minor units of the job's currency. A feature that is null raises no alert; how often each rule could not say is counted.",
    keys: &[
        Key::new("watch", "word", "\"borrowers\"", "who is watched: those who owe something, or everybody")
            .range("borrowers, all"),
        Key::section("waterfall", "how payments are allocated"),
        Key::section("materiality", "which arrears count towards default").or("10,000 minor units and 1 %"),
        Key::section("ledger", "when loans cannot be relied on").or("its defaults"),
        Key::section("class_from_dpd", "regulatory classes"),
        Key::section("deduction", "what may be deducted").or("nothing is deducted"),
        Key::section("restructure", "easier terms that are proposed").or("none are"),
        Key::section("queue", "what an officer's work saves").or("its defaults"),
        Key::section("portfolio", "how the portfolio is reported").or("its defaults"),
        Key::section("provisions", "what is set aside for losses").or("nothing is"),
        Key::section("restoration", "the way back from a default").or("its defaults"),
        Key::section("drift", "how far a night may differ from the one before").or("no bound"),
        Key::section("officers", "whose decisions about alerts count").or("nobody suppresses"),
        Key::section("hazard", "a model of trouble to come").or("none"),
        Key::section("bucket", "buckets of days past due"),
        Key::section("rule", "alerts").or("none"),
    ],
};

static CLASS_KEYS: Section = Section {
    head: "[class_from_dpd]",
    doc: "From how many days past due on a loan is in a class; each more than the one before.",
    keys: &[
        Key::new("special_mention", "whole number", "1", "special mention").unit("days").range("1 to 3660"),
        Key::new("substandard", "whole number", "91", "substandard").unit("days").range("1 to 3660"),
        Key::new("doubtful", "whole number", "271", "doubtful").unit("days").range("1 to 3660"),
        Key::new("loss", "whole number", "361", "loss").unit("days").range("1 to 3660"),
    ],
};

static DEDUCTION_KEYS: Section = Section {
    head: "[deduction]",
    doc: "A night takes at most a share of what an average day brought in, over all of a merchant's loans: arrears where a rule asks for them, and of \
          loans repaid by a share of sales that share of the last day's receipts. What escrow has released of pledged orders is taken beside it, where `released_orders_repay` says so.",
    keys: &[
        RECEIPTS_FEATURE,
        RECEIPTS_DAYS,
        Key::new(
            "day_receipts_feature",
            "word",
            "\"net_receipts_sum_1d_minor\"",
            "what came in on the last day: of it loans repaid by a share of sales take theirs",
        )
        .unit("minor units")
        .or("an average day of receipts_feature"),
        Key::new("receipts_share_ppm", "whole number", "500_000", "the share of an average day that may be taken")
            .unit("ppm")
            .range("1 to 1000000"),
        Key::new("min_minor", "whole number", "100", "less is not worth a transfer")
            .unit("minor units")
            .range("1 to 10^9"),
        Key::new("floor_minor", "whole number", "5_000", "what must be left of an average day's receipts")
            .unit("minor units")
            .range("0 to 10^9")
            .or("0"),
        Key::new("order", "word", "\"most-overdue\"", "which of a merchant's late loans is served first")
            .range("most-overdue, oldest-loan, least-arrears")
            .or("most-overdue"),
        Key::new(
            "payments_days_older",
            "whole number",
            "0",
            "how much older than it usually is the last day of usual payments may be; nothing is deducted beyond it. A day among the last three on which far fewer payments came than on the same weekday before counts as one: where many are recorded a day or more after they were made, say that many days here, or every night withholds deductions",
        )
        .unit("days")
        .range("0 to 3660")
        .or("0"),
        Key::new(
            "max_deducted_share",
            "number",
            "0.01",
            "the night stops where it would order more than this share of the principal not repaid on open loans: payments of the wrong size or day reopen many loans at once",
        )
        .unit("share")
        .range("0 to 1")
        .or("no bound"),
        Key::new(
            "released_orders_repay",
            "true or false",
            "true",
            "what escrow has released of the orders that secure a loan is deducted every night, without an alert and beside the share and the floor; leave it out where the core system settles \
             such loans from escrow itself",
        )
        .or("false"),
        Key::new(
            "max_released_share",
            "number",
            "0.05",
            "the same of what orders that secure loans have released: orders that are completed on a wrong day, or come in another unit, would repay all of them at once",
        )
        .unit("share")
        .range("0 to 1")
        .or("no bound"),
        Key::new(
            "under_way_days",
            "whole number",
            "7",
            "how long an order is awaited after the last night that gave it, and repeated without being raised; the payment service settles and posts the whole \
             of it within as many days",
        )
        .unit("days")
        .range("1 to 3660")
        .or("7"),
    ],
};

static BUCKET_KEYS: Section = Section {
    head: "[[bucket]]",
    doc: "A bucket of days past due. The first begins at 0, each where the one before ends, and only the last has no end.",
    keys: &[
        Key::new("name", "text", "\"all\"", "its name in the portfolio's tables"),
        Key::new("from_dpd", "whole number", "0", "its first day").unit("days"),
        Key::new("to_dpd", "whole number", "", "its last day")
            .unit("days")
            .range("from_dpd to 36600")
            .or("it has no end"),
    ],
};

/// Everything that a monitor file may hold.
#[must_use]
pub fn monitor_reference() -> Vec<&'static Section> {
    let mut sections = vec![
        &MONITOR_KEYS, &WATERFALL_KEYS, &MATERIALITY_KEYS, &LEDGER_KEYS, &CLASS_KEYS, &DEDUCTION_KEYS,
        &RESTRUCTURE_KEYS, &QUEUE_KEYS, &PORTFOLIO_KEYS, &PROVISION_KEYS, &SCENARIO_KEYS, &RESTORATION_KEYS,
        &REGROWTH_KEYS, &HELP_KEYS, &DRIFT_KEYS, &DRIFT_ALLOW_KEYS, &OFFICERS_KEYS, &HAZARD_KEYS, &BUCKET_KEYS,
    ];
    sections.extend(RULE_SECTIONS);
    sections
}
