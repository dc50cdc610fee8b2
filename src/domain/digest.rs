//! SHA-256 digests: what ties a number to the bytes it came from.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read digest {0:?}: expected 64 lowercase hexadecimal digits")]
pub struct DigestError(String);

/// A SHA-256 digest, shown as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digest of bytes in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Digest of a file's bytes, read in blocks.
    ///
    /// # Errors
    /// Whatever reading the file raises.
    pub fn of_file(path: &Path) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Hasher::default();
        let mut block = vec![0_u8; 1 << 20];
        loop {
            let read = file.read(&mut block)?;
            let Some(bytes) = block.get(..read).filter(|b| !b.is_empty()) else { break };
            hasher.update(bytes);
        }
        Ok(hasher.finish())
    }

    /// The first eight bytes: a hash to look up many rows by.
    #[must_use]
    pub fn first_eight(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }

    /// The line by which it is stated beside a file of that name, as `sha256sum` writes and checks it.
    #[must_use]
    pub fn stated(&self, name: &str) -> String {
        format!("{self}  {name}\n")
    }

    /// The first 12 digits: enough to name a run or a model version.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

/// Feeds a digest piece by piece; each piece of `field` is length-prefixed so that no two sequences collide.
#[derive(Default, Clone)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds raw bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds one delimited field.
    pub fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;
    fn try_from(text: String) -> Result<Self, DigestError> {
        let nibble = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let mut out = [0_u8; 32];
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return Err(DigestError(text));
        }
        for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            match pair {
                [high, low] => match (nibble(*high), nibble(*low)) {
                    (Some(h), Some(l)) => *slot = h << 4 | l,
                    _ => return Err(DigestError(text)),
                },
                _ => return Err(DigestError(text)),
            }
        }
        Ok(Self(out))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_value_and_round_trip() {
        let digest = Digest::of(b"abc");
        let text = digest.to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::try_from(text).unwrap(), digest);
        assert!(Digest::try_from("xyz".to_owned()).is_err());
        assert!(Digest::try_from("Z".repeat(64)).is_err());
    }

    #[test]
    fn fields_are_delimited() {
        let digest = |parts: &[&str]| {
            let mut h = Hasher::default();
            for part in parts {
                h.field(part.as_bytes());
            }
            h.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
