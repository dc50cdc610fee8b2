//! Tables that a night lacks and the job allows by name: what they would have said is unknown wherever credit hangs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::exposure::Statement;
use integrity::monitor::Deduction;
use integrity::offer::Decline;
use integrity::run::{GateError, RunError};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Marketplace, Offer, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

fn allowing() -> Lender {
    let allow = ["applications", "disputes", "loans", "instalments", "payments"]
        .map(|table| {
            format!(
                "[[gates.allow]]\ntable = \"{table}\"\nwhat = \"absent\"\nuntil = \"2025-06-30\"\nreason = \"being moved\"\n"
            )
        })
        .concat();
    Lender::with(&[("job.toml", "[model]", &format!("{allow}\n[model]"))])
}

fn products(run_dir: &Path) -> BTreeSet<String> {
    offers_of(run_dir).into_iter().map(|o| o.product).collect()
}

/// Codes of all declines, by product.
fn reasons(run_dir: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for decline in rows::<Decline>(run_dir) {
        let own = decline.reasons.iter().map(|r| r.code.to_string());
        codes.entry(decline.product).or_default().extend(own);
    }
    codes
}

/// A loan of `m03` on an offer of another lender, of which a ninth is repaid and the rest late.
fn late_loan(market: &mut Marketplace) -> String {
    let late = Offer {
        offer_id: "elsewhere".to_owned(),
        merchant_id: "m03".to_owned(),
        product: "order-loan".to_owned(),
        limit_minor: 90_000,
        daily_rate_ppm: 450,
        term_days: 7,
        valid_until_on: day(-20),
        pledged_order_ids: Vec::new(),
    };
    let loan = market.draw(&late, 90_000, at(day(-20), 9));
    market.repay(&loan, 10_000, at(day(-10), 9));
    loan
}

#[test]
fn an_absent_table_buys_no_credit() {
    let lender = allowing();
    let mut market = trading_marketplace(&lender, 3);
    for merchant in ["m01", "m02"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    market.apply("m01", "order-loan", 90_000, &[], at(day(-1), 8));
    let disputed = shipped_orders(&mut market, "m03", 1, day(-5));
    market.dispute(&disputed[0], at(day(-2), 9));
    late_loan(&mut market);

    let first = lender.night(&market, day(0)).published.run_dir;
    assert_eq!(products(&first), BTreeSet::from(["order-loan".to_owned(), "credit-loan".to_owned()]));
    assert!(!rows::<Deduction>(&first).is_empty(), "a loan past due is deducted while all is known");

    let unknown = [
        (&["applications"][..], "application-unknown", "application-unknown"),
        // Not even the share of disputes is known, which a rule asks for before any receivable is looked at.
        (&["disputes"], "history-too-short", ""),
        (&["loans", "instalments", "payments"], "credit-record-unknown", "credit-record-unknown"),
    ];
    for (absent, of_order_loans, of_credit_loans) in unknown {
        let lender = lender.copy();
        let night = lender.night_without(&market, day(1), absent).unwrap();
        let intake = &night.summary.intake;
        assert_eq!((intake.absent.len(), intake.allowed.len()), (absent.len(), absent.len()));
        let run = night.published.run_dir;
        let (offered, why) = (products(&run), reasons(&run));
        assert!(!offered.contains("order-loan"), "without {absent:?}");
        assert!(why["order-loan"].contains(of_order_loans), "without {absent:?}: {why:?}");
        if !of_credit_loans.is_empty() {
            assert!(!offered.contains("credit-loan"), "without {absent:?}");
            assert!(why["credit-loan"].contains(of_credit_loans), "without {absent:?}: {why:?}");
        }
        let accounts = rows::<Statement>(&run);
        match absent[0] {
            "applications" => assert!(accounts.iter().all(|a| a.owed_minor.is_some())),
            "disputes" => assert!(accounts.iter().all(|a| a.receivables_minor.is_none())),
            _ => {
                assert_eq!(rows::<Deduction>(&run), [], "without {absent:?}");
                assert!(accounts.iter().filter(|a| a.merchant_id == "m03").all(|a| a.owed_minor.is_none()));
            }
        }
    }

    // Without payments alone no loan can be known, which is more than the share of unknown loans that a night may have.
    match lender.copy().night_without(&market, day(1), &["payments"]) {
        Err(RunError::Gate(GateError::UnknownLoans { unknown: 1, loans: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
}

/// What a table is missed for on its first night without it is missed for on the second, and when it is back without what it had.
#[test]
fn a_table_that_is_absent_for_nights_on_end_is_missed_on_each() {
    let lender = allowing();
    lender.open_gates();
    let mut market = trading_marketplace(&lender, 3);
    for merchant in ["m01", "m02"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    let application = market.apply("m01", "order-loan", 90_000, &[], at(day(-1), 8));
    let disputed = shipped_orders(&mut market, "m01", 6, day(-40));
    for order in &disputed {
        market.dispute(order, at(day(-20), 9));
    }
    let loan = late_loan(&mut market);
    lender.night(&market, day(0));
    let mut lost = market.clone();
    for order in &disputed {
        lost.lose("disputes", order);
    }
    lost.lose("applications", &application);
    let mut without_loan = market.clone();
    without_loan.lose("loans", &loan);
    for table in ["instalments", "payments"] {
        without_loan.lose_all(table, &loan);
    }
    for absent in [&["applications"][..], &["disputes"], &["loans", "instalments", "payments"]] {
        let lender = lender.copy();
        let mut codes = Vec::new();
        for night in [1, 2] {
            let run = lender.night_without(&market, day(night), absent).unwrap().published.run_dir;
            assert!(!products(&run).contains("order-loan"), "without {absent:?} on night {night}");
            assert_eq!(rows::<Deduction>(&run).is_empty(), absent[0] == "loans");
            codes.push(reasons(&run));
        }
        assert_eq!(codes[0], codes[1], "without {absent:?}");
        let sent = if absent[0] == "loans" { &without_loan } else { &lost };
        match (absent[0], lender.night_without(sent, day(3), &[])) {
            ("loans", Err(RunError::Gate(GateError::UnknownLoans { unknown: 1, loans: 1, .. }))) => {}
            ("applications" | "disputes", Ok(back)) => assert_eq!(back.summary.rows_missing, 7, "after {absent:?}"),
            (_, other) => panic!("after {absent:?}: {:?}", other.map(|back| back.summary.rows_missing)),
        }
    }
}
