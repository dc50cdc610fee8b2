//! Approvals: who answers for a model, sealed.

use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::files::{APPROVAL, MANIFEST, digest_of, entries, json, read, refused, sync_folder, write_synced};
use super::load::load_unapproved;
use crate::domain::{Digest, Hasher};
use crate::model::ModelError;

/// `approval.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who approved.
    pub by: String,
    /// When.
    pub on: Date,
    /// The manifest approved.
    pub manifest_digest: Digest,
    /// Digest over the other fields: what is changed afterwards no longer fits it.
    pub seal: Digest,
}

/// What an approval is written to before it takes its name.
const STAGED: &str = ".approval-";

impl Approval {
    /// An approval of a manifest.
    #[must_use]
    pub fn new(by: &str, on: Date, manifest_digest: Digest) -> Self {
        Self { by: by.to_owned(), on, manifest_digest, seal: seal(by, on, manifest_digest) }
    }
}

fn seal(by: &str, on: Date, manifest_digest: Digest) -> Digest {
    let mut hasher = Hasher::default();
    for field in ["integrity approval 1", by, &on.to_string(), &manifest_digest.to_string()] {
        hasher.field(field.as_bytes());
    }
    hasher.finish()
}

/// The approval of a folder; `None` where there is none.
///
/// # Errors
/// It is torn, or was changed after it was given.
pub(super) fn read_approval(folder: &Path) -> Result<Option<Approval>, ModelError> {
    if !folder.join(APPROVAL).exists() {
        return Ok(None);
    }
    let approval: Approval = read(folder, APPROVAL)?;
    if approval.seal != seal(&approval.by, approval.on, approval.manifest_digest) {
        let why = format!("its {APPROVAL} was changed after the approval was given; run `integrity approve` again");
        return Err(refused(folder, why));
    }
    Ok(Some(approval))
}

/// Approves a model folder as it stands, in the place of any approval before; returns that one, where it was sound. A reader sees the one
/// approval or the other.
///
/// # Errors
/// The folder is damaged, nobody is named, or it cannot be written.
pub fn approve_folder(folder: &Path, by: &str, on: Date) -> Result<Option<Approval>, ModelError> {
    if by.trim().is_empty() {
        return Err(ModelError::BadSetting { setting: "by", why: "an approval names who answers for it".to_owned() });
    }
    load_unapproved(folder)?;
    let before = read_approval(folder).unwrap_or_default();
    for left in
        entries(folder)?.iter().filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(STAGED)))
    {
        std::fs::remove_file(left).map_err(|e| ModelError::io(left, e))?;
    }
    let approval = Approval::new(by, on, digest_of(folder, MANIFEST)?);
    let staged = folder.join(format!("{STAGED}{}", std::process::id()));
    write_synced(&staged, &json(&approval, folder)?)?;
    let path = folder.join(APPROVAL);
    std::fs::rename(&staged, &path).map_err(|e| ModelError::io(&path, e))?;
    sync_folder(folder)?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{card, origin};
    use crate::model::registry::{Bundle, Contents, load_folder, save_folder};

    const ON: Date = Date::constant(2024, 5, 1);

    fn saved(folder: &Path) {
        let validation = serde_json::json!({ "test": null });
        let card = card(CalibrationMap::Identity);
        let contents =
            Contents { scorecard: &card, ability: None, validation: &validation, attachments: BTreeMap::new() };
        save_folder(folder, "m", "v1", &contents, origin(), None).unwrap();
    }

    fn used(folder: &Path) -> Result<Bundle, ModelError> {
        let bundle = load_folder(folder)?;
        bundle.check_use(ON, None)?;
        Ok(bundle)
    }

    #[test]
    fn any_change_of_an_approval_is_refused_and_a_new_one_replaces_it() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("v1");
        saved(&folder);
        assert!(used(&folder).is_err());
        assert_eq!(approve_folder(&folder, "Ann", ON).unwrap(), None);
        assert_eq!(used(&folder).unwrap().approval.unwrap().by, "Ann");
        let path = folder.join(APPROVAL);
        let sound = std::fs::read_to_string(&path).unwrap();
        let without_seal: String = sound.lines().filter(|l| !l.contains("seal")).collect();
        let torn = &sound[..sound.len() / 2];
        for changed in [
            &sound.replace("Ann", "Bob"),
            &sound.replace("2024-05-01", "2024-04-01"),
            &without_seal.replace(",}", "}"),
            torn,
            "",
            "{}",
        ] {
            assert_ne!(changed, sound);
            std::fs::write(&path, changed).unwrap();
            assert!(
                matches!(used(&folder), Err(ModelError::Refused { .. } | ModelError::BadModel { .. })),
                "{changed}"
            );
        }
        // What a killed approval left is swept by the next; the torn one is replaced.
        std::fs::write(folder.join(".approval-1"), "{").unwrap();
        assert_eq!(approve_folder(&folder, "Cy", ON).unwrap(), None);
        assert_eq!(approve_folder(&folder, "Di", ON).unwrap().unwrap().by, "Cy");
        assert_eq!(used(&folder).unwrap().approval.unwrap().by, "Di");
        assert!(!folder.join(".approval-1").exists());
        assert!(approve_folder(&folder, " ", ON).is_err());
    }

    #[test]
    fn what_is_missing_is_the_models_fault() {
        for file in [MANIFEST, "model.json", "validation.json"] {
            let scratch = tempfile::tempdir().unwrap();
            let folder = scratch.path().join("v1");
            saved(&folder);
            approve_folder(&folder, "Ann", ON).unwrap();
            std::fs::remove_file(folder.join(file)).unwrap();
            let Err(ModelError::Refused { why, .. }) = used(&folder) else { panic!("{file}") };
            assert!(why.contains(file), "{why}");
            assert!(matches!(approve_folder(&folder, "Ann", ON), Err(ModelError::Refused { .. })));
        }
        let nowhere = Path::new("there-is-no-such-folder");
        assert!(matches!(load_folder(nowhere), Err(ModelError::NoFile { .. })));
    }
}
