//! One raw table: its columns and what identifies a row.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use polars::prelude::*;

use super::column::{RawColumn, ValueKind, hash_of};
use super::dated_files::DatedFiles;
use super::time_form::Digits;
use crate::source::DeclaredFormat;
use crate::source::with_english_half;

/// Files with the same columns, as one table.
#[derive(Debug, Clone)]
pub struct RawTable {
    /// What SQL calls it: made from the files' names.
    pub name: String,
    /// What people call it: its sheet, or its files' name or folder, as written.
    pub title: String,
    /// Glob below the data folder.
    pub files: String,
    /// How many files it matches.
    pub file_count: usize,
    /// The day that each file's name holds, where each holds another.
    pub dated_files: Option<DatedFiles>,
    /// What its files are called without the days in their names; empty where some have none.
    pub undated_names: BTreeSet<String>,
    /// How its files are written, beyond a plain CSV file.
    pub format: DeclaredFormat,
    /// Rows.
    pub rows: usize,
    /// Malformed records, which are not among the rows.
    pub malformed: usize,
    /// What is wrong with the first of them.
    pub first_malformed: Option<String>,
    /// Rows that stand in an earlier file too, word for word.
    pub sent_again: usize,
    /// Whether cells are text (CSV).
    pub is_text: bool,
    /// Whether the file has instants in another unit than microseconds, or with a zone: they meet no others in one expression.
    pub has_other_instants: bool,
    /// Its columns, in the file's order.
    pub columns: Vec<RawColumn>,
    /// Columns that some of its files lack: null there.
    pub not_in_all: Vec<String>,
}

fn is_other_instant(dtype: &DataType) -> bool {
    match dtype {
        DataType::List(inner) => is_other_instant(inner),
        DataType::Datetime(unit, zone) => *unit != TimeUnit::Microseconds || zone.is_some(),
        _ => false,
    }
}

impl RawTable {
    /// Looks at every column. `headers`: the columns of its files, the first file's first, where not all have the same.
    pub(super) fn profile(
        name: &str,
        frame: &DataFrame,
        is_text: bool,
        headers: &[Vec<String>],
        digits: impl Fn(&str) -> Digits,
    ) -> PolarsResult<Self> {
        let renamed = renamed(frame, headers, &digits)?;
        let together = as_one_column(frame, &renamed)?;
        let frame = &together;
        let mut columns = Vec::new();
        for column in frame.columns().iter().filter(|c| !["_file", "_row"].contains(&c.name().as_str())) {
            let named = column.name().as_str();
            columns.push(RawColumn::profile(named, column.as_materialized_series(), !is_text, digits(named))?);
        }
        for column in &mut columns {
            column.origin.also_called =
                renamed.iter().filter(|(new, _)| *new == column.name).map(|(_, old)| old.clone()).collect();
        }
        note_hundredfolds(&mut columns);
        if is_text {
            join_times_of_day(&mut columns, frame, &digits)?;
        }
        if is_text && !columns.iter().any(RawColumn::is_time) {
            columns.extend(date_of_parts(&columns, frame)?);
        }
        let files: Vec<Option<u32>> = frame.column("_file")?.cast(&DataType::UInt32)?.u32()?.iter().collect();
        let mut sent_again = 0;
        if files.first() != files.last() {
            sent_again = rows_sent_again(&columns, &files);
            for column in &mut columns {
                column.count_by_file(&files);
            }
        }
        Ok(Self {
            name: name.to_owned(),
            title: name.to_owned(),
            files: String::new(),
            file_count: 0,
            dated_files: None,
            undated_names: BTreeSet::new(),
            format: DeclaredFormat::default(),
            rows: frame.height(),
            malformed: 0,
            first_malformed: None,
            sent_again,
            is_text,
            has_other_instants: frame.dtypes().iter().any(is_other_instant),
            not_in_all: not_in_all(&columns, headers),
            columns,
        })
    }

    /// Adds a column that numbers the rows by their file and their place in it.
    pub fn number_rows(&mut self) {
        let numbers: Vec<String> = (1..=self.rows).map(|row| format!("#{row}")).collect();
        let numbers = Series::new("row".into(), numbers);
        // A column of text can always be looked at.
        if let Ok(mut made) = RawColumn::profile("file and row", &numbers, false, Digits::AreNumbers) {
            made.origin.made_of = vec!["_file".to_owned(), "_row".to_owned()];
            self.columns.push(made);
        }
    }

    /// Different combinations of several columns' values, rows with a null among them left out, and how many rows that is.
    #[must_use]
    pub fn combinations(&self, columns: &[usize]) -> (usize, usize) {
        let cells: Vec<&[u64]> =
            columns.iter().filter_map(|c| self.columns.get(*c)).map(|c| c.hashes.as_slice()).collect();
        let mut different: HashSet<Vec<u64>> = HashSet::new();
        let mut rows = 0;
        for row in 0..self.rows {
            let key: Vec<u64> = cells.iter().filter_map(|column| column.get(row).copied()).collect();
            if key.iter().all(|hash| *hash != 0) {
                rows += 1;
                different.insert(key);
            }
        }
        (different.len(), rows)
    }

    /// Whether a column says what another holds: wherever the first is the same, so is the second.
    #[must_use]
    pub fn determines(&self, column: usize, other: usize) -> bool {
        let distinct = self.columns.get(column).map_or(0, |c| c.distinct);
        self.combinations(&[column, other]).0 <= distinct
    }

    /// Of the values of a column that stand on several rows: how many there are, and of how many all rows have the same value of another column.
    #[must_use]
    pub fn alike_within(&self, column: usize, other: usize) -> (usize, usize) {
        let (Some(names), Some(values)) = (self.columns.get(column), self.columns.get(other)) else { return (0, 0) };
        let mut groups: HashMap<u64, (usize, Option<u64>, bool)> = HashMap::new();
        for (name, value) in names.hashes.iter().zip(&values.hashes).filter(|(name, _)| **name != 0) {
            let (rows, first, is_alike) = groups.entry(*name).or_insert((0, None, true));
            *rows += 1;
            // Only the first row of an order may say it.
            if *value != 0 {
                *is_alike &= first.is_none_or(|first| first == *value);
                *first = first.or(Some(*value));
            }
        }
        let several = || groups.values().filter(|(rows, ..)| *rows > 1);
        (several().count(), several().filter(|(.., is_alike)| *is_alike).count())
    }

    /// Of some rows, the share whose value in a column other rows have too; none where these others share values among themselves.
    #[must_use]
    pub fn share_named_once(&self, column: usize, rows: &[usize], others: &[usize]) -> Option<f64> {
        const NEARLY_ALL: f64 = 0.98;
        let cells = &self.columns.get(column)?.hashes;
        let there = |rows: &[usize]| -> Vec<u64> {
            rows.iter().filter_map(|row| cells.get(*row).copied()).filter(|hash| *hash != 0).collect()
        };
        let named = there(others);
        let known: HashSet<u64> = named.iter().copied().collect();
        let is_once = !named.is_empty() && known.len() as f64 >= NEARLY_ALL * named.len() as f64;
        let found = there(rows).iter().filter(|hash| known.contains(hash)).count();
        is_once.then(|| found as f64 / rows.len().max(1) as f64)
    }

    /// Whole days from one row of a value to the next, in the order of the rows; none where a row has no time.
    #[must_use]
    pub fn days_between(&self, key: usize, time: usize) -> Option<Vec<i64>> {
        const DAY: i64 = 86_400_000_000;
        let (names, times) = (self.columns.get(key)?, self.columns.get(time)?);
        let mut last: HashMap<u64, i64> = HashMap::new();
        let mut steps = Vec::new();
        for (name, at) in names.hashes.iter().zip(&times.micros) {
            if let Some(before) = last.insert(*name, (*at)?) {
                steps.push(((*at)? - before).div_euclid(DAY));
            }
        }
        (!times.micros.is_empty()).then_some(steps)
    }

    /// Whether a column counts the rows of each value of another from 1 on.
    #[must_use]
    pub fn counts_within(&self, key: usize, number: usize) -> bool {
        let (Some(names), Some(numbers)) = (self.columns.get(key), self.columns.get(number)) else { return false };
        let mut last: HashMap<u64, f64> = HashMap::new();
        let kept = || names.hashes.iter().zip(&numbers.numbers.sample);
        let counts = |(name, number): (&u64, &Option<f64>)| {
            let place = last.entry(*name).or_insert(0.0);
            *place += 1.0;
            *number == Some(*place)
        };
        kept().count() > 0 && numbers.kind == ValueKind::Whole && kept().all(counts)
    }

    /// Mean of the numbers of rows that are their value's only one in another column, and of rows that are not; of those whose numbers were kept.
    #[must_use]
    pub fn means_by_uniqueness(&self, column: usize, numbers: usize) -> Option<(f64, f64)> {
        const LEAST: usize = 20;
        let (names, numbers) = (self.columns.get(column)?, self.columns.get(numbers)?);
        let mut rows: HashMap<u64, usize> = HashMap::new();
        for name in names.hashes.iter().filter(|name| **name != 0) {
            *rows.entry(*name).or_default() += 1;
        }
        let kept = names
            .hashes
            .iter()
            .zip(&numbers.numbers.sample)
            .filter_map(|(name, number)| Some((rows.get(name)?, (*number)?)));
        let (alone, together): (Vec<_>, Vec<_>) = kept.partition(|(rows, _)| **rows == 1);
        let mean = |of: &[(&usize, f64)]| {
            (of.len() >= LEAST).then(|| of.iter().map(|(_, number)| *number).sum::<f64>() / of.len() as f64)
        };
        Some((mean(&alone)?, mean(&together)?))
    }

    /// Rows with some of the words of a column that has few.
    #[must_use]
    pub fn rows_with_words(&self, column: usize, is_one: impl Fn(&str) -> bool) -> Vec<usize> {
        let Some(cells) = self.columns.get(column) else { return Vec::new() };
        let wanted: HashSet<u64> = cells.words.keys().filter(|word| is_one(word)).map(|word| hash_of(word)).collect();
        cells.hashes.iter().enumerate().filter(|(_, hash)| wanted.contains(hash)).map(|(row, _)| row).collect()
    }

    /// Share of some rows whose value in a column is a value of another column of the table; 0 where none has a value.
    #[must_use]
    pub fn share_found_in(&self, column: usize, key: usize, rows: &[usize]) -> f64 {
        let (Some(values), Some(keys)) = (self.columns.get(column), self.columns.get(key)) else { return 0.0 };
        let known = keys.different();
        let there: Vec<u64> =
            rows.iter().filter_map(|row| values.hashes.get(*row).copied()).filter(|h| *h != 0).collect();
        let found = there.iter().filter(|hash| known.contains(hash)).count();
        if there.is_empty() { 0.0 } else { found as f64 / rows.len() as f64 }
    }

    /// Share of some rows whose value in a column is one that other rows have in another column.
    #[must_use]
    pub fn share_of_rows_met(&self, column: usize, rows: &[usize], other: usize, others: &[usize]) -> f64 {
        let (Some(values), Some(known)) = (self.columns.get(column), self.columns.get(other)) else { return 0.0 };
        let known: HashSet<u64> =
            others.iter().filter_map(|row| known.hashes.get(*row).copied()).filter(|hash| *hash != 0).collect();
        let is_met = |row: &&usize| values.hashes.get(**row).is_some_and(|hash| known.contains(hash));
        rows.iter().filter(is_met).count() as f64 / rows.len().max(1) as f64
    }

    /// Different values of some rows in a column, as a share of the rows.
    #[must_use]
    pub fn share_of_own(&self, column: usize, rows: &[usize]) -> f64 {
        let Some(values) = self.columns.get(column) else { return 0.0 };
        let different: HashSet<u64> =
            rows.iter().filter_map(|row| values.hashes.get(*row).copied()).filter(|hash| *hash != 0).collect();
        different.len() as f64 / rows.len().max(1) as f64
    }

    /// Rows whose cell in a column is one of these texts: in small letters, in capitals, or with capitals at the beginning of the first word or of all.
    #[must_use]
    pub fn rows_that_say(&self, column: usize, texts: &[&str]) -> Vec<usize> {
        let Some(cells) = self.columns.get(column) else { return Vec::new() };
        let spellings = texts.iter().flat_map(|text| {
            let mut letters = text.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            let titled = text.split(' ').map(|word| {
                let mut letters = word.chars();
                letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
            });
            let titled = titled.collect::<Vec<String>>().join(" ");
            [(*text).to_owned(), text.to_uppercase(), format!("{first}{}", letters.as_str()), titled]
        });
        let wanted: HashSet<u64> = spellings.map(|text| hash_of(&text)).collect();
        cells.hashes.iter().enumerate().filter(|(_, hash)| wanted.contains(hash)).map(|(row, _)| row).collect()
    }

    /// Of some rows, the mean share of columns without a value.
    #[must_use]
    pub fn share_of_blanks(&self, rows: &[usize]) -> f64 {
        let blank =
            |row: usize| self.columns.iter().filter(|c| c.hashes.get(row).is_none_or(|hash| *hash == 0)).count();
        let cells = rows.len() * self.columns.len();
        rows.iter().map(|row| blank(*row)).sum::<usize>() as f64 / cells.max(1) as f64
    }

    /// Share of some rows whose time is after the first of all rows that have the same value in `key`.
    #[must_use]
    pub fn share_after_first(&self, key: usize, time: usize, rows: &[usize]) -> f64 {
        let (Some(keys), Some(times)) = (self.columns.get(key), self.columns.get(time)) else { return 0.0 };
        let dated = keys.hashes.iter().zip(&times.micros).filter_map(|(key, at)| Some((*key, (*at)?)));
        let mut first: HashMap<u64, i64> = HashMap::new();
        for (key, at) in dated {
            first.entry(key).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        let is_later = |row: &usize| {
            let at = times.micros.get(*row).copied().flatten();
            at.zip(keys.hashes.get(*row).and_then(|key| first.get(key))).is_some_and(|(at, first)| at > *first)
        };
        rows.iter().filter(|row| is_later(row)).count() as f64 / rows.len().max(1) as f64
    }

    /// Share of some rows that have a value, by word of another column with few.
    #[must_use]
    pub fn filled_by_word(&self, column: usize, other: usize, counts: impl Fn(usize) -> bool) -> BTreeMap<String, f64> {
        let (Some(words), Some(others)) = (self.columns.get(column), self.columns.get(other)) else {
            return BTreeMap::new();
        };
        let share = |hash: u64| {
            let rows = words.hashes.iter().enumerate().filter(|(row, h)| **h == hash && counts(*row));
            let (mut all, mut filled) = (0_usize, 0_usize);
            for (row, _) in rows {
                all += 1;
                filled += usize::from(others.hashes.get(row).is_some_and(|h| *h != 0));
            }
            (all > 0).then(|| filled as f64 / all as f64)
        };
        words.words.keys().filter_map(|word| Some((word.clone(), share(hash_of(word))?))).collect()
    }

    /// Share of some rows, by word of another column with few.
    #[must_use]
    pub fn share_by_word(&self, column: usize, is_one: &[bool]) -> BTreeMap<String, f64> {
        let Some(words) = self.columns.get(column) else { return BTreeMap::new() };
        let share = |word: &str| {
            let hash = hash_of(word);
            let rows = || words.hashes.iter().zip(is_one).filter(|(own, _)| **own == hash);
            (rows().count() > 0).then(|| rows().filter(|(_, is_one)| **is_one).count() as f64 / rows().count() as f64)
        };
        words.words.keys().filter_map(|word| Some((word.clone(), share(word)?))).collect()
    }

    /// Share of rows in which one time is not after another, among those that have both.
    #[must_use]
    pub fn not_after(&self, column: usize, other: usize) -> Option<f64> {
        let (first, second) = (self.columns.get(column)?, self.columns.get(other)?);
        let both = || first.micros.iter().zip(&second.micros).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let rows = both().count();
        (rows > 0).then(|| both().filter(|(a, b)| a <= b).count() as f64 / rows as f64)
    }

    /// Whether two times of a row fall on one day, in all rows that have one of them but a few.
    #[must_use]
    pub fn are_of_one_day(&self, column: usize, other: usize) -> bool {
        const FEW: f64 = 0.001;
        let (Some(first), Some(second)) = (self.columns.get(column), self.columns.get(other)) else { return false };
        let has = |column: &RawColumn, row: usize| column.micros.get(row).is_some_and(Option::is_some);
        let dated = || (0..self.rows).filter(|row| has(first, *row) || has(second, *row));
        let others = dated().filter(|row| !first.says_the_same(*row, second, *row)).count();
        dated().next().is_some() && others as f64 <= FEW * dated().count() as f64
    }
}

/// Columns that some headers lack, under every name that they go by.
fn not_in_all(columns: &[RawColumn], headers: &[Vec<String>]) -> Vec<String> {
    let is_in = |header: &Vec<String>, column: &RawColumn| {
        header.contains(&column.name) || column.origin.also_called.iter().any(|name| header.contains(name))
    };
    let is_known = |column: &&RawColumn| headers.iter().any(|header| is_in(header, column));
    let lacking = columns.iter().filter(is_known).filter(|column| !headers.iter().all(|header| is_in(header, column)));
    lacking.map(|column| column.name.clone()).collect()
}

/// Columns that later files call otherwise, each with its name before: they stand between the same others, no file has both, and their cells are alike.
fn renamed(
    frame: &DataFrame,
    headers: &[Vec<String>],
    digits: &impl Fn(&str) -> Digits,
) -> PolarsResult<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (at, older) in headers.iter().enumerate() {
        for newer in headers.iter().skip(at + 1) {
            for (new, old) in renamed_columns(older, newer) {
                let has_both = headers.iter().any(|header| header.contains(&new) && header.contains(&old));
                let is_taken = found.iter().any(|(a, b)| [a, b].contains(&&old) || *b == new);
                if has_both || is_taken {
                    continue;
                }
                let profile = |name: &str| -> PolarsResult<RawColumn> {
                    let cells = frame.column(name)?.as_materialized_series().drop_nulls();
                    RawColumn::profile(name, &cells, false, digits(name))
                };
                if profile(&new)?.is_written_like(&profile(&old)?) {
                    found.push((new, old));
                }
            }
        }
    }
    Ok(found)
}

/// Columns of which each header has one alone between two that both have: the newer name and the older.
fn renamed_columns(older: &[String], newer: &[String]) -> Vec<(String, String)> {
    let news = alone(newer, older);
    let olds = alone(older, newer);
    let old_of = |(_, place): &Alone| olds.iter().find(|(_, its)| its == place).map(|(old, _)| (*old).to_owned());
    news.iter().filter_map(|new| Some((new.0.to_owned(), old_of(new)?))).collect()
}

/// A column and those beside it.
type Alone<'a> = (&'a str, [Option<&'a str>; 2]);

/// Columns that another header does not have, between two that it has.
fn alone<'a>(own: &'a [String], other: &[String]) -> Vec<Alone<'a>> {
    let is_common = |name: &&String| other.contains(name);
    let apart = own.iter().enumerate().filter(|(_, name)| !is_common(name));
    let placed = apart.filter_map(|(at, name)| {
        let beside = [at.checked_sub(1).and_then(|before| own.get(before)), own.get(at + 1)];
        let are_common = beside.iter().flatten().all(is_common);
        are_common.then(|| (name.as_str(), beside.map(|name| name.map(String::as_str))))
    });
    placed.collect()
}

/// The rows with each renamed column under its newer name.
fn as_one_column(frame: &DataFrame, renamed: &[(String, String)]) -> PolarsResult<DataFrame> {
    if renamed.is_empty() {
        return Ok(frame.clone());
    }
    let names: BTreeSet<&str> = renamed.iter().map(|(new, _)| new.as_str()).collect();
    let together = names.into_iter().map(|new| {
        let olds = renamed.iter().filter(|(name, _)| name == new).map(|(_, old)| col(old.as_str()));
        coalesce(&std::iter::once(col(new)).chain(olds).collect::<Vec<_>>()).alias(new)
    });
    let rows = frame.clone().lazy().with_columns(together.collect::<Vec<_>>()).collect()?;
    Ok(rows.drop_many(renamed.iter().map(|(_, old)| old.as_str())))
}

/// Rows that a file before has, word for word.
fn rows_sent_again(columns: &[RawColumn], files: &[Option<u32>]) -> usize {
    let mut first: HashMap<Vec<u64>, Option<u32>> = HashMap::new();
    let mut again = 0;
    for (row, file) in files.iter().enumerate() {
        let cells: Vec<u64> = columns.iter().filter_map(|column| column.hashes.get(row).copied()).collect();
        again += usize::from(*first.entry(cells).or_insert(*file) != *file);
    }
    again
}

/// A time put together of a year, a month and a day in columns side by side, and of a time of day beside them.
fn date_of_parts(columns: &[RawColumn], frame: &DataFrame) -> PolarsResult<Option<RawColumn>> {
    let is_whole = |column: &RawColumn, low: f64, high: f64| {
        column.kind == ValueKind::Whole
            && column.nulls == 0
            && column.numbers.range.0 >= low
            && column.numbers.range.1 <= high
    };
    let is_year = |column: &RawColumn| is_whole(column, 1970.0, 2100.0);
    let is_month = |column: &RawColumn| is_whole(column, 1.0, 12.0) && column.distinct > 1;
    let is_day = |column: &RawColumn| is_whole(column, 1.0, 31.0) && column.numbers.range.1 > 12.0;
    let three = columns.windows(3).enumerate().find_map(|(at, three)| {
        let [first, month, last] = three else { return None };
        match is_month(month) {
            true if is_year(first) && is_day(last) => Some((at + 3, [first, month, last])),
            true if is_day(first) && is_year(last) => Some((at + 3, [last, month, first])),
            _ => None,
        }
    });
    let Some((after, date)) = three else { return Ok(None) };
    let time = columns.get(after).filter(|column| column.nulls == 0 && are_times_of_day(column));
    let parts: Vec<&RawColumn> = date.into_iter().chain(time).collect();
    let mut texts: Vec<&StringChunked> = Vec::new();
    for part in &parts {
        texts.push(frame.column(&part.name)?.str()?);
    }
    let joined: StringChunked = (0..frame.height())
        .map(|row| {
            let cells: Vec<&str> = texts.iter().filter_map(|text| text.get(row)).collect();
            let (date, time) = cells.split_at_checked(3)?;
            Some([date.join("-"), time.concat()].join(" ").trim_end().to_owned())
        })
        .collect();
    let is_taken = columns.iter().any(|column| column.name.eq_ignore_ascii_case("date"));
    let name = if is_taken { "made date" } else { "date" };
    let mut made = RawColumn::profile(name, &joined.into_series(), false, Digits::AreNumbers)?;
    made.origin.made_of = parts.iter().map(|part| part.name.clone()).collect();
    Ok(made.is_time().then_some(made))
}

/// Whether cells are times of day and nothing else: `9:05`, `09:05:30`, `09:05 PM`.
fn are_times_of_day(column: &RawColumn) -> bool {
    let is_one = |cell: &str| {
        let english = with_english_half(cell);
        let plain = english.as_deref().unwrap_or(cell).trim().to_uppercase();
        let plain = plain.strip_suffix("AM").or_else(|| plain.strip_suffix("PM")).unwrap_or(&plain).trim_end();
        let parts: Vec<&str> = plain.split(':').collect();
        let is_part = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        (2..=3).contains(&parts.len()) && parts.iter().all(is_part)
    };
    column.nulls < column.rows() && column.share_of_seen(is_one) >= 1.0
}

/// Reads days and the times of day that stand in a column beside them as one. The day of a time of day is the column before it, or the one after, or the only one.
fn join_times_of_day(
    columns: &mut [RawColumn],
    frame: &DataFrame,
    digits: &impl Fn(&str) -> Digits,
) -> PolarsResult<()> {
    let is_day = |column: &RawColumn| {
        let is_date = matches!(column.kind, ValueKind::Time { is_date: true, .. });
        is_date && !column.is_list && column.origin.also_called.is_empty() && column.origin.time_of_day.is_none()
    };
    for at in 0..columns.len() {
        let Some(time) = columns.get(at).filter(|column| {
            digits(&column.name) == Digits::AreTimes && column.origin.also_called.is_empty() && are_times_of_day(column)
        }) else {
            continue;
        };
        let is_day_at = |at: usize| columns.get(at).is_some_and(is_day);
        let only = || {
            let mut days = (0..columns.len()).filter(|at| is_day_at(*at));
            days.next().filter(|_| days.next().is_none())
        };
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().find(|at| is_day_at(*at));
        let Some(day) = beside.or_else(only).and_then(|day| columns.get(day).map(|column| (day, column))) else {
            continue;
        };
        let (days, times) = (frame.column(&day.1.name)?.str()?, frame.column(&time.name)?.str()?);
        let joined: StringChunked = days
            .iter()
            .zip(times.iter())
            .map(|(day, time)| {
                let time = time.map(str::trim).filter(|time| !time.is_empty());
                day.map(|day| time.map_or_else(|| day.to_owned(), |time| format!("{day} {time}")))
            })
            .collect();
        let mut made = RawColumn::profile(&day.1.name, &joined.into_series(), false, Digits::AreTimes)?;
        let reads_all = |column: &RawColumn| column.micros.iter().flatten().count();
        if made.is_time() && reads_all(&made) >= reads_all(day.1) {
            made.origin.time_of_day = Some(time.name.clone());
            if let Some(column) = columns.get_mut(day.0) {
                *column = made;
            }
        }
    }
    Ok(())
}

/// Notes columns of whole numbers that say what another says with decimals, a hundred times: `amount_total` 1999 beside `price` 19.99.
fn note_hundredfolds(columns: &mut [RawColumn]) {
    const LEAST: usize = 20;
    let is_flat = |column: &&RawColumn| !column.is_list && column.distinct >= LEAST;
    let with_decimals = columns.iter().filter(is_flat).filter(|c| (1..=2).contains(&c.numbers.decimals));
    let main: Vec<(String, Vec<Option<f64>>)> =
        with_decimals.map(|c| (c.name.clone(), c.numbers.sample.clone())).collect();
    for column in columns.iter_mut().filter(|c| c.kind == ValueKind::Whole && !c.is_list && c.distinct >= LEAST) {
        let own = &column.numbers.sample;
        let is_hundredfold = |other: &&(String, Vec<Option<f64>>)| {
            let both = own
                .iter()
                .zip(&other.1)
                .filter_map(|(a, b)| Some(((*a)?, (*b)?)))
                .filter(|(a, b)| *a != 0.0 || *b != 0.0);
            let (mut all, mut alike) = (0_usize, 0_usize);
            for (own, other) in both {
                all += 1;
                alike += usize::from((own - other * 100.0).abs() < 0.5);
            }
            all >= LEAST && alike as f64 >= 0.95 * all as f64
        };
        column.numbers.hundredfold_of = main.iter().find(is_hundredfold).map(|(name, _)| name.clone());
    }
}
