//! What can stop a trial.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::publish::PublishError;
use crate::run::RunError;
use crate::simulate::SimulateError;

/// Why a trial stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The job's configuration.
    #[error("read the configuration: {0}")]
    Config(#[from] ConfigError),
    /// A night that stopped for another reason than a gate or a model.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The marketplace.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// Reading a night's offers.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A setting out of its range.
    #[error("try a policy with {setting} = {value}: allowed is {allowed}")]
    BadSetting {
        /// The setting.
        setting: &'static str,
        /// As given.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The disk refused.
    #[error("write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The frontier could not be drawn.
    #[error("draw the frontier: {0}")]
    Plot(String),
    /// The report could not be written as JSON.
    #[error("write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl TrialError {
    pub(super) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
