//! Putting one card together: averaged shapes become bins with values, tables become cells beside them.

use std::collections::{BTreeMap, BTreeSet};

use super::bag::Bag;
use super::binning::{Cell, FineColumn, group_label, tally};
use super::error::ModelError;
use super::fit::Problem;
use super::interactions::{Found, Side, Tables, centred};
use super::prepare::Prepared;
use super::report::{Removal, Shared};
use super::scorecard::{PairTable, reason_code};
use super::selection::Candidate;
use super::settings::TrainSettings;
use super::shape::{order_of, shaped, shaped_as_given};
use super::sign::Order;
use super::table::TrainingTable;
use super::terms;

/// Rows that rounding, centring and standard errors are computed over.
const ENOUGH_ROWS: usize = 200_000;

/// A fitted model before it becomes points.
pub struct Fitted {
    /// Variables, by falling information value.
    pub candidates: Vec<Candidate>,
    /// Mains first, then the tables' cells.
    pub problem: Problem,
    /// Mains alone.
    pub mains: Problem,
    /// Rows of both problems.
    pub sample: Vec<u32>,
    /// Training rows that each of them stands for.
    pub stands_for: f64,
    /// Log odds of good of every bin and cell, the intercept last.
    pub theta: Vec<f64>,
    /// Tables, without points yet.
    pub pairs: Vec<PairTable>,
    /// The order that each variable's points must keep.
    pub orders: Vec<Order>,
    /// Parameters of regular bins, from the worst to the best, of each variable that a direction holds.
    pub along: Vec<Vec<usize>>,
    /// Parameters of levels never seen, each with those that it must not exceed.
    pub caps: Vec<(usize, Vec<usize>)>,
    /// Bins that were held equal.
    pub removals: Vec<Removal>,
    /// Small bins that share another.
    pub shared: Vec<Shared>,
    /// Log odds of the bag's rows, from makers that had not seen them.
    pub log_odds: Vec<f64>,
    /// Mean log loss on held-out rows by number of tables.
    pub tables_tried: Vec<(usize, f64)>,
}

/// Cuts the averaged shapes into bins, puts the tables beside them and centres everything on the average row.
///
/// # Errors
/// No variable earns a point.
pub fn assemble(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    bag: &Bag,
    mut shapes: BTreeMap<usize, Vec<f64>>,
    tables: Tables,
    settings: &TrainSettings,
) -> Result<Fitted, ModelError> {
    for column in in_tables(&tables) {
        let width = prepared.columns.get(column).map_or(0, FineColumn::width);
        shapes.entry(column).or_insert_with(|| vec![0.0; width]);
    }
    let MainEffects { candidates, mut theta, removals, shared } =
        cut_main_effects(prepared, table, rows, &shapes, &tables, settings)?;
    let mut intercept = bag.members.iter().map(|m| m.intercept).sum::<f64>() / bag.members.len() as f64;
    intercept += terms::centre(&candidates, &mut theta);
    let along = terms::along(&candidates, prepared, table);
    if settings.missing_is_never_good {
        terms::cap_missing(&candidates, &mut theta);
        terms::lower_along(&along, &mut theta);
    }
    let caps = terms::cap_unseen(&candidates, prepared, &mut theta, settings)?;
    // Means, roundings and errors need no more rows than these; every k-th stands for k.
    let step = rows.len().div_ceil(ENOUGH_ROWS).max(1);
    let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let mains = sampled_problem(&candidates, prepared, table, &sample, step as f64);
    let mut problem = mains.clone();
    let card = Card {
        prepared,
        candidates: &candidates,
        shapes: &shapes,
        sides: &tables.sides,
        mains: &mains,
        missing_is_never_good: settings.missing_is_never_good,
    };
    let mut pairs = Vec::new();
    for found in &tables.found {
        let Some(pair) = card.pair(found) else { continue };
        intercept += pair.shift;
        theta.extend(&pair.values);
        problem.codes.widths.push(pair.values.len());
        problem.codes.columns.push(pair.cells);
        pairs.push(pair.table);
    }
    theta.push(intercept);
    let orders = terms::orders(&candidates);
    Ok(Fitted {
        candidates,
        problem,
        mains,
        sample,
        stands_for: step as f64,
        theta,
        pairs,
        orders,
        along,
        caps,
        removals,
        shared,
        log_odds: tables.log_odds,
        tables_tried: tables.tried,
    })
}

fn in_tables(tables: &Tables) -> BTreeSet<usize> {
    tables.found.iter().flat_map(|t| [t.left, t.right]).collect()
}

/// The variables of a card, in the order that a reader expects: by falling information value.
struct MainEffects {
    candidates: Vec<Candidate>,
    /// Log odds of good, bin after bin.
    theta: Vec<f64>,
    removals: Vec<Removal>,
    shared: Vec<Shared>,
}

fn cut_main_effects(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    shapes: &BTreeMap<usize, Vec<f64>>,
    tables: &Tables,
    settings: &TrainSettings,
) -> Result<MainEffects, ModelError> {
    let in_tables = in_tables(tables);
    let least = f64::from(settings.min_points_range) / settings.scaling.factor();
    let mut cut: Vec<(Candidate, Vec<f64>)> = Vec::new();
    let mut removals = Vec::new();
    let mut shared = Vec::new();
    for (&column, shape) in shapes {
        let Some(fine) = prepared.columns.get(column) else { continue };
        let counts = tally(fine, rows, &table.target, table.weights.as_deref());
        let is_held = in_tables.contains(&column) || settings.is_forced(&fine.name);
        if spread(&counts, shape) < least && !is_held {
            continue;
        }
        let direction = prepared.held_direction(column, table);
        let must: &[usize] = match tables.sides.get(&column) {
            Some(side) if in_tables.contains(&column) => &side.ends,
            _ => &[],
        };
        let made = match prepared.given.get(&column) {
            Some(merged) => shaped_as_given(fine, &counts, shape, merged, direction, settings),
            None => shaped(fine, &counts, shape, must, direction, settings),
        };
        removals.extend(made.joined.into_iter().map(|bins| Removal {
            variable: fine.name.clone(),
            bins,
            why: "apart, their points would contradict their event rates or not differ".to_owned(),
        }));
        shared.extend(made.shared.into_iter().map(|(bin, rows, with)| Shared {
            variable: fine.name.clone(),
            bin,
            rows,
            with,
        }));
        cut.push((Candidate { column, binned: made.binned }, made.values));
    }
    if cut.is_empty() {
        return Err(ModelError::CannotTrain {
            why: "no variable earns a point once it is shrunk to what the rows can show".to_owned(),
        });
    }
    cut.sort_by(|a, b| b.0.binned.bins.iv.total_cmp(&a.0.binned.bins.iv));
    let theta = cut.iter().flat_map(|(_, values)| values).copied().collect();
    Ok(MainEffects { candidates: cut.into_iter().map(|(candidate, _)| candidate).collect(), theta, removals, shared })
}

/// Between the lowest and the highest value of a shape where there are rows.
fn spread(counts: &[Cell], shape: &[f64]) -> f64 {
    let seen = counts.iter().zip(shape).filter(|(c, _)| c.rows > 0.0).map(|(_, v)| *v);
    let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    high - low
}

/// The variables' problem over a sample of rows.
fn sampled_problem(
    candidates: &[Candidate],
    prepared: &Prepared,
    table: &TrainingTable,
    sample: &[u32],
    stands_for: f64,
) -> Problem {
    let mut mains = terms::problem(candidates, prepared, table, sample);
    if stands_for > 1.0 {
        let alone = vec![1.0; sample.len()];
        mains.weights = Some(mains.weights.unwrap_or(alone).iter().map(|w| w * stands_for).collect());
    }
    mains
}

/// What the variables of a card look like, for putting tables beside them.
struct Card<'a> {
    prepared: &'a Prepared,
    candidates: &'a [Candidate],
    shapes: &'a BTreeMap<usize, Vec<f64>>,
    sides: &'a BTreeMap<usize, Side>,
    mains: &'a Problem,
    missing_is_never_good: bool,
}

/// One table over bins of the card.
struct Pair {
    table: PairTable,
    /// Log odds of good, centred, row by row.
    values: Vec<f64>,
    /// What centring took, for the intercept.
    shift: f64,
    /// Cell of each row.
    cells: Vec<u8>,
}

impl Card<'_> {
    fn pair(&self, found: &Found) -> Option<Pair> {
        let place = |column: usize| self.candidates.iter().position(|c| c.column == column);
        let (left, right) = (place(found.left)?, place(found.right)?);
        let (a, b) = (self.sides.get(&found.left)?, self.sides.get(&found.right)?);
        let (left_groups, right_groups) = (self.groups_of_bins(left, a), self.groups_of_bins(right, b));
        let cells = self.cells((left, &left_groups), (right, &right_groups), b.groups);
        let counts = self.rows_of(&cells, found.values.len());
        let mut values = found.values.clone();
        let shift = centred(&mut values, &counts);
        // A combination that training never saw earns nothing beyond its parts.
        for (v, c) in values.iter_mut().zip(&counts) {
            if c.rows <= 0.0 {
                *v = 0.0;
            }
        }
        if self.missing_is_never_good {
            // What is missing must not be made good by what it stands beside.
            let missing = |place: usize, groups: &[u8]| {
                let bins = self.candidates.get(place).map(|c| &c.binned.bins)?;
                groups.get(bins.missing).map(|g| usize::from(*g))
            };
            let (row, column) = (missing(left, &left_groups), missing(right, &right_groups));
            for (cell, v) in values.iter_mut().enumerate() {
                if Some(cell / b.groups.max(1)) == row || Some(cell % b.groups.max(1)) == column {
                    *v = v.min(0.0);
                }
            }
        }
        let name = |i: usize| self.candidates.get(i).map_or("", |c| c.binned.bins.name.as_str());
        let table = PairTable {
            code: format!("{}-with-{}", reason_code(name(left), left), reason_code(name(right), right)),
            left,
            left_groups,
            left_labels: self.labels(left, a),
            right,
            right_groups,
            right_labels: self.labels(right, b),
            points: Vec::new(),
            log_odds: values.chunks(b.groups.max(1)).map(<[f64]>::to_vec).collect(),
            reference_points: 0,
        };
        Some(Pair { table, values, shift, cells })
    }

    /// The group that each bin of a variable belongs to; bins were cut so that none lies in two. Where special or missing values share
    /// a regular bin, the regular cells say.
    fn groups_of_bins(&self, place: usize, side: &Side) -> Vec<u8> {
        let Some(candidate) = self.candidates.get(place) else { return Vec::new() };
        let mut groups = vec![0_u8; candidate.binned.bins.bins.len()];
        for (&bin, &group) in candidate.binned.map.iter().zip(&side.group_of_code).rev() {
            if let Some(slot) = groups.get_mut(usize::from(bin)) {
                *slot = group;
            }
        }
        groups
    }

    fn cells(&self, left: (usize, &[u8]), right: (usize, &[u8]), width: usize) -> Vec<u8> {
        let codes = |place: usize| self.mains.codes.columns.get(place).map_or(&[][..], Vec::as_slice);
        let group = |groups: &[u8], bin: u8| usize::from(groups.get(usize::from(bin)).copied().unwrap_or_default());
        let cell = |(&x, &y): (&u8, &u8)| u8::try_from(group(left.1, x) * width + group(right.1, y)).unwrap_or(u8::MAX);
        codes(left.0).iter().zip(codes(right.0)).map(cell).collect()
    }

    fn rows_of(&self, cells: &[u8], width: usize) -> Vec<Cell> {
        let mut counts = vec![Cell::default(); width];
        for (i, &c) in cells.iter().enumerate() {
            let weight = self.mains.weights.as_ref().and_then(|w| w.get(i)).copied().unwrap_or(1.0);
            if let Some(cell) = counts.get_mut(usize::from(c)) {
                cell.rows += weight;
            }
        }
        counts
    }

    /// The groups of a side, in words.
    fn labels(&self, place: usize, side: &Side) -> Vec<String> {
        let Some(column) = self.candidates.get(place).map(|c| c.column) else { return Vec::new() };
        let Some(fine) = self.prepared.columns.get(column) else { return Vec::new() };
        let order = order_of(fine, self.shapes.get(&column).map_or(&[][..], Vec::as_slice));
        let starts = std::iter::once(0).chain(side.ends.iter().copied());
        let mut labels: Vec<String> = starts.zip(&side.ends).map(|(i, &j)| group_label(fine, &order, i, j)).collect();
        labels.extend(["special", "missing"].map(str::to_owned));
        labels.extend(fine.unseen().map(|_| "never seen in training".to_owned()));
        labels
    }
}
