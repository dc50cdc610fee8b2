//! What crosses merchants once all are decided: the portfolio's budget, or the optimisation of all limits and rates together.
//!
//! **Budget alone**: offers are put in order by expected profit, most first, then by merchant and product, and granted while the budget lasts. Where
//! more is owed and held by open offers than the budget allows, the last of those that would be renewed are not ([`super::room`]).
//! **Optimisation**: each offer gets a limit no larger than its caps allow and one of its admissible rates, or nothing, so that the expected profit of
//! all is largest within budget, expected loss, concentration and the least share of offers ([`crate::optimise`]).
//!
//! Merchants come in parts, such as shards, in any order: each part tells what its offers ask for, all are settled together, and each part's offers are
//! drawn up again with what came of them.

use std::cmp::Reverse;

use super::case_record::CasePlace;
use super::decision::{Decline, Offer, at_terms, opened};
use super::error::OfferError;
use super::limit::within_budget;
use super::optimisation::ChoiceGrid;
use super::policy::Policy;
use super::portfolio::{Committed, OfferPool, OptimisationSummary};
use super::room::{RoomLeft, room_minor};
use crate::domain::AsOf;
use crate::exposure::Account;

/// What the offers of a part of the merchants ask for, in their order.
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

/// An offer that is to be settled with others.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// What is held by the offer whose place it takes.
    pub held_minor: i64,
    /// Where its merchant stands; `None` where that is not known.
    pub place: Option<&'a CasePlace>,
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
        /// Left; negative where the budget is overdrawn.
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

    /// What the offers of a part ask for, whose merchants owed and could draw so much before.
    ///
    /// # Errors
    /// A schedule without an annual rate.
    pub fn claims<'o>(
        &self,
        committed: &Committed,
        offers: impl Iterator<Item = Claimant<'o>>,
    ) -> Result<Claims, OfferError> {
        let nowhere = CasePlace::default();
        let mut count = 0;
        let counted = offers.inspect(|_| count += 1);
        let of = match (&self.grid, self.policy.portfolio_budget_minor) {
            (Some(grid), _) => {
                let mut pool = OfferPool::beside(committed.clone());
                for Claimant { offer, held_minor, place } in counted {
                    pool.add(self.policy, grid, (offer, held_minor), place.unwrap_or(&nowhere))?;
                }
                ClaimsOf::Optimisation(pool)
            }
            (None, Some(_)) => {
                let claim = |Claimant { offer, held_minor, .. }: Claimant<'_>| Claim {
                    profit: Reverse(offer.expected_profit_minor()),
                    merchant_id: offer.merchant_id.clone(),
                    product: offer.product.clone(),
                    limit_minor: offer.limit_minor,
                    held_minor,
                };
                ClaimsOf::Budget(committed.all_minor, counted.map(claim).collect())
            }
            (None, None) => {
                counted.for_each(drop);
                ClaimsOf::Nothing
            }
        };
        Ok(Claims { offers: count, of })
    }

    /// Settles the claims of all parts, which may come in any order: what came of every offer, part by part.
    #[must_use]
    pub fn settle(&self, claims: Vec<Claims>) -> (Vec<Vec<Settled>>, Option<OptimisationSummary>) {
        let counts: Vec<usize> = claims.iter().map(|claims| claims.offers).collect();
        let (mut pools, mut asked, mut committed) = (Vec::new(), Vec::new(), 0_i64);
        for (part, claims) in claims.into_iter().enumerate() {
            match claims.of {
                ClaimsOf::Nothing => {}
                ClaimsOf::Budget(of_part, offers) => {
                    committed = committed.saturating_add(of_part);
                    asked.extend(offers.into_iter().enumerate().map(|(at, claim)| (claim, (part, at))));
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
        let mut left = RoomLeft::new(self.policy.portfolio_budget_minor.unwrap_or(i64::MAX).saturating_sub(committed));
        asked.sort_unstable();
        for (claim, _) in &asked {
            left.hold(claim.held_minor);
        }
        for (Claim { limit_minor, held_minor, .. }, (part, at)) in asked {
            let left_minor = left.turn(held_minor);
            let fits = limit_minor <= room_minor(left_minor, held_minor);
            left.settle(held_minor, if fits { limit_minor } else { 0 });
            if let Some(slot) = settled.get_mut(part).and_then(|offers| offers.get_mut(at)) {
                *slot = Settled::Budget { left_minor, held_minor };
            }
        }
        (settled, None)
    }

    /// A merchant's account from before tonight with what is left of tonight's offers on it, in the order of the policy's products.
    ///
    /// # Errors
    /// Terms that make no schedule.
    pub fn draw_up(
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::ConfigFile;
    use crate::offer::property_tests::POLICY;

    /// Which claims fit a budget, by their place; each is of a merchant, most profitable first: limit, and what is held by the offer whose place it takes.
    fn fit(budget_minor: i64, committed_minor: i64, claims: &[(i64, i64)]) -> Vec<bool> {
        let text = format!("portfolio_budget_minor = {budget_minor}\n{POLICY}");
        let policy = Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap();
        let claim = |(at, &(limit_minor, held_minor)): (usize, &(i64, i64))| Claim {
            profit: Reverse(1_000 - i64::try_from(at).unwrap()),
            merchant_id: format!("m{at}"),
            product: "credit-loan".to_owned(),
            limit_minor,
            held_minor,
        };
        // Shards come in any order.
        let mut parts: Vec<Claims> = claims
            .iter()
            .enumerate()
            .map(|one| Claims { offers: 1, of: ClaimsOf::Budget(0, vec![claim(one)]) })
            .collect();
        parts.push(Claims { offers: 0, of: ClaimsOf::Budget(committed_minor, Vec::new()) });
        let (settled, summary) = Settlement::of(&policy).unwrap().settle(parts);
        assert_eq!(summary, None);
        let fits = |(settled, (limit_minor, _)): (&Settled, &(i64, i64))| match settled {
            Settled::Budget { left_minor, held_minor } => *limit_minor <= room_minor(*left_minor, *held_minor),
            Settled::AsDecided | Settled::Chosen(_) => panic!("{settled:?}"),
        };
        settled.iter().flatten().zip(claims).map(fits).collect()
    }

    #[test]
    fn within_the_budget_an_offer_needs_room_for_what_it_holds_beyond_the_one_before() {
        assert_eq!(fit(300, 200, &[(100, 0), (100, 100), (100, 100), (1, 0)]), [true, true, true, false]);
        assert_eq!(fit(300, 200, &[(150, 100), (150, 100), (151, 0)]), [true, true, false]);
    }

    #[test]
    fn renewals_cover_what_is_committed_beyond_the_budget_the_least_profitable_first() {
        assert_eq!(fit(150, 200, &[(100, 100), (100, 100)]), [true, false]);
        assert_eq!(fit(150, 200, &[(100, 100), (50, 100)]), [true, true], "a smaller one gives back enough");
        assert_eq!(fit(150, 200, &[(1, 0), (100, 100), (100, 100)]), [false, true, false], "nothing new fits");
        assert_eq!(fit(150, 300, &[(100, 100), (100, 100), (100, 100)]), [true, false, false]);
        assert_eq!(fit(90, 200, &[(100, 100), (90, 100)]), [false, true], "less than the first asks is left for both");
        assert_eq!(fit(150, 260, &[(100, 100), (100, 100)]), [false, false], "60 are owed: 90 are left for offers");
        assert_eq!(fit(10, 100, &[(5, 50)]), [false], "what is owed alone is above the budget");
        // What the last one gives back beyond the overdraft lends nobody anything: it may have been drawn the hour before.
        assert_eq!(fit(150, 200, &[(100, 100), (100, 100), (20, 0)]), [true, false, false]);
    }
}
