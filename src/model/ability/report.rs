//! How well an ability model does on merchants that it never saw, after all that it learnt from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fit::{AbilityGroup, ObservedReceipts};
use super::naive::{NaiveRule, best_factor, pinball};
use super::predict::{AbilityModel, HorizonModel};
use crate::model::validation::exact_interval;

/// What training tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbilityReport {
    /// Merchant snapshots that were fitted.
    pub fitted_rows: usize,
    /// Of other merchants, that calibrated.
    pub calibrated_rows: usize,
    /// Of yet other merchants, out of time, that judged.
    pub judged_rows: usize,
    /// The quantile by which is lent.
    pub quantile: f64,
    /// By horizon, the shortest first.
    pub horizons: Vec<HorizonReport>,
}

impl AbilityReport {
    /// The same without the figures by part.
    #[must_use]
    pub fn without_parts(mut self) -> Self {
        self.horizons.iter_mut().for_each(|horizon| horizon.parts.clear());
        self
    }

    /// Rules of thumb that were not beaten at the quantile by which is lent, with the horizon in days.
    #[must_use]
    pub fn not_beaten(&self) -> Vec<(u16, NaiveRule)> {
        let of = |h: &HorizonReport| {
            let lost = h.naive.iter().filter(|n| !n.is_beaten).map(|n| n.rule).collect::<Vec<_>>();
            lost.into_iter().map(|rule| (h.horizon_days, rule)).collect::<Vec<_>>()
        };
        self.horizons.iter().flat_map(of).collect()
    }
}

/// Figures over one horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HorizonReport {
    /// Days ahead.
    pub horizon_days: u16,
    /// By quantile.
    pub levels: Vec<LevelReport>,
    /// Rules of thumb, at the quantile by which is lent.
    pub naive: Vec<NaiveReport>,
    /// Coverage and loss by size, length of history and category, at the quantile by which is lent.
    pub parts: Vec<PartOfRows>,
    /// Why and by how much the figures by which is lent were lowered after they had been judged; null where they were not, and figures then come from rows
    /// that nothing was learnt from.
    #[serde(default)]
    pub lowered: Option<Lowered>,
}

/// A correction after judgement: more of what came in lay below the lower figures than chance explains.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lowered {
    /// Share that fell below before.
    pub share_below: f64,
    /// By which figures up to the quantile are multiplied: the judging rows' own quantile of what came in over what was foreseen.
    pub factor: f64,
}

/// One quantile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelReport {
    /// Share meant to fall below.
    pub level: f64,
    /// Share that fell below.
    pub share_below: f64,
    /// Pinball loss over what came in.
    pub loss_share: f64,
}

/// A rule of thumb, on the rows for which it says anything. Losses are pinball losses over what came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaiveReport {
    /// The rule.
    pub rule: NaiveRule,
    /// Rows for which it says anything.
    pub rows: usize,
    /// The model's loss on them.
    pub model_loss_share: f64,
    /// The rule's as it stands.
    pub as_it_stands: f64,
    /// The rule's, times the factor that suited the calibration rows best; null where it says nothing of them.
    pub with_calibrated_factor: Option<f64>,
    /// The rule's, times the factor that in hindsight suits the judging rows best: no foresight could have chosen better.
    pub with_factor_in_hindsight: f64,
    /// Whether the model lost less than the rule as it stands.
    pub is_beaten: bool,
    /// Whether it lost less than the rule with the calibrated factor; null where there is none. Where the right lower figure is nothing, as over a
    /// few days, the factor is 0 and both lose the same.
    pub is_beaten_with_factor: Option<bool>,
}

/// A part of the judging rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartOfRows {
    /// By what rows were parted: `size`, `history` or `category`.
    pub by: String,
    /// Which part.
    pub part: String,
    /// Rows.
    pub rows: usize,
    /// Share that fell below the figure by which is lent.
    pub share_below: f64,
    /// Pinball loss over what came in; null where nothing came in.
    pub loss_share: Option<f64>,
}

/// Certainty with which too many outcomes lie below before figures are lowered.
const CONFIDENCE: f64 = 0.98;
/// So many times the share that is meant may lie below: months move all merchants together, so that outcomes are fewer than rows.
const TOLERATED: f64 = 1.5;
/// Least factor by which figures are lowered.
const LEAST_FACTOR: f64 = 1e-6;

/// What the figures of a horizon by which is lent have to be multiplied with, where the rows that are for judging refute them; `None` where they stand.
pub(super) fn lowering(model: &AbilityModel, rows: &[&ObservedReceipts], at: usize, lent_by: usize) -> Option<Lowered> {
    let judged = judged(model, rows, at, model.horizons.get(at)?);
    let pairs: Vec<(f64, f64)> = judged.iter().map(|row| (row.seen, row.foreseen(lent_by))).collect();
    let below = pairs.iter().filter(|(seen, foreseen)| seen < foreseen).count() as u64;
    let [least, _] = exact_interval(below, pairs.len() as u64, CONFIDENCE);
    if pairs.is_empty() || least <= TOLERATED * model.quantile {
        return None;
    }
    let mut ratios: Vec<f64> =
        pairs.iter().filter(|(_, foreseen)| *foreseen > 0.0).map(|(seen, foreseen)| seen / foreseen).collect();
    ratios.sort_by(f64::total_cmp);
    // Rows of which nothing was foreseen cannot fall below: of all rows no more than the quantile may.
    let may_lie_below = model.quantile * pairs.len() as f64;
    let factor = ratios
        .iter()
        .enumerate()
        .find(|(below, _)| *below as f64 + 1.0 > may_lie_below)
        .map_or(1.0, |(_, ratio)| *ratio);
    Some(Lowered { share_below: share_below(&pairs), factor: factor.clamp(LEAST_FACTOR, 1.0) })
}

/// A judging row.
struct Judged<'a> {
    row: &'a ObservedReceipts,
    /// Mean month of the year.
    year: f64,
    seen: f64,
    amounts: Vec<f64>,
}

impl Judged<'_> {
    fn foreseen(&self, level: usize) -> f64 {
        self.amounts.get(level).copied().unwrap_or_default()
    }
}

/// The rows that are for judging, with what a model foresees of them over a horizon.
fn judged<'a>(
    model: &AbilityModel,
    rows: &[&'a ObservedReceipts],
    at: usize,
    horizon: &HorizonModel,
) -> Vec<Judged<'a>> {
    let judging = rows.iter().copied().filter(|row| row.group == AbilityGroup::Judge);
    let judged = judging.filter_map(|row| {
        let amounts = model.quantiles(&row.history, row.market(at), at, horizon);
        let [year, ..] = row.history.levels(model.within_reach(row.known_periods))?;
        Some(Judged { row, year, seen: row.after(at)?, amounts })
    });
    judged.collect()
}

/// Judges a model on the rows that are for judging. `lent_by` is the level by which is lent, among the model's.
pub(super) fn judge(
    model: &AbilityModel,
    rows: &[&ObservedReceipts],
    lent_by: usize,
    (fitted_rows, calibrated_rows): (usize, usize),
) -> AbilityReport {
    let of = |group: AbilityGroup| rows.iter().copied().filter(move |row| row.group == group);
    let horizons = model
        .horizons
        .iter()
        .enumerate()
        .map(|(at, horizon)| {
            let judged = judged(model, rows, at, horizon);
            let calibrating: Vec<&ObservedReceipts> = of(AbilityGroup::Calibrate).collect();
            over_horizon(horizon, at, (model.quantile, lent_by), &judged, &calibrating)
        })
        .collect();
    AbilityReport {
        fitted_rows,
        calibrated_rows,
        judged_rows: of(AbilityGroup::Judge).count(),
        quantile: model.quantile,
        horizons,
    }
}

fn over_horizon(
    horizon: &HorizonModel,
    at: usize,
    (quantile, lent_by): (f64, usize),
    judged: &[Judged<'_>],
    calibrating: &[&ObservedReceipts],
) -> HorizonReport {
    let levels = horizon.levels.iter().enumerate().map(|(n, level)| {
        let pairs: Vec<(f64, f64)> = judged.iter().map(|j| (j.seen, j.foreseen(n))).collect();
        LevelReport {
            level: level.level,
            share_below: share_below(&pairs),
            loss_share: loss_share(level.level, &pairs).unwrap_or_default(),
        }
    });
    let naive = NaiveRule::ALL.iter().filter_map(|&rule| {
        let says = |row: &ObservedReceipts| rule.foresee(&row.history, at, horizon.horizon_days);
        let known: Vec<(f64, f64, f64)> =
            judged.iter().filter_map(|j| Some((j.seen, j.foreseen(lent_by), says(j.row)?))).collect();
        let scaled = |factor: f64| {
            let pairs: Vec<(f64, f64)> = known.iter().map(|(seen, _, naive)| (*seen, factor * naive)).collect();
            loss_share(quantile, &pairs)
        };
        let ours: Vec<(f64, f64)> = known.iter().map(|(seen, ours, _)| (*seen, *ours)).collect();
        let theirs: Vec<(f64, f64)> = known.iter().map(|(seen, _, naive)| (*seen, *naive)).collect();
        let before: Vec<(f64, f64)> = calibrating.iter().filter_map(|row| Some((row.after(at)?, says(row)?))).collect();
        let (model_loss_share, as_it_stands) = (loss_share(quantile, &ours)?, scaled(1.0)?);
        let with_calibrated_factor = best_factor(quantile, &before).and_then(scaled);
        Some(NaiveReport {
            rule,
            rows: known.len(),
            model_loss_share,
            as_it_stands,
            with_calibrated_factor,
            with_factor_in_hindsight: best_factor(quantile, &theirs).and_then(scaled).unwrap_or(as_it_stands),
            is_beaten: model_loss_share < as_it_stands,
            is_beaten_with_factor: with_calibrated_factor.map(|loss| model_loss_share < loss),
        })
    });
    let (naive, levels) = (naive.collect(), levels.collect());
    let parts = parts(judged, lent_by, quantile);
    HorizonReport { horizon_days: horizon.horizon_days, levels, naive, parts, lowered: None }
}

fn parts(judged: &[Judged<'_>], lent_by: usize, quantile: f64) -> Vec<PartOfRows> {
    let mut sizes: Vec<f64> = judged.iter().map(|j| j.year).collect();
    sizes.sort_by(f64::total_cmp);
    let third = |n: usize| sizes.get(n * sizes.len() / 3).copied().unwrap_or(f64::INFINITY);
    let size = |j: &Judged<'_>| match j.year {
        y if y < third(1) => "1 small",
        y if y < third(2) => "2 middle",
        _ => "3 large",
    };
    let history = |j: &Judged<'_>| match j.row.history.history_days {
        0..90 => "1 below 90 days",
        90..270 => "2 below 270 days",
        270..540 => "3 below 540 days",
        _ => "4 540 days and more",
    };
    let mut found: BTreeMap<(&str, String), Vec<(f64, f64)>> = BTreeMap::new();
    for j in judged {
        let pair = (j.seen, j.foreseen(lent_by));
        for (by, part) in [
            ("size", size(j).to_owned()),
            ("history", history(j).to_owned()),
            ("category", j.row.history.category.clone()),
        ] {
            found.entry((by, part)).or_default().push(pair);
        }
    }
    found
        .into_iter()
        .map(|((by, part), pairs)| PartOfRows {
            by: by.to_owned(),
            part,
            rows: pairs.len(),
            share_below: share_below(&pairs),
            loss_share: loss_share(quantile, &pairs),
        })
        .collect()
}

/// Share of rows whose outcome fell below; pairs are (seen, foreseen).
fn share_below(pairs: &[(f64, f64)]) -> f64 {
    pairs.iter().filter(|(seen, foreseen)| seen < foreseen).count() as f64 / pairs.len().max(1) as f64
}

/// Sum of pinball losses over the sum of outcomes.
fn loss_share(level: f64, pairs: &[(f64, f64)]) -> Option<f64> {
    let seen: f64 = pairs.iter().map(|(seen, _)| seen).sum();
    let loss: f64 = pairs.iter().map(|(seen, foreseen)| pinball(level, *seen, *foreseen)).sum();
    (seen > 0.0).then(|| loss / seen)
}
