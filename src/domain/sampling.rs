//! Random variates on top of [`elementary`](super::elementary): the same draws on every processor.
//!
//! Sources: normal by Marsaglia & Bray (1964), SIAM Review 6; binomial and Poisson by inversion where few are expected, otherwise by
//! Hörmann's transformed rejection (1993, Journal of Statistical Computation and Simulation 46; Insurance: Mathematics and Economics 12).

use rand::Rng;

use super::elementary::{exp, ln, ln_1p, ln_gamma};

/// Expected number from which rejection is faster than inversion, and valid.
const MANY: f64 = 10.0;

/// Uniform in [0, 1), from the upper 53 bits of a draw.
pub fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Standard normal, by the polar method.
pub fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let (u, v) = (2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * (-2.0 * ln(s) / s).sqrt();
        }
    }
}

/// Successes among `trials` of probability `p`; p is held within 0 and 1, NaN counts as 0.
pub fn binomial<R: Rng + ?Sized>(rng: &mut R, trials: u64, p: f64) -> u64 {
    if p > 0.5 {
        return trials - binomial(rng, trials, 1.0 - p.min(1.0));
    }
    let mean = trials as f64 * p;
    if mean.is_nan() || mean <= 0.0 {
        0
    } else if mean < MANY {
        binomial_inverted(rng, trials, p)
    } else {
        binomial_rejected(rng, trials, p)
    }
}

fn binomial_inverted<R: Rng + ?Sized>(rng: &mut R, trials: u64, p: f64) -> u64 {
    let n = trials as f64;
    let odds = p / (1.0 - p);
    let none = exp(n * ln_1p(-p));
    loop {
        let (mut left, mut probability) = (uniform(rng), none);
        for successes in 0..=trials.min(200) {
            if left < probability {
                return successes;
            }
            left -= probability;
            probability *= odds * (n - successes as f64) / (successes as f64 + 1.0);
        }
        // Rounding left a remainder that belongs to no number: drawn again.
    }
}

fn binomial_rejected<R: Rng + ?Sized>(rng: &mut R, trials: u64, p: f64) -> u64 {
    let n = trials as f64;
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = n * p + 0.5;
    let certain = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let log_odds = ln(p / (1.0 - p));
    let mode = ((n + 1.0) * p).floor();
    let at_mode = ln_gamma(mode + 1.0) + ln_gamma(n - mode + 1.0);
    loop {
        let (u, v) = (uniform(rng) - 0.5, uniform(rng));
        let side = 0.5 - u.abs();
        let k = ((2.0 * a / side + b) * u + centre).floor();
        if !(k >= 0.0 && k <= n) {
            continue;
        }
        let accepted = side >= 0.07 && v <= certain
            || ln(v * alpha / (a / (side * side) + b))
                <= at_mode - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) + (k - mode) * log_odds;
        if accepted {
            return whole(k);
        }
    }
}

/// Number of events where `mean` are expected; none where the mean is not positive or not finite.
pub fn poisson<R: Rng + ?Sized>(rng: &mut R, mean: f64) -> u64 {
    if !mean.is_finite() || mean <= 0.0 {
        0
    } else if mean < MANY {
        // Arrivals until their product of uniforms falls below e^−mean.
        let limit = exp(-mean);
        let (mut product, mut events) = (uniform(rng), 0);
        while product > limit {
            product *= uniform(rng);
            events += 1;
        }
        events
    } else {
        poisson_rejected(rng, mean)
    }
}

fn poisson_rejected<R: Rng + ?Sized>(rng: &mut R, mean: f64) -> u64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let certain = 0.9277 - 3.6224 / (b - 2.0);
    let ln_mean = ln(mean);
    loop {
        let (u, v) = (uniform(rng) - 0.5, uniform(rng));
        let side = 0.5 - u.abs();
        let k = ((2.0 * a / side + b) * u + mean + 0.43).floor();
        if side >= 0.07 && v <= certain && k >= 0.0 {
            return whole(k);
        }
        if k < 0.0 || side < 0.013 && v > side {
            continue;
        }
        if ln(v) + ln(inverse_alpha) - ln(a / (side * side) + b) <= k * ln_mean - mean - ln_gamma(k + 1.0) {
            return whole(k);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a floored count, not below 0")]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::distributions::{beta_probability, chi_squared_survival};

    const DRAWS: u32 = 20_000;

    /// χ² test of draws against the probabilities of 0, 1, 2, …, cells of few pooled; fails by chance once in 10⁵.
    fn fits(draws: impl Fn(&mut ChaCha8Rng) -> u64, probability: impl Fn(u64) -> f64, most: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut counts = std::collections::BTreeMap::<u64, u32>::new();
        for _ in 0..DRAWS {
            *counts.entry(draws(&mut rng)).or_default() += 1;
        }
        let (mut chi, mut cells, mut seen, mut expected) = (0.0, 0_usize, 0.0, 0.0);
        for k in 0..=most {
            seen += f64::from(counts.get(&k).copied().unwrap_or_default());
            expected += probability(k) * f64::from(DRAWS);
            if expected >= 20.0 {
                chi += (seen - expected) * (seen - expected) / expected;
                cells += 1;
                (seen, expected) = (0.0, 0.0);
            }
        }
        let p = chi_squared_survival(chi, cells - 1).unwrap();
        assert!(p > 1e-5, "χ² {chi} over {cells} cells: p {p}");
        assert!(counts.keys().all(|k| *k <= most));
    }

    #[test]
    fn binomials_have_their_distribution() {
        for (n, p) in [(7_u64, 0.4), (60, 0.1), (500, 0.03), (500, 0.3), (90, 0.8), (4_000, 0.5)] {
            let up_to = |k: u64| if k >= n { 1.0 } else { 1.0 - beta_probability(k as f64 + 1.0, (n - k) as f64, p) };
            let at = |k: u64| up_to(k) - k.checked_sub(1).map_or(0.0, up_to);
            fits(|rng| binomial(rng, n, p), at, n);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (n, p, expected) in [(9, 0.0, 0), (9, 1.0, 9), (0, 0.3, 0), (9, f64::NAN, 0), (9, 7.0, 9)] {
            assert_eq!(binomial(&mut rng, n, p), expected, "{n} {p}");
        }
    }

    #[test]
    fn poissons_have_their_distribution() {
        for mean in [0.2, 3.0, 9.9, 10.1, 80.0] {
            let at = |k: u64| exp(k as f64 * ln(mean) - mean - ln_gamma(k as f64 + 1.0));
            fits(|rng| poisson(rng, mean), at, 400);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(|mean| poisson(&mut rng, mean)), [0; 4]);
    }

    #[test]
    fn normals_have_mean_0_and_spread_1() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let drawn: Vec<f64> = (0..DRAWS).map(|_| standard_normal(&mut rng)).collect();
        let n = f64::from(DRAWS);
        let mean = drawn.iter().sum::<f64>() / n;
        let spread = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        let beyond = drawn.iter().filter(|x| x.abs() > 1.959_963_984_540_054).count() as f64 / n;
        assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.04 && (beyond - 0.05).abs() < 0.008);
    }
}
