//! Repeat share: how many buyers came back.

use super::buyers::{BuyerFigure, BuyerPart};

/// `buyers with two or more rows ÷ buyers` in the window; null with fewer than `min_buyers` buyers.
#[derive(Debug)]
pub struct RepeatShare;

impl BuyerFigure for RepeatShare {
    const NUMERATOR: &str = "buyers with 2 or more rows";

    fn numerator(buyers: &[BuyerPart]) -> u64 {
        buyers.iter().filter(|buyer| buyer.rows >= 2).count() as u64
    }
}
