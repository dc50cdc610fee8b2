//! The feature files: measures, features, authenticity knobs and the outcome predicate.

mod feature;
mod files;
mod label;
mod set;

pub use feature::{Direction, FeatureSpec, Group, Unit};
pub use files::FeatureFiles;
pub use label::{LabelSpec, MOST_BEFORE_DAYS};
pub use set::FeatureConfig;
