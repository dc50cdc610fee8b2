//! Fills a run folder: tables, quarantine, ledger, summary, and copies of the model and configuration that made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, PolarsError};

use super::decide::Decided;
use super::summary::RunSummary;
use super::wide::{ShardParts, WideTables};
use crate::model::registry::Bundle;
use crate::publish::{OutputRow, PublishError, QuarantineRow, Stage};
use crate::run::Job;
use crate::wash::Ingested;

/// All that a run folder holds.
pub struct PublishInputs<'a> {
    /// Job.
    pub job: &'a Job,
    /// Ledger and quarantine.
    pub ingested: &'a Ingested,
    /// Rows of every table, sorted.
    pub decided: Decided,
    /// Model.
    pub bundle: &'a Bundle,
    /// Layout of features and evidence.
    pub wide: &'a WideTables,
    /// Their parts.
    pub parts: &'a [ShardParts],
    /// Summary.
    pub summary: &'a RunSummary,
}

/// Writes everything but the manifest.
pub fn publish_run(stage: &mut Stage<'_, '_>, inputs: PublishInputs<'_>) -> Result<(), PublishError> {
    let PublishInputs { job, ingested, decided, bundle, wide, parts, summary } = inputs;
    write(stage, decided.scores)?;
    write(stage, decided.offers)?;
    write(stage, decided.declines)?;
    write(stage, decided.referrals)?;
    write(stage, decided.alerts)?;
    write(stage, decided.deductions)?;
    wide.publish(stage, parts)?;
    stage.write_json("evidence.json", &wide.formulas)?;
    for (table, frame) in &ingested.quarantine {
        let rows =
            quarantine_rows(frame).map_err(|e| PublishError::Layout { table: "quarantine", why: e.to_string() })?;
        let mut writer = stage.table_named(&format!("quarantine/{table}.parquet"), QuarantineRow::table())?;
        writer.extend(rows)?;
        stage.seal(writer)?;
    }
    stage.write_json("wash_ledger.json", &ingested.whole_ledger().collect::<Vec<_>>())?;
    stage.write_json("results.json", summary)?;
    for path in files_below(&bundle.folder)? {
        let bytes =
            std::fs::read(&path).map_err(|source| PublishError::Io { action: "read", path: path.clone(), source })?;
        stage.write_bytes(&place("model", &bundle.folder, &path), &bytes)?;
    }
    // The text that the run judged by, not the files: they may have been edited since.
    let mut configured: BTreeMap<&Path, &str> = job.files.all().map(|file| (file.path(), file.text())).collect();
    configured.extend(
        job.intake.source.sources.iter().filter_map(|s| s.sql.as_ref()).map(|s| (s.path.as_path(), s.text.as_str())),
    );
    for (path, text) in configured {
        stage.write_bytes(&place("config", job.files.job.folder(), path), text.as_bytes())?;
    }
    Ok(())
}

fn write<R: OutputRow>(stage: &mut Stage<'_, '_>, rows: Vec<R>) -> Result<(), PublishError> {
    let mut writer = stage.table(R::table())?;
    writer.extend(rows)?;
    stage.seal(writer)?;
    Ok(())
}

/// A file's place in the run folder: below `into` as it was below `home`; files from elsewhere keep their name only.
fn place(into: &str, home: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(home).ok().or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    let parts: Vec<String> =
        relative.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).filter(|c| c != "..").collect();
    format!("{into}/{}", parts.join("/"))
}

/// Visible files of a folder, sorted.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let io = |source| PublishError::Io { action: "list", path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn quarantine_rows(frame: &DataFrame) -> Result<Vec<QuarantineRow>, PolarsError> {
    let text = |column: &str| -> Result<Vec<Option<String>>, PolarsError> {
        Ok(frame.column(column)?.str()?.iter().map(|v| v.map(str::to_owned)).collect())
    };
    let rows = frame.column("row")?.cast(&polars::prelude::DataType::Int64)?;
    let rows = rows.i64()?.iter();
    let (file, key, rule) = (text("file")?, text("key")?, text("rule")?);
    let (column, value, record) = (text("column")?, text("value")?, text("record")?);
    let columns = file.into_iter().zip(rows).zip(key).zip(rule).zip(column).zip(value).zip(record);
    Ok(columns
        .zip(1..)
        .map(|(((((((file, row), key), rule), column), value), record), number)| QuarantineRow {
            number,
            file: file.unwrap_or_default(),
            row: row.unwrap_or(0),
            key,
            rule: rule.unwrap_or_default(),
            column,
            value,
            record,
        })
        .collect())
}
