//! A foreign export from download to a published first night, by the command line alone: what a person has to write by hand is counted.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use integrity::cli::{self, ExitCode};
use integrity::offer::{Decline, Offer};
use integrity::page::workbook::{CellValue, Sheet, workbook};
use integrity::publish::{TableReader, standing_run, verify};
use integrity::score::MerchantScore;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const FIRST: Date = date(2023, 1, 2);
const LAST: Date = date(2025, 3, 30);
const VENDORS: usize = 70;
/// What may have to be written by hand, at most.
const LINES_BY_HAND: usize = 40;

fn run(arguments: &[&str]) -> ExitCode {
    let all = ["integrity", "--quiet", "--format", "json"].iter().chain(arguments);
    cli::main(all.map(OsString::from).collect::<Vec<_>>())
}

/// A covered market's books: its stallholders in a workbook, their sales in a file a year with semicolons, decimal commas and the day first, and
/// what customers complained of. Stallholders who send late and are complained of lose their trade.
fn market_hall(folder: &Path) {
    let mut dice = ChaCha8Rng::seed_from_u64(23);
    let text = CellValue::text;
    let mut register = vec![
        vec![text("Register of stallholders")],
        ["vendor_no", "trading_name", "category", "county", "member_since"].map(CellValue::text).to_vec(),
    ];
    let header = "sale_no;vendor_no;client_no;sold_on;paid_on;dispatched_on;arrived_on;total_eur;sale_state\n";
    let mut sales: BTreeMap<i16, String> = BTreeMap::new();
    let mut claims = "claim_no;sale_no;opened_on;reason;result;closed_on\n".to_owned();
    let written = |day: Date| day.strftime("%d.%m.%Y").to_string();
    let mut number = 0;
    for vendor in 0..VENDORS {
        let name = format!("V{vendor:03}");
        let category = ["cheese", "flowers", "books", "tools"][vendor % 4];
        let county = ["North", "South", "East"][vendor % 3];
        let since = FIRST.saturating_add((i64::try_from(vendor).unwrap() % 40).days());
        register.push(vec![
            text(&name),
            text(&format!("Stall {vendor}")),
            text(category),
            text(county),
            CellValue::Day(since),
        ]);
        let is_careless = dice.random::<f64>() < 0.4;
        let collapses = since.saturating_add(dice.random_range(300..700_i64).days());
        let mut day = since;
        while day < LAST {
            let is_fading = is_careless && day >= collapses;
            day = day.saturating_add(dice.random_range(1..if is_fading { 40 } else { 5_i64 }).days());
            if day >= LAST {
                break;
            }
            number += 1;
            let delay = if is_careless { dice.random_range(2..9_i64) } else { dice.random_range(0..3) };
            let is_cancelled = dice.random::<f64>() < if is_careless { 0.12 } else { 0.03 };
            let (sent, arrived) = (day.saturating_add(delay.days()), day.saturating_add((delay + 2).days()));
            let shown = |when: Date| if is_cancelled || when >= LAST { String::new() } else { written(when) };
            let state = match (is_cancelled, arrived < LAST) {
                (true, _) => "cancelled",
                (false, true) => "delivered",
                (false, false) => "open",
            };
            let cents = dice.random_range(500..20_000_u32);
            let file = sales.entry(day.year()).or_insert_with(|| header.to_owned());
            let _ = writeln!(
                file,
                "S{number:06};{name};C{:04};{};{};{};{};{},{:02};{state}",
                dice.random_range(0..900_u32),
                written(day),
                shown(day),
                shown(sent),
                shown(arrived),
                cents / 100,
                cents % 100
            );
            if !is_cancelled && dice.random::<f64>() < if is_careless { 0.15 } else { 0.02 } {
                let (opened, closed) = (arrived.saturating_add(3.days()), arrived.saturating_add(12.days()));
                if closed < LAST {
                    let result = if dice.random::<f64>() < 0.6 { "refunded to customer" } else { "rejected" };
                    let (opened, closed) = (written(opened), written(closed));
                    let _ =
                        writeln!(claims, "K{number:06};S{number:06};{opened};item not as described;{result};{closed}");
                }
            }
        }
    }
    let sheets = [Sheet { name: "Stallholders", rows: register }];
    fs::write(folder.join("register.xls"), workbook(&sheets)).unwrap();
    for (year, text) in sales {
        fs::write(folder.join(format!("sales_{year}.csv")), text).unwrap();
    }
    fs::write(folder.join("claims.csv"), claims).unwrap();
}

/// Every text file of a job, by path.
fn texts(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.insert(path, text);
        }
    }
    found
}

#[test]
fn a_foreign_export_becomes_a_published_first_night() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("market"));
    fs::create_dir(&data).unwrap();
    market_hall(&data);
    let named = |path: &Path| path.to_str().unwrap().to_owned();
    assert_eq!(run(&["init", "--data", &named(&data), "--out", &named(&out), "--yes"]), ExitCode::Ok);
    let drafted = texts(&out);
    let job = named(&out.join("job.toml"));
    let job_text = drafted[&out.join("job.toml")].clone();
    assert!(job_text.contains("register.xls") && job_text.contains("skip_lines = 1"), "{job_text}");

    let checked = run(&["check", &job]);
    // So few merchants may teach a model too little for a job to approve it by itself: then a person reads it and does.
    assert!(matches!(checked, ExitCode::Ok | ExitCode::ModelRefused), "{checked:?}");
    let mut ended = run(&["run", &job]);
    if ended == ExitCode::ModelRefused {
        let models = out.join("models/market-willingness");
        let model = fs::read_dir(models).unwrap().next().unwrap().unwrap().path();
        assert_eq!(run(&["approve", &named(&model), "--by", "a reader"]), ExitCode::Ok);
        ended = run(&["run", &job]);
    }
    assert_eq!(ended, ExitCode::Ok);

    // Nothing had to be written: the files are those of the draft.
    let by_hand: usize = texts(&out)
        .iter()
        .filter(|(path, _)| drafted.contains_key(*path))
        .map(|(path, text)| text.lines().filter(|line| !drafted[path].contains(line)).count())
        .sum();
    assert!(by_hand < LINES_BY_HAND, "{by_hand} lines by hand");
    assert_eq!(by_hand, 0);

    // The night is one to believe: every stallholder is scored and answered, and what was published stands.
    let published = out.join("out");
    assert!(verify(&published, None).unwrap().is_sound());
    let as_of = job_text.lines().find_map(|line| line.strip_prefix("as_of = \"")).unwrap();
    let as_of: Date = as_of[..10].parse().unwrap();
    assert!(as_of > LAST.saturating_sub(7.days()) && as_of <= LAST, "{as_of}");
    let night = standing_run(&published, as_of).unwrap().unwrap();
    let scores: Vec<MerchantScore> =
        TableReader::open(&night.run_dir.join("scores.parquet")).unwrap().map(Result::unwrap).collect();
    assert_eq!(scores.len(), VENDORS);
    assert!(scores.iter().all(|score| score.merchant_id.starts_with('V')));
    let offers = TableReader::<Offer>::open(&night.run_dir.join("offers.parquet")).unwrap().count();
    let declines = TableReader::<Decline>::open(&night.run_dir.join("declines.parquet")).unwrap().count();
    assert!(offers > 0 && offers + declines >= VENDORS, "{offers} offers, {declines} declines");
    let ledger = fs::read_to_string(night.run_dir.join("wash_ledger.json")).unwrap();
    let ledger: Vec<serde_json::Value> = serde_json::from_str(&ledger).unwrap();
    for line in &ledger {
        let count = |key: &str| line[key].as_u64().unwrap_or_default();
        assert_eq!(
            count("read"),
            count("kept") + count("quarantined") + count("duplicate") + count("skipped"),
            "{line}"
        );
    }
    let of = |table: &str| ledger.iter().find(|line| line["table"] == table).unwrap();
    assert_eq!(of("merchants")["kept"], VENDORS);
    for table in ["orders", "shipments", "disputes"] {
        let line = of(table);
        assert!(line["kept"].as_u64() == line["read"].as_u64() && line["kept"].as_u64() > Some(0), "{line}");
    }
}
