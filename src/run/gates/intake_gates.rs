//! Gates on what came in: tables that are absent, shrunk or older than they usually are, or have lost columns or files, rows that name
//! people otherwise than orders do, and an as-of date past the data's own clock.
//!
//! The night before is the reference. Rows are compared with the most that a table has had, age with the least that it has had, both
//! carried from night to night, so that a table which loses a little every night is found out too. Fewer rows, bytes or files that the job allows by
//! name become the new reference; a table that is absent or late, or has lost a column, is missed again when the allowance has run out. A first night has no
//! reference, and says so: every table that the job declares must be there, and may be no older than a number of days.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::changed_files::{HELD_OTHER_BYTES, changed_files};
use super::column_gates::{FilesBefore, has_lost, named_few, narrower_files};
use super::decision_gates::GateError;
use super::gate_settings::{Fault, GateSettings, TableLimits};
use super::gone_files::{gone_files, told};
use super::missing_days::missing_days;
use super::unstated::{CAME_WITHOUT_DIGEST, unstated_files};
use crate::domain::{days_between, grouped};
use crate::publish::{PreviousRun, PublishError};
use crate::run::Job;
use crate::run::summary::TableCounts;
use crate::run::table_files::TableFiles;
use crate::source::ColumnGap;
use crate::wash::{Activity, Amounts, Ingested, JumpedAmounts, LedgerLine, PACED_DAYS, People, PeopleByKind};

/// Of fewer rows, chance may name most of them otherwise.
const FEWEST_NAMED: u64 = 30;

/// Days whose amounts a first night compares with those before them.
const FIRST_DAYS: i64 = 28;

/// Days for which rows that are missing may still come.
const DAYS_LATE_ROWS_COME: i32 = 3;

/// Days that a table may rest while others go on trading.
const REST_DAYS: i32 = 7;

/// What the gates found: a part of `results.json`, and what the next night is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeVerdict {
    /// The night that this one was compared with; null on a first night, when there is nothing to compare with.
    pub reference: Option<ReferenceNight>,
    /// Faults that the job allows by name.
    pub allowed: Vec<AllowedFault>,
    /// Sources of the job without a file.
    pub absent: Vec<String>,
    /// Columns that some of an input's files have and others lack; null where an earlier version of the program did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_gaps: Option<Vec<ColumnGap>>,
    /// Files whose digest nobody stated, though one was stated the night before, or is of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstated: Vec<TableFiles>,
    /// Files of days past that hold other bytes than on the night before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<TableFiles>,
}

impl IntakeVerdict {
    /// What is told of files, each under a heading: such as came without a digest, and such as were changed.
    pub fn told_of_files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let unstated = self.unstated.iter().map(|files| ("checksums", format!("{files}{CAME_WITHOUT_DIGEST}")));
        unstated.chain(self.changed.iter().map(|files| ("changed", format!("{files}{HELD_OTHER_BYTES}"))))
    }
}

/// The night before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceNight {
    /// Names the run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
}

/// A fault that did not stop the night.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedFault {
    /// What is wrong.
    #[serde(flatten)]
    pub finding: GateFinding,
    /// Why it was allowed: the job's reason, or the caller's.
    pub reason: String,
    /// Last as-of date on which the job allows it; null where the caller forced the date.
    pub until: Option<Date>,
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateFinding {
    /// Contract table; `joined` for files whose rows are only joined to others.
    pub table: String,
    /// The fault.
    pub what: Fault,
    /// What was, or should be.
    pub was: String,
    /// What is.
    pub is: String,
    /// An allowance that has run out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expired: Option<Date>,
}

impl fmt::Display for GateFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, what, was, is, expired } = self;
        write!(f, "{table} ({what}): {is}; {was}")?;
        if let Some(until) = expired {
            write!(f, "; it was allowed until {until}")?;
        }
        Ok(())
    }
}

/// What is known of the night before.
struct Reference {
    night: ReferenceNight,
    tables: BTreeMap<String, TableCounts>,
    bytes: BTreeMap<String, u64>,
    files: FilesBefore,
    ledger: Vec<LedgerLine>,
}

impl Reference {
    fn read(previous: &PreviousRun) -> Result<Self, PublishError> {
        #[derive(Deserialize)]
        struct Results {
            tables: BTreeMap<String, TableCounts>,
            #[serde(default)]
            intake: IntakeVerdict,
        }
        let results: Option<Results> = previous.json("results.json")?;
        let ledger: Vec<LedgerLine> = previous.json("wash_ledger.json")?.unwrap_or_default();
        let inputs = &previous.manifest().inputs;
        let sizes: BTreeMap<&str, u64> = inputs.iter().map(|input| (input.name.as_str(), input.bytes)).collect();
        let (tables, intake) = results.map(|r| (r.tables, r.intake)).unwrap_or_default();
        Ok(Self {
            night: ReferenceNight { run_id: previous.run_id.clone(), as_of: previous.as_of },
            tables,
            bytes: bytes_by_table(&ledger, &sizes),
            files: FilesBefore {
                digests: inputs.iter().map(|input| (input.name.clone(), input.sha256)).collect(),
                gaps: intake.column_gaps,
            },
            ledger,
        })
    }
}

/// Bytes of the files that each table was made from.
fn bytes_by_table(ledger: &[LedgerLine], sizes: &BTreeMap<&str, u64>) -> BTreeMap<String, u64> {
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for line in ledger {
        *bytes.entry(line.table.clone()).or_default() += sizes.get(line.file.as_str()).copied().unwrap_or(0);
    }
    bytes
}

/// Tonight's tables, and what the gates say of them.
pub struct JudgedIntake {
    /// Counts and clocks by table, absent ones that the next night must miss included.
    pub tables: BTreeMap<String, TableCounts>,
    /// What was compared and allowed.
    pub verdict: IntakeVerdict,
    /// Faults that stop the night.
    pub faults: Vec<GateFinding>,
}

impl JudgedIntake {
    /// Days that a table's last day of usual trade is older than it usually is, without those on which the table usually rests, and days among the last three of which part of the rows may be missing; 0 where nothing is
    /// usual yet, and `None` where it is not there or has no row left, which tells nothing. A first night has nothing to say how old it usually is: it should be the day before as-of.
    #[must_use]
    pub fn days_late(&self, table: &str, ingested: &Ingested) -> Option<i32> {
        let counts = self.tables.get(table).filter(|_| ingested.store.rows(table).is_some());
        if counts.is_none_or(|counts| counts.kept == 0 && counts.most_rows > 0) {
            return None;
        }
        let ages = counts.and_then(|counts| counts.least_days_old.zip(counts.days_old(ingested.as_of.date())));
        let last = counts.and_then(TableCounts::last_day);
        let activity = ingested.activity.get(table).filter(|activity| activity.recent_days() >= PACED_DAYS);
        let (Some((usual, now)), Some(last), Some(activity)) = (ages, last, activity) else { return Some(0) };
        let usual = if self.verdict.reference.is_none() { usual.min(1) } else { usual };
        Some(activity.days_missed(last, now - usual).saturating_add(activity.days_short(last, DAYS_LATE_ROWS_COME)))
    }

    /// The error that these faults are.
    ///
    /// # Errors
    /// There is at least one.
    pub fn stop_on_faults(&self) -> Result<(), GateError> {
        if self.faults.is_empty() { Ok(()) } else { Err(GateError::Tables { findings: self.faults.clone() }) }
    }
}

/// Holds tonight's tables against the night before and against the as-of date; where this date is run again, also against the run that it
/// stands by: a table that has gone missing since this morning is no less missing for there being no night before.
///
/// # Errors
/// The files of the night before cannot be read, or are not what was published.
pub fn judge_intake(
    job: &Job,
    ingested: &Ingested,
    previous: Option<&PreviousRun>,
    standing: Option<&PreviousRun>,
    forced: Option<&str>,
    names_buyers: bool,
) -> Result<JudgedIntake, PublishError> {
    let reference = previous.map(Reference::read).transpose()?;
    let as_of = ingested.as_of.date();
    let mut tables = counts(ingested);
    for (name, table) in &mut tables {
        let activity = ingested.activity.get(name.as_str());
        table.set_clock(activity, as_of);
    }
    // Who forces a date past the data answers for the days in between, and not for a table that is behind the others.
    let aged_on = if forced.is_some() { day_after_data(ingested).map_or(as_of, |day| day.min(as_of)) } else { as_of };
    let gates = || Gates { settings: &job.gates, as_of, aged_on, forced, allowed: Vec::new(), faults: Vec::new() };
    let seen = tables.clone();
    let mut against_previous = gates();
    if let Some(reference) = &reference {
        tables.extend(against_previous.hold_against(reference, job, ingested, &seen));
    } else {
        against_previous.first_night(job, ingested, &seen);
    }
    against_previous.data_clock(&tables, &ingested.activity);
    let judged_from = reference.as_ref().map_or_else(|| first_judged_day(as_of), |reference| reference.night.as_of);
    against_previous.other_unit(&ingested.amounts, judged_from);
    if names_buyers {
        against_previous.other_names(&ingested.people);
    }
    let Gates { allowed, mut faults, .. } = against_previous;
    // Bytes must not depend on how often a date was run: what the standing run says can stop this one and leaves no other trace.
    if let Some(standing) = standing {
        let mut against_standing = gates();
        against_standing.hold_against(&Reference::read(standing)?, job, ingested, &seen);
        for fault in against_standing.faults {
            if !faults.iter().any(|found| (&found.table, found.what) == (&fault.table, fault.what)) {
                faults.push(fault);
            }
        }
    }
    let absent = job
        .intake
        .source
        .sources
        .iter()
        .filter(|source| ingested.store.rows(source.table).is_none())
        .map(|source| source.table.to_owned())
        .collect();
    let lines: Vec<&LedgerLine> = ingested.whole_ledger().collect();
    let unstated = unstated_files(&lines, reference.as_ref().map(|r| r.ledger.as_slice()));
    let changed =
        reference.as_ref().map(|r| changed_files(&job.intake.source, &ingested.inputs, &r.files)).unwrap_or_default();
    let gaps = ingested.column_gaps.iter().filter(|gap| !gap.is_in_none).cloned();
    let verdict = IntakeVerdict {
        reference: reference.map(|r| r.night),
        allowed,
        absent,
        column_gaps: Some(gaps.collect()),
        unstated,
        changed,
    };
    Ok(JudgedIntake { tables, verdict, faults })
}

/// Counts by table of what could be seen.
fn counts(ingested: &Ingested) -> BTreeMap<String, TableCounts> {
    let mut tables: BTreeMap<String, TableCounts> = BTreeMap::new();
    for line in &ingested.ledger {
        let counts = tables.entry(line.table.clone()).or_default();
        counts.kept += line.kept - line.not_yet_visible.min(line.kept);
        counts.quarantined += line.quarantined;
        counts.duplicate += line.duplicate.saturating_sub(line.copies);
        counts.skipped += line.skipped;
    }
    for (table, counts) in &mut tables {
        counts.most_rows = counts.kept;
        let filled = ingested.filled.get(table.as_str()).into_iter().flatten();
        counts.filled =
            filled.filter(|(_, rows)| **rows > 0).map(|(column, rows)| ((*column).to_owned(), *rows)).collect();
    }
    tables
}

impl TableCounts {
    fn set_clock(&mut self, activity: Option<&Activity>, as_of: Date) {
        let usual = activity.and_then(Activity::last_usual_day);
        self.last_event_on = activity.and_then(Activity::last_on);
        self.usual_until_on = usual.map(|day| day.on);
        self.least_days_old = self.days_old(as_of);
    }

    /// Age of the last day of usual trade; of the last event where no day is usual.
    fn days_old(&self, as_of: Date) -> Option<i32> {
        self.last_day().map(|day| days_between(day, as_of))
    }

    /// The last day of usual trade, or of the last event where no day is usual.
    fn last_day(&self) -> Option<Date> {
        self.usual_until_on.or(self.last_event_on)
    }

    /// What the next night must know of a table that is not there.
    fn absent(was: &Self) -> Self {
        let (most_rows, least_days_old, filled) = (was.most_rows, was.least_days_old, was.filled.clone());
        Self { most_rows, least_days_old, filled, ..Self::default() }
    }
}

/// The first day whose amounts a first night compares with those before it.
fn first_judged_day(as_of: Date) -> Date {
    as_of.saturating_sub(FIRST_DAYS.days())
}

/// Days that a table may be older than usual because it rests.
fn pause(activity: &Activity) -> i32 {
    i32::from(activity.usual_gap_days()).saturating_sub(1)
}

/// The day after the last day of usual trade of the table that is furthest on.
fn day_after_data(ingested: &Ingested) -> Option<Date> {
    let last = ingested.activity.values().filter_map(Activity::last_usual_day).map(|day| day.on).max();
    last.and_then(|day| day.tomorrow().ok())
}

struct Gates<'a> {
    settings: &'a GateSettings,
    as_of: Date,
    /// Ages of tables are counted up to this day: the as-of date, or where that is forced past the data, the day after the data.
    aged_on: Date,
    forced: Option<&'a str>,
    allowed: Vec<AllowedFault>,
    faults: Vec<GateFinding>,
}

impl Gates<'_> {
    /// Compares every table of an earlier run; returns tonight's counts with the marks that the next night is held against.
    fn hold_against(
        &mut self,
        reference: &Reference,
        job: &Job,
        ingested: &Ingested,
        seen: &BTreeMap<String, TableCounts>,
    ) -> BTreeMap<String, TableCounts> {
        let sizes = ingested.inputs.iter().map(|input| (input.path.as_str(), input.bytes)).collect();
        let bytes = bytes_by_table(&ingested.ledger, &sizes);
        let declared: BTreeSet<&str> = job.intake.source.sources.iter().map(|s| s.table).collect();
        let mut carried = BTreeMap::new();
        for (name, was) in &reference.tables {
            let limits = self.settings.limits(name);
            match seen.get(name).filter(|_| ingested.store.rows(name).is_some()) {
                None => {
                    let allowed = self.absent(name, was, reference);
                    // A source that the job no longer names is given up once that was allowed.
                    if declared.contains(name.as_str()) || !allowed {
                        carried.insert(name.clone(), TableCounts::absent(was));
                    }
                }
                Some(is) => {
                    let mut counts = self.compare(name, &limits, was, is, &ingested.activity);
                    self.lost_values(name, was, &mut counts, &ingested.column_gaps);
                    self.fewer_values(name, &limits, was, &mut counts);
                    carried.insert(name.clone(), counts);
                    self.shrunk_files(name, &limits, reference.bytes.get(name), bytes.get(name));
                }
            }
        }
        self.narrower_files(reference, ingested);
        self.gone_files(reference, job, ingested);
        self.missing_days(reference, job, ingested);
        carried
    }

    /// Columns that had values and have none. An allowance does not make that usual: when it has run out, they are missed again.
    fn lost_values(&mut self, table: &str, was: &TableCounts, counts: &mut TableCounts, gaps: &[ColumnGap]) {
        let gone: Vec<(&String, &u64)> =
            was.filled.iter().filter(|(column, _)| !counts.filled.contains_key(*column)).collect();
        let is_in_no_file =
            |column: &str| gaps.iter().any(|gap| gap.is_in_none && gap.table == table && gap.column == column);
        let lost: Vec<(&str, u64)> = gone
            .iter()
            .filter(|(column, rows)| counts.kept > 0 && has_lost(**rows, is_in_no_file(column)))
            .map(|(column, rows)| (column.as_str(), **rows))
            .collect();
        counts.filled.extend(gone.into_iter().map(|(column, rows)| (column.clone(), *rows)));
        if !lost.is_empty() {
            let columns: Vec<&str> = lost.iter().map(|(column, _)| *column).collect();
            let had: Vec<String> =
                lost.iter().map(|(column, rows)| format!("{column} in {}", grouped(*rows))).collect();
            let had = format!("the last night that had any had {} rows", had.join(", "));
            self.find(table, Fault::ColumnLost, had, format!("no row has a value of {} any more", columns.join(", ")));
        }
    }

    /// Columns that have lost more of their values than the table may lose rows, beyond what went with the rows themselves. What is allowed is usual from then on.
    fn fewer_values(&mut self, table: &str, limits: &TableLimits, was: &TableCounts, counts: &mut TableCounts) {
        let stays = (counts.kept as f64 / was.most_rows.max(1) as f64).min(1.0) * (1.0 - limits.fewer_rows_share);
        let fewer: Vec<(String, u64, u64)> = was
            .filled
            .iter()
            .filter_map(|(column, had)| Some((column.clone(), *had, *counts.filled.get(column)?)))
            .filter(|(_, had, has)| (*has as f64) < stays * *had as f64 && has_lost(had - has, false))
            .collect();
        let is_allowed = fewer.is_empty() || {
            let (had, has) = told_of_fewer(&fewer, limits);
            self.find(table, Fault::ColumnLost, had, has)
        };
        // Rows that are gone for good took their values with them.
        if !is_allowed || counts.most_rows < was.most_rows {
            return;
        }
        for (column, had) in &was.filled {
            let is_fewer = fewer.iter().any(|(name, ..)| name == column);
            if let Some(has) = counts.filled.get_mut(column).filter(|_| !is_fewer) {
                *has = (*has).max(*had);
            }
        }
    }

    /// Files that came since the night before and lack columns which the files before them have.
    fn narrower_files(&mut self, reference: &Reference, ingested: &Ingested) {
        let mut by_table: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for gap in ingested.column_gaps.iter().filter(|gap| !gap.is_in_none) {
            let files = narrower_files(gap, &ingested.inputs, &reference.files);
            if !files.is_empty() {
                by_table.entry(&gap.table).or_default().push(format!("{} ({})", gap.column, named_few(&files)));
            }
        }
        for (table, columns) in by_table {
            let had = "the files next before them by name have it, and it would be null there".to_owned();
            self.find(table, Fault::ColumnLost, had, format!("files that are new lack {}", columns.join(", ")));
        }
    }

    /// Files that the earlier run was made from and that are gone, though others of their input stand.
    fn gone_files(&mut self, reference: &Reference, job: &Job, ingested: &Ingested) {
        let ReferenceNight { run_id, as_of } = &reference.night;
        for (table, files) in gone_files(&job.intake.source, &ingested.inputs, &reference.files) {
            let had = format!(
                "the night of {as_of} (run {run_id}) was made from them too, and no file has their bytes under another name; bring them back, or \
                 allow it for a night where they were taken back or are in other files now"
            );
            self.find(table, Fault::FilesGone, had, told(&files));
        }
    }

    /// Days for which files should have come and have not. An allowance holds for the nights up to its date: once a night went on without a day, it is not
    /// missed again.
    fn missing_days(&mut self, reference: &Reference, job: &Job, ingested: &Ingested) {
        let before = (&reference.files, reference.night.as_of);
        for (table, days) in missing_days(&job.intake.source, &ingested.inputs, before, self.as_of) {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            let had =
                "its files are named by day, and over the eight weeks before each weekday always had one or never did"
                    .to_owned();
            self.find(
                table,
                Fault::DayMissing,
                had,
                format!("no file with rows of its own came for {}", days.join(", ")),
            );
        }
    }

    /// Reviews and disputes by others than the buyer are suspect or count for nothing. Where most seem to be so, the two tables name people
    /// differently, and what was complained of would be lost. Kinds of disputes are looked at one by one: they may come from several systems.
    fn other_names(&mut self, people: &BTreeMap<&'static str, PeopleByKind>) {
        for (table, by_kind) in people {
            let is_otherwise = |people: &&People| people.named >= FEWEST_NAMED && 2 * people.others > people.named;
            let found: Vec<String> = by_kind
                .iter()
                .filter(|(_, people)| is_otherwise(people))
                .map(|(kind, People { named, others })| {
                    let rows = if kind.is_empty() { "rows".to_owned() } else { format!("rows of {kind}") };
                    format!("{} of {} {rows}", grouped(*others), grouped(*named))
                })
                .collect();
            if !found.is_empty() {
                let is = format!("{} name somebody else than their order's buyer", found.join(", "));
                let was = "at most half may: let the SELECT name people as orders do or leave buyer_id null, or switch the sign off \
                           (not_the_buyer.suffices = 0 under [authenticity] of the features file)";
                self.find(table, Fault::OtherNames, was.to_owned(), is);
            }
        }
    }

    /// Days since the night before whose amounts are of another order of magnitude than those of the weeks before each.
    fn other_unit(&mut self, amounts: &BTreeMap<&'static str, Amounts>, from: Date) {
        for (table, amounts) in amounts {
            let jumps = amounts.jumps(table, from, self.as_of);
            let Some(last) = jumps.last() else { continue };
            let (rows, on) = (grouped(last.rows), last.on);
            let is = match last.what {
                JumpedAmounts::Median { of_day, .. } => {
                    format!("the middle one of the {rows} amounts of {on} is about {} minor units", grouped(of_day))
                }
                JumpedAmounts::Large { rows: large, most } => {
                    format!("{} of the {rows} amounts of {on} are beyond {} minor units", grouped(large), grouped(most))
                }
            };
            let days = match jumps.len() {
                1 => String::new(),
                more => format!(", and so on {} days before", more - 1),
            };
            let was = match last.what {
                JumpedAmounts::Median { usual, .. } => {
                    format!("that of the eight weeks before is about {}", grouped(usual))
                }
                JumpedAmounts::Large { .. } => {
                    "hardly one in a thousand of the eight weeks before was, and one in twenty may be".to_owned()
                }
            };
            let was = format!("{was}. Are they in the unit that the SELECT takes them for?");
            self.find(table, Fault::OtherUnit, was, format!("{is}{days}"));
        }
    }

    /// Enters a fault; says whether it is allowed.
    fn find(&mut self, table: &str, what: Fault, was: String, is: String) -> bool {
        let (holds, expired) = self.settings.allowance(table, what, self.as_of);
        let expired = expired.map(|a| a.until);
        let finding = GateFinding { table: table.to_owned(), what, was, is, expired };
        let forced = self.forced.filter(|_| what == Fault::PastData).map(|reason| (reason.to_owned(), None));
        if let Some((reason, until)) = holds.map(|a| (a.reason.clone(), Some(a.until))).or(forced) {
            self.allowed.push(AllowedFault { finding: GateFinding { expired: None, ..finding }, reason, until });
            return true;
        }
        self.faults.push(finding);
        false
    }

    fn absent(&mut self, table: &str, was: &TableCounts, reference: &Reference) -> bool {
        if was.most_rows == 0 {
            return true;
        }
        let night = &reference.night;
        let had =
            format!("up to the night of {} (run {}) it had {} rows", night.as_of, night.run_id, grouped(was.most_rows));
        self.find(table, Fault::Absent, had, "it is not there".to_owned())
    }

    /// Rows and age; returns tonight's counts with the marks that the next night is compared with.
    fn compare(
        &mut self,
        table: &str,
        limits: &TableLimits,
        was: &TableCounts,
        is: &TableCounts,
        activity: &BTreeMap<&'static str, Activity>,
    ) -> TableCounts {
        let mut carried = is.clone();
        carried.most_rows = is.kept.max(was.most_rows);
        let least = (1.0 - limits.fewer_rows_share) * was.most_rows as f64;
        if (is.kept as f64) < least {
            let had = format!(
                "it has had {}, and may lose {} % (fewer_rows_share)",
                grouped(was.most_rows),
                100.0 * limits.fewer_rows_share
            );
            let quarantined = if is.quarantined > 0 {
                format!(" ({} are quarantined)", grouped(is.quarantined))
            } else {
                String::new()
            };
            let has = format!("it has {} clean rows{quarantined}", grouped(is.kept));
            if self.find(table, Fault::FewerRows, had, has) {
                carried.most_rows = is.kept;
            }
        }
        let Some((usual, now)) = was.least_days_old.zip(is.days_old(self.aged_on)) else {
            // A night without a day of trade says nothing of how old the table usually is.
            carried.least_days_old = is.least_days_old.or(was.least_days_old);
            return carried;
        };
        carried.least_days_old = Some(usual.min(now));
        // A table with days of rest is not late while it rests as long as it does at other times.
        let pause = activity.get(table).map_or(0, pause);
        let tolerated = i32::from(limits.days_older).max(pause);
        if now > usual.saturating_add(tolerated) {
            let had = format!("it usually lies {usual} days back, and may lie {tolerated} more (days_older)");
            let day = is.last_day().map(|d| d.to_string()).unwrap_or_default();
            let has = format!("its last day of usual trade is {day}, {now} days before {}", self.aged_on);
            // An allowance does not make staleness usual: when it has run out, the table is still late. A lag that stays is `days_older`.
            self.find(table, Fault::Older, had, has);
        }
        carried
    }

    /// Every declared table by itself, where there is no night before: absent and empty ones, and those whose last day of usual trade lies too far back.
    /// Tables with events on fewer than ten days of half a year say nothing of their own pace.
    fn first_night(&mut self, job: &Job, ingested: &Ingested, seen: &BTreeMap<String, TableCounts>) {
        for source in &job.intake.source.sources {
            let table = source.table;
            let is = match ingested.store.rows(table) {
                None => "it is not there",
                Some(_) if seen.get(table).is_none_or(|counts| counts.kept == 0) => "it has no row that can be seen",
                Some(_) => continue,
            };
            let declared = "the job declares it, and a first night has none before it that did without".to_owned();
            self.find(table, Fault::Absent, declared, is.to_owned());
        }
        for (table, activity) in &ingested.activity {
            let Some(pace) = activity.first_night_pace(self.aged_on) else { continue };
            let (behind, day) = (pace.days_behind, pace.last_on);
            let tolerated = pace.tolerated(self.settings.limits(table).first_night_days);
            if behind > tolerated {
                let may =
                    format!("on a first night it may lie {tolerated} days before the day before (first_night_days)");
                let has = format!(
                    "its last day of usual trade is {day}, {behind} days before the day before {}",
                    self.aged_on
                );
                self.find(table, Fault::Older, may, has);
            }
        }
    }

    fn shrunk_files(&mut self, table: &str, limits: &TableLimits, was: Option<&u64>, is: Option<&u64>) {
        let (was, is) = (was.copied().unwrap_or(0), is.copied().unwrap_or(0));
        if (is as f64) < (1.0 - limits.fewer_bytes_share) * was as f64 {
            let had = format!(
                "in the run published before they had {}, and may lose {} % (fewer_bytes_share)",
                grouped(was),
                100.0 * limits.fewer_bytes_share
            );
            self.find(table, Fault::FewerBytes, had, format!("its files have {} bytes", grouped(is)));
        }
    }

    /// The as-of date against the last day of usual trade of every table that trades daily. Those furthest on are the data's clock and must
    /// keep up; others may rest for a week, as carriers do over holidays. Where no table trades daily, the one furthest on must keep up, but
    /// for the days on which it usually rests.
    fn data_clock(&mut self, tables: &BTreeMap<String, TableCounts>, activity: &BTreeMap<&'static str, Activity>) {
        let mut clocks: Vec<(&str, Date, bool, i32)> = Vec::new();
        for (name, active) in activity {
            if let Some(day) = active.last_usual_day().filter(|_| tables.contains_key(*name)) {
                let pause = if day.is_daily { 0 } else { i32::from(active.usual_gap_days()) };
                clocks.push((name, day.on, day.is_daily, pause));
            }
        }
        if clocks.iter().any(|(_, _, is_daily, _)| *is_daily) {
            clocks.retain(|(_, _, is_daily, _)| *is_daily);
        } else if let Some(furthest) = clocks.iter().copied().max_by_key(|(_, day, _, pause)| (*day, *pause)) {
            clocks = vec![furthest];
        }
        let furthest = clocks.iter().map(|(_, day, ..)| *day).max();
        for (table, day, _, pause) in clocks {
            let past = days_between(day, self.as_of) - 1;
            let mut tolerated = i32::from(self.settings.limits(table).days_past_data).max(pause);
            if furthest != Some(day) {
                tolerated = tolerated.max(REST_DAYS);
            }
            if past > tolerated {
                let had = format!("an as-of date may lie {tolerated} days past the day after it (days_past_data)");
                let has = format!("its last day of usual trade is {day}, and the as-of date is {}", self.as_of);
                self.find(table, Fault::PastData, had, has);
            }
        }
    }
}

/// What columns had and have, in rows with a value.
fn told_of_fewer(fewer: &[(String, u64, u64)], limits: &TableLimits) -> (String, String) {
    let had: Vec<String> = fewer.iter().map(|(_, had, _)| grouped(*had)).collect();
    let has: Vec<String> = fewer.iter().map(|(column, _, has)| format!("{column} in {}", grouped(*has))).collect();
    let may_lose = 100.0 * limits.fewer_rows_share;
    (
        format!("they had {}, and may lose {may_lose} % beside what goes with rows (fewer_rows_share)", had.join(", ")),
        format!("fewer rows have a value: {}", has.join(", ")),
    )
}
