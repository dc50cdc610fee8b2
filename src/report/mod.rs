//! What people read of a run: one merchant's entry, the walk from its numbers back to rows, what another policy would change, and tables as
//! text.

mod bank_file;
mod entry;
mod explain;
mod explain_text;
mod policy_change;
mod policy_diff;
mod policy_diff_text;
mod policy_optimum;
mod run_again;
mod settled_run;
mod text_table;
mod uptake;

pub use bank_file::{Asked, BankFile, BankFileError, Referred, bank_file};
pub use entry::entry_text;
pub(crate) use entry::{amount, write_decline, write_offer};
pub use explain::{
    Explanation, FeatureWalk, PointsWalk, ReportError, ScenarioFeature, ScenarioWalk, WindowWalk, explain,
};
pub use explain_text::explanation_text;
pub use policy_change::{Cause, Change, ChangeKind};
pub use policy_diff::{PolicyDiff, PolicyDiffError, PolicyName, ProductTotals, policy_diff};
pub use policy_diff_text::policy_diff_text;
pub(crate) use policy_optimum::optimisation_text;
pub use policy_optimum::{OptimumPoint, PolicyOptimum, policy_optimum};
pub(crate) use text_table::text_table;
pub use uptake::{Uptake, UptakeGroup, UptakeLine, uptake};
