//! Models: from labelled rows to a scorecard with its validation. The only place that names linfa.

pub mod calibration;
pub mod validation;
