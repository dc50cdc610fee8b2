//! Buckets of days past due and regulatory classes.

use serde::{Deserialize, Serialize};

use super::settings::{Bucket, ClassThresholds};
use crate::repayment::LoanStanding;

/// How a regulator classes a loan by its lateness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing is overdue.
    Normal,
    /// Something is overdue.
    SpecialMention,
    /// Non-performing.
    Substandard,
    /// Non-performing.
    Doubtful,
    /// Non-performing.
    Loss,
}

impl Class {
    /// The class of a loan.
    #[must_use]
    pub const fn of_loan(loan: &LoanStanding, thresholds: &ClassThresholds) -> Self {
        Self::of(loan.dpd, loan.material_dpd, thresholds)
    }

    /// The class of a loan so many days past due with any arrears, and so many with material ones: trifling arrears are worth a special
    /// mention, but do not make a loan non-performing.
    #[must_use]
    pub const fn of(dpd: i64, material_dpd: i64, thresholds: &ClassThresholds) -> Self {
        if material_dpd >= thresholds.loss_from_dpd {
            Self::Loss
        } else if material_dpd >= thresholds.doubtful_from_dpd {
            Self::Doubtful
        } else if material_dpd >= thresholds.substandard_from_dpd {
            Self::Substandard
        } else if dpd >= thresholds.special_mention_from_dpd {
            Self::SpecialMention
        } else {
            Self::Normal
        }
    }

    /// Substandard or worse.
    #[must_use]
    pub fn is_non_performing(self) -> bool {
        self >= Self::Substandard
    }

    /// Stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::SpecialMention => "special-mention",
            Self::Substandard => "substandard",
            Self::Doubtful => "doubtful",
            Self::Loss => "loss",
        }
    }
}

/// The bucket that holds so many days past due. Checked buckets hold every number from 0 up, so there always is one.
#[must_use]
pub fn bucket_of(buckets: &[Bucket], dpd: i64) -> Option<&Bucket> {
    buckets.iter().find(|b| dpd >= b.from_dpd && b.to_dpd.is_none_or(|to| dpd <= to))
}
