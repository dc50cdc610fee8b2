//! Rows as they were read, split by the bucket of their merchant, before anything is judged.
//!
//! A row lies in the bucket of the merchant that it names, an instalment or a payment in that of its loan; where the loan is not there, in a
//! part of its own. Keys that occur in several buckets are found here: their rows are versions of each other.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;

use polars::prelude::*;

use super::error::IngestError;
use super::kept::{KeptRows, KeptTable};
use super::parents::Parents;
use super::rules::RowTerms;
use super::unparsed::unparsed;
use super::versions::{key_hashes, parts_hash};
use crate::contract::{LOANS, TableContract, not_yet_visible};
use crate::domain::{AsOf, parallel};
use crate::source::{InputFile, MalformedRecord, SourcePiece, SourceSpec, SourceTable, Sources};
use crate::spill::{Budget, KeyParts, SpillError, SplitFrames};
use crate::store::{bucket_of, stable_hash};

/// Bytes of rows that are held in memory, over all tables.
const HELD_ROWS: usize = 192 << 20;
/// Bytes of keys that are held in memory.
const HELD_KEYS: usize = 48 << 20;

/// A table whose rows were read and split.
pub(super) struct StagedTable {
    pub table: &'static TableContract,
    pub files: Vec<InputFile>,
    pub malformed: Vec<MalformedRecord>,
    /// Rows of each file that the job's `where` skips, and lines of its footer.
    pub skipped: Vec<u64>,
    /// Rows that the SELECT did not return.
    pub not_mapped: Option<DataFrame>,
    /// Rows by bucket; the part after the last bucket holds those that lead to none.
    pub rows: StagedRows,
    /// Keys of rows that the job's `where` skips, with their merchant, by the bucket of the key.
    pub not_meant: SplitFrames,
    /// Hashes of keys that several buckets have, or that a malformed record seems to have.
    pub wandering: HashSet<u64>,
}

/// The rows of a table: of each bucket some were kept by earlier nights, some were read tonight.
pub(super) struct StagedRows {
    kept: Option<KeptRows>,
    read: SplitFrames,
}

impl StagedRows {
    /// All rows of a bucket, in no order; `None` where there are none.
    pub fn read(&self, bucket: u32) -> Result<Option<DataFrame>, IngestError> {
        let mut frames = match &self.kept {
            Some(kept) => kept.part(bucket)?,
            None => Vec::new(),
        };
        frames.extend(self.read.read(bucket)?);
        match frames.len() {
            0 => Ok(None),
            1 => Ok(frames.pop()),
            _ => Ok(Some(SplitFrames::together(frames)?)),
        }
    }
}

/// Splits the tables of a job, parents before children.
pub(super) struct Staging<'a> {
    folder: &'a Path,
    buckets: u32,
    as_of: &'a AsOf,
    terms: RowTerms,
    budget: Budget,
    /// The bucket of every loan, by the hash of its id.
    loans: Mutex<HashMap<u64, u32>>,
}

impl<'a> Staging<'a> {
    pub fn new(folder: &'a Path, buckets: u32, as_of: &'a AsOf, terms: RowTerms) -> Self {
        Self { folder, buckets, as_of, terms, budget: Budget::new(HELD_ROWS), loans: Mutex::default() }
    }

    /// Reads and splits one table; `None` where it is absent. Where rows are kept, only files that no earlier night read are read.
    pub fn read(
        &self,
        sources: &mut Sources<'_>,
        spec: &SourceSpec,
        kept: Option<&mut KeptTable>,
    ) -> Result<Option<StagedTable>, IngestError> {
        let rows = self.split();
        let keys = KeyParts::new(self.folder, HELD_KEYS);
        let not_mapped = Mutex::new(None);
        let not_meant = self.split();
        let is_kept = kept.is_some();
        let source = sources.read::<IngestError>(spec, &|piece| {
            let SourcePiece { frame, not_mapped: lost, not_meant: skipped } = piece;
            let table = crate::contract::table(spec.table);
            let table = table.ok_or_else(|| frame_error(spec.table, &"no such contract table"))?;
            let buckets = if is_kept { self.kept_parts_of(table, &frame)? } else { self.buckets_of(table, &frame)? };
            if !is_kept && may_wander(table) {
                let hashes = key_hashes(table, &frame).map_err(|e| frame_error(table.name, &e))?;
                keys.push(hashes.into_iter().zip(buckets.iter().copied())).map_err(IngestError::Spill)?;
            }
            rows.push(&frame, &buckets)?;
            if let Some(skipped) = skipped {
                let keys = self.keys_not_meant(table, &skipped).map_err(|e| frame_error(table.name, &e))?;
                if let Some((keys, buckets)) = keys {
                    not_meant.push(&keys, &buckets)?;
                }
            }
            if let Some(lost) = lost {
                let mut all = not_mapped.lock().map_err(|_| SpillError::Poisoned)?;
                *all = Some(match all.take() {
                    None => lost,
                    Some(before) => {
                        let before: DataFrame = before;
                        before.vstack(&lost).map_err(|e| frame_error(table.name, &e))?
                    }
                });
            }
            Ok(())
        })?;
        let Some(SourceTable { table, files, malformed, skipped }) = source else { return Ok(None) };
        rows.settle()?;
        not_meant.settle()?;
        let mut not_mapped = not_mapped.into_inner().map_err(|_| SpillError::Poisoned)?;
        let mut staged = StagedRows { kept: None, read: rows };
        let mut wandering = match kept {
            None => keys.in_several_parts::<IngestError>(&|_| Ok(Vec::new()))?,
            Some(kept) => {
                kept.add(&staged.read, not_mapped.as_ref())?;
                let all = kept.rows();
                not_mapped = all.lost()?;
                staged = self.of_kept(table, all, &keys)?;
                keys.in_several_parts(&|range| match &staged.kept {
                    Some(kept) => Ok::<_, IngestError>(kept.keys(range)?),
                    None => Ok(Vec::new()),
                })?
            }
        };
        let broken =
            unparsed(table, &malformed, None, self.as_of, &self.terms).map_err(|e| frame_error(table.name, &e))?;
        wandering.extend(broken.iter().filter(|r| !r.key.is_empty()).map(|record| parts_hash(table, &record.key)));
        Ok(Some(StagedTable { table, files, malformed, skipped, not_mapped, not_meant, rows: staged, wandering }))
    }

    /// `_key` and `_merchant` of skipped rows that can be seen, with the bucket of each key.
    fn keys_not_meant(
        &self,
        table: &TableContract,
        skipped: &DataFrame,
    ) -> PolarsResult<Option<(DataFrame, Vec<u32>)>> {
        let [key] = table.key else { return Ok(None) };
        let is_seen = !&not_yet_visible(table, skipped, self.as_of, None)? & skipped.column(key)?.is_not_null();
        let seen = skipped.filter(&is_seen)?;
        let buckets = seen.column(key)?.str()?.iter().map(|key| bucket_of(key.unwrap_or(""), self.buckets)).collect();
        Ok(Some((Parents::keys_of(&seen, key)?, buckets)))
    }

    /// A table's rows out of kept ones. Rows that name no merchant are split again, for a loan may have come tonight, or be another
    /// merchant's now; their keys are added to `keys`.
    fn of_kept(
        &self,
        table: &'static TableContract,
        kept: KeptRows,
        keys: &KeyParts,
    ) -> Result<StagedRows, IngestError> {
        let names_merchant = table.column("merchant_id").is_some();
        if names_merchant && table.name != LOANS.name {
            return Ok(StagedRows { kept: Some(kept), read: self.split() });
        }
        let again = self.split();
        parallel::each((0..self.buckets).collect(), |part| {
            for frame in kept.part(part)? {
                // Of loans, this remembers where they lie.
                let buckets = self.buckets_of(table, &frame)?;
                if !names_merchant {
                    if may_wander(table) {
                        let hashes = key_hashes(table, &frame).map_err(|e| frame_error(table.name, &e))?;
                        keys.push(hashes.into_iter().zip(buckets.iter().copied()))?;
                    }
                    again.push(&frame, &buckets)?;
                }
            }
            Ok::<_, IngestError>(())
        })?;
        again.settle()?;
        Ok(StagedRows { kept: names_merchant.then_some(kept), read: again })
    }

    /// In which part of kept rows each row lies: that of its merchant; a row that names none lies by its loan, wherever that may be.
    fn kept_parts_of(&self, table: &TableContract, frame: &DataFrame) -> Result<Vec<u32>, IngestError> {
        let owner = if table.column("merchant_id").is_some() { "merchant_id" } else { "loan_id" };
        let owners = frame.column(owner).and_then(|column| column.str()).map_err(|e| frame_error(table.name, &e))?;
        Ok(owners.iter().map(|owner| bucket_of(owner.unwrap_or(""), self.buckets)).collect())
    }

    /// Scratch with one part a bucket and one more.
    pub fn split(&self) -> SplitFrames {
        SplitFrames::new(self.folder, self.buckets + 1, &self.budget)
    }

    /// The part of rows that lead to no bucket.
    pub const fn no_bucket(&self) -> u32 {
        self.buckets
    }

    fn buckets_of(&self, table: &TableContract, frame: &DataFrame) -> Result<Vec<u32>, IngestError> {
        let broken = |e: PolarsError| frame_error(table.name, &e);
        let texts = |name: &str| frame.column(name).and_then(|column| column.str().cloned()).map_err(broken);
        let mut loans = self.loans.lock().map_err(|_| SpillError::Poisoned)?;
        if table.column("merchant_id").is_none() {
            let bucket = |loan: Option<&str>| loan.and_then(|loan| loans.get(&stable_hash(loan.as_bytes())).copied());
            return Ok(texts("loan_id")?.iter().map(|loan| bucket(loan).unwrap_or(self.buckets)).collect());
        }
        let merchants = texts("merchant_id")?;
        let buckets: Vec<u32> = merchants.iter().map(|m| bucket_of(m.unwrap_or(""), self.buckets)).collect();
        if table.name == LOANS.name {
            for (loan, bucket) in texts("loan_id")?.iter().zip(&buckets) {
                if let Some(loan) = loan {
                    // Of a loan in several buckets all rows and children are washed together later, wherever they lie.
                    loans.entry(stable_hash(loan.as_bytes())).or_insert(*bucket);
                }
            }
        }
        Ok(buckets)
    }
}

fn frame_error(table: &'static str, why: &dyn std::fmt::Display) -> IngestError {
    IngestError::Frame { table, why: why.to_string() }
}

/// Whether rows of one key may lie in several buckets: not where the key names the merchant, or the loan.
pub(super) fn may_wander(table: &TableContract) -> bool {
    let owner = if table.column("merchant_id").is_some() { "merchant_id" } else { "loan_id" };
    !table.key.contains(&owner)
}
