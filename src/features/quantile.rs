//! Quantile: the value below which so many rows lie.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::mean::min_rows;
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// The `⌈q n⌉`-th smallest of the `n` rows' values in the window (nearest rank: always a value that occurred; the least for
/// `q = 0`, the greatest for `q = 1`). Null with fewer than `min_rows` rows.
#[derive(Debug)]
pub struct Quantile {
    read: Read,
    q: f64,
    min_rows: u64,
}

impl Quantile {
    /// Keys: `measure`, `window_days`, `maturity_days`, `quantile`, `min_rows`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: p.read()?, q: p.real("quantile", 0.0..=1.0)?, min_rows: min_rows(p)? })
    }
}

/// 0-based rank of a quantile among `n` sorted values, by nearest rank.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "q is in 0..=1, so that the rank is in 0..=n"
)]
fn nearest_rank(q: f64, n: usize) -> usize {
    // A product a hair above a whole number, as 0.1 × 30 is, must not be rounded up to the next rank.
    let rank = (q * n as f64 - 1e-9).ceil().max(1.0) as usize;
    rank.min(n).saturating_sub(1)
}

impl FeatureKind for Quantile {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::Rows { read: self.read, least: self.min_rows }]
    }

    fn formula(&self, names: Names) -> String {
        format!("⌈{} n⌉-th smallest of the n values of {}", self.q, self.read.words(names))
    }
}

impl OwnKind for Quantile {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let mut values: Vec<i64> = merchant.rows(self.read)?.iter().map(|row| row.value).collect();
        values.sort_unstable();
        values.get(nearest_rank(self.q, values.len())).map(|v| *v as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::nearest_rank;

    #[test]
    fn ranks_are_the_smallest_that_cover_the_share() {
        for (q, n, rank) in
            [(0.0, 5, 0), (0.5, 4, 1), (0.5, 5, 2), (0.1, 30, 2), (0.9, 10, 8), (1.0, 7, 6), (0.95, 20, 18)]
        {
            assert_eq!(nearest_rank(q, n), rank, "q = {q}, n = {n}");
        }
    }
}
