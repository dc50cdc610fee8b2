//! Which rules, and how strict: chosen on one period.
//!
//! What is looked for is the share of money of the bar, [`LEAST_MONEY_SHARE`], with the fewest flags: a lender needs the money found, and pays for every
//! flag with a call. Tried are all rules together, every rule and threshold by itself, at the monitor file's or stricter, and what comes of adding to one another
//! those that find most further money for a further flag. Of equally good ones the simplest, and the first of the file. What a rule lacks to the file's
//! own threshold cannot be found out: an observation below it raised no alert.

use std::cmp::Ordering;

use serde::Serialize;

use super::judge::{Figures, Period, judge};
use super::panel::{Panel, PanelRule, Standing};

/// Precision that flags should have.
pub const LEAST_PRECISION: f64 = 0.3;
/// Share of the money that later defaults which they should find early enough.
pub const LEAST_MONEY_SHARE: f64 = 0.7;
/// Thresholds tried for each rule: its own, and quantiles of how far beyond it observations were.
const TRIED: usize = 8;
/// Thresholds tried for what grades every borrower, each of which flags a quarter less than the one before.
const TRIED_GRADES: usize = 24;

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
    let mut best: (Vec<ChosenRule>, Figures) = Default::default();
    let mut keep = |chosen: &[ChosenRule], found: &Figures| {
        if better(found, &best.1).is_gt() {
            best = (chosen.to_vec(), found.clone());
        }
    };
    for candidate in &candidates {
        let alone = std::slice::from_ref(candidate);
        keep(alone, &figures(alone));
    }
    let all = as_in_file(panel);
    keep(&all, &figures(&all));
    let mut chosen: Vec<ChosenRule> = Vec::new();
    let mut so_far = Figures::default();
    while reached(&so_far) < LEAST_MONEY_SHARE {
        let mut step: Option<(Vec<ChosenRule>, Figures)> = None;
        for candidate in candidates.iter().filter(|c| chosen.iter().all(|r| r.at != c.at || c.beyond < r.beyond)) {
            let mut with: Vec<ChosenRule> = chosen.iter().filter(|r| r.at != candidate.at).cloned().collect();
            with.push(candidate.clone());
            let found = figures(&with);
            let finds = |f: &Figures| {
                let more = f.flagged_minor.saturating_sub(so_far.flagged_minor) as f64;
                more / f.flags.saturating_sub(so_far.flags).max(1) as f64
            };
            if finds(&found) > step.as_ref().map_or(0.0, |(_, figures)| finds(figures)) {
                step = Some((with, found));
            }
        }
        let Some((with, found)) = step else { break };
        keep(&with, &found);
        (chosen, so_far) = (with, found);
    }
    let mut chosen = best.0;
    chosen.sort_by_key(|rule| rule.at);
    chosen
}

/// Share of the money found, as far as it is asked for.
fn reached(figures: &Figures) -> f64 {
    figures.flagged_money_share.unwrap_or(0.0).min(LEAST_MONEY_SHARE)
}

/// Which is better: more of the money that is asked for, then fewer flags, then more money.
fn better(a: &Figures, b: &Figures) -> Ordering {
    let by_money = reached(a).total_cmp(&reached(b));
    by_money.then_with(|| b.flags.cmp(&a.flags)).then_with(|| a.flagged_minor.cmp(&b.flagged_minor))
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
            let flagged = std::iter::successors(Some(seen.len()), |n| Some((n * 3 / 4).max(1))).take(TRIED_GRADES);
            tried.extend(flagged.filter_map(|n| seen.get(seen.len().checked_sub(n)?).copied()));
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
