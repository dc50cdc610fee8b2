//! How a text file writes its table, and which sheet of a workbook holds it: what a job declares, and what holds once the file was looked at.

use super::settings::{RawInput, RawSheet};
use super::unpack::Packing;
use super::workbook::SheetName;
use crate::config::{ConfigError, ConfigFile};
use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, X_USER_DEFINED};

/// What a job says of its text files and workbooks. What it leaves out is read off each file, as far as that is certain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredFormat {
    /// Between cells.
    pub separator: Option<u8>,
    /// Around cells; the inner `None`: there are no quotes.
    pub quote: Option<Option<u8>>,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: Option<bool>,
    /// How characters are bytes.
    pub encoding: Option<&'static Encoding>,
    /// Cells that mean "no value", beside empty ones.
    pub nulls: Vec<String>,
    /// Whether the first record names the columns.
    pub has_header: Option<bool>,
    /// Names of the columns, instead of the header's.
    pub columns: Option<Vec<String>>,
    /// Lines before the header, or before the first record.
    pub skip_lines: Option<u32>,
    /// Lines after the last record, at most.
    pub footer_lines: Option<u32>,
    /// Of a workbook, the sheet that holds the table.
    pub sheet: Option<SheetName>,
}

/// How one text file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextFormat {
    pub packing: Packing,
    pub encoding: &'static Encoding,
    /// Bytes of the mark that the text begins with.
    pub mark: usize,
    pub grammar: Grammar,
    pub has_decimal_comma: bool,
    pub nulls: Vec<String>,
    pub has_header: bool,
    pub columns: Option<Vec<String>>,
    pub skip_lines: u32,
    pub footer_lines: u32,
}

/// What stands between cells and around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grammar {
    pub separator: u8,
    pub quote: Option<u8>,
}

impl Default for Grammar {
    fn default() -> Self {
        Self { separator: b',', quote: Some(b'"') }
    }
}

impl RawInput {
    /// Checks the keys that say how text is written.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub(super) fn format(&self, file: &ConfigFile) -> Result<DeclaredFormat, ConfigError> {
        let separator = self.separator.as_ref().map(|given| {
            one_ascii(given.get_ref()).filter(|byte| *byte != b'"').ok_or_else(|| {
                let message = format!("{:?} is not a separator", given.get_ref());
                file.refuse(&given.span(), message, r#"one ASCII character, such as ";" or "\t""#)
            })
        });
        let quote = self.quote.as_ref().map(|given| match given.get_ref().as_str() {
            "none" => Ok(None),
            text => one_ascii(text).map(Some).ok_or_else(|| {
                let message = format!("{text:?} is not a quote");
                file.refuse(&given.span(), message, r#"one ASCII character, such as "'", or "none""#)
            }),
        });
        let decimal_comma = self.decimal.as_ref().map(|given| match given.get_ref().as_str() {
            "," => Ok(true),
            "." => Ok(false),
            other => {
                let message = format!("{other:?} is not a decimal mark");
                Err(file.refuse(&given.span(), message, r#""." or ",""#))
            }
        });
        let encoding = self.encoding.as_ref().map(|given| {
            known_encoding(given.get_ref()).ok_or_else(|| {
                let message = format!("{:?} is not an encoding that is understood", given.get_ref());
                let help = "a name of the WHATWG Encoding Standard: utf-8, utf-16le, utf-16be, windows-1252 (which latin1 is taken for), \
                            windows-1251, iso-8859-15, gb18030, shift_jis, …";
                file.refuse(&given.span(), message, help)
            })
        });
        let columns = self.columns.as_ref().map(|given| {
            let names = given.get_ref();
            let twice = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name));
            match twice {
                Some((_, name)) => {
                    let message = format!("columns names {name:?} twice");
                    Err(file.refuse(&given.span(), message, "one name a column, in the file's order"))
                }
                None => Ok(names.clone()),
            }
        });
        let sheet = self.sheet.as_ref().map(|given| match given.get_ref() {
            RawSheet::Name(name) if !name.is_empty() => Ok(SheetName::Named(name.clone())),
            RawSheet::Number(number @ 1..) => Ok(SheetName::Number(*number)),
            RawSheet::Name(_) | RawSheet::Number(_) => {
                let message = "sheet names none".to_owned();
                Err(file.refuse(&given.span(), message, "the sheet's name, or its number from 1"))
            }
        });
        Ok(DeclaredFormat {
            separator: file.part(None, || separator.transpose())?,
            quote: file.part(None, || quote.transpose())?,
            decimal_comma: file.part(None, || decimal_comma.transpose())?,
            encoding: file.part(None, || encoding.transpose())?,
            nulls: self.nulls.clone(),
            has_header: self.header,
            columns: file.part(None, || columns.transpose())?,
            skip_lines: self.skip_lines,
            footer_lines: self.footer_lines,
            sheet: file.part(None, || sheet.transpose())?,
        })
    }
}

fn one_ascii(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(*byte),
        _ => None,
    }
}

/// Encodings whose text can be counted back to bytes of the file; those that switch between alphabets cannot.
fn known_encoding(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).filter(|e| ![ISO_2022_JP, REPLACEMENT, X_USER_DEFINED].contains(e))
}

impl DeclaredFormat {
    /// What `format` is beyond a plain CSV file in UTF-8, to be declared.
    pub(super) fn of_text(format: &TextFormat) -> Self {
        let plain = Grammar::default();
        Self {
            separator: (format.grammar.separator != plain.separator).then_some(format.grammar.separator),
            quote: (format.grammar.quote != plain.quote).then_some(format.grammar.quote),
            decimal_comma: format.has_decimal_comma.then_some(true),
            encoding: (format.encoding != UTF_8).then_some(format.encoding),
            nulls: format.nulls.clone(),
            has_header: (!format.has_header).then_some(false),
            columns: format.columns.clone(),
            skip_lines: (format.skip_lines > 0).then_some(format.skip_lines),
            footer_lines: (format.footer_lines > 0).then_some(format.footer_lines),
            sheet: None,
        }
    }

    /// As it stands in a job file: `separator = ";", encoding = "windows-1252"`; empty where nothing is declared.
    pub(crate) fn toml(&self) -> String {
        let text = |byte: u8| toml::Value::String(char::from(byte).to_string()).to_string();
        let list =
            |names: &[String]| toml::Value::Array(names.iter().cloned().map(toml::Value::String).collect()).to_string();
        let keys = [
            self.separator.map(|byte| format!("separator = {}", text(byte))),
            self.quote.map(|quote| format!("quote = {}", quote.map_or_else(|| "\"none\"".to_owned(), text))),
            self.decimal_comma.map(|comma| format!("decimal = \"{}\"", if comma { ',' } else { '.' })),
            self.encoding.map(|encoding| format!("encoding = \"{}\"", encoding.name().to_lowercase())),
            (!self.nulls.is_empty()).then(|| format!("nulls = {}", list(&self.nulls))),
            self.has_header.map(|has| format!("header = {has}")),
            self.columns.as_ref().map(|names| format!("columns = {}", list(names))),
            self.skip_lines.map(|lines| format!("skip_lines = {lines}")),
            self.footer_lines.map(|lines| format!("footer_lines = {lines}")),
            self.sheet.as_ref().map(|sheet| match sheet {
                SheetName::Named(name) => format!("sheet = {}", toml::Value::String(name.clone())),
                SheetName::Number(number) => format!("sheet = {number}"),
            }),
        ];
        keys.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// How the cells of a text or of a sheet are read, in words, as far as it is not the usual way. `skipped` says how many of what stand before the cells.
pub(super) fn cell_words(
    has_decimal_comma: bool,
    nulls: &[String],
    has_header: bool,
    (skipped, of): (u32, &str),
) -> Vec<String> {
    let words = [
        has_decimal_comma.then(|| "decimal comma".to_owned()),
        (!nulls.is_empty()).then(|| format!("null words {}", nulls.join(" "))),
        (!has_header).then(|| "no header".to_owned()),
        (skipped > 0).then(|| format!("{skipped} {of} skipped")),
    ];
    words.into_iter().flatten().collect()
}

impl TextFormat {
    /// The format in words: `text in utf-8, cells separated by ','`.
    pub fn words(&self) -> String {
        let separator = match self.grammar.separator {
            b'\t' => "tabs".to_owned(),
            byte => format!("{:?}", char::from(byte)),
        };
        let mut parts = vec![format!("text in {}", self.encoding.name().to_lowercase())];
        parts.push(format!("cells separated by {separator}"));
        match self.grammar.quote {
            Some(b'"') => {}
            Some(quote) => parts.push(format!("quoted by {:?}", char::from(quote))),
            None => parts.push("no quotes".to_owned()),
        }
        parts.extend(cell_words(self.has_decimal_comma, &self.nulls, self.has_header, (self.skip_lines, "lines")));
        if self.footer_lines > 0 {
            parts.push(format!("up to {} lines after the last record skipped", self.footer_lines));
        }
        if let Some(packing) = self.packing.name() {
            parts.push(format!("packed with {packing}"));
        }
        parts.join(", ")
    }
}
