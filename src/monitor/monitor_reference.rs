//! Everything that a monitor file may hold.

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
    doc: "A night takes at most a share of what an average day brought in, over all of a merchant's loans.",
    keys: &[
        Key::new("receipts_feature", "word", "\"net_receipts_sum_180d_minor\"", "the feature that says what came in")
            .range("a feature in minor units"),
        Key::new("receipts_days", "whole number", "180", "the time over which it came in")
            .unit("days")
            .range("1 to 3660"),
        Key::new("receipts_share_ppm", "whole number", "500_000", "the share of an average day that may be taken")
            .unit("ppm")
            .range("1 to 1000000"),
        Key::new("min_minor", "whole number", "100", "less is not worth a transfer")
            .unit("minor units")
            .range("1 to 10^9"),
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

const SEVERITY: Key = Key::new("severity", "word", "\"warning\"", "how grave it is").range("info, warning, critical");
const ACTION: Key = Key::new("action", "word", "\"watch\"", "what is done; only arrears may deduct")
    .range("watch, freeze, deduct, call, restructure");

static ARREARS_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "Arrears.",
    keys: &[
        Key::new("kind", "word", "\"arrears\"", "what is watched")
            .range("arrears, trade-drop, dispute-spike, shipping-stall, feature"),
        Key::new("code", "word", "\"arrears\"", "the alert's code, for machines").range("kebab-case"),
        Key::new("text", "text", "\"an instalment is past due\"", "the alert in words"),
        SEVERITY,
        ACTION,
        Key::new("from_dpd", "whole number", "1", "from so many days past due on").unit("days").range("1 to 3660"),
    ],
};

static TRADE_DROP_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "Trade that falls far below the merchant's own past.",
    keys: &[
        Key::new("kind", "word", "\"trade-drop\"", "what is watched")
            .range("arrears, trade-drop, dispute-spike, shipping-stall, feature"),
        Key::new("code", "word", "\"trade-drop\"", "the alert's code, for machines").range("kebab-case"),
        Key::new("text", "text", "\"trade has fallen far below the merchant's own past\"", "the alert in words"),
        SEVERITY,
        ACTION,
        Key::new("trend", "word", "\"gmv_trend_30d\"", "the feature that says how trade changed")
            .range("a feature of kind trend"),
        Key::new("usual", "word", "\"gmv_sum_90d_minor\"", "the feature that says how much is usual"),
        Key::new("min_usual", "number", "100_000", "below it there is too little trade to fall")
            .unit("the feature's")
            .range("1 or more"),
        Key::new("drop_share", "number", "0.7", "how much of the usual trade is gone").unit("share").range("0.01 to 1"),
    ],
};

static DISPUTE_SPIKE_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "Disputes that are frequent and far more so than before.",
    keys: &[
        Key::new("kind", "word", "\"dispute-spike\"", "what is watched")
            .range("arrears, trade-drop, dispute-spike, shipping-stall, feature"),
        Key::new("code", "word", "\"dispute-spike\"", "the alert's code, for machines").range("kebab-case"),
        Key::new("text", "text", "\"disputes are frequent and far more so than before\"", "the alert in words"),
        SEVERITY,
        ACTION,
        Key::new("share", "word", "\"dispute_share_90d\"", "the feature with the share of orders disputed"),
        Key::new("trend", "word", "\"dispute_trend_90d\"", "the feature with their change"),
        Key::new("from_share", "number", "0.1", "from this share on").unit("share").range("0.0001 to 1"),
        Key::new("from_trend", "number", "0.33", "and from this change on: 0.33 is twice as many").range("-1 to 1"),
    ],
};

static SHIPPING_STALL_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "Orders that wait beyond their day and pile up.",
    keys: &[
        Key::new("kind", "word", "\"shipping-stall\"", "what is watched")
            .range("arrears, trade-drop, dispute-spike, shipping-stall, feature"),
        Key::new("code", "word", "\"shipping-stall\"", "the alert's code, for machines").range("kebab-case"),
        Key::new("text", "text", "\"orders wait beyond their day and pile up\"", "the alert in words"),
        SEVERITY,
        ACTION,
        Key::new("overdue", "word", "\"backlog_overdue_count\"", "the feature with the orders overdue"),
        Key::new(
            "backlog",
            "word",
            "\"backlog_90d_ratio\"",
            "the feature with the orders waiting, against those of a quarter",
        ),
        Key::new("from_overdue", "number", "5", "from so many overdue on").range("1 or more"),
        Key::new("from_backlog", "number", "0.3", "and from this ratio on").range("0 or more"),
    ],
};

static FEATURE_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "Any feature beyond a bound: one of from and to.",
    keys: &[
        Key::new("kind", "word", "\"feature\"", "what is watched")
            .range("arrears, trade-drop, dispute-spike, shipping-stall, feature"),
        Key::new("code", "word", "\"low-stars-share\"", "the alert's code, for machines").range("kebab-case"),
        Key::new("text", "text", "\"many customers give one or two stars\"", "the alert in words"),
        SEVERITY,
        ACTION,
        Key::new("feature", "word", "\"low_stars_share_180d\"", "the feature")
            .range("a [[feature]] of the feature file"),
        Key::new("from", "number", "0.4", "from here up").unit("the feature's").or("to is given"),
        Key::new("to", "number", "", "from here down").unit("the feature's").or("from is given"),
    ],
};

/// Everything that a monitor file may hold.
#[must_use]
pub fn monitor_reference() -> Vec<&'static Section> {
    vec![
        &MONITOR_KEYS,
        &WATERFALL_KEYS,
        &MATERIALITY_KEYS,
        &LEDGER_KEYS,
        &CLASS_KEYS,
        &DEDUCTION_KEYS,
        &BUCKET_KEYS,
        &ARREARS_KEYS,
        &TRADE_DROP_KEYS,
        &DISPUTE_SPIKE_KEYS,
        &SHIPPING_STALL_KEYS,
        &FEATURE_KEYS,
    ]
}
