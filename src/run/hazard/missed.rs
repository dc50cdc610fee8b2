//! Which loans went into default, and on which due date that began.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::days_between;
use crate::repayment::LoanLedger;

/// A loan's way into its first default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FirstMissed {
    /// The borrower.
    pub merchant_id: String,
    /// The due date that began the spell of material arrears which ended in default: the first day in default less the product's number of days.
    /// Of a loan that was written off earlier than that, so many days before the writing off.
    pub missed_on: Date,
}

/// The loans of a ledger that were ever in default.
#[must_use]
pub fn first_missed(ledger: &LoanLedger, default_dpd: &BTreeMap<String, u16>) -> Vec<FirstMissed> {
    let of = |loan: &crate::repayment::LoanStanding| {
        let days = default_dpd.get(&loan.product).copied().unwrap_or_default();
        let missed_on = loan.history.default_first_on?.saturating_sub(i64::from(days).days());
        Some(FirstMissed { merchant_id: loan.merchant_id.clone(), missed_on })
    };
    ledger.known.iter().filter_map(of).collect()
}

/// First missed payments by borrower, as known on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MissedPayments(BTreeMap<String, Vec<Date>>);

impl MissedPayments {
    /// Brings them into order.
    #[must_use]
    pub fn new(missed: impl IntoIterator<Item = FirstMissed>) -> Self {
        let mut by_merchant: BTreeMap<String, Vec<Date>> = BTreeMap::new();
        for FirstMissed { merchant_id, missed_on } in missed {
            by_merchant.entry(merchant_id).or_default().push(missed_on);
        }
        for days in by_merchant.values_mut() {
            days.sort_unstable();
        }
        Self(by_merchant)
    }

    /// The first payment that a borrower misses after a night, and within so many days of it.
    #[must_use]
    pub fn next(&self, merchant_id: &str, night: Date, within_days: u16) -> Option<Date> {
        let within = |day: &&Date| {
            let days = days_between(night, **day);
            days > 0 && days <= i32::from(within_days)
        };
        self.0.get(merchant_id)?.iter().find(within).copied()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_next_one_after_a_night_and_within_the_horizon() {
        let missed = |merchant: &str, missed_on| FirstMissed { merchant_id: merchant.to_owned(), missed_on };
        let all = MissedPayments::new([
            missed("a", date(2025, 3, 31)),
            missed("b", date(2025, 3, 2)),
            missed("a", date(2025, 3, 1)),
        ]);
        assert_eq!(all.next("a", date(2025, 2, 28), 30), Some(date(2025, 3, 1)));
        assert_eq!(
            all.next("a", date(2025, 3, 1), 30),
            Some(date(2025, 3, 31)),
            "what is missed on the night is not to come"
        );
        assert_eq!(all.next("a", date(2025, 3, 1), 29), None);
        assert_eq!(all.next("c", date(2025, 3, 1), 30), None);
    }
}
