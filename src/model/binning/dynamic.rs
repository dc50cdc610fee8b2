//! Exact optimal binning by dynamic programming.
//!
//! Over `m` ordered cells, the best partition into consecutive bins under constraints that involve at most two neighbouring
//! bins. State: (number of bins, phase of the trend, last bin `[i, j)`); transition: the bin before it, `[h, i)`. All partitions
//! that satisfy the constraints are covered, so the result is the optimum, not a heuristic. Cost O(m³ · `max_bins`).

use crate::domain::distributions::normal_two_sided_quantile;
use crate::domain::elementary::ln;
use serde::{Deserialize, Serialize};

/// Counts of one cell (weighted counts where rows carry weights).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// Rows.
    pub rows: f64,
    /// Bad rows among them.
    pub bad: f64,
}

impl Cell {
    /// Good rows.
    #[must_use]
    pub fn good(self) -> f64 {
        self.rows - self.bad
    }

    /// Event rate, 0 where there are no rows.
    #[must_use]
    pub fn rate(self) -> f64 {
        if self.rows > 0.0 { self.bad / self.rows } else { 0.0 }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bad: self.bad + other.bad }
    }
}

/// What a partition maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Information value, Σ (g/G − b/B) · ln((g/G)/(b/B)); an empty count is taken as one half.
    #[default]
    Iv,
    /// Decrease of Gini impurity, as a share of the impurity before.
    Gini,
    /// Pearson's χ² of bins against outcome.
    ChiSquare,
}

/// Shape of the event rate along the bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// Never falls.
    Ascending,
    /// Never rises.
    Descending,
    /// Rises, then falls; one that only rises or only falls is allowed.
    Peak,
    /// Falls, then rises; one that only rises or only falls is allowed.
    Valley,
    /// The better of ascending and descending.
    Monotone,
    /// Any shape.
    None,
    /// The best of ascending, descending, peak and valley.
    #[default]
    Auto,
}

/// What every partition must satisfy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constraints {
    /// Bins at least.
    pub min_bins: usize,
    /// Bins at most.
    pub max_bins: usize,
    /// Rows in a bin at least.
    pub min_rows: f64,
    /// Bad rows in a bin at least.
    pub min_events: f64,
    /// Good rows in a bin at least.
    pub min_non_events: f64,
    /// Difference of event rates between neighbours at least.
    pub min_rate_difference: f64,
    /// p-value of the two-proportion z test between neighbours at most.
    pub max_p_value: Option<f64>,
}

/// The best partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// End (exclusive) of each bin, in cells; the last is the number of cells.
    pub ends: Vec<usize>,
    /// Value of the objective.
    pub value: f64,
    /// The shape it has.
    pub trend: Trend,
}

/// No partition satisfies the constraints.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("bin {cells} cells into at least {min_bins} bins: {blocked}; it would be feasible with {remedy}")]
pub struct Infeasible {
    /// Cells there are.
    pub cells: usize,
    /// Bins asked for at least.
    pub min_bins: usize,
    /// What stands in the way.
    pub blocked: String,
    /// Changes, each of which would allow a partition, in words.
    pub remedy: String,
    /// The same changes, to try.
    pub changes: Vec<Change>,
}

/// What would make a partition possible.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// In words.
    pub words: String,
    /// The trend to ask for.
    pub trend: Trend,
    /// The constraints to ask for.
    pub constraints: Constraints,
}

const NO_VALUE: f64 = f64::NEG_INFINITY;

/// The partition of highest objective that satisfies `constraints` and `trend`. Ties go to fewer bins, then to earlier cuts.
///
/// # Errors
/// No partition satisfies them; the error names changes that would help, one at a time or, where none does, together.
pub fn optimal(
    cells: &[Cell],
    objective: Objective,
    trend: Trend,
    constraints: &Constraints,
) -> Result<Partition, Infeasible> {
    best(cells, objective, trend, constraints).ok_or_else(|| explain(cells, objective, trend, constraints))
}

fn best(cells: &[Cell], objective: Objective, trend: Trend, constraints: &Constraints) -> Option<Partition> {
    let table = Segments::new(cells, objective, constraints);
    let shapes: &[Trend] = match trend {
        // Either may do without one of its sides: both monotone trends are among them.
        Trend::Auto => &[Trend::Peak, Trend::Valley],
        Trend::Monotone => &[Trend::Ascending, Trend::Descending],
        Trend::Ascending => &[Trend::Ascending],
        Trend::Descending => &[Trend::Descending],
        Trend::Peak => &[Trend::Peak],
        Trend::Valley => &[Trend::Valley],
        Trend::None => &[Trend::None],
    };
    let mut winner: Option<Partition> = None;
    for &shape in shapes {
        if let Some(found) = table.search(shape, constraints)
            && winner.as_ref().is_none_or(|w| found.value > w.value + 1e-12 * w.value.abs())
        {
            winner = Some(found);
        }
    }
    winner
}

/// All bins `[i, j)` that satisfy the constraints on single bins.
struct Segments {
    m: usize,
    counts: Vec<Cell>,
    value: Vec<f64>,
}

impl Segments {
    fn new(cells: &[Cell], objective: Objective, limits: &Constraints) -> Self {
        let m = cells.len();
        let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
        let mut counts = vec![Cell::default(); (m + 1) * (m + 1)];
        let mut value = vec![NO_VALUE; (m + 1) * (m + 1)];
        for i in 0..m {
            let mut sum = Cell::default();
            for (j, &cell) in cells.iter().enumerate().skip(i) {
                sum = sum.plus(cell);
                let at = i * (m + 1) + j + 1;
                let fits = sum.rows >= limits.min_rows.max(f64::MIN_POSITIVE)
                    && sum.bad >= limits.min_events
                    && sum.good() >= limits.min_non_events;
                if let (Some(c), Some(v)) = (counts.get_mut(at), value.get_mut(at)) {
                    *c = sum;
                    *v = if fits { worth(sum, total, objective) } else { NO_VALUE };
                }
            }
        }
        Self { m, counts, value }
    }

    fn value(&self, i: usize, j: usize) -> f64 {
        self.value.get(i * (self.m + 1) + j).copied().unwrap_or(NO_VALUE)
    }

    fn count(&self, i: usize, j: usize) -> Cell {
        self.counts.get(i * (self.m + 1) + j).copied().unwrap_or_default()
    }

    /// Phase 0 moves as the trend begins, phase 1 as it ends (peak: rising, then falling).
    fn search(&self, trend: Trend, limits: &Constraints) -> Option<Partition> {
        let m = self.m;
        let most = limits.max_bins.min(m);
        let z_squared = limits.max_p_value.map(critical_z_squared);
        let side = m + 1;
        // Best value of the partitions whose last bin is [i, j), by number of bins: the innermost index, so that a step reads and
        // writes runs of memory.
        let place = |i: usize, j: usize, phase: usize| ((i * side + j) * 2 + phase) * most;
        let mut reached = vec![NO_VALUE; place(m, m, 1) + most];
        // The bin before: its start, and its phase in the lowest bit.
        let mut from = vec![u32::MAX; reached.len()];
        for j in 1..=m {
            if let Some(slot) = reached.get_mut(place(0, j, 0)) {
                *slot = self.value(0, j);
            }
        }
        for i in 1..m {
            for j in i + 1..=m {
                let worth = self.value(i, j);
                if worth == NO_VALUE {
                    continue;
                }
                let right = self.count(i, j);
                for h in 0..i {
                    if self.value(h, i) == NO_VALUE {
                        continue;
                    }
                    let left = self.count(h, i);
                    let step = right.rate() - left.rate();
                    if step.abs() < limits.min_rate_difference
                        || z_squared.is_some_and(|z| two_proportion_z_squared(left, right) < z)
                    {
                        continue;
                    }
                    // A bin that begins at h has at most h before it.
                    let runs = (h + 1).min(most - 1);
                    for &(before, after) in moves(trend, step) {
                        let (source, target) = (place(h, i, before), place(i, j, after) + 1);
                        // Sources lie below targets, since h < i.
                        let (below, above) = reached.split_at_mut(target);
                        let (Some(sources), Some(slots)) = (below.get(source..source + runs), above.get_mut(..runs))
                        else {
                            continue;
                        };
                        let Some(links) = from.get_mut(target..target + runs) else { continue };
                        let link = u32::try_from(h * 2 + before).unwrap_or(u32::MAX);
                        for ((source, slot), known) in sources.iter().zip(slots).zip(links) {
                            let candidate = source + worth;
                            let better = candidate > *slot;
                            *slot = if better { candidate } else { *slot };
                            *known = if better { link } else { *known };
                        }
                    }
                }
            }
        }
        let mut end: Option<(f64, usize, usize, usize)> = None;
        for bins in limits.min_bins.max(1)..=most {
            for phase in 0..2 {
                for i in 0..m {
                    let at = place(i, m, phase) + bins - 1;
                    let value = reached.get(at).copied().unwrap_or(NO_VALUE);
                    if value > NO_VALUE && end.is_none_or(|(v, ..)| value > v + 1e-12 * v.abs()) {
                        end = Some((value, bins, phase, i));
                    }
                }
            }
        }
        let (value, mut bins, mut phase, mut i) = end?;
        let (mut j, mut ends) = (m, vec![m]);
        while bins > 1 {
            let link = usize::try_from(*from.get(place(i, j, phase) + bins - 1)?).ok()?;
            ends.push(i);
            j = i;
            (i, phase) = (link / 2, link % 2);
            bins -= 1;
        }
        ends.reverse();
        Some(Partition { trend: self.shape_of(&ends, trend), ends, value })
    }

    /// A peak that only rises is reported as ascending.
    fn shape_of(&self, ends: &[usize], asked: Trend) -> Trend {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let rates: Vec<f64> = starts.zip(ends).map(|(i, &j)| self.count(i, j).rate()).collect();
        let pairs = || rates.iter().zip(rates.iter().skip(1));
        if asked == Trend::None {
            Trend::None
        } else if pairs().all(|(a, b)| a <= b) {
            Trend::Ascending
        } else if pairs().all(|(a, b)| a >= b) {
            Trend::Descending
        } else {
            asked
        }
    }
}

/// Phases (before, after) that a step of the event rate is allowed in.
fn moves(trend: Trend, step: f64) -> &'static [(usize, usize)] {
    let (up, down) = (step >= 0.0, step <= 0.0);
    match trend {
        // The last two are searched as the trends that they stand for.
        Trend::None | Trend::Auto | Trend::Monotone => &[(0, 0)],
        Trend::Ascending if up => &[(0, 0)],
        Trend::Descending if down => &[(0, 0)],
        Trend::Ascending | Trend::Descending => &[],
        Trend::Peak => match (up, down) {
            (true, true) => &[(0, 0), (1, 1)],
            (true, false) => &[(0, 0)],
            _ => &[(0, 1), (1, 1)],
        },
        Trend::Valley => match (up, down) {
            (true, true) => &[(0, 0), (1, 1)],
            (false, true) => &[(0, 0)],
            _ => &[(0, 1), (1, 1)],
        },
    }
}

fn worth(bin: Cell, total: Cell, objective: Objective) -> f64 {
    match objective {
        Objective::Iv => {
            let good = if bin.good() > 0.0 { bin.good() } else { 0.5 } / total.good();
            let bad = if bin.bad > 0.0 { bin.bad } else { 0.5 } / total.bad;
            (good - bad) * ln(good / bad)
        }
        Objective::Gini => {
            let before = total.rate() * (1.0 - total.rate());
            let share = bin.rows / total.rows;
            share * (1.0 - bin.rate() * (1.0 - bin.rate()) / before)
        }
        Objective::ChiSquare => {
            let expected = bin.rows * total.rate();
            (bin.bad - expected).powi(2) / (expected * (1.0 - total.rate()))
        }
    }
}

fn two_proportion_z_squared(left: Cell, right: Cell) -> f64 {
    let both = left.plus(right).rate();
    let variance = both * (1.0 - both) * (1.0 / left.rows + 1.0 / right.rows);
    if variance > 0.0 { (left.rate() - right.rate()).powi(2) / variance } else { 0.0 }
}

fn critical_z_squared(p: f64) -> f64 {
    normal_two_sided_quantile(p).powi(2)
}

/// Finds what would make the problem feasible: single changes, each as small as it can be; where none helps, one bin of all cells.
fn explain(cells: &[Cell], objective: Objective, trend: Trend, limits: &Constraints) -> Infeasible {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let feasible = |c: &Constraints| best(cells, objective, trend, c).is_some();
    let mut changes = single_changes(&feasible, trend, limits);
    if !matches!(trend, Trend::None) && best(cells, objective, Trend::None, limits).is_some() {
        changes.push(Change { words: "trend \"none\"".to_owned(), trend: Trend::None, constraints: *limits });
    }
    if changes.is_empty() && total.rows > 0.0 {
        changes.push(one_bin(total, trend, limits));
    }
    let blocked = if cells.len() < limits.min_bins {
        format!("there are only {} distinct cells", cells.len())
    } else {
        format!("{} rows with {} bad ones do not allow it under the constraints", total.rows, total.bad)
    };
    let words: Vec<&str> = changes.iter().map(|c| c.words.as_str()).collect();
    let remedy = if words.is_empty() { "rows that hold a value".to_owned() } else { words.join(", or ") };
    Infeasible { cells: cells.len(), min_bins: limits.min_bins, blocked, remedy, changes }
}

fn single_changes(feasible: &dyn Fn(&Constraints) -> bool, trend: Trend, limits: &Constraints) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut offer = |words: String, constraints: Constraints| {
        if feasible(&constraints) {
            changes.push(Change { words, trend, constraints });
        }
    };
    if limits.max_bins < limits.min_bins {
        let constraints = Constraints { max_bins: limits.min_bins, ..*limits };
        offer(format!("max_bins = {}", limits.min_bins), constraints);
    }
    let fewer = |n: usize| Constraints { min_bins: n, ..*limits };
    if let Some(n) = (1..limits.min_bins).rev().find(|&n| feasible(&fewer(n))) {
        offer(format!("min_bins = {n}"), fewer(n));
    }
    let rows = |v: f64| Constraints { min_rows: v, ..*limits };
    if let Some(v) = relieved(limits.min_rows, 1.0, &|v| feasible(&rows(v))) {
        offer(format!("min_size of {v} rows instead of {:.0}", limits.min_rows), rows(v));
    }
    let events = |v: f64| Constraints { min_events: v, ..*limits };
    if let Some(v) = relieved(limits.min_events, 1.0, &|v| feasible(&events(v))) {
        offer(format!("min_events = {v}"), events(v));
    }
    let non_events = |v: f64| Constraints { min_non_events: v, ..*limits };
    if let Some(v) = relieved(limits.min_non_events, 1.0, &|v| feasible(&non_events(v))) {
        offer(format!("min_non_events = {v}"), non_events(v));
    }
    let difference = |v: f64| Constraints { min_rate_difference: v, ..*limits };
    if let Some(v) = relieved(limits.min_rate_difference, 1e-4, &|v| feasible(&difference(v))) {
        offer(format!("min_rate_difference = {v}"), difference(v));
    }
    if let Some(p) = limits.max_p_value {
        let p_value = |v: f64| Constraints { max_p_value: Some(v), ..*limits };
        if let Some(v) = relieved(1.0 - p, 1e-4, &|v| feasible(&p_value(1.0 - v))) {
            let v = ((1.0 - v) * 1e4).round() / 1e4;
            offer(format!("max_p_value = {v}"), p_value(v));
        }
    }
    changes
}

/// The largest multiple of `step` below `limit` at which something is feasible; `None` where it is not even at 0.
fn relieved(limit: f64, step: f64, feasible: &dyn Fn(f64) -> bool) -> Option<f64> {
    // Multiples are divided, not multiplied, where the step is a decimal fraction: 3 / 10000 is 0.0003.
    let at = |k: f64| if step < 1.0 { k / (1.0 / step).round() } else { k * step };
    if limit <= 0.0 || !feasible(0.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, (limit / step).ceil());
    while high - low > 1.0 {
        let middle = f64::midpoint(low, high).floor();
        if feasible(at(middle)) { low = middle } else { high = middle }
    }
    Some(at(low))
}

/// All cells in one bin, with every size it falls short of.
fn one_bin(total: Cell, trend: Trend, limits: &Constraints) -> Change {
    let constraints = Constraints {
        min_bins: 1,
        max_bins: limits.max_bins.max(1),
        min_rows: limits.min_rows.min(total.rows),
        min_events: limits.min_events.min(total.bad),
        min_non_events: limits.min_non_events.min(total.good()),
        ..*limits
    };
    let mut words = vec!["min_bins = 1".to_owned()];
    let mut lower = |name: &str, from: f64, to: f64| {
        if to < from {
            words.push(format!("{name} = {to}"));
        }
    };
    lower("min_size in rows", limits.min_rows, constraints.min_rows);
    lower("min_events", limits.min_events, constraints.min_events);
    lower("min_non_events", limits.min_non_events, constraints.min_non_events);
    Change { words: words.join(" together with "), trend, constraints }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: Constraints = Constraints {
        min_bins: 1,
        max_bins: 12,
        min_rows: 0.0,
        min_events: 0.0,
        min_non_events: 0.0,
        min_rate_difference: 0.0,
        max_p_value: None,
    };

    /// The specification: every set of cuts, tried in turn.
    fn naive(cells: &[Cell], objective: Objective, trend: Trend, limits: &Constraints) -> Option<f64> {
        let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
        let mut best: Option<f64> = None;
        for cuts in 0..1_u32 << (cells.len() - 1) {
            let mut bins = vec![cells[0]];
            for (i, &cell) in cells.iter().enumerate().skip(1) {
                if cuts >> (i - 1) & 1 == 1 {
                    bins.push(cell);
                } else {
                    let last = bins.last_mut().unwrap();
                    *last = last.plus(cell);
                }
            }
            if bins.len() < limits.min_bins || bins.len() > limits.max_bins {
                continue;
            }
            let sized = bins.iter().all(|b| {
                b.rows > 0.0
                    && b.rows >= limits.min_rows
                    && b.bad >= limits.min_events
                    && b.good() >= limits.min_non_events
            });
            let steps: Vec<f64> = bins.windows(2).map(|w| w[1].rate() - w[0].rate()).collect();
            let apart = bins.windows(2).zip(&steps).all(|(w, s)| {
                s.abs() >= limits.min_rate_difference
                    && limits.max_p_value.is_none_or(|p| two_proportion_z_squared(w[0], w[1]) >= critical_z_squared(p))
            });
            let rising = |s: &[f64]| s.iter().all(|x| *x >= 0.0);
            let falling = |s: &[f64]| s.iter().all(|x| *x <= 0.0);
            let turns = |first: &dyn Fn(&[f64]) -> bool, then: &dyn Fn(&[f64]) -> bool| {
                (0..=steps.len()).any(|k| first(&steps[..k]) && then(&steps[k..]))
            };
            let shaped = match trend {
                Trend::None => true,
                Trend::Ascending => rising(&steps),
                Trend::Descending => falling(&steps),
                Trend::Monotone => rising(&steps) || falling(&steps),
                Trend::Peak => turns(&rising, &falling),
                Trend::Valley => turns(&falling, &rising),
                Trend::Auto => turns(&rising, &falling) || turns(&falling, &rising),
            };
            if sized && apart && shaped {
                let value: f64 = bins.iter().map(|&b| worth(b, total, objective)).sum();
                best = Some(best.map_or(value, |b: f64| b.max(value)));
            }
        }
        best
    }

    fn some_cells() -> impl Strategy<Value = Vec<Cell>> {
        prop::collection::vec((0_u8..30, 0_u8..30), 2..10).prop_filter_map("both outcomes", |counts| {
            let cells: Vec<Cell> = counts
                .into_iter()
                .map(|(good, bad)| Cell { rows: f64::from(good) + f64::from(bad), bad: f64::from(bad) })
                .collect();
            let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
            (total.bad > 0.0 && total.good() > 0.0).then_some(cells)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn equals_the_search_of_all_partitions(
            cells in some_cells(),
            objective in prop::sample::select(vec![Objective::Iv, Objective::Gini, Objective::ChiSquare]),
            trend in prop::sample::select(vec![
                Trend::Ascending, Trend::Descending, Trend::Monotone, Trend::Peak, Trend::Valley, Trend::None, Trend::Auto,
            ]),
            min_bins in 1_usize..4,
            more in 0_usize..5,
            min_rows in 0_u8..30,
            min_events in 0_u8..4,
            min_rate_difference in prop::sample::select(vec![0.0, 0.05]),
            max_p_value in prop::sample::select(vec![None, Some(0.3), Some(0.05)]),
        ) {
            let limits = Constraints {
                min_bins,
                max_bins: min_bins + more,
                min_rows: f64::from(min_rows),
                min_events: f64::from(min_events),
                min_rate_difference,
                max_p_value,
                ..FREE
            };
            let expected = naive(&cells, objective, trend, &limits);
            match (optimal(&cells, objective, trend, &limits), expected) {
                (Ok(found), Some(value)) => {
                    prop_assert!((found.value - value).abs() <= 1e-9 * value.abs().max(1.0), "{found:?} against {value}");
                    prop_assert!(found.ends.len() >= limits.min_bins && found.ends.len() <= limits.max_bins);
                    prop_assert_eq!(found.ends.last(), Some(&cells.len()));
                }
                (Err(why), None) => {
                    // Every change it names is one, and there always is one.
                    prop_assert!(!why.changes.is_empty() && why.remedy.contains(&why.changes[0].words), "{why}");
                    for change in &why.changes {
                        let found = naive(&cells, objective, change.trend, &change.constraints);
                        prop_assert!(found.is_some(), "{} does not help: {why}", change.words);
                    }
                }
                (found, value) => prop_assert!(false, "{found:?} against {value:?}"),
            }
        }
    }

    #[test]
    fn auto_takes_the_best_of_all_trends() {
        // A valley that a monotone search halves.
        let cells: Vec<Cell> = [30.0, 20.0, 8.0, 22.0, 31.0].iter().map(|&bad| Cell { rows: 100.0, bad }).collect();
        let value = |trend| optimal(&cells, Objective::Iv, trend, &FREE).unwrap().value;
        let auto = optimal(&cells, Objective::Iv, Trend::Auto, &FREE).unwrap();
        let single = [Trend::Ascending, Trend::Descending, Trend::Peak, Trend::Valley].map(value);
        assert!((auto.value - single.into_iter().fold(f64::MIN, f64::max)).abs() < 1e-12);
        assert_eq!(auto.trend, Trend::Valley);
        assert!(auto.value > 2.0 * value(Trend::Ascending).max(value(Trend::Descending)));
    }

    #[test]
    fn the_infeasible_says_what_would_help() {
        let cells = [Cell { rows: 60.0, bad: 6.0 }, Cell { rows: 40.0, bad: 8.0 }];
        let limits = Constraints { min_bins: 2, min_rows: 50.0, ..FREE };
        let why = optimal(&cells, Objective::Iv, Trend::Auto, &limits).unwrap_err();
        assert!(why.remedy.contains("min_bins = 1"), "{why}");
        assert!(why.remedy.contains("min_size of 39") || why.remedy.contains("min_size of 40"), "{why}");
        let limits = Constraints { min_bins: 2, ..FREE };
        let why = optimal(&cells, Objective::Iv, Trend::Descending, &limits).unwrap_err();
        assert!(why.remedy.contains("trend \"none\""), "{why}");
    }

    #[test]
    fn two_hundred_cells_are_no_burden() {
        let cells: Vec<Cell> = (0..200).map(|i| Cell { rows: 50.0, bad: f64::from(i * 7 % 23) }).collect();
        let limits = Constraints { min_rows: 300.0, min_events: 1.0, min_non_events: 1.0, max_bins: 10, ..FREE };
        let found = optimal(&cells, Objective::Iv, Trend::Auto, &limits).unwrap();
        assert!(found.ends.len() <= 10 && found.value > 0.0);
    }
}
