//! What stops a reject-inference study.

use crate::model::validation::{Undefined, ValidationError};

/// Why a study could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RejectInferenceError {
    /// A column or a setting is unusable.
    #[error(transparent)]
    Sample(#[from] ValidationError),
    /// No rejected row: nothing to study.
    #[error("study rejects: there is none")]
    NoRejects,
    /// The accepted rows do not say how risk follows the score.
    #[error("carry the accepted rows' outcomes over to rejects: {reason}")]
    NoEvidence {
        /// Why not.
        reason: Undefined,
    },
}
