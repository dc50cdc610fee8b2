//! What deciding refuses: inputs that no decision may rest on.

use crate::domain::{AsOfError, RateError, ReasonCodeError};

/// Why no decision was made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OfferError {
    /// A feature is NaN or infinite.
    #[error("decide on merchant {merchant_id}: feature {feature} is {value}")]
    NotFinite {
        /// The merchant.
        merchant_id: String,
        /// The feature.
        feature: String,
        /// Its value.
        value: f64,
    },
    /// A schedule or rate that repays less than was lent, or cannot be laid out.
    #[error("lay out a loan of {principal_minor} minor units over {term_days} days: {why}")]
    Schedule {
        /// Principal.
        principal_minor: i64,
        /// Days to the last instalment.
        term_days: u16,
        /// What is wrong.
        why: &'static str,
    },
    /// A rate out of range.
    #[error("decide on an offer: {0}")]
    Rate(#[from] RateError),
    /// An invalid reason code.
    #[error("give a reason: {0}")]
    Reason(#[from] ReasonCodeError),
    /// A case that cannot be read back.
    #[error("read the case of merchant {merchant_id}: {why}")]
    CaseRecord {
        /// The merchant.
        merchant_id: String,
        /// What is wrong.
        why: String,
    },
    /// A published score that is no probability.
    #[error("read the score of merchant {merchant_id}: {source}")]
    Score {
        /// The merchant.
        merchant_id: String,
        /// What is wrong.
        source: RateError,
    },
    /// A published scorecard with a score that means no probability.
    #[error("read the model's scale: {0}")]
    Scale(RateError),
    /// A date beyond the calendar.
    #[error("date an offer: {0}")]
    Date(#[from] AsOfError),
}
