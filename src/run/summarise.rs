//! Counts a run's rows into its summary.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::decide::Decided;
use super::nightly::NightTables;
use super::summary::{AlertChanges, ModelSummary, OfferCounts, RunSummary, Unjudged};
use crate::model::registry::Bundle;
use crate::monitor::{Alert, AlertState, Handling, Verdict};
use crate::offer::Decline;
use crate::run::Job;

/// The summary of what is about to be published.
pub fn summarise(job: &Job, night: &NightTables, decided: &Decided, bundle: &Bundle) -> RunSummary {
    let mut offers: BTreeMap<String, OfferCounts> = BTreeMap::new();
    for offer in &decided.offers {
        let counts = offers.entry(offer.product.clone()).or_default();
        counts.count += 1;
        // Each limit is at most 10⁸ minor units: 9 × 10¹⁰ offers fit.
        counts.limit_minor = counts.limit_minor.saturating_add(offer.limit_minor);
    }
    let test = &bundle.validation["test"];
    RunSummary {
        job: job.name.clone(),
        as_of: night.chosen.date,
        as_of_guessed: night.chosen.is_guess,
        as_of_forced: night.forced().map(ToOwned::to_owned),
        currency: job.intake.currency,
        tables: night.judged.tables.clone(),
        intake: night.judged.verdict.clone(),
        merchants_scored: decided.scores.len() as u64,
        bands: count(decided.scores.iter().map(|s| s.band.as_str())),
        offers,
        declines: count(decided.declines.iter().map(|d| d.product.as_str())),
        binding_caps: count_by(decided.offers.iter().map(|o| (o.product.as_str(), o.binding_cap.to_string()))),
        declined_by: count_by(decided.declines.iter().flat_map(decline_causes)),
        referrals: decided.referrals.len() as u64,
        alerts: count(decided.alerts.iter().filter(|a| a.stands()).map(|a| a.rule.as_str())),
        alert_changes: alert_changes(&decided.alerts, night.chosen.date),
        unknown_loans: count(decided.loan_exceptions.iter().map(|e| e.code.as_str())),
        unjudged: Unjudged {
            alerts: decided.alerts_unknown.clone(),
            eligibility: count(unknown_rules(decided)),
            deductions: decided.deductions_unknown,
            measures: count(decided.overflows.iter().map(|o| o.measure.as_str())),
        },
        deductions: decided.deductions.len() as u64,
        deducted_minor: decided.deductions.iter().fold(0, |sum, d| d.amount_minor.saturating_add(sum)),
        portfolio: decided.portfolio.clone(),
        model: ModelSummary {
            id: bundle.id(),
            approved_by: bundle.approval.as_ref().map(|a| a.by.clone()).unwrap_or_default(),
            auc: test["auc"].as_f64(),
            auc_interval: test["auc_interval"][0].as_f64().zip(test["auc_interval"][1].as_f64()).map(|(l, h)| [l, h]),
            test_rows: test["rows"].as_u64().unwrap_or(0),
            test_bad: test["bad"].as_u64().unwrap_or(0),
        },
    }
}

/// What became of alerts tonight.
fn alert_changes(alerts: &[Alert], tonight: Date) -> AlertChanges {
    let count = |is: &dyn Fn(&&Alert) -> bool| alerts.iter().filter(is).count() as u64;
    AlertChanges {
        opened: count(&|a| a.stands() && a.opened_on == tonight),
        escalated: count(&|a| a.state == AlertState::Escalated && a.since_on == tonight),
        cleared: count(&|a| !a.stands()),
        unknown: count(&|a| a.stands() && a.tonight == Verdict::Unknown),
        suppressed: count(&|a| a.stands() && a.handling == Some(Handling::Suppressed)),
        snoozed: count(&|a| a.stands() && a.handling == Some(Handling::Snoozed)),
    }
}

/// Eligibility rules that failed since what they compare with a threshold is null.
fn unknown_rules(decided: &Decided) -> impl Iterator<Item = &str> {
    let failed = decided.declines.iter().flat_map(|decline| &decline.failed);
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

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

fn count_by<'a>(names: impl Iterator<Item = (&'a str, String)>) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (first, second) in names {
        *counts.entry(first.to_owned()).or_default().entry(second).or_default() += 1;
    }
    counts
}
