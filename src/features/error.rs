//! What can go wrong while features are computed.

use crate::tiles::TileError;

/// Failures of measuring and computing.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// Views, measures or tiles failed.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A window's sum left 64 bits.
    #[error(
        "sum {measure} of merchant {merchant} over days {from} to {to} before as-of: the total does not fit 64 bits"
    )]
    Overflow {
        /// The measure.
        measure: String,
        /// The merchant.
        merchant: String,
        /// Nearest day.
        from: u16,
        /// Farthest day, exclusive.
        to: u16,
    },
    /// A category's sum left 64 bits.
    #[error("sum {measure} over category {category}: the total does not fit 64 bits")]
    IndustryOverflow {
        /// The measure.
        measure: String,
        /// The category.
        category: String,
    },
    /// Totals made under another configuration.
    #[error("merge industry totals: {left} and {right} slots were made from different feature files")]
    IndustryMismatch {
        /// Slots on one side.
        left: usize,
        /// Slots on the other.
        right: usize,
    },
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
