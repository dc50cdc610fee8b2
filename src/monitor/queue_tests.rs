use proptest::prelude::*;

use super::super::deduction::fixture::asks;
use super::*;
use crate::monitor::{Handling, Severity};
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, LoanStanding, UnknownLoan};

fn call(rule: &str) -> Alert {
    Alert { action: Action::Call, rule: rule.to_owned(), ..asks("l1") }
}

fn owing(outstanding_minor: i64, is_in_default: bool) -> LoanStanding {
    LoanStanding { outstanding_minor, is_in_default, arrears_minor: 50, fee_arrears_minor: 20, ..overdue_loan("p", 3) }
}

fn lost(principal_minor: Option<i64>) -> UnknownLoan {
    UnknownLoan {
        merchant_id: "m1".to_owned(),
        loan_id: None,
        product: None,
        principal_minor,
        group_id: None,
        causes: Causes::default(),
    }
}

fn line(known: &[LoanStanding], unknown: &[UnknownLoan], alerts: &[Alert], pd: Option<f64>) -> Option<QueueLine> {
    QueueTerms::default().line("m1", MerchantLoans { known, unknown }, alerts, pd, 0.5)
}

#[test]
fn what_is_lost_and_what_is_saved() {
    let alerts = [
        call("a-rule"),
        Alert { severity: Severity::Critical, ..call("z-rule") },
        Alert { action: Action::Restructure, ..call("m-rule") },
    ];
    let found = line(&[owing(10_000, false)], &[], &alerts, Some(0.1)).unwrap();
    // 10,020 × 0.1 × 0.5 = 501, of which easier terms save three tenths.
    assert_eq!((found.owed_minor, found.expected_loss_minor, found.expected_saved_minor), (10_020, 501, 150));
    assert_eq!((found.action, found.arrears_minor, found.dpd), (Action::Restructure, 50, Some(3)));
    assert_eq!(found.rules, ["z-rule", "a-rule", "m-rule"]);
    assert_eq!(line(&[owing(10_000, true)], &[], &alerts, Some(0.1)).unwrap().expected_loss_minor, 5_010);
    assert_eq!(line(&[owing(10_000, false)], &[], &alerts, None).unwrap().expected_loss_minor, 5_010, "never good");
    let foreseen: Vec<Alert> = alerts.iter().map(|alert| Alert { trouble_prob: Some(0.4), ..alert.clone() }).collect();
    let found = line(&[owing(10_000, false)], &[], &foreseen, Some(0.1)).unwrap();
    assert_eq!(
        (found.expected_loss_minor, found.trouble_prob),
        (2_004, Some(0.4)),
        "the hazard model goes before the score"
    );
    assert_eq!(line(&[owing(10_000, true)], &[], &foreseen, Some(0.1)).unwrap().expected_loss_minor, 5_010);
    let unknown = line(&[], &[lost(Some(4_000)), lost(None)], &alerts, Some(0.1)).unwrap();
    assert_eq!((unknown.owed_minor, unknown.expected_loss_minor, unknown.unknown_loans), (4_000, 2_000, 2));
}

#[test]
fn who_needs_nobody_is_not_queued() {
    let known = [owing(10_000, false)];
    let queued = |alert: Alert| line(&known, &[], &[alert], Some(0.1)).is_some();
    assert!(queued(call("r")));
    assert!(!queued(asks("l1")), "the program deducts by itself");
    assert!(!queued(Alert { handling: Some(Handling::Snoozed), ..call("r") }));
    assert!(!queued(Alert { handling: Some(Handling::Suppressed), ..call("r") }));
    assert!(!queued(Alert { state: crate::monitor::AlertState::Cleared, ..call("r") }));
    assert!(!queued(Alert { merchant_id: "m2".to_owned(), ..call("r") }));
    let over =
        [LoanStanding { is_closed: true, ..owing(0, false) }, LoanStanding { is_written_off: true, ..owing(9, true) }];
    assert_eq!(line(&over, &[], &[call("r")], Some(0.1)), None);
}

proptest! {
    /// More owed, a higher probability or a default never move a borrower down; nothing is saved that would not be lost, or lost that is not owed.
    #[test]
    fn the_order_is_by_what_can_be_saved(
        owed in 0_i64..1_000_000_000, more in 0_i64..1_000_000, pd in 0.0_f64..1.0, worse in 0.0_f64..0.5, is_in_default in any::<bool>(),
    ) {
        let of = |owed, pd: f64, is_in_default| line(&[owing(owed, is_in_default)], &[], &[call("r")], Some(pd)).unwrap();
        let base = of(owed, pd, is_in_default);
        prop_assert!(base.expected_saved_minor <= base.expected_loss_minor && base.expected_loss_minor <= base.owed_minor);
        for graver in [of(owed + more, pd, is_in_default), of(owed, (pd + worse).min(1.0), is_in_default), of(owed, pd, true)] {
            let graver = QueueLine { merchant_id: "m1".to_owned(), ..graver };
            prop_assert!(graver.order(&base) != Ordering::Greater, "{:?} {:?}", graver, base);
        }
    }
}
