//! Writes a draft to a folder that holds nothing yet.

use std::path::{Component, Path, PathBuf};

use super::{Draft, DraftError};

/// Writes all files of the job.
///
/// # Errors
/// The folder has files already, or the system refuses.
pub fn write_draft(draft: &Draft, out: &Path) -> Result<Vec<PathBuf>, DraftError> {
    let io = |path: &Path, e: &std::io::Error| DraftError::Io { path: path.to_owned(), why: e.to_string() };
    refuse_filled(out)?;
    std::fs::create_dir_all(out.join("sources")).map_err(|e| io(out, &e))?;
    let mut written = Vec::new();
    for (relative, text) in &draft.files {
        let path = out.join(relative);
        std::fs::write(&path, text).map_err(|e| io(&path, &e))?;
        written.push(path);
    }
    Ok(written)
}

/// A folder that holds anything is somebody's.
///
/// # Errors
/// It does, or it cannot be looked into.
pub fn refuse_filled(out: &Path) -> Result<(), DraftError> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                Err(DraftError::OutNotEmpty(out.to_owned()))
            } else {
                Ok(())
            }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(DraftError::Io { path: out.to_owned(), why: e.to_string() }),
    }
}

/// The way from one folder to another, so that both can move together. The first need not be there yet.
pub(super) fn relative(from: &Path, to: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (from, to) = (absolute(from), absolute(to));
    let parts = |path: &Path| -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::ParentDir => {
                    parts.pop();
                }
                Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        parts
    };
    let (from, to) = (parts(&from), parts(&to));
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - same);
    let way: Vec<String> = up.chain(to.into_iter().skip(same)).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_from_folder_to_folder() {
        assert_eq!(relative(Path::new("/a/b/job"), Path::new("/a/data")), "../../data");
        assert_eq!(relative(Path::new("/a/job"), Path::new("/a/job/data")), "data");
        assert_eq!(relative(Path::new("/a/x/../job"), Path::new("/a/job")), ".");
    }
}
