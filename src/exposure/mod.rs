//! The exposure ledger: one account a merchant of what is owed, offered, pledged and asked for.
//!
//! ```text
//! repayment: loan ledger ─┐
//! last night's open offers ┼──▶ Account ── grant, product by product ──▶ offers ──▶ tonight's open offers
//! orders: receivables ────┤        ▲
//! applications, groups ───┘        └── group totals over all shards
//! ```
//!
//! **Promise.** All that is offered in one night, drawn in full on top of all that is owed and of every offer still open, stays within
//! every cap; and no sale is pledged twice, over all products, nights and loans, under whatever ids it is sent.
//!
//! **An open offer** holds its part of the limits and its orders until it is drawn, lapses (the day after `valid_until_on`) or is
//! replaced by a newer offer of the same product. A decline withdraws it: the loan service no longer finds it in the current run, but a
//! draw that was under way may still arrive, so it holds what it held until it lapses. A replaced offer holds until the next night
//! what it held beyond the new one; a draw that was under way on it counts as drawn on the new one.
//!
//! **A loan names its offer** (`loans.offer_id`): only then does its principal use the offer up. A loan that names none leaves every offer
//! open: counting the same money twice for a few nights is safe, counting it not at all is not.
//!
//! **Unknown is not zero.** A merchant with a loan that does not reconcile has an unknown debt, and no limit can be granted from it.

mod account;
mod applications;
mod book;
mod declared;
mod error;
mod escrow;
mod group;
mod member;
mod memberships;
mod open_offer;
mod open_offers;
mod order_records;
mod owner;
mod read;
mod receivable;
mod records;
mod sales;
mod settings;
mod statement;

pub use account::{Account, Owed, Requests};
pub use applications::Request;
pub use declared::Declared;
pub use error::ExposureError;
pub use escrow::RECEIVABLE_COLUMNS;
pub use group::{ConcurrentLoans, DrawnAt, GroupShare, GroupTotal, GroupTotals, LeftGroups, Member, Membership};
pub use member::{MembersBefore, RememberedMember, groups_of_broken_members};
pub use open_offer::{OfferState, OpenOffer, carry_over, committed_since, grant, withdraw, without_lapsed};
pub use open_offers::{OpenOffers, unseen_merchants_offers};
pub use owner::{OwnerShare, OwnerTotals, Owners, OwnersBefore, RememberedOwner, ShopStanding, Shops};
pub use read::{AccountTerms, AccountsBefore, ShardAccounts, shard_accounts};
pub use receivable::{Pledge, Receivable, Receivables};
pub use records::{BrokenShare, broken_shares};
pub(crate) use settings::{
    DEPENDENCE_KEYS, GROUPS_KEYS, OWNERS_KEYS, RECEIVABLES_KEYS, RawGroups, RawOwners, RawReceivables,
};
pub use settings::{Dependence, DisputeRecords, GroupTerms, ReceivableTerms, UnknownOwner};
pub use statement::{DebtState, Statement};
