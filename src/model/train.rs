//! Training a scorecard, from table to points.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::bag::{Bag, grow};
use super::binning::{Cell, FineScale, group_label, tally};
use super::calibration::{Calibration, CalibrationChoice, CalibrationSettings, Method, choose_calibration};
use super::error::ModelError;
use super::fit::{Problem, Solver, SolverCheck, inverse_diagonal, sigmoid};
use super::interactions::{Tables, centred, search};
use super::points::round_jointly;
use super::prepare::{Prepared, prepare};
use super::report::{
    Dropped, PartReport, Removal, RoundingReport, Stage, TrainReport, TuningReport, VariableReport, measure_part,
};
use super::scorecard::{FORMAT, PairTable, Scorecard, ScoredVariable, reason_code};
use super::selection::{Candidate, suspected_leaks};
use super::settings::TrainSettings;
use super::shape::{order_of, shaped};
use super::sign::Order;
use super::table::{Direction, TrainingTable};
use super::terms;
use super::validation::{Ranked, ValidationSettings};

/// A trained scorecard and what its training told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedScorecard {
    /// The scorecard.
    pub scorecard: Scorecard,
    /// The report.
    pub report: TrainReport,
}

/// Bootstrap resamples behind the intervals of the test figures.
const TEST_REPLICATES: u32 = 200;
/// Rows that rounding, centring and standard errors are reckoned over.
const ENOUGH_ROWS: usize = 200_000;
/// Rows that are scored at a time.
const BLOCK_ROWS: usize = 1 << 18;
/// Outcomes of each kind that training needs at least.
const MIN_OUTCOMES: usize = 10;

/// Trains a scorecard. The result depends on the table and the settings only, not on threads.
///
/// # Errors
/// The table cannot carry a model (one outcome, too few rows, no usable column), holds infinite values, or a solver fails.
pub fn train_scorecard(table: &TrainingTable, settings: &TrainSettings) -> Result<TrainedScorecard, ModelError> {
    settings.check()?;
    check_rows(table)?;
    let rows = part(table, false);
    let prepared = prepare(table, settings)?;
    let (candidates, more) = terms::cut(&prepared, table, &rows, settings);
    let mut dropped = prepared.dropped.clone();
    dropped.extend(more);
    if candidates.is_empty() {
        let reasons: Vec<String> = dropped.iter().take(8).map(|d| format!("{:?}: {}", d.variable, d.why)).collect();
        let why = format!("no variable tells good from bad ({})", reasons.join("; "));
        return Err(ModelError::CannotTrain { why });
    }
    let mut warnings = suspected_leaks(&candidates, &prepared.columns, &rows, &table.target, table.weights.as_deref());
    warnings.extend(prepared.notes.iter().cloned());

    let bag = grow(&prepared, table, &rows, settings)?;
    let shapes = averaged(&bag, &prepared);
    let tables = search(&prepared, table, &bag, &searched(&candidates, &shapes, &prepared), &shapes, settings);
    let fitted = assemble(&prepared, table, &rows, &bag, shapes, tables, settings)?;
    let used: BTreeSet<&str> = fitted.candidates.iter().map(|c| c.binned.bins.name.as_str()).collect();
    dropped.retain(|d| !used.contains(d.variable.as_str()));
    for candidate in &candidates {
        let name = &candidate.binned.bins.name;
        if !used.contains(name.as_str()) {
            dropped.push(Dropped {
                variable: name.clone(),
                stage: Stage::Contribution,
                rule: "no-points".to_owned(),
                why: "beside the other variables, and never against its own event rates, it would earn no points"
                    .to_owned(),
            });
        }
    }
    build(table, settings, &prepared, &rows, &bag, fitted, dropped, warnings)
}

fn check_rows(table: &TrainingTable) -> Result<(), ModelError> {
    let n = table.target.len();
    if table.test.len() != n || table.groups.as_ref().is_some_and(|g| g.len() != n) {
        return Err(ModelError::CannotTrain { why: "target, test flags and groups differ in length".to_owned() });
    }
    if let Some(weights) = &table.weights
        && (weights.len() != n || weights.iter().any(|w| !w.is_finite() || *w <= 0.0))
    {
        return Err(ModelError::BadSetting { setting: "weights", why: "one finite, positive weight a row".to_owned() });
    }
    if u32::try_from(n).is_err() {
        return Err(ModelError::CannotTrain { why: format!("{n} rows are more than {}", u32::MAX) });
    }
    let bad = table.target.iter().zip(&table.test).filter(|(y, t)| **y && !**t).count();
    let all = table.test.iter().filter(|t| !**t).count();
    if bad < MIN_OUTCOMES || all - bad < MIN_OUTCOMES {
        return Err(ModelError::CannotTrain {
            why: format!(
                "{all} training rows with {bad} bad ones: at least {MIN_OUTCOMES} bad and {MIN_OUTCOMES} good are needed"
            ),
        });
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "the row count was checked to fit 32 bits")]
fn part(table: &TrainingTable, test: bool) -> Vec<u32> {
    table.test.iter().enumerate().filter(|(_, t)| **t == test).map(|(i, _)| i as u32).collect()
}

/// Mean over members of the log odds of each fine code; a member that does not use a column counts as 0.
fn averaged(bag: &Bag, prepared: &Prepared) -> BTreeMap<usize, Vec<f64>> {
    let mut shapes: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for member in &bag.members {
        for (&column, values) in &member.shapes {
            let width = prepared.columns.get(column).map_or(0, super::binning::FineColumn::width);
            let sum = shapes.entry(column).or_insert_with(|| vec![0.0; width]);
            for (s, v) in sum.iter_mut().zip(values) {
                *s += v / bag.members.len() as f64;
            }
        }
    }
    shapes
}

/// Columns in the order that tables are searched: those of the model by information value, then the rest.
fn searched(candidates: &[Candidate], shapes: &BTreeMap<usize, Vec<f64>>, prepared: &Prepared) -> Vec<usize> {
    let mut order: Vec<usize> = candidates.iter().map(|c| c.column).collect();
    let rest = shapes.keys().copied().chain(0..prepared.columns.len());
    for column in rest {
        if !order.contains(&column) {
            order.push(column);
        }
    }
    order
}

/// A fitted model before it becomes points.
struct Fitted {
    candidates: Vec<Candidate>,
    /// Mains first, then the tables' cells.
    problem: Problem,
    mains: Problem,
    theta: Vec<f64>,
    pairs: Vec<PairTable>,
    orders: Vec<Order>,
    removals: Vec<Removal>,
    log_odds: Vec<f64>,
    tables_tried: Vec<(usize, f64)>,
}

#[expect(clippy::too_many_lines, reason = "puts one card together, part by part, in order")]
fn assemble(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    bag: &Bag,
    mut shapes: BTreeMap<usize, Vec<f64>>,
    tables: Tables,
    settings: &TrainSettings,
) -> Result<Fitted, ModelError> {
    let in_tables: BTreeSet<usize> = tables.found.iter().flat_map(|t| [t.left, t.right]).collect();
    let weights = table.weights.as_deref();
    let least = f64::from(settings.min_points_range) / settings.scaling.factor();
    let mut candidates = Vec::new();
    let mut values: Vec<Vec<f64>> = Vec::new();
    let mut removals = Vec::new();
    for &column in &in_tables {
        let width = prepared.columns.get(column).map_or(0, super::binning::FineColumn::width);
        shapes.entry(column).or_insert_with(|| vec![0.0; width]);
    }
    for (&column, shape) in &shapes {
        let Some(fine) = prepared.columns.get(column) else { continue };
        let counts = tally(fine, rows, &table.target, weights);
        let seen = counts.iter().zip(shape).filter(|(c, _)| c.rows > 0.0).map(|(_, v)| *v);
        let (low, high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if high - low < least && !in_tables.contains(&column) {
            continue;
        }
        let direction = match fine.scale {
            FineScale::Number { .. } => table.directions.get(&fine.name).copied().unwrap_or_default(),
            FineScale::Text { .. } => Direction::Either,
        };
        let must: &[usize] = match tables.sides.get(&column) {
            Some(side) if in_tables.contains(&column) => &side.ends,
            _ => &[],
        };
        let cut = shaped(fine, &counts, shape, must, direction, settings);
        for bins in cut.joined {
            removals.push(Removal {
                variable: fine.name.clone(),
                bins,
                why: "apart, their points would contradict their event rates or not differ".to_owned(),
            });
        }
        values.push(cut.values);
        candidates.push(Candidate { column, binned: cut.binned });
    }
    // By falling information value: the order that a reader expects.
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    let iv = |i: usize| candidates.get(i).map_or(0.0, |c| c.binned.bins.iv);
    order.sort_by(|&a, &b| iv(b).total_cmp(&iv(a)).then(a.cmp(&b)));
    let mut theta: Vec<f64> = order.iter().filter_map(|&i| values.get(i)).flatten().copied().collect();
    let candidates: Vec<Candidate> = order.iter().filter_map(|&i| candidates.get(i).cloned()).collect();
    if candidates.is_empty() {
        return Err(ModelError::CannotTrain {
            why: "no variable earns a point once it is shrunk to what the rows can show".to_owned(),
        });
    }
    let mut intercept = bag.members.iter().map(|m| m.intercept).sum::<f64>() / bag.members.len() as f64;
    intercept += terms::centre(&candidates, &mut theta);
    if settings.missing_is_never_good {
        terms::cap_missing(&candidates, &mut theta);
    }

    // Means and roundings need no more rows than this; every k-th stands for k.
    let step = rows.len().div_ceil(ENOUGH_ROWS).max(1);
    let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let mut mains = terms::problem(&candidates, prepared, table, &sample);
    if step > 1 {
        let alone = vec![1.0; sample.len()];
        mains.weights = Some(mains.weights.unwrap_or(alone).iter().map(|w| w * step as f64).collect());
    }
    let mut problem = mains.clone();
    let mut pairs = Vec::new();
    for found in &tables.found {
        let place = |column: usize| candidates.iter().position(|c| c.column == column);
        let (Some(left), Some(right)) = (place(found.left), place(found.right)) else { continue };
        let (Some(a), Some(b)) = (tables.sides.get(&found.left), tables.sides.get(&found.right)) else { continue };
        let (left_groups, right_groups) = (groups_of_bins(&candidates, left, a), groups_of_bins(&candidates, right, b));
        let empty = Vec::new();
        let (x, y) =
            (mains.codes.columns.get(left).unwrap_or(&empty), mains.codes.columns.get(right).unwrap_or(&empty));
        let group = |groups: &[u8], bin: u8| usize::from(groups.get(usize::from(bin)).copied().unwrap_or_default());
        let cells: Vec<u8> = x
            .iter()
            .zip(y)
            .map(|(&x, &y)| {
                let cell = group(&left_groups, x) * b.groups + group(&right_groups, y);
                u8::try_from(cell).unwrap_or(u8::MAX)
            })
            .collect();
        let mut counts = vec![Cell::default(); found.values.len()];
        for (i, &c) in cells.iter().enumerate() {
            let weight = mains.weights.as_ref().and_then(|w| w.get(i)).copied().unwrap_or(1.0);
            if let Some(cell) = counts.get_mut(usize::from(c)) {
                cell.rows += weight;
            }
        }
        let mut values = found.values.clone();
        intercept += centred(&mut values, &counts);
        // A combination that training never saw earns nothing beyond its parts.
        for (v, c) in values.iter_mut().zip(&counts) {
            if c.rows <= 0.0 {
                *v = 0.0;
            }
        }
        theta.extend(&values);
        problem.codes.columns.push(cells);
        problem.codes.widths.push(values.len());
        let labels = |place: usize, side: &super::interactions::Side| -> Vec<String> {
            candidates.get(place).and_then(|c| prepared.columns.get(c.column).zip(Some(c.column))).map_or_else(
                Vec::new,
                |(fine, column)| {
                    let shape = shapes.get(&column).cloned().unwrap_or_default();
                    let order = order_of(fine, &shape);
                    let starts = std::iter::once(0).chain(side.ends.iter().copied());
                    let mut labels: Vec<String> =
                        starts.zip(&side.ends).map(|(i, &j)| group_label(fine, &order, i, j)).collect();
                    labels.extend(["special".to_owned(), "missing".to_owned()]);
                    labels
                },
            )
        };
        let name = |i: usize| candidates.get(i).map_or("", |c| c.binned.bins.name.as_str());
        pairs.push(PairTable {
            code: format!("{}-with-{}", reason_code(name(left), left), reason_code(name(right), right)),
            left,
            left_groups,
            left_labels: labels(left, a),
            right,
            right_groups,
            right_labels: labels(right, b),
            points: Vec::new(),
            log_odds: values.chunks(b.groups.max(1)).map(<[f64]>::to_vec).collect(),
            reference_points: 0,
        });
    }
    theta.push(intercept);
    let orders = terms::orders(&candidates);
    Ok(Fitted {
        candidates,
        problem,
        mains,
        theta,
        pairs,
        orders,
        removals,
        log_odds: tables.log_odds,
        tables_tried: tables.tried,
    })
}

/// The group that each bin of a variable belongs to; bins were cut so that none lies in two.
fn groups_of_bins(candidates: &[Candidate], place: usize, side: &super::interactions::Side) -> Vec<u8> {
    let Some(candidate) = candidates.get(place) else { return Vec::new() };
    let mut groups = vec![0_u8; candidate.binned.bins.bins.len()];
    for (&bin, &group) in candidate.binned.map.iter().zip(&side.group_of_code) {
        if let Some(slot) = groups.get_mut(usize::from(bin)) {
            *slot = group;
        }
    }
    groups
}

#[expect(clippy::too_many_arguments, reason = "the last step sees everything that came before it")]
fn build(
    table: &TrainingTable,
    settings: &TrainSettings,
    prepared: &Prepared,
    rows: &[u32],
    bag: &Bag,
    mut fitted: Fitted,
    dropped: Vec<Dropped>,
    warnings: Vec<String>,
) -> Result<TrainedScorecard, ModelError> {
    let offsets = fitted.problem.codes.offsets();
    let scaling = settings.scaling;
    let factor = scaling.factor();
    let mut exact: Vec<f64> = fitted.theta.iter().map(|t| t * factor).collect();
    if let Some(base) = exact.last_mut() {
        *base += scaling.offset();
    }
    let ones: Vec<f64> = fitted.problem.weights.clone().unwrap_or_else(|| vec![1.0; fitted.problem.rows()]);
    let cross = fitted.problem.cross(&ones);
    let in_order: Vec<Vec<usize>> =
        fitted.orders.iter().zip(&offsets).map(|(o, &offset)| o.bins.iter().map(|b| offset + b).collect()).collect();
    let weight: f64 = ones.iter().sum();
    let (points, singly, jointly) = round_jointly(&exact, &cross, weight, &in_order);
    write_tables(&mut fitted, &offsets, &points, &cross, weight);

    let mut scorecard = Scorecard {
        format: FORMAT,
        scaling,
        base_points: points.last().copied().unwrap_or_default(),
        variables: variables(&fitted, &offsets, &points),
        tables: fitted.pairs.clone(),
        calibration: Calibration::identity(),
        bands: Vec::new(),
    };
    let (calibration, out_of_fold) = calibrate(table, &bag.rows, &fitted.log_odds, settings)?;
    scorecard.calibration = calibration.calibration.clone();
    scorecard.master_scale();

    let measure = |rows: &[u32], replicates: u32| {
        let settings =
            ValidationSettings { bootstrap_replicates: replicates, seed: settings.seed, ..Default::default() };
        measure(&scorecard, &fitted.candidates, prepared, table, rows, &settings)
    };
    let test_rows = part(table, true);
    let report = TrainReport {
        train: measure(rows, 0)?,
        test: if test_rows.is_empty() { None } else { Some(measure(&test_rows, TEST_REPLICATES)?) },
        tuning: TuningReport {
            members: bag.members.len(),
            rows: bag.rows.len(),
            strength: bag.strength,
            tried: bag.tried.clone(),
            tables_tried: fitted.tables_tried.clone(),
            out_of_fold,
        },
        variables: variable_reports(&fitted, &offsets, &scorecard, prepared, &test_rows, bag),
        dropped,
        removals: fitted.removals.clone(),
        calibration,
        rounding: RoundingReport { singly, jointly },
        solver: solvers(bag),
        warnings,
    };
    Ok(TrainedScorecard { scorecard, report })
}

/// The worst that any member's solver saw.
fn solvers(bag: &Bag) -> SolverCheck {
    let worst = |f: fn(&SolverCheck) -> f64| bag.members.iter().map(|m| f(&m.check)).fold(0.0, f64::max);
    let other = bag.members.iter().find(|m| m.check.why.is_some());
    SolverCheck {
        solver: if other.is_some() { "newton" } else { "linfa" }.to_owned(),
        why: other.and_then(|m| m.check.why.clone()),
        gradient: worst(|c| c.gradient),
        moved: worst(|c| c.moved),
    }
}

fn write_tables(fitted: &mut Fitted, offsets: &[usize], points: &[i32], cross: &[f64], weight: f64) {
    let n = points.len();
    let mains = fitted.candidates.len();
    for (pair, &offset) in fitted.pairs.iter_mut().zip(offsets.iter().skip(mains)) {
        let columns = pair.right_labels.len().max(1);
        let cells = points.get(offset..offset + pair.left_labels.len() * columns).unwrap_or_default();
        pair.points = cells.chunks(columns).map(<[i32]>::to_vec).collect();
        let rows = |i: usize| cross.get((offset + i) * n + offset + i).copied().unwrap_or_default();
        let mean = cells.iter().enumerate().map(|(i, &p)| f64::from(p) * rows(i)).sum::<f64>() / weight.max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "a mean of points is a small number")]
        let reference = mean.round() as i32;
        pair.reference_points = reference;
    }
}

fn variables(fitted: &Fitted, offsets: &[usize], points: &[i32]) -> Vec<ScoredVariable> {
    let mut taken = BTreeSet::new();
    fitted
        .candidates
        .iter()
        .zip(offsets)
        .enumerate()
        .map(|(position, (candidate, &offset))| {
            let bins = candidate.binned.bins.clone();
            let width = bins.bins.len();
            let points = points.get(offset..offset + width).unwrap_or_default().to_vec();
            let rows: f64 = bins.bins.iter().map(|b| b.rows).sum();
            let mean = bins.bins.iter().zip(&points).map(|(b, &p)| b.rows * f64::from(p)).sum::<f64>() / rows.max(1.0);
            let mut code = reason_code(&bins.name, position);
            while !taken.insert(code.clone()) {
                code = format!("{code}-{}", position + 1);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a mean of points is a small number")]
            let reference_points = mean.round() as i32;
            let log_odds = fitted.theta.get(offset..offset + width).unwrap_or_default().to_vec();
            ScoredVariable { code, bins, points, log_odds, reference_points }
        })
        .collect()
}

/// The calibration that does best on log odds predicted for rows not seen, and the figures after it.
fn calibrate(
    table: &TrainingTable,
    rows: &[u32],
    log_odds: &[f64],
    settings: &TrainSettings,
) -> Result<(CalibrationChoice, PartReport), ModelError> {
    let bad: Vec<bool> = rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
    let raw: Vec<f64> = log_odds.iter().map(|x| sigmoid(-x)).collect();
    let weights = table.weights.as_ref().map(|w| weights_of(w, rows));
    let failed = |why: String| ModelError::CannotMeasure { why };
    let sample = match &weights {
        Some(w) => Ranked::weighted(&bad, &raw, w),
        None => Ranked::new(&bad, &raw),
    }
    .map_err(|e| failed(e.to_string()))?;
    // A step curve would merge scores that differ: the maps allowed here keep the order of every two rows.
    let calibration = CalibrationSettings {
        methods: vec![Method::Platt, Method::Beta],
        seed: settings.seed,
        pd_floor: settings.pd_floor,
        ..CalibrationSettings::default()
    };
    let choice = choose_calibration(&sample, &calibration).map_err(|e| failed(e.to_string()))?;
    let pd: Vec<f64> = raw.iter().map(|&p| choice.calibration.apply(p)).collect();
    let settings = ValidationSettings { bootstrap_replicates: 0, ..ValidationSettings::default() };
    let out_of_fold = measure_part(&pd, &bad, weights.as_deref(), &settings)?;
    Ok((choice, out_of_fold))
}

fn weights_of(weights: &[f64], rows: &[u32]) -> Vec<f64> {
    rows.iter().map(|&r| weights.get(r as usize).copied().unwrap_or(1.0)).collect()
}

/// Scores the rows given from their fine codes.
fn measure(
    scorecard: &Scorecard,
    candidates: &[Candidate],
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    settings: &ValidationSettings,
) -> Result<PartReport, ModelError> {
    let mut pd = Vec::with_capacity(rows.len());
    for block in rows.chunks(BLOCK_ROWS) {
        let codes = terms::codes(candidates, &prepared.columns, block);
        pd.extend(scorecard.score_codes(&codes.columns, block.len()).iter().map(|&s| scorecard.probability(s)));
    }
    let bad: Vec<bool> = rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
    let weights = table.weights.as_ref().map(|w| weights_of(w, rows));
    measure_part(&pd, &bad, weights.as_deref(), settings)
}

fn variable_reports(
    fitted: &Fitted,
    offsets: &[usize],
    scorecard: &Scorecard,
    prepared: &Prepared,
    test_rows: &[u32],
    bag: &Bag,
) -> Vec<VariableReport> {
    let main_parameters = fitted.mains.codes.parameters();
    let mut theta = fitted.theta.get(..main_parameters).unwrap_or_default().to_vec();
    theta.extend(fitted.theta.last());
    let penalty = terms::penalty(&fitted.candidates, bag.strength);
    let (information, n) = Solver::new(&fitted.mains).information(&theta, &penalty);
    let variances = inverse_diagonal(&information, n).unwrap_or_default();
    let test_codes = terms::codes(&fitted.candidates, &prepared.columns, test_rows);
    let normal = Normal::standard();
    fitted
        .candidates
        .iter()
        .zip(&scorecard.variables)
        .zip(offsets)
        .enumerate()
        .map(|(at, ((candidate, variable), &offset))| {
            let bins = &candidate.binned.bins;
            let cells: Vec<Cell> = bins.bins.iter().map(super::binning::Bin::cell).collect();
            let woe: Vec<f64> = bins.bins.iter().map(|b| b.woe).collect();
            let rows: f64 = cells.iter().map(|c| c.rows).sum();
            // Slope of the points on the weight of evidence, rows as weights; its error by propagation.
            let mean = cells.iter().zip(&woe).map(|(c, w)| c.rows * w).sum::<f64>() / rows.max(1.0);
            let spread: f64 = cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean).powi(2)).sum();
            let loading: Vec<f64> =
                cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean) / spread.max(1e-12)).collect();
            let slope: f64 = loading.iter().zip(&variable.log_odds).map(|(l, v)| l * v).sum();
            let variance: f64 = loading
                .iter()
                .enumerate()
                .map(|(i, l)| l * l * variances.get(offset + i).copied().unwrap_or(0.0))
                .sum();
            let slope_error = variance.sqrt();
            let p_value = 2.0 * (1.0 - normal.cdf((slope / slope_error.max(1e-12)).abs()));
            let order = fitted.orders.get(at);
            let signs_agree = order.is_some_and(|o| {
                let value = |i: &usize| variable.points.get(*i).copied().unwrap_or_default();
                o.bins.iter().zip(o.bins.iter().skip(1)).all(|(a, b)| value(a) <= value(b))
            });
            let seen = cells.iter().zip(&variable.points).filter(|(c, _)| c.rows > 0.0).map(|(_, p)| *p);
            let points_range = seen.clone().max().unwrap_or(0) - seen.min().unwrap_or(0);
            let (ks, chi_square) = distances(&cells);
            VariableReport {
                variable: bins.name.clone(),
                iv: bins.iv,
                ks,
                chi_square,
                trend: bins.trend,
                signs_agree,
                stability_index: (!test_rows.is_empty())
                    .then(|| stability(&cells, test_codes.columns.get(at).map_or(&[][..], Vec::as_slice))),
                slope,
                slope_error,
                p_value,
                interval: (slope - 1.96 * slope_error, slope + 1.96 * slope_error),
                points_range,
            }
        })
        .collect()
}

/// KS distance over bins in order of event rate, and Pearson's χ².
fn distances(cells: &[Cell]) -> (f64, f64) {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let mut sorted: Vec<Cell> = cells.iter().copied().filter(|c| c.rows > 0.0).collect();
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let (mut good, mut bad, mut ks, mut chi) = (0.0, 0.0, 0.0_f64, 0.0);
    for c in sorted {
        good += c.good() / total.good();
        bad += c.bad / total.bad;
        ks = ks.max((good - bad).abs());
        let expected = c.rows * total.rate();
        chi += (c.bad - expected).powi(2) / (expected * (1.0 - total.rate()));
    }
    (ks, chi)
}

/// Population stability index of the bins; empty bins count as half a row.
fn stability(cells: &[Cell], test: &[u8]) -> f64 {
    let rows: f64 = cells.iter().map(|c| c.rows).sum();
    let mut counts = vec![0.0_f64; cells.len()];
    for &code in test {
        if let Some(n) = counts.get_mut(usize::from(code)) {
            *n += 1.0;
        }
    }
    cells
        .iter()
        .zip(counts)
        .filter(|(c, n)| c.rows > 0.0 || *n > 0.0)
        .map(|(c, n)| {
            let expected = c.rows.max(0.5) / rows;
            let actual = n.max(0.5) / test.len() as f64;
            (actual - expected) * (actual / expected).ln()
        })
        .sum()
}
