//! A loan is past due.

use super::finding::Finding;

/// The word that a monitor file uses.
pub const KIND: &str = "arrears";

/// Fires from `from_dpd` days past due. The arrears must be real: a loan whose due sums are zero is not late.
#[must_use]
pub fn judge(dpd: i64, arrears_minor: i64, from_dpd: i64) -> Finding {
    Finding::of(dpd >= from_dpd && arrears_minor > 0, dpd as f64, from_dpd as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_from_the_very_day() {
        assert_eq!(judge(7, 1, 7), Finding::Fired { observed: 7.0, threshold: 7.0 });
        assert_eq!(judge(6, 1, 7), Finding::Quiet { observed: 6.0, threshold: 7.0 });
        assert_eq!(judge(7, 0, 7), Finding::Quiet { observed: 7.0, threshold: 7.0 });
    }
}
