//! `integrity schema`: the contract, the outputs and the features, as the code has them.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{ExitCode, Failure, Output};
use crate::config::reference_markdown;
use crate::contract::{self, Type, Visibility};

/// What to print.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one flag a thing to print; clap refuses two of them")]
pub struct SchemaArgs {
    /// A job: prints its feature dictionary instead of the contract tables.
    #[arg(value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// Every key of a job file. With a path the same as JOB.toml.
    #[arg(long = "job", value_name = "JOB.toml", num_args = 0..=1, conflicts_with = "job")]
    #[expect(clippy::option_option, reason = "absent, alone, or with a path")]
    job_option: Option<Option<PathBuf>>,
    /// Every key of a policy file.
    #[arg(long, conflicts_with_all = ["job", "job_option"])]
    policy: bool,
    /// Every key of a monitor file.
    #[arg(long, conflicts_with_all = ["job", "job_option", "policy"])]
    monitor: bool,
    /// The columns of the published files instead of the contract tables.
    #[arg(long, conflicts_with_all = ["job", "job_option", "policy", "monitor"])]
    outputs: bool,
    /// The SQL of sources and its functions.
    #[arg(long, conflicts_with_all = ["job", "job_option", "policy", "monitor", "outputs", "settings"])]
    sql: bool,
    /// All settings of `train --settings`, with their defaults, instead.
    #[arg(long, conflicts_with_all = ["job", "job_option", "policy", "monitor", "outputs"])]
    settings: bool,
}

/// Runs the command.
///
/// # Errors
/// The job's configuration is refused.
pub fn execute(args: &SchemaArgs, output: Output) -> Result<ExitCode, Failure> {
    if args.outputs {
        let text = crate::publish::output_dictionary_markdown();
        output.show(&json!({ "markdown": text }), |_| text.clone())?;
        return Ok(ExitCode::Ok);
    }
    if args.sql {
        let text = sql_dialect_markdown();
        output.show(&json!({ "markdown": text }), |_| text.clone())?;
        return Ok(ExitCode::Ok);
    }
    if args.settings {
        let text = crate::workbench::SettingsFile::template().map_err(|e| Failure::Internal(e.to_string()))?;
        output.show(&json!({ "toml": text }), |_| text.clone())?;
        return Ok(ExitCode::Ok);
    }
    let reference = match (&args.job_option, args.policy, args.monitor) {
        (Some(None), ..) => Some(job_keys_markdown()),
        (_, true, _) => Some(policy_keys_markdown()),
        (.., true) => Some(monitor_keys_markdown()),
        _ => None,
    };
    if let Some(text) = reference {
        output.show(&json!({ "markdown": text }), |_| text.clone())?;
        return Ok(ExitCode::Ok);
    }
    if let Some(path) = args.job.as_ref().or(args.job_option.as_ref().and_then(Option::as_ref)) {
        let job = crate::run::Job::open(path)?;
        let features = crate::features::FeatureConfig::from_files(&job.files.features.files)?;
        let text = crate::features::dictionary_markdown(&features);
        output.show(&json!({ "markdown": text }), |_| text.clone())?;
        return Ok(ExitCode::Ok);
    }
    output.show(&contract_json(), |_| contract_markdown())?;
    Ok(ExitCode::Ok)
}

/// Every key of a job file as Markdown.
#[must_use]
pub fn job_keys_markdown() -> String {
    let about = "What is read, with which rules, and where results go. `integrity init` drafts one from a folder of raw files, `integrity check` \
                 rehearses it. A key that is not here is refused, with its line.";
    reference_markdown("The job file", about, &crate::run::job_reference())
}

/// Every key of a policy file as Markdown.
#[must_use]
pub fn policy_keys_markdown() -> String {
    let about =
        "Who may borrow, how much, for how long and at what price. A key that is not here is refused, with its line.";
    reference_markdown("The policy file", about, &crate::offer::policy_reference())
}

/// The SQL of sources as Markdown.
#[must_use]
pub fn sql_dialect_markdown() -> String {
    crate::source::sql_markdown()
}

/// Every key of a monitor file as Markdown.
#[must_use]
pub fn monitor_keys_markdown() -> String {
    let about = "How loans are read, how lateness is classed, what raises an alert and what may be deducted. A key that is not here is refused, with its \
                 line.";
    reference_markdown("The monitor file", about, &crate::monitor::monitor_reference())
}

fn contract_json() -> Value {
    let tables: Vec<Value> = contract::TABLES
        .iter()
        .map(|table| {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|c| {
                    json!({ "name": c.name, "type": type_name(c.kind), "required": c.required, "range": c.bounds(), "doc": c.doc })
                })
                .collect();
            json!({ "name": table.name, "optional": table.optional, "doc": table.doc, "key": table.key, "columns": columns })
        })
        .collect();
    json!({ "tables": tables })
}

/// The contract tables as Markdown.
#[must_use]
pub fn contract_markdown() -> String {
    let mut text = String::from(
        "# Contract tables\n\nTimes are UTC microseconds, money is Int64 minor units, ids are strings. Dates and instants lie from \
         1990-01-01 to 2100-01-01, both included. A row outside a range is quarantined as `out-of-range`. A date without a time is its midnight; on the day of what it follows it is the instant of that: an order that was placed at \
         12:30 and cancelled on the same date was cancelled when it was placed.\n\n\
         White space around an id is not part of it: `M1 ` is `M1`, and a blank id is none. A whole number is the same id in whichever type a file has it (`123`, `123.0` as a double). A row with \
         an id that has control characters or others that nobody sees, is longer than 256 characters, or is a number that has lost digits (a double beyond 2^53, `1.23457E+18`) is quarantined as \
         `id-malformed`: several things may have that id.\n",
    );
    for table in contract::TABLES {
        let optional = if table.optional { ", optional" } else { "" };
        let seen = match table.visibility {
            Visibility::Instant(column) | Visibility::Day(column) => format!("when `{column}` is before as-of"),
            Visibility::Parent => {
                format!("when its row of {} is", table.parent().map_or("its parent", |parent| parent.table))
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {}{optional}\n\n{}; key {}; visible {seen}.\n\n| column | type | null | range | meaning |\n|---|---|---|---|---|\n",
            table.name,
            table.doc,
            table.key.join(" + "),
        );
        for column in table.columns {
            let is_date = matches!(column.kind, Type::Instant | Type::Day);
            let range =
                column.bounds().filter(|_| !is_date).map_or(String::new(), |(low, high)| format!("{low} … {high}"));
            let null = if column.required { "" } else { "may be" };
            let _ =
                writeln!(text, "| {} | {} | {null} | {range} | {} |", column.name, type_name(column.kind), column.doc);
        }
    }
    text
}

fn type_name(kind: Type) -> String {
    match kind {
        Type::Id => "id (String)".to_owned(),
        Type::Text => "String".to_owned(),
        Type::Word(words) => words.join(" / "),
        Type::Instant => "Datetime(us)".to_owned(),
        Type::Day => "Date".to_owned(),
        Type::Money => "money (Int64)".to_owned(),
        Type::Integer => "Int64".to_owned(),
        Type::Ids => "List(String)".to_owned(),
    }
}
