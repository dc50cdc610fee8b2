//! Files of a model folder: names, reading, and writing that survives a power cut.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Digest;
use crate::model::ModelError;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const APPROVAL: &str = "approval.json";
pub(super) const SCORECARD: &str = "model.json";
pub(super) const ABILITY: &str = "receipts.json";
pub(super) const VALIDATION: &str = "validation.json";

pub(super) fn refused(folder: &Path, why: impl Into<String>) -> ModelError {
    ModelError::Refused { path: folder.to_owned(), why: why.into() }
}

pub(super) fn json<T: Serialize>(value: &T, folder: &Path) -> Result<Vec<u8>, ModelError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| ModelError::BadModel { path: folder.to_owned(), why: e.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a file that a model folder must hold. That it is not there is the model's fault, not the caller's.
pub(super) fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<T, ModelError> {
    let path = folder.join(file);
    let bytes = std::fs::read(&path).map_err(|e| absent(folder, file, e))?;
    serde_json::from_slice(&bytes).map_err(|e| ModelError::BadModel { path, why: e.to_string() })
}

/// Digest of a file that a model folder must hold.
pub(super) fn digest_of(folder: &Path, file: &str) -> Result<Digest, ModelError> {
    Digest::of_file(&folder.join(file)).map_err(|e| absent(folder, file, e))
}

fn absent(folder: &Path, file: &str, error: std::io::Error) -> ModelError {
    match error.kind() {
        ErrorKind::NotFound => refused(folder, format!("it has no {file}")),
        ErrorKind::IsADirectory => refused(folder, format!("its {file} is a folder")),
        _ => ModelError::io(&folder.join(file), error),
    }
}

pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).map_err(|e| ModelError::io(path, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| ModelError::io(path, e))
}

/// Makes the names in a folder last. Where folders cannot be opened as files, the system does it itself.
pub(super) fn sync_folder(folder: &Path) -> Result<(), ModelError> {
    match std::fs::File::open(folder) {
        Ok(handle) => handle.sync_all().map_err(|e| ModelError::io(folder, e)),
        Err(_) if cfg!(not(unix)) => Ok(()),
        Err(e) => Err(ModelError::io(folder, e)),
    }
}

/// What a folder holds, by name; nothing where it does not exist.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let io = |e| ModelError::io(folder, e);
    match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(io(e)),
        Ok(listed) => {
            let mut paths: Vec<PathBuf> =
                listed.map(|e| Ok(e.map_err(io)?.path())).collect::<Result<_, ModelError>>()?;
            paths.sort();
            Ok(paths)
        }
    }
}
