//! The manifest: what a run is, what it was made from, and the digest of each of its files.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::chain::LogPosition;
use super::error::PublishError;
use super::history::PreviousIdentity;
use crate::domain::{Currency, Digest, Hasher};

/// File name in a run folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// Its digest, as `sha256sum` prints it, so that a run that nothing points to can be verified too.
pub(super) const MANIFEST_DIGEST: &str = "manifest.json.sha256";
const FORMAT: &str = "integrity-run/1";

/// One raw file that the run read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Name below the data folder.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Whether its sender stated that digest in a file beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_verified: bool,
}

/// A configuration file and its copy in the run folder, whose name may be another: see [`Manifest::config`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigCopy {
    /// Path of the copy, below the run folder.
    pub path: String,
    /// The file, as seen from the job file's folder.
    pub source: String,
}

/// All that a run's published bytes depend on. Two runs of equal identity publish equal files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// Observation date.
    pub as_of: Date,
    /// The job, its features, policy, monitor files and SQL.
    pub config_digest: Digest,
    /// The models that scored.
    pub model_digest: Digest,
    /// Version of this program.
    pub code_version: String,
    /// Raw files, in any order.
    pub inputs: Vec<InputFile>,
    /// Where business dates begin: an IANA name.
    pub time_zone: String,
    /// Currency of every amount.
    pub currency: Currency,
    /// Nobody named the observation date: it was read off the data.
    pub as_of_guessed: bool,
    /// Why the observation date was forced past the data's own clock.
    pub as_of_forced: Option<String>,
    /// The night before, whose open offers and tables tonight builds on; `None` on a first night.
    pub previous: Option<PreviousIdentity>,
    /// Runs published since the night before began, beside it, whose offers tonight holds; oldest first.
    pub beside: Vec<PreviousIdentity>,
    /// Up to where answers that were given by day are known; none were given where it is the log's beginning.
    pub answers: LogPosition,
    /// Of a restatement, the night that it restates and until when facts were recorded that count.
    pub restates: Option<RestatedNight>,
}

/// The night that a restatement looks at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestatedNight {
    /// The version that is compared with: the run that the date stands by.
    pub first: PreviousIdentity,
    /// What was recorded before midnight of this date counts.
    pub known_before: Date,
}

impl RunIdentity {
    /// Twelve hexadecimal digits that name the run.
    #[must_use]
    pub fn run_id(&self) -> String {
        let mut inputs: Vec<&InputFile> = self.inputs.iter().collect();
        inputs.sort();
        let mut hasher = Hasher::default();
        hasher.field(FORMAT.as_bytes());
        hasher.field(self.as_of.to_string().as_bytes());
        hasher.field(self.config_digest.to_string().as_bytes());
        hasher.field(self.model_digest.to_string().as_bytes());
        hasher.field(self.code_version.as_bytes());
        for input in inputs {
            hasher.field(input.name.as_bytes());
            hasher.field(input.sha256.to_string().as_bytes());
        }
        hasher.field(self.time_zone.as_bytes());
        hasher.field(self.currency.code().as_bytes());
        hasher.field(if self.as_of_guessed { b"guessed" } else { b"named" });
        hasher.field(self.as_of_forced.as_deref().unwrap_or_default().as_bytes());
        match &self.previous {
            None => hasher.field(b"first night"),
            Some(previous) => {
                hasher.field(b"after");
                hasher.field(previous.run_id.as_bytes());
                hasher.field(previous.as_of.to_string().as_bytes());
                hasher.field(previous.files_sha256.to_string().as_bytes());
            }
        }
        for run in &self.beside {
            hasher.field(b"beside");
            hasher.field(run.run_id.as_bytes());
            hasher.field(run.as_of.to_string().as_bytes());
            hasher.field(run.files_sha256.to_string().as_bytes());
        }
        if self.answers != LogPosition::default() {
            hasher.field(b"answers");
            hasher.field(self.answers.sha256.to_string().as_bytes());
        }
        if let Some(RestatedNight { first, known_before }) = &self.restates {
            hasher.field(b"restates");
            hasher.field(first.run_id.as_bytes());
            hasher.field(first.files_sha256.to_string().as_bytes());
            hasher.field(known_before.to_string().as_bytes());
        }
        hasher.finish().short()
    }

    /// `as_of=2018-08-01/run=0123456789ab`, below the output folder.
    #[must_use]
    pub fn run_path(&self) -> String {
        run_path(self.as_of, &self.run_id())
    }
}

/// The clock and the command: the only part of a run that two runs of equal identity do not share.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// When the run began.
    pub started_at: Timestamp,
    /// When its last file was ready.
    pub finished_at: Timestamp,
    /// The command as typed, program name first.
    pub command_line: Vec<String>,
    /// Under which names the configuration is kept.
    pub config: Vec<ConfigCopy>,
    /// What a reader should know of how the run came about: a pointer that was mended, runs that were passed over.
    pub notes: Vec<String>,
    /// What each stage took.
    pub stages: Vec<StageCost>,
    /// Up to where the logs of officers' decisions were written.
    pub officers: OfficerLogs,
}

/// Up to where the logs of officers' decisions were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfficerLogs {
    /// About credit.
    pub overrides: LogPosition,
    /// About alerts.
    pub alerts: LogPosition,
}

/// What a stage of a run took. It differs from run to run, so it stands in no published table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageCost {
    /// Name, as progress shows it.
    pub name: String,
    /// The stage that this is a part of, whose line counts it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// Wall time; of a part the time of all threads, divided by their number.
    pub seconds: f64,
    /// Rows that it worked on, where they are counted.
    pub rows: Option<u64>,
    /// The largest memory of the process up to its end; null where the system does not say.
    pub peak_memory_bytes: Option<u64>,
}

/// One published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the run folder, with `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Rows, where the file is a table.
    pub rows: Option<u64>,
    /// Digest of the bytes.
    pub sha256: Digest,
    /// Digests of each mebibyte of the file, so that a look-up need not read the whole of it; none where the file is no longer than that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks_sha256: Vec<Digest>,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Layout of this file.
    pub format: String,
    /// Names the run.
    pub run_id: String,
    /// Observation date.
    pub as_of: Date,
    /// Identity of the configuration.
    pub config_digest: Digest,
    /// Identity of the models.
    pub model_digest: Digest,
    /// Version of the program.
    pub code_version: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// The command as typed.
    pub command_line: Vec<String>,
    /// Where business dates begin.
    #[serde(default)]
    pub time_zone: String,
    /// Currency of every amount.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// Nobody named the observation date: it was read off the data.
    #[serde(default)]
    pub as_of_guessed: bool,
    /// Why the observation date was forced past the data's own clock.
    #[serde(default)]
    pub as_of_forced: Option<String>,
    /// What a reader should know of how the run came about.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What each stage took.
    #[serde(default)]
    pub stages: Vec<StageCost>,
    /// Configuration files, and the copies in the run folder.
    #[serde(default)]
    pub config: Vec<ConfigCopy>,
    /// Raw files read, by name.
    pub inputs: Vec<InputFile>,
    /// Whether they were kept by digest in the archive of the output folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inputs_archived: bool,
    /// The night before; null on a first night.
    #[serde(default)]
    pub previous: Option<PreviousIdentity>,
    /// Runs beside the night before whose offers this one holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<PreviousIdentity>,
    /// Up to where the log of answers given by day was read; null where none was given before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<LogPosition>,
    /// Up to where the log of officers' decisions about credit was written; null where there is none, and of a restatement, which does not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<LogPosition>,
    /// The same of their decisions about alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_decisions: Option<LogPosition>,
    /// The night that it restates; absent from every other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restates: Option<RestatedNight>,
    /// Published files, by path.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    pub(super) fn new(identity: &RunIdentity, provenance: Provenance, files: Vec<FileEntry>) -> Self {
        let mut inputs = identity.inputs.clone();
        inputs.sort();
        let written = |position: LogPosition| Some(position).filter(|position| position.bytes > 0);
        Self {
            format: FORMAT.to_owned(),
            run_id: identity.run_id(),
            as_of: identity.as_of,
            config_digest: identity.config_digest,
            model_digest: identity.model_digest,
            code_version: identity.code_version.clone(),
            started_at: provenance.started_at.to_string(),
            finished_at: provenance.finished_at.to_string(),
            command_line: provenance.command_line,
            time_zone: identity.time_zone.clone(),
            currency: Some(identity.currency),
            as_of_guessed: identity.as_of_guessed,
            as_of_forced: identity.as_of_forced.clone(),
            notes: provenance.notes,
            stages: provenance.stages,
            config: provenance.config,
            inputs,
            inputs_archived: false,
            previous: identity.previous.clone(),
            beside: identity.beside.clone(),
            answers: written(identity.answers),
            overrides: written(provenance.officers.overrides),
            alert_decisions: written(provenance.officers.alerts),
            restates: identity.restates.clone(),
            files,
        }
    }

    /// Digest of all published files by path and digest: what the run is, whenever it was made.
    pub(super) fn files_digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for file in &self.files {
            hasher.field(file.path.as_bytes());
            hasher.field(file.sha256.to_string().as_bytes());
        }
        hasher.finish()
    }

    /// Up to where the run has read the log of answers given by day.
    #[must_use]
    pub fn answers_read(&self) -> LogPosition {
        self.answers.unwrap_or_default()
    }

    /// Up to where the log of officers' decisions about credit was written when the run was published.
    #[must_use]
    pub fn overrides_written(&self) -> LogPosition {
        self.overrides.unwrap_or_default()
    }

    /// The same of their decisions about alerts.
    #[must_use]
    pub fn alert_decisions_written(&self) -> LogPosition {
        self.alert_decisions.unwrap_or_default()
    }

    /// The published file of that path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.files.iter().find(|f| f.path == path)
    }

    /// `as_of=…/run=…`, below the output folder.
    #[must_use]
    pub fn run_path(&self) -> String {
        run_path(self.as_of, &self.run_id)
    }

    /// Reads a run folder's manifest, checked against the digest that vouches for it.
    pub(super) fn read(run: &Path, vouched: Digest) -> Result<Self, PublishError> {
        let path = run.join(MANIFEST);
        let bytes = std::fs::read(&path).map_err(PublishError::published_file("read", &path))?;
        let found = Digest::of(&bytes);
        if found != vouched {
            return Err(PublishError::DigestMismatch { path, expected: vouched, found });
        }
        Self::parse(&path, &bytes)
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, PublishError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| PublishError::malformed(path, e.to_string()))?;
        if manifest.format != FORMAT {
            let why = format!("its format is {:?}, this program reads {FORMAT:?}", manifest.format);
            return Err(PublishError::malformed(path, why));
        }
        Ok(manifest)
    }

    /// The digest that the run folder itself keeps of its manifest.
    pub(super) fn own_digest(run: &Path) -> Result<Digest, PublishError> {
        let path = run.join(MANIFEST_DIGEST);
        let bytes = std::fs::read(&path).map_err(PublishError::published_file("read", &path))?;
        let text = String::from_utf8_lossy(&bytes);
        let digest = text.get(..64).and_then(|hex| Digest::try_from(hex.to_owned()).ok());
        match digest {
            Some(digest) if text == digest.stated(MANIFEST) => Ok(digest),
            _ => Err(PublishError::malformed(&path, format!("it is not one line of a digest and {MANIFEST}"))),
        }
    }
}

pub(super) fn date_folder(as_of: Date) -> String {
    format!("as_of={as_of}")
}

/// Where a run lies, below the output folder.
pub(super) fn run_path(as_of: Date, run_id: &str) -> String {
    format!("{}/run={run_id}", date_folder(as_of))
}

/// A run folder that is complete and published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Names the run.
    pub run_id: String,
    /// Observation date.
    pub as_of: Date,
    /// The run folder.
    pub run_dir: PathBuf,
    /// Whether `current.json` points to it.
    pub is_current: bool,
    /// Why not.
    pub not_current_because: Option<String>,
}
