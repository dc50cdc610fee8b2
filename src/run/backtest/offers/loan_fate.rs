//! Loans that were really made in the replayed period, and how each ended as far as is known.

use std::collections::HashMap;

use jiff::civil::Date;

use super::figures::MoneyRange;
use crate::domain::{AsOf, date_of_days, parallel};
use crate::offer::Policy;
use crate::repayment::{LoanEarnings, loan_earnings};
use crate::run::backtest::BacktestError;
use crate::run::rules::JobRules;
use crate::store::Store;

/// A loan that was really made.
#[derive(Debug, Clone)]
pub struct MadeLoan {
    /// The loan.
    pub loan_id: String,
    /// The borrower.
    pub merchant_id: String,
    /// Its product; `None` where it is not known.
    pub product: Option<String>,
    /// What was lent; `None` where it is not known.
    pub principal_minor: Option<i64>,
    /// When; `None` where the books do not agree: between the dates on which it was first seen.
    pub disbursed_on: Option<Date>,
    /// When nothing was owed any more.
    pub closed_on: Option<Date>,
    /// What became of it; `None` where the books do not agree.
    fate: Option<Fate>,
}

/// What the books say at the end.
#[derive(Debug, Clone, Copy)]
struct Fate {
    principal_minor: i64,
    outstanding_minor: i64,
    earned_minor: i64,
    money_days: i128,
    to_come_minor: i64,
    money_days_to_come: i128,
    agreed_minor: i64,
    agreed_money_days: i128,
    is_closed: bool,
    is_written_off: bool,
    was_in_default: bool,
}

/// What a policy prices money with.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Funding and running cost a day.
    carry_ppm: i64,
    /// No loan earns more than this.
    most_earned_ppm: i128,
    /// Days from the first date until the end: no loan of the period was owed for longer.
    days: i64,
}

impl Costs {
    pub fn of(policy: &Policy, days: i64) -> Self {
        let longest = policy.products.iter().map(|product| product.term_days).max().unwrap_or_default();
        Self {
            carry_ppm: policy.price.funding_daily_ppm.saturating_add(policy.price.cost_daily_ppm),
            most_earned_ppm: i128::from(policy.price.max_daily_rate_ppm) * i128::from(longest),
            days,
        }
    }

    /// Cost of money, rounded up.
    fn carry(&self, money_days: i128) -> i64 {
        fitted(div_up(money_days * i128::from(self.carry_ppm), 1_000_000))
    }
}

/// What became of a loan as far as a policy would have made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanResult {
    /// What the policy would have lent of it; `None` where the sum is not known.
    pub lent_minor: Option<i64>,
    /// The loan was larger than the limit.
    pub is_above_limit: bool,
    /// `None` where nobody knows.
    pub is_bad: Option<bool>,
    /// Principal lost.
    pub loss_minor: MoneyRange,
    /// Profit.
    pub profit_minor: MoneyRange,
}

impl MadeLoan {
    /// What became of it, had no more than `room_minor` been lent of it.
    pub fn result(&self, room_minor: i64, costs: &Costs) -> LoanResult {
        let Some(principal) = self.principal_minor else {
            let nothing = MoneyRange::default();
            return LoanResult {
                lent_minor: None,
                is_above_limit: false,
                is_bad: None,
                loss_minor: nothing,
                profit_minor: nothing,
            };
        };
        let lent = principal.min(room_minor);
        let is_above_limit = lent < principal;
        match &self.fate {
            None => {
                let carried = costs.carry(i128::from(lent) * i128::from(costs.days));
                LoanResult {
                    lent_minor: Some(lent),
                    is_above_limit,
                    is_bad: None,
                    loss_minor: MoneyRange { lowest_minor: 0, highest_minor: lent },
                    profit_minor: MoneyRange {
                        lowest_minor: lent.saturating_add(carried).saturating_neg(),
                        highest_minor: fitted(div_up(i128::from(lent) * costs.most_earned_ppm, 1_000_000)),
                    },
                }
            }
            Some(fate) if !is_above_limit => fate.whole(costs),
            Some(fate) => fate.part(lent, costs),
        }
    }
}

impl Fate {
    /// Never in default, and repaid: nothing is open.
    const fn is_good(&self) -> bool {
        self.is_closed && !self.was_in_default
    }

    /// Whether how much is lost is settled.
    const fn is_over(&self) -> bool {
        self.is_closed || self.is_written_off
    }

    const fn is_bad(&self) -> Option<bool> {
        match (self.was_in_default, self.is_closed) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    fn whole(&self, costs: &Costs) -> LoanResult {
        let so_far = self.earned_minor.saturating_sub(costs.carry(self.money_days));
        let lost = so_far.saturating_sub(self.outstanding_minor);
        let (loss_minor, profit_minor) = if self.is_over() {
            (MoneyRange::known(self.outstanding_minor), MoneyRange::known(lost))
        } else {
            // At best it is repaid by its schedule, or paid off at once where that costs less; at worst all that is owed is lost.
            let to_come = self.to_come_minor.saturating_sub(costs.carry(self.money_days_to_come)).max(0);
            let loss = MoneyRange { lowest_minor: 0, highest_minor: self.outstanding_minor };
            (loss, MoneyRange { lowest_minor: lost, highest_minor: so_far.saturating_add(to_come) })
        };
        LoanResult {
            lent_minor: Some(self.principal_minor),
            is_above_limit: false,
            is_bad: self.is_bad(),
            loss_minor,
            profit_minor,
        }
    }

    /// A smaller loan: one that was repaid would have been repaid, of any other nobody knows; at worst as much is lost as was, at best it
    /// would have been repaid by its schedule.
    fn part(&self, lent_minor: i64, costs: &Costs) -> LoanResult {
        let whole = self.whole(costs);
        let (low, high) = (whole.profit_minor.lowest_minor, whole.profit_minor.highest_minor);
        let down = |minor: i64| self.scaled(minor, lent_minor).0;
        let up = |minor: i64| self.scaled(minor, lent_minor).1;
        let (loss_minor, profit_minor) = if self.is_good() {
            (MoneyRange::known(0), MoneyRange { lowest_minor: down(low), highest_minor: up(high) })
        } else {
            let lost = lent_minor.min(self.outstanding_minor);
            let so_far = down(self.earned_minor.saturating_sub(costs.carry(self.money_days)));
            let agreed = up(self.agreed_minor.saturating_sub(costs.carry(self.agreed_money_days)));
            let lowest_minor = so_far.saturating_sub(lost);
            let profit = MoneyRange { lowest_minor, highest_minor: agreed.max(up(high)).max(lowest_minor) };
            (MoneyRange { lowest_minor: 0, highest_minor: lost }, profit)
        };
        LoanResult {
            lent_minor: Some(lent_minor),
            is_above_limit: true,
            is_bad: self.is_good().then_some(false),
            loss_minor,
            profit_minor,
        }
    }

    /// Of an amount of the whole loan the part of the smaller one, rounded down and up.
    fn scaled(&self, minor: i64, lent_minor: i64) -> (i64, i64) {
        let (part, whole) = (i128::from(minor) * i128::from(lent_minor), i128::from(self.principal_minor.max(1)));
        (fitted(part.div_euclid(whole)), fitted(div_up(part, whole)))
    }
}

fn div_up(part: i128, whole: i128) -> i128 {
    -((-part).div_euclid(whole))
}

fn fitted(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

/// The loans of the period, and how they are found.
pub struct MadeLoans {
    /// In the order of borrowers and loans.
    pub loans: Vec<MadeLoan>,
    /// Position by loan.
    pub by_id: HashMap<String, usize>,
    /// Days from the first date until the end of the data.
    pub days: i64,
    /// Loans that nothing names by an id: they are followed by nothing.
    pub nameless: u64,
}

impl MadeLoans {
    /// Loans that were made from a date until before another, as the books tell it at the end, and those whose books do not agree, whenever they
    /// were made: on which dates these are seen first says when.
    ///
    /// # Errors
    /// The store cannot be read, or the job has no loan book.
    pub fn read(
        store: &Store,
        as_of: &AsOf,
        rules: &JobRules,
        (from, until): (Date, Date),
    ) -> Result<Self, BacktestError> {
        let by_bucket = parallel::each((0..store.buckets()).collect(), |bucket| {
            let shard = store.seen(&store.loans(bucket)?, as_of)?;
            loan_earnings(&shard, &rules.ledger)?.ok_or(BacktestError::NoLoanBook)
        })?;
        let mut made = Self {
            loans: Vec::new(),
            by_id: HashMap::new(),
            days: i64::from(crate::domain::days_between(from, as_of.date())),
            nameless: 0,
        };
        for (known, unknown) in by_bucket {
            let known = known
                .into_iter()
                .filter(|loan| loan.standing.history.disbursed_on.is_some_and(|on| (from..until).contains(&on)));
            made.loans.extend(known.map(MadeLoan::known));
            for loan in unknown {
                let Some(loan_id) = loan.loan_id else {
                    made.nameless += 1;
                    continue;
                };
                made.loans.push(MadeLoan {
                    loan_id,
                    merchant_id: loan.merchant_id,
                    product: loan.product,
                    principal_minor: loan.principal_minor.filter(|principal| *principal > 0),
                    disbursed_on: None,
                    closed_on: None,
                    fate: None,
                });
            }
        }
        made.loans.sort_by(|a, b| (&a.merchant_id, &a.loan_id).cmp(&(&b.merchant_id, &b.loan_id)));
        made.by_id = made.loans.iter().enumerate().map(|(at, loan)| (loan.loan_id.clone(), at)).collect();
        Ok(made)
    }
}

impl MadeLoan {
    /// A loan whose books agree.
    pub(super) fn known(loan: LoanEarnings) -> Self {
        let standing = loan.standing;
        Self {
            loan_id: standing.loan_id,
            merchant_id: standing.merchant_id,
            product: Some(standing.product),
            principal_minor: Some(standing.principal_minor),
            disbursed_on: standing.history.disbursed_on,
            closed_on: loan.closed_on.and_then(|day| date_of_days(i64::from(day))),
            fate: Some(Fate {
                principal_minor: standing.principal_minor,
                outstanding_minor: standing.outstanding_minor,
                earned_minor: loan.earned_minor,
                money_days: loan.money_days,
                to_come_minor: loan.to_come_minor,
                money_days_to_come: loan.money_days_to_come,
                agreed_minor: loan.agreed_minor,
                agreed_money_days: loan.agreed_money_days,
                is_closed: standing.is_closed,
                is_written_off: standing.is_written_off,
                was_in_default: standing.history.default_first_on.is_some(),
            }),
        }
    }

    /// The same loan, had its books not agreed.
    #[cfg(test)]
    pub(super) fn with_unknown_books(self) -> Self {
        Self { fate: None, disbursed_on: None, closed_on: None, ..self }
    }

    /// Whether its books agree at the end.
    pub const fn is_known(&self) -> bool {
        self.fate.is_some()
    }
}
