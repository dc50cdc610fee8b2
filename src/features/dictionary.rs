//! The dictionary of features, generated from configuration.

use std::fmt::Write as _;

use super::kind::MeasureId;
use super::settings::{FeatureConfig, FeatureSpec, Group};
use crate::authenticity::RuleSettingValue;
use crate::tiles::{MeasureSpec, Suspects};

/// Markdown: features by group with formula, meaning of missing and source; then measures with their SQL; then authenticity knobs.
#[must_use]
pub fn dictionary_markdown(config: &FeatureConfig) -> String {
    let mut out = String::from(
        "D is the as-of date; a window `[D − w, D)` holds the w local calendar days before it. `Σ m over` a window adds up the measure m over \
         it, `rows of m over` it counts the measure's rows. Peers are the other merchants of the merchant's category, taken together. A value \
         is null where its formula says so or divides by zero, where a table it needs is absent, and where the merchant's rows of a measure add up \
         to more than 64 bits hold. *History* is the days since registration that it needs. \
         No model learns from a feature that is for rules only, and the index does not count it.\n",
    );
    let names = |id: MeasureId| config.measures.get(id).map(|m| m.name.clone()).unwrap_or_default();
    for (word, group) in Group::WORDS {
        let features: Vec<&FeatureSpec> = config.features.iter().filter(|f| f.group == group).collect();
        if features.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "\n## {word}\n\n| feature | formula | direction | history | why | source |\n|---|---|---|---|---|---|\n"
        );
        for f in features {
            let _ = writeln!(
                out,
                "| `{}` | {} | {}{} | {} days | {} | {} |",
                f.name,
                cell(&f.formula(&names)),
                f.direction.word(),
                if f.is_scored { "" } else { ", rules only" },
                f.min_history_days,
                cell(&f.why),
                cell(&f.source)
            );
        }
    }
    out.push_str("\n## Measures\n\n| measure | table | counted on the day of | where | value | suspect rows | needs |\n|---|---|---|---|---|---|---|\n");
    for m in &config.measures {
        let _ = writeln!(out, "{}", measure_row(m));
    }
    out.push_str("\n## Authenticity\n\n| knob | value | what it does |\n|---|---|---|\n");
    for knob in config.authenticity.clone().all() {
        let value = match knob.value {
            RuleSettingValue::Whole(n) => n.to_string(),
            RuleSettingValue::Real(x) => x.to_string(),
        };
        let _ = writeln!(out, "| `{}.{}` | {value} | {} |", knob.rule, knob.name, cell(knob.doc));
    }
    if let Some(label) = &config.label {
        let _ = write!(
            out,
            "\n## Label `{}`\n\n{}\n\n- eligible (over the {} days before): `{}`\n- bad: `{}`\n",
            label.name,
            label.why.trim(),
            label.before_days,
            label.eligible.text(),
            label.outcome.text()
        );
    }
    out
}

fn measure_row(m: &MeasureSpec) -> String {
    let sql = |text: Option<&str>, otherwise: &str| text.map_or(otherwise.to_owned(), |t| format!("`{}`", cell(t)));
    let suspects = match m.suspects {
        _ if !m.view.is_judged() => "not judged",
        Suspects::Exclude => "left out",
        Suspects::Only => "only these",
        Suspects::Include => "counted too",
    };
    format!(
        "| `{}` | {} | {} | {} | {} | {suspects} | {} |",
        m.name,
        m.view.name,
        m.at.name,
        sql(m.filter.as_ref().map(crate::tiles::RowSql::text), "every row"),
        sql(m.value.as_ref().map(crate::tiles::RowSql::text), "1"),
        m.needs.join(", ")
    )
}

/// Text that cannot break a table's cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
