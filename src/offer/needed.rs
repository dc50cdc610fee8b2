//! The smallest change that alters a decision.
//!
//! **Declined**: everything that stands in the way, each with the value that is just enough: of a rule its threshold, of the score the next one at
//! which the product serves and may price the risk, of a cap the smallest value that leaves a loan. All of them together are enough for an offer;
//! with any one of them short of it there is none.
//!
//! **Offered**: every cap that holds the limit, with the value at which the limit rises by one step, were none of the others short of it; and what
//! the limit would be without them, with the cap that binds then.
//!
//! What stands in the way is looked for as if what comes before it had changed already: a rule's feature also where a cap rests on it, the score
//! also where it decides band and price.

use std::collections::BTreeMap;

use super::case::MerchantCase;
use super::cost::CostOfLoan;
use super::error::OfferError;
use super::guarantee::{guarantee_fails, priced_pd};
use super::limit::{Cap, CapName};
use super::overrides::OverridesInForce;
use super::policy::{Policy, Product, RuleKind};
use super::price::{Price, price};
use super::rules::Verdict;
use super::worst_case::least_receipts_minor;
use crate::domain::Probability;
use crate::exposure::Account;
use crate::features::FeatureLookup;

/// What is needed of the score goes by this name.
pub const SCORE: &str = "score";

/// What would have to change for the product to be offered. `failed` are the rules that did not pass, whether or not a cap or the price was looked
/// at; what officers decided stays.
///
/// # Errors
/// A feature that is NaN or infinite, or a product without a schedule.
pub(super) fn needed_for_offer(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    account: &Account,
    (failed, in_force): (&[Verdict], &OverridesInForce<'_>),
) -> Result<Vec<Verdict>, OfferError> {
    let mut needed: Vec<Verdict> = Vec::new();
    for verdict in failed.iter().filter(|verdict| verdict.reason.is_some()) {
        match needed.iter_mut().find(|known| known.rule == verdict.rule && known.threshold.is_some()) {
            // Two rules on one feature: the stricter one asks for all that the other does.
            Some(known) if is_further(verdict, known) => *known = verdict.clone(),
            Some(_) => {}
            None => needed.push(verdict.clone()),
        }
    }
    let priced = is_priced(policy, product, case, case.band, case.pd)?;
    let next = if priced { None } else { next_score(policy, product, case)? };
    if !priced {
        needed.retain(|verdict| !PRICE_RULES.contains(&verdict.rule.as_str()));
        let threshold = next.map(|(score, ..)| f64::from(score));
        needed.push(Verdict {
            rule: SCORE.to_owned(),
            passed: false,
            observed: case.score.map(f64::from),
            threshold,
            reason: None,
        });
    }
    let features = Changed { features: case.features, values: changed_features(policy, &needed) };
    // Where no score is enough, or the scale is not known, caps are told for the riskiest band that is served.
    let riskiest = || policy.bands.iter().rev().find(|band| product.daily_rate_ppm.contains_key(*band));
    let band = match next {
        Some((_, band, _)) => band,
        None if priced => case.band,
        None => riskiest().map_or(case.band, String::as_str),
    };
    let changed = MerchantCase { band, pd: next.map_or(case.pd, |(_, _, pd)| pd), features: &features, ..case.clone() };
    let least = least_limit(policy, product);
    for cap in in_force.caps(policy, product, &changed, account)? {
        if cap.value_minor.is_none_or(|value| value < least) {
            needed.push(cap_needed(&cap, least));
        }
    }
    if needed.is_empty() {
        // The price lies within rounding of what the law allows.
        needed.extend(failed.iter().cloned());
    }
    for verdict in &mut needed {
        verdict.reason = None;
    }
    Ok(needed)
}

/// Verdicts on the price: what they ask for is asked of the score.
const PRICE_RULES: [&str; 3] = ["risk-band", "daily-rate-floor", "apr"];

/// The smallest limit that is offered, on a step.
pub(super) fn least_limit(policy: &Policy, product: &Product) -> i64 {
    let step = policy.limit_step_minor.max(1);
    let least = product.min_limit_minor.max(1);
    least.saturating_add(step - 1) / step * step
}

fn cap_needed(cap: &Cap, value_minor: i64) -> Verdict {
    Verdict {
        rule: cap.name.to_string(),
        passed: false,
        observed: cap.value_minor.map(|value| value as f64),
        threshold: Some(value_minor as f64),
        reason: None,
    }
}

/// Whether a verdict asks for more than another on the same thing.
fn is_further(verdict: &Verdict, known: &Verdict) -> bool {
    match (verdict.observed, verdict.threshold, known.threshold) {
        (Some(observed), Some(more), Some(less)) => (more - observed).abs() > (less - observed).abs(),
        _ => false,
    }
}

/// Whether a product serves a band, and may charge what the risk costs.
fn is_priced(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    band: &str,
    pd: Probability,
) -> Result<bool, OfferError> {
    let pd = priced_pd(pd, guarantee_fails(policy, product, case, pd))?;
    let Price::Rate(rate, _) = price(policy, product, case.foreseen, band, pd)? else { return Ok(false) };
    let receipts = least_receipts_minor(product, case);
    let costs = CostOfLoan::of(product, least_limit(policy, product), rate, receipts)?;
    Ok(costs.most_apr <= policy.price.max_apr_prob)
}

/// The next score at which the product would be priced, with its band and probability of default.
///
/// Within a band the probability falls as the score rises, so that the least score is found by halves; bands are tried from the riskiest on.
fn next_score<'a>(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'a>,
) -> Result<Option<(i32, &'a str, Probability)>, OfferError> {
    let Some(scale) = case.scale else { return Ok(None) };
    for step in scale.bands() {
        let low = case.score.map_or(step.low, |score| step.low.max(score.saturating_add(1)));
        if low > step.high || !product.daily_rate_ppm.contains_key(&step.band) {
            continue;
        }
        let priced = |score: i32| is_priced(policy, product, case, &step.band, scale.probability(score));
        if !priced(step.high)? {
            continue;
        }
        let (mut short, mut enough) = (low - 1, step.high);
        while enough - short > 1 {
            let middle = short + (enough - short) / 2;
            if priced(middle)? { enough = middle } else { short = middle }
        }
        return Ok(Some((enough, step.band.as_str(), scale.probability(enough))));
    }
    Ok(None)
}

/// Features with some of them changed.
struct Changed<'a> {
    features: &'a dyn FeatureLookup,
    values: BTreeMap<&'a str, f64>,
}

impl FeatureLookup for Changed<'_> {
    fn value(&self, feature: &str) -> Option<f64> {
        self.values.get(feature).copied().or_else(|| self.features.value(feature))
    }
}

/// Features that rules want changed, as far as they are the policy's.
fn changed_features<'a>(policy: &'a Policy, needed: &[Verdict]) -> BTreeMap<&'a str, f64> {
    let features = policy.rules.iter().filter_map(|rule| match &rule.kind {
        RuleKind::Feature { feature, .. } => Some(feature.as_str()),
        RuleKind::DeclaredSales { .. } | RuleKind::Arrears { .. } | RuleKind::WorstDpd { .. } => None,
    });
    let value = |feature: &'a str| {
        let verdict = needed.iter().find(|verdict| verdict.rule == feature)?;
        Some((feature, verdict.threshold?))
    };
    features.filter_map(value).collect()
}

/// What holds a limit.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LimitNeeds {
    /// Caps at which the limit stops, each with the value at which it would be a step larger.
    pub needed: Vec<Verdict>,
    /// The cap that binds without them, and the limit then; `None` where there is no other.
    pub next: Option<(CapName, i64)>,
}

/// What holds the limit that follows from caps.
pub(super) fn held_by(caps: &[Cap], limit_minor: i64, step_minor: i64) -> LimitNeeds {
    let step = step_minor.max(1);
    let above = limit_minor.saturating_add(step);
    let (holding, others): (Vec<&Cap>, Vec<&Cap>) =
        caps.iter().partition(|cap| cap.value_minor.is_none_or(|value| value < above));
    let next = others.iter().filter_map(|cap| Some((cap.value_minor?, cap.name))).min();
    LimitNeeds {
        needed: holding.into_iter().map(|cap| cap_needed(cap, above)).collect(),
        next: next.map(|(value, name)| (name, value / step * step)),
    }
}

#[cfg(test)]
#[path = "needed_tests.rs"]
mod tests;
