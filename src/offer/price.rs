//! Price: a daily rate from the risk band, never below what the loan costs, never above the law.

use serde::{Deserialize, Serialize};

use super::course::course;
use super::error::OfferError;
use super::policy::{Policy, Product};
use super::sales_share::{expected_receipts_minor, low_case_carries_minor};
use super::schedule::{Due, REFERENCE_MINOR, schedule};
use crate::domain::{DailyRate, Probability};
use crate::model::ability::ReceiptForecast;

/// What a loan would cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Price {
    /// The band has no rate.
    BandNotServed,
    /// The floor exceeds the lawful most: the risk cannot be priced.
    AboveLaw(PriceParts),
    /// A lawful rate that covers its cost.
    Rate(DailyRate, PriceParts),
}

/// What a rate is made of, in parts per million a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PriceParts {
    /// Probability of default within the loan's own term.
    pub term_pd_prob: f64,
    /// Expected loss.
    pub expected_loss_ppm: i64,
    /// Cost of funds.
    pub funding_ppm: i64,
    /// Running cost.
    pub cost_ppm: i64,
    /// Margin.
    pub margin_ppm: i64,
    /// The least that the lender takes: the sum of these, or the policy's least.
    pub floor_ppm: i64,
    /// The band's own rate.
    pub band_ppm: i64,
}

/// `max(band's rate, floor)` with `floor = max(least, expected loss + funding + cost + margin)`.
///
/// Expected loss a day is what is lost over the term against what bears interest until then:
/// `⌈10⁶ × LGD × Σ ΔPDₖ × Bₖ ÷ Σ (1 − PDₖ) × Bₖ × dₖ⌉` over the periods `k` of the schedule, with the balance `Bₖ` of the period, its days `dₖ`, the
/// probability `ΔPDₖ` of default within it and `PDₖ` of default by its end. The whole limit is taken as drawn; balances are those of the dearest
/// lawful rate, under which they fall slowest. The balances of a share of sales are those of its expected course, day by day, of the largest loan that the
/// merchant's low case carries: the price of a smaller one is the same.
///
/// # Errors
/// A product without a schedule.
pub fn price(
    policy: &Policy,
    product: &Product,
    foreseen: &ReceiptForecast,
    band: &str,
    pd: Probability,
) -> Result<Price, OfferError> {
    let terms = &policy.price;
    let Some(band_rate) = product.daily_rate_ppm.get(band) else { return Ok(Price::BandNotServed) };
    let expected_loss_ppm = expected_loss_ppm(policy, product, foreseen, pd)?;
    let costs = expected_loss_ppm
        .saturating_add(terms.funding_daily_ppm)
        .saturating_add(terms.cost_daily_ppm)
        .saturating_add(terms.margin_daily_ppm);
    let parts = PriceParts {
        term_pd_prob: terms.term_structure.pd_within(pd, product.term_days),
        expected_loss_ppm,
        funding_ppm: terms.funding_daily_ppm,
        cost_ppm: terms.cost_daily_ppm,
        margin_ppm: terms.margin_daily_ppm,
        floor_ppm: costs.max(terms.min_daily_rate_ppm),
        band_ppm: band_rate.ppm(),
    };
    if parts.floor_ppm > terms.max_daily_rate_ppm {
        return Ok(Price::AboveLaw(parts));
    }
    Ok(match DailyRate::from_ppm(parts.band_ppm.max(parts.floor_ppm)) {
        Ok(rate) => Price::Rate(rate, parts),
        Err(_) => Price::AboveLaw(parts),
    })
}

/// Certain default costs no more than this a day: far above any law.
const MOST_PPM: f64 = 1e9;

fn expected_loss_ppm(
    policy: &Policy,
    product: &Product,
    foreseen: &ReceiptForecast,
    pd: Probability,
) -> Result<i64, OfferError> {
    let terms = &policy.price;
    let (mut lost, mut bearing) = (0.0, 0.0);
    let (mut day, mut before) = (0_u16, 0.0);
    for (until, balance) in balances(policy, product, foreseen)? {
        let by_then = terms.term_structure.pd_within(pd, until);
        lost += (by_then - before) * balance as f64;
        bearing += (1.0 - by_then) * balance as f64 * f64::from(until - day);
        (day, before) = (until, by_then);
    }
    let loss = 1e6 * terms.loss_given_default_prob.get() * lost / bearing;
    #[expect(clippy::cast_possible_truncation, reason = "at most a thousand million")]
    let ppm = if loss.is_nan() { 0.0 } else { loss.min(MOST_PPM) }.ceil() as i64;
    Ok(ppm)
}

/// Periods of a loan of the reference principal: the day on which each ends, and what is owed in it.
fn balances(policy: &Policy, product: &Product, foreseen: &ReceiptForecast) -> Result<Vec<(u16, i64)>, OfferError> {
    let terms = product.terms(REFERENCE_MINOR, DailyRate::from_ppm(policy.price.max_daily_rate_ppm)?);
    if let Some(share) = product.repayment.sales_share() {
        let carries = low_case_carries_minor(policy, product, share, foreseen)?.filter(|carries| *carries > 0);
        let receipts = carries.zip(expected_receipts_minor(product, foreseen)).map_or(0, |(carries, receipts)| {
            let of_reference = i128::from(receipts) * i128::from(REFERENCE_MINOR) / i128::from(carries);
            i64::try_from(of_reference).unwrap_or(i64::MAX)
        });
        let owed = course(&terms, share, receipts, None)?.owed_minor;
        return Ok((1..).zip(owed).collect());
    }
    let mut balance = REFERENCE_MINOR;
    let of = |due: Due| {
        let owed = balance;
        balance -= due.principal_minor;
        (due.day, owed)
    };
    Ok(schedule(&terms)?.into_iter().map(of).collect())
}
