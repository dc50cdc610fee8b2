//! A reader of its own goes the way that any reader goes: header, table of sectors, directory, stream, records.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::*;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The stream of a compound file.
fn stream_of(file: &[u8], wanted: &str) -> Vec<u8> {
    assert_eq!(&file[..8], &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    assert_eq!((u16_at(file, 28), u16_at(file, 30), file.len() % 512), (0xFFFE, 9, 0));
    let sector = |number: u32| &file[(number as usize + 1) * 512..(number as usize + 2) * 512];
    let tables: Vec<u32> = (0..109).map(|n| u32_at(file, 76 + 4 * n)).filter(|s| *s != FREE).collect();
    assert_eq!(tables.len(), u32_at(file, 44) as usize);
    let next: Vec<u32> =
        tables.iter().flat_map(|t| (0..128).map(|n| u32_at(sector(*t), 4 * n)).collect::<Vec<_>>()).collect();
    let chain = |first: u32| {
        let links = std::iter::successors(Some(first), |at| Some(next[*at as usize]).filter(|n| *n != END_OF_CHAIN));
        links.flat_map(|at| sector(at).to_vec()).collect::<Vec<u8>>()
    };
    assert!(tables.iter().all(|t| next[*t as usize] == TABLE_SECTOR));
    let directory = chain(u32_at(file, 48));
    for entry in directory.chunks(128) {
        let length = usize::from(u16_at(entry, 64)).saturating_sub(2) / 2;
        let name: Vec<u16> = (0..length).map(|n| u16_at(entry, 2 * n)).collect();
        if String::from_utf16(&name).unwrap() == wanted {
            return chain(u32_at(entry, 116))[..u32_at(entry, 120) as usize].to_vec();
        }
    }
    panic!("no stream {wanted}");
}

/// Every sheet's cells by row and column; days as `date:` and their serial number.
pub fn read(file: &[u8]) -> BTreeMap<String, BTreeMap<(u16, u16), String>> {
    let stream = stream_of(file, "Workbook");
    let stream = stream.as_slice();
    let records = |from: usize| {
        let mut at = from;
        std::iter::from_fn(move || {
            let (kind, length) = (u16_at(stream, at), usize::from(u16_at(stream, at + 2)));
            let body = stream[at + 4..at + 4 + length].to_vec();
            at += 4 + length;
            Some((kind, body))
        })
        .take_while(|(kind, _)| *kind != 0x000A)
        .collect::<Vec<_>>()
    };
    let globals = records(0);
    assert_eq!((globals[0].0, u16_at(&globals[0].1, 2)), (0x0809, 5));
    let formats: Vec<u16> = globals.iter().filter(|(k, _)| *k == 0x00E0).map(|(_, body)| u16_at(body, 2)).collect();
    let mut sheets = BTreeMap::new();
    for (_, entry) in globals.iter().filter(|(kind, _)| *kind == 0x0085) {
        let name = String::from_utf8(entry[8..8 + usize::from(entry[6])].to_vec()).unwrap();
        let own = records(u32_at(entry, 0) as usize);
        assert_eq!((own[0].0, u16_at(&own[0].1, 2)), (0x0809, 0x0010));
        let mut cells = BTreeMap::new();
        for (kind, body) in own {
            let place = || (u16_at(&body, 0), u16_at(&body, 2));
            let before = match kind {
                0x0203 => {
                    let number = f64::from_le_bytes(body[6..14].try_into().unwrap());
                    let is_day = formats[usize::from(u16_at(&body, 4))] == 14;
                    cells.insert(place(), if is_day { format!("date:{number}") } else { number.to_string() })
                }
                0x0204 => {
                    let (length, text) = (usize::from(u16_at(&body, 6)), &body[9..]);
                    let units: Vec<u16> = match body[8] {
                        0 => text.iter().map(|b| u16::from(*b)).collect(),
                        _ => (0..length).map(|n| u16_at(text, 2 * n)).collect(),
                    };
                    assert_eq!(units.len(), length);
                    cells.insert(place(), String::from_utf16(&units).unwrap())
                }
                _ => None,
            };
            assert_eq!(before, None, "one cell a place");
        }
        sheets.insert(name, cells);
    }
    sheets
}

/// What a reader of other authors finds: every cell of every sheet, and no others.
fn assert_read_by_calamine(sheets: &[Sheet]) {
    use calamine::{Data, Reader as _, Xls};
    let mut book: Xls<_> = Xls::new(std::io::Cursor::new(workbook(sheets))).unwrap();
    assert_eq!(book.sheet_names(), sheets.iter().map(|sheet| sheet.name.to_owned()).collect::<Vec<_>>());
    for sheet in sheets {
        let range = book.worksheet_range(sheet.name).unwrap();
        let cells = sheet.rows.iter().flatten().filter(|cell| **cell != CellValue::Empty).count();
        assert_eq!(range.used_cells().count(), cells, "{}", sheet.name);
        for (row, cells) in (0..).zip(&sheet.rows) {
            for (column, cell) in (0..).zip(cells) {
                let found = range.get_value((row, column)).unwrap_or(&Data::Empty);
                let is_same = match (cell, found) {
                    (CellValue::Empty, Data::Empty) => true,
                    (CellValue::Text(text), Data::String(found)) => text == found,
                    (CellValue::Number(number), Data::Float(found)) => number.to_bits() == found.to_bits(),
                    (CellValue::Day(day), Data::DateTime(found)) => {
                        let (year, month, of_month, ..) = found.to_ymd_hms_milli();
                        format!("{year:04}-{month:02}-{of_month:02}") == day.to_string()
                    }
                    _ => false,
                };
                assert!(is_same, "{} {row} {column}: {cell:?} {found:?}", sheet.name);
            }
        }
    }
}

#[test]
fn another_reader_finds_every_cell() {
    let texts = ["a", "é", "贷款", "😀", "two\nlines", " ", "=1+1", "007"].map(CellValue::text);
    let numbers = [0.0, -0.1, 1e-300, 1e300, 123_456_789.0, f64::MIN_POSITIVE].map(CellValue::Number);
    let days = [date(1990, 1, 1), date(2000, 2, 29), date(2099, 12, 31)].map(CellValue::Day);
    let mixed: Vec<CellValue> = texts.into_iter().chain([CellValue::Empty]).chain(numbers).chain(days).collect();
    let rows: Vec<Vec<CellValue>> =
        (0..mixed.len()).map(|n| mixed.iter().cloned().cycle().skip(n).take(7).collect()).collect();
    let long = Sheet { name: "Long", rows: (0..5_000).map(|n| vec![CellValue::Number(f64::from(n)); 3]).collect() };
    let wide = Sheet { name: "Wide", rows: vec![vec![CellValue::text(&"x".repeat(4_000)); 200]] };
    assert_read_by_calamine(&[Sheet { name: "Mixed", rows }, Sheet { name: "Empty", rows: Vec::new() }, long, wide]);
}

#[test]
fn what_is_written_is_read() {
    let text = |text: &str| CellValue::Text(text.to_owned());
    let row =
        |n: usize| vec![text(&format!("loan {n}")), CellValue::Empty, CellValue::Number(n as f64 + 0.25), text("贷款")];
    let first = Sheet { name: "LoanRepayment", rows: (0..3_000).map(row).collect() };
    let second =
        Sheet { name: "Extras", rows: vec![vec![CellValue::Day(date(2025, 7, 1)), CellValue::text("")], Vec::new()] };
    let file = workbook(&[first.clone(), second]);
    let sheets = read(&file);
    assert_eq!(sheets.keys().collect::<Vec<_>>(), ["Extras", "LoanRepayment"]);
    let cells = &sheets["LoanRepayment"];
    assert_eq!(cells.len(), 9_000);
    assert_eq!(cells[&(2_999, 0)], "loan 2999");
    assert_eq!(cells[&(2_999, 2)], "2999.25");
    assert_eq!(cells[&(33, 3)], "贷款");
    // 2025-07-01 is day 45839 of Excel.
    assert_eq!(sheets["Extras"], BTreeMap::from([((0, 0), "date:45839".to_owned())]));
    assert_eq!(read(&workbook(&[Sheet { name: "a", rows: Vec::new() }]))["a"], BTreeMap::new());
    let again = std::slice::from_ref(&first);
    assert_eq!(workbook(again), workbook(again));
}
