//! What monitoring refuses.

/// Why a merchant or the portfolio could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// Sums left 64-bit minor units.
    #[error("add up the portfolio: {what} overflows 64-bit minor units")]
    Overflow {
        /// What was added up.
        what: &'static str,
    },
    /// A feature value that is NaN or infinite.
    #[error("judge merchant {merchant_id}: feature {feature} is {value}")]
    NotFinite {
        /// The merchant.
        merchant_id: String,
        /// The feature.
        feature: String,
        /// Its value.
        value: f64,
    },
}
