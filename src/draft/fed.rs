//! Which contract columns a draft fills, and which of them the views of measures rest on.

use std::collections::BTreeSet;

use super::table_draft::TableDraft;
use crate::contract::{INSTALMENTS, LOANS, PAYMENTS};
use crate::tiles::view_schema;

/// Contract columns that a job fills.
#[derive(Debug, Clone, Default)]
pub(super) struct Fed {
    columns: BTreeSet<(String, String)>,
}

impl Fed {
    /// Of the tables that the job reads.
    pub(super) fn of<'a>(tables: impl Iterator<Item = &'a TableDraft>) -> Self {
        let mut columns = BTreeSet::new();
        for table in tables {
            // A gap that a person has to fill before anything runs will be filled: what rests on it is drafted.
            for column in &table.columns {
                // `'unknown'` for everybody says nothing.
                let is_unknown = column.sql == "'unknown'";
                if !is_unknown {
                    columns.insert((table.table.name.to_owned(), column.column.to_owned()));
                }
                if column.column == "completed_at" && column.from != "placed_at" {
                    columns.insert((table.table.name.to_owned(), ESCROW.to_owned()));
                }
            }
        }
        Self { columns }
    }

    /// The same of a job that reads a loan book too.
    pub(super) fn with_loan_book(&self) -> Self {
        let mut with = self.clone();
        for table in [&LOANS, &INSTALMENTS, &PAYMENTS] {
            with.columns.extend(
                table.columns.iter().filter(|c| c.required).map(|c| (table.name.to_owned(), c.name.to_owned())),
            );
        }
        with
    }

    /// Whether a contract column is filled.
    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.contains(&(table.to_owned(), column.to_owned()))
    }

    /// Whether any column of a table is.
    pub(super) fn has_table(&self, table: &str) -> bool {
        self.columns.iter().any(|(t, _)| t == table)
    }

    /// Contract columns that a column of a view rests on and that are not filled.
    pub(super) fn missing(&self, view: &str, column: &str) -> Vec<(&'static str, &'static str)> {
        rests_on(view, column).into_iter().filter(|(table, column)| !self.has(table, column)).collect()
    }
}

/// Orders that are completed at some later time than they are placed: only then is there an escrow to wait in.
const ESCROW: &str = "completed_at later than placed_at";

/// The contract columns without which a column of a view is null on every row. What is merely null where its column is missing (`refunded_at`
/// of an order without refunds) rests on its table alone.
pub(super) fn rests_on(view: &str, column: &str) -> Vec<(&'static str, &'static str)> {
    match (view, column) {
        (_, "ship_late" | "ship_delay_hours") => vec![("shipments", "ship_by_at"), ("shipments", "shipped_at")],
        (_, "delivery_late" | "delivery_delay_hours") => {
            vec![("shipments", "promised_at"), ("shipments", "delivered_at")]
        }
        (_, "handling_hours" | "parcels_shipped") => vec![("shipments", "shipped_at")],
        (_, "delivery_hours" | "parcels_delivered") => vec![("shipments", "delivered_at")],
        (_, "parcels_lost") => vec![("shipments", "lost_at")],
        (_, "has_tracking") => vec![("shipments", "tracking")],
        ("orders", "escrow_lag_hours") => vec![("orders", ESCROW)],
        ("orders", "stars" | "reviewed_at") => vec![("reviews", "stars")],
        ("orders", "disputes" | "disputes_open" | "disputes_dismissed") => vec![("disputes", "dispute_id")],
        ("orders", "disputes_lost") => vec![("disputes", "outcome")],
        ("instalment_status" | "loan_status", _) => {
            vec![("loans", "loan_id"), ("instalments", "loan_id"), ("payments", "loan_id")]
        }
        _ => {
            let Some(schema) = view_schema(view) else { return Vec::new() };
            let Some(known) = schema.column(column) else { return Vec::new() };
            let of_table =
                crate::contract::table(known.from).and_then(|t| t.column(known.name).map(|c| (t.name, c.name)));
            let key = crate::contract::table(known.from).and_then(|t| t.key.first().map(|k| (t.name, *k)));
            of_table.or(key).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::VIEWS;

    #[test]
    fn every_column_of_a_view_rests_on_the_contract() {
        for view in VIEWS {
            for column in view.columns {
                let rests = rests_on(view.name, column.name);
                assert!(!rests.is_empty(), "{}.{}", view.name, column.name);
                for (table, known) in rests {
                    let is_known =
                        crate::contract::table(table).is_some_and(|t| t.column(known).is_some()) || known == ESCROW;
                    assert!(is_known, "{}.{} rests on {table}.{known}", view.name, column.name);
                }
            }
        }
    }
}
