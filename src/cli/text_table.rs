//! Tables on the terminal: the first column to the left, figures to the right.

use std::fmt::Write as _;

/// Lays out rows below their heads, two spaces between columns. All rows are as long as the head.
#[must_use]
pub fn text_table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|h| h.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    let heads: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Writing to a String cannot fail.
            let _ = if i == 0 { write!(line, "  {cell:<width$}") } else { write!(line, "  {cell:>width$}") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
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
