//! The shop is open.

use super::verdict::{Verdict, reason};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;

/// A closed shop earns nothing to repay with. No policy can switch this off.
pub(super) fn judge(case: &MerchantCase<'_>) -> Result<Verdict, OfferError> {
    Ok(Verdict {
        rule: "shop-open".to_owned(),
        passed: !case.is_closed,
        observed: None,
        threshold: None,
        reason: if case.is_closed { Some(reason("shop-closed", "the shop is closed")?) } else { None },
    })
}
