//! Tables that an analyst brings: CSV or Parquet, a file or a folder of files.
//!
//! A Parquet file is never held whole: its columns are read one at a time, so that training needs one byte a cell and
//! one column of raw values.

mod cell_form;
mod file;
mod file_features;
mod outcome_rule;
mod overlap;
mod parse;
mod read_csv;
mod read_parquet;
mod split;
mod target;

pub use file::{TableFile, open_table};
pub use file_features::features_beside;
pub use outcome_rule::{RuledOutcome, ruled_outcome};
pub use overlap::{Overlap, TRAINING_ROWS, TrainingRows, row_digests};
pub(crate) use parse::MISSING_WORDS;
pub use split::{Split, assign_split};
pub use target::read_target;
