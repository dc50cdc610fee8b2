//! An explanation for a terminal: the entry, the scorecard line by line, the features behind it, the files behind those.

use std::collections::BTreeMap;
use std::fmt::{Result, Write};

use super::entry::{debt_is_unknown, write_entry};
use super::explain::{Explanation, FeatureWalk};
use crate::domain::grouped;
use crate::wash::LedgerLine;

/// The explanation as text. Features that the scorecard does not read are listed after those it does.
#[must_use]
pub fn explanation_text(explanation: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, explanation);
    text
}

fn write(out: &mut String, explanation: &Explanation) -> Result {
    write_entry(out, &explanation.entry)?;
    if let Some(night) = &explanation.restates {
        writeln!(
            out,
            "  restates   run {} with what was recorded before {}: nobody was offered this",
            night.first.run_id, night.known_before
        )?;
    }
    if let Some(policy) = &explanation.policy {
        writeln!(
            out,
            "  policy     {} (approved by {}; holds from {})",
            policy.version, policy.approved_by, policy.holds_from
        )?;
    }
    for figure in &explanation.price {
        let source = figure.source.as_deref().unwrap_or("the policy file names no source");
        writeln!(out, "  price      {} = {}: {source}", figure.key, figure.value)?;
    }
    for schedule in &explanation.schedules {
        writeln!(
            out,
            "\n{} offer {}, drawn in full, in minor units: day, principal + interest",
            if schedule.is_minimum { "the least to be paid on" } else { "payments on" },
            schedule.offer_id
        )?;
        for due in &schedule.payments {
            writeln!(out, "  {:>6}  {} + {}", due.day, due.principal_minor, due.interest_minor)?;
        }
    }
    if explanation.points.is_empty() {
        writeln!(out, "\nno points: neither orders nor loans of this merchant can be seen")?;
        return write_inputs(out, explanation);
    }
    writeln!(out, "\npoints (an average merchant's in brackets)")?;
    writeln!(out, "  {:>6}          base", explanation.base_points)?;
    for line in &explanation.points {
        let value = line.value.map_or(String::new(), |v| format!(" = {v}"));
        writeln!(out, "  {:>+6} ({:>+4})  {}{value}: {}", line.points, line.reference_points, line.variable, line.bin)?;
    }
    let total = explanation.base_points + explanation.points.iter().map(|p| p.points).sum::<i32>();
    writeln!(out, "  {total:>6}          score")?;

    write_scenarios(out, explanation)?;

    let read = |feature: &str| explanation.points.iter().any(|p| p.variable.split(" × ").any(|part| part == feature));
    writeln!(out, "\nfeatures that the score reads")?;
    for feature in explanation.features.iter().filter(|f| read(&f.feature)) {
        write_feature(out, feature)?;
    }
    writeln!(out, "\nother features")?;
    for feature in explanation.features.iter().filter(|f| !read(&f.feature)) {
        write_feature(out, feature)?;
    }

    write_inputs(out, explanation)
}

fn write_scenarios(out: &mut String, explanation: &Explanation) -> Result {
    if explanation.scenarios.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nsome records of this merchant cannot be read: credit rests on the worst that they could have been"
    )?;
    if debt_is_unknown(explanation.entry.account.as_ref()) {
        writeln!(out, "  these are records of trade: loans that are not known are left out of each")?;
    }
    for walk in &explanation.scenarios {
        let pd = 100.0 * walk.pd_prob;
        writeln!(out, "  {:<10}  score {} · band {} · PD {pd:.2} %", walk.scenario.word(), walk.score, walk.band)?;
        for feature in &walk.features {
            let value = |value: Option<f64>| value.map_or("null".to_owned(), |v| v.to_string());
            writeln!(out, "      {} = {} ({} as known)", feature.feature, value(feature.value), value(feature.known))?;
        }
    }
    Ok(())
}

/// Files that are listed one by one: a folder a night makes thousands of them.
const LISTED: usize = 40;

fn write_inputs(out: &mut String, explanation: &Explanation) -> Result {
    writeln!(out, "\nrows of the input files (read = kept + quarantined + duplicate + skipped)")?;
    if explanation.ledger.len() <= LISTED {
        let lines = explanation.ledger.iter().map(|line| (line.table.as_str(), line.file.clone(), RowCounts::of(line)));
        lines.into_iter().try_for_each(|line| write_rows(out, line))?;
    } else {
        let mut tables: BTreeMap<&str, (usize, RowCounts)> = BTreeMap::new();
        for line in &explanation.ledger {
            let (files, counts) = tables.entry(&line.table).or_default();
            *files += 1;
            counts.add(RowCounts::of(line));
        }
        for (table, (files, counts)) in tables {
            write_rows(out, (table, format!("{} files", grouped(files as u64)), counts))?;
        }
    }
    writeln!(out, "\ninput files")?;
    if explanation.inputs.len() <= LISTED {
        for input in &explanation.inputs {
            writeln!(out, "  {} {}", input.sha256, input.name)?;
        }
    } else {
        let files = grouped(explanation.inputs.len() as u64);
        writeln!(
            out,
            "  {files}; manifest.json of the run names each with its digest, wash_ledger.json its rows, and `--format json` prints both"
        )?;
    }
    writeln!(
        out,
        "configuration {}\nmodel         {}\nprogram       {}",
        explanation.config_digest, explanation.model_digest, explanation.code_version
    )
}

/// Rows of a file or a table, in the order in which they are printed.
#[derive(Default, Clone, Copy)]
struct RowCounts([u64; 5]);

impl RowCounts {
    const fn of(line: &LedgerLine) -> Self {
        Self([line.read, line.kept, line.quarantined, line.duplicate, line.skipped])
    }

    fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, part)| *sum += part);
    }
}

fn write_rows(out: &mut String, (table, of, RowCounts(counts)): (&str, String, RowCounts)) -> Result {
    let [read, kept, quarantined, duplicate, skipped] = counts;
    writeln!(out, "  {table:<14} {of}: {read} = {kept} + {quarantined} + {duplicate} + {skipped}")
}

fn write_feature(out: &mut String, feature: &FeatureWalk) -> Result {
    let value = feature.value.map_or("null (too little history)".to_owned(), |v| v.to_string());
    writeln!(out, "  {} = {value}\n      {}", feature.feature, feature.formula)?;
    for window in &feature.windows {
        let number = |v: Option<i64>| v.map_or("no evidence".to_owned(), |v| v.to_string());
        writeln!(
            out,
            "      {} on {} [{}, {}): sum {} over {} rows",
            window.measure,
            window.table,
            window.from_on.as_deref().unwrap_or("ever"),
            window.before_on,
            number(window.sum),
            number(window.rows)
        )?;
    }
    Ok(())
}
