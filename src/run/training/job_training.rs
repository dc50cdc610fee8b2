//! Training: point-in-time snapshots, labels, an out-of-time split, two models and the reference population.
//!
//! ```text
//! snapshots S₁ < S₂ < … < Sₙ, each followed by a performance window of H days that has closed by the training date
//!   features as of S  ── exactly what a run of that day would have computed
//!   labels over [S, S + H)
//!   train: snapshots whose window closes by the first test snapshot      test: the latest snapshots
//! ```
//! Snapshots between the two, whose windows overlap the test period, are left out: what happened in the test period must not
//! have been learnt from.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use jiff::civil::Date;

use super::snapshots::{
    Part, Row, SnapshotBuilder, SnapshotCounts, SnapshotRows, Window, merchants_of, plan_snapshots,
};
use crate::domain::{AsOf, AsOfError, Digest, Hasher};
use crate::features::{Direction, FeatureColumn, FeatureConfig, FeatureError, FeatureTable};
use crate::model::ability::{AbilitySettings, ObservedReceipts, TrainedAbility, train_ability};
use crate::model::{self, MIN_OUTCOMES, ModelError};
use crate::monitor::MonitorError;
use crate::repayment::RepaymentError;
use crate::run::ModelSettings;
use crate::run::hazard::{HazardModel, learn};
use crate::run::population::PopulationError;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::score::{Reference, ReferenceError};
use crate::store::{Store, StoreError};

/// Why no model could be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Features of a snapshot.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Loan outcomes.
    #[error(transparent)]
    Repayment(#[from] RepaymentError),
    /// Trade outcomes and receipts.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Dates.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// The model engine.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Features of the hazard model.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The reference population.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// No merchant had both features and a label.
    #[error(
        "train on history before {as_of}: {rows} labelled merchants of which {bad} bad in the training snapshots; by outcome: {reasons}. \
         At least {least} good and {least} bad are needed: `check --train` counts the labels of every snapshot and tells which settings of \
         [model] would do", least = MIN_OUTCOMES
    )]
    TooFewLabels {
        /// Training date.
        as_of: Date,
        /// Labelled rows to train on.
        rows: u64,
        /// Bad among them.
        bad: u64,
        /// Merchants by outcome.
        reasons: String,
    },
}

impl TrainingError {
    pub(in crate::run) fn too_few(as_of: Date, rows: u64, bad: u64, outcomes: &BTreeMap<&str, u64>) -> Self {
        let reasons = outcomes.iter().map(|(reason, n)| format!("{reason} {n}")).collect::<Vec<_>>().join(", ");
        Self::TooFewLabels { as_of, rows, bad, reasons }
    }
}

/// What training made, before it is saved.
#[derive(Debug)]
pub struct TrainedModels {
    /// Willingness.
    pub scorecard: model::TrainedScorecard,
    /// Ability.
    pub ability: TrainedAbility,
    /// Reference population of the index.
    pub reference: Reference,
    /// Trouble to come, where the monitor file asks for it.
    pub hazard: Option<HazardModel>,
    /// Labels by snapshot.
    pub snapshots: Vec<SnapshotCounts>,
    /// They are of one merchant in so many.
    pub one_merchant_in: u64,
    /// First and last snapshot learnt from.
    pub window: (Date, Date),
    /// Digest of every feature value and label that was learnt from or measured on.
    pub data_digest: Digest,
}

/// Unlabelled merchant snapshots that ability and the reference population learn from, at most (chosen by merchant, by hash).
const UNLABELLED_ROWS: u64 = 200_000;

/// Trains both models on what could be seen at `as_of`.
///
/// # Errors
/// See [`TrainingError`].
pub fn train_job(
    settings: &ModelSettings,
    rules: &JobRules,
    store: &Store,
    as_of: &AsOf,
    progress: &dyn Progress,
) -> Result<TrainedModels, TrainingError> {
    let config = &rules.features;
    let plan = plan_snapshots(settings, as_of)?;
    let taken = plan.iter().filter(|(_, part)| *part != Part::Purged).count() as u64;
    progress.stage("train: snapshots", Some(2 * taken * u64::from(store.buckets())));
    let names: Vec<String> = config.scored().map(|f| f.name.clone()).collect();
    let horizons = rules.horizons(settings);
    let builder = SnapshotBuilder { settings, rules, store, progress, horizons: &horizons };
    let (prepared, one_in) = builder.prepare(&plan)?;
    let share = UNLABELLED_ROWS as f64 / (merchants_of(store).max(one_in) / one_in * taken.max(1)) as f64;
    let (mut rows, mut receipts, mut looked_at) = (Vec::new(), Vec::new(), Vec::new());
    for (shards, Window { part, by_category, .. }) in prepared {
        let by_category = by_category.into_inner().unwrap_or_else(PoisonError::into_inner);
        let SnapshotRows { counts, rows: mut found, receipts: mut seen } =
            builder.rows_of((shards.of_part(one_in), part), &by_category, share)?;
        looked_at.push(counts);
        rows.append(&mut found);
        receipts.append(&mut seen);
    }
    let snapshots = plan.iter().map(|(as_of, part)| {
        let found = looked_at.iter().find(|counts| counts.as_of == as_of.date()).cloned();
        found.unwrap_or_else(|| SnapshotCounts::none(as_of.date(), *part))
    });
    let snapshots: Vec<SnapshotCounts> = snapshots.collect();
    if one_in > 1 {
        let learnt = rows.iter().filter(|row| row.bad.is_some()).count();
        progress.note(&format!(
            "train: one merchant in {one_in} is learnt from, chosen by hash: {learnt} labelled snapshots"
        ));
    }

    progress.stage("train: willingness", None);
    let scorecard = train_willingness(&names, &rows, config, as_of, &snapshots)?;
    progress.stage("train: ability", None);
    let data_digest = digest_of(&names, &rows, &horizons, &receipts);
    let observed: Vec<ObservedReceipts> = receipts.into_iter().map(|(_, observed)| observed).collect();
    let ability = train_ability(&observed, &horizons, &AbilitySettings::default())?;
    let reference = Reference::fit(&[table_of(&names, rows.iter().filter(|r| r.part == Part::Train))])?;
    let learnt: Vec<Date> = snapshots.iter().filter(|s| s.part == Part::Train).map(|s| s.as_of).collect();
    let window = (
        learnt.first().copied().unwrap_or_else(|| as_of.date()),
        learnt.last().copied().unwrap_or_else(|| as_of.date()),
    );
    let hazard = learn(settings, rules, store, as_of, progress)?;
    if let Some(hazard) = &hazard {
        progress.note(&hazard.text());
    }
    Ok(TrainedModels { scorecard, ability, reference, hazard, snapshots, one_merchant_in: one_in, window, data_digest })
}

fn train_willingness(
    names: &[String],
    rows: &[Row],
    config: &FeatureConfig,
    as_of: &AsOf,
    snapshots: &[SnapshotCounts],
) -> Result<model::TrainedScorecard, TrainingError> {
    let labelled: Vec<(&Row, bool)> = rows.iter().filter_map(|r| r.bad.map(|bad| (r, bad))).collect();
    let learnt = labelled.iter().filter(|(r, _)| r.part == Part::Train).count();
    let bads = labelled.iter().filter(|(r, bad)| r.part == Part::Train && *bad).count();
    if bads.min(learnt - bads) < MIN_OUTCOMES {
        let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
        for (reason, count) in snapshots.iter().flat_map(|s| &s.outcomes) {
            *outcomes.entry(reason).or_default() += count;
        }
        return Err(TrainingError::too_few(as_of.date(), learnt as u64, bads as u64, &outcomes));
    }
    let columns = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let values: Vec<Option<f64>> = labelled.iter().map(|(r, _)| r.value(at)).collect();
            model::Column::from_options(name, &values)
        })
        .collect();
    let mut table = model::TrainingTable::new(columns, labelled.iter().map(|(_, bad)| *bad).collect())?;
    for (name, direction) in directions(config) {
        table = table.expecting(name, direction);
    }
    table.test = labelled.iter().map(|(r, _)| r.part == Part::Test).collect();
    // What drifts from the earlier snapshots to the later leaves, or is noted.
    table.times = Some(labelled.iter().map(|(r, _)| r.as_of_micros as f64).collect());
    // A merchant comes back snapshot after snapshot: folds are cut between merchants, not through them.
    table.groups = Some(labelled.iter().map(|(r, _)| crate::store::stable_hash(r.merchant.as_bytes())).collect());
    // A merchant who declares nothing, or whose history is short, must not score better for it. Nor may a worse figure score better, which cells of a
    // two-variable table do not hold to.
    let settings =
        model::TrainSettings { missing_is_never_good: true, max_tables: 0, ..model::TrainSettings::default() };
    Ok(model::train_scorecard(&table, &settings)?)
}

/// What more of each feature says about a merchant, by name.
fn directions(config: &FeatureConfig) -> BTreeMap<&str, model::Direction> {
    config.features.iter().map(|feature| (feature.name.as_str(), direction_of(feature.direction))).collect()
}

/// A feature's direction in the words of the model room.
pub(in crate::run) fn direction_of(direction: Direction) -> model::Direction {
    match direction {
        Direction::HigherSafer => model::Direction::HigherSafer,
        Direction::LowerSafer => model::Direction::LowerSafer,
        Direction::Either => model::Direction::Either,
    }
}

fn table_of<'a>(names: &[String], rows: impl Iterator<Item = &'a Row>) -> FeatureTable {
    let rows: Vec<&Row> = rows.collect();
    FeatureTable {
        merchants: rows.iter().map(|r| r.merchant.clone()).collect(),
        columns: names
            .iter()
            .enumerate()
            .map(|(at, name)| FeatureColumn { name: name.clone(), values: rows.iter().map(|r| r.value(at)).collect() })
            .collect(),
    }
}

fn digest_of(names: &[String], rows: &[Row], horizons: &[u16], receipts: &[(String, ObservedReceipts)]) -> Digest {
    let mut hasher = Hasher::default();
    for name in names {
        hasher.field(name.as_bytes());
    }
    for row in rows {
        hasher.field(row.merchant.as_bytes());
        hasher.field(&[row.part as u8, row.bad.map_or(2, u8::from)]);
        for value in &row.values {
            hasher.field(&value.to_bits().to_le_bytes());
        }
    }
    for days in horizons {
        hasher.field(&days.to_le_bytes());
    }
    for (merchant, observed) in receipts {
        let ObservedReceipts { history, known_periods, seasons, after_minor, group } = observed;
        hasher.field(merchant.as_bytes());
        hasher.field(history.category.as_bytes());
        hasher.field(&[*group as u8]);
        hasher.field(&history.history_days.to_le_bytes());
        hasher.field(&history.active_days.to_le_bytes());
        hasher.field(&(*known_periods as u64).to_le_bytes());
        for minor in history.periods.iter().chain(&history.last_year).chain(after_minor) {
            hasher.field(&minor.to_le_bytes());
        }
        for season in seasons {
            hasher.field(&season.to_bits().to_le_bytes());
        }
    }
    hasher.finish()
}
