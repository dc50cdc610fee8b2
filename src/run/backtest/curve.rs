//! What is found against what it costs: every operating point of the hazard model, the rules and both, over the judged period.
//!
//! Rules have no common threshold. Their curve takes them one after the other in the order of their precision where thresholds are chosen.

use std::cmp::Ordering;

use serde::Serialize;

use super::judge::{Figures, Period, judge};
use super::panel::{Panel, Standing};
use super::plan::Plan;

/// What flags borrowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::enum_variant_names, reason = "they are the words of the report")]
pub enum Flagged {
    /// Money at risk by the hazard model.
    ByHazard,
    /// The most precise rules, one more at every point.
    ByRules,
    /// Money at risk by the hazard model, on nights on which a rule stands as well.
    ByBoth,
    /// What is owed, without any model.
    ByOwed,
}

impl Flagged {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::ByHazard, Self::ByBoth, Self::ByRules, Self::ByOwed];

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ByHazard => "money at risk",
            Self::ByRules => "most precise rules",
            Self::ByBoth => "money at risk, and a rule",
            Self::ByOwed => "owed",
        }
    }
}

/// A point of a curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// What flags.
    pub flagged: Flagged,
    /// From how much on, minor units; null for rules.
    pub from_minor: Option<f64>,
    /// Rules that flag; 0 where none has to.
    pub rules: usize,
    /// What comes of it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Shares of the nights of borrowers at risk that are flagged at the points of a curve.
const SHARES: [f64; 11] = [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0];

/// The points along grades, gravest first.
pub fn along(
    flagged: Flagged,
    panel: &Panel,
    plan: &Plan,
    grades: &[f64],
    counts: impl Fn(&[Standing], f64) -> bool,
) -> Vec<CurvePoint> {
    let mut tried: Vec<f64> = SHARES.iter().filter_map(|share| worst(grades, *share)).collect();
    tried.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let point = |from: f64| CurvePoint {
        flagged,
        from_minor: Some(from),
        rules: 0,
        figures: of_nights(panel, plan.judged, plan, |standing| counts(standing, from)),
    };
    tried.into_iter().map(point).collect()
}

/// The points along the rules but `graded`.
pub fn along_rules(panel: &Panel, plan: &Plan, graded: usize) -> Vec<CurvePoint> {
    let Some(choosing) = plan.choosing else { return Vec::new() };
    let alone = |at: usize| judge(panel, choosing, plan.every_days, plan.performance_days, |s| s.rule == at);
    let rules = (0..panel.rules.len()).filter(|at| *at != graded);
    let mut ranked: Vec<(usize, Figures)> =
        rules.map(|at| (at, alone(at))).filter(|(_, figures)| figures.flags > 0).collect();
    // a ÷ b against c ÷ d in whole numbers; of equally precise ones the one that raises fewer flags.
    let precision = |a: &Figures, b: &Figures| -> Ordering {
        let (left, right) = (u128::from(a.right_flags), u128::from(b.right_flags));
        (right * u128::from(a.flags)).cmp(&(left * u128::from(b.flags))).then_with(|| a.flags.cmp(&b.flags))
    };
    ranked.sort_by(|a, b| precision(&a.1, &b.1).then_with(|| a.0.cmp(&b.0)));
    let order: Vec<usize> = ranked.into_iter().map(|(at, _)| at).collect();
    let point = |rules: usize| {
        let taken = order.get(..rules).unwrap_or_default();
        let by_taken = |standing: &[Standing]| standing.iter().any(|s| taken.contains(&s.rule));
        CurvePoint {
            flagged: Flagged::ByRules,
            from_minor: None,
            rules,
            figures: of_nights(panel, plan.judged, plan, by_taken),
        }
    };
    (1..=order.len()).map(point).collect()
}

/// Figures where a borrower is flagged by all that stands on a night.
fn of_nights(panel: &Panel, period: Period, plan: &Plan, counts: impl Fn(&[Standing]) -> bool) -> Figures {
    let mut panel = panel.clone();
    for series in panel.merchants.values_mut() {
        series.standing.retain(|_, standing| counts(standing));
    }
    judge(&panel, period, plan.every_days, plan.performance_days, |_| true)
}

/// The grade from which a share of all is graver or as grave.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
pub fn worst(grades: &[f64], share: f64) -> Option<f64> {
    grades.get(((grades.len() as f64 * share) as usize).max(1) - 1).copied()
}
