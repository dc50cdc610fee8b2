//! Everything that a policy file may hold.

use super::approval::APPROVAL_KEYS;
use super::evidence_caps::{CAPS_KEYS, GROWTH_KEYS, LOWEST_MONTH_KEYS};
use super::invitation::INVITATION_KEYS;
use super::optimisation_terms::OPTIMISATION_KEYS;
use super::override_terms::{OFFICER_KEYS, OVERRIDES_KEYS};
use super::price_terms::PRICE_KEYS;
use super::sales_share::SALES_SHARE_KEYS;
use crate::config::{Key, Section};
use crate::exposure::{DEPENDENCE_KEYS, GROUPS_KEYS, OWNERS_KEYS, RECEIVABLES_KEYS};

static POLICY_KEYS: Section = Section {
    head: "",
    doc: "Amounts are minor units of the job's currency; rates are parts per million a day (500 is 0.05 %).",
    keys: &[
        Key::new(
            "bands",
            "list of words",
            "[\"A\", \"B\", \"C\"]",
            "risk bands as the model's scale names them, safest first",
        ),
        Key::new(
            "loan_book",
            "word",
            "\"required\"",
            "whether a merchant whose credit record cannot be read is declined, or nothing has been lent yet",
        )
        .range("required, none"),
        Key::new("limit_step_minor", "whole number", "10_000", "limits are rounded down to a multiple of it")
            .unit("minor units")
            .range("1 to hard_cap_minor"),
        Key::new(
            "total_cap_minor",
            "whole number",
            "5_500_000",
            "the most that one merchant may owe over all products",
        )
        .unit("minor units")
        .range("1 to 10^12"),
        Key::new("hard_cap_minor", "whole number", "100_000_000", "the largest single loan")
            .unit("minor units")
            .range("1 to one million of the currency"),
        Key::new("offer_valid_days", "whole number", "30", "how long an offer lives").unit("days").range("1 to 366"),
        Key::new(
            "answer_days",
            "whole number",
            "1",
            "days after a run's date on which `integrity decide` still answers applications from it",
        )
        .unit("days")
        .range("0 to 31")
        .or("2"),
        Key::new(
            "declaration_days",
            "whole number",
            "365",
            "days for which what an applicant declared, in any application or in a version of one that another has replaced, counts beside what it declares \
             later: of all of them the one that carries least",
        )
        .unit("days")
        .range("0 to 730; 0 forgets at once")
        .or("180"),
        Key::new("later", "list of words", "[\"group-loan\"]", "products that are not on offer yet")
            .range("products of the contract")
            .or("none"),
        Key::new(
            "max_broken_record_share",
            "number",
            "0.1",
            "a merchant of whose rows in some table more is broken is not judged by the rest",
        )
        .unit("share")
        .range("0 to 1")
        .or("0.1"),
        Key::new(
            "max_past_growth_share",
            "number",
            "0.1",
            "a merchant of whose settled trade more came to light after the nights that should have known it gets no credit (`history-grew`), until that trade has aged out of \
             `rows_sent_days` or `trade_confirmed` of the monitor file names the merchant",
        )
        .unit("share")
        .range("0 to 1; 1 believes all of it")
        .or("0.1"),
        Key::section("approval", "who stands for the policy").or("it has no version, and holds for every date"),
        Key::new(
            "portfolio_budget_minor",
            "whole number",
            "500_000_000",
            "the most that all merchants together may owe and be offered; the most profitable offers go first. Where more is owed and offered \
             already, nothing new is offered, and the least profitable open offers are not renewed. Debts that are not known count at the most that is said of them",
        )
        .unit("minor units")
        .range("1 to 10^15")
        .or("no such bound"),
        Key::section("default_dpd", "what is a default"),
        Key::section("price", "terms that hold for all products"),
        Key::section("receivables", "how receivables age").or("none: no product lends against them"),
        Key::section("groups", "guarantee groups").or("none"),
        Key::section("owners", "merchants of whom it is not known who stands behind them").or("such merchants are declined"),
        Key::section("optimisation", "limits and rates of a night, chosen together")
            .or("each offer is decided by itself"),
        Key::section("invitations", "offers to merchants who have not asked").or("no invitations"),
        Key::section("overrides", "what officers may decide about single merchants").or("nothing"),
        Key::section("product", "products on offer"),
        Key::section("rule", "who may borrow").or("no rule but those that are always asked"),
    ],
};

/// Keys of this section are names of products: no list of them is known to the parser.
static DEFAULT_KEYS: Section = Section {
    head: "[default_dpd]",
    doc: "Days past due that are a default. With a loan book, for every product of the contract.",
    keys: &[
        Key::new("order-loan", "whole number", "30", "of order loans").unit("days").range("1 to 720"),
        Key::new("credit-loan", "whole number", "90", "of credit loans").unit("days").range("1 to 720"),
        Key::new("group-loan", "whole number", "90", "of group loans").unit("days").range("1 to 720"),
    ],
};

static PRODUCT_KEYS: Section = Section {
    head: "[[product]]",
    doc: "A product on offer. Products claim what a merchant can carry in the order written here.",
    keys: &[
        Key::new("name", "word", "\"credit-loan\"", "its name in the contract")
            .range("order-loan, credit-loan, group-loan"),
        Key::new("term_days", "whole number", "180", "time to the last instalment")
            .unit("days")
            .range("1 to 3660; an order loan's 1 to 7, unless term_source says why it is longer"),
        Key::new(
            "term_source",
            "text",
            "\"parcels are under way for two weeks\"",
            "where the term comes from; `explain` and report.html show it beside it",
        )
        .or("an order loan is repaid within a week"),
        Key::new("repayment", "word", "\"sales-share\"", "how it is repaid")
            .range("bullet, equal-principal, equal-instalment, sales-share"),
        Key::new("instalments", "whole number", "", "number of instalments, equally spaced")
            .range("1 for bullet, else more; it divides term_days")
            .or("1; the milestones of sales-share"),
        Key::section("sales_share", "terms of a credit loan repaid by a share of sales").or("repayment is another"),
        Key::new("min_limit_minor", "whole number", "30_000", "a smaller limit is not offered")
            .unit("minor units")
            .range("1 to max_limit_minor"),
        Key::new("max_limit_minor", "whole number", "5_000_000", "the product's own cap")
            .unit("minor units")
            .range("1 to hard_cap_minor"),
        Key::new(
            "daily_rate_ppm",
            "table of whole numbers",
            "{ A = 450, B = 475, C = 500 }",
            "rate by band, rising with risk; a band that is not named is not served",
        )
        .unit("ppm a day")
        .range("0 to max_daily_rate_ppm"),
        Key::section("caps", "caps that rest on evidence of the merchant's means"),
    ],
};

const PRODUCTS: Key =
    Key::new("products", "list of words", "[\"credit-loan\"]", "products that it applies to").or("all");

static FEATURE_RULE_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "A feature within a bound: one of at_least and at_most. A feature that is null fails. Reasons are given in the order of the rules. Always asked and written \
          nowhere: the shop is open, its band is served, nothing is in default or written off.",
    keys: &[
        Key::new("kind", "word", "\"feature\"", "what is asked").range("feature, declared-sales, arrears, worst-dpd"),
        Key::new("code", "word", "\"tenure-short\"", "the reason's code, for machines").range("kebab-case"),
        Key::new(
            "text",
            "text",
            "\"the shop has not traded long enough\"",
            "the reason in words that a merchant understands",
        ),
        PRODUCTS,
        Key::new("feature", "word", "\"tenure_days\"", "the feature").range("a [[feature]] of the feature file"),
        Key::new("at_least", "number", "180", "it must not be smaller").unit("the feature's").or("at_most is given"),
        Key::new("at_most", "number", "", "it must not be larger").unit("the feature's").or("at_least is given"),
    ],
};

static DECLARED_RULE_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "What an applicant declares to have sold in twelve months, divided by what was observed, within a bound: a declaration far from the \
          books is evidence. Asked of applicants only; a missing declaration fails.",
    keys: &[
        Key::new("kind", "word", "\"declared-sales\"", "what is asked")
            .range("feature, declared-sales, arrears, worst-dpd"),
        Key::new("code", "word", "\"declared-sales-differ\"", "the reason's code").range("kebab-case"),
        Key::new("text", "text", "\"declared sales are far above those observed\"", "the reason in words"),
        PRODUCTS,
        Key::new("feature", "word", "\"gmv_sum_360d_minor\"", "sales observed over about a year")
            .range("a feature in minor units"),
        Key::new("at_least", "number", "", "declared ÷ observed must not be smaller").or("at_most is given"),
        Key::new("at_most", "number", "3", "declared ÷ observed must not be larger").or("at_least is given"),
    ],
};

static DPD_RULE_KEYS: Section = Section {
    head: "[[rule]]",
    doc: "No loan more than so many days past due: now (kind arrears) or ever (kind worst-dpd). Only with a loan book.",
    keys: &[
        Key::new("kind", "word", "\"worst-dpd\"", "what is asked").range("feature, declared-sales, arrears, worst-dpd"),
        Key::new("code", "word", "\"past-loan-repaid-late\"", "the reason's code").range("kebab-case"),
        Key::new("text", "text", "\"an earlier loan was repaid very late\"", "the reason in words"),
        PRODUCTS,
        Key::new("at_most_dpd", "whole number", "60", "the most days past due").unit("days").range("0 to 3660"),
    ],
};

/// Everything that a policy file may hold.
#[must_use]
pub fn policy_reference() -> Vec<&'static Section> {
    vec![
        &POLICY_KEYS, &APPROVAL_KEYS, &DEFAULT_KEYS, &PRICE_KEYS, &RECEIVABLES_KEYS, &GROUPS_KEYS, &DEPENDENCE_KEYS,
        &OWNERS_KEYS, &OPTIMISATION_KEYS, &INVITATION_KEYS, &OVERRIDES_KEYS, &OFFICER_KEYS, &PRODUCT_KEYS,
        &SALES_SHARE_KEYS, &CAPS_KEYS, &LOWEST_MONTH_KEYS, &GROWTH_KEYS, &FEATURE_RULE_KEYS, &DECLARED_RULE_KEYS,
        &DPD_RULE_KEYS,
    ]
}
