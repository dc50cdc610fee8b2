//! Area under the ROC curve: does the model rank bads above goods?
//!
//! `AUC = P(pd of a random bad > pd of a random good) + ½ P(equal)`
//!
//! The denominator is every (bad, good) pair, so the figure does not move with the bad rate: two samples of different
//! riskiness can be compared. One pass over the tie groups replaces the pairs. A model without information scores 0.5, a reversed one
//! below it. 1 is perfect, and on merchant data a reason to look for leakage.
//!
//! Source: Hanley & `McNeil` (1982), Radiology 143.

use super::error::Undefined;
use super::ranked::Tie;

/// Exact area under the ROC curve, ties counted half.
///
/// # Errors
/// [`Undefined::SingleClass`] when there is no pair to compare.
pub fn auc(ties: &[Tie]) -> Result<f64, Undefined> {
    let mut good_below = 0.0;
    let mut bad = 0.0;
    let mut concordant = 0.0;
    for tie in ties {
        concordant += tie.bad * (good_below + 0.5 * tie.good);
        good_below += tie.good;
        bad += tie.bad;
    }
    if good_below > 0.0 && bad > 0.0 { Ok(concordant / (good_below * bad)) } else { Err(Undefined::SingleClass) }
}

/// Gini coefficient (accuracy ratio, Somers' D): `2 × AUC − 1`, 0 for no information and 1 for perfect order.
///
/// # Errors
/// As [`auc`].
pub fn gini(ties: &[Tie]) -> Result<f64, Undefined> {
    auc(ties).map(gini_of_auc)
}

/// `2 × AUC − 1`.
#[must_use]
pub fn gini_of_auc(auc: f64) -> f64 {
    2.0 * auc - 1.0
}

/// The standard error that an AUC has on so many bads and goods, where scores of both are about exponentially distributed:
/// `√((a(1 − a) + (n_bad − 1)(a/(2 − a) − a²) + (n_good − 1)(2a²/(1 + a) − a²)) / (n_bad n_good))`.
///
/// For plans, before there are scores; `DeLong`'s method and the bootstrap look at the scores themselves. At least
/// one of each outcome.
///
/// Source: Hanley & `McNeil` (1982), Radiology 143, equation 1.
#[must_use]
pub fn auc_standard_error(auc: f64, bad: f64, good: f64) -> f64 {
    let of_bad = (bad - 1.0) * (auc / (2.0 - auc) - auc * auc);
    let of_good = (good - 1.0) * (2.0 * auc * auc / (1.0 + auc) - auc * auc);
    ((auc * (1.0 - auc) + of_bad + of_good) / (bad * good)).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class, weighted};
    use crate::model::validation::ranked::Ranked;

    /// The definition, pair by pair.
    fn auc_by_pairs(is_bad: &[bool], pd: &[f64], weight: &[f64]) -> Option<f64> {
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in 0..pd.len() {
            for j in 0..pd.len() {
                if is_bad[i] && !is_bad[j] {
                    let w = weight[i] * weight[j];
                    pairs += w;
                    if pd[i] > pd[j] {
                        won += w;
                    } else if pd[i].to_bits() == pd[j].to_bits() {
                        won += w / 2.0;
                    }
                }
            }
        }
        (pairs > 0.0).then(|| won / pairs)
    }

    // scikit-learn 1.9.1: roc_auc_score(y, pd), and with sample_weight = 1, 1.5, 2, 2.5, 1, …
    #[test]
    fn equals_scikit_learn() {
        assert_close(auc(ranked().ties()).unwrap(), 0.673_789_173_789_173_9, 1e-15);
        assert_close(auc(weighted().ties()).unwrap(), 0.676_847_403_340_196_7, 1e-14);
        assert_close(gini(ranked().ties()).unwrap(), 2.0 * 0.673_789_173_789_173_9 - 1.0, 1e-15);
    }

    #[test]
    fn one_class_has_no_auc() {
        assert_eq!(auc(single_class().ties()), Err(Undefined::SingleClass));
        assert_eq!(auc(Ranked::new(&[true], &[0.5]).unwrap().ties()), Err(Undefined::SingleClass));
    }

    #[test]
    fn perfect_reversed_and_constant() {
        let bad = [false, false, true];
        assert_close(auc(Ranked::new(&bad, &[0.1, 0.2, 0.3]).unwrap().ties()).unwrap(), 1.0, 0.0);
        assert_close(auc(Ranked::new(&bad, &[0.3, 0.2, 0.1]).unwrap().ties()).unwrap(), 0.0, 0.0);
        assert_close(auc(Ranked::new(&bad, &[0.3, 0.3, 0.3]).unwrap().ties()).unwrap(), 0.5, 0.0);
    }

    proptest! {
        #[test]
        fn equals_the_pairs(rows in prop::collection::vec((any::<bool>(), 0_u8..12, 1_u8..5), 1..60)) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 12.0).collect();
            let weight: Vec<f64> = rows.iter().map(|r| f64::from(r.2) / 2.0).collect();
            let found = auc(Ranked::weighted(&is_bad, &pd, &weight).unwrap().ties()).ok();
            match auc_by_pairs(&is_bad, &pd, &weight) {
                Some(expected) => prop_assert!((found.unwrap() - expected).abs() < 1e-12),
                None => prop_assert!(found.is_none()),
            }
        }
    }

    /// The paper's example: an area of 0.893 on 51 abnormal and 58 normal images has a standard error of 0.032, from the ratings themselves;
    /// equation 1 with exponential scores comes within a thousandth.
    #[test]
    fn the_standard_error_is_the_papers() {
        assert_close(auc_standard_error(0.893, 51.0, 58.0), 0.032, 1e-3);
    }
}
