//! The folder of kept rows: what of it stands tonight, and how tonight's state replaces it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use polars::prelude::Schema;

use super::error::KeptError;
use super::ledger::{FileEntry, LEDGER, Ledger, TableEntry};
use super::pack::Pack;
use super::rows::KeptTable;
use crate::contract;
use crate::domain::{Digest, Hasher};
use crate::source::{FileStamp, FileState, KnownFiles, SourcePart, SourceSettings, Sources, schema_words};
use crate::wash::error::IngestError;

/// That rows are kept, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRows {
    /// A folder of their own, which one process at a time works on.
    pub folder: PathBuf,
    /// Version of the program: what another made is not used.
    pub code_version: String,
    /// Hash every file again, even where size and times stand.
    pub rehash: bool,
    /// How old a file must be for its size and times to vouch for its bytes.
    pub settled_after: Duration,
}

impl KeepRows {
    /// Rows kept in `folder` by this version of the program. Three seconds are more than the steps of any file system's clock.
    #[must_use]
    pub const fn at(folder: PathBuf, code_version: String) -> Self {
        Self { folder, code_version, rehash: false, settled_after: Duration::from_secs(3) }
    }
}

/// Kept rows during a night.
pub(in crate::wash) struct Kept<'a> {
    at: &'a KeepRows,
    ledger: Ledger,
    /// The clock of the file system when the night began.
    now: FileStamp,
    packs: BTreeMap<String, Arc<Pack>>,
    /// By table: the number of each of tonight's files, and which of them earlier nights did not read.
    tonight: BTreeMap<&'static str, (Vec<u32>, Vec<u32>)>,
    buckets: u32,
}

impl<'a> Kept<'a> {
    /// Opens the folder. What a killed process left is removed; what is damaged is forgotten.
    pub fn open(at: &'a KeepRows) -> Result<Self, KeptError> {
        let folder = &at.folder;
        fs::create_dir_all(folder).map_err(KeptError::io("make", folder))?;
        let mut ledger = match Ledger::read(folder) {
            Err(KeptError::Damaged { path, why }) => {
                tracing::warn!(path = %path.display(), why, "kept rows are damaged: all files are read again");
                Ledger::empty()
            }
            read => read?,
        };
        let clock = folder.join("clock.new");
        fs::write(&clock, b"now").map_err(KeptError::io("write", &clock))?;
        let now = FileStamp::of(&clock).map_err(KeptError::io("look at", &clock))?;
        let entries: Vec<_> = ledger.tables.values().flat_map(|table| table.packs.clone()).collect();
        let mut packs = BTreeMap::new();
        for entry in entries {
            match Pack::open(folder, &entry) {
                Ok(pack) => {
                    packs.insert(entry.name, Arc::new(pack));
                }
                Err(KeptError::Damaged { path, why }) => {
                    tell_damage(&path, &why);
                    ledger.forget(&entry.name);
                }
                Err(other) => return Err(other),
            }
        }
        let kept = Self { at, ledger, now, packs, tonight: BTreeMap::new(), buckets: 0 };
        kept.sweep();
        Ok(kept)
    }

    /// Files of which rows may be kept; whether they stand is seen when they are opened.
    pub fn known(&self, sources: &Sources<'_>, job: &SourceSettings) -> KnownFiles {
        let mut known = KnownFiles::new();
        for spec in only_parts(job).filter(|spec| sources.drives_alone(&spec.from)) {
            let Some(entry) = self.ledger.tables.get(spec.table).filter(|entry| entry.input == spec.from) else {
                continue;
            };
            let of_input = known.entry(spec.from.clone()).or_default();
            for (path, file) in &entry.files {
                if let Some(mut file) = file.known() {
                    file.stamp = file.stamp.filter(|_| !self.at.rehash);
                    of_input.insert(path.clone(), file);
                }
            }
        }
        known
    }

    /// Settles, once inputs are open, what of each table is kept: nothing where its rows depend on anything that has changed.
    pub fn settle(&mut self, sources: &mut Sources<'_>, job: &SourceSettings, buckets: u32) -> Result<(), IngestError> {
        self.buckets = buckets;
        let mut stays: BTreeSet<&str> = BTreeSet::new();
        let mut inputs: BTreeSet<&String> = only_parts(job).map(|spec| &spec.from).collect();
        inputs.retain(|input| sources.drives_alone(input));
        for input in inputs {
            let specs: Vec<&SourcePart> = only_parts(job).filter(|spec| spec.from == *input).collect();
            if !is_worded(sources, input) || !self.stands(sources, job, &specs) {
                for spec in &specs {
                    self.ledger.tables.remove(spec.table);
                }
                let is_any_known =
                    sources.states(input).is_some_and(|(files, _)| files.iter().any(|file| file.is_known));
                if is_any_known {
                    sources.read_again(input)?;
                }
            }
            let Some((files, schema)) = sources.states(input) else { continue };
            for spec in specs {
                let identity = self.identity(job, spec, schema, &files);
                if self.number(spec, identity, &files) {
                    stays.insert(spec.table);
                }
            }
        }
        self.ledger.tables.retain(|table, _| stays.contains(table.as_str()));
        Ok(())
    }

    /// Whether all that is known of an input's files is kept in each of its tables, and depends on nothing that has changed.
    fn stands(&self, sources: &Sources<'_>, job: &SourceSettings, specs: &[&SourcePart]) -> bool {
        specs.iter().all(|spec| {
            let (Some(entry), Some((files, schema))) = (self.ledger.tables.get(spec.table), sources.states(&spec.from))
            else {
                return false;
            };
            let is_kept = |file: &FileState| {
                !file.is_known || entry.files.get(&file.file.path).is_some_and(|kept| kept.sha256 == file.file.sha256)
            };
            entry.identity == self.identity(job, spec, schema, &files) && files.iter().all(is_kept)
        })
    }

    /// All that a table's kept rows depend on beside the bytes of its files.
    fn identity(&self, job: &SourceSettings, spec: &SourcePart, schema: &Schema, files: &[FileState]) -> Digest {
        let mut hasher = Hasher::default();
        hasher.field(self.at.code_version.as_bytes());
        hasher.field(&self.buckets.to_le_bytes());
        hasher.field(spec.table.as_bytes());
        hasher.field(spec.sql.as_ref().map_or(b"", |sql| sql.text.as_bytes()));
        hasher.field(format!("{:?}", job.inputs.get(&spec.from)).as_bytes());
        // Cells of an input that has a text file are read as text.
        let is_text = files.iter().any(|file| file.is_text);
        hasher.field(if is_text { b"text" } else { b"typed" });
        for (name, dtype) in schema.iter() {
            hasher.field(name.as_bytes());
            hasher.field(dtype.to_string().as_bytes());
        }
        hasher.finish()
    }

    /// Numbers tonight's files; `false` where the table's rows cannot be kept.
    fn number(&mut self, spec: &SourcePart, identity: Digest, files: &[FileState]) -> bool {
        if files.iter().any(|file| schema_words(&file.schema).is_none()) {
            return false;
        }
        let new = || TableEntry { input: spec.from.clone(), identity, files: BTreeMap::new(), packs: Vec::new() };
        let entry = self.ledger.tables.entry(spec.table.to_owned()).or_insert_with(new);
        let (mut numbers, mut fresh) = (Vec::with_capacity(files.len()), Vec::new());
        for file in files {
            let kept = entry.files.get(&file.file.path).filter(|_| file.is_known).map(|kept| kept.number);
            let number = kept.unwrap_or_else(|| {
                let number = self.ledger.next_file;
                self.ledger.next_file += 1;
                fresh.push(number);
                number
            });
            numbers.push(number);
        }
        self.tonight.insert(spec.table, (numbers, fresh));
        true
    }

    /// A table's kept rows, where it has any or will have.
    pub fn table(&mut self, name: &str) -> Option<KeptTable> {
        let (numbers, fresh) = self.tonight.get(name)?.clone();
        let entry = self.ledger.tables.get(name)?;
        let packs = entry.packs.iter().filter_map(|entry| Some((entry.clone(), self.packs.get(&entry.name)?.clone())));
        Some(KeptTable {
            folder: self.at.folder.clone(),
            table: contract::table(name)?,
            parts: self.buckets,
            packs: packs.collect(),
            numbers,
            fresh,
            next_pack: self.ledger.next_pack,
        })
    }

    /// Takes a table back, with what was read of its files.
    pub fn put_back(&mut self, table: KeptTable, sources: &Sources<'_>) {
        self.ledger.next_pack = self.ledger.next_pack.max(table.next_pack);
        let Some(entry) = self.ledger.tables.get_mut(table.table.name) else { return };
        entry.packs = table.packs.into_iter().map(|(entry, _)| entry).collect();
        let files = sources.states(&entry.input).map(|(files, _)| files).unwrap_or_default();
        let of_file = |(file, number): (FileState, &u32)| {
            let path = file.file.path.clone();
            FileEntry::of(*number, file, &self.now, self.at.settled_after).map(|entry| (path, entry))
        };
        entry.files = files.into_iter().zip(&table.numbers).filter_map(of_file).collect();
    }

    /// Makes tonight's state the one that the next night finds.
    pub fn commit(&self) -> Result<(), KeptError> {
        self.ledger.write(&self.at.folder)?;
        self.sweep();
        Ok(())
    }

    /// Removes what the ledger does not name.
    fn sweep(&self) {
        let packs = self.ledger.tables.values().flat_map(|table| &table.packs);
        let named: BTreeSet<&str> = packs.map(|pack| pack.name.as_str()).chain([LEDGER]).collect();
        let Ok(found) = fs::read_dir(&self.at.folder) else { return };
        for file in found.flatten().filter(|file| !named.contains(file.file_name().to_string_lossy().as_ref())) {
            if let Err(error) = fs::remove_file(file.path()) {
                tracing::warn!(file = %file.path().display(), %error, "cannot remove rows that are no longer kept");
            }
        }
    }
}

/// Whether the columns of all files of an input have words by which they can be kept.
fn is_worded(sources: &Sources<'_>, input: &str) -> bool {
    sources.states(input).is_none_or(|(files, _)| files.iter().all(|file| schema_words(&file.schema).is_some()))
}

/// What tables are made of that are made from one input.
fn only_parts(job: &SourceSettings) -> impl Iterator<Item = &SourcePart> {
    job.sources.iter().filter_map(|table| match table.parts.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

fn tell_damage(path: &Path, why: &str) {
    tracing::warn!(path = %path.display(), why, "kept rows are damaged: the files that they came from are read again");
}

/// Forgets a damaged pack, or all of them, so that the next attempt reads their files again.
pub(in crate::wash) fn forget(at: &KeepRows, pack: &Path, why: &str, all: bool) -> Result<(), KeptError> {
    tell_damage(pack, why);
    let mut ledger = if all { Ledger::empty() } else { Ledger::read(&at.folder)? };
    ledger.forget(&pack.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    ledger.write(&at.folder)
}
