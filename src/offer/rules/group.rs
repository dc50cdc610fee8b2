//! No other member of the merchant's guarantee groups is in default.

use super::verdict::{Verdict, reason};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;

/// Members answer for one another: while one is in default, lending to the others would lend to the default. No policy can switch
/// this off. Merchants in no group are not asked.
pub(super) fn judge(case: &MerchantCase<'_>) -> Result<Option<Verdict>, OfferError> {
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
