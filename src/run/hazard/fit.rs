//! Fits the hazard model, and says how well it foresees what it has not seen.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::at_risk::{AtRisk, HazardColumns};
use super::missed::MissedPayments;
use crate::domain::{days_between, parallel};
use crate::model::calibration::{Calibration, CalibrationSettings, Method, choose_calibration};
use crate::model::validation::{Ranked, ValidationSettings};
use crate::model::{BoostSettings, BoostTable, BoostedTrees, MIN_OUTCOMES, ModelError, Scorecard, measure_part};
use crate::store::stable_hash;

/// One row that is learnt from.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The night.
    pub night: Date,
    /// The borrower.
    pub row: &'a AtRisk,
    /// The first payment missed within [`LOOK_AHEAD_DAYS`], or within the horizon where that is longer; as far as is known.
    pub missed_on: Option<Date>,
}

/// Days ahead to which the trees look: what ends in default is foreseen from several nights of a borrower, so that there are more of them to learn from
/// than within the horizon. The probability is calibrated to the horizon itself.
const LOOK_AHEAD_DAYS: u16 = 90;

impl<'a> Event<'a> {
    /// What came after a night of a borrower.
    #[must_use]
    pub fn of(night: Date, row: &'a AtRisk, missed: &MissedPayments, horizon_days: u16) -> Self {
        Self { night, row, missed_on: missed.next(&row.merchant_id, night, horizon_days.max(LOOK_AHEAD_DAYS)) }
    }

    fn is_within(&self, horizon_days: u16) -> bool {
        self.missed_on.is_some_and(|missed| days_between(self.night, missed) <= i32::from(horizon_days))
    }
}

/// From what the model looks at to a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TroubleModel {
    /// What is trained.
    Trees {
        /// They tell who is worse.
        trees: BoostedTrees,
        /// And this how likely trouble is within the horizon.
        calibration: Calibration,
    },
    /// What was trained before there were trees: such models go on, and the runs that they watched can be replayed.
    Scorecard(Box<Scorecard>),
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooFewEvents {
    /// Borrowers who began to miss payments, each first missed payment once.
    pub events: u64,
    /// How many are needed.
    pub needed: u64,
    /// Borrowers and nights that could be learnt from.
    pub rows: u64,
    /// What is wrong, in words.
    pub why: String,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct FittedHazard {
    /// The model over all rows.
    pub model: TroubleModel,
    /// Probabilities of the rows, each from trees that have seen nothing of its merchant.
    pub out_of_sample: Vec<f64>,
    /// What they are worth.
    pub figures: HazardFigures,
}

/// What a hazard model rests on, and how well it foresees merchants that it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HazardFigures {
    /// Borrowers and nights learnt from.
    pub rows: u64,
    /// First missed payments among them, each once.
    pub events: u64,
    /// First and last night.
    pub nights: (Date, Date),
    /// What probabilities are worth of merchants that the model had not seen; null where neither outcome or only one was there.
    pub out_of_sample: Option<OutOfSample>,
    /// Names of what the model looks at, by falling weight.
    pub variables: Vec<String>,
}

/// Over one night a horizon, so that no first missed payment counts twice; every probability comes from a model that has seen nothing of the merchant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutOfSample {
    /// Borrowers and nights.
    pub rows: u64,
    /// Of these, followed by a first missed payment within the horizon.
    pub bad: u64,
    /// Mean probability.
    pub mean_prob: f64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Its bootstrap interval.
    pub auc_interval: Option<[f64; 2]>,
    /// Slope of the calibration line; 1 is ideal.
    pub calibration_slope: Option<f64>,
    /// Its intercept; 0 is ideal.
    pub calibration_intercept: Option<f64>,
}

impl HazardFigures {
    /// On one line.
    #[must_use]
    pub fn text(&self) -> String {
        let figure = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        let worth = self.out_of_sample.as_ref().map_or_else(String::new, |seen| {
            let (low, high) = seen.auc_interval.map_or((None, None), |[low, high]| (Some(low), Some(high)));
            format!(
                "; AUC {} ({} to {}) on merchants not seen, calibration slope {}",
                figure(seen.auc),
                figure(low),
                figure(high),
                figure(seen.calibration_slope)
            )
        });
        let (from, to) = self.nights;
        format!("{} first missed payments in {} rows, nights of {from} to {to}{worth}", self.events, self.rows)
    }
}

/// Parts into which merchants are split, so that each is foreseen by a model that has not seen it.
const FOLDS: u64 = 5;
/// Rows that a tree looks at, about, at most.
const MOST_ROWS_OF_A_TREE: f64 = 60_000.0;
/// Least probability stated.
const PROB_FLOOR: f64 = 0.000_05;
/// Bootstrap resamples behind the intervals of the figures.
const REPLICATES: u32 = 200;

/// Fits the model to rows in any order of merchants, nights ascending. `horizon_nights` is the number of nights in a horizon of so many days.
///
/// # Errors
/// The outer one where the model room refuses the table itself; the inner one where there is too little to learn from.
pub fn fit(
    columns: &HazardColumns,
    events: &[Event<'_>],
    (horizon_days, min_events): (u16, u64),
    horizon_nights: usize,
) -> Result<Result<FittedHazard, TooFewEvents>, ModelError> {
    let found = distinct(events.iter().filter(|event| event.is_within(horizon_days)));
    let rows = events.len() as u64;
    let too_little = |why: String| TooFewEvents { events: found, needed: min_events, rows, why };
    if found < min_events {
        let why = format!("{found} first missed payments in {rows} rows are too few to learn from");
        return Ok(Err(too_little(why)));
    }
    let Some(trees) = train(columns, &events.iter().collect::<Vec<_>>()) else {
        return Ok(Err(too_little(format!("{rows} rows have too few of one outcome to learn from"))));
    };
    // Much of a training is done by one thread: trainings side by side fill the others.
    let folds = parallel::each((0..FOLDS).collect(), |fold| {
        let is_held = |event: &Event<'_>| fold_of(event) == fold;
        let seen: Vec<&Event<'_>> = events.iter().filter(|event| !is_held(event)).collect();
        let held: Vec<usize> = (0..events.len()).filter(|at| events.get(*at).is_some_and(is_held)).collect();
        let rows: Vec<&AtRisk> = held.iter().filter_map(|at| events.get(*at)).map(|event| event.row).collect();
        let Some(trees) = train(columns, &seen) else { return Ok(None) };
        Ok::<_, ModelError>(Some(held.into_iter().zip(raw_probabilities(columns, &trees, &rows)?).collect::<Vec<_>>()))
    })?;
    let Some(folds) = folds.into_iter().collect::<Option<Vec<_>>>() else {
        return Ok(Err(too_little(format!("a part of {rows} rows has too few of one outcome to learn from"))));
    };
    let mut raw = vec![0.0; events.len()];
    for (at, prob) in folds.into_iter().flatten() {
        if let Some(slot) = raw.get_mut(at) {
            *slot = prob;
        }
    }
    let is_bad: Vec<bool> = events.iter().map(|event| event.is_within(horizon_days)).collect();
    let calibration = calibrate(&is_bad, &raw)?;
    // What says how far probabilities can be believed must not have been calibrated by the outcomes that it is held against.
    let by_fold = (0..FOLDS).map(|fold| {
        let others = events.iter().zip(is_bad.iter().zip(&raw)).filter(|(event, _)| fold_of(event) != fold);
        let (bad, raw): (Vec<bool>, Vec<f64>) = others.map(|(_, (bad, raw))| (*bad, *raw)).unzip();
        if bad.contains(&true) { calibrate(&bad, &raw) } else { Ok(calibration.clone()) }
    });
    let by_fold = by_fold.collect::<Result<Vec<_>, _>>()?;
    let of_row = |(event, raw): (&Event<'_>, &f64)| {
        let own = usize::try_from(fold_of(event)).ok().and_then(|fold| by_fold.get(fold));
        own.unwrap_or(&calibration).apply(*raw)
    };
    let out_of_sample: Vec<f64> = events.iter().zip(&raw).map(of_row).collect();
    let figures = figures(trees.variables(), events, &is_bad, (&out_of_sample, found), horizon_nights)?;
    let model = TroubleModel::Trees { trees, calibration };
    Ok(Ok(FittedHazard { model, out_of_sample, figures }))
}

/// Probabilities of trouble of rows.
///
/// # Errors
/// The model does not fit the columns.
pub fn probabilities(columns: &HazardColumns, model: &TroubleModel, rows: &[&AtRisk]) -> Result<Vec<f64>, ModelError> {
    match model {
        TroubleModel::Trees { trees, calibration } => {
            let raw = raw_probabilities(columns, trees, rows)?;
            Ok(raw.into_iter().map(|prob| calibration.apply(prob)).collect())
        }
        TroubleModel::Scorecard(_) if rows.is_empty() => Ok(Vec::new()),
        TroubleModel::Scorecard(card) => {
            Ok(card.score(&columns.scoring_table(rows))?.into_iter().map(|scored| scored.pd).collect())
        }
    }
}

fn raw_probabilities(columns: &HazardColumns, trees: &BoostedTrees, rows: &[&AtRisk]) -> Result<Vec<f64>, ModelError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    trees.probabilities(&columns.scoring_table(rows).columns)
}

/// From what trees say of merchants that they had not seen to the probability of trouble within the horizon.
fn calibrate(is_bad: &[bool], raw: &[f64]) -> Result<Calibration, ModelError> {
    let settings =
        CalibrationSettings { methods: vec![Method::Platt, Method::Beta], pd_floor: PROB_FLOOR, ..Default::default() };
    let failed = |why: String| ModelError::CannotMeasure { why };
    let sample = Ranked::new(is_bad, raw).map_err(|e| failed(e.to_string()))?;
    Ok(choose_calibration(&sample, &settings).map_err(|e| failed(e.to_string()))?.calibration)
}

fn fold_of(event: &Event<'_>) -> u64 {
    let hash = stable_hash(event.row.merchant_id.as_bytes());
    // Other bits than those that choose the bucket.
    (hash ^ (hash >> 29)) % FOLDS
}

fn distinct<'a, 'b: 'a>(events: impl Iterator<Item = &'a Event<'b>>) -> u64 {
    let missed: BTreeSet<(&str, Date)> =
        events.filter_map(|event| Some((event.row.merchant_id.as_str(), event.missed_on?))).collect();
    missed.len() as u64
}

/// `None` where there are too few rows of one outcome.
fn train(columns: &HazardColumns, events: &[&Event<'_>]) -> Option<BoostedTrees> {
    let target: Vec<bool> = events.iter().map(|event| event.missed_on.is_some()).collect();
    let bad = target.iter().filter(|bad| **bad).count();
    if bad.min(target.len() - bad) < MIN_OUTCOMES {
        return None;
    }
    let rows: Vec<&AtRisk> = events.iter().map(|event| event.row).collect();
    // A merchant comes back night after night: trees take or leave all of its nights.
    let groups: Vec<u64> = rows.iter().map(|row| stable_hash(row.merchant_id.as_bytes())).collect();
    let table = BoostTable {
        columns: &columns.scoring_table(&rows).columns,
        directions: columns.directions(),
        target: &target,
        groups: &groups,
    };
    let settings = BoostSettings::default();
    let group_share = settings.group_share.min(MOST_ROWS_OF_A_TREE / target.len() as f64);
    Some(BoostedTrees::train(&table, &BoostSettings { group_share, ..settings }))
}

fn figures(
    variables: Vec<String>,
    events: &[Event<'_>],
    is_bad: &[bool],
    (out_of_sample, found): (&[f64], u64),
    horizon_nights: usize,
) -> Result<HazardFigures, ModelError> {
    let nights: Vec<Date> = events.iter().map(|event| event.night).collect::<BTreeSet<_>>().into_iter().collect();
    let apart: BTreeSet<Date> = nights.iter().rev().step_by(horizon_nights.max(1)).copied().collect();
    let judged = is_bad.iter().zip(out_of_sample);
    let taken = events.iter().zip(judged).filter(|(event, _)| apart.contains(&event.night));
    let (bad, probs): (Vec<bool>, Vec<f64>) = taken.map(|(_, (bad, prob))| (*bad, *prob)).unzip();
    let settings = ValidationSettings { bootstrap_replicates: REPLICATES, ..Default::default() };
    let measured = if bad.is_empty() { None } else { Some(measure_part(&probs, &bad, None, &settings)?) };
    let out_of_sample = measured.map(|part| OutOfSample {
        rows: part.rows,
        bad: part.bad,
        mean_prob: part.mean_pd,
        auc: part.auc,
        auc_interval: part.auc_interval,
        calibration_slope: part.calibration_slope,
        calibration_intercept: part.calibration_intercept,
    });
    let first = nights.first().copied().unwrap_or_default();
    Ok(HazardFigures {
        rows: events.len() as u64,
        events: found,
        nights: (first, nights.last().copied().unwrap_or(first)),
        out_of_sample,
        variables,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::model::Direction;

    const FIRST: Date = date(2024, 1, 1);

    /// `merchants` borrowers on a dozen nights a month apart; one in ten stops paying. Those have looked worse since three months before.
    pub fn nights(merchants: usize) -> (HazardColumns, Vec<(Date, AtRisk, Option<Date>)>) {
        let columns = HazardColumns::of_directions(&[("trade", Direction::HigherSafer), ("noise", Direction::Either)]);
        let mut rows = Vec::new();
        for month in 0..12_i64 {
            let night = FIRST.saturating_add((30 * month).days());
            for number in 0..merchants {
                let stops = (number % 10 == 3).then_some(4 + i64::try_from(number / 10 % 8).unwrap());
                if stops.is_some_and(|stops| month > stops) {
                    continue;
                }
                let wander = ((number * 7 + usize::try_from(month).unwrap() * 13) % 17) as f64;
                let worse = stops.is_some_and(|stops| month + 3 > stops);
                let trade = if worse { 5.0 + wander } else { 15.0 + wander };
                let missed = stops.filter(|stops| *stops == month).map(|_| night.saturating_add(10.days()));
                rows.push((night, AtRisk::of(&format!("m{number:04}"), 1_000, &[trade, wander]), missed));
            }
        }
        (columns, rows)
    }

    pub fn events(rows: &[(Date, AtRisk, Option<Date>)]) -> Vec<Event<'_>> {
        rows.iter().map(|(night, row, missed_on)| Event { night: *night, row, missed_on: *missed_on }).collect()
    }

    #[test]
    fn trouble_is_foreseen_of_merchants_never_seen_and_more_trade_is_never_worse() {
        let (columns, rows) = nights(400);
        let fitted = fit(&columns, &events(&rows), (30, 30), 1).unwrap().unwrap();
        let seen = fitted.figures.out_of_sample.as_ref().unwrap();
        assert_eq!((fitted.figures.events, fitted.figures.rows, seen.bad), (40, rows.len() as u64, 40));
        assert!(seen.auc.unwrap() > 0.8, "{seen:?}");
        let rate = seen.bad as f64 / seen.rows as f64;
        assert!((seen.mean_prob / rate - 1.0).abs() < 0.35, "{} against {rate}", seen.mean_prob);
        let by_trade: Vec<AtRisk> = (0..35).map(|trade| AtRisk::of("x", 1, &[f64::from(trade), 8.0])).collect();
        let probs = probabilities(&columns, &fitted.model, &by_trade.iter().collect::<Vec<_>>()).unwrap();
        assert!(probs.windows(2).all(|pair| pair[1] <= pair[0]), "{probs:?}");
        assert!(probs[0] > 3.0 * probs[34], "{probs:?}");
    }

    #[test]
    fn too_few_events_give_no_model_and_say_so() {
        let (columns, rows) = nights(200);
        let too_little = fit(&columns, &events(&rows), (30, 30), 1).unwrap().unwrap_err();
        assert_eq!((too_little.events, too_little.needed, too_little.rows), (20, 30, rows.len() as u64));
        assert!(too_little.why.contains("too few"), "{}", too_little.why);
        assert_eq!(fit(&columns, &[], (30, 10), 1).unwrap().unwrap_err().events, 0);
    }

    #[test]
    fn an_event_seen_on_several_nights_counts_once() {
        let row = AtRisk::of("a", 1, &[1.0, 1.0]);
        let missed_on = Some(date(2024, 2, 1));
        let event = |night| Event { night, row: &row, missed_on };
        assert_eq!(distinct([event(date(2024, 1, 10)), event(date(2024, 1, 17))].iter()), 1);
    }
}
