//! What became of a lender's money.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::lender::Lender;
use super::unserved::unserved;
use crate::simulate::BookOnDay;

/// What became of one lender's money, all of it known: after the last month nothing more is lent, and the book runs off.
///
/// Shares are null where there is nothing to divide by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LenderFigures {
    /// Non-performing share: the principal outstanding of borrowers with a loan more than 90 days past due or in default (order loans from
    /// 30 days on), divided by all principal outstanding; both summed over the mornings of all nights in the second half of the months, when
    /// the book has seasoned. What is written off has left both.
    pub npl_share: Option<f64>,
    /// The highest such share on any one of these mornings.
    pub npl_worst_share: Option<f64>,
    /// As `npl_share`, with what was written off in the 360 days before still counted in both: how a lender who writes off late would
    /// stand.
    pub npl_with_written_off_share: Option<f64>,
    /// Of the merchants who asked for money at least once, those who got some.
    pub served_share: Option<f64>,
    /// Merchants who asked at least once.
    pub asked: u64,
    /// Of these, those who got money.
    pub served: u64,
    /// Requests; a merchant asks again and again.
    pub requests: u64,
    /// Of the requests, those that were followed by a loan.
    pub requests_served_share: Option<f64>,
    /// Of the money asked for, what was lent.
    pub money_served_share: Option<f64>,
    /// Requests left unserved although an offer stood: it was too dear.
    pub requests_too_dear: u64,
    /// Loans.
    pub loans: u64,
    /// Principal lent.
    pub lent_minor: i64,
    /// Principal written off, or still owed at the end of the run-off.
    pub loss_minor: i64,
    /// Of the principal lent, what was lent on loans that came to be in default.
    pub bad_share: Option<f64>,
    /// All that was paid, less all that was lent, less funding and running cost for every evening that principal was owed.
    pub profit_minor: i64,
    /// Nights on which the job published nothing.
    pub nights_stopped: u64,
    /// Requests that no loan followed, by reason: the merchant's own where an offer stood, else the first reason of the night that declined.
    pub unserved_requests: BTreeMap<String, u64>,
    /// Merchants who asked and never got money, each under the reason of most of its requests.
    pub unserved_merchants: BTreeMap<String, u64>,
}

impl LenderFigures {
    /// Once the marketplace has run off. `seasoned_from` is the first morning of the second half.
    pub(super) fn of(lender: &Lender, seasoned_from: Date) -> Self {
        let lent = lender.market.lent();
        let requests = lender.market.requests();
        let mornings = || lender.books.iter().filter(|(on, _)| *on >= seasoned_from).map(|(_, book)| book);
        let sum = |of: fn(&BookOnDay) -> i64| mornings().map(|b| i128::from(of(b))).sum::<i128>();
        let (outstanding, bad) = (sum(|b| b.outstanding_minor), sum(|b| b.non_performing_minor));
        let written_off = sum(|b| b.written_off_minor);
        let worst = mornings().filter_map(|b| share(b.non_performing_minor.into(), b.outstanding_minor.into()));
        let asked = requests.len() as u64;
        let got_money: BTreeSet<u64> = requests.iter().filter(|(_, r)| r.lent_minor > 0).map(|(m, _)| *m).collect();
        let served = got_money.len() as u64;
        let (unserved_requests, unserved_merchants) = unserved(lender, &got_money);
        let all_requests: u64 = requests.values().map(|r| r.requests).sum();
        let lent_minor: i64 = lent.iter().map(|l| l.principal_minor).sum();
        let defaulted: i64 = lent.iter().filter(|l| l.has_defaulted).map(|l| l.principal_minor).sum();
        Self {
            npl_share: share(bad, outstanding),
            npl_worst_share: worst.max_by(f64::total_cmp),
            npl_with_written_off_share: share(bad + written_off, outstanding + written_off),
            served_share: share(served.into(), asked.into()),
            asked,
            served,
            requests: all_requests,
            requests_served_share: share(requests.values().map(|r| i128::from(r.served)).sum(), all_requests.into()),
            money_served_share: share(lent_minor.into(), requests.values().map(|r| i128::from(r.wanted_minor)).sum()),
            requests_too_dear: requests.values().map(|r| r.too_dear).sum(),
            loans: lent.len() as u64,
            lent_minor,
            loss_minor: lent.iter().map(|l| l.lost_minor).sum(),
            bad_share: share(defaulted.into(), lent_minor.into()),
            profit_minor: lent.iter().map(|l| l.profit_minor).sum(),
            nights_stopped: lender.stopped.len() as u64,
            unserved_requests,
            unserved_merchants,
        }
    }
}

/// A part of a whole; null where there is no whole.
pub(super) fn share(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
