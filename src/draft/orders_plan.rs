//! Which raw table is the orders, and how an order finds its merchant, its buyer and its amount.
//!
//! Exports differ in one thing above all: whether a row of the orders' table names one merchant. It may be one row an order with its merchant;
//! one row an order, whose merchants only its lines name; or one row a line, with the order's number repeated. What one merchant sells in one
//! order is one order of the contract.

use super::ends::MAX_STATES;
use super::landscape::{Found, Landscape, MIN_SCORE, speak_of_loans};
use super::vocabulary::Concept as C;
use crate::contract::{MERCHANTS, ORDERS};
use crate::profile::{ColumnAt, Reference};

/// Where more orders name no buyer, that is how the shop sells, and no error.
const MAX_NO_BUYER: f64 = 0.005;

/// How orders are read.
#[derive(Debug, Clone)]
pub(super) struct OrdersPlan {
    /// The driving table.
    pub driver: usize,
    /// The column that names the order.
    pub order: ColumnAt,
    pub order_score: f64,
    /// Who sells, one for each row of the driver.
    pub merchant: Option<Found>,
    /// Who buys.
    pub buyer: Option<Found>,
    /// When it was placed.
    pub placed: Option<Found>,
    /// The lines of an order, where they are needed for its merchant or its amount.
    pub lines: Option<Lines>,
    /// Whether rows of one order are versions of it.
    pub has_versions: bool,
    /// How orders of files with the same name and other columns are read.
    pub other_forms: Vec<OrdersPlan>,
}

/// Lines of orders.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// Their table; the driver itself where a row of it is a line.
    pub table: usize,
    /// The order's number in it.
    pub order: ColumnAt,
    /// Who sells the line; `None` where the order says it.
    pub merchant: Option<ColumnAt>,
    /// Whether some order has lines of several merchants.
    pub splits: bool,
}

impl OrdersPlan {
    /// Whether a row of the driver is a line.
    pub(super) fn is_by_line(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.table == self.driver)
    }

    /// Whether orders are split by merchant.
    pub(super) fn splits(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.splits)
    }

    /// What an order is called: by its number, and by its merchant too where orders are split.
    pub(super) fn order_id(&self, number: &str, merchant: Option<&str>) -> String {
        match merchant.filter(|_| self.splits()) {
            Some(merchant) => {
                format!("CASE WHEN {merchant} IS NULL THEN {number} ELSE {number} || '-' || {merchant} END")
            }
            None => number.to_owned(),
        }
    }

    /// An order's buyer, and where orders name none, one of its own: `None` where all of them name one.
    pub(super) fn with_stand_in(&self, land: &Landscape, buyer: &str, number: &str) -> Option<String> {
        let column = land.column(self.buyer.as_ref()?.at);
        let is_missing = column.null_share() > MAX_NO_BUYER && !self.is_by_line();
        is_missing.then(|| format!("COALESCE({buyer}, 'no-buyer-' || {number})"))
    }

    /// The table that names both order and merchant.
    pub(super) fn sales_table(&self) -> usize {
        self.lines.as_ref().filter(|lines| lines.merchant.is_some()).map_or(self.driver, |lines| lines.table)
    }
}

/// Chooses the orders' table; `None` where no table is like one.
pub(super) fn plan(land: &Landscape) -> Option<OrdersPlan> {
    let tables = 0..land.folder.tables.len();
    let mut ranked: Vec<(f64, usize)> = tables.filter_map(|table| Some((likeness(land, table)?, table))).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let Some((_, first)) = ranked.first().copied() else {
        return plan_of(land, without_time(land)?);
    };
    let driver = sales_behind_book(land, &ranked, first).unwrap_or(first);
    let others = land.folder.other_forms(driver).filter(|other| ranked.iter().any(|(_, table)| table == other));
    let other_forms = others.filter_map(|other| plan_of(land, other)).collect();
    Some(OrdersPlan { other_forms, ..plan_of(land, driver)? })
}

/// The orders themselves, where the table that is most like them is a book of money whose lines name them: it has them net of fees, among payouts and repayments.
fn sales_behind_book(land: &Landscape, ranked: &[(f64, usize)], book: usize) -> Option<usize> {
    let states_sales = |table: usize| {
        let has = |column: &str| land.best(table, &ORDERS, column, true).is_some();
        has("amount_minor") && has("placed_at") && land.find_entity(table, C::Merchant).is_some()
    };
    let others = ranked.iter().map(|(_, table)| *table).filter(|table| *table != book && states_sales(*table));
    others
        .into_iter()
        .find(|other| order_column(land, *other).is_some_and(|(order, _)| order_in_book(land, book, order).is_some()))
}

/// The column in which a book of money names orders: one that is not its own key, and nearly all values of which are the orders' numbers. A book says in words what a
/// line is, and some words speak of withdrawals, loans, or what was given back.
pub(super) fn order_in_book(land: &Landscape, table: usize, order: ColumnAt) -> Option<ColumnAt> {
    const NEARLY_ALL: f64 = 0.9;
    const MIN_ORDERS: usize = 50;
    let is_kind = |at: &ColumnAt| {
        let cells = land.column(*at);
        let is_called_so = land.column_name(*at).says(C::Kind) && (2..=MAX_STATES).contains(&cells.words.len());
        let is_of_money = |word: &String| super::words::is_withdrawal(word) || super::lending::tells_of_loans(word);
        is_called_so && (cells.words.keys().any(is_of_money) || !super::words::take_back(cells).is_empty())
    };
    land.columns(table).find(is_kind)?;
    let own = order_column(land, table).map(|(at, _)| at).filter(|at| land.column(*at).is_key());
    let key = land.column(order);
    let mut columns = land.columns(table).filter(|at| {
        let cells = land.column(*at);
        Some(*at) != own && at.table != order.table && cells.is_like_an_id() && cells.distinct >= MIN_ORDERS
    });
    columns.find(|at| land.column(*at).share_found_in(key) >= NEARLY_ALL)
}

/// Where no table of orders is dated: the largest that has all but the time, which a person must say.
fn without_time(land: &Landscape) -> Option<usize> {
    let has_all = |table: &usize| {
        let names = |entity| land.find_entity(*table, entity).is_some();
        matches!(land.role(*table), None | Some(C::Order | C::Item))
            && order_column(land, *table).is_some()
            && (names(C::Merchant) || names(C::Buyer))
            && land.best(*table, &ORDERS, "amount_minor", true).is_some()
            && !speak_of_loans(land.column_names(*table))
            && super::monthly::states_by_month(land, *table).is_none()
    };
    (0..land.folder.tables.len()).filter(has_all).max_by_key(|table| (land.table(*table).rows, usize::MAX - table))
}

/// How the orders of a table are read.
fn plan_of(land: &Landscape, driver: usize) -> Option<OrdersPlan> {
    let (order, order_score) = order_column(land, driver)?;
    let placed = land.best(driver, &ORDERS, "placed_at", false);
    let merchant = land.find_entity(driver, C::Merchant);
    let buyer =
        land.find_entity(driver, C::Buyer).filter(|found| !is_of_merchant(land, driver, merchant.as_ref(), found));
    let buyer = buyer.map(|found| lasting_buyer(land, driver, found));
    let buyer = buyer.or_else(|| other_account(land, driver, merchant.as_ref()));
    let mut plan = OrdersPlan {
        driver,
        order,
        order_score,
        merchant,
        buyer,
        placed,
        lines: None,
        has_versions: false,
        other_forms: Vec::new(),
    };
    // What follows an order is not there for every order: its lines are.
    let follows = |found: &Found| {
        let roles = found.path.iter().map(|step| land.role(step.to.table));
        roles.flatten().any(|role| matches!(role, C::Shipment | C::Dispute | C::Review | C::Payment))
    };
    if plan.merchant.as_ref().is_some_and(follows) {
        let of_lines = lines(land, &OrdersPlan { merchant: None, ..plan.clone() });
        if let Some(lines) = of_lines.filter(|lines| lines.merchant.is_some()) {
            return Some(OrdersPlan { merchant: None, lines: Some(lines), ..plan });
        }
    }
    plan.lines = lines(land, &plan);
    Some(plan)
}

/// Whether the merchant says who a buyer is: a bank's client owns the account that is the merchant, and buys nothing of it.
fn is_of_merchant(land: &Landscape, driver: usize, merchant: Option<&Found>, buyer: &Found) -> bool {
    let Some(merchant) = merchant.filter(|merchant| merchant.path.is_empty()) else { return false };
    match buyer.path.first() {
        Some(step) => step.from == merchant.at,
        None => land.table(driver).determines(merchant.at.column, buyer.at.column),
    }
}

/// In books of accounts, the account at the other end.
fn other_account(land: &Landscape, driver: usize, merchant: Option<&Found>) -> Option<Found> {
    let own = merchant.filter(|merchant| is_account(land, merchant))?.at;
    let others = land.columns(driver).filter(|at| {
        *at != own
            && land.column_name(*at).says(C::Account)
            && land.column(*at).is_like_an_id()
            && land.column(*at).distinct > 2
    });
    let at = others.max_by_key(|at| (land.column(*at).distinct, std::cmp::Reverse(*at)))?;
    Some(Found { at, path: Vec::new(), score: 0.6 })
}

/// Whether who sells is called an account: a bank's books.
pub(super) fn is_account(land: &Landscape, merchant: &Found) -> bool {
    let name = land.column_name(merchant.at);
    name.says(C::Account) && !name.says(C::Merchant)
}

/// So much must speak for a table of orders.
const LIKELY: f64 = 1.6;

/// How much a table is like the orders.
pub(super) fn likeness(land: &Landscape, table: usize) -> Option<f64> {
    let role = match land.role(table) {
        Some(C::Order) => 1.0,
        None => 0.2,
        Some(C::Item) => 0.3,
        Some(_) => return None,
    };
    let (order, worth) = order_column(land, table)?;
    if !land.column(order).is_key() && super::monthly::states_by_month(land, table).is_some() {
        return None;
    }
    let placed = land
        .best(table, &ORDERS, "placed_at", false)
        .map_or(0.0, |found| if found.path.is_empty() { found.score } else { 0.3 * found.score });
    let names = |entity| land.find_entity(table, entity).map_or(0.0, |found| 0.4 * found.score);
    let amount = land.best(table, &ORDERS, "amount_minor", true).map_or(0.0, |found| 0.4 * found.score);
    let unique = if land.column(order).is_key() { 0.4 } else { 0.0 };
    // There are more orders than loans and contracts, and their columns do not speak of interest.
    let rows = 0.1 * f64::from(land.table(table).rows.max(1).ilog10());
    let of_loans = if speak_of_loans(land.column_names(table)) { 0.8 } else { 0.0 };
    let likeness =
        role + 0.4 * worth + placed + names(C::Merchant) + names(C::Buyer) + amount + unique + rows - of_loans;
    (placed > 0.0 && likeness >= LIKELY).then_some(likeness)
}

/// Every table with what it lacks to be the orders.
pub(super) fn lacks(land: &Landscape) -> String {
    let of = |table: usize| {
        let mut lacks = Vec::new();
        if order_column(land, table).is_none() {
            lacks.push(super::numberless::why_not_sales(land, table));
        }
        if land.best(table, &ORDERS, "placed_at", false).is_none() {
            lacks.push("no time that could be the order's");
        }
        let names = |entity| land.find_entity(table, entity).is_some();
        let has_amount = land.best(table, &ORDERS, "amount_minor", true).is_some();
        if !(names(C::Merchant) || names(C::Buyer) || has_amount) {
            lacks.push("no merchant, buyer or amount");
        }
        let name = &land.table(table).name;
        if let Some((thing, month)) = super::monthly::states_by_month(land, table) {
            let (thing, month) = (&land.column(thing).name, &land.column(month).name);
            return format!(
                "{name} (one row a {thing:?} and month {month:?}: how things stood, as of loans or accounts, and no sales)"
            );
        }
        match (lacks.is_empty(), land.role(table)) {
            (true, Some(role)) => format!("{name} (about: {role:?})"),
            (true, None) => format!("{name} (too little speaks for it)"),
            (false, _) => format!("{name} ({})", lacks.join(", ")),
        }
    };
    (0..land.folder.tables.len()).map(of).collect::<Vec<_>>().join("; ")
}

/// The order's number: the column named so, or the table's only key.
fn order_column(land: &Landscape, table: usize) -> Option<(ColumnAt, f64)> {
    land.naming(table, C::Order).or_else(|| {
        let raw = land.table(table);
        let unique = raw.columns.iter().position(|c| c.is_key() && c.is_like_an_id());
        unique.map(|column| (ColumnAt { table, column }, 0.55))
    })
}

/// Some exports give every order a buyer's number of its own, and say elsewhere which of them are one person. A number that never comes back is
/// followed to a table where another number of the same buyers does.
fn lasting_buyer(land: &Landscape, driver: usize, found: Found) -> Found {
    let is_once = |at: ColumnAt| {
        let raw = land.column(at);
        raw.distinct as f64 > 0.999 * (raw.rows() - raw.nulls).max(1) as f64
    };
    if found.at.table != driver || !is_once(found.at) {
        return found;
    }
    let steps = land.folder.references.iter().filter(|r| r.from == found.at);
    let others = steps.flat_map(|step: &Reference| land.columns(step.to.table).map(move |at| (*step, at)));
    let lasting = others.filter(|(step, at)| {
        let raw = land.column(*at);
        let repeats =
            raw.nulls == 0 && raw.is_like_an_id() && raw.distinct < raw.rows() && raw.distinct * 2 > raw.rows();
        *at != step.to && land.column_name(*at).says(C::Buyer) && land.column_name(*at).says(C::Id) && repeats
    });
    let best = lasting.max_by_key(|(_, at)| land.column(*at).distinct);
    best.map_or(found.clone(), |(step, at)| Found { at, path: vec![step], score: 0.9 * step.coverage })
}

fn lines(land: &Landscape, plan: &OrdersPlan) -> Option<Lines> {
    let order = plan.order;
    let is_own_lines = !land.column(order).is_key();
    if is_own_lines {
        let merchant = plan.merchant.as_ref().filter(|found| found.path.is_empty()).map(|found| found.at);
        let splits =
            merchant.is_some_and(|merchant| !land.table(plan.driver).determines(order.column, merchant.column));
        return Some(Lines { table: plan.driver, order, merchant, splits });
    }
    let order_has_amount = land.best(plan.driver, &ORDERS, "amount_minor", true).is_some();
    if plan.merchant.is_some() && order_has_amount {
        return None;
    }
    let refers = land.folder.references.iter().filter(|r| r.to == order);
    let lines = refers.filter_map(|r| {
        let table = r.from.table;
        let role = land.role(table);
        let name = land.table_name(table);
        let gives_back = name.says(C::Refund) || name.says(C::Reversed);
        if gives_back || !matches!(role, None | Some(C::Item | C::Order | C::Product)) {
            return None;
        }
        let merchant = land.naming(table, C::Merchant).map(|(at, _)| at);
        let has_amount = land.best(table, &ORDERS, "amount_minor", true).is_some();
        let merchant = merchant.filter(|_| plan.merchant.is_none());
        let helps = merchant.is_some() || (has_amount && (plan.merchant.is_some() || !order_has_amount));
        let splits = merchant.is_some_and(|merchant| !land.table(table).determines(r.from.column, merchant.column));
        // Of lines in two forms those that have these orders are meant.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of one")]
        let coverage = (r.coverage * 10.0) as u8;
        let rank = (merchant.is_some(), u8::from(role == Some(C::Item)) + u8::from(has_amount), coverage);
        helps.then_some((rank, Lines { table, order: r.from, merchant, splits }))
    });
    lines.max_by_key(|(rank, _)| *rank).map(|(_, lines)| lines)
}

/// The category of what is sold, by the table of sales: for merchants whose own row does not say it.
pub(super) fn sold_category(land: &Landscape, plan: &OrdersPlan) -> Option<Found> {
    let own = land.candidates(plan.sales_table(), &MERCHANTS, "category", false);
    // Whether money came in or went out is no line of business.
    let is_direction = |found: &Found| {
        let mut words = land.column(found.at).words.keys();
        words.any(|word| super::words::is_incoming(word)) || words.any(|word| super::words::is_outgoing(word))
    };
    own.into_iter().find(|found| {
        let is_account = plan.merchant.as_ref().is_some_and(|merchant| is_account(land, merchant));
        found.score >= MIN_SCORE && land.column(found.at).distinct > 1 && !(is_account && is_direction(found))
    })
}
