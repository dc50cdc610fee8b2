//! Past nights of a store: who was at risk on each, as a run of that night saw it.
//!
//! A bucket is read once for all nights. Of a night all merchants that are looked at count in the totals of the industry, and only borrowers who are late
//! with nothing are measured: the others teach nothing. Of a large marketplace a part is looked at.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::at_risk::{AtRisk, HazardColumns, is_current, open_loans};
use crate::domain::{AsOf, parallel};
use crate::features::{self, IndustryTotals, PreparedFeatures};
use crate::monitor::HazardTerms;
use crate::repayment::{LoanEvidence, LoanLedger};
use crate::run::job_training::TrainingError;
use crate::run::learnt_merchants::Wave;
use crate::run::population::PopulationError;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::snapshots::merchants_of;
use crate::spill::{Shelf, Shelved};
use crate::store::{Shard, Store, StoreError};
use crate::tiles::ReadColumns;

/// Bytes of measured borrowers that are held in memory.
const HELD: usize = 256 << 20;

/// Who of a bucket was at risk on a night, measured as far as the bucket alone can tell.
#[derive(Serialize, Deserialize)]
struct SeenAtNight {
    features: PreparedFeatures,
    /// Their loans.
    ledger: LoanLedger,
}

/// Borrowers who are late with nothing, on every night whose outcome is known at `as_of`, about `most` of them: nights ascending, merchants sorted.
pub(super) fn past_rows(
    (terms, most): (HazardTerms, u64),
    rules: &JobRules,
    columns: &HazardColumns,
    store: &Store,
    as_of: &AsOf,
    progress: &dyn Progress,
) -> Result<Vec<(Date, AtRisk)>, TrainingError> {
    let nights = nights(terms, rules, as_of)?;
    progress.stage("train: past nights", Some(2 * nights.len() as u64 * u64::from(store.buckets())));
    let reader = NightReader {
        rules,
        store,
        compared: rules.features.industry_columns(),
        shelf: Shelf::new(store.folder(), HELD),
        progress,
    };
    let mut of_nights: Vec<(IndustryTotals, Vec<Shelved>)> = nights.iter().map(|_| Default::default()).collect();
    let each = nights.len() as u64;
    let one_in = Wave::take_enough(merchants_of(store), each, most, |wave| reader.add(wave, &nights, &mut of_nights))?;
    let shelf = reader.shelf;
    let mut rows: Vec<(Date, AtRisk)> = Vec::new();
    for (night, (totals, shelved)) in nights.iter().zip(of_nights) {
        let totals = totals.of_part(one_in);
        let by_bucket = parallel::each(shelved, |shelved| {
            let SeenAtNight { features, ledger } = shelf.take(shelved).map_err(PopulationError::from)?;
            let table = features.finish(&totals, &rules.features)?;
            let rows = columns.rows(&table, &ledger, night.date())?;
            progress.advance(1);
            Ok::<_, TrainingError>(rows)
        })?;
        let mut at_risk: Vec<AtRisk> = by_bucket.into_iter().flatten().collect();
        at_risk.retain(|row| row.is_current);
        // What a model learns must not depend on the number of buckets.
        at_risk.sort_by(|a, b| a.merchant_id.cmp(&b.merchant_id));
        rows.extend(at_risk.into_iter().map(|row| (night.date(), row)));
    }
    Ok(rows)
}

/// The nights, ascending.
fn nights(terms: HazardTerms, rules: &JobRules, as_of: &AsOf) -> Result<Vec<AsOf>, TrainingError> {
    let longest = rules.ledger.default_dpd.values().copied().max().unwrap_or_default();
    let matures = i64::from(terms.horizon_days) + i64::from(longest);
    let last = as_of.date().saturating_sub(matures.days());
    let before = |n: i64| last.saturating_sub((n * i64::from(terms.every_days)).days());
    let nights = (0..i64::from(terms.nights)).rev();
    Ok(nights.map(|n| AsOf::new(before(n), as_of.time_zone().clone())).collect::<Result<_, _>>()?)
}

/// Sees buckets on nights.
struct NightReader<'a> {
    rules: &'a JobRules,
    store: &'a Store,
    /// What comparing with the industry needs.
    compared: ReadColumns,
    shelf: Shelf<SeenAtNight>,
    progress: &'a dyn Progress,
}

impl NightReader<'_> {
    /// Adds more merchants to every night; how many of them are measured, each on every night.
    fn add(
        &self,
        wave: Wave,
        nights: &[AsOf],
        of_nights: &mut [(IndustryTotals, Vec<Shelved>)],
    ) -> Result<u64, TrainingError> {
        let (store, buckets) = (self.store, self.store.buckets());
        let measured = AtomicU64::new(0);
        let by_bucket = parallel::each(wave.buckets(buckets), |bucket| {
            let whole = store.whole(bucket)?;
            let see = |night| {
                let shard = wave.of_shard(store.seen(&whole, night)?, bucket, buckets)?;
                let (totals, seen) = self.read(&shard, bucket)?;
                measured.fetch_add(seen.features.merchants().len() as u64, Ordering::Relaxed);
                let shelved = self.shelf.put(&seen).map_err(PopulationError::from)?;
                self.progress.advance(1);
                Ok::<_, TrainingError>((totals, shelved))
            };
            nights.iter().map(see).collect::<Result<Vec<_>, _>>()
        })?;
        for bucket in by_bucket {
            for ((all, shelved), (totals, seen)) in of_nights.iter_mut().zip(bucket) {
                all.merge(&totals);
                shelved.push(seen);
            }
        }
        Ok(measured.into_inner())
    }

    fn read(&self, shard: &Shard, bucket: u32) -> Result<(IndustryTotals, SeenAtNight), TrainingError> {
        let config = &self.rules.features;
        let mut views = self.rules.views_of(shard, &self.compared).map_err(PopulationError::from)?;
        let totals = IndustryTotals::of_views(&views, config)?;
        let mut ledger = views.ledger.take().unwrap_or_default();
        ledger.compare_with(shard, bucket, &LoanEvidence::default())?;
        let is_learnt_from = |merchant: &&String| {
            let loans = ledger.of(merchant);
            open_loans(&loans).is_some_and(|open| is_current(&loans, &open))
        };
        let measured: BTreeSet<&str> =
            views.merchants.ids().iter().filter(is_learnt_from).map(String::as_str).collect();
        // All loans of theirs are known: that rests on nobody's rows but their own.
        let theirs = shard.of_merchants(|merchant| measured.contains(merchant)).map_err(|e| self.broken(&e))?;
        let views = self.rules.views(&theirs).map_err(PopulationError::from)?;
        let features = features::prepare(&features::measure_shard(&views, config)?, config)?;
        let known = ledger.known.iter().filter(|loan| measured.contains(loan.merchant_id.as_str())).cloned().collect();
        Ok((totals, SeenAtNight { features, ledger: LoanLedger { known, unknown: Vec::new(), remarks: Vec::new() } }))
    }

    fn broken(&self, error: &polars::prelude::PolarsError) -> TrainingError {
        StoreError::Frame { table: self.store.folder().display().to_string(), why: error.to_string() }.into()
    }
}
