//! Figures of a backtest of offers: sums over loans and offers, and the ranges of what is not known.

use serde::Serialize;

use super::loan_fate::LoanResult;

/// A sum of money from its lowest to its highest value, in minor units; known where they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MoneyRange {
    /// Lowest.
    pub lowest_minor: i64,
    /// Highest.
    pub highest_minor: i64,
}

impl MoneyRange {
    /// A sum that is known.
    pub(super) const fn known(minor: i64) -> Self {
        Self { lowest_minor: minor, highest_minor: minor }
    }

    fn add(&mut self, other: Self) {
        self.lowest_minor = self.lowest_minor.saturating_add(other.lowest_minor);
        self.highest_minor = self.highest_minor.saturating_add(other.highest_minor);
    }
}

/// A share from its lowest to its highest value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareRange {
    /// Lowest.
    pub lowest: f64,
    /// Highest.
    pub highest: f64,
}

impl ShareRange {
    /// `part ÷ whole` to `(part + unknown) ÷ whole`; `None` without a whole.
    pub(super) fn of(part: u64, unknown: u64, whole: u64) -> Option<Self> {
        (whole > 0)
            .then(|| Self { lowest: part as f64 / whole as f64, highest: (part + unknown) as f64 / whole as f64 })
    }

    /// A sum against a whole.
    pub(super) fn of_money(part: MoneyRange, whole: i64) -> Option<Self> {
        let share = |minor: i64| minor as f64 / whole as f64;
        (whole > 0).then(|| Self { lowest: share(part.lowest_minor), highest: share(part.highest_minor) })
    }
}

/// What became of some of the loans that were really made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LoanFigures {
    /// Loans.
    pub loans: u64,
    /// Of these, larger than the limit: followed as loans of what the limit left.
    pub above_limit: u64,
    /// Of these, such of which not even the sum is known: they are in no sum of money.
    pub without_principal: u64,
    /// Money lent, up to the limit.
    pub lent_minor: i64,
    /// Never in default, and repaid.
    pub good: u64,
    /// In default at some time, or written off.
    pub bad: u64,
    /// Neither: still open, or larger than the limit and bad, or of unknown books.
    pub unknown: u64,
    /// Share of loans that are bad.
    pub bad_share: Option<ShareRange>,
    /// Principal lost: written off, or still owed at the end.
    pub loss_minor: MoneyRange,
    /// As a share of what was lent.
    pub loss_share: Option<ShareRange>,
    /// Paid, less what was lent, less funding and running cost by the policy's rates for every evening that principal was owed; at the price that
    /// the loan really had.
    pub profit_minor: MoneyRange,
    /// What the policy's own probabilities of default within the term say of bad loans, over loans that it has an offer for; null for others.
    pub foreseen_bad: Option<f64>,
}

impl LoanFigures {
    pub(super) fn add(&mut self, result: &LoanResult, term_pd_prob: Option<f64>) {
        self.loans += 1;
        self.above_limit += u64::from(result.is_above_limit);
        match result.is_bad {
            Some(true) => self.bad += 1,
            Some(false) => self.good += 1,
            None => self.unknown += 1,
        }
        if let Some(prob) = term_pd_prob {
            *self.foreseen_bad.get_or_insert(0.0) += prob;
        }
        match result.lent_minor {
            Some(lent) => self.lent_minor = self.lent_minor.saturating_add(lent),
            None => self.without_principal += 1,
        }
        self.loss_minor.add(result.loss_minor);
        self.profit_minor.add(result.profit_minor);
    }

    pub(super) fn closed(mut self) -> Self {
        self.bad_share = ShareRange::of(self.bad, self.unknown, self.loans);
        self.loss_share = ShareRange::of_money(self.loss_minor, self.lent_minor);
        self
    }
}

/// Offers of all dates, an offer that stands on several dates counted on each, and whether a loan was made while it stood.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct OfferFigures {
    /// Offers.
    pub offers: u64,
    /// Their limits.
    pub limit_minor: i64,
    /// Offers whose merchant really drew a loan of the product before the next date.
    pub with_loan: u64,
    /// Of these, such of which a loan is bad.
    pub bad: u64,
    /// Of these, such of which no loan is bad and one is not known yet.
    pub unknown: u64,
    /// Offers whose merchant drew none: nobody knows what would have become of them.
    pub without_loan: u64,
    /// Their limits.
    pub without_loan_minor: i64,
    /// Share of offers that are bad, those without a loan at either end.
    pub bad_share: Option<ShareRange>,
}

impl OfferFigures {
    /// Adds an offer and the loans that were made while it stood.
    pub(super) fn add(&mut self, limit_minor: i64, loans: &[Option<bool>]) {
        self.offers += 1;
        self.limit_minor = self.limit_minor.saturating_add(limit_minor);
        if loans.is_empty() {
            self.without_loan += 1;
            self.without_loan_minor = self.without_loan_minor.saturating_add(limit_minor);
            return;
        }
        self.with_loan += 1;
        if loans.contains(&Some(true)) {
            self.bad += 1;
        } else if loans.contains(&None) {
            self.unknown += 1;
        }
    }

    pub(super) fn closed(mut self) -> Self {
        self.bad_share = ShareRange::of(self.bad, self.unknown + self.without_loan, self.offers);
        self
    }
}

/// How many are offered something.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Approval {
    /// Merchants decided on, on every date.
    pub decided: u64,
    /// Of these, those who are offered at least one product.
    pub offered: u64,
    /// As a share.
    pub offered_share: Option<f64>,
    /// Requests that waited for an answer: merchants and products.
    pub asked: u64,
    /// Of these, those that are offered the product.
    pub asked_offered: u64,
    /// As a share; null where nobody asked, or requests are not taken or not known.
    pub asked_offered_share: Option<f64>,
}

impl Approval {
    pub(super) fn closed(mut self) -> Self {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        self.offered_share = share(self.offered, self.decided);
        self.asked_offered_share = share(self.asked_offered, self.asked);
        self
    }
}
