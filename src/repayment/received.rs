//! Payments that the night before knew, seen again tonight: money that came in does not vanish because its row is no longer sent.
//!
//! Of a loan whose books agreed on an earlier night, tonight's payments that were made before that night are at least as many, and come to at least as
//! much, reversed ones included: a payment that bounced stays on record. A payment whose amount was lowered is explained by a version that was
//! recorded since. Each of them is also seen again, by its instant and sum (a source may number payments anew), or by its id and sum, dated back by less
//! than a day; one that is not was corrected since under its own id, or is missing, also where another, dated back, makes up for its sum. One that comes to more under its own id, in whichever version, may be no more money than
//! before: the lender confirms it.
//!
//! A payment that no earlier night knew, made before the last of them, of the sum of one that was known and less than a day from it, may be that one sent again
//! under another id: two payments of one day are rarely seen on two nights.
//!
//! A payment that had bounced has bounced still, unless a version of it that was recorded since says otherwise: then it counts as made, and an officer is told
//! ([`super::unreversed`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::columns::{instants, integers, optional_instants, optional_strings, required, strings};
use super::confirmed::CONFIRM;
use super::draw_terms::Findings;
use super::error::RepaymentError;
use super::evidence::LoanEvidence;
use super::remembered::RememberedLoan;
use super::standing::{LoanStanding, ReceivedPayment};
use super::unknown::{PAYMENT_REPEATED, UnknownCause};
use super::unreversed::PAYMENT_NO_LONGER_REVERSED;
use crate::contract::PAYMENTS;
use crate::domain::{AsOf, MICROS_PER_DAY, days_between};
use crate::store::Shard;

/// Payments of one loan that were made before it was last known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Received {
    payments: i64,
    sum_minor: i64,
    /// One of them was recorded, or recorded anew, since.
    is_changed: bool,
    /// By instant and sum, of the loan's payments whenever they were made, how many there are.
    each: BTreeMap<(i64, i64), usize>,
    /// By id, when each was made and what it comes to.
    by_id: HashMap<String, (i64, i64)>,
    /// Ids of those that were recorded since.
    changed: BTreeSet<String>,
    /// Those made before it was last known that have not bounced.
    standing: Vec<ReceivedPayment>,
    /// By instant and sum, how many bounced.
    bounced: BTreeMap<(i64, i64), usize>,
    /// Ids of those that bounced.
    bounced_ids: BTreeSet<String>,
}

/// Tonight's payments of every known loan of which the night before knew some.
pub(super) struct ReceivedBefore<'a> {
    evidence: &'a LoanEvidence,
    as_of: &'a AsOf,
    by_loan: HashMap<String, Received>,
}

impl<'a> ReceivedBefore<'a> {
    /// Adds up the payments of a shard; `known` are its loans whose books agree.
    pub fn of(shard: &'a Shard, known: &[LoanStanding], evidence: &'a LoanEvidence) -> Result<Self, RepaymentError> {
        let mut midnights = Midnights { as_of: &shard.as_of, by_date: BTreeMap::new() };
        let mut since: HashMap<&str, i64> = HashMap::new();
        for loan in known {
            let before = evidence.loan(&loan.merchant_id, &loan.loan_id);
            if let Some(at) = before.filter(|before| before.payments > Some(0)).and_then(|b| midnights.of(b.known_on?))
            {
                since.insert(&loan.loan_id, at);
            }
        }
        let mut by_loan: HashMap<String, Received> =
            since.keys().map(|id| ((*id).to_owned(), Received::default())).collect();
        if let Some(frame) = shard.table(PAYMENTS.name).filter(|_| !since.is_empty()) {
            const TABLE: &str = PAYMENTS.name;
            let loan_id = strings(frame, TABLE, "loan_id")?;
            let paid_at = instants(frame, TABLE, "paid_at")?;
            let amount_minor = integers(frame, TABLE, "amount_minor")?;
            let recorded_at = optional_instants(frame, TABLE, "recorded_at")?;
            let reversed_at = instants(frame, TABLE, "reversed_at")?;
            let payment_id = optional_strings(frame, TABLE, "payment_id")?;
            for row in 0..frame.height() {
                let id = required(loan_id.get(row), TABLE, "loan_id", row)?;
                let Some((since, received)) = since.get(id).zip(by_loan.get_mut(id)) else { continue };
                let paid = required(paid_at.get(row), TABLE, "paid_at", row)?;
                let amount = required(amount_minor.get(row), TABLE, "amount_minor", row)?;
                let is_changed = recorded_at.and_then(|c| c.get(row)).is_some_and(|at| at >= *since);
                let has_bounced = reversed_at.get(row).is_some();
                *received.each.entry((paid, amount)).or_default() += 1;
                *received.bounced.entry((paid, amount)).or_default() += usize::from(has_bounced);
                if let Some(id) = payment_id.and_then(|c| c.get(row)) {
                    received.by_id.insert(id.to_owned(), (paid, amount));
                    if has_bounced {
                        received.bounced_ids.insert(id.to_owned());
                    }
                    if is_changed {
                        received.changed.insert(id.to_owned());
                    }
                }
                if paid < *since {
                    if !has_bounced {
                        let id = payment_id.and_then(|c| c.get(row)).unwrap_or_default();
                        received.standing.push(ReceivedPayment(paid, amount, id.to_owned()));
                    }
                    received.payments += 1;
                    received.sum_minor = received.sum_minor.saturating_add(amount);
                    received.is_changed |= is_changed;
                }
            }
        }
        Ok(Self { evidence, as_of: &shard.as_of, by_loan })
    }

    /// Why the payments of a loan cannot be believed; `None` where they can.
    pub fn judge(&self, loan: &LoanStanding) -> Option<UnknownCause> {
        let now = self.by_loan.get(&loan.loan_id)?;
        let before = self.evidence.loan(&loan.merchant_id, &loan.loan_id)?;
        let RememberedLoan { known_on, payments, received_minor, .. } = before;
        let (known_on, payments, received_minor) = ((*known_on)?, (*payments)?, (*received_minor)?);
        let has_shrunk = now.sum_minor < received_minor && !now.is_changed;
        if now.payments >= payments && !has_shrunk {
            let lost = now.lost(&before.received().unwrap_or_default());
            return (lost > 0).then(|| {
                let detail = format!(
                    "{lost} of the {payments} payments that the night of {known_on} knew are not seen tonight, though others make up for \
                     them; send them again, corrected under their own ids, or name the loan in payments_corrected under [ledger] of the monitor file",
                );
                UnknownCause::new("payments-missing", detail)
            });
        }
        let detail = format!(
            "the night of {known_on} knew {payments} payments of {received_minor} in all, and of those made before it tonight shows {} of {}; send them \
             again, reversed where they bounced, or name the loan in payments_corrected under [ledger] of the monitor file",
            now.payments, now.sum_minor,
        );
        Some(UnknownCause::new("payments-missing", detail))
    }

    /// Why payments of a loan may have been counted twice, unless the lender says that they are several.
    pub fn judge_repeated(&self, loan: &LoanStanding) -> Option<UnknownCause> {
        let now = self.by_loan.get(&loan.loan_id)?;
        let before = self.evidence.loan(&loan.merchant_id, &loan.loan_id)?;
        let repeated = now.repeated(&before.received()?);
        let repeated = repeated.into_iter().filter(|copy| !self.is_confirmed(&loan.loan_id, copy.0)).count();
        if repeated == 0 {
            return None;
        }
        let detail = format!(
            "{repeated} payments that the night of {} did not know, though they were made before it, are of the sum of one that it knew and less than a day \
             from it: the same money may be counted twice. Take the copy out, or {CONFIRM}",
            before.known_on?,
        );
        Some(UnknownCause::new(PAYMENT_REPEATED, detail))
    }

    /// Why payments of a loan may come to less than tonight's rows say, unless the lender confirms them: under the same id the night before knew a smaller sum.
    pub fn judge_raised(&self, loan: &LoanStanding) -> Option<UnknownCause> {
        let now = self.by_loan.get(&loan.loan_id)?;
        let before = self.evidence.loan(&loan.merchant_id, &loan.loan_id)?;
        let received = before.received()?;
        let raised = received.iter().filter(|ReceivedPayment(paid_at, amount, id)| {
            now.comes_to_more(id, *amount) && !self.is_confirmed(&loan.loan_id, *paid_at)
        });
        let (ids, sum) = raised.fold((0_usize, 0_i64), |(ids, sum), payment| (ids + 1, payment.1.saturating_add(sum)));
        (ids > 0).then_some(())?;
        let detail = format!(
            "{ids} payments that came to {sum} in all on the night of {} come to more tonight: more was received, or the same money is counted twice. Send them \
             as they were, or {CONFIRM}",
            before.known_on?,
        );
        Some(UnknownCause::new("payment-raised", detail))
    }

    /// Whether the lender says that a payment of a loan is right as it is sent.
    fn is_confirmed(&self, loan_id: &str, paid_at: i64) -> bool {
        self.evidence.payment_is_confirmed(loan_id, self.as_of.local_date(paid_at).ok())
    }

    /// Of the payments of a loan that had bounced and are not seen to have tonight: why they cannot be believed, or what an officer is told where a
    /// version recorded since says that they did not.
    pub fn judge_bounced(&self, loan: &LoanStanding) -> Findings {
        let now = self.by_loan.get(&loan.loan_id);
        let before = self.evidence.loan(&loan.merchant_id, &loan.loan_id);
        let Some((now, before)) = now.zip(before) else { return Findings::default() };
        let (Some(known_on), Some(bounced)) = (before.known_on, before.bounced()) else { return Findings::default() };
        let standing = now.no_longer_bounced(&bounced);
        let (told, doubtful): (Vec<_>, Vec<_>) =
            standing.into_iter().partition(|payment| now.changed.contains(&payment.2));
        let cause = (!doubtful.is_empty()).then(|| {
            let sum: i64 = doubtful.iter().fold(0, |sum, payment| payment.1.saturating_add(sum));
            let detail = format!(
                "{} payments of {sum} in all had bounced when the night of {known_on} knew them, and tonight none of their rows says so; send them as they \
                 were, or with the recorded_at of the correction, or name the loan in payments_corrected under [ledger] of the monitor file",
                doubtful.len(),
            );
            UnknownCause::new("reversal-missing", detail)
        });
        let remark = |ReceivedPayment(_, amount, id): &ReceivedPayment| {
            let detail = format!(
                "payment {id:?} of {amount} had bounced when the night of {known_on} knew it, and a version recorded since says that it did not: it counts as paid"
            );
            UnknownCause::new(PAYMENT_NO_LONGER_REVERSED, detail)
        };
        Findings { causes: cause.into_iter().collect(), remarks: told.into_iter().map(remark).collect() }
    }
}

impl Received {
    /// How many of some payments are not among these: neither by instant and sum, nor by id and sum, nor corrected since under their own ids.
    fn lost(&self, before: &[ReceivedPayment]) -> usize {
        let mut left = self.each.clone();
        // What is there under its own id is no other's.
        let (_, others): (Vec<_>, Vec<_>) = before.iter().partition(|ReceivedPayment(paid_at, amount, id)| {
            let own = self.by_id.get(id).filter(|_| self.has(id, *paid_at, *amount));
            if let Some(count) = own.and_then(|own| left.get_mut(own)) {
                *count = count.saturating_sub(1);
            }
            own.is_some()
        });
        let mut is_lost =
            |ReceivedPayment(paid_at, amount, id): &&&ReceivedPayment| match left.get_mut(&(*paid_at, *amount)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => !self.changed.contains(id),
            };
        others.iter().filter(|payment| is_lost(payment)).count()
    }

    /// Those that were not among those known before and are of the sum of one that was, and less than a day from it.
    fn repeated(&self, before: &[ReceivedPayment]) -> Vec<&ReceivedPayment> {
        let mut known: BTreeMap<(i64, i64), usize> = BTreeMap::new();
        // One that is there under its own id is known by it: its instant and sum make no other known.
        for ReceivedPayment(paid_at, amount, _) in
            before.iter().filter(|p| p.2.is_empty() || !self.by_id.contains_key(&p.2))
        {
            *known.entry((*paid_at, *amount)).or_default() += 1;
        }
        let ids: HashSet<&str> = before.iter().map(|payment| payment.2.as_str()).filter(|id| !id.is_empty()).collect();
        let mut was_known = |ReceivedPayment(paid_at, amount, id): &&ReceivedPayment| {
            if ids.contains(id.as_str()) {
                return true;
            }
            let same = known.get_mut(&(*paid_at, *amount)).filter(|count| **count > 0);
            same.map(|count| *count -= 1).is_some()
        };
        let (old, new): (Vec<&ReceivedPayment>, Vec<&ReceivedPayment>) =
            self.standing.iter().partition(|p| was_known(p));
        let is_copy = |new: &&ReceivedPayment| {
            let is_like =
                |old: &&ReceivedPayment| old.1 == new.1 && old.0.abs_diff(new.0) < MICROS_PER_DAY.unsigned_abs();
            old.iter().any(is_like)
        };
        new.into_iter().filter(is_copy).collect()
    }

    /// Whether a payment is there under its id, over the same sum and not made a day earlier, or more: that would take arrears out of the past.
    fn has(&self, id: &str, paid_at: i64, amount: i64) -> bool {
        let same = self.by_id.get(id).filter(|_| !id.is_empty());
        same.is_some_and(|(at, minor)| *minor == amount && *at > paid_at.saturating_sub(MICROS_PER_DAY))
    }

    fn comes_to_more(&self, id: &str, amount: i64) -> bool {
        self.by_id.get(id).filter(|_| !id.is_empty()).is_some_and(|(_, now)| *now > amount)
    }

    /// Those of some payments, all of which had bounced, that have not tonight.
    fn no_longer_bounced<'b>(&self, before: &'b [ReceivedPayment]) -> Vec<&'b ReceivedPayment> {
        let mut left = self.bounced.clone();
        let mut stands =
            |ReceivedPayment(paid_at, amount, id): &&ReceivedPayment| match left.get_mut(&(*paid_at, *amount)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => id.is_empty() || !self.bounced_ids.contains(id),
            };
        before.iter().filter(|payment| stands(payment)).collect()
    }
}

/// Beginnings of earlier nights.
struct Midnights<'a> {
    as_of: &'a AsOf,
    by_date: BTreeMap<Date, Option<i64>>,
}

impl Midnights<'_> {
    fn of(&mut self, date: Date) -> Option<i64> {
        let as_of = self.as_of;
        let midnight = || as_of.days_before(days_between(date, as_of.date())).ok().map(|night| night.micros());
        *self.by_date.entry(date).or_insert_with(midnight)
    }
}
