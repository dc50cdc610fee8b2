//! One configuration file: its text, and errors that point into it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

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
}

impl ConfigFile {
    /// # Errors
    /// The file cannot be read as UTF-8 text.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text }),
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
        Self { path: path.to_owned(), text: text.to_owned() }
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

    /// As [`Self::parse`], but a line with an unknown key or a value of a wrong type is passed over, so that what else is wrong is told with it.
    ///
    /// # Errors
    /// What is wrong, in the order of the lines, where a key has no value that can be read.
    pub fn parse_telling_all<T: DeserializeOwned>(&self) -> Result<(T, Vec<ConfigError>), Vec<ConfigError>> {
        let mut text = self.text.clone();
        let mut faults: Vec<ConfigError> = Vec::new();
        let mut unread: Vec<String> = Vec::new();
        loop {
            let refused = match toml::from_str(&text) {
                Ok(raw) if unread.is_empty() => return Ok((raw, faults)),
                Ok(_) => break,
                Err(e) => self.refusal(&e),
            };
            if named_by(&refused.message, "missing field `").is_some_and(|key| unread.iter().any(|known| known == key))
            {
                break;
            }
            let unknown = named_by(&refused.message, "unknown field `");
            let rest =
                without_line(&text, refused.line).filter(|(key, _)| unknown.is_none_or(|unknown| unknown == key));
            let is_unknown = unknown.is_some();
            faults.push(refused);
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

    /// Checks it by `check`, after everything that is not even of the form `R` was told at once.
    ///
    /// # Errors
    /// Every unknown key and value of a wrong type, or the first thing that is not allowed.
    pub fn check_telling_all<R: DeserializeOwned, T>(
        self,
        check: impl FnOnce(Self) -> Result<T, ConfigError>,
    ) -> Result<T, Vec<ConfigError>> {
        let (_, unknown) = self.parse_telling_all::<R>()?;
        if unknown.is_empty() { check(self).map_err(|fault| vec![fault]) } else { Err(unknown) }
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
        let (raw, faults) = all("b = \"x\" # note\na = 1\nc = 2\n").unwrap();
        assert_eq!(raw.a.span(), 19..20, "places stay");
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 3]);
        let faults = all("b = 1\na = 'one'\n").unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 2]);
        let lines = |text: &str| all(text).unwrap_err().iter().map(|fault| fault.line).collect::<Vec<_>>();
        assert_eq!(lines("a = 'one'\nb = 1\n"), [1, 2]);
        assert_eq!(lines("a = 'one'\n"), [1], "a key with a wrong value is not missing");
        assert_eq!(lines("b = 1\n"), [1, 1], "a key that is not there is told beside an unknown one");
        assert_eq!(all("b = [\n1]\na = 1\n").unwrap_err().len(), 1);
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
