//! Distribution functions on top of [`elementary`](super::elementary): the same bits on every processor.
//!
//! Formulas: Abramowitz & Stegun (1964), 6.5, 7.1, 26.5; the continued fractions by Lentz's method (Press et al., Numerical Recipes, 6.2, 6.4).
//! `statrs` is the oracle of the tests.

use super::elementary::{erfc, exp, ln, ln_1p, ln_gamma};

/// Relative change at which a series or a continued fraction stands.
const PRECISION: f64 = 1e-15;
/// Steps after which it must have come to stand: about as many as the root of the largest parameter.
const MAX_STEPS: u32 = 100_000;
/// Halvings that bring an interval of the size of its ends down to neighbouring numbers.
const HALVINGS: u32 = 64;
/// Stands for a zero that is divided by.
const TINY: f64 = 1e-300;

/// P(|Z| > |z|) of a standard normal variable.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The z with P(|Z| > z) = `p`, for p within 0 and 1.
#[must_use]
pub fn normal_two_sided_quantile(p: f64) -> f64 {
    // erfc has no value between 0 and the smallest number beyond 27; 40 is past it.
    bisect(0.0, 40.0, |z| normal_two_sided(z) > p)
}

/// P(X > x) of a χ² variable; `None` without degrees of freedom, or for an x that is not finite.
#[must_use]
pub fn chi_squared_survival(x: f64, degrees_of_freedom: usize) -> Option<f64> {
    if degrees_of_freedom == 0 || !x.is_finite() {
        return None;
    }
    Some(if x <= 0.0 { 1.0 } else { upper_gamma(degrees_of_freedom as f64 / 2.0, x / 2.0) })
}

/// The x with P(X > x) = `p` of a χ² variable; `None` without degrees of freedom.
#[must_use]
pub fn chi_squared_quantile(p: f64, degrees_of_freedom: usize) -> Option<f64> {
    let survival = |x: f64| chi_squared_survival(x, degrees_of_freedom);
    survival(1.0)?;
    let mut high = degrees_of_freedom as f64 + 10.0;
    while survival(high).is_some_and(|s| s > p) && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    Some(bisect(0.0, high, |x| survival(x).is_some_and(|s| s > p)))
}

/// Regularised incomplete beta function `I_x(a, b)`: P(X ≤ x) of a beta variable. `a` and `b` are above 0, x is held within 0 and 1.
#[must_use]
pub fn beta_probability(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * ln(x) + b * ln_1p(-x));
    // The fraction converges fast on this side of the mean; the other follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// The x with P(X ≤ x) = `p` of a beta variable.
#[must_use]
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    bisect(0.0, 1.0, |x| beta_probability(a, b, x) < p)
}

/// The point between `low` and `high` up to which `below` holds.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Regularised upper incomplete gamma function Q(a, x), for positive a and x.
fn upper_gamma(a: f64, x: f64) -> f64 {
    let front = exp(a * ln(x) - x - ln_gamma(a));
    if x < a + 1.0 { 1.0 - front * lower_series(a, x) } else { front * upper_fraction(a, x) }
}

/// Σ xⁿ / (a (a + 1) … (a + n)).
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    for _ in 0..MAX_STEPS {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term <= PRECISION * sum {
            break;
        }
    }
    sum
}

/// The continued fraction of Γ(a, x) / (xᵃ e⁻ˣ).
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / nonzero(b);
    let mut fraction = d;
    for step in 1..MAX_STEPS {
        let i = f64::from(step);
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b);
        c = nonzero(b + numerator / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() <= PRECISION {
            break;
        }
    }
    fraction
}

/// The continued fraction of the incomplete beta function.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..MAX_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / nonzero(1.0 + numerator * d);
            c = nonzero(1.0 + numerator / c);
            change = d * c;
            fraction *= change;
        }
        if (change - 1.0).abs() <= PRECISION {
            break;
        }
    }
    fraction
}

fn nonzero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::distribution::{Beta, ChiSquared, ContinuousCDF as _, Normal};

    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) -> bool {
        (found - expected).abs() <= tolerance * (1.0 + expected.abs())
    }

    // scipy 1.17.1: 2 * norm.sf(6), norm.ppf(.975), chi2.sf(5.312709561800069, 10), beta.cdf(.02, 130.5, 4870.5)
    #[test]
    fn equals_scipy() {
        assert!((normal_two_sided(6.0) - 1.973_175_290_075_396e-9).abs() < 1e-22);
        assert!((normal_two_sided_quantile(0.05) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((chi_squared_survival(5.312_709_561_800_069, 10).unwrap() - 0.869_334_063_680_842_7).abs() < 1e-13);
        assert!((beta_probability(130.5, 4_870.5, 0.02) - 0.001_787_070_198_475_345_5).abs() < 1e-13);
        assert_eq!((chi_squared_survival(1.0, 0), chi_squared_survival(f64::NAN, 3)), (None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn equals_statrs(a in 0.3..400.0_f64, b in 0.3..400.0_f64, x in 0.0..1.0_f64, df in 1_u32..80, chi in 0.0..200.0_f64) {
            let beta = Beta::new(a, b).unwrap();
            prop_assert!(close(beta_probability(a, b, x), beta.cdf(x), 1e-9));
            let back = beta_probability(a, b, beta_quantile(a, b, x));
            prop_assert!(close(back, x, 1e-9), "{back} {x}");
            let squared = ChiSquared::new(f64::from(df)).unwrap();
            let survival = chi_squared_survival(chi, df as usize).unwrap();
            prop_assert!(close(survival, squared.sf(chi), 1e-9));
            let quantile = chi_squared_quantile(x.max(1e-9), df as usize).unwrap();
            prop_assert!(close(chi_squared_survival(quantile, df as usize).unwrap(), x.max(1e-9), 1e-9));
            let normal = Normal::standard();
            prop_assert!(close(normal_two_sided_quantile(x.max(1e-12)), normal.inverse_cdf(1.0 - x.max(1e-12) / 2.0), 1e-4));
        }
    }

    #[test]
    fn large_parameters_converge() {
        // Half of a wide binomial lies below its mean; ln Γ of millions leaves nine digits.
        assert!((beta_probability(5e6, 5e6, 0.5) - 0.5).abs() < 1e-6);
        assert!((chi_squared_survival(1e6, 1_000_000).unwrap() - 0.5).abs() < 1e-3);
    }
}
