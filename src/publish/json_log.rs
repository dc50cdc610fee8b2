//! Logs beside the runs, one JSON object a line.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::PublishError;

/// The entries of a log, oldest first; none where there is no such file.
///
/// # Errors
/// It cannot be read, or a line is not what this program writes.
pub(super) fn read_log<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, PublishError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(PublishError::io("read", path)(e)),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| PublishError::malformed(path, "it is not UTF-8 text"))?;
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| PublishError::malformed(path, format!("line {}: {e}", number + 1)))
    };
    text.lines().enumerate().map(parse).collect()
}

/// A log as it lies on disk at `path`.
pub(super) fn log_bytes<T: Serialize>(entries: &[T], path: &Path) -> Result<Vec<u8>, PublishError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let line = serde_json::to_vec(entry).map_err(|e| PublishError::malformed(path, e.to_string()))?;
        bytes.extend(line);
        bytes.push(b'\n');
    }
    Ok(bytes)
}
