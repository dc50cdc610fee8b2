//! Tables on the terminal: the first column to the left, figures to the right.

use comfy_table::{CellAlignment, Table, presets};

/// Lays out rows below their heads, two spaces between columns. A row may be shorter than the head.
#[must_use]
pub fn text_table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().copied()).add_rows(rows.iter().cloned());
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((2, 0));
        column.set_cell_alignment(if at == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = vec![vec!["città".to_owned(), "1".to_owned()], vec!["b".to_owned(), "22".to_owned()]];
        assert_eq!(text_table(&["name", "n"], &rows), "  name    n\n  città   1\n  b      22\n");
    }
}
