//! Fewest events that make a usual level.

use super::Evidence;
use super::keys::RuleKeys;
use crate::config::ConfigError;

/// Of how many events the usual level consists, and how many are needed: of a handful of orders a month, a month without any is chance and no drop.
/// Where orders come at random and a fifth of `n` is expected in the window that is judged, that window is empty by chance alone once in `e^(n ÷ 5)` times.
#[derive(Debug, Clone, PartialEq)]
pub struct MinCount {
    count: String,
    least: f64,
}

impl MinCount {
    /// Keys: `count`, a feature, and `min_count`; none without both.
    ///
    /// # Errors
    /// One stands without the other, or is not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Option<Self>, ConfigError> {
        let count = keys.optional_feature("count")?;
        let least = keys.optional_number("min_count", 1.0..=f64::MAX)?;
        match (count, least) {
            (Some(count), Some(least)) => Ok(Some(Self { count, least })),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => {
                let fault = keys.refuse(
                    "count and min_count belong together",
                    "count = \"orders_placed_count_180d\" with min_count = 8, or neither",
                );
                keys.pass_over(fault, None)
            }
        }
    }

    /// The feature with the count.
    #[must_use]
    pub fn feature(&self) -> &str {
        &self.count
    }

    /// Whether there are enough; not where nobody knows.
    #[must_use]
    pub fn is_reached(&self, seen: &Evidence) -> bool {
        seen.value(&self.count).is_some_and(|count| count >= self.least)
    }

    /// For tests.
    #[cfg(test)]
    pub(super) fn of(count: &str, least: f64) -> Self {
        Self { count: count.to_owned(), least }
    }
}
