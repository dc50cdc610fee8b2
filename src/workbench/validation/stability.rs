//! Population stability: has the mix of scores (PSI) or of one characteristic (CSI) moved, and by more than chance moves it?
//!
//! `PSI = Σ over bins of (actual share − expected share) × ln(actual share / expected share)`
//!
//! Without any shift `PSI / (1/n + 1/m)` is χ² with bins − 1 degrees of freedom, for n expected and m actual rows that are many in every bin. Where they are
//! few its mean is larger, by `½ (1/n² + 1/m²) Σ (1/p − 1)` to second order, for bins of shares p; its tail is longer still. So critical values are raised by three
//! times the relative rise of the mean, which keeps false alarms at or below what is stated from 200 rows on (project judgement;
//! `benches/drift_alarms.py` measures it) and vanishes as rows grow. So the size that chance reaches depends on n and
//! m: with ten bins and 200 rows on each side, 0.17 is not news; with a million, 0.0001 is. The customary limits 0.10 and 0.25 know nothing of that; both verdicts
//! are given, and mean different things: *significant* is "not chance", the customary band is "large enough to care".
//!
//! A bin empty on one side has no logarithm: then ½ is added to every count on both sides. Bins empty on both sides are left out.
//!
//! Source: Yurdakul (2018), Statistical Properties of Population Stability Index; Lewis (1994) for the customary limits.

use crate::domain::elementary::ln;
use serde::{Deserialize, Serialize};

use crate::domain::distributions::{chi_squared_quantile, chi_squared_survival};
use crate::model::validation::{Undefined, ValidationError};

/// The customary reading, by fixed limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustomaryBand {
    /// Below 0.10.
    Small,
    /// 0.10 to below 0.25.
    Moderate,
    /// 0.25 and above.
    Large,
}

/// One bin's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StabilityBin {
    /// The bin's name.
    pub bin: String,
    /// Rows expected (the training or last period's sample).
    pub expected: u64,
    /// Rows found.
    pub actual: u64,
    /// Its part of the index; 0 where both are empty.
    pub contribution: f64,
}

/// A stability index with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// The index.
    pub index: f64,
    /// Bins, in the order given.
    pub bins: Vec<StabilityBin>,
    /// Expected rows.
    pub expected_rows: u64,
    /// Actual rows.
    pub actual_rows: u64,
    /// Degrees of freedom: bins held by either side, less one.
    pub degrees_of_freedom: usize,
    /// What chance alone exceeds once in 20 times.
    pub critical_95: f64,
    /// What chance alone exceeds once in 100 times.
    pub critical_99: f64,
    /// Probability that chance alone reaches the index.
    pub p_value: f64,
    /// Whether the index exceeds `critical_99`.
    pub is_significant: bool,
    /// The customary reading.
    pub customary: CustomaryBand,
    /// Whether ½ was added to every count because of an empty bin.
    pub is_smoothed: bool,
}

/// Compares two counts over the same bins, given as (name, expected, actual).
///
/// # Errors
/// No rows on one side. The inner result is [`Undefined::TooFewGroups`] where a single bin holds everything.
pub fn stability(bins: &[(String, u64, u64)]) -> Result<Result<Stability, Undefined>, ValidationError> {
    let expected_rows: u64 = bins.iter().map(|bin| bin.1).sum();
    let actual_rows: u64 = bins.iter().map(|bin| bin.2).sum();
    if expected_rows == 0 || actual_rows == 0 {
        return Err(ValidationError::Empty);
    }
    let held = bins.iter().filter(|bin| bin.1 + bin.2 > 0).count();
    let degrees_of_freedom = held - 1;
    if degrees_of_freedom == 0 {
        return Ok(Err(Undefined::TooFewGroups));
    }
    let is_smoothed = bins.iter().any(|bin| (bin.1 == 0) != (bin.2 == 0));
    let extra = if is_smoothed { 0.5 } else { 0.0 };
    let total = |rows: u64| rows as f64 + extra * held as f64;

    let table: Vec<StabilityBin> = bins
        .iter()
        .map(|(bin, expected, actual)| {
            let contribution = if expected + actual == 0 {
                0.0
            } else {
                let expected_share = (*expected as f64 + extra) / total(expected_rows);
                let actual_share = (*actual as f64 + extra) / total(actual_rows);
                (actual_share - expected_share) * ln(actual_share / expected_share)
            };
            StabilityBin { bin: bin.clone(), expected: *expected, actual: *actual, contribution }
        })
        .collect();
    let index: f64 = table.iter().map(|bin| bin.contribution).sum();
    let scale = (1.0 / expected_rows as f64 + 1.0 / actual_rows as f64) * thin_bins(bins, expected_rows, actual_rows);
    let quantile = |tail: f64| chi_squared_quantile(tail, degrees_of_freedom).unwrap_or(f64::INFINITY);
    let critical_99 = scale * quantile(0.01);
    Ok(Ok(Stability {
        index,
        bins: table,
        expected_rows,
        actual_rows,
        degrees_of_freedom,
        critical_95: scale * quantile(0.05),
        critical_99,
        p_value: chi_squared_survival(index / scale, degrees_of_freedom).unwrap_or(1.0),
        is_significant: index > critical_99,
        customary: match index {
            i if i < 0.10 => CustomaryBand::Small,
            i if i < 0.25 => CustomaryBand::Moderate,
            _ => CustomaryBand::Large,
        },
        is_smoothed,
    }))
}

/// By how many times its mean's rise an index of few rows is allowed to be larger.
const TAIL: f64 = 3.0;

/// By what the scale of an index grows where its bins hold few rows; 1 where they hold many.
fn thin_bins(bins: &[(String, u64, u64)], expected_rows: u64, actual_rows: u64) -> f64 {
    let (n, m) = (expected_rows as f64, actual_rows as f64);
    let held = bins.iter().map(|bin| (bin.1 + bin.2) as f64).filter(|rows| *rows > 0.0);
    let odds: f64 = held.clone().map(|rows| (n + m) / rows - 1.0).sum();
    let freedom = (held.count() as f64 - 1.0).max(1.0);
    let rise = 0.5 * (1.0 / (n * n) + 1.0 / (m * m)) * odds / (freedom * (1.0 / n + 1.0 / m));
    1.0 + TAIL * rise
}

/// Stability of a score: both samples counted over bins of about equal size in the expected one.
///
/// `expected` and `actual` are finite values (PDs, points); cuts are distinct quantiles of `expected`, so that rows of one value stay together.
///
/// # Errors
/// A value that is not finite, fewer than 2 or more than 100 bins, or an empty side; inner result as in [`stability`].
pub fn score_stability(
    expected: &[f64],
    actual: &[f64],
    bins: usize,
) -> Result<Result<Stability, Undefined>, ValidationError> {
    if !(2..=100).contains(&bins) {
        return Err(ValidationError::BadSetting { setting: "bins", value: bins as f64, allowed: "2 to 100" });
    }
    for values in [expected, actual] {
        if let Some((row, value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(ValidationError::NotFinite { row, value: *value });
        }
    }
    let mut sorted = expected.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..bins).filter_map(|i| sorted.get(i * sorted.len() / bins).copied()).collect();
    cuts.dedup();
    // A cut at the least value would leave the first bin without a row.
    cuts.retain(|cut| sorted.first().is_some_and(|least| cut > least));
    let count = |values: &[f64]| {
        let mut counts = vec![0_u64; cuts.len() + 1];
        for value in values {
            if let Some(count) = counts.get_mut(cuts.partition_point(|cut| cut <= value)) {
                *count += 1;
            }
        }
        counts
    };
    let named: Vec<(String, u64, u64)> = count(expected)
        .into_iter()
        .zip(count(actual))
        .enumerate()
        .map(|(i, (expected, actual))| (bin_name(&cuts, i), expected, actual))
        .collect();
    stability(&named)
}

/// The name of a half-open bin between cuts.
fn bin_name(cuts: &[f64], i: usize) -> String {
    match (i.checked_sub(1).and_then(|i| cuts.get(i)), cuts.get(i)) {
        (None, None) => "all".to_owned(),
        (None, Some(high)) => format!("< {high}"),
        (Some(low), None) => format!("≥ {low}"),
        (Some(low), Some(high)) => format!("{low} ≤ … < {high}"),
    }
}

/// Stability of one characteristic of a scorecard, with what its shift did to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharacteristicStability {
    /// The characteristic.
    pub variable: String,
    /// Its index (CSI).
    pub stability: Stability,
    /// Change of the mean score through this characteristic: `Σ (actual share − expected share) × points`.
    pub score_shift: f64,
}

/// Compares one characteristic's bins, given as (name, points, expected, actual).
///
/// # Errors
/// As [`stability`].
pub fn characteristic_stability(
    variable: &str,
    bins: &[(String, f64, u64, u64)],
) -> Result<Result<CharacteristicStability, Undefined>, ValidationError> {
    let counts: Vec<(String, u64, u64)> = bins.iter().map(|(bin, _, e, a)| (bin.clone(), *e, *a)).collect();
    Ok(stability(&counts)?.map(|stability| {
        let (expected, actual) = (stability.expected_rows as f64, stability.actual_rows as f64);
        let score_shift =
            bins.iter().map(|(_, points, e, a)| (*a as f64 / actual - *e as f64 / expected) * points).sum();
        CharacteristicStability { variable: variable.to_owned(), stability, score_shift }
    }))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::model::validation::fixture::assert_close;

    fn bins(counts: &[(u64, u64)]) -> Vec<(String, u64, u64)> {
        counts.iter().enumerate().map(|(i, (e, a))| (i.to_string(), *e, *a)).collect()
    }

    // numpy 2 by the formula; scipy 1.17.1: scale * chi2.ppf(.95, 4), …, chi2.sf(psi / scale, 4) with scale = (1/1000 + 1/500) * rise,
    // rise = 1 + 3 * (.5 * (1/1000**2 + 1/500**2) * sum(1500 / rows - 1)) / (4 * (1/1000 + 1/500))
    #[test]
    fn equals_scipy() {
        let found = stability(&bins(&[(200, 90), (300, 160), (250, 130), (150, 70), (100, 50)])).unwrap().unwrap();
        assert_close(found.index, 0.004_480_116_582_310_28, 1e-15);
        assert_close(found.bins[1].contribution, 0.001_290_770_422_751_424_5, 1e-15);
        assert_close(found.critical_95, 0.028_893_672_065_680_512, 1e-9);
        assert_close(found.critical_99, 0.040_432_513_821_920_5, 1e-9);
        assert_close(found.p_value, 0.831_744_139_606_696_8, 1e-9);
        assert!(!found.is_significant && found.customary == CustomaryBand::Small && !found.is_smoothed);
    }

    #[test]
    fn the_same_shift_is_chance_in_few_rows_and_news_in_many() {
        let few = stability(&bins(&[(20, 12), (20, 28)])).unwrap().unwrap();
        let many = stability(&bins(&[(20_000, 12_000), (20_000, 28_000)])).unwrap().unwrap();
        assert_close(few.index, many.index, 1e-12);
        assert!(few.customary == CustomaryBand::Moderate && !few.is_significant);
        assert!(many.is_significant);
    }

    /// Draws from one population must exceed the 95 % value about once in 20 times.
    #[test]
    fn chance_exceeds_the_critical_value_as_often_as_it_says() {
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut exceeded = 0;
        for _ in 0..2000 {
            let mut counts = [(0_u64, 0_u64); 8];
            for _ in 0..400 {
                counts[rng.random_range(0..8)].0 += 1;
            }
            for _ in 0..300 {
                counts[rng.random_range(0..8)].1 += 1;
            }
            let found = stability(&bins(&counts)).unwrap().unwrap();
            assert_eq!(found.degrees_of_freedom, 7);
            exceeded += u32::from(found.index > found.critical_95);
        }
        // 100 expected, standard deviation 10.
        assert!((65..=140).contains(&exceeded), "{exceeded}");
    }

    /// So many rows of one population, over nine bins as uneven as those of a master scale.
    fn drawn(rng: &mut ChaCha8Rng, rows: u64) -> Vec<u64> {
        const SHARES: [f64; 9] = [0.02, 0.05, 0.1, 0.2, 0.26, 0.2, 0.1, 0.05, 0.02];
        let (mut left, mut rest) = (rows, 1.0);
        SHARES
            .map(|share| {
                let found = crate::domain::sampling::binomial(rng, left, share / rest);
                (left, rest) = (left - found, rest - share);
                found
            })
            .to_vec()
    }

    /// Whether there are 500 rows or a million, no more than alpha of the nights on which nothing moved raise an alarm. A customary limit knows nothing of
    /// that: on few rows it cries wolf, on many it sleeps through a shift that the critical value sees.
    #[test]
    fn false_alarms_keep_to_alpha_at_any_number_of_rows() {
        const NIGHTS: u32 = 2_000;
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        for (reference, tonight) in [(500, 500), (1_000_000, 500), (1_000_000, 1_000_000)] {
            let (mut at_95, mut at_99) = (0, 0);
            for _ in 0..NIGHTS {
                let counts: Vec<(u64, u64)> =
                    drawn(&mut rng, reference).into_iter().zip(drawn(&mut rng, tonight)).collect();
                let found = stability(&bins(&counts)).unwrap().unwrap();
                at_95 += u32::from(found.index > found.critical_95);
                at_99 += u32::from(found.index > found.critical_99);
            }
            // At most 100 and 20 of 2,000 are expected, with standard deviations of 10 and 4.5.
            assert!((60..=125).contains(&at_95), "{at_95} of {NIGHTS} at {reference} and {tonight}");
            assert!((5..=30).contains(&at_99), "{at_99} of {NIGHTS} at {reference} and {tonight}");
        }
        let shifted: Vec<(u64, u64)> = [(100_000, 100_600), (400_000, 401_800), (500_000, 497_600)].to_vec();
        let found = stability(&bins(&shifted)).unwrap().unwrap();
        assert!(found.is_significant && found.index < 0.001, "a shift that no customary limit sees: {}", found.index);
    }

    #[test]
    fn empty_bins_are_smoothed_and_said_so() {
        let found = stability(&bins(&[(10, 0), (10, 20), (0, 0)])).unwrap().unwrap();
        assert!(found.is_smoothed && found.index.is_finite());
        assert_eq!(found.degrees_of_freedom, 1);
        assert_close(found.bins[2].contribution, 0.0, 0.0);
    }

    #[test]
    fn one_bin_or_no_rows() {
        assert_eq!(stability(&bins(&[(10, 20)])).unwrap(), Err(Undefined::TooFewGroups));
        assert_eq!(stability(&bins(&[(10, 0)])), Err(ValidationError::Empty));
        assert_eq!(stability(&[]), Err(ValidationError::Empty));
        assert!(score_stability(&[f64::NAN], &[1.0], 4).is_err());
        assert!(score_stability(&[], &[1.0], 4).is_err());
        assert_eq!(score_stability(&[1.0, 1.0], &[1.0], 4).unwrap(), Err(Undefined::TooFewGroups));
    }

    #[test]
    fn values_of_one_tie_share_a_bin() {
        let found = score_stability(&[1.0, 1.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 4.0, 9.0], 3).unwrap().unwrap();
        let counts: Vec<(u64, u64)> = found.bins.iter().map(|bin| (bin.expected, bin.actual)).collect();
        assert_eq!(counts, [(4, 1), (2, 2)]);
    }

    #[test]
    fn score_shift_by_hand() {
        let bins = [("low".to_owned(), -10.0, 50, 20), ("high".to_owned(), 30.0, 50, 80)];
        let found = characteristic_stability("v", &bins).unwrap().unwrap();
        assert_close(found.score_shift, -10.0 * -0.3 + 30.0 * 0.3, 1e-12);
    }
}
