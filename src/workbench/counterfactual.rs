//! Counterfactuals: the smallest change in actionable features that would reach a cut-off.
//!
//! Points are per bin, so the search is over bins, and it is exact. Of all changes that reach the score, the one of fewest variables is given; among those
//! the one of fewest bins moved; among those the one of the highest score; among those the first in the order of the variables asked for.
//!
//! - A variable that is not actionable stays where it is.
//! - Only regular bins are targets: nobody is advised to let a value go missing or to become a special code.
//! - Numbers move bin by bin, `|i − j|`; levels have no distance, and leaving a special or missing bin has none either: one move.
//!
//! The search goes down the variables in order. What the rest could gain at best is known for every number of changes and of moves (a dynamic
//! programme in which a two-variable table gives the most it can); a branch that could not reach the cut-off even so is left. The first number of changes and
//! moves that yields a solution is the answer.

use serde::{Deserialize, Serialize};

use crate::model::binning::{BinKind, BinRole};
use crate::model::{ModelError, Scorecard, ScoredVariable};

/// One variable to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The column.
    pub variable: String,
    /// What its value is now.
    pub from: String,
    /// What it would have to be.
    pub to: String,
    /// Bin to reach.
    pub bin: u8,
    /// Bins moved.
    pub moved: usize,
}

/// The smallest change that reaches a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Score before.
    pub score: i32,
    /// Score after.
    pub reached: i32,
    /// Variables to change, in the order they were asked for; none where the score is enough already.
    pub changes: Vec<Change>,
}

/// A search over one scorecard, one cut-off and one set of actionable variables.
#[derive(Debug)]
pub struct CounterfactualSearch<'a> {
    card: &'a Scorecard,
    actionable: Vec<usize>,
    at_least: i32,
}

/// Branches looked at for one row before the search gives up: seconds, not hours.
const MOST_BRANCHES: u64 = 20_000_000;

impl<'a> CounterfactualSearch<'a> {
    /// Prepares a search for a score of at least `at_least` by changing columns named in `actionable`.
    ///
    /// # Errors
    /// No column, one named twice, or one that the scorecard does not read.
    pub fn new(card: &'a Scorecard, actionable: &[String], at_least: i32) -> Result<Self, ModelError> {
        let refuse = |why: String| ModelError::BadSetting { setting: "actionable", why };
        let mut positions = Vec::new();
        for name in actionable {
            let position = card.variables.iter().position(|v| v.bins.name == *name).ok_or_else(|| {
                let names: Vec<&str> = card.variables.iter().map(|v| v.bins.name.as_str()).collect();
                refuse(format!("{name:?} is not a variable of the scorecard; it has {}", names.join(", ")))
            })?;
            if positions.contains(&position) {
                return Err(refuse(format!("{name:?} is named twice")));
            }
            positions.push(position);
        }
        if positions.is_empty() {
            return Err(refuse("name at least one column".to_owned()));
        }
        Ok(Self { card, actionable: positions, at_least })
    }

    /// The smallest change for a row with these bins; `None` where no change of the actionable variables reaches the score.
    ///
    /// # Errors
    /// Bins that are not the scorecard's, or a search that is too large: then name fewer variables.
    pub fn find(&self, bins: &[u8]) -> Result<Option<Counterfactual>, ModelError> {
        let inside = |(v, b): (&ScoredVariable, &u8)| usize::from(*b) < v.points.len();
        if bins.len() != self.card.variables.len() || !self.card.variables.iter().zip(bins).all(inside) {
            return Err(ModelError::CannotMeasure { why: "the row's bins are not the scorecard's".to_owned() });
        }
        let score = self.score(bins);
        if score >= self.at_least {
            return Ok(Some(Counterfactual { score, reached: score, changes: Vec::new() }));
        }
        let options: Vec<Vec<Move>> = self.actionable.iter().map(|&v| self.moves(v, bins)).collect();
        let needed = self.at_least - score;
        let mut branches = 0;
        for changed in 1..=options.len() {
            let rest = RemainingGain::new(&options, changed);
            for moved in changed..=rest.most_moved {
                let mut walk = Walk {
                    search: self,
                    options: &options,
                    rest: &rest,
                    start: bins,
                    bins: bins.to_vec(),
                    best: None,
                    least: needed,
                    score,
                    branches,
                };
                walk.down(0, changed, moved, 0)?;
                branches = walk.branches;
                if let Some((reached, found)) = walk.best {
                    return Ok(Some(self.told(bins, &found, score, reached)));
                }
            }
        }
        Ok(None)
    }

    fn score(&self, bins: &[u8]) -> i32 {
        self.card.base_points + self.card.points_of(bins).iter().sum::<i32>()
    }

    /// Where a variable may go, with the most points it could gain there.
    fn moves(&self, variable: usize, bins: &[u8]) -> Vec<Move> {
        let Some(scored) = self.card.variables.get(variable) else { return Vec::new() };
        let here = bins.get(variable).copied().unwrap_or_default();
        let role = |bin: u8| scored.bins.bins.get(usize::from(bin)).map(|b| b.role);
        let is_number = matches!(scored.bins.kind, BinKind::Number { .. });
        let points = |bin: u8| scored.points.get(usize::from(bin)).copied().unwrap_or_default();
        let count = u8::try_from(scored.points.len()).unwrap_or(u8::MAX);
        (0..count)
            .filter(|&bin| bin != here && role(bin) == Some(BinRole::Regular))
            .map(|bin| {
                let stepwise = is_number && role(here) == Some(BinRole::Regular);
                let moved = if stepwise { usize::from(bin.abs_diff(here)) } else { 1 };
                Move { bin, moved, gain: points(bin) - points(here) + self.table_gain(variable, bin, bins) }
            })
            .collect()
    }

    /// The most that two-variable tables could add by moving one variable, whatever its partners do. Of two actionable partners the first
    /// stands for the table; the second counts what it could add, never what it could cost.
    fn table_gain(&self, variable: usize, bin: u8, bins: &[u8]) -> i32 {
        let place = |v: usize| self.actionable.iter().position(|a| *a == v);
        let at = |v: usize| bins.get(v).copied().unwrap_or_default();
        let mut gain = 0;
        for table in &self.card.tables {
            let (partner, is_left) = match (table.left == variable, table.right == variable) {
                (true, false) => (table.right, true),
                (false, true) => (table.left, false),
                _ => continue,
            };
            let points = |other: u8| if is_left { table.points_at(bin, other) } else { table.points_at(other, bin) };
            let now = table.points_at(at(table.left), at(table.right));
            gain += match place(partner) {
                None => points(at(partner)) - now,
                Some(other) => {
                    let best = self.reachable(partner, bins).map(points).max().unwrap_or(now) - now;
                    if place(variable).is_some_and(|own| own < other) { best } else { best.max(0) }
                }
            };
        }
        gain
    }

    /// Where a variable is, and its regular bins.
    fn reachable(&self, variable: usize, bins: &[u8]) -> impl Iterator<Item = u8> {
        let here = bins.get(variable).copied().unwrap_or_default();
        let all = self.card.variables.get(variable).map(|v| v.bins.bins.as_slice()).unwrap_or_default();
        let regular = (0_u8..).zip(all).filter(|(_, b)| b.role == BinRole::Regular).map(|(i, _)| i);
        std::iter::once(here).chain(regular)
    }

    fn told(&self, before: &[u8], after: &[u8], score: i32, reached: i32) -> Counterfactual {
        let change = |&variable: &usize| {
            let scored = self.card.variables.get(variable)?;
            let (from, to) = (*before.get(variable)?, *after.get(variable)?);
            let label = |bin: u8| scored.bins.bins.get(usize::from(bin)).map(|b| b.label.clone());
            let moved = self.moves(variable, before).into_iter().find(|m| m.bin == to)?.moved;
            Some(Change { variable: scored.bins.name.clone(), from: label(from)?, to: label(to)?, bin: to, moved })
        };
        Counterfactual { score, reached, changes: self.actionable.iter().filter_map(change).collect() }
    }
}

/// A bin a variable may move to.
#[derive(Debug, Clone, Copy)]
struct Move {
    bin: u8,
    moved: usize,
    /// The most it can gain: never less than what it does gain, together with what the other moves state.
    gain: i32,
}

/// The most that variables from a place on can gain, by exact numbers of changes and moves.
struct RemainingGain {
    /// `[place][changes][moves]`; none where that is impossible.
    gain: Vec<Vec<Vec<Option<i32>>>>,
    most_moved: usize,
}

impl RemainingGain {
    fn new(options: &[Vec<Move>], changes: usize) -> Self {
        let furthest = |moves: &Vec<Move>| moves.iter().map(|m| m.moved).max().unwrap_or(0);
        let mut longest: Vec<usize> = options.iter().map(furthest).collect();
        longest.sort_unstable_by(|a, b| b.cmp(a));
        let most_moved = longest.iter().take(changes).sum();
        let none = || vec![vec![None; most_moved + 1]; changes + 1];
        let mut last = none();
        if let Some(slot) = last.first_mut().and_then(|row| row.first_mut()) {
            *slot = Some(0);
        }
        let mut gain = vec![last];
        for moves in options.iter().rev() {
            let below = gain.last().cloned().unwrap_or_default();
            let mut here = below.clone();
            for (r, row) in here.iter_mut().enumerate().skip(1) {
                for (c, slot) in row.iter_mut().enumerate() {
                    for m in moves.iter().filter(|m| m.moved <= c) {
                        let rest = below.get(r - 1).and_then(|row| row.get(c - m.moved)).copied().flatten();
                        *slot = (*slot).max(rest.map(|rest| rest + m.gain));
                    }
                }
            }
            gain.push(here);
        }
        gain.reverse();
        Self { gain, most_moved }
    }

    fn at(&self, place: usize, changes: usize, moves: usize) -> Option<i32> {
        self.gain.get(place)?.get(changes)?.get(moves).copied().flatten()
    }
}

/// One walk down the variables, for exact numbers of changes and moves.
struct Walk<'s, 'a> {
    search: &'s CounterfactualSearch<'a>,
    options: &'s [Vec<Move>],
    rest: &'s RemainingGain,
    start: &'s [u8],
    bins: Vec<u8>,
    best: Option<(i32, Vec<u8>)>,
    /// What must still be gained to be worth looking at.
    least: i32,
    score: i32,
    branches: u64,
}

impl Walk<'_, '_> {
    /// `gained` is the most that the moves made so far can gain.
    fn down(&mut self, place: usize, changes: usize, moves: usize, gained: i32) -> Result<(), ModelError> {
        self.branches += 1;
        if self.branches > MOST_BRANCHES {
            let why = "the search for the smallest change is too large: name fewer actionable columns".to_owned();
            return Err(ModelError::CannotMeasure { why });
        }
        if self.rest.at(place, changes, moves).is_none_or(|rest| gained + rest < self.least) {
            return Ok(());
        }
        let (Some(options), Some(&variable)) = (self.options.get(place), self.search.actionable.get(place)) else {
            let reached = self.search.score(&self.bins);
            if reached - self.score >= self.least {
                self.least = reached - self.score + 1;
                self.best = Some((reached, self.bins.clone()));
            }
            return Ok(());
        };
        if changes > 0 {
            for option in options.iter().filter(|m| m.moved <= moves) {
                self.put(variable, option.bin);
                self.down(place + 1, changes - 1, moves - option.moved, gained + option.gain)?;
            }
            self.put(variable, self.start.get(variable).copied().unwrap_or_default());
        }
        self.down(place + 1, changes, moves, gained)
    }

    fn put(&mut self, variable: usize, bin: u8) {
        if let Some(slot) = self.bins.get_mut(variable) {
            *slot = bin;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::binning::{Bin, Bins, Trend};
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{LEVEL, NUMBER, PLAIN, card};
    use crate::model::{PairTable, ScoredVariable};

    /// Every assignment of bins there is: fewest changes, then fewest moves, then the highest score.
    fn by_force(card: &Scorecard, actionable: &[usize], bins: &[u8], at_least: i32) -> Option<(usize, usize, i32)> {
        let score = |b: &[u8]| card.base_points + card.points_of(b).iter().sum::<i32>();
        let mut all = vec![bins.to_vec()];
        for &v in actionable {
            let targets: Vec<u8> = (0_u8..)
                .zip(&card.variables[v].bins.bins)
                .filter(|(i, b)| b.role == BinRole::Regular || *i == bins[v])
                .map(|(i, _)| i)
                .collect();
            all = all
                .iter()
                .flat_map(|row| {
                    targets.iter().map(|&t| {
                        let mut row = row.clone();
                        row[v] = t;
                        row
                    })
                })
                .collect();
        }
        let cost = |row: &[u8]| {
            actionable.iter().filter(|&&v| row[v] != bins[v]).fold((0, 0), |(n, m), &v| {
                let scored = &card.variables[v].bins;
                let steps = matches!(scored.kind, BinKind::Number { .. })
                    && scored.bins[usize::from(bins[v])].role == BinRole::Regular;
                (n + 1, m + if steps { usize::from(row[v].abs_diff(bins[v])) } else { 1 })
            })
        };
        all.iter()
            .filter(|row| score(row) >= at_least)
            .map(|row| (cost(row).0, cost(row).1, score(row)))
            .min_by_key(|&(n, m, s)| (n, m, -s))
    }

    fn random_card() -> impl Strategy<Value = Scorecard> {
        let variable = (prop::collection::vec(-30..30_i32, 3..6), any::<bool>());
        let pair = (0..4_usize, 0..4_usize, prop::collection::vec(-25..25_i32, 4), prop::collection::vec(0..2_u8, 12));
        (prop::collection::vec(variable, 4), prop::collection::vec(pair, 0..4)).prop_map(|(variables, pairs)| {
            let mut made = card(CalibrationMap::Identity);
            made.base_points = 400;
            made.variables =
                variables.into_iter().enumerate().map(|(i, (points, text))| scored(i, points, text)).collect();
            made.tables = pairs
                .into_iter()
                .filter(|(left, right, ..)| left != right)
                .map(|(left, right, points, groups)| {
                    let of = |v: usize, from: usize| groups[from..from + made.variables[v].points.len()].to_vec();
                    PairTable {
                        code: "pair".to_owned(),
                        left,
                        left_groups: of(left, 0),
                        left_labels: vec![String::new(); 2],
                        right,
                        right_groups: of(right, 6),
                        right_labels: vec![String::new(); 2],
                        points: points.chunks(2).map(<[i32]>::to_vec).collect(),
                        log_odds: vec![vec![0.0; 2]; 2],
                        reference_points: 0,
                    }
                })
                .collect();
            made
        })
    }

    /// Regular bins, and a missing one last.
    fn scored(i: usize, points: Vec<i32>, text: bool) -> ScoredVariable {
        let n = points.len();
        let bin = |k: usize| {
            let role = if k + 1 == n { BinRole::Missing } else { BinRole::Regular };
            Bin { label: k.to_string(), role, rows: 10.0, bad: 1.0, woe: 0.0 }
        };
        let kind = if text {
            BinKind::Text { levels: vec![Vec::new(); n - 1], unseen: 0 }
        } else {
            BinKind::Number { edges: (2..n).map(|e| e as f64).collect() }
        };
        let bins = Bins {
            name: format!("v{i}"),
            kind,
            specials: Vec::new(),
            missing: n - 1,
            trend: Trend::None,
            iv: 0.0,
            bins: (0..n).map(bin).collect(),
        };
        ScoredVariable { code: format!("v{i}"), bins, log_odds: vec![0.0; n], points, reference_points: 0 }
    }

    proptest! {
        #[test]
        fn equals_brute_force(
            card in random_card(),
            start in prop::collection::vec(0..3_u8, 4),
            order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
            count in 1..5_usize,
            up in 1..140_i32,
        ) {
            let actionable: Vec<usize> = order.into_iter().take(count).collect();
            let names: Vec<String> = actionable.iter().map(|v| format!("v{v}")).collect();
            let score = card.base_points + card.points_of(&start).iter().sum::<i32>();
            let search = CounterfactualSearch::new(&card, &names, score + up).unwrap();
            let found = search.find(&start).unwrap();
            let expected = by_force(&card, &actionable, &start, score + up);
            let measured = found.as_ref().map(|f| {
                (f.changes.len(), f.changes.iter().map(|c| c.moved).sum::<usize>(), f.reached)
            });
            prop_assert_eq!(measured, expected);
            if let Some(found) = found {
                let mut after = start.clone();
                for change in &found.changes {
                    let v: usize = change.variable[1..].parse().unwrap();
                    prop_assert!(actionable.contains(&v));
                    after[v] = change.bin;
                }
                prop_assert_eq!(found.reached, card.base_points + card.points_of(&after).iter().sum::<i32>());
            }
        }
    }

    #[test]
    fn enough_is_enough_and_missing_is_no_advice() {
        let card = card(CalibrationMap::Identity);
        let all = [NUMBER, LEVEL, PLAIN].map(str::to_owned);
        let bins = [0_u8, 1, 0];
        let score = card.base_points + card.points_of(&bins).iter().sum::<i32>();
        let none = CounterfactualSearch::new(&card, &all, score).unwrap().find(&bins).unwrap().unwrap();
        assert!(none.changes.is_empty() && none.reached == score);
        // The level's best bins are its first two; its missing bin is never a target.
        let one = CounterfactualSearch::new(&card, &all[1..2], score + 36).unwrap().find(&bins).unwrap().unwrap();
        assert_eq!((one.changes.len(), one.changes[0].bin, one.reached), (1, 0, score + 52));
        assert!(CounterfactualSearch::new(&card, &all[1..2], score + 53).unwrap().find(&bins).unwrap().is_none());
    }

    #[test]
    fn wrong_names_and_rows_are_refused() {
        let card = card(CalibrationMap::Identity);
        let search = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            CounterfactualSearch::new(&card, &names, 600).map(|_| ())
        };
        assert!(search(&[]).is_err() && search(&["nothing"]).is_err() && search(&[PLAIN, PLAIN]).is_err());
        let good = CounterfactualSearch::new(&card, &[PLAIN.to_owned()], 600).unwrap();
        assert!(good.find(&[0, 0]).is_err() && good.find(&[0, 0, 9]).is_err());
    }
}
