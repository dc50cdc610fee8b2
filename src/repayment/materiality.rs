//! Material days past due: on how many business days in a row the arrears were more than trifling.
//!
//! At the beginning of business day `d`
//! - `due(d)` is the sum of all instalments due before `d`, `paid(d)` of all payments before its midnight,
//! - `arrears(d) = max(0, due(d) − paid(d))`, and `undue(d)` is the principal that falls due on `d` or later,
//! - arrears are material when `arrears > absolute` and `arrears > relative × (arrears + undue)`.
//!
//! `material_dpd` on `d` is the number of days in a row, up to `d`, on which arrears were material; 0 where they are not on `d`. An
//! instalment due on 1 March, material and unpaid when 2 March begins, gives 1 on 2 March. As in Regulation (EU) 2018/171, the count runs on
//! while *any* material sum is overdue: whoever pays each instalment only when the next is late is past due throughout, although
//! the oldest unpaid instalment, from which `dpd` counts, is never old.
//!
//! Both sums change only on the day after a due date and on the day after a payment: between two such days nothing moves, so the walk
//! from one to the next is exact.

use super::error::RepaymentError;
use super::settings::Materiality;
use super::waterfall::{Instalment, LoanTerms, ObservationPoint, Payment, Repayment};

/// Business days in a row, both ends included, that began with material arrears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialRun {
    /// First day, in days since 1970-01-01.
    pub from: i32,
    /// Last day; the observation's own while the run lasts.
    pub to: i32,
}

impl MaterialRun {
    /// How many days.
    #[must_use]
    pub fn days(self) -> i64 {
        i64::from(self.to) - i64::from(self.from) + 1
    }
}

impl Materiality {
    /// All runs of days with material arrears up to a point in time, in order. `repayment` is how the same instalments and payments
    /// stood then.
    ///
    /// # Errors
    /// A payment outside the point's days.
    pub fn runs(
        &self,
        loan: &LoanTerms<'_>,
        repayment: &Repayment,
        instalments: &[Instalment],
        payments: &[Payment],
        point: &ObservationPoint<'_>,
    ) -> Result<Vec<MaterialRun>, RepaymentError> {
        // (first day on which it shows, sum due, principal fallen due, sum paid)
        let mut changes: Vec<(i32, i128, i128, i128)> = Vec::new();
        for state in &repayment.instalments {
            changes.push((state.due_on + 1, i128::from(state.due_minor), 0, 0));
        }
        for instalment in instalments.iter().filter(|i| i.due_on < point.day) {
            changes.push((instalment.due_on + 1, 0, i128::from(instalment.principal_minor), 0));
        }
        for payment in payments.iter().filter(|p| p.counts_at(point.micros)) {
            changes.push((point.days.day_of(payment.paid_at)? + 1, 0, 0, i128::from(payment.amount_minor)));
        }
        changes.sort_unstable();
        let (mut due, mut fallen_due, mut paid) = (0_i128, 0_i128, 0_i128);
        let mut runs: Vec<MaterialRun> = Vec::new();
        let mut since: Option<i32> = None;
        for of_one_day in changes.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(day, ..)) = of_one_day.first().filter(|c| c.0 <= point.day) else { break };
            for (_, more_due, more_fallen_due, more_paid) in of_one_day {
                due += more_due;
                fallen_due += more_fallen_due;
                paid += more_paid;
            }
            let undue = (i128::from(loan.principal_minor) - fallen_due).max(0);
            match (self.is_material((due - paid).max(0), undue), since) {
                (true, None) => since = Some(day),
                (false, Some(from)) => {
                    runs.push(MaterialRun { from, to: day - 1 });
                    since = None;
                }
                _ => {}
            }
        }
        runs.extend(since.map(|from| MaterialRun { from, to: point.day }));
        Ok(runs)
    }

    /// Both thresholds exceeded.
    fn is_material(&self, arrears: i128, undue: i128) -> bool {
        arrears > i128::from(self.absolute_minor)
            && arrears * 1_000_000 > i128::from(self.relative_ppm) * (arrears + undue)
    }
}

/// Days past due of material arrears on the day `today`: of the run that lasts.
#[must_use]
pub(super) fn material_dpd(runs: &[MaterialRun], today: i32) -> i64 {
    runs.last().filter(|run| run.to == today).map_or(0, |run| run.days())
}

/// The longest run.
#[must_use]
pub(super) fn worst_material_dpd(runs: &[MaterialRun]) -> i64 {
    runs.iter().map(|run| run.days()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AsOf;
    use crate::repayment::{BusinessDays, Waterfall};

    /// Lent on 1 January 2018 in Lord Howe, whose clocks go back half an hour on 1 April: instalments of 600 on 1 March and 1 April, and
    /// 10,000 of principal on 1 June.
    fn runs(materiality: Materiality, payments: &[(AsOf, i64)], seen: &AsOf) -> Vec<(i64, i64)> {
        let lent = on(1, 1);
        let loan = LoanTerms {
            loan_id: "l",
            disbursed_at: lent.micros(),
            principal_minor: 10_000,
            term_days: 151,
            daily_rate_ppm: 0,
            sales_share_ppm: None,
        };
        let due = |number, on: AsOf, principal_minor, interest_minor| Instalment {
            number,
            due_on: on.days_since_epoch(),
            principal_minor,
            interest_minor,
            fee_minor: 0,
        };
        let schedule = [due(1, on(3, 1), 0, 600), due(2, on(4, 1), 0, 600), due(3, on(6, 1), 10_000, 0)];
        let paid = |(on, amount_minor): &(AsOf, i64)| Payment {
            paid_at: on.micros(),
            amount_minor: *amount_minor,
            reversed_at: None,
        };
        let paid: Vec<Payment> = payments.iter().map(paid).collect();
        let days = BusinessDays::spanning(lent.micros(), seen).unwrap();
        let point = ObservationPoint { micros: seen.micros(), day: seen.days_since_epoch(), days: &days };
        let repayment = Waterfall::default().allocate(&loan, &schedule, &paid, &point).unwrap();
        let runs = materiality.runs(&loan, &repayment, &schedule, &paid, &point).unwrap();
        let since = |day: i32| i64::from(day - lent.days_since_epoch());
        runs.into_iter().map(|run| (since(run.from), run.days())).collect()
    }

    fn on(month: i8, day: i8) -> AsOf {
        AsOf::new(jiff::civil::date(2018, month, day), AsOf::zone("Australia/Lord_Howe").unwrap()).unwrap()
    }

    #[test]
    fn counts_the_days_that_begin_with_material_arrears() {
        let any = Materiality { absolute_minor: 0, relative_ppm: 0 };
        assert_eq!(runs(any, &[], &on(3, 1)), [], "the due date itself is not late");
        assert_eq!(runs(any, &[], &on(3, 2)), [(60, 1)]);
        assert_eq!(runs(any, &[], &on(5, 1)), [(60, 61)], "over the change of clocks");
        // Paid on 11 March: 11 March still began with arrears, 12 March no longer did.
        assert_eq!(runs(any, &[(on(3, 11), 600)], &on(4, 5)), [(60, 10), (91, 4)]);
    }

    #[test]
    fn one_instalment_behind_all_the_time_is_late_all_the_time() {
        let any = Materiality { absolute_minor: 0, relative_ppm: 0 };
        let behind = [(on(4, 2), 600)];
        assert_eq!(
            runs(any, &behind, &on(5, 1)),
            [(60, 61)],
            "the oldest unpaid is of April, arrears there have been since March"
        );
    }

    #[test]
    fn both_thresholds_must_be_exceeded() {
        let with = |absolute_minor, relative_ppm| {
            runs(Materiality { absolute_minor, relative_ppm }, &[], &on(4, 11)).first().map(|r| r.0)
        };
        assert_eq!(with(599, 0), Some(60));
        assert_eq!(with(600, 0), Some(91), "equal is not exceeded: from the second instalment on");
        // 600 of 600 + 10,000 are 5.66 %; 1,200 of 11,200 are 10.71 %.
        assert_eq!(with(0, 56_603), Some(60));
        assert_eq!(with(0, 56_604), Some(91));
        assert_eq!(with(0, 110_000), None);
        assert_eq!(with(1_200, 0), None);
    }
}
