//! One shard, decided: scores, offers, declines, referrals, alerts, deductions and the evidence behind them. A pure function of the
//! shard and of what is broadcast: model, policy, monitor rules, feature set.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{FactsError, MerchantFacts, shard_facts};
use super::population::{PopulationError, Seen};
use crate::domain::{AsOf, Currency, Probability, RateError, Reason, ReasonCode, ReasonCodeError, whole};
use crate::features::{Direction, FeatureConfig, Group};
use crate::features::{FeatureError, FeatureLookup, FeatureTable};
use crate::model::registry::Bundle;
use crate::model::{self, ModelError, Scored};
use crate::monitor::rules::unknown_loan;
use crate::monitor::{self, Alert, Deduction, Monitor, MonitorCase, MonitorError, Portfolio};
use crate::offer::{self, Application, BankReferral, Decline, MerchantCase, Offer, OfferError, Policy, Receivable};
use crate::publish::{OutputRow, PublishError};
use crate::repayment::{CreditRecord, LoanException, LoanLedger, MerchantLoans};
use crate::score::{IndexedFeature, MerchantScore, Reference, findings, merchant_index};

/// A shard that could not be decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Measuring it.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// Reading what deciding needs beside features.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// Evidence.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Writing its part of a wide table.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Scoring.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Offers.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Monitoring.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// A score that is no probability.
    #[error("score merchant {merchant}: {source}")]
    Probability {
        /// Whose.
        merchant: String,
        /// What is wrong.
        source: RateError,
    },
    /// A model whose reasons are not codes.
    #[error(transparent)]
    Reason(#[from] ReasonCodeError),
    /// The model scored other merchants than it was given.
    #[error("score {given} merchants: the model answered for {answered}")]
    Lost {
        /// Merchants given.
        given: usize,
        /// Merchants answered for.
        answered: usize,
    },
}

/// What every shard is judged by.
pub struct Judges<'a> {
    /// The observation.
    pub as_of: &'a AsOf,
    /// Feature set.
    pub features: &'a FeatureConfig,
    /// Credit policy.
    pub policy: &'a Policy,
    /// Monitoring rules.
    pub monitor: &'a Monitor,
    /// Models.
    pub bundle: &'a Bundle,
    /// Reference population of the index.
    pub reference: &'a Reference,
    /// Currency of every amount.
    pub currency: Currency,
}

/// What a shard gives beside its wide tables ([`super::wide`]); [`Decided::join`] sorts.
#[derive(Debug, Default)]
pub struct Decided {
    /// One a merchant.
    pub scores: Vec<MerchantScore>,
    /// Offers.
    pub offers: Vec<Offer>,
    /// Declines.
    pub declines: Vec<Decline>,
    /// Referrals to banks.
    pub referrals: Vec<BankReferral>,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// Deductions.
    pub deductions: Vec<Deduction>,
    /// The shard's part of the portfolio; `None` without a loan book.
    pub portfolio: Option<Portfolio>,
    /// Loans of which nothing is known, a line for each cause, by merchant and loan.
    pub loan_exceptions: Vec<LoanException>,
    /// How often each alert rule had too little history to say.
    pub alerts_unknown: BTreeMap<String, u64>,
}

/// One merchant's row of a feature table.
struct RowLookup<'a> {
    table: &'a FeatureTable,
    at: usize,
}

impl FeatureLookup for RowLookup<'_> {
    fn value(&self, feature: &str) -> Option<f64> {
        self.table.value(feature, self.at)
    }
}

/// What deciding needs of a shard beside its features: taken while the shard is in memory, kept until the industry is known.
pub struct ShardFacts {
    merchants: BTreeMap<String, MerchantFacts>,
    ledger: Option<LoanLedger>,
}

impl ShardFacts {
    /// Takes them.
    ///
    /// # Errors
    /// A table without the columns that it needs.
    pub fn of(seen: &Seen<'_>, policy: &Policy) -> Result<Self, FactsError> {
        Ok(Self { merchants: shard_facts(seen.shard, seen.views, policy)?, ledger: seen.views.ledger.clone() })
    }
}

/// Decides a shard.
pub fn decide_shard(table: &FeatureTable, facts: &ShardFacts, judges: &Judges<'_>) -> Result<Decided, DecideError> {
    let scoring = model::ScoringTable {
        columns: table.columns.iter().map(|c| model::Column::from_options(&c.name, &c.values)).collect(),
    };
    let scored = judges.bundle.scorecard.score(&scoring)?;
    let ability = match &judges.bundle.ability {
        Some(ability) => ability.predict(&scoring)?.into_iter().map(|a| Some(a.lower_minor)).collect(),
        None => vec![None; table.merchants.len()],
    };
    if scored.len() != table.merchants.len() || ability.len() != table.merchants.len() {
        return Err(DecideError::Lost { given: table.merchants.len(), answered: scored.len().min(ability.len()) });
    }
    let mut decided = Decided::default();
    let ledger = facts.ledger.as_ref();
    let nothing = MerchantFacts::default();
    for (at, ((merchant, scored), ability_lower_minor)) in table.merchants.iter().zip(&scored).zip(ability).enumerate()
    {
        let lookup = RowLookup { table, at };
        let facts = facts.merchants.get(merchant).unwrap_or(&nothing);
        let reasons = findings(&judges.bundle.scorecard, scored, judges.features, judges.currency)?;
        let loans = ledger.map(|ledger| ledger.of(merchant));
        decided.scores.push(score_row(judges, merchant, &lookup, scored, &reasons));
        let freezes = watch_merchant(&mut decided, judges, merchant, &lookup, loans.unwrap_or_default())?;
        let known =
            Known { scored, reasons: &reasons, lookup: &lookup, facts, loans, ability_lower_minor, freezes: &freezes };
        decide_merchant(&mut decided, judges, merchant, &known)?;
    }
    decided.portfolio =
        ledger.map(|l| Portfolio::of(l, &judges.monitor.buckets, &judges.monitor.classes)).transpose()?;
    decided.loan_exceptions = ledger.map(LoanLedger::exceptions).unwrap_or_default();
    Ok(decided)
}

fn score_row(
    judges: &Judges<'_>,
    merchant: &str,
    lookup: &RowLookup<'_>,
    scored: &Scored,
    reasons: &[Reason],
) -> MerchantScore {
    let directional = judges.features.features.iter().filter_map(|feature| {
        let higher_is_safer = match feature.direction {
            Direction::HigherSafer => true,
            Direction::LowerSafer => false,
            Direction::Either => return None,
        };
        Some(IndexedFeature {
            name: &feature.name,
            group: feature.group.word(),
            higher_is_safer,
            value: lookup.value(&feature.name),
        })
    });
    let index = merchant_index(judges.reference, directional);
    MerchantScore {
        merchant_id: merchant.to_owned(),
        as_of: judges.as_of.date(),
        score: scored.score,
        pd_prob: scored.pd,
        band: scored.band.clone(),
        integrity_index: index.index,
        integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
        sub_indices: Group::WORDS.into_iter().map(|(word, group)| (group, index.groups.get(word).copied())).collect(),
        reasons: reasons.to_vec(),
        model_version: judges.bundle.id(),
    }
}

/// The feature that is the stock of trust itself.
pub const INTEGRITY_CAPITAL: &str = "integrity_capital_minor";

/// Watches one merchant; returns the alerts that freeze new credit.
fn watch_merchant(
    decided: &mut Decided,
    judges: &Judges<'_>,
    merchant: &str,
    lookup: &RowLookup<'_>,
    loans: MerchantLoans<'_>,
) -> Result<Vec<Reason>, DecideError> {
    let case = MonitorCase { merchant_id: merchant, features: lookup, loans };
    let found = monitor::watch(judges.monitor, &case, judges.as_of)?;
    for (rule, times) in found.unknown {
        *decided.alerts_unknown.entry(rule).or_default() += times;
    }
    if let Some(terms) = &judges.monitor.deduction {
        decided.deductions.extend(monitor::deduct(terms, merchant, lookup, loans, &found.alerts)?.deductions);
    }
    decided.alerts.extend(found.alerts);
    let mut freezes = found.freezes;
    if !loans.unknown.is_empty() {
        // What a borrower owes is not known while one loan is not, whatever the policy makes of the loan book.
        let code = ReasonCode::new(unknown_loan::UNKNOWN_LOAN_RULE)?;
        freezes.push(Reason { code, text: unknown_loan::UNKNOWN_LOAN_TEXT.to_owned() });
    }
    Ok(freezes)
}

/// What is known of a merchant beside its features' table.
struct Known<'a> {
    scored: &'a Scored,
    /// Why it is no better.
    reasons: &'a [Reason],
    lookup: &'a RowLookup<'a>,
    facts: &'a MerchantFacts,
    loans: Option<MerchantLoans<'a>>,
    ability_lower_minor: Option<i64>,
    freezes: &'a [Reason],
}

fn decide_merchant(
    decided: &mut Decided,
    judges: &Judges<'_>,
    merchant: &str,
    known: &Known<'_>,
) -> Result<(), DecideError> {
    let Known { scored, reasons, lookup, facts, loans, ability_lower_minor, freezes } = *known;
    let pd = Probability::new(scored.pd)
        .map_err(|source| DecideError::Probability { merchant: merchant.to_owned(), source })?;
    let receivables: Vec<Receivable<'_>> = facts
        .receivables
        .iter()
        .map(|(order_id, amount_minor)| Receivable { order_id, amount_minor: *amount_minor })
        .collect();
    let pledged: BTreeSet<&str> = facts.pledged.iter().map(String::as_str).collect();
    let named: Vec<Vec<&str>> =
        facts.applications.iter().map(|a| a.order_ids.iter().map(String::as_str).collect()).collect();
    let applications: Vec<Application<'_>> = facts
        .applications
        .iter()
        .zip(&named)
        .map(|(a, order_ids)| Application { product: &a.product, requested_minor: a.requested_minor, order_ids })
        .collect();
    let case = MerchantCase {
        merchant_id: merchant,
        is_closed: facts.is_closed,
        band: &scored.band,
        pd,
        score: scored.score,
        score_reasons: reasons,
        features: lookup,
        ability_lower_minor,
        integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
        group_cap_minor: None,
        credit: loans.filter(|l| l.unknown.is_empty()).map(|l| CreditRecord::over(l.known)),
        receivables: &receivables,
        pledged: &pledged,
        applications: &applications,
        freezes,
    };
    let decision = offer::decide(judges.policy, &case, judges.as_of)?;
    decided.offers.extend(decision.offers);
    decided.declines.extend(decision.declines);
    decided.referrals.extend(decision.referral);
    Ok(())
}

impl Decided {
    /// All shards as one, every list in the order its file is sorted by. Buckets are not in merchant order, and how many there are must
    /// not show.
    ///
    /// # Errors
    /// Portfolio sums beyond 64 bits.
    pub fn join(shards: Vec<Self>) -> Result<Self, DecideError> {
        let mut whole = Self::default();
        for shard in shards {
            whole.scores.extend(shard.scores);
            whole.offers.extend(shard.offers);
            whole.declines.extend(shard.declines);
            whole.referrals.extend(shard.referrals);
            whole.alerts.extend(shard.alerts);
            whole.deductions.extend(shard.deductions);
            whole.loan_exceptions.extend(shard.loan_exceptions);
            for (rule, times) in shard.alerts_unknown {
                *whole.alerts_unknown.entry(rule).or_default() += times;
            }
            whole.portfolio = match (whole.portfolio.take(), shard.portfolio) {
                (Some(mut sum), Some(part)) => {
                    sum.merge(&part)?;
                    Some(sum)
                }
                (sum, part) => sum.or(part),
            };
        }
        whole.scores.sort_by(OutputRow::order);
        whole.offers.sort_by(OutputRow::order);
        whole.declines.sort_by(OutputRow::order);
        whole.referrals.sort_by(OutputRow::order);
        whole.alerts.sort_by(OutputRow::order);
        whole.deductions.sort_by(OutputRow::order);
        whole.loan_exceptions.sort_unstable();
        Ok(whole)
    }
}
