//! `current.json`: which run the loan service reads; `as_of=D/current.json`: which run a business date stands by.

use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::error::PublishError;
use super::manifest::{Manifest, Published, date_folder, run_path};
use crate::domain::Digest;

pub(super) const CURRENT: &str = "current.json";
pub(super) const CURRENT_TEMPORARY: &str = ".current.json.new";
const FORMAT: &str = "integrity-current/1";

/// The pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Current {
    /// Layout of this file.
    pub format: String,
    /// Observation date of the run.
    pub as_of: Date,
    /// Names the run.
    pub run_id: String,
    /// Run folder, below the output folder.
    pub run: String,
    /// Digest of its manifest, which vouches for everything else.
    pub manifest_sha256: Digest,
}

impl Current {
    pub(super) fn to(manifest: &Manifest, manifest_sha256: Digest) -> Self {
        Self {
            format: FORMAT.to_owned(),
            as_of: manifest.as_of,
            run_id: manifest.run_id.clone(),
            run: manifest.run_path(),
            manifest_sha256,
        }
    }

    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, PublishError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|e| PublishError::malformed(path, e.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The pointer of an output folder; `None` where nothing was ever published.
    ///
    /// # Errors
    /// It cannot be read, or is not, byte for byte, what this program writes.
    pub fn read(out: &Path) -> Result<Option<Self>, PublishError> {
        Self::read_file(&out.join(CURRENT))
    }

    /// The pointer of a business date; `None` where that date has none.
    pub(super) fn read_of_date(out: &Path, as_of: Date) -> Result<Option<Self>, PublishError> {
        let path = out.join(date_folder(as_of)).join(CURRENT);
        match Self::read_file(&path)? {
            Some(pointer) if pointer.as_of != as_of => {
                Err(PublishError::malformed(&path, "it names a run of another business date"))
            }
            found => Ok(found),
        }
    }

    fn read_file(path: &Path) -> Result<Option<Self>, PublishError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(PublishError::io("read", path)(e)),
        };
        let current: Self = serde_json::from_slice(&bytes).map_err(|e| PublishError::malformed(path, e.to_string()))?;
        if current.format != FORMAT || current.to_bytes(path)? != bytes {
            return Err(PublishError::malformed(path, "it is not what this program writes"));
        }
        if current.run != run_path(current.as_of, &current.run_id) {
            return Err(PublishError::malformed(path, "its run folder is not that of its date and its run"));
        }
        Ok(Some(current))
    }

    /// The manifest pointed to, with every link of the chain checked.
    pub(super) fn manifest(&self, out: &Path) -> Result<Manifest, PublishError> {
        let path = out.join(CURRENT);
        let manifest = Manifest::read(&out.join(&self.run), self.manifest_sha256)?;
        if *self == Self::to(&manifest, self.manifest_sha256) {
            Ok(manifest)
        } else {
            Err(PublishError::malformed(&path, "it names another run than the manifest it points to"))
        }
    }

    pub(super) fn published(&self, out: &Path) -> Published {
        Published {
            run_id: self.run_id.clone(),
            as_of: self.as_of,
            run_dir: out.join(&self.run),
            is_current: true,
            not_current_because: None,
        }
    }

    /// Published, and not what the loan service reads.
    pub(super) fn beside(&self, out: &Path, why: String) -> Published {
        Published { is_current: false, not_current_because: Some(why), ..self.published(out) }
    }
}
