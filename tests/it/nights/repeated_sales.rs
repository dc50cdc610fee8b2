//! One sale that is sent under several ids: no credit comes of it, and nothing is pledged twice.

use std::path::Path;

use integrity::offer::Offer as Granted;
use integrity::repayment::LoanException;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// A lender whose nights go on where few rows come in and some are broken.
fn lender() -> Lender {
    let lender = Lender::new();
    lender.open_gates();
    lender.change("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0");
    lender
}

/// A shop with one order that is shipped and not confirmed, and that asks for more than this can carry.
fn shop() -> (Marketplace, String) {
    let mut market = trading_marketplace(&lender(), 2);
    let order = shipped_orders(&mut market, "m01", 1, day(-3)).remove(0);
    market.spoil("orders", &order, "buyer_id", Some(Cell::Text("b000999".to_owned())));
    market.apply("m01", "order-loan", 140_000, &[], at(day(-1), 12));
    (market, order)
}

/// The order and its parcel are sent again under another id, with other cells.
fn send_again(market: &mut Marketplace, order: &str, other: &str, but: &[(&'static str, Cell)]) {
    market.send_as("orders", order, ("order_id", other), but);
    let parcel = [("order_id", Cell::Text(other.to_owned())), ("tracking", Cell::Text(format!("t-{other}")))];
    market.send_as("shipments", order, ("shipment_id", other), &parcel);
}

/// What m01 is offered of each product: limit and daily rate.
fn offered(run: &Path) -> Vec<(String, i64, i64)> {
    let own = rows::<Granted>(run).into_iter().filter(|offer| offer.merchant_id == "m01");
    own.map(|offer| (offer.product, offer.limit_minor, offer.daily_rate_ppm)).collect()
}

/// Under which ids the sale is pledged to offers.
fn pledged(run: &Path, order: &str) -> Vec<String> {
    let own = offers_of(run).into_iter().filter(|o| o.merchant_id == "m01").flat_map(|o| o.pledged_order_ids);
    own.filter(|id| id == order || id == "a-copy").collect()
}

fn order_loan(run: &Path) -> Offer {
    let own = offers_of(run).into_iter().find(|o| o.merchant_id == "m01" && o.product == "order-loan");
    own.expect("an order loan is offered")
}

/// Ways in which an order that is sent again is not quite as it was.
fn near() -> [Vec<(&'static str, Cell)>; 4] {
    let later = |minutes: i64| at(day(-3), 10) + minutes.minutes();
    [
        vec![("amount_minor", Cell::Number(90_007))],
        vec![("placed_at", Cell::At(later(4))), ("paid_at", Cell::At(later(5)))],
        vec![("buyer_id", Cell::Text(" B000999 ".to_owned())), ("amount_minor", Cell::Number(89_995))],
        vec![("placed_at", Cell::At(later(-2))), ("amount_minor", Cell::Number(90_400))],
    ]
}

#[test]
fn a_sale_sent_again_not_quite_as_before_buys_nothing() {
    let (market, order) = shop();
    let first = lender();
    let without = offered(&first.night(&market, day(0)).published.run_dir);
    assert_eq!(without.len(), 2, "{without:?}");
    for but in near() {
        let mut market = market.clone();
        send_again(&mut market, &order, "a-copy", &but);
        let lender = lender();
        let run = lender.night(&market, day(0)).published.run_dir;
        let with = offered(&run);
        assert_eq!(with.len(), without.len(), "{but:?}: an honest repeat purchase is not refused everything");
        for ((product, limit, rate), (_, most, least)) in with.iter().zip(&without) {
            assert!(limit <= most && rate >= least, "{but:?}, {product}: {limit} at {rate}, not {most} at {least}");
        }
        assert_eq!(pledged(&run, &order).len(), 1, "{but:?}");
    }
}

#[test]
fn a_sale_that_secures_a_loan_secures_no_other_under_another_id() {
    for (named, but) in [Named::Orders, Named::Offer, Named::Nothing].into_iter().zip(near()) {
        let (lender, (mut market, order)) = (lender(), shop());
        let offer = order_loan(&lender.night(&market, day(0)).published.run_dir);
        assert!(offer.pledged_order_ids.contains(&order), "{offer:?}");
        let loan = market.draw_naming(named, &offer, offer.limit_minor / 2, at(day(0), 9));
        send_again(&mut market, &order, "a-copy", &but);
        for number in 1..3 {
            let run = lender.night(&market, day(number)).published.run_dir;
            assert_eq!(pledged(&run, &order), Vec::<String>::new(), "{named:?}, {but:?}, night {number}");
        }
        // Repaid, the sale is free: once.
        let owed = market.loans()[&loan].owed_minor(at(day(2), 9));
        market.repay(&loan, owed, at(day(2), 9));
        let other = lender.copy();
        let free = other.night(&market, day(3)).published.run_dir;
        assert_eq!(pledged(&free, &order).len(), 1, "{named:?}, {but:?}");
        // Escrow has paid it, under the one id or the other.
        market.confirm(&order, at(day(2), 9));
        let settled = lender.night(&market, day(3)).published.run_dir;
        assert_eq!(pledged(&settled, &order), Vec::<String>::new(), "{named:?}, {but:?}");
    }
}

#[test]
fn a_sale_whose_first_row_is_broken_is_not_lent_against_under_another_id() {
    for column in ["amount_minor", "buyer_id", "placed_at"] {
        let (lender, (mut market, order)) = (lender(), shop());
        send_again(&mut market, &order, "a-copy", &[("amount_minor", Cell::Number(90_007))]);
        market.spoil("orders", &order, column, None);
        let run = lender.night(&market, day(0)).published.run_dir;
        assert_eq!(pledged(&run, &order), Vec::<String>::new(), "{column}");
    }
}

#[test]
fn a_payment_sent_again_a_minute_later_leaves_its_loan_unknown_until_it_is_confirmed() {
    let (lender, (mut market, _)) = (lender(), shop());
    lender.change("monitor.toml", "max_unknown_loan_share = 0.03", "max_unknown_loan_share = 1.0");
    let offer = order_loan(&lender.night(&market, day(0)).published.run_dir);
    let loan = market.draw_naming(Named::Offer, &offer, offer.limit_minor / 2, at(day(0), 9));
    let payment = market.repay(&loan, 10_000, at(day(0), 12));
    let later = [("paid_at", Cell::At(at(day(0), 12) + 1.minutes()))];
    market.send_as("payments", &payment, ("payment_id", "p-copy"), &later);
    let causes = |run: &Path| -> Vec<String> {
        let own = rows::<LoanException>(run).into_iter().filter(|line| line.loan_id.as_deref() == Some(&loan));
        own.map(|line| line.code).collect()
    };
    let run = lender.night(&market, day(1)).published.run_dir;
    assert_eq!((causes(&run), offered(&run)), (vec!["payment-repeated".to_owned()], Vec::new()));
    lender.change("monitor.toml", "[ledger]\n", &format!("[ledger]\npayments_confirmed = [{loan:?}]\n"));
    let run = lender.night(&market, day(2)).published.run_dir;
    assert_eq!(causes(&run), Vec::<String>::new());

    // What is sent twice after the day up to which that was said is found again.
    let confirmed = format!("payments_confirmed = [{loan:?}]");
    let until = |day: Date| format!("payments_confirmed = [{{ loan = {loan:?}, paid_until = \"{day}\" }}]");
    lender.change("monitor.toml", &confirmed, &until(day(0)));
    let payment = market.repay(&loan, 5_000, at(day(2), 12));
    let later = [("paid_at", Cell::At(at(day(2), 12) + 1.minutes()))];
    market.send_as("payments", &payment, ("payment_id", "p-copy-2"), &later);
    assert_eq!(causes(&lender.night(&market, day(3)).published.run_dir), ["payment-repeated"]);
    lender.change("monitor.toml", &until(day(0)), &until(day(2)));
    assert_eq!(causes(&lender.night(&market, day(4)).published.run_dir), Vec::<String>::new());
}
