//! Reads JSON as records of text, in batches, as [`super::csv_file`] reads a CSV file: one object a line, or an array of objects.
//!
//! Cells become the texts that a CSV file would hold: texts as they are, numbers as short as they can be written, true and false in words, null as no value. A field of an object within is a
//! column of its own, called by its path (`customer.id`). A list of plain values is joined by `;`, any other list stays JSON. A line that is no object is
//! malformed. Columns are all fields of the file: it is looked through once before it is read.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8};
use polars::prelude::*;
use serde_json::{Map, Value};

use super::error::SourceError;
use super::lines::Lines;
use super::malformed::MalformedRecord;
use super::record_file::{Batch, RecordsEnd, next_record, value_of};
use super::sniff::wide_encoding;
use super::text_format::DeclaredFormat;
use super::unpack::{Bytes, Packing, SourceBytes, as_utf_8, decoded_sample, open_unpacked};

/// How a file of JSON is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonFormat {
    pub packing: Packing,
    /// UTF-8, or UTF-16 as its mark or its NUL bytes show.
    pub encoding: &'static Encoding,
    /// Bytes of the mark that it begins with.
    pub mark: usize,
    /// Whether it is one array, and not an object a line.
    pub is_array: bool,
    /// Its fields, by path.
    pub columns: Vec<String>,
    pub nulls: Vec<String>,
}

/// An array is held in memory whole, up to so many bytes.
const MAX_ARRAY_BYTES: usize = 256 << 20;

/// Bytes at the beginning by which the encoding is known.
const SAMPLE_BYTES: usize = 1 << 12;

impl JsonFormat {
    /// The format of a file that begins as JSON; `None` where it does not.
    ///
    /// # Errors
    /// The file cannot be read, or begins as JSON and is neither objects by line nor an array of objects.
    pub fn of(path: &Path, declared: &DeclaredFormat) -> Result<Option<Self>, SourceError> {
        let (mut bytes, packing) = open_unpacked(path)?;
        let first = bytes.fill_buf().map_err(|e| packing.error(path, &e))?;
        let first = first.get(..SAMPLE_BYTES).unwrap_or(first);
        let marked = Encoding::for_bom(first);
        let (encoding, mark) = marked.unwrap_or_else(|| (wide_encoding(first).unwrap_or(UTF_8), 0));
        let text = decoded_sample(first.get(mark..).unwrap_or_default(), encoding);
        let is_array = match text.as_bytes().trim_ascii_start() {
            [b'{', rest @ ..] if matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'}')) => false,
            [b'[', rest @ ..] if matches!(rest.trim_ascii_start().first(), None | Some(b'{' | b']')) => true,
            _ => return Ok(None),
        };
        let mut format = Self { packing, encoding, mark, is_array, columns: Vec::new(), nulls: declared.nulls.clone() };
        format.columns = match &declared.columns {
            Some(columns) => columns.clone(),
            None => format.fields(path)?,
        };
        Ok(Some(format))
    }

    /// All fields of the file's objects, by path, in the order in which they first appear.
    fn fields(&self, path: &Path) -> Result<Vec<String>, SourceError> {
        let mut rows = Rows::open(path, self)?;
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut is_first = true;
        while let Some(row) = rows.next(path, self)? {
            if let Some(object) = row.object {
                walk("", &object, &mut |field, _| {
                    let place = places.len();
                    places.entry(field.to_owned()).or_insert(place);
                });
            } else if is_first {
                let why = "it begins as JSON, but its first line is no whole object: write one object a line (jq -c '.[]' makes that of an array, \
                           jq -c . of objects of several lines)";
                return Err(SourceError::Corrupt { file: path.to_owned(), why: why.to_owned() });
            }
            is_first = false;
        }
        let mut fields: Vec<(usize, String)> = places.into_iter().map(|(field, place)| (place, field)).collect();
        fields.sort();
        Ok(fields.into_iter().map(|(_, field)| field).collect())
    }

    /// The format in words.
    pub fn words(&self) -> String {
        let mut parts =
            vec![if self.is_array { "JSON, an array of objects" } else { "JSON, one object a line" }.to_owned()];
        if self.encoding != UTF_8 {
            parts.push(self.encoding.name().to_lowercase());
        }
        if !self.nulls.is_empty() {
            parts.push(format!("null words {}", self.nulls.join(" ")));
        }
        if let Some(packing) = self.packing.name() {
            parts.push(format!("packed with {packing}"));
        }
        parts.join(", ")
    }
}

/// A record as it is read: its object, or its text where that is not an object.
struct Row {
    object: Option<Map<String, Value>>,
    byte: u64,
    text: Vec<u8>,
}

/// Records of a file, one after the other.
enum Rows {
    Lines(Lines<Bytes>),
    Array(std::vec::IntoIter<Value>),
}

impl Rows {
    fn open(path: &Path, format: &JsonFormat) -> Result<Self, SourceError> {
        let (mut bytes, packing) = open_unpacked(path)?;
        bytes.fill_buf().map_err(|e| packing.error(path, &e))?;
        bytes.consume(format.mark);
        let mut bytes = as_utf_8(bytes, format.encoding);
        if !format.is_array {
            return Ok(Self::Lines(Lines::new(bytes, format.mark as u64, SourceBytes::of(format.encoding))));
        }
        let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
        let mut text = Vec::new();
        let mut bounded = std::io::Read::take(&mut bytes, MAX_ARRAY_BYTES as u64 + 1);
        std::io::Read::read_to_end(&mut bounded, &mut text).map_err(|e| packing.error(path, &e))?;
        if text.len() > MAX_ARRAY_BYTES {
            let limit = MAX_ARRAY_BYTES >> 20;
            return Err(corrupt(format!(
                "it is one JSON array of more than {limit} MB, which would be held in memory: write one object a line (jq -c '.[]')"
            )));
        }
        let all: Vec<Value> =
            serde_json::from_slice(&text).map_err(|e| corrupt(format!("it is no sound JSON: {e}")))?;
        Ok(Self::Array(all.into_iter()))
    }

    fn next(&mut self, path: &Path, format: &JsonFormat) -> Result<Option<Row>, SourceError> {
        match self {
            Self::Array(all) => Ok(all.next().map(|value| {
                let text = value.to_string().into_bytes();
                Row { object: object_of(value), byte: 0, text }
            })),
            Self::Lines(lines) => loop {
                let Some(line) = lines.next().map_err(|e| format.packing.error(path, &e))? else { return Ok(None) };
                if line.bytes.trim_ascii().is_empty() {
                    continue;
                }
                let object =
                    if line.is_cut { None } else { serde_json::from_slice(&line.bytes).ok().and_then(object_of) };
                return Ok(Some(Row { object, byte: line.byte, text: line.bytes }));
            },
        }
    }
}

fn object_of(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Hands over the fields of an object by path, those of objects within it each on its own.
fn walk(prefix: &str, object: &Map<String, Value>, take: &mut dyn FnMut(&str, &Value)) {
    for (name, value) in object {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(within) => walk(&path, within, take),
            plain => take(&path, plain),
        }
    }
}

/// A field as the text that a CSV file would hold; `None` where it has no value.
fn cell_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) if list.iter().all(|one| !one.is_array() && !one.is_object()) => {
            let cells: Vec<String> = list.iter().filter_map(cell_of).collect();
            Some(cells.join(";")).filter(|cells| !cells.is_empty())
        }
        other => Some(other.to_string()),
    }
}

/// A file of JSON that is read batch by batch.
pub(crate) struct JsonFile {
    path: PathBuf,
    file: u32,
    format: JsonFormat,
    rows: Rows,
    records: u32,
    malformed: Vec<MalformedRecord>,
}

impl JsonFile {
    /// Opens a file. `file` is its number among its input's files.
    ///
    /// # Errors
    /// The file cannot be opened, or is an array that is no sound JSON.
    pub fn open(path: &Path, file: u32, format: &JsonFormat) -> Result<Self, SourceError> {
        let rows = Rows::open(path, format)?;
        Ok(Self { path: path.to_owned(), file, format: format.clone(), rows, records: 0, malformed: Vec::new() })
    }

    /// The columns by the fields' paths.
    pub fn names(&self) -> &[String] {
        &self.format.columns
    }

    /// The next good records, `rows` at most; `None` after the last one.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<DataFrame>, SourceError> {
        let names = &self.format.columns;
        let places: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut batch = Batch::new(names);
        while batch.len() < rows {
            let Some(row) = self.rows.next(&self.path, &self.format)? else { break };
            self.records = next_record(self.records, &self.path)?;
            let Some(object) = row.object else {
                let text = String::from_utf8_lossy(&row.text);
                let why = format!("at byte {}: it is no JSON object", row.byte);
                let place = (self.file, self.records);
                let mut record = MalformedRecord::of_cells(place, "not-json", why, &text, std::iter::empty());
                record.byte = row.byte;
                self.malformed.push(record);
                continue;
            };
            let mut cells: Vec<Option<String>> = vec![None; names.len()];
            walk("", &object, &mut |field, value| {
                if let Some(cell) = places.get(field).and_then(|at| cells.get_mut(*at)) {
                    *cell = cell_of(value);
                }
            });
            let nulls = &self.format.nulls;
            batch.add(self.records, cells.iter().map(|cell| value_of(cell.as_deref()?, nulls, false)));
        }
        batch.frame(self.file, &self.path)
    }

    /// What was found, once [`Self::next_batch`] has given the last batch.
    pub fn end(self) -> RecordsEnd {
        RecordsEnd { malformed: self.malformed, records: self.records, footer: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record_file::{RecordFile, RecordFormat, format_of};
    use super::super::sniff::Sniffing;
    use super::*;

    type Read = (Vec<String>, Vec<Vec<Option<String>>>, RecordsEnd);

    fn read(bytes: &[u8]) -> Result<Read, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        std::fs::write(&path, bytes).unwrap();
        let declared = DeclaredFormat { nulls: vec!["-".to_owned()], ..DeclaredFormat::default() };
        let format = format_of(&path, &declared, Sniffing::Certain)?;
        assert!(matches!(format, RecordFormat::Json(_)), "{format:?}");
        let mut file = RecordFile::open(&path, 3, &format)?;
        let names: Vec<String> = file.schema().iter_names().map(ToString::to_string).collect();
        let mut rows = Vec::new();
        while let Some(batch) = file.next_batch(2)? {
            for at in 0..batch.height() {
                let text =
                    |column: &Column| column.cast(&DataType::String).unwrap().str().unwrap().get(at).map(str::to_owned);
                rows.push(batch.columns().iter().filter(|c| c.name() != "_file").map(text).collect());
            }
        }
        Ok((names.into_iter().filter(|name| !name.starts_with('_')).collect(), rows, file.end()))
    }

    #[test]
    fn objects_are_rows_and_their_fields_columns() {
        let text = b"\xef\xbb\xbf{\"id\":\"a\",\"buyer\":{\"id\":7,\"vip\":true},\"sum\":12.50}\n\n{\"id\":\"-\",\"buyer\":null,\"tags\":[\"x\",2],\"sum\":null}\n{\"id\": \n{\"id\":\"c\",\"lines\":[{\"n\":1}]}\n";
        let (names, rows, end) = read(text).unwrap();
        assert_eq!(names, ["buyer.id", "buyer.vip", "id", "sum", "buyer", "tags", "lines"]);
        let some = |cells: [&str; 8]| cells.map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).to_vec();
        assert_eq!(
            rows,
            [
                some(["7", "true", "a", "12.5", "", "", "", "1"]),
                some(["", "", "", "", "", "x;2", "", "2"]),
                some(["", "", "c", "", "", "", "[{\"n\":1}]", "4"])
            ]
        );
        assert_eq!(end.records, 4);
        let malformed: Vec<_> = end.malformed.iter().map(|record| (record.row, record.rule)).collect();
        assert_eq!(malformed, [(3, "not-json")]);
    }

    #[test]
    fn json_in_utf_16_is_read_as_any() {
        let text = "{\"id\":\"größe\",\"sum\":1}\n{\"id\": \n{\"id\":\"b\"}\n";
        let array = "[{\"id\":\"größe\",\"sum\":1},{\"id\":\"b\"}]";
        let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        let (_, rows, end) = read(text.as_bytes()).unwrap();
        for bytes in [little(text), big(text), [vec![0xff, 0xfe], little(text)].concat()] {
            let (_, wide, at) = read(&bytes).unwrap();
            assert_eq!((&wide, at.malformed.len(), at.records), (&rows, 1, end.records));
        }
        let cells = |rows: Vec<Vec<Option<String>>>| rows.into_iter().map(|row| row[..2].to_vec()).collect::<Vec<_>>();
        assert_eq!(cells(read(&[vec![0xfe, 0xff], big(array)].concat()).unwrap().1), cells(rows));
    }

    #[test]
    fn an_array_is_read_as_lines_are_and_what_is_neither_says_what_to_do() {
        let (names, rows, _) = read(b"[\n {\"id\": 1,\n  \"on\": \"2024-01-31\"},\n {\"id\": 2}\n]\n").unwrap();
        assert_eq!((names.len(), rows.len()), (2, 2));
        let told = read(b"{\n \"orders\": [1]\n}\n").unwrap_err().to_string();
        assert!(told.contains("one object a line") && told.contains("jq"), "{told}");
        assert!(read(b"[{\"id\": 1},\n").unwrap_err().to_string().contains("no sound JSON"));
    }
}
