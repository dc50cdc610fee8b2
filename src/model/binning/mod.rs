//! Binning: a column becomes fine cells (a byte a row), cells become bins by exact optimisation, bins carry weight of evidence.
//!
//! The order of the files is the order of the work: [`fine`](FineColumn) cells → [`optimal`] partition → [`Bins`].

mod assign;
mod bins;
mod cuts;
mod dynamic;
mod edit_report;
mod fine;
mod places;
mod settings;
mod summary;
mod variable;

pub use assign::Assigner;
pub use bins::{Bin, BinKind, BinRole, Bins};
pub use cuts::{Cuts, Scale, VariableEdit, code_as_given};
pub use dynamic::{Cell, Change, Constraints, Infeasible, Objective, Partition, Trend, optimal};
pub use edit_report::{BinFigures, CutFigures, EditReport, EditSide, Parts, recut};
pub use fine::{FineColumn, FineScale, PreBinning, Unusable, code_column, lay_out, tally};
pub use settings::BinningSettings;
pub use summary::{MixedKinds, Rows, Summary};
pub(crate) use variable::iv_share;
pub use variable::{Binned, Merges, as_given, bin_variable, group_label, information_value, regroup, separation};
