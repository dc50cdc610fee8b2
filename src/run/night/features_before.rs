//! Features of the night before, for monitoring rules that look at what has changed since.

use std::collections::{BTreeSet, HashMap};

use crate::features::{FeatureLookup, FeatureTable};
use crate::publish::{PreviousRun, PublishError, read_feature_columns};

/// Chosen features of every merchant as the night before published them; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct FeaturesBefore {
    names: Vec<String>,
    by_merchant: HashMap<String, Vec<Option<f64>>>,
}

/// One merchant's features of the night before.
pub struct MerchantBefore<'a> {
    names: &'a [String],
    values: &'a [Option<f64>],
}

impl FeaturesBefore {
    /// Reads them, the file's bytes checked. A feature that the night before did not have is not known of it.
    ///
    /// # Errors
    /// The file is not what was published.
    pub fn read(previous: Option<&PreviousRun>, names: &BTreeSet<&str>) -> Result<Self, PublishError> {
        let Some(previous) = previous.filter(|_| !names.is_empty()) else { return Ok(Self::default()) };
        let Some(path) = previous.file("features.parquet")? else { return Ok(Self::default()) };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let by_merchant = read_feature_columns(&path, &names)?;
        Ok(Self { names, by_merchant })
    }

    /// The named features of tables at hand.
    #[must_use]
    pub fn of_tables<'a>(names: &BTreeSet<&str>, tables: impl Iterator<Item = &'a FeatureTable>) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let row = |table: &FeatureTable, at: usize| names.iter().map(|name| table.value(name, at)).collect();
        let of_table =
            |table: &'a FeatureTable| table.merchants.iter().enumerate().map(move |(at, id)| (table, at, id));
        let by_merchant = tables.flat_map(of_table).map(|(table, at, id)| (id.clone(), row(table, at))).collect();
        Self { names, by_merchant }
    }

    /// Those of one merchant.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> MerchantBefore<'_> {
        MerchantBefore { names: &self.names, values: self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice) }
    }
}

impl FeatureLookup for MerchantBefore<'_> {
    fn value(&self, feature: &str) -> Option<f64> {
        let at = self.names.iter().position(|name| name == feature)?;
        self.values.get(at).copied().flatten()
    }
}
