//! Applications that wait for an answer.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, PolarsError};
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::declared::Declared;
use super::read::AccountTerms;
use super::records::merchants_of_broken;
use crate::store::Shard;

/// A pending application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Product asked for.
    pub product: String,
    /// How much, minor units.
    pub requested_minor: i64,
    /// Orders offered as receivables; empty where none are named.
    pub order_ids: Vec<String>,
    /// What the applicant declares.
    pub declared: Declared,
}

pub(super) enum Applications<'a> {
    NotTaken,
    Absent,
    By {
        known: BTreeMap<String, Vec<Request>>,
        /// Merchants with an application that cannot be read: they asked for something, and nobody knows what.
        unknown: BTreeSet<&'a str>,
    },
}

/// An application is pending for as long as an offer made on it would stand, and while no loan of its product was drawn since.
pub(super) fn requests<'a>(
    rows: Option<Vec<ApplicationRow>>,
    shard: &'a Shard,
    book: Book<'_>,
    terms: &AccountTerms<'_>,
) -> Applications<'a> {
    let Some(rows) = rows else {
        let takes = terms.declared.contains("applications");
        return if takes { Applications::Absent } else { Applications::NotTaken };
    };
    let mut by_merchant: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    for ApplicationRow { merchant_id, applied_at, request } in rows {
        let is_answered =
            book.loans(&merchant_id).known.iter().any(|l| l.product == request.product && l.disbursed_at >= applied_at);
        if !is_answered && terms.may_wait(Some(applied_at), &shard.as_of) {
            by_merchant.entry(merchant_id).or_default().push(request);
        }
    }
    let unknown = merchants_of_broken(shard, "applications", |known_at| terms.may_wait(known_at, &shard.as_of));
    Applications::By { known: by_merchant, unknown }
}

pub(super) struct ApplicationRow {
    pub merchant_id: String,
    pub applied_at: i64,
    pub request: Request,
}

/// Applications oldest first; ties by product and sum, so that row order is no matter.
pub(super) fn read_applications(table: &DataFrame) -> Result<Vec<ApplicationRow>, PolarsError> {
    let (merchants, products) = (table.column("merchant_id")?.str()?, table.column("product")?.str()?);
    let applied = &table.column("applied_at")?.datetime()?.phys;
    let requested = table.column("requested_minor")?.i64()?;
    let orders = table.column("order_ids")?.list()?;
    let declared = |name: &str| Ok::<_, PolarsError>(table.column(name)?.i64()?.clone());
    let (sales, costs) = (declared("gross_sales_12m_minor")?, declared("operating_costs_12m_minor")?);
    let (assets, liabilities) = (declared("gross_assets_minor")?, declared("gross_liabilities_minor")?);
    let mut rows = Vec::with_capacity(table.height());
    for at in 0..table.height() {
        let (Some(merchant), Some(product), Some(applied_at), Some(requested_minor)) =
            (merchants.get(at), products.get(at), applied.get(at), requested.get(at))
        else {
            continue;
        };
        let order_ids = match orders.get_as_series(at) {
            Some(ids) => ids.str()?.iter().flatten().map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let declared = Declared {
            gross_sales_12m_minor: sales.get(at),
            operating_costs_12m_minor: costs.get(at),
            gross_assets_minor: assets.get(at),
            gross_liabilities_minor: liabilities.get(at),
        };
        let request = Request { product: product.to_owned(), requested_minor, order_ids, declared };
        rows.push(ApplicationRow { merchant_id: merchant.to_owned(), applied_at, request });
    }
    let key = |row: &ApplicationRow| {
        let Request { product, requested_minor, order_ids, declared } = row.request.clone();
        (row.merchant_id.clone(), row.applied_at, product, requested_minor, order_ids, declared)
    };
    rows.sort_by_cached_key(key);
    Ok(rows)
}
