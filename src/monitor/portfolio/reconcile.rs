//! Everything reconciles to the book: figures that were added up on different ways must be the same, or the night stops.
//!
//! | figure | added up | against |
//! |---|---|---|
//! | loans, principal, arrears, buckets, classes, written off, unknown | from the loans' lines | the reduce over ledgers |
//! | members of a dimension | over its members | all open loans |
//! | each merchant's debt | from the loans' lines | the account that offers rest on |
//! | rows of the night's roll rates | over where the money went | the night before, as published |
//! | columns of the roll rates | over where the money came from | tonight's buckets |
//! | a month's roll rates | columns | rows of the next month |
//! | vintages | over months and products | the ledger |
//! | provisions | exposure over stages | all open loans |

use std::fmt;

use jiff::civil::Date;

use super::book::{Book, BookContext};
use super::breakdown::{Dimension, PortfolioLine};
use super::loan_line::LoanLine;
use super::roll::{RollMatrix, WRITTEN_OFF};
use super::totals::Portfolio;
use crate::exposure::Statement;
use crate::monitor::class::Class;

/// Two figures that should be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDifference {
    /// What they are figures of.
    pub what: String,
    /// By the loans.
    pub by_loans: i128,
    /// By the other way.
    pub otherwise: i128,
}

impl fmt::Display for BookDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} by the loans, {} otherwise", self.what, self.by_loans, self.otherwise)
    }
}

/// Holds the loan lines of a shard, sorted by borrower, against the reduce over its ledger and the accounts of its merchants, which another room
/// draws up.
///
/// # Errors
/// The first difference.
pub fn check_lines(lines: &[LoanLine], totals: &Portfolio, accounts: &[Statement]) -> Result<(), BookDifference> {
    let sum = |of: &dyn Fn(&LoanLine) -> i64, is: &dyn Fn(&LoanLine) -> bool| -> i128 {
        lines.iter().filter(|line| is(line)).map(|line| i128::from(of(line))).sum()
    };
    let owed = |line: &LoanLine| line.outstanding_minor.unwrap_or(0);
    same("open loans", sum(&|_| 1, &LoanLine::is_open), totals.open.loans)?;
    same("principal of open loans", sum(&owed, &LoanLine::is_open), totals.open.outstanding_minor)?;
    let arrears = sum(&|line| line.arrears_minor.unwrap_or(0), &LoanLine::is_open);
    same("arrears", arrears, totals.arrears_minor)?;
    let written_off = sum(&owed, &LoanLine::is_written_off);
    same("principal written off", written_off, totals.written_off.outstanding_minor)?;
    same("unknown loans", sum(&|_| 1, &LoanLine::is_unknown), totals.unknown.loans)?;
    for (bucket, tally) in &totals.by_bucket {
        let there = sum(&owed, &|line| line.place == *bucket);
        same(&format!("principal in bucket {bucket}"), there, tally.outstanding_minor)?;
    }
    for (class, tally) in &totals.by_class {
        let there = sum(&owed, &|line| line.class == Some(*class));
        same(&format!("principal in class {}", class.name()), there, tally.outstanding_minor)?;
    }
    let bad = sum(&owed, &|line| line.class.is_some_and(Class::is_non_performing));
    same("principal that does not perform", bad, totals.non_performing.outstanding_minor)?;
    for account in accounts {
        let Some(debt) = account.owed_minor else { continue };
        let from = lines.partition_point(|line| line.merchant_id < account.merchant_id);
        let own = lines.iter().skip(from).take_while(|line| line.merchant_id == account.merchant_id);
        let by_loans: i128 = own.map(|line| i128::from(owed(line))).sum();
        same(&format!("debt of merchant {}", account.merchant_id), by_loans, debt)?;
    }
    Ok(())
}

/// Sums over all shards that are held against each other.
pub(super) struct Checked<'a> {
    pub book: &'a Book,
    pub tonight: &'a [PortfolioLine],
    pub totals: &'a Portfolio,
    pub months: &'a [(Date, Date, RollMatrix)],
}

impl Checked<'_> {
    /// The first difference.
    pub fn check(&self, context: &BookContext<'_>) -> Result<(), BookDifference> {
        self.dimensions()?;
        self.rolls(context)?;
        let totals = self.totals;
        let (loans, owed) = self.book.vintages().totals();
        same("loans of all vintages", loans, totals.known_loans)?;
        let outstanding = i128::from(totals.open.outstanding_minor) + i128::from(totals.written_off.outstanding_minor);
        same("principal of all vintages", owed, outstanding)?;
        if context.monitor.portfolio.provisions.is_some() {
            let (exposure, provisions) = self.book.provisions().totals();
            same("exposure that is provided for", exposure, totals.open.outstanding_minor)?;
            let of_all = self.tonight.iter().filter(|line| line.dimension == Dimension::Status);
            let by_loans: i128 = of_all.map(|line| i128::from(line.provision_minor.unwrap_or(0))).sum();
            same("provisions", by_loans, provisions)?;
        }
        Ok(())
    }

    fn dimensions(&self) -> Result<(), BookDifference> {
        for dimension in Dimension::OF_OPEN_LOANS.into_iter().chain(Dimension::LARGEST) {
            let members = || self.tonight.iter().filter(|line| line.dimension == dimension);
            let owed: i128 = members().map(|line| i128::from(line.outstanding_minor.unwrap_or(0))).sum();
            same(&format!("principal along {dimension:?}"), owed, self.totals.open.outstanding_minor)?;
            let loans: i128 = members().map(|line| i128::from(line.loans)).sum();
            same(&format!("loans along {dimension:?}"), loans, self.totals.open.loans)?;
        }
        Ok(())
    }

    fn rolls(&self, context: &BookContext<'_>) -> Result<(), BookDifference> {
        let buckets = || context.monitor.buckets.iter().map(|bucket| bucket.name.as_str());
        let places = || buckets().chain([WRITTEN_OFF]);
        let tonight = |place: &str| match place {
            WRITTEN_OFF => self.totals.written_off.outstanding_minor,
            bucket => self.totals.by_bucket.get(bucket).map_or(0, |tally| tally.outstanding_minor),
        };
        if let Some(before) = context.before {
            for place in places() {
                let (was, is) = (self.book.night().opening_minor(place), before.outstanding_minor(place));
                same(&format!("money in {place} the night before"), was, is)?;
                same(
                    &format!("money that rolled into {place}"),
                    self.book.night().closing_minor(place),
                    tonight(place),
                )?;
            }
        }
        for pair in self.months.windows(2) {
            let [(from, to, month), (_, _, next)] = pair else { continue };
            for place in places() {
                let (closed, opened) = (month.closing_minor(place), next.opening_minor(place));
                same(&format!("money in {place} on {to}, after the month of {from}"), closed, opened)?;
            }
        }
        if let Some((from, _, month)) = self.months.last().filter(|(_, to, _)| *to == context.as_of) {
            for place in places() {
                same(&format!("money in {place} since {from}"), month.closing_minor(place), tonight(place))?;
            }
        }
        Ok(())
    }
}

fn same(what: &str, by_loans: impl Into<i128>, otherwise: impl Into<i128>) -> Result<(), BookDifference> {
    let (by_loans, otherwise) = (by_loans.into(), otherwise.into());
    if by_loans == otherwise {
        return Ok(());
    }
    Err(BookDifference { what: what.to_owned(), by_loans, otherwise })
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
