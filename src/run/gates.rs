//! Gates: what must hold of a run before anyone may read it.

use super::decide::Decided;
use super::gate_settings::Fault;
use super::intake_gates::GateFinding;
use crate::exposure::{OfferState, OpenOffer};
use crate::monitor::Portfolio;
use crate::offer::{CapName, Policy};
use crate::repayment::UnknownLimit;
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
    /// Too many loans of which nothing is known.
    #[error(
        "open the gate \"unknown loans\": the records of {unknown} of {loans} loans do not agree with each other, {share:.4} of them; \
         at most {max_share:.4} may (max_unknown_loan_share in the monitor file). Mend what the quarantine and the list of loan exceptions name"
    )]
    UnknownLoans {
        /// Loans of which nothing is known.
        unknown: u64,
        /// All loans.
        loans: u64,
        /// One by the other.
        share: f64,
        /// The limit.
        max_share: f64,
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
        cap: CapName,
        /// The cap's value.
        cap_minor: Option<i64>,
    },
    /// A night since the one that could be read is damaged.
    #[error(
        "open the gate \"night before\": the manifest of {runs} is damaged, and what was offered and pledged then is not known; restore it from \
         a backup, or withdraw it with `integrity point OUT --run ID --reason …`, after which none of its offers may be drawn",
        runs = runs.join(", ")
    )]
    NightBeforeDamaged {
        /// The damaged runs, below the output folder, newest first.
        runs: Vec<String>,
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

/// So many loans are unknown that the rest cannot be believed either.
fn check_unknown_loans(portfolio: &Portfolio, limit: UnknownLimit) -> Result<(), GateError> {
    match portfolio.unknown_share() {
        Some(share) if share > limit.max_share => Err(GateError::UnknownLoans {
            unknown: portfolio.unknown.loans,
            loans: portfolio.known_loans + portfolio.unknown.loans,
            share,
            max_share: limit.max_share,
        }),
        _ => Ok(()),
    }
}

/// Checks every gate on what was decided.
pub fn check_gates(
    ingested: &Ingested,
    decided: &Decided,
    policy: &Policy,
    unknown_limit: UnknownLimit,
) -> Result<(), GateError> {
    if let Some(portfolio) = &decided.portfolio {
        check_unknown_loans(portfolio, unknown_limit)?;
    }
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
    for offer in &decided.offers {
        let above = offer.caps.iter().find(|c| c.value_minor.is_none_or(|v| v < offer.limit_minor));
        if let Some(cap) = above.or_else(|| offer.caps.first().filter(|_| offer.limit_minor <= 0)) {
            return Err(GateError::Caps {
                offer: offer.offer_id.clone(),
                limit_minor: offer.limit_minor,
                cap: cap.name,
                cap_minor: cap.value_minor,
            });
        }
    }
    let mut pledged = std::collections::HashSet::new();
    let drawable = |offer: &&OpenOffer| matches!(offer.state, OfferState::Open | OfferState::Withdrawn);
    for order in decided.open_offers.iter().filter(drawable).flat_map(|offer| &offer.pledged_order_ids) {
        if !pledged.insert(order.as_str()) {
            return Err(GateError::PledgedTwice { order: order.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::UnknownTally;

    fn portfolio(known_loans: u64, unknown: u64) -> Portfolio {
        let unknown = UnknownTally { loans: unknown, ..UnknownTally::default() };
        Portfolio { known_loans, unknown, ..Portfolio::default() }
    }

    #[test]
    fn the_night_stops_above_the_share_of_unknown_loans() {
        let limit = UnknownLimit { max_share: 0.02 };
        assert_eq!(check_unknown_loans(&portfolio(0, 0), limit), Ok(()));
        assert_eq!(check_unknown_loans(&portfolio(98, 2), limit), Ok(()), "two of a hundred are allowed");
        let stopped = check_unknown_loans(&portfolio(97, 3), limit).unwrap_err();
        assert!(stopped.to_string().contains("3 of 100 loans"), "{stopped}");
        assert!(check_unknown_loans(&portfolio(0, 1), limit).is_err());
        assert_eq!(check_unknown_loans(&portfolio(0, 1), UnknownLimit { max_share: 1.0 }), Ok(()));
    }
}
