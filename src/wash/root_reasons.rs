//! Why rows that name quarantined rows are quarantined: by the rules that those broke, or those that they name in turn.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::quarantine::{Quarantine, QuarantineRow};
use super::washing::PARENT_QUARANTINED;
use crate::contract;
use crate::spill::SpillError;

/// A rule that rows of a parent table broke, so that rows of another table that name them cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootReason {
    /// Contract table of the rows that broke it.
    pub table: &'static str,
    /// The rule.
    pub rule: String,
    /// Rows of the other table that name them.
    pub rows: u64,
    /// The first row that broke it: its file.
    pub file: String,
    /// Row of that file, from 1.
    pub row: u32,
    /// Column at fault.
    pub column: Option<String>,
    /// Its value as text; null where it was null.
    pub value: Option<String>,
}

impl fmt::Display for RootReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, rule, rows, file, row, column, value } = self;
        write!(f, "{rows} name rows of {table} that are quarantined for {rule}, such as {file} row {row}")?;
        match (column, value) {
            (Some(column), Some(value)) => write!(f, ", {column} = {value:?}"),
            (Some(column), None) => write!(f, ", {column} = null"),
            (None, _) => Ok(()),
        }
    }
}

/// Several of them, as they go on a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootReasons(pub(super) Vec<RootReason>);

impl fmt::Display for RootReasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|reason| write!(f, "; {reason}"))
    }
}

/// The rules at the root of a table's rows that name quarantined rows, most rows first.
pub(crate) fn root_reasons(
    table: &str,
    quarantine: &BTreeMap<&'static str, Arc<Quarantine>>,
) -> Result<Vec<RootReason>, SpillError> {
    // Keys of rows to look for, by table, with how many rows come down to them.
    let mut wanted: BTreeMap<&'static str, HashMap<String, u64>> = BTreeMap::new();
    if let Some(of_table) = quarantine.get(table) {
        for row in of_table.rows()? {
            let row = row?;
            if row.rule == PARENT_QUARANTINED {
                want(&mut wanted, table, &row, 1);
            }
        }
    }
    let mut found: BTreeMap<(&'static str, String), RootReason> = BTreeMap::new();
    // A parent is washed before its children: it stands before them in the contract's order, reversed here.
    for parent in contract::TABLES.iter().rev() {
        let (Some(mut keys), Some(of_parent)) = (wanted.remove(parent.name), quarantine.get(parent.name)) else {
            continue;
        };
        for row in of_parent.rows()? {
            let row = row?;
            let Some(rows) = row.key.as_ref().and_then(|key| keys.remove(key)) else { continue };
            if row.rule == PARENT_QUARANTINED {
                want(&mut wanted, parent.name, &row, rows);
                continue;
            }
            let reason = found.entry((parent.name, row.rule.clone())).or_insert_with(|| RootReason {
                table: parent.name,
                rule: row.rule.clone(),
                rows: 0,
                file: row.file.clone(),
                row: row.row,
                column: row.column.clone(),
                value: row.value.clone(),
            });
            reason.rows += rows;
        }
    }
    let mut found: Vec<RootReason> = found.into_values().collect();
    found.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| (a.table, &a.rule).cmp(&(b.table, &b.rule))));
    Ok(found)
}

/// Notes the row that a row of `table` names in the column at fault.
fn want(wanted: &mut BTreeMap<&'static str, HashMap<String, u64>>, table: &str, row: &QuarantineRow, rows: u64) {
    let contract = contract::table(table);
    let named =
        contract.and_then(|table| table.foreign_keys.iter().find(|key| Some(key.column) == row.column.as_deref()));
    if let (Some(reference), Some(key)) = (named, &row.value) {
        *wanted.entry(reference.table).or_default().entry(key.clone()).or_default() += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(rule: &str, key: &str, column: &str, value: &str, row: u32) -> QuarantineRow {
        QuarantineRow {
            key: Some(key.to_owned()),
            rule: rule.to_owned(),
            column: Some(column.to_owned()),
            value: Some(value.to_owned()),
            record: None,
            file: "f.csv".to_owned(),
            row,
            file_index: 0,
            number: 0,
        }
    }

    #[test]
    fn reasons_are_followed_to_the_rows_that_broke_a_rule_themselves() {
        let scratch = tempfile::tempdir().unwrap();
        let table = |rows: Vec<QuarantineRow>| {
            let quarantine = Quarantine::new(scratch.path());
            quarantine.extend(rows).unwrap();
            Arc::new(quarantine)
        };
        let quarantine = BTreeMap::from([
            ("merchants", table(vec![broken("required-null", "m1", "category", "", 7)])),
            (
                "orders",
                table(vec![
                    broken("refund-exceeds-amount", "o1", "refund_minor", "901", 2),
                    broken("refund-exceeds-amount", "o2", "refund_minor", "902", 3),
                    broken(PARENT_QUARANTINED, "o3", "merchant_id", "m1", 4),
                    broken("required-null", "o9", "placed_at", "", 9),
                ]),
            ),
            (
                "disputes",
                table(vec![
                    broken(PARENT_QUARANTINED, "d1", "order_id", "o1", 1),
                    broken(PARENT_QUARANTINED, "d2", "order_id", "o2", 2),
                    broken(PARENT_QUARANTINED, "d3", "order_id", "o3", 3),
                    broken("required-null", "d4", "kind", "", 4),
                ]),
            ),
        ]);
        let found = root_reasons("disputes", &quarantine).unwrap();
        let seen: Vec<_> = found.iter().map(|r| (r.table, r.rule.as_str(), r.rows, r.row)).collect();
        assert_eq!(seen, [("orders", "refund-exceeds-amount", 2, 2), ("merchants", "required-null", 1, 7)]);
        let text = found.first().unwrap().to_string();
        assert!(text.contains("2 name rows of orders") && text.contains("refund_minor = \"901\""), "{text}");
        assert!(root_reasons("reviews", &quarantine).unwrap().is_empty());
    }
}
