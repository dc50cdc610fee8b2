//! The drafted `policy.toml`: cautious, and made of what the data can feed.

use std::collections::BTreeSet;

use super::add::add;

/// What the policy depends on.
pub(super) struct PolicyFacts<'a> {
    pub features: &'a BTreeSet<String>,
    pub has_loan_book: bool,
    pub has_disputes: bool,
    /// Parcels are known to be on their way: what escrow will release can be lent against.
    pub has_receivables: bool,
    /// About one order's value, a power of ten of minor units.
    pub step_minor: i64,
    /// One million of the main unit.
    pub hard_cap_minor: i64,
    pub performance_days: u16,
}

/// A rule on a feature: code, words, feature, bound.
const RULES: [(&str, &str, &str, &str); 8] = [
    ("tenure-short", "the shop has not traded long enough", "tenure_days", "at_least = 180"),
    ("trade-thin", "too few orders were completed in the last half year", "orders_count_180d", "at_least = 12"),
    ("dispute-share-high", "too many orders end in a dispute", "dispute_share_180d", "at_most = 0.08"),
    (
        "late-delivery-share-high",
        "too many orders arrive after the promised day",
        "late_delivery_share_180d",
        "at_most = 0.25",
    ),
    (
        "late-shipping-share-high",
        "too many orders are shipped after the agreed day",
        "late_shipping_share_180d",
        "at_most = 0.35",
    ),
    ("low-stars-share-high", "too many customers give one or two stars", "low_stars_share_180d", "at_most = 0.4"),
    ("cancelled-share-high", "too many orders are cancelled", "cancelled_share_180d", "at_most = 0.25"),
    ("suspect-orders-share-high", "too many orders look like fake trade", "suspect_order_share_180d", "at_most = 0.2"),
];

/// Stands before what a job needs that reads loans.
pub(super) const WITH_LOANS: &str =
    "# With loans: once the job reads loans, instalments and payments, take the comment marks away.\n";

/// Lines that are not read yet.
pub(super) fn not_read_yet(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") }).collect::<String>()
        + "\n"
}

/// Drafts the file.
pub(super) fn draft(facts: &PolicyFacts) -> String {
    let step = facts.step_minor.min(facts.hard_cap_minor / 500).max(1);
    let (order_cap, credit_cap) = (50 * step, 500 * step);
    let total_cap = if facts.has_receivables { order_cap + credit_cap } else { credit_cap };
    let loan_book = if facts.has_loan_book { "required" } else { "none" };
    let later = if facts.has_receivables { "\"group-loan\"" } else { "\"order-loan\", \"group-loan\"" };
    let disputes = if facts.has_disputes { "required" } else { "not-kept" };
    let has = |name: &str| facts.features.contains(name);
    let mut text = format!(
        "# Who may borrow, how much, for how long and at what price: a cautious draft to be replaced by a lender's own policy. Amounts are minor \
         units;\n# rates are parts per million a day (500 is 0.05 %). Null features fail a rule: unknown is not good. `integrity schema --policy` \
         explains every key.\n\nbands = [\"A\", \"B\", \"C\", \"D\", \"E\", \"F\", \"G\", \"H\", \"I\"]   # the model's scale, safest first\nloan_book = \
         \"{loan_book}\"\nlimit_step_minor = {step}   # GUESS: about the value of one order; all limits below follow from it\ntotal_cap_minor = \
         {total_cap}\nhard_cap_minor = {}\noffer_valid_days = 30\nlater = [{later}]\nmax_broken_record_share = 0.1\n\n",
        facts.hard_cap_minor
    );
    if facts.has_receivables {
        add(
            &mut text,
            &format!(
                "[receivables]\nfull_until_days = 14\nexpires_after_days = 45\ndisputes = \"{disputes}\"\nlargest_order_times = 3\n\n"
            ),
        );
    }
    text.push_str("[default_dpd]\norder-loan = 30\ncredit-loan = 90\ngroup-loan = 90\n\n");
    let loss = if facts.has_loan_book {
        "0.6"
    } else {
        "0.15    # the model foresees distress of trade, not default: a quarter of 0.6 (project judgement)"
    };
    add(
        &mut text,
        &format!(
            "[price]\nloss_given_default_prob = {loss}\npd_horizon_days = {}\nfunding_daily_ppm = 184             # 6.7 % a year\ncost_daily_ppm = \
         60\nmax_daily_rate_ppm = 900            # GUESS: write the lawful most of your country\nmax_apr_prob = 0.35                 # GUESS: as \
         above, a year\n\n",
            facts.performance_days
        ),
    );
    let rates = "[product.daily_rate_ppm]\nA = 450\nB = 450\nC = 475\nD = 500\nE = 550\nF = 600\n";
    if facts.has_receivables {
        add(
            &mut text,
            &format!(
                "[[product]]\nname = \"order-loan\"\nterm_days = 14\nterm_source = \"GUESS: orders that are under way for two weeks; a loan on orders that arrive sooner is of 7 days or less\"\nrepayment = \"bullet\"\nmin_limit_minor = {step}\nmax_limit_minor = \
             {order_cap}\n\n{rates}\n[product.caps]\nreceivables_advance_rate_ppm = 700_000\n\n"
            ),
        );
    }
    add(
        &mut text,
        &format!(
            "[[product]]\nname = \"credit-loan\"\nterm_days = 90\nrepayment = \"equal-instalment\"\ninstalments = 3\nmin_limit_minor = \
         {}\nmax_limit_minor = {credit_cap}\n\n{rates}\n[product.caps]\nability_share_ppm = 300_000\n",
            3 * step
        ),
    );
    if has("integrity_capital_minor") {
        text.push_str("integrity_capital_factor_ppm = 500_000\n");
    }
    if has("gmv_lowest_month_3m_minor") {
        text.push_str("lowest_month = { feature = \"gmv_lowest_month_3m_minor\", factor_ppm = 1_000_000 }\n");
    }
    text.push_str("\n# Reasons are given in this order.\n");
    let of_loans = "[[rule]]\nkind = \"arrears\"\ncode = \"loan-in-arrears\"\ntext = \"a loan is past due now\"\nat_most_dpd = 0\n\n[[rule]]\nkind = \
                    \"worst-dpd\"\ncode = \"past-loan-repaid-late\"\ntext = \"an earlier loan was repaid very late\"\nproducts = \
                    [\"credit-loan\"]\nat_most_dpd = 60\n\n";
    if facts.has_loan_book {
        text.push_str(of_loans);
    } else {
        text.push_str(WITH_LOANS);
        text.push_str("# loan_book = \"required\" and loss_given_default_prob = 0.6 above, and\n");
        text.push_str(&not_read_yet(of_loans));
    }
    for (code, words, feature, bound) in RULES.iter().filter(|rule| has(rule.2)) {
        add(
            &mut text,
            &format!(
                "[[rule]]\nkind = \"feature\"\ncode = \"{code}\"\ntext = \"{words}\"\nfeature = \"{feature}\"\n{bound}\n\n"
            ),
        );
    }
    text
}
