//! Faults under the keys of sound rows: each is where the truth says, and looks as it says.

use std::collections::{BTreeMap, BTreeSet};

use integrity::contract::TABLES;
use integrity::simulate::SimulationSettings;
use tempfile::TempDir;

use super::{Row, Value, int, read, run, settings, text};

/// All rows of a table by first key column, and by number for instalments, in the file's order.
type Versions = BTreeMap<(String, Option<i64>), Vec<Row>>;

fn versions(folder: &TempDir, table: &str) -> Versions {
    let key = integrity::contract::table(table).unwrap().key[0];
    let mut versions = Versions::new();
    for row in read(folder, &format!("{table}.parquet")) {
        let number = if table == "instalments" { int(&row, "number") } else { None };
        if let Some(id) = text(&row, key) {
            versions.entry((id.to_owned(), number)).or_default().push(row);
        }
    }
    versions
}

/// Columns in which two rows differ, `recorded_at` aside.
fn differing(a: &Row, b: &Row) -> Vec<String> {
    a.keys().filter(|c| *c != "recorded_at" && a[*c] != b[*c]).cloned().collect()
}

/// Whether a row breaks the rule by the contract's own words, as far as a row alone can show.
fn breaks(table: &str, row: &Row, rule: &str) -> bool {
    let contract = integrity::contract::table(table).unwrap();
    match rule {
        "null" => contract.columns.iter().any(|c| c.required && row[c.name].is_none()),
        "range" => contract.columns.iter().any(|c| match (c.range, int(row, c.name)) {
            (Some((low, high)), Some(value)) => !(low..=high).contains(&value),
            // A date of 1800 or 2999.
            (None, Some(value)) => c.kind == integrity::contract::Type::Day && !(0..100_000).contains(&value),
            _ => false,
        }),
        "unknown-word" => contract.columns.iter().any(|c| match (c.kind, text(row, c.name)) {
            (integrity::contract::Type::Word(words), Some(word)) => !words.contains(&word),
            _ => false,
        }),
        "currency" => text(row, "currency") != Some("CNY"),
        // The parent has a key that no sound row has; checks compare two columns of the row.
        _ => rule == "orphan" || contract.checks.iter().any(|c| c.rule == rule),
    }
}

#[test]
fn faults_are_planted_under_existing_keys() {
    let many = SimulationSettings { key_fault_share: 0.05, ledger_fault_share: 0.4, ..settings(150, 12, 13) };
    let (folder, _) = run(&many);
    let tables: BTreeMap<&str, Versions> = TABLES.iter().map(|t| (t.name, versions(&folder, t.name))).collect();
    let newest = |rows: &[Row]| rows.iter().max_by_key(|r| int(r, "recorded_at")).unwrap().clone();
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    for fault in read(&folder, "truth/planted.parquet") {
        let [table, kind, effect] = ["table_name", "kind", "effect"].map(|c| text(&fault, c).unwrap());
        if ["late", "resent", "duplicate", "broken"].contains(&kind) {
            continue;
        }
        let key = (text(&fault, "key").unwrap().to_owned(), int(&fault, "number"));
        assert!(!key.0.contains("-5"), "not under an existing key: {fault:?}");
        *seen.entry((table.to_owned(), kind.to_owned())).or_default() += 1;
        let rows = tables[table].get(&key).map_or(&[][..], Vec::as_slice);
        let rule = text(&fault, "rule");
        match kind {
            "broken-in-place" | "loan-broken-in-place" | "instalment-broken-in-place" | "payment-broken-in-place" => {
                assert!(
                    !rows.is_empty() && rows.iter().all(|r| breaks(table, r, rule.unwrap())),
                    "{fault:?}: {rows:?}"
                );
            }
            "broken-later" | "loan-broken-later" | "instalment-broken-later" | "payment-broken-later" => {
                assert!(rows.len() > 1 && breaks(table, &newest(rows), rule.unwrap()), "{fault:?}: {rows:?}");
                let sound = rows.iter().filter(|r| int(r, "recorded_at") != int(&newest(rows), "recorded_at"));
                assert!(sound.count() >= 1, "{rows:?}");
            }
            "resent-equal" => assert_eq!(differing(&rows[0], &newest(rows)), [""; 0], "{fault:?}"),
            "resent-changed" => assert_eq!(
                differing(&rows[0], &newest(rows))
                    .iter()
                    .filter(|c| {
                        // Milestones that came to pass in between are not slips.
                        rows[0][*c].is_some()
                    })
                    .count(),
                1,
                "{fault:?}: {rows:?}"
            ),
            "instalment-dropped" => assert!(rows.is_empty(), "{fault:?}"),
            "schedule-resent-equal" => assert!(rows.len() > 1 && differing(&rows[0], &newest(rows)).is_empty()),
            "schedule-changed" => assert_eq!(differing(&rows[0], &newest(rows)), ["due_on"]),
            "payment-under-two-ids" => {
                let same =
                    tables["payments"].values().flatten().filter(|r| differing(r, &newest(rows)) == ["payment_id"]);
                assert!(same.count() >= 1, "{fault:?}");
            }
            other => panic!("{other} is not looked at"),
        }
        let expected = match kind {
            "resent-equal" | "schedule-resent-equal" => "none",
            "resent-changed" => "superseded",
            "broken-in-place" | "broken-later" => "quarantined",
            _ => "unknown-loan",
        };
        assert_eq!((effect, text(&fault, "loan_id").is_some()), (expected, expected == "unknown-loan"), "{fault:?}");
    }
    let of_rows = ["resent-equal", "resent-changed", "broken-in-place", "broken-later"];
    for table in ["merchants", "orders", "shipments", "reviews", "disputes", "applications"] {
        for kind in of_rows {
            assert!(seen.contains_key(&(table.to_owned(), kind.to_owned())), "{kind} in {table}: {seen:?}");
        }
    }
    let kinds: BTreeSet<&str> = seen.keys().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(kinds.len(), of_rows.len() + 10, "{kinds:?}");
}

#[test]
fn few_loans_become_unknown() {
    let (folder, _) = run(&settings(800, 15, 2));
    let planted = read(&folder, "truth/planted.parquet");
    let unknown: BTreeSet<&str> = planted.iter().filter_map(|p| text(p, "loan_id")).collect();
    let lost: BTreeSet<&str> = planted
        .iter()
        .filter(|p| text(p, "table_name") == Some("merchants") && text(p, "rule").is_some())
        .filter_map(|p| text(p, "key"))
        .collect();
    let loans: BTreeMap<String, Row> = read(&folder, "loans.parquet")
        .into_iter()
        .filter_map(|row| Some((text(&row, "loan_id")?.to_owned(), row)))
        .collect();
    let of_lost = loans.values().filter(|l| text(l, "merchant_id").is_some_and(|m| lost.contains(m))).count();
    assert!(unknown.len() > 5, "{unknown:?}");
    assert!((unknown.len() + of_lost) * 100 < loans.len(), "{} and {of_lost} of {}", unknown.len(), loans.len());
}

/// The schedule of a loan that came late came with it: nobody knew of the one before the other.
#[test]
fn a_late_loan_comes_with_its_schedule() {
    let (folder, _) = run(&SimulationSettings { late_share: 0.2, ledger_fault_share: 0.0, ..settings(100, 12, 4) });
    let schedules = versions(&folder, "instalments");
    let mut late = 0;
    for fault in read(&folder, "truth/planted.parquet") {
        if (text(&fault, "table_name"), text(&fault, "kind")) == (Some("loans"), Some("late")) {
            let id = text(&fault, "key").unwrap();
            let came = read_stamp(&folder, id);
            let rows = schedules.iter().filter(|((loan, _), _)| loan == id).flat_map(|(_, rows)| rows);
            assert!(rows.map(|row| &row["recorded_at"]).all(|stamp| *stamp == came), "{id}");
            late += 1;
        }
    }
    assert!(late > 10, "{late}");
}

fn read_stamp(folder: &TempDir, loan: &str) -> Option<Value> {
    let loans = read(folder, "loans.parquet");
    loans.iter().find(|row| text(row, "loan_id") == Some(loan)).unwrap()["recorded_at"].clone()
}
