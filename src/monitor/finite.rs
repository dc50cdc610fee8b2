//! Features that monitoring may rest on.

use super::error::MonitorError;
use crate::features::FeatureLookup;

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
