//! Deductions from the books to the order, night after night: the same shard that a run would see, the rules of a monitor file.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::config::ConfigFile;
use crate::monitor::{Monitor, MonitorCase, Officers, WatchContext, watch};
use crate::repayment::fixture::{Books, DueRow, LoanRow, PaidRow, books, day, rules, shard};
use crate::repayment::repayment_tables;
use crate::store::BrokenRecord;

const MONITOR: &str = r#"
watch = "borrowers"
waterfall = { within = ["fee", "interest", "principal"], early_close_tolerance_minor = 0 }
class_from_dpd = { special_mention = 1, substandard = 91, doubtful = 271, loss = 361 }
bucket = [{ name = "all", from_dpd = 0 }]
deduction = { receipts_feature = "receipts", receipts_days = 10, receipts_share_ppm = 500_000, min_minor = 100 }
[[rule]]
kind = "arrears"
code = "arrears"
text = "late"
severity = "warning"
action = "deduct"
from_dpd = 1
"#;

/// What is ordered from `m1`: key, loan and sum.
type Ordered = Vec<(String, String, i64)>;

/// What is ordered on the night that sees the books on day `seen`, after nights that ordered nothing; the account took in 1,200 a day.
fn night(seen: i32, books: &Books) -> Ordered {
    night_after(seen, books, &[]).0
}

/// The same after nights that left orders under way, and what it leaves.
fn night_after(seen: i32, books: &Books, orders: &[OpenDeduction]) -> (Ordered, Vec<OpenDeduction>) {
    let monitor = Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), MONITOR)).unwrap();
    let ledger = repayment_tables(&shard(seen, books), &rules()).unwrap().unwrap().ledger;
    let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(12_000.0))]);
    let loans = Some(ledger.of("m1"));
    let case = MonitorCase {
        merchant_id: "m1",
        features: &features,
        loans,
        features_before: &features,
        pledges: None,
        outlook: None,
        standing: &[],
    };
    let officers = Officers::default();
    let context = WatchContext { monitor: &monitor, officers: &officers, as_of: &day(seen) };
    let alerts = watch(&context, &case).unwrap().alerts;
    let terms = monitor.deduction.as_ref().unwrap();
    let before = OrdersBefore { orders, tonight: day(seen).date() };
    let case = DeductionCase { loans: ledger.of("m1"), before, ..fixture::case(&features, &[], &alerts) };
    let found = deduct(terms, &case).unwrap();
    (found.deductions.into_iter().map(|d| (d.key, d.loan_id, d.amount_minor)).collect(), found.open)
}

/// Due on day 107, unpaid.
fn late(paid: &[PaidRow]) -> Books {
    books(&[LoanRow("l1", "m1", 100, 1_000, None)], &[DueRow("l1", 1, 107, 1_000)], paid)
}

#[test]
fn one_key_until_the_deduction_arrives_another_for_what_is_left() {
    assert_eq!(night(107, &late(&[])), [], "nothing is late yet");
    let first = night(108, &late(&[]));
    let [(key, loan, amount)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((loan.as_str(), *amount), ("l1", 600), "half of a day's receipts");
    assert_eq!(night(108, &late(&[])), first, "the same night again");
    assert_eq!(night(109, &late(&[])), first, "the next night, nothing has been posted: the service knows the key");

    let arrived = [PaidRow("l1", 109, 600, None)];
    let second = night(110, &late(&arrived));
    assert_eq!((second[0].2, second[0].0 == *key), (400, false), "what is left is another order");
    assert_eq!(night(111, &late(&arrived)), second);

    let bounced = [PaidRow("l1", 109, 600, Some(112))];
    let third = night(113, &late(&bounced));
    assert_eq!(third[0].2, 600);
    assert!(third[0].0 != *key && third[0].0 != second[0].0, "a deduction that bounced may be ordered again");
    let settled = [PaidRow("l1", 109, 600, None), PaidRow("l1", 111, 400, None)];
    assert_eq!(night(112, &late(&settled)), [], "nothing is owed any more");
}

#[test]
fn nothing_is_ordered_while_the_books_of_a_loan_do_not_agree() {
    let broken = |table: &str, loan: &str| BrokenRecord {
        table: table.into(),
        merchant_id: Some("m1".into()),
        loan_id: Some(loan.into()),
        rule: "null:amount_minor".into(),
        ..BrokenRecord::default()
    };
    // The payment that would have settled the loan is in quarantine: what is owed is not known.
    let mut unknown = late(&[]);
    unknown.broken = vec![broken("payments", "l1")];
    assert_eq!(night(110, &unknown), []);
    // So it is where another loan of the borrower is not known.
    let mut beside = late(&[]);
    beside.broken = vec![broken("loans", "l2")];
    assert_eq!(night(110, &beside), []);
    let mut twice = late(&[]);
    twice.due.push(DueRow("l1", 1, 107, 1_000));
    assert_eq!(night(110, &twice), [], "an instalment that is there twice is not owed twice");
    assert_eq!(night(110, &late(&[])).len(), 1);
}

/// Nights in a row, each after what the one before left.
struct InARow(Vec<OpenDeduction>);

impl InARow {
    /// What is ordered: key and sum.
    fn night(&mut self, seen: i32, paid: &[PaidRow]) -> Vec<(String, i64)> {
        self.night_over(seen, &late(paid))
    }

    fn night_over(&mut self, seen: i32, books: &Books) -> Vec<(String, i64)> {
        let (ordered, left) = night_after(seen, books, &self.0);
        assert_eq!(night_after(seen, books, &self.0).0, ordered, "the same night again");
        self.0 = left;
        ordered.into_iter().map(|(key, _, minor)| (key, minor)).collect()
    }
}

#[test]
fn an_order_under_way_keeps_its_key_when_an_older_deduction_bounces() {
    let mut nights = InARow(Vec::new());
    let old = |bounced| PaidRow("l1", 108, 600, bounced);
    let [(first, 400)] = &nights.night(109, &[old(None)])[..] else { panic!("400 is left") };
    // 1,000 is owed again, of which 400 is under way.
    assert_eq!(nights.night(110, &[old(Some(109))]), [(first.clone(), 400)]);
    // It has arrived: what is owed now is another order.
    let arrived = [old(Some(109)), PaidRow("l1", 110, 400, None)];
    let second = nights.night(111, &arrived);
    assert!(second[0].0 != *first && second[0].1 == 600, "{second:?}");
    assert_eq!(nights.night(112, &arrived), second, "under way");
}

#[test]
fn what_is_settled_in_parts_is_not_ordered_twice() {
    let mut nights = InARow(Vec::new());
    let first = nights.night(108, &[]);
    assert_eq!(first[0].1, 600);
    // 600 is owed, of which 200 is under way still.
    let part = PaidRow("l1", 108, 400, None);
    let second = nights.night(109, &[part]);
    assert!(second[0].0 != first[0].0 && second[0].1 == 400, "{second:?}");
    // The rest arrives, and the second order is under way.
    let rest = PaidRow("l1", 109, 200, None);
    assert_eq!(nights.night(110, &[part, rest]), second);
    // Of the second one only 150 ever comes: the rest is awaited for a week after the night that gave it last, and then ordered anew.
    let paid = [part, rest, PaidRow("l1", 110, 150, None)];
    assert_eq!(nights.night(111, &paid), [], "250 is owed, and 250 is under way");
    assert_eq!(nights.0[0].left_minor, 250);
    assert_eq!(nights.night(116, &paid), []);
    let third = nights.night(117, &paid);
    assert!(third[0].1 == 250 && third[0].0 != second[0].0);
}

#[test]
fn an_order_of_which_nothing_arrives_is_repeated_and_raised_only_after_a_week() {
    let mut nights = InARow(Vec::new());
    let due = [DueRow("l1", 1, 104, 150), DueRow("l1", 2, 107, 850)];
    let books = books(&[LoanRow("l1", "m1", 100, 1_000, None)], &due, &[]);
    let first = nights.night_over(105, &books);
    assert_eq!(first[0].1, 150);
    for seen in [108, 111] {
        assert_eq!(nights.night_over(seen, &books), first, "{seen}: it may have been executed over 150");
    }
    assert_eq!(nights.night_over(112, &books), [(first[0].0.clone(), 600)]);
    // A loan that is not known keeps its orders as they were.
    let mut unknown = books.clone();
    unknown.broken = vec![BrokenRecord {
        table: "payments".into(),
        merchant_id: Some("m1".into()),
        loan_id: Some("l1".into()),
        rule: "null:amount_minor".into(),
        ..BrokenRecord::default()
    }];
    assert_eq!(night_after(130, &unknown, &nights.0), (vec![], nights.0.clone()));
    assert_eq!(nights.night_over(150, &books), [(first[0].0.clone(), 600)], "without end");
}

#[test]
fn an_order_that_was_not_repeated_for_a_week_is_awaited_no_more() {
    let mut nights = InARow(Vec::new());
    // 150 is left after what an officer took by hand, which bounces.
    let hand = |bounced| [PaidRow("l1", 108, 850, bounced)];
    let first = nights.night(109, &hand(None));
    for seen in [110, 115] {
        assert_eq!(nights.night(seen, &hand(Some(109))), first, "{seen}");
    }
    // The order may have been executed, and what arrived taken for an older one's: another key for what is owed beside it.
    let second = nights.night(116, &hand(Some(109)));
    assert!(second[0].0 != first[0].0 && second[0].1 == 600, "{second:?}");
    assert_eq!(nights.0.iter().map(|order| order.left_minor).collect::<Vec<_>>(), [150, 600]);
    nights.night(122, &hand(Some(109)));
    assert_eq!(
        nights.0.iter().map(|order| order.left_minor).collect::<Vec<_>>(),
        [600],
        "a week after the first was given last"
    );
    // Repaid otherwise, nothing is asked for.
    let repaid = [hand(Some(109))[0], PaidRow("l1", 121, 2, None), PaidRow("l1", 121, 998, None)];
    assert_eq!(nights.night(123, &repaid), []);
}

#[test]
fn what_a_run_ordered_that_left_no_orders_is_under_way_while_its_key_is_the_loans() {
    let first = night(108, &late(&[]));
    let left = OpenDeduction {
        merchant_id: "m1".to_owned(),
        loan_id: "l1".to_owned(),
        key: first[0].0.clone(),
        ordered_minor: 300,
        left_minor: 300,
        ordered_on: day(108).date(),
        given_on: day(108).date(),
        deducted_minor: None,
    };
    let before = std::slice::from_ref(&left);
    assert_eq!(night_after(109, &late(&[]), before).0[0].2, 300, "not raised");
    let arrived = late(&[PaidRow("l1", 108, 300, None)]);
    let (ordered, left) = night_after(109, &arrived, before);
    assert_eq!((ordered[0].2, left.len()), (600, 1), "it has arrived");
}
