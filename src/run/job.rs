//! The job file: what is read, with which rules, and where results go.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use super::as_of::AsOfRule;
use super::gate_settings::{ALLOW_KEYS, GATE_KEYS, GATE_TABLE_KEYS, GateSettings, RawGates};
use super::model_settings::{MODEL_KEYS, ModelSettings, RawModel, check_model};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::core_system::{CORE_COLUMN_KEYS, CORE_KEYS, CORE_STATUS_KEYS, CoreTerms, RawCoreTerms};
use crate::domain::{AsOf, Currency, Digest, Hasher};
use crate::features::FeatureFiles;
use crate::interchange::{FINERACT_KEYS, FRAPPE_KEYS, INTERCHANGE_KEYS, InterchangeTerms, RawInterchange};
use crate::publish::{ARCHIVE_KEYS, ArchivePolicy, RETENTION_KEYS, RawArchive, RawRetention, Retention};
use crate::source::{INPUT_KEYS, RawInput, RawSource, SOURCE_KEYS, SourceSettings};
use crate::store::{RawStore, STORE_KEYS};
use crate::wash::{IntakeSettings, RawWash, WASH_KEYS};

/// A checked job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Names the run in reports.
    pub name: String,
    /// Names that the job had before, the first one first: runs and models under them are its own.
    pub formerly: Vec<String>,
    /// How raw files become a store.
    pub intake: IntakeSettings,
    /// Where runs are published.
    pub out: PathBuf,
    /// Where models are kept.
    pub models: PathBuf,
    /// Observation date, or the rule that gives it; `None` where the caller must name it.
    pub as_of: Option<AsOfRule>,
    /// Gates on what the tables hold.
    pub gates: GateSettings,
    /// Which runs are kept for their date; `None` where the job does not say.
    pub retention: Option<Retention>,
    /// How the raw files of every night are kept; `None` where they are not.
    pub archive: Option<ArchivePolicy>,
    /// Business dates whose raw files stay in the archive, where that is shorter than their runs are kept.
    pub keep_raw_files: Option<u16>,
    /// Training.
    pub model: ModelSettings,
    /// How a core system's books are read that are held against the loan book.
    pub core: CoreTerms,
    /// Files for other systems.
    pub interchange: InterchangeTerms,
    /// The job file and the files it names, as they were read: once, so that what is judged by and what is published are the same.
    pub files: JobFiles,
    /// Digest of the job file, every file it names and every SQL statement: the configuration's identity.
    pub digest: Digest,
    name_line: usize,
    /// Lines of the keys of `[model]` that are checked against other files.
    model_lines: BTreeMap<&'static str, usize>,
}

/// The configuration as text.
#[derive(Debug, Clone)]
pub struct JobFiles {
    /// The job file.
    pub job: ConfigFile,
    /// Feature file, or the files of a feature folder.
    pub features: FeatureFiles,
    /// Policy file.
    pub policy: ConfigFile,
    /// Monitor file.
    pub monitor: ConfigFile,
    /// What officers decided about alerts, where the job names such a file.
    pub officers: Option<ConfigFile>,
    /// What officers decided about credit, where the job names such a file.
    pub overrides: Option<ConfigFile>,
}

impl JobFiles {
    /// All of them, the job file first.
    pub fn all(&self) -> impl Iterator<Item = &ConfigFile> {
        std::iter::once(&self.job)
            .chain(&self.features.files)
            .chain([&self.policy, &self.monitor])
            .chain(&self.officers)
            .chain(&self.overrides)
    }
}

/// All that is wrong with a job file, and the files that it names as far as they could be read.
#[derive(Debug, Default)]
pub struct Faults {
    /// The faults, in the order of the job file's checks.
    pub all: Vec<ConfigError>,
    /// Feature files.
    pub features: Option<FeatureFiles>,
    /// Policy file.
    pub policy: Option<ConfigFile>,
    /// Monitor file.
    pub monitor: Option<ConfigFile>,
}

impl Faults {
    /// Keeps what is sound and notes what is not.
    fn take<T>(&mut self, checked: Result<T, ConfigError>) -> Option<T> {
        checked.map_err(|fault| self.all.push(fault)).ok()
    }

    /// Those of a job file that cannot be read as a whole; the files that it names are looked at all the same.
    fn of_unread(file: &ConfigFile, all: Vec<ConfigError>, below: &dyn Fn(&str) -> PathBuf) -> Self {
        let mut faults = Self { all, ..Self::default() };
        let text: toml::Table = toml::from_str(file.text()).unwrap_or_default();
        let named = |key: &str| Some(below(text.get(key)?.as_str()?)).filter(|path| path.exists());
        faults.open_rules([named("features"), named("policy"), named("monitor")]);
        faults
    }

    /// Opens the features, policy and monitor files that are there.
    fn open_rules(&mut self, [features, policy, monitor]: [Option<PathBuf>; 3]) {
        self.features = features.and_then(|path| self.take(FeatureFiles::open(&path)));
        self.policy = policy.and_then(|path| self.take(ConfigFile::open(&path)));
        self.monitor = monitor.and_then(|path| self.take(ConfigFile::open(&path)));
    }

    fn into_first(self) -> ConfigError {
        let none =
            || ConfigError { path: PathBuf::new(), line: 0, message: "no fault".to_owned(), help: String::new() };
        self.all.into_iter().next().unwrap_or_else(none)
    }
}

impl From<ConfigError> for Box<Faults> {
    fn from(fault: ConfigError) -> Self {
        Self::new(Faults { all: vec![fault], ..Faults::default() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    name: Spanned<String>,
    #[serde(default)]
    formerly: Vec<Spanned<String>>,
    currency: Spanned<String>,
    time_zone: Option<Spanned<String>>,
    as_of: Option<Spanned<String>>,
    data: String,
    out: String,
    models: String,
    features: Spanned<String>,
    policy: Spanned<String>,
    monitor: Spanned<String>,
    officers: Option<Spanned<String>>,
    overrides: Option<Spanned<String>>,
    inputs: BTreeMap<String, Spanned<RawInput>>,
    #[serde(rename = "source")]
    sources: Vec<RawSource>,
    wash: RawWash,
    #[serde(default)]
    store: RawStore,
    #[serde(default)]
    gates: RawGates,
    retention: Option<RawRetention>,
    archive: Option<RawArchive>,
    model: RawModel,
    #[serde(default)]
    reconcile: RawCoreTerms,
    #[serde(default)]
    interchange: RawInterchange,
}

static JOB_KEYS: Section = Section {
    head: "",
    doc: "Paths are relative to the job file.",
    keys: &[
        Key::new("name", "word", "\"mine\"", "names the run in reports").range("lowercase letters, digits and hyphens"),
        Key::new("formerly", "list of words", "[\"pilot\"]", "names that the job had before, the first one first: its runs and models go on under the new name. A night refuses an output folder whose current run is of a job with a name that is not here")
            .range("lowercase letters, digits and hyphens")
            .or("none"),
        Key::new("currency", "word", "\"EUR\"", "ISO 4217 code of all amounts").range("as ISO 4217 lists them"),
        Key::new("time_zone", "word", "\"Asia/Shanghai\"", "where business dates begin. Times without an offset are read as if they were UTC: of an export in local time leave UTC here, and its days are the local ones")
            .range("an IANA name")
            .or("UTC"),
        Key::new("as_of", "date or word", "\"yesterday\"", "the observation date: facts before its midnight are seen")
            .range("a date, yesterday, today")
            .or("the command line must name it"),
        Key::new("data", "path", "\"data\"", "folder of the raw files"),
        Key::new("out", "path", "\"out\"", "where runs are published"),
        Key::new("models", "path", "\"models\"", "where models are kept"),
        Key::new("features", "path", "\"features.toml\"", "the feature file, or a folder of them"),
        Key::new("policy", "path", "\"policy.toml\"", "the policy file"),
        Key::new("monitor", "path", "\"monitor.toml\"", "the monitor file"),
        Key::new(
            "officers",
            "path",
            "",
            "officers' decisions on alerts: what they snooze or suppress, until when, why and who",
        )
        .or("none"),
        Key::new(
            "overrides",
            "path",
            "",
            "officers' decisions about credit to single merchants, as far as the policy lets them: what, until when, why and who",
        )
        .or("none"),
        Key::section("inputs", "raw files"),
        Key::section("source", "contract tables"),
        Key::section("wash", "limits of what may be broken"),
        Key::section("store", "how clean events are stored").or("by itself"),
        Key::section("gates", "limits of what may be missing").or("their defaults"),
        Key::section("retention", "which runs are kept").or("the command line says"),
        Key::section("archive", "keeping raw files").or("none are kept"),
        Key::section("model", "training"),
        Key::section("reconcile", "how a core system's books are read").or("its defaults"),
        Key::section("interchange", "files for other systems").or("none"),
    ],
};

/// Everything that a job file may hold.
#[must_use]
pub fn job_reference() -> Vec<&'static Section> {
    vec![
        &JOB_KEYS, &INPUT_KEYS, &SOURCE_KEYS, &WASH_KEYS, &STORE_KEYS, &GATE_KEYS, &GATE_TABLE_KEYS, &ALLOW_KEYS,
        &RETENTION_KEYS, &ARCHIVE_KEYS, &MODEL_KEYS, &CORE_KEYS, &CORE_COLUMN_KEYS, &CORE_STATUS_KEYS,
        &INTERCHANGE_KEYS, &FINERACT_KEYS, &FRAPPE_KEYS,
    ]
}

impl Job {
    /// Reads and checks a job file.
    ///
    /// # Errors
    /// The first of what the files hold that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::open_telling_all(path).map_err(|faults| faults.into_first())
    }

    /// As [`Job::open`], with every fault that can be found.
    ///
    /// # Errors
    /// At least one fault, and the files that could be read all the same.
    pub fn open_telling_all(path: &Path) -> Result<Self, Box<Faults>> {
        let own = ConfigFile::open(path)?;
        let below = |relative: &str| tidy(&own.folder().join(relative));
        let readable = own.parse_telling_all::<RawJob>();
        let (raw, passed) = readable.map_err(|all| Box::new(Faults::of_unread(&own, all, &below)))?;
        let mut faults = Faults::default();
        let checked = Self::check_parts(&own, &passed.file, raw, &mut faults);
        faults.all = passed.all_faults(faults.all);
        checked.filter(|_| faults.all.is_empty()).ok_or_else(|| Box::new(faults))
    }

    /// Checks every part of a job file and notes what is wrong; none where a part cannot be made. `file` is `own` as far as it can be read.
    fn check_parts(own: &ConfigFile, file: &ConfigFile, raw: RawJob, faults: &mut Faults) -> Option<Self> {
        let below = |relative: &str| tidy(&own.folder().join(relative));

        let name = faults.take(bounds::slug(file, &raw.name, "name"));
        let formerly =
            raw.formerly.iter().filter_map(|word| faults.take(bounds::slug(file, word, "formerly"))).collect();
        let currency = faults.take(check_currency(file, &raw.currency));
        let time_zone = faults.take(match &raw.time_zone {
            None => Ok(TimeZone::UTC),
            Some(zone) => AsOf::zone(zone.get_ref()).map_err(|e| {
                file.refuse(&zone.span(), e.to_string(), "an IANA name such as \"Asia/Shanghai\" or \"UTC\"")
            }),
        });
        let as_of = faults.take(check_as_of(file, raw.as_of.as_ref()));
        let mut there = |key: &str, named: &Spanned<String>| {
            let path = below(named.get_ref());
            if path.exists() {
                return Some(path);
            }
            let message = format!("{key} names {:?}, which does not exist", named.get_ref());
            faults.all.push(file.refuse(&named.span(), message, "paths are relative to the job file"));
            None
        };
        let rules = [there("features", &raw.features), there("policy", &raw.policy), there("monitor", &raw.monitor)];
        let officers = raw.officers.as_ref().map(|named| there("officers", named));
        let overrides = raw.overrides.as_ref().map(|named| there("overrides", named));
        faults.open_rules(rules);

        let mut optional = |named: Option<Option<PathBuf>>| match named {
            None => Some(None),
            Some(path) => path.and_then(|path| faults.take(ConfigFile::open(&path))).map(Some),
        };
        let (officers, overrides) = (optional(officers), optional(overrides));

        let source = SourceSettings::check(file, below(&raw.data), &raw.inputs, &raw.sources);
        let source = source.map_err(|refused| faults.all.extend(refused)).ok();
        let wash = faults.take(raw.wash.check(file));
        let store = faults.take(raw.store.check(file));
        let gates = faults.take(raw.gates.check(file));
        let retention = faults.take(raw.retention.as_ref().map(|retention| retention.check(file)).transpose());
        let archive = faults.take(raw.archive.as_ref().map(|archive| archive.check(file)).transpose());
        let keep_raw_files =
            faults.take(raw.archive.as_ref().map(|archive| archive.keep_last(file)).transpose().map(Option::flatten));
        let model = faults.take(check_model(file, &raw.model));
        let core = faults.take(raw.reconcile.check(file));
        let interchange = faults.take(raw.interchange.check(file));
        let (Some(name), Some(currency), Some(time_zone), Some(as_of)) = (name, currency, time_zone, as_of) else {
            return None;
        };
        let (Some(source), Some(wash), Some(store)) = (source, wash, store) else { return None };
        let (Some(gates), Some(retention), Some(model), Some(core)) = (gates, retention, model, core) else {
            return None;
        };
        let (Some(interchange), Some(archive), Some(keep_raw_files)) = (interchange, archive, keep_raw_files) else {
            return None;
        };
        let (Some(features), Some(policy), Some(monitor)) =
            (faults.features.clone(), faults.policy.clone(), faults.monitor.clone())
        else {
            return None;
        };
        let (Some(officers), Some(overrides)) = (officers, overrides) else { return None };
        let fixed = match as_of {
            Some(AsOfRule::Day(date)) => Some(date),
            _ => None,
        };
        let intake = IntakeSettings { source, currency, time_zone, as_of: fixed, known_before: None, wash, store };
        let mut job = Self {
            name,
            formerly,
            out: below(&raw.out),
            models: below(&raw.models),
            as_of,
            gates,
            intake,
            retention,
            archive,
            keep_raw_files,
            model,
            core,
            interchange,
            digest: Digest::of(b""),
            name_line: file.line(&raw.name.span()),
            model_lines: BTreeMap::from([
                ("label", file.line(&raw.model.label.span())),
                ("ability_measure", file.line(&raw.model.ability_measure.span())),
            ]),
            files: JobFiles { job: own.clone(), features, policy, monitor, officers, overrides },
        };
        job.digest = job.compute_digest();
        Some(job)
    }

    /// An error at the job's name.
    #[must_use]
    pub fn refuse_name(&self, message: String, help: &str) -> ConfigError {
        ConfigError { path: self.files.job.path().to_owned(), line: self.name_line, message, help: help.to_owned() }
    }

    /// An error at a key of the `[model]` section.
    #[must_use]
    pub fn refuse_model_key(&self, key: &str, message: String, help: &str) -> ConfigError {
        let line = self.model_lines.get(key).copied().unwrap_or(0);
        ConfigError { path: self.files.job.path().to_owned(), line, message, help: help.to_owned() }
    }

    /// The job file's own paths are left out: the same job in another folder is the same job.
    fn compute_digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        for file in self.files.all() {
            hasher.field(file.text().as_bytes());
        }
        for source in &self.intake.source.sources {
            hasher.field(source.table.as_bytes());
            for part in &source.parts {
                hasher.field(part.sql.as_ref().map_or(b"", |s| s.text.as_bytes()));
            }
        }
        hasher.finish()
    }
}

/// The job's currency: a code that nobody lists is a slip, and how many decimals it has would be a guess.
fn check_currency(file: &ConfigFile, raw: &Spanned<String>) -> Result<Currency, ConfigError> {
    let code = raw.get_ref();
    let refused = |message: String| file.refuse(&raw.span(), message, "a code of ISO 4217: currency = \"CNY\"");
    let currency = Currency::new(code).map_err(|e| refused(e.to_string()))?;
    if Currency::is_listed(code) { Ok(currency) } else { Err(refused(format!("{code:?} is no currency"))) }
}

fn check_as_of(file: &ConfigFile, raw: Option<&Spanned<String>>) -> Result<Option<AsOfRule>, ConfigError> {
    raw.map(|rule| {
        rule.get_ref().parse().map_err(|e: String| {
            let help = "a date such as as_of = \"2018-08-01\", or \"yesterday\" or \"today\" in the job's time zone";
            file.refuse(&rule.span(), format!("as_of: {e}"), help)
        })
    })
    .transpose()
}

/// `a/b/../c` as `a/c`: what people read in messages. A `..` that nothing stands before stays.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            other => tidied.push(other),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_word_that_is_not_known_hides_no_other_fault_and_is_never_passed_over() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo");
        let folder = tempfile::tempdir().unwrap();
        for file in ["features.toml", "policy.toml", "monitor.toml"] {
            std::fs::copy(demo.join(file), folder.path().join(file)).unwrap();
        }
        let good = std::fs::read_to_string(demo.join("job.toml")).unwrap();
        let path = folder.path().join("job.toml");
        let faults = |text: &str| -> Vec<ConfigError> {
            std::fs::write(&path, text).unwrap();
            Job::open_telling_all(&path).err().map_or_else(Vec::new, |faults| faults.all)
        };
        assert_eq!(faults(&good), []);
        let unknown = faults(&good.replace("name = \"demo\"", "name = \"demo\"\nformely = [\"x\"]"));
        assert!(unknown.len() == 1 && unknown[0].message.contains("formely"), "{unknown:?}");
        let text = good
            .replace("currency = \"CNY\"", "currency = \"yuan\"\nzone = \"UTC\"")
            .replace("label = \"loan-default\"", "label = \"loan-defaults\"");
        let slip = faults(&good.replace("currency = \"CNY\"", "currency = \"CYN\""));
        assert!(slip.len() == 1 && slip[0].message.contains("is no currency"), "{slip:?}");
        let lines: Vec<usize> = faults(&text).iter().map(|fault| fault.line).collect();
        let line_of = |piece: &str| text.lines().position(|line| line.starts_with(piece)).map(|at| at + 1).unwrap();
        assert_eq!(lines, ["currency", "zone", "label"].map(line_of), "{:?}", faults(&text));
    }
}
