//! A comparison as a person reads it.

use std::fmt::Write as _;

use super::compare::Compared;
use crate::report::text_table;
use crate::workbench::compare::{Comparison, LossDifference, SwapSet};
use crate::workbench::figures::{LINES, figure, or_dash, p_value, share};

/// The whole text. Writing to a String cannot fail, so results of `write!` are dropped.
pub(super) fn render(found: &Compared) -> String {
    let comparison = &found.comparison;
    let [champion, challenger] = found.names();
    let mut text = format!("champion    {champion}\nchallenger  {challenger}\n\n{}\n", figures(comparison));
    let _ = writeln!(text, "champion less challenger");
    text.push_str(&differences(comparison));
    if let Some(why) = &comparison.auc_test_undefined {
        let _ = writeln!(text, "  no test of the AUCs: {why}");
    }
    if let Some(index) = found.pd_stability_index {
        let _ = writeln!(text, "\nPSI between the two PDs over the same rows: {index:.4}");
    }
    let _ = writeln!(text, "\nswap sets: who would be let in, who turned away, at one share approved");
    text.push_str(&swaps(&comparison.swap_sets));
    let migration = &comparison.migration;
    let _ = writeln!(
        text,
        "\nmigration of deciles, safest first: rows are the champion's, columns the challenger's; {} keep theirs, {} move by at most one",
        share(migration.unmoved_share),
        share(migration.within_one_share)
    );
    text.push_str(&grid(&migration.rows));
    for by in &found.by {
        let _ = writeln!(text, "\nby {}", by.column);
        let rows: Vec<Vec<String>> = by
            .segments
            .iter()
            .map(|s| {
                vec![
                    s.segment.clone().unwrap_or_else(|| "(unknown)".to_owned()),
                    s.rows.to_string(),
                    s.bad.to_string(),
                    or_dash(s.champion_auc.map(figure)),
                    or_dash(s.challenger_auc.map(figure)),
                    s.auc_test.map_or_else(|| "–".to_owned(), |t| p_value(t.p_value)),
                    format!("{:+.5}", s.brier_difference.difference),
                    p_value(s.brier_difference.p_value),
                ]
            })
            .collect();
        let head = ["segment", "rows", "bad", "champion AUC", "challenger AUC", "DeLong p", "Brier difference", "p"];
        text.push_str(&text_table(&head, &rows));
    }
    for note in &found.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn figures(found: &Comparison) -> String {
    let rows: Vec<Vec<String>> =
        LINES.iter().map(|(name, of)| vec![(*name).to_owned(), of(&found.champion), of(&found.challenger)]).collect();
    text_table(&["", "champion", "challenger"], &rows)
}

fn differences(found: &Comparison) -> String {
    let mut rows = Vec::new();
    let row = |name: &str, value: f64, [low, high]: [f64; 2], p: f64| {
        vec![name.to_owned(), format!("{value:+.5}"), format!("[{low:+.5}, {high:+.5}]"), p_value(p)]
    };
    if let Some(t) = &found.auc_test {
        rows.push(row("AUC (DeLong)", t.difference, t.difference_interval, t.p_value));
    }
    let loss = |name: &str, d: &LossDifference| row(name, d.difference, d.interval, d.p_value);
    rows.push(loss("Brier", &found.brier_difference));
    rows.push(loss("log loss", &found.log_loss_difference));
    text_table(&["", "difference", "interval", "p"], &rows)
}

fn swaps(sets: &[SwapSet]) -> String {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), share);
    let rows: Vec<Vec<String>> = sets
        .iter()
        .map(|s| {
            vec![
                share(s.approval_rate),
                s.both.rows.to_string(),
                rate(s.both.bad_rate),
                s.swapped_in.rows.to_string(),
                rate(s.swapped_in.bad_rate),
                s.swapped_out.rows.to_string(),
                rate(s.swapped_out.bad_rate),
                s.in_against_out.map_or_else(|| "–".to_owned(), |c| p_value(c.p_value)),
            ]
        })
        .collect();
    let head = ["approved", "by both", "bad rate", "let in", "bad rate", "turned away", "bad rate", "p in = out"];
    text_table(&head, &rows)
}

fn grid(counts: &[Vec<u64>]) -> String {
    let columns: Vec<String> = (1..=counts.first().map_or(0, Vec::len)).map(|i| i.to_string()).collect();
    let head: Vec<&str> = std::iter::once("").chain(columns.iter().map(String::as_str)).collect();
    let rows: Vec<Vec<String>> = counts
        .iter()
        .enumerate()
        .map(|(i, row)| std::iter::once((i + 1).to_string()).chain(row.iter().map(u64::to_string)).collect())
        .collect();
    text_table(&head, &rows)
}
