//! Models: a scorecard of willingness to pay (probability of default) and the distribution of receipts, which is ability to pay. What a night needs of them; what an
//! analyst does beside it is in [`crate::workbench`].
//!
//! ```text
//! table ── fine cells, a byte a cell ──▶ binning ──▶ selection ──▶ fit under sign control ──▶ average of members ──▶ tables
//!                                                                                               └─▶ points ──▶ Scorecard
//! ```
//!
//! This is the only room that names linfa, and no linfa type leaves it. Polarity, stated once: a target of `true` is bad; a
//! weight of evidence, a log-odds value and a score that are higher are safer.

pub mod ability;
mod assemble;
mod bag;
pub mod binning;
mod boosted;
pub mod calibration;
mod error;
pub mod fit;
#[cfg(test)]
pub(crate) mod fixture;
mod interactions;
mod newton;
mod points;
mod prepare;
pub mod registry;
mod report;
mod score_scale;
mod scorecard;
mod selection;
mod settings;
mod shape;
mod sign;
pub mod table;
mod terms;
mod test_figures;
mod train;
pub mod validation;
mod variable_report;

pub use ability::{AbilityModel, AbilitySettings, TrainedAbility, train_ability};
pub use boosted::{BoostSettings, BoostTable, BoostedTrees};
pub use error::ModelError;
pub use points::Scaling;
pub(crate) use prepare::{Summed, sum_up};
pub use report::{
    BandRows, Coefficient, Dropped, InferenceReport, PartReport, Removal, RoundingReport, Shared, Stage, TrainReport,
    TuningReport, VariableReport, measure_part,
};
pub use score_scale::{BandScores, ScoreScale};
pub use scorecard::{
    Band, BlockScorer, BlockScores, FORMAT, PairTable, Reason, Scorecard, Scored, ScoredRows, ScoredVariable,
    reason_code,
};
pub(crate) use selection::suspected_leak;
pub use settings::TrainSettings;
pub use table::{Column, Direction, ScoringTable, TrainingTable, Values};
pub use test_figures::TestFigures;
pub(crate) use train::MIN_OUTCOMES;
pub use train::{TrainedScorecard, train_scorecard};
