//! Boosted trees: what several signs together say, where each alone says little.
//!
//! ```text
//! log odds = base + Σ trees;  a tree asks of a few columns, one after the other, whether the value is at most a cut, and ends in a leaf
//! leaf     = rate × −Σg ÷ (Σh + penalty),  g = p − outcome and h = p (1 − p) under the trees before    (Friedman 2001; Chen and Guestrin 2016)
//! ```
//! Each tree is grown on a part of the groups of rows and of the columns, so that none can learn a single borrower by heart. More of what is safer
//! never raises the log odds, and a missing value never goes to the safer side of a cut. The result depends on the table and the seed alone, not on
//! threads: every sum is taken in the order of the rows.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::table::{Column, Direction, Values};
use crate::domain::elementary::{ln, sigmoid};
use crate::store::stable_hash;

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoostSettings {
    /// Trees.
    pub trees: u32,
    /// Questions asked one after the other, at most.
    pub depth: u32,
    /// Part of a leaf's optimum that is taken.
    pub rate: f64,
    /// Pulls leaves towards 0, in units of h.
    pub penalty: f64,
    /// Least rows of a leaf.
    pub min_rows: usize,
    /// Part of the groups that a tree looks at.
    pub group_share: f64,
    /// Part of the columns that a tree looks at.
    pub column_share: f64,
    /// Seed of the parts.
    pub seed: u64,
}

impl Default for BoostSettings {
    fn default() -> Self {
        Self {
            trees: 200,
            depth: 3,
            rate: 0.03,
            penalty: 20.0,
            min_rows: 60,
            group_share: 0.5,
            column_share: 0.3,
            seed: 42,
        }
    }
}

/// Trained trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedTrees {
    /// Names of the columns that are asked about.
    columns: Vec<String>,
    /// Log odds of bad before the first tree.
    base: f64,
    trees: Vec<Vec<Node>>,
}

/// A place in a tree; the first one is its root.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Node {
    Split {
        /// Position in [`BoostedTrees::columns`].
        column: usize,
        /// Values up to it go left.
        up_to: f64,
        missing_goes_left: bool,
        left: usize,
        right: usize,
    },
    Leaf {
        log_odds: f64,
    },
}

/// What is learnt from: columns of one length, outcomes, and which group each row belongs to.
#[derive(Debug, Clone, Copy)]
pub struct BoostTable<'a> {
    /// The columns; those of text are not asked about.
    pub columns: &'a [Column],
    /// What is safer of each.
    pub directions: &'a [Direction],
    /// Whether the row turned out bad.
    pub target: &'a [bool],
    /// Rows of one group are taken or left out together.
    pub groups: &'a [u64],
}

impl BoostedTrees {
    /// Grows them. The outcomes hold both kinds.
    #[must_use]
    pub fn train(table: &BoostTable<'_>, settings: &BoostSettings) -> Self {
        let coded: Vec<Coded> = table
            .columns
            .par_iter()
            .zip(table.directions)
            .enumerate()
            .filter_map(|(at, (column, direction))| Coded::of(at, column, *direction))
            .collect();
        let bad = table.target.iter().filter(|bad| **bad).count() as f64;
        let rows = table.target.len();
        let base = ln((bad + 0.5) / (rows as f64 - bad + 0.5));
        let mut log_odds = vec![base; rows];
        let mut trees = Vec::new();
        for number in 0..settings.trees {
            let gradients: Vec<[f64; 2]> = log_odds
                .iter()
                .zip(table.target)
                .map(|(x, bad)| {
                    let p = sigmoid(*x);
                    [p - f64::from(u8::from(*bad)), p * (1.0 - p)]
                })
                .collect();
            let is_drawn = |kind: u8, key: u64, share: f64| draw(settings.seed, kind, number, key) < share;
            let taken: Vec<usize> = table
                .groups
                .iter()
                .enumerate()
                .filter(|(_, group)| is_drawn(0, **group, settings.group_share))
                .map(|(row, _)| row)
                .collect();
            let asked: Vec<&Coded> = coded.iter().filter(|c| is_drawn(1, c.at as u64, settings.column_share)).collect();
            let mut tree = GrowingTree { asked: &asked, gradients: &gradients, settings, nodes: Vec::new() };
            tree.grow(&taken, 0, [f64::NEG_INFINITY, f64::INFINITY]);
            let tree = tree.nodes;
            for (row, x) in log_odds.iter_mut().enumerate() {
                *x += leaf(&tree, |column| number_of(table.columns.get(column), row));
            }
            trees.push(tree);
        }
        Self { columns: table.columns.iter().map(|c| c.name.clone()).collect(), base, trees }
    }

    /// Probabilities of bad of rows.
    ///
    /// # Errors
    /// A column is not there.
    pub fn probabilities(&self, columns: &[Column]) -> Result<Vec<f64>, ModelError> {
        let named = |name: &String| {
            let found = columns.iter().find(|column| column.name == *name);
            found.ok_or_else(|| ModelError::NoColumn {
                column: name.clone(),
                available: format!("{} columns", columns.len()),
            })
        };
        let by_position = self.columns.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        let rows = columns.first().map_or(0, Column::len);
        let value = |column: usize, row: usize| number_of(by_position.get(column).copied(), row);
        let of_row = |row: usize| {
            let added: f64 = self.trees.iter().map(|tree| leaf(tree, |column| value(column, row))).sum();
            sigmoid(self.base + added)
        };
        Ok((0..rows).into_par_iter().map(of_row).collect())
    }

    /// Names of the columns that are asked about, those first whose answers move the log odds most, over all trees.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let mut weights = vec![0.0; self.columns.len()];
        for tree in &self.trees {
            for node in tree {
                let Node::Split { column, left, right, .. } = node else { continue };
                if let Some(weight) = weights.get_mut(*column) {
                    *weight += (mean_leaf(tree, *left) - mean_leaf(tree, *right)).abs();
                }
            }
        }
        let mut asked = self.asked();
        let weight = |at: &usize| weights.get(*at).copied().unwrap_or_default();
        asked.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.cmp(b)));
        asked.into_iter().filter_map(|at| self.columns.get(at).cloned()).collect()
    }

    fn asked(&self) -> Vec<usize> {
        let mut asked: Vec<usize> = self.trees.iter().flatten().filter_map(Node::column).collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }
}

impl Node {
    fn column(&self) -> Option<usize> {
        match self {
            Self::Split { column, .. } => Some(*column),
            Self::Leaf { .. } => None,
        }
    }
}

/// Mean of both sides, of both sides of these, and so on.
fn mean_leaf(tree: &[Node], at: usize) -> f64 {
    match tree.get(at) {
        Some(Node::Split { left, right, .. }) => f64::midpoint(mean_leaf(tree, *left), mean_leaf(tree, *right)),
        Some(Node::Leaf { log_odds }) => *log_odds,
        None => 0.0,
    }
}

/// A number from 0 to below 1 for a tree and a key.
fn draw(seed: u64, kind: u8, tree: u32, key: u64) -> f64 {
    let mut bytes = [0; 21];
    let parts = seed.to_le_bytes().into_iter().chain([kind]).chain(tree.to_le_bytes()).chain(key.to_le_bytes());
    bytes.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = byte);
    let hash = stable_hash(&bytes);
    ((hash ^ (hash >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn number_of(column: Option<&Column>, row: usize) -> f64 {
    match column.map(|c| &c.values) {
        Some(Values::Number(numbers)) => numbers.get(row).copied().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// What the tree's leaf of a row adds.
fn leaf(tree: &[Node], value: impl Fn(usize) -> f64) -> f64 {
    let mut at = 0;
    // A child stands after its parent: so many steps at most.
    for _ in 0..tree.len() {
        match tree.get(at) {
            Some(Node::Split { column, up_to, missing_goes_left, left, right }) => {
                let value = value(*column);
                let goes_left = if value.is_nan() { *missing_goes_left } else { value <= *up_to };
                at = if goes_left { *left } else { *right };
            }
            Some(Node::Leaf { log_odds }) => return *log_odds,
            None => break,
        }
    }
    0.0
}

/// Cuts tried for a column.
const MOST_CUTS: usize = 48;
/// Code of a missing value.
const MISSING: u8 = u8::MAX;

/// A column of numbers as the number of cuts below each value.
struct Coded {
    at: usize,
    direction: Direction,
    cuts: Vec<f64>,
    codes: Vec<u8>,
}

impl Coded {
    /// Cut at quantiles of the values, each at a value that occurs; `None` for text, or where all values are one.
    fn of(at: usize, column: &Column, direction: Direction) -> Option<Self> {
        let Values::Number(numbers) = &column.values else { return None };
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let largest = sorted.last().copied();
        let quantile = |n: usize| sorted.get(n * sorted.len() / (MOST_CUTS + 1)).copied();
        let mut cuts: Vec<f64> = (0..=MOST_CUTS).filter_map(quantile).collect();
        // Frequent small counts, of which quantiles show few.
        cuts.dedup_by(|a, b| a.total_cmp(b).is_eq());
        cuts.retain(|cut| largest.is_some_and(|largest| *cut < largest));
        let has_missing = sorted.len() < numbers.len();
        if let Some(largest) = largest.filter(|_| has_missing) {
            // Present against missing.
            cuts.push(largest);
        }
        let code = |value: &f64| {
            if value.is_nan() {
                return MISSING;
            }
            u8::try_from(cuts.partition_point(|cut| *cut < *value)).unwrap_or(MISSING - 1)
        };
        let codes = numbers.iter().map(code).collect();
        (!cuts.is_empty()).then_some(Self { at, direction, cuts, codes })
    }
}

/// Σg, Σh and rows.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    g: f64,
    h: f64,
    rows: usize,
}

impl Sums {
    fn add(self, other: Self) -> Self {
        Self { g: self.g + other.g, h: self.h + other.h, rows: self.rows + other.rows }
    }

    fn less(self, other: Self) -> Self {
        Self { g: self.g - other.g, h: self.h - other.h, rows: self.rows.saturating_sub(other.rows) }
    }

    /// The best value of a leaf within bounds.
    fn value(self, penalty: f64, [least, most]: [f64; 2]) -> f64 {
        (-self.g / (self.h + penalty)).clamp(least, most)
    }

    /// By how much a leaf of that value lowers the loss, twice.
    fn gain(self, penalty: f64, value: f64) -> f64 {
        -(2.0 * self.g + (self.h + penalty) * value) * value
    }
}

/// A cut that was found.
#[derive(Debug, Clone, Copy)]
struct Cut {
    gain: f64,
    /// Position among the columns asked about.
    asked: usize,
    /// Position among the column's cuts.
    at: usize,
    missing_goes_left: bool,
    values: [f64; 2],
}

/// A tree on its way.
struct GrowingTree<'a> {
    asked: &'a [&'a Coded],
    gradients: &'a [[f64; 2]],
    settings: &'a BoostSettings,
    nodes: Vec<Node>,
}

impl GrowingTree<'_> {
    /// Grows a node of these rows, and what is below it; its position.
    fn grow(&mut self, rows: &[usize], depth: u32, bounds: [f64; 2]) -> usize {
        let sums = rows.iter().fold(Sums::default(), |sums, row| sums.add(self.of_row(*row)));
        let at = self.nodes.len();
        let value = sums.value(self.settings.penalty, bounds);
        self.nodes.push(Node::Leaf { log_odds: self.settings.rate * value });
        if depth >= self.settings.depth || rows.len() < 2 * self.settings.min_rows {
            return at;
        }
        let found: Vec<Option<Cut>> =
            (0..self.asked.len()).into_par_iter().map(|asked| self.best_cut(asked, rows, sums, bounds)).collect();
        let parent = sums.gain(self.settings.penalty, value);
        // The first of equally good ones.
        let best = found.into_iter().flatten().fold(None, |best: Option<Cut>, cut| match best {
            Some(best) if best.gain >= cut.gain => Some(best),
            _ => Some(cut),
        });
        let Some(cut) = best.filter(|cut| cut.gain > parent + 1e-9) else { return at };
        let Some(column) = self.asked.get(cut.asked).copied() else { return at };
        let goes_left = |row: &usize| match column.codes.get(*row) {
            Some(&MISSING) | None => cut.missing_goes_left,
            Some(code) => usize::from(*code) <= cut.at,
        };
        let (to_left, to_right): (Vec<usize>, Vec<usize>) = rows.iter().copied().partition(goes_left);
        let [least, most] = bounds;
        let between = f64::midpoint(cut.values[0], cut.values[1]);
        let (of_left, of_right) = match column.direction {
            Direction::Either => (bounds, bounds),
            Direction::LowerSafer => ([least, between], [between, most]),
            Direction::HigherSafer => ([between, most], [least, between]),
        };
        let left = self.grow(&to_left, depth + 1, of_left);
        let right = self.grow(&to_right, depth + 1, of_right);
        let up_to = column.cuts.get(cut.at).copied().unwrap_or(f64::NAN);
        let missing_goes_left = cut.missing_goes_left;
        if let Some(node) = self.nodes.get_mut(at) {
            *node = Node::Split { column: column.at, up_to, missing_goes_left, left, right };
        }
        at
    }

    fn of_row(&self, row: usize) -> Sums {
        let [g, h] = self.gradients.get(row).copied().unwrap_or_default();
        Sums { g, h, rows: 1 }
    }

    /// The best cut of one column that keeps its direction, and leaves missing values on the worse side.
    fn best_cut(&self, asked: usize, rows: &[usize], all: Sums, bounds: [f64; 2]) -> Option<Cut> {
        let column = self.asked.get(asked)?;
        let mut by_code = [Sums::default(); 256];
        for row in rows {
            let code = column.codes.get(*row).copied().unwrap_or(MISSING);
            if let Some(sums) = by_code.get_mut(usize::from(code)) {
                *sums = sums.add(self.of_row(*row));
            }
        }
        let missing = by_code[usize::from(MISSING)];
        let (penalty, least) = (self.settings.penalty, self.settings.min_rows);
        let mut best: Option<Cut> = None;
        let mut below = Sums::default();
        for cut in 0..column.cuts.len() {
            below = below.add(by_code.get(cut).copied().unwrap_or_default());
            for missing_goes_left in [true, false] {
                let left = if missing_goes_left { below.add(missing) } else { below };
                let right = all.less(left);
                if left.rows < least || right.rows < least {
                    continue;
                }
                let values = [left.value(penalty, bounds), right.value(penalty, bounds)];
                let is_in_order = match column.direction {
                    Direction::Either => true,
                    Direction::LowerSafer => values[0] <= values[1],
                    Direction::HigherSafer => values[0] >= values[1],
                };
                let is_missing_worse = if missing_goes_left { values[0] >= values[1] } else { values[1] >= values[0] };
                let gain = left.gain(penalty, values[0]) + right.gain(penalty, values[1]);
                if is_in_order && is_missing_worse && best.is_none_or(|best| gain > best.gain) {
                    best = Some(Cut { gain, asked, at: cut, missing_goes_left, values });
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows in which trouble comes where `debt` is high and `trade` is low, both at once; `noise` says nothing.
    fn table(rows: usize) -> (Vec<Column>, Vec<bool>, Vec<u64>) {
        let value = |row: usize, (step, of): (usize, usize)| ((row * step) % of) as f64;
        let [debt, trade, noise] = [(31, 97), (57, 101), (13, 89)];
        let column = |name: &str, course: (usize, usize)| Column {
            name: name.to_owned(),
            values: Values::Number((0..rows).map(|row| value(row, course)).collect()),
        };
        let target = (0..rows).map(|row| value(row, debt) > 60.0 && value(row, trade) < 40.0 && row % 3 > 0).collect();
        let columns = vec![column("debt", debt), column("trade", trade), column("noise", noise)];
        (columns, target, (0..rows as u64).map(|row| row / 4).collect())
    }

    const DIRECTIONS: [Direction; 3] = [Direction::LowerSafer, Direction::HigherSafer, Direction::Either];

    fn trained(rows: usize) -> BoostedTrees {
        let (columns, target, groups) = table(rows);
        let table = BoostTable { columns: &columns, directions: &DIRECTIONS, target: &target, groups: &groups };
        BoostedTrees::train(&table, &BoostSettings { column_share: 0.7, min_rows: 20, ..BoostSettings::default() })
    }

    fn of(model: &BoostedTrees, rows: &[[f64; 3]]) -> Vec<f64> {
        let names = ["debt", "trade", "noise"];
        let column = |(at, name): (usize, &&str)| Column {
            name: (*name).to_owned(),
            values: Values::Number(rows.iter().map(|row| row[at]).collect()),
        };
        let columns: Vec<Column> = names.iter().enumerate().map(column).collect();
        model.probabilities(&columns).unwrap()
    }

    #[test]
    fn signs_that_only_together_tell_are_found() {
        let model = trained(3_000);
        let probs = of(&model, &[[90.0, 10.0, 50.0], [90.0, 90.0, 50.0], [10.0, 10.0, 50.0], [10.0, 90.0, 50.0]]);
        assert!(probs[0] > 0.5 && probs[1..].iter().all(|p| *p < 0.1), "{probs:?}");
        let variables = model.variables();
        assert_eq!(variables.last().map(String::as_str), Some("noise"), "{variables:?}");
    }

    #[test]
    fn more_of_what_is_safer_never_raises_it_and_unknown_is_never_good() {
        let model = trained(3_000);
        for fixed in [0.0, 30.0, 60.0, 96.0] {
            let rising = |at: usize| -> Vec<[f64; 3]> {
                let row = |value| {
                    let mut row = [fixed; 3];
                    row[at] = f64::from(value);
                    row
                };
                (-1..100).map(row).collect()
            };
            let (debt, trade) = (of(&model, &rising(0)), of(&model, &rising(1)));
            assert!(debt.windows(2).all(|pair| pair[0] <= pair[1]), "{debt:?}");
            assert!(trade.windows(2).all(|pair| pair[0] >= pair[1]), "{trade:?}");
            let unknown = of(&model, &[[f64::NAN, fixed, fixed], [fixed, f64::NAN, fixed]]);
            assert!(debt.iter().all(|p| *p <= unknown[0]) && trade.iter().all(|p| *p <= unknown[1]));
        }
    }

    #[test]
    fn the_same_table_gives_the_same_trees_and_they_come_back_from_a_file_as_they_went_in() {
        let model = trained(800);
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one_thread.install(|| trained(800)), model);
        let read: BoostedTrees = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        assert_eq!(read, model);
        assert!(matches!(model.probabilities(&[]), Err(ModelError::NoColumn { .. })));
    }
}
