//! One small sample with ties, shared by the oracle tests of all metrics.

use super::ranked::Ranked;

pub(crate) const PD: [f64; 40] = [
    0.35, 0.43, 0.29, 0.17, 0.25, 0.16, 0.37, 0.71, 0.24, 0.22, 0.48, 0.45, 0.38, 0.16, 0.35, 0.54, 0.11, 0.25, 0.06,
    0.12, 0.07, 0.30, 0.12, 0.43, 0.39, 0.31, 0.03, 0.23, 0.34, 0.38, 0.09, 0.24, 0.16, 0.18, 0.64, 0.18, 0.35, 0.59,
    0.22, 0.33,
];

/// A second model's predictions for the same rows.
pub(crate) const OTHER_PD: [f64; 40] = [
    0.45, 0.35, 0.31, 0.24, 0.32, 0.21, 0.29, 0.53, 0.21, 0.28, 0.57, 0.37, 0.32, 0.29, 0.39, 0.48, 0.13, 0.29, 0.25,
    0.12, 0.14, 0.20, 0.12, 0.29, 0.35, 0.23, 0.19, 0.29, 0.33, 0.24, 0.15, 0.28, 0.25, 0.14, 0.48, 0.17, 0.28, 0.61,
    0.20, 0.34,
];

const Y: [u8; 40] = [
    0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1,
    1, 1,
];

pub(crate) fn is_bad() -> Vec<bool> {
    Y.iter().map(|y| *y == 1).collect()
}

pub(crate) fn weights() -> Vec<f64> {
    (0..40).map(|i| 1.0 + f64::from(i % 4) * 0.5).collect()
}

pub(crate) fn ranked() -> Ranked {
    Ranked::new(&is_bad(), &PD).unwrap()
}

pub(crate) fn weighted() -> Ranked {
    Ranked::weighted(&is_bad(), &PD, &weights()).unwrap()
}

pub(crate) fn single_class() -> Ranked {
    Ranked::new(&[false; 4], &[0.1, 0.2, 0.2, 0.4]).unwrap()
}

#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected} within {tolerance}");
}
