//! The two wide tables of a run: every feature, and the window sums behind them.
//!
//! They are too big to hold for a whole marketplace. Each shard therefore writes sorted parts of its own, out of readers' sight, and
//! publishing merges them.

use std::path::{Path, PathBuf};

use super::decide::DecideError;
use super::population::Seen;
use crate::domain::AsOf;
use crate::features::{self, FeatureConfig, FeatureError, FeatureTable, Read};
use crate::publish::{
    EvidenceRow, FeatureFormula, FeatureRow, OutputColumn, OutputRow, OutputTable, PublishError, Stage, TableWriter,
    WideValue, distinct_windows, evidence_columns, formulas, merge_sorted,
};

/// Parts of one shard; a shard without merchants has none.
pub struct ShardParts {
    /// Written while its features are finished.
    pub features: Option<PathBuf>,
    /// Written while its tiles are in memory.
    pub evidence: Option<PathBuf>,
}

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

    /// Writes a shard's part of the evidence. Shards may write at the same time.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_evidence(&self, seen: &Seen<'_>) -> Result<Option<PathBuf>, DecideError> {
        if seen.measures.merchants().is_empty() {
            return Ok(None);
        }
        let path = self.part("evidence", seen.bucket);
        let mut evidence = TableWriter::create(&path, EvidenceRow::table_of(&self.evidence))?;
        for (at, merchant_id) in seen.measures.merchants().iter().enumerate() {
            let mut values = Vec::with_capacity(self.evidence.len());
            for read in &self.windows {
                let tally = seen.measures.tally(*read, at);
                values.extend([tally.map(|t| t.sum), tally.and_then(|t| i64::try_from(t.rows).ok())]);
            }
            evidence.push(EvidenceRow { merchant_id: merchant_id.clone(), values })?;
        }
        evidence.finish_scratch()?;
        Ok(Some(path))
    }

    /// Writes a shard's part of the features. Shards may write at the same time.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_features(&self, bucket: u32, table: &FeatureTable) -> Result<Option<PathBuf>, DecideError> {
        if table.merchants.is_empty() {
            return Ok(None);
        }
        let path = self.part("features", bucket);
        let mut features = TableWriter::create(&path, FeatureRow::table_of(&self.features))?;
        for (at, merchant_id) in table.merchants.iter().enumerate() {
            let values = table.columns.iter().map(|c| c.values.get(at).copied().flatten()).collect();
            features.push(FeatureRow { merchant_id: merchant_id.clone(), values })?;
        }
        features.finish_scratch()?;
        Ok(Some(path))
    }

    fn part(&self, table: &str, bucket: u32) -> PathBuf {
        self.parts.join(format!("{table}-{bucket}.parquet"))
    }

    /// Merges all parts into the run.
    ///
    /// # Errors
    /// A part cannot be read, or the stage refuses.
    pub fn publish(&self, stage: &mut Stage<'_, '_>, parts: &[ShardParts]) -> Result<(), PublishError> {
        let features: Vec<PathBuf> = parts.iter().filter_map(|p| p.features.clone()).collect();
        let evidence: Vec<PathBuf> = parts.iter().filter_map(|p| p.evidence.clone()).collect();
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
