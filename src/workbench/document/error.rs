//! What stops a model document or an export.

use crate::page::PageError;

/// Why a document could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A plot could not be drawn.
    #[error("draw the {plot} plot: {reason}")]
    Plot {
        /// Which plot.
        plot: &'static str,
        /// The drawing library's words.
        reason: String,
    },
    /// The HTML page could not be filled in.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A name that no SQL identifier can carry, or that an exported query needs for itself.
    #[error("write {name:?} as an SQL name: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A scorecard whose parts do not fit each other.
    #[error("export {part:?}: {reason}")]
    BrokenScorecard {
        /// The variable or table.
        part: String,
        /// What does not fit.
        reason: &'static str,
    },
}
