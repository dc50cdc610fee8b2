//! Past nights of a store: who was at risk on each, as a run of that night saw it.
//!
//! A bucket is read once for all nights. Of a night everybody counts in the totals of the industry, and only borrowers who are late with nothing
//! are measured: the others teach nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::at_risk::{AtRisk, HazardColumns, is_current, open_loans};
use crate::domain::{AsOf, parallel};
use crate::features::{self, IndustryTotals, PreparedFeatures};
use crate::monitor::HazardTerms;
use crate::repayment::{LoanEvidence, LoanLedger};
use crate::run::population::PopulationError;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::training::{TrainingError, halvings_survived};
use crate::spill::Shelf;
use crate::store::{Shard, Store, StoreError};
use crate::tiles::ReadColumns;

/// Borrowers and nights that are learnt from, at most. Beyond it merchants are left out by hash, half of them, or three quarters, and so on.
const MOST_ROWS: u64 = 300_000;
/// Bytes of measured borrowers that are held in memory.
const HELD: usize = 256 << 20;

/// Who of a bucket was at risk on a night, measured as far as the bucket alone can tell.
#[derive(Serialize, Deserialize)]
struct SeenAtNight {
    features: PreparedFeatures,
    /// Their loans.
    ledger: LoanLedger,
}

/// Borrowers who are late with nothing, on every night whose outcome is known at `as_of`: nights ascending, merchants sorted.
pub(super) fn past_rows(
    terms: HazardTerms,
    rules: &JobRules,
    columns: &HazardColumns,
    store: &Store,
    as_of: &AsOf,
    progress: &dyn Progress,
) -> Result<Vec<(Date, AtRisk)>, TrainingError> {
    let nights = nights(terms, rules, as_of)?;
    progress.stage("train: past nights", Some(2 * nights.len() as u64 * u64::from(store.buckets())));
    let reader = NightReader { rules, store, compared: rules.features.industry_columns(), few: Few::default() };
    let shelf: Shelf<SeenAtNight> = Shelf::new(store.folder(), HELD);
    let by_bucket = parallel::each((0..store.buckets()).collect(), |bucket| {
        let whole = store.whole(bucket)?;
        let see = |night| {
            let shard = store.seen(&whole, night)?;
            let (totals, seen) = reader.read(&shard, bucket)?;
            let shelved = shelf.put(&seen).map_err(PopulationError::from)?;
            progress.advance(1);
            Ok::<_, TrainingError>((totals, shelved))
        };
        nights.iter().map(see).collect::<Result<Vec<_>, _>>()
    })?;
    let mut of_nights: Vec<(IndustryTotals, Vec<_>)> = nights.iter().map(|_| Default::default()).collect();
    for bucket in by_bucket {
        for ((all, shelved), (totals, seen)) in of_nights.iter_mut().zip(bucket) {
            all.merge(&totals);
            shelved.push(seen);
        }
    }
    let mut rows: Vec<(Date, AtRisk)> = Vec::new();
    for (night, (totals, shelved)) in nights.iter().zip(of_nights) {
        let by_bucket = parallel::each(shelved, |shelved| {
            let SeenAtNight { features, ledger } = shelf.take(shelved).map_err(PopulationError::from)?;
            let table = features.finish(&totals, &rules.features)?;
            let rows = columns.rows(&table, &ledger, night.date())?;
            progress.advance(1);
            Ok::<_, TrainingError>(rows)
        })?;
        let mut at_risk: Vec<AtRisk> = by_bucket.into_iter().flatten().collect();
        at_risk.retain(|row| row.is_current && reader.few.keeps(&row.merchant_id));
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
    few: Few,
}

impl NightReader<'_> {
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
        let current: BTreeSet<&str> = views.merchants.ids().iter().filter(is_learnt_from).map(String::as_str).collect();
        self.few.count(&current);
        let measured: BTreeSet<&str> = current.into_iter().filter(|merchant| self.few.keeps(merchant)).collect();
        // All loans of theirs are known: that rests on nobody's rows but their own.
        let theirs = shard.of_merchants(|merchant| measured.contains(merchant)).map_err(|e| self.broken(&e))?;
        let views = self.rules.views(&theirs).map_err(PopulationError::from)?;
        let features = features::prepare(&features::measure_shard(&views, config)?, config)?;
        let known = ledger.known.iter().filter(|loan| measured.contains(loan.merchant_id.as_str())).cloned().collect();
        Ok((totals, SeenAtNight { features, ledger: LoanLedger { known, unknown: Vec::new() } }))
    }

    fn broken(&self, error: &polars::prelude::PolarsError) -> TrainingError {
        StoreError::Frame { table: self.store.folder().display().to_string(), why: error.to_string() }.into()
    }
}

/// Keeps rows few: merchants are halved, by hash, until what is left of those counted is no more than [`MOST_ROWS`]. What is left in the end depends on
/// all rows together, not on the order in which they came.
#[derive(Default)]
struct Few(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// Rows by how many halvings their merchant survives.
    rows: Vec<u64>,
    halvings: u32,
}

impl Few {
    fn count(&self, merchants: &BTreeSet<&str>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for merchant in merchants {
            let survived = halvings_survived(merchant) as usize;
            if counted.rows.len() <= survived {
                counted.rows.resize(survived + 1, 0);
            }
            if let Some(rows) = counted.rows.get_mut(survived) {
                *rows += 1;
            }
        }
        while counted.rows.iter().skip(counted.halvings as usize).sum::<u64>() > MOST_ROWS {
            counted.halvings += 1;
        }
    }

    fn keeps(&self, merchant: &str) -> bool {
        halvings_survived(merchant) >= self.0.lock().unwrap_or_else(PoisonError::into_inner).halvings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_merchants_are_left_as_may_be_whatever_the_order() {
        let ids: Vec<String> = (0..250_000).map(|n| format!("M{n:06}")).collect();
        let left = |shards: Vec<BTreeSet<&str>>| {
            let few = Few::default();
            // Three nights of everybody.
            shards.iter().chain(&shards).chain(&shards).for_each(|shard| few.count(shard));
            ids.iter().filter(|id| few.keeps(id)).count()
        };
        let all =
            |size: usize| ids.chunks(size).map(|ids| ids.iter().map(String::as_str).collect()).collect::<Vec<_>>();
        let kept = left(all(1_000));
        assert!((50_000..=100_000).contains(&kept), "{kept}");
        assert_eq!(left(all(250_000)), kept);
        assert_eq!(left(all(7_777).into_iter().rev().collect()), kept);
    }
}
