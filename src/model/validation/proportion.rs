//! Intervals and tests for one observed default rate: `bad` of `rows`.
//!
//! The exact (Clopper–Pearson) interval never covers less than it promises; the Jeffreys interval and test are the Bayesian
//! ones with prior Beta(½, ½), which the European Central Bank's instructions for validation reporting (2019) ask for by grade.
//! All of them live on the Beta distribution and hold for any number of rows, including none (then they say "anything is possible").

use crate::domain::distributions::{beta_probability, beta_quantile};

/// Exact two-sided interval of a default rate, after Clopper & Pearson (1934), Biometrika 26.
///
/// `confidence` lies between 0 and 1, `bad ≤ rows`.
#[must_use]
pub fn exact_interval(bad: u64, rows: u64, confidence: f64) -> [f64; 2] {
    let tail = (1.0 - confidence) / 2.0;
    let (bad, good) = (bad as f64, rows.saturating_sub(bad) as f64);
    let low = if bad > 0.0 { beta_quantile(bad, good + 1.0, tail) } else { 0.0 };
    let high = if good > 0.0 { beta_quantile(bad + 1.0, good, 1.0 - tail) } else { 1.0 };
    [low, high]
}

/// Default rate that the true one exceeds with probability `1 − confidence` after seeing `bad` of `rows` (one-sided, Jeffreys prior).
#[must_use]
pub fn jeffreys_upper(bad: u64, rows: u64, confidence: f64) -> f64 {
    beta_quantile(bad as f64 + 0.5, rows.saturating_sub(bad) as f64 + 0.5, confidence)
}

/// One-sided Jeffreys p-value of "the predicted PD is high enough": the posterior probability that the true rate is below it.
/// Small values say that the PD is too low.
#[must_use]
pub fn jeffreys_p_value(bad: u64, rows: u64, pd: f64) -> f64 {
    beta_probability(bad as f64 + 0.5, rows.saturating_sub(bad) as f64 + 0.5, pd.clamp(0.0, 1.0))
}

/// One-sided exact binomial p-value of "the predicted PD is high enough": the probability of at least `bad` defaults among
/// `rows` independent borrowers with this PD. Defaults are correlated in truth, so small values come more often than they say.
#[must_use]
pub fn binomial_p_value(bad: u64, rows: u64, pd: f64) -> f64 {
    if bad == 0 {
        return 1.0;
    }
    beta_probability(bad as f64, rows.saturating_sub(bad) as f64 + 1.0, pd.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::assert_close;

    // scipy 1.17.1: binomtest(3, 10).proportion_ci(method='exact'), binomtest(0, 10)…
    #[test]
    fn exact_interval_equals_scipy() {
        let [low, high] = exact_interval(3, 10, 0.95);
        assert_close(low, 0.066_739_511_177_734_47, 1e-10);
        assert_close(high, 0.652_452_850_060_008, 1e-10);
        let [low, high] = exact_interval(0, 10, 0.95);
        assert_close(low, 0.0, 0.0);
        assert_close(high, 0.308_497_107_818_762_94, 1e-10);
        let [low, high] = exact_interval(0, 0, 0.95);
        assert_close(low, 0.0, 0.0);
        assert_close(high, 1.0, 0.0);
        assert_close(exact_interval(10, 10, 0.95)[1], 1.0, 0.0);
    }

    // scipy 1.17.1: beta.cdf(.12, 3.5, 7.5), beta.cdf(.12, .5, 10.5), beta.cdf(.02, 130.5, 4870.5); beta.ppf(.9, 3.5, 7.5), …
    #[test]
    fn jeffreys_equals_scipy() {
        assert_close(jeffreys_p_value(3, 10, 0.12), 0.053_325_739_443_330_48, 1e-10);
        assert_close(jeffreys_p_value(0, 10, 0.12), 0.894_611_286_602_276_6, 1e-10);
        assert_close(jeffreys_p_value(130, 5000, 0.02), 0.001_787_070_198_475_345_5, 1e-10);
        assert_close(jeffreys_upper(3, 10, 0.9), 0.501_781_118_100_088_4, 1e-9);
        assert_close(jeffreys_upper(130, 5000, 0.75), 0.027_578_940_008_485_44, 1e-9);
    }

    // scipy 1.17.1: binom.sf(2, 10, .12), binom.sf(129, 5000, .02)
    #[test]
    fn binomial_equals_scipy() {
        assert_close(binomial_p_value(3, 10, 0.12), 0.108_681_793_721_975_44, 1e-10);
        assert_close(binomial_p_value(130, 5000, 0.02), 0.002_070_960_283_679_294, 1e-10);
        assert_close(binomial_p_value(0, 10, 0.12), 1.0, 0.0);
        assert_close(binomial_p_value(1, 10, 0.0), 0.0, 0.0);
    }
}
