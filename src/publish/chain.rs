//! Lines of a log that hold each other: each ends with the digest of itself and of the line before, so that no line can be changed, taken out or
//! put in without every later digest being wrong.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::PublishError;
use crate::domain::{Digest, Hasher};

/// Where the digest of a line begins: it is the last field.
const DIGEST_FIELD: &str = ",\"sha256\":\"";

/// Up to where a run has read or written a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPosition {
    /// Lines up to there.
    #[serde(alias = "answers")]
    pub lines: u64,
    /// Bytes up to there.
    pub bytes: u64,
    /// Digest of the last line up to there.
    pub sha256: Digest,
}

impl Default for LogPosition {
    fn default() -> Self {
        Self { lines: 0, bytes: 0, sha256: beginning() }
    }
}

/// Whether a log still holds what a published run has read or written of it. Its lines hold each other, so its last one up to there vouches for
/// the others.
///
/// # Errors
/// The log is gone, shorter, or another one.
pub(super) fn holds(path: &Path, position: LogPosition) -> Result<(), PublishError> {
    if position.bytes == 0 {
        return Ok(());
    }
    let LogPosition { lines, bytes, sha256 } = position;
    let mut log = match File::open(path) {
        Ok(log) => log,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(PublishError::malformed(
                path,
                format!("it is gone, and a published run knows {lines} lines of it"),
            ));
        }
        Err(e) => return Err(PublishError::io("read", path)(e)),
    };
    let length = log.metadata().map_err(PublishError::io("look at", path))?.len();
    if length < bytes {
        let why = format!("it ends at byte {length}, and a published run knows {bytes} bytes of it");
        return Err(PublishError::malformed(path, why));
    }
    let end = format!("{DIGEST_FIELD}{sha256}\"}}\n");
    let mut found = Vec::new();
    log.seek(SeekFrom::Start(bytes.saturating_sub(end.len() as u64)))
        .and_then(|from| log.take(bytes - from).read_to_end(&mut found))
        .map_err(PublishError::io("read", path))?;
    if found == end.as_bytes() {
        Ok(())
    } else {
        Err(PublishError::malformed(path, format!("line {lines} is not the one that a published run knows")))
    }
}

/// What stands before the first line.
pub(super) fn beginning() -> Digest {
    Hasher::default().finish()
}

/// An entry as the line that follows the one of digest `before`, without its line break, and the digest of it.
///
/// # Errors
/// The entry has no JSON.
pub(super) fn seal<T: Serialize>(entry: &T, before: Digest) -> Result<(String, Digest), String> {
    let text = serde_json::to_string(entry).map_err(|e| e.to_string())?;
    let body = text.strip_suffix('}').unwrap_or(&text);
    let digest = line_digest(before, body);
    Ok((format!("{body}{DIGEST_FIELD}{digest}\"}}"), digest))
}

/// The entry of a line that follows the one of digest `before`, and its digest.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn open<T: DeserializeOwned>(line: &[u8], before: Digest) -> Result<(T, Digest), String> {
    let (body, stated) = parts(line)?;
    if line_digest(before, body) != stated {
        return Err("its digest does not hold: it, or a line before it, was changed".to_owned());
    }
    let entry = serde_json::from_str(&format!("{body}}}")).map_err(|e| e.to_string())?;
    Ok((entry, stated))
}

/// The entry of a line and the digest that it states, which only the line after it vouches for.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn stated<T: DeserializeOwned>(line: &[u8]) -> Result<(T, Digest), String> {
    let (body, digest) = parts(line)?;
    let entry = serde_json::from_str(&format!("{body}}}")).map_err(|e| e.to_string())?;
    Ok((entry, digest))
}

/// A line without its digest, and the digest that it states.
fn parts(line: &[u8]) -> Result<(&str, Digest), String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let (body, rest) = text.rsplit_once(DIGEST_FIELD).ok_or("it holds no digest")?;
    let stated = rest.strip_suffix("\"}").and_then(|hex| Digest::try_from(hex.to_owned()).ok());
    Ok((body, stated.ok_or("its digest is none")?))
}

fn line_digest(before: Digest, body: &str) -> Digest {
    let mut hasher = Hasher::default();
    hasher.field(before.to_string().as_bytes());
    hasher.field(body.as_bytes());
    hasher.finish()
}
