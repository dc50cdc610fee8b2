//! The portfolio's budget: what all merchants together may owe and be offered. It crosses merchants, so it is settled once all shards are decided.
//!
//! Offers are put in order by expected profit, most first, then by merchant and product, and granted while the budget lasts. One that does not
//! fit is declined, and the merchant's account is drawn up again from what it was before tonight with the offers that are left. A merchant's later
//! products were decided with the withheld one in place: they keep their limits, which are no larger than they would be without it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::decide::Decided;
use crate::domain::AsOf;
use crate::offer::{self, Offer, OfferError, Policy, within_budget};

/// Withholds what the budget does not carry and writes into every other offer what the budget left for it. Without a budget nothing changes.
/// The shards may come in any order.
pub fn settle_budget(shards: &mut [Decided], policy: &Policy, as_of: &AsOf) -> Result<(), OfferError> {
    let Some(budget) = policy.portfolio_budget_minor else { return Ok(()) };
    // What is not known to be owed cannot be counted; those merchants are offered nothing.
    let accounts = || shards.iter().flat_map(|shard| shard.accounts.iter().map(move |account| (shard, account)));
    let owed = accounts().filter_map(|(_, account)| account.owed_minor);
    // What earlier nights offered holds its part whether or not tonight's offer takes its place.
    let held = accounts().map(|(shard, account)| match shard.before.get(&account.merchant_id) {
        Some(before) => before.held_minor(None),
        None => account.held_minor,
    });
    let mut left = owed.chain(held).fold(budget, i64::saturating_sub);

    let mut offers: Vec<(i64, &mut Offer)> = Vec::new();
    for Decided { offers: of_shard, before, .. } in shards.iter_mut() {
        for offer in of_shard {
            let replaced = before.get(&offer.merchant_id).and_then(|account| account.replaced(&offer.product));
            // An offer needs room only for what it holds beyond the one whose place it takes.
            let more = offer.limit_minor.saturating_sub(replaced.map_or(0, |replaced| replaced.held_minor));
            offers.push((more.max(0), offer));
        }
    }
    offers.sort_by(|(_, a), (_, b)| {
        let by_profit = Reverse(a.expected_profit_minor()).cmp(&Reverse(b.expected_profit_minor()));
        by_profit.then_with(|| (&a.merchant_id, &a.product).cmp(&(&b.merchant_id, &b.product)))
    });
    let mut withheld: BTreeSet<String> = BTreeSet::new();
    for (more, offer) in offers {
        if within_budget(offer, budget, left, offer.limit_minor - more, policy.limit_step_minor) {
            left -= more;
        } else {
            withheld.insert(offer.offer_id.clone());
        }
    }
    shards.iter_mut().try_for_each(|shard| withhold(shard, &withheld, policy, as_of))
}

fn withhold(shard: &mut Decided, withheld: &BTreeSet<String>, policy: &Policy, as_of: &AsOf) -> Result<(), OfferError> {
    let (gone, kept): (Vec<Offer>, Vec<Offer>) =
        std::mem::take(&mut shard.offers).into_iter().partition(|offer| withheld.contains(&offer.offer_id));
    shard.offers = kept;
    let touched: BTreeSet<String> = gone.iter().map(|offer| offer.merchant_id.clone()).collect();
    for offer in gone {
        shard.referrals.retain(|r| r.merchant_id != offer.merchant_id || r.product != offer.product);
        shard.declines.push(offer.over_budget()?);
    }
    shard.open_offers.retain(|offer| !touched.contains(&offer.merchant_id));
    let before = std::mem::take(&mut shard.before);
    for (merchant, account) in before.into_iter().filter(|(merchant, _)| touched.contains(merchant)) {
        let granted: Vec<&Offer> = shard.offers.iter().filter(|offer| offer.merchant_id == merchant).collect();
        let account = offer::settle(policy, account, &granted, as_of);
        if let Some(slot) = shard.accounts.iter_mut().find(|statement| statement.merchant_id == merchant) {
            *slot = account.statement();
        }
        shard.open_offers.extend(account.into_offers());
    }
    Ok(())
}
