//! The two wide tables of a run: every feature, and the window sums behind them.

use std::path::Path;

use super::population::Seen;
use crate::domain::AsOf;
use crate::features::{self, FeatureConfig, FeatureError, FeatureTable, Read};
use crate::publish::{
    EvidenceRow, FeatureFormula, FeatureRow, GatheredTable, OutputColumn, PublishError, Stage, WideValue,
    distinct_windows, evidence_columns, formulas,
};

/// Layout of the wide tables, and their rows so far.
pub struct WideTables {
    features: GatheredTable<FeatureRow>,
    evidence: GatheredTable<EvidenceRow>,
    /// In the order of the evidence columns, two columns each.
    windows: Vec<Read>,
    /// Which feature reads which window: `evidence.json`.
    pub formulas: Vec<FeatureFormula>,
}

impl WideTables {
    /// Lays out both tables.
    ///
    /// # Errors
    /// Dates beyond the calendar.
    pub fn new(scratch: &Path, config: &FeatureConfig, as_of: &AsOf) -> Result<Self, FeatureError> {
        let evidence = features::evidence(config, as_of)?;
        let windows = distinct_windows(&evidence);
        let columns = config.features.iter().map(|f| f64::column(&f.name, f.unit.word(), &f.why));
        let columns: Vec<OutputColumn> = columns.collect();
        Ok(Self {
            features: GatheredTable::new(FeatureRow::table_of(&columns), scratch),
            evidence: GatheredTable::new(EvidenceRow::table_of(&evidence_columns(&windows)), scratch),
            windows: windows.values().map(|w| w.read).collect(),
            formulas: formulas(&evidence),
        })
    }

    /// Adds a shard's evidence. Shards may come at the same time.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_evidence(&self, seen: &Seen<'_>) -> Result<(), PublishError> {
        let of_merchant = |(at, merchant_id): (usize, &String)| {
            let tallies = self.windows.iter().map(|read| seen.measures.tally(*read, at));
            let values =
                tallies.flat_map(|tally| [tally.map(|t| t.sum), tally.and_then(|t| i64::try_from(t.rows).ok())]);
            EvidenceRow { merchant_id: merchant_id.clone(), values: values.collect() }
        };
        self.evidence.extend(seen.measures.merchants().iter().enumerate().map(of_merchant).collect())
    }

    /// Adds a shard's features. Shards may come at the same time.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_features(&self, table: &FeatureTable) -> Result<(), PublishError> {
        let of_merchant = |(at, merchant_id): (usize, &String)| FeatureRow {
            merchant_id: merchant_id.clone(),
            values: table.columns.iter().map(|c| c.values.get(at).copied().flatten()).collect(),
        };
        self.features.extend(table.merchants.iter().enumerate().map(of_merchant).collect())
    }

    /// Writes both tables into the run.
    ///
    /// # Errors
    /// Rows cannot be read back, or the stage refuses.
    pub fn publish(&self, stage: &mut Stage<'_, '_>) -> Result<(), PublishError> {
        self.features.publish(stage)?;
        self.evidence.publish(stage)
    }
}
