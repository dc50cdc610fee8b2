//! Rows per buyer: how often the average buyer bought.

use super::buyers::{BuyerFigure, BuyerPart};

/// `rows ÷ distinct buyers` in the window; null with fewer than `min_buyers` buyers. A large marketplace takes 3 orders a buyer
/// for a sign of fake trade.
#[derive(Debug)]
pub struct RowsPerBuyer;

impl BuyerFigure for RowsPerBuyer {
    const NUMERATOR: &str = "rows";

    fn numerator(buyers: &[BuyerPart]) -> u64 {
        buyers.iter().map(|buyer| buyer.rows).sum()
    }
}
