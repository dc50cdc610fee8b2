//! From raw to honest probabilities, and from probabilities to named grades.
//!
//! Four maps (identity, Platt, beta, isotonic), one chosen out of sample; every map is never-falling by construction, so that calibration cannot
//! change who is safer than whom. The master scale states PDs with a margin of conservatism.

mod beta;
mod choice;
mod error;
mod isotonic;
mod map;
mod master_scale;
mod platt;
mod targets;

pub use beta::fit_beta;
pub use choice::{CalibrationChoice, CalibrationSettings, Candidate, Method, choose_calibration};
pub use error::CalibrationError;
pub use isotonic::fit_isotonic;
pub use map::{Calibration, CalibrationMap, DEFAULT_PD_FLOOR};
pub use master_scale::{Grade, MasterScale};
pub use platt::fit_platt;
