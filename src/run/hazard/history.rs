//! Trains the hazard model on past nights of a store.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::at_risk::{AtRisk, HazardColumns};
use super::fit::{Event, HazardFigures, TooFewEvents, TroubleModel, fit, probabilities};
use super::missed::{FirstMissed, MissedPayments, first_missed};
use super::past_nights::past_rows;
use crate::domain::{AsOf, parallel};
use crate::features::FeatureTable;
use crate::model::ModelError;
use crate::model::registry::Bundle;
use crate::monitor::{MonitorError, Outlook};
use crate::repayment::{LoanLedger, repayment_tables};
use crate::run::ModelSettings;
use crate::run::job_training::TrainingError;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::store::Store;

/// The file of a model's folder.
pub const HAZARD: &str = "hazard.json";

/// What training made: a row of a model's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum HazardModel {
    /// A model.
    Trained(Box<TrainedHazard>),
    /// None: there was too little to learn from, or what was learnt is no better than chance.
    TooLittle(TooFewEvents),
}

/// A model of trouble to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedHazard {
    /// Days within which it foresees trouble.
    pub horizon_days: u16,
    /// What it rests on.
    pub figures: HazardFigures,
    /// From what it looks at to a probability.
    #[serde(alias = "scorecard")]
    pub model: TroubleModel,
}

/// AUC of a model that knows nothing.
const CHANCE: f64 = 0.5;

impl HazardModel {
    /// On one line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Trained(model) => format!("hazard model: {}", model.figures.text()),
            Self::TooLittle(why) => format!("no hazard model: {}", why.why),
        }
    }

    /// The one that a job's model was saved with; `None` where it was trained without.
    ///
    /// # Errors
    /// It cannot be understood.
    pub fn of(bundle: &Bundle) -> Result<Option<Self>, ModelError> {
        let bad = |e: serde_json::Error| ModelError::BadModel { path: bundle.folder.join(HAZARD), why: e.to_string() };
        bundle.attachments.get(HAZARD).map(|value| serde_json::from_value(value.clone()).map_err(bad)).transpose()
    }
}

/// What is foreseen of borrowers: the model, and how a shard's rows for it are made.
#[derive(Debug, Clone)]
pub struct HazardScoring {
    columns: HazardColumns,
    model: TroubleModel,
    case_cost_minor: i64,
}

impl HazardScoring {
    /// By the job's model; `None` where the monitor file asks for no hazard model, or there was too little to learn one from.
    ///
    /// # Errors
    /// The model's file cannot be understood.
    pub fn of(rules: &JobRules, bundle: &Bundle) -> Result<Option<Self>, ModelError> {
        let Some(terms) = rules.monitor.hazard else { return Ok(None) };
        Ok(match HazardModel::of(bundle)? {
            Some(HazardModel::Trained(model)) => {
                let (columns, case_cost_minor) = (HazardColumns::of(rules), terms.case_cost_minor);
                Some(Self { columns, model: model.model, case_cost_minor })
            }
            Some(HazardModel::TooLittle(_)) | None => None,
        })
    }

    /// Outlooks of a shard's borrowers who owe something and are late with nothing, by merchant.
    ///
    /// # Errors
    /// A feature that is infinite, or a model that does not fit.
    pub fn outlooks<E: From<MonitorError> + From<ModelError>>(
        &self,
        table: &FeatureTable,
        ledger: &LoanLedger,
        on: Date,
    ) -> Result<Vec<(String, Outlook)>, E> {
        let rows = self.columns.rows(table, ledger, on)?;
        let current: Vec<&AtRisk> = rows.iter().filter(|row| row.is_current).collect();
        let probs = probabilities(&self.columns, &self.model, &current)?;
        let outlook = |(row, trouble_prob): (&&AtRisk, f64)| {
            (
                row.merchant_id.clone(),
                Outlook { trouble_prob, owed_minor: row.owed_minor, case_cost_minor: self.case_cost_minor },
            )
        };
        Ok(current.iter().zip(probs).map(outlook).collect())
    }
}

/// Learns from past nights of a store what could be known at `as_of`, where the monitor file asks for it.
///
/// # Errors
/// A night that cannot be measured, or the model room.
pub fn learn(
    settings: &ModelSettings,
    rules: &JobRules,
    store: &Store,
    as_of: &AsOf,
    progress: &dyn Progress,
) -> Result<Option<HazardModel>, TrainingError> {
    let Some(terms) = rules.monitor.hazard else { return Ok(None) };
    let missed = missed_payments(rules, store, as_of)?;
    let needed = u64::from(terms.min_events);
    let events = missed.len() as u64;
    if events < needed {
        // Before any night is measured.
        let why = format!("{events} loans went into default by {}, {needed} are needed (min_events)", as_of.date());
        return Ok(Some(HazardModel::TooLittle(TooFewEvents { events, needed, rows: 0, why })));
    }
    let missed = MissedPayments::new(missed);
    let columns = HazardColumns::of(rules);
    let rows = past_rows((terms, settings.most_learnt_rows), rules, &columns, store, as_of, progress)?;
    let events: Vec<Event<'_>> =
        rows.iter().map(|(night, row)| Event::of(*night, row, &missed, terms.horizon_days)).collect();
    progress.stage("train: hazard", None);
    let horizon_nights = usize::from(terms.horizon_days.div_ceil(terms.every_days.max(1)));
    let fitted = match fit(&columns, &events, (terms.horizon_days, needed), horizon_nights)? {
        Ok(fitted) => fitted,
        Err(too_little) => return Ok(Some(HazardModel::TooLittle(too_little))),
    };
    let worth = fitted.figures.out_of_sample.as_ref().and_then(|seen| seen.auc_interval);
    if worth.is_none_or(|[low, _]| low <= CHANCE) {
        let why = "what it foresees of merchants that it has not seen may be no better than chance".to_owned();
        let HazardFigures { events, rows, .. } = fitted.figures;
        return Ok(Some(HazardModel::TooLittle(TooFewEvents { events, needed, rows, why })));
    }
    Ok(Some(HazardModel::Trained(Box::new(TrainedHazard {
        horizon_days: terms.horizon_days,
        figures: fitted.figures,
        model: fitted.model,
    }))))
}

/// Loans that were ever in default, as known at `as_of`.
fn missed_payments(rules: &JobRules, store: &Store, as_of: &AsOf) -> Result<Vec<FirstMissed>, TrainingError> {
    let by_bucket = parallel::each((0..store.buckets()).collect(), |bucket| {
        let shard = store.seen(&store.loans(bucket)?, as_of)?;
        let tables = repayment_tables(&shard, &rules.ledger)?;
        Ok::<_, TrainingError>(tables.map_or_else(Vec::new, |t| first_missed(&t.ledger, &rules.ledger.default_dpd)))
    })?;
    Ok(by_bucket.concat())
}

#[cfg(test)]
mod tests {
    use super::super::at_risk::tests::{ON, loan};
    use super::super::fit::tests::{events, nights};
    use super::*;
    use crate::features::FeatureColumn;
    use crate::model::calibration::CalibrationMap;
    use crate::repayment::LoanStanding;
    use crate::run::decide::DecideError;

    #[test]
    fn a_saved_model_foresees_what_the_trained_one_does_and_only_of_who_is_late_with_nothing() {
        let (columns, rows) = nights(400);
        let fitted = fit(&columns, &events(&rows), (30, 30), 1).unwrap().unwrap();
        let card = fitted.model.clone();
        let saved = HazardModel::Trained(Box::new(TrainedHazard {
            horizon_days: 30,
            figures: fitted.figures,
            model: fitted.model,
        }));
        let read: HazardModel = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        assert_eq!(read, saved);
        assert!(read.text().contains("40 first missed payments"), "{}", read.text());
        let HazardModel::Trained(model) = read else { panic!("it was trained") };
        let scoring = HazardScoring { columns: columns.clone(), model: model.model, case_cost_minor: 0 };

        let column =
            |name: &str, values: [f64; 3]| FeatureColumn { name: name.to_owned(), values: values.map(Some).to_vec() };
        let table = FeatureTable {
            merchants: ["a", "b", "c"].map(str::to_owned).to_vec(),
            columns: vec![column("trade", [6.0, 6.0, 30.0]), column("noise", [1.0; 3])],
        };
        let known = vec![loan("a", "1"), LoanStanding { dpd: 1, ..loan("b", "1") }, loan("c", "1")];
        let ledger = LoanLedger { known, unknown: Vec::new(), remarks: Vec::new() };
        let seen = scoring.outlooks::<DecideError>(&table, &ledger, ON).unwrap();
        let [(first, worse), (second, better)] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((first.as_str(), second.as_str(), worse.owed_minor), ("a", "c", 600));
        assert!(worse.trouble_prob > 2.0 * better.trouble_prob, "{seen:?}");
        let rows = [AtRisk::of("a", 600, &[6.0, 1.0])];
        let direct = probabilities(&columns, &card, &rows.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(direct[0].to_bits(), worse.trouble_prob.to_bits());
    }

    #[test]
    fn a_model_that_was_saved_as_a_scorecard_goes_on() {
        let (columns, rows) = nights(400);
        let fitted = fit(&columns, &events(&rows), (30, 30), 1).unwrap().unwrap();
        let card = crate::model::fixture::card(CalibrationMap::Identity);
        let saved = serde_json::json!({
            "state": "trained", "horizon_days": 30, "figures": fitted.figures, "scorecard": card,
        });
        let HazardModel::Trained(read) = serde_json::from_value(saved).unwrap() else { panic!("it was trained") };
        assert_eq!(read.model, TroubleModel::Scorecard(Box::new(card)));
    }
}
