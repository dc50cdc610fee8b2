//! Passes over all candidates, in pieces on as many threads as there are.

use std::convert::Infallible;

use super::bounds::{BoundCapacities, POINT, Prices, Shadow, chosen, uses};
use super::candidates::{Candidates, Choice, Place};
use crate::domain::parallel;

/// Candidates of one piece of work.
const PIECE: usize = 1 << 12;

/// What candidates come to together. Whole numbers: the order in which they are added is no matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sums {
    /// Reduced profits, in 2⁻³² of a minor unit.
    pub(super) reduced: i128,
    pub(super) profit: i128,
    /// Of each bound.
    pub(super) used: Vec<i128>,
    /// Candidates that get something.
    pub(super) chosen: u64,
}

impl Sums {
    pub(super) fn new(capacities: &BoundCapacities) -> Self {
        Self { used: vec![0; capacities.most.len()], ..Self::default() }
    }

    /// Adds a choice; 0 of `number` is nothing.
    pub(super) fn add(&mut self, capacities: &BoundCapacities, place: Place, choice: &Choice, number: u8) {
        self.profit += i128::from(choice.profit_minor);
        self.chosen += u64::from(number > 0);
        for (bound, used) in capacities.touched(place).into_iter().zip(uses(choice)) {
            if let Some(sum) = bound.and_then(|bound| self.used.get_mut(bound)) {
                *sum += i128::from(used);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.reduced += other.reduced;
        self.profit += other.profit;
        self.chosen += other.chosen;
        self.used.iter_mut().zip(&other.used).for_each(|(sum, part)| *sum += part);
    }

    /// Whether every bound is kept, but for the least number that get something.
    pub(super) fn is_within(&self, capacities: &BoundCapacities) -> bool {
        self.used.iter().zip(&capacities.most).all(|(used, most)| *used <= i128::from(*most))
    }
}

/// All candidates, or every so many of them, under some bounds.
pub(super) struct Problem<'a, C: ?Sized> {
    pub(super) candidates: &'a C,
    pub(super) capacities: BoundCapacities,
    /// Every so many candidates are looked at.
    stride: usize,
}

impl<'a, C: Candidates + ?Sized> Problem<'a, C> {
    pub(super) fn whole(candidates: &'a C, capacities: BoundCapacities) -> Self {
        Self { candidates, capacities, stride: 1 }
    }

    /// A sample of at most `most` candidates, spread evenly, under bounds that are smaller in proportion.
    pub(super) fn sample(&self, most: usize) -> Self {
        let all = self.candidates.count();
        let stride = all.div_ceil(most.max(1)).max(1);
        let taken = all.div_ceil(stride) as i128;
        let part = |value: i128| value * taken / (all.max(1) as i128);
        let scaled = |most: &i64| match *most {
            i64::MAX => i64::MAX,
            most => i64::try_from(part(i128::from(most))).unwrap_or(i64::MAX),
        };
        let capacities = BoundCapacities {
            most: self.capacities.most.iter().map(scaled).collect(),
            least_chosen: u64::try_from(part(i128::from(self.capacities.least_chosen))).unwrap_or(u64::MAX),
            ..self.capacities.clone()
        };
        Self { candidates: self.candidates, capacities, stride }
    }

    /// Each candidate's own best choice at some prices, and what they come to together.
    pub(super) fn at(&self, shadow: &Shadow) -> (Vec<u8>, Sums) {
        let count = self.candidates.count().div_ceil(self.stride);
        let pieces = parallel::in_order::<_, Infallible>(count.div_ceil(PIECE), |piece| {
            let (mut sums, mut choices) = (Sums::new(&self.capacities), Vec::new());
            let mut numbers = Vec::with_capacity(PIECE);
            for at in piece * PIECE..count.min((piece + 1) * PIECE) {
                let candidate = at * self.stride;
                choices.clear();
                self.candidates.choices(candidate, &mut choices);
                let place = self.candidates.place(candidate);
                let (number, reduced) = Prices::of(shadow, self.capacities.touched(place)).best_of(&choices);
                sums.reduced += reduced;
                sums.add(&self.capacities, place, &chosen(&choices, number), number);
                numbers.push(number);
            }
            Ok((sums, numbers))
        });
        let mut all = Sums::new(&self.capacities);
        let mut numbers = Vec::with_capacity(count);
        match pieces {
            Ok(pieces) => {
                for (sums, of_piece) in pieces {
                    all.merge(&sums);
                    numbers.extend(of_piece);
                }
            }
            Err(never) => match never {},
        }
        (numbers, all)
    }

    /// The upper bound of the profit that prices prove, in 2⁻³² of a minor unit: what the candidates gain by themselves and what the bounds are
    /// worth.
    pub(super) fn bound(&self, shadow: &Shadow, sums: &Sums) -> i128 {
        let priced = shadow.prices.iter().zip(&self.capacities.most).filter(|(price, _)| **price > 0);
        let worth: i128 = priced.map(|(price, most)| i128::from(*price) * i128::from(*most)).sum();
        let approvals = (i128::from(shadow.approval_minor) * i128::from(self.capacities.least_chosen)) << POINT;
        sums.reduced + worth - approvals
    }
}
