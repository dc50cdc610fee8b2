//! The drafted `features.toml`: those measures and features of the demo job that the data can feed, and what must be put together anew because
//! its parts differ from export to export: promises kept and broken, receivables, the label.

use std::collections::{BTreeMap, BTreeSet};

use super::add::add;
use super::fed::Fed;
use super::policy_file::{WITH_LOANS, not_read_yet};
use crate::tiles::view_schema;

/// The largest feature set there is: the demo job's, which has every table.
const CATALOGUE: &str = include_str!("../../pipelines/demo/features.toml");

/// A drafted feature file and what it could not hold.
#[derive(Debug, Clone, Default)]
pub(super) struct FeaturesDraft {
    pub text: String,
    /// Names of features in it.
    pub features: BTreeSet<String>,
    /// Names of measures in it.
    pub measures: BTreeSet<String>,
    /// Features left out, by the contract columns they miss.
    pub lost: BTreeMap<(String, String), BTreeSet<String>>,
}

/// One `[[measure]]` or `[[feature]]` as it stands in the catalogue.
struct Block {
    text: String,
    keys: toml::Table,
}

impl Block {
    fn text_of(&self, key: &str) -> &str {
        self.keys.get(key).and_then(toml::Value::as_str).unwrap_or_default()
    }

    /// Its text, which needs no table that the job does not read.
    fn text_needing(&self, fed: &Fed) -> String {
        let Some(needs) = self.keys.get("needs").and_then(toml::Value::as_array) else { return self.text.clone() };
        let needs: Vec<String> = needs
            .iter()
            .filter_map(toml::Value::as_str)
            .filter(|table| fed.has_table(table))
            .map(|table| format!("{table:?}"))
            .collect();
        let is_needs = |line: &&str| line.starts_with("needs =") || line.starts_with('#');
        let mut text: String = self.text.split_inclusive('\n').filter(|line| !is_needs(line)).collect();
        if !needs.is_empty() {
            add(&mut text, &format!("needs = [{}]\n", needs.join(", ")));
        }
        text
    }
}

/// Blocks of one kind, in order.
fn blocks(kind: &str) -> Vec<Block> {
    let head = format!("[[{kind}]]\n");
    CATALOGUE
        .split("\n\n")
        .filter_map(|part| part.find(&head).map(|at| part.split_at(at + head.len()).1))
        .filter_map(|body| {
            Some(Block { text: format!("{head}{}\n", body.trim_end()), keys: toml::from_str(body).ok()? })
        })
        .collect()
}

/// Drafts the file. `has_loan_label`: the loan book says who defaulted.
pub(super) fn draft(fed: &Fed, name: &str, has_loan_label: bool) -> FeaturesDraft {
    let mut draft = FeaturesDraft::default();
    let mut missing: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    let mut measures: BTreeMap<String, String> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for block in blocks("measure") {
        let name = block.text_of("name").to_owned();
        order.push(name.clone());
        let lacks = lacks(&block, fed);
        let text = match composed(&name, fed) {
            Composed::AsItStands if lacks.is_empty() => Some(block.text_needing(fed)),
            Composed::AsItStands | Composed::Nothing => None,
            Composed::Text(text) => Some(text),
        };
        match text {
            Some(text) => {
                measures.insert(name, text);
            }
            None => {
                missing.insert(name, lacks);
            }
        }
    }
    let mut features = String::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut group = String::new();
    for block in blocks("feature") {
        let named: Vec<&str> = ["measure", "numerator", "denominator", "gain", "loss"]
            .into_iter()
            .map(|key| block.text_of(key))
            .filter(|m| !m.is_empty())
            .collect();
        let mut lacks: Vec<(&str, &str)> = named.iter().filter_map(|m| missing.get(*m)).flatten().copied().collect();
        let column = block.text_of("column");
        if !column.is_empty() && !fed.has("merchants", column) {
            lacks.extend(crate::contract::MERCHANTS.column(column).map(|c| ("merchants", c.name)));
        }
        if block.text_of("group") == "industry" && !fed.has("merchants", "category") {
            lacks.push(("merchants", "category"));
        }
        let is_whole = named.iter().all(|m| measures.contains_key(*m));
        if lacks.is_empty() && is_whole {
            if block.text_of("group") != group {
                block.text_of("group").clone_into(&mut group);
                add(&mut features, &format!("# ---- features: {group} ----\n\n"));
            }
            used.extend(named.iter().map(|m| (*m).to_owned()));
            draft.features.insert(block.text_of("name").to_owned());
            add(&mut features, &format!("{}\n", block.text));
        } else {
            for (table, column) in lacks {
                draft
                    .lost
                    .entry((table.to_owned(), column.to_owned()))
                    .or_default()
                    .insert(block.text_of("name").to_owned());
            }
        }
    }
    // What the ability model and the label read.
    used.extend(["net_receipts", "orders_placed", "delivery_due", "delivery_late"].map(str::to_owned));
    draft.text = format!(
        "# Features of the job {name}: those of the demo job that this data can feed. GAPS.md says which are missing and for want of what.\n#\n# \
         `integrity schema` prints the dictionary that is generated from this file.\n\n# ---- measures ----\n# A measure is an additive whole \
         number a row. Rows judged not authentic are left out unless `suspect` says otherwise.\n\n"
    );
    for measure in order {
        let Some(text) = measures.get(&measure).filter(|_| used.contains(&measure)) else { continue };
        add(&mut draft.text, &format!("{text}\n"));
        draft.measures.insert(measure);
    }
    draft.text.push_str(&features);
    if !fed.has("shipments", "tracking") {
        draft.text.push_str("# ---- authenticity ----\n# The export has no tracking numbers: their want says nothing of an order.\n[authenticity.no_tracking]\nweight = 0\n\n");
    }
    draft.text.push_str(&label(&draft, has_loan_label));
    draft
}

/// Adds, as comments, what the file would hold beside the rest if the job read a loan book.
pub(super) fn add_with_loans(draft: &mut FeaturesDraft, fed: &Fed, name: &str) {
    let with_loans = self::draft(&fed.with_loan_book(), name, true);
    let has = |block: &&str| draft.text.contains(*block);
    let further = |part: &&str| part.starts_with("[[") && !has(part);
    let blocks: Vec<&str> = with_loans.text.split("\n\n").map(str::trim).filter(further).collect();
    if blocks.is_empty() {
        return;
    }
    add(&mut draft.text, &format!("\n# ---- with loans ----\n{WITH_LOANS}"));
    for block in blocks {
        add(&mut draft.text, &not_read_yet(block));
    }
}

/// Contract columns that a measure's words rest on and that are missing.
fn lacks(block: &Block, fed: &Fed) -> Vec<(&'static str, &'static str)> {
    let view = block.text_of("table");
    let Some(schema) = view_schema(view) else { return Vec::new() };
    let sql = format!("{} {} {}", block.text_of("at"), block.text_of("where"), block.text_of("value"));
    // What stands in quotes is a value.
    let code: String = sql.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let words: BTreeSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    // `refund_minor` and the times of what did not happen may be null: the measure says what that means.
    let forgiven = [
        "refund_minor", "refunded_at", "cancelled_at", "reversed_at", "recorded_at", "closed_at", "outcome", "channel",
    ];
    let is_main = |column: &str| {
        column == block.text_of("at")
            || block.text_of("where").trim() == format!("{column} IS NOT NULL")
            || block.text_of("value").trim() == column
    };
    let mut lacking: Vec<(&str, &str)> = schema
        .columns
        .iter()
        .filter(|c| words.contains(c.name) && (!forgiven.contains(&c.name) || is_main(c.name)))
        .flat_map(|c| fed.missing(view, c.name))
        .collect();
    lacking.extend(
        schema
            .needs
            .iter()
            .filter(|table| !fed.has_table(table))
            .filter_map(|table| crate::contract::table(table).and_then(|t| t.key.first().map(|key| (t.name, *key)))),
    );
    if code.contains("outcome =") || sql.contains("outcome IN") || code.contains("outcome IS NOT NULL") {
        lacking.extend((view == "disputes" && !fed.has("disputes", "outcome")).then_some(("disputes", "outcome")));
    }
    lacking.sort_unstable();
    lacking.dedup();
    lacking
}

enum Composed {
    AsItStands,
    Text(String),
    Nothing,
}

/// Measures whose predicate depends on what there is.
fn composed(name: &str, fed: &Fed) -> Composed {
    let has_disputes = fed.has_table("disputes");
    let has_promise = fed.has("shipments", "promised_at") && fed.has("shipments", "delivered_at");
    let piece = |is_there: bool, sql: &'static str| is_there.then_some(sql);
    let (pieces, joined, at, doc) = match name {
        "promise_kept_value" => (
            vec![
                Some("completed_at IS NOT NULL"),
                piece(has_promise, "delivery_late = FALSE"),
                piece(fed.has("orders", "refunded_at"), "refunded_at IS NULL"),
                piece(has_disputes, "disputes = disputes_dismissed"),
                piece(!has_disputes && fed.has("reviews", "stars"), "(stars IS NULL OR stars > 1)"),
            ],
            " AND ",
            "placed_at",
            "value of orders whose promises were kept, as far as the data tell",
        ),
        "promise_broken_value" => (
            vec![
                piece(has_promise, "delivery_late"),
                piece(fed.has("shipments", "lost_at"), "parcels_lost > 0"),
                piece(has_disputes && fed.has("disputes", "outcome"), "disputes_lost > 0"),
                piece(has_disputes && !fed.has("disputes", "outcome"), "disputes > 0"),
                piece(
                    fed.has("orders", "cancelled_at") && fed.has("orders", "paid_at"),
                    "(cancelled_at IS NOT NULL AND paid_at IS NOT NULL)",
                ),
                piece(!has_disputes && fed.has("orders", "refunded_at"), "refunded_at IS NOT NULL"),
                piece(!has_disputes && fed.has("reviews", "stars"), "stars = 1"),
            ],
            " OR ",
            "placed_at",
            "value of orders whose promises were broken, as far as the data tell",
        ),
        "receivable" => (
            vec![
                piece(fed.has("shipments", "shipped_at"), "shipped_at IS NOT NULL"),
                Some("completed_at IS NULL"),
                piece(fed.has("orders", "cancelled_at"), "cancelled_at IS NULL"),
                piece(fed.has("orders", "refunded_at"), "refunded_at IS NULL"),
                piece(has_disputes, "disputes = disputes_dismissed"),
            ],
            " AND ",
            "placed_at",
            "shipped, not yet confirmed, undisputed: what escrow will release",
        ),
        _ => return Composed::AsItStands,
    };
    if name == "receivable" && !fed.has("shipments", "shipped_at") {
        return Composed::Nothing;
    }
    let pieces: Vec<&str> = pieces.into_iter().flatten().collect();
    if pieces.is_empty() {
        return Composed::Nothing;
    }
    Composed::Text(format!(
        "[[measure]]\nname = \"{name}\"\ntable = \"orders\"\nat = \"{at}\"\nwhere = \"{}\"\nvalue = \"amount_minor\"\ndoc = \"{doc}\"\n",
        pieces.join(joined)
    ))
}

/// What makes a merchant bad where no loan book says it.
fn label(draft: &FeaturesDraft, has_loan_label: bool) -> String {
    let why = if has_loan_label {
        "# The job learns from the loan book; distress of trade is declared beside it for comparison.\n"
    } else {
        "# No loan book: a merchant is bad whose trade collapses, or who stops keeping promises, after the observation.\n"
    };
    let late = if draft.measures.contains("delivery_late") && draft.measures.contains("delivery_due") {
        "\nOR (delivery_due_after >= 5 AND delivery_late_after * 2 >= delivery_due_after)"
    } else {
        ""
    };
    format!(
        "# ---- label ----\n{why}[label]\nname = \"trade-distress\"\nbefore_days = 90\neligible = \"orders_placed_before >= 5 AND net_receipts_before > \
         0\"\noutcome = \"\"\"\nnet_receipts_after * 5 < net_receipts_before{late}\n\"\"\"\nwhy = \"a borrower whose net receipts fall below a fifth \
         could not repay from trade\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_read_whole() {
        let count = |kind: &str| CATALOGUE.matches(&format!("[[{kind}]]")).count();
        assert_eq!(blocks("measure").len(), count("measure"));
        assert_eq!(blocks("feature").len(), count("feature"));
    }

    #[test]
    fn a_job_that_fills_nothing_has_no_features_but_tenure() {
        let draft = draft(&Fed::default(), "none", false);
        assert!(draft.features.contains("tenure_days"), "{:?}", draft.features);
        assert!(!draft.features.contains("late_delivery_share_90d"));
        let lost = draft.lost.get(&("shipments".to_owned(), "promised_at".to_owned())).unwrap();
        assert!(lost.contains("late_delivery_share_90d"), "{lost:?}");
    }
}
