//! The grammar of one CSV record, strictly: a cell is bare and holds no quote, or it is quoted as a whole (`"so, ""quoted"""`), and
//! nothing but a separator or the end of the record follows a closing quote. Where a file has no quotes, every cell is bare. `="007"`, by which
//! spreadsheets are told that digits are text, is `007`.

use super::text_format::Grammar;

/// Bytes that a cell may have. What is longer is not a value of any contract column but a cell that never ended.
pub(super) const MAX_CELL_BYTES: usize = 1 << 16;

/// How the bytes of one or more physical lines read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// A whole record.
    Whole(Cells),
    /// The last cell is quoted and not closed: the record may go on in the next line.
    Open,
    /// No record, whatever follows.
    Broken(&'static str),
}

/// The cells of a record, unquoted, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| self.bytes.get(begin..*end).unwrap_or_default())
    }

    /// Ends the cell whose bytes were added last; `false` where it is too long.
    fn end(&mut self) -> bool {
        let begin = self.ends.last().copied().unwrap_or(0);
        self.ends.push(self.bytes.len());
        self.bytes.len() - begin <= MAX_CELL_BYTES
    }

    /// Takes `="` and `"` from around the cell whose bytes were added last.
    fn without_formula(&mut self, quote: u8) {
        let begin = self.ends.last().copied().unwrap_or(0);
        if let [b'=', first, .., last] = self.bytes.get(begin..).unwrap_or_default()
            && (*first, *last) == (quote, quote)
        {
            self.bytes.pop();
            self.bytes.drain(begin..begin + 2);
        }
    }
}

/// A quote stands inside a bare cell, or something follows a closing quote.
pub(super) const STRAY_QUOTE: &str = "stray-quote";
/// A cell is longer than [`MAX_CELL_BYTES`].
pub(super) const CELL_TOO_LONG: &str = "cell-too-long";

/// Reads bytes as one record.
pub(super) fn read(bytes: &[u8], grammar: Grammar) -> Reading {
    let mut cells = Cells { bytes: Vec::with_capacity(bytes.len()), ends: Vec::new() };
    let separator = grammar.separator;
    let Some(quote) = grammar.quote.filter(|quote| bytes.contains(quote)) else {
        for cell in bytes.split(|byte| *byte == separator) {
            cells.bytes.extend_from_slice(cell);
            if !cells.end() {
                return Reading::Broken(CELL_TOO_LONG);
            }
        }
        return Reading::Whole(cells);
    };
    let mut rest = bytes;
    loop {
        let after = if rest.first() == Some(&quote) {
            match quoted(rest.get(1..).unwrap_or_default(), quote, &mut cells.bytes) {
                Some(after) => {
                    cells.without_formula(quote);
                    after
                }
                None if rest.len() > MAX_CELL_BYTES => return Reading::Broken(CELL_TOO_LONG),
                None => return Reading::Open,
            }
        } else {
            let end = rest.iter().position(|byte| *byte == separator).unwrap_or(rest.len());
            let (mut cell, mut after) = rest.split_at(end);
            let mut unquoted = Vec::new();
            if let [b'=', first, inner @ ..] = rest
                && *first == quote
                && let Some(behind) = quoted(inner, quote, &mut unquoted)
            {
                (cell, after) = (unquoted.as_slice(), behind);
            } else if cell.contains(&quote) {
                return Reading::Broken(STRAY_QUOTE);
            }
            cells.bytes.extend_from_slice(cell);
            after
        };
        if !cells.end() {
            return Reading::Broken(CELL_TOO_LONG);
        }
        match after.split_first() {
            None => return Reading::Whole(cells),
            Some((byte, next)) if *byte == separator => rest = next,
            Some(_) => return Reading::Broken(STRAY_QUOTE),
        }
    }
}

/// Adds a cell after its opening quote to `cell`, and gives what follows its closing one; `None` where it is not closed.
fn quoted<'a>(bytes: &'a [u8], quote: u8, cell: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = bytes;
    loop {
        let end = rest.iter().position(|byte| *byte == quote)?;
        cell.extend_from_slice(rest.get(..end)?);
        rest = rest.get(end + 1..)?;
        match rest.split_first() {
            Some((byte, next)) if *byte == quote => {
                cell.push(quote);
                rest = next;
            }
            _ => return Some(rest),
        }
    }
}

/// What a cell looks like: enough to tell a record from a line of prose that has as many commas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forms(u8);

impl Forms {
    const EMPTY: u8 = 1;
    const NUMBER: u8 = 2;
    const TIME: u8 = 4;
    const WORD: u8 = 8;
    const TEXT: u8 = 16;

    /// The form of a cell; stray quotes are passed over.
    pub fn of(cell: &[u8]) -> Self {
        let bare: Vec<u8> = cell.iter().copied().filter(|byte| *byte != b'"').collect();
        let bare = bare.trim_ascii();
        let digits = bare.iter().filter(|byte| byte.is_ascii_digit()).count();
        let only = |allowed: &[u8]| bare.iter().all(|byte| byte.is_ascii_digit() || allowed.contains(byte));
        Self(if bare.is_empty() {
            Self::EMPTY
        } else if digits >= 8 && bare.contains(&b'-') && only(b"-:. TZ+") {
            Self::TIME
        } else if digits > 0 && only(b"-+.") {
            Self::NUMBER
        } else if bare.iter().any(u8::is_ascii_whitespace) {
            Self::TEXT
        } else {
            Self::WORD
        })
    }

    /// Adds what another cell of the column looks like.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether a cell of this form was seen, or none was.
    pub fn has(self, other: Self) -> bool {
        self.0 == 0 || self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Option<Vec<String>> {
        match read(text.as_bytes(), Grammar::default()) {
            Reading::Whole(cells) => Some(cells.iter().map(|c| String::from_utf8(c.to_vec()).unwrap()).collect()),
            _ => None,
        }
    }

    #[test]
    fn whole_records() {
        assert_eq!(cells("a,,b").unwrap(), ["a", "", "b"]);
        assert_eq!(cells("\"a, \"\"b\"\"\nc\",\"\",d").unwrap(), ["a, \"b\"\nc", "", "d"]);
        assert_eq!(cells("a,").unwrap(), ["a", ""]);
        assert_eq!(cells("\"\"").unwrap(), [""]);
        assert_eq!(cells(" a , b").unwrap(), [" a ", " b"], "blanks belong to the cell");
        assert_eq!(
            cells("=\"007\",\"=\"\"08\"\"\",=\"\",=1+2").unwrap(),
            ["007", "08", "", "=1+2"],
            "texts of spreadsheets"
        );
    }

    #[test]
    fn other_separators_and_quotes() {
        let read_by = |text: &str, separator, quote| match read(text.as_bytes(), Grammar { separator, quote }) {
            Reading::Whole(cells) => cells.iter().map(|c| String::from_utf8(c.to_vec()).unwrap()).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(read_by("1,5;'a;''b''!';c", b';', Some(b'\'')), ["1,5", "a;'b'!", "c"]);
        assert_eq!(read_by("5\" disk\t\"x", b'\t', None), ["5\" disk", "\"x"]);
    }

    #[test]
    fn open_and_broken_records() {
        for open in ["a,\"b", "\"", "a,\"b\"\"", "\"a\",\"x,y"] {
            assert_eq!(read(open.as_bytes(), Grammar::default()), Reading::Open, "{open}");
        }
        for broken in ["a\"", "=\"a", "=\"a\"b", "a,b\"c,d", "\"a\"b", "\"a\" ,b", "5\" disk,x", " \"a\""] {
            assert_eq!(read(broken.as_bytes(), Grammar::default()), Reading::Broken(STRAY_QUOTE), "{broken}");
        }
        let long = "x".repeat(MAX_CELL_BYTES + 1);
        for text in [long.clone(), format!("a,{long}"), format!("\"{long}\""), format!("\"{long}")] {
            assert_eq!(read(text.as_bytes(), Grammar::default()), Reading::Broken(CELL_TOO_LONG));
        }
    }

    /// On what both call whole, the strict grammar and the csv crate read the same cells.
    #[test]
    fn the_csv_crate_reads_whole_records_alike() {
        for text in ["a,b", "\"a\",b", "\"a\"\"b\",\"c,d\"", "\"x\ny\",z", ",,", "\"\",x", "1,\"2\",3"] {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(cells(text).unwrap(), record.iter().collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn forms_tell_columns_apart() {
        let forms =
            ["", "12", "-3.5", "2018-01-01 10:00:00", "o-17", "two words", "\"12"].map(|c| Forms::of(c.as_bytes()));
        assert_eq!(forms[1], forms[2]);
        assert_eq!(forms[1], forms[6], "a stray quote does not hide a number");
        for (a, b) in [(0, 1), (1, 3), (3, 4), (4, 5)] {
            assert!(!forms[a].has(forms[b]), "{a} {b}");
        }
        assert!(Forms::default().has(forms[5]));
    }
}
