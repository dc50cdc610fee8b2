//! What a shard's loans are held against beside their own rows: the night before, for what was owed or repaid then does not vanish
//! because its row is no longer sent, and an offer made to one merchant is not another's; and how far tonight's orders reach.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::confirmed::ConfirmedPayments;
use super::draw_terms;
use super::remembered::RememberedLoan;
use super::standing::LoanStanding;
use super::strange_draws::NamedOffer;
use super::unknown::{
    DRAW_ABOVE_OFFER, DRAWN_UNDER_ANOTHER, LoanException, OFFER_OF_ANOTHER, UnknownCause, UnknownLoan,
};
use crate::store::{bucket_of, stable_hash};

/// The same for every shard. The default knows of no night before and of no orders.
#[derive(Debug, Clone, Default)]
pub struct LoanEvidence {
    /// Loans as the night before left them, by bucket of merchants, merchant and loan.
    loans: Vec<BTreeMap<String, Vec<RememberedLoan>>>,
    /// By the hash of each loan's id the bucket in which it lies, sorted: a loan is found again whoever its borrower is said to be.
    buckets_by_loan: Vec<(u64, u32)>,
    /// Each offer on an account.
    offers: BTreeMap<String, OfferMade>,
    /// As-of date of the night before; `None` on a first night.
    night_before: Option<Date>,
    /// What the officers' list of the night before says of loans against their offers: loan, code and words.
    misnamed: BTreeSet<(String, String, String)>,
    /// The last day of which tonight's data has orders, of any merchant.
    pub(super) orders_until: Option<Date>,
    /// Loans of which the lender says that equal payments close to one another are several.
    payments_confirmed: ConfirmedPayments,
    /// Loans that draw on a merchant's offer under another borrower, by bucket of the merchants to whom the offers were made.
    strange_draws: BTreeMap<u32, Vec<UnknownLoan>>,
    /// What the officers' list of the night before says of such loans: loan, words and the merchant to whom the offer was made.
    strange_before: BTreeSet<(Option<String>, String, String)>,
    /// The merchants of orders that loans drawn after that day pledge, as far as any has them.
    order_owners: OrderMerchants,
}

/// Merchants by order. An id that two merchants use has both.
pub type OrderMerchants = BTreeMap<String, BTreeSet<String>>;

/// An offer that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferMade {
    /// To whom.
    pub merchant_id: String,
    /// Of what product.
    pub product: String,
    /// The most that may be drawn on it.
    pub limit_minor: i64,
    /// Interest a day, parts per million; `None` where the run that made it did not leave it.
    pub daily_rate_ppm: Option<i64>,
    /// Days to the last instalment; `None` likewise.
    pub term_days: Option<i64>,
    /// The share of each day's receipts that repays it, parts per million; `None` for other repayment.
    pub sales_share_ppm: Option<i64>,
    /// The first day on which it could be drawn.
    pub offered_on: Date,
    /// The last one.
    pub valid_until_on: Date,
    /// The offer that it replaced.
    pub replaces: Option<String>,
}

impl LoanEvidence {
    /// Of the loans that the night before remembered, for shards of so many `buckets`.
    #[must_use]
    pub fn new(loans: impl IntoIterator<Item = RememberedLoan>, buckets: u32) -> Self {
        let mut by_bucket = vec![BTreeMap::<String, Vec<RememberedLoan>>::new(); buckets.max(1) as usize];
        let mut buckets_by_loan = Vec::new();
        for loan in loans {
            let bucket = bucket_of(&loan.merchant_id, buckets);
            if let Some(merchants) = by_bucket.get_mut(bucket as usize) {
                buckets_by_loan.push((stable_hash(loan.loan_id.as_bytes()), bucket));
                merchants.entry(loan.merchant_id.clone()).or_default().push(loan);
            }
        }
        for loans in by_bucket.iter_mut().flat_map(BTreeMap::values_mut) {
            loans.sort_by(|a, b| a.loan_id.cmp(&b.loan_id));
        }
        buckets_by_loan.sort_unstable();
        Self { loans: by_bucket, buckets_by_loan, ..Self::default() }
    }

    /// The same with the offers that were on accounts, by offer, and with the officers' list: an offer leaves the account
    /// one day, and the loan that named it wrongly still does.
    #[must_use]
    pub fn with_offers(
        mut self,
        offers: impl IntoIterator<Item = (String, OfferMade)>,
        exceptions: impl IntoIterator<Item = LoanException>,
    ) -> Self {
        self.offers.extend(offers);
        let codes: Vec<&str> = draw_terms::codes().chain([OFFER_OF_ANOTHER, DRAW_ABOVE_OFFER]).collect();
        for line in exceptions {
            if line.code == DRAWN_UNDER_ANOTHER {
                self.strange_before.extend(line.merchant_id.map(|merchant| (line.loan_id, line.detail, merchant)));
            } else if codes.contains(&line.code.as_str()) {
                self.misnamed.extend(line.loan_id.map(|loan| (loan, line.code, line.detail)));
            }
        }
        self
    }

    /// The same with all loans that name an offer, of which those count that name one made to another merchant than their own, but for loans of which the lender
    /// says (`borrowers`, by loan) that they are their own merchant's.
    #[must_use]
    pub fn with_named_offers(
        mut self,
        loans: impl IntoIterator<Item = NamedOffer>,
        borrowers: &BTreeMap<String, String>,
    ) -> Self {
        let buckets = u32::try_from(self.loans.len()).unwrap_or(1);
        let said = |loan: &NamedOffer| loan.loan_id.as_ref().and_then(|loan| borrowers.get(loan));
        let doubted = loans.into_iter().filter(|loan| said(loan).is_none() || said(loan) != loan.merchant_id.as_ref());
        let strange: Vec<UnknownLoan> = doubted.filter_map(|loan| loan.draw(&self)).collect();
        for loan in strange {
            self.strange_draws.entry(bucket_of(&loan.merchant_id, buckets)).or_default().push(loan);
        }
        self
    }

    /// To whom the offer that a loan names was made, where that is another merchant than its own.
    #[must_use]
    pub fn made_to_another(&self, loan: &NamedOffer) -> Option<&str> {
        let made_to = self.made_to(&loan.offer_id, loan.loan_id.as_deref());
        made_to.filter(|made_to| loan.merchant_id.as_deref() != Some(made_to))
    }

    /// Loans that draw on an offer of a bucket's merchant under another borrower.
    pub(super) fn strange_draws_in(&self, bucket: u32) -> &[UnknownLoan] {
        self.strange_draws.get(&bucket).map_or(&[], Vec::as_slice)
    }

    /// To whom the offer that a loan names was made: of one that has left the accounts as the officers' list said of the loan before.
    fn made_to(&self, offer_id: &str, loan_id: Option<&str>) -> Option<&str> {
        let made = self.offers.get(offer_id).map(|offer| offer.merchant_id.as_str());
        let told_before = || {
            let words = UnknownCause::of_own_offer(offer_id);
            let told = |(loan, said, _): &&(Option<String>, String, String)| {
                loan.as_deref() == loan_id && said.starts_with(&words)
            };
            self.strange_before.iter().find(told).map(|(_, _, merchant)| merchant.as_str())
        };
        made.or_else(told_before)
    }

    /// The same with the as-of date of the night before.
    #[must_use]
    pub const fn with_night_before(mut self, night: Option<Date>) -> Self {
        self.night_before = night;
        self
    }

    /// The same with the loans of which the lender says that equal payments close to one another are several.
    #[must_use]
    pub fn with_payments_confirmed(mut self, loans: ConfirmedPayments) -> Self {
        self.payments_confirmed = loans;
        self
    }

    /// Whether the lender says so of a payment made on a day.
    pub(super) fn payment_is_confirmed(&self, loan_id: &str, paid_on: Option<Date>) -> bool {
        self.payments_confirmed.hold(loan_id, paid_on)
    }

    /// The same with the last day of which tonight's data has orders: what a loan drawn later pledges need not be among them.
    #[must_use]
    pub fn with_orders_until(mut self, day: Option<Date>) -> Self {
        self.orders_until = day;
        self
    }

    /// The same with the merchants of the orders that loans drawn after that day pledge: such an order may be too new to be among tonight's, but
    /// one that another merchant has is not the borrower's.
    #[must_use]
    pub fn with_order_owners(mut self, owners: OrderMerchants) -> Self {
        self.order_owners = owners;
        self
    }

    /// Whether tonight's orders reach the day on which a loan was drawn: then what it pledges has to be among them.
    #[must_use]
    pub fn orders_reach(&self, drawn_on: Option<Date>) -> bool {
        self.orders_until.is_some_and(|until| drawn_on.is_some_and(|day| day <= until))
    }

    /// Whether an order is known to be of other merchants alone.
    pub(super) fn is_order_of_others(&self, order_id: &str, merchant_id: &str) -> bool {
        self.order_owners.get(order_id).is_some_and(|merchants| !merchants.contains(merchant_id))
    }

    /// Loans of one merchant, by loan.
    #[must_use]
    pub fn loans_of(&self, merchant_id: &str) -> &[RememberedLoan] {
        let bucket = bucket_of(merchant_id, u32::try_from(self.loans.len()).unwrap_or(1));
        let merchants = self.loans.get(bucket as usize);
        merchants.and_then(|merchants| merchants.get(merchant_id)).map_or(&[], Vec::as_slice)
    }

    /// Loans of the merchants of a bucket, by merchant and loan.
    pub fn loans_in(&self, bucket: u32) -> impl Iterator<Item = &RememberedLoan> {
        self.loans.get(bucket as usize).into_iter().flat_map(BTreeMap::values).flatten()
    }

    /// One loan of a merchant, if it was remembered.
    pub(super) fn loan(&self, merchant_id: &str, loan_id: &str) -> Option<&RememberedLoan> {
        self.loans_of(merchant_id).iter().find(|loan| loan.loan_id == loan_id)
    }

    /// What was remembered of a loan under another merchant than this one.
    fn elsewhere<'a>(&'a self, merchant_id: &'a str, loan_id: &'a str) -> impl Iterator<Item = &'a RememberedLoan> {
        let hash = stable_hash(loan_id.as_bytes());
        let from = self.buckets_by_loan.partition_point(|(of, _)| *of < hash);
        let alike = self.buckets_by_loan.get(from..).unwrap_or_default();
        let alike = alike.get(..alike.partition_point(|(of, _)| *of == hash)).unwrap_or_default();
        // A loan that is remembered once, and under this merchant, is the rule: then no bucket is looked through.
        let is_own = alike.len() == 1 && self.loan(merchant_id, loan_id).is_some();
        let buckets: BTreeSet<u32> = alike.iter().filter(|_| !is_own).map(|(_, bucket)| *bucket).collect();
        let loans = buckets.into_iter().flat_map(|bucket| self.loans_in(bucket));
        loans.filter(move |loan| loan.loan_id == loan_id && loan.merchant_id != merchant_id)
    }

    /// Under whom an earlier night knew a loan that it never knew under this merchant.
    pub(super) fn borrower_before<'a>(&'a self, merchant_id: &'a str, loan_id: &'a str) -> Option<&'a str> {
        let own = self.loan(merchant_id, loan_id);
        if let Some(before) = own.and_then(|loan| loan.borrower_before.as_deref()) {
            return Some(before);
        }
        if own.is_some_and(|loan| loan.known_on.is_some()) {
            return None;
        }
        let known = self.elsewhere(merchant_id, loan_id).filter(|loan| loan.known_on.is_some());
        known.max_by_key(|loan| loan.known_on).map(|loan| loan.merchant_id.as_str())
    }

    /// A merchant other than this one whose loan it is by what earlier nights left: under whom it was known before it was known here. What was never known under
    /// either may be of both.
    pub(super) fn is_loan_of_another<'a>(&'a self, merchant_id: &'a str, loan_id: &'a str) -> Option<&'a str> {
        let known_here = self.loan(merchant_id, loan_id).and_then(|loan| loan.known_on);
        let is_before = |known_on: Option<Date>| known_here.is_none_or(|here| known_on.is_some_and(|on| on < here));
        let claims = |loan: &&RememberedLoan| loan.borrower_before.is_none() && is_before(loan.known_on);
        let elsewhere = || self.elsewhere(merchant_id, loan_id).find(claims).map(|loan| loan.merchant_id.as_str());
        self.borrower_before(merchant_id, loan_id).or_else(elsewhere)
    }

    /// Whether an offer was made to another merchant than this one.
    pub(super) fn is_of_another(&self, offer_id: &str, merchant_id: &str) -> bool {
        self.offers.get(offer_id).is_some_and(|offer| offer.merchant_id != merchant_id)
    }

    /// An offer on an account.
    pub(super) fn offer(&self, offer_id: &str) -> Option<&OfferMade> {
        self.offers.get(offer_id)
    }

    /// Whether a loan was drawn since the night before, and is new to it: then every offer that it can have been drawn on is on an account.
    pub(super) fn knows_all_offers(&self, loan: &LoanStanding, drawn_on: Option<Date>) -> bool {
        let is_since = self.night_before.is_some_and(|night| drawn_on.is_some_and(|day| day >= night));
        is_since && self.loan(&loan.merchant_id, &loan.loan_id).is_none()
    }

    /// The most that may be drawn on an offer; `None` where it is on no account.
    pub(super) fn limit_minor(&self, offer_id: &str) -> Option<i64> {
        self.offers.get(offer_id).map(|offer| offer.limit_minor)
    }

    /// The first of the offers that replaced each other up to this one: draws on them rest on the same orders.
    pub(super) fn first_offer<'a>(&'a self, offer_id: &'a str) -> &'a str {
        let mut first = offer_id;
        for _ in 0..self.offers.len() {
            match self.offers.get(first).and_then(|offer| offer.replaces.as_deref()) {
                Some(older) => first = older,
                None => break,
            }
        }
        first
    }

    /// What the officers' list said of a loan under a code, if the words begin so.
    pub(super) fn said_before(&self, loan_id: &str, code: &str, words: &str) -> Option<&str> {
        let found =
            self.misnamed.iter().find(|(loan, of, said)| loan == loan_id && of == code && said.starts_with(words));
        found.map(|(_, _, said)| said.as_str())
    }
}
