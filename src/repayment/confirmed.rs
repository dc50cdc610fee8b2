//! Payments that are alike, or come to more than they did, and of which the lender says that they are right: `payments_confirmed` under `[ledger]` of the monitor file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, bounds};

/// How the lender says so.
pub(super) const CONFIRM: &str = "name the loan, with the last day on which such payments were made, in payments_confirmed under [ledger] of the monitor file: { loan = \"…\", paid_until = \"…\" }";

/// A loan whose payments are confirmed.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a loan's id, or { loan = \"l-17\", paid_until = \"2026-01-31\" }"
)]
pub(super) enum RawConfirmation {
    All(String),
    Until { loan: String, paid_until: String },
}

/// Loans whose payments are right as they are sent, each up to a last day on which they were made where it has one: what is sent twice after that is found
/// again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfirmedPayments {
    paid_until: BTreeMap<String, Option<Date>>,
}

impl ConfirmedPayments {
    /// # Errors
    /// `paid_until` is no date.
    pub(super) fn read(file: &ConfigFile, raw: &Spanned<Vec<RawConfirmation>>) -> Result<Self, ConfigError> {
        let mut confirmed = Self::default();
        for confirmation in raw.get_ref() {
            let (loan, until) = match confirmation {
                RawConfirmation::All(loan) => (loan, None),
                RawConfirmation::Until { loan, paid_until } => {
                    (loan, Some(bounds::date(file, &Spanned::new(raw.span(), paid_until.clone()), "paid_until")?))
                }
            };
            confirmed.confirm(loan, until);
        }
        Ok(confirmed)
    }

    /// Confirms a loan's payments that were made up to a day, or all of them. Where a loan is named twice, the longer holds.
    pub fn confirm(&mut self, loan_id: &str, paid_until: Option<Date>) {
        let known = self.paid_until.entry(loan_id.to_owned()).or_insert(paid_until);
        *known = known.zip(paid_until).map(|(known, until)| known.max(until));
    }

    /// Whether the lender says so of a payment made on a day; of one whose day is unknown only where it says so of all.
    #[must_use]
    pub fn hold(&self, loan_id: &str, paid_on: Option<Date>) -> bool {
        let until = self.paid_until.get(loan_id);
        until.is_some_and(|until| until.is_none_or(|until| paid_on.is_some_and(|paid_on| paid_on <= until)))
    }

    /// Loans of which all payments are confirmed, whenever they are made.
    #[must_use]
    pub fn without_end(&self) -> usize {
        self.paid_until.values().filter(|until| until.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn payments_are_confirmed_up_to_a_day() {
        let mut confirmed = ConfirmedPayments::default();
        confirmed.confirm("l1", Some(date(2026, 1, 31)));
        confirmed.confirm("l1", Some(date(2026, 1, 15)));
        confirmed.confirm("l2", Some(date(2026, 1, 31)));
        confirmed.confirm("l2", None);
        let holds =
            |loan, day| confirmed.hold(loan, Some(date(2026, 2, 1).saturating_sub(jiff::Span::new().days(day))));
        assert_eq!([holds("l1", 0), holds("l1", 1), holds("l2", 0), holds("l3", 1)], [false, true, true, false]);
        assert_eq!([confirmed.hold("l1", None), confirmed.hold("l2", None)], [false, true]);
        assert_eq!(confirmed.without_end(), 1);
    }
}
