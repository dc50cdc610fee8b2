//! Workbooks made by other programs (`tests/data/workbooks/make.py`) and by our own writer.

use std::path::PathBuf;

use super::super::record_file::{RecordFile, RecordFormat, format_of};
use super::super::sniff::Sniffing;
use super::super::text_format::DeclaredFormat;
use super::super::workbook::SheetName;
use super::*;
use crate::page::workbook::{CellValue, Sheet, workbook};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/workbooks").join(name)
}

fn sheet(name: &str) -> DeclaredFormat {
    DeclaredFormat { sheet: Some(SheetName::Named(name.to_owned())), ..DeclaredFormat::default() }
}

/// Names, cells of good records with `_row` last, and what was found.
type Read = (Vec<String>, Vec<Vec<Option<String>>>, RecordsEnd);

fn read(path: &Path, declared: &DeclaredFormat, sniffing: Sniffing) -> Result<Read, SourceError> {
    let format = format_of(path, declared, sniffing)?;
    assert!(matches!(format, RecordFormat::Sheet(_)));
    let mut file = RecordFile::open(path, 3, &format)?;
    let names: Vec<String> = file.schema().iter_names().map(ToString::to_string).collect();
    let mut rows = Vec::new();
    // Two rows at a time: batches end anywhere.
    while let Some(batch) = file.next_batch(2)? {
        assert!(batch.height() <= 2 && batch.height() > 0);
        for at in 0..batch.height() {
            let cells = batch.columns().iter().filter(|column| column.name() != "_file");
            let text =
                |column: &Column| column.cast(&DataType::String).unwrap().str().unwrap().get(at).map(str::to_owned);
            rows.push(cells.map(text).collect());
        }
    }
    let names = names.into_iter().filter(|name| !name.starts_with('_')).collect();
    Ok((names, rows, file.end()))
}

fn some(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect()
}

const NAMES: [&str; 6] = ["Order No", "Placed", "Paid at", "Amount", "Town", "Is new"];

fn good_orders(rows: [u32; 3], dash: &str) -> Vec<Vec<Option<String>>> {
    let [a, b, c] = rows.map(|row| row.to_string());
    vec![
        some(&["A-1", "2024-01-31", "2024-01-31T10:05:00", "12.5", "Köln", "true", &a]),
        some(&["2", "2024-02-29", "2024-02-29T00:00:00", "1000000", "", "false", &b]),
        some(&["A-5", "2024-12-31", "2024-12-31T23:59:59", "-3", dash, "true", &c]),
    ]
}

#[test]
fn cells_are_told_by_their_types_and_every_row_is_accounted_for() {
    let path = fixture("orders.xlsx");
    let declared = DeclaredFormat { nulls: vec!["-".to_owned()], skip_lines: Some(2), ..sheet("Orders 2024") };
    let (names, rows, end) = read(&path, &declared, Sniffing::Certain).unwrap();
    assert_eq!(names, NAMES);
    assert_eq!(rows, good_orders([1, 2, 5], ""));
    assert_eq!(end.records, 5, "the blank row is none");
    let told: Vec<_> = end.malformed.iter().map(|m| (m.file, m.row, m.rule, m.why.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, 3, "error-cell", "cell E8, column \"Amount\", holds the error #DIV/0!"),
            (
                3,
                4,
                "error-cell",
                "cell E9, column \"Amount\", holds a formula that was never computed: open the workbook in a spreadsheet program and save it again"
            ),
        ]
    );
    let known = &end.malformed[0];
    assert_eq!((known.cells["Order No"].as_str(), known.cells.get("Amount")), ("A-3", None));
    assert_eq!(known.text, "A-3\t2024-03-01\t\t#DIV/0!\tBonn\ttrue");
}

#[test]
fn a_person_is_shown_the_largest_sheet_and_where_its_header_stands() {
    let path = fixture("orders.xlsx");
    let likely = format_of(&path, &DeclaredFormat::default(), Sniffing::Likely).unwrap();
    assert_eq!(likely.words(), "workbook (xlsx), sheet \"Orders 2024\", 3 rows skipped");
    assert_eq!(DeclaredFormat::of(&likely).toml(), "skip_lines = 3, sheet = \"Orders 2024\"");
    let (names, rows, _) = read(&path, &DeclaredFormat::default(), Sniffing::Likely).unwrap();
    assert_eq!((names, rows), (NAMES.map(str::to_owned).to_vec(), good_orders([1, 2, 5], "-")));
}

#[test]
fn an_open_document_says_the_same() {
    let (names, rows, end) = read(&fixture("orders.ods"), &DeclaredFormat::default(), Sniffing::Certain).unwrap();
    assert_eq!((names, rows), (NAMES.map(str::to_owned).to_vec(), good_orders([1, 2, 3], "-")));
    assert_eq!((end.records, end.malformed), (3, Vec::new()));
}

#[test]
fn a_formula_stands_for_its_value_also_where_that_is_an_empty_text() {
    let (_, rows, end) = read(&fixture("formulas.xlsx"), &DeclaredFormat::default(), Sniffing::Certain).unwrap();
    assert_eq!(rows, [some(&["1", "", "1.5", "1"])]);
    assert_eq!(end.malformed, Vec::new());
}

#[test]
fn sheets_are_named_or_numbered_and_at_night_never_guessed() {
    let path = fixture("orders.xlsx");
    let refused = |declared: &DeclaredFormat| read(&path, declared, Sniffing::Certain).unwrap_err().to_string();
    let several = refused(&DeclaredFormat::default());
    assert!(several.contains("\"Cover\", \"Orders 2024\", \"Items\"; say which") && !several.contains("Lists"));
    let none = refused(&sheet("orders"));
    assert!(
        none.contains("no sheet \"orders\"; its sheets are \"Cover\", \"Orders 2024\", \"Items\", \"Lists\""),
        "{none}"
    );
    let numbered = |number| DeclaredFormat { sheet: Some(SheetName::Number(number)), ..DeclaredFormat::default() };
    assert!(refused(&numbered(5)).contains("no sheet number 5"));
    let items = [some(&["A-1", "007", "3", "1"]), some(&["A-5", "008", "1", "2"])];
    assert_eq!(read(&path, &numbered(3), Sniffing::Certain).unwrap().1, items);
    // A hidden sheet is read where it is named.
    assert_eq!(read(&path, &sheet("Lists"), Sniffing::Certain).unwrap().0, ["a", "b"]);
}

#[test]
fn the_header_may_be_missing_replaced_or_wrong() {
    let path = fixture("orders.xlsx");
    let items = || sheet("Items");
    let bare = DeclaredFormat { has_header: Some(false), skip_lines: Some(1), ..items() };
    let (names, rows, _) = read(&path, &bare, Sniffing::Certain).unwrap();
    assert_eq!((names, rows.len()), (["column_1", "column_2", "column_3"].map(str::to_owned).to_vec(), 2));
    let renamed = ["order", "sku", "count"].map(str::to_owned).to_vec();
    let declared = DeclaredFormat { columns: Some(renamed.clone()), ..items() };
    assert_eq!(read(&path, &declared, Sniffing::Certain).unwrap().0, renamed);
    let short = DeclaredFormat { columns: Some(vec!["order".to_owned()]), ..items() };
    let error = read(&path, &short, Sniffing::Certain).unwrap_err().to_string();
    assert!(error.contains("sheet \"Items\" has 3 columns, but columns names 1"), "{error}");
}

fn written(folder: &Path, name: &str, rows: Vec<Vec<CellValue>>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, workbook(&[Sheet { name: "Rows", rows }])).unwrap();
    path
}

#[test]
fn what_our_own_writer_writes_is_read_back_equal() {
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| CellValue::text(text);
    let day = |day: i8| CellValue::Day(jiff::civil::date(2024, 2, day));
    let path = written(
        folder.path(),
        "rows.xls",
        vec![
            vec![text("id"), text("on"), text("amount"), text("贷款")],
            vec![text("a"), day(28), CellValue::Number(0.1), text("x, \"y\"\nz")],
            vec![CellValue::Number(1e15), day(29), CellValue::Empty, text("é")],
        ],
    );
    let (names, rows, end) = read(&path, &DeclaredFormat::default(), Sniffing::Certain).unwrap();
    assert_eq!(names, ["id", "on", "amount", "贷款"]);
    let expected = [
        some(&["a", "2024-02-28", "0.1", "x, \"y\"\nz", "1"]),
        some(&["1000000000000000", "2024-02-29", "", "é", "2"]),
    ];
    assert_eq!((rows, end.records, end.malformed), (expected.to_vec(), 2, Vec::new()));
    let twice = written(folder.path(), "twice.xls", vec![vec![text("id"), text("id")], vec![text("a"), text("b")]]);
    let error = read(&twice, &DeclaredFormat::default(), Sniffing::Certain).unwrap_err().to_string();
    assert!(error.contains("names column \"id\" twice"), "{error}");
    let empty = written(folder.path(), "empty.xls", Vec::new());
    assert!(matches!(read(&empty, &DeclaredFormat::default(), Sniffing::Certain), Err(SourceError::EmptyFile { .. })));
}

#[test]
fn a_decimal_comma_is_that_of_texts_and_not_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| CellValue::text(text);
    let rows = vec![
        vec![text("id"), text("rate")],
        vec![text("a"), CellValue::Number(12.345)],
        vec![text("b"), text("12,345")],
        vec![text("c"), text("R$ 1.234,50")],
    ];
    let path = written(folder.path(), "rates.xls", rows);
    let declared = DeclaredFormat { decimal_comma: Some(true), ..DeclaredFormat::default() };
    let (_, cells, _) = read(&path, &declared, Sniffing::Certain).unwrap();
    let rates: Vec<_> = cells.iter().map(|row| row[1].clone().unwrap()).collect();
    assert_eq!(rates, ["12.345", "12.345", "R$ 1234.50"]);
}

#[test]
fn what_is_no_workbook_is_named_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8]| {
        let path = folder.path().join("orders.xlsx");
        std::fs::write(&path, bytes).unwrap();
        format_of(&path, &DeclaredFormat::default(), Sniffing::Certain).unwrap_err().to_string()
    };
    let whole = std::fs::read(fixture("orders.xlsx")).unwrap();
    for (bytes, words) in [
        (&whole[..whole.len() / 2], "zip archive in which no workbook is found, or a damaged workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and no more", "no workbook is found, or a damaged workbook"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "an HTML page"),
        (b"<?xml version=\"1.0\"?><Workbook></Workbook>", "an XML file"),
    ] {
        let told = refused(bytes);
        assert!(told.contains("orders.xlsx") && told.contains(words), "{told}");
    }
    // A workbook is one, whatever it is called; text stays text.
    let path = folder.path().join("items.csv");
    std::fs::copy(fixture("orders.ods"), &path).unwrap();
    assert_eq!(read(&path, &DeclaredFormat::default(), Sniffing::Certain).unwrap().1.len(), 3);
    std::fs::write(folder.path().join("text.xls"), "a\tb\n1\t2\n").unwrap();
    let text = format_of(&folder.path().join("text.xls"), &DeclaredFormat::default(), Sniffing::Certain).unwrap();
    assert!(matches!(text, RecordFormat::Text(_)));
}

/// Damage anywhere is refused or seen in the rows, and never ends the process.
#[test]
fn a_damaged_workbook_is_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["orders.xlsx", "orders.ods"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for at in (0..whole.len()).step_by(61) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            std::fs::write(&path, &damaged).unwrap();
            if let Ok(RecordFormat::Sheet(format)) = format_of(&path, &sheet("Orders 2024"), Sniffing::Certain) {
                let _ = RecordFile::open(&path, 0, &RecordFormat::Sheet(format)).map(|mut file| file.next_batch(100));
            }
        }
    }
}
