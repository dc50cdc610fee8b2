//! Reading a model folder, with every digest verified.

use std::collections::BTreeMap;
use std::path::Path;

use super::approve::read_approval;
use super::files::{ABILITY, MANIFEST, SCORECARD, VALIDATION, digest_of, read, refused};
use super::layout::{Bundle, Manifest};
use crate::model::ModelError;
use crate::model::ability::AbilityModel;
use crate::model::scorecard::{FORMAT, Scorecard};

/// Reads a model folder and verifies every digest, whether it is approved or not: for trial use on tables.
///
/// # Errors
/// [`ModelError::NoFile`] where there is no such folder, [`ModelError::Refused`] where a file is missing or differs from the manifest, or the
/// approval from its seal, [`ModelError::BadModel`] where one cannot be understood.
pub fn load_folder(folder: &Path) -> Result<Bundle, ModelError> {
    let bundle = load_unapproved(folder)?;
    Ok(Bundle { approval: read_approval(folder)?, ..bundle })
}

/// The same without looking for an approval.
pub(super) fn load_unapproved(folder: &Path) -> Result<Bundle, ModelError> {
    if !folder.is_dir() {
        return Err(ModelError::NoFile { path: folder.to_owned() });
    }
    let manifest: Manifest = read(folder, MANIFEST)?;
    if manifest.format != FORMAT {
        let why = format!("layout version {} is not {FORMAT}", manifest.format);
        return Err(ModelError::BadModel { path: folder.to_owned(), why });
    }
    for (file, expected) in &manifest.files {
        if Path::new(file).components().count() != 1 {
            return Err(refused(folder, format!("the manifest names {file:?}, which is not in the folder")));
        }
        if digest_of(folder, file)? != *expected {
            return Err(refused(folder, format!("{file} was altered: its digest is not the manifest's")));
        }
    }
    for needed in [SCORECARD, VALIDATION] {
        if !manifest.files.contains_key(needed) {
            return Err(refused(folder, format!("the manifest does not name {needed}")));
        }
    }
    let scorecard: Scorecard = read(folder, SCORECARD)?;
    if scorecard.format != FORMAT {
        let why = format!("scorecard layout {} is not {FORMAT}", scorecard.format);
        return Err(ModelError::BadModel { path: folder.to_owned(), why });
    }
    let ability: Option<AbilityModel> =
        if manifest.files.contains_key(ABILITY) { Some(read(folder, ABILITY)?) } else { None };
    if let Some(ability) = &ability {
        ability.check(&folder.join(ABILITY))?;
    }
    let validation = read(folder, VALIDATION)?;
    let own = [SCORECARD, ABILITY, VALIDATION];
    let mut attachments = BTreeMap::new();
    for file in manifest.files.keys().filter(|f| !own.contains(&f.as_str())) {
        attachments.insert(file.clone(), read(folder, file)?);
    }
    Ok(Bundle { folder: folder.to_owned(), manifest, approval: None, scorecard, ability, validation, attachments })
}
