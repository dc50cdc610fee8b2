//! Rules of thumb that a model of ability has to beat.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::history::ReceiptHistory;

/// A rule of thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NaiveRule {
    /// What came in over the same days a year ago.
    SameDaysLastYear,
    /// Twice the weakest month of the last twelve (a large marketplace lender's limit rule), over the horizon.
    TwiceTheWeakestMonth,
    /// The last 90 days, scaled to the horizon.
    #[serde(rename = "last-90-days")]
    Last90Days,
}

impl fmt::Display for NaiveRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl NaiveRule {
    pub(super) const ALL: [Self; 3] = [Self::SameDaysLastYear, Self::TwiceTheWeakestMonth, Self::Last90Days];

    /// What it foresees, minor units; `None` where the merchant's history is too short for it.
    pub(super) fn foresee(self, history: &ReceiptHistory, horizon: usize, horizon_days: u16) -> Option<f64> {
        match self {
            Self::SameDaysLastYear => history.same_days_last_year(horizon),
            Self::TwiceTheWeakestMonth => history.twice_the_weakest(horizon_days),
            Self::Last90Days => Some(history.last_quarter(horizon_days)),
        }
    }
}

/// Pinball loss of an amount foreseen as the `level` quantile: `level × (seen − foreseen)` above, `(1 − level) × (foreseen − seen)` below.
pub(super) fn pinball(level: f64, seen: f64, foreseen: f64) -> f64 {
    let over = seen - foreseen;
    if over >= 0.0 { level * over } else { (level - 1.0) * over }
}

/// The factor on a rule's figures that makes their pinball loss over these rows least: the quantile of `seen ÷ foreseen`, each weighted with
/// what was foreseen. Rows are (seen, foreseen).
pub(super) fn best_factor(level: f64, rows: &[(f64, f64)]) -> Option<f64> {
    let mut ratios: Vec<(f64, f64)> = rows
        .iter()
        .filter(|(_, foreseen)| *foreseen > 0.0)
        .map(|(seen, foreseen)| (seen / foreseen, *foreseen))
        .collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let target = level * ratios.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut below = 0.0;
    ratios.iter().find_map(|(ratio, weight)| {
        below += weight;
        (below >= target).then_some(*ratio)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_factor_leaves_less_loss_than_any_other() {
        let rows = [(0.0, 10.0), (50.0, 20.0), (9.0, 30.0), (80.0, 40.0), (20.0, 0.0), (33.0, 7.0)];
        for level in [0.1, 0.5, 0.9] {
            let loss = |factor: f64| rows.iter().map(|(s, f)| pinball(level, *s, factor * f)).sum::<f64>();
            let best = best_factor(level, &rows).unwrap();
            for other in 0..600 {
                let other = f64::from(other) / 100.0;
                assert!(loss(best) <= loss(other) + 1e-9, "{level}: {best} against {other}");
            }
        }
    }
}
