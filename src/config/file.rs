//! One configuration file: its text, and errors that point into it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;

/// A configuration that the program refuses, with the place and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// 1-based line; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What is allowed, or what to do.
    pub help: String,
}

/// Where keys are found.
const LISTED: &str =
    "`integrity schema --job`, `--policy` and `--monitor` list every key with its values and an example";

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.help) }
    }
}

impl std::error::Error for ConfigError {}

/// A configuration file held in memory, so that errors can name lines.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    text: String,
    /// Faults that were passed over, where a check goes on behind the first.
    noted: Option<Arc<Mutex<Vec<ConfigError>>>>,
}

/// A file's contents as far as they can be read, and what was passed over. What cannot be read is left out, or has a value that can: nothing is made of them where
/// anything is wrong.
pub type Readable<T> = (T, PassedOver);

/// What was passed over to read a file.
#[derive(Debug)]
pub struct PassedOver {
    /// The file as it was read; its lines are those of the file on disk. Checks of it note what they find and go on.
    pub file: ConfigFile,
    faults: Vec<ConfigError>,
    /// Lines that have another value than the file's.
    replaced: Vec<usize>,
}

impl PassedOver {
    /// All that is wrong, in the order of the lines, with what checks found and noted. What they found in a table of which a line could not be read may come of
    /// that, and is not told.
    #[must_use]
    pub fn all_faults(&self, found: Vec<ConfigError>) -> Vec<ConfigError> {
        let mut all = self.faults.clone();
        let tables: Vec<Range<usize>> = self.replaced.iter().map(|line| table_around(&self.file.text, *line)).collect();
        let follows = |fault: &ConfigError| {
            self.replaced.contains(&fault.line) || tables.iter().any(|lines| lines.contains(&fault.line))
        };
        all.extend(self.file.noted().into_iter().chain(found).filter(|fault| !follows(fault)));
        all.sort_by_key(|fault| fault.line);
        all.dedup();
        all
    }
}

impl ConfigFile {
    /// # Errors
    /// The file cannot be read as UTF-8 text.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text, noted: None }),
            Err(e) => Err(ConfigError {
                path: path.to_owned(),
                line: 0,
                message: format!("cannot read the file: {e}"),
                help: "paths in a job are relative to the job file".to_owned(),
            }),
        }
    }

    /// A file that is only text, for tests and for files embedded in the program.
    #[must_use]
    pub fn from_text(path: &Path, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), noted: None }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The folder that relative paths in it start from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Parses TOML into a raw struct.
    ///
    /// # Errors
    /// Syntax errors, unknown keys, missing keys and wrong types, with their line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|e| self.refusal(&e))
    }

    /// As [`Self::parse`], but a line with an unknown key is passed over, and a value of a wrong type or an unknown word is replaced by one that can be read, so that what
    /// else is wrong is told with it.
    ///
    /// # Errors
    /// What is wrong, in the order of the lines, where a key has no value that can be read.
    pub fn parse_telling_all<T: DeserializeOwned>(&self) -> Result<Readable<T>, Vec<ConfigError>> {
        let mut text = self.text.clone();
        let mut faults: Vec<ConfigError> = Vec::new();
        let mut unread: Vec<String> = Vec::new();
        let mut replaced: Vec<usize> = Vec::new();
        loop {
            let (refused, span) = match toml::from_str(&text) {
                Ok(raw) if unread.is_empty() => {
                    let file = Self { path: self.path.clone(), text, noted: Some(Arc::default()) };
                    return Ok((raw, PassedOver { file, faults, replaced }));
                }
                Ok(_) => break,
                // Places are those of the text at hand.
                Err(e) => (Self::from_text(&self.path, &text).refusal(&e), e.span().unwrap_or(0..0)),
            };
            if named_by(&refused.message, "missing field `").is_some_and(|key| unread.iter().any(|known| known == key))
            {
                break;
            }
            let unknown = named_by(&refused.message, "unknown field `");
            let line = refused.line;
            let is_new = !replaced.contains(&line);
            let written = text.get(span.clone()).unwrap_or_default();
            let readable = readable_value(&refused.message, &refused.help, written).filter(|_| unknown.is_none());
            let with_readable = |value: String| {
                with_value_at(&text, &span, &value).or_else(|| with_value(&text, line, &value).filter(|_| is_new))
            };
            if let Some(rest) = readable.and_then(with_readable) {
                faults.push(refused);
                replaced.push(line);
                text = rest;
                continue;
            }
            let rest = without_line(&text, line).filter(|(key, _)| unknown.is_none_or(|unknown| unknown == key));
            let is_unknown = unknown.is_some();
            if is_new {
                faults.push(refused);
            }
            let Some((key, rest)) = rest else { break };
            if !is_unknown {
                unread.push(key);
            }
            text = rest;
        }
        // What is not there stands on no line.
        faults.sort_by_key(|fault| (named_by(&fault.message, "missing field `").is_some(), fault.line));
        Err(faults)
    }

    /// Checks it by `check`, and where that fails tells all that is wrong: what is not even of the form `R`, and what `check` notes on its way.
    ///
    /// # Errors
    /// At least one fault.
    pub fn check_telling_all<R: DeserializeOwned, T>(
        self,
        check: impl Fn(Self) -> Result<T, ConfigError>,
    ) -> Result<T, Vec<ConfigError>> {
        let first = match check(self.clone()) {
            Ok(checked) => return Ok(checked),
            Err(fault) => fault,
        };
        let (_, passed) = self.parse_telling_all::<R>()?;
        let all = passed.all_faults(check(passed.file.clone()).err().into_iter().collect());
        Err(if all.is_empty() { vec![first] } else { all })
    }

    /// Notes a fault and goes on with `instead`, where all faults are wanted; else the fault.
    ///
    /// # Errors
    /// The fault, where the first is wanted.
    pub(crate) fn pass_over<T>(&self, fault: ConfigError, instead: T) -> Result<T, ConfigError> {
        let Some(mut noted) = self.noted.as_ref().and_then(|noted| noted.lock().ok()) else { return Err(fault) };
        noted.push(fault);
        Ok(instead)
    }

    /// A part of a check that others can do without. What it finds after it has noted something may come of that, and is not told.
    ///
    /// # Errors
    /// Its fault, where the first is wanted.
    pub(crate) fn part<T>(&self, instead: T, check: impl FnOnce() -> Result<T, ConfigError>) -> Result<T, ConfigError> {
        self.part_since(self.noted_count(), instead, check)
    }

    /// As [`Self::part`], of a comparison of what was read since so many faults were noted.
    ///
    /// # Errors
    /// Its fault, where the first is wanted.
    pub(crate) fn part_since<T>(
        &self,
        before: usize,
        instead: T,
        check: impl FnOnce() -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        match check() {
            Err(_) if self.noted_count() > before => Ok(instead),
            Err(fault) => self.pass_over(fault, instead),
            checked => checked,
        }
    }

    /// How many faults were passed over so far.
    pub(crate) fn noted_count(&self) -> usize {
        self.noted().len()
    }

    /// Faults that were passed over.
    fn noted(&self) -> Vec<ConfigError> {
        self.noted.as_ref().and_then(|noted| Some(noted.lock().ok()?.clone())).unwrap_or_default()
    }

    fn refusal(&self, error: &toml::de::Error) -> ConfigError {
        let mut lines = error.message().lines();
        let message = lines.next().unwrap_or("is not valid TOML").to_owned();
        let mut help = lines.collect::<Vec<_>>().join("; ");
        if help.is_empty() && named_by(&message, "missing field `").is_some() {
            LISTED.clone_into(&mut help);
        }
        self.refuse(&error.span().unwrap_or(0..0), message, help)
    }

    /// An error at a span of the text.
    #[must_use]
    pub fn refuse(&self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) -> ConfigError {
        ConfigError { path: self.path.clone(), line: self.line(span), message: message.into(), help: help.into() }
    }

    /// The 1-based line on which a span begins.
    #[must_use]
    pub fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or(&self.text);
        before.bytes().filter(|&b| b == b'\n').count() + 1
    }
}

/// The name that follows `what` at the begin of a message.
fn named_by<'a>(message: &'a str, what: &str) -> Option<&'a str> {
    message.strip_prefix(what)?.split('`').next()
}

/// A value of the kind that a refusal asks for: the first of the words that are allowed, a number or a list, or as a text what is written there.
fn readable_value(message: &str, help: &str, written: &str) -> Option<String> {
    if message.starts_with("unknown variant `") {
        let allowed = message.split_once("expected ").map_or(help, |(_, allowed)| allowed);
        return Some(format!("\"{}\"", allowed.split('`').nth(1)?));
    }
    let refused = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let expected = refused.rsplit_once("expected ")?.1;
    if expected == "a string" {
        return Some(toml::Value::String(written.to_owned()).to_string());
    }
    let of_kind: [(&[&str], &str); 4] = [
        (&["i64", "u64", "i32", "u32", "i16", "u16", "u8", "usize"], "1"),
        (&["f64", "f32"], "1.0"),
        (&["a boolean"], "false"),
        (&["a sequence"], "[]"),
    ];
    of_kind.iter().find(|(kinds, _)| kinds.contains(&expected)).map(|(_, value)| (*value).to_owned())
}

/// The text with another value in place of one that stands on a single line.
fn with_value_at(text: &str, span: &Range<usize>, value: &str) -> Option<String> {
    let written = text.get(span.clone()).filter(|written| *written != value && !written.contains('\n'))?;
    toml::from_str::<toml::Table>(&format!("it = {written}")).ok()?;
    Some(format!("{}{value}{}", text.get(..span.start)?, text.get(span.end..)?))
}

/// The text with another value on a line that gives one key its value.
fn with_value(text: &str, number: usize, value: &str) -> Option<String> {
    let line = text.split('\n').nth(number.checked_sub(1)?)?;
    let (key, _) = line.split_once('=')?;
    without_line(text, number)?;
    let replaced = format!("{key}= {value}");
    let with = |(at, line)| if at + 1 == number { replaced.as_str() } else { line };
    Some(text.split('\n').enumerate().map(with).collect::<Vec<_>>().join("\n"))
}

/// Lines of the table that a line stands in; none of what stands before all tables.
fn table_around(text: &str, number: usize) -> Range<usize> {
    let is_head = |line: &str| line.starts_with('[');
    let lines: Vec<&str> = text.split('\n').collect();
    let before = lines.iter().take(number).rposition(|line| is_head(line));
    let Some(head) = before else { return number..number };
    let after = lines.iter().skip(number).position(|line| is_head(line));
    head + 1..after.map_or(lines.len() + 1, |after| number + after + 1)
}

/// A line's key, and the text with the line blank, where all that the line does is to give one key its value.
fn without_line(text: &str, number: usize) -> Option<(String, String)> {
    let line = text.split('\n').nth(number.checked_sub(1)?)?;
    let mut keys = toml::from_str::<toml::Table>(line).ok()?.into_iter().map(|(key, _)| key);
    let (Some(key), None) = (keys.next(), keys.next()) else { return None };
    if line.trim_start().starts_with('[') {
        return None;
    }
    // Places of what comes after stay as they are.
    let blank = " ".repeat(line.len());
    let blanked = |(at, line)| if at + 1 == number { blank.as_str() } else { line };
    Some((key, text.split('\n').enumerate().map(blanked).collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw {
        a: toml::Spanned<i64>,
    }

    #[test]
    fn a_line_with_an_unknown_key_hides_no_other_error() {
        let all = |text: &str| ConfigFile::from_text(Path::new("x.toml"), text).parse_telling_all::<Raw>();
        let (raw, passed) = all("b = \"x\" # note\na = 1\nc = 2\n").unwrap();
        assert_eq!(raw.a.span(), 19..20, "places stay");
        let of = |faults: &[ConfigError]| faults.iter().map(|fault| fault.line).collect::<Vec<_>>();
        assert_eq!(of(&passed.all_faults(Vec::new())), [1, 3]);
        let read_lines = |text: &str| of(&all(text).unwrap().1.all_faults(Vec::new()));
        assert_eq!(read_lines("b = 1\na = 'one'\n"), [1, 2]);
        assert_eq!(read_lines("a = 'one'\nb = 1\n"), [1, 2]);
        assert_eq!(read_lines("a = 'one'\n"), [1], "a key with a wrong value is not missing");
        let lines = |text: &str| of(&all(text).unwrap_err());
        assert_eq!(lines("b = 1\n"), [1, 1], "a key that is not there is told beside an unknown one");
        assert_eq!(all("b = [\n1]\na = 1\n").unwrap_err().len(), 1);
    }

    #[test]
    fn a_value_that_cannot_be_read_hides_no_other_fault_and_makes_none() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Word {
            One,
            Two,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Part {
            word: Word,
            size: toml::Spanned<i64>,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            a: toml::Spanned<i64>,
            part: Vec<Part>,
        }
        let check = |file: ConfigFile| -> Result<i64, ConfigError> {
            let raw: Whole = file.parse()?;
            let a = crate::config::bounds::integer(&file, &raw.a, "a", 1..=9)?;
            for part in &raw.part {
                file.part((), || {
                    let most = if matches!(part.word, Word::One) { 1 } else { 2 };
                    crate::config::bounds::integer(&file, &part.size, "size", 0..=most).map(drop)
                })?;
            }
            Ok(a)
        };
        let lines = |text: &str| -> Vec<usize> {
            let file = ConfigFile::from_text(Path::new("x.toml"), text);
            let all = file.check_telling_all::<Whole, i64>(check);
            all.err().into_iter().flatten().map(|fault| fault.line).collect()
        };
        let good = "a = 3\n[[part]]\nword = \"one\"\nsize = 1\n[[part]]\nword = \"two\"\nsize = 2\n";
        assert_eq!(lines(good), [] as [usize; 0]);
        let bad = good
            .replace("a = 3", "a = 30")
            .replace("size = 1", "size = 7")
            .replace("[[part]]\nword = \"two", "[[part]]\nword = \"tree");
        assert_eq!(lines(&bad), [1, 4, 6], "and what the wrong word decides is not judged");
        assert_eq!(lines(&bad.replace("word = \"one\"", "word = \"one\"\nwords = 1")), [1, 4, 5, 7]);
    }

    #[test]
    fn a_text_or_a_value_within_a_table_that_cannot_be_read_hides_no_other_fault() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            name: toml::Spanned<String>,
            words: Vec<toml::Spanned<String>>,
            by_band: std::collections::BTreeMap<String, toml::Spanned<i64>>,
            size: toml::Spanned<i64>,
        }
        let check = |file: ConfigFile| -> Result<i64, ConfigError> {
            let raw: Whole = file.parse()?;
            crate::config::bounds::text(&file, &raw.name, "name")?;
            for (band, share) in &raw.by_band {
                crate::config::bounds::integer(&file, share, band, 1..=9)?;
            }
            for word in &raw.words {
                crate::config::bounds::text(&file, word, "words")?;
            }
            crate::config::bounds::integer(&file, &raw.size, "size", 1..=9)
        };
        let lines = |text: &str| -> Vec<usize> {
            let file = ConfigFile::from_text(Path::new("x.toml"), text);
            let all = file.check_telling_all::<Whole, i64>(check);
            all.err().into_iter().flatten().map(|fault| fault.line).collect()
        };
        assert_eq!(lines("name = \"a\"\nwords = [\"b\"]\nby_band = { A = 1 }\nsize = 9\n"), [] as [usize; 0]);
        assert_eq!(lines("name = 5\nwords = [\"b\"]\nby_band = { A = 1 }\nsize = 10\n"), [1, 4]);
        assert_eq!(lines("name = 2025-01-01\nwords = [1,\n2]\nby_band = { A = 1 }\nsize = 10\n"), [1, 2, 3, 5]);
        assert_eq!(
            lines("name = \"a\"\nwords = []\nby_band = { A = \"1\", B = \"2\", C = 3 }\nsize = 10\n"),
            [3, 3, 4]
        );
    }

    #[test]
    fn errors_name_the_line() {
        let file = ConfigFile::from_text(Path::new("x.toml"), "# first\na = 1\nb = 2\n");
        let error = file.parse::<Raw>().unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.to_string().contains("x.toml:3: unknown field `b`"), "{error}");
        let wrong_type = ConfigFile::from_text(Path::new("x.toml"), "\n\na = 'one'\n").parse::<Raw>().unwrap_err();
        assert_eq!(wrong_type.line, 3);
    }
}
