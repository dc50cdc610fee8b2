//! Cells of CSV files that people open in a spreadsheet.

use std::borrow::Cow;

/// Whether a spreadsheet takes a cell for a formula, or for something to run: it begins with `=`, `@`, a tab or a carriage return, or with a sign and is no number.
#[must_use]
pub fn is_taken_for_a_formula(cell: &str) -> bool {
    match cell.as_bytes().first() {
        Some(b'=' | b'@' | b'\t' | b'\r') => true,
        Some(b'+' | b'-') => cell.parse::<f64>().is_err(),
        _ => false,
    }
}

/// A cell that a spreadsheet shows and does not run: ids and names come from merchants. An apostrophe stands before what it would take for a formula.
#[must_use]
pub fn shown_cell(cell: &str) -> Cow<'_, str> {
    if is_taken_for_a_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_shown_and_numbers_and_names_stay_as_they_are() {
        for cell in ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "-", "+x"] {
            assert_eq!(shown_cell(cell), format!("'{cell}"));
        }
        for cell in ["", "M1", "-12.50", "+7", "-1e3", "a=b", "'=1", " =1"] {
            assert_eq!(shown_cell(cell), cell);
        }
    }
}
