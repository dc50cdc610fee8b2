//! Which rules, and how strict: chosen on one period.
//!
//! Greedy: of all rules and thresholds, at the monitor file's or stricter, the one is added that flags most of the money not yet flagged, as long as the
//! precision of all together stays at or above what is asked for; ties go to the higher precision, then to the order of the file. Where no rule is
//! precise enough, the most precise one is taken by itself. What a rule lacks to the file's own threshold cannot be found out: an observation below it
//! raised no alert.

use serde::Serialize;

use super::judge::{Figures, Period, judge};
use super::panel::{Panel, PanelRule, Standing};

/// Precision that the chosen rules keep on the period on which they are chosen.
pub const LEAST_PRECISION: f64 = 0.3;
/// Fewer flags tell nothing of a rule's precision.
const LEAST_FLAGS: u64 = 5;
/// Thresholds tried for each rule: its own, and quantiles of how far beyond it observations were.
const TRIED: usize = 8;

/// A rule that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChosenRule {
    /// Its code.
    pub rule: String,
    /// The threshold to apply; null where the rule never fired.
    pub threshold: Option<f64>,
    /// How far that is beyond the monitor file's.
    pub beyond: f64,
    #[serde(skip)]
    pub(super) at: usize,
}

/// Whether a standing alert is one of the chosen rules', at its threshold.
#[must_use]
pub fn is_chosen(chosen: &[ChosenRule], standing: &Standing) -> bool {
    chosen.iter().any(|rule| rule.at == standing.rule && standing.beyond >= rule.beyond)
}

/// Every rule of the monitor file at the file's threshold.
#[must_use]
pub fn as_in_file(panel: &Panel) -> Vec<ChosenRule> {
    let rule = |(at, rule): (usize, &PanelRule)| ChosenRule {
        rule: rule.code.clone(),
        threshold: rule.threshold,
        beyond: 0.0,
        at,
    };
    panel.rules.iter().enumerate().filter(|(_, rule)| !rule.is_graded).map(rule).collect()
}

/// Chooses rules and thresholds on a period.
#[must_use]
pub fn choose(panel: &Panel, period: Period, every_days: u16, performance_days: u16) -> Vec<ChosenRule> {
    let candidates = candidates(panel, period);
    let figures = |chosen: &[ChosenRule]| {
        judge(panel, period, every_days, performance_days, |standing| is_chosen(chosen, standing))
    };
    let mut chosen: Vec<ChosenRule> = Vec::new();
    let mut best = Figures::default();
    loop {
        let mut step: Option<(Vec<ChosenRule>, Figures)> = None;
        for candidate in candidates.iter().filter(|c| chosen.iter().all(|r| r.at != c.at || c.beyond < r.beyond)) {
            let mut with: Vec<ChosenRule> = chosen.iter().filter(|r| r.at != candidate.at).cloned().collect();
            with.push(candidate.clone());
            let found = figures(&with);
            let is_precise = found.precision_share.is_some_and(|p| p >= LEAST_PRECISION);
            let bar = step.as_ref().map_or(&best, |(_, figures)| figures);
            let rank = |f: &Figures| (f.flagged_minor, f.right_flags * 1_000_000 / f.flags.max(1));
            if is_precise && found.flagged_minor > best.flagged_minor && rank(&found) > rank(bar) {
                step = Some((with, found));
            }
        }
        match step {
            Some((with, found)) => (chosen, best) = (with, found),
            None => break,
        }
    }
    if chosen.is_empty() {
        let precision = |f: &Figures| f.precision_share.filter(|_| f.flags >= LEAST_FLAGS && f.flagged_minor > 0);
        let judged = candidates.iter().map(|c| (c, figures(std::slice::from_ref(c))));
        let precise = judged.filter_map(|(c, f)| Some((c, precision(&f)?, f.flagged_minor)));
        // Of equally good ones the first of the file.
        let best = precise.reduce(|a, b| if (b.1, b.2) > (a.1, a.2) { b } else { a });
        chosen.extend(best.map(|(candidate, _, _)| candidate.clone()));
    }
    chosen.sort_by_key(|rule| rule.at);
    chosen
}

/// Each rule at its own threshold and at stricter ones.
fn candidates(panel: &Panel, period: Period) -> Vec<ChosenRule> {
    let mut all = Vec::new();
    for (at, rule) in panel.rules.iter().enumerate() {
        let nights = panel.merchants.values().flat_map(|series| series.standing.range(period.from..=period.to));
        let mut seen: Vec<f64> =
            nights.flat_map(|(_, standing)| standing).filter(|s| s.rule == at).map(|s| s.beyond).collect();
        seen.sort_by(f64::total_cmp);
        let mut tried = Vec::new();
        if rule.is_graded {
            // The worst half, quarter, eighth, … of all that it grades.
            tried.extend((1..=TRIED).rev().filter_map(|n| seen.get(seen.len() - (seen.len() >> n).max(1)).copied()));
        } else {
            tried.push(0.0);
            tried.extend((1..TRIED).filter_map(|n| seen.get(seen.len() * n / TRIED).copied()));
        }
        tried.dedup_by(|a, b| a.total_cmp(b).is_eq());
        all.extend(tried.into_iter().map(|beyond| {
            let threshold = rule.threshold.map(|t| if rule.is_lower_worse { t - beyond } else { t + beyond });
            ChosenRule { rule: rule.code.clone(), threshold, beyond, at }
        }));
    }
    all
}
