//! Seeded random draws: one independent stream a merchant.

use crate::domain::elementary::exp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Hasher, sampling};

/// A stream of draws, fixed by seed, purpose and number: no stream depends on how many were drawn from another.
#[derive(Clone)]
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// Stream `number` of `purpose` under `seed`.
    pub(super) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hasher = Hasher::default();
        hasher.field(b"integrity simulation");
        hasher.field(&seed.to_le_bytes());
        hasher.field(purpose.as_bytes());
        let text = hasher.finish().to_string();
        let mut key = [0_u8; 32];
        key.iter_mut().zip(text.bytes()).for_each(|(k, digit)| *k = digit);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(number);
        Self(generator)
    }

    /// Uniform in [0, 1), from the upper 53 bits.
    pub(super) fn uniform(&mut self) -> f64 {
        sampling::uniform(&mut self.0)
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal.
    pub(super) fn normal(&mut self) -> f64 {
        sampling::standard_normal(&mut self.0)
    }

    /// Log-normal with the given median.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// Number of events where `mean` are expected; none where the mean is not positive.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        u32::try_from(sampling::poisson(&mut self.0, mean)).unwrap_or(u32::MAX)
    }

    /// A whole number in `low..=high`; `low` where the range is empty.
    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).saturating_add(1).max(1);
        low.saturating_add(whole(self.uniform() * span as f64).min(span - 1))
    }

    /// An element of `choices`, each equally likely; the fallback where there is none.
    pub(super) fn choose<T: Copy>(&mut self, choices: &[T], fallback: T) -> T {
        let last = i64::try_from(choices.len()).unwrap_or(i64::MAX) - 1;
        let at = usize::try_from(self.whole(0, last)).unwrap_or(0);
        choices.get(at).copied().unwrap_or(fallback)
    }
}

/// The whole part of a finite number; 0 for NaN, the nearest bound beyond `i64`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one place where the simulator truncates, and the cast saturates"
)]
pub(super) const fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_distinct() {
        let first = |seed, purpose, number| Draw::new(seed, purpose, number).uniform().to_bits();
        assert_eq!(first(1, "merchant", 7), first(1, "merchant", 7));
        assert_ne!(first(1, "merchant", 7), first(1, "merchant", 8));
        assert_ne!(first(1, "merchant", 7), first(2, "merchant", 7));
        assert_ne!(first(1, "merchant", 7), first(1, "industry", 7));
    }

    #[test]
    fn draws_stay_in_range() {
        let mut draw = Draw::new(3, "test", 0);
        for _ in 0..1_000 {
            assert!((0.0..1.0).contains(&draw.uniform()));
            assert!((2..=4).contains(&draw.whole(2, 4)));
            assert!([5, 6].contains(&draw.choose(&[5, 6], 0)));
        }
        assert_eq!(draw.poisson(0.0), 0);
        assert_eq!(draw.poisson(f64::NAN), 0);
        assert_eq!(draw.whole(3, 1), 3);
    }
}
