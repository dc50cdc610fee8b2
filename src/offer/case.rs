//! All that is known of one merchant when credit is decided.

use std::collections::BTreeSet;

use super::error::OfferError;
use crate::domain::{Probability, Reason};
use crate::features::FeatureLookup;
use crate::repayment::CreditRecord;

/// A shipped, unconfirmed, undisputed, unsuspected, live order: money that escrow will release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receivable<'a> {
    /// The order.
    pub order_id: &'a str,
    /// What the buyer has paid into escrow.
    pub amount_minor: i64,
}

/// A pending application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application<'a> {
    /// The product asked for.
    pub product: &'a str,
    /// How much.
    pub requested_minor: i64,
    /// Orders offered as receivables; empty where none are named.
    pub order_ids: &'a [&'a str],
}

/// All that is known of one merchant.
#[derive(Clone)]
pub struct MerchantCase<'a> {
    /// The merchant.
    pub merchant_id: &'a str,
    /// The shop was closed.
    pub is_closed: bool,
    /// Risk band.
    pub band: &'a str,
    /// Probability of default over the policy's horizon.
    pub pd: Probability,
    /// Score; higher is safer.
    pub score: i32,
    /// Factors that cost points, the costliest first. Given as reasons where the score decides: "score too low" is none.
    pub score_reasons: &'a [Reason],
    /// Features.
    pub features: &'a dyn FeatureLookup,
    /// Lower quantile of the next window's net receipts.
    pub ability_lower_minor: Option<i64>,
    /// Integrity capital.
    pub integrity_capital_minor: Option<i64>,
    /// What the guarantee group still carries, for merchants in one.
    pub group_cap_minor: Option<i64>,
    /// Record with this lender; `None` where it cannot be read.
    pub credit: Option<CreditRecord>,
    /// Alerts that freeze new credit tonight.
    pub freezes: &'a [Reason],
    /// Receivables, each order once.
    pub receivables: &'a [Receivable<'a>],
    /// Orders pledged to open order loans already.
    pub pledged: &'a BTreeSet<&'a str>,
    /// Applications that wait for an answer, the latest last.
    pub applications: &'a [Application<'a>],
}

impl MerchantCase<'_> {
    /// A feature that is null or finite.
    ///
    /// # Errors
    /// NaN or infinity.
    pub fn feature(&self, name: &str) -> Result<Option<f64>, OfferError> {
        match self.features.value(name) {
            Some(value) if !value.is_finite() => {
                Err(OfferError::NotFinite { merchant_id: self.merchant_id.to_owned(), feature: name.to_owned(), value })
            }
            value => Ok(value),
        }
    }

    /// The latest pending application for a product.
    #[must_use]
    pub fn application(&self, product: &str) -> Option<&Application<'_>> {
        self.applications.iter().rev().find(|a| a.product == product)
    }
}
