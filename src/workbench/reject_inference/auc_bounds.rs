//! What the outcomes of rejects could do to the AUC at most.
//!
//! Whatever number of rejects were bad, the AUC is greatest if they were those with the highest PDs and least if those with the lowest (swapping two
//! labels towards that order only wins pairs). So it is enough to try each number, in one sweep.
//!
//! Source: bounds in the manner of Manski (2003), Partial Identification of Probability Distributions.

use crate::model::validation::{Tie, Undefined};

/// Least and greatest AUC over all outcomes that rejects could have had.
///
/// # Errors
/// [`Undefined::SingleClass`] where no outcome of the rejects gives both classes.
pub(super) fn auc_bounds(accepted: &[Tie], rejected_pd: &[f64]) -> Result<[f64; 2], Undefined> {
    let most = sweep(accepted, rejected_pd, Extreme::Greatest)?;
    let least = sweep(accepted, rejected_pd, Extreme::Least)?;
    Ok([least, most])
}

/// Which AUC is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extreme {
    Greatest,
    Least,
}

/// Turns rejects bad one after another, from the riskiest down for the greatest AUC and from the safest up for the least, and keeps the extreme.
fn sweep(accepted: &[Tie], rejected_pd: &[f64], wanted: Extreme) -> Result<f64, Undefined> {
    let upwards = wanted == Extreme::Least;
    let mut rejects = rejected_pd.to_vec();
    rejects.sort_unstable_by(f64::total_cmp);
    let goods: f64 = accepted.iter().map(|tie| tie.good).sum::<f64>() + rejects.len() as f64;
    let bads: f64 = accepted.iter().map(|tie| tie.bad).sum();
    let below = CountsBelow::new(accepted);
    // Pairs won while all rejects are good.
    let mut won: f64 = accepted.iter().map(|tie| tie.bad * below.goods(tie.pd)).sum();
    won += rejects.iter().map(|pd| bads - below.bads(*pd)).sum::<f64>();

    let mut extreme: Option<f64> = None;
    let mut keep = |won: f64, goods: f64, bads: f64| {
        if goods > 0.0 && bads > 0.0 {
            let auc = won / (goods * bads);
            extreme = Some(extreme.map_or(auc, |e: f64| if upwards { e.min(auc) } else { e.max(auc) }));
        }
    };
    keep(won, goods, bads);
    let count = rejects.len();
    for turned in 0..count {
        let index = if upwards { turned } else { count - 1 - turned };
        let Some(pd) = rejects.get(index).copied() else { continue };
        let lower = rejects.partition_point(|other| *other < pd);
        let not_higher = rejects.partition_point(|other| *other <= pd);
        // Rejects still good and already bad, by their place against this one.
        let (good_below, good_equal, bad_above, bad_equal) = if upwards {
            (0, not_higher - index - 1, 0, index - lower)
        } else {
            (lower, index - lower, count - not_higher, not_higher - 1 - index)
        };
        let lost = bads - below.bads(pd) + bad_above as f64 + 0.5 * bad_equal as f64;
        let gained = below.goods(pd) + good_below as f64 + 0.5 * good_equal as f64;
        won += gained - lost;
        keep(won, goods - (turned + 1) as f64, bads + (turned + 1) as f64);
    }
    extreme.ok_or(Undefined::SingleClass)
}

/// Accepted goods and bads below a PD, those at it counted half.
struct CountsBelow {
    pds: Vec<f64>,
    goods: Vec<f64>,
    bads: Vec<f64>,
}

impl CountsBelow {
    fn new(accepted: &[Tie]) -> Self {
        let mut sums = Self { pds: Vec::new(), goods: vec![0.0], bads: vec![0.0] };
        let (mut good, mut bad) = (0.0, 0.0);
        for tie in accepted {
            good += tie.good;
            bad += tie.bad;
            sums.pds.push(tie.pd);
            sums.goods.push(good);
            sums.bads.push(bad);
        }
        sums
    }

    fn half_way(&self, sums: &[f64], pd: f64) -> f64 {
        let lower = self.pds.partition_point(|at| *at < pd);
        let not_higher = self.pds.partition_point(|at| *at <= pd);
        let at = |i: usize| sums.get(i).copied().unwrap_or(0.0);
        f64::midpoint(at(lower), at(not_higher))
    }

    fn goods(&self, pd: f64) -> f64 {
        self.half_way(&self.goods, pd)
    }

    fn bads(&self, pd: f64) -> f64 {
        self.half_way(&self.bads, pd)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::{Ranked, auc};

    /// Every outcome that the rejects could have had.
    fn by_all_outcomes(is_bad: &[bool], pd: &[f64], rejected: &[f64]) -> Option<[f64; 2]> {
        let mut bounds: Option<[f64; 2]> = None;
        for outcome in 0_u32..1 << rejected.len() {
            let mut bad = is_bad.to_vec();
            bad.extend((0..rejected.len()).map(|i| outcome >> i & 1 == 1));
            let mut pds = pd.to_vec();
            pds.extend(rejected);
            if let Ok(auc) = auc(Ranked::new(&bad, &pds).unwrap().ties()) {
                bounds = Some(bounds.map_or([auc, auc], |[low, high]| [low.min(auc), high.max(auc)]));
            }
        }
        bounds
    }

    proptest! {
        #[test]
        fn equals_all_outcomes(
            accepted in prop::collection::vec((any::<bool>(), 0_u8..8), 1..12),
            rejected in prop::collection::vec(0_u8..8, 1..7),
        ) {
            let is_bad: Vec<bool> = accepted.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = accepted.iter().map(|r| f64::from(r.1) / 8.0).collect();
            let rejected: Vec<f64> = rejected.iter().map(|r| f64::from(*r) / 8.0).collect();
            let found = auc_bounds(Ranked::new(&is_bad, &pd).unwrap().ties(), &rejected).ok();
            let expected = by_all_outcomes(&is_bad, &pd, &rejected);
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                prop_assert!((found[0] - expected[0]).abs() < 1e-12, "{found:?} {expected:?}");
                prop_assert!((found[1] - expected[1]).abs() < 1e-12, "{found:?} {expected:?}");
            }
        }
    }
}
