//! What was done to rows on their way, as the truth tells it.

use super::rows::{Cell, Id, Rows};
use super::truth;

/// What a reader of the tables has to make of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The record is quarantined, and its key with it where its newest version is broken.
    Quarantined,
    /// Nothing may be taken as known of the loan.
    UnknownLoan,
    /// A later version replaces this one.
    Superseded,
    /// The same as without it.
    None,
}

impl Effect {
    const fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::UnknownLoan => "unknown-loan",
            Self::Superseded => "superseded",
            Self::None => "none",
        }
    }
}

/// One fault.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) table: &'static str,
    pub(super) kind: &'static str,
    pub(super) effect: Effect,
    /// The rule that a broken row breaks.
    pub(super) rule: Option<&'static str>,
    /// First key column of the row, and the number of an instalment.
    pub(super) key: Cell,
    pub(super) number: Cell,
    /// The loan that becomes unknown.
    pub(super) loan: Option<Id>,
}

impl Fault {
    /// A fault of a row that makes no loan unknown.
    pub(super) fn new(table: &'static str, kind: &'static str, effect: Effect, row: &[Cell]) -> Self {
        let key = row.first().cloned().unwrap_or(Cell::Null);
        let number = if table == "instalments" { row.get(1).cloned().unwrap_or(Cell::Null) } else { Cell::Null };
        Self { table, kind, effect, rule: None, key, number, loan: None }
    }

    pub(super) fn breaking(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// A fault after which nothing is known of `loan`.
    pub(super) fn of_loan(mut self, loan: Id) -> Self {
        self.effect = Effect::UnknownLoan;
        self.loan = Some(loan);
        self
    }
}

/// All faults of one merchant's rows.
#[derive(Debug)]
pub(super) struct Planted(Rows);

impl Planted {
    pub(super) const fn new() -> Self {
        Self(Rows::new(&truth::PLANTED))
    }

    pub(super) fn note(&mut self, fault: Fault) {
        self.0.push([
            Cell::Word(fault.table),
            Cell::Word(fault.kind),
            Cell::Word(fault.effect.word()),
            Cell::word(fault.rule),
            fault.key,
            fault.number,
            Cell::id(fault.loan),
        ]);
    }

    pub(super) fn rows(self) -> Rows {
        self.0
    }
}
