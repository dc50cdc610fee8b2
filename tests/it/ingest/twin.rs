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
    pub ahead: u64,
    pub duplicate: u64,
    pub rules: BTreeMap<String, u64>,
    /// Sound visible rows, all versions, later milestones masked; latest first within a key.
    pub sound: Vec<(Row, bool)>,
    quarantined_keys: BTreeSet<String>,
}

impl TwinTable {
    pub fn latest(&self) -> Vec<&Row> {
        self.sound.iter().filter(|(_, latest)| *latest).map(|(row, _)| row).collect()
    }
}

pub type Twin = BTreeMap<&'static str, TwinTable>;

fn micros(text: &str) -> Option<i64> {
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok().map(jiff::Timestamp::as_microsecond)
}

fn is_readable(kind: Type, text: &str) -> bool {
    match kind {
        Type::Instant => micros(text).is_some(),
        Type::Day => text.len() == 10 && text.parse::<Date>().is_ok(),
        Type::Money | Type::Integer => text.parse::<i64>().is_ok(),
        _ => true,
    }
}

/// An instant cell that can be read.
fn time(row: &Row, column: &str) -> Option<i64> {
    row.get(column).and_then(|text| micros(text))
}

fn is_before(row: &Row, column: &str, as_of: &AsOf) -> bool {
    time(row, column).is_some_and(|t| t < as_of.micros())
}

fn is_not_before(row: &Row, column: &str, as_of: &AsOf) -> bool {
    time(row, column).is_some_and(|t| t >= as_of.micros())
}

fn has_event(table: &TableContract, row: &Row, as_of: &AsOf) -> bool {
    match table.visibility {
        Visibility::Instant(event) => !is_not_before(row, event, as_of),
        Visibility::Day(event) => row
            .get(event)
            .and_then(|d| d.parse::<Date>().ok().filter(|_| d.len() == 10))
            .is_none_or(|d| d < as_of.date()),
        Visibility::Parent => true,
    }
}

fn masked(table: &TableContract, mut row: Row, as_of: &AsOf) -> Row {
    for mask in table.masks {
        if is_not_before(&row, mask.milestone, as_of) {
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

fn first_failing(table: &TableContract, row: &Row, twin: &Twin) -> Option<String> {
    let cells = || table.columns.iter().filter_map(|c| row.get(c.name).map(|text| (c, text)));
    if cells().any(|(c, text)| !is_readable(c.kind, text)) {
        return Some("type-unreadable".to_owned());
    }
    if table.columns.iter().any(|c| c.required && !row.contains_key(c.name)) {
        return Some("required-null".to_owned());
    }
    if cells().any(|(c, text)| matches!(c.kind, Type::Word(words) if !words.contains(&text.as_str()))) {
        return Some("word-not-allowed".to_owned());
    }
    let is_outside = |range: Option<(i64, i64)>, text: &str| {
        range.is_some_and(|(low, high)| {
            let n: i64 = text.parse().unwrap();
            n < low || n > high
        })
    };
    if cells().any(|(c, text)| is_outside(c.range, text)) {
        return Some("out-of-range".to_owned());
    }
    if row.get("currency").is_some_and(|c| c != "CNY") {
        return Some("wrong-currency".to_owned());
    }
    if let Some(check) = table.checks.iter().find(|check| !holds(check.holds, row)) {
        return Some(check.rule.to_owned());
    }
    for reference in table.foreign_keys {
        let Some(named) = row.get(reference.column) else { continue };
        let parent = &twin[reference.table];
        match parent.latest().into_iter().find(|p| p.get(reference.key) == Some(named)) {
            None if parent.quarantined_keys.contains(named) => return Some("parent-quarantined".to_owned()),
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
    let mut twin = Twin::new();
    for table in contract::TABLES.iter().filter(|t| tables.contains_key(t.name)) {
        let washed = wash_one(table, &tables[table.name], as_of, &twin);
        twin.insert(table.name, washed);
    }
    twin
}

fn wash_one(table: &TableContract, text: &Text, as_of: &AsOf, twin: &Twin) -> TwinTable {
    let mut washed = TwinTable::default();
    let mut sound: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for cells in &text.rows {
        washed.read += 1;
        let row: Row = table
            .columns
            .iter()
            .filter_map(|c| text.columns.iter().position(|name| name == c.name).map(|at| (c.name, cells[at].clone())))
            .filter(|(_, cell)| !cell.is_empty())
            .collect();
        let mut is_ahead = !has_event(table, &row, as_of) || is_not_before(&row, "recorded_at", as_of);
        if table.visibility == Visibility::Parent {
            let reference = table.parent().unwrap();
            let parent = &twin[reference.table];
            let is_seen = row.get(reference.column).is_some_and(|named| {
                parent.latest().iter().any(|p| p.get(reference.key) == Some(named))
                    || parent.quarantined_keys.contains(named)
            });
            let has_past = table.masks.iter().any(|m| is_before(&row, m.milestone, as_of))
                || is_before(&row, "recorded_at", as_of);
            is_ahead |= !is_seen && !has_past;
        }
        if is_ahead {
            washed.ahead += 1;
            continue;
        }
        let row = masked(table, row, as_of);
        if let Some(rule) = first_failing(table, &row, twin) {
            *washed.rules.entry(rule).or_default() += 1;
            washed.quarantined_keys.insert(key_of(table, &row));
        } else {
            sound.entry(key_of(table, &row)).or_default().push(row);
        }
    }
    for versions in sound.into_values() {
        washed.duplicate += versions.len() as u64 - 1;
        let latest = latest_of(table, &versions).clone();
        washed.sound.push((latest, true));
        washed.sound.extend(versions.into_iter().map(|v| (v, false)));
    }
    washed
}

/// Latest recorded; then the one that knows more; then greater content, written as one JSON object.
fn latest_of<'a>(table: &TableContract, versions: &'a [Row]) -> &'a Row {
    versions
        .iter()
        .max_by_key(|row| {
            let cells = table.columns.iter().map(|c| (c.name.to_owned(), row.get(c.name).cloned().into()));
            let content = serde_json::Value::Object(cells.collect()).to_string();
            (time(row, "recorded_at"), row.len(), content)
        })
        .unwrap()
}

/// What of the washed tables could be seen at an earlier instant.
pub fn look_back(twin: &Twin, as_of: &AsOf) -> BTreeMap<&'static str, Vec<Row>> {
    let mut seen: BTreeMap<&'static str, Vec<Row>> = BTreeMap::new();
    for table in contract::TABLES.iter().filter(|t| twin.contains_key(t.name)) {
        let mut by_key: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (row, _) in &twin[table.name].sound {
            if has_event(table, row, as_of) && !is_not_before(row, "recorded_at", as_of) {
                by_key.entry(key_of(table, row)).or_default().push(masked(table, row.clone(), as_of));
            }
        }
        let rows = by_key
            .into_values()
            .map(|versions| latest_of(table, &versions).clone())
            .filter(|row| {
                table.foreign_keys.iter().all(|reference| {
                    match (row.get(reference.column), seen.get(reference.table)) {
                        (Some(named), Some(parents)) => parents.iter().any(|p| p.get(reference.key) == Some(named)),
                        _ => true,
                    }
                })
            })
            .collect();
        seen.insert(table.name, rows);
    }
    seen
}
