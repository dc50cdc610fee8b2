//! Makes contract tables from a job's inputs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::*;
use polars::sql::SQLContext;

use super::conform::conform;
use super::error::SourceError;
use super::input::{self, InputFile, OpenInput};
use super::malformed::MalformedRecord;
use super::settings::{SourceSettings, SourceSpec};
use crate::contract::{self, TableContract};

/// A contract table as the source gives it: unwashed.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// What it is meant to be.
    pub table: &'static TableContract,
    /// The contract's columns with the contract's types, `_file` (index into `files`), `_row` (1-based data row), and hidden
    /// `_unreadable.*` columns with the text of cells that could not be read.
    pub frame: DataFrame,
    /// The files of the input whose rows are accounted for.
    pub files: Vec<InputFile>,
    /// Malformed records of that input.
    pub malformed: Vec<MalformedRecord>,
    /// Rows of that input which the SELECT did not return, as they stand in it, with `_file` and `_row`.
    pub not_mapped: Option<DataFrame>,
}

/// An input that no table is accounted by: its rows were only joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedInput {
    /// Its files.
    pub files: Vec<InputFile>,
    /// Its malformed records.
    pub malformed: Vec<MalformedRecord>,
}

/// A job's inputs, opened when first needed and closed after the last table that needs them.
pub struct Sources<'a> {
    settings: &'a SourceSettings,
    open: BTreeMap<String, Option<OpenInput>>,
    read: BTreeMap<String, JoinedInput>,
}

impl<'a> Sources<'a> {
    /// The inputs of a job. Nothing is read yet.
    #[must_use]
    pub fn new(settings: &'a SourceSettings) -> Self {
        Self { settings, open: BTreeMap::new(), read: BTreeMap::new() }
    }

    /// Every file read so far, those that were only joined included, by input and path.
    #[must_use]
    pub fn files(&self) -> Vec<InputFile> {
        self.read.values().flat_map(|input| input.files.clone()).collect()
    }

    /// The inputs read so far that drive no table of the job.
    pub fn joined_only(&self) -> impl Iterator<Item = &JoinedInput> {
        let drives = |name: &str| self.settings.sources.iter().any(|spec| spec.from == name);
        self.read.iter().filter(move |(name, _)| !drives(name)).map(|(_, input)| input)
    }

    /// Reads one contract table; `None` where its input is optional and absent.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn read(&mut self, spec: &SourceSpec) -> Result<Option<SourceTable>, SourceError> {
        let Some(table) = contract::table(spec.table) else {
            return Err(SourceError::Frame { table: spec.table, why: "no such contract table".to_owned() });
        };
        let Some(used) = self.open_for(spec, table)? else { return Ok(None) };
        let Some(driver) = used.get(&spec.from) else {
            return Err(SourceError::Frame { table: spec.table, why: format!("input {:?} is not open", spec.from) });
        };
        let rows = rows_of(spec, &used, driver)?;
        let frame = collect(spec, rows, &used)?;
        check_lineage(spec, &frame)?;
        let from = match (&spec.sql, driver.found.as_slice()) {
            (Some(statement), _) => statement.path.display().to_string(),
            (None, [only]) => only.path.display().to_string(),
            (None, _) => self.settings.inputs.get(&spec.from).map_or(spec.from.clone(), |i| i.files.clone()),
        };
        let frame = conform(table, &frame, driver.is_text, &from)?;
        let not_mapped = not_mapped(spec, &frame, driver)?;
        let (files, malformed) = (driver.files.clone(), driver.malformed.clone());
        Ok(Some(SourceTable { table, frame, files, malformed, not_mapped }))
    }

    /// One column of one contract table, read before the night to guess its date; `None` where the table is absent.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn peek(&mut self, spec: &SourceSpec, column: &str) -> Result<Option<Series>, SourceError> {
        let Some(table) = contract::table(spec.table) else { return Ok(None) };
        let Some(used) = self.open_for(spec, table)? else { return Ok(None) };
        let Some(driver) = used.get(&spec.from) else { return Ok(None) };
        let mut rows = rows_of(spec, &used, driver)?;
        let schema = rows.collect_schema().map_err(|e| refused(spec, &e))?;
        if !schema.contains(column) {
            return Ok(None);
        }
        let mut frame = collect(spec, rows.select([col(column)]), &used)?;
        for lineage in ["_file", "_row"] {
            frame
                .with_column(UInt32Chunked::full(lineage.into(), 0, frame.height()).into_column())
                .map_err(|e| SourceError::Frame { table: spec.table, why: e.to_string() })?;
        }
        super::conform::single(table, &frame, column, driver.is_text).map(Some)
    }

    /// Closes inputs that none of the `later` tables need.
    pub fn close_unused(&mut self, later: &[SourceSpec]) {
        let job = self.settings;
        self.open.retain(|name, _| later.iter().any(|spec| needs(spec, name, job)));
    }

    fn open_for(
        &mut self,
        spec: &SourceSpec,
        table: &'static TableContract,
    ) -> Result<Option<BTreeMap<String, OpenInput>>, SourceError> {
        let mut used = BTreeMap::new();
        for (name, input) in &self.settings.inputs {
            if !needs(spec, name, self.settings) {
                continue;
            }
            if !self.open.contains_key(name) {
                let opened = input::open(name, input, &self.settings.data)?;
                if let Some(opened) = &opened {
                    let read = JoinedInput { files: opened.files.clone(), malformed: opened.malformed.clone() };
                    self.read.insert(name.clone(), read);
                    if !opened.malformed.is_empty() {
                        tracing::warn!(input = name, rows = opened.malformed.len(), "malformed records are set aside");
                    }
                }
                self.open.insert(name.clone(), opened);
            }
            match self.open.get(name) {
                Some(Some(opened)) => {
                    used.insert(name.clone(), opened.clone());
                }
                _ if table.optional => return Ok(None),
                _ => return Err(SourceError::RequiredTableAbsent { table: table.name, input: name.clone() }),
            }
        }
        Ok(Some(used))
    }
}

/// An input is needed where it drives the table, or where its name stands in the statement as a word.
fn needs(spec: &SourceSpec, input: &str, job: &SourceSettings) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let named = |text: &str| {
        text.lines()
            .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
            .any(|code| code.split(|c| !is_word(c)).any(|word| word.eq_ignore_ascii_case(input)))
    };
    job.inputs.contains_key(input) && (spec.from == input || spec.sql.as_ref().is_some_and(|s| named(&s.text)))
}

fn rows_of(
    spec: &SourceSpec,
    used: &BTreeMap<String, OpenInput>,
    driver: &OpenInput,
) -> Result<LazyFrame, SourceError> {
    let Some(statement) = &spec.sql else { return Ok(driver.rows.clone()) };
    let mut context = SQLContext::new();
    for (name, input) in used {
        context.register(name, input.rows.clone());
    }
    context.execute(&statement.text).map_err(|e| refused(spec, &e))
}

/// Runs a plan. A damaged Parquet page can make the reader fail in any way, so panics are caught and the file is looked for.
fn collect(spec: &SourceSpec, rows: LazyFrame, used: &BTreeMap<String, OpenInput>) -> Result<DataFrame, SourceError> {
    let why = match catch_unwind(AssertUnwindSafe(|| rows.collect())) {
        Ok(Ok(frame)) => return Ok(frame),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the Parquet reader gave up".to_owned(),
    };
    for input in used.values().filter(|i| !i.is_text) {
        for (index, found) in input.found.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let alone = input.rows.clone().filter(col("_file").eq(lit(index)));
            let why = match catch_unwind(AssertUnwindSafe(|| alone.collect())) {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "its pages are damaged".to_owned(),
            };
            return Err(SourceError::Corrupt { file: found.path.clone(), why });
        }
    }
    match &spec.sql {
        Some(statement) => Err(SourceError::BadSql { table: spec.table, path: statement.path.clone(), why }),
        None => Err(SourceError::Frame { table: spec.table, why }),
    }
}

fn refused(spec: &SourceSpec, error: &PolarsError) -> SourceError {
    match &spec.sql {
        Some(s) => SourceError::BadSql { table: spec.table, path: s.path.clone(), why: error.to_string() },
        None => SourceError::Frame { table: spec.table, why: error.to_string() },
    }
}

fn check_lineage(spec: &SourceSpec, frame: &DataFrame) -> Result<(), SourceError> {
    let path = spec.sql.as_ref().map(|s| s.path.clone()).unwrap_or_default();
    for lineage in ["_file", "_row"] {
        let why = match frame.column(lineage) {
            Err(_) => format!("the SELECT must return {lineage} of input {:?}", spec.from),
            Ok(column) if column.null_count() > 0 => {
                format!("{} rows come from no row of input {:?}: {lineage} is null", column.null_count(), spec.from)
            }
            Ok(_) => continue,
        };
        return Err(SourceError::NoLineage { table: spec.table, path, why });
    }
    Ok(())
}

/// Rows of the driver that the SELECT did not return: they would vanish from the account otherwise.
fn not_mapped(spec: &SourceSpec, frame: &DataFrame, driver: &OpenInput) -> Result<Option<DataFrame>, SourceError> {
    let broken = |e: PolarsError| SourceError::Frame { table: spec.table, why: e.to_string() };
    if spec.sql.is_none() {
        return Ok(None);
    }
    let mut seen: Vec<Vec<bool>> =
        driver.files.iter().map(|f| vec![false; usize::try_from(f.raw_rows).unwrap_or(0)]).collect();
    let place = |file: Option<u32>, row: Option<u32>| Some((file? as usize, (row? as usize).checked_sub(1)?));
    let lineage = |frame: &DataFrame| -> PolarsResult<(UInt32Chunked, UInt32Chunked)> {
        let column = |name: &str| frame.column(name)?.strict_cast(&DataType::UInt32)?.u32().cloned();
        Ok((column("_file")?, column("_row")?))
    };
    let (files, rows) = lineage(frame).map_err(broken)?;
    for (file, row) in files.iter().zip(rows.iter()) {
        let slot = place(file, row).and_then(|(f, r)| seen.get_mut(f)?.get_mut(r));
        let Some(slot) = slot else {
            let why = format!("_file {file:?} and _row {row:?} name no row of input {:?}", spec.from);
            let path = spec.sql.as_ref().map(|s| s.path.clone()).unwrap_or_default();
            return Err(SourceError::NoLineage { table: spec.table, path, why });
        };
        *slot = true;
    }
    for row in &driver.malformed {
        if let Some(slot) = place(Some(row.file), Some(row.row)).and_then(|(f, r)| seen.get_mut(f)?.get_mut(r)) {
            *slot = true;
        }
    }
    if seen.iter().flatten().all(|&s| s) {
        return Ok(None);
    }
    let raw = driver.rows.clone().collect().map_err(broken)?;
    let (files, rows) = lineage(&raw).map_err(broken)?;
    let lost: BooleanChunked = files
        .iter()
        .zip(rows.iter())
        .map(|(file, row)| place(file, row).and_then(|(f, r)| seen.get(f)?.get(r).copied()) == Some(false))
        .collect();
    raw.filter(&lost).map(Some).map_err(broken)
}
