//! Gains and lift: how many of the bads are caught by refusing the riskiest share.
//!
//! From the riskiest bin downwards: `captured = bads so far / all bads`, `lift = captured / share of rows so far`. The denominator of lift
//! is what refusing at random would catch, so lift 3 in the first tenth means three times the bads of a random tenth.

use serde::{Deserialize, Serialize};

use super::bins::PdBin;
use super::error::Undefined;
use super::proportion::exact_interval;
use crate::domain::whole;

/// One step of the gains table, riskiest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Lowest prediction refused at this step.
    pub min_pd: f64,
    /// Share of rows refused so far.
    pub rows_share: f64,
    /// Share of all bads among them.
    pub bads_captured_share: f64,
    /// Its exact binomial interval, the cut taken as given; null where rows carry weights.
    pub bads_captured_interval: Option<[f64; 2]>,
    /// Share of all goods among them: the business given up.
    pub goods_refused_share: f64,
    /// Bad rate of this step against the overall one.
    pub lift: f64,
    /// Bad rate so far against the overall one.
    pub cumulative_lift: f64,
    /// Bad rate of what is still approved; null at the last step.
    pub remaining_bad_rate: Option<f64>,
}

/// Tabulates gains over bins in ascending order of prediction; intervals at `confidence`, where bins count whole rows.
///
/// # Errors
/// [`Undefined::SingleClass`].
pub fn gains(bins: &[PdBin], confidence: Option<f64>) -> Result<Vec<Gain>, Undefined> {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let bads: f64 = bins.iter().map(|bin| bin.bad).sum();
    let goods: f64 = bins.iter().map(|bin| bin.weight - bin.bad).sum();
    if bads <= 0.0 || goods <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    let rows = |count: f64| whole(count).and_then(|n| u64::try_from(n).ok());
    let (mut weight, mut bad) = (0.0, 0.0);
    let last = bins.len().saturating_sub(1);
    let steps = bins.iter().rev().enumerate().map(|(i, bin)| {
        weight += bin.weight;
        bad += bin.bad;
        Gain {
            min_pd: bin.min_pd,
            rows_share: weight / total,
            bads_captured_share: bad / bads,
            bads_captured_interval: confidence.and_then(|c| Some(exact_interval(rows(bad)?, rows(bads)?, c))),
            goods_refused_share: (weight - bad) / goods,
            lift: bin.bad_rate / (bads / total),
            cumulative_lift: (bad / weight) / (bads / total),
            remaining_bad_rate: (i < last).then(|| (bads - bad) / (total - weight)),
        }
    });
    Ok(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::bins::equal_mass_bins;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};

    // By hand from the fixture's four bins, riskiest first: rows 11, 9, 10, 10 and bads 6, 3, 2, 2 of 40 and 13.
    #[test]
    fn by_hand() {
        let table = gains(&equal_mass_bins(ranked().ties(), 4), Some(0.95)).unwrap();
        assert_close(table[0].bads_captured_share, 6.0 / 13.0, 1e-15);
        // Clopper–Pearson for 6 of 13, from scipy 1.16.3: binomtest(6, 13).proportion_ci(0.95).
        let [low, high] = table[0].bads_captured_interval.unwrap();
        assert_close(low, 0.192_232_441_801_287_98, 1e-9);
        assert_close(high, 0.748_654_517_729_694_6, 1e-9);
        assert_close(table[0].goods_refused_share, 5.0 / 27.0, 1e-15);
        assert_close(table[0].lift, (6.0 / 11.0) / (13.0 / 40.0), 1e-15);
        assert_close(table[1].rows_share, 0.5, 1e-15);
        assert_close(table[1].cumulative_lift, (9.0 / 20.0) / (13.0 / 40.0), 1e-15);
        assert_close(table[1].remaining_bad_rate.unwrap(), 4.0 / 20.0, 1e-15);
        assert_close(table[3].bads_captured_share, 1.0, 0.0);
        assert_close(table[3].cumulative_lift, 1.0, 1e-15);
        assert_eq!(table[3].remaining_bad_rate, None);
        assert_close(table[0].min_pd, 0.38, 0.0);
    }

    #[test]
    fn one_class_has_no_gains() {
        assert_eq!(gains(&equal_mass_bins(single_class().ties(), 4), None), Err(Undefined::SingleClass));
    }
}
