//! What publishing and reading published runs refuse.

use crate::page::PageError;
use crate::spill::SpillError;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use parquet::errors::ParquetError;

use crate::domain::Digest;

/// Fragments fit "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Rows that were set aside cannot be read back.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The page of the run cannot be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The operating system refused: disk full, no permission, gone. Nothing was published.
    #[error("{action} {path:?}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The output path exists and is not a folder.
    #[error("publish into {0:?}: it is not a folder")]
    NotAFolder(PathBuf),
    /// Another live process publishes here.
    #[error("lock {path:?}: held by {holder}")]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// NaN or an infinity in a value to be published.
    #[error("write {table}: {column} of {row} is {value}, not a finite number")]
    NonFinite {
        /// Output table.
        table: &'static str,
        /// Column.
        column: String,
        /// The row, by its key.
        row: String,
        /// As printed: `NaN`, `inf`, `-inf`.
        value: String,
    },
    /// A value outside the range that the column documents.
    #[error("write {table}: {column} of {row} is {value}, outside {low} to {high}")]
    OutOfRange {
        /// Output table.
        table: &'static str,
        /// Column.
        column: String,
        /// The row, by its key.
        row: String,
        /// As printed.
        value: String,
        /// Smallest allowed.
        low: f64,
        /// Largest allowed.
        high: f64,
    },
    /// Rows must come in strictly ascending key order.
    #[error("write {table}: {next} after {previous}, rows must come in strictly ascending key order")]
    OutOfOrder {
        /// Output table.
        table: &'static str,
        /// Key of the row before.
        previous: String,
        /// Key of the offending row.
        next: String,
    },
    /// Rows and documented columns do not agree: a defect of the program, not of the data.
    #[error("encode {table}: {why}")]
    Layout {
        /// Output table.
        table: &'static str,
        /// What does not fit.
        why: String,
    },
    /// The Parquet library refused, for another reason than I/O.
    #[error("{action} {path:?}: {source}")]
    Parquet {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The library's own error.
        source: ParquetError,
    },
    /// A published file holds something else than it should.
    #[error("read {path:?}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A published file's bytes are not those that the manifest vouches for.
    #[error("trust {path:?}: its digest is {found}, the manifest vouches for {expected}")]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// As recorded.
        expected: Digest,
        /// As read.
        found: Digest,
    },
    /// A raw file that is to be archived is not what was read.
    #[error(
        "archive {path:?}: it has digest {found}, and {read} was read: it was written to while the night ran, or without its size and times changing since \
         its rows were kept. Run the night again, with --rehash"
    )]
    InputChanged {
        /// The raw file.
        path: PathBuf,
        /// As read.
        read: Digest,
        /// As it is.
        found: Digest,
    },
    /// A name that may not stand in a run folder, or stands there already.
    #[error("stage a file named {name:?}: {why}")]
    BadName {
        /// As given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file was opened in the staging folder and never sealed.
    #[error("publish {0:?}: the file was never sealed into the manifest")]
    Unsealed(PathBuf),
    /// A complete-looking run of the same identity lies there with other bytes than its manifest says.
    #[error(
        "reuse run {run:?}: {findings} of its files are damaged, the first is {first}; see `verify`, then remove the folder"
    )]
    Damaged {
        /// The run folder.
        run: PathBuf,
        /// How many findings.
        findings: usize,
        /// The first of them.
        first: String,
    },
    /// A published file that a pointer or a manifest vouches for is gone.
    #[error("read {0:?}: it is missing, though it was published")]
    Missing(PathBuf),
    /// Runs lie there, but not one of them can be read.
    #[error(
        "read the nights before below {out:?}: the manifest of each run is damaged ({runs}); restore one of them from a backup, or \
         publish into another folder",
        runs = passed_over.join(", ")
    )]
    NoIntactRun {
        /// Output folder.
        out: PathBuf,
        /// The damaged runs, newest first.
        passed_over: Vec<String>,
    },
    /// Nothing has been published here yet.
    #[error("read the current run below {0:?}: nothing is published there")]
    NothingPublished(PathBuf),
    /// A night that is to be published again is one that a person withdrew.
    #[error("publish the night again: what comes out is {run:?}, and {why}")]
    NightStaysWithdrawn {
        /// The run folder.
        run: PathBuf,
        /// Who withdrew it, when and why.
        why: String,
    },
    /// The run was removed on a person's or a schedule's order.
    #[error("read run {run:?}: {by} had it pruned at {at}; a copy of it is proven by its digest in prunings.jsonl")]
    Pruned {
        /// The run folder.
        run: PathBuf,
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
    },
    /// A restatement cannot be served.
    #[error("set run {run:?} current: it restates run {first}, and nobody was offered what it holds")]
    IsRestatement {
        /// The run folder.
        run: PathBuf,
        /// The run that it restates.
        first: String,
    },
    /// What the night would have to build on was removed.
    #[error(
        "publish the night of {before}: the night before it, {removed}, was pruned, and what lies before that does not know what it offered. Restore its \
         folder from a backup, or name a later night"
    )]
    NightBeforePruned {
        /// The night.
        before: Date,
        /// The removed run, below the output folder.
        removed: String,
    },
    /// No run of that id is published here.
    #[error("find run {run_id} below {out:?}: none of that id is published; the newest are {runs}", runs = known.join(", "))]
    UnknownRun {
        /// Output folder.
        out: PathBuf,
        /// The id asked for.
        run_id: String,
        /// Some that are there, newest first.
        known: Vec<String>,
    },
    /// No run of that date is published here.
    #[error(
        "read the run of {as_of} below {out:?}: none was published; {told}`integrity runs {dir}` lists all that are there, and `integrity run JOB.toml --as-of {as_of}` makes the night of that date",
        told = nearest_dates(.nearest), dir = .out.display()
    )]
    NoSuchRun {
        /// Output folder.
        out: PathBuf,
        /// The date asked for.
        as_of: Date,
        /// The dates next to it of which runs are there, ascending.
        nearest: Vec<Date>,
    },
}

fn nearest_dates(nearest: &[Date]) -> String {
    match nearest.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [only] => format!("the nearest date that was is {only}: "),
        several => format!("the nearest dates that were are {}: ", several.join(" and ")),
    }
}

impl PublishError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// I/O errors keep their own variant wherever the Parquet library wrapped them.
    pub(super) fn parquet(action: &'static str, path: &Path) -> impl FnOnce(ParquetError) -> Self {
        move |error| match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(source) => Self::Io { action, path: path.to_owned(), source: *source },
                Err(other) => Self::Parquet { action, path: path.to_owned(), source: ParquetError::External(other) },
            },
            source => Self::Parquet { action, path: path.to_owned(), source },
        }
    }

    /// As [`PublishError::io`], for a file that was published: its absence is damage, not a refusal of the operating system.
    pub(super) fn published_file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing(path.to_owned()),
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }

    /// Whether published bytes are not what they were when they were published.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::DigestMismatch { .. } | Self::Missing(_))
    }

    pub(super) fn malformed(path: &Path, why: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), why: why.into() }
    }
}
