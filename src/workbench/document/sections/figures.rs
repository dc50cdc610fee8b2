//! What the model is worth on each sample, in figures and plots.

use super::text::{heading, shares};
use crate::model::validation::ValidationReport;
use crate::page::{Block, Plot, table};
use crate::workbench::document::error::DocumentError;
use crate::workbench::document::plots;
use crate::workbench::document::sample::Sample;
use crate::workbench::figures::{LINES, figure, or_dash, p_value, share};

pub(super) fn section(samples: &[Sample]) -> Result<Vec<Block>, DocumentError> {
    let mut blocks = vec![heading("Figures")];
    if samples.is_empty() {
        blocks.push(Block::Paragraph("No sample was measured: what the model is worth is not known.".to_owned()));
        return Ok(blocks);
    }
    blocks.push(figures(samples));
    blocks.extend(undefined(samples));
    for (i, sample) in samples.iter().enumerate() {
        blocks.extend(one(sample, i)?);
    }
    Ok(blocks)
}

fn figures(samples: &[Sample]) -> Block {
    let mut head = vec!["figure"];
    head.extend(samples.iter().map(|sample| sample.name.as_str()));
    let rows = LINES
        .iter()
        .map(|(name, of)| {
            std::iter::once((*name).to_owned()).chain(samples.iter().map(|sample| of(&sample.report))).collect()
        })
        .collect();
    table(&head, rows)
}

fn undefined(samples: &[Sample]) -> Option<Block> {
    let items: Vec<String> = samples
        .iter()
        .flat_map(|sample| {
            sample.report.undefined.iter().map(|u| format!("{}: no {}, because {}", sample.name, u.figure, u.reason))
        })
        .collect();
    (!items.is_empty()).then_some(Block::List(items))
}

fn one(sample: &Sample, index: usize) -> Result<Vec<Block>, DocumentError> {
    let report = &sample.report;
    let mut blocks = vec![heading(&sample.name)];
    if sample.curves.is_coarse {
        let why = "ROC and KS are drawn through the steps of the gains table, which is what the model folder keeps of these rows; the figures above come from all rows.";
        blocks.push(Block::Paragraph(why.to_owned()));
    }
    blocks.push(Block::Plots(sample_plots(sample, index)?));
    let deciles = report
        .deciles
        .iter()
        .map(|d| {
            vec![
                d.decile.to_string(),
                d.rows.to_string(),
                d.bad.to_string(),
                share(d.mean_pd),
                share(d.bad_rate),
                or_dash(d.bad_rate_interval.map(shares)),
            ]
        })
        .collect();
    let gains = report
        .gains
        .iter()
        .map(|g| {
            vec![
                share(g.rows_share),
                share(g.bads_captured_share),
                or_dash(g.bads_captured_interval.map(shares)),
                share(g.goods_refused_share),
                format!("{:.2}", g.lift),
                format!("{:.2}", g.cumulative_lift),
                or_dash(g.remaining_bad_rate.map(share)),
            ]
        })
        .collect();
    blocks.extend([
        Block::Heading(3, "Calibration by decile, safest first".to_owned()),
        table(&["decile", "rows", "bad", "mean PD", "bad rate", "exact interval"], deciles),
        Block::Heading(3, "Gains and lift, riskiest first".to_owned()),
        table(
            &[
                "refused",
                "bads caught",
                "exact interval",
                "goods refused",
                "lift",
                "cumulative lift",
                "bad rate of the rest",
            ],
            gains,
        ),
    ]);
    if !report.grades.is_empty() {
        blocks.extend(grades(report));
    }
    Ok(blocks)
}

fn sample_plots(sample: &Sample, index: usize) -> Result<Vec<Plot>, DocumentError> {
    let report = &sample.report;
    let mut plots = Vec::new();
    let mut add = |name: &str, title: String, svg: String| {
        plots.push(Plot { title, file: format!("plots/sample_{}_{name}.svg", index + 1), svg });
    };
    if !sample.curves.roc.is_empty() {
        add("roc", format!("ROC, AUC {}", or_dash(report.auc.map(figure))), plots::roc(&sample.curves)?);
        add("ks", format!("KS {}", or_dash(report.ks.map(figure))), plots::distributions(&sample.curves)?);
    }
    if !report.deciles.is_empty() {
        add("calibration", "Calibration by decile".to_owned(), plots::calibration(&report.deciles)?);
    }
    if !report.gains.is_empty() {
        add("gains", "Gains".to_owned(), plots::gains(&report.gains)?);
        add("lift", "Lift".to_owned(), plots::lift(&report.gains)?);
    }
    Ok(plots)
}

fn grades(report: &ValidationReport) -> Vec<Block> {
    let rows = report
        .grades
        .iter()
        .map(|g| {
            vec![
                g.grade.clone(),
                g.rows.to_string(),
                g.bad.to_string(),
                or_dash(g.pd.map(share)),
                or_dash(g.bad_rate.map(share)),
                or_dash(g.binomial_p_value.map(p_value)),
                or_dash(g.jeffreys_p_value.map(p_value)),
                or_dash(g.is_pd_too_low.map(|low| if low { "PD too low" } else { "holds" }.to_owned())),
            ]
        })
        .collect();
    vec![
        Block::Heading(3, "Back-test by grade".to_owned()),
        Block::Paragraph(format!(
            "{} grades fail the one-sided Jeffreys test; chance alone would fail up to {:.1} of them.",
            report.grades_too_low, report.grades_too_low_by_chance
        )),
        table(&["grade", "rows", "bad", "PD", "bad rate", "binomial p", "Jeffreys p", "verdict"], rows),
    ]
}
