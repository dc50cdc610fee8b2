//! What was sold and settled long ago was known then.

use super::verdict::{Verdict, reason};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::Policy;

/// Of the merchant's settled trade no larger share than `max_past_growth_share` came to light only after the nights that should have known it; nothing is asked
/// of whoever's did not grow. Which of the orders these are cannot be told, so that neither features nor caps can leave them out.
pub(super) fn judge(policy: &Policy, case: &MerchantCase<'_>) -> Result<Option<Verdict>, OfferError> {
    let Some(past) = &case.past_trade else { return Ok(None) };
    let (observed, most) = (past.share(), policy.max_past_growth_share);
    let passed = observed <= most;
    let text = format!(
        "sales of weeks before {} were not known then, or were smaller: the marketplace has to confirm them",
        past.grown_on
    );
    Ok(Some(Verdict {
        rule: "past-growth-share".to_owned(),
        passed,
        observed: Some(observed),
        threshold: Some(most),
        reason: if passed { None } else { Some(reason("history-grew", &text)?) },
    }))
}
