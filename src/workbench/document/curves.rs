//! The points of the ROC and KS plots, thinned to what an eye can tell apart.

use crate::model::validation::{Gain, Ranked, Tie};

/// Points of the ROC and the KS plot of one sample.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// (share of goods refused, share of bads caught), from (0, 0) to (1, 1).
    pub roc: Vec<[f64; 2]>,
    /// (PD, share of goods at or below it, share of bads at or below it), ascending.
    pub distributions: Vec<[f64; 3]>,
    /// Whether the points come from a table of gains, not from rows: then the curves run below the true ones.
    pub is_coarse: bool,
}

/// Most points of a curve.
const MOST_POINTS: usize = 400;

impl Curves {
    /// The curves of a sample; empty with one outcome class.
    #[must_use]
    pub fn of(sample: &Ranked) -> Self {
        let ties = sample.ties();
        let goods: f64 = ties.iter().map(|tie| tie.good).sum();
        let bads: f64 = ties.iter().map(|tie| tie.bad).sum();
        if goods <= 0.0 || bads <= 0.0 {
            return Self::default();
        }
        let (mut good, mut bad) = (0.0, 0.0);
        let distributions: Vec<[f64; 3]> = thinned(ties)
            .into_iter()
            .map(|(pd, run)| {
                good += run.iter().map(|tie| tie.good).sum::<f64>();
                bad += run.iter().map(|tie| tie.bad).sum::<f64>();
                [pd, good / goods, bad / bads]
            })
            .collect();
        let mut roc: Vec<[f64; 2]> = vec![[0.0, 0.0]];
        roc.extend(distributions.iter().rev().skip(1).map(|[_, good, bad]| [1.0 - good, 1.0 - bad]));
        roc.push([1.0, 1.0]);
        Self { roc, distributions, is_coarse: false }
    }

    /// Coarse curves from a table of gains, riskiest first: what a report keeps of a sample. `highest_pd` ends the scale.
    #[must_use]
    pub fn of_gains(gains: &[Gain], highest_pd: f64) -> Self {
        if gains.is_empty() {
            return Self::default();
        }
        let mut roc: Vec<[f64; 2]> = vec![[0.0, 0.0]];
        roc.extend(gains.iter().map(|g| [g.goods_refused_share, g.bads_captured_share]));
        // Everything below a step's lowest PD is what has not been refused by then.
        let below = |g: &Gain| [g.min_pd, 1.0 - g.goods_refused_share, 1.0 - g.bads_captured_share];
        let mut distributions: Vec<[f64; 3]> = gains.iter().rev().map(below).collect();
        distributions.push([highest_pd, 1.0, 1.0]);
        Self { roc, distributions, is_coarse: true }
    }
}

/// Runs of neighbouring ties, at most [`MOST_POINTS`], each with its highest PD.
fn thinned(ties: &[Tie]) -> Vec<(f64, &[Tie])> {
    let run = ties.len().div_ceil(MOST_POINTS).max(1);
    ties.chunks(run).filter_map(|run| Some((run.last()?.pd, run))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};
    use crate::model::validation::{auc, equal_mass_bins, gains, ks};

    fn area(roc: &[[f64; 2]]) -> f64 {
        roc.array_windows().map(|[a, b]| (b[0] - a[0]) * (a[1] + b[1]) / 2.0).sum()
    }

    #[test]
    fn the_area_under_the_points_is_the_auc() {
        let curves = Curves::of(&ranked());
        assert_close(area(&curves.roc), auc(ranked().ties()).unwrap(), 1e-12);
        let widest = curves.distributions.iter().map(|[_, g, b]| (g - b).abs()).fold(0.0, f64::max);
        assert_close(widest, ks(ranked().ties()).unwrap().ks, 1e-12);
        assert!(Curves::of(&single_class()).roc.is_empty());
    }

    #[test]
    fn long_samples_are_thinned_without_losing_an_end() {
        let pd: Vec<f64> = (0..5000).map(|i| f64::from(i) / 5000.0).collect();
        let bad: Vec<bool> = (0..5000).map(|i| i % 7 == 0 || i > 4000).collect();
        let sample = Ranked::new(&bad, &pd).unwrap();
        let curves = Curves::of(&sample);
        assert!(curves.distributions.len() <= 400);
        let last = curves.distributions.last().unwrap();
        assert_close(last[1] + last[2], 2.0, 1e-12);
        assert_close(area(&curves.roc), auc(sample.ties()).unwrap(), 1e-3);
    }

    #[test]
    fn gains_give_a_coarser_curve_of_the_same_sample() {
        let sample = ranked();
        let bins = equal_mass_bins(sample.ties(), 29);
        let coarse = Curves::of_gains(&gains(&bins, None).unwrap(), 1.0);
        let exact = auc(sample.ties()).unwrap();
        assert!(coarse.is_coarse && (area(&coarse.roc) - exact).abs() < 0.02);
        assert!(coarse.distributions.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]));
        assert_eq!(coarse.roc.last(), Some(&[1.0, 1.0]));
    }
}
