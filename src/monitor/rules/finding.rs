//! What an alert rule found.

use crate::monitor::alert::Verdict;

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

    /// Whether a measurement reaches a threshold; unknown where the measurement is missing.
    #[must_use]
    pub fn at_least(observed: Option<f64>, threshold: f64) -> Self {
        observed.map_or(Self::Unknown, |observed| Self::of(observed >= threshold, observed, threshold))
    }

    /// What it says, without the figures.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Fired { .. } => Verdict::Fired,
            Self::Quiet { .. } => Verdict::Quiet,
            Self::Unknown => Verdict::Unknown,
        }
    }

    /// What was observed and the threshold applied; neither where it is unknown.
    #[must_use]
    pub const fn figures(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::Fired { observed, threshold } | Self::Quiet { observed, threshold } => {
                (Some(observed), Some(threshold))
            }
            Self::Unknown => (None, None),
        }
    }

    /// Both conditions, with the evidence of this one where it decides.
    ///
    /// | | other fired | other quiet | other unknown |
    /// |---|---|---|---|
    /// | fired | fired | quiet | unknown |
    /// | quiet | quiet | quiet | quiet |
    /// | unknown | unknown | quiet, on the other's evidence | unknown |
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Quiet { .. }, _) | (Self::Fired { .. }, Self::Fired { .. }) => self,
            (Self::Fired { observed, threshold }, Self::Quiet { .. }) => Self::Quiet { observed, threshold },
            (Self::Unknown, Self::Quiet { .. }) => other,
            (Self::Fired { .. } | Self::Unknown, Self::Unknown) | (Self::Unknown, Self::Fired { .. }) => Self::Unknown,
        }
    }
}
