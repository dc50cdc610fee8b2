//! What a published run was made from, as its manifest names it: laid out again in a scratch folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;

use super::error::RunError;
use super::job::Job;
use crate::config::ConfigError;
use crate::domain::Digest;
use crate::monitor::OfficerDecision;
use crate::offer::Override;
use crate::publish::{
    DECISIONS, DecidedByOfficers, InputArchive, InputFile, LogPosition, PreviousIdentity, PreviousRun, Prunings,
    PublishError, PublishedRun, runs_beside,
};

/// What the manifest names, laid out in a scratch folder so that nothing else is seen.
pub(super) struct Pinned<'a> {
    run: &'a PublishedRun,
    scratch: &'a Path,
}

impl<'a> Pinned<'a> {
    /// Of a run; `scratch` is an empty folder.
    pub const fn new(run: &'a PublishedRun, scratch: &'a Path) -> Self {
        Self { run, scratch }
    }

    pub fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    /// Where the night before lies, as an output folder.
    pub fn before(&self) -> PathBuf {
        self.scratch.join("before")
    }

    pub fn model_folder(&self) -> PathBuf {
        self.scratch.join("model")
    }

    /// Links to the raw files that were read, and states of them what their senders had: files that came later are not seen. A file that is not below `data` as
    /// it was read comes from the archive of the output folder. Returns how many did.
    pub fn inputs(&self, data: Option<&Path>, missing: &mut Vec<String>) -> Result<usize, RunError> {
        fs::create_dir_all(self.data()).map_err(io("make", &self.data()))?;
        let data = data.map(|data| std::path::absolute(data).map_err(io("find", data))).transpose()?;
        let archive = InputArchive::of(self.run.out());
        let prunings = Prunings::read(self.run.out()).unwrap_or_default();
        let mut archived = 0;
        for input in &self.run.manifest().inputs {
            let why = match &data {
                None => format!("input {}: no folder of raw files is named (--data)", input.name),
                Some(data) => match raw_file(data, input) {
                    Ok(path) => {
                        if let Ok(below) = path.strip_prefix(data) {
                            self.link_input(&path, below, input)?;
                        }
                        continue;
                    }
                    Err(why) => why,
                },
            };
            match archive.intact(input) {
                Ok(path) => {
                    self.link_input(&path, Path::new(&input.name), input)?;
                    archived += 1;
                }
                Err(and) if archive.exists() => {
                    let run = self.run.manifest().run_path();
                    let order = prunings.unarchived(&run, input.sha256);
                    let order = order.map_or(String::new(), |entry| {
                        format!(": prune removed it on {} by order of {}, as [archive] keep_last says; name a folder that has it with --data", entry.at, entry.by)
                    });
                    missing.push(format!("{why}; {and}{order}"));
                }
                Err(_) => missing.push(why),
            }
        }
        Ok(archived)
    }

    /// Links to a raw file that is as it was read, and states its digest where its sender had, whether or not the statement is still there.
    fn link_input(&self, path: &Path, below: &Path, input: &InputFile) -> Result<(), RunError> {
        let place = self.data().join(below);
        link(path, &place)?;
        if input.is_verified {
            let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let statement = place.with_file_name(format!("{name}.sha256"));
            fs::write(&statement, input.sha256.stated(&name)).map_err(io("write", &statement))?;
        }
        Ok(())
    }

    /// The model's files, as they were published with the run.
    pub fn model(&self, missing: &mut Vec<String>) -> Result<(), RunError> {
        fs::create_dir_all(self.model_folder()).map_err(io("make", &self.model_folder()))?;
        for file in &self.run.manifest().files {
            if let Some(name) = file.path.strip_prefix("model/")
                && let Some(path) = self.intact(&file.path, missing)?
            {
                link(&path, &self.model_folder().join(name))?;
            }
        }
        Ok(())
    }

    /// The run that it built on, under its own date, with the runs beside it and the answers given since.
    pub fn night_before(&self, missing: &mut Vec<String>) -> Result<(), RunError> {
        fs::create_dir_all(self.before()).map_err(io("make", &self.before()))?;
        self.logs(missing);
        if let Some(previous) = &self.run.manifest().previous {
            self.earlier_run(previous, &self.before(), "the night before", missing)?;
        }
        for beside in &self.run.manifest().beside {
            self.earlier_run(beside, &self.beside(), "a run beside the night before", missing)?;
        }
        Ok(())
    }

    /// A run that this one has read, under its own date in an output folder of its own.
    fn earlier_run(
        &self,
        wanted: &PreviousIdentity,
        out: &Path,
        what: &str,
        missing: &mut Vec<String>,
    ) -> Result<(), RunError> {
        fs::create_dir_all(out).map_err(io("make", out))?;
        let below = format!("as_of={}/run={}", wanted.as_of, wanted.run_id);
        if let Some(found) = self.published(wanted, what, missing) {
            link(&found.out().join(&below), &out.join(&below))?;
        }
        Ok(())
    }

    /// A run beside this one in its output folder, if it is still as it was.
    fn published(&self, wanted: &PreviousIdentity, what: &str, missing: &mut Vec<String>) -> Option<PublishedRun> {
        let below = format!("as_of={}/run={}", wanted.as_of, wanted.run_id);
        match PublishedRun::open(&self.run.out().join(&below)) {
            Ok(found) if found.identity() == *wanted => return Some(found),
            Ok(_) => missing.push(format!("{what}, {below}: it is not the run that was read")),
            Err(error) => missing.push(format!("{what}, {below}: {error}")),
        }
        None
    }

    /// Where runs beside the night before lie, as an output folder.
    fn beside(&self) -> PathBuf {
        self.scratch.join("beside")
    }

    /// Runs beside the night before, oldest first, as the manifest lists them: each was read on its own.
    pub fn runs_beside(&self) -> Result<Vec<PreviousRun>, PublishError> {
        runs_beside(&self.beside(), None, Date::MAX)
    }

    /// The logs of answers given by day and of officers' decisions, up to where the run knows them.
    fn logs(&self, missing: &mut Vec<String>) {
        let manifest = self.run.manifest();
        self.log(DECISIONS, manifest.answers_read(), "answers given by day", missing);
        self.log(Override::LOG, manifest.overrides_written(), "officers' decisions about credit", missing);
        self.log(OfficerDecision::LOG, manifest.alert_decisions_written(), "officers' decisions about alerts", missing);
    }

    fn log(&self, name: &str, known: LogPosition, what: &str, missing: &mut Vec<String>) {
        if known.bytes == 0 {
            return;
        }
        let (log, part) = (self.run.out().join(name), self.before().join(name));
        let copied = fs::File::open(&log).and_then(|file| {
            let mut part = fs::File::create(&part)?;
            std::io::copy(&mut std::io::Read::take(file, known.bytes), &mut part)
        });
        match copied {
            Ok(bytes) if bytes == known.bytes => {}
            Ok(_) => missing.push(format!("{what}, {}: it is shorter than it was", log.display())),
            Err(error) => missing.push(format!("{what}, {}: {error}", log.display())),
        }
    }

    /// The night that it restates, where it does.
    pub fn restated(&self, missing: &mut Vec<String>) -> Option<PublishedRun> {
        let night = self.run.manifest().restates.as_ref()?;
        self.published(&night.first, "the night that it restates", missing)
    }

    /// The job, from the copies of its configuration: the file in the job's own folder that gives the manifest's digest.
    pub fn job(&self, missing: &mut Vec<String>) -> Result<Option<Job>, RunError> {
        let copies = &self.run.manifest().config;
        // Files beside the job's folder are named from there with `..`.
        let depth = |source: &str| Path::new(source).components().filter(|c| *c == Component::ParentDir).count();
        let deepest = copies.iter().map(|copy| depth(&copy.source)).max().unwrap_or(0);
        let home = (0..deepest).fold(self.scratch.join("config"), |folder, _| folder.join("below"));
        let mut intact = true;
        for copy in copies {
            let Some(path) = self.intact(&copy.path, missing)? else {
                intact = false;
                continue;
            };
            link(&path, &tidy(&home.join(&copy.source)))?;
        }
        if !intact {
            return Ok(None);
        }
        let is_beside_the_job =
            |source: &str| !source.contains('/') && Path::new(source).extension().is_some_and(|kind| kind == "toml");
        let mut refused: Option<ConfigError> = None;
        for copy in copies.iter().filter(|copy| is_beside_the_job(&copy.source)) {
            match Job::open(&home.join(&copy.source)) {
                Ok(job) if job.digest == self.run.manifest().config_digest => return Ok(Some(job)),
                Ok(_) => {}
                Err(error) => refused = Some(error),
            }
        }
        let why = refused.map_or_else(String::new, |error| format!("; {error}"));
        missing.push(format!("the configuration: no copy in the run folder gives its digest{why}"));
        Ok(None)
    }

    /// One of the run's own files, or a line of what is missing.
    fn intact(&self, name: &str, missing: &mut Vec<String>) -> Result<Option<PathBuf>, RunError> {
        match self.run.file(name) {
            Ok(Some(path)) => Ok(Some(std::path::absolute(&path).map_err(io("find", &path))?)),
            Ok(None) => {
                missing.push(format!("{name}: the run folder has no such file"));
                Ok(None)
            }
            Err(error) if error.is_damage() => {
                missing.push(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A raw file below the data folder, if it is what was read; otherwise what it is.
fn raw_file(data: &Path, input: &InputFile) -> Result<PathBuf, String> {
    let path = data.join(&input.name);
    match Digest::of_file(&path) {
        Ok(found) if found == input.sha256 => Ok(path),
        Ok(found) => {
            let (found, read) = (found.short(), input.sha256.short());
            Err(format!("input {}: it has digest {found}, {read} was read", path.display()))
        }
        Err(e) => Err(format!("input {}: {e}", path.display())),
    }
}

/// `a/b/../c` as `a/c`.
fn tidy(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut tidied, part| {
        if part == Component::ParentDir {
            tidied.pop();
        } else {
            tidied.push(part);
        }
        tidied
    })
}

/// A link to a file or folder, with the folders above it.
fn link(from: &Path, to: &Path) -> Result<(), RunError> {
    let from = &std::path::absolute(from).map_err(io("find", from))?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(io("make", parent))?;
    }
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(from, to).map_err(io("link", to))?;
    #[cfg(windows)]
    if from.is_dir() {
        std::os::windows::fs::symlink_dir(from, to).map_err(io("link", to))?;
    } else {
        std::os::windows::fs::symlink_file(from, to).map_err(io("link", to))?;
    }
    Ok(())
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Io { action, path, source }
}
