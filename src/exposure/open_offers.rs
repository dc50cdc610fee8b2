//! The offers that the night before left open, with what was answered since.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::open_offer::{self, OfferState, OpenOffer, carry_over};

/// The offers that last night's run left open, by merchant.
#[derive(Debug, Clone, Default)]
pub struct OpenOffers {
    by_merchant: BTreeMap<String, Vec<OpenOffer>>,
}

impl OpenOffers {
    /// Sorts rows of `open_offers.parquet` by merchant.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = OpenOffer>) -> Self {
        let mut by_merchant: BTreeMap<String, Vec<OpenOffer>> = BTreeMap::new();
        for row in rows {
            by_merchant.entry(row.merchant_id.clone()).or_default().push(row);
        }
        Self { by_merchant }
    }

    /// Puts an answer that was given since on it: a new offer in place of the one before, or that there is none of the product any more.
    pub fn answer(&mut self, merchant_id: &str, product: &str, granted: Option<OpenOffer>) {
        match granted {
            Some(granted) => open_offer::grant(self.by_merchant.entry(merchant_id.to_owned()).or_default(), granted),
            None => {
                if let Some(offers) = self.by_merchant.get_mut(merchant_id) {
                    open_offer::withdraw(offers, product);
                }
            }
        }
    }

    /// Holds an offer of a run that was published beside the night before, and is no longer served: it may have been drawn meanwhile. It takes the
    /// place of the one that it replaced, unless that is served still: then both hold.
    pub fn hold_beside(&mut self, offer: OpenOffer, is_served: impl Fn(&OpenOffer) -> bool) {
        let offers = self.by_merchant.entry(offer.merchant_id.clone()).or_default();
        if offers.iter().any(|known| known.offer_id == offer.offer_id) {
            return;
        }
        let replaced = offers.iter().find(|known| Some(&known.offer_id) == offer.replaces_offer_id.as_ref());
        let is_instead = replaced.is_some_and(|replaced| !is_served(replaced));
        let offer = OpenOffer { state: OfferState::Withdrawn, ..offer };
        if is_instead { open_offer::grant(offers, offer) } else { offers.push(offer) }
    }

    /// Those of one merchant.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> &[OpenOffer] {
        self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    /// All, with their merchants.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[OpenOffer])> {
        self.by_merchant.iter().map(|(merchant, offers)| (merchant.as_str(), offers.as_slice()))
    }
}

/// Rows of open offers of merchants that are no longer scored: they still hold what they held until they lapse.
#[must_use]
pub fn unseen_merchants_offers(open: &OpenOffers, is_seen: impl Fn(&str) -> bool, as_of: Date) -> Vec<OpenOffer> {
    open.iter()
        .filter(|(merchant, _)| !is_seen(merchant))
        .flat_map(|(_, offers)| carry_over(offers, &[], as_of))
        .map(|offer| match offer.state {
            OfferState::Open => OpenOffer { state: OfferState::Withdrawn, ..offer },
            OfferState::Withdrawn | OfferState::Replaced | OfferState::Drawn => offer,
        })
        .collect()
}
