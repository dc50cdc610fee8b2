//! Recomputes every digest of published runs, and names each file that is not what it was when it was published.
//!
//! What this proves: no file changed, vanished or appeared since the manifest was written. What it does not: that whoever wrote
//! the manifest was the nightly run; that takes a signature.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::archive::InputArchive;
use super::chain::{self, LogPosition};
use super::current::{CURRENT, Current};
use super::decision_log::{ANSWERED, DECISIONS, read_answers};
use super::error::PublishError;
use super::folder_tree::FolderTree;
use super::history::{self, Serving};
use super::manifest::{MANIFEST, MANIFEST_DIGEST, Manifest, date_folder, run_path};
use super::officer_log::{DecidedByOfficers, read_officer_log};
use super::pointings::{POINTINGS, Pointings};
use super::prunings::{PRUNINGS, Prunings};
use crate::domain::Digest;
use crate::monitor::OfficerDecision;
use crate::offer::Override;

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "kebab-case")]
pub enum Problem {
    /// The manifest names it and it is not there.
    Missing,
    /// It is there and the manifest does not name it.
    Extra,
    /// It has another size: truncated, or grown.
    Resized {
        /// Size when it was published.
        expected_bytes: u64,
        /// Size now.
        found_bytes: u64,
    },
    /// It has the right size and other bytes.
    Altered {
        /// Digest when it was published.
        expected: Digest,
        /// Digest now.
        found: Digest,
    },
    /// It cannot be made sense of.
    Malformed {
        /// Why.
        why: String,
    },
    /// It could not be read.
    Unreadable {
        /// The system's own words.
        why: String,
    },
}

/// One file that is not as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Path below the output folder.
    pub path: String,
    /// What is wrong.
    #[serde(flatten)]
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.problem {
            Problem::Missing => write!(f, "{path} is missing"),
            Problem::Extra => write!(f, "{path} is in no manifest"),
            Problem::Resized { expected_bytes, found_bytes } => {
                write!(f, "{path} has {found_bytes} bytes, {expected_bytes} were published")
            }
            Problem::Altered { expected, found } => {
                write!(f, "{path} was altered: digest {}, published as {}", found.short(), expected.short())
            }
            Problem::Malformed { why } => write!(f, "{path}: {why}"),
            Problem::Unreadable { why } => write!(f, "{path} cannot be read: {why}"),
        }
    }
}

/// One run's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// Run folder, below the output folder.
    pub run: String,
    /// Whether `current.json` points to it.
    pub is_current: bool,
    /// Files in its manifest.
    pub files: usize,
    /// Bytes digested.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = if self.is_current { " (current)" } else { "" };
        let (run, files, bytes) = (&self.run, self.files, self.bytes);
        write!(
            f,
            "{run}{current}: {files} files in the manifest, {bytes} bytes as published, {} findings",
            self.findings.len()
        )
    }
}

/// The verdict on all that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Run by run, by path.
    pub runs: Vec<RunReport>,
    /// What is wrong outside of any run: the pointer, strays.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Nothing at all is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.all_findings().next().is_none()
    }

    /// All that is wrong.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.runs.iter().flat_map(|run| &run.findings))
    }
}

/// Verifies the current run, or every run of a business date. Where `current.json` is damaged, the newest intact run is verified in its
/// place, and the damage is a finding.
///
/// # Errors
/// Nothing is published there, or no run of that date; damage is not an error but a finding.
pub fn verify(out: &Path, as_of: Option<Date>) -> Result<VerifyReport, PublishError> {
    let mut report = VerifyReport { runs: Vec::new(), findings: Vec::new() };
    let mut current = pointer(&mut report, CURRENT, Current::read(out))?;
    if let Some(named) = &current
        && let Some(why) = history::not_to_be_named(out, named)?
    {
        report.findings.push(Finding { path: CURRENT.to_owned(), problem: Problem::Malformed { why } });
        current = None;
    }
    let logs = [
        (POINTINGS, Pointings::read(out).map(drop)),
        (PRUNINGS, Prunings::read(out).map(drop)),
        (DECISIONS, read_answers(out, LogPosition::default()).map(drop)),
        (Override::LOG, read_officer_log::<Override>(out).map(drop)),
        (OfficerDecision::LOG, read_officer_log::<OfficerDecision>(out).map(drop)),
    ];
    for (path, read) in logs {
        let Err(error) = read else { continue };
        let Some(why) = damage(&error) else { return Err(error) };
        report.findings.push(Finding { path: path.to_owned(), problem: Problem::Malformed { why } });
    }
    match (as_of, &current) {
        (Some(as_of), _) => verify_date(out, as_of, current.as_ref(), &mut report)?,
        (None, Some(current)) => {
            date_pointer(out, current.as_of, &mut report)?;
            report.runs.push(verify_run(out, &out.join(&current.run), Some(current))?);
            if let Some(entry) = Pointings::read(out).unwrap_or_default().withdrawal(&current.run) {
                let why = format!("it names {}, which was withdrawn: {}", current.run, entry.reason);
                report.findings.push(Finding { path: CURRENT.to_owned(), problem: Problem::Malformed { why } });
            }
        }
        (None, None) => match history::serving(out) {
            Ok(None) => return Err(PublishError::NothingPublished(out.to_owned())),
            Ok(Some(Serving { run, note })) => {
                report
                    .findings
                    .extend(note.map(|why| Finding { path: CURRENT.to_owned(), problem: Problem::Malformed { why } }));
                report.findings.dedup_by(|a, b| a.path == b.path);
                report.runs.push(verify_run(out, &out.join(&run.pointer.run), None)?);
            }
            Err(error) if error.is_damage() && !report.findings.is_empty() => {}
            Err(error) => return Err(error),
        },
    }
    Ok(report)
}

/// A pointer; that it is damaged is a finding.
fn pointer(
    report: &mut VerifyReport,
    path: &str,
    read: Result<Option<Current>, PublishError>,
) -> Result<Option<Current>, PublishError> {
    match read {
        Err(error) => {
            let Some(why) = damage(&error) else { return Err(error) };
            report.findings.push(Finding { path: path.to_owned(), problem: Problem::Malformed { why } });
            Ok(None)
        }
        found => found,
    }
}

/// The pointer of a business date, checked against the manifest that it names.
fn date_pointer(out: &Path, as_of: Date, report: &mut VerifyReport) -> Result<Option<Current>, PublishError> {
    let path = format!("{}/{CURRENT}", date_folder(as_of));
    let of_date = pointer(report, &path, Current::read_of_date(out, as_of))?;
    let own = of_date.as_ref().map(|pointer| (pointer, Manifest::own_digest(&out.join(&pointer.run))));
    if let Some(pointer) = &of_date
        && let Some(why) = history::not_to_be_named(out, pointer)?
    {
        report.findings.push(Finding { path: path.clone(), problem: Problem::Malformed { why } });
    }
    // Where the run itself is damaged, that is found file by file.
    if let Some((pointer, Ok(own))) = own
        && own != pointer.manifest_sha256
    {
        let why = "it vouches for another manifest than its run keeps the digest of".to_owned();
        report.findings.push(Finding { path, problem: Problem::Malformed { why } });
    }
    Ok(of_date)
}

fn damage(error: &PublishError) -> Option<String> {
    match error {
        PublishError::Malformed { why, .. } => Some(why.clone()),
        other if other.is_damage() => Some(other.to_string()),
        _ => None,
    }
}

fn verify_date(
    out: &Path,
    as_of: Date,
    current: Option<&Current>,
    report: &mut VerifyReport,
) -> Result<(), PublishError> {
    let date = date_folder(as_of);
    let current = current.filter(|c| c.as_of == as_of);
    let of_date = date_pointer(out, as_of, report)?;
    let mut runs: BTreeSet<String> = current.into_iter().chain(&of_date).map(|c| c.run.clone()).collect();
    let folder = out.join(&date);
    for name in history::names_in(&folder)? {
        let path = format!("{date}/{name}");
        if name.starts_with("run=") && folder.join(&name).is_dir() {
            runs.insert(path);
        } else if name != CURRENT && name != ANSWERED {
            report.findings.push(Finding { path, problem: Problem::Extra });
        }
    }
    report.findings.sort_by(|a, b| a.path.cmp(&b.path));
    if runs.is_empty() {
        return Err(Prunings::no_run_of(out, as_of));
    }
    for run in runs {
        report.runs.push(verify_run(out, &out.join(&run), current.filter(|c| c.run == run))?);
    }
    Ok(())
}

/// Verifies one run folder, and the raw files that were archived with it.
fn verify_run(out: &Path, run: &Path, current: Option<&Current>) -> Result<RunReport, PublishError> {
    let (mut report, manifest) = inspect(out, run, current)?;
    if let Some(manifest) = manifest.filter(|manifest| manifest.inputs_archived) {
        let files: BTreeSet<_> = manifest.inputs.iter().map(|input| (input.sha256, input.bytes)).collect();
        let prunings = Prunings::read(out).unwrap_or_default();
        for (sha256, bytes) in files {
            let path = InputArchive::name_of(sha256);
            if prunings.unarchived(&report.run, sha256).is_some() && !out.join(&path).exists() {
                continue;
            }
            if let Err(problem) = check_file(&out.join(&path), bytes, sha256) {
                report.findings.push(Finding { path, problem });
            }
        }
    }
    Ok(report)
}

/// Verifies one run folder, against the pointer too where it points there.
pub(super) fn inspect_run(out: &Path, run: &Path, current: Option<&Current>) -> Result<RunReport, PublishError> {
    inspect(out, run, current).map(|(report, _)| report)
}

/// The verdict on a run folder, and its manifest where that is the one whose digest the folder keeps.
fn inspect(out: &Path, run: &Path, current: Option<&Current>) -> Result<(RunReport, Option<Manifest>), PublishError> {
    let relative = run.strip_prefix(out).unwrap_or(run).to_string_lossy().into_owned();
    let mut inspection = Inspection {
        run,
        report: RunReport { run: relative, is_current: current.is_some(), files: 0, bytes: 0, findings: Vec::new() },
        has_own_digest: false,
    };
    let manifest = inspection.manifest(current);
    if let Some(manifest) = &manifest {
        inspection.files(manifest);
        inspection.strays(manifest)?;
        inspection.restated(out, manifest)?;
        inspection.logs(out, manifest)?;
    }
    let Inspection { mut report, has_own_digest, .. } = inspection;
    report.findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((report, manifest.filter(|_| has_own_digest)))
}

struct Inspection<'a> {
    run: &'a Path,
    report: RunReport,
    /// Whether the manifest is the one whose digest lies beside it.
    has_own_digest: bool,
}

impl Inspection<'_> {
    fn find(&mut self, name: &str, problem: Problem) {
        let path = format!("{}/{name}", self.report.run);
        self.report.findings.push(Finding { path, problem });
    }

    /// The manifest, as long as it can be read at all; whoever vouches for it otherwise is a finding.
    fn manifest(&mut self, current: Option<&Current>) -> Option<Manifest> {
        let path = self.run.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.find(MANIFEST, unreadable(&e));
                return None;
            }
        };
        let found = Digest::of(&bytes);
        match Manifest::own_digest(self.run) {
            Ok(expected) if expected == found => self.has_own_digest = true,
            Ok(expected) => self.find(MANIFEST, Problem::Altered { expected, found }),
            Err(PublishError::Missing(_)) => self.find(MANIFEST_DIGEST, Problem::Missing),
            Err(PublishError::Io { source, .. }) => self.find(MANIFEST_DIGEST, unreadable(&source)),
            Err(other) => self.find(MANIFEST_DIGEST, Problem::Malformed { why: other.to_string() }),
        }
        if let Some(expected) = current.map(|c| c.manifest_sha256).filter(|&expected| expected != found) {
            self.find(MANIFEST, Problem::Altered { expected, found });
        }
        self.report.findings.dedup();
        match Manifest::parse(&path, &bytes) {
            Ok(manifest) => {
                let named = manifest.run_path();
                if Path::new(&named).file_name() != self.run.file_name() || !self.run.ends_with(&named) {
                    let why = format!("it is the manifest of {named}");
                    self.find(MANIFEST, Problem::Malformed { why });
                }
                if current.is_some_and(|c| *c != Current::to(&manifest, c.manifest_sha256)) {
                    let why = format!("{CURRENT} and the manifest name different runs");
                    self.find(MANIFEST, Problem::Malformed { why });
                }
                Some(manifest)
            }
            Err(error) => {
                self.find(MANIFEST, Problem::Malformed { why: error.to_string() });
                None
            }
        }
    }

    fn files(&mut self, manifest: &Manifest) {
        self.report.files = manifest.files.len();
        for entry in &manifest.files {
            match check_file(&self.run.join(&entry.path), entry.bytes, entry.sha256) {
                Ok(()) => self.report.bytes += entry.bytes,
                Err(problem) => self.find(&entry.path, problem),
            }
        }
    }

    /// The logs beside the runs still hold what the run knows of them.
    fn logs(&mut self, out: &Path, manifest: &Manifest) -> Result<(), PublishError> {
        let known = [
            (DECISIONS, manifest.answers_read()),
            (Override::LOG, manifest.overrides_written()),
            (OfficerDecision::LOG, manifest.alert_decisions_written()),
        ];
        for (log, position) in known {
            if let Err(error) = chain::holds(&out.join(log), position) {
                let Some(why) = damage(&error) else { return Err(error) };
                self.report.findings.push(Finding { path: log.to_owned(), problem: Problem::Malformed { why } });
            }
        }
        Ok(())
    }

    /// A restatement names the night that its differences are differences from: it is there as it was, or it was pruned.
    fn restated(&mut self, out: &Path, manifest: &Manifest) -> Result<(), PublishError> {
        let Some(night) = &manifest.restates else { return Ok(()) };
        let first = run_path(night.first.as_of, &night.first.run_id);
        let why = match history::read_run(out, &first) {
            Ok((_, found)) if found.manifest.files_digest() == night.first.files_sha256 => return Ok(()),
            Ok(_) => format!("it restates {first}, which is not the run that it was compared with"),
            Err(PublishError::Missing(_)) if Prunings::read(out).unwrap_or_default().refusal(out, &first).is_some() => {
                return Ok(());
            }
            Err(error) if error.is_damage() => format!("it restates {first}, which cannot be read: {error}"),
            Err(error) => return Err(error),
        };
        self.find(MANIFEST, Problem::Malformed { why });
        Ok(())
    }

    fn strays(&mut self, manifest: &Manifest) -> Result<(), PublishError> {
        let known: BTreeSet<&str> =
            manifest.files.iter().map(|f| f.path.as_str()).chain([MANIFEST, MANIFEST_DIGEST]).collect();
        let used =
            |folder: &str| known.iter().any(|k| k.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        let tree = FolderTree::walk(self.run)?;
        let files = tree.files.iter().chain(&tree.others).filter(|f| !known.contains(f.as_str()));
        let folders = tree.folders.iter().filter(|f| !used(f));
        for stray in files.chain(folders) {
            self.find(stray, Problem::Extra);
        }
        Ok(())
    }
}

fn check_file(path: &Path, bytes: u64, sha256: Digest) -> Result<(), Problem> {
    let found = std::fs::symlink_metadata(path).map_err(|e| unreadable(&e))?;
    if !found.is_file() {
        return Err(Problem::Malformed { why: "it is not a plain file".to_owned() });
    }
    if found.len() != bytes {
        return Err(Problem::Resized { expected_bytes: bytes, found_bytes: found.len() });
    }
    let found = Digest::of_file(path).map_err(|e| unreadable(&e))?;
    if found == sha256 { Ok(()) } else { Err(Problem::Altered { expected: sha256, found }) }
}

fn unreadable(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Unreadable { why: error.to_string() },
    }
}
