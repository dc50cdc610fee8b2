//! Which merchants are learnt from: everybody, or of a large marketplace a part chosen by hash, in waves that double it until there is enough.
//!
//! So many rows settle a model of any marketplace; more would only cost time and memory. A wave is made of whole buckets wherever it can be, and
//! buckets that are not learnt from are not read. Which merchants are in a wave depends on their ids and on how many there are, not on the buckets. Totals of the industry
//! of a part stand for those of the whole: they are taken times as many as there are merchants for one of the part.

use crate::store::{Shard, StoreError, merchant_hash};

/// Merchants whose hash ends in some number of zeros, in binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wave {
    from: u32,
    /// Those of earlier waves have so many, or more.
    below: Option<u32>,
}

impl Wave {
    /// All merchants in one wave.
    pub const EVERYBODY: Self = Self { from: 0, below: None };

    /// The waves of a marketplace of which each merchant gives up to so many rows: the first alone gives no more than `most` rows, the last completes
    /// it.
    fn of(merchants: u64, rows_each: u64, most: u64) -> impl Iterator<Item = Self> {
        let rows = u128::from(merchants) * u128::from(rows_each);
        let first = (0..u32::BITS).find(|zeros| rows >> zeros <= u128::from(most)).unwrap_or(u32::BITS - 1);
        (0..=first).rev().map(move |from| Self { from, below: (from < first).then_some(from + 1) })
    }

    /// Takes wave after wave until there are rows enough: another would double them, and make them more than `most` but for chance. `take` says how many
    /// rows a wave has given. In the end one merchant in so many is taken.
    ///
    /// # Errors
    /// What `take` says.
    pub fn take_enough<E>(
        merchants: u64,
        rows_each: u64,
        most: u64,
        mut take: impl FnMut(Self) -> Result<u64, E>,
    ) -> Result<u64, E> {
        let (mut rows, mut one_in) = (0, 1);
        for wave in Self::of(merchants, rows_each, most) {
            rows += take(wave)?;
            one_in = wave.one_in();
            if rows > most / 2 {
                break;
            }
        }
        Ok(one_in)
    }

    /// This and all earlier waves together hold one merchant in so many.
    const fn one_in(self) -> u64 {
        1 << self.from
    }

    /// Whether a merchant is in it.
    pub fn has(self, merchant_id: &str) -> bool {
        let zeros = merchant_hash(merchant_id).trailing_zeros();
        zeros >= self.from && self.below.is_none_or(|below| zeros < below)
    }

    /// Buckets of which it holds merchants.
    pub fn buckets(self, buckets: u32) -> Vec<u32> {
        (0..buckets).filter(|bucket| self.extent_in(*bucket, buckets) != Extent::None).collect()
    }

    /// What of a bucket's shard is in it.
    ///
    /// # Errors
    /// A table without `merchant_id`.
    pub fn of_shard(self, shard: Shard, bucket: u32, buckets: u32) -> Result<Shard, StoreError> {
        if self.extent_in(bucket, buckets) == Extent::Whole {
            return Ok(shard);
        }
        let broken = |e: polars::prelude::PolarsError| StoreError::Frame {
            table: format!("bucket {bucket}"),
            why: e.to_string(),
        };
        shard.of_merchants(|merchant| self.has(merchant)).map_err(broken)
    }

    /// Numbers of buckets that are powers of two, as they are where nobody configures another, end in the last digits of their merchants' hashes.
    fn extent_in(self, bucket: u32, buckets: u32) -> Extent {
        let Self { from, below } = self;
        if from == 0 && below.is_none() {
            return Extent::Whole;
        }
        if !buckets.is_power_of_two() {
            return Extent::Some;
        }
        // All that is known of the merchants of bucket 0 is that they have as many zeros as its number has digits, or more.
        let (zeros, is_exact) =
            if bucket == 0 { (buckets.trailing_zeros(), false) } else { (bucket.trailing_zeros(), true) };
        match (is_exact, below) {
            (true, below) if zeros >= from && below.is_none_or(|below| zeros < below) => Extent::Whole,
            (true, _) => Extent::None,
            (false, None) if zeros >= from => Extent::Whole,
            (false, Some(below)) if zeros >= below => Extent::None,
            (false, _) => Extent::Some,
        }
    }
}

/// How much of a bucket is in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Some,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bucket_of;

    fn merchants() -> Vec<String> {
        (0..40_000).map(|n| format!("M{n:06}")).collect()
    }

    #[test]
    fn every_merchant_is_in_one_wave_and_its_bucket_is_read_for_it() {
        for buckets in [1, 2, 7, 8, 64, 1_024] {
            let waves: Vec<Wave> = Wave::of(2_000_000, 26, 300_000).collect();
            assert!(waves.len() > 6);
            for merchant in merchants() {
                let bucket = bucket_of(&merchant, buckets);
                let mut found = 0;
                for wave in &waves {
                    found += u32::from(wave.has(&merchant));
                    match wave.extent_in(bucket, buckets) {
                        Extent::Whole => assert!(wave.has(&merchant), "{merchant} {bucket} of {buckets} {wave:?}"),
                        Extent::None => assert!(!wave.has(&merchant), "{merchant} {bucket} of {buckets} {wave:?}"),
                        Extent::Some => {}
                    }
                }
                assert_eq!(found, 1, "{merchant}");
            }
        }
    }

    #[test]
    fn the_first_wave_is_no_more_than_may_be_and_the_last_completes_the_marketplace() {
        for (each, several) in [(6, false), (26, true)] {
            let waves: Vec<Wave> = Wave::of(40_000, each, 300_000).collect();
            assert_eq!(waves.len() > 1, several);
            let mut in_part = 0;
            for wave in &waves {
                in_part += merchants().iter().filter(|merchant| wave.has(merchant)).count() as u64;
                let about = 40_000 / wave.one_in();
                assert!(in_part.abs_diff(about) < about / 10 + 1, "{in_part} of {about}");
            }
            assert_eq!(in_part, 40_000);
            assert!(waves.first().is_some_and(|first| 40_000 * each / first.one_in() <= 300_000));
        }
        assert_eq!(Wave::of(0, 6, 300_000).collect::<Vec<_>>(), [Wave::EVERYBODY]);
        assert_eq!(Wave::of(u64::MAX, 26, 300_000).next().map(Wave::one_in), Some(1 << 31));
    }

    #[test]
    fn of_a_large_marketplace_few_buckets_are_read() {
        let first = Wave::of(1_000_000, 6, 300_000).next().unwrap_or(Wave::EVERYBODY);
        assert_eq!(first.one_in(), 32);
        assert_eq!(first.buckets(512).len(), 16);
    }
}
