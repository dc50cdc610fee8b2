//! Loans repaid by a share of sales: `[product.sales_share]` of the policy.
//!
//! **What is promised.** Milestones every 60 days, the last at the end of the term: by each so much of the principal at the least, by the last all of it,
//! and with it the interest that has accrued on what was owed from day to day. This is the schedule that the loan's book holds, with the interest of a
//! borrower who pays nothing before a milestone: the most that can fall due.
//!
//! **What is expected.** The share of receipts as half of all merchants like this one reach them, spread evenly over the days of the term
//! ([`expected_receipts_minor`]). Annual rate, interest and saving of an offer rest on it, as the estimates of sales-based financing do (California Code
//! of Regulations, title 10, sections 931 and 942), and the offer says so. What the loan costs at the minimum stands beside it.
//!
//! **What is carried.** The low case decides: the largest loan of which each milestone, interest at the dearest lawful rate included, is met by the share
//! of the receipts that all but the model's share of merchants reach by that day ([`low_case_carries_minor`]).

use serde::Deserialize;
use toml::Spanned;

use super::error::OfferError;
use super::policy::{Policy, Product};
use super::schedule::{REFERENCE_MINOR, schedule};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::DailyRate;
use crate::model::ability::ReceiptForecast;

/// Days from one milestone to the next.
pub const MILESTONE_DAYS: u16 = 60;

/// Terms of a loan that is repaid by a share of sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesShare {
    /// Share of each day's receipts, in parts per million.
    pub share_ppm: i64,
    /// Share of the principal that is repaid per 60 days at the least, in parts per million.
    pub min_per_60_days_ppm: i64,
}

/// `[product.sales_share]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSalesShare {
    share_ppm: Spanned<i64>,
    min_per_60_days_ppm: Spanned<i64>,
}

/// Milestones of a term.
#[must_use]
pub const fn milestones(term_days: u16) -> u16 {
    term_days.div_ceil(MILESTONE_DAYS)
}

impl RawSalesShare {
    /// Checks the section for a product of some term.
    pub(super) fn check(&self, file: &ConfigFile, term_days: u16) -> Result<SalesShare, ConfigError> {
        let share_ppm = bounds::integer(file, &self.share_ppm, "share_ppm", 1..=1_000_000)?;
        let min = &self.min_per_60_days_ppm;
        let min_per_60_days_ppm = bounds::integer(file, min, "min_per_60_days_ppm", 1..=1_000_000)?;
        let before_last = i64::from(milestones(term_days).saturating_sub(1));
        if before_last == 0 {
            let message = format!("a share of sales over {term_days} days has no milestone before its end");
            return Err(file.refuse(&self.share_ppm.span(), message, "term_days above 60"));
        }
        if before_last * min_per_60_days_ppm >= 1_000_000 {
            let message = format!("a minimum of {min_per_60_days_ppm} ppm repays all before {term_days} days are over");
            return Err(file.refuse(&min.span(), message, "a smaller minimum, or a shorter term_days"));
        }
        Ok(SalesShare { share_ppm, min_per_60_days_ppm })
    }
}

impl SalesShare {
    /// Principal that is to be repaid by the end of a milestone but the last, rounded down.
    #[must_use]
    pub fn least_repaid_minor(self, principal_minor: i64, milestone: u16) -> i64 {
        let share = i128::from(self.min_per_60_days_ppm) * i128::from(milestone);
        i64::try_from(i128::from(principal_minor) * share.min(1_000_000) / 1_000_000).unwrap_or(i64::MAX)
    }

    /// What receipts give, rounded down.
    #[must_use]
    pub fn of_receipts_minor(self, receipts_minor: i64) -> i64 {
        let given = i128::from(receipts_minor.max(0)) * i128::from(self.share_ppm) / 1_000_000;
        i64::try_from(given).unwrap_or(i64::MAX)
    }
}

/// Receipts over the term that half of all merchants like this one reach; those of days beyond the longest horizon that is foreseen go on as before
/// it. `None` for products that are repaid in another way, and where nothing is foreseen.
#[must_use]
pub fn expected_receipts_minor(product: &Product, foreseen: &ReceiptForecast) -> Option<i64> {
    product.repayment.sales_share()?;
    let ahead = foreseen.longest_within(product.term_days)?;
    let whole_term = i128::from(ahead.median_minor.max(0)) * i128::from(product.term_days);
    Some(i64::try_from(whole_term / i128::from(ahead.horizon_days.max(1))).unwrap_or(i64::MAX))
}

/// The largest loan that the low case carries, of receipts of which the payments of all debts may take no more than `debt_share_ppm` either. `None`
/// where too little is foreseen.
pub(super) fn low_case_carries_minor(
    policy: &Policy,
    product: &Product,
    share: SalesShare,
    foreseen: &ReceiptForecast,
) -> Result<Option<i64>, OfferError> {
    let debt_share_ppm = product.caps.debt_service_share_ppm.unwrap_or(1_000_000);
    let taken = SalesShare { share_ppm: share.share_ppm.min(debt_share_ppm), ..share };
    let dues = schedule(&product.terms(REFERENCE_MINOR, DailyRate::from_ppm(policy.price.max_daily_rate_ppm)?))?;
    let (mut paid, mut carried) = (0_i128, i64::MAX);
    for (due, number) in dues.iter().zip(1_i64..) {
        let Some(low) = foreseen.lower_minor(due.day) else { return Ok(None) };
        paid += i128::from(due.amount_minor());
        // Rounding adds at most half a minor unit to each milestone's interest, and takes less than one from its principal.
        let means = taken.of_receipts_minor(low).saturating_sub(number).max(0);
        let most = i128::from(means) * i128::from(REFERENCE_MINOR) / paid.max(1);
        carried = carried.min(i64::try_from(most).unwrap_or(i64::MAX));
    }
    Ok(Some(carried))
}

pub(super) static SALES_SHARE_KEYS: Section = Section {
    head: "[[product]]\n[product.sales_share]",
    doc: "Of a credit loan with repayment = \"sales-share\": every day a share of what the shop took in, and by each of the milestones every 60 days a minimum. \
          Interest runs by the day on what is owed and falls due at the milestones. The low case of receipts over each milestone caps it beside the caps \
          below; annual rate, interest and saving of an offer rest on the receipts that half of all merchants like it reach.",
    keys: &[
        Key::new("share_ppm", "whole number", "100_000", "the share of each day's receipts")
            .unit("ppm")
            .range("1 to 1000000"),
        Key::new(
            "min_per_60_days_ppm",
            "whole number",
            "300_000",
            "the share of the principal that is repaid per 60 days at the least; the last milestone takes the rest",
        )
        .unit("ppm")
        .range("1 to 1000000, repaying less than all before the last milestone"),
    ],
};

#[cfg(test)]
#[path = "sales_share_tests.rs"]
mod tests;
