//! What officers decided about credit, as a night's summary tells of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::offer::OverrideEffect;

/// Officers' decisions in force on a night, and what they changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficersDecisions {
    /// Decisions about merchants who were seen, by officer; one for each product that a decision is about.
    pub by_officer: BTreeMap<String, u64>,
    /// Those of them that the policy does not allow the officer: they changed nothing.
    pub not_allowed: u64,
    /// By how much limits are higher than without them, minor units, new offers included.
    pub raised_minor: i64,
    /// By how much limits are lower, minor units, offers that are not made included.
    pub lowered_minor: i64,
    /// Offers that would not have been made.
    pub offers_added: u64,
    /// Offers that are not made.
    pub offers_removed: u64,
}

impl OfficersDecisions {
    /// Adds a shard's decisions. All those about a merchant lie in one shard, and each tells what they did together.
    pub fn add(&mut self, effects: &[OverrideEffect]) {
        let mut products = BTreeSet::new();
        for effect in effects {
            *self.by_officer.entry(effect.by.clone()).or_default() += 1;
            self.not_allowed += u64::from(!effect.is_allowed);
            if !products.insert((&effect.merchant_id, &effect.product)) {
                continue;
            }
            let (with, without) = (effect.limit_minor, effect.limit_without_minor);
            let change = with.unwrap_or(0).saturating_sub(without.unwrap_or(0));
            self.raised_minor = self.raised_minor.saturating_add(change.max(0));
            self.lowered_minor = self.lowered_minor.saturating_add(change.saturating_neg().max(0));
            self.offers_added += u64::from(with.is_some() && without.is_none());
            self.offers_removed += u64::from(with.is_none() && without.is_some());
        }
    }

    /// Decisions of all officers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.by_officer.values().sum()
    }

    /// Officers and how many decisions each has in force.
    #[must_use]
    pub fn officers(&self) -> String {
        let officers: Vec<String> = self.by_officer.iter().map(|(by, count)| format!("{by} {count}")).collect();
        officers.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn effect(product: &str, by: &str, without: Option<i64>, with: Option<i64>) -> OverrideEffect {
        OverrideEffect {
            merchant_id: "m1".into(),
            product: product.into(),
            number: 1,
            change: "raise-limit".into(),
            asked_limit_minor: None,
            waived_rule: None,
            asked_rate_ppm: None,
            by: by.into(),
            reason: "seen on site".into(),
            from_on: date(2025, 5, 1),
            until_on: date(2025, 5, 31),
            is_allowed: true,
            limit_without_minor: without,
            limit_minor: with,
            rate_without_ppm: None,
            rate_ppm: None,
        }
    }

    #[test]
    fn what_several_decisions_did_together_counts_once() {
        let mut decisions = OfficersDecisions::default();
        let refused = OverrideEffect { is_allowed: false, ..effect("b", "Wang Min", Some(70), Some(50)) };
        decisions.add(&[
            effect("a", "Li Wei", Some(100), Some(400)),
            effect("a", "Wang Min", Some(100), Some(400)),
            refused,
        ]);
        decisions.add(&[effect("c", "Li Wei", None, Some(30)), effect("d", "Li Wei", Some(9), None)]);
        assert_eq!(decisions.officers(), "Li Wei 3 · Wang Min 2");
        assert_eq!((decisions.count(), decisions.not_allowed), (5, 1));
        assert_eq!((decisions.raised_minor, decisions.lowered_minor), (330, 29));
        assert_eq!((decisions.offers_added, decisions.offers_removed), (1, 1));
    }
}
