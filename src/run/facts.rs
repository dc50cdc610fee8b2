//! What deciding on credit needs of a shard beside features: receivables, pledges, the credit record, applications.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Column, DataFrame, PolarsError};

use crate::domain::MICROS_PER_DAY;
use crate::offer::Policy;
use crate::store::Shard;
use crate::tiles::Views;

/// A shard whose facts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A column is missing or of another type.
    #[error("read {table} to decide on credit: {source}")]
    Frame {
        /// View or table.
        table: &'static str,
        /// The frame library's own words.
        source: PolarsError,
    },
}

/// A pending application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingApplication {
    /// Product asked for.
    pub product: String,
    /// How much, minor units.
    pub requested_minor: i64,
    /// Orders offered as receivables.
    pub order_ids: Vec<String>,
}

/// One merchant's facts.
#[derive(Debug, Clone, Default)]
pub struct MerchantFacts {
    /// The shop was closed.
    pub is_closed: bool,
    /// Shipped, unconfirmed, undisputed, unsuspected, live orders with their amounts, by order id.
    pub receivables: Vec<(String, i64)>,
    /// Orders that secure open order loans.
    pub pledged: BTreeSet<String>,
    /// Applications that wait for an answer, oldest first.
    pub applications: Vec<PendingApplication>,
}

type Facts = BTreeMap<String, MerchantFacts>;

/// Reads the facts of a shard's merchants; a merchant without any has no entry.
pub fn shard_facts(
    shard: &Shard,
    views: &Views,
    policy: &Policy,
) -> Result<BTreeMap<String, MerchantFacts>, FactsError> {
    let mut facts = Facts::new();
    closures(shard, &mut facts)?;
    receivables(views, &mut facts)?;
    let borrowing = borrowing(shard, views)?;
    applications(shard, policy, &borrowing, &mut facts)?;
    Ok(facts)
}

fn closures(shard: &Shard, facts: &mut Facts) -> Result<(), FactsError> {
    let Some(merchants) = shard.table("merchants") else { return Ok(()) };
    let mut read = || -> Result<(), PolarsError> {
        let ids = merchants.column("merchant_id")?.str()?;
        let closed = merchants.column("closed_at")?.is_not_null();
        for (id, closed) in ids.iter().zip(closed.iter()) {
            if let (Some(id), Some(true)) = (id, closed) {
                facts.entry(id.to_owned()).or_default().is_closed = true;
            }
        }
        Ok(())
    };
    read().map_err(|source| FactsError::Frame { table: "merchants", source })
}

/// A receivable is money that escrow will release: the order was paid and shipped, and is not confirmed, cancelled, refunded,
/// disputed, lost or suspect.
fn receivables(views: &Views, facts: &mut Facts) -> Result<(), FactsError> {
    let Some(orders) = views.by_name.get("orders") else { return Ok(()) };
    // Without shipments nothing is known to be shipped, and so nothing is a receivable.
    if !views.has_table("shipments") {
        return Ok(());
    }
    let frame = &orders.frame;
    let mut read = || -> Result<(), PolarsError> {
        let unset = |column: &str| frame.column(column).map(Column::is_null);
        let live = unset("completed_at")?
            & unset("cancelled_at")?
            & unset("refunded_at")?
            & unset("lost_at")?
            & unset("dispute_opened_at")?;
        let shipped = frame.column("shipped_at")?.is_not_null() & frame.column("paid_at")?.is_not_null();
        let genuine = !frame.column("suspect")?.bool()?;
        let counts = live & shipped & genuine;
        let (ids, owners) = (frame.column("order_id")?.str()?, frame.column("merchant_id")?.str()?);
        let amounts = frame.column("amount_minor")?.i64()?;
        for (((counts, id), owner), amount) in counts.iter().zip(ids.iter()).zip(owners.iter()).zip(amounts.iter()) {
            if let (Some(true), Some(id), Some(owner), Some(amount)) = (counts, id, owner, amount) {
                facts.entry(owner.to_owned()).or_default().receivables.push((id.to_owned(), amount));
            }
        }
        Ok(())
    };
    read().map_err(|source| FactsError::Frame { table: "orders", source })?;
    for merchant in facts.values_mut() {
        merchant.receivables.sort();
    }
    Ok(())
}

/// When a merchant last drew a product, and whether such a loan is open.
#[derive(Debug, Clone, Copy, Default)]
struct Drawn {
    latest_at: i64,
    is_open: bool,
}

type Borrowing = BTreeMap<(String, String), Drawn>;

/// A loan that is not known may be open: the orders that secure it stay pledged.
fn borrowing(shard: &Shard, views: &Views) -> Result<Borrowing, FactsError> {
    let Some(ledger) = &views.ledger else { return Ok(Borrowing::new()) };
    let known = ledger.known.iter().filter(|l| !l.is_closed).map(|l| l.loan_id.as_str());
    let open: BTreeSet<&str> = known.chain(ledger.unknown.iter().filter_map(|l| l.loan_id.as_deref())).collect();
    let Some(table) = shard.table("loans") else { return Ok(Borrowing::new()) };
    drawn(table, &open).map_err(|source| FactsError::Frame { table: "loans", source })
}

fn drawn(loans: &DataFrame, open: &BTreeSet<&str>) -> Result<Borrowing, PolarsError> {
    let mut borrowing = Borrowing::new();
    let (ids, merchants) = (loans.column("loan_id")?.str()?, loans.column("merchant_id")?.str()?);
    let products = loans.column("product")?.str()?;
    let disbursed = &loans.column("disbursed_at")?.datetime()?.phys;
    for (((id, merchant), product), at) in ids.iter().zip(merchants.iter()).zip(products.iter()).zip(disbursed.iter()) {
        if let (Some(id), Some(merchant), Some(product), Some(at)) = (id, merchant, product, at) {
            let drawn = borrowing.entry((merchant.to_owned(), product.to_owned())).or_default();
            drawn.latest_at = drawn.latest_at.max(at);
            drawn.is_open |= open.contains(id);
        }
    }
    Ok(borrowing)
}

/// An application is pending while an offer made on it would still stand and no loan of its product was drawn since. Orders named by an
/// application that was answered by a loan secure that loan for as long as a loan of the product is open.
fn applications(shard: &Shard, policy: &Policy, borrowing: &Borrowing, facts: &mut Facts) -> Result<(), FactsError> {
    let Some(table) = shard.table("applications") else { return Ok(()) };
    let patience = i64::from(policy.offer_valid_days) * MICROS_PER_DAY;
    for application in read_applications(table).map_err(|source| FactsError::Frame { table: "applications", source })? {
        let drawn = borrowing.get(&(application.merchant_id.clone(), application.product.clone())).copied();
        let answered = drawn.is_some_and(|d| d.latest_at >= application.applied_at);
        let merchant = facts.entry(application.merchant_id).or_default();
        if answered {
            if drawn.is_some_and(|d| d.is_open) {
                merchant.pledged.extend(application.order_ids);
            }
        } else if shard.as_of.micros() - application.applied_at <= patience {
            merchant.applications.push(PendingApplication {
                product: application.product,
                requested_minor: application.requested_minor,
                order_ids: application.order_ids,
            });
        }
    }
    Ok(())
}

struct ApplicationRow {
    merchant_id: String,
    product: String,
    applied_at: i64,
    requested_minor: i64,
    order_ids: Vec<String>,
}

/// Applications oldest first; ties by product and sum, so that row order is no matter.
fn read_applications(table: &DataFrame) -> Result<Vec<ApplicationRow>, PolarsError> {
    let (merchants, products) = (table.column("merchant_id")?.str()?, table.column("product")?.str()?);
    let applied = table.column("applied_at")?.datetime()?.phys.clone();
    let requested = table.column("requested_minor")?.i64()?;
    let orders = table.column("order_ids")?.list()?;
    let mut rows = Vec::with_capacity(table.height());
    for (at, (((merchant, product), applied_at), requested_minor)) in
        merchants.iter().zip(products.iter()).zip(applied.iter()).zip(requested.iter()).enumerate()
    {
        let (Some(merchant), Some(product), Some(applied_at), Some(requested_minor)) =
            (merchant, product, applied_at, requested_minor)
        else {
            continue;
        };
        let order_ids = match orders.get_as_series(at) {
            Some(ids) => ids.str()?.iter().flatten().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        rows.push(ApplicationRow {
            merchant_id: merchant.to_owned(),
            product: product.to_owned(),
            applied_at,
            requested_minor,
            order_ids,
        });
    }
    rows.sort_by(|a, b| {
        (&a.merchant_id, a.applied_at, &a.product, a.requested_minor, &a.order_ids).cmp(&(
            &b.merchant_id,
            b.applied_at,
            &b.product,
            b.requested_minor,
            &b.order_ids,
        ))
    });
    Ok(rows)
}
