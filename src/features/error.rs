//! What can go wrong while features are computed.

use crate::tiles::TileError;

/// Failures of measuring and computing.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// Views, measures or tiles failed.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A formula left the numbers. This is a defect of the formula, never of the merchant.
    #[error("compute feature {feature} of merchant {merchant}: the value is not finite")]
    NotFinite {
        /// The feature.
        feature: String,
        /// The merchant.
        merchant: String,
    },
    /// The outcome predicate failed on rows.
    #[error("evaluate the label's {clause}: {why}")]
    Label {
        /// `outcome` or `eligible`.
        clause: &'static str,
        /// The frame library's own words.
        why: String,
    },
    /// The outcome was asked for, but the feature file declares none.
    #[error("evaluate the label: the feature file has no [label] section")]
    NoLabel,
    /// Two observations that do not belong together.
    #[error("evaluate the label: the later view, of {later}, is not {days} days after the earlier, of {earlier}")]
    Observations {
        /// Date of the earlier view.
        earlier: String,
        /// Date of the later view.
        later: String,
        /// The performance window.
        days: u16,
    },
}
