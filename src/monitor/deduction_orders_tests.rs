//! Orders under way, against a payment service that does as it likes within its terms: it executes an order on any night that gives it, at any sum that was ordered under its key,
//! settles it in one part or two, posts it late, and takes it back.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::fixture::{asks, case};
use super::*;
use crate::repayment::fixture::overdue_loan;

const DAYS: u16 = 7;

fn terms() -> DeductionTerms {
    DeductionTerms {
        receipts_feature: "receipts".into(),
        receipts_days: 1,
        day_receipts_feature: None,
        receipts_share_ppm: 1_000_000,
        min_minor: 100,
        floor_minor: 0,
        order: AccountOrder::MostOverdue,
        payments_days_older: 0,
        under_way_days: DAYS,
        released_orders_repay: false,
    }
}

fn day(night: usize) -> Date {
    date(2025, 5, 1).checked_add(i64::try_from(night).unwrap().days()).unwrap()
}

/// An order as the service holds it.
struct Held {
    last_minor: i64,
    most_minor: i64,
    given_on: usize,
    is_executed: bool,
}

/// A payment as it is posted, and taken back.
struct Posted {
    on: usize,
    minor: i64,
    bounces_on: Option<usize>,
}

#[derive(Default)]
struct World {
    due_minor: i64,
    held: BTreeMap<String, Held>,
    posted: Vec<Posted>,
    left: Vec<OpenDeduction>,
}

/// What happens on a night.
#[derive(Debug, Clone)]
struct Event {
    receipts: i64,
    falls_due: i64,
    executes: bool,
    at_most: bool,
    delay: usize,
    split: Option<(i64, usize)>,
    bounces_after: Option<usize>,
}

impl World {
    fn arrears(&self, night: usize) -> i64 {
        let stands = |p: &&Posted| p.on <= night && p.bounces_on.is_none_or(|on| on > night);
        self.due_minor - self.posted.iter().filter(stands).map(|p| p.minor).sum::<i64>()
    }

    fn loan(&self, night: usize) -> LoanStanding {
        let seen = || self.posted.iter().filter(|p| p.on <= night);
        let arrears_minor = self.arrears(night).max(0);
        LoanStanding {
            outstanding_minor: arrears_minor,
            payoff_minor: arrears_minor,
            arrears_minor,
            deductions: seen().count() as u64,
            deductions_reversed: seen().filter(|p| p.bounces_on.is_some_and(|on| on <= night)).count() as u64,
            deducted_minor: seen().map(|p| p.minor).sum(),
            ..overdue_loan("credit-loan", 10)
        }
    }

    /// What may still arrive of all that was ordered.
    fn under_way(&self, night: usize) -> i64 {
        let held = self.held.values().filter(|held| !held.is_executed && held.given_on == night);
        held.map(|held| held.most_minor).sum::<i64>()
            + self.posted.iter().filter(|p| p.on > night).map(|p| p.minor).sum::<i64>()
    }

    /// Orders tonight, and returns what was ordered.
    fn order(&mut self, night: usize, receipts: i64) -> i64 {
        let features: BTreeMap<String, Option<f64>> = BTreeMap::from([("receipts".to_owned(), Some(receipts as f64))]);
        let loans = [self.loan(night)];
        let alerts = [asks("l1")];
        let again = || {
            let before = OrdersBefore { orders: &self.left, tonight: day(night) };
            deduct(&terms(), &DeductionCase { before, ..case(&features, &loans, &alerts) }).unwrap()
        };
        let found = again();
        assert_eq!(found, again(), "the same night again");
        self.left = found.open;
        let mut sum = 0;
        for Deduction { key, amount_minor, .. } in found.deductions {
            let new = Held { last_minor: 0, most_minor: 0, given_on: night, is_executed: false };
            let held = self.held.entry(key).or_insert(new);
            (held.last_minor, held.given_on) = (amount_minor, night);
            held.most_minor = held.most_minor.max(amount_minor);
            sum += amount_minor;
        }
        sum
    }

    /// Executes an order of tonight that was not executed yet.
    fn execute(&mut self, night: usize, event: &Event) {
        let of_tonight = |held: &&mut Held| !held.is_executed && held.given_on == night;
        let Some(held) = self.held.values_mut().find(of_tonight) else { return };
        held.is_executed = true;
        let minor = if event.at_most { held.most_minor } else { held.last_minor };
        let on = night + 1 + event.delay;
        let bounces_on = event.bounces_after.map(|after| on + after);
        match event.split.filter(|(part, _)| *part < minor) {
            None => self.posted.push(Posted { on, minor, bounces_on }),
            Some((part, later)) => {
                self.posted.push(Posted { on, minor: part, bounces_on });
                let on = (on + later).min(night + usize::from(DAYS) - 1);
                self.posted.push(Posted { on, minor: minor - part, bounces_on: None });
            }
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let falls_due = prop_oneof![3 => Just(0), 1 => 1_i64..20_000];
    let split = proptest::option::of((1_i64..5_000, 0..usize::from(DAYS)));
    let bounces = prop_oneof![3 => Just(None), 1 => (0_usize..20).prop_map(Some)];
    let event = (0_i64..30_000, falls_due, any::<bool>(), any::<bool>(), 0..usize::from(DAYS) - 1, split, bounces);
    let event = event.prop_map(|(receipts, falls_due, executes, at_most, delay, split, bounces_after)| Event {
        receipts,
        falls_due,
        executes,
        at_most,
        delay,
        split,
        bounces_after,
    });
    proptest::collection::vec(event, 1..60)
}

proptest! {
    /// At no time may more arrive than is owed, and a night orders no more than its cap; and once the service does as it is told, all is collected.
    #[test]
    fn what_may_arrive_never_exceeds_what_is_owed(events in events()) {
        let mut world = World::default();
        for (night, event) in events.iter().enumerate() {
            world.due_minor += event.falls_due;
            let ordered = world.order(night, event.receipts);
            prop_assert!(ordered <= event.receipts);
            let (under_way, arrears) = (world.under_way(night), world.arrears(night));
            prop_assert!(under_way <= arrears, "night {night}: {under_way} may arrive of {arrears}");
            if event.executes {
                world.execute(night, event);
            }
        }
        let calm = Event { receipts: 1_000_000, falls_due: 0, executes: true, at_most: false, delay: 0, split: None, bounces_after: None };
        let last = events.len() + 120;
        for night in events.len()..last {
            world.order(night, calm.receipts);
            let (under_way, arrears) = (world.under_way(night), world.arrears(night));
            prop_assert!(under_way <= arrears, "night {night}: {under_way} may arrive of {arrears}");
            world.execute(night, &calm);
        }
        let arrears = world.arrears(last);
        prop_assert!((0..terms().min_minor).contains(&arrears), "{arrears} is never collected: {:?}", world.left);
    }
}
