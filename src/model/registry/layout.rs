//! What stands in a model folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::approve::Approval;
use super::files::{APPROVAL, MANIFEST, digest_of, refused};
use crate::domain::Digest;
use crate::model::ability::AbilityModel;
use crate::model::error::ModelError;
use crate::model::scorecard::Scorecard;
use crate::model::test_figures::TestFigures;

/// What a model folder says about its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Digest of the training data.
    pub data_digest: Digest,
    /// Digest of the configuration (features, label, settings).
    pub config_digest: Digest,
    /// First and last observation date of the training rows, where they have dates.
    pub training_window: Option<(Date, Date)>,
    /// Day of training.
    pub trained_on: Date,
    /// Last day of use; `None` never expires.
    pub expires_on: Option<Date>,
    /// What the model must not be used for.
    pub limitations: Vec<String>,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// Model name.
    pub name: String,
    /// Model version.
    pub version: String,
    /// Origin.
    pub origin: Origin,
    /// Digest of every other file of the folder but the approval.
    pub files: BTreeMap<String, Digest>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its approval, if any.
    pub approval: Option<Approval>,
    /// Willingness.
    pub scorecard: Scorecard,
    /// Ability, where it was trained.
    pub ability: Option<AbilityModel>,
    /// Validation report as written.
    pub validation: serde_json::Value,
    /// Other files of the folder, by name.
    pub attachments: BTreeMap<String, serde_json::Value>,
}

impl Bundle {
    /// `name/version`: what score files carry.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.manifest.name, self.manifest.version)
    }

    /// Figures of the rows that it was judged by; `None` where its report does not say.
    #[must_use]
    pub fn test_figures(&self) -> Option<TestFigures> {
        TestFigures::of(&self.validation)
    }

    /// Names of the files that make the model, sorted: those that the manifest names, itself, and the approval where there is one.
    /// Whatever else people put into the folder is no part of it.
    #[must_use]
    pub fn file_names(&self) -> BTreeSet<&str> {
        let named = self.manifest.files.keys().map(String::as_str);
        named.chain([MANIFEST]).chain(self.approval.as_ref().map(|_| APPROVAL)).collect()
    }
}

/// Contents of a folder to be written.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Willingness.
    pub scorecard: &'a Scorecard,
    /// Ability.
    pub ability: Option<&'a AbilityModel>,
    /// Validation report.
    pub validation: &'a serde_json::Value,
    /// Other JSON files to keep with the model, by file name (such as `reference.json`).
    pub attachments: BTreeMap<String, serde_json::Value>,
}

impl Bundle {
    /// Whether it may be used on a day.
    ///
    /// # Errors
    /// [`ModelError::Refused`] with the reason.
    pub fn check_use(&self, today: Date, config: Option<Digest>) -> Result<(), ModelError> {
        let Some(approval) = &self.approval else {
            let why = format!("nobody has approved it (for a run of this day: --on {today})");
            return Err(refused(&self.folder, why));
        };
        if approval.manifest_digest != digest_of(&self.folder, MANIFEST)? {
            return Err(refused(&self.folder, "its manifest changed after it was approved"));
        }
        if approval.on > today {
            let why = format!(
                "its approval is dated {}, and a run of {today} may not know of it (to run a past day: --on {today})",
                approval.on
            );
            return Err(refused(&self.folder, why));
        }
        if let Some(last) = self.manifest.origin.expires_on
            && today > last
        {
            return Err(refused(&self.folder, format!("it expired on {last}")));
        }
        if let Some(config) = config
            && self.manifest.origin.config_digest != config
        {
            let why = format!(
                "it was trained under configuration {}, this is {}",
                self.manifest.origin.config_digest.short(),
                config.short()
            );
            return Err(refused(&self.folder, why));
        }
        Ok(())
    }
}
