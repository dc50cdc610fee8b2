//! All that is known of one merchant when credit is decided.

use super::error::OfferError;
use super::overrides::Override;
use super::scenario_case::ScenarioCase;
use crate::domain::{Probability, Reason};
use crate::exposure::{Account, BrokenShare};
use crate::features::FeatureLookup;
use crate::model::ScoreScale;
use crate::model::ability::ReceiptForecast;
use crate::repayment::BorrowerRecord;
use crate::scenario::PastTrade;

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
    /// `None` for a merchant of whom nothing is known.
    pub score: Option<i32>,
    /// What other scores would mean; `None` where the model is not at hand.
    pub scale: Option<&'a ScoreScale>,
    /// Factors that cost points, the costliest first. Given as reasons where the score decides: "score too low" is none.
    pub score_reasons: &'a [Reason],
    /// Features.
    pub features: &'a dyn FeatureLookup,
    /// Net receipts that are foreseen; empty where nothing is known.
    pub foreseen: &'a ReceiptForecast,
    /// Integrity capital.
    pub integrity_capital_minor: Option<i64>,
    /// Record with this lender.
    pub record: &'a BorrowerRecord,
    /// What is owed, offered, pledged and asked for, before anything is offered tonight.
    pub account: &'a Account,
    /// The table of which the largest share of the merchant's rows is broken; `None` where no row is.
    pub broken_records: Option<BrokenShare>,
    /// Trade of days past that the night before did not know; `None` where there is none.
    pub past_trade: Option<PastTrade>,
    /// The most that a borrower restored after a default may owe and be offered; `None` where restoration sets no bound.
    pub regrowth_minor: Option<i64>,
    /// What officers decided about credit to the merchant, in force or not.
    pub overrides: &'a [Override],
    /// Alerts, and the borrower's state, that freeze new credit tonight.
    pub freezes: &'a [Reason],
    /// What would be known if broken records had said something; empty where none of the merchant's is broken. Each part of a decision rests on
    /// the worst of these and of what is known.
    pub scenarios: &'a [ScenarioCase],
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
}
