//! The rules of a monitor file in the reference of its keys: one section a kind.

use crate::config::{Key, Section};

/// Declares the section of one kind of rule: the keys that every rule has, and those of its own.
macro_rules! rules {
    ($($name:ident: $kind:literal, $doc:literal, $text:literal, [$($key:expr),* $(,)?];)*) => {
        $(static $name: Section = Section {
            head: "[[rule]]",
            doc: $doc,
            keys: &[
                Key::new("kind", "word", concat!("\"", $kind, "\""), "what is watched"),
                Key::new("code", "word", concat!("\"", $kind, "\""), "the alert's code, for machines").range("kebab-case"),
                Key::new("text", "text", concat!("\"", $text, "\""), "the alert in words"),
                Key::new("severity", "word", "\"warning\"", "how grave it is").range("info, warning, critical"),
                Key::new("action", "word", "\"watch\"", "what is done; only arrears may deduct")
                    .range("watch, freeze, deduct, call, restructure"),
                Key::new("clear_after_days", "whole number", "7", "for so long it must be quiet until its alert is cleared")
                    .unit("days")
                    .or("0: the first quiet night clears it"),
                Key::new(
                    "escalation",
                    "table",
                    "{ after_days = 14, severity = \"critical\", action = \"call\" }",
                    "when it becomes graver: beyond an observation, after days, or both; and what is done then",
                )
                .or("never"),
                $($key),*
            ],
        };)*

        /// One section a kind of rule.
        pub(super) static RULE_SECTIONS: &[&Section] = &[$(&$name),*];
    };
}

rules! {
    ARREARS: "arrears", "An instalment is so many days past due.", "an instalment is past due", [
        Key::new("from_dpd", "whole number", "1", "from so many days past due on").unit("days").range("1 to 3660"),
    ];
    PLEDGE_LOSS: "pledge-loss", "Orders that secure a loan were cancelled or refunded.", "orders that secure a loan were cancelled or refunded", [
        Key::new("from_share", "number", "0.2", "from this share of their value on").unit("share").range("0.01 to 1"),
    ];
    HAZARD: "hazard", "The hazard model puts much of what a borrower owes at risk: its probability of trouble times what is owed and case_cost_minor. Needs [hazard].", "much of what is owed is at risk", [
        Key::new("from_minor", "number", "1_000_000", "from so much money at risk on; `backtest --alerts` says what a threshold is worth")
            .unit("minor units")
            .range("1 to 10^15"),
    ];
    TRADE_DROP: "trade-drop", "Trade that falls far below the merchant's own past.", "trade has fallen far below the merchant's own past", [
        Key::new("trend", "word", "\"gmv_trend_30d\"", "the feature that says how trade changed").range("a feature of kind trend"),
        Key::new("usual", "word", "\"gmv_sum_90d_minor\"", "the feature that says how much is usual"),
        Key::new("min_usual", "number", "100_000", "below it there is too little trade to fall").unit("the feature's").range("1 or more"),
        Key::new("drop_share", "number", "0.7", "how much of the usual trade is gone").unit("share").range("0.01 to 1"),
        Key::new("count", "word", "\"orders_placed_count_180d\"", "the feature that says of how many orders the usual trade consists; given with min_count").or("no fewest"),
        Key::new("min_count", "number", "8", "fewer orders make no usual trade: a drop of them is chance").range("1 or more").or("no fewest"),
    ];
    VOLUME_DROP: "volume-drop", "Trade that falls below the merchant's own season while the industry's does not. An alert that stands is over once the merchant's own trade is back, whatever its industry does.", "trade has fallen far below the merchant's own season", [
        Key::new("season", "word", "\"gmv_season_trend_60d\"", "the feature with the change against the same days of the year before"),
        Key::new("industry", "word", "\"category_season_trend_60d\"", "the feature with the same change of the industry"),
        Key::new("usual", "word", "\"gmv_sum_365d_minor\"", "the feature that says how much is usual"),
        Key::new("min_usual", "number", "1_000_000", "below it there is too little trade to fall").unit("the feature's").range("1 or more"),
        Key::new("drop_share", "number", "0.7", "how much of the season's trade is gone, beyond what the industry lost").unit("share").range("0.01 to 1"),
        Key::new("count", "word", "\"orders_placed_count_180d\"", "the feature that says of how many orders the usual trade consists; given with min_count").or("no fewest"),
        Key::new("min_count", "number", "8", "fewer orders make no usual trade: a drop of them is chance").range("1 or more").or("no fewest"),
    ];
    INDUSTRY_DOWNTURN: "industry-downturn", "The whole industry trades less than in the year before.", "the whole industry has lost trade", [
        Key::new("industry", "word", "\"category_season_trend_60d\"", "the feature with the industry's change"),
        Key::new("drop_share", "number", "0.3", "how much of its trade is gone").unit("share").range("0.01 to 1"),
    ];
    SILENCE: "silence", "Nothing happens for far longer than the merchant's own pace explains.", "no orders for far longer than usual", [
        Key::new("since", "word", "\"orders_since_180d_days\"", "the feature with the days since it last happened"),
        Key::new("usual", "word", "\"orders_placed_count_180d\"", "the feature with how often it happened"),
        Key::new("usual_days", "number", "180", "over how many days it happened so often").unit("days").range("1 to 3660"),
        Key::new("min_usual", "number", "12", "fewer make no pace").range("1 or more"),
        Key::new("from_missed", "number", "5", "from so many missed at the usual pace on").range("0.5 or more"),
    ];
    UTILISATION: "utilisation", "More is owed than trade carries.", "more is owed than the shop's trade carries", [
        Key::new("owed", "word", "\"outstanding_minor\"", "the feature with what is owed"),
        Key::new("receipts", "word", "\"gmv_sum_90d_minor\"", "the feature with what comes in"),
        Key::new("receipts_days", "number", "90", "over how many days it comes in").unit("days").range("1 to 3660"),
        Key::new("min_owed", "number", "100_000", "less is not looked at").unit("minor units").range("1 or more"),
        Key::new("from_share", "number", "0.75", "from this share of receipts on").unit("share").range("0.01 to 1"),
    ];
    EARLY_REPAYMENT_STOPPED: "early-repayment-stopped", "A borrower who used to repay early no longer does.", "the merchant used to repay early and no longer does", [
        Key::new("usual", "word", "\"repaid_early_share_730d\"", "the feature with the share repaid early over a long time"),
        Key::new("recent", "word", "\"repaid_early_share_120d\"", "the feature with the same share of late"),
        Key::new("from_usual", "number", "0.5", "from this usual share on").unit("share").range("0.01 to 1"),
        Key::new("to_recent", "number", "0.0", "down from this recent share").unit("share").range("0 to 1"),
    ];
    CANCELLATIONS: "cancellations", "Far more orders are cancelled than is usual.", "far more orders are cancelled than is usual", [
        Key::new("share", "word", "\"cancelled_share_60d\"", "the feature with the share of late"),
        Key::new("count", "word", "\"cancelled_count_60d\"", "the feature with how many of late"),
        Key::new("usual", "word", "\"cancelled_share_180d\"", "the feature with the usual share"),
        Key::new("from_share", "number", "0.2", "from this share on").unit("share").range("0.0001 to 1"),
        Key::new("min_count", "number", "3", "fewer say nothing").range("1 or more"),
        Key::new("from_factor", "number", "1.5", "and from so many times the usual share on").range("1 or more"),
    ];
    EVALUATIONS: "evaluations", "Far more customers are discontented than is usual.", "far more customers are discontented than is usual", [
        Key::new("share", "word", "\"low_stars_share_60d\"", "the feature with the share of late"),
        Key::new("count", "word", "\"low_stars_count_60d\"", "the feature with how many of late"),
        Key::new("usual", "word", "\"low_stars_share_180d\"", "the feature with the usual share"),
        Key::new("from_share", "number", "0.3", "from this share on").unit("share").range("0.0001 to 1"),
        Key::new("min_count", "number", "3", "fewer say nothing").range("1 or more"),
        Key::new("from_factor", "number", "1.5", "and from so many times the usual share on").range("1 or more"),
    ];
    DISPUTE_SPIKE: "dispute-spike", "Disputes that are frequent and far more so than before.", "disputes are frequent and far more so than before", [
        Key::new("share", "word", "\"dispute_share_90d\"", "the feature with the share of orders disputed"),
        Key::new("trend", "word", "\"dispute_trend_90d\"", "the feature with their change"),
        Key::new("from_share", "number", "0.1", "from this share on").unit("share").range("0.0001 to 1"),
        Key::new("from_trend", "number", "0.33", "and from this change on: 0.33 is twice as many").range("-1 to 1"),
    ];
    LAWSUITS: "lawsuits", "The merchant is sued.", "the merchant is sued", [
        Key::new("count", "word", "\"lawsuits_count_180d\"", "the feature with how many lawsuits"),
        Key::new("from_count", "number", "1", "from so many on").range("1 or more"),
    ];
    SHIPPING_STALL: "shipping-stall", "Orders that wait beyond their day and pile up.", "orders wait beyond their day and pile up", [
        Key::new("overdue", "word", "\"backlog_overdue_count\"", "the feature with the orders overdue"),
        Key::new("backlog", "word", "\"backlog_90d_ratio\"", "the feature with the orders waiting, against those of a quarter"),
        Key::new("from_overdue", "number", "5", "from so many overdue on").range("1 or more"),
        Key::new("from_backlog", "number", "0.3", "and from this ratio on").range("0 or more"),
    ];
    BRUSHING: "brushing", "Too many orders are not what they seem.", "too many orders are not what they seem", [
        Key::new("share", "word", "\"suspect_order_share_90d\"", "the feature with the share of suspect orders"),
        Key::new("count", "word", "\"suspect_order_count_90d\"", "the feature with how many"),
        Key::new("from_share", "number", "0.2", "from this share on").unit("share").range("0.0001 to 1"),
        Key::new("min_count", "number", "5", "fewer say nothing").range("1 or more"),
    ];
    VERIFICATION_LOST: "verification-lost", "A merchant is verified less than on the night before.", "the merchant lost a verification", [
        Key::new("level", "word", "\"verification_level\"", "the feature with the level of verification"),
    ];
    FEATURE: "feature", "Any feature beyond a bound: one of from and to.", "many customers give one or two stars", [
        Key::new("feature", "word", "\"low_stars_share_180d\"", "the feature").range("a [[feature]] of the feature file"),
        Key::new("from", "number", "0.4", "from here up").unit("the feature's").or("to is given"),
        Key::new("to", "number", "", "from here down").unit("the feature's").or("from is given"),
    ];
}
