//! What broken records might have said of the merchants whom they concern, measured and scored like what is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decide::{DecideError, DecisionContext, INTEGRITY_CAPITAL};
use super::facts::{FactsError, ReceiptMeasure, ShardFacts};
use super::population::{PopulationError, Seen};
use super::receipts;
use super::rules::JobRules;
use super::table_row::TableRow;
use crate::domain::{Probability, Reason, whole};
use crate::features::{self, FeatureConfig, FeatureLookup, FeatureTable, IndustryTotals, PreparedFeatures};
use crate::model::ability::{CategoryReceipts, ReceiptHistory};
use crate::model::{self, Scored};
use crate::monitor::{self, MonitorCase, Outlook};
use crate::offer::ScenarioCase;
use crate::scenario::{AffectedMerchants, Scenario};

/// The merchants of a shard with broken records, these read in one way: features as far as the shard alone can tell.
#[derive(Serialize, Deserialize)]
pub struct ScenarioShard {
    scenario: Scenario,
    features: PreparedFeatures,
    receipts: BTreeMap<String, ReceiptHistory>,
}

/// Measures the merchants of a shard with broken records in every scenario; nothing where there is none.
///
/// # Errors
/// A broken table.
pub fn measure_scenarios(
    seen: &Seen<'_>,
    rules: &JobRules,
    receipts: &ReceiptMeasure<'_>,
) -> Result<Vec<ScenarioShard>, DecideError> {
    let broken = |source| FactsError::Frame { table: "broken", source };
    let Some(concerned) = AffectedMerchants::of(seen.shard).map_err(broken)? else { return Ok(Vec::new()) };
    let measure = |scenario: Scenario| {
        let assumed = concerned.assumed(scenario).map_err(broken)?;
        let views = rules.views(&assumed).map_err(PopulationError::from)?;
        let measures = features::measure_shard(&views, &rules.features)?;
        let features = features::prepare(&measures, &rules.features)?.counted_as(seen.features);
        let ReceiptMeasure { features: config, measure, horizons } = *receipts;
        let receipts = receipts::histories(&views, config, measure, horizons)?;
        Ok(ScenarioShard { scenario, features, receipts })
    };
    Scenario::ALL.into_iter().map(measure).collect()
}

/// A scenario of a shard, scored.
struct ScoredScenario {
    scenario: Scenario,
    table: FeatureTable,
    scored: Vec<Scored>,
    receipts: BTreeMap<String, ReceiptHistory>,
}

/// All scenarios of a shard, scored.
#[derive(Default)]
pub struct Scenarios(Vec<ScoredScenario>);

impl Scenarios {
    /// Scores them.
    ///
    /// # Errors
    /// A formula that left the finite numbers, or a model that cannot score.
    pub fn new(
        shards: Vec<ScenarioShard>,
        totals: &IndustryTotals,
        config: &FeatureConfig,
        scorecard: &model::Scorecard,
    ) -> Result<Self, DecideError> {
        let score = |shard: ScenarioShard| {
            let table = shard.features.finish(totals, config)?;
            let scored = scorecard.score(&scoring_table(&table))?;
            Ok(ScoredScenario { scenario: shard.scenario, table, scored, receipts: shard.receipts })
        };
        Ok(Self(shards.into_iter().map(score).collect::<Result<_, DecideError>>()?))
    }

    /// A merchant's cases in each scenario; none for a merchant without broken records. `refusal` is what freezes credit whatever records say.
    ///
    /// # Errors
    /// A feature or score that is not finite.
    pub fn of(
        &self,
        merchant: &str,
        context: &DecisionContext<'_>,
        (facts, seasons): (&ShardFacts, &CategoryReceipts),
        outlook: Option<Outlook>,
        refusal: Option<&Reason>,
    ) -> Result<Vec<ScenarioCase>, DecideError> {
        let mut cases = Vec::new();
        for ScoredScenario { scenario, table, scored, receipts } in &self.0 {
            let Ok(at) = table.merchants.binary_search_by(|id| id.as_str().cmp(merchant)) else { continue };
            let Some(scored) = scored.get(at) else { continue };
            let lookup = TableRow { table, at };
            let watched = MonitorCase {
                merchant_id: merchant,
                features: &lookup,
                loans: facts.ledger.as_ref().map(|ledger| ledger.of(merchant)),
                features_before: &context.features_before.of(merchant),
                pledges: facts.pledges.as_ref(),
                outlook,
                standing: context.standing.of(merchant),
            };
            let mut freezes = monitor::watch(&context.watch, &watched)?.freezes;
            freezes.extend(refusal.cloned());
            let history = context.bundle.ability.as_ref().zip(receipts.get(merchant));
            let counted = facts.merchants.get(merchant).and_then(|facts| facts.receipts.as_ref());
            let foreseen = history.map(|(model, history)| match counted {
                Some(counted) => model.foresee(history, &seasons.with_instead(counted, history)),
                None => model.foresee(history, seasons),
            });
            cases.push(ScenarioCase {
                scenario: *scenario,
                band: scored.band.clone(),
                pd: Probability::new(scored.pd)
                    .map_err(|source| DecideError::Probability { merchant: merchant.to_owned(), source })?,
                score: scored.score,
                features: table
                    .columns
                    .iter()
                    .map(|column| (column.name.clone(), lookup.value(&column.name)))
                    .collect(),
                foreseen: foreseen.unwrap_or_default(),
                integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
                freezes,
            });
        }
        Ok(cases)
    }
}

/// A feature table as a model reads it.
pub fn scoring_table(table: &FeatureTable) -> model::ScoringTable {
    model::ScoringTable {
        columns: table.columns.iter().map(|c| model::Column::from_options(&c.name, &c.values)).collect(),
    }
}
