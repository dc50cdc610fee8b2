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
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::labels::{Outcomes, outcomes};
use super::learnt_merchants::Wave;
use super::receipts;
use crate::contract;
use crate::domain::{AsOf, AsOfError, Digest, Hasher};
use crate::features::{Direction, FeatureConfig};
use crate::features::{FeatureColumn, FeatureError, FeatureTable};
use crate::model::ability::{
    AbilityGroup, AbilityReport, AbilitySettings, CategoryReceipts, ObservedReceipts, TrainedAbility, train_ability,
};
use crate::model::registry::{ApproveAs, Bundle, Contents, Origin, Registry, load_folder};
use crate::model::{self, MIN_OUTCOMES, ModelError, TestFigures};
use crate::monitor::MonitorError;
use crate::repayment::{LoanEvidence, RepaymentError};
use crate::run::ModelSettings;
use crate::run::hazard::{HAZARD, HazardModel, learn};
use crate::run::population::{PopulationError, PreparedShards, ShardReader, add_to_each, finish_shards, shelf_of};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::scenario::RowsBefore;
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

/// How many labels of each kind a snapshot gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCounts {
    /// Snapshot date.
    pub as_of: Date,
    /// What it was used for.
    pub part: Part,
    /// Merchants with features.
    pub merchants: u64,
    /// Labelled.
    pub labelled: u64,
    /// Bad among them.
    pub bad: u64,
    /// Merchants by outcome, indeterminate ones included.
    pub outcomes: BTreeMap<String, u64>,
}

/// Which side of the split a snapshot is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Learnt from.
    Train,
    /// Left out, not even looked at: its performance window overlaps the test period.
    Purged,
    /// Measured on, out of time.
    Test,
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

/// One merchant at one snapshot.
struct Row {
    merchant: String,
    /// In the order of the scored features; NaN stands for null in here, at half the memory.
    values: Box<[f64]>,
    bad: Option<bool>,
    part: Part,
    /// When it was observed.
    as_of_micros: i64,
}

impl SnapshotCounts {
    fn none(as_of: Date, part: Part) -> Self {
        Self { as_of, part, merchants: 0, labelled: 0, bad: 0, outcomes: BTreeMap::new() }
    }

    /// Adds other merchants of the same snapshot.
    fn add(&mut self, other: &Self) {
        self.merchants += other.merchants;
        self.labelled += other.labelled;
        self.bad += other.bad;
        for (reason, count) in &other.outcomes {
            *self.outcomes.entry(reason.clone()).or_default() += count;
        }
    }
}

impl Row {
    fn value(&self, feature: usize) -> Option<f64> {
        self.values.get(feature).copied().filter(|v| !v.is_nan())
    }
}

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

/// Snapshots oldest first, each with its side of the split.
fn plan_snapshots(settings: &ModelSettings, as_of: &AsOf) -> Result<Vec<(AsOf, Part)>, TrainingError> {
    let window = i32::from(settings.performance_days);
    (0..settings.snapshots)
        .rev()
        .map(|n| {
            let back = window + i32::from(n) * i32::from(settings.snapshot_every_days);
            Ok((as_of.days_before(back)?, part_of(settings, n)))
        })
        .collect()
}

/// On which side of the split the n-th snapshot before the latest is. What is learnt from has a performance window that closes by the first
/// snapshot of the test.
pub(in crate::run) fn part_of(settings: &ModelSettings, n: u16) -> Part {
    let days = |snapshots: u16| u32::from(snapshots) * u32::from(settings.snapshot_every_days);
    if n < settings.test_snapshots {
        Part::Test
    } else if days(n) >= days(settings.test_snapshots - 1) + u32::from(settings.performance_days) {
        Part::Train
    } else {
        Part::Purged
    }
}

/// Builds the rows of all snapshots.
struct SnapshotBuilder<'a> {
    settings: &'a ModelSettings,
    rules: &'a JobRules,
    store: &'a Store,
    progress: &'a dyn Progress,
    /// Days over which ability is trained.
    horizons: &'a [u16],
}

/// Snapshots, each with its window, oldest first.
type Prepared = Vec<(PreparedShards<Outcomes>, Window)>;

/// The performance window of a snapshot, beside the shards that are prepared as of it.
struct Window {
    /// Which side of the split the snapshot is on.
    part: Part,
    end: AsOf,
    /// Receipts of all merchants that were looked at.
    by_category: Mutex<CategoryReceipts>,
}

/// What one snapshot gives to training.
struct SnapshotRows {
    counts: SnapshotCounts,
    rows: Vec<Row>,
    /// Receipts before and after, of a sample of all merchants, each with its merchant.
    receipts: Vec<(String, ObservedReceipts)>,
}

/// What a merchant's receipts are used for, by the merchant's hash: half of the merchants are fitted, a quarter calibrates, and a quarter
/// judges, out of time. `None` for a merchant of whom this snapshot says nothing that may be used.
pub(in crate::run) fn ability_group(merchant: &str, part: Part) -> Option<AbilityGroup> {
    // Other bits than those that choose the bucket, the samples and the folds.
    let hash = crate::store::stable_hash(merchant.as_bytes());
    match (((hash >> 40) ^ (hash >> 16)) & 3, part) {
        (0 | 1, Part::Train) => Some(AbilityGroup::Fit),
        (2, Part::Train) => Some(AbilityGroup::Calibrate),
        (3, Part::Test) => Some(AbilityGroup::Judge),
        _ => None,
    }
}

impl SnapshotBuilder<'_> {
    /// Features as of each snapshot that is looked at, oldest first, and outcomes of the performance window after it, of merchants enough to learn from:
    /// one in so many.
    fn prepare(&self, plan: &[(AsOf, Part)]) -> Result<(Prepared, u64), TrainingError> {
        let Self { settings, rules, store, progress, .. } = *self;
        let shelf = shelf_of(store);
        let looked_at = plan.iter().filter(|(_, part)| *part != Part::Purged);
        let nothing_yet = |(as_of, part): &(AsOf, Part)| {
            let end = as_of.days_before(-i32::from(settings.performance_days))?;
            let window = Window { part: *part, end, by_category: Mutex::default() };
            Ok((PreparedShards::none(as_of.clone(), shelf.clone()), window))
        };
        let mut prepared = looked_at.map(nothing_yet).collect::<Result<Prepared, TrainingError>>()?;
        let snapshots = prepared.len() as u64;
        let evidence = LoanEvidence::default();
        let reader = ShardReader { store, rules, evidence: &evidence, rows_before: &RowsBefore::default(), progress };
        let one_in = Wave::take_enough(merchants_of(store), snapshots, settings.most_learnt_rows, |wave| {
            let labelled = AtomicU64::new(0);
            add_to_each(&mut prepared, wave, &reader, |Window { end, by_category, .. }, seen| {
                let after = store.seen(seen.whole, end)?;
                let after = wave.of_shard(after, seen.bucket, store.buckets())?;
                let found = outcomes(seen.views, &after, settings, rules)?;
                labelled.fetch_add(found.bad.len() as u64, Ordering::Relaxed);
                let categories = receipts::by_category(found.histories.values());
                by_category.lock().unwrap_or_else(PoisonError::into_inner).merge(&categories);
                Ok::<_, TrainingError>(found)
            })?;
            Ok::<_, TrainingError>(labelled.into_inner())
        })?;
        Ok((prepared, one_in))
    }

    /// The rows of a snapshot, sorted by merchant.
    fn rows_of(
        &self,
        (shards, part): (PreparedShards<Outcomes>, Part),
        by_category: &CategoryReceipts,
        share: f64,
    ) -> Result<SnapshotRows, TrainingError> {
        let snapshot = shards.as_of().clone();
        let by_bucket = finish_shards(shards, self.rules, self.progress, |mut shard| {
            let receipts = self.receipts(&mut shard.taken, by_category, (part, share));
            let (counts, rows) = self.rows(&shard.features, &shard.taken, (&snapshot, part), share);
            Ok::<_, TrainingError>(SnapshotRows { counts, rows, receipts })
        })?;

        let counts = SnapshotCounts::none(snapshot.date(), part);
        let mut whole = SnapshotRows { counts, rows: Vec::new(), receipts: Vec::new() };
        for mut of_bucket in by_bucket {
            whole.counts.add(&of_bucket.counts);
            whole.rows.append(&mut of_bucket.rows);
            whole.receipts.append(&mut of_bucket.receipts);
        }
        // Bucket order is an accident of the bucket count; what a model learns must not be.
        whole.rows.sort_by(|a, b| a.merchant.cmp(&b.merchant));
        whole.receipts.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(whole)
    }

    /// Receipts of the merchants of one bucket that ability is trained on.
    fn receipts(
        &self,
        found: &mut Outcomes,
        by_category: &CategoryReceipts,
        (part, share): (Part, f64),
    ) -> Vec<(String, ObservedReceipts)> {
        let mut after = std::mem::take(&mut found.receipts_minor);
        let mut rows = Vec::new();
        for (merchant, history) in std::mem::take(&mut found.histories) {
            let group = ability_group(&merchant, part).filter(|_| is_sampled(&merchant, share));
            if let (Some(group), Some(after_minor)) = (group, after.remove(&merchant)) {
                let season = |days: &u16| by_category.season(&history.category, *days);
                let seasons = self.horizons.iter().map(season).collect();
                let known_periods = by_category.known_periods();
                rows.push((merchant, ObservedReceipts { history, known_periods, seasons, after_minor, group }));
            }
        }
        rows
    }

    /// The rows of one bucket that training looks at: every labelled merchant, and a share of the others.
    fn rows(
        &self,
        table: &FeatureTable,
        found: &Outcomes,
        (snapshot, part): (&AsOf, Part),
        share: f64,
    ) -> (SnapshotCounts, Vec<Row>) {
        let mut counts = SnapshotCounts::none(snapshot.date(), part);
        counts.outcomes.clone_from(&found.reasons);
        let mut rows = Vec::new();
        let scored = |c: &&FeatureColumn| self.rules.features.feature(&c.name).is_some_and(|f| f.is_scored);
        let columns: Vec<&FeatureColumn> = table.columns.iter().filter(scored).collect();
        for (at, merchant) in table.merchants.iter().enumerate() {
            counts.merchants += 1;
            let bad = found.bad.get(merchant).copied();
            counts.labelled += u64::from(bad.is_some());
            counts.bad += u64::from(bad == Some(true));
            if bad.is_none() && !is_sampled(merchant, share) {
                continue;
            }
            rows.push(Row {
                merchant: merchant.clone(),
                values: columns.iter().map(|c| c.values.get(at).copied().flatten().unwrap_or(f64::NAN)).collect(),
                bad,
                part,
                as_of_micros: snapshot.micros(),
            });
        }
        (counts, rows)
    }
}

/// Chosen by the merchant's hash, so that a merchant is in all snapshots or in none.
fn is_sampled(merchant: &str, share: f64) -> bool {
    let hash = crate::store::stable_hash(merchant.as_bytes());
    // The high bits of this hash change least between similar ids; the middle ones do.
    ((hash >> 20) & 0xf_ffff) as f64 / f64::from(1_u32 << 20) < share
}

/// Merchants that the store knows.
pub(in crate::run) fn merchants_of(store: &Store) -> u64 {
    store.rows(contract::MERCHANTS.name).unwrap_or(0)
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

/// What the validation file of a trained model holds beside the figures of the scorecard.
#[derive(Debug, Serialize, Deserialize)]
struct Trial {
    /// Labels by snapshot.
    snapshots: Vec<SnapshotCounts>,
    /// They are of one merchant in so many.
    one_merchant_in: u64,
    /// Figures of the ability model.
    ability: AbilityReport,
    /// Days of future that decided a label.
    performance_days: u16,
}

const REFERENCE: &str = "reference.json";
const TRIAL: &str = "training.json";

/// Saves a trained model in one step, approved where the job says by whom and it does well enough, and loads it.
///
/// # Errors
/// The version exists already with other content, or the folder cannot be written.
pub fn save_models(
    models: &Path,
    settings: &ModelSettings,
    trained: &TrainedModels,
    config: Digest,
    as_of: &AsOf,
) -> Result<Bundle, ModelError> {
    let mut hasher = Hasher::default();
    hasher.field(config.to_string().as_bytes());
    hasher.field(trained.data_digest.to_string().as_bytes());
    let hazard = trained.hazard.as_ref().map(json).transpose()?;
    if let Some(hazard) = &hazard {
        hasher.field(hazard.to_string().as_bytes());
    }
    let version = format!("{}-{}", as_of.date(), hasher.finish().short());
    let validation = json(&trained.scorecard.report)?;
    let trial = Trial {
        snapshots: trained.snapshots.clone(),
        one_merchant_in: trained.one_merchant_in,
        ability: trained.ability.report.clone(),
        performance_days: settings.performance_days,
    };
    let mut attachments =
        BTreeMap::from([(REFERENCE.to_owned(), json(&trained.reference)?), (TRIAL.to_owned(), json(&trial)?)]);
    attachments.extend(hazard.map(|hazard| (HAZARD.to_owned(), hazard)));
    let contents = Contents {
        scorecard: &trained.scorecard.scorecard,
        ability: Some(&trained.ability.ability),
        validation: &validation,
        attachments,
    };
    let origin = Origin {
        data_digest: trained.data_digest,
        config_digest: config,
        training_window: Some(trained.window),
        trained_on: as_of.date(),
        expires_on: as_of.days_before(-i32::from(settings.expires_after_days)).ok().map(|a| a.date()),
        limitations: limitations(settings),
    };
    let does_well = shortfall(settings, TestFigures::of(&validation).as_ref()).is_none();
    let approve = settings.approve_as.as_deref().filter(|_| does_well).map(|by| ApproveAs { by, on: as_of.date() });
    load_folder(&Registry::new(models).save(&settings.name, &version, &contents, origin, approve)?)
}

/// AUC of a model that knows nothing.
const CHANCE: f64 = 0.5;

/// That a model may rank merchants no better than chance, by the figures of its validation: whoever approves or uses it should know.
#[must_use]
pub fn no_better_than_chance(test: Option<&TestFigures>) -> Option<String> {
    let (auc, [low, _]) = test.and_then(|test| test.auc.zip(test.auc_interval))?;
    (low <= CHANCE).then(|| {
        format!(
            "the model's out-of-time AUC is {auc:.3} and may be {low:.3}, which is no better than chance: it may tell nobody from anybody, and what is offered by it rests on luck"
        )
    })
}

/// Why a model is not approved by the job itself: its out-of-time AUC may be lower than asked for, or no better than chance, or it puts
/// every merchant into one band.
#[must_use]
pub fn shortfall(settings: &ModelSettings, test: Option<&TestFigures>) -> Option<String> {
    let least = settings.approve_min_auc;
    let Some((test, (auc, [low, _]))) = test.and_then(|test| Some((test, test.auc.zip(test.auc_interval)?))) else {
        return Some("its out-of-time AUC is not known".to_owned());
    };
    let in_use = test.by_band.iter().filter(|rows| **rows > 0).count();
    if low <= CHANCE {
        Some(format!(
            "its out-of-time AUC is {auc:.3} and may be {low:.3}, which is no better than chance: a job approves no such model, whatever \
             approve_min_auc says"
        ))
    } else if in_use < 2 {
        Some(format!(
            "it puts all out-of-time merchants into {}: it tells nobody from anybody",
            if in_use == 0 { "no band that is known" } else { "one band" }
        ))
    } else if low < least {
        Some(format!(
            "its out-of-time AUC is {auc:.3} and may be {low:.3}, and the job approves from {least} on (approve_min_auc); is there \
             enough history for the snapshots?"
        ))
    } else if !is_told_by(least, test.rarer()) {
        Some(format!(
            "it was judged by {} of those who were bad or good: so few a model is ranked right by chance that is no better than {least} \
             (approve_min_auc)",
            test.rarer()
        ))
    } else {
        None
    }
}

/// Whether so many merchants of one outcome tell a model from one of this AUC, which ranks all of them right with about that power of it: an interval about an AUC of 1 knows nothing of that.
fn is_told_by(auc: f64, merchants: u64) -> bool {
    const BY_CHANCE: f64 = 0.025;
    let mut chance = 1.0;
    for _ in 0..merchants.min(1_000) {
        chance *= auc.max(CHANCE);
    }
    chance <= BY_CHANCE
}

/// The reference population that a model was saved with.
///
/// # Errors
/// The model holds none.
pub fn reference_of(bundle: &Bundle) -> Result<Reference, ModelError> {
    let bad = |why: String| ModelError::BadModel { path: bundle.folder.join(REFERENCE), why };
    let value =
        bundle.attachments.get(REFERENCE).ok_or_else(|| bad("the model has no reference population".to_owned()))?;
    serde_json::from_value(value.clone()).map_err(|e| bad(e.to_string()))
}

/// What the training of a model told of ability; `None` for a model that was trained without it.
#[must_use]
pub fn ability_report(bundle: &Bundle) -> Option<AbilityReport> {
    serde_json::from_value(bundle.attachments.get(TRIAL)?.get("ability")?.clone()).ok()
}

fn json(value: &impl Serialize) -> Result<serde_json::Value, ModelError> {
    serde_json::to_value(value).map_err(|e| ModelError::CannotTrain { why: format!("the report has no JSON: {e}") })
}

fn limitations(settings: &ModelSettings) -> Vec<String> {
    let label = match settings.label {
        crate::run::LabelKind::LoanDefault => {
            "learnt from merchants who borrowed: for those who never did, the probability is an extrapolation"
        }
        crate::run::LabelKind::TradeDistress => {
            "foresees the collapse of trade, not default on a loan: there was no loan book to learn from"
        }
    };
    vec![
        label.to_owned(),
        format!("says nothing of what happens more than {} days after the observation", settings.performance_days),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::LabelKind;

    fn settings(approve_min_auc: f64) -> ModelSettings {
        ModelSettings {
            name: "m".to_owned(),
            version: None,
            label: LabelKind::LoanDefault,
            ability_measure: "net_receipts".to_owned(),
            performance_days: 90,
            snapshot_every_days: 30,
            snapshots: 6,
            test_snapshots: 2,
            most_learnt_rows: 300_000,
            approve_as: Some("a job".to_owned()),
            approve_min_auc,
            expires_after_days: 90,
        }
    }

    fn figures(auc: Option<f64>, low: Option<f64>, bands: &[u64]) -> TestFigures {
        let auc_interval = low.map(|low| [low, 0.99]);
        TestFigures { rows: 200, bad: 30, auc, auc_interval, by_band: bands.to_vec() }
    }

    #[test]
    fn a_job_approves_only_what_beats_chance_and_tells_merchants_apart() {
        let why = |least: f64, test: &TestFigures| shortfall(&settings(least), Some(test));
        assert_eq!(why(0.6, &figures(Some(0.8), Some(0.7), &[5, 0, 3])), None);
        for (least, test, words) in [
            (0.0, figures(Some(0.5), Some(0.5), &[5, 3]), "no better than chance"),
            (0.5, figures(Some(0.62), Some(0.5), &[5, 3]), "no better than chance"),
            (0.0, figures(Some(0.7), Some(0.41), &[5, 3]), "no better than chance"),
            (0.0, figures(Some(0.8), Some(0.7), &[0, 8, 0]), "one band"),
            (0.0, figures(Some(0.8), Some(0.7), &[]), "no band"),
            (0.75, figures(Some(0.8), Some(0.7), &[5, 3]), "approve_min_auc"),
            (0.0, figures(None, None, &[5, 3]), "not known"),
            (0.0, figures(Some(0.8), None, &[5, 3]), "not known"),
        ] {
            let told = why(least, &test).unwrap();
            assert!(told.contains(words), "{told}");
        }
        assert!(shortfall(&settings(0.0), None).unwrap().contains("not known"));
        // An interval about a perfect order of a few knows nothing of how few they are.
        for (bad, is_enough) in [(1, false), (7, false), (8, true), (199, false)] {
            let perfect = TestFigures { bad, ..figures(Some(1.0), Some(1.0), &[5, 3]) };
            assert_eq!(why(0.6, &perfect).is_none(), is_enough, "{bad}");
        }
    }

    #[test]
    fn what_only_chooses_or_approves_is_no_part_of_what_is_trained() {
        let one = settings(0.6);
        let chosen = ModelSettings {
            version: Some("v".to_owned()),
            approve_as: None,
            approve_min_auc: 0.9,
            expires_after_days: 7,
            ..settings(0.6)
        };
        assert_eq!(one.trained_under(), chosen.trained_under());
        let other = [
            ModelSettings { label: LabelKind::TradeDistress, ..settings(0.6) },
            ModelSettings { ability_measure: "gmv".to_owned(), ..settings(0.6) },
            ModelSettings { performance_days: 91, ..settings(0.6) },
            ModelSettings { snapshot_every_days: 31, ..settings(0.6) },
            ModelSettings { snapshots: 7, ..settings(0.6) },
            ModelSettings { test_snapshots: 3, ..settings(0.6) },
            ModelSettings { most_learnt_rows: 1_000, ..settings(0.6) },
        ];
        assert!(other.iter().all(|o| o.trained_under() != one.trained_under()));
    }
}
