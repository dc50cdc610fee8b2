//! What a night remembers of those before: the published folder and nothing else.

use std::collections::BTreeMap;
use std::fs;

use integrity::domain::Digest;
use integrity::publish::{PointingOrder, Publisher};
use integrity::run::RunError;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::check_night;
use super::{FIRST_NIGHT, Lender, Marketplace, at, offers_of, shipped_orders, trading_marketplace};
use crate::run::fixture::bytes_of;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// A night, after which every second offer is drawn by half.
fn night_and_draws(lender: &Lender, market: &mut Marketplace, number: i64) -> (String, BTreeMap<String, Digest>) {
    let run = lender.night(market, day(number));
    for offer in offers_of(&run.published.run_dir).iter().step_by(2) {
        market.draw(offer, offer.limit_minor / 2, at(day(number), 9));
    }
    (run.published.run_id.clone(), bytes_of(&run))
}

#[test]
fn nights_in_one_go_and_nights_from_a_copied_folder_give_the_same_bytes() {
    let lender = Lender::new();
    let mut market = trading_marketplace(&lender, 3);
    for merchant in ["m01", "m02", "m03"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    for number in 0..2 {
        night_and_draws(&lender, &mut market, number);
    }
    let (copy, mut copied_market) = (lender.copy(), market.clone());
    for number in 2..5 {
        let whole = night_and_draws(&lender, &mut market, number);
        assert!(whole.1.len() > 10, "{:?}", whole.1.keys());
        assert_eq!(night_and_draws(&copy, &mut copied_market, number), whole, "night {number}");
    }
    // The memory is not idle: without it the last night is another one.
    let forgetful = Lender::new();
    let alone = forgetful.night(&market, day(5));
    assert_ne!(bytes_of(&alone), bytes_of(&lender.night(&market, day(5))));
}

#[test]
fn a_damaged_night_before_stops_the_next_until_it_is_withdrawn() {
    let lender = Lender::new();
    let mut market = trading_marketplace(&lender, 2);
    shipped_orders(&mut market, "m01", 3, day(-3));
    let first = lender.night(&market, day(0)).published;
    let second = lender.night(&market, day(1)).published;
    let manifest = second.run_dir.join("manifest.json");
    let sound = fs::read(&manifest).unwrap();
    let mut torn = sound.clone();
    torn.truncate(sound.len() / 2);
    let mut flipped = sound.clone();
    flipped[sound.len() / 3] ^= 1;
    for damaged in [torn, flipped, Vec::new()] {
        fs::write(&manifest, damaged).unwrap();
        match lender.night_without(&market, day(2), &[]) {
            Err(RunError::Publish(error)) if error.is_damage() => {
                assert!(error.to_string().contains(&second.run_id), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    // Restored, the night goes on; damaged and withdrawn, it builds on the first.
    let restored = lender.copy();
    fs::write(restored.out().join(second.run_dir.strip_prefix(lender.out()).unwrap()).join("manifest.json"), &sound)
        .unwrap();
    let third = restored.night(&market, day(2));
    assert_eq!(third.summary.intake.reference.unwrap().run_id, second.run_id);

    let order = PointingOrder {
        run_id: first.run_id.clone(),
        reason: "the disk lost the night after it".to_owned(),
        by: "officer".to_owned(),
        at: at(day(2), 8),
    };
    Publisher::open_to_point(&lender.out()).unwrap().repoint(&order).unwrap();
    let third = lender.night(&market, day(2));
    assert_eq!(third.summary.intake.reference.unwrap().run_id, first.run_id);
    check_night(&market, &third.published.run_dir, at(day(2), 0));
}
