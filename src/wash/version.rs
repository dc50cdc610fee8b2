//! One version of a row: what it says, when it became known, and how long what it refers to held.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::parents::{ALWAYS, NEVER_ENDS};
use super::record::cell_text;
use crate::contract::{
    EVENT_CONTRADICTED, INSTANTS, RECORDED_BEFORE, RECORDED_BEFORE_EVENT, TableContract, UNREADABLE, Visibility,
    known_at,
};
use crate::domain::AsOf;

/// Hidden column: until when the row's references held.
pub(crate) const UNTIL: &str = "_until";
/// Hidden column: when the row's parent became known; null where it has none.
pub(crate) const PARENT_KNOWN: &str = "_parent_known";
/// Hidden column of failing rows: whether the row breaks a rule of its own, not only its parent's.
pub(crate) const FAILS_ITSELF: &str = "_fails_itself";

/// Whom a version leads to, as far as its cells can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordReferences {
    pub merchant: Option<String>,
    pub loan: Option<String>,
    pub order: Option<String>,
}

impl RecordReferences {
    /// Whether another says all that this one says.
    pub fn is_part_of(&self, other: &Self) -> bool {
        let within = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        within(&self.merchant, &other.merchant) && within(&self.loan, &other.loan) && within(&self.order, &other.order)
    }
}

/// What a version says of its event, as far as its cells can be read and lie within their ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventFacts {
    /// When it happened, in UTC microseconds, or by when it must have.
    pub event_at: Option<i64>,
    pub amount_minor: Option<i64>,
    pub buyer_id: Option<String>,
    /// The offer that a loan was drawn on.
    pub offer_id: Option<String>,
}

/// A broken record that is in no frame: malformed, or returned by no SELECT. Nothing is known of its times.
#[derive(Debug, Clone)]
pub(crate) struct Unparsed {
    pub rule: String,
    /// The parts of its key as they seem to be; none where one is not there.
    pub key: Vec<String>,
    pub lead: RecordReferences,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Sound(usize),
    Failing(usize),
    Unparsed(usize),
}

/// What a cell says, and from when on it is seen: a milestone, and what it reveals, from its own instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub text: String,
    /// The last instant at which it was not yet seen; [`ALWAYS`] where it is seen with its row.
    pub seen_from: i64,
}

/// One version of a row.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub place: Place,
    /// The parts of its key; none where one cannot be read.
    pub key: Vec<String>,
    /// Nobody can say when it was recorded, so nobody can say that another is newer.
    pub is_recorded_unreadable: bool,
    pub recorded: Option<i64>,
    pub is_broken: bool,
    /// What it says: the columns of [`content_columns`]. Nothing for a record that is in no frame.
    pub cells: Vec<Option<Cell>>,
    /// When its event and its milestones happened, by column; no promises.
    pub times: BTreeMap<&'static str, i64>,
    /// The times that it says it was recorded before: either they or its stamp are wrong.
    pub precedes: BTreeSet<&'static str>,
    /// [`ALWAYS`] where no time says so.
    pub known: i64,
    /// Since when it stands where it stands among the versions of its key, where its row alone would be seen before ([`super::order::place_unstamped`]).
    pub since: Option<i64>,
    /// Until when its references held: [`ALWAYS`] for a version that is broken itself.
    pub until: i64,
    pub lead: RecordReferences,
    pub said: EventFacts,
    pub lineage: (u32, u32),
}

impl Version {
    pub fn of_unparsed(record: &Unparsed, at: usize) -> Self {
        Self {
            place: Place::Unparsed(at),
            key: record.key.clone(),
            is_recorded_unreadable: true,
            recorded: None,
            is_broken: true,
            cells: Vec::new(),
            times: BTreeMap::new(),
            precedes: BTreeSet::new(),
            known: ALWAYS,
            since: None,
            until: ALWAYS,
            lead: record.lead.clone(),
            said: EventFacts::default(),
            lineage: (u32::MAX, u32::try_from(at).unwrap_or(u32::MAX)),
        }
    }

    /// From when on it says nothing any more: its own first instant where it is broken itself, else that of its parent's break.
    pub fn breaks_at(&self) -> i64 {
        self.known.max(self.until)
    }

    /// Whether it never said anything: not for a parent that broke since.
    pub fn is_broken_itself(&self) -> bool {
        self.is_broken && self.until == ALWAYS
    }

    /// When the source learnt of it: versions of one key are ordered by this, and two of the same instant can contradict each other.
    pub fn instant(&self) -> (bool, Option<i64>) {
        (self.is_recorded_unreadable, self.recorded)
    }

    /// How many of its cells are seen just after an instant.
    pub fn seen_cells(&self, instant: i64) -> usize {
        self.cells.iter().flatten().filter(|cell| cell.seen_from <= instant).count()
    }

    /// Whether another says all that this one says, just after an instant.
    pub fn is_part_of(&self, other: &Self, instant: i64) -> bool {
        let is_seen = |cell: &&Cell| cell.seen_from <= instant;
        self.cells.iter().zip(&other.cells).all(|(own, other)| {
            let own = own.as_ref().filter(is_seen).map(|cell| &cell.text);
            own.is_none() || own == other.as_ref().filter(is_seen).map(|cell| &cell.text)
        })
    }
}

/// The columns of what a row says: all but when the source learnt of it.
pub(super) fn content_columns(table: &TableContract) -> impl Iterator<Item = &'static str> {
    table.columns.iter().map(|c| c.name).filter(|name| *name != "recorded_at")
}

/// For each row when it is known; null: always.
pub(super) fn known_of(table: &TableContract, frame: &DataFrame, as_of: &AsOf) -> PolarsResult<Int64Chunked> {
    let parent = frame.schema().contains(PARENT_KNOWN).then(|| frame.column(PARENT_KNOWN)?.i64()).transpose()?;
    let known = known_at(table, frame, as_of, parent)?;
    Ok(known.iter().map(|k| k.and_then(some_time)).collect())
}

pub(super) fn some_time(micros: i64) -> Option<i64> {
    (micros > ALWAYS).then_some(micros)
}

/// The rows of a frame as versions.
pub(super) fn read_versions(
    table: &TableContract,
    rows: &DataFrame,
    as_of: &AsOf,
    place: fn(usize) -> Place,
) -> PolarsResult<Vec<Version>> {
    let recorded =
        if table.has_recorded_at() { Some(rows.column("recorded_at")?.datetime()?.physical()) } else { None };
    let unreadable = rows.column(&format!("{UNREADABLE}recorded_at")).ok();
    let known = known_of(table, rows, as_of)?;
    let until = rows.schema().contains(UNTIL).then(|| rows.column(UNTIL)?.i64()).transpose()?;
    let (files, numbers) = (rows.column("_file")?.u32()?, rows.column("_row")?.u32()?);
    let is_failing = matches!(place(0), Place::Failing(_));
    let fails_itself = is_failing.then(|| rows.column(FAILS_ITSELF)?.bool()).transpose()?;
    let mut cells = cells(table, rows)?.into_iter();
    (0..rows.height())
        .map(|at| {
            let cell = recorded.and_then(|c| c.get(at));
            let within = cell.filter(|micros| (INSTANTS.0..=INSTANTS.1).contains(micros));
            let is_lost = match unreadable {
                Some(texts) => cell_text(texts, at)?.is_some(),
                None => false,
            };
            let key =
                table.key.iter().map(|k| cell_text(rows.column(k)?, at)).collect::<PolarsResult<Option<Vec<_>>>>()?;
            let holds = fails_itself.and_then(|f| f.get(at)) != Some(true);
            Ok(Version {
                place: place(at),
                key: key.unwrap_or_default(),
                is_recorded_unreadable: is_lost || (cell.is_some() && within.is_none()),
                recorded: within,
                is_broken: is_failing,
                cells: cells.next().unwrap_or_default(),
                times: times(table, rows, at)?,
                precedes: precedes(table, rows, at)?,
                known: known.get(at).unwrap_or(ALWAYS),
                since: None,
                until: if holds { until.and_then(|u| u.get(at)).unwrap_or(NEVER_ENDS) } else { ALWAYS },
                lead: lead(table, rows, at)?,
                said: said(table, rows, at)?,
                lineage: (files.get(at).unwrap_or(0), numbers.get(at).unwrap_or(0)),
            })
        })
        .collect()
}

/// What each row says, column by column.
fn cells(table: &TableContract, rows: &DataFrame) -> PolarsResult<Vec<Vec<Option<Cell>>>> {
    let mut cells: Vec<Vec<Option<Cell>>> = vec![Vec::new(); rows.height()];
    for name in content_columns(table) {
        let column = rows.column(name)?;
        let mask = table.masks.iter().find(|mask| mask.milestone == name || mask.reveals.contains(&name));
        let milestone = match mask {
            Some(mask) => Some(rows.column(mask.milestone)?.datetime()?.physical()),
            None => None,
        };
        for (at, row) in cells.iter_mut().enumerate() {
            let seen_from = milestone.and_then(|milestone| milestone.get(at)).unwrap_or(ALWAYS);
            row.push(cell_text(column, at)?.map(|text| Cell { text, seen_from }));
        }
    }
    Ok(cells)
}

/// The table's event, and the milestones that are no promises.
fn happenings(table: &TableContract) -> impl Iterator<Item = &'static str> + '_ {
    let milestones = table.masks.iter().filter(|mask| !mask.is_foreseen).map(|mask| mask.milestone);
    table.visibility.event().into_iter().chain(milestones)
}

fn times(table: &TableContract, rows: &DataFrame, at: usize) -> PolarsResult<BTreeMap<&'static str, i64>> {
    let mut times = BTreeMap::new();
    for name in happenings(table) {
        // Of a date nothing is compared: the only table with one has it in its key.
        let Ok(instants) = rows.column(name)?.datetime() else { continue };
        let within = instants.physical().get(at).filter(|at| (INSTANTS.0..=INSTANTS.1).contains(at));
        times.extend(within.map(|at| (name, at)));
    }
    Ok(times)
}

fn precedes(table: &TableContract, rows: &DataFrame, at: usize) -> PolarsResult<BTreeSet<&'static str>> {
    let mut precedes = BTreeSet::new();
    for name in happenings(table) {
        let hidden = if table.visibility.event() == Some(name) {
            RECORDED_BEFORE_EVENT.to_owned()
        } else {
            format!("{RECORDED_BEFORE}{name}")
        };
        let Ok(column) = rows.column(&hidden) else { continue };
        precedes.extend((column.bool()?.get(at) == Some(true)).then_some(name));
    }
    Ok(precedes)
}

fn lead(table: &TableContract, rows: &DataFrame, at: usize) -> PolarsResult<RecordReferences> {
    let cell = |name: &str| match table.column(name) {
        Some(_) => cell_text(rows.column(name)?, at),
        None => Ok(None),
    };
    Ok(RecordReferences { merchant: cell("merchant_id")?, loan: cell("loan_id")?, order: cell("order_id")? })
}

fn said(table: &TableContract, rows: &DataFrame, at: usize) -> PolarsResult<EventFacts> {
    let within = |name: &str| -> PolarsResult<Option<i64>> {
        let Some(spec) = table.column(name) else { return Ok(None) };
        let column = rows.column(name)?.to_physical_repr();
        let (least, most) = spec.bounds().unwrap_or((i64::MIN, i64::MAX));
        Ok(column.i64()?.get(at).filter(|cell| (least..=most).contains(cell)))
    };
    let event_at = match table.visibility {
        Visibility::Instant(event) => match rows.column(EVENT_CONTRADICTED) {
            Ok(contradicted) => contradicted.i64()?.get(at).or(within(event)?),
            Err(_) => within(event)?,
        },
        Visibility::Day(_) | Visibility::Parent => None,
    };
    let text = |name: &str| match table.column(name) {
        Some(_) => cell_text(rows.column(name)?, at),
        None => Ok(None),
    };
    Ok(EventFacts {
        // Where the event cannot be read, it came before whatever followed it.
        event_at: event_at.or(times(table, rows, at)?.into_values().min()),
        amount_minor: match table.column("amount_minor") {
            Some(_) => within("amount_minor")?,
            None => within("stock_value_minor")?,
        },
        buyer_id: text("buyer_id")?,
        offer_id: text("offer_id")?,
    })
}
