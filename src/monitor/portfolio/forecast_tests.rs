use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use proptest::prelude::*;

use super::super::contagion::DefaultedGroups;
use super::super::fixture::{AS_OF, closed, loan, monitor};
use super::super::{Book, BookBefore, BookRows};
use super::*;
use crate::monitor::Monitor;
use crate::repayment::LoanLedger;

const HORIZON: u16 = 30;

fn day(number: i64) -> Date {
    AS_OF.saturating_add(number.days())
}

fn borrowers(pd_prob: Option<f64>) -> BTreeMap<String, BookMerchant> {
    let of = BookMerchant { band: Some("B".to_owned()), pd_prob, ..BookMerchant::default() };
    ["a", "b", "c"].into_iter().map(|id| (id.to_owned(), of.clone())).collect()
}

/// A night: its rows, and its sums as published.
fn night(
    loans: &[LoanStanding],
    before: Option<&BookBefore>,
    on: Date,
    pd: Option<f64>,
) -> (BookRows, Vec<ForecastLine>) {
    let (monitor, groups): (Monitor, _) = (monitor(), DefaultedGroups::default());
    let context = BookContext { monitor: &monitor, groups: &groups, before, horizon_days: HORIZON, as_of: on };
    let ledger = LoanLedger { known: loans.to_vec(), unknown: Vec::new(), remarks: Vec::new() };
    let (book, rows) = Book::of(&ledger, &borrowers(pd), &context).unwrap();
    let tables = book.tables(&context, None, &[]).unwrap().unwrap();
    (rows, tables.forecast_outcomes)
}

fn after(rows: &BookRows, on: Date) -> BookBefore {
    BookBefore::new(on, rows.lines.clone(), Vec::new(), Vec::new(), Vec::new(), rows.forecasts.clone())
}

fn defaulted(loan: LoanStanding, on: Date) -> LoanStanding {
    let mut loan = LoanStanding { is_in_default: true, ..loan };
    loan.history.default_first_on = Some(on);
    loan
}

fn all(lines: &[ForecastLine], standing: Standing) -> Option<&ForecastLine> {
    lines.iter().find(|line| line.by == ForecastBy::All && line.standing == standing)
}

#[test]
fn a_forecast_is_made_once_and_judged_when_its_horizon_is_over() {
    let three = [loan("a", "1", 0, 1_000), loan("b", "2", 0, 400), loan("c", "3", 0, 600)];
    let (first, lines) = night(&three, None, day(0), Some(0.1));
    assert_eq!(first.forecasts.len(), 3);
    assert_eq!(first.forecasts[0].expected_loss_minor, Some(50), "1,000 at 0.1 and half of it lost");
    let running = all(&lines, Standing::Estimated).unwrap();
    assert_eq!((running.loans, running.exposure_minor, running.expected_loss_minor), (3, 2_000, 100));
    assert_eq!(
        (running.defaults, running.lost_minor, running.default_share, running.is_as_expected),
        (None, None, None, None)
    );
    assert_eq!(all(&lines, Standing::Realised), None);

    // A month later, on the last day of the horizon: nothing is said yet. A worse score tonight changes no forecast.
    let later = [defaulted(loan("a", "1", 95, 700), day(20)), loan("b", "2", 0, 100), closed("c", "3")];
    let (second, lines) = night(&later, Some(&after(&first, day(0))), day(30), Some(0.9));
    assert_eq!(second.forecasts, first.forecasts);
    assert_eq!(all(&lines, Standing::Realised), None);

    let (third, lines) = night(&later, Some(&after(&second, day(30))), day(31), Some(0.9));
    let outcomes: Vec<_> = third.forecasts.iter().map(|f| (f.loan_id.as_str(), f.outcome, f.lost_minor)).collect();
    let kept = ForecastOutcome::NoDefault;
    assert_eq!(outcomes, [("1", ForecastOutcome::Default, Some(700)), ("2", kept, Some(0)), ("3", kept, Some(0))]);
    let done = all(&lines, Standing::Realised).unwrap();
    assert_eq!((done.loans, done.defaults, done.expected_loss_minor, done.lost_minor), (3, Some(1), 100, Some(700)));
    assert!(done.default_share_low.unwrap() < 0.1 && done.default_share_high.unwrap() > 0.9, "{done:?}");
    assert_eq!(done.is_as_expected, Some(true), "three loans prove nothing");

    // What is recovered later, or lost later, changes no outcome.
    let recovered = [closed("a", "1"), defaulted(loan("b", "2", 95, 100), day(40)), closed("c", "3")];
    let (fourth, _) = night(&recovered, Some(&after(&third, day(31))), day(60), Some(0.9));
    assert_eq!(fourth.forecasts, third.forecasts);
}

#[test]
fn what_defaults_after_the_horizon_or_before_the_forecast_is_none_of_its() {
    let (first, _) = night(&[loan("a", "1", 0, 1_000)], None, day(0), Some(0.1));
    let late = [defaulted(loan("a", "1", 95, 900), day(31))];
    let (second, _) = night(&late, Some(&after(&first, day(0))), day(40), Some(0.1));
    assert_eq!(second.forecasts[0].outcome, ForecastOutcome::NoDefault);
    for bad in [
        vec![defaulted(loan("a", "1", 95, 900), day(-1))],
        vec![defaulted(loan("a", "0", 95, 9), day(-1)), loan("a", "1", 0, 5)],
    ] {
        assert_eq!(
            night(&bad, None, day(0), Some(0.1)).0.forecasts,
            [],
            "the borrower is in default: nothing is foreseen"
        );
    }
    assert_eq!(night(&[closed("a", "1")], None, day(0), Some(0.1)).0.forecasts, []);
}

#[test]
fn a_loan_that_is_not_known_keeps_its_forecast_open() {
    let (first, _) = night(&[loan("a", "1", 0, 1_000), loan("b", "2", 0, 5)], None, day(0), Some(0.1));
    let before = after(&first, day(0));
    let (second, lines) = night(&[loan("b", "2", 0, 5)], Some(&before), day(45), Some(0.1));
    let open: Vec<_> = second.forecasts.iter().map(|f| (f.loan_id.as_str(), f.outcome)).collect();
    assert_eq!(open, [("2", ForecastOutcome::NoDefault), ("1", ForecastOutcome::Open)]);
    assert_eq!(all(&lines, Standing::Estimated).unwrap().loans, 1, "not counted as repaid");

    // The borrower is not sent at all, or there is no loan book.
    let mut book = Book::default();
    assert_eq!(book.add_unseen(Some(&before), &BTreeSet::from(["a"])).unwrap(), first.forecasts[..1]);
    let (monitor, groups): (Monitor, _) = (monitor(), DefaultedGroups::default());
    let context = BookContext {
        monitor: &monitor,
        groups: &groups,
        before: Some(&before),
        horizon_days: HORIZON,
        as_of: day(45),
    };
    assert_eq!(Book::without_ledger(&context).unwrap().1.forecasts, first.forecasts);
    assert!(before.merchants().any(|merchant| merchant == "a"));
}

#[test]
fn a_loan_without_a_score_is_counted_apart() {
    let (rows, lines) = night(&[loan("a", "1", 0, 1_000)], None, day(0), None);
    assert_eq!(rows.forecasts[0].expected_loss_minor, None);
    let line = all(&lines, Standing::Estimated).unwrap();
    assert_eq!(
        (line.loans, line.loans_without_prob, line.exposure_minor, line.expected_default_share),
        (0, 1, 0, None)
    );
}

proptest! {
    /// Every loan of a night stands once under each dimension, however the shards are cut, and a promise that is far off is seen to be.
    #[test]
    fn sums_add_up(loans in prop::collection::vec((0_usize..3, 1_i64..10_000, any::<bool>()), 1..40), cut in 0_usize..40, pd in 0.0_f64..1.0) {
        let known: Vec<LoanForecast> = loans.iter().enumerate().map(|(n, (borrower, owed, is_bad))| LoanForecast {
            merchant_id: ["a", "b", "c"][*borrower].to_owned(),
            loan_id: n.to_string(),
            product: ["x", "y"][n % 2].to_owned(),
            disbursed_on: (n % 5 > 0).then(|| date(2025, 1 + i8::try_from(n % 5).unwrap(), 3)),
            made_on: day(0),
            until_on: day(30),
            band: (n % 3 > 0).then(|| "B".to_owned()),
            pd_prob: (n % 7 > 0).then_some(pd),
            exposure_minor: *owed,
            expected_loss_minor: Some(owed / 3),
            outcome: [ForecastOutcome::Open, ForecastOutcome::NoDefault, ForecastOutcome::Default][(n % 2) * (1 + usize::from(*is_bad))],
            lost_minor: (n % 2 == 1).then_some(if *is_bad { owed / 2 } else { 0 }),
        }).collect();
        let sums = |part: &[LoanForecast]| {
            let mut sums = ForecastSums::default();
            part.iter().try_for_each(|forecast| sums.add(forecast)).unwrap();
            sums
        };
        let at = cut.min(known.len());
        let mut parts = sums(&known[at..]);
        parts.merge(&sums(&known[..at])).unwrap();
        let lines = parts.lines();
        prop_assert_eq!(&lines, &sums(&known).lines());
        for by in [ForecastBy::All, ForecastBy::Vintage, ForecastBy::Product, ForecastBy::Band] {
            let of = |figure: fn(&ForecastLine) -> i64| -> i64 { lines.iter().filter(|l| l.by == by).map(figure).sum() };
            prop_assert_eq!(of(|l| l.loans + l.loans_without_prob), i64::try_from(known.len()).unwrap());
            let with = || known.iter().filter(|f| f.pd_prob.is_some());
            prop_assert_eq!(of(|l| l.exposure_minor), with().map(|f| f.exposure_minor).sum::<i64>());
            prop_assert_eq!(of(|l| l.lost_minor.unwrap_or(0)), with().filter_map(|f| f.lost_minor).sum::<i64>());
        }
        for line in &lines {
            let share = |v: Option<f64>| v.is_none_or(|v| (0.0..=1.0).contains(&v));
            prop_assert!(share(line.expected_default_share) && share(line.default_share) && share(line.default_share_high));
            prop_assert!(line.default_share.is_none_or(|s| line.default_share_low.unwrap() <= s && s <= line.default_share_high.unwrap()));
            prop_assert_eq!(line.standing == Standing::Estimated, line.defaults.is_none() && line.lost_minor.is_none());
        }
    }
}
