//! What a shard's loans are held against beside their own rows: the night before, for what was owed or repaid then does not vanish
//! because its row is no longer sent, and an offer made to one merchant is not another's; and how far tonight's orders reach.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::remembered::RememberedLoan;
use super::unknown::{LoanException, OFFER_OF_ANOTHER};
use crate::store::bucket_of;

/// The same for every shard. The default knows of no night before and of no orders.
#[derive(Debug, Clone, Default)]
pub struct LoanEvidence {
    /// Loans as the night before left them, by bucket of merchants, merchant and loan.
    loans: Vec<BTreeMap<String, Vec<RememberedLoan>>>,
    /// Merchant of each offer on an account, by offer.
    offers: BTreeMap<String, String>,
    /// Loans that named another merchant's offer, with what was said of it.
    strangers: BTreeSet<(String, String)>,
    /// The last day of which tonight's data has orders, of any merchant.
    pub(super) orders_until: Option<Date>,
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

    /// The same with the offers that were on accounts, pairs of offer and merchant, and with the officers' list: an offer leaves the account
    /// one day, and the loan that named it wrongly still does.
    #[must_use]
    pub fn with_offers(
        mut self,
        offers: impl IntoIterator<Item = (String, String)>,
        exceptions: impl IntoIterator<Item = LoanException>,
    ) -> Self {
        self.offers.extend(offers);
        let strangers = exceptions.into_iter().filter(|line| line.code == OFFER_OF_ANOTHER);
        self.strangers.extend(strangers.filter_map(|line| Some((line.loan_id?, line.detail))));
        self
    }

    /// The same with the last day of which tonight's data has orders: what a loan drawn later pledges need not be among them.
    #[must_use]
    pub fn with_orders_until(mut self, day: Option<Date>) -> Self {
        self.orders_until = day;
        self
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
        self.offers.get(offer_id).is_some_and(|owner| owner != merchant_id)
    }

    /// Whether a loan was on the officers' list for naming another merchant's offer, in the same words.
    pub(super) fn was_of_another(&self, loan_id: &str, detail: &str) -> bool {
        self.strangers.contains(&(loan_id.to_owned(), detail.to_owned()))
    }
}
