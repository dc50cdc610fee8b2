//! Disputes are frequent, and far more so than before.

use super::finding::Finding;

/// Fires when the share of disputed orders reaches `from_share` and the trend of disputes opened reaches `from_trend`. Without a trend the share
/// alone decides: a new merchant's disputes are no less real. Unknown without a share.
#[must_use]
pub fn judge(share: Option<f64>, trend: Option<f64>, from_share: f64, from_trend: f64) -> Finding {
    match share {
        None => Finding::Unknown,
        Some(share) => Finding::of(share >= from_share && trend.is_none_or(|t| t >= from_trend), share, from_share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_both_a_share_and_a_rise() {
        assert_eq!(judge(Some(0.1), Some(0.3), 0.1, 0.3), Finding::Fired { observed: 0.1, threshold: 0.1 });
        assert!(matches!(judge(Some(0.09), Some(0.9), 0.1, 0.3), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.2), Some(0.29), 0.1, 0.3), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.2), None, 0.1, 0.3), Finding::Fired { .. }));
        assert_eq!(judge(None, Some(0.9), 0.1, 0.3), Finding::Unknown);
    }
}
