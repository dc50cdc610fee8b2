//! The feature table: what models, rules and readers get.

/// One feature of all merchants.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureColumn {
    /// The feature.
    pub name: String,
    /// Values in the order of [`FeatureTable::merchants`]; finite where known.
    pub values: Vec<Option<f64>>,
}

/// Merchants × features.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTable {
    /// Merchant ids, sorted.
    pub merchants: Vec<String>,
    /// Features in the order of the configuration.
    pub columns: Vec<FeatureColumn>,
}

impl FeatureTable {
    /// The feature of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FeatureColumn> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// A feature of the merchant at that position; `None` where unknown.
    #[must_use]
    pub fn value(&self, name: &str, merchant: usize) -> Option<f64> {
        self.column(name)?.values.get(merchant).copied().flatten()
    }

    /// A merchant's position.
    #[must_use]
    pub fn position(&self, merchant: &str) -> Option<usize> {
        self.merchants.binary_search_by(|id| id.as_str().cmp(merchant)).ok()
    }
}
