//! Declared sales stand in a sound ratio to those observed.

use super::verdict::{Verdict, reason};
use crate::domain::Reason;
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::limit::request;
use crate::offer::policy::{Bound, EligibilityRule, Product};

/// `declared ÷ observed` within the bound; only applicants are asked. A declaration that is missing, or sales that are not observed, fail:
/// what cannot be compared is not confirmed.
pub(super) fn judge(
    rule: &EligibilityRule,
    feature: &str,
    bound: Bound,
    product: &Product,
    case: &MerchantCase<'_>,
) -> Result<Option<Verdict>, OfferError> {
    let Some(request) = request(case.account, &product.name) else { return Ok(None) };
    let observed_sales = case.feature(feature)?.filter(|sales| *sales > 0.0);
    let declared = request.declared.gross_sales_12m_minor;
    let ratio = declared.zip(observed_sales).map(|(declared, observed)| declared as f64 / observed);
    let (passed, threshold) = match bound {
        Bound::AtLeast(low) => (ratio.is_some_and(|v| v >= low), low),
        Bound::AtMost(high) => (ratio.is_some_and(|v| v <= high), high),
    };
    let reason = match ratio {
        _ if passed => None,
        Some(_) => Some(Reason { code: rule.code.clone(), text: rule.text.clone() }),
        None => Some(reason("declaration-unconfirmed", "declared sales cannot be compared with those observed")?),
    };
    let rule = format!("declared-sales against {feature}");
    Ok(Some(Verdict { rule, passed, observed: ratio, threshold: Some(threshold), reason }))
}
