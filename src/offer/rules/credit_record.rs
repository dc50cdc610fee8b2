//! What the merchant's record with this lender allows.

use super::verdict::{Verdict, reason};
use crate::domain::Reason;
use crate::offer::case::MerchantCase;
use crate::offer::error::OfferError;
use crate::offer::limit::CapName;
use crate::offer::policy::{EligibilityRule, LoanBookUse};
use crate::repayment::{BorrowerRecord, CreditRecord, JointRecord};

/// Nothing is in default now and nothing was ever written off. No policy can switch this off. Where the lender keeps a loan book, a
/// record that cannot be read fails, and so does one with a loan that does not reconcile: an officer has to look at it first.
pub(super) fn judge_default(book: LoanBookUse, case: &MerchantCase<'_>) -> Result<Vec<Verdict>, OfferError> {
    let unreadable = |observed: Option<f64>, reason: Reason| {
        Ok(vec![Verdict {
            rule: "credit-record".to_owned(),
            passed: false,
            observed,
            threshold: Some(0.0),
            reason: Some(reason),
        }])
    };
    let record = match (book, case.record) {
        (LoanBookUse::None, BorrowerRecord::NoBook) => return Ok(Vec::new()),
        (LoanBookUse::Required, BorrowerRecord::NoBook) => return unreadable(None, not_known(case)?),
        (_, BorrowerRecord::Unknown(loans)) => return unreadable(Some(loans.len() as f64), not_known(case)?),
        (_, BorrowerRecord::Known(record)) => record,
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

/// No loan is more than so many days past due now, of the merchant or of another shop of its owner.
pub(super) fn judge_arrears(
    rule: &EligibilityRule,
    at_most_dpd: i64,
    case: &MerchantCase<'_>,
) -> Result<Verdict, OfferError> {
    within(rule, "dpd", at_most_dpd, case, (|record| record.dpd, |record| record.dpd))
}

/// No loan was ever more than so many days past due, of the merchant or of another shop of its owner.
pub(super) fn judge_worst_dpd(
    rule: &EligibilityRule,
    at_most_dpd: i64,
    case: &MerchantCase<'_>,
) -> Result<Verdict, OfferError> {
    within(rule, "worst-dpd", at_most_dpd, case, (|record| record.worst_dpd, |record| record.worst_dpd))
}

fn known<'a>(case: &MerchantCase<'a>) -> Option<&'a CreditRecord> {
    match case.record {
        BorrowerRecord::Known(record) => Some(record),
        BorrowerRecord::NoBook | BorrowerRecord::Unknown(_) => None,
    }
}

/// Why nothing can be said of the record.
fn not_known(case: &MerchantCase<'_>) -> Result<Reason, OfferError> {
    match case.record {
        BorrowerRecord::Unknown(_) => {
            reason("loan-record-unknown", "a loan's record does not reconcile and is with an officer")
        }
        // Not "too little history": whatever the merchant did, the loan book is not there to tell.
        BorrowerRecord::NoBook | BorrowerRecord::Known(_) => {
            let (code, text) = CapName::ExposureLeft.reason_when_unknown();
            reason(code, text)
        }
    }
}

fn within(
    rule: &EligibilityRule,
    name: &str,
    at_most_dpd: i64,
    case: &MerchantCase<'_>,
    (own, of_owner): (impl Fn(&CreditRecord) -> i64, impl Fn(&JointRecord) -> i64),
) -> Result<Verdict, OfferError> {
    // Of shops of one owner the latest counts.
    let of_owners = case.account.owner_shares().iter().map(|share| of_owner(&share.all.record)).max();
    let observed = known(case).map(own).map(|days| of_owners.map_or(days, |latest| days.max(latest)));
    let passed = observed.is_some_and(|dpd| dpd <= at_most_dpd);
    let reason = match observed {
        _ if passed => None,
        Some(_) => Some(Reason { code: rule.code.clone(), text: rule.text.clone() }),
        None => Some(not_known(case)?),
    };
    Ok(Verdict {
        rule: name.to_owned(),
        passed,
        observed: observed.map(|dpd| dpd as f64),
        threshold: Some(at_most_dpd as f64),
        reason,
    })
}
