use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fixture::{asks, case};
use super::*;
use crate::monitor::{AlertState, Handling};
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, UnknownLoan};

const TERMS: DeductionTerms = DeductionTerms {
    receipts_feature: String::new(),
    receipts_days: 2,
    day_receipts_feature: None,
    receipts_share_ppm: 400_000,
    min_minor: 100,
    floor_minor: 0,
    order: AccountOrder::MostOverdue,
    payments_days_older: 0,
    under_way_days: 7,
    released_orders_repay: false,
};

fn loan(loan_id: &str, dpd: i64, arrears_minor: i64) -> LoanStanding {
    LoanStanding {
        loan_id: loan_id.into(),
        outstanding_minor: arrears_minor,
        arrears_minor,
        ..overdue_loan("credit-loan", dpd)
    }
}

fn run(receipts: Option<f64>, loans: &[LoanStanding], alerts: &[Alert]) -> Deductions {
    let terms = DeductionTerms { receipts_feature: "receipts".into(), ..TERMS };
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), receipts)]);
    deduct(&terms, &case(&features, loans, alerts)).unwrap()
}

#[test]
fn nothing_is_taken_on_a_night_whose_payments_end_too_early() {
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(100_000.0))]);
    let known = [loan("l1", 3, 5_000)];
    let on = |payments_days_older: u16, late: Option<i32>| {
        let terms = DeductionTerms { receipts_feature: "receipts".into(), payments_days_older, ..TERMS };
        let alerts = [asks("l1")];
        let case = DeductionCase { payments_days_late: late, ..case(&features, &known, &alerts) };
        let found = deduct(&terms, &case).unwrap();
        (found.deductions.len(), found.payments_late)
    };
    assert_eq!((on(0, Some(0)), on(0, Some(1)), on(1, Some(1)), on(1, Some(2))), ((1, 0), (0, 1), (1, 0), (0, 1)));
    assert_eq!(on(3_660, None), (0, 1), "there are no payments: nobody knows what was paid");
}

#[test]
fn nothing_is_taken_from_a_borrower_with_a_loan_that_is_not_known() {
    let lost = UnknownLoan {
        merchant_id: "m1".into(),
        loan_id: Some("l9".into()),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::default(),
    };
    let terms = DeductionTerms { receipts_feature: "receipts".into(), ..TERMS };
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(1e6))]);
    let (known, unknown) = ([loan("l1", 3, 5_000)], [lost]);
    let loans = MerchantLoans { known: &known, unknown: &unknown };
    let alerts = [asks("l1"), asks("l9")];
    let found = deduct(&terms, &DeductionCase { loans, ..case(&features, &[], &alerts) }).unwrap();
    assert_eq!(found, Deductions { loans_unknown: 1, ..Deductions::default() });
    assert_eq!(run(Some(1e6), &known, &[asks("l1")]).deductions.len(), 1, "which alone would have been deducted");
}

#[test]
fn takes_arrears_but_no_more_than_the_share_of_receipts() {
    let loans = [loan("l1", 3, 5_000), loan("l2", 9, 3_000)];
    let alerts = [asks("l1"), asks("l2")];
    let amounts = |receipts| -> Vec<(String, i64)> {
        run(receipts, &loans, &alerts).deductions.into_iter().map(|d| (d.loan_id, d.amount_minor)).collect()
    };
    assert_eq!(amounts(Some(100_000.0)), [("l2".to_owned(), 3_000), ("l1".to_owned(), 5_000)]);
    assert_eq!(amounts(Some(20_000.0)), [("l2".to_owned(), 3_000), ("l1".to_owned(), 1_000)]);
    assert_eq!(amounts(Some(15_300.0)), [("l2".to_owned(), 3_000)], "60 is not worth a deduction");
    assert_eq!(amounts(Some(-1.0)), []);
    assert_eq!(run(None, &loans, &alerts), Deductions { receipts_unknown: 2, ..Deductions::default() });
}

#[test]
fn only_loans_on_which_a_rule_asks() {
    let loans = [loan("l1", 3, 5_000), loan("l2", 9, 3_000)];
    assert!(run(Some(1e6), &loans, &[]).deductions.is_empty());
    let watch = Alert { action: Action::Watch, ..asks("l1") };
    assert!(run(Some(1e6), &loans, &[watch]).deductions.is_empty());
    let suppressed = Alert { handling: Some(Handling::Suppressed), ..asks("l1") };
    let over = Alert { state: AlertState::Cleared, ..asks("l1") };
    let other = Alert { merchant_id: "m2".into(), ..asks("l1") };
    for silent in [suppressed, over, other] {
        assert!(run(Some(1e6), &loans, &[silent]).deductions.is_empty());
    }
    let off = [LoanStanding { is_written_off: true, ..loan("l1", 3, 5_000) }];
    assert!(run(Some(1e6), &off, &[asks("l1")]).deductions.is_empty());
}

#[test]
fn the_key_stays_until_the_deduction_is_seen() {
    let key = |deductions, deductions_reversed, arrears_minor, dpd| {
        let loans = [LoanStanding { deductions, deductions_reversed, ..loan("l1", dpd, arrears_minor) }];
        run(Some(1e6), &loans, &[asks("l1")]).deductions[0].key.clone()
    };
    let first = key(0, 0, 5_000, 3);
    assert_eq!(first, key(0, 0, 5_000, 4), "not posted yet: the next night orders the same");
    assert_eq!(first, key(0, 0, 4_000, 4), "nor does a voluntary payment open a second one");
    assert_ne!(first, key(1, 0, 4_000, 5), "once it has arrived, what is left is another");
    assert_ne!(key(1, 0, 4_000, 5), key(1, 1, 5_000, 6), "and once it has bounced");
}

/// The payment service: executes an order unless it has seen its key, and posts the payment some nights later.
struct Service {
    seen: BTreeSet<String>,
    posted: Vec<(usize, i64)>,
}

proptest! {
    /// Nights on which the borrower never pays: however late payments are posted, and however often a night is run again, no more than
    /// the arrears are ever taken.
    #[test]
    fn nothing_is_taken_twice(
        arrears in 1_000_i64..1_000_000,
        nights in prop::collection::vec((0.0_f64..2e6, 0_usize..5, 1_usize..4), 1..40),
    ) {
        let mut service = Service { seen: BTreeSet::new(), posted: Vec::new() };
        let mut taken = 0;
        for (night, &(receipts, delay, runs)) in nights.iter().enumerate() {
            let visible: Vec<i64> = service.posted.iter().filter(|(at, _)| *at <= night).map(|p| p.1).collect();
            let left = arrears - visible.iter().sum::<i64>();
            let loans = [LoanStanding { deductions: visible.len() as u64, ..loan("l1", 10, left) }];
            for _ in 0..runs {
                for order in run(Some(receipts), &loans, &[asks("l1")]).deductions {
                    prop_assert!(order.amount_minor <= left && order.amount_minor >= 100);
                    prop_assert!(order.amount_minor as f64 <= receipts * 0.2);
                    if service.seen.insert(order.key) {
                        taken += order.amount_minor;
                        service.posted.push((night + 1 + delay, order.amount_minor));
                    }
                }
            }
            prop_assert!(taken <= arrears);
        }
    }
}

fn amounts_under(terms: &DeductionTerms, receipts: f64, loans: &[LoanStanding]) -> Vec<(String, i64)> {
    let terms = DeductionTerms { receipts_feature: "receipts".into(), ..terms.clone() };
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(receipts))]);
    let alerts: Vec<Alert> = loans.iter().map(|loan| asks(&loan.loan_id)).collect();
    let found = deduct(&terms, &case(&features, loans, &alerts)).unwrap();
    found.deductions.into_iter().map(|d| (d.loan_id, d.amount_minor)).collect()
}

#[test]
fn a_living_is_left() {
    let loans = [loan("l1", 3, 50_000)];
    // A day brings 10,000, of which two fifths may be taken.
    for (floor_minor, amount) in
        [(0, Some(4_000)), (6_000, Some(4_000)), (6_001, Some(3_999)), (9_901, None), (20_000, None)]
    {
        let terms = DeductionTerms { floor_minor, ..TERMS };
        let expected: Vec<(String, i64)> = amount.map(|amount| ("l1".to_owned(), amount)).into_iter().collect();
        assert_eq!(amounts_under(&terms, 20_000.0, &loans), expected, "floor {floor_minor}");
    }
}

#[test]
fn accounts_are_served_in_the_configured_order() {
    let old = LoanStanding { disbursed_at: -5, ..loan("l3", 5, 2_000) };
    let loans = [loan("l1", 3, 1_500), loan("l2", 9, 3_000), old];
    for (order, first) in
        [(AccountOrder::MostOverdue, "l2"), (AccountOrder::OldestLoan, "l3"), (AccountOrder::LeastArrears, "l1")]
    {
        assert_eq!(amounts_under(&DeductionTerms { order, ..TERMS }, 20_000.0, &loans)[0].0, first);
    }
}

proptest! {
    /// Over all accounts: never more than is due on each, never above the cap, never below the floor; the same orders under the same keys
    /// however the loans come and however often the night is run; a key does not depend on the day's receipts.
    #[test]
    fn deductions_keep_their_bounds(
        loans in prop::collection::vec((0_i64..200, 0_i64..100_000, 0_i64..50), 1..6), receipts in -1e4_f64..1e6, floor_minor in 0_i64..200_000,
        order in prop::sample::select(&[AccountOrder::MostOverdue, AccountOrder::OldestLoan, AccountOrder::LeastArrears][..]),
    ) {
        let mut loans: Vec<LoanStanding> = loans.iter().enumerate().map(|(n, (dpd, arrears, day))| {
            LoanStanding { disbursed_at: *day, ..loan(&format!("l{n}"), *dpd, *arrears) }
        }).collect();
        let terms = DeductionTerms { floor_minor, order, ..TERMS };
        let taken = amounts_under(&terms, receipts, &loans);
        for (id, amount) in &taken {
            let due = loans.iter().find(|l| l.loan_id == *id).unwrap().arrears_minor;
            prop_assert!(*amount <= due && *amount >= terms.min_minor);
        }
        let sum: i64 = taken.iter().map(|(_, amount)| amount).sum();
        let day = receipts.max(0.0) / 2.0;
        prop_assert!(sum as f64 <= 0.4 * day);
        prop_assert!(sum == 0 || day - sum as f64 >= floor_minor as f64);
        loans.reverse();
        prop_assert_eq!(&taken, &amounts_under(&terms, receipts, &loans));
        let keys = |receipts: f64| -> BTreeMap<String, String> {
            let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(receipts))]);
            let alerts: Vec<Alert> = loans.iter().map(|loan| asks(&loan.loan_id)).collect();
            let terms = DeductionTerms { receipts_feature: "receipts".into(), ..terms.clone() };
            let found = deduct(&terms, &case(&features, &loans, &alerts)).unwrap();
            found.deductions.into_iter().map(|d| (d.loan_id, d.key)).collect()
        };
        let (now, richer) = (keys(receipts), keys(receipts + 1e7));
        prop_assert!(now.iter().all(|(loan, key)| richer.get(loan) == Some(key)));
    }
}
