//! `integrity decide`: applications answered by day.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::day::day;
use super::decide_text::answers_text;
use super::{ExitCode, Failure, Output};
use crate::answer::{AnswerError, Desk, DeskOptions, Outcome, read_draws};
use crate::offer::read_applications;

/// What is asked, and what is known of the day.
#[derive(Debug, clap::Args)]
pub struct DecideArgs {
    /// Job file.
    job: PathBuf,
    /// Applications as JSON: one object, an array, or one a line; `-` reads them from stdin. Keys are those of the contract table `applications`:
    /// `application_id`, `merchant_id`, `product`, `requested_minor`, and `order_ids` and the four declared figures where they are given; `orders` is the
    /// borrower's own list (`order_id`, `amount_minor`, `shipped_on`), which is compared with the platform's records.
    #[arg(long, value_name = "FILE")]
    application: PathBuf,
    /// Every draw since the run's observation date, a JSON object a line: `merchant_id`, `offer_id`, `drawn_minor`. Without it an offer that stands is
    /// never replaced, since it may have been drawn.
    #[arg(long, value_name = "FILE")]
    draws: Option<PathBuf>,
    /// Business date of the answers instead of today's in the job's time zone.
    #[arg(long, alias = "on", value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<Date>,
    /// Output folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Answer without logging: nobody may be given such an answer, and no later one knows of it.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command: exit code 65 where an application could not be answered; the others are.
///
/// # Errors
/// No run to answer from, a log that is not what was written, or files that cannot be read: none was answered.
pub fn execute(args: &DecideArgs, output: Output) -> Result<ExitCode, Failure> {
    let applications = read_applications(&read(&args.application)?);
    if applications.is_empty() {
        return Err(Failure::Usage(format!("{} holds no application", args.application.display())));
    }
    let draws = args.draws.as_deref().map(|path| read_draws(&read(path)?).map_err(Failure::from)).transpose()?;
    let options =
        DeskOptions { out: args.out.clone(), on: args.as_of, now: Timestamp::now(), draws, log: !args.dry_run };
    let answered = Desk::open(&args.job, options)?.answer(applications)?;
    output.show(&answered, answers_text)?;
    let is_refused = answered.answers.iter().any(|answer| answer.outcome == Outcome::Refused);
    Ok(if is_refused { ExitCode::Data } else { ExitCode::Ok })
}

fn read(path: &Path) -> Result<String, Failure> {
    let io = |source| Failure::Io { path: path.to_owned(), source };
    if path == Path::new("-") {
        let mut text = String::new();
        return match std::io::stdin().read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => Err(not_text(path)),
            Err(e) => Err(io(e)),
        };
    }
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => not_text(path),
        std::io::ErrorKind::NotFound => Failure::NotFound(format!("{} is not there", path.display())),
        _ => io(e),
    })
}

fn not_text(path: &Path) -> Failure {
    AnswerError::NotText { path: path.to_owned() }.into()
}
