//! Instalment schedules: who owes what on which day.

use super::calendar::Second;
use super::credit::Terms;
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

/// A schedule as the lender wrote it down: all of its instalments at once, none of them paid yet.
#[derive(Debug, Clone)]
pub(super) struct ScheduleVersion {
    pub(super) recorded: Second,
    pub(super) instalments: Vec<Instalment>,
}

/// Pays the oldest instalments first.
pub(super) fn settle(instalments: &mut [Instalment], mut amount: i64) {
    for instalment in instalments {
        let part = amount.min(instalment.owed());
        instalment.paid += part;
        amount -= part;
    }
}

/// How a loan is repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repayment {
    Bullet,
    EqualPrincipal,
    EqualInstalment,
    /// A share of each day's receipts; by every milestone so much of the principal at the least.
    SalesShare {
        share_ppm: i64,
        min_ppm: i64,
    },
}

impl Repayment {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bullet => "bullet",
            Self::EqualPrincipal => "equal-principal",
            Self::EqualInstalment => "equal-instalment",
            Self::SalesShare { .. } => "sales-share",
        }
    }

    /// The share of a day's receipts that is taken.
    pub(super) const fn share_ppm(self) -> Option<i64> {
        match self {
            Self::SalesShare { share_ppm, .. } => Some(share_ppm),
            Self::Bullet | Self::EqualPrincipal | Self::EqualInstalment => None,
        }
    }
}

/// Interest on `principal` for `days` at `ppm` a day, rounded half up.
pub(super) fn interest(principal: i64, days: i64, ppm: i64) -> i64 {
    let millionths = i128::from(principal) * i128::from(days) * i128::from(ppm);
    i64::try_from((millionths + 500_000) / 1_000_000).unwrap_or(i64::MAX)
}

/// Days between instalments, where the lender does not say otherwise.
pub(super) const MONTH_DAYS: i64 = 30;

/// The schedule of a loan paid out on `day`: instalments evenly spaced, the last on the day the term ends; principal parts sum to the
/// principal.
pub(super) fn schedule(day: i64, terms: &Terms) -> Vec<Instalment> {
    let Terms { principal, term_days, daily_rate_ppm: ppm, repayment, spacing, fee, .. } = *terms;
    let number = match repayment {
        Repayment::Bullet => 1,
        Repayment::SalesShare { .. } => (term_days + spacing - 1) / spacing,
        Repayment::EqualPrincipal | Repayment::EqualInstalment => (term_days / spacing).max(1),
    };
    let mut instalments = Vec::new();
    let (mut left, mut previous) = (principal, 0);
    for n in 1..=number {
        let due = if n == number { term_days } else { spacing * n };
        let due_interest = interest(left, due - previous, ppm);
        let part = match repayment {
            _ if n == number => left,
            Repayment::EqualInstalment => {
                (annuity(principal, number, spacing as f64 * ppm as f64 / 1e6) - due_interest).clamp(0, left)
            }
            Repayment::SalesShare { min_ppm, .. } => {
                let by_then = i128::from(principal) * i128::from(min_ppm) * i128::from(n) / 1_000_000;
                (i64::try_from(by_then).unwrap_or(i64::MAX) - (principal - left)).clamp(0, left)
            }
            Repayment::Bullet | Repayment::EqualPrincipal => (principal / number).min(left),
        };
        let fee = if n == 1 { fee } else { 0 };
        instalments.push(Instalment { due_day: day + due, principal: part, interest: due_interest, fee, paid: 0 });
        left -= part;
        previous = due;
    }
    instalments
}

/// The schedule of a loan paid out on `opened_day` whose terms are eased on `day`. What is settled stays as it was. The principal of
/// the rest falls due in equal parts every thirty days, over `more` instalments more than were left, so that the whole still sums to what
/// was lent; its interest runs on from the last settled due date, and what was paid towards it is kept.
pub(super) fn eased(instalments: &[Instalment], opened_day: i64, day: i64, ppm: i64, more: i64) -> Vec<Instalment> {
    let settled = instalments.iter().take_while(|i| i.owed() <= 0).count();
    let (kept, rest) = instalments.split_at(settled);
    let mut left: i64 = rest.iter().map(|i| i.principal).sum();
    let number = i64::try_from(rest.len()).unwrap_or(1) + more;
    let part = left / number.max(1);
    let mut previous = kept.last().map_or(opened_day, |i| i.due_day);
    let mut renewed = Vec::new();
    for n in 1..=number {
        let due_day = day + 30 * n;
        let fee = if n == 1 { rest.iter().map(|i| i.fee).sum() } else { 0 };
        let principal = if n == number { left } else { part };
        renewed.push(Instalment {
            due_day,
            principal,
            interest: interest(left, due_day - previous, ppm),
            fee,
            paid: 0,
        });
        left -= principal;
        previous = due_day;
    }
    settle(&mut renewed, rest.iter().map(|i| i.paid).sum());
    [kept.to_vec(), renewed].concat()
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

    fn schedule(day: i64, principal: i64, term: i64, ppm: i64, repayment: Repayment, fee: i64) -> Vec<Instalment> {
        let (product, spacing, group, offer) = ("credit-loan", MONTH_DAYS, None, None);
        let pledged = Vec::new();
        let terms = Terms {
            product,
            principal,
            term_days: term,
            daily_rate_ppm: ppm,
            repayment,
            spacing,
            fee,
            group,
            offer,
            pledged,
        };
        super::schedule(day, &terms)
    }

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
    fn eased_terms_keep_what_was_settled_and_lend_nothing_anew() {
        let mut parts = schedule(10, 1_234_567, 120, 500, Repayment::EqualPrincipal, 700);
        let first = parts[0].owed();
        settle(&mut parts, first + 5_000);
        let eased = eased(&parts, 10, 115, 500, 2);
        assert_eq!(eased.len(), 6);
        assert_eq!(eased[0], parts[0]);
        assert_eq!(eased.iter().map(|i| i.principal).sum::<i64>(), 1_234_567);
        assert_eq!(eased.iter().map(|i| i.paid).sum::<i64>(), first + 5_000);
        assert_eq!(eased.iter().map(|i| i.due_day).collect::<Vec<_>>(), [40, 145, 175, 205, 235, 265]);
        // 925,926 from day 40 to day 145: 105 days at 0.05 %.
        assert_eq!(eased[1].interest, interest(1_234_567 - parts[0].principal, 105, 500));
    }

    #[test]
    fn a_four_day_order_loan_costs_a_fifth_of_a_percent() {
        let parts = schedule(0, 500_000, 4, 500, Repayment::Bullet, 0);
        assert_eq!(parts, [Instalment { due_day: 4, principal: 500_000, interest: 1_000, fee: 0, paid: 0 }]);
    }
}
