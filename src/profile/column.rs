//! One column of a raw table: what its cells look like.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::tz::TimeZone;
use polars::prelude::*;
use serde_json::{Map, Value};

use super::number_form::NumberForm;
use super::numbers::{Endings, NumberProfile};
use super::second_form::{SecondForm, doubt_of_all_threes, doubt_of_thousands, two_decimal_marks};
use super::span_form::SpanForm;
use super::time_form::{Digits, TimeForm};
use crate::wash::Activity;

/// A key has at least this share of different values: exports send some rows again.
const KEY_SHARE: f64 = 0.97;
/// With this share of different values or more, what repeats may be what a later file sends again.
const KEY_SHARE_OF_FILES: f64 = 0.8;
/// Cells from which forms are learnt.
const SAMPLE: usize = 5_000;
/// A column with at most so many different values is shown with all of them.
const MAX_WORDS: usize = 60;
/// Numbers have so many digits at most; a double holds no more.
const MAX_DIGITS: usize = 15;
/// Numbers of so many rows are kept to compare columns with each other.
const NUMBERS_HELD: usize = 2_000;
/// So many different values are kept to compare with known words.
const MAX_SEEN: usize = 1_000;

/// What the cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// No cell has a value.
    Empty,
    /// Whole numbers.
    Whole,
    /// Numbers with a fraction, in that form.
    Decimal(NumberForm),
    /// Times; `is_certain`: no other form reads them as well.
    Time {
        /// How they are written.
        form: TimeForm,
        /// No other form reads them as well.
        is_certain: bool,
        /// None has a time of day.
        is_date: bool,
    },
    /// Lengths of time, such as `12 months`.
    Span(SpanForm),
    /// True or false.
    Flag,
    /// Everything else.
    Text,
}

/// What a column's values name, where each stands once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// Rows of the table.
    #[default]
    Rows,
    /// Rows of each file: every file says again how all of them stand.
    RowsOfEachFile,
}

/// How the cells of a column are written, beyond its main form.
#[derive(Debug, Clone, Default)]
pub struct WrittenForm {
    /// Of times, the form of cells that the main form does not read, where there are two.
    pub second_form: Option<SecondForm>,
    /// Why nobody can say what some of its cells mean, where they are written in two forms that can be taken for each other.
    pub doubt: Option<String>,
    /// Why the cells may be read in two ways where they are amounts of a currency without thousandths.
    pub doubt_of_amounts: Option<String>,
    /// A cell, where nearly all of a column of text hold a date or a time of day, in a form that is not read.
    pub unread_time: Option<String>,
    /// By how many years its cells are ahead of the common calendar, as Thailand counts them.
    pub years_ahead: i16,
}

/// What a column is put together of, and what else it is called.
#[derive(Debug, Clone, Default)]
pub struct ColumnOrigin {
    /// Columns of its table that it is put together of, where the file itself has no such column: year, month, day and time of day; or file and row.
    pub made_of: Vec<String>,
    /// A column of its table with the time of day that belongs to its dates: they are read as one.
    pub time_of_day: Option<String>,
    /// What other files of the table call it.
    pub also_called: Vec<String>,
}

/// Fields within the cells of a column.
#[derive(Debug, Clone, Default)]
pub struct NestedFields {
    /// Fields of the objects that cells of JSON text list, by the first of them; empty where cells are no such text.
    pub listed_fields: Vec<String>,
    /// Fields of the JSON objects in its cells; empty where cells hold other values.
    pub object_fields: Vec<String>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct RawColumn {
    /// Its name in the file.
    pub name: String,
    /// What its cells are.
    pub kind: ValueKind,
    /// Whether the file says the type: Parquet.
    pub is_typed: bool,
    /// Whether the file's type is text.
    pub is_text: bool,
    /// Whether cells are lists; all else is said of their first elements.
    pub is_list: bool,
    /// Cells without a value.
    pub nulls: usize,
    /// Different values.
    pub distinct: usize,
    /// Different values, each counted in every file that has it.
    pub(super) distinct_by_file: usize,
    /// How its cells are written, beyond the main form.
    pub written: WrittenForm,
    /// What it is put together of, and its other names.
    pub origin: ColumnOrigin,
    /// Fields within its cells.
    pub nested: NestedFields,
    /// Its numbers.
    pub numbers: NumberProfile,
    /// What its values name, if it is a key.
    pub(super) names: Names,
    /// All values with their counts, where they are few.
    pub words: BTreeMap<String, usize>,
    /// Some values.
    pub examples: Vec<String>,
    /// The first different short values, in lowercase.
    seen: HashSet<String>,
    /// Longest cell, in characters.
    pub longest: usize,
    /// Hash of each cell, 0 where it is null: what keys and references are found by.
    pub(super) hashes: Vec<u64>,
    /// UTC microseconds of each cell of a time column, in the common calendar; empty otherwise.
    pub micros: Vec<Option<i64>>,
}

impl RawColumn {
    /// Looks at a column. `digits`: what its name says that bare digits are.
    pub(super) fn profile(name: &str, cells: &Series, is_typed: bool, digits: Digits) -> PolarsResult<Self> {
        let is_list = matches!(cells.dtype(), DataType::List(_));
        let elements = elements_by_word(cells)?;
        let cells = &if is_list { first_elements(cells)? } else { cells.clone() };
        let is_text = matches!(cells.dtype(), DataType::String);
        let native = matches!(cells.dtype(), DataType::Date | DataType::Datetime(..));
        let is_date_type = matches!(cells.dtype(), DataType::Date);
        let native_micros: Vec<Option<i64>> = if native {
            let micros = cells.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
            micros.datetime()?.physical().iter().collect()
        } else {
            Vec::new()
        };
        let texts = match cells.dtype() {
            // What is nested has no cells of its own.
            DataType::List(_) | DataType::Struct(_) => StringChunked::full_null(name.into(), cells.len()),
            DataType::Float32 | DataType::Float64 => plain_numbers(cells)?,
            _ => cells.cast(&DataType::String)?.str()?.clone(),
        };
        let mut column = Self {
            name: name.to_owned(),
            kind: ValueKind::Empty,
            is_typed,
            is_text,
            is_list,
            nulls: 0,
            distinct: 0,
            distinct_by_file: 0,
            names: Names::default(),
            written: WrittenForm::default(),
            origin: ColumnOrigin::default(),
            nested: NestedFields::default(),
            numbers: NumberProfile::default(),
            words: BTreeMap::new(),
            examples: Vec::new(),
            seen: HashSet::new(),
            longest: 0,
            hashes: Vec::with_capacity(texts.len()),
            micros: native_micros,
        };
        column.count(&texts);
        if let Some(elements) = elements {
            column.words = elements;
        }
        let stride = (texts.len() / SAMPLE).max(1);
        let sample: Vec<&str> =
            texts.iter().step_by(stride).flatten().map(str::trim).filter(|c| !c.is_empty()).collect();
        let sample = if sample.len() < 50 { texts.iter().flatten().take(SAMPLE).collect() } else { sample };
        column.kind = match cells.dtype() {
            _ if native => ValueKind::Time { form: TimeForm::Native, is_certain: true, is_date: is_date_type },
            DataType::Boolean => ValueKind::Flag,
            _ => column.kind_of_cells(&sample, digits),
        };
        if column.kind == ValueKind::Text && look_like_times(&sample) {
            column.written.unread_time = column.examples.first().cloned();
        }
        if column.kind == ValueKind::Text {
            column.nested.object_fields = object_fields(&sample);
        }
        column.measure(&texts);
        column.in_the_common_calendar();
        Ok(column)
    }

    /// A column of these cells.
    #[cfg(test)]
    pub(crate) fn of_texts(name: &str, cells: &[&str]) -> Self {
        let cells: StringChunked = cells.iter().map(|cell| Some(*cell)).collect();
        Self::profile(name, &cells.into_series(), false, Digits::AreNumbers).unwrap()
    }

    /// Takes years off that all of its dates are ahead by.
    fn in_the_common_calendar(&mut self) {
        const AHEAD: i16 = 543;
        const THERE: std::ops::Range<i16> = 2500..2650;
        let zoned = |at: i64| Some(jiff::Timestamp::from_microsecond(at).ok()?.to_zoned(TimeZone::UTC));
        let is_ahead = |at: &i64| zoned(*at).is_some_and(|at| THERE.contains(&at.year()));
        let mut first = self.micros.iter().flatten().peekable();
        // One day for all is a last one that never comes.
        if first.peek().is_none() || self.distinct < 2 || !first.all(is_ahead) {
            return;
        }
        let earlier = |at: i64| Some(zoned(at)?.checked_sub(jiff::Span::new().years(AHEAD)).ok()?.timestamp());
        for at in &mut self.micros {
            *at = at.and_then(earlier).map(jiff::Timestamp::as_microsecond);
        }
        self.written.years_ahead = AHEAD;
    }

    fn count(&mut self, texts: &StringChunked) {
        let mut different: HashSet<u64> = HashSet::new();
        for cell in texts.iter() {
            let Some(cell) = cell.map(str::trim).filter(|c| !c.is_empty()) else {
                self.nulls += 1;
                self.hashes.push(0);
                continue;
            };
            // `501.0` is the number 501.
            let is_whole = |digits: &&str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let hash = hash_of(cell.strip_suffix(".0").filter(is_whole).unwrap_or(cell));
            self.hashes.push(hash);
            self.longest = self.longest.max(cell.chars().count());
            let is_new = different.insert(hash);
            if is_new && self.examples.len() < 3 {
                self.examples.push(cell.chars().take(40).collect());
                if self.nested.listed_fields.is_empty() {
                    self.nested.listed_fields = listed_fields(cell);
                }
            }
            if is_new && self.seen.len() < MAX_SEEN && cell.len() <= 40 {
                self.seen.insert(cell.to_lowercase());
            }
            if different.len() <= MAX_WORDS {
                *self.words.entry(cell.to_owned()).or_default() += 1;
            }
        }
        self.distinct = different.len();
        if self.distinct > MAX_WORDS {
            self.words.clear();
        }
    }

    /// What cells of text are; notes what is written in two forms.
    fn kind_of_cells(&mut self, sample: &[&str], digits: Digits) -> ValueKind {
        let kind = kind_of(sample, digits);
        match &kind {
            ValueKind::Time { form, .. } => self.written.second_form = SecondForm::among_strays(*form, sample),
            ValueKind::Text => {
                if let Some((form, is_certain, second)) = SecondForm::of(sample) {
                    self.written.doubt = second.doubt(form);
                    let micros = |cell: &str| form.micros(cell).or_else(|| second.form.micros(cell));
                    let is_date = sample.iter().all(|cell| micros(cell).is_none_or(is_midnight));
                    self.written.second_form = Some(second);
                    return ValueKind::Time { form, is_certain, is_date };
                }
                if let Some((form, why)) = two_decimal_marks(sample) {
                    self.written.doubt = Some(why);
                    return ValueKind::Decimal(form);
                }
            }
            _ => {}
        }
        if let (ValueKind::Time { form, .. }, Some(second)) = (&kind, &self.written.second_form) {
            self.written.doubt = second.doubt(*form);
        }
        kind
    }

    fn measure(&mut self, texts: &StringChunked) {
        match &self.kind {
            ValueKind::Time { form: TimeForm::Native, .. } | ValueKind::Empty | ValueKind::Flag | ValueKind::Text => {}
            ValueKind::Time { form, .. } => {
                let second = self.written.second_form.as_ref().map(|second| second.form);
                let micros = |cell: &str| form.micros(cell).or_else(|| second.and_then(|form| form.micros(cell)));
                self.micros = texts.iter().map(|cell| cell.and_then(micros)).collect();
            }
            ValueKind::Span(form) => {
                let values = || texts.iter().filter_map(|cell| form.value(cell?));
                let rows = values().count();
                if rows > 0 {
                    self.numbers.mean = values().sum::<f64>() / rows as f64;
                    self.numbers.range =
                        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
                }
            }
            kind @ (ValueKind::Whole | ValueKind::Decimal(_)) => {
                let form = if let ValueKind::Decimal(form) = kind { form.clone() } else { NumberForm::plain() };
                let (mut sum, mut rows) = (0.0, 0_usize);
                let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
                for (row, cell) in texts.iter().enumerate() {
                    let Some((cell, value)) = cell.and_then(|cell| Some((cell, form.value(cell)?))) else {
                        let other = cell.filter(|_| !form.symbol.is_empty()).and_then(symbol_of);
                        if let Some(other) = other.filter(|other| *other != form.symbol) {
                            *self.numbers.other_symbols.entry(other.to_owned()).or_default() += 1;
                        }
                        continue;
                    };
                    if value < 0.0 {
                        self.numbers.negative.push(row);
                    }
                    sum += value;
                    rows += 1;
                    low = low.min(value);
                    high = high.max(value);
                    self.numbers.decimals = self.numbers.decimals.max(form.decimals(cell));
                }
                if rows > 0 {
                    self.numbers.mean = sum / rows as f64;
                    self.numbers.range = (low, high);
                }
                let number = |cell: Option<&str>| cell.and_then(|cell| form.value(cell));
                self.numbers.sample = texts.iter().take(NUMBERS_HELD).map(number).collect();
                if self.written.doubt.is_none() && self.is_text {
                    self.written.doubt = doubt_of_thousands(&form, texts.iter().flatten());
                }
                if self.is_text || !self.is_typed {
                    self.written.doubt_of_amounts = doubt_of_all_threes(&form, texts.iter().flatten());
                }
                if self.kind == ValueKind::Whole {
                    self.numbers.endings = Endings::of(texts.iter().flatten().filter_map(|cell| form.value(cell)));
                }
            }
        }
    }

    /// Whether one of the first different values, in lowercase, passes.
    #[must_use]
    pub fn has_any(&self, passes: impl Fn(&str) -> bool) -> bool {
        self.seen.iter().any(|value| passes(value))
    }

    /// Share of the first different values, in lowercase, that pass.
    #[must_use]
    pub fn share_of_seen(&self, passes: impl Fn(&str) -> bool) -> f64 {
        self.seen.iter().filter(|value| passes(value)).count() as f64 / self.seen.len().max(1) as f64
    }

    /// Whether its cells are written as another column's are: numbers of about the same size, of few words the same ones.
    pub(super) fn is_written_like(&self, other: &Self) -> bool {
        const FAR: usize = 3;
        // A net sum is further than this from the gross one.
        const NEAR_MEAN: f64 = 0.05;
        let is_near = |own: usize, other: usize| own <= FAR * other.max(1);
        let are_alike = match (&self.kind, &other.kind) {
            (ValueKind::Time { .. }, ValueKind::Time { .. }) => true,
            (ValueKind::Whole | ValueKind::Decimal(_), ValueKind::Whole | ValueKind::Decimal(_)) => {
                let apart = (self.numbers.mean - other.numbers.mean).abs();
                apart <= NEAR_MEAN * self.numbers.mean.abs().max(other.numbers.mean.abs())
                    && self.has_range_of(other)
                    && other.has_range_of(self)
            }
            (own, other) => own == other,
        };
        let common = self.words.keys().filter(|word| other.words.contains_key(*word)).count();
        let of_few_words = self.words.len().max(other.words.len());
        let share_words = of_few_words == 0 || 2 * common >= self.words.len().min(other.words.len()).max(1);
        are_alike && share_words && is_near(self.longest, other.longest) && is_near(other.longest, self.longest)
    }

    /// Whether its numbers are on average within the range of another's.
    fn has_range_of(&self, other: &Self) -> bool {
        (other.numbers.range.0..=other.numbers.range.1).contains(&self.numbers.mean)
    }

    /// Share of its rows with a value that another column has.
    #[must_use]
    pub fn share_of_rows_found_in(&self, other: &Self) -> f64 {
        let known = other.different();
        let there = || self.hashes.iter().filter(|hash| **hash != 0);
        there().filter(|hash| known.contains(hash)).count() as f64 / there().count().max(1) as f64
    }

    /// Share of its first different values that another column has, where only letters and digits count.
    #[must_use]
    pub fn share_found_plainly(&self, other: &Self) -> f64 {
        let plain = |column: &Self| -> HashSet<String> {
            column.seen.iter().map(|value| value.chars().filter(|c| c.is_alphanumeric()).collect()).collect()
        };
        let (own, others) = (plain(self), plain(other));
        own.intersection(&others).count() as f64 / own.len().max(1) as f64
    }

    /// Whether a whole word of its name, in small letters, is one of these.
    #[must_use]
    pub fn is_called(&self, any: &[&str]) -> bool {
        self.name.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| any.contains(&word))
    }

    /// Share of its different values that another column has.
    #[must_use]
    pub fn share_found_in(&self, other: &Self) -> f64 {
        let (own, others) = (self.different(), other.different());
        if own.is_empty() {
            return 0.0;
        }
        own.intersection(&others).count() as f64 / own.len() as f64
    }

    /// Hashes of its different values.
    pub(super) fn different(&self) -> HashSet<u64> {
        self.hashes.iter().copied().filter(|hash| *hash != 0).collect()
    }

    /// Rows of its table.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.hashes.len()
    }

    /// Rows whose cell is one of these words.
    #[must_use]
    pub fn rows_with(&self, words: &[&str]) -> usize {
        words.iter().filter_map(|word| self.words.get(*word)).sum()
    }

    /// The median of the first rows' numbers above zero; `None` where there are none.
    #[must_use]
    pub fn median_above_zero(&self) -> Option<f64> {
        let mut above: Vec<f64> =
            self.numbers.sample.iter().flatten().copied().filter(|number| *number > 0.0).collect();
        above.sort_by(f64::total_cmp);
        above.get(above.len() / 2).copied()
    }

    /// Whether any of the first rows' numbers is not whole.
    #[must_use]
    pub fn has_fractions(&self) -> bool {
        self.numbers.sample.iter().flatten().any(|number| number.fract() != 0.0)
    }

    /// Share of cells without a value.
    #[must_use]
    pub fn null_share(&self) -> f64 {
        if self.rows() == 0 { 1.0 } else { self.nulls as f64 / self.rows() as f64 }
    }

    /// Whether every row has a value of its own.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.rows() > 0 && self.nulls == 0 && self.distinct == self.rows()
    }

    /// Whether every row has a value that no other row of its file has.
    #[must_use]
    pub fn names_every_row(&self) -> bool {
        self.rows() > 0 && self.nulls == 0 && !self.is_list && self.distinct.max(self.distinct_by_file) == self.rows()
    }

    /// Whether it names its rows: nearly all have a value of their own. Rows that were sent again repeat it.
    #[must_use]
    pub fn is_key(&self) -> bool {
        let there = self.rows() - self.nulls;
        let share = |different: usize| different as f64 / there as f64;
        // Within a file each value once: a later file sends some rows again.
        let is_enough = share(self.distinct) >= KEY_SHARE_OF_FILES || self.names == Names::RowsOfEachFile;
        let is_of_files = is_enough && share(self.distinct_by_file) >= KEY_SHARE;
        there > 0 && !self.is_list && self.null_share() <= 0.005 && (share(self.distinct) >= KEY_SHARE || is_of_files)
    }

    /// Whether it names the rows of each file, nearly all of which come again in the next.
    #[must_use]
    pub fn names_rows_of_each_file(&self) -> bool {
        let there = (self.rows() - self.nulls) as f64;
        let is_once_a_file = self.distinct_by_file as f64 >= KEY_SHARE * there;
        !self.is_list && self.null_share() <= 0.005 && is_once_a_file && (self.distinct * 2) as f64 <= there
    }

    /// Whether its table was taken for one that says again in each file how all of its rows stand.
    #[must_use]
    pub fn is_key_of_each_file(&self) -> bool {
        self.names == Names::RowsOfEachFile
    }

    /// Whether some of its values stand in several files.
    #[must_use]
    pub const fn is_in_several_files(&self) -> bool {
        self.distinct_by_file > self.distinct
    }

    /// Counts values by file, where there are several.
    pub(super) fn count_by_file(&mut self, files: &[Option<u32>]) {
        let cells = self.hashes.iter().zip(files).filter(|(hash, _)| **hash != 0);
        self.distinct_by_file = cells.collect::<HashSet<_>>().len();
    }

    /// Whether it could name things: no fractions, no times, no free text.
    #[must_use]
    pub fn is_like_an_id(&self) -> bool {
        let is_named = matches!(self.kind, ValueKind::Whole | ValueKind::Text) || self.are_whole_decimals();
        is_named && self.longest <= 64
    }

    /// Whether cells are whole numbers among a few texts, or written with a zero behind the point, as programs write a column of numbers in which some are missing: `501.0`.
    #[must_use]
    pub fn are_whole_decimals(&self) -> bool {
        let is_plain = matches!(&self.kind, ValueKind::Decimal(form) if *form == NumberForm::plain());
        is_plain && !self.is_typed && self.numbers.decimals <= 1 && !self.has_fractions()
    }

    /// Whether it is the file and the place of a row, of a table in which nothing else numbers rows.
    #[must_use]
    pub const fn is_row_number(&self) -> bool {
        self.origin.made_of.len() == 2
    }

    /// Whether it only counts its rows: 1, 2, 3 …
    #[must_use]
    pub fn is_unique_counter(&self) -> bool {
        let rows = self.rows() as f64;
        self.kind == ValueKind::Whole
            && self.is_unique()
            && rows > 1.0
            && (self.numbers.range.1 - self.numbers.range.0 + 1.0) <= rows
    }

    /// Whether a row says the same as a row of another column; times, on the same day.
    pub(super) fn says_the_same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        const DAY: i64 = 86_400_000_000;
        let day = |column: &Self, row: usize| column.micros.get(row).copied().flatten().map(|at| at.div_euclid(DAY));
        match (day(self, row), day(other, other_row)) {
            (Some(own), Some(other)) => own == other,
            _ => self.hashes.get(row).is_some_and(|own| *own != 0 && Some(own) == other.hashes.get(other_row)),
        }
    }

    /// Whether it writes times.
    #[must_use]
    pub const fn is_time(&self) -> bool {
        matches!(self.kind, ValueKind::Time { .. })
    }

    /// Whether it writes numbers.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self.kind, ValueKind::Whole | ValueKind::Decimal(_))
    }

    /// Rows a day, for a time column.
    #[must_use]
    pub fn activity(&self) -> Activity {
        Activity::of_instants(self.micros.iter().flatten().copied(), &TimeZone::UTC)
    }

    /// Its kind in words.
    #[must_use]
    pub fn kind_words(&self) -> String {
        let words = self.words_of_kind();
        if self.is_list { format!("list: {words}") } else { words }
    }

    fn words_of_kind(&self) -> String {
        match &self.kind {
            ValueKind::Empty => "empty".to_owned(),
            ValueKind::Whole => "whole number".to_owned(),
            ValueKind::Decimal(form) if *form == NumberForm::plain() => "decimal".to_owned(),
            ValueKind::Decimal(form) => format!("decimal with {:?}", form.decimal),
            ValueKind::Time { form, is_certain, is_date } => {
                let what = if *is_date { "date" } else { "time" };
                let second = self.written.second_form.as_ref().map_or(String::new(), |second| {
                    format!(
                        ", and {}{}",
                        second.form.words(),
                        if second.is_told { "" } else { ": which is which stands in no cell" }
                    )
                });
                let doubt = if *is_certain || !second.is_empty() { "" } else { ", order uncertain" };
                format!("{what} ({}{second}{doubt})", form.words())
            }
            ValueKind::Span(form) => format!("length of time ({})", form.words()),
            ValueKind::Flag => "flag".to_owned(),
            ValueKind::Text => "text".to_owned(),
        }
    }
}

/// What stands before a number, or after it.
fn symbol_of(cell: &str) -> Option<&str> {
    const LONGEST: usize = 4;
    let first = cell.find(|c: char| c.is_ascii_digit())?;
    let last = cell.rfind(|c: char| c.is_ascii_digit())?;
    let around = [cell.get(..first)?, cell.get(last + 1..)?].map(|text| text.trim_matches([' ', '-', '+', '.', ',']));
    around.into_iter().find(|text| !text.is_empty()).filter(|text| text.chars().count() <= LONGEST)
}

/// Fields of the first object of a list in JSON; none where a cell is something else.
fn listed_fields(cell: &str) -> Vec<String> {
    if !cell.starts_with('[') {
        return Vec::new();
    }
    let objects: Vec<Map<String, Value>> = serde_json::from_str(cell).unwrap_or_default();
    objects.into_iter().next().map_or_else(Vec::new, |first| first.into_iter().map(|(name, _)| name).collect())
}

/// Fields of cells that are JSON objects, nearly all of them, in the order in which they come; empty where they are not.
fn object_fields(sample: &[&str]) -> Vec<String> {
    const LOOKED_AT: usize = 500;
    const NEARLY_ALL: f64 = 0.95;
    let mut fields: Vec<String> = Vec::new();
    let (mut all, mut objects) = (0_usize, 0_usize);
    for cell in sample.iter().take(LOOKED_AT) {
        all += 1;
        let object: Option<Map<String, Value>> =
            if cell.starts_with('{') { serde_json::from_str(cell).ok() } else { None };
        let Some(object) = object else { continue };
        objects += 1;
        for name in object.keys().filter(|name| !fields.contains(name)).cloned().collect::<Vec<_>>() {
            fields.push(name);
        }
    }
    if objects as f64 >= NEARLY_ALL * all as f64 { fields } else { Vec::new() }
}

/// A cell's hash; never 0, which stands for none.
pub(super) fn hash_of(cell: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    cell.hash(&mut hasher);
    hasher.finish().max(1)
}

/// How often each element stands in a column of lists of words; none where there are many different ones.
fn elements_by_word(cells: &Series) -> PolarsResult<Option<BTreeMap<String, usize>>> {
    if !matches!(cells.dtype(), DataType::List(inner) if matches!(**inner, DataType::String)) {
        return Ok(None);
    }
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    for element in cells.list()?.get_inner().str()?.iter().flatten() {
        *words.entry(element.to_owned()).or_default() += 1;
        if words.len() > MAX_WORDS {
            return Ok(Some(BTreeMap::new()));
        }
    }
    Ok(Some(words))
}

/// The first element of each list.
fn first_elements(cells: &Series) -> PolarsResult<Series> {
    let first = col(cells.name().clone()).list().get(lit(0), true);
    let frame = cells.clone().into_frame().lazy().select([first]).collect()?;
    Ok(frame.columns().first().map_or_else(Series::default, |column| column.as_materialized_series().clone()))
}

/// Floats as the shortest text that reads back: what a person would have written.
fn plain_numbers(cells: &Series) -> PolarsResult<StringChunked> {
    let numbers = cells.cast(&DataType::Float64)?;
    Ok(numbers.f64()?.iter().map(|n| n.filter(|n| n.is_finite()).map(|n| n.to_string())).collect())
}

const fn is_midnight(micros: i64) -> bool {
    micros.rem_euclid(86_400_000_000) == 0
}

/// Whether nearly all cells hold a date of numbers or a time of day.
fn look_like_times(sample: &[&str]) -> bool {
    const NEARLY_ALL: f64 = 0.95;
    const LEAST: usize = 5;
    let is_part = |run: &&str| run.len() == 1 || run.len() == 2;
    let is_year = |run: &str| run.len() == 4 && ["19", "20", "25"].iter().any(|century| run.starts_with(century));
    let is_one = |cell: &&&str| {
        let parts: Vec<&str> = cell.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
        let is_date = parts.windows(3).any(|three| {
            let [first, month, last] = three else { return false };
            is_part(month) && ((is_year(first) && is_part(last)) || (is_part(first) && is_year(last)))
        });
        let has_mark = |marks: [char; 3]| marks.iter().any(|mark| cell.contains(*mark));
        let is_time_of_day = cell.contains(':') && parts.len() >= 4 && parts.iter().rev().take(2).all(is_part);
        let is_short = cell.chars().count() <= 40 && parts.len() <= 8;
        is_short && ((is_date && (has_mark(['-', '/', '.']) || !cell.is_ascii())) || is_time_of_day)
    };
    sample.len() >= LEAST && sample.iter().filter(is_one).count() as f64 >= NEARLY_ALL * sample.len() as f64
}

fn kind_of(sample: &[&str], digits: Digits) -> ValueKind {
    if sample.is_empty() {
        return ValueKind::Empty;
    }
    if let Some((form, is_certain)) = TimeForm::of(sample, digits) {
        let is_date = sample.iter().all(|cell| form.micros(cell).is_none_or(is_midnight));
        return ValueKind::Time { form, is_certain, is_date };
    }
    let flags = ["true", "false", "yes", "no", "t", "f", "y", "n"];
    if sample.iter().all(|cell| flags.contains(&cell.to_lowercase().as_str())) {
        return ValueKind::Flag;
    }
    if let Some(form) = SpanForm::of(sample) {
        return ValueKind::Span(form);
    }
    // `007` names something; it counts nothing.
    let has_leading_zero =
        |cell: &&str| cell.len() > 1 && cell.starts_with('0') && cell.bytes().all(|b| b.is_ascii_digit());
    // Nor does what has more digits than any amount.
    let is_long = |cell: &&str| cell.len() > MAX_DIGITS && cell.bytes().all(|b| b.is_ascii_digit());
    if sample.iter().any(has_leading_zero) || sample.iter().all(is_long) {
        return ValueKind::Text;
    }
    match NumberForm::of(sample) {
        Some(form) if form.symbol.is_empty() && sample.iter().all(|cell| cell.parse::<i64>().is_ok()) => {
            ValueKind::Whole
        }
        Some(form) => ValueKind::Decimal(form),
        None => ValueKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: &[Option<&str>]) -> RawColumn {
        let cells: StringChunked = cells.iter().copied().collect();
        RawColumn::profile("x", &cells.into_series(), false, Digits::AreNumbers).unwrap()
    }

    fn ids_repeat() -> RawColumn {
        column(&[Some("a"), Some("b"), Some("a"), Some("b")])
    }

    #[test]
    fn years_that_are_ahead_are_taken_off() {
        let ahead = column(&[Some("29/02/2568"), Some("01/03/2568"), Some("31/12/2568")]);
        assert_eq!(ahead.written.years_ahead, 543);
        assert_eq!(ahead.activity().last_on(), Some(jiff::civil::date(2025, 12, 31)));
        assert_eq!(column(&[Some("01/03/2568"), Some("31/12/2025")]).written.years_ahead, 0);
    }

    #[test]
    fn fields_of_objects_in_cells_are_seen() {
        let objects = column(&[Some(r#"{"a": 1}"#), None, Some(r#"{"a": 1, "b": {"c": 2}}"#)]);
        assert_eq!(objects.nested.object_fields, ["a", "b"]);
        assert!(column(&[Some("{a}"), Some("x")]).nested.object_fields.is_empty());
    }

    #[test]
    fn times_in_a_form_that_is_not_read_are_seen() {
        for (cells, looks) in [
            (["2025-03-01 오전 9:04:24"; 5], true),
            (["Wk 9, 01/03/2025 h"; 5], true),
            (["12-40972-42996"; 5], false),
            (["+49 30 1234567"; 5], false),
            (["10.0.0.1:8080"; 5], false),
        ] {
            assert_eq!(look_like_times(&cells), looks, "{cells:?}");
        }
    }

    #[test]
    fn kinds_follow_the_cells() {
        assert_eq!(column(&[Some("1"), Some("22"), None]).kind, ValueKind::Whole);
        assert!(matches!(column(&[Some("1.5"), Some("2")]).kind, ValueKind::Decimal(_)));
        assert_eq!(column(&[Some("007"), Some("012")]).kind, ValueKind::Text, "a number that names is an id");
        assert_eq!(column(&[Some("94000000000000000017")]).kind, ValueKind::Text, "a parcel's number");
        assert_eq!(column(&[Some("true"), Some("FALSE")]).kind, ValueKind::Flag);
        assert_eq!(column(&[None, None]).kind, ValueKind::Empty);
        let times = column(&[Some("2018-02-01"), None]);
        assert!(matches!(times.kind, ValueKind::Time { form: TimeForm::Iso, is_date: true, .. }), "{:?}", times.kind);
        assert_eq!(times.micros, [Some(1_517_443_200_000_000), None]);
    }

    #[test]
    fn amounts_with_another_symbol_are_told_apart() {
        let mut cells: Vec<Option<&str>> = vec![Some("$1,234.50"); 97];
        cells.extend([Some("C $12.00"), Some("-C $3.00"), None]);
        let amounts = column(&cells);
        assert!(matches!(&amounts.kind, ValueKind::Decimal(form) if form.symbol == "$"), "{:?}", amounts.kind);
        assert_eq!(amounts.numbers.other_symbols, BTreeMap::from([("C $".to_owned(), 2)]));
    }

    #[test]
    fn counts_nulls_and_different_values() {
        let ids = column(&[Some("a"), Some("b"), Some("a"), Some(" "), None]);
        assert_eq!((ids.nulls, ids.distinct, ids.is_unique()), (2, 2, false));
        assert_eq!(ids.words.get("a"), Some(&2));
        assert!(column(&[Some("a"), Some("b")]).is_unique());
        let ids: Vec<String> = (0..100).map(|n| format!("id{}", n.max(1))).collect();
        let sent_again = column(&ids.iter().map(|id| Some(id.as_str())).collect::<Vec<_>>());
        assert!(sent_again.is_key() && !sent_again.is_unique() && !ids_repeat().is_key());
        assert!(!column(&[Some("a"), None]).is_unique(), "a key has no gaps");
    }
}
