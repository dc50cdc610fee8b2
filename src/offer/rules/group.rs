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

/// A loan that the group guarantees needs three members who go on, the borrower included, in each of the merchant's groups. Who is in no group, or not known
/// to be in one, has nobody to answer for the loan.
pub(super) fn judge_size(product: &Product, case: &MerchantCase<'_>) -> Result<Option<Verdict>, OfferError> {
    if !product.is_guaranteed() {
        return Ok(None);
    }
    let group = case.account.group.as_ref();
    let members = group.map_or(Some(0), |group| group.fewest_members);
    let passed = members.is_some_and(|members| members >= FEWEST_MEMBERS);
    let text = match members {
        Some(0) => "in no guarantee group whose members would answer for the loan",
        Some(_) => "too few members of the guarantee group go on to answer for one another",
        None => "not known to be in a guarantee group whose members would answer for the loan",
    };
    Ok(Some(Verdict {
        rule: "group-size".to_owned(),
        passed,
        observed: members.map(f64::from),
        threshold: Some(f64::from(FEWEST_MEMBERS)),
        reason: if passed { None } else { Some(reason("group-too-small", text)?) },
    }))
}
