//! One night's step of a borrower's state: from what was known and what is seen tonight.

use jiff::civil::Date;

use super::credit_state::{BorrowerState, CreditState};
use super::help::HelpTerms;
use super::settings::RestorationTerms;
use crate::domain::{Reason, ReasonCode, ReasonCodeError, days_between};
use crate::monitor::alert::EvidenceValue;
use crate::monitor::portfolio::DefaultedGroups;
use crate::repayment::{LoanStanding, MerchantLoans};

/// What is seen of a borrower tonight.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a borrower may be written off, in default and watched, each by itself"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BorrowerNight {
    /// Loans of which nothing is known.
    pub unknown_loans: usize,
    /// Something is owed on a loan that was written off.
    pub is_written_off: bool,
    /// A loan is in default.
    pub is_in_default: bool,
    /// A loan of a guarantee group, of which the borrower drew one too, is in default.
    pub is_group_in_default: bool,
    /// The most days past due.
    pub dpd: i64,
    /// Due and unpaid on all loans.
    pub arrears_minor: i64,
    /// An alert stands and no officer holds it to be a false alarm.
    pub is_watched: bool,
    /// Last day in default, by the ledger.
    pub last_default_on: Option<Date>,
    /// Last day with material arrears, by the ledger.
    pub last_late_on: Option<Date>,
    /// The newest restructure.
    pub restructured_on: Option<Date>,
}

impl BorrowerNight {
    /// Over all loans of one borrower.
    #[must_use]
    pub fn of(loans: MerchantLoans<'_>, groups: &DefaultedGroups, is_watched: bool) -> Self {
        let open = || loans.known.iter().filter(|loan| !loan.is_closed);
        let last = |on: fn(&LoanStanding) -> Option<Date>| loans.known.iter().filter_map(on).max();
        Self {
            unknown_loans: loans.unknown.len(),
            is_written_off: open().any(|loan| loan.is_written_off),
            is_in_default: open().any(|loan| loan.is_in_default),
            is_group_in_default: open().any(|loan| groups.holds(loan)),
            dpd: open().map(|loan| loan.dpd).max().unwrap_or(0),
            arrears_minor: open().fold(0, |sum, loan| loan.arrears_minor.saturating_add(sum)),
            is_watched,
            last_default_on: last(|loan| loan.history.default_last_on),
            last_late_on: last(|loan| loan.history.late_last_on),
            restructured_on: last(|loan| loan.history.restructured_on),
        }
    }

    fn is_defaulted(&self) -> bool {
        self.is_in_default || self.is_group_in_default
    }
}

/// A state, why it holds, and what is remembered.
struct Step {
    state: CreditState,
    because: &'static str,
}

/// A borrower's row of tonight, from the row of the night before, if there is one, and what is seen tonight.
#[must_use]
pub fn next_state(
    terms: &RestorationTerms,
    merchant_id: &str,
    before: Option<&BorrowerState>,
    seen: &BorrowerNight,
    tonight: Date,
) -> BorrowerState {
    let remembered = |of: fn(&BorrowerState) -> Option<Date>| before.and_then(of);
    let is_clean = seen.unknown_loans == 0 && !seen.is_written_off && !seen.is_defaulted();
    let last_default_on = [
        remembered(|row| row.last_default_on),
        seen.last_default_on,
        (seen.is_written_off || seen.is_defaulted()).then_some(tonight),
    ];
    let last_default_on = last_default_on.into_iter().flatten().max();
    let last_unclean_on = [
        remembered(|row| row.last_unclean_on),
        seen.last_late_on,
        last_default_on,
        seen.restructured_on,
        (!is_clean).then_some(tonight),
    ];
    let last_unclean_on = last_unclean_on.into_iter().flatten().max();
    let needed = if seen.restructured_on.is_some() { terms.restructured_days } else { terms.probation_days };
    // What an earlier night asked for does not become less because a loan is no longer sent.
    let is_still_tried = before.is_some_and(|row| row.known_state == CreditState::Probation);
    let needed = needed.max(before.filter(|_| is_still_tried).map_or(0, |row| row.clean_days_needed));
    let clean_days = last_unclean_on.map(|on| i64::from(days_between(on, tonight)));
    let has_been_clean = |days: i64| seen.dpd == 0 && clean_days.is_none_or(|clean| clean >= days);

    let Step { state, because } = step(terms, before, seen, last_default_on, needed, has_been_clean, tonight);
    let is_same = before.is_some_and(|row| row.state == state);
    let known_state = match (state, before) {
        // A default that is seen while another loan is unknown is known.
        (CreditState::Unknown, _) if last_default_on > remembered(|row| row.last_default_on) => CreditState::Default,
        (CreditState::Unknown, Some(row)) => row.known_state,
        _ => state,
    };
    let is_same_known = before.is_some_and(|row| row.known_state == known_state);
    let known_since_on = before.filter(|_| is_same_known).map_or(tonight, |row| row.known_since_on);
    let kept = before.filter(|_| is_same);
    BorrowerState {
        merchant_id: merchant_id.to_owned(),
        state,
        since_on: kept.map_or(tonight, |row| row.since_on),
        came_from: kept.map_or_else(|| before.map(|row| row.state), |row| row.came_from),
        known_state,
        known_since_on,
        because: kept.map_or_else(|| because.to_owned(), |row| row.because.clone()),
        evidence: kept.map_or_else(|| evidence(seen, clean_days, needed), |row| row.evidence.clone()),
        last_unclean_on,
        last_default_on,
        clean_days_needed: needed,
        most_minor: (state == CreditState::Restored)
            .then(|| terms.most_minor(i64::from(days_between(known_since_on, tonight))))
            .flatten(),
        help_minor: None,
        help_evidence: Vec::new(),
    }
}

fn step(
    terms: &RestorationTerms,
    before: Option<&BorrowerState>,
    seen: &BorrowerNight,
    last_default_on: Option<Date>,
    needed: i64,
    has_been_clean: impl Fn(i64) -> bool,
    tonight: Date,
) -> Step {
    use CreditState::{Current, Default, Probation, Restored, SpecialMention, Unknown, Watch, WrittenOff};
    let to = |state, because| Step { state, because };
    if seen.unknown_loans > 0 {
        return to(Unknown, "loan-unknown");
    }
    if seen.is_written_off {
        return to(WrittenOff, "written-off");
    }
    if seen.is_in_default {
        return to(Default, "loan-in-default");
    }
    if seen.is_group_in_default {
        return to(Default, "group-in-default");
    }
    // A default between two nights, or before the first one, that the ledger tells of.
    let defaulted_since = match before {
        None => last_default_on.is_some(),
        Some(row) => seen.last_default_on > row.last_default_on,
    };
    let known = before.map(|row| row.known_state);
    let late_again = seen.last_late_on >= Some(tonight);
    match known {
        _ if defaulted_since => to(Probation, "default-ended"),
        Some(Default | WrittenOff) => to(Probation, "default-ended"),
        Some(Probation) if has_been_clean(needed) => to(Restored, "clean-for-long-enough"),
        Some(Probation) => to(Probation, "not-clean-for-long-enough"),
        Some(Restored) if late_again => to(Probation, "late-again"),
        // One that is fresh came after probation, or became known after it: probation outlasts those that it knew.
        Some(Restored)
            if seen.restructured_on > before.map(|row| row.known_since_on)
                || is_fresh(seen.restructured_on, terms.restructured_days, tonight) =>
        {
            to(Probation, "restructured")
        }
        Some(Restored) => {
            let since = before.map_or(tonight, |row| row.known_since_on);
            if i64::from(days_between(since, tonight)) < terms.restored_days || !has_been_clean(0) {
                to(Restored, "clean-for-long-enough")
            } else {
                to(Current, "restored-for-long-enough")
            }
        }
        // Easier terms are a promise of their own: it has to be kept for as long as after a default.
        _ if is_fresh(seen.restructured_on, terms.restructured_days, tonight) => to(Probation, "restructured"),
        _ if seen.dpd > 0 => to(SpecialMention, "past-due"),
        _ if seen.is_watched => to(Watch, "alert-stands"),
        _ => to(Current, "nothing-due"),
    }
}

/// Fewer days ago than a restructured loan has to be clean.
fn is_fresh(restructured_on: Option<Date>, days: i64, tonight: Date) -> bool {
    restructured_on.is_some_and(|on| i64::from(days_between(on, tonight)) < days)
}

fn evidence(seen: &BorrowerNight, clean_days: Option<i64>, needed: i64) -> Vec<EvidenceValue> {
    let value = |name: &str, value: Option<f64>| EvidenceValue { name: name.to_owned(), value };
    vec![
        value("dpd", Some(seen.dpd as f64)),
        value("arrears_minor", Some(seen.arrears_minor as f64)),
        value("unknown_loans", Some(seen.unknown_loans as f64)),
        value("clean_days", clean_days.map(|days| days as f64)),
        value("clean_days_needed", Some(needed as f64)),
    ]
}

impl BorrowerState {
    /// The same with supplementary help, where it is due: the borrower is in special mention and no default was ever seen.
    #[must_use]
    pub fn with_help(self, terms: &HelpTerms, seen: &BorrowerNight, feature: impl Fn(&str) -> Option<f64>) -> Self {
        if self.state != CreditState::SpecialMention || self.last_default_on.is_some() {
            return self;
        }
        let finite = |name: &str| feature(name).filter(|value| value.is_finite());
        let (failed, receipts) = (finite(&terms.buyers_failed), finite(&terms.receipts));
        let value = |name: &str, value| EvidenceValue { name: name.to_owned(), value };
        let help_minor = terms.propose(seen.arrears_minor, failed, receipts);
        let help_evidence = match help_minor {
            None => Vec::new(),
            Some(_) => vec![
                value(&terms.buyers_failed, failed),
                value(&terms.receipts, receipts),
                value("arrears_minor", Some(seen.arrears_minor as f64)),
            ],
        };
        Self { help_minor, help_evidence, ..self }
    }
}

/// What a state means for new credit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreditStanding {
    /// Why nothing may be offered; `None` where the state does not forbid it.
    pub refusal: Option<Reason>,
    /// The most that may be owed and offered together; `None` where restoration sets no bound.
    pub most_minor: Option<i64>,
}

/// Nothing is offered in default, in probation, after a write-off that is not repaid, or where the state is unknown.
///
/// # Errors
/// Never: the codes are valid.
pub fn standing_of(row: &BorrowerState) -> Result<CreditStanding, ReasonCodeError> {
    let refused = match row.state {
        CreditState::Default => Some(("credit-state-default", "a loan, or one of the guarantee group, is in default")),
        CreditState::Probation => Some(("credit-state-probation", "not long enough since a default or a restructure")),
        CreditState::WrittenOff => {
            Some(("credit-state-written-off", "something is owed on a loan that was written off"))
        }
        CreditState::Unknown => {
            Some(("credit-state-unknown", "a loan's record does not reconcile and is with an officer"))
        }
        CreditState::Current | CreditState::Watch | CreditState::SpecialMention | CreditState::Restored => None,
    };
    let refusal = refused.map(|(code, text)| Ok(Reason { code: ReasonCode::new(code)?, text: text.to_owned() }));
    Ok(CreditStanding { refusal: refusal.transpose()?, most_minor: row.most_minor })
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
