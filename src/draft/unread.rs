//! Tables that nothing is made of, and that may say what merchants owe: words for loans will never be complete.

use super::job_file::inputs_of;
use super::landscape::Landscape;
use super::orders_plan::{self, OrdersPlan};
use super::table_draft::TableDraft;
use crate::contract::{MERCHANTS, ORDERS};
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// A column of a table that is another's key has nearly all its values there.
const NEARLY_ALL: f64 = 0.9;
/// Of fewer merchants values meet by chance.
const MIN_MERCHANTS: usize = 5;
/// The same of orders.
const MIN_ORDERS: usize = 50;

/// Unread tables that name orders beside sums, each in a sentence: refunds, fees or payments of orders, it may be. `drafts`: all tables that something is made of.
pub(super) fn may_be_of_orders(land: &Landscape, plan: &OrdersPlan, drafts: &[&TableDraft]) -> Vec<String> {
    let orders = land.column(plan.order);
    if orders.distinct < MIN_ORDERS {
        return Vec::new();
    }
    let told = unread(land, drafts.iter().copied()).filter_map(|table| {
        let number = land.columns(table).find(|at| names_keys(land, *at, orders))?;
        let sum = land.columns(table).filter(|at| *at != number).find(|at| is_sum(land, *at))?;
        Some(format!(
            "nothing is made of \"{}\" ({} rows), whose \"{}\" names orders beside \"{}\": refunds of them, it may be, or lines or payments. Refunds that are not read count as received: \
             where it is so, sum them in WITH by order, and join that in sources/orders.sql",
            land.table(table).name,
            land.table(table).rows,
            land.column(number).name,
            land.column(sum).name
        ))
    });
    told.collect()
}

/// Unread tables that could be orders themselves, each in a sentence: what was written before or after columns got other names.
pub(super) fn may_be_orders(land: &Landscape, plan: &OrdersPlan, drafts: &[&TableDraft]) -> Vec<String> {
    const LEAST: usize = 20;
    let (driver, orders) = (land.table(plan.driver), land.column(plan.order));
    let told = unread(land, drafts.iter().copied()).filter_map(|at| {
        let table = land.table(at);
        // What names the orders that are read is of them.
        let is_of_orders = land.columns(at).any(|column| names_keys(land, column, orders));
        let is_large = table.rows * LEAST >= driver.rows && !is_of_orders;
        let is_one = is_large && orders_plan::likeness(land, at).is_some();
        is_one.then(|| {
            let days = land.best(at, &ORDERS, "placed_at", false).map(|found| land.column(found.at).activity());
            let days = days.and_then(|days| Some(format!(", from {} to {}", days.first_on()?, days.last_on()?)));
            format!(
                "nothing is made of \"{}\" ({}, {} rows{}), which could be orders too: where \"{}\" has but a part of them, such as those before columns got other names, give it a [[source]] \
                 with table = \"orders\" and a SELECT of its own, and see that as_of is after its last day",
                table.name,
                table.files,
                table.rows,
                days.unwrap_or_default(),
                driver.name
            )
        })
    });
    told.collect()
}

/// Tables that none of the drafts reads.
fn unread<'a>(land: &'a Landscape, drafts: impl IntoIterator<Item = &'a TableDraft>) -> impl Iterator<Item = usize> {
    let read: Vec<&str> = drafts.into_iter().flat_map(|draft| inputs_of(draft, land.folder)).collect();
    (0..land.folder.tables.len()).filter(move |table| !read.contains(&land.table(*table).name.as_str()))
}

/// Whether nearly all values of a column are of those of another table's key.
fn names_keys(land: &Landscape, at: ColumnAt, key: &RawColumn) -> bool {
    let cells = land.column(at);
    cells.is_like_an_id() && cells.distinct > 1 && cells.share_found_in(key) >= NEARLY_ALL
}

/// Whether a column may hold sums of money.
fn is_sum(land: &Landscape, at: ColumnAt) -> bool {
    let cells = land.column(at);
    let is_amount = matches!(cells.kind, ValueKind::Decimal(_)) || cells.numbers.range.1 >= 100.0;
    cells.is_number() && is_amount && !cells.is_unique_counter() && cells.distinct > 1
}

/// Which unread tables name merchants beside sums and days, and what that may mean; none where there are none. `drafts`: all tables that something is made of.
pub(super) fn may_be_loans(land: &Landscape, drafts: &[TableDraft]) -> Option<String> {
    let merchants = drafts.iter().find(|draft| draft.table.name == MERCHANTS.name)?;
    let key = land.column_called(&merchants.column("merchant_id")?.from)?;
    if key.distinct < MIN_MERCHANTS {
        return None;
    }
    let of_table = |table: usize| {
        let named = land.columns(table).find(|at| names_keys(land, *at, key))?;
        let is_other = |at: &ColumnAt| *at != named;
        let sum = land.columns(table).filter(is_other).find(|at| is_sum(land, *at))?;
        let day = land.columns(table).find(|at| land.column(*at).is_time())?;
        let [named, sum, day] = [named, sum, day].map(|at| format!("\"{}\"", land.column(at).name));
        Some(format!("\"{}\" ({named}, {sum}, {day})", land.table(table).name))
    };
    let found: Vec<String> = unread(land, drafts).filter_map(of_table).collect();
    (!found.is_empty()).then(|| {
        format!(
            "no loan book is read, and nothing is made of {}, where merchants stand beside sums and days: loans, advances or what is repaid of them, it may be. Every merchant is \
             taken to owe nothing. Write sources/loans.sql, instalments.sql and payments.sql where it is so; where it is not, let the model approve itself (approve_as) or approve it",
            found.join(" and ")
        )
    })
}
