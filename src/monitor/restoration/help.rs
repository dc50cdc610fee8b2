//! Supplementary help: a borrower who slips because the borrower's own buyers failed to pay, while record and cash flow are sound, need not be
//! pushed into default ("What Alibaba Is", 2019, on what comes after the loan).
//!
//! Proposed to an officer, never granted by itself, where all of these are known and hold:
//! - something is past due, and the borrower is in special mention;
//! - no default was ever seen of the borrower;
//! - the share of trade that buyers failed to pay for is at least `buyers_failed_from`;
//! - receipts of an average day, over `within_days`, cover all that is past due.
//!
//! The sum is what is past due, `most_minor` at most. What is not known proposes nothing.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::features::FeatureUses;

/// When help is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct HelpTerms {
    /// Feature that says which share of trade buyers failed to pay for.
    pub buyers_failed: String,
    /// From which share on.
    pub buyers_failed_from: f64,
    /// Feature that says what came in.
    pub receipts: String,
    /// Days over which it came in.
    pub receipts_days: u16,
    /// Days within which receipts as they were cover what is past due.
    pub within_days: u16,
    /// The most that is proposed.
    pub most_minor: i64,
}

impl HelpTerms {
    /// The sum proposed; `None` where it is not due, or cannot be known.
    #[must_use]
    pub fn propose(&self, arrears_minor: i64, buyers_failed: Option<f64>, receipts: Option<f64>) -> Option<i64> {
        let has_cause = buyers_failed? >= self.buyers_failed_from;
        let to_come = receipts? / f64::from(self.receipts_days.max(1)) * f64::from(self.within_days);
        (has_cause && arrears_minor > 0 && to_come >= arrears_minor as f64).then(|| arrears_minor.min(self.most_minor))
    }
}

/// `[restoration.help]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHelp {
    buyers_failed: Spanned<String>,
    buyers_failed_from: Spanned<f64>,
    receipts: Spanned<String>,
    receipts_days: Spanned<i64>,
    within_days: Spanned<i64>,
    most_minor: Spanned<i64>,
}

/// `[restoration.help]` in the reference.
pub(crate) static HELP_KEYS: Section = Section {
    head: "[restoration.help]",
    doc: "When an officer is told that a borrower in special mention, never in default, slipped because buyers failed to pay.",
    keys: &[
        Key::new(
            "buyers_failed",
            "word",
            "\"cancelled_share_60d\"",
            "the feature that says which share of trade buyers failed to pay for",
        )
        .range("a feature"),
        Key::new("buyers_failed_from", "number", "0.2", "from which share on").range("0 to 1"),
        Key::new("receipts", "word", "\"net_receipts_sum_180d_minor\"", "the feature that says what came in")
            .range("a feature in minor units"),
        Key::new("receipts_days", "whole number", "180", "the time over which it came in")
            .unit("days")
            .range("1 to 3660"),
        Key::new("within_days", "whole number", "30", "within which such receipts cover what is past due")
            .unit("days")
            .range("1 to 3660"),
        Key::new("most_minor", "whole number", "500_000", "the most that is proposed")
            .unit("minor units")
            .range("1 to 10^9"),
    ],
};

impl RawHelp {
    pub(super) fn check(&self, file: &ConfigFile, uses: &mut FeatureUses) -> Result<HelpTerms, ConfigError> {
        uses.push(&self.buyers_failed);
        uses.push(&self.receipts);
        Ok(HelpTerms {
            buyers_failed: self.buyers_failed.get_ref().clone(),
            buyers_failed_from: bounds::unit(file, &self.buyers_failed_from, "buyers_failed_from")?,
            receipts: self.receipts.get_ref().clone(),
            receipts_days: bounds::days(file, &self.receipts_days, "receipts_days", 1..=3_660)?,
            within_days: bounds::days(file, &self.within_days, "within_days", 1..=3_660)?,
            most_minor: bounds::integer(file, &self.most_minor, "most_minor", 1..=1_000_000_000)?,
        })
    }
}
