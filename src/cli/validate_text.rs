//! A validation as a person reads it.

use std::fmt::Write as _;

use super::validate::Validated;
use crate::model::validation::ValidationReport;
use crate::report::text_table;
use crate::workbench::figures::{LINES, figure, or_dash, p_value, ranged, share};
use crate::workbench::validation::Drift;
use crate::workbench::validation::{CustomaryBand, FairnessReport, SegmentReport, Stability};

/// The whole text. Writing to a String cannot fail, so results of `write!` are dropped.
pub(super) fn render(found: &Validated) -> String {
    let mut text = format!("model {}\n{}", found.model.display(), figures(&found.test));
    for undefined in &found.test.undefined {
        let _ = writeln!(text, "  no {}: {}", undefined.figure, undefined.reason);
    }
    text.push_str(&grades(&found.test));
    text.push_str(&drift(&found.stability));
    for by in &found.by {
        let _ = writeln!(text, "\nby {}", by.column);
        text.push_str(&segments(&by.segments));
    }
    for report in &found.fairness {
        text.push_str(&fairness(report));
    }
    for note in &found.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn figures(r: &ValidationReport) -> String {
    let rows: Vec<Vec<String>> = LINES.iter().map(|(name, of)| vec![(*name).to_owned(), of(r)]).collect();
    text_table(&["", "table"], &rows)
}

fn grades(r: &ValidationReport) -> String {
    let rows: Vec<Vec<String>> = r
        .grades
        .iter()
        .filter(|g| g.rows > 0)
        .map(|g| {
            let p = |p: Option<f64>| p.map_or_else(|| "–".to_owned(), p_value);
            let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), share);
            let verdict = match g.is_pd_too_low {
                Some(true) => "PD too low",
                Some(false) => "holds",
                None => "",
            };
            vec![
                g.grade.clone(),
                g.rows.to_string(),
                g.bad.to_string(),
                rate(g.pd),
                rate(g.bad_rate),
                p(g.binomial_p_value),
                p(g.jeffreys_p_value),
                verdict.to_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["band", "rows", "bad", "mean PD", "bad rate", "binomial p", "Jeffreys p", ""];
    format!(
        "\nback-test by band: {} fail, chance alone would fail up to {:.1}\n{}",
        r.grades_too_low,
        r.grades_too_low_by_chance,
        text_table(&head, &rows)
    )
}

fn drift(drift: &Drift) -> String {
    let mut rows: Vec<Vec<String>> = drift.score.iter().map(|s| stability("score", s, None)).collect();
    rows.extend(drift.characteristics.iter().map(|c| stability(&c.variable, &c.stability, Some(c.score_shift))));
    let head = ["index of", "value", "chance 95 %", "chance 99 %", "p", "verdict", "customary", "points shifted"];
    let mut text = format!("\npopulation against training's (PSI, CSI)\n{}", text_table(&head, &rows));
    for undefined in &drift.undefined {
        let _ = writeln!(text, "  no {}: {}", undefined.figure, undefined.reason);
    }
    text
}

fn stability(name: &str, s: &Stability, shift: Option<f64>) -> Vec<String> {
    let customary = match s.customary {
        CustomaryBand::Small => "small",
        CustomaryBand::Moderate => "moderate",
        CustomaryBand::Large => "large",
    };
    vec![
        name.to_owned(),
        format!("{:.4}", s.index),
        format!("{:.4}", s.critical_95),
        format!("{:.4}", s.critical_99),
        p_value(s.p_value),
        if s.is_significant { "more than chance" } else { "within chance" }.to_owned(),
        customary.to_owned(),
        shift.map_or_else(String::new, |shift| format!("{shift:+.1}")),
    ]
}

fn segments(found: &[SegmentReport]) -> String {
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|s| {
            let r = &s.report;
            vec![
                s.segment.clone().unwrap_or_else(|| "(unknown)".to_owned()),
                r.rows.to_string(),
                r.bad.to_string(),
                share(r.bad_rate),
                share(r.mean_pd),
                ranged(r.auc, r.auc_interval),
                ranged(Some(r.brier), r.brier_interval),
                ranged(r.calibration_slope, r.calibration_slope_interval),
            ]
        })
        .collect();
    text_table(&["segment", "rows", "bad", "bad rate", "mean PD", "AUC", "Brier", "calibration slope"], &rows)
}

fn fairness(report: &FairnessReport) -> String {
    let rows: Vec<Vec<String>> = report
        .groups
        .iter()
        .map(|g| {
            let dash = || "–".to_owned();
            let (impact, equal) = (g.adverse_impact, g.equal_opportunity);
            vec![
                g.group.clone().unwrap_or_else(|| "(unknown)".to_owned()),
                g.rows.to_string(),
                share(g.approval_rate),
                ranged(impact.and_then(|i| i.ratio), impact.and_then(|i| i.ratio_interval)),
                impact.map_or_else(dash, |i| p_value(i.p_value)),
                or_dash(equal.and_then(|i| i.ratio).map(figure)),
                equal.map_or_else(dash, |i| p_value(i.p_value)),
                g.conditional_parity.map_or_else(dash, |c| format!("{:.3} (p {})", c.odds_ratio, p_value(c.p_value))),
                share(g.bad_rate),
                share(g.mean_pd),
                if g.is_adverse { "adverse" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let head = [
        "group", "rows", "approved", "impact ratio", "p", "among goods", "p", "odds ratio, alike", "bad rate",
        "mean PD", "",
    ];
    let alike = report.condition.as_ref().map_or_else(String::new, |c| format!(", alike in {c}"));
    format!(
        "\nfairness over {}: approved up to a PD of {}, against {:?}{alike}; adverse means below four fifths and not by chance\n{}",
        report.column,
        share(report.cut_off_pd),
        report.reference,
        text_table(&head, &rows)
    )
}
