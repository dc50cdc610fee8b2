//! What the merchant's record with this lender allows.

use super::verdict::{Verdict, reason, unknown};
use crate::domain::Reason;
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::policy::{EligibilityRule, LoanBookUse};
use crate::repayment::CreditRecord;

/// Nothing is in default now and nothing was ever written off. No policy can switch this off. Where the lender keeps a loan book, a
/// record that cannot be read fails.
pub(super) fn judge_default(book: LoanBookUse, case: &MerchantCase<'_>) -> Result<Vec<Verdict>, OfferError> {
    let record = match (book, case.credit) {
        (LoanBookUse::None, None) => return Ok(Vec::new()),
        (LoanBookUse::Required, None) => {
            return Ok(vec![Verdict {
                rule: "credit-record".to_owned(),
                passed: false,
                observed: None,
                threshold: None,
                reason: Some(unknown("the credit record")?),
            }]);
        }
        (_, Some(record)) => record,
    };
    let flag = |rule: &str, failed: bool, code: &str, text: &str| -> Result<Verdict, OfferError> {
        Ok(Verdict {
            rule: rule.to_owned(),
            passed: !failed,
            observed: Some(f64::from(u8::from(failed))),
            threshold: Some(0.0),
            reason: if failed { Some(reason(code, text)?) } else { None },
        })
    };
    Ok(vec![
        flag("in-default", record.is_in_default, "loan-in-default", "a loan is in default")?,
        flag("written-off", record.is_written_off, "loan-written-off", "an earlier loan was written off")?,
    ])
}

/// No loan is more than so many days past due now.
pub(super) fn judge_arrears(
    rule: &EligibilityRule,
    at_most_dpd: i64,
    case: &MerchantCase<'_>,
) -> Result<Verdict, OfferError> {
    within(rule, "dpd", at_most_dpd, case.credit.map(|r| r.dpd))
}

/// No loan was ever more than so many days past due.
pub(super) fn judge_worst_dpd(
    rule: &EligibilityRule,
    at_most_dpd: i64,
    case: &MerchantCase<'_>,
) -> Result<Verdict, OfferError> {
    within(rule, "worst-dpd", at_most_dpd, case.credit.map(|r: CreditRecord| r.worst_dpd))
}

fn within(rule: &EligibilityRule, name: &str, at_most_dpd: i64, observed: Option<i64>) -> Result<Verdict, OfferError> {
    let passed = observed.is_some_and(|dpd| dpd <= at_most_dpd);
    let reason = match observed {
        _ if passed => None,
        Some(_) => Some(Reason { code: rule.code.clone(), text: rule.text.clone() }),
        None => Some(unknown("the credit record")?),
    };
    Ok(Verdict {
        rule: name.to_owned(),
        passed,
        observed: observed.map(|dpd| dpd as f64),
        threshold: Some(at_most_dpd as f64),
        reason,
    })
}
