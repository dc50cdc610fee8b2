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
