//! What went back to buyers, where other rows say so: a table of refunds, or credit notes among the orders as rows with a negative amount.

use std::collections::BTreeSet;

use super::assign::free_name;
use super::orders_plan::{Lines, OrdersPlan};
use super::other_business::OtherBusiness;
use super::scope::{Piece, Scope};
use super::table_draft::{Skipped, TableDraft};
use super::taken_back::rows_that_take_back;
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{DISPUTES, ORDERS, Type};
use crate::profile::ColumnAt;

/// Rows that give money back for orders.
struct Refunds<'a> {
    /// The table that they are read from.
    rows: Scope<'a>,
    /// The part with one row a key, where they have a key: rows that were sent again count once.
    once: Option<(String, String)>,
    order: ColumnAt,
    /// The orders' column that it names, where that is not their number.
    by: Option<ColumnAt>,
    when: ColumnAt,
    amount: ColumnAt,
    /// Which rows of their table are meant; empty where all are.
    only: String,
    /// How they are told from other rows of a book, for a person.
    told: Option<String>,
    /// Whether amounts have a minus.
    is_negative: bool,
    score: f64,
}

/// What went back, as a part of the orders' SELECT.
pub(super) struct RefundParts {
    join: String,
    /// Whether it is joined by its seller too.
    names_seller: bool,
}

/// Adds when money went back and how much, where the orders' own rows do not say it. It is joined after the
/// orders' merchants; `merchant` is their name there.
pub(super) fn refunds(
    draft: &mut TableDraft,
    scope: &Scope,
    plan: &OrdersPlan,
    number: &str,
    merchant: Option<&str>,
    others: Option<&OtherBusiness>,
) -> Option<RefundParts> {
    let land = scope.land;
    let credits = credit_notes(draft, scope, plan, others);
    if draft.has("refunded_at") {
        return None;
    }
    let mut found = credits.or_else(|| table_of_refunds(scope, plan)).or_else(|| refunds_in_a_book(scope, plan))?;
    let by = found.by.map(|at| scope.id_of(at, &scope.name(at)));
    let number = by.as_deref().unwrap_or(number);
    let seller = if plan.splits() { merchant.zip(found.seller()) } else { None };
    let inner = &found.rows;
    let order = inner.id_of(found.order, &inner.name(found.order));
    let when = inner.render(Type::Instant, "refunded_at", found.when, &inner.name(found.when)).sql;
    let minor = inner.minor(found.amount, &inner.name(found.amount)).sql;
    let minor = if found.is_negative { format!("-1 * ({minor})") } else { minor };
    let name = free_name(land, "given_back");
    let (named, keys) = match &seller {
        Some((_, seller)) => {
            (format!("{order} AS order_number,\n    {seller} AS merchant"), "order_number,\n    merchant")
        }
        None => (format!("{order} AS order_number"), "order_number"),
    };
    let by = keys.replace("\n    ", " ");
    let from = format!("{}{}", inner.joined_tables(), found.only);
    draft.with_once(inner);
    // A later file may send rows again, and nothing but their cells says which.
    let is_sent_again = found.once.is_none() && land.table(found.order.table).sent_again > 0;
    draft.with.extend(found.once.clone());
    let body = if is_sent_again {
        let (numbered, stated) = (free_name(land, "numbered_refunds"), free_name(land, "stated_refunds"));
        draft.with.push((
            stated.clone(),
            format!(
                "SELECT\n    {named},\n    {when} AS refunded_at,\n    {minor} AS refund_minor,\n    {0}._file AS sent_in,\n    {0}._row AS place\n{from}",
                inner.driver_name()
            ),
        ));
        draft.with.push((
            numbered.clone(),
            format!(
                "SELECT\n    {keys},\n    refunded_at,\n    refund_minor,\n    ROW_NUMBER() OVER (PARTITION BY {by}, refunded_at, refund_minor, sent_in ORDER BY place) AS copy\nFROM {stated}"
            ),
        ));
        format!(
            "SELECT\n    {keys},\n    MIN(refunded_at) AS refunded_at,\n    CASE WHEN COUNT(refund_minor) = COUNT(*) THEN SUM(refund_minor) ELSE NULL END AS refund_minor\nFROM (SELECT DISTINCT {by}, refunded_at, refund_minor, copy FROM {numbered}) AS once\nGROUP BY {by}"
        )
    } else {
        let grouped = seller.as_ref().map_or(order.clone(), |(_, seller)| format!("{order}, {seller}"));
        format!(
            "SELECT\n    {named},\n    MIN({when}) AS refunded_at,\n    CASE WHEN COUNT({minor}) = COUNT(*) THEN SUM({minor}) ELSE NULL END AS \
                 refund_minor\n{from}\nGROUP BY {grouped}"
        )
    };
    draft.twin = inner.twin_of();
    if draft.twin.is_some() {
        // By their own number rows lie apart from the orders that they name.
        draft.needs_all = true;
    } else {
        draft.keys.push((plan.order, found.order));
    }
    draft.with.push((name.clone(), body));
    let note = "the first of an order's refunds dates them all";
    draft.put(
        "refunded_at",
        Piece::guess(format!("{name}.refunded_at"), note),
        scope.column_name(found.when),
        found.score,
    );
    let note = match &found.told {
        Some(told) => format!("the sum of an order's rows of {} with {told}", land.table(found.order.table).name),
        None if found.only.is_empty() || draft.twin.is_some() => "the sum of an order's refunds".to_owned(),
        None => "the sum of an order's refunds that were granted".to_owned(),
    };
    let note = if is_sent_again { format!("{note}; rows that a later file sends again count once") } else { note };
    draft.put(
        "refund_minor",
        Piece::guess(format!("{name}.refund_minor"), note),
        scope.name(found.amount),
        found.score,
    );
    let of_seller = seller.as_ref().map_or(String::new(), |(merchant, _)| format!(" AND {merchant} = {name}.merchant"));
    let join = format!("LEFT JOIN {name} ON {number} = {name}.order_number{of_seller}");
    Some(RefundParts { join, names_seller: seller.is_some() })
}

impl RefundParts {
    /// Joins it.
    pub(super) fn join(self, draft: &mut TableDraft) {
        draft.joins.push(self.join);
    }
}

/// What an order of several merchants gave back, and nothing says of whose part, is shared by what the parts cost, so that the shares add up to it. `pairs` is the part
/// with one row an order and merchant.
pub(super) fn share_by_amount(draft: &mut TableDraft, scope: &Scope, pairs: &str, given_back: Option<&RefundParts>) {
    let is_of_part = given_back.is_some_and(|given_back| given_back.names_seller);
    let of_all = draft.column("refund_minor").filter(|refund| !refund.sql.starts_with(&format!("{pairs}.")));
    let (Some(refund), false) = (of_all.map(|refund| refund.sql.clone()), is_of_part) else { return };
    let shared = free_name(scope.land, "shared");
    draft.with.push((
        shared.clone(),
        format!(
            "SELECT\n    order_number,\n    merchant,\n    SUM(amount_minor) OVER (PARTITION BY order_number) AS order_minor,\n    \
             SUM(amount_minor) OVER (PARTITION BY order_number ORDER BY merchant) AS up_to_minor\nFROM {pairs}"
        ),
    ));
    draft.joins.push(format!(
        "LEFT JOIN {shared} ON {pairs}.order_number = {shared}.order_number AND {pairs}.merchant = {shared}.merchant"
    ));
    let whole = if scope.is_text() { format!("TRY_CAST({refund} AS BIGINT)") } else { refund.clone() };
    // Each share is what is due up to its part, less what was due before it: rounding leaves nothing over.
    let up_to =
        |part: String| format!("TRY_CAST(ROUND(CAST({whole} AS DOUBLE) * {part} / {shared}.order_minor) AS BIGINT)");
    let share = format!(
        "CASE WHEN {shared}.order_minor > 0 THEN {} - {} ELSE NULL END",
        up_to(format!("{shared}.up_to_minor")),
        up_to(format!("({shared}.up_to_minor - {pairs}.amount_minor)"))
    );
    let Some(drafted) = draft.column_mut("refund_minor") else { return };
    drafted.sql = if scope.is_text() {
        format!("COALESCE(CAST({share} AS VARCHAR), {refund})")
    } else {
        format!("COALESCE({share}, {refund})")
    };
    drafted
        .remark("nothing says whose part of an order of several merchants went back: shared by what each part costs");
}

impl Refunds<'_> {
    /// Who sold what went back, where its row leads there.
    fn seller(&mut self) -> Option<String> {
        let found = self.rows.land.find_entity(self.rows.driver, C::Merchant)?;
        Some(self.rows.reach_id(&found))
    }
}

/// Lines that take others of their order back.
pub(super) struct ReversedLines {
    /// Which they are.
    pub condition: String,
    /// When they were written.
    pub at: Option<String>,
    told: String,
}

/// The lines of a table that take others of their order back: by a kind that says so, or by an amount (`signed`) below zero of a later time than the order's first line;
/// others below zero are discounts, and kinds with the words `fees` are what the merchant pays.
pub(super) fn reversed_lines(
    inner: &Scope,
    lines: &Lines,
    signed: Option<ColumnAt>,
    fees: &BTreeSet<String>,
) -> Option<ReversedLines> {
    const LATER: f64 = 0.8;
    let land = inner.land;
    // Where kinds say what goes back, what else is below zero is a discount.
    let by_kind = rows_that_take_back(inner, None, None, fees);
    let back = by_kind.or_else(|| rows_that_take_back(inner, signed, None, fees))?;
    let when = land.best(lines.table, &ORDERS, "placed_at", true).map(|found| found.at);
    let is_later = |at: ColumnAt| back.share_after_first(inner, lines.order, at) >= LATER;
    if !back.has_kind() && !when.is_some_and(is_later) {
        return None;
    }
    let at = when.map(|at| inner.render(Type::Instant, "refunded_at", at, &inner.name(at)).sql);
    Some(ReversedLines { condition: back.condition(inner), at, told: back.told.clone() })
}

impl ReversedLines {
    /// What went back of an order, and when, as columns of the part that sums its lines.
    pub(super) fn sums(&self) -> String {
        let at = self.at.as_ref().map_or("", |_| ",\n    MIN(back_at) AS refunded_at");
        format!(
            ",\n    CASE WHEN COUNT(back_minor) = COUNT(*) AND SUM(back_minor) <> 0 THEN ABS(SUM(back_minor)) ELSE NULL END AS refund_minor{at}"
        )
    }

    /// The same of several files that each have the lines.
    pub(super) fn once(&self) -> String {
        let at = self.at.as_ref().map_or("", |_| ",\n    MIN(refunded_at) AS refunded_at");
        format!(",\n    MAX(refund_minor) AS refund_minor{at}")
    }

    /// Puts what went back, from the part that sums the lines of an order.
    pub(super) fn put(&self, draft: &mut TableDraft, pairs: &str) {
        let note = format!("the sum of an order's lines with {}", self.told);
        draft.put(
            "refund_minor",
            Piece::guess(format!("{pairs}.refund_minor"), note),
            "lines that take others back",
            0.7,
        );
        if self.at.is_some() {
            let note = "the first of an order's refunds dates them all";
            draft.put(
                "refunded_at",
                Piece::guess(format!("{pairs}.refunded_at"), note),
                "lines that take others back",
                0.7,
            );
        }
    }
}

/// Holds a refund to its order's amount, where it is a little more: freight and tax go back too. What is far more is another thing and stays, so that
/// it is quarantined.
pub(super) fn at_most_the_amount(draft: &mut TableDraft, scope: &Scope) {
    // Data in the contract's own shape is taken as it is.
    if !draft.has("refund_minor") || draft.column("refund_minor").is_none_or(|refund| refund.confidence >= 1.0) {
        return;
    }
    let sql_of = |column: &str| draft.column(column).map(|c| c.sql.clone());
    let (Some(amount), Some(refund)) = (sql_of("amount_minor"), sql_of("refund_minor")) else { return };
    let (whole, text) = if scope.is_text() {
        let text = |sql: &str| format!("CAST({sql} AS VARCHAR)");
        (
            (format!("TRY_CAST({amount} AS BIGINT)"), format!("TRY_CAST({refund} AS BIGINT)")),
            [text(&amount), text(&refund)],
        )
    } else {
        ((amount.clone(), refund.clone()), [amount, refund])
    };
    let ((amount, refund), [amount_as_is, refund_as_is]) = (whole, text);
    if let Some(drafted) = draft.column_mut("refund_minor") {
        drafted.sql = format!(
            "CASE WHEN {refund} > {amount} AND {refund} <= 2 * {amount} THEN {amount_as_is} ELSE {refund_as_is} END"
        );
        drafted.remark("at most the order's amount: freight and tax may go back too");
    }
}

/// Dates refunds whose day nothing states at the end of their orders: money that went back on no day is quarantined.
pub(super) fn dated_at_the_end(draft: &mut TableDraft, scope: &Scope) {
    let sql_of = |column: &str| draft.column(column).map(|c| c.sql.clone());
    let is_dated = draft.has("placed_at") && draft.has("refund_minor");
    let (Some(refund), None, true) = (sql_of("refund_minor"), sql_of("refunded_at"), is_dated) else {
        return;
    };
    let mut ends: Vec<String> =
        ["completed_at", "cancelled_at", "placed_at"].iter().filter_map(|c| sql_of(c)).collect();
    scope.as_one_type(&mut ends);
    let refund = if scope.is_text() { format!("TRY_CAST({refund} AS BIGINT)") } else { refund };
    let end = if let [only] = ends.as_slice() { only.clone() } else { format!("COALESCE({})", ends.join(", ")) };
    let note = "no column was taken for the time when money went back: dated at the order's end, earlier than anybody knew of it";
    draft.put(
        "refunded_at",
        Piece::guess(format!("CASE WHEN {refund} > 0 THEN {end} ELSE NULL END"), note),
        "the order's end",
        0.5,
    );
}

/// Orders that take others back, by a negative amount or a kind that says so, are credit notes: they are skipped as orders. Which order each is of, a column says
/// whose values are numbers of orders; where none does, a person must.
fn credit_notes<'a>(
    draft: &mut TableDraft,
    scope: &Scope<'a>,
    plan: &OrdersPlan,
    others: Option<&OtherBusiness>,
) -> Option<Refunds<'a>> {
    let land = scope.land;
    if plan.is_by_line() || plan.lines.is_some() {
        return None;
    }
    let amount = super::amount::main_amount(land, plan.driver, &|_| true)?.at;
    let others = others.map_or_else(BTreeSet::new, |others| others.words.clone());
    let mut back = rows_that_take_back(scope, Some(amount), Some(plan.order), &others)?;
    draft.skip(Skipped {
        // Nothing that follows an order names its credit note.
        share: 0.0,
        ..back.skipped(scope, "are credit notes, not orders")
    });
    let when = plan.placed.as_ref().filter(|found| found.path.is_empty()).map(|found| found.at);
    let (Some(order), Some(when)) = (back.names.or(back.shares), when) else {
        if !draft.has("refunded_at") && !draft.has("refund_minor") {
            let why = format!(
                "{} with {} give money back, and nothing says of which order: write what went back of each order, and NULL where nothing did",
                back.rows_in_words(),
                back.told
            );
            draft.put_gap("refund_minor", "nothing names the order", &why);
        }
        return None;
    };
    let mut rows = scope.twin("credit_notes");
    let amount = back.amount_of(&rows, amount);
    // Where what goes back bears the number of its sale, that number names no row of it.
    let once = (order != plan.order).then(|| rows.read_once(plan.order, LATEST));
    let only = format!("\nWHERE {}", back.condition(&rows));
    let by = if back.names.is_none() { back.shares } else { None };
    let (told, is_negative) = (None, back.are_negative);
    Some(Refunds { rows, once, order, by, when, amount, only, told, is_negative, score: 0.7 })
}

/// A table that is called after refunds or reversals, one of amounts below zero, or a table of disputes that says what went back.
fn table_of_refunds<'a>(scope: &Scope<'a>, plan: &OrdersPlan) -> Option<Refunds<'a>> {
    let land = scope.land;
    let tables = (0..land.folder.tables.len()).filter(|table| *table != plan.driver && *table != plan.sales_table());
    let found = tables.filter_map(|table| {
        let (order, _) = land.naming(table, C::Order)?;
        let name = land.table_name(table);
        let is_called_so = name.says(C::Refund) || name.says(C::Reversed);
        let says_refund = |at: &ColumnAt| land.column_name(*at).says(C::Refund);
        let is_money = |at: &ColumnAt| {
            let name = land.column_name(*at);
            land.column(*at).is_number() && ![C::Id, C::Number, C::Quantity, C::Time].iter().any(|c| name.says(*c))
        };
        let stated = land.columns(table).find(|at| says_refund(at) && is_money(at));
        if !matches!(land.role(table), None | Some(C::Dispute | C::Refund)) {
            return None;
        }
        let of_dispute = |column: &str| land.best(table, &DISPUTES, column, true).map(|found| found.at);
        let amount = stated.or_else(|| of_dispute("amount_minor"))?;
        let is_below_zero = land.column(amount).numbers.negative.len() as f64 >= 0.9 * land.table(table).rows as f64;
        if !(is_called_so || stated.is_some() || is_below_zero) {
            return None;
        }
        let when = land
            .best(table, &ORDERS, "refunded_at", true)
            .map(|found| found.at)
            .or_else(|| land.columns(table).find(|at| says_refund(at) && land.column(*at).is_time()))
            .or_else(|| of_dispute("closed_at"))
            .or_else(|| of_dispute("opened_at"))?;
        let is_negative = land.column(amount).numbers.negative.len() * 2 > land.table(table).rows;
        let mut rows = Scope::new(land, table, scope.currency);
        let once = own_number(scope, table).map(|key| rows.read_once(key, LATEST));
        let only = granted_only(&rows, plan);
        Some(Refunds { rows, once, order, by: None, when, amount, only, told: None, is_negative, score: 0.7 })
    });
    found.max_by_key(|refunds| land.table(refunds.order.table).rows)
}

/// Rows of a book of money that take back what orders brought in, where it names the orders.
fn refunds_in_a_book<'a>(scope: &Scope<'a>, plan: &OrdersPlan) -> Option<Refunds<'a>> {
    let land = scope.land;
    let mut tables =
        (0..land.folder.tables.len()).filter(|table| *table != plan.driver && *table != plan.sales_table());
    tables.find_map(|table| {
        let order = super::orders_plan::order_in_book(land, table, plan.order)?;
        let mut rows = Scope::new(land, table, scope.currency);
        let amount = super::amount::main_amount(land, table, &|_| true)?.at;
        let when = land.best(table, &ORDERS, "placed_at", true)?.at;
        let others = OtherBusiness::of(&rows).map_or_else(BTreeSet::new, |others| others.words);
        let mut back = rows_that_take_back(&rows, Some(amount), None, &others)?;
        let amount = back.amount_of(&rows, amount);
        let once = own_number(scope, table).filter(|key| *key != order).map(|key| rows.read_once(key, LATEST));
        let only = format!("\nWHERE {}", back.condition(&rows));
        let (told, is_negative) = (Some(back.told.clone()), back.are_negative);
        Some(Refunds { rows, once, order, by: None, when, amount, only, told, is_negative, score: 0.7 })
    })
}

/// The WITH part of refunds with one row a number of theirs.
const LATEST: &str = "latest_refunds";

/// What numbers the rows of a table of refunds, and nothing else.
fn own_number(scope: &Scope, table: usize) -> Option<ColumnAt> {
    let land = scope.land;
    let numbers = land.columns(table).filter(|at| {
        let (cells, name) = (land.column(*at), land.column_name(*at));
        let is_called_so = name.says(C::Id) || name.says(C::Number);
        let names_another = land.named.get(at).is_some_and(|(meant, _)| Some(*meant) != land.role(table));
        is_called_so && !names_another && cells.is_key() && cells.is_like_an_id() && !cells.is_unique_counter()
    });
    numbers.max_by_key(|at| (land.column(*at).distinct, std::cmp::Reverse(*at)))
}

/// Which rows of a table of claims or returns gave money back, where a column says how they ended: those that were upheld, or none that was refused.
fn granted_only(scope: &Scope, plan: &OrdersPlan) -> String {
    let land = scope.land;
    let ends = land.columns(scope.driver).filter(|at| {
        let name = land.column_name(*at);
        (name.says(C::Outcome) || name.says(C::Status)) && !land.column(*at).words.is_empty() && *at != plan.order
    });
    let granted = |at: ColumnAt| words::meaning(DISPUTES.name, "outcome", "buyer-won", land.column(at));
    let refused = |at: ColumnAt| words::meaning(DISPUTES.name, "outcome", "merchant-won", land.column(at));
    let cell = |at: ColumnAt| scope.id_of(at, &scope.name(at));
    let mut ends: Vec<ColumnAt> = ends.collect();
    ends.sort_by_key(|at| !land.column_name(*at).says(C::Outcome));
    let upheld = ends.iter().find(|at| !granted(**at).is_empty() && !refused(**at).is_empty());
    if let Some(at) = upheld {
        return format!("\nWHERE {} IN ({})", cell(*at), words::listed(&granted(*at)));
    }
    let failed = |at: ColumnAt| {
        let mut failed = words::failed(land.column(at));
        failed.extend(refused(at));
        failed.sort_unstable();
        failed.dedup();
        failed
    };
    let kept = ends.iter().find(|at| !failed(**at).is_empty() && failed(**at).len() < land.column(**at).words.len());
    kept.map_or(String::new(), |at| {
        format!("\nWHERE COALESCE({} NOT IN ({}), TRUE)", cell(*at), words::listed(&failed(*at)))
    })
}
