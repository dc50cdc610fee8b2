//! Tables of sales without a number of their rows: their file and their place in it stand for one.

use std::collections::HashSet;

use super::landscape::Landscape;
use super::names;
use super::orders_plan::{OrdersPlan, plan};
use super::table_draft::TableDraft;
use super::units::AmountUnit;
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::profile::{Folder, RawColumn, RawTable, ValueKind};

/// Numbers the rows of dated tables that have no key, where nothing could be orders without that, or hardly any of the rows.
pub(super) fn number_rows(folder: &mut Folder, amounts: Option<AmountUnit>) {
    let wanted = {
        let land = Landscape::of(folder, amounts);
        let rows_of_orders =
            plan(&land).map_or(0, |plan| land.table(plan.sales_table()).rows.max(land.table(plan.driver).rows));
        let is_wanted = |table: &usize| {
            let raw = land.table(*table);
            let has_key = raw.columns.iter().any(|column| column.is_key() && column.is_like_an_id());
            let is_dated = raw.columns.iter().any(crate::profile::RawColumn::is_time);
            let is_only = rows_of_orders == 0 && is_dated;
            // A day's sum is no sale: of those a merchant has several on a day, or they say who bought.
            let is_of_sales = || !is_dated || names_buyers(&land, *table) || has_several_a_day(&land, *table);
            let are_states = || super::monthly::states_by_month(&land, *table).is_some();
            let may_be_sales = !are_sums(&land, *table) && is_of_sales() && !are_states();
            !has_key && (is_only || has_more_trade(&land, *table, rows_of_orders, is_dated)) && may_be_sales
        };
        (0..folder.tables.len()).filter(is_wanted).collect::<Vec<usize>>()
    };
    for table in wanted {
        if let Some(table) = folder.tables.get_mut(table) {
            table.number_rows();
        }
    }
}

/// Whether a table's name, or what it calls its amount, speaks of sums, plans or payouts; or a column beside counts customers or sales.
fn are_sums(land: &Landscape, table: usize) -> bool {
    let raw = land.table(table);
    let main = land.best(table, &ORDERS, "amount_minor", true).map(|found| found.at.column);
    let mut numbers = raw.columns.iter().enumerate().filter(|(_, column)| column.is_number());
    let says_so = |(at, column): (usize, &RawColumn)| {
        let is_amount = main.is_none_or(|main| main == at);
        (is_amount && is_called_a_sum(&column.name))
            || (column.kind == ValueKind::Whole && is_called_a_count(&column.name) && !has_times_of_sales(land, table))
    };
    is_called_a_sum(&raw.title) || is_called_a_sum(&raw.name) || numbers.any(says_so)
}

/// Whether a name is of payouts, budgets, targets or the sums of days.
fn is_called_a_sum(name: &str) -> bool {
    const SUMS: [&str; 22] = [
        "turnover", "turnovers", "payout", "payouts", "budget", "budgets", "target", "targets", "forecast",
        "forecasts", "goal", "goals", "tagesumsatz", "tagesabschluss", "auszahlung", "auszahlungen", "presupuesto",
        "faturamento", "orcamento", "repasse", "repasses", "营业额",
    ];
    // `daily` alone is how often a file comes.
    const DAILY: [&str; 4] = ["daily", "weekly", "monthly", "hourly"];
    const SUMMED: [&str; 8] = ["sales", "revenue", "sum", "sums", "total", "totals", "summary", "takings"];
    let words = names::words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    has(&SUMS) || (has(&DAILY) && has(&SUMMED))
}

/// Whether a name is of nothing but many buyers or sales: how many there were, and not who or which.
pub(super) fn is_called_a_count(name: &str) -> bool {
    const MANY: [&str; 21] = [
        "customers", "visitors", "guests", "buyers", "shoppers", "transactions", "orders", "receipts", "tickets",
        "clientes", "clients", "footfall", "visitas", "covers", "passengers", "diners", "members", "users", "gaste",
        "passagiere", "comensales",
    ];
    // `No. of guests`.
    const HOW_MANY: [&str; 9] = ["number", "no", "num", "nr", "of", "de", "anzahl", "total", "how"];
    let words = names::words(name);
    matches!(words.as_slice(), [how @ .., word] if MANY.contains(&word.as_str()) && how.iter().all(|one| HOW_MANY.contains(&one.as_str())))
}

/// Whether a table's rows were when single sales are: most of them at no quarter of an hour. When rows were loaded says nothing of it.
fn has_times_of_sales(land: &Landscape, table: usize) -> bool {
    const QUARTER: i64 = 900_000_000;
    let Some(placed) = land.best(table, &ORDERS, "placed_at", true) else { return false };
    let there = || land.column(placed.at).micros.iter().flatten();
    there().filter(|at| **at % QUARTER != 0).count() * 2 > there().count()
}

/// Why the rows of a dated table without numbers are not taken for sales.
pub(super) fn why_not_sales(land: &Landscape, table: usize) -> &'static str {
    match () {
        () if are_sums(land, table) => {
            "no number of its rows, and its name or a column beside the amount is that of sums, plans or payouts: where each row is a sale, give it a column of receipt numbers"
        }
        () if !land.table(table).columns.iter().any(RawColumn::is_time) => "no key",
        () => {
            "no number of its rows, and none says who bought or comes several times a day: where each row is a sale, give it a column of receipt numbers"
        }
    }
}

/// Whether a column of a table names who bought: a bare number that no name calls one may be how many there were.
fn names_buyers(land: &Landscape, table: usize) -> bool {
    let buyer = land.find_entity(table, C::Buyer);
    let buyer = buyer.map(|found| found.path.first().map_or(found.at, |reference| reference.from));
    buyer.filter(|at| at.table == table).is_some_and(|at| {
        let raw = land.column(at);
        !is_called_a_count(&raw.name) && (!raw.is_number() || land.column_name(at).says(C::Id))
    })
}

/// Whether a merchant has several rows on one day, of more than a few rows; where no column says the merchant, whether a day has.
fn has_several_a_day(land: &Landscape, table: usize) -> bool {
    let raw = land.table(table);
    let placed = land.best(table, &ORDERS, "placed_at", true).map(|found| found.at.column);
    let first = raw.columns.iter().position(RawColumn::is_time);
    let Some(time) = placed.filter(|at| raw.columns.get(*at).is_some_and(RawColumn::is_time)).or(first) else {
        return false;
    };
    let merchant = land.find_entity(table, C::Merchant);
    let merchant = merchant.map(|found| found.path.first().map_or(found.at, |reference| reference.from));
    repeat_on_a_day(raw, merchant.filter(|at| at.table == table).map(|at| at.column), time)
}

fn repeat_on_a_day(raw: &RawTable, merchant: Option<usize>, time: usize) -> bool {
    const DAY: i64 = 86_400_000_000;
    // A few days may have been sent twice.
    const FEW: f64 = 0.01;
    let Some(times) = raw.columns.get(time) else { return false };
    let day_of = |row: usize| times.micros.get(row).copied().flatten().map(|at| at.div_euclid(DAY));
    let repeated = |rows: &mut dyn Iterator<Item = usize>| {
        let mut seen = HashSet::new();
        rows.filter_map(day_of).filter(|day| !seen.insert(*day)).count()
    };
    let are_several = |count: usize| count as f64 > FEW * raw.rows as f64;
    let cells = merchant.and_then(|at| Some((at, raw.columns.get(at)?)));
    let Some((at, cells)) = cells else { return are_several(repeated(&mut (0..raw.rows))) };
    if !cells.words.is_empty() {
        let of = |word: &String| repeated(&mut raw.rows_with_words(at, |other| other == word).into_iter());
        return are_several(cells.words.keys().map(of).sum());
    }
    // Of many merchants: more rows than they have days, instants that come again, or mostly less than a day from row to row.
    let days = raw.rows.saturating_sub(repeated(&mut (0..raw.rows)));
    let (pairs, rows) = raw.combinations(&[at, time]);
    let steps = raw.days_between(at, time).unwrap_or_default();
    let is_quick = steps.iter().filter(|days| **days == 0).count() as f64 > 0.6 * steps.len() as f64;
    let is_date = matches!(times.kind, ValueKind::Time { is_date: true, .. });
    raw.rows > days.saturating_mul(cells.distinct) || are_several(rows.saturating_sub(pairs)) || (!is_date && is_quick)
}

/// Whether a table has far more rows than what was taken for orders, with an amount and with who sold; one without a time only where nothing was.
fn has_more_trade(land: &Landscape, table: usize, rows_of_orders: usize, is_dated: bool) -> bool {
    const FAR_MORE: usize = 10;
    if !is_dated && rows_of_orders > 0 {
        return false;
    }
    land.role(table).is_none()
        && land.table(table).rows >= FAR_MORE * rows_of_orders
        && land.find_entity(table, C::Merchant).is_some()
        && land.best(table, &ORDERS, "amount_minor", true).is_some()
}

/// Says that orders are numbered so.
pub(super) fn tell(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    if land.column(plan.order).is_row_number() {
        draft.look_at(
            "order_id",
            "no column numbers the rows: file and row stand for it, so that a file which is sent again with rows in other places makes new orders",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_plans_and_counts_are_known_by_name() {
        for name in ["daily_turnover", "payouts", "Budget 2025", "sales_targets", "daily sales", "monthlyRevenue"] {
            assert!(is_called_a_sum(name), "{name}");
        }
        for name in ["sales", "transactions_daily", "amount", "purchase_amount", "revenue", "budgetary_shop"] {
            assert!(!is_called_a_sum(name), "{name}");
        }
        for (name, is_one) in [("customers", true), ("Orders", true), ("customer", false), ("customers_id", false)] {
            assert_eq!(is_called_a_count(name), is_one, "{name}");
        }
        for (name, is_one) in [("No. of guests", true), ("number of customers", true), ("customer number", false)] {
            assert_eq!(is_called_a_count(name), is_one, "{name}");
        }
    }

    #[test]
    fn rows_are_numbered_where_each_is_a_sale() {
        // Name of the table, its columns, rows of a store on a day, and what stands behind the amount.
        let cases: [(&str, &str, usize, &str, bool); 6] = [
            ("transactions", "store_id,date,amount", 3, "", true),
            ("transactions", "store_id,date,amount,card_id", 1, ",C", true),
            ("figures", "store_id,date,amount", 1, "", false),
            ("figures", "store_id,date,amount,customers", 1, ",1", false),
            ("daily_turnover", "store_id,date,turnover,customers", 1, ",1", false),
            ("payouts", "store_id,date,amount", 3, "", false),
        ];
        for (table, head, a_day, behind, is_numbered) in cases {
            let data = tempfile::tempdir().unwrap();
            let rows = (0..300).map(|n| {
                let more = if behind.is_empty() { String::new() } else { format!("{behind}{:03}", n * 7 % 130) };
                format!("S{:02},2025-01-{:02},{}.50{more}", n % 10, 1 + n / (10 * a_day), 10 + n % 17)
            });
            let lines: Vec<String> = std::iter::once(head.to_owned()).chain(rows).collect();
            std::fs::write(data.path().join(format!("{table}.csv")), lines.join("\n")).unwrap();
            let mut folder =
                crate::profile::profile_folder(data.path(), &|name| names::Name::of(name).digits(), &|_| {}).unwrap();
            number_rows(&mut folder, None);
            let has_numbers = folder.tables.iter().any(|table| table.columns.iter().any(RawColumn::is_row_number));
            assert_eq!(has_numbers, is_numbered, "{table}: {head}");
        }
    }
}
