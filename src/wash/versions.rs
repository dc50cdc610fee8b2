//! Rows sent more than once, brought down to one usable version a key as [`super::history`] says.

use std::collections::{BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use super::history::{KeyHistory, Seen, VERSIONS_CONTRADICT};
use super::order::{place_contradicted, place_unstamped};
use super::parents::ALWAYS;
use super::version::{
    EventFacts, Place, RecordReferences, Unparsed, Version, content_columns, known_of, read_versions, some_time,
};
use crate::contract::{SUPERSEDED_AT, TABLES, TableContract, Type, Visibility};
use crate::domain::AsOf;
use crate::store::stable_hash;

/// What became of one broken record among the versions of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenVersion {
    pub rule: String,
    pub key: Option<String>,
    pub known_at: Option<i64>,
    pub repaired_at: Option<i64>,
    /// Its own, and those of every other version of its key.
    pub leads: BTreeSet<RecordReferences>,
    /// Its own, or what the latest other version of its key that says so says.
    pub said: EventFacts,
}

/// A table with one usable version a key.
pub(crate) struct Settled {
    /// Usable versions (`superseded_at` null), then retained earlier ones; the contract's columns, `merchant_id`, `_file`, `_row` and
    /// `superseded_at`.
    pub rows: DataFrame,
    /// For each row of the usable versions, when it became known, where another table asks for it; null: always.
    pub known: Int64Chunked,
    /// For each file, how many of its sound rows are neither the usable version of their key nor contradict another version.
    pub duplicates: Vec<u64>,
    /// Sound rows that contradict another version of their instant: the frame's columns as they came in.
    pub contradicting: DataFrame,
    /// For each of them the column that shows it.
    pub contradicting_columns: Vec<&'static str>,
    /// Every broken record.
    pub broken: Vec<BrokenVersion>,
    /// When the first version of a key with several became known ([`ALWAYS`]: always).
    pub first_known: HashMap<String, i64>,
}

/// Brings sound rows, rows that fail a rule (with the rule of each) and unparsed records down to one usable version a key. `tolerance_micros`: by how much a
/// row's stamp may precede what it reports.
///
/// # Errors
/// A column of the contract is missing from a frame.
pub(crate) fn settle(
    table: &TableContract,
    sound: DataFrame,
    (failing, rules): (&DataFrame, &[String]),
    unparsed: &[Unparsed],
    as_of: &AsOf,
    tolerance_micros: i64,
    files: usize,
) -> PolarsResult<Settled> {
    let shared = shares_key(table, &sound, failing, unparsed)?;
    let (alone, resent) = if shared.any() {
        (sound.filter(&!&shared)?, sound.filter(&shared)?)
    } else {
        let none = sound.clear();
        (sound, none)
    };
    let (mut rows, mut known) = rows_alone(table, &alone, as_of)?;
    drop(alone);
    let mut versions = read_versions(table, &resent, as_of, Place::Sound)?;
    versions.extend(read_versions(table, failing, as_of, Place::Failing)?);
    versions.extend(unparsed.iter().enumerate().map(|(at, record)| Version::of_unparsed(record, at)));
    let rule_of = |place: Place| match place {
        Place::Sound(_) => String::new(),
        Place::Failing(at) => rules.get(at).cloned().unwrap_or_default(),
        Place::Unparsed(at) => unparsed.get(at).map(|u| u.rule.clone()).unwrap_or_default(),
    };
    let compared = compare(table, versions, &rule_of, (tolerance_micros, as_of.micros()), files);
    let (at, contradicting_columns): (Vec<IdxSize>, Vec<&'static str>) = compared.contradicting.into_iter().unzip();
    let contradicting = resent.take(&IdxCa::from_vec("contradicting".into(), at))?;
    add_rows_seen(table, (&mut rows, &mut known), (&resent, failing), &compared.seen, as_of)?;
    let Compared { duplicates, broken, first_known, .. } = compared;
    Ok(Settled { rows, known, duplicates, contradicting, contradicting_columns, broken, first_known })
}

/// What comes of comparing the versions of each key.
struct Compared {
    /// Versions that count, or counted for a time.
    seen: Vec<Seen>,
    /// Rows of the sound frame that contradict another version, and the column that shows it.
    contradicting: Vec<(IdxSize, &'static str)>,
    duplicates: Vec<u64>,
    broken: Vec<BrokenVersion>,
    first_known: HashMap<String, i64>,
}

/// Compares all versions, those of a key with each other. `until`: the run's instant.
fn compare(
    table: &TableContract,
    versions: Vec<Version>,
    rule_of: &dyn Fn(Place) -> String,
    (tolerance_micros, until): (i64, i64),
    files: usize,
) -> Compared {
    let mut found = Compared {
        seen: Vec::new(),
        contradicting: Vec::new(),
        duplicates: vec![0_u64; files],
        broken: Vec::new(),
        first_known: HashMap::new(),
    };
    let (mut versions, keyless): (Vec<Version>, Vec<Version>) = versions.into_iter().partition(|v| !v.key.is_empty());
    found.broken.extend(keyless.into_iter().map(|version| BrokenVersion {
        rule: rule_of(version.place),
        key: None,
        known_at: some_time(version.known),
        repaired_at: None,
        leads: BTreeSet::from([version.lead]),
        said: version.said,
    }));
    versions.sort_by(|a, b| (&a.key, a.lineage).cmp(&(&b.key, b.lineage)));
    let pasts = put_in_order(table, &mut versions, tolerance_micros, until);
    let names: Vec<&'static str> = content_columns(table).collect();
    for (of_one_key, past) in versions.chunk_by(|a, b| a.key == b.key).zip(pasts) {
        found.add(of_one_key, past.as_deref(), &names, rule_of);
    }
    found
}

impl Compared {
    /// Adds the versions of one key, and how they stood before, where that is otherwise.
    fn add(
        &mut self,
        of_one_key: &[Version],
        past: Option<&[Version]>,
        names: &[&'static str],
        rule_of: &dyn Fn(Place) -> String,
    ) {
        let Some(first) = of_one_key.first() else { return };
        let key = first.key.join("|");
        let leads: BTreeSet<RecordReferences> = of_one_key.iter().map(|v| v.lead.clone()).collect();
        let mut history = KeyHistory::of(of_one_key);
        // What counts now, and what contradicts it, are as the versions stand now; what was seen before is not.
        if let Some(past) = past {
            let KeyHistory { seen, breaks, .. } = KeyHistory::of(past);
            (history.seen, history.breaks) = (seen, breaks);
        }
        let contradicts: HashSet<Place> = history.contradicting.iter().map(|(place, _)| *place).collect();
        let is_duplicate =
            |v: &&Version| !v.is_broken && Some(v.place) != history.usable && !contradicts.contains(&v.place);
        for version in of_one_key.iter().filter(is_duplicate) {
            if let Some(count) = self.duplicates.get_mut(version.lineage.0 as usize) {
                *count += 1;
            }
        }
        for (place, column) in &history.contradicting {
            if let (Place::Sound(at), Some(name)) = (place, names.get(*column)) {
                self.contradicting.push((row_index(*at), name));
            }
        }
        self.first_known.insert(key.clone(), of_one_key.iter().map(|v| v.known).min().unwrap_or(ALWAYS));
        self.seen.extend(history.seen);
        self.broken.extend(history.breaks.into_iter().map(|broke| BrokenVersion {
            rule: broke.place.map_or_else(|| VERSIONS_CONTRADICT.to_owned(), rule_of),
            key: Some(key.clone()),
            known_at: broke.known_at,
            repaired_at: broke.repaired_at,
            leads: leads.clone(),
            said: said_of(of_one_key, broke.place),
        }));
    }
}

/// Rows whose key no other row has, as they are published, and when each became known.
fn rows_alone(table: &TableContract, alone: &DataFrame, as_of: &AsOf) -> PolarsResult<(DataFrame, Int64Chunked)> {
    let known = if known_is_asked(table) {
        known_of(table, alone, as_of)?
    } else {
        Int64Chunked::full_null("known".into(), alone.height())
    };
    let mut rows = shown(table, alone)?;
    let never = Int64Chunked::full_null(SUPERSEDED_AT.into(), rows.height());
    with_superseded(&mut rows, never)?;
    Ok((rows, known))
}

/// Adds the versions that count or counted, each with the instant since when it no longer does; and when the usable ones became known.
fn add_rows_seen(
    table: &TableContract,
    (settled, known): (&mut DataFrame, &mut Int64Chunked),
    (resent, failing): (&DataFrame, &DataFrame),
    seen: &[Seen],
    as_of: &AsOf,
) -> PolarsResult<()> {
    for (frame, is_failing) in [(resent, false), (failing, true)] {
        let of_frame = |seen: &&Seen| match seen.place {
            Place::Sound(_) => !is_failing,
            Place::Failing(_) => is_failing,
            Place::Unparsed(_) => false,
        };
        let of_frame: Vec<&Seen> = seen.iter().filter(of_frame).collect();
        if of_frame.is_empty() {
            continue;
        }
        let rows = rows_seen(frame, &of_frame)?;
        let superseded: Vec<Option<i64>> = of_frame.iter().map(|seen| seen.until).collect();
        let usable: BooleanChunked = superseded.iter().map(Option::is_none).collect();
        known.append(&known_of(table, &rows.filter(&usable)?, as_of)?)?;
        let mut rows = shown(table, &rows)?;
        with_superseded(&mut rows, superseded.into_iter().collect())?;
        settled.vstack_mut(&rows)?;
    }
    Ok(())
}

/// Brings the versions of each key, which lie side by side, into the order in which they count; of each key how they stood before, where that is otherwise.
fn put_in_order(
    table: &TableContract,
    versions: &mut [Version],
    tolerance_micros: i64,
    until: i64,
) -> Vec<Option<Vec<Version>>> {
    let in_order = |of_one_key: &mut [Version]| {
        place_contradicted(table, of_one_key, tolerance_micros);
        let mut past = place_unstamped(of_one_key, tolerance_micros, until);
        for versions in [of_one_key].into_iter().chain(past.as_deref_mut()) {
            versions.sort_by_key(|version| (version.instant(), version.lineage));
        }
        past
    };
    versions.chunk_by_mut(|a, b| a.key == b.key).map(in_order).collect()
}

/// What a version of a key says, or else the latest of the others that says it; of several of one instant the greatest, in whatever order they came.
fn said_of(of_one_key: &[Version], place: Option<Place>) -> EventFacts {
    let own = of_one_key.iter().find(|version| Some(version.place) == place);
    let own = own.map(|version| version.said.clone()).unwrap_or_default();
    let latest = |cell: fn(&EventFacts) -> Option<i64>| {
        of_one_key
            .iter()
            .filter_map(|version| Some((version.instant(), cell(&version.said)?)))
            .max()
            .map(|(_, cell)| cell)
    };
    let named = |cell: fn(&EventFacts) -> Option<&String>| {
        let named = of_one_key.iter().filter_map(|version| Some((version.instant(), cell(&version.said)?)));
        named.max().map(|(_, named)| named.clone())
    };
    EventFacts {
        event_at: own.event_at.or_else(|| latest(|said| said.event_at)),
        amount_minor: own.amount_minor.or_else(|| latest(|said| said.amount_minor)),
        buyer_id: own.buyer_id.or_else(|| named(|said| said.buyer_id.as_ref())),
        offer_id: own.offer_id.or_else(|| named(|said| said.offer_id.as_ref())),
    }
}

fn row_index(at: usize) -> IdxSize {
    IdxSize::try_from(at).unwrap_or(IdxSize::MAX)
}

/// Whether another table is seen with this one's rows.
fn known_is_asked(table: &TableContract) -> bool {
    let is_seen_with = |child: &TableContract| {
        child.visibility == Visibility::Parent && child.parent().is_some_and(|parent| parent.table == table.name)
    };
    TABLES.iter().any(|child| is_seen_with(child))
}

fn with_superseded(frame: &mut DataFrame, superseded: Int64Chunked) -> PolarsResult<()> {
    let instant = DataType::Datetime(TimeUnit::Microseconds, None);
    let column = superseded.into_series().cast(&instant)?.with_name(SUPERSEDED_AT.into()).into_column();
    frame.with_column(column).map(|_| ())
}

/// Rows that were seen; those that are seen from later on than they say as if recorded then.
fn rows_seen(frame: &DataFrame, seen: &[&Seen]) -> PolarsResult<DataFrame> {
    let at = |seen: &&Seen| match seen.place {
        Place::Sound(at) | Place::Failing(at) | Place::Unparsed(at) => row_index(at),
    };
    let mut rows = frame.take(&IdxCa::from_vec("kept".into(), seen.iter().map(at).collect()))?;
    if seen.iter().all(|seen| seen.since.is_none()) {
        return Ok(rows);
    }
    let recorded = rows.column("recorded_at")?;
    let (kind, stated) = (recorded.dtype().clone(), recorded.datetime()?.physical());
    let dated: Int64Chunked = seen.iter().zip(stated.iter()).map(|(seen, stated)| seen.since.or(stated)).collect();
    let dated = dated.into_series().cast(&kind)?.with_name("recorded_at".into());
    rows.replace("recorded_at", dated.into_column())?;
    Ok(rows)
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
    let mut repeated: PlHashSet<u64> =
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
