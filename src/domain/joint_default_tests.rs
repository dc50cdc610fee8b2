use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::*;
use crate::domain::elementary::{cos, ln};

/// The tail `P(at least k)`.
fn at_least(number: &[f64], k: usize) -> f64 {
    number[k..].iter().sum()
}

/// A standard normal variable, by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * ln(u)).sqrt() * cos(std::f64::consts::TAU * v)
}

#[test]
fn quantiles_agree_with_statrs() {
    let oracle = Normal::new(0.0, 1.0).unwrap();
    for p in [1e-9, 1e-4, 0.01, 0.3, 0.5, 0.7, 0.999, 1.0 - 1e-9] {
        assert!((normal_quantile(p) - oracle.inverse_cdf(p)).abs() < 1e-6, "{p}");
        assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-12, "{p}");
    }
    assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn without_correlation_they_are_independent_whatever_the_borrower_does() {
    // Two of 10 % and 30 %.
    let expected = [0.9 * 0.7, 0.1 * 0.7 + 0.9 * 0.3, 0.1 * 0.3];
    for borrower in [None, Some(0.02), Some(1.0), Some(0.0)] {
        let found = number_of_defaults(&[0.1, 0.3], borrower, 0.0);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }
}

#[test]
fn near_full_correlation_they_default_together() {
    // Who has the smaller probability defaults only where the other does.
    let found = number_of_defaults(&[0.05, 0.2], None, 0.99);
    let expected = [0.8, 0.15, 0.05];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.02), "{found:?}");
    // A borrower of the same risk: hardly anybody stands.
    let given = number_of_defaults(&[0.05], Some(0.05), 0.99);
    assert!(given[1] > 0.85, "{given:?}");
}

#[test]
fn two_borrowers_follow_the_bivariate_normal_distribution() {
    // P(X < 0, Y < 0) = ¼ + arcsin ρ ÷ 2π (Sheppard, 1899).
    // Python 3: [0.25 + math.asin(r) / (2 * math.pi) for r in (0, 0.1, 0.24, 0.5, 0.9, 0.99)].
    let known = [
        (0.0, 0.25),
        (0.1, 0.265_942_140_214_63),
        (0.24, 0.288_573_723_229_525),
        (0.5, 0.333_333_333_333_333_3),
        (0.9, 0.428_216_853_435_646_9),
        (0.99, 0.477_473_293_177_794),
    ];
    for (correlation, expected) in known {
        let both = number_of_defaults(&[0.5, 0.5], None, correlation)[2];
        assert!((both - expected).abs() < 1e-9, "{correlation}: {both} against {expected}");
        let given = number_of_defaults(&[0.5], Some(0.5), correlation)[1];
        assert!((given - 2.0 * expected).abs() < 1e-9);
    }
}

#[test]
fn certain_and_impossible_defaults_stay_so() {
    assert_eq!(number_of_defaults(&[], Some(0.3), 0.2), [1.0]);
    let found = number_of_defaults(&[0.0, 1.0, 1.0], Some(0.1), 0.3);
    assert!((found[2] - 1.0).abs() < 1e-12, "{found:?}");
}

#[test]
fn a_million_draws_agree() {
    let (others, borrower, correlation) = ([0.04, 0.1, 0.25, 0.02], 0.08, 0.3_f64);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let oracle = Normal::new(0.0, 1.0).unwrap();
    let falls =
        |p: f64, z: f64, own: f64| correlation.sqrt() * z + (1.0 - correlation).sqrt() * own <= oracle.inverse_cdf(p);
    let thresholds = others.map(|p| oracle.inverse_cdf(p));
    let (mut counts, mut given, mut fallen) = ([0_u32; 5], [0_u32; 5], 0_u32);
    let draws = 400_000_u32;
    for _ in 0..draws {
        let z = normal(&mut rng);
        let number = thresholds
            .iter()
            .filter(|c| correlation.sqrt() * z + (1.0 - correlation).sqrt() * normal(&mut rng) <= **c)
            .count();
        counts[number] += 1;
        if falls(borrower, z, normal(&mut rng)) {
            given[number] += 1;
            fallen += 1;
        }
    }
    let agree = |found: &[f64], counts: &[u32; 5], all: u32| {
        for (p, count) in found.iter().zip(counts) {
            let drawn = f64::from(*count) / f64::from(all);
            // Five standard errors.
            let error = 5.0 * (p * (1.0 - p) / f64::from(all)).sqrt() + 1e-6;
            assert!((p - drawn).abs() < error, "{found:?} against {counts:?} of {all}");
        }
    };
    agree(&number_of_defaults(&others, None, correlation), &counts, draws);
    agree(&number_of_defaults(&others, Some(borrower), correlation), &given, fallen);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Every distribution adds up, its mean is that of the members' own probabilities, and neither the chance that all default together nor that one default
    /// brings another falls as correlation rises.
    #[test]
    fn correlation_moves_the_tail_alone(
        others in prop::collection::vec(0.000_1_f64..0.6, 1..7), borrower in 0.000_1_f64..0.6, low in 0.0_f64..0.9, more in 0.0_f64..0.09,
    ) {
        let of = |correlation| number_of_defaults(&others, None, correlation);
        let (less, more_together) = (of(low), of(low + more));
        for number in [&less, &more_together] {
            prop_assert!((number.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let mean: f64 = number.iter().enumerate().map(|(k, p)| k as f64 * p).sum();
            prop_assert!((mean - others.iter().sum::<f64>()).abs() < 1e-9);
        }
        let all = others.len();
        prop_assert!(at_least(&more_together, all) >= at_least(&less, all) - 1e-12);
        let given = |correlation| number_of_defaults(&others, Some(borrower), correlation);
        for other in &others {
            let one = |correlation| number_of_defaults(&[*other], Some(borrower), correlation)[1];
            prop_assert!(one(low + more) >= one(low) - 1e-12 && one(low) >= other - 1e-12, "one default makes another likelier");
        }
        prop_assert!(at_least(&given(low + more), all) >= at_least(&given(low), all) - 1e-12);
        // The order of the members is of no matter but for rounding.
        let mut turned = others.clone();
        turned.reverse();
        prop_assert!(number_of_defaults(&turned, None, low).iter().zip(&less).all(|(a, b)| (a - b).abs() < 1e-13));
    }
}
