//! Orders wait and nothing is shipped.

use super::finding::Finding;

/// Fires when at least `from_backlog` orders wait and nothing has been shipped for `from_days` days. A merchant without a backlog is at
/// rest, not stalled. Unknown where either is.
#[must_use]
pub fn judge(idle_days: Option<f64>, backlog: Option<f64>, from_days: f64, from_backlog: f64) -> Finding {
    match (idle_days, backlog) {
        (Some(idle), Some(backlog)) => Finding::of(idle >= from_days && backlog >= from_backlog, idle, from_days),
        _ => Finding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_at_rest_is_not_stalled() {
        assert_eq!(judge(Some(10.0), Some(3.0), 10.0, 3.0), Finding::Fired { observed: 10.0, threshold: 10.0 });
        assert!(matches!(judge(Some(60.0), Some(2.0), 10.0, 3.0), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(9.0), Some(30.0), 10.0, 3.0), Finding::Quiet { .. }));
        assert_eq!(judge(None, Some(30.0), 10.0, 3.0), Finding::Unknown);
        assert_eq!(judge(Some(30.0), None, 10.0, 3.0), Finding::Unknown);
    }
}
