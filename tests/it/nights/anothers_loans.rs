//! Loans that rest on what is another merchant's, or that are nobody's.

use integrity::repayment::LoanException;
use integrity::run::{GateError, RunError};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// Nights with one loan, or none, that is known.
fn tolerant() -> Lender {
    Lender::with(&[(
        "monitor.toml",
        "[ledger]\nmax_unknown_loan_share = 0.03",
        "[ledger]\nmax_unknown_loan_share = 1.0",
    )])
}

fn order_loan(offers: &[Offer], merchant: &str) -> Option<Offer> {
    offers.iter().find(|o| o.merchant_id == merchant && o.product == "order-loan").cloned()
}

/// An offer that no night made.
fn elsewhere() -> Offer {
    Offer {
        offer_id: "elsewhere".to_owned(),
        merchant_id: "m01".to_owned(),
        product: "credit-loan".to_owned(),
        limit_minor: 90_000,
        daily_rate_ppm: 450,
        term_days: 180,
        valid_until_on: day(20),
        pledged_order_ids: Vec::new(),
    }
}

fn causes(run: &std::path::Path, loan: &str) -> Vec<(Option<String>, String)> {
    let lines = rows::<LoanException>(run).into_iter().filter(|line| line.loan_id.as_deref() == Some(loan));
    lines.map(|line| (line.merchant_id, line.code)).collect()
}

#[test]
fn a_loan_on_another_merchants_orders_or_offer_is_unknown_for_both() {
    let causes_of = |named: Named| {
        let lender = tolerant();
        let mut market = trading_marketplace(&lender, 2);
        for merchant in ["m01", "m02"] {
            shipped_orders(&mut market, merchant, 2, day(-3));
            market.apply(merchant, "order-loan", 140_000, &[], at(day(-1), 12));
        }
        let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
        let theirs = order_loan(&first, "m02").unwrap();
        assert!(order_loan(&first, "m01").is_some());
        let stolen = Offer { merchant_id: "m01".to_owned(), ..theirs.clone() };
        let loan = market.draw_naming(named, &stolen, stolen.limit_minor, at(day(0), 9));

        let run = lender.night(&market, day(1)).published.run_dir;
        let offers = offers_of(&run);
        assert_eq!(offers.iter().find(|o| o.merchant_id == "m01"), None, "{named:?}: its debts are not known");
        assert_eq!(offers.iter().find(|o| o.merchant_id == "m02"), None, "{named:?}: it may have drawn the offer");
        let mut causes = causes(&run, &loan);
        let of_maker: Vec<_> = causes.extract_if(.., |(merchant, _)| merchant.as_deref() == Some("m02")).collect();
        assert_eq!(of_maker, [(Some("m02".to_owned()), "drawn-under-another".to_owned())], "{named:?}");
        assert!(causes.iter().all(|(merchant, _)| merchant.as_deref() == Some("m01")));
        causes.drain(..).map(|(_, code)| code).collect::<Vec<_>>()
    };
    assert_eq!(causes_of(Named::Orders), ["offer-of-another-merchant", "pledge-not-own"]);
    assert_eq!(causes_of(Named::Offer), ["offer-of-another-merchant"]);
}

#[test]
fn an_offer_drawn_on_by_nobody_who_is_known_is_not_open_any_more() {
    let lender = tolerant();
    let mut market = trading_marketplace(&lender, 3);
    let older = Offer { merchant_id: "m03".to_owned(), ..elsewhere() };
    for hour in 1..9 {
        market.draw_naming(Named::Nothing, &older, 10_000, at(day(-9), hour));
    }
    for merchant in ["m01", "m02"] {
        market.apply(merchant, "credit-loan", 140_000, &[], at(day(-1), 12));
    }
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let theirs = first.iter().find(|offer| offer.merchant_id == "m02").unwrap();
    assert!(first.iter().any(|offer| offer.merchant_id == "m01"));
    // The borrower is written as no merchant is.
    let stray = Offer { merchant_id: "M02".to_owned(), ..theirs.clone() };
    let loan = market.draw_naming(Named::Offer, &stray, stray.limit_minor, at(day(0), 9));
    for number in 1..3 {
        let run = lender.night(&market, day(number)).published.run_dir;
        let offers = offers_of(&run);
        assert_eq!(offers.iter().find(|o| o.merchant_id == "m02"), None, "night {number}");
        assert!(offers.iter().any(|o| o.merchant_id == "m01"), "night {number}: others are not meant");
        let told = (Some("m02".to_owned()), "drawn-under-another".to_owned());
        assert!(causes(&run, &loan).contains(&told), "night {number}");
    }
}

#[test]
fn a_loan_drawn_after_the_last_order_cannot_rest_on_another_merchants() {
    // Both merchants sell every third day: on one of three days in a row nothing is ordered.
    for drawn in 0..3 {
        for owner in ["m01", "m02"] {
            let lender = tolerant();
            let mut market = trading_marketplace(&lender, 2);
            let orders = shipped_orders(&mut market, owner, 2, day(-3));
            market.apply("m02", "order-loan", 140_000, &[], at(day(-1), 12));
            let pledging = Offer {
                offer_id: "elsewhere".to_owned(),
                merchant_id: "m01".to_owned(),
                product: "order-loan".to_owned(),
                limit_minor: 90_000,
                daily_rate_ppm: 450,
                term_days: 7,
                valid_until_on: day(20),
                pledged_order_ids: orders[..1].to_vec(),
            };
            let loan = market.draw_naming(Named::Orders, &pledging, 10_000, at(day(drawn), 22));

            let run = lender.night(&market, day(drawn + 1)).published.run_dir;
            let of_others = order_loan(&offers_of(&run), "m02");
            let causes = causes(&run, &loan);
            if owner == "m01" {
                assert_eq!(causes, [], "day {drawn}");
                continue;
            }
            assert_eq!(causes, [(Some("m01".to_owned()), "pledge-not-own".to_owned())], "day {drawn}");
            assert_eq!(offers_of(&run).iter().find(|offer| offer.merchant_id == "m01"), None, "day {drawn}");
            assert!(of_others.unwrap().pledged_order_ids.contains(&orders[0]), "day {drawn}: the order stays m02's");
        }
    }
}

#[test]
fn a_loan_of_nobody_is_in_the_share_of_unknown_loans_on_a_first_night() {
    let offer = |merchant: &str| Offer { merchant_id: merchant.to_owned(), ..elsewhere() };
    let with_a_stranger = |lender: &Lender| -> Marketplace {
        let mut market = trading_marketplace(lender, 2);
        for hour in 1..9 {
            market.draw_naming(Named::Nothing, &offer("m01"), 10_000, at(day(-9), hour));
        }
        market.draw_naming(Named::Nothing, &offer("nobody"), 90_000, at(day(-9), 9));
        market
    };
    let strict = Lender::with(&[]);
    match strict.night_without(&with_a_stranger(&strict), day(0), &[]) {
        Err(RunError::Gate(GateError::UnknownLoans { unknown: 1, loans: 9, .. })) => {}
        other => panic!("{other:?}"),
    }
    let lender = tolerant();
    let market = with_a_stranger(&lender);
    for number in 0..2 {
        let night = lender.night(&market, day(number));
        let portfolio = night.summary.portfolio.unwrap();
        assert_eq!((portfolio.known_loans, portfolio.unknown.loans, portfolio.unknown.without_principal), (8, 1, 1));
        let lines: Vec<_> = rows::<LoanException>(&night.published.run_dir);
        assert!(!lines.is_empty() && lines.iter().all(|line| line.merchant_id.is_none()), "{lines:?}");
    }
}
