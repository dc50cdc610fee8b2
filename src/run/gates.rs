//! Gates: what must hold of a run before anyone may read it.

use super::decide::Decided;
use super::gate_settings::Fault;
use super::intake_gates::GateFinding;
use crate::offer::Policy;
use crate::wash::Ingested;

/// A gate that did not open. Nothing was published.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    /// A file's rows do not add up.
    #[error("open the gate \"ledger\": {file} in table {table}: read is not kept + quarantined + duplicate")]
    Ledger {
        /// Contract table.
        table: String,
        /// Input file.
        file: String,
    },
    /// Tables that are absent, shrunk, old, or behind the as-of date.
    #[error(
        "open the gate \"tables\":\n{list}\n  Put the files right, or allow a fault by name in the job file until a date:\n    \
         [[gates.allow]]\n    table = \"{table}\"\n    what = \"{what}\"\n    until = \"YYYY-MM-DD\"\n    reason = \"…\"{force}",
        list = listed(findings),
        table = findings.first().map_or("", |f| f.table.as_str()),
        what = findings.first().map_or("", |f| f.what.word()),
        force = if findings.iter().any(|f| f.what == Fault::PastData) {
            "\n  An as-of date past the data is the caller's to force, once: --force-as-of \"reason\""
        } else { "" }
    )]
    Tables {
        /// Every fault.
        findings: Vec<GateFinding>,
    },
    /// No table has a day of usual trade.
    #[error(
        "find the data's own clock: no table has a day of usual trade to read an as-of date off; name it with --as-of or as_of in the job file"
    )]
    NoClock,
    /// No merchant could be seen.
    #[error("open the gate \"merchants\": no merchant was registered before as-of; is the as-of date within the data?")]
    NoMerchants,
    /// Merchants were lost between the store and the scores.
    #[error("open the gate \"scored\": {stored} merchants in the store, {scored} scored")]
    Unscored {
        /// In the store.
        stored: u64,
        /// Scored.
        scored: u64,
    },
    /// A merchant without exactly one answer a product.
    #[error(
        "open the gate \"answers\": {merchants} merchants and {products} products make {expected} answers, {found} were given"
    )]
    Answers {
        /// Merchants.
        merchants: u64,
        /// Products on offer.
        products: u64,
        /// Their product.
        expected: u64,
        /// Offers and declines.
        found: u64,
    },
    /// An offer above its caps, or none at all.
    #[error(
        "open the gate \"caps\": offer {offer} of {limit_minor} is above its cap {cap} of {cap_minor:?}, or not positive"
    )]
    Caps {
        /// The offer.
        offer: String,
        /// Its limit.
        limit_minor: i64,
        /// The cap.
        cap: String,
        /// The cap's value.
        cap_minor: Option<i64>,
    },
    /// One order secures two offers.
    #[error("open the gate \"pledges\": order {order} is pledged twice")]
    PledgedTwice {
        /// The order.
        order: String,
    },
}

fn listed(findings: &[GateFinding]) -> String {
    findings.iter().map(|f| format!("    {f}")).collect::<Vec<_>>().join("\n")
}

/// Checks every gate on what was decided.
pub fn check_gates(ingested: &Ingested, decided: &Decided, policy: &Policy) -> Result<(), GateError> {
    if let Some(line) = ingested.whole_ledger().find(|l| !l.balances()) {
        return Err(GateError::Ledger { table: line.table.clone(), file: line.file.clone() });
    }
    let scored = decided.scores.len() as u64;
    if scored == 0 {
        return Err(GateError::NoMerchants);
    }
    let stored = ingested.store.rows("merchants").unwrap_or(0);
    if stored != scored {
        return Err(GateError::Unscored { stored, scored });
    }
    let products = policy.products.len() as u64;
    let found = (decided.offers.len() + decided.declines.len()) as u64;
    if found != scored * products {
        return Err(GateError::Answers { merchants: scored, products, expected: scored * products, found });
    }
    let mut pledged = std::collections::HashSet::new();
    for offer in &decided.offers {
        let above = offer.caps.iter().find(|c| c.value_minor.is_none_or(|v| v < offer.limit_minor));
        if let Some(cap) = above.or_else(|| offer.caps.first().filter(|_| offer.limit_minor <= 0)) {
            return Err(GateError::Caps {
                offer: offer.offer_id.clone(),
                limit_minor: offer.limit_minor,
                cap: cap.name.clone(),
                cap_minor: cap.value_minor,
            });
        }
        for order in offer.pledged_order_ids.iter().flatten() {
            if !pledged.insert(order.as_str()) {
                return Err(GateError::PledgedTwice { order: order.clone() });
            }
        }
    }
    Ok(())
}
