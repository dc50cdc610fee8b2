//! Memberships of guarantee groups that a night leaves to the next: nobody leaves a group because a row is no longer sent, nor before the last night
//! that saw the membership go on, whatever day a later row gives as its end; nor was anybody a member later than an earlier night knew, whatever
//! instant a later row gives as its beginning.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::group::GroupTotals;
use crate::contract::GUARANTEE_GROUPS;
use crate::domain::AsOf;
use crate::store::{BrokenRecord, bucket_of};

/// One membership as the next night has to know it: a row of `remembered_members.parquet`. One that goes on has to be seen, going on or ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RememberedMember {
    /// The group.
    pub group_id: String,
    /// The member.
    pub merchant_id: String,
    /// Of one that has ended: the last night that saw it go on.
    pub went_on_until: Option<Date>,
    /// The earliest beginning that a night knew, UTC microseconds; `None` where no night that left it saw one.
    pub joined_at: Option<i64>,
}

/// The memberships of the night before, by bucket of merchants and merchant; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct MembersBefore {
    night: Option<Date>,
    by_bucket: Vec<BTreeMap<String, BTreeMap<String, RememberedMember>>>,
}

/// A membership that the night before knew.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberBefore<'a> {
    pub merchant: &'a str,
    pub group: &'a str,
    /// It went on then; otherwise it had ended.
    pub goes_on: bool,
    /// The last night that saw it go on.
    pub seen_on: Date,
    /// The earliest beginning that a night knew, UTC microseconds.
    pub joined_at: Option<i64>,
}

impl MembersBefore {
    /// Rows of `remembered_members.parquet` of a night, for shards of so many `buckets`.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = RememberedMember>, night: Date, buckets: u32) -> Self {
        let mut by_bucket =
            vec![BTreeMap::<String, BTreeMap<String, RememberedMember>>::new(); buckets.max(1) as usize];
        for row in rows {
            if let Some(merchants) = by_bucket.get_mut(bucket_of(&row.merchant_id, buckets) as usize) {
                merchants.entry(row.merchant_id.clone()).or_default().insert(row.group_id.clone(), row);
            }
        }
        Self { night: Some(night), by_bucket }
    }

    /// Memberships of merchants of one bucket.
    pub(super) fn in_bucket(&self, bucket: u32) -> impl Iterator<Item = MemberBefore<'_>> {
        let merchants = self.by_bucket.get(bucket as usize).into_iter().flatten();
        merchants.flat_map(move |(merchant, groups)| {
            groups.iter().filter_map(move |(group, row)| {
                let seen_on = row.went_on_until.or(self.night)?;
                let (goes_on, joined_at) = (row.went_on_until.is_none(), row.joined_at);
                Some(MemberBefore { merchant, group, goes_on, seen_on, joined_at })
            })
        })
    }
}

/// Every group that a broken membership names has a member of whom nothing is known.
///
/// The key of a membership is its group and its merchant, joined by a bar, which either may hold: all groups that it may name are meant.
#[must_use]
pub fn groups_of_broken_members(broken: &[BrokenRecord], as_of: &AsOf) -> GroupTotals {
    let mut totals = GroupTotals::default();
    let records = broken.iter().filter(|r| r.table == GUARANTEE_GROUPS.name && r.counts_at(as_of));
    for key in records.filter_map(|record| record.key.as_deref()) {
        for (at, _) in key.match_indices('|') {
            if let Some(group) = key.get(..at).filter(|group| !group.is_empty()) {
                totals.entry(group).unknown = 1;
            }
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_broken_membership_makes_every_group_that_it_may_name_unknown() {
        let as_of = AsOf::new(date(2025, 5, 2), TimeZone::UTC).unwrap();
        let record = |table: &str, key: Option<&str>| BrokenRecord {
            table: table.to_owned(),
            key: key.map(str::to_owned),
            ..BrokenRecord::default()
        };
        let name = GUARANTEE_GROUPS.name;
        let broken = [
            record(name, Some("g1|m1")),
            record(name, Some("g|2|m1")),
            record(name, None),
            record("loans", Some("g9|x")),
        ];
        let named: Vec<String> = groups_of_broken_members(&broken, &as_of).0.into_keys().collect();
        assert_eq!(named, ["g", "g1", "g|2"]);
    }

    #[test]
    fn memberships_lie_in_the_bucket_of_their_merchant() {
        let row = |group: &str, merchant: &str, went_on_until| RememberedMember {
            group_id: group.into(),
            merchant_id: merchant.into(),
            went_on_until,
            joined_at: None,
        };
        let (night, ended) = (date(2025, 5, 2), date(2025, 4, 9));
        let rows = [row("g1", "m1", None), row("g2", "m1", Some(ended)), row("g1", "m2", None)];
        let before = MembersBefore::new(rows, night, 4);
        let told = |of: MemberBefore<'_>| (of.merchant.to_owned(), of.group.to_owned(), of.goes_on, of.seen_on);
        let all: BTreeSet<_> = (0..4).flat_map(|bucket| before.in_bucket(bucket)).map(told).collect();
        let member = |merchant: &str, group: &str, goes_on, on| (merchant.to_owned(), group.to_owned(), goes_on, on);
        let expected = [("m1", "g1", true, night), ("m1", "g2", false, ended), ("m2", "g1", true, night)];
        assert_eq!(all, expected.map(|(m, g, goes_on, on)| member(m, g, goes_on, on)).into());
        assert!(before.in_bucket(bucket_of("m1", 4)).any(|of| (of.merchant, of.group) == ("m1", "g2")));
        assert_eq!(MembersBefore::default().in_bucket(0).count(), 0);
    }
}
