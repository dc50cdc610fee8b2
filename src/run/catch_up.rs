//! Nights that were missed, published one after the other.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::error::RunError;
use super::nightly::{RunOutcome, run_job};
use super::options::{RunOptions, open_job};
use super::progress::Progress;
use crate::publish::{Prunings, PublishError, standing_dates};
use crate::wash::IngestError;

/// Which nights are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedNights {
    /// The last night that stands.
    pub last: Date,
    /// Nights after it: they can be published, in this order.
    pub missed: Vec<Date>,
    /// Nights before it by which no run stands and none was pruned. They are not published any more: the nights after them built on others, and would not know
    /// what such a night offered.
    pub passed_over: Vec<Date>,
}

/// The nights up to `through` that no run of the job stands by.
///
/// # Errors
/// The job cannot be read, or nothing was ever published: then nothing says where to begin.
pub fn missed_nights(path: &Path, through: Date, options: &RunOptions) -> Result<MissedNights, RunError> {
    let out = open_job(path, options)?.out;
    let standing = standing_dates(&out)?;
    let (Some(first), Some(last)) = (standing.first().copied(), standing.last().copied()) else {
        return Err(PublishError::NothingPublished(out).into());
    };
    let prunings = Prunings::read(&out)?;
    let pruned: BTreeSet<Date> = prunings.gone(&out).into_values().map(|(run, _)| run.as_of).collect();
    let days = |from: Date, to: Date| from.series(1.day()).skip(1).take_while(move |day| *day <= to);
    Ok(MissedNights {
        last,
        missed: days(last, through).collect(),
        passed_over: days(first, last.min(through))
            .filter(|day| !standing.contains(day) && !pruned.contains(day))
            .collect(),
    })
}

/// Publishes the missed nights up to `through` in order; `done` hears of each. The data are those of today: a night sees of them what its date
/// allows.
///
/// # Errors
/// What stops a night stops those after it, for they would build on it. The nights before it stay published.
pub fn catch_up(
    path: &Path,
    through: Date,
    options: &RunOptions,
    progress: &dyn Progress,
    done: &mut dyn FnMut(&RunOutcome),
) -> Result<MissedNights, RunError> {
    let nights = missed_nights(path, through, options)?;
    for as_of in &nights.missed {
        let of_night = RunOptions { as_of: Some((*as_of).into()), started_at: (options.clock)(), ..options.clone() };
        let outcome = run_job(path, &of_night, progress).inspect_err(|error| {
            if matches!(error, RunError::Ingest(IngestError::Source(_))) {
                progress.note(&format!(
                    "the night of {as_of} was not published, and those before it stay so: it reads every file that lies there now, also those of later \
                     days, and one cannot be read; have that file sent again, or move it out of the data folder until it is, and call catch-up again"
                ));
            }
        })?;
        if let (false, Some(why)) = (outcome.is_new, &outcome.published.not_current_because) {
            let (run, why) = (outcome.published.run_dir.clone(), why.clone());
            return Err(PublishError::NightStaysWithdrawn { run, why }.into());
        }
        done(&outcome);
    }
    Ok(nights)
}
