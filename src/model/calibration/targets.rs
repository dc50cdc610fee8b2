//! Outcomes pulled in from certainty before a map is fitted to them.
//!
//! Instead of 1 and 0 the map is fitted to `(N₊ + 1) / (N₊ + 2)` for bads and `1 / (N₋ + 2)` for goods, with `N` the class's weight: what a uniform
//! prior says about the class after seeing it. Separated samples then have a finite fit and no plateau claims 0 or 1.
//!
//! Source: Platt (1999), Advances in Large Margin Classifiers.

use crate::model::validation::{Tie, Undefined};

/// Ties whose masses carry the softened targets.
pub(super) fn softened(ties: &[Tie]) -> Result<Vec<Tie>, Undefined> {
    let (good, bad) = ties.iter().fold((0.0, 0.0), |(g, b), tie| (g + tie.good, b + tie.bad));
    if good <= 0.0 || bad <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    let (of_bad, of_good) = ((bad + 1.0) / (bad + 2.0), 1.0 / (good + 2.0));
    Ok(ties
        .iter()
        .map(|tie| Tie {
            pd: tie.pd,
            bad: tie.bad * of_bad + tie.good * of_good,
            good: tie.bad * (1.0 - of_bad) + tie.good * (1.0 - of_good),
        })
        .collect())
}
