//! Disputes are frequent, and far more so than usual for the merchant.

use super::finding::Finding;

/// Fires when the recent share reaches `from_share` and `times_usual ×` the merchant's own past share. Without a past share the absolute
/// bound alone decides: a new merchant's disputes are no less real. Unknown without a recent share. The threshold shown is the
/// higher of the two.
#[must_use]
pub fn judge(recent: Option<f64>, usual: Option<f64>, from_share: f64, times_usual: f64) -> Finding {
    match recent {
        None => Finding::Unknown,
        Some(recent) => {
            let threshold = usual.map_or(from_share, |u| from_share.max(u * times_usual));
            Finding::of(recent >= threshold, recent, threshold)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_both_an_absolute_and_a_relative_rise() {
        assert_eq!(
            judge(Some(0.25), Some(0.05), 0.05, 3.0),
            Finding::Fired { observed: 0.25, threshold: 0.05_f64.max(0.05 * 3.0) }
        );
        assert!(matches!(judge(Some(0.04), Some(0.001), 0.05, 3.0), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.12), Some(0.05), 0.05, 3.0), Finding::Quiet { .. }));
        assert_eq!(judge(Some(0.05), None, 0.05, 3.0), Finding::Fired { observed: 0.05, threshold: 0.05 });
        assert_eq!(judge(None, Some(0.0), 0.05, 3.0), Finding::Unknown);
    }
}
