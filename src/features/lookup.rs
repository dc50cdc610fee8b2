//! Features by name, wherever they come from.

use std::collections::BTreeMap;

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
