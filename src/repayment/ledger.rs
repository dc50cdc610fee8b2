//! The ledger of a shard: every loan, known or not.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::columns::strings;
use super::draw_terms::{self, Findings};
use super::draws::Draws;
use super::error::RepaymentError;
use super::evidence::LoanEvidence;
use super::pledges::OrderOwners;
use super::promise;
use super::received::ReceivedBefore;
use super::remembered::RememberedLoan;
use super::standing::LoanStanding;
use super::unknown::{Causes, DRAWN_UNDER_ANOTHER, LoanException, OFFER_OF_ANOTHER, UnknownCause, UnknownLoan};
use super::unreversed::unreversed;
use crate::contract::{APPLICATIONS, GROUP_LOAN, LOANS, MERCHANTS};
use crate::store::{BrokenRecord, Shard};

/// Contract tables about loans.
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

/// Every loan of a shard as of its instant, each in one of the two lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoanLedger {
    /// Loans whose books agree, by merchant and loan.
    pub known: Vec<LoanStanding>,
    /// Loans of which nothing is known, by merchant and loan.
    pub unknown: Vec<UnknownLoan>,
    /// What an officer is told of loans whether or not they are known, sorted.
    pub remarks: Vec<LoanException>,
}

/// One merchant's loans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MerchantLoans<'a> {
    /// Loans whose books agree, by loan.
    pub known: &'a [LoanStanding],
    /// Loans of which nothing is known, by loan. While there is one, the known ones do not say what the merchant owes.
    pub unknown: &'a [UnknownLoan],
}

impl MerchantLoans<'_> {
    /// Whether something is owed, or may be.
    #[must_use]
    pub fn may_owe(&self) -> bool {
        !self.unknown.is_empty() || self.known.iter().any(|loan| !loan.is_closed)
    }
}

impl LoanLedger {
    /// The loans of one merchant; none for a merchant who never borrowed.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> MerchantLoans<'_> {
        MerchantLoans {
            known: of_merchant(&self.known, merchant_id, |loan| &loan.merchant_id),
            unknown: of_merchant(&self.unknown, merchant_id, |loan| &loan.merchant_id),
        }
    }

    /// Loans of a merchant that are not closed, or that may not be.
    #[must_use]
    pub fn open_of(&self, merchant_id: &str) -> BTreeSet<&str> {
        let loans = self.of(merchant_id);
        let known = loans.known.iter().filter(|loan| !loan.is_closed).map(|loan| loan.loan_id.as_str());
        known.chain(loans.unknown.iter().filter_map(|loan| loan.loan_id.as_deref())).collect()
    }

    /// Loans of a merchant that were repaid, for as long as they have to be sent again: they are the merchant's record.
    #[must_use]
    pub fn closed_loans_still_expected(&self, merchant_id: &str) -> Vec<&str> {
        let closed = self.of(merchant_id).known.iter().filter(|loan| loan.is_closed && loan.must_be_sent);
        closed.map(|loan| loan.loan_id.as_str()).collect()
    }

    /// Holds the ledger of the shard of a bucket against what is known beside its loans; what does not agree is unknown.
    ///
    /// # Errors
    /// A table of the shard that lacks a column.
    pub fn compare_with(&mut self, shard: &Shard, bucket: u32, evidence: &LoanEvidence) -> Result<(), RepaymentError> {
        let merchants = shard.table(MERCHANTS.name);
        let ids = merchants.map(|merchants| strings(merchants, MERCHANTS.name, "merchant_id")).transpose()?;
        let visible: HashSet<&str> = ids.into_iter().flat_map(|ids| ids.iter().flatten()).collect();
        self.add_missing(evidence.loans_in(bucket), |merchant| visible.contains(merchant));
        let unreversed = unreversed(shard)?;
        let of_loan = |loan: &LoanStanding| {
            unreversed.get(&loan.loan_id).into_iter().flatten().map(|told| line(loan, told)).collect::<Vec<_>>()
        };
        let told: Vec<LoanException> = self.known.iter().flat_map(of_loan).collect();
        self.remarks.extend(told);
        self.set_aside(shard, evidence, |loan| unreversed.contains_key(&loan.loan_id))?;
        self.add_strange_draws(evidence.strange_draws_in(bucket));
        for loan in &mut self.unknown {
            let before = loan.loan_id.as_deref().and_then(|loan_id| evidence.loan(&loan.merchant_id, loan_id));
            if let Some(before) = before {
                loan.fill_in(before);
            }
        }
        self.unknown.sort_by(|a, b| (&a.merchant_id, &a.loan_id).cmp(&(&b.merchant_id, &b.loan_id)));
        self.remarks.sort_unstable();
        Ok(())
    }

    /// Adds, as unknown, every loan that a merchant had open, or had repaid not long ago, and that is not seen under that merchant tonight: its
    /// row was lost, moved to another borrower, or dated to a day to come. Of a merchant who is not seen either, the repaid ones are only
    /// remembered: they are missed when the merchant is back.
    fn add_missing<'a>(
        &mut self,
        remembered: impl Iterator<Item = &'a RememberedLoan>,
        is_visible: impl Fn(&str) -> bool,
    ) {
        let unseen = remembered.filter(|loan| loan.must_be_sent() && !self.has(&loan.merchant_id, &loan.loan_id));
        let missing = unseen.filter(|loan| loan.may_owe() || is_visible(&loan.merchant_id));
        let missing: Vec<UnknownLoan> = missing.map(UnknownLoan::missing).collect();
        self.unknown.extend(missing);
    }

    /// Adds, as unknown, every loan that draws on an offer of the shard's merchants under another borrower.
    fn add_strange_draws(&mut self, draws: &[UnknownLoan]) {
        for draw in draws {
            let is_same =
                |loan: &&mut UnknownLoan| (&loan.merchant_id, &loan.loan_id) == (&draw.merchant_id, &draw.loan_id);
            match self.unknown.iter_mut().find(is_same) {
                Some(loan) => loan.causes.extend(draw.causes.iter().cloned()),
                None => self.unknown.push(draw.clone()),
            }
        }
    }

    /// Whether a merchant's loan is in one of the lists.
    fn has(&self, merchant_id: &str, loan_id: &str) -> bool {
        let loans = self.of(merchant_id);
        loans.known.binary_search_by(|loan| loan.loan_id.as_str().cmp(loan_id)).is_ok()
            || loans.unknown.iter().any(|loan| loan.loan_id.as_deref() == Some(loan_id))
    }

    /// What the next night compares the shard's loans with, by merchant and loan: all that are seen tonight, and those that the night before
    /// remembered, that have to be sent, and that this one did not see.
    #[must_use]
    pub fn to_remember(&self, bucket: u32, evidence: &LoanEvidence, tonight: Date) -> Vec<RememberedLoan> {
        let known = self
            .known
            .iter()
            .map(|loan| RememberedLoan::known(loan, evidence.loan(&loan.merchant_id, &loan.loan_id), tonight));
        // A loan that is here for its offer alone has a row, which is its borrower's: it is remembered there.
        let is_anothers = |loan: &UnknownLoan| loan.causes.iter().all(|cause| cause.code == DRAWN_UNDER_ANOTHER);
        let unknown = self.unknown.iter().filter(|loan| !is_anothers(loan)).filter_map(|loan| {
            let loan_id = loan.loan_id.as_deref()?;
            let (before, borrower_before) =
                (evidence.loan(&loan.merchant_id, loan_id), evidence.borrower_before(&loan.merchant_id, loan_id));
            Some(RememberedLoan::unknown(loan, loan_id, before, borrower_before))
        });
        let remembered = evidence.loans_in(bucket).filter(|loan| loan.must_be_sent());
        let unseen = remembered.filter(|loan| !self.has(&loan.merchant_id, &loan.loan_id)).cloned();
        let mut loans: Vec<RememberedLoan> = known.chain(unknown).chain(unseen).collect();
        loans.sort_by(|a, b| (&a.merchant_id, &a.loan_id).cmp(&(&b.merchant_id, &b.loan_id)));
        loans
    }

    /// Makes unknown every loan that an earlier night knew under another merchant, of which payments have vanished or terms have changed since its books last agreed, and every open loan that rests on what is not its borrower's: an offer made to another merchant, or orders that are not
    /// among the borrower's although tonight's orders reach past the day of the draw, or that another merchant has. Offer and orders stay
    /// their own merchant's.
    ///
    /// What secured a repaid loan secures nothing any more, and an old order need not be sent for ever. Of payments that no longer count as bounced an officer
    /// may have been told already.
    fn set_aside(
        &mut self,
        shard: &Shard,
        evidence: &LoanEvidence,
        is_told: impl Fn(&LoanStanding) -> bool,
    ) -> Result<(), RepaymentError> {
        let owners = OrderOwners::of(shard, &self.known)?;
        let received = ReceivedBefore::of(shard, &self.known, evidence)?;
        let draws = Draws::of(&self.known, evidence);
        let mut told = Vec::new();
        let mut causes_of = |loan: &LoanStanding| -> Causes {
            let of_payments = received
                .judge(loan)
                .or_else(|| received.judge_raised(loan))
                .into_iter()
                .chain(received.judge_repeated(loan))
                .chain(promise::judge(loan, evidence));
            let of_borrower = evidence.is_loan_of_another(&loan.merchant_id, &loan.loan_id);
            let Findings { causes: of_bounced, remarks } = received.judge_bounced(loan);
            if !is_told(loan) {
                told.extend(remarks.iter().map(|remark| line(loan, remark)));
            }
            let of_payments = of_payments.chain(of_bounced);
            let of_payments = of_borrower.map(UnknownCause::borrower_changed).into_iter().chain(of_payments);
            if loan.is_closed {
                return of_payments.collect();
            }
            let of_offer = loan.offer_id.as_deref().and_then(|offer| {
                let cause = UnknownCause::offer_of_another(offer);
                let is_strange = evidence.is_of_another(offer, &loan.merchant_id)
                    || evidence.said_before(&loan.loan_id, OFFER_OF_ANOTHER, &cause.detail).is_some();
                is_strange.then_some(cause)
            });
            let of_group = (loan.product == GROUP_LOAN && loan.group_id.is_none()).then(UnknownCause::group_not_named);
            let of_draws = draws.judge(loan, evidence);
            let of_pledge = draws.judge_pledges(loan);
            let drawn_on = shard.as_of.local_date(loan.disbursed_at).ok();
            let Findings { causes: of_terms, remarks } = draw_terms::judge(loan, drawn_on, evidence);
            told.extend(remarks.iter().map(|remark| line(loan, remark)));
            let of_pledges =
                if evidence.orders_reach(drawn_on) { owners.judge(loan) } else { owners.judge_new(loan, evidence) };
            let of_offer = of_offer.into_iter().chain(of_group).chain(of_terms).chain(of_draws);
            of_payments.chain(of_offer).chain(of_pledges).chain(of_pledge).collect()
        };
        let mut strangers: Vec<UnknownLoan> = Vec::new();
        self.known.retain(|loan| {
            let causes = causes_of(loan);
            if causes.is_empty() {
                return true;
            }
            strangers.push(UnknownLoan {
                merchant_id: loan.merchant_id.clone(),
                loan_id: Some(loan.loan_id.clone()),
                product: Some(loan.product.clone()),
                principal_minor: Some(loan.principal_minor),
                group_id: loan.group_id.clone(),
                causes,
            });
            false
        });
        self.unknown.extend(strangers);
        self.remarks.extend(told);
        Ok(())
    }

    /// Adds what an officer is to be told of a loan.
    #[cfg(test)]
    pub(super) fn remark(&mut self, loan: &LoanStanding, remarks: &[UnknownCause]) {
        self.remarks.extend(remarks.iter().map(|told| line(loan, told)));
    }

    /// Loans, known or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len() + self.unknown.len()
    }

    /// Whether there is no loan at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Merchants with a loan of which nothing is known, each once, sorted.
    pub fn unknown_merchants(&self) -> impl Iterator<Item = &str> {
        self.unknown.chunk_by(|a, b| a.merchant_id == b.merchant_id).filter_map(|l| l.first()).map(|l| &*l.merchant_id)
    }

    /// The officers' list: a line for each cause of each unknown loan, and what is odd about loans that are known.
    #[must_use]
    pub fn exceptions(&self) -> Vec<LoanException> {
        let line = |loan: &UnknownLoan, cause: &UnknownCause| LoanException {
            merchant_id: Some(loan.merchant_id.clone()),
            loan_id: loan.loan_id.clone(),
            product: loan.product.clone(),
            code: cause.code.to_string(),
            detail: cause.detail.clone(),
            principal_minor: loan.principal_minor,
            is_unknown: true,
        };
        let unknown = self.unknown.iter().flat_map(|loan| loan.causes.iter().map(move |cause| line(loan, cause)));
        unknown.chain(self.remarks.iter().cloned()).collect()
    }
}

/// The line of the officers' list for what is odd about a loan.
fn line(loan: &LoanStanding, told: &UnknownCause) -> LoanException {
    LoanException {
        merchant_id: Some(loan.merchant_id.clone()),
        loan_id: Some(loan.loan_id.clone()),
        product: Some(loan.product.clone()),
        code: told.code.to_string(),
        detail: told.detail.clone(),
        principal_minor: Some(loan.principal_minor),
        is_unknown: false,
    }
}

/// Lines of the officers' list for broken rows of loans that lead to no merchant, and so to no shard, and for such applications that `may_wait` for an answer: whoever
/// asked is taken for a merchant who did not. Rows of other tables are left out.
#[must_use]
pub fn exceptions_without_merchant(
    broken: &[BrokenRecord],
    may_wait: impl Fn(&BrokenRecord) -> bool,
) -> Vec<LoanException> {
    let line = |record: &BrokenRecord| {
        let cause = UnknownCause::broken(&record.table, record.key.as_deref(), &record.rule);
        LoanException {
            merchant_id: record.merchant_id.clone(),
            loan_id: record.loan_id.clone(),
            product: None,
            code: cause.code.to_string(),
            detail: cause.detail,
            principal_minor: None,
            is_unknown: is_loan_record(record),
        }
    };
    let is_listed = |record: &&BrokenRecord| {
        is_loan_record(record)
            || (record.table == APPLICATIONS.name && record.merchant_id.is_none() && may_wait(record))
    };
    let mut lines: Vec<LoanException> = broken.iter().filter(is_listed).map(line).collect();
    lines.sort_unstable();
    lines
}

/// Loans of which such rows are all that is known, each once; a row of the loan table that names none is one of its own. A schedule or a
/// payment that names no loan may be one of a loan that is counted.
#[must_use]
pub fn loans_without_merchant(broken: &[BrokenRecord]) -> (BTreeSet<&str>, u64) {
    let of_loans = || broken.iter().filter(|record| record.merchant_id.is_none() && is_loan_record(record));
    let named = of_loans().filter_map(|record| record.loan_id.as_deref()).collect();
    let nameless = of_loans().filter(|record| record.loan_id.is_none() && record.table == LOANS.name).count();
    (named, nameless as u64)
}

/// Whether a broken record is one of a loan, its schedule or its payments.
pub(super) fn is_loan_record(record: &BrokenRecord) -> bool {
    LOAN_TABLES.contains(&record.table.as_str())
}

fn of_merchant<'a, T>(sorted: &'a [T], merchant_id: &str, id: impl Fn(&T) -> &String) -> &'a [T] {
    let from = sorted.partition_point(|loan| id(loan).as_str() < merchant_id);
    let rest = sorted.get(from..).unwrap_or_default();
    let count = rest.partition_point(|loan| id(loan).as_str() <= merchant_id);
    rest.get(..count).unwrap_or_default()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
