//! `declines`: which product a merchant was refused, by which rules, with the evidence.

use crate::offer::Decline;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Decline {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "declines",
            doc: "One row a merchant and product refused.",
            sorted_by: &["merchant_id", "product"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required(
                    "failed",
                    Kind::Verdicts,
                    "as the rule's",
                    "Every eligibility rule not met: what was observed (null where nothing could be) and what was asked.",
                ),
                Column::required(
                    "caps",
                    Kind::Caps,
                    "minor units",
                    "Every cap with its value, where the limit decided; empty where a rule failed first.",
                ),
                Column::required("reasons", Kind::Reasons, "", "One to four reasons, the most important first."),
                Column::required(
                    "needed",
                    Kind::Verdicts,
                    "as the rule's",
                    "The smallest change that alters the decision: every rule, cap (minor units) and the score (`score`) that stand in the way, with \
                     what was observed (null where nothing could be) and the value that is just enough (null where no number says it: an alert must \
                     end, a shop must open). All of them together are enough for an offer, and with any one short of it there is none.",
                ),
                Column::required(
                    "score_changes",
                    Kind::Verdicts,
                    "as the feature's",
                    "Where a higher score is needed: up to four features, each of which would give it by itself, with what was observed and the value \
                     that is just enough; empty where none does, or no score is needed.",
                ),
                Column::optional(
                    "overrides",
                    Kind::Texts,
                    "",
                    "Officers' decisions in force about the product, each with who, until when and why; null where there is none.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product)
    }
}
