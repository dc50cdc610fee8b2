//! Shadow prices: those that make the upper bound least.
//!
//! One group of bounds after the other, the price of each is sought by halves at which what is used just fits, the other prices standing still: that
//! is the least of the bound along this price, and no step raises it. Prices of all categories are sought in the same passes, as no candidate is in
//! two of them; so are those of all regions. A sample goes first and all candidates start from its prices.
//!
//! Where two bounds hold at once such a search may stop short of the least. Steps along the subgradient, as long as Polyak's rule says for the profit
//! that an allocation has reached, go on from there.

use super::bounds::{POINT, Shadow};
use super::candidates::Candidates;
use super::passes::{Problem, Sums};

/// No price is larger: far above any profit of a unit lent.
const MOST: i64 = i64::MAX >> 2;
/// The largest price of an approval, in minor units: it times any count of candidates stays far within the sums.
const MOST_APPROVAL: i64 = 1 << 45;
/// Searches end where the price is known to so many bits.
const BITS: u32 = 24;

/// Prices and the bound that they prove.
#[derive(Debug, Clone)]
pub(super) struct Priced {
    pub(super) shadow: Shadow,
    /// In 2⁻³² of a minor unit.
    pub(super) bound: i128,
    pub(super) sums: Sums,
}

impl Priced {
    pub(super) fn at<C: Candidates + ?Sized>(problem: &Problem<'_, C>, shadow: Shadow) -> Self {
        let (_, sums) = problem.at(&shadow);
        Self { bound: problem.bound(&shadow, &sums), shadow, sums }
    }

    /// The bound in whole minor units.
    pub(super) fn bound_minor(&self) -> i64 {
        i64::try_from((self.bound + (1 << POINT) - 1) >> POINT).unwrap_or(i64::MAX)
    }
}

/// The search for one price: from where it stands outward, then by halves.
#[derive(Debug, Clone, Copy)]
struct Search {
    /// Too low a price: too much is used.
    low: Option<i64>,
    /// High enough.
    high: Option<i64>,
    step: i64,
    start: i64,
    most: i64,
}

impl Search {
    const fn from(start: i64, least_step: i64, most: i64) -> Self {
        let step = if start >> 8 > least_step { start >> 8 } else { least_step };
        Self { low: None, high: None, step, start, most }
    }

    /// The next price to try; `None` once it is found.
    fn probe(&mut self) -> Option<i64> {
        match (self.low, self.high) {
            (None, None) => Some(self.start),
            (None, Some(0)) => None,
            (Some(low), _) if low >= self.most => None,
            (Some(low), Some(high)) => (high - low > (high >> BITS).max(1)).then(|| low + (high - low) / 2),
            (Some(low), None) => {
                let next = low.saturating_add(self.step).min(self.most);
                self.step = self.step.saturating_mul(4);
                Some(next)
            }
            (None, Some(high)) => {
                let next = (high - self.step).max(0);
                self.step = self.step.saturating_mul(4);
                Some(next)
            }
        }
    }

    const fn tell(&mut self, price: i64, is_over: bool) {
        if is_over { self.low = Some(price) } else { self.high = Some(price) }
    }

    /// The least price known to be high enough.
    fn found(&self) -> i64 {
        self.high.or(self.low).unwrap_or(self.start)
    }
}

/// The first step of a price that is 0: a millionth of a unit of profit for a unit.
const FIRST_STEP: i64 = 1 << 12;

/// Seeks the prices of one group of bounds together.
fn seek_group<C: Candidates + ?Sized>(problem: &Problem<'_, C>, shadow: &mut Shadow, group: std::ops::Range<usize>) {
    let is_bounded = |bound: &usize| problem.capacities.most.get(*bound).is_some_and(|most| *most < i64::MAX);
    let bounds: Vec<usize> = group.filter(is_bounded).collect();
    let price = |shadow: &Shadow, bound: usize| shadow.prices.get(bound).copied().unwrap_or(0);
    let mut searches: Vec<Search> =
        bounds.iter().map(|bound| Search::from(price(shadow, *bound), FIRST_STEP, MOST)).collect();
    let set = |bound: usize, price: i64, shadow: &mut Shadow| {
        if let Some(slot) = shadow.prices.get_mut(bound) {
            *slot = price;
        }
    };
    loop {
        let mut is_done = true;
        let mut probes = Vec::with_capacity(bounds.len());
        for (bound, search) in bounds.iter().zip(&mut searches) {
            let probe = search.probe();
            is_done &= probe.is_none();
            set(*bound, probe.unwrap_or_else(|| search.found()), shadow);
            probes.push(probe);
        }
        if is_done {
            return;
        }
        let (_, sums) = problem.at(shadow);
        for ((bound, search), probe) in bounds.iter().zip(&mut searches).zip(probes) {
            let used = sums.used.get(*bound).copied().unwrap_or(0);
            let most = problem.capacities.most.get(*bound).copied().unwrap_or(i64::MAX);
            if let Some(price) = probe {
                search.tell(price, used > i128::from(most));
            }
        }
    }
}

/// Seeks the price of an approval.
fn seek_approval<C: Candidates + ?Sized>(problem: &Problem<'_, C>, shadow: &mut Shadow) {
    if problem.capacities.least_chosen == 0 {
        return;
    }
    let mut search = Search::from(shadow.approval_minor, 64, MOST_APPROVAL);
    while let Some(price) = search.probe() {
        shadow.approval_minor = price;
        search.tell(price, problem.at(shadow).1.chosen < problem.capacities.least_chosen);
    }
    shadow.approval_minor = search.found();
}

/// Seeks all prices, group after group, at most so many times over; the best bound met counts.
pub(super) fn seek<C: Candidates + ?Sized>(problem: &Problem<'_, C>, start: Shadow, sweeps: usize) -> Priced {
    let mut best = Priced::at(problem, start);
    let mut shadow = best.shadow.clone();
    for _ in 0..sweeps {
        for group in problem.capacities.groups() {
            seek_group(problem, &mut shadow, group);
        }
        seek_approval(problem, &mut shadow);
        let now = Priced::at(problem, shadow.clone());
        let gained = best.bound - now.bound;
        let is_little = gained * 1_000_000 <= best.bound.abs();
        if gained > 0 {
            best = now;
        }
        if is_little {
            break;
        }
    }
    best
}

/// Steps along the subgradient towards a profit that is known to be reached, from prices on; the best bound met counts.
///
/// Prices are measured by what they make of their whole bound, so that bounds of very different size move alike.
pub(super) fn polish<C: Candidates + ?Sized>(
    problem: &Problem<'_, C>,
    from: Priced,
    reached_minor: i64,
    steps: usize,
) -> Priced {
    let unit = (1_u64 << POINT) as f64;
    let least = problem.capacities.least_chosen as f64;
    let (mut best, mut at, mut relax) = (from.clone(), from, 1.0);
    for _ in 0..steps {
        let slopes: Vec<f64> =
            at.sums.used.iter().zip(&problem.capacities.most).map(|(used, most)| slope(*used, *most)).collect();
        let approval_slope = if least > 0.0 { (at.sums.chosen as f64 - least) / least } else { 0.0 };
        // A price that is 0 and would fall stands still.
        let moves = |slope: f64, price: i64| if slope < 0.0 || price > 0 { slope * slope } else { 0.0 };
        let prices = slopes.iter().zip(&at.shadow.prices).map(|(slope, price)| moves(*slope, *price));
        let length: f64 = prices.sum::<f64>() + moves(approval_slope, at.shadow.approval_minor);
        let above = at.bound as f64 / unit - reached_minor as f64;
        if length <= 0.0 || above < 0.5 {
            break;
        }
        let step = relax * above / length;
        let mut shadow = at.shadow.clone();
        for ((price, slope), most) in shadow.prices.iter_mut().zip(&slopes).zip(&problem.capacities.most) {
            *price = lowered(*price, step * slope / (*most as f64).max(1.0) * unit, MOST);
        }
        if least > 0.0 {
            shadow.approval_minor = lowered(shadow.approval_minor, step * approval_slope / least, MOST_APPROVAL);
        }
        at = Priced::at(problem, shadow);
        if at.bound < best.bound {
            best = at.clone();
        } else {
            relax *= 0.8;
        }
    }
    best
}

/// How fast the upper bound rises with what a price makes of its whole bound: the part of it that is left; negative where too much is used.
fn slope(used: i128, most: i64) -> f64 {
    if most == i64::MAX { 0.0 } else { (most as f64 - used as f64) / (most as f64).max(1.0) }
}

/// A price less some step, not below 0.
fn lowered(price: i64, less: f64, most: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what is meant")]
    let next = (price as f64 - less) as i64;
    next.clamp(0, most)
}
