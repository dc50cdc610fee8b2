//! Eligibility rules: each gives a verdict with its evidence and fails closed on what is unknown.

mod band;
mod credit_record;
mod declared_sales;
mod feature;
mod group;
mod not_frozen;
mod owner;
mod past_trade;
mod records;
mod shop_open;
mod verdict;

pub use verdict::Verdict;
pub(super) use verdict::reason;

use super::case::MerchantCase;
use super::error::OfferError;
use crate::offer::policy::{Policy, Product, RuleKind};

/// Every verdict on a merchant for a product: the rules that no policy can switch off first, then the policy's in its order.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn judge(policy: &Policy, product: &Product, case: &MerchantCase<'_>) -> Result<Vec<Verdict>, OfferError> {
    let mut verdicts = vec![shop_open::judge(case)?];
    verdicts.extend(not_frozen::judge(case));
    verdicts.extend(credit_record::judge_default(policy.loan_book, case)?);
    verdicts.extend(owner::judge(policy.unknown_owner, case)?);
    verdicts.extend(group::judge_default(case)?);
    verdicts.extend(group::judge_size(product, case)?);
    verdicts.push(records::judge(policy, case)?);
    verdicts.extend(past_trade::judge(policy, case)?);
    for rule in policy.rules.iter().filter(|r| r.applies_to(&product.name)) {
        verdicts.extend(match &rule.kind {
            RuleKind::Feature { feature, bound } => {
                let words = policy.feature_in_words(feature);
                Some(feature::judge(rule, (feature, words), *bound, case)?)
            }
            RuleKind::DeclaredSales { feature, bound } => declared_sales::judge(rule, feature, *bound, product, case)?,
            RuleKind::Arrears { at_most_dpd } => Some(credit_record::judge_arrears(rule, *at_most_dpd, case)?),
            RuleKind::WorstDpd { at_most_dpd } => Some(credit_record::judge_worst_dpd(rule, *at_most_dpd, case)?),
        });
    }
    // Last, because its reasons are the score's: what a rule names outright goes before them.
    verdicts.push(band::judge(product, case)?);
    Ok(verdicts)
}
