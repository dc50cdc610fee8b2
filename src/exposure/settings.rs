//! How receivables age and what a guarantee group may owe: the sections `[receivables]` and `[groups]` of the policy file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, bounds};

/// What a shipped, unconfirmed order counts for as it ages, in whole days since its last parcel was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivableTerms {
    /// Up to this age an order counts in full.
    pub full_until_days: u16,
    /// From this age on it counts for nothing; between the two its value falls in a straight line.
    pub expires_after_days: u16,
    /// Whether the marketplace keeps records of disputes.
    pub disputes: DisputeRecords,
}

/// Whether a disputed order can be told from an undisputed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisputeRecords {
    /// Without the table `disputes` no order is known to be undisputed, and none is a receivable.
    Required,
    /// The marketplace keeps none: whoever sets this accepts that disputed orders are lent against.
    NotKept,
}

/// What the members of a guarantee group may owe together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupTerms {
    /// The most that all members together may owe and be offered, over all products, in minor units.
    pub cap_minor: i64,
}

/// `[receivables]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawReceivables {
    full_until_days: Spanned<i64>,
    expires_after_days: Spanned<i64>,
    disputes: DisputeRecords,
}

impl RawReceivables {
    /// Checks the section.
    ///
    /// # Errors
    /// Days out of range, or receivables that expire before they weaken, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<ReceivableTerms, ConfigError> {
        let full_until_days = bounds::days(file, &self.full_until_days, "full_until_days", 0..=365)?;
        let least = i64::from(full_until_days) + 1;
        let expires_after_days = bounds::days(file, &self.expires_after_days, "expires_after_days", least..=730)?;
        Ok(ReceivableTerms { full_until_days, expires_after_days, disputes: self.disputes })
    }
}

/// `[groups]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGroups {
    cap_minor: Spanned<i64>,
}

impl RawGroups {
    /// Checks the section.
    ///
    /// # Errors
    /// A cap out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<GroupTerms, ConfigError> {
        Ok(GroupTerms { cap_minor: bounds::integer(file, &self.cap_minor, "cap_minor", 1..=1_000_000_000_000)? })
    }
}
