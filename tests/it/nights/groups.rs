//! Guarantee groups through whole nights: one cap for all members, and one member's default stops all.

use std::collections::BTreeSet;
use std::path::Path;

use integrity::exposure::OpenOffer;
use integrity::offer::{CapName, Decline, Offer as Granted};
use integrity::report::policy_diff;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::{owed, rows};
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, trading_marketplace};

const CAP_MINOR: i64 = 600_000;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

type Fault<'a> = (&'a str, &'a dyn Fn(&mut Marketplace));

/// As [`grouped`], where nights go on with any number of broken rows and unknown loans.
fn tolerant() -> (Lender, Marketplace) {
    let (lender, market) = grouped();
    lender.change("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0");
    lender.open_gates();
    lender.change("monitor.toml", "max_unknown_loan_share = 0.03", "max_unknown_loan_share = 1.0");
    (lender, market)
}

/// A loan of m01, due 53 days before the first night and never paid.
pub(super) fn never_paid(market: &mut Marketplace, named: Named) -> String {
    let bad = Offer {
        offer_id: "elsewhere".to_owned(),
        merchant_id: "m01".to_owned(),
        product: "order-loan".to_owned(),
        limit_minor: 90_000,
        daily_rate_ppm: 450,
        term_days: 7,
        valid_until_on: day(-60),
        pledged_order_ids: Vec::new(),
    };
    market.draw_naming(named, &bad, 90_000, at(day(-60), 9))
}

pub(super) fn offered(run_dir: &Path) -> BTreeSet<String> {
    offers_of(run_dir).into_iter().map(|offer| offer.merchant_id).collect()
}

#[test]
fn a_groups_default_does_not_vanish_with_its_members_row() {
    let (lender, mut market) = tolerant();
    let loan = never_paid(&mut market, Named::Nothing);
    market.spoil("loans", &loan, "group_id", Some(Cell::Text("g1".to_owned())));
    let only_m04 = BTreeSet::from(["m04".to_owned()]);
    let fresh = || tolerant().0;
    assert_eq!(offered(&lender.night(&market, day(0)).published.run_dir), only_m04);

    let member = "g1 m01";
    let left = Cell::At(at(day(-1), 9));
    let faults: [Fault<'_>; 8] = [
        ("the merchant's row is broken", &|m| m.spoil("merchants", "m01", "region", None)),
        ("the merchant's row is lost", &|m| m.lose("merchants", "m01")),
        ("the membership is lost", &|m| m.lose("guarantee_groups", member)),
        ("the membership is broken", &|m| m.spoil("guarantee_groups", member, "joined_at", None)),
        ("the membership names no group", &|m| m.spoil("guarantee_groups", member, "group_id", None)),
        ("the membership is another's", &|m| {
            m.spoil("guarantee_groups", member, "merchant_id", Some(Cell::Text("m04".to_owned())));
        }),
        ("the membership begins one day", &|m| {
            m.spoil("guarantee_groups", member, "joined_at", Some(Cell::At(at(day(200), 9))));
        }),
        ("the membership has ended", &|m| m.spoil("guarantee_groups", member, "left_at", Some(left.clone()))),
    ];
    for (what, fault) in faults {
        let mut market = market.clone();
        fault(&mut market);
        for (lender, number, when) in [(fresh(), 0, "on a first night"), (lender.copy(), 1, "on a second night")] {
            let offered = offered(&lender.night(&market, day(number)).published.run_dir);
            assert!(
                offered.is_disjoint(&["m01", "m02", "m03"].map(str::to_owned).into()),
                "{what} {when}: {offered:?}"
            );
        }
    }
    // Nothing at all is left of the member: the night before remembers both the loan and the membership.
    let mut gone = market.clone();
    gone.lose("merchants", "m01");
    gone.lose("guarantee_groups", member);
    gone.lose("loans", &loan);
    gone.lose_all("instalments", &loan);
    for number in 1..3 {
        assert_eq!(offered(&lender.night(&gone, day(number)).published.run_dir), only_m04, "night {number}");
    }
}

#[test]
fn a_member_of_whom_no_row_is_seen_makes_the_groups_debts_unknown_until_it_has_left() {
    let (lender, market) = tolerant();
    let first = offered(&lender.night(&market, day(0)).published.run_dir);
    assert!(first.contains("m02") && first.contains("m03"), "{first:?}");
    let mut lost = market.clone();
    lost.lose("guarantee_groups", "g1 m01");
    let mut left = market;
    left.spoil("guarantee_groups", "g1 m01", "left_at", Some(Cell::At(at(day(0), 9))));
    // Lost for two nights, the others are offered nothing; and again what they were once a row says that the member has left.
    let check = |lender: &Lender, number: i64, market: &Marketplace, is_offered: bool| {
        let offered = offered(&lender.night(market, day(number)).published.run_dir);
        assert!(offered.contains("m04"));
        assert_eq!((offered.contains("m02"), offered.contains("m03")), (is_offered, is_offered), "night {number}");
    };
    check(&lender, 1, &lost, false);
    check(&lender, 2, &lost, false);
    check(&lender.copy(), 3, &left, true);
    // A lender who knows that it has left says so.
    lender.change("monitor.toml", "[ledger]\n", "[ledger]\nmembers_no_longer_sent = [\"m01\"]\n");
    check(&lender, 3, &lost, true);
}

#[test]
fn who_left_a_group_answers_for_what_was_drawn_before_and_no_longer_for_what_comes_after() {
    let (_, mut market) = tolerant();
    let loan = never_paid(&mut market, Named::Nothing);
    market.spoil("loans", &loan, "group_id", Some(Cell::Text("g1".to_owned())));
    // Drawn 60 days ago, an hour after all had joined. m02 leaves after that, m03 had left before.
    market.spoil("guarantee_groups", "g1 m02", "left_at", Some(Cell::At(at(day(-1), 9))));
    market.spoil("guarantee_groups", "g1 m03", "left_at", Some(Cell::At(at(day(-60), 9))));
    let fresh = || tolerant().0;
    let run = |market: &Marketplace| offered(&fresh().night(market, day(0)).published.run_dir);
    let two = BTreeSet::from(["m03", "m04"].map(str::to_owned));
    assert_eq!(run(&market), two);
    // Of a loan of the group that is not known nobody knows whether it is in default.
    market.lose_all("instalments", &loan);
    assert_eq!(run(&market), BTreeSet::from(["m04".to_owned()]));
}

#[test]
fn an_end_that_is_dated_back_frees_nobody_of_what_was_drawn_while_nights_saw_the_membership_go_on() {
    let (lender, mut market) = tolerant();
    let loan = never_paid(&mut market, Named::Nothing);
    market.spoil("loans", &loan, "group_id", Some(Cell::Text("g1".to_owned())));
    let offered_on = |market: &Marketplace, number: i64| offered(&lender.night(market, day(number)).published.run_dir);
    let only_m04 = BTreeSet::from(["m04".to_owned()]);
    assert_eq!(offered_on(&market, 0), only_m04);
    // Before the loan was drawn, says the row now.
    let mut back = market.clone();
    for member in ["g1 m02", "g1 m03"] {
        back.spoil("guarantee_groups", member, "left_at", Some(Cell::At(at(day(-60), 8))));
    }
    assert_eq!(offered_on(&back, 1), only_m04);
    assert_eq!(offered_on(&back, 2), only_m04, "nor a night later");
    back.lose("guarantee_groups", "g1 m02");
    assert_eq!(offered_on(&back, 3), only_m04, "nor without any row");
}

#[test]
fn a_beginning_that_is_put_later_frees_nobody_of_what_was_drawn_while_nights_saw_the_membership_go_on() {
    let (lender, mut market) = tolerant();
    let loan = never_paid(&mut market, Named::Nothing);
    market.spoil("loans", &loan, "group_id", Some(Cell::Text("g1".to_owned())));
    let only_m04 = BTreeSet::from(["m04".to_owned()]);
    let offered_on =
        |lender: &Lender, market: &Marketplace, number| offered(&lender.night(market, day(number)).published.run_dir);
    assert_eq!(offered_on(&lender, &market, 0), only_m04);
    // After the loan was drawn, and ended, say the rows now: at once, or a night after one another.
    let mut later = market.clone();
    for member in ["g1 m02", "g1 m03"] {
        later.spoil("guarantee_groups", member, "joined_at", Some(Cell::At(at(day(-1), 8))));
    }
    let mut ended = later.clone();
    for member in ["g1 m02", "g1 m03"] {
        ended.spoil("guarantee_groups", member, "left_at", Some(Cell::At(at(day(-1), 9))));
    }
    let at_once = lender.copy();
    assert_eq!(offered_on(&at_once, &ended, 1), only_m04);
    assert_eq!(offered_on(&at_once, &ended, 2), only_m04, "nor a night later");
    assert_eq!(offered_on(&lender, &later, 1), only_m04);
    assert_eq!(offered_on(&lender, &ended, 2), only_m04);
    // Who a first night sees to have joined later answers for none of it.
    let fresh = offered(&tolerant().0.night(&ended, day(0)).published.run_dir);
    assert_eq!(fresh, BTreeSet::from(["m02", "m03", "m04"].map(str::to_owned)));
}

/// Three members of a group and one shop in none.
fn grouped() -> (Lender, Marketplace) {
    let lender = Lender::with(&[("policy.toml", "[groups]\ncap_minor = 100_000_000", "[groups]\ncap_minor = 600_000")]);
    let mut market = trading_marketplace(&lender, 4);
    for member in ["m01", "m02", "m03"] {
        market.join_group("g1", member, at(day(-60), 8));
    }
    (lender, market)
}

#[test]
fn members_share_the_cap_of_their_group() {
    let (lender, mut market) = grouped();
    let mut bound = 0;
    for number in 0..4 {
        let run = lender.night(&market, day(number)).published.run_dir;
        let held: i64 = rows::<OpenOffer>(&run).iter().filter(|o| o.merchant_id != "m04").map(|o| o.held_minor).sum();
        let members = ["m01", "m02", "m03"];
        let owed: i64 = members.map(|m| owed(&market, m, at(day(number), 0), |_| true)).into_iter().sum();
        assert!(owed + held <= CAP_MINOR, "night {number}: {owed} owed and {held} offered");
        let granted = rows::<Granted>(&run);
        bound += granted.iter().filter(|o| o.binding_cap == CapName::Group).count();
        assert!(granted.iter().all(|o| (o.merchant_id == "m04") != o.caps.iter().any(|c| c.name == CapName::Group)));
        // The first two draw, each another part; the third leaves its part open.
        for offer in offers_of(&run).iter().filter(|o| ["m01", "m02"].contains(&o.merchant_id.as_str())) {
            let part = if offer.merchant_id == "m01" { offer.limit_minor } else { offer.limit_minor / 3 };
            market.draw(offer, part, at(day(number), 9));
        }
    }
    assert!(bound > 0, "the group's cap never bound");
    assert!(owed(&market, "m01", at(day(4), 0), |_| true) > 0);
}

#[test]
fn a_members_default_declines_the_others() {
    let (lender, mut market) = grouped();
    never_paid(&mut market, Named::Orders);
    let run = lender.night(&market, day(0)).published.run_dir;
    let offered = offered(&run);
    assert_eq!(offered, BTreeSet::from(["m04".to_owned()]), "only who is in no group");
    let declines = rows::<Decline>(&run);
    for member in ["m02", "m03"] {
        for decline in declines.iter().filter(|d| d.merchant_id == member) {
            assert!(decline.reasons.iter().any(|r| r.code.to_string() == "group-member-in-default"), "{decline:?}");
        }
    }
    let others = |merchant: &str| {
        let own = declines.iter().filter(|d| d.merchant_id == merchant);
        own.flat_map(|d| &d.reasons).any(|r| r.code.to_string() == "group-member-in-default")
    };
    assert!(!others("m01") && !others("m04"), "m01 is declined by its own default");
}

#[test]
fn a_loan_of_a_group_that_its_borrower_was_never_in_leaves_unknown_what_its_groups_owe() {
    let (lender, mut market) = grouped();
    let run = lender.night(&market, day(0)).published.run_dir;
    let drawn = offers_of(&run).into_iter().find(|offer| offer.merchant_id == "m01").unwrap();
    let loan = market.draw(&drawn, drawn.limit_minor, at(day(0), 9));
    let offered_where = |group: &str| {
        let (lender, mut market) = (lender.copy(), market.clone());
        market.spoil("loans", &loan, "group_id", Some(Cell::Text(group.to_owned())));
        offered(&lender.night(&market, day(1)).published.run_dir)
    };
    assert!(offered_where("g1").contains("m02"), "its own group");
    assert_eq!(offered_where("g9"), BTreeSet::from(["m04".to_owned()]));
}

/// As [`grouped`], by a lender of group loans who looks at how members depend on one another.
fn guaranteed() -> (Lender, Marketplace) {
    let lender = Lender::with(&[
        ("policy.toml", "name = \"credit-loan\"", "name = \"group-loan\""),
        ("policy.toml", "products = [\"credit-loan\"]", "products = [\"group-loan\"]"),
        ("policy.toml", "later = [\"group-loan\"]", "later = [\"credit-loan\"]"),
        (
            "policy.toml",
            "[groups]\ncap_minor = 100_000_000",
            "[owners]\nunknown = \"alone\"\n\n[groups]\ncap_minor = 100_000_000\n[groups.dependence]\nasset_correlation = 0.24\n",
        ),
    ]);
    let mut market = trading_marketplace(&lender, 4);
    for member in ["m01", "m02", "m03"] {
        market.join_group("g1", member, at(day(-60), 8));
    }
    (lender, market)
}

#[test]
fn shops_of_one_owner_and_closed_shops_answer_for_nobody() {
    let size = |change: &dyn Fn(&mut Marketplace)| -> Option<f64> {
        let (lender, mut market) = guaranteed();
        change(&mut market);
        let run = lender.night(&market, day(0)).published.run_dir;
        if rows::<Granted>(&run)
            .iter()
            .any(|offer| (offer.merchant_id.as_str(), offer.product.as_str()) == ("m01", "group-loan"))
        {
            return None;
        }
        let decline = rows::<Decline>(&run)
            .into_iter()
            .find(|d| (d.merchant_id.as_str(), d.product.as_str()) == ("m01", "group-loan"));
        decline.unwrap().needed.iter().find(|verdict| verdict.rule == "group-size").unwrap().observed
    };
    let own = |market: &mut Marketplace, merchant: &str, owner: &str| {
        market.spoil("merchants", merchant, "owner_id", Some(Cell::Text(owner.to_owned())));
    };
    let close = |market: &mut Marketplace, merchant: &str| {
        market.spoil("merchants", merchant, "closed_at", Some(Cell::At(at(day(-5), 8))));
    };
    assert_eq!(size(&|_| ()), None, "three who stand are offered a loan");
    assert_eq!(size(&|market| ["m01", "m02", "m03"].iter().for_each(|shop| own(market, shop, "DE 1"))), Some(1.0));
    assert_eq!(size(&|market| ["m02", "m03"].iter().for_each(|shop| own(market, shop, "DE 1"))), Some(2.0));
    assert_eq!(size(&|market| close(market, "m03")), Some(2.0));
    assert_eq!(size(&|market| ["m02", "m03"].iter().for_each(|shop| close(market, shop))), Some(1.0));
}

#[test]
fn a_group_loan_is_priced_on_what_the_scores_of_the_night_before_say_of_the_others() {
    let (lender, market) = guaranteed();
    let fails = |number: i64| -> Vec<(String, Option<f64>)> {
        let run = lender.night(&market, day(number)).published.run_dir;
        let alone =
            rows::<Decline>(&run).into_iter().find(|d| d.merchant_id == "m04" && d.product == "group-loan").unwrap();
        let code = alone.reasons.first().map(|reason| reason.code.to_string());
        assert_eq!(code.as_deref(), Some("group-too-small"), "{alone:?}");
        let size = alone.needed.iter().find(|verdict| verdict.rule == "group-size").unwrap();
        assert_eq!((size.observed, size.threshold), (Some(0.0), Some(3.0)));
        let granted = rows::<Granted>(&run);
        let of_groups = granted.into_iter().filter(|offer| offer.product == "group-loan");
        of_groups.map(|offer| (offer.merchant_id, offer.guarantee_fails_prob)).collect()
    };
    // On a first night nobody has been scored before: the others count as the riskiest score does.
    let (first, second) = (fails(0), fails(1));
    let merchants: Vec<&str> = first.iter().map(|(merchant, _)| merchant.as_str()).collect();
    assert_eq!(merchants, ["m01", "m02", "m03"], "who is in no group has nobody to answer for the loan");
    for ((_, unknown), (_, known)) in first.iter().zip(&second) {
        assert!(known.unwrap() < unknown.unwrap() && known.unwrap() > 0.0, "{first:?} {second:?}");
    }
}

#[test]
fn policies_that_differ_in_how_members_depend_are_compared_as_a_night_would_decide() {
    let dependence = |correlation: &str| {
        format!("[groups]\ncap_minor = 100_000_000\n[groups.dependence]\nasset_correlation = {correlation}\n")
    };
    let (loose, tight) = (dependence("0.02"), dependence("0.9"));
    let second_night = |after: &str| {
        let lender = Lender::with(&[
            ("policy.toml", "name = \"credit-loan\"", "name = \"group-loan\""),
            ("policy.toml", "products = [\"credit-loan\"]", "products = [\"group-loan\"]"),
            ("policy.toml", "later = [\"group-loan\"]", "later = [\"credit-loan\"]"),
            ("policy.toml", "[groups]\ncap_minor = 100_000_000", &loose),
        ]);
        let mut market = trading_marketplace(&lender, 4);
        for member in ["m01", "m02", "m03"] {
            market.join_group("g1", member, at(day(-60), 8));
        }
        lender.night(&market, day(0));
        lender.change("policy.toml", &loose, after);
        let run = lender.night(&market, day(1)).published.run_dir;
        (lender, run)
    };
    let ((before, run), (after, wanted)) = (second_night(&loose), second_night(&tight));
    let policy = |lender: &Lender| lender.job().with_file_name("policy.toml");
    let diff = policy_diff(&run, &policy(&before), &policy(&after)).unwrap();
    assert_eq!(diff.before_differs_from_published, 0);
    let wanted = rows::<Granted>(&wanted);
    let limits = |product: &str| wanted.iter().filter(|o| o.product == product).map(|o| o.limit_minor).sum::<i64>();
    for (product, totals) in &diff.products {
        assert_eq!(totals.limit_after_minor, limits(product), "{product}");
    }
    assert!(wanted.iter().any(|offer| offer.guarantee_fails_prob.is_some()));
    for change in &diff.changes {
        let offer = wanted.iter().find(|o| (&o.merchant_id, &o.product) == (&change.merchant_id, &change.product));
        let terms = (change.limit_after_minor, change.rate_after_ppm);
        assert_eq!(terms, (offer.map(|o| o.limit_minor), offer.map(|o| o.daily_rate_ppm)), "{change:?}");
    }
}
