//! Rows sent more than once: the latest version wins, earlier ones stay where a look back needs them.
//!
//! Versions of one key are ordered by `recorded_at` (none: first). Two versions recorded at the same instant conflict; the one that
//! knows more (fewer nulls) wins, then the one greater in content, so that neither file order nor row order decides.
//! A version is *known* from the later of its event time and `recorded_at`. An earlier version is seen until the first later one
//! is known, which is its `superseded_at`; one that could never be seen is dropped. The latest version is never superseded.

use polars::prelude::*;

use super::record::{key_text, record_json};
use crate::contract::{SUPERSEDED_AT, TableContract, Visibility};
use crate::domain::AsOf;
use crate::store::stable_hash;

/// A table with one latest version a key.
pub(crate) struct Settled {
    /// Latest versions (`superseded_at` null), then retained earlier ones; the frame's columns and `superseded_at`.
    pub rows: DataFrame,
    /// For each file, how many of its rows are not the latest version.
    pub duplicates: Vec<u64>,
}

struct Version {
    at: usize,
    key: String,
    recorded: Option<i64>,
    known_cells: usize,
    content: String,
    known_at: i64,
    place: (u32, u32),
}

/// # Errors
/// A column of the contract is missing from the frame.
pub(crate) fn settle(table: &TableContract, mut frame: DataFrame, as_of: &AsOf, files: usize) -> PolarsResult<Settled> {
    let mut duplicates = vec![0_u64; files];
    let instant = DataType::Datetime(TimeUnit::Microseconds, None);
    let suspects = shares_hash(table, &frame)?;
    if !suspects.any() {
        let never = Column::full_null(SUPERSEDED_AT.into(), frame.height(), &instant);
        frame.with_column(never)?;
        return Ok(Settled { rows: frame, duplicates });
    }
    let mut settled = frame.filter(&!&suspects)?;
    settled.with_column(Column::full_null(SUPERSEDED_AT.into(), settled.height(), &instant))?;
    let resent = frame.filter(&suspects)?;
    drop(frame);

    let mut versions = read_versions(table, &resent, as_of)?;
    versions.sort_by(|a, b| {
        (&a.key, a.recorded, a.known_cells, &a.content)
            .cmp(&(&b.key, b.recorded, b.known_cells, &b.content))
            .then_with(|| b.place.cmp(&a.place))
    });
    let (mut kept, mut superseded): (Vec<IdxSize>, Vec<Option<i64>>) = (Vec::new(), Vec::new());
    for of_one_key in versions.chunk_by(|a, b| a.key == b.key) {
        let mut next_known: Option<i64> = None;
        for version in of_one_key.iter().rev() {
            if next_known.is_none_or(|next| next > version.known_at) {
                kept.push(IdxSize::try_from(version.at).unwrap_or(IdxSize::MAX));
                superseded.push(next_known);
            }
            if let (Some(_), Some(count)) = (next_known, duplicates.get_mut(version.place.0 as usize)) {
                *count += 1;
            }
            next_known = Some(next_known.map_or(version.known_at, |next| next.min(version.known_at)));
        }
    }
    let mut kept = resent.take(&IdxCa::from_vec("kept".into(), kept))?;
    let superseded: Int64Chunked = superseded.into_iter().collect();
    kept.with_column(superseded.into_series().cast(&instant)?.with_name(SUPERSEDED_AT.into()).into_column())?;
    settled.vstack_mut(&kept)?;
    Ok(Settled { rows: settled, duplicates })
}

/// Rows whose key's hash occurs more than once: all that share a key, and by chance a few that do not.
fn shares_hash(table: &TableContract, frame: &DataFrame) -> PolarsResult<BooleanChunked> {
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
    let mut sorted = hashes.clone();
    sorted.sort_unstable();
    let mut repeated: Vec<u64> =
        sorted.windows(2).filter_map(|pair| pair.first().filter(|first| pair.last() == Some(first)).copied()).collect();
    repeated.dedup();
    Ok(hashes.iter().map(|hash| !repeated.is_empty() && repeated.binary_search(hash).is_ok()).collect())
}

fn read_versions(table: &TableContract, resent: &DataFrame, as_of: &AsOf) -> PolarsResult<Vec<Version>> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
    let physical = |name: &str| resent.column(name)?.to_physical_repr().cast(&DataType::Int64);
    let recorded = table.has_recorded_at().then(|| physical("recorded_at")).transpose()?;
    let event = match table.visibility {
        Visibility::Instant(event) | Visibility::Day(event) => Some(physical(event)?),
        Visibility::Parent => None,
    };
    let (files, rows) = (resent.column("_file")?.u32()?, resent.column("_row")?.u32()?);
    (0..resent.height())
        .map(|at| {
            let recorded = recorded.as_ref().map(|c| c.i64()).transpose()?.and_then(|c| c.get(at));
            let event = event.as_ref().map(|c| c.i64()).transpose()?.and_then(|c| c.get(at));
            let seen_from = match table.visibility {
                Visibility::Day(_) => event.map(|days| last_micro_of_day(days, as_of)),
                Visibility::Instant(_) | Visibility::Parent => event,
            };
            let mut known_cells = 0;
            for name in &names {
                known_cells += usize::from(!resent.column(name)?.get(at)?.is_null());
            }
            Ok(Version {
                at,
                key: key_text(resent, table.key, at)?.unwrap_or_default(),
                recorded,
                known_cells,
                content: record_json(resent, &names, at)?,
                known_at: seen_from.max(recorded).unwrap_or(i64::MIN),
                place: (files.get(at).unwrap_or(0), rows.get(at).unwrap_or(0)),
            })
        })
        .collect()
}

/// A date is seen from the next local midnight on: what is known *before* that midnight has its last microsecond.
fn last_micro_of_day(days: i64, as_of: &AsOf) -> i64 {
    let back = i64::from(as_of.days_since_epoch()) - days - 1;
    i32::try_from(back).ok().and_then(|back| as_of.days_before(back).ok()).map_or(i64::MIN, |next| next.micros() - 1)
}
