//! Fits the hazard model, and says how well it foresees what it has not seen.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::at_risk::{AtRisk, HazardColumns};
use crate::domain::parallel;
use crate::model::validation::ValidationSettings;
use crate::model::{self, ModelError, Scorecard, TrainSettings, TrainedScorecard, measure_part};
use crate::store::stable_hash;

/// One row that is learnt from.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The night.
    pub night: Date,
    /// The borrower.
    pub row: &'a AtRisk,
    /// The first missed payment within the horizon, where there is one.
    pub missed_on: Option<Date>,
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooLittle {
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
    /// The model over all rows, and its report.
    pub model: TrainedScorecard,
    /// Probabilities of the rows, each from a model that has seen nothing of its merchant.
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
/// Events that a variable needs behind it. So few will do, since weak signs add up and the points are averaged over members: with more needed, fewer flags are
/// right where the same money is found (docs/monitoring.md).
const EVENTS_A_VARIABLE: u64 = 2;
/// Variables at most, however many events there are.
const MOST_VARIABLES: u64 = 48;
/// Bootstrap resamples behind the intervals of the figures.
const REPLICATES: u32 = 200;

/// Fits the model to rows in any order of merchants, nights ascending. `horizon_nights` is the number of nights in a horizon.
///
/// # Errors
/// The outer one where the model room refuses the table itself; the inner one where there is too little to learn from.
pub fn fit(
    columns: &HazardColumns,
    events: &[Event<'_>],
    min_events: u64,
    horizon_nights: usize,
) -> Result<Result<FittedHazard, TooLittle>, ModelError> {
    let found = distinct(events.iter());
    let rows = events.len() as u64;
    let too_little = |why: String| TooLittle { events: found, needed: min_events, rows, why };
    if found < min_events {
        let why = format!("{found} first missed payments in {rows} rows are too few to learn from");
        return Ok(Err(too_little(why)));
    }
    let model = match train(columns, &events.iter().collect::<Vec<_>>(), found, false) {
        Err(ModelError::CannotTrain { why }) => return Ok(Err(too_little(why))),
        other => other?,
    };
    // Much of a training is done by one thread: trainings side by side fill the others.
    let folds = parallel::each((0..FOLDS).collect(), |fold| {
        let is_held = |event: &Event<'_>| fold_of(event) == fold;
        let seen: Vec<&Event<'_>> = events.iter().filter(|event| !is_held(event)).collect();
        let card = train(columns, &seen, distinct(seen.iter().copied()), true)?.scorecard;
        let held: Vec<usize> = (0..events.len()).filter(|at| events.get(*at).is_some_and(is_held)).collect();
        let rows: Vec<&AtRisk> = held.iter().filter_map(|at| events.get(*at)).map(|event| event.row).collect();
        let probs = probabilities(columns, &card, &rows)?;
        Ok(held.into_iter().zip(probs).collect::<Vec<_>>())
    });
    let folds = match folds {
        Err(ModelError::CannotTrain { why }) => return Ok(Err(too_little(why))),
        other => other?,
    };
    let mut out_of_sample = vec![0.0; events.len()];
    for (at, prob) in folds.into_iter().flatten() {
        if let Some(slot) = out_of_sample.get_mut(at) {
            *slot = prob;
        }
    }
    let figures = figures(&model, events, &out_of_sample, horizon_nights)?;
    Ok(Ok(FittedHazard { model, out_of_sample, figures }))
}

/// Probabilities of trouble of rows.
///
/// # Errors
/// The card does not fit the columns.
pub fn probabilities(columns: &HazardColumns, card: &Scorecard, rows: &[&AtRisk]) -> Result<Vec<f64>, ModelError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(card.score(&columns.scoring_table(rows))?.into_iter().map(|scored| scored.pd).collect())
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

/// `is_trial`: a model that only judges how the other does on merchants not seen.
fn train(
    columns: &HazardColumns,
    events: &[&Event<'_>],
    found: u64,
    is_trial: bool,
) -> Result<TrainedScorecard, ModelError> {
    let rows: Vec<&AtRisk> = events.iter().map(|event| event.row).collect();
    let target: Vec<bool> = events.iter().map(|event| event.missed_on.is_some()).collect();
    let mut table = columns.training_table(&rows, target)?;
    table.times = Some(events.iter().map(|event| f64::from(crate::domain::days_since_epoch(event.night))).collect());
    // A merchant comes back night after night: folds are cut between merchants, not through them.
    table.groups = Some(rows.iter().map(|row| stable_hash(row.merchant_id.as_bytes())).collect());
    let most = (found / EVENTS_A_VARIABLE).clamp(3, MOST_VARIABLES);
    let settings = TrainSettings {
        max_variables: usize::try_from(most).unwrap_or(usize::MAX),
        max_tables: 0,
        missing_is_never_good: true,
        is_trial,
        ..TrainSettings::default()
    };
    model::train_scorecard(&table, &settings)
}

fn figures(
    model: &TrainedScorecard,
    events: &[Event<'_>],
    out_of_sample: &[f64],
    horizon_nights: usize,
) -> Result<HazardFigures, ModelError> {
    let nights: Vec<Date> = events.iter().map(|event| event.night).collect::<BTreeSet<_>>().into_iter().collect();
    let apart: BTreeSet<Date> = nights.iter().rev().step_by(horizon_nights.max(1)).copied().collect();
    let taken = events.iter().zip(out_of_sample).filter(|(event, _)| apart.contains(&event.night));
    let (bad, probs): (Vec<bool>, Vec<f64>) = taken.map(|(event, prob)| (event.missed_on.is_some(), *prob)).unzip();
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
    let mut variables: Vec<(i32, String)> =
        model.report.variables.iter().map(|v| (v.points_range, v.variable.clone())).collect();
    variables.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let first = nights.first().copied().unwrap_or_default();
    Ok(HazardFigures {
        rows: events.len() as u64,
        events: distinct(events.iter()),
        nights: (first, nights.last().copied().unwrap_or(first)),
        out_of_sample,
        variables: variables.into_iter().map(|(_, name)| name).collect(),
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
        let fitted = fit(&columns, &events(&rows), 30, 1).unwrap().unwrap();
        let seen = fitted.figures.out_of_sample.as_ref().unwrap();
        assert_eq!((fitted.figures.events, fitted.figures.rows, seen.bad), (40, rows.len() as u64, 40));
        assert!(seen.auc.unwrap() > 0.8, "{seen:?}");
        let rate = seen.bad as f64 / seen.rows as f64;
        assert!((seen.mean_prob / rate - 1.0).abs() < 0.35, "{} against {rate}", seen.mean_prob);
        let by_trade: Vec<AtRisk> = (0..35).map(|trade| AtRisk::of("x", 1, &[f64::from(trade), 8.0])).collect();
        let probs = probabilities(&columns, &fitted.model.scorecard, &by_trade.iter().collect::<Vec<_>>()).unwrap();
        assert!(probs.windows(2).all(|pair| pair[1] <= pair[0]), "{probs:?}");
        assert!(probs[0] > 3.0 * probs[34], "{probs:?}");
    }

    #[test]
    fn too_few_events_give_no_model_and_say_so() {
        let (columns, rows) = nights(200);
        let too_little = fit(&columns, &events(&rows), 30, 1).unwrap().unwrap_err();
        assert_eq!((too_little.events, too_little.needed, too_little.rows), (20, 30, rows.len() as u64));
        assert!(too_little.why.contains("too few"), "{}", too_little.why);
        assert_eq!(fit(&columns, &[], 10, 1).unwrap().unwrap_err().events, 0);
    }

    #[test]
    fn an_event_seen_on_several_nights_counts_once() {
        let row = AtRisk::of("a", 1, &[1.0, 1.0]);
        let missed_on = Some(date(2024, 2, 1));
        let event = |night| Event { night, row: &row, missed_on };
        assert_eq!(distinct([event(date(2024, 1, 10)), event(date(2024, 1, 17))].iter()), 1);
    }
}
