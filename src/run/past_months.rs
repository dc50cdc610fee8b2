//! Roll rates from month to month: the loan book as it could be seen on the first of each month, shard by shard.

use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;

use super::decide::DecideError;
use super::population::PopulationError;
use super::rules::JobRules;
use crate::domain::AsOf;
use crate::monitor::{Positions, RollMatrix};
use crate::repayment::{LoanLedger, repayment_tables};
use crate::store::{Store, WholeBucket};

/// The months and what has been added up of them.
pub struct PastMonths<'a> {
    store: &'a Store,
    rules: &'a JobRules,
    tonight: Date,
    /// First days of the months, oldest first; tonight last, where it is not the first of a month.
    begins: Vec<AsOf>,
    /// One from each to the next.
    matrices: Mutex<Vec<RollMatrix>>,
}

impl<'a> PastMonths<'a> {
    /// The months before a night, none of them looked at yet.
    ///
    /// # Errors
    /// A month that leaves the calendar.
    pub fn new(store: &'a Store, as_of: &AsOf, rules: &'a JobRules) -> Result<Self, crate::domain::AsOfError> {
        let begins = rules.monitor.portfolio.month_begins(as_of.date());
        let begins =
            begins.into_iter().map(|on| AsOf::new(on, as_of.time_zone().clone())).collect::<Result<Vec<_>, _>>()?;
        let matrices = Mutex::new(vec![RollMatrix::default(); begins.len().saturating_sub(1)]);
        Ok(Self { store, rules, tonight: as_of.date(), begins, matrices })
    }

    /// Adds a shard, all of its rows, whose ledger of tonight is known.
    ///
    /// # Errors
    /// The store cannot be read, or sums beyond 64 bits.
    pub fn add_shard(&self, whole: &WholeBucket, tonight: &LoanLedger) -> Result<(), DecideError> {
        let loans = whole.loans();
        let mut last: Option<(Date, Positions)> = None;
        let mut rolled = Vec::new();
        for begin in &self.begins {
            let buckets = &self.rules.monitor.buckets;
            let positions = if begin.date() == self.tonight {
                Positions::of(tonight, buckets)
            } else {
                let shard = self.store.seen(&loans, begin).map_err(PopulationError::from)?;
                let tables = repayment_tables(&shard, &self.rules.ledger).map_err(PopulationError::from)?;
                tables.map(|tables| Positions::of(&tables.ledger, buckets)).unwrap_or_default()
            };
            if let Some((from_on, before)) = &last {
                rolled.push(RollMatrix::between(before, *from_on, &positions)?);
            }
            last = Some((begin.date(), positions));
        }
        let mut matrices = self.matrices.lock().unwrap_or_else(PoisonError::into_inner);
        matrices.iter_mut().zip(&rolled).try_for_each(|(all, shard)| all.merge(shard))?;
        Ok(())
    }

    /// The matrices, oldest first, with the dates between which money rolled.
    pub fn matrices(&self) -> Vec<(Date, Date, RollMatrix)> {
        let matrices = self.matrices.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let dates: Vec<Date> = self.begins.iter().map(AsOf::date).collect();
        let pairs = dates.iter().zip(dates.iter().skip(1));
        pairs.zip(matrices).map(|((from, to), matrix)| (*from, *to, matrix)).collect()
    }
}
