//! Files of one name whose columns changed from some day on: rows of each form are read by a source of their own. What cannot be read so is a gap, since trade that is
//! missing looks like trade that stopped.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::children;
use super::job_file::inputs_of;
use super::landscape::Landscape;
use super::orders;
use super::orders_plan::OrdersPlan;
use super::table_draft::TableDraft;
use super::versions;
use crate::contract::MERCHANTS;
use crate::domain::Currency;
use crate::profile::RawColumn;

/// First day of trade, and the day after the last usual one, in all forms of the orders' files.
pub(super) fn trading_days(land: &Landscape, plan: &OrdersPlan) -> Option<(Date, Date)> {
    let of_plan = |plan: &OrdersPlan| {
        let (first, as_of) = days_of_trade(land.column(plan.placed.as_ref()?.at))?;
        let known = versions::known_by(land, plan);
        Some((first, known.map_or(as_of, |known| as_of.max(known))))
    };
    let own = of_plan(plan)?;
    // Files that nothing could be made of have days too.
    let read: Vec<usize> = plan.other_forms.iter().map(|form| form.driver).collect();
    let unread = land.folder.other_forms(plan.driver).filter(|table| !read.contains(table));
    let of_unread = unread.filter_map(|table| days_of_trade(event(land, table)?));
    let others = plan.other_forms.iter().filter_map(of_plan).chain(of_unread);
    Some(others.fold(own, |(first, as_of), other| (first.min(other.0), as_of.max(other.1))))
}

/// First day of trade, and the day after the last usual one.
fn days_of_trade(placed: &RawColumn) -> Option<(Date, Date)> {
    let activity = placed.activity();
    let last = activity.last_usual_day().map(|day| day.on).or(activity.last_on())?;
    Some((activity.first_on()?, last.checked_add(1.day()).ok()?))
}

/// Adds what the other forms of the orders' files say, as far as the same tables are made of them.
pub(super) fn of_orders(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>, drafts: &mut Vec<TableDraft>) {
    for (n, form) in plan.other_forms.iter().enumerate() {
        let of_form = [
            Some(orders::draft(land, form, currency)),
            children::shipments(land, form, currency),
            children::reviews(land, form, currency),
        ];
        for mut draft in of_form.into_iter().flatten() {
            // Tables of parcels and reviews of their own are read already.
            if drafts.iter().any(|known| known.from == draft.from && known.table.name == draft.table.name) {
                continue;
            }
            draft.part = n + 2;
            drafts.push(draft);
        }
    }
    let name_of = |plan: &OrdersPlan| land.table(plan.driver).name.as_str();
    let merchants = drafts.iter_mut().find(|draft| draft.table.name == MERCHANTS.name);
    if let (Some(merchants), false) = (merchants, plan.other_forms.is_empty()) {
        let reads_orders = merchants.from == land.table(plan.sales_table()).name;
        let unread = plan.other_forms.iter().map(name_of).collect::<Vec<_>>().join(" and ");
        if reads_orders {
            let why = format!(
                "merchants are made of {:?}, and those that only {unread} has are missing: give them a [[source]] with table = \"merchants\" and a SELECT of its own",
                merchants.from
            );
            merchants.doubt("merchant_id", &why);
        }
    }
}

/// Marks tables of which files with the same name and other columns are not read.
pub(super) fn doubt_unread(land: &Landscape, drafts: &mut [TableDraft]) {
    let read: Vec<String> = drafts.iter().flat_map(|draft| inputs_of(draft, land.folder)).map(str::to_owned).collect();
    let mut told = BTreeSet::new();
    for draft in drafts.iter_mut() {
        let Some(own) = (0..land.folder.tables.len()).find(|at| land.table(*at).name == draft.from) else { continue };
        let is_unread = |other: &usize| !read.contains(&land.table(*other).name) && told.insert(*other);
        let unread = land.folder.other_forms(own).filter(is_unread);
        let whys: Vec<String> = unread.map(|other| missing(land, other, draft.table.name)).collect();
        // Where the rows of a table are dated, that is where some of them are missing.
        let event = crate::wash::event_column(draft.table).filter(|event| draft.has(event));
        let column = event.or_else(|| draft.columns.first().map(|column| column.column));
        if let (Some(column), false) = (column, whys.is_empty()) {
            draft.doubt(column, &whys.join("; "));
        }
    }
}

/// Which rows of a contract table are missing while a raw table is not read.
fn missing(land: &Landscape, unread: usize, table: &str) -> String {
    let raw = land.table(unread);
    let days = event(land, unread).map(RawColumn::activity);
    let days = days.and_then(|days| Some(format!(" from {} to {}", days.first_on()?, days.last_on()?)));
    format!(
        "rows{} are missing: {} ({} rows) are called as the files of this table and have other columns. Give them a [[source]] with table = {table:?}, from = {:?} and a SELECT of its own",
        days.unwrap_or_default(),
        raw.files,
        raw.rows,
        raw.name
    )
}

/// The time of a table's rows: one that is always there, the earliest where there are several.
fn event<'a>(land: &'a Landscape, table: usize) -> Option<&'a RawColumn> {
    let times = land.table(table).columns.iter().filter(|column| column.is_time() && column.nulls == 0);
    times.min_by_key(|column| column.micros.iter().flatten().min().copied())
}
