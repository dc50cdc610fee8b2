use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::super::deduction::fixture::asks;
use super::*;
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, UnknownLoan};

const TONIGHT: Date = date(2025, 7, 1);

fn terms() -> RestructureTerms {
    RestructureTerms {
        receipts_feature: "receipts".to_owned(),
        receipts_days: 180,
        receipts_share_ppm: 300_000,
        every_days: 30,
        instalments: vec![3, 6, 12],
        rate_share_ppm: 500_000,
    }
}

fn loan(loan_id: &str, outstanding_minor: i64, interest: i64, fee: i64) -> LoanStanding {
    LoanStanding {
        loan_id: loan_id.to_owned(),
        outstanding_minor,
        interest_arrears_minor: interest,
        fee_arrears_minor: fee,
        arrears_minor: interest + fee,
        payoff_minor: outstanding_minor + interest + fee,
        daily_rate_ppm: 500,
        ..overdue_loan("credit-loan", 31)
    }
}

fn eased(loan_id: &str) -> Alert {
    Alert { action: Action::Restructure, ..asks(loan_id) }
}

fn proposal(receipts: Option<f64>, loans: &[LoanStanding], alerts: &[Alert]) -> Vec<ProposedInstalment> {
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), receipts)]);
    propose(&terms(), "m1", &features, MerchantLoans { known: loans, unknown: &[] }, alerts, TONIGHT).unwrap()
}

#[test]
fn the_fewest_instalments_that_receipts_carry() {
    // 100,000 in three parts of 33,333 with 750 of interest in the first: 30 % of 30 days' receipts have to be 34,083.
    let loans = [loan("l1", 100_000, 0, 0)];
    for (receipts, count, is_affordable) in [
        (Some(681_660.0), 3, true),
        (Some(681_659.0), 6, true),
        (Some(200_000.0), 12, true),
        (Some(100_000.0), 12, false),
        (Some(-5.0), 12, false),
        (None, 12, false),
    ] {
        let found = proposal(receipts, &loans, &[eased("l1")]);
        assert_eq!((found.len(), found[0].is_affordable), (count, is_affordable), "{receipts:?}");
        assert_eq!(found[0].affordable_minor.is_none(), receipts.is_none());
    }
    let found = proposal(Some(681_660.0), &loans, &[eased("l1")]);
    let amounts: Vec<(Date, i64, i64)> =
        found.iter().map(|i| (i.due_on, i.principal_minor, i.interest_minor)).collect();
    // 250 ppm a day, half of the loan's own.
    let expected =
        [(date(2025, 7, 31), 33_333, 750), (date(2025, 8, 30), 33_333, 500), (date(2025, 9, 29), 33_334, 250)];
    assert_eq!(amounts, expected);
}

#[test]
fn interest_that_has_accrued_is_carried_and_other_loans_are_paid_first() {
    let late = LoanStanding { payoff_minor: 100_000 + 40 + 7 + 440, ..loan("l1", 100_000, 40, 7) };
    let carried = |loans: &[LoanStanding]| -> i64 {
        proposal(None, loans, &[eased("l1")]).iter().map(|instalment| instalment.carried_minor).sum()
    };
    assert_eq!(carried(std::slice::from_ref(&late)), 487);

    // Of 681,660 of receipts 34,083 are affordable every 30 days.
    let affordable = |other: LoanStanding| {
        proposal(Some(681_660.0), &[late.clone(), other], &[eased("l1")])[0].affordable_minor.unwrap()
    };
    let due = |days: i64, minor| ComingDue(TONIGHT.saturating_add(days.days()), minor);
    let other = |coming_due| LoanStanding { coming_due, ..loan("l2", 50_000, 300, 0) };
    assert_eq!(affordable(other(Vec::new())), 34_083 - 300);
    assert_eq!(
        affordable(other(vec![due(30, 5_000), due(31, 5_100)])),
        34_083 - 5_300,
        "the worst of the periods counts"
    );
    assert_eq!(affordable(other(vec![due(45, 3_000), due(60, 3_000)])), 34_083 - 6_000);
    assert_eq!(affordable(other(vec![due(45, 90_000)])), 0);
    assert_eq!(affordable(other(vec![due(13 * 30, 90_000)])), 34_083 - 300, "beyond the longest proposal");
    assert_eq!(affordable(LoanStanding { is_closed: true, ..other(vec![due(45, 9_000)]) }), 34_083);
}

#[test]
fn only_open_loans_on_which_a_rule_asks_and_that_were_not_eased_before() {
    let sound = loan("l1", 1_000, 0, 0);
    assert!(!proposal(None, std::slice::from_ref(&sound), &[eased("l1")]).is_empty());
    assert!(proposal(None, std::slice::from_ref(&sound), &[asks("l1"), eased("l2")]).is_empty());
    for other in [
        LoanStanding { is_restructured: true, ..sound.clone() },
        LoanStanding { is_written_off: true, ..sound.clone() },
        LoanStanding { is_closed: true, ..sound.clone() },
        LoanStanding { merchant_id: "m2".to_owned(), ..sound.clone() },
    ] {
        assert!(proposal(None, &[other], &[eased("l1")]).is_empty());
    }
    let lost = UnknownLoan {
        merchant_id: "m1".to_owned(),
        loan_id: None,
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::default(),
    };
    let features: BTreeMap<String, Option<f64>> = BTreeMap::new();
    let loans = MerchantLoans { known: &[sound], unknown: &[lost] };
    assert!(propose(&terms(), "m1", &features, loans, &[eased("l1")], TONIGHT).unwrap().is_empty());
}

proptest! {
    /// Principal and what is carried add up to what is owed; parts differ by one minor unit at most; what is called affordable is, all loans together.
    #[test]
    fn proposals_add_up(
        owed in prop::collection::vec((1_i64..2_000_000, 0_i64..5_000, 0_i64..500), 1..4), receipts in prop::option::of(-10.0_f64..1e7),
    ) {
        let loans: Vec<LoanStanding> =
            owed.iter().enumerate().map(|(n, (outstanding, interest, fee))| loan(&format!("l{n}"), *outstanding, *interest, *fee)).collect();
        let alerts: Vec<Alert> = loans.iter().map(|loan| eased(&loan.loan_id)).collect();
        let found = proposal(receipts, &loans, &alerts);
        let mut taken = 0;
        for loan in &loans {
            let own: Vec<&ProposedInstalment> = found.iter().filter(|i| i.loan_id == loan.loan_id).collect();
            prop_assert!([3, 6, 12].contains(&own.len()));
            prop_assert_eq!(own.iter().map(|i| i.principal_minor).sum::<i64>(), loan.outstanding_minor);
            let carried: i64 = own.iter().map(|i| i.carried_minor).sum();
            prop_assert_eq!(carried, loan.interest_arrears_minor + loan.fee_arrears_minor);
            let of = |part: fn(&&&ProposedInstalment) -> i64| {
                let parts: Vec<i64> = own.iter().map(|i| part(&i)).collect();
                parts.iter().max().unwrap() - parts.iter().min().unwrap()
            };
            prop_assert!(of(|i| i.principal_minor) <= 1 && of(|i| i.carried_minor) <= 1);
            prop_assert!(own.windows(2).all(|pair| pair[0].interest_minor >= pair[1].interest_minor && pair[0].due_on < pair[1].due_on));
            if own[0].is_affordable {
                taken += own.iter().map(|i| i.principal_minor + i.interest_minor + i.carried_minor).max().unwrap();
                prop_assert!(taken as f64 <= receipts.unwrap() * 0.3 * 30.0 / 180.0 + 1e-6);
            }
        }
        prop_assert_eq!(&found, &proposal(receipts, &loans, &alerts));
    }
}
