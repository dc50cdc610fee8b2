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

/// What is ordered from `m1` on the night that sees the books on day `seen`; the account took in 1,200 a day.
fn night(seen: i32, books: &Books) -> Vec<(String, String, i64)> {
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
    let ordered = deduct(terms, "m1", &features, ledger.of("m1"), &alerts, Some(0)).unwrap().deductions;
    ordered.into_iter().map(|d| (d.key, d.loan_id, d.amount_minor)).collect()
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
