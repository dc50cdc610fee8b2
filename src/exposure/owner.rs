//! Owners: shops of one person or company are one borrower to every bound that does not grow with trade.
//!
//! Each shop brings evidence of its own trade, and its own caps rest on it. What the lender sets by itself (a first limit and its growth, a product's
//! largest loan, the total cap) is the owner's: what all its shops owe and may still draw comes off it, and what is left is divided among the shops in
//! proportion to what they took in over the last year, before any of them is decided on. So no offer depends on the order of shards, nor on which shop
//! asks first by day, and all shops together are lent no more than one shop with the trade of all.
//!
//! A shop belongs to the owner that its row names tonight, and to the one that it named on an earlier night for as long as that owner's shops owe
//! anything or may draw what they were offered before it left: debts are not left behind by another name in a row. A shop that is not seen, and may
//! owe something, leaves what its owner owes unknown.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use polars::prelude::{DataFrame, PolarsError};
use serde::{Deserialize, Serialize};

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::group::divided;
use super::open_offer::OpenOffer;
use crate::repayment::{JointRecord, MerchantLoans};
use crate::store::bucket_of;

/// What owner ids are compared by: letters and digits alone (tax numbers are written with and without points and dashes), whatever their case and width, and letters of other alphabets as those of the Latin one that
/// they look like ([UTS 39](https://www.unicode.org/reports/tr39/#Confusable_Detection)). `None` for a text that names nobody.
///
/// Two owners who become one by it share their bounds, which only takes away.
fn compared(owner_id: &str) -> Option<String> {
    let seen = owner_id.nfkc().filter(|c| c.is_alphanumeric());
    // Some letters look alike as capitals only, others as small ones.
    let capitals: String = seen.flat_map(char::to_uppercase).flat_map(looks_like).collect();
    let compared: String =
        capitals.chars().flat_map(char::to_lowercase).flat_map(looks_like).flat_map(char::to_lowercase).collect();
    (!compared.is_empty()).then_some(compared)
}

/// What a character looks like. One of ASCII is itself, so that `1` is not `l`.
fn looks_like(character: char) -> Vec<char> {
    if character.is_ascii() { vec![character] } else { skeleton(character.encode_utf8(&mut [0; 4])).collect() }
}

/// The owner of every merchant whose row names one.
pub(super) fn owners_of_merchants(merchants: &DataFrame) -> Result<BTreeMap<String, String>, PolarsError> {
    let (ids, owners) = (merchants.column("merchant_id")?.str()?, merchants.column("owner_id")?.str()?);
    let named = ids.iter().zip(owners.iter()).filter_map(|(id, owner)| Some((id?.to_owned(), compared(owner?)?)));
    Ok(named.collect())
}

/// A shop and its owner as the next night has to know them: a row of `remembered_owners.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RememberedOwner {
    /// The shop.
    pub merchant_id: String,
    /// The owner, as owners are compared.
    pub owner_id: String,
    /// The first night on which the shop's row did not name it; `None` where it does.
    pub left_on: Option<Date>,
}

/// Shops and owners of the night before, by bucket of merchants and merchant; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct OwnersBefore {
    by_bucket: Vec<BTreeMap<String, Vec<OwnerBefore>>>,
}

/// An owner that the night before knew, and since when the shop's row does not name it.
type OwnerBefore = (String, Option<Date>);

impl OwnersBefore {
    /// Rows of `remembered_owners.parquet`, for shards of so many `buckets`, but for owners that were named by mistake.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = RememberedOwner>, corrected: &BTreeSet<String>, buckets: u32) -> Self {
        let corrected: BTreeSet<String> = corrected.iter().filter_map(|owner| compared(owner)).collect();
        let mut by_bucket = vec![BTreeMap::<String, Vec<OwnerBefore>>::new(); buckets.max(1) as usize];
        for RememberedOwner { merchant_id, owner_id, left_on } in rows {
            // An earlier version of the program may have compared otherwise.
            let Some(owner_id) = compared(&owner_id).filter(|owner| !corrected.contains(owner)) else { continue };
            if let Some(merchants) = by_bucket.get_mut(bucket_of(&merchant_id, buckets) as usize) {
                merchants.entry(merchant_id).or_default().push((owner_id, left_on));
            }
        }
        Self { by_bucket }
    }

    /// Merchants of one bucket with their owners.
    pub(super) fn in_bucket(&self, bucket: u32) -> impl Iterator<Item = (&str, &[OwnerBefore])> {
        let merchants = self.by_bucket.get(bucket as usize).into_iter().flatten();
        merchants.map(|(merchant, owners)| (merchant.as_str(), owners.as_slice()))
    }
}

/// What is known of a shop beside its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShopStanding {
    /// What it took in over the last year, minor units.
    pub receipts_minor: i64,
    /// On the night before it, or one of its guarantee group, was in default, or not yet trusted again.
    pub is_refused: bool,
    /// The most that it may owe and be offered since it was restored; `None` for no such bound.
    pub most_minor: Option<i64>,
    /// It trades no more.
    pub is_closed: bool,
}

/// What some shops of an owner come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shops {
    /// How many.
    pub number: u32,
    /// What they took in over the last year, minor units; shops that took in nothing, or nobody knows what, count for nothing.
    pub receipts_minor: i64,
    /// Principal not repaid, over all products.
    pub owed_minor: i64,
    /// What open offers let them draw, by product.
    pub held: BTreeMap<String, i64>,
    /// The night that made the oldest offer which may still be drawn.
    pub oldest_offer_on: Option<Date>,
    /// Those of which what they owe is not known.
    pub unknown: u32,
    /// Those with a loan that is in default, or was written off.
    pub in_default: u32,
    /// Those with a loan that is materially late.
    pub late: u32,
    /// Those that were in default on the night before, by themselves or their guarantee groups, or not yet trusted again.
    pub refused: u32,
    /// The least that one of them, restored after a default, may owe and be offered.
    pub most_minor: Option<i64>,
    /// Their record as that of one borrower.
    pub record: JointRecord,
}

impl Shops {
    /// One shop.
    pub(super) fn one(
        standing: ShopStanding,
        owed_minor: Option<i64>,
        offers: &[OpenOffer],
        loans: MerchantLoans<'_>,
    ) -> Self {
        let mut held: BTreeMap<String, i64> = BTreeMap::new();
        let open = || offers.iter().filter(|offer| offer.held_minor > 0);
        for offer in open() {
            let sum = held.entry(offer.product.clone()).or_default();
            *sum = sum.saturating_add(offer.held_minor);
        }
        let defaulted = loans.known.iter().any(|loan| loan.is_in_default || loan.is_written_off);
        Self {
            number: 1,
            receipts_minor: standing.receipts_minor.max(0),
            owed_minor: owed_minor.unwrap_or(0),
            held,
            oldest_offer_on: open().map(|offer| offer.offered_on).min(),
            unknown: u32::from(owed_minor.is_none()),
            in_default: u32::from(defaulted),
            late: u32::from(loans.known.iter().any(|loan| loan.material_dpd > 0)),
            refused: u32::from(standing.is_refused),
            most_minor: standing.most_minor,
            record: JointRecord::over(loans.known),
        }
    }

    /// Adds others. Sums that would leave 64 bits stay at the largest number: nothing more is lent.
    fn merge(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        self.receipts_minor = self.receipts_minor.saturating_add(other.receipts_minor);
        self.owed_minor = self.owed_minor.saturating_add(other.owed_minor);
        for (product, held_minor) in &other.held {
            let sum = self.held.entry(product.clone()).or_default();
            *sum = sum.saturating_add(*held_minor);
        }
        self.oldest_offer_on = self.oldest_offer_on.into_iter().chain(other.oldest_offer_on).min();
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.in_default = self.in_default.saturating_add(other.in_default);
        self.late = self.late.saturating_add(other.late);
        self.refused = self.refused.saturating_add(other.refused);
        self.most_minor = self.most_minor.into_iter().chain(other.most_minor).min();
        self.record.merge(&other.record);
    }

    /// Nothing is owed, in doubt, or open since before a day.
    fn is_clear(&self, of_before: Date) -> bool {
        self.owed_minor == 0 && self.unknown == 0 && self.oldest_offer_on.is_none_or(|on| on >= of_before)
    }

    /// What is owed and may be drawn; `None` where it is not known.
    #[must_use]
    pub fn committed_minor(&self) -> Option<i64> {
        (self.unknown == 0).then(|| self.owed_minor.saturating_add(self.held_minor()))
    }

    fn held_minor(&self) -> i64 {
        self.held.values().fold(0, |sum, held| sum.saturating_add(*held))
    }
}

/// An owner's shops over some shards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct OwnerTotal {
    /// Those whose rows name the owner.
    named: Shops,
    /// Those that an earlier night knew, and whose rows are gone or name another.
    left: Shops,
    /// The last night on which one of the latter was not named any more.
    left_on: Option<Date>,
}

/// Totals by owner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnerTotals(BTreeMap<String, OwnerTotal>);

impl OwnerTotals {
    /// Adds a shop: to the owner that its row names, and to those that it has left.
    pub(super) fn add(&mut self, links: &OwnerLinks) {
        if let Some(owner) = &links.named {
            self.0.entry(owner.clone()).or_default().named.merge(&links.shop);
        }
        for (owner, left_on) in &links.left {
            let total = self.0.entry(owner.clone()).or_default();
            total.left.merge(&links.shop);
            total.left_on = total.left_on.max(Some(*left_on));
        }
    }

    /// Adds another shard's totals.
    pub fn merge(&mut self, other: &Self) {
        for (owner, part) in &other.0 {
            let total = self.0.entry(owner.clone()).or_default();
            total.named.merge(&part.named);
            total.left.merge(&part.left);
            total.left_on = total.left_on.max(part.left_on);
        }
    }

    /// Whether anybody's owner is known: a marketplace that names none keeps no owners.
    pub(super) fn are_kept(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether who has left an owner still answers for it.
    pub(super) fn binds_who_left(&self, owner: &str) -> bool {
        self.0.get(owner).is_some_and(|total| {
            total.left_on.is_some_and(|left_on| !total.named.is_clear(left_on) || !total.left.is_clear(left_on))
        })
    }

    /// What the owners of one shop leave it.
    pub(super) fn share(&self, links: &OwnerLinks) -> Owners {
        let share = |owner: &String, has_left: bool| {
            let total = self.0.get(owner)?;
            let mut all = total.named.clone();
            if self.binds_who_left(owner) {
                all.merge(&total.left);
            } else if has_left {
                return None;
            }
            if all.number < 2 {
                return None;
            }
            Some(OwnerShare { owner_id: owner.clone(), all, own: links.shop.clone(), drawn_minor: 0 })
        };
        let named = links.named.iter().filter_map(|owner| share(owner, false));
        let left = links.left.iter().filter_map(|(owner, _)| share(owner, true));
        Owners { owner_id: links.named.clone(), shared: named.chain(left).collect() }
    }
}

/// A shop and its owners, before totals are known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct OwnerLinks {
    pub named: Option<String>,
    /// Those that it has left, and since when.
    pub left: Vec<(String, Date)>,
    pub shop: Shops,
}

impl OwnerLinks {
    /// All of them.
    pub(super) fn owners(&self) -> BTreeSet<String> {
        self.named.iter().chain(self.left.iter().map(|(owner, _)| owner)).cloned().collect()
    }
}

/// The owners of a merchant where the marketplace names owners.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Owners {
    /// The one that its row names, as owners are compared; `None` where it names none.
    pub owner_id: Option<String>,
    /// Owners with further shops: the one that is named, and those that the merchant has left and still answers for.
    pub shared: Vec<OwnerShare>,
}

/// What an owner's bounds leave to one of its shops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerShare {
    /// The owner.
    pub owner_id: String,
    /// All its shops, this one included.
    pub all: Shops,
    /// This one.
    pub own: Shops,
    /// What this one drew since the night.
    pub drawn_minor: i64,
}

impl OwnerShare {
    /// The most that this shop may hold in open offers for all shops to stay within a bound on what is owed and may be drawn; `None` where what a
    /// shop owes is not known.
    #[must_use]
    pub fn part_of(&self, bound_minor: i64) -> Option<i64> {
        if self.all.unknown > 0 {
            return None;
        }
        let room = bound_minor.saturating_sub(self.all.owed_minor);
        let part = divided(room, self.all.held_minor(), self.own.held_minor(), self.weights());
        Some(part.saturating_sub(self.drawn_minor))
    }

    /// The most that this shop may hold in open offers of a product for those of all shops to stay within its largest limit.
    #[must_use]
    pub fn part_of_product(&self, product: &str, largest_minor: i64) -> i64 {
        let held = |shops: &Shops| shops.held.get(product).copied().unwrap_or(0);
        divided(largest_minor, held(&self.all), held(&self.own), self.weights())
    }

    /// Shops that took in nothing share equally.
    fn weights(&self) -> (i64, i64) {
        match self.all.receipts_minor {
            0 => (1, i64::from(self.all.number)),
            all => (self.own.receipts_minor, all),
        }
    }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
