//! The validation report: every figure with its interval, and the reason where there is none.

use serde::{Deserialize, Serialize};

use super::auc::{auc, gini_of_auc};
use super::bins::equal_mass_bins;
use super::bootstrap::{BootstrapIntervals, bootstrap};
use super::brier::{BrierParts, brier, brier_parts};
use super::calibration_line::{calibration_in_the_large, calibration_line};
use super::deciles::{Decile, deciles};
use super::error::{Undefined, ValidationError};
use super::gains::{Gain, gains};
use super::grades::{GradeResult, grade_tests};
use super::h_measure::h_measure;
use super::hosmer_lemeshow::{HosmerLemeshow, hosmer_lemeshow};
use super::ks::ks;
use super::log_loss::log_loss;
use super::precision_recall::average_precision;
use super::proportion::exact_interval;
use super::ranked::{Ranked, class_mass};
use super::settings::ValidationSettings;

/// A figure that does not exist for this sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndefinedFigure {
    /// The report's field.
    pub figure: String,
    /// Why it is null.
    pub reason: String,
}

/// What a model is worth on one sample. Null figures are explained in [`ValidationReport::undefined`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// Rows of the sample.
    pub rows: u64,
    /// Bad rows.
    pub bad: u64,
    /// Share of bads (weighted, where rows are).
    pub bad_rate: f64,
    /// Exact interval of the bad rate; null for weighted rows.
    pub bad_rate_interval: Option<[f64; 2]>,
    /// Mean prediction.
    pub mean_pd: f64,
    /// Distinct predictions.
    pub distinct_pds: u64,
    /// Coverage of the intervals.
    pub confidence: f64,
    /// Bootstrap resamples behind the intervals; 0 where none were drawn.
    pub bootstrap_replicates: u32,
    /// Resamples that could be used, because they held both classes.
    pub bootstrap_usable: u32,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Its bootstrap interval.
    pub auc_interval: Option<[f64; 2]>,
    /// Gini, 2 AUC − 1.
    pub gini: Option<f64>,
    /// Its bootstrap interval.
    pub gini_interval: Option<[f64; 2]>,
    /// Kolmogorov–Smirnov statistic.
    pub ks: Option<f64>,
    /// Its bootstrap interval.
    pub ks_interval: Option<[f64; 2]>,
    /// The prediction at which goods and bads are furthest apart.
    pub ks_at_pd: Option<f64>,
    /// H-measure.
    pub h_measure: Option<f64>,
    /// Its bootstrap interval.
    pub h_measure_interval: Option<[f64; 2]>,
    /// Area under the precision–recall curve.
    pub average_precision: Option<f64>,
    /// Its bootstrap interval.
    pub average_precision_interval: Option<[f64; 2]>,
    /// Brier score.
    pub brier: f64,
    /// Its bootstrap interval.
    pub brier_interval: Option<[f64; 2]>,
    /// Parts of the Brier score over the bins of `deciles`.
    pub brier_parts: BrierParts,
    /// Mean negative log likelihood in nats.
    pub log_loss: f64,
    /// Its bootstrap interval.
    pub log_loss_interval: Option<[f64; 2]>,
    /// Slope of the calibration line; 1 is ideal.
    pub calibration_slope: Option<f64>,
    /// Its bootstrap interval.
    pub calibration_slope_interval: Option<[f64; 2]>,
    /// Intercept of the calibration line; 0 is ideal.
    pub calibration_intercept: Option<f64>,
    /// Its bootstrap interval.
    pub calibration_intercept_interval: Option<[f64; 2]>,
    /// Intercept with the slope held at 1; above 0, more defaults than predicted.
    pub calibration_in_the_large: Option<f64>,
    /// Hosmer–Lemeshow test over the bins of `deciles`; null for weighted rows.
    pub hosmer_lemeshow: Option<HosmerLemeshow>,
    /// Calibration by decile, safest first.
    pub deciles: Vec<Decile>,
    /// Gains and lift, riskiest first; empty with one outcome class.
    pub gains: Vec<Gain>,
    /// Back-test by grade; empty without a rating scale.
    pub grades: Vec<GradeResult>,
    /// Grades whose PD the Jeffreys test finds too low.
    pub grades_too_low: u64,
    /// How many that would be by chance alone, at most: level × grades observed.
    pub grades_too_low_by_chance: f64,
    /// Which figures are null, and why.
    pub undefined: Vec<UndefinedFigure>,
}

/// Validates unweighted predictions. `is_bad` and `pd` are columns of one table.
///
/// # Errors
/// Empty or unequal columns, predictions that are not probabilities, settings out of range.
pub fn validate(
    is_bad: &[bool],
    pd: &[f64],
    settings: &ValidationSettings,
) -> Result<ValidationReport, ValidationError> {
    validate_ranked(&Ranked::new(is_bad, pd)?, settings)
}

/// Validates weighted predictions. Figures are weighted; tests and exact intervals, which count rows, are null or by rows.
///
/// # Errors
/// As [`validate`], and for weights that are not finite and positive.
pub fn validate_weighted(
    is_bad: &[bool],
    pd: &[f64],
    weight: &[f64],
    settings: &ValidationSettings,
) -> Result<ValidationReport, ValidationError> {
    validate_ranked(&Ranked::weighted(is_bad, pd, weight)?, settings)
}

/// Validates a sample that is already sorted.
///
/// # Errors
/// Settings out of range.
pub fn validate_ranked(ranked: &Ranked, settings: &ValidationSettings) -> Result<ValidationReport, ValidationError> {
    settings.check()?;
    let ties = ranked.ties();
    let (good, bad) = class_mass(ties);
    let bins = equal_mass_bins(ties, settings.bins);
    let mut log = UndefinedLog::default();

    let auc = log.keep("auc", auc(ties));
    let ks = log.keep("ks", ks(ties));
    let line = log.keep("calibration_slope", calibration_line(ties));
    let intervals = resample(ranked, line.as_ref(), settings, &mut log);
    let calibration = intervals.and_then(|i| i.calibration);
    let test =
        if ranked.is_weighted() { Err(Undefined::Weighted) } else { hosmer_lemeshow(&bins, settings.fitted_on_sample) };
    let grades = grade_tests(ranked, &settings.grades, settings.confidence, settings.grade_test_level)?;
    let tested = grades.iter().filter(|grade| grade.is_pd_too_low.is_some()).count();

    Ok(ValidationReport {
        rows: ranked.rows(),
        bad: ranked.bad_rows(),
        bad_rate: bad / (good + bad),
        bad_rate_interval: (!ranked.is_weighted())
            .then(|| exact_interval(ranked.bad_rows(), ranked.rows(), settings.confidence)),
        mean_pd: ties.iter().map(|tie| tie.mass() * tie.pd).sum::<f64>() / (good + bad),
        distinct_pds: ties.len() as u64,
        confidence: settings.confidence,
        bootstrap_replicates: intervals.map_or(0, |i| i.replicates),
        bootstrap_usable: intervals.map_or(0, |i| i.usable),
        auc,
        auc_interval: intervals.map(|i| i.auc),
        gini: auc.map(gini_of_auc),
        gini_interval: intervals.map(|i| i.gini),
        ks: ks.map(|k| k.ks),
        ks_interval: intervals.map(|i| i.ks),
        ks_at_pd: ks.map(|k| k.at_pd),
        h_measure: log.keep("h_measure", h_measure(ties)),
        h_measure_interval: intervals.map(|i| i.h_measure),
        average_precision: log.keep("average_precision", average_precision(ties)),
        average_precision_interval: intervals.map(|i| i.average_precision),
        brier: brier(ties),
        brier_interval: intervals.map(|i| i.brier),
        brier_parts: brier_parts(ties, &bins),
        log_loss: log_loss(ties),
        log_loss_interval: intervals.map(|i| i.log_loss),
        calibration_slope: line.map(|l| l.slope),
        calibration_slope_interval: calibration.map(|c| c.slope),
        calibration_intercept: line.map(|l| l.intercept),
        calibration_intercept_interval: calibration.map(|c| c.intercept),
        calibration_in_the_large: log.keep("calibration_in_the_large", calibration_in_the_large(ties)),
        hosmer_lemeshow: log.keep("hosmer_lemeshow", test),
        deciles: deciles(ranked, &bins, settings.confidence),
        gains: log
            .keep("gains", gains(&bins, (!ranked.is_weighted()).then_some(settings.confidence)))
            .unwrap_or_default(),
        grades_too_low: grades.iter().filter(|grade| grade.is_pd_too_low == Some(true)).count() as u64,
        grades_too_low_by_chance: settings.grade_test_level * tested as f64,
        grades,
        undefined: log.0,
    })
}

fn resample(
    ranked: &Ranked,
    line: Option<&super::calibration_line::CalibrationLine>,
    settings: &ValidationSettings,
    log: &mut UndefinedLog,
) -> Option<BootstrapIntervals> {
    if settings.bootstrap_replicates == 0 {
        return None;
    }
    let drawn = bootstrap(ranked, line, settings.bootstrap_replicates, settings.seed, settings.confidence);
    log.keep("auc_interval", drawn)
}

#[derive(Default)]
struct UndefinedLog(Vec<UndefinedFigure>);

impl UndefinedLog {
    fn keep<T>(&mut self, figure: &str, result: Result<T, Undefined>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(reason) => {
                self.0.push(UndefinedFigure { figure: figure.to_owned(), reason: reason.to_string() });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{PD, assert_close, is_bad, weights};
    use crate::model::validation::grades::GradeBound;

    #[test]
    fn holds_every_figure_with_its_interval() {
        let settings = ValidationSettings {
            grades: vec![
                GradeBound { grade: "A".into(), upper_pd: 0.25, stated_pd: Some(0.05) },
                GradeBound { grade: "B".into(), upper_pd: 1.0, stated_pd: None },
            ],
            ..ValidationSettings::default()
        };
        let report = validate(&is_bad(), &PD, &settings).unwrap();
        assert_eq!((report.rows, report.bad, report.distinct_pds), (40, 13, 29));
        assert_close(report.gini.unwrap(), 2.0 * report.auc.unwrap() - 1.0, 1e-15);
        let [low, high] = report.auc_interval.unwrap();
        assert!(low < report.auc.unwrap() && report.auc.unwrap() < high);
        assert_eq!((report.grades_too_low, report.grades.len()), (1, 2));
        assert_close(report.grades_too_low_by_chance, 0.1, 1e-15);
        assert!(report.undefined.is_empty(), "{:?}", report.undefined);
        assert_eq!(report.bootstrap_replicates, 1000);
        assert!(report.calibration_slope_interval.is_some() && report.hosmer_lemeshow.is_some());
    }

    #[test]
    fn one_class_gives_nulls_with_reasons_never_numbers() {
        for outcome in [false, true] {
            let report = validate(&[outcome; 5], &[0.1, 0.2, 0.3, 0.4, 0.5], &ValidationSettings::default()).unwrap();
            assert!(report.auc.is_none() && report.ks.is_none() && report.calibration_slope.is_none());
            assert!(report.gains.is_empty() && report.auc_interval.is_none());
            assert!(report.undefined.iter().any(|u| u.figure == "auc" && u.reason.contains("one outcome class")));
            let json = serde_json::to_value(&report).unwrap();
            assert!(json["auc"].is_null() && json["brier"].is_number());
        }
    }

    #[test]
    fn survives_json_unchanged() {
        let report = validate(&is_bad(), &PD, &ValidationSettings::default()).unwrap();
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::from_value::<ValidationReport>(value).unwrap(), report);
    }

    #[test]
    fn row_order_changes_no_bit() {
        let settings = ValidationSettings::default();
        let (mut bad, mut pd) = (is_bad(), PD.to_vec());
        let before = validate(&bad, &pd, &settings).unwrap();
        bad.rotate_left(13);
        pd.rotate_left(13);
        assert_eq!(validate(&bad, &pd, &settings).unwrap(), before);
    }

    #[test]
    fn doubling_weights_changes_no_weighted_figure() {
        let settings = ValidationSettings::default();
        let double: Vec<f64> = weights().iter().map(|w| w * 2.0).collect();
        let one = validate_weighted(&is_bad(), &PD, &weights(), &settings).unwrap();
        let two = validate_weighted(&is_bad(), &PD, &double, &settings).unwrap();
        assert_close(one.auc.unwrap(), two.auc.unwrap(), 1e-14);
        assert_close(one.calibration_slope.unwrap(), two.calibration_slope.unwrap(), 1e-9);
        assert!(one.hosmer_lemeshow.is_none() && one.bad_rate_interval.is_none());
        assert!(one.undefined.iter().any(|u| u.figure == "hosmer_lemeshow"));
    }

    #[test]
    fn one_row_is_enough_to_report_and_not_enough_to_rank() {
        let report = validate(&[true], &[0.5], &ValidationSettings::default()).unwrap();
        assert_eq!((report.rows, report.auc, report.deciles.len()), (1, None, 1));
        assert_close(report.brier, 0.25, 0.0);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let with = |change: fn(&mut ValidationSettings)| {
            let mut settings = ValidationSettings::default();
            change(&mut settings);
            validate(&is_bad(), &PD, &settings)
        };
        for result in [
            with(|s| s.confidence = f64::NAN),
            with(|s| s.confidence = 1.0),
            with(|s| s.bins = 1),
            with(|s| s.bootstrap_replicates = 3),
            with(|s| s.grade_test_level = 0.0),
        ] {
            assert!(matches!(result, Err(ValidationError::BadSetting { .. })));
        }
    }
}
