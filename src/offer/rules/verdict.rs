//! What a rule found.

use serde::{Deserialize, Serialize};

use crate::domain::{Reason, ReasonCode};
use crate::offer::error::OfferError;

/// A verdict with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was asked: a feature's name, or the rule's own.
    pub rule: String,
    /// Whether the merchant passed. Not published: a decline lists only rules that failed.
    #[serde(skip)]
    pub passed: bool,
    /// What was observed; `None` for unknown, which fails.
    pub observed: Option<f64>,
    /// The threshold applied, where there is one.
    pub threshold: Option<f64>,
    /// The reason this gives when it failed; `None` where the score's own reasons speak. Not published: a decline lists its reasons.
    #[serde(skip)]
    pub reason: Option<Reason>,
}

/// The reason for a value that is not known: naming the factor as bad would not be true.
pub(super) fn unknown(what: &str) -> Result<Reason, OfferError> {
    reason("history-too-short", &format!("too little history to judge {what}"))
}

/// A reason of the program's own.
pub(in crate::offer) fn reason(code: &str, text: &str) -> Result<Reason, OfferError> {
    Ok(Reason { code: ReasonCode::new(code)?, text: text.to_owned() })
}
