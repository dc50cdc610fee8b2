//! Columns that are not in the model, and bins that sign control held equal.

use super::text::{heading, word};
use crate::model::TrainReport;
use crate::page::{Block, table};

pub(super) fn section(report: Option<&TrainReport>) -> Vec<Block> {
    let Some(report) = report else {
        let why = "The model folder keeps no training report: what was left out, and why, is not known.";
        return vec![heading("Columns left out"), Block::Paragraph(why.to_owned())];
    };
    let mut blocks = vec![heading("Columns left out")];
    if report.dropped.is_empty() {
        blocks.push(Block::Paragraph("None: every column given is in the model.".to_owned()));
    } else {
        let rows = report
            .dropped
            .iter()
            .map(|d| vec![d.variable.clone(), word(d.stage), d.rule.clone(), d.why.clone()])
            .collect();
        blocks.push(table(&["column", "left at", "rule", "why"], rows));
    }
    if !report.removals.is_empty() {
        let rows =
            report.removals.iter().map(|r| vec![r.variable.clone(), r.bins.join(" · "), r.why.clone()]).collect();
        blocks.push(Block::Heading(3, "Bins held equal by sign control".to_owned()));
        blocks.push(table(&["variable", "bins", "why"], rows));
    }
    blocks
}
