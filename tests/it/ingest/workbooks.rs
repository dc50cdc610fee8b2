//! Orders in a workbook are the same orders as in a text file, and each of its rows is accounted for.

use std::fs;
use std::path::Path;

use integrity::page::workbook::{CellValue, Sheet, workbook};
use jiff::civil::{Date, date};

use super::world::World;
use super::{assert_names, orders_world, quarantined, refusal, rows_as_of};

const AS_OF: Date = date(2024, 12, 31);

const SELECT: &str = "SELECT _file, _row, \"Order No\" AS order_id, 'M1' AS merchant_id, \"Town\" AS buyer_id, \"Placed\" AS placed_at, \
                      \"Paid at\" AS paid_at, CAST(ROUND(TRY_CAST(\"Amount\" AS DOUBLE) * 100) AS BIGINT) AS amount_minor, 'CNY' AS currency FROM orders";

fn world(input: &'static str, file: &str, bytes: &[u8]) -> World {
    let mut world = orders_world();
    fs::remove_file(world.data("orders.csv")).unwrap();
    fs::write(world.path("orders.sql"), SELECT).unwrap();
    world.of_input.insert("orders", input);
    fs::write(world.data(file), bytes).unwrap();
    world
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/workbooks").join(name)).unwrap()
}

#[test]
fn orders_in_a_workbook_are_the_orders_of_a_text_file() {
    let text = "Order No,Placed,Paid at,Amount,Town,Is new\n\
                A-1,2024-01-31,2024-01-31T10:05:00,12.5,Köln,true\n2,2024-02-29,2024-02-29T00:00:00,1000000,,false\n\
                A-5,2024-12-31,2024-12-31T23:59:59,-3,-,true\n";
    let plain_world = world("files = 'orders.csv'", "orders.csv", text.as_bytes());
    let plain = plain_world.run(AS_OF).unwrap();
    let expected = rows_as_of(&plain.store, "orders", AS_OF);
    assert!(expected.height() > 0);
    let day = |day| CellValue::Day(day);
    let head = ["Order No", "Placed", "Paid at", "Amount", "Town", "Is new"].map(CellValue::text).to_vec();
    let text = CellValue::text;
    let rows = vec![
        head,
        vec![text("A-1"), day(date(2024, 1, 31)), text("2024-01-31T10:05:00"), CellValue::Number(12.5), text("Köln")],
        vec![CellValue::Number(2.0), day(date(2024, 2, 29)), text("2024-02-29T00:00:00"), CellValue::Number(1e6)],
        vec![text("A-5"), day(date(2024, 12, 31)), text("2024-12-31T23:59:59"), CellValue::Number(-3.0), text("-")],
    ];
    let ours = workbook(&[Sheet { name: "Orders", rows }]);
    for (input, file, bytes) in
        [("files = 'orders.ods'", "orders.ods", fixture("orders.ods")), ("files = 'orders.xls'", "orders.xls", ours)]
    {
        let world = world(input, file, &bytes);
        let made = world.run(AS_OF).unwrap();
        assert!(rows_as_of(&made.store, "orders", AS_OF).equals_missing(&expected), "{file}");
        assert_eq!(made.ledger[1].raw_rows, 3);
    }
}

#[test]
fn every_row_of_a_sheet_is_in_the_ledger_and_errors_are_told_by_their_cell() {
    let input = "files = 'orders.xlsx'\nsheet = 'Orders 2024'\nskip_lines = 3";
    let world = world(input, "orders.xlsx", &fixture("orders.xlsx"));
    let made = world.run(AS_OF).unwrap();
    let line = &made.ledger[1];
    assert_eq!((line.raw_rows, line.read), (5, 5));
    assert_eq!(line.kept + line.quarantined + line.duplicate + line.skipped, 5);
    let broken = quarantined(&made, "orders");
    let told: Vec<String> = broken.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    let of_rule: Vec<&String> = told.iter().filter(|row| row.contains("error-cell")).collect();
    assert_eq!(of_rule.len(), 2, "{told:?}");
    assert!(of_rule[0].contains("cell E8") && of_rule[1].contains("cell E9"), "{of_rule:?}");
    // Which sheet is meant is never guessed at night.
    fs::remove_dir_all(world.path("store")).unwrap();
    let mut unsaid = world;
    unsaid.of_input.insert("orders", "files = 'orders.xlsx'");
    assert_names(&refusal(&unsaid), &["orders.xlsx", "several sheets", "Orders 2024", "sheet ="]);
    unsaid.of_input.insert("orders", "files = 'orders.xlsx'\nsheet = 0");
    assert!(unsaid.try_job().unwrap_err().to_string().contains("sheet"));
}
