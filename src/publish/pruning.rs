//! Removes old runs: which ones may go, and how they go so that no reader ever sees half of one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use arrow::array::AsArray as _;
use arrow::datatypes::Date32Type;
use jiff::Timestamp;
use jiff::civil::Date;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::archive::{ArchivedInput, InputArchive};
use super::durable::sync_folder;
use super::error::PublishError;
use super::history::{self, PreviousRun, read_run};
use super::manifest::{Manifest, date_folder, run_path};
use super::prunings::{PRUNINGS, PRUNINGS_TEMPORARY, PrunedRun, PruningEntry, Prunings};
use super::publisher::Publisher;
use super::reader::TableReader;
use super::retention::Retention;
use super::row::OutputRow;
use super::run_list::{ListedRun, RunState, run_list};
use super::stage::STAGING;
use super::step::Step;
use crate::domain::Digest;
use crate::exposure::OpenOffer;
use crate::monitor::{Alert, AlertState, LoanLine};

/// Folder of runs on their way out, below the staging folder: what a kill leaves there, the next start sweeps.
const LEAVING: &str = "pruned";

/// Why a run stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    /// The loan service reads it.
    Current,
    /// It is of one of the newest business dates.
    LastNights,
    /// It is the last night of a month that is kept.
    MonthEnd,
    /// It made an offer that is still open, or on whose orders an open loan rests.
    OpenOffer,
    /// It made an offer to a merchant whose unpaid loan may have been drawn on it.
    UnpaidLoan,
    /// It opened an alert that still stands: an officer has it before them.
    StandingAlert,
    /// A run that stays was made from it, or is another version of it.
    NeededByKept,
    /// Its business date stands by it, and another run of that date stays.
    StandsForItsDate,
    /// Its manifest or its offers are damaged: what depends on it cannot be known.
    Damaged,
}

impl KeepReason {
    /// The reason as people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::LastNights => "newest nights",
            Self::MonthEnd => "month end",
            Self::OpenOffer => "made an open offer",
            Self::UnpaidLoan => "may have made the offer of an unpaid loan",
            Self::StandingAlert => "opened an alert that stands",
            Self::NeededByKept => "a run that stays was made from it",
            Self::StandsForItsDate => "its date stands by it",
            Self::Damaged => "damaged: remove it by hand once it has been looked at",
        }
    }
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A run, and why it stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRun {
    /// Business date.
    pub as_of: Date,
    /// Run folder, below the output folder.
    pub run: String,
    /// What has become of it.
    pub state: RunState,
    /// Size of its published files; null where the manifest is broken.
    pub bytes: Option<u64>,
    /// Why it stays; empty where it goes.
    pub kept_for: BTreeSet<KeepReason>,
}

impl PlannedRun {
    /// Whether it is to be removed.
    #[must_use]
    pub fn goes(&self) -> bool {
        self.kept_for.is_empty()
    }
}

/// Which runs stay and which go, and with them raw files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruningPlan {
    /// What is kept for its date.
    pub retention: Retention,
    /// Every run of the output folder, by business date.
    pub runs: Vec<PlannedRun>,
    /// What becomes of the archive of raw files.
    pub inputs: PlannedInputs,
}

/// What becomes of the archive of raw files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlannedInputs {
    /// Files that a run which stays was made from.
    pub staying: Vec<ArchivedInput>,
    /// Files that no run which stays was made from.
    pub leaving: Vec<ArchivedInput>,
    /// A run whose manifest is damaged: what it was made from is not known, so no file leaves.
    pub held_by: Option<String>,
    /// Runs that stay and lose raw files, because files are kept for a shorter time than runs.
    pub without: Vec<String>,
}

/// What a run stays for that a person may have to make it again for: its raw files stay with it, however old.
const NEEDS_RAW_FILES: [KeepReason; 5] = [
    KeepReason::Current,
    KeepReason::OpenOffer,
    KeepReason::UnpaidLoan,
    KeepReason::StandingAlert,
    KeepReason::Damaged,
];

impl PlannedInputs {
    /// What intact runs that stay were made from stays, whoever else has read it.
    fn of(
        out: &Path,
        runs: &[PlannedRun],
        intact: &BTreeMap<&str, PreviousRun>,
        first_kept: Option<Date>,
    ) -> Result<Self, PublishError> {
        let stay = || runs.iter().filter(|run| !run.goes());
        let is_needed = |run: &PlannedRun| {
            first_kept.is_none_or(|first| run.as_of >= first)
                || NEEDS_RAW_FILES.iter().any(|why| run.kept_for.contains(why))
        };
        let manifest = |run: &PlannedRun| Some(intact.get(run.run.as_str())?.manifest());
        let manifests = stay().filter(|run| is_needed(run)).filter_map(manifest);
        let needed: BTreeSet<Digest> = manifests.flat_map(|m| m.inputs.iter().map(|input| input.sha256)).collect();
        let held_by = stay().find(|run| !intact.contains_key(run.run.as_str())).map(|run| run.run.clone());
        let entries = InputArchive::of(out).entries()?.into_values();
        let (staying, leaving): (Vec<_>, Vec<_>) =
            entries.partition(|entry| held_by.is_some() || needed.contains(&entry.sha256));
        let gone: BTreeSet<Digest> = leaving.iter().map(|entry| entry.sha256).collect();
        let loses = |run: &&PlannedRun| {
            manifest(run)
                .is_some_and(|m| m.inputs_archived && m.inputs.iter().any(|input| gone.contains(&input.sha256)))
        };
        let without = stay().filter(loses).map(|run| run.run.clone()).collect();
        Ok(Self { staying, leaving, held_by, without })
    }
}

impl PruningPlan {
    /// The runs to be removed.
    pub fn leaving(&self) -> impl Iterator<Item = &PlannedRun> {
        self.runs.iter().filter(|run| run.goes())
    }

    /// Whether anything is to be removed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.leaving().next().is_some() || !self.inputs.leaving.is_empty()
    }
}

/// Says which runs of an output folder stay, each with every reason, and changes nothing.
///
/// # Errors
/// Nothing is published there; or the tables of the current run that say what is owed and open are missing or damaged: nothing may be removed then.
pub fn plan_pruning(out: &Path, retention: Retention) -> Result<PruningPlan, PublishError> {
    let listed = run_list(out)?.runs;
    let serving = history::serving(out)?.ok_or_else(|| PublishError::NothingPublished(out.to_owned()))?;
    let present: Vec<&ListedRun> = listed.iter().filter(|run| run.state != RunState::Pruned).collect();
    let mut intact = BTreeMap::new();
    for run in present.iter().filter(|run| run.state != RunState::Broken) {
        intact.insert(run.run.as_str(), PreviousRun::of(out, read_run(out, &run.run)?.1, Vec::new()));
    }
    let mut plan = Plan { kept: BTreeMap::new(), present, intact };
    plan.keep(&serving.run.pointer.run, KeepReason::Current);
    plan.by_date(retention);
    let newest = history::newest_run(out, |_| true, &mut Vec::new())?;
    let mut needs = Needs::default();
    let newest = newest.filter(|run| run.pointer != serving.run.pointer);
    for run in newest.into_iter().chain([serving.run]) {
        needs.add(&PreviousRun::of(out, run, Vec::new()))?;
    }
    plan.by_needs(&needs)?;
    plan.by_kept();
    plan.close(out, retention)
}

struct Plan<'a> {
    kept: BTreeMap<String, BTreeSet<KeepReason>>,
    present: Vec<&'a ListedRun>,
    /// Every run that is not broken.
    intact: BTreeMap<&'a str, PreviousRun>,
}

impl Plan<'_> {
    fn keep(&mut self, run: &str, why: KeepReason) {
        self.kept.entry(run.to_owned()).or_default().insert(why);
    }

    fn keep_each(&mut self, runs: impl IntoIterator<Item = String>, why: KeepReason) {
        for run in runs {
            self.kept.entry(run).or_default().insert(why);
        }
    }

    fn keep_all(&mut self, why: KeepReason, wanted: impl Fn(&ListedRun) -> bool) {
        let runs: Vec<String> = self.present.iter().filter(|run| wanted(run)).map(|run| run.run.clone()).collect();
        self.keep_each(runs, why);
    }

    /// Dates that an intact run stands by, ascending.
    fn standing_dates(&self) -> BTreeSet<Date> {
        self.present.iter().filter(|run| run.state.stands()).map(|run| run.as_of).collect()
    }

    fn by_date(&mut self, retention: Retention) {
        let dates: Vec<Date> = self.standing_dates().into_iter().collect();
        let Some(newest) = dates.last().copied() else { return };
        let last = usize::from(retention.keep_last.max(1));
        let first_kept = dates.len().checked_sub(last).and_then(|at| dates.get(at)).or_else(|| dates.first());
        let first_kept = first_kept.copied().unwrap_or(newest);
        self.keep_all(KeepReason::LastNights, |run| run.as_of >= first_kept);
        let month = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        let of_months: BTreeMap<i64, Date> = dates.iter().map(|date| (month(*date), *date)).collect();
        let from = month(newest) - i64::from(retention.keep_month_ends);
        let ends: BTreeSet<Date> = of_months.range(from..month(newest)).map(|(_, date)| *date).collect();
        self.keep_all(KeepReason::MonthEnd, |run| run.state.stands() && ends.contains(&run.as_of));
        self.keep_all(KeepReason::Damaged, |run| run.state == RunState::Broken);
    }

    fn by_needs(&mut self, needs: &Needs) -> Result<(), PublishError> {
        // What a restatement holds was offered to nobody.
        self.keep_all(KeepReason::OpenOffer, |run| {
            needs.offered_on.contains(&run.as_of) && run.state != RunState::Restatement
        });
        self.keep_all(KeepReason::StandingAlert, |run| {
            needs.alerts_opened_on.contains(&run.as_of) && run.state.stands()
        });
        let mut made = LoanOffers::new(&needs.loans);
        let mut damaged = Vec::new();
        for run in &self.present {
            let Some(intact) = self.intact.get(run.run.as_str()) else { continue };
            if run.state == RunState::Restatement {
                continue;
            }
            match made.add(intact, &run.run) {
                Ok(()) => {}
                Err(error) if error.is_damage() => damaged.push(run.run.clone()),
                Err(error) => return Err(error),
            }
        }
        self.keep_each(damaged, KeepReason::Damaged);
        self.keep_each(made.runs(), KeepReason::UnpaidLoan);
        Ok(())
    }

    /// What runs that stay were made from: one step back only, for each published all that it took over from earlier ones.
    fn by_kept(&mut self) {
        self.stand_for_dates();
        let needed: Vec<String> = self
            .kept
            .keys()
            .filter_map(|run| Some(self.intact.get(run.as_str())?.manifest()))
            .flat_map(|manifest| {
                let restated = manifest.restates.as_ref().map(|night| &night.first);
                manifest.previous.iter().chain(&manifest.beside).chain(restated)
            })
            .map(|before| run_path(before.as_of, &before.run_id))
            .filter(|run| self.intact.contains_key(run.as_str()))
            .collect();
        self.keep_each(needed, KeepReason::NeededByKept);
        self.stand_for_dates();
    }

    fn stand_for_dates(&mut self) {
        let dates: BTreeSet<Date> =
            self.present.iter().filter(|run| self.kept.contains_key(&run.run)).map(|run| run.as_of).collect();
        let alone: Vec<String> = self
            .present
            .iter()
            .filter(|run| run.state.stands() && dates.contains(&run.as_of) && !self.kept.contains_key(&run.run))
            .map(|run| run.run.clone())
            .collect();
        self.keep_each(alone, KeepReason::StandsForItsDate);
    }

    fn close(self, out: &Path, retention: Retention) -> Result<PruningPlan, PublishError> {
        let dates: Vec<Date> = self.standing_dates().into_iter().collect();
        let first_kept = retention.keep_raw_files.and_then(|last| {
            let at = dates.len().checked_sub(usize::from(last.max(1)));
            at.and_then(|at| dates.get(at)).or_else(|| dates.first()).copied()
        });
        let Self { mut kept, present, intact } = self;
        let planned = |run: &ListedRun| PlannedRun {
            as_of: run.as_of,
            run: run.run.clone(),
            state: run.state,
            bytes: intact.get(run.run.as_str()).map(|run| bytes_of(run.manifest())),
            kept_for: kept.remove(&run.run).unwrap_or_default(),
        };
        let runs: Vec<PlannedRun> = present.into_iter().map(planned).collect();
        let inputs = PlannedInputs::of(out, &runs, &intact, first_kept)?;
        Ok(PruningPlan { retention, runs, inputs })
    }
}

fn bytes_of(manifest: &Manifest) -> u64 {
    manifest.files.iter().map(|file| file.bytes).sum()
}

/// What the books of the newest runs go back to.
#[derive(Debug, Default)]
struct Needs {
    /// As-of dates of the runs that made the offers which are still open.
    offered_on: BTreeSet<Date>,
    /// As-of dates of the runs that opened the alerts which stand.
    alerts_opened_on: BTreeSet<Date>,
    /// Merchants with a loan that is open, written off with something owed, or not known, and when each was paid out, where that is known.
    loans: HashMap<String, BTreeSet<Option<Date>>>,
}

impl Needs {
    fn add(&mut self, run: &PreviousRun) -> Result<(), PublishError> {
        for offer in rows::<OpenOffer>(run)? {
            self.offered_on.insert(offer?.offered_on);
        }
        for alert in rows::<Alert>(run)? {
            let alert = alert?;
            if alert.state != AlertState::Cleared {
                self.alerts_opened_on.insert(alert.opened_on);
            }
        }
        for loan in rows::<LoanLine>(run)? {
            let loan = loan?;
            self.loans.entry(loan.merchant_id).or_default().insert(loan.disbursed_on);
        }
        Ok(())
    }
}

fn rows<T: OutputRow + DeserializeOwned>(run: &PreviousRun) -> Result<TableReader<T>, PublishError> {
    let name = format!("{}.parquet", T::table().name);
    let Some(path) = run.file(&name)? else {
        let why = "the run was published by another version of the program: what it offered and what is owed is not known, so nothing is removed";
        return Err(PublishError::malformed(&run.run_dir.join(name), why));
    };
    TableReader::open(&path)
}

/// Finds the runs whose offers unpaid loans may have been drawn on. The loan book does not name a loan's offer: what may have been it are all offers to
/// the borrower that were valid when the money was paid out; where none was, the last one before; where that day is not known, every one.
struct LoanOffers<'a> {
    loans: &'a HashMap<String, BTreeSet<Option<Date>>>,
    valid: BTreeSet<String>,
    /// By merchant and day of payment: the newest run of those whose offers had lapsed, and its date; `None` once a valid one was found.
    lapsed: HashMap<(&'a str, Date), Option<(Date, String)>>,
}

impl<'a> LoanOffers<'a> {
    fn new(loans: &'a HashMap<String, BTreeSet<Option<Date>>>) -> Self {
        Self { loans, valid: BTreeSet::new(), lapsed: HashMap::new() }
    }

    fn add(&mut self, intact: &PreviousRun, run: &str) -> Result<(), PublishError> {
        if self.loans.is_empty() {
            return Ok(());
        }
        let Some(path) = intact.file("offers.parquet")? else { return Ok(()) };
        for_each_offer(&path, |merchant, valid_until| {
            let Some((merchant, days)) = self.loans.get_key_value(merchant) else { return };
            for day in days {
                match day {
                    None => _ = self.valid.insert(run.to_owned()),
                    Some(day) if intact.as_of > *day => {}
                    Some(day) if *day <= valid_until => {
                        self.valid.insert(run.to_owned());
                        self.lapsed.insert((merchant, *day), None);
                    }
                    Some(day) => {
                        let none_yet = || Some((Date::MIN, String::new()));
                        let last = self.lapsed.entry((merchant, *day)).or_insert_with(none_yet);
                        if let Some(last) = last.as_mut().filter(|last| last.0 <= intact.as_of) {
                            *last = (intact.as_of, run.to_owned());
                        }
                    }
                }
            }
        })
    }

    fn runs(self) -> BTreeSet<String> {
        let mut runs = self.valid;
        runs.extend(self.lapsed.into_values().flatten().map(|(_, run)| run));
        runs
    }
}

/// Calls `each` with merchant and last day of every offer of a table.
fn for_each_offer(path: &Path, mut each: impl FnMut(&str, Date)) -> Result<(), PublishError> {
    let file = File::open(path).map_err(PublishError::io("open", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(PublishError::parquet("read", path))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["merchant_id", "valid_until_on"]);
    let batches = builder.with_projection(mask).build().map_err(PublishError::parquet("read", path))?;
    for batch in batches {
        let batch = batch.map_err(|e| PublishError::malformed(path, e.to_string()))?;
        let mistyped =
            |name: &str| PublishError::malformed(path, format!("column {name} is missing or of another type"));
        let merchants = batch.column_by_name("merchant_id").and_then(|column| column.as_string_opt::<i32>());
        let merchants = merchants.ok_or_else(|| mistyped("merchant_id"))?;
        let days = batch.column_by_name("valid_until_on").and_then(|column| column.as_primitive_opt::<Date32Type>());
        let days = days.ok_or_else(|| mistyped("valid_until_on"))?;
        for (merchant, day) in merchants.iter().zip(days.iter()) {
            let span = jiff::Span::new().try_days(day.unwrap_or_default()).ok();
            let until = span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span).ok());
            let until = until.ok_or_else(|| PublishError::malformed(path, "valid_until_on is beyond the calendar"))?;
            each(merchant.unwrap_or_default(), until);
        }
    }
    Ok(())
}

/// Who has runs removed, and when: the caller's clock and environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruningOrder {
    /// What is kept for its date.
    pub retention: Retention,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Publisher<'_> {
    /// Removes the runs that may go. The log is written first; then each date that keeps no run, or each run of a date that keeps others, leaves the
    /// readers' sight by one rename, and is removed from there. Whatever instant the process is killed at, each run is there whole or gone; what was logged
    /// and not yet removed goes with the next pruning. Raw files that no run needs any more, or that are older than `keep_raw_files` says, leave the archive after them.
    ///
    /// # Errors
    /// As [`plan_pruning`], or the operating system refuses.
    pub fn prune(&mut self, order: &PruningOrder) -> Result<(PruningPlan, Option<PruningEntry>), PublishError> {
        let out = self.out().to_owned();
        let plan = plan_pruning(&out, order.retention)?;
        if !plan.is_any() {
            return Ok((plan, None));
        }
        let removed = plan.leaving().map(|run| pruned_run(&out, run)).collect::<Result<_, _>>()?;
        let entry = PruningEntry {
            at: order.at,
            by: order.by.clone(),
            retention: order.retention,
            removed,
            inputs: plan.inputs.leaving.clone(),
            without_inputs: plan.inputs.without.clone(),
        };
        let mut log = Prunings::read(&out)?;
        log.entries.push(entry.clone());
        let path = out.join(PRUNINGS);
        self.replace(&out.join(PRUNINGS_TEMPORARY), &path, &log.to_bytes(&path)?, &Step::PruningLogged)?;
        sync_folder(&out)?;
        self.remove(&plan)?;
        // Last: whoever is killed before leaves files that no run needs, never a run without its files.
        self.unarchive(&plan.inputs.leaving)?;
        Ok((plan, Some(entry)))
    }

    fn remove(&mut self, plan: &PruningPlan) -> Result<(), PublishError> {
        let out = self.out().to_owned();
        let kept: BTreeSet<Date> = plan.runs.iter().filter(|run| !run.goes()).map(|run| run.as_of).collect();
        let leaving = out.join(STAGING).join(LEAVING);
        std::fs::create_dir_all(&leaving).map_err(PublishError::io("make folder", &leaving))?;
        let paths: BTreeSet<String> = plan
            .leaving()
            .map(|run| if kept.contains(&run.as_of) { run.run.clone() } else { date_folder(run.as_of) })
            .collect();
        for path in paths {
            let (from, to) = (out.join(&path), leaving.join(path.replace('/', ".")));
            std::fs::rename(&from, &to).map_err(PublishError::io("remove", &from))?;
            sync_folder(from.parent().unwrap_or(&out))?;
            self.reached(&Step::Removed(from.clone()), &from)?;
        }
        match std::fs::remove_dir_all(out.join(STAGING)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(PublishError::io("remove", &leaving)(e)),
            _ => Ok(()),
        }
    }
}

fn pruned_run(out: &Path, run: &PlannedRun) -> Result<PrunedRun, PublishError> {
    let (finished_at, found) = read_run(out, &run.run)?;
    Ok(PrunedRun {
        run: run.run.clone(),
        as_of: run.as_of,
        state: run.state,
        finished_at,
        manifest_sha256: found.pointer.manifest_sha256,
        bytes: bytes_of(&found.manifest),
    })
}
