//! Disputes are frequent, and far more so than before.

use super::finding::Finding;

/// Fires when the share of disputed orders reaches `from_share` and the trend of disputes opened reaches `from_trend`. Where one is missing
/// and the other does not rule it out, whether there is a spike is unknown.
#[must_use]
pub fn judge(share: Option<f64>, trend: Option<f64>, from_share: f64, from_trend: f64) -> Finding {
    Finding::at_least(share, from_share).and(Finding::at_least(trend, from_trend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_both_a_share_and_a_rise() {
        assert_eq!(judge(Some(0.1), Some(0.3), 0.1, 0.3), Finding::Fired { observed: 0.1, threshold: 0.1 });
        assert!(matches!(judge(Some(0.09), Some(0.9), 0.1, 0.3), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.2), Some(0.29), 0.1, 0.3), Finding::Quiet { .. }));
    }

    #[test]
    fn a_spike_without_a_trend_is_unknown_but_few_disputes_are_none() {
        assert_eq!(judge(Some(0.2), None, 0.1, 0.3), Finding::Unknown);
        assert_eq!(judge(None, Some(0.9), 0.1, 0.3), Finding::Unknown);
        assert_eq!(judge(Some(0.09), None, 0.1, 0.3), Finding::Quiet { observed: 0.09, threshold: 0.1 });
        assert_eq!(judge(None, Some(0.2), 0.1, 0.3), Finding::Quiet { observed: 0.2, threshold: 0.3 });
    }
}
