//! Conformal shifts: what has to be added to a fitted quantile so that it holds on rows that the fit did not see.
//!
//! Merchants are cut into groups of equal size by how much they trade. In each, the shift is the `⌊level × (n + 1)⌋`-th smallest of what the
//! fit left, so that a new row of the same group falls below with at most the stated probability (Romano, Patterson and Candès, 2019, one
//! sided). A larger merchant never gets a smaller shift: neighbouring groups in which it would are joined.

use serde::{Deserialize, Serialize};

/// A shift for merchants up to some size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SizeShift {
    /// Largest logarithm of the yearly mean month in the group; `None` for the largest merchants.
    pub up_to: Option<f64>,
    /// Added to the logarithm.
    pub shift: f64,
    /// Rows behind it.
    pub rows: usize,
}

/// What lies below every outcome: with fewer rows than `1 ÷ level` no row bounds the quantile, and nothing is promised.
const NOTHING: f64 = -50.0;

/// Shifts by size. `rows` are (size, what the fit left).
pub(super) fn shifts(rows: &[(f64, f64)], level: f64, groups: usize, least_rows: usize) -> Vec<SizeShift> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let groups = groups.min(sorted.len() / least_rows.max(1)).max(1);
    let mut joined: Vec<Vec<(f64, f64)>> = Vec::new();
    for chunk in sorted.chunks(sorted.len().div_ceil(groups).max(1)) {
        let mut group = chunk.to_vec();
        // While the smaller neighbours would get more, they are one group.
        while let Some(smaller) = joined.pop() {
            if shift_of(&smaller, level) > shift_of(&group, level) {
                group = [smaller, group].concat();
            } else {
                joined.push(smaller);
                break;
            }
        }
        joined.push(group);
    }
    let last = joined.len().saturating_sub(1);
    joined
        .iter()
        .enumerate()
        .map(|(n, group)| SizeShift {
            up_to: if n == last { None } else { group.last().map(|(size, _)| *size) },
            shift: shift_of(group, level),
            rows: group.len(),
        })
        .collect()
}

fn shift_of(rows: &[(f64, f64)], level: f64) -> f64 {
    let mut left: Vec<f64> = rows.iter().map(|(_, left)| *left).collect();
    left.sort_by(f64::total_cmp);
    let place = level * (left.len() + 1) as f64;
    let rank = if level < 0.5 { place.floor() } else { place.ceil() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let rank = (rank as usize).min(left.len());
    rank.checked_sub(1).and_then(|at| left.get(at)).copied().unwrap_or(NOTHING)
}

/// The shift of a merchant of that size.
pub(super) fn shift_at(shifts: &[SizeShift], size: f64) -> f64 {
    shifts.iter().find(|s| s.up_to.is_none_or(|up_to| size <= up_to)).map_or(NOTHING, |s| s.shift)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn larger_merchants_never_get_less_and_all_rows_are_used(
            rows in prop::collection::vec((0.0_f64..20.0, -3.0_f64..3.0), 1..400),
            groups in 1_usize..6,
        ) {
            let found = shifts(&rows, 0.1, groups, 30);
            prop_assert!(found.windows(2).all(|pair| pair[0].shift <= pair[1].shift), "{found:?}");
            prop_assert_eq!(found.iter().map(|s| s.rows).sum::<usize>(), rows.len());
            prop_assert!(found.last().is_some_and(|s| s.up_to.is_none()));
            // No more rows than stated lie below, in any group.
            let below = rows.iter().filter(|(size, left)| *left < shift_at(&found, *size)).count();
            prop_assert!(below as f64 <= 0.1 * (rows.len() + found.len()) as f64 + 1e-9);
        }
    }

    #[test]
    fn few_rows_promise_nothing() {
        assert!(shift_at(&shifts(&[(1.0, 0.0); 8], 0.1, 3, 30), 5.0) <= NOTHING);
        assert!(shift_at(&[], 5.0) <= NOTHING);
    }
}
