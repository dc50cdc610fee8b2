use jiff::civil::date;

use super::*;
use crate::monitor::portfolio::fixture::{closed, loan};
use crate::repayment::LoanHistory;

fn lent(id: &str, disbursed_on: Date, default_first_on: Option<Date>, outstanding_minor: i64) -> LoanStanding {
    let history = LoanHistory { disbursed_on: Some(disbursed_on), default_first_on, ..LoanHistory::default() };
    LoanStanding { history, ..loan("m", id, 0, outstanding_minor) }
}

fn points(loans: Vec<LoanStanding>, as_of: Date) -> Vec<(Option<i32>, i64, i64, i64)> {
    let ledger = LoanLedger { known: loans, unknown: Vec::new(), remarks: Vec::new() };
    let lines = Vintages::of(&ledger).unwrap().lines(as_of).unwrap();
    lines.into_iter().map(|l| (l.months_on_book, l.defaulted_loans, l.defaulted_minor, l.unpaid_minor)).collect()
}

#[test]
fn a_curve_counts_what_was_ever_in_default_up_to_the_age_that_all_have_reached() {
    let loans = vec![
        lent("1", date(2025, 1, 5), Some(date(2025, 4, 5)), 700),
        lent("2", date(2025, 1, 20), Some(date(2025, 3, 19)), 300),
        lent("3", date(2025, 1, 31), None, 0),
        // In default only after the curve's end: seen in the row of all so far.
        lent("4", date(2025, 1, 2), Some(date(2025, 5, 20)), 10),
    ];
    // The loan of 31 January is four months old on 31 May.
    assert_eq!(
        points(loans.clone(), date(2025, 5, 31)),
        [
            (None, 3, 3_000, 1_010),
            (Some(1), 0, 0, 0),
            (Some(2), 1, 1_000, 300),
            (Some(3), 1, 1_000, 300),
            (Some(4), 2, 2_000, 1_000),
        ],
        "on 5 April the first loan is exactly three months on the book: it is in default within the fourth"
    );
    assert_eq!(points(loans, date(2025, 5, 30)).len(), 4);
}

#[test]
fn months_end_with_the_month_where_the_day_is_missing() {
    assert_eq!(whole_months(date(2025, 1, 31), date(2025, 2, 28)), 1);
    assert_eq!(whole_months(date(2025, 1, 31), date(2025, 2, 27)), 0);
    assert_eq!(whole_months(date(2024, 11, 15), date(2025, 2, 14)), 2);
    assert_eq!(whole_months(date(2025, 3, 1), date(2025, 2, 1)), -1);
}

#[test]
fn vintages_of_shards_add_up() {
    let loans: Vec<LoanStanding> = (1_i8..=9)
        .map(|n| lent(&n.to_string(), date(2025, n % 3 + 1, n), (n % 2 == 0).then_some(date(2025, 6, n)), i64::from(n)))
        .chain([closed("m", "10"), LoanStanding { is_written_off: true, ..loan("m", "11", 90, 40) }])
        .collect();
    let of = |known: &[LoanStanding]| {
        Vintages::of(&LoanLedger { known: known.to_vec(), unknown: Vec::new(), remarks: Vec::new() }).unwrap()
    };
    let (a, b) = loans.split_at(5);
    let mut merged = of(b);
    merged.merge(&of(a)).unwrap();
    assert_eq!(merged, of(&loans));
    assert_eq!(merged.totals(), (11, 85));
}
