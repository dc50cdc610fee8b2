//! What a compared kind looks at: the merchant's own sums, and the other merchants of its category.

use std::collections::BTreeMap;

use super::industry::CategoryTotal;
use super::kind::Read;
use crate::tiles::Tally;

/// One merchant beside the other merchants of its category.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// Which slot holds which window.
    pub(super) slots: &'a BTreeMap<Read, usize>,
    /// The merchant's own sums, by slot and merchant.
    pub(super) tallies: &'a [Vec<Option<Tally>>],
    /// The merchant's number.
    pub(super) number: usize,
    /// What of the merchant is in the totals, by slot: its own sums, but for one that is looked at as it might have been.
    pub(super) counted: Option<&'a [Option<Tally>]>,
    /// Totals of the merchant's category by slot, the merchant included.
    pub(super) totals: &'a [Option<CategoryTotal>],
}

impl Comparison<'_> {
    /// The merchant's own sum and rows of a window; `None` without evidence.
    #[must_use]
    pub fn own(&self, read: Read) -> Option<Tally> {
        self.tallies.get(*self.slots.get(&read)?)?.get(self.number).copied().flatten()
    }

    /// The category's total of a window without this merchant; `None` without evidence, of the merchant or of the category.
    ///
    /// Leaving the merchant out keeps a big one from being compared with itself.
    #[must_use]
    pub fn others(&self, read: Read) -> Option<CategoryTotal> {
        let own = self.own(read)?;
        let slot = *self.slots.get(&read)?;
        let CategoryTotal { sum, merchants } = self.totals.get(slot).copied().flatten()?;
        let counted = match self.counted {
            Some(counted) => counted.get(slot).copied().flatten().unwrap_or_default(),
            None => own,
        };
        Some(CategoryTotal {
            sum: sum - i128::from(counted.sum),
            merchants: merchants.saturating_sub(u64::from(counted.rows > 0)),
        })
    }
}
