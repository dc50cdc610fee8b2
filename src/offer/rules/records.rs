//! The merchant's records are whole enough to be judged by.

use super::verdict::{Verdict, reason};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::Policy;

/// In no table is a larger share of the merchant's rows broken than `max_broken_record_share`. What broken rows would have said is not
/// known: a shop whose disputes cannot be read must not pass for one without disputes. No policy can switch this off.
pub(super) fn judge(policy: &Policy, case: &MerchantCase<'_>) -> Result<Verdict, OfferError> {
    let most = policy.max_broken_record_share;
    let observed = case.broken_records.as_ref().map_or(0.0, crate::exposure::BrokenShare::share);
    let passed = observed <= most;
    let reason = match &case.broken_records {
        Some(worst) if !passed => {
            let text = format!("{} of {} records in {} cannot be read", worst.broken, worst.rows, worst.table);
            Some(reason("records-incomplete", &text)?)
        }
        _ => None,
    };
    Ok(Verdict {
        rule: "broken-record-share".to_owned(),
        passed,
        observed: Some(observed),
        threshold: Some(most),
        reason,
    })
}
