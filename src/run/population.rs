//! Every merchant's features as of one instant, a shard at a time.
//!
//! ```text
//! prepare  each shard is read, its views and measures are built, all that the shard alone can tell is computed     in parallel
//! reduce   totals of the industry, and whatever else crosses merchants                                              over what was kept
//! finish   the features that compare with the industry are filled in, and the shard is decided                     in parallel
//! ```
//! A shard is read once. Between the two parallel steps no frame and no tile is kept, only flat figures of every merchant
//! ([`PreparedFeatures`]) and what the caller took from the shard, and of these only some in memory. No more shards are in memory than
//! threads work.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::learnt_merchants::Wave;
use super::progress::Progress;
use super::rules::JobRules;
use crate::domain::{AsOf, parallel};
use crate::features::{self, FeatureError, FeatureTable, IndustryTotals, Overflow, PreparedFeatures, ShardMeasures};
use crate::repayment::{LoanEvidence, RepaymentError};
use crate::scenario::{MissingError, RememberedRows, RowsBefore};
use crate::spill::{Shelf, Shelved, SpillError};
use crate::store::{Shard, Store, StoreError, WholeBucket};
use crate::tiles::{TileError, Views};

/// A shard that could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A view could not be joined.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The loans could not be held against what else is known.
    #[error(transparent)]
    Repayment(#[from] RepaymentError),
    /// A measure or feature could not be computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Rows could not be held against those of the night before.
    #[error(transparent)]
    Missing(#[from] MissingError),
    /// What was prepared cannot be put aside.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

/// One shard while it is in memory.
pub struct Seen<'a> {
    /// Its number.
    pub bucket: u32,
    /// Its rows of all times, to be seen at other instants.
    pub whole: &'a WholeBucket,
    /// Its tables.
    pub shard: &'a Shard,
    /// Its views.
    pub views: &'a Views,
    /// Its tiles: the evidence.
    pub measures: &'a ShardMeasures,
    /// Its features, as far as it alone can tell.
    pub features: &'a PreparedFeatures,
    /// The rows of its merchants that the next night has to see.
    pub remembered_rows: &'a [RememberedRows],
}

/// Shards of one instant, prepared.
pub struct PreparedShards<T> {
    as_of: AsOf,
    shelf: Arc<Shelf<(PreparedFeatures, T)>>,
    shelved: Vec<Shelved>,
    /// Totals of the industry over all of them.
    pub totals: IndustryTotals,
    /// Measures that are unknown for a merchant because the merchant's rows add up to more than 64 bits hold.
    pub overflows: Vec<Overflow>,
}

/// Bytes of prepared shards that are held in memory.
const HELD_SHARDS: usize = 256 << 20;

/// Where prepared shards of one or several instants wait.
pub fn shelf_of<T: Serialize + DeserializeOwned>(store: &Store) -> Arc<Shelf<(PreparedFeatures, T)>> {
    Arc::new(Shelf::new(store.folder(), HELD_SHARDS))
}

/// Reads shards.
#[derive(Clone, Copy)]
pub struct ShardReader<'a> {
    /// Where they lie.
    pub store: &'a Store,
    /// What is measured.
    pub rules: &'a JobRules,
    /// Loans that do not agree with it are unknown.
    pub evidence: &'a LoanEvidence,
    /// Rows that are fewer than it says are missing.
    pub rows_before: &'a RowsBefore,
    /// Told of every shard.
    pub progress: &'a dyn Progress,
}

/// What is kept of one shard.
struct PreparedShard {
    shelved: Shelved,
    totals: IndustryTotals,
    overflows: Vec<Overflow>,
}

impl<T: Serialize + DeserializeOwned> PreparedShards<T> {
    /// None yet; they will wait on the shelf.
    pub fn none(as_of: AsOf, shelf: Arc<Shelf<(PreparedFeatures, T)>>) -> Self {
        Self { as_of, shelf, shelved: Vec::new(), totals: IndustryTotals::default(), overflows: Vec::new() }
    }

    /// The instant.
    pub const fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// Where they hold one merchant in so many, totals of the industry are taken for those of everybody.
    pub fn of_part(mut self, one_in: u64) -> Self {
        self.totals = self.totals.of_part(one_in);
        self
    }

    fn prepare<E>(
        &self,
        (whole, bucket): (&WholeBucket, u32),
        wave: Wave,
        reader: &ShardReader<'_>,
        take: impl Fn(&Seen<'_>) -> Result<T, E>,
    ) -> Result<PreparedShard, E>
    where
        E: From<PopulationError>,
    {
        let ShardReader { store, rules, evidence, rows_before, .. } = *reader;
        let shard = store.seen(whole, &self.as_of).and_then(|shard| wave.of_shard(shard, bucket, store.buckets()));
        let mut shard = shard.map_err(PopulationError::from)?;
        let remembered_rows = rows_before.hold_against(&mut shard, bucket).map_err(PopulationError::from)?;
        let mut views = rules.views(&shard).map_err(PopulationError::from)?;
        if let Some(ledger) = &mut views.ledger {
            ledger.compare_with(&shard, bucket, evidence).map_err(PopulationError::from)?;
        }
        let measures = features::measure_shard(&views, &rules.features).map_err(PopulationError::from)?;
        let features = features::prepare(&measures, &rules.features).map_err(PopulationError::from)?;
        let seen = Seen {
            bucket,
            whole,
            shard: &shard,
            views: &views,
            measures: &measures,
            features: &features,
            remembered_rows: &remembered_rows,
        };
        let taken = take(&seen)?;
        let (totals, overflows) = (IndustryTotals::of_shard(&features), features.overflows.clone());
        let shelved = self.shelf.put(&(features, taken)).map_err(PopulationError::from)?;
        Ok(PreparedShard { shelved, totals, overflows })
    }

    fn keep(&mut self, shard: PreparedShard) {
        self.shelved.push(shard.shelved);
        self.totals.merge(&shard.totals);
        self.overflows.extend(shard.overflows);
    }
}

/// Reads every bucket of a wave once, and keeps of its shard as of each of several instants what later steps need; `take` adds to it, and is given what the
/// caller keeps beside that instant. What is kept is in bucket order, wave after wave.
///
/// # Errors
/// A shard that cannot be read or measured, or what `take` says.
pub fn add_to_each<B, T, E>(
    all: &mut [(PreparedShards<T>, B)],
    wave: Wave,
    reader: &ShardReader<'_>,
    take: impl Fn(&B, &Seen<'_>) -> Result<T, E> + Sync,
) -> Result<(), E>
where
    B: Sync,
    T: Serialize + DeserializeOwned,
    E: From<PopulationError> + Send,
{
    let instants: &[(PreparedShards<T>, B)] = all;
    let buckets = parallel::each(wave.buckets(reader.store.buckets()), |bucket| {
        let whole = reader.store.whole(bucket).map_err(PopulationError::from)?;
        let of_each = instants.iter().map(|(shards, beside)| {
            let prepared = shards.prepare((&whole, bucket), wave, reader, |seen| take(beside, seen))?;
            reader.progress.advance(1);
            Ok(prepared)
        });
        of_each.collect::<Result<Vec<_>, E>>()
    })?;
    for of_each in buckets {
        for ((shards, _), prepared) in all.iter_mut().zip(of_each) {
            shards.keep(prepared);
        }
    }
    Ok(())
}

/// Reads every shard once, as of an instant, and keeps what later steps need, as [`add_to_each`] does.
///
/// # Errors
/// A shard that cannot be read or measured, or what `take` says.
pub fn prepare_shards<T, E>(
    store: &Store,
    as_of: &AsOf,
    rules: &JobRules,
    (evidence, rows_before): (&LoanEvidence, &RowsBefore),
    progress: &dyn Progress,
    take: impl Fn(&Seen<'_>) -> Result<T, E> + Sync,
) -> Result<PreparedShards<T>, E>
where
    T: Serialize + DeserializeOwned,
    E: From<PopulationError> + Send,
{
    let mut all = [(PreparedShards::none(as_of.clone(), shelf_of(store)), ())];
    let reader = ShardReader { store, rules, evidence, rows_before, progress };
    add_to_each(&mut all, Wave::EVERYBODY, &reader, |(), seen| take(seen))?;
    let [(all, ())] = all;
    Ok(all)
}

/// One shard with all of its features.
pub struct Finished<'a, T> {
    /// Its features, merchants sorted.
    pub features: FeatureTable,
    /// What the caller took from it.
    pub taken: T,
    /// Totals of the industry over all shards.
    pub totals: &'a IndustryTotals,
}

/// Fills in the features that compare with the industry and gives every shard to `decide`. Results come in bucket order.
///
/// # Errors
/// A formula that left the finite numbers, or what `decide` says.
pub fn finish_shards<T, R: Send, E>(
    prepared: PreparedShards<T>,
    rules: &JobRules,
    progress: &dyn Progress,
    decide: impl Fn(Finished<'_, T>) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Serialize + DeserializeOwned,
    E: From<PopulationError> + Send,
{
    let PreparedShards { shelf, shelved, totals, .. } = prepared;
    parallel::each(shelved, |shelved| {
        let (features, taken) = shelf.take(shelved).map_err(PopulationError::from)?;
        let features = features.finish(&totals, &rules.features).map_err(PopulationError::from)?;
        let decided = decide(Finished { features, taken, totals: &totals })?;
        progress.advance(1);
        Ok(decided)
    })
}
