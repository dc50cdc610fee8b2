//! What a night leaves to the next about every loan: a loan does not vanish because its row is no longer sent, or its borrower's.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::standing::{LoanStanding, ReceivedPayment};
use super::unknown::UnknownLoan;

/// How a loan stood when its books last agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastKnown {
    /// They never did, as far as nights tell.
    Never,
    /// Something was owed.
    Open,
    /// Something was owed, and it was in default.
    InDefault,
    /// Nothing was owed any more.
    Closed,
    /// The same, for so long that the loan need not be sent again.
    Settled,
}

/// What the next night compares one loan with: a row of `remembered_loans.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedLoan {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Its product, where a sound row ever said so.
    pub product: Option<String>,
    /// What was lent, where a sound row ever said so.
    pub principal_minor: Option<i64>,
    /// The guarantee group that is jointly liable, where a sound row ever said so.
    pub group_id: Option<String>,
    /// How it stood when its books last agreed.
    pub last_known: LastKnown,
    /// As-of date of the last night on which they did; `None` where they never did.
    pub known_on: Option<Date>,
    /// Principal not repaid then.
    pub outstanding_minor: Option<i64>,
    /// Payments that had arrived by then, reversed ones included. `None` where nothing was ever known of them, or the lender says that they were
    /// corrected.
    pub payments: Option<i64>,
    /// What these came to.
    pub received_minor: Option<i64>,
    /// Each of them as JSON, a list of instant, sum and id ([`ReceivedPayment`]).
    pub received_json: Option<String>,
    /// Those of them that had bounced, likewise. `None` also in runs that did not leave it.
    pub bounced_json: Option<String>,
    /// What was lent, as [`super::promise::Promise::lent`]. `None` where nothing was ever known of it, or the lender says that the terms were corrected;
    /// so are the four that follow, and offer and pledge.
    pub lent_digest: Option<String>,
    /// What falls due and when, as [`super::promise::Promise::schedule`].
    pub schedule_digest: Option<String>,
    /// When the last instalment falls due.
    pub ends_on: Option<Date>,
    /// When its terms were eased; `None` also where they never were.
    pub restructured_on: Option<Date>,
    /// The lender wrote it off.
    pub is_written_off: Option<bool>,
    /// The offer that it was drawn on, where its row named one.
    pub offer_id: Option<String>,
    /// The orders that it rests on, as [`super::promise::Promise::pledge`].
    pub pledge_digest: Option<String>,
    /// Of a loan that was never known under this merchant: the one under whom an earlier night knew it.
    pub borrower_before: Option<String>,
}

/// Puts what was remembered of each loan of which the lender says whose it is under that merchant, and forgets it under any other: the night holds the
/// loan's rows there against what was known of it.
pub fn put_under_borrowers(loans: &mut Vec<RememberedLoan>, borrowers: &BTreeMap<String, String>) {
    let mut named: BTreeMap<String, RememberedLoan> = BTreeMap::new();
    let best = |loan: &RememberedLoan| (loan.borrower_before.is_none(), loan.known_on);
    for loan in loans.extract_if(.., |loan| borrowers.contains_key(&loan.loan_id)) {
        match named.get(&loan.loan_id) {
            Some(other) if best(other) >= best(&loan) => {}
            _ => _ = named.insert(loan.loan_id.clone(), loan),
        }
    }
    loans.extend(named.into_iter().filter_map(|(loan_id, loan)| {
        let merchant_id = borrowers.get(&loan_id)?.clone();
        Some(RememberedLoan { merchant_id, borrower_before: None, ..loan })
    }));
}

impl RememberedLoan {
    /// Of a loan whose books agree tonight.
    pub(super) fn known(loan: &LoanStanding, before: Option<&Self>, tonight: Date) -> Self {
        let received = with_latest_known_dates(&loan.received, &before.and_then(Self::received).unwrap_or_default());
        Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan.loan_id.clone(),
            product: Some(loan.product.clone()),
            principal_minor: Some(loan.principal_minor),
            group_id: loan.group_id.clone(),
            last_known: match (loan.is_closed, loan.must_be_sent) {
                (true, true) => LastKnown::Closed,
                (true, false) => LastKnown::Settled,
                (false, _) if loan.is_in_default => LastKnown::InDefault,
                (false, _) => LastKnown::Open,
            },
            known_on: Some(tonight),
            outstanding_minor: Some(loan.outstanding_minor),
            payments: Some(loan.payments),
            received_minor: Some(loan.received_minor),
            received_json: serde_json::to_string(&received).ok(),
            bounced_json: serde_json::to_string(&loan.bounced).ok(),
            lent_digest: Some(loan.promise.lent.clone()),
            schedule_digest: Some(loan.promise.schedule.clone()),
            ends_on: loan.history.ends_on,
            restructured_on: loan.history.restructured_on,
            is_written_off: Some(loan.is_written_off),
            offer_id: loan.offer_id.clone(),
            pledge_digest: Some(loan.promise.pledge.clone()),
            borrower_before: None,
        }
    }

    /// Of a loan that is not known tonight: what is said of it, how it stood `before`, and under whom an earlier night knew it if never under this
    /// merchant.
    pub(super) fn unknown(
        loan: &UnknownLoan,
        loan_id: &str,
        before: Option<&Self>,
        borrower_before: Option<&str>,
    ) -> Self {
        Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan_id.to_owned(),
            product: loan.product.clone(),
            principal_minor: loan.principal_minor,
            group_id: loan.group_id.clone(),
            last_known: before.map_or(LastKnown::Never, |before| before.last_known),
            known_on: before.and_then(|before| before.known_on),
            outstanding_minor: before.and_then(|before| before.outstanding_minor),
            payments: before.and_then(|before| before.payments),
            received_minor: before.and_then(|before| before.received_minor),
            received_json: before.and_then(|before| before.received_json.clone()),
            bounced_json: before.and_then(|before| before.bounced_json.clone()),
            lent_digest: before.and_then(|before| before.lent_digest.clone()),
            schedule_digest: before.and_then(|before| before.schedule_digest.clone()),
            ends_on: before.and_then(|before| before.ends_on),
            restructured_on: before.and_then(|before| before.restructured_on),
            is_written_off: before.and_then(|before| before.is_written_off),
            offer_id: before.and_then(|before| before.offer_id.clone()),
            pledge_digest: before.and_then(|before| before.pledge_digest.clone()),
            borrower_before: borrower_before.map(str::to_owned),
        }
    }

    /// The same where the lender says that its payments are right as they are sent tonight.
    #[must_use]
    pub fn with_corrected_payments(self) -> Self {
        Self { payments: None, received_minor: None, received_json: None, bounced_json: None, ..self }
    }

    /// The same where the lender says that its terms are right as they are sent tonight.
    #[must_use]
    pub fn with_corrected_terms(self) -> Self {
        Self {
            lent_digest: None,
            schedule_digest: None,
            ends_on: None,
            restructured_on: None,
            is_written_off: None,
            offer_id: None,
            pledge_digest: None,
            ..self
        }
    }

    /// The payments that had arrived; `None` where they are not known one by one.
    pub(super) fn received(&self) -> Option<Vec<ReceivedPayment>> {
        serde_json::from_str(self.received_json.as_deref()?).ok()
    }

    /// Those of them that had bounced; `None` where that is not known.
    pub(super) fn bounced(&self) -> Option<Vec<ReceivedPayment>> {
        serde_json::from_str(self.bounced_json.as_deref()?).ok()
    }

    /// Something was owed on it when it was last known, or may have been.
    #[must_use]
    pub fn may_owe(&self) -> bool {
        match self.last_known {
            LastKnown::Never | LastKnown::Open | LastKnown::InDefault => true,
            LastKnown::Closed | LastKnown::Settled => false,
        }
    }

    /// The next night misses it under this merchant where it is not sent. One that is another's by what an earlier night knew is missed there.
    #[must_use]
    pub fn must_be_sent(&self) -> bool {
        self.last_known != LastKnown::Settled && self.borrower_before.is_none()
    }
}
/// Tonight's payments, each as late as any night knew it under its id: one that is dated back a little every night is held against the night that knew it first.
fn with_latest_known_dates(tonight: &[ReceivedPayment], before: &[ReceivedPayment]) -> Vec<ReceivedPayment> {
    let known: HashMap<&str, i64> =
        before.iter().filter(|known| !known.2.is_empty()).map(|known| (known.2.as_str(), known.0)).collect();
    let mut received: Vec<ReceivedPayment> = tonight.to_vec();
    for ReceivedPayment(paid_at, _, id) in &mut received {
        if let Some(known) = known.get(id.as_str()) {
            *paid_at = (*paid_at).max(*known);
        }
    }
    received.sort_unstable();
    received
}
