//! Whether the numbers of an offer follow from one another: what an auditor recomputes from the published file alone.

use super::cost::CostOfLoan;
use super::decision::Offer;
use super::error::OfferError;
use super::schedule::{Due, schedule};

/// A number of an offer that does not follow from its others.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Irreproducible {
    /// The limit is not below every cap, or the binding one is not the least.
    #[error("limit {limit_minor} does not follow from the caps: {why}")]
    Limit {
        /// As published.
        limit_minor: i64,
        /// In what.
        why: &'static str,
    },
    /// The rate is not the larger of floor and band nor what an officer or portfolio optimisation set, or the floor less than its parts.
    #[error("rate of {daily_rate_ppm} ppm does not follow from floor {floor_ppm} and band {band_ppm}")]
    Rate {
        /// As published.
        daily_rate_ppm: i64,
        /// Its floor.
        floor_ppm: i64,
        /// The band's rate.
        band_ppm: i64,
    },
    /// Interest, annual rate or saving are not those of the schedule.
    #[error("{what} is {published} and comes to {recomputed}")]
    Cost {
        /// Which.
        what: &'static str,
        /// As published.
        published: f64,
        /// As recomputed.
        recomputed: f64,
    },
    /// The terms make no schedule.
    #[error("the terms make no schedule")]
    NoSchedule,
}

/// The schedule of an offer that is drawn in full.
///
/// # Errors
/// Terms that make no schedule.
pub fn schedule_of(offer: &Offer) -> Result<Vec<Due>, OfferError> {
    schedule(&offer.terms(offer.limit_minor)?)
}

/// Recomputes limit, rate, interest, annual rate and saving of an offer from what stands beside them.
///
/// # Errors
/// The first number that does not follow.
pub fn reproduce(offer: &Offer) -> Result<(), Irreproducible> {
    let wrong = |why| Err(Irreproducible::Limit { limit_minor: offer.limit_minor, why });
    let values: Option<Vec<i64>> = offer.caps.iter().map(|cap| cap.value_minor).collect();
    let Some(values) = values else { return wrong("a cap is not known") };
    let least = values.iter().copied().min().unwrap_or(0);
    let binding = offer.caps.iter().find(|cap| cap.name == offer.binding_cap).and_then(|cap| cap.value_minor);
    if offer.limit_minor <= 0 || offer.limit_minor > least {
        return wrong("it is above a cap, or not above zero");
    }
    if binding != Some(least) {
        return wrong("the binding cap is not the least");
    }
    let parts = [offer.expected_loss_daily_ppm, offer.funding_daily_ppm, offer.cost_daily_ppm, offer.margin_daily_ppm];
    let sum = parts.iter().fold(0_i64, |sum, part| sum.saturating_add(*part));
    let own = offer.floor_daily_ppm.max(offer.band_daily_ppm);
    let rate = offer.officer_rate_ppm.or(offer.optimised_rate_ppm).unwrap_or(own);
    if offer.daily_rate_ppm != rate || rate < offer.floor_daily_ppm || offer.floor_daily_ppm < sum {
        return Err(Irreproducible::Rate {
            daily_rate_ppm: offer.daily_rate_ppm,
            floor_ppm: offer.floor_daily_ppm,
            band_ppm: offer.band_daily_ppm,
        });
    }
    let costs = offer.terms(offer.limit_minor);
    let costs = costs.and_then(|terms| CostOfLoan::of_terms(&terms, offer.expected_receipts_minor));
    let costs = costs.map_err(|_| Irreproducible::NoSchedule)?;
    // What stands only in offers of a share of sales is -1 in the others.
    let days = |days: Option<u16>| days.map_or(-1.0, f64::from);
    let minor = |minor: Option<i64>| minor.map_or(-1.0, |n| n as f64);
    let compared = [
        ("apr", offer.apr, costs.apr),
        ("interest_minor", offer.interest_minor as f64, costs.interest_minor as f64),
        ("early_saving_minor", offer.early_saving_minor as f64, costs.early_saving_minor as f64),
        ("expected_days", days(offer.expected_days), days(costs.expected_days)),
        ("most_interest_minor", minor(offer.most_interest_minor), minor(costs.most_interest_minor)),
    ];
    match compared.into_iter().find(|(_, published, recomputed)| published.to_bits() != recomputed.to_bits()) {
        Some((what, published, recomputed)) => Err(Irreproducible::Cost { what, published, recomputed }),
        None => Ok(()),
    }
}
