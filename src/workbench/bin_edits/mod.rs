//! Manual coarse classing: bins that a person sets stand as set.
//!
//! `integrity bins MODEL --out bins.toml` writes a file of every variable's cuts; `integrity train … --bins bins.toml` reads it back. A
//! variable whose cuts are still those exported is not edited and is cut as any other. An edited one needs a reason; its bins are then never
//! merged, split or moved. The comparison with what stood before goes into the training report, the [log](LogEntry) into the model folder.

mod export;
mod file;
mod log;

pub use export::render;
pub use file::BinsFile;
pub use log::{LogEntry, extended};
