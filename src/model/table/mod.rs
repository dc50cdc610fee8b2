//! Tables as the scorecard engine sees them: named columns of numbers or text, in memory or read one column at a time.

mod column;
mod features;
mod training;

pub use column::{
    Column, Direction, Kind, MISSING_LEVEL, TextBuilder, TextValues, Values, number_as_text, same_number,
};
pub use features::{FeatureSource, Features};
pub use training::{ScoringTable, TrainingTable};
