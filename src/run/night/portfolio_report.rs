//! The portfolio and the borrowers' states of a whole night, from shards in any order.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::decide::Decided;
use crate::monitor::{
    Book, BookBefore, BookContext, BookDifference, BookRows, BorrowerState, MonitorError, Portfolio, PortfolioTables,
    RollMatrix, StatesBefore,
};

/// A portfolio that could not be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Sums.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// Figures that should be the same and are not.
    #[error("{0}")]
    Difference(BookDifference),
}

impl From<BookDifference> for ReportError {
    fn from(difference: BookDifference) -> Self {
        Self::Difference(difference)
    }
}

/// What is joined from shards, and what the night before left that no shard has taken up so far.
pub struct PortfolioReport<'a> {
    context: BookContext<'a>,
    states: &'a StatesBefore,
    book: Option<Book>,
    /// Borrowers of the night before whom no shard has scored so far.
    unscored: BTreeSet<&'a str>,
    /// Merchants with loans in the book of the night before of whom no shard has spoken so far.
    without_book: BTreeSet<&'a str>,
}

impl<'a> PortfolioReport<'a> {
    /// Before any shard is decided.
    pub fn new(context: BookContext<'a>, states: &'a StatesBefore) -> Self {
        let without_book = context.before.into_iter().flat_map(BookBefore::merchants).collect();
        Self { context, states, book: None, unscored: states.merchants().collect(), without_book }
    }

    /// Adds a shard, once its loan lines agree with its portfolio and its accounts.
    ///
    /// # Errors
    /// Figures that should be the same and are not, or sums beyond 64 bits.
    pub fn add(&mut self, shard: &Decided) -> Result<(), ReportError> {
        for score in &shard.scores {
            self.unscored.remove(score.merchant_id.as_str());
            self.without_book.remove(score.merchant_id.as_str());
        }
        for line in &shard.loan_lines {
            self.without_book.remove(line.merchant_id.as_str());
        }
        if let Some(totals) = &shard.portfolio {
            crate::monitor::check_lines(&shard.loan_lines, totals, &shard.accounts)?;
        }
        match (&mut self.book, &shard.book) {
            (Some(all), Some(part)) => all.merge(part)?,
            (all @ None, Some(part)) => *all = Some(part.clone()),
            (_, None) => {}
        }
        Ok(())
    }

    /// Tonight's states of borrowers whom no shard has scored.
    pub fn unseen_states(&self, tonight: Date) -> Vec<BorrowerState> {
        self.states.of_unseen(|merchant| !self.unscored.contains(merchant), tonight).collect()
    }

    /// The tables, once they agree with the `totals` of all shards, and the rows of the book that belong to no shard. `months` are the roll
    /// matrices of past months.
    ///
    /// # Errors
    /// Figures that should be the same and are not, or sums beyond 64 bits.
    pub fn close(
        self,
        totals: Option<&Portfolio>,
        months: &[(Date, Date, RollMatrix)],
    ) -> Result<(PortfolioTables, BookRows), ReportError> {
        let (book, rows) = match self.book {
            Some(mut book) => {
                let forecasts = book.add_unseen(self.context.before, &self.without_book)?;
                (book, BookRows { lines: Vec::new(), forecasts })
            }
            None => Book::without_ledger(&self.context)?,
        };
        Ok((book.tables(&self.context, totals, months)??, rows))
    }
}
