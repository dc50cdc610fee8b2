//! The file of officers' decisions about credit: `overrides` of the job.
//!
//! ```toml
//! [[override]]
//! merchant_id = "m0000042"
//! product = "credit-loan"        # left out: every product
//! change = "raise-limit"         # decline, lower-limit, raise-limit, waive-rule, rate
//! limit_minor = 3_000_000        # of a limit; rule = "…" of a rule, daily_rate_ppm = … of a price
//! from = "2025-06-01"
//! until = "2025-06-30"
//! reason = "a second warehouse was seen on site"
//! by = "Li Wei"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::overrides::{Override, OverrideKind};
use super::policy::Policy;
use crate::config::{ConfigError, ConfigFile, bounds};

/// A decision and where it stands in its file.
type Placed = (std::ops::Range<usize>, Override);

/// All decisions by merchant; none where the job names no file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    by_merchant: BTreeMap<String, Vec<Override>>,
    /// The file and where each decision begins in it, in its order.
    source: Option<(ConfigFile, Vec<Placed>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(rename = "override", default)]
    overrides: Vec<Spanned<RawOverride>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverride {
    merchant_id: Spanned<String>,
    product: Option<Spanned<String>>,
    change: OverrideKind,
    limit_minor: Option<Spanned<i64>>,
    rule: Option<Spanned<String>>,
    daily_rate_ppm: Option<Spanned<i64>>,
    from: Spanned<String>,
    until: Spanned<String>,
    reason: Spanned<String>,
    by: Spanned<String>,
}

impl Overrides {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Whatever it holds that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::check(ConfigFile::open(path)?)
    }

    /// Checks a file that is already in memory.
    ///
    /// # Errors
    /// Whatever the text holds that is not allowed, with the line.
    pub fn check(file: ConfigFile) -> Result<Self, ConfigError> {
        let raw: RawFile = file.parse()?;
        let mut decisions: Vec<Placed> = Vec::new();
        for spanned in &raw.overrides {
            let decided = check_override(&file, spanned)?;
            let clashes = |(_, known): &&Placed| clash(known, &decided);
            if let Some((_, known)) = decisions.iter().find(clashes) {
                let message = format!(
                    "two decisions {:?} about {:?} are in force at once",
                    known.change.name(),
                    known.merchant_id
                );
                return Err(file.refuse(&spanned.span(), message, "one of a kind a merchant, product and day"));
            }
            decisions.push((spanned.span(), decided));
        }
        let mut by_merchant: BTreeMap<String, Vec<Override>> = BTreeMap::new();
        for (_, decided) in &decisions {
            by_merchant.entry(decided.merchant_id.clone()).or_default().push(decided.clone());
        }
        Ok(Self { by_merchant, source: Some((file, decisions)) })
    }

    /// Refuses decisions that the policy does not allow.
    ///
    /// # Errors
    /// The first one, with its line.
    pub fn check_policy(&self, policy: &Policy) -> Result<(), ConfigError> {
        let Some((file, decisions)) = &self.source else { return Ok(()) };
        for (span, decided) in decisions {
            let refuse = |message: String, help: String| Err(file.refuse(span, message, help));
            let Some(terms) = &policy.overrides else {
                return refuse(
                    "the policy lets nobody decide about single merchants".to_owned(),
                    "[overrides] in the policy file says who may do what".to_owned(),
                );
            };
            if let Some(product) =
                decided.product.as_ref().filter(|name| policy.products.iter().all(|p| p.name != **name))
            {
                let names: Vec<&str> = policy.products.iter().map(|product| product.name.as_str()).collect();
                return refuse(format!("product {product:?} is not on offer"), format!("one of: {}", names.join(", ")));
            }
            if let Err((message, help)) = terms.allow(decided) {
                return refuse(message, help);
            }
        }
        Ok(())
    }

    /// A merchant's, in the order of the file.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> &[Override] {
        self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    /// Those in force on a day, sorted.
    #[must_use]
    pub fn in_force(&self, on: Date) -> Vec<&Override> {
        let mut all: Vec<&Override> = self.by_merchant.values().flatten().filter(|o| o.is_in_force(on)).collect();
        all.sort();
        all
    }
}

/// Whether two decisions say two things about one.
fn clash(a: &Override, b: &Override) -> bool {
    let same_product = match (&a.product, &b.product) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    a.merchant_id == b.merchant_id
        && a.change == b.change
        && a.rule == b.rule
        && same_product
        && a.from_on <= b.until_on
        && b.from_on <= a.until_on
}

fn check_override(file: &ConfigFile, spanned: &Spanned<RawOverride>) -> Result<Override, ConfigError> {
    let raw = spanned.get_ref();
    let (from_on, until_on) = bounds::period(file, &raw.from, &raw.until)?;
    let wants = |kind: OverrideKind| match kind {
        OverrideKind::Decline => [false; 3],
        OverrideKind::LowerLimit | OverrideKind::RaiseLimit => [true, false, false],
        OverrideKind::WaiveRule => [false, true, false],
        OverrideKind::Rate => [false, false, true],
    };
    if [raw.limit_minor.is_some(), raw.rule.is_some(), raw.daily_rate_ppm.is_some()] != wants(raw.change) {
        let message = format!("change = {:?} lacks its value or has another's", raw.change.name());
        let help = "lower-limit and raise-limit take limit_minor, waive-rule takes rule, rate takes daily_rate_ppm, decline takes none";
        return Err(file.refuse(&spanned.span(), message, help));
    }
    let text = |value: &Spanned<String>, key: &str| bounds::text(file, value, key);
    let number = |value: &Option<Spanned<i64>>, key: &str, most: i64| {
        value.as_ref().map(|value| bounds::integer(file, value, key, 0..=most)).transpose()
    };
    Ok(Override {
        merchant_id: text(&raw.merchant_id, "merchant_id")?,
        product: raw.product.as_ref().map(|product| text(product, "product")).transpose()?,
        change: raw.change,
        limit_minor: number(&raw.limit_minor, "limit_minor", 1_000_000_000_000)?,
        rule: raw.rule.as_ref().map(|rule| text(rule, "rule")).transpose()?,
        daily_rate_ppm: number(&raw.daily_rate_ppm, "daily_rate_ppm", 1_000_000)?,
        from_on,
        until_on,
        reason: text(&raw.reason, "reason")?,
        by: text(&raw.by, "by")?,
    })
}
