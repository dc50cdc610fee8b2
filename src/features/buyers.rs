//! A window's rows by buyer: what all kinds about buyers start from.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::TileRow;

/// A window whose rows name buyers, and how many there must be.
#[derive(Debug, Clone, Copy)]
pub struct BuyerWindow {
    /// The window.
    pub read: Read,
    min_buyers: usize,
}

impl BuyerWindow {
    /// Keys: `measure` (on a table that names buyers), `window_days`, `maturity_days`, `min_buyers` (1 where not given).
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let read = Read { measure: p.buyer_measure()?, window: p.window()? };
        let least = p.optional_whole("min_buyers", 1..=1_000_000)?.unwrap_or(1);
        Ok(Self { read, min_buyers: usize::try_from(least).unwrap_or(1) })
    }

    /// Enough buyers.
    pub fn guard(self) -> Guard {
        Guard::Buyers { read: self.read, least: self.min_buyers }
    }
}

/// One buyer's part of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuyerPart {
    /// Rows.
    pub rows: u64,
    /// Sum of their values.
    pub sum: i128,
}

/// Parts by buyer, in no meaningful order.
pub fn by_buyer(rows: &[TileRow]) -> Vec<BuyerPart> {
    let mut sorted: Vec<(u32, i64)> = rows.iter().map(|row| (row.buyer, row.value)).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|mine| BuyerPart { rows: mine.len() as u64, sum: mine.iter().map(|(_, v)| i128::from(*v)).sum() })
        .collect()
}

/// A quotient whose divisor is the number of distinct buyers of a window; null with fewer than `min_buyers` buyers.
pub trait BuyerFigure: Debug + Send + Sync {
    /// What is divided by the number of buyers, in words.
    const NUMERATOR: &str;

    /// What is divided by the number of buyers.
    fn numerator(buyers: &[BuyerPart]) -> u64;
}

/// The kind of feature that a figure makes. Keys: those of [`BuyerWindow`].
#[derive(Debug)]
pub struct PerBuyer<F> {
    window: BuyerWindow,
    figure: PhantomData<F>,
}

impl<F: BuyerFigure> PerBuyer<F> {
    /// Keys: those of [`BuyerWindow`].
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { window: BuyerWindow::read(p)?, figure: PhantomData })
    }
}

impl<F: BuyerFigure> FeatureKind for PerBuyer<F> {
    fn reads(&self) -> Vec<Read> {
        vec![self.window.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn guards(&self) -> Vec<Guard> {
        vec![self.window.guard()]
    }

    fn formula(&self, names: Names) -> String {
        format!("{} ÷ distinct buyers of {}", F::NUMERATOR, self.window.read.words(names))
    }
}

impl<F: BuyerFigure> OwnKind for PerBuyer<F> {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let buyers = by_buyer(merchant.rows(self.window.read)?);
        Some(F::numerator(&buyers) as f64 / buyers.len() as f64)
    }
}
