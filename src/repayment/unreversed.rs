//! Payments that had bounced, and that a later version says never did.
//!
//! The newest version counts, so that such a payment clears arrears again. A bank may have been mistaken; a row may also have been written to buy credit. Nobody can tell
//! from the rows: an officer is told, for as long as the source sends both versions. Where it sends the later one alone, what the night before knew tells
//! ([`super::received`]).

use std::collections::{BTreeMap, HashMap};

use super::columns::{instants, integers, strings};
use super::error::RepaymentError;
use super::unknown::UnknownCause;
use crate::contract::PAYMENTS;
use crate::domain::AsOf;
use crate::store::Shard;

/// The code of a loan with such a payment.
pub(super) const PAYMENT_NO_LONGER_REVERSED: &str = "payment-no-longer-reversed";

/// The payments of a shard that had bounced and count as made now, by loan; of each what an officer is told.
pub(super) fn unreversed(shard: &Shard) -> Result<HashMap<String, Vec<UnknownCause>>, RepaymentError> {
    const TABLE: &str = PAYMENTS.name;
    let mut told: HashMap<String, Vec<UnknownCause>> = HashMap::new();
    let (Some(now), Some(earlier)) = (shard.table(TABLE), shard.earlier.get(TABLE)) else { return Ok(told) };
    let ids = strings(earlier, TABLE, "payment_id")?;
    let reversed = instants(earlier, TABLE, "reversed_at")?;
    let mut bounced: BTreeMap<&str, i64> = BTreeMap::new();
    for (id, at) in ids.iter().zip(reversed.iter()) {
        let Some((id, at)) = id.zip(at) else { continue };
        bounced.entry(id).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }
    if bounced.is_empty() {
        return Ok(told);
    }
    let ids = strings(now, TABLE, "payment_id")?;
    let loans = strings(now, TABLE, "loan_id")?;
    let amounts = integers(now, TABLE, "amount_minor")?;
    let reversed = instants(now, TABLE, "reversed_at")?;
    for row in (0..now.height()).filter(|row| reversed.get(*row).is_none()) {
        let (Some(id), Some(loan), Some(amount)) = (ids.get(row), loans.get(row), amounts.get(row)) else { continue };
        if let Some(at) = bounced.get(id) {
            told.entry(loan.to_owned()).or_default().push(remark(id, amount, *at, &shard.as_of));
        }
    }
    Ok(told)
}

fn remark(payment_id: &str, amount_minor: i64, bounced_at: i64, as_of: &AsOf) -> UnknownCause {
    let day =
        as_of.local_date(bounced_at).map_or_else(|_| "a day outside the calendar".to_owned(), |day| day.to_string());
    let detail = format!(
        "payment {payment_id:?} of {amount_minor} was said to have bounced on {day}, and a later version says that it did not: it counts as paid"
    );
    UnknownCause::new(PAYMENT_NO_LONGER_REVERSED, detail)
}
