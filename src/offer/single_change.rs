//! The smallest change of one feature that reaches a score.
//!
//! Points are per bin, so that a feature counts only by its bin. Of each feature, the first bin upward and the first bin downward whose points are
//! enough by themselves are looked at, and the nearer of the two is given, with the value at its edge: any value short of it leaves the score
//! short. A feature that is not known, or that has no such bin, is left out: nobody is advised to let a value go missing. Several features changed
//! at once may be enough where none is: `integrity counterfactual` looks for these.

use crate::model::Scorecard;
use crate::model::binning::{BinKind, BinRole};
use crate::offer::Verdict;

/// Features that are given at most.
const MOST: usize = 4;

/// Features each of which would reach the score by itself, those that move the fewest bins first: what each is, and the value that is just enough.
#[must_use]
pub fn single_changes(
    card: &Scorecard,
    bins: &[u8],
    at_least: i32,
    value: impl Fn(&str) -> Option<f64>,
) -> Vec<Verdict> {
    let mut found: Vec<(usize, usize, Verdict)> = Vec::new();
    for (at, variable) in card.variables.iter().enumerate() {
        let BinKind::Number { edges } = &variable.bins.kind else { continue };
        let (Some(here), Some(observed)) = (bins.get(at).copied().map(usize::from), value(&variable.bins.name)) else {
            continue;
        };
        let is_regular = |bin: usize| variable.bins.bins.get(bin).is_some_and(|bin| bin.role == BinRole::Regular);
        // Regular bins come first, one more than edges.
        if !is_regular(here) || here > edges.len() {
            continue;
        }
        let reaches = |bin: usize| {
            let mut moved = bins.to_vec();
            let Some((slot, bin)) = moved.get_mut(at).zip(u8::try_from(bin).ok()) else { return false };
            *slot = bin;
            card.base_points.saturating_add(card.points_of(&moved).iter().sum()) >= at_least
        };
        // Upper edges are inclusive: just beyond the one below, or just at the own.
        let up = (here + 1..=edges.len()).find(|bin| is_regular(*bin) && reaches(*bin));
        let up = up.and_then(|bin| Some((bin - here, edges.get(bin - 1)?.next_up())));
        let down = (0..here).rev().find(|bin| is_regular(*bin) && reaches(*bin));
        let down = down.and_then(|bin| Some((here - bin, *edges.get(bin)?)));
        let nearer = |a: &(usize, f64), b: &(usize, f64)| (a.1 - observed).abs().total_cmp(&(b.1 - observed).abs());
        if let Some((moved, threshold)) = [up, down].into_iter().flatten().min_by(nearer) {
            let verdict = Verdict {
                rule: variable.bins.name.clone(),
                passed: false,
                observed: Some(observed),
                threshold: Some(threshold),
                reason: None,
            };
            found.push((moved, at, verdict));
        }
    }
    found.sort_by_key(|(moved, at, _)| (*moved, *at));
    found.into_iter().take(MOST).map(|(.., verdict)| verdict).collect()
}
