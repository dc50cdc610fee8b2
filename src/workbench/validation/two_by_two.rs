//! Two groups, two outcomes: ratio, difference and the test that fits the counts.

use crate::domain::elementary::{exp, ln_gamma};
use serde::{Deserialize, Serialize};

use crate::model::validation::{two_sided_p_value, two_sided_z};

/// Which test a p-value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TwoByTwoTest {
    /// Fisher's exact test: an expected count is below 5.
    FisherExact,
    /// z test of two proportions with pooled variance.
    TwoProportions,
}

/// The share of successes in a group against that in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateComparison {
    /// Rate of the group over rate of the reference; null where the reference has no success.
    pub ratio: Option<f64>,
    /// Its interval on the log scale (Katz et al. 1978, Biometrics 34); null where either has no success.
    pub ratio_interval: Option<[f64; 2]>,
    /// Rate of the group less rate of the reference.
    pub difference: f64,
    /// Two-sided p-value of "the same rate".
    pub p_value: f64,
    /// The test it comes from.
    pub test: TwoByTwoTest,
}

/// Compares `successes` of `rows` in a group with those in the reference; none where either is empty.
#[must_use]
pub fn compare_rates(group: (u64, u64), reference: (u64, u64), confidence: f64) -> Option<RateComparison> {
    let ((a, n), (b, m)) = (group, reference);
    if n == 0 || m == 0 || a > n || b > m {
        return None;
    }
    let (rate, reference_rate) = (a as f64 / n as f64, b as f64 / m as f64);
    // One division of exact products: 180 of 300 against 300 of 400 is 0.8, not a hair below it.
    let ratio = (b > 0).then(|| (a as f64 * m as f64) / (n as f64 * b as f64));
    let ratio_interval = ratio.filter(|_| a > 0).map(|ratio| {
        let variance = 1.0 / a as f64 - 1.0 / n as f64 + 1.0 / b as f64 - 1.0 / m as f64;
        let spread = exp(two_sided_z(confidence) * variance.max(0.0).sqrt());
        [ratio / spread, ratio * spread]
    });
    let pooled = (a + b) as f64 / (n + m) as f64;
    let least_expected = (n.min(m)) as f64 * pooled.min(1.0 - pooled);
    let (p_value, test) = if least_expected < 5.0 {
        (fisher_p_value(a, n, b, m), TwoByTwoTest::FisherExact)
    } else {
        let error = (pooled * (1.0 - pooled) * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
        (two_sided_p_value((rate - reference_rate) / error), TwoByTwoTest::TwoProportions)
    };
    Some(RateComparison { ratio, ratio_interval, difference: rate - reference_rate, p_value, test })
}

/// Fisher's exact two-sided p-value: the probability of all tables with the same margins that are no likelier than the one seen.
fn fisher_p_value(a: u64, n: u64, b: u64, m: u64) -> f64 {
    let successes = a + b;
    let ln_choose =
        |n: u64, k: u64| ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0);
    let ln_probability = |x: u64| ln_choose(n, x) + ln_choose(m, successes - x) - ln_choose(n + m, successes);
    let seen = ln_probability(a);
    let (least, most) = (successes.saturating_sub(m), successes.min(n));
    let total: f64 = (least..=most).map(ln_probability).filter(|ln| *ln <= seen + 1e-7).map(exp).sum();
    total.min(1.0)
}

/// Successes and failures of group and reference within one stratum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stratum {
    /// Successes and rows of the group.
    pub group: (u64, u64),
    /// Successes and rows of the reference.
    pub reference: (u64, u64),
}

/// Group against reference, like compared with like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StratifiedComparison {
    /// Mantel–Haenszel common odds ratio of success; 1 is parity.
    pub odds_ratio: f64,
    /// Its interval (Robins, Breslow & Greenland 1986, Biometrics 42).
    pub odds_ratio_interval: [f64; 2],
    /// Cochran–Mantel–Haenszel p-value of "parity in every stratum", without continuity correction.
    pub p_value: f64,
    /// Strata in which both groups and both outcomes occur.
    pub strata: u64,
}

/// Combines strata; none where no stratum can tell the groups apart.
#[must_use]
pub fn compare_strata(strata: &[Stratum], confidence: f64) -> Option<StratifiedComparison> {
    let (mut excess, mut variance, mut used) = (0.0, 0.0, 0);
    let (mut r, mut s, mut pr, mut ps_qr, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for stratum in strata {
        let ((a, n), (c, m)) = (stratum.group, stratum.reference);
        let successes = a + c;
        let total = n + m;
        if n == 0 || m == 0 || successes == 0 || successes >= total {
            continue;
        }
        used += 1;
        let (a, n, c, m) = (a as f64, n as f64, c as f64, m as f64);
        let (total, successes) = (n + m, a + c);
        excess += a - n * successes / total;
        variance += n * m * successes * (total - successes) / (total * total * (total - 1.0));
        let (b, d) = (n - a, m - c);
        let (ri, si) = (a * d / total, b * c / total);
        let (pi, qi) = ((a + d) / total, (b + c) / total);
        r += ri;
        s += si;
        pr += pi * ri;
        ps_qr += pi * si + qi * ri;
        qs += qi * si;
    }
    if used == 0 || variance <= 0.0 || r <= 0.0 || s <= 0.0 {
        return None;
    }
    let odds_ratio: f64 = r / s;
    let error = (pr / (2.0 * r * r) + ps_qr / (2.0 * r * s) + qs / (2.0 * s * s)).sqrt();
    let spread = exp(two_sided_z(confidence) * error);
    Some(StratifiedComparison {
        odds_ratio,
        odds_ratio_interval: [odds_ratio / spread, odds_ratio * spread],
        p_value: two_sided_p_value(excess / variance.sqrt()),
        strata: used,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::assert_close;

    // scipy 1.17.1: fisher_exact([[8, 2], [3, 7]]), [[1, 9], [11, 3]], [[0, 5], [3, 4]]
    #[test]
    fn fisher_equals_scipy() {
        assert_close(fisher_p_value(8, 10, 3, 10), 0.069_778_518_694_927_36, 1e-10);
        assert_close(fisher_p_value(1, 10, 11, 14), 0.002_759_456_185_220_083_6, 1e-10);
        assert_close(fisher_p_value(0, 5, 3, 7), 0.204_545_454_545_454_6, 1e-10);
        assert_close(fisher_p_value(0, 5, 0, 7), 1.0, 1e-12);
    }

    // statsmodels 0.15.0: proportions_ztest([300, 240], [400, 400]); interval of the ratio by Katz's formula in numpy 2
    #[test]
    fn large_counts_equal_statsmodels() {
        let found = compare_rates((240, 400), (300, 400), 0.95).unwrap();
        assert_eq!(found.test, TwoByTwoTest::TwoProportions);
        assert_close(found.p_value, 5.923_317_990_312_132e-6, 1e-15);
        assert_close(found.ratio.unwrap(), 0.8, 1e-12);
        let [low, high] = found.ratio_interval.unwrap();
        assert_close(low, 0.725_320_429_139_403_9, 1e-9);
        assert_close(high, 0.882_368_639_139_756_5, 1e-9);
        assert_close(found.difference, -0.15, 1e-12);
    }

    #[test]
    fn edges() {
        assert_eq!(compare_rates((0, 0), (1, 2), 0.95), None);
        let none = compare_rates((0, 10), (0, 10), 0.95).unwrap();
        assert_eq!((none.ratio, none.ratio_interval, none.test), (None, None, TwoByTwoTest::FisherExact));
        assert_close(none.p_value, 1.0, 1e-12);
        let all = compare_rates((10, 10), (10, 10), 0.95).unwrap();
        assert_close(all.p_value, 1.0, 1e-12);
        assert_close(all.ratio.unwrap(), 1.0, 0.0);
    }

    // statsmodels 0.15.0: StratifiedTable([[[30, 10], [40, 20]], [[20, 20], [30, 10]], [[5, 15], [12, 10]]])
    //   .test_null_odds(correction=False), .oddsratio_pooled, .oddsratio_pooled_confint()
    #[test]
    fn strata_equal_statsmodels() {
        let strata = [((30, 40), (40, 60)), ((20, 40), (30, 40)), ((5, 20), (12, 22)), ((3, 3), (0, 0))]
            .map(|(group, reference)| Stratum { group, reference });
        let found = compare_strata(&strata, 0.95).unwrap();
        assert_close(found.odds_ratio, 0.613_876_319_758_672_7, 1e-12);
        assert_close(found.odds_ratio_interval[0], 0.352_240_133_333_722_9, 1e-9);
        assert_close(found.odds_ratio_interval[1], 1.069_850_083_219_843_4, 1e-9);
        assert_close(found.p_value, 0.083_754_494_624_987_41, 1e-10);
        assert_eq!(found.strata, 3);
        assert_eq!(compare_strata(&strata[3..], 0.95), None);
    }
}
