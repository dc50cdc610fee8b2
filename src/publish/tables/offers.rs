//! `offers`: what a merchant may borrow, at which price, and which cap bound the limit.

use crate::offer::Offer;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Offer {
    type Key<'a> = (&'a str, &'a str, &'a str);

    #[expect(clippy::too_many_lines, reason = "one entry a column")]
    fn table() -> OutputTable {
        let ppm =
            |name: &str, doc: &str| Column::required(name, Kind::Int64, "millionths a day", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "offers",
            doc: "One row an offer: a merchant may hold one offer a product.",
            sorted_by: &["merchant_id", "product", "offer_id"],
            columns: vec![
                Column::required("offer_id", Kind::Text, "", "Stable identity of the offer."),
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required("limit_minor", Kind::Int64, "minor units", "The most that may be drawn.")
                    .within(0.0, f64::MAX),
                Column::required(
                    "daily_rate_ppm",
                    Kind::Int64,
                    "millionths a day",
                    "Price: 500 is 0.05 % a day, simple interest on the balance by actual days.",
                )
                .within(0.0, 1_000_000.0),
                Column::required(
                    "apr",
                    Kind::Float64,
                    "fraction a year",
                    "Annual percentage rate by the actuarial method: 0.18 is 18 %; of a share of sales, as receipts are expected.",
                )
                .within(0.0, f64::MAX),
                Column::required("term_days", Kind::Int32, "days", "Term.").within(1.0, f64::MAX),
                Column::required("repayment", Kind::Text, "", "Repayment pattern."),
                Column::required("instalments", Kind::Int32, "instalments", "Number of equally spaced payments; of a share of sales its milestones, every 60 days and at the end.")
                    .within(1.0, f64::MAX),
                Column::required(
                    "interest_minor",
                    Kind::Int64,
                    "minor units",
                    "All interest, where the whole limit is drawn at once and repaid on schedule, or as a share of the receipts that are expected.",
                )
                .within(0.0, f64::MAX),
                Column::required(
                    "early_saving_minor",
                    Kind::Int64,
                    "minor units",
                    "What of the interest is saved by repaying everything halfway through the term; there is no fee for it.",
                )
                .within(0.0, f64::MAX),
                Column::required(
                    "term_pd_prob",
                    Kind::Float64,
                    "probability",
                    "Probability of default within the term, along the policy's term structure; of a group loan under `[groups.dependence]`, that too few other \
                     members stand as well.",
                )
                .within(0.0, 1.0),
                Column::optional(
                    "guarantee_fails_prob",
                    Kind::Float64,
                    "probability",
                    "Of such a group loan, the probability that too few others stand where its borrower defaults; null for any other loan.",
                )
                .within(0.0, 1.0)
                .added_later(Earlier::Unknown),
                ppm("expected_loss_daily_ppm", "Of the floor: expected loss over the term against the balances that bear interest."),
                ppm("funding_daily_ppm", "Of the floor: cost of funds."),
                ppm("cost_daily_ppm", "Of the floor: running cost."),
                ppm("margin_daily_ppm", "Of the floor: margin."),
                ppm("floor_daily_ppm", "The least rate: the sum of the four, or the policy's least."),
                ppm("band_daily_ppm", "The rate of the merchant's band; the price is the larger of it and the floor."),
                Column::required("valid_until_on", Kind::Day, "date", "Last date on which the offer can be taken up."),
                Column::required("binding_cap", Kind::Text, "", "The cap that set the limit."),
                Column::required(
                    "caps",
                    Kind::Caps,
                    "minor units",
                    "Every cap with its value; the limit is the least, rounded down to a step.",
                ),
                Column::required(
                    "needed",
                    Kind::Verdicts,
                    "minor units",
                    "Every cap that holds the limit, with its value and the one that it needs for the limit to be a step larger: all of them \
                     together give that step, and with any one short of it the limit stays.",
                ),
                Column::optional(
                    "sales_share_ppm",
                    Kind::Int64,
                    "millionths",
                    "Share of each day's receipts that repays it; null for loans repaid in another way.",
                )
                .within(0.0, 1_000_000.0)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "min_per_60_days_ppm",
                    Kind::Int64,
                    "millionths",
                    "Share of the principal that a share of sales repays per 60 days at the least; the last milestone takes the rest.",
                )
                .within(0.0, 1_000_000.0)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "expected_receipts_minor",
                    Kind::Int64,
                    "minor units",
                    "The assumption behind annual rate, interest and saving of a share of sales: net receipts over the term that half of all merchants like \
                     this one reach, spread evenly over its days.",
                )
                .within(0.0, f64::MAX)
                .added_later(Earlier::Unknown),
                Column::optional("expected_days", Kind::Int32, "days", "Days until a share of sales is repaid then.")
                    .within(1.0, f64::MAX)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "most_interest_minor",
                    Kind::Int64,
                    "minor units",
                    "All interest of a share of sales whose borrower repays no more than the minimum.",
                )
                .within(0.0, f64::MAX)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "next_cap",
                    Kind::Text,
                    "",
                    "The cap that would bind without those; null where there is no other.",
                ),
                Column::optional(
                    "officer_rate_ppm",
                    Kind::Int64,
                    "millionths a day",
                    "The rate that an officer set, at or above the floor; null where none did.",
                )
                .within(0.0, 1_000_000.0),
                Column::optional(
                    "optimised_rate_ppm",
                    Kind::Int64,
                    "millionths a day",
                    "The rate that portfolio optimisation chose, at or above the floor; null where it chose none other.",
                )
                .within(0.0, 1_000_000.0)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "overrides",
                    Kind::Texts,
                    "",
                    "Officers' decisions in force about the product, each with who, until when and why; null where there is none.",
                ),
                Column::optional("next_limit_minor", Kind::Int64, "minor units", "The limit then.").within(0.0, f64::MAX),
                Column::optional(
                    "pledged_order_ids",
                    Kind::Texts,
                    "",
                    "Shipped, unconfirmed orders that secure an order loan, each pledged once; null for other products.",
                ),
                Column::optional(
                    "replaces_offer_id",
                    Kind::Text,
                    "",
                    "The open offer of an earlier night whose place it takes; a draw on that one that was under way counts as drawn on this one.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product, &self.offer_id)
    }
}
