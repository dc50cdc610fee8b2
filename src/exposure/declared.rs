//! What merchants declare of their means, now and before.
//!
//! A merchant who was declined for what it declared may declare better figures the next day, or send the same application again with others. What it
//! declared before therefore stays beside what it declares now, for as many days as the policy says, and whatever a cap makes of each, the least counts.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::PolarsResult;
use serde::{Deserialize, Serialize};

use super::applications::{ApplicationRow, read_applications};
use super::read::AccountTerms;
use crate::contract::APPLICATIONS;
use crate::store::Shard;

/// The four figures that an applicant declares, minor units; `None` where one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Declared {
    /// Sales of the last twelve months.
    pub gross_sales_12m_minor: Option<i64>,
    /// Operating costs of the last twelve months.
    pub operating_costs_12m_minor: Option<i64>,
    /// Assets.
    pub gross_assets_minor: Option<i64>,
    /// Liabilities.
    pub gross_liabilities_minor: Option<i64>,
}

/// By merchant all that it declared in the last days, in `applications` for whichever product, answered or not, and in versions of them that others have
/// replaced: each once, sorted.
pub(super) fn declarations(
    applications: &[ApplicationRow],
    shard: &Shard,
    terms: &AccountTerms<'_>,
) -> PolarsResult<BTreeMap<String, BTreeSet<Declared>>> {
    let replaced = shard.earlier.get(APPLICATIONS.name).map(read_applications).transpose()?.unwrap_or_default();
    let mut by_merchant: BTreeMap<String, BTreeSet<Declared>> = BTreeMap::new();
    for row in applications.iter().chain(&replaced) {
        let declared = row.request.declared;
        if terms.is_remembered(Some(row.applied_at), &shard.as_of) && declared != Declared::default() {
            by_merchant.entry(row.merchant_id.clone()).or_default().insert(declared);
        }
    }
    Ok(by_merchant)
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::domain::{AsOf, MICROS_PER_DAY};

    const DAY: i64 = MICROS_PER_DAY;

    fn applications(as_of: &AsOf, rows: &[(&str, i64, Option<i64>)]) -> DataFrame {
        let applied: Vec<i64> = rows.iter().map(|(_, days, _)| as_of.micros() - days * DAY).collect();
        let sales: Vec<Option<i64>> = rows.iter().map(|(_, _, sales)| *sales).collect();
        let merchants: Vec<&str> = rows.iter().map(|(merchant, _, _)| *merchant).collect();
        let none = vec![None::<i64>; rows.len()];
        let mut frame = df!(
            "merchant_id" => merchants,
            "product" => vec!["credit-loan"; rows.len()],
            "requested_minor" => vec![1_i64; rows.len()],
            "gross_sales_12m_minor" => sales,
            "operating_costs_12m_minor" => none.clone(),
            "gross_assets_minor" => none.clone(),
            "gross_liabilities_minor" => none,
        )
        .unwrap();
        let applied = Series::new("applied_at".into(), applied);
        let applied = applied.cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
        frame.with_column(applied.into_column()).unwrap();
        let orders = Series::full_null("order_ids".into(), rows.len(), &DataType::List(Box::new(DataType::String)));
        frame.with_column(orders.into_column()).unwrap();
        frame
    }

    #[test]
    fn what_was_declared_stays_for_its_days_whether_answered_replaced_or_for_another_product() {
        let as_of = AsOf::new(jiff::civil::date(2025, 7, 1), AsOf::zone("UTC").unwrap()).unwrap();
        let now =
            applications(&as_of, &[("a", 1, Some(900)), ("a", 100, Some(300)), ("a", 181, Some(1)), ("b", 2, None)]);
        let before = applications(&as_of, &[("a", 1, Some(200)), ("a", 1, Some(900))]);
        let shard = Shard {
            as_of,
            tables: BTreeMap::new(),
            earlier: BTreeMap::from([("applications", before)]),
            broken: Vec::new(),
        };
        let nothing = BTreeSet::new();
        let terms = AccountTerms {
            receivables: None,
            groups: None,
            secured_products: BTreeSet::new(),
            keeps_loan_book: false,
            application_days: 30,
            declaration_days: 180,
            declared: &nothing,
        };
        let found = declarations(&read_applications(&now).unwrap(), &shard, &terms).unwrap();
        let sales: Vec<Option<i64>> = found["a"].iter().map(|declared| declared.gross_sales_12m_minor).collect();
        assert_eq!(sales, [Some(200), Some(300), Some(900)]);
        assert!(!found.contains_key("b"), "who declares nothing has declared nothing");
    }
}
