//! Makes contract tables from a job's inputs.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::*;
use polars::sql::SQLContext;

use super::conform::conform;
use super::error::SourceError;
use super::input::{self, InputFile, OpenInput};
use super::keyed::KeyedInputs;
use super::malformed::MalformedRecord;
use super::row_wise;
use super::settings::{SourceSettings, SourceSpec, Statement};
use crate::contract::{self, TableContract};

/// Some rows of a contract table as the source gives them: unwashed.
#[derive(Debug, Clone)]
pub struct SourcePiece {
    /// The contract's columns with the contract's types, `_file` (index into the table's files), `_row` (1-based data row), and hidden
    /// `_unreadable.*` columns with the text of cells that could not be read.
    pub frame: DataFrame,
    /// Rows of the input which the SELECT did not return, as they stand in it, with `_file` and `_row`.
    pub not_mapped: Option<DataFrame>,
}

/// A contract table whose rows were read.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// What it is meant to be.
    pub table: &'static TableContract,
    /// The files of the input whose rows are accounted for.
    pub files: Vec<InputFile>,
    /// Malformed records of that input.
    pub malformed: Vec<MalformedRecord>,
}

/// An input that no table is accounted by: its rows were only joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedInput {
    /// Its files.
    pub files: Vec<InputFile>,
    /// Its malformed records.
    pub malformed: Vec<MalformedRecord>,
}

/// How files of an input are read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InputFormat {
    /// Its name in the job file.
    pub input: String,
    /// Files that are read so.
    pub files: usize,
    /// In words: `text in utf-8, cells separated by ';'`.
    pub format: String,
}

/// A job's inputs, opened when first needed. Rows are read batch by batch where a table's SELECT looks at one row at a time, and as a whole
/// where it does not.
pub struct Sources<'a> {
    settings: &'a SourceSettings,
    scratch: PathBuf,
    open: BTreeMap<String, Option<OpenInput>>,
}

impl<'a> Sources<'a> {
    /// The inputs of a job. Nothing is read yet. Where inputs have to be split, scratch goes to `scratch`, which must be there by then.
    #[must_use]
    pub fn new(settings: &'a SourceSettings, scratch: &Path) -> Self {
        Self { settings, scratch: scratch.to_owned(), open: BTreeMap::new() }
    }

    /// Every file opened so far, those that were only joined included, by input and path.
    #[must_use]
    pub fn files(&self) -> Vec<InputFile> {
        self.open.values().flatten().flat_map(OpenInput::files).collect()
    }

    /// How the files of every input opened so far are read.
    #[must_use]
    pub fn formats(&self) -> Vec<InputFormat> {
        let inputs = self.open.iter().filter_map(|(name, input)| Some((name, input.as_ref()?)));
        let formats = inputs.flat_map(|(name, input)| {
            input.formats().into_iter().map(|(format, files)| InputFormat { input: name.clone(), files, format })
        });
        formats.collect()
    }

    /// The inputs opened so far that drive no table of the job.
    pub fn joined_only(&self) -> impl Iterator<Item = JoinedInput> {
        let drives = |name: &str| self.settings.sources.iter().any(|spec| spec.from == name);
        let joined = self.open.iter().filter(move |(name, _)| !drives(name)).filter_map(|(_, input)| input.as_ref());
        joined.map(|input| JoinedInput { files: input.files(), malformed: input.malformed() })
    }

    /// About how many rows the input that drives a table has; 0 where it is absent.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn rows_about(&mut self, spec: &SourceSpec) -> Result<u64, SourceError> {
        self.open(&spec.from)?;
        Ok(self.open.get(&spec.from).and_then(Option::as_ref).map_or(0, OpenInput::rows_about))
    }

    /// Reads one contract table and gives its rows to `take`, in pieces that come in no order and from several threads; `None` where its input
    /// is optional and absent.
    ///
    /// # Errors
    /// See [`SourceError`], and what `take` says.
    pub fn read<E: From<SourceError> + Send>(
        &mut self,
        spec: &SourceSpec,
        take: &(dyn Fn(SourcePiece) -> Result<(), E> + Sync),
    ) -> Result<Option<SourceTable>, E> {
        let Some(table) = contract::table(spec.table) else {
            return Err(SourceError::Frame { table: spec.table, why: "no such contract table".to_owned() }.into());
        };
        if !self.is_there(spec, table)? {
            return Ok(None);
        }
        let from = self.origin(spec);
        if is_row_wise(spec) {
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
            let wanted = spec.sql.is_none().then_some(columns.as_slice());
            let driver = self.driver(spec)?;
            let is_text = driver.is_text();
            driver.batches(wanted, &|batch| {
                let frame = match &spec.sql {
                    None => batch.clone(),
                    Some(statement) => select(spec, statement, [(spec.from.clone(), batch.clone().lazy())])
                        .and_then(|rows| rows.collect().map_err(|e| refused(spec, &e)))?,
                };
                check_lineage(spec, &frame)?;
                let frame = conform(table, &frame, is_text, &from)?;
                let not_mapped = if spec.sql.is_some() { not_returned(spec, &frame, &batch)? } else { None };
                take(SourcePiece { frame, not_mapped })
            })?;
        } else if let (Some(statement), false) = (&spec.sql, spec.keyed_by.is_empty()) {
            let keyed = KeyedInputs::split(spec, &spec.keyed_by, &mut self.open, &self.scratch)?;
            let is_text = self.driver(spec)?.is_text();
            let others = self.whole_inputs(spec, &|name| !spec.keyed_by.contains_key(name))?;
            let run = |part: BTreeMap<&str, DataFrame>| {
                let keyed = part.into_iter().map(|(name, rows)| (name.to_owned(), rows.lazy()));
                let frame = select(spec, statement, others.iter().cloned().chain(keyed))?;
                let frame = frame.collect().map_err(|e| refused(spec, &e))?;
                check_lineage(spec, &frame)?;
                Ok::<_, SourceError>(frame)
            };
            keyed.try_out(spec, &run)?;
            keyed.each(spec, &|part| {
                let raw = part.get(spec.from.as_str()).cloned().unwrap_or_default();
                let frame = conform(table, &run(part)?, is_text, &from)?;
                let not_mapped = not_returned(spec, &frame, &raw)?;
                take(SourcePiece { frame, not_mapped })
            })?;
        } else {
            let frame = self.whole(spec)?;
            check_lineage(spec, &frame)?;
            let driver = self.driver(spec)?;
            let frame = conform(table, &frame, driver.is_text(), &from)?;
            let not_mapped = not_mapped(spec, &frame, driver)?;
            take(SourcePiece { frame, not_mapped })?;
        }
        let driver = self.driver(spec)?;
        let (files, malformed) = (driver.files(), driver.malformed());
        if !malformed.is_empty() {
            tracing::warn!(input = spec.from, rows = malformed.len(), "malformed records are set aside");
        }
        Ok(Some(SourceTable { table, files, malformed }))
    }

    /// One column of one contract table, read before the night to guess its date, in pieces; nothing where the table is absent. Cells that
    /// cannot be read are null.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn peek(
        &mut self,
        spec: &SourceSpec,
        column: &str,
        take: &(dyn Fn(Series) -> Result<(), SourceError> + Sync),
    ) -> Result<(), SourceError> {
        let Some(table) = contract::table(spec.table) else { return Ok(()) };
        if !self.is_there(spec, table)? {
            return Ok(());
        }
        let single = |frame: &DataFrame, is_text: bool| match frame.column(column) {
            Ok(_) => take(super::conform::single(table, frame, column, is_text)?),
            Err(_) => Ok(()),
        };
        if spec.sql.is_none() {
            let driver = self.driver(spec)?;
            let is_text = driver.is_text();
            driver.batches(Some(&[column]), &|batch| single(&batch, is_text))
        } else {
            let frame = self.whole(spec)?;
            let is_text = self.driver(spec)?.is_text();
            single(&frame, is_text)
        }
    }

    /// Forgets the rows of inputs that none of the `later` tables need as a whole.
    pub fn close_unused(&mut self, later: &[SourceSpec]) {
        let job = self.settings;
        for (name, input) in &mut self.open {
            let is_needed = later
                .iter()
                .any(|spec| !is_row_wise(spec) && !spec.keyed_by.contains_key(name) && needs(spec, name, job));
            if let (Some(input), false) = (input, is_needed) {
                input.forget();
            }
        }
    }

    fn open(&mut self, name: &str) -> Result<(), SourceError> {
        if let (Some(input), false) = (self.settings.inputs.get(name), self.open.contains_key(name)) {
            let opened = input::open(name, input, &self.settings.data)?;
            self.open.insert(name.to_owned(), opened);
        }
        Ok(())
    }

    /// Opens all that a table is made from; says whether it is all there.
    fn is_there(&mut self, spec: &SourceSpec, table: &'static TableContract) -> Result<bool, SourceError> {
        let job = self.settings;
        for name in job.inputs.keys().filter(|name| needs(spec, name, job)) {
            self.open(name)?;
            match self.open.get(name) {
                Some(Some(_)) => {}
                _ if table.optional => return Ok(false),
                _ => return Err(SourceError::RequiredTableAbsent { table: table.name, input: name.clone() }),
            }
        }
        Ok(true)
    }

    fn driver(&mut self, spec: &SourceSpec) -> Result<&mut OpenInput, SourceError> {
        let driver = self.open.get_mut(&spec.from).and_then(Option::as_mut);
        driver
            .ok_or_else(|| SourceError::Frame { table: spec.table, why: format!("input {:?} is not open", spec.from) })
    }

    /// What errors call the origin of a table.
    fn origin(&self, spec: &SourceSpec) -> String {
        if let Some(statement) = &spec.sql {
            return statement.path.display().to_string();
        }
        let driver = self.open.get(&spec.from).and_then(Option::as_ref);
        match driver.and_then(OpenInput::only_file) {
            Some(only) => only.display().to_string(),
            None => self.settings.inputs.get(&spec.from).map_or(spec.from.clone(), |i| i.files.join(", ")),
        }
    }

    /// The inputs of a SELECT that are taken as a whole.
    fn whole_inputs(
        &mut self,
        spec: &SourceSpec,
        is_taken: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, LazyFrame)>, SourceError> {
        let job = self.settings;
        let mut used: Vec<(&String, &mut OpenInput)> = self
            .open
            .iter_mut()
            .filter(|(name, _)| needs(spec, name, job) && is_taken(name))
            .filter_map(|(name, input)| Some((name, input.as_mut()?)))
            .collect();
        let rows = used.iter().map(|(_, input)| input.rows_about()).sum();
        if let (Some(statement), true) = (&spec.sql, rows > spec.max_whole_rows) {
            let (path, limit) = (statement.path.clone(), spec.max_whole_rows);
            return Err(SourceError::TooManyForWhole { table: spec.table, path, rows, limit });
        }
        used.iter_mut().map(|(name, input)| Ok(((*name).clone(), input.whole()?))).collect()
    }

    /// A table's rows from the whole of its inputs.
    fn whole(&mut self, spec: &SourceSpec) -> Result<DataFrame, SourceError> {
        let job = self.settings;
        let used = self.whole_inputs(spec, &|_| true)?;
        let rows = match &spec.sql {
            Some(statement) => select(spec, statement, used)?,
            None => used.into_iter().map(|(_, rows)| rows).next().unwrap_or_default(),
        };
        // A damaged Parquet page can make the reader fail in any way.
        let why = match catch_unwind(AssertUnwindSafe(|| rows.collect())) {
            Ok(Ok(frame)) => return Ok(frame),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the Parquet reader gave up".to_owned(),
        };
        let used = self.open.iter().filter(|(name, _)| needs(spec, name, job)).filter_map(|(_, input)| input.as_ref());
        if let Some(damaged) = used.into_iter().find_map(OpenInput::damaged) {
            return Err(damaged);
        }
        match &spec.sql {
            Some(statement) => Err(SourceError::BadSql { table: spec.table, path: statement.path.clone(), why }),
            None => Err(SourceError::Frame { table: spec.table, why }),
        }
    }
}

/// Whether a table can be made batch by batch.
fn is_row_wise(spec: &SourceSpec) -> bool {
    spec.sql.as_ref().is_none_or(|statement| row_wise::is_row_wise(&statement.text, &spec.from))
}

/// Runs a table's SELECT over its inputs, lazily.
fn select(
    spec: &SourceSpec,
    statement: &Statement,
    inputs: impl IntoIterator<Item = (String, LazyFrame)>,
) -> Result<LazyFrame, SourceError> {
    let mut context = SQLContext::new();
    for (name, rows) in inputs {
        context.register(&name, rows);
    }
    context.execute(&statement.text).map_err(|e| refused(spec, &e))
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

/// Where a row of the input lies.
type Place = (u32, u32);

/// The place of every row, as `_file` and `_row` say.
fn places(frame: &DataFrame) -> PolarsResult<impl Iterator<Item = Place>> {
    let column = |name: &str| frame.column(name)?.strict_cast(&DataType::UInt32)?.u32().cloned();
    let (files, rows) = (column("_file")?, column("_row")?);
    let places: Vec<Place> = files.iter().zip(rows.iter()).map(|(f, r)| (f.unwrap_or(0), r.unwrap_or(0))).collect();
    Ok(places.into_iter())
}

/// Rows of `raw`, a batch or a part, that a SELECT did not return: they would vanish from the account otherwise.
fn not_returned(spec: &SourceSpec, frame: &DataFrame, raw: &DataFrame) -> Result<Option<DataFrame>, SourceError> {
    let broken = |e: PolarsError| SourceError::Frame { table: spec.table, why: e.to_string() };
    let raw_places: Vec<Place> = places(raw).map_err(broken)?.collect();
    let returned: HashSet<Place> = places(frame).map_err(broken)?.collect();
    let known: HashSet<Place> = raw_places.iter().copied().collect();
    if let Some(place) = returned.iter().find(|place| !known.contains(place)) {
        return Err(no_such_row(spec, *place));
    }
    if returned.len() == known.len() {
        return Ok(None);
    }
    let lost: BooleanChunked = raw_places.iter().map(|place| !returned.contains(place)).collect();
    raw.filter(&lost).map(Some).map_err(broken)
}

/// The same of the whole input.
fn not_mapped(spec: &SourceSpec, frame: &DataFrame, driver: &mut OpenInput) -> Result<Option<DataFrame>, SourceError> {
    let broken = |e: PolarsError| SourceError::Frame { table: spec.table, why: e.to_string() };
    let mut seen: Vec<Vec<bool>> =
        driver.files().iter().map(|f| vec![false; usize::try_from(f.raw_rows).unwrap_or(0)]).collect();
    let index = |(file, row): Place| Some((file as usize, (row as usize).checked_sub(1)?));
    for place in places(frame).map_err(broken)? {
        let slot = index(place).and_then(|(f, r)| seen.get_mut(f)?.get_mut(r));
        *slot.ok_or_else(|| no_such_row(spec, place))? = true;
    }
    for row in &driver.malformed() {
        if let Some(slot) = index((row.file, row.row)).and_then(|(f, r)| seen.get_mut(f)?.get_mut(r)) {
            *slot = true;
        }
    }
    if seen.iter().flatten().all(|&s| s) {
        return Ok(None);
    }
    let raw = driver.whole()?.collect().map_err(broken)?;
    let was_seen = |place: Place| index(place).and_then(|(f, r)| seen.get(f)?.get(r).copied());
    let lost: BooleanChunked = places(&raw).map_err(broken)?.map(|place| was_seen(place) == Some(false)).collect();
    raw.filter(&lost).map(Some).map_err(broken)
}

fn no_such_row(spec: &SourceSpec, (file, row): Place) -> SourceError {
    let why = format!("_file {file} and _row {row} name no row of input {:?}", spec.from);
    let path = spec.sql.as_ref().map(|s| s.path.clone()).unwrap_or_default();
    SourceError::NoLineage { table: spec.table, path, why }
}
