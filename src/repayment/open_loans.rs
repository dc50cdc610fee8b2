//! Loans that were open on the night before: what was owed then does not cease to be owed because its row is no longer sent.

use std::collections::{BTreeMap, BTreeSet};

/// Loans that a merchant had open on the night before, known or not, by merchant.
#[derive(Debug, Clone, Default)]
pub struct OpenLoans {
    by_merchant: BTreeMap<String, BTreeSet<String>>,
}

impl OpenLoans {
    /// Sorts pairs of merchant and loan by merchant, leaving out loans that are `no_longer_sent`, as the monitor file has them.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>, no_longer_sent: &BTreeSet<String>) -> Self {
        let mut by_merchant: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (merchant, loan) in pairs.into_iter().filter(|(_, loan)| !no_longer_sent.contains(loan)) {
            by_merchant.entry(merchant).or_default().insert(loan);
        }
        Self { by_merchant }
    }

    /// Those of one merchant.
    pub fn of(&self, merchant_id: &str) -> impl Iterator<Item = &str> {
        self.by_merchant.get(merchant_id).into_iter().flatten().map(String::as_str)
    }
}
