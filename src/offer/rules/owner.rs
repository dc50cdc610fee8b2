//! Who stands behind the merchant: it is known, and no other shop of the same owner is late, in default or in doubt.

use super::verdict::{Verdict, reason};
use crate::exposure::{OwnerShare, Shops, UnknownOwner};
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;

/// Shops of one owner are one borrower: what stops one stops the others. No policy can switch this off; whether a merchant without a known owner is
/// a borrower of its own the policy says. Not asked where the marketplace names no owners.
pub(super) fn judge(unknown: UnknownOwner, case: &MerchantCase<'_>) -> Result<Vec<Verdict>, OfferError> {
    let Some(owners) = &case.account.owners else { return Ok(Vec::new()) };
    let verdict = |rule: &str, failing: u32, code: &str, text: &str| -> Result<Verdict, OfferError> {
        Ok(Verdict {
            rule: rule.to_owned(),
            passed: failing == 0,
            observed: Some(f64::from(failing)),
            threshold: Some(0.0),
            reason: if failing == 0 { None } else { Some(reason(code, text)?) },
        })
    };
    let mut verdicts = Vec::new();
    if unknown == UnknownOwner::Decline {
        let missing = u32::from(owners.owner_id.is_none());
        verdicts.push(verdict("owner-unknown", missing, "owner-unknown", "who stands behind the shop is not known")?);
    }
    if owners.shared.is_empty() {
        return Ok(verdicts);
    }
    let elsewhere = |shops: fn(&Shops) -> u32| {
        let others = |share: &OwnerShare| shops(&share.all).saturating_sub(shops(&share.own));
        owners.shared.iter().map(others).max().unwrap_or(0)
    };
    let in_default = "a loan of another shop of the same owner is in default or was written off";
    let late = "a loan of another shop of the same owner is overdue";
    let refused = "another shop of the same owner may not borrow again yet after a default";
    let unknown = "what another shop of the same owner owes is not known";
    verdicts.extend([
        verdict("owner-in-default", elsewhere(|shops| shops.in_default), "owner-in-default", in_default)?,
        verdict("owner-in-arrears", elsewhere(|shops| shops.late), "owner-in-arrears", late)?,
        verdict("owner-not-restored", elsewhere(|shops| shops.refused), "owner-not-restored", refused)?,
        verdict("owner-record", elsewhere(|shops| shops.unknown), "owner-record-unknown", unknown)?,
    ]);
    Ok(verdicts)
}
