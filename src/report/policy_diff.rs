//! What another policy would have decided on a published run: who gains, who loses, how much, and why. From the run's own files. What crosses
//! merchants, a budget or limits and rates chosen together, is settled over the whole run as at night ([`super::together`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::policy_change::{Change, ChangeKind, change};
use super::run_again::RunAgain;
use super::settled_run::SettledRun;
use crate::config::ConfigError;
use crate::domain::{AsOfError, Currency};
use crate::exposure::GroupTerms;
use crate::offer::{Decision, Offer, OfferError, OptimisationSummary, Policy, PolicyApproval};
use crate::publish::PublishError;
use crate::score::MerchantScore;

/// Why two policies cannot be compared on a run.
#[derive(Debug, thiserror::Error)]
pub enum PolicyDiffError {
    /// A policy file, or one that does not suit the run's features, bands or currency.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The run cannot be read, or is not what was published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A decision that cannot be made again.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The run's date.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// The policies draw merchants' accounts up differently, and the run holds one account a merchant.
    #[error("compare two policies on the accounts of one run: they differ in {what}, and so would the accounts")]
    Accounts {
        /// Keys of the policy file.
        what: String,
    },
    /// The policy does not optimise.
    #[error("optimise run {run}: {policy} has no section [optimisation]")]
    NotOptimised {
        /// The run.
        run: String,
        /// The policy's file.
        policy: String,
    },
    /// The run was published by an earlier version of the program, or its policy did not ask.
    #[error("decide again on run {run}: it does not say {what}")]
    Incomplete {
        /// The run.
        run: String,
        /// What is missing.
        what: &'static str,
    },
}

/// A policy, as a reader knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyName {
    /// Its file.
    pub file: String,
    /// Who stands for it; null where it does not say.
    pub approval: Option<PolicyApproval>,
    /// Whether it may decide the run's date.
    pub holds: bool,
}

/// What another policy would have decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyDiff {
    /// The run.
    pub run_id: String,
    /// Its as-of date.
    pub as_of: Date,
    /// Currency of all amounts.
    pub currency: Option<Currency>,
    /// The policy that is compared with.
    pub before: PolicyName,
    /// The policy that is compared.
    pub after: PolicyName,
    /// Merchants decided on.
    pub merchants: u64,
    /// Offers that the run published and `before` would not have made, or made otherwise, and the other way round; 0 where `before` is the
    /// run's own policy.
    pub before_differs_from_published: u64,
    /// What choosing limits and rates together comes to before; null where that policy does not.
    pub optimisation_before: Option<OptimisationSummary>,
    /// The same after.
    pub optimisation_after: Option<OptimisationSummary>,
    /// By product.
    pub products: BTreeMap<String, ProductTotals>,
    /// By merchant and product.
    pub changes: Vec<Change>,
}

/// What changes for a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProductTotals {
    /// Offers before.
    pub offers_before: u64,
    /// Offers after.
    pub offers_after: u64,
    /// Sum of limits before.
    pub limit_before_minor: i64,
    /// Sum of limits after.
    pub limit_after_minor: i64,
    /// Loss expected should all limits be drawn in full, before: limit × PD × the policy's loss given default.
    pub expected_loss_before_minor: f64,
    /// The same after.
    pub expected_loss_after_minor: f64,
    /// Merchants by what changes for them.
    pub changes: BTreeMap<ChangeKind, u64>,
    /// Merchants by what makes the difference; one may stand under several.
    pub causes: BTreeMap<String, u64>,
}

/// Decides every merchant of a run, or of an output folder's current run, under two policies.
///
/// # Errors
/// See [`PolicyDiffError`].
pub fn policy_diff(run: &Path, before: &Path, after: &Path) -> Result<PolicyDiff, PolicyDiffError> {
    let run = RunAgain::open(run)?;
    let (before_policy, after_policy) = (Policy::open(before)?, Policy::open(after)?);
    run.check(&before_policy)?;
    run.check(&after_policy)?;
    check_accounts(&before_policy, &after_policy)?;
    let manifest = run.manifest();
    let mut diff = PolicyDiff {
        run_id: manifest.run_id.clone(),
        as_of: manifest.as_of,
        currency: manifest.currency,
        before: run.named(before, &before_policy),
        after: run.named(after, &after_policy),
        merchants: 0,
        before_differs_from_published: 0,
        optimisation_before: None,
        optimisation_after: None,
        products: BTreeMap::new(),
        changes: Vec::new(),
    };
    let mut published: BTreeMap<String, Vec<Offer>> = BTreeMap::new();
    for offer in run.book.all::<Offer>()? {
        let offer = offer?;
        published.entry(offer.merchant_id.clone()).or_default().push(offer);
    }
    let (mut old, mut new) = (SettledRun::of(&before_policy, &run)?, SettledRun::of(&after_policy, &run)?);
    (diff.optimisation_before, diff.optimisation_after) = (old.optimisation.take(), new.optimisation.take());
    run.each_case(|score, case, _| {
        let (old, new) = (old.decide(case, &run.as_of)?, new.decide(case, &run.as_of)?);
        diff.merchants += 1;
        let as_published = published.remove(&score.merchant_id).unwrap_or_default();
        diff.before_differs_from_published += differing(&old.offers, &as_published);
        note(&mut diff, (&before_policy, &old), (&after_policy, &new), score);
        Ok(())
    })?;
    Ok(diff)
}

/// Refuses policies under which the accounts of the run would not be the same.
fn check_accounts(before: &Policy, after: &Policy) -> Result<(), PolicyDiffError> {
    let none = BTreeSet::new();
    let (a, b) = (before.account_terms(&none), after.account_terms(&none));
    let parts = [
        ("[receivables]", a.receivables == b.receivables),
        // How strongly members depend on one another is looked at when they are decided on; that they do is in the account.
        ("[groups]", a.groups.map(members_known) == b.groups.map(members_known)),
        ("products that rest on receivables", a.secured_products == b.secured_products),
        ("loan_book", a.keeps_loan_book == b.keeps_loan_book),
        ("offer_valid_days", a.application_days == b.application_days),
        ("declaration_days", a.declaration_days == b.declaration_days),
        ("[default_dpd]", before.default_dpd == after.default_dpd),
    ];
    let differing: Vec<&str> = parts.iter().filter(|(_, same)| !same).map(|(what, _)| *what).collect();
    if differing.is_empty() { Ok(()) } else { Err(PolicyDiffError::Accounts { what: differing.join(", ") }) }
}

/// What of the terms of groups an account holds.
const fn members_known(terms: &GroupTerms) -> (i64, bool) {
    (terms.cap_minor, terms.dependence.is_some())
}

/// Offers in one list and not, with the same terms, in the other.
fn differing(old: &[Offer], published: &[Offer]) -> u64 {
    let ids = |offers: &[Offer]| offers.iter().map(|o| o.offer_id.clone()).collect::<BTreeSet<_>>();
    ids(old).symmetric_difference(&ids(published)).count() as u64
}

fn note(diff: &mut PolicyDiff, before: (&Policy, &Decision), after: (&Policy, &Decision), score: &MerchantScore) {
    let products: BTreeSet<&str> =
        [before.0, after.0].into_iter().flat_map(|p| &p.products).map(|p| p.name.as_str()).collect();
    for product in products {
        let totals = diff.products.entry(product.to_owned()).or_default();
        let offer = |decision: &Decision| decision.offers.iter().find(|o| o.product == product).map(|o| o.limit_minor);
        let expected = |policy: &Policy, limit: i64| {
            limit as f64 * score.pd_prob.unwrap_or(1.0) * policy.price.loss_given_default_prob.get()
        };
        if let Some(limit) = offer(before.1) {
            totals.offers_before += 1;
            totals.limit_before_minor = totals.limit_before_minor.saturating_add(limit);
            totals.expected_loss_before_minor += expected(before.0, limit);
        }
        if let Some(limit) = offer(after.1) {
            totals.offers_after += 1;
            totals.limit_after_minor = totals.limit_after_minor.saturating_add(limit);
            totals.expected_loss_after_minor += expected(after.0, limit);
        }
        if let Some(change) = change(&score.merchant_id, product, score.pd_prob, before.1, after.1) {
            *totals.changes.entry(change.kind).or_default() += 1;
            let causes: BTreeSet<String> = change.why.iter().map(super::policy_change::Cause::name).collect();
            for cause in causes {
                *totals.causes.entry(cause).or_default() += 1;
            }
            diff.changes.push(change);
        }
    }
}
