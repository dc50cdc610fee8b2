//! The ledger of kept rows: which raw files were read, what was learnt of them, and which packs hold their rows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::KeptError;
use super::pack::PackEntry;
use crate::domain::Digest;
use crate::source::{FileStamp, FileState, KnownFile, MalformedRecord, rule_named, schema_of_words, schema_words};

/// File name. Its first line is the digest of the rest.
pub(super) const LEDGER: &str = "ledger";
/// Version of its layout.
const LAYOUT: u32 = 2;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ledger {
    layout: u32,
    /// The number that the next raw file gets; none is given twice.
    pub next_file: u32,
    /// The same of packs.
    pub next_pack: u64,
    /// By contract table.
    pub tables: BTreeMap<String, TableEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableEntry {
    /// The input that drives it.
    pub input: String,
    /// All that its rows depend on beside the bytes of the files.
    pub identity: Digest,
    /// Raw files by path below the data folder.
    pub files: BTreeMap<String, FileEntry>,
    /// Packs, the oldest first.
    pub packs: Vec<PackEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    /// `_file` in the packs.
    pub number: u32,
    /// As it was when it was hashed; null where it was so young that a later write might not show.
    pub stamp: Option<FileStamp>,
    pub sha256: Digest,
    pub raw_rows: u64,
    is_text: bool,
    words: String,
    rows_about: u64,
    schema: Vec<(String, String)>,
    malformed: Vec<RecordEntry>,
    footer: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordEntry {
    row: u32,
    byte: u64,
    rule: String,
    why: String,
    text: String,
    cells: BTreeMap<String, String>,
}

impl FileEntry {
    /// What was learnt of a file; `None` where it cannot be kept.
    pub fn of(number: u32, state: FileState, now: &FileStamp, settled_after: Duration) -> Option<Self> {
        let malformed = state.malformed.into_iter().map(|record| RecordEntry {
            row: record.row,
            byte: record.byte,
            rule: record.rule.to_owned(),
            why: record.why,
            text: record.text,
            cells: record.cells,
        });
        Some(Self {
            number,
            stamp: state.stamp.is_settled(now, settled_after).then_some(state.stamp),
            sha256: state.file.sha256,
            raw_rows: state.file.raw_rows,
            is_text: state.is_text,
            words: state.words,
            rows_about: state.rows_about,
            schema: schema_words(&state.schema)?,
            malformed: malformed.collect(),
            footer: state.footer,
        })
    }

    /// The same for reading; `None` where the program no longer knows its words.
    pub fn known(&self) -> Option<KnownFile> {
        let record = |record: &RecordEntry| {
            Some(MalformedRecord {
                file: 0,
                row: record.row,
                byte: record.byte,
                rule: rule_named(&record.rule)?,
                why: record.why.clone(),
                text: record.text.clone(),
                cells: record.cells.clone(),
            })
        };
        Some(KnownFile {
            stamp: self.stamp,
            sha256: self.sha256,
            raw_rows: self.raw_rows,
            is_text: self.is_text,
            words: self.words.clone(),
            rows_about: self.rows_about,
            schema: schema_of_words(&self.schema)?,
            malformed: self.malformed.iter().map(record).collect::<Option<_>>()?,
            footer: self.footer,
        })
    }
}

impl Ledger {
    /// Reads the ledger in `folder`; an empty one where there is none.
    pub fn read(folder: &Path) -> Result<Self, KeptError> {
        let path = folder.join(LEDGER);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::empty()),
            Err(e) => return Err(KeptError::io("read", &path)(e)),
        };
        let damaged = |why: &str| KeptError::Damaged { path: path.clone(), why: why.to_owned() };
        let (stated, body) = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .and_then(|end| Some((bytes.get(..end)?, bytes.get(end + 1..)?)))
            .ok_or_else(|| damaged("it has no first line"))?;
        if Digest::of(body).to_string().as_bytes() != stated {
            return Err(damaged("its digest is not the one that it states"));
        }
        let ledger: Self = serde_json::from_slice(body).map_err(|e| damaged(&e.to_string()))?;
        if ledger.layout == LAYOUT { Ok(ledger) } else { Ok(Self::empty()) }
    }

    pub fn empty() -> Self {
        Self { layout: LAYOUT, ..Self::default() }
    }

    /// Replaces the ledger in `folder`. All that it names must be there, forced to disk.
    pub fn write(&self, folder: &Path) -> Result<(), KeptError> {
        let (path, temporary) = (folder.join(LEDGER), folder.join(format!("{LEDGER}.new")));
        let body = serde_json::to_vec(self)
            .map_err(|e| KeptError::Damaged { path: path.clone(), why: format!("it cannot be written: {e}") })?;
        let sync_folder =
            || File::open(folder).and_then(|file| file.sync_all()).map_err(KeptError::io("force to disk", folder));
        sync_folder()?;
        let mut file = File::create(&temporary).map_err(KeptError::io("create", &temporary))?;
        file.write_all(format!("{}\n", Digest::of(&body)).as_bytes())
            .and_then(|()| file.write_all(&body))
            .and_then(|()| file.sync_all())
            .map_err(KeptError::io("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(KeptError::io("replace", &path))?;
        sync_folder()
    }

    /// Forgets a pack and the raw files whose rows it has, in every table that they drive.
    pub fn forget(&mut self, pack: &str) {
        let mut lost: Vec<(String, Vec<String>)> = Vec::new();
        for entry in self.tables.values_mut() {
            let Some(at) = entry.packs.iter().position(|known| known.name == pack) else { continue };
            let gone = entry.packs.remove(at);
            let paths = entry.files.iter().filter(|(_, file)| gone.files.contains(&file.number));
            lost.push((entry.input.clone(), paths.map(|(path, _)| path.clone()).collect()));
        }
        for (input, paths) in lost {
            for entry in self.tables.values_mut().filter(|entry| entry.input == input) {
                entry.files.retain(|path, _| !paths.contains(path));
            }
        }
    }
}
