//! What became of each merchant after a snapshot: the label that willingness learns, the receipts that ability learns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job_training::TrainingError;
use super::receipts;
use crate::features;
use crate::model::ability::ReceiptHistory;
use crate::repayment;
use crate::run::population::PopulationError;
use crate::run::rules::JobRules;
use crate::run::{LabelKind, ModelSettings};
use crate::store::Shard;
use crate::tiles::Views;

/// One shard's outcomes over one performance window.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// `Some(true)` is bad; merchants without a label are not here.
    pub bad: BTreeMap<String, bool>,
    /// Merchants of the snapshot by why they have the label they have, or none.
    pub reasons: BTreeMap<String, u64>,
    /// What could be seen of receipts at the snapshot.
    pub histories: BTreeMap<String, ReceiptHistory>,
    /// Net receipts after the snapshot over each horizon of ability, minor units.
    pub receipts_minor: BTreeMap<String, Vec<i64>>,
}

/// Outcomes over `[before.as_of, after.as_of)`: one bucket, seen at the snapshot and at the end of the performance window.
pub fn outcomes(
    before: &Views,
    after: &Shard,
    settings: &ModelSettings,
    rules: &JobRules,
) -> Result<Outcomes, TrainingError> {
    let config = &rules.features;
    let label = config.label.as_ref().filter(|_| settings.label == LabelKind::TradeDistress);
    let later = rules
        .views_of(
            after,
            &config.columns_of(|measure| {
                measure == settings.ability_measure
                    || label.is_some_and(|label| label.measures.iter().any(|name| name == measure))
            }),
        )
        .map_err(PopulationError::from)?;
    let mut found = Outcomes::default();
    match settings.label {
        LabelKind::LoanDefault => {
            let judged = repayment::default_outcomes(after, &before.as_of, before.ledger.as_ref(), &rules.ledger)?;
            // Who came after the snapshot is no merchant of it.
            let was_there = |merchant: &str| before.merchants.number(merchant).is_some();
            for (merchant, outcome) in judged.by_merchant.into_iter().filter(|(merchant, _)| was_there(merchant)) {
                *found.reasons.entry(outcome.reason.code().to_owned()).or_default() += 1;
                found.bad.extend(outcome.is_default.map(|bad| (merchant, bad)));
            }
        }
        LabelKind::TradeDistress => {
            for (merchant, outcome) in features::outcome(before, &later, config, settings.performance_days)? {
                let reason = match outcome {
                    Some(true) => "trade-distress",
                    Some(false) => "trade-sound",
                    None => "indeterminate",
                };
                *found.reasons.entry(reason.to_owned()).or_default() += 1;
                if let Some(bad) = outcome {
                    found.bad.insert(merchant, bad);
                }
            }
        }
    }
    let (measure, horizons) = (settings.ability_measure.as_str(), rules.horizons(settings));
    found.histories = receipts::histories(before, config, measure, &horizons)?;
    found.receipts_minor = receipts::receipts_after(&later, config, measure, &horizons, settings.performance_days)?;
    Ok(found)
}
