//! What crosses merchants once all are decided: the portfolio's budget, or the optimisation of all limits and rates together.
//!
//! ```text
//! every shard ──▶ claims: what its offers ask for, in a few numbers each ──▶ settled together ──▶ each shard's offers, declines and accounts
//! ```
//! **Budget alone**: offers are put in order by expected profit, most first, then by merchant and product, and granted while the budget lasts.
//! **Optimisation**: each offer gets a limit no larger than its caps allow and one of its admissible rates, or nothing, so that the expected profit of
//! all is largest within budget, expected loss, concentration and the least share of offers ([`crate::optimise`]).
//!
//! Where an offer is withheld or changed, its merchant's account is drawn up again from what it was before tonight with the offers that are left. A
//! merchant's later products were decided with the larger offer in place: they keep their limits, which are no larger than they would be without it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decide::Decided;
use crate::domain::AsOf;
use crate::exposure::{Account, OpenOffer, Statement};
use crate::offer::{
    BankReferral, CasePlace, ChoiceGrid, Decline, Offer, OfferError, OfferPool, OptimisationSummary, Policy, at_terms,
    opened, within_budget,
};

/// A merchant before tonight.
#[derive(Debug, Serialize, Deserialize)]
pub struct Before {
    /// The account.
    pub account: Account,
    /// Where the merchant stands in the portfolio.
    pub place: CasePlace,
}

/// What the offers of a shard ask for, in their order.
#[derive(Debug)]
pub struct Claims {
    offers: usize,
    of: ClaimsOf,
}

#[derive(Debug)]
enum ClaimsOf {
    Nothing,
    Budget(i64, Vec<Claim>),
    Optimisation(OfferPool),
}

/// What one offer asks of the budget.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    profit: Reverse<i64>,
    merchant_id: String,
    product: String,
    limit_minor: i64,
    /// What the offer holds whose place it takes.
    held_minor: i64,
}

/// What came of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It stands as it was decided.
    AsDecided,
    /// So much of the budget was left at its turn, and it takes over what an earlier offer holds.
    Budget {
        /// Left.
        left_minor: i64,
        /// Taken over.
        held_minor: i64,
    },
    /// Limit and rate that optimisation chose; `None` for nothing.
    Chosen(Option<(i64, i64)>),
}

/// How a policy settles what crosses merchants.
#[derive(Debug)]
pub struct Settlement<'a> {
    policy: &'a Policy,
    grid: Option<ChoiceGrid>,
}

impl<'a> Settlement<'a> {
    /// The settlement that a policy asks for.
    ///
    /// # Errors
    /// A product without a schedule.
    pub fn of(policy: &'a Policy) -> Result<Self, OfferError> {
        Ok(Self { policy, grid: ChoiceGrid::of(policy)? })
    }

    /// What a shard's offers ask for.
    ///
    /// # Errors
    /// A schedule without an annual rate.
    pub fn claims(&self, shard: &Decided) -> Result<Claims, OfferError> {
        let held = |offer: &Offer| {
            let before = shard.before.get(&offer.merchant_id);
            before.and_then(|before| before.account.replaced(&offer.product)).map_or(0, |replaced| replaced.held_minor)
        };
        let of = match (&self.grid, self.policy.portfolio_budget_minor) {
            (Some(grid), _) => {
                let mut pool = OfferPool::beside(shard.committed.clone());
                for offer in &shard.offers {
                    let place = shard.before.get(&offer.merchant_id).map(|before| before.place.clone());
                    pool.add(self.policy, grid, (offer, held(offer)), &place.unwrap_or_default())?;
                }
                ClaimsOf::Optimisation(pool)
            }
            (None, Some(_)) => {
                let claim = |offer: &Offer| Claim {
                    profit: Reverse(offer.expected_profit_minor()),
                    merchant_id: offer.merchant_id.clone(),
                    product: offer.product.clone(),
                    limit_minor: offer.limit_minor,
                    held_minor: held(offer),
                };
                ClaimsOf::Budget(shard.committed.all_minor, shard.offers.iter().map(claim).collect())
            }
            (None, None) => ClaimsOf::Nothing,
        };
        Ok(Claims { offers: shard.offers.len(), of })
    }

    /// Settles the claims of all shards, which may come in any order: what came of every offer, shard by shard.
    #[must_use]
    pub fn settle(&self, claims: Vec<Claims>) -> (Vec<Vec<Settled>>, Option<OptimisationSummary>) {
        let counts: Vec<usize> = claims.iter().map(|claims| claims.offers).collect();
        let (mut pools, mut asked, mut committed) = (Vec::new(), Vec::new(), 0_i64);
        for (shard, claims) in claims.into_iter().enumerate() {
            match claims.of {
                ClaimsOf::Nothing => {}
                ClaimsOf::Budget(of_shard, offers) => {
                    committed = committed.saturating_add(of_shard);
                    asked.extend(offers.into_iter().enumerate().map(|(at, claim)| (claim, (shard, at))));
                }
                ClaimsOf::Optimisation(pool) => pools.push(pool),
            }
        }
        let mut settled: Vec<Vec<Settled>> = counts.iter().map(|count| vec![Settled::AsDecided; *count]).collect();
        if let Some(grid) = &self.grid {
            let allocated = OfferPool::joined(pools).allocate(self.policy, grid);
            for (slot, terms) in settled.iter_mut().flatten().zip(allocated.terms) {
                *slot = Settled::Chosen(terms);
            }
            return (settled, Some(allocated.summary));
        }
        let mut left = self.policy.portfolio_budget_minor.unwrap_or(i64::MAX).saturating_sub(committed);
        asked.sort_unstable();
        for (claim, (shard, at)) in asked {
            if let Some(slot) = settled.get_mut(shard).and_then(|offers| offers.get_mut(at)) {
                *slot = Settled::Budget { left_minor: left, held_minor: claim.held_minor };
            }
            // An offer needs room only for what it holds beyond the one whose place it takes.
            let more = claim.limit_minor.saturating_sub(claim.held_minor).max(0);
            if claim.limit_minor <= left.max(0).saturating_add(claim.held_minor) {
                left = left.saturating_sub(more);
            }
        }
        (settled, None)
    }

    /// Writes what came of its offers into a shard.
    ///
    /// # Errors
    /// Terms that make no schedule.
    pub fn apply(&self, shard: &mut Decided, settled: Vec<Settled>, as_of: &AsOf) -> Result<(), OfferError> {
        let mut of_merchants: BTreeMap<String, Vec<(Offer, Settled)>> = BTreeMap::new();
        for (offer, settled) in std::mem::take(&mut shard.offers).into_iter().zip(settled) {
            of_merchants.entry(offer.merchant_id.clone()).or_default().push((offer, settled));
        }
        let mut before = std::mem::take(&mut shard.before);
        let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
        let mut anew: BTreeMap<String, Account> = BTreeMap::new();
        for (merchant, offers) in of_merchants {
            let Some(Before { account, .. }) = before.remove(&merchant) else {
                shard.offers.extend(offers.into_iter().map(|(offer, _)| offer));
                continue;
            };
            let ids: Vec<String> = offers.iter().map(|(offer, _)| offer.offer_id.clone()).collect();
            let (account, kept, declines) = self.draw_up(account, offers, as_of)?;
            gone.extend(declines.iter().map(|decline| (decline.merchant_id.clone(), decline.product.clone())));
            if kept.iter().map(|offer| &offer.offer_id).ne(&ids) {
                anew.insert(merchant, account);
            }
            shard.offers.extend(kept);
            shard.declines.extend(declines);
        }
        shard.referrals.retain(|r| !gone.contains(&(r.merchant_id.clone(), r.product.clone())));
        shard.open_offers.retain(|offer| !anew.contains_key(&offer.merchant_id));
        for statement in &mut shard.accounts {
            if let Some(account) = anew.get(&statement.merchant_id) {
                *statement = account.statement();
            }
        }
        shard.open_offers.extend(anew.into_values().flat_map(Account::into_offers));
        Ok(())
    }

    /// A merchant's account from before tonight with what is left of tonight's offers on it, in the order of the policy's products.
    fn draw_up(
        &self,
        mut account: Account,
        mut offers: Vec<(Offer, Settled)>,
        as_of: &AsOf,
    ) -> Result<(Account, Vec<Offer>, Vec<Decline>), OfferError> {
        let policy = self.policy;
        let (mut kept, mut declines) = (Vec::new(), Vec::new());
        account.withdraw_products(|name| policy.products.iter().all(|product| product.name != name));
        for product in &policy.products {
            let at = offers.iter().position(|(offer, _)| offer.product == product.name);
            let Some((mut offer, settled)) = at.map(|at| offers.remove(at)) else {
                account.withdraw(&product.name);
                continue;
            };
            let left = match settled {
                Settled::AsDecided => Some(offer),
                Settled::Budget { left_minor, held_minor } => {
                    let budget = policy.portfolio_budget_minor.unwrap_or(i64::MAX);
                    if within_budget(&mut offer, budget, left_minor, held_minor, policy.limit_step_minor) {
                        Some(offer)
                    } else {
                        declines.push(offer.over_budget()?);
                        None
                    }
                }
                Settled::Chosen(Some(terms)) => Some(at_terms(policy, offer, terms, &account, as_of)?),
                Settled::Chosen(None) => {
                    declines.push(offer.optimised_away()?);
                    None
                }
            };
            match left {
                Some(offer) => {
                    account.grant(opened(&offer, &account, as_of));
                    kept.push(offer);
                }
                None => account.withdraw(&product.name),
            }
        }
        Ok((account, kept, declines))
    }
}

/// Settles shards that are all in memory.
///
/// # Errors
/// A product without a schedule.
pub fn settle_shards(shards: &mut [Decided], policy: &Policy, as_of: &AsOf) -> Result<(), OfferError> {
    if !policy.crosses_merchants() {
        return Ok(());
    }
    let settlement = Settlement::of(policy)?;
    let claims = shards.iter().map(|shard| settlement.claims(shard)).collect::<Result<Vec<_>, _>>()?;
    let (settled, _) = settlement.settle(claims);
    shards.iter_mut().zip(settled).try_for_each(|(shard, settled)| settlement.apply(shard, settled, as_of))
}

/// What of a shard waits until all are decided: the rows that settling may change, and what it needs for it.
#[derive(Serialize, Deserialize)]
pub struct Waiting {
    offers: Vec<Offer>,
    declines: Vec<Decline>,
    referrals: Vec<BankReferral>,
    open_offers: Vec<OpenOffer>,
    accounts: Vec<Statement>,
    before: BTreeMap<String, Before>,
}

impl Waiting {
    /// Takes what has to wait from a shard. Accounts stay in it too, as its sums need them: the shard's own may not be published.
    pub fn take_from(shard: &mut Decided) -> Self {
        Self {
            offers: std::mem::take(&mut shard.offers),
            declines: std::mem::take(&mut shard.declines),
            referrals: std::mem::take(&mut shard.referrals),
            open_offers: std::mem::take(&mut shard.open_offers),
            accounts: shard.accounts.clone(),
            before: std::mem::take(&mut shard.before),
        }
    }

    /// What waited, as a shard of nothing else.
    pub fn into_shard(self) -> Decided {
        let Self { offers, declines, referrals, open_offers, accounts, before } = self;
        Decided { offers, declines, referrals, open_offers, before, accounts, ..Decided::default() }
    }
}
