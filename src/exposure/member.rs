//! Memberships of guarantee groups that a night leaves to the next: nobody leaves a group because a row is no longer sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::group::GroupTotals;
use crate::contract::GUARANTEE_GROUPS;
use crate::domain::AsOf;
use crate::store::{BrokenRecord, bucket_of};

/// One membership that the next night has to see, going on or ended: a row of `remembered_members.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RememberedMember {
    /// The group.
    pub group_id: String,
    /// The member.
    pub merchant_id: String,
}

/// The memberships of the night before, by bucket of merchants and merchant; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct MembersBefore {
    by_bucket: Vec<BTreeMap<String, BTreeSet<String>>>,
}

impl MembersBefore {
    /// Rows of `remembered_members.parquet`, for shards of so many `buckets`.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = RememberedMember>, buckets: u32) -> Self {
        let mut by_bucket = vec![BTreeMap::<String, BTreeSet<String>>::new(); buckets.max(1) as usize];
        for RememberedMember { group_id, merchant_id } in rows {
            if let Some(merchants) = by_bucket.get_mut(bucket_of(&merchant_id, buckets) as usize) {
                merchants.entry(merchant_id).or_default().insert(group_id);
            }
        }
        Self { by_bucket }
    }

    /// Memberships of merchants of one bucket: the merchant and the group.
    pub(super) fn in_bucket(&self, bucket: u32) -> impl Iterator<Item = (&str, &str)> {
        let merchants = self.by_bucket.get(bucket as usize).into_iter().flatten();
        merchants.flat_map(|(merchant, groups)| groups.iter().map(move |group| (merchant.as_str(), group.as_str())))
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
        let row =
            |group: &str, merchant: &str| RememberedMember { group_id: group.into(), merchant_id: merchant.into() };
        let before = MembersBefore::new([row("g1", "m1"), row("g2", "m1"), row("g1", "m2")], 4);
        let all: BTreeSet<(&str, &str)> = (0..4).flat_map(|bucket| before.in_bucket(bucket)).collect();
        assert_eq!(all, BTreeSet::from([("m1", "g1"), ("m1", "g2"), ("m2", "g1")]));
        assert!(before.in_bucket(bucket_of("m1", 4)).any(|of| of == ("m1", "g2")));
        assert_eq!(MembersBefore::default().in_bucket(0).count(), 0);
    }
}
