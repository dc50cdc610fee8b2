//! Decile migration: how far does the challenger move rows along the scale of risk?
//!
//! Rows are the champion's deciles, columns the challenger's, safest first. A challenger that ranks better by moving a few rows is cheap to adopt; one that moves
//! everybody changes who the customers are.

use serde::{Deserialize, Serialize};

use crate::model::validation::{PdBin, Ranked, equal_mass_bins};

/// Counts of rows by both models' deciles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// `rows[i][j]`: rows in the champion's decile i and the challenger's decile j.
    pub rows: Vec<Vec<u64>>,
    /// Bad rows among them.
    pub bad: Vec<Vec<u64>>,
    /// Share of rows that keep their decile.
    pub unmoved_share: f64,
    /// Share of rows that move by at most one.
    pub within_one_share: f64,
}

/// Cross-tabulates two columns of predictions. Columns and outcomes are of one table, checked before.
pub(super) fn migration(
    is_bad: &[bool],
    champion: (&[f64], &Ranked),
    challenger: (&[f64], &Ranked),
    bins: usize,
) -> Migration {
    let one = equal_mass_bins(champion.1.ties(), bins);
    let two = equal_mass_bins(challenger.1.ties(), bins);
    let mut rows = vec![vec![0_u64; two.len()]; one.len()];
    let mut bad = rows.clone();
    let (mut unmoved, mut within_one) = (0_u64, 0_u64);
    for (is_bad, (a, b)) in is_bad.iter().zip(champion.0.iter().zip(challenger.0)) {
        let (i, j) = (bin_of(&one, *a), bin_of(&two, *b));
        if let Some(count) = rows.get_mut(i).and_then(|row| row.get_mut(j)) {
            *count += 1;
        }
        if let Some(count) = bad.get_mut(i).and_then(|row| row.get_mut(j)) {
            *count += u64::from(*is_bad);
        }
        unmoved += u64::from(i == j);
        within_one += u64::from(i.abs_diff(j) <= 1);
    }
    let total = is_bad.len() as f64;
    Migration { rows, bad, unmoved_share: unmoved as f64 / total, within_one_share: within_one as f64 / total }
}

fn bin_of(bins: &[PdBin], pd: f64) -> usize {
    bins.partition_point(|bin| bin.max_pd < pd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_row_once() {
        let is_bad = [false, true, false, true];
        let (one, two) = ([0.1, 0.2, 0.3, 0.4], [0.4, 0.1, 0.2, 0.3]);
        let ranked = |pd: &[f64]| Ranked::new(&is_bad, pd).unwrap();
        let found = migration(&is_bad, (&one, &ranked(&one)), (&two, &ranked(&two)), 2);
        assert_eq!(found.rows, [[1, 1], [1, 1]]);
        assert_eq!(found.bad, [[1, 0], [0, 1]]);
        assert!((found.unmoved_share - 0.5).abs() < 1e-15 && (found.within_one_share - 1.0).abs() < 1e-15);
        let same = migration(&is_bad, (&one, &ranked(&one)), (&one, &ranked(&one)), 4);
        assert!((same.unmoved_share - 1.0).abs() < 1e-15);
    }
}
