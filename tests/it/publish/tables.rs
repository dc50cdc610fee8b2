//! What is written is what is read, and the bytes depend on the rows alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use integrity::domain::{Reason, ReasonCode};
use integrity::features::Group;
use integrity::monitor::{Action, Alert, Deduction, Severity};
use integrity::offer::{BankReferral, Cap, CapName, Decline, Offer, Repayment};
use integrity::publish::{
    EvidenceRow, FeatureRow, OutputRow, OutputTable, PublishError, QuarantineRow, TableReader, TableWriter, WideValue,
    merge_sorted, output_tables,
};
use integrity::score::MerchantScore;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::fixture::{alert, decline, failed, merchant, offer, score};

fn write<R: OutputRow>(path: &Path, table: OutputTable, rows: Vec<R>) -> Result<(), PublishError> {
    let mut writer = TableWriter::create(path, table)?;
    writer.extend(rows)?;
    writer.finish().map(|_| ())
}

fn read<R: OutputRow>(path: &Path) -> Vec<R> {
    TableReader::open(path).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Rows come back as they were, and their key is what stands in the columns that the table says it is sorted by.
fn round_trip<R>(table: OutputTable, rows: &[R])
where
    R: OutputRow + Clone + PartialEq + std::fmt::Debug,
    for<'a> R::Key<'a>: serde::Serialize,
{
    for row in rows {
        let fields = serde_json::to_value(row).unwrap();
        let sorted_by: Vec<_> = table.sorted_by.iter().map(|column| fields[column].clone()).collect();
        let key = match serde_json::to_value(row.key()).unwrap() {
            serde_json::Value::Array(parts) => parts,
            single => vec![single],
        };
        assert_eq!(key, sorted_by);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, table, rows.to_vec()).unwrap();
    assert_eq!(read::<R>(&path), rows);
}

fn dates() -> impl Strategy<Value = Date> {
    (-30_000_i64..60_000).prop_map(|days| date(1970, 1, 1).checked_add(days.days()).unwrap())
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |v| v.is_finite())
}

fn reasons() -> impl Strategy<Value = Vec<Reason>> {
    vec(
        ("[a-z]{1,4}(-[a-z0-9]{1,4}){0,2}", ".{0,12}")
            .prop_map(|(code, text)| Reason { code: ReasonCode::new(&code).unwrap(), text }),
        0..5,
    )
}

fn cap_names() -> impl Strategy<Value = CapName> {
    use CapName::{
        Ability, ExposureLeft, Group, HardCap, IntegrityCapital, LowestMonth, OrderReceivables, Product, Requested,
    };
    prop::sample::select(vec![
        Ability,
        IntegrityCapital,
        LowestMonth,
        OrderReceivables,
        Requested,
        Group,
        ExposureLeft,
        Product,
        HardCap,
    ])
}

fn repayments() -> impl Strategy<Value = Repayment> {
    prop::sample::select(vec![Repayment::Bullet, Repayment::EqualPrincipal, Repayment::EqualInstalment])
}

fn severities() -> impl Strategy<Value = Severity> {
    prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Critical])
}

fn actions() -> impl Strategy<Value = Action> {
    use Action::{Call, Deduct, Freeze, Restructure, Watch};
    prop::sample::select(vec![Watch, Freeze, Deduct, Call, Restructure])
}

prop_compose! {
    fn score_row()(
        as_of in dates(), score in any::<i32>(), pd_prob in 0.0..=1.0, band in ".{0,3}", integrity_index in option::of(0..=1000),
        integrity_capital_minor in option::of(any::<i64>()), sub_indices in vec(option::of(0..=1000), Group::WORDS.len()), reasons in reasons(),
    ) -> MerchantScore {
        MerchantScore {
            merchant_id: String::new(), as_of, score, pd_prob, band, integrity_index, integrity_capital_minor,
            sub_indices: Group::WORDS.into_iter().map(|(_, group)| group).zip(sub_indices).collect(), reasons, model_version: "w/1".to_owned(),
        }
    }
}

prop_compose! {
    fn offer_row()(
        limit_minor in 0..=i64::MAX, term_days in 1..=u16::MAX, apr in 0.0..10.0, repayment in repayments(), valid_until_on in dates(),
        binding_cap in cap_names(), caps in vec((cap_names(), option::of(any::<i64>())).prop_map(|(name, value_minor)| Cap { name, value_minor }), 0..4),
        pledged_order_ids in option::of(vec(".{0,4}", 0..4)),
    ) -> Offer {
        Offer { limit_minor, term_days, apr, repayment, valid_until_on, binding_cap, caps, pledged_order_ids, ..offer("", "p", 0) }
    }
}

prop_compose! {
    fn decline_row()(
        failed in vec(
            (".{0,4}", option::of(finite()), option::of(finite()))
                .prop_map(|(rule, observed, threshold)| failed(&rule, observed, threshold)),
            0..4,
        ),
        reasons in reasons(),
    ) -> Decline {
        Decline { failed, reasons, ..decline("", "p") }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_come_back(ids in btree_set(".{0,70}", 0..20), rows in vec(score_row(), 20)) {
        let rows = ids.into_iter().zip(rows).map(|(merchant_id, row)| MerchantScore { merchant_id, ..row }).collect::<Vec<_>>();
        round_trip(MerchantScore::table(), &rows);
    }

    #[test]
    fn offers_come_back(ids in btree_set((".{0,3}", "[a-c]", "[a-c]"), 0..20), rows in vec(offer_row(), 20)) {
        let rows = ids.into_iter().zip(rows);
        let rows = rows.map(|((merchant_id, product, offer_id), row)| Offer { merchant_id, product, offer_id, ..row });
        round_trip(Offer::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn declines_come_back(ids in btree_set((".{0,3}", "[a-c]"), 0..20), rows in vec(decline_row(), 20)) {
        let rows = ids.into_iter().zip(rows).map(|((merchant_id, product), row)| Decline { merchant_id, product, ..row });
        round_trip(Decline::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn alerts_come_back(
        ids in btree_set((".{0,3}", "[a-c]"), 0..20), loan_id in option::of(".{0,3}"), observed in option::of(finite()),
        severity in severities(), action in actions(),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, alert_id)| Alert {
            loan_id: loan_id.clone(), severity, observed, threshold: None, action, ..alert(&merchant_id, &alert_id)
        });
        round_trip(Alert::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn deductions_come_back(ids in btree_set((".{0,3}", ".{0,3}"), 0..20), amount_minor in 1..=i64::MAX) {
        let rows = ids.into_iter().map(|(merchant_id, key)| Deduction {
            key, merchant_id, loan_id: "l".to_owned(), amount_minor, why: "overdue".to_owned(),
        });
        round_trip(Deduction::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn referrals_come_back(ids in btree_set((".{0,3}", "[a-c]"), 0..20), supportable_minor in 0..=i64::MAX, pd_prob in 0.0..=1.0) {
        let rows = ids.into_iter().map(|(merchant_id, product)| BankReferral {
            merchant_id, product, supportable_minor, cap_minor: 100_000_000, score: -5, pd_prob,
        });
        round_trip(BankReferral::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn features_come_back(ids in btree_set(".{0,3}", 0..20), values in vec(vec(option::of(finite()), 3), 20)) {
        let columns = ["a", "b", "c"].map(|n| f64::column(n, "", ""));
        let rows = ids.into_iter().zip(values).map(|(merchant_id, values)| FeatureRow { merchant_id, values });
        round_trip(FeatureRow::table_of(&columns), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn evidence_comes_back(ids in btree_set(".{0,3}", 0..20), values in vec(vec(option::of(any::<i64>()), 2), 20)) {
        let columns = ["a", "b"].map(|n| i64::column(n, "", ""));
        let rows = ids.into_iter().zip(values).map(|(merchant_id, values)| EvidenceRow { merchant_id, values });
        round_trip(EvidenceRow::table_of(&columns), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn quarantine_comes_back(ids in btree_set((".{0,3}", 1..9_i64, "[a-c]", option::of("[a-c]")), 0..20), value in option::of(".{0,9}")) {
        let rows = ids.into_iter().zip(1..).map(|((file, row, rule, column), number)| QuarantineRow {
            number, file, row, key: column.clone(), rule, column, value: value.clone(), record: value.clone(),
        });
        round_trip(QuarantineRow::table(), &rows.collect::<Vec<_>>());
    }
}

/// More rows than a row group holds, split into parts by a rule that has nothing to do with their order.
#[test]
fn merged_parts_are_the_bytes_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let total = 70_000;
    let row = |n: usize| FeatureRow {
        merchant_id: merchant(n),
        values: vec![(!n.is_multiple_of(3)).then_some(n as f64 / 7.0)],
    };
    let table = || FeatureRow::table_of(&[f64::column("f", "", "")]);
    let whole = folder.path().join("whole.parquet");
    write(&whole, table(), (0..total).map(row).collect()).unwrap();
    for parts in [1, 7, 16] {
        let paths: Vec<PathBuf> = (0..=parts).map(|p| folder.path().join(format!("{parts}-{p}.parquet"))).collect();
        // The last part stays empty.
        for (part, path) in paths.iter().enumerate() {
            write(path, table(), (0..total).filter(|n| n * 31 % parts == part).map(row).collect()).unwrap();
        }
        let merged = folder.path().join(format!("{parts}.parquet"));
        let mut writer: TableWriter<FeatureRow> = TableWriter::create(&merged, table()).unwrap();
        merge_sorted(&paths, &mut writer).unwrap();
        assert_eq!(writer.finish().unwrap().rows, total as u64);
        assert!(fs::read(&merged).unwrap() == fs::read(&whole).unwrap(), "{parts} parts give other bytes");
    }

    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&File::open(&whole).unwrap())
        .unwrap();
    assert_eq!(
        metadata.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect::<Vec<_>>(),
        [65_536, 4_464]
    );
    assert_eq!(metadata.file_metadata().created_by(), Some("integrity"));
    for (at, group) in metadata.row_groups().iter().enumerate() {
        assert!(group.column(0).bloom_filter_offset().is_some());
        assert_eq!(group.sorting_columns().unwrap().len(), 1);
        let pages = metadata.page_index().unwrap().offset_index(at, 0).unwrap().page_locations();
        assert!(pages.windows(2).all(|p| p[1].first_row_index - p[0].first_row_index <= 2_048));
        assert!(metadata.page_index().unwrap().column_index(at, 0).is_some());
    }
}

#[test]
fn the_same_key_in_two_parts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|p| folder.path().join(p));
    for path in &paths {
        write(path, MerchantScore::table(), vec![score("m1", 1)]).unwrap();
    }
    let mut writer = TableWriter::<MerchantScore>::create(&folder.path().join("c"), MerchantScore::table()).unwrap();
    assert!(matches!(merge_sorted(&paths, &mut writer), Err(PublishError::OutOfOrder { .. })));
}

#[test]
fn an_empty_table_is_a_file_with_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    for (n, table) in output_tables().into_iter().enumerate() {
        let path = folder.path().join(n.to_string());
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        write::<MerchantScore>(&path, table, Vec::new()).unwrap();
        let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
        let schema = file.unwrap().schema().clone();
        assert_eq!(schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>(), names);
    }
}

#[test]
fn rows_out_of_order_or_twice_are_refused_across_blocks_too() {
    let folder = tempfile::tempdir().unwrap();
    for (n, first) in [1_usize, 8_192, 8_193].into_iter().enumerate() {
        for (m, bad) in [first - 1, 0].into_iter().enumerate() {
            let path = folder.path().join(format!("{n}-{m}"));
            let table = FeatureRow::table_of(&[]);
            let mut writer = TableWriter::create(&path, table).unwrap();
            let row = |n| FeatureRow { merchant_id: merchant(n), values: Vec::new() };
            writer.extend((0..first).map(row)).unwrap();
            assert!(matches!(writer.push(row(bad)), Err(PublishError::OutOfOrder { .. })), "{bad} after {}", first - 1);
        }
    }
}

#[test]
fn numbers_that_are_not_finite_or_out_of_range_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let scores = |change: fn(&mut MerchantScore)| {
        let mut row = score("m7", 1);
        change(&mut row);
        let path = folder.path().join("s");
        let result = write(&path, MerchantScore::table(), vec![row]);
        fs::remove_file(&path).unwrap();
        result
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut row = decline("m7", "p");
        row.failed[1].threshold = Some(bad);
        let path = folder.path().join("d");
        match write(&path, Decline::table(), vec![row]) {
            Err(PublishError::NonFinite { table: "declines", column, row, value }) => {
                assert_eq!((column.as_str(), value), ("failed", bad.to_string()));
                assert!(row.contains("m7"), "{row}");
            }
            other => panic!("{other:?}"),
        }
        fs::remove_file(&path).unwrap();
    }
    assert!(
        matches!(scores(|r| r.pd_prob = f64::NAN), Err(PublishError::NonFinite { column, .. }) if column == "pd_prob")
    );
    for change in [
        (|r| r.pd_prob = 1.000_001) as fn(&mut MerchantScore),
        |r| r.pd_prob = -0.1,
        |r| r.integrity_index = Some(1_001),
        |r| r.sub_indices.extend([(Group::Trade, Some(-1))]),
    ] {
        assert!(matches!(scores(change), Err(PublishError::OutOfRange { .. })));
    }
    assert!(scores(|_| ()).is_ok());
    let below_zero = Offer { limit_minor: -1, ..offer("m", "p", 0) };
    assert!(matches!(
        write(&folder.path().join("o"), Offer::table(), vec![below_zero]),
        Err(PublishError::OutOfRange { .. })
    ));
}
