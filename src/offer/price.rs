//! Price: a daily rate from the risk band, never below cost, never above the law.

use super::policy::{Policy, Product};
use crate::domain::{DailyRate, Probability};

/// What a loan would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// The band has no rate.
    BandNotServed,
    /// The floor exceeds the lawful most: the risk cannot be priced.
    AboveLaw {
        /// Expected loss + funding + cost, in parts per million a day.
        floor_ppm: i64,
    },
    /// A lawful rate that covers its cost.
    Rate(DailyRate),
}

/// `max(band's rate, floor)` with `floor = ⌈10⁶ × PD × LGD ÷ horizon⌉ + funding + cost`.
///
/// Expected loss a day spreads the loss over the PD's own horizon, as if default were equally likely on each of its days and
/// the whole limit were drawn: the dearer assumption of the two that a lender can make.
#[must_use]
pub fn price(policy: &Policy, product: &Product, band: &str, pd: Probability) -> Price {
    let terms = &policy.price;
    let Some(band_rate) = product.daily_rate_ppm.get(band) else { return Price::BandNotServed };
    let loss = 1e6 * pd.get() * terms.loss_given_default_prob.get() / f64::from(terms.pd_horizon_days.max(1));
    #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
    let loss_ppm = loss.ceil() as i64;
    let floor_ppm = loss_ppm + terms.funding_daily_ppm + terms.cost_daily_ppm;
    if floor_ppm > terms.max_daily_rate_ppm {
        return Price::AboveLaw { floor_ppm };
    }
    match DailyRate::from_ppm(band_rate.ppm().max(floor_ppm)) {
        Ok(rate) => Price::Rate(rate),
        Err(_) => Price::AboveLaw { floor_ppm },
    }
}
