//! The books of a core system held against the loan book as of a date.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use super::as_of::choose_as_of;
use super::error::RunError;
use super::night_tables::ingest_job;
use super::options::{RunOptions, open_job};
use super::progress::Progress;
use super::rules::JobRules;
use super::scratch::Scratch;
use super::stages::StageClock;
use crate::contract::{LOANS, MERCHANTS};
use crate::core_system::{
    AmountTotals, Comparison, CoreField, CoreSystemError, Difference, DifferenceKind, LoanCounts, compare, read_export,
};
use crate::domain::{Currency, Digest, parallel};
use crate::repayment::{LoanLedger, repayment_tables};

/// Tables that say how loans stand.
const LOAN_BOOK: [&str; 4] = [MERCHANTS.name, LOANS.name, "instalments", "payments"];

/// How the books compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReconcileReport {
    /// Job.
    pub job: String,
    /// Both books are as of the beginning of this day.
    pub as_of: Date,
    /// Currency of every amount.
    pub currency: Currency,
    /// The export.
    pub export: PathBuf,
    /// Its digest.
    pub export_sha256: Digest,
    /// Its rows that are no loans, as the job says of their status.
    pub skipped: u64,
    /// Fields that the export has a column for.
    pub compared: Vec<CoreField>,
    /// Fields that it has none for.
    pub not_compared: Vec<CoreField>,
    /// Whether no difference counts.
    pub agrees: bool,
    /// How many loans were found where.
    pub loans: LoanCounts,
    /// By field, the amounts in minor units.
    pub totals: BTreeMap<CoreField, AmountTotals>,
    /// Differences that count, by kind.
    pub counts: BTreeMap<DifferenceKind, u64>,
    /// Differences within the tolerance, by kind.
    pub tolerated: BTreeMap<DifferenceKind, u64>,
    /// All differences, by loan and kind.
    pub differences: Vec<Difference>,
}

/// Reads a job's loan book and an export of the same books, both as of the beginning of the chosen day, and compares them. `columns` name the
/// export's columns before those of the job file.
///
/// Loans are judged by their own rows: what a night knows besides (loans of the night before, other merchants' offers and orders) is no part of it.
///
/// # Errors
/// Configuration, data that cannot be read, an export that cannot be understood. Books that differ are a result.
pub fn reconcile_books(
    path: &Path,
    options: &RunOptions,
    export: &Path,
    columns: &[(CoreField, String)],
    progress: &dyn Progress,
) -> Result<ReconcileReport, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    let mut job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    job.core.columns.extend(columns.iter().cloned());
    // Before the long part, so that a wrong name is told at once.
    let theirs = read_export(export, &job.core, job.intake.currency)?;
    let chosen = choose_as_of(&job, &rules, options, progress)?;
    job.intake.source.sources.retain(|source| LOAN_BOOK.contains(&source.table));
    let scratch = Scratch::new()?;
    let ingested = ingest_job(&job, chosen.date, &scratch.path().join("store"), None, progress)?;
    progress.stage("compare", Some(u64::from(ingested.store.buckets())));
    let shards = parallel::each((0..ingested.store.buckets()).collect(), |bucket| {
        let shard = ingested.store.seen(&ingested.store.loans(bucket)?, &ingested.as_of)?;
        let tables = repayment_tables(&shard, &rules.ledger)?.ok_or(CoreSystemError::NoLoanBook)?;
        progress.advance(1);
        Ok::<_, CoreSystemError>(tables.ledger)
    })?;
    let mut ours = LoanLedger::default();
    for shard in shards {
        ours.known.extend(shard.known);
        ours.unknown.extend(shard.unknown);
    }
    let found = compare(&ours, &theirs, &job.core);
    let count = |which: usize| {
        let counts = found.counts().into_iter().map(|(what, counts)| (what, counts[which]));
        counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
    };
    let (counts, tolerated, agrees) = (count(0), count(1), found.agrees());
    let Comparison { differences, loans, totals } = found;
    Ok(ReconcileReport {
        job: job.name,
        as_of: chosen.date,
        currency: job.intake.currency,
        export: export.to_owned(),
        export_sha256: theirs.sha256,
        skipped: theirs.skipped,
        not_compared: CoreField::ALL.into_iter().filter(|field| !theirs.fields.contains(field)).collect(),
        compared: theirs.fields,
        agrees,
        loans,
        totals,
        counts,
        tolerated,
        differences,
    })
}
