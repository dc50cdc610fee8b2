//! The wash once more, row by row and in no hurry: the specification that the fast one is checked against.

use std::collections::{BTreeMap, BTreeSet};

use integrity::contract::{self, TableContract, Type, Visibility};
use integrity::domain::AsOf;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::world::{Tables, Text};

/// A row's cells by column; a null has no entry.
pub type Row = BTreeMap<&'static str, String>;

#[derive(Debug, Default)]
pub struct TwinTable {
    pub read: u64,
    pub not_yet_visible: u64,
    pub duplicate: u64,
    pub rules: BTreeMap<String, u64>,
    /// The newest version of each key whose newest version is sound and undisputed; later milestones masked.
    pub usable: Vec<Row>,
    /// Keys whose newest version is broken, or has one beside it that contradicts it.
    pub unusable: BTreeSet<String>,
}

pub type Twin = BTreeMap<&'static str, TwinTable>;

fn micros(text: &str) -> Option<i64> {
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok().map(jiff::Timestamp::as_microsecond)
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

fn is_readable(kind: Type, text: &str) -> bool {
    match kind {
        Type::Instant => micros(text).is_some(),
        Type::Day => day(text).is_some(),
        Type::Money | Type::Integer => text.parse::<i64>().is_ok(),
        _ => true,
    }
}

/// The contract: no date before 1990, none after the first day of 2100.
fn is_a_date_of_the_contract(date: Date) -> bool {
    (1990..2100).contains(&date.year()) || date == jiff::civil::date(2100, 1, 1)
}

/// An instant cell that can be read and lies in the contract's range, its last midnight included.
fn time(row: &Row, column: &str) -> Option<i64> {
    let end = micros("2100-01-01 00:00:00").unwrap();
    let text = row.get(column)?;
    let date: DateTime = text.parse().ok()?;
    micros(text).filter(|at| is_a_date_of_the_contract(date.date()) && *at <= end)
}

fn is_not_before(row: &Row, column: &str, as_of: &AsOf) -> bool {
    time(row, column).is_some_and(|t| t >= as_of.micros())
}

/// Whether some date of the row lies in the past.
fn has_past(table: &TableContract, row: &Row, as_of: &AsOf) -> bool {
    table.columns.iter().any(|column| match (column.kind, row.get(column.name)) {
        (Type::Instant, Some(text)) => micros(text).is_some_and(|at| at < as_of.micros()),
        (Type::Day, Some(text)) => day(text).is_some_and(|on| on < as_of.date()),
        _ => false,
    })
}

fn has_event(table: &TableContract, row: &Row, as_of: &AsOf) -> bool {
    match table.visibility {
        Visibility::Instant(event) => !is_not_before(row, event, as_of),
        Visibility::Day(event) => row
            .get(event)
            .and_then(|d| day(d))
            .filter(|d| is_a_date_of_the_contract(*d))
            .is_none_or(|d| d < as_of.date()),
        Visibility::Parent => true,
    }
}

/// Whether a row says that it was recorded more than a day before its own event, a date being an event from its midnight on.
fn is_recorded_before_event(table: &TableContract, row: &Row) -> bool {
    let event = match table.visibility {
        Visibility::Instant(event) => time(row, event),
        Visibility::Day(event) => {
            let on = row.get(event).and_then(|text| day(text)).filter(|on| is_a_date_of_the_contract(*on));
            on.and_then(|on| micros(&format!("{on} 00:00:00")))
        }
        Visibility::Parent => None,
    };
    event.zip(time(row, "recorded_at")).is_some_and(|(event, recorded)| event > recorded + 86_400_000_000)
}

/// Whether a row says that it was recorded more than a day before something that it reports. Promises are made before.
fn is_recorded_before_milestone(row: &Row, milestone: &str) -> bool {
    !["ship_by_at", "promised_at", "left_at"].contains(&milestone)
        && time(row, milestone)
            .zip(time(row, "recorded_at"))
            .is_some_and(|(at, recorded)| at > recorded + 86_400_000_000)
}

/// Times that cannot precede others: what happens to a thing happens after it began.
const SEQUENCES: [(&str, &str, &[&str]); 7] = [
    ("merchants", "registered_at", &["closed_at"]),
    ("orders", "placed_at", &["paid_at", "cancelled_at", "completed_at", "refunded_at"]),
    ("disputes", "opened_at", &["closed_at"]),
    ("loans", "disbursed_at", &["written_off_at", "restructured_at"]),
    ("payments", "paid_at", &["reversed_at"]),
    ("guarantee_groups", "joined_at", &["left_at"]),
    ("shipments", "shipped_at", &["delivered_at"]),
];

/// Whether something that must follow `column` is of the past, and of before it where it has a time.
fn is_followed(table: &TableContract, row: &Row, column: &str, as_of: &AsOf) -> bool {
    let later = SEQUENCES.iter().filter(|(name, first, _)| *name == table.name && *first == column);
    let past = |name: &&str| time(row, name).filter(|at| *at < as_of.micros());
    later.flat_map(|(_, _, later)| later.iter().filter_map(past)).any(|at| time(row, column).is_some_and(|t| at < t))
}

/// What a row of a table that names orders or loans says: when it happened, and since when that is known.
fn happened(table: &TableContract, row: &Row) -> Option<(i64, i64)> {
    let at = match table.name {
        "reviews" => time(row, "created_at"),
        "disputes" => time(row, "opened_at"),
        "payments" => time(row, "paid_at"),
        "shipments" => ["shipped_at", "delivered_at", "lost_at"].iter().filter_map(|name| time(row, name)).min(),
        _ => {
            let on = row.get("due_on").and_then(|text| day(text)).filter(|on| is_a_date_of_the_contract(*on));
            on.and_then(|on| micros(&format!("{} 00:00:00", on.tomorrow().unwrap()))).map(|midnight| midnight - 1)
        }
    }?;
    Some((at, time(row, "recorded_at").map_or(at, |recorded| recorded.max(at))))
}

/// Whether a loan that does not say when it was recorded is named by a row that happened more than a day before it.
fn is_named_before(table: &TableContract, row: &Row, tables: &Tables, as_of: &AsOf) -> bool {
    if table.name != "loans" {
        return false;
    }
    let key = table.key[0];
    let (Some(event), Some(named), None) =
        (time(row, table.visibility.event().unwrap()), row.get(key), time(row, "recorded_at"))
    else {
        return false;
    };
    let children = ["instalments", "payments"];
    children.iter().filter_map(|name| Some((contract::table(name)?, tables.get(name)?))).any(|(child, text)| {
        rows_of(child, text).any(|other| {
            let is_theirs = child.column("merchant_id").is_none() || other.get("merchant_id") == row.get("merchant_id");
            other.get(key) == Some(named)
                && is_theirs
                && happened(child, &other)
                    .is_some_and(|(at, known)| at + 86_400_000_000 < event && known < as_of.micros())
        })
    })
}

/// The rows of a table, a null being no entry.
fn rows_of<'a>(table: &'static TableContract, text: &'a Text) -> impl Iterator<Item = Row> + 'a {
    text.rows.iter().map(move |cells| row_of(table, text, cells))
}

fn row_of(table: &TableContract, text: &Text, cells: &[String]) -> Row {
    table
        .columns
        .iter()
        .filter_map(|c| {
            text.columns.iter().position(|name| name == c.name).map(|at| (c.name, cell_of(c.kind, &cells[at])))
        })
        .filter(|(_, cell)| !cell.is_empty())
        .collect()
}

/// What a cell says: white space around what is no text says nothing.
fn cell_of(kind: Type, cell: &str) -> String {
    if matches!(kind, Type::Text | Type::Word(_)) { cell.to_owned() } else { cell.trim().to_owned() }
}

/// The contract: an id has no more than 256 characters, each of which a reader sees, and has not become a number of powers of ten.
fn is_id(text: &str) -> bool {
    let is_seen = |c: char| !c.is_control() && !"\u{200b}\u{feff}\u{fffd}".contains(c);
    let is_shortened = text.split_once(['e', 'E']).is_some_and(|(digits, power)| {
        digits.contains('.') && power.trim_start_matches('+').parse::<u32>().is_ok_and(|power| power > 15)
    });
    text.chars().count() <= 256 && text.chars().all(is_seen) && !is_shortened
}

/// Whether a row with an event of its own waits for its day, for all that the row alone says.
fn waits_alone(table: &TableContract, row: &Row, as_of: &AsOf) -> bool {
    let is_contradicted = table.visibility.event().is_some_and(|event| is_followed(table, row, event, as_of));
    let waits = !has_event(table, row, as_of) && !is_recorded_before_event(table, row) && !is_contradicted;
    waits || is_not_before(row, "recorded_at", as_of)
}

/// Whether other rows say of a row that waits that it had happened before.
fn is_told(table: &'static TableContract, row: &Row, tables: &Tables, as_of: &AsOf) -> bool {
    let same_key = |other: &Row| key_of(table, other) == key_of(table, row);
    waits_alone(table, row, as_of)
        && is_named_before(table, row, tables, as_of)
        && !rows_of(table, &tables[table.name]).any(|other| same_key(&other) && !waits_alone(table, &other, as_of))
}

/// Whether a row is of the future: nothing that is known before as-of tells of it.
pub fn waits(table: &'static TableContract, text: &Text, cells: &[String], tables: &Tables, as_of: &AsOf) -> bool {
    let row = row_of(table, text, cells);
    waits_alone(table, &row, as_of) && !is_told(table, &row, tables, as_of)
}

fn masked(table: &TableContract, mut row: Row, as_of: &AsOf) -> Row {
    for mask in table.masks {
        if is_not_before(&row, mask.milestone, as_of)
            && !is_recorded_before_milestone(&row, mask.milestone)
            && !is_followed(table, &row, mask.milestone, as_of)
        {
            row.remove(mask.milestone);
            for revealed in mask.reveals {
                row.remove(revealed);
            }
        }
    }
    row
}

fn holds(check: &str, row: &Row) -> bool {
    if check == "outcome IS NULL OR closed_at IS NOT NULL" {
        return !row.contains_key("outcome") || row.contains_key("closed_at");
    }
    if check == "refunded_at IS NOT NULL OR refund_minor = 0" {
        let refund = row.get("refund_minor").and_then(|text| text.parse::<i64>().ok());
        return row.contains_key("refunded_at") || refund.is_none_or(|refund| refund == 0);
    }
    if check == "order_id IS NOT NULL OR kind = 'lawsuit'" {
        return row.contains_key("order_id") || row.get("kind").is_some_and(|kind| kind == "lawsuit");
    }
    let words: Vec<&str> = check.split(' ').collect();
    assert_eq!(words.len(), 3, "teach the twin {check:?}");
    let (left, sign, right) = (words[0], words[1], words[2]);
    let value = |column: &str| row.get(column).and_then(|text| micros(text).or_else(|| text.parse().ok()));
    match (value(left), value(right)) {
        (Some(l), Some(r)) => {
            if sign == ">=" {
                l >= r
            } else {
                l <= r
            }
        }
        _ => true,
    }
}

fn key_of(table: &TableContract, row: &Row) -> String {
    table.key.iter().map(|k| row.get(k).cloned().unwrap_or_default()).collect::<Vec<_>>().join("|")
}

fn first_failing(table: &TableContract, row: &Row, is_told: bool, twin: &Twin) -> Option<String> {
    let cells = || table.columns.iter().filter_map(|c| row.get(c.name).map(|text| (c, text)));
    if cells().any(|(c, text)| !is_readable(c.kind, text)) {
        return Some("type-unreadable".to_owned());
    }
    if table.columns.iter().any(|c| c.required && !row.contains_key(c.name)) {
        return Some("required-null".to_owned());
    }
    if cells().any(|(c, text)| c.kind == Type::Id && !is_id(text)) {
        return Some("id-malformed".to_owned());
    }
    if cells().any(|(c, text)| matches!(c.kind, Type::Word(words) if !words.contains(&text.as_str()))) {
        return Some("word-not-allowed".to_owned());
    }
    let is_outside = |column: &contract::Column, text: &str| match (column.kind, column.range) {
        (Type::Instant, _) => time(row, column.name).is_none(),
        (Type::Day, _) => !day(text).is_some_and(is_a_date_of_the_contract),
        (Type::Money, None) => text.parse::<i64>().unwrap().unsigned_abs() > 1_000_000_000_000_000,
        (_, Some((low, high))) => !(low..=high).contains(&text.parse::<i64>().unwrap()),
        _ => false,
    };
    if cells().any(|(c, text)| is_outside(c, text)) {
        return Some("out-of-range".to_owned());
    }
    if row.get("currency").is_some_and(|c| c != "CNY") {
        return Some("wrong-currency".to_owned());
    }
    if is_recorded_before_event(table, row) {
        return Some("recorded-before-event".to_owned());
    }
    if table.masks.iter().any(|mask| is_recorded_before_milestone(row, mask.milestone)) {
        return Some("recorded-before-milestone".to_owned());
    }
    if is_told {
        return Some("named-before-event".to_owned());
    }
    if let Some(check) = table.checks.iter().find(|check| !holds(check.holds, row)) {
        return Some(check.rule.to_owned());
    }
    for reference in table.foreign_keys {
        let Some(named) = row.get(reference.column) else { continue };
        let parent = &twin[reference.table];
        if parent.unusable.contains(named) {
            return Some("parent-quarantined".to_owned());
        }
        match parent.usable.iter().find(|p| p.get(reference.key) == Some(named)) {
            None => return Some("parent-missing".to_owned()),
            Some(p) if reference.same_merchant && p.get("merchant_id") != row.get("merchant_id") => {
                return Some("parent-of-another-merchant".to_owned());
            }
            Some(_) => {}
        }
    }
    None
}

pub fn wash(tables: &Tables, as_of: &AsOf) -> Twin {
    let mut twin = wash_as_said(tables, as_of);
    // What became of a merchant meanwhile makes no difference to what was said of its orders and parcels.
    let mut standing = tables.clone();
    standing.insert("merchants", as_they_stand(&tables["merchants"], &twin["merchants"].usable));
    // Buyers by the name that an order's newest version has for them, and by the one that counts.
    let mut renamed: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    if let Some(orders) = twin.get_mut("orders") {
        for row in &mut orders.usable {
            hold_amount(row, &standing, as_of);
            hold_end(row, &standing, as_of);
            let about = rows_about(row, &standing);
            hold_times(row, "orders", &about, as_of);
            let stated = row["buyer_id"].clone();
            hold_names(row, "orders", &about, &["buyer_id"], &[], as_of);
            let own = (row["merchant_id"].clone(), row["order_id"].clone());
            renamed.insert(own, (stated, row["buyer_id"].clone()));
        }
    }
    if let Some(mut parcels) = twin.remove("shipments") {
        let orders = as_they_stand(&tables["orders"], &twin["orders"].usable);
        let parents = Tables::from([("merchants", standing["merchants"].clone()), ("orders", orders)]);
        for row in &mut parcels.usable {
            let mut about = parents.clone();
            about.insert("shipments", versions_of(row, "shipments", &tables["shipments"]));
            hold_loss(row, &about, as_of);
            hold_promises(row, &tables["shipments"], &parents, as_of);
        }
        twin.insert("shipments", parcels);
    }
    for name in ["shipments", "reviews", "disputes"] {
        let Some(mut rows) = twin.remove(name) else { continue };
        let orders = as_they_stand(&tables["orders"], &twin["orders"].usable);
        for row in &mut rows.usable {
            let about = Tables::from([
                ("merchants", standing["merchants"].clone()),
                ("orders", orders.clone()),
                (name, versions_of(row, name, &tables[name])),
            ]);
            hold_times(row, name, &about, as_of);
            let names: &[&'static str] = if name == "shipments" { &["order_id"] } else { &["order_id", "buyer_id"] };
            hold_names(row, name, &about, names, &twin["orders"].usable, as_of);
            if name == "shipments" {
                continue;
            }
            let own = row.get("order_id").map(|order| (row["merchant_id"].clone(), order.clone()));
            if let Some((stated, counted)) = own.and_then(|own| renamed.get(&own))
                && row.get("buyer_id") == Some(stated)
            {
                row.insert("buyer_id", counted.clone());
            }
        }
        twin.insert(name, rows);
    }
    if let Some(mut payments) = twin.remove("payments") {
        let loans = as_they_stand(&tables["loans"], &twin["loans"].usable);
        for row in &mut payments.usable {
            let about = Tables::from([
                ("merchants", standing["merchants"].clone()),
                ("loans", loans.clone()),
                ("payments", versions_of(row, "payments", &tables["payments"])),
            ]);
            hold_names(row, "payments", &about, &["channel"], &[], as_of);
        }
        twin.insert("payments", payments);
    }
    twin
}

/// The versions of a row.
fn versions_of(row: &Row, table: &str, text: &Text) -> Text {
    let key = contract::table(table).unwrap().key[0];
    let at = text.at(key);
    let rows = text.rows.iter().filter(|cells| Some(&cells[at]) == row.get(key)).cloned().collect();
    Text { columns: text.columns.clone(), rows }
}

/// Dates a row as it was first said to be, and a parcel and a refund as late as was ever said, found by looking at the row after everything that any of the
/// rows about it says happened.
fn hold_times(row: &mut Row, table: &str, about: &Tables, as_of: &AsOf) {
    if about[table].rows.len() < 2 {
        return;
    }
    let (first, latest): (&[&str], &[&str]) = match table {
        "orders" => (&["placed_at", "paid_at", "completed_at", "cancelled_at"], &["refunded_at"]),
        "reviews" => (&["created_at"], &[]),
        "disputes" => (&["opened_at"], &["closed_at"]),
        _ => (&[], &["shipped_at", "delivered_at"]),
    };
    let key = contract::table(table).unwrap().key[0];
    let is_own = |other: &&Row| [key, "merchant_id"].iter().all(|name| other.get(*name) == row.get(*name));
    let cells = about.values().flat_map(|text| text.rows.iter().flatten());
    let instants: BTreeSet<i64> = cells.filter_map(|cell| micros(cell)).filter(|at| *at < as_of.micros()).collect();
    let seen: Vec<Row> = instants
        .into_iter()
        .filter_map(|at| wash_as_said(about, &just_after(at))[table].usable.iter().find(is_own).cloned())
        .collect();
    let mut is_held = false;
    for name in first {
        if let Some((said, stated)) = seen.iter().find_map(|seen| seen.get(*name)).zip(row.get(*name))
            && said != stated
        {
            row.insert(name, said.clone());
            is_held = true;
        }
    }
    for name in latest {
        let said = seen.iter().filter_map(|seen| seen.get(*name)).max_by_key(|text| micros(text));
        if let Some((said, stated)) = said.zip(row.get(*name))
            && micros(said) > micros(stated)
        {
            row.insert(name, said.clone());
            is_held = true;
        }
    }
    if !is_held {
        return;
    }
    let milestones = ["placed_at", "paid_at", "completed_at", "cancelled_at"];
    let begun = milestones.iter().filter_map(|name| row.get(*name)).min_by_key(|text| micros(text));
    if let ("orders", Some(begun)) = (table, begun.cloned()) {
        row.insert("placed_at", begun);
    }
    for (begins, ends) in [("placed_at", "refunded_at"), ("shipped_at", "delivered_at"), ("opened_at", "closed_at")] {
        if let Some((begun, ended)) = row.get(begins).zip(row.get(ends))
            && micros(begun) > micros(ended)
        {
            row.insert(ends, begun.clone());
        }
    }
}

/// A table of rows that were always as they are now.
fn as_they_stand(text: &Text, usable: &[Row]) -> Text {
    let cell = |row: &Row, column: &str| match column {
        "recorded_at" => String::new(),
        column => row.get(column).cloned().unwrap_or_default(),
    };
    let rows = usable.iter().map(|row| text.columns.iter().map(|column| cell(row, column)).collect()).collect();
    Text { columns: text.columns.clone(), rows }
}

/// Leaves a parcel the promises that had passed when it last was looked at with them, found by looking at it after everything that any row says happened.
fn hold_promises(row: &mut Row, shipments: &Text, parents: &Tables, as_of: &AsOf) {
    let mut about = parents.clone();
    let parcels = about.entry("shipments").or_insert_with(|| shipments.clone());
    let at = parcels.at("shipment_id");
    parcels.rows.retain(|cells| Some(&cells[at]) == row.get("shipment_id"));
    if parcels.rows.len() < 2 {
        return;
    }
    let cells = about.values().flat_map(|text| text.rows.iter().flatten());
    let instants: BTreeSet<i64> = cells.filter_map(|cell| micros(cell)).filter(|at| *at < as_of.micros()).collect();
    let is_own = |other: &&Row| ["shipment_id", "merchant_id"].iter().all(|name| other.get(name) == row.get(name));
    let seen: Vec<Row> = instants
        .into_iter()
        .filter_map(|at| wash_as_said(&about, &just_after(at))["shipments"].usable.iter().find(is_own).cloned())
        .collect();
    for name in ["ship_by_at", "promised_at"] {
        // What lies ahead is masked: a promise that is seen has passed.
        let passed = seen.iter().filter_map(|parcel| parcel.get(name)).min_by_key(|text| micros(text));
        let Some(first) = passed else { continue };
        if row.get(name).is_none_or(|stated| micros(stated) > micros(first)) {
            row.insert(name, first.clone());
        }
    }
}

/// Holds what an order comes to to the least that was said of it from when it was sent off, found by looking at it after everything that any of the rows
/// about it says happened.
fn hold_amount(row: &mut Row, tables: &Tables, as_of: &AsOf) {
    let amount = |row: &Row| row["amount_minor"].parse::<i64>().unwrap();
    let about = rows_about(row, tables);
    let amounts: BTreeSet<&String> =
        about["orders"].rows.iter().map(|cells| &cells[about["orders"].at("amount_minor")]).collect();
    if amounts.len() < 2 {
        return;
    }
    let cells = about.values().flat_map(|text| text.rows.iter().flatten());
    let instants: BTreeSet<i64> = cells.filter_map(|cell| micros(cell)).filter(|at| *at < as_of.micros()).collect();
    let is_own = |other: &&Row| ["order_id", "merchant_id"].iter().all(|name| other.get(name) == row.get(name));
    let mut is_sent = false;
    let mut least = i64::MAX;
    for at in instants {
        let seen = wash_as_said(&about, &just_after(at));
        let parcels = seen.get("shipments").into_iter().flat_map(|parcels| &parcels.usable).filter(is_own);
        let order = seen["orders"].usable.iter().find(is_own);
        is_sent |= parcels.into_iter().any(|p| p.contains_key("shipped_at") || p.contains_key("delivered_at"));
        is_sent |= order.is_some_and(|order| order.contains_key("completed_at"));
        if let Some(order) = order.filter(|_| is_sent) {
            least = least.min(amount(order));
        }
    }
    if amount(row) > least {
        row.insert("amount_minor", least.to_string());
        if let Some(refund) = row.get_mut("refund_minor") {
            *refund = refund.parse::<i64>().unwrap().min(least).to_string();
        }
    }
}

/// Leaves an order that is open as it was when it last had an end, and one that was cancelled or paid back so, unless it was completed since, found by looking at it after everything
/// that any of the rows about it says happened.
fn hold_end(row: &mut Row, tables: &Tables, as_of: &AsOf) {
    let ends = ["completed_at", "cancelled_at", "refunded_at"];
    let has_ended = |row: &Row| ends.iter().any(|end| row.contains_key(*end));
    let about = rows_about(row, tables);
    if about["orders"].rows.len() < 2 {
        return;
    }
    let seen = seen_after_each(row, "orders", &about, as_of);
    let put = |row: &mut Row, name: &str, told: &Row| {
        if let Some(text) = told.get(name) {
            let name = contract::ORDERS.column(name).unwrap().name;
            row.insert(name, text.clone());
        }
    };
    if let (false, Some(ended)) = (has_ended(row), seen.iter().rev().find(|seen| has_ended(seen))) {
        ends.into_iter().chain(["refund_minor"]).for_each(|name| put(row, name, ended));
    }
    for end in ["cancelled_at", "refunded_at"] {
        let Some(last) = seen.iter().rposition(|seen| seen.contains_key(end)) else { continue };
        let told = &seen[last];
        let is_completed_since =
            row.contains_key("completed_at") && seen[..=last].iter().all(|seen| !seen.contains_key("completed_at"));
        if !row.contains_key(end) && !is_completed_since {
            put(row, end, told);
            if end == "refunded_at" {
                row.remove("refund_minor");
                put(row, "refund_minor", told);
            }
        }
    }
    let refund = |row: &Row| row.get("refund_minor").map(|text| text.parse::<i64>().unwrap());
    if let (Some(stated), Some(most)) = (refund(row), seen.iter().filter_map(refund).max()) {
        let most = stated.max(most).min(row["amount_minor"].parse().unwrap());
        row.insert("refund_minor", most.to_string());
    }
}

/// Leaves a parcel that was lost so, unless it arrived since.
fn hold_loss(row: &mut Row, about: &Tables, as_of: &AsOf) {
    if about["shipments"].rows.len() < 2 || row.contains_key("lost_at") {
        return;
    }
    let seen = seen_after_each(row, "shipments", about, as_of);
    let Some(lost) = seen.iter().filter_map(|seen| seen.get("lost_at")).max_by_key(|text| micros(text)) else { return };
    match row.get("delivered_at") {
        None => _ = row.insert("lost_at", lost.clone()),
        Some(arrived) if micros(arrived) < micros(lost) => _ = row.insert("delivered_at", lost.clone()),
        Some(_) => {}
    }
}

/// Leaves a row what was first seen of it for longer than two weeks.
fn hold_names(row: &mut Row, table: &str, about: &Tables, names: &[&'static str], orders: &[Row], as_of: &AsOf) {
    if about[table].rows.len() < 2 {
        return;
    }
    for name in names {
        // What is said of it, from when on and until when: while the row is not seen nothing is.
        let mut said: Vec<(Option<String>, i64, i64)> = Vec::new();
        let mut ends = true;
        for (at, seen) in looked_at_after_each(row, table, about, as_of) {
            let Some(seen) = seen else {
                if let (false, Some(last)) = (ends, said.last_mut()) {
                    last.2 = at;
                }
                ends = true;
                continue;
            };
            let text = seen.get(*name).cloned();
            match said.last_mut() {
                Some(last) if last.0 == text => {}
                last => {
                    if let (false, Some(last)) = (ends, last) {
                        last.2 = at;
                    }
                    said.push((text, at, i64::MAX));
                }
            }
            ends = false;
        }
        let two_weeks = 14 * 86_400_000_000;
        let is_long = |said: &&(Option<String>, i64, i64)| said.2 != i64::MAX && said.2 - said.1 > two_weeks;
        let Some((first, ..)) = said.iter().find(is_long) else { continue };
        let is_known = |id: &String| {
            orders
                .iter()
                .any(|order| order.get("order_id") == Some(id) && order.get("merchant_id") == row.get("merchant_id"))
        };
        if *name == "order_id" && !first.as_ref().is_some_and(is_known) {
            continue;
        }
        match first {
            Some(text) => _ = row.insert(name, text.clone()),
            None => _ = row.remove(name),
        }
    }
}

/// A row as it is seen just after each of the instants that any row about it says.
fn looked_at_after_each(row: &Row, table: &str, about: &Tables, as_of: &AsOf) -> Vec<(i64, Option<Row>)> {
    let key = contract::table(table).unwrap().key[0];
    let is_own = |other: &&Row| [key, "merchant_id"].iter().all(|name| other.get(*name) == row.get(*name));
    let cells = about.values().flat_map(|text| text.rows.iter().flatten());
    let instants: BTreeSet<i64> = cells.filter_map(|cell| micros(cell)).filter(|at| *at < as_of.micros()).collect();
    let look = |at| (at, wash_as_said(about, &just_after(at))[table].usable.iter().find(is_own).cloned());
    instants.into_iter().map(look).collect()
}

fn seen_after_each(row: &Row, table: &str, about: &Tables, as_of: &AsOf) -> Vec<Row> {
    looked_at_after_each(row, table, about, as_of).into_iter().filter_map(|(_, seen)| seen).collect()
}

/// The rows that name an order, and the merchants.
fn rows_about(order: &Row, tables: &Tables) -> Tables {
    let of_order = |text: &Text| {
        let at = text.at("order_id");
        let rows = text.rows.iter().filter(|cells| Some(&cells[at]) == order.get("order_id")).cloned().collect();
        Text { columns: text.columns.clone(), rows }
    };
    let about = tables.iter().filter_map(|(name, text)| match *name {
        "merchants" => Some((*name, text.clone())),
        "orders" | "shipments" => Some((*name, of_order(text))),
        _ => None,
    });
    about.collect()
}

/// The second after an instant.
fn just_after(at: i64) -> AsOf {
    let then = jiff::Timestamp::from_microsecond(at + 1_000_000).unwrap().to_zoned(TimeZone::UTC);
    let since_midnight = i32::from(then.hour()) * 3_600 + i32::from(then.minute()) * 60 + i32::from(then.second());
    let offset = jiff::tz::Offset::from_seconds(-since_midnight).unwrap();
    AsOf::new(then.date(), TimeZone::fixed(offset)).unwrap()
}

/// Before what an order comes to is held to what it was.
fn wash_as_said(tables: &Tables, as_of: &AsOf) -> Twin {
    let mut twin = Twin::new();
    for table in contract::TABLES.iter().filter(|t| tables.contains_key(t.name)) {
        let washed = wash_one(table, tables, as_of, &twin);
        twin.insert(table.name, washed);
    }
    twin
}

/// A visible row and the rule that it breaks.
struct Judged {
    row: Row,
    rule: Option<String>,
    /// Its place among the versions of its key.
    order: (bool, Option<i64>),
}

fn wash_one(table: &'static TableContract, tables: &Tables, as_of: &AsOf, twin: &Twin) -> TwinTable {
    let text = &tables[table.name];
    let mut washed = TwinTable::default();
    let mut by_key: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
    for cells in &text.rows {
        washed.read += 1;
        let row = row_of(table, text, cells);
        let is_told = is_told(table, &row, tables, as_of);
        let mut is_hidden = waits_alone(table, &row, as_of) && !is_told;
        if table.visibility == Visibility::Parent {
            let reference = table.parent().unwrap();
            let parent = &twin[reference.table];
            let is_seen = row.get(reference.column).is_some_and(|named| {
                parent.usable.iter().any(|p| p.get(reference.key) == Some(named)) || parent.unusable.contains(named)
            });
            is_hidden |= !is_seen && !has_past(table, &row, as_of);
        }
        if is_hidden {
            washed.not_yet_visible += 1;
            continue;
        }
        let row = masked(table, row, as_of);
        let rule = first_failing(table, &row, is_told, twin);
        if let Some(rule) = &rule {
            *washed.rules.entry(rule.clone()).or_default() += 1;
        }
        let has_whole_key =
            table.key.iter().all(|k| row.get(k).is_some_and(|text| is_readable(table.column(k).unwrap().kind, text)));
        if has_whole_key {
            by_key.entry(key_of(table, &row)).or_default().push(Judged { order: learnt(&row), row, rule });
        }
    }
    for (key, mut versions) in by_key {
        let orders: Vec<_> = versions.iter().map(|version| order(table, version, &versions, as_of.micros())).collect();
        for (version, order) in versions.iter_mut().zip(orders) {
            version.order = order;
        }
        let sound = versions.iter().filter(|v| v.rule.is_none()).count() as u64;
        let contradicting = contradicting(&versions);
        if contradicting > 0 {
            *washed.rules.entry("versions-contradict".to_owned()).or_default() += contradicting;
        }
        if let Some(row) = newest(&versions) {
            washed.usable.push(row);
            washed.duplicate += sound - contradicting - 1;
        } else {
            washed.unusable.insert(key);
            washed.duplicate += sound - contradicting;
        }
    }
    washed
}

/// When the source learnt of a version: the last where that cannot be read, the first where it does not say.
fn learnt(row: &Row) -> (bool, Option<i64>) {
    let at = time(row, "recorded_at");
    (row.contains_key("recorded_at") && at.is_none(), at)
}

/// The place of a version among those of its key. One whose stamp precedes what it reports may be of any age, unless a version that is not lost tells which of
/// the two is wrong: one whose event had happened by the stamp, or a later one that reports the milestone as past. It is older than the latter.
///
/// One without a stamp is the first, unless it reports what was not yet when another was stamped: then it is like the last of these.
fn order(table: &TableContract, version: &Judged, versions: &[Judged], until: i64) -> (bool, Option<i64>) {
    let (is_unreadable, Some(mut stamp)) = learnt(&version.row) else {
        let (false, None) = learnt(&version.row) else { return learnt(&version.row) };
        let milestones = table.masks.iter().filter(|mask| !mask.is_foreseen).map(|mask| mask.milestone);
        let happened =
            table.visibility.event().into_iter().chain(milestones).filter_map(|name| time(&version.row, name));
        let happened: Vec<i64> = happened.filter(|at| *at < until).collect();
        let stamped = versions.iter().filter(|other| learnt(&other.row).1.is_some());
        let stamped = stamped.filter_map(|other| order(table, other, versions, until).1);
        return (false, stamped.filter(|at| happened.iter().any(|time| *time > at + 86_400_000_000)).max());
    };
    let recorded = stamp;
    let telling = || versions.iter().filter(|other| !is_lost(other));
    let day = 86_400_000_000;
    if is_recorded_before_event(table, &version.row) {
        let event = table.visibility.event().unwrap();
        let had_happened = telling().filter(|other| time(&other.row, event).is_some_and(|at| at <= recorded + day));
        let tells = had_happened.map(|other| time(&other.row, "recorded_at").unwrap_or(recorded)).min();
        match tells {
            None => return (true, Some(stamp)),
            Some(tells) if tells > recorded => stamp = stamp.max(tells - 1),
            Some(_) => {}
        }
    }
    for milestone in table.masks.iter().map(|mask| mask.milestone) {
        if !is_recorded_before_milestone(&version.row, milestone) {
            continue;
        }
        let reports = telling().filter_map(|other| {
            let later = time(&other.row, "recorded_at").filter(|later| *later > recorded)?;
            time(&other.row, milestone).filter(|at| *at <= later).map(|_| later)
        });
        match reports.min() {
            None => return (true, Some(stamp)),
            Some(tells) => stamp = stamp.max(tells - 1),
        }
    }
    (is_unreadable, Some(stamp))
}

/// A version that says nothing: it breaks a rule, and not only because of what became of its parent.
fn is_lost(version: &Judged) -> bool {
    version.rule.as_deref().is_some_and(|rule| rule != "parent-quarantined")
}

/// Versions of one instant, those that say something.
fn saying_at<'a>(versions: &'a [Judged], instant: &(bool, Option<i64>)) -> Vec<&'a Judged> {
    versions.iter().filter(|v| v.order == *instant && !is_lost(v)).collect()
}

/// The one among versions of an instant that says whatever any of them says.
fn fullest<'a>(versions: &[&'a Judged]) -> Option<&'a Judged> {
    let says_all = |candidate: &&&Judged| {
        let own = said(&candidate.row);
        versions.iter().all(|v| said(&v.row).iter().all(|(column, text)| own.get(column) == Some(text)))
    };
    versions.iter().find(says_all).copied()
}

/// How many different things are said by the sound versions of instants at which none of them is the fullest.
fn contradicting(versions: &[Judged]) -> u64 {
    let instants: BTreeSet<_> = versions.iter().map(|v| v.order).collect();
    let mut count = 0;
    for instant in instants {
        let mut sound = saying_at(versions, &instant);
        sound.retain(|v| v.rule.is_none());
        if fullest(&sound).is_none() {
            count += sound.iter().map(|v| said(&v.row)).collect::<BTreeSet<Row>>().len() as u64;
        }
    }
    count
}

/// What is said of a key: the fullest of its newest versions, by when the source learnt of them; `None` where one of them is broken or
/// none is the fullest. Of versions that say the same one after the other the first stands for all.
fn newest(versions: &[Judged]) -> Option<Row> {
    let mut instants: Vec<_> = versions.iter().map(|v| v.order).collect();
    instants.sort_unstable();
    instants.dedup();
    let mut counts: Option<&Judged> = None;
    for instant in instants.iter().rev() {
        let has_lost = versions.iter().any(|v| v.order == *instant && is_lost(v));
        let fullest = fullest(&saying_at(versions, instant)).filter(|v| v.rule.is_none());
        let is_same = fullest.zip(counts).is_none_or(|(earlier, later)| said(&earlier.row) == said(&later.row));
        match fullest {
            Some(version) if !has_lost && is_same => counts = Some(version),
            _ => break,
        }
    }
    counts.map(|version| version.row.clone())
}

/// All that a row says but when the source learnt of it.
fn said(row: &Row) -> Row {
    row.iter().filter(|(name, _)| **name != "recorded_at").map(|(name, text)| (*name, text.clone())).collect()
}
