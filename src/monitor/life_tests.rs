use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::ReasonCode;
use crate::monitor::alert_rule::{AlertKind, Escalation};
use crate::monitor::settings::{Action, Severity};

const FIRST: Date = date(2025, 5, 1);

fn rule(clear_after_days: u16, beyond: Option<f64>, after_days: Option<u16>) -> AlertRule {
    let escalation = Escalation { beyond, after_days, severity: Severity::Critical, action: Action::Freeze };
    AlertRule {
        code: ReasonCode::new("the-rule").unwrap(),
        text: "t".to_owned(),
        severity: Severity::Warning,
        action: Action::Watch,
        clear_after_days,
        escalation: (beyond.is_some() || after_days.is_some()).then_some(escalation),
        kind: AlertKind::Arrears { from_dpd: 1 },
    }
}

fn day(number: i64) -> Date {
    FIRST.saturating_add(number.days())
}

fn finding(observed: Option<f64>) -> Finding {
    Finding::at_least(observed, 1.0)
}

/// Tonight's row after a row of nights, each with its date and observation.
fn after(rule: &AlertRule, nights: &[(i64, Option<f64>)]) -> Option<Alert> {
    let subject = Subject { merchant_id: "m", loan_id: None };
    nights.iter().fold(None, |before: Option<Alert>, &(number, observed)| {
        let standing = before.filter(Alert::stands);
        judged(standing.as_ref(), rule, subject, finding(observed), Vec::new(), day(number))
    })
}

#[test]
fn it_escalates_beyond_its_bound_or_by_age_and_does_not_go_back() {
    let by_bound = rule(0, Some(5.0), None);
    let state = |rule: &AlertRule, nights: &[(i64, Option<f64>)]| after(rule, nights).map(|a| (a.state, a.since_on));
    assert_eq!(state(&by_bound, &[(0, Some(4.9))]), Some((AlertState::Opened, day(0))));
    assert_eq!(state(&by_bound, &[(0, Some(5.0))]), Some((AlertState::Escalated, day(0))), "at once");
    assert_eq!(
        state(&by_bound, &[(0, Some(1.0)), (1, Some(6.0)), (2, Some(1.0))]),
        Some((AlertState::Escalated, day(1)))
    );
    let asks = after(&by_bound, &[(0, Some(1.0)), (1, Some(6.0)), (2, None)]).unwrap();
    assert_eq!((asks.severity, asks.action), (Severity::Critical, Action::Freeze));
    let by_age = rule(0, None, Some(7));
    assert_eq!(state(&by_age, &[(0, Some(1.0)), (6, Some(1.0))]), Some((AlertState::Opened, day(0))));
    assert_eq!(state(&by_age, &[(0, Some(1.0)), (7, Some(1.0))]), Some((AlertState::Escalated, day(7))));
    assert_eq!(
        state(&by_age, &[(0, Some(1.0)), (7, None)]),
        Some((AlertState::Escalated, day(7))),
        "unknown is not good"
    );
    assert_eq!(state(&rule(9, None, Some(7)), &[(0, Some(1.0)), (7, Some(0.0))]), Some((AlertState::Opened, day(0))));
    let downwards = Finding::of(true, 2.0, 2.5);
    assert!(rule(0, Some(2.0), None).escalates(downwards, 0) && !rule(0, Some(1.9), None).escalates(downwards, 0));
}

#[test]
fn it_clears_after_days_of_quiet_in_a_row() {
    let patient = rule(3, None, None);
    let nights = [(0, Some(2.0)), (1, Some(0.0)), (2, Some(0.0)), (3, Some(0.0))];
    let quiet = after(&patient, &nights).unwrap();
    assert_eq!((quiet.state, quiet.quiet_since_on, quiet.tonight), (AlertState::Opened, Some(day(1)), Verdict::Quiet));
    for (broken, why) in [(Some(1.0), "it fired again"), (None, "what was not seen was not quiet")] {
        let interrupted = [(0, Some(2.0)), (1, Some(0.0)), (2, broken), (3, Some(0.0)), (5, Some(0.0))];
        assert!(after(&patient, &interrupted).unwrap().stands(), "{why}");
    }
    let cleared = after(&patient, &[nights.as_slice(), &[(4, Some(0.0))]].concat()).unwrap();
    assert_eq!((cleared.state, cleared.since_on, cleared.opened_on), (AlertState::Cleared, day(4), day(0)));
    assert_eq!(after(&patient, &[(0, Some(2.0)), (9, Some(0.0)), (12, Some(0.0))]).unwrap().state, AlertState::Cleared);
}

/// The life told the other way round: not night by night from the last row, but from the whole row of observations.
fn twin(rule: &AlertRule, nights: &[(i64, Option<f64>)]) -> Option<(AlertState, Date, Date)> {
    let mut open: Option<(i64, Option<i64>)> = None;
    let mut last = None;
    for (at, &(number, observed)) in nights.iter().enumerate() {
        let fires = observed.is_some_and(|o| o >= 1.0);
        let (opened, escalated) = match open {
            None if fires => (number, None),
            None => {
                last = None;
                continue;
            }
            Some(standing) => standing,
        };
        let quiet = nights[..=at].iter().rev().take_while(|(n, o)| *n >= opened && o.is_some_and(|o| o < 1.0)).last();
        if quiet.is_some_and(|(since, _)| number - since >= i64::from(rule.clear_after_days)) {
            last = Some((AlertState::Cleared, opened, number));
            open = None;
            continue;
        }
        let worse = rule.escalation.is_some_and(|e| {
            let beyond = fires && e.beyond.is_some_and(|b| observed.is_some_and(|o| o >= b));
            quiet.is_none() && (beyond || e.after_days.is_some_and(|d| number - opened >= i64::from(d)))
        });
        let escalated = escalated.or(worse.then_some(number));
        open = Some((opened, escalated));
        last = Some(match escalated {
            Some(since) => (AlertState::Escalated, opened, since),
            None => (AlertState::Opened, opened, opened),
        });
    }
    last.map(|(state, opened, since)| (state, day(opened), day(since)))
}

proptest! {
    #[test]
    fn night_by_night_equals_the_whole_history(
        clear_after_days in 0_u16..4, beyond in prop::option::of(1.0..4.0_f64), after_days in prop::option::of(0_u16..9),
        nights in prop::collection::btree_map(0_i64..30, prop::option::of(0.0..5.0_f64), 0..20),
    ) {
        let rule = rule(clear_after_days, beyond, after_days);
        let nights: Vec<_> = nights.into_iter().collect();
        for until in 0..=nights.len() {
            let found = after(&rule, &nights[..until]).map(|a| (a.state, a.opened_on, a.since_on));
            prop_assert_eq!(found, twin(&rule, &nights[..until]), "{:?}", &nights[..until]);
        }
    }

    /// One id a spell of trouble, and no id for two.
    #[test]
    fn an_id_names_one_spell(nights in prop::collection::vec(prop::option::of(0.0..3.0_f64), 1..30)) {
        let rule = rule(0, None, None);
        let mut spells: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut standing: Option<Alert> = None;
        for (number, observed) in nights.iter().enumerate() {
            let subject = Subject { merchant_id: "m", loan_id: Some("l") };
            let at = day(i64::try_from(number).unwrap());
            let row = judged(standing.as_ref(), &rule, subject, finding(*observed), Vec::new(), at);
            if let Some(row) = &row {
                spells.entry(row.alert_id.clone()).or_default().push(number);
            }
            standing = row.filter(Alert::stands);
        }
        for of_one in spells.values() {
            prop_assert!(of_one.windows(2).all(|w| w[1] == w[0] + 1), "{of_one:?}");
        }
    }
}
