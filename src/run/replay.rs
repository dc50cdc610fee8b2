//! Proves a published run: made again from the inputs, configuration and model that its manifest names, it is the same byte for byte.

use std::fs;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use super::as_of::AsOfRule;
use super::job::Job;
use super::nightly::{Night, RunError, RunOptions, check_model, identity, prepare, with_options};
use super::progress::Progress;
use super::rules::JobRules;
use super::scratch::Scratch;
use super::stages::StageClock;
use crate::config::ConfigError;
use crate::domain::Digest;
use crate::model::registry::load_folder;
use crate::publish::{
    Begun, DECISIONS, Manifest, Pointing, PreviousIdentity, PublishError, PublishedRun, Publisher, runs_beside,
};

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// The run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Whether every published file was made again, byte for byte.
    pub is_proven: bool,
    /// What the run was made from and is not there as it was: the run was not made again.
    pub missing: Vec<String>,
    /// Published files that came out otherwise, and what else differs.
    pub differs: Vec<String>,
    /// Files that came out the same.
    pub equal_files: usize,
}

/// Makes the published run in `run_dir` again, in a scratch folder, from raw files below `options.data`, and compares. Nothing is published.
///
/// # Errors
/// There is no run, its manifest is damaged, or what stopped the night when it was made again.
pub fn replay_run(run_dir: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<ReplayReport, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    let run = PublishedRun::open(run_dir)?;
    let manifest = run.manifest();
    let mut report = ReplayReport {
        run_id: manifest.run_id.clone(),
        as_of: manifest.as_of,
        is_proven: false,
        missing: Vec::new(),
        differs: Vec::new(),
        equal_files: 0,
    };
    let scratch = Scratch::new()?;
    let pinned = Pinned { run: &run, scratch: scratch.path() };
    if manifest.code_version != options.code_version {
        report.missing.push(format!("program {}: this is {}", manifest.code_version, options.code_version));
    }
    pinned.inputs(options.data.as_deref(), &mut report.missing)?;
    pinned.model(&mut report.missing)?;
    pinned.night_before(&mut report.missing)?;
    let job = pinned.job(&mut report.missing)?;
    let (Some(job), true) = (job, report.missing.is_empty()) else { return Ok(report) };

    let again = RunOptions {
        as_of: Some(AsOfRule::Day(manifest.as_of)),
        force_as_of: manifest.as_of_forced.clone(),
        data: Some(pinned.data()),
        data_root: None,
        out: Some(pinned.before()),
        ..options.clone()
    };
    let job = with_options(job, &again);
    let rules = JobRules::open(&job)?;
    let mut tables = prepare(&job, &rules, &again, &scratch.path().join("store"), None, progress)?;
    tables.chosen.is_guess = manifest.as_of_guessed;
    // Oldest first, as the manifest lists them: each was read on its own.
    tables.beside = runs_beside(&pinned.beside(), None, Date::MAX)?;
    tables.judged.stop_on_faults()?;
    let (bundle, reference) = check_model(&rules, load_folder(&pinned.model_folder())?, progress)?;
    let identity = identity(&job, &tables, &bundle, &again)?;
    if identity.run_id() != manifest.run_id {
        report.differs.push(format!("what it is made from gives run {}", identity.run_id()));
    }
    let mut publisher = Publisher::open(&scratch.path().join("out"))?;
    let made = match publisher.begin(identity, Pointing::Always)? {
        Begun::Stage(stage) => {
            let night = Night { job: &job, rules: &rules, tables: &tables, bundle: &bundle, reference: &reference };
            night.decide_and_publish(stage, &again, Vec::new(), progress)?.published
        }
        Begun::NothingNew(published) | Begun::Repointed(published) => published,
    };
    let made = PublishedRun::open(&made.run_dir)?;
    compare(manifest, made.manifest(), &mut report);
    Ok(report)
}

fn compare(published: &Manifest, made: &Manifest, report: &mut ReplayReport) {
    for file in &published.files {
        match made.file(&file.path) {
            Some(again) if again.sha256 == file.sha256 => report.equal_files += 1,
            Some(again) => report.differs.push(format!(
                "{}: {} was published, {} comes out",
                file.path,
                file.sha256.short(),
                again.sha256.short()
            )),
            None => report.differs.push(format!("{}: does not come out", file.path)),
        }
    }
    let more = made.files.iter().filter(|file| published.file(&file.path).is_none());
    report.differs.extend(more.map(|file| format!("{}: comes out, and was not published", file.path)));
    report.is_proven = report.differs.is_empty();
}

/// What the manifest names, laid out in a scratch folder so that nothing else is seen.
struct Pinned<'a> {
    run: &'a PublishedRun,
    scratch: &'a Path,
}

impl Pinned<'_> {
    fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    /// Where the night before lies, as an output folder.
    fn before(&self) -> PathBuf {
        self.scratch.join("before")
    }

    fn model_folder(&self) -> PathBuf {
        self.scratch.join("model")
    }

    /// Links to the raw files that were read, and to what their senders stated of them: files that came later are not seen.
    fn inputs(&self, data: Option<&Path>, missing: &mut Vec<String>) -> Result<(), RunError> {
        fs::create_dir_all(self.data()).map_err(io("make", &self.data()))?;
        let Some(data) = data else {
            missing.push("the folder of the raw files: name it with --data".to_owned());
            return Ok(());
        };
        let data = &std::path::absolute(data).map_err(io("find", data))?;
        for input in &self.run.manifest().inputs {
            let path = data.join(&input.name);
            match Digest::of_file(&path) {
                Ok(found) if found == input.sha256 => {}
                Ok(found) => {
                    let (found, read) = (found.short(), input.sha256.short());
                    missing.push(format!("input {}: it has digest {found}, {read} was read", path.display()));
                    continue;
                }
                Err(e) => {
                    missing.push(format!("input {}: {e}", path.display()));
                    continue;
                }
            }
            let mut own = path.clone().into_os_string();
            own.push(".sha256");
            let statements = [PathBuf::from(own), path.with_extension("sha256")];
            for file in statements.iter().filter(|file| file.is_file()).chain([&path]) {
                let Ok(below) = file.strip_prefix(data) else { continue };
                link(file, &self.data().join(below))?;
            }
        }
        Ok(())
    }

    /// The model's files, as they were published with the run.
    fn model(&self, missing: &mut Vec<String>) -> Result<(), RunError> {
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

    /// The run that it built on, under its own date.
    fn night_before(&self, missing: &mut Vec<String>) -> Result<(), RunError> {
        fs::create_dir_all(self.before()).map_err(io("make", &self.before()))?;
        self.answers(missing);
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
        let folder = self.run.out().join(&below);
        match PublishedRun::open(&folder) {
            Ok(found) if found.identity() == *wanted => return link(&folder, &out.join(&below)),
            Ok(_) => missing.push(format!("{what}, {below}: it is not the run that this one built on")),
            Err(error) => missing.push(format!("{what}, {below}: {error}")),
        }
        Ok(())
    }

    /// Where runs beside the night before lie, as an output folder.
    fn beside(&self) -> PathBuf {
        self.scratch.join("beside")
    }

    /// The log of answers given by day, up to where the run has read it.
    fn answers(&self, missing: &mut Vec<String>) {
        let read = self.run.manifest().answers_read();
        if read.bytes == 0 {
            return;
        }
        let (log, part) = (self.run.out().join(DECISIONS), self.before().join(DECISIONS));
        let copied = fs::File::open(&log).and_then(|file| {
            let mut part = fs::File::create(&part)?;
            std::io::copy(&mut std::io::Read::take(file, read.bytes), &mut part)
        });
        match copied {
            Ok(bytes) if bytes == read.bytes => {}
            Ok(_) => missing.push(format!("answers given by day, {}: it is shorter than it was", log.display())),
            Err(error) => missing.push(format!("answers given by day, {}: {error}", log.display())),
        }
    }

    /// The job, from the copies of its configuration: the file in the job's own folder that gives the manifest's digest.
    fn job(&self, missing: &mut Vec<String>) -> Result<Option<Job>, RunError> {
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
