//! Decayed stock: what has been built up and not yet worn away. Integrity capital is one.

use super::kind::{FeatureKind, MeasureId, Names, OwnKind, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::domain::elementary::exp;
use crate::tiles::DayWindow;

/// `K(D) = Σ over past days d of 2^(−(D − d) ÷ half_life_days) × (gain(d) − penalty × loss(d))`, rounded to a whole number once,
/// at the end, half away from zero. With λ = ln 2 ÷ `half_life_days` the factor is e^(−λ(D − d)).
///
/// Promises kept build it, time and broken promises wear it down; it can be negative. Yesterday has D − d = 1. Days before the
/// window count nothing: with a window of eight half-lives they would count less than ½ %. Example: 1,000.00 kept 90 days ago and nothing
/// since is worth 500.00 at a half-life of 90 days.
///
/// Daily factors are made by repeated multiplication and added up nearest day first, gains and losses apart, so that the bytes depend
/// on nothing else. Source: [G], integrity capital; the functional form is project judgement.
#[derive(Debug)]
pub struct DecayedStock {
    gain: MeasureId,
    loss: Option<MeasureId>,
    penalty: f64,
    half_life_days: f64,
    window: DayWindow,
}

impl DecayedStock {
    /// Keys: `gain`, `loss` and `penalty` (together), `half_life_days`, `window_days`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let gain = p.measure("gain")?;
        let loss = p.optional_measure("loss")?;
        let penalty = if loss.is_some() { p.real("penalty", 0.0..=1_000.0)? } else { 0.0 };
        let half_life_days = p.real("half_life_days", 1.0..=3_660.0)?;
        Ok(Self { gain, loss, penalty, half_life_days, window: p.window()? })
    }

    fn decayed(&self, merchant: &MerchantTiles, measure: MeasureId) -> Option<f64> {
        let daily = exp(-std::f64::consts::LN_2 / self.half_life_days);
        let (mut factor, mut age) = (1.0, 0_u16);
        let mut total = 0.0;
        for tile in merchant.days(Read { measure, window: self.window })? {
            while age <= tile.day {
                factor *= daily;
                age += 1;
            }
            total += factor * tile.sum as f64;
        }
        Some(total)
    }
}

impl FeatureKind for DecayedStock {
    fn reads(&self) -> Vec<Read> {
        let window = self.window;
        std::iter::once(self.gain).chain(self.loss).map(|measure| Read { measure, window }).collect()
    }

    fn named_days(&self) -> Option<u16> {
        None
    }

    fn formula(&self, names: Names) -> String {
        let loss = self.loss.map(|loss| format!(" − {} × {}(d)", self.penalty, names(loss))).unwrap_or_default();
        format!(
            "Σ over days d in {} of 2^(−(D − d) ÷ {}) × ({}(d){loss}), rounded to a whole number",
            window_words(self.window),
            self.half_life_days,
            names(self.gain)
        )
    }
}

impl OwnKind for DecayedStock {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let gain = self.decayed(merchant, self.gain)?;
        let loss = self.loss.map_or(Some(0.0), |loss| self.decayed(merchant, loss))?;
        Some((gain - self.penalty * loss).round())
    }
}
