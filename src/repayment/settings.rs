//! How payments are allocated: the section `[waterfall]` of the monitor file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, bounds};

/// A part of an instalment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Fees.
    Fee,
    /// Interest.
    Interest,
    /// Principal.
    Principal,
}

/// How payments are allocated to instalments, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waterfall {
    /// Order within one instalment; holds each part once.
    pub within: [Part; 3],
    /// How much less than the reckoned accrued interest still closes a loan early, in minor units.
    pub early_close_tolerance_minor: i64,
}

impl Default for Waterfall {
    /// Fees, interest, principal; one major unit of tolerance.
    fn default() -> Self {
        Self { within: [Part::Fee, Part::Interest, Part::Principal], early_close_tolerance_minor: 100 }
    }
}

/// `[waterfall]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWaterfall {
    within: Spanned<Vec<Part>>,
    early_close_tolerance_minor: Spanned<i64>,
}

impl RawWaterfall {
    /// Checks the section.
    ///
    /// # Errors
    /// Parts that are missing or named twice, or a tolerance out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<Waterfall, ConfigError> {
        let within = &self.within;
        let parts: [Part; 3] = match within.get_ref().as_slice() {
            &[a, b, c] if a != b && b != c && a != c => [a, b, c],
            _ => {
                let message = "within must name each part of an instalment once";
                return Err(file.refuse(&within.span(), message, "for example [\"fee\", \"interest\", \"principal\"]"));
            }
        };
        let tolerance = &self.early_close_tolerance_minor;
        Ok(Waterfall {
            within: parts,
            early_close_tolerance_minor: bounds::integer(file, tolerance, "early_close_tolerance_minor", 0..=100_000)?,
        })
    }
}
