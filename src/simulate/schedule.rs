//! Instalment schedules: who owes what on which day.

use super::draw::whole;
use crate::domain::elementary::pow;

/// One instalment; days are simulated days, money minor units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instalment {
    pub(super) due_day: i64,
    pub(super) principal: i64,
    pub(super) interest: i64,
    pub(super) fee: i64,
    pub(super) paid: i64,
}

impl Instalment {
    pub(super) const fn owed(&self) -> i64 {
        self.principal + self.interest + self.fee - self.paid
    }
}

/// How a loan is repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repayment {
    Bullet,
    EqualPrincipal,
    EqualInstalment,
}

impl Repayment {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bullet => "bullet",
            Self::EqualPrincipal => "equal-principal",
            Self::EqualInstalment => "equal-instalment",
        }
    }
}

/// Interest on `principal` for `days` at `ppm` a day, rounded half up.
pub(super) fn interest(principal: i64, days: i64, ppm: i64) -> i64 {
    let millionths = i128::from(principal) * i128::from(days) * i128::from(ppm);
    i64::try_from((millionths + 500_000) / 1_000_000).unwrap_or(i64::MAX)
}

/// Instalments every thirty days, the last on the day the term ends; principal parts sum to the principal.
pub(super) fn schedule(
    day: i64,
    principal: i64,
    term_days: i64,
    ppm: i64,
    repayment: Repayment,
    fee: i64,
) -> Vec<Instalment> {
    let number = if repayment == Repayment::Bullet { 1 } else { (term_days / 30).max(1) };
    let mut instalments = Vec::new();
    let (mut left, mut previous) = (principal, 0);
    for n in 1..=number {
        let due = if n == number { term_days } else { 30 * n };
        let due_interest = interest(left, due - previous, ppm);
        let part = if n == number {
            left
        } else if repayment == Repayment::EqualInstalment {
            (annuity(principal, number, 30.0 * ppm as f64 / 1e6) - due_interest).clamp(0, left)
        } else {
            (principal / number).min(left)
        };
        let fee = if n == 1 { fee } else { 0 };
        instalments.push(Instalment { due_day: day + due, principal: part, interest: due_interest, fee, paid: 0 });
        left -= part;
        previous = due;
    }
    instalments
}

/// The level instalment that repays `principal` in `number` periods at `rate` a period.
fn annuity(principal: i64, number: i64, rate: f64) -> i64 {
    if rate <= 0.0 {
        return principal / number.max(1);
    }
    whole((principal as f64 * rate / (1.0 - pow(1.0 + rate, -(number as f64)))).round())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principal_parts_sum_to_the_principal() {
        for repayment in [Repayment::Bullet, Repayment::EqualPrincipal, Repayment::EqualInstalment] {
            for (principal, term) in [(1, 7), (999_990, 4), (1_234_567, 90), (100_000_000, 365)] {
                let parts = schedule(10, principal, term, 500, repayment, 0);
                assert_eq!(parts.iter().map(|p| p.principal).sum::<i64>(), principal);
                assert_eq!(parts.last().unwrap().due_day, 10 + term);
                assert!(parts.iter().all(|p| p.principal >= 0 && p.interest >= 0));
            }
        }
    }

    #[test]
    fn level_instalments_are_level() {
        let parts = schedule(0, 1_000_000, 90, 500, Repayment::EqualInstalment, 0);
        let owed: Vec<i64> = parts.iter().map(Instalment::owed).collect();
        // 1,000,000 × 0.015 / (1 − 1.015⁻³) = 343,382.97; what rounding leaves over falls on the last interest.
        assert_eq!(owed, [343_383, 343_383, 343_383]);
    }

    #[test]
    fn a_four_day_order_loan_costs_a_fifth_of_a_percent() {
        let parts = schedule(0, 500_000, 4, 500, Repayment::Bullet, 0);
        assert_eq!(parts, [Instalment { due_day: 4, principal: 500_000, interest: 1_000, fee: 0, paid: 0 }]);
    }
}
