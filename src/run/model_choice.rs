//! Which model scores tonight.

use std::path::{Path, PathBuf};

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

/// Chooses among the versions of a model.
///
/// A pinned version must fit. Otherwise the version trained last among those that fit is taken. A folder that was altered is refused, whatever
/// else is there: a run must not quietly walk around tampering. A version that would fit but that nobody has approved is
/// refused too, unless an approved one fits: training another would go round the approval.
pub fn choose_model(
    models: &Path,
    name: &str,
    pinned: Option<&str>,
    as_of: Date,
    config: Digest,
) -> Result<ModelChoice, ModelError> {
    if let Some(version) = pinned {
        let bundle = Registry::new(models).load_approved(name, version, as_of, Some(config))?;
        return match foresight(&bundle, as_of) {
            None => Ok(ModelChoice::Use(Box::new(bundle))),
            Some(refusal) => Err(refusal),
        };
    }
    let mut fitting: Option<Bundle> = None;
    let mut unapproved: Option<ModelError> = None;
    for folder in version_folders(&models.join(name))? {
        let bundle = load_folder(&folder)?;
        // Another configuration, another time: not a model for this run, and no fault.
        if bundle.manifest.origin.config_digest != config
            || foresight(&bundle, as_of).is_some()
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
    match (fitting, unapproved) {
        (Some(bundle), _) => Ok(ModelChoice::Use(Box::new(bundle))),
        (None, Some(refusal)) => Err(refusal),
        (None, None) => Ok(ModelChoice::Train),
    }
}

/// A model that was trained on what this run cannot yet see.
fn foresight(bundle: &Bundle, as_of: Date) -> Option<ModelError> {
    let trained_on = bundle.manifest.origin.trained_on;
    (trained_on > as_of).then(|| ModelError::Refused {
        path: bundle.folder.clone(),
        why: format!("it was trained on data up to {trained_on}, this run may only see what came before {as_of}"),
    })
}

fn version_folders(home: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let io = |source| ModelError::Io { path: home.to_owned(), source };
    let mut folders = Vec::new();
    match std::fs::read_dir(home) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(folders),
        Err(e) => return Err(io(e)),
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(io)?;
                // What a killed training left behind is hidden, and no version.
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if !hidden && entry.path().is_dir() {
                    folders.push(entry.path());
                }
            }
        }
    }
    folders.sort();
    Ok(folders)
}
