//! `integrity init`: exports of several shapes and languages become jobs that read what was meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use integrity::draft::{AmountUnit, Certainty, Draft, DraftError, DraftOptions, draft_job, write_draft};
use integrity::features::FeatureConfig;
use integrity::monitor::Monitor;
use integrity::offer::Policy;
use integrity::run::Job;
use integrity::source::{SourceError, SourcePiece, Sources};
use polars::prelude::*;

mod account_books;
mod advances;
mod amount_units;
mod by_structure;
mod changed_columns;
mod erp_and_tags;
mod event_tables;
mod first_night;
mod in_doubt;
mod instalment_lines;
mod nightly_dumps;
mod order_ends;
mod payment_services;
mod platform_exports;
mod refused_sales;
mod reversals;
mod schedules;
mod settlements;
mod statements;
mod trade_tables;

fn draft_of(data: &Path, out: &Path) -> Draft {
    let options = DraftOptions { name: "mine".to_owned(), currency: None, amounts: None, today: None };
    let draft = draft_job(data, out, &options, &|_| {}).unwrap();
    write_draft(&draft, out).unwrap();
    draft
}

/// A folder for data and one for the job.
fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    (folder, data, out)
}

fn file(folder: &Path, name: &str, lines: &[String]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
}

/// Which raw column each contract column comes from.
fn origins(draft: &Draft) -> BTreeMap<String, String> {
    let tables = draft.tables.iter();
    tables.flat_map(|t| t.columns.iter().map(|c| (format!("{}.{}", t.table.name, c.column), c.from.clone()))).collect()
}

/// Holds contract columns against the raw columns that they should come from.
fn assert_origins(draft: &Draft, expected: &[(&str, &str)]) {
    let from = origins(draft);
    for (column, raw) in expected {
        assert_eq!(from.get(*column).map(String::as_str), Some(*raw), "{column}: {from:?}");
    }
}

/// The contract table that a job reads, unwashed.
fn read(job: &Path, table: &str) -> DataFrame {
    let job = Job::open(job).unwrap();
    rows_of(&job, table)
}

fn rows_of(job: &Job, table: &str) -> DataFrame {
    let spec = job.intake.source.sources.iter().find(|s| s.table == table).unwrap();
    let pieces: Mutex<Vec<DataFrame>> = Mutex::default();
    let take = |piece: SourcePiece| -> Result<(), SourceError> {
        // Columns of cells that could not be read are there in some pieces only.
        let known: Vec<&str> = integrity::contract::table(table).unwrap().columns.iter().map(|c| c.name).collect();
        pieces.lock().unwrap().push(piece.frame.select(known).unwrap());
        Ok(())
    };
    Sources::new(&job.intake.source, &std::env::temp_dir()).read(spec, &take).unwrap().unwrap();
    let pieces = pieces.into_inner().unwrap();
    pieces.into_iter().reduce(|all, piece| all.vstack(&piece).unwrap()).unwrap()
}

/// Cells as text, by the table's key; the last row of a key counts.
fn cells(frame: &DataFrame, key: &str, column: &str) -> BTreeMap<String, Option<String>> {
    let texts = |name: &str| -> Vec<Option<String>> {
        let texts = frame.column(name).unwrap().cast(&DataType::String).unwrap();
        texts.str().unwrap().iter().map(|cell| cell.map(str::to_owned)).collect()
    };
    let keyed = texts(key).into_iter().zip(texts(column));
    keyed.filter_map(|(key, cell)| Some((key?, cell))).collect()
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo")
}

#[test]
fn data_in_the_contract_s_own_shape_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for table in integrity::contract::TABLES {
        let file = format!("{}.parquet", table.name);
        fs::copy(demo().join(&file), data.join(&file)).unwrap();
    }
    let out = folder.path().join("job");
    let draft = draft_of(&data, &out);
    assert_eq!(draft.tables.len(), integrity::contract::TABLES.len());
    for table in &draft.tables {
        for column in &table.columns {
            let as_it_is = format!("{}.{}", table.table.name, column.column);
            assert_eq!(column.certainty, Certainty::Found, "{as_it_is}: {column:?}");
            let taken = column.from.replace('"', "") == as_it_is || column.from.starts_with("the order's");
            assert!(taken, "{as_it_is} from {}", column.from);
        }
    }
    assert_eq!(draft.currency.as_ref().map(|c| c.code.as_str()), Some("CNY"));
    assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0));

    // All that the hand-made job measures can be measured, and the files agree with each other.
    let drafted = FeatureConfig::open(&out.join("features.toml")).unwrap();
    let by_hand = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/features.toml");
    let by_hand = FeatureConfig::open(&by_hand).unwrap();
    let names =
        |config: &FeatureConfig| -> BTreeSet<String> { config.features.iter().map(|f| f.name.clone()).collect() };
    assert_eq!(names(&drafted), names(&by_hand));
    let all = names(&drafted);
    Policy::open(&out.join("policy.toml")).unwrap().check_features(all.iter().map(String::as_str)).unwrap();
    Monitor::open(&out.join("monitor.toml")).unwrap().check_features(all.iter().map(String::as_str)).unwrap();
    Job::open(&out.join("job.toml")).unwrap();
}

/// Day `n` of the made-up exports.
fn day(n: usize) -> jiff::civil::Date {
    jiff::civil::date(2022, 1, 1).saturating_add(jiff::Span::new().days(i64::try_from(n).unwrap()))
}

/// Instant `n` of made-up exports, four a day.
fn instant(n: usize) -> String {
    format!("{} {:02}:00:00", day(n / 4), 3 + n % 4 * 6)
}

fn german(n: usize) -> String {
    day(n).strftime("%d.%m.%Y").to_string()
}

/// Twenty shops, a line of JSON each.
fn shops_of_json(folder: &Path) {
    let shops: Vec<String> = (0..20)
        .map(|n| format!(r#"{{"shopId":"S{n:03}","openedAt":"{}","segment":"toys","region":"R1"}}"#, day(0)))
        .collect();
    file(folder, "shops.jsonl", &shops);
}

/// Purchases through shops and a loan book, in German: dates day first, decimal commas, numbers that count from 1.
fn german_shops(folder: &Path) {
    let (mut shops, mut sales) = ("Nr,Name,Stadt,Branche,Eröffnet am\n".to_owned(), String::new());
    sales.push_str("Beleg-Nr,Filiale,Kundennummer,Datum,Betrag EUR\n");
    let (mut loans, mut rates) = (String::new(), "Kredit-Nr,Rate Nr,Fällig am,Tilgung,Zinsen\n".to_owned());
    loans.push_str("Kredit-Nr,Filiale,Ausgezahlt am,Kreditbetrag,Laufzeit Monate,Zinssatz\n");
    let mut paid = "Zahlungs-ID,Kredit-Nr,Bezahlt am,Betrag\n".to_owned();
    let mut receipt = 0;
    for shop in 1..=40 {
        let line = ["Mode", "Technik", "Lebensmittel"][shop % 3];
        let _ = writeln!(shops, "{shop},Laden {shop},Köln,{line},{}", german(shop % 20));
        for n in (30..400).step_by(3 + shop % 5) {
            receipt += 1;
            let _ = writeln!(
                sales,
                "{receipt},{shop},K{:04},{},\"{},{:02}\"",
                receipt * 7 % 600,
                german(n),
                n % 90 + 1,
                n % 100
            );
        }
        let _ = writeln!(loans, "{shop},{shop},{},\"3000,00\",3,\"9,5\"", german(100 + shop));
        for rate in 1..=3 {
            let due = german(100 + shop + 30 * rate);
            let _ = writeln!(rates, "{shop},{rate},{due},\"1000,00\",\"{},50\"", 24 - 6 * rate);
            let _ = writeln!(paid, "Z{shop:03}{rate},{shop},{due},\"{},50\"", 1_024 - 6 * rate);
        }
    }
    for (file, text) in
        [("filialen", shops), ("einkaeufe", sales), ("kredite", loans), ("raten", rates), ("zahlungen", paid)]
    {
        fs::write(folder.join(format!("{file}.csv")), text).unwrap();
    }
}

#[test]
fn german_shops_with_a_loan_book() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    german_shops(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label), (0, "loan-default"), "{:#?}", draft.aside);
    let job = out.join("job.toml");
    let orders = read(&job, "orders");
    // The 31st day of 2022 and the first receipt: 31 + 30 of the year, 31,30 EUR.
    assert_eq!(cells(&orders, "order_id", "amount_minor")["1"].as_deref(), Some("3130"));
    assert_eq!(cells(&orders, "order_id", "placed_at")["1"].as_deref(), Some("2022-01-31 00:00:00.000000"));
    assert_eq!(cells(&orders, "order_id", "merchant_id")["1"].as_deref(), Some("1"));
    let loans = read(&job, "loans");
    assert_eq!(cells(&loans, "loan_id", "principal_minor")["7"].as_deref(), Some("300000"));
    assert_eq!(cells(&loans, "loan_id", "term_days")["7"].as_deref(), Some("90"));
    // 9.5 % a year are 260 millionths a day.
    assert_eq!(cells(&loans, "loan_id", "daily_rate_ppm")["7"].as_deref(), Some("260"));
    let instalments = read(&job, "instalments");
    let due = instalments.column("due_on").unwrap();
    assert_eq!(due.null_count(), 0, "{due:?}");
    assert_eq!(instalments.column("principal_minor").unwrap().i64().unwrap().min(), Some(100_000));
    let paid = read(&job, "payments");
    assert_eq!(cells(&paid, "payment_id", "amount_minor")["Z0011"].as_deref(), Some("101850"));
    let merchants = read(&job, "merchants");
    assert_eq!(cells(&merchants, "merchant_id", "category")["3"].as_deref(), Some("Mode"));
    assert_eq!(cells(&merchants, "merchant_id", "registered_at")["3"].as_deref(), Some("2022-01-04 00:00:00.000000"));
}

/// Card transactions with chargebacks: dates month first with a time, a status, no deliveries.
fn cards(folder: &Path) {
    let mut merchants = "merchant_id,merchant_name,mcc,country,onboarding_date\n".to_owned();
    let mut transactions = "transaction_id,card_id,merchant_id,amount_usd,transaction_time,status\n".to_owned();
    let mut chargebacks =
        "chargeback_id,transaction_id,chargeback_date,reason,amount,outcome,resolved_date\n".to_owned();
    let american = |n: usize| day(n).strftime("%m/%d/%Y").to_string();
    let mut number = 0;
    for merchant in 0..30 {
        let _ =
            writeln!(merchants, "M{merchant:04},Shop {merchant},{},US,{}", 5_411 + merchant % 4, american(merchant));
        for n in 40..340 {
            number += 1;
            let status = if number % 25 == 0 { "Declined" } else { "Approved" };
            let card = number * 31 % 997;
            let _ = writeln!(
                transactions,
                "T{number:06},C{card:05},M{merchant:04},{}.{:02},{} 9:05,{status}",
                n,
                n % 100,
                american(n)
            );
            if number % 40 == 1 {
                let (reason, outcome) =
                    [("Goods not received", "Cardholder won"), ("Fraud", "Merchant won")][number / 40 % 2];
                let (opened, closed) = (american(n + 20), american(n + 30));
                let _ = writeln!(chargebacks, "CB{number:06},T{number:06},{opened},{reason},{n}.00,{outcome},{closed}");
            }
        }
    }
    for (file, text) in [("merchants", merchants), ("transactions", transactions), ("chargebacks", chargebacks)] {
        fs::write(folder.join(format!("{file}.csv")), text).unwrap();
    }
}

#[test]
fn card_transactions_with_chargebacks() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    cards(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label), (0, "trade-distress"));
    assert_origins(
        &draft,
        &[
            ("merchants.category", "merchants.mcc"),
            ("orders.buyer_id", "transactions.card_id"),
            ("disputes.order_id", "chargebacks.transaction_id"),
            ("disputes.closed_at", "chargebacks.resolved_date"),
        ],
    );
    let job = out.join("job.toml");
    let orders = read(&job, "orders");
    assert_eq!(cells(&orders, "order_id", "placed_at")["T000001"].as_deref(), Some("2022-02-10 09:05:00.000000"));
    assert_eq!(cells(&orders, "order_id", "amount_minor")["T000001"].as_deref(), Some("4040"));
    let (completed, cancelled) =
        (cells(&orders, "order_id", "completed_at"), cells(&orders, "order_id", "cancelled_at"));
    assert!(completed["T000024"].is_some() && cancelled["T000024"].is_none());
    assert!(completed["T000025"].is_none() && cancelled["T000025"].is_some(), "what was declined is no trade");
    let disputes = read(&job, "disputes");
    assert_eq!(cells(&disputes, "dispute_id", "outcome")["CB000001"].as_deref(), Some("buyer-won"));
    assert_eq!(cells(&disputes, "dispute_id", "outcome")["CB000041"].as_deref(), Some("merchant-won"));
    assert_eq!(cells(&disputes, "dispute_id", "merchant_id")["CB000001"].as_deref(), Some("M0000"));
    Policy::open(&out.join("policy.toml")).unwrap();
}

/// One table whose rows are lines of invoices; shops and buyers only as columns.
fn lines(folder: &Path) {
    let mut text = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Store,Country\n".to_owned();
    for invoice in 1..=3_000 {
        for line in 0..=invoice % 3 {
            let (shop, buyer) = (invoice % 25, invoice % 700);
            let _ = writeln!(
                text,
                "{},SKU{line:03},{},{} 10:00:00,1.25,{buyer},shop-{shop:02},France",
                500_000 + invoice,
                line + 2,
                day(invoice / 9)
            );
        }
    }
    fs::write(folder.join("sales.csv"), text).unwrap();
}

#[test]
fn lines_of_invoices_become_orders() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    lines(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.currency.as_ref().map(|c| c.code.as_str())), (0, Some("EUR")));
    let job = out.join("job.toml");
    let orders = read(&job, "orders");
    let amounts = cells(&orders, "order_id", "amount_minor");
    assert_eq!(amounts.len(), 3_000);
    // Three lines of 2, 3 and 4 pieces at 1.25.
    assert_eq!(amounts["500002"].as_deref(), Some("1125"));
    let merchants = read(&job, "merchants");
    let registered = cells(&merchants, "merchant_id", "registered_at");
    assert_eq!((registered.len(), registered["shop-05"].as_deref()), (25, Some("2022-01-01 10:00:00.000000")));
}

#[test]
fn a_gap_is_marked_and_the_check_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    let rows: Vec<String> = (0..500).map(|n| format!("o{n:05},s{:02},{}.50,{}\n", n % 9, n + 1, day(n / 3))).collect();
    let rows = rows.concat();
    fs::write(data.join("orders.csv"), format!("order_id,shop_id,total,order_date\n{rows}")).unwrap();
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 2, "the buyer and the currency");
    let job = out.join("job.toml");
    let all = Job::open_telling_all(&job).unwrap_err().all;
    assert_eq!(all.len(), 3, "all at once, the currency in both files: {all:?}");
    let text = fs::read_to_string(&job).unwrap();
    let error = Job::open(&job).unwrap_err();
    assert_eq!(text.lines().nth(error.line - 1).map(|line| line.contains("GAP")), Some(true), "{error}");
    fs::write(&job, text.replace("currency = \"?\"", "currency = \"EUR\"")).unwrap();
    let error = Job::open(&job).unwrap_err();
    assert!(error.path.ends_with("sources/orders.sql") && error.message.contains("gap"), "{error}");
    let sql = fs::read_to_string(&error.path).unwrap();
    assert!(sql.lines().nth(error.line - 1).unwrap().contains("NULL AS buyer_id"), "{error}");
    assert!(fs::read_to_string(out.join("GAPS.md")).unwrap().contains("`buyer_id`"));

    let again = write_draft(&draft, &out);
    assert!(matches!(again, Err(DraftError::OutNotEmpty(_))), "a folder with files is somebody's");
    let words = tempfile::tempdir().unwrap();
    fs::write(words.path().join("notes.csv"), "note\nhello\n").unwrap();
    let options = DraftOptions { name: "x".to_owned(), currency: None, amounts: None, today: None };
    let none = draft_job(words.path(), &out, &options, &|_| {});
    assert!(matches!(none, Err(DraftError::NoOrders { .. })), "{none:?}");
}

/// Which inputs each table of a drafted job is split by.
fn keys_of(job: &Job) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    let parts = job.intake.source.sources.iter().flat_map(|spec| &spec.parts);
    parts.filter(|part| !part.keyed_by.is_empty()).map(|part| (part.table, part.keyed_by.clone())).collect()
}

#[test]
fn a_select_that_joins_by_a_key_says_so_and_gives_the_same_rows_part_by_part() {
    type Export = (fn(&Path), &'static [(&'static str, &'static [(&'static str, &'static str)])]);
    let exports: [Export; 3] = [
        (german_shops, &[]),
        (cards, &[("disputes", &[("chargebacks", "transaction_id"), ("transactions", "transaction_id")])]),
        (lines, &[("orders", &[("sales", "InvoiceNo")])]),
    ];
    for (export, expected) in exports {
        let folder = tempfile::tempdir().unwrap();
        let (data, out) = (folder.path().join("data"), folder.path().join("job"));
        fs::create_dir(&data).unwrap();
        export(&data);
        draft_of(&data, &out);
        let mut job = Job::open(&out.join("job.toml")).unwrap();
        let keys = keys_of(&job);
        for (table, wanted) in expected {
            let wanted = wanted.iter().map(|(input, column)| ((*input).to_owned(), (*column).to_owned())).collect();
            assert_eq!(keys[table], wanted, "{table}");
        }
        let text = fs::read_to_string(out.join("job.toml")).unwrap();
        assert_eq!(text.matches("\n# Rows of different keys never meet").count(), keys.len());
        for table in keys.keys() {
            let sorted = |job: &Job| {
                let rows = rows_of(job, table);
                let names: Vec<PlSmallStr> = rows.get_column_names_owned();
                rows.sort(names, SortMultipleOptions::default()).unwrap()
            };
            let apart = sorted(&job);
            for spec in &mut job.intake.source.sources {
                spec.parts.iter_mut().for_each(|part| part.keyed_by.clear());
            }
            assert!(apart.equals_missing(&sorted(&job)), "{table}");
            job = Job::open(&out.join("job.toml")).unwrap();
        }
    }
}

/// Of all columns that the hand-made Olist job fills, the share that the draft fills with the same cells.
#[test]
#[ignore = "needs the public Olist files: INTEGRITY_DATA=FOLDER cargo test --test it -- --ignored olist_drafts"]
fn olist_drafts_as_it_was_made_by_hand() {
    let root =
        PathBuf::from(std::env::var_os("INTEGRITY_DATA").expect("INTEGRITY_DATA names the folder of the Olist files"));
    let data = [root.join("olist"), root].into_iter().find(|f| f.join("olist_orders_dataset.csv").is_file()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("job");
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let by_hand = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/olist/job.toml");
    let mut hand = Job::open(&by_hand).unwrap();
    hand.intake.source.data.clone_from(&data);
    let drafted = Job::open(&out.join("job.toml")).unwrap();
    assert_eq!(drafted.intake.currency, hand.intake.currency);
    let (mut alike, mut all) = (0, 0);
    for spec in &hand.intake.source.sources {
        let (by_hand, own) = (rows_of(&hand, spec.table), rows_of(&drafted, spec.table));
        let table = integrity::contract::table(spec.table).unwrap();
        let key = table.key[0];
        for column in table.columns.iter().map(|c| c.name) {
            let expected = cells(&by_hand, key, column);
            if expected.values().all(Option::is_none) {
                continue;
            }
            let found = cells(&own, key, column);
            let same = expected.iter().filter(|(key, cell)| found.get(*key) == Some(cell)).count();
            let share = same as f64 / expected.len() as f64;
            all += 1;
            alike += usize::from(share > 0.99);
            println!("{}.{column}: {share:.4}", spec.table);
        }
    }
    assert!(all > 20 && alike * 10 >= all * 9, "{alike} of {all} columns");
}
