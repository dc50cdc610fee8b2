//! Concentration: how much depends on few buyers.

use super::buyers::{BuyerWindow, by_buyer};
use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
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
    window: BuyerWindow,
    statistic: Statistic,
}

impl Concentration {
    /// Keys: those of [`BuyerWindow`], `statistic` (`top` or `hhi`).
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self {
            window: BuyerWindow::read(p)?,
            statistic: p.word("statistic", &[("top", Statistic::Top), ("hhi", Statistic::Herfindahl)])?,
        })
    }
}

impl FeatureKind for Concentration {
    fn reads(&self) -> Vec<Read> {
        vec![self.window.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn guards(&self) -> Vec<Guard> {
        let read = self.window.read;
        vec![self.window.guard(), Guard::Sum { read, least: 1 }, Guard::NoNegativeBuyer { read }]
    }

    fn formula(&self, names: Names) -> String {
        let figure = match self.statistic {
            Statistic::Top => "max v ÷ Σ v",
            Statistic::Herfindahl => "Σ v² ÷ (Σ v)²",
        };
        format!("{figure}, v = each buyer's {}", self.window.read.sum_words(names))
    }
}

impl OwnKind for Concentration {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let mut sums: Vec<i128> = by_buyer(merchant.rows(self.window.read)?).into_iter().map(|b| b.sum).collect();
        sums.sort_unstable_by(|a, b| b.cmp(a));
        let total: i128 = sums.iter().sum();
        let share = |v: &i128| *v as f64 / total as f64;
        match self.statistic {
            Statistic::Top => sums.first().map(share),
            Statistic::Herfindahl => Some(sums.iter().map(|v| share(v).powi(2)).sum::<f64>().min(1.0)),
        }
    }
}
