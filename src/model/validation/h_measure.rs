//! H-measure: the share of avoidable cost that the model avoids, averaged over what mistakes may cost.
//!
//! Refusing a good costs c, approving a bad 1 − c (relative to their sum). At each c the best cut-off loses
//! `L(c) = min over cut-offs of c π₀ (share of goods refused) + (1 − c) π₁ (share of bads approved)`, and the best decision without a model
//! `min(c π₀, (1 − c) π₁)`. With c spread as Beta(1 + π₁, 1 + π₀),
//!
//! `H = 1 − ∫ L(c) w(c) dc / ∫ min(c π₀, (1 − c) π₁) w(c) dc`
//!
//! The AUC does the same with a spread of costs that the *model's own* scores choose, so two models are measured with two rods; H measures all
//! with one. 0 means no information, 1 perfect discrimination. The integral is closed-form on each edge of the ROC curve's upper convex hull.
//!
//! Source: Hand (2009), Machine Learning 77; the spread as in Hand & Anagnostopoulos (2014), Pattern Recognition Letters 40.

use super::error::Undefined;
use super::ranked::{Tie, class_mass};
use crate::domain::distributions::beta_probability;

/// The H-measure.
///
/// # Errors
/// [`Undefined::SingleClass`].
pub fn h_measure(ties: &[Tie]) -> Result<f64, Undefined> {
    let (goods, bads) = class_mass(ties);
    if goods <= 0.0 || bads <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    let (good_share, bad_share) = (goods / (goods + bads), bads / (goods + bads));
    let spread = CostSpread::new(1.0 + bad_share, 1.0 + good_share);

    let mut loss = 0.0;
    let mut from = 0.0;
    let hull = roc_hull(ties, goods, bads);
    for (i, &(goods_refused, bads_caught)) in hull.iter().enumerate() {
        // Towards larger c it pays to refuse fewer goods: the hull is walked from "refuse all" to "approve all".
        let to = hull.get(i + 1).map_or(1.0, |next| {
            let kept_goods = good_share * (goods_refused - next.0);
            let lost_bads = bad_share * (bads_caught - next.1);
            lost_bads / (kept_goods + lost_bads)
        });
        loss += good_share * goods_refused * spread.mean_cost(from, to)
            + bad_share * (1.0 - bads_caught) * spread.mean_rest(from, to);
        from = to;
    }
    let trivial = good_share * spread.mean_cost(0.0, bad_share) + bad_share * spread.mean_rest(bad_share, 1.0);
    Ok(1.0 - loss / trivial)
}

/// The spread of relative costs, Beta(a, b).
struct CostSpread {
    a: f64,
    b: f64,
}

impl CostSpread {
    fn new(a: f64, b: f64) -> Self {
        Self { a, b }
    }

    /// `∫ c w(c) dc` between two costs.
    fn mean_cost(&self, from: f64, to: f64) -> f64 {
        let at = |c: f64| beta_probability(self.a + 1.0, self.b, c.clamp(0.0, 1.0));
        self.a / (self.a + self.b) * (at(to) - at(from))
    }

    /// `∫ (1 − c) w(c) dc` between two costs.
    fn mean_rest(&self, from: f64, to: f64) -> f64 {
        let at = |c: f64| beta_probability(self.a, self.b + 1.0, c.clamp(0.0, 1.0));
        self.b / (self.a + self.b) * (at(to) - at(from))
    }
}

/// Vertices (goods refused, bads caught) of the ROC curve's upper hull, from (1, 1) to (0, 0).
fn roc_hull(ties: &[Tie], goods: f64, bads: f64) -> Vec<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = vec![(1.0, 1.0)];
    let (mut good, mut bad) = (0.0, 0.0);
    for tie in ties {
        good += tie.good;
        bad += tie.bad;
        let point = ((1.0 - good / goods).max(0.0), (1.0 - bad / bads).max(0.0));
        while let [.., (x0, y0), (x1, y1)] = hull.as_slice() {
            let turn = (x1 - x0) * (point.1 - y0) - (y1 - y0) * (point.0 - x0);
            if turn > 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

#[cfg(test)]
mod tests {
    use crate::domain::elementary::pow;
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};
    use crate::model::validation::ranked::Ranked;

    /// The definition: a fine grid of costs, at each every cut-off.
    fn h_by_grid(ties: &[Tie]) -> f64 {
        let (goods, bads) = class_mass(ties);
        let (p0, p1) = (goods / (goods + bads), bads / (goods + bads));
        let (mut lost, mut trivial) = (0.0, 0.0);
        let steps = 20_000;
        for i in 0..steps {
            let c = (f64::from(i) + 0.5) / f64::from(steps);
            let w = pow(c, p1) * pow(1.0 - c, p0);
            let mut best = f64::INFINITY;
            let (mut good, mut bad) = (0.0, 0.0);
            for cut in 0..=ties.len() {
                best = best.min(c * p0 * (1.0 - good / goods) + (1.0 - c) * p1 * (bad / bads));
                if let Some(tie) = ties.get(cut) {
                    good += tie.good;
                    bad += tie.bad;
                }
            }
            lost += w * best;
            trivial += w * (c * p0).min((1.0 - c) * p1);
        }
        1.0 - lost / trivial
    }

    // Python package hmeasure 0.1.6: h_score(y, pd, severity_ratio=-1), which selects the same spread.
    #[test]
    fn equals_the_reference_package() {
        assert_close(h_measure(ranked().ties()).unwrap(), 0.201_124_329_064_828_7, 1e-9);
    }

    #[test]
    fn edge_cases() {
        assert_eq!(h_measure(single_class().ties()), Err(Undefined::SingleClass));
        let constant = Ranked::new(&[true, false, false], &[0.2; 3]).unwrap();
        assert_close(h_measure(constant.ties()).unwrap(), 0.0, 1e-9);
        let perfect = Ranked::new(&[true, false, false], &[0.3, 0.2, 0.1]).unwrap();
        assert_close(h_measure(perfect.ties()).unwrap(), 1.0, 1e-9);
        let reversed = Ranked::new(&[true, false, false], &[0.1, 0.2, 0.3]).unwrap();
        assert_close(h_measure(reversed.ties()).unwrap(), 0.0, 1e-9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_the_grid(rows in prop::collection::vec((any::<bool>(), 0_u8..10), 2..40)) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 10.0).collect();
            let ranked = Ranked::new(&is_bad, &pd).unwrap();
            if let Ok(found) = h_measure(ranked.ties()) {
                prop_assert!((found - h_by_grid(ranked.ties())).abs() < 1e-4);
            }
        }
    }
}
