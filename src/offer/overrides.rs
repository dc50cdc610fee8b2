//! What officers decided about credit to a merchant, as far as the policy lets them.
//!
//! | change | what it does | never |
//! |---|---|---|
//! | `decline` | the product is not offered | |
//! | `lower-limit` | one cap more, `officer`, before all that is owed and offered is taken off | |
//! | `raise-limit` | caps that rest on evidence of means carry at least so much, before all that is owed and offered is taken off | an unknown cap, receivables, what was asked for, group, regrowth, exposure, budget, product and the largest loan there is |
//! | `waive-rule` | a rule of the policy is not asked | rules that no policy can switch off: a frozen, defaulted, written-off, unknown or incomplete record, a closed shop |
//! | `rate` | the price, as far from the band's rate as the officer may go | below the floor, above the law |
//!
//! A decision that the policy does not allow its officer, or that is not in force on the day, changes nothing.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use super::decision::Decision;
use super::error::OfferError;
use super::guarantee::liability_minor;
use super::limit::{Cap, CapName};
use super::policy::{Policy, Product};
use super::rules::{Verdict, reason};
use super::worst_case::least_caps;
use crate::exposure::Account;

/// What an officer may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// Not offered.
    Decline,
    /// At most so much.
    LowerLimit,
    /// Up to so much, whatever evidence carries.
    RaiseLimit,
    /// One rule is not asked.
    WaiveRule,
    /// Another price.
    Rate,
}

impl OverrideKind {
    /// All of them, by name.
    pub(super) const NAMES: &'static str = "decline, lower-limit, raise-limit, waive-rule, rate";

    /// Stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decline => "decline",
            Self::LowerLimit => "lower-limit",
            Self::RaiseLimit => "raise-limit",
            Self::WaiveRule => "waive-rule",
            Self::Rate => "rate",
        }
    }
}

/// One decision of an officer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Override {
    /// About whom.
    pub merchant_id: String,
    /// About which product; `None` for all.
    pub product: Option<String>,
    /// What is changed.
    pub change: OverrideKind,
    /// Of a limit: how much.
    pub limit_minor: Option<i64>,
    /// Of a rule: its code.
    pub rule: Option<String>,
    /// Of a price: the rate.
    pub daily_rate_ppm: Option<i64>,
    /// First as-of date on which it is in force.
    pub from_on: Date,
    /// Last one.
    pub until_on: Date,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: String,
}

impl Override {
    /// Whether it is in force on a day.
    #[must_use]
    pub fn is_in_force(&self, on: Date) -> bool {
        (self.from_on..=self.until_on).contains(&on)
    }

    fn is_about(&self, product: &str) -> bool {
        self.product.as_ref().is_none_or(|name| name == product)
    }

    /// In one line: what, by whom, until when, and why.
    #[must_use]
    pub fn words(&self) -> String {
        let what = match self.change {
            OverrideKind::Decline => "declined".to_owned(),
            OverrideKind::LowerLimit => format!("limit lowered to {} minor units", self.limit_minor.unwrap_or(0)),
            OverrideKind::RaiseLimit => format!("limit raised to {} minor units", self.limit_minor.unwrap_or(0)),
            OverrideKind::WaiveRule => format!("rule {} waived", self.rule.as_deref().unwrap_or_default()),
            OverrideKind::Rate => format!("rate set to {} ppm", self.daily_rate_ppm.unwrap_or(0)),
        };
        format!("{what} by {} until {}: {}", self.by, self.until_on, self.reason)
    }
}

impl CapName {
    /// Whether an officer may judge a merchant's means better than the evidence does. Pledged orders, debts, groups, budgets and the bounds of
    /// products and the law are no evidence of means.
    const fn is_judged(self) -> bool {
        matches!(
            self,
            Self::Ability
                | Self::DebtService
                | Self::IntegrityCapital
                | Self::LowestMonth
                | Self::DeclaredDebtService
                | Self::DeclaredLeverage
                | Self::Growth
        )
    }
}

/// What is in force about a merchant's product.
#[derive(Debug, Clone, Default)]
pub(super) struct OverridesInForce<'a> {
    overrides: Vec<&'a Override>,
}

impl<'a> OverridesInForce<'a> {
    /// Of a case on a day, as far as the policy allows it.
    pub fn of(policy: &Policy, case: &MerchantCase<'a>, product: &str, on: Date) -> Self {
        let Some(terms) = policy.overrides.as_ref().filter(|_| !case.overrides.is_empty()) else {
            return Self::default();
        };
        let is_meant = |decided: &&Override| decided.is_in_force(on) && decided.is_about(product);
        let overrides: Vec<&Override> =
            case.overrides.iter().filter(is_meant).filter(|decided| terms.allow(decided).is_ok()).collect();
        Self { overrides }
    }

    fn of_kind(&self, kind: OverrideKind) -> impl Iterator<Item = &'a Override> {
        self.overrides.iter().copied().filter(move |decided| decided.change == kind)
    }

    /// What stands in the offer or the decline; `None` where nothing is in force.
    pub fn words(&self) -> Option<Vec<String>> {
        (!self.overrides.is_empty()).then(|| self.overrides.iter().map(|decided| decided.words()).collect())
    }

    /// The policy without the rules that are waived; `None` where none is.
    pub fn without_waived(&self, policy: &Policy) -> Option<Policy> {
        let waived: Vec<&str> =
            self.of_kind(OverrideKind::WaiveRule).filter_map(|decided| decided.rule.as_deref()).collect();
        (!waived.is_empty()).then(|| {
            let mut policy = policy.clone();
            policy.rules.retain(|rule| !waived.contains(&rule.code.as_str()));
            policy
        })
    }

    /// A failed verdict for each officer who declines.
    pub fn declined(&self) -> Result<Vec<Verdict>, OfferError> {
        let verdict = |decided: &Override| {
            Ok(Verdict {
                rule: "officer".to_owned(),
                passed: false,
                observed: None,
                threshold: None,
                reason: Some(reason("officer-decision", &decided.reason)?),
            })
        };
        self.of_kind(OverrideKind::Decline).map(verdict).collect()
    }

    /// All caps, those raised and lowered that officers changed.
    pub fn caps(
        &self,
        policy: &Policy,
        product: &Product,
        case: &MerchantCase<'_>,
        account: &Account,
    ) -> Result<Vec<Cap>, OfferError> {
        let mut caps = least_caps(policy, product, case, account)?;
        let liability = account.group.as_ref().map_or(0, |group| liability_minor(policy, group));
        let committed = account.committed_minor(Some(&product.name));
        let left = |limit: i64| committed.map(|owed| limit.saturating_sub(owed).saturating_sub(liability).max(0));
        if let Some(raised) = self.of_kind(OverrideKind::RaiseLimit).filter_map(|decided| decided.limit_minor).max() {
            let left = left(raised);
            for cap in caps.iter_mut().filter(|cap| cap.name.is_judged()) {
                cap.value_minor = cap.value_minor.zip(left).map(|(value, left)| value.max(left));
            }
        }
        if let Some(most) = self.of_kind(OverrideKind::LowerLimit).filter_map(|decided| decided.limit_minor).min() {
            let place = caps.partition_point(|cap| cap.name < CapName::Officer);
            let cap = Cap { name: CapName::Officer, gross_minor: Some(most), value_minor: left(most) };
            caps.insert(place, cap);
        }
        Ok(caps)
    }

    /// The rate that an officer set, as near the band's rate as that officer must stay, at or above the floor and at the product's most; of several the
    /// highest. What a loan at it costs in a year is looked at in [`most_lawful_ppm`].
    pub fn rate_ppm(&self, policy: &Policy, floor_ppm: i64, band_ppm: i64) -> Option<i64> {
        let terms = policy.overrides.as_ref()?;
        let set = |decided: &Override| {
            let officer = terms.officer(&decided.by)?;
            let least = floor_ppm.max(band_ppm.saturating_sub(officer.rate_down_ppm));
            let most = band_ppm.saturating_add(officer.rate_up_ppm).min(policy.price.max_daily_rate_ppm).max(least);
            Some(decided.daily_rate_ppm?.clamp(least, most))
        };
        self.of_kind(OverrideKind::Rate).filter_map(set).max()
    }
}

/// What an officer's decision did to a merchant's product: a row of the published table `overrides`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideEffect {
    /// About whom.
    pub merchant_id: String,
    /// About which product.
    pub product: String,
    /// Its place among the merchant's decisions, from 1.
    pub number: i64,
    /// What is changed.
    pub change: String,
    /// How much, minor units; null where no limit is changed.
    pub asked_limit_minor: Option<i64>,
    /// Which rule is not asked; null where none is waived.
    pub waived_rule: Option<String>,
    /// Which rate was set; null where none was.
    pub asked_rate_ppm: Option<i64>,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// First as-of date.
    pub from_on: Date,
    /// Last one.
    pub until_on: Date,
    /// The policy lets this officer do so; otherwise it changes nothing.
    pub is_allowed: bool,
    /// Limit offered without any officer's decision; null where nothing would be.
    pub limit_without_minor: Option<i64>,
    /// Limit offered; null where nothing is.
    pub limit_minor: Option<i64>,
    /// Rate without any officer's decision.
    pub rate_without_ppm: Option<i64>,
    /// Rate.
    pub rate_ppm: Option<i64>,
}

/// What the decisions in force on a day did to a merchant: `with` them, and what would have been decided without.
#[must_use]
pub fn override_effects(
    policy: &Policy,
    overrides: &[Override],
    on: Date,
    (with, without): (&Decision, &Decision),
) -> Vec<OverrideEffect> {
    let mut effects = Vec::new();
    for (number, decided) in (1..).zip(overrides).filter(|(_, decided)| decided.is_in_force(on)) {
        let is_allowed = policy.overrides.as_ref().is_some_and(|terms| terms.allow(decided).is_ok());
        for product in policy.products.iter().filter(|product| decided.is_about(&product.name)) {
            let offer = |decision: &Decision| {
                decision.offers.iter().find(|o| o.product == product.name).map(|o| (o.limit_minor, o.daily_rate_ppm))
            };
            let ((limit_minor, rate_ppm), (limit_without_minor, rate_without_ppm)) =
                (offer(with).unzip(), offer(without).unzip());
            effects.push(OverrideEffect {
                merchant_id: decided.merchant_id.clone(),
                product: product.name.clone(),
                number,
                change: decided.change.name().to_owned(),
                asked_limit_minor: decided.limit_minor,
                waived_rule: decided.rule.clone(),
                asked_rate_ppm: decided.daily_rate_ppm,
                by: decided.by.clone(),
                reason: decided.reason.clone(),
                from_on: decided.from_on,
                until_on: decided.until_on,
                is_allowed,
                limit_without_minor,
                limit_minor,
                rate_without_ppm,
                rate_ppm,
            });
        }
    }
    effects.sort_by(|a, b| (&a.merchant_id, &a.product, a.number).cmp(&(&b.merchant_id, &b.product, b.number)));
    effects
}

/// The rate that an officer set, or where it is above the one without the officer and a loan at it would cost more in a year than the law allows, a lawful
/// one between the two: with rounding, a lower rate is not always the cheaper one, and of those tried by halves the highest lawful one is taken.
///
/// # Errors
/// What `is_lawful` says.
pub(super) fn most_lawful_ppm(
    without_ppm: i64,
    set_ppm: i64,
    is_lawful: impl Fn(i64) -> Result<bool, OfferError>,
) -> Result<i64, OfferError> {
    if set_ppm <= without_ppm || is_lawful(set_ppm)? {
        return Ok(set_ppm);
    }
    let (mut low, mut high) = (without_ppm, set_ppm);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_lawful(middle)? { low = middle } else { high = middle }
    }
    Ok(low)
}

#[cfg(test)]
#[path = "overrides_tests.rs"]
mod tests;
