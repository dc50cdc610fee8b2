//! Vintages: of what was lent in a month, how much has been in default after so many months on the book.
//!
//! `defaulted(k)` counts the loans that were in default, for the first time, before they were `k` months on the book; `k` goes up to the age that
//! every loan of the month has reached, so that no point of the curve rests on a part of the vintage. The row without a `k` is all so far.
//! The books are read as they are known tonight. Loans of which nothing is known are in no vintage.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::totals::sum;
use crate::monitor::error::MonitorError;
use crate::repayment::{LoanLedger, LoanStanding};

/// No curve is followed for longer.
const MOST_MONTHS: i32 = 60;

/// Loans and money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums {
    loans: i64,
    lent_minor: i64,
    outstanding_minor: i64,
}

impl Sums {
    fn merge(&mut self, other: Self) -> Result<(), MonitorError> {
        self.loans = sum(self.loans, other.loans, "loans of a vintage")?;
        self.lent_minor = sum(self.lent_minor, other.lent_minor, "money lent in a month")?;
        self.outstanding_minor = sum(self.outstanding_minor, other.outstanding_minor, "money owed of a vintage")?;
        Ok(())
    }
}

/// What was lent in one month on one product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Vintage {
    all: Sums,
    /// Written off, with something still owed.
    written_off_minor: i64,
    /// Loans by whole months on the book when they were first in default.
    defaulted: BTreeMap<i32, Sums>,
}

/// Every vintage, by first day of the month and product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vintages(BTreeMap<(Option<Date>, String), Vintage>);

impl Vintages {
    /// Of a shard's ledger.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn of(ledger: &LoanLedger) -> Result<Self, MonitorError> {
        let mut vintages = Self::default();
        for loan in &ledger.known {
            let key = (loan.history.disbursed_on.map(Date::first_of_month), loan.product.clone());
            vintages.0.entry(key).or_default().add(loan)?;
        }
        Ok(vintages)
    }

    /// Adds another shard's.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        for (key, theirs) in &other.0 {
            let mine = self.0.entry(key.clone()).or_default();
            mine.all.merge(theirs.all)?;
            mine.written_off_minor = sum(mine.written_off_minor, theirs.written_off_minor, "money written off")?;
            for (months, sums) in &theirs.defaulted {
                mine.defaulted.entry(*months).or_default().merge(*sums)?;
            }
        }
        Ok(())
    }

    /// Loans, and principal not repaid, of all vintages.
    #[must_use]
    pub fn totals(&self) -> (i128, i128) {
        self.0.values().fold((0, 0), |(loans, owed), vintage| {
            (loans + i128::from(vintage.all.loans), owed + i128::from(vintage.all.outstanding_minor))
        })
    }

    /// The rows as published, by month, product and months on the book, seen on a date.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn lines(&self, as_of: Date) -> Result<Vec<VintageLine>, MonitorError> {
        let mut lines = Vec::new();
        for ((disbursed_in, product), vintage) in &self.0 {
            let line = |months_on_book, defaulted: Sums| VintageLine {
                disbursed_in: *disbursed_in,
                product: product.clone(),
                months_on_book,
                loans: vintage.all.loans,
                lent_minor: vintage.all.lent_minor,
                outstanding_minor: vintage.all.outstanding_minor,
                written_off_minor: vintage.written_off_minor,
                defaulted_loans: defaulted.loans,
                defaulted_minor: defaulted.lent_minor,
                unpaid_minor: defaulted.outstanding_minor,
                defaulted_share: (vintage.all.lent_minor > 0)
                    .then(|| defaulted.lent_minor as f64 / vintage.all.lent_minor as f64),
            };
            let up_to = |months: i32| -> Result<Sums, MonitorError> {
                let mut sums = Sums::default();
                vintage.defaulted.range(..months).try_for_each(|(_, more)| sums.merge(*more))?;
                Ok(sums)
            };
            lines.push(line(None, up_to(i32::MAX)?));
            for months in 1..=disbursed_in.map_or(0, |month| age(month, as_of)) {
                lines.push(line(Some(months), up_to(months)?));
            }
        }
        Ok(lines)
    }
}

impl Vintage {
    fn add(&mut self, loan: &LoanStanding) -> Result<(), MonitorError> {
        let sums = Sums { loans: 1, lent_minor: loan.principal_minor, outstanding_minor: loan.outstanding_minor };
        self.all.merge(sums)?;
        if loan.is_written_off && !loan.is_closed {
            self.written_off_minor = sum(self.written_off_minor, loan.outstanding_minor, "money written off")?;
        }
        if let Some((disbursed, defaulted)) = loan.history.disbursed_on.zip(loan.history.default_first_on) {
            let months = whole_months(disbursed, defaulted).max(0);
            self.defaulted.entry(months).or_default().merge(sums)?;
        }
        Ok(())
    }
}

/// Whole months that the youngest loan of a month has been on the book.
fn age(month: Date, as_of: Date) -> i32 {
    let last_day = month.last_of_month();
    whole_months(last_day, as_of).min(MOST_MONTHS)
}

/// Whole months from one date to another; a month from 31 January ends on the last day of February.
fn whole_months(from: Date, to: Date) -> i32 {
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
    let is_whole = from.checked_add(i64::from(months).months()).is_ok_and(|day| day <= to);
    if is_whole { months } else { months - 1 }
}

/// One point of a vintage's curve: a row of `vintages.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VintageLine {
    /// First day of the month in which the money was paid out; `None` where that lies beyond the calendar.
    pub disbursed_in: Option<Date>,
    /// The product.
    pub product: String,
    /// Months on the book; `None`: all so far.
    pub months_on_book: Option<i32>,
    /// Loans of the vintage.
    pub loans: i64,
    /// What was lent on them.
    pub lent_minor: i64,
    /// Principal not repaid tonight, what is written off included.
    pub outstanding_minor: i64,
    /// Written off, with something still owed: that part of it.
    pub written_off_minor: i64,
    /// Loans that had been in default by then.
    pub defaulted_loans: i64,
    /// What was lent on those.
    pub defaulted_minor: i64,
    /// What is not repaid of it tonight.
    pub unpaid_minor: i64,
    /// `defaulted ÷ lent`.
    pub defaulted_share: Option<f64>,
}

#[cfg(test)]
#[path = "vintage_tests.rs"]
mod tests;
