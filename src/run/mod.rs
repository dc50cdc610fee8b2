//! The nightly whole: from a job file to a published run.

mod decide;
mod facts;
mod gates;
mod job;
mod labels;
mod model_choice;
mod model_settings;
mod nightly;
mod open_offers;
mod population;
mod progress;
mod publishing;
mod rules;
mod summarise;
mod summary;
mod training;
mod wide;

pub use decide::DecideError;
pub use facts::FactsError;
pub use gates::GateError;
pub use job::{Job, JobFiles};
pub use model_settings::{LabelKind, ModelSettings};
pub use nightly::{RunError, RunOptions, RunOutcome, check_job, run_job, train_model};
pub use population::PopulationError;
pub use progress::{Progress, Silent};
pub use summary::RunSummary;
pub use training::{TrainedModels, TrainingError, train_job};
