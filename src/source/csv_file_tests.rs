use std::io::Write as _;

use super::*;
use crate::source::record_file::schema_of;
use crate::source::sniff::{Sniffing, format_of_text};
use crate::source::text_format::DeclaredFormat;

/// A file read to its end, in batches of three.
#[derive(Debug)]
struct CsvText {
    frame: DataFrame,
    malformed: Vec<MalformedRecord>,
    records: u32,
}

fn read(path: &Path, file: u32, declared: &DeclaredFormat) -> Result<CsvText, SourceError> {
    let format = format_of_text(path, declared, Sniffing::Certain)?;
    let mut csv = CsvFile::open(path, file, &format)?;
    let mut frame = DataFrame::empty_with_schema(&schema_of(csv.names()));
    while let Some(batch) = csv.next_batch(3)? {
        frame.vstack_mut(&batch).unwrap();
    }
    let RecordsEnd { malformed, records, .. } = csv.end();
    Ok(CsvText { frame, malformed, records })
}

fn read_declared(bytes: &[u8], declared: &DeclaredFormat) -> Result<CsvText, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, bytes).unwrap();
    read(&path, 7, declared)
}

fn read_text(bytes: &[u8]) -> Result<CsvText, SourceError> {
    read_declared(bytes, &DeclaredFormat::default())
}

fn texts<'a>(csv: &'a CsvText, column: &str) -> Vec<Option<&'a str>> {
    csv.frame.column(column).unwrap().str().unwrap().iter().collect()
}

fn rows(csv: &CsvText) -> Vec<u32> {
    csv.frame.column("_row").unwrap().u32().unwrap().iter().flatten().collect()
}

fn malformed(csv: &CsvText) -> Vec<(u32, u64, &'static str)> {
    csv.malformed.iter().map(|m| (m.row, m.byte, m.rule)).collect()
}

#[test]
fn cells_are_text_and_empty_cells_null() {
    let csv = read_text(b"\xef\xbb\xbf\"a\",b\n01,\n\"x\ny\",\"q\"\"q\"\n").unwrap();
    let a: Vec<_> = csv.frame.column("a").unwrap().str().unwrap().iter().collect();
    let b: Vec<_> = csv.frame.column("b").unwrap().str().unwrap().iter().collect();
    assert_eq!(a, [Some("01"), Some("x\ny")]);
    assert_eq!(b, [None, Some("q\"q")]);
    assert_eq!(csv.frame.column("_file").unwrap().u32().unwrap().get(0), Some(7));
    assert_eq!(csv.records, 2);
}

#[test]
fn malformed_records_are_set_aside_and_rows_keep_their_numbers() {
    let csv = read_text(b"a,b\n1,2\n3\n4,5,6\n\xff,7\n8,9\nx\0,1\n").unwrap();
    assert_eq!(rows(&csv), [1, 5]);
    let expected = [(2, 8, "wrong-cell-count"), (3, 10, "wrong-cell-count"), (4, 16, "not-utf8"), (6, 24, "nul-byte")];
    assert_eq!(malformed(&csv), expected);
    assert_eq!(csv.records, 6);
    assert!(csv.malformed[2].why.contains("at byte 16: column \"a\" is not UTF-8"), "{}", csv.malformed[2].why);
}

#[test]
fn a_header_alone_is_no_records_and_nothing_is_an_error() {
    assert_eq!(read_text(b"a,b\n").unwrap().records, 0);
    assert!(matches!(read_text(b""), Err(SourceError::EmptyFile { .. })));
    assert!(matches!(read_text(b"\n\n"), Err(SourceError::EmptyFile { .. })));
    assert!(matches!(read_text(b"a,a\n1,2\n"), Err(SourceError::Corrupt { .. })));
    assert!(matches!(read_text(b"a,b\"\n1,2\n"), Err(SourceError::Corrupt { .. })));
}

#[test]
fn a_stray_quote_costs_its_record() {
    let plain: Vec<String> = (1..=20).map(|n| format!("{n},word,2018-01-{n:02}")).collect();
    for (spoilt, quote) in [
        ("5,word,\"2018-01-05", "opens the last cell"),
        ("\"5,word,2018-01-05", "the first"),
        ("5,wo\"rd,2018-01-05", "within"),
        ("5,word,2018-01-05\"", "at the end"),
    ] {
        let mut lines = plain.clone();
        spoilt.clone_into(&mut lines[4]);
        for end in ["\n", "\r\n", "\r"] {
            let csv = read_text(format!("a,b,c{end}{}{end}", lines.join(end)).as_bytes()).unwrap();
            assert_eq!(csv.records, 20, "{quote}");
            assert_eq!(csv.malformed.len(), 1, "{quote}");
            assert_eq!((csv.malformed[0].row, csv.malformed[0].rule), (5, "stray-quote"), "{quote}");
            assert_eq!(rows(&csv).len(), 19, "{quote}");
        }
    }
}

#[test]
fn two_stray_quotes_never_swallow_a_record_in_silence() {
    let line = |n: u32| format!("{n},word,2018-01-{n:02}");
    let file = |spoilt: [(u32, &str); 2]| {
        let lines =
            (1..=9).map(|n| spoilt.iter().find(|(at, _)| *at == n).map_or(line(n), |(_, text)| (*text).to_owned()));
        format!("a,b,c\n{}\n", lines.collect::<Vec<_>>().join("\n"))
    };
    // Neighbours: the record that opens and the one that closes.
    let csv = read_text(file([(4, "4,word,\"2018-01-04"), (5, "5,word,2018-01-05\"")]).as_bytes()).unwrap();
    assert_eq!(malformed(&csv).iter().map(|m| m.0).collect::<Vec<_>>(), [4, 5]);
    assert_eq!((csv.records, rows(&csv).len()), (9, 7));
    // With records between them nobody can say which way the quotes are meant.
    let error = read_text(file([(4, "4,word,\"2018-01-04"), (7, "7,word,2018-01-07\"")]).as_bytes()).unwrap_err();
    assert!(matches!(error, SourceError::AmbiguousQuotes { row: 4, byte: 60, lines: 4, line: 2, .. }), "{error:?}");
}

#[test]
fn quoted_cells_of_several_lines_stay() {
    let text = "id,score,text,at\nr1,4,\"two\nlines, \"\"quoted\"\"\r\n\r\nand, more\",2018-01-10\nr2,5,,2018-01-11\nr3,1,\"a, b\nc, d\n\",2018-01-12\n";
    let csv = read_text(text.as_bytes()).unwrap();
    assert_eq!((csv.records, csv.malformed.len()), (3, 0));
    let texts: Vec<_> = csv.frame.column("text").unwrap().str().unwrap().iter().collect();
    assert_eq!(texts, [Some("two\nlines, \"quoted\"\r\n\r\nand, more"), None, Some("a, b\nc, d\n")]);
}

#[test]
fn a_quote_that_never_closes_does_not_swallow_the_rest() {
    let csv = read_text(b"a,b\n1,2\n\"3,4\n5,6\n").unwrap();
    assert_eq!((rows(&csv), malformed(&csv)), (vec![1, 3], vec![(2, 8, "stray-quote")]));
    let long = format!("a,b\n1,\"{}\n2,3\n", "x".repeat(MAX_CELL_BYTES + 1));
    let csv = read_text(long.as_bytes()).unwrap();
    assert_eq!((rows(&csv), csv.malformed[0].rule), (vec![2], "cell-too-long"));
    let longer = format!("a,b\n1,{}\n2,3\n", "x".repeat(2 << 20));
    let csv = read_text(longer.as_bytes()).unwrap();
    assert_eq!((rows(&csv), csv.malformed[0].rule), (vec![2], "record-too-long"));
}

#[test]
fn files_that_are_something_else_are_named_as_that() {
    let names = |bytes: &[u8], words: &[&str]| {
        let error = read_text(bytes).unwrap_err().to_string();
        for word in words.iter().chain(&["x.csv"]) {
            assert!(error.contains(word), "{word} is not in {error}");
        }
    };
    names(b"PAR1\x15\x04", &["Parquet"]);
    names(b"PK\x03\x04\x14", &["zip", "workbook"]);
    names(b"\xfd7zXZ\0", &["xz", "unpack"]);
    names(b"gr\xf6\xdfe,b\n1,2\n", &["not UTF-8", "Latin-1", "encoding = \"windows-1252\""]);
    names(&gzip(b"PAR1\x15\x04"), &["Parquet", "unpack"]);
    let mut broken_off = gzip("a,b\n1,2\n".repeat(1_000).as_bytes());
    broken_off.truncate(40);
    names(&broken_off, &["gzip", "broken off"]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn utf_16(text: &str) -> Vec<u8> {
    [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn semicolons_decimal_commas_and_latin_letters() {
    let declared = DeclaredFormat {
        encoding: Some(encoding_rs::WINDOWS_1252),
        decimal_comma: Some(true),
        nulls: vec!["NULL".to_owned(), "-".to_owned()],
        ..DeclaredFormat::default()
    };
    let csv = read_declared(b"Gr\xf6\xdfe;Betrag;am\nk\xf6;1.234,50;01.02.2018\n\"a;b\";-;NULL\nx;1;2;3\n", &declared)
        .unwrap();
    assert_eq!(texts(&csv, "Größe"), [Some("kö"), Some("a;b")]);
    assert_eq!(texts(&csv, "Betrag"), [Some("1234.50"), None]);
    assert_eq!(texts(&csv, "am"), [Some("01.02.2018"), None]);
    assert_eq!(malformed(&csv), [(3, 52, "wrong-cell-count")], "bytes of the file, not of the text in UTF-8");
}

#[test]
fn packed_files_without_a_header() {
    let text = b"title\n\no1\t5\" disk\no2\t\n";
    let declared = DeclaredFormat {
        has_header: Some(false),
        separator: Some(b'\t'),
        quote: Some(None),
        skip_lines: Some(2),
        columns: Some(vec!["id".to_owned(), "what".to_owned()]),
        ..DeclaredFormat::default()
    };
    let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
    let members = [gzip(&text[..10]), gzip(&text[10..])].concat();
    for packed in [text.to_vec(), gzip(text), members, zstd] {
        let csv = read_declared(&packed, &declared).unwrap();
        assert_eq!((texts(&csv, "id"), rows(&csv)), (vec![Some("o1"), Some("o2")], vec![1, 2]));
        assert_eq!(texts(&csv, "what"), [Some("5\" disk"), None]);
    }
    let numbered = DeclaredFormat { columns: None, ..declared.clone() };
    assert_eq!(texts(&read_declared(text, &numbered).unwrap(), "column_2"), [Some("5\" disk"), None]);
    let three = DeclaredFormat { columns: Some(["a", "b", "c"].map(str::to_owned).to_vec()), ..declared };
    let error = read_declared(text, &three).unwrap_err().to_string();
    assert!(error.contains("2 cells") && error.contains("names 3"), "{error}");
}

#[test]
fn unicode_text_as_spreadsheets_save_it() {
    let csv = read_text(&utf_16("id\tname\r\n1\t\"上海\r\nzwei\"\r\n2\r\n3\tx\r\n")).unwrap();
    assert_eq!(texts(&csv, "name"), [Some("上海\r\nzwei"), Some("x")]);
    assert_eq!(rows(&csv), [1, 3]);
    // The mark, and two bytes for each of "id\tname\r\n1\t\"上海\r\nzwei\"\r\n".
    assert_eq!(malformed(&csv), [(2, 2 + 2 * 23, "wrong-cell-count")]);
    let mut broken = utf_16("id,name\n1,a\n2,b\n");
    let second = 2 + 2 * "id,name\n1,".len();
    broken[second..second + 2].copy_from_slice(b"\x00\xd8");
    let csv = read_text(&broken).unwrap();
    assert_eq!((malformed(&csv), rows(&csv)), (vec![(1, 18, "not-in-encoding")], vec![2]));
}

/// What the strict reader promises holds of text in another form: the same records, the same faults, whatever the file is packed with and
/// however its cells are separated.
#[test]
fn damage_is_told_alike_in_every_form() {
    let text = "a,b,c\n1,word,2018-01-01\n2,wo\"rd,2018-01-02\n3,word\n4,\"two\nlines\",2018-01-04\n5,word,\"2018-01-05\n6,word,2018-01-06\n";
    let plain = read_text(text.as_bytes()).unwrap();
    let seen = |csv: &CsvText| {
        let faults: Vec<_> = csv.malformed.iter().map(|m| (m.row, m.rule, m.cells.clone())).collect();
        (csv.records, rows(csv), faults, texts(csv, "b").into_iter().map(|t| t.map(str::to_owned)).collect::<Vec<_>>())
    };
    assert_eq!(plain.malformed.len(), 3);
    for other in [
        gzip(text.as_bytes()),
        utf_16(text),
        text.replace(',', ";").into_bytes(),
        text.replace(',', "\t").into_bytes(),
        utf_16(&text.replace(',', "|")),
    ] {
        assert_eq!(seen(&read_text(&other).unwrap()), seen(&plain));
    }
    let bytes = |csv: &CsvText| csv.malformed.iter().map(|m| m.byte).collect::<Vec<_>>();
    let wide = read_text(&utf_16(text)).unwrap();
    assert_eq!(bytes(&wide), bytes(&plain).iter().map(|byte| 2 + 2 * byte).collect::<Vec<_>>());
}

mod damage {
    use proptest::prelude::*;

    use super::*;

    const RECORDS: usize = 30;

    /// One record as its writer makes it, and the physical bytes of it.
    fn record(n: usize, quoted: bool) -> Vec<u8> {
        let text = match n % 5 {
            0 if quoted => format!("\"line one of {n}\nline two, with a comma\""),
            1 if quoted => format!("\"said \"\"yes\"\" {n}\""),
            2 => String::new(),
            _ => format!("words of {n}"),
        };
        format!("id-{n:03},{},{text},2018-01-{:02} 10:00:00,CNY", n * 7, 1 + n % 28).into_bytes()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is done to a few bytes, the records not touched and not beside one are read as they were, every record is
        /// counted, and no cell is read that nobody wrote; or the file is refused by name.
        #[test]
        fn damage_costs_the_damaged_and_their_neighbours(
            quoted: bool,
            hits in prop::collection::vec((0..RECORDS, any::<prop::sample::Index>(), 0..6_u8), 1..4),
        ) {
            let originals: Vec<Vec<u8>> = (0..RECORDS).map(|n| record(n, quoted)).collect();
            let mut damaged = originals.iter().map(|r| [r.as_slice(), b"\n"].concat()).collect::<Vec<_>>();
            for (at, byte, how) in &hits {
                let record = &mut damaged[*at];
                if record.is_empty() {
                    continue;
                }
                let byte = byte.index(record.len());
                match how {
                    0 => record[byte] = b'"',
                    1 => record[byte] = b',',
                    2 => record[byte] = b'\n',
                    3 => record[byte] = 0,
                    4 => record.insert(byte, b'"'),
                    _ => { record.remove(byte); }
                }
            }
            let file = [b"id,amount,text,at,currency\n".to_vec(), damaged.concat()].concat();
            match read_text(&file) {
                Err(error) => prop_assert!(matches!(error, SourceError::AmbiguousQuotes { .. }), "{error}"),
                Ok(csv) => {
                    prop_assert_eq!(csv.records as usize, csv.frame.height() + csv.malformed.len());
                    let ids: Vec<Option<&str>> = csv.frame.column("id").unwrap().str().unwrap().iter().collect();
                    let texts: Vec<Option<&str>> = csv.frame.column("text").unwrap().str().unwrap().iter().collect();
                    let is_near = |n: usize| hits.iter().any(|(at, ..)| at.abs_diff(n) <= 1);
                    for n in (0..RECORDS).filter(|n| !is_near(*n)) {
                        let id = format!("id-{n:03}");
                        let at = ids.iter().position(|i| *i == Some(&id));
                        prop_assert!(at.is_some(), "record {n} is lost");
                        let whole = csv_crate_text(&originals[n]);
                        prop_assert_eq!(texts[at.unwrap()], whole.as_deref(), "record {}", n);
                    }
                    // Nothing is swallowed: no cell holds a record but one that was damaged itself. Two quotes can make one sound cell of two of those.
                    for n in (0..RECORDS).filter(|n| !hits.iter().any(|(at, ..)| at == n)) {
                        let start = format!("id-{n:03},");
                        prop_assert!(!texts.iter().flatten().any(|text| text.contains(&start)), "record {n} is in a cell");
                    }
                }
            }
        }
    }

    /// The third cell as the csv crate reads it.
    fn csv_crate_text(record: &[u8]) -> Option<String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(record);
        let record = reader.records().next().unwrap().unwrap();
        record.get(2).filter(|cell| !cell.is_empty()).map(str::to_owned)
    }
}

#[test]
fn lines_after_the_last_record_are_no_records_where_that_is_declared() {
    let text = b"id,amount,on\n1,2,2018-01-01\nx\n2,3,2018-01-02\n\nTotal: 5\nmade by hand\n\n";
    let declared = |lines| DeclaredFormat { footer_lines: Some(lines), ..DeclaredFormat::default() };
    let csv = read_declared(text, &declared(2)).unwrap();
    assert_eq!((rows(&csv), csv.malformed.len()), (vec![1, 3], 1), "what stands among the records is one of them");
    assert_eq!(read_declared(text, &declared(1)).unwrap().malformed.len(), 2);
    let csv = read_declared(text, &DeclaredFormat::default()).unwrap();
    assert_eq!(csv.malformed.len(), 3);
    assert!(csv.malformed[2].why.contains("footer_lines") && !csv.malformed[0].why.contains("footer_lines"));
}

/// A file that was cut off has no footer: what stands at its end is a piece of a record.
#[test]
fn the_beginning_of_a_record_is_no_footer() {
    let declared = DeclaredFormat { footer_lines: Some(2), ..DeclaredFormat::default() };
    for (end, malformed) in [
        ("b,2", 1),
        ("b,2\n", 1),
        ("b", 1),
        ("b\n", 0),
        (",5\n", 0),
        ("Total of it,2\n", 0),
        ("Total: 2", 0),
        ("b,2\nTotal: 2\n", 1),
    ] {
        let csv = read_declared(format!("id,x,y,z\na,1,2,3\nc,1,2,3\n{end}").as_bytes(), &declared).unwrap();
        assert_eq!(csv.malformed.len(), malformed, "{end:?}");
        assert_eq!(csv.records as usize, 2 + end.lines().count(), "each line is counted: {end:?}");
        assert!(csv.malformed.iter().all(|line| line.row > 2 && line.rule == "wrong-cell-count"));
        assert_eq!(csv.malformed.iter().filter(|line| line.why.contains("cut off")).count(), malformed, "{end:?}");
    }
}

#[test]
fn a_header_that_names_a_column_twice_says_how_to_name_them() {
    let error = read_declared(b"id,sum,sum,sum\n1,2,3,4\n", &DeclaredFormat::default()).err().unwrap().to_string();
    assert!(error.contains(r#"columns = ["id", "sum", "sum_2", "sum_3"]"#) && error.contains("[inputs]"), "{error}");
}
