//! Everything below a folder, by relative path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::PublishError;

/// Relative paths, with `/`.
#[derive(Debug, Default)]
pub(super) struct FolderTree {
    pub(super) files: BTreeSet<String>,
    pub(super) folders: BTreeSet<String>,
    /// Links, sockets and the like: nothing that a run holds.
    pub(super) others: BTreeSet<String>,
}

impl FolderTree {
    pub(super) fn walk(root: &Path) -> Result<Self, PublishError> {
        let mut tree = Self::default();
        let mut open = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for entry in std::fs::read_dir(&folder).map_err(PublishError::io("list", &folder))? {
                let entry = entry.map_err(PublishError::io("list", &folder))?;
                let path: PathBuf = entry.path();
                let kind = entry.file_type().map_err(PublishError::io("look at", &path))?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if kind.is_dir() {
                    open.push((path, format!("{name}/")));
                    tree.folders.insert(name);
                } else if kind.is_file() {
                    tree.files.insert(name);
                } else {
                    tree.others.insert(name);
                }
            }
        }
        Ok(tree)
    }
}
