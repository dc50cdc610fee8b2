//! The figures of a validation and how they are written, for documents and terminals alike.

use crate::model::validation::ValidationReport;

/// A figure by its name, as a table shows it.
type Line = (&'static str, fn(&ValidationReport) -> String);

/// Every figure of a validation, in the order of a table.
pub(crate) const LINES: [Line; 17] = [
    ("rows", |r| r.rows.to_string()),
    ("bad", |r| r.bad.to_string()),
    ("bad rate", |r| share(r.bad_rate)),
    ("mean PD", |r| share(r.mean_pd)),
    ("AUC", |r| ranged(r.auc, r.auc_interval)),
    ("Gini", |r| ranged(r.gini, r.gini_interval)),
    ("KS", |r| ranged(r.ks, r.ks_interval)),
    ("KS at PD", |r| or_dash(r.ks_at_pd.map(figure))),
    ("H-measure", |r| ranged(r.h_measure, r.h_measure_interval)),
    ("average precision", |r| ranged(r.average_precision, r.average_precision_interval)),
    ("Brier", |r| ranged(Some(r.brier), r.brier_interval)),
    ("log loss", |r| ranged(Some(r.log_loss), r.log_loss_interval)),
    ("calibration slope", |r| ranged(r.calibration_slope, r.calibration_slope_interval)),
    ("calibration intercept", |r| ranged(r.calibration_intercept, r.calibration_intercept_interval)),
    ("calibration in the large", |r| or_dash(r.calibration_in_the_large.map(figure))),
    ("Hosmer–Lemeshow p", |r| or_dash(r.hosmer_lemeshow.map(|t| p_value(t.p_value)))),
    ("bootstrap resamples", |r| r.bootstrap_replicates.to_string()),
];

/// A number without a unit.
pub(crate) fn figure(value: f64) -> String {
    format!("{value:.4}")
}

/// A figure, or a dash where there is none.
pub(crate) fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

/// A figure with its interval.
pub(crate) fn ranged(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    or_dash(value.map(|value| match interval {
        Some([low, high]) => format!("{value:.4} [{low:.4}, {high:.4}]"),
        None => figure(value),
    }))
}

/// A share in per cent.
pub(crate) fn share(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// A p-value.
pub(crate) fn p_value(value: f64) -> String {
    if value < 0.0001 { "< .0001".to_owned() } else { figure(value) }
}
