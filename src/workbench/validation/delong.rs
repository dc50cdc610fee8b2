//! `DeLong`'s variance of an AUC, and the test whether two models on the same rows differ.
//!
//! Each bad's *placement* is the share of goods the model ranks safer, each good's the share of bads it ranks riskier (ties half). The AUC is the mean of either, and
//!
//! `Var(AUC) = s²(placements of bads) / bads + s²(placements of goods) / goods`
//!
//! Two models scored on the same rows are correlated; the test uses the covariance of their placements, which is why it finds differences
//! that two separate intervals would hide.
//!
//! Source: `DeLong`, `DeLong` & Clarke-Pearson (1988), Biometrics 44; in O(n log n) after Sun & Xu (2014), IEEE Signal Processing Letters 21.

use crate::domain::elementary::{logit, sigmoid};
use serde::{Deserialize, Serialize};

use crate::model::validation::{
    Ranked, Tie, Undefined, ValidationError, auc, check_confidence, class_mass, two_sided_p_value, two_sided_z,
};

/// Variance of one model's AUC, unweighted rows.
///
/// # Errors
/// Fewer than two rows of a class.
pub fn auc_variance(ties: &[Tie]) -> Result<f64, Undefined> {
    let area = auc(ties)?;
    let (goods, bads) = class_mass(ties);
    if goods < 2.0 || bads < 2.0 {
        return Err(Undefined::ZeroVariance);
    }
    let (mut of_bads, mut of_goods) = (0.0, 0.0);
    for (tie, [good_placement, bad_placement]) in ties.iter().zip(placements(ties)) {
        of_bads += tie.bad * (bad_placement - area).powi(2);
        of_goods += tie.good * (good_placement - area).powi(2);
    }
    Ok(of_bads / (bads - 1.0) / bads + of_goods / (goods - 1.0) / goods)
}

/// Interval of an AUC, symmetric on the log-odds scale so that it stays within 0 and 1.
///
/// # Errors
/// As [`auc_variance`], and for an AUC of exactly 0 or 1, whose estimated variance is zero.
pub fn auc_interval(ties: &[Tie], confidence: f64) -> Result<[f64; 2], Undefined> {
    let area = auc(ties)?;
    let variance = auc_variance(ties)?;
    if variance <= 0.0 || area <= 0.0 || area >= 1.0 {
        return Err(Undefined::ZeroVariance);
    }
    let odds = logit(area);
    let half = two_sided_z(confidence) * variance.sqrt() / (area * (1.0 - area));
    Ok([sigmoid(odds - half), sigmoid(odds + half)])
}

/// Two models' AUCs on the same rows, compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeLongTest {
    /// AUC of the first model.
    pub first_auc: f64,
    /// AUC of the second model.
    pub second_auc: f64,
    /// First less second.
    pub difference: f64,
    /// Standard error of the difference.
    pub difference_error: f64,
    /// Interval of the difference.
    pub difference_interval: [f64; 2],
    /// Correlation of the two AUC estimates.
    pub correlation: f64,
    /// The difference in standard errors.
    pub z: f64,
    /// Two-sided p-value of "no difference".
    pub p_value: f64,
}

/// Compares two models on the same rows.
///
/// # Errors
/// Unusable columns. The inner result is [`Undefined`] with fewer than two rows of a class or where the two models never differ in rank.
pub fn delong_test(
    is_bad: &[bool],
    first: &[f64],
    second: &[f64],
    confidence: f64,
) -> Result<Result<DeLongTest, Undefined>, ValidationError> {
    check_confidence(confidence)?;
    let one = Ranked::new(is_bad, first)?;
    let two = Ranked::new(is_bad, second)?;
    if one.bad_rows() < 2 || one.rows() - one.bad_rows() < 2 {
        return Ok(Err(Undefined::SingleClass));
    }
    let (of_one, of_two) = (placements(one.ties()), placements(two.ties()));
    // Sorted pairs of placements make the sums independent of the order of rows.
    let mut pairs: Vec<(bool, f64, f64)> = is_bad
        .iter()
        .zip(first.iter().zip(second))
        .map(|(bad, (a, b))| (*bad, placement(&one, &of_one, *bad, *a), placement(&two, &of_two, *bad, *b)))
        .collect();
    pairs.sort_unstable_by(|x, y| x.0.cmp(&y.0).then_with(|| x.1.total_cmp(&y.1)).then_with(|| x.2.total_cmp(&y.2)));
    let goods = pairs.partition_point(|pair| !pair.0);
    let (good_pairs, bad_pairs) = pairs.split_at(goods);
    let of_goods = Moments::of(good_pairs);
    let of_bads = Moments::of(bad_pairs);
    let first_variance = of_goods.first + of_bads.first;
    let second_variance = of_goods.second + of_bads.second;
    let covariance = of_goods.both + of_bads.both;
    let variance = first_variance + second_variance - 2.0 * covariance;
    let (Ok(first_auc), Ok(second_auc)) = (auc(one.ties()), auc(two.ties())) else {
        return Ok(Err(Undefined::SingleClass));
    };
    // The remainder of rounding between two equal rankings is not variance.
    if variance <= 1e-15 * (first_variance + second_variance) || variance <= 0.0 {
        return Ok(Err(Undefined::ZeroVariance));
    }
    let difference = first_auc - second_auc;
    let error = variance.sqrt();
    let half = two_sided_z(confidence) * error;
    let scale = (first_variance * second_variance).sqrt();
    Ok(Ok(DeLongTest {
        first_auc,
        second_auc,
        difference,
        difference_error: error,
        difference_interval: [difference - half, difference + half],
        correlation: if scale > 0.0 { (covariance / scale).clamp(-1.0, 1.0) } else { 0.0 },
        z: difference / error,
        p_value: two_sided_p_value(difference / error),
    }))
}

/// At each tie, the share of bads that a good there is ranked safer than, and the share of goods that a bad there is ranked riskier than.
fn placements(ties: &[Tie]) -> Vec<[f64; 2]> {
    let (goods, bads) = class_mass(ties);
    let (mut good_below, mut bad_below) = (0.0, 0.0);
    ties.iter()
        .map(|tie| {
            let placed = [(bads - bad_below - 0.5 * tie.bad) / bads, (good_below + 0.5 * tie.good) / goods];
            good_below += tie.good;
            bad_below += tie.bad;
            placed
        })
        .collect()
}

/// The placement of one row.
fn placement(ranked: &Ranked, placements: &[[f64; 2]], is_bad: bool, pd: f64) -> f64 {
    let tie = ranked.ties().partition_point(|tie| tie.pd < pd);
    placements.get(tie).map_or(0.5, |[of_good, of_bad]| if is_bad { *of_bad } else { *of_good })
}

/// Variances and covariance of mean placements.
struct Moments {
    first: f64,
    second: f64,
    both: f64,
}

impl Moments {
    fn of(pairs: &[(bool, f64, f64)]) -> Self {
        let n = pairs.len() as f64;
        let (first, second) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.1, b + pair.2));
        let (first, second) = (first / n, second / n);
        let mut sums = (0.0, 0.0, 0.0);
        for (_, a, b) in pairs {
            sums.0 += (a - first).powi(2);
            sums.1 += (b - second).powi(2);
            sums.2 += (a - first) * (b - second);
        }
        let scale = (n - 1.0) * n;
        Self { first: sums.0 / scale, second: sums.1 / scale, both: sums.2 / scale }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{OTHER_PD, PD, assert_close, is_bad, ranked, single_class};

    // numpy 2 by the definition (psi of all pairs, np.cov of the placements); z and p by scipy 1.17.1 norm.sf
    #[test]
    fn equals_the_definition() {
        assert_close(auc_variance(ranked().ties()).unwrap(), 0.008_701_332_136_206_854, 1e-15);
        let test = delong_test(&is_bad(), &PD, &OTHER_PD, 0.95).unwrap().unwrap();
        assert_close(test.first_auc, 0.673_789_173_789_173_8, 1e-14);
        assert_close(test.second_auc, 0.632_478_632_478_632_5, 1e-14);
        assert_close(test.z, 0.928_395_437_842_231_4, 1e-12);
        assert_close(test.p_value, 0.353_202_484_162_037_6, 1e-10);
        let covariance = 0.009_022_518_756_611_824;
        let scale = (0.008_701_332_136_206_854_f64 * 0.011_323_662_457_784_746).sqrt();
        assert_close(test.correlation, covariance / scale, 1e-12);
        assert!(test.difference_interval[0] < 0.0 && test.difference_interval[1] > test.difference);
    }

    #[test]
    fn equal_rankings_have_no_test() {
        let squared: Vec<f64> = PD.iter().map(|p| p * p).collect();
        assert_eq!(delong_test(&is_bad(), &PD, &squared, 0.95).unwrap(), Err(Undefined::ZeroVariance));
        let single = delong_test(&[false; 3], &[0.1, 0.2, 0.3], &[0.3, 0.2, 0.1], 0.95).unwrap();
        assert_eq!(single, Err(Undefined::SingleClass));
        assert_eq!(auc_variance(single_class().ties()), Err(Undefined::SingleClass));
        assert!(delong_test(&is_bad(), &PD, &[0.5], 0.95).is_err());
    }

    #[test]
    fn perfect_ranking_has_no_interval() {
        let perfect = Ranked::new(&[false, false, true, true], &[0.1, 0.2, 0.3, 0.4]).unwrap();
        assert_eq!(auc_interval(perfect.ties(), 0.95), Err(Undefined::ZeroVariance));
        let [low, high] = auc_interval(ranked().ties(), 0.95).unwrap();
        assert!(0.0 < low && low < 0.673 && 0.674 < high && high < 1.0);
    }

    proptest! {
        #[test]
        fn swapping_models_or_rows_only_turns_the_sign(
            rows in prop::collection::vec((any::<bool>(), 0_u8..20, 0_u8..20), 4..50),
        ) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let a: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 20.0).collect();
            let b: Vec<f64> = rows.iter().map(|r| f64::from(r.2) / 20.0).collect();
            let one = delong_test(&is_bad, &a, &b, 0.9).unwrap();
            let two = delong_test(&is_bad, &b, &a, 0.9).unwrap();
            prop_assert_eq!(one.is_ok(), two.is_ok());
            if let (Ok(one), Ok(two)) = (one, two) {
                prop_assert!((one.z + two.z).abs() < 1e-6);
                let reversed = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
                let bad: Vec<bool> = is_bad.iter().rev().copied().collect();
                prop_assert_eq!(delong_test(&bad, &reversed(&a), &reversed(&b), 0.9).unwrap().unwrap(), one);
            }
        }
    }
}
