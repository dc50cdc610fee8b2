//! Files as senders make and damage them: page checksums, stated digests, stray quotes, text in every form.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use integrity::domain::Digest;
use integrity::source::SourceError;
use integrity::wash::{IngestError, IngestProgress, ingest};
use jiff::civil::{Date, date};
use polars::prelude::SortMultipleOptions;

use super::world::World;
use super::{MERCHANTS, ORDERS, assert_names, orders_world, refusal, rows_as_of, texts};

const AS_OF: Date = date(2018, 4, 1);

/// Orders with a checksum on every page, in data pages of both versions:
/// `pyarrow.parquet.write_table(…, compression="zstd", write_page_checksum=True, data_page_version=…, row_group_size=20)`, pyarrow 26.0.1.
fn with_checksums(version: u8) -> Vec<u8> {
    let name = format!("tests/it/ingest/page-checksums-v{version}.parquet");
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn pages_are_compared_with_their_checksums() {
    for version in [1, 2] {
        let bytes = with_checksums(version);
        let world = World::new("parquet");
        let csv = orders_world();
        csv.run(AS_OF).unwrap();
        super::write_parquet(
            &world.data("merchants.parquet"),
            &rows_as_of(&csv.run(AS_OF).unwrap().store, "merchants", AS_OF),
        );
        fs::write(world.data("orders.parquet"), &bytes).unwrap();
        let made = world.run(AS_OF).unwrap();
        assert_eq!(made.store.rows("orders"), Some(40));
        let sound = rows_as_of(&made.store, "orders", AS_OF);
        // The pages fill the file from its fourth byte to the footer, whose length stands eight bytes before the end.
        let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
        let pages = 4..bytes.len() - 8 - footer;
        for at in pages.step_by(37) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs::write(world.data("orders.parquet"), &damaged).unwrap();
            match world.run(AS_OF) {
                Err(error) => assert_names(&error.to_string(), &["orders.parquet"]),
                // A bit of a header that no value depends on.
                Ok(made) => {
                    assert!(rows_as_of(&made.store, "orders", AS_OF).equals_missing(&sound), "v{version}: byte {at}");
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_stops_the_night() {
    for (replaced, is_refused) in [("orders.csv", true), ("orders.csv.md5", false)] {
        let world = orders_world();
        world.csv(
            "loans.csv",
            "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment\n",
        );
        // Written elsewhere and renamed, as senders do, once orders were read.
        let replace = |progress: IngestProgress| {
            if matches!(progress, IngestProgress::Reading { table: "loans", .. }) {
                let other = world.path("orders.csv.new");
                fs::write(&other, ORDERS).unwrap();
                fs::rename(&other, world.data(replaced)).unwrap();
            }
        };
        let made = ingest(&world.job().intake, AS_OF, &world.path("store"), &replace);
        match made {
            Err(IngestError::Source(SourceError::ChangedWhileRead { file })) => {
                assert!(is_refused && file.ends_with("orders.csv"));
            }
            Ok(made) => assert!(!is_refused && made.store.rows("orders").is_some(), "no file of the job was touched"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_stated_digest_is_compared_and_noted() {
    let world = orders_world();
    let line =
        |made: &integrity::wash::Ingested, table: &str| made.ledger.iter().find(|l| l.table == table).unwrap().clone();
    world.csv("orders.csv.sha256", &format!("{}  orders.csv\n", Digest::of(ORDERS.as_bytes())));
    let made = world.run(AS_OF).unwrap();
    assert!(line(&made, "orders").is_digest_verified);
    assert!(!line(&made, "merchants").is_digest_verified);
    assert_eq!(made.inputs.len(), 2, "a statement is not an input");
    world.csv("orders.csv", &ORDERS.replace("1000", "9000"));
    assert_names(&refusal_after(&world), &["orders.csv", "SHA-256", "orders.csv.sha256"]);
}

fn refusal_after(world: &World) -> String {
    fs::remove_dir_all(world.path("store")).unwrap();
    refusal(world)
}

#[test]
fn names_that_lie_are_told_apart() {
    let world = World::new("parquet");
    for table in ["merchants", "orders"] {
        fs::write(world.data(&format!("{table}.parquet")), MERCHANTS).unwrap();
    }
    assert_names(&refusal(&world), &["merchants.parquet", "text", "name it .csv"]);
    fs::write(world.data("merchants.parquet"), b"\x1f\x8b\x08\0\0\0\0\0\0\0").unwrap();
    assert_names(&refusal(&world), &["merchants.parquet", "packed", "unpack"]);
}

#[test]
fn a_stray_quote_in_a_table_costs_one_row_of_the_ledger() {
    let world = orders_world();
    let rows: Vec<String> = (1..=20).map(|n| format!("O{n},M1,B1,2018-02-{n:02} 10:00:00,,,{n}00,CNY,")).collect();
    let header = ORDERS.lines().next().unwrap();
    let mut spoilt = rows.clone();
    spoilt[4] = rows[4].replace(",CNY,", ",CNY,\"");
    world.csv("orders.csv", &format!("{header}\n{}\n", spoilt.join("\n")));
    let made = world.run(AS_OF).unwrap();
    let line = &made.ledger[1];
    assert_eq!((line.raw_rows, line.read, line.kept, line.quarantined), (20, 20, 19, 1));
}

const SELECT: &str = "SELECT _file, _row, id AS order_id, merchant AS merchant_id, buyer AS buyer_id, placed AS placed_at, \
                      CAST(ROUND(TRY_CAST(amount AS DOUBLE) * 100) AS BIGINT) AS amount_minor, 'CNY' AS currency FROM orders";
const PLAIN: &str = "id,merchant,buyer,placed,amount\n\
                     O1,M1,Zoë,2018-02-01 10:00:00,1234.50\nO2,M2,\"a,b\",2018-03-01 10:00:00,7\nO3,M1,x,2018-03-02 09:00:00,\n";

fn orders_in(form: &'static str, files: &[(&str, Vec<u8>)]) -> (World, integrity::wash::Ingested) {
    let mut world = orders_world();
    fs::remove_file(world.data("orders.csv")).unwrap();
    fs::write(world.path("orders.sql"), SELECT).unwrap();
    world.of_input.insert("orders", form);
    for (name, bytes) in files {
        let path = world.data(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let made = world.run(AS_OF).unwrap();
    (world, made)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// The same orders, however their files are written.
#[test]
fn orders_in_every_form_are_the_same_orders() {
    let (_plain_world, plain) = orders_in("files = 'orders.csv'", &[("orders.csv", PLAIN.into())]);
    let expected = rows_as_of(&plain.store, "orders", AS_OF);
    assert_eq!(expected.height(), 2, "one has no amount");
    let german = PLAIN.replace(',', ";").replace("a;b", "a,b").replace("1234.50", "1.234,50").replace(";\n", ";NULL\n");
    let german = encoding_rs::WINDOWS_1252.encode(&german).0.into_owned();
    let without_header =
        gzip(&PLAIN.split_once('\n').unwrap().1.replace("\"a,b\"", "a;b").replace(',', "\t").replace("a;b", "a,b"));
    let excel: Vec<u8> = [
        b"\xff\xfe".to_vec(),
        PLAIN
            .replace(',', "\t")
            .replace("a\tb", "a,b")
            .replace('\n', "\r\n")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    ]
    .concat();
    let by_day = |day: &str| {
        let lines: Vec<&str> = PLAIN.lines().filter(|line| line.contains(day) || line.starts_with("id")).collect();
        lines.join("\n")
    };
    for (form, files) in [
        ("files = 'Umsätze.txt'\nencoding = 'latin1'\ndecimal = ','\nnulls = ['NULL']", vec![("Umsätze.txt", german)]),
        (
            "files = '*.tsv.gz'\nheader = false\nseparator = \"\\t\"\ncolumns = ['id', 'merchant', 'buyer', 'placed', 'amount']",
            vec![("orders.tsv.gz", without_header)],
        ),
        ("files = 'export'", vec![("export", excel)]),
        (
            "files = ['month=*/{a,b}.csv', 'late.csv.zst']",
            vec![
                ("month=02/a.csv", by_day("2018-02").into()),
                ("month=03/b.csv", by_day("2018-03-01").into()),
                ("month=03/c.csv", b"not,looked,at".to_vec()),
                ("late.csv.zst", zstd::encode_all(by_day("2018-03-02").as_bytes(), 1).unwrap()),
            ],
        ),
    ] {
        let (_world, made) = orders_in(form, &files);
        let stamps = ["_file", "_row"];
        let (mut seen, mut wanted) = (rows_as_of(&made.store, "orders", AS_OF), expected.clone());
        for stamp in stamps.into_iter().filter(|stamp| expected.column(stamp).is_ok()) {
            seen = seen.drop(stamp).unwrap();
            wanted = wanted.drop(stamp).unwrap();
        }
        assert!(seen.equals_missing(&wanted), "{form}\n{seen}\n{wanted}");
        let (read, quarantined) = made
            .ledger
            .iter()
            .filter(|l| l.table == "orders")
            .fold((0, 0), |(r, q), l| (r + l.read, q + l.quarantined));
        assert_eq!((read, quarantined), (3, 1), "{form}");
    }
}

/// A SELECT that needs all rows gives the same ledger and the same rows, of whatever kind the files are.
#[test]
fn selects_over_the_whole_of_parquet_files_are_those_over_csv() {
    let columns = "o._file, o._row, o.order_id, o.merchant_id, o.buyer_id, o.placed_at, o.amount_minor, o.currency";
    let own = columns.replace("o.", "");
    let merchants = "merchant_id,registered_at,category,region\nM1,2018-01-01 00:00:00,toys,SP\n";
    let first = "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency\n\
                 O1,M1,B1,2018-02-01 10:00:00,1000,CNY\nO2,M2,B2,2018-03-01 10:00:00,2500,CNY\n";
    let second = "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency\n\
                  O3,M2,B1,2018-02-01 10:00:00,1000,CNY\nO4,M1,B2,2018-03-01 10:00:00,2500,CNY\n";
    // The same rows with types, as the store has them.
    let typed = [("merchants", merchants), ("orders", first), ("orders", second)].map(|(table, text)| {
        let world = orders_world();
        world.csv(&format!("{table}.csv"), text);
        let made = world.run(AS_OF).unwrap();
        let rows = rows_as_of(&made.store, table, AS_OF);
        rows.sort([format!("{}_id", table.trim_end_matches('s'))], SortMultipleOptions::default()).unwrap()
    });
    let grouped =
        own.replace("placed_at, amount_minor", "MAX(placed_at) AS placed_at, MAX(amount_minor) AS amount_minor");
    for sql in [
        format!("SELECT {columns} FROM orders AS o JOIN merchants AS m ON o.merchant_id = m.merchant_id"),
        format!("SELECT {own} FROM orders WHERE merchant_id IN (SELECT merchant_id FROM merchants)"),
        format!("SELECT {own} FROM orders ORDER BY order_id LIMIT 2"),
        format!(
            "SELECT {grouped} FROM orders WHERE order_id <> 'O3' GROUP BY _file, _row, order_id, merchant_id, buyer_id, currency"
        ),
        format!("SELECT {own} FROM orders WHERE merchant_id = 'M1' ORDER BY order_id"),
    ] {
        let said = |extension: &'static str| {
            let world = World::new(extension);
            for (name, text, rows) in
                [("merchants", merchants, &typed[0]), ("orders-1", first, &typed[1]), ("orders-2", second, &typed[2])]
            {
                let file = world.data(&format!("{name}.{extension}"));
                if extension == "csv" {
                    fs::write(&file, text).unwrap();
                } else {
                    super::write_parquet(&file, rows);
                }
            }
            fs::write(world.path("orders.sql"), &sql).unwrap();
            let made = world.run(AS_OF).unwrap();
            let counts = |l: &integrity::wash::LedgerLine| {
                let file = l.file.replace(extension, "");
                (l.table.clone(), file, l.read, l.kept, l.quarantined, l.duplicate, l.rules.clone())
            };
            let ledger: Vec<_> = made.ledger.iter().map(counts).collect();
            let mut lost: Vec<_> = super::quarantined(&made, "orders")
                .into_iter()
                .map(|row| (row.file.replace(extension, ""), row.row, row.rule))
                .collect();
            lost.sort();
            (ledger, lost, texts(&rows_as_of(&made.store, "orders", AS_OF), "order_id"))
        };
        let (csv, parquet) = (said("csv"), said("parquet"));
        assert!(!csv.1.is_empty(), "{sql}: some row is left out");
        assert_eq!(csv, parquet, "{sql}");
    }
}

/// Folder names as Hive and Spark write them.
#[test]
fn values_of_folders_are_read_as_they_were_meant() {
    let mut world = orders_world();
    fs::remove_file(world.data("orders.csv")).unwrap();
    world.of_input.insert("orders", "files = 'x=*/*.csv'");
    let header = "merchant_id,buyer_id,placed_at,amount_minor,currency";
    let folders = [
        ("a%20b", Some("a b")),
        ("k%3Dv%2Fw", Some("k=v/w")),
        ("%C3%A9", Some("é")),
        ("100%", Some("100%")),
        ("%FF", Some("%FF")),
        ("__HIVE_DEFAULT_PARTITION__", None),
        ("", None),
    ];
    for (folder, _) in folders {
        world.csv(&format!("x={folder}/o.csv"), &format!("{header}\nM1,B1,2018-02-01 10:00:00,1000,CNY\n"));
    }
    fs::write(
        world.path("orders.sql"),
        "SELECT _file, _row, COALESCE(x, 'none ' || CAST(_file AS VARCHAR)) AS order_id, merchant_id, buyer_id, placed_at, amount_minor, currency FROM orders",
    )
    .unwrap();
    let made = world.run(AS_OF).unwrap();
    let mut ids: Vec<String> =
        texts(&rows_as_of(&made.store, "orders", AS_OF), "order_id").into_iter().flatten().collect();
    ids.sort();
    let named: Vec<&String> = ids.iter().filter(|id| !id.starts_with("none ")).collect();
    let mut expected: Vec<&str> = folders.iter().filter_map(|(_, value)| *value).collect();
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(ids.len(), folders.len());
}

#[test]
fn lines_of_a_footer_are_counted_as_skipped() {
    let text = format!("{PLAIN}Total,1241.50\nmade by hand\n");
    let form = "files = 'orders.csv'\nfooter_lines = 2";
    for sql in [SELECT.to_owned(), format!("{SELECT} ORDER BY order_id")] {
        let mut world = orders_world();
        fs::write(world.path("orders.sql"), sql).unwrap();
        world.of_input.insert("orders", form);
        world.csv("orders.csv", &text.replace("Total,", "Total of all,"));
        let made = world.run(AS_OF).unwrap();
        let line = made.ledger.iter().find(|l| l.table == "orders").unwrap();
        assert!(line.balances());
        assert_eq!((line.raw_rows, line.read, line.kept, line.quarantined, line.skipped), (5, 5, 2, 1, 2));
        // Without its end the file ends within a record.
        world.csv("orders.csv", &format!("{PLAIN}O4,M1\n"));
        let made = world.run(AS_OF).unwrap();
        let line = made.ledger.iter().find(|l| l.table == "orders").unwrap();
        assert_eq!((line.raw_rows, line.read, line.kept, line.quarantined, line.skipped), (4, 4, 2, 2, 0));
        assert_eq!(line.rules.get("wrong-cell-count"), Some(&1));
    }
}

#[test]
fn how_files_are_read_is_told_and_what_cannot_be_is_refused() {
    let (_world, made) =
        orders_in("files = 'orders.csv'\ndecimal = ','", &[("orders.csv", gzip(&PLAIN.replace(',', "|")))]);
    let told = made.formats.iter().find(|f| f.input == "orders").unwrap();
    assert_eq!(told.format, "text in utf-8, cells separated by '|', decimal comma, packed with gzip");
    for (form, words) in [
        ("files = 'orders.csv'\nseparator = 'ab'", ["job.toml", "separator"]),
        ("files = 'orders.csv'\nencoding = 'klingon'", ["job.toml", "klingon"]),
        ("files = 'orders.csv'\ndecimal = ';'", ["job.toml", "decimal mark"]),
        ("files = 'orders.csv'\ncolumns = ['a', 'a']", ["job.toml", "\"a\" twice"]),
        ("files = []", ["job.toml", "names none"]),
    ] {
        let mut world = orders_world();
        world.of_input.insert("orders", form);
        assert_names(&world.try_job().unwrap_err().to_string(), &words);
    }
}
