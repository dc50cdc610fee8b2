//! Writes what the job's section `[interchange]` asks for: into the run folder, before its manifest; of a night that stopped, into the output folder.

use std::collections::BTreeMap;
use std::path::Path;

use super::decided_tables::DecidedTables;
use super::publishing::PublishInputs;
use super::summary::RunSummary;
use crate::interchange::{
    ALERT_LINES, FINERACT_REQUESTS, FRAPPE_NOT_IMPORTED, FRAPPE_REPAYMENTS, FineractTerms, FrappeTerms,
    InterchangeTerms, LINEAGE, LINEAGE_FAILED, LineageFile, LineageRun, LoansBy, METRICS, Metric, Repayments,
    alert_line, exposition, failed_events, fineract_request, frappe_header, frappe_line, frappe_not_imported,
    is_importable, is_importable_by_frappe, published_events,
};
use crate::publish::{PublishError, Stage};
use crate::run::Job;
use crate::run::error::RunError;
use crate::run::options::RunOptions;
use crate::run::progress::Progress;

/// Writes the files of a night that is being published. They come last: lineage lists all others.
pub fn write_interchange(stage: &mut Stage<'_, '_>, inputs: PublishInputs<'_>) -> Result<(), PublishError> {
    let PublishInputs { job, ingested, tables, summary, .. } = inputs;
    let (terms, on) = (&job.interchange, summary.as_of);
    if terms.alerts {
        let unwritable =
            |e: serde_json::Error| PublishError::Malformed { path: ALERT_LINES.into(), why: e.to_string() };
        let lines = tables.alerts().sorted()?.map(|alert| alert_line(on, &alert?).map_err(unwritable));
        stage.write_parts(ALERT_LINES, lines)?;
    }
    if terms.metrics {
        let micros = ingested.as_of.micros();
        stage.write_bytes(METRICS, exposition(&job.name, &metrics(summary, micros)).as_bytes())?;
    }
    if let Some(fineract) = &terms.fineract {
        match fineract.loans_by {
            LoansBy::AccountNumber => write_fineract(stage, fineract, tables, summary)?,
            LoansBy::ExternalId => write_fineract_requests(stage, fineract, tables, summary)?,
        }
    }
    if let Some(frappe) = &terms.frappe {
        write_frappe(stage, frappe, tables, summary)?;
    }
    if let Some(namespace) = &terms.lineage_namespace {
        let at = jiff::Timestamp::from_microsecond(ingested.as_of.micros()).unwrap_or_default();
        let identity = stage.identity();
        let run_id = identity.run_id();
        let run = LineageRun {
            namespace,
            job: &job.name,
            code_version: &identity.code_version,
            run: &run_id,
            nominal_at: Some(at),
        };
        let mut read: Vec<LineageFile> = identity
            .inputs
            .iter()
            .map(|file| LineageFile { path: file.name.clone(), sha256: file.sha256, bytes: file.bytes, rows: None })
            .collect();
        read.sort_by(|a, b| a.path.cmp(&b.path));
        let written: Vec<LineageFile> = stage
            .files()
            .map(|file| LineageFile {
                path: file.path.clone(),
                sha256: file.sha256,
                bytes: file.bytes,
                rows: file.rows,
            })
            .collect();
        let events = published_events(&run, at, &read, &written);
        stage.write_bytes(LINEAGE, events.as_bytes())?;
    }
    Ok(())
}

fn write_frappe(
    stage: &mut Stage<'_, '_>,
    terms: &FrappeTerms,
    tables: &DecidedTables,
    summary: &RunSummary,
) -> Result<(), PublishError> {
    let (on, currency) = (summary.as_of, summary.currency);
    let mut is_left_out = false;
    let importable = tables.deductions().sorted()?.filter_map(|row| match row {
        Ok(deduction) if !is_importable_by_frappe(&deduction) => {
            is_left_out = true;
            None
        }
        row => Some(row.map(|deduction| frappe_line(&deduction, on, terms, currency))),
    });
    stage.write_parts(FRAPPE_REPAYMENTS, std::iter::once(Ok(frappe_header())).chain(importable))?;
    if !is_left_out {
        return Ok(());
    }
    let left_out = tables.deductions().sorted()?.filter_map(|row| match row {
        Ok(deduction) if is_importable_by_frappe(&deduction) => None,
        row => Some(row.map(|deduction| frappe_not_imported(Some(&deduction), currency))),
    });
    stage.write_parts(FRAPPE_NOT_IMPORTED, std::iter::once(Ok(frappe_not_imported(None, currency))).chain(left_out))
}

fn write_fineract(
    stage: &mut Stage<'_, '_>,
    terms: &FineractTerms,
    tables: &DecidedTables,
    summary: &RunSummary,
) -> Result<(), PublishError> {
    let mut repayments = Repayments::new(terms, summary.currency, summary.as_of);
    for deduction in tables.deductions().sorted()? {
        if let Some((name, bytes)) = repayments.push(&deduction?) {
            stage.write_bytes(&name, &bytes)?;
        }
    }
    match repayments.finish() {
        Some((name, bytes)) => stage.write_bytes(&name, &bytes),
        None => Ok(()),
    }
}

fn write_fineract_requests(
    stage: &mut Stage<'_, '_>,
    terms: &FineractTerms,
    tables: &DecidedTables,
    summary: &RunSummary,
) -> Result<(), PublishError> {
    let unwritable =
        |e: serde_json::Error| PublishError::Malformed { path: FINERACT_REQUESTS.into(), why: e.to_string() };
    let lines = tables
        .deductions()
        .sorted()?
        .map(|deduction| fineract_request(&deduction?, summary.as_of, terms, summary.currency).map_err(unwritable));
    stage.write_parts(FINERACT_REQUESTS, lines)
}

/// How many deductions no file for another system takes, by system; a person has to enter them. Systems of which none is left out have no entry.
pub fn not_imported(terms: &InterchangeTerms, tables: &DecidedTables) -> Result<BTreeMap<String, u64>, PublishError> {
    let by_number = terms.fineract.as_ref().is_some_and(|fineract| fineract.loans_by == LoansBy::AccountNumber);
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    if !by_number && terms.frappe.is_none() {
        return Ok(left_out);
    }
    for deduction in tables.deductions().sorted()? {
        let deduction = deduction?;
        let of_fineract = by_number && is_importable(&deduction.loan_id).is_err();
        let of_frappe = terms.frappe.is_some() && !is_importable_by_frappe(&deduction);
        for system in [of_fineract.then_some("fineract"), of_frappe.then_some("frappe")].into_iter().flatten() {
            *left_out.entry(system.to_owned()).or_default() += 1;
        }
    }
    Ok(left_out)
}

/// The night's figures. Money is in minor units.
fn metrics(summary: &RunSummary, as_of_micros: i64) -> Vec<Metric> {
    let number = |count: u64| count as f64;
    let minor = |minor: i64| minor as f64;
    let counted = |counts: &std::collections::BTreeMap<String, u64>| {
        counts.iter().map(|(word, count)| (word.clone(), *count as f64)).collect::<Vec<_>>()
    };
    let offers = || summary.offers.iter();
    let mut rows = Vec::new();
    for (table, counts) in &summary.tables {
        for (what, count) in [
            ("kept", counts.kept),
            ("quarantined", counts.quarantined),
            ("duplicate", counts.duplicate),
            ("skipped", counts.skipped),
        ] {
            rows.push((vec![("table", table.clone()), ("what", what.to_owned())], number(count)));
        }
    }
    let mut metrics = vec![
        Metric::single("as_of_timestamp_seconds", "The instant of the observation.", minor(as_of_micros / 1_000_000)),
        Metric { name: "rows", help: "Rows read, by contract table and what became of them.", samples: rows },
        Metric::single("merchants_scored", "Merchants scored.", number(summary.merchants_scored)),
        Metric::by("merchants_in_band", "Merchants by risk band.", "band", counted(&summary.bands)),
        Metric::by("offers", "Offers.", "product", offers().map(|(word, o)| (word.clone(), number(o.count)))),
        Metric::by(
            "offered_minor",
            "Sum of the limits offered, minor units.",
            "product",
            offers().map(|(word, o)| (word.clone(), minor(o.limit_minor))),
        ),
        Metric::by("declines", "Declines.", "product", counted(&summary.declines)),
        Metric::by("alerts", "Alerts that stand.", "rule", counted(&summary.alerts)),
        Metric::single("alerts_opened", "Alerts opened tonight.", number(summary.alert_changes.opened)),
        Metric::single("alerts_escalated", "Alerts escalated tonight.", number(summary.alert_changes.escalated)),
        Metric::single("alerts_cleared", "Alerts cleared tonight.", number(summary.alert_changes.cleared)),
        Metric::single("deductions", "Deductions ordered.", number(summary.deductions)),
        Metric::single("deducted_minor", "Sum of the deductions, minor units.", minor(summary.deducted_minor)),
        Metric::by(
            "unknown_loans",
            "Loans of which nothing is known, by cause.",
            "cause",
            counted(&summary.unknown_loans),
        ),
    ];
    if let Some(book) = &summary.portfolio {
        metrics.extend([
            Metric::single("borrowers", "Merchants with an open loan.", number(book.borrowers)),
            Metric::single("open_loans", "Open loans.", number(book.open.loans)),
            Metric::single(
                "outstanding_minor",
                "Principal not repaid, minor units.",
                minor(book.open.outstanding_minor),
            ),
            Metric::single("arrears_minor", "Due and unpaid, minor units.", minor(book.arrears_minor)),
            Metric::single(
                "non_performing_minor",
                "Principal of non-performing loans, minor units.",
                minor(book.non_performing.outstanding_minor),
            ),
            Metric::by(
                "outstanding_in_bucket_minor",
                "Principal not repaid by bucket of days past due, minor units.",
                "bucket",
                book.by_bucket.iter().map(|(word, tally)| (word.clone(), minor(tally.outstanding_minor))),
            ),
        ]);
    }
    metrics
}

/// Leaves the events of a night that stopped in the output folder, or removes those of one that stopped before. Lineage is a courtesy: that it cannot be
/// written changes nothing about the night.
pub fn tell_lineage(job: &Job, options: &RunOptions, stopped: Option<&RunError>, progress: &dyn Progress) {
    let Some(namespace) = &job.interchange.lineage_namespace else { return };
    let path = job.out.join(LINEAGE_FAILED);
    let done = match stopped {
        None => match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        },
        Some(why) => {
            let attempt = format!("{} {}", job.digest, options.started_at);
            let run = LineageRun {
                namespace,
                job: &job.name,
                code_version: &options.code_version,
                run: &attempt,
                nominal_at: None,
            };
            replace(&path, &failed_events(&run, options.started_at, (options.clock)(), &why.to_string()))
        }
    };
    if let Err(e) = done {
        progress.note(&format!("the night's lineage could not be told in {}: {e}", path.display()));
    }
}

/// A reader sees the old file or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let hidden = path.with_file_name(format!(".{LINEAGE_FAILED}"));
    std::fs::write(&hidden, text)?;
    std::fs::rename(&hidden, path)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::monitor::Deduction;
    use crate::run::night::decide::Decided;

    #[test]
    fn what_no_file_takes_is_told_by_system() {
        let folder = tempfile::tempdir().unwrap();
        let tables = DecidedTables::new(folder.path(), date(2025, 7, 1));
        let deductions = ["l1", "m1-l-2", "=1+1", "m3-l-4"].map(|loan_id| -> Deduction {
            let row = json!({ "key": loan_id, "merchant_id": "m1", "loan_id": loan_id, "amount_minor": 1, "released_minor": null, "why": "" });
            serde_json::from_value(row).unwrap()
        });
        tables.add(Decided { deductions: deductions.to_vec(), ..Decided::default() }).unwrap();
        let left_out = |loans_by: LoansBy| {
            let fineract = FineractTerms {
                payment_type: "Deduction".to_owned(),
                payment_type_id: 2,
                office: String::new(),
                has_outstanding: true,
                loans_by,
            };
            let frappe = FrappeTerms { repayment_type: "Normal Repayment".to_owned(), mode_of_payment: String::new() };
            let terms =
                InterchangeTerms { fineract: Some(fineract), frappe: Some(frappe), ..InterchangeTerms::default() };
            not_imported(&terms, &tables).unwrap()
        };
        let told = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|(system, n)| ((*system).to_owned(), *n)).collect()
        };
        assert_eq!(left_out(LoansBy::AccountNumber), told(&[("fineract", 2), ("frappe", 1)]));
        assert_eq!(left_out(LoansBy::ExternalId), told(&[("frappe", 1)]));
        assert!(not_imported(&InterchangeTerms::default(), &tables).unwrap().is_empty());
    }
}
