//! Kolmogorov–Smirnov statistic: the widest gap between the score distributions of goods and bads.
//!
//! `KS = max over t of |F_good(t) − F_bad(t)|`, with `F(t)` the share of the class predicted at or below `t`
//!
//! Each class is its own denominator, so the bad rate cancels. The place of the maximum is the cut-off that separates best when both
//! errors cost the same; it is reported because a KS without its place cannot be acted on. Ties move together: a gap *inside*
//! a tie group cannot be used by any cut-off and does not count.

use super::error::Undefined;
use super::ranked::{Tie, class_mass};

/// The statistic and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ks {
    /// The widest gap, 0 to 1.
    pub ks: f64,
    /// The lowest prediction at which the gap is reached: a cut-off of "approve at or below".
    pub at_pd: f64,
}

/// Finds the widest gap.
///
/// # Errors
/// [`Undefined::SingleClass`].
pub fn ks(ties: &[Tie]) -> Result<Ks, Undefined> {
    let (goods, bads) = class_mass(ties);
    if goods <= 0.0 || bads <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    let (mut good, mut bad) = (0.0, 0.0);
    let mut widest = Ks { ks: 0.0, at_pd: ties.first().map_or(0.0, |tie| tie.pd) };
    for tie in ties {
        good += tie.good;
        bad += tie.bad;
        let gap = (good / goods - bad / bads).abs();
        if gap > widest.ks {
            widest = Ks { ks: gap, at_pd: tie.pd };
        }
    }
    Ok(widest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class, weighted};
    use crate::model::validation::ranked::Ranked;

    /// The definition: try each prediction as a cut-off and count again.
    fn ks_by_cut_offs(is_bad: &[bool], pd: &[f64]) -> f64 {
        let count = |bad: bool, cut: f64| is_bad.iter().zip(pd).filter(|(b, p)| **b == bad && **p <= cut).count();
        let share = |bad: bool, cut: f64| count(bad, cut) as f64 / count(bad, 1.0) as f64;
        pd.iter().map(|cut| (share(false, *cut) - share(true, *cut)).abs()).fold(0.0, f64::max)
    }

    // scipy 1.17.1: ks_2samp(pd[y == 1], pd[y == 0]) gives .396011396011396 at .31;
    // scikit-learn 1.9.1: max(tpr − fpr) of roc_curve(y, pd, sample_weight = w, drop_intermediate = False).
    #[test]
    fn equals_scipy() {
        let found = ks(ranked().ties()).unwrap();
        assert_close(found.ks, 0.396_011_396_011_396, 1e-14);
        assert_close(found.at_pd, 0.31, 0.0);
        assert_close(ks(weighted().ties()).unwrap().ks, 0.411_805_078_929_306_8, 1e-13);
    }

    #[test]
    fn edge_cases() {
        assert_eq!(ks(single_class().ties()), Err(Undefined::SingleClass));
        let constant = Ranked::new(&[true, false], &[0.2, 0.2]).unwrap();
        assert_close(ks(constant.ties()).unwrap().ks, 0.0, 0.0);
        let perfect = Ranked::new(&[true, false], &[0.3, 0.2]).unwrap();
        assert_eq!(ks(perfect.ties()), Ok(Ks { ks: 1.0, at_pd: 0.2 }));
    }

    proptest! {
        #[test]
        fn equals_the_cut_offs(rows in prop::collection::vec((any::<bool>(), 0_u8..12), 2..60)) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 12.0).collect();
            let found = ks(Ranked::new(&is_bad, &pd).unwrap().ties());
            if is_bad.iter().any(|b| *b) && is_bad.iter().any(|b| !*b) {
                prop_assert!((found.unwrap().ks - ks_by_cut_offs(&is_bad, &pd)).abs() < 1e-12);
            } else {
                prop_assert!(found.is_err());
            }
        }
    }
}
