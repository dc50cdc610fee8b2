//! Tables on the terminal: the first column to the left, figures to the right; remarks at the end of a row to the left as well.

use comfy_table::{CellAlignment, Table, presets};

/// Lays out rows below their heads, two spaces between columns. A row may be shorter than the head.
#[must_use]
pub fn text_table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().copied()).add_rows(rows.iter().cloned());
    let last = head.len().saturating_sub(1);
    let has_remarks = rows.iter().filter_map(|row| row.get(last)).any(|cell| is_remark(cell));
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((2, 0));
        let is_left = at == 0 || (at == last && has_remarks);
        column.set_cell_alignment(if is_left { CellAlignment::Left } else { CellAlignment::Right });
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// Whether a cell is a sentence and no figure with its unit.
fn is_remark(cell: &str) -> bool {
    cell.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = vec![vec!["città".to_owned(), "1".to_owned()], vec!["b".to_owned(), "22".to_owned()]];
        assert_eq!(text_table(&["name", "n"], &rows), "  name    n\n  città   1\n  b      22\n");
    }

    #[test]
    fn a_long_remark_pushes_no_other_to_the_right() {
        let rows = [["a", "1", "no schedule"], ["b", "22", "the lender's books do not agree"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let expected = "  loan   n  detail\n  a      1  no schedule\n  b     22  the lender's books do not agree\n";
        assert_eq!(text_table(&["loan", "n", "detail"], &rows), expected);
    }
}
