//! From the score to a probability, and to bands.

use super::text::{heading, word};
use crate::model::calibration::CalibrationMap;
use crate::model::{Scorecard, TrainReport};
use crate::page::{Block, table};
use crate::workbench::figures::{or_dash, share};

pub(super) fn section(card: &Scorecard, report: Option<&TrainReport>) -> Vec<Block> {
    let mut blocks = vec![
        heading("Calibration"),
        Block::Paragraph(format!(
            "{} The lowest PD ever stated is {}.",
            formula(card.calibration.map()),
            share(card.calibration.pd_floor())
        )),
    ];
    if let Some(choice) = report.map(|r| &r.calibration) {
        blocks.push(Block::Paragraph(format!(
            "The simplest method within one standard error of the best log loss on rows not seen, over {} folds.",
            choice.folds
        )));
        blocks.extend(choice.note.clone().map(Block::Paragraph));
        let rows = choice
            .candidates
            .iter()
            .map(|c| {
                vec![
                    word(c.method),
                    or_dash(c.log_loss.map(|l| format!("{l:.5}"))),
                    or_dash(c.excess.map(|e| format!("{e:.5}"))),
                    or_dash(c.excess_error.map(|e| format!("{e:.5}"))),
                    if c.method == choice.method { "chosen".to_owned() } else { c.refused.clone().unwrap_or_default() },
                ]
            })
            .collect();
        blocks.push(table(&["method", "log loss", "above the best", "standard error", ""], rows));
    }
    let bands = card
        .bands
        .iter()
        .map(|b| {
            let least = b.min_score;
            vec![
                b.name.clone(),
                least.map_or_else(|| "below".to_owned(), |s| s.to_string()),
                or_dash(least.map(|s| share(card.probability(s)))),
            ]
        })
        .collect();
    blocks.extend([
        Block::Heading(3, "Bands, safest first".to_owned()),
        table(&["band", "from score", "highest PD in it"], bands),
    ]);
    blocks
}

pub(in crate::workbench::document) fn formula(map: &CalibrationMap) -> String {
    match map {
        CalibrationMap::Identity => "PD = 1 / (1 + odds good : bad): the score needs no calibration.".to_owned(),
        CalibrationMap::Platt { intercept, slope } => {
            format!("Logistic: ln(PD / (1 − PD)) = {intercept:.6} + {slope:.6} × ln(odds bad : good).")
        }
        CalibrationMap::Beta { a, b, c } => {
            format!(
                "Beta: ln(PD / (1 − PD)) = {c:.6} + {a:.6} × ln p − {b:.6} × ln(1 − p), with p the PD of the scale alone."
            )
        }
        CalibrationMap::Isotonic { raw, .. } => {
            format!("Isotonic: straight lines between {} knots, flat outside.", raw.len())
        }
    }
}
