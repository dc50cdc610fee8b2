//! Guarantee groups: what members owe and are offered together, over all shards, and what that leaves to each.
//!
//! Members of a group answer for one another's group loans. So
//! - all that the members owe and may still draw, over all products, stays within the group's cap;
//! - a group loan of another member counts against a merchant's own means: he may have to repay it;
//! - while a member is in default, or a member's debts are not known, no member is offered anything;
//! - who has left still answers for the group's loans that were offered or drawn while it was a member, until they are repaid: the lender offered them on its word.
//!
//! A member is whose membership has begun and not ended, and whoever owes on a loan of the group. Only the former answer for others, as long as their shop is open, and
//! shops of one owner ([`super::owner`]) answer once: three shops in one hand are no group. A membership of the night before of which no row is
//! seen tonight, or only a broken one, goes on for all that is known: the group's debts are unknown ([`super::member`]).
//!
//! **Dependence.** With `[groups.dependence]` in the policy members are taken to default together as the one-factor Gaussian copula says
//! ([`crate::domain::joint_default`]). A member's part of the total then says what the member owes on the group's loans, and what the scores of the night
//! before said of the member's probability of default; tonight's are not known before every shard is scored, and offers may not hang on the order of shards.
//!
//! Members live in different shards. Each shard gives its part of every group's total, the parts are merged, and what the cap leaves is
//! divided equally among the members before any of them is decided on: no offer depends on the order of shards.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::settings::GroupTerms;

/// The groups a merchant is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    /// The job has no guarantee groups.
    NoGroups,
    /// The job has groups, but tonight's table is absent.
    Unknown,
    /// These, by id; empty for a merchant in none.
    In(BTreeSet<String>),
}

impl Membership {
    /// The groups, as far as they are known.
    pub(super) fn groups(&self) -> impl Iterator<Item = &String> {
        let groups = match self {
            Self::In(groups) => Some(groups),
            Self::NoGroups | Self::Unknown => None,
        };
        groups.into_iter().flatten()
    }

    /// The same and some more groups, where it is known.
    pub(super) fn with_groups<'a>(self, more: impl Iterator<Item = &'a String>) -> Self {
        match self {
            Self::In(groups) => Self::In(groups.into_iter().chain(more.cloned()).collect()),
            Self::NoGroups | Self::Unknown => self,
        }
    }
}

/// Certainty in parts per million.
const SURE_PPM: u32 = 1_000_000;

/// One member, as the others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Member {
    /// Principal not repaid of the group's own loans that the member drew.
    pub group_loans_minor: i64,
    /// Probability of default in parts per million, rounded up; `None` while it was not looked up.
    pub pd_ppm: Option<u32>,
}

/// A group's total over some shards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupTotal {
    /// Members.
    pub members: u32,
    /// Those of them who stand to answer for others, each with its owners: their membership goes on and their shop is open. Who merely owes on a loan of the group
    /// answers for no other one.
    pub standing: BTreeMap<String, BTreeSet<String>>,
    /// What members owe, over all products.
    pub owed_minor: i64,
    /// What open offers let members draw.
    pub held_minor: i64,
    /// Members, or memberships, of which what they owe is not known.
    pub unknown: u32,
    /// Members in default.
    pub in_default: u32,
    /// When their loans that are in default were drawn, UTC microseconds: who was a member then answered for one another with them.
    #[serde(default)]
    pub defaults_drawn_at: BTreeSet<i64>,
    /// Principal not repaid of the group's own loans, whoever drew them.
    pub group_loans_minor: i64,
    /// The same by when they were offered and drawn.
    pub drawn: BTreeMap<DrawnAt, ConcurrentLoans>,
    /// Loans of the group of which nothing is known.
    pub unknown_loans: u32,
    /// Members by id.
    pub by_member: BTreeMap<String, Member>,
}

/// When a loan of a group was offered and drawn, UTC microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DrawnAt {
    /// The beginning of the night that offered it; where no such offer is known, the instant at which it was drawn.
    pub offered: i64,
    /// When it was drawn.
    pub drawn: i64,
}

/// Open loans of a group that were offered and drawn at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConcurrentLoans {
    /// Principal not repaid.
    pub owed_minor: i64,
    /// How many of them are in default.
    pub in_default: u32,
}

impl ConcurrentLoans {
    /// Adds more of them.
    pub fn add(&mut self, other: Self) {
        self.owed_minor = self.owed_minor.saturating_add(other.owed_minor);
        self.in_default = self.in_default.saturating_add(other.in_default);
    }
}

/// The groups that a merchant has left, with the instants between which it was a member, UTC microseconds.
pub type LeftGroups = BTreeMap<String, (i64, i64)>;

impl GroupTotal {
    /// Whether a loan in default was drawn during a membership.
    pub(super) fn has_default_within(&self, (from, until): (i64, i64)) -> bool {
        self.defaults_drawn_at.iter().any(|at| (from..until).contains(at))
    }

    /// Of the members who stand, which are one owner's: a number for each, the same for all shops that common owners link.
    fn hands(&self) -> BTreeMap<&str, usize> {
        let mut links: Vec<usize> = (0..self.standing.len()).collect();
        let mut shop_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (shop, owners) in self.standing.values().enumerate() {
            for owner in owners {
                let other = *shop_of.entry(owner).or_insert(shop);
                let (own, other) = (first_linked(&mut links, shop), first_linked(&mut links, other));
                if let Some(link) = links.get_mut(own.max(other)) {
                    *link = own.min(other);
                }
            }
        }
        self.standing.keys().enumerate().map(|(shop, id)| (id.as_str(), first_linked(&mut links, shop))).collect()
    }

    /// The members beside one. Who does not stand, stands by the merchant itself, or beside another of the same owner is taken to default for sure: an owner
    /// answers once, with the riskiest of its shops. `hands` says whose each shop is.
    fn others_of(&self, merchant: &str, hands: &BTreeMap<&str, usize>) -> Vec<Member> {
        let own = hands.get(merchant);
        let risk = |member: &Member| member.pd_ppm.unwrap_or(SURE_PPM);
        let mut answers: BTreeMap<usize, (u32, &str)> = BTreeMap::new();
        for (other, member) in &self.by_member {
            let Some(hand) = hands.get(other.as_str()).filter(|hand| Some(*hand) != own) else { continue };
            let riskiest = answers.entry(*hand).or_insert((risk(member), other));
            *riskiest = (*riskiest).max((risk(member), other));
        }
        let answers_for_its_owner =
            |other: &str| hands.get(other).and_then(|hand| answers.get(hand)).is_some_and(|(_, who)| *who == other);
        let others = self.by_member.iter().filter(|(other, _)| *other != merchant);
        others
            .map(
                |(other, member)| {
                    if answers_for_its_owner(other) { *member } else { Member { pd_ppm: Some(SURE_PPM), ..*member } }
                },
            )
            .collect()
    }

    /// What is owed on loans that were offered or drawn within a time, or between which it lies, and how many of them are in default.
    fn drawn_within(&self, (from, until): (i64, i64)) -> ConcurrentLoans {
        let mut sum = ConcurrentLoans::default();
        // A membership that ended before it began has no time.
        let within = |at: &DrawnAt| from < until && from <= at.drawn && at.offered < until;
        for (_, drawn) in self.drawn.iter().filter(|(at, _)| within(at)) {
            sum.add(*drawn);
        }
        sum
    }
}

/// Totals by group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupTotals(pub(super) BTreeMap<String, GroupTotal>);

/// What a merchant's groups leave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupShare {
    /// The most the merchant may hold in open offers, tonight's included, so that every group stays within its cap: the merchant's own
    /// open offers plus an equal part of what the cap leaves. `None` where the groups, or a member's debts, are not known.
    pub allowance_minor: Option<i64>,
    /// Group loans of other members, which the merchant answers for.
    pub liability_minor: i64,
    /// Another member is in default.
    pub has_default: bool,
    /// How many members answer in the merchant's group of the fewest, the merchant included: those who stand, shops of one owner counted once. `None` where it
    /// is in none now, or that is not known.
    #[serde(default)]
    pub fewest_members: Option<u32>,
    /// The other members, group by group; empty where the policy does not look at how they depend on one another.
    // Never left out: what waits for settlement is written in a form without field names.
    #[serde(default)]
    pub others: Vec<Vec<Member>>,
}

impl GroupTotals {
    /// A group's total, made when it is first asked for.
    pub fn entry(&mut self, group: &str) -> &mut GroupTotal {
        self.0.entry(group.to_owned()).or_default()
    }

    /// Adds another shard's totals. Sums that would leave 64 bits stay at the largest number: nothing more is lent.
    pub fn merge(&mut self, other: &Self) {
        for (group, part) in &other.0 {
            let total = self.entry(group);
            total.members = total.members.saturating_add(part.members);
            total.standing.extend(part.standing.iter().map(|(merchant, owners)| (merchant.clone(), owners.clone())));
            total.owed_minor = total.owed_minor.saturating_add(part.owed_minor);
            total.held_minor = total.held_minor.saturating_add(part.held_minor);
            total.unknown = total.unknown.saturating_add(part.unknown);
            total.in_default = total.in_default.saturating_add(part.in_default);
            total.defaults_drawn_at.extend(&part.defaults_drawn_at);
            total.group_loans_minor = total.group_loans_minor.saturating_add(part.group_loans_minor);
            total.unknown_loans = total.unknown_loans.saturating_add(part.unknown_loans);
            for (at, drawn) in &part.drawn {
                total.drawn.entry(*at).or_default().add(*drawn);
            }
            total.by_member.extend(part.by_member.iter().map(|(merchant, member)| (merchant.clone(), *member)));
        }
    }

    /// Everybody who is in a group.
    #[must_use]
    pub fn members(&self) -> BTreeSet<String> {
        self.0.values().flat_map(|total| total.by_member.keys().cloned()).collect()
    }

    /// Puts in what is known of each member's probability of default, in parts per million; `unknown_ppm` for a member of whom nothing is.
    pub fn look_up_risks(&mut self, pd_ppm: &BTreeMap<String, u32>, unknown_ppm: u32) {
        for (merchant, member) in self.0.values_mut().flat_map(|total| &mut total.by_member) {
            member.pd_ppm = Some(pd_ppm.get(merchant).copied().unwrap_or(unknown_ppm));
        }
    }

    /// What the groups of one member leave. `own` is the member's own part of each group's total, `left` are groups that it has left.
    ///
    /// `allowance = own open offers + ⌊(cap − owed − held) ÷ members⌋`, the least over all groups. Where open offers already exceed what
    /// the cap leaves, each member keeps its part of it: `⌊own open offers × (cap − owed) ÷ held⌋`. Summed over the members either is at most
    /// `cap − owed`, however many are offered how much tonight.
    #[must_use]
    pub fn share(
        &self,
        membership: &Membership,
        left: &LeftGroups,
        own: &BTreeMap<String, GroupTotal>,
        terms: Option<&GroupTerms>,
    ) -> Option<GroupShare> {
        let groups = match membership {
            Membership::NoGroups => return None,
            Membership::Unknown => {
                return Some(GroupShare { allowance_minor: None, ..GroupShare::default() });
            }
            Membership::In(groups) => groups,
        };
        let none = GroupTotal::default();
        let nothing = GroupShare { allowance_minor: Some(i64::MAX), ..GroupShare::default() };
        let mut share = nothing.clone();
        for (group, while_member) in left.iter().filter(|(group, _)| !groups.contains(*group)) {
            let Some(total) = self.0.get(group) else { continue };
            let drawn = total.drawn_within(*while_member);
            share.liability_minor = share.liability_minor.saturating_add(drawn.owed_minor);
            // Nobody gets out of a member's default by leaving: not of one by a loan that was drawn before it.
            let of_others = total.in_default > own.get(group).map_or(0, |mine| mine.in_default);
            share.has_default |= drawn.in_default > 0 || (of_others && total.has_default_within(*while_member));
            if total.unknown_loans > 0 {
                share.allowance_minor = None;
            }
        }
        if groups.is_empty() && share == nothing {
            return None;
        }
        for group in groups {
            let total = self.0.get(group).unwrap_or(&none);
            let mine = own.get(group).unwrap_or(&none);
            let liable = total.group_loans_minor.saturating_sub(mine.group_loans_minor).max(0);
            share.liability_minor = share.liability_minor.saturating_add(liable);
            share.has_default |= total.in_default > mine.in_default;
            let hands = total.hands();
            let owners: BTreeSet<&usize> = hands.values().collect();
            let answering = u32::try_from(owners.len()).unwrap_or(u32::MAX);
            share.fewest_members = Some(share.fewest_members.map_or(answering, |fewest| fewest.min(answering)));
            if terms.is_some_and(|terms| terms.dependence.is_some()) {
                let merchant = mine.by_member.keys().next().map_or("", String::as_str);
                share.others.push(total.others_of(merchant, &hands));
            }
            if total.unknown > 0 {
                share.allowance_minor = None;
                continue;
            }
            // Without a cap in the policy the group binds by its liability alone.
            let Some(terms) = terms else { continue };
            let part = part_of(terms.cap_minor, total, mine.held_minor);
            share.allowance_minor = share.allowance_minor.map(|least| least.min(part));
        }
        Some(share)
    }
}

/// The first of the shops that are linked with one.
fn first_linked(links: &mut [usize], mut shop: usize) -> usize {
    while let Some(next) = links.get(shop).copied().filter(|next| *next != shop) {
        // The way is shortened for whoever asks next.
        let beyond = links.get(next).copied().unwrap_or(next);
        if let Some(link) = links.get_mut(shop) {
            *link = beyond;
        }
        shop = beyond;
    }
    shop
}

fn part_of(cap_minor: i64, total: &GroupTotal, own_held_minor: i64) -> i64 {
    let room_minor = cap_minor.saturating_sub(total.owed_minor);
    divided(room_minor, total.held_minor, own_held_minor, (1, i64::from(total.members.max(1))))
}

/// One member's part of what a bound leaves for open offers: its own ones, and `own` of `all` shares of what is left beside everybody's. Where open
/// offers exceed what is left, its part of that. Rounded down: all parts together never exceed the room.
pub(super) fn divided(room_minor: i64, held_minor: i64, own_held_minor: i64, (own, all): (i64, i64)) -> i64 {
    let (room, held) = (i128::from(room_minor.max(0)), i128::from(held_minor));
    let own_held = i128::from(own_held_minor);
    let part = if held > room {
        own_held * room / held
    } else {
        own_held + (room - held) * i128::from(own) / i128::from(all.max(1))
    };
    // At most the room, which is an i64.
    i64::try_from(part).unwrap_or(room_minor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exposure::Dependence;

    #[test]
    fn a_share_without_others_comes_back_from_a_form_without_field_names() {
        let shares = [Some(GroupShare { liability_minor: 7, ..GroupShare::default() }), None];
        let bytes = postcard::to_allocvec(&shares).unwrap();
        assert_eq!(postcard::from_bytes::<[Option<GroupShare>; 2]>(&bytes).unwrap(), shares);
    }

    fn totals(parts: &[GroupTotal]) -> GroupTotals {
        let mut totals = GroupTotals::default();
        for part in parts {
            totals.merge(&GroupTotals(BTreeMap::from([("g".to_owned(), part.clone())])));
        }
        totals
    }

    fn share(parts: &[GroupTotal], member: usize, cap_minor: i64) -> GroupShare {
        let membership = Membership::In(BTreeSet::from(["g".to_owned()]));
        let own = BTreeMap::from([("g".to_owned(), parts[member].clone())]);
        totals(parts)
            .share(&membership, &LeftGroups::new(), &own, Some(&GroupTerms { cap_minor, dependence: None }))
            .unwrap()
    }

    fn part(owed_minor: i64, held_minor: i64) -> GroupTotal {
        GroupTotal { members: 1, owed_minor, held_minor, ..GroupTotal::default() }
    }

    #[test]
    fn what_the_cap_leaves_is_shared_equally() {
        let parts = [part(100, 0), part(0, 60), part(0, 0)];
        let allowances: Vec<_> = (0..3).map(|m| share(&parts, m, 400).allowance_minor.unwrap()).collect();
        // 400 less 100 owed less 60 held leaves 240, 80 to each; who holds 60 may go on holding them.
        assert_eq!(allowances, [80, 140, 80]);
    }

    #[test]
    fn one_unknown_debt_makes_the_groups_room_unknown_and_one_default_stops_the_others() {
        let unknown = GroupTotal { unknown: 1, ..part(0, 0) };
        assert_eq!(share(&[unknown, part(0, 0), part(0, 0)], 1, 400).allowance_minor, None);
        let defaulted = GroupTotal { in_default: 1, group_loans_minor: 70, ..part(70, 0) };
        let parts = [defaulted, part(0, 0), part(0, 0)];
        assert!(share(&parts, 1, 400).has_default && !share(&parts, 0, 400).has_default);
        assert_eq!((share(&parts, 1, 400).liability_minor, share(&parts, 0, 400).liability_minor), (70, 0));
    }

    /// A member with a probability of default, and the owners of its shop; `None` where it does not stand.
    fn member(id: &str, pd_ppm: u32, owners: Option<&[&str]>) -> GroupTotal {
        let standing = owners.map(|owners| (id.to_owned(), owners.iter().map(|&owner| owner.to_owned()).collect()));
        let by_member = BTreeMap::from([(id.to_owned(), Member { pd_ppm: Some(pd_ppm), ..Member::default() })]);
        GroupTotal { standing: standing.into_iter().collect(), by_member, ..part(10, 0) }
    }

    fn answering(parts: &[GroupTotal]) -> Option<u32> {
        share(parts, 0, 1_000).fewest_members
    }

    #[test]
    fn members_answer_once_an_owner_and_only_those_who_stand() {
        let alone: Option<&[&str]> = Some(&[]);
        let [a, b, c] = ["a", "b", "c"].map(|id| member(id, 1, alone));
        assert_eq!(answering(&[a.clone(), b.clone(), c]), Some(3));
        assert_eq!(answering(&[a.clone(), b.clone(), member("c", 1, None)]), Some(2), "it merely owes, or is closed");
        let [x, y, z] = [("a", ["o"]), ("b", ["o"]), ("c", ["o"])].map(|(id, owners)| member(id, 1, Some(&owners)));
        assert_eq!(answering(&[x.clone(), y.clone(), z]), Some(1));
        assert_eq!(
            answering(&[x.clone(), y.clone(), member("c", 1, Some(&["p"])), member("d", 1, Some(&["q"]))]),
            Some(3)
        );
        // Who left one owner for another holds both together.
        let both = member("d", 1, Some(&["p", "o"]));
        assert_eq!(answering(&[x, y, member("c", 1, Some(&["p"])), both]), Some(1));
    }

    #[test]
    fn who_does_not_stand_is_taken_to_default() {
        let dependence = Dependence { asset_correlation: 0.2, guarantors_needed: 1, confidence_prob: 0.99 };
        let terms = GroupTerms { cap_minor: 1_000, dependence: Some(dependence) };
        let parts = [
            member("a", 1, Some(&["o"])),
            member("b", 2, Some(&["o"])),
            member("c", 3, Some(&["p"])),
            member("d", 4, Some(&["p"])),
            member("e", 5, None),
            member("f", 6, Some(&[])),
        ];
        let own = BTreeMap::from([("g".to_owned(), parts[0].clone())]);
        let membership = Membership::In(BTreeSet::from(["g".to_owned()]));
        let share = totals(&parts).share(&membership, &LeftGroups::new(), &own, Some(&terms)).unwrap();
        let risks: Vec<u32> = share.others[0].iter().map(|other| other.pd_ppm.unwrap()).collect();
        assert_eq!(
            risks,
            [SURE_PPM, SURE_PPM, 4, SURE_PPM, 6],
            "its own second shop, one of two, and who does not stand"
        );
    }

    #[test]
    fn who_has_left_answers_for_what_was_drawn_before() {
        let drawn = |owed_minor, in_default| ConcurrentLoans { owed_minor, in_default };
        let at = |offered, drawn| DrawnAt { offered, drawn };
        let group = GroupTotal {
            drawn: BTreeMap::from([(at(10, 10), drawn(70, 0)), (at(20, 20), drawn(30, 1))]),
            ..part(100, 0)
        };
        let share = |total: &GroupTotal, from: i64, until: i64| {
            let left = LeftGroups::from([("g".to_owned(), (from, until))]);
            let none = Membership::In(BTreeSet::new());
            totals(std::slice::from_ref(total)).share(&none, &left, &BTreeMap::new(), None)
        };
        let answers = |liability_minor, has_default| {
            let allowance_minor = Some(i64::MAX);
            Some(GroupShare { allowance_minor, liability_minor, has_default, ..GroupShare::default() })
        };
        assert_eq!(share(&group, 0, 20), answers(70, false), "what was drawn as it left is the others'");
        assert_eq!(share(&group, 0, 21), answers(100, true));
        assert_eq!(share(&group, 11, 21), answers(30, true), "so is what was drawn before it came");
        for (from, until) in [(0, 10), (21, 90), (50, 5)] {
            assert_eq!(share(&group, from, until), None, "{from} to {until}");
        }
        let since = GroupTotal { drawn: BTreeMap::from([(at(10, 30), drawn(70, 0))]), ..part(70, 0) };
        assert_eq!(share(&since, 0, 20), answers(70, false), "it was offered on the word of who then left");
        assert_eq!(share(&since, 0, 10), None);
        let defaulted = GroupTotal { in_default: 1, defaults_drawn_at: BTreeSet::from([30]), ..part(70, 0) };
        assert_eq!(share(&defaulted, 0, 31), answers(0, true), "leaving does not free of a default that was there");
        assert_eq!(share(&defaulted, 0, 30), None, "of one by a later loan nobody who had left knows");
        assert_eq!(share(&defaulted, 31, 50), None, "nor who came after it");
        let unknown = GroupTotal { unknown_loans: 1, ..part(0, 0) };
        assert_eq!(share(&unknown, 0, 10).and_then(|share| share.allowance_minor), None);
        assert!(share(&unknown, 0, 10).is_some());
    }

    proptest! {
        #[test]
        fn allowances_never_add_up_to_more_than_the_cap_leaves(
            parts in prop::collection::vec((0_i64..1_000, 0_i64..1_000), 1..7), cap in 1_i64..4_000,
        ) {
            let parts: Vec<GroupTotal> = parts.into_iter().map(|(owed, held)| part(owed, held)).collect();
            let sum: i64 = (0..parts.len()).map(|m| share(&parts, m, cap).allowance_minor.unwrap()).sum();
            let owed: i64 = parts.iter().map(|p| p.owed_minor).sum();
            prop_assert!(sum <= (cap - owed).max(0), "{} of {}", sum, cap - owed);
        }
    }
}
