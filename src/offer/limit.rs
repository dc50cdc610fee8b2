//! Limits: the least of named caps, rounded down to a step.

use std::fmt;
use std::str::FromStr;

use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use super::decision::Offer;
use super::error::OfferError;
use super::evidence_caps::GrowthCap;
use super::guarantee::liability_minor;
use super::policy::{Policy, Product};
use super::room::room_minor;
use super::sales_share::low_case_carries_minor;
use super::schedule::{REFERENCE_MINOR, schedule};
use crate::domain::DailyRate;
use crate::exposure::{Account, Declared, OwnerShare, Request, Requests};
use crate::repayment::BorrowerRecord;

/// A cap's name. The order breaks ties: of equal caps the first one binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapName {
    /// Share of the lower quantile of net receipts over the loan's own term.
    Ability,
    /// What the lower figure carries after the payments of all debts within the term; of a share of sales, by each milestone.
    DebtService,
    /// Multiple of integrity capital.
    IntegrityCapital,
    /// Multiple of the lowest month.
    LowestMonth,
    /// Advance on shipped, unconfirmed orders that nothing else rests on.
    OrderReceivables,
    /// What declared sales less declared costs carry after the payments of all debts within the term.
    DeclaredDebtService,
    /// What declared assets carry beyond declared liabilities.
    DeclaredLeverage,
    /// Multiple of the largest loan that was owed for long enough and repaid on time.
    Growth,
    /// What was asked for.
    Requested,
    /// What the guarantee groups still allow.
    Group,
    /// This shop's part of what the bounds of its owner leave to all its shops.
    Owner,
    /// What a borrower restored after a default may owe by now.
    Regrowth,
    /// Total cap less what is owed and may still be drawn.
    ExposureLeft,
    /// What the portfolio's budget leaves after all other merchants.
    PortfolioBudget,
    /// What portfolio optimisation has left of the limit.
    Optimised,
    /// What an officer has limited it to.
    Officer,
    /// The product's largest.
    Product,
    /// The largest loan there is.
    HardCap,
}

impl CapName {
    /// Whether it comes from the merchant's means and request rather than from the lender's own bounds.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        matches!(
            self,
            Self::Ability
                | Self::DebtService
                | Self::IntegrityCapital
                | Self::LowestMonth
                | Self::OrderReceivables
                | Self::DeclaredDebtService
                | Self::DeclaredLeverage
                | Self::Growth
                | Self::Requested
        )
    }

    /// Reason when the cap leaves less than the product's minimum: code and words.
    #[must_use]
    pub const fn reason_when_small(self) -> (&'static str, &'static str) {
        match self {
            Self::Ability => ("ability-low", "expected receipts carry too small a loan"),
            Self::DebtService => {
                ("debt-service-high", "payments of all debts would take too much of expected receipts")
            }
            Self::DeclaredDebtService => ("declared-earnings-low", "declared earnings carry too small a loan"),
            Self::DeclaredLeverage => ("declared-leverage-high", "declared liabilities leave too little of the assets"),
            Self::Growth => (
                "growth-limit-low",
                "loans that were owed for long enough and repaid on time carry too small a next one",
            ),
            Self::PortfolioBudget => ("portfolio-budget", "the lender's budget is used up"),
            Self::Optimised => {
                ("portfolio-optimised", "other loans are worth more within what the lender may lend and lose")
            }
            Self::Officer => ("officer-limit", "an officer has limited what is lent"),
            Self::IntegrityCapital => ("integrity-capital-low", "too little trade was delivered as promised"),
            Self::LowestMonth => ("lowest-month-low", "the weakest month carries too small a loan"),
            Self::OrderReceivables => ("receivables-low", "too few shipped orders wait for confirmation"),
            Self::Requested => ("requested-below-minimum", "the sum asked for is below the product's smallest loan"),
            Self::Group => ("group-capacity-low", "the guarantee group carries too little more"),
            Self::Owner => {
                ("owner-capacity-low", "what all shops of the owner may borrow together leaves too little here")
            }
            Self::Regrowth => ("regrowth-low", "after a default credit grows again step by step"),
            Self::ExposureLeft => ("exposure-used-up", "what is owed already leaves too little room"),
            Self::Product | Self::HardCap => ("product-minimum", "the product's bounds leave no loan"),
        }
    }

    /// Reason when the cap's evidence is missing: code and words.
    #[must_use]
    pub const fn reason_when_unknown(self) -> (&'static str, &'static str) {
        match self {
            Self::Ability => ("ability-unknown", "too little history to foresee receipts"),
            Self::DebtService => ("debt-service-unknown", "too little history to foresee receipts over the term"),
            Self::DeclaredDebtService | Self::DeclaredLeverage => {
                ("declaration-missing", "an application does not declare what is asked, or cannot be read")
            }
            Self::PortfolioBudget => ("portfolio-budget-unknown", "what the lender's budget leaves is not known"),
            Self::IntegrityCapital => ("integrity-capital-unknown", "too little history to measure integrity capital"),
            Self::LowestMonth => ("lowest-month-unknown", "too few months of trade to know the weakest"),
            Self::ExposureLeft | Self::Growth | Self::Regrowth | Self::Officer => {
                ("credit-record-unknown", "the credit record cannot be read")
            }
            Self::OrderReceivables => {
                ("receivables-unknown", "which orders were shipped, and which are disputed, is not known")
            }
            Self::Requested => ("application-unknown", "what was asked for cannot be read"),
            Self::Group => ("group-unknown", "what the guarantee group owes is not known"),
            Self::Owner => ("owner-record-unknown", "what another shop of the same owner owes is not known"),
            Self::Optimised | Self::Product | Self::HardCap => ("history-too-short", "too little history"),
        }
    }
}

impl fmt::Display for CapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for CapName {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

/// A cap and its value in minor units; `None` where its evidence is missing, which fails closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Which.
    pub name: CapName,
    /// What the evidence, or the policy, allows before anything is owed or offered.
    pub gross_minor: Option<i64>,
    /// What is left of it; never negative.
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

/// Writes the portfolio's budget among an offer's caps, with what it leaves: `left_minor`, which is negative where the budget is overdrawn, and what
/// the offer takes over from the one that it replaces. Limits lie on steps of `step_minor`. Returns whether the offer fits.
pub fn within_budget(
    offer: &mut Offer,
    budget_minor: i64,
    left_minor: i64,
    taken_over_minor: i64,
    step_minor: i64,
) -> bool {
    let room = room_minor(left_minor, taken_over_minor);
    let cap = Cap { name: CapName::PortfolioBudget, gross_minor: Some(budget_minor), value_minor: Some(room) };
    offer.put_cap(cap);
    if offer.limit_minor > room {
        return false;
    }
    offer.tell_what_holds(step_minor);
    // Within a step of the limit the budget may be the least of all.
    if offer.caps.iter().filter_map(|c| c.value_minor).all(|value| value >= room)
        && offer.caps.iter().any(|c| c.name == offer.binding_cap && c.value_minor > Some(room))
    {
        offer.binding_cap = CapName::PortfolioBudget;
    }
    true
}

/// All caps on a product for a merchant, in [`CapName`]'s order.
///
/// Caps that rest on evidence, and the total cap, are net of all that is owed and may still be drawn ([`Account::committed_minor`]) and of
/// what the merchant answers for in its groups: all that was granted before a product, drawn in full with it, stays within each of its caps. A longer
/// product that is granted later also leaves the shorter ones their debt service. A newer offer of a product replaces the one before it, which is therefore
/// left out.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn caps_of(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    account: &Account,
) -> Result<Vec<Cap>, OfferError> {
    let committed = account.committed_minor(Some(&product.name));
    let liability = account.group.as_ref().map_or(0, |group| liability_minor(policy, group));
    let net = |gross: i64| committed.map(|c| gross.saturating_sub(c).saturating_sub(liability));
    let mut caps = Vec::new();
    let mut put = |name: CapName, gross_minor: Option<i64>, value_minor: Option<i64>| {
        let gross_minor = gross_minor.map(|v| v.max(0));
        caps.push(Cap { name, gross_minor, value_minor: value_minor.map(|v| v.max(0)) });
    };
    if let Some(share) = product.caps.ability_share_ppm {
        let gross = case.foreseen.lower_minor(product.term_days).map(|a| carried_minor(a, share));
        put(CapName::Ability, gross, gross.and_then(net));
    }
    let own = if let Some(share) = product.repayment.sales_share() {
        Some(low_case_carries_minor(policy, product, share, case.foreseen)?)
    } else if let Some(share) = product.caps.debt_service_share_ppm {
        let means = case.foreseen.lower_minor(product.term_days).map(|a| carried_minor(a, share));
        Some(means.map(|means| serviced_minor(policy, product, means)).transpose()?)
    } else {
        None
    };
    let own = own.map(|gross| (gross, gross.and_then(net)));
    let beside = left_beside_shorter(policy, product, case, account, net)?;
    // What is not known is less than anything.
    let serviced = own.into_iter().chain(beside).min_by_key(|(_, value)| *value);
    if let Some((gross, value)) = serviced {
        put(CapName::DebtService, gross, value);
    }
    if let Some(factor) = &product.caps.integrity_capital_factor_ppm {
        let gross = case.integrity_capital_minor.map(|k| carried_minor(k, factor.of(case.band)));
        put(CapName::IntegrityCapital, gross, gross.and_then(net));
    }
    if let Some(lowest) = &product.caps.lowest_month {
        let gross = case.feature(&lowest.feature)?.map(whole_minor).map(|m| carried_minor(m, lowest.factor_ppm));
        put(CapName::LowestMonth, gross, gross.and_then(net));
    }
    let request = request(account, &product.name);
    if let Some(rate) = product.caps.receivables_advance_rate_ppm {
        let gross = account.receivables_minor().map(|sum| carried_minor(sum, rate));
        put(CapName::OrderReceivables, gross, receivables_left(account, product, rate, request));
    }
    let earned = |declared: &Declared| {
        let (sales, costs) = declared.gross_sales_12m_minor.zip(declared.operating_costs_12m_minor)?;
        Some(earned_minor(sales, costs, product.term_days))
    };
    if let Some(share) = product.caps.declared_debt_service_share_ppm
        && let (true, earned) = least_declared(account, request, earned)
    {
        let means = earned.map(|earned| carried_minor(earned, share));
        let gross = means.map(|means| serviced_minor(policy, product, means)).transpose()?;
        put(CapName::DeclaredDebtService, gross, gross.and_then(net));
    }
    let room = |declared: &Declared, most: i64| {
        let (assets, owes) = declared.gross_assets_minor.zip(declared.gross_liabilities_minor)?;
        Some(carried_minor(assets, most).saturating_sub(owes))
    };
    if let Some(most) = product.caps.declared_leverage_ppm
        && let (true, room) = least_declared(account, request, |declared| room(declared, most))
    {
        put(CapName::DeclaredLeverage, room, room.and_then(net));
    }
    if let Some(growth) = product.caps.growth {
        let gross = grown(&growth, case);
        put(CapName::Growth, gross, gross.and_then(net));
    }
    match (&account.requests, request) {
        (Requests::Unknown, _) => put(CapName::Requested, None, None),
        (_, Some(request)) => {
            put(CapName::Requested, Some(request.requested_minor), Some(request.requested_minor));
        }
        (_, None) => {}
    }
    if let Some(group) = &account.group {
        let held = account.held_minor(Some(&product.name));
        put(CapName::Group, group.allowance_minor, group.allowance_minor.map(|a| a.saturating_sub(held)));
    }
    // The least over all owners; what is not known is less than anything.
    let of_owners = account.owner_shares().iter().map(|share| owner_leaves(policy, product, share, account, liability));
    if let Some((gross, value)) = of_owners.min_by_key(|(_, value)| *value) {
        put(CapName::Owner, gross, value);
    }
    if let Some(most) = case.regrowth_minor {
        put(CapName::Regrowth, Some(most), net(most));
    }
    put(CapName::ExposureLeft, Some(policy.total_cap_minor), net(policy.total_cap_minor));
    put(CapName::Product, Some(product.max_limit_minor), Some(product.max_limit_minor));
    put(CapName::HardCap, Some(policy.hard_cap_minor), Some(policy.hard_cap_minor));
    Ok(caps)
}

/// A cap before and after all that is committed; unknown where its evidence is.
type Serviced = (Option<i64>, Option<i64>);

/// What the debt service of shorter products leaves on which the merchant owes or may draw already: the largest loan, before and after all that is
/// committed, of which no more falls due within their terms than the low case of receipts over these terms pays; unknown where that is not foreseen. `None`
/// where no shorter product holds.
fn left_beside_shorter(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    account: &Account,
    net: impl Fn(i64) -> Option<i64>,
) -> Result<Option<Serviced>, OfferError> {
    let is_shorter = |other: &&Product| {
        other.term_days < product.term_days
            && other.repayment.sales_share().is_none()
            && account.may_owe(&other.name, &product.name)
    };
    let mut least: Option<Serviced> = None;
    for other in policy.products.iter().filter(is_shorter) {
        let Some(share) = other.caps.debt_service_share_ppm else { continue };
        let due = reference_due(policy, product, other.term_days)?;
        if due == 0 {
            continue;
        }
        let low = case.foreseen.lower_minor(other.term_days);
        let gross = low.map(|low| serviced_minor(policy, other, carried_minor(low, share))).transpose()?;
        let Some((gross, left)) = gross.and_then(|gross| Some((gross, net(gross)?))) else {
            return Ok(Some((None, None)));
        };
        // Payments of so much lent like the other product, as a loan of this one.
        let of_each = reference_due(policy, other, other.term_days)?;
        let scaled = |minor: i64| i64::try_from(i128::from(minor.max(0)) * of_each / due).unwrap_or(i64::MAX);
        let found = (Some(scaled(gross)), Some(scaled(left)));
        if least.is_none_or(|(_, value)| found.1 < value) {
            least = Some(found);
        }
    }
    Ok(least)
}

/// What falls due of a loan of [`REFERENCE_MINOR`] up to a day of its term, interest at the dearest lawful rate included.
fn reference_due(policy: &Policy, product: &Product, until_day: u16) -> Result<i128, OfferError> {
    let terms = product.terms(REFERENCE_MINOR, DailyRate::from_ppm(policy.price.max_daily_rate_ppm)?);
    let due = schedule(&terms)?.into_iter().filter(|due| due.day <= until_day);
    Ok(due.map(|due| i128::from(due.amount_minor())).sum())
}

/// The largest loan whose payments over the term stay within some sum.
///
/// What is owed and offered already is taken off it as if it were lent like this loan and due within the term, and interest is that of the dearest
/// lawful rate: both are the cautious reading, and neither depends on the price that the limit itself would have.
fn serviced_minor(policy: &Policy, product: &Product, means_minor: i64) -> Result<i64, OfferError> {
    let paid = reference_due(policy, product, product.term_days)?;
    // Rounding adds at most half a minor unit to each payment.
    let without_rounding = means_minor.saturating_sub(i64::from(product.instalments)).max(0);
    let principal = i128::from(without_rounding) * i128::from(REFERENCE_MINOR) / paid.max(1);
    Ok(i64::try_from(principal).unwrap_or(i64::MAX))
}

/// Whether declarations are asked of a merchant: of applicants, and of whoever declared something lately. And the least of what the request's
/// comes to and what the others do; `None` where the request declares too little, or what was declared lately cannot be read.
fn least_declared(
    account: &Account,
    request: Option<&Request>,
    of: impl Fn(&Declared) -> Option<i64>,
) -> (bool, Option<i64>) {
    if account.has_unread_declaration {
        return (true, None);
    }
    let least = account.declarations.iter().filter_map(&of).min();
    match request {
        None => (least.is_some(), least),
        Some(request) => (true, of(&request.declared).map(|asked| least.map_or(asked, |least| least.min(asked)))),
    }
}

/// What is earned over a term by the declared sales and costs of a year, rounded down; a loss earns nothing.
fn earned_minor(sales: i64, costs: i64, term_days: u16) -> i64 {
    let earned = i128::from(sales.saturating_sub(costs).max(0)) * i128::from(term_days) / 365;
    i64::try_from(earned).unwrap_or(i64::MAX)
}

/// `max(first limit, multiple of the largest loan that was owed for long enough and repaid on time)`; `None` where the record cannot be read.
fn grown(growth: &GrowthCap, case: &MerchantCase<'_>) -> Option<i64> {
    let clean = match case.record {
        BorrowerRecord::NoBook => 0,
        BorrowerRecord::Known(record) => record.clean_principal_minor(growth.least_days_owed),
        BorrowerRecord::Unknown(_) => return None,
    };
    Some(grown_from(growth, clean))
}

fn grown_from(growth: &GrowthCap, clean_minor: i64) -> i64 {
    growth.first_limit_minor.max(carried_minor(clean_minor, growth.factor_ppm))
}

/// What an owner's bounds leave to one of its shops, before and after all that is committed: the least of the total cap, of graduated growth by the record
/// of all shops, of what one of them that was restored after a default may owe, and of the product's largest limit. Bounds of several products that are granted one after another are each net of what came before.
fn owner_leaves(policy: &Policy, product: &Product, share: &OwnerShare, account: &Account, liability: i64) -> Serviced {
    let held = account.held_minor(Some(&product.name));
    let on_all = |bound: i64| {
        let part = share.part_of(bound).map(|part| part.saturating_sub(held).saturating_sub(liability));
        (Some(bound), part)
    };
    let grown = product
        .caps
        .growth
        .map(|growth| grown_from(&growth, share.all.record.clean_principal_minor(growth.least_days_owed)));
    let largest = share.part_of_product(&product.name, product.max_limit_minor);
    let of_product = largest.saturating_sub(account.held_beside_minor(&product.name));
    let restored = share.all.most_minor.map(on_all);
    let bounds = [
        restored,
        Some(on_all(policy.total_cap_minor)),
        grown.map(on_all),
        Some((Some(product.max_limit_minor), Some(of_product))),
    ];
    bounds.into_iter().flatten().min_by_key(|(_, value)| *value).unwrap_or((None, None))
}

/// The latest pending application for a product.
pub(in crate::offer) fn request<'a>(account: &'a Account, product: &str) -> Option<&'a Request> {
    match &account.requests {
        Requests::Known(pending) => pending.iter().rev().find(|r| r.product == product),
        Requests::NotTaken | Requests::Unknown => None,
    }
}

/// `min(advance × free receivables, advance × all receivables − owed and offered on receivables)`: an order is lent against once, also
/// where a loan does not say which orders it rests on.
fn receivables_left(account: &Account, product: &Product, rate_ppm: i64, request: Option<&Request>) -> Option<i64> {
    let named = request.map_or(&[][..], |r| &r.order_ids);
    let free = account.free_receivables(&product.name, named)?;
    let free = free.iter().fold(0_i64, |sum, r| sum.saturating_add(r.counted_minor));
    let all = carried_minor(account.receivables_minor()?, rate_ppm);
    let committed = account.committed_on_receivables_minor(Some(&product.name))?;
    Some(carried_minor(free, rate_ppm).min(all.saturating_sub(committed)))
}

/// What a sum carries: `sum × rate`, rounded down; a negative sum carries nothing.
pub(super) fn carried_minor(sum_minor: i64, rate_ppm: i64) -> i64 {
    let carried = i128::from(sum_minor.max(0)) * i128::from(rate_ppm) / 1_000_000;
    i64::try_from(carried).unwrap_or(i64::MAX)
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
