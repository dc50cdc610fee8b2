//! Rows sent more than once: the newest version counts, and where it is broken the key is not usable.
//!
//! Versions of one key are ordered by `recorded_at` (none: first; one that cannot be read: last). Two versions recorded at the same
//! instant conflict: one that is broken itself counts as the newest, then one whose parent broke, then the one that knows more (fewer
//! nulls), then the one greater in content, so that neither file order nor row order decides. A version that says the same as the one before it is a repetition, whatever its
//! `recorded_at`: the first stays.
//!
//! A version is known from the instant that [`known_at`] gives. An earlier version is seen until the first later one is
//! known, be that sound or broken, which is its `superseded_at`; one that could never be seen is dropped. A version that is sound but whose
//! parent broke is seen until the parent did.

use std::collections::{BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use super::parents::{ALWAYS, NEVER_ENDS};
use super::record::{cell_text, record_json};
use crate::contract::{INSTANTS, SUPERSEDED_AT, TABLES, TableContract, Type, UNREADABLE, Visibility, known_at};
use crate::domain::AsOf;
use crate::store::stable_hash;

/// Hidden column: until when the row's references held.
pub(crate) const UNTIL: &str = "_until";
/// Hidden column: when the row's parent became known; null where it has none.
pub(crate) const PARENT_KNOWN: &str = "_parent_known";

/// Whom a version leads to, as far as its cells can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lead {
    pub merchant: Option<String>,
    pub loan: Option<String>,
    pub order: Option<String>,
}

impl Lead {
    /// Whether another says all that this one says.
    pub fn is_part_of(&self, other: &Self) -> bool {
        let within = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        within(&self.merchant, &other.merchant) && within(&self.loan, &other.loan) && within(&self.order, &other.order)
    }
}

/// A broken record that is in no frame: malformed, or returned by no SELECT. Nothing is known of its times.
#[derive(Debug, Clone)]
pub(crate) struct Unparsed {
    pub rule: String,
    /// The parts of its key as they seem to be; none where one is not there.
    pub key: Vec<String>,
    pub lead: Lead,
}

/// What became of one broken record among the versions of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenVersion {
    pub rule: String,
    pub key: Option<String>,
    pub known_at: Option<i64>,
    pub repaired_at: Option<i64>,
    /// Its own, and those of every other version of its key.
    pub leads: BTreeSet<Lead>,
}

/// A table with one usable version a key.
pub(crate) struct Settled {
    /// Usable versions (`superseded_at` null), then retained earlier ones; the contract's columns, `merchant_id`, `_file`, `_row` and
    /// `superseded_at`.
    pub rows: DataFrame,
    /// For each row of the usable versions, when it became known, where another table asks for it; null: always.
    pub known: Int64Chunked,
    /// For each file, how many of its sound rows are not the usable version of their key.
    pub duplicates: Vec<u64>,
    /// Every broken record.
    pub broken: Vec<BrokenVersion>,
    /// When the first version of a key with several became known ([`ALWAYS`]: always).
    pub first_known: HashMap<String, i64>,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Sound(usize),
    Failing(usize),
    Unparsed(usize),
}

struct Version {
    place: Place,
    /// The parts of its key; none where one cannot be read.
    key: Vec<String>,
    /// Nobody can say when it was recorded, so nobody can say that another is newer.
    is_recorded_unreadable: bool,
    recorded: Option<i64>,
    is_broken: bool,
    known_cells: usize,
    content: String,
    /// [`ALWAYS`] where no time says so.
    known: i64,
    /// Until when its references held: [`ALWAYS`] for a version that is broken itself.
    until: i64,
    lead: Lead,
    lineage: (u32, u32),
}

/// Brings sound rows, rows that fail a rule (with the rule of each) and unparsed records down to one usable version a key.
///
/// # Errors
/// A column of the contract is missing from a frame.
pub(crate) fn settle(
    table: &TableContract,
    sound: DataFrame,
    failing: &DataFrame,
    rules: &[String],
    unparsed: &[Unparsed],
    as_of: &AsOf,
    files: usize,
) -> PolarsResult<Settled> {
    let mut duplicates = vec![0_u64; files];
    let shared = shares_key(table, &sound, failing, unparsed)?;
    let (mut settled, resent) = if shared.any() {
        (sound.filter(&!&shared)?, sound.filter(&shared)?)
    } else {
        let none = sound.clear();
        (sound, none)
    };
    let mut known = if known_is_asked(table) {
        known_of(table, &settled, as_of)?
    } else {
        Int64Chunked::full_null("known".into(), settled.height())
    };
    settled = shown(table, &settled)?;
    let never = Int64Chunked::full_null(SUPERSEDED_AT.into(), settled.height());
    with_superseded(&mut settled, never)?;

    let mut versions = read_versions(table, &resent, as_of, Place::Sound)?;
    versions.extend(read_versions(table, failing, as_of, Place::Failing)?);
    versions.extend(unparsed.iter().enumerate().map(|(at, record)| Version {
        place: Place::Unparsed(at),
        key: record.key.clone(),
        is_recorded_unreadable: true,
        recorded: None,
        is_broken: true,
        known_cells: 0,
        content: String::new(),
        known: ALWAYS,
        until: ALWAYS,
        lead: record.lead.clone(),
        lineage: (u32::MAX, u32::try_from(at).unwrap_or(u32::MAX)),
    }));
    let rule_of = |place: Place| match place {
        Place::Sound(_) => String::new(),
        Place::Failing(at) => rules.get(at).cloned().unwrap_or_default(),
        Place::Unparsed(at) => unparsed.get(at).map(|u| u.rule.clone()).unwrap_or_default(),
    };
    let mut broken = Vec::new();
    let (keyed, keyless): (Vec<Version>, Vec<Version>) = versions.into_iter().partition(|v| !v.key.is_empty());
    for version in keyless {
        broken.push(BrokenVersion {
            rule: rule_of(version.place),
            key: None,
            known_at: some_time(version.known),
            repaired_at: None,
            leads: BTreeSet::from([version.lead]),
        });
    }
    let mut versions = keyed;
    versions.sort_by(|a, b| {
        let order =
            |v: &Version| (v.is_recorded_unreadable, v.recorded, v.is_broken_itself(), v.is_broken, v.known_cells);
        (&a.key, order(a), &a.content, a.lineage).cmp(&(&b.key, order(b), &b.content, b.lineage))
    });
    let mut kept: Vec<(Place, Option<i64>)> = Vec::new();
    let mut first_known: HashMap<String, i64> = HashMap::new();
    for of_one_key in versions.chunk_by(|a, b| a.key == b.key) {
        let distinct = without_repetitions(of_one_key);
        let leads: BTreeSet<Lead> = of_one_key.iter().map(|v| v.lead.clone()).collect();
        let usable = distinct.last().filter(|newest| !newest.is_broken).map(|newest| newest.place);
        for version in of_one_key.iter().filter(|v| !v.is_broken && Some(v.place) != usable) {
            if let Some(count) = duplicates.get_mut(version.lineage.0 as usize) {
                *count += 1;
            }
        }
        let Some(first) = of_one_key.first() else { continue };
        first_known.insert(first.key.join("|"), of_one_key.iter().map(|v| v.known).min().unwrap_or(ALWAYS));
        kept.extend(retained(&distinct));
        broken.extend(of_one_key.iter().enumerate().filter(|(_, v)| v.is_broken).map(|(at, version)| {
            let later = of_one_key.get(at + 1..).unwrap_or_default();
            BrokenVersion {
                rule: rule_of(version.place),
                key: Some(version.key.join("|")),
                known_at: some_time(version.breaks_at()),
                repaired_at: later.iter().filter(|v| v.until > v.known).map(|v| v.known).min(),
                leads: leads.clone(),
            }
        }));
    }

    for (frame, is_failing) in [(&resent, false), (failing, true)] {
        let mut rows: Vec<IdxSize> = Vec::new();
        let mut superseded: Vec<Option<i64>> = Vec::new();
        for (place, until) in &kept {
            let (Place::Sound(at) | Place::Failing(at)) = *place else { continue };
            if matches!(place, Place::Failing(_)) == is_failing {
                rows.push(IdxSize::try_from(at).unwrap_or(IdxSize::MAX));
                superseded.push(*until);
            }
        }
        if rows.is_empty() {
            continue;
        }
        let rows = frame.take(&IdxCa::from_vec("kept".into(), rows))?;
        let usable: BooleanChunked = superseded.iter().map(Option::is_none).collect();
        known.append(&known_of(table, &rows.filter(&usable)?, as_of)?)?;
        let mut rows = shown(table, &rows)?;
        with_superseded(&mut rows, superseded.into_iter().collect())?;
        settled.vstack_mut(&rows)?;
    }
    Ok(Settled { rows: settled, known, duplicates, broken, first_known })
}

impl Version {
    /// From when on it says nothing any more: its own first instant where it is broken itself, else that of its parent's break.
    fn breaks_at(&self) -> i64 {
        self.known.max(self.until)
    }

    /// Whether it never said anything: not for a parent that broke since.
    fn is_broken_itself(&self) -> bool {
        self.is_broken && self.until == ALWAYS
    }

    fn repeats(&self, earlier: &Self) -> bool {
        // What is broken itself says nothing that could be repeated.
        self.until > ALWAYS
            && (self.is_broken, self.until) == (earlier.is_broken, earlier.until)
            && self.content == earlier.content
    }
}

/// Each version that says something else than the one before it.
fn without_repetitions(versions: &[Version]) -> Vec<&Version> {
    let mut distinct: Vec<&Version> = Vec::with_capacity(versions.len());
    for version in versions {
        if distinct.last().is_none_or(|before| !version.repeats(before)) {
            distinct.push(version);
        }
    }
    distinct
}

/// The versions that could be seen at some instant, with the instant from which they no longer are.
fn retained(versions: &[&Version]) -> Vec<(Place, Option<i64>)> {
    let mut kept = Vec::new();
    let mut next_known = NEVER_ENDS;
    for version in versions.iter().rev() {
        let ends = next_known.min(version.until);
        if ends > version.known {
            kept.push((version.place, (ends < NEVER_ENDS).then_some(ends)));
        }
        next_known = next_known.min(version.known);
    }
    kept
}

fn some_time(micros: i64) -> Option<i64> {
    (micros > ALWAYS).then_some(micros)
}

/// Whether another table is seen with this one's rows.
fn known_is_asked(table: &TableContract) -> bool {
    let is_seen_with = |child: &TableContract| {
        child.visibility == Visibility::Parent && child.parent().is_some_and(|parent| parent.table == table.name)
    };
    TABLES.iter().any(|child| is_seen_with(child))
}

/// For each row when it is known; null: always.
fn known_of(table: &TableContract, frame: &DataFrame, as_of: &AsOf) -> PolarsResult<Int64Chunked> {
    let parent = frame.schema().contains(PARENT_KNOWN).then(|| frame.column(PARENT_KNOWN)?.i64()).transpose()?;
    let known = known_at(table, frame, as_of, parent)?;
    Ok(known.iter().map(|k| k.and_then(some_time)).collect())
}

fn with_superseded(frame: &mut DataFrame, superseded: Int64Chunked) -> PolarsResult<()> {
    let instant = DataType::Datetime(TimeUnit::Microseconds, None);
    let column = superseded.into_series().cast(&instant)?.with_name(SUPERSEDED_AT.into()).into_column();
    frame.with_column(column).map(|_| ())
}

/// The columns that stay.
fn shown(table: &TableContract, frame: &DataFrame) -> PolarsResult<DataFrame> {
    let merchant = table.column("merchant_id").is_none().then_some("merchant_id");
    let merchant = merchant.filter(|name| frame.schema().contains(name));
    frame.select(table.columns.iter().map(|c| c.name).chain(merchant).chain(["_file", "_row"]))
}

/// Rows whose key's hash occurs more than once, broken records counted: all that share a key, and by chance a few that do not.
fn shares_key(
    table: &TableContract,
    sound: &DataFrame,
    failing: &DataFrame,
    unparsed: &[Unparsed],
) -> PolarsResult<BooleanChunked> {
    let hashes = key_hashes(table, sound)?;
    let mut sorted = hashes.clone();
    sorted.sort_unstable();
    let mut repeated: HashSet<u64> =
        sorted.windows(2).filter_map(|pair| pair.first().filter(|first| pair.last() == Some(first)).copied()).collect();
    repeated.extend(key_hashes(table, failing)?);
    repeated
        .extend(unparsed.iter().filter(|record| !record.key.is_empty()).map(|record| parts_hash(table, &record.key)));
    Ok(hashes.iter().map(|hash| !repeated.is_empty() && repeated.contains(hash)).collect())
}

/// A hash of each row's key, of the empty text or 0 where a part is null.
pub(super) fn key_hashes(table: &TableContract, frame: &DataFrame) -> PolarsResult<Vec<u64>> {
    let mut hashes = vec![0_u64; frame.height()];
    for name in table.key {
        let column = frame.column(name)?;
        if let Ok(texts) = column.str() {
            for (hash, cell) in hashes.iter_mut().zip(texts.iter()) {
                *hash = hash.rotate_left(17) ^ stable_hash(cell.unwrap_or("").as_bytes());
            }
        } else {
            let physical = column.to_physical_repr().cast(&DataType::Int64)?;
            for (hash, cell) in hashes.iter_mut().zip(physical.i64()?.iter()) {
                *hash = hash.rotate_left(17) ^ stable_hash(&cell.unwrap_or(0).to_le_bytes());
            }
        }
    }
    Ok(hashes)
}

/// The hash of [`key_hashes`] for a key that is there as text.
pub(super) fn parts_hash(table: &TableContract, parts: &[String]) -> u64 {
    table.key.iter().zip(parts).fold(0, |hash: u64, (name, part)| {
        let is_number = table.column(name).is_some_and(|c| matches!(c.kind, Type::Integer | Type::Money));
        let part = match part.parse::<i64>() {
            Ok(number) if is_number => stable_hash(&number.to_le_bytes()),
            _ => stable_hash(part.as_bytes()),
        };
        hash.rotate_left(17) ^ part
    })
}

fn read_versions(
    table: &TableContract,
    rows: &DataFrame,
    as_of: &AsOf,
    place: fn(usize) -> Place,
) -> PolarsResult<Vec<Version>> {
    let contents: Vec<&str> = table.columns.iter().map(|c| c.name).filter(|name| *name != "recorded_at").collect();
    let recorded =
        if table.has_recorded_at() { Some(rows.column("recorded_at")?.datetime()?.physical()) } else { None };
    let unreadable = rows.column(&format!("{UNREADABLE}recorded_at")).ok();
    let known = known_of(table, rows, as_of)?;
    let until = rows.schema().contains(UNTIL).then(|| rows.column(UNTIL)?.i64()).transpose()?;
    let (files, numbers) = (rows.column("_file")?.u32()?, rows.column("_row")?.u32()?);
    let is_failing = matches!(place(0), Place::Failing(_));
    let fails_itself = is_failing.then(|| rows.column(FAILS_ITSELF)?.bool()).transpose()?;
    (0..rows.height())
        .map(|at| {
            let cell = recorded.and_then(|c| c.get(at));
            let within = cell.filter(|micros| (INSTANTS.0..=INSTANTS.1).contains(micros));
            let is_lost = match unreadable {
                Some(texts) => cell_text(texts, at)?.is_some(),
                None => false,
            };
            let mut known_cells = 0;
            for name in &contents {
                known_cells += usize::from(!rows.column(name)?.get(at)?.is_null());
            }
            let key =
                table.key.iter().map(|k| cell_text(rows.column(k)?, at)).collect::<PolarsResult<Option<Vec<_>>>>()?;
            let holds = fails_itself.and_then(|f| f.get(at)) != Some(true);
            Ok(Version {
                place: place(at),
                key: key.unwrap_or_default(),
                is_recorded_unreadable: is_lost || (cell.is_some() && within.is_none()),
                recorded: within,
                is_broken: is_failing,
                known_cells,
                content: record_json(rows, &contents, at)?,
                known: known.get(at).unwrap_or(ALWAYS),
                until: if holds { until.and_then(|u| u.get(at)).unwrap_or(NEVER_ENDS) } else { ALWAYS },
                lead: lead(table, rows, at)?,
                lineage: (files.get(at).unwrap_or(0), numbers.get(at).unwrap_or(0)),
            })
        })
        .collect()
}

/// Hidden column of failing rows: whether the row breaks a rule of its own, not only its parent's.
pub(crate) const FAILS_ITSELF: &str = "_fails_itself";

fn lead(table: &TableContract, rows: &DataFrame, at: usize) -> PolarsResult<Lead> {
    let cell = |name: &str| match table.column(name) {
        Some(_) => cell_text(rows.column(name)?, at),
        None => Ok(None),
    };
    Ok(Lead { merchant: cell("merchant_id")?, loan: cell("loan_id")?, order: cell("order_id")? })
}
