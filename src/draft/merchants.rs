//! The contract table `merchants`.

use std::collections::BTreeSet;

use super::assign::{assign, free_name, put_found};
use super::landscape::{Found, Landscape};
use super::orders_plan::{OrdersPlan, sold_category};
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::contract::{MERCHANTS, ORDERS, Type};
use crate::domain::Currency;
use crate::profile::{ColumnAt, Reference, ValueKind};

/// A shop that never sold is dated here: past every night of these years, so that it waits instead of being called broken.
const NOT_YET: &str = "2099-12-31 00:00:00";

/// What merchants are compared with others by.
const COMPARED_BY: [&str; 2] = ["category", "region"];

/// Drafts the SELECT. Where no table has a row a merchant, each order states its merchant.
pub(super) fn draft(land: &Landscape, plan: Option<&OrdersPlan>, currency: Option<Currency>) -> Option<TableDraft> {
    if let Some((plan, history)) = plan.and_then(|plan| Some((plan, History::of(land, plan)?))) {
        return Some(history.draft(land, plan, currency));
    }
    let own = land.best_about(C::Merchant, &MERCHANTS, |table| land.key(table, C::Merchant).is_some());
    match (own.and_then(|table| land.key(table, C::Merchant)), plan) {
        (Some(key), _) => Some(from_their_table(land, plan, currency, key)),
        (None, Some(plan)) => from_orders(land, plan, currency),
        (None, None) => None,
    }
}

/// A table with a row for each time that something of a merchant changed: the number that orders name stands on several rows, each with the day from
/// which on it holds.
struct History {
    merchant: ColumnAt,
    since: ColumnAt,
}

impl History {
    /// The one whose merchants sell.
    fn of(land: &Landscape, plan: &OrdersPlan) -> Option<Self> {
        const FROM: [&str; 8] = [
            "validfrom", "effectivefrom", "effectivestart", "effectivedate", "rowstart", "gultigab", "validodesde",
            "valableapartir",
        ];
        const NEARLY_ALL: f64 = 0.95;
        let seller = merchant_of_sales(land, plan).filter(|found| found.path.is_empty())?.at;
        let says_since = |at: &ColumnAt| {
            let letters = land.column(*at).name.to_lowercase();
            let plain: String =
                letters.chars().filter(|c| c.is_alphanumeric()).map(crate::profile::without_accent).collect();
            land.column(*at).is_time() && land.column(*at).nulls == 0 && FROM.iter().any(|word| plain.contains(word))
        };
        land.about(C::Merchant).filter(|table| *table != seller.table).find_map(|table| {
            let since = land.columns(table).find(says_since)?;
            let is_named = |at: &ColumnAt| {
                let cells = land.column(*at);
                let (rows, different) = land.table(table).combinations(&[at.column, since.column]);
                let tells_rows_apart = rows == cells.rows() && different == rows;
                !cells.is_key()
                    && cells.is_like_an_id()
                    && tells_rows_apart
                    && land.column(seller).share_found_in(cells) >= NEARLY_ALL
            };
            Some(Self { merchant: land.columns(table).find(is_named)?, since })
        })
    }

    fn draft(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.merchant.table, currency);
        let mut draft = TableDraft::new(&MERCHANTS, &scope);
        let (merchant, since) = (scope.name(self.merchant), scope.name(self.since));
        draft.head.push(format!("Merchants: a row each time that something of one changed, known from {since} on."));
        let id = scope.id_of(self.merchant, &merchant);
        draft.put("merchant_id", Piece::sure(id.clone()), merchant, 0.95);
        own_columns(&mut draft, &mut scope);
        let known = scope.render(Type::Instant, "recorded_at", self.since, &since).sql;
        let note = "each row holds from then on until the next: it is taken as known since then, and the newest counts";
        draft.put("recorded_at", Piece::guess(known, note), since, 0.8);
        first_sale(&mut draft, &scope, Some(plan), &id);
        unknown_words(&mut draft);
        draft.finish(&scope)
    }
}

fn from_their_table(
    land: &Landscape,
    plan: Option<&OrdersPlan>,
    currency: Option<Currency>,
    key: ColumnAt,
) -> TableDraft {
    let mut scope = Scope::new(land, key.table, currency);
    let mut draft = TableDraft::new(&MERCHANTS, &scope);
    draft.head.push("Merchants: one row a merchant.".to_owned());
    let id = scope.id_of(key, &scope.name(key));
    draft.put("merchant_id", Piece::sure(id.clone()), scope.name(key), 1.0);
    own_columns(&mut draft, &mut scope);
    first_sale(&mut draft, &scope, plan, &id);
    unknown_words(&mut draft);
    draft.finish(&scope)
}

fn from_orders(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Option<TableDraft> {
    let table = plan.sales_table();
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&MERCHANTS, &scope);
    let at = merchant_of_sales(land, plan)?;
    draft.head.push("Merchants: no table has a row a merchant, so each order states its own. All rows of one merchant say the same: one is kept,".to_owned());
    draft.head.push("the others are counted as duplicates.".to_owned());
    let id = scope.reach_id(&at);
    draft.put("merchant_id", Piece::sure(id.clone()), scope.name(at.at), at.score);
    first_sale(&mut draft, &scope, Some(plan), &id);
    unknown_words(&mut draft);
    Some(draft.finish(&scope))
}

fn merchant_of_sales(land: &Landscape, plan: &OrdersPlan) -> Option<Found> {
    land.find_entity(plan.sales_table(), C::Merchant)
}

fn own_columns(draft: &mut TableDraft, scope: &mut Scope) {
    let columns = [
        "registered_at", "category", "region", "verification", "owner_id", "deposit_minor", "closed_at", "recorded_at",
    ];
    let found = assign(scope.land, scope.driver, &MERCHANTS, &columns, false, &BTreeSet::new());
    for (column, found) in &found {
        if scope.land.is_of_another(found, &MERCHANTS) {
            continue;
        }
        let raw = scope.land.column(found.at);
        let compares = COMPARED_BY.contains(column);
        // A category that names nearly every merchant apart compares nobody with anybody.
        let is_too_fine = compares && raw.distinct > 20 && raw.distinct * 2 > raw.rows();
        // One word for all of them says nothing, and was another table's.
        let is_one_word = compares && raw.distinct < 2 && !found.path.is_empty();
        // Who names no owner where others do is declined, and shops of one owner are one borrower: only what nearly every shop has, and few share.
        let is_no_owner = *column == "owner_id"
            && (!found.path.is_empty() || raw.null_share() > 0.05 || raw.distinct * 2 < raw.rows());
        if !is_too_fine && !is_one_word && !is_no_owner && put_found(draft, scope, column, found) && compares {
            readable(draft, scope, column, found.at);
        }
    }
}

/// Where a table of two columns gives a word another name (a translation, a code's meaning), the name that people read is taken; and what is
/// missing is `unknown`.
fn readable(draft: &mut TableDraft, scope: &mut Scope, column: &str, at: ColumnAt) {
    let named = lookup(scope.land, at)
        .map(|(reference, text)| scope.reach(&Found { at: text, path: vec![reference], score: 1.0 }));
    if named.is_none() && scope.land.column(at).null_share() < 0.01 {
        return;
    }
    if let Some(drafted) = draft.column_mut(column) {
        let first = named.map_or(String::new(), |named| format!("{named}, "));
        drafted.sql = format!("COALESCE({first}{}, 'unknown')", drafted.sql);
    }
}

/// A two-column table whose key holds this column's values, and its other column.
fn lookup(land: &Landscape, at: ColumnAt) -> Option<(Reference, ColumnAt)> {
    let reference = land
        .folder
        .references
        .iter()
        .find(|r| r.from == at && r.coverage > 0.5 && land.table(r.to.table).columns.len() == 2)?;
    let text = ColumnAt { table: reference.to.table, column: 1 - reference.to.column };
    (!land.column(text).is_number()).then_some((*reference, text))
}

/// What the first sale says of a merchant: the first sign of life that anyone could have seen, which later sales never move.
fn first_sale(draft: &mut TableDraft, scope: &Scope, plan: Option<&OrdersPlan>, id: &str) {
    let (Some(plan), false) = (plan, draft.has("registered_at") && draft.has("category")) else { return };
    let land = scope.land;
    let mut sales = Scope::new(land, plan.sales_table(), scope.currency);
    let Some(merchant) = merchant_of_sales(land, plan) else { return };
    let Some(placed) = land.best(plan.sales_table(), &ORDERS, "placed_at", false) else { return };
    let merchant = sales.reach_id(&merchant);
    let placed_sql = sales.reach(&placed);
    let placed_at = sales.render(Type::Instant, "placed_at", placed.at, &placed_sql).sql;
    let category = sold_category(land, plan).filter(|_| !draft.has("category"));
    let category_sql = category.as_ref().map(|found| {
        let word = sales.reach_id(found);
        let named = lookup(land, found.at).map(|(reference, text)| {
            let mut path = found.path.clone();
            path.push(reference);
            sales.reach(&Found { at: text, path, score: 1.0 })
        });
        named.map_or(format!("COALESCE({word}, 'unknown')"), |named| format!("COALESCE({named}, {word}, 'unknown')"))
    });
    let (all, ranked, first) = (free_name(land, "sales"), free_name(land, "ranked"), free_name(land, "first_sale"));
    let word = if category_sql.is_some() { ", category" } else { "" };
    let mut columns = vec![format!("{merchant} AS merchant"), format!("{placed_at} AS placed_at")];
    columns.extend(category_sql.iter().map(|sql| format!("{sql} AS category")));
    draft.with_once(&sales);
    draft.needs_all = true;
    let mut selects = vec![format!("SELECT\n    {}\n{}", columns.join(",\n    "), sales.joined_tables())];
    let has_category = category_sql.is_some();
    selects.extend(plan.other_forms.iter().filter_map(|form| sales_of_form(draft, scope, form, has_category)));
    draft.with.push((all.clone(), selects.join("\nUNION ALL\n")));
    draft.with.push((
        ranked.clone(),
        format!("SELECT\n    merchant,\n    placed_at{}ROW_NUMBER() OVER (PARTITION BY merchant ORDER BY placed_at{word}) AS place\nFROM {all}\nWHERE placed_at IS NOT NULL",
            if word.is_empty() { ",\n    " } else { ",\n    category,\n    " }),
    ));
    draft.with.push((first.clone(), format!("SELECT merchant, placed_at{word} FROM {ranked} WHERE place = 1")));
    draft.joins.push(format!("LEFT JOIN {first} ON {id} = {first}.merchant"));
    if !draft.has("registered_at") {
        let gives_instants =
            matches!(&land.column(placed.at).kind, ValueKind::Time { form, .. } if form.gives_instants());
        let is_typed = !sales.is_text() || gives_instants;
        let never = if is_typed { format!("TIMESTAMP '{NOT_YET}'") } else { format!("'{NOT_YET}'") };
        let note = "nothing says when the shop opened: its first order, the first sign of life; shops without any wait";
        draft.put(
            "registered_at",
            Piece::guess(format!("COALESCE({first}.placed_at, {never})"), note),
            sales.name(placed.at),
            0.6,
        );
    }
    if let Some(found) = category {
        let note = "the category of the first thing sold: what sells best over the whole export would look ahead";
        draft.put(
            "category",
            Piece::guess(format!("COALESCE({first}.category, 'unknown')"), note),
            sales.name(found.at),
            found.score.min(0.7),
        );
    }
}

/// The sales that files of another form state.
fn sales_of_form(draft: &mut TableDraft, scope: &Scope, form: &OrdersPlan, has_category: bool) -> Option<String> {
    let land = scope.land;
    let mut sales = Scope::new(land, form.sales_table(), scope.currency);
    let merchant = merchant_of_sales(land, form)?;
    let placed = land.best(form.sales_table(), &ORDERS, "placed_at", false)?;
    let merchant = sales.reach_id(&merchant);
    let placed_sql = sales.reach(&placed);
    let placed_at = sales.render(Type::Instant, "placed_at", placed.at, &placed_sql).sql;
    let category = sold_category(land, form).filter(|_| has_category).map(|found| sales.reach_id(&found));
    let category = category.map_or("'unknown'".to_owned(), |word| format!("COALESCE({word}, 'unknown')"));
    draft.with_once(&sales);
    let category = if has_category { format!(",\n    {category} AS category") } else { String::new() };
    Some(format!(
        "SELECT\n    {merchant} AS merchant,\n    {placed_at} AS placed_at{category}\n{}",
        sales.joined_tables()
    ))
}

/// No decision needs a category or a region, so that their want need not stop the first night.
fn unknown_words(draft: &mut TableDraft) {
    for column in COMPARED_BY {
        if !draft.has(column) {
            draft.put(
                column,
                Piece::guess("'unknown'", "nothing says it: merchants are not compared by it"),
                "nothing found",
                0.0,
            );
        }
    }
}
