//! Manual coarse classing: bins that a person sets stand as set.
//!
//! `integrity bins MODEL --out bins.toml` writes a file of every variable's [cuts](Cuts); `integrity train … --bins bins.toml`
//! reads it back. A variable whose cuts are still those exported is not edited and is cut as any other. An edited one needs a reason; its bins
//! are then never merged, split or moved, and the [comparison](EditReport) with what stood before goes into the report, the
//! [log](LogEntry) into the model folder.

mod compare;
mod cuts;
mod export;
mod file;
mod log;

pub use compare::{BinFigures, CutFigures, EditReport, EditSide, Parts, compare};
pub use cuts::{Cuts, Scale, code_as_given};
pub use export::render;
pub use file::{BinsFile, VariableEdit};
pub use log::{LogEntry, extended};
