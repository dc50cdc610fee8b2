use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::monitor::{AlertState, Handling, Severity, Verdict};
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, UnknownLoan};

const TERMS: DeductionTerms =
    DeductionTerms { receipts_feature: String::new(), receipts_days: 2, receipts_share_ppm: 400_000, min_minor: 100 };

fn loan(loan_id: &str, dpd: i64, arrears_minor: i64) -> LoanStanding {
    LoanStanding {
        loan_id: loan_id.into(),
        outstanding_minor: arrears_minor,
        arrears_minor,
        ..overdue_loan("credit-loan", dpd)
    }
}

fn asks(loan_id: &str) -> Alert {
    let day = jiff::civil::date(2025, 5, 1);
    Alert {
        alert_id: String::new(),
        merchant_id: "m1".into(),
        loan_id: Some(loan_id.into()),
        rule: "arrears".into(),
        state: AlertState::Opened,
        opened_on: day,
        since_on: day,
        tonight: Verdict::Fired,
        quiet_since_on: None,
        severity: Severity::Warning,
        observed: Some(1.0),
        threshold: Some(1.0),
        evidence: Vec::new(),
        action: Action::Deduct,
        trouble_prob: None,
        at_risk_minor: None,
        cleared_because: None,
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
    }
}

fn run(receipts: Option<f64>, loans: &[LoanStanding], alerts: &[Alert]) -> Deductions {
    let terms = DeductionTerms { receipts_feature: "receipts".into(), ..TERMS };
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), receipts)]);
    deduct(&terms, "m1", &features, MerchantLoans { known: loans, unknown: &[] }, alerts).unwrap()
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
    let found = deduct(&terms, "m1", &features, loans, &[asks("l1"), asks("l9")]).unwrap();
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
