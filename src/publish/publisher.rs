//! Publishes a run so that a reader sees the old complete one or the new complete one, and nothing else, ever.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::archive::{ARCHIVE, ARCHIVE_TEMPORARY};
use super::current::{CURRENT, CURRENT_TEMPORARY, Current};
use super::digest_file::DigestFile;
use super::durable::{make_folder, sync_folder};
use super::error::PublishError;
use super::history::{self, Serving};
use super::lock::OutLock;
use super::manifest::{Manifest, Published, RunIdentity, date_folder};
use super::pointings::{POINTINGS, POINTINGS_TEMPORARY, PointingEntry, Pointings};
use super::prunings::{PRUNINGS_TEMPORARY, Prunings};
use super::stage::{STAGING, Stage};
use super::step::{Observer, Step};
use super::verify::inspect_run;
use crate::domain::Digest;

/// A store that a killed run was building.
const BUILDING_STORE: &str = "store.building";
/// Why a restatement is not current.
const RESTATES: &str = "it restates a night, and nobody was offered what it holds";
/// Runs named where the one asked for is not there.
const KNOWN_RUNS_SHOWN: usize = 5;

/// Which runs `current.json` may be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointing {
    /// Never to an older business date: a late re-run of last month must not serve last month's credit. Such a run is
    /// published beside the current one.
    Forward,
    /// To whatever was published last.
    Always,
    /// Never, and no date stands by the run: a restatement, whose offers were never made to anybody.
    Beside,
}

/// How a run starts.
#[must_use]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
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
/// | [`Step::FolderMade`], [`Step::Swept`] | nothing new | the old run | nothing |
/// | [`Step::Begun`] | an empty staging folder | the old run | sweeps it |
/// | [`Step::Written`] in staging | whole or torn files there | the old run | sweeps them |
/// | [`Step::Synced`] in staging, manifest included | the same | the old run | sweeps them |
/// | [`Step::FoldersSynced`] | a complete staged run | the old run | sweeps it, runs again |
/// | [`Step::DateFolder`] | and an empty folder of the date | the old run | sweeps both |
/// | [`Step::Renamed`] | a complete run that nothing points to | the old run | verifies it, points to it |
/// | [`Step::RenameSynced`] | the same | the old run | the same |
/// | [`Step::Written`], [`Step::Synced`] of a new pointer | and a hidden, perhaps torn file | the old run | the same |
/// | [`Step::DatePointed`] | the date stands by the new run | the old run, or by date the new one | the same |
/// | [`Step::Pointed`] | the new run, pointed to | the new run; the old one if power failed as well | nothing, or points again |
/// | [`Step::PointerSynced`] | the same, on disk | the new run | nothing |
///
/// A power failure may also undo what was done since the last force to disk. Every rename comes after all that it makes
/// visible is forced, so that the table holds for it too.
pub struct Publisher<'o> {
    out: PathBuf,
    observer: Observer<'o>,
    mended: Option<String>,
    _lock: OutLock,
}

/// A run that a person set current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repointing {
    /// The run that is current now.
    pub published: Published,
    /// The line of the log; `None` where the run was current already.
    pub entry: Option<PointingEntry>,
}

/// Who sets a run current, when and why: the caller's clock and environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointingOrder {
    /// The run's id.
    pub run_id: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl<'o> Publisher<'o> {
    /// Locks the output folder, made if need be, sweeps what killed runs left behind, and mends a pointer that was damaged.
    ///
    /// # Errors
    /// It is not a folder, another process publishes there, or the operating system refuses.
    pub fn open(out: &Path) -> Result<Self, PublishError> {
        Self::open_observed(out, Box::new(|_| Ok(())))
    }

    /// As [`Publisher::open`], for a person who is about to set a run current: that the current one is damaged or lost is what they are here
    /// for, and stops nothing.
    ///
    /// # Errors
    /// As [`Publisher::open`], but for damage of the current run.
    pub fn open_to_point(out: &Path) -> Result<Self, PublishError> {
        let mut publisher = Self::open_unmended(out, Box::new(|_| Ok(())))?;
        match publisher.mend() {
            Err(error) if !error.is_damage() => Err(error),
            _ => Ok(publisher),
        }
    }

    /// As [`Publisher::open`], telling `observer` of every step.
    ///
    /// # Errors
    /// As [`Publisher::open`], and whatever the observer raises.
    pub fn open_observed(out: &Path, observer: Observer<'o>) -> Result<Self, PublishError> {
        let mut publisher = Self::open_unmended(out, observer)?;
        publisher.mend()?;
        Ok(publisher)
    }

    fn open_unmended(out: &Path, mut observer: Observer<'o>) -> Result<Self, PublishError> {
        for made in make_folder(out)? {
            observer(&Step::FolderMade(made.clone())).map_err(PublishError::io("publish", &made))?;
        }
        let lock = OutLock::take(out)?;
        let mut publisher = Self { out: out.to_owned(), observer, mended: None, _lock: lock };
        publisher.sweep()?;
        publisher.reached(&Step::Swept, out)?;
        Ok(publisher)
    }

    /// The output folder.
    #[must_use]
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// What was wrong with the pointer, and which run it was set to.
    #[must_use]
    pub fn mended(&self) -> Option<&str> {
        self.mended.as_deref()
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
        let target = self.intact(run)?;
        if let Some(entry) = Pointings::read(&self.out)?.withdrawal(&target.run) {
            let why = format!("it was withdrawn at {} by {}: {}", entry.at, entry.by, entry.reason);
            return Ok(Begun::NothingNew(target.beside(&self.out, why)));
        }
        if pointing == Pointing::Beside {
            return Ok(Begun::NothingNew(target.beside(&self.out, RESTATES.to_owned())));
        }
        if self.current()?.as_ref() == Some(&target) {
            self.point_date(&target)?;
            return Ok(Begun::NothingNew(target.published(&self.out)));
        }
        let published = self.point(&target, pointing)?;
        Ok(if published.is_current { Begun::Repointed(published) } else { Begun::NothingNew(published) })
    }

    /// The pointer to a run folder whose every file is as it was published.
    fn intact(&self, run: &Path) -> Result<Current, PublishError> {
        let report = inspect_run(&self.out, run, None)?;
        if let Some(first) = report.findings.first() {
            let (findings, first) = (report.findings.len(), first.to_string());
            return Err(PublishError::Damaged { run: run.to_owned(), findings, first });
        }
        let digest = Manifest::own_digest(run)?;
        Ok(Current::to(&Manifest::read(run, digest)?, digest))
    }

    /// Sets the current run to one that is published, back or forward, and logs it. What is published later than the target is withdrawn:
    /// it is not found again where a pointer is lost, and the next night does not build on it.
    ///
    /// The log is written first. A process killed between the log and the pointer leaves a pointer to a withdrawn run, which readers
    /// do not follow and the next start mends.
    ///
    /// # Errors
    /// No such run, it is damaged, or the operating system refuses.
    pub fn repoint(&mut self, order: &PointingOrder) -> Result<Repointing, PublishError> {
        let run = self.find(&order.run_id)?;
        let target = self.intact(&self.out.join(&run))?;
        if let Some(restated) = history::read_run(&self.out, &run)?.1.manifest.restates {
            return Err(PublishError::IsRestatement { run: self.out.join(&run), first: restated.first.run_id });
        }
        let from = match self.current() {
            // Nobody can say what it named.
            Err(PublishError::Malformed { .. }) => None,
            found => found?,
        };
        if from.as_ref() == Some(&target) {
            return Ok(Repointing { published: target.published(&self.out), entry: None });
        }
        let mut log = Pointings::read(&self.out)?;
        let withdrawn = self.later_than(&target, from.as_ref(), &log)?;
        let entry = PointingEntry {
            at: order.at.to_string(),
            from: from.map(|current| current.run),
            to: target.run.clone(),
            reason: order.reason.clone(),
            by: order.by.clone(),
            withdrawn,
        };
        log.entries.push(entry.clone());
        let path = self.out.join(POINTINGS);
        self.replace(&self.out.join(POINTINGS_TEMPORARY), &path, &log.to_bytes(&path)?, &Step::Logged)?;
        sync_folder(&self.out)?;
        let published = self.point(&target, Pointing::Always)?;
        Ok(Repointing { published, entry: Some(entry) })
    }

    /// Runs that a step to `target` takes out of use: those of later business dates, and the run that its own date stood by.
    fn later_than(
        &self,
        target: &Current,
        from: Option<&Current>,
        log: &Pointings,
    ) -> Result<Vec<String>, PublishError> {
        let already = log.withdrawn();
        let of_date = history::run_of_date(&self.out, target.as_of, &mut Vec::new())?.map(|run| run.pointer.run);
        let from = from.filter(|from| from.as_of == target.as_of).map(|from| from.run.clone());
        let replaced: BTreeSet<String> = from.into_iter().chain(of_date).filter(|run| *run != target.run).collect();
        let mut withdrawn: Vec<String> = replaced.into_iter().collect();
        for as_of in history::dates(&self.out)?.into_iter().filter(|date| *date > target.as_of) {
            let mut of_date: BTreeSet<String> = history::run_folders(&self.out, as_of)?.into_iter().collect();
            // A run that was lost has no folder any more; its date still names it.
            match Current::read_of_date(&self.out, as_of) {
                Err(PublishError::Malformed { .. }) => {}
                named => of_date.extend(named?.map(|pointer| pointer.run)),
            }
            withdrawn.extend(of_date);
        }
        // A later night that was pruned is not there to be read, but nights after the target must not miss it.
        let prunings = Prunings::read(&self.out)?;
        let gone = prunings.gone(&self.out).into_values().map(|(run, _)| run);
        withdrawn.extend(gone.filter(|run| run.as_of > target.as_of).map(|run| run.run.clone()));
        withdrawn.retain(|run| !already.contains(run.as_str()));
        Ok(withdrawn)
    }

    fn find(&self, run_id: &str) -> Result<String, PublishError> {
        let wanted = format!("run={run_id}");
        let mut known = Vec::new();
        for as_of in history::dates(&self.out)?.into_iter().rev() {
            for run in history::run_folders(&self.out, as_of)? {
                if run.rsplit('/').next() == Some(wanted.as_str()) {
                    return Ok(run);
                }
                known.push(run);
            }
        }
        let prunings = Prunings::read(&self.out)?;
        let pruned = prunings.gone(&self.out).into_keys().find(|run| run.rsplit('/').next() == Some(wanted.as_str()));
        if let Some(pruned) = pruned.and_then(|run| prunings.refusal(&self.out, run)) {
            return Err(pruned);
        }
        known.truncate(KNOWN_RUNS_SHOWN);
        Err(PublishError::UnknownRun { out: self.out.clone(), run_id: run_id.to_owned(), known })
    }

    /// Lets the business date stand by this run, and the loan service read it unless that would go back in time and may not.
    pub(super) fn point(&mut self, target: &Current, pointing: Pointing) -> Result<Published, PublishError> {
        if pointing == Pointing::Beside {
            return Ok(target.beside(&self.out, RESTATES.to_owned()));
        }
        self.point_date(target)?;
        if pointing == Pointing::Forward
            && let Some(newer) = self.current()?.filter(|current| current.as_of > target.as_of)
        {
            let why = format!("the run of {}, a later business date, is current", newer.as_of);
            return Ok(target.beside(&self.out, why));
        }
        let pointer = self.out.join(CURRENT);
        self.replace(&self.out.join(CURRENT_TEMPORARY), &pointer, &target.to_bytes(&pointer)?, &Step::Pointed)?;
        sync_folder(&self.out)?;
        self.reached(&Step::PointerSynced, &pointer)?;
        Ok(target.published(&self.out))
    }

    fn point_date(&mut self, target: &Current) -> Result<(), PublishError> {
        let stands = match Current::read_of_date(&self.out, target.as_of) {
            Err(PublishError::Malformed { .. }) => None,
            other => other?,
        };
        if stands.as_ref() == Some(target) {
            return Ok(());
        }
        let date = self.out.join(date_folder(target.as_of));
        let pointer = date.join(CURRENT);
        self.replace(&date.join(CURRENT_TEMPORARY), &pointer, &target.to_bytes(&pointer)?, &Step::DatePointed)?;
        sync_folder(&date)
    }

    /// Writes a file beside another, forces it to disk and puts it in the other's place.
    pub(super) fn replace(&mut self, new: &Path, path: &Path, bytes: &[u8], step: &Step) -> Result<(), PublishError> {
        self.write_synced(new, bytes)?;
        std::fs::rename(new, path).map_err(PublishError::io("replace", path))?;
        self.reached(step, path)
    }

    /// What is current; a pointer was mended when the folder was opened.
    fn current(&self) -> Result<Option<Current>, PublishError> {
        Current::read(&self.out)
    }

    /// A damaged or lost pointer is set to the newest intact run; a pointing by hand that a kill interrupted is finished.
    fn mend(&mut self) -> Result<(), PublishError> {
        let Some(Serving { run, note: Some(note) }) = history::serving(&self.out)? else { return Ok(()) };
        self.point(&run.pointer, Pointing::Always)?;
        self.mended = Some(note);
        Ok(())
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

    /// Removes what killed processes left: staged runs, half-written pointers, half-built stores, folders of dates without a run.
    fn sweep(&self) -> Result<(), PublishError> {
        for folder in [STAGING, BUILDING_STORE] {
            let folder = self.out.join(folder);
            tolerate(io::ErrorKind::NotFound, std::fs::remove_dir_all(&folder))
                .map_err(PublishError::io("sweep", &folder))?;
        }
        let hidden = |folder: &Path, name: &str| {
            let file = folder.join(name);
            tolerate(io::ErrorKind::NotFound, std::fs::remove_file(&file)).map_err(PublishError::io("sweep", &file))
        };
        hidden(&self.out, CURRENT_TEMPORARY)?;
        hidden(&self.out, POINTINGS_TEMPORARY)?;
        hidden(&self.out, PRUNINGS_TEMPORARY)?;
        hidden(&self.out.join(ARCHIVE), ARCHIVE_TEMPORARY)?;
        for as_of in history::dates(&self.out)? {
            let date = self.out.join(date_folder(as_of));
            hidden(&date, CURRENT_TEMPORARY)?;
            tolerate(io::ErrorKind::DirectoryNotEmpty, std::fs::remove_dir(&date))
                .map_err(PublishError::io("sweep", &date))?;
        }
        Ok(())
    }
}

fn tolerate(kind: io::ErrorKind, result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == kind => Ok(()),
        other => other,
    }
}
