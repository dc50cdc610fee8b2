//! Draws up the accounts of a shard's merchants from its tables and from last night's open offers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use polars::prelude::{DataFrame, PolarsError};

use serde::{Deserialize, Serialize};

use super::account::{Account, Owed, Requests};
use super::declared::{Declared, declarations};
use super::error::ExposureError;
use super::escrow::{ShardReceivables, receivables};
use super::group::{ConcurrentLoans, DrawnAt, GroupTotal, GroupTotals, LeftGroups, Membership};
use super::member::{MemberBefore, MembersBefore, RememberedMember, groups_of_broken_members};
use super::open_offer::{self, OfferState, OpenOffer, carry_over};
use super::owner::{
    OwnerLinks, OwnerTotals, Owners, OwnersBefore, RememberedOwner, ShopStanding, Shops, owners_of_merchants,
};
use super::receivable::Receivables;
use super::settings::{GroupTerms, ReceivableTerms};
use crate::contract::APPLICATIONS;
use crate::domain::{AsOf, MICROS_PER_DAY, days_between};
use crate::repayment::{LoanEvidence, LoanLedger, MerchantLoans, RememberedLoan};
use crate::store::Shard;
use crate::tiles::Views;

/// A pending application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Product asked for.
    pub product: String,
    /// How much, minor units.
    pub requested_minor: i64,
    /// Orders offered as receivables; empty where none are named.
    pub order_ids: Vec<String>,
    /// What the applicant declares.
    pub declared: Declared,
}

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
    memberships: BTreeMap<String, OwnGroups>,
    /// Shops whose owner is known, or was.
    links: BTreeMap<String, OwnerLinks>,
}

/// A merchant and its guarantee groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OwnGroups {
    membership: Membership,
    left: LeftGroups,
    /// The merchant's part of each group's total.
    parts: BTreeMap<String, GroupTotal>,
}

impl ShardAccounts {
    /// Tells every account what its groups and its owners leave, once all shards' totals are merged.
    pub fn share(&mut self, groups: &GroupTotals, owners: &OwnerTotals, terms: &AccountTerms<'_>) {
        for (merchant, account) in &mut self.by_merchant {
            if let Some(OwnGroups { membership, left, parts }) = self.memberships.get(merchant) {
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
        broken_of(shard, APPLICATIONS.name, |known_at| terms.is_remembered(known_at, &shard.as_of));
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
        let own = own_totals(&account, loans, (&membership, &left), offered);
        let belongs = own.iter().filter(|(_, part)| part.members > 0).map(|(group, _)| group);
        let groups = OwnGroups { membership: membership.with_groups(belongs), left, parts: own };
        accounts.memberships.insert(merchant.clone(), groups);
        accounts.by_merchant.insert(merchant.clone(), account);
    }
    link_owners(&mut accounts, shard, bucket, (before, book), &standing)?;
    add_to_groups(&mut accounts, standing);
    Ok(accounts)
}

/// Adds every merchant's part to the totals of its groups, once it is known whose its shop is and whether it is open.
fn add_to_groups(accounts: &mut ShardAccounts, standing: impl Fn(&str) -> ShopStanding) {
    for (merchant, OwnGroups { parts, .. }) in &mut accounts.memberships {
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

/// The loan book, or that there is none.
#[derive(Clone, Copy)]
enum Book<'a> {
    /// The lender keeps none.
    NotKept,
    /// The lender keeps one, but tonight it is absent: this is what the night before left.
    Absent(&'a LoanEvidence),
    Of(&'a LoanLedger),
}

impl<'a> Book<'a> {
    fn of(ledger: Option<&'a LoanLedger>, evidence: &'a LoanEvidence, terms: &AccountTerms<'_>) -> Self {
        match ledger {
            Some(ledger) => Self::Of(ledger),
            None if terms.keeps_loan_book || terms.declared.contains("loans") => Self::Absent(evidence),
            None => Self::NotKept,
        }
    }

    fn loans(self, merchant: &str) -> MerchantLoans<'a> {
        match self {
            Self::NotKept | Self::Absent(_) => MerchantLoans::default(),
            Self::Of(ledger) => ledger.of(merchant),
        }
    }

    fn open_loan_ids(self, merchant: &str) -> Vec<String> {
        match self {
            Self::NotKept => Vec::new(),
            Self::Absent(evidence) => remembered(evidence, merchant, RememberedLoan::may_owe),
            Self::Of(ledger) => ledger.open_of(merchant).into_iter().map(str::to_owned).collect(),
        }
    }

    fn closed_loan_ids(self, merchant: &str) -> Vec<String> {
        match self {
            Self::NotKept => Vec::new(),
            Self::Absent(evidence) => remembered(evidence, merchant, |loan| loan.must_be_sent() && !loan.may_owe()),
            Self::Of(ledger) => ledger.closed_loans_still_expected(merchant).into_iter().map(str::to_owned).collect(),
        }
    }

    fn owed(self, merchant: &str) -> Owed {
        let loans = self.loans(merchant);
        match self {
            Self::NotKept => return Owed::NoLoanBook,
            Self::Of(_) if loans.unknown.is_empty() => {}
            Self::Absent(_) | Self::Of(_) => return Owed::Unknown,
        }
        let mut by_product: BTreeMap<String, i64> = BTreeMap::new();
        for loan in loans.known {
            let owed = by_product.entry(loan.product.clone()).or_default();
            *owed = owed.saturating_add(loan.outstanding_minor);
        }
        by_product.retain(|_, owed| *owed > 0);
        Owed::Known(by_product)
    }

    /// Where it is not known what a merchant owes, the most that can be said of it.
    fn unknown_owed_minor(self, merchant: &str) -> i64 {
        match self {
            Self::NotKept => 0,
            Self::Absent(evidence) => {
                let loans = evidence.loans_of(merchant).iter().filter(|loan| loan.may_owe());
                loans.filter_map(|loan| loan.outstanding_minor.or(loan.principal_minor)).fold(0, i64::saturating_add)
            }
            Self::Of(ledger) => {
                let MerchantLoans { known, unknown } = ledger.of(merchant);
                let lent = unknown.iter().filter_map(|loan| loan.principal_minor);
                known.iter().map(|loan| loan.outstanding_minor).chain(lent).fold(0, i64::saturating_add)
            }
        }
    }
}

/// Loans of a merchant that the night before remembered.
fn remembered(evidence: &LoanEvidence, merchant: &str, counts: impl Fn(&RememberedLoan) -> bool) -> Vec<String> {
    let loans = evidence.loans_of(merchant).iter().filter(|loan| counts(loan));
    loans.map(|loan| loan.loan_id.clone()).collect()
}

enum Applications<'a> {
    NotTaken,
    Absent,
    By {
        known: BTreeMap<String, Vec<Request>>,
        /// Merchants with an application that cannot be read: they asked for something, and nobody knows what.
        unknown: BTreeSet<&'a str>,
    },
}

/// An application is pending for as long as an offer made on it would stand, and while no loan of its product was drawn since.
fn requests<'a>(
    rows: Option<Vec<ApplicationRow>>,
    shard: &'a Shard,
    book: Book<'_>,
    terms: &AccountTerms<'_>,
) -> Applications<'a> {
    let Some(rows) = rows else {
        let takes = terms.declared.contains("applications");
        return if takes { Applications::Absent } else { Applications::NotTaken };
    };
    let mut by_merchant: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    for ApplicationRow { merchant_id, applied_at, request } in rows {
        let is_answered =
            book.loans(&merchant_id).known.iter().any(|l| l.product == request.product && l.disbursed_at >= applied_at);
        if !is_answered && terms.may_wait(Some(applied_at), &shard.as_of) {
            by_merchant.entry(merchant_id).or_default().push(request);
        }
    }
    let unknown = broken_of(shard, "applications", |known_at| terms.may_wait(known_at, &shard.as_of));
    Applications::By { known: by_merchant, unknown }
}

pub(super) struct ApplicationRow {
    pub merchant_id: String,
    pub applied_at: i64,
    pub request: Request,
}

/// Applications oldest first; ties by product and sum, so that row order is no matter.
pub(super) fn read_applications(table: &DataFrame) -> Result<Vec<ApplicationRow>, PolarsError> {
    let (merchants, products) = (table.column("merchant_id")?.str()?, table.column("product")?.str()?);
    let applied = &table.column("applied_at")?.datetime()?.phys;
    let requested = table.column("requested_minor")?.i64()?;
    let orders = table.column("order_ids")?.list()?;
    let declared = |name: &str| Ok::<_, PolarsError>(table.column(name)?.i64()?.clone());
    let (sales, costs) = (declared("gross_sales_12m_minor")?, declared("operating_costs_12m_minor")?);
    let (assets, liabilities) = (declared("gross_assets_minor")?, declared("gross_liabilities_minor")?);
    let mut rows = Vec::with_capacity(table.height());
    for at in 0..table.height() {
        let (Some(merchant), Some(product), Some(applied_at), Some(requested_minor)) =
            (merchants.get(at), products.get(at), applied.get(at), requested.get(at))
        else {
            continue;
        };
        let order_ids = match orders.get_as_series(at) {
            Some(ids) => ids.str()?.iter().flatten().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let declared = Declared {
            gross_sales_12m_minor: sales.get(at),
            operating_costs_12m_minor: costs.get(at),
            gross_assets_minor: assets.get(at),
            gross_liabilities_minor: liabilities.get(at),
        };
        let request = Request { product: product.to_owned(), requested_minor, order_ids, declared };
        rows.push(ApplicationRow { merchant_id: merchant.to_owned(), applied_at, request });
    }
    let key = |row: &ApplicationRow| {
        let Request { product, requested_minor, order_ids, declared } = row.request.clone();
        (row.merchant_id.clone(), row.applied_at, product, requested_minor, order_ids, declared)
    };
    rows.sort_by_cached_key(key);
    Ok(rows)
}

/// Merchants with a broken record of a table.
fn broken_of<'a>(shard: &'a Shard, table: &str, counts: impl Fn(Option<i64>) -> bool) -> BTreeSet<&'a str> {
    let records = shard.broken.iter().filter(|record| record.table == table && counts(record.known_at));
    records.filter_map(|record| record.merchant_id.as_deref()).collect()
}

enum Groups<'a> {
    None,
    Absent,
    By {
        /// Memberships that have begun and not ended: by merchant and group since when, UTC microseconds.
        known: BTreeMap<String, BTreeMap<String, i64>>,
        /// Those that have ended: by merchant and group from when to when, UTC microseconds.
        ended: BTreeMap<String, LeftGroups>,
        /// Merchants with a membership that cannot be read, or that was there on the night before and is not seen.
        unknown: BTreeSet<Cow<'a, str>>,
    },
}

impl Groups<'_> {
    /// Holds the memberships against those of the night before, merchant and group: one that neither goes on nor has ended makes its
    /// member's groups and its group's total unknown. Returns what the next night has to see.
    fn hold_against<'b>(
        &mut self,
        before: impl Iterator<Item = MemberBefore<'b>>,
        as_of: &AsOf,
        totals: &mut GroupTotals,
    ) -> Vec<RememberedMember> {
        let row = |merchant: &str, group: &str, went_on_until: Option<Date>, joined_at: Option<i64>| RememberedMember {
            group_id: group.to_owned(),
            merchant_id: merchant.to_owned(),
            went_on_until,
            joined_at,
        };
        match self {
            Self::None => Vec::new(),
            Self::Absent => {
                before.map(|m| row(m.merchant, m.group, (!m.goes_on).then_some(m.seen_on), m.joined_at)).collect()
            }
            Self::By { known, ended, unknown } => {
                let of_merchant = |(merchant, groups): (&String, &BTreeMap<String, i64>)| -> Vec<RememberedMember> {
                    groups.iter().map(|(group, joined_at)| row(merchant, group, None, Some(*joined_at))).collect()
                };
                let going_on = known.iter().flat_map(of_merchant);
                let mut members: BTreeMap<(String, String), RememberedMember> =
                    going_on.map(|member| ((member.group_id.clone(), member.merchant_id.clone()), member)).collect();
                for MemberBefore { merchant, group, goes_on, seen_on, joined_at } in before {
                    let seen_until =
                        as_of.days_before(days_between(seen_on, as_of.date())).map_or(i64::MAX, |a| a.micros());
                    let key = (group.to_owned(), merchant.to_owned());
                    let end = ended.get_mut(merchant).and_then(|left| left.get_mut(group));
                    if let Some((joined, left_at)) = end {
                        // It went on when it was last seen: what was drawn until then, from the earliest beginning on, the member answers for.
                        *left_at = seen_until.max(*left_at);
                        *joined = joined_at.map_or(*joined, |before| before.min(*joined));
                        members.insert(key, row(merchant, group, Some(seen_on), Some(*joined)));
                    } else if let Some(member) = members.get_mut(&key) {
                        member.joined_at = joined_at.into_iter().chain(member.joined_at).min();
                    } else if goes_on {
                        members.insert(key, row(merchant, group, None, joined_at));
                        totals.entry(group).unknown = 1;
                        unknown.insert(Cow::Owned(merchant.to_owned()));
                    } else {
                        let since_ever = (i64::MIN, seen_until);
                        ended.entry(merchant.to_owned()).or_default().insert(group.to_owned(), since_ever);
                        members.insert(key, row(merchant, group, Some(seen_on), joined_at));
                    }
                }
                members.into_values().collect()
            }
        }
    }

    fn left_by(&self, merchant: &str) -> LeftGroups {
        match self {
            Self::None | Self::Absent => LeftGroups::new(),
            Self::By { ended, .. } => ended.get(merchant).cloned().unwrap_or_default(),
        }
    }

    fn of(&self, merchant: &str) -> Membership {
        match self {
            Self::None => Membership::NoGroups,
            Self::Absent => Membership::Unknown,
            Self::By { unknown, .. } if unknown.contains(merchant) => Membership::Unknown,
            Self::By { known, .. } => {
                Membership::In(known.get(merchant).map(|groups| groups.keys().cloned().collect()).unwrap_or_default())
            }
        }
    }
}

/// Memberships that have begun.
fn memberships<'a>(shard: &'a Shard, terms: &AccountTerms<'_>) -> Result<Groups<'a>, ExposureError> {
    let Some(table) = shard.table("guarantee_groups") else {
        return Ok(if terms.declared.contains("guarantee_groups") { Groups::Absent } else { Groups::None });
    };
    let mut known: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut ended: BTreeMap<String, LeftGroups> = BTreeMap::new();
    let mut read = || -> Result<(), PolarsError> {
        let (groups, merchants) = (table.column("group_id")?.str()?, table.column("merchant_id")?.str()?);
        let joined = &table.column("joined_at")?.datetime()?.phys;
        let left = &table.column("left_at")?.datetime()?.phys;
        for row in 0..table.height() {
            let (Some(group), Some(merchant)) = (groups.get(row), merchants.get(row)) else { continue };
            let joined_at = joined.get(row).unwrap_or(i64::MIN);
            match left.get(row) {
                None => _ = known.entry(merchant.to_owned()).or_default().insert(group.to_owned(), joined_at),
                Some(left_at) => {
                    let while_member = (joined_at, left_at);
                    ended.entry(merchant.to_owned()).or_default().insert(group.to_owned(), while_member);
                }
            }
        }
        Ok(())
    };
    read().map_err(|source| ExposureError::Frame { table: "guarantee_groups", source })?;
    let unknown = broken_of(shard, "guarantee_groups", |_| true).into_iter().map(Cow::Borrowed).collect();
    Ok(Groups::By { known, ended, unknown })
}

/// A merchant's part of the totals of its groups. Who has drawn a group's loan belongs to the group until it is repaid, whatever the rows of
/// the memberships say: the others answer for it. Of a loan that names a group of which its borrower is no member and never was, nobody can say who answers
/// for it: what the borrower's groups owe is not known. `offered` says when the night of an offer began.
fn own_totals(
    account: &Account,
    loans: MerchantLoans<'_>,
    (membership, left): (&Membership, &LeftGroups),
    offered: impl Fn(&str) -> Option<i64>,
) -> BTreeMap<String, GroupTotal> {
    let mut own: BTreeMap<String, GroupTotal> = BTreeMap::new();
    let open = || loans.known.iter().filter(|loan| !loan.is_closed);
    let by_loans = open().filter_map(|loan| loan.group_id.as_ref());
    let by_loans = by_loans.chain(loans.unknown.iter().filter_map(|loan| loan.group_id.as_ref()));
    let defaults_drawn_at: BTreeSet<i64> =
        open().filter(|loan| loan.is_in_default).map(|loan| loan.disbursed_at).collect();
    for group in membership.groups().chain(by_loans) {
        let part = own.entry(group.clone()).or_default();
        part.members = 1;
        if membership.groups().any(|own| own == group) {
            part.standing.insert(account.merchant_id.clone(), BTreeSet::new());
        }
        part.by_member.entry(account.merchant_id.clone()).or_default();
        part.held_minor = account.held_minor(None);
        part.in_default = u32::from(!defaults_drawn_at.is_empty());
        part.defaults_drawn_at.clone_from(&defaults_drawn_at);
        match account.owed_minor() {
            Some(owed) => part.owed_minor = owed,
            None => part.unknown = 1,
        }
    }
    for loan in open() {
        if let Some(group) = &loan.group_id {
            let part = own.entry(group.clone()).or_default();
            part.group_loans_minor = part.group_loans_minor.saturating_add(loan.outstanding_minor);
            let drawn =
                ConcurrentLoans { owed_minor: loan.outstanding_minor, in_default: u32::from(loan.is_in_default) };
            let offered = loan.offer_id.as_deref().and_then(&offered).unwrap_or(loan.disbursed_at);
            let at = DrawnAt { offered: offered.min(loan.disbursed_at), drawn: loan.disbursed_at };
            part.drawn.entry(at).or_default().add(drawn);
            let member = part.by_member.entry(account.merchant_id.clone()).or_default();
            member.group_loans_minor = part.group_loans_minor;
        }
    }
    let is_strange = |group: &String| !membership.groups().any(|own| own == group) && !left.contains_key(group);
    if matches!(membership, Membership::In(_)) && open().filter_map(|loan| loan.group_id.as_ref()).any(is_strange) {
        for part in own.values_mut() {
            part.unknown = 1;
        }
    }
    // Who leaves a group in default leaves the default there.
    let left = left.iter().filter(|(group, _)| !membership.groups().any(|own| own == *group));
    let part = GroupTotal { in_default: 1, defaults_drawn_at, ..GroupTotal::default() };
    for (group, _) in left.filter(|(_, while_member)| part.has_default_within(**while_member)) {
        let own = own.entry(group.clone()).or_default();
        own.in_default = part.in_default;
        own.defaults_drawn_at.clone_from(&part.defaults_drawn_at);
    }
    own
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
