//! Makes contract tables from a job's inputs.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::condition;
use super::conform::conform;
use super::error::SourceError;
use super::input::{self, FileState, InputFile, OpenInput};
use super::keyed::KeyedInputs;
use super::known::KnownFiles;
use super::malformed::MalformedRecord;
use super::row_filter::RowFilter;
use super::row_wise;
use super::settings::{SourcePart, SourceSettings, SourceSpec, Statement};
use super::sql_faults::{self, Fault};
use super::sql_mentions::words;
use super::sql_run;
use crate::contract::{self, TableContract};

/// Some rows of a contract table as the source gives them: unwashed.
#[derive(Debug, Clone)]
pub struct SourcePiece {
    /// The contract's columns with the contract's types, `_file` (index into the table's files), `_row` (1-based data row), and hidden
    /// `_unreadable.*` columns with the text of cells that could not be read.
    pub frame: DataFrame,
    /// Rows of the input which the SELECT did not return, as they stand in it, with `_file` and `_row`.
    pub not_mapped: Option<DataFrame>,
    /// What the SELECT makes of rows that the job's `where` skips, where rows of other tables may name them: the contract's columns.
    pub not_meant: Option<DataFrame>,
}

/// A contract table whose rows were read.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// What it is meant to be.
    pub table: &'static TableContract,
    /// The files of the inputs whose rows are accounted for.
    pub files: Vec<InputFile>,
    /// Malformed records of that input.
    pub malformed: Vec<MalformedRecord>,
    /// Rows of each file that the job's `where` skips, and lines of its footer.
    pub skipped: Vec<u64>,
}

/// An input that no table is accounted by: its rows were only joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedInput {
    /// Its files.
    pub files: Vec<InputFile>,
    /// Its malformed records.
    pub malformed: Vec<MalformedRecord>,
    /// Lines of each file's footer.
    pub skipped: Vec<u64>,
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

/// A column that files of an input lack. A job that reads it takes it as null there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnGap {
    /// Contract table that is made from the input.
    pub table: String,
    /// The input in the job file.
    pub input: String,
    /// The column, as the input's files name it.
    pub column: String,
    /// Files without it, in order of path.
    pub without: Vec<String>,
    /// No file has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_in_none: bool,
}

/// A job's inputs, opened when first needed. Rows are read batch by batch where a table's SELECT looks at one row at a time, and as a whole
/// where it does not.
pub struct Sources<'a> {
    settings: &'a SourceSettings,
    scratch: PathBuf,
    known: KnownFiles,
    open: BTreeMap<String, Option<OpenInput>>,
}

impl<'a> Sources<'a> {
    /// The inputs of a job. Nothing is read yet. Where inputs have to be split, scratch goes to `scratch`, which must be there by then.
    #[must_use]
    pub fn new(settings: &'a SourceSettings, scratch: &Path) -> Self {
        Self { settings, scratch: scratch.to_owned(), known: KnownFiles::new(), open: BTreeMap::new() }
    }

    /// Leaves out the rows of these files where their bytes stand: the caller has kept what was made of them. They must be of inputs
    /// that [`Self::drives_alone`] names.
    pub(crate) fn know(&mut self, known: KnownFiles) {
        self.known = known;
    }

    /// Whether every table that needs this input is made from it alone and looks at one of its rows at a time, so that a file can be read
    /// without the others.
    pub(crate) fn drives_alone(&self, input: &str) -> bool {
        let job = self.settings;
        let mut needing =
            job.sources.iter().filter(|table| table.parts.iter().any(|part| needs(part, input, job))).peekable();
        let alone = |table: &SourceSpec| match table.parts.as_slice() {
            [only] => only.from == input && only.filter.is_none() && is_row_wise(only),
            _ => false,
        };
        needing.peek().is_some() && needing.all(alone)
    }

    /// Opens an input anew, as if no file of it were known.
    pub(crate) fn read_again(&mut self, input: &str) -> Result<(), SourceError> {
        self.known.remove(input);
        self.open.remove(input);
        self.open(input)
    }

    /// The files of an input and the columns of all of them, once it is open; `None` where it is absent.
    pub(crate) fn states(&self, input: &str) -> Option<(Vec<FileState>, &Schema)> {
        let open = self.open.get(input)?.as_ref()?;
        Some((open.states(), open.schema()))
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

    /// Columns that a table takes from an input opened so far and that files of it lack: those that its SELECT or its `where` names, and those of the
    /// contract.
    #[must_use]
    pub fn column_gaps(&self) -> Vec<ColumnGap> {
        let job = self.settings;
        let mut gaps: Vec<ColumnGap> = Vec::new();
        for part in job.sources.iter().flat_map(|table| &table.parts) {
            let inputs = self.open.iter().filter(|(name, _)| needs(part, name, job));
            for (input, open) in inputs.filter_map(|(name, open)| Some((name, open.as_ref()?))) {
                for column in columns_taken(part, open) {
                    let (without, is_in_none) = open.without(column);
                    let (table, input, column) = (part.table.to_owned(), input.clone(), column.to_owned());
                    if !without.is_empty() {
                        gaps.push(ColumnGap { table, input, column, without, is_in_none });
                    }
                }
            }
        }
        gaps
    }

    /// How many files are open whose rows are not read, how many in all, and the records of those that are read.
    pub(crate) fn read_so_far(&self) -> (usize, usize, u64) {
        let files: Vec<FileState> = self.open.values().flatten().flat_map(OpenInput::states).collect();
        let known = files.iter().filter(|file| file.is_known).count();
        (known, files.len(), files.iter().filter(|file| !file.is_known).map(|file| file.file.raw_rows).sum())
    }

    /// The inputs opened so far that drive no table of the job.
    pub fn joined_only(&self) -> impl Iterator<Item = JoinedInput> {
        let drives = |name: &str| self.settings.sources.iter().flat_map(|s| &s.parts).any(|part| part.from == name);
        let joined = self.open.iter().filter(move |(name, _)| !drives(name)).filter_map(|(_, input)| input.as_ref());
        joined.map(|input| JoinedInput {
            files: input.files(),
            malformed: input.malformed(),
            skipped: input.footers().collect(),
        })
    }

    /// About how many rows the inputs that drive a table have; 0 where they are absent.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn rows_about(&mut self, spec: &SourceSpec) -> Result<u64, SourceError> {
        let mut rows = 0;
        for part in &spec.parts {
            self.open(&part.from)?;
            rows += self.open.get(&part.from).and_then(Option::as_ref).map_or(0, OpenInput::rows_about);
        }
        Ok(rows)
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
        let mut whole = SourceTable { table, files: Vec::new(), malformed: Vec::new(), skipped: Vec::new() };
        let all_columns = self.columns_of_parts(spec);
        for part in &spec.parts {
            let before = u32::try_from(whole.files.len()).unwrap_or(u32::MAX);
            let skipped = self.read_part(part, table, &|piece| take(piece.moved(before, all_columns.as_deref())?))?;
            let driver = self.driver(part)?;
            let (files, malformed, footers) =
                (driver.files(), driver.malformed(), driver.footers().collect::<Vec<_>>());
            if !malformed.is_empty() {
                tracing::warn!(input = part.from, rows = malformed.len(), "malformed records are set aside");
            }
            whole.malformed.extend(malformed.into_iter().map(|m| MalformedRecord { file: m.file + before, ..m }));
            whole.files.extend(files);
            whole.skipped.extend(skipped.into_iter().zip(footers).map(|(by_where, footer)| by_where + footer));
        }
        Ok(Some(whole))
    }

    /// The columns of all inputs that drive a table, where there are several: what any of them loses is put aside together.
    fn columns_of_parts(&self, spec: &SourceSpec) -> Option<Vec<String>> {
        let inputs = spec.parts.iter().filter_map(|part| self.open.get(&part.from)?.as_ref());
        let mut columns: Vec<String> = Vec::new();
        for name in inputs.flat_map(|input| input.schema().iter_names()) {
            if !columns.iter().any(|known| known == name.as_str()) {
                columns.push(name.to_string());
            }
        }
        (spec.parts.len() > 1).then_some(columns)
    }

    /// Reads what one SELECT gives; says how many rows of each file its `where` skips.
    fn read_part<E: From<SourceError> + Send>(
        &mut self,
        spec: &SourcePart,
        table: &'static TableContract,
        take: &(dyn Fn(SourcePiece) -> Result<(), E> + Sync),
    ) -> Result<Vec<u64>, E> {
        if let Some(fault) = self.faults_of_statements(spec).into_iter().next() {
            return Err(fault.into());
        }
        let from = self.origin(spec);
        let filter = RowFilter::new(spec);
        let is_text = self.driver(spec)?.is_text();
        let to = Target { table, from: &from, is_text };
        match &spec.sql {
            _ if is_row_wise(spec) => self.read_row_wise(spec, &to, &filter, take)?,
            Some(statement) if !spec.keyed_by.is_empty() => self.read_keyed(spec, statement, &to, &filter, take)?,
            _ if spec.filter.is_some() => take(self.read_filtered(spec, &to, &filter)?)?,
            _ => take(self.read_whole(spec, &to)?)?,
        }
        let files = self.driver(spec)?.files().len();
        Ok(filter.skipped(files))
    }

    /// Batch by batch, where each row gives what it gives whatever the others are.
    fn read_row_wise<E: From<SourceError> + Send>(
        &mut self,
        spec: &SourcePart,
        to: &Target<'_>,
        filter: &RowFilter<'_>,
        take: &(dyn Fn(SourcePiece) -> Result<(), E> + Sync),
    ) -> Result<(), E> {
        let columns: Vec<&str> = to.table.columns.iter().map(|c| c.name).collect();
        let wanted = (spec.sql.is_none() && spec.filter.is_none()).then_some(columns.as_slice());
        let driver = self.driver(spec)?;
        let in_files: Vec<String> = driver.schema().iter_names().map(ToString::to_string).collect();
        driver.batches(wanted, &|batch| {
            let sifted = filter.split_rows(batch)?;
            let batch = sifted.taken;
            let run = |batch: DataFrame| match &spec.sql {
                None => Ok(batch),
                Some(statement) => select(spec, statement, [(spec.from.clone(), batch.lazy())])
                    .and_then(|rows| rows.collect().map_err(|e| refused(spec, &e))),
            };
            let frame = run(batch.clone())?;
            check_lineage(spec, &frame)?;
            let not_meant = to.not_meant(sifted.skipped, run);
            let frame = to.conform(&frame).map_err(|error| match error {
                // A column that goes by another name was not read.
                SourceError::MissingColumn { table, column, expected, from, .. } if wanted.is_some() => {
                    SourceError::MissingColumn { table, column, expected, found: in_files.join(", "), from }
                }
                error => error,
            })?;
            let lost = if spec.sql.is_some() { not_returned(spec, &frame, &batch)? } else { None };
            take(SourcePiece { frame, not_mapped: together(spec, lost, sifted.unknown)?, not_meant })
        })
    }

    /// Part by part, where rows of different keys never meet.
    fn read_keyed<E: From<SourceError> + Send>(
        &mut self,
        spec: &SourcePart,
        statement: &Statement,
        to: &Target<'_>,
        filter: &RowFilter<'_>,
        take: &(dyn Fn(SourcePiece) -> Result<(), E> + Sync),
    ) -> Result<(), E> {
        let keyed = KeyedInputs::split(spec, &spec.keyed_by, &mut self.open, &self.scratch)?;
        let others = self.whole_inputs(spec, &|name| !spec.keyed_by.contains_key(name))?;
        let run = |part: BTreeMap<&str, DataFrame>| {
            let keyed = part.into_iter().map(|(name, rows)| (name.to_owned(), rows.lazy()));
            let frame = select(spec, statement, others.iter().cloned().chain(keyed))?;
            let frame = frame.collect().map_err(|e| refused(spec, &e))?;
            check_lineage(spec, &frame)?;
            Ok::<_, SourceError>(frame)
        };
        let only_tried = RowFilter::new(spec);
        keyed.try_out(spec, &|mut part| {
            if let Some(rows) = part.get_mut(spec.from.as_str()) {
                *rows = only_tried.split_rows(std::mem::take(rows))?.taken;
            }
            run(part)
        })?;
        keyed.each(spec, &|mut part| {
            let Some(rows) = part.get_mut(spec.from.as_str()) else { return Ok(()) };
            let sifted = filter.split_rows(std::mem::take(rows))?;
            let not_meant = to.not_meant(sifted.skipped, |skipped| {
                let mut of_skipped = part.clone();
                if let Some(rows) = of_skipped.get_mut(spec.from.as_str()) {
                    *rows = skipped;
                }
                run(of_skipped)
            });
            if let Some(rows) = part.get_mut(spec.from.as_str()) {
                rows.clone_from(&sifted.taken);
            }
            let frame = to.conform(&run(part)?)?;
            let lost = not_returned(spec, &frame, &sifted.taken)?;
            take(SourcePiece { frame, not_mapped: together(spec, lost, sifted.unknown)?, not_meant })
        })
    }

    /// All at once, of the rows that the job's `where` takes.
    fn read_filtered(
        &mut self,
        spec: &SourcePart,
        to: &Target<'_>,
        filter: &RowFilter<'_>,
    ) -> Result<SourcePiece, SourceError> {
        let raw = self.driver(spec)?.whole()?.collect().map_err(|e| refused(spec, &e))?;
        let sifted = filter.split_rows(raw)?;
        let frame = self.whole(spec, Some(&sifted.taken))?;
        check_lineage(spec, &frame)?;
        let frame = to.conform(&frame)?;
        let lost = not_returned(spec, &frame, &sifted.taken)?;
        let not_meant = to.not_meant(sifted.skipped, |rows| self.whole(spec, Some(&rows)));
        Ok(SourcePiece { frame, not_mapped: together(spec, lost, sifted.unknown)?, not_meant })
    }

    /// All at once, of all rows.
    fn read_whole(&mut self, spec: &SourcePart, to: &Target<'_>) -> Result<SourcePiece, SourceError> {
        let frame = self.whole(spec, None)?;
        check_lineage(spec, &frame)?;
        let frame = to.conform(&frame)?;
        let not_mapped = not_mapped(spec, &frame, self.driver(spec)?)?;
        Ok(SourcePiece { frame, not_mapped, not_meant: None })
    }

    /// What can be said of inputs and statements before a row is read: inputs that are not there or cannot be opened, parts of SELECTs that cannot run, and what
    /// they give that is not the contract's.
    #[must_use]
    pub fn faults(&mut self) -> Vec<SourceError> {
        let job = self.settings;
        let mut faults: Vec<SourceError> = job.inputs.keys().filter_map(|name| self.open(name).err()).collect();
        for spec in &job.sources {
            let Some(table) = contract::table(spec.table) else { continue };
            for part in &spec.parts {
                faults.extend(self.faults_of_part(part, table));
            }
        }
        faults
    }

    /// Runs a SELECT over no rows; nothing is said where an input of it could not be opened.
    fn faults_of_part(&mut self, part: &SourcePart, table: &'static TableContract) -> Vec<SourceError> {
        let job = self.settings;
        for name in job.inputs.keys().filter(|name| needs(part, name, job)) {
            match self.open.get(name) {
                Some(Some(_)) => {}
                Some(None) if !table.optional => {
                    return vec![SourceError::RequiredTableAbsent { table: table.name, input: name.clone() }];
                }
                Some(None) | None => return Vec::new(),
            }
        }
        let faults = self.faults_of_statements(part);
        let (Some(statement), true) = (&part.sql, faults.is_empty()) else { return faults };
        let from = self.origin(part);
        let Ok(is_text) = self.driver(part).map(|driver| driver.is_text()) else { return faults };
        let inputs = self.without_rows(part).into_iter().map(|(name, none)| (name, none.lazy()));
        let frame = select(part, statement, inputs).and_then(|rows| rows.collect().map_err(|e| refused(part, &e)));
        let made = frame.and_then(|frame| {
            check_lineage(part, &frame)?;
            conform(table, &frame, is_text, &from)
        });
        made.err().into_iter().collect()
    }

    /// The open inputs that a source needs, without their rows.
    fn without_rows(&self, part: &SourcePart) -> Vec<(String, DataFrame)> {
        let job = self.settings;
        let needed = self.open.iter().filter(|(name, _)| needs(part, name, job));
        needed
            .filter_map(|(name, open)| Some((name.clone(), DataFrame::empty_with_schema(open.as_ref()?.schema()))))
            .collect()
    }

    /// The parts of a source's `where` and SELECT that cannot run over its inputs.
    fn faults_of_statements(&self, part: &SourcePart) -> Vec<SourceError> {
        let tables = self.without_rows(part);
        let bad = |path: &Path, why: String| SourceError::BadSql { table: part.table, path: path.to_owned(), why };
        let of_filter = part.filter.iter().flat_map(|filter| {
            let driver = tables.iter().filter(|(name, _)| *name == part.from).cloned().collect();
            let found = sql_faults::faults(&condition::statement_of(&filter.text, &part.from), driver);
            let moved = |fault: Fault| match fault.line {
                0 => fault,
                // The condition begins on the second line.
                line => {
                    let (line, column) = filter.place_in_file(line.saturating_sub(1).max(1), fault.column);
                    Fault { line, column, ..fault }
                }
            };
            found.into_iter().map(move |fault| bad(&filter.path, format!("where: {}", moved(fault))))
        });
        let of_select = part.sql.iter().flat_map(|statement| {
            let found = sql_faults::faults(&statement.text, tables.clone());
            found.into_iter().map(move |fault| bad(&statement.path, fault.to_string()))
        });
        of_filter.chain(of_select).collect()
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
        for part in &spec.parts {
            let filter = RowFilter::new(part);
            if part.sql.is_none() {
                let driver = self.driver(part)?;
                let is_text = driver.is_text();
                let wanted = [column];
                let wanted = part.filter.is_none().then_some(wanted.as_slice());
                driver.batches(wanted, &|batch| single(&filter.split_rows(batch)?.taken, is_text))?;
            } else {
                let taken = match &part.filter {
                    Some(_) => {
                        let raw = self.driver(part)?.whole()?.collect().map_err(|e| refused(part, &e))?;
                        Some(filter.split_rows(raw)?.taken)
                    }
                    None => None,
                };
                let frame = self.whole(part, taken.as_ref())?;
                let is_text = self.driver(part)?.is_text();
                single(&frame, is_text)?;
            }
        }
        Ok(())
    }

    /// A file that was written to or replaced since it was opened: rows that were read of it may be of other bytes than its digest.
    pub fn changed(&self) -> Option<SourceError> {
        self.open.values().flatten().find_map(OpenInput::changed)
    }

    /// Forgets the rows of inputs that none of the `later` tables need as a whole.
    pub fn close_unused(&mut self, later: &[SourceSpec]) {
        let job = self.settings;
        for (name, input) in &mut self.open {
            let is_needed = later
                .iter()
                .flat_map(|table| &table.parts)
                .any(|spec| !is_row_wise(spec) && !spec.keyed_by.contains_key(name) && needs(spec, name, job));
            if let (Some(input), false) = (input, is_needed) {
                input.forget();
            }
        }
    }

    fn open(&mut self, name: &str) -> Result<(), SourceError> {
        if let (Some(input), false) = (self.settings.inputs.get(name), self.open.contains_key(name)) {
            let opened = input::open(name, input, &self.settings.data, self.known.get(name))?;
            self.open.insert(name.to_owned(), opened);
        }
        Ok(())
    }

    /// Opens all that a table is made from; says whether it is all there.
    fn is_there(&mut self, spec: &SourceSpec, table: &'static TableContract) -> Result<bool, SourceError> {
        let job = self.settings;
        let is_needed = |name: &str| spec.parts.iter().any(|part| needs(part, name, job));
        for name in job.inputs.keys().filter(|name| is_needed(name)) {
            self.open(name)?;
            match self.open.get(name) {
                Some(Some(_)) => {}
                _ if table.optional => return Ok(false),
                _ => return Err(SourceError::RequiredTableAbsent { table: table.name, input: name.clone() }),
            }
        }
        Ok(true)
    }

    fn driver(&mut self, spec: &SourcePart) -> Result<&mut OpenInput, SourceError> {
        let driver = self.open.get_mut(&spec.from).and_then(Option::as_mut);
        driver
            .ok_or_else(|| SourceError::Frame { table: spec.table, why: format!("input {:?} is not open", spec.from) })
    }

    /// What errors call the origin of a table.
    fn origin(&self, spec: &SourcePart) -> String {
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
        spec: &SourcePart,
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

    /// What a SELECT gives from the whole of its inputs; of the one that drives it, from the rows that are taken.
    fn whole(&mut self, spec: &SourcePart, taken: Option<&DataFrame>) -> Result<DataFrame, SourceError> {
        let job = self.settings;
        let mut used = self.whole_inputs(spec, &|name| taken.is_none() || name != spec.from)?;
        used.extend(taken.map(|rows| (spec.from.clone(), rows.clone().lazy())));
        let rows = match &spec.sql {
            Some(statement) => select(spec, statement, used)?,
            None => used.into_iter().map(|(_, rows)| rows).next().unwrap_or_default(),
        };
        // A damaged Parquet page can make the reader fail in any way.
        let why = match catch_unwind(AssertUnwindSafe(|| rows.collect())) {
            Ok(Ok(frame)) => return Ok(frame),
            Ok(Err(error)) => words_of(spec, &error),
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
fn is_row_wise(spec: &SourcePart) -> bool {
    spec.sql.as_ref().is_none_or(|statement| row_wise::is_row_wise(&statement.text, &spec.from))
}

/// Runs a table's SELECT over its inputs, lazily.
fn select(
    spec: &SourcePart,
    statement: &Statement,
    inputs: impl IntoIterator<Item = (String, LazyFrame)>,
) -> Result<LazyFrame, SourceError> {
    let inputs: Vec<(String, LazyFrame)> = inputs.into_iter().collect();
    sql_run::execute(&statement.text, inputs.iter().cloned()).map_err(|e| match refused(spec, &e) {
        SourceError::BadSql { table, path, why } => {
            let schemas = inputs.into_iter().filter_map(|(_, mut rows)| rows.collect_schema().ok());
            let known: Vec<PlSmallStr> =
                schemas.flat_map(|schema| schema.iter_names_cloned().collect::<Vec<_>>()).collect();
            SourceError::BadSql { table, path, why: sql_run::with_nearest_name(why, &known) }
        }
        other => other,
    })
}

/// An input is needed where it drives the table, or where the statement reads it.
fn needs(spec: &SourcePart, input: &str, job: &SourceSettings) -> bool {
    job.inputs.contains_key(input) && (spec.from == input || spec.sql.as_ref().is_some_and(|s| s.reads(input)))
}

/// The columns of an input that a table may take. A SELECT may name others that no file has: that is refused elsewhere.
fn columns_taken<'a>(spec: &SourcePart, open: &'a OpenInput) -> Vec<&'a str> {
    let of_contract = contract::table(spec.table).map_or(&[][..], |table| table.columns).iter().map(|c| c.name);
    let Some(statement) = &spec.sql else { return of_contract.collect() };
    let of_contract: HashSet<&str> = of_contract.collect();
    let texts = [Some(statement), spec.filter.as_ref()].into_iter().flatten().map(|statement| &statement.text);
    let named: HashSet<String> = texts.flat_map(|text| words(text)).map(|word| word.name.to_lowercase()).collect();
    let is_taken = |name: &&str| of_contract.contains(name) || named.contains(&name.to_lowercase());
    open.schema().iter_names().map(PlSmallStr::as_str).filter(is_taken).collect()
}

fn refused(spec: &SourcePart, error: &PolarsError) -> SourceError {
    let why = words_of(spec, error);
    match &spec.sql {
        Some(s) => SourceError::BadSql { table: spec.table, path: s.path.clone(), why },
        None => SourceError::Frame { table: spec.table, why },
    }
}

fn words_of(spec: &SourcePart, error: &PolarsError) -> String {
    spec.sql.as_ref().map_or_else(|| error.to_string(), |s| sql_run::in_plain_words_of(&s.text, error))
}

/// Rows that a SELECT did not return, and rows of which its `where` says nothing.
fn together(
    spec: &SourcePart,
    lost: Option<DataFrame>,
    unknown: Option<DataFrame>,
) -> Result<Option<DataFrame>, SourceError> {
    match (lost, unknown) {
        (Some(lost), Some(unknown)) => {
            lost.vstack(&unknown).map(Some).map_err(|e| SourceError::Frame { table: spec.table, why: e.to_string() })
        }
        (lost, unknown) => Ok(lost.or(unknown)),
    }
}

impl SourcePiece {
    /// The same piece among the files of several inputs, so many of which come before; what was lost, as text in the columns of all inputs.
    fn moved(self, before: u32, all_columns: Option<&[String]>) -> Result<Self, SourceError> {
        let Some(all_columns) = all_columns else { return Ok(self) };
        let moved = || (col("_file") + lit(before)).cast(DataType::UInt32).alias("_file");
        let failed = |e: PolarsError| SourceError::Frame { table: "of several sources", why: e.to_string() };
        let frame = self.frame.lazy().with_column(moved()).collect().map_err(failed)?;
        let not_mapped = self.not_mapped.map(|lost| {
            let own = lost.schema().clone();
            let columns: Vec<Expr> = all_columns
                .iter()
                .map(|name| match own.get(name) {
                    Some(_) if name == "_file" => moved(),
                    Some(_) if name == "_row" => col("_row"),
                    Some(_) => col(name.as_str()).cast(DataType::String),
                    None => lit(NULL).cast(DataType::String).alias(name.as_str()),
                })
                .collect();
            lost.lazy().select(columns).collect().map_err(failed)
        });
        Ok(Self { frame, not_mapped: not_mapped.transpose()?, not_meant: self.not_meant })
    }
}

/// What rows are made into.
struct Target<'a> {
    table: &'static TableContract,
    /// What errors call the origin of the rows.
    from: &'a str,
    /// Whether cells come as text.
    is_text: bool,
}

impl Target<'_> {
    fn conform(&self, frame: &DataFrame) -> Result<DataFrame, SourceError> {
        conform(self.table, frame, self.is_text, self.from)
    }

    /// What a SELECT makes of skipped rows, where rows of other tables may name them. Nobody has promised that it can be made of them: where it cannot,
    /// what names them names a row that is missing.
    fn not_meant(
        &self,
        skipped: Option<DataFrame>,
        run: impl FnOnce(DataFrame) -> Result<DataFrame, SourceError>,
    ) -> Option<DataFrame> {
        let skipped = skipped.filter(|_| self.table.is_referred_to())?;
        match run(skipped).and_then(|frame| self.conform(&frame)) {
            Ok(frame) => Some(frame),
            Err(error) => {
                let table = self.table.name;
                tracing::warn!(table, %error, "rows that are skipped cannot be mapped: what names them counts as naming nothing");
                None
            }
        }
    }
}

fn check_lineage(spec: &SourcePart, frame: &DataFrame) -> Result<(), SourceError> {
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
fn not_returned(spec: &SourcePart, frame: &DataFrame, raw: &DataFrame) -> Result<Option<DataFrame>, SourceError> {
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
fn not_mapped(spec: &SourcePart, frame: &DataFrame, driver: &mut OpenInput) -> Result<Option<DataFrame>, SourceError> {
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
    for (slots, footer) in seen.iter_mut().zip(driver.footers()) {
        let lines = usize::try_from(footer).unwrap_or(usize::MAX);
        slots.iter_mut().rev().take(lines).for_each(|slot| *slot = true);
    }
    if seen.iter().flatten().all(|&s| s) {
        return Ok(None);
    }
    let raw = driver.whole()?.collect().map_err(broken)?;
    let was_seen = |place: Place| index(place).and_then(|(f, r)| seen.get(f)?.get(r).copied());
    let lost: BooleanChunked = places(&raw).map_err(broken)?.map(|place| was_seen(place) == Some(false)).collect();
    raw.filter(&lost).map(Some).map_err(broken)
}

fn no_such_row(spec: &SourcePart, (file, row): Place) -> SourceError {
    let why = format!("_file {file} and _row {row} name no row of input {:?}", spec.from);
    let path = spec.sql.as_ref().map(|s| s.path.clone()).unwrap_or_default();
    SourceError::NoLineage { table: spec.table, path, why }
}
