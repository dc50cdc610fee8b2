//! The waterfall: which promise each payment keeps, and how late.
//!
//! Money is fungible and promises are kept in order: the oldest instalment first, and within it fees, then interest, then
//! principal ([`Waterfall::within`]). So after payments of `P` in all, instalment `k` is settled exactly when
//! `P ≥ C_k = due_1 + … + due_k`, whatever the single payments were; the order of payments within a day cannot matter, and
//! undoing a payment is the same as never having had it.
//!
//! **Why fees before interest before principal.** Interest runs on principal only, so paying principal last never lets a lender's
//! costs go uncovered while the loan shrinks, and it is the order usual in loan contracts (project judgement; the order is configured).
//! **Why oldest first.** Days past due count from the oldest broken promise; any other order would let a borrower stay late forever on
//! one instalment while paying all the others.
//!
//! **Paid ahead.** What exceeds all that is due is held for the instalments to come and counts as repaid principal meanwhile.
//! **Paid off early.** A loan is closed at the first moment when what exceeds the due covers the principal not yet due and the interest
//! accrued on it since the last due date, day by day at the loan's own rate, less [`Waterfall::early_close_tolerance_minor`] for
//! another lender's rounding. Interest and fees of instalments that would fall due later are then never owed.
//! **A share of sales.** A loan that is repaid by a share of each day's receipts promises milestones: the least that has to be paid by then. Its
//! payments before a milestone repay principal at once; at the milestone the interest that has accrued on what was owed meanwhile falls due, and of
//! the milestone's own interest, which is that of a borrower who pays nothing before it, no more. Days past due count from the oldest milestone that
//! payments fall short of.
//! **Reversed.** A payment that bounced never kept a promise: it is left out as if it had not been made, from the moment the reversal is
//! visible. **Written off.** Days past due run on; the balance stays owed.

use super::calendar::BusinessDays;
use super::error::RepaymentError;
use super::settings::{Part, Waterfall};

/// What the waterfall needs to know of a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanTerms<'a> {
    /// The loan.
    pub loan_id: &'a str,
    /// When the money was paid out, in UTC microseconds.
    pub disbursed_at: i64,
    /// What was lent.
    pub principal_minor: i64,
    /// Days from disbursement to the last instalment.
    pub term_days: i64,
    /// Interest a day in parts per million.
    pub daily_rate_ppm: i64,
    /// Of a loan repaid by a share of sales: that share, in parts per million of a day's receipts. Its interest is owed as it accrues.
    pub sales_share_ppm: Option<i64>,
}

/// One promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment {
    /// 1, 2, … within the loan.
    pub number: i64,
    /// The date by whose end it must be paid, in days since 1970-01-01.
    pub due_on: i32,
    /// Principal due.
    pub principal_minor: i64,
    /// Interest due.
    pub interest_minor: i64,
    /// Fees due.
    pub fee_minor: i64,
}

/// One payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// When the money arrived, in UTC microseconds.
    pub paid_at: i64,
    /// How much; positive.
    pub amount_minor: i64,
    /// When it bounced.
    pub reversed_at: Option<i64>,
}

impl Payment {
    /// Whether it keeps a promise as seen from an instant: made before it, and not known by then to have bounced.
    #[must_use]
    pub fn counts_at(&self, micros: i64) -> bool {
        self.paid_at < micros && self.reversed_at.is_none_or(|reversed| reversed >= micros)
    }
}

/// The point in time that a loan is looked at from: an instant, its business date and the days before it.
#[derive(Debug, Clone, Copy)]
pub struct ObservationPoint<'a> {
    /// Facts before this instant are visible.
    pub micros: i64,
    /// Its business date, in days since 1970-01-01; instalments due before it are visible.
    pub day: i32,
    /// Business days up to it at least.
    pub days: &'a BusinessDays,
}

/// One promise and how it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstalmentState {
    /// 1, 2, … within the loan.
    pub number: i64,
    /// When it was due.
    pub due_on: i32,
    /// What was owed: the whole instalment, or its principal alone where the loan had been paid off early.
    pub due_minor: i64,
    /// Fees paid.
    pub paid_fee_minor: i64,
    /// Interest paid.
    pub paid_interest_minor: i64,
    /// Principal paid.
    pub paid_principal_minor: i64,
    /// When all of it was paid.
    pub settled_at: Option<i64>,
    /// Whole business days past due when it was settled, or now while it is not; 0 when on time or early.
    pub days_late: i64,
}

impl InstalmentState {
    /// All that was paid towards it.
    #[must_use]
    pub const fn paid_minor(&self) -> i64 {
        self.paid_fee_minor + self.paid_interest_minor + self.paid_principal_minor
    }
}

/// How a loan stands at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repayment {
    /// Visible instalments by due date and number.
    pub instalments: Vec<InstalmentState>,
    /// All visible payments that were not reversed.
    pub paid_minor: i64,
    /// Paid beyond all that was due: held for instalments to come, or overpaid.
    pub surplus_minor: i64,
    /// Principal not yet repaid.
    pub outstanding_minor: i64,
    /// Due and unpaid.
    pub arrears_minor: i64,
    /// Interest among it.
    pub interest_arrears_minor: i64,
    /// Fees among it.
    pub fee_arrears_minor: i64,
    /// What would close it on the observation's own day: arrears, principal not yet due and not covered, and the interest accrued on it.
    pub payoff_minor: i64,
    /// Business days since the oldest unpaid instalment was due; 0 when nothing is.
    pub dpd: i64,
    /// The most days past due it ever was.
    pub worst_dpd: i64,
    /// When nothing was owed any more.
    pub closed_at: Option<i64>,
    /// Closed before the end of its term; unknown while open.
    pub repaid_early: Option<bool>,
}

/// Sums that walk along the schedule.
struct Walk<'a> {
    loan: LoanTerms<'a>,
    due: Vec<Instalment>,
    /// How many of `due` have fallen due.
    reached: usize,
    /// Sum of all parts of those.
    due_minor: i64,
    /// Sum of their principal.
    due_principal_minor: i64,
    paid_minor: i64,
    /// Interest accrued since the last due date: minor units × ppm.
    accrued: i128,
    accrued_to: i32,
    tolerance_minor: i64,
    closed_at: Option<i64>,
    /// `reached` at closing.
    reached_at_close: usize,
}

impl Waterfall {
    /// How the loan stands at a point. Instalments and payments may come in any order and may reach beyond the point.
    ///
    /// # Errors
    /// Sums leave 64 bits, or an instant lies outside the point's days.
    pub fn allocate(
        &self,
        loan: &LoanTerms<'_>,
        instalments: &[Instalment],
        payments: &[Payment],
        point: &ObservationPoint<'_>,
    ) -> Result<Repayment, RepaymentError> {
        let mut due: Vec<Instalment> = instalments.iter().copied().filter(|i| i.due_on < point.day).collect();
        due.sort_unstable_by_key(|i| (i.due_on, i.number));
        let mut paid: Vec<Payment> = payments.iter().copied().filter(|p| p.counts_at(point.micros)).collect();
        paid.sort_unstable_by_key(|p| (p.paid_at, p.amount_minor));

        let mut walk = Walk {
            loan: *loan,
            due,
            reached: 0,
            due_minor: 0,
            due_principal_minor: 0,
            paid_minor: 0,
            accrued: 0,
            accrued_to: point.days.day_of(loan.disbursed_at)?,
            tolerance_minor: self.early_close_tolerance_minor,
            closed_at: None,
            reached_at_close: 0,
        };
        // When the running total of payments reached a sum: (total, instant), both ascending.
        let mut totals = Vec::with_capacity(paid.len());
        for payment in &paid {
            let day = point.days.day_of(payment.paid_at)?;
            walk.fall_due(day, point)?;
            walk.accrue(day);
            walk.paid_minor = add(loan, "payments", walk.paid_minor, payment.amount_minor)?;
            totals.push((walk.paid_minor, payment.paid_at));
            walk.close_if_covered(payment.paid_at)?;
        }
        walk.fall_due(point.day, point)?;
        walk.accrue(point.day);
        self.settle(&walk, &totals, point)
    }

    fn settle(
        &self,
        walk: &Walk<'_>,
        totals: &[(i64, i64)],
        point: &ObservationPoint<'_>,
    ) -> Result<Repayment, RepaymentError> {
        let loan = &walk.loan;
        let owed_in_full = if walk.closed_at.is_some() { walk.reached_at_close } else { walk.due.len() };
        let mut left = walk.paid_minor;
        let mut owed = 0_i64;
        let mut principal_paid = 0_i64;
        let (mut interest_arrears_minor, mut fee_arrears_minor) = (0_i64, 0_i64);
        let mut states = Vec::with_capacity(walk.due.len());
        for (position, instalment) in walk.due.iter().enumerate() {
            let parts = if position < owed_in_full {
                *instalment
            } else {
                let open = (loan.principal_minor - principal_paid).max(0);
                Instalment {
                    fee_minor: 0,
                    interest_minor: 0,
                    principal_minor: instalment.principal_minor.min(open),
                    ..*instalment
                }
            };
            let due_minor = total_of(loan, &parts)?;
            owed = add(loan, "instalments", owed, due_minor)?;
            let settled_at = if position < owed_in_full { reached_at(totals, owed, loan) } else { walk.closed_at };
            let days_late = match settled_at {
                Some(at) => point.days.day_of(at)? - instalment.due_on,
                None => point.day - instalment.due_on,
            };
            let mut state = InstalmentState {
                number: instalment.number,
                due_on: instalment.due_on,
                due_minor,
                paid_fee_minor: 0,
                paid_interest_minor: 0,
                paid_principal_minor: 0,
                settled_at,
                days_late: i64::from(days_late.max(0)),
            };
            for part in self.within {
                let (due, paid) = match part {
                    Part::Fee => (parts.fee_minor, &mut state.paid_fee_minor),
                    Part::Interest => (parts.interest_minor, &mut state.paid_interest_minor),
                    Part::Principal => (parts.principal_minor, &mut state.paid_principal_minor),
                };
                *paid = due.min(left);
                left -= *paid;
            }
            principal_paid = add(loan, "repaid principal", principal_paid, state.paid_principal_minor)?;
            let unpaid_interest = parts.interest_minor - state.paid_interest_minor;
            interest_arrears_minor = add(loan, "unpaid interest", interest_arrears_minor, unpaid_interest)?;
            let unpaid_fee = parts.fee_minor - state.paid_fee_minor;
            fee_arrears_minor = add(loan, "unpaid fees", fee_arrears_minor, unpaid_fee)?;
            states.push(state);
        }
        let outstanding_minor = if walk.closed_at.is_some() {
            0
        } else {
            (loan.principal_minor - add(loan, "repaid principal", principal_paid, left)?).max(0)
        };
        let repaid_early = match walk.closed_at {
            None => None,
            Some(at) => {
                let held_for = point.days.day_of(at)? - point.days.day_of(loan.disbursed_at)?;
                Some(i64::from(held_for) < loan.term_days)
            }
        };
        Ok(Repayment {
            paid_minor: walk.paid_minor,
            surplus_minor: left,
            outstanding_minor,
            arrears_minor: states.iter().map(|s| s.due_minor - s.paid_minor()).sum(),
            interest_arrears_minor,
            fee_arrears_minor,
            payoff_minor: if walk.closed_at.is_some() { 0 } else { walk.payoff()?.max(0) },
            dpd: states.iter().filter(|s| s.settled_at.is_none()).map(|s| s.days_late).max().unwrap_or(0),
            worst_dpd: states.iter().map(|s| s.days_late).max().unwrap_or(0),
            closed_at: walk.closed_at,
            repaid_early,
            instalments: states,
        })
    }
}

impl Walk<'_> {
    /// Lets instalments due on or before `day` fall due.
    fn fall_due(&mut self, day: i32, point: &ObservationPoint<'_>) -> Result<(), RepaymentError> {
        while let Some(next) = self.due.get(self.reached).copied().filter(|i| i.due_on <= day) {
            self.accrue(next.due_on);
            let next = self.owed_at(next)?;
            let due = total_of(&self.loan, &next)?;
            self.due_minor = add(&self.loan, "instalments", self.due_minor, due)?;
            self.due_principal_minor =
                add(&self.loan, "scheduled principal", self.due_principal_minor, next.principal_minor)?;
            self.reached += 1;
            // The interest of the period that ends here is in the schedule.
            self.accrued = 0;
            // A due date before disbursement is a flaw of the source, and closes nothing before the money was out.
            let begins = point.days.midnight(next.due_on).unwrap_or(self.loan.disbursed_at).max(self.loan.disbursed_at);
            self.close_if_covered(begins)?;
        }
        Ok(())
    }

    /// What an instalment asks for as it falls due. That of a loan repaid by a share of sales asks for no more interest than has accrued.
    fn owed_at(&mut self, instalment: Instalment) -> Result<Instalment, RepaymentError> {
        if self.loan.sales_share_ppm.is_none() {
            return Ok(instalment);
        }
        let accrued = self.accrued_interest(500_000)?;
        let owed = Instalment { interest_minor: instalment.interest_minor.min(accrued), ..instalment };
        if let Some(kept) = self.due.get_mut(self.reached) {
            *kept = owed;
        }
        Ok(owed)
    }

    /// Interest accrued since the last due date, in minor units: of what is less than one, `rounding` millionths are added first.
    fn accrued_interest(&self, rounding: i128) -> Result<i64, RepaymentError> {
        i64::try_from((self.accrued + rounding) / 1_000_000)
            .map_err(|_| RepaymentError::Overflow { loan_id: self.loan.loan_id.to_owned(), what: "accrued interest" })
    }

    /// What is still to be paid for the loan to close today.
    fn payoff(&self) -> Result<i64, RepaymentError> {
        let undue = self.loan.principal_minor.saturating_sub(self.due_principal_minor).max(0);
        let price = add(&self.loan, "the pay-off price", undue, self.accrued_interest(0)?)?;
        Ok(add(&self.loan, "the pay-off price", price, self.due_minor)?.saturating_sub(self.paid_minor))
    }

    /// Principal that is not due yet and not covered by what was paid ahead.
    fn undue_balance(&self) -> i64 {
        let ahead = self.paid_minor.saturating_sub(self.due_minor).max(0);
        self.loan.principal_minor.saturating_sub(self.due_principal_minor).max(0).saturating_sub(ahead).max(0)
    }

    fn accrue(&mut self, day: i32) {
        if day > self.accrued_to {
            let days = i128::from(day) - i128::from(self.accrued_to);
            self.accrued += i128::from(self.undue_balance()) * i128::from(self.loan.daily_rate_ppm) * days;
            self.accrued_to = day;
        }
    }

    fn close_if_covered(&mut self, at: i64) -> Result<(), RepaymentError> {
        if self.closed_at.is_some() {
            return Ok(());
        }
        let accrued = self.accrued_interest(0)?;
        let undue = self.loan.principal_minor.saturating_sub(self.due_principal_minor).max(0);
        let price = add(&self.loan, "the pay-off price", undue, (accrued - self.tolerance_minor).max(0))?;
        if self.paid_minor >= self.due_minor && self.paid_minor - self.due_minor >= price {
            self.closed_at = Some(at);
            self.reached_at_close = self.reached;
        }
        Ok(())
    }
}

/// The instant at which the running total of payments reached `sum`.
fn reached_at(totals: &[(i64, i64)], sum: i64, loan: &LoanTerms<'_>) -> Option<i64> {
    if sum <= 0 {
        return Some(loan.disbursed_at);
    }
    totals.get(totals.partition_point(|&(total, _)| total < sum)).map(|&(_, at)| at)
}

fn total_of(loan: &LoanTerms<'_>, instalment: &Instalment) -> Result<i64, RepaymentError> {
    let charges = add(loan, "an instalment", instalment.fee_minor, instalment.interest_minor)?;
    add(loan, "an instalment", charges, instalment.principal_minor)
}

fn add(loan: &LoanTerms<'_>, what: &'static str, a: i64, b: i64) -> Result<i64, RepaymentError> {
    a.checked_add(b).ok_or_else(|| RepaymentError::Overflow { loan_id: loan.loan_id.to_owned(), what })
}

#[cfg(test)]
#[path = "waterfall_tests.rs"]
mod tests;
