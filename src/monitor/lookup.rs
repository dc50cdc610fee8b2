//! Features by name, wherever they come from.

use std::collections::BTreeMap;

use super::error::MonitorError;

/// Features by name. Null is too little history, and so is a name that is not there.
pub trait FeatureLookup {
    /// The value; `None` for too little history.
    fn value(&self, feature: &str) -> Option<f64>;
}

impl FeatureLookup for BTreeMap<String, Option<f64>> {
    fn value(&self, feature: &str) -> Option<f64> {
        self.get(feature).copied().flatten()
    }
}

/// A feature that is null or finite.
pub(super) fn finite(
    features: &dyn FeatureLookup,
    merchant_id: &str,
    feature: &str,
) -> Result<Option<f64>, MonitorError> {
    match features.value(feature) {
        Some(value) if !value.is_finite() => {
            Err(MonitorError::NotFinite { merchant_id: merchant_id.to_owned(), feature: feature.to_owned(), value })
        }
        value => Ok(value),
    }
}
