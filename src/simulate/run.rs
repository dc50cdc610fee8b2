//! The whole simulation: merchants in blocks, side by side, written in order.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::calendar::Calendar;
use super::columns;
use super::error::SimulateError;
use super::feed::deliver;
use super::files::{SimulatedFile, TableFile};
use super::life::{Life, World};
use super::nights::NightFiles;
use super::settings::SimulationSettings;
use super::tables::Tables;
use super::truth;
use crate::contract::{self, TableContract};

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationReport {
    /// What made it.
    pub made_by: String,
    /// The command that makes the same bytes (knobs without a flag at their defaults).
    pub command: String,
    /// All settings.
    pub settings: SimulationSettings,
    /// The first simulated day.
    #[serde(serialize_with = "super::settings::as_text")]
    pub start_on: jiff::civil::Date,
    /// Contract tables, then truth tables.
    pub files: Vec<SimulatedFile>,
}

/// Merchants a block: what one thread makes at a time.
const BLOCK: u64 = 64;
/// Blocks held in memory at once, however many threads there are.
const BLOCKS_AT_ONCE: u64 = 16;

/// Simulates a marketplace into the empty or new folder `out`: a Parquet file a contract table (with `nightly` a folder a night, see
/// [`SimulationSettings::nightly`]), `truth/` and, last of all, `metadata.json`. `progress` hears of merchants done and in all.
///
/// # Errors
/// Bad settings, a folder that is not empty, or a disk that refuses.
pub fn simulate(
    settings: &SimulationSettings,
    out: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<SimulationReport, SimulateError> {
    let start_on = settings.checked_start()?;
    let world = World::new(settings.clone(), Calendar::new(start_on, settings.end_on), None);
    prepare(out)?;
    let mut files = Files::create(out, &world, start_on)?;
    progress(0, settings.merchants);
    let span = BLOCK * BLOCKS_AT_ONCE;
    let mut first = 0;
    let mut made = make(&world, first, span);
    while first < settings.merchants {
        let next = first + span;
        let (written, upcoming) = rayon::join(|| files.write(&made), || make(&world, next, span));
        written?;
        made = upcoming;
        first = next;
        progress(first.min(settings.merchants), settings.merchants);
    }
    let report = SimulationReport {
        made_by: format!("integrity {}", env!("CARGO_PKG_VERSION")),
        command: settings.command(),
        settings: settings.clone(),
        start_on,
        files: files.finish()?,
    };
    write_metadata(out, &report)?;
    Ok(report)
}

/// Blocks of merchants from `first` on, in order.
fn make(world: &World, first: u64, span: u64) -> Vec<Tables> {
    let end = (first + span).min(world.settings.merchants);
    let starts: Vec<u64> = (first..end).step_by(usize::try_from(BLOCK).unwrap_or(1)).collect();
    starts
        .into_par_iter()
        .map(|start| {
            let mut block = Tables::new(&world.settings);
            for index in start..(start + BLOCK).min(end) {
                block.append(deliver(of_merchant(world, index), world, index));
            }
            block
        })
        .collect()
}

/// All rows of a merchant.
fn of_merchant(world: &World, index: u64) -> Tables {
    let end = world.calendar.end();
    if world.settings.outlook_lives == 0 {
        return Tables::of(&Life::live(world, index), world, end);
    }
    let (life, outlooks) = Life::live_foreseen(world, index);
    let mut tables = Tables::of(&life, world, end);
    tables.truth.push(outlooks);
    tables
}

pub(super) struct Files {
    contract: ContractFiles,
    truth: Vec<TableFile>,
}

enum ContractFiles {
    /// A file a table.
    Whole(Vec<TableFile>),
    /// A folder a night.
    Nightly(NightFiles),
}

impl Files {
    pub(super) fn create(out: &Path, world: &World, start_on: jiff::civil::Date) -> Result<Self, SimulateError> {
        let create = |folder: &str, table: &'static TableContract| {
            TableFile::create(out, format!("{folder}{}.parquet", table.name), table, columns::schema(table))
        };
        let contract = if world.settings.nightly {
            ContractFiles::Nightly(NightFiles::create(out, start_on, world.calendar)?)
        } else {
            ContractFiles::Whole(contract::TABLES.iter().map(|t| create("", t)).collect::<Result<_, _>>()?)
        };
        let truth = truth::tables(&world.settings).map(|t| create("truth/", t));
        Ok(Self { contract, truth: truth.collect::<Result<_, _>>()? })
    }

    /// Tables side by side, blocks in order.
    pub(super) fn write(&mut self, blocks: &[Tables]) -> Result<(), SimulateError> {
        match &mut self.contract {
            ContractFiles::Whole(files) => files.par_iter_mut().enumerate().try_for_each(|(i, file)| {
                blocks.iter().filter_map(|b| b.contract.get(i)).try_for_each(|r| file.write(r))
            })?,
            ContractFiles::Nightly(files) => {
                files.write(&blocks.iter().map(|block| block.contract.as_slice()).collect::<Vec<_>>())?;
            }
        }
        let truth = self.truth.par_iter_mut().enumerate();
        truth.try_for_each(|(i, file)| blocks.iter().filter_map(|b| b.truth.get(i)).try_for_each(|r| file.write(r)))
    }

    pub(super) fn finish(self) -> Result<Vec<SimulatedFile>, SimulateError> {
        let mut files = match self.contract {
            ContractFiles::Whole(files) => files.into_iter().map(TableFile::finish).collect::<Result<Vec<_>, _>>()?,
            ContractFiles::Nightly(files) => files.finish()?,
        };
        for file in self.truth {
            files.push(file.finish()?);
        }
        Ok(files)
    }
}

pub(super) fn prepare(out: &Path) -> Result<(), SimulateError> {
    let truth = out.join("truth");
    fs::create_dir_all(out).map_err(SimulateError::io(out))?;
    if fs::read_dir(out).map_err(SimulateError::io(out))?.next().is_some() {
        return Err(SimulateError::OutNotEmpty { path: out.to_owned() });
    }
    fs::create_dir(&truth).map_err(SimulateError::io(&truth))
}

fn write_metadata(out: &Path, report: &SimulationReport) -> Result<(), SimulateError> {
    let path = out.join("metadata.json");
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    let mut file = File::create_new(&path).map_err(SimulateError::io(&path))?;
    file.write_all(text.as_bytes()).map_err(SimulateError::io(&path))?;
    file.sync_all().map_err(SimulateError::io(&path))
}
