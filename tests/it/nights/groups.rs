//! Guarantee groups through whole nights: one cap for all members, and one member's default stops all.

use std::collections::BTreeSet;

use integrity::exposure::OpenOffer;
use integrity::offer::{CapName, Decline, Offer as Granted};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::{owed, rows};
use super::{FIRST_NIGHT, Lender, Marketplace, Offer, at, offers_of, trading_marketplace};

const CAP_MINOR: i64 = 600_000;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
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
    // Due 53 days before the first night, never paid.
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
    market.draw(&bad, 90_000, at(day(-60), 9));
    let run = lender.night(&market, day(0)).published.run_dir;
    let offered: BTreeSet<String> = offers_of(&run).into_iter().map(|o| o.merchant_id).collect();
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
