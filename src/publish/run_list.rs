//! Which runs lie in an output folder, what has become of each, and which was current when.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::archive::InputArchive;
use super::error::PublishError;
use super::history::{IntactRun, dates, read_run, run_folders, run_of_date, serving};
use super::manifest::InputFile;
use super::pointings::Pointings;
use super::prunings::Prunings;

/// What has become of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// The loan service reads it.
    Current,
    /// Its business date stands by it: what later nights build on.
    Standing,
    /// Another run of the same business date was published after it.
    Replaced,
    /// A person took it out of use (`integrity point`).
    Withdrawn,
    /// Its manifest is missing or damaged.
    Broken,
    /// Another version of a night, with what was recorded later (`integrity restate`): nobody was offered what it holds.
    Restatement,
    /// It was removed (`integrity prune`).
    Pruned,
}

impl RunState {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Standing => "standing",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
            Self::Broken => "broken",
            Self::Restatement => "restatement",
            Self::Pruned => "pruned",
        }
    }

    /// Whether its business date stands by it.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, Self::Current | Self::Standing)
    }
}

/// One run folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedRun {
    /// Business date.
    pub as_of: Date,
    /// Run folder, below the output folder.
    pub run: String,
    /// What has become of it.
    pub state: RunState,
    /// When it was finished; null where the manifest is broken.
    pub finished_at: Option<Timestamp>,
    /// Why it is withdrawn or broken; what it restates; who removed it and when.
    pub why: Option<String>,
    /// How many of its raw files lie in the archive; null where nothing is archived, and of a run that is broken or gone.
    pub inputs: Option<InputsKept>,
    /// What was pruned may have been one too; none was ever current.
    #[serde(skip)]
    is_restatement: bool,
}

/// How many of a run's raw files lie in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InputsKept {
    /// Files there, in the size that was read.
    pub kept: usize,
    /// Files that it read.
    pub of: usize,
}

impl InputsKept {
    fn count(archive: &InputArchive, inputs: &[InputFile]) -> Result<Self, PublishError> {
        let mut kept = 0;
        for input in inputs {
            kept += usize::from(archive.holds(input)?);
        }
        Ok(Self { kept, of: inputs.len() })
    }
}

/// A time in which one run was current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrentPeriod {
    /// Run folder, below the output folder.
    pub run: String,
    /// Its first instant.
    pub from: Timestamp,
    /// When another run followed; null where it is current still.
    pub until: Option<Timestamp>,
    /// Who set it by hand, and why; null where a night published it.
    pub set_by: Option<String>,
}

/// The runs of an output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunList {
    /// By business date, then by when they were finished.
    pub runs: Vec<ListedRun>,
    /// What was current when, oldest first. A run whose folder was removed by hand is not in it.
    pub periods: Vec<CurrentPeriod>,
}

impl RunList {
    /// What was current at an instant.
    #[must_use]
    pub fn at(&self, instant: Timestamp) -> Option<&CurrentPeriod> {
        self.periods.iter().rev().find(|period| period.from <= instant)
    }
}

/// Lists the runs of an output folder. What was current when follows from when each run was finished, the rule that the current run never goes back
/// to an older business date by itself, and the log of runs set by hand.
///
/// # Errors
/// The folder or the log of runs set by hand cannot be read.
pub fn run_list(out: &Path) -> Result<RunList, PublishError> {
    let pointings = Pointings::read(out)?;
    let withdrawn = pointings.withdrawn();
    let current = match serving(out) {
        Ok(serving) => serving.map(|serving| serving.run.pointer.run),
        Err(error) if error.is_damage() => None,
        Err(error) => return Err(error),
    };
    let archive = InputArchive::of(out);
    let is_archive = archive.exists();
    let mut runs = Vec::new();
    for as_of in dates(out)? {
        let standing = run_of_date(out, as_of, &mut Vec::new())?.map(|run| run.pointer.run);
        for run in run_folders(out, as_of)? {
            let (finished_at, restates, inputs, broken) = match read_run(out, &run) {
                Ok((finished, IntactRun { manifest, .. })) => {
                    let kept = is_archive.then(|| InputsKept::count(&archive, &manifest.inputs)).transpose()?;
                    (Some(finished), manifest.restates, kept, None)
                }
                Err(error) if error.is_damage() => (None, None, None, Some(error.to_string())),
                Err(error) => return Err(error),
            };
            let state = if broken.is_some() {
                RunState::Broken
            } else if restates.is_some() {
                RunState::Restatement
            } else if current.as_ref() == Some(&run) {
                RunState::Current
            } else if withdrawn.contains(run.as_str()) {
                RunState::Withdrawn
            } else if standing.as_ref() == Some(&run) {
                RunState::Standing
            } else {
                RunState::Replaced
            };
            let of_log =
                || pointings.withdrawal(&run).map(|entry| format!("{} ({}, {})", entry.reason, entry.by, entry.at));
            let restates = restates.map(|night| {
                format!("restates {} with what was recorded before {}", night.first.run_id, night.known_before)
            });
            let why = broken.or(restates).or_else(of_log);
            let is_restatement = state == RunState::Restatement;
            runs.push(ListedRun { as_of, run, state, finished_at, why, inputs, is_restatement });
        }
    }
    let prunings = Prunings::read(out)?;
    runs.extend(prunings.gone(out).into_values().map(|(run, entry)| ListedRun {
        as_of: run.as_of,
        run: run.run.clone(),
        state: RunState::Pruned,
        finished_at: Some(run.finished_at),
        why: Some(format!("it was {} ({}, {})", run.state.word(), entry.by, entry.at)),
        inputs: None,
        is_restatement: run.state == RunState::Restatement,
    }));
    runs.sort_by(|a, b| (a.as_of, a.finished_at, &a.run).cmp(&(b.as_of, b.finished_at, &b.run)));
    let periods = periods(&runs, &pointings)?;
    Ok(RunList { runs, periods })
}

/// Replays what made each run current.
fn periods(runs: &[ListedRun], pointings: &Pointings) -> Result<Vec<CurrentPeriod>, PublishError> {
    let mut events: Vec<(Timestamp, &str, Option<String>)> = Vec::new();
    for run in runs.iter().filter(|run| !run.is_restatement) {
        events.extend(run.finished_at.map(|at| (at, run.run.as_str(), None)));
    }
    for entry in &pointings.entries {
        let at = entry.at.parse().map_err(|e: jiff::Error| {
            PublishError::malformed(Path::new(super::pointings::POINTINGS), format!("{:?}: {e}", entry.at))
        })?;
        events.push((at, entry.to.as_str(), Some(format!("{}: {}", entry.by, entry.reason))));
    }
    // Of one instant, what a person did comes after what a night did.
    events.sort_by(|a, b| (a.0, a.2.is_some(), a.1).cmp(&(b.0, b.2.is_some(), b.1)));
    let date_of = |run: &str| run.split('/').next().and_then(|d| d.strip_prefix("as_of=")?.parse::<Date>().ok());
    let mut periods: Vec<CurrentPeriod> = Vec::new();
    for (from, run, set_by) in events {
        let goes_back = periods.last().is_some_and(|last| date_of(run) < date_of(&last.run)) && set_by.is_none();
        if goes_back || periods.last().is_some_and(|last| last.run == run) {
            continue;
        }
        if let Some(last) = periods.last_mut() {
            last.until = Some(from);
        }
        periods.push(CurrentPeriod { run: run.to_owned(), from, until: None, set_by });
    }
    Ok(periods)
}

#[cfg(test)]
mod tests {
    use super::super::pointings::PointingEntry;
    use super::*;

    fn run(day: u8, id: &str, hour: i64) -> ListedRun {
        let as_of: Date = format!("2018-08-{day:02}").parse().unwrap();
        let finished_at = Some(at(hour));
        ListedRun {
            as_of,
            run: format!("as_of={as_of}/run={id}"),
            state: RunState::Standing,
            finished_at,
            why: None,
            inputs: None,
            is_restatement: false,
        }
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    #[test]
    fn what_was_current_when() {
        let runs = [run(1, "a", 1), run(1, "late", 30), run(2, "b", 25), run(3, "c", 50)];
        let entry = PointingEntry {
            at: at(52).to_string(),
            from: None,
            to: runs[2].run.clone(),
            reason: "a wrong file".to_owned(),
            by: "ann".to_owned(),
            withdrawn: vec![runs[3].run.clone()],
        };
        let periods = periods(&runs, &Pointings { entries: vec![entry] }).unwrap();
        let seen: Vec<_> = periods.iter().map(|p| (p.run.rsplit('=').next().unwrap(), p.from, p.until)).collect();
        let expected =
            [("a", at(1), Some(at(25))), ("b", at(25), Some(at(50))), ("c", at(50), Some(at(52))), ("b", at(52), None)];
        assert_eq!(seen, expected, "a late run of an older date is published beside the current one");
        let list = RunList { runs: runs.to_vec(), periods };
        assert_eq!(list.at(at(51)).unwrap().run, runs[3].run);
        assert_eq!(list.at(at(60)).unwrap().set_by.as_deref(), Some("ann: a wrong file"));
        assert_eq!(list.at(at(0)), None);
    }
}
