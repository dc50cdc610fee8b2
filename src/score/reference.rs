//! The reference population: where a feature's value stands among the merchants that a model was trained on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::features::FeatureTable;

/// Largest number of quantile points kept a feature: a rank is then known to one part in a hundred.
const QUANTILES: usize = 100;

/// A feature table that no reference can be made from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReferenceError {
    /// NaN or an infinity.
    #[error("rank feature {feature}: merchant {merchant} has the non-finite value {value}")]
    NotFinite {
        /// The feature.
        feature: String,
        /// Whose value it is.
        merchant: String,
        /// The value.
        value: f64,
    },
}

/// Quantile points of each feature over the training population, frozen with the model, so that one merchant's index never
/// depends on who else is scored that night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Reference {
    /// Ascending values at evenly spaced ranks, by feature. Features without any value are left out.
    quantiles: BTreeMap<String, Vec<f64>>,
}

impl Reference {
    /// Takes the quantile points of every column over all tables (one table a snapshot or shard).
    ///
    /// # Errors
    /// A value that is not finite.
    pub fn fit(tables: &[FeatureTable]) -> Result<Self, ReferenceError> {
        let mut pooled: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for table in tables {
            for column in &table.columns {
                let values = pooled.entry(column.name.as_str()).or_default();
                for (merchant, value) in table.merchants.iter().zip(&column.values) {
                    match *value {
                        Some(v) if !v.is_finite() => {
                            return Err(ReferenceError::NotFinite {
                                feature: column.name.clone(),
                                merchant: merchant.clone(),
                                value: v,
                            });
                        }
                        Some(v) => values.push(v),
                        None => {}
                    }
                }
            }
        }
        let quantiles = pooled
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, mut values)| {
                values.sort_by(f64::total_cmp);
                (name.to_owned(), thin(&values))
            })
            .collect();
        Ok(Self { quantiles })
    }

    /// Mid-rank of a value, 0 (below all) to 1 (above all); `None` where the training population had no value.
    #[must_use]
    pub fn rank(&self, feature: &str, value: f64) -> Option<f64> {
        let points = self.quantiles.get(feature)?;
        let below = points.partition_point(|&p| p < value);
        let not_above = points.partition_point(|&p| p <= value);
        Some((below + not_above) as f64 / (2 * points.len()) as f64)
    }
}

/// Evenly spaced order statistics of sorted values, at mid-ranks.
fn thin(sorted: &[f64]) -> Vec<f64> {
    if sorted.len() <= QUANTILES {
        return sorted.to_vec();
    }
    (0..QUANTILES).filter_map(|k| sorted.get((2 * k + 1) * sorted.len() / (2 * QUANTILES)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureColumn;

    fn table(values: Vec<Option<f64>>) -> FeatureTable {
        FeatureTable {
            merchants: (0..values.len()).map(|i| format!("m{i}")).collect(),
            columns: vec![FeatureColumn { name: "x".to_owned(), values }],
        }
    }

    #[test]
    fn ranks_are_mid_ranks() {
        let reference =
            Reference::fit(&[table(vec![Some(1.0), None]), table(vec![Some(2.0), Some(2.0), Some(3.0)])]).unwrap();
        assert_eq!(reference.rank("x", 0.0), Some(0.0));
        assert_eq!(reference.rank("x", 2.0), Some(0.5));
        assert_eq!(reference.rank("x", 9.0), Some(1.0));
        assert_eq!(reference.rank("y", 9.0), None);
    }

    #[test]
    fn thinning_keeps_ranks_to_a_hundredth() {
        let reference = Reference::fit(&[table((0..12_345).map(|i| Some(f64::from(i))).collect())]).unwrap();
        for i in (0..12_345).step_by(97) {
            let rank = reference.rank("x", f64::from(i)).unwrap();
            assert!((rank - f64::from(i) / 12_345.0).abs() <= 0.01, "{i}: {rank}");
        }
    }

    #[test]
    fn non_finite_values_are_refused() {
        assert!(Reference::fit(&[table(vec![Some(f64::NAN)])]).is_err());
    }
}
