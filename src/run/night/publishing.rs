//! Fills a run folder: tables, quarantine, ledger, summary, and copies of the model and configuration that made them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::config_copies::{config_copies, seen_from};
use super::decided_tables::DecidedTables;
use super::interchange_files::write_interchange;
use super::summary::RunSummary;
use crate::domain::{Digest, Hasher};
use crate::model::registry::Bundle;
use crate::publish::{ConfigCopy, OutputRow as _, PublishError, Stage};
use crate::run::Job;
use crate::run::wide::WideTables;
use crate::wash::{Ingested, QuarantineRow};

/// The summary as a page that a person opens.
pub const REPORT: &str = "report.html";
/// The portfolio over the nights, likewise.
pub const PORTFOLIO: &str = "portfolio.html";

/// All that a run folder holds.
#[derive(Clone, Copy)]
pub struct PublishInputs<'a> {
    /// Job.
    pub job: &'a Job,
    /// Ledger and quarantine.
    pub ingested: &'a Ingested,
    /// Rows of every table.
    pub tables: &'a DecidedTables,
    /// Model.
    pub bundle: &'a Bundle,
    /// Features and evidence.
    pub wide: &'a WideTables,
    /// Summary.
    pub summary: &'a RunSummary,
    /// The portfolio as a page.
    pub page: &'a str,
}

/// Writes everything but the manifest; returns under which names the configuration is kept.
pub fn publish_run(stage: &mut Stage<'_, '_>, inputs: PublishInputs<'_>) -> Result<Vec<ConfigCopy>, PublishError> {
    let PublishInputs { job, ingested, tables, bundle, wide, summary, page } = inputs;
    tables.publish(stage)?;
    wide.publish(stage)?;
    stage.write_json("evidence.json", &wide.formulas)?;
    for (table, rows) in &ingested.quarantine {
        let mut writer = stage.table_named(&format!("quarantine/{table}.parquet"), QuarantineRow::table())?;
        for row in rows.rows()? {
            writer.push(row?)?;
        }
        stage.seal(writer)?;
    }
    stage.write_json("wash_ledger.json", &ingested.whole_ledger().collect::<Vec<_>>())?;
    stage.write_json("results.json", summary)?;
    stage.write_bytes(REPORT, summary.page()?.as_bytes())?;
    stage.write_bytes(PORTFOLIO, page.as_bytes())?;
    for name in bundle.file_names() {
        let path = bundle.folder.join(name);
        let bytes = std::fs::read(&path).map_err(|source| PublishError::Io { action: "read", path, source })?;
        stage.write_bytes(&format!("model/{name}"), &bytes)?;
    }
    // The text that the run judged by, not the files: they may have been edited since.
    let configured = configured(job);
    let files: BTreeSet<&Path> = configured.keys().copied().collect();
    let home = job.files.job.folder();
    let copies = config_copies(home, &files);
    let texts: BTreeMap<String, &str> = configured.iter().map(|(path, text)| (seen_from(home, path), *text)).collect();
    for copy in &copies {
        stage.write_bytes(&copy.path, texts.get(&copy.source).copied().unwrap_or_default().as_bytes())?;
    }
    write_interchange(stage, inputs)?;
    Ok(copies)
}

/// Every configuration file of a job with its text.
fn configured(job: &Job) -> BTreeMap<&Path, &str> {
    let mut configured: BTreeMap<&Path, &str> = job.files.all().map(|file| (file.path(), file.text())).collect();
    let statements = job.intake.source.sources.iter().flat_map(|s| &s.parts).filter_map(|part| part.sql.as_ref());
    configured.extend(statements.map(|s| (s.path.as_path(), s.text.as_str())));
    configured
}

/// Digest of every file of a model that a run publishes, the approval among them: by name and bytes.
pub fn published_model_digest(bundle: &Bundle) -> Result<Digest, PublishError> {
    let mut hasher = Hasher::default();
    for name in bundle.file_names() {
        let path = bundle.folder.join(name);
        let digest = Digest::of_file(&path).map_err(|source| PublishError::Io { action: "read", path, source })?;
        hasher.field(name.as_bytes());
        hasher.field(digest.to_string().as_bytes());
    }
    Ok(hasher.finish())
}
