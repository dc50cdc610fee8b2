//! The feature files: measures, features, authenticity knobs and the outcome predicate.

mod authenticity;
mod feature;
mod files;
mod label;
mod measure;
mod set;

pub use feature::{Direction, FeatureSpec, Group, Unit};
pub use files::FeatureFiles;
pub use label::LabelSpec;
pub use set::FeatureConfig;
