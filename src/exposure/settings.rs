//! How receivables age, what a guarantee group may owe and what a merchant without a known owner is: the sections `[receivables]`, `[groups]` and `[owners]` of
//! the policy file.

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
    /// An order counts as at most so many times the largest one that its shop has seen through in the year before; `None` for no such bound.
    pub largest_order_times: Option<u16>,
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupTerms {
    /// The most that all members together may owe and be offered, over all products, in minor units.
    pub cap_minor: i64,
    /// How members default together; `None` for a guarantee that is worth nothing in the price and binds in full.
    pub dependence: Option<Dependence>,
}

/// How the members of a guarantee group default together, and when the others hold up a loan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dependence {
    /// Correlation of the values of any two members' assets.
    pub asset_correlation: f64,
    /// Other members who must stand for a loan to be repaid whose borrower defaults.
    pub guarantors_needed: u32,
    /// Probability with which no more members default than a member is held to answer for.
    pub confidence_prob: f64,
}

/// What a merchant is whose owner is not known, where the marketplace names owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownOwner {
    /// Offered nothing: it may be a further shop of somebody who has borrowed all that one owner may.
    #[default]
    Decline,
    /// A borrower of its own.
    Alone,
}

/// `[owners]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOwners {
    pub unknown: UnknownOwner,
}

/// `[owners]` in the reference.
pub(crate) static OWNERS_KEYS: Section = Section {
    head: "[owners]",
    doc: "Shops of one owner (owner_id of merchants) are one borrower: largest limits, first limits and their growth, and the total cap are the owner's, and a bad \
          loan of one shop counts against all. Asked only where some merchant names an owner.",
    keys: &[Key::new(
        "unknown",
        "word",
        "\"decline\"",
        "a merchant that names no owner, where others name theirs, is offered nothing, or stands alone",
    )
    .range("decline, alone")],
};

/// `[receivables]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawReceivables {
    full_until_days: Spanned<i64>,
    expires_after_days: Spanned<i64>,
    disputes: DisputeRecords,
    largest_order_times: Option<Spanned<i64>>,
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
        Key::new(
            "largest_order_times",
            "whole number",
            "3",
            "an order counts as at most so many times the largest one that its shop has seen through in the year before (completed, not suspect, less what went \
             back): a shop can place one huge order with itself",
        )
        .range("1 to 1,000")
        .or("an order counts whatever its size"),
    ],
};

/// `[groups]` in the reference.
pub(crate) static GROUPS_KEYS: Section = Section {
    head: "[groups]",
    doc: "What the members of a guarantee group may owe together. May be left out where there are no groups.",
    keys: &[
        Key::new(
            "cap_minor",
            "whole number",
            "100_000_000",
            "the most that all members may owe and be offered, over all products",
        )
        .unit("minor units")
        .range("1 to 10^12"),
        Key::section("dependence", "how members default together").or(
            "a group loan is priced as if nobody answered for it, and its members answer for all loans of the others",
        ),
    ],
};

/// `[groups.dependence]` in the reference.
pub(crate) static DEPENDENCE_KEYS: Section = Section {
    head: "[groups.dependence]",
    doc: "How members default together: the one-factor Gaussian copula over their probabilities of default, which are those of the night before; a member \
          who had none counts as the riskiest score does. A group loan costs what is lost where its borrower defaults and too few others stand; a member \
          answers for the largest of the others' loans, as many as may fail at once.",
    keys: &[
        Key::new(
            "asset_correlation",
            "number",
            "0.24",
            "correlation of asset values of any two members (Basel: 0.12 to 0.24 for companies; neighbours in one trade have more)",
        )
        .range("0 to 0.95"),
        Key::new("guarantors_needed", "whole number", "2", "other members who must stand for a loan to be repaid whose borrower defaults")
            .range("1 to 100")
            .or("2"),
        Key::new(
            "confidence_prob",
            "number",
            "0.999",
            "probability with which no more members default than a member is held to answer for",
        )
        .range("0.5 to 0.999999")
        .or("0.999"),
    ],
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
        let times = self.largest_order_times.as_ref();
        let times = times.map(|times| bounds::days(file, times, "largest_order_times", 1..=1_000)).transpose()?;
        Ok(ReceivableTerms { full_until_days, expires_after_days, disputes: self.disputes, largest_order_times: times })
    }
}

/// `[groups]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGroups {
    cap_minor: Spanned<i64>,
    dependence: Option<RawDependence>,
}

/// `[groups.dependence]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDependence {
    asset_correlation: Spanned<f64>,
    guarantors_needed: Option<Spanned<i64>>,
    confidence_prob: Option<Spanned<f64>>,
}

/// Three or more enterprises make an alliance ("What Alibaba Is", 2019): of the smallest, both others.
const GUARANTORS_NEEDED: u32 = 2;
/// As in the formula of Basel's internal ratings (Basel II, 2006, paragraph 272).
const CONFIDENCE: f64 = 0.999;

impl RawDependence {
    fn check(&self, file: &ConfigFile) -> Result<Dependence, ConfigError> {
        let needed = self.guarantors_needed.as_ref();
        let needed = needed.map(|n| bounds::integer(file, n, "guarantors_needed", 1..=100)).transpose()?;
        let confidence = self.confidence_prob.as_ref();
        let confidence = confidence.map(|p| bounds::finite(file, p, "confidence_prob", 0.5..=0.999_999)).transpose()?;
        Ok(Dependence {
            asset_correlation: bounds::finite(file, &self.asset_correlation, "asset_correlation", 0.0..=0.95)?,
            guarantors_needed: needed.and_then(|n| u32::try_from(n).ok()).unwrap_or(GUARANTORS_NEEDED),
            confidence_prob: confidence.unwrap_or(CONFIDENCE),
        })
    }
}

impl RawGroups {
    /// Checks the section.
    ///
    /// # Errors
    /// A cap out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<GroupTerms, ConfigError> {
        Ok(GroupTerms {
            cap_minor: bounds::integer(file, &self.cap_minor, "cap_minor", 1..=1_000_000_000_000)?,
            dependence: self.dependence.as_ref().map(|dependence| dependence.check(file)).transpose()?,
        })
    }
}
