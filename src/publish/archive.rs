//! Raw files kept by digest below the output folder, so that a past night can be made again when they are gone from where they were read.
//!
//! ```text
//! <out>/archive/3f/3fa9…       a raw file, named by the digest of its bytes: however many runs read it, it lies there once
//! <out>/archive/.new           a file on its way, removed at the next start if its process was killed
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::durable::{make_folder, sync_folder};
use super::error::PublishError;
use super::history::names_in;
use super::manifest::InputFile;
use super::publisher::Publisher;
use super::step::Step;
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::Digest;

/// Folder below the output folder.
pub(super) const ARCHIVE: &str = "archive";
/// The file on its way. One is enough: whoever archives holds the lock of the output folder.
pub(super) const ARCHIVE_TEMPORARY: &str = ".new";

/// How raw files come into the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchivePolicy {
    /// As copies that nobody may write.
    Copy,
    /// As hard links, which take no room; as copies where the file system cannot link.
    Link,
}

/// `[archive]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawArchive {
    inputs: Spanned<String>,
    keep_last: Option<Spanned<i64>>,
}

/// `[archive]` in the reference.
pub(crate) static ARCHIVE_KEYS: Section = Section {
    head: "[archive]",
    doc: "Whether every night keeps the raw files that it read, by digest, in the folder `archive` of the output folder. `replay` finds them there when they are gone from the data \
          folder, `verify` checks their digests, `runs` says of how many runs they are all there, and `prune` removes those that no run left in the output folder was made from, or earlier (`keep_last`). \
          The section may be left out: then nothing is kept.",
    keys: &[Key::new(
        "inputs",
        "word",
        "\"copy\"",
        "how they are kept. `link` makes hard links, which take no room but stay the sender's own file: only for senders that replace their files and never write into them. \
         Where the archive lies on another file system, it copies",
    )
    .range("copy, link"),
        Key::new(
            "keep_last",
            "whole number",
            "30",
            "newest business dates whose raw files `prune` leaves there, where that is shorter than their runs are kept. The files of the current run, and of runs that an unpaid loan, an \
             open offer or a standing alert goes back to, stay as long as the run",
        )
        .range("1 to 10000")
        .or("as long as the runs that were made from them")],
};

impl RawArchive {
    /// Business dates whose raw files stay, where that is said.
    ///
    /// # Errors
    /// A number out of range, with the line.
    pub(crate) fn keep_last(&self, file: &ConfigFile) -> Result<Option<u16>, ConfigError> {
        self.keep_last.as_ref().map(|given| bounds::whole(file, given, "keep_last", 1..10_001)).transpose()
    }

    /// Checks the section.
    ///
    /// # Errors
    /// Another word, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<ArchivePolicy, ConfigError> {
        match self.inputs.get_ref().as_str() {
            "copy" => Ok(ArchivePolicy::Copy),
            "link" => Ok(ArchivePolicy::Link),
            other => {
                let message = format!("inputs = {other:?} is no way to keep raw files");
                Err(file.refuse(&self.inputs.span(), message, "inputs = \"copy\" or inputs = \"link\""))
            }
        }
    }
}

/// A raw file in the archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedInput {
    /// Digest of its bytes, by which it is named.
    pub sha256: Digest,
    /// Size.
    pub bytes: u64,
}

/// The archive of an output folder.
#[derive(Debug, Clone)]
pub struct InputArchive {
    folder: PathBuf,
}

impl InputArchive {
    /// Below an output folder; it need not be there.
    #[must_use]
    pub fn of(out: &Path) -> Self {
        Self { folder: out.join(ARCHIVE) }
    }

    /// Whether anything was ever archived.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Path of a file of that digest, below the output folder.
    #[must_use]
    pub fn name_of(sha256: Digest) -> String {
        let hex = sha256.to_string();
        format!("{ARCHIVE}/{}/{hex}", hex.get(..2).unwrap_or_default())
    }

    /// Where a file of that digest lies, if it does.
    #[must_use]
    pub fn place(&self, sha256: Digest) -> PathBuf {
        let hex = sha256.to_string();
        self.folder.join(hex.get(..2).unwrap_or_default()).join(hex)
    }

    /// Whether it is there in the right size. That it holds the right bytes is known where it is read: [`Self::intact`].
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn holds(&self, input: &InputFile) -> Result<bool, PublishError> {
        let place = self.place(input.sha256);
        match fs::symlink_metadata(&place) {
            Ok(found) => Ok(found.is_file() && found.len() == input.bytes),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(e) => Err(PublishError::io("look at", &place)(e)),
        }
    }

    /// A raw file whose bytes are those that were read; otherwise why there is none.
    ///
    /// # Errors
    /// It is not in the archive, or is not what it was: as a person reads it.
    pub fn intact(&self, input: &InputFile) -> Result<PathBuf, String> {
        let place = self.place(input.sha256);
        match Digest::of_file(&place) {
            Ok(found) if found == input.sha256 => Ok(place),
            Ok(found) => Err(format!("the archive's {} has digest {}", place.display(), found.short())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err("the archive does not hold it".to_owned()),
            Err(e) => Err(format!("the archive's {}: {e}", place.display())),
        }
    }

    /// Everything in the archive, by digest. What is not named as this program names is left alone.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn entries(&self) -> Result<BTreeMap<Digest, ArchivedInput>, PublishError> {
        let mut entries = BTreeMap::new();
        if !self.exists() {
            return Ok(entries);
        }
        for shelf in names_in(&self.folder)? {
            let below = self.folder.join(&shelf);
            if shelf.len() != 2 || !below.is_dir() {
                continue;
            }
            for name in names_in(&below)? {
                let Ok(sha256) = Digest::try_from(name) else { continue };
                let place = self.place(sha256);
                match fs::symlink_metadata(&place) {
                    Ok(found) => _ = entries.insert(sha256, ArchivedInput { sha256, bytes: found.len() }),
                    // It stands on a shelf where nobody looks for it.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => return Err(PublishError::io("look at", &place)(e)),
                }
            }
        }
        Ok(entries)
    }
}

impl Publisher<'_> {
    /// Brings raw files into the archive that are not there yet. Each is there whole and under the digest of its bytes, or not at all, whatever
    /// instant the process is killed at.
    ///
    /// # Errors
    /// A file is no longer what was read, or the operating system refuses.
    pub(super) fn archive(
        &mut self,
        inputs: &[InputFile],
        data: &Path,
        policy: ArchivePolicy,
    ) -> Result<(), PublishError> {
        let archive = InputArchive::of(self.out());
        let coming = archive.folder.join(ARCHIVE_TEMPORARY);
        for input in inputs {
            let (place, raw) = (archive.place(input.sha256), data.join(&input.name));
            if archive.holds(input)? && is_unchanged(&place, &raw, input.sha256)? {
                continue;
            }
            let shelf = place.parent().unwrap_or(&archive.folder).to_owned();
            make_folder(&shelf)?;
            bring(&raw, &coming, policy)?;
            let found = Digest::of_file(&coming).map_err(PublishError::io("read", &coming))?;
            if found != input.sha256 {
                let _ = fs::remove_file(&coming);
                return Err(PublishError::InputChanged { path: raw, read: input.sha256, found });
            }
            let file = fs::File::open(&coming).map_err(PublishError::io("open", &coming))?;
            file.sync_all().map_err(PublishError::io("force to disk", &coming))?;
            self.reached(&Step::Synced(coming.clone()), &coming)?;
            fs::rename(&coming, &place).map_err(PublishError::io("archive", &place))?;
            sync_folder(&shelf)?;
            self.reached(&Step::Archived(place.clone()), &place)?;
        }
        Ok(())
    }

    /// Removes files from the archive, each by one step.
    pub(super) fn unarchive(&mut self, leaving: &[ArchivedInput]) -> Result<(), PublishError> {
        let archive = InputArchive::of(self.out());
        for input in leaving {
            let place = archive.place(input.sha256);
            match fs::remove_file(&place) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(PublishError::io("remove", &place)(e)),
                _ => {}
            }
            self.reached(&Step::Unarchived(place.clone()), &place)?;
            // Only an empty shelf goes.
            let _ = place.parent().map(fs::remove_dir);
        }
        Ok(())
    }
}

/// Whether a file that lies in the archive in the right size can be taken for what it was: a copy, that nobody may write, or the very file that was
/// just read. Any other link is read.
fn is_unchanged(place: &Path, raw: &Path, sha256: Digest) -> Result<bool, PublishError> {
    let found = fs::metadata(place).map_err(PublishError::io("look at", place))?;
    if found.permissions().readonly() || fs::metadata(raw).is_ok_and(|raw| is_same_file(&found, &raw)) {
        return Ok(true);
    }
    Ok(Digest::of_file(place).map_err(PublishError::io("read", place))? == sha256)
}

#[cfg(unix)]
fn is_same_file(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
const fn is_same_file(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    false
}

/// Brings a raw file to a place of its own.
fn bring(raw: &Path, to: &Path, policy: ArchivePolicy) -> Result<(), PublishError> {
    match fs::remove_file(to) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(PublishError::io("remove", to)(e)),
        _ => {}
    }
    // A link to a symbolic link would keep where the file lies, not what it holds.
    let raw = &fs::canonicalize(raw).map_err(PublishError::io("archive", raw))?;
    if policy == ArchivePolicy::Link && fs::hard_link(raw, to).is_ok() {
        return Ok(());
    }
    fs::copy(raw, to).map_err(PublishError::io("archive", raw))?;
    let mut rights = fs::metadata(to).map_err(PublishError::io("look at", to))?.permissions();
    rights.set_readonly(true);
    fs::set_permissions(to, rights).map_err(PublishError::io("protect", to))
}
