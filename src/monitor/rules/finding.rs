//! What an alert rule found.

/// A finding with its evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// The threshold is reached.
    Fired {
        /// What was observed.
        observed: f64,
        /// The threshold applied.
        threshold: f64,
    },
    /// It is not.
    Quiet {
        /// What was observed.
        observed: f64,
        /// The threshold applied.
        threshold: f64,
    },
    /// Too little history to say.
    Unknown,
}

impl Finding {
    /// Fired when `fired`.
    #[must_use]
    pub const fn of(fired: bool, observed: f64, threshold: f64) -> Self {
        if fired { Self::Fired { observed, threshold } } else { Self::Quiet { observed, threshold } }
    }
}
