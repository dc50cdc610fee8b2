//! The screen of a table: what each column would tell by itself, on one page.

use super::error::DocumentError;
use super::plots;
use crate::model::binning::{Bins, Cell, iv_share};
use crate::page::{Block, Plot, html, table};
use crate::workbench::figures::{figure, or_dash, share};
use crate::workbench::univariate::{Outcome, Univariate};

/// The page, as one HTML file: a summary by falling information value, the bins of each column as plot and table, and why others have none.
/// `source` names the table.
///
/// # Errors
/// A plot or the page cannot be drawn.
pub fn screen(source: &str, columns: &[Univariate]) -> Result<String, DocumentError> {
    let title = format!("Columns of {source}, each by itself");
    let mut blocks = vec![
        Block::Heading(1, title.clone()),
        Block::Paragraph(
            "How every column would be cut by itself, over all rows, and what its bins tell of the outcome. What a card makes of columns together \
             is another matter."
                .to_owned(),
        ),
        summary(columns),
    ];
    for (at, column) in columns.iter().enumerate() {
        if let Some(bins) = column.bins() {
            blocks.extend(one(at, column, bins)?);
        }
    }
    let left: Vec<Vec<String>> = columns
        .iter()
        .filter_map(|column| match &column.outcome {
            Outcome::Left { rule, why } => Some(vec![column.variable.clone(), format!("{rule}: {why}")]),
            Outcome::Cut { .. } => None,
        })
        .collect();
    if !left.is_empty() {
        blocks.push(Block::Heading(2, "Columns without bins".to_owned()));
        blocks.push(table(&["column", "why"], left));
    }
    Ok(html(&title, &blocks)?)
}

fn summary(columns: &[Univariate]) -> Block {
    let rows = columns
        .iter()
        .filter_map(|column| match &column.outcome {
            Outcome::Cut { ks, chi_square, bins } => Some(vec![
                column.variable.clone(),
                figure(bins.iv),
                format!("{ks:.3}"),
                format!("{chi_square:.1}"),
                format!("{:?}", bins.trend).to_lowercase(),
                bins.bins.iter().filter(|bin| bin.rows > 0.0).count().to_string(),
                or_dash(column.missing_share.map(share)),
            ]),
            Outcome::Left { .. } => None,
        })
        .collect();
    table(&["column", "IV", "KS", "χ²", "trend", "bins", "missing"], rows)
}

fn one(at: usize, column: &Univariate, bins: &Bins) -> Result<Vec<Block>, DocumentError> {
    let total = bins.bins.iter().fold(Cell::default(), |sum, bin| sum.plus(bin.cell()));
    let part = |of: f64, all: f64| or_dash((all > 0.0).then(|| share(of / all)));
    let rows = bins
        .bins
        .iter()
        .map(|bin| {
            vec![
                bin.label.clone(),
                format!("{:.0}", bin.rows),
                part(bin.rows, total.rows),
                format!("{:.0}", bin.bad),
                part(bin.bad, bin.rows),
                format!("{:+.3}", bin.woe),
                figure(iv_share(bin.cell(), total)),
            ]
        })
        .collect();
    let plot = Plot {
        title: format!("Bins of {}", column.variable),
        file: format!("plots/column_{}.svg", at + 1),
        svg: plots::bins(bins)?,
    };
    let mut blocks = vec![Block::Heading(2, column.variable.clone())];
    if !column.notes.is_empty() {
        blocks.push(Block::List(column.notes.clone()));
    }
    blocks.push(Block::Plots(vec![plot]));
    blocks.push(table(&["bin", "rows", "share", "bad", "event rate", "weight of evidence", "IV"], rows));
    Ok(blocks)
}
