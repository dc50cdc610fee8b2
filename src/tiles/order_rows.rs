//! The order that each row of another table belongs to.

use polars::prelude::{DataFrame, PlHashMap, StringChunked};

use super::column::{required_texts, texts};
use super::error::TileError;
use super::merchants::{Merchants, offsets};

/// For each row of a table the row of its order, where it is there.
pub type OrderRows = Vec<Option<usize>>;

/// Orders by id. A row that belongs to an order is of the order's merchant, so that ids are looked up among those of one merchant: few enough for the processor
/// to have at hand.
pub struct OrderIds<'a> {
    ids: &'a StringChunked,
    /// The orders of each merchant.
    rows: RowsByMerchant,
    merchants: &'a Merchants,
}

impl<'a> OrderIds<'a> {
    /// Of the orders of a shard.
    ///
    /// # Errors
    /// The table has no merchant ids.
    pub fn new(orders: &DataFrame, ids: &'a StringChunked, merchants: &'a Merchants) -> Result<Self, TileError> {
        let owners = merchants.of_rows(orders, "orders")?;
        Ok(Self { ids, rows: RowsByMerchant::new(merchants.len(), &owners), merchants })
    }

    /// For each row of a table the row of the order that it names.
    ///
    /// # Errors
    /// A column is missing.
    pub fn of(&self, table: &DataFrame, name: &'static str) -> Result<OrderRows, TileError> {
        // A dispute need not name an order.
        let named =
            if name == "disputes" { texts(table, name, "order_id")? } else { required_texts(table, name, "order_id")? };
        let rows = RowsByMerchant::new(self.merchants.len(), &self.merchants.of_rows(table, name)?);
        let mut of_order = vec![None; table.height()];
        let mut by_id: PlHashMap<&str, usize> = PlHashMap::default();
        for merchant in 0..self.merchants.len() {
            let theirs = rows.of(merchant);
            if theirs.is_empty() {
                continue;
            }
            by_id.clear();
            by_id.extend(self.rows.of(merchant).iter().filter_map(|row| Some((self.ids.get(*row)?, *row))));
            for row in theirs {
                let order = named.get(*row).and_then(|id| by_id.get(id).copied());
                if let Some(slot) = of_order.get_mut(*row) {
                    *slot = order;
                }
            }
        }
        Ok(of_order)
    }
}

/// The rows of a table by merchant, each merchant's in the table's order.
struct RowsByMerchant {
    offsets: Vec<usize>,
    rows: Vec<usize>,
}

impl RowsByMerchant {
    fn new(merchants: usize, owners: &[Option<u32>]) -> Self {
        let offsets = offsets(merchants, owners.iter().flatten().copied());
        let mut next = offsets.clone();
        let mut rows = vec![0; offsets.last().copied().unwrap_or(0)];
        for (row, owner) in owners.iter().enumerate() {
            let Some(next) = owner.and_then(|owner| next.get_mut(owner as usize)) else { continue };
            if let Some(slot) = rows.get_mut(*next) {
                *slot = row;
            }
            *next += 1;
        }
        Self { offsets, rows }
    }

    fn of(&self, merchant: usize) -> &[usize] {
        match self.offsets.get(merchant..merchant + 2) {
            Some([from, to]) => self.rows.get(*from..*to).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use polars::prelude::df;

    use super::*;
    use crate::domain::AsOf;
    use crate::store::Shard;

    #[test]
    fn of_an_order_that_two_merchants_may_have_each_keeps_its_own() {
        let tables = BTreeMap::from([("merchants", df!("merchant_id" => ["a", "b"]).unwrap())]);
        let as_of = AsOf::new(date(2025, 7, 1), TimeZone::UTC).unwrap();
        let merchants = Merchants::of(&Shard { as_of, tables, earlier: BTreeMap::new(), broken: Vec::new() }).unwrap();
        let orders = df!("merchant_id" => ["a", "b"], "order_id" => ["o", "o"]).unwrap();
        let parcels = df!("merchant_id" => ["a", "b", "a", "c"], "order_id" => ["o", "o", "x", "o"]).unwrap();
        let ids = required_texts(&orders, "orders", "order_id").unwrap();
        let by_id = OrderIds::new(&orders, &ids, &merchants).unwrap();
        assert_eq!(by_id.of(&parcels, "shipments").unwrap(), [Some(0), Some(1), None, None]);
    }
}
