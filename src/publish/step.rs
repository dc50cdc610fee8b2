//! The steps of publishing, made visible one by one.

use std::io;
use std::path::PathBuf;

/// A step that has just been taken. See [`super::Publisher`] for what a process killed right after each leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A folder that was missing above or at the output folder stands, on disk.
    FolderMade(PathBuf),
    /// The lock is held and what killed runs left in the staging folder is gone.
    Swept,
    /// An empty staging folder stands.
    Begun(PathBuf),
    /// A file's bytes are with the operating system, not yet forced to disk.
    Written(PathBuf),
    /// A file is on disk.
    Synced(PathBuf),
    /// Every folder of the staged run is on disk.
    FoldersSynced(PathBuf),
    /// The folder of the business date stands.
    DateFolder(PathBuf),
    /// The run folder has its final name; nothing points to it.
    Renamed(PathBuf),
    /// So it has on disk.
    RenameSynced(PathBuf),
    /// A line has been added to the log of pointings by hand.
    Logged,
    /// A line has been added to the log of removed runs.
    PruningLogged,
    /// A run folder, or the folder of a date with all its runs, has left readers' sight.
    Removed(PathBuf),
    /// A raw file lies in the archive, on disk.
    Archived(PathBuf),
    /// A raw file that no run needs has left the archive.
    Unarchived(PathBuf),
    /// The business date's own pointer has been replaced.
    DatePointed,
    /// `current.json` has been replaced.
    Pointed,
    /// So it has on disk.
    PointerSynced,
}

/// Told of every step; an error it returns stops the publishing there, as if the operating system had refused. The nightly run
/// traces with it, tests photograph the folder and inject faults with it.
pub type Observer<'a> = Box<dyn FnMut(&Step) -> io::Result<()> + Send + 'a>;
