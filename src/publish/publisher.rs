//! Publishes a run so that a reader sees the old complete one or the new complete one, and nothing else, ever.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::current::{CURRENT, CURRENT_TEMPORARY, Current};
use super::digest_file::DigestFile;
use super::error::PublishError;
use super::lock::OutLock;
use super::manifest::{Manifest, Published, RunIdentity};
use super::stage::{STAGING, Stage};
use super::step::{Observer, Step};
use super::verify::inspect_run;
use crate::domain::Digest;

/// Which runs `current.json` may be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointing {
    /// Never to an older business date: a late re-run of last month must not serve last month's credit. Such a run is
    /// published beside the current one.
    Forward,
    /// To whatever was published last.
    Always,
}

/// How a run starts.
#[must_use]
pub enum Begun<'p, 'o> {
    /// A run of this very identity is published, intact, and needs no pointer. Exit code 99.
    NothingNew(Published),
    /// A run of this very identity lay there complete and unpointed, for one because the process that made it was killed just
    /// before the last step, and is now the current one.
    Repointed(Published),
    /// There is work to do.
    Stage(Stage<'p, 'o>),
}

/// The only writer of an output folder while it lives.
///
/// | killed right after | what lies there | what a reader sees | what the next start does |
/// |---|---|---|---|
/// | [`Step::Swept`] | nothing new | the old run | nothing |
/// | [`Step::Begun`] | an empty staging folder | the old run | sweeps it |
/// | [`Step::Written`] in staging | whole or torn files there | the old run | sweeps them |
/// | [`Step::Synced`] in staging, manifest included | the same | the old run | sweeps them |
/// | [`Step::FoldersSynced`] | a complete staged run | the old run | sweeps it, runs again |
/// | [`Step::DateFolder`] | and an empty folder of the date | the old run | the same |
/// | [`Step::Renamed`] | a complete run that nothing points to | the old run | verifies it, points to it |
/// | [`Step::RenameSynced`] | the same | the old run | the same |
/// | [`Step::Written`], [`Step::Synced`] of the new pointer | and a hidden, perhaps torn file | the old run | the same |
/// | [`Step::Pointed`] | the new run, pointed to | the new run; the old one if power failed as well | nothing, or points again |
/// | [`Step::PointerSynced`] | the same, on disk | the new run | nothing |
///
/// A power failure may also undo what was done since the last force to disk. Every rename comes after all that it makes
/// visible is forced, so that the table holds for it too.
pub struct Publisher<'o> {
    out: PathBuf,
    observer: Observer<'o>,
    _lock: OutLock,
}

impl<'o> Publisher<'o> {
    /// Locks the output folder, made if need be, and sweeps what killed runs left in staging.
    ///
    /// # Errors
    /// It is no folder, another process publishes there, or the operating system refuses.
    pub fn open(out: &Path) -> Result<Self, PublishError> {
        Self::open_observed(out, Box::new(|_| Ok(())))
    }

    /// As [`Publisher::open`], telling `observer` of every step.
    ///
    /// # Errors
    /// As [`Publisher::open`], and whatever the observer raises.
    pub fn open_observed(out: &Path, observer: Observer<'o>) -> Result<Self, PublishError> {
        match std::fs::metadata(out) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(PublishError::NotAFolder(out.to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(out).map_err(PublishError::io("make folder", out))?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(PublishError::NotAFolder(out.to_owned()));
            }
            Err(e) => return Err(PublishError::io("look at", out)(e)),
        }
        let lock = OutLock::take(out)?;
        let mut publisher = Self { out: out.to_owned(), observer, _lock: lock };
        publisher.sweep()?;
        publisher.reached(&Step::Swept, out)?;
        Ok(publisher)
    }

    /// The output folder.
    #[must_use]
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Finds out whether a run of this identity is needed.
    ///
    /// # Errors
    /// A run of this identity lies there damaged, or the operating system refuses.
    pub fn begin(&mut self, identity: RunIdentity, pointing: Pointing) -> Result<Begun<'_, 'o>, PublishError> {
        let run = self.out.join(identity.run_path());
        match std::fs::symlink_metadata(&run) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Begun::Stage(Stage::begin(self, identity, pointing)?)),
            Err(e) => Err(PublishError::io("look at", &run)(e)),
            Ok(_) => self.finish_earlier(&run, pointing),
        }
    }

    fn finish_earlier(&mut self, run: &Path, pointing: Pointing) -> Result<Begun<'_, 'o>, PublishError> {
        let report = inspect_run(&self.out, run, None)?;
        if let Some(first) = report.findings.first() {
            let (findings, first) = (report.findings.len(), first.to_string());
            return Err(PublishError::Damaged { run: run.to_owned(), findings, first });
        }
        let digest = Manifest::own_digest(run)?;
        let manifest = Manifest::read(run, digest)?;
        let current = self.current()?;
        let target = Current::to(&manifest, digest);
        if current.as_ref() == Some(&target) {
            return Ok(Begun::NothingNew(target.published(&self.out)));
        }
        let published = self.point(&target, pointing)?;
        Ok(if published.is_current { Begun::Repointed(published) } else { Begun::NothingNew(published) })
    }

    /// Replaces `current.json`, unless that would go back in time and may not.
    pub(super) fn point(&mut self, target: &Current, pointing: Pointing) -> Result<Published, PublishError> {
        let published = target.published(&self.out);
        let newer = self.current()?.filter(|current| current.as_of > target.as_of);
        if pointing == Pointing::Forward && newer.is_some() {
            return Ok(Published { is_current: false, ..published });
        }
        let (new, pointer) = (self.out.join(CURRENT_TEMPORARY), self.out.join(CURRENT));
        self.write_synced(&new, &target.to_bytes(&pointer)?)?;
        std::fs::rename(&new, &pointer).map_err(PublishError::io("replace", &pointer))?;
        self.reached(&Step::Pointed, &pointer)?;
        sync_folder(&self.out)?;
        self.reached(&Step::PointerSynced, &pointer)?;
        Ok(published)
    }

    /// A pointer that rotted on disk points nowhere: publishing heals it.
    fn current(&self) -> Result<Option<Current>, PublishError> {
        match Current::read(&self.out) {
            Err(PublishError::Malformed { .. }) => Ok(None),
            other => other,
        }
    }

    /// Writes a new file and forces it to disk; returns its size and digest.
    pub(super) fn write_synced(&mut self, path: &Path, bytes: &[u8]) -> Result<(u64, Digest), PublishError> {
        let mut file = DigestFile::create(path)?;
        file.write_all(bytes).map_err(PublishError::io("write", path))?;
        let unsynced = file.finish(path)?;
        self.reached(&Step::Written(path.to_owned()), path)?;
        unsynced.file.sync_all().map_err(PublishError::io("force to disk", path))?;
        self.reached(&Step::Synced(path.to_owned()), path)?;
        Ok((unsynced.bytes, unsynced.sha256))
    }

    pub(super) fn reached(&mut self, step: &Step, path: &Path) -> Result<(), PublishError> {
        (self.observer)(step).map_err(PublishError::io("publish", path))
    }

    fn sweep(&self) -> Result<(), PublishError> {
        let (staging, pointer) = (self.out.join(STAGING), self.out.join(CURRENT_TEMPORARY));
        tolerate_absence(std::fs::remove_dir_all(&staging)).map_err(PublishError::io("sweep", &staging))?;
        tolerate_absence(std::fs::remove_file(&pointer)).map_err(PublishError::io("sweep", &pointer))
    }
}

fn tolerate_absence(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Forces a folder's entries to disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), PublishError> {
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(PublishError::io("force to disk", folder))
}
