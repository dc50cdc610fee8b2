//! Burst: many orders of one merchant within an hour.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "burst";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurstSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Length of the window.
    pub window_minutes: u32,
    /// Fewest orders that are a burst.
    pub min_orders: u32,
    /// And so many times the usual.
    pub times_usual: f64,
}

/// A sign on every order of a window `(t − window, t]` that holds at least
/// `max(min_orders, times_usual × orders outside it ÷ windows in the merchant's history)` orders.
///
/// History runs from the first to the last order. A shop with forty orders an hour around the clock is busy; one with forty
/// in an hour and none in the rest of the month is not. Source: Xu et al., reputation-escalation study: brushing tasks come
/// in bursts; thresholds are project judgement.
pub(super) fn look(orders: &[&OrderFacts], settings: &BurstSettings) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_minutes) * 60_000_000;
    let times: Vec<i64> = orders.iter().map(|o| o.placed_at).collect();
    bursts(&times, window, windows_in(&times, window), settings.min_orders, settings.times_usual)
}

/// How many windows the time from the first to the last instant holds, at least one.
pub(super) fn windows_in(times: &[i64], window: i64) -> f64 {
    let span = times.last().zip(times.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    (span as f64 / window as f64).max(1.0)
}

/// Marks every instant that lies in a crowded window, with the fullest window it lies in. `times` ascend.
pub(super) fn bursts(times: &[i64], window: i64, windows: f64, least: u32, times_usual: f64) -> Vec<Option<Seen>> {
    let mut seen: Vec<Option<Seen>> = vec![None; times.len()];
    let mut start = 0;
    for (n, time) in times.iter().enumerate() {
        while times.get(start).is_some_and(|t| *t <= time.saturating_sub(window)) {
            start += 1;
        }
        let observed = (n + 1 - start) as f64;
        let threshold = (times_usual * (times.len() as f64 - observed) / windows).max(f64::from(least));
        if observed < threshold {
            continue;
        }
        // Backwards until a row marked by a fuller window: what lies before it is marked as fully.
        for slot in seen.get_mut(start..=n).unwrap_or_default().iter_mut().rev() {
            match slot {
                Some(s) if s.observed >= observed => break,
                _ => *slot = Some(Seen { observed, threshold }),
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_what_the_naive_twin_marks(
            mut times in proptest::collection::vec(0_i64..2_000, 0..60),
            window in 1_i64..200,
            least in 1_u32..8,
        ) {
            times.sort_unstable();
            let windows = windows_in(&times, window);
            let fast = bursts(&times, window, windows, least, 2.0);
            for (n, mark) in fast.iter().enumerate() {
                // The fullest window (t - window, t] around instant n, over every t in the list.
                let fullest = times
                    .iter()
                    .enumerate()
                    .filter(|(m, t)| *m >= n && times[n] > **t - window)
                    .map(|(m, t)| times[..=m].iter().filter(|u| **u > t - window).count() as f64)
                    .fold(0.0, f64::max);
                let threshold = (2.0 * (times.len() as f64 - fullest) / windows).max(f64::from(least));
                prop_assert_eq!(mark.map(|s| s.observed), (fullest >= threshold).then_some(fullest));
            }
        }
    }
}
