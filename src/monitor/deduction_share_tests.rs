//! Shares of sales: what is taken of a day's receipts, and what bounds it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::{asks, case};
use super::*;
use crate::repayment::UnknownLoan;
use crate::repayment::fixture::overdue_loan;

/// A window of ten days, of whose average day at most half is taken.
fn terms() -> DeductionTerms {
    DeductionTerms {
        receipts_feature: "window".into(),
        receipts_days: 10,
        day_receipts_feature: Some("day".into()),
        receipts_share_ppm: 500_000,
        min_minor: 100,
        floor_minor: 0,
        order: AccountOrder::OldestLoan,
        payments_days_older: 0,
        under_way_days: 7,
        released_orders_repay: false,
    }
}

/// Repaid by a share of a day's receipts; so much closes it.
fn by_share(loan_id: &str, share_ppm: i64, payoff_minor: i64) -> LoanStanding {
    LoanStanding {
        loan_id: loan_id.into(),
        sales_share_ppm: Some(share_ppm),
        payoff_minor,
        ..overdue_loan("credit-loan", 0)
    }
}

fn late(loan: LoanStanding, arrears_minor: i64) -> LoanStanding {
    LoanStanding { arrears_minor, dpd: 3, ..loan }
}

fn ordered(
    terms: &DeductionTerms,
    window: f64,
    day: Option<f64>,
    loans: &[LoanStanding],
    asked: &[&str],
) -> Deductions {
    let features = BTreeMap::from([("window".to_owned(), Some(window)), ("day".to_owned(), day)]);
    let alerts: Vec<Alert> = asked.iter().map(|loan| asks(loan)).collect();
    deduct(terms, &case(&features, loans, &alerts)).unwrap()
}

fn amounts(found: &Deductions) -> Vec<(&str, i64)> {
    found.deductions.iter().map(|d| (d.loan_id.as_str(), d.amount_minor)).collect()
}

#[test]
fn the_share_of_the_last_day_is_taken_without_an_alert() {
    let loan = [by_share("l1", 100_000, 1_000_000)];
    let found = ordered(&terms(), 1e6, Some(80_000.0), &loan, &[]);
    assert_eq!(amounts(&found), [("l1", 8_000)]);
    assert!(found.deductions[0].why.contains("100000 ppm of the 80000"), "{}", found.deductions[0].why);
    assert_eq!(amounts(&ordered(&terms(), 1e6, Some(-5.0), &loan, &[])), [], "a day of refunds");
    // Without a feature of the day an average day counts: 100,000.
    let average = DeductionTerms { day_receipts_feature: None, ..terms() };
    assert_eq!(amounts(&ordered(&average, 1e6, None, &loan, &[])), [("l1", 10_000)]);
}

#[test]
fn no_more_than_closes_the_loan_than_the_cap_of_a_night_and_than_leaves_a_living() {
    let nearly = [by_share("l1", 100_000, 777)];
    assert_eq!(amounts(&ordered(&terms(), 1e6, Some(80_000.0), &nearly, &[])), [("l1", 777)]);
    // A day of ten times the average: half of an average day may be taken.
    let loan = [by_share("l1", 100_000, 1_000_000)];
    assert_eq!(amounts(&ordered(&terms(), 1e6, Some(1e6), &loan, &[])), [("l1", 50_000)]);
    let floor = DeductionTerms { floor_minor: 95_000, ..terms() };
    assert_eq!(amounts(&ordered(&floor, 1e6, Some(80_000.0), &loan, &[])), [("l1", 5_000)]);
    for over in
        [LoanStanding { is_closed: true, ..loan[0].clone() }, LoanStanding { is_written_off: true, ..loan[0].clone() }]
    {
        assert_eq!(amounts(&ordered(&terms(), 1e6, Some(80_000.0), &[over], &[])), []);
    }
}

#[test]
fn what_is_late_goes_first_and_the_share_on_top_of_it_in_one_order() {
    let loans = [by_share("l1", 100_000, 1_000_000), late(by_share("l2", 50_000, 900_000), 45_000)];
    // Arrears of 45,000 and a share of 4,000 leave 1,000 of the 50,000.
    let found = ordered(&terms(), 1e6, Some(80_000.0), &loans, &["l2"]);
    assert_eq!(amounts(&found), [("l2", 49_000), ("l1", 1_000)]);
    // Without an alert arrears are not asked for; the share is, and pays the milestone first.
    assert_eq!(amounts(&ordered(&terms(), 1e6, Some(80_000.0), &loans, &[])), [("l1", 8_000), ("l2", 4_000)]);
}

#[test]
fn a_day_that_is_not_known_takes_no_share_and_books_that_do_not_agree_nothing() {
    let loans = [by_share("l1", 100_000, 1_000_000), late(by_share("l2", 50_000, 900_000), 3_000)];
    let found = ordered(&terms(), 1e6, None, &loans, &["l2"]);
    assert_eq!((amounts(&found), found.receipts_unknown), (vec![("l2", 3_000)], 1));
    let features = BTreeMap::from([("window".to_owned(), Some(1e6)), ("day".to_owned(), Some(8e4))]);
    let lost = [UnknownLoan {
        merchant_id: "m1".into(),
        loan_id: Some("l9".into()),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: crate::repayment::Causes::default(),
    }];
    let of = |unknown, days_late| {
        let loans = MerchantLoans { known: &loans, unknown };
        let case = DeductionCase { loans, payments_days_late: Some(days_late), ..case(&features, &[], &[]) };
        deduct(&terms(), &case).unwrap()
    };
    assert_eq!(of(&lost, 0), Deductions { loans_unknown: 2, ..Deductions::default() });
    assert_eq!(of(&[], 1), Deductions { payments_late: 2, ..Deductions::default() });
    assert_eq!(of(&[], 0).deductions.len(), 2);
}

/// What is ordered, told coin by coin: a purse of the night's cap, out of which each claim in turn takes one minor unit at a time.
fn naive(terms: &DeductionTerms, window: i64, day: i64, loans: &[LoanStanding], asked: &[&str]) -> Vec<(String, i64)> {
    let average = window / i64::from(terms.receipts_days);
    let mut purse = 0;
    while (purse + 1) * 1_000_000 * i64::from(terms.receipts_days) <= window * terms.receipts_share_ppm
        && average - (purse + 1) >= terms.floor_minor
    {
        purse += 1;
    }
    let mut taken = Vec::new();
    for late_ones in [true, false] {
        for loan in loans {
            let is_late = loan.arrears_minor > 0 && asked.contains(&loan.loan_id.as_str());
            if is_late != late_ones {
                continue;
            }
            let mut coins = 0;
            let within_share = |coins: i64| loan.sales_share_ppm.is_some_and(|share| coins * 1_000_000 <= day * share);
            let arrears = if is_late { loan.arrears_minor } else { 0 };
            while coins < purse && coins < loan.payoff_minor && (coins < arrears || within_share(coins + 1 - arrears)) {
                coins += 1;
            }
            if coins >= terms.min_minor {
                purse -= coins;
                taken.push((loan.loan_id.clone(), coins));
            }
        }
    }
    taken
}

/// The payment service: executes an order unless it has seen its key, and posts the payment some nights later.
struct Service {
    seen: BTreeSet<String>,
    posted: Vec<(usize, i64)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn equals_the_naive_twin(
        loans in prop::collection::vec((prop::option::of(1_i64..300_000), 0_i64..900, 0_i64..4_000, any::<bool>()), 1..5),
        window in 0_i64..60_000,
        day in 0_i64..30_000,
        floor_minor in prop::sample::select(vec![0_i64, 2_000, 5_000]),
    ) {
        let terms = DeductionTerms { floor_minor, min_minor: 50, ..terms() };
        let loans: Vec<LoanStanding> = loans.iter().enumerate().map(|(n, &(share, arrears, undue, _))| {
            let loan = by_share(&format!("l{n}"), 1, arrears + undue);
            LoanStanding { sales_share_ppm: share, arrears_minor: arrears, ..loan }
        }).collect();
        let ids: Vec<&str> = loans.iter().map(|l| l.loan_id.as_str()).filter(|id| !id.ends_with('3')).collect();
        let found = ordered(&terms, window as f64, Some(day as f64), &loans, &ids);
        let found: Vec<(String, i64)> = found.deductions.into_iter().map(|d| (d.loan_id, d.amount_minor)).collect();
        prop_assert_eq!(found, naive(&terms, window, day, &loans, &ids));
    }

    /// However late payments are posted and however often a night is run again, no more is taken than closes the loan, nor of any one day more
    /// than its share.
    #[test]
    fn nothing_is_taken_twice(
        payoff in 1_000_i64..200_000,
        nights in prop::collection::vec((0.0_f64..2e5, 0_usize..4, 1_usize..4), 1..60),
    ) {
        let mut service = Service { seen: BTreeSet::new(), posted: Vec::new() };
        let mut taken = 0;
        for (night, &(day, delay, runs)) in nights.iter().enumerate() {
            let visible: Vec<i64> = service.posted.iter().filter(|(at, _)| *at <= night).map(|p| p.1).collect();
            let left = payoff - visible.iter().sum::<i64>();
            let loans = [LoanStanding { deductions: visible.len() as u64, ..by_share("l1", 100_000, left) }];
            let mut of_the_night = 0;
            for _ in 0..runs {
                for order in ordered(&terms(), 1e6, Some(day), &loans, &[]).deductions {
                    if service.seen.insert(order.key) {
                        of_the_night += order.amount_minor;
                        service.posted.push((night + 1 + delay, order.amount_minor));
                    }
                }
            }
            prop_assert!(of_the_night as f64 <= day * 0.1);
            taken += of_the_night;
            prop_assert!(taken <= payoff);
        }
    }
}
