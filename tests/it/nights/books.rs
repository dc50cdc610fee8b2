//! What must hold of a published night, by the loan service's own books.

use std::collections::BTreeSet;
use std::path::Path;

use integrity::exposure::{OfferState, OpenOffer, Statement};
use integrity::offer::{self, CapName};
use integrity::publish::{OutputRow, TableReader};
use jiff::Timestamp;

use super::{Marketplace, offers_of};

/// Products of the tests that are repaid from receivables.
pub const ON_RECEIVABLES: [&str; 2] = ["order-loan", "group-loan"];

/// The rows of a published table.
pub fn rows<R: OutputRow>(run_dir: &Path) -> Vec<R> {
    let path = run_dir.join(format!("{}.parquet", R::table().name));
    TableReader::<R>::open(&path).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Principal that a merchant owes at an instant, over the products that `counts` accepts.
pub fn owed(market: &Marketplace, merchant: &str, at: Timestamp, counts: impl Fn(&str) -> bool) -> i64 {
    let own = market.loans().values().filter(|l| l.merchant_id == merchant && counts(&l.product));
    own.map(|loan| loan.principal_owed_minor(at)).sum()
}

/// Checks a night: what the accounts say is owed is what the books say; no order is pledged twice; and all that is owed and may still be
/// drawn, together, stays within each cap of each offer.
pub fn check_night(market: &Marketplace, run_dir: &Path, night: Timestamp) {
    let (offers, open) = (rows::<offer::Offer>(run_dir), rows::<OpenOffer>(run_dir));
    for account in rows::<Statement>(run_dir) {
        assert_eq!(account.owed_minor, Some(owed(market, &account.merchant_id, night, |_| true)), "{account:?}");
    }

    let mut pledged = market.pledged(night);
    for offer in offers_of(run_dir) {
        for order in &offer.pledged_order_ids {
            assert!(pledged.insert(order.clone()), "{night}: {order} is pledged to {offer:?} and to something else");
        }
    }

    let total_cap_minor = market.policy().total_cap_minor;
    for offer in &offers {
        let held = |counts: &dyn Fn(&OpenOffer) -> bool| {
            let own = open.iter().filter(|o| o.merchant_id == offer.merchant_id && counts(o));
            own.map(|o| o.held_minor).sum::<i64>()
        };
        let owed = |counts: &dyn Fn(&str) -> bool| owed(market, &offer.merchant_id, night, counts);
        let all = owed(&|_| true) + held(&|_| true);
        assert!(all <= total_cap_minor, "{night}: {all} of {}", offer.merchant_id);
        // What the replaced offer of this very product holds beyond the new one was granted on the evidence of the night before.
        let is_bound = |o: &OpenOffer| o.state != OfferState::Replaced || o.product != offer.product;
        for cap in &offer.caps {
            let gross = cap.gross_minor.expect("a cap that is not known offers nothing");
            let exposed = match cap.name {
                CapName::Ability
                | CapName::DebtService
                | CapName::IntegrityCapital
                | CapName::LowestMonth
                | CapName::DeclaredDebtService
                | CapName::DeclaredLeverage
                | CapName::Growth
                | CapName::Regrowth
                | CapName::ExposureLeft => owed(&|_| true) + held(&is_bound),
                CapName::OrderReceivables => {
                    let secured = |product: &str| ON_RECEIVABLES.contains(&product);
                    owed(&secured) + held(&|o| secured(&o.product) && is_bound(o))
                }
                // These stand against all members, or all merchants, together; the others bound the single loan.
                CapName::Group | CapName::Owner | CapName::PortfolioBudget => continue,
                CapName::Requested | CapName::Optimised | CapName::Officer | CapName::Product | CapName::HardCap => {
                    offer.limit_minor
                }
            };
            assert!(exposed <= gross, "{night}: {exposed} exceeds {cap:?} of {offer:?}, with {open:?}");
        }
    }

    let granted: BTreeSet<(&str, i64)> = offers.iter().map(|o| (o.offer_id.as_str(), o.limit_minor)).collect();
    let current = open.iter().filter(|o| o.state == OfferState::Open);
    let current: BTreeSet<(&str, i64)> = current.map(|o| (o.offer_id.as_str(), o.held_minor)).collect();
    assert_eq!(granted, current, "what is open is what was offered tonight");
}
