//! How far tonight is from the model's training, from its first night and from the night before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::decide::Decided;
use super::open_offers::{read_drift_before, read_drift_bins_before};
use super::summary::RunSummary;
use crate::model::binning::Bins;
use crate::model::registry::Bundle;
use crate::model::validation::Decile;
use crate::model::{ModelError, TrainReport};
use crate::monitor::{DriftBin, DriftLine, NightFigures};
use crate::publish::{PreviousRun, PublishError};
use crate::run::decision_gates::GateError;
use crate::run::error::RunError;
use crate::run::gate_settings::Fault;
use crate::run::rules::JobRules;
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

    /// The model's variables, each with tonight's merchants by bin; of several of one name the first.
    fn variables<'a>(&'a self, bundle: &'a Bundle) -> impl Iterator<Item = (&'a Bins, &'a Vec<u64>)> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let all = bundle.scorecard.variables.iter().map(|variable| &variable.bins).zip(&self.bins);
        all.filter(move |(bins, _)| seen.insert(&bins.name))
    }

    /// Tonight's rows; none where nobody was scored. `trained` are the tenths of the training rows, `by_bin` what [`Self::by_bin`] gives.
    fn lines(
        &self,
        bundle: &Bundle,
        as_of: Date,
        trained: &[Decile],
        by_bin: &[DriftBin],
    ) -> Result<Vec<DriftLine>, ModelError> {
        if self.pds.is_empty() {
            return Ok(Vec::new());
        }
        let Drift { score, characteristics, .. } =
            training_drift(&bundle.scorecard, Some(trained), &self.pds, &self.bins)?;
        let rows = i64::try_from(self.pds.len()).unwrap_or(i64::MAX);
        let first = SinceFirstNight::of(by_bin, None, as_of);
        let mut lines = vec![DriftLine {
            night_on: as_of,
            variable: None,
            model_version: bundle.id(),
            reference_rows: signed(trained.iter().map(|decile| decile.rows).sum()),
            rows,
            index: score.as_ref().map(|found| found.index),
            critical: score.as_ref().map(|found| found.critical_99),
            reference_missing_share: None,
            missing_share: None,
            score_shift: None,
            first_night_on: first.on,
            first_night_index: first.index,
            first_night_critical: first.critical,
        }];
        for (bins, counts) in self.variables(bundle) {
            let found = characteristics.iter().find(|found| found.variable == bins.name);
            let reference: f64 = bins.bins.iter().map(|bin| bin.rows).sum();
            let missing = bins.bins.get(bins.missing).map_or(0.0, |bin| bin.rows);
            let first = SinceFirstNight::of(by_bin, Some(&bins.name), as_of);
            lines.push(DriftLine {
                night_on: as_of,
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
                first_night_on: first.on,
                first_night_index: first.index,
                first_night_critical: first.critical,
            });
        }
        Ok(lines)
    }

    /// Tonight's merchants by bin, beside those of the model's first night: tonight, unless the night before knows of an earlier one.
    fn by_bin(&self, bundle: &Bundle, as_of: Date, trained: &[Decile], before: &[DriftBin]) -> Vec<DriftBin> {
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
        let tenths = score_bins(trained, &self.pds).into_iter();
        let mut all = counted(None, tenths.map(|(label, reference, rows)| (label, signed(reference), rows)).collect());
        for (bins, counts) in self.variables(bundle) {
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

/// How far tonight is from the model's first night.
struct SinceFirstNight {
    on: Option<Date>,
    index: Option<f64>,
    critical: Option<f64>,
}

impl SinceFirstNight {
    /// Of a variable, or of the score.
    fn of(bins: &[DriftBin], variable: Option<&str>, tonight: Date) -> Self {
        let own = || bins.iter().filter(|bin| bin.variable.as_deref() == variable);
        let on = own().next().map(|bin| bin.first_night_on);
        let counts = own()
            .filter(|bin| bin.first_night_on != tonight)
            .map(|bin| (bin.label.clone(), bin.first_night_rows.unsigned_abs(), bin.rows.unsigned_abs()));
        let found = stability(&counts.collect::<Vec<_>>()).ok().and_then(Result::ok);
        Self {
            on,
            index: found.as_ref().map(|found| found.index),
            critical: found.as_ref().map(|found| found.critical_99),
        }
    }
}

/// The rows of `drift`, those of the nights before among them, and those of `drift_bins`, once tonight is within the limits of the night before or the monitor
/// file allows what is beyond them, which the summary then says.
///
/// # Errors
/// The night before cannot be read, or tonight differs too much from it.
pub fn drift_report(
    counts: &DriftCounts,
    bundle: &Bundle,
    previous: Option<&PreviousRun>,
    summary: &mut RunSummary,
    rules: &JobRules,
) -> Result<(Vec<DriftLine>, Vec<DriftBin>), RunError> {
    let report: Option<TrainReport> = serde_json::from_value(bundle.validation.clone()).ok();
    let trained = report.map_or_else(Vec::new, |report| report.train.deciles);
    let bins = counts.by_bin(bundle, summary.as_of, &trained, &read_drift_bins_before(previous)?);
    let mut lines = counts.lines(bundle, summary.as_of, &trained, &bins)?;
    let history = read_drift_before(previous)?;
    if let Some(previous) = previous {
        let before: Vec<DriftLine> = history.iter().filter(|line| line.night_on == previous.as_of).cloned().collect();
        let mut figures = figures(previous, summary)?;
        let is_absent = |table: &str| {
            let mut allowed = summary.intake.allowed.iter();
            allowed.any(|allowed| allowed.finding.what == Fault::Absent && allowed.finding.table == table)
        };
        let variables = lines.iter().filter_map(|line| line.variable.as_deref());
        let resting_on_absent =
            variables.filter(|name| rules.features.tables_of(name).into_iter().any(is_absent)).map(str::to_owned);
        figures.may_be_missing = resting_on_absent.collect();
        let verdict = rules.monitor.drift.judge(summary.as_of, &before, &lines, &figures);
        if !verdict.faults.is_empty() {
            return Err(GateError::Drift(verdict.faults).into());
        }
        summary.jumps_allowed = verdict.allowed;
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
    Ok(NightFigures {
        bands,
        offered: Some((before.all_offers().limit_minor, tonight.all_offers().limit_minor)),
        may_be_missing: BTreeSet::new(),
    })
}
