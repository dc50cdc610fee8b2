//! The loan service's reader: one merchant's published score, offers, refusals and alerts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::decision_log::{AnswerByDay, read_answers};
use super::error::PublishError;
use super::history::{self, IntactRun};
use super::manifest::{MANIFEST, Manifest};
use super::pointings::Pointings;
use super::prunings::Prunings;
use super::reader::TableReader;
use super::row::OutputRow;
use super::sorted_file::SortedFile;
use super::tables::{EvidenceRow, FeatureRow};
use crate::domain::{Currency, Digest};
use crate::exposure::{OpenOffer, Statement};
use crate::model::ability::MerchantReceipts;
use crate::monitor::Alert;
use crate::offer::{CaseRecord, Decline, Offer};
use crate::score::MerchantScore;

/// A published run, open for look-ups, from any number of threads.
///
/// Opening checks the chain from `current.json` over the manifest to the indices of `scores`, `offers`, `declines`, `alerts` and `accounts`; each mebibyte
/// of these files is checked when it is first read. No altered byte is ever believed: a look-up that would need it is an error. The book stays on the run that it opened: open again to see a newer one. `features` and `evidence` are checked when first asked for.
pub struct ScoreBook {
    run_dir: PathBuf,
    manifest: Manifest,
    note: Option<String>,
    scores: SortedFile,
    offers: SortedFile,
    declines: SortedFile,
    alerts: SortedFile,
    accounts: Option<SortedFile>,
    receipts: Option<SortedFile>,
    features: OnceLock<SortedFile>,
    evidence: OnceLock<SortedFile>,
    cases: OnceLock<SortedFile>,
    open_offers: OnceLock<SortedFile>,
}

/// All that a run says of one merchant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// What a reader must know of the run: a damaged pointer, a withdrawal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Currency of every amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The merchant.
    pub merchant_id: String,
    /// Null where the merchant could not be scored.
    pub score: Option<MerchantScore>,
    /// Offers by product.
    pub offers: Vec<Offer>,
    /// Refusals by product.
    pub declines: Vec<Decline>,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// What is owed, offered and pledged; null where the run holds no accounts.
    pub account: Option<Statement>,
    /// Receipts that are foreseen, by horizon; empty where they are not known or the run holds none.
    pub receipts: Vec<MerchantReceipts>,
    /// Answers to applications since the run, oldest first, where they were looked up ([`ScoreBook::answered`]): of a product the newest one counts, not
    /// the run's offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<AnswerByDay>,
}

impl ScoreBook {
    /// Opens the current run. Where its pointer is damaged, the newest intact run is opened and [`ScoreBook::note`] says so.
    ///
    /// # Errors
    /// Nothing is published, or any link of the chain of digests does not hold.
    pub fn open(out: &Path) -> Result<Self, PublishError> {
        let serving = history::serving(out)?.ok_or_else(|| PublishError::NothingPublished(out.to_owned()))?;
        let IntactRun { pointer, manifest } = serving.run;
        Self::with_manifest(out.join(&pointer.run), manifest, serving.note)
    }

    /// Opens the run that a business date stands by: the one published or set current last for that date.
    ///
    /// # Errors
    /// No run of that date is published, or digests do not hold.
    pub fn open_as_of(out: &Path, as_of: Date) -> Result<Self, PublishError> {
        let mut broken = Vec::new();
        match history::run_of_date(out, as_of, &mut broken)? {
            Some(IntactRun { pointer, manifest }) => {
                let withdrawn = Pointings::read(out)?
                    .withdrawal(&pointer.run)
                    .map(|entry| format!("this run was withdrawn at {} by {}: {}", entry.at, entry.by, entry.reason));
                Self::with_manifest(out.join(&pointer.run), manifest, withdrawn)
            }
            None if broken.is_empty() => Err(Prunings::no_run_of(out, as_of)),
            None => Err(PublishError::NoIntactRun { out: out.to_owned(), passed_over: broken }),
        }
    }

    /// Opens a run folder by path, trusting the digest that the folder itself keeps of its manifest.
    ///
    /// # Errors
    /// It is not a run folder, or digests do not hold.
    pub fn open_run(run_dir: &Path) -> Result<Self, PublishError> {
        if !run_dir.is_dir() {
            return Err(PublishError::NothingPublished(run_dir.to_owned()));
        }
        let manifest = Manifest::read(run_dir, Manifest::own_digest(run_dir)?)?;
        Self::with_manifest(run_dir.to_owned(), manifest, None)
    }

    /// Opens a run folder, or the current run of an output folder.
    ///
    /// # Errors
    /// As [`ScoreBook::open_run`] and [`ScoreBook::open`].
    pub fn open_folder(run_or_out: &Path) -> Result<Self, PublishError> {
        if run_or_out.join(MANIFEST).exists() { Self::open_run(run_or_out) } else { Self::open(run_or_out) }
    }

    /// Whether it is still the run that the loan service reads.
    ///
    /// # Errors
    /// As [`ScoreBook::open`].
    pub fn is_current(&self, out: &Path) -> Result<bool, PublishError> {
        let serving = history::serving(out)?.ok_or_else(|| PublishError::NothingPublished(out.to_owned()))?;
        Ok(out.join(&serving.run.pointer.run) == self.run_dir)
    }

    fn with_manifest(run_dir: PathBuf, manifest: Manifest, note: Option<String>) -> Result<Self, PublishError> {
        let open = |name: &str| open_table(&run_dir, &manifest, name);
        let (scores, offers) = (open("scores")?, open("offers")?);
        let (declines, alerts) = (open("declines")?, open("alerts")?);
        let (features, evidence, cases, open_offers) =
            (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        let receipts = manifest.file("receipts.parquet").map(|_| open("receipts")).transpose()?;
        let accounts = manifest.file("accounts.parquet").map(|_| open("accounts")).transpose()?;
        Ok(Self {
            run_dir,
            manifest,
            note,
            scores,
            offers,
            declines,
            alerts,
            accounts,
            receipts,
            features,
            evidence,
            cases,
            open_offers,
        })
    }

    /// What was answered by day to a merchant's applications since the run, oldest first. Reads the log of `out` from where the run left it.
    ///
    /// # Errors
    /// The log is not what was written: what was offered by day is then not known.
    pub fn answered(&self, out: &Path, merchant_id: &str) -> Result<Vec<AnswerByDay>, PublishError> {
        let since = read_answers(out, self.manifest.answers_read())?;
        let own = since.answers.into_iter().filter(|answer| answer.application.merchant_id == merchant_id);
        Ok(own.map(AnswerByDay::from).collect())
    }

    /// Names the run.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.manifest.run_id
    }

    /// Observation date of the run.
    #[must_use]
    pub const fn as_of(&self) -> Date {
        self.manifest.as_of
    }

    /// The run folder.
    #[must_use]
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Why this is not simply the run that `current.json` names, or why it is out of use.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What the run is and was made from.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// All that the run says of a merchant; `None` if it says nothing.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn get(&self, merchant_id: &str) -> Result<Option<Entry>, PublishError> {
        let entry = Entry {
            run_id: self.manifest.run_id.clone(),
            as_of: self.manifest.as_of,
            note: self.note.clone(),
            currency: self.manifest.currency,
            merchant_id: merchant_id.to_owned(),
            score: self.scores.rows(merchant_id)?.into_iter().next(),
            offers: self.offers.rows(merchant_id)?,
            declines: self.declines.rows(merchant_id)?,
            alerts: self.alerts.rows(merchant_id)?,
            account: match &self.accounts {
                Some(accounts) => accounts.rows(merchant_id)?.into_iter().next(),
                None => None,
            },
            receipts: match &self.receipts {
                Some(receipts) => receipts.rows(merchant_id)?,
                None => Vec::new(),
            },
            answered: Vec::new(),
        };
        let silent =
            entry.score.is_none() && entry.offers.is_empty() && entry.declines.is_empty() && entry.alerts.is_empty();
        Ok(if silent { None } else { Some(entry) })
    }

    /// A merchant's score; `None` where the run scored no such merchant.
    ///
    /// # Errors
    /// The file cannot be read or its digest does not hold.
    pub fn score(&self, merchant_id: &str) -> Result<Option<MerchantScore>, PublishError> {
        Ok(self.scores.rows(merchant_id)?.into_iter().next())
    }

    /// What a merchant is offered.
    ///
    /// # Errors
    /// As [`ScoreBook::score`].
    pub fn offers(&self, merchant_id: &str) -> Result<Vec<Offer>, PublishError> {
        self.offers.rows(merchant_id)
    }

    /// What a merchant's offers were decided on; `None` where the run decided on no such merchant.
    ///
    /// # Errors
    /// As [`ScoreBook::score`].
    pub fn case(&self, merchant_id: &str) -> Result<Option<CaseRecord>, PublishError> {
        Ok(self.on_demand(&self.cases, "cases")?.rows(merchant_id)?.into_iter().next())
    }

    /// A merchant's offers that may still be drawn, or that a loan rests on.
    ///
    /// # Errors
    /// As [`ScoreBook::score`].
    pub fn open_offers(&self, merchant_id: &str) -> Result<Vec<OpenOffer>, PublishError> {
        self.on_demand(&self.open_offers, "open_offers")?.rows(merchant_id)
    }

    /// The values of a merchant's features, in the order of [`ScoreBook::feature_names`].
    ///
    /// # Errors
    /// As [`ScoreBook::score`].
    pub fn feature_row(&self, merchant_id: &str) -> Result<Option<FeatureRow>, PublishError> {
        Ok(self.on_demand(&self.features, "features")?.rows(merchant_id)?.into_iter().next())
    }

    /// The feature values that a merchant's score was computed from, by feature; `None` if the run holds none.
    ///
    /// # Errors
    /// The file cannot be read or its digest does not hold.
    pub fn features(&self, merchant_id: &str) -> Result<Option<BTreeMap<String, Option<f64>>>, PublishError> {
        let file = self.on_demand(&self.features, "features")?;
        let row = file.rows::<FeatureRow>(merchant_id)?.into_iter().next();
        Ok(row.map(|row| by_name(file, row.values)))
    }

    /// The window sums, and the rows behind them, that a merchant's features were computed from, by column; `None` if the run
    /// holds none.
    ///
    /// # Errors
    /// The file cannot be read or its digest does not hold.
    pub fn evidence(&self, merchant_id: &str) -> Result<Option<BTreeMap<String, Option<i64>>>, PublishError> {
        let file = self.on_demand(&self.evidence, "evidence")?;
        let row = file.rows::<EvidenceRow>(merchant_id)?.into_iter().next();
        Ok(row.map(|row| by_name(file, row.values)))
    }

    /// All rows of one of the run's tables, in the file's order, its digest checked first.
    ///
    /// # Errors
    /// The run holds no such table, or it is not what was published.
    pub fn all<R: OutputRow>(&self) -> Result<TableReader<R>, PublishError> {
        let name = format!("{}.parquet", R::table().name);
        let Some(entry) = self.manifest.file(&name) else {
            return Err(PublishError::malformed(&self.run_dir.join(MANIFEST), format!("it lists no {name}")));
        };
        let path = self.run_dir.join(&name);
        let found = Digest::of_file(&path).map_err(PublishError::published_file("read", &path))?;
        if found != entry.sha256 {
            return Err(PublishError::DigestMismatch { path, expected: entry.sha256, found });
        }
        TableReader::open(&path)
    }

    /// The names of the run's features, in the order of [`FeatureRow::values`].
    ///
    /// # Errors
    /// As [`ScoreBook::features`].
    pub fn feature_names(&self) -> Result<Vec<String>, PublishError> {
        let file = self.on_demand(&self.features, "features")?;
        Ok(file.names().skip(1).map(ToOwned::to_owned).collect())
    }

    /// A JSON file of the run, by its path in the manifest, its digest checked.
    ///
    /// # Errors
    /// The manifest does not list it, it cannot be read, its digest does not hold, or it is not what it should be.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, PublishError> {
        let Some(entry) = self.manifest.file(name) else {
            return Err(PublishError::malformed(&self.run_dir.join(MANIFEST), format!("it lists no {name}")));
        };
        let path = self.run_dir.join(name);
        let bytes = std::fs::read(&path).map_err(PublishError::published_file("read", &path))?;
        let found = Digest::of(&bytes);
        if found != entry.sha256 {
            return Err(PublishError::DigestMismatch { path, expected: entry.sha256, found });
        }
        serde_json::from_slice(&bytes).map_err(|e| PublishError::malformed(&path, e.to_string()))
    }

    fn on_demand<'a>(&'a self, slot: &'a OnceLock<SortedFile>, table: &str) -> Result<&'a SortedFile, PublishError> {
        if let Some(file) = slot.get() {
            return Ok(file);
        }
        let file = open_table(&self.run_dir, &self.manifest, table)?;
        // Of two threads that both opened it, one keeps its own.
        Ok(slot.get_or_init(|| file))
    }
}

/// Values of one row by column, the key column left out.
fn by_name<T>(file: &SortedFile, values: Vec<T>) -> BTreeMap<String, T> {
    file.names().skip(1).map(ToOwned::to_owned).zip(values).collect()
}

fn open_table(run_dir: &Path, manifest: &Manifest, table: &str) -> Result<SortedFile, PublishError> {
    let name = format!("{table}.parquet");
    match manifest.file(&name) {
        Some(entry) => SortedFile::open(run_dir, entry),
        None => Err(PublishError::malformed(&run_dir.join(MANIFEST), format!("it lists no {name}"))),
    }
}

/// What the current run says of a merchant.
///
/// # Errors
/// As [`ScoreBook::open`] and [`ScoreBook::get`].
pub fn lookup(out: &Path, merchant_id: &str) -> Result<Option<Entry>, PublishError> {
    ScoreBook::open(out)?.get(merchant_id)
}
