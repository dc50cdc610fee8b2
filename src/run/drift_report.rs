//! How far tonight is from the model's training and from the night before.

use jiff::civil::Date;

use super::decide::Decided;
use super::error::RunError;
use super::gates::GateError;
use super::open_offers::read_drift_before;
use super::summary::RunSummary;
use crate::model::registry::Bundle;
use crate::model::validation::Decile;
use crate::model::{ModelError, TrainReport};
use crate::monitor::{DriftLimits, DriftLine, NightFigures};
use crate::publish::{PreviousRun, PublishError};
use crate::workbench::validation::{Drift, stability, training_drift};

/// What is counted of shards, in any order.
#[derive(Debug, Default)]
pub struct DriftCounts {
    pds: Vec<f64>,
    /// Merchants in each bin of each variable of the model.
    bins: Vec<Vec<u64>>,
}

impl DriftCounts {
    /// Adds a shard.
    pub fn add(&mut self, shard: &Decided) {
        self.pds.extend(shard.scores.iter().filter_map(|score| score.pd_prob));
        if self.bins.is_empty() {
            self.bins.clone_from(&shard.bin_counts);
            return;
        }
        for (all, part) in self.bins.iter_mut().zip(&shard.bin_counts) {
            all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
        }
    }

    /// Tonight's rows; none where nobody was scored.
    fn lines(&self, bundle: &Bundle, as_of: Date) -> Result<Vec<DriftLine>, ModelError> {
        if self.pds.is_empty() {
            return Ok(Vec::new());
        }
        let report: Option<TrainReport> = serde_json::from_value(bundle.validation.clone()).ok();
        let deciles: Option<&[Decile]> = report.as_ref().map(|report| report.train.deciles.as_slice());
        let Drift { score, characteristics, .. } = training_drift(&bundle.scorecard, deciles, &self.pds, &self.bins)?;
        let rows = i64::try_from(self.pds.len()).unwrap_or(i64::MAX);
        let trained = deciles.unwrap_or_default().iter().map(|decile| decile.rows).sum::<u64>();
        let mut lines = vec![DriftLine {
            as_of,
            variable: None,
            model_version: bundle.id(),
            reference_rows: i64::try_from(trained).unwrap_or(i64::MAX),
            rows,
            index: score.as_ref().map(|found| found.index),
            critical: score.as_ref().map(|found| found.critical_99),
            reference_missing_share: None,
            missing_share: None,
            score_shift: None,
        }];
        for (variable, counts) in bundle.scorecard.variables.iter().zip(&self.bins) {
            let bins = &variable.bins;
            if lines.iter().any(|line| line.variable.as_ref() == Some(&bins.name)) {
                continue;
            }
            let found = characteristics.iter().find(|found| found.variable == bins.name);
            let reference: f64 = bins.bins.iter().map(|bin| bin.rows).sum();
            let missing = bins.bins.get(bins.missing).map_or(0.0, |bin| bin.rows);
            lines.push(DriftLine {
                as_of,
                variable: Some(bins.name.clone()),
                model_version: bundle.id(),
                #[expect(clippy::cast_possible_truncation, reason = "training rows are far fewer than 2^53")]
                reference_rows: reference.round() as i64,
                rows,
                index: found.map(|found| found.stability.index),
                critical: found.map(|found| found.stability.critical_99),
                reference_missing_share: (reference > 0.0).then(|| missing / reference),
                missing_share: counts.get(bins.missing).map(|missing| *missing as f64 / self.pds.len() as f64),
                score_shift: found.map(|found| found.score_shift),
            });
        }
        Ok(lines)
    }
}

/// The rows of `drift`, those of the nights before among them, once tonight is within the `limits` of the night before.
///
/// # Errors
/// The night before cannot be read, or tonight differs too much from it.
pub fn drift_report(
    counts: &DriftCounts,
    bundle: &Bundle,
    previous: Option<&PreviousRun>,
    summary: &RunSummary,
    limits: &DriftLimits,
) -> Result<Vec<DriftLine>, RunError> {
    let mut lines = counts.lines(bundle, summary.as_of)?;
    let history = read_drift_before(previous)?;
    if let Some(previous) = previous {
        let before: Vec<DriftLine> = history.iter().filter(|line| line.as_of == previous.as_of).cloned().collect();
        let figures = figures(previous, summary)?;
        limits.judge(&before, &lines, &figures).map_err(|fault| GateError::Drift(Box::new(fault)))?;
    }
    lines.extend(history);
    Ok(lines)
}

/// Bands and offers of the night before and of tonight.
fn figures(previous: &PreviousRun, tonight: &RunSummary) -> Result<NightFigures, PublishError> {
    let Some(before) = previous.json::<RunSummary>("results.json")? else { return Ok(NightFigures::default()) };
    let names: std::collections::BTreeSet<&String> = before.bands.keys().chain(tonight.bands.keys()).collect();
    let of = |summary: &RunSummary, name: &str| summary.bands.get(name).copied().unwrap_or(0);
    let bins: Vec<(String, u64, u64)> =
        names.into_iter().map(|name| (name.clone(), of(&before, name), of(tonight, name))).collect();
    let bands = stability(&bins).ok().and_then(Result::ok).map(|found| (found.index, found.critical_99));
    Ok(NightFigures { bands, offered: Some((before.all_offers().limit_minor, tonight.all_offers().limit_minor)) })
}
