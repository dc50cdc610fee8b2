//! Planted differences, each found and no other, and a naive twin: two lists of cells held side by side.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::Digest;
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, UnknownCause, UnknownLoan};

const NUMBERS: [CoreField; 4] =
    [CoreField::Outstanding, CoreField::Interest, CoreField::Arrears, CoreField::DaysPastDue];

fn loan(number: usize, dpd: i64) -> LoanStanding {
    let arrears_minor = 300 * dpd.min(1);
    LoanStanding {
        loan_id: format!("l{number:03}"),
        merchant_id: format!("m{}", number / 3),
        outstanding_minor: 1_000 + i64::try_from(number).unwrap(),
        arrears_minor,
        interest_arrears_minor: arrears_minor / 3,
        ..overdue_loan("order-loan", dpd)
    }
}

fn closed(number: usize) -> LoanStanding {
    LoanStanding { is_closed: true, outstanding_minor: 0, arrears_minor: 0, ..loan(number, 0) }
}

fn unknown(number: usize) -> UnknownLoan {
    UnknownLoan {
        merchant_id: "mu".to_owned(),
        loan_id: Some(format!("l{number:03}")),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::from_iter([UnknownCause { code: "no-schedule".into(), detail: "there is none".to_owned() }]),
    }
}

/// What a faithful core system would say of a loan.
fn line_of(row: usize, loan: &LoanStanding) -> CoreLine {
    let status = match loan {
        loan if loan.is_closed => CoreStatus::Closed,
        loan if loan.is_written_off => CoreStatus::WrittenOff,
        _ => CoreStatus::Open,
    };
    CoreLine {
        row: i64::try_from(row).unwrap(),
        loan_id: Some(loan.loan_id.clone()),
        merchant_id: Some(loan.merchant_id.clone()),
        status: Some(status),
        numbers: BTreeMap::from([
            (CoreField::Outstanding, Cell::Number(loan.outstanding_minor)),
            (CoreField::Interest, Cell::Number(loan.interest_arrears_minor)),
            (CoreField::Arrears, Cell::Number(loan.arrears_minor)),
            (CoreField::DaysPastDue, Cell::Number(loan.dpd)),
        ]),
    }
}

fn export(lines: Vec<CoreLine>) -> Export {
    Export { lines, skipped: 0, fields: CoreField::ALL.to_vec(), sha256: Digest::of(b"") }
}

fn books() -> (LoanLedger, Export) {
    let known: Vec<LoanStanding> = (0..6).map(|n| loan(n, i64::try_from(n).unwrap() * 3)).collect();
    let lines = known.iter().enumerate().map(|(at, loan)| line_of(at + 1, loan)).collect();
    (LoanLedger { known, unknown: Vec::new(), remarks: Vec::new() }, export(lines))
}

fn kinds(found: &Comparison) -> Vec<(&str, DifferenceKind)> {
    found.differences.iter().map(|d| (d.loan_id.as_deref().unwrap_or(""), d.what)).collect()
}

#[test]
fn equal_books_have_no_difference() {
    let (ledger, export) = books();
    let found = compare(&ledger, &export, &CoreTerms::default());
    assert!(found.agrees());
    assert_eq!(found.differences, []);
    assert_eq!(found.loans, LoanCounts { ours: 6, theirs: 6, compared: 6, equal: 6, ..LoanCounts::default() });
    assert_eq!(found.totals[&CoreField::Arrears], AmountTotals { ours: 1_500, theirs: 1_500, ..Default::default() });
}

#[test]
fn each_planted_difference_is_found_and_no_other() {
    type Plant = fn(&mut LoanLedger, &mut Export);
    let plants: [(Plant, DifferenceKind); 12] = [
        (|_, export| drop(export.lines.remove(2)), DifferenceKind::MissingInExport),
        (|ledger, _| drop(ledger.known.remove(2)), DifferenceKind::MissingHere),
        (
            |ledger, _| {
                ledger.known.remove(2);
                ledger.unknown.push(unknown(2));
            },
            DifferenceKind::UnknownHere,
        ),
        (
            |_, export| {
                let again = CoreLine { row: 7, ..export.lines[2].clone() };
                export.lines.push(again);
            },
            DifferenceKind::RepeatedInExport,
        ),
        (
            |_, export| set(export, CoreField::Outstanding, Cell::Unreadable("n.v.".to_owned())),
            DifferenceKind::Unreadable,
        ),
        (|_, export| set(export, CoreField::DaysPastDue, Cell::Blank), DifferenceKind::NotGiven),
        (|_, export| export.lines[2].merchant_id = Some("m9".to_owned()), DifferenceKind::Merchant),
        (|_, export| export.lines[2].status = Some(CoreStatus::WrittenOff), DifferenceKind::Status),
        (|_, export| set(export, CoreField::Outstanding, Cell::Number(1)), DifferenceKind::Outstanding),
        (|_, export| set(export, CoreField::Interest, Cell::Number(99)), DifferenceKind::Interest),
        (|_, export| set(export, CoreField::Arrears, Cell::Number(-1)), DifferenceKind::Arrears),
        (|_, export| set(export, CoreField::DaysPastDue, Cell::Number(5)), DifferenceKind::DaysPastDue),
    ];
    for (plant, what) in plants {
        let (mut ledger, mut export) = books();
        plant(&mut ledger, &mut export);
        let found = compare(&ledger, &export, &CoreTerms::default());
        assert_eq!(kinds(&found), [("l002", what)]);
        assert!(!found.agrees());
    }
    let (ledger, mut export) = books();
    export.lines.push(CoreLine { row: 7, loan_id: None, ..export.lines[0].clone() });
    assert_eq!(kinds(&compare(&ledger, &export, &CoreTerms::default())), [("", DifferenceKind::NoLoanId)]);
}

fn set(export: &mut Export, field: CoreField, cell: Cell) {
    export.lines[2].numbers.insert(field, cell);
}

#[test]
fn a_difference_within_the_tolerance_is_listed_and_does_not_count() {
    let terms = CoreTerms { tolerance_minor: 2, tolerance_days: 1, ..CoreTerms::default() };
    for (field, value, is_tolerated) in [
        (CoreField::Outstanding, 1_004, true),
        (CoreField::Outstanding, 1_000, true),
        (CoreField::Outstanding, 999, false),
        (CoreField::DaysPastDue, 7, true),
        (CoreField::DaysPastDue, 4, false),
    ] {
        let (ledger, mut export) = books();
        set(&mut export, field, Cell::Number(value));
        let found = compare(&ledger, &export, &terms);
        assert_eq!(found.differences.len(), 1);
        assert_eq!((found.agrees(), found.differences[0].is_tolerated), (is_tolerated, is_tolerated), "{field:?}");
        assert_eq!(found.loans.within_tolerance, u64::from(is_tolerated));
    }
}

#[test]
fn closed_loans_may_be_missing_on_either_side_unless_the_job_says_otherwise() {
    let (mut ledger, mut export) = books();
    ledger.known.push(closed(50));
    export.lines.push(line_of(7, &closed(60)));
    let found = compare(&ledger, &export, &CoreTerms::default());
    assert!(found.agrees());
    assert_eq!(found.loans.closed_on_one_side, 2);
    let strict = CoreTerms { closed_loans: ClosedLoans::MustBeThere, ..CoreTerms::default() };
    let found = compare(&ledger, &export, &strict);
    assert_eq!(kinds(&found), [("l050", DifferenceKind::MissingInExport), ("l060", DifferenceKind::MissingHere)]);
}

#[test]
fn what_the_export_has_no_column_for_is_not_compared() {
    let (mut ledger, mut export) = books();
    export.fields = vec![CoreField::LoanId, CoreField::Outstanding];
    for line in &mut export.lines {
        (line.merchant_id, line.status) = (None, None);
        line.numbers.retain(|field, _| *field == CoreField::Outstanding);
    }
    ledger.known[1].dpd = 77;
    let found = compare(&ledger, &export, &CoreTerms::default());
    assert!(found.agrees());
    assert_eq!(found.totals.keys().collect::<Vec<_>>(), [&CoreField::Outstanding]);
    // But where it has the column, a blank cell is no agreement.
    export.fields.push(CoreField::Status);
    assert_eq!(compare(&ledger, &export, &CoreTerms::default()).counts()[&DifferenceKind::NotGiven], [6, 0]);
}

/// A cell of the export as the generator draws it.
fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        8 => (0_i64..4).prop_map(Cell::Number),
        1 => Just(Cell::Blank),
        1 => Just(Cell::Unreadable("x".to_owned())),
    ]
}

fn status() -> impl Strategy<Value = CoreStatus> {
    prop_oneof![Just(CoreStatus::Open), Just(CoreStatus::Closed), Just(CoreStatus::WrittenOff)]
}

prop_compose! {
    fn random_line()(
        id in prop::option::weighted(0.95, 0_usize..12), merchant in 0_usize..2, status in prop::option::weighted(0.9, status()),
        numbers in prop::collection::vec(cell(), 4),
    ) -> CoreLine {
        CoreLine {
            row: 0, loan_id: id.map(|n| format!("l{n:03}")), merchant_id: Some(format!("m{merchant}")), status,
            numbers: NUMBERS.into_iter().zip(numbers).collect(),
        }
    }
}

prop_compose! {
    fn random_loan()(id in 0_usize..12, merchant in 0_usize..2, status in status(), numbers in prop::collection::vec(0_i64..4, 4), is_known in prop::bool::weighted(0.9))
        -> (usize, Result<LoanStanding, UnknownLoan>)
    {
        let known = LoanStanding {
            loan_id: format!("l{id:03}"), merchant_id: format!("m{merchant}"),
            is_closed: status == CoreStatus::Closed, is_written_off: status == CoreStatus::WrittenOff,
            outstanding_minor: numbers[0], interest_arrears_minor: numbers[1], arrears_minor: numbers[2], dpd: numbers[3],
            ..overdue_loan("order-loan", 0)
        };
        (id, if is_known { Ok(known) } else { Err(unknown(id)) })
    }
}

/// The twin: for every loan id that anybody names, the cells of both sides next to each other.
fn twin(
    ledger: &LoanLedger,
    lines: &[CoreLine],
    strict: bool,
    tolerance: i64,
) -> BTreeSet<(String, DifferenceKind, bool)> {
    let mut said = BTreeSet::new();
    for number in 0..12 {
        let id = format!("l{number:03}");
        let known = ledger.known.iter().find(|l| l.loan_id == id);
        let is_unknown = ledger.unknown.iter().any(|l| l.loan_id.as_deref() == Some(&id));
        let rows: Vec<&CoreLine> = lines.iter().filter(|l| l.loan_id.as_deref() == Some(&id)).collect();
        let mut say = |what, is_tolerated| {
            said.insert((id.clone(), what, is_tolerated));
        };
        if rows.len() > 1 {
            say(DifferenceKind::RepeatedInExport, false);
        } else if rows.is_empty() && is_unknown {
            say(DifferenceKind::MissingInExport, false);
        } else if rows.is_empty() {
            if known.is_some_and(|l| strict || !l.is_closed) {
                say(DifferenceKind::MissingInExport, false);
            }
        } else if is_unknown {
            say(DifferenceKind::UnknownHere, false);
        } else if let Some(loan) = known {
            let theirs = rows[0];
            if theirs.merchant_id.as_ref() != Some(&loan.merchant_id) {
                say(DifferenceKind::Merchant, false);
            }
            let ours = if loan.is_closed {
                CoreStatus::Closed
            } else if loan.is_written_off {
                CoreStatus::WrittenOff
            } else {
                CoreStatus::Open
            };
            match theirs.status {
                None => say(DifferenceKind::NotGiven, false),
                Some(status) if status != ours => say(DifferenceKind::Status, false),
                Some(_) => {}
            }
            for (field, what, ours) in [
                (CoreField::Outstanding, DifferenceKind::Outstanding, loan.outstanding_minor),
                (CoreField::Interest, DifferenceKind::Interest, loan.interest_arrears_minor),
                (CoreField::Arrears, DifferenceKind::Arrears, loan.arrears_minor),
                (CoreField::DaysPastDue, DifferenceKind::DaysPastDue, loan.dpd),
            ] {
                match &theirs.numbers[&field] {
                    Cell::Number(n) if *n == ours => {}
                    Cell::Number(n) => say(what, *n - ours <= tolerance && ours - *n <= tolerance),
                    Cell::Blank => say(DifferenceKind::NotGiven, false),
                    Cell::Unreadable(_) => say(DifferenceKind::Unreadable, false),
                }
            }
        } else if strict || rows[0].status != Some(CoreStatus::Closed) {
            say(DifferenceKind::MissingHere, false);
        }
    }
    if lines.iter().any(|l| l.loan_id.is_none()) {
        said.insert((String::new(), DifferenceKind::NoLoanId, false));
    }
    said
}

proptest! {
    #[test]
    fn the_twin_finds_the_same(
        loans in prop::collection::vec(random_loan(), 0..14), mut lines in prop::collection::vec(random_line(), 0..14),
        strict in any::<bool>(), tolerance in 0_i64..3,
    ) {
        let loans: BTreeMap<usize, Result<LoanStanding, UnknownLoan>> = loans.into_iter().collect();
        for (line, row) in lines.iter_mut().zip(1..) {
            line.row = row;
        }
        let mut ledger = LoanLedger::default();
        for loan in loans.into_values() {
            match loan {
                Ok(loan) => ledger.known.push(loan),
                Err(loan) => ledger.unknown.push(loan),
            }
        }
        let closed_loans = if strict { ClosedLoans::MustBeThere } else { ClosedLoans::MayBeMissing };
        let terms = CoreTerms { closed_loans, tolerance_minor: tolerance, tolerance_days: tolerance, ..CoreTerms::default() };
        let found = compare(&ledger, &export(lines.clone()), &terms);
        let said: BTreeSet<(String, DifferenceKind, bool)> =
            found.differences.iter().map(|d| (d.loan_id.clone().unwrap_or_default(), d.what, d.is_tolerated)).collect();
        prop_assert_eq!(said, twin(&ledger, &lines, strict, tolerance));
        prop_assert!(found.differences.iter().map(|d| d.number).eq(1..=i64::try_from(found.differences.len()).unwrap()));

        // Every loan and every cell is in the totals, once.
        for (field, totals) in &found.totals {
            let ours: i64 = ledger.known.iter().map(|l| super::ours_of(l, *field)).sum();
            let theirs: i64 = lines.iter().map(|l| if let Cell::Number(n) = l.numbers[field] { n } else { 0 }).sum();
            prop_assert_eq!((totals.ours + totals.only_ours, totals.theirs + totals.only_theirs), (ours, theirs));
            let differences: i64 = found.differences.iter().filter(|d| d.what.word() == field.name()).filter_map(|d| d.difference).sum();
            prop_assert_eq!((totals.difference, totals.theirs - totals.ours), (differences, differences));
        }
        let loans = found.loans;
        prop_assert_eq!(loans.compared, loans.equal + loans.within_tolerance + loans.different);

        // The order of rows changes nothing but their numbers.
        lines.reverse();
        let again = compare(&ledger, &export(lines), &terms);
        prop_assert_eq!(again.counts(), found.counts());
    }
}
