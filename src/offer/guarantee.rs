//! What the guarantee of a group is worth where its members default together.
//!
//! **Price.** A group loan is lost where its borrower defaults and fewer than [`Dependence::guarantors_needed`] of the other members stand to answer for
//! it: `PD × P(too few stand | the borrower defaults)`. Of several groups the weakest counts. Only what the policy sets up is taken into account:
//! without `[groups.dependence]` a group loan is priced on its borrower alone.
//!
//! **Limits.** A member answers for loans of the others with means of his own. As many of them fail at once as are not exceeded with the policy's
//! confidence; the largest are taken to be those that do. As correlation rises to one this becomes all of them, which is what counts without
//! `[groups.dependence]`.

use super::case::MerchantCase;
use super::error::OfferError;
use super::policy::{Policy, Product};
use crate::domain::Probability;
use crate::domain::joint_default::number_of_defaults;
use crate::exposure::{Dependence, GroupShare, Member};

/// Probability that too few other members stand, where the borrower, whose own probability of default is `pd`, defaults. `None` where the product is
/// not guaranteed, or the policy or the accounts do not say how members depend on one another.
pub(super) fn guarantee_fails(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    pd: Probability,
) -> Option<f64> {
    if !product.is_guaranteed() {
        return None;
    }
    let terms = policy.groups.as_ref()?.dependence?;
    let groups = &case.account.group.as_ref()?.others;
    let fails = groups.iter().map(|others| too_few_stand(&terms, others, pd));
    fails.reduce(f64::max)
}

/// The probability that a product is priced on: that the borrower defaults, and the guarantee, where it has one, fails.
///
/// # Errors
/// None: a product of probabilities is one.
pub(super) fn priced_pd(pd: Probability, guarantee_fails: Option<f64>) -> Result<Probability, OfferError> {
    match guarantee_fails {
        None => Ok(pd),
        Some(fails) => Ok(Probability::new((pd.get() * fails).clamp(0.0, 1.0))?),
    }
}

/// What a member has to answer for with means of his own: of each group the largest loans of others, as many as may fail at once; what else counts
/// against it, such as loans of a group that it has left, in full.
pub(super) fn liability_minor(policy: &Policy, group: &GroupShare) -> i64 {
    let Some(terms) = policy.groups.as_ref().and_then(|groups| groups.dependence) else { return group.liability_minor };
    let all = group.others.iter().flatten().fold(0_i64, |sum, member| sum.saturating_add(member.group_loans_minor));
    let beside = group.liability_minor.saturating_sub(all).max(0);
    group.others.iter().map(|others| may_fail_minor(&terms, others)).fold(beside, i64::saturating_add)
}

fn too_few_stand(terms: &Dependence, others: &[Member], pd: Probability) -> f64 {
    let needed = terms.guarantors_needed as usize;
    // One more default than can be borne.
    let Some(fatal) = (others.len() + 1).checked_sub(needed) else { return 1.0 };
    let number = number_of_defaults(&probabilities(others), Some(pd.get()), terms.asset_correlation);
    let fails: f64 = number.iter().skip(fatal).sum();
    if fatal == 0 { 1.0 } else { fails.clamp(0.0, 1.0) }
}

fn may_fail_minor(terms: &Dependence, others: &[Member]) -> i64 {
    let number = number_of_defaults(&probabilities(others), None, terms.asset_correlation);
    let mut at_most = 0.0;
    let covered = number.iter().position(|p| {
        at_most += p;
        at_most >= terms.confidence_prob
    });
    let mut loans: Vec<i64> = others.iter().map(|member| member.group_loans_minor).collect();
    loans.sort_unstable_by(|a, b| b.cmp(a));
    loans.into_iter().take(covered.unwrap_or(others.len())).fold(0, i64::saturating_add)
}

/// A member of whom nothing was looked up is taken not to stand.
fn probabilities(others: &[Member]) -> Vec<f64> {
    others.iter().map(|member| f64::from(member.pd_ppm.unwrap_or(1_000_000)) / 1e6).collect()
}

#[cfg(test)]
#[path = "guarantee_tests.rs"]
mod tests;
