use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::{AsOf, MICROS_PER_DAY};

const DAY_ZERO: i32 = 17_600;

fn micros(day: i32) -> i64 {
    i64::from(day) * MICROS_PER_DAY
}

/// Days `DAY_ZERO ..= DAY_ZERO + 400` in UTC.
fn calendar() -> BusinessDays {
    let last = AsOf::new(date(1970, 1, 1), TimeZone::UTC).unwrap().days_before(-(DAY_ZERO + 400)).unwrap();
    BusinessDays::spanning(micros(DAY_ZERO), &last).unwrap()
}

fn point_at(days: &BusinessDays, day: i32) -> ObservationPoint<'_> {
    ObservationPoint { micros: micros(day), day, days }
}

fn terms(principal_minor: i64, term_days: i64) -> LoanTerms<'static> {
    LoanTerms {
        loan_id: "L",
        disbursed_at: micros(DAY_ZERO),
        principal_minor,
        term_days,
        daily_rate_ppm: 500,
        sales_share_ppm: None,
    }
}

fn instalment(number: i64, due_on: i32, principal_minor: i64, interest_minor: i64, fee_minor: i64) -> Instalment {
    Instalment { number, due_on: DAY_ZERO + due_on, principal_minor, interest_minor, fee_minor }
}

fn pay(day: i32, amount_minor: i64) -> Payment {
    Payment { paid_at: micros(DAY_ZERO + day) + 36_000_000_000, amount_minor, reversed_at: None }
}

#[test]
fn a_day_late_is_one_day_past_due_from_the_midnight_after_the_due_date() {
    let days = calendar();
    let loan = terms(1_000_000, 7);
    let due = [instalment(1, 7, 1_000_000, 3_500, 0)];
    let none = |day| Waterfall::default().allocate(&loan, &due, &[], &point_at(&days, DAY_ZERO + day)).unwrap();
    assert_eq!(none(7).dpd, 0, "the due date itself is not late");
    assert!(none(7).instalments.is_empty(), "and what is not due before as-of is not visible");
    assert_eq!((none(8).dpd, none(8).arrears_minor), (1, 1_003_500));
    assert_eq!(none(38).dpd, 31);
    let paid =
        Waterfall::default().allocate(&loan, &due, &[pay(9, 1_003_500)], &point_at(&days, DAY_ZERO + 38)).unwrap();
    assert_eq!((paid.dpd, paid.worst_dpd, paid.arrears_minor, paid.outstanding_minor), (0, 2, 0, 0));
    assert_eq!(paid.closed_at, Some(pay(9, 1).paid_at));
    assert_eq!(paid.repaid_early, Some(false));
}

#[test]
fn within_an_instalment_fees_then_interest_then_principal_unless_configured() {
    let days = calendar();
    let due = [instalment(1, 5, 100, 30, 20)];
    let at = point_at(&days, DAY_ZERO + 10);
    let state = |waterfall: &Waterfall| {
        let r = waterfall.allocate(&terms(100, 5), &due, &[pay(6, 60)], &at).unwrap();
        (r.instalments[0], r.outstanding_minor)
    };
    let (customary, outstanding) = state(&Waterfall::default());
    assert_eq!(
        (customary.paid_fee_minor, customary.paid_interest_minor, customary.paid_principal_minor, outstanding),
        (20, 30, 10, 90)
    );
    let within = [Part::Principal, Part::Interest, Part::Fee];
    let (reversed, outstanding) = state(&Waterfall { within, ..Waterfall::default() });
    assert_eq!(
        (reversed.paid_fee_minor, reversed.paid_interest_minor, reversed.paid_principal_minor, outstanding),
        (0, 0, 60, 40)
    );
}

#[test]
fn the_oldest_instalment_is_paid_first() {
    let days = calendar();
    let due = [instalment(2, 60, 500, 0, 0), instalment(1, 30, 500, 0, 0)];
    let repayment = Waterfall::default()
        .allocate(&terms(1_000, 60), &due, &[pay(61, 500)], &point_at(&days, DAY_ZERO + 70))
        .unwrap();
    assert_eq!(repayment.instalments[0].number, 1);
    assert_eq!(repayment.instalments[0].days_late, 31);
    assert!(repayment.instalments[0].settled_at.is_some());
    assert_eq!((repayment.instalments[1].settled_at, repayment.dpd, repayment.worst_dpd), (None, 10, 31));
}

#[test]
fn early_payoff_ends_later_interest_but_principal_alone_does_not_buy_it() {
    let days = calendar();
    let loan = terms(1_000_000, 100);
    let due = [instalment(1, 100, 1_000_000, 50_000, 0)];
    let later = point_at(&days, DAY_ZERO + 150);
    // Forty days at 0.05 % a day are 20,000.
    let fair = Waterfall::default().allocate(&loan, &due, &[pay(40, 1_020_000)], &later).unwrap();
    assert_eq!((fair.closed_at, fair.repaid_early), (Some(pay(40, 1).paid_at), Some(true)));
    assert_eq!((fair.dpd, fair.arrears_minor, fair.outstanding_minor, fair.surplus_minor), (0, 0, 0, 20_000));
    assert_eq!((fair.instalments[0].due_minor, fair.instalments[0].paid_minor()), (1_000_000, 1_000_000));
    assert_eq!(fair.instalments[0].settled_at, fair.closed_at);
    let rounded = Waterfall::default().allocate(&loan, &due, &[pay(40, 1_019_900)], &later).unwrap();
    assert!(rounded.closed_at.is_some(), "within the tolerance");
    let short = Waterfall::default().allocate(&loan, &due, &[pay(99, 1_000_000)], &later).unwrap();
    assert_eq!((short.closed_at, short.arrears_minor, short.dpd), (None, 50_000, 50));
}

#[test]
fn paid_ahead_keeps_the_next_promise() {
    let days = calendar();
    let due = [instalment(1, 30, 500, 20, 0), instalment(2, 60, 500, 10, 0)];
    let at = |day| {
        Waterfall::default()
            .allocate(&terms(100_000, 60), &due, &[pay(29, 520), pay(31, 300)], &point_at(&days, DAY_ZERO + day))
            .unwrap()
    };
    assert_eq!((at(30).surplus_minor, at(30).outstanding_minor), (520, 99_480));
    assert_eq!((at(31).surplus_minor, at(31).dpd, at(31).outstanding_minor), (0, 0, 99_500));
    assert_eq!(at(31).instalments[0].settled_at, Some(pay(29, 1).paid_at));
    assert_eq!((at(60).surplus_minor, at(60).outstanding_minor), (300, 99_200));
    assert_eq!((at(61).surplus_minor, at(61).arrears_minor, at(61).outstanding_minor), (0, 210, 99_210));
}

#[test]
fn a_payment_that_bounces_was_never_made_once_that_is_known() {
    let days = calendar();
    let due = [instalment(1, 10, 1_000, 0, 0)];
    let bounced = Payment { reversed_at: Some(micros(DAY_ZERO + 20)), ..pay(9, 1_000) };
    let at = |day| {
        Waterfall::default().allocate(&terms(1_000, 10), &due, &[bounced], &point_at(&days, DAY_ZERO + day)).unwrap()
    };
    assert!(at(20).closed_at.is_some());
    assert_eq!((at(21).closed_at, at(21).dpd, at(21).arrears_minor), (None, 11, 1_000));
}

#[test]
fn sums_beyond_64_bits_are_refused() {
    let days = calendar();
    let payments = [pay(1, i64::MAX), pay(2, 1)];
    let result = Waterfall::default().allocate(&terms(1, 1), &[], &payments, &point_at(&days, DAY_ZERO + 9));
    assert!(matches!(result, Err(RepaymentError::Overflow { .. })));
}

/// The specification, slowly: every day in turn, every payment to the oldest unpaid part.
#[derive(Debug, PartialEq)]
struct Slow {
    settled: Vec<(i64, Option<i64>, i64)>,
    paid: Vec<(i64, i64, i64)>,
    surplus: i64,
    outstanding: i64,
    arrears: i64,
    dpd: i64,
    worst: i64,
    closed_at: Option<i64>,
}

struct Promise {
    instalment: Instalment,
    unpaid: [i64; 3],
    settled_at: Option<i64>,
}

impl Promise {
    fn set_aside(&self) -> i64 {
        let i = &self.instalment;
        i.fee_minor + i.interest_minor + i.principal_minor - self.unpaid.iter().sum::<i64>()
    }
}

/// Due by `day` and unpaid.
fn owed(promises: &[Promise], day: i32) -> i64 {
    promises.iter().filter(|p| p.instalment.due_on <= day).flat_map(|p| p.unpaid).sum()
}

/// Paid for what is not due by `day`: set aside already, or still in the pot.
fn ahead(promises: &[Promise], pot: i64, day: i32) -> i64 {
    pot + promises.iter().filter(|p| p.instalment.due_on > day).map(Promise::set_aside).sum::<i64>()
}

/// Principal not due by `day`.
fn undue(loan: &LoanTerms<'_>, promises: &[Promise], day: i32) -> i64 {
    let due = promises.iter().filter(|p| p.instalment.due_on <= day).map(|p| p.instalment.principal_minor);
    (loan.principal_minor - due.sum::<i64>()).max(0)
}

#[expect(clippy::too_many_lines, reason = "a specification reads from top to bottom")]
fn slow_twin(loan: &LoanTerms<'_>, due: &[Instalment], paid: &[Payment], to: i32, tolerance: i64) -> Slow {
    let mut promises: Vec<Promise> = due
        .iter()
        .filter(|i| i.due_on < to)
        .map(|i| Promise {
            instalment: *i,
            unpaid: [i.fee_minor, i.interest_minor, i.principal_minor],
            settled_at: (i.fee_minor + i.interest_minor + i.principal_minor == 0).then_some(loan.disbursed_at),
        })
        .collect();
    promises.sort_by_key(|p| (p.instalment.due_on, p.instalment.number));
    let mut payments: Vec<_> =
        paid.iter().filter(|p| p.paid_at < micros(to) && p.reversed_at.is_none_or(|r| r >= micros(to))).collect();
    payments.sort_by_key(|p| p.paid_at);
    let (mut pot, mut closed_at, mut worst) = (0_i64, None::<i64>, 0_i64);
    let mut accrued = 0_i128;
    let is_late = |p: &Promise, day: i32| p.unpaid.iter().sum::<i64>() > 0 && p.instalment.due_on < day;
    let price = |promises: &[Promise], pot: i64, day: i32, accrued: i128| -> bool {
        let interest = i64::try_from(accrued / 1_000_000).unwrap();
        owed(promises, day) == 0
            && ahead(promises, pot, day) >= undue(loan, promises, day) + (interest - tolerance).max(0)
    };
    let balance = |promises: &[Promise], pot: i64, day: i32| -> i64 {
        let covered = if owed(promises, day) > 0 { 0 } else { ahead(promises, pot, day) };
        (undue(loan, promises, day) - covered).max(0)
    };
    let close = |promises: &mut Vec<Promise>, pot: &mut i64, day: i32, at: i64, closed_at: &mut Option<i64>| {
        if closed_at.is_some() {
            return;
        }
        *closed_at = Some(at);
        let mut open = loan.principal_minor;
        for p in promises.iter_mut() {
            if p.instalment.due_on <= day {
                open -= p.instalment.principal_minor;
                continue;
            }
            // Give back what was set aside, then ask for the principal alone.
            *pot += p.set_aside();
            p.instalment.fee_minor = 0;
            p.instalment.interest_minor = 0;
            p.instalment.principal_minor = p.instalment.principal_minor.min(open.max(0));
            open -= p.instalment.principal_minor;
            p.unpaid = [0; 3];
            p.settled_at = Some(at);
        }
        for p in promises.iter().filter(|p| p.instalment.due_on > day) {
            *pot -= p.instalment.principal_minor;
        }
    };
    for day in DAY_ZERO..=to {
        // The day begins: yesterday's interest has accrued, today's instalments fall due.
        if day > DAY_ZERO {
            accrued += i128::from(balance(&promises, pot, day - 1)) * i128::from(loan.daily_rate_ppm);
        }
        if day < to && promises.iter().any(|p| p.instalment.due_on == day) {
            accrued = 0;
            if price(&promises, pot, day, accrued) {
                close(&mut promises, &mut pot, day, micros(day).max(loan.disbursed_at), &mut closed_at);
            }
        }
        let dpd = promises.iter().filter(|p| is_late(p, day)).map(|p| day - p.instalment.due_on).max().unwrap_or(0);
        worst = worst.max(i64::from(dpd));
        if day == to {
            break;
        }
        for payment in payments.iter().filter(|p| (micros(day)..micros(day + 1)).contains(&p.paid_at)) {
            pot += payment.amount_minor;
            for p in &mut promises {
                for part in &mut p.unpaid {
                    let give = pot.min(*part);
                    *part -= give;
                    pot -= give;
                }
                if p.settled_at.is_none() && p.unpaid == [0; 3] {
                    p.settled_at = Some(payment.paid_at);
                }
            }
            if price(&promises, pot, day, accrued) {
                close(&mut promises, &mut pot, day, payment.paid_at, &mut closed_at);
            }
        }
    }
    let repaid: i64 = promises.iter().map(|p| p.instalment.principal_minor - p.unpaid[2]).sum();
    Slow {
        settled: promises
            .iter()
            .map(|p| {
                let until = p.settled_at.map_or(to, |at| i32::try_from(at / MICROS_PER_DAY).unwrap());
                (p.instalment.number, p.settled_at, i64::from((until - p.instalment.due_on).max(0)))
            })
            .collect(),
        paid: promises
            .iter()
            .map(|p| {
                let i = &p.instalment;
                (i.fee_minor - p.unpaid[0], i.interest_minor - p.unpaid[1], i.principal_minor - p.unpaid[2])
            })
            .collect(),
        surplus: pot,
        outstanding: if closed_at.is_some() { 0 } else { (loan.principal_minor - repaid - pot).max(0) },
        arrears: promises.iter().map(|p| p.unpaid.iter().sum::<i64>()).sum(),
        dpd: promises.iter().filter(|p| is_late(p, to)).map(|p| i64::from(to - p.instalment.due_on)).max().unwrap_or(0),
        worst,
        closed_at,
    }
}

fn summary(repayment: &Repayment) -> Slow {
    Slow {
        settled: repayment.instalments.iter().map(|s| (s.number, s.settled_at, s.days_late)).collect(),
        paid: repayment
            .instalments
            .iter()
            .map(|s| (s.paid_fee_minor, s.paid_interest_minor, s.paid_principal_minor))
            .collect(),
        surplus: repayment.surplus_minor,
        outstanding: repayment.outstanding_minor,
        arrears: repayment.arrears_minor,
        dpd: repayment.dpd,
        worst: repayment.worst_dpd,
        closed_at: repayment.closed_at,
    }
}

/// 100,000 at 0.1 % a day, repaid by a share of sales: 30,000 by day 60, the rest by day 120; interest as of a borrower who pays nothing before each.
fn by_share_of_sales(seen: i32, paid: &[Payment]) -> Repayment {
    let loan = LoanTerms { daily_rate_ppm: 1_000, sales_share_ppm: Some(100_000), ..terms(100_000, 120) };
    let due = [instalment(1, 60, 30_000, 6_000, 0), instalment(2, 120, 70_000, 4_200, 0)];
    let waterfall = Waterfall { early_close_tolerance_minor: 0, ..Waterfall::default() };
    waterfall.allocate(&loan, &due, paid, &point_at(&calendar(), DAY_ZERO + seen)).unwrap()
}

#[test]
fn a_share_of_sales_pays_interest_on_what_was_owed_and_no_more() {
    // 50,000 on the evening of day 20: 20 days on 100,000 and 40 on 50,000 at 0.1 %.
    let paid = [pay(20, 50_000)];
    let on_the_day = by_share_of_sales(60, &paid);
    assert_eq!((on_the_day.outstanding_minor, on_the_day.payoff_minor), (50_000, 50_000 + 4_000));
    let after = by_share_of_sales(61, &paid);
    let first = after.instalments[0];
    assert_eq!((first.due_minor, first.paid_interest_minor, first.settled_at), (34_000, 4_000, Some(paid[0].paid_at)));
    // Of the 50,000 the milestone took 34,000: 54,000 are owed, a day of them accrued.
    assert_eq!((after.outstanding_minor, after.arrears_minor, after.payoff_minor), (54_000, 0, 54_054));
    let closing = [pay(20, 50_000), pay(61, 54_053)];
    assert_eq!(by_share_of_sales(62, &closing).closed_at, None);
    let closing = [pay(20, 50_000), pay(61, 54_054)];
    let closed = by_share_of_sales(62, &closing);
    assert_eq!((closed.closed_at, closed.payoff_minor), (Some(closing[1].paid_at), 0));
}

#[test]
fn days_past_due_of_a_share_of_sales_count_from_the_milestone_that_was_missed() {
    // Small shares, day by day: 20,000 by day 59. The first milestone is 30,000 and the interest of what was owed.
    let small: Vec<Payment> = (0..20).map(|n| pay(3 * n, 1_000)).collect();
    // Evenings of days 0 to 59 on 99,000, …, three days each: Σ 3 × (100,000 − 1,000 (n + 1)) × 0.1 %.
    let interest: i64 = (0..20).map(|n| 3 * (100_000 - 1_000 * (n + 1))).sum::<i64>() / 1_000;
    let late = by_share_of_sales(75, &small);
    assert_eq!((late.dpd, late.arrears_minor), (15, 30_000 + interest - 20_000));
    assert_eq!(late.interest_arrears_minor, 0, "interest is paid before principal");
    let mut caught_up = small.clone();
    caught_up.push(pay(70, 10_000 + interest));
    let again = by_share_of_sales(75, &caught_up);
    assert_eq!((again.dpd, again.worst_dpd, again.arrears_minor), (0, 10, 0));
    // Nothing at all paid: the milestone's own interest, and no more.
    assert_eq!(by_share_of_sales(61, &[]).arrears_minor, 36_000);
    assert_eq!(by_share_of_sales(121, &[]).arrears_minor, 36_000 + 74_200);
}

prop_compose! {
    /// A loan in up to five instalments and payments that miss, meet or exceed them.
    fn histories()(
        due in prop::collection::vec((1_i32..60, 0_i64..2_000, 0_i64..200, 0_i64..50), 0..5),
        extra in 0_i64..1_000,
        paid in prop::collection::vec((0_i32..120, 0_i64..86_400, 1_i64..2_500, prop::option::weighted(0.2, 0_i32..30)), 0..9),
        // Small amounts at a large rate, so that accrued interest is felt.
        daily_rate_ppm in prop::sample::select(vec![0_i64, 500, 20_000]),
        tolerance in 0_i64..3,
        to in 1_i32..130,
    ) -> (LoanTerms<'static>, Vec<Instalment>, Vec<Payment>, i64, i32) {
        let mut on = 0;
        let due: Vec<Instalment> = due.iter().enumerate().map(|(i, &(gap, principal, interest, fee))| {
            on += gap.max(1) / 2 + 1;
            instalment(i64::try_from(i).unwrap() + 1, on, principal, interest, fee)
        }).collect();
        let paid = paid.iter().map(|&(day, second, amount_minor, bounced)| {
            let paid_at = micros(DAY_ZERO + day) + second * 1_000_000;
            Payment { paid_at, amount_minor, reversed_at: bounced.map(|b| paid_at + micros(b)) }
        }).collect();
        let scheduled: i64 = due.iter().map(|i| i.principal_minor).sum();
        // Now and then a schedule that does not add up to the principal: sources have flaws.
        let principal_minor = (scheduled + if extra < 700 { 0 } else { extra - 800 }).max(1);
        let loan = LoanTerms { daily_rate_ppm, ..terms(principal_minor, i64::from(on)) };
        (loan, due, paid, tolerance, DAY_ZERO + to)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn equals_the_slow_twin((loan, due, paid, tolerance, to) in histories()) {
        let days = calendar();
        let waterfall = Waterfall { early_close_tolerance_minor: tolerance, ..Waterfall::default() };
        let fast = waterfall.allocate(&loan, &due, &paid, &point_at(&days, to)).unwrap();
        prop_assert_eq!(summary(&fast), slow_twin(&loan, &due, &paid, to, tolerance));
    }

    #[test]
    fn money_is_conserved((loan, due, paid, _, to) in histories()) {
        let days = calendar();
        let r = Waterfall::default().allocate(&loan, &due, &paid, &point_at(&days, to)).unwrap();
        let allocated: i64 = r.instalments.iter().map(InstalmentState::paid_minor).sum();
        prop_assert_eq!(r.paid_minor, allocated + r.surplus_minor);
        prop_assert_eq!(r.arrears_minor, r.instalments.iter().map(|i| i.due_minor).sum::<i64>() - allocated);
        prop_assert!(r.arrears_minor >= 0 && r.surplus_minor >= 0);
        prop_assert!((0..=loan.principal_minor).contains(&r.outstanding_minor));
        prop_assert!(r.arrears_minor == 0 || r.surplus_minor == 0, "nothing is held back while something is owed");
        prop_assert!(r.instalments.iter().all(|i| i.settled_at.is_some() == (i.paid_minor() == i.due_minor)));
    }

    #[test]
    fn lateness_only_grows_without_payments((loan, due, paid, _, to) in histories(), wait in 0_i32..60) {
        let days = calendar();
        let so_far: Vec<Payment> =
            paid.into_iter().filter(|p| p.paid_at < micros(to)).map(|p| Payment { reversed_at: None, ..p }).collect();
        let at = |day| Waterfall::default().allocate(&loan, &due, &so_far, &point_at(&days, day)).unwrap();
        let (now, later) = (at(to), at(to + wait));
        prop_assert!(later.arrears_minor >= now.arrears_minor);
        prop_assert!(later.worst_dpd >= now.worst_dpd);
        prop_assert_eq!(later.dpd, if now.dpd > 0 { now.dpd + i64::from(wait) } else { later.dpd });
        prop_assert!(now.closed_at.is_none() || later.closed_at == now.closed_at);
    }

    #[test]
    fn nothing_at_or_after_the_observation_matters((loan, due, paid, _, to) in histories(), amount_minor in 1_i64..5_000) {
        let days = calendar();
        let waterfall = Waterfall::default();
        let before = waterfall.allocate(&loan, &due, &paid, &point_at(&days, to)).unwrap();
        let mut more_due = due.clone();
        more_due.push(Instalment { number: 99, due_on: to, principal_minor: 7, interest_minor: 7, fee_minor: 7 });
        let mut more_paid: Vec<Payment> = paid
            .iter()
            .map(|p| Payment { reversed_at: p.reversed_at.filter(|&r| r < micros(to)), ..*p })
            .collect();
        more_paid.push(Payment { paid_at: micros(to), amount_minor, reversed_at: None });
        more_due.reverse();
        more_paid.reverse();
        prop_assert_eq!(waterfall.allocate(&loan, &more_due, &more_paid, &point_at(&days, to)).unwrap(), before);
    }

    #[test]
    fn paying_more_never_worsens((loan, due, paid, _, to) in histories(), day in 0_i32..120, amount_minor in 1_i64..5_000) {
        let days = calendar();
        let at = |payments: &[Payment]| Waterfall::default().allocate(&loan, &due, payments, &point_at(&days, to)).unwrap();
        let before = at(&paid);
        let mut more = paid.clone();
        more.push(pay(day, amount_minor));
        let after = at(&more);
        prop_assert!(after.arrears_minor <= before.arrears_minor);
        prop_assert!(after.outstanding_minor <= before.outstanding_minor);
        prop_assert!(after.worst_dpd <= before.worst_dpd && after.dpd <= before.dpd);
    }
}
