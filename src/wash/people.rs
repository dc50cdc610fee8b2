//! Whether reviews and disputes name people as orders do. Where they do not, every one of them seems to come from somebody else than the buyer.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use crate::authenticity::{Author, author};
use crate::contract::{DISPUTES, ORDERS, SUPERSEDED_AT, TableContract};

/// Rows of orders whose buyer is known, that name somebody themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct People {
    /// All of them.
    pub named: u64,
    /// Those that name another person than the order does.
    pub others: u64,
}

/// By kind of dispute, which may come from different systems; reviews have no kinds.
pub type PeopleByKind = BTreeMap<String, People>;

/// Whether rows of a table name a person beside their order.
pub(super) fn names_people(table: &TableContract) -> bool {
    let has = |name: &str| table.columns.iter().any(|column| column.name == name);
    table.name != ORDERS.name && has("order_id") && has("buyer_id")
}

/// Counts the latest versions of a table's rows by whom they name.
pub(super) fn people(table: &TableContract, rows: &DataFrame, orders: &DataFrame) -> PolarsResult<PeopleByKind> {
    let texts = |frame: &DataFrame, name: &str| Ok::<_, PolarsError>(frame.column(name)?.str()?.clone());
    let kinds = if table.name == DISPUTES.name { Some(texts(rows, "kind")?) } else { None };
    let (of_order, own) = (texts(rows, "order_id")?, texts(rows, "buyer_id")?);
    let is_latest = rows.column(SUPERSEDED_AT)?.is_null();
    let mut buyers: HashMap<&str, Option<&str>> = HashMap::new();
    let mut claims: Vec<(&str, &str, &str)> = Vec::new();
    for (row, latest) in is_latest.iter().enumerate() {
        let (Some(true), Some(order), Some(person)) = (latest, of_order.get(row), own.get(row)) else { continue };
        buyers.insert(order, None);
        claims.push((order, person, kinds.as_ref().and_then(|kinds| kinds.get(row)).unwrap_or_default()));
    }
    let (ids, names) = (texts(orders, "order_id")?, texts(orders, "buyer_id")?);
    let is_latest = orders.column(SUPERSEDED_AT)?.is_null();
    for ((id, name), latest) in ids.iter().zip(names.iter()).zip(is_latest.iter()) {
        if let (Some(buyer), Some(true)) = (id.and_then(|id| buyers.get_mut(id)), latest) {
            *buyer = name;
        }
    }
    let mut counted = PeopleByKind::new();
    for (order, person, kind) in claims {
        let author = author(Some(person), buyers.get(order).copied().flatten());
        if author != Author::Unknown {
            let people = counted.entry(kind.to_owned()).or_default();
            people.named += 1;
            people.others += u64::from(author == Author::Another);
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::REVIEWS;

    #[test]
    fn people_are_counted_by_kind_where_both_are_known() {
        let never = || Int64Chunked::full_null("superseded_at".into(), 4).into_column();
        let mut orders =
            df!("order_id" => ["a", "b", "c", "d"], "buyer_id" => [Some("x"), Some("y"), None, Some("(unknown)")])
                .unwrap();
        orders.with_column(never()).unwrap();
        let mut disputes = df!(
            "order_id" => ["a", "b", "c", "d"],
            "buyer_id" => [Some(" X"), Some("z"), Some("x"), Some("x")],
            "kind" => ["quality", "quality", "quality", "not-received"]
        )
        .unwrap();
        disputes.with_column(never()).unwrap();
        let counted = people(&DISPUTES, &disputes, &orders).unwrap();
        assert_eq!(counted, BTreeMap::from([("quality".to_owned(), People { named: 2, others: 1 })]));
        assert_eq!(people(&REVIEWS, &disputes, &orders).unwrap()[""], People { named: 2, others: 1 });
        disputes.with_column(Int64Chunked::full("superseded_at".into(), 1, 4).into_column()).unwrap();
        assert!(people(&DISPUTES, &disputes, &orders).unwrap().is_empty(), "only latest versions count");
        assert!(names_people(&DISPUTES) && names_people(&REVIEWS) && !names_people(&ORDERS));
    }
}
