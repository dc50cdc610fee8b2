//! From what candidates choose by themselves to an allocation within every bound.
//!
//! 1. **Lower**: while a bound is exceeded, candidates that use it take a choice that uses less, those first that lose least reduced profit for
//!    what they free.
//! 2. **Approve**: where too few get something, those to whom the least costs least get it; others are lowered to make room for it, and none loses
//!    all for it.
//! 3. **Fill**: what is left goes to choices of more profit, those first that gain most for what they use.
//!
//! Of equals the earlier candidate goes first: there is one result.

use super::bounds::{Prices, chosen, uses};
use super::candidates::{Candidates, Choice};
use super::dual::Priced;
use super::passes::{Problem, Sums};

/// An allocation in the making.
pub(super) struct Draft<'a, C: ?Sized> {
    pub(super) problem: &'a Problem<'a, C>,
    prices: &'a Priced,
    pub(super) numbers: Vec<u8>,
    pub(super) sums: Sums,
}

/// What candidates may lose where a bound is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lowering {
    /// All that they have.
    MayEmpty,
    /// No more than down to their smallest choice.
    KeepsChosen,
}

/// A change of one candidate's choice.
#[derive(Debug, Clone, Copy)]
struct Move {
    /// What it loses for what it frees, or gains for what it uses.
    worth: f64,
    candidate: usize,
    number: u8,
}

/// Rounds of lowering or filling: each works through all candidates, and few rounds leave anything to do.
const ROUNDS: usize = 12;

impl<'a, C: Candidates + ?Sized> Draft<'a, C> {
    /// What all candidates choose by themselves at some prices.
    pub(super) fn at(problem: &'a Problem<'a, C>, prices: &'a Priced) -> Self {
        let (numbers, sums) = problem.at(&prices.shadow);
        Self { problem, prices, numbers, sums }
    }

    /// Within every bound, as many chosen as fit, and filled up.
    pub(super) fn repaired(mut self) -> Self {
        self.lower(Lowering::MayEmpty);
        self.approve();
        self.fill();
        self
    }

    fn unit_prices(&self, candidate: usize) -> Prices {
        Prices::of(&self.prices.shadow, self.problem.capacities.touched(self.problem.candidates.place(candidate)))
    }

    fn choices<'b>(&self, candidate: usize, choices: &'b mut Vec<Choice>) -> &'b [Choice] {
        choices.clear();
        self.problem.candidates.choices(candidate, choices);
        choices
    }

    fn number(&self, candidate: usize) -> u8 {
        self.numbers.get(candidate).copied().unwrap_or(0)
    }

    /// Gives a candidate another choice.
    fn set(&mut self, candidate: usize, number: u8, choices: &[Choice]) {
        let place = self.problem.candidates.place(candidate);
        let (old, new) = (self.number(candidate), chosen(choices, number));
        let before = chosen(choices, old);
        let less = Choice {
            profit_minor: -before.profit_minor,
            lent_minor: -before.lent_minor,
            loss_minor: -before.loss_minor,
        };
        self.sums.add(&self.problem.capacities, place, &less, 0);
        self.sums.add(&self.problem.capacities, place, &new, number);
        self.sums.chosen -= u64::from(old > 0);
        if let Some(slot) = self.numbers.get_mut(candidate) {
            *slot = number;
        }
    }

    /// By how much a bound is exceeded.
    fn excess(&self, bound: usize) -> i128 {
        let used = self.sums.used.get(bound).copied().unwrap_or(0);
        used - self.problem.capacities.most.get(bound).map_or(i128::MAX, |most| i128::from(*most))
    }

    /// What a change frees of the bounds that are exceeded, each in parts of its excess; 0 where it uses more of anything.
    fn relief(&self, candidate: usize, from: &Choice, to: &Choice) -> f64 {
        if to.lent_minor > from.lent_minor || to.loss_minor > from.loss_minor {
            return 0.0;
        }
        let touched = self.problem.capacities.touched(self.problem.candidates.place(candidate));
        let mut relief = 0.0;
        for ((bound, before), after) in touched.into_iter().zip(uses(from)).zip(uses(to)) {
            let excess = bound.map_or(0, |bound| self.excess(bound));
            if excess > 0 {
                relief += (before - after) as f64 / excess as f64;
            }
        }
        relief
    }

    /// Brings what is used within every bound. Whether it came to that.
    fn lower(&mut self, how: Lowering) -> bool {
        let mut choices = Vec::new();
        for _ in 0..ROUNDS {
            if self.sums.is_within(&self.problem.capacities) {
                return true;
            }
            let mut moves: Vec<Move> = Vec::new();
            for candidate in 0..self.numbers.len() {
                let number = self.number(candidate);
                if number > 0 {
                    moves.extend(self.least_lost(candidate, number, how, self.choices(candidate, &mut choices)));
                }
            }
            moves.sort_by(|a, b| a.worth.total_cmp(&b.worth).then(a.candidate.cmp(&b.candidate)));
            if moves.is_empty() {
                return false;
            }
            for Move { candidate, number, .. } in moves {
                if self.sums.is_within(&self.problem.capacities) {
                    break;
                }
                self.choices(candidate, &mut choices);
                let (from, to) = (chosen(&choices, self.number(candidate)), chosen(&choices, number));
                if self.relief(candidate, &from, &to) > 0.0 {
                    self.set(candidate, number, &choices);
                }
            }
        }
        if how == Lowering::KeepsChosen {
            return self.sums.is_within(&self.problem.capacities);
        }
        // Rounds that each free a little could go on: what is exceeded still is emptied from the last candidate on.
        for candidate in (0..self.numbers.len()).rev() {
            self.choices(candidate, &mut choices);
            let from = chosen(&choices, self.number(candidate));
            if self.relief(candidate, &from, &Choice::NOTHING) > 0.0 {
                self.set(candidate, 0, &choices);
            }
        }
        true
    }

    /// The change of a candidate that loses least for what it frees.
    fn least_lost(&self, candidate: usize, number: u8, how: Lowering, choices: &[Choice]) -> Option<Move> {
        let from = chosen(choices, number);
        let prices = self.unit_prices(candidate);
        let kept = prices.reduced(&from);
        let least_number = u8::from(how == Lowering::KeepsChosen);
        let others = (least_number..=u8::try_from(choices.len()).unwrap_or(u8::MAX)).filter(|other| *other != number);
        let mut least: Option<Move> = None;
        for other in others {
            let to = chosen(choices, other);
            let relief = self.relief(candidate, &from, &to);
            if relief > 0.0 {
                let left = if other == 0 { 0 } else { prices.reduced(&to) };
                let worth = (kept - left) as f64 / relief;
                if least.is_none_or(|least| worth < least.worth) {
                    least = Some(Move { worth, candidate, number: other });
                }
            }
        }
        least
    }

    /// Gives something to as many as the least number asks for, as far as the bounds allow.
    fn approve(&mut self) {
        let missing = self.problem.capacities.least_chosen.saturating_sub(self.sums.chosen);
        if missing == 0 {
            return;
        }
        let mut choices = Vec::new();
        let mut cheapest: Vec<Move> = Vec::new();
        for candidate in (0..self.numbers.len()).filter(|candidate| self.number(*candidate) == 0) {
            let prices = self.unit_prices(candidate);
            let all = self.choices(candidate, &mut choices);
            let least =
                (1_u8..).zip(all).min_by_key(|(number, c)| (c.lent_minor, c.loss_minor, -c.profit_minor, *number));
            if let Some((number, choice)) = least {
                cheapest.push(Move { worth: -(prices.reduced(choice) as f64), candidate, number });
            }
        }
        cheapest.sort_by(|a, b| a.worth.total_cmp(&b.worth).then(a.candidate.cmp(&b.candidate)));
        let before = (self.numbers.clone(), self.sums.clone());
        for Move { candidate, number, .. } in cheapest.iter().take(usize::try_from(missing).unwrap_or(usize::MAX)) {
            self.choices(*candidate, &mut choices);
            self.set(*candidate, *number, &choices);
        }
        if self.lower(Lowering::KeepsChosen) {
            return;
        }
        // There is no room for so many: those who fit as it is.
        (self.numbers, self.sums) = before;
        for Move { candidate, number, .. } in cheapest {
            self.choices(candidate, &mut choices);
            let to = chosen(&choices, number);
            if self.sums.chosen < self.problem.capacities.least_chosen && self.fits(candidate, &Choice::NOTHING, &to) {
                self.set(candidate, number, &choices);
            }
        }
    }

    /// Whether a change stays within every bound.
    fn fits(&self, candidate: usize, from: &Choice, to: &Choice) -> bool {
        let touched = self.problem.capacities.touched(self.problem.candidates.place(candidate));
        touched.into_iter().zip(uses(from)).zip(uses(to)).all(|((bound, before), after)| {
            after <= before || bound.is_none_or(|bound| self.excess(bound) + i128::from(after - before) <= 0)
        })
    }

    /// Gives what is left to choices of more profit.
    fn fill(&mut self) {
        let mut choices = Vec::new();
        for _ in 0..ROUNDS {
            let mut moves: Vec<Move> = Vec::new();
            for candidate in 0..self.numbers.len() {
                let all = self.choices(candidate, &mut choices);
                moves.extend(self.most_gained(candidate, all));
            }
            moves.sort_by(|a, b| b.worth.total_cmp(&a.worth).then(a.candidate.cmp(&b.candidate)));
            let mut has_moved = false;
            for Move { candidate, number, .. } in moves {
                self.choices(candidate, &mut choices);
                let (from, to) = (chosen(&choices, self.number(candidate)), chosen(&choices, number));
                if self.fits(candidate, &from, &to) {
                    self.set(candidate, number, &choices);
                    has_moved = true;
                }
            }
            if !has_moved {
                return;
            }
        }
    }

    /// The change of a candidate that fits and gains most for what it uses.
    fn most_gained(&self, candidate: usize, choices: &[Choice]) -> Option<Move> {
        let from = chosen(choices, self.number(candidate));
        let prices = self.unit_prices(candidate);
        let mut most: Option<Move> = None;
        for (number, to) in (1_u8..).zip(choices) {
            let gained = to.profit_minor - from.profit_minor;
            if gained > 0 && self.fits(candidate, &from, to) {
                let used = prices.cost(to) - prices.cost(&from);
                // What uses nothing that is worth anything goes first, the larger gain before the smaller.
                let worth = if used > 0 { gained as f64 / used as f64 } else { 1e30 * gained as f64 };
                if most.is_none_or(|most| worth > most.worth) {
                    most = Some(Move { worth, candidate, number });
                }
            }
        }
        most
    }
}
