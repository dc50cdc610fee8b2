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
    /// Horizontal bars, as long as their counts.
    Bars(Vec<Bar>),
    /// Plots that belong side by side.
    Plots(Vec<Plot>),
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What is counted.
    pub label: String,
    /// How much.
    pub count: u64,
    /// The count as it is written beside the bar.
    pub text: String,
    /// Length in thousandths of the longest bar: whole numbers, so that a page has the same bytes everywhere.
    pub length_permille: u64,
}

impl Bar {
    /// Bars of labels, counts and how the counts are written.
    #[must_use]
    pub fn all(counts: Vec<(String, u64, String)>) -> Vec<Self> {
        let longest = u128::from(counts.iter().map(|(_, count, _)| *count).max().unwrap_or(0).max(1));
        let bar = |(label, count, text): (String, u64, String)| {
            let length = (u128::from(count) * 1000).div_ceil(longest);
            Self { label, count, text, length_permille: u64::try_from(length).unwrap_or(1000) }
        };
        counts.into_iter().map(bar).collect()
    }
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
#[must_use]
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> Block {
    Block::Table { head: head.iter().map(|h| (*h).to_owned()).collect(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_counts_and_none_that_counts_is_invisible() {
        let bars = Bar::all(vec![
            ("a".into(), 1, String::new()),
            ("b".into(), 0, String::new()),
            ("c".into(), u64::MAX, String::new()),
        ]);
        assert_eq!(bars.iter().map(|bar| bar.length_permille).collect::<Vec<_>>(), [1, 0, 1000]);
    }
}
