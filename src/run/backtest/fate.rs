//! What became of a loan, from how it stood night after night.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::repayment::LoanStanding;

/// How one loan stood on one night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanNight {
    /// The night.
    pub on: Date,
    /// Days past due.
    pub dpd: i64,
    /// Principal not repaid.
    pub outstanding_minor: i64,
    /// In default.
    pub is_in_default: bool,
    /// Nothing is owed any more, or the loan is written off.
    pub is_over: bool,
}

/// One loan over all nights on which it was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanStory {
    /// The loan.
    pub loan_id: String,
    /// When it was paid out.
    pub disbursed_on: Date,
    /// What was lent.
    pub principal_minor: i64,
    /// The nights, oldest first.
    pub nights: Vec<LoanNight>,
}

/// A loan that went into default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanDefault {
    /// The due date of the first payment missed on the way into default: the earliest in the spell of arrears, unbroken as far as nights show, that
    /// ended in it. Lateness that was made good before is no part of it.
    pub first_missed_on: Date,
    /// The first night on which it was in default.
    pub default_on: Date,
    /// What was owed on the last night before the first payment was missed; the principal where no night lies before.
    pub money_minor: i64,
}

impl LoanStory {
    /// A loan that is seen for the first time.
    #[must_use]
    pub fn of(loan: &LoanStanding, disbursed_on: Date) -> Self {
        Self { loan_id: loan.loan_id.clone(), disbursed_on, principal_minor: loan.principal_minor, nights: Vec::new() }
    }

    /// The default by which it is judged; `None` where it never was in default by `known_by`. A loan that was in default already when it was
    /// seen first has no beginning to be foreseen.
    #[must_use]
    pub fn default(&self, known_by: Date) -> Option<LoanDefault> {
        let at = self.nights.iter().position(|night| night.is_in_default)?;
        let default = self.nights.get(at).filter(|night| at > 0 && night.on <= known_by)?;
        let spell = self.nights.get(..=at)?.iter().rev().take_while(|night| night.dpd > 0);
        let missed = spell.map(|night| night.on.saturating_sub(night.dpd.days())).min()?;
        let before = self.nights.iter().rev().find(|night| night.on <= missed);
        let money_minor = before.map_or(self.principal_minor, |night| night.outstanding_minor);
        Some(LoanDefault { first_missed_on: missed, default_on: default.on, money_minor })
    }

    /// How it stood on a night; `None` where it was not known or not there.
    #[must_use]
    pub fn on(&self, night: Date) -> Option<&LoanNight> {
        let at = self.nights.binary_search_by(|known| known.on.cmp(&night)).ok()?;
        self.nights.get(at)
    }
}

/// A night of a loan.
#[must_use]
pub fn loan_night(loan: &LoanStanding, on: Date) -> LoanNight {
    LoanNight {
        on,
        dpd: loan.dpd,
        outstanding_minor: loan.outstanding_minor,
        is_in_default: loan.is_in_default,
        is_over: loan.is_closed || loan.is_written_off,
    }
}
