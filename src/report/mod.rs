//! What people read of a run: one merchant's entry, the walk from its numbers back to rows, and tables as text.

mod entry;
mod explain;
mod explain_text;
mod text_table;

pub use entry::entry_text;
pub use explain::{Explanation, FeatureWalk, PointsWalk, ReportError, WindowWalk, explain};
pub use explain_text::explanation_text;
pub(crate) use text_table::text_table;
