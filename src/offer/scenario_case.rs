//! What would be known of a merchant if broken records had said something.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use crate::domain::{Probability, Reason};
use crate::model::ability::ReceiptForecast;
use crate::scenario::Scenario;

/// What is known of a merchant when broken records are read in one way. All else is as it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioCase {
    /// How they are read.
    pub scenario: Scenario,
    /// Risk band.
    pub band: String,
    /// Probability of default.
    pub pd: Probability,
    /// Score.
    pub score: i32,
    /// Features.
    pub features: BTreeMap<String, Option<f64>>,
    /// Net receipts that are foreseen.
    pub foreseen: ReceiptForecast,
    /// Integrity capital.
    pub integrity_capital_minor: Option<i64>,
    /// Alerts, and the borrower's state, that freeze new credit.
    pub freezes: Vec<Reason>,
}

impl MerchantCase<'_> {
    /// The case as it would be in a scenario.
    pub(super) fn within<'a>(&'a self, scenario: &'a ScenarioCase) -> MerchantCase<'a> {
        MerchantCase {
            band: &scenario.band,
            pd: scenario.pd,
            score: Some(scenario.score),
            features: &scenario.features,
            foreseen: &scenario.foreseen,
            integrity_capital_minor: scenario.integrity_capital_minor,
            freezes: &scenario.freezes,
            scenarios: &[],
            ..self.clone()
        }
    }
}
