//! Receipts of every merchant of a shard, as ability looks at them: what came in before an observation, and what came in after it.

use std::collections::BTreeMap;

use crate::features::{DailyMeasure, FeatureConfig, FeatureError, daily_measure};
use crate::model::ability::{CategoryReceipts, PERIOD_DAYS, PERIODS, ReceiptHistory};
use crate::offer::{MILESTONE_DAYS, Policy};
use crate::tiles::{self, DayWindow, Views};

/// Days that are told apart.
const REACH_DAYS: u16 = PERIODS * PERIOD_DAYS;

/// The horizons that ability is trained over: the terms of the policy's products, the milestones of a share of sales, and the performance window,
/// beyond which no outcome is known.
pub fn horizons(policy: &Policy, performance_days: u16) -> Vec<u16> {
    let mut horizons: Vec<u16> = policy.products.iter().map(|product| product.term_days).collect();
    let by_share = policy.products.iter().filter(|product| product.repayment.sales_share().is_some());
    horizons.extend(by_share.flat_map(|product| (1..product.instalments).map(|number| number * MILESTONE_DAYS)));
    horizons.retain(|days| *days < performance_days);
    horizons.push(performance_days);
    horizons.sort_unstable();
    horizons.dedup();
    horizons
}

/// The history of every merchant of a shard; merchants whose receipts are not known have none.
///
/// # Errors
/// A broken table.
pub fn histories(
    views: &Views,
    config: &FeatureConfig,
    measure: &str,
    horizons: &[u16],
) -> Result<BTreeMap<String, ReceiptHistory>, FeatureError> {
    let daily = daily_measure(views, config, measure, REACH_DAYS)?;
    let categories = tiles::merchant_texts(views, "category")?;
    let mut found = BTreeMap::new();
    for (number, (merchant, category)) in daily.merchants().iter().zip(categories).enumerate() {
        if let Some(history) = history(&daily, number, category.unwrap_or_default(), horizons) {
            found.insert(merchant.clone(), history);
        }
    }
    Ok(found)
}

fn history(daily: &DailyMeasure, number: usize, category: String, horizons: &[u16]) -> Option<ReceiptHistory> {
    let of = |window: DayWindow| daily.sum(number, window);
    let first = daily.days(number, DayWindow::new(0, REACH_DAYS))?.map(|tile| tile.day).max();
    let active = daily.days(number, DayWindow::new(0, 90))?.count();
    // The days [S − 365, S − 365 + h).
    let last_year = |days: &u16| of(DayWindow::new(365_u16.saturating_sub(*days), (*days).min(365)));
    Some(ReceiptHistory {
        category,
        history_days: first.map_or(0, |day| day + 1),
        active_days: u16::try_from(active).unwrap_or(90),
        periods: (0..PERIODS).map(|n| of(DayWindow::new(n * PERIOD_DAYS, PERIOD_DAYS))).collect::<Option<_>>()?,
        last_year: horizons.iter().map(last_year).collect::<Option<_>>()?,
    })
}

/// What came in after an observation over each horizon, seen at the end of the longest one; by merchant, where it is known.
///
/// # Errors
/// A broken table.
pub fn receipts_after(
    later: &Views,
    config: &FeatureConfig,
    measure: &str,
    horizons: &[u16],
    seen_after_days: u16,
) -> Result<BTreeMap<String, Vec<i64>>, FeatureError> {
    let daily = daily_measure(later, config, measure, seen_after_days)?;
    let mut found = BTreeMap::new();
    for (number, merchant) in daily.merchants().iter().enumerate() {
        let after = |days: &u16| daily.sum(number, DayWindow::new(seen_after_days.saturating_sub(*days), *days));
        if let Some(sums) = horizons.iter().map(after).collect::<Option<Vec<i64>>>() {
            found.insert(merchant.clone(), sums);
        }
    }
    Ok(found)
}

/// Receipts by category over all of a shard's merchants.
pub fn by_category<'a>(histories: impl IntoIterator<Item = &'a ReceiptHistory>) -> CategoryReceipts {
    let mut receipts = CategoryReceipts::default();
    histories.into_iter().for_each(|history| receipts.add(history));
    receipts
}
