//! Who stands for a policy, and from when on.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section};

/// Who stands for a policy, and from when on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyApproval {
    /// What the lender calls this state of the policy.
    pub version: String,
    /// Who approved it.
    pub approved_by: String,
    /// The first as-of date that it may decide.
    pub holds_from: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApproval {
    version: Spanned<String>,
    approved_by: Spanned<String>,
    holds_from: Spanned<String>,
}

/// `[approval]` in the reference.
pub(super) static APPROVAL_KEYS: Section = Section {
    head: "[approval]",
    doc: "Who stands for the policy, and from when on. It is published with every run and shown by explain; a run of an earlier date is refused.",
    keys: &[
        Key::new("version", "text", "\"2025.2\"", "what the lender calls this state of the policy"),
        Key::new("approved_by", "text", "\"credit committee of 12 June 2025\"", "who approved it"),
        Key::new("holds_from", "date", "\"2025-07-01\"", "the first as-of date that it may decide"),
    ],
};

impl RawApproval {
    /// # Errors
    /// A blank name, or no date.
    pub(super) fn check(&self, file: &ConfigFile) -> Result<PolicyApproval, ConfigError> {
        let words = |key: &str, text: &Spanned<String>| {
            let words = text.get_ref().trim();
            if words.is_empty() {
                let help = "words that a reader of the run understands";
                file.pass_over(file.refuse(&text.span(), format!("{key} is blank"), help), ())?;
            }
            Ok(words.to_owned())
        };
        let holds_from = self.holds_from.get_ref().parse().or_else(|_| {
            let message = format!("holds_from is {:?}, which is no date", self.holds_from.get_ref());
            let fault = file.refuse(&self.holds_from.span(), message, "for example holds_from = \"2025-07-01\"");
            file.pass_over(fault, Date::MIN)
        })?;
        Ok(PolicyApproval {
            version: words("version", &self.version)?,
            approved_by: words("approved_by", &self.approved_by)?,
            holds_from,
        })
    }

    /// Where `holds_from` stands.
    pub(super) fn holds_from_span(&self) -> std::ops::Range<usize> {
        self.holds_from.span()
    }
}
