//! Loans that were not drawn as they were offered.

use std::path::Path;

use integrity::exposure::{DebtState, Statement};
use integrity::repayment::LoanException;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// Nights with one loan, known or not, and few rows.
fn lender() -> Lender {
    let lender = Lender::new();
    let gates =
        "[gates]\nfewer_rows_share = 1.0\nfewer_bytes_share = 1.0\ndays_older = 90\ndays_past_data = 90\n\n[model]";
    lender.change("job.toml", "[model]", gates);
    lender.change("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0");
    lender.change("monitor.toml", "max_unknown_loan_share = 0.03", "max_unknown_loan_share = 1.0");
    lender
}

/// What the officers' list says of m01: code, and whether the loan is unknown for it; and whether its debts are known.
fn said(run: &Path) -> (Vec<(String, bool)>, DebtState) {
    let lines = rows::<LoanException>(run).into_iter().filter(|line| line.merchant_id.as_deref() == Some("m01"));
    let account = rows::<Statement>(run).into_iter().find(|account| account.merchant_id == "m01").unwrap();
    (lines.map(|line| (line.code, line.is_unknown)).collect(), account.debt)
}

fn told(code: &str, is_unknown: bool) -> (Vec<(String, bool)>, DebtState) {
    (vec![(code.to_owned(), is_unknown)], if is_unknown { DebtState::Unknown } else { DebtState::Known })
}

/// How a loan is drawn, and the code and the weight of what is said of it.
type Change<'a> = (&'a str, &'a dyn Fn(&Offer) -> Offer, Option<(&'a str, bool)>);

#[test]
fn a_loan_that_is_not_what_was_offered_is_told_for_as_long_as_it_is_open() {
    let offered = |lender: &Lender, market: &Marketplace| -> Offer {
        let offers = offers_of(&lender.night(market, day(0)).published.run_dir);
        offers.into_iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap()
    };
    let draws: [Change<'_>; 6] = [
        ("as it was offered", &Offer::clone, None),
        ("at a lower rate", &|o| Offer { daily_rate_ppm: 100, ..o.clone() }, Some(("draw-at-other-terms", false))),
        ("for a shorter term", &|o| Offer { term_days: 120, ..o.clone() }, Some(("draw-at-other-terms", false))),
        ("for a longer term", &|o| Offer { term_days: 240, ..o.clone() }, Some(("draw-for-longer", true))),
        (
            "of another product",
            &|o| Offer { product: "order-loan".to_owned(), term_days: 7, ..o.clone() },
            Some(("draw-of-another-product", true)),
        ),
        (
            "on an offer that nobody made",
            &|o| Offer { offer_id: "nobody's".to_owned(), ..o.clone() },
            Some(("offer-not-known", false)),
        ),
    ];
    let base = lender();
    let market = trading_marketplace(&base, 2);
    let offer = offered(&base, &market);
    for (what, change, expected) in draws {
        let (lender, mut market) = (base.copy(), market.clone());
        let loan = market.draw_naming(Named::Offer, &change(&offer), 20_000, at(day(0), 9));
        let expected = expected.map_or((Vec::new(), DebtState::Known), |(code, unknown)| told(code, unknown));
        // The offer has been replaced, and has left the accounts, by the third night.
        for number in 1..4 {
            let run = lender.night(&market, day(number)).published.run_dir;
            let (mut lines, debt) = said(&run);
            lines.dedup();
            if what == "of another product" {
                lines.retain(|(code, _)| code != "draw-at-other-terms");
            }
            assert_eq!((lines, debt), expected, "{what}, night {number}");
            let is_offered = offers_of(&run).iter().any(|offer| offer.merchant_id == "m01");
            assert_eq!(is_offered, expected.1 == DebtState::Known, "{what}, night {number}");
        }
        // The row is mended: no more is said.
        market.spoil("loans", &loan, "offer_id", None);
        let run = lender.night(&market, day(4)).published.run_dir;
        assert_eq!(said(&run), (Vec::new(), DebtState::Known), "{what}");
    }
}

#[test]
fn a_loan_drawn_after_its_offer_had_lapsed_is_told() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    let offers = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let offer = offers.into_iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap();
    let late = offer.valid_until_on.saturating_add(2.days());
    let extended = Offer { valid_until_on: late, ..offer };
    market.draw_naming(Named::Offer, &extended, 20_000, at(late, 9));
    let run = lender.night(&market, late.saturating_add(1.day())).published.run_dir;
    assert_eq!(said(&run), told("draw-outside-offer", false));
}

#[test]
fn an_application_that_leads_to_no_merchant_is_told_while_it_waits() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    let application = market.apply("m01", "credit-loan", 30_000, &[], at(day(-1), 12));
    let of = |market: &Marketplace, number: i64| -> Vec<(Option<String>, String, bool)> {
        let lender = lender.copy();
        let run = lender.night(market, day(number)).published.run_dir;
        rows::<LoanException>(&run).into_iter().map(|line| (line.merchant_id, line.code, line.is_unknown)).collect()
    };
    lender.night(&market, day(0));
    assert_eq!(of(&market, 1), []);
    for cell in [None, Some(Cell::Text("nobody".to_owned()))] {
        market.spoil("applications", &application, "merchant_id", cell);
        assert_eq!(of(&market, 1), [(None, "broken-application".to_owned(), false)]);
        assert_eq!(of(&market, 60), [], "an offer made on it would have lapsed");
    }
}
