//! What was agreed of a loan, seen again tonight: a promise does not change because its rows are sent anew.
//!
//! Of a loan whose books agreed on an earlier night, tonight's rows say the same of what was lent ([`Promise::lent`]), and the same of what falls due
//! and when ([`Promise::schedule`]), unless the loan was restructured since: that stays on record, and the way back from it is the longer one. A
//! restructure and a write-off do not vanish either, and an open loan stays on the offer that it was drawn on or on the orders that secure it: were both
//! another's, its orders and its part of the limits would be free again. A loan whose rows say something else is unknown, until they are as they were, a restructure
//! explains them, or the lender says that they are right (`terms_corrected`).

use serde::{Deserialize, Serialize};

use super::evidence::LoanEvidence;
use super::record::LoanRecord;
use super::standing::LoanStanding;
use super::unknown::UnknownCause;
use super::waterfall::Instalment;
use crate::domain::Hasher;

/// Digests of what was agreed, 16 hexadecimal digits each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Promise {
    /// Of product, principal, guarantee group and the instant of paying out: what no restructure changes.
    pub lent: String,
    /// Of term, rate, share of sales and every instalment that counts.
    pub schedule: String,
    /// Of the orders that secure it, in whatever order they are named.
    pub pledge: String,
}

impl Promise {
    /// Of a loan with the schedule that counts, in the order of its numbers.
    pub(super) fn of(record: &LoanRecord<'_>, schedule: &[Instalment]) -> Self {
        let terms = &record.terms;
        let mut lent = Hasher::default();
        lent.field(record.product.as_bytes());
        lent.field(record.group_id.unwrap_or_default().as_bytes());
        for number in [terms.principal_minor, terms.disbursed_at] {
            lent.update(&number.to_le_bytes());
        }
        let mut promised = Hasher::default();
        let of_loan = [terms.term_days, terms.daily_rate_ppm, terms.sales_share_ppm.unwrap_or(-1)];
        let of_instalments = schedule.iter().flat_map(|instalment| {
            let Instalment { number, due_on, principal_minor, interest_minor, fee_minor } = *instalment;
            [number, i64::from(due_on), principal_minor, interest_minor, fee_minor]
        });
        for number in of_loan.into_iter().chain(of_instalments) {
            promised.update(&number.to_le_bytes());
        }
        let mut orders: Vec<&String> = record.pledged_order_ids.iter().collect();
        orders.sort_unstable();
        let mut pledged = Hasher::default();
        for order in orders {
            pledged.field(order.as_bytes());
        }
        Self { lent: shortened(lent), schedule: shortened(promised), pledge: shortened(pledged) }
    }
}

fn shortened(hasher: Hasher) -> String {
    format!("{:016x}", u64::from_be_bytes(hasher.finish().first_eight()))
}

/// Why the terms of a loan cannot be believed; `None` where they can, and where no earlier night knew them.
pub(super) fn judge(loan: &LoanStanding, evidence: &LoanEvidence) -> Option<UnknownCause> {
    let before = evidence.loan(&loan.merchant_id, &loan.loan_id)?;
    let (known_on, lent, schedule) =
        (before.known_on?, before.lent_digest.as_deref()?, before.schedule_digest.as_deref()?);
    let restructured_on = loan.history.restructured_on;
    let what = if loan.promise.lent != lent {
        "another product, principal, guarantee group or day of paying out".to_owned()
    } else if let Some(offer) = before.offer_id.as_ref().filter(|offer| loan.offer_id.as_ref() != Some(offer))
        && before.pledge_digest.as_ref().is_some_and(|pledge| *pledge != loan.promise.pledge)
        && !loan.is_closed
    {
        format!("that it was drawn on offer {offer:?} and secured by other orders")
    } else if before.is_written_off == Some(true) && !loan.is_written_off {
        "that it was written off".to_owned()
    } else if let Some(then) = before.restructured_on.filter(|_| restructured_on < before.restructured_on) {
        format!("that it was restructured on {then}")
    } else if restructured_on == before.restructured_on && loan.promise.schedule != schedule {
        let ends = |on: Option<jiff::civil::Date>| on.map_or_else(|| "an unknown day".to_owned(), |on| on.to_string());
        let (then, now) = (ends(before.ends_on), ends(loan.history.ends_on));
        format!(
            "another schedule, term or rate (its last instalment fell due on {then}, and falls due on {now} tonight)"
        )
    } else {
        return None;
    };
    let detail = format!(
        "the night of {known_on} knew {what}; send its rows as they were, or the day on which it was restructured since, or name the loan in \
         terms_corrected under [ledger] of the monitor file",
    );
    Some(UnknownCause::new("terms-changed", detail))
}
