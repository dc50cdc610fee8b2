//! The worse of what is known and of what broken records might have said, part by part of a decision.

use super::case::MerchantCase;
use super::error::OfferError;
use super::guarantee::{guarantee_fails, priced_pd};
use super::limit::{Cap, caps_of};
use super::policy::{Policy, Product};
use super::price::{Price, price};
use super::rules::{Verdict, judge, reason};
use super::sales_share::expected_receipts_minor;
use crate::domain::Reason;
use crate::exposure::Account;

/// The reason of a decision that rests on what broken records might have said.
pub(super) fn at_worst(of_what: &str) -> Result<Reason, OfferError> {
    reason("broken-records-at-worst", &format!("records that cannot be read may say: {of_what}"))
}

/// Rules that fail: those that fail on what is known; where none does, those that fail in some scenario, each once.
pub(super) fn failed_rules(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
) -> Result<Vec<Verdict>, OfferError> {
    let failing = |case: &MerchantCase<'_>| -> Result<Vec<Verdict>, OfferError> {
        Ok(judge(policy, product, case)?.into_iter().filter(|verdict| !verdict.passed).collect())
    };
    let mut failed = failing(case)?;
    if !failed.is_empty() {
        return Ok(failed);
    }
    for scenario in case.scenarios {
        for verdict in failing(&case.within(scenario))? {
            if failed.iter().any(|known: &Verdict| known.rule == verdict.rule) {
                continue;
            }
            let text = verdict.reason.as_ref().map_or("a risk that is not served", |reason| &reason.text);
            failed.push(Verdict { reason: Some(at_worst(text)?), ..verdict });
        }
    }
    Ok(failed)
}

/// Every cap at its least: one that is unknown in some scenario is unknown.
pub(super) fn least_caps(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    account: &Account,
) -> Result<Vec<Cap>, OfferError> {
    let mut caps = caps_of(policy, product, case, account)?;
    for scenario in case.scenarios {
        for within in caps_of(policy, product, &case.within(scenario), account)? {
            // `None` is less than any value.
            let worse = |cap: &&mut Cap| cap.name == within.name && within.value_minor < cap.value_minor;
            if let Some(cap) = caps.iter_mut().find(worse) {
                *cap = within;
            }
        }
    }
    Ok(caps)
}

/// The least receipts that a share of sales may expect; `None` where any reading foresees nothing, and for products repaid in another way.
pub(super) fn least_receipts_minor(product: &Product, case: &MerchantCase<'_>) -> Option<i64> {
    let readings = std::iter::once(case.foreseen).chain(case.scenarios.iter().map(|scenario| &scenario.foreseen));
    readings.map(|foreseen| expected_receipts_minor(product, foreseen)).min().flatten()
}

/// The dearest price.
pub(super) struct HighestPrice {
    pub price: Price,
    /// Whether it is a scenario's.
    pub is_at_worst: bool,
    /// How likely the guarantee fails, as the merchant is known; `None` where there is none.
    pub guarantee_fails_prob: Option<f64>,
}

/// The dearest price of all that broken records could say.
pub(super) fn highest_price(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
) -> Result<HighestPrice, OfferError> {
    let guarantee_fails_prob = guarantee_fails(policy, product, case, case.pd);
    let as_known = price(policy, product, case.foreseen, case.band, priced_pd(case.pd, guarantee_fails_prob)?)?;
    let mut highest_price = HighestPrice { price: as_known, is_at_worst: false, guarantee_fails_prob };
    for scenario in case.scenarios {
        let pd = priced_pd(scenario.pd, guarantee_fails(policy, product, case, scenario.pd))?;
        let within = price(policy, product, &scenario.foreseen, &scenario.band, pd)?;
        if rank(&within) > rank(&highest_price.price) {
            (highest_price.price, highest_price.is_at_worst) = (within, true);
        }
    }
    Ok(highest_price)
}

/// Prices by how dear they are; one that cannot be had is dearer than any.
const fn rank(price: &Price) -> (u8, i64, i64) {
    match price {
        Price::Rate(rate, parts) => (0, rate.ppm(), parts.floor_ppm),
        Price::AboveLaw(parts) => (1, parts.floor_ppm, 0),
        Price::BandNotServed => (2, 0, 0),
    }
}
