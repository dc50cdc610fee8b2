//! One merchant's account: what is owed, held by open offers, pledged and asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::declared::Declared;
use super::group::GroupShare;
use super::open_offer::{self, OfferState, OpenOffer, is_replaced};
use super::owner::{OwnerShare, Owners};
use super::receivable::{self, Receivable, Receivables};
use crate::repayment::LoanStanding;

/// What a merchant owes this lender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owed {
    /// The lender keeps no loan book yet: nobody owes anything.
    NoLoanBook,
    /// Every loan reconciles; principal not repaid by product, written-off loans included.
    Known(BTreeMap<String, i64>),
    /// The loan book is absent tonight, or a loan of the merchant does not reconcile: what is owed is not known.
    Unknown,
}

/// What a merchant asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requests {
    /// The job takes no applications: nothing is asked for, everything is an invitation.
    NotTaken,
    /// Applications are taken, but tonight's are absent: what was asked for is not known.
    Unknown,
    /// Applications that wait for an answer, oldest first.
    Known(Vec<super::applications::Request>),
}

/// One merchant's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The merchant.
    pub merchant_id: String,
    /// What is owed.
    pub owed: Owed,
    /// Where it is not known what is owed, the most that rows and the night before say of it: what could be read of loans, as if nothing had been paid on
    /// those that do not reconcile.
    #[serde(default)]
    pub unknown_owed_minor: i64,
    /// Loans that are not closed, or that may not be, sorted.
    pub open_loan_ids: Vec<String>,
    /// Loans that were repaid, for as long as they have to be sent again, sorted.
    pub closed_loan_ids: Vec<String>,
    /// What the merchant may be lent against.
    pub receivables: Receivables,
    /// What is asked for.
    pub requests: Requests,
    /// All that the merchant declared lately of its means, in whichever application.
    #[serde(default)]
    pub declarations: BTreeSet<Declared>,
    /// Whether an application of these days cannot be read: nobody knows what was declared in it.
    #[serde(default)]
    pub has_unread_declaration: bool,
    /// What the merchant's guarantee groups leave; `None` where the merchant is in none.
    pub group: Option<GroupShare>,
    /// Who stands behind the merchant; `None` where the marketplace names no owners.
    #[serde(default)]
    pub owners: Option<Owners>,
    /// Products whose loans are repaid from receivables.
    pub(super) secured_products: BTreeSet<String>,
    /// Offers of earlier nights, and what is granted tonight.
    pub(super) offers: Vec<OpenOffer>,
    /// Orders that secure open loans.
    pub(super) pledged_to_loans: BTreeSet<String>,
    /// An open loan on receivables names no orders: it may rest on any order placed before this instant, UTC microseconds.
    pub(super) pledged_if_placed_before: Option<i64>,
}

impl Account {
    /// An account on which nothing is owed, offered, pledged or asked for.
    #[must_use]
    pub fn empty(merchant_id: &str, owed: Owed, receivables: Receivables, requests: Requests) -> Self {
        Self {
            merchant_id: merchant_id.to_owned(),
            owed,
            unknown_owed_minor: 0,
            open_loan_ids: Vec::new(),
            closed_loan_ids: Vec::new(),
            receivables,
            requests,
            declarations: BTreeSet::new(),
            has_unread_declaration: false,
            group: None,
            owners: None,
            secured_products: BTreeSet::new(),
            offers: Vec::new(),
            pledged_to_loans: BTreeSet::new(),
            pledged_if_placed_before: None,
        }
    }

    /// Puts loans and the offers carried over from last night on the account. `secured_products` are repaid from receivables.
    #[must_use]
    pub fn with_book(
        mut self,
        loans: &[LoanStanding],
        offers: Vec<OpenOffer>,
        secured_products: &BTreeSet<String>,
    ) -> Self {
        self.secured_products.clone_from(secured_products);
        for loan in loans.iter().filter(|l| !l.is_closed) {
            if !loan.pledged_order_ids.is_empty() {
                self.pledged_to_loans.extend(loan.pledged_order_ids.iter().cloned());
                continue;
            }
            // A loan that names no orders rests on those of its offer.
            let of_offer = |o: &&OpenOffer| loan.offer_id.as_deref() == Some(o.offer_id.as_str());
            match offers.iter().find(of_offer) {
                Some(offer) => self.pledged_to_loans.extend(offer.pledged_order_ids.iter().cloned()),
                None if self.secured_products.contains(&loan.product) => {
                    let before = self.pledged_if_placed_before.get_or_insert(loan.disbursed_at);
                    *before = loan.disbursed_at.max(*before);
                }
                None => {}
            }
        }
        self.offers = offers;
        self
    }

    /// The account by day, after the night: offers as the night and the answers since have left them, what was drawn of each since the night,
    /// and one application to answer. What was drawn is owed, and the offer's orders secure it.
    #[must_use]
    pub fn by_day(
        mut self,
        offers: &[OpenOffer],
        draws: &BTreeMap<&str, i64>,
        request: super::applications::Request,
    ) -> Self {
        for (&offer_id, &drawn_minor) in draws.iter().filter(|(_, drawn)| **drawn > 0) {
            let offer = offers.iter().find(|offer| offer.offer_id == offer_id);
            self.pledged_to_loans.extend(offer.into_iter().flat_map(|offer| offer.pledged_order_ids.iter().cloned()));
            // A draw on an offer that is no longer known is owed all the same.
            let product = offer.map_or("", |offer| offer.product.as_str());
            match &mut self.owed {
                Owed::Known(by_product) => {
                    let owed = by_product.entry(product.to_owned()).or_default();
                    *owed = owed.saturating_add(drawn_minor);
                }
                Owed::NoLoanBook => self.owed = Owed::Known([(product.to_owned(), drawn_minor)].into()),
                Owed::Unknown => {}
            }
        }
        // What the night left to open offers, of groups and owners, is used up by what was drawn: it is owed now.
        let drawn_minor = draws.values().fold(0_i64, |sum, drawn| sum.saturating_add(*drawn));
        if let Some(allowance) = self.group.as_mut().and_then(|group| group.allowance_minor.as_mut()) {
            *allowance = allowance.saturating_sub(drawn_minor);
        }
        for share in self.owners.iter_mut().flat_map(|owners| &mut owners.shared) {
            share.drawn_minor = drawn_minor;
        }
        self.offers = open_offer::with_draws(offers, draws);
        self.requests = Requests::Known(vec![request]);
        self
    }

    /// Offers on the account, those granted tonight included.
    #[must_use]
    pub fn offers(&self) -> &[OpenOffer] {
        &self.offers
    }

    /// The same, for the next night.
    #[must_use]
    pub fn into_offers(self) -> Vec<OpenOffer> {
        self.offers
    }

    /// Principal not repaid; `None` where it is not known.
    #[must_use]
    pub fn owed_minor(&self) -> Option<i64> {
        self.owed_on(|_| true)
    }

    /// Whether something is owed on a product, may be, or may still be drawn, leaving out what an offer of `replacing` would replace.
    #[must_use]
    pub fn may_owe(&self, product: &str, replacing: &str) -> bool {
        self.owed_on(|owed| owed == product) != Some(0)
            || self.counting(Some(replacing)).any(|offer| offer.product == product && offer.held_minor > 0)
    }

    /// Principal not repaid, or the most that is said of it where it is not known: what the merchant takes of bounds that all share.
    #[must_use]
    pub fn owed_at_most_minor(&self) -> i64 {
        self.owed_minor().unwrap_or(self.unknown_owed_minor)
    }

    /// What open offers still let the merchant draw, leaving out those that an offer of `replacing` would replace.
    #[must_use]
    pub fn held_minor(&self, replacing: Option<&str>) -> i64 {
        self.held_on(replacing, |_| true)
    }

    /// All that is owed and may still be drawn before an offer of `replacing` is made; `None` where it is not known. Sums that would
    /// leave 64 bits stay at the largest number: nothing more is lent.
    #[must_use]
    pub fn committed_minor(&self, replacing: Option<&str>) -> Option<i64> {
        Some(self.owed_minor()?.saturating_add(self.held_minor(replacing)))
    }

    /// As [`Self::committed_minor`], over the products that are repaid from receivables alone.
    #[must_use]
    pub fn committed_on_receivables_minor(&self, replacing: Option<&str>) -> Option<i64> {
        let is_secured = |product: &str| self.secured_products.contains(product);
        Some(self.owed_on(is_secured)?.saturating_add(self.held_on(replacing, is_secured)))
    }

    fn owed_on(&self, counts: impl Fn(&str) -> bool) -> Option<i64> {
        match &self.owed {
            Owed::NoLoanBook => Some(0),
            Owed::Known(by_product) => {
                let counted = by_product.iter().filter(|(product, _)| counts(product));
                Some(counted.fold(0, |sum, (_, owed)| sum.saturating_add(*owed)))
            }
            Owed::Unknown => None,
        }
    }

    /// As [`Self::held_minor`], of one product alone: what offers of it hold that an offer of it would not replace.
    #[must_use]
    pub fn held_beside_minor(&self, product: &str) -> i64 {
        self.held_on(Some(product), |of| of == product)
    }

    /// What the owners of the merchant leave it, where they have further shops.
    #[must_use]
    pub fn owner_shares(&self) -> &[OwnerShare] {
        self.owners.as_ref().map_or(&[], |owners| &owners.shared)
    }

    fn held_on(&self, replacing: Option<&str>, counts: impl Fn(&str) -> bool) -> i64 {
        let counted = self.counting(replacing).filter(|offer| counts(&offer.product));
        counted.fold(0, |sum, offer| sum.saturating_add(offer.held_minor))
    }

    /// Receivables that an offer of `replacing` may rest on: pledged to no open loan and to no other offer, and among the `named`, where
    /// any are. The largest first.
    #[must_use]
    pub fn free_receivables(&self, replacing: &str, named: &[String]) -> Option<Vec<&Receivable>> {
        let Receivables::Known(receivables) = &self.receivables else { return None };
        let to_offers: BTreeSet<&str> = self
            .counting(Some(replacing))
            .flat_map(|offer| offer.pledged_order_ids.iter().map(String::as_str))
            .collect();
        let is_pledged = |r: &Receivable| {
            r.ids().any(|id| self.pledged_to_loans.contains(id) || to_offers.contains(id))
                || self.pledged_if_placed_before.is_some_and(|before| r.placed_at < before)
        };
        Some(receivable::free(receivables, is_pledged, named))
    }

    /// Takes receivables off the account, by any of their ids: nothing is lent on them.
    pub fn set_aside(&mut self, orders: &BTreeSet<&str>) {
        if let Receivables::Known(all) = &mut self.receivables {
            all.retain(|receivable| !receivable.ids().any(|id| orders.contains(id)));
        }
    }

    /// All receivables together; `None` where they are not known.
    #[must_use]
    pub fn receivables_minor(&self) -> Option<i64> {
        match &self.receivables {
            Receivables::Unknown => None,
            Receivables::Known(all) => Some(all.iter().fold(0, |sum, r| sum.saturating_add(r.counted_minor))),
        }
    }

    /// Orders that secure open loans.
    #[must_use]
    pub const fn pledged_to_loans(&self) -> &BTreeSet<String> {
        &self.pledged_to_loans
    }

    /// Orders that secure an open loan or an open offer.
    #[must_use]
    pub fn pledged_orders(&self) -> BTreeSet<&str> {
        let to_offers = self.offers.iter().flat_map(|offer| &offer.pledged_order_ids);
        self.pledged_to_loans.iter().chain(to_offers).map(String::as_str).collect()
    }

    /// The offer that one of this product would replace.
    #[must_use]
    pub fn replaced(&self, product: &str) -> Option<&OpenOffer> {
        self.offers.iter().find(|offer| is_replaced(offer, product))
    }

    /// Puts tonight's offer on the account in place of the one it replaces ([`open_offer::grant`]).
    pub fn grant(&mut self, granted: OpenOffer) {
        open_offer::grant(&mut self.offers, granted);
    }

    /// Withdraws what an earlier night offered of this product: tonight declined it.
    pub fn withdraw(&mut self, product: &str) {
        open_offer::withdraw(&mut self.offers, product);
    }

    /// Withdraws what an earlier night offered of products that are no longer on offer.
    pub fn withdraw_products(&mut self, is_gone: impl Fn(&str) -> bool) {
        for offer in self.offers.iter_mut().filter(|o| o.state == OfferState::Open && is_gone(&o.product)) {
            offer.state = OfferState::Withdrawn;
        }
    }

    fn counting<'a>(&'a self, replacing: Option<&'a str>) -> impl Iterator<Item = &'a OpenOffer> {
        self.offers.iter().filter(move |offer| replacing.is_none_or(|product| !is_replaced(offer, product)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::applications::Request;
    use super::*;

    #[test]
    fn what_was_drawn_by_day_is_used_up_of_what_the_group_left() {
        let open = OpenOffer {
            offer_id: "x".to_owned(),
            merchant_id: "m".to_owned(),
            product: "credit-loan".to_owned(),
            state: OfferState::Open,
            limit_minor: 100,
            daily_rate_ppm: None,
            term_days: None,
            sales_share_ppm: None,
            drawn_minor: 0,
            drawn_before_minor: 0,
            held_minor: 100,
            offered_on: date(2025, 5, 2),
            valid_until_on: date(2025, 6, 1),
            replaces_offer_id: None,
            pledged_order_ids: Vec::new(),
        };
        let mut account = Account::empty("m", Owed::NoLoanBook, Receivables::Unknown, Requests::Known(Vec::new()));
        account.group = Some(GroupShare { allowance_minor: Some(100), ..GroupShare::default() });
        let request = Request {
            product: "credit-loan".to_owned(),
            requested_minor: 100,
            order_ids: Vec::new(),
            declared: Declared::default(),
        };
        let by_day = account.by_day(&[open], &BTreeMap::from([("x", 70)]), request);
        assert_eq!((by_day.group.as_ref().unwrap().allowance_minor, by_day.held_minor(None)), (Some(30), 30));
    }
}
