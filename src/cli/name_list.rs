//! Options that take column names: as given, or a list separated by commas.

use crate::model::ModelError;
use crate::workbench::table::TableFile;

/// Each item as it is where it is a name itself (names may hold commas), else its parts.
#[must_use]
pub fn listed_names(given: &[String], is_name: impl Fn(&str) -> bool) -> Vec<String> {
    let parts = |item: &String| -> Vec<String> {
        if is_name(item) {
            return vec![item.clone()];
        }
        item.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    given.iter().flat_map(parts).collect()
}

/// The same, of a table: every name must be a column.
///
/// # Errors
/// One is not.
pub fn listed_columns(given: &[String], file: &TableFile) -> Result<Vec<String>, ModelError> {
    let names = listed_names(given, |name| file.names().iter().any(|n| n == name));
    for name in &names {
        file.position(name)?;
    }
    Ok(names)
}

/// Columns that are no variables: those to drop, and where only some are kept, all others.
///
/// # Errors
/// A name is no column.
pub fn left_out(drop: &[String], keep_only: &[String], file: &TableFile) -> Result<Vec<String>, ModelError> {
    let mut out = listed_columns(drop, file)?;
    if !keep_only.is_empty() {
        let kept = listed_columns(keep_only, file)?;
        out.extend(file.names().iter().filter(|name| !kept.contains(name)).cloned());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_is_one_name() {
        let given = ["a, b".to_owned(), " c,, d ,".to_owned()];
        assert_eq!(listed_names(&given, |name| name == "a, b"), ["a, b", "c", "d"]);
    }
}
