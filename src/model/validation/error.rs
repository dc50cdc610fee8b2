//! What stops a validation, and what leaves one of its figures undefined.

/// Input or settings that no validation can be built on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValidationError {
    /// Two columns of one table differ in length.
    #[error("match {what} to outcomes: {found} rows against {expected}")]
    LengthMismatch {
        /// The column at fault.
        what: &'static str,
        /// Rows of outcomes.
        expected: usize,
        /// Rows of the column at fault.
        found: usize,
    },
    /// No rows at all.
    #[error("validate an empty table")]
    Empty,
    /// A prediction that is NaN, infinite or outside 0 to 1.
    #[error("read a probability of default in row {row}: {value} is not a finite number from 0 to 1")]
    NotAProbability {
        /// Row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A weight that is NaN, infinite, zero or negative.
    #[error("read a weight in row {row}: {value} is not a finite number above 0")]
    NotAWeight {
        /// Row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A value that must be finite and is not.
    #[error("read a finite number in row {row}: found {value}")]
    NotFinite {
        /// Row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A column with so many values that it names rows, not segments.
    #[error("break down by a column of {segments} values: the limit is {limit}")]
    TooManySegments {
        /// Values found.
        segments: usize,
        /// The limit.
        limit: usize,
    },
    /// More rows than a resampling index can address.
    #[error("validate {rows} rows: the limit is {limit}")]
    TooManyRows {
        /// Rows given.
        rows: usize,
        /// The limit.
        limit: usize,
    },
    /// A setting outside its range.
    #[error("use {value} as {setting}: allowed is {allowed}")]
    BadSetting {
        /// The setting's name.
        setting: &'static str,
        /// The value given.
        value: f64,
        /// The allowed range.
        allowed: &'static str,
    },
    /// A grade, segment or reference group that the data do not hold.
    #[error("find {what} {name:?} in the data")]
    UnknownName {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

/// Why a figure does not exist for the data at hand. Unknown is said, never replaced by a good-looking number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// Only goods or only bads: nothing to tell apart.
    #[error("only one outcome class is present")]
    SingleClass,
    /// All predictions are equal: no slope.
    #[error("all predictions are equal")]
    ConstantPrediction,
    /// Goods and bads do not overlap: the likelihood has no maximum.
    #[error("predictions separate the outcomes completely")]
    Separated,
    /// The iteration did not reach its tolerance.
    #[error("the maximum of the likelihood was not reached")]
    NotConverged,
    /// The statistic divides by a variance that is zero.
    #[error("the variance is zero")]
    ZeroVariance,
    /// Too few bins or groups for the statistic's degrees of freedom.
    #[error("too few groups")]
    TooFewGroups,
    /// Too few usable resamples.
    #[error("too few resamples held both outcome classes")]
    TooFewResamples,
    /// The statistic is defined for unweighted rows only.
    #[error("not defined for weighted rows")]
    Weighted,
}
