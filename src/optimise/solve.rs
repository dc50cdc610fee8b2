//! The allocation under all bounds, with its shadow prices and how far it can be from the best.

use super::bounds::{BoundCapacities, Bounds, Shadow};
use super::candidates::Candidates;
use super::dual::{Priced, polish, seek};
use super::passes::Problem;
use super::repair::Draft;

/// What is chosen, and what is known of how good it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// By candidate the number of its choice, from 1; 0 for nothing.
    pub numbers: Vec<u8>,
    /// Expected profit.
    pub profit_minor: i64,
    /// No allocation within the bounds gains more. Where too few could get something, none gains more whether or not the least number do.
    pub bound_minor: i64,
    /// Candidates that get something.
    pub chosen: u64,
    /// Candidates that were to get something at least.
    pub least_chosen: u64,
    /// What is lent.
    pub lent_minor: i64,
    /// Expected loss.
    pub loss_minor: i64,
    /// What is lent in each category of the bounds.
    pub category_minor: Vec<i64>,
    /// What is lent in each region of the bounds.
    pub region_minor: Vec<i64>,
    /// What the bounds are worth.
    pub shadow: Shadow,
}

/// Candidates of the sample from whose prices all of them start.
const SAMPLE: usize = 1 << 13;

/// Chooses for all candidates.
#[must_use]
pub fn optimise<C: Candidates + ?Sized>(candidates: &C, bounds: &Bounds) -> Allocation {
    from_prices(candidates, bounds, None)
}

/// The same from prices that are near already.
pub(super) fn from_prices<C: Candidates + ?Sized>(
    candidates: &C,
    bounds: &Bounds,
    near: Option<&Shadow>,
) -> Allocation {
    let mut freely = Problem::whole(candidates, BoundCapacities::of(bounds));
    let least_chosen = std::mem::take(&mut freely.capacities.least_chosen);
    // Where nobody asks for a number, nothing would bring the price of an approval down again.
    let near = near.map(|near| Shadow { approval_minor: 0, ..near.clone() });
    let free = priced(&freely, near.as_ref());
    let first = Draft::at(&freely, &free).repaired();
    if first.sums.chosen >= least_chosen {
        return best_of(&freely, first, free.clone(), least_chosen);
    }
    let asked = Problem::whole(candidates, BoundCapacities::of(bounds));
    let held = priced(&asked, Some(&free.shadow));
    let second = Draft::at(&asked, &held).repaired();
    if second.sums.chosen >= least_chosen {
        return best_of(&asked, second, held.clone(), least_chosen);
    }
    // So many cannot get something. The bound that holds whether or not they do is the one without them.
    allocation(second, &free, least_chosen)
}

fn priced<C: Candidates + ?Sized>(problem: &Problem<'_, C>, near: Option<&Shadow>) -> Priced {
    let nothing = Shadow { prices: vec![0; problem.capacities.most.len()], approval_minor: 0 };
    let start = near.cloned().unwrap_or(nothing);
    let is_large = problem.candidates.count() > SAMPLE;
    if is_large {
        let of_sample = seek(&problem.sample(SAMPLE), start, 20).shadow;
        return seek(problem, of_sample, 2);
    }
    seek(problem, start, 20)
}

/// The better of an allocation and of the one at prices that were sought further, with the lesser bound.
fn best_of<C: Candidates + ?Sized>(
    problem: &Problem<'_, C>,
    draft: Draft<'_, C>,
    prices: Priced,
    least_chosen: u64,
) -> Allocation {
    let reached = i64::try_from(draft.sums.profit).unwrap_or(i64::MAX);
    let steps = if problem.candidates.count() > SAMPLE { 24 } else { 60 };
    let further = polish(problem, prices, reached, steps);
    let again = Draft::at(problem, &further).repaired();
    let is_better = again.sums.profit > draft.sums.profit && again.sums.chosen >= least_chosen;
    if is_better { allocation(again, &further, least_chosen) } else { allocation(draft, &further, least_chosen) }
}

fn allocation<C: Candidates + ?Sized>(draft: Draft<'_, C>, prices: &Priced, least_chosen: u64) -> Allocation {
    let whole = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
    let Draft { numbers, sums, problem, .. } = draft;
    let used: Vec<i64> = sums.used.iter().copied().map(whole).collect();
    let [_, _, categories, regions] = problem.capacities.groups();
    let part = |range: std::ops::Range<usize>| used.get(range).unwrap_or_default().to_vec();
    Allocation {
        numbers,
        profit_minor: whole(sums.profit),
        bound_minor: prices.bound_minor(),
        chosen: sums.chosen,
        least_chosen,
        lent_minor: used.first().copied().unwrap_or(0),
        loss_minor: used.get(1).copied().unwrap_or(0),
        category_minor: part(categories),
        region_minor: part(regions),
        shadow: prices.shadow.clone(),
    }
}
