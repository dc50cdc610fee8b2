//! `integrity init`: drafts a job from a folder of raw files.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use serde_json::json;

use super::models::today;
use super::{ExitCode, Failure, Format, Output, Terminal};
use crate::domain::{Currency, grouped};
use crate::draft::{AmountUnit, Certainty, Draft, DraftOptions, draft_job, refuse_filled, write_draft};
use crate::report::text_table;
use crate::run::Progress;

/// What to draft from.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Folder of the raw files, text (CSV and its kin, packed or not), workbooks or Parquet, at any depth.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// New or empty folder for the job.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The job's name. Default: that of the folder.
    #[arg(long)]
    name: Option<String>,
    /// ISO 4217 code of all amounts, where nothing in the data says it.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What amounts without decimals are: whole units of the currency (main) or its cents (minor). Default: what the data says, and a gap where it says nothing.
    #[arg(long, value_name = "UNIT", value_parser = amount_unit)]
    amounts: Option<AmountUnit>,
    /// Write without asking.
    #[arg(long)]
    yes: bool,
}

fn amount_unit(word: &str) -> Result<AmountUnit, String> {
    match word {
        "main" => Ok(AmountUnit::Main),
        "minor" => Ok(AmountUnit::Minor),
        _ => Err("main or minor".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// The data cannot be read, no table is like orders, or the folder holds files already.
pub fn execute(args: &InitArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let currency =
        args.currency.as_deref().map(Currency::new).transpose().map_err(|e| Failure::Usage(e.to_string()))?;
    refuse_filled(&args.out)?;
    let name = args.name.clone().unwrap_or_else(|| slug(&args.out));
    let can_ask = std::io::stdin().is_terminal() && output.format() == Format::Text;
    if !args.yes && !can_ask {
        return Err(Failure::Usage("nobody can be asked here: add --yes to write the job without asking".to_owned()));
    }
    let draft = draft_job(
        &args.data,
        &args.out,
        &DraftOptions { name, currency, amounts: args.amounts, today: Some(today()) },
        &|table| {
            terminal.note(&format!("reading {table}"));
        },
    )?;
    terminal.finish();
    if !args.yes {
        output.print(&findings(&draft))?;
        if !agreed(&format!("Write {} files to {}? [y/N] ", draft.files.len(), args.out.display())) {
            return Ok(ExitCode::Ok);
        }
    }
    let written = write_draft(&draft, &args.out)?;
    let job = args.out.join("job.toml");
    let value = json!({ "job": job, "files": written, "open_gaps": draft.open_gaps(), "draft": draft });
    output.show(&value, |_| {
        let shown = if args.yes { findings(&draft) } else { String::new() };
        format!("{shown}{}", next_steps(&draft, &args.out, &job))
    })?;
    Ok(ExitCode::Ok)
}

/// The last part of a path, as a job may be named.
fn slug(path: &std::path::Path) -> String {
    let last = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words: Vec<&str> = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "mine".to_owned() } else { words.join("-") }
}

fn agreed(question: &str) -> bool {
    let mut answer = String::new();
    let asked = write!(std::io::stderr(), "{question}").and_then(|()| std::io::stderr().flush());
    asked.is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

fn findings(draft: &Draft) -> String {
    let mut text = String::from("\nwhat the files hold\n");
    let rows: Vec<Vec<String>> = draft
        .inputs
        .iter()
        .map(|input| {
            let keys: Vec<&str> = input.columns.iter().filter(|c| c.is_key).map(|c| c.name.as_str()).collect();
            vec![
                input.name.clone(),
                input.files.clone(),
                input.format.clone(),
                grouped(input.rows as u64),
                input.columns.len().to_string(),
                keys.join(", "),
            ]
        })
        .collect();
    text.push_str(&text_table(&["input", "files", "written with", "rows", "columns", "keys"], &rows));
    for unused in draft.inputs.iter().filter(|input| !input.is_used) {
        // Writing to a String cannot fail.
        let why = unused.why_unused.as_deref().unwrap_or("nothing in the contract is made of it");
        let _ = writeln!(text, "  not used: {} ({} rows): {why}", unused.name, grouped(unused.rows as u64));
    }
    for unread in &draft.unread {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  left aside: {}: {}", unread.file, unread.why);
    }
    text.push_str("\nwhat they are in the contract\n");
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (table, state) in draft.tables.iter().map(|t| (t, "")).chain(draft.aside.iter().map(|t| (t, " (not read yet)")))
    {
        for column in &table.columns {
            let certainty = match column.certainty {
                Certainty::Found => "found",
                Certainty::Guess => "guess",
                Certainty::Gap => "GAP",
            };
            rows.push(vec![
                format!("{}.{}{state}", table.table.name, column.column),
                column.from.clone(),
                format!("{:.2}", column.confidence),
                certainty.to_owned(),
            ]);
        }
    }
    text.push_str(&text_table(&["contract column", "from", "confidence", ""], &rows));
    let currency = draft
        .currency
        .as_ref()
        .map_or("GAP: nothing says it".to_owned(), |c| format!("{} ({:.2}: {})", c.code, c.confidence, c.evidence));
    let as_of = draft.as_of.map_or("today".to_owned(), |day| day.to_string());
    let _ = writeln!(
        text,
        "\n  currency   {currency}\n  as of      {as_of}\n  features   {}\n  label      {}",
        draft.features, draft.label
    );
    for table in &draft.tables {
        for (column, note) in table.columns.iter().filter_map(|column| Some((column, column.to_look_at()?))) {
            let _ = writeln!(text, "  look at    {}.{} of {}: {note}", table.table.name, column.column, column.from);
        }
    }
    for (table, gap) in draft.gaps_of_cells() {
        let _ = writeln!(text, "  gap        {table}.{}: {}", gap.column, gap.note.as_deref().unwrap_or_default());
    }
    for (table, why) in draft.left_out() {
        let _ = writeln!(text, "  left out   {table}: {why}");
    }
    if let Some(why) = &draft.no_loan_book {
        let _ = writeln!(text, "  look at    {why}");
    }
    for why in draft.unread_orders.iter().chain(&draft.unread_sums) {
        let _ = writeln!(text, "  look at    {why}");
    }
    for rows in &draft.nested {
        let _ = writeln!(text, "  look at    {}", rows.words());
    }
    text
}

fn next_steps(draft: &Draft, out: &std::path::Path, job: &std::path::Path) -> String {
    let gaps = match draft.open_gaps() {
        0 => "no required column is missing".to_owned(),
        n => format!("{n} gap(s) must be filled by hand: the check leads to them"),
    };
    // Amounts hang on the currency's minor unit: a draft that knows it needs nothing written by hand.
    let next = if draft.currency.is_none() {
        "the same command with --currency CODE (ISO 4217) into an empty folder: nothing in the data says which"
            .to_owned()
    } else {
        format!("integrity check {}", job.display())
    };
    format!("wrote {} files to {}; {gaps}\nnext: {next}\n", draft.files.len(), out.display())
}
