//! Kinds of rows in the book of an account that are no sales: loans that are paid out and repaid, withdrawals, what a payment service holds back.

use std::collections::BTreeSet;

use super::amount::main_amount;
use super::ends::MAX_STATES;
use super::lending::{skip_named, tells_of_loans};
use super::orders_plan::OrdersPlan;
use super::scope::Scope;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use super::words;
use crate::profile::ColumnAt;

/// Of the rows of a kind so many are below zero, or it is one that brings money in.
const NEARLY_ALL: f64 = 0.9;

/// Kinds of a table of orders that are no sales.
pub(super) struct OtherBusiness {
    at: ColumnAt,
    /// What is no sale.
    pub words: BTreeSet<String>,
    /// What is left.
    kept: Vec<String>,
}

/// Leaves out what is no sale of a table with one row an order.
pub(super) fn left_out(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan) -> Option<OtherBusiness> {
    let others = OtherBusiness::of(scope).filter(|_| plan.lines.is_none())?;
    let words: Vec<&str> = others.words.iter().map(String::as_str).collect();
    skip_named(draft, scope, others.at, &words, "are no sales, but loans, withdrawals, fees and the like");
    Some(others)
}

impl OtherBusiness {
    /// The kinds that speak of loans or withdrawals, and where others say what is given back, those of which nearly all is below zero: fees, holds, transfers.
    /// `None` where there are none, or nothing else.
    pub(super) fn of(scope: &Scope) -> Option<Self> {
        let land = scope.land;
        let raw = land.table(scope.driver);
        let amount = main_amount(land, scope.driver, &|_| true).map(|found| found.at);
        let below: BTreeSet<usize> =
            amount.map_or_else(BTreeSet::new, |at| land.column(at).numbers.negative.iter().copied().collect());
        let mut kinds = land.columns(scope.driver).filter(|at| {
            land.column_name(*at).says(C::Kind) && (2..=MAX_STATES).contains(&land.column(*at).words.len())
        });
        kinds.find_map(|at| {
            let back = words::take_back(land.column(at));
            let is_below = |word: &str| {
                let rows = raw.rows_with_words(at.column, |own| own == word);
                let share = rows.iter().filter(|row| below.contains(row)).count() as f64 / rows.len().max(1) as f64;
                !back.is_empty() && share >= NEARLY_ALL
            };
            let is_other = |word: &str| {
                !back.contains(&word) && (tells_of_loans(word) || words::is_withdrawal(word) || is_below(word))
            };
            let (others, kept): (Vec<String>, Vec<String>) =
                land.column(at).words.keys().cloned().partition(|word| is_other(word));
            let kept: Vec<String> = kept.into_iter().filter(|word| !back.contains(&word.as_str())).collect();
            (!others.is_empty() && !kept.is_empty()).then(|| Self { at, words: others.into_iter().collect(), kept })
        })
    }

    /// Says which kinds are taken for sales.
    pub(super) fn tell_kept(&self, draft: &mut TableDraft, scope: &Scope) {
        let kept: Vec<&str> = self.kept.iter().map(String::as_str).collect();
        if let Some(drafted) = draft.column_mut("amount_minor") {
            let name = &scope.land.column(self.at).name;
            drafted.remark(&format!("of {name:?} these kinds are taken for sales: {}", words::listed(&kept)));
        }
    }
}
