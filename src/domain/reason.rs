//! Reason codes: stable kebab-case names of factors that lowered a score or failed a rule.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that is not a reason code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read reason code {0:?}: expected lowercase words joined by hyphens, such as \"ship-late\"")]
pub struct ReasonCodeError(String);

/// A stable, append-only, kebab-case code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReasonCode(String);

impl ReasonCode {
    /// # Errors
    /// Anything but lowercase letters and digits in words joined by single hyphens.
    pub fn new(code: &str) -> Result<Self, ReasonCodeError> {
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if code.split('-').all(word) { Ok(Self(code.to_owned())) } else { Err(ReasonCodeError(code.to_owned())) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReasonCode {
    type Error = ReasonCodeError;
    fn try_from(code: String) -> Result<Self, ReasonCodeError> {
        Self::new(&code)
    }
}

impl From<ReasonCode> for String {
    fn from(code: ReasonCode) -> Self {
        code.0
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reason in code and words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: ReasonCode,
    /// What it means.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case_only() {
        assert!(ReasonCode::new("dispute-share-high").is_ok());
        for bad in ["", "-a", "a-", "a--b", "A", "a_b"] {
            assert!(ReasonCode::new(bad).is_err(), "{bad}");
        }
    }
}
