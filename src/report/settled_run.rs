//! What crosses merchants, decided again on a published run: a budget, or limits and rates chosen together, under a policy that need not be the run's.
//!
//! Every merchant is decided twice: once for what its offers ask for, of which a few numbers each are kept, and once more, with what came of them.

use super::policy_diff::PolicyDiffError;
use super::run_again::RunAgain;
use crate::domain::AsOf;
use crate::offer::{
    CaseFacts, CasePlace, Claimant, Claims, Committed, Decision, MerchantCase, Offer, OptimisationSummary, Policy,
    Settled, Settlement, decide,
};

/// Merchants whose offers are held at once.
const PART: usize = 4_096;

/// A policy, and what its bounds left of every offer of a run, in the order of its cases.
pub(super) struct SettledRun<'p> {
    policy: &'p Policy,
    settlement: Option<Settlement<'p>>,
    settled: std::vec::IntoIter<Settled>,
    /// What optimisation came to; `None` where the policy does not optimise.
    pub optimisation: Option<OptimisationSummary>,
}

/// Offers of some merchants, and what these owed before.
#[derive(Default)]
struct Part {
    merchants: usize,
    committed: Committed,
    offers: Vec<(Offer, i64, CasePlace)>,
}

impl Part {
    fn claims(&mut self, settlement: &Settlement<'_>) -> Result<Claims, PolicyDiffError> {
        let Self { committed, offers, .. } = std::mem::take(self);
        let claimants = offers.iter().map(|(offer, held_minor, place)| Claimant {
            offer,
            held_minor: *held_minor,
            place: Some(place),
        });
        Ok(settlement.claims(&committed, claimants)?)
    }
}

impl<'p> SettledRun<'p> {
    /// Settles all offers of a run under a policy; nothing is settled where no bound of it crosses merchants.
    ///
    /// # Errors
    /// Files that cannot be read, decisions that cannot be made again, or a run that does not say where merchants stand.
    pub fn of(policy: &'p Policy, run: &RunAgain) -> Result<Self, PolicyDiffError> {
        let alone = Self { policy, settlement: None, settled: Vec::new().into_iter(), optimisation: None };
        if !policy.crosses_merchants() {
            return Ok(alone);
        }
        let settlement = Settlement::of(policy)?;
        let (mut claims, mut part) = (Vec::new(), Part::default());
        run.each_case(|_, case, facts| {
            let place = place_of(policy, run, facts)?;
            part.committed.add(&place, case.account.owed_at_most_minor(), case.account.held_minor(None));
            for offer in decide(policy, case, &run.as_of)?.offers {
                let held = case.account.replaced(&offer.product).map_or(0, |replaced| replaced.held_minor);
                part.offers.push((offer, held, place.clone()));
            }
            part.merchants += 1;
            if part.merchants == PART {
                claims.push(part.claims(&settlement)?);
            }
            Ok(())
        })?;
        claims.push(part.claims(&settlement)?);
        let (settled, optimisation) = settlement.settle(claims);
        let settled: Vec<Settled> = settled.into_iter().flatten().collect();
        Ok(Self { settlement: Some(settlement), settled: settled.into_iter(), optimisation, ..alone })
    }

    /// The decision on the next case of the run, with what came of its offers.
    ///
    /// # Errors
    /// Inputs that no decision may rest on.
    pub fn decide(&mut self, case: &MerchantCase<'_>, as_of: &AsOf) -> Result<Decision, PolicyDiffError> {
        let mut decision = decide(self.policy, case, as_of)?;
        let Some(settlement) = &self.settlement else { return Ok(decision) };
        let settled = self.settled.by_ref();
        let offers = std::mem::take(&mut decision.offers);
        let offers = offers.into_iter().map(|offer| (offer, settled.next().unwrap_or(Settled::AsDecided))).collect();
        let (account, kept, declines) = settlement.draw_up(case.account.clone(), offers, as_of)?;
        decision.account = account;
        decision.offers = kept;
        decision.declines.extend(declines);
        Ok(decision)
    }
}

/// Where a merchant stands; anywhere, where no bound asks.
pub(super) fn place_of(policy: &Policy, run: &RunAgain, facts: &CaseFacts) -> Result<CasePlace, PolicyDiffError> {
    let terms = policy.optimisation.as_ref();
    match facts.place() {
        Some(place) => Ok(place.clone()),
        None if terms.is_some_and(|terms| terms.max_category_share.is_some() || terms.max_region_share.is_some()) => {
            Err(run.incomplete("in which category and region merchants are: it was published before runs did"))
        }
        None => Ok(CasePlace::default()),
    }
}
