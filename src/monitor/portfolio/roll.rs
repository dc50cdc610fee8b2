//! Roll rates: where the money of each bucket went, from the night before to tonight and from month to month.
//!
//! | figure | meaning |
//! |---|---|
//! | from | the bucket in which a loan stood; `written-off`, `unknown`, or `new` for what was not in the book then |
//! | money of a row | principal not repaid then (what was lent, for a loan drawn since; what was lent, where what is owed was not known) |
//! | to | the bucket tonight; `paid-off`, `written-off`, `unknown`, or `not-sent` for what no row shows any more |
//! | moved | the part of the row's money that is in `to` now: of a loan still open what is still owed; what it repaid meanwhile is in `paid-off` |
//! | increased | what is owed beyond that: a payment bounced, or a loan drawn earlier came into the book |
//!
//! So the cells of a row add up to its money, whatever became of it, and `moved + increased` of a column is what stands in that bucket tonight.
//! A month's matrix takes the book as it could be seen on the first of each month.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::monitor::class::bucket_of;
use crate::monitor::error::MonitorError;
use crate::monitor::portfolio::totals::sum;
use crate::monitor::settings::Bucket;
use crate::repayment::LoanLedger;

/// Nothing is owed any more.
pub const PAID_OFF: &str = "paid-off";
/// Written off, with something still owed.
pub const WRITTEN_OFF: &str = "written-off";
/// Nothing is known.
pub const UNKNOWN: &str = "unknown";
/// No row shows it any more.
pub const NOT_SENT: &str = "not-sent";
/// Not in the book then.
pub const NEW: &str = "new";

/// Where a loan stands, and with how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// A bucket, or one of the places of this file.
    pub place: String,
    /// Principal not repaid; what was lent, where that is not known.
    pub minor: i64,
    /// When it was disbursed, where known.
    pub disbursed_on: Option<Date>,
    /// What was lent, where known; else as `minor`.
    pub lent_minor: i64,
}

/// A loan by borrower and id.
type LoanKey = (String, Option<String>);

/// Where every loan of a ledger stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Positions(BTreeMap<LoanKey, Position>);

impl Positions {
    /// Of a shard's ledger, paid-off loans included.
    #[must_use]
    pub fn of(ledger: &LoanLedger, buckets: &[Bucket]) -> Self {
        let mut positions = BTreeMap::new();
        for loan in &ledger.known {
            let place = if loan.is_closed {
                PAID_OFF
            } else if loan.is_written_off {
                WRITTEN_OFF
            } else {
                bucket_of(buckets, loan.dpd).map_or(UNKNOWN, |bucket| bucket.name.as_str())
            };
            let position = Position {
                place: place.to_owned(),
                minor: loan.outstanding_minor,
                disbursed_on: loan.history.disbursed_on,
                lent_minor: loan.principal_minor,
            };
            positions.insert((loan.merchant_id.clone(), Some(loan.loan_id.clone())), position);
        }
        for loan in &ledger.unknown {
            let minor = loan.principal_minor.unwrap_or(0);
            let position = Position { place: UNKNOWN.to_owned(), minor, disbursed_on: None, lent_minor: minor };
            positions.insert((loan.merchant_id.clone(), loan.loan_id.clone()), position);
        }
        Self(positions)
    }

    /// Adds a loan.
    pub fn insert(&mut self, merchant_id: &str, loan_id: Option<&str>, position: Position) {
        self.0.insert((merchant_id.to_owned(), loan_id.map(str::to_owned)), position);
    }
}

/// What moved from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RollCell {
    /// Loans that stand there now.
    pub loans: u64,
    /// Money of the row that is there now.
    pub moved_minor: i64,
    /// What is owed beyond the row's money.
    pub increased_minor: i64,
}

/// Cells by where money was and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RollMatrix {
    cells: BTreeMap<(String, String), RollCell>,
}

impl RollMatrix {
    /// From one book to a later one. `from_on` is the date of the first.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn between(before: &Positions, from_on: Date, now: &Positions) -> Result<Self, MonitorError> {
        let mut matrix = Self::default();
        for (key, was) in before.0.iter().filter(|(_, was)| was.place != PAID_OFF) {
            match now.0.get(key) {
                Some(is) => matrix.add(&was.place, was.minor, is)?,
                None => matrix.add_cell(
                    &was.place,
                    NOT_SENT,
                    RollCell { loans: 1, moved_minor: was.minor, increased_minor: 0 },
                )?,
            }
        }
        for (key, is) in &now.0 {
            if before.0.get(key).is_some_and(|was| was.place != PAID_OFF) {
                continue;
            }
            let is_drawn_since = is.disbursed_on.is_some_and(|on| on >= from_on) && !before.0.contains_key(key);
            if is_drawn_since || is.place == UNKNOWN {
                matrix.add(NEW, is.lent_minor, is)?;
            } else if is.place != PAID_OFF {
                // Reopened by a payment that bounced, or sent late.
                matrix.add(NEW, 0, is)?;
            }
        }
        Ok(matrix)
    }

    fn add(&mut self, from: &str, opening_minor: i64, is: &Position) -> Result<(), MonitorError> {
        let stays = match is.place.as_str() {
            PAID_OFF | UNKNOWN => opening_minor,
            _ => opening_minor.min(is.minor),
        };
        let increased_minor = match is.place.as_str() {
            PAID_OFF | UNKNOWN => 0,
            _ => is.minor - stays,
        };
        self.add_cell(from, &is.place, RollCell { loans: 1, moved_minor: stays, increased_minor })?;
        if opening_minor > stays {
            let repaid = RollCell { loans: 0, moved_minor: opening_minor - stays, increased_minor: 0 };
            self.add_cell(from, PAID_OFF, repaid)?;
        }
        Ok(())
    }

    fn add_cell(&mut self, from: &str, to: &str, added: RollCell) -> Result<(), MonitorError> {
        let cell = self.cells.entry((from.to_owned(), to.to_owned())).or_default();
        cell.loans += added.loans;
        cell.moved_minor = sum(cell.moved_minor, added.moved_minor, "money that moved")?;
        cell.increased_minor = sum(cell.increased_minor, added.increased_minor, "money that moved")?;
        Ok(())
    }

    /// Adds another shard's.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        other.cells.iter().try_for_each(|((from, to), cell)| self.add_cell(from, to, *cell))
    }

    /// The money of a row: what stood there.
    #[must_use]
    pub fn opening_minor(&self, from: &str) -> i128 {
        self.cells.iter().filter(|((f, _), _)| f == from).map(|(_, cell)| i128::from(cell.moved_minor)).sum()
    }

    /// What stands in a place now.
    #[must_use]
    pub fn closing_minor(&self, to: &str) -> i128 {
        let there = self.cells.iter().filter(|((_, t), _)| t == to);
        there.map(|(_, cell)| i128::from(cell.moved_minor) + i128::from(cell.increased_minor)).sum()
    }

    /// The rows as published, by where money was and is.
    #[must_use]
    pub fn rates(&self, basis: RollBasis, from_on: Date, to_on: Date) -> Vec<RollRate> {
        let rate = |((from, to), cell): (&(String, String), &RollCell)| {
            let row = self.opening_minor(from);
            RollRate {
                basis,
                from_on,
                to_on,
                from_place: from.clone(),
                to_place: to.clone(),
                loans: i64::try_from(cell.loans).unwrap_or(i64::MAX),
                moved_minor: cell.moved_minor,
                increased_minor: cell.increased_minor,
                moved_share: (row > 0).then(|| cell.moved_minor as f64 / row as f64),
            }
        };
        self.cells.iter().map(rate).collect()
    }
}

/// Between which books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollBasis {
    /// The night before, as it was published, and tonight.
    Night,
    /// The first of one month and of the next, or tonight, as the ledger could be seen then.
    Month,
}

/// One cell: a row of `roll_rates.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollRate {
    /// Between which books.
    pub basis: RollBasis,
    /// As-of date of the first book.
    pub from_on: Date,
    /// As-of date of the second.
    pub to_on: Date,
    /// Where the money was.
    pub from_place: String,
    /// Where it is.
    pub to_place: String,
    /// Loans that stand there now.
    pub loans: i64,
    /// Money of the row that is there now.
    pub moved_minor: i64,
    /// What is owed there beyond the row's money.
    pub increased_minor: i64,
    /// `moved ÷` the row's money; `None` where the row has none.
    pub moved_share: Option<f64>,
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;
