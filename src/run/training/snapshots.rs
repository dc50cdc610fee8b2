//! Snapshots that models are trained on: which there are, what they are for, and their rows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::job_training::TrainingError;
use super::labels::{Outcomes, outcomes};
use super::learnt_merchants::Wave;
use super::receipts;
use crate::contract;
use crate::domain::AsOf;
use crate::features::{FeatureColumn, FeatureTable};
use crate::model::ability::{AbilityGroup, CategoryReceipts, ObservedReceipts};
use crate::repayment::LoanEvidence;
use crate::run::ModelSettings;
use crate::run::population::{PreparedShards, ShardReader, add_to_each, finish_shards, shelf_of};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::scenario::RowsBefore;
use crate::store::Store;

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

/// One merchant at one snapshot.
pub(super) struct Row {
    pub(super) merchant: String,
    /// In the order of the scored features; NaN stands for null in here, at half the memory.
    pub(super) values: Box<[f64]>,
    pub(super) bad: Option<bool>,
    pub(super) part: Part,
    /// When it was observed.
    pub(super) as_of_micros: i64,
}

impl SnapshotCounts {
    pub(super) fn none(as_of: Date, part: Part) -> Self {
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
    pub(super) fn value(&self, feature: usize) -> Option<f64> {
        self.values.get(feature).copied().filter(|v| !v.is_nan())
    }
}

/// Snapshots oldest first, each with its side of the split.
pub(super) fn plan_snapshots(settings: &ModelSettings, as_of: &AsOf) -> Result<Vec<(AsOf, Part)>, TrainingError> {
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
pub(super) struct SnapshotBuilder<'a> {
    pub(super) settings: &'a ModelSettings,
    pub(super) rules: &'a JobRules,
    pub(super) store: &'a Store,
    pub(super) progress: &'a dyn Progress,
    /// Days over which ability is trained.
    pub(super) horizons: &'a [u16],
}

/// Snapshots, each with its window, oldest first.
pub(super) type Prepared = Vec<(PreparedShards<Outcomes>, Window)>;

/// The performance window of a snapshot, beside the shards that are prepared as of it.
pub(super) struct Window {
    /// Which side of the split the snapshot is on.
    pub(super) part: Part,
    pub(super) end: AsOf,
    /// Receipts of all merchants that were looked at.
    pub(super) by_category: Mutex<CategoryReceipts>,
}

/// What one snapshot gives to training.
pub(super) struct SnapshotRows {
    pub(super) counts: SnapshotCounts,
    pub(super) rows: Vec<Row>,
    /// Receipts before and after, of a sample of all merchants, each with its merchant.
    pub(super) receipts: Vec<(String, ObservedReceipts)>,
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
    pub(super) fn prepare(&self, plan: &[(AsOf, Part)]) -> Result<(Prepared, u64), TrainingError> {
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
    pub(super) fn rows_of(
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
