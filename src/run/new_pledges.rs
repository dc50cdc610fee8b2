//! Whose the orders are that the newest loans pledge.
//!
//! A loan drawn after the last of tonight's orders may pledge one that is too new to be among them. That cannot be held against its borrower, but
//! an order which another merchant has can: whose it is crosses merchants, and so shards.

use std::collections::BTreeSet;

use polars::prelude::{DataFrame, PolarsError};

use super::population::PopulationError;
use crate::contract::{LOANS, ORDERS};
use crate::domain::{AsOf, parallel};
use crate::repayment::{LoanEvidence, OrderMerchants};
use crate::store::{Shard, Store, StoreError};

/// The merchants of the orders that loans drawn after the last of tonight's orders pledge. Orders are read only where there is such a loan.
///
/// # Errors
/// The store cannot be read.
pub fn owners_of_new_pledges(
    store: &Store,
    as_of: &AsOf,
    evidence: &LoanEvidence,
) -> Result<OrderMerchants, PopulationError> {
    if store.rows(LOANS.name).is_none() || store.rows(ORDERS.name).is_none() {
        return Ok(OrderMerchants::new());
    }
    let pledged = in_buckets(store, LOANS.name, as_of, |shard, loans| new_pledges(shard, loans, evidence))?;
    let pledged: BTreeSet<String> = pledged.into_iter().flatten().collect();
    if pledged.is_empty() {
        return Ok(OrderMerchants::new());
    }
    let mut owners = OrderMerchants::new();
    let found = in_buckets(store, ORDERS.name, as_of, |shard, orders| merchants_of(&pledged, shard, orders))?;
    for (order, merchant) in found.into_iter().flatten() {
        owners.entry(order).or_default().insert(merchant);
    }
    Ok(owners)
}

fn in_buckets<T: Send>(
    store: &Store,
    table: &'static str,
    as_of: &AsOf,
    look: impl Fn(&Shard, &DataFrame) -> Result<T, PolarsError> + Sync,
) -> Result<Vec<T>, StoreError> {
    let looked = parallel::each((0..store.buckets()).collect(), |bucket| {
        let shard = store.seen(&store.tables(bucket, &[table])?, as_of)?;
        let broken = |e: PolarsError| StoreError::Frame { table: table.to_owned(), why: e.to_string() };
        shard.table(table).map(|rows| look(&shard, rows).map_err(broken)).transpose()
    })?;
    Ok(looked.into_iter().flatten().collect())
}

/// Orders that loans drawn after the last of tonight's orders pledge.
fn new_pledges(shard: &Shard, loans: &DataFrame, evidence: &LoanEvidence) -> Result<Vec<String>, PolarsError> {
    let disbursed = &loans.column("disbursed_at")?.datetime()?.phys;
    let pledged = loans.column("pledged_order_ids")?.list()?;
    let mut found = Vec::new();
    for (row, disbursed_at) in disbursed.iter().enumerate() {
        let drawn_on = disbursed_at.and_then(|at| shard.as_of.local_date(at).ok());
        if evidence.orders_reach(drawn_on) {
            continue;
        }
        let Some(orders) = pledged.get_as_series(row) else { continue };
        found.extend(orders.str()?.iter().flatten().map(str::to_owned));
    }
    Ok(found)
}

/// Those of the `pledged` orders that a shard's merchants have, sound or broken.
fn merchants_of(
    pledged: &BTreeSet<String>,
    shard: &Shard,
    orders: &DataFrame,
) -> Result<Vec<(String, String)>, PolarsError> {
    let (ids, merchants) = (orders.column("order_id")?.str()?, orders.column("merchant_id")?.str()?);
    let sound = ids.iter().zip(merchants.iter());
    let broken = shard.broken.iter().filter(|record| record.table == ORDERS.name);
    let broken = broken.map(|record| (record.order_id.as_deref(), record.merchant_id.as_deref()));
    let owned = sound.chain(broken).filter_map(|(order, merchant)| Some((order?, merchant?)));
    Ok(owned.filter(|(order, _)| pledged.contains(*order)).map(|(o, m)| (o.to_owned(), m.to_owned())).collect())
}
