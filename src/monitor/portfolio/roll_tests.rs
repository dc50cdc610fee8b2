use proptest::prelude::*;

use super::*;
use crate::monitor::portfolio::fixture::{AS_OF, closed, loan, monitor, unknown};
use crate::repayment::{LoanHistory, LoanStanding, UnknownLoan};

const FROM: Date = jiff::civil::date(2025, 6, 1);

fn positions(known: Vec<LoanStanding>, unknown: Vec<UnknownLoan>) -> Positions {
    Positions::of(&LoanLedger { known, unknown, remarks: Vec::new() }, &monitor().buckets)
}

fn cells(before: &Positions, now: &Positions) -> Vec<(String, String, i64, i64, i64)> {
    let matrix = RollMatrix::between(before, FROM, now).unwrap();
    let rates = matrix.rates(RollBasis::Month, FROM, AS_OF);
    rates.into_iter().map(|r| (r.from_place, r.to_place, r.loans, r.moved_minor, r.increased_minor)).collect()
}

fn cell(from: &str, to: &str, loans: i64, moved: i64, increased: i64) -> (String, String, i64, i64, i64) {
    (from.into(), to.into(), loans, moved, increased)
}

#[test]
fn what_a_loan_repaid_is_paid_off_and_the_rest_is_where_it_stands() {
    let before = positions(vec![loan("a", "1", 0, 800), loan("a", "2", 5, 300), loan("b", "3", 40, 500)], vec![]);
    let now = positions(vec![closed("a", "1"), loan("a", "2", 35, 200), loan("b", "3", 70, 500)], vec![]);
    assert_eq!(
        cells(&before, &now),
        [
            cell("1-30", "over-30", 1, 200, 0),
            cell("1-30", "paid-off", 0, 100, 0),
            cell("current", "paid-off", 1, 800, 0),
            cell("over-30", "over-30", 1, 500, 0),
        ]
    );
}

#[test]
fn written_off_unknown_vanished_and_new_loans_have_places_of_their_own() {
    let written_off = LoanStanding { is_written_off: true, ..loan("a", "1", 100, 900) };
    let drawn = LoanStanding {
        history: LoanHistory { disbursed_on: Some(FROM), ..LoanHistory::default() },
        ..loan("c", "5", 0, 600)
    };
    let late = loan("c", "6", 0, 700);
    let before = positions(
        vec![
            loan("a", "1", 90, 950),
            loan("b", "2", 0, 400),
            loan("b", "3", 0, 50),
            closed("d", "7"),
            loan("e", "9", 0, 10),
        ],
        vec![unknown("b", "4", Some(1_000))],
    );
    let bounced = loan("d", "7", 3, 80);
    let now = positions(
        vec![written_off, drawn, late, bounced, loan("b", "4", 0, 1_000), loan("e", "9", 0, 25)],
        vec![unknown("b", "2", None)],
    );
    assert_eq!(
        cells(&before, &now),
        [
            cell("current", "current", 1, 10, 15),
            cell("current", "not-sent", 1, 50, 0),
            cell("current", "unknown", 1, 400, 0),
            cell("new", "1-30", 1, 0, 80),
            cell("new", "current", 2, 600, 700),
            cell("new", "paid-off", 0, 400, 0),
            cell("over-30", "paid-off", 0, 50, 0),
            cell("over-30", "written-off", 1, 900, 0),
            cell("unknown", "current", 1, 1_000, 0),
        ]
    );
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Absent,
    Open { dpd: i64, owed: i64 },
    Closed,
    WrittenOff { owed: i64 },
    Unknown,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Absent),
        (0_i64..100, 0_i64..1_000).prop_map(|(dpd, owed)| Fate::Open { dpd, owed }),
        Just(Fate::Closed),
        (0_i64..1_000).prop_map(|owed| Fate::WrittenOff { owed }),
        Just(Fate::Unknown),
    ]
}

fn book(fates: &[Fate]) -> Positions {
    let (mut known, mut lost) = (Vec::new(), Vec::new());
    for (number, fate) in fates.iter().enumerate() {
        let id = number.to_string();
        match *fate {
            Fate::Absent => {}
            Fate::Open { dpd, owed } => known.push(loan("m", &id, dpd, owed)),
            Fate::Closed => known.push(closed("m", &id)),
            Fate::WrittenOff { owed } => known.push(LoanStanding { is_written_off: true, ..loan("m", &id, 90, owed) }),
            Fate::Unknown => lost.push(unknown("m", &id, Some(1_000))),
        }
    }
    positions(known, lost)
}

/// Money in a place, counted loan by loan.
fn counted(fates: &[Fate], place: &str) -> i128 {
    let of = |fate: &Fate| match *fate {
        Fate::Open { dpd: 0, owed } if place == "current" => owed,
        Fate::Open { dpd: 1..=30, owed } if place == "1-30" => owed,
        Fate::Open { dpd: 31.., owed } if place == "over-30" => owed,
        Fate::WrittenOff { owed } if place == "written-off" => owed,
        Fate::Unknown if place == "unknown" => 1_000,
        _ => 0,
    };
    fates.iter().map(|fate| i128::from(of(fate))).sum()
}

proptest! {
    /// Whatever becomes of loans, rows add up to what stood there and columns to what stands there, and shares to one.
    #[test]
    fn rows_and_columns_are_the_books(fates in prop::collection::vec((fate(), fate()), 0..30)) {
        let (then, now): (Vec<Fate>, Vec<Fate>) = fates.into_iter().unzip();
        let matrix = RollMatrix::between(&book(&then), FROM, &book(&now)).unwrap();
        for place in ["current", "1-30", "over-30", "written-off", "unknown"] {
            prop_assert_eq!(matrix.opening_minor(place), counted(&then, place), "row {}", place);
            if place != "unknown" {
                prop_assert_eq!(matrix.closing_minor(place), counted(&now, place), "column {}", place);
            }
        }
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        for rate in matrix.rates(RollBasis::Night, FROM, AS_OF) {
            prop_assert!(rate.moved_minor >= 0 && rate.increased_minor >= 0);
            if let Some(share) = rate.moved_share {
                *shares.entry(rate.from_place).or_default() += share;
            }
        }
        for (from, share) in shares {
            prop_assert!((share - 1.0).abs() < 1e-9, "{} adds up to {}", from, share);
        }
    }

    #[test]
    fn shards_add_up_to_the_whole(fates in prop::collection::vec((fate(), fate()), 0..30), at in 0_usize..30) {
        let (then, now): (Vec<Fate>, Vec<Fate>) = fates.into_iter().unzip();
        let whole = RollMatrix::between(&book(&then), FROM, &book(&now)).unwrap();
        let hide = |fates: &[Fate], first: bool| -> Vec<Fate> {
            fates.iter().enumerate().map(|(n, f)| if (n < at) == first { *f } else { Fate::Absent }).collect()
        };
        let mut merged = RollMatrix::default();
        for first in [false, true] {
            let part = RollMatrix::between(&book(&hide(&then, first)), FROM, &book(&hide(&now, first))).unwrap();
            merged.merge(&part).unwrap();
        }
        prop_assert_eq!(merged, whole);
    }
}
