//! Guarantee groups of a shard's merchants, and what each merchant adds to their totals.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use polars::prelude::PolarsError;

use super::account::Account;
use super::error::ExposureError;
use super::group::{ConcurrentLoans, DrawnAt, GroupTotal, GroupTotals, LeftGroups, Membership};
use super::member::{MemberBefore, RememberedMember};
use super::read::AccountTerms;
use super::records::merchants_of_broken;
use crate::domain::{AsOf, days_between};
use crate::repayment::MerchantLoans;
use crate::store::Shard;

/// Memberships of guarantee groups, as far as they are known.
pub(super) enum Memberships<'a> {
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

impl Memberships<'_> {
    /// Holds the memberships against those of the night before, merchant and group: one that neither goes on nor has ended makes its
    /// member's groups and its group's total unknown. Returns what the next night has to see.
    pub(super) fn hold_against<'b>(
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

    pub(super) fn left_by(&self, merchant: &str) -> LeftGroups {
        match self {
            Self::None | Self::Absent => LeftGroups::new(),
            Self::By { ended, .. } => ended.get(merchant).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn of(&self, merchant: &str) -> Membership {
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
pub(super) fn memberships<'a>(shard: &'a Shard, terms: &AccountTerms<'_>) -> Result<Memberships<'a>, ExposureError> {
    let Some(table) = shard.table("guarantee_groups") else {
        return Ok(if terms.declared.contains("guarantee_groups") { Memberships::Absent } else { Memberships::None });
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
    let unknown = merchants_of_broken(shard, "guarantee_groups", |_| true).into_iter().map(Cow::Borrowed).collect();
    Ok(Memberships::By { known, ended, unknown })
}

/// A merchant's part of the totals of its groups. Who has drawn a group's loan belongs to the group until it is repaid, whatever the rows of
/// the memberships say: the others answer for it. Of a loan that names a group of which its borrower is no member and never was, nobody can say who answers
/// for it: what the borrower's groups owe is not known. `offered` says when the night of an offer began.
pub(super) fn group_parts(
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
