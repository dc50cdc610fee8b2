//! Several nights in a row over a marketplace that goes on between them: what tests of offers, pledges and limits are run on.

mod absent;
mod actions;
mod alerts;
mod anothers_loans;
mod books;
mod by_day;
mod draw_terms;
mod drift;
mod evidence;
mod faults;
mod gone_rows;
mod groups;
mod interchange;
mod lender;
mod limits;
mod market;
mod memory;
mod owners;
mod past_trade;
mod pledges;
mod portfolio;
mod published_offer;
mod random;
mod reconcile;
mod repeated_sales;
mod restoration;
mod row_writer;
mod sales_share;

pub use lender::{Lender, policy};
pub use market::{Drawn, Marketplace, Named};
pub use published_offer::{Offer, offers_of};

use std::fs;
use std::path::Path;

use integrity::contract::TABLES;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use tempfile::TempDir;

/// The first night of the tests here.
const FIRST_NIGHT: Date = date(2025, 5, 2);

/// `hour` o'clock UTC of a day.
pub fn at(day: Date, hour: i8) -> Timestamp {
    day.at(hour, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// Shops that opened in 2023, sell every third day since 2024 and go on for sixty days and more after the first night, one or another every day.
pub fn trading_marketplace(lender: &Lender, merchants: i64) -> Marketplace {
    let mut market = Marketplace::new(lender.policy(), TimeZone::UTC);
    for number in 1..=merchants {
        let merchant = format!("m{number:02}");
        market.add_merchant(&merchant, at(date(2023, 1, 1), 8));
        let from = date(2024, 1, 1).saturating_add((number % 3).days());
        steady_orders(&mut market, &merchant, 40_000 + 1_000 * number, from, FIRST_NIGHT.saturating_add(70.days()));
    }
    market
}

/// The same shops in guarantee groups of three since long before the first night.
pub fn grouped_marketplace(lender: &Lender, merchants: i64) -> Marketplace {
    let mut market = trading_marketplace(lender, merchants);
    for number in 1..=merchants {
        let group = format!("g{}", (number - 1) / 3);
        market.join_group(&group, &format!("m{number:02}"), at(date(2024, 6, 1), 8));
    }
    market
}

/// `count` orders that were shipped a day after `placed_on`, and that no buyer confirms.
pub fn shipped_orders(market: &mut Marketplace, merchant: &str, count: usize, placed_on: Date) -> Vec<String> {
    let ship = |_| {
        let order = market.add_order(merchant, 90_000, at(placed_on, 10));
        market.ship(&order, at(placed_on.saturating_add(1.day()), 10));
        order
    };
    (0..count).map(ship).collect()
}

/// `merchants` shops that opened in 2023 and have sold something every third day since 2024. Three days before `until` each was
/// paid for one order more, which it shipped a day later and which its buyer has not confirmed.
pub fn steady_marketplace(merchants: i64, until: Date) -> Marketplace {
    let mut market = Marketplace::new(policy(), TimeZone::UTC);
    for number in 1..=merchants {
        let merchant = format!("m{number:02}");
        market.add_merchant(&merchant, at(date(2023, 1, 1), 8));
        steady_orders(
            &mut market,
            &merchant,
            40_000 + 1_000 * number,
            date(2024, 1, 1),
            until.saturating_sub(9.days()),
        );
        let order = market.add_order(&merchant, 90_000, at(until.saturating_sub(3.days()), 10));
        market.ship(&order, at(until.saturating_sub(2.days()), 10));
    }
    market
}

/// An order every third day, shipped after one day and confirmed after five.
pub fn steady_orders(market: &mut Marketplace, merchant: &str, amount_minor: i64, from: Date, until: Date) {
    let mut day = from;
    while day < until {
        let order = market.add_order(merchant, amount_minor, at(day, 10));
        market.ship(&order, at(day.saturating_add(1.day()), 10));
        market.confirm(&order, at(day.saturating_add(5.days()), 10));
        day = day.saturating_add(3.days());
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

#[test]
fn a_marketplace_goes_on_between_nights() {
    let mut market = steady_marketplace(4, FIRST_NIGHT);
    let lender = Lender::new();
    let first = offers_of(&lender.night(&market, FIRST_NIGHT).published.run_dir);
    let order_loan = first.iter().find(|o| !o.pledged_order_ids.is_empty()).expect("an order loan on offer");
    let credit_loan = first.iter().find(|o| o.product == "credit-loan").expect("a credit loan on offer");

    let drawn_at = at(FIRST_NIGHT, 9);
    let short = market.draw(order_loan, order_loan.limit_minor, drawn_at);
    let long = market.draw(credit_loan, credit_loan.limit_minor / 10_000 * 5_000, drawn_at);
    let Drawn { dues, principal_minor, .. } = &market.loans()[&long];
    assert_eq!(dues.len(), 6);
    assert_eq!(dues.iter().map(|(_, principal, _)| principal).sum::<i64>(), *principal_minor);
    assert_eq!(dues[5].0, FIRST_NIGHT.saturating_add(180.days()));
    assert_eq!(market.pledged(at(FIRST_NIGHT, 10)).into_iter().collect::<Vec<_>>(), order_loan.pledged_order_ids);

    let repaid_at = at(FIRST_NIGHT.saturating_add(2.days()), 9);
    let owed = market.loans()[&short].owed_minor(repaid_at);
    market.repay(&short, owed, repaid_at);
    assert_eq!(
        market.open_loans(repaid_at + 1.second()).map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
        [long.as_str()]
    );
    assert!(market.pledged(repaid_at + 1.second()).is_empty());
    assert_eq!(market.loans()[&short].principal_owed_minor(repaid_at + 1.second()), 0);

    for (nights, open, payments) in [(1, 2, 0), (3, 1, 1)] {
        let summary = lender.night(&market, FIRST_NIGHT.saturating_add(nights.days())).summary;
        assert_eq!(summary.portfolio.unwrap().open.loans, open);
        assert_eq!(summary.tables["payments"].kept, payments);
        assert!(summary.tables.values().all(|t| t.quarantined == 0), "{:?}", summary.tables);
    }
}

#[test]
fn what_is_written_is_what_had_happened() {
    let mut market = Marketplace::new(policy(), TimeZone::UTC);
    let day = |n: i64| FIRST_NIGHT.saturating_add(n.days());
    market.add_merchant("m01", at(day(0), 8));
    market.join_group("g1", "m01", at(day(1), 8));
    let order = market.add_order("m01", 40_000, at(day(1), 10));
    market.ship(&order, at(day(2), 10));
    market.apply("m01", "order-loan", 30_000, std::slice::from_ref(&order), at(day(2), 12));
    let offer = Offer {
        offer_id: "offer".to_owned(),
        merchant_id: "m01".to_owned(),
        product: "order-loan".to_owned(),
        limit_minor: 32_000,
        daily_rate_ppm: 500,
        term_days: 7,
        valid_until_on: day(30),
        pledged_order_ids: vec![order.clone()],
    };
    let loan = market.draw(&offer, 20_000, at(day(3), 10));
    market.repay(&loan, 5_000, at(day(4), 10));
    market.confirm(&order, at(day(5), 10));
    market.refund(&order, at(day(6), 10));

    let folder = TempDir::new().unwrap();
    let shown = |nights: i64| {
        market.write_until(folder.path(), at(day(nights), 0));
        let heights = TABLES.map(|t| (t.name, frame(folder.path(), t.name).height()));
        heights.into_iter().filter(|(_, rows)| *rows > 0).collect::<Vec<_>>()
    };
    assert_eq!(shown(0), []);
    assert_eq!(shown(1), [("merchants", 1)]);
    assert_eq!(shown(2), [("merchants", 1), ("orders", 1), ("guarantee_groups", 1)]);
    let milestones = || {
        let orders = frame(folder.path(), "orders");
        ["completed_at", "refunded_at", "refund_minor"].map(|c| orders.column(c).unwrap().null_count() == 0)
    };
    assert_eq!(shown(5).len(), 8, "shipment, application, loan, instalment and payment too, but no membership twice");
    assert_eq!(milestones(), [false, false, false]);
    shown(6);
    assert_eq!(milestones(), [true, false, false]);
    shown(7);
    assert_eq!(milestones(), [true, true, true]);

    // 20,000 at 0.05 % a day for 7 days is 70 of interest; what is paid before any falls due is principal.
    let drawn = &market.loans()[&loan];
    assert_eq!(
        (drawn.merchant_id.as_str(), drawn.product.as_str(), drawn.offer_id.as_str()),
        ("m01", "order-loan", "offer")
    );
    let owed = |nights: i64| (drawn.owed_minor(at(day(nights), 0)), drawn.principal_owed_minor(at(day(nights), 0)));
    assert_eq!([owed(3), owed(4), owed(5)], [(0, 0), (20_070, 20_000), (15_070, 15_000)]);
}

fn frame(folder: &Path, table: &str) -> DataFrame {
    ParquetReader::new(fs::File::open(folder.join(format!("{table}.parquet"))).unwrap()).finish().unwrap()
}
