//! Raw files to store: the ledger, the as-of filter, order independence, and what is refused.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use integrity::contract;
use integrity::domain::AsOf;
use integrity::run::Job;
use integrity::source::SourceError;
use integrity::store::{BrokenRecord, Store};
use integrity::wash::{IngestError, Ingested, LedgerLine, QuarantineRow, ingest};
use jiff::civil::{Date, date};
use polars::prelude::*;
use proptest::prelude::*;

mod broken;
mod buckets;
mod files;
mod joins;
mod kept;
mod loan_books;
mod mapping;
mod twin;
mod workbooks;
mod world;

use twin::Row;
use world::{
    Dice, HORIZON, Tables, Text, World, as_of, instant, marketplace, plant_faults, resend_broken, resend_contradicting,
    store_bytes,
};

fn utc(day: Date) -> AsOf {
    AsOf::new(day, jiff::tz::TimeZone::UTC).unwrap()
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|c| c.map(str::to_owned)).collect()
}

/// A table's broken rows.
fn quarantined(made: &Ingested, table: &str) -> Vec<QuarantineRow> {
    made.quarantine[table].rows().unwrap().map(Result::unwrap).collect()
}

/// The broken rows of every table.
fn all_quarantined(made: &Ingested) -> BTreeMap<&'static str, Vec<QuarantineRow>> {
    made.quarantine.keys().map(|table| (*table, quarantined(made, table))).collect()
}

/// A text column of quarantine.
fn broken(rows: &[QuarantineRow], column: &str) -> Vec<Option<String>> {
    let text = |row| serde_json::to_value(row).unwrap()[column].as_str().map(str::to_owned);
    rows.iter().map(text).collect()
}

/// All rows of a table over all buckets, as of a date.
fn rows_as_of(store: &Store, table: &str, day: Date) -> DataFrame {
    let mut all: Option<DataFrame> = None;
    for bucket in 0..store.buckets() {
        let shard = store.shard(bucket, &utc(day)).unwrap();
        let rows = shard.table(table).unwrap().clone();
        all = Some(match all {
            None => rows,
            Some(so_far) => so_far.vstack(&rows).unwrap(),
        });
    }
    all.unwrap()
}

const MERCHANTS: &str =
    "merchant_id,registered_at,category,region\nM1,2018-01-01 00:00:00,toys,SP\nM2,2018-01-05 00:00:00,books,RJ\n";

const ORDERS: &str = "order_id,merchant_id,buyer_id,placed_at,paid_at,completed_at,amount_minor,currency,recorded_at
O1,M1,B1,2018-02-01 10:00:00,2018-02-01 11:00:00,2018-02-10 00:00:00,1000,CNY,
O2,M2,B2,2018-03-01 10:00:00,,,2500,CNY,
";

#[test]
fn a_small_world_is_washed_and_read_back() {
    let world = World::new("csv");
    world.csv("merchants.csv", MERCHANTS);
    world.csv("orders.csv", ORDERS);
    world.csv(
        "shipments.csv",
        "shipment_id,order_id,merchant_id,ship_by_at,shipped_at,promised_at,delivered_at,carrier,tracking
S1,O1,M1,2018-02-03 00:00:00,2018-02-02 09:00:00,2018-02-12 00:00:00,2018-02-09 15:00:00,C,T1
S2,O2,M2,2018-03-03 00:00:00,,2018-03-20 00:00:00,,,
",
    );
    world.csv(
        "loans.csv",
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment
L1,M1,credit-loan,2018-02-15 00:00:00,50000,90,500,bullet
",
    );
    world.csv(
        "payments.csv",
        "payment_id,loan_id,paid_at,amount_minor,channel\nP1,L1,2018-03-01 00:00:00,100,voluntary\n",
    );
    let made = world.run(date(2018, 4, 1)).unwrap();
    assert_eq!(made.ledger.iter().map(|l| l.quarantined).sum::<u64>(), 0, "{:?}", made.ledger);
    assert_eq!(made.store.rows("orders"), Some(2));
    assert_eq!(made.store.rows("reviews"), None, "an absent table means no evidence, not zero");
    made.store.verify().unwrap();

    let payments = rows_as_of(&made.store, "payments", date(2018, 4, 1));
    assert_eq!(texts(&payments, "merchant_id"), [Some("M1".to_owned())]);

    // Looking back: O2 is not placed, O1 paid but not completed, its parcel shipped but not delivered.
    let orders = rows_as_of(&made.store, "orders", date(2018, 2, 5));
    assert_eq!(texts(&orders, "order_id"), [Some("O1".to_owned())]);
    assert_eq!(orders.column("paid_at").unwrap().null_count(), 0);
    assert_eq!(orders.column("completed_at").unwrap().null_count(), 1);
    let shipments = rows_as_of(&made.store, "shipments", date(2018, 2, 5));
    assert_eq!(texts(&shipments, "shipment_id"), [Some("S1".to_owned())]);
    assert_eq!(shipments.column("ship_by_at").unwrap().null_count(), 0);
    assert_eq!(shipments.column("delivered_at").unwrap().null_count(), 1);
    let payments = rows_as_of(&made.store, "payments", date(2018, 2, 10));
    assert_eq!(payments.height(), 0);
}

/// The folder of the public Olist files, as `INTEGRITY_DATA` names it or its parent.
fn real_data() -> PathBuf {
    let root =
        PathBuf::from(std::env::var_os("INTEGRITY_DATA").expect("INTEGRITY_DATA names the folder of the Olist files"));
    let found = [root.join("olist"), root].into_iter().find(|folder| folder.join("olist_orders_dataset.csv").is_file());
    found.expect("INTEGRITY_DATA holds the Olist files, or a folder olist with them")
}

/// The Olist job with this crate's SQL, over any folder, with settings files of its own.
fn olist_job(folder: &Path, data: &Path) -> Job {
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/olist");
    fs::create_dir_all(folder.join("sources")).unwrap();
    for entry in fs::read_dir(pipeline.join("sources")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join("sources").join(path.file_name().unwrap())).unwrap();
    }
    fs::copy(pipeline.join("job.toml"), folder.join("job.toml")).unwrap();
    for stub in ["features.toml", "policy.toml", "monitor.toml"] {
        fs::write(folder.join(stub), "").unwrap();
    }
    let mut job = Job::open(&folder.join("job.toml")).unwrap();
    data.clone_into(&mut job.intake.source.data);
    job
}

#[test]
#[ignore = "needs the public Olist files: INTEGRITY_DATA=FOLDER cargo test --test it -- --ignored olist"]
fn olist_counts_are_as_known() {
    let data = real_data();
    let folder = tempfile::tempdir().unwrap();
    let job = olist_job(folder.path(), &data);
    let made = ingest(&job.intake, date(2018, 8, 29), &folder.path().join("store"), &|_| {}).unwrap();
    // Counted from the raw files with Python's csv module: rows dated before 2018-08-29.
    let line = |table: &str| made.ledger.iter().find(|l| l.table == table).unwrap();
    assert_eq!((line("merchants").read, line("merchants").quarantined), (3_095, 0));
    // 100,010 (order, seller) pairs and 775 orders without items, 27 of them after as-of.
    assert_eq!((line("orders").raw_rows, line("orders").read, line("orders").not_yet_visible), (99_441, 100_785, 39));
    assert_eq!(line("orders").rules, BTreeMap::from([("required-null".to_owned(), 748)]));
    // 42 parcels of 23 orders were delivered before they were shipped, stated by 50 items.
    assert_eq!((line("shipments").raw_rows, line("shipments").read), (112_650, 112_650));
    assert_eq!(line("shipments").rules, BTreeMap::from([("delivered-before-shipped".to_owned(), 50)]));
    // 747 of orders without items, 13 without any time.
    assert_eq!((line("reviews").not_yet_visible, line("reviews").quarantined), (1_742, 760));
    for (table, rows) in [("merchants", 3_095), ("orders", 99_998), ("shipments", 99_956), ("reviews", 98_066)] {
        assert_eq!(made.store.rows(table), Some(rows), "{table}");
    }
    let orders = rows_as_of(&made.store, "orders", date(2018, 8, 29));
    assert_eq!(orders.column("amount_minor").unwrap().i64().unwrap().sum(), Some(1_584_162_408));
    assert_eq!(orders.height() - orders.column("completed_at").unwrap().null_count(), 96_972);
    assert_eq!(orders.height() - orders.column("cancelled_at").unwrap().null_count(), 466);
    assert_eq!(orders.column("buyer_id").unwrap().n_unique().unwrap(), 95_409);
    let reviews = rows_as_of(&made.store, "reviews", date(2018, 8, 29));
    assert_eq!(reviews.column("stars").unwrap().i64().unwrap().sum(), Some(400_554));
    assert_eq!(made.inputs.len(), 7, "files that were only joined are listed too");
}

/// A store's rows as the twin writes them.
fn as_rows(frame: &DataFrame, table: &str) -> Vec<Row> {
    let table = contract::table(table).unwrap();
    let cell = |value: AnyValue<'_>| match value {
        AnyValue::Null => None,
        AnyValue::String(text) => Some(text.to_owned()),
        AnyValue::Datetime(micros, ..) => {
            Some(jiff::Timestamp::from_microsecond(micros).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
        AnyValue::Date(days) => Some(date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap().to_string()),
        other => Some(other.to_string()),
    };
    let mut rows: Vec<Row> = (0..frame.height())
        .map(|at| {
            let cells = table
                .columns
                .iter()
                .map(|c| (c.name, cell(frame.column(c.name).unwrap().as_materialized_series().get(at).unwrap())));
            cells.filter_map(|(name, text)| text.map(|t| (name, t))).collect()
        })
        .collect();
    rows.sort();
    rows
}

/// A row without `recorded_at`: of two versions that said the same until a milestone, or a version that contradicts the first, came to
/// light, a look back may show the stamp of either.
fn without_stamp(mut row: Row) -> Row {
    row.remove("recorded_at");
    row
}

/// A row as it was sent: one without a date of record that counts over dated ones is dated by what it reports.
fn without_own_date(row: Row, sent: &[Row]) -> Row {
    let Some(recorded) = row.get("recorded_at").cloned() else { return row };
    let undated = without_stamp(row.clone());
    let is_own = undated.values().any(|time| *time == recorded) && sent.contains(&undated);
    if is_own { undated } else { row }
}

fn without_stamps(frame: &DataFrame, table: &str) -> Vec<Row> {
    sorted(as_rows(frame, table).into_iter().map(without_stamp).collect())
}

/// All broken records that count at a date.
fn records_as_of(store: &Store, day: Date) -> Vec<BrokenRecord> {
    (0..store.buckets()).flat_map(|bucket| store.shard(bucket, &utc(day)).unwrap().broken).collect()
}

fn sorted(rows: Vec<Row>) -> Vec<Row> {
    let mut rows = rows;
    rows.sort();
    rows
}

/// Quarantine without the place a row came from.
fn quarantine_contents(made: &Ingested) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    for (table, broken) in all_quarantined(made) {
        rows.extend(
            broken
                .into_iter()
                .map(|row| vec![Some(table.to_owned()), row.key, Some(row.rule), row.column, row.value, row.record]),
        );
    }
    rows.sort();
    rows
}

/// What a later run shows of a day is what a run on that day shows, and what the twin says.
fn look_back_and_compare(seed: u64, days: i32) -> Result<(), TestCaseError> {
    let mut dice = Dice::new(seed);
    let mut tables = marketplace(&mut dice);
    resend_broken(&mut tables, &mut dice, 8);
    let mut disputed = tables.clone();
    resend_contradicting(&mut disputed, &mut dice, 8);
    for tables in [tables, disputed] {
        compare_a_look_back(&tables, days)?;
    }
    Ok(())
}

fn compare_a_look_back(tables: &Tables, days: i32) -> Result<(), TestCaseError> {
    let world = World::of(tables);
    let then = utc(as_of()).days_before(days).unwrap();
    let later = world.run(as_of()).unwrap().store;
    let expected = twin::wash(tables, &then);
    let looked_back: Vec<_> = tables.keys().map(|t| without_stamps(&rows_as_of(&later, t, then.date()), t)).collect();
    let on_the_day = world.run(then.date()).unwrap().store;
    for (at, table) in tables.keys().enumerate() {
        let seen = without_stamps(&rows_as_of(&on_the_day, table, then.date()), table);
        prop_assert_eq!(&looked_back[at], &seen, "{} as of {}", table, then.date());
        let twin = expected[table].usable.iter().map(|row| without_stamp(row.clone())).collect();
        prop_assert_eq!(&looked_back[at], &sorted(twin), "{} as of {}", table, then.date());
    }
    Ok(())
}

/// An instalment broken beside a sound one without a date of record, whose loan broke later.
#[test]
fn looking_back_to_before_a_parent_broke_the_broken_version_is_the_newer() {
    look_back_and_compare(8_708_199_284_484_124_581, 46).unwrap();
}

/// A parcel whose broken version was settled by a later one, and whose merchant broke after that.
#[test]
fn looking_back_to_before_a_parent_broke_what_settled_a_broken_version_still_does() {
    look_back_and_compare(200_135, 14).unwrap();
}

/// A version of a merchant without a date of record that reports a closure after another's date of record: until then it was the older of the two.
#[test]
fn looking_back_a_version_without_a_stamp_is_the_oldest_until_it_reports_what_came_later() {
    look_back_and_compare(4_757_776_218_273_887_505, 39).unwrap();
    look_back_and_compare(16_824_202_393_649_323_896, 108).unwrap();
    look_back_and_compare(7_160_504_696_919_658_473, 86).unwrap();
}

fn wash_and_compare(seed: u64) -> Result<(), TestCaseError> {
    let mut dice = Dice::new(seed);
    let mut tables = marketplace(&mut dice);
    plant_faults(&mut tables, &mut dice, 6);
    resend_broken(&mut tables, &mut dice, 9);
    resend_contradicting(&mut tables, &mut dice, 8);
    let world = World::of(&tables);
    let made = world.run(as_of()).unwrap();
    let expected = twin::wash(&tables, &utc(as_of()));
    for line in &made.ledger {
        prop_assert_eq!(line.read, line.kept + line.quarantined + line.duplicate);
        let twin = &expected[line.table.as_str()];
        prop_assert_eq!(&line.rules, &twin.rules, "{}", &line.table);
        prop_assert_eq!(
            (line.read, line.not_yet_visible, line.duplicate),
            (twin.read, twin.not_yet_visible, twin.duplicate),
            "{}",
            &line.table
        );
        let quarantine = quarantined(&made, &line.table);
        prop_assert_eq!(quarantine.len() as u64, line.quarantined);
        let stored = as_rows(&rows_as_of(&made.store, &line.table, as_of()), &line.table);
        let stored = stored.into_iter().map(|row| without_own_date(row, &twin.usable)).collect();
        prop_assert_eq!(sorted(stored), sorted(twin.usable.clone()), "{}", &line.table);
    }
    prop_assert_eq!(made.ledger.len(), tables.len());
    Ok(())
}

/// A loan of days to come whose stamp is beyond the range, and so says nothing, and a payment on it that is older.
#[test]
fn washing_agrees_with_its_twin_about_a_loan_that_is_named_before_its_day() {
    wash_and_compare(6_169_843_318_629_693_069).unwrap();
}

/// An order whose amount was raised after its parcel had left.
#[test]
fn washing_agrees_with_its_twin_about_an_amount_that_rose_after_sending() {
    wash_and_compare(17_051_459_783_471_831_412).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 4, failure_persistence: None, ..ProptestConfig::default() })]

    /// Counts, rules and clean rows agree with the row-by-row twin, whatever is broken; every row is accounted for.
    #[test]
    fn washing_agrees_with_its_twin(seed: u64) {
        wash_and_compare(seed)?;
    }

    /// A look back sees what a run on that day would have seen, and what the twin sees on that day, whatever was sent again, sound or
    /// broken, before or after.
    #[test]
    fn looking_back_agrees_with_a_run_on_that_day(seed: u64, days in 1_i32..180) {
        look_back_and_compare(seed, days)?;
    }

    /// Whatever is broken, a look back shows no row that a run on that day would not have shown.
    #[test]
    fn looking_back_shows_nothing_that_was_not_usable_then(seed: u64, days in 1_i32..180) {
        let mut dice = Dice::new(seed);
        let mut tables = marketplace(&mut dice);
        plant_faults(&mut tables, &mut dice, 12);
        resend_broken(&mut tables, &mut dice, 8);
        resend_contradicting(&mut tables, &mut dice, 8);
        let world = World::of(&tables);
        let then = utc(as_of()).days_before(days).unwrap();
        let later = world.run(as_of()).unwrap().store;
        let expected = twin::wash(&tables, &then);
        for table in tables.keys() {
            let usable: Vec<_> = expected[table].usable.iter().map(|row| without_stamp(row.clone())).collect();
            for row in without_stamps(&rows_as_of(&later, table, then.date()), table) {
                prop_assert!(usable.contains(&row), "{} as of {}: {:?}", table, then.date(), row);
            }
        }
    }

    /// No broken row whose merchant, loan or order is known is without a record of its merchant.
    #[test]
    fn broken_rows_lead_to_their_merchants(seed: u64) {
        let mut dice = Dice::new(seed);
        let mut tables = marketplace(&mut dice);
        resend_broken(&mut tables, &mut dice, 5);
        let world = World::of(&tables);
        let made = world.run(as_of()).unwrap();
        let twin = twin::wash(&tables, &utc(as_of()));
        let records = records_as_of(&made.store, as_of());
        for (name, table) in &twin {
            for key in &table.unusable {
                let of_key: Vec<_> = records.iter().filter(|r| r.table == *name && r.key.as_deref() == Some(key)).collect();
                // The marketplace numbers every key by its merchant.
                let digit = key.chars().find(char::is_ascii_digit).unwrap();
                let owner = format!("M{digit}");
                let is_known = |table: &str, id: &str| {
                    let column = contract::table(table).unwrap().key[0];
                    twin[table].unusable.contains(id) || twin[table].usable.iter().any(|row| row[column] == id)
                };
                let loan = format!("L{digit}");
                let is_of_loan = ["instalments", "payments"].contains(name);
                let order = format!("O{}", &key[1..]);
                let is_of_order = ["shipments", "reviews", "disputes"].contains(name);
                // What only a parent of the future could tell is not told.
                if !is_known("merchants", &owner)
                    || (is_of_loan && !is_known("loans", &loan))
                    || (is_of_order && !is_known("orders", &order))
                {
                    continue;
                }
                prop_assert!(of_key.iter().any(|r| r.merchant_id.as_deref() == Some(&owner)), "{} {}: {:?}", name, key, of_key);
                if ["instalments", "payments", "loans"].contains(name) {
                    prop_assert!(of_key.iter().all(|r| r.loan_id.as_deref() == Some(&format!("L{digit}"))), "{:?}", of_key);
                }
            }
        }
        for record in &records {
            let key = record.key.as_deref().unwrap_or_default();
            prop_assert!(twin[record.table.as_str()].unusable.contains(key), "{:?} is repaired or was never broken", record);
        }
    }

    /// Nothing at or after as-of changes a byte of the store or of quarantine, however broken it is.
    #[test]
    fn the_future_changes_nothing(seed: u64) {
        let mut dice = Dice::new(seed);
        let mut tables = marketplace(&mut dice);
        plant_faults(&mut tables, &mut dice, 9);
        resend_broken(&mut tables, &mut dice, 9);
        resend_contradicting(&mut tables, &mut dice, 8);
        let world = World::of(&tables);
        let before = world.run(as_of()).unwrap();
        let bytes = store_bytes(&world.path("store"));
        alter_the_future(&mut tables, &mut dice);
        let other = World::of(&tables);
        let after = other.run(as_of()).unwrap();
        prop_assert!(bytes == store_bytes(&other.path("store")), "the store's bytes differ");
        prop_assert_eq!(all_quarantined(&before), all_quarantined(&after));
        forget_the_future(&mut tables);
        let without = World::of(&tables);
        let after = without.run(as_of()).unwrap();
        prop_assert!(bytes == store_bytes(&without.path("store")), "the store's bytes differ without the future");
        prop_assert_eq!(quarantine_contents(&before), quarantine_contents(&after));
    }

    /// Row order and file splits change no byte of the store, and of quarantine only the place.
    #[test]
    fn order_and_files_do_not_matter(seed: u64) {
        let mut dice = Dice::new(seed);
        let mut tables = marketplace(&mut dice);
        plant_faults(&mut tables, &mut dice, 9);
        resend_broken(&mut tables, &mut dice, 9);
        resend_contradicting(&mut tables, &mut dice, 8);
        let world = World::of(&tables);
        let one = world.run(as_of()).unwrap();
        let bytes = store_bytes(&world.path("store"));
        let split = World::new("csv");
        for (name, table) in &tables {
            let mut rows = table.rows.clone();
            dice.shuffle(&mut rows);
            for (part, rows) in rows.chunks(rows.len().div_ceil(3).max(1)).enumerate() {
                split.csv(&format!("part={part}/{name}-{part}.csv"), &table.csv(rows));
            }
            if rows.is_empty() {
                split.csv(&format!("{name}.csv"), &table.csv(&[]));
            }
        }
        let many = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| split.run(as_of())).unwrap();
        prop_assert!(bytes == store_bytes(&split.path("store")), "the store's bytes differ");
        prop_assert_eq!(quarantine_contents(&one), quarantine_contents(&many));
    }
}

/// How many minutes after as-of a milestone may be set: what was recorded more than a day before its own milestone contradicts itself today
/// already, so that of a row recorded before as-of no later one is of the future. `None`: it is no part of the future.
fn future_of(recorded: Option<&str>, milestone: &str, is_foreseen: bool) -> Option<usize> {
    const MOST: usize = 500_000;
    let seconds = |text: &str| {
        let at: jiff::civil::DateTime = text.parse().ok()?;
        Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
    };
    let Some(recorded) = recorded.filter(|text| instant_is_real(text)).and_then(seconds) else { return Some(MOST) };
    let horizon = seconds(&instant(HORIZON))?;
    if is_foreseen || recorded >= horizon {
        return Some(MOST);
    }
    let latest = recorded + 86_400;
    let minutes = usize::try_from((latest - horizon).max(0) / 60).unwrap() + 1;
    (seconds(milestone)? <= latest).then(|| minutes.min(MOST))
}

/// Changes milestones that lie at or after as-of (and what they reveal), and appends rows that do.
fn alter_the_future(tables: &mut Tables, dice: &mut Dice) {
    let horizon = "2018-07-01 00:00:00";
    let is_past = |cell: &str| instant_is_real(cell) && cell < horizon;
    let named = named_keys(tables);
    let is_future = |cell: &str| cell >= horizon && cell.len() == horizon.len() && cell.starts_with("20");
    for (name, text) in tables.iter_mut() {
        let table = contract::table(name).unwrap();
        let mut appended = Vec::new();
        for row in &mut text.rows {
            for mask in table.masks {
                let Some(at) = text.columns.iter().position(|c| c == mask.milestone) else { continue };
                // What has happened already is of the past with all that must have come before it.
                if mask.milestone == "shipped_at"
                    && is_past(&row[text.columns.iter().position(|c| c == "delivered_at").unwrap()])
                {
                    continue;
                }
                let recorded = text.columns.iter().position(|c| c == "recorded_at").map(|at| row[at].as_str());
                let future = future_of(recorded, &row[at], mask.is_foreseen);
                if is_future(&row[at])
                    && instant_is_real(&row[at])
                    && let Some(minutes) = future
                {
                    row[at] = instant(HORIZON + dice.below(minutes));
                    for revealed in mask.reveals {
                        if let Some(at) = text.columns.iter().position(|c| c == revealed) {
                            dice.one_of(&["", "7", "garbage", "merchant-won"]).clone_into(&mut row[at]);
                        }
                    }
                }
            }
            if dice.chance(20) {
                appended.push(row.clone());
            }
        }
        // Later versions of old rows, and new rows, both broken now and then. Only what a table's own times date to the future can
        // be appended, so tables without a time of their own take versions recorded later.
        let event = match table.visibility {
            contract::Visibility::Instant(event) | contract::Visibility::Day(event) => Some(event),
            contract::Visibility::Parent => None,
        };
        for mut row in appended {
            let broken = dice.below(row.len());
            dice.one_of(&["", "garbage", "nobody", "99999999999999999999"]).clone_into(&mut row[broken]);
            let later = instant(HORIZON + dice.below(500_000));
            let recorded = text.columns.iter().position(|c| c == "recorded_at");
            match (recorded, event) {
                (Some(at), _) if event.is_none() || dice.chance(50) => row[at] = later,
                (recorded, Some(event)) => {
                    let at = text.at(event);
                    let is_day = table.column(event).unwrap().kind == contract::Type::Day;
                    // Nothing that is known today tells of it: it is named by no row, or only as the row that it is another version of; and what followed it
                    // comes later.
                    let key = row[0].as_str();
                    let is_seen = |other: &Vec<String>| {
                        let stamp = recorded.map_or("", |at| other[at].as_str());
                        other[0] == key && is_past(&other[at]) && (stamp.is_empty() || is_past(stamp))
                    };
                    if named.contains(&(*name, key.to_owned())) && !text.rows.iter().any(is_seen) {
                        continue;
                    }
                    row[at] = if is_day { later[..10].to_owned() } else { later };
                    for mask in table.masks {
                        for column in std::iter::once(&mask.milestone).chain(mask.reveals) {
                            if let Some(at) = text.columns.iter().position(|c| c == column) {
                                row[at].clear();
                            }
                        }
                    }
                    // A stamp before as-of would tell of it today.
                    if let Some(at) = recorded {
                        row[at].clear();
                    }
                }
                _ => continue,
            }
            text.rows.push(row);
        }
    }
}

/// The orders and loans that rows of other tables name.
fn named_keys(tables: &Tables) -> std::collections::BTreeSet<(&'static str, String)> {
    let mut named = std::collections::BTreeSet::new();
    for (name, text) in tables {
        for reference in contract::table(name).unwrap().foreign_keys.iter().filter(|r| r.table != "merchants") {
            let at = text.at(reference.column);
            named.extend(text.rows.iter().map(|row| (reference.table, row[at].clone())));
        }
    }
    named
}

/// Drops every row that its own event time or `recorded_at` dates at or after as-of. What was recorded before as-of, and more than a day
/// before its own event, is of the past; so is what something known today says had happened.
fn forget_the_future(tables: &mut Tables) {
    let all = tables.clone();
    for (name, text) in tables.iter_mut() {
        let table = contract::table(name).unwrap();
        let whole = text.clone();
        text.rows.retain(|row| !twin::waits(table, &whole, row, &all, &utc(as_of())));
    }
}

fn instant_is_real(text: &str) -> bool {
    text.parse::<jiff::civil::DateTime>().is_ok_and(|at| at.year() < 2100)
}

fn orders_world() -> World {
    let world = World::new("csv");
    world.csv("merchants.csv", MERCHANTS);
    world.csv("orders.csv", ORDERS);
    world
}

fn refusal(world: &World) -> String {
    let error = world.run(date(2018, 4, 1)).unwrap_err();
    assert!(!world.path("store").exists(), "a refused run leaves no store");
    assert!(!world.path("store.building").exists(), "nor half of one");
    error.to_string()
}

#[track_caller]
fn assert_names(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

#[test]
fn missing_empty_and_unreadable_files_are_refused_by_name() {
    let world = orders_world();
    fs::remove_file(world.data("orders.csv")).unwrap();
    let error = world.run(date(2018, 4, 1)).unwrap_err();
    assert!(matches!(error, IngestError::Source(SourceError::MissingInput { .. })), "{error}");
    assert_names(&error.to_string(), &["orders", "**/orders*.csv"]);

    let world = orders_world();
    fs::remove_dir_all(world.path("data")).unwrap();
    let error = world.run(date(2018, 4, 1)).unwrap_err();
    assert!(matches!(error, IngestError::Source(SourceError::NoDataFolder { .. })), "{error}");

    let world = orders_world();
    world.csv("orders.csv", "");
    assert_names(&refusal(&world), &["orders.csv", "empty"]);

    let world = orders_world();
    for (bytes, words) in [
        (&b"\x1f\x8b\x08\0\0\0"[..], ["orders.csv", "gzip", "broken off"]),
        (b"PK\x03\x04\x14\0", ["orders.csv", "no workbook is found", "damaged workbook"]),
    ] {
        fs::write(world.data("orders.csv"), bytes).unwrap();
        assert_names(&refusal(&world), &words);
    }
}

#[test]
fn a_missing_column_is_refused_and_a_missing_optional_one_is_null() {
    let world = orders_world();
    world.csv("orders.csv", "order_id,merchant_id,buyer_id,placed_at,amount_minor\n");
    assert_names(&refusal(&world), &["orders.csv", "\"currency\"", "text (String)", "order_id, merchant_id"]);

    let world = orders_world();
    let made = world.run(date(2018, 4, 1)).unwrap();
    let orders = rows_as_of(&made.store, "orders", date(2018, 4, 1));
    assert_eq!(orders.column("refund_minor").unwrap().null_count(), 2);
}

#[test]
fn no_data_rows_are_no_fault() {
    let world = orders_world();
    world.csv("orders.csv", ORDERS.lines().next().unwrap());
    let made = world.run(date(2018, 4, 1)).unwrap();
    assert_eq!(made.store.rows("orders"), Some(0));
    assert_eq!(rows_as_of(&made.store, "orders", date(2018, 4, 1)).height(), 0);
}

#[test]
fn ragged_rows_are_quarantined_with_their_text() {
    let world = orders_world();
    world.csv("orders.csv", &(ORDERS.to_owned() + "O3,M1,B1\n"));
    let made = world.run(date(2018, 4, 1)).unwrap();
    let quarantine = &quarantined(&made, "orders");
    assert_eq!(broken(quarantine, "rule"), [Some("wrong-cell-count".to_owned())]);
    assert_eq!(broken(quarantine, "record"), [Some("O3,M1,B1".to_owned())]);
    assert_eq!((quarantine[0].row, quarantine[0].number), (3, 1));
    assert_eq!(made.ledger[1].read, 3);
}

#[test]
fn quarantine_keeps_file_row_rule_and_value() {
    let world = orders_world();
    world.csv("orders.csv", &ORDERS.replace(",2500,", ",25.00,"));
    let made = world.run(date(2018, 4, 1)).unwrap();
    let cells: Vec<_> = ["file", "key", "rule", "column", "value"]
        .iter()
        .map(|c| broken(&quarantined(&made, "orders"), c)[0].clone().unwrap())
        .collect();
    assert_eq!(cells, ["orders.csv", "O2", "type-unreadable", "amount_minor", "25.00"]);
    let record = broken(&quarantined(&made, "orders"), "record")[0].clone().unwrap();
    assert_names(&record, &["\"amount_minor\":\"25.00\"", "\"placed_at\":\"2018-03-01T10:00:00Z\""]);
}

#[test]
fn too_much_quarantine_stops_the_run() {
    let mut world = orders_world();
    world.csv("orders.csv", &ORDERS.replace(",2500,", ",x,"));
    world.limit = 0.0;
    assert_names(&refusal(&world), &["\"orders\"", "1 of 2", "50.00 %", "0.00 %", "type-unreadable 1"]);
    world.limit = 0.49;
    world.csv("orders.csv", &ORDERS.replace(",2500,", ",x,").replace(",1000,", ",y,"));
    assert_names(&refusal(&world), &["\"orders\"", "2 of 2", "100.00 %", "49.00 %", "type-unreadable 2"]);
    world.by_table.insert("orders", 1.0);
    world.run(date(2018, 4, 1)).unwrap();
    let mut single = orders_world();
    single.csv("orders.csv", &ORDERS.replace(",2500,", ",x,"));
    single.limit = 0.01;
    single.run(date(2018, 4, 1)).expect("one row stops no night where some may be quarantined");
}

#[test]
fn a_parent_that_is_broken_taints_its_children() {
    let world = orders_world();
    world.csv("orders.csv", &ORDERS.replace(",2500,", ",x,"));
    world.csv(
        "reviews.csv",
        "review_id,order_id,merchant_id,buyer_id,created_at,stars
R1,O1,M1,B1,2018-02-11 00:00:00,5
R2,O2,M2,B2,2018-03-11 00:00:00,5
R3,O9,M2,B2,2018-03-11 00:00:00,5
R4,O1,M2,B2,2018-03-11 00:00:00,5
R5,O1,M1,B2,2018-05-11 00:00:00,6
",
    );
    let made = world.run(date(2018, 4, 1)).unwrap();
    let rules = &made.ledger.iter().find(|l: &&LedgerLine| l.table == "reviews").unwrap().rules;
    let expected = [("parent-quarantined", 1), ("parent-missing", 1), ("parent-of-another-merchant", 1)];
    assert_eq!(rules, &expected.into_iter().map(|(r, n)| (r.to_owned(), n)).collect());
}

/// The tables as typed Parquet files, through the store of the same tables in CSV.
fn typed(world: &World, table: &str) -> DataFrame {
    let store = Store::open(&world.path("store")).unwrap();
    rows_as_of(&store, table, date(2018, 4, 1))
}

fn write_parquet(path: &Path, frame: &DataFrame) {
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame.clone()).unwrap();
}

fn parquet_world() -> (World, BTreeMap<String, Vec<u8>>) {
    let csv = orders_world();
    csv.run(date(2018, 4, 1)).unwrap();
    let world = World::new("parquet");
    for table in ["merchants", "orders"] {
        write_parquet(&world.data(&format!("{table}.parquet")), &typed(&csv, table));
    }
    (world, store_bytes(&csv.path("store")))
}

fn recast(world: &World, column: &str, dtype: &DataType) {
    let path = world.data("orders.parquet");
    let mut frame = ParquetReader::new(fs::File::open(&path).unwrap()).finish().unwrap();
    let cast = frame.column(column).unwrap().cast(dtype).unwrap();
    frame.with_column(cast).unwrap();
    write_parquet(&path, &frame);
}

#[test]
fn parquet_and_csv_give_the_same_store() {
    let (world, bytes) = parquet_world();
    world.run(date(2018, 4, 1)).unwrap();
    assert!(store_bytes(&world.path("store")) == bytes);
}

#[test]
fn what_is_wider_or_narrower_without_loss_is_taken() {
    let (world, bytes) = parquet_world();
    recast(&world, "amount_minor", &DataType::Int32);
    recast(&world, "placed_at", &DataType::Datetime(TimeUnit::Nanoseconds, None));
    recast(&world, "completed_at", &DataType::Datetime(TimeUnit::Milliseconds, None));
    recast(&world, "paid_at", &DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)));
    world.run(date(2018, 4, 1)).unwrap();
    assert!(store_bytes(&world.path("store")) == bytes);
}

#[test]
fn an_id_is_the_same_in_files_of_other_types_and_refused_where_it_has_lost_digits() {
    let csv = orders_world();
    csv.csv("orders.csv", &ORDERS.replace("O1", "101").replace("O2", "102").replace("M1", " M1 "));
    csv.run(date(2018, 4, 1)).unwrap();
    let (merchants, orders) = (typed(&csv, "merchants"), typed(&csv, "orders"));
    let of_select = "SELECT _file, _row, CAST(order_id AS VARCHAR) AS order_id, merchant_id, buyer_id, placed_at, paid_at, completed_at, amount_minor, \
                     currency FROM orders";
    for sql in [None, Some(of_select)] {
        let world = World::new("parquet");
        write_parquet(&world.data("merchants.parquet"), &merchants);
        if let Some(sql) = sql {
            fs::write(world.path("orders.sql"), sql).unwrap();
        }
        let write = |file: &str, row: i64, ids: Series| {
            let mut part = orders.slice(row, 1);
            part.with_column(ids.with_name("order_id".into()).into_column()).unwrap();
            write_parquet(&world.data(file), &part);
        };
        let ids = |row: usize| orders.column("order_id").unwrap().get(row).unwrap().extract_str().unwrap().to_owned();
        write("orders-1.parquet", 0, Series::new("".into(), [ids(0).parse::<i64>().unwrap()]));
        write("orders-2.parquet", 1, Series::new("".into(), [ids(1).parse::<f64>().unwrap()]));
        world.run(date(2018, 4, 1)).unwrap();
        assert!(typed(&world, "orders").equals_missing(&orders), "{sql:?}");
        write("orders-2.parquet", 1, Series::new("".into(), [9_007_199_254_740_993.0_f64]));
        let made = world.run(date(2018, 4, 1)).unwrap();
        assert_eq!(broken(&quarantined(&made, "orders"), "rule"), [Some("id-malformed".to_owned())], "{sql:?}");
    }
}

#[test]
fn wrong_types_are_refused_with_table_column_and_both_types() {
    for (column, dtype, shown) in [
        ("amount_minor", DataType::Float64, "f64"),
        ("amount_minor", DataType::String, "str"),
        ("placed_at", DataType::Int64, "i64"),
        ("placed_at", DataType::String, "str"),
    ] {
        let (world, _) = parquet_world();
        recast(&world, column, &dtype);
        assert_names(&refusal(&world), &["\"orders\"", "orders.parquet", column, shown]);
    }
    let (world, _) = parquet_world();
    recast(&world, "placed_at", &DataType::Int64);
    recast(&world, "merchant_id", &DataType::Categorical(Categories::global(), Categories::global().mapping()));
    assert_names(&refusal(&world), &["placed_at", "UTC instant", "i64"]);
}

#[test]
fn truncated_and_damaged_parquet_is_refused_by_name() {
    let (world, _) = parquet_world();
    let path = world.data("orders.parquet");
    let bytes = fs::read(&path).unwrap();
    for keep in [1, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..keep]).unwrap();
        assert_names(&refusal(&world), &["orders.parquet"]);
    }
    fs::write(&path, [&[0_u8; 64], &bytes[64..]].concat()).unwrap();
    assert_names(&refusal(&world), &["orders.parquet"]);
}

#[test]
fn sql_is_refused_with_its_file_and_reason() {
    let other = World::new("csv");
    other.csv("secret.csv", "order_id\nO1\n");
    let reads_another_file =
        format!("SELECT *, 0 AS _file, 1 AS _row\nFROM read_csv('{}')", other.data("secret.csv").display());
    for (sql, words) in [
        ("SELECT nonsense FROM orders", ["orders.sql", "nonsense"]),
        ("SELEC * FROM orders", ["orders.sql", "SELEC"]),
        ("SELECT order_id FROM orders", ["orders.sql", "_file"]),
        ("SELECT *\nFROM orders, nowhere", ["orders.sql:2", "nowhere"]),
        (&reads_another_file, ["orders.sql:2", "read_csv"]),
        ("SELECT * FROM orders; DROP TABLE orders", ["orders.sql", "2 statements"]),
        ("DELETE FROM orders", ["orders.sql", "DELETE"]),
    ] {
        let world = orders_world();
        fs::write(world.path("orders.sql"), sql).unwrap();
        let message = match world.try_job() {
            Ok(_) => refusal(&world),
            Err(error) => error.to_string(),
        };
        assert_names(&message, &words);
    }
}

#[test]
fn rows_that_a_select_leaves_out_are_quarantined() {
    let world = orders_world();
    fs::write(world.path("orders.sql"), "SELECT * FROM orders WHERE amount_minor <> '2500'").unwrap();
    let made = world.run(date(2018, 4, 1)).unwrap();
    let line = &made.ledger[1];
    assert_eq!((line.read, line.kept, line.quarantined), (2, 1, 1));
    assert_eq!(broken(&quarantined(&made, "orders"), "rule"), [Some("not-mapped".to_owned())]);
    assert_names(&broken(&quarantined(&made, "orders"), "record")[0].clone().unwrap(), &["\"order_id\":\"O2\""]);
}

#[test]
fn a_store_holds_what_was_known_on_its_date_and_no_later() {
    let world = orders_world();
    let mut orders = Text::new("order_id,merchant_id,buyer_id,placed_at,amount_minor,currency");
    for n in 0..60 {
        orders.push([&format!("A{n}"), "M1", "B", &instant(1_440 * (20 + n % 3)), "5", "CNY"]);
    }
    orders.push(["late", "M1", "B", &instant(1_440 * 30), "5", "CNY"]);
    world.csv("orders.csv", &orders.csv(&orders.rows));
    assert_eq!(world.run(date(2018, 1, 24)).unwrap().store.rows("orders"), Some(60));
    let made = world.run(date(2018, 1, 22)).unwrap();
    assert_eq!((made.as_of.date(), made.store.rows("orders")), (date(2018, 1, 22), Some(20)));
    let too_late = made.store.shard(0, &utc(date(2018, 1, 23))).unwrap_err();
    assert_names(&too_late.to_string(), &["2018-01-23", "2018-01-22"]);
}

#[test]
fn files_that_are_only_joined_are_accounted_for_too() {
    let (folder, job) = small_olist();
    let customers = job.intake.source.data.join("olist_customers_dataset.csv");
    let text = fs::read_to_string(&customers).unwrap();
    fs::write(&customers, text + "only,two\n").unwrap();
    let made = ingest(&job.intake, date(2018, 6, 1), &folder.path().join("store"), &|_| {}).unwrap();
    let line = made.joined.iter().find(|l| l.file == "olist_customers_dataset.csv").unwrap();
    assert_eq!((line.table.as_str(), line.read, line.kept, line.quarantined), ("joined", 4, 3, 1));
    assert_eq!(broken(&quarantined(&made, "joined"), "record"), [Some("only,two".to_owned())]);
}

/// Three invented orders in the shape of the Olist export.
fn small_olist() -> (tempfile::TempDir, Job) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let files = [
        (
            "olist_orders_dataset.csv",
            "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,\
             order_delivered_customer_date,order_estimated_delivery_date
a,c1,delivered,2018-01-01 10:00:00,2018-01-01 11:00:00,2018-01-03 09:00:00,2018-01-09 18:00:00,2018-01-20 00:00:00
b,c2,canceled,2018-02-01 10:00:00,2018-02-02 11:00:00,,,2018-02-20 00:00:00
c,c3,unavailable,2018-03-01 10:00:00,,,,2018-03-20 00:00:00
",
        ),
        (
            "olist_order_items_dataset.csv",
            "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value
a,1,p1,s1,2018-01-04 00:00:00,10.10,1.05
a,2,p1,s1,2018-01-05 00:00:00,10.10,1.05
a,2,p1,s1,2018-01-05 00:00:00,10.10,1.05
a,3,p2,s2,2018-01-04 00:00:00,0.07,0.00
b,1,p2,s2,2018-02-04 00:00:00,99.99,9.99
z,1,p2,s2,2018-02-04 00:00:00,1.00,1.00
",
        ),
        (
            "olist_order_reviews_dataset.csv",
            "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,review_answer_timestamp
r1,a,4,,\"two\nlines, \"\"quoted\"\"\",2018-01-10 00:00:00,2018-01-12 08:00:00
r1,b,1,,,2018-02-10 00:00:00,
r2,c,1,,,2018-03-10 00:00:00,2018-03-11 08:00:00
",
        ),
        (
            "olist_customers_dataset.csv",
            "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state
c1,u1,01001,sao paulo,SP
c2,u1,01001,sao paulo,SP
c3,u3,01001,sao paulo,SP
",
        ),
        (
            "olist_sellers_dataset.csv",
            "seller_id,seller_zip_code_prefix,seller_city,seller_state\ns1,1,x,SP\ns2,1,x,RJ\ns3,1,x,RJ\n",
        ),
        ("olist_products_dataset.csv", "product_id,product_category_name\np1,brinquedos\np2,\n"),
        (
            "product_category_name_translation.csv",
            "\u{feff}product_category_name,product_category_name_english\nbrinquedos,toys\n",
        ),
    ];
    for (file, text) in files {
        fs::write(data.join(file), text).unwrap();
    }
    let mut job = olist_job(folder.path(), &data);
    job.intake.wash.max_quarantine_share = 1.0;
    (folder, job)
}

#[test]
fn the_olist_mapping_says_what_its_comments_say() {
    let (folder, job) = small_olist();
    let made = ingest(&job.intake, date(2018, 6, 1), &folder.path().join("store"), &|_| {}).unwrap();
    let day = date(2018, 6, 1);
    let merchants = as_rows(&rows_as_of(&made.store, "merchants", day), "merchants");
    let shops: Vec<_> = merchants
        .iter()
        .map(|m| [&m["merchant_id"], &m["registered_at"], &m["category"], &m["region"]].map(String::as_str))
        .collect();
    assert_eq!(
        shops,
        [["s1", "2018-01-01 10:00:00", "toys", "SP"], ["s2", "2018-01-01 10:00:00", "unknown", "RJ"]],
        "a seller without orders waits"
    );
    let orders = as_rows(&rows_as_of(&made.store, "orders", day), "orders");
    let sums: BTreeMap<_, _> = orders.iter().map(|o| (o["order_id"].as_str(), o["amount_minor"].as_str())).collect();
    // Two items of 10.10 + 1.05, one of them sent twice; centavos that binary fractions cannot hold.
    assert_eq!(sums, BTreeMap::from([("a-s1", "2230"), ("a-s2", "7"), ("b-s2", "10998")]));
    let cell = |id: &str, column: &str| orders.iter().find(|o| o["order_id"] == id).unwrap().get(column).cloned();
    assert_eq!(cell("a-s1", "completed_at").as_deref(), Some("2018-01-09 18:00:00"));
    assert_eq!(cell("b-s2", "cancelled_at").as_deref(), Some("2018-02-20 00:00:00"));
    assert_eq!(cell("b-s2", "buyer_id"), cell("a-s1", "buyer_id"));
    // The order without items names no seller: quarantined, not lost. So is its review.
    assert_eq!(broken(&quarantined(&made, "orders"), "key"), [Some("c".to_owned())]);
    assert_eq!(broken(&quarantined(&made, "reviews"), "key"), [Some("r2-c".to_owned())]);
    let shipments = as_rows(&rows_as_of(&made.store, "shipments", day), "shipments");
    let limits: Vec<_> = shipments.iter().map(|s| (s["shipment_id"].as_str(), s["ship_by_at"].as_str())).collect();
    assert!(limits.contains(&("a-s1", "2018-01-05 00:00:00")), "{limits:?}");
    let line = made.ledger.iter().find(|l| l.table == "shipments").unwrap();
    assert_eq!((line.read, line.kept, line.duplicate, line.quarantined), (6, 3, 2, 1), "items of order z are orphans");
    let reviews = as_rows(&rows_as_of(&made.store, "reviews", day), "reviews");
    let given: BTreeMap<_, _> = reviews.iter().map(|r| (r["review_id"].as_str(), r["created_at"].as_str())).collect();
    assert_eq!(
        given,
        BTreeMap::from([
            ("r1-a-s1", "2018-01-12 08:00:00"),
            ("r1-a-s2", "2018-01-12 08:00:00"),
            ("r1-b-s2", "2018-02-10 00:00:00"),
        ])
    );
}

#[test]
fn types_that_polars_was_not_built_for_are_refused_without_a_panic() {
    use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float32Array, Int8Array, Int16Array, UInt16Array};
    use std::sync::Arc;

    let narrow: [(ArrayRef, bool); 6] = [
        (Arc::new(Int16Array::from(vec![10, 25])), true),
        (Arc::new(Int8Array::from(vec![10, 25])), true),
        (Arc::new(UInt16Array::from(vec![10, 25])), true),
        (Arc::new(Float32Array::from(vec![10.0, 25.0])), false),
        (Arc::new(BooleanArray::from(vec![true, false])), false),
        (Arc::new(Decimal128Array::from(vec![1_000, 2_500])), false),
    ];
    for (amounts, may_pass) in narrow {
        let (world, _) = parquet_world();
        let path = world.data("orders.parquet");
        let reader =
            parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap());
        let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
        let dtype = amounts.data_type().clone();
        let at = batch.schema().index_of("amount_minor").unwrap();
        let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
        let mut columns = batch.columns().to_vec();
        fields[at] = Arc::new(arrow::datatypes::Field::new("amount_minor", dtype.clone(), true));
        columns[at] = amounts;
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        let changed = arrow::record_batch::RecordBatch::try_new(schema.clone(), columns).unwrap();
        let file = fs::File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, schema, None).unwrap();
        writer.write(&changed).unwrap();
        writer.close().unwrap();
        match world.run(date(2018, 4, 1)) {
            Ok(made) => {
                assert!(may_pass, "{dtype} was taken for money");
                let orders = rows_as_of(&made.store, "orders", date(2018, 4, 1));
                assert_eq!(orders.column("amount_minor").unwrap().i64().unwrap().sum(), Some(35), "{dtype}");
            }
            Err(IngestError::Source(error)) => assert_names(&error.to_string(), &["orders.parquet"]),
            Err(other) => unreachable!("{dtype}: {other}"),
        }
    }
}
