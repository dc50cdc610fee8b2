//! One shard, decided: scores, offers, declines, referrals, alerts, deductions and the evidence behind them. A pure function of the
//! shard and of what is broadcast: model, policy, monitor rules, feature set.

use std::collections::{BTreeMap, BTreeSet};

use super::features_before::FeaturesBefore;
use super::settlement::Before;
use crate::domain::{AsOf, Currency, Probability, RateError, Reason, ReasonCode, ReasonCodeError, whole};
use crate::exposure::{OpenOffer, RememberedMember, RememberedOwner, Statement};
use crate::features::{Direction, FeatureConfig, Group};
use crate::features::{FeatureError, FeatureLookup, FeatureTable};
use crate::model::ability::{CategoryReceipts, HorizonForecast, MerchantReceipts};
use crate::model::registry::Bundle;
use crate::model::{ModelError, ScoreScale, Scored};
use crate::monitor::{
    self, Alert, Book, BookContext, BookMerchant, BorrowerNight, BorrowerState, CreditStanding, Deduction,
    DeductionCase, LoanForecast, LoanLine, MonitorCase, MonitorError, OpenDeduction, OpenDeductions, OrdersBefore,
    Outlook, Portfolio, ProposedInstalment, QueueLine, StandingAlerts, StatesBefore, WatchContext,
};
use crate::offer::{
    self, BankReferral, CaseRecord, Committed, Decline, MerchantCase, Offer, OfferError, OverrideEffect, Overrides,
    Policy, ScenarioCase,
};
use crate::publish::PublishError;
use crate::repayment::{BorrowerRecord, LoanException, RememberedLoan};
use crate::run::facts::{FactsError, MerchantFacts, ShardFacts};
use crate::run::hazard::HazardScoring;
use crate::run::population::PopulationError;
use crate::run::scenarios::{Scenarios, scoring_table};
use crate::run::stages::Stopwatch;
use crate::run::table_row::TableRow;
use crate::scenario::RememberedRows;
use crate::score::{IndexedFeature, MerchantScore, NO_EVIDENCE_BAND, Reference, findings, merchant_index};

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
    /// A score that is not a probability.
    #[error("score merchant {merchant}: {source}")]
    Probability {
        /// Whose.
        merchant: String,
        /// What is wrong.
        source: RateError,
    },
    /// A scorecard with a score that means no probability.
    #[error("read the model's scale: {0}")]
    Scale(RateError),
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

/// What every shard is decided by: the same for all.
pub struct DecisionContext<'a> {
    /// The observation.
    pub as_of: &'a AsOf,
    /// Feature set.
    pub features: &'a FeatureConfig,
    /// Credit policy.
    pub policy: &'a Policy,
    /// Monitoring rules, and what officers decided.
    pub watch: WatchContext<'a>,
    /// What officers decided about credit.
    pub overrides: &'a Overrides,
    /// Days that the last day of usual payments is older than it usually is; `None` where nothing is known of payments.
    pub payments_days_late: Option<i32>,
    /// Alerts that stood after the night before.
    pub standing: &'a StandingAlerts,
    /// Orders to deduct that may be under way.
    pub deductions: &'a OpenDeductions,
    /// Features of the night before that monitoring rules look at.
    pub features_before: &'a FeaturesBefore,
    /// How good every borrower was on the night before.
    pub states: &'a StatesBefore,
    /// What the loan book is reported by.
    pub book: BookContext<'a>,
    /// Models.
    pub bundle: &'a Bundle,
    /// What the scores of its scorecard mean.
    pub scale: &'a ScoreScale,
    /// Reference population of the index.
    pub reference: &'a Reference,
    /// Trouble to come; `None` without a hazard model.
    pub hazard: Option<&'a HazardScoring>,
    /// Takes the time that watching takes.
    pub watching: &'a Stopwatch,
    /// Currency of every amount.
    pub currency: Currency,
}

/// What a shard gives beside its wide tables ([`crate::run::wide`]): the rows of every published table, and what is counted.
#[derive(Debug, Default)]
pub struct Decided {
    /// One a merchant.
    pub scores: Vec<MerchantScore>,
    /// Offers.
    pub offers: Vec<Offer>,
    /// Declines.
    pub declines: Vec<Decline>,
    /// Receipts that are foreseen, one a merchant and horizon.
    pub receipts: Vec<MerchantReceipts>,
    /// Referrals to banks.
    pub referrals: Vec<BankReferral>,
    /// Offers that may still be drawn, or that an open loan rests on.
    pub open_offers: Vec<OpenOffer>,
    /// Merchants who are offered something, as they stood before tonight; none where no bound crosses merchants.
    pub before: BTreeMap<String, Before>,
    /// What the shard's merchants owed and could draw before tonight; nothing where no bound crosses merchants.
    pub committed: Committed,
    /// Orders that secure open loans.
    pub pledged_to_loans: BTreeSet<String>,
    /// One a merchant.
    pub accounts: Vec<Statement>,
    /// One a merchant: what it was decided on.
    pub cases: Vec<CaseRecord>,
    /// What officers' decisions about credit did.
    pub overrides: Vec<OverrideEffect>,
    /// Alerts.
    pub alerts: Vec<Alert>,
    /// Deductions.
    pub deductions: Vec<Deduction>,
    /// Orders to deduct that may be under way after tonight.
    pub open_deductions: Vec<OpenDeduction>,
    /// Easier terms to offer, an instalment a row.
    pub proposals: Vec<ProposedInstalment>,
    /// Borrowers who need an officer, not yet ranked.
    pub queue: Vec<QueueLine>,
    /// Merchants with evidence in each bin of each variable of the model.
    pub bin_counts: Vec<Vec<u64>>,
    /// How good every borrower is.
    pub borrower_states: Vec<BorrowerState>,
    /// The shard's part of the portfolio; `None` without a loan book.
    pub portfolio: Option<Portfolio>,
    /// The shard's part of the book; `None` without a loan book.
    pub book: Option<Book>,
    /// A line a loan; none without a loan book.
    pub loan_lines: Vec<LoanLine>,
    /// What is foreseen of loans, and what became of them; none without a loan book.
    pub forecasts: Vec<LoanForecast>,
    /// Loans of which nothing is known, a line for each cause, by merchant and loan.
    pub loan_exceptions: Vec<LoanException>,
    /// What the next night compares loans with.
    pub remembered_loans: Vec<RememberedLoan>,
    /// Memberships of guarantee groups that the next night has to see.
    pub remembered_members: Vec<RememberedMember>,
    /// Shops and their owners that the next night has to know.
    pub remembered_owners: Vec<RememberedOwner>,
    /// Rows of trade that the next night has to see.
    pub remembered_rows: Vec<RememberedRows>,
    /// How often each alert rule had too little history to say.
    pub alerts_unknown: BTreeMap<String, u64>,
    /// Loans that a rule would have deducted, by what is not known: receipts, another loan of the merchant, or the latest payments.
    pub deductions_unknown: BTreeMap<String, u64>,
    /// Disputes that count for nothing because somebody else than the order's buyer opened them.
    pub disputes_of_others: u64,
    /// Of merchants whose debts are not known, the most that is said of them.
    pub unknown_owed_minor: i64,
}

impl Decided {
    /// Counts what a merchant owed and could draw before tonight, and keeps the account of one who is offered something.
    fn note_before(&mut self, before: Before, is_offered: bool) {
        self.committed.add(&before.place, before.account.owed_at_most_minor(), before.account.held_minor(None));
        self.unknown_owed_minor = self.unknown_owed_minor.saturating_add(before.account.unknown_owed_minor);
        if is_offered {
            self.before.insert(before.account.merchant_id.clone(), before);
        }
    }
}

/// Decides a shard. `scenarios` are those of merchants with broken records, `seasons` the receipts of all merchants by category.
pub fn decide_shard(
    table: &FeatureTable,
    facts: &ShardFacts,
    scenarios: &Scenarios,
    seasons: &CategoryReceipts,
    context: &DecisionContext<'_>,
) -> Result<Decided, DecideError> {
    let scored = context.bundle.scorecard.score(&scoring_table(table))?;
    let by_number: Vec<&MerchantFacts> =
        table.merchants.iter().filter_map(|merchant| facts.merchants.get(merchant)).collect();
    let answered = scored.len().min(by_number.len());
    if answered != table.merchants.len() {
        return Err(DecideError::Lost { given: table.merchants.len(), answered });
    }
    let variables = &context.bundle.scorecard.variables;
    let bin_counts = variables.iter().map(|variable| vec![0; variable.bins.bins.len()]).collect();
    let mut decided = Decided { bin_counts, disputes_of_others: facts.disputes_of_others, ..Decided::default() };
    for (at, ((merchant, scored), own)) in table.merchants.iter().zip(&scored).zip(&by_number).enumerate() {
        let lookup = TableRow { table, at };
        decided.scores.push(score_row(context, merchant, &lookup, scored, own.has_evidence)?);
        if own.has_evidence {
            for (counts, bin) in decided.bin_counts.iter_mut().zip(&scored.bins) {
                counts.get_mut(usize::from(*bin)).into_iter().for_each(|count| *count += 1);
            }
        }
    }
    let watched = context.watching.time(|| watch_shard(&mut decided, table, facts, context))?;
    for (at, ((scored, own), watched)) in scored.iter().zip(&by_number).zip(&watched).enumerate() {
        let offered = (TableRow { table, at }, scored, *own);
        offer_to(&mut decided, offered, (facts, seasons, scenarios), watched, context)?;
    }
    context.watching.time(|| report_book(&mut decided, facts, context))?;
    Ok(decided)
}

/// What watching says of a merchant that its offers depend on.
struct MonitoringResult {
    /// Why nothing new may be lent now.
    freezes: Vec<Reason>,
    standing: CreditStanding,
    outlook: Option<Outlook>,
}

/// Watches every merchant of a shard and says how good it is as a borrower, in the order of the table.
fn watch_shard(
    decided: &mut Decided,
    table: &FeatureTable,
    facts: &ShardFacts,
    context: &DecisionContext<'_>,
) -> Result<Vec<MonitoringResult>, DecideError> {
    let outlooks: BTreeMap<String, Outlook> = match context.hazard.zip(facts.ledger.as_ref()) {
        Some((hazard, ledger)) => {
            hazard.outlooks::<DecideError>(table, ledger, context.as_of.date())?.into_iter().collect()
        }
        None => BTreeMap::new(),
    };
    let pd_probs: Vec<Option<f64>> = decided.scores.iter().map(|score| score.pd_prob).collect();
    let mut watched = Vec::with_capacity(table.merchants.len());
    for (at, (merchant, pd_prob)) in table.merchants.iter().zip(pd_probs).enumerate() {
        let lookup = TableRow { table, at };
        let outlook = outlooks.get(merchant).copied();
        let mut freezes = watch_merchant(decided, context, (merchant, &lookup), (facts, pd_prob), outlook)?;
        let standing = restore_merchant(decided, context, merchant, &lookup, facts)?;
        freezes.extend(standing.refusal.clone());
        watched.push(MonitoringResult { freezes, standing, outlook });
    }
    Ok(watched)
}

/// Decides what one merchant is offered.
fn offer_to(
    decided: &mut Decided,
    (lookup, scored, own): (TableRow<'_>, &Scored, &MerchantFacts),
    (facts, seasons, scenarios): (&ShardFacts, &CategoryReceipts, &Scenarios),
    watched: &MonitoringResult,
    context: &DecisionContext<'_>,
) -> Result<(), DecideError> {
    let TableRow { table, at } = lookup;
    let lost = DecideError::Lost { given: table.merchants.len(), answered: at };
    let (Some(merchant), Some(score)) = (table.merchants.get(at), decided.scores.get_mut(at)) else { return Err(lost) };
    let Some(account) = facts.accounts.by_merchant.get(merchant) else { return Err(lost) };
    let refusal = watched.standing.refusal.as_ref();
    let within = scenarios.of(merchant, context, (facts, seasons), watched.outlook, refusal)?;
    if own.has_evidence {
        note_worst_case(score, &within);
    }
    let known = context.bundle.ability.as_ref().zip(own.receipts.as_ref());
    let foreseen = known.map(|(model, history)| model.foresee(history, seasons)).unwrap_or_default();
    if let Some((_, history)) = known {
        let of_merchant = |ahead: &HorizonForecast| MerchantReceipts::new(merchant, history, seasons, ahead);
        decided.receipts.extend(foreseen.horizons.iter().map(of_merchant));
    }
    let case = MerchantCase {
        merchant_id: merchant,
        is_closed: own.is_closed,
        band: &score.band,
        pd: Probability::new(scored.pd)
            .map_err(|source| DecideError::Probability { merchant: merchant.to_owned(), source })?,
        score: score.score,
        scale: Some(context.scale),
        score_reasons: &score.reasons,
        features: &lookup,
        foreseen: &foreseen,
        integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
        record: &BorrowerRecord::of(facts.ledger.as_ref(), merchant),
        account,
        broken_records: own.broken_records.clone(),
        past_trade: own.past_trade.clone(),
        regrowth_minor: watched.standing.most_minor,
        overrides: context.overrides.of(merchant),
        freezes: &watched.freezes,
        scenarios: &within,
    };
    let place = own.place();
    decided.cases.push(CaseRecord::of(&case, Some(place.clone()))?);
    let decision = offer::decide(context.policy, &case, context.as_of)?;
    if !case.overrides.is_empty() {
        let without = offer::decide(context.policy, &MerchantCase { overrides: &[], ..case.clone() }, context.as_of)?;
        let (overrides, on) = (case.overrides, context.as_of.date());
        decided.overrides.extend(offer::override_effects(context.policy, overrides, on, (&decision, &without)));
    }
    if context.policy.crosses_merchants() {
        decided.note_before(Before { account: account.clone(), place }, !decision.offers.is_empty());
    }
    decided.offers.extend(decision.offers);
    let scored = own.has_evidence.then_some(scored);
    let declines = decision.declines.into_iter();
    decided.declines.extend(declines.map(|decline| with_score_changes(decline, context, scored, &lookup)));
    decided.referrals.extend(decision.referral);
    decided.accounts.push(decision.account.statement());
    decided.pledged_to_loans.extend(account.pledged_to_loans().iter().cloned());
    decided.open_offers.extend(decision.account.into_offers());
    Ok(())
}

/// The shard's part of the loan book, and what the next night has to see of it.
fn report_book(decided: &mut Decided, facts: &ShardFacts, context: &DecisionContext<'_>) -> Result<(), DecideError> {
    let (monitor, groups) = (context.watch.monitor, context.book.groups);
    if let Some(ledger) = &facts.ledger {
        decided.portfolio = Some(Portfolio::of(ledger, &monitor.buckets, &monitor.classes, groups)?);
        let (book, rows) = Book::of(ledger, &book_merchants(facts, &decided.scores), &context.book)?;
        decided.book = Some(book);
        (decided.loan_lines, decided.forecasts) = (rows.lines, rows.forecasts);
        decided.loan_exceptions = ledger.exceptions();
    }
    decided.remembered_loans.clone_from(&facts.remembered);
    decided.remembered_members.clone_from(&facts.accounts.members);
    decided.remembered_owners.clone_from(&facts.accounts.remembered_owners);
    decided.remembered_rows.clone_from(&facts.remembered_rows);
    Ok(())
}

/// The decline with what of the score's features alone would reach the score that it needs; nothing of a merchant without a score.
fn with_score_changes(
    decline: Decline,
    context: &DecisionContext<'_>,
    scored: Option<&Scored>,
    row: &TableRow<'_>,
) -> Decline {
    let needed = decline.needed.iter().find(|needed| needed.rule == offer::SCORE).and_then(|score| score.threshold);
    let at_least = needed.and_then(whole).and_then(|score| i32::try_from(score).ok());
    let score_changes = at_least.zip(scored).map_or_else(Default::default, |(at_least, scored)| {
        offer::single_changes(&context.bundle.scorecard, &scored.bins, at_least, |name| row.value(name))
    });
    Decline { score_changes, ..decline }
}

/// What the book says of every merchant of a shard; scores come by merchant.
fn book_merchants(shard: &ShardFacts, scores: &[MerchantScore]) -> BTreeMap<String, BookMerchant> {
    let scores: BTreeMap<&str, &MerchantScore> =
        scores.iter().map(|score| (score.merchant_id.as_str(), score)).collect();
    let of = |(id, facts): (&String, &MerchantFacts)| {
        let score = scores.get(id.as_str());
        let owners = shard.accounts.by_merchant.get(id).and_then(|account| account.owners.as_ref());
        let owner_id = owners.and_then(|owners| owners.owner_id.clone());
        let named = owner_id.as_ref();
        let has_other_shops =
            owners.is_some_and(|owners| owners.shared.iter().any(|share| Some(&share.owner_id) == named));
        let known = BookMerchant {
            category: facts.category.clone(),
            region: facts.region.clone(),
            owner_id,
            has_other_shops,
            band: score.map(|score| score.band.clone()),
            pd_prob: score.and_then(|score| score.pd_prob),
        };
        (id.clone(), known)
    };
    shard.merchants.iter().map(of).collect()
}

fn score_row(
    context: &DecisionContext<'_>,
    merchant: &str,
    lookup: &TableRow<'_>,
    scored: &Scored,
    has_evidence: bool,
) -> Result<MerchantScore, DecideError> {
    let directional = context.features.scored().filter_map(|feature| {
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
    if !has_evidence {
        let text = "neither orders nor loans to judge by";
        return Ok(MerchantScore {
            merchant_id: merchant.to_owned(),
            as_of: context.as_of.date(),
            score: None,
            pd_prob: None,
            band: NO_EVIDENCE_BAND.to_owned(),
            integrity_index: None,
            integrity_capital_minor: None,
            sub_indices: Group::WORDS.into_iter().map(|(_, group)| (group, None)).collect(),
            reasons: vec![Reason { code: ReasonCode::new(NO_EVIDENCE_BAND)?, text: text.to_owned() }],
            model_version: context.bundle.id(),
            worst_case_score: None,
            worst_case_pd_prob: None,
            worst_case_band: None,
        });
    }
    let index = merchant_index(context.reference, directional);
    Ok(MerchantScore {
        merchant_id: merchant.to_owned(),
        as_of: context.as_of.date(),
        score: Some(scored.score),
        pd_prob: Some(scored.pd),
        band: scored.band.clone(),
        integrity_index: index.index,
        integrity_capital_minor: lookup.value(INTEGRITY_CAPITAL).and_then(whole),
        sub_indices: Group::WORDS.into_iter().map(|(word, group)| (group, index.groups.get(word).copied())).collect(),
        reasons: findings(&context.bundle.scorecard, scored, context.features, context.currency)?,
        model_version: context.bundle.id(),
        worst_case_score: None,
        worst_case_pd_prob: None,
        worst_case_band: None,
    })
}

/// Writes beside a score the worst that it could be, where some of the merchant's records of trade are broken. A loan that is not known is left
/// out of either: what it would have done to the score nobody can tell.
fn note_worst_case(score: &mut MerchantScore, scenarios: &[ScenarioCase]) {
    let Some(worst) = scenarios.iter().max_by(|a, b| a.pd.get().total_cmp(&b.pd.get())) else { return };
    let is_worse = score.pd_prob.is_none_or(|pd| worst.pd.get() > pd);
    score.worst_case_score = if is_worse { Some(worst.score) } else { score.score };
    score.worst_case_pd_prob = if is_worse { Some(worst.pd.get()) } else { score.pd_prob };
    score.worst_case_band = Some(if is_worse { worst.band.clone() } else { score.band.clone() });
}

/// The feature that is the stock of trust itself.
pub const INTEGRITY_CAPITAL: &str = "integrity_capital_minor";

/// Watches one merchant; returns the alerts that freeze new credit.
fn watch_merchant(
    decided: &mut Decided,
    context: &DecisionContext<'_>,
    (merchant, lookup): (&str, &TableRow<'_>),
    (facts, pd_prob): (&ShardFacts, Option<f64>),
    outlook: Option<Outlook>,
) -> Result<Vec<Reason>, DecideError> {
    let loans = facts.ledger.as_ref().map(|ledger| ledger.of(merchant));
    let case = MonitorCase {
        merchant_id: merchant,
        features: lookup,
        loans,
        features_before: &context.features_before.of(merchant),
        pledges: facts.pledges.as_ref(),
        outlook,
        standing: context.standing.of(merchant),
    };
    let found = monitor::watch(&context.watch, &case)?;
    for (rule, times) in found.unknown {
        *decided.alerts_unknown.entry(rule).or_default() += times;
    }
    let orders = context.deductions.of(merchant);
    if let Some((terms, loans)) = context.watch.monitor.deduction.as_ref().zip(loans) {
        let case = DeductionCase {
            merchant_id: merchant,
            features: lookup,
            loans,
            alerts: &found.alerts,
            pledges: facts.pledges.as_ref(),
            payments_days_late: context.payments_days_late,
            before: OrdersBefore { orders, tonight: context.as_of.date() },
        };
        let ordered = monitor::deduct(terms, &case)?;
        let unknown = [
            ("receipts", ordered.receipts_unknown),
            ("another-loan", ordered.loans_unknown),
            ("latest-payments", ordered.payments_late),
        ];
        for (what, loans) in unknown.into_iter().filter(|(_, loans)| *loans > 0) {
            *decided.deductions_unknown.entry(what.to_owned()).or_default() += loans;
        }
        decided.deductions.extend(ordered.deductions);
        decided.open_deductions.extend(ordered.open);
    } else {
        decided.open_deductions.extend_from_slice(orders);
    }
    let owing = loans.unwrap_or_default();
    if let Some(terms) = &context.watch.monitor.restructure {
        let tonight = context.as_of.date();
        decided.proposals.extend(monitor::propose(terms, merchant, lookup, owing, &found.alerts, tonight)?);
    }
    let loss_given_default = context.policy.price.loss_given_default_prob.get();
    let queue = &context.watch.monitor.queue;
    decided.queue.extend(queue.line(merchant, owing, &found.alerts, pd_prob, loss_given_default));
    decided.alerts.extend(found.alerts);
    Ok(found.freezes)
}

/// How good the merchant is as a borrower; merchants who never borrowed have no row.
fn restore_merchant(
    decided: &mut Decided,
    context: &DecisionContext<'_>,
    merchant: &str,
    lookup: &TableRow<'_>,
    facts: &ShardFacts,
) -> Result<CreditStanding, DecideError> {
    let (terms, tonight) = (&context.watch.monitor.restoration, context.as_of.date());
    let before = context.states.of(merchant);
    let row = match &facts.ledger {
        None => before.map(|row| row.unseen(tonight, "no-loan-book")),
        Some(ledger) => {
            let loans = ledger.of(merchant);
            let has_record = before.is_some() || !loans.known.is_empty() || !loans.unknown.is_empty();
            let mut own = decided.alerts.iter().rev().take_while(|alert| alert.merchant_id == merchant);
            let is_watched = own.any(Alert::acts);
            let seen = BorrowerNight::of(loans, context.book.groups, is_watched);
            has_record.then(|| monitor::next_state(terms, merchant, before, &seen, tonight)).map(|row| {
                let help = terms.help.as_ref();
                help.map_or_else(|| row.clone(), |help| row.clone().with_help(help, &seen, |name| lookup.value(name)))
            })
        }
    };
    let Some(row) = row else { return Ok(CreditStanding::default()) };
    let standing = monitor::standing_of(&row)?;
    decided.borrower_states.push(row);
    Ok(standing)
}
