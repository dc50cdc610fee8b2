//! Loans repaid by the orders that secure them: how much, when, and what bounds it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;

use super::super::pledges::PledgedOrders;
use super::fixture::{asks, case};
use super::*;
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, ReceivedPayment, UnknownLoan};

/// Half of a day's receipts may be taken of what is late.
fn terms() -> DeductionTerms {
    DeductionTerms {
        receipts_feature: "receipts".into(),
        receipts_days: 1,
        day_receipts_feature: None,
        receipts_share_ppm: 500_000,
        min_minor: 100,
        floor_minor: 0,
        order: AccountOrder::MostOverdue,
        payments_days_older: 0,
        under_way_days: 7,
        released_orders_repay: true,
    }
}

/// An order loan that so much closes, on which so much was paid.
fn order_loan(payoff_minor: i64, paid_minor: i64) -> LoanStanding {
    let principal_minor = payoff_minor + paid_minor;
    LoanStanding {
        principal_minor,
        payoff_minor,
        outstanding_minor: payoff_minor,
        received_minor: paid_minor,
        ..overdue_loan("order-loan", 0)
    }
}

fn pledges(released_minor: i64) -> Pledges {
    let pledged = PledgedOrders { value_minor: 100_000, released_minor, ..PledgedOrders::default() };
    [("l1".to_owned(), pledged)].into_iter().collect()
}

fn ordered(receipts: Option<f64>, loan: LoanStanding, released_minor: i64, alerts: &[Alert]) -> Deductions {
    let features = BTreeMap::from([("receipts".to_owned(), receipts)]);
    let pledges = pledges(released_minor);
    deduct(&terms(), &DeductionCase { pledges: Some(&pledges), ..case(&features, &[loan], alerts) }).unwrap()
}

/// What is taken in all, and what of it orders have released.
fn amount(found: &Deductions) -> Option<(i64, i64)> {
    assert!(found.deductions.len() <= 1, "{found:?}");
    found.deductions.first().map(|order| (order.amount_minor, order.released_minor.unwrap()))
}

#[test]
fn what_orders_released_is_taken_before_the_loan_falls_due() {
    let taken = |payoff, paid, released| amount(&ordered(Some(0.0), order_loan(payoff, paid), released, &[]));
    assert_eq!(taken(80_000, 0, 30_000), Some((30_000, 30_000)), "a day without receipts bounds nothing");
    assert_eq!(taken(50_000, 30_000, 30_000), None, "it was paid already");
    assert_eq!(taken(50_000, 30_000, 70_000), Some((40_000, 40_000)));
    assert_eq!(taken(50_000, 30_000, 100_000), Some((50_000, 50_000)), "no more than closes it");
    assert_eq!(taken(80_000, 0, 0), None, "escrow has released nothing");
    assert_eq!(taken(80_000, 0, 99), None, "not worth a transfer");
    let told = &ordered(Some(0.0), order_loan(50_000, 30_000), 70_000, &[]).deductions[0].why;
    assert_eq!(told, "released orders: 70000 minor units of the orders that secure it, 30000 are paid");
}

#[test]
fn a_payment_that_bounced_has_repaid_nothing() {
    let bounced = vec![ReceivedPayment(1, 30_000, "deduction".to_owned())];
    let loan = LoanStanding { bounced, ..order_loan(80_000, 30_000) };
    assert_eq!(amount(&ordered(Some(0.0), loan, 30_000, &[])), Some((30_000, 30_000)));
}

#[test]
fn arrears_are_taken_beside_it_within_their_own_bound() {
    let late = || LoanStanding { arrears_minor: 80_000, dpd: 3, ..order_loan(80_000, 0) };
    let taken = |receipts, released| {
        let found = ordered(receipts, late(), released, &[asks("l1")]);
        (amount(&found), found.receipts_unknown)
    };
    assert_eq!(taken(Some(20_000.0), 30_000), (Some((40_000, 30_000)), 0), "and half of a day's receipts");
    assert_eq!(taken(Some(20_000.0), 75_000), (Some((80_000, 75_000)), 0));
    assert_eq!(taken(None, 30_000), (Some((30_000, 30_000)), 1), "of unknown receipts nothing is taken");
    assert_eq!(taken(Some(20_000.0), 0), (Some((10_000, 0)), 0));
    // Of instalments that are late, what orders released pays first.
    let in_parts = LoanStanding { arrears_minor: 10_000, ..late() };
    let found = ordered(Some(90_000.0), in_parts, 30_000, &[asks("l1")]);
    assert_eq!(amount(&found), Some((30_000, 30_000)));
}

fn taken(terms: &DeductionTerms, case: DeductionCase<'_>) -> usize {
    deduct(terms, &case).unwrap().deductions.len()
}

#[test]
fn nothing_is_taken_unless_the_terms_say_so_nor_of_what_is_not_known() {
    let features = BTreeMap::from([("receipts".to_owned(), Some(0.0))]);
    let (loans, pledges) = ([order_loan(80_000, 0)], pledges(30_000));
    let known = DeductionCase { pledges: Some(&pledges), ..case(&features, &loans, &[]) };
    assert_eq!(taken(&terms(), known), 1);
    assert_eq!(taken(&DeductionTerms { released_orders_repay: false, ..terms() }, known), 0);
    assert_eq!(taken(&terms(), DeductionCase { pledges: None, ..known }), 0);
    assert_eq!(taken(&terms(), DeductionCase { payments_days_late: Some(1), ..known }), 0);
    assert_eq!(taken(&terms(), DeductionCase { payments_days_late: None, ..known }), 0);
    let lost = [UnknownLoan {
        merchant_id: "m1".into(),
        loan_id: Some("l9".into()),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::default(),
    }];
    let with_lost = DeductionCase { loans: MerchantLoans { known: &loans, unknown: &lost }, ..known };
    assert_eq!(deduct(&terms(), &with_lost).unwrap(), Deductions { loans_unknown: 1, ..Deductions::default() });
    for over in [
        LoanStanding { is_closed: true, ..loans[0].clone() },
        LoanStanding { is_written_off: true, ..loans[0].clone() },
    ] {
        let over = [over];
        assert_eq!(taken(&terms(), DeductionCase { loans: MerchantLoans { known: &over, unknown: &[] }, ..known }), 0);
    }
}

/// A day: what escrow releases, what the merchant pays by itself, and after how many days an order that the night gave is posted.
type Day = (i64, Option<i64>, usize);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// However late payments are posted, no more is taken than was released, nor than closes the loan; and once all is released the loan is repaid
    /// without an alert.
    #[test]
    fn no_more_than_was_released_and_all_of_it_in_the_end(
        principal in 1_000_i64..90_000,
        days in prop::collection::vec((0_i64..20_000, prop::option::of(1_i64..9_000), 0_usize..6), 1..30),
    ) {
        let features = BTreeMap::from([("receipts".to_owned(), None)]);
        let (mut released, mut own, mut seen, mut left) = (0_i64, 0_i64, BTreeSet::new(), Vec::new());
        let mut posted: Vec<(usize, i64)> = Vec::new();
        let calm: Vec<Day> = (0..20).map(|_| (90_000, None, 0)).collect();
        for (night, &(release, pays, delay)) in days.iter().chain(&calm).enumerate() {
            let visible: Vec<i64> = posted.iter().filter(|(on, _)| *on <= night).map(|p| p.1).collect();
            let arrived: i64 = visible.iter().sum();
            // The merchant never pays more than closes the loan beside what is under way.
            let under_way = posted.iter().map(|p| p.1).sum::<i64>();
            own += pays.unwrap_or(0).min(principal - own - under_way);
            released += release;
            let paid = own + arrived;
            let loan = LoanStanding {
                is_closed: paid == principal,
                deductions: visible.len() as u64,
                deducted_minor: arrived,
                ..order_loan(principal - paid, paid)
            };
            let pledges = pledges(released);
            let tonight = date(2025, 5, 1).checked_add(i64::try_from(night).unwrap().days()).unwrap();
            let before = OrdersBefore { orders: &left, tonight };
            let (pledges, loans) = (Some(&pledges), [loan]);
            let found = deduct(&terms(), &DeductionCase { pledges, before, ..case(&features, &loans, &[]) }).unwrap();
            for order in &found.deductions {
                prop_assert_eq!(order.released_minor, Some(order.amount_minor));
                if seen.insert(order.key.clone()) {
                    posted.push((night + 1 + delay, order.amount_minor));
                }
            }
            left = found.open;
            let taken: i64 = posted.iter().map(|p| p.1).sum();
            prop_assert!(taken <= released, "night {night}: {taken} of {released}");
            prop_assert!(own + taken <= principal, "night {night}: {own} and {taken} of {principal}");
        }
        let paid = own + posted.iter().map(|p| p.1).sum::<i64>();
        prop_assert!((0..terms().min_minor).contains(&(principal - paid)), "{paid} of {principal}");
    }
}
