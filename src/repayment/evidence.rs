//! What a shard's loans are held against beside their own rows: the night before, for what was owed or repaid then does not vanish
//! because its row is no longer sent, and an offer made to one merchant is not another's; and how far tonight's orders reach.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::draw_terms;
use super::remembered::RememberedLoan;
use super::standing::LoanStanding;
use super::unknown::{DRAW_ABOVE_OFFER, LoanException, OFFER_OF_ANOTHER};
use crate::store::bucket_of;

/// The same for every shard. The default knows of no night before and of no orders.
#[derive(Debug, Clone, Default)]
pub struct LoanEvidence {
    /// Loans as the night before left them, by bucket of merchants, merchant and loan.
    loans: Vec<BTreeMap<String, Vec<RememberedLoan>>>,
    /// Each offer on an account.
    offers: BTreeMap<String, OfferMade>,
    /// As-of date of the night before; `None` on a first night.
    night_before: Option<Date>,
    /// What the officers' list of the night before says of loans against their offers: loan, code and words.
    misnamed: BTreeSet<(String, String, String)>,
    /// The last day of which tonight's data has orders, of any merchant.
    pub(super) orders_until: Option<Date>,
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
        for loan in loans {
            if let Some(merchants) = by_bucket.get_mut(bucket_of(&loan.merchant_id, buckets) as usize) {
                merchants.entry(loan.merchant_id.clone()).or_default().push(loan);
            }
        }
        for loans in by_bucket.iter_mut().flat_map(BTreeMap::values_mut) {
            loans.sort_by(|a, b| a.loan_id.cmp(&b.loan_id));
        }
        Self { loans: by_bucket, ..Self::default() }
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
        let lines = exceptions.into_iter().filter(|line| codes.contains(&line.code.as_str()));
        self.misnamed.extend(lines.filter_map(|line| Some((line.loan_id?, line.code, line.detail))));
        self
    }

    /// The same with the as-of date of the night before.
    #[must_use]
    pub const fn with_night_before(mut self, night: Option<Date>) -> Self {
        self.night_before = night;
        self
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
    pub(super) fn order_is_of_another(&self, order_id: &str, merchant_id: &str) -> bool {
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
