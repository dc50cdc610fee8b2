//! A look-up finds exactly what a scan of the whole file finds.

use integrity::monitor::Alert;
use integrity::offer::{Decline, Offer};
use integrity::publish::{
    Begun, FeatureRow, OutputRow, OutputTable, Pointing, PublishError, Publisher, ScoreBook, Stage, TableReader,
    lookup, read_feature_columns,
};
use integrity::score::MerchantScore;
use jiff::civil::date;
use proptest::collection::btree_set;
use proptest::prelude::*;

use super::fixture::{
    alert, decline, feature_columns, identity, identity_on, merchant, offer, provenance, publish, publish_with, score,
};

fn put<R: OutputRow>(stage: &mut Stage<'_, '_>, table: OutputTable, rows: impl IntoIterator<Item = R>) {
    let mut writer = stage.table(table).unwrap();
    writer.extend(rows).unwrap();
    stage.seal(writer).unwrap();
}

/// Publishes a run of these merchants: all are scored, some have offers, declines or alerts.
pub(crate) fn publish_merchants(
    out: &std::path::Path,
    merchants: &[String],
    features: impl Fn(&str) -> Vec<Option<f64>>,
) {
    let mut publisher = Publisher::open(out).unwrap();
    let Begun::Stage(mut stage) = publisher.begin(identity(1), Pointing::Forward).unwrap() else { panic!() };
    let every = |n: usize, from: usize| merchants.iter().skip(from).step_by(n);
    put(&mut stage, MerchantScore::table(), merchants.iter().map(|m| score(m, 1)));
    put(&mut stage, Offer::table(), every(2, 0).flat_map(|m| ["a", "b", "c"].map(|p| offer(m, p, 1))));
    put(&mut stage, Decline::table(), every(3, 1).map(|m| decline(m, "p")));
    put(&mut stage, Alert::table(), every(5, 0).flat_map(|m| ["1", "2"].map(|id| alert(m, id))));
    let values = |m: &String| FeatureRow { merchant_id: m.clone(), values: features(m) };
    put(&mut stage, FeatureRow::table_of(&feature_columns()), merchants.iter().map(values));
    stage.publish(provenance(1)).unwrap();
}

/// The length of each merchant's id, and nothing.
fn lengths(merchant: &str) -> Vec<Option<f64>> {
    vec![Some(merchant.len() as f64), None]
}

fn scan<R: OutputRow>(book: &ScoreBook, table: &str, keep: impl Fn(&R) -> bool) -> Vec<R> {
    let rows = TableReader::<R>::open(&book.run_dir().join(format!("{table}.parquet"))).unwrap();
    rows.map(Result::unwrap).filter(keep).collect()
}

fn look_up_equals_scan(book: &ScoreBook, merchant: &str) -> Result<(), TestCaseError> {
    let scores: Vec<MerchantScore> = scan(book, "scores", |r: &MerchantScore| r.merchant_id == merchant);
    let offers = scan(book, "offers", |r: &Offer| r.merchant_id == merchant);
    let declines = scan(book, "declines", |r: &Decline| r.merchant_id == merchant);
    let alerts = scan(book, "alerts", |r: &Alert| r.merchant_id == merchant);
    match book.get(merchant).unwrap() {
        None => prop_assert!(scores.is_empty() && offers.is_empty() && declines.is_empty() && alerts.is_empty()),
        Some(entry) => {
            prop_assert_eq!(entry.offers, offers);
            prop_assert_eq!(entry.declines, declines);
            prop_assert_eq!(entry.alerts, alerts);
            prop_assert_eq!(Vec::from_iter(entry.score), scores);
        }
    }
    let features: Vec<FeatureRow> = scan(book, "features", |r: &FeatureRow| r.merchant_id == merchant);
    let found = book.features(merchant).unwrap();
    prop_assert_eq!(found.map(|f| f["orders_count_90d"]), features.first().map(|r| r.values[0]));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Long common beginnings make the shortened statistics of row groups and pages equal; odd characters sort by bytes.
    #[test]
    fn look_up_equals_scan_on_random_merchants(
        ids in btree_set("(x{90}){0,1}[a-cÄ€𝄞]{0,3}", 0..30),
        absent in prop::collection::vec("(x{90}){0,1}[a-cÄ€𝄞]{0,3}", 10),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let merchants: Vec<String> = ids.into_iter().collect();
        publish_merchants(folder.path(), &merchants, lengths);
        let book = ScoreBook::open(folder.path()).unwrap();
        for merchant in merchants.iter().chain(&absent) {
            look_up_equals_scan(&book, merchant)?;
        }
    }
}

/// Several row groups and many pages, at and around every border.
#[test]
fn look_up_equals_scan_across_pages_and_row_groups() {
    let folder = tempfile::tempdir().unwrap();
    // Even numbers only: the odd ones are absent and lie between.
    let merchants: Vec<String> = (0..70_000).map(|n| merchant(2 * n)).collect();
    publish_merchants(folder.path(), &merchants, lengths);
    let book = ScoreBook::open(folder.path()).unwrap();
    for row in [0, 1, 2_047, 2_048, 8_191, 8_192, 43_690, 43_691, 65_535, 65_536, 69_999] {
        for id in [merchant(2 * row), merchant(2 * row + 1)] {
            let entry = book.get(&id).unwrap();
            let present = merchants.binary_search(&id).ok();
            assert_eq!(entry.is_some(), present.is_some(), "{id}");
            let (Some(entry), Some(row)) = (entry, present) else { continue };
            assert!(entry.score.is_some());
            let expected: Vec<_> = if row % 2 == 0 { ["a", "b", "c"].map(|p| offer(&id, p, 1)).into() } else { vec![] };
            assert_eq!(entry.offers, expected);
            let declines: Vec<_> = if row % 3 == 1 { vec![decline(&id, "p")] } else { vec![] };
            assert_eq!(entry.declines, declines);
            let alerts: Vec<_> = if row % 5 == 0 { ["1", "2"].map(|a| alert(&id, a)).into() } else { vec![] };
            assert_eq!(entry.alerts, alerts);
            assert_eq!(book.features(&id).unwrap().unwrap()["orders_count_90d"], Some(7.0));
        }
    }
    assert!(book.get("").unwrap().is_none());
    assert!(book.get("zzz").unwrap().is_none());

    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (book, merchants) = (&book, &merchants);
            scope.spawn(move || {
                for n in 0..50 {
                    let id = &merchants[(n * 1_399 + thread * 17_000) % merchants.len()];
                    assert_eq!(book.get(id).unwrap().unwrap().merchant_id, *id);
                    assert!(book.get(&format!("{id}x")).unwrap().is_none());
                }
            });
        }
    });
}

/// Opening and finding at the size of a platform. `LOOK_UP_IN=DIR LOOK_UP_MERCHANTS=7000000 cargo test --release --test it seven_million -- --ignored
/// --nocapture` publishes a run of that many merchants into DIR, or takes the one that is there, and prints what opening and finding took; docs/scale.md has figures.
#[test]
#[ignore = "writes gigabytes"]
fn look_up_among_seven_million() {
    let id = |n: usize| format!("m{n:08}");
    let told = std::env::var("LOOK_UP_IN").ok();
    let folder = told.map_or_else(|| tempfile::tempdir().unwrap().keep(), std::path::PathBuf::from);
    let count = std::env::var("LOOK_UP_MERCHANTS").map_or(7_000_000, |n| n.parse().unwrap());
    if !folder.join("current.json").exists() {
        let merchants: Vec<String> = (0..count).map(|n| id(2 * n)).collect();
        publish_merchants(&folder, &merchants, lengths);
    }
    let began = std::time::Instant::now();
    let book = ScoreBook::open(&folder).unwrap();
    println!("opened in {:?}", began.elapsed());
    let mut took: Vec<_> = (0..1_000)
        .map(|n| {
            let row = n * 6_999_983 % count;
            let began = std::time::Instant::now();
            assert_eq!(
                book.get(&id(2 * row)).unwrap().unwrap().offers.len(),
                if row.is_multiple_of(2) { 3 } else { 0 }
            );
            assert!(book.get(&id(2 * row + 1)).unwrap().is_none());
            began.elapsed() / 2
        })
        .collect();
    took.sort();
    println!("found or not found in {:?} at the median, {:?} of one in a hundred", took[500], took[990]);
}

#[test]
fn an_open_book_stays_on_its_run_and_outlives_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    let book = ScoreBook::open(folder.path()).unwrap();
    publish(folder.path(), 2);
    std::fs::remove_dir_all(run).unwrap();
    assert_eq!(book.get(&merchant(0)).unwrap().unwrap().score.unwrap().score, Some(601));
    assert_eq!(lookup(folder.path(), &merchant(0)).unwrap().unwrap().score.unwrap().score, Some(602));
}

#[test]
fn a_run_is_opened_by_date_or_by_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut publisher = Publisher::open(folder.path()).unwrap();
    let mut published = Vec::new();
    for (tag, day) in [(1, 1), (2, 1), (3, 2)] {
        let identity = identity_on(tag, date(2018, 8, day));
        published.push(publish_with(&mut publisher, identity, tag, Pointing::Forward).unwrap());
    }
    let opened = |day| ScoreBook::open_as_of(folder.path(), date(2018, 8, day)).unwrap().run_dir().to_owned();
    assert_eq!(opened(2), published[2].run_dir);
    assert_eq!(opened(1), published[1].run_dir, "the one that finished last");
    let first = ScoreBook::open_run(&published[0].run_dir).unwrap();
    assert_eq!(first.manifest().run_id, published[0].run_id);
    assert_eq!(first.get(&merchant(5)).unwrap().unwrap().score.unwrap().score, Some(601));
}

#[test]
fn an_entry_reads_well_as_json() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    let entry = lookup(folder.path(), &merchant(2)).unwrap().unwrap();
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["as_of"], "2018-08-01");
    assert_eq!(json["score"]["sub_indices"]["trade"], 710);
    assert_eq!(json["score"]["sub_indices"]["credit-record"], serde_json::Value::Null);
    assert_eq!(json["offers"][0]["valid_until_on"], "2018-08-31");
    assert_eq!(json["offers"][1]["pledged_order_ids"][1], "o-2");
    assert_eq!(lookup(folder.path(), "nobody").unwrap(), None);
}

#[test]
fn features_and_evidence_are_found_by_name_and_only_if_intact() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    let book = ScoreBook::open(folder.path()).unwrap();
    assert_eq!((book.run_id(), book.as_of()), (&*book.manifest().run_id, date(2018, 8, 1)));
    let features = book.features(&merchant(4)).unwrap().unwrap();
    assert_eq!(
        features.into_iter().collect::<Vec<_>>(),
        [("dispute_share_90d".to_owned(), None), ("orders_count_90d".to_owned(), Some(4.0)),]
    );
    let named = ["orders_count_90d", "never_declared"].map(str::to_owned);
    let columns = read_feature_columns(&run.join("features.parquet"), &named).unwrap();
    assert_eq!(columns[&merchant(4)], [Some(4.0), None]);
    assert!(!columns.contains_key("nobody"));
    let evidence = book.evidence(&merchant(4)).unwrap().unwrap();
    assert_eq!(evidence["orders__2018-05-03__2018-08-01__sum"], Some(7));
    assert_eq!(book.evidence("nobody").unwrap(), None);

    let path = run.join("evidence.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let book = ScoreBook::open(folder.path()).unwrap();
    assert!(matches!(book.evidence(&merchant(4)), Err(PublishError::DigestMismatch { .. })));
}
