//! Who sells, where neither an order nor its lines say it, but what the lines sell does: each product has one merchant.

use super::landscape::Landscape;
use super::orders_plan::OrdersPlan;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;

/// Tells where merchants are found by the products of an order's lines, and how they come to stand on the lines.
pub(super) fn tell_merchants(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    if draft.column("merchant_id").is_some() {
        return;
    }
    let lines = land.folder.references.iter().filter(|r| r.to == plan.order && r.from.table != plan.driver);
    let found = lines.filter_map(|r| {
        let merchant = land.find_entity(r.from.table, C::Merchant)?;
        let [step] = merchant.path.as_slice() else { return None };
        (step.to.table != plan.driver).then_some((r.from.table, *step, merchant.at))
    });
    let Some((table, step, merchant)) = found.into_iter().next() else { return };
    let (lines, products) = (land.table(table), land.table(step.to.table));
    let name = |at| format!("\"{}\"", land.column(at).name);
    let (own, key, seller) = (name(step.from), name(step.to), name(merchant));
    let why = format!(
        "lines in {:?} lead to who sells, by {own} and {seller} of {:?}. Put it on the lines, and draft again from a folder with the new file in place of theirs; with DuckDB \
         in the data folder: COPY (SELECT lines.*, products.{seller} FROM '{}' AS lines LEFT JOIN '{}' AS products ON lines.{own} = products.{key}) TO '{}.parquet'",
        lines.name, products.name, lines.files, products.files, lines.name
    );
    draft.put_gap("merchant_id", "nothing on its own row", &why);
}
