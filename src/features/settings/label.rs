//! `[label]`: what makes a merchant bad where there is no loan book to tell.

use polars::prelude::DataType;
use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile};
use crate::tiles::{MeasureSpec, RowSql, Yields, schema_of};

/// The most days that a label may look back.
pub const MOST_BEFORE_DAYS: u16 = 730;

/// A checked label. Predicates name `<measure>_before`, the sum over the `before_days` that end at the observation, and
/// `<measure>_after`, the sum over the performance window that begins there.
#[derive(Debug, Clone)]
pub struct LabelSpec {
    /// Its name.
    pub name: String,
    /// Days of the window before the observation.
    pub before_days: u16,
    /// Who can be judged at all. May only look back: who is judged must be known at the observation.
    pub eligible: RowSql,
    /// True where the merchant turned out bad.
    pub outcome: RowSql,
    /// Measures that the predicates name, sorted.
    pub measures: Vec<String>,
    /// Why this is distress.
    pub why: String,
}

impl LabelSpec {
    /// Whether the outcome holds sums of the performance window against sums of the window before: it then means something else where only one of them is made longer.
    #[must_use]
    pub fn compares_windows(&self) -> bool {
        let names = |end: &str| self.outcome.columns().iter().any(|column| column.ends_with(end));
        names("_before") && names("_after")
    }
}

/// A label as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLabel {
    name: Spanned<String>,
    before_days: Spanned<i64>,
    eligible: Spanned<String>,
    outcome: Spanned<String>,
    why: String,
}

impl RawLabel {
    /// Checks a label against the measures declared.
    pub(super) fn check(self, file: &ConfigFile, measures: &[MeasureSpec]) -> Result<LabelSpec, ConfigError> {
        let before: Vec<String> = measures.iter().map(|m| format!("{}_before", m.name)).collect();
        let after: Vec<String> = measures.iter().map(|m| format!("{}_after", m.name)).collect();
        let schema = |names: &[&Vec<String>]| {
            schema_of(names.iter().flat_map(|n| n.iter()).map(|name| (name.as_str(), DataType::Int64)))
        };
        let parse = |sql: &Spanned<String>, names: &[&Vec<String>]| {
            RowSql::parse(sql.get_ref(), &schema(names), Yields::Flag)
                .map_err(|refusal| file.refuse(&sql.span(), refusal.message, refusal.help))
        };
        let eligible = parse(&self.eligible, &[&before])?;
        let outcome = parse(&self.outcome, &[&before, &after])?;
        let before_days = match u16::try_from(*self.before_days.get_ref()) {
            Ok(days) if (1..=MOST_BEFORE_DAYS).contains(&days) => days,
            _ => {
                let message = format!("before_days = {} is out of range", self.before_days.get_ref());
                return Err(file.refuse(
                    &self.before_days.span(),
                    message,
                    format!("a whole number from 1 to {MOST_BEFORE_DAYS}"),
                ));
            }
        };
        let is_named = |m: &&MeasureSpec| {
            let columns = eligible.columns().iter().chain(outcome.columns());
            let mut stems = columns.filter_map(|c| c.strip_suffix("_before").or_else(|| c.strip_suffix("_after")));
            stems.any(|stem| stem == m.name)
        };
        let mut named: Vec<String> = measures.iter().filter(is_named).map(|m| m.name.clone()).collect();
        named.sort_unstable();
        Ok(LabelSpec { name: self.name.into_inner(), before_days, eligible, outcome, measures: named, why: self.why })
    }
}
