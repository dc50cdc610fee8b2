//! Members: scorecards of random parts of the training rows, whose points are averaged into one.
//!
//! An average of additive scorecards is an additive scorecard, so nothing of its transparency is lost, while cut points and points that
//! depend on a few rows are evened out. Each member cuts, selects and fits on its own part; the rows it has not seen are
//! predicted by it, and the averages of such predictions choose the strengths, the tables and the calibration.

use crate::domain::elementary::softplus;
use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::binning::Cell;
use super::error::ModelError;
use super::fit::{Problem, Solver, SolverCheck, Strength, confirm};
use super::prepare::Prepared;
use super::selection::Candidate;
use super::settings::TrainSettings;
use super::sign::{pool_in_order, solve_signed};
use super::table::TrainingTable;
use super::terms;

/// One member: log odds of good for each fine code of the columns it uses.
#[derive(Debug, Clone)]
pub struct Member {
    /// By position among the prepared columns.
    pub shapes: BTreeMap<usize, Vec<f64>>,
    /// Intercept.
    pub intercept: f64,
    /// How well its coefficients are known to be the optimum.
    pub check: SolverCheck,
}

impl Member {
    /// Log odds of good of the rows given.
    fn predict(&self, prepared: &Prepared, rows: &[u32]) -> Vec<f64> {
        let mut out = vec![self.intercept; rows.len()];
        for &column in self.shapes.keys() {
            for (o, part) in out.iter_mut().zip(self.part(column, prepared, rows)) {
                *o += part;
            }
        }
        out
    }

    /// What a column adds to the log odds of the rows given.
    fn part<'a>(&'a self, column: usize, prepared: &'a Prepared, rows: &'a [u32]) -> impl Iterator<Item = f64> + 'a {
        let values = self.shapes.get(&column).map_or(&[][..], Vec::as_slice);
        let codes = prepared.columns.get(column).map_or(&[][..], |c| c.codes.as_slice());
        rows.iter().map(|&row| {
            let code = codes.get(row as usize).copied().unwrap_or_default();
            values.get(usize::from(code)).copied().unwrap_or_default()
        })
    }
}

/// All members at the chosen strength, and what choosing it showed.
#[derive(Debug)]
pub struct Bag {
    /// The members.
    pub members: Vec<Member>,
    /// The chosen strengths.
    pub strength: Strength,
    /// Mean log loss, on rows not seen, of each strength tried.
    pub tried: Vec<(Strength, f64)>,
    /// Rows that at least one member has not seen.
    pub rows: Vec<u32>,
    /// Mean log odds of good of the members that have not seen the row.
    pub log_odds: Vec<f64>,
    /// Rows of the pool that each member has not seen.
    unseen: Vec<Vec<u32>>,
}

/// A column that a bag leaves out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pruned {
    /// Position among the prepared columns.
    pub column: usize,
    /// By how much it lowers the mean log loss of rows not seen.
    pub gain: f64,
    /// Whether it raises that loss beyond the error; if not, others help more.
    pub harms: bool,
}

impl Bag {
    /// Leaves out columns that harm the prediction of rows that members have not seen, beyond the error of that finding, and those beyond
    /// `max_variables` that help least. What a person set stays, bins and columns forced in, and so does the column that helps most.
    pub fn prune(&mut self, prepared: &Prepared, table: &TrainingTable, settings: &TrainSettings) -> Vec<Pruned> {
        let columns: BTreeSet<usize> = self.members.iter().flat_map(|m| m.shapes.keys().copied()).collect();
        let parts: Vec<(usize, Vec<f64>)> = columns
            .into_par_iter()
            .map(|column| (column, self.part_of(column, prepared, table.target.len())))
            .collect();
        let losses: Vec<f64> =
            self.rows.iter().zip(&self.log_odds).map(|(row, x)| log_loss(*x, is_bad(table, *row))).collect();
        let mut gains: Vec<((f64, f64), usize)> =
            parts.par_iter().enumerate().map(|(at, (_, part))| (self.gain(part, &losses, table), at)).collect();
        gains.sort_by(|a, b| b.0.0.total_cmp(&a.0.0).then(a.1.cmp(&b.1)));
        let mut pruned = Vec::new();
        for (standing, ((gain, error), at)) in gains.into_iter().enumerate() {
            let Some((column, part)) = parts.get(at) else { continue };
            let harms = gain < -HARM * error;
            let stays = standing == 0 || (!harms && standing < settings.max_variables);
            let is_forced = prepared.columns.get(*column).is_some_and(|fine| settings.is_forced(&fine.name));
            if stays || is_forced || prepared.given.contains_key(column) {
                continue;
            }
            for (x, p) in self.log_odds.iter_mut().zip(part) {
                *x -= p;
            }
            for member in &mut self.members {
                member.shapes.remove(column);
            }
            pruned.push(Pruned { column: *column, gain, harms });
        }
        pruned
    }

    /// What a column adds to the mean log odds of each of the bag's rows.
    fn part_of(&self, column: usize, prepared: &Prepared, rows: usize) -> Vec<f64> {
        let members = self.members.iter().zip(&self.unseen);
        let (sums, counts) = summed(members.map(|(m, unseen)| (&unseen[..], m.part(column, prepared, unseen))), rows);
        let mean = |&row: &u32| {
            let at = row as usize;
            sums.get(at).zip(counts.get(at)).map_or(0.0, |(s, n)| s / f64::from((*n).max(1)))
        };
        self.rows.iter().map(mean).collect()
    }

    /// Mean log loss without a column's part less that with it, and the error of that mean; `losses` are those of the rows with it.
    fn gain(&self, part: &[f64], losses: &[f64], table: &TrainingTable) -> (f64, f64) {
        let (mut sum, mut squares, mut weight) = (0.0, 0.0, 0.0);
        for (((&row, &x), &loss), &p) in self.rows.iter().zip(&self.log_odds).zip(losses).zip(part) {
            let w = table.weights.as_ref().and_then(|w| w.get(row as usize)).copied().unwrap_or(1.0);
            let gain = w * (log_loss(x - p, is_bad(table, row)) - loss);
            sum += gain;
            squares += gain * gain;
            weight += w;
        }
        let weight = f64::max(weight, f64::MIN_POSITIVE);
        (sum / weight, squares.sqrt() / weight)
    }
}

/// Errors below nothing at which a column's gain on rows not seen counts as harm. At 0, half of the columns that tell a little would leave a
/// small sample by chance; far below, what is noise would stay in a large one.
const HARM: f64 = 1.0;
/// Share of the rows that a member sees: what a bootstrap sample holds of distinct rows.
const SEEN_SHARE: f64 = 0.632;
/// Members that every strength is tried with.
const TRIAL_MEMBERS: usize = 3;
/// Gradient (per row) at which strengths can be compared.
const TRIAL_TOLERANCE: f64 = 1e-5;
/// Gradient (per row) of a member's optimum.
const MEMBER_TOLERANCE: f64 = 1e-8;

/// Strengths tried, from strong to weak so that each solution starts the next.
fn grid() -> Vec<Strength> {
    let one = |slope, deviation| Strength { deviation, slope, smooth: 4.0 };
    vec![one(12.0, 600.0), one(12.0, 60.0), one(12.0, 15.0), one(3.0, 60.0), one(3.0, 15.0)]
}

/// Grows the members.
///
/// # Errors
/// A part has one outcome only, or a solver fails.
pub fn grow(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    settings: &TrainSettings,
) -> Result<Bag, ModelError> {
    let pool = thinned(rows, table, settings.member_rows);
    let grid = grid();
    let members = settings.members_for(rows.len());
    let trial = TRIAL_MEMBERS.min(members);
    let rest = beyond(rows, &pool);
    let of_rest = terms::tallies(prepared, table, &rest);
    let cut: Vec<Result<Cut, ModelError>> = (0..members)
        .into_par_iter()
        .map(|k| Cut::new(k, prepared, table, &pool, RowsBeyondPool { rows: &rest, tallies: &of_rest }, settings))
        .collect();
    let cut: Vec<Cut> = cut.into_iter().collect::<Result<_, _>>()?;
    let first: Vec<Result<Trial, ModelError>> =
        cut.par_iter().take(trial).map(|cut| cut.fit(prepared, &grid, Fit::Trial)).collect();
    let first: Vec<Trial> = first.into_iter().collect::<Result<_, _>>()?;
    let mut tried = Vec::new();
    for (at, &strength) in grid.iter().enumerate() {
        let (sums, counts) = summed(predicted(&cut, &first, at), table.target.len());
        tried.push((strength, mean_loss(&pool, &sums, &counts, table)));
    }
    let best = (0..tried.len())
        .min_by(|&a, &b| {
            let loss = |i: usize| tried.get(i).map_or(f64::INFINITY, |t| t.1);
            loss(a).total_cmp(&loss(b))
        })
        .unwrap_or(0);
    let strength = grid.get(best).copied().ok_or_else(|| ModelError::CannotTrain { why: "no strength".to_owned() })?;
    let last = if settings.is_trial { Fit::Unconfirmed } else { Fit::Confirmed };
    let all: Vec<Result<Trial, ModelError>> = cut.par_iter().map(|cut| cut.fit(prepared, &[strength], last)).collect();
    let all: Vec<Trial> = all.into_iter().collect::<Result<_, _>>()?;
    let (sums, counts) = summed(predicted(&cut, &all, 0), table.target.len());
    let (mut out_rows, mut log_odds) = (Vec::new(), Vec::new());
    for &row in &pool {
        let at = row as usize;
        if let (Some(&sum), Some(&count)) = (sums.get(at), counts.get(at))
            && count > 0
        {
            out_rows.push(row);
            log_odds.push(sum / f64::from(count));
        }
    }
    let members = all.into_iter().filter_map(|t| t.members.into_iter().next()).collect();
    let unseen = cut.into_iter().map(|c| c.unseen).collect();
    Ok(Bag { members, strength, tried, rows: out_rows, log_odds, unseen })
}

/// One part of the rows, fitted at several strengths.
struct Trial {
    members: Vec<Member>,
    /// Log odds of the rows not seen, strength by strength.
    log_odds: Vec<Vec<f64>>,
}

/// Log odds at one strength of the rows that each member has not seen.
fn predicted<'a>(
    cut: &'a [Cut],
    trials: &'a [Trial],
    at: usize,
) -> impl Iterator<Item = (&'a [u32], impl Iterator<Item = f64> + 'a)> {
    let odds = move |t: &'a Trial| t.log_odds.get(at).map_or(&[][..], Vec::as_slice).iter().copied();
    cut.iter().zip(trials).map(move |(cut, trial)| (&cut.unseen[..], odds(trial)))
}

/// Sums over members of what each says of the rows it has not seen, and how many say something.
fn summed<'a, V>(said: impl Iterator<Item = (&'a [u32], V)>, rows: usize) -> (Vec<f64>, Vec<u32>)
where
    V: Iterator<Item = f64>,
{
    let (mut sums, mut counts) = (vec![0.0; rows], vec![0_u32; rows]);
    for (unseen, values) in said {
        for (&row, x) in unseen.iter().zip(values) {
            if let (Some(s), Some(c)) = (sums.get_mut(row as usize), counts.get_mut(row as usize)) {
                *s += x;
                *c += 1;
            }
        }
    }
    (sums, counts)
}

fn mean_loss(pool: &[u32], sums: &[f64], counts: &[u32], table: &TrainingTable) -> f64 {
    let (mut loss, mut weight) = (0.0, 0.0);
    for &row in pool {
        let at = row as usize;
        let count = counts.get(at).copied().unwrap_or(0);
        if count > 0 {
            let w = table.weights.as_ref().and_then(|w| w.get(at)).copied().unwrap_or(1.0);
            let x = sums.get(at).copied().unwrap_or_default() / f64::from(count);
            loss += w * log_loss(x, table.target.get(at) == Some(&true));
            weight += w;
        }
    }
    loss / f64::max(weight, f64::MIN_POSITIVE)
}

fn is_bad(table: &TrainingTable, row: u32) -> bool {
    table.target.get(row as usize) == Some(&true)
}

/// Negative log likelihood of one outcome.
pub fn log_loss(log_odds_good: f64, bad: bool) -> f64 {
    softplus(if bad { log_odds_good } else { -log_odds_good })
}

/// Training rows beyond the pool: no member is tested on them. Every member cuts on all of them, and is fitted to a share.
#[derive(Clone, Copy)]
struct RowsBeyondPool<'a> {
    rows: &'a [u32],
    tallies: &'a [Vec<Cell>],
}

impl RowsBeyondPool<'_> {
    /// The rows that a member is fitted to: all, or every k-th, so that they are no more than twice what members share.
    fn share(&self, number: usize, settings: &TrainSettings) -> impl Iterator<Item = u32> {
        let step = self.rows.len().div_ceil(2 * settings.member_rows.max(1)).max(1);
        self.rows.iter().copied().skip(number % step).step_by(step)
    }
}

/// How exactly a member is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// As far as strengths can be compared.
    Trial,
    /// To the optimum.
    Unconfirmed,
    /// To the optimum, and linfa finds none better.
    Confirmed,
}

/// What a member is fitted to: variables cut and selected on its part of the rows, whatever the strength.
struct Cut {
    unseen: Vec<u32>,
    candidates: Vec<Candidate>,
    problem: Problem,
}

impl Cut {
    fn new(
        number: usize,
        prepared: &Prepared,
        table: &TrainingTable,
        pool: &[u32],
        rest: RowsBeyondPool<'_>,
        settings: &TrainSettings,
    ) -> Result<Self, ModelError> {
        let (of_pool, unseen) = part(number, pool, table, settings);
        let mut tallies = terms::tallies(prepared, table, &of_pool);
        for (own, more) in tallies.iter_mut().flatten().zip(rest.tallies.iter().flatten()) {
            *own = own.plus(*more);
        }
        let mut seen = of_pool;
        seen.extend(rest.share(number, settings));
        seen.sort_unstable();
        let bads = seen.iter().filter(|r| table.target.get(**r as usize) == Some(&true)).count();
        if bads < 2 || seen.len() - bads < 2 {
            let why = format!("{bads} bad rows among {} are too few to be divided", seen.len());
            return Err(ModelError::CannotTrain { why });
        }
        let candidates = terms::cut_and_select(prepared, table, &seen, &tallies, settings);
        let problem = terms::problem(&candidates, prepared, table, &seen);
        Ok(Self { unseen, candidates, problem })
    }

    /// Fits at each strength, from the solution at the one before.
    fn fit(&self, prepared: &Prepared, grid: &[Strength], fit: Fit) -> Result<Trial, ModelError> {
        let Self { unseen, candidates, problem } = self;
        let offsets = problem.codes.offsets();
        let orders = terms::orders(candidates);
        let mut solver = Solver::new(problem);
        let mut theta = terms::start(candidates, problem);
        let mut trial = Trial { members: Vec::new(), log_odds: Vec::new() };
        let tolerance = if fit == Fit::Trial { TRIAL_TOLERANCE } else { MEMBER_TOLERANCE };
        for &strength in grid {
            let penalty = terms::penalty(candidates, strength);
            let solution = solve_signed(&mut solver, &offsets, &orders, &theta, &penalty, tolerance)?;
            let check = match fit {
                Fit::Confirmed => confirm(problem, solver.groups(), &penalty, &solution)?,
                Fit::Unconfirmed | Fit::Trial => SolverCheck::alone(solution.gradient, "a trial"),
            };
            let mut values = solution.theta.clone();
            theta = solution.theta;
            for (candidate, &offset) in candidates.iter().zip(&offsets) {
                let bins = &candidate.binned.bins.bins;
                let woe: Vec<f64> = bins.iter().map(|b| b.woe).collect();
                let rows: Vec<f64> = bins.iter().map(|b| b.rows).collect();
                pool_in_order(&woe, &rows, values.get_mut(offset..offset + bins.len()).unwrap_or_default());
            }
            let shift = terms::centre(candidates, &mut values);
            let mut shapes = BTreeMap::new();
            for (candidate, &offset) in candidates.iter().zip(&offsets) {
                let of_code = |&bin: &u8| values.get(offset + usize::from(bin)).copied().unwrap_or_default();
                shapes.insert(candidate.column, candidate.binned.map.iter().map(of_code).collect());
            }
            let member = Member { shapes, intercept: values.last().copied().unwrap_or_default() + shift, check };
            trial.log_odds.push(member.predict(prepared, unseen));
            trial.members.push(member);
        }
        Ok(trial)
    }
}

/// Rows of the pool that a member sees, and those that it does not. Whole groups go one way.
fn part(number: usize, pool: &[u32], table: &TrainingTable, settings: &TrainSettings) -> (Vec<u32>, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    if let Some(groups) = &table.groups {
        for &row in pool {
            let group = groups.get(row as usize).copied().unwrap_or_default();
            let mut of_group = ChaCha8Rng::seed_from_u64(group ^ (settings.seed << 20) ^ number as u64);
            if of_group.random::<f64>() < SEEN_SHARE { seen.push(row) } else { unseen.push(row) }
        }
    } else {
        for bad in [false, true] {
            let mut own: Vec<u32> =
                pool.iter().copied().filter(|&r| table.target.get(r as usize) == Some(&bad)).collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let take = (own.len() as f64 * SEEN_SHARE).round() as usize;
            for i in 0..take.min(own.len()) {
                let j = rng.random_range(i..own.len());
                own.swap(i, j);
            }
            let (a, b) = own.split_at(take.min(own.len()));
            seen.extend_from_slice(a);
            unseen.extend_from_slice(b);
        }
    }
    seen.sort_unstable();
    unseen.sort_unstable();
    (seen, unseen)
}

/// Rows that are not in the pool; both ascend.
fn beyond(rows: &[u32], pool: &[u32]) -> Vec<u32> {
    let mut in_pool = pool.iter().peekable();
    rows.iter().copied().filter(|row| in_pool.next_if_eq(&row).is_none()).collect()
}

/// At most about `most` rows, in row order: every k-th of each outcome, or, where rows come in groups, the rows of every k-th group.
fn thinned(rows: &[u32], table: &TrainingTable, most: usize) -> Vec<u32> {
    let step = rows.len().div_ceil(most.max(1)).max(1);
    if let Some(groups) = &table.groups
        && step > 1
    {
        let is_chosen = |row: &&u32| {
            let group = groups.get(**row as usize).copied().unwrap_or_default();
            ChaCha8Rng::seed_from_u64(group).random_range(0..step) == 0
        };
        return rows.iter().filter(is_chosen).copied().collect();
    }
    let part = |bad: bool| rows.iter().copied().filter(move |&r| table.target.get(r as usize) == Some(&bad));
    let mut out: Vec<u32> = part(false).step_by(step).chain(part(true).step_by(step)).collect();
    out.sort_unstable();
    out
}
