//! Records about an order that do not say which.
//!
//! A refund whose order id cannot be read, a lost parcel or a dispute that names no order of the merchant: each ends one receivable, and
//! nobody knows which. Of disputes only lawsuits may name none, and those need not be about one; any other is a broken record.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polars::prelude::{DataFrame, PolarsError};

use super::error::ExposureError;
use crate::contract::{DISPUTES, ORDERS, SHIPMENTS};
use crate::store::{BrokenRecord, Shard};

/// Tables whose rows decide whether an order is a receivable.
static DECIDING: [&str; 3] = [ORDERS.name, SHIPMENTS.name, DISPUTES.name];

/// For each merchant with such a record when the last of them became known, in UTC microseconds; [`i64::MAX`] where no time says so. Orders
/// placed later are not meant: what happens to an order happens after it was placed.
///
/// `orders` holds `order_id` and `merchant_id` of every usable order of the shard.
///
/// # Errors
/// A table that lacks a column.
pub(super) fn about_some_order(shard: &Shard, orders: &DataFrame) -> Result<BTreeMap<String, i64>, ExposureError> {
    let deciding: Vec<&BrokenRecord> =
        shard.broken.iter().filter(|record| DECIDING.contains(&record.table.as_str())).collect();
    let named: HashSet<&str> = deciding.iter().filter_map(|record| record.order_id.as_deref()).collect();
    // An order of which no version is usable is known to be the merchant's all the same.
    let is_order = |record: &&&BrokenRecord| record.table == ORDERS.name;
    let mut own: BTreeSet<(&str, &str)> =
        deciding.iter().filter(is_order).filter_map(|r| r.merchant_id.as_deref().zip(r.order_id.as_deref())).collect();
    let owned = owners(orders, &named).map_err(|source| ExposureError::Frame { table: ORDERS.name, source })?;
    own.extend(owned.iter().map(|(merchant, order)| (merchant.as_str(), order.as_str())));

    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for record in deciding {
        let Some(merchant) = record.merchant_id.as_deref() else { continue };
        let is_own = record.order_id.as_deref().is_some_and(|order| own.contains(&(merchant, order)));
        if !is_own {
            let last = last.entry(merchant.to_owned()).or_insert(i64::MIN);
            *last = record.known_at.unwrap_or(i64::MAX).max(*last);
        }
    }
    Ok(last)
}

/// The merchants of the named orders.
fn owners(orders: &DataFrame, named: &HashSet<&str>) -> Result<Vec<(String, String)>, PolarsError> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, merchants) = (orders.column("order_id")?.str()?, orders.column("merchant_id")?.str()?);
    let pairs = merchants.iter().zip(ids.iter()).filter_map(|(merchant, order)| merchant.zip(order));
    Ok(pairs.filter(|(_, order)| named.contains(order)).map(|(m, o)| (m.to_owned(), o.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use polars::prelude::*;

    use super::*;
    use crate::domain::AsOf;

    fn shard(broken: Vec<BrokenRecord>) -> Shard {
        Shard {
            as_of: AsOf::new(date(2025, 7, 1), TimeZone::UTC).unwrap(),
            tables: BTreeMap::new(),
            earlier: BTreeMap::new(),
            broken,
        }
    }

    fn record(table: &str, order: Option<&str>, known_at: Option<i64>) -> BrokenRecord {
        BrokenRecord {
            table: table.to_owned(),
            merchant_id: Some("m".to_owned()),
            order_id: order.map(str::to_owned),
            known_at,
            ..BrokenRecord::default()
        }
    }

    fn found(broken: Vec<BrokenRecord>) -> Option<i64> {
        let orders = df!("order_id" => ["a", "b"], "merchant_id" => ["m", "n"]).unwrap();
        about_some_order(&shard(broken), &orders).unwrap().get("m").copied()
    }

    #[test]
    fn a_record_that_names_none_of_the_merchants_orders_may_be_about_any() {
        for table in DECIDING {
            assert_eq!(found(vec![record(table, Some("a"), Some(5))]), None, "{table}: its own");
            assert_eq!(found(vec![record(table, None, Some(5))]), Some(5), "{table}: none");
        }
        for table in [SHIPMENTS.name, DISPUTES.name] {
            assert_eq!(found(vec![record(table, Some("b"), Some(5))]), Some(5), "{table}: another merchant's");
            assert_eq!(found(vec![record(table, Some("x"), None)]), Some(i64::MAX), "{table}: nobody's, at no time");
            let of_a_broken_order = vec![record(ORDERS.name, Some("x"), Some(3)), record(table, Some("x"), Some(5))];
            assert_eq!(found(of_a_broken_order), None, "{table}: of an order that is broken itself");
        }
        assert_eq!(found(vec![record("reviews", None, None), record("applications", None, None)]), None);
        let several = vec![record(ORDERS.name, None, Some(7)), record(SHIPMENTS.name, None, Some(5))];
        assert_eq!(found(several), Some(7), "the last of them");
    }
}
