//! The walk from a published score and limit back to points, bins, features, windows, row counts and input digests. Everything is
//! read from the run folder itself: an auditor needs neither the job nor the raw data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::{Column, ModelError, Scorecard, ScoringTable};
use crate::offer::{
    Due, Irreproducible, Offer, OfferError, PolicyApproval, PriceFigure, ScenarioCase, reproduce, schedule_of,
};
use crate::publish::{Entry, FeatureFormula, InputFile, PublishError, RestatedNight, ScoreBook, WindowColumns};
use crate::scenario::Scenario;
use crate::wash::LedgerLine;

/// Why a run cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run cannot be read, or is not what was published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The run's model cannot score the run's features.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What decisions rested on was written by another version of the program.
    #[error(transparent)]
    Case(#[from] OfferError),
    /// A number of a published offer does not follow from those beside it.
    #[error("explain offer {offer_id}: {source}")]
    Offer {
        /// Which.
        offer_id: String,
        /// In what.
        source: Irreproducible,
    },
    /// The published score is not what the published model makes of the published features.
    #[error("explain merchant {merchant}: the model makes {recomputed} of its features, the run published {published}")]
    Disagrees {
        /// Whose.
        merchant: String,
        /// Recomputed score.
        recomputed: i32,
        /// Published score.
        published: i32,
    },
}

/// A merchant's numbers, walked back.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What was published.
    pub entry: Entry,
    /// What a borrower would pay on each offer that is drawn in full.
    pub schedules: Vec<OfferSchedule>,
    /// Points every merchant has.
    pub base_points: i32,
    /// Points of each variable and table of the scorecard; with the base they sum to the score.
    pub points: Vec<PointsWalk>,
    /// Every feature, with the windows behind it.
    pub features: Vec<FeatureWalk>,
    /// What the merchant's broken records might have said; empty where none is broken.
    pub scenarios: Vec<ScenarioWalk>,
    /// Raw files that the run read.
    pub inputs: Vec<InputFile>,
    /// What became of their rows.
    pub ledger: Vec<LedgerLine>,
    /// Who stands for the policy; null where its file does not say.
    pub policy: Option<PolicyApproval>,
    /// The figures of the policy that prices rest on, the lawful most among them, with where they come from; empty of runs published before they were told.
    pub price: Vec<PriceFigure>,
    /// The night that the run restates; null of every other run.
    pub restates: Option<RestatedNight>,
    /// Digest of configuration.
    pub config_digest: String,
    /// Digest of the model.
    pub model_digest: String,
    /// Program.
    pub code_version: String,
}

/// What the summary of a run says of its policy.
#[derive(Deserialize)]
struct PolicyOfRun {
    #[serde(default)]
    policy: Option<PolicyApproval>,
    #[serde(default)]
    price: Vec<PriceFigure>,
}

/// The payments of an offer that is drawn in full.
#[derive(Debug, Serialize)]
pub struct OfferSchedule {
    /// The offer.
    pub offer_id: String,
    /// It is repaid by a share of sales: these are its milestones, at the most interest that can fall due.
    pub is_minimum: bool,
    /// Its payments; they add up to limit and interest.
    pub payments: Vec<Due>,
}

/// One line of the scorecard.
#[derive(Debug, Serialize)]
pub struct PointsWalk {
    /// Variable, or two joined by ` × `.
    pub variable: String,
    /// Bin it fell into.
    pub bin: String,
    /// Value; null for missing and for tables.
    pub value: Option<f64>,
    /// Points.
    pub points: i32,
    /// Points of the average training row.
    pub reference_points: i32,
}

/// One feature.
#[derive(Debug, Serialize)]
pub struct FeatureWalk {
    /// Name.
    pub feature: String,
    /// Value; null for too little history.
    pub value: Option<f64>,
    /// Formula.
    pub formula: String,
    /// Windows it reads.
    pub windows: Vec<WindowWalk>,
}

/// What would be known if broken records had said something.
#[derive(Debug, Serialize)]
pub struct ScenarioWalk {
    /// How they are read.
    pub scenario: Scenario,
    /// Score.
    pub score: i32,
    /// Risk band.
    pub band: String,
    /// Probability of default.
    pub pd_prob: f64,
    /// Features that differ from what is known.
    pub features: Vec<ScenarioFeature>,
}

/// A feature that a scenario says otherwise.
#[derive(Debug, Serialize)]
pub struct ScenarioFeature {
    /// Name.
    pub feature: String,
    /// As it is known; null for too little history.
    pub known: Option<f64>,
    /// In the scenario.
    pub value: Option<f64>,
}

/// One window of a measure.
#[derive(Debug, Serialize)]
pub struct WindowWalk {
    /// Measure.
    pub measure: String,
    /// View it is declared on.
    pub table: String,
    /// First date; null for all of history.
    pub from_on: Option<String>,
    /// End, exclusive.
    pub before_on: String,
    /// Exact sum; null without evidence.
    pub sum: Option<i64>,
    /// Rows in it.
    pub rows: Option<i64>,
}

/// Explains one merchant of a run folder, or of the current run of an output folder; `None` if it was not scored.
///
/// # Errors
/// The run is not what was published, or the score does not follow from what is there.
pub fn explain(run: &Path, merchant: &str) -> Result<Option<Explanation>, ReportError> {
    let book = ScoreBook::open_folder(run)?;
    let Some(mut entry) = book.get(merchant)? else { return Ok(None) };
    // A run that is named by its own folder is explained as it was published.
    let is_current = match book.is_current(run) {
        Err(PublishError::NothingPublished(_)) => false,
        other => other?,
    };
    if is_current {
        entry.answered = book.answered(run, merchant)?;
    }
    let features = book.features(merchant)?.unwrap_or_default();
    let evidence = book.evidence(merchant)?.unwrap_or_default();
    let formulas: Vec<FeatureFormula> = book.json("evidence.json")?;
    let scorecard: Scorecard = book.json("model/model.json")?;
    let points = walk_points(&scorecard, &features, &entry)?;
    let manifest = book.manifest();
    let PolicyOfRun { policy, price } = book.json("results.json")?;
    Ok(Some(Explanation {
        schedules: walk_offers(&entry)?,
        base_points: scorecard.base_points,
        points,
        scenarios: walk_scenarios(&book, merchant, &features)?,
        features: formulas.iter().map(|f| walk_feature(f, &features, &evidence)).collect(),
        inputs: manifest.inputs.clone(),
        ledger: book.json("wash_ledger.json")?,
        policy,
        price,
        restates: manifest.restates.clone(),
        config_digest: manifest.config_digest.to_string(),
        model_digest: manifest.model_digest.to_string(),
        code_version: manifest.code_version.clone(),
        entry,
    }))
}

fn walk_scenarios(
    book: &ScoreBook,
    merchant: &str,
    features: &BTreeMap<String, Option<f64>>,
) -> Result<Vec<ScenarioWalk>, ReportError> {
    let Some(case) = book.case(merchant)? else { return Ok(Vec::new()) };
    let facts = case.facts()?;
    let walk = |case: &ScenarioCase| {
        let differs = |(feature, value): (&String, &Option<f64>)| {
            let known = features.get(feature).copied().flatten();
            (known != *value).then(|| ScenarioFeature { feature: feature.clone(), known, value: *value })
        };
        ScenarioWalk {
            scenario: case.scenario,
            score: case.score,
            band: case.band.clone(),
            pd_prob: case.pd.get(),
            features: case.features.iter().filter_map(differs).collect(),
        }
    };
    Ok(facts.scenarios().iter().map(walk).collect())
}

/// Recomputes every number of the offers that follows from others.
fn walk_offers(entry: &Entry) -> Result<Vec<OfferSchedule>, ReportError> {
    let walk = |offer: &Offer| {
        let failed = |source| ReportError::Offer { offer_id: offer.offer_id.clone(), source };
        reproduce(offer).map_err(failed)?;
        let payments = schedule_of(offer).map_err(|_| failed(Irreproducible::NoSchedule))?;
        Ok(OfferSchedule { offer_id: offer.offer_id.clone(), is_minimum: offer.sales_share_ppm.is_some(), payments })
    };
    entry.offers.iter().map(walk).collect()
}

/// Scores the published features again: what is shown is what counted, or nothing is shown.
fn walk_points(
    scorecard: &Scorecard,
    features: &BTreeMap<String, Option<f64>>,
    entry: &Entry,
) -> Result<Vec<PointsWalk>, ReportError> {
    let table = ScoringTable {
        columns: features.iter().map(|(name, value)| Column::from_options(name, std::slice::from_ref(value))).collect(),
    };
    // A merchant of whom nothing is known has no score to walk back.
    let Some(published) = entry.score.as_ref().and_then(|s| s.score) else { return Ok(Vec::new()) };
    let Some(scored) = scorecard.score(&table)?.into_iter().next() else { return Ok(Vec::new()) };
    if published != scored.score {
        return Err(ReportError::Disagrees {
            merchant: entry.merchant_id.clone(),
            recomputed: scored.score,
            published,
        });
    }
    let label = |variable: usize| {
        let bin = scored.bins.get(variable).copied().map_or(0, usize::from);
        let bins = scorecard.variables.get(variable).map(|v| &v.bins.bins);
        bins.and_then(|b| b.get(bin)).map_or(String::new(), |b| b.label.clone())
    };
    let name = |variable: usize| scorecard.variables.get(variable).map_or(String::new(), |v| v.bins.name.clone());
    let singles = scorecard.variables.iter().enumerate().map(|(at, variable)| PointsWalk {
        variable: variable.bins.name.clone(),
        bin: label(at),
        value: features.get(&variable.bins.name).copied().flatten(),
        points: scored.points.get(at).copied().unwrap_or(0),
        reference_points: variable.reference_points,
    });
    let tables = scorecard.tables.iter().enumerate().map(|(at, table)| PointsWalk {
        variable: format!("{} × {}", name(table.left), name(table.right)),
        bin: format!("{} × {}", label(table.left), label(table.right)),
        value: None,
        points: scored.points.get(scorecard.variables.len() + at).copied().unwrap_or(0),
        reference_points: table.reference_points,
    });
    Ok(singles.chain(tables).collect())
}

fn walk_feature(
    formula: &FeatureFormula,
    features: &BTreeMap<String, Option<f64>>,
    evidence: &BTreeMap<String, Option<i64>>,
) -> FeatureWalk {
    let window = |w: &WindowColumns| WindowWalk {
        measure: w.measure.clone(),
        table: w.table.clone(),
        from_on: w.from_on.clone(),
        before_on: w.before_on.clone(),
        sum: evidence.get(&w.sum_column).copied().flatten(),
        rows: evidence.get(&w.rows_column).copied().flatten(),
    };
    FeatureWalk {
        feature: formula.feature.clone(),
        value: features.get(&formula.feature).copied().flatten(),
        formula: formula.formula.clone(),
        windows: formula.windows.iter().map(window).collect(),
    }
}
