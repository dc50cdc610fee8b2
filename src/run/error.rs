//! Why a run stops.

use super::decide::DecideError;
use super::decision_gates::GateError;
use super::job_training::TrainingError;
use super::population::PopulationError;
use super::portfolio_report::ReportError;
use crate::config::ConfigError;
use crate::core_system::CoreSystemError;
use crate::domain::AsOfError;
use crate::model::ModelError;
use crate::publish::PublishError;
use crate::source::SourceError;
use crate::spill::SpillError;
use crate::wash::IngestError;

/// Why a run stopped. Nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Configuration.
    #[error("read the configuration: {0}")]
    Config(#[from] ConfigError),
    /// Several faults of the configuration, in files that do not depend on each other.
    #[error("read the configuration:\n{list}", list = .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Configs(Vec<ConfigError>),
    /// Several faults of inputs and statements.
    #[error("read the inputs:\n{list}", list = .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Sources(Vec<SourceError>),
    /// Reading and washing.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Training.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// Choosing, loading or saving a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Measuring.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// Deciding.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// A publishing gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Publishing.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Dates.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// Replaying past nights.
    #[error(transparent)]
    Backtest(#[from] super::backtest::BacktestError),
    /// Comparing with a core system's books.
    #[error(transparent)]
    CoreSystem(#[from] CoreSystemError),
}

impl From<ReportError> for RunError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Monitor(error) => DecideError::from(error).into(),
            ReportError::Difference(difference) => GateError::Portfolio(Box::new(difference)).into(),
        }
    }
}

impl From<SpillError> for RunError {
    fn from(error: SpillError) -> Self {
        PopulationError::from(error).into()
    }
}
