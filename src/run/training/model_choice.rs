//! Which model scores tonight.

use std::path::Path;

use jiff::civil::Date;

use crate::domain::Digest;
use crate::model::ModelError;
use crate::model::registry::{Bundle, Registry, load_folder};

/// The model to use, or that one must be trained.
#[derive(Debug)]
pub enum ModelChoice {
    /// This one: approved, in force, trained under this configuration on what could be seen by as-of.
    Use(Box<Bundle>),
    /// There is none.
    Train,
}

/// A choice, and what an operator should know of the versions that were passed over.
#[derive(Debug)]
pub struct Chosen {
    /// The choice.
    pub model: ModelChoice,
    /// One line a broken version.
    pub notes: Vec<String>,
}

/// Chooses among the versions of a model.
///
/// A pinned version must fit. Otherwise the version trained last among those that fit is taken. A version that is broken (a file missing, torn
/// or altered) is named and passed over where another fits; where none does it is refused: training another would go round what may be
/// tampering. A version that would fit but that nobody has approved is refused too, unless an approved one fits.
///
/// # Errors
/// [`ModelError::Refused`] or [`ModelError::BadModel`] with the version and the reason.
pub fn choose_model(
    models: &Path,
    name: &str,
    pinned: Option<&str>,
    as_of: Date,
    config: Digest,
) -> Result<Chosen, ModelError> {
    let registry = Registry::new(models);
    if let Some(version) = pinned {
        let bundle = registry.load_approved(name, version, as_of, Some(config))?;
        return match look_ahead_refusal(&bundle, as_of) {
            None => Ok(Chosen { model: ModelChoice::Use(Box::new(bundle)), notes: Vec::new() }),
            Some(refusal) => Err(refusal),
        };
    }
    let mut fitting: Option<Bundle> = None;
    let mut unapproved: Option<ModelError> = None;
    let mut broken: Vec<ModelError> = Vec::new();
    for folder in registry.versions(name)? {
        let bundle = match load_folder(&folder) {
            Ok(bundle) => bundle,
            Err(error @ (ModelError::Refused { .. } | ModelError::BadModel { .. })) => {
                broken.push(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        // Another configuration, another time: not a model for this run, and no fault.
        if bundle.manifest.origin.config_digest != config
            || look_ahead_refusal(&bundle, as_of).is_some()
            || bundle.manifest.origin.expires_on.is_some_and(|last| as_of > last)
        {
            continue;
        }
        if let Err(refusal) = bundle.check_use(as_of, Some(config)) {
            unapproved = Some(refusal);
            continue;
        }
        let key = |b: &Bundle| (b.manifest.origin.trained_on, b.manifest.version.clone());
        if fitting.as_ref().is_none_or(|best| key(&bundle) > key(best)) {
            fitting = Some(bundle);
        }
    }
    let notes = broken.iter().map(|e| format!("passed over a broken version: {e}")).collect();
    match (fitting, unapproved, broken.into_iter().next()) {
        (Some(bundle), _, _) => Ok(Chosen { model: ModelChoice::Use(Box::new(bundle)), notes }),
        (None, Some(refusal), _) | (None, None, Some(refusal)) => Err(refusal),
        (None, None, None) => Ok(Chosen { model: ModelChoice::Train, notes }),
    }
}

/// What an operator should know of a model that foresees receipts over other terms than the policy of today asks for: it was trained before the
/// policy was changed. Caps that rest on receipts count too few of them then, or none.
pub fn terms_not_foreseen(bundle: &Bundle, wanted: &[u16]) -> Option<String> {
    let foreseen = bundle.ability.as_ref()?.horizon_days();
    let days = |all: &[u16]| all.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let missing: Vec<u16> = wanted.iter().copied().filter(|days| !foreseen.contains(days)).collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "model {} foresees receipts over {} days, and the policy asks for {} days too: what a loan of such a term may be rests on a shorter time, or on \
         nothing; train a model under this policy with `integrity train`",
        bundle.id(),
        days(&foreseen),
        days(&missing)
    ))
}

/// A model that was trained on what this run cannot yet see.
fn look_ahead_refusal(bundle: &Bundle, as_of: Date) -> Option<ModelError> {
    let trained_on = bundle.manifest.origin.trained_on;
    (trained_on > as_of).then(|| ModelError::Refused {
        path: bundle.folder.clone(),
        why: format!("it was trained on data up to {trained_on}, this run may only see what came before {as_of}"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{card, origin};
    use crate::model::registry::{ApproveAs, Contents, Origin};

    const TODAY: Date = Date::constant(2024, 5, 9);

    fn config() -> Digest {
        origin().config_digest
    }

    /// A version trained on a day of May 2024; the job approves it or nobody does.
    fn saved(models: &Path, version: &str, trained: i8, approved: bool) -> PathBuf {
        let validation = serde_json::json!({ "test": null });
        let card = card(CalibrationMap::Identity);
        let contents =
            Contents { scorecard: &card, ability: None, validation: &validation, attachments: BTreeMap::new() };
        let day = Date::new(2024, 5, trained).unwrap();
        let origin = Origin { trained_on: day, expires_on: None, ..origin() };
        let approve = approved.then_some(ApproveAs { by: "a job", on: day });
        Registry::new(models).save("m", version, &contents, origin, approve).unwrap()
    }

    fn chosen(models: &Path, pinned: Option<&str>) -> Result<(Option<String>, usize), ModelError> {
        let Chosen { model, notes } = choose_model(models, "m", pinned, TODAY, config())?;
        let version = match model {
            ModelChoice::Use(bundle) => Some(bundle.manifest.version),
            ModelChoice::Train => None,
        };
        Ok((version, notes.len()))
    }

    #[test]
    fn a_broken_version_is_passed_over_where_another_fits_and_refused_where_none_does() {
        let breaks: [fn(&Path); 5] = [
            |folder| std::fs::remove_file(folder.join("manifest.json")).unwrap(),
            |folder| std::fs::write(folder.join("approval.json"), "{\"by\": \"a j").unwrap(),
            |folder| std::fs::write(folder.join("model.json"), "{}").unwrap(),
            |folder| std::fs::remove_file(folder.join("validation.json")).unwrap(),
            |folder| std::fs::write(folder.join("manifest.json"), "").unwrap(),
        ];
        for (at, damage) in breaks.into_iter().enumerate() {
            let models = tempfile::tempdir().unwrap();
            let newer = saved(models.path(), "newer", 3, true);
            damage(&newer);
            let refused = chosen(models.path(), None).unwrap_err();
            assert!(
                matches!(&refused, ModelError::Refused { path, .. } | ModelError::BadModel { path, .. } if path.starts_with(&newer)),
                "{at}: {refused}"
            );
            saved(models.path(), "older", 1, true);
            assert_eq!(chosen(models.path(), None).unwrap(), (Some("older".to_owned()), 1), "{at}");
            assert!(chosen(models.path(), Some("newer")).is_err(), "{at}");
        }
    }

    #[test]
    fn the_latest_approved_is_taken_and_any_approved_one_can_be_pinned() {
        let models = tempfile::tempdir().unwrap();
        assert_eq!(chosen(models.path(), None).unwrap(), (None, 0));
        saved(models.path(), "unread", 4, false);
        assert!(chosen(models.path(), None).is_err(), "training another would go round the approval");
        saved(models.path(), "b", 3, true);
        saved(models.path(), "a", 2, true);
        saved(models.path(), "tomorrow", 10, true);
        std::fs::create_dir(models.path().join("m/.staging-left")).unwrap();
        let version = |pin: Option<&str>| chosen(models.path(), pin).unwrap().0;
        assert_eq!(version(None).as_deref(), Some("b"));
        assert_eq!(version(Some("a")).as_deref(), Some("a"));
        for pin in ["unread", "tomorrow", "none"] {
            assert!(matches!(chosen(models.path(), Some(pin)), Err(ModelError::Refused { .. })), "{pin}");
        }
    }
}
