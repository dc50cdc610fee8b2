//! Bins of equal weight along the prediction: the ground of decile tables, gains and Hosmer–Lemeshow.

use std::ops::Range;

use super::ranked::{Tie, class_mass};

/// A run of neighbouring predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct PdBin {
    /// Which ties it holds.
    pub ties: Range<usize>,
    /// Lowest prediction.
    pub min_pd: f64,
    /// Highest prediction.
    pub max_pd: f64,
    /// Weighted mean prediction.
    pub mean_pd: f64,
    /// Weight of all rows.
    pub weight: f64,
    /// Weight of the bads.
    pub bad: f64,
    /// Observed bad rate, `bad / weight`.
    pub bad_rate: f64,
}

/// Cuts ascending ties into at most `count` bins of about equal weight.
///
/// Rows of one prediction are never split: a tie goes where its middle falls, `floor(count × (weight before + ½ own) / total)`.
/// Heavy ties can therefore leave fewer bins than asked for; empty ones are left out.
#[must_use]
pub fn equal_mass_bins(ties: &[Tie], count: usize) -> Vec<PdBin> {
    let (good, bad) = class_mass(ties);
    let scale = count as f64 / (good + bad);
    let mut bins: Vec<PdBin> = Vec::with_capacity(count);
    let mut before = 0.0;
    let mut start = 0;
    let mut current = f64::NEG_INFINITY;
    for (i, tie) in ties.iter().enumerate() {
        let slot = ((before + 0.5 * tie.mass()) * scale).floor();
        if slot > current && i > start {
            bins.push(summarise(ties, start..i));
            start = i;
        }
        current = slot;
        before += tie.mass();
    }
    if start < ties.len() {
        bins.push(summarise(ties, start..ties.len()));
    }
    bins
}

fn summarise(ties: &[Tie], range: Range<usize>) -> PdBin {
    let run = ties.get(range.clone()).unwrap_or_default();
    let (good, bad) = class_mass(run);
    let weight = good + bad;
    let min_pd = run.first().map_or(0.0, |tie| tie.pd);
    let max_pd = run.last().map_or(0.0, |tie| tie.pd);
    let mean_pd = run.iter().map(|tie| tie.mass() * tie.pd).sum::<f64>() / weight;
    // A mean of equal numbers can miss them by a rounding: hold it inside the bin.
    PdBin { ties: range, min_pd, max_pd, mean_pd: mean_pd.clamp(min_pd, max_pd), weight, bad, bad_rate: bad / weight }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::ranked;
    use crate::model::validation::ranked::Ranked;

    // The same rule in numpy 2 gives, for four bins, sizes 10, 10, 9, 11 with 2, 2, 3, 6 bads.
    #[test]
    fn ties_are_never_split() {
        let sizes: Vec<(f64, f64)> =
            equal_mass_bins(ranked().ties(), 4).iter().map(|bin| (bin.weight, bin.bad)).collect();
        assert_eq!(sizes, [(10.0, 2.0), (10.0, 2.0), (9.0, 3.0), (11.0, 6.0)]);
    }

    #[test]
    fn one_heavy_tie_is_one_bin() {
        let flat = Ranked::new(&[true, false, false], &[0.3; 3]).unwrap();
        let bins = equal_mass_bins(flat.ties(), 10);
        assert_eq!(bins.len(), 1);
        assert_eq!((bins[0].weight, bins[0].min_pd, bins[0].mean_pd, bins[0].max_pd), (3.0, 0.3, 0.3, 0.3));
    }

    proptest! {
        #[test]
        fn bins_cover_all_ties_in_order(
            rows in prop::collection::vec((any::<bool>(), 0_u8..30), 1..80),
            count in 1_usize..15,
        ) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 30.0).collect();
            let ranked = Ranked::new(&is_bad, &pd).unwrap();
            let bins = equal_mass_bins(ranked.ties(), count);
            prop_assert!(bins.len() <= count);
            let mut next = 0;
            for bin in &bins {
                prop_assert_eq!(bin.ties.start, next);
                prop_assert!(bin.min_pd <= bin.mean_pd && bin.mean_pd <= bin.max_pd);
                next = bin.ties.end;
            }
            prop_assert_eq!(next, ranked.ties().len());
            let weight: f64 = bins.iter().map(|bin| bin.weight).sum();
            prop_assert!((weight - rows.len() as f64).abs() < 1e-9);
        }
    }
}
