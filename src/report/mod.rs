//! What people read of a run: one merchant's entry, and the walk from its numbers back to rows.

mod entry;
mod explain;
mod explain_text;

pub use entry::entry_text;
pub use explain::{Explanation, FeatureWalk, PointsWalk, ReportError, WindowWalk, explain};
pub use explain_text::explanation_text;
