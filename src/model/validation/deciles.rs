//! Calibration by decile: predicted against observed default rate, from the safest tenth to the riskiest.
//!
//! The bins are of equal weight, so each row of the table rests on about as much evidence as the next. The interval is the exact one
//! of the observed rate: a prediction outside it is miscalibrated there, and not by bad luck alone.

use serde::{Deserialize, Serialize};

use super::bins::PdBin;
use super::proportion::exact_interval;
use super::ranked::Ranked;

/// One bin of predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// 1 is the safest.
    pub decile: usize,
    /// Number of rows.
    pub rows: u64,
    /// Number of bad rows.
    pub bad: u64,
    /// Lowest prediction.
    pub min_pd: f64,
    /// Highest prediction.
    pub max_pd: f64,
    /// Mean prediction (weighted, where rows are).
    pub mean_pd: f64,
    /// Observed bad rate (weighted, where rows are).
    pub bad_rate: f64,
    /// Exact interval of the bad rate; null for weighted rows.
    pub bad_rate_interval: Option<[f64; 2]>,
}

/// Tabulates bins of the sample.
#[must_use]
pub fn deciles(ranked: &Ranked, bins: &[PdBin], confidence: f64) -> Vec<Decile> {
    let mut counts = vec![(0_u64, 0_u64); bins.len()];
    let mut bin = 0;
    for cell in ranked.cells() {
        while bins.get(bin).is_some_and(|b| cell.tie >= b.ties.end) {
            bin += 1;
        }
        if let Some((rows, bad)) = counts.get_mut(bin) {
            *rows += cell.rows;
            *bad += if cell.is_bad { cell.rows } else { 0 };
        }
    }
    bins.iter()
        .zip(counts)
        .enumerate()
        .map(|(i, (bin, (rows, bad)))| Decile {
            decile: i + 1,
            rows,
            bad,
            min_pd: bin.min_pd,
            max_pd: bin.max_pd,
            mean_pd: bin.mean_pd,
            bad_rate: bin.bad_rate,
            bad_rate_interval: (!ranked.is_weighted()).then(|| exact_interval(bad, rows, confidence)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::bins::equal_mass_bins;
    use crate::model::validation::fixture::{assert_close, ranked, weighted};

    // numpy 2, the same tie rule: rows 4 3 4 5 4 4 4 4 4 4, bads 0 1 1 2 0 1 2 2 2 2.
    #[test]
    fn counts_and_rates() {
        let sample = ranked();
        let table = deciles(&sample, &equal_mass_bins(sample.ties(), 10), 0.95);
        assert_eq!(table.iter().map(|d| d.rows).collect::<Vec<_>>(), [4, 3, 4, 5, 4, 4, 4, 4, 4, 4]);
        assert_eq!(table.iter().map(|d| d.bad).collect::<Vec<_>>(), [0, 1, 1, 2, 0, 1, 2, 2, 2, 2]);
        assert_close(table[3].mean_pd, 0.206, 1e-15);
        assert_close(table[3].bad_rate, 0.4, 1e-15);
        assert_eq!(table[3].bad_rate_interval, Some(exact_interval(2, 5, 0.95)));
    }

    #[test]
    fn weights_move_rates_and_withhold_intervals() {
        let sample = weighted();
        let table = deciles(&sample, &equal_mass_bins(sample.ties(), 4), 0.95);
        assert_eq!(table.iter().map(|d| d.rows).sum::<u64>(), 40);
        assert!(table.iter().all(|d| d.bad_rate_interval.is_none()));
    }
}
