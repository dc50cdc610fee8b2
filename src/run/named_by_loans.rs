//! What loans name that other shards hold: the orders that the newest of them pledge, and the offers that they draw on.
//!
//! A loan drawn after the last of tonight's orders may pledge one that is too new to be among them. That cannot be held against its borrower, but
//! an order which another merchant has can. And an offer is drawn on by the loan that names it, whoever borrowed by its row. Both cross merchants, and so shards.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, PolarsError};

use super::population::PopulationError;
use crate::contract::{LOANS, ORDERS};
use crate::domain::{AsOf, parallel};
use crate::repayment::{LoanEvidence, NamedOffer, OrderMerchants};
use crate::store::{BrokenRecord, Shard, Store, StoreError};

/// Adds to the evidence which merchants have the orders that loans drawn after the last of tonight's orders pledge, and which loans name an offer that was made to another
/// merchant; broken rows of `unattributed` lead to no shard, and `borrowers` says by loan whose some are. Orders are read only where there is such a pledge.
///
/// # Errors
/// The store cannot be read.
pub fn with_named_by_loans(
    evidence: LoanEvidence,
    store: &Store,
    as_of: &AsOf,
    unattributed: &[BrokenRecord],
    borrowers: &BTreeMap<String, String>,
) -> Result<LoanEvidence, PopulationError> {
    if store.rows(LOANS.name).is_none() {
        return Ok(evidence);
    }
    let named = in_buckets(store, LOANS.name, as_of, |shard, loans| {
        let offers =
            named_offers(loans, &shard.broken)?.into_iter().filter(|named| evidence.made_to_another(named).is_some());
        Ok((new_pledges(shard, loans, &evidence)?, offers.collect::<Vec<_>>()))
    })?;
    let (pledged, offers): (Vec<_>, Vec<_>) = named.into_iter().unzip();
    let offers = offers.into_iter().flatten().chain(broken_offers(unattributed));
    let evidence = evidence.with_named_offers(offers, borrowers);
    let pledged: BTreeSet<String> = pledged.into_iter().flatten().collect();
    if pledged.is_empty() || store.rows(ORDERS.name).is_none() {
        return Ok(evidence);
    }
    let mut owners = OrderMerchants::new();
    let found = in_buckets(store, ORDERS.name, as_of, |shard, orders| merchants_of(&pledged, shard, orders))?;
    for (order, merchant) in found.into_iter().flatten() {
        owners.entry(order).or_default().insert(merchant);
    }
    Ok(evidence.with_order_owners(owners))
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

/// Loans of a shard that name an offer, sound or broken.
fn named_offers(loans: &DataFrame, broken: &[BrokenRecord]) -> Result<Vec<NamedOffer>, PolarsError> {
    let [offers, ids, merchants, products] =
        ["offer_id", "loan_id", "merchant_id", "product"].map(|name| loans.column(name)?.str());
    let (offers, ids, merchants, products) = (offers?, ids?, merchants?, products?);
    let principal = loans.column("principal_minor")?.i64()?;
    let text = |cell: Option<&str>| cell.map(str::to_owned);
    let sound = offers.iter().enumerate().filter_map(|(row, offer)| {
        Some(NamedOffer {
            offer_id: offer?.to_owned(),
            loan_id: text(ids.get(row)),
            merchant_id: text(merchants.get(row)),
            product: text(products.get(row)),
            principal_minor: principal.get(row),
        })
    });
    Ok(sound.chain(broken_offers(broken)).collect())
}

/// Broken rows of loans that name an offer.
fn broken_offers(broken: &[BrokenRecord]) -> impl Iterator<Item = NamedOffer> {
    broken.iter().filter(|record| record.table == LOANS.name).filter_map(|record| {
        Some(NamedOffer {
            offer_id: record.offer_id.clone()?,
            loan_id: record.loan_id.clone(),
            merchant_id: record.merchant_id.clone(),
            ..NamedOffer::default()
        })
    })
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
