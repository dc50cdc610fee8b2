//! Every merchant's features as of one instant, a shard at a time: two passes over the store with the category totals between
//! them. No more shards are in memory than threads work.

use rayon::prelude::*;

use super::progress::Progress;
use super::rules::JobRules;
use crate::domain::AsOf;
use crate::features::{self, FeatureError, FeatureTable, IndustryTotals, ShardMeasures};
use crate::store::{Shard, Store, StoreError};
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
    /// A measure or feature could not be computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
}

/// One shard, measured.
pub struct Measured<'a> {
    /// Its number.
    pub bucket: u32,
    /// Its tables.
    pub shard: &'a Shard,
    /// Its views.
    pub views: &'a Views,
    /// Its tiles: the evidence.
    pub measures: &'a ShardMeasures,
    /// Its features, merchants sorted.
    pub features: &'a FeatureTable,
}

/// First pass: what crosses shards. Empty, and free, where no feature compares with the industry.
pub fn industry_totals(
    store: &Store,
    as_of: &AsOf,
    rules: &JobRules,
    progress: &dyn Progress,
) -> Result<IndustryTotals, PopulationError> {
    let config = &rules.features;
    let mut totals = IndustryTotals::default();
    if config.industry_slots().is_empty() {
        return Ok(totals);
    }
    let by_shard: Vec<IndustryTotals> = (0..store.buckets())
        .into_par_iter()
        .map(|bucket| {
            let shard = store.shard(bucket, as_of)?;
            let measures = features::measure_industry(&rules.views(&shard)?, config)?;
            let totals = features::industry_totals(&measures, config)?;
            progress.advance(1);
            Ok(totals)
        })
        .collect::<Result<_, PopulationError>>()?;
    for shard in &by_shard {
        totals.merge(shard)?;
    }
    Ok(totals)
}

/// Second pass: measures every shard and gives it to `take`; results come in bucket order.
pub fn each_shard<T: Send, E: From<PopulationError> + Send>(
    store: &Store,
    as_of: &AsOf,
    rules: &JobRules,
    totals: &IndustryTotals,
    progress: &dyn Progress,
    take: impl Fn(&Measured<'_>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    (0..store.buckets())
        .into_par_iter()
        .map(|bucket| {
            let shard = store.shard(bucket, as_of).map_err(PopulationError::from)?;
            let views = rules.views(&shard).map_err(PopulationError::from)?;
            let measures = features::measure_shard(&views, &rules.features).map_err(PopulationError::from)?;
            let features = features::compute(&measures, totals, &rules.features).map_err(PopulationError::from)?;
            let taken =
                take(&Measured { bucket, shard: &shard, views: &views, measures: &measures, features: &features })?;
            progress.advance(1);
            Ok(taken)
        })
        .collect()
}
