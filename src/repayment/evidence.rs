//! What a shard's loans are held against beside their own rows: the night before, for what was owed or repaid then does not vanish
//! because its row is no longer sent, and an offer made to one merchant is not another's; and how far tonight's orders reach.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::unknown::{LoanException, OFFER_OF_ANOTHER};

/// The same for every shard. The default knows of no night before and of no orders.
#[derive(Debug, Clone, Default)]
pub struct LoanEvidence {
    /// Loans that have to be seen again, by merchant.
    loans: BTreeMap<String, BTreeSet<String>>,
    /// Merchant of each offer on an account, by offer.
    offers: BTreeMap<String, String>,
    /// Loans that named another merchant's offer, with what was said of it.
    strangers: BTreeSet<(String, String)>,
    /// The last day of which tonight's data has orders, of any merchant.
    pub(super) orders_until: Option<Date>,
}

impl LoanEvidence {
    /// Of the loans that the night before knew: pairs of merchant and loan, leaving out loans that are `no_longer_sent`, as the monitor file has them.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>, no_longer_sent: &BTreeSet<String>) -> Self {
        let mut evidence = Self::default();
        for (merchant, loan) in pairs.into_iter().filter(|(_, loan)| !no_longer_sent.contains(loan)) {
            evidence.loans.entry(merchant).or_default().insert(loan);
        }
        evidence
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

    /// Loans of one merchant that have to be seen.
    pub fn loans_of(&self, merchant_id: &str) -> impl Iterator<Item = &str> {
        self.loans.get(merchant_id).into_iter().flatten().map(String::as_str)
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
