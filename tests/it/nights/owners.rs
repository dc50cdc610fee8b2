//! Shops of one owner through whole nights: one borrower to all that does not grow with trade, whatever becomes of the rows that say so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::answer::{Draw, Outcome};
use integrity::exposure::{OpenOffer, Statement};
use integrity::offer::{CapName, Decline, Offer as Granted};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::{owed, rows};
use super::by_day::{answer, application};
use super::groups::{never_paid, offered};
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, trading_marketplace};

/// The first limit of a credit loan, which every shop here could carry alone: nobody has repaid any.
const FIRST_LIMIT_MINOR: i64 = 400_000;
const SHOPS: [&str; 2] = ["m01", "m02"];

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

type Fault<'a> = (&'a str, &'a dyn Fn(&mut Marketplace));

fn name_owner(market: &mut Marketplace, merchant: &str, owner: Option<&str>) {
    market.spoil("merchants", merchant, "owner_id", owner.map(|owner| Cell::Text(owner.to_owned())));
}

/// Two shops of one owner, whom they write differently, and two of owners of their own.
fn owned(changes: &[(&str, &str, &str)]) -> (Lender, Marketplace) {
    let lender = Lender::with(changes);
    let mut market = trading_marketplace(&lender, 4);
    for (merchant, owner) in [("m01", "DE 123"), ("m02", "de123 "), ("m03", "DE 7"), ("m04", "DE 8")] {
        name_owner(&mut market, merchant, Some(owner));
    }
    lender.change("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0");
    lender.open_gates();
    lender.change("monitor.toml", "max_unknown_loan_share = 0.03", "max_unknown_loan_share = 1.0");
    (lender, market)
}

fn tight() -> (Lender, Marketplace) {
    owned(&[("policy.toml", "first_limit_minor = 10_000_000", "first_limit_minor = 400_000")])
}

fn set(merchants: &[&str]) -> BTreeSet<String> {
    merchants.iter().map(|merchant| (*merchant).to_owned()).collect()
}

fn reasons(run_dir: &Path, merchant: &str) -> BTreeSet<String> {
    let declines = rows::<Decline>(run_dir).into_iter().filter(|decline| decline.merchant_id == merchant);
    declines.flat_map(|decline| decline.reasons).map(|reason| reason.code.to_string()).collect()
}

/// What shops owe and may draw on credit loans.
fn committed(market: &Marketplace, run_dir: &Path, merchants: &[&str], number: i64) -> i64 {
    let is_credit = |product: &str| product == "credit-loan";
    let open = rows::<OpenOffer>(run_dir).into_iter().filter(|offer| is_credit(&offer.product));
    let held = open.filter(|offer| merchants.contains(&offer.merchant_id.as_str()));
    let owed = merchants.iter().map(|m| owed(market, m, at(day(number), 0), is_credit));
    held.map(|offer| offer.held_minor).sum::<i64>() + owed.sum::<i64>()
}

#[test]
fn shops_of_one_owner_share_the_first_limit_night_after_night() {
    let (lender, mut market) = tight();
    let mut bound = 0;
    for number in 0..5 {
        let run = lender.night(&market, day(number)).published.run_dir;
        let both = committed(&market, &run, &SHOPS, number);
        assert!(both <= FIRST_LIMIT_MINOR, "night {number}: {both}");
        assert!(committed(&market, &run, &["m03"], number) <= FIRST_LIMIT_MINOR);
        let granted = rows::<Granted>(&run);
        let has_owner = |offer: &Granted| offer.caps.iter().any(|cap| cap.name == CapName::Owner);
        assert!(granted.iter().all(|o| SHOPS.contains(&o.merchant_id.as_str()) == has_owner(o)));
        bound += granted.iter().filter(|offer| offer.binding_cap == CapName::Owner).count();
        // The first draws half of what it is offered, the other nothing.
        let of_first = |offer: &&Offer| offer.merchant_id == "m01" && offer.product == "credit-loan";
        if let Some(offer) = offers_of(&run).iter().find(of_first) {
            market.draw(offer, offer.limit_minor / 20_000 * 10_000, at(day(number), 9));
        }
        let statements: BTreeMap<String, Statement> =
            rows::<Statement>(&run).into_iter().map(|statement| (statement.merchant_id.clone(), statement)).collect();
        let told = |merchant: &str| {
            let statement = &statements[merchant];
            (statement.owner_id.clone().unwrap(), statement.owner_shops)
        };
        assert_eq!((told("m01"), told("m02")), (("de123".to_owned(), Some(2)), ("de123".to_owned(), Some(2))));
        assert_eq!(told("m03"), ("de7".to_owned(), None));
    }
    assert!(bound > 3, "the owner's bounds bound {bound} times");
    assert!(owed(&market, "m01", at(day(5), 0), |_| true) > 0);
}

#[test]
fn an_owner_that_is_no_longer_named_goes_on_to_bind_until_nothing_is_owed() {
    let (lender, mut market) = tight();
    let run = lender.night(&market, day(0)).published.run_dir;
    let drawn = offers_of(&run).into_iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap();
    let loan = market.draw(&drawn, drawn.limit_minor, at(day(0), 9));
    let faults: [Fault<'_>; 3] = [
        ("another owner is named", &|m| name_owner(m, "m01", Some("DE 99"))),
        ("the other shop names another", &|m| name_owner(m, "m02", Some("DE 99"))),
        ("both name others", &|m| {
            name_owner(m, "m01", Some("DE 98"));
            name_owner(m, "m02", Some("DE 99"));
        }),
    ];
    for (what, fault) in faults {
        let (lender, mut market) = (lender.copy(), market.clone());
        fault(&mut market);
        for number in 1..4 {
            let run = lender.night(&market, day(number)).published.run_dir;
            let both = committed(&market, &run, &SHOPS, number);
            assert!(both <= FIRST_LIMIT_MINOR, "{what}, night {number}: {both}");
        }
        // Once all is repaid, and what was offered while the row named the owner is replaced or has lapsed, each is its own.
        let repaid_at = at(day(4), 9);
        let owed_minor = market.loans()[&loan].owed_minor(repaid_at);
        market.repay(&loan, owed_minor, repaid_at);
        let shops = |number: i64| {
            let run = lender.night(&market, day(number)).published.run_dir;
            let statements = rows::<Statement>(&run).into_iter();
            let of_both = statements.filter(|statement| SHOPS.contains(&statement.merchant_id.as_str()));
            of_both.map(|statement| statement.owner_shops).collect::<Vec<_>>()
        };
        shops(5);
        assert_eq!(shops(40), [None, None], "{what}");
    }
}

#[test]
fn a_shop_that_is_gone_and_may_owe_leaves_what_its_owner_owes_unknown() {
    let (lender, mut market) = tight();
    let run = lender.night(&market, day(0)).published.run_dir;
    let drawn = offers_of(&run).into_iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap();
    market.draw(&drawn, drawn.limit_minor, at(day(0), 9));
    let first = lender.night(&market, day(1)).published.run_dir;
    assert!(offered(&first).contains("m02"), "{:?}", reasons(&first, "m02"));
    let mut gone = market.clone();
    gone.lose("merchants", "m01");
    let mut broken = market.clone();
    broken.spoil("merchants", "m01", "region", None);
    for (what, market) in [("gone", gone), ("broken", broken)] {
        let lender = lender.copy();
        for number in 2..4 {
            let run = lender.night(&market, day(number)).published.run_dir;
            assert_eq!(offered(&run), set(&["m03", "m04"]), "{what}, night {number}");
            assert!(reasons(&run, "m02").contains("owner-record-unknown"), "{:?}", reasons(&run, "m02"));
        }
    }
}

#[test]
fn a_default_of_one_shop_declines_the_others_of_its_owner() {
    let (lender, mut market) = owned(&[]);
    never_paid(&mut market, Named::Nothing);
    let run = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(offered(&run), set(&["m03", "m04"]));
    assert!(reasons(&run, "m02").contains("owner-in-default"), "{:?}", reasons(&run, "m02"));
    assert!(!reasons(&run, "m01").contains("owner-in-default"), "its own default");
    // Another name in the row of either does not help.
    for (merchant, owner) in [("m01", Some("DE 99")), ("m02", Some("DE 99")), ("m01", None), ("m02", None)] {
        let (lender, mut market) = (lender.copy(), market.clone());
        name_owner(&mut market, merchant, owner);
        for number in 1..3 {
            let run = lender.night(&market, day(number)).published.run_dir;
            assert_eq!(offered(&run), set(&["m03", "m04"]), "{merchant} names {owner:?}");
        }
        // A person who knows better says so.
        if owner.is_some() {
            lender.change("monitor.toml", "[ledger]\n", "[ledger]\nowners_corrected = [\"DE 123\"]\n");
            let run = lender.night(&market, day(3)).published.run_dir;
            assert_eq!(offered(&run), set(&["m02", "m03", "m04"]));
        }
    }
}

#[test]
fn a_shop_in_probation_holds_the_others_of_its_owner() {
    let (lender, mut market) = owned(&[]);
    let loan = never_paid(&mut market, Named::Nothing);
    lender.night(&market, day(0));
    let repaid_at = at(day(0), 9);
    let owed_minor = market.loans()[&loan].owed_minor(repaid_at);
    market.repay(&loan, owed_minor, repaid_at);
    for number in 1..3 {
        let run = lender.night(&market, day(number)).published.run_dir;
        assert_eq!(offered(&run), set(&["m03", "m04"]));
        assert!(reasons(&run, "m02").contains("owner-not-restored"), "{:?}", reasons(&run, "m02"));
    }
}

#[test]
fn who_names_no_owner_where_others_do_is_declined_or_stands_alone_as_the_policy_says() {
    let (lender, mut market) = owned(&[]);
    name_owner(&mut market, "m02", Some(" "));
    let run = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(offered(&run), set(&["m01", "m03", "m04"]));
    assert_eq!(reasons(&run, "m02"), set(&["owner-unknown"]));
    let (lender, _) = owned(&[("policy.toml", "[groups]\n", "[owners]\nunknown = \"alone\"\n\n[groups]\n")]);
    let run = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(offered(&run), set(&["m01", "m02", "m03", "m04"]));
    // Where nobody names an owner nothing is asked.
    let (lender, mut market) = owned(&[]);
    for merchant in ["m01", "m02", "m03", "m04"] {
        name_owner(&mut market, merchant, None);
    }
    let run = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(offered(&run), set(&["m01", "m02", "m03", "m04"]));
    assert!(rows::<Statement>(&run).iter().all(|statement| statement.owner_id.is_none()));
}

#[test]
fn answers_by_day_stay_within_what_the_owner_has_left() {
    let (lender, market) = tight();
    let run = lender.night(&market, day(0)).published.run_dir;
    let offers: BTreeMap<String, Granted> = rows::<Granted>(&run)
        .into_iter()
        .filter(|offer| offer.product == "credit-loan")
        .map(|offer| (offer.merchant_id.clone(), offer))
        .collect();
    let draws: Vec<Draw> = SHOPS
        .iter()
        .map(|merchant| Draw {
            merchant_id: (*merchant).to_owned(),
            offer_id: offers[*merchant].offer_id.clone(),
            drawn_minor: offers[*merchant].limit_minor,
            line: 0,
        })
        .collect();
    // All that was offered is drawn: nothing is left for anybody, whoever asks.
    let asked = SHOPS.map(|merchant| application(merchant, merchant, "credit-loan", FIRST_LIMIT_MINOR)).to_vec();
    for answered in answer(&lender.copy(), (day(0), 10), Some(draws), asked).unwrap().answers {
        assert_eq!(answered.outcome, Outcome::Decline, "{answered:?}");
    }
    // Nothing is drawn: each is offered its part again.
    let again = SHOPS.map(|merchant| application(&format!("{merchant} b"), merchant, "credit-loan", FIRST_LIMIT_MINOR));
    let answered = answer(&lender, (day(0), 11), Some(Vec::new()), again.to_vec()).unwrap().answers;
    let given: i64 = answered.iter().filter_map(|answer| answer.offer.as_ref()).map(|offer| offer.limit_minor).sum();
    assert!(given > 0 && given <= FIRST_LIMIT_MINOR, "{given}: {answered:?}");
}
