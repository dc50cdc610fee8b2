//! Rows that are broken, lost or sent again from one night to the next: each costs the borrower whom it concerns, and no more than that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::exposure::{DebtState, Statement};
use integrity::monitor::{BorrowerState, CreditState, Deduction, LoanLine, OpenDeduction};
use integrity::repayment::LoanException;
use integrity::run::RunError;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, offers_of, trading_marketplace};

/// What is done to the marketplace's rows before a night.
type Fault<'a> = &'a dyn Fn(&mut Marketplace);
/// What a night is sent instead of a marketplace's rows.
type Change<'a> = &'a dyn Fn(&Marketplace) -> Marketplace;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// A lender whose nights go on with any number of unknown loans and broken rows.
fn tolerant() -> Lender {
    Lender::with(&[
        ("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0"),
        ("monitor.toml", "[ledger]\nmax_unknown_loan_share = 0.03", "[ledger]\nmax_unknown_loan_share = 1.0"),
    ])
}

/// A loan that was made before the first night.
fn made_before(market: &mut Marketplace, merchant: &str, product: &str, minor: i64, days_ago: i64) -> String {
    let offer = Offer {
        offer_id: "elsewhere".to_owned(),
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        limit_minor: minor,
        daily_rate_ppm: 450,
        term_days: if product == "order-loan" { 7 } else { 180 },
        valid_until_on: day(-days_ago),
        pledged_order_ids: Vec::new(),
    };
    market.draw_naming(Named::Nothing, &offer, minor, at(day(-days_ago), 9))
}

/// What a night says of m01: its debts, what it is offered, and why a loan is not known.
fn said(run: &Path) -> (DebtState, BTreeSet<String>, BTreeSet<String>) {
    let account = rows::<Statement>(run).into_iter().find(|a| a.merchant_id == "m01").expect("m01 is seen");
    let offered = offers_of(run).into_iter().filter(|offer| offer.merchant_id == "m01").map(|offer| offer.product);
    let lines = rows::<LoanException>(run).into_iter().filter(|line| line.merchant_id.as_deref() == Some("m01"));
    (account.debt, offered.collect(), lines.map(|line| line.code).collect())
}

#[test]
fn a_night_without_the_merchant_or_the_loan_book_forgets_no_debt() {
    let tables = ["loans", "instalments", "payments"];
    let allowances: String = tables
        .map(|table| {
            format!(
                "[[gates.allow]]\ntable = \"{table}\"\nwhat = \"absent\"\nuntil = \"2025-06-30\"\nreason = \"being moved\"\n"
            )
        })
        .concat();
    let gates = format!(
        "[gates]\nfewer_rows_share = 1.0\nfewer_bytes_share = 1.0\ndays_older = 60\ndays_past_data = 60\n{allowances}\n[model]"
    );
    let lender = tolerant();
    lender.change("job.toml", "[model]", &gates);
    let mut market = trading_marketplace(&lender, 3);
    // Due 53 days before the first night and never paid, one that is not due yet, and one that is repaid.
    let late = made_before(&mut market, "m01", "order-loan", 90_000, 60);
    let open = made_before(&mut market, "m01", "credit-loan", 90_000, 10);
    let repaid = made_before(&mut market, "m01", "credit-loan", 90_000, 40);
    let all = market.loans()[&repaid].owed_minor(at(day(-9), 9));
    market.repay(&repaid, all, at(day(-9), 9));
    made_before(&mut market, "m02", "credit-loan", 90_000, 10);

    let known = said(&lender.night(&market, day(0)).published.run_dir);
    assert_eq!((known.0, known.2), (DebtState::Known, BTreeSet::new()));
    let loans = [late, open, repaid];
    let without_loans = |market: &Marketplace| {
        let mut market = market.clone();
        for loan in &loans {
            market.lose("loans", loan);
            market.lose_all("instalments", loan);
            market.lose_all("payments", loan);
        }
        market
    };
    let absent = |market: &Marketplace| {
        let mut market = without_loans(market);
        market.lose("merchants", "m01");
        market
    };
    let broken = |market: &Marketplace| {
        let mut market = without_loans(market);
        market.spoil("merchants", "m01", "region", None);
        market
    };
    let second_nights: [(&str, Change<'_>, &[&str]); 4] = [
        ("all is sent", &Marketplace::clone, &[]),
        ("the merchant is not sent", &absent, &[]),
        ("the merchant's row is broken", &broken, &[]),
        ("the loan book is not sent", &Marketplace::clone, &tables),
    ];
    for (what, change, absent) in second_nights {
        let lender = lender.copy();
        lender.night_without(&change(&market), day(1), absent).unwrap();
        // Back without the loans: what they owe, and that one is in default, is not known.
        let third = lender.night(&without_loans(&market), day(2)).published.run_dir;
        let missing = BTreeSet::from(["loan-missing".to_owned()]);
        assert_eq!(said(&third), (DebtState::Unknown, BTreeSet::new(), missing), "{what}");
        let account = rows::<Statement>(&third).into_iter().find(|a| a.merchant_id == "m01").unwrap();
        assert_eq!(account.open_loan_ids, loans, "{what}");
        let state = rows::<BorrowerState>(&third).into_iter().find(|row| row.merchant_id == "m01").unwrap();
        assert_eq!((state.state, state.known_state), (CreditState::Unknown, CreditState::Default), "{what}");
        // Back with them, all is as it was.
        let fourth = said(&lender.night(&market, day(3)).published.run_dir);
        assert_eq!((fourth.0, fourth.2), (DebtState::Known, BTreeSet::new()), "{what}");
    }
}

fn ordered(run: &Path) -> BTreeSet<String> {
    rows::<Deduction>(run).into_iter().map(|deduction| deduction.merchant_id).collect()
}

#[test]
fn a_payment_that_vanishes_is_not_deducted_again() {
    let lender = tolerant();
    let gates =
        "[gates]\nfewer_rows_share = 1.0\nfewer_bytes_share = 1.0\ndays_older = 60\ndays_past_data = 60\n\n[model]";
    lender.change("job.toml", "[model]", gates);
    let mut market = trading_marketplace(&lender, 2);
    // One loan is repaid, the other was paid up to a rest that is past due.
    let repaid = made_before(&mut market, "m01", "order-loan", 90_000, 30);
    let all = market.loans()[&repaid].owed_minor(at(day(-22), 9));
    let last = market.repay(&repaid, all, at(day(-22), 9));
    let open = made_before(&mut market, "m02", "order-loan", 90_000, 20);
    let part = market.repay(&open, 50_000, at(day(-14), 9));
    let first = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(ordered(&first), BTreeSet::from(["m02".to_owned()]));

    let unknown_loan = Some(Cell::Text("l999999".to_owned()));
    let faults: [(&str, Fault<'_>); 4] = [
        ("lost", &|market| {
            for id in [&last, &part] {
                market.lose("payments", id);
            }
        }),
        ("of a loan that nobody knows", &|market| {
            for id in [&last, &part] {
                market.spoil("payments", id, "loan_id", unknown_loan.clone());
            }
        }),
        ("of less", &|market| {
            for id in [&last, &part] {
                market.spoil("payments", id, "amount_minor", Some(Cell::Number(9_000)));
            }
        }),
        ("of a day to come", &|market| {
            for id in [&last, &part] {
                market.spoil("payments", id, "paid_at", Some(Cell::At(at(day(90), 9))));
            }
        }),
    ];
    for (what, fault) in faults {
        let (lender, mut faulted) = (lender.copy(), market.clone());
        fault(&mut faulted);
        for number in 1..3 {
            let night = lender.night(&faulted, day(number));
            let run = &night.published.run_dir;
            assert_eq!((ordered(run), offers_of(run)), (BTreeSet::new(), Vec::new()), "{what}, night {number}");
            let lines = rows::<LoanException>(run).into_iter().filter(|line| line.code == "payments-missing");
            let loans: BTreeSet<String> = lines.filter_map(|line| line.loan_id).collect();
            assert_eq!(loans, BTreeSet::from([repaid.clone(), open.clone()]), "{what}, night {number}");
        }
        // Back again, or reversed, they say what is owed.
        let back = lender.night(&market, day(3)).published.run_dir;
        assert_eq!(ordered(&back), BTreeSet::from(["m02".to_owned()]), "{what}");
    }
    let mut bounced = market.clone();
    bounced.spoil("payments", &last, "reversed_at", Some(Cell::At(at(day(0), 10))));
    let night = lender.night(&bounced, day(1)).published.run_dir;
    assert_eq!(ordered(&night), BTreeSet::from(["m01".to_owned(), "m02".to_owned()]), "a payment that bounced is owed");
}

#[test]
fn a_payment_that_had_bounced_pays_nothing_because_its_row_no_longer_says_so() {
    let lender = tolerant();
    lender.change("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]");
    let mut market = trading_marketplace(&lender, 2);
    let loan = made_before(&mut market, "m01", "order-loan", 90_000, 20);
    let owed = market.loans()[&loan].owed_minor(at(day(-14), 9));
    let payment = market.repay(&loan, owed, at(day(-14), 9));
    let mut bounced = market.clone();
    bounced.spoil("payments", &payment, "reversed_at", Some(Cell::At(at(day(-12), 9))));
    let m01 = BTreeSet::from(["m01".to_owned()]);
    assert_eq!(ordered(&lender.night(&bounced, day(0)).published.run_dir), m01);
    for number in 1..3 {
        let run = lender.night(&market, day(number)).published.run_dir;
        let missing = BTreeSet::from(["reversal-missing".to_owned()]);
        assert_eq!(said(&run), (DebtState::Unknown, BTreeSet::new(), missing), "night {number}");
        assert_eq!(ordered(&run), BTreeSet::new());
    }
    let back = lender.copy();
    assert_eq!(ordered(&back.night(&bounced, day(3)).published.run_dir), m01, "as it was");
    let corrected = lender.copy();
    corrected.change("monitor.toml", "[ledger]\n", &format!("[ledger]\npayments_corrected = [{loan:?}]\n"));
    let known = said(&corrected.night(&market, day(3)).published.run_dir);
    assert_eq!((known.0, known.2), (DebtState::Known, BTreeSet::new()), "the lender says that it is right");
    for (until, state) in [(day(3), DebtState::Known), (day(2), DebtState::Unknown)] {
        let corrected = lender.copy();
        let named = format!("[ledger]\npayments_corrected = [{{ loan = {loan:?}, until = \"{until}\" }}]\n");
        corrected.change("monitor.toml", "[ledger]\n", &named);
        assert_eq!(said(&corrected.night(&market, day(3)).published.run_dir).0, state, "believed until {until}");
    }
    // So does a version that was recorded since, and an officer is told.
    market.spoil("payments", &payment, "recorded_at", Some(Cell::At(at(day(2), 12))));
    let known = said(&lender.night(&market, day(3)).published.run_dir);
    let told = BTreeSet::from(["payment-no-longer-reversed".to_owned()]);
    assert_eq!((known.0, known.2), (DebtState::Known, told));
}

#[test]
fn no_more_is_ordered_than_is_owed_beside_what_is_under_way() {
    let lender = tolerant();
    lender.change("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]");
    let mut market = trading_marketplace(&lender, 2);
    let loan = made_before(&mut market, "m01", "order-loan", 90_000, 20);
    let mut given: BTreeMap<String, i64> = BTreeMap::new();
    let mut arrived = 0;
    let mut night = |market: &Marketplace, number: i64, arrived: i64| {
        let run = lender.night(market, day(number)).published.run_dir;
        let arrears = rows::<LoanLine>(&run).into_iter().find_map(|line| line.arrears_minor).unwrap();
        let orders = rows::<Deduction>(&run);
        for Deduction { key, amount_minor, .. } in &orders {
            let most = given.entry(key.clone()).or_default();
            *most = (*most).max(*amount_minor);
        }
        let under_way = given.values().sum::<i64>() - arrived;
        assert!(under_way <= arrears, "night {number}: {under_way} may arrive of {arrears}");
        let open: i64 = rows::<OpenDeduction>(&run).into_iter().map(|order| order.left_minor).sum();
        assert_eq!(open, under_way, "night {number}");
        orders
    };
    let first = night(&market, 0, arrived);
    let [Deduction { key, amount_minor, .. }] = first.as_slice() else { panic!("{first:?}") };
    // It is settled in two parts, and the first of them bounces while the second is under way.
    let part = market.deduct(&loan, amount_minor / 2, at(day(0), 10));
    arrived += amount_minor / 2;
    assert!(night(&market, 1, arrived).iter().all(|order| order.key != *key));
    market.spoil("payments", &part, "reversed_at", Some(Cell::At(at(day(1), 8))));
    let second = night(&market, 2, arrived);
    assert!(!second.is_empty(), "what bounced is owed again");
    let rest = amount_minor - amount_minor / 2;
    market.deduct(&loan, rest, at(day(2), 10));
    arrived += rest;
    let keys = |orders: &[Deduction]| orders.iter().map(|order| order.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&night(&market, 3, arrived)), keys(&second), "it is under way");
}

#[test]
fn a_schedule_that_is_sent_anew_buys_no_credit_unless_the_loan_was_restructured() {
    let lender = tolerant();
    lender.change("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]");
    let mut market = trading_marketplace(&lender, 2);
    let loan = made_before(&mut market, "m01", "order-loan", 90_000, 20);
    let due = format!("{loan} 1");
    let run = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(ordered(&run), BTreeSet::from(["m01".to_owned()]), "it is past due");
    let before = lender.copy();

    let later = |market: &mut Marketplace| {
        market.spoil("instalments", &due, "due_on", Some(Cell::On(day(187))));
        market.spoil("loans", &loan, "term_days", Some(Cell::Number(207)));
    };
    let less = |market: &mut Marketplace| {
        market.spoil("instalments", &due, "principal_minor", Some(Cell::Number(9_000)));
        market.spoil("loans", &loan, "principal_minor", Some(Cell::Number(9_000)));
    };
    let without_interest =
        |market: &mut Marketplace| market.spoil("instalments", &due, "interest_minor", Some(Cell::Number(0)));
    let other_product = |market: &mut Marketplace| {
        market.spoil("loans", &loan, "product", Some(Cell::Text("credit-loan".to_owned())));
    };
    let faults: [(&str, Fault<'_>); 4] = [
        ("due later", &later),
        ("a tenth of it", &less),
        ("without interest", &without_interest),
        ("of another product", &other_product),
    ];
    let changed = BTreeSet::from(["terms-changed".to_owned()]);
    for (what, fault) in faults {
        let (lender, mut faulted) = (before.copy(), market.clone());
        fault(&mut faulted);
        for number in 1..3 {
            let run = lender.night(&faulted, day(number)).published.run_dir;
            assert_eq!(said(&run), (DebtState::Unknown, BTreeSet::new(), changed.clone()), "{what}, night {number}");
            assert_eq!(ordered(&run), BTreeSet::new(), "{what}, night {number}");
        }
        let corrected = lender.copy();
        let known = said(&lender.night(&market, day(3)).published.run_dir);
        assert_eq!((known.0, known.2), (DebtState::Known, BTreeSet::new()), "{what}: as it was");
        corrected.change("monitor.toml", "[ledger]\n", &format!("[ledger]\nterms_corrected = [{loan:?}]\n"));
        let known = said(&corrected.night(&faulted, day(3)).published.run_dir);
        assert_eq!((known.0, known.2), (DebtState::Known, BTreeSet::new()), "{what}: the lender says that it is right");
    }

    // A restructure explains another schedule, and does not vanish again.
    let mut eased = market.clone();
    later(&mut eased);
    let vanished = eased.clone();
    eased.spoil("loans", &loan, "restructured_at", Some(Cell::At(at(day(0), 12))));
    let known = said(&before.night(&eased, day(1)).published.run_dir);
    assert_eq!((known.0, known.2), (DebtState::Known, BTreeSet::new()));
    let lost = said(&before.night(&vanished, day(2)).published.run_dir);
    assert_eq!((lost.0, lost.2), (DebtState::Unknown, changed.clone()));
    // Neither does a write-off.
    let lender = tolerant();
    lender.change("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]");
    let mut written_off = market.clone();
    written_off.spoil("loans", &loan, "written_off_at", Some(Cell::At(at(day(-1), 12))));
    lender.night(&written_off, day(0));
    assert_eq!(said(&lender.night(&market, day(1)).published.run_dir), (DebtState::Unknown, BTreeSet::new(), changed));
}

#[test]
fn a_loan_that_is_sent_under_another_borrower_is_taken_from_nobody_until_an_officer_says_whose_it_is() {
    let lender = tolerant();
    lender.change("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]");
    let mut market = trading_marketplace(&lender, 3);
    let loan = made_before(&mut market, "m01", "order-loan", 90_000, 20);
    let first = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(ordered(&first), BTreeSet::from(["m01".to_owned()]));
    let offered = |run: &Path| offers_of(run).into_iter().map(|offer| offer.merchant_id).collect::<BTreeSet<_>>();
    let (stranger, bystander) = ("m02".to_owned(), "m03".to_owned());
    assert!(offered(&first).is_superset(&BTreeSet::from([stranger.clone(), bystander.clone()])));

    let mut moved = market.clone();
    moved.spoil("loans", &loan, "merchant_id", Some(Cell::Text(stranger.clone())));
    for number in 1..3 {
        let run = lender.night(&moved, day(number)).published.run_dir;
        assert_eq!((ordered(&run), offered(&run)), (BTreeSet::new(), BTreeSet::from([bystander.clone()])), "{number}");
        let lines = rows::<LoanException>(&run).into_iter().map(|line| (line.merchant_id.unwrap(), line.code));
        let lines: Vec<(String, String)> = lines.collect();
        let told = [("m01", "loan-missing"), ("m02", "borrower-changed")];
        assert_eq!(lines, told.map(|(merchant, code)| (merchant.to_owned(), code.to_owned())), "{number}");
    }
    let other = lender.copy();
    let back = other.night(&market, day(3)).published.run_dir;
    assert_eq!((ordered(&back), offered(&back)), (ordered(&first), offered(&first)));
    let whose = format!("[ledger]\nborrower_corrected = {{ {loan:?} = {stranger:?} }}\n");
    lender.change("monitor.toml", "[ledger]\n", &whose);
    let run = lender.night(&moved, day(3)).published.run_dir;
    assert_eq!(ordered(&run), BTreeSet::from([stranger.clone()]));
    assert_eq!((rows::<LoanException>(&run), offered(&run).contains("m01")), (Vec::new(), true));
    // Said once: from then on it is that merchant's.
    lender.change("monitor.toml", &whose, "[ledger]\n");
    assert_eq!(ordered(&lender.night(&moved, day(4)).published.run_dir), BTreeSet::from([stranger]));
}

#[test]
fn nothing_is_deducted_on_a_night_whose_payments_end_a_day_too_early() {
    let lender = tolerant();
    let mut market = trading_marketplace(&lender, 2);
    made_before(&mut market, "m01", "order-loan", 90_000, 20);
    let steady = made_before(&mut market, "m02", "credit-loan", 90_000, 60);
    // A day on which nobody paid excuses no later one.
    for number in (-50..0).filter(|number| *number != -20) {
        market.repay(&steady, 700, at(day(number), 15));
    }
    let m01 = BTreeSet::from(["m01".to_owned()]);
    assert_eq!(ordered(&lender.night(&market, day(0)).published.run_dir), m01);
    let other = lender.copy();
    let stale = other.night(&market, day(1));
    assert_eq!((ordered(&stale.published.run_dir), stale.summary.unjudged.deductions), (BTreeSet::new(), 1));
    let lax = lender.copy();
    lax.change("monitor.toml", "[deduction]\n", "[deduction]\npayments_days_older = 1\n");
    assert_eq!(ordered(&lax.night(&market, day(1)).published.run_dir), m01);
    market.repay(&steady, 700, at(day(0), 15));
    assert_eq!(ordered(&lender.night(&market, day(1)).published.run_dir), m01);
}

#[test]
fn a_broken_row_that_is_sent_again_stops_no_night() {
    let mut market = trading_marketplace(&tolerant(), 2);
    let loan = made_before(&mut market, "m01", "credit-loan", 90_000, 40);
    let payment = market.repay(&loan, 5_000, at(day(-9), 9));
    let instalment = format!("{loan} 1");
    let faults: [(&str, Fault<'_>, &str); 4] = [
        (
            "a payment",
            &|market| {
                market.spoil("payments", &payment, "amount_minor", Some(Cell::Number(-1)));
                market.send_again("payments", &payment, at(day(-2), 9));
            },
            "broken-payment",
        ),
        (
            "a loan whose instalment was sent again",
            &|market| {
                market.spoil("loans", &loan, "principal_minor", Some(Cell::Number(-1)));
                market.send_again("instalments", &instalment, at(day(-2), 9));
            },
            "broken-instalment",
        ),
        (
            "a loan whose payment was sent again",
            &|market| {
                market.spoil("loans", &loan, "principal_minor", Some(Cell::Number(-1)));
                market.send_again("payments", &payment, at(day(-2), 9));
            },
            "broken-payment",
        ),
        (
            "a merchant whose payment was sent again",
            &|market| {
                market.spoil("merchants", "m01", "region", None);
                market.send_again("payments", &payment, at(day(-2), 9));
            },
            "broken-payment",
        ),
    ];
    for (what, fault, code) in faults {
        let mut market = market.clone();
        fault(&mut market);
        let lender = tolerant();
        let run = lender.night(&market, day(0)).published.run_dir;
        let lines: Vec<_> = rows::<LoanException>(&run).into_iter().filter(|line| line.code == code).collect();
        assert!(!lines.is_empty(), "{what}");
        assert_eq!(offers_of(&run).iter().find(|offer| offer.merchant_id == "m01"), None, "{what}");
    }
}

#[test]
fn a_folder_of_another_jobs_runs_is_refused_until_the_job_says_that_they_are_its_own() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    lender.night(&market, day(0));
    lender.change("job.toml", "name = \"demo\"\n", "name = \"other\"\n");
    for number in [0, 1] {
        let refused = lender.night_without(&market, day(number), &[]).unwrap_err();
        assert!(matches!(refused, RunError::Config(_)), "{refused}");
        let says = refused.to_string();
        assert!(["\"other\"", "\"demo\"", "formerly = [\"demo\"]"].iter().all(|word| says.contains(word)), "{says}");
    }
    lender.change("job.toml", "name = \"other\"\n", "name = \"other\"\nformerly = [\"demo\"]\n");
    lender.night(&market, day(1));
    // From then on the folder is the renamed job's.
    lender.change("job.toml", "name = \"other\"\nformerly = [\"demo\"]\n", "name = \"demo\"\n");
    assert!(matches!(lender.night_without(&market, day(2), &[]), Err(RunError::Config(_))));
}
