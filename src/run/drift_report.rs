//! How far tonight is from the model's training, from its first night and from the night before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::decide::Decided;
use super::error::RunError;
use super::gates::GateError;
use super::open_offers::{read_drift_before, read_drift_bins_before};
use super::summary::RunSummary;
use crate::model::registry::Bundle;
use crate::model::validation::Decile;
use crate::model::{ModelError, TrainReport};
use crate::monitor::{DriftBin, DriftLimits, DriftLine, NightFigures};
use crate::publish::{PreviousRun, PublishError};
use crate::workbench::validation::{Drift, score_bins, stability, training_drift};

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
            first_night_on: None,
            first_night_index: None,
            first_night_critical: None,
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
                first_night_on: None,
                first_night_index: None,
                first_night_critical: None,
            });
        }
        Ok(lines)
    }

    /// Tonight's merchants by bin, beside those of the model's first night: tonight, unless the night before knows of an earlier one.
    fn by_bin(&self, bundle: &Bundle, as_of: Date, before: &[DriftBin]) -> Vec<DriftBin> {
        if self.pds.is_empty() {
            return Vec::new();
        }
        let model_version = bundle.id();
        let first: BTreeMap<(Option<&str>, i32), &DriftBin> = before
            .iter()
            .filter(|bin| bin.model_version == model_version)
            .map(|bin| ((bin.variable.as_deref(), bin.bin), bin))
            .collect();
        let counted = |variable: Option<&str>, bins: Vec<(String, i64, u64)>| -> Vec<DriftBin> {
            let bin = |(at, (label, reference_rows, rows)): (i32, (String, i64, u64))| {
                let first = first.get(&(variable, at));
                DriftBin {
                    variable: variable.map(str::to_owned),
                    bin: at,
                    label,
                    model_version: model_version.clone(),
                    reference_rows,
                    first_night_on: first.map_or(as_of, |bin| bin.first_night_on),
                    first_night_rows: first.map_or(signed(rows), |bin| bin.first_night_rows),
                    rows: signed(rows),
                }
            };
            (0..).zip(bins).map(bin).collect()
        };
        let report: Option<TrainReport> = serde_json::from_value(bundle.validation.clone()).ok();
        let tenths = report.map_or_else(Vec::new, |report| score_bins(&report.train.deciles, &self.pds));
        let tenths = tenths.into_iter().map(|(label, reference, rows)| (label, signed(reference), rows));
        let mut all = counted(None, tenths.collect());
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (variable, counts) in bundle.scorecard.variables.iter().zip(&self.bins) {
            let bins = &variable.bins;
            if !seen.insert(&bins.name) {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "training rows are far fewer than 2^53")]
            let own =
                bins.bins.iter().zip(counts).map(|(bin, rows)| (bin.label.clone(), bin.rows.round() as i64, *rows));
            all.extend(counted(Some(&bins.name), own.collect()));
        }
        all
    }
}

fn signed(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Writes into each line how far its variable, or the score, is from the model's first night.
fn compare_with_first_night(lines: &mut [DriftLine], bins: &[DriftBin], tonight: Date) {
    for line in lines {
        let own: Vec<&DriftBin> = bins.iter().filter(|bin| bin.variable == line.variable).collect();
        line.first_night_on = own.first().map(|bin| bin.first_night_on);
        if line.first_night_on == Some(tonight) {
            continue;
        }
        let counts: Vec<(String, u64, u64)> = own
            .iter()
            .map(|bin| (bin.label.clone(), bin.first_night_rows.unsigned_abs(), bin.rows.unsigned_abs()))
            .collect();
        let found = stability(&counts).ok().and_then(Result::ok);
        line.first_night_index = found.as_ref().map(|found| found.index);
        line.first_night_critical = found.as_ref().map(|found| found.critical_99);
    }
}

/// The rows of `drift`, those of the nights before among them, and those of `drift_bins`, once tonight is within the `limits` of the night before.
///
/// # Errors
/// The night before cannot be read, or tonight differs too much from it.
pub fn drift_report(
    counts: &DriftCounts,
    bundle: &Bundle,
    previous: Option<&PreviousRun>,
    summary: &RunSummary,
    limits: &DriftLimits,
) -> Result<(Vec<DriftLine>, Vec<DriftBin>), RunError> {
    let mut lines = counts.lines(bundle, summary.as_of)?;
    let bins = counts.by_bin(bundle, summary.as_of, &read_drift_bins_before(previous)?);
    compare_with_first_night(&mut lines, &bins, summary.as_of);
    let history = read_drift_before(previous)?;
    if let Some(previous) = previous {
        let before: Vec<DriftLine> = history.iter().filter(|line| line.as_of == previous.as_of).cloned().collect();
        let figures = figures(previous, summary)?;
        limits.judge(&before, &lines, &figures).map_err(|fault| GateError::Drift(Box::new(fault)))?;
    }
    lines.extend(history);
    Ok((lines, bins))
}

/// Bands and offers of the night before and of tonight.
fn figures(previous: &PreviousRun, tonight: &RunSummary) -> Result<NightFigures, PublishError> {
    let Some(before) = previous.json::<RunSummary>("results.json")? else { return Ok(NightFigures::default()) };
    let names: BTreeSet<&String> = before.bands.keys().chain(tonight.bands.keys()).collect();
    let of = |summary: &RunSummary, name: &str| summary.bands.get(name).copied().unwrap_or(0);
    let bins: Vec<(String, u64, u64)> =
        names.into_iter().map(|name| (name.clone(), of(&before, name), of(tonight, name))).collect();
    let bands = stability(&bins).ok().and_then(Result::ok).map(|found| (found.index, found.critical_99));
    Ok(NightFigures { bands, offered: Some((before.all_offers().limit_minor, tonight.all_offers().limit_minor)) })
}
