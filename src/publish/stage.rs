//! A run being staged: files are written out of readers' sight, then the whole folder is renamed into place.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::archive::ArchivePolicy;
use super::column::OutputTable;
use super::current::Current;
use super::digest_file::DigestFile;
use super::durable::{make_folder, sync_folder};
use super::error::PublishError;
use super::folder_tree::FolderTree;
use super::manifest::{
    FileEntry, MANIFEST, MANIFEST_DIGEST, Manifest, Provenance, Published, RunIdentity, date_folder,
};
use super::publisher::{Pointing, Publisher};
use super::row::OutputRow;
use super::step::Step;
use super::writer::{TableWriter, Written};

pub(super) const STAGING: &str = ".staging";

/// The files of one run, on their way. Dropped before [`Stage::publish`], it takes its folder with it; a killed process leaves
/// the folder to the next start.
pub struct Stage<'p, 'o> {
    publisher: &'p mut Publisher<'o>,
    identity: RunIdentity,
    pointing: Pointing,
    folder: PathBuf,
    entries: BTreeMap<String, FileEntry>,
    archived: bool,
    renamed: bool,
}

impl<'p, 'o> Stage<'p, 'o> {
    pub(super) fn begin(
        publisher: &'p mut Publisher<'o>,
        identity: RunIdentity,
        pointing: Pointing,
    ) -> Result<Self, PublishError> {
        let folder = publisher.out().join(STAGING).join(identity.run_id());
        std::fs::create_dir_all(&folder).map_err(PublishError::io("make folder", &folder))?;
        let stage =
            Self { publisher, identity, pointing, folder, entries: BTreeMap::new(), archived: false, renamed: false };
        stage.publisher.reached(&Step::Begun(stage.folder.clone()), &stage.folder)?;
        Ok(stage)
    }

    /// Names the run.
    #[must_use]
    pub fn run_id(&self) -> String {
        self.identity.run_id()
    }

    /// Where a file that was sealed lies, to be read again before the run is published.
    #[must_use]
    pub fn sealed(&self, name: &str) -> Option<PathBuf> {
        self.entries.contains_key(name).then(|| self.folder.join(name))
    }

    /// Keeps the raw files that the run read from below `data` in the archive of the output folder; the manifest says so.
    ///
    /// # Errors
    /// A file is no longer what was read, or the operating system refuses.
    pub fn archive_inputs(&mut self, data: &Path, policy: ArchivePolicy) -> Result<(), PublishError> {
        self.publisher.archive(&self.identity.inputs, data, policy)?;
        self.archived = true;
        Ok(())
    }

    /// A folder for parts that are merged before publishing. It goes with the stage, or is swept by the next start.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, PublishError> {
        let folder = self.scratch_folder();
        std::fs::create_dir_all(&folder).map_err(PublishError::io("make folder", &folder))?;
        Ok(folder)
    }

    fn scratch_folder(&self) -> PathBuf {
        self.publisher.out().join(STAGING).join(format!("{}.parts", self.identity.run_id()))
    }

    /// Starts the table's own file, `<table>.parquet`. Give the writer back to [`Stage::seal`] when all rows are in; several
    /// may be open at once.
    ///
    /// # Errors
    /// The file exists already or cannot be made.
    pub fn table<R: OutputRow>(&self, table: OutputTable) -> Result<TableWriter<R>, PublishError> {
        let name = format!("{}.parquet", table.name);
        self.table_named(&name, table)
    }

    /// Starts a file of the table's layout under another name, such as `quarantine/orders.parquet`.
    ///
    /// # Errors
    /// The name may not stand in a run folder, the file exists already or cannot be made.
    pub fn table_named<R: OutputRow>(&self, name: &str, table: OutputTable) -> Result<TableWriter<R>, PublishError> {
        TableWriter::create(&self.place(name)?, table)
    }

    /// Ends a table's file, forces it to disk and enters it into the manifest.
    ///
    /// # Errors
    /// The last rows cannot be written, or the writer is of another folder.
    pub fn seal<R: OutputRow>(&mut self, writer: TableWriter<R>) -> Result<Written, PublishError> {
        let path = writer.path().to_owned();
        let name = self.name_of(&path)?;
        let (written, unsynced) = writer.finish_unsynced()?;
        self.publisher.reached(&Step::Written(path.clone()), &path)?;
        unsynced.file.sync_all().map_err(PublishError::io("force to disk", &path))?;
        self.publisher.reached(&Step::Synced(path.clone()), &path)?;
        let Written { bytes, rows, sha256 } = written;
        let blocks_sha256 = unsynced.blocks;
        self.entries.insert(name.clone(), FileEntry { path: name, bytes, rows: Some(rows), sha256, blocks_sha256 });
        Ok(written)
    }

    /// Writes a file that is not a table.
    ///
    /// # Errors
    /// The name may not stand in a run folder, the file exists already or cannot be written.
    pub fn write_bytes(&mut self, name: &str, content: &[u8]) -> Result<(), PublishError> {
        let path = self.place(name)?;
        let (bytes, sha256) = self.publisher.write_synced(&path, content)?;
        let blocks_sha256 = Vec::new();
        let entry = FileEntry { path: name.to_owned(), bytes, rows: None, sha256, blocks_sha256 };
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Writes a file that is not a table, part by part: what is too much to be held in memory.
    ///
    /// # Errors
    /// As [`Stage::write_bytes`], and what the parts say.
    pub fn write_parts(
        &mut self,
        name: &str,
        parts: impl Iterator<Item = Result<Vec<u8>, PublishError>>,
    ) -> Result<(), PublishError> {
        let path = self.place(name)?;
        let mut file = DigestFile::create(&path)?;
        for part in parts {
            file.write_all(&part?).map_err(PublishError::io("write", &path))?;
        }
        let unsynced = file.finish(&path)?;
        self.publisher.reached(&Step::Written(path.clone()), &path)?;
        unsynced.file.sync_all().map_err(PublishError::io("force to disk", &path))?;
        self.publisher.reached(&Step::Synced(path.clone()), &path)?;
        let (bytes, sha256, blocks_sha256) = (unsynced.bytes, unsynced.sha256, unsynced.blocks);
        let entry = FileEntry { path: name.to_owned(), bytes, rows: None, sha256, blocks_sha256 };
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// The files written so far, by path.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.entries.values()
    }

    /// What the run's bytes depend on.
    #[must_use]
    pub const fn identity(&self) -> &RunIdentity {
        &self.identity
    }

    /// Writes JSON, indented, with a newline at the end.
    ///
    /// # Errors
    /// As [`Stage::write_bytes`]; the value has no JSON.
    pub fn write_json<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), PublishError> {
        let mut bytes =
            serde_json::to_vec_pretty(value).map_err(|e| PublishError::malformed(Path::new(name), e.to_string()))?;
        bytes.push(b'\n');
        self.write_bytes(name, &bytes)
    }

    /// Writes the manifest, renames the folder into place and moves the pointer.
    ///
    /// # Errors
    /// A file was never sealed, or the operating system refuses. Until the rename nothing is published and the staged files are
    /// removed; after it the run is complete, and the next [`Publisher::begin`] of the same identity finishes the job.
    pub fn publish(mut self, provenance: Provenance) -> Result<Published, PublishError> {
        let tree = FolderTree::walk(&self.folder)?;
        if let Some(stray) = tree.files.iter().chain(&tree.others).find(|f| !self.entries.contains_key(*f)) {
            return Err(PublishError::Unsealed(self.folder.join(stray)));
        }
        let files: Vec<FileEntry> = self.entries.values().cloned().collect();
        let manifest = Manifest { inputs_archived: self.archived, ..Manifest::new(&self.identity, provenance, files) };
        let path = self.folder.join(MANIFEST);
        let mut bytes =
            serde_json::to_vec_pretty(&manifest).map_err(|e| PublishError::malformed(&path, e.to_string()))?;
        bytes.push(b'\n');
        let (_, digest) = self.publisher.write_synced(&path, &bytes)?;
        self.publisher.write_synced(&self.folder.join(MANIFEST_DIGEST), digest.stated(MANIFEST).as_bytes())?;
        self.sync_folders(&tree.folders)?;
        self.rename_into_place(&manifest)?;
        self.publisher.point(&Current::to(&manifest, digest), self.pointing)
    }

    fn sync_folders(&mut self, below: &BTreeSet<String>) -> Result<(), PublishError> {
        for folder in below {
            sync_folder(&self.folder.join(folder))?;
        }
        sync_folder(&self.folder)?;
        self.publisher.reached(&Step::FoldersSynced(self.folder.clone()), &self.folder)
    }

    fn rename_into_place(&mut self, manifest: &Manifest) -> Result<(), PublishError> {
        let out = self.publisher.out().to_owned();
        let (date, run) = (out.join(date_folder(manifest.as_of)), out.join(manifest.run_path()));
        make_folder(&date)?;
        self.publisher.reached(&Step::DateFolder(date.clone()), &date)?;
        std::fs::rename(&self.folder, &run).map_err(PublishError::io("rename into", &run))?;
        self.renamed = true;
        self.publisher.reached(&Step::Renamed(run.clone()), &run)?;
        sync_folder(&date)?;
        sync_folder(&out.join(STAGING))?;
        self.publisher.reached(&Step::RenameSynced(run.clone()), &run)
    }

    /// Where a file of that name goes; its folder is made.
    fn place(&self, name: &str) -> Result<PathBuf, PublishError> {
        let refuse = |why| PublishError::BadName { name: name.to_owned(), why };
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return Err(refuse("letters, digits, '.', '_', '-' and '/' only"));
        }
        if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
            return Err(refuse("no part may be empty or begin with '.'"));
        }
        if name == MANIFEST || name == MANIFEST_DIGEST || self.entries.contains_key(name) {
            return Err(refuse("it is taken"));
        }
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(PublishError::io("make folder", parent))?;
        }
        Ok(path)
    }

    fn name_of(&self, path: &Path) -> Result<String, PublishError> {
        let name = path.strip_prefix(&self.folder).ok().and_then(Path::to_str).map(ToOwned::to_owned);
        let why = "it was not started in this run's staging folder";
        name.ok_or_else(|| PublishError::BadName { name: path.display().to_string(), why })
    }
}

impl Drop for Stage<'_, '_> {
    fn drop(&mut self) {
        let scratch = self.scratch_folder();
        if scratch.exists()
            && let Err(error) = std::fs::remove_dir_all(&scratch)
        {
            tracing::warn!(folder = %scratch.display(), %error, "the next run will sweep this folder of parts");
        }
        if !self.renamed
            && let Err(error) = std::fs::remove_dir_all(&self.folder)
        {
            tracing::warn!(folder = %self.folder.display(), %error, "the next run will sweep this staging folder");
        }
    }
}
