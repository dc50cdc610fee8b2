//! Lives through past nights: features, ledger and alerts as they would have been.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::fate::{LoanStory, loan_night};
use super::hazard::HazardNights;
use super::panel::{MerchantSeries, Panel, PanelRule, Standing};
use super::plan::{NightScope, Plan};
use crate::domain::{AsOf, AsOfError, parallel};
use crate::features::FeatureTable;
use crate::model::ModelError;
use crate::monitor::{
    self, Alert, AlertKind, MonitorCase, MonitorError, Officers, Pledges, StandingAlerts, Verdict, WatchContext,
};
use crate::repayment::{LoanEvidence, LoanLedger, RepaymentError, repayment_tables};
use crate::run::features_before::FeaturesBefore;
use crate::run::hazard::{AtRisk, HazardColumns, first_missed};
use crate::run::population::{PopulationError, finish_shards, prepare_shards};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::table_row::TableRow;
use crate::scenario::RowsBefore;
use crate::spill::SpillError;
use crate::store::{Store, StoreError};

/// Why past nights could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// Measuring a night.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Loans.
    #[error(transparent)]
    Repayment(#[from] RepaymentError),
    /// Watching.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// Dates.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// A column of the orders.
    #[error("look up pledged orders: {0}")]
    Orders(#[from] polars::prelude::PolarsError),
    /// The period is too short.
    #[error("replay nights from {from} to {to}: {nights} nights are too few to judge by")]
    TooShort {
        /// First night.
        from: Date,
        /// Last night.
        to: Date,
        /// Nights between.
        nights: usize,
    },
    /// Nothing is known of what came after.
    #[error("replay dates up to {to}: the data end, and the last date after which anything is known is {last}")]
    NothingFollows {
        /// Last date asked for.
        to: Date,
        /// Last date that can be followed.
        last: Date,
    },
    /// What became of the loans is not known yet.
    #[error(
        "replay nights up to {to}: defaults show within {performance_days} days, and the data end; the last night that can be judged is {last}"
    )]
    NoOutcomes {
        /// Last night asked for.
        to: Date,
        /// Last night that can be judged.
        last: Date,
        /// Days of outcomes.
        performance_days: u16,
    },
    /// Putting aside what a hazard model looks at.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The hazard model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The job has no loan book.
    #[error("judge alerts by what became of loans: the job has no loan book")]
    NoLoanBook,
}

/// What replaying past nights gives.
pub struct Replayed {
    /// What judging looks at.
    pub panel: Panel,
    /// What a hazard model learns from; `None` where the monitor file asks for none.
    pub hazard: Option<HazardNights>,
}

/// What is kept of a shard between the two steps of a night.
#[derive(Serialize, Deserialize)]
struct Taken {
    ledger: Option<LoanLedger>,
    pledges: Option<Pledges>,
}

/// One night of a shard.
struct ShardNight {
    alerts: Vec<Alert>,
    asked: BTreeMap<String, [u64; 2]>,
    ledger: Option<LoanLedger>,
    table: FeatureTable,
    at_risk: Vec<AtRisk>,
}

/// Replays every night of the plan.
///
/// # Errors
/// See [`BacktestError`].
pub fn replay(
    store: &Store,
    as_of: &AsOf,
    rules: &JobRules,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Replayed, BacktestError> {
    let early = rules.monitor.rules.iter().filter(|rule| is_early(&rule.kind));
    let mut panel = Panel {
        rules: early
            .map(|rule| PanelRule {
                code: rule.code.to_string(),
                is_lower_worse: false,
                threshold: None,
                unjudged: 0,
                asked: 0,
                is_graded: false,
            })
            .collect(),
        nights: plan.nights.iter().filter(|(_, look)| *look == NightScope::Alerts).map(|(night, _)| *night).collect(),
        ..Panel::default()
    };
    let mut hazard = rules.monitor.hazard.map(|_| HazardNights::new(rules, store.folder()));
    let mut standing = StandingAlerts::default();
    let mut before = FeaturesBefore::default();
    let features = plan.nights.iter().filter(|(_, look)| *look != NightScope::Ledger).count();
    let steps = (plan.nights.len() + features) as u64;
    progress.stage("replay nights", Some(u64::from(store.buckets()) * steps));
    for &(on, look) in &plan.nights {
        let night = AsOf::new(on, as_of.time_zone().clone())?;
        if look == NightScope::Ledger {
            for ledger in ledgers(store, &night, rules, progress)? {
                note_ledger(&mut panel, &ledger, &night)?;
            }
            continue;
        }
        let shards = replay_night(
            store,
            &night,
            rules,
            (hazard.as_ref().map(|hazard| &hazard.columns), look),
            (&standing, &before),
            progress,
        )?;
        let mut at_risk = Vec::new();
        for shard in &shards {
            let ledger = shard.ledger.as_ref().ok_or(BacktestError::NoLoanBook)?;
            if look != NightScope::FeaturesAlone {
                note_ledger(&mut panel, ledger, &night)?;
            }
            if let Some(hazard) = hazard.as_mut().filter(|_| on == plan.judged.from) {
                hazard.missed.extend(first_missed(ledger, &rules.ledger.default_dpd));
            }
            at_risk.extend_from_slice(&shard.at_risk);
            for (code, [asked, unjudged]) in &shard.asked {
                if let Some(rule) = panel.rules.iter_mut().find(|rule| rule.code == *code) {
                    rule.asked += asked;
                    rule.unjudged += unjudged;
                }
            }
        }
        // In the order of merchants, whatever the number of buckets.
        at_risk.sort_by(|a, b| a.merchant_id.cmp(&b.merchant_id));
        if let Some(hazard) = &mut hazard {
            hazard.add(on, &at_risk)?;
        }
        if look != NightScope::Alerts {
            continue;
        }
        let names = rules.monitor.features_before();
        before = FeaturesBefore::of_tables(&names, shards.iter().map(|shard| &shard.table));
        let alerts: Vec<Alert> = shards.into_iter().flat_map(|shard| shard.alerts).collect();
        note_alerts(&mut panel, &alerts, on);
        standing = StandingAlerts::new(alerts);
    }
    Ok(Replayed { panel, hazard })
}

/// A rule whose alert can come before the first missed payment.
fn is_early(kind: &AlertKind) -> bool {
    match kind {
        // What the hazard model says is graded by itself.
        AlertKind::UnknownLoan | AlertKind::Arrears { .. } | AlertKind::Hazard { .. } => false,
        AlertKind::PledgeLoss { .. } | AlertKind::Features(_) => true,
    }
}

fn replay_night(
    store: &Store,
    night: &AsOf,
    rules: &JobRules,
    (columns, look): (Option<&HazardColumns>, NightScope),
    (standing, before): (&StandingAlerts, &FeaturesBefore),
    progress: &dyn Progress,
) -> Result<Vec<ShardNight>, BacktestError> {
    let prepared =
        prepare_shards(store, night, rules, (&LoanEvidence::default(), &RowsBefore::default()), progress, |seen| {
            let ledger = seen.views.ledger.clone();
            let pledges = ledger.as_ref().map(|ledger| Pledges::of(seen.shard, ledger)).transpose()?;
            Ok::<_, BacktestError>(Taken { ledger, pledges })
        })?;
    // Officers' decisions of today are not of that night.
    let officers = Officers::default();
    let context = WatchContext { monitor: &rules.monitor, officers: &officers, as_of: night };
    finish_shards(prepared, rules, progress, |shard| {
        let Taken { ledger, pledges } = shard.taken;
        let table = shard.features;
        let at_risk = columns.zip(ledger.as_ref()).map(|(columns, ledger)| columns.rows(&table, ledger, night.date()));
        let at_risk = at_risk.transpose()?.unwrap_or_default();
        let mut alerts = Vec::new();
        let mut asked: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        let watched = if look == NightScope::Alerts { table.merchants.len() } else { 0 };
        for (at, merchant) in table.merchants.iter().enumerate().take(watched) {
            let loans = ledger.as_ref().map(|ledger| ledger.of(merchant));
            let row = TableRow { table: &table, at };
            let case = MonitorCase {
                merchant_id: merchant,
                features: &row,
                loans,
                features_before: &before.of(merchant),
                pledges: pledges.as_ref(),
                outlook: None,
                standing: standing.of(merchant),
            };
            if !case.is_borrower() && case.standing.is_empty() {
                continue;
            }
            let found = monitor::watch(&context, &case)?;
            for rule in &rules.monitor.rules {
                let count = asked.entry(rule.code.to_string()).or_default();
                count[0] += 1;
                count[1] += found.unknown.get(rule.code.as_str()).copied().unwrap_or(0).min(1);
            }
            alerts.extend(found.alerts);
        }
        Ok::<_, BacktestError>(ShardNight { alerts, asked, ledger, table, at_risk })
    })
}

/// The ledgers of a night, without its features.
fn ledgers(
    store: &Store,
    night: &AsOf,
    rules: &JobRules,
    progress: &dyn Progress,
) -> Result<Vec<LoanLedger>, BacktestError> {
    parallel::each((0..store.buckets()).collect(), |bucket| {
        let shard = store.seen(&store.loans(bucket)?, night)?;
        let tables = repayment_tables(&shard, &rules.ledger)?.ok_or(BacktestError::NoLoanBook)?;
        progress.advance(1);
        Ok(tables.ledger)
    })
}

/// Adds how every loan stood on a night.
fn note_ledger(panel: &mut Panel, ledger: &LoanLedger, night: &AsOf) -> Result<(), BacktestError> {
    let on = night.date();
    for loan in &ledger.known {
        let merchant = panel.merchants.entry(loan.merchant_id.clone()).or_default();
        let tonight = loan_night(loan, on);
        let known = merchant.loans.get_mut(&loan.loan_id);
        // Once it is over nothing new is learnt of it.
        let was_over = known.as_ref().and_then(|story| story.nights.last()).is_some_and(|night| night.is_over);
        if !tonight.is_over {
            *panel.open_loans.entry(on).or_default() += 1;
        }
        match known {
            Some(story) if !was_over => story.nights.push(tonight),
            Some(_) => {}
            None => {
                let mut story = LoanStory::of(loan, night.local_date(loan.disbursed_at)?);
                story.nights.push(tonight);
                merchant.loans.insert(loan.loan_id.clone(), story);
            }
        }
    }
    for loan in &ledger.unknown {
        let merchant: &mut MerchantSeries = panel.merchants.entry(loan.merchant_id.clone()).or_default();
        merchant.unknown_loans += 1;
    }
    Ok(())
}

/// Adds the alerts that stood on a night, each as far beyond its threshold as it was when its rule fired last.
fn note_alerts(panel: &mut Panel, alerts: &[Alert], on: Date) {
    for alert in alerts.iter().filter(|alert| alert.stands()) {
        let Some(at) = panel.rules.iter().position(|rule| rule.code == alert.rule) else { continue };
        let figures = alert.observed.zip(alert.threshold).filter(|_| alert.tonight == Verdict::Fired);
        if let (Some((observed, threshold)), Some(rule)) = (figures, panel.rules.get_mut(at)) {
            rule.threshold = Some(threshold);
            rule.is_lower_worse |= observed < threshold;
        }
        let series = panel.merchants.entry(alert.merchant_id.clone()).or_default();
        let last = series.standing.range(..on).next_back().map(|(_, standing)| standing.as_slice()).unwrap_or_default();
        let carried = last.iter().find(|standing| standing.rule == at).map_or(0.0, |standing| standing.beyond);
        let beyond = figures.map_or(carried, |(observed, threshold)| (observed - threshold).abs());
        let tonight = series.standing.entry(on).or_default();
        match tonight.iter_mut().find(|standing| standing.rule == at) {
            // Several loans of the merchant: the gravest speaks.
            Some(standing) => standing.beyond = standing.beyond.max(beyond),
            None => tonight.push(Standing { rule: at, beyond, is_new: alert.opened_on == on }),
        }
    }
}
