//! Washes the buckets, each alone and several at a time, then the strays of all of them together.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::account::Account;
use super::error::IngestError;
use super::parents::Parents;
use super::people::{names_people, people};
use super::rules::RowTerms;
use super::staging::{StagedTable, Staging};
use super::strays::{NamedKeys, OwnKeys};
use super::unparsed::unparsed;
use super::washing::{RowsToWash, Washed, wash_rows};
use crate::contract::{self, LOANS, MERCHANTS, ORDERS, SUPERSEDED_AT, TableContract, data_type};
use crate::domain::{AsOf, parallel};
use crate::spill::SplitFrames;
use crate::store::StoreWriter;

/// All that washing needs beside the rows.
pub(super) struct Wash<'a> {
    pub staging: &'a Staging<'a>,
    pub tables: &'a [StagedTable],
    pub as_of: &'a AsOf,
    pub terms: RowTerms,
    pub writer: &'a StoreWriter,
    pub account: &'a Account,
}

/// What the buckets leave to their strays.
struct Leftover {
    /// By table: the strays, all in one part.
    strays: BTreeMap<&'static str, SplitFrames>,
    /// By table that others refer to: the keys of each bucket, and the merchants that unusable ones lead to.
    keys: BTreeMap<&'static str, (SplitFrames, SplitFrames)>,
    /// By table: the keys of rows that are not meant because what they refer to is not, all in one part.
    not_meant: BTreeMap<&'static str, SplitFrames>,
}

impl Wash<'_> {
    /// Washes everything into the store; `done` is called after each of the `buckets`.
    pub fn all(&self, buckets: u32, done: &(dyn Fn() + Sync)) -> Result<(), IngestError> {
        let tables = || self.tables.iter().map(|staged| staged.table);
        let leftover = Leftover {
            strays: tables().map(|table| (table.name, self.staging.split())).collect(),
            keys: tables()
                .filter(|t| t.is_referred_to())
                .map(|table| (table.name, (self.staging.split(), self.staging.split())))
                .collect(),
            not_meant: tables().map(|table| (table.name, self.staging.split())).collect(),
        };
        for staged in self.tables {
            self.writer.declare(staged.table)?;
        }
        parallel::each((0..buckets).collect(), |bucket| {
            self.bucket(bucket, &leftover)?;
            done();
            Ok::<_, IngestError>(())
        })?;
        self.strays(buckets, &leftover)
    }

    fn bucket(&self, bucket: u32, leftover: &Leftover) -> Result<(), IngestError> {
        let mut parents = Parents::default();
        let mut own_keys = OwnKeys::default();
        let mut orders: Option<DataFrame> = None;
        for staged in self.tables {
            let table = staged.table;
            let broken_frame = |e: PolarsError| frame_error(table, &e);
            // A merchant lies in the bucket of its own id. What refers to an order or a loan that is not in its bucket is a stray.
            if let (true, Some(keys)) = (table.name == MERCHANTS.name, staged.not_meant.read(bucket)?) {
                parents.add_not_meant(table.name, &keys).map_err(broken_frame)?;
            }
            let Some(rows) = staged.rows.read(bucket)? else { continue };
            let is_stray = own_keys.strays(table, &rows, &staged.wandering).map_err(broken_frame)?;
            let rows = if is_stray.any() {
                let strays = rows.filter(&is_stray).map_err(broken_frame)?;
                if let Some(split) = leftover.strays.get(table.name) {
                    split.push_few(&strays, 0)?;
                }
                rows.filter(&!is_stray).map_err(broken_frame)?
            } else {
                rows
            };
            if rows.height() == 0 {
                continue;
            }
            let naming = |child: &'static TableContract| match self.tables.iter().find(|s| s.table.name == child.name) {
                Some(staged) => Ok(staged.rows.read(bucket)?),
                None => Ok(None),
            };
            let of = RowsToWash { table, files: &staged.files, malformed: &[], not_mapped: None, naming: &naming };
            let washed = wash_rows(rows, of, self.as_of, &self.terms, &mut parents)?;
            let Washed { clean, broken, quarantine, ledger, not_meant } = washed;
            self.account.add(table, &clean, &broken, quarantine, &ledger)?;
            self.writer.write_broken(&broken)?;
            if table.name == ORDERS.name {
                orders = Some(clean.select(["order_id", "buyer_id", SUPERSEDED_AT]).map_err(broken_frame)?);
            } else if let Some(orders) = orders.as_ref().filter(|_| names_people(table)) {
                self.account.add_people(table, people(table, &clean, orders).map_err(broken_frame)?)?;
            }
            self.writer.write(table, bucket, clean)?;
            if let (Some(keys), Some(all)) = (not_meant, leftover.not_meant.get(table.name)) {
                all.push_few(&keys, 0)?;
            }
            if let (Some((all_keys, all_leads)), Some(keys)) = (leftover.keys.get(table.name), parents.keys(table.name))
            {
                let leads = parents.leads(table.name).map_err(|e| frame_error(table, &e))?;
                all_keys.push_few(keys, bucket)?;
                all_leads.push_few(&leads, bucket)?;
            }
        }
        Ok(())
    }

    /// Washes the strays of all buckets, and what never became a row.
    fn strays(&self, buckets: u32, leftover: &Leftover) -> Result<(), IngestError> {
        let mut rows: Vec<(&StagedTable, DataFrame)> = Vec::new();
        let mut wanted = NamedKeys::default();
        for staged in self.tables {
            let table = staged.table;
            let broken = |e: PolarsError| frame_error(table, &e);
            let parts = [
                leftover.strays.get(table.name).map(|split| split.read(0)).transpose()?.flatten(),
                staged.rows.read(self.staging.no_bucket())?,
            ];
            let strays = SplitFrames::together(parts.into_iter().flatten().chain([no_rows(table)]).collect())?;
            wanted.add_rows(table, &strays).map_err(broken)?;
            let lost = unparsed(table, &staged.malformed, staged.not_mapped.as_ref(), self.as_of, &self.terms)
                .map_err(broken)?;
            for record in &lost {
                wanted.add(MERCHANTS.name, record.lead.merchant.as_deref());
                wanted.add(LOANS.name, record.lead.loan.as_deref());
                wanted.add(ORDERS.name, record.lead.order.as_deref());
            }
            if strays.height() > 0 || !staged.malformed.is_empty() || staged.not_mapped.is_some() {
                rows.push((staged, strays));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut parents = Self::parents_of(&wanted, buckets, leftover)?;
        self.not_meant(&wanted, buckets, leftover, &mut parents)?;
        let all: BTreeMap<&str, DataFrame> = rows.iter().map(|(s, strays)| (s.table.name, strays.clone())).collect();
        let naming = |child: &'static TableContract| Ok(all.get(child.name).cloned());
        for (staged, strays) in rows {
            let StagedTable { table, files, malformed, not_mapped, .. } = staged;
            let of = RowsToWash { table, files, malformed, not_mapped: not_mapped.as_ref(), naming: &naming };
            let Washed { clean, broken, quarantine, ledger, .. } =
                wash_rows(strays, of, self.as_of, &self.terms, &mut parents)?;
            self.account.add(table, &clean, &broken, quarantine, &ledger)?;
            self.writer.write_broken(&broken)?;
            self.writer.write_any(table, &clean)?;
        }
        Ok(())
    }

    /// Adds the wanted keys of rows that are not meant.
    fn not_meant(
        &self,
        wanted: &NamedKeys,
        buckets: u32,
        leftover: &Leftover,
        parents: &mut Parents,
    ) -> Result<(), IngestError> {
        for staged in self.tables {
            let (table, Some(wanted)) = (staged.table, wanted.of(staged.table.name)) else { continue };
            let broken = |e: PolarsError| frame_error(table, &e);
            let by_parent = leftover.not_meant.get(table.name).map(|split| split.read(0)).transpose()?.flatten();
            let skipped = (0..buckets).map(|bucket| staged.not_meant.read(bucket));
            for keys in skipped.chain([Ok(by_parent)]) {
                if let Some(keys) = keys? {
                    let keys = Parents::only(&keys, wanted).map_err(broken)?;
                    parents.add_not_meant(table.name, &keys).map_err(broken)?;
                }
            }
        }
        Ok(())
    }

    /// What all buckets know of the wanted keys.
    fn parents_of(wanted: &NamedKeys, buckets: u32, leftover: &Leftover) -> Result<Parents, IngestError> {
        let mut parents = Parents::default();
        for (name, (keys, leads)) in &leftover.keys {
            let (Some(wanted), Some(table)) = (wanted.of(name), contract::table(name)) else { continue };
            let broken = |e: PolarsError| frame_error(table, &e);
            let only = |split: &SplitFrames, bucket: u32| {
                let rows = split.read(bucket)?;
                let rows = rows.map(|rows| Parents::only(&rows, wanted).map_err(broken)).transpose()?;
                Ok::<_, IngestError>(rows.map(|rows| SplitFrames::copied(&rows)).transpose()?)
            };
            let found = parallel::each((0..buckets).collect(), |bucket| {
                Ok::<_, IngestError>((only(keys, bucket)?, only(leads, bucket)?))
            })?;
            for (keys, leads) in found {
                if let Some(keys) = keys {
                    parents.extend(name, &keys).map_err(broken)?;
                }
                if let Some(leads) = leads {
                    parents.extend_leads(name, &leads).map_err(broken)?;
                }
            }
        }
        Ok(parents)
    }
}

/// The columns of a table's rows, without rows.
fn no_rows(table: &TableContract) -> DataFrame {
    let cells = table.columns.iter().map(|column| Field::new(column.name.into(), data_type(column.kind)));
    let lineage = ["_file", "_row"].map(|name| Field::new(name.into(), DataType::UInt32));
    DataFrame::empty_with_schema(&cells.chain(lineage).collect::<Schema>())
}

fn frame_error(table: &'static TableContract, error: &PolarsError) -> IngestError {
    IngestError::Frame { table: table.name, why: error.to_string() }
}
