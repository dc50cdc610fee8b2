//! What all choices together must stay within, and what each bound is worth.

use super::candidates::{Choice, Place};

/// Bounds over all choices. A place that the lists do not reach is not bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The most that is lent; `None` for no such bound.
    pub lent_minor: Option<i64>,
    /// The most that is expected to be lost.
    pub loss_minor: Option<i64>,
    /// The most that is lent in each category.
    pub category_minor: Vec<Option<i64>>,
    /// The most that is lent in each region.
    pub region_minor: Vec<Option<i64>>,
    /// The least number of candidates that get something. The other bounds go first: where they leave too little for so many, fewer do.
    pub least_chosen: u64,
}

/// Shadow prices: what the profit would gain by one more unit of each bound, as far as the bound is worth anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shadow {
    /// By bound, in the order of [`BoundCapacities`], in 2⁻³² of a minor unit of profit for a minor unit.
    pub(super) prices: Vec<i64>,
    /// What one more candidate that gets something would cost, in minor units.
    pub(super) approval_minor: i64,
}

/// Bits after the point of a price.
pub(super) const POINT: u32 = 32;

impl Shadow {
    /// Of a unit of the sum lent, without what category and region add.
    #[must_use]
    pub fn lent(&self) -> f64 {
        self.at(0)
    }

    /// Of a unit of expected loss.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.at(1)
    }

    /// Of a unit lent in a category.
    #[must_use]
    pub fn category(&self, category: usize) -> f64 {
        self.at(2 + category)
    }

    /// Of a unit lent in a region, where there are so many categories.
    #[must_use]
    pub fn region(&self, categories: usize, region: usize) -> f64 {
        self.at(2 + categories + region)
    }

    /// Of one more candidate that gets something: what the least share costs for each.
    #[must_use]
    pub const fn approval_minor(&self) -> i64 {
        self.approval_minor
    }

    /// Of every bound, in 2⁻³² of a minor unit of profit for a minor unit: lent, expected loss, categories, regions.
    #[must_use]
    pub fn by_bound(&self) -> Vec<i64> {
        self.prices.clone()
    }

    fn at(&self, bound: usize) -> f64 {
        self.prices.get(bound).map_or(0.0, |price| *price as f64 / (1_u64 << POINT) as f64)
    }
}

/// Bounds by number: what is lent, expected loss, then each category and each region.
#[derive(Debug, Clone)]
pub(super) struct BoundCapacities {
    /// The most of each; `i64::MAX` for no bound.
    pub(super) most: Vec<i64>,
    pub(super) categories: u32,
    pub(super) least_chosen: u64,
}

impl BoundCapacities {
    pub(super) fn of(bounds: &Bounds) -> Self {
        // A bound that is exceeded already leaves nothing; what uses nothing of it still fits.
        let room = |most: &Option<i64>| most.map_or(i64::MAX, |most| most.max(0));
        let firsts = [room(&bounds.lent_minor), room(&bounds.loss_minor)];
        let places = bounds.category_minor.iter().chain(&bounds.region_minor).map(room);
        Self {
            most: firsts.into_iter().chain(places).collect(),
            categories: u32::try_from(bounds.category_minor.len()).unwrap_or(u32::MAX),
            least_chosen: bounds.least_chosen,
        }
    }

    /// Bounds that no candidate shares with another of the same group: prices of a group can be sought at the same time.
    pub(super) fn groups(&self) -> [std::ops::Range<usize>; 4] {
        let places = 2 + self.categories as usize;
        [0..1, 1..2, 2..places, places..self.most.len()]
    }

    /// Numbers of the bounds that a candidate's choices use: lent, loss, category, region. A place without a bound has none.
    pub(super) fn touched(&self, place: Place) -> [Option<usize>; 4] {
        let known = |bound: usize, is_there: bool| is_there.then_some(bound).filter(|bound| *bound < self.most.len());
        let category = known(2 + place.category as usize, place.category < self.categories);
        [Some(0), Some(1), category, known((2 + self.categories as usize).saturating_add(place.region as usize), true)]
    }
}

/// What a choice uses of the bounds of [`BoundCapacities::touched`].
pub(super) const fn uses(choice: &Choice) -> [i64; 4] {
    [choice.lent_minor, choice.loss_minor, choice.lent_minor, choice.lent_minor]
}

/// What one candidate pays for what it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    /// Of a unit lent, in 2⁻³²: of the sum lent, and of the candidate's category and region.
    pub lent: i128,
    /// Of a unit of expected loss, in 2⁻³².
    pub loss: i128,
    /// What getting something is worth by itself, in minor units.
    pub chosen_minor: i64,
}

impl Prices {
    pub(super) fn of(shadow: &Shadow, touched: [Option<usize>; 4]) -> Self {
        let price =
            |bound: Option<usize>| bound.and_then(|b| shadow.prices.get(b)).map_or(0, |price| i128::from(*price));
        let [lent, loss, category, region] = touched;
        Self {
            lent: price(lent) + price(category) + price(region),
            loss: price(loss),
            chosen_minor: shadow.approval_minor,
        }
    }

    /// What a choice uses, at these prices, in 2⁻³² of a minor unit.
    pub(super) fn cost(&self, choice: &Choice) -> i128 {
        self.lent * i128::from(choice.lent_minor) + self.loss * i128::from(choice.loss_minor)
    }

    /// Profit less what is used, in 2⁻³² of a minor unit; of nothing it is 0.
    pub(super) fn reduced(&self, choice: &Choice) -> i128 {
        (i128::from(choice.profit_minor) << POINT) + (i128::from(self.chosen_minor) << POINT) - self.cost(choice)
    }

    /// The choice of the largest reduced profit, from 1; 0 where nothing is better. Of equals the first.
    #[must_use]
    pub fn best(&self, choices: &[Choice]) -> u8 {
        self.best_of(choices).0
    }

    /// The same with its reduced profit.
    pub(super) fn best_of(&self, choices: &[Choice]) -> (u8, i128) {
        let mut best = (0_u8, 0_i128);
        for (number, choice) in (1_u8..).zip(choices) {
            let reduced = self.reduced(choice);
            if reduced > best.1 {
                best = (number, reduced);
            }
        }
        best
    }
}

/// The choice of a number; 0 is nothing.
pub(super) fn chosen(choices: &[Choice], number: u8) -> Choice {
    usize::from(number).checked_sub(1).and_then(|at| choices.get(at)).copied().unwrap_or(Choice::NOTHING)
}
