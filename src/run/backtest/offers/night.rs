//! What a past date decided, as far as a backtest needs it.

use std::collections::BTreeMap;

use crate::offer::Offer;

/// What a policy offers of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offered {
    /// The most that may be drawn.
    pub limit_minor: i64,
    /// Probability of default within the term.
    pub term_pd_prob: f64,
}

/// What a date decided on one merchant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MerchantNight {
    /// Risk band.
    pub band: String,
    /// Offers by product.
    pub offers: BTreeMap<String, Offered>,
    /// Products that the merchant asked for and waited for an answer to.
    pub asked: Vec<String>,
}

impl MerchantNight {
    pub fn add(&mut self, offer: &Offer) {
        let offered = Offered { limit_minor: offer.limit_minor, term_pd_prob: offer.term_pd_prob };
        self.offers.insert(offer.product.clone(), offered);
    }
}

/// How a loan of the period stood on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoanOnDate {
    /// Open, neither closed nor written off.
    Open {
        /// Principal not repaid.
        outstanding_minor: i64,
        /// Whether the borrower's loans perform.
        performs: bool,
    },
    /// Closed or written off.
    Over,
    /// Its books do not agree.
    Unknown,
}

/// A date, decided.
#[derive(Debug, Default)]
pub struct Night {
    /// By merchant; every merchant that could be seen.
    pub merchants: BTreeMap<String, MerchantNight>,
    /// Loans of the period that could be seen, by position.
    pub loans: BTreeMap<usize, LoanOnDate>,
}
