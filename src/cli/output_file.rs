//! Files that commands write: none is ever written over.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::model::ModelError;

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
