//! Totals over all merchants that deciding any of them needs.

use crate::exposure::{GroupTotals, OwnerTotals};
use crate::model::ability::CategoryReceipts;
use crate::monitor::DefaultedGroups;
use crate::run::facts::ShardFacts;
use crate::run::receipts;

/// The totals, added up shard by shard in any order.
#[derive(Default)]
pub(in crate::run) struct AcrossShards {
    pub groups: GroupTotals,
    pub owners: OwnerTotals,
    pub categories: CategoryReceipts,
    pub defaulted: DefaultedGroups,
}

impl AcrossShards {
    pub fn of(facts: &ShardFacts) -> Self {
        Self {
            groups: facts.accounts.groups.clone(),
            owners: facts.accounts.owners.clone(),
            categories: receipts::by_category(facts.merchants.values().filter_map(|m| m.receipts.as_ref())),
            defaulted: facts.ledger.as_ref().map(DefaultedGroups::of).unwrap_or_default(),
        }
    }

    pub fn merge(&mut self, of_shard: &Self) {
        self.groups.merge(&of_shard.groups);
        self.owners.merge(&of_shard.owners);
        self.categories.merge(&of_shard.categories);
        self.defaulted.merge(&of_shard.defaulted);
    }
}
