//! Whom a broken record concerns.
//!
//! A record that cannot be used still says whose it is: by its own merchant where that is one, by the loan or the order it names,
//! or by another version of its key. All that these lead to are meant, because nobody can say which of them is right.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::{DataFrame, PolarsResult};

use super::parents::{ALWAYS, Parents, UnusableKey};
use super::version::RecordReferences;
use super::versions::BrokenVersion;
use crate::contract::{LOANS, MERCHANTS, ORDERS, SUPERSEDED_AT, TableContract};
use crate::store::BrokenRecord;

/// One entry for each broken version and each merchant that it leads to; one without a merchant where there is none.
pub(crate) fn broken_records(
    table: &TableContract,
    broken: &[BrokenVersion],
    parents: &Parents,
) -> PolarsResult<Vec<BrokenRecord>> {
    if broken.is_empty() {
        return Ok(Vec::new());
    }
    let leads = || broken.iter().flat_map(|version| &version.leads);
    let known = Known {
        is_merchants: table.name == MERCHANTS.name,
        merchants: parents.merchants_of(MERCHANTS.name, &leads().filter_map(|l| l.merchant.as_deref()).collect())?,
        loans: parents.merchants_of(LOANS.name, &leads().filter_map(|l| l.loan.as_deref()).collect())?,
        orders: parents.merchants_of(ORDERS.name, &leads().filter_map(|l| l.order.as_deref()).collect())?,
    };
    let mut records = BTreeSet::new();
    for version in broken {
        let everyone: BTreeSet<String> = version.leads.iter().flat_map(|lead| known.merchants(lead)).collect();
        let says_less =
            |lead: &RecordReferences| version.leads.iter().any(|other| other != lead && lead.is_part_of(other));
        for lead in version.leads.iter().filter(|lead| !says_less(lead)) {
            let own = known.merchants(lead);
            let meant = if own.is_empty() { &everyone } else { &own };
            let record = |merchant: Option<String>| BrokenRecord {
                table: table.name.to_owned(),
                key: version.key.clone(),
                merchant_id: merchant,
                loan_id: lead.loan.clone(),
                order_id: lead.order.clone(),
                rule: version.rule.clone(),
                known_at: version.known_at,
                repaired_at: version.repaired_at,
                event_at: version.said.event_at,
                amount_minor: version.said.amount_minor,
                buyer_id: version.said.buyer_id.clone(),
                offer_id: version.said.offer_id.clone(),
            };
            if meant.is_empty() {
                records.insert(record(None));
            }
            records.extend(meant.iter().map(|merchant| record(Some(merchant.clone()))));
        }
    }
    Ok(records.into_iter().collect())
}

struct Known {
    is_merchants: bool,
    merchants: HashMap<String, BTreeSet<String>>,
    loans: HashMap<String, BTreeSet<String>>,
    orders: HashMap<String, BTreeSet<String>>,
}

impl Known {
    fn merchants(&self, lead: &RecordReferences) -> BTreeSet<String> {
        let own = lead.merchant.as_ref().filter(|m| self.is_merchants || self.merchants.contains_key(*m)).cloned();
        let of_loan = lead.loan.as_ref().and_then(|loan| self.loans.get(loan)).into_iter().flatten().cloned();
        let of_order = lead.order.as_ref().and_then(|order| self.orders.get(order)).into_iter().flatten().cloned();
        own.into_iter().chain(of_loan).chain(of_order).collect()
    }
}

/// The keys of a table that are not usable, for the tables that refer to it. `rows` are its rows with their `superseded_at`.
pub(crate) fn unusable_keys(
    table: &TableContract,
    records: &[BrokenRecord],
    rows: &DataFrame,
    first_known: &HashMap<String, i64>,
) -> PolarsResult<BTreeMap<String, UnusableKey>> {
    let mut keys: BTreeMap<String, UnusableKey> = BTreeMap::new();
    for record in records.iter().filter(|record| record.repaired_at.is_none()) {
        let Some(key) = &record.key else { continue };
        let since = record.known_at.unwrap_or(ALWAYS);
        let known = first_known.get(key).copied().unwrap_or(since);
        let unusable =
            keys.entry(key.clone()).or_insert_with(|| UnusableKey { known, since, ..UnusableKey::default() });
        unusable.since = unusable.since.min(since);
        unusable.merchants.extend(record.merchant_id.clone());
    }
    let [key] = table.key else { return Ok(keys) };
    if keys.is_empty() || !rows.schema().contains("merchant_id") {
        return Ok(keys);
    }
    let (names, merchants) = (rows.column(key)?.str()?, rows.column("merchant_id")?.str()?);
    let superseded = rows.column(SUPERSEDED_AT)?.datetime()?.physical();
    let mut last: HashMap<&str, (i64, &str)> = HashMap::new();
    for ((name, merchant), ends) in names.iter().zip(merchants.iter()).zip(superseded.iter()) {
        let (Some(name), Some(merchant), Some(ends)) = (name, merchant, ends) else { continue };
        let latest = last.entry(name).or_insert((ends, merchant));
        *latest = (*latest).max((ends, merchant));
    }
    for (name, unusable) in &mut keys {
        unusable.last_merchant = last.get(name.as_str()).map(|(_, merchant)| (*merchant).to_owned());
    }
    Ok(keys)
}
