//! No alert freezes new credit.

use super::verdict::Verdict;
use crate::offer::case::MerchantCase;

/// One failed verdict for each alert that freezes; none where nothing does. No policy can switch this off: a lender does not
/// lend more on the night on which monitoring says stop.
pub(super) fn judge(case: &MerchantCase<'_>) -> Vec<Verdict> {
    case.freezes
        .iter()
        .map(|reason| Verdict {
            rule: "not-frozen".to_owned(),
            passed: false,
            observed: None,
            threshold: None,
            reason: Some(reason.clone()),
        })
        .collect()
}
