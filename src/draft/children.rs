//! Contract tables whose rows belong to an order: shipments, reviews, disputes.

use std::collections::BTreeSet;

use super::amount::line_amount;
use super::assign::{assign, free_name, put_found};
use super::landscape::{Found, Landscape};
use super::not_meant::{skip_of_none, skip_rows};
use super::orders::PARCEL_TIMES;
use super::orders_plan::OrdersPlan;
use super::scope::{Piece, Scope};
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{DISPUTES, REVIEWS, SHIPMENTS, TableContract, Type};
use crate::domain::Currency;
use crate::profile::{ColumnAt, Reference, ValueKind};

/// How shipments begin that an export tells by order alone.
pub(super) const NO_PARCELS_APART: &str =
    "Shipments: the export tells no parcels apart; what one merchant sends for one order is one.";
/// What is said of disputes of an unknown kind.
pub(super) const NOTHING_ALLEGED: &str = "nothing says what is alleged";

/// How a row of another table names its order.
struct OrderLink {
    /// The order as `orders` calls it.
    order: String,
    merchant: Option<(String, String)>,
    buyer: Option<(String, String)>,
    from: String,
    score: f64,
}

/// Joins the sales of each order where the order's merchant has to be looked up, and says how order, merchant and buyer are called.
fn link(draft: &mut TableDraft, scope: &mut Scope, plan: &OrdersPlan, buyers: bool) -> Option<OrderLink> {
    let land = scope.land;
    // A name alone leads nowhere: its values must be numbers of orders.
    let leads = |at: ColumnAt| land.folder.share_found(at, plan.order) >= MIN_OF_ORDERS;
    let own = land.naming(scope.driver, C::Order).filter(|(at, _)| scope.driver == plan.driver || leads(*at));
    let refers = || {
        let references = land.folder.references.iter();
        let best = references
            .filter(|r| r.from.table == scope.driver && r.to == plan.order)
            .max_by(|a, b| a.coverage.total_cmp(&b.coverage).then_with(|| b.from.cmp(&a.from)));
        best.map(|r| (r.from, 0.8 * r.coverage))
    };
    let own = own.or_else(refers);
    // Without the order's number, another key of the orders leads to it.
    let by_another_key = own.is_none().then(|| other_key_of_orders(land, scope.driver, plan)).flatten();
    let (order, score) = match (own, by_another_key) {
        _ if scope.driver == plan.driver => (plan.order, plan.order_score),
        (Some(own), _) => own,
        (None, step) => (plan.order, 0.8 * step?.coverage),
    };
    let number = match by_another_key.filter(|_| scope.driver != plan.driver) {
        Some(step) => scope.reach_id(&Found { at: order, path: vec![step], score }),
        None => scope.id_of(order, &scope.name(order)),
    };
    let to_orders = (scope.driver != plan.driver)
        .then(|| land.folder.references.iter().find(|r| r.from == order && r.to == plan.order).copied())
        .flatten()
        .or(by_another_key);
    let along = |found: &Found, step: Option<Reference>| {
        let mut path: Vec<Reference> = step.into_iter().collect();
        path.extend(&found.path);
        Found { at: found.at, path, score: found.score }
    };
    let is_reachable = scope.driver == plan.driver || to_orders.is_some();
    // Where it names merchants otherwise than orders do, such as by their shops' names, the order says whose a row is.
    let names_as_orders_do = |own: ColumnAt| {
        plan.merchant.as_ref().is_none_or(|found| land.folder.share_found(own, found.at) >= MIN_NAMED_ALIKE)
    };
    let own_merchant = land
        .naming(scope.driver, C::Merchant)
        .filter(|(at, _)| names_as_orders_do(*at))
        .map(|(at, _)| scope.id_of(at, &scope.name(at)));
    let lines_name_merchant = plan.lines.as_ref().is_some_and(|lines| lines.merchant.is_some());
    let needs_sales = (lines_name_merchant && (plan.splits() || own_merchant.is_none()))
        || (!is_reachable && (own_merchant.is_none() || buyers));
    let mut merchant = own_merchant.clone();
    let mut buyer = None;
    if needs_sales && scope.driver != plan.sales_table() {
        let sales = free_name(land, "sold");
        let (columns, has_buyer) = sales_columns(draft, land, plan, scope.currency);
        draft.with.push((sales.clone(), columns));
        draft.needs_all = true;
        let and = own_merchant
            .as_ref()
            .filter(|_| plan.splits())
            .map_or(String::new(), |own| format!(" AND {own} = {sales}.merchant"));
        draft.joins.push(format!("LEFT JOIN {sales} ON {number} = {sales}.order_number{and}"));
        merchant = Some(format!("{sales}.merchant"));
        buyer = has_buyer.then(|| {
            let sql = format!("{sales}.buyer");
            (plan.with_stand_in(land, &sql, &number).unwrap_or(sql), "the order's buyer".to_owned())
        });
    }
    let of_other_forms: Vec<(&OrdersPlan, Reference)> = other_forms(land, scope.driver, order, plan);
    if merchant.is_none() && is_reachable {
        merchant = plan.merchant.as_ref().map(|found| scope.reach_id(&along(found, to_orders)));
        let others = of_other_forms.iter().filter_map(|(form, step)| Some((form.merchant.as_ref()?, *step)));
        merchant = merchant.map(|sql| first_of(scope, sql, others));
    }
    if buyers && is_reachable {
        let own = land.naming(scope.driver, C::Buyer).map(|(at, _)| Found { at, path: Vec::new(), score: 1.0 });
        // Only where both name people alike does a row of its own tell who it was: else every one would seem to be somebody else than the buyer.
        let names_alike = |own: &&Found| {
            plan.buyer.as_ref().is_some_and(|buyer| land.folder.share_found(own.at, buyer.at) >= MIN_NAMED_ALIKE)
        };
        let stated = own.as_ref().filter(names_alike).map(|found| (scope.reach_id(found), land.column(found.at).nulls));
        buyer = if let Some((sql, 0)) = stated {
            Some((sql.clone(), sql))
        } else {
            let of_plan = plan.buyer.as_ref().map(|found| {
                let sql = scope.reach_id(&along(found, to_orders));
                let others = of_other_forms.iter().filter_map(|(form, step)| Some((form.buyer.as_ref()?, *step)));
                let sql = first_of(scope, sql, others);
                plan.with_stand_in(land, &sql, &number).unwrap_or(sql)
            });
            let own = || own.map(|found| scope.reach_id(&found)).or(buyer.map(|(sql, _)| sql));
            let of_order = of_plan.or_else(own);
            of_order.map(|of_order| match stated {
                Some((sql, _)) if sql != of_order => {
                    (format!("COALESCE({sql}, {of_order})"), format!("{sql}, else the order's buyer"))
                }
                _ => (of_order, "the order's buyer".to_owned()),
            })
        };
    }
    let order_sql = plan.order_id(&number, merchant.as_deref());
    let merchant = merchant.map(|sql| {
        let from = if own_merchant.as_ref() == Some(&sql) { sql.clone() } else { "the order's merchant".to_owned() };
        (sql, from)
    });
    Some(OrderLink { order: order_sql, merchant, buyer, from: scope.name(order), score })
}

/// The other forms of the orders' files that a table's number of orders leads to too.
fn other_forms<'a>(
    land: &Landscape,
    driver: usize,
    order: ColumnAt,
    plan: &'a OrdersPlan,
) -> Vec<(&'a OrdersPlan, Reference)> {
    let forms = plan.other_forms.iter().filter(|_| driver != plan.driver);
    // Of each form a part of what rows name is there.
    let step = |form: &OrdersPlan| {
        let coverage = land.folder.share_found(order, form.order);
        let leads = form.driver != driver && coverage >= MIN_OF_ORDERS;
        leads.then_some(Reference { from: order, to: form.order, coverage })
    };
    forms.filter_map(|form| Some((form, step(form)?))).collect()
}

/// What the orders say, or else those of another form.
fn first_of<'a>(scope: &mut Scope, own: String, others: impl Iterator<Item = (&'a Found, Reference)>) -> String {
    let mut named = vec![own];
    for (found, step) in others {
        let path = std::iter::once(step).chain(found.path.iter().copied()).collect();
        named.push(scope.reach_id(&Found { at: found.at, path, score: found.score }));
    }
    if let [only] = named.as_slice() { only.clone() } else { format!("COALESCE({})", named.join(", ")) }
}

/// How a table without the order's number leads to orders: by a column whose values are another key of theirs, such as the number of a payment.
fn other_key_of_orders(land: &Landscape, table: usize, plan: &OrdersPlan) -> Option<Reference> {
    const MIN_FOUND: f64 = 0.9;
    // Who sells and who buys is no order.
    let names_a_party = |at: ColumnAt| {
        land.named.get(&at).is_some_and(|(meant, _)| matches!(meant, C::Merchant | C::Buyer | C::Product | C::Loan))
    };
    let leads = |r: &&Reference| {
        let meets = r.from.table == table && r.to.table == plan.driver && r.to != plan.order;
        meets && r.coverage >= MIN_FOUND && !names_a_party(r.from) && !names_a_party(r.to)
    };
    let found = land.folder.references.iter().filter(leads);
    found.max_by(|a, b| a.coverage.total_cmp(&b.coverage).then_with(|| b.from.cmp(&a.from))).copied()
}

/// Of the orders that rows name so many are there, or the column numbers something else.
const MIN_OF_ORDERS: f64 = 0.1;
/// Of the people that rows name so many are among the buyers, or the two columns name people differently.
const MIN_NAMED_ALIKE: f64 = 0.5;

/// One row an order and merchant, with the buyer where a row of sales names it.
fn sales_columns(
    draft: &mut TableDraft,
    land: &Landscape,
    plan: &OrdersPlan,
    currency: Option<Currency>,
) -> (String, bool) {
    let mut sales = Scope::new(land, plan.sales_table(), currency);
    let order = plan.lines.as_ref().filter(|l| l.table == plan.sales_table()).map_or(plan.order, |lines| lines.order);
    let mut columns = vec![format!("{} AS order_number", sales.id_of(order, &sales.name(order)))];
    let merchant = land.find_entity(plan.sales_table(), C::Merchant);
    columns.extend(merchant.map(|found| format!("{} AS merchant", sales.reach_id(&found))));
    let buyer = plan.buyer.as_ref().filter(|_| plan.sales_table() == plan.driver).map(|found| sales.reach_id(found));
    let has_buyer = buyer.is_some();
    draft.with_once(&sales);
    columns.extend(buyer.map(|sql| format!("{sql} AS buyer")));
    (format!("SELECT DISTINCT\n    {}\n{}", columns.join(",\n    "), sales.joined_tables()), has_buyer)
}

/// Parcels: of a table of their own, or of what orders and lines say of them.
pub(super) fn shipments(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Option<TableDraft> {
    let own = land
        .best_about(C::Shipment, &SHIPMENTS, |table| table != plan.driver && land.naming(table, C::Order).is_some());
    let driver = own.unwrap_or(plan.sales_table());
    let mut scope = Scope::new(land, driver, currency);
    let mut draft = TableDraft::new(&SHIPMENTS, &scope);
    let columns =
        ["ship_by_at", "shipped_at", "promised_at", "delivered_at", "lost_at", "carrier", "tracking", "recorded_at"];
    let found = assign(land, driver, &SHIPMENTS, &columns, false, &orders_own(land, plan));
    if !PARCEL_TIMES.iter().any(|time| found.contains_key(time)) {
        return None;
    }
    let link = link(&mut draft, &mut scope, plan, false)?;
    let key =
        own.and_then(|table| land.key(table, C::Shipment)).map(|at| (scope.id_of(at, &scope.name(at)), scope.name(at)));
    let is_split_line = own.is_none() && plan.lines.as_ref().is_some_and(|lines| lines.table == driver);
    let (id, from) = key.unwrap_or((link.order.clone(), link.from.clone()));
    draft.head.push(if own.is_some() {
        "Shipments: one row a parcel.".to_owned()
    } else {
        NO_PARCELS_APART.to_owned()
    });
    draft.put("shipment_id", Piece::sure(id), from, link.score);
    put_link(&mut draft, link);
    let mut latest: Vec<(&str, String)> = Vec::new();
    for (column, found) in &found {
        if !put_found(&mut draft, &mut scope, column, found) {
            continue;
        }
        if is_split_line
            && found.path.is_empty()
            && let Some(drafted) = draft.column_mut(column)
        {
            latest.push((column, drafted.sql.clone()));
            drafted.sql = format!("{}.{column}", free_name(land, "parcels"));
        }
    }
    if let Some(lines) = plan.lines.as_ref().filter(|_| !latest.is_empty()) {
        latest_of_lines(&mut draft, &scope, lines.order, lines.merchant, &latest);
    }
    if plan.is_by_line() {
        skip_of_none(&mut draft, &scope, plan.order, "order");
    }
    super::versions::stamp(&mut draft, land, plan);
    Some(draft.finish(&scope))
}

/// A parcel with several lines is due with the last of them.
fn latest_of_lines(
    draft: &mut TableDraft,
    scope: &Scope,
    order: ColumnAt,
    merchant: Option<ColumnAt>,
    latest: &[(&str, String)],
) {
    let parcels = free_name(scope.land, "parcels");
    draft.keys.push((order, order));
    let order = scope.id_of(order, &scope.name(order));
    let merchant = merchant.map(|at| scope.id_of(at, &scope.name(at)));
    let mut columns = vec![format!("{order} AS order_number")];
    columns.extend(merchant.iter().map(|sql| format!("{sql} AS merchant")));
    columns.extend(latest.iter().map(|(column, sql)| format!("MAX({sql}) AS {column}")));
    let keys: Vec<&str> = std::iter::once(order.as_str()).chain(merchant.as_deref()).collect();
    let body =
        format!("SELECT\n    {}\nFROM {}\nGROUP BY {}", columns.join(",\n    "), scope.driver_name(), keys.join(", "));
    draft.with.push((parcels.clone(), body));
    let and = merchant.map_or(String::new(), |merchant| format!(" AND {merchant} = {parcels}.merchant"));
    draft.joins.push(format!("LEFT JOIN {parcels} ON {order} = {parcels}.order_number{and}"));
}

/// Raw columns that say something of the order itself, which are no parcel's.
fn orders_own(land: &Landscape, plan: &OrdersPlan) -> BTreeSet<ColumnAt> {
    let placed = plan.placed.iter().map(|found| found.at);
    let paid = land
        .candidates(plan.driver, &crate::contract::ORDERS, "paid_at", true)
        .into_iter()
        .filter(|f| f.score > 0.8)
        .map(|f| f.at);
    placed.chain(paid).collect()
}

fn put_link(draft: &mut TableDraft, link: OrderLink) {
    draft.put("order_id", Piece::sure(link.order), link.from, link.score);
    if let Some((merchant, from)) = link.merchant {
        draft.put("merchant_id", Piece::sure(merchant), from, 0.95);
    }
    if let Some((buyer, from)) = link.buyer {
        draft.put("buyer_id", Piece::sure(buyer), from, 0.95);
    }
}

/// Reviews, of a table of their own or of columns beside their order.
pub(super) fn reviews(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Option<TableDraft> {
    let table = land.best_about(C::Review, &REVIEWS, |table| land.naming(table, C::Order).is_some());
    let Some(table) = table else { return reviews_of_orders(land, plan, currency) };
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&REVIEWS, &scope);
    draft.head.push("Reviews: one row a review of an order of one merchant.".to_owned());
    let link = link(&mut draft, &mut scope, plan, true)?;
    key(&mut draft, &scope, plan, C::Review, &link);
    put_link(&mut draft, link);
    let found = assign(land, table, &REVIEWS, &["created_at", "stars", "recorded_at"], true, &BTreeSet::new());
    for (column, found) in &found {
        put_found(&mut draft, &mut scope, column, found);
    }
    if !draft.has("stars") {
        stars_of_words(&mut draft, &scope);
    }
    other_time(&mut draft, &mut scope, &REVIEWS, found.get("created_at"));
    super::sides::buyers_only(&mut draft, &scope);
    Some(draft.finish(&scope))
}

/// Stars where a review is positive, neutral or negative.
fn stars_of_words(draft: &mut TableDraft, scope: &Scope) {
    const STARS: [(&str, &[&str]); 3] = [
        ("5", &["positive", "positiv", "positivo", "positif"]),
        ("3", &["neutral", "neutro", "neutre"]),
        ("1", &["negative", "negativ", "negativo", "negatif"]),
    ];
    let land = scope.land;
    let stars_of = |word: &str| {
        let lower = word.to_lowercase();
        STARS.iter().find(|(_, words)| words.contains(&lower.as_str())).map(|(stars, _)| *stars)
    };
    let said = |at: &ColumnAt| {
        let words = &land.column(*at).words;
        words.len() >= 2 && words.keys().all(|word| stars_of(word).is_some())
    };
    let Some(at) = land.columns(scope.driver).find(said) else { return };
    let cell = scope.id_of(at, &scope.name(at));
    let cases =
        land.column(at).words.keys().filter_map(|word| {
            Some(format!("WHEN {cell} = {} THEN {}", words::listed(&[word.as_str()]), stars_of(word)?))
        });
    let sql = format!("CASE {} ELSE NULL END", cases.collect::<Vec<_>>().join(" "));
    draft.put("stars", Piece::guess(sql, "5, 3 and 1 for good, neither and bad"), scope.column_name(at), 0.7);
}

/// Reviews that stand in the rows of their orders: stars, and a time that is called a review's.
fn reviews_of_orders(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Option<TableDraft> {
    if plan.lines.is_some() {
        return None;
    }
    let own: Vec<ColumnAt> = land
        .columns(plan.driver)
        .filter(|at| land.column_name(*at).says(C::Review) && !land.column(*at).is_list)
        .collect();
    let created = own.iter().copied().find(|at| land.column(*at).is_time())?;
    let stars =
        land.candidates(plan.driver, &REVIEWS, "stars", true).into_iter().find(|found| own.contains(&found.at))?;
    let mut scope = Scope::new(land, plan.driver, currency);
    let mut draft = TableDraft::new(&REVIEWS, &scope);
    draft.head.push("Reviews: they stand in the rows of their orders, one an order.".to_owned());
    let link = link(&mut draft, &mut scope, plan, true)?;
    draft.put("review_id", Piece::sure(link.order.clone()), link.from.clone(), link.score);
    put_link(&mut draft, link);
    put_found(&mut draft, &mut scope, "created_at", &Found { at: created, path: Vec::new(), score: 0.8 });
    put_found(&mut draft, &mut scope, "stars", &stars);
    let cells = land.column(stars.at);
    draft.skip(Skipped {
        why: format!("{} order(s) without {:?} have no review.", cells.nulls, cells.name),
        keeps: format!("{} IS NOT NULL", scope.bare(stars.at)),
        share: cells.null_share(),
    });
    Some(draft.finish(&scope))
}

/// Where the time that counts is missing, another time of the same row stands in for it.
fn other_time(draft: &mut TableDraft, scope: &mut Scope, table: &'static TableContract, main: Option<&Found>) {
    let (Some(main), Some(event)) = (main, table.visibility.event()) else { return };
    if scope.land.column(main.at).nulls == 0 {
        return;
    }
    let others = scope.land.candidates(scope.driver, table, event, true);
    let Some(other) = others.into_iter().find(|found| found.at != main.at) else { return };
    let sql = scope.reach(&other);
    let second = scope.render(Type::Instant, event, other.at, &sql).sql;
    let from = scope.name(other.at);
    if let Some(drafted) = draft.column_mut(event) {
        let mut times = [drafted.sql.clone(), second];
        scope.as_one_type(&mut times);
        drafted.sql = format!("COALESCE({})", times.join(", "));
        drafted.from = format!("{}, else {from}", drafted.from);
    }
}

/// The row's own key: its column where that is unique, else it with the order; with the merchant where orders are split.
fn key(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan, entity: C, link: &OrderLink) {
    let land = scope.land;
    let raw = land.table(scope.driver);
    let id = draft.table.key.first().copied().unwrap_or_default();
    // A column of words, such as `Review`, names no row.
    let named = land.naming(scope.driver, entity).filter(|(at, _)| land.column(*at).distinct * 2 > raw.rows);
    let unnamed = || {
        let unique = raw.columns.iter().position(|c| c.is_key() && c.is_like_an_id() && !c.is_unique_counter());
        unique.map(|column| (ColumnAt { table: scope.driver, column }, 0.6))
    };
    let Some((at, score)) = named.or_else(unnamed) else {
        let note =
            "no column names it: its order does, so that a second one of the same order is taken for a correction";
        draft.put(id, Piece::guess(link.order.clone(), note), link.from.clone(), 0.5);
        return;
    };
    let own = scope.id_of(at, &scope.name(at));
    let from = scope.name(at);
    if land.column(at).is_key() && !plan.splits() {
        draft.put(id, Piece::sure(own), from, score);
    } else {
        draft.put(id, Piece::sure(format!("{own} || '-' || {}", link.order)), format!("{from} and the order"), score);
    }
}

/// Disputes and chargebacks, of a table of their own.
pub(super) fn disputes(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Option<TableDraft> {
    let table = land.best_about(C::Dispute, &DISPUTES, |table| {
        land.naming(table, C::Order).or_else(|| land.naming(table, C::Merchant)).is_some()
    })?;
    let mut scope = Scope::new(land, table, currency);
    let mut draft = TableDraft::new(&DISPUTES, &scope);
    draft.head.push("Disputes: one row a dispute.".to_owned());
    if let Some(link) = link(&mut draft, &mut scope, plan, true) {
        key(&mut draft, &scope, plan, C::Dispute, &link);
        put_link(&mut draft, link);
    } else {
        if let Some((at, score)) = land.naming(table, C::Dispute) {
            draft.put("dispute_id", Piece::sure(scope.id_of(at, &scope.name(at))), scope.name(at), score);
        }
        if let Some((at, score)) = land.naming(table, C::Merchant) {
            draft.put("merchant_id", Piece::sure(scope.id_of(at, &scope.name(at))), scope.name(at), score);
        }
    }
    let found = assign(
        land,
        table,
        &DISPUTES,
        &["opened_at", "closed_at", "kind", "outcome", "amount_minor", "recorded_at"],
        true,
        &BTreeSet::new(),
    );
    for (column, found) in &found {
        put_found(&mut draft, &mut scope, column, found);
    }
    for column in ["kind", "outcome"] {
        if !draft.has(column) {
            by_its_words(&mut draft, &mut scope, column);
        }
    }
    let is_chargeback = land.table_name(table).says(C::Chargeback);
    if is_chargeback || !draft.has("kind") {
        let (word, note) =
            if is_chargeback { ("'chargeback'", "the table is of chargebacks") } else { ("'other'", NOTHING_ALLEGED) };
        draft.put("kind", Piece::guess(word, note), "the table", if is_chargeback { 0.9 } else { 0.3 });
    }
    if draft.has("outcome") && !draft.has("closed_at") {
        // Washing refuses an outcome without a day on which it was known.
        draft.columns.retain(|c| c.column != "outcome");
        draft.head.push(
            "No column was taken for the day on which disputes ended, and an outcome without its day is not used: where there is one, write it as \
             closed_at, and the outcome beside it."
                .to_owned(),
        );
    }
    disputed_amount(&mut draft, &mut scope, plan);
    skip_rows(&mut draft, &scope);
    Some(draft.finish(&scope))
}

/// A column that no name gives away, but whose words are those of the contract's column.
fn by_its_words(draft: &mut TableDraft, scope: &mut Scope, column: &'static str) {
    let land = scope.land;
    let Some(Type::Word(allowed)) = draft.table.column(column).map(|known| known.kind) else { return };
    let taken: Vec<String> = draft.columns.iter().map(|c| c.from.clone()).collect();
    // What was alleged is no outcome, whoever it names.
    let is_other = |at: &ColumnAt| column == "outcome" && land.column_name(*at).says(C::Reason);
    let found = land.columns(scope.driver).filter(|at| !is_other(at)).find(|at| {
        let cells = land.column(*at);
        let mapped = words::mapped(draft.table.name, column, cells, "x", allowed);
        let says_some = mapped.is_some_and(|sql| sql == "x" || sql.starts_with("CASE"));
        cells.kind == ValueKind::Text && cells.words.len() > 1 && says_some && !taken.contains(&scope.name(*at))
    });
    if let Some(at) = found {
        put_found(draft, scope, column, &Found { at, path: Vec::new(), score: 0.6 });
    }
}

/// Where a dispute states no amount, all of its order is in dispute.
fn disputed_amount(draft: &mut TableDraft, scope: &mut Scope, plan: &OrdersPlan) {
    let land = scope.land;
    if draft.has("amount_minor") || plan.lines.is_some() {
        return;
    }
    let Some((order, _)) = land.naming(scope.driver, C::Order) else { return };
    let Some(step) = land.folder.references.iter().find(|r| r.from == order && r.to == plan.order).copied() else {
        return;
    };
    let Some((piece, from, score)) =
        line_amount(&Scope::new(land, plan.driver, scope.currency), plan.driver, &|_| true)
    else {
        return;
    };
    scope.reach(&Found { at: plan.order, path: vec![step], score: 1.0 });
    draft.put(
        "amount_minor",
        Piece::guess(piece.sql, "no amount is stated: all of the order is in dispute"),
        from,
        score.min(0.7),
    );
}
