//! Restructure proposals: easier terms for a loan on which an alert asks for them, with the whole schedule, for an officer to offer.
//!
//! ```text
//! owed      = principal not repaid + what else would close the loan tonight: interest and fees due and unpaid, interest accrued since ("carried")
//! every     every_days days, n equal parts of the principal and of what is carried, interest on the principal still owed:
//! interest  = balance × daily rate × rate_share × every_days, rounded half up to a minor unit
//! n         = the first of `instalments` whose largest instalment is affordable; the last of them where none is, or where receipts are unknown
//! affordable = receipts × receipts_share × every_days ÷ receipts_days, less the most that the merchant's other loans ask for in any every_days,
//!             over all loans that are eased tonight
//! ```
//! The parts add up to what is owed, to the minor unit; nothing is forgiven but the rate, by `rate_share`. Payments run from the as-of date.
//!
//! A loan that was restructured before gets no second proposal: what would be eased again and again is a loss that is not told (EBA/GL/2018/06 on
//! forbearance). While one of the borrower's loans is not known there is none either.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::alert::Alert;
use super::error::MonitorError;
use super::finite::finite;
use super::settings::Action;
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::{days_between, whole};
use crate::features::{FeatureLookup, FeatureUses};
use crate::repayment::{ComingDue, LoanStanding, MerchantLoans};

/// What easier terms may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestructureTerms {
    /// Feature that holds what the merchant took in over a window, in minor units.
    pub receipts_feature: String,
    /// Days of that window.
    pub receipts_days: u16,
    /// The share of receipts that instalments may take, in parts per million.
    pub receipts_share_ppm: i64,
    /// Days from one instalment to the next.
    pub every_days: u16,
    /// Numbers of instalments to try, ascending.
    pub instalments: Vec<u16>,
    /// The new rate, as a share of the loan's own, in parts per million.
    pub rate_share_ppm: i64,
}

/// One instalment of a proposal: a row of `restructure_proposals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedInstalment {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// 1, 2, … up to `instalments`.
    pub number: i64,
    /// How many there are.
    pub instalments: i64,
    /// By the end of which day it is due.
    pub due_on: Date,
    /// Principal due.
    pub principal_minor: i64,
    /// Interest due, accrued from the as-of date on.
    pub interest_minor: i64,
    /// Of the interest and fees that are due and unpaid tonight, and of the interest accrued since the last due date.
    pub carried_minor: i64,
    /// The new rate, in parts per million a day.
    pub daily_rate_ppm: i64,
    /// What an instalment of this loan may take of receipts; `None` where receipts are unknown.
    pub affordable_minor: Option<i64>,
    /// Whether every instalment is affordable.
    pub is_affordable: bool,
    /// The rule that asked, and how the loan stands, in words.
    pub why: String,
}

/// Proposes easier terms for the loans of one merchant on which an alert asks for them, the most days past due first.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn propose(
    terms: &RestructureTerms,
    merchant_id: &str,
    features: &dyn FeatureLookup,
    loans: MerchantLoans<'_>,
    alerts: &[Alert],
    tonight: Date,
) -> Result<Vec<ProposedInstalment>, MonitorError> {
    let rule_of = |loan: &LoanStanding| {
        let asks = |a: &&Alert| {
            a.acts() && a.action == Action::Restructure && a.loan_id.as_deref() == Some(loan.loan_id.as_str())
        };
        alerts.iter().find(asks).map(|alert| alert.rule.as_str())
    };
    let is_open = |loan: &&LoanStanding| !loan.is_closed && !loan.is_written_off && !loan.is_restructured;
    let mut eased: Vec<(&LoanStanding, &str)> = loans
        .known
        .iter()
        .filter(|loan| loan.merchant_id == merchant_id && loan.outstanding_minor > 0)
        .filter(is_open)
        .filter_map(|loan| rule_of(loan).map(|rule| (loan, rule)))
        .collect();
    if eased.is_empty() || !loans.unknown.is_empty() {
        return Ok(Vec::new());
    }
    eased.sort_unstable_by(|(a, _), (b, _)| b.dpd.cmp(&a.dpd).then_with(|| a.loan_id.cmp(&b.loan_id)));
    let receipts = finite(features, merchant_id, &terms.receipts_feature)?;
    let is_eased = |loan: &LoanStanding| eased.iter().any(|(eased, _)| eased.loan_id == loan.loan_id);
    let others = loans.known.iter().filter(|loan| loan.merchant_id == merchant_id && !is_eased(loan));
    let elsewhere = terms.asked_for(others, tonight);
    let mut left = receipts.map(|receipts| terms.affordable(receipts).saturating_sub(elsewhere).max(0));
    let mut proposed = Vec::new();
    for (loan, rule) in eased {
        let schedules = terms.instalments.iter().map(|count| terms.schedule(loan, *count));
        let mut chosen = Vec::new();
        let mut is_affordable = false;
        for schedule in schedules {
            chosen = schedule;
            is_affordable = left.is_some_and(|left| largest(&chosen) <= left);
            if is_affordable {
                break;
            }
        }
        let why = format!(
            "{rule}: {} minor units in arrears, {} days past due; {} owed",
            loan.arrears_minor,
            loan.dpd,
            loan.outstanding_minor.saturating_add(carried_of(loan))
        );
        let count = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
        for (part, number) in chosen.iter().zip(1_i64..) {
            let due_on = tonight.saturating_add((i64::from(terms.every_days) * number).days());
            proposed.push(ProposedInstalment {
                merchant_id: merchant_id.to_owned(),
                loan_id: loan.loan_id.clone(),
                number,
                instalments: count,
                due_on,
                principal_minor: part.principal_minor,
                interest_minor: part.interest_minor,
                carried_minor: part.carried_minor,
                daily_rate_ppm: terms.rate_of(loan),
                affordable_minor: left,
                is_affordable,
                why: why.clone(),
            });
        }
        left = left.map(|left| (left - largest(&chosen)).max(0));
    }
    Ok(proposed)
}

/// A part of what is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "amounts are named with their unit, as in the published tables")]
struct Part {
    principal_minor: i64,
    interest_minor: i64,
    carried_minor: i64,
}

fn largest(parts: &[Part]) -> i64 {
    parts.iter().map(|p| p.principal_minor + p.interest_minor + p.carried_minor).max().unwrap_or(0)
}

/// Interest and fees due and unpaid, and interest accrued since the last due date: what would close the loan tonight beside its principal.
fn carried_of(loan: &LoanStanding) -> i64 {
    let due = loan.interest_arrears_minor.saturating_add(loan.fee_arrears_minor);
    loan.payoff_minor.saturating_sub(loan.outstanding_minor).max(due)
}

impl RestructureTerms {
    /// What one instalment may take, rounded down; nothing where receipts are negative.
    fn affordable(&self, receipts: f64) -> i64 {
        // From 2^53 on no shop's receipts are meant.
        let receipts = whole(receipts.max(0.0)).unwrap_or(i64::MAX);
        let share = i128::from(receipts) * i128::from(self.receipts_share_ppm) * i128::from(self.every_days)
            / 1_000_000
            / i128::from(self.receipts_days.max(1));
        i64::try_from(share).unwrap_or(i64::MAX)
    }

    /// The most that loans ask for in any `every_days` of the longest proposal: arrears at once, then what falls due.
    fn asked_for<'a>(&self, loans: impl Iterator<Item = &'a LoanStanding>, tonight: Date) -> i64 {
        let (every, longest) = (i32::from(self.every_days.max(1)), self.instalments.last().copied().unwrap_or(1));
        let mut periods = vec![0_i64; usize::from(longest)];
        let mut add = |period: usize, minor: i64| {
            if let Some(sum) = periods.get_mut(period) {
                *sum = sum.saturating_add(minor);
            }
        };
        for loan in loans.filter(|loan| !loan.is_closed && !loan.is_written_off) {
            add(0, loan.arrears_minor);
            for ComingDue(due_on, minor) in &loan.coming_due {
                // Due on the last day of a period is due within it, as the instalments that are proposed are.
                let period = (days_between(tonight, *due_on) - 1).max(0) / every;
                add(usize::try_from(period).unwrap_or(usize::MAX), *minor);
            }
        }
        periods.into_iter().max().unwrap_or(0)
    }

    fn rate_of(&self, loan: &LoanStanding) -> i64 {
        let rate = i128::from(loan.daily_rate_ppm) * i128::from(self.rate_share_ppm) / 1_000_000;
        i64::try_from(rate).unwrap_or(i64::MAX)
    }

    fn schedule(&self, loan: &LoanStanding, count: u16) -> Vec<Part> {
        let (owed, carried) = (loan.outstanding_minor, carried_of(loan));
        let period_ppm = i128::from(self.rate_of(loan)) * i128::from(self.every_days);
        // Parts that differ by at most one minor unit: element n of a sum cut into `count`.
        let cut = |sum: i64, n: u16| i128::from(sum) * i128::from(n) / i128::from(count.max(1));
        let part = |sum: i64, n: u16| i64::try_from(cut(sum, n) - cut(sum, n - 1)).unwrap_or(0);
        let mut balance = owed;
        (1..=count)
            .map(|number| {
                let interest = (i128::from(balance) * period_ppm + 500_000) / 1_000_000;
                let principal_minor = part(owed, number);
                balance -= principal_minor;
                Part {
                    principal_minor,
                    interest_minor: i64::try_from(interest).unwrap_or(i64::MAX),
                    carried_minor: part(carried, number),
                }
            })
            .collect()
    }
}

/// In the reference of each section whose amounts rest on receipts: what came in.
pub(super) const RECEIPTS_FEATURE: Key =
    Key::new("receipts_feature", "word", "\"net_receipts_sum_180d_minor\"", "the feature that says what came in")
        .range("a feature in minor units");
/// Over which time.
pub(super) const RECEIPTS_DAYS: Key =
    Key::new("receipts_days", "whole number", "180", "the time over which it came in").unit("days").range("1 to 3660");

/// `[restructure]` in the reference.
pub(super) static RESTRUCTURE_KEYS: Section = Section {
    head: "[restructure]",
    doc: "Easier terms that are proposed to an officer for loans on which a rule asks to restructure: what is owed in equal parts, the fewest that the merchant's receipts carry.",
    keys: &[
        RECEIPTS_FEATURE,
        RECEIPTS_DAYS,
        Key::new("receipts_share", "number", "0.3", "the share of receipts that instalments may take")
            .unit("share")
            .range("0 to 1"),
        Key::new("every_days", "whole number", "30", "from one instalment to the next").unit("days").range("1 to 366"),
        Key::new("instalments", "list of whole numbers", "[3, 6, 12, 24]", "how many there may be, ascending")
            .range("1 to 120 each"),
        Key::new("rate_share", "number", "1.0", "the new rate as a share of the loan's own").range("0 to 1").or("1.0"),
    ],
};

/// `[restructure]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRestructure {
    receipts_feature: Spanned<String>,
    receipts_days: Spanned<i64>,
    receipts_share: Spanned<f64>,
    every_days: Spanned<i64>,
    instalments: Spanned<Vec<i64>>,
    rate_share: Option<Spanned<f64>>,
}

impl RawRestructure {
    /// Checks the section.
    ///
    /// # Errors
    /// A value out of range, or numbers of instalments that do not ascend.
    pub(super) fn check(&self, file: &ConfigFile, uses: &mut FeatureUses) -> Result<RestructureTerms, ConfigError> {
        let mut instalments: Vec<u16> = Vec::new();
        for count in self.instalments.get_ref() {
            let next = u16::try_from(*count).ok().filter(|n| (1..=120).contains(n) && instalments.last() < Some(n));
            let refused = || {
                let message = format!("{count} instalments do not follow those before");
                file.refuse(&self.instalments.span(), message, "whole numbers from 1 to 120, ascending")
            };
            instalments.push(next.map_or_else(|| file.pass_over(refused(), 1), Ok)?);
        }
        if instalments.is_empty() {
            let span = self.instalments.span();
            return Err(file.refuse(&span, "instalments is empty", "how many there may be, such as [3, 6, 12]"));
        }
        uses.push(&self.receipts_feature);
        let ppm = |share: &Spanned<f64>, key: &str| bounds::unit(file, share, key).map(share_ppm);
        Ok(RestructureTerms {
            receipts_feature: self.receipts_feature.get_ref().clone(),
            receipts_days: bounds::days(file, &self.receipts_days, "receipts_days", 1..=3_660)?,
            receipts_share_ppm: ppm(&self.receipts_share, "receipts_share")?,
            every_days: bounds::days(file, &self.every_days, "every_days", 1..=366)?,
            instalments,
            rate_share_ppm: self.rate_share.as_ref().map_or(Ok(1_000_000), |share| ppm(share, "rate_share"))?,
        })
    }
}

/// A share of 0 to 1 in parts per million.
#[expect(clippy::cast_possible_truncation, reason = "checked to lie between 0 and 1")]
pub(super) fn share_ppm(share: f64) -> i64 {
    (share * 1e6).round() as i64
}

#[cfg(test)]
#[path = "restructure_tests.rs"]
mod tests;
