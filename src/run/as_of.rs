//! Which day the night observes: named by the caller or the job, as a date or a rule, or guessed for exploration.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::decision_gates::GateError;
use super::error::RunError;
use super::job::Job;
use super::options::RunOptions;
use super::progress::Progress;
use super::rules::JobRules;
use crate::config::ConfigError;
use crate::contract;
use crate::domain::days_between;
use crate::source::{SourceError, Sources};
use crate::wash::{Activity, UsualDay, event_column};

/// An observation date, or how to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOfRule {
    /// This date.
    Day(Date),
    /// The date on which the run begins, in the job's zone: facts of the day before are the last that are seen.
    Today,
    /// The date before it: the last whole day of facts is the day before yesterday.
    Yesterday,
}

impl AsOfRule {
    /// The date, where the run begins at `now`.
    ///
    /// # Errors
    /// The day before the first of the calendar.
    pub fn date(self, now: Timestamp, zone: &TimeZone) -> Result<Date, jiff::Error> {
        let today = zone.to_datetime(now).date();
        match self {
            Self::Day(date) => Ok(date),
            Self::Today => Ok(today),
            Self::Yesterday => today.checked_sub(1.day()),
        }
    }
}

impl From<Date> for AsOfRule {
    fn from(date: Date) -> Self {
        Self::Day(date)
    }
}

impl FromStr for AsOfRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(Self::Today),
            "yesterday" => Ok(Self::Yesterday),
            date => date
                .parse()
                .map(Self::Day)
                .map_err(|_| format!("{date:?} is neither a date such as 2018-08-01 nor \"today\" nor \"yesterday\"")),
        }
    }
}

impl fmt::Display for AsOfRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => date.fmt(f),
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
        }
    }
}

/// Tonight's observation date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenAsOf {
    /// The date.
    pub date: Date,
    /// Nobody named it: it was read off the data.
    pub is_guess: bool,
}

/// The caller's date, else the job's. A job that lends or deducts must name one: a day too many makes instalments due that are not.
pub(super) fn choose_as_of(
    job: &Job,
    rules: &JobRules,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<ChosenAsOf, RunError> {
    if let Some(rule) = options.as_of.or(job.as_of) {
        return named(job, rule, options);
    }
    let acts = !rules.policy.products.is_empty() || rules.monitor.deduction.is_some();
    if acts && !options.guess_as_of {
        return Err(ConfigError {
            path: job.files.job.path().to_owned(),
            line: 0,
            message: "no as_of is named, and the job lends or deducts".to_owned(),
            help: "write as_of = \"yesterday\" (or \"today\", in the job's time zone) or as_of = \"2018-08-01\" above [inputs], or give \
                   --as-of; --guess-as-of reads a date off the data, for exploration only"
                .to_owned(),
        }
        .into());
    }
    guess(job, progress)
}

/// A named date, or the guess: for training, which lends nothing.
pub(super) fn as_of_to_train(job: &Job, options: &RunOptions, progress: &dyn Progress) -> Result<ChosenAsOf, RunError> {
    match options.as_of.or(job.as_of) {
        Some(rule) => named(job, rule, options),
        None => guess(job, progress),
    }
}

fn named(job: &Job, rule: AsOfRule, options: &RunOptions) -> Result<ChosenAsOf, RunError> {
    let date = rule.date(options.started_at, &job.intake.time_zone).map_err(|e| ConfigError {
        path: job.files.job.path().to_owned(),
        line: 0,
        message: format!("as_of = {rule}: {e}"),
        help: "is the machine's clock right?".to_owned(),
    })?;
    Ok(ChosenAsOf { date, is_guess: false })
}

/// The day after the earliest last day of usual trade, over the tables that trade daily (where none does, all that have such a day) and
/// are within a week of the middle one of them. Neither a single stale table nor single rows move it, and every table in step has been seen
/// whole.
fn guess(job: &Job, progress: &dyn Progress) -> Result<ChosenAsOf, RunError> {
    progress.stage("guess the observation date", None);
    let mut sources = Sources::new(&job.intake.source, &std::env::temp_dir());
    let mut clocks: Vec<(UsualDay, &'static str)> = Vec::new();
    for spec in &job.intake.source.sources {
        let Some(column) = contract::table(spec.table).and_then(event_column) else { continue };
        let activity = Mutex::new(Activity::default());
        sources
            .peek(spec, column, &|events| {
                let failed = |why: String| SourceError::Frame { table: spec.table, why };
                let more = Activity::of_series(&events, &job.intake.time_zone).map_err(|e| failed(e.to_string()))?;
                activity.lock().map_err(|_| failed("another thread failed".to_owned()))?.add(&more);
                Ok(())
            })
            .map_err(crate::wash::IngestError::from)?;
        let activity = activity.into_inner().unwrap_or_default();
        clocks.extend(activity.last_usual_day().map(|day| (day, spec.table)));
    }
    if clocks.iter().any(|(day, _)| day.is_daily) {
        clocks.retain(|(day, _)| day.is_daily);
    }
    clocks.sort_by_key(|(day, table)| (day.on, *table));
    let middle = clocks.len().checked_sub(1).and_then(|last| clocks.get(last / 2)).map(|(day, _)| day.on);
    let in_step = |day: Date| middle.is_some_and(|middle| days_between(day, middle) <= 7);
    let earliest = clocks.iter().map(|(day, _)| day.on).find(|day| in_step(*day));
    let date = earliest.and_then(|day| day.checked_add(1.day()).ok()).ok_or(GateError::NoClock)?;
    let last_days: Vec<String> = clocks.iter().map(|(day, table)| format!("{table} {}", day.on)).collect();
    progress.note(&format!(
        "GUESS, for exploration only: as of {date}, read off the last days of usual trade ({}); name the date with --as-of",
        last_days.join(", ")
    ));
    Ok(ChosenAsOf { date, is_guess: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn today_is_the_jobs_day_and_not_the_machines() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        // 18:30 UTC on 31 July is 02:30 on 1 August in Shanghai.
        let now: Timestamp = "2018-07-31T18:30:00Z".parse().unwrap();
        assert_eq!(AsOfRule::Today.date(now, &shanghai).unwrap(), date(2018, 8, 1));
        assert_eq!(AsOfRule::Yesterday.date(now, &shanghai).unwrap(), date(2018, 7, 31));
        assert_eq!(AsOfRule::Today.date(now, &TimeZone::UTC).unwrap(), date(2018, 7, 31));
    }

    #[test]
    fn rules_are_read_as_written() {
        for (text, rule) in
            [("today", AsOfRule::Today), ("yesterday", AsOfRule::Yesterday), ("2018-08-01", date(2018, 8, 1).into())]
        {
            assert_eq!(text.parse(), Ok(rule));
            assert_eq!(rule.to_string(), text);
        }
        for wrong in ["", "tomorrow", "2018-13-01", "Today"] {
            assert!(wrong.parse::<AsOfRule>().unwrap_err().contains("neither a date"), "{wrong}");
        }
    }
}
