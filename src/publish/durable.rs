//! Folders that survive a power failure.

use std::io;
use std::path::{Path, PathBuf};

use super::error::PublishError;

/// Forces a folder's entries to disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), PublishError> {
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(PublishError::io("force to disk", folder))
}

/// Makes a folder and those above it that are missing, and forces every new entry to disk, up to the folder that stood there before.
/// Returns the folders made, outermost first.
pub(super) fn make_folder(folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut missing: Vec<PathBuf> = Vec::new();
    for ancestor in folder.ancestors().filter(|a| !a.as_os_str().is_empty()) {
        match std::fs::metadata(ancestor) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => return Err(PublishError::NotAFolder(folder.to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(PublishError::NotAFolder(folder.to_owned()));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => missing.push(ancestor.to_owned()),
            Err(e) => return Err(PublishError::io("look at", ancestor)(e)),
        }
    }
    missing.reverse();
    for new in &missing {
        match std::fs::create_dir(new) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(PublishError::io("make folder", new)(e)),
            _ => {}
        }
        let parent = new.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(parent)?;
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_folder_is_named_and_a_file_in_the_way_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        let made = make_folder(&deep).unwrap();
        assert_eq!(made, ["a", "a/b", "a/b/c"].map(|f| root.path().join(f)));
        assert_eq!(make_folder(&deep).unwrap(), Vec::<PathBuf>::new());
        std::fs::write(root.path().join("file"), b"").unwrap();
        for blocked in ["file", "file/below"] {
            let blocked = root.path().join(blocked);
            assert!(matches!(make_folder(&blocked), Err(PublishError::NotAFolder(path)) if path == blocked));
        }
    }
}
