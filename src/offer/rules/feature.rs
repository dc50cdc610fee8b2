//! A feature stands within a bound.

use super::verdict::{Verdict, unknown};
use crate::domain::Reason;
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::{Bound, EligibilityRule};

/// Passes when the value is known and at least, or at most, the bound. Null fails: too little history is not good history; `words` is what a merchant
/// calls the feature.
pub(super) fn judge(
    rule: &EligibilityRule,
    (feature, words): (&str, &str),
    bound: Bound,
    case: &MerchantCase<'_>,
) -> Result<Verdict, OfferError> {
    let observed = case.feature(feature)?;
    let (passed, threshold) = match bound {
        Bound::AtLeast(low) => (observed.is_some_and(|v| v >= low), low),
        Bound::AtMost(high) => (observed.is_some_and(|v| v <= high), high),
    };
    let reason = match observed {
        _ if passed => None,
        Some(_) => Some(Reason { code: rule.code.clone(), text: rule.text.clone() }),
        None => Some(unknown(words)?),
    };
    Ok(Verdict { rule: feature.to_owned(), passed, observed, threshold: Some(threshold), reason })
}
