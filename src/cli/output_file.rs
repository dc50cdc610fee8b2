//! Files that commands write: none is ever written over.

use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::model::ModelError;
use crate::page::PageError;

/// Creates a file that is not there yet.
///
/// # Errors
/// It exists, or cannot be created.
pub fn create_new(path: &Path) -> Result<File, ModelError> {
    File::create_new(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => ModelError::Exists { path: path.to_owned() },
        _ => ModelError::io(path, e),
    })
}

/// A page that is written at the end of hours of work: its place is taken before, and given back where the work fails.
pub struct NewPage {
    path: PathBuf,
    file: Option<File>,
}

impl NewPage {
    /// Takes the place of a file that is not there yet.
    ///
    /// # Errors
    /// It exists, or cannot be created.
    pub fn take(path: &Path) -> Result<Self, ModelError> {
        Ok(Self { path: path.to_owned(), file: Some(create_new(path)?) })
    }

    /// Writes the page.
    ///
    /// # Errors
    /// The page could not be made, or cannot be written.
    pub fn write(mut self, page: Result<String, PageError>) -> Result<(), Failure> {
        let text = page.map_err(|e| Failure::Internal(e.to_string()))?;
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(text.as_bytes()));
        written.map_err(|source| Failure::Io { path: self.path.clone(), source })?;
        self.file = None;
        Ok(())
    }
}

impl Drop for NewPage {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What is left is an empty file, which the next try would refuse to write over.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_not_written_leaves_its_place_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        drop(NewPage::take(&path).unwrap());
        assert!(!path.exists(), "the work failed");
        let page = NewPage::take(&path).unwrap();
        assert!(matches!(NewPage::take(&path), Err(ModelError::Exists { .. })), "another command writes it");
        page.write(Ok("text".to_owned())).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
        let failed = PageError { title: "t".to_owned(), why: "w".to_owned() };
        let other = folder.path().join("other.html");
        assert!(NewPage::take(&other).unwrap().write(Err(failed)).is_err());
        assert!(!other.exists());
    }
}
