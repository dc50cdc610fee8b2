//! Tables as the scorecard engine sees them: named columns of numbers or text, from memory, CSV or Parquet.
//!
//! A Parquet file is never held whole: its columns are read one at a time, so that training needs one byte a cell and
//! one column of raw values.

mod column;
mod file;
mod parse;
mod read_csv;
mod read_parquet;
mod split;
mod training;

pub use column::{Column, Direction, MISSING_LEVEL, TextBuilder, TextValues, Values, number_as_text, same_number};
pub use file::{Kind, TableFile, open_table};
pub(crate) use parse::MISSING_WORDS;
pub use split::{Split, assign_split};
pub use training::{Features, ScoringTable, TrainingTable, read_target};
