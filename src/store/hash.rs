//! The hash that assigns merchants to buckets. It is written down here and tested against published values, because stored
//! files depend on it: a library's hash may change between versions.

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
#[must_use]
pub fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What a merchant's bucket follows from: the hash, its high half folded into the low one.
#[must_use]
pub fn merchant_hash(merchant_id: &str) -> u32 {
    let hash = stable_hash(merchant_id.as_bytes());
    u32::try_from((hash ^ (hash >> 32)) & u64::from(u32::MAX)).unwrap_or(0)
}

/// The bucket of a merchant: its hash modulo the number of buckets.
#[must_use]
pub fn bucket_of(merchant_id: &str, buckets: u32) -> u32 {
    merchant_hash(merchant_id) % buckets.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // The authors' test vectors.
        assert_eq!(stable_hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stable_hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stable_hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn buckets_are_even() {
        let mut counts = [0_u32; 16];
        for n in 0..16_000 {
            counts[bucket_of(&format!("M{n:06}"), 16) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1_150).contains(c)), "{counts:?}");
        assert_eq!(bucket_of("anything", 1), 0);
    }
}
