//! The study: one row per method and assumption, and the band they span.
//!
//! - *Accepted only*: the figures as they stand, silent about rejects.
//! - *Parcelling*: rejects are cut into the bands of score that accepted rows fall into; in each band their odds of being bad are the accepted rows' odds times a factor.
//! - *Fuzzy augmentation*: each reject counts as partly bad and partly good, by the PD that the accepted rows' calibration line gives it, its odds times a factor.
//! - *All good* and *all bad*: no assumption at all.
//!
//! A factor of 1 says that rejects are like accepted rows of the same score, which is what they were rejected for *not* being; no data can say which factor is
//! true. So the study reports the table, the band over the factors, and the bounds without assumption, and never one number.
//!
//! Bands that hold too few accepted rows take their rate from the calibration line, an extrapolation; the share of rejects there is reported.
//!
//! Source: Hand & Henley (1993), IMA Journal of Mathematics Applied in Business and Industry 5; Siddiqi (2017), Intelligent Credit Scoring, 2nd edition, chapter 8.

use crate::domain::elementary::ln;
use serde::{Deserialize, Serialize};

use super::auc_bounds::auc_bounds;
use super::error::RejectInferenceError;
use crate::domain::elementary::sigmoid;
use crate::model::validation::{
    CalibrationLine, PdBin, Ranked, Tie, ValidationError, auc, calibration_line, clamped_logit, equal_mass_bins,
    gini_of_auc, ks,
};

/// What is assumed about rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectMethod {
    /// Rejects are left out.
    AcceptedOnly,
    /// Accepted rows' odds of the same band, times a factor.
    Parcelling,
    /// The calibration line's odds of the same score, times a factor.
    FuzzyAugmentation,
    /// Every reject would have been good.
    AllGood,
    /// Every reject would have been bad.
    AllBad,
}

/// The study's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RejectSettings {
    /// Bands of score, 2 to 50.
    pub bands: usize,
    /// Factors on the odds of being bad, each a finite number above 0.
    pub odds_factors: Vec<f64>,
    /// Accepted rows below which a band's own rate is not trusted.
    pub least_band_rows: f64,
}

impl Default for RejectSettings {
    fn default() -> Self {
        Self { bands: 10, odds_factors: vec![1.0, 1.5, 2.0, 3.0, 5.0], least_band_rows: 30.0 }
    }
}

/// The figures under one assumption, over all who applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectScenario {
    /// The method.
    pub method: RejectMethod,
    /// The factor on the odds; null for methods without one.
    pub odds_factor: Option<f64>,
    /// Bad rate of rejects under the assumption; null where they are left out.
    pub reject_bad_rate: Option<f64>,
    /// Bad rate of all who applied (of the accepted, where rejects are left out).
    pub bad_rate: f64,
    /// AUC of the score; null with one outcome class.
    pub auc: Option<f64>,
    /// Gini of the score.
    pub gini: Option<f64>,
    /// Kolmogorov–Smirnov statistic of the score.
    pub ks: Option<f64>,
    /// Intercept of the calibration line, were it fitted to all.
    pub calibration_intercept: Option<f64>,
    /// Its slope.
    pub calibration_slope: Option<f64>,
}

/// From the least to the greatest value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Over the scenarios with a factor.
    pub assumed: [f64; 2],
    /// Without any assumption about rejects.
    pub possible: [f64; 2],
}

/// A sensitivity study of what rejects might have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectStudy {
    /// Accepted rows.
    pub accepted: u64,
    /// Rejected rows.
    pub rejected: u64,
    /// Share of rejects in bands with too few accepted rows: there the study extrapolates.
    pub extrapolated_share: f64,
    /// One row per method and factor.
    pub scenarios: Vec<RejectScenario>,
    /// Bad rate of rejects.
    pub reject_bad_rate: Band,
    /// Bad rate of all who applied.
    pub bad_rate: Band,
    /// AUC of the score over all who applied.
    pub auc: Band,
}

/// Studies what rejects might have done. `is_bad` and `accepted_pd` are columns of the accepted table, `rejected_pd` scores the rejects by the same model.
///
/// # Errors
/// Unusable columns or settings, no rejects, or accepted rows that give no calibration line.
pub fn study_rejects(
    is_bad: &[bool],
    accepted_pd: &[f64],
    rejected_pd: &[f64],
    settings: &RejectSettings,
) -> Result<RejectStudy, RejectInferenceError> {
    let accepted = Ranked::new(is_bad, accepted_pd)?;
    check(rejected_pd, settings)?;
    let no_evidence = |reason| RejectInferenceError::NoEvidence { reason };
    let line = calibration_line(accepted.ties()).map_err(no_evidence)?;
    let mut rejects = rejected_pd.to_vec();
    rejects.sort_unstable_by(f64::total_cmp);

    let bands = ScoreBands::new(&accepted, &rejects, &line, settings);
    let mut scenarios = vec![scenario(RejectMethod::AcceptedOnly, None, accepted.ties(), &[])];
    for factor in &settings.odds_factors {
        let parcelled: Vec<f64> = rejects.iter().map(|pd| with_odds(bands.rate(*pd), *factor)).collect();
        scenarios.push(judged(RejectMethod::Parcelling, Some(*factor), accepted.ties(), &rejects, &parcelled));
    }
    for factor in &settings.odds_factors {
        let fuzzy: Vec<f64> = rejects.iter().map(|pd| with_odds(line_pd(&line, *pd), *factor)).collect();
        scenarios.push(judged(RejectMethod::FuzzyAugmentation, Some(*factor), accepted.ties(), &rejects, &fuzzy));
    }
    for (method, rate) in [(RejectMethod::AllGood, 0.0), (RejectMethod::AllBad, 1.0)] {
        let all = vec![rate; rejects.len()];
        scenarios.push(judged(method, None, accepted.ties(), &rejects, &all));
    }

    let possible_auc = auc_bounds(accepted.ties(), &rejects).map_err(no_evidence)?;
    let assumed = |figure: fn(&RejectScenario) -> Option<f64>| {
        scenarios
            .iter()
            .filter(|s| s.odds_factor.is_some())
            .filter_map(figure)
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
    };
    let (rows, bads) = (accepted.rows() as f64, accepted.bad_rows() as f64);
    let all = rows + rejects.len() as f64;
    let reject_bad_rate = Band { assumed: assumed(|s| s.reject_bad_rate), possible: [0.0, 1.0] };
    let bad_rate =
        Band { assumed: assumed(|s| Some(s.bad_rate)), possible: [bads / all, (bads + rejects.len() as f64) / all] };
    let auc = Band { assumed: assumed(|s| s.auc), possible: possible_auc };
    Ok(RejectStudy {
        accepted: accepted.rows(),
        rejected: rejects.len() as u64,
        extrapolated_share: bands.extrapolated_share(&rejects),
        scenarios,
        reject_bad_rate,
        bad_rate,
        auc,
    })
}

fn check(rejected_pd: &[f64], settings: &RejectSettings) -> Result<(), RejectInferenceError> {
    if rejected_pd.is_empty() {
        return Err(RejectInferenceError::NoRejects);
    }
    if let Some((row, value)) = rejected_pd.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(ValidationError::NotAProbability { row, value: *value }.into());
    }
    let bad = |setting, value, allowed| Err(ValidationError::BadSetting { setting, value, allowed }.into());
    if !(2..=50).contains(&settings.bands) {
        return bad("bands", settings.bands as f64, "2 to 50");
    }
    if settings.odds_factors.len() < 2 {
        let count = settings.odds_factors.len() as f64;
        return bad("the number of odds factors", count, "at least 2: one assumption is not a study");
    }
    if let Some(value) = settings.odds_factors.iter().find(|f| !(f.is_finite() && **f > 0.0)) {
        return bad("an odds factor", *value, "a finite number above 0");
    }
    if !(settings.least_band_rows.is_finite() && settings.least_band_rows >= 1.0) {
        return bad("least_band_rows", settings.least_band_rows, "a finite number from 1");
    }
    Ok(())
}

/// A bad rate whose odds are multiplied.
fn with_odds(rate: f64, factor: f64) -> f64 {
    sigmoid(clamped_logit(rate) + ln(factor))
}

fn line_pd(line: &CalibrationLine, pd: f64) -> f64 {
    sigmoid(line.intercept + line.slope * clamped_logit(pd))
}

/// Bands over accepted and rejected scores together, with the accepted rows' bad rate where there are enough of them.
struct ScoreBands<'a> {
    bands: Vec<PdBin>,
    rates: Vec<Option<f64>>,
    line: &'a CalibrationLine,
}

impl<'a> ScoreBands<'a> {
    fn new(accepted: &Ranked, rejects: &[f64], line: &'a CalibrationLine, settings: &RejectSettings) -> Self {
        let everybody = merged(accepted.ties(), rejects, None);
        let bands = equal_mass_bins(&everybody, settings.bands);
        let mut counts = vec![(0.0, 0.0); bands.len()];
        for tie in accepted.ties() {
            if let Some((good, bad)) = counts.get_mut(band_of(&bands, tie.pd)) {
                *good += tie.good;
                *bad += tie.bad;
            }
        }
        // Half a row on either side keeps a band without bads from claiming none.
        let rate = |(good, bad): (f64, f64)| {
            (good + bad >= settings.least_band_rows).then(|| (bad + 0.5) / (good + bad + 1.0))
        };
        Self { bands, rates: counts.into_iter().map(rate).collect(), line }
    }

    fn own_rate(&self, pd: f64) -> Option<f64> {
        self.rates.get(band_of(&self.bands, pd)).copied().flatten()
    }

    fn rate(&self, pd: f64) -> f64 {
        self.own_rate(pd).unwrap_or_else(|| line_pd(self.line, pd))
    }

    fn extrapolated_share(&self, rejects: &[f64]) -> f64 {
        rejects.iter().filter(|pd| self.own_rate(**pd).is_none()).count() as f64 / rejects.len() as f64
    }
}

fn band_of(bands: &[PdBin], pd: f64) -> usize {
    bands.partition_point(|band| band.max_pd < pd)
}

/// Accepted ties and ascending rejects as one ascending list; each reject is bad by its share (good where none is given).
fn merged(accepted: &[Tie], rejects: &[f64], bad_shares: Option<&[f64]>) -> Vec<Tie> {
    let mut ties: Vec<Tie> = accepted.to_vec();
    for (i, pd) in rejects.iter().enumerate() {
        let bad = bad_shares.and_then(|shares| shares.get(i)).copied().unwrap_or(0.0);
        ties.push(Tie { pd: *pd, good: 1.0 - bad, bad });
    }
    ties.sort_by(|a, b| a.pd.total_cmp(&b.pd));
    let mut whole: Vec<Tie> = Vec::with_capacity(ties.len());
    for tie in ties {
        match whole.last_mut() {
            Some(last) if last.pd.to_bits() == tie.pd.to_bits() => {
                last.good += tie.good;
                last.bad += tie.bad;
            }
            _ => whole.push(tie),
        }
    }
    whole
}

fn judged(
    method: RejectMethod,
    odds_factor: Option<f64>,
    accepted: &[Tie],
    rejects: &[f64],
    bad_shares: &[f64],
) -> RejectScenario {
    scenario(method, odds_factor, &merged(accepted, rejects, Some(bad_shares)), bad_shares)
}

fn scenario(method: RejectMethod, odds_factor: Option<f64>, ties: &[Tie], bad_shares: &[f64]) -> RejectScenario {
    let (good, bad) = ties.iter().fold((0.0, 0.0), |(g, b), tie| (g + tie.good, b + tie.bad));
    let auc = auc(ties).ok();
    let line = calibration_line(ties).ok();
    RejectScenario {
        method,
        odds_factor,
        reject_bad_rate: (!bad_shares.is_empty()).then(|| bad_shares.iter().sum::<f64>() / bad_shares.len() as f64),
        bad_rate: bad / (good + bad),
        auc,
        gini: auc.map(gini_of_auc),
        ks: ks(ties).ok().map(|k| k.ks),
        calibration_intercept: line.map(|l| l.intercept),
        calibration_slope: line.map(|l| l.slope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::elementary::exp;
    use crate::model::validation::fixture::{PD, assert_close, is_bad};

    const REJECTED: [f64; 6] = [0.4, 0.55, 0.6, 0.7, 0.8, 0.9];

    fn settings() -> RejectSettings {
        RejectSettings { bands: 4, least_band_rows: 5.0, ..RejectSettings::default() }
    }

    fn study() -> RejectStudy {
        study_rejects(&is_bad(), &PD, &REJECTED, &settings()).unwrap()
    }

    fn rates(method: RejectMethod) -> Vec<f64> {
        study().scenarios.iter().filter(|s| s.method == method).filter_map(|s| s.reject_bad_rate).collect()
    }

    #[test]
    fn never_one_number() {
        let found = study();
        assert_eq!(found.scenarios.len(), 1 + 5 + 5 + 2);
        assert_eq!((found.accepted, found.rejected), (40, 6));
        for band in [found.reject_bad_rate, found.bad_rate, found.auc] {
            assert!(band.possible[0] <= band.assumed[0] && band.assumed[0] < band.assumed[1], "{band:?}");
            assert!(band.assumed[1] <= band.possible[1], "{band:?}");
        }
        let one = RejectSettings { odds_factors: vec![2.0], ..settings() };
        assert!(study_rejects(&is_bad(), &PD, &REJECTED, &one).is_err());
    }

    #[test]
    fn a_greater_factor_means_worse_rejects() {
        for method in [RejectMethod::Parcelling, RejectMethod::FuzzyAugmentation] {
            assert!(rates(method).is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn fuzzy_augmentation_by_hand() {
        // Line of the fixture by statsmodels 0.15.0: intercept .01002076436418056, slope .7948458514814418; factor 2.
        let expected: f64 = REJECTED
            .iter()
            .map(|pd: &f64| {
                let odds = 2.0 * exp(0.010_020_764_364_180_56 + 0.794_845_851_481_441_8 * ln(pd / (1.0 - pd)));
                odds / (1.0 + odds)
            })
            .sum::<f64>()
            / 6.0;
        assert_close(rates(RejectMethod::FuzzyAugmentation)[2], expected, 1e-9);
    }

    #[test]
    fn parcelling_by_hand() {
        // Two bands over all 46 rows: the upper one holds every reject and the accepted rows above .31.
        let two = RejectSettings { bands: 2, least_band_rows: 5.0, ..RejectSettings::default() };
        let found = study_rejects(&is_bad(), &PD, &REJECTED, &two).unwrap();
        assert_close(found.extrapolated_share, 0.0, 0.0);
        let upper = PD.iter().zip(is_bad()).filter(|(pd, _)| **pd > 0.31);
        let (rows, bads) = upper.fold((0.0, 0.0), |(n, b), (_, bad)| (n + 1.0, b + f64::from(u8::from(bad))));
        let odds = 3.0 * ((bads + 0.5) / (rows + 1.0)) / (1.0 - (bads + 0.5) / (rows + 1.0));
        let at_three = found.scenarios.iter().find(|s| s.odds_factor == Some(3.0)).unwrap();
        assert_close(at_three.reject_bad_rate.unwrap(), odds / (1.0 + odds), 1e-12);
    }

    #[test]
    fn rejects_beyond_the_accepted_are_called_extrapolated() {
        let strict = RejectSettings { least_band_rows: 1000.0, ..settings() };
        let found = study_rejects(&is_bad(), &PD, &REJECTED, &strict).unwrap();
        assert_close(found.extrapolated_share, 1.0, 0.0);
        let by = |method| found.scenarios.iter().filter(move |s| s.method == method).map(|s| s.reject_bad_rate);
        assert!(by(RejectMethod::Parcelling).eq(by(RejectMethod::FuzzyAugmentation)));
    }

    #[test]
    fn extremes_and_order() {
        let found = study();
        let all_bad = found.scenarios.iter().find(|s| s.method == RejectMethod::AllBad).unwrap();
        assert_close(all_bad.bad_rate, 19.0 / 46.0, 1e-12);
        assert_close(found.bad_rate.possible[1], 19.0 / 46.0, 1e-12);
        let mut turned = REJECTED;
        turned.reverse();
        assert_eq!(study_rejects(&is_bad(), &PD, &turned, &settings()).unwrap(), found);
    }

    #[test]
    fn bad_requests_are_refused() {
        let run = |bad: &[bool], pd: &[f64], rejected: &[f64]| study_rejects(bad, pd, rejected, &settings());
        assert_eq!(run(&is_bad(), &PD, &[]), Err(RejectInferenceError::NoRejects));
        assert!(matches!(run(&is_bad(), &PD, &[f64::NAN]), Err(RejectInferenceError::Sample(_))));
        assert!(matches!(run(&[false; 40], &PD, &[0.5]), Err(RejectInferenceError::NoEvidence { .. })));
    }
}
