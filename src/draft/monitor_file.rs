//! The drafted `monitor.toml`.

use std::collections::BTreeSet;

use super::add::add;
use super::policy_file::{WITH_LOANS, not_read_yet};

/// A rule with the features it reads.
const RULES: [(&[&str], &str); 5] = [
    (
        &["gmv_trend_30d", "gmv_sum_90d_minor", "orders_count_180d"],
        "kind = \"trade-drop\"\ncode = \"trade-drop\"\ntext = \"trade has fallen far below the merchant's own past\"\nseverity = \"critical\"\naction = \
         \"freeze\"\ntrend = \"gmv_trend_30d\"\nusual = \"gmv_sum_90d_minor\"\nmin_usual = STEP0\ndrop_share = 0.7\n\
         count = \"orders_count_180d\"\nmin_count = 8\n",
    ),
    (
        &["dispute_share_90d", "dispute_trend_90d"],
        "kind = \"dispute-spike\"\ncode = \"dispute-spike\"\ntext = \"disputes are frequent and far more so than before\"\nseverity = \
         \"critical\"\naction = \"freeze\"\nshare = \"dispute_share_90d\"\ntrend = \"dispute_trend_90d\"\nfrom_share = 0.1\nfrom_trend = 0.33\n",
    ),
    (
        &["backlog_overdue_count", "backlog_90d_ratio"],
        "kind = \"shipping-stall\"\ncode = \"shipping-stall\"\ntext = \"orders wait beyond their day and pile up\"\nseverity = \"warning\"\naction = \
         \"watch\"\noverdue = \"backlog_overdue_count\"\nbacklog = \"backlog_90d_ratio\"\nfrom_overdue = 5\nfrom_backlog = 0.3\n",
    ),
    (
        &["low_stars_share_180d"],
        "kind = \"feature\"\ncode = \"low-stars-share\"\ntext = \"many customers give one or two stars\"\nseverity = \"warning\"\naction = \
         \"watch\"\nfeature = \"low_stars_share_180d\"\nfrom = 0.4\n",
    ),
    (
        &["suspect_order_share_180d"],
        "kind = \"feature\"\ncode = \"suspect-orders-share\"\ntext = \"many orders look like fake trade\"\nseverity = \"critical\"\naction = \
         \"freeze\"\nfeature = \"suspect_order_share_180d\"\nfrom = 0.3\n",
    ),
];

/// Drafts the file: everybody is watched where nothing is lent yet, and nothing is deducted.
pub(super) fn draft(features: &BTreeSet<String>, has_loan_book: bool, step_minor: i64) -> String {
    let watch = if has_loan_book { "borrowers" } else { "all" };
    let mut text = format!(
        "# What is watched: a draft. Amounts are minor units. A feature that is null raises no alert. `integrity schema --monitor` explains every \
         key.\n# Nothing is deducted automatically: [deduction] turns that on.\n\nwatch = \"{watch}\"\n\n[waterfall]\nwithin = [\"fee\", \"interest\", \
         \"principal\"]\nearly_close_tolerance_minor = 100\n\n[class_from_dpd]\nspecial_mention = 1\nsubstandard = 91\ndoubtful = 271\nloss = 361\n\n"
    );
    for (name, from, to) in [
        ("current", 0, Some(0)),
        ("1-30", 1, Some(30)),
        ("31-60", 31, Some(60)),
        ("61-90", 61, Some(90)),
        ("91-180", 91, Some(180)),
        ("over-180", 181, None),
    ] {
        add(&mut text, &format!("[[bucket]]\nname = \"{name}\"\nfrom_dpd = {from}\n"));
        text.push_str(&to.map_or(String::new(), |to| format!("to_dpd = {to}\n")));
        text.push('\n');
    }
    text.push_str(
        "# A night that jumps this far from the one before stops. Where a jump is meant, allow it until a date with [[drift.allow]].\n[drift]\nmax_score_index = \
         0.25\nmax_missing_rise_share = 0.2\nmax_offered_change_share = 0.5\n\n",
    );
    let mut of_loans = String::new();
    for (code, words, severity, action, dpd) in [
        ("arrears", "an instalment is past due", "warning", "watch", 1),
        ("arrears-week", "an instalment is a week past due", "warning", "call", 7),
        ("arrears-month", "an instalment is a month past due", "critical", "restructure", 30),
    ] {
        add(
            &mut of_loans,
            &format!(
                "[[rule]]\nkind = \"arrears\"\ncode = \"{code}\"\ntext = \"{words}\"\nseverity = \"{severity}\"\naction = \"{action}\"\nfrom_dpd = {dpd}\n\n"
            ),
        );
    }
    if has_loan_book {
        text.push_str(&of_loans);
    } else {
        text.push_str(WITH_LOANS);
        text.push_str(&not_read_yet(&of_loans));
    }
    for (_, rule) in RULES.iter().filter(|(reads, _)| reads.iter().all(|feature| features.contains(*feature))) {
        add(&mut text, &format!("[[rule]]\n{}\n", rule.replace("STEP0", &(10 * step_minor).to_string())));
    }
    text
}
