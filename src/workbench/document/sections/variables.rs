//! The variables: bins, event rates, weights of evidence, points, and what the fit says of each.

use super::text::{heading, word};
use crate::model::binning::{Bin, BinKind, BinRole, Bins, Cell, iv_share};
use crate::model::{Scorecard, ScoredVariable, TrainReport};
use crate::page::{Block, Plot, table};
use crate::workbench::document::error::DocumentError;
use crate::workbench::document::plots;
use crate::workbench::figures::{figure, or_dash, p_value, share};

/// One row a variable: strength, shape, coefficient.
pub(super) fn summary(card: &Scorecard, report: Option<&TrainReport>) -> Vec<Block> {
    let rows = card
        .variables
        .iter()
        .map(|v| {
            let found = report.and_then(|r| r.variables.iter().find(|x| x.variable == v.bins.name));
            let range = v.points.iter().max().zip(v.points.iter().min()).map(|(a, b)| (a - b).to_string());
            vec![
                v.bins.name.clone(),
                format!("{:.3}", v.bins.iv),
                or_dash(found.map(|f| format!("{:.3}", f.ks))),
                or_dash(found.map(|f| format!("{:.1}", f.chi_square))),
                shape(&v.bins).to_owned(),
                or_dash(found.and_then(|f| f.stability_index).map(figure)),
                or_dash(range),
                or_dash(found.map(|f| format!("{:.3}", f.slope))),
                or_dash(found.map(|f| format!("{:.3}", f.slope_error))),
                or_dash(found.map(|f| format!("{:.3} to {:.3}", f.interval.0, f.interval.1))),
                or_dash(found.map(|f| p_value(f.p_value))),
                v.code.clone(),
            ]
        })
        .collect();
    let head = [
        "variable", "IV", "KS", "χ²", "event rate", "PSI, train to test", "points range", "coefficient",
        "standard error", "95 % interval", "p", "reason code",
    ];
    vec![
        heading("Variables"),
        Block::Paragraph(
            "A coefficient is the slope of a variable's points on its weight of evidence: 1 would be the variable alone, less is shared with others. \
             Errors, intervals and p are taken at the penalised optimum with the other variables held, so they lean towards confidence."
                .to_owned(),
        ),
        table(&head, rows),
    ]
}

/// Bins of each variable.
pub(super) fn section(card: &Scorecard) -> Result<Vec<Block>, DocumentError> {
    let mut blocks = Vec::new();
    for (i, variable) in card.variables.iter().enumerate() {
        blocks.extend(one(variable, i)?);
    }
    Ok(blocks)
}

fn one(variable: &ScoredVariable, index: usize) -> Result<Vec<Block>, DocumentError> {
    let bins = &variable.bins;
    let total = bins.bins.iter().fold(Cell::default(), |sum, bin| sum.plus(bin.cell()));
    let rows = bins
        .bins
        .iter()
        .enumerate()
        .map(|(i, bin)| {
            vec![
                bin.label.clone(),
                format!("{:.0}", bin.rows),
                share(if total.rows > 0.0 { bin.rows / total.rows } else { 0.0 }),
                format!("{:.0}", bin.bad),
                or_dash((bin.rows > 0.0).then(|| share(bin.bad / bin.rows))),
                format!("{:+.3}", bin.woe),
                format!("{:.4}", iv_share(bin.cell(), total)),
                or_dash(variable.log_odds.get(i).map(|l| format!("{l:+.4}"))),
                or_dash(variable.points.get(i).map(|p| format!("{p:+}"))),
            ]
        })
        .collect();
    let plot = Plot {
        title: format!("Bins of {}", bins.name),
        file: format!("plots/variable_{}.svg", index + 1),
        svg: plots::bins(bins)?,
    };
    let follows = match contradiction(variable) {
        None => "yes".to_owned(),
        Some((safer, riskier)) => {
            format!("NO, {:?} has a better event rate than {:?} and fewer points", safer.label, riskier.label)
        }
    };
    let head = ["bin", "rows", "share", "bad", "event rate", "weight of evidence", "IV", "log odds", "points"];
    Ok(vec![
        Block::Heading(3, bins.name.clone()),
        Block::Paragraph(format!(
            "Information value {:.4}. Event rate over the regular bins: {} (trend asked for or found: {}). Points follow the event rates: {follows}. \
             An average training row has {:+} points.",
            bins.iv,
            shape(bins),
            word(bins.trend),
            variable.reference_points
        )),
        Block::Plots(vec![plot]),
        table(&head, rows),
    ])
}

/// What the event rates of the regular bins do, read off the counts.
fn shape(bins: &Bins) -> &'static str {
    let rates: Vec<f64> =
        bins.bins.iter().filter(|b| b.role == BinRole::Regular && b.rows > 0.0).map(|b| b.bad / b.rows).collect();
    let rises = rates.array_windows().any(|[a, b]| a < b);
    let falls = rates.array_windows().any(|[a, b]| a > b);
    let turns = rates
        .array_windows()
        .map(|[a, b]| b - a)
        .filter(|step| *step != 0.0)
        .fold((0, 0.0), |(turns, last): (usize, f64), step| (turns + usize::from(last * step < 0.0), step))
        .0;
    if rates.len() < 2 {
        return "one bin";
    }
    if matches!(bins.kind, BinKind::Text { .. }) {
        return "levels in order of risk";
    }
    match (rises, falls, turns) {
        (false, false, _) => "flat",
        (true, false, _) => "rises throughout",
        (false, true, _) => "falls throughout",
        (true, true, 1) => "turns once",
        (true, true, _) => "turns more than once",
    }
}

/// Two bins whose points contradict their weights of evidence; bins without training rows say nothing.
fn contradiction(variable: &ScoredVariable) -> Option<(&Bin, &Bin)> {
    let mut bins: Vec<(&Bin, i32)> =
        variable.bins.bins.iter().zip(variable.points.iter().copied()).filter(|(b, _)| b.rows > 0.0).collect();
    bins.sort_by(|a, b| a.0.woe.total_cmp(&b.0.woe));
    bins.array_windows().find_map(|[riskier, safer]| {
        (riskier.0.woe < safer.0.woe && riskier.1 > safer.1).then_some((safer.0, riskier.0))
    })
}
