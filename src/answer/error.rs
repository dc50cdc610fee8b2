//! Why applications cannot be answered.

use std::path::PathBuf;

use jiff::civil::Date;

use crate::config::ConfigError;
use crate::domain::AsOfError;
use crate::offer::OfferError;
use crate::publish::PublishError;

/// Why none was answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The job or its policy.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The run or the log.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Deciding.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Dates.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// The policy file is not the one that the run was decided under.
    #[error("answer by the policy of run {run}: {policy} was changed since; run the night first")]
    OtherPolicy {
        /// The run.
        run: String,
        /// The job's policy file.
        policy: String,
    },
    /// The run is of another day than its answers may rest on.
    #[error("answer on {on} from the run of {as_of}: {why}")]
    NotOfTheDay {
        /// Business date of the answer.
        on: Date,
        /// Observation date of the run.
        as_of: Date,
        /// Why not.
        why: String,
    },
    /// Another run is current since the desk was opened.
    #[error("answer from run {run}: another run is current by now; send the applications again")]
    Replaced {
        /// The run.
        run: String,
    },
    /// The run does not hold what an answer needs.
    #[error("answer from run {run}: it does not say {what}; publish the night again with this version of the program")]
    Incomplete {
        /// The run.
        run: String,
        /// What is missing.
        what: &'static str,
    },
    /// A file of applications or draws in other letters.
    #[error("read {path:?}: it is not text in UTF-8")]
    NotText {
        /// Which one; `-` is standard input.
        path: PathBuf,
    },
    /// Draws that an earlier call named are not among those of this one: the list is not whole.
    #[error(
        "read the draws: they come to {drawn_minor} on offer {offer_id:?} of merchant {merchant_id:?}, and an answer given since the night knew of \
         {known_minor}; give every draw since the run, or none at all where they are not known"
    )]
    DrawsGone {
        /// Who drew.
        merchant_id: String,
        /// On which offer.
        offer_id: String,
        /// What this call names.
        drawn_minor: i64,
        /// What an earlier one named.
        known_minor: i64,
    },
    /// A file of draws that cannot be read: what was drawn is then not known.
    #[error("read the draws: line {line}: {why}")]
    Draws {
        /// From 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}
