//! What crosses merchants once all are decided ([`crate::offer::Settlement`]), shard by shard.
//!
//! ```text
//! every shard ──▶ claims: what its offers ask for, in a few numbers each ──▶ settled together ──▶ each shard's offers, declines and accounts
//! ```
//! Where an offer is withheld or changed, its merchant's account is drawn up again from what it was before tonight with the offers that are left. A
//! merchant's later products were decided with the larger offer in place: they keep their limits, which are no larger than they would be without it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decide::Decided;
use crate::domain::AsOf;
use crate::exposure::{Account, OpenOffer, Statement};
use crate::offer::{
    BankReferral, CasePlace, Claimant, Claims, Decline, Offer, OfferError, Policy, Settled, Settlement,
};

/// A merchant before tonight.
#[derive(Debug, Serialize, Deserialize)]
pub struct Before {
    /// The account.
    pub account: Account,
    /// Where the merchant stands in the portfolio.
    pub place: CasePlace,
}

/// What a shard's offers ask for.
///
/// # Errors
/// A schedule without an annual rate.
pub fn claims_of(settlement: &Settlement<'_>, shard: &Decided) -> Result<Claims, OfferError> {
    settlement.claims(&shard.committed, shard.offers.iter().map(|offer| claimant(shard, offer)))
}

fn claimant<'a>(shard: &'a Decided, offer: &'a Offer) -> Claimant<'a> {
    let before = shard.before.get(&offer.merchant_id);
    let replaced = before.and_then(|before| before.account.replaced(&offer.product));
    Claimant {
        offer,
        held_minor: replaced.map_or(0, |replaced| replaced.held_minor),
        place: before.map(|before| &before.place),
    }
}

/// Writes what came of its offers into a shard.
///
/// # Errors
/// Terms that make no schedule.
pub fn apply(
    settlement: &Settlement<'_>,
    shard: &mut Decided,
    settled: Vec<Settled>,
    as_of: &AsOf,
) -> Result<(), OfferError> {
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
        let (account, kept, declines) = settlement.draw_up(account, offers, as_of)?;
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

/// Settles shards that are all in memory.
///
/// # Errors
/// A product without a schedule.
pub fn settle_shards(shards: &mut [Decided], policy: &Policy, as_of: &AsOf) -> Result<(), OfferError> {
    if !policy.crosses_merchants() {
        return Ok(());
    }
    let settlement = Settlement::of(policy)?;
    let claims = shards.iter().map(|shard| claims_of(&settlement, shard)).collect::<Result<Vec<_>, _>>()?;
    let (settled, _) = settlement.settle(claims);
    shards.iter_mut().zip(settled).try_for_each(|(shard, settled)| apply(&settlement, shard, settled, as_of))
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
