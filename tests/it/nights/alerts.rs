//! Alerts over several nights: one row and one id for the same trouble, whichever published run the nights go on from.

use std::fs;

use integrity::monitor::{Alert, AlertState, ClearedBecause, Verdict};
use integrity::run::RunError;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Marketplace, at, offers_of, shipped_orders, trading_marketplace};
use crate::run::fixture::bytes_of;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// A lender whose loan book may grow stale or be absent: so few merchants do not borrow every day.
fn patient_lender() -> Lender {
    let faults = [
        ("loans", "older"),
        ("instalments", "older"),
        ("loans", "absent"),
        ("instalments", "absent"),
        ("payments", "absent"),
    ];
    let allow = faults.map(|(table, what)| {
        format!("[[gates.allow]]\ntable = \"{table}\"\nwhat = \"{what}\"\nuntil = \"2025-12-31\"\nreason = \"a small market\"\n")
    });
    Lender::with(&[("job.toml", "[model]", &format!("{}\n[model]", allow.concat()))])
}

/// A lender who has published once, and a market in which the first merchant then drew an order loan.
fn after_a_draw() -> (Lender, Marketplace, String) {
    let lender = patient_lender();
    let mut market = trading_marketplace(&lender, 2);
    shipped_orders(&mut market, "m01", 3, day(-3));
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let offer =
        first.iter().find(|o| o.merchant_id == "m01" && o.product == "order-loan").expect("an order loan on offer");
    let loan = market.draw(offer, offer.limit_minor, at(day(0), 9));
    (lender, market, loan)
}

/// A night, and its alerts of one rule.
fn night(lender: &Lender, market: &Marketplace, number: i64, rule: &str) -> Vec<Alert> {
    let run = lender.night(market, day(number)).published.run_dir;
    rows::<Alert>(&run).into_iter().filter(|alert| alert.rule == rule).collect()
}

#[test]
fn an_alert_keeps_its_id_until_its_trouble_is_over_and_is_cleared_once() {
    let (lender, mut market, loan) = after_a_draw();
    assert!(night(&lender, &market, 5, "arrears").is_empty(), "nothing is due yet");
    let opened = night(&lender, &market, 9, "arrears");
    let [alert] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!((alert.loan_id.as_deref(), alert.state), (Some(loan.as_str()), AlertState::Opened));
    assert_eq!((alert.opened_on, alert.since_on, alert.tonight), (day(9), day(9), Verdict::Fired));

    // A night left out changes nothing of it.
    let later = night(&lender, &market, 11, "arrears");
    assert_eq!((&later[0].alert_id, later[0].opened_on), (&alert.alert_id, day(9)));
    assert!(later[0].observed > alert.observed);

    let owed = market.loans()[&loan].owed_minor(at(day(11), 9));
    market.repay(&loan, owed, at(day(11), 9));
    let over = night(&lender, &market, 12, "arrears");
    let [cleared] = over.as_slice() else { panic!("{over:?}") };
    assert_eq!((&cleared.alert_id, cleared.state, cleared.since_on), (&alert.alert_id, AlertState::Cleared, day(12)));
    assert!(matches!(cleared.cleared_because, Some(ClearedBecause::LoanClosed | ClearedBecause::NothingOwed)));
    assert!(night(&lender, &market, 13, "arrears").is_empty());
}

#[test]
fn nights_from_a_copied_folder_give_the_same_alerts_and_a_forgetful_one_others() {
    let (lender, market, _) = after_a_draw();
    night(&lender, &market, 9, "arrears");
    let copy = lender.copy();
    let whole = lender.night(&market, day(11));
    assert_eq!(bytes_of(&copy.night(&market, day(11))), bytes_of(&whole));
    let alone = night(&patient_lender(), &market, 11, "arrears");
    assert_eq!(alone[0].opened_on, day(11), "the folder is the memory");
}

#[test]
fn damaged_alerts_of_the_night_before_stop_the_night_and_clear_nothing() {
    let (lender, market, _) = after_a_draw();
    let before = lender.night(&market, day(9)).published.run_dir;
    let path = before.join("alerts.parquet");
    let sound = fs::read(&path).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    fs::write(&path, flipped).unwrap();
    let stopped = lender.night_without(&market, day(10), &[]);
    assert!(matches!(&stopped, Err(RunError::Publish(error)) if error.is_damage()), "{stopped:?}");
    fs::remove_file(&path).unwrap();
    let stopped = lender.night_without(&market, day(10), &[]);
    assert!(matches!(&stopped, Err(RunError::Publish(error)) if error.is_damage()), "{stopped:?}");
    fs::write(&path, sound).unwrap();
    assert_eq!(night(&lender, &market, 10, "arrears")[0].opened_on, day(9));
}

/// Without the loan book of one night nothing is known of any loan, and so no alert on one is over.
#[test]
fn an_absent_loan_book_clears_no_alert() {
    let (lender, market, _) = after_a_draw();
    let opened = night(&lender, &market, 9, "arrears");
    let run = lender.night_without(&market, day(10), &["loans", "instalments", "payments"]).unwrap().published.run_dir;
    let standing: Vec<Alert> = rows::<Alert>(&run).into_iter().filter(|a| a.rule == "arrears").collect();
    assert_eq!((&standing[0].alert_id, standing[0].tonight), (&opened[0].alert_id, Verdict::Unknown));
    assert!(standing[0].stands());
}
