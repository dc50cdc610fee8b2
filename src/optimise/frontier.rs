//! The efficient frontier: the largest profit at each value of one bound, the others standing still.

use super::bounds::{Bounds, Shadow};
use super::candidates::Candidates;
use super::solve::{Allocation, from_prices};

/// The bound that is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// The most that is lent.
    Lent,
    /// The most that is expected to be lost.
    Loss,
}

/// One point of the frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontierPoint {
    /// The varied bound's most.
    pub most_minor: i64,
    /// What is chosen.
    pub allocation: Allocation,
}

/// Points of the frontier, at equal parts of what would be used without the bound, from the tightest to the loosest.
///
/// What is chosen under a tight bound is allowed under a loose one: where the search does no better there, it is kept, so that profit never falls
/// along the frontier. An allocation in which fewer get something than the bounds ask for gives way to one in which enough do, whatever the profit.
#[must_use]
pub fn frontier<C: Candidates + ?Sized>(
    candidates: &C,
    bounds: &Bounds,
    varied: Varied,
    points: usize,
) -> Vec<FrontierPoint> {
    let with = |most: Option<i64>| match varied {
        Varied::Lent => Bounds { lent_minor: most, ..bounds.clone() },
        Varied::Loss => Bounds { loss_minor: most, ..bounds.clone() },
    };
    let free = from_prices(candidates, &with(None), None);
    let widest = match varied {
        Varied::Lent => free.lent_minor,
        Varied::Loss => free.loss_minor,
    };
    let mut near: Option<Shadow> = None;
    let mut frontier: Vec<FrontierPoint> = Vec::with_capacity(points);
    for point in 1..=points {
        let most_minor = part(widest, point, points);
        let found = from_prices(candidates, &with(Some(most_minor)), near.as_ref());
        near = Some(found.shadow.clone());
        let tighter = frontier.last().map(|before| &before.allocation);
        let rank = |a: &Allocation| (a.chosen >= a.least_chosen, a.profit_minor);
        let allocation = match tighter {
            Some(tighter) if rank(tighter) > rank(&found) => {
                Allocation { bound_minor: found.bound_minor, shadow: found.shadow, ..tighter.clone() }
            }
            _ => found,
        };
        frontier.push(FrontierPoint { most_minor, allocation });
    }
    frontier
}

/// `⌈whole × point ÷ points⌉`.
fn part(whole: i64, point: usize, points: usize) -> i64 {
    let share = (i128::from(whole) * point as i128 + points as i128 - 1) / (points.max(1) as i128);
    i64::try_from(share).unwrap_or(i64::MAX)
}
