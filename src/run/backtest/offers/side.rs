//! A job, or its rules under another policy, on its way through past dates.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use super::loan_fate::MadeLoans;
use super::model_shelf::{ModelShelf, ShelfModel};
use super::night::{LoanOnDate, Night};
use crate::domain::{AsOf, parallel};
use crate::exposure::{
    AccountTerms, AccountsBefore, MembersBefore, OpenOffers, OwnersBefore, Requests, groups_of_broken_members,
};
use crate::features::{FeatureColumn, FeatureTable};
use crate::model::registry::Bundle;
use crate::model::{AbilityModel, ScoreScale};
use crate::monitor::{
    BookContext, DefaultedGroups, Monitor, Officers, OpenDeductions, StandingAlerts, StatesBefore, WatchContext,
    performing,
};
use crate::offer::Overrides;
use crate::repayment::{LoanEvidence, LoanLedger, repayment_tables};
use crate::run::Job;
use crate::run::across_shards::AcrossShards;
use crate::run::backtest::BacktestError;
use crate::run::decide::{DecideError, Decided, DecisionContext, decide_shard};
use crate::run::error::RunError;
use crate::run::facts::{ReceiptMeasure, ShardFacts};
use crate::run::features_before::FeaturesBefore;
use crate::run::hazard::HazardScoring;
use crate::run::open_offers::parts_per_million;
use crate::run::population::{PreparedShards, finish_shards, prepare_shards};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scenarios::{Scenarios, measure_scenarios};
use crate::run::settlement::settle_shards;
use crate::run::stages::Stopwatch;
use crate::scenario::RowsBefore;
use crate::store::Store;
use crate::wash::Ingested;

/// A policy, with all that it remembers from date to date.
pub struct Side<'a> {
    /// Its file.
    pub file: &'a Path,
    /// The job.
    pub job: &'a Job,
    /// What it judges by.
    pub rules: &'a JobRules,
    /// Models that decided, in the order of their dates.
    pub models: Vec<Rc<ShelfModel>>,
    ingested: &'a Ingested,
    standing: StandingAlerts,
    states: StatesBefore,
    features_before: FeaturesBefore,
}

/// What a shard of a date leaves, beside its decisions.
struct ShardNight {
    requests: BTreeMap<String, Vec<String>>,
    loans: BTreeMap<usize, LoanOnDate>,
    table: FeatureTable,
    decided: Decided,
}

impl<'a> Side<'a> {
    pub fn new(file: &'a Path, job: &'a Job, rules: &'a JobRules, ingested: &'a Ingested) -> Self {
        Self {
            file,
            job,
            rules,
            models: Vec::new(),
            ingested,
            standing: StandingAlerts::default(),
            states: StatesBefore::default(),
            features_before: FeaturesBefore::default(),
        }
    }

    /// Decides a date on what was known then, and goes on from it.
    ///
    /// # Errors
    /// What a night would refuse before it publishes.
    pub fn decide(
        &mut self,
        on: &AsOf,
        made: &MadeLoans,
        shelf: &mut ModelShelf,
        progress: &dyn Progress,
    ) -> Result<Night, RunError> {
        let model = shelf.model_for(self.job, self.rules, &self.ingested.store, on, progress)?;
        if self.models.last().is_none_or(|last| !Rc::ptr_eq(last, &model)) {
            self.models.push(Rc::clone(&model));
        }
        let shards = self.decide_shards(on, &model, made, progress)?;
        let names = self.rules.monitor.features_before();
        self.features_before = FeaturesBefore::of_tables(&names, shards.iter().map(|shard| &shard.table));
        let mut night = Night::default();
        let (mut alerts, mut states, mut decided) = (Vec::new(), Vec::new(), Vec::new());
        for mut shard in shards {
            alerts.append(&mut shard.decided.alerts);
            states.append(&mut shard.decided.borrower_states);
            night.loans.append(&mut shard.loans);
            for (merchant, asked) in shard.requests {
                night.merchants.entry(merchant).or_default().asked = asked;
            }
            decided.push(shard.decided);
        }
        self.standing = StandingAlerts::new(alerts);
        self.states = StatesBefore::new(states);
        settle_shards(&mut decided, &self.rules.policy, on).map_err(DecideError::from)?;
        for shard in decided {
            for score in shard.scores {
                night.merchants.entry(score.merchant_id).or_default().band = score.band;
            }
            for offer in &shard.offers {
                night.merchants.entry(offer.merchant_id.clone()).or_default().add(offer);
            }
        }
        Ok(night)
    }

    /// Facts of every shard, and what was added up over all of them. No night before a past date has left anything.
    fn measure_shards(
        &self,
        on: &AsOf,
        terms: &AccountTerms<'_>,
        bundle: &Bundle,
        progress: &dyn Progress,
    ) -> Result<(PreparedShards<ShardFacts>, AcrossShards), RunError> {
        let Self { job, rules, ingested, .. } = *self;
        let (store, states) = (&ingested.store, &self.states);
        let (open, evidence, members) = (OpenOffers::default(), LoanEvidence::default(), MembersBefore::default());
        let (owners, answered_by_day) = (OwnersBefore::default(), BTreeMap::new());
        let before = AccountsBefore {
            open: &open,
            loans: &evidence,
            members: &members,
            owners: &owners,
            declared: &answered_by_day,
        };
        let horizons = bundle.ability.as_ref().map(AbilityModel::horizon_days).unwrap_or_default();
        let receipts = ReceiptMeasure {
            features: &rules.features,
            measure: job.model.ability_measure.as_str(),
            horizons: &horizons,
        };
        let across = Mutex::new(AcrossShards {
            groups: groups_of_broken_members(&ingested.unattributed, on),
            ..AcrossShards::default()
        });
        progress.stage(&format!("decide as of {}", on.date()), Some(2 * u64::from(store.buckets())));
        let prepared = prepare_shards(store, on, rules, (&evidence, &RowsBefore::default()), progress, |seen| {
            let mut facts = ShardFacts::of(seen, before, terms, &receipts, states)?;
            facts.scenarios = measure_scenarios(seen, rules, &receipts)?;
            let of_shard = AcrossShards::of(&facts);
            across.lock().unwrap_or_else(PoisonError::into_inner).merge(&of_shard);
            Ok::<_, DecideError>(facts)
        })?;
        Ok((prepared, across.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn decide_shards(
        &self,
        on: &AsOf,
        model: &ShelfModel,
        made: &MadeLoans,
        progress: &dyn Progress,
    ) -> Result<Vec<ShardNight>, RunError> {
        let Self { job, rules, .. } = *self;
        let declared = JobRules::declared_tables(job);
        let terms = rules.policy.account_terms(&declared);
        let bundle = &model.bundle;
        let (prepared, across) = self.measure_shards(on, &terms, bundle, progress)?;
        let AcrossShards { mut groups, owners, categories, defaulted } = across;
        let hazard = HazardScoring::of(rules, bundle)?;
        let scale = ScoreScale::of(&bundle.scorecard).map_err(DecideError::Scale)?;
        // A past date is decided by itself: no night before it has scored the members.
        groups.look_up_risks(&BTreeMap::new(), parts_per_million(scale.riskiest().get()));
        let (officers, overrides, deductions) = (Officers::default(), Overrides::default(), OpenDeductions::default());
        let watching = Stopwatch::still();
        let context = DecisionContext {
            as_of: on,
            features: &rules.features,
            policy: &rules.policy,
            watch: WatchContext { monitor: &rules.monitor, officers: &officers, as_of: on },
            overrides: &overrides,
            payments_days_late: Some(0),
            standing: &self.standing,
            deductions: &deductions,
            features_before: &self.features_before,
            states: &self.states,
            book: BookContext {
                monitor: &rules.monitor,
                groups: &defaulted,
                before: None,
                horizon_days: rules.policy.price.pd_horizon_days,
                as_of: on.date(),
            },
            bundle,
            scale: &scale,
            reference: &model.reference,
            hazard: hazard.as_ref(),
            watching: &watching,
            currency: job.intake.currency,
        };
        let names = rules.monitor.features_before();
        finish_shards(prepared, rules, progress, |shard| {
            let mut facts = shard.taken;
            facts.accounts.share(&groups, &owners, &terms);
            let scenarios = std::mem::take(&mut facts.scenarios);
            let scenarios = Scenarios::new(scenarios, shard.totals, &rules.features, &bundle.scorecard)?;
            let decided = decide_shard(&shard.features, &facts, &scenarios, &categories, &context)?;
            let loans = facts.ledger.as_ref().map(|ledger| loans_of(ledger, &rules.monitor, &defaulted, made));
            let asked = |requests: &Requests| match requests {
                Requests::Known(pending) => {
                    let mut products: Vec<String> = pending.iter().map(|request| request.product.clone()).collect();
                    products.sort_unstable();
                    products.dedup();
                    products
                }
                Requests::NotTaken | Requests::Unknown => Vec::new(),
            };
            let accounts = facts.accounts.by_merchant.iter();
            let FeatureTable { merchants, columns } = shard.features;
            let kept = |column: &FeatureColumn| names.contains(column.name.as_str());
            Ok::<_, RunError>(ShardNight {
                requests: accounts.map(|(id, account)| (id.clone(), asked(&account.requests))).collect(),
                loans: loans.unwrap_or_default(),
                table: FeatureTable { merchants, columns: columns.into_iter().filter(kept).collect() },
                decided: lighter(decided, rules.policy.portfolio_budget_minor.is_some()),
            })
        })
    }
}

/// What is kept of a shard's decisions until all are decided; a budget is settled on accounts as well.
fn lighter(decided: Decided, has_budget: bool) -> Decided {
    let kept = Decided {
        scores: decided.scores,
        offers: decided.offers,
        alerts: decided.alerts,
        borrower_states: decided.borrower_states,
        ..Decided::default()
    };
    if !has_budget {
        return kept;
    }
    Decided { accounts: decided.accounts, before: decided.before, open_offers: decided.open_offers, ..kept }
}

/// How the loans of the period that a ledger holds stand.
fn loans_of(
    ledger: &LoanLedger,
    monitor: &Monitor,
    groups: &DefaultedGroups,
    made: &MadeLoans,
) -> BTreeMap<usize, LoanOnDate> {
    let mut found = BTreeMap::new();
    for loans in ledger.known.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
        for loan in loans {
            if let Some(at) = made.by_id.get(&loan.loan_id) {
                found.insert(*at, LoanOnDate::Over);
            }
        }
        for (loan, performs) in performing(loans, &monitor.classes, groups) {
            if let Some(at) = made.by_id.get(&loan.loan_id) {
                found.insert(*at, LoanOnDate::Open { outstanding_minor: loan.outstanding_minor, performs });
            }
        }
    }
    for loan in &ledger.unknown {
        if let Some(at) = loan.loan_id.as_ref().and_then(|id| made.by_id.get(id)) {
            found.insert(*at, LoanOnDate::Unknown);
        }
    }
    found
}

/// How the loans of the period stood on a date, by the ledger alone.
///
/// # Errors
/// The store cannot be read.
pub fn loans_on(
    store: &Store,
    on: &AsOf,
    rules: &JobRules,
    made: &MadeLoans,
) -> Result<BTreeMap<usize, LoanOnDate>, BacktestError> {
    let ledgers = parallel::each((0..store.buckets()).collect(), |bucket| {
        let shard = store.seen(&store.loans(bucket)?, on)?;
        let tables = repayment_tables(&shard, &rules.ledger)?.ok_or(BacktestError::NoLoanBook)?;
        Ok::<_, BacktestError>(tables.ledger)
    })?;
    let mut groups = DefaultedGroups::default();
    for ledger in &ledgers {
        groups.merge(&DefaultedGroups::of(ledger));
    }
    let mut found = BTreeMap::new();
    for ledger in &ledgers {
        found.append(&mut loans_of(ledger, &rules.monitor, &groups, made));
    }
    Ok(found)
}
