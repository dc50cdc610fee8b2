//! Trade has fallen against the merchant's own past.

use super::finding::Finding;

/// Observes `1 − (recent ÷ recent_days) ÷ (usual ÷ usual_days)`: the share of the usual trade a day that has gone. Unknown where either
/// sum is, or where the usual sum is below `min_usual` and its ratio would be noise. A merchant who grew shows a negative share.
#[must_use]
pub fn judge(
    (recent, recent_days): (Option<f64>, i64),
    (usual, usual_days): (Option<f64>, i64),
    min_usual: f64,
    drop_share: f64,
) -> Finding {
    match (recent, usual) {
        (Some(recent), Some(usual)) if usual >= min_usual && recent_days > 0 && usual_days > 0 => {
            let gone = 1.0 - (recent / recent_days as f64) / (usual / usual_days as f64);
            Finding::of(gone >= drop_share, gone, drop_share)
        }
        _ => Finding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_trade_a_day() {
        // 25 a day now, 100 a day before: three quarters have gone.
        assert_eq!(
            judge((Some(700.0), 28), (Some(9_000.0), 90), 1.0, 0.75),
            Finding::Fired { observed: 0.75, threshold: 0.75 }
        );
        assert!(matches!(judge((Some(701.0), 28), (Some(9_000.0), 90), 1.0, 0.75), Finding::Quiet { .. }));
        assert!(
            matches!(judge((Some(9_000.0), 28), (Some(9_000.0), 90), 1.0, 0.75), Finding::Quiet { observed, .. } if observed < 0.0)
        );
        assert!(matches!(judge((Some(0.0), 28), (Some(9_000.0), 90), 1.0, 1.0), Finding::Fired { .. }));
    }

    #[test]
    fn too_little_past_is_unknown() {
        assert_eq!(judge((Some(0.0), 28), (Some(0.0), 90), 1.0, 0.5), Finding::Unknown);
        assert_eq!(judge((Some(0.0), 28), (None, 90), 1.0, 0.5), Finding::Unknown);
        assert_eq!(judge((None, 28), (Some(9.0), 90), 1.0, 0.5), Finding::Unknown);
    }
}
