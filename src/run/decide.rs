//! One shard, decided: scores, offers, declines, referrals, alerts, deductions and the evidence behind them. A pure function of the
//! shard and of what is broadcast: model, policy, monitor rules, feature set.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{FactsError, MerchantFacts, shard_facts};
use super::population::{Measured, PopulationError};
use crate::domain::{Currency, Probability, RateError, Reason, ReasonCode, ReasonCodeError, whole};
use crate::features::{Direction, FeatureConfig, Group};
use crate::features::{FeatureError, FeatureLookup, FeatureTable};
use crate::model::registry::Bundle;
use crate::model::{self, ModelError, Scored};
use crate::monitor::{self, MonitorCase, MonitorError, Portfolio};
use crate::monitor::{Action, Monitor};
use crate::offer::Policy;
use crate::offer::{self, Application, MerchantCase, OfferError, Receivable};
use crate::publish::{
    AlertRow, CapValue, DeclineRow, DeductionRow, OfferRow, OutputRow, PublishError, ReferralRow, RuleVerdict, ScoreRow,
};
use crate::repayment::{self, LoanStanding};
use crate::score::{IndexedFeature, Reference, findings, merchant_index};

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

/// The feature groups, in the order of the sub-index columns.
#[must_use]
pub fn index_groups() -> Vec<&'static str> {
    Group::WORDS.iter().map(|(word, _)| *word).collect()
}

/// What a shard gives beside its wide tables ([`super::wide`]), each list sorted by merchant.
#[derive(Debug, Default)]
pub struct Decided {
    /// One a merchant.
    pub scores: Vec<ScoreRow>,
    /// Offers.
    pub offers: Vec<OfferRow>,
    /// Declines.
    pub declines: Vec<DeclineRow>,
    /// Referrals to banks.
    pub referrals: Vec<ReferralRow>,
    /// Alerts.
    pub alerts: Vec<AlertRow>,
    /// Deductions.
    pub deductions: Vec<DeductionRow>,
    /// The shard's part of the portfolio; `None` without a loan book.
    pub portfolio: Option<Portfolio>,
    /// How often each alert rule had too little history to say.
    pub alerts_unknown: BTreeMap<String, u64>,
    /// Loans that a rule would have deducted but whose merchant's receipts are not known.
    pub deductions_unknown: u64,
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

/// Decides a shard.
pub fn decide_shard(measured: &Measured<'_>, judges: &Judges<'_>) -> Result<Decided, DecideError> {
    let table = measured.features;
    let facts = shard_facts(measured.shard, measured.views, judges.policy)?;
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
    let loans = measured.views.loans.as_deref().map(repayment::by_merchant);
    let nothing = MerchantFacts::default();
    for (at, ((merchant, scored), ability_lower_minor)) in table.merchants.iter().zip(&scored).zip(ability).enumerate()
    {
        let lookup = RowLookup { table, at };
        let facts = facts.get(merchant).unwrap_or(&nothing);
        let reasons = findings(&judges.bundle.scorecard, scored, judges.features, judges.currency)?;
        let loans = loans.as_ref().map(|by| by.get(merchant.as_str()).copied().unwrap_or_default());
        decided.scores.push(score_row(measured, judges, merchant, &lookup, scored, &reasons));
        let freezes = watch_merchant(&mut decided, measured, judges, merchant, &lookup, loans.unwrap_or_default())?;
        let known =
            Known { scored, reasons: &reasons, lookup: &lookup, facts, loans, ability_lower_minor, freezes: &freezes };
        decide_merchant(&mut decided, measured, judges, merchant, &known)?;
    }
    decided.portfolio = measured
        .views
        .loans
        .as_deref()
        .map(|loans| Portfolio::of(loans, &judges.monitor.buckets, &judges.monitor.classes, &judges.policy.default_dpd))
        .transpose()?;
    Ok(decided)
}

fn score_row(
    measured: &Measured<'_>,
    judges: &Judges<'_>,
    merchant: &str,
    lookup: &RowLookup<'_>,
    scored: &Scored,
    reasons: &[Reason],
) -> ScoreRow {
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
    ScoreRow {
        merchant_id: merchant.to_owned(),
        as_of: measured.shard.as_of.date(),
        score: scored.score,
        pd_prob: scored.pd,
        band: scored.band.clone(),
        integrity_index: index.index,
        integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
        sub_indices: index_groups().into_iter().map(|group| index.groups.get(group).copied()).collect(),
        reasons: reasons.to_vec(),
        model_version: judges.bundle.id(),
    }
}

/// The feature that is the stock of trust itself.
pub const INTEGRITY_CAPITAL: &str = "integrity_capital_minor";

/// Watches one merchant; returns the alerts that freeze new credit.
fn watch_merchant(
    decided: &mut Decided,
    measured: &Measured<'_>,
    judges: &Judges<'_>,
    merchant: &str,
    lookup: &RowLookup<'_>,
    loans: &[LoanStanding],
) -> Result<Vec<Reason>, DecideError> {
    let case = MonitorCase { merchant_id: merchant, features: lookup, loans };
    let found = monitor::watch(judges.monitor, &case, &measured.shard.as_of)?;
    for (rule, times) in found.unknown {
        *decided.alerts_unknown.entry(rule).or_default() += times;
    }
    if let Some(terms) = &judges.monitor.deduction {
        let ordered = monitor::deduct(terms, merchant, lookup, loans, &found.alerts)?;
        decided.deductions_unknown += ordered.receipts_unknown;
        let mut rows: Vec<DeductionRow> = ordered
            .deductions
            .into_iter()
            .map(|d| DeductionRow {
                key: d.key,
                merchant_id: d.merchant_id,
                loan_id: d.loan_id,
                amount_minor: d.amount_minor,
                why: d.why,
            })
            .collect();
        rows.sort_by(OutputRow::order);
        decided.deductions.append(&mut rows);
    }
    let mut freezes = Vec::new();
    let mut rows = Vec::new();
    for alert in found.alerts {
        if alert.action == Action::Freeze {
            freezes.push(Reason { code: ReasonCode::new(&alert.rule)?, text: alert.text });
        }
        rows.push(AlertRow {
            alert_id: alert.alert_id,
            merchant_id: alert.merchant_id,
            loan_id: alert.loan_id,
            rule: alert.rule,
            severity: alert.severity.name().to_owned(),
            observed: Some(alert.observed),
            threshold: Some(alert.threshold),
            action: alert.action.name().to_owned(),
        });
    }
    rows.sort_by(OutputRow::order);
    decided.alerts.append(&mut rows);
    Ok(freezes)
}

/// What is known of a merchant beside its features' table.
struct Known<'a> {
    scored: &'a Scored,
    /// Why it is no better.
    reasons: &'a [Reason],
    lookup: &'a RowLookup<'a>,
    facts: &'a MerchantFacts,
    loans: Option<&'a [LoanStanding]>,
    ability_lower_minor: Option<i64>,
    freezes: &'a [Reason],
}

fn decide_merchant(
    decided: &mut Decided,
    measured: &Measured<'_>,
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
        credit: loans.is_some().then_some(facts.credit),
        receivables: &receivables,
        pledged: &pledged,
        applications: &applications,
        freezes,
    };
    let decision = offer::decide(judges.policy, &case, &measured.shard.as_of)?;
    decided.offers.extend(decision.offers.into_iter().map(|o| OfferRow {
        offer_id: o.offer_id,
        merchant_id: o.merchant_id,
        product: o.product,
        limit_minor: o.limit_minor,
        daily_rate_ppm: o.daily_rate_ppm,
        apr_prob: o.apr_prob,
        term_days: i32::from(o.term_days),
        repayment: o.repayment.to_owned(),
        valid_until_on: o.valid_until_on,
        binding_cap: o.binding_cap.name().to_owned(),
        caps: caps(&o.caps),
        pledged_order_ids: (!o.pledged_order_ids.is_empty()).then_some(o.pledged_order_ids),
    }));
    decided.declines.extend(decision.declines.into_iter().map(|d| {
        DeclineRow {
            merchant_id: d.merchant_id,
            product: d.product,
            failed: d
                .failed
                .into_iter()
                .map(|v| RuleVerdict { rule: v.rule, observed: v.observed, threshold: v.threshold })
                .collect(),
            caps: caps(&d.caps),
            reasons: d.reasons,
        }
    }));
    decided.referrals.extend(decision.referral.map(|r| ReferralRow {
        merchant_id: r.merchant_id,
        product: r.product,
        supportable_minor: r.uncapped_minor,
        cap_minor: r.hard_cap_minor,
        score: scored.score,
        pd_prob: scored.pd,
    }));
    Ok(())
}

fn caps(caps: &[offer::Cap]) -> Vec<CapValue> {
    caps.iter().map(|c| CapValue { name: c.name.name().to_owned(), value_minor: c.value_minor }).collect()
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
            whole.deductions_unknown += shard.deductions_unknown;
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
        Ok(whole)
    }
}
