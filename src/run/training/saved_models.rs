//! Trained models in their folder, and what is read back of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::approval::shortfall;
use super::job_training::TrainedModels;
use super::snapshots::SnapshotCounts;
use crate::domain::{AsOf, Digest, Hasher};
use crate::model::ability::AbilityReport;
use crate::model::registry::{ApproveAs, Bundle, Contents, Origin, Registry, load_folder};
use crate::model::{ModelError, TestFigures};
use crate::run::hazard::HAZARD;
use crate::run::{LabelKind, ModelSettings};
use crate::score::Reference;

/// What the validation file of a trained model holds beside the figures of the scorecard.
#[derive(Debug, Serialize, Deserialize)]
struct Trial {
    /// Labels by snapshot.
    snapshots: Vec<SnapshotCounts>,
    /// They are of one merchant in so many.
    one_merchant_in: u64,
    /// Figures of the ability model.
    ability: AbilityReport,
    /// Days of future that decided a label.
    performance_days: u16,
}

const REFERENCE: &str = "reference.json";
const TRIAL: &str = "training.json";

/// Saves a trained model in one step, approved where the job says by whom and it does well enough, and loads it.
///
/// # Errors
/// The version exists already with other content, or the folder cannot be written.
pub fn save_models(
    models: &Path,
    settings: &ModelSettings,
    trained: &TrainedModels,
    config: Digest,
    as_of: &AsOf,
) -> Result<Bundle, ModelError> {
    let mut hasher = Hasher::default();
    hasher.field(config.to_string().as_bytes());
    hasher.field(trained.data_digest.to_string().as_bytes());
    let hazard = trained.hazard.as_ref().map(json).transpose()?;
    if let Some(hazard) = &hazard {
        hasher.field(hazard.to_string().as_bytes());
    }
    let version = format!("{}-{}", as_of.date(), hasher.finish().short());
    let validation = json(&trained.scorecard.report)?;
    let trial = Trial {
        snapshots: trained.snapshots.clone(),
        one_merchant_in: trained.one_merchant_in,
        ability: trained.ability.report.clone(),
        performance_days: settings.performance_days,
    };
    let mut attachments =
        BTreeMap::from([(REFERENCE.to_owned(), json(&trained.reference)?), (TRIAL.to_owned(), json(&trial)?)]);
    attachments.extend(hazard.map(|hazard| (HAZARD.to_owned(), hazard)));
    let contents = Contents {
        scorecard: &trained.scorecard.scorecard,
        ability: Some(&trained.ability.ability),
        validation: &validation,
        attachments,
    };
    let origin = Origin {
        data_digest: trained.data_digest,
        config_digest: config,
        training_window: Some(trained.window),
        trained_on: as_of.date(),
        expires_on: as_of.days_before(-i32::from(settings.expires_after_days)).ok().map(|a| a.date()),
        limitations: limitations(settings),
    };
    let does_well = shortfall(settings, TestFigures::of(&validation).as_ref()).is_none();
    let approve = settings.approve_as.as_deref().filter(|_| does_well).map(|by| ApproveAs { by, on: as_of.date() });
    load_folder(&Registry::new(models).save(&settings.name, &version, &contents, origin, approve)?)
}

/// The reference population that a model was saved with.
///
/// # Errors
/// The model holds none.
pub fn reference_of(bundle: &Bundle) -> Result<Reference, ModelError> {
    let bad = |why: String| ModelError::BadModel { path: bundle.folder.join(REFERENCE), why };
    let value =
        bundle.attachments.get(REFERENCE).ok_or_else(|| bad("the model has no reference population".to_owned()))?;
    serde_json::from_value(value.clone()).map_err(|e| bad(e.to_string()))
}

/// What the training of a model told of ability; `None` for a model that was trained without it.
#[must_use]
pub fn ability_report(bundle: &Bundle) -> Option<AbilityReport> {
    serde_json::from_value(bundle.attachments.get(TRIAL)?.get("ability")?.clone()).ok()
}

fn json(value: &impl Serialize) -> Result<serde_json::Value, ModelError> {
    serde_json::to_value(value).map_err(|e| ModelError::CannotTrain { why: format!("the report has no JSON: {e}") })
}

fn limitations(settings: &ModelSettings) -> Vec<String> {
    let label = match settings.label {
        LabelKind::LoanDefault => {
            "learnt from merchants who borrowed: for those who never did, the probability is an extrapolation"
        }
        LabelKind::TradeDistress => {
            "foresees the collapse of trade, not default on a loan: there was no loan book to learn from"
        }
    };
    vec![
        label.to_owned(),
        format!("says nothing of what happens more than {} days after the observation", settings.performance_days),
    ]
}
