//! The merchant's guarantee groups: no other member is in default, and a loan that a group guarantees is not made where there are too few to answer for it.

use super::verdict::{Verdict, reason};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::Product;

/// Fewer than three are no group: of two, one defaults and the other is left to answer alone. Source: "What Alibaba Is" (2019), three or more
/// enterprises that are jointly liable.
const FEWEST_MEMBERS: u32 = 3;

/// Members answer for one another: while one is in default, lending to the others would lend to the default. No policy can switch
/// this off. Merchants in no group are not asked.
pub(super) fn judge_default(case: &MerchantCase<'_>) -> Result<Option<Verdict>, OfferError> {
    let Some(group) = &case.account.group else { return Ok(None) };
    let text = "another member of the guarantee group is in default";
    Ok(Some(Verdict {
        rule: "group-in-default".to_owned(),
        passed: !group.has_default,
        observed: Some(f64::from(u8::from(group.has_default))),
        threshold: Some(0.0),
        reason: if group.has_default { Some(reason("group-member-in-default", text)?) } else { None },
    }))
}

/// A loan that the group guarantees needs three members who go on, the borrower included, in each of the merchant's groups. Merchants in no group are not
/// asked: nobody answers for them, and they are priced so.
pub(super) fn judge_size(product: &Product, case: &MerchantCase<'_>) -> Result<Option<Verdict>, OfferError> {
    let Some(group) = case.account.group.as_ref().filter(|_| product.is_guaranteed()) else { return Ok(None) };
    let passed = group.fewest_members.is_some_and(|members| members >= FEWEST_MEMBERS);
    let text = "too few members of the guarantee group go on to answer for one another";
    Ok(Some(Verdict {
        rule: "group-size".to_owned(),
        passed,
        observed: group.fewest_members.map(f64::from),
        threshold: Some(f64::from(FEWEST_MEMBERS)),
        reason: if passed { None } else { Some(reason("group-too-small", text)?) },
    }))
}
