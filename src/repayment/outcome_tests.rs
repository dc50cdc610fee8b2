use super::*;
use crate::repayment::fixture::{Books, DueRow, LoanRow, PaidRow, books, day, rules, shard};
use crate::repayment::{Materiality, repayment_tables};

fn ledger(seen: i32, books: &Books, rules: &LedgerRules) -> LoanLedger {
    repayment_tables(&shard(seen, books), rules).unwrap().unwrap().ledger
}

/// What became of `m1` between the days `from` and `seen`.
fn reason_of(seen: i32, books: &Books, from: i32) -> OutcomeReason {
    let before = ledger(from, books, &rules());
    default_outcomes(&shard(seen, books), &day(from), Some(&before), &rules()).unwrap().by_merchant["m1"].reason
}

/// Disbursed on day 100, due on day 107.
const LOAN: LoanRow = LoanRow("l1", "m1", 100, 1_000, None);
const DUE: DueRow = DueRow("l1", 1, 107, 1_000);

#[test]
fn bad_from_the_very_day_that_days_past_due_reach_the_number() {
    let unpaid = books(&[LOAN], &[DUE], &[]);
    assert_eq!(reason_of(137, &unpaid, 105), OutcomeReason::DaysPastDue);
    assert_eq!(reason_of(136, &unpaid, 105), OutcomeReason::TooYoung);
    // Paid on the 29th day past due, then tested and kept; on the 30th it is a default.
    let late = |paid_on| books(&[LOAN], &[DUE], &[PaidRow("l1", paid_on, 1_000, None)]);
    assert_eq!(reason_of(200, &late(136), 105), OutcomeReason::Repaid);
    assert_eq!(reason_of(200, &late(137), 105), OutcomeReason::DaysPastDue);
}

#[test]
fn in_default_or_written_off_at_the_observation_is_excluded() {
    let unpaid = books(&[LOAN], &[DUE], &[]);
    assert_eq!(reason_of(200, &unpaid, 136), OutcomeReason::DaysPastDue);
    assert_eq!(reason_of(200, &unpaid, 137), OutcomeReason::AlreadyInDefault);
    let off = books(&[LoanRow("l1", "m1", 100, 1_000, Some(120))], &[DUE], &[]);
    assert_eq!(reason_of(200, &off, 121), OutcomeReason::AlreadyInDefault);
    assert_eq!(reason_of(200, &off, 120), OutcomeReason::WrittenOff);
}

#[test]
fn closed_before_the_observation_is_no_exposure_and_one_bad_loan_marks_the_borrower() {
    let paid = [PaidRow("l1", 106, 1_000, None)];
    let one = books(&[LOAN], &[DUE], &paid);
    assert_eq!(reason_of(200, &one, 107), OutcomeReason::NoExposure);
    assert_eq!(reason_of(200, &one, 106), OutcomeReason::Repaid);
    let second = LoanRow("l2", "m1", 110, 500, None);
    let both = books(&[LOAN, second], &[DUE, DueRow("l2", 1, 117, 500)], &paid);
    assert_eq!(reason_of(200, &both, 106), OutcomeReason::DaysPastDue);
}

#[test]
fn a_payment_that_bounces_in_the_window_is_not_known_at_the_observation() {
    // Paid on the due date, bounced on day 150 after the observation on day 140.
    let bounced = books(&[LOAN], &[DUE], &[PaidRow("l1", 107, 1_000, Some(150))]);
    assert_eq!(reason_of(200, &bounced, 140), OutcomeReason::DaysPastDue);
    assert_eq!(reason_of(200, &bounced, 151), OutcomeReason::AlreadyInDefault);
}

#[test]
fn trifling_arrears_are_no_default() {
    let paid = books(&[LOAN], &[DUE], &[PaidRow("l1", 106, 999, None)]);
    assert_eq!(reason_of(200, &paid, 106), OutcomeReason::DaysPastDue, "where every minor unit counts");
    let material = LedgerRules { materiality: Materiality { absolute_minor: 1, relative_ppm: 0 }, ..rules() };
    let before = ledger(106, &paid, &material);
    let found = default_outcomes(&shard(200, &paid), &day(106), Some(&before), &material).unwrap();
    assert_eq!(found.by_merchant["m1"].reason, OutcomeReason::Repaid);
}

#[test]
fn a_merchant_with_a_loan_that_is_not_known_has_no_label() {
    let unscheduled = books(&[LOAN, LoanRow("l2", "m1", 110, 500, None)], &[DUE], &[]);
    assert_eq!(reason_of(200, &unscheduled, 105), OutcomeReason::UnknownLoan, "late as the other one is");
    // Known to be sound at the end of the window, but not at its beginning: the features of the snapshot are not there either.
    let sound = books(&[LOAN], &[DUE], &[]);
    let before = ledger(105, &books(&[LOAN], &[], &[]), &rules());
    let found = default_outcomes(&shard(200, &sound), &day(105), Some(&before), &rules()).unwrap();
    assert_eq!(found.by_merchant["m1"], Outcome { is_default: None, reason: OutcomeReason::UnknownLoan });
}

#[test]
fn every_merchant_has_one_outcome() {
    let unpaid = books(&[LOAN], &[DUE], &[]);
    let seen = shard(200, &unpaid);
    let outcomes = default_outcomes(&seen, &day(105), None, &rules()).unwrap();
    assert_eq!(outcomes.by_merchant["m2"], Outcome { is_default: None, reason: OutcomeReason::NoExposure });
    assert_eq!(outcomes.by_merchant["m1"].is_default, Some(true));
    assert_eq!(outcomes.by_merchant.len(), 2);
    let late = default_outcomes(&seen, &day(200), None, &rules());
    assert!(matches!(late, Err(RepaymentError::ObservedTooLate { .. })));
}

#[test]
fn a_product_without_a_default_definition_is_unknown_and_stops_nothing() {
    let undefined = LedgerRules { default_dpd: BTreeMap::new(), ..rules() };
    let seen = shard(200, &books(&[LOAN], &[DUE], &[]));
    let none = default_outcomes(&seen, &day(105), None, &undefined).unwrap();
    assert_eq!(none.by_merchant["m1"].reason, OutcomeReason::UnknownLoan);
    let ledger = repayment_tables(&seen, &undefined).unwrap().unwrap().ledger;
    assert_eq!(ledger.unknown[0].causes[0].code, "product-without-default");
}

#[test]
fn tables_have_the_agreed_columns_and_order() {
    let second = LoanRow("l0", "m2", 90, 500, None);
    let both = books(&[LOAN, second], &[DUE, DueRow("l0", 1, 97, 500)], &[PaidRow("l0", 99, 500, None)]);
    let seen = shard(138, &both);
    let tables = repayment_tables(&seen, &rules()).unwrap().unwrap();
    let dues = &tables.instalment_status;
    let names: Vec<&str> = dues.get_column_names().iter().map(|n| n.as_str()).collect();
    assert_eq!(
        names,
        [
            "merchant_id", "loan_id", "product", "number", "due_on", "due_at", "due_minor", "paid_minor", "settled_at",
            "days_late", "is_settled"
        ]
    );
    let late: Vec<i64> = dues.column("days_late").unwrap().i64().unwrap().into_no_null_iter().collect();
    assert_eq!(late, [31, 2], "m1 before m2");
    let due_at = dues.column("due_at").unwrap().datetime().unwrap().physical().get(0);
    assert_eq!(due_at, Some(day(108).micros()));
    let loans = &tables.loan_status;
    assert_eq!(loans.width(), 13);
    let dpd: Vec<i64> = loans.column("dpd").unwrap().i64().unwrap().into_no_null_iter().collect();
    assert_eq!(dpd, [31, 0]);

    assert!(tables.ledger.unknown.is_empty());

    for table in ["payments", "instalments"] {
        let mut without = seen.clone();
        without.tables.remove(table);
        let ledger = repayment_tables(&without, &rules()).unwrap().unwrap().ledger;
        assert!(ledger.known.is_empty(), "no {table} table means no evidence, not no payment");
        assert!(ledger.unknown.iter().all(|l| l.causes[0].code == "table-absent") && ledger.unknown.len() == 2);
    }
    let mut without = seen;
    without.tables.remove("loans");
    assert_eq!(repayment_tables(&without, &rules()).unwrap(), None, "no loan book");
}
