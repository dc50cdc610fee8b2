//! A document before it is Markdown or HTML.

/// One block of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading; 1 is the title.
    Heading(u8, String),
    /// Plain text.
    Paragraph(String),
    /// A list.
    List(Vec<String>),
    /// A table: the first column is text, the others are figures.
    Table {
        /// Heads of the columns.
        head: Vec<String>,
        /// Rows, as long as the head.
        rows: Vec<Vec<String>>,
    },
    /// Plots that belong side by side.
    Plots(Vec<Plot>),
}

/// A plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// File name of the SVG beside a Markdown document.
    pub file: String,
    /// The SVG text.
    pub svg: String,
}

/// A table from heads and rows.
pub(super) fn table(head: &[&str], rows: Vec<Vec<String>>) -> Block {
    Block::Table { head: head.iter().map(|h| (*h).to_owned()).collect(), rows }
}
