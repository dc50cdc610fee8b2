//! `integrity check`: would tonight's run get through, and what would it say?

use std::fmt::Write as _;
use std::path::PathBuf;

use super::run::{JobArgs, NightArgs};
use super::{ExitCode, Failure, Output, Terminal};
use crate::contract::LOANS;
use crate::domain::grouped;
use crate::run::{
    CheckOptions, CheckReport, JoinCoverage, NO_LOAN_BOOK, RunOptions, TableVerdict, check_job, write_table,
};
use crate::source::ColumnGap;

/// Which job.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    night: NightArgs,
    /// Hold the night against the runs below this folder instead of the job's; nothing is written there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Look for models below this folder instead of the job's; none is saved there.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Where a model would have to be trained, stop there: what comes after is not checked.
    #[arg(long)]
    skip_training: bool,
    /// Count the labels of every snapshot that training takes; where training would refuse them, or the job would approve no model on so few, try
    /// which settings of [model] would do.
    #[arg(long)]
    train: bool,
}

/// Runs the command: exit code 0 where the night would be published, else the code that `run` would end with.
///
/// # Errors
/// Configuration, and data that cannot be read at all.
pub fn execute(args: &CheckArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let options =
        RunOptions { out: args.out.clone(), models: args.models.clone(), ..args.night.apply(args.job.options()?)? };
    let check = CheckOptions { skip_training: args.skip_training, survey_labels: args.train };
    let report = check_job(&args.job.path, &options, check, terminal)?;
    terminal.finish();
    output.show(&report, render)?;
    match report.stopped {
        None => Ok(ExitCode::Ok),
        Some(error) => {
            let failure = Failure::from(error);
            failure.tell();
            Ok(failure.code())
        }
    }
}

fn render(report: &CheckReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &CheckReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "as of {}{}", report.as_of, if report.as_of_guessed { ", a GUESS read off the data" } else { "" })?;
    let formats: Vec<Vec<String>> =
        report.inputs.iter().map(|i| vec![i.input.clone(), i.files.to_string(), i.format.clone()]).collect();
    write_table(out, &["input", "files", "read as"], &formats)?;
    let head = [
        "table", "read", "kept", "not yet", "quarantined", "duplicate", "skipped", "from", "to", "usual until",
        "days old",
    ];
    let row = |t: &TableVerdict| if t.is_present { cells(t) } else { vec![t.table.clone(), "absent".to_owned()] };
    write_table(out, &head, &report.tables.iter().map(row).collect::<Vec<_>>())?;
    let joins: Vec<Vec<String>> = report.tables.iter().filter(|t| t.is_present).flat_map(joins).collect();
    write_table(out, &["table", "key", "keys", "refers by", "to", "found"], &joins)?;
    write_filled(report, out)?;
    for t in report.tables.iter().filter(|t| !t.broken.is_empty()) {
        writeln!(out, "  broken rows of {}", t.table)?;
        for broken in &t.broken {
            writeln!(out, "    {} {} rows", broken.rule, grouped(broken.rows))?;
            for (column, rows) in &broken.nulls {
                writeln!(out, "      {column} is null in {} rows", grouped(*rows))?;
            }
            for root in &broken.roots {
                writeln!(out, "      {root}")?;
            }
            for example in &broken.examples {
                let value = example.value.as_deref().map_or("null".to_owned(), |v| format!("{v:?}"));
                let cell = example.column.as_deref().map_or(String::new(), |column| format!(", {column} = {value}"));
                writeln!(out, "      {} row {}{cell}", example.file, example.row)?;
            }
        }
    }
    match &report.intake.reference {
        None => writeln!(out, "  gates      a first night: there is no earlier one to compare its tables with")?,
        Some(night) => writeln!(out, "  gates      compared with the night of {} (run {})", night.as_of, night.run_id)?,
    }
    for allowed in &report.intake.allowed {
        writeln!(out, "             ALLOWED ({}): {}", allowed.reason, allowed.finding)?;
    }
    // The results of a whole night say so themselves.
    if report.results.is_none() && report.tables.iter().all(|table| table.table != LOANS.name) {
        writeln!(out, "{NO_LOAN_BOOK}")?;
    }
    write_column_gaps(report, out)?;
    for (heading, told) in report.intake.told_of_files() {
        writeln!(out, "  {heading:<9}  {told}")?;
    }
    if let Some(loans) = report.loans.as_ref().filter(|loans| loans.unknown > 0) {
        let (unknown, all) = (grouped(loans.unknown), grouped(loans.loans));
        writeln!(out, "  loan book  {unknown} of {all} loans are unknown, because their records do not agree:")?;
        for cause in &loans.causes {
            writeln!(out, "             {cause}")?;
        }
    }
    if let Some(labels) = &report.labels {
        super::labels_text::write(labels, out)?;
    }
    writeln!(out, "  model      {}", report.model)?;
    if let Some(results) = &report.results {
        writeln!(out, "the night would publish:\n{}", results.text())?;
    }
    match (&report.stopped, &report.results) {
        (Some(_), _) => writeln!(out, "the night would STOP, for the reason below; nothing was written"),
        (None, Some(_)) => writeln!(out, "configuration, data, gates and publishing are sound; nothing was written"),
        (None, None) => writeln!(out, "configuration, data and the gates on the tables are sound; nothing was written"),
    }
}

/// Columns that the job takes and that some files of an input lack.
fn write_column_gaps(report: &CheckReport, out: &mut String) -> std::fmt::Result {
    const SHOWN: usize = 8;
    let gaps: Vec<&ColumnGap> = report.intake.column_gaps.iter().flatten().collect();
    for ColumnGap { table, input, column, without, .. } in gaps.iter().take(SHOWN) {
        let files = match without.as_slice() {
            [only] => format!("{only} of input {input} lacks"),
            [first, others @ ..] => {
                format!("{first} and {} other file(s) of input {input} lack", grouped(others.len() as u64))
            }
            [] => continue,
        };
        writeln!(out, "  columns    {table}: {files} {column:?}, which is null there: were they renamed?")?;
    }
    if gaps.len() > SHOWN {
        writeln!(out, "             and {} others in --format json", gaps.len() - SHOWN)?;
    }
    Ok(())
}

/// How much of each table has a value in the columns that may be null: a milestone that a SELECT takes from the wrong column shows here.
fn write_filled(report: &CheckReport, out: &mut String) -> std::fmt::Result {
    let mut head = "filled";
    for t in report.tables.iter().filter(|t| t.kept > 0 && !t.filled.is_empty()) {
        let (with_values, without): (Vec<_>, Vec<_>) = t.filled.iter().partition(|(_, rows)| **rows > 0);
        let share = |rows: u64| format!("{:.1} %", 100.0 * rows as f64 / t.kept as f64);
        let mut said: Vec<String> =
            with_values.into_iter().map(|(column, rows)| format!("{column} {}", share(*rows))).collect();
        if !without.is_empty() {
            let names: Vec<&str> = without.into_iter().map(|(column, _)| *column).collect();
            said.push(format!("none: {}", names.join(", ")));
        }
        writeln!(out, "  {head:<10} {}: {}", t.table, said.join(" · "))?;
        head = "";
    }
    Ok(())
}

/// A table's key, and how many of its rows find what they refer to; nothing of files that are only joined.
fn joins(t: &TableVerdict) -> Vec<Vec<String>> {
    if t.key.is_empty() {
        return Vec::new();
    }
    let line = |by: &str, to: &str, found: String| {
        vec![t.table.clone(), t.key.join(", "), grouped(t.kept), by.to_owned(), to.to_owned(), found]
    };
    let found = |reference: &JoinCoverage| match reference.rows {
        0 => "–".to_owned(),
        rows => format!("{:.2} %", 100.0 * (rows - reference.not_found.min(rows)) as f64 / rows as f64),
    };
    if t.references.is_empty() {
        return vec![line("–", "–", "–".to_owned())];
    }
    t.references.iter().map(|reference| line(reference.column, reference.table, found(reference))).collect()
}

fn cells(t: &TableVerdict) -> Vec<String> {
    let day = |day: Option<jiff::civil::Date>| day.map_or_else(|| "–".to_owned(), |d| d.to_string());
    vec![
        t.table.clone(),
        grouped(t.read),
        grouped(t.kept),
        grouped(t.not_yet_visible),
        grouped(t.quarantined),
        grouped(t.duplicate),
        grouped(t.skipped),
        day(t.first_on),
        day(t.last_on),
        day(t.usual_until_on),
        t.days_old.map_or_else(|| "–".to_owned(), |days| days.to_string()),
    ]
}
