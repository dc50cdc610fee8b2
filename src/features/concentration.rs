//! Concentration: how much hangs on few buyers.

use super::buyers::by_buyer;
use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use super::repeat_share::min_buyers;
use crate::config::ConfigError;

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistic {
    Top,
    Herfindahl,
}

/// With `v` a buyer's sum of the measure in the window: `top` is `max v ÷ Σ v`, `hhi` is `Σ v² ÷ (Σ v)²` (Herfindahl–Hirschman,
/// 1 ÷ buyers where all buy alike, 1 where one buys all).
///
/// Null with fewer than `min_buyers` buyers, where the sums add up to nothing, or where one is negative. Squares are added as
/// floats in descending order of `v`, so that the order of rows cannot matter.
#[derive(Debug)]
pub struct Concentration {
    read: Read,
    statistic: Statistic,
    min_buyers: usize,
}

impl Concentration {
    /// Keys: `measure`, `window_days`, `maturity_days`, `statistic` (`top` or `hhi`), `min_buyers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self {
            read: Read { measure: p.buyer_measure()?, window: p.window()? },
            statistic: p.word("statistic", &[("top", Statistic::Top), ("hhi", Statistic::Herfindahl)])?,
            min_buyers: min_buyers(p)?,
        })
    }
}

impl FeatureKind for Concentration {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn formula(&self, names: Names) -> String {
        let figure = match self.statistic {
            Statistic::Top => "max v ÷ Σ v",
            Statistic::Herfindahl => "Σ v² ÷ (Σ v)²",
        };
        format!(
            "{figure}, v = Σ {} of each buyer over {}; null with fewer than {} buyers",
            names(self.read.measure),
            window_words(self.read.window),
            self.min_buyers
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(rows) = merchant.rows(self.read) else { return Ok(None) };
        let mut sums: Vec<i128> = by_buyer(rows).into_iter().map(|b| b.sum).collect();
        sums.sort_unstable_by(|a, b| b.cmp(a));
        let total: i128 = sums.iter().sum();
        if sums.len() < self.min_buyers || total <= 0 || sums.last().is_some_and(|v| *v < 0) {
            return Ok(None);
        }
        let share = |v: &i128| *v as f64 / total as f64;
        Ok(match self.statistic {
            Statistic::Top => sums.first().map(share),
            Statistic::Herfindahl => Some(sums.iter().map(|v| share(v).powi(2)).sum::<f64>().min(1.0)),
        })
    }
}
