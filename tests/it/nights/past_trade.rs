//! Trade of days past that the night before did not know: it buys no credit until somebody confirms it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::offer::Decline;
use integrity::scenario::{PastTrade, RememberedRows};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::gone_rows::{lender, offered};
use super::market::Marketplace;
use super::row_writer::Cell;
use super::{FIRST_NIGHT, at, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

fn reasons(run_dir: &Path, merchant: &str) -> BTreeSet<String> {
    let declines = rows::<Decline>(run_dir).into_iter().filter(|decline| decline.merchant_id == merchant);
    declines.flat_map(|decline| decline.reasons).map(|reason| reason.code.to_string()).collect()
}

/// Orders of the last year, every second day one, all completed long ago.
fn dated_back(market: &Marketplace, merchant: &str) -> Marketplace {
    let mut market = market.clone();
    for ago in (30..340).step_by(2) {
        let order = market.add_order(merchant, 45_000, at(day(-ago), 9));
        market.ship(&order, at(day(-ago + 1), 9));
        market.confirm(&order, at(day(-ago + 5), 9));
    }
    market
}

#[test]
fn orders_dated_back_buy_no_credit_until_they_are_confirmed() {
    let (watchful, believing) = (lender(), lender());
    believing.change("policy.toml", "max_broken_record_share", "max_past_growth_share = 1.0\nmax_broken_record_share");
    let mut market = trading_marketplace(&watchful, 3);
    for merchant in ["m01", "m02", "m03"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    let forged = dated_back(&market, "m02");
    let of = |offered: &BTreeMap<String, i64>, merchant: &str| offered.get(merchant).copied().unwrap_or(0);
    let before = offered(&watchful.night(&market, day(0)).published.run_dir);
    assert!(of(&before, "m02") > 0, "{before:?}");
    believing.night(&market, day(0));
    let bought = offered(&believing.night(&forged, day(1)).published.run_dir);
    assert!(of(&bought, "m02") > of(&before, "m02"), "it pays where it is believed: {bought:?} {before:?}");

    let night = watchful.night(&forged, day(1));
    let run_dir = &night.published.run_dir;
    assert_eq!(of(&offered(run_dir), "m02"), 0);
    assert!(reasons(run_dir, "m02").contains("history-grew"), "{:?}", reasons(run_dir, "m02"));
    for merchant in ["m01", "m03"] {
        assert!(!reasons(run_dir, merchant).contains("history-grew"));
        assert!(of(&offered(run_dir), merchant) > 0, "nobody else is doubted");
    }
    let remembered = rows::<RememberedRows>(run_dir);
    let grown: Vec<_> =
        remembered.iter().filter_map(|row| Some((row.merchant_id.as_str(), PastTrade::of(row)?))).collect();
    assert_eq!(grown.len(), 1, "{grown:?}");
    assert_eq!((grown[0].0, grown[0].1.grown_minor, grown[0].1.grown_on), ("m02", 155 * 45_000, day(1)));
    assert_eq!((night.summary.merchants_past_grown, night.summary.past_grown_minor), (1, 155 * 45_000));

    // It is doubted the night after as well.
    let later = watchful.night(&forged, day(2)).published.run_dir;
    assert!(reasons(&later, "m02").contains("history-grew"));
    watchful.change("monitor.toml", "[ledger]\n", "[ledger]\ntrade_confirmed = [\"m02\"]\n");
    let confirmed = watchful.night(&forged, day(3)).published.run_dir;
    assert!(!reasons(&confirmed, "m02").contains("history-grew"));
    watchful.change("monitor.toml", "trade_confirmed = [\"m02\"]\n", "");
    let known = watchful.night(&forged, day(4));
    assert!(!reasons(&known.published.run_dir, "m02").contains("history-grew"));
    assert_eq!(known.summary.merchants_past_grown, 0);
}

/// An export that is one file a merchant: the merchant writes its amounts anew, under the same ids and stamps.
#[test]
fn amounts_written_anew_in_place_buy_no_credit() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    for merchant in ["m01", "m02"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    let before = offered(&lender.night(&market, day(0)).published.run_dir);
    assert!(before.contains_key("m01"), "{before:?}");
    market.spoil_all("orders", "m01", "amount_minor", &Cell::Number(200_000));
    let run_dir = lender.night(&market, day(1)).published.run_dir;
    assert!(reasons(&run_dir, "m01").contains("history-grew"), "{:?}", reasons(&run_dir, "m01"));
    assert!(!offered(&run_dir).contains_key("m01"));
    assert!(offered(&run_dir).contains_key("m02"));
}
