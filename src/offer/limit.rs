//! Limits: the least of named caps, rounded down to a step.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use super::error::OfferError;
use super::pledge::{carried_minor, free_receivables};
use super::policy::{LoanBookUse, Policy, Product};

/// A cap's name. The order breaks ties: of equal caps the first one binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapName {
    /// Share of the lower quantile of the next window's net receipts.
    Ability,
    /// Multiple of integrity capital.
    IntegrityCapital,
    /// Multiple of the lowest month.
    LowestMonth,
    /// Advance on shipped, unconfirmed orders.
    OrderReceivables,
    /// What was asked for.
    Requested,
    /// What the guarantee group still carries.
    Group,
    /// Total cap less what is owed and what earlier products may claim.
    ExposureLeft,
    /// The product's largest.
    Product,
    /// The largest loan there is.
    HardCap,
}

impl CapName {
    /// Stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ability => "ability",
            Self::IntegrityCapital => "integrity-capital",
            Self::LowestMonth => "lowest-month",
            Self::OrderReceivables => "order-receivables",
            Self::Requested => "requested",
            Self::Group => "group",
            Self::ExposureLeft => "exposure-left",
            Self::Product => "product",
            Self::HardCap => "hard-cap",
        }
    }

    /// Whether it speaks of the merchant's means and wish rather than of the lender's own bounds.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        matches!(
            self,
            Self::Ability | Self::IntegrityCapital | Self::LowestMonth | Self::OrderReceivables | Self::Requested
        )
    }

    /// Reason when the cap leaves less than the product's minimum: code and words.
    #[must_use]
    pub const fn reason_when_small(self) -> (&'static str, &'static str) {
        match self {
            Self::Ability => ("ability-low", "expected receipts carry too small a loan"),
            Self::IntegrityCapital => ("integrity-capital-low", "too little trade was delivered as promised"),
            Self::LowestMonth => ("lowest-month-low", "the weakest month carries too small a loan"),
            Self::OrderReceivables => ("receivables-low", "too few shipped orders wait for confirmation"),
            Self::Requested => ("requested-below-minimum", "the sum asked for is below the product's smallest loan"),
            Self::Group => ("group-capacity-low", "the guarantee group carries too little more"),
            Self::ExposureLeft => ("exposure-used-up", "what is owed already leaves too little room"),
            Self::Product | Self::HardCap => ("product-minimum", "the product's bounds leave no loan"),
        }
    }

    /// Reason when the cap's evidence is missing: code and words.
    #[must_use]
    pub const fn reason_when_unknown(self) -> (&'static str, &'static str) {
        match self {
            Self::Ability => ("ability-unknown", "too little history to foresee receipts"),
            Self::IntegrityCapital => ("integrity-capital-unknown", "too little history to measure integrity capital"),
            Self::LowestMonth => ("lowest-month-unknown", "too few months of trade to know the weakest"),
            Self::ExposureLeft => ("credit-record-unknown", "the credit record cannot be read"),
            Self::OrderReceivables | Self::Requested | Self::Group | Self::Product | Self::HardCap => {
                ("history-too-short", "too little history")
            }
        }
    }
}

impl fmt::Display for CapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A cap and its value in minor units; `None` where its evidence is missing, which fails closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Which.
    pub name: CapName,
    /// Its value, never negative.
    pub value_minor: Option<i64>,
}

/// The least of the caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A cap is unknown: nothing is lent on what is not known. The first such cap.
    Unknown(CapName),
    /// The least cap, floored to the step, and the cap that binds.
    Known {
        /// Floored to the step; may be 0.
        limit_minor: i64,
        /// The least cap; of equals the first in [`CapName`]'s order.
        binding: CapName,
    },
}

/// All caps on a product for a merchant, in [`CapName`]'s order.
///
/// # Errors
/// Features or sums that nothing may rest on.
pub fn caps_of(policy: &Policy, product: &Product, case: &MerchantCase<'_>) -> Result<Vec<Cap>, OfferError> {
    let mut caps = Vec::new();
    let mut put =
        |name: CapName, value_minor: Option<i64>| caps.push(Cap { name, value_minor: value_minor.map(|v| v.max(0)) });
    if let Some(share) = product.caps.ability_share_ppm {
        put(CapName::Ability, case.ability_lower_minor.map(|a| carried_minor(a, share)));
    }
    if let Some(factor) = product.caps.integrity_capital_factor_ppm {
        put(CapName::IntegrityCapital, case.integrity_capital_minor.map(|k| carried_minor(k, factor)));
    }
    if let Some(lowest) = &product.caps.lowest_month {
        let month = case.feature(&lowest.feature)?.map(whole_minor);
        put(CapName::LowestMonth, month.map(|m| carried_minor(m, lowest.factor_ppm)));
    }
    let application = case.application(&product.name);
    if let Some(rate) = product.caps.receivables_advance_rate_ppm {
        let free = free_receivables(case, application.map_or(&[], |a| a.order_ids))?;
        let sum = free.iter().fold(0_i64, |sum, r| sum.saturating_add(r.amount_minor));
        put(CapName::OrderReceivables, Some(carried_minor(sum, rate)));
    }
    if let Some(application) = application {
        put(CapName::Requested, Some(application.requested_minor));
    }
    if let Some(group) = case.group_cap_minor {
        put(CapName::Group, Some(group));
    }
    put(CapName::ExposureLeft, exposure_left(policy, product, case)?);
    put(CapName::Product, Some(product.max_limit_minor));
    put(CapName::HardCap, Some(policy.hard_cap_minor));
    Ok(caps)
}

/// Total cap − outstanding − the largest limits of the products before this one. So all offers of one night together, drawn in full,
/// stay within the total cap, and no product's offer depends on another's fate.
fn exposure_left(policy: &Policy, product: &Product, case: &MerchantCase<'_>) -> Result<Option<i64>, OfferError> {
    let outstanding = match (case.credit, policy.loan_book) {
        (Some(record), _) => record.outstanding_minor,
        (None, LoanBookUse::None) => 0,
        (None, LoanBookUse::Required) => return Ok(None),
    };
    if outstanding < 0 {
        return Err(OfferError::Negative {
            merchant_id: case.merchant_id.to_owned(),
            what: "the outstanding principal",
            value: outstanding,
        });
    }
    let earlier = policy.products.iter().take_while(|p| p.name != product.name).map(|p| p.max_limit_minor);
    let left = earlier.fold(policy.total_cap_minor.saturating_sub(outstanding), i64::saturating_sub);
    Ok(Some(left))
}

/// The least of the caps, floored to the step.
#[must_use]
pub fn least_of(caps: &[Cap], step_minor: i64) -> Limit {
    let mut least: Option<(i64, CapName)> = None;
    for cap in caps {
        match cap.value_minor {
            None => return Limit::Unknown(cap.name),
            Some(value) => {
                let candidate = (value, cap.name);
                least = Some(least.map_or(candidate, |l| l.min(candidate)));
            }
        }
    }
    match least {
        // No cap at all: nothing is known of what could be lent.
        None => Limit::Unknown(CapName::Ability),
        Some((value, binding)) => {
            let step = step_minor.max(1);
            Limit::Known { limit_minor: value.max(0) / step * step, binding }
        }
    }
}

/// Whole minor units of a finite amount, rounded down and kept within 64 bits.
fn whole_minor(value: f64) -> i64 {
    // Saturates beyond the range and cannot be NaN: the feature was checked.
    #[expect(clippy::cast_possible_truncation, reason = "saturating is what is meant")]
    let whole = value.floor() as i64;
    whole
}
