//! Tables of sales without a number of their rows: their file and their place in it stand for one.

use super::landscape::Landscape;
use super::orders_plan::{OrdersPlan, plan};
use super::table_draft::TableDraft;
use super::units::AmountUnit;
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::profile::Folder;

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
            !has_key && (is_only || has_more_trade(&land, *table, rows_of_orders, is_dated))
        };
        (0..folder.tables.len()).filter(is_wanted).collect::<Vec<usize>>()
    };
    for table in wanted {
        if let Some(table) = folder.tables.get_mut(table) {
            table.number_rows();
        }
    }
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
