//! The product serves the merchant's risk band.

use super::verdict::Verdict;
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::Product;

/// A band without a rate is not served, and a band that the policy does not know is none. The score itself is shown as evidence;
/// the reasons are the factors that cost it points ("score too low" is not a reason: US Regulation B, 12 CFR 1002.9(b)(2)).
#[expect(clippy::unnecessary_wraps, reason = "one signature for all rules")]
pub(super) fn judge(product: &Product, case: &MerchantCase<'_>) -> Result<Verdict, OfferError> {
    Ok(Verdict {
        rule: "risk-band".to_owned(),
        passed: product.daily_rate_ppm.contains_key(case.band),
        observed: case.score.map(f64::from),
        threshold: None,
        reason: None,
    })
}
