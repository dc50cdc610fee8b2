//! A sound book reconciles; every figure that is planted wrong is found.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::exposure::DebtState;
use crate::monitor::Monitor;
use crate::monitor::portfolio::fixture::{AS_OF, closed, loan, monitor, unknown};
use crate::monitor::portfolio::{BookBefore, BookRows, DefaultedGroups, PortfolioTables, RollMatrix};
use crate::repayment::{LoanLedger, LoanStanding};

const BEFORE: Date = jiff::civil::date(2025, 6, 30);

fn account(merchant_id: &str, owed_minor: Option<i64>) -> Statement {
    Statement {
        merchant_id: merchant_id.into(),
        debt: if owed_minor.is_some() { DebtState::Known } else { DebtState::Unknown },
        owed_minor,
        open_loan_ids: Vec::new(),
        closed_loan_ids: Vec::new(),
        offered_minor: 0,
        held_minor: 0,
        receivables_minor: None,
        pledged_orders: 0,
        group_allowance_minor: None,
        group_liability_minor: 0,
        owner_id: None,
        owner_shops: None,
        owner_committed_minor: None,
    }
}

fn ledger(owed: i64) -> LoanLedger {
    let written_off = LoanStanding { is_written_off: true, ..loan("b", "4", 200, 40) };
    LoanLedger {
        known: vec![
            loan("a", "1", 0, owed),
            loan("a", "2", 95, 300),
            loan("b", "3", 5, 200),
            written_off,
            closed("c", "5"),
        ],
        unknown: vec![unknown("d", "6", Some(1_000))],
        remarks: Vec::new(),
    }
}

fn accounts(owed: i64) -> Vec<Statement> {
    vec![account("a", Some(owed + 300)), account("b", Some(240)), account("c", Some(0)), account("d", None)]
}

fn context<'a>(
    monitor: &'a Monitor,
    groups: &'a DefaultedGroups,
    before: Option<&'a BookBefore>,
    as_of: Date,
) -> BookContext<'a> {
    BookContext { monitor, groups, before, horizon_days: 180, as_of }
}

/// A night's tables and its loan lines.
fn night(owed: i64, before: Option<&BookBefore>, as_of: Date) -> (PortfolioTables, BookRows) {
    let (monitor, groups) = (monitor(), DefaultedGroups::default());
    let context = context(&monitor, &groups, before, as_of);
    let ledger = ledger(owed);
    let totals = Portfolio::of(&ledger, &monitor.buckets, &monitor.classes, &groups).unwrap();
    let (book, rows) = Book::of(&ledger, &BTreeMap::new(), &context).unwrap();
    check_lines(&rows.lines, &totals, &accounts(owed)).unwrap();
    (book.tables(&context, Some(&totals), &[]).unwrap().unwrap(), rows)
}

fn as_before((tables, rows): (PortfolioTables, BookRows), as_of: Date) -> BookBefore {
    BookBefore::new(as_of, rows.lines, tables.portfolio, tables.provisions, tables.rolls, rows.forecasts)
}

#[test]
fn a_sound_book_reconciles_and_carries_its_history() {
    let first = night(500, None, BEFORE);
    assert!(first.0.rolls.is_empty());
    let before = as_before(first.clone(), BEFORE);
    let (second, _) = night(450, Some(&before), AS_OF);
    let nights: BTreeSet<Date> = second.portfolio.iter().map(|line| line.night_on).collect();
    assert_eq!(nights.into_iter().collect::<Vec<_>>(), [BEFORE, AS_OF]);
    assert_eq!(second.provisions.len(), 2 * first.0.provisions.len());
    let repaid = second.rolls.iter().find(|r| r.from_place == "current" && r.to_place == "paid-off").unwrap();
    assert_eq!((repaid.moved_minor, repaid.moved_share), (50, Some(0.1)));
}

#[test]
fn a_night_without_a_loan_book_knows_nothing_of_what_was_there() {
    let (monitor, groups) = (monitor(), DefaultedGroups::default());
    let before = as_before(night(500, None, BEFORE), BEFORE);
    let context = context(&monitor, &groups, Some(&before), AS_OF);
    let (book, rows) = Book::without_ledger(&context).unwrap();
    let tables = book.tables(&context, None, &[]).unwrap().unwrap();
    assert_eq!(rows.lines.len(), 5);
    assert!(rows.lines.iter().all(|line| line.is_unknown() && line.outstanding_minor.is_none()));
    let tonight: Vec<_> = tables.rolls.iter().filter(|r| r.to_on == AS_OF).collect();
    assert!(tonight.iter().all(|r| r.to_place == "unknown" && r.moved_share == Some(1.0)), "{tonight:?}");
    let after = as_before((tables, rows), AS_OF);
    let (third, _) = night(450, Some(&after), jiff::civil::date(2025, 7, 2));
    assert!(third.rolls.iter().any(|r| r.from_place == "unknown" && r.to_place == "current"));
}

#[test]
fn loans_of_merchants_who_vanished_are_not_sent() {
    let (monitor, groups) = (monitor(), DefaultedGroups::default());
    let before = as_before(night(500, None, BEFORE), BEFORE);
    let context = context(&monitor, &groups, Some(&before), AS_OF);
    let part = LoanLedger {
        known: vec![loan("a", "1", 0, 500), loan("a", "2", 95, 300)],
        unknown: Vec::new(),
        remarks: Vec::new(),
    };
    let totals = Portfolio::of(&part, &monitor.buckets, &monitor.classes, &groups).unwrap();
    let (mut book, rows) = Book::of(&part, &BTreeMap::new(), &context).unwrap();
    check_lines(&rows.lines, &totals, &[account("a", Some(800))]).unwrap();
    book.add_unseen(Some(&before), &BTreeSet::from(["b", "d"])).unwrap();
    let tables = book.tables(&context, Some(&totals), &[]).unwrap().unwrap();
    let lost: i64 = tables.rolls.iter().filter(|r| r.to_place == "not-sent").map(|r| r.moved_minor).sum();
    assert_eq!(lost, 200 + 40 + 1_000);
}

/// Each of these is a figure of another way of adding up that went wrong.
#[test]
fn every_difference_stops_the_night() {
    let (monitor, groups) = (monitor(), DefaultedGroups::default());
    let before = as_before(night(500, None, BEFORE), BEFORE);
    let context = context(&monitor, &groups, Some(&before), AS_OF);
    let ledger = ledger(500);
    let sound = Portfolio::of(&ledger, &monitor.buckets, &monitor.classes, &groups).unwrap();
    let found = |totals: &Portfolio,
                 accounts: &[Statement],
                 months: &[(Date, Date, RollMatrix)],
                 context: &BookContext<'_>| {
        let (book, rows) = Book::of(&ledger, &BTreeMap::new(), context).unwrap();
        let of_shard = check_lines(&rows.lines, totals, accounts).err();
        of_shard.or_else(|| book.tables(context, Some(totals), months).unwrap().err()).map(|difference| difference.what)
    };
    assert_eq!(found(&sound, &accounts(500), &[], &context), None);

    let wrong = |change: &dyn Fn(&mut Portfolio)| {
        let mut totals = sound.clone();
        change(&mut totals);
        found(&totals, &accounts(500), &[], &context).unwrap()
    };
    assert_eq!(wrong(&|t| t.open.loans += 1), "open loans");
    assert_eq!(wrong(&|t| t.open.outstanding_minor += 1), "principal of open loans");
    assert_eq!(wrong(&|t| t.arrears_minor -= 1), "arrears");
    assert_eq!(wrong(&|t| t.written_off.outstanding_minor += 1), "principal written off");
    assert_eq!(wrong(&|t| t.unknown.loans += 1), "unknown loans");
    assert_eq!(wrong(&|t| t.by_bucket.get_mut("1-30").unwrap().outstanding_minor += 1), "principal in bucket 1-30");
    assert_eq!(
        wrong(&|t| t.by_class.values_mut().next().unwrap().outstanding_minor += 1),
        "principal in class substandard"
    );
    assert_eq!(wrong(&|t| t.non_performing.outstanding_minor -= 1), "principal that does not perform");
    assert_eq!(wrong(&|t| t.known_loans += 1), "loans of all vintages");

    let mut owes_more = accounts(500);
    owes_more[1].owed_minor = Some(241);
    assert_eq!(found(&sound, &owes_more, &[], &context).unwrap(), "debt of merchant b");

    // The table of the night before and its loans do not agree.
    let (mut tables, lines) = night(500, None, BEFORE);
    tables
        .portfolio
        .iter_mut()
        .filter(|line| line.is_of_place("current"))
        .for_each(|line| line.outstanding_minor = Some(1));
    let torn = as_before((tables, lines), BEFORE);
    let torn_context = BookContext { before: Some(&torn), ..context };
    assert_eq!(found(&sound, &accounts(500), &[], &torn_context).unwrap(), "money in current the night before");

    // A month that does not end where the next begins, and one that does not end at tonight's book.
    let now = super::super::Positions::of(&ledger, &monitor.buckets);
    let matrix = RollMatrix::between(&now, BEFORE, &now).unwrap();
    let empty = RollMatrix::default();
    let months = [(BEFORE, BEFORE, empty.clone()), (BEFORE, AS_OF, matrix.clone())];
    assert!(found(&sound, &accounts(500), &months, &context).unwrap().contains("after the month"));
    assert!(found(&sound, &accounts(500), &[(BEFORE, AS_OF, empty)], &context).unwrap().contains("since 2025-06-30"));
    assert_eq!(found(&sound, &accounts(500), &[(BEFORE, AS_OF, matrix)], &context), None);
}
