//! Saving a model folder in one step: everything is written and synced aside, then takes its name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use super::approve::Approval;
use super::files::{ABILITY, APPROVAL, MANIFEST, SCORECARD, VALIDATION, entries, json, sync_folder, write_synced};
use super::layout::{Contents, Manifest, Origin};
use super::lock::Lock;
use crate::domain::Digest;
use crate::model::ModelError;
use crate::model::scorecard::FORMAT;

/// An approval given with the saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApproveAs<'a> {
    /// Who approves.
    pub by: &'a str,
    /// When.
    pub on: Date,
}

const STAGING: &str = ".staging-";

/// Refuses a folder that holds anything: results never mix with what is there.
///
/// # Errors
/// [`ModelError::Exists`], also where the folder is a file or cannot be looked into.
pub fn refuse_content(folder: &Path) -> Result<(), ModelError> {
    let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_empty { Err(ModelError::Exists { path: folder.to_owned() }) } else { Ok(()) }
}

/// Writes a model folder anywhere, approved where `approve` says by whom; the folder must not exist, or be empty.
///
/// # Errors
/// It exists with content, or cannot be written.
pub fn save_folder(
    folder: &Path,
    name: &str,
    version: &str,
    contents: &Contents<'_>,
    origin: Origin,
    approve: Option<ApproveAs<'_>>,
) -> Result<(), ModelError> {
    let manifest =
        Manifest { format: FORMAT, name: name.to_owned(), version: version.to_owned(), origin, files: BTreeMap::new() };
    save_in_steps(folder, manifest, contents, approve, &mut || {})
}

/// `after` is called after every step that a reader, or a process that is killed, could tell from the one before.
fn save_in_steps(
    folder: &Path,
    mut manifest: Manifest,
    contents: &Contents<'_>,
    approve: Option<ApproveAs<'_>>,
    after: &mut dyn FnMut(),
) -> Result<(), ModelError> {
    let mut files = files_of(contents, folder)?;
    manifest.files = files.iter().map(|(file, bytes)| (file.clone(), Digest::of(bytes))).collect();
    let bytes = json(&manifest, folder)?;
    let sealed = Digest::of(&bytes);
    files.push((MANIFEST.to_owned(), bytes));
    if let Some(ApproveAs { by, on }) = approve {
        files.push((APPROVAL.to_owned(), json(&Approval::new(by, on, sealed), folder)?));
    }
    write_in_steps(folder, &files, after)
}

/// Writes a folder of files, which may lie in folders below it, in one step; the folder must not exist, or be empty.
///
/// # Errors
/// It exists with content, or cannot be written.
pub fn write_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ModelError> {
    write_in_steps(folder, files, &mut || {})
}

fn write_in_steps(folder: &Path, files: &[(String, Vec<u8>)], after: &mut dyn FnMut()) -> Result<(), ModelError> {
    refuse_content(folder)?;
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|e| ModelError::io(parent, e))?;
    sweep(parent)?;
    let (staging, _lock) = stage(parent)?;
    after();
    let mut below = BTreeSet::new();
    for (file, bytes) in files {
        let path = staging.path().join(file);
        if let Some(inner) = path.parent().filter(|inner| *inner != staging.path()) {
            std::fs::create_dir_all(inner).map_err(|e| ModelError::io(inner, e))?;
            below.insert(inner.to_owned());
        }
        write_synced(&path, bytes)?;
        after();
    }
    below.iter().try_for_each(|inner| sync_folder(inner))?;
    sync_folder(staging.path())?;
    refuse_content(folder)?;
    std::fs::rename(staging.path(), folder).map_err(|e| ModelError::io(folder, e))?;
    // It was renamed, so there is nothing left to remove.
    let _ = staging.keep();
    after();
    sync_folder(parent)?;
    match parent.parent().filter(|p| p.is_dir()) {
        Some(above) => sync_folder(above),
        None => Ok(()),
    }
}

/// A folder in the making, locked so that nobody takes it for one left behind.
fn stage(parent: &Path) -> Result<(tempfile::TempDir, Lock), ModelError> {
    loop {
        let staging = builder().tempdir_in(parent).map_err(|e| ModelError::io(parent, e))?;
        // Between its making and its locking another writer may have swept it.
        match Lock::try_take(staging.path()) {
            Ok(Some(lock)) if staging.path().is_dir() => return Ok((staging, lock)),
            Ok(_) | Err(ModelError::NoFile { .. }) => {}
            Err(e) => return Err(e),
        }
    }
}

/// The folder keeps its mode when it is renamed: not its owner's alone, as temporary folders are, but as the process makes folders.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(STAGING);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    builder
}

/// Removes what killed processes left in a folder of versions: whatever is in the making and held by nobody.
pub(super) fn sweep(home: &Path) -> Result<(), ModelError> {
    for path in entries(home)? {
        if !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(STAGING)) || !path.is_dir() {
            continue;
        }
        if let Some(_lock) = Lock::try_take(&path)? {
            std::fs::remove_dir_all(&path).map_err(|e| ModelError::io(&path, e))?;
        }
    }
    Ok(())
}

/// Every file of a folder but manifest and approval, in the order of writing.
fn files_of(contents: &Contents<'_>, folder: &Path) -> Result<Vec<(String, Vec<u8>)>, ModelError> {
    let mut files = vec![(SCORECARD.to_owned(), json(contents.scorecard, folder)?)];
    if let Some(ability) = contents.ability {
        files.push((ABILITY.to_owned(), json(ability, folder)?));
    }
    files.push((VALIDATION.to_owned(), json(contents.validation, folder)?));
    for (file, value) in &contents.attachments {
        let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !file.starts_with('.');
        if !plain || [MANIFEST, APPROVAL, SCORECARD, ABILITY, VALIDATION].contains(&file.as_str()) {
            return Err(ModelError::BadModel {
                path: folder.to_owned(),
                why: format!("{file:?} cannot name an attachment"),
            });
        }
        files.push((file.clone(), json(value, folder)?));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{card, origin};
    use crate::model::registry::{Registry, load_folder};

    const ON: Date = Date::constant(2024, 5, 1);

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for path in entries(from).unwrap() {
            let there = to.join(path.file_name().unwrap());
            if path.is_dir() { copy(&path, &there) } else { std::fs::copy(&path, there).map(|_| ()).unwrap() }
        }
    }

    #[test]
    fn a_kill_between_any_two_steps_leaves_no_half_version() {
        let scratch = tempfile::tempdir().unwrap();
        let models = scratch.path().join("models");
        let card = card(CalibrationMap::Identity);
        let validation = serde_json::json!({ "test": null });
        let attachments = BTreeMap::from([("reference.json".to_owned(), serde_json::json!({}))]);
        let contents = Contents { scorecard: &card, ability: None, validation: &validation, attachments };
        let approve = Some(ApproveAs { by: "a job", on: ON });
        let folder = models.join("m").join("v1");
        let manifest = |version: &str| Manifest {
            format: FORMAT,
            name: "m".to_owned(),
            version: version.to_owned(),
            origin: origin(),
            files: BTreeMap::new(),
        };
        let mut steps = 0;
        save_in_steps(&folder, manifest("v1"), &contents, approve, &mut || {
            // What a kill here would leave.
            copy(&models, &scratch.path().join(steps.to_string()));
            steps += 1;
        })
        .unwrap();
        assert!(steps >= 7, "{steps} steps");
        for step in 0..steps {
            let left = Registry::new(&scratch.path().join(step.to_string()));
            let versions = left.versions("m").unwrap();
            assert_eq!(versions.len(), usize::from(step + 1 == steps), "step {step}");
            for version in versions {
                load_folder(&version).unwrap().check_use(ON, None).unwrap();
            }
            let lock = left.lock("m", &mut |_| panic!("nobody writes here")).unwrap();
            assert!(entries(&left.home("m")).unwrap().iter().all(|p| !p.to_string_lossy().contains(STAGING)));
            left.save("m", "v2", &contents, origin(), approve).unwrap();
            drop(lock);
            assert!(left.load_approved("m", "v2", ON, None).is_ok(), "step {step}");
        }
    }

    #[test]
    fn saving_anywhere_sweeps_what_a_killed_process_left_there() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join(".staging-left")).unwrap();
        std::fs::write(scratch.path().join(".staging-left/model.json"), "{").unwrap();
        let (card, validation) = (card(CalibrationMap::Identity), serde_json::json!({ "test": null }));
        let contents =
            Contents { scorecard: &card, ability: None, validation: &validation, attachments: BTreeMap::new() };
        let folder = scratch.path().join("mine");
        save_folder(&folder, "mine", "v1", &contents, origin(), None).unwrap();
        assert_eq!(entries(scratch.path()).unwrap(), [folder]);
    }

    #[test]
    fn a_folder_in_the_making_is_not_swept() {
        let home = tempfile::tempdir().unwrap();
        let (staging, lock) = stage(home.path()).unwrap();
        std::fs::create_dir(home.path().join(".staging-left")).unwrap();
        sweep(home.path()).unwrap();
        assert_eq!(entries(home.path()).unwrap(), [staging.path().to_owned()]);
        drop(lock);
        sweep(home.path()).unwrap();
        assert!(entries(home.path()).unwrap().is_empty());
    }
}
