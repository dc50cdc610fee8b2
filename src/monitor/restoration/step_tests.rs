use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::monitor::restoration::{RegrowthStep, StateChange};

const TERMS: RestorationTerms = RestorationTerms {
    probation_days: 90,
    restructured_days: 365,
    restored_days: 180,
    regrowth: Vec::new(),
    help: None,
};
const START: Date = date(2025, 1, 1);

fn day(number: i64) -> Date {
    START.saturating_add(number.days())
}

/// A borrower's life: what the ledger knows, and the row of every night.
struct Life {
    terms: RestorationTerms,
    ledger: BorrowerNight,
    row: Option<BorrowerState>,
}

impl Life {
    fn new() -> Self {
        Self { terms: TERMS, ledger: BorrowerNight::default(), row: None }
    }

    fn night(&mut self, number: i64, change: impl FnOnce(&mut BorrowerNight)) -> CreditState {
        let (last_default_on, last_late_on) = (self.ledger.last_default_on, self.ledger.last_late_on);
        let mut seen = BorrowerNight {
            last_default_on,
            last_late_on,
            restructured_on: self.ledger.restructured_on,
            ..BorrowerNight::default()
        };
        change(&mut seen);
        if seen.is_in_default || seen.is_written_off {
            (seen.last_default_on, seen.last_late_on) = (Some(day(number)), Some(day(number)));
        } else if seen.dpd > 0 {
            seen.last_late_on = Some(day(number));
        }
        self.ledger = seen;
        let row = next_state(&self.terms, "m", self.row.as_ref(), &seen, day(number));
        let state = row.state;
        self.row = Some(row);
        state
    }

    fn row(&self) -> &BorrowerState {
        self.row.as_ref().unwrap()
    }
}

#[test]
fn the_way_back_from_default_takes_its_days_and_its_steps() {
    let mut life = Life::new();
    life.terms.regrowth =
        vec![RegrowthStep { from_days: 0, most_minor: 100 }, RegrowthStep { from_days: 60, most_minor: 500 }];
    assert_eq!(life.night(0, |_| ()), CreditState::Current);
    assert_eq!(life.night(1, |n| n.is_watched = true), CreditState::Watch);
    assert_eq!(life.night(5, |n| n.dpd = 3), CreditState::SpecialMention);
    assert_eq!(life.night(95, |n| n.is_in_default = true), CreditState::Default);
    assert_eq!((life.row().came_from, life.row().since_on), (Some(CreditState::SpecialMention), day(95)));
    assert_eq!(life.night(96, |_| ()), CreditState::Probation);
    assert_eq!(life.night(184, |_| ()), CreditState::Probation, "89 clean days");
    assert_eq!((life.row().because.as_str(), life.row().since_on), ("default-ended", day(96)));
    assert_eq!(life.night(185, |_| ()), CreditState::Restored, "90 clean days");
    assert_eq!(life.row().most_minor, Some(100));
    life.night(244, |_| ());
    assert_eq!(life.row().most_minor, Some(100));
    life.night(245, |_| ());
    assert_eq!(life.row().most_minor, Some(500));
    assert_eq!(life.night(364, |_| ()), CreditState::Restored);
    assert_eq!(life.night(365, |_| ()), CreditState::Current, "180 days restored");
    assert_eq!(life.row().most_minor, None);
}

#[test]
fn late_in_probation_or_restored_begins_again() {
    let mut life = Life::new();
    life.night(0, |n| n.is_in_default = true);
    life.night(1, |_| ());
    assert_eq!(life.night(80, |n| n.dpd = 1), CreditState::Probation);
    assert_eq!(life.night(169, |_| ()), CreditState::Probation);
    assert_eq!(life.night(170, |_| ()), CreditState::Restored);
    assert_eq!(life.night(200, |n| n.dpd = 2), CreditState::Probation);
    assert_eq!(life.night(290, |_| ()), CreditState::Restored);
}

#[test]
fn a_restructured_loan_is_clean_for_a_year() {
    let mut life = Life::new();
    life.ledger.restructured_on = Some(day(10));
    assert_eq!(life.night(11, |_| ()), CreditState::Probation, "without a default too");
    assert_eq!(life.night(374, |_| ()), CreditState::Probation);
    assert_eq!(life.night(375, |_| ()), CreditState::Restored);
    assert_eq!(life.night(555, |_| ()), CreditState::Current);
}

#[test]
fn a_restructure_that_becomes_known_after_probation_begins_another() {
    let mut life = Life::new();
    life.night(0, |n| n.is_in_default = true);
    life.night(1, |_| ());
    assert_eq!(life.night(90, |_| ()), CreditState::Restored);
    life.ledger.restructured_on = Some(day(60));
    assert_eq!(life.night(91, |_| ()), CreditState::Probation, "it was easier terms, not a clean record");
    assert_eq!(life.night(424, |_| ()), CreditState::Probation);
    assert_eq!(life.night(425, |_| ()), CreditState::Restored);
}

#[test]
fn what_is_unknown_restores_nobody_and_forgets_nothing() {
    let mut life = Life::new();
    life.night(0, |n| n.is_in_default = true);
    assert_eq!(life.night(1, |n| n.unknown_loans = 1), CreditState::Unknown);
    assert_eq!(life.row().known_state, CreditState::Default);
    assert_eq!(life.night(2, |_| ()), CreditState::Probation, "not straight back");
    assert_eq!(life.night(91, |n| n.unknown_loans = 1), CreditState::Unknown);
    assert_eq!(life.night(92, |_| ()), CreditState::Probation, "the clean days begin again");
    assert_eq!(life.night(180, |_| ()), CreditState::Probation);
    assert_eq!(life.night(181, |_| ()), CreditState::Restored);
    let row = life.row().unseen(day(182), "not-seen");
    assert_eq!((row.state, row.known_state, row.most_minor), (CreditState::Unknown, CreditState::Restored, None));
    assert_eq!(row.unseen(day(183), "not-seen").since_on, day(182));
}

#[test]
fn a_default_of_the_past_or_between_two_nights_is_seen_and_one_of_memory_is_not_forgotten() {
    let mut life = Life::new();
    life.ledger.last_default_on = Some(day(-700));
    assert_eq!(life.night(0, |_| ()), CreditState::Probation, "on a first night, by the ledger");
    assert_eq!(life.night(1, |_| ()), CreditState::Restored);
    life.ledger.last_default_on = Some(day(20));
    assert_eq!(life.night(30, |_| ()), CreditState::Probation, "between two nights");

    let mut life = Life::new();
    life.night(0, |n| n.is_in_default = true);
    // Its loan is no longer sent.
    life.ledger = BorrowerNight::default();
    assert_eq!(life.night(1, |_| ()), CreditState::Probation);
    assert_eq!(life.night(89, |_| ()), CreditState::Probation);
    assert_eq!(life.night(90, |_| ()), CreditState::Restored);
}

#[test]
fn a_groups_default_is_its_borrowers() {
    let mut life = Life::new();
    life.night(0, |_| ());
    assert_eq!(life.night(1, |n| n.is_group_in_default = true), CreditState::Default);
    assert_eq!(life.row().because, "group-in-default");
    assert_eq!(life.night(2, |_| ()), CreditState::Probation);
}

#[test]
fn a_default_that_is_seen_while_another_loan_is_unknown_is_tried_like_any() {
    let mut life = Life::new();
    life.night(0, |_| ());
    assert_eq!(life.night(1, |n| (n.unknown_loans, n.is_in_default) = (1, true)), CreditState::Unknown);
    assert_eq!(life.row().known_state, CreditState::Default);
    assert_eq!(life.night(2, |n| n.unknown_loans = 1), CreditState::Unknown);
    assert_eq!(life.night(3, |_| ()), CreditState::Probation);
    let mut first = Life::new();
    first.ledger.last_default_on = Some(day(-30));
    assert_eq!(first.night(0, |n| n.unknown_loans = 1), CreditState::Unknown);
    assert_eq!(first.night(1, |_| ()), CreditState::Probation, "the ledger told of it on the first night");
}

#[test]
fn nothing_is_lent_in_default_in_probation_or_where_nothing_is_known() {
    let mut life = Life::new();
    let mut refusal = |number, change: fn(&mut BorrowerNight)| {
        life.night(number, change);
        standing_of(life.row()).unwrap().refusal.map(|reason| reason.code.to_string())
    };
    assert_eq!(refusal(0, |_| ()), None);
    assert_eq!(refusal(1, |n| n.dpd = 5), None, "arrears have a rule of their own");
    assert_eq!(refusal(2, |n| n.is_in_default = true).as_deref(), Some("credit-state-default"));
    assert_eq!(refusal(3, |n| n.is_written_off = true).as_deref(), Some("credit-state-written-off"));
    assert_eq!(refusal(4, |_| ()).as_deref(), Some("credit-state-probation"));
    assert_eq!(refusal(5, |n| n.unknown_loans = 2).as_deref(), Some("credit-state-unknown"));
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Clean,
    Late,
    Default,
    WrittenOff,
    GroupDefault,
    Unknown,
    /// One loan is in default, another unknown.
    UnknownDefault,
    /// One is written off, another unknown.
    UnknownWrittenOff,
    /// The ledger no longer shows what was.
    Forgotten,
}

fn nights() -> impl Strategy<Value = Vec<(Seen, i64)>> {
    let seen = prop_oneof![
        6 => Just(Seen::Clean),
        1 => Just(Seen::Late),
        1 => Just(Seen::Default),
        1 => Just(Seen::WrittenOff),
        1 => Just(Seen::GroupDefault),
        1 => Just(Seen::Unknown),
        1 => Just(Seen::UnknownDefault),
        1 => Just(Seen::UnknownWrittenOff),
        1 => Just(Seen::Forgotten),
    ];
    prop::collection::vec((seen, 1_i64..60), 1..40)
}

/// The first transition by which a borrower who was known to be in default, or written off, came to anything better than probation; by the log alone.
fn shortcut(changes: &[StateChange]) -> Option<&StateChange> {
    let mut must_be_tried = false;
    changes.iter().find(|change| {
        let is_short = must_be_tried && change.state != CreditState::Unknown && !change.state.is_of_default();
        must_be_tried = match change.known_state {
            CreditState::Default | CreditState::WrittenOff => true,
            CreditState::Probation => false,
            _ => must_be_tried,
        };
        is_short
    })
}

proptest! {
    /// Whatever is seen, no path out of default skips probation; nobody is restored before enough clean nights in a row; and what is unknown
    /// is never good.
    #[test]
    fn no_path_out_of_default_skips_probation(nights in nights()) {
        let mut life = Life::new();
        let (mut number, mut must_be_tried, mut was_restored) = (0, false, false);
        let mut not_clean: Vec<i64> = Vec::new();
        let mut changes: Vec<StateChange> = Vec::new();
        for (seen, gap) in nights {
            let before = life.row.clone();
            number += gap;
            if seen == Seen::Forgotten {
                life.ledger = BorrowerNight::default();
            }
            let state = life.night(number, |n| match seen {
                Seen::Clean | Seen::Forgotten => {}
                Seen::Late => n.dpd = 5,
                Seen::Default => n.is_in_default = true,
                Seen::WrittenOff => n.is_written_off = true,
                Seen::GroupDefault => n.is_group_in_default = true,
                Seen::Unknown => n.unknown_loans = 1,
                Seen::UnknownDefault => (n.unknown_loans, n.is_in_default) = (1, true),
                Seen::UnknownWrittenOff => (n.unknown_loans, n.is_written_off) = (1, true),
            });
            let change = StateChange::of(life.row(), day(number));
            let is_other = before.as_ref().is_none_or(|row| (row.state, row.known_state) != (state, life.row().known_state));
            prop_assert_eq!(change.is_some(), is_other, "every transition is logged, and nothing else");
            if let Some(change) = change {
                prop_assert!(!change.evidence.is_empty() && !change.because.is_empty());
                changes.push(change);
            }
            must_be_tried |= matches!(seen, Seen::UnknownDefault | Seen::UnknownWrittenOff);
            if !matches!(seen, Seen::Clean | Seen::Forgotten) {
                not_clean.push(number);
            }
            match state {
                CreditState::Default | CreditState::WrittenOff => must_be_tried = true,
                CreditState::Probation => must_be_tried = false,
                CreditState::Unknown => {}
                CreditState::Current | CreditState::Watch | CreditState::SpecialMention => prop_assert!(!must_be_tried),
                CreditState::Restored => {
                    prop_assert!(!must_be_tried);
                    if !was_restored {
                        prop_assert!(not_clean.iter().all(|on| number - on >= 90), "restored on {} after {:?}", number, not_clean);
                    }
                }
            }
            match state {
                CreditState::Unknown => {}
                state => was_restored = state == CreditState::Restored,
            }
            let is_unknown = matches!(seen, Seen::Unknown | Seen::UnknownDefault | Seen::UnknownWrittenOff);
            prop_assert_eq!(state == CreditState::Unknown, is_unknown);
            let refused = standing_of(life.row()).unwrap().refusal.is_some();
            prop_assert!(refused || matches!(seen, Seen::Clean | Seen::Late | Seen::Forgotten));
        }
        prop_assert_eq!(shortcut(&changes), None);
    }

    /// Help needs a cause, means and arrears, all known.
    #[test]
    fn help_is_never_more_than_is_past_due(
        arrears in 0_i64..10_000, failed in prop::option::of(0.0..1.0_f64), receipts in prop::option::of(-1e6..1e7_f64),
    ) {
        let help = crate::monitor::restoration::HelpTerms {
            buyers_failed: "a".into(), buyers_failed_from: 0.2, receipts: "b".into(), receipts_days: 180, within_days: 30, most_minor: 5_000,
        };
        if let Some(sum) = help.propose(arrears, failed, receipts) {
            prop_assert!(sum > 0 && sum <= arrears && sum <= 5_000);
            prop_assert!(failed.unwrap() >= 0.2 && receipts.unwrap() / 6.0 >= arrears as f64);
        } else {
            let holds = arrears > 0 && failed.is_some_and(|f| f >= 0.2) && receipts.is_some_and(|r| r / 180.0 * 30.0 >= arrears as f64);
            prop_assert!(!holds);
        }
    }
}
