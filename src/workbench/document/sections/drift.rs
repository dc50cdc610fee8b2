//! The table's population against the training's.

use super::text::{heading, word};
use crate::page::{Block, table};
use crate::workbench::figures::{figure, p_value};
use crate::workbench::validation::Drift;
use crate::workbench::validation::Stability;

pub(super) fn section(drift: &Drift) -> Vec<Block> {
    let mut rows: Vec<Vec<String>> = drift.score.iter().map(|s| row("score", s, None)).collect();
    rows.extend(drift.characteristics.iter().map(|c| row(&c.variable, &c.stability, Some(c.score_shift))));
    let head = [
        "index of",
        "value",
        "chance, 95 %",
        "chance, 99 %",
        "p",
        "verdict",
        "customary (0.10, 0.25)",
        "points shifted",
    ];
    let mut blocks = vec![
        heading("Stability"),
        Block::Paragraph(
            "PSI and CSI of the table measured against the training rows, with what chance alone would reach for these numbers of rows, and the customary \
             reading, which knows no rows."
                .to_owned(),
        ),
        table(&head, rows),
    ];
    if !drift.undefined.is_empty() {
        let items = drift.undefined.iter().map(|u| format!("No {}: {}", u.figure, u.reason)).collect();
        blocks.push(Block::List(items));
    }
    blocks
}

fn row(name: &str, s: &Stability, shift: Option<f64>) -> Vec<String> {
    vec![
        name.to_owned(),
        figure(s.index),
        figure(s.critical_95),
        figure(s.critical_99),
        p_value(s.p_value),
        if s.is_significant { "more than chance" } else { "within chance" }.to_owned(),
        word(s.customary),
        shift.map_or_else(String::new, |shift| format!("{shift:+.1}")),
    ]
}
