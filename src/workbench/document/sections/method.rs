//! The score scale, and how points came about.

use super::text::heading;
use crate::model::{Scorecard, TrainReport};
use crate::page::{Block, table};
use crate::workbench::figures::figure;

pub(super) fn scaling(card: &Scorecard) -> Vec<Block> {
    let scale = &card.scaling;
    let (low, high) = card.score_range();
    let facts = [
        ("base score", scale.base_score.to_string()),
        ("odds good : bad at the base score", scale.base_odds.to_string()),
        ("points that double the odds (PDO)", scale.pdo.to_string()),
        ("points per unit of log odds", format!("{:.4}", scale.factor())),
        ("score at even odds", format!("{:.4}", scale.offset())),
        ("base points of every row", card.base_points.to_string()),
        ("lowest and highest possible score", format!("{low} to {high}")),
    ];
    vec![
        heading("Scale"),
        Block::Paragraph(
            "Score = score at even odds + points per unit × ln(odds good : bad). Orientation: a higher score is safer."
                .to_owned(),
        ),
        table(&["scale", "value"], facts.map(|(name, value)| vec![name.to_owned(), value]).to_vec()),
    ]
}

/// How the points were fitted: cross-validation, solver, rounding.
pub(super) fn training(report: Option<&TrainReport>) -> Vec<Block> {
    let Some(report) = report else { return Vec::new() };
    let tuning = &report.tuning;
    let solver = &report.solver;
    let confirmed = match &solver.why_not {
        _ if solver.confirmed_by_linfa => "linfa, fitting the same problem, found no better optimum".to_owned(),
        Some(why) => format!("not fitted a second time by linfa: {why}"),
        None => "not fitted a second time by linfa".to_owned(),
    };
    let chosen = &tuning.strength;
    let strengths = tuning
        .tried
        .iter()
        .map(|(s, loss)| {
            let mark = if s == chosen { "chosen" } else { "" };
            vec![
                s.deviation.to_string(),
                s.slope.to_string(),
                s.smooth.to_string(),
                format!("{loss:.6}"),
                mark.to_owned(),
            ]
        })
        .collect();
    let tables = tuning.tables_tried.iter().map(|(n, loss)| vec![n.to_string(), format!("{loss:.6}")]).collect();
    let mut blocks = vec![
        heading("How the points were fitted"),
        Block::List(vec![
            format!(
                "Points are the average of {} members; figures of cross-validation rest on {} rows, each predicted only by members that had not seen it.",
                tuning.members, tuning.rows
            ),
            format!("Largest gradient at the optimum {:.1e} a row; {confirmed}.", solver.gradient),
            format!(
                "Rounding to whole points moves the score by {} points (root mean square) after the joint search, {} if each were rounded by itself.",
                figure(report.rounding.jointly),
                figure(report.rounding.singly)
            ),
        ]),
    ];
    if !tuning.tried.is_empty() {
        blocks.push(Block::Heading(3, "Penalties tried, on rows not seen".to_owned()));
        blocks.push(table(&["against straying", "slope", "smoothness", "log loss", ""], strengths));
    }
    if !tuning.tables_tried.is_empty() {
        blocks.push(Block::Heading(3, "Two-variable tables tried, on rows not seen".to_owned()));
        blocks.push(table(&["tables", "log loss"], tables));
    }
    blocks
}
