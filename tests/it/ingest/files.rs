//! Files as senders make and damage them: page checksums, stated digests, stray quotes.

use std::fs;
use std::path::Path;

use integrity::domain::Digest;
use jiff::civil::{Date, date};

use super::world::World;
use super::{MERCHANTS, ORDERS, assert_names, orders_world, refusal, rows_as_of};

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
    assert_names(&refusal(&world), &["merchants.parquet", "gzip", "unpack"]);
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
