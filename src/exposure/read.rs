//! Draws up the accounts of a shard's merchants from its tables and from last night's open offers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::account::{Account, Requests};
use super::applications::{Applications, read_applications, requests};
use super::book::Book;
use super::declared::{Declared, declarations};
use super::error::ExposureError;
use super::escrow::{ShardReceivables, receivables};
use super::group::{GroupTotal, GroupTotals, LeftGroups, Membership};
use super::member::{MembersBefore, RememberedMember, groups_of_broken_members};
use super::memberships::{group_parts, memberships};
use super::open_offer::carry_over;
use super::open_offers::OpenOffers;
use super::owner::{
    OwnerLinks, OwnerTotals, Owners, OwnersBefore, RememberedOwner, ShopStanding, Shops, owners_of_merchants,
};
use super::receivable::Receivables;
use super::records::merchants_of_broken;
use super::settings::{GroupTerms, ReceivableTerms};
use crate::contract::APPLICATIONS;
use crate::domain::{AsOf, MICROS_PER_DAY};
use crate::repayment::{LoanEvidence, RememberedLoan};
use crate::store::Shard;
use crate::tiles::Views;

/// What accounts are drawn up by: parts of the policy and of the job.
#[derive(Debug, Clone)]
pub struct AccountTerms<'a> {
    /// How receivables age; `None` where no product rests on them.
    pub receivables: Option<&'a ReceivableTerms>,
    /// What guarantee groups may owe.
    pub groups: Option<&'a GroupTerms>,
    /// Products whose loans are repaid from receivables.
    pub secured_products: BTreeSet<String>,
    /// Whether the lender keeps a loan book.
    pub keeps_loan_book: bool,
    /// Days that an application waits for an answer.
    pub application_days: u16,
    /// Days for which what an applicant declared counts beside what it declares later.
    pub declaration_days: u16,
    /// Contract tables that the job declares, whether or not they are there tonight.
    pub declared: &'a BTreeSet<&'static str>,
}

impl AccountTerms<'_> {
    /// Whether an application of an instant, UTC microseconds, still waits for an answer; one whose time cannot be read may.
    #[must_use]
    pub fn may_wait(&self, applied_at: Option<i64>, as_of: &AsOf) -> bool {
        let patience = i64::from(self.application_days) * MICROS_PER_DAY;
        applied_at.is_none_or(|at| as_of.micros() - at <= patience)
    }

    /// Whether what was declared in an application of an instant still counts beside what is declared later; in one whose time cannot be read it may.
    #[must_use]
    pub fn is_remembered(&self, applied_at: Option<i64>, as_of: &AsOf) -> bool {
        let memory = i64::from(self.declaration_days) * MICROS_PER_DAY;
        memory > 0 && applied_at.is_none_or(|at| as_of.micros() - at <= memory)
    }
}

/// What the night before left to accounts; nothing on a first night.
#[derive(Clone, Copy)]
pub struct AccountsBefore<'a> {
    /// Offers that are still open.
    pub open: &'a OpenOffers,
    /// Loans that have to be seen again.
    pub loans: &'a LoanEvidence,
    /// Members of guarantee groups.
    pub members: &'a MembersBefore,
    /// Owners of shops.
    pub owners: &'a OwnersBefore,
    /// What was declared in applications that were answered by day, by merchant.
    pub declared: &'a BTreeMap<String, BTreeSet<Declared>>,
}

/// The accounts of a shard, before group totals are known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ShardAccounts {
    /// Every merchant that can be seen, by id.
    pub by_merchant: BTreeMap<String, Account>,
    /// The shard's part of every group's total.
    pub groups: GroupTotals,
    /// Memberships that the next night has to see.
    pub members: Vec<RememberedMember>,
    /// The shard's part of every owner's total.
    pub owners: OwnerTotals,
    /// Shops and owners that the next night has to know, once all shards' totals are merged.
    pub remembered_owners: Vec<RememberedOwner>,
    memberships: BTreeMap<String, MerchantGroups>,
    /// Shops whose owner is known, or was.
    links: BTreeMap<String, OwnerLinks>,
}

/// A merchant and its guarantee groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MerchantGroups {
    membership: Membership,
    left: LeftGroups,
    /// The merchant's part of each group's total.
    parts: BTreeMap<String, GroupTotal>,
}

impl ShardAccounts {
    /// Tells every account what its groups and its owners leave, once all shards' totals are merged.
    pub fn share(&mut self, groups: &GroupTotals, owners: &OwnerTotals, terms: &AccountTerms<'_>) {
        for (merchant, account) in &mut self.by_merchant {
            if let Some(MerchantGroups { membership, left, parts }) = self.memberships.get(merchant) {
                account.group = groups.share(membership, left, parts, terms.groups);
            }
            account.owners = owners
                .are_kept()
                .then(|| self.links.get(merchant).map_or_else(Owners::default, |links| owners.share(links)));
        }
        self.remembered_owners = self.owners_to_remember(owners);
    }

    fn owners_to_remember(&self, owners: &OwnerTotals) -> Vec<RememberedOwner> {
        let of_shop = |(merchant, links): (&String, &OwnerLinks)| -> Vec<RememberedOwner> {
            let row = |owner: &String, left_on| RememberedOwner {
                merchant_id: merchant.clone(),
                owner_id: owner.clone(),
                left_on,
            };
            let left = links.left.iter().filter(|(owner, _)| owners.binds_who_left(owner));
            let left = left.map(|(owner, left_on)| row(owner, Some(*left_on)));
            links.named.iter().map(|owner| row(owner, None)).chain(left).collect()
        };
        self.links.iter().flat_map(of_shop).collect()
    }
}

/// Draws up the account of every merchant of the shard of a bucket. `standing` says what else is known of a
/// merchant.
///
/// # Errors
/// A table that lacks a column.
pub fn shard_accounts(
    shard: &Shard,
    bucket: u32,
    views: &Views,
    before: AccountsBefore<'_>,
    terms: &AccountTerms<'_>,
    standing: impl Fn(&str) -> ShopStanding,
) -> Result<ShardAccounts, ExposureError> {
    let mut receivables = receivables(shard, views, terms)?;
    let book = Book::of(views.ledger.as_ref(), before.loans, terms);
    let broken = |source| ExposureError::Frame { table: "applications", source };
    let applications = shard.table("applications").map(read_applications).transpose().map_err(broken)?;
    let unread_declarations =
        merchants_of_broken(shard, APPLICATIONS.name, |known_at| terms.is_remembered(known_at, &shard.as_of));
    let mut declarations = declarations(applications.as_deref().unwrap_or_default(), shard, terms).map_err(broken)?;
    let mut requests = requests(applications, shard, book, terms);
    let mut memberships = memberships(shard, terms)?;

    let mut accounts = ShardAccounts::default();
    accounts.groups.merge(&groups_of_broken_members(&shard.broken, &shard.as_of));
    accounts.members = memberships.hold_against(before.members.in_bucket(bucket), &shard.as_of, &mut accounts.groups);
    // A loan is never known unless its borrower can be seen; one that is not known is its group's all the same.
    for loan in views.ledger.iter().flat_map(|ledger| &ledger.unknown) {
        if let Some(group) = &loan.group_id {
            let total = accounts.groups.entry(group);
            total.unknown = 1;
            total.unknown_loans = total.unknown_loans.saturating_add(1);
        }
    }
    for merchant in views.merchants.ids() {
        let loans = book.loans(merchant);
        let offers = carry_over(before.open.of(merchant), loans.known, shard.as_of.date());
        let owed = book.owed(merchant);
        let receivables = match &mut receivables {
            ShardReceivables::Absent => Receivables::Unknown,
            ShardReceivables::By { unknown, .. } if unknown.contains(merchant.as_str()) => Receivables::Unknown,
            ShardReceivables::By { known, .. } => Receivables::Known(known.remove(merchant).unwrap_or_default()),
        };
        let requests = match &mut requests {
            Applications::NotTaken => Requests::NotTaken,
            Applications::Absent => Requests::Unknown,
            Applications::By { unknown, .. } if unknown.contains(merchant.as_str()) => Requests::Unknown,
            Applications::By { known, .. } => Requests::Known(known.remove(merchant).unwrap_or_default()),
        };
        let mut account = Account::empty(merchant, owed, receivables, requests).with_book(
            loans.known,
            offers,
            &terms.secured_products,
        );
        account.declarations = declarations.remove(merchant).unwrap_or_default();
        account.declarations.extend(before.declared.get(merchant).into_iter().flatten());
        account.has_unread_declaration = unread_declarations.contains(merchant.as_str());
        if account.owed_minor().is_none() {
            account.unknown_owed_minor = book.unknown_owed_minor(merchant);
        }
        account.open_loan_ids = book.open_loan_ids(merchant);
        account.closed_loan_ids = book.closed_loan_ids(merchant);
        let membership = memberships.of(merchant);
        let offered = |offer_id: &str| {
            let offer = before.open.of(merchant).iter().find(|offer| offer.offer_id == offer_id)?;
            AsOf::new(offer.offered_on, shard.as_of.time_zone().clone()).ok().map(|night| night.micros())
        };
        let left = memberships.left_by(merchant);
        let own = group_parts(&account, loans, (&membership, &left), offered);
        let belongs = own.iter().filter(|(_, part)| part.members > 0).map(|(group, _)| group);
        let groups = MerchantGroups { membership: membership.with_groups(belongs), left, parts: own };
        accounts.memberships.insert(merchant.clone(), groups);
        accounts.by_merchant.insert(merchant.clone(), account);
    }
    link_owners(&mut accounts, shard, bucket, (before, book), &standing)?;
    add_to_groups(&mut accounts, standing);
    Ok(accounts)
}

/// Adds every merchant's part to the totals of its groups, once it is known whose its shop is and whether it is open.
fn add_to_groups(accounts: &mut ShardAccounts, standing: impl Fn(&str) -> ShopStanding) {
    for (merchant, MerchantGroups { parts, .. }) in &mut accounts.memberships {
        let owners = accounts.links.get(merchant).map(OwnerLinks::owners).unwrap_or_default();
        let is_closed = standing(merchant).is_closed;
        for (group, part) in parts {
            part.standing.values_mut().for_each(|of| of.clone_from(&owners));
            part.standing.retain(|_, _| !is_closed);
            accounts.groups.merge(&GroupTotals(BTreeMap::from([(group.clone(), part.clone())])));
        }
    }
}

/// Links shops with their owners, those that the night before knew and tonight does not see among them.
fn link_owners(
    accounts: &mut ShardAccounts,
    shard: &Shard,
    bucket: u32,
    (before, book): (AccountsBefore<'_>, Book<'_>),
    standing: impl Fn(&str) -> ShopStanding,
) -> Result<(), ExposureError> {
    let broken = |source| ExposureError::Frame { table: "merchants", source };
    let mut named = shard.table("merchants").map(owners_of_merchants).transpose().map_err(broken)?.unwrap_or_default();
    named.retain(|merchant, _| accounts.by_merchant.contains_key(merchant));
    let known: BTreeMap<&str, &[(String, Option<Date>)]> = before.owners.in_bucket(bucket).collect();
    let linked: BTreeSet<&str> = known.keys().copied().chain(named.keys().map(String::as_str)).collect();
    for merchant in linked {
        let owner = named.get(merchant);
        let left = known.get(merchant).copied().unwrap_or_default().iter().filter(|(left, _)| Some(left) != owner);
        let left = left.map(|(left, since)| (left.clone(), since.unwrap_or(shard.as_of.date()))).collect();
        let (loans, standing) = (book.loans(merchant), standing(merchant));
        let shop = if let Some(account) = accounts.by_merchant.get(merchant) {
            Shops::one(standing, account.owed_minor(), account.offers(), loans)
        } else {
            let offers = carry_over(before.open.of(merchant), loans.known, shard.as_of.date());
            let may_owe = loans.may_owe() || before.loans.loans_of(merchant).iter().any(RememberedLoan::may_owe);
            Shops::one(standing, (!may_owe).then_some(0), &offers, loans)
        };
        let links = OwnerLinks { named: owner.cloned(), left, shop };
        accounts.owners.add(&links);
        accounts.links.insert(merchant.to_owned(), links);
    }
    Ok(())
}
