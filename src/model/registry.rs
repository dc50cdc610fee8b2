//! Model folders: `models/<name>/<version>/`, JSON only, verified by digest, approved by a person, with an expiry.
//!
//! `manifest.json` names every file with its digest; `approval.json` is added later and names the manifest's digest, so that an
//! approval holds for exactly what was approved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ability::AbilityModel;
use super::error::ModelError;
use super::scorecard::{FORMAT, Scorecard};
use crate::domain::Digest;

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

/// `approval.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approved.
    pub by: String,
    /// When.
    pub on: Date,
    /// The manifest approved.
    pub manifest_digest: Digest,
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

const MANIFEST: &str = "manifest.json";
const APPROVAL: &str = "approval.json";
const SCORECARD: &str = "model.json";
const ABILITY: &str = "ability.json";
const VALIDATION: &str = "validation.json";

/// The folder that models are kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    root: PathBuf,
}

impl Registry {
    /// A registry at `root`; the folder need not exist yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder of a version.
    #[must_use]
    pub fn folder(&self, name: &str, version: &str) -> PathBuf {
        self.root.join(name).join(version)
    }

    /// Writes a new version, whole or not at all.
    ///
    /// # Errors
    /// The version exists, or the folder cannot be written.
    pub fn save(
        &self,
        name: &str,
        version: &str,
        contents: &Contents<'_>,
        origin: Origin,
    ) -> Result<PathBuf, ModelError> {
        let folder = self.folder(name, version);
        save_folder(&folder, name, version, contents, origin)?;
        Ok(folder)
    }

    /// Approves a version as it stands.
    ///
    /// # Errors
    /// The folder is damaged or cannot be written.
    pub fn approve(&self, name: &str, version: &str, by: &str, on: Date) -> Result<(), ModelError> {
        approve_folder(&self.folder(name, version), by, on)
    }

    /// Loads a version for use on a day.
    ///
    /// # Errors
    /// [`ModelError::Refused`] where it is unapproved, expired, altered or, if `config` is given, trained under another one.
    pub fn load_approved(
        &self,
        name: &str,
        version: &str,
        today: Date,
        config: Option<Digest>,
    ) -> Result<Bundle, ModelError> {
        let folder = self.folder(name, version);
        if !folder.is_dir() {
            return Err(refused(&folder, "there is no such version"));
        }
        let bundle = load_folder(&folder)?;
        bundle.check_use(today, config)?;
        Ok(bundle)
    }

    /// The newest version that may be used on a day under a configuration; `None` where there is none. Damaged and unapproved
    /// folders are passed over, never used.
    ///
    /// # Errors
    /// The registry folder exists and cannot be listed.
    pub fn latest_fitting(&self, name: &str, today: Date, config: Digest) -> Result<Option<Bundle>, ModelError> {
        let home = self.root.join(name);
        if !home.is_dir() {
            return Ok(None);
        }
        let mut fitting = Vec::new();
        for entry in std::fs::read_dir(&home).map_err(|e| ModelError::io(&home, e))? {
            let folder = entry.map_err(|e| ModelError::io(&home, e))?.path();
            if !folder.join(MANIFEST).is_file() {
                continue;
            }
            if let Ok(bundle) = load_folder(&folder)
                && bundle.check_use(today, Some(config)).is_ok()
            {
                fitting.push(bundle);
            }
        }
        fitting.sort_by(|a, b| {
            let key = |x: &Bundle| (x.manifest.origin.trained_on, x.manifest.version.clone());
            key(a).cmp(&key(b))
        });
        Ok(fitting.pop())
    }
}

impl Bundle {
    /// Whether it may be used on a day.
    ///
    /// # Errors
    /// [`ModelError::Refused`] with the reason.
    pub fn check_use(&self, today: Date, config: Option<Digest>) -> Result<(), ModelError> {
        let Some(approval) = &self.approval else {
            return Err(refused(&self.folder, "nobody has approved it"));
        };
        let manifest =
            Digest::of_file(&self.folder.join(MANIFEST)).map_err(|e| ModelError::io(&self.folder.join(MANIFEST), e))?;
        if approval.manifest_digest != manifest {
            return Err(refused(&self.folder, "its manifest changed after it was approved"));
        }
        if approval.on > today {
            let why = format!(
                "its approval is dated {}, and a run of {today} may not know of it (to run a past day, `integrity approve --on` that day)",
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

/// Refuses a folder that holds anything: results never mix with what is there.
///
/// # Errors
/// [`ModelError::Exists`], also where the folder is a file or cannot be looked into.
pub fn refuse_content(folder: &Path) -> Result<(), ModelError> {
    let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_empty { Err(ModelError::Exists { path: folder.to_owned() }) } else { Ok(()) }
}

/// Writes a model folder anywhere; the folder must not exist, or be empty.
///
/// # Errors
/// It exists with content, or cannot be written.
pub fn save_folder(
    folder: &Path,
    name: &str,
    version: &str,
    contents: &Contents<'_>,
    origin: Origin,
) -> Result<(), ModelError> {
    refuse_content(folder)?;
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|e| ModelError::io(parent, e))?;
    let staging =
        tempfile::Builder::new().prefix(".staging-").tempdir_in(parent).map_err(|e| ModelError::io(parent, e))?;
    // Held while the files are written: a staging folder that nobody holds is a dead process's, and is swept.
    let owner = std::fs::File::open(staging.path()).map_err(|e| ModelError::io(parent, e))?;
    owner.lock().map_err(|e| ModelError::io(parent, e))?;
    let mut files = BTreeMap::new();
    let mut write = |file: &str, bytes: Vec<u8>| {
        files.insert(file.to_owned(), Digest::of(&bytes));
        write_synced(&staging.path().join(file), &bytes)
    };
    write(SCORECARD, json(contents.scorecard, folder)?)?;
    if let Some(ability) = contents.ability {
        write(ABILITY, json(ability, folder)?)?;
    }
    write(VALIDATION, json(contents.validation, folder)?)?;
    for (file, value) in &contents.attachments {
        let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !file.starts_with('.');
        if !plain || [MANIFEST, APPROVAL, SCORECARD, ABILITY, VALIDATION].contains(&file.as_str()) {
            return Err(ModelError::BadModel {
                path: folder.to_owned(),
                why: format!("{file:?} cannot name an attachment"),
            });
        }
        write(file, json(value, folder)?)?;
    }
    let manifest = Manifest { format: FORMAT, name: name.to_owned(), version: version.to_owned(), origin, files };
    write_synced(&staging.path().join(MANIFEST), &json(&manifest, folder)?)?;
    let staged = staging.keep();
    std::fs::rename(&staged, folder).map_err(|e| ModelError::io(folder, e))
}

/// Approves a model folder as it stands.
///
/// # Errors
/// It is damaged, approved already, or cannot be written.
pub fn approve_folder(folder: &Path, by: &str, on: Date) -> Result<(), ModelError> {
    let bundle = load_folder(folder)?;
    let path = folder.join(APPROVAL);
    if bundle.approval.is_some() {
        return Err(ModelError::Exists { path });
    }
    let manifest_path = folder.join(MANIFEST);
    let manifest_digest = Digest::of_file(&manifest_path).map_err(|e| ModelError::io(&manifest_path, e))?;
    write_synced(&path, &json(&Approval { by: by.to_owned(), on, manifest_digest }, folder)?)
}

/// Reads a model folder and verifies every digest, whether it is approved or not: for trial use on tables.
///
/// # Errors
/// [`ModelError::Refused`] where a file differs from the manifest, [`ModelError::BadModel`] where one cannot be understood.
pub fn load_folder(folder: &Path) -> Result<Bundle, ModelError> {
    let manifest: Manifest = read(&folder.join(MANIFEST))?;
    if manifest.format != FORMAT {
        let why = format!("layout version {} is not {FORMAT}", manifest.format);
        return Err(ModelError::BadModel { path: folder.to_owned(), why });
    }
    for (file, expected) in &manifest.files {
        if Path::new(file).components().count() != 1 {
            return Err(refused(folder, format!("the manifest names {file:?}, which is not in the folder")));
        }
        let path = folder.join(file);
        let found = Digest::of_file(&path)
            .map_err(|e| refused(folder, format!("{file} is named in the manifest and cannot be read: {e}")))?;
        if found != *expected {
            return Err(refused(folder, format!("{file} was altered: its digest is not the manifest's")));
        }
    }
    for needed in [SCORECARD, VALIDATION] {
        if !manifest.files.contains_key(needed) {
            return Err(refused(folder, format!("the manifest does not name {needed}")));
        }
    }
    let approval = match folder.join(APPROVAL) {
        path if path.exists() => Some(read::<Approval>(&path)?),
        _ => None,
    };
    let scorecard: Scorecard = read(&folder.join(SCORECARD))?;
    if scorecard.format != FORMAT {
        let why = format!("scorecard layout {} is not {FORMAT}", scorecard.format);
        return Err(ModelError::BadModel { path: folder.to_owned(), why });
    }
    let ability = if manifest.files.contains_key(ABILITY) { Some(read(&folder.join(ABILITY))?) } else { None };
    let validation = read(&folder.join(VALIDATION))?;
    let own = [SCORECARD, ABILITY, VALIDATION];
    let mut attachments = BTreeMap::new();
    for file in manifest.files.keys().filter(|f| !own.contains(&f.as_str())) {
        attachments.insert(file.clone(), read(&folder.join(file))?);
    }
    Ok(Bundle { folder: folder.to_owned(), manifest, approval, scorecard, ability, validation, attachments })
}

fn refused(folder: &Path, why: impl Into<String>) -> ModelError {
    ModelError::Refused { path: folder.to_owned(), why: why.into() }
}

fn json<T: Serialize>(value: &T, folder: &Path) -> Result<Vec<u8>, ModelError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| ModelError::BadModel { path: folder.to_owned(), why: e.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let bytes = std::fs::read(path).map_err(|e| ModelError::io(path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| ModelError::BadModel { path: path.to_owned(), why: e.to_string() })
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).map_err(|e| ModelError::io(path, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| ModelError::io(path, e))
}
