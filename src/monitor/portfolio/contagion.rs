//! Contagion: a loan in default marks all of its borrower's loans, and a group's loan in default all loans of the group and of those who drew
//! them, who answer for it together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::monitor::class::Class;
use crate::monitor::settings::ClassThresholds;
use crate::repayment::{LoanLedger, LoanStanding};

/// Guarantee groups with a loan of their own in default, over all shards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DefaultedGroups(BTreeSet<String>);

impl DefaultedGroups {
    /// Those of a shard.
    #[must_use]
    pub fn of(ledger: &LoanLedger) -> Self {
        let defaulted = ledger.known.iter().filter(|loan| loan.is_in_default);
        Self(defaulted.filter_map(|loan| loan.group_id.clone()).collect())
    }

    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Whether a loan is of one of them.
    pub(crate) fn holds(&self, loan: &LoanStanding) -> bool {
        loan.group_id.as_ref().is_some_and(|group| self.0.contains(group))
    }
}

/// Why a loan is classed substandard or worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkedBy {
    /// It is in default, or late enough, itself.
    Itself,
    /// Another loan of its borrower is.
    Borrower,
    /// A loan of a guarantee group, of which the borrower drew one too, is in default.
    Group,
}

/// What marks a borrower's loans, if anything does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// The class of all of the borrower's loans; `None` where each is classed by itself.
    class: Option<Class>,
    by_own_loan: bool,
}

impl Mark {
    /// Over all loans of one borrower that are not closed: the worst class of them, at least substandard, once one is in default, is classed
    /// substandard or worse, or is of a group in default.
    pub fn of(loans: &[LoanStanding], classes: &ClassThresholds, groups: &DefaultedGroups) -> Self {
        let mut worst = Class::Normal;
        let (mut by_own_loan, mut by_group) = (false, false);
        for loan in loans.iter().filter(|loan| !loan.is_closed) {
            let class = Class::of_loan(loan, classes);
            worst = worst.max(class);
            by_own_loan |= marks(loan, class);
            by_group |= groups.holds(loan);
        }
        Self { class: (by_own_loan || by_group).then(|| worst.max(Class::Substandard)), by_own_loan }
    }

    /// The class of one of those loans.
    pub fn class_of(self, loan: &LoanStanding, classes: &ClassThresholds) -> Class {
        self.class.unwrap_or_else(|| Class::of_loan(loan, classes))
    }

    /// Why it is marked; `None` where it is not.
    pub fn reason(self, loan: &LoanStanding, classes: &ClassThresholds) -> Option<MarkedBy> {
        self.class?;
        Some(match (marks(loan, Class::of_loan(loan, classes)), self.by_own_loan) {
            (true, _) => MarkedBy::Itself,
            (false, true) => MarkedBy::Borrower,
            (false, false) => MarkedBy::Group,
        })
    }
}

/// Open loans of one borrower, neither closed nor written off, each with whether it performs.
pub fn performing<'a>(
    loans: &'a [LoanStanding],
    classes: &'a ClassThresholds,
    groups: &DefaultedGroups,
) -> impl Iterator<Item = (&'a LoanStanding, bool)> {
    let mark = Mark::of(loans, classes, groups);
    let open = loans.iter().filter(|loan| !loan.is_closed && !loan.is_written_off);
    open.map(move |loan| (loan, !mark.class_of(loan, classes).is_non_performing()))
}

fn marks(loan: &LoanStanding, class: Class) -> bool {
    loan.is_in_default || class.is_non_performing()
}
