//! The two wide tables of a run: every feature, and the window sums behind them.
//!
//! They are too big to hold for a whole marketplace. Each shard therefore writes sorted parts of its own, out of readers' sight, and
//! publishing merges them.

use std::path::{Path, PathBuf};

use super::decide::DecideError;
use super::population::Measured;
use crate::domain::AsOf;
use crate::features::FeatureConfig;
use crate::features::{self, FeatureError, Read};
use crate::publish::{
    EvidenceRow, FeatureFormula, FeatureRow, OutputColumn, OutputRow, OutputTable, PublishError, Stage, TableWriter,
    WideValue, distinct_windows, evidence_columns, formulas, merge_sorted,
};

/// Layout of the wide tables, and where their parts lie.
pub struct WideTables {
    parts: PathBuf,
    features: Vec<OutputColumn>,
    evidence: Vec<OutputColumn>,
    /// In the order of the evidence columns, two columns each.
    windows: Vec<Read>,
    /// Which feature reads which window: `evidence.json`.
    pub formulas: Vec<FeatureFormula>,
}

/// Parts of one shard; a shard without merchants has none.
pub struct ShardParts {
    features: PathBuf,
    evidence: PathBuf,
}

impl WideTables {
    /// Lays out both tables.
    ///
    /// # Errors
    /// Dates beyond the calendar.
    pub fn new(parts: &Path, config: &FeatureConfig, as_of: &AsOf) -> Result<Self, FeatureError> {
        let evidence = features::evidence(config, as_of)?;
        let windows = distinct_windows(&evidence);
        Ok(Self {
            parts: parts.to_owned(),
            features: config.features.iter().map(|f| f64::column(&f.name, f.unit.word(), &f.why)).collect(),
            evidence: evidence_columns(&windows),
            windows: windows.values().map(|w| w.read).collect(),
            formulas: formulas(&evidence),
        })
    }

    /// Writes a shard's parts. Shards may write at the same time.
    ///
    /// # Errors
    /// A sum beyond 64 bits, or a file that cannot be written.
    pub fn write(&self, measured: &Measured<'_>) -> Result<Option<ShardParts>, DecideError> {
        let table = measured.features;
        if table.merchants.is_empty() {
            return Ok(None);
        }
        let part = |name: &str| self.parts.join(format!("{name}-{}.parquet", measured.bucket));
        let parts = ShardParts { features: part("features"), evidence: part("evidence") };
        let mut features = TableWriter::create(&parts.features, FeatureRow::table_of(&self.features))?;
        let mut evidence = TableWriter::create(&parts.evidence, EvidenceRow::table_of(&self.evidence))?;
        for (at, merchant_id) in table.merchants.iter().enumerate() {
            let values = table.columns.iter().map(|c| c.values.get(at).copied().flatten()).collect();
            features.push(FeatureRow { merchant_id: merchant_id.clone(), values })?;
            let mut values = Vec::with_capacity(self.evidence.len());
            for read in &self.windows {
                let tally = measured.measures.tally(*read, at)?;
                values.extend([tally.map(|t| t.sum), tally.and_then(|t| i64::try_from(t.rows).ok())]);
            }
            evidence.push(EvidenceRow { merchant_id: merchant_id.clone(), values })?;
        }
        features.finish_scratch()?;
        evidence.finish_scratch()?;
        Ok(Some(parts))
    }

    /// Merges all parts into the run.
    ///
    /// # Errors
    /// A part cannot be read, or the stage refuses.
    pub fn publish(&self, stage: &mut Stage<'_, '_>, parts: &[ShardParts]) -> Result<(), PublishError> {
        let features: Vec<PathBuf> = parts.iter().map(|p| p.features.clone()).collect();
        let evidence: Vec<PathBuf> = parts.iter().map(|p| p.evidence.clone()).collect();
        merge::<FeatureRow>(stage, FeatureRow::table_of(&self.features), &features)?;
        merge::<EvidenceRow>(stage, EvidenceRow::table_of(&self.evidence), &evidence)
    }
}

fn merge<R: OutputRow>(stage: &mut Stage<'_, '_>, table: OutputTable, parts: &[PathBuf]) -> Result<(), PublishError> {
    let mut writer = stage.table::<R>(table)?;
    merge_sorted(parts, &mut writer)?;
    stage.seal(writer)?;
    Ok(())
}
