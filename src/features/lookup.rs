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

/// One merchant's row of features, its columns found by name.
#[derive(Debug, Clone, Copy)]
pub struct ValuesByName<'a> {
    /// Place of each feature in the row.
    pub names: &'a BTreeMap<String, usize>,
    /// The row.
    pub values: &'a [Option<f64>],
}

impl FeatureLookup for ValuesByName<'_> {
    fn value(&self, feature: &str) -> Option<f64> {
        self.values.get(*self.names.get(feature)?).copied().flatten()
    }
}
