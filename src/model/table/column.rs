//! Columns in memory: numbers with missing values, or text as codes into a list of levels.

use std::collections::HashMap;

/// What a column holds, once decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Numbers, booleans.
    Number,
    /// Dates and instants, as days since 1970-01-01.
    Date,
    /// Text.
    Text,
}

impl Kind {
    /// The word used in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Text => "text",
        }
    }
}

/// Code of a missing text value.
pub const MISSING_LEVEL: u32 = u32::MAX;

/// Which way a variable is expected to point. Where it is known, binning and points are held to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More of it makes default less likely.
    HigherSafer,
    /// Less of it makes default less likely.
    LowerSafer,
    /// Not known beforehand: the data decides.
    #[default]
    Either,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As in the table's header.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; dates are days since 1970-01-01, booleans 0 and 1. NaN stands for missing, infinities are kept to be refused.
    Number(Vec<f64>),
    /// Text.
    Text(TextValues),
}

/// Text, dictionary-coded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextValues {
    /// Index into `levels`, or [`MISSING_LEVEL`].
    pub codes: Vec<u32>,
    /// Distinct values, in order of first appearance.
    pub levels: Vec<String>,
}

impl Column {
    /// Numbers where `None` is missing: how features arrive from the pipeline. A NaN inside `Some` stays NaN and is
    /// refused by [`super::TrainingTable::new`]'s caller side only as missing; infinities are refused.
    #[must_use]
    pub fn from_options(name: &str, values: &[Option<f64>]) -> Self {
        let values = values.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        Self { name: name.to_owned(), values: Values::Number(values) }
    }

    /// Text where `None` is missing.
    #[must_use]
    pub fn from_texts<S: AsRef<str>>(name: &str, values: &[Option<S>]) -> Self {
        let mut text = TextBuilder::default();
        for value in values {
            text.push(value.as_ref().map(AsRef::as_ref));
        }
        Self { name: name.to_owned(), values: Values::Text(text.finish()) }
    }

    /// Appends the rows of another part of the same column, of the same kind.
    pub fn append(&mut self, other: Self) {
        match (&mut self.values, other.values) {
            (Values::Number(mine), Values::Number(theirs)) => mine.extend(theirs),
            (Values::Text(mine), Values::Text(theirs)) => mine.append(&theirs),
            _ => {}
        }
    }

    /// The rows that are kept.
    #[must_use]
    pub fn filtered(self, kept: &[bool]) -> Self {
        fn of<T>(values: Vec<T>, kept: &[bool]) -> Vec<T> {
            values.into_iter().zip(kept).filter(|(_, kept)| **kept).map(|(value, _)| value).collect()
        }
        let values = match self.values {
            Values::Number(numbers) => Values::Number(of(numbers, kept)),
            Values::Text(texts) => Values::Text(TextValues { codes: of(texts.codes, kept), levels: texts.levels }),
        };
        Self { name: self.name, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Number(v) => v.len(),
            Values::Text(t) => t.codes.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Collects text values into codes.
#[derive(Debug, Default)]
pub struct TextBuilder {
    values: TextValues,
    seen: HashMap<String, u32>,
}

impl TextBuilder {
    /// Adds a row.
    pub fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => MISSING_LEVEL,
            Some(text) => {
                if let Some(&code) = self.seen.get(text) {
                    code
                } else {
                    let code = u32::try_from(self.values.levels.len()).unwrap_or(MISSING_LEVEL - 1);
                    self.values.levels.push(text.to_owned());
                    self.seen.insert(text.to_owned(), code);
                    code
                }
            }
        };
        self.values.codes.push(code);
    }

    /// The finished column values.
    #[must_use]
    pub fn finish(self) -> TextValues {
        self.values
    }
}

impl TextValues {
    /// Appends rows with levels of their own.
    fn append(&mut self, other: &Self) {
        let mut at: HashMap<String, u32> =
            self.levels.iter().zip(0..).map(|(level, code)| (level.clone(), code)).collect();
        let mut place = |level: &String| {
            *at.entry(level.clone()).or_insert_with(|| {
                self.levels.push(level.clone());
                u32::try_from(self.levels.len() - 1).unwrap_or(MISSING_LEVEL - 1)
            })
        };
        let code_of: Vec<u32> = other.levels.iter().map(&mut place).collect();
        self.codes.extend(other.codes.iter().map(|&c| code_of.get(c as usize).copied().unwrap_or(MISSING_LEVEL)));
    }

    /// The text of a row, `None` where it is missing.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.levels.get(code as usize).map(String::as_str)
    }
}

/// Whether two numbers are one value: the two zeros are, NaN is nothing's equal.
#[expect(clippy::float_cmp, reason = "a special value is exactly itself")]
#[must_use]
pub fn same_number(a: f64, b: f64) -> bool {
    a == b
}

/// How a number is written when it stands for a level of a text variable: `7`, `2.5`.
#[must_use]
pub fn number_as_text(value: f64) -> String {
    format!("{value}")
}
