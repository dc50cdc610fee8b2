//! `integrity reconcile`: a core system's books held against the loan book.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::output_file::create_new;
use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::core_system::{CoreField, Difference, DifferenceKind};
use crate::domain::{Money, grouped};
use crate::page::shown_cell;
use crate::publish::{OutputRow as _, TableWriter};
use crate::report::text_table;
use crate::run::{ReconcileReport, reconcile_books};

/// Which job, and which books.
#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    job: JobArgs,
    /// The core system's export of its books as of the same date: CSV and its kin, or Parquet; a file or a folder of files. The job's
    /// [reconcile] says how it is read.
    #[arg(long, value_name = "EXPORT")]
    ledger: PathBuf,
    /// Which column of the export holds a field, before what the job says: `loan_id`, `merchant_id`, `outstanding`, `interest`, `arrears`,
    /// `days_past_due`, `status`. May be given several times.
    #[arg(long = "column", value_name = "FIELD=COLUMN", value_parser = field_and_column)]
    columns: Vec<(CoreField, String)>,
    /// Write all differences to a new file, Parquet or (where its name ends in .csv) CSV. In CSV an apostrophe stands before a text that a spreadsheet would run as a formula.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// How many differences the text shows; JSON has all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    show: usize,
}

fn field_and_column(text: &str) -> Result<(CoreField, String), String> {
    let (field, column) = text.split_once('=').ok_or("expected FIELD=COLUMN, such as loan_id=account_no")?;
    Ok((field.trim().parse()?, column.trim().to_owned()))
}

/// Runs the command: exit code 0 where no difference counts, else 65.
///
/// # Errors
/// See [`reconcile_books`]; the file to write exists.
pub fn execute(args: &ReconcileArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if let Some(path) = args.write.as_deref().filter(|path| path.exists()) {
        return Err(crate::model::ModelError::Exists { path: path.to_owned() }.into());
    }
    let report = reconcile_books(&args.job.path, &args.job.options()?, &args.ledger, &args.columns, terminal)?;
    terminal.finish();
    if let Some(path) = &args.write {
        write_differences(path, &report.differences)?;
    }
    output.show(&report, |report| text(report, args.show))?;
    Ok(if report.agrees { ExitCode::Ok } else { ExitCode::Data })
}

fn write_differences(path: &Path, differences: &[Difference]) -> Result<(), Failure> {
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        let mut writer = TableWriter::create(path, Difference::table())?;
        writer.extend(differences.iter().cloned())?;
        writer.finish()?;
        return Ok(());
    }
    let failed = |source: csv::Error| Failure::Io { path: path.to_owned(), source: source.into() };
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(create_new(path)?);
    let names: Vec<String> = Difference::table().columns.into_iter().map(|column| column.name).collect();
    writer.write_record(&names).map_err(failed)?;
    differences.iter().try_for_each(|difference| writer.serialize(shown(difference))).map_err(failed)?;
    writer.flush().map_err(|source| Failure::Io { path: path.to_owned(), source })
}

/// A difference as a spreadsheet may have it: what either side's books hold is text of others.
fn shown(difference: &Difference) -> Difference {
    let cell = |text: &Option<String>| text.as_deref().map(|text| shown_cell(text).into_owned());
    Difference {
        loan_id: cell(&difference.loan_id),
        merchant_id: cell(&difference.merchant_id),
        ours: cell(&difference.ours),
        theirs: cell(&difference.theirs),
        detail: cell(&difference.detail),
        ..difference.clone()
    }
}

fn text(report: &ReconcileReport, shown: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, shown, &mut text);
    text
}

fn write(report: &ReconcileReport, shown: usize, out: &mut String) -> std::fmt::Result {
    let loans = &report.loans;
    writeln!(out, "{} as of {}, held against {}", report.job, report.as_of, report.export.display())?;
    writeln!(
        out,
        "  loans       {} here, {} in the export; {} compared: {} equal, {} within the tolerance, {} different",
        grouped(loans.ours),
        grouped(loans.theirs),
        grouped(loans.compared),
        grouped(loans.equal),
        grouped(loans.within_tolerance),
        grouped(loans.different)
    )?;
    if loans.closed_on_one_side > 0 {
        writeln!(out, "              {} closed loans that one side alone has", grouped(loans.closed_on_one_side))?;
    }
    if report.skipped > 0 {
        writeln!(out, "              {} rows of the export are no loans by their status", grouped(report.skipped))?;
    }
    if !report.not_compared.is_empty() {
        let names: Vec<&str> = report.not_compared.iter().map(|field| field.name()).collect();
        writeln!(out, "  not compared, for want of a column: {}", names.join(", "))?;
    }
    let money = |minor: i64| Money::new(minor, report.currency).to_string();
    let rows: Vec<Vec<String>> = report
        .totals
        .iter()
        .map(|(field, sums)| {
            let sums = [sums.ours, sums.theirs, sums.difference, sums.only_ours, sums.only_theirs];
            std::iter::once(field.name().to_owned()).chain(sums.map(money)).collect()
        })
        .collect();
    out.push_str(&text_table(&["amounts", "ours", "theirs", "difference", "ours alone", "theirs alone"], &rows));
    let of = |counts: &std::collections::BTreeMap<DifferenceKind, u64>| {
        counts
            .iter()
            .map(|(what, count)| format!("{} {}", what.word(), grouped(*count)))
            .collect::<Vec<_>>()
            .join(" · ")
    };
    if !report.tolerated.is_empty() {
        writeln!(out, "  within the tolerance: {}", of(&report.tolerated))?;
    }
    if report.agrees {
        return writeln!(out, "the books agree");
    }
    writeln!(out, "  differences {}", of(&report.counts))?;
    let counted: Vec<&Difference> = report.differences.iter().filter(|difference| !difference.is_tolerated).collect();
    let rows: Vec<Vec<String>> = counted.iter().take(shown).map(|difference| cells(difference)).collect();
    out.push_str(&text_table(&["loan", "what", "ours", "theirs", "difference", "row", "detail"], &rows));
    if counted.len() > rows.len() {
        writeln!(out, "  … and {} more; --write FILE has all", grouped((counted.len() - rows.len()) as u64))?;
    }
    writeln!(out, "the books DIFFER")
}

fn cells(difference: &Difference) -> Vec<String> {
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    vec![
        difference.loan_id.clone().unwrap_or_else(|| "–".to_owned()),
        difference.what.word().to_owned(),
        difference.ours.clone().unwrap_or_default(),
        difference.theirs.clone().unwrap_or_default(),
        number(difference.difference),
        number(difference.row),
        difference.detail.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_either_side_s_books_are_no_formulas_in_csv() {
        let folder = tempfile::tempdir().unwrap();
        let difference = Difference {
            number: 1,
            loan_id: Some("=HYPERLINK(\"x\")".to_owned()),
            merchant_id: Some("M1".to_owned()),
            row: None,
            what: DifferenceKind::Outstanding,
            ours: Some("-1250".to_owned()),
            theirs: Some("@now".to_owned()),
            difference: Some(-3),
            is_tolerated: false,
            detail: None,
        };
        let path = folder.path().join("differences.csv");
        write_differences(&path, &[difference]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"'=HYPERLINK(\"\"x\"\")\",M1,,outstanding,-1250,'@now,-3,"), "{text}");
    }
}
