//! What earlier nights kept changes nothing: every night is washed as if all files were read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use integrity::source::{ColumnGap, InputFile};
use integrity::store::BrokenRecord;
use integrity::wash::{Activity, Filled, IngestProgress, KeepRows, LedgerLine, QuarantineRow, ingest_keeping};
use jiff::ToSpan;
use jiff::civil::Date;
use polars::prelude::*;

use super::world::{Dice, HORIZON, Tables, World, instant, marketplace, plant_faults, resend_broken, store_bytes};
use super::{Ingested, ProptestConfig, TestCaseError, all_quarantined, as_of, prop_assert, prop_assert_eq, proptest};

/// All that a night's washing says, its files of the store among it.
#[derive(Debug, PartialEq)]
struct Said {
    ledger: Vec<LedgerLine>,
    quarantine: BTreeMap<&'static str, Vec<QuarantineRow>>,
    unattributed: Vec<BrokenRecord>,
    activity: BTreeMap<&'static str, Activity>,
    filled: BTreeMap<&'static str, Filled>,
    gaps: Vec<ColumnGap>,
    inputs: Vec<InputFile>,
    store: BTreeMap<String, Vec<u8>>,
}

fn said(made: &Ingested) -> Said {
    Said {
        ledger: made.ledger.clone(),
        quarantine: all_quarantined(made),
        unattributed: made.unattributed.clone(),
        activity: made.activity.clone(),
        filled: made.filled.clone(),
        gaps: made.column_gaps.clone(),
        inputs: made.inputs.clone(),
        store: store_bytes(made.store.folder()),
    }
}

fn keep(world: &World) -> KeepRows {
    KeepRows { settled_after: Duration::ZERO, ..KeepRows::at(world.path("kept"), "this program".to_owned()) }
}

/// A night with kept rows: what it says, and how many files it did not read.
fn night(world: &World, day: Date, keep: &KeepRows) -> (Said, usize) {
    let kept_files = Mutex::new(0);
    let made = ingest_keeping(&world.job().intake, day, &world.path("store"), Some(keep), &|event| {
        if let IngestProgress::Read { kept_files: kept, .. } = event {
            *kept_files.lock().unwrap() = kept;
        }
    });
    (said(&made.unwrap()), kept_files.into_inner().unwrap())
}

fn compare(world: &World, day: Date, keep: &KeepRows) -> Result<usize, TestCaseError> {
    let whole = said(&world.run(day).unwrap());
    let (with_kept, kept_files) = night(world, day, keep);
    prop_assert_eq!(&with_kept.ledger, &whole.ledger);
    prop_assert_eq!(&with_kept.quarantine, &whole.quarantine);
    prop_assert_eq!(&with_kept.unattributed, &whole.unattributed);
    prop_assert_eq!(&with_kept.activity, &whole.activity);
    prop_assert_eq!(&with_kept.filled, &whole.filled);
    prop_assert_eq!(&with_kept.gaps, &whole.gaps);
    prop_assert_eq!(&with_kept.inputs, &whole.inputs);
    let names = |said: &Said| said.store.keys().cloned().collect::<Vec<_>>();
    prop_assert_eq!(names(&with_kept), names(&whole));
    for (name, bytes) in &whole.store {
        prop_assert!(&with_kept.store[name] == bytes, "{} differs", name);
    }
    Ok(kept_files)
}

/// Rows dealt out to so many nights, anyhow: late ones, versions before their predecessors, children before their parents.
fn deal(world: &World, tables: &Tables, nights: usize, dice: &mut Dice) -> Vec<Vec<(String, String)>> {
    let mut files = vec![Vec::new(); nights];
    for (name, table) in tables {
        let mut rows = vec![Vec::new(); nights];
        for row in &table.rows {
            rows[dice.below(nights)].push(row.clone());
        }
        for (night, rows) in rows.iter().enumerate() {
            // The first night has every table, a later one perhaps no file of some.
            if night == 0 || !rows.is_empty() {
                let mut text = table.csv(rows);
                if dice.chance(20) {
                    text += "a record of one cell\n";
                }
                files[night].push((format!("night-{night}/{name}.csv"), text));
            }
        }
    }
    for file in &files[0] {
        world.csv(&file.0, &file.1);
    }
    files
}

fn lines_dropped(text: &str, dice: &mut Dice) -> String {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().to_owned();
    lines.filter(|_| !dice.chance(30)).fold(header + "\n", |text, line| text + line + "\n")
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What a process killed at some instant of a night leaves: the state before with torn and whole files that nothing names, or the state
/// after with files that nothing names any more.
fn killed(kept: &Path, before: &Path, after: &Path, dice: &mut Dice) {
    let is_before = dice.chance(60);
    let (stands, other) = if is_before { (before, after) } else { (after, before) };
    copy(stands, kept);
    for entry in fs::read_dir(other).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if stands.join(&name).exists() && name != "ledger" {
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        if is_before && (name == "ledger" || dice.chance(50)) {
            fs::write(kept.join(format!("{name}.new")), &bytes[..dice.below(bytes.len() + 1)]).unwrap();
        } else if name != "ledger" && dice.chance(70) {
            fs::write(kept.join(&name), bytes).unwrap();
        }
    }
}

fn damage_one(kept: &Path, dice: &mut Dice) {
    let mut files: Vec<_> = fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let path = &files[dice.below(files.len())];
    let mut bytes = fs::read(path).unwrap();
    match dice.below(3) {
        0 => fs::remove_file(path).unwrap(),
        1 => fs::write(path, &bytes[..dice.below(bytes.len())]).unwrap(),
        _ => {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 + u8::try_from(dice.below(255)).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

fn nights(seed: u64) -> Result<(), TestCaseError> {
    let mut dice = Dice::new(seed);
    let mut tables = marketplace(&mut dice);
    super::buckets::send_to_others(&mut tables, &mut dice);
    plant_faults(&mut tables, &mut dice, 8);
    resend_broken(&mut tables, &mut dice, 9);
    let mut world = World::new("csv");
    world.buckets = 3;
    fs::write(world.path("reviews.sql"), "SELECT * FROM reviews WHERE stars <> '2'").unwrap();
    let count = 4;
    let files = deal(&world, &tables, count, &mut dice);
    let keep = keep(&world);
    let (before, after) = (world.path("before"), world.path("after"));
    let mut there: Vec<(String, String)> = files[0].clone();
    let mut is_damaged = false;
    for (step, tonight) in files.iter().enumerate() {
        let day = as_of().checked_sub(i64::try_from(count - step).unwrap().days()).unwrap();
        if step > 0 {
            for (name, text) in tonight {
                world.csv(name, text);
                there.push((name.clone(), text.clone()));
            }
        }
        let mut changed = 0;
        if step > 1 && dice.chance(70) {
            let at = dice.below(there.len());
            let (name, text) = &mut there[at];
            let is_only = !name.starts_with("night-0");
            if is_only && dice.chance(40) {
                fs::remove_file(world.data(name)).unwrap();
                there.remove(at);
            } else {
                *text = if dice.chance(70) { lines_dropped(text, &mut dice) } else { text.clone() };
                world.csv(name, text);
            }
            changed = 1;
        }
        let known = if step == 0 { 0 } else { there.len() - tonight.len() };
        if step > 0 {
            copy(&keep.folder, &before);
        }
        let kept_files = compare(&world, day, &keep)?;
        let is_enough = is_damaged || kept_files + changed >= known;
        prop_assert!(is_enough, "{} files of {} were not read", kept_files, known);
        copy(&keep.folder, &after);
        if step > 0 {
            killed(&keep.folder, &before, &after, &mut dice);
            compare(&world, day, &keep)?;
        }
        is_damaged = step > 1 && dice.chance(50);
        if is_damaged {
            damage_one(&keep.folder, &mut dice);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_kept_a_night_is_washed_as_if_all_files_were_read(seed: u64) {
        nights(seed)?;
    }
}

/// Found by the property: two versions of a payment name loans that are kept in one part and lie in two buckets.
#[test]
fn versions_of_a_payment_that_name_two_loans_are_washed_together() {
    nights(2_097_023_988_792_239_797).unwrap();
}

/// Two nights of a small market, and a job whose first night is over.
fn two_nights() -> (World, KeepRows, usize) {
    let mut dice = Dice::new(3);
    let tables = marketplace(&mut dice);
    let world = World::new("csv");
    let files = deal(&world, &tables, 2, &mut dice);
    let keep = keep(&world);
    let (_, kept_files) = night(&world, as_of(), &keep);
    assert_eq!(kept_files, 0);
    for (name, text) in &files[1] {
        world.csv(name, text);
    }
    (world, keep, files[0].len())
}

#[test]
fn a_night_reads_only_what_the_day_brought() {
    let (world, keep, first) = two_nights();
    assert_eq!(compare(&world, as_of(), &keep).unwrap(), first);
    let (again, all) = night(&world, as_of(), &keep);
    assert_eq!(all, again.inputs.len(), "nothing came");
    let rehashed = KeepRows { rehash: true, ..keep.clone() };
    assert_eq!(night(&world, as_of(), &rehashed), (again, all), "hashed again, the bytes are the same");
}

#[test]
fn another_select_program_number_of_buckets_or_column_reads_everything_again() {
    let (mut world, keep, first) = two_nights();
    let other = KeepRows { code_version: "another program".to_owned(), ..keep.clone() };
    assert_eq!(compare(&world, as_of(), &other).unwrap(), 0);
    world.buckets = 5;
    assert_eq!(compare(&world, as_of(), &other).unwrap(), 0);
    let all = night(&world, as_of(), &other).1;
    fs::write(world.path("payments.sql"), "SELECT * FROM payments WHERE amount_minor <> '7'").unwrap();
    let of_payments = all - compare(&world, as_of(), &other).unwrap();
    assert!((1..=2).contains(&of_payments), "{of_payments}, and {first} files came on the first night");
    world.csv("night-9/orders.csv", "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency,note\n");
    assert!(compare(&world, as_of(), &other).unwrap() < all, "a column more changes what a SELECT sees");
}

/// A Parquet file of reviews: of an order that there is, by a column of stars and one of reviewers.
fn review(world: &World, folder: &str, stars: &Series, buyer: &Series) {
    let at: Int64Chunked = [Some(1_519_900_000_000_000)].into_iter().collect();
    let at = at.into_series().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
    let id = |name: &str, cell: &str| Column::new(name.into(), [cell]);
    let columns = vec![
        id("review_id", folder),
        id("order_id", "O1"),
        id("merchant_id", "M1"),
        buyer.clone().with_name("buyer_id".into()).into_column(),
        at.with_name("created_at".into()).into_column(),
        stars.clone().with_name("stars".into()).into_column(),
    ];
    let path = world.data(&format!("{folder}/reviews.parquet"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut frame = DataFrame::new(1, columns).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
}

/// Merchants and orders, to which reviews come as Parquet files; the keeping of rows, a column of stars and one of reviewers.
fn reviewed() -> (World, KeepRows, Series, Series) {
    let mut world = World::new("csv");
    world.of_input.insert("reviews", "files = '**/reviews.parquet'");
    let merchants = "M1,2018-01-01 00:00:00,toys,SP\nM2,2018-01-01 00:00:00,toys,SP\n";
    world.csv("a/merchants.csv", &format!("merchant_id,registered_at,category,region\n{merchants}"));
    world.csv("a/orders.csv", super::ORDERS);
    let keep = keep(&world);
    (world, keep, Series::new("stars".into(), [4_i64]), Series::new("buyer_id".into(), ["B1"]))
}

fn words_of_its_own(words: [&str; 2]) -> DataType {
    DataType::from_frozen_categories(FrozenCategories::new(words).unwrap())
}

#[test]
fn files_whose_words_differ_are_read_as_text() {
    let (world, keep, stars, buyer) = reviewed();
    let categories = DataType::from_categories(Categories::global());
    let files = [("a", words_of_its_own(["B1", "B2"])), ("b", words_of_its_own(["B1", "B3"])), ("c", categories)];
    for (at, (folder, of_buyers)) in files.into_iter().enumerate() {
        review(&world, folder, &stars, &buyer.cast(&of_buyers).unwrap());
        compare(&world, as_of(), &keep).unwrap();
        let made = world.run(as_of()).unwrap();
        assert_eq!(made.store.rows("reviews"), Some(at as u64 + 1), "{folder}");
    }
}

#[test]
fn a_new_file_of_narrower_types_loses_no_row_of_the_earlier_ones() {
    let (world, keep, stars, buyer) = reviewed();
    review(&world, "a", &stars, &buyer);
    assert_eq!(compare(&world, as_of(), &keep).unwrap(), 0);
    let reviews = |said: &Said| said.ledger.iter().filter(|line| line.table == "reviews").map(|l| l.kept).sum::<u64>();
    let of_categories = DataType::from_categories(Categories::global());
    let of_words = words_of_its_own(["B1", "B2"]);
    let types = [
        (DataType::Int8, DataType::String, 3),
        (DataType::Int16, DataType::String, 4),
        (DataType::Int64, of_categories, 5),
        // Words of a file of its own cannot be kept: the reviews are read again, all of them.
        (DataType::Int64, of_words, 2),
        (DataType::Int64, DataType::String, 2),
    ];
    for (night, (of_stars, of_buyers, kept_files)) in types.into_iter().enumerate() {
        let folder = ["b", "c", "d", "e", "f"][night];
        review(&world, folder, &stars.cast(&of_stars).unwrap(), &buyer.cast(&of_buyers).unwrap());
        assert_eq!(compare(&world, as_of(), &keep).unwrap(), kept_files, "{of_stars}, {of_buyers}");
        assert_eq!(reviews(&self::night(&world, as_of(), &keep).0), night as u64 + 2);
    }
}

/// A table whose SELECT needs its inputs at once is read as a whole, and so are the files that it needs.
#[test]
fn a_select_that_joins_keeps_nothing() {
    let (world, keep, _) = two_nights();
    let joined = "SELECT s.* FROM shipments s LEFT JOIN orders o ON s.order_id = o.order_id";
    fs::write(world.path("shipments.sql"), joined).unwrap();
    let all = night(&world, as_of(), &keep).0.inputs.len();
    let kept_files = compare(&world, as_of(), &keep).unwrap();
    assert!(kept_files > 0 && kept_files <= all - 4, "{kept_files} of {all}");
}

/// Instalments that came before their loan, and a loan that is another merchant's in a later file than in one that is gone.
#[test]
fn rows_without_a_merchant_follow_their_loan() {
    let world = World::new("csv");
    world.csv("a/merchants.csv", "merchant_id,registered_at,category,region\nM1,2018-01-01 00:00:00,toys,SP\nM2,2018-01-05 00:00:00,books,RJ\nM3,2018-01-05 00:00:00,books,RJ\n");
    world.csv("a/orders.csv", super::ORDERS);
    let instalments = "loan_id,number,due_on,principal_minor,interest_minor,fee_minor,recorded_at\n";
    world.csv("a/instalments.csv", &format!("{instalments}L1,1,2018-05-01,500,10,0,\n"));
    let loan = |merchant: &str| {
        format!(
            "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment\n\
             L1,{merchant},credit-loan,2018-02-15 00:00:00,500,90,500,bullet\n"
        )
    };
    let keep = keep(&world);
    compare(&world, as_of(), &keep).unwrap();
    world.csv("b/loans.csv", &loan("M1"));
    assert_eq!(compare(&world, as_of(), &keep).unwrap(), 3);
    for merchant in ["M2", "M3", "M1"] {
        fs::remove_dir_all(world.data("b")).unwrap();
        world.csv("b/loans.csv", &loan(merchant));
        world.csv("b/instalments.csv", &format!("{instalments}L1,1,2018-05-01,500,10,0,{}\n", instant(HORIZON - 900)));
        compare(&world, as_of(), &keep).unwrap();
    }
}
