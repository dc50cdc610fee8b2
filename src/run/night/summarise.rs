//! Counts the rows of a night into its summary, shard by shard.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::decide::Decided;
use super::night_tables::NightTables;
use super::officers_decisions::OfficersDecisions;
use super::officers_work::OfficersWork;
use super::summary::{AlertChanges, ModelSummary, OfferCounts, RunSummary, Unjudged};
use crate::features::Overflow;
use crate::model::ability::AbilityReport;
use crate::model::registry::Bundle;
use crate::monitor::{Alert, AlertState, Handling, MonitorError, Portfolio, Verdict};
use crate::offer::{Decline, Policy};
use crate::run::Job;
use crate::run::loan_survey::{UnknownCauses, UnknownLoans};
use crate::run::saved_models::ability_report;
use crate::scenario::PastTrade;

/// What is counted of the rows that a night decides. Whole numbers: shards may be added in any order.
#[derive(Debug, Default)]
pub struct Totals {
    /// Merchants scored.
    pub scored: u64,
    bands: BTreeMap<String, u64>,
    offers: BTreeMap<String, OfferCounts>,
    declines: BTreeMap<String, u64>,
    binding_caps: BTreeMap<String, BTreeMap<String, u64>>,
    declined_by: BTreeMap<String, BTreeMap<String, u64>>,
    committed_minor: i64,
    referrals: u64,
    alerts: BTreeMap<String, u64>,
    alert_changes: AlertChanges,
    officers_work: OfficersWork,
    officers_decisions: OfficersDecisions,
    unknown_loans: UnknownCauses,
    odd_loan_records: BTreeMap<String, u64>,
    disputes_of_others: u64,
    rows_missing: u64,
    merchants_missing_rows: u64,
    merchants_past_grown: u64,
    past_grown_minor: i64,
    unjudged: Unjudged,
    deductions: u64,
    deducted_minor: i64,
    released_minor: i64,
    /// The loan book; null where there is none.
    pub portfolio: Option<Portfolio>,
}

impl Totals {
    /// What is to be deducted, in minor units.
    pub const fn deducted_minor(&self) -> i64 {
        self.deducted_minor
    }

    /// What of it rests on no arrears and on no sales but on orders that were released.
    pub const fn released_minor(&self) -> i64 {
        self.released_minor
    }

    /// Why loans are unknown, the commonest cause first.
    pub fn unknown_causes(&self) -> Vec<UnknownLoans> {
        self.unknown_loans.commonest_first()
    }

    /// Adds a shard of the night of `tonight`.
    ///
    /// # Errors
    /// Portfolio sums beyond 64 bits.
    pub fn add(&mut self, shard: &Decided, tonight: Date) -> Result<(), MonitorError> {
        self.scored += shard.scores.len() as u64;
        count(&mut self.bands, shard.scores.iter().map(|s| s.band.as_str()));
        for offer in &shard.offers {
            let counts = self.offers.entry(offer.product.clone()).or_default();
            counts.count += 1;
            // Each limit is at most 10⁸ minor units: 9 × 10¹⁰ offers fit.
            counts.limit_minor = counts.limit_minor.saturating_add(offer.limit_minor);
        }
        let binding = shard.offers.iter().map(|o| (o.product.as_str(), o.binding_cap.to_string()));
        count_by(&mut self.binding_caps, binding);
        count(&mut self.declines, shard.declines.iter().map(|d| d.product.as_str()));
        count_by(&mut self.declined_by, shard.declines.iter().flat_map(decline_causes));
        let owed = shard.accounts.iter().filter_map(|account| account.owed_minor);
        let held = shard.open_offers.iter().map(|offer| offer.held_minor);
        self.committed_minor =
            owed.chain(held).chain([shard.unknown_owed_minor]).fold(self.committed_minor, i64::saturating_add);
        self.referrals += shard.referrals.len() as u64;
        count(&mut self.alerts, shard.alerts.iter().filter(|a| a.stands()).map(|a| a.rule.as_str()));
        add_changes(&mut self.alert_changes, &shard.alerts, tonight);
        self.officers_work.add(&shard.queue, &shard.proposals);
        self.officers_decisions.add(&shard.overrides);
        let (unknown, odd): (Vec<_>, Vec<_>) = shard.loan_exceptions.iter().partition(|line| line.is_unknown);
        for line in unknown {
            self.unknown_loans.add(line);
        }
        count(&mut self.odd_loan_records, odd.into_iter().map(|line| line.code.as_str()));
        self.disputes_of_others += shard.disputes_of_others;
        for row in shard.remembered_rows.iter().filter(|row| row.missing > 0) {
            self.rows_missing += row.missing.unsigned_abs();
            self.merchants_missing_rows += 1;
        }
        for past in shard.remembered_rows.iter().filter_map(PastTrade::of) {
            self.merchants_past_grown += 1;
            self.past_grown_minor = self.past_grown_minor.saturating_add(past.grown_minor);
        }
        for (rule, times) in &shard.alerts_unknown {
            *self.unjudged.alerts.entry(rule.clone()).or_default() += times;
        }
        count(&mut self.unjudged.eligibility, unknown_rules(shard));
        for (what, loans) in &shard.deductions_unknown {
            self.unjudged.deductions += loans;
            *self.unjudged.deductions_for_lack_of.entry(what.clone()).or_default() += loans;
        }
        self.deductions += shard.deductions.len() as u64;
        self.deducted_minor =
            shard.deductions.iter().fold(self.deducted_minor, |sum, d| d.amount_minor.saturating_add(sum));
        let released = shard.deductions.iter().filter_map(|d| d.released_minor);
        self.released_minor = released.fold(self.released_minor, i64::saturating_add);
        match (&mut self.portfolio, &shard.portfolio) {
            (Some(sum), Some(part)) => sum.merge(part)?,
            (sum @ None, Some(part)) => *sum = Some(part.clone()),
            (_, None) => {}
        }
        Ok(())
    }

    /// The summary of what is about to be published.
    pub fn summary(
        self,
        job: &Job,
        night: &NightTables,
        overflows: &[Overflow],
        (bundle, policy): (&Bundle, &Policy),
    ) -> RunSummary {
        let mut unjudged = self.unjudged;
        count(&mut unjudged.measures, overflows.iter().map(|o| o.measure.as_str()));
        let test = bundle.test_figures();
        RunSummary {
            job: job.name.clone(),
            as_of: night.chosen.date,
            as_of_guessed: night.chosen.is_guess,
            as_of_forced: night.forced().map(ToOwned::to_owned),
            currency: job.intake.currency,
            tables: night.judged.tables.clone(),
            intake: night.judged.verdict.clone(),
            jumps_allowed: Vec::new(),
            policy: policy.approval.clone(),
            price: policy.sourced_figures(),
            merchants_scored: self.scored,
            bands: self.bands,
            offers: self.offers,
            declines: self.declines,
            binding_caps: self.binding_caps,
            declined_by: self.declined_by,
            committed_minor: Some(self.committed_minor),
            referrals: self.referrals,
            alerts: self.alerts,
            alert_changes: self.alert_changes,
            officers_work: self.officers_work,
            officers_decisions: self.officers_decisions,
            unknown_loans: self.unknown_loans.into_counts(),
            odd_loan_records: self.odd_loan_records,
            disputes_of_others: self.disputes_of_others,
            rows_missing: self.rows_missing,
            merchants_missing_rows: self.merchants_missing_rows,
            merchants_past_grown: self.merchants_past_grown,
            past_grown_minor: self.past_grown_minor,
            unjudged,
            deductions: self.deductions,
            deducted_minor: self.deducted_minor,
            released_minor: self.released_minor,
            portfolio: self.portfolio,
            optimisation: None,
            not_imported: BTreeMap::new(),
            model: ModelSummary {
                id: bundle.id(),
                approved_by: bundle.approval.as_ref().map(|a| a.by.clone()).unwrap_or_default(),
                auc: test.as_ref().and_then(|test| test.auc),
                auc_interval: test.as_ref().and_then(|test| test.auc_interval),
                test_rows: test.as_ref().map_or(0, |test| test.rows),
                test_bad: test.as_ref().map_or(0, |test| test.bad),
                ability: ability_report(bundle).map(AbilityReport::without_parts),
            },
        }
    }
}

/// What became of alerts tonight.
fn add_changes(changes: &mut AlertChanges, alerts: &[Alert], tonight: Date) {
    let number = |is: &dyn Fn(&&Alert) -> bool| alerts.iter().filter(is).count() as u64;
    changes.opened += number(&|a| a.stands() && a.opened_on == tonight);
    changes.escalated += number(&|a| a.state == AlertState::Escalated && a.since_on == tonight);
    changes.cleared += number(&|a| !a.stands());
    changes.unknown += number(&|a| a.stands() && a.tonight == Verdict::Unknown);
    changes.suppressed += number(&|a| a.stands() && a.handling == Some(Handling::Suppressed));
    changes.snoozed += number(&|a| a.stands() && a.handling == Some(Handling::Snoozed));
}

/// Eligibility rules that failed since what they compare with a threshold is null.
fn unknown_rules(shard: &Decided) -> impl Iterator<Item = &str> {
    let failed = shard.declines.iter().flat_map(|decline| &decline.failed);
    failed.filter(|v| v.observed.is_none() && v.threshold.is_some()).map(|v| v.rule.as_str())
}

/// The product of a decline with each rule that failed, or with [`BY_CAPS`].
fn decline_causes(decline: &Decline) -> impl Iterator<Item = (&str, String)> {
    let by_caps = decline.failed.is_empty().then(|| BY_CAPS.to_owned());
    let failed = decline.failed.iter().map(|verdict| verdict.rule.clone());
    by_caps.into_iter().chain(failed).map(|cause| (decline.product.as_str(), cause))
}

/// What a decline stands under whose rules all passed, but whose caps leave less than the smallest loan.
const BY_CAPS: &str = "caps";

fn count<'a>(counts: &mut BTreeMap<String, u64>, names: impl Iterator<Item = &'a str>) {
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
}

fn count_by<'a>(counts: &mut BTreeMap<String, BTreeMap<String, u64>>, names: impl Iterator<Item = (&'a str, String)>) {
    for (first, second) in names {
        *counts.entry(first.to_owned()).or_default().entry(second).or_default() += 1;
    }
}
