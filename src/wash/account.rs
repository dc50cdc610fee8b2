//! What has become of all rows so far, added up over buckets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::tz::TimeZone;
use polars::prelude::*;

use super::activity::Activity;
use super::amounts::Amounts;
use super::error::IngestError;
use super::ledger::LedgerLine;
use super::people::PeopleByKind;
use super::quarantine::{Quarantine, QuarantineRow};
use crate::contract::{SUPERSEDED_AT, TableContract};
use crate::domain::AsOf;
use crate::spill::SpillError;
use crate::store::BrokenRecord;

/// Rows with a value, by column; none of columns that must have one.
pub type Filled = BTreeMap<&'static str, u64>;

/// Sums that do not depend on the order in which buckets are washed.
pub(super) struct Account {
    as_of: AsOf,
    zone: TimeZone,
    scratch: PathBuf,
    sums: Mutex<Sums>,
}

/// One table's sums, and what leads to no merchant.
#[derive(Default)]
pub(super) struct Sums {
    /// By table, one line a file.
    pub ledger: BTreeMap<&'static str, Vec<LedgerLine>>,
    /// Broken rows by table.
    pub quarantine: BTreeMap<&'static str, Arc<Quarantine>>,
    pub activity: BTreeMap<&'static str, Activity>,
    pub amounts: BTreeMap<&'static str, Amounts>,
    pub filled: BTreeMap<&'static str, Filled>,
    pub people: BTreeMap<&'static str, PeopleByKind>,
    /// Broken records that lead to no merchant and are known at as-of.
    pub unattributed: Vec<BrokenRecord>,
}

impl Account {
    /// Nothing yet; scratch goes to `scratch`.
    pub fn new(as_of: &AsOf, zone: &TimeZone, scratch: &Path) -> Self {
        Self { as_of: as_of.clone(), zone: zone.clone(), scratch: scratch.to_owned(), sums: Mutex::default() }
    }

    /// Enters a table before its rows: one line a file.
    pub fn open(&self, table: &'static TableContract, lines: Vec<LedgerLine>) -> Result<(), IngestError> {
        let mut sums = self.lock()?;
        sums.ledger.insert(table.name, lines);
        sums.quarantine.insert(table.name, Arc::new(Quarantine::new(&self.scratch)));
        sums.activity.entry(table.name).or_default();
        Ok(())
    }

    /// Adds washed rows.
    pub fn add(
        &self,
        table: &'static TableContract,
        clean: &DataFrame,
        broken: &[BrokenRecord],
        quarantine: Vec<QuarantineRow>,
        ledger: &[LedgerLine],
    ) -> Result<(), IngestError> {
        let broken_frame = |e: PolarsError| IngestError::Frame { table: table.name, why: e.to_string() };
        let active = Activity::of_table(table, clean, &self.zone).map_err(broken_frame)?;
        let amounts = Amounts::of_table(table, clean, &self.zone).map_err(broken_frame)?;
        let filled = filled(table, clean).map_err(broken_frame)?;
        let is_nobodys = |record: &&BrokenRecord| record.merchant_id.is_none() && record.counts_at(&self.as_of);
        let mut sums = self.lock()?;
        for (line, more) in sums.ledger.entry(table.name).or_default().iter_mut().zip(ledger) {
            line.add(more);
        }
        sums.activity.entry(table.name).or_default().add(&active);
        sums.amounts.entry(table.name).or_default().add(&amounts);
        let of_table = sums.filled.entry(table.name).or_default();
        for (column, rows) in filled {
            *of_table.entry(column).or_default() += rows;
        }
        sums.unattributed.extend(broken.iter().filter(is_nobodys).cloned());
        let of_table = sums.quarantine.get(table.name).cloned();
        drop(sums);
        if let Some(of_table) = of_table {
            of_table.extend(quarantine)?;
        }
        Ok(())
    }

    /// Adds whom rows of a table name.
    pub fn add_people(&self, table: &'static TableContract, counted: PeopleByKind) -> Result<(), IngestError> {
        let mut sums = self.lock()?;
        let of_table = sums.people.entry(table.name).or_default();
        for (kind, more) in counted {
            let people = of_table.entry(kind).or_default();
            people.named += more.named;
            people.others += more.others;
        }
        Ok(())
    }

    /// The sums of all that was added.
    pub fn close(self) -> Result<Sums, IngestError> {
        Ok(self.sums.into_inner().map_err(|_| SpillError::Poisoned)?)
    }

    fn lock(&self) -> Result<MutexGuard<'_, Sums>, IngestError> {
        Ok(self.sums.lock().map_err(|_| SpillError::Poisoned)?)
    }
}

/// Counts the latest versions of a washed table's rows.
fn filled(table: &'static TableContract, clean: &DataFrame) -> PolarsResult<Filled> {
    let is_latest = clean.column(SUPERSEDED_AT)?.is_null();
    let optional = table.columns.iter().filter(|column| !column.required);
    optional
        .map(|column| {
            let has_value = clean.column(column.name)?.is_not_null();
            Ok((column.name, (&has_value & &is_latest).num_trues() as u64))
        })
        .collect()
}
