//! The contract table `orders`.

use std::collections::BTreeSet;

use super::amount::{line_amount, main_amount};
use super::assign::{assign, free_name, put_found};
use super::ends::{StatedByLines, ends};
use super::landscape::{Found, Landscape};
use super::line_kinds::LineFees;
use super::orders_plan::{Lines, OrdersPlan};
use super::parts::{self, Share};
use super::refunds::ReversedLines;
use super::scope::{Piece, Scope, quoted};
use super::table_draft::{Certainty, TableDraft};
use super::units;
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::domain::Currency;
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// Milestones of its parcel that the same table may state.
pub(super) const PARCEL_TIMES: [&str; 5] = ["ship_by_at", "shipped_at", "promised_at", "delivered_at", "lost_at"];

/// Drafts the SELECT.
pub(super) fn draft(land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
    let mut scope = Scope::new(land, plan.driver, currency);
    let mut draft = TableDraft::new(&ORDERS, &scope);
    draft.head.push("Orders: one row an order of one buyer with one merchant.".to_owned());
    if plan.has_versions {
        draft.head.push(
            "An order comes several times, as it stood each time: the newest row that could be seen counts.".to_owned(),
        );
    }
    let (pairs, stated) = (free_name(land, "pairs"), free_name(land, "stated"));
    let mut aggregated: Vec<String> = Vec::new();
    let (newest, mut of_last_file) = (free_name(land, "newest"), Vec::new());
    let is_sent_again = plan.is_by_line() && land.column(plan.order).is_in_several_files();
    let number = scope.id_of(plan.order, &scope.name(plan.order));

    let found = assign(
        land,
        plan.driver,
        &ORDERS,
        &[
            "placed_at", "paid_at", "cancelled_at", "completed_at", "refunded_at", "refund_minor", "currency",
            "recorded_at",
        ],
        false,
        &BTreeSet::new(),
    );
    for (column, found) in &found {
        if is_another_s(land, plan, column, found) || stands_on_no_line(&mut draft, &scope, plan, column, found) {
            continue;
        }
        if put_found(&mut draft, &mut scope, column, found) && plan.is_by_line() && found.path.is_empty() {
            stated_by_lines(&mut draft, column, &stated, &mut aggregated);
            if *column == "refund_minor" && differs_within(land, plan.order, found.at) {
                draft.doubt(column, "it differs between the lines of an order, of which the least is drafted: write the sum that went back");
            }
        }
    }
    in_capitals(&mut draft, found.get("currency").map(|found| land.column(found.at)));
    tell_zone(&mut draft, land, plan);
    super::not_meant::skip_rows(&mut draft, &scope);
    super::refused::skip_refused(&mut draft, &scope);
    super::browsing::skip_browsing(&mut draft, &scope);
    super::captures::skip_authorisations(&mut draft, &scope);
    let others = super::other_business::left_out(&mut draft, &scope, plan);
    if plan.is_by_line() {
        super::not_meant::skip_of_none(&mut draft, &scope, plan.order, "order");
    }
    let is_of_accounts = plan.merchant.as_ref().is_some_and(|merchant| super::orders_plan::is_account(land, merchant));
    super::not_meant::skip_outgoing(&mut draft, &scope, is_of_accounts);
    super::debit_credit::skip_debits(&mut draft, &scope);
    let merchant = who(&mut draft, &mut scope, plan, &pairs, &number);
    buyer_of_lines(&mut draft, land, plan, (&stated, &number), &mut aggregated);
    let given_back = super::refunds::refunds(&mut draft, &scope, plan, &number, merchant.as_deref(), others.as_ref());
    // Where nobody knows the currency, this is a gap as the job file's is.
    if let (None, Some(currency)) = (draft.column("currency"), currency) {
        draft.put("currency", Piece::sure(format!("'{}'", currency.code())), "the job's currency", 1.0);
    }
    let taken = found.values().map(|f| f.at).collect();
    let lines = StatedByLines {
        is_by_line: plan.is_by_line(),
        stated: &stated,
        aggregated: &mut aggregated,
        newest: is_sent_again.then_some(newest.as_str()),
        of_last_file: &mut of_last_file,
    };
    ends(&mut draft, &mut scope, plan, &taken, lines);
    if !of_last_file.is_empty() {
        stated_last(&mut draft, &scope, &number, &newest, &of_last_file);
    }
    match &plan.lines {
        Some(lines) => sum_of_lines(&mut draft, &mut scope, plan, lines, &pairs, &number, &aggregated),
        None => amount_of_row(&mut draft, &mut scope),
    }
    doubt_the_unit(&mut draft, &scope, plan);
    super::debit_credit::tell_credits(&mut draft, &scope);
    tell_other_sums(&mut draft, land, plan);
    if let Some(others) = &others {
        others.tell_kept(&mut draft, &scope);
    }
    super::voided::cancel_voided(&mut draft, &scope, plan, &number, others.as_ref());
    // Only then is it known which kinds are left out.
    if others.is_none() {
        tell_kinds(&mut draft, land, plan);
    }
    super::by_product::tell_merchants(&mut draft, land, plan);
    super::numberless::tell(&mut draft, land, plan);
    super::flags::tell_unread(&mut draft, &scope, "amount_minor", "sales");
    super::versions::stamp(&mut draft, land, plan);
    if plan.splits() {
        super::refunds::share_by_amount(&mut draft, &scope, &pairs, given_back.as_ref());
    }
    super::refunds::at_most_the_amount(&mut draft, &scope);
    super::refunds::dated_at_the_end(&mut draft, &scope);
    if let Some(given_back) = given_back {
        given_back.join(&mut draft);
    }
    gap_of_buyer(&mut draft, &number);
    draft.finish(&scope)
}

/// Says what may stand in for buyers whom the data name nowhere.
fn gap_of_buyer(draft: &mut TableDraft, number: &str) {
    if draft.column("buyer_id").is_none() {
        let why = format!(
            "who buys: write the column that names it in place of NULL; where the names of files alone say it, path_column under [inputs] gives them; where the data say it nowhere, \
             'no-buyer-' || {number}, by which each sale is another buyer's, and features of buyers who come back or are few say nothing"
        );
        draft.put_gap("buyer_id", "nothing found", &why);
    }
}

/// Whether a column that could be the order's is another thing's.
fn is_another_s(land: &Landscape, plan: &OrdersPlan, column: &str, found: &Found) -> bool {
    let is_joined = !found.path.is_empty();
    let is_of_another = match column {
        "recorded_at" => is_joined,
        "currency" => false,
        "completed_at" => is_no_end(land, plan, found) || land.is_of_another(found, &ORDERS),
        _ => land.is_of_another(found, &ORDERS),
    };
    // What a joined table calls by a general word is its own affair.
    is_of_another || (is_joined && found.score < 0.8)
}

/// Whether a currency stands on lines of no order, which is a gap where it says several.
fn stands_on_no_line(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan, column: &str, found: &Found) -> bool {
    let is_of_lines = column == "currency" && plan.is_by_line() && found.path.is_empty();
    if !is_of_lines || stands_on_lines(scope.land, plan.order, found.at) {
        return false;
    }
    if scope.land.column(found.at).words.len() > 1 {
        let why =
            format!("{} stands on lines of no order: write the currency of each order", scope.column_name(found.at));
        draft.put_gap(column, "nothing on an order's lines", &why);
    }
    true
}

/// What the order's own row says it costs.
fn amount_of_row(draft: &mut TableDraft, scope: &mut Scope) {
    let (land, driver) = (scope.land, scope.driver);
    if let Some((piece, from, score)) = line_amount(scope, driver, &|_| true) {
        let raw = first_column(land, driver, &piece.sql);
        let sql = raw.map_or(piece.sql.clone(), |at| scope.as_written(&piece.sql, at, &scope.name(at)));
        draft.put("amount_minor", Piece { sql, note: piece.note }, from, score);
    } else if let Some(found) = land.best(driver, &ORDERS, "amount_minor", false) {
        put_found(draft, scope, "amount_minor", &found);
    }
}

/// Names the other sums of the table that says what an order costs, with what they come to: which of them is the order's, nobody but a person can say.
fn tell_other_sums(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    const SHOWN: usize = 4;
    let table = plan.lines.as_ref().map_or(plan.driver, |lines| lines.table);
    let Some(main) = main_amount(land, table, &|_| true) else { return };
    let total = |at: ColumnAt| {
        let raw = land.column(at);
        raw.numbers.mean * (raw.rows() - raw.nulls) as f64
    };
    let own = total(main.at);
    // What is paid out among the sales is no part of either.
    let received =
        |at: ColumnAt| land.column(at).numbers.sample.iter().flatten().filter(|sum| **sum > 0.0).sum::<f64>();
    let own_received = received(main.at);
    let is_other_sum = |at: &ColumnAt| {
        let name = land.column_name(*at);
        let is_part = [C::Unit, C::Tax, C::Freight, C::Discount, C::Fee, C::Refund, C::Quantity];
        let is_sum = name.says(C::Amount) || name.says(C::Sales);
        let is_apart = (total(*at) - own).abs() > 0.001 * own.abs();
        let is_near = received(*at) > 0.5 * own_received && received(*at) < 2.0 * own_received;
        *at != main.at
            && land.column(*at).is_number()
            && is_sum
            && is_apart
            && is_near
            && !is_part.iter().any(|c| name.says(*c))
    };
    let others: Vec<ColumnAt> = land.columns(table).filter(is_other_sum).collect();
    // What stands beside orders in one table may be of another unit or of each piece; only a column that was taken has others beside it.
    let is_taken = draft.column("amount_minor").is_some_and(|c| c.certainty != Certainty::Gap);
    if is_taken {
        tell_fees_taken_off(draft, land, main.at);
    }
    if others.is_empty() || own_received <= 0.0 || !is_taken {
        return;
    }
    let told = |at: &ColumnAt| format!("{:?} {:.0}", land.column(*at).name, total(*at));
    let shown: Vec<String> = others.iter().take(SHOWN).map(told).collect();
    draft.look_at(
        "amount_minor",
        &format!(
            "{:?} is taken, {own:.0} in all; beside it stand {}: an order's amount is what its buyer pays, with taxes and freight",
            land.column(main.at).name,
            shown.join(", ")
        ),
    );
}

/// Says where an amount is what is left after fees: columns of fees below zero stand beside it, and with them it is less than without.
fn tell_fees_taken_off(draft: &mut TableDraft, land: &Landscape, main: ColumnAt) {
    const MOSTLY: f64 = 0.8;
    let is_below = |at: &ColumnAt| {
        let cells = land.column(*at);
        let there = cells.numbers.sample.iter().flatten().filter(|fee| **fee != 0.0).count();
        let below = cells.numbers.sample.iter().flatten().filter(|fee| **fee < 0.0).count();
        cells.is_number() && land.column_name(*at).says(C::Fee) && below as f64 > MOSTLY * there as f64
    };
    let fees: Vec<ColumnAt> = land.columns(main.table).filter(|at| *at != main && is_below(at)).collect();
    let numbers: Vec<ColumnAt> =
        land.columns(main.table).filter(|at| *at != main && land.column(*at).has_fractions()).collect();
    let (mut rows, mut net) = (0_usize, 0_usize);
    let number = |at: &ColumnAt, row: usize| land.column(*at).numbers.sample.get(row).copied().flatten().unwrap_or(0.0);
    for row in 0..land.column(main).numbers.sample.len() {
        let all: f64 = numbers.iter().map(|at| number(at, row)).sum();
        let taken: f64 = fees.iter().map(|at| number(at, row)).sum();
        rows += usize::from(taken < 0.0);
        net += usize::from(taken < 0.0 && (all - number(&main, row)).abs() < 0.006);
    }
    if rows == 0 || (net as f64) < MOSTLY * rows as f64 {
        return;
    }
    let names: Vec<String> = fees.iter().map(|at| format!("{:?}", land.column(*at).name)).collect();
    let why = format!(
        "{:?} is what is left after fees, which are below zero: an order's amount is what its buyer pays, {:?} - {}",
        land.column(main).name,
        land.column(main).name,
        names.join(" - ")
    );
    draft.doubt("amount_minor", &why);
}

/// Names the kinds of rows where all of them are taken for sales: bills and notes may be among them.
fn tell_kinds(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    let table = plan.lines.as_ref().map_or(plan.driver, |lines| lines.table);
    let is_kind = |at: &ColumnAt| {
        let name = land.column_name(*at);
        let is_bare = name.unknown == 0 && name.concepts.iter().all(|c| matches!(c, C::Kind | C::Order));
        is_bare && name.says(C::Kind) && (2..=super::ends::MAX_STATES).contains(&land.column(*at).words.len())
    };
    let (Some(at), true) = (land.columns(table).find(is_kind), draft.skipped.is_empty()) else { return };
    let raw = land.column(at);
    let words: Vec<&str> = raw.words.keys().map(String::as_str).collect();
    let note = format!(
        "{:?} says {}, and all of them are taken for sales: where some are not, leave them out by `where`",
        raw.name,
        super::words::listed(&words)
    );
    draft.look_at("amount_minor", &note);
}

/// Marks the amount where nothing tells whether it is in the main unit.
fn doubt_the_unit(draft: &mut TableDraft, scope: &Scope, plan: &OrdersPlan) {
    let priced = plan.lines.as_ref().map_or(plan.driver, |lines| lines.table);
    let main = main_amount(scope.land, priced, &|_| true);
    let Some(main) = main else { return };
    if let Some(why) = units::unclear(scope.land, scope.currency, main.at) {
        draft.doubt("amount_minor", &why);
    }
    if let Some(why) = units::is_scaled(scope.land.column(main.at)) {
        draft.look_at("amount_minor", &why);
    }
    let is_called_nothing = super::names::Name::of(&scope.land.column(main.at).name).concepts.is_empty();
    if is_called_nothing && scope.land.debit_credit(priced).is_none() {
        let why = "its currency mark alone says that it is an amount: tips, deposits and balances are no sales";
        draft.look_at("amount_minor", why);
    }
}

/// Whether a column that is called an order's end is none: what a table of parcels says of it is the arrival of all of them, which is asked for by itself.
fn is_no_end(land: &Landscape, plan: &OrdersPlan, found: &Found) -> bool {
    let is_of_a_parcel = !found.path.is_empty() && land.role(found.at.table) == Some(C::Shipment);
    is_of_a_parcel || is_day_of_placing(land, plan, found)
}

/// Whether a column without a time of day says the day on which an order was placed, of every order: when it was entered, and no end.
fn is_day_of_placing(land: &Landscape, plan: &OrdersPlan, found: &Found) -> bool {
    let Some(placed) = plan.placed.as_ref().map(|placed| placed.at) else { return false };
    let is_own = found.at.table == plan.driver && placed.table == plan.driver && found.score < 1.0;
    let is_day = matches!(land.column(found.at).kind, ValueKind::Time { is_date: true, .. });
    is_own && is_day && land.table(plan.driver).are_of_one_day(placed.column, found.at.column)
}

/// Names the zones that a column beside a time of day says: times are read in the job's.
fn tell_zone(draft: &mut TableDraft, land: &Landscape, plan: &OrdersPlan) {
    const ZONES: [&str; 6] = ["zone", "timezone", "fuso", "huso", "fuseau", "zeitzone"];
    let Some(at) = plan.placed.as_ref().map(|placed| placed.at) else { return };
    let zone = land.columns(plan.driver).map(|at| land.column(at)).find(|raw| raw.is_called(&ZONES));
    let (Some(_), Some(zone)) = (&land.column(at).origin.time_of_day, zone) else { return };
    let said: Vec<&str> = zone.words.keys().take(3).map(String::as_str).collect();
    draft.look_at(
        "placed_at",
        &format!(
            "{:?} says {}: times are read as they are written, whatever their zone",
            zone.name,
            super::words::listed(&said)
        ),
    );
}

/// A currency is written in capitals.
fn in_capitals(draft: &mut TableDraft, written: Option<&RawColumn>) {
    let is_small = written.is_some_and(|raw| raw.words.keys().any(|word| word.bytes().any(|b| b.is_ascii_lowercase())));
    if let Some(drafted) = draft.column_mut("currency").filter(|_| is_small) {
        drafted.sql = format!("UPPER({})", drafted.sql);
    }
}

/// The one column of a table that a piece of SQL is made of, where it is one.
fn first_column(land: &Landscape, table: usize, sql: &str) -> Option<ColumnAt> {
    let named = |raw: &RawColumn| sql.contains(&format!("{}.{}", land.table(table).name, quoted(&raw.name)));
    // `order` stands in `order_date` too: the longest name is the one meant.
    let longest = land.columns(table).filter(|at| named(land.column(*at))).max_by_key(|at| land.column(*at).name.len());
    longest.filter(|_| !sql.contains(" + ") && !sql.contains("BIGINT) * "))
}

/// Where a row is a line, what an order says stands on each of its lines: the least of them is taken, so that all rows of an order agree.
fn stated_by_lines(draft: &mut TableDraft, column: &str, stated: &str, aggregated: &mut Vec<String>) {
    let Some(drafted) = draft.column_mut(column) else { return };
    aggregated.push(format!("MIN({}) AS {column}", drafted.sql));
    drafted.sql = format!("{stated}.{column}");
}

/// Whether most orders have a line with a value: what only the head of a file says stands on none.
fn stands_on_lines(land: &Landscape, order: ColumnAt, column: ColumnAt) -> bool {
    let (with_a_value, _) = land.table(order.table).combinations(&[order.column, column.column]);
    with_a_value * 2 >= land.column(order).distinct
}

/// Whether rows of one order say different things in a column.
fn differs_within(land: &Landscape, order: ColumnAt, column: ColumnAt) -> bool {
    const NEARLY_ALL: f64 = 0.95;
    let (orders, alike) = land.table(order.table).alike_within(order.column, column.column);
    (alike as f64) < NEARLY_ALL * orders as f64
}

/// Order, merchant and buyer; gives the merchant.
fn who(draft: &mut TableDraft, scope: &mut Scope, plan: &OrdersPlan, pairs: &str, number: &str) -> Option<String> {
    let from_lines = plan.lines.as_ref().and_then(|lines| lines.merchant.map(|merchant| (lines, merchant)));
    let merchant = match (from_lines, &plan.merchant) {
        (Some((_, merchant)), _) => Some((format!("{pairs}.merchant"), scope.name(merchant), 0.95)),
        (None, Some(found)) => Some((scope.reach_id(found), scope.name(found.at), found.score)),
        (None, None) => None,
    };
    if let Some((sql, from, score)) = &merchant {
        draft.put("merchant_id", Piece::sure(sql.clone()), from.clone(), *score);
    }
    let mut order_from = scope.name(plan.order);
    let order_id = plan.order_id(number, merchant.as_ref().map(|(sql, ..)| sql.as_str()));
    if let Some((_, from, _)) = merchant.as_ref().filter(|_| plan.splits()) {
        order_from = format!("{order_from} and {from}");
        draft.head.push(
            "An order with several merchants is one order of each: a promise is kept or broken by one of them."
                .to_owned(),
        );
    }
    draft.put("order_id", Piece::sure(order_id), order_from, plan.order_score);
    if scope.land.payments_as_orders == Some(scope.driver)
        && let Some(drafted) = draft.column_mut("order_id")
    {
        drafted.remark("nothing else could be orders: each payment that a merchant received is taken for one");
    }
    if let Some(known) = scope.land.number_by_reference.as_ref().filter(|known| known.key == plan.order) {
        let tables: Vec<&str> = known.tables.iter().map(|table| scope.land.table(*table).name.as_str()).collect();
        draft.head.push(format!(
            "{} is an order's number: rows of {} name it, and none name {}.",
            scope.column_name(known.key),
            tables.join(", "),
            scope.column_name(known.passed_over)
        ));
    }
    if let Some(found) = &plan.buyer {
        let sql = scope.reach_id(found);
        let note = "some orders name no buyer: each of them is taken as a buyer's only one";
        let stand_in = plan.with_stand_in(scope.land, &sql, number);
        let piece = stand_in.map_or_else(|| Piece::sure(sql), |sql| Piece::guess(sql, note));
        draft.put("buyer_id", piece, scope.name(found.at), found.score);
        if found.at.table != plan.driver {
            draft.head.push(format!(
                "{} comes back with a buyer's next order; the orders' own number does not.",
                scope.name(found.at)
            ));
        }
    }
    merchant.map(|(sql, ..)| sql)
}

/// A buyer that only the first line of an order names buys all of it.
fn buyer_of_lines(
    draft: &mut TableDraft,
    land: &Landscape,
    plan: &OrdersPlan,
    (stated, number): (&str, &str),
    aggregated: &mut Vec<String>,
) {
    let own = plan.buyer.as_ref().filter(|found| found.path.is_empty() && plan.is_by_line());
    if own.is_some_and(|found| land.column(found.at).nulls > 0) {
        stated_by_lines(draft, "buyer_id", stated, aggregated);
        let orders = land.column(plan.order).distinct;
        let (with_a_buyer, _) = own
            .map_or((orders, 0), |found| land.table(plan.driver).combinations(&[plan.order.column, found.at.column]));
        if let (true, Some(drafted)) = (with_a_buyer * 200 < orders * 199, draft.column_mut("buyer_id")) {
            drafted.sql = format!("COALESCE({}, 'no-buyer-' || {number})", drafted.sql);
            drafted.remark("some orders name no buyer: each of them is taken as a buyer's only one");
        }
    }
}

fn sum_of_lines(
    draft: &mut TableDraft,
    scope: &mut Scope,
    plan: &OrdersPlan,
    lines: &Lines,
    pairs: &str,
    number: &str,
    aggregated: &[String],
) {
    let land = scope.land;
    let inner = Scope::new(land, lines.table, scope.currency);
    let raw = land.table(lines.table);
    let order = inner.id_of(lines.order, &inner.name(lines.order));
    let merchant = lines.merchant.map(|at| inner.id_of(at, &inner.name(at)));
    let line = line_number(land, lines);
    let is_of_order = |at: ColumnAt| raw.determines(lines.order.column, at.column);
    // What stands on every line, or on the first alone, is the whole order's: it is no part of a sum. Of an order of several merchants it is nobody's.
    let amount = line_amount(&inner, lines.table, &|at| !(plan.splits() && is_of_order(at)));
    let is_plain = amount.as_ref().is_some_and(|(_, from, _)| !from.contains(['×', '+']));
    let whole =
        amount.as_ref().and_then(|(piece, ..)| first_column(land, lines.table, &piece.sql)).filter(|_| is_plain);
    let share = whole.map_or(Share::Part, |at| parts::share_of_row(land, plan, lines, at));
    let is_whole_order = share != Share::Part;
    let priced = free_name(land, "priced");
    let mut columns = vec![format!("{order} AS order_number")];
    columns.extend(merchant.iter().map(|sql| format!("{sql} AS merchant")));
    columns.extend(line.map(|at| format!("{} AS line", inner.name(at))));
    let states_refunds = draft.has("refunded_at") || draft.has("refund_minor");
    let signed = amount.as_ref().filter(|_| share == Share::Part);
    let signed = signed.and_then(|(piece, ..)| signed_column(&inner, lines.table, &piece.sql));
    let fees = signed.map(|at| LineFees::of(land, lines.table, at));
    let is_fee = fees.as_ref().and_then(|fees| fees.condition(&inner));
    let takes_back = share == Share::Part && !states_refunds && amount.is_some();
    let others = fees.as_ref().map(|fees| fees.words.clone()).unwrap_or_default();
    let back = takes_back.then(|| super::refunds::reversed_lines(&inner, lines, signed, &others)).flatten();
    if let Some((piece, ..)) = &amount {
        columns.extend(owed_on_a_line(&piece.sql, is_fee.as_deref(), back.as_ref()));
    }
    // Lines that were sent twice count once, where a line has a number; else an order costs what its lines come to in one of the files.
    let is_by_file = line.is_none() && !is_whole_order && amount.is_some() && raw.sent_again * 100 >= raw.rows;
    if is_by_file {
        columns.push(format!("{}._file AS sent_in", raw.name));
    }
    let once = if line.is_some() { "SELECT DISTINCT" } else { "SELECT" };
    draft.with.push((priced.clone(), format!("{once}\n    {}\nFROM {}", columns.join(",\n    "), raw.name)));
    let keys = if merchant.is_some() { "order_number, merchant" } else { "order_number" };
    let sum = match &back {
        _ if amount.is_none() => String::new(),
        _ if is_whole_order => ",\n    MAX(owed_minor) AS amount_minor".to_owned(),
        Some(back) => format!(",\n    {SUM} AS amount_minor{}", back.sums()),
        None => format!(",\n    {SUM} AS amount_minor"),
    };
    let selected = keys.replace(", ", ",\n    ");
    if is_by_file {
        let by_file = free_name(land, "by_file");
        draft.with.push((
            by_file.clone(),
            format!("SELECT\n    {selected},\n    sent_in{sum}\nFROM {priced}\nGROUP BY {keys}, sent_in"),
        ));
        let largest = ",\n    MAX(amount_minor) AS amount_minor";
        let back = back.as_ref().map_or(String::new(), super::refunds::ReversedLines::once);
        draft.with.push((
            pairs.to_owned(),
            format!("SELECT\n    {selected}{largest}{back}\nFROM {by_file}\nGROUP BY {keys}"),
        ));
    } else {
        draft.with.push((pairs.to_owned(), format!("SELECT\n    {selected}{sum}\nFROM {priced}\nGROUP BY {keys}")));
    }
    draft.keys.push((plan.order, lines.order));
    let on = match (&merchant, plan.is_by_line()) {
        (Some(merchant), true) => format!("{number} = {pairs}.order_number AND {merchant} = {pairs}.merchant"),
        _ => format!("{number} = {pairs}.order_number"),
    };
    draft.joins.push(format!("LEFT JOIN {pairs} ON {on}"));
    if !aggregated.is_empty() {
        stated_once(draft, land, &inner, &order, aggregated);
    }
    if let Some(back) = &back {
        back.put(draft, pairs);
    }
    let below = signed.filter(|_| back.is_none() && fees.as_ref().is_none_or(|fees| fees.words.is_empty()));
    if let Some((piece, from, score)) = amount {
        draft.put(
            "amount_minor",
            Piece { sql: format!("{pairs}.amount_minor"), note: piece.note },
            if is_whole_order { from.clone() } else { format!("sum of {from}") },
            score,
        );
        if let Share::Unclear(why) = &share {
            draft.doubt("amount_minor", &format!("{from} {why}"));
        }
        if let Some(fees) = &fees {
            told_of_fees(draft, land, fees);
        }
        if let Some(at) = below {
            let (rows, name) = (land.column(at).numbers.negative.len(), &land.column(at).name);
            let note = format!(
                "{rows} line(s) have {name:?} below zero and are taken off their own order: where they are returns of another, they are no order and its refund"
            );
            draft.look_at("amount_minor", &note);
        }
        draft.head.push(if is_whole_order {
            format!("{from} is the whole order's on each of its lines, or on the first: it is taken once.")
        } else {
            "An amount that cannot be read makes its order's sum unknown, not smaller.".to_owned()
        });
    }
}

/// The sum of an order's lines, unknown where one of them is.
const SUM: &str = "CASE WHEN COUNT(owed_minor) = COUNT(*) THEN SUM(owed_minor) ELSE NULL END";

/// The column of a table that an amount is made of and that is below zero somewhere.
fn signed_column(inner: &Scope, table: usize, owed: &str) -> Option<ColumnAt> {
    let land = inner.land;
    land.columns(table).find(|at| !land.column(*at).numbers.negative.is_empty() && owed.contains(&inner.name(*at)))
}

/// Says which lines are no part of an order's amount, and asks where that is not known.
fn told_of_fees(draft: &mut TableDraft, land: &Landscape, fees: &LineFees) {
    if let (Some(note), Some(drafted)) = (fees.note(land), draft.column_mut("amount_minor")) {
        drafted.remark(&note);
    }
    if let Some(why) = fees.doubt() {
        draft.doubt("amount_minor", &why);
    }
}

/// What a line costs, and apart from it what it takes back. Of a fee the buyer owes nothing and gets nothing back.
fn owed_on_a_line(owed: &str, is_fee: Option<&str>, back: Option<&ReversedLines>) -> Vec<String> {
    let owed = is_fee.map_or(owed.to_owned(), |is_fee| format!("CASE WHEN {is_fee} THEN 0 ELSE {owed} END"));
    let Some(back) = back else { return vec![format!("{owed} AS owed_minor")] };
    let is_back = is_fee.map_or(back.condition.clone(), |is_fee| format!("({}) AND NOT ({is_fee})", back.condition));
    let mut columns = vec![
        format!("CASE WHEN {is_back} THEN 0 ELSE {owed} END AS owed_minor"),
        format!("CASE WHEN {is_back} THEN {owed} ELSE 0 END AS back_minor"),
    ];
    columns.extend(back.at.iter().map(|at| format!("CASE WHEN {is_back} THEN {at} ELSE NULL END AS back_at")));
    columns
}

/// What all lines of an order say of the order, as one row an order.
fn stated_once(draft: &mut TableDraft, land: &Landscape, inner: &Scope, order: &str, aggregated: &[String]) {
    let stated = free_name(land, "stated");
    let columns = aggregated.join(",\n    ");
    let body =
        format!("SELECT\n    {order} AS order_number,\n    {columns}\nFROM {}\nGROUP BY {order}", inner.driver_name());
    draft.with.push((stated.clone(), body));
    draft.joins.push(format!("LEFT JOIN {stated} ON {order} = {stated}.order_number"));
}

/// What the lines in the last file that has an order say of it: files that overlap tell how it stood each time.
fn stated_last(draft: &mut TableDraft, scope: &Scope, order: &str, newest: &str, columns: &[String]) {
    let by_file = free_name(scope.land, "stated_by_file");
    let (driver, columns) = (scope.driver_name(), columns.join(",\n    "));
    draft.with.push((
        by_file.clone(),
        format!(
            "SELECT\n    {order} AS order_number,\n    {driver}._file AS sent_in,\n    {columns}\nFROM {driver}\nGROUP BY {order}, {driver}._file"
        ),
    ));
    draft.with.push((
        newest.to_owned(),
        format!(
            "SELECT * FROM (\n    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_number ORDER BY sent_in DESC) AS _place FROM {by_file}\n) AS numbered\nWHERE _place = 1"
        ),
    ));
    draft.joins.push(format!("LEFT JOIN {newest} ON {order} = {newest}.order_number"));
    draft.head.push("Of the files that have an order, the last says how it stands.".to_owned());
}

/// A column that tells the lines of one order apart: only with it can a line that was sent twice be told from two pieces of one thing.
fn line_number(land: &Landscape, lines: &Lines) -> Option<ColumnAt> {
    let raw = land.table(lines.table);
    let tells = |at: &ColumnAt| {
        let name = land.column_name(*at);
        let is_number = name.says(C::Number)
            || name.says(C::Item)
            || (name.says(C::Id) && !name.says(C::Product) && !name.says(C::Merchant) && !name.says(C::Buyer));
        let (different, rows) = raw.combinations(&[lines.order.column, at.column]);
        is_number && land.column(*at).is_like_an_id() && rows == raw.rows && different as f64 >= 0.98 * rows as f64
    };
    land.columns(lines.table).filter(|at| *at != lines.order).find(tells)
}
