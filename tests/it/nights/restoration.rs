//! A borrower who defaults and comes back, over published nights: states, offers and what may be owed meanwhile.

use std::path::Path;

use integrity::monitor::{BorrowerState, CreditState, StateChange};
use integrity::offer::{CapName, Decline, Offer};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

fn state(run: &Path) -> BorrowerState {
    rows::<BorrowerState>(run).into_iter().find(|row| row.merchant_id == "m01").expect("a row of the borrower")
}

#[test]
fn a_borrower_in_default_comes_back_by_probation_and_grows_again() {
    let faults = [("loans", "older"), ("instalments", "older"), ("payments", "absent"), ("payments", "older")];
    let allow = faults.map(|(table, what)| {
        format!("[[gates.allow]]\ntable = \"{table}\"\nwhat = \"{what}\"\nuntil = \"2025-12-31\"\nreason = \"a small market\"\n")
    });
    let lender = Lender::with(&[
        ("job.toml", "[model]", &format!("{}\n[model]", allow.concat())),
        ("monitor.toml", "probation_days = 90", "probation_days = 10"),
        ("monitor.toml", "most_minor = 500_000\n\n[[", "most_minor = 30_000\n\n[["),
    ]);
    let mut market = trading_marketplace(&lender, 2);
    shipped_orders(&mut market, "m01", 3, day(-3));
    let first = lender.night(&market, day(0)).published.run_dir;
    assert!(rows::<BorrowerState>(&first).is_empty(), "nobody has borrowed");
    let offers = offers_of(&first);
    let offer = offers.iter().find(|o| o.merchant_id == "m01" && o.product == "order-loan").unwrap();
    let loan = market.draw(offer, offer.limit_minor, at(day(0), 9));

    assert_eq!(state(&lender.night(&market, day(9)).published.run_dir).state, CreditState::SpecialMention);
    let defaulted = state(&lender.night(&market, day(38)).published.run_dir);
    assert_eq!((defaulted.state, defaulted.came_from), (CreditState::Default, Some(CreditState::SpecialMention)));
    assert_eq!((defaulted.since_on, defaulted.because.as_str()), (day(38), "loan-in-default"));

    let owed = market.loans()[&loan].owed_minor(at(day(38), 9));
    market.repay(&loan, owed, at(day(38), 9));
    let run = lender.night(&market, day(39)).published.run_dir;
    assert_eq!(state(&run).state, CreditState::Probation);
    let refused: Vec<Decline> = rows::<Decline>(&run).into_iter().filter(|d| d.merchant_id == "m01").collect();
    let is_refused = |d: &Decline| d.reasons.iter().any(|r| r.code.as_str() == "credit-state-probation");
    assert!(!refused.is_empty() && refused.iter().all(is_refused), "{refused:?}");
    assert!(rows::<Offer>(&run).iter().all(|o| o.merchant_id != "m01"));

    assert_eq!(state(&lender.night(&market, day(47)).published.run_dir).state, CreditState::Probation);
    let run = lender.night(&market, day(48)).published.run_dir;
    let restored = state(&run);
    assert_eq!(
        (restored.state, restored.since_on, restored.most_minor),
        (CreditState::Restored, day(48), Some(30_000))
    );
    let changes: Vec<StateChange> =
        rows::<StateChange>(&run).into_iter().filter(|row| row.merchant_id == "m01").collect();
    let told: Vec<(Date, Option<CreditState>, CreditState)> =
        changes.iter().map(|change| (change.changed_on, change.came_from, change.state)).collect();
    assert_eq!(
        told,
        [
            (day(9), None, CreditState::SpecialMention),
            (day(38), Some(CreditState::SpecialMention), CreditState::Default),
            (day(39), Some(CreditState::Default), CreditState::Probation),
            (day(48), Some(CreditState::Probation), CreditState::Restored),
        ],
        "every step is kept, not the newest alone"
    );
    let late = changes[1].evidence.iter().find(|seen| seen.name == "dpd").and_then(|seen| seen.value);
    assert!(late.is_some_and(|dpd| dpd >= 30.0), "{:?}", changes[1]);
    let granted: Vec<Offer> = rows::<Offer>(&run).into_iter().filter(|o| o.merchant_id == "m01").collect();
    assert!(!granted.is_empty(), "{:?}", rows::<Decline>(&run));
    assert!(granted.iter().all(|o| o.caps.iter().any(|c| c.name == CapName::Regrowth)));
    assert!(granted.iter().map(|o| o.limit_minor).sum::<i64>() <= 30_000);
}
