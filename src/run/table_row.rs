//! One merchant's row of a feature table, looked up by name.

use crate::features::{FeatureLookup, FeatureTable};

/// The row at a position.
pub struct TableRow<'a> {
    /// The table.
    pub table: &'a FeatureTable,
    /// The merchant's position in it.
    pub at: usize,
}

impl FeatureLookup for TableRow<'_> {
    fn value(&self, feature: &str) -> Option<f64> {
        self.table.value(feature, self.at)
    }
}
