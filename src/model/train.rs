//! Training a scorecard, from table to points.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::assemble::{Fitted, assemble};
use super::bag::{Bag, Pruned, grow};
use super::binning::{BinRole, FineColumn};
use super::calibration::{Calibration, CalibrationChoice, CalibrationSettings, MasterScale, choose_calibration};
use super::error::ModelError;
use super::fit::SolverCheck;
use super::interactions::search;
use super::points::{Scaling, round_jointly};
use super::prepare::{Prepared, prepare};
use super::report::{BandRows, Dropped, PartReport, RoundingReport, Stage, TrainReport, TuningReport, measure_part};
use super::scorecard::{Band, FORMAT, Scorecard, ScoredVariable, reason_code};
use super::selection::{Candidate, select, suspected_leaks};
use super::settings::TrainSettings;
use super::table::TrainingTable;
use super::terms;
use super::validation::{Ranked, ValidationSettings};
use super::variable_report::{inference, variable_reports};
use crate::domain::elementary::sigmoid;

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
/// Rows that are scored at a time.
const BLOCK_ROWS: usize = 1 << 18;
/// Outcomes of each kind that training needs at least.
pub(crate) const MIN_OUTCOMES: usize = 10;

/// Trains a scorecard. The result depends on the table and the settings only, not on threads.
///
/// # Errors
/// The table cannot carry a model (one outcome, too few rows, no usable column), holds infinite values, or a solver fails.
pub fn train_scorecard(table: &TrainingTable, settings: &TrainSettings) -> Result<TrainedScorecard, ModelError> {
    settings.check()?;
    check_rows(table)?;
    let rows = rows_of(table, Sample::Training);
    let mut prepared = prepare(table, &rows, settings)?;
    let tallies = terms::tallies(&prepared, table, &rows);
    let (cut, mut more) = terms::cut(&prepared, table, &tallies, settings);
    // Before any is left out: of two columns that are known with the outcome, one alone would be told.
    let mut warnings = suspected_leaks(&cut, &prepared.columns, &tallies);
    let candidates = select(cut, &prepared.columns, &rows, settings, &mut more);
    prepared.settle_directions(&candidates, &tallies, settings);
    let mut dropped = prepared.dropped.clone();
    dropped.extend(more);
    if candidates.is_empty() {
        let reasons: Vec<String> = dropped.iter().take(8).map(|d| format!("{:?}: {}", d.variable, d.why)).collect();
        let why = format!("no variable tells good from bad ({})", reasons.join("; "));
        return Err(ModelError::CannotTrain { why });
    }
    warnings.extend(prepared.notes.iter().cloned());

    let mut bag = grow(&prepared, table, &rows, settings)?;
    let pruned = bag.prune(&prepared, table, settings);
    let shapes = averaged(&bag, &prepared);
    let tables = search(&prepared, table, &bag, &searched(&candidates, &shapes, &prepared), &shapes, settings);
    let fitted = assemble(&prepared, table, &rows, &bag, shapes, tables, settings)?;
    let used: BTreeSet<&str> = fitted.candidates.iter().map(|c| c.binned.bins.name.as_str()).collect();
    dropped.retain(|d| !used.contains(d.variable.as_str()));
    let unused = candidates.iter().filter(|c| !used.contains(c.binned.bins.name.as_str()));
    dropped.extend(unused.map(|c| told_of_unused(c, &pruned, settings)));
    check_forced(settings, &used, &dropped)?;
    warnings.extend(single_bins(&fitted.candidates, &candidates));
    warnings.extend(told_of_edits(settings, &fitted, &dropped));
    let training = Training { table, settings, prepared: &prepared, rows: &rows, bag: &bag };
    build(&training, fitted, dropped, warnings)
}

/// A column forced in is in the card, or training says why it cannot be.
fn check_forced(settings: &TrainSettings, used: &BTreeSet<&str>, dropped: &[Dropped]) -> Result<(), ModelError> {
    let Some(name) = settings.force_in.iter().find(|name| !used.contains(name.as_str())) else { return Ok(()) };
    let why = match dropped.iter().find(|d| d.variable == *name) {
        Some(left) => format!("{name:?} cannot be in the card: {}", left.why),
        None => format!("no column that may be a variable is called {name:?}"),
    };
    Err(ModelError::BadSetting { setting: "force_in", why })
}

/// Why a variable that could be cut is not in the card.
fn told_of_unused(candidate: &Candidate, pruned: &[Pruned], settings: &TrainSettings) -> Dropped {
    let (rule, why) = match pruned.iter().find(|p| p.column == candidate.column) {
        Some(Pruned { gain, harms: true, .. }) => (
            "rows-not-seen",
            format!("rows not seen are predicted better without it, by {:.1e} in mean log loss", -gain),
        ),
        Some(_) => {
            ("max-variables", format!("{} variables help more to predict rows not seen", settings.max_variables))
        }
        None => {
            let why = "beside the other variables, and never against its own event rates, it would earn no points";
            ("no-points", why.to_owned())
        }
    };
    let variable = candidate.binned.bins.name.clone();
    Dropped { variable, stage: Stage::Contribution, rule: rule.to_owned(), why }
}

/// Variables whose values all fall into one bin, beside special or missing ones: said, and why, never silent.
fn single_bins(used: &[Candidate], cut: &[Candidate]) -> Vec<String> {
    let single = |c: &&Candidate| c.binned.bins.bins.iter().filter(|b| b.role == BinRole::Regular).count() == 1;
    used.iter()
        .filter(single)
        .map(|c| {
            let note = cut.iter().find(|other| other.column == c.column).and_then(|other| other.binned.note.clone());
            let why = note.unwrap_or_else(|| "its values earn equal points, special or missing ones others".to_owned());
            format!("variable {:?} has one regular bin: {why}", c.binned.bins.name)
        })
        .collect()
}

/// What became of variables whose bins a person set, where it is not simply that they are in the model as set.
fn told_of_edits(settings: &TrainSettings, fitted: &Fitted, dropped: &[Dropped]) -> Vec<String> {
    let mut told = Vec::new();
    for edit in &settings.edits {
        let name = &edit.variable;
        let left = dropped.iter().filter(|d| d.variable == *name);
        told.extend(left.map(|d| format!("edited variable {name:?} is not in the model ({}: {})", d.rule, d.why)));
        let equal = fitted.removals.iter().filter(|r| r.variable == *name);
        told.extend(equal.map(|r| {
            format!(
                "edited variable {name:?}: the bins {} stay apart as set and earn equal points; {}",
                r.bins.join(" and "),
                r.why
            )
        }));
        let found = fitted.candidates.iter().find(|c| c.binned.bins.name == *name);
        let empty =
            found.iter().flat_map(|c| &c.binned.bins.bins).filter(|b| b.role == BinRole::Regular && b.rows <= 0.0);
        told.extend(empty.map(|b| format!("edited variable {name:?}: no training row falls into bin {:?}", b.label)));
    }
    told
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

/// What rows of the table are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sample {
    Training,
    Test,
}

#[expect(clippy::cast_possible_truncation, reason = "the row count was checked to fit 32 bits")]
fn rows_of(table: &TrainingTable, sample: Sample) -> Vec<u32> {
    let is_test = sample == Sample::Test;
    table.test.iter().enumerate().filter(|(_, test)| **test == is_test).map(|(i, _)| i as u32).collect()
}

/// Mean over members of the log odds of each fine code; a member that does not use a column counts as 0.
fn averaged(bag: &Bag, prepared: &Prepared) -> BTreeMap<usize, Vec<f64>> {
    let mut shapes: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for member in &bag.members {
        for (&column, values) in &member.shapes {
            let width = prepared.columns.get(column).map_or(0, FineColumn::width);
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

/// What a card is trained on, and by.
struct Training<'a> {
    table: &'a TrainingTable,
    settings: &'a TrainSettings,
    prepared: &'a Prepared,
    /// Training rows.
    rows: &'a [u32],
    bag: &'a Bag,
}

/// Points of a fitted card, bin after bin, and the base points last.
struct RoundedPoints {
    points: Vec<i32>,
    /// Where the points of each variable or table begin.
    offsets: Vec<usize>,
    report: RoundingReport,
}

/// Rounds the scaled log odds to whole points, and writes those of the tables.
fn round_points(fitted: &mut Fitted, scaling: Scaling) -> RoundedPoints {
    let offsets = fitted.problem.codes.offsets();
    let factor = scaling.factor();
    let mut exact: Vec<f64> = fitted.theta.iter().map(|t| t * factor).collect();
    if let Some(base) = exact.last_mut() {
        *base += scaling.offset();
    }
    let ones: Vec<f64> = fitted.problem.weights.clone().unwrap_or_else(|| vec![1.0; fitted.problem.rows()]);
    let cross = fitted.problem.cross(&ones);
    let mut in_order: Vec<Vec<usize>> =
        fitted.orders.iter().zip(&offsets).map(|(o, &offset)| o.bins.iter().map(|b| offset + b).collect()).collect();
    in_order.extend(fitted.along.iter().cloned());
    let weight: f64 = ones.iter().sum();
    let (mut points, singly, jointly) = round_jointly(&exact, &cross, weight, &in_order);
    // Rounding must not lift a level never seen above what holds it; no training row has it, so that no figure changes.
    for (unseen, above) in &fitted.caps {
        let most = above.iter().filter_map(|at| points.get(*at)).fold(0, |most, p| most.min(*p));
        if let Some(slot) = points.get_mut(*unseen) {
            *slot = (*slot).min(most);
        }
    }
    write_tables(fitted, &offsets, &points, &cross, weight);
    RoundedPoints { points, offsets, report: RoundingReport { singly, jointly } }
}

/// The card and its report.
fn build(
    training: &Training<'_>,
    mut fitted: Fitted,
    dropped: Vec<Dropped>,
    warnings: Vec<String>,
) -> Result<TrainedScorecard, ModelError> {
    let Training { table, settings, prepared, rows, bag } = *training;
    let scaling = settings.scaling;
    let RoundedPoints { points, offsets, report: rounding } = round_points(&mut fitted, scaling);
    let mut scorecard = Scorecard {
        format: FORMAT,
        scaling,
        base_points: points.last().copied().unwrap_or_default(),
        variables: variables(&fitted, &offsets, &points),
        tables: fitted.pairs.clone(),
        calibration: Calibration::identity(),
        bands: Vec::new(),
    };
    let (calibration, out_of_fold, scale) = calibrate(table, &bag.rows, &fitted.log_odds, settings)?;
    scorecard.calibration = calibration.calibration.clone();
    scorecard.master_scale();

    let measure = |rows: &[u32], scores: &[i32], replicates: u32| {
        let settings =
            ValidationSettings { bootstrap_replicates: replicates, seed: settings.seed, ..Default::default() };
        let pd: Vec<f64> = scores.iter().map(|&s| scorecard.probability(s)).collect();
        let bad: Vec<bool> = rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
        let weights = table.weights.as_ref().map(|w| weights_of(w, rows));
        measure_part(&pd, &bad, weights.as_deref(), &settings)
    };
    let test_rows = rows_of(table, Sample::Test);
    let train_scores = scores(&scorecard, &fitted.candidates, prepared, rows);
    let test_scores = scores(&scorecard, &fitted.candidates, prepared, &test_rows);
    let inference = inference(&fitted, table, bag)?;
    let report = TrainReport {
        train: measure(rows, &train_scores, 0)?,
        test: if test_rows.is_empty() { None } else { Some(measure(&test_rows, &test_scores, TEST_REPLICATES)?) },
        tuning: TuningReport {
            members: bag.members.len(),
            rows: bag.rows.len(),
            strength: bag.strength,
            tried: bag.tried.clone(),
            tables_tried: fitted.tables_tried.clone(),
            out_of_fold,
        },
        variables: variable_reports(&fitted, &offsets, &scorecard, prepared, &test_rows, &inference),
        inference: Some(inference.report),
        dropped,
        removals: fitted.removals.clone(),
        shared: fitted.shared.clone(),
        edits: prepared.edits.clone(),
        calibration,
        master_scale: Some(scale),
        bands: band_rows(&scorecard, &train_scores, &test_scores),
        rounding,
        solver: solvers(bag),
        warnings,
    };
    Ok(TrainedScorecard { scorecard, report })
}

/// The worst that any member's solver saw.
fn solvers(bag: &Bag) -> SolverCheck {
    SolverCheck {
        gradient: bag.members.iter().map(|m| m.check.gradient).fold(0.0, f64::max),
        confirmed_by_linfa: bag.members.iter().all(|m| m.check.confirmed_by_linfa),
        why_not: bag.members.iter().find_map(|m| m.check.why_not.clone()),
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

/// The calibration that does best on log odds predicted for rows not seen, the figures after it, and what bands then state.
fn calibrate(
    table: &TrainingTable,
    rows: &[u32],
    log_odds: &[f64],
    settings: &TrainSettings,
) -> Result<(CalibrationChoice, PartReport, MasterScale), ModelError> {
    let bad: Vec<bool> = rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
    let raw: Vec<f64> = log_odds.iter().map(|x| sigmoid(-x)).collect();
    let weights = table.weights.as_ref().map(|w| weights_of(w, rows));
    let failed = |why: String| ModelError::CannotMeasure { why };
    let sample = match &weights {
        Some(w) => Ranked::weighted(&bad, &raw, w),
        None => Ranked::new(&bad, &raw),
    }
    .map_err(|e| failed(e.to_string()))?;
    let calibration = CalibrationSettings {
        methods: settings.calibration.clone(),
        seed: settings.seed,
        pd_floor: settings.pd_floor,
        ..CalibrationSettings::default()
    };
    let choice = choose_calibration(&sample, &calibration).map_err(|e| failed(e.to_string()))?;
    let pd: Vec<f64> = raw.iter().map(|&p| choice.calibration.apply(p)).collect();
    let plain = ValidationSettings { bootstrap_replicates: 0, ..ValidationSettings::default() };
    let out_of_fold = measure_part(&pd, &bad, weights.as_deref(), &plain)?;
    let calibrated = Ranked::new(&bad, &pd).map_err(|e| failed(e.to_string()))?;
    let scale = MasterScale::fit(&calibrated, &Scorecard::band_bounds(), settings.margin_confidence)
        .map_err(|e| failed(e.to_string()))?;
    Ok((choice, out_of_fold, scale))
}

fn weights_of(weights: &[f64], rows: &[u32]) -> Vec<f64> {
    rows.iter().map(|&r| weights.get(r as usize).copied().unwrap_or(1.0)).collect()
}

/// Scores of the rows given, from their fine codes.
fn scores(scorecard: &Scorecard, candidates: &[Candidate], prepared: &Prepared, rows: &[u32]) -> Vec<i32> {
    let mut scores = Vec::with_capacity(rows.len());
    for block in rows.chunks(BLOCK_ROWS) {
        let codes = terms::codes(candidates, &prepared.columns, block);
        scores.extend(scorecard.score_codes(&codes.columns, block.len()));
    }
    scores
}

/// How many training and test rows fall into each band.
fn band_rows(scorecard: &Scorecard, train: &[i32], test: &[i32]) -> Vec<BandRows> {
    let count = |scores: &[i32]| -> Vec<u64> {
        let mut counts = vec![0; scorecard.bands.len()];
        for &score in scores {
            let band = scorecard.bands.iter().position(|b| b.min_score.is_none_or(|least| score >= least));
            if let Some(slot) = band.and_then(|at| counts.get_mut(at)) {
                *slot += 1;
            }
        }
        counts
    };
    let counts = count(train).into_iter().zip(count(test));
    let rows =
        |(band, (train_rows, test_rows)): (&Band, _)| BandRows { band: band.name.clone(), train_rows, test_rows };
    scorecard.bands.iter().zip(counts).map(rows).collect()
}
