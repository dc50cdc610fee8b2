//! A single feature beyond a threshold: reviews, authenticity and whatever an analyst defines.

use super::finding::Finding;

/// Fires at or above `from`, or at or below `to`, whichever the rule has. Unknown where the feature is.
#[must_use]
pub fn judge(value: Option<f64>, from: Option<f64>, to: Option<f64>) -> Finding {
    match (value, from, to) {
        (Some(value), Some(from), _) => Finding::of(value >= from, value, from),
        (Some(value), None, Some(to)) => Finding::of(value <= to, value, to),
        _ => Finding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_its_side_of_the_threshold() {
        assert_eq!(judge(Some(0.3), Some(0.3), None), Finding::Fired { observed: 0.3, threshold: 0.3 });
        assert!(matches!(judge(Some(0.29), Some(0.3), None), Finding::Quiet { .. }));
        assert_eq!(judge(Some(2.5), None, Some(3.0)), Finding::Fired { observed: 2.5, threshold: 3.0 });
        assert!(matches!(judge(Some(3.1), None, Some(3.0)), Finding::Quiet { .. }));
        assert_eq!(judge(None, Some(0.3), None), Finding::Unknown);
    }
}
