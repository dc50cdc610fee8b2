//! The job file: what is read, with which rules, and where results go.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use super::features::FeatureFiles;
use super::file::{ConfigError, ConfigFile};
use crate::contract;
use crate::domain::{AsOf, Currency, Digest, Hasher};

/// A model that barely tells good from bad is no model to lend by.
const APPROVE_MIN_AUC: f64 = 0.6;

/// A checked job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Names the run in reports.
    pub name: String,
    /// Currency of every amount.
    pub currency: Currency,
    /// Where business dates begin.
    pub time_zone: TimeZone,
    /// Fixed observation date; `None` means the latest day of full trade in the data.
    pub as_of: Option<Date>,
    /// Folder of the raw files.
    pub data: PathBuf,
    /// Where runs are published.
    pub out: PathBuf,
    /// Where models are kept.
    pub models: PathBuf,
    /// Raw inputs by the name that SQL calls them.
    pub inputs: BTreeMap<String, InputSpec>,
    /// One a contract table, in washing order.
    pub sources: Vec<SourceSpec>,
    /// Quarantine limits.
    pub wash: WashSettings,
    /// Store layout.
    pub store: StoreSettings,
    /// Training.
    pub model: ModelSettings,
    /// The job file and the files it names, as they were read: once, so that what is judged by and what is published are the same.
    pub files: JobFiles,
    /// Digest of the job file, every file it names and every SQL statement: the configuration's identity.
    pub digest: Digest,
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
}

impl JobFiles {
    /// All of them, the job file first.
    pub fn all(&self) -> impl Iterator<Item = &ConfigFile> {
        std::iter::once(&self.job).chain(&self.features.files).chain([&self.policy, &self.monitor])
    }
}

/// Raw files that SQL sees as one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// Glob below the data folder: `orders.parquet`, `orders/**/*.parquet`, `olist_orders_dataset.csv`.
    pub files: String,
    /// Absence is no error.
    pub optional: bool,
}

/// How one contract table is made from raw inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Contract table.
    pub table: &'static str,
    /// Input whose rows are accounted for, row by row, in the ledger.
    pub from: String,
    /// One SELECT over the inputs; `None` takes the input as it is.
    pub sql: Option<Statement>,
}

/// A SQL statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// File.
    pub path: PathBuf,
    /// Text.
    pub text: String,
}

/// When too much is broken to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct WashSettings {
    /// Largest share of any table's rows that may be quarantined, 0 to 1.
    pub max_quarantine_share: f64,
    /// Limits of single tables.
    pub max_quarantine_share_by_table: BTreeMap<String, f64>,
}

/// How clean events are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Hash buckets of merchants; `None` chooses by their number.
    pub buckets: Option<u32>,
}

/// What the willingness model learns to foresee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Days past due in the loan book reach the product's default threshold within the performance window.
    LoanDefault,
    /// The outcome predicate of the feature file, for lenders without a loan book.
    TradeDistress,
}

/// How the willingness and ability models are trained and accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Folder below `models`.
    pub name: String,
    /// Takes this version only; `None` takes the latest approved one that fits.
    pub version: Option<String>,
    /// What makes a merchant bad.
    pub label: LabelKind,
    /// Measure whose sum over the next window the ability model foresees: net receipts.
    pub ability_measure: String,
    /// Days of future that decide a label.
    pub performance_days: u16,
    /// Days between snapshots.
    pub snapshot_every_days: u16,
    /// Snapshots taken, counted back from the last one whose performance window has closed.
    pub snapshots: u16,
    /// How many of the latest snapshots are the out-of-time test.
    pub test_snapshots: u16,
    /// Who approves a model that the run itself trained; `None` leaves it unapproved, and the run stops with 80.
    pub approve_as: Option<String>,
    /// What the lower end of the out-of-time AUC's interval must reach for that; below it a person has to approve.
    pub approve_min_auc: f64,
    /// Days after training until the model expires.
    pub expires_after_days: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    name: Spanned<String>,
    currency: Spanned<String>,
    time_zone: Option<Spanned<String>>,
    as_of: Option<Spanned<String>>,
    data: String,
    out: String,
    models: String,
    features: Spanned<String>,
    policy: Spanned<String>,
    monitor: Spanned<String>,
    inputs: BTreeMap<String, Spanned<RawInput>>,
    #[serde(rename = "source")]
    sources: Vec<RawSource>,
    wash: RawWash,
    #[serde(default)]
    store: RawStore,
    model: RawModel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    files: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    table: Spanned<String>,
    from: Spanned<String>,
    sql: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWash {
    max_quarantine_share: Spanned<f64>,
    #[serde(default)]
    max_quarantine_share_by_table: BTreeMap<String, Spanned<f64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawStore {
    buckets: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    label: Spanned<LabelKind>,
    ability_measure: Spanned<String>,
    performance_days: Spanned<i64>,
    snapshot_every_days: Spanned<i64>,
    snapshots: Spanned<i64>,
    test_snapshots: Spanned<i64>,
    approve_as: Option<String>,
    approve_min_auc: Option<Spanned<f64>>,
    expires_after_days: Spanned<i64>,
}

impl Job {
    /// Reads and checks a job file.
    ///
    /// # Errors
    /// Whatever the files hold that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let file = ConfigFile::open(path)?;
        let raw: RawJob = file.parse()?;
        let below = |relative: &str| tidy(&file.folder().join(relative));

        let name = slug(&file, &raw.name, "name")?;
        let currency = Currency::new(raw.currency.get_ref())
            .map_err(|e| file.refuse(&raw.currency.span(), e.to_string(), "for example currency = \"CNY\""))?;
        let time_zone = match &raw.time_zone {
            None => TimeZone::UTC,
            Some(zone) => AsOf::zone(zone.get_ref()).map_err(|e| {
                file.refuse(&zone.span(), e.to_string(), "an IANA name such as \"Asia/Shanghai\" or \"UTC\"")
            })?,
        };
        let as_of = raw
            .as_of
            .as_ref()
            .map(|date| {
                date.get_ref().parse::<Date>().map_err(|e| {
                    file.refuse(&date.span(), format!("as_of: {e}"), "a date such as as_of = \"2018-08-01\"")
                })
            })
            .transpose()?;

        let inputs: BTreeMap<String, InputSpec> = raw
            .inputs
            .iter()
            .map(|(input, spec)| {
                let RawInput { files, optional } = spec.get_ref();
                (input.clone(), InputSpec { files: files.clone(), optional: *optional })
            })
            .collect();
        let sources = check_sources(&file, &raw.sources, &inputs)?;

        let mut max_quarantine_share_by_table = BTreeMap::new();
        for (table, share) in &raw.wash.max_quarantine_share_by_table {
            if contract::table(table).is_none() {
                return Err(file.refuse(&share.span(), format!("{table:?} is no contract table"), table_names()));
            }
            max_quarantine_share_by_table.insert(table.clone(), unit(&file, share, "max_quarantine_share_by_table")?);
        }

        for (key, named) in [("features", &raw.features), ("policy", &raw.policy), ("monitor", &raw.monitor)] {
            if !below(named.get_ref()).exists() {
                let message = format!("{key} names {:?}, which does not exist", named.get_ref());
                return Err(file.refuse(&named.span(), message, "paths are relative to the job file"));
            }
        }
        let features = FeatureFiles::open(&below(raw.features.get_ref()))?;
        let policy = ConfigFile::open(&below(raw.policy.get_ref()))?;
        let monitor = ConfigFile::open(&below(raw.monitor.get_ref()))?;

        let mut job = Self {
            name,
            currency,
            time_zone,
            as_of,
            data: below(&raw.data),
            out: below(&raw.out),
            models: below(&raw.models),
            inputs,
            sources,
            wash: WashSettings {
                max_quarantine_share: unit(&file, &raw.wash.max_quarantine_share, "max_quarantine_share")?,
                max_quarantine_share_by_table,
            },
            store: StoreSettings {
                buckets: raw
                    .store
                    .buckets
                    .as_ref()
                    .map(|b| whole(&file, b, "buckets", 1..4097).map(u32::from))
                    .transpose()?,
            },
            model: check_model(&file, &raw.model)?,
            digest: Digest::of(b""),
            model_lines: BTreeMap::from([
                ("label", file.line(&raw.model.label.span())),
                ("ability_measure", file.line(&raw.model.ability_measure.span())),
            ]),
            files: JobFiles { job: file, features, policy, monitor },
        };
        job.digest = job.compute_digest();
        Ok(job)
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
        for source in &self.sources {
            hasher.field(source.table.as_bytes());
            hasher.field(source.sql.as_ref().map_or(b"", |s| s.text.as_bytes()));
        }
        hasher.finish()
    }
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

fn check_sources(
    file: &ConfigFile,
    raw: &[RawSource],
    inputs: &BTreeMap<String, InputSpec>,
) -> Result<Vec<SourceSpec>, ConfigError> {
    let mut by_table: BTreeMap<&'static str, SourceSpec> = BTreeMap::new();
    for source in raw {
        let Some(table) = contract::table(source.table.get_ref()) else {
            let message = format!("{:?} is no contract table", source.table.get_ref());
            return Err(file.refuse(&source.table.span(), message, table_names()));
        };
        if !inputs.contains_key(source.from.get_ref()) {
            let names = inputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("{:?} is no input of this job", source.from.get_ref());
            return Err(file.refuse(&source.from.span(), message, format!("one of: {names}")));
        }
        let sql = match &source.sql {
            None => None,
            Some(relative) => {
                let path = file.folder().join(relative.get_ref());
                let text = std::fs::read_to_string(&path).map_err(|e| {
                    let message = format!("cannot read {:?}: {e}", relative.get_ref());
                    file.refuse(&relative.span(), message, "a file with one SELECT, relative to the job file")
                })?;
                Some(Statement { path, text })
            }
        };
        let spec = SourceSpec { table: table.name, from: source.from.get_ref().clone(), sql };
        if by_table.insert(table.name, spec).is_some() {
            let message = format!("table {:?} has two sources", table.name);
            return Err(file.refuse(&source.table.span(), message, "one [[source]] a contract table"));
        }
    }
    for table in contract::TABLES.iter().filter(|t| !t.optional) {
        if !by_table.contains_key(table.name) {
            let message = format!("no [[source]] for the required table {:?}", table.name);
            return Err(file.refuse(&(0..0), message, format!("add [[source]] with table = {:?}", table.name)));
        }
    }
    Ok(contract::TABLES.iter().filter_map(|t| by_table.remove(t.name)).collect())
}

fn check_model(file: &ConfigFile, raw: &RawModel) -> Result<ModelSettings, ConfigError> {
    let settings = ModelSettings {
        name: slug(file, &raw.name, "model.name")?,
        version: raw.version.as_ref().map(|v| slug(file, v, "model.version")).transpose()?,
        label: *raw.label.get_ref(),
        ability_measure: raw.ability_measure.get_ref().clone(),
        performance_days: whole(file, &raw.performance_days, "performance_days", 7..731)?,
        snapshot_every_days: whole(file, &raw.snapshot_every_days, "snapshot_every_days", 1..366)?,
        snapshots: whole(file, &raw.snapshots, "snapshots", 2..121)?,
        test_snapshots: whole(file, &raw.test_snapshots, "test_snapshots", 1..61)?,
        approve_as: raw.approve_as.clone(),
        approve_min_auc: raw
            .approve_min_auc
            .as_ref()
            .map_or(Ok(APPROVE_MIN_AUC), |auc| unit(file, auc, "approve_min_auc"))?,
        expires_after_days: whole(file, &raw.expires_after_days, "expires_after_days", 1..3_661)?,
    };
    if settings.test_snapshots >= settings.snapshots {
        let message = format!("test_snapshots = {} leaves no snapshot to train on", settings.test_snapshots);
        return Err(file.refuse(
            &raw.test_snapshots.span(),
            message,
            format!("less than snapshots = {}", settings.snapshots),
        ));
    }
    Ok(settings)
}

fn table_names() -> String {
    let names: Vec<_> = contract::TABLES.iter().map(|t| t.name).collect();
    format!("one of: {}", names.join(", "))
}

fn slug(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<String, ConfigError> {
    let text = value.get_ref();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(good) {
        Ok(text.clone())
    } else {
        let message = format!("{key} = {text:?} cannot name a folder");
        Err(file.refuse(&value.span(), message, "lowercase letters, digits, - and _"))
    }
}

fn unit(file: &ConfigFile, value: &Spanned<f64>, key: &str) -> Result<f64, ConfigError> {
    if (0.0..=1.0).contains(value.get_ref()) {
        Ok(*value.get_ref())
    } else {
        Err(file.refuse(&value.span(), format!("{key} = {} is no share", value.get_ref()), "a number from 0 to 1"))
    }
}

fn whole(file: &ConfigFile, value: &Spanned<i64>, key: &str, allowed: Range<u16>) -> Result<u16, ConfigError> {
    match u16::try_from(*value.get_ref()) {
        Ok(n) if allowed.contains(&n) => Ok(n),
        _ => Err(file.refuse(
            &value.span(),
            format!("{key} = {} is out of range", value.get_ref()),
            format!("a whole number from {} to {}", allowed.start, allowed.end - 1),
        )),
    }
}
