//! One table's kept rows: those of earlier nights, and tonight's beside them.

use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::*;

use super::error::KeptError;
use super::pack::{self, Pack, PackEntry, PackRows, numbered, together};
use crate::contract::TableContract;
use crate::spill::{KeyRecords, SpillError, SplitFrames};
use crate::wash::staging::may_wander;
use crate::wash::versions::key_hashes;

/// A table while tonight's files are read.
pub(in crate::wash) struct KeptTable {
    pub(super) folder: PathBuf,
    pub(super) table: &'static TableContract,
    /// Parts of each pack.
    pub(super) parts: u32,
    /// Packs of earlier nights, the oldest first.
    pub(super) packs: Vec<(PackEntry, Arc<Pack>)>,
    /// The number of each of tonight's files, by its place.
    pub(super) numbers: Vec<u32>,
    /// Those of them that earlier nights did not read.
    pub(super) fresh: Vec<u32>,
    pub(super) next_pack: u64,
}

impl KeptTable {
    /// Keeps what was read tonight, rows by part and those that the SELECT did not return; packs of like size become one.
    pub fn add(&mut self, rows: &SplitFrames, lost: Option<&DataFrame>) -> Result<(), KeptError> {
        let live = self.live();
        self.packs.retain(|(entry, _)| entry.files.iter().any(|file| live(*file)));
        if !self.fresh.is_empty() {
            let numbers = self.numbers.clone();
            self.push(self.fresh.clone(), &NightRows { table: self.table, rows, lost, numbers: &numbers })?;
        }
        let last = self.packs.len().saturating_sub(1);
        let mut from = last;
        let mut sum = self.packs.get(last).map_or(0, |(entry, _)| entry.rows);
        while let Some((before, _)) = from.checked_sub(1).and_then(|at| self.packs.get(at)) {
            if before.rows > 2 * sum {
                break;
            }
            sum += before.rows;
            from -= 1;
        }
        if from < last {
            let merged = self.packs.split_off(from);
            let files = merged.iter().flat_map(|(entry, _)| &entry.files).copied().filter(|file| live(*file)).collect();
            let several = MergedPacks {
                table: self.table,
                packs: merged.into_iter().map(|(_, pack)| pack).collect(),
                live: &live,
            };
            self.push(files, &several)?;
        }
        Ok(())
    }

    fn live(&self) -> impl Fn(u32) -> bool + Sync + use<> {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        move |file| numbers.binary_search(&file).is_ok()
    }

    fn push(&mut self, files: Vec<u32>, rows: &dyn PackRows) -> Result<(), KeptError> {
        let name = format!("{}-{:08}.rows", self.table.name, self.next_pack);
        self.next_pack += 1;
        let entry = pack::write(&self.folder, name, files, self.parts, rows)?;
        let pack = Arc::new(Pack::open(&self.folder, &entry)?);
        self.packs.push((entry, pack));
        Ok(())
    }

    /// All rows of tonight's files.
    pub fn rows(&self) -> KeptRows {
        let mut places = vec![None; self.numbers.iter().max().map_or(0, |last| *last as usize + 1)];
        for (place, number) in (0..).zip(&self.numbers) {
            if let Some(slot) = places.get_mut(*number as usize) {
                *slot = Some(place);
            }
        }
        KeptRows { packs: self.packs.iter().map(|(_, pack)| pack.clone()).collect(), places }
    }
}

/// A table's rows from all packs, with their files as they are numbered tonight.
pub(in crate::wash) struct KeptRows {
    packs: Vec<Arc<Pack>>,
    /// Place among tonight's files, by the ledger's number.
    places: Vec<Option<u32>>,
}

impl KeptRows {
    /// Rows of a part.
    pub fn part(&self, part: u32) -> Result<Vec<DataFrame>, KeptError> {
        self.numbered(|pack| pack.part(part))
    }

    /// Rows that the SELECT did not return.
    pub fn lost(&self) -> Result<Option<DataFrame>, KeptError> {
        together(self.numbered(Pack::lost)?.into_iter().filter(|rows| rows.height() > 0).collect())
    }

    /// Keys of a range of hashes. Those of rows of files that are gone may be among them: rows of a key that is held for one of several parts
    /// are washed with the strays, which gives the same.
    pub fn keys(&self, range: usize) -> Result<KeyRecords, KeptError> {
        let mut all = Vec::new();
        for pack in &self.packs {
            all.extend(pack.keys(range)?);
        }
        Ok(all)
    }

    fn numbered(
        &self,
        read: impl Fn(&Pack) -> Result<Option<DataFrame>, KeptError>,
    ) -> Result<Vec<DataFrame>, KeptError> {
        let place = |file: u32| self.places.get(file as usize).copied().flatten();
        let frames = self.packs.iter().filter_map(|pack| read(pack).transpose());
        frames.map(|frame| numbered(frame?, &place)).collect()
    }
}

/// Of rows that name no merchant the part is not the bucket: their keys are looked at when they are split again.
fn keys_of(table: &TableContract, rows: &DataFrame) -> Result<Vec<u64>, KeptError> {
    if table.column("merchant_id").is_some() && may_wander(table) {
        Ok(key_hashes(table, rows).map_err(SpillError::from)?)
    } else {
        Ok(Vec::new())
    }
}

/// What was read tonight: its files are numbered by place.
struct NightRows<'a> {
    table: &'static TableContract,
    rows: &'a SplitFrames,
    lost: Option<&'a DataFrame>,
    numbers: &'a [u32],
}

impl PackRows for NightRows<'_> {
    fn part(&self, part: u32) -> Result<Option<DataFrame>, KeptError> {
        let number = |place: u32| self.numbers.get(place as usize).copied();
        self.rows.read(part)?.map(|rows| numbered(rows, &number)).transpose()
    }

    fn lost(&self) -> Result<Option<DataFrame>, KeptError> {
        let number = |place: u32| self.numbers.get(place as usize).copied();
        self.lost.map(|rows| numbered(rows.clone(), &number)).transpose()
    }

    fn key_hashes(&self, rows: &DataFrame) -> Result<Vec<u64>, KeptError> {
        keys_of(self.table, rows)
    }
}

/// Several packs that become one; rows of files that are gone are left behind.
struct MergedPacks<'a> {
    table: &'static TableContract,
    packs: Vec<Arc<Pack>>,
    live: &'a (dyn Fn(u32) -> bool + Sync),
}

impl MergedPacks<'_> {
    fn all(
        &self,
        read: impl Fn(&Pack) -> Result<Option<DataFrame>, KeptError>,
    ) -> Result<Option<DataFrame>, KeptError> {
        let number = |file: u32| (self.live)(file).then_some(file);
        let frames = self.packs.iter().filter_map(|pack| read(pack).transpose());
        together(frames.map(|frame| numbered(frame?, &number)).collect::<Result<_, _>>()?)
    }
}

impl PackRows for MergedPacks<'_> {
    fn part(&self, part: u32) -> Result<Option<DataFrame>, KeptError> {
        self.all(|pack| pack.part(part))
    }

    fn lost(&self) -> Result<Option<DataFrame>, KeptError> {
        self.all(Pack::lost)
    }

    fn key_hashes(&self, rows: &DataFrame) -> Result<Vec<u64>, KeptError> {
        keys_of(self.table, rows)
    }
}
