//! How receivables age and what a guarantee group may owe: the sections `[receivables]` and `[groups]` of the policy file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

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

/// `[receivables]` in the reference.
pub(crate) static RECEIVABLES_KEYS: Section = Section {
    head: "[receivables]",
    doc: "What a shipped, unconfirmed order counts for as it ages. Needed where a product lends against receivables.",
    keys: &[
        Key::new("full_until_days", "whole number", "14", "up to this age an order counts in full")
            .unit("days")
            .range("0 to 365"),
        Key::new(
            "expires_after_days",
            "whole number",
            "45",
            "from this age on it counts for nothing; between the two it falls in a straight line",
        )
        .unit("days")
        .range("more than full_until_days, to 730"),
        Key::new(
            "disputes",
            "word",
            "\"required\"",
            "without the table disputes nothing is a receivable, or disputed orders are lent against all the same",
        )
        .range("required, not-kept"),
    ],
};

/// `[groups]` in the reference.
pub(crate) static GROUPS_KEYS: Section = Section {
    head: "[groups]",
    doc: "What the members of a guarantee group may owe together. May be left out where there are no groups.",
    keys: &[Key::new(
        "cap_minor",
        "whole number",
        "100_000_000",
        "the most that all members may owe and be offered, over all products",
    )
    .unit("minor units")
    .range("1 to 10^12")],
};

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
