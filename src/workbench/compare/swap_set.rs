//! Swap sets: at the same approval rate, whom would the challenger let in and whom would it turn away?
//!
//! Each model approves from its lowest PD upwards. Rows of one PD are approved together or not at all, never more than the asked-for share; where a model has few
//! distinct PDs its actual rate is lower, and stands in the result. The challenger earns its place where those it lets in are better than those it turns away,
//! by more than chance.

use serde::{Deserialize, Serialize};

use crate::model::validation::{Ranked, exact_interval};
use crate::workbench::validation::{RateComparison, compare_rates};

/// Rows in one corner of the four.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SwapCell {
    /// Rows.
    pub rows: u64,
    /// Bad rows.
    pub bad: u64,
    /// Observed bad rate; null without rows.
    pub bad_rate: Option<f64>,
    /// Its exact interval; null without rows.
    pub bad_rate_interval: Option<[f64; 2]>,
}

/// The four corners at one approval rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwapSet {
    /// The approval rate asked for.
    pub approval_rate: f64,
    /// The champion's cut-off: approve at or below; null where even its safest PD holds too many rows.
    pub champion_cut_off_pd: Option<f64>,
    /// The challenger's cut-off.
    pub challenger_cut_off_pd: Option<f64>,
    /// Share the champion approves.
    pub champion_rate: f64,
    /// Share the challenger approves.
    pub challenger_rate: f64,
    /// Approved by both.
    pub both: SwapCell,
    /// Approved by the challenger only.
    pub swapped_in: SwapCell,
    /// Approved by the champion only.
    pub swapped_out: SwapCell,
    /// Refused by both.
    pub neither: SwapCell,
    /// Bad rate of those let in against those turned away; null where either is empty.
    pub in_against_out: Option<RateComparison>,
}

/// The highest PD that can be approved without exceeding the rate; none where even the safest PD holds more rows.
#[must_use]
pub fn approval_cut_off(ranked: &Ranked, approval_rate: f64) -> Option<f64> {
    let allowed = approval_rate * ranked.rows() as f64 + 1e-9;
    let mut approved = 0.0;
    let mut cut = None;
    for tie in ranked.ties() {
        approved += tie.mass();
        if approved > allowed {
            break;
        }
        cut = Some(tie.pd);
    }
    cut
}

/// Sorts rows into the four corners. The three columns are of one table, checked before.
pub(super) fn swap_set(
    is_bad: &[bool],
    champion: (&[f64], &Ranked),
    challenger: (&[f64], &Ranked),
    approval_rate: f64,
    confidence: f64,
) -> SwapSet {
    let champion_cut = approval_cut_off(champion.1, approval_rate);
    let challenger_cut = approval_cut_off(challenger.1, approval_rate);
    let mut corners = [[(0_u64, 0_u64); 2]; 2];
    for (bad, (one, two)) in is_bad.iter().zip(champion.0.iter().zip(challenger.0)) {
        let by_champion = champion_cut.is_some_and(|cut| *one <= cut);
        let by_challenger = challenger_cut.is_some_and(|cut| *two <= cut);
        let [refused, approved] = &mut corners;
        let row = if by_champion { approved } else { refused };
        let [outside, inside] = row;
        let corner = if by_challenger { inside } else { outside };
        corner.0 += 1;
        corner.1 += u64::from(*bad);
    }
    let [[neither, swapped_in], [swapped_out, both]] = corners;
    let rows = is_bad.len() as f64;
    let cell = |(rows, bad): (u64, u64)| SwapCell {
        rows,
        bad,
        bad_rate: (rows > 0).then(|| bad as f64 / rows as f64),
        bad_rate_interval: (rows > 0).then(|| exact_interval(bad, rows, confidence)),
    };
    SwapSet {
        approval_rate,
        champion_cut_off_pd: champion_cut,
        challenger_cut_off_pd: challenger_cut,
        champion_rate: (both.0 + swapped_out.0) as f64 / rows,
        challenger_rate: (both.0 + swapped_in.0) as f64 / rows,
        both: cell(both),
        swapped_in: cell(swapped_in),
        swapped_out: cell(swapped_out),
        neither: cell(neither),
        in_against_out: compare_rates((swapped_in.1, swapped_in.0), (swapped_out.1, swapped_out.0), confidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_by_hand() {
        let is_bad = [false, true, false, true, false, true];
        let one = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let two = [0.1, 0.6, 0.2, 0.5, 0.3, 0.4];
        let ranked = |pd: &[f64]| Ranked::new(&is_bad, pd).unwrap();
        let found = swap_set(&is_bad, (&one, &ranked(&one)), (&two, &ranked(&two)), 0.5, 0.95);
        assert_eq!((found.champion_cut_off_pd, found.challenger_cut_off_pd), (Some(0.3), Some(0.3)));
        assert_eq!((found.both.rows, found.both.bad), (2, 0));
        assert_eq!((found.swapped_out.rows, found.swapped_out.bad), (1, 1));
        assert_eq!((found.swapped_in.rows, found.swapped_in.bad), (1, 0));
        assert_eq!((found.neither.rows, found.neither.bad), (2, 2));
        assert!(found.in_against_out.is_some());
    }

    #[test]
    fn ties_are_never_split_and_the_rate_never_exceeded() {
        let ranked = Ranked::new(&[false, true, false, true], &[0.1, 0.2, 0.2, 0.3]).unwrap();
        assert_eq!(approval_cut_off(&ranked, 0.5), Some(0.1));
        assert_eq!(approval_cut_off(&ranked, 0.75), Some(0.2));
        assert_eq!(approval_cut_off(&ranked, 0.2), None);
        assert_eq!(approval_cut_off(&ranked, 1.0), Some(0.3));
    }
}
