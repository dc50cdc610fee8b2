//! The runs that lie in an output folder: which one a business date stands by, which one is the newest, and what the night before left.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::current::{CURRENT, Current};
use super::error::PublishError;
use super::manifest::{MANIFEST, Manifest, RunIdentity, date_folder};
use super::pointings::{POINTINGS, Pointings};
use super::prunings::Prunings;
use crate::domain::Digest;

/// The night before, as the manifest and the identity of tonight's run name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousIdentity {
    /// Names the run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Digest of its list of files with their digests: unlike the manifest's own digest it knows nothing of the clock.
    pub files_sha256: Digest,
}

/// The newest intact run before a date: what tonight builds on.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviousRun {
    /// The run folder.
    pub run_dir: PathBuf,
    /// Names the run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Digest of its manifest.
    pub manifest_sha256: Digest,
    /// Later runs before the date, below the output folder, that could not be used since their manifest is broken; newest first.
    pub passed_over: Vec<String>,
    manifest: Manifest,
}

impl PreviousRun {
    pub(super) fn of(out: &Path, IntactRun { pointer, manifest }: IntactRun, passed_over: Vec<String>) -> Self {
        Self {
            run_dir: out.join(&pointer.run),
            run_id: pointer.run_id,
            as_of: pointer.as_of,
            manifest_sha256: pointer.manifest_sha256,
            passed_over,
            manifest,
        }
    }

    /// What stands for it in tonight's identity.
    #[must_use]
    pub fn identity(&self) -> PreviousIdentity {
        PreviousIdentity { run_id: self.run_id.clone(), as_of: self.as_of, files_sha256: self.manifest.files_digest() }
    }

    /// Whether it is tonight's run, published before: what was published beside it since, itself included, is no part of it.
    #[must_use]
    pub fn is_run_of(&self, tonight: &RunIdentity) -> bool {
        RunIdentity { beside: self.manifest.beside.clone(), ..tonight.clone() }.run_id() == self.run_id
    }

    /// Its manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// When its last file was ready.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.manifest.finished_at.parse().ok()
    }

    /// The path of one of its files, its bytes checked against the manifest; `None` where the run published no such file.
    ///
    /// # Errors
    /// The file is missing, or is not what was published.
    pub fn file(&self, name: &str) -> Result<Option<PathBuf>, PublishError> {
        let Some(entry) = self.manifest.file(name) else { return Ok(None) };
        let path = self.run_dir.join(name);
        let found = Digest::of_file(&path).map_err(PublishError::published_file("read", &path))?;
        if found == entry.sha256 {
            Ok(Some(path))
        } else {
            Err(PublishError::DigestMismatch { path, expected: entry.sha256, found })
        }
    }

    /// One of its JSON files, its bytes checked; `None` where the run published no such file.
    ///
    /// # Errors
    /// As [`PreviousRun::file`], or the file is not what it should be.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, PublishError> {
        let Some(path) = self.file(name)? else { return Ok(None) };
        let bytes = std::fs::read(&path).map_err(PublishError::published_file("read", &path))?;
        serde_json::from_slice(&bytes).map(Some).map_err(|e| PublishError::malformed(&path, e.to_string()))
    }
}

/// The run that the loan service reads; `None` where nothing was ever published.
///
/// # Errors
/// It is damaged.
pub fn current_run(out: &Path) -> Result<Option<PreviousRun>, PublishError> {
    Ok(serving(out)?.map(|serving| PreviousRun::of(out, serving.run, Vec::new())))
}

/// The newest intact run whose business date is strictly before `before`; `None` where there never was one.
///
/// Each business date stands by the run that its own pointer names. A run whose manifest is broken is passed over and named; a run that a
/// person withdrew (`integrity point`) does not count.
///
/// # Errors
/// The run that the date before stood by was pruned: what lies before it does not know what that night offered. Or runs lie there, but not one of them is intact: what the nights before offered and pledged is then not known.
pub fn previous_run(out: &Path, before: Date) -> Result<Option<PreviousRun>, PublishError> {
    let mut passed_over = Vec::new();
    let found = newest_run(out, |date| date < before, &mut passed_over)?;
    if let Some(removed) = pruned_between(out, found.as_ref().map(|run| run.pointer.as_of), before)? {
        return Err(PublishError::NightBeforePruned { before, removed });
    }
    match found {
        Some(run) => Ok(Some(PreviousRun::of(out, run, passed_over))),
        None if passed_over.is_empty() => Ok(None),
        None => Err(PublishError::NoIntactRun { out: out.to_owned(), passed_over }),
    }
}

/// The newest run between two nights that a date stood by when it was pruned, and that is gone.
fn pruned_between(out: &Path, after: Option<Date>, before: Date) -> Result<Option<String>, PublishError> {
    let (pointings, prunings) = (Pointings::read(out)?, Prunings::read(out)?);
    let withdrawn = pointings.withdrawn();
    let stood = prunings.gone(out).into_values().map(|(run, _)| run).filter(|run| {
        run.state.stands()
            && run.as_of < before
            && after.is_none_or(|after| run.as_of > after)
            && !withdrawn.contains(run.run.as_str())
    });
    Ok(stood.max_by_key(|run| run.as_of).map(|run| run.run.clone()))
}

/// The intact run that a business date stands by; `None` where there is none, or a person withdrew it. Tonight is held against it where the
/// date is run again, but does not build on it.
///
/// # Errors
/// The operating system refuses, or the log of withdrawals is damaged.
pub fn standing_run(out: &Path, as_of: Date) -> Result<Option<PreviousRun>, PublishError> {
    let found = newest_run(out, |date| date == as_of, &mut Vec::new())?;
    Ok(found.map(|run| PreviousRun::of(out, run, Vec::new())))
}

/// Business dates by which an intact run stands that nobody withdrew, ascending.
///
/// # Errors
/// The operating system refuses, or the log of withdrawals is damaged.
pub fn standing_dates(out: &Path) -> Result<Vec<Date>, PublishError> {
    let mut standing = Vec::new();
    for as_of in dates(out)? {
        if newest_run(out, |date| date == as_of, &mut Vec::new())?.is_some() {
            standing.push(as_of);
        }
    }
    Ok(standing)
}

/// Runs beside the night before, oldest first: of tonight's date or of a day between, and those of the night before's own date, or withdrawn by a person, that were
/// published since it began. Each may have been current for an hour, and what it offered may have been drawn. Those that the night before has read itself are not among
/// them; of a later date than its own it has read none, whenever they were published: an older night may have been run again after them.
///
/// # Errors
/// The operating system refuses, or the log of withdrawals is damaged.
pub fn runs_beside(
    out: &Path,
    previous: Option<&PreviousRun>,
    tonight: Date,
) -> Result<Vec<PreviousRun>, PublishError> {
    let pointings = Pointings::read(out)?;
    let withdrawn = pointings.withdrawn();
    let began: Option<Timestamp> = previous.and_then(|run| run.manifest.started_at.parse().ok());
    let mut beside: Vec<(Timestamp, PreviousRun)> = Vec::new();
    for as_of in dates(out)?.into_iter().filter(|as_of| previous.is_none_or(|run| run.as_of <= *as_of)) {
        for folder in run_folders(out, as_of)? {
            if as_of > tonight && !withdrawn.contains(folder.as_str()) {
                continue;
            }
            // Of a run whose manifest is damaged nobody could have read what it offers since.
            let Some((finished, found)) = unless_broken(read_run(out, &folder), &folder, &mut Vec::new())? else {
                continue;
            };
            // What a restatement holds was offered to nobody.
            if found.manifest.restates.is_some() {
                continue;
            }
            let run = PreviousRun::of(out, found, Vec::new());
            let is_read = previous.is_some_and(|previous| {
                previous.run_id == run.run_id
                    || previous.manifest.beside.iter().any(|read| read.run_id == run.run_id && read.as_of == run.as_of)
            });
            let is_later = previous.is_some_and(|previous| run.as_of > previous.as_of);
            if !is_read && (is_later || began.is_none_or(|began| finished >= began)) {
                beside.push((finished, run));
            }
        }
    }
    beside.sort_by(|(a, x), (b, y)| (a, &x.run_id).cmp(&(b, &y.run_id)));
    Ok(beside.into_iter().map(|(_, run)| run).collect())
}

/// A run by its folder, whichever its date stands by.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedRun {
    out: PathBuf,
    run: PreviousRun,
}

impl PublishedRun {
    /// Opens the run in `run_dir`, `<out>/as_of=…/run=…`.
    ///
    /// # Errors
    /// No run lies there, or its manifest is not the one that the folder vouches for.
    pub fn open(run_dir: &Path) -> Result<Self, PublishError> {
        let absolute = std::path::absolute(run_dir).map_err(PublishError::io("find", run_dir))?;
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let date = absolute.parent();
        let (Some(run), Some(of_date), Some(out)) = (name(&absolute), date.and_then(name), date.and_then(Path::parent))
        else {
            return Err(PublishError::NothingPublished(run_dir.to_owned()));
        };
        if let Some(pruned) = Prunings::read(out)?.refusal(out, &format!("{of_date}/{run}")) {
            return Err(pruned);
        }
        if let (false, Some(Ok(as_of))) = (out.join(&of_date).is_dir(), of_date.strip_prefix("as_of=").map(str::parse))
        {
            return Err(Prunings::no_run_of(out, as_of));
        }
        let (_, found) = read_run(out, &format!("{of_date}/{run}"))?;
        Ok(Self { out: out.to_owned(), run: PreviousRun::of(out, found, Vec::new()) })
    }

    /// The output folder.
    #[must_use]
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Its manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.run.manifest()
    }

    /// What stands for it in the identity of a run that builds on it.
    #[must_use]
    pub fn identity(&self) -> PreviousIdentity {
        self.run.identity()
    }

    /// See [`PreviousRun::file`].
    ///
    /// # Errors
    /// The file is missing, or is not what was published.
    pub fn file(&self, name: &str) -> Result<Option<PathBuf>, PublishError> {
        self.run.file(name)
    }
}

/// A run whose manifest holds, and the pointer that names it.
pub(super) struct IntactRun {
    pub(super) pointer: Current,
    pub(super) manifest: Manifest,
}

/// What the loan service reads.
pub(super) struct Serving {
    pub(super) run: IntactRun,
    /// What is wrong with the pointer, and what is read instead.
    pub(super) note: Option<String>,
}

/// The run that `current.json` points to. Where that file is damaged or lost, the newest intact run; where it names a run that a person
/// withdrew, the run that was set current instead. `None` where nothing was ever published.
pub(super) fn serving(out: &Path) -> Result<Option<Serving>, PublishError> {
    let pointer = match Current::read(out) {
        Ok(Some(pointer)) => pointer,
        Ok(None) if no_date_points(out)? => return Ok(None),
        Ok(None) => return instead_of_pointer(out, "is missing").map(Some),
        Err(PublishError::Malformed { why, .. }) => {
            return instead_of_pointer(out, &format!("is damaged ({why})")).map(Some);
        }
        Err(other) => return Err(other),
    };
    let (pointings, log_note) = match Pointings::read(out) {
        Ok(pointings) => (pointings, None),
        // The loan service goes on reading what is current; a run of the job stops.
        Err(error) if error.is_damage() => {
            (Pointings::default(), Some(format!("which runs are withdrawn is not known: failed to {error}")))
        }
        Err(error) => return Err(error),
    };
    let withdrawal = pointings.withdrawal(&pointer.run);
    if let Some((entry, last)) = withdrawal.zip(pointings.entries.last()) {
        let note = format!(
            "{CURRENT} still names {}, which was withdrawn at {} by {}; {} is used, as {POINTINGS} says",
            pointer.run, entry.at, entry.by, last.to
        );
        let (_, run) = read_run(out, &last.to)?;
        return Ok(Some(Serving { run, note: Some(note) }));
    }
    match pointer.manifest(out) {
        Ok(manifest) if manifest.restates.is_some() => {
            instead_of_pointer(out, &format!("is damaged ({})", names_restatement(&pointer))).map(Some)
        }
        Ok(manifest) => Ok(Some(Serving { run: IntactRun { pointer, manifest }, note: log_note })),
        // Where the run vouches for itself, it is the pointer that is wrong.
        Err(error) if error.is_damage() && read_run(out, &pointer.run).is_ok() => {
            instead_of_pointer(out, "is damaged (it vouches for another manifest than its run does)").map(Some)
        }
        Err(error) if error.is_damage() => match not_to_be_named(out, &pointer)? {
            Some(why) => instead_of_pointer(out, &format!("is damaged ({why})")).map(Some),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// What is wrong with a pointer to a restatement, as no program writes one.
fn names_restatement(pointer: &Current) -> String {
    format!("it names {}, a restatement, whose offers were made to nobody", pointer.run)
}

/// Why no program can have written a pointer to this run: it is a restatement, or nothing but the pointer knows of it, no folder, not its date's
/// own pointer, not the log of what was pruned. A run that was there and is lost is another matter: an older night must not take its place.
pub(super) fn not_to_be_named(out: &Path, pointer: &Current) -> Result<Option<String>, PublishError> {
    let run = &pointer.run;
    match pointer.manifest(out) {
        Ok(manifest) => return Ok(manifest.restates.is_some().then(|| names_restatement(pointer))),
        Err(error) if error.is_damage() => {}
        Err(error) => return Err(error),
    }
    if out.join(run).exists() || Prunings::read(out)?.refusal(out, run).is_some() {
        return Ok(None);
    }
    let is_known_to_date = match Current::read_of_date(out, pointer.as_of) {
        Ok(of_date) => of_date.is_some_and(|of_date| of_date.run == *run),
        Err(PublishError::Malformed { .. }) => false,
        Err(other) => return Err(other),
    };
    Ok((!is_known_to_date).then(|| format!("it names {run}, which no run ever was")))
}

fn instead_of_pointer(out: &Path, what: &str) -> Result<Serving, PublishError> {
    let mut broken = Vec::new();
    let Some(run) = newest_run(out, |_| true, &mut broken)? else {
        let why = format!("it {what}, and no intact run lies below the folder");
        return Err(PublishError::malformed(&out.join(CURRENT), why));
    };
    let mut note = format!("{CURRENT} {what}; the newest intact run, {}, is used", run.pointer.run);
    if !broken.is_empty() {
        note.push_str("; passed over, since their manifests are damaged: ");
        note.push_str(&broken.join(", "));
    }
    Ok(Serving { run, note: Some(note) })
}

fn no_date_points(out: &Path) -> Result<bool, PublishError> {
    Ok(!dates(out)?.into_iter().any(|as_of| out.join(date_folder(as_of)).join(CURRENT).exists()))
}

/// The newest intact run that nobody withdrew, among business dates that `wanted` accepts. Broken runs that stand before it are named.
pub(super) fn newest_run(
    out: &Path,
    wanted: impl Fn(Date) -> bool,
    broken: &mut Vec<String>,
) -> Result<Option<IntactRun>, PublishError> {
    let pointings = Pointings::read(out)?;
    let withdrawn = pointings.withdrawn();
    for as_of in dates(out)?.into_iter().rev().filter(|date| wanted(*date)) {
        let mut broken_of_date = Vec::new();
        let found = run_of_date(out, as_of, &mut broken_of_date)?;
        broken.extend(broken_of_date.into_iter().filter(|run| !withdrawn.contains(run.as_str())));
        match found {
            Some(run) if !withdrawn.contains(run.pointer.run.as_str()) => return Ok(Some(run)),
            _ => {}
        }
    }
    Ok(None)
}

/// The run that a business date stands by: the one its pointer names, or, where that is lost or names a restatement, the intact one that finished
/// last.
pub(super) fn run_of_date(
    out: &Path,
    as_of: Date,
    broken: &mut Vec<String>,
) -> Result<Option<IntactRun>, PublishError> {
    match Current::read_of_date(out, as_of) {
        Ok(Some(pointer)) => match unless_broken(pointer.manifest(out), &pointer.run, broken)? {
            Some(manifest) if manifest.restates.is_some() => {}
            manifest => return Ok(manifest.map(|manifest| IntactRun { pointer, manifest })),
        },
        Ok(None) | Err(PublishError::Malformed { .. }) => {}
        Err(other) => return Err(other),
    }
    let mut latest: Option<(Timestamp, IntactRun)> = None;
    for run in run_folders(out, as_of)? {
        let Some(found) = unless_broken(read_run(out, &run), &run, broken)? else { continue };
        if found.1.manifest.restates.is_some() {
            continue;
        }
        let is_later =
            latest.as_ref().is_none_or(|(at, last)| (*at, &last.pointer.run_id) < (found.0, &found.1.pointer.run_id));
        if is_later {
            latest = Some(found);
        }
    }
    Ok(latest.map(|(_, run)| run))
}

/// A run by the digest that its own folder keeps of its manifest, and when it finished.
pub(super) fn read_run(out: &Path, run: &str) -> Result<(Timestamp, IntactRun), PublishError> {
    let folder = out.join(run);
    let digest = Manifest::own_digest(&folder)?;
    let manifest = Manifest::read(&folder, digest)?;
    let path = folder.join(MANIFEST);
    if manifest.run_path() != run {
        return Err(PublishError::malformed(&path, format!("it is the manifest of {}", manifest.run_path())));
    }
    let finished =
        manifest.finished_at.parse().map_err(|e: jiff::Error| PublishError::malformed(&path, e.to_string()))?;
    Ok((finished, IntactRun { pointer: Current::to(&manifest, digest), manifest }))
}

/// What is broken on disk is named and passed over; what the operating system refuses is an error.
fn unless_broken<T>(
    result: Result<T, PublishError>,
    run: &str,
    broken: &mut Vec<String>,
) -> Result<Option<T>, PublishError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_damage() => {
            tracing::debug!(run, %error, "passed over");
            broken.push(run.to_owned());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Business dates that have a folder, ascending.
pub(super) fn dates(out: &Path) -> Result<Vec<Date>, PublishError> {
    let mut dates: Vec<Date> =
        names_in(out)?.iter().filter_map(|name| name.strip_prefix("as_of=")?.parse().ok()).collect();
    dates.sort_unstable();
    Ok(dates)
}

/// Run folders of a business date, below the output folder, sorted.
pub(super) fn run_folders(out: &Path, as_of: Date) -> Result<Vec<String>, PublishError> {
    let date = date_folder(as_of);
    let names = names_in(&out.join(&date))?;
    let mut runs: Vec<String> =
        names.iter().filter(|name| name.starts_with("run=")).map(|name| format!("{date}/{name}")).collect();
    runs.sort_unstable();
    Ok(runs)
}

/// Names in a folder; none where it is not there.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, PublishError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(PublishError::io("list", folder)(e)),
    };
    entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .map_err(PublishError::io("list", folder))
}
