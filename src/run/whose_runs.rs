//! Whose runs lie in the output folder: two jobs that share one would each take the other's night for its own night before.

use serde::Deserialize;

use super::job::Job;
use crate::config::ConfigError;
use crate::publish::{PreviousRun, current_run};

/// What names the job in the results of a run.
#[derive(Deserialize)]
struct Named {
    job: String,
}

/// Refuses a job where the run that is current is of a job with another name, unless the job file says that it was its own.
///
/// A pointer or a run that is damaged says nothing here: whoever reads on stops at it.
///
/// # Errors
/// The run that is current is another job's.
pub(super) fn refuse_runs_of_another_job(job: &Job) -> Result<(), ConfigError> {
    let Ok(Some(current)) = current_run(&job.out) else { return Ok(()) };
    match name_of(&current) {
        Some(name) if name != job.name && !job.formerly.contains(&name) => {
            let PreviousRun { run_id, as_of, .. } = &current;
            Err(job.refuse_name(
                format!(
                    "the job is {:?}, and the run that is current in {}, {run_id} as of {as_of}, is of the job {name:?}",
                    job.name,
                    job.out.display()
                ),
                &format!("give each job an `out` of its own; where it is this job under another name, add formerly = [{name:?}]"),
            ))
        }
        _ => Ok(()),
    }
}

fn name_of(run: &PreviousRun) -> Option<String> {
    run.json::<Named>("results.json").ok().flatten().map(|named| named.job)
}
