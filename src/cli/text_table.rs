//! Tables on the terminal: the first column to the left, figures to the right.

use comfy_table::{CellAlignment, Table, presets};

/// Lays out rows below their heads, two spaces between columns. All rows are as long as the head.
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

/// A figure, or a dash where there is none.
#[must_use]
pub fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.4}"))
}

/// A figure with its interval.
#[must_use]
pub fn ranged(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval) {
        (Some(v), Some([low, high])) => format!("{v:.4} [{low:.4}, {high:.4}]"),
        (value, _) => figure(value),
    }
}

/// A share in per cent.
#[must_use]
pub fn share(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// A p-value.
#[must_use]
pub fn p_value(value: f64) -> String {
    if value < 0.0001 { "< .0001".to_owned() } else { format!("{value:.4}") }
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
