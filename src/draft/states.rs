//! What the words of an order's state say, and what the rows themselves show of words that nobody here knows.

use std::collections::BTreeSet;

use super::landscape::Landscape;
use super::words::{self, Stage, listed};
use crate::domain::MICROS_PER_DAY;
use crate::profile::ColumnAt;

/// With so many of the orders, words that are not known decide what credit believes of a merchant (project judgement).
const NOTICEABLE: f64 = 0.02;
/// Of a word's orders so many arrived, or so few.
const NEARLY_ALL: f64 = 0.9;
const NEARLY_NONE: f64 = 0.1;
/// Orders younger than this may still be on their way.
const OPEN_DAYS: i64 = 60;

/// The words of a column of states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States<'a> {
    /// Words that say that an order reached its end.
    pub done: Vec<&'a str>,
    /// The one of them that is known by the times beside it alone.
    pub known_by_time: Option<&'a str>,
    /// Words of an earlier step, where none says that an order arrived.
    pub stands_in: Vec<&'a str>,
    /// Words that are not known and of young orders alone: they are taken for open.
    pub open: Vec<&'a str>,
    /// Words that are not known, with how many rows have each.
    pub unknown: Vec<(&'a str, usize)>,
    /// Words that say that something went back, with how many rows have each: whether those orders were completed before, nothing says.
    pub went_back: Vec<(&'a str, usize)>,
    /// Words that say that it is over, where others say that it arrived, with how many rows have each.
    pub over: Vec<(&'a str, usize)>,
    /// Whether orders are in states before the end, and no word says which they reach.
    pub lacks_end: bool,
    rows: usize,
}

impl<'a> States<'a> {
    /// What the words of a column say. `arrived`: a time of the same rows that says when an order arrived; `placed`: when it was placed.
    pub(super) fn of(land: &'a Landscape, at: ColumnAt, arrived: Option<ColumnAt>, placed: Option<ColumnAt>) -> Self {
        let (raw, cells) = (land.table(at.table), land.column(at));
        let of = |stage: Option<Stage>| -> Vec<&'a str> {
            cells.words.keys().map(String::as_str).filter(|word| words::stage(word) == stage).collect()
        };
        let filled = arrived.map(|time| raw.filled_by_word(at.column, time.column, |_| true)).unwrap_or_default();
        let is_filled = |word: &str| filled.get(word).is_some_and(|share| *share >= NEARLY_ALL);
        let ended = of(Some(Stage::Over));
        let (over, paid) = ([Stage::Arrived, Stage::Over].map(|stage| of(Some(stage))), of(Some(Stage::Paid)));
        let mut done = over.into_iter().find(|words| !words.is_empty()).unwrap_or_default();
        let mut unknown = of(None);
        let rows_with = |word: &&'a str| cells.words.get(*word).copied().unwrap_or_default();
        let mut known_by_time = None;
        if done.is_empty() {
            // Where nearly every order of a word has arrived, and of another word hardly any, it is the word of the end.
            let tells = filled.values().any(|share| *share <= NEARLY_NONE);
            let arrived = unknown.iter().chain(&paid).copied().filter(|word| tells && is_filled(word));
            known_by_time = arrived.max_by_key(rows_with);
            done.extend(known_by_time);
            unknown.retain(|word| Some(*word) != known_by_time);
        }
        let recent = placed.map(|placed| recent_by_word(land, at, placed)).unwrap_or_default();
        let is_open = |word: &str| {
            let never_arrives = filled.get(word).is_some_and(|share| *share <= NEARLY_NONE);
            never_arrives && recent.get(word).is_some_and(|share| *share >= NEARLY_ALL)
        };
        let (open, unknown): (Vec<&str>, Vec<&str>) = unknown.into_iter().partition(|word| is_open(word));
        let went_back: Vec<(&str, usize)> = of(Some(Stage::OnItsWay))
            .into_iter()
            .filter(|word| words::went_back(word))
            .map(|word| (word, rows_with(&word)))
            .collect();
        let over = ended.into_iter().filter(|word| !done.contains(word)).map(|word| (word, rows_with(&word))).collect();
        let is_under_way = !of(Some(Stage::OnItsWay)).is_empty();
        // Where every word is known and none says more, the last step that is told of is the end.
        let last =
            [Stage::SentOff, Stage::Paid].map(|stage| of(Some(stage))).into_iter().find(|words| !words.is_empty());
        let mut stands_in = Vec::new();
        if let Some(last) = last.filter(|_| done.is_empty() && unknown.is_empty()) {
            stands_in.clone_from(&last);
            done = last;
        }
        let lacks_end = done.is_empty() && (is_under_way || !unknown.is_empty());
        let unknown = unknown.into_iter().map(|word| (word, rows_with(&word))).collect();
        Self { done, known_by_time, stands_in, open, unknown, went_back, over, lacks_end, rows: cells.rows() }
    }

    /// Leaves aside words of which the rows say what they mean.
    pub(super) fn forget(&mut self, known: &BTreeSet<&str>) {
        self.unknown.retain(|(word, _)| !known.contains(word));
    }

    fn share(&self, rows: usize) -> f64 {
        rows as f64 / self.rows.max(1) as f64
    }

    /// Whether words that are not known hold so many of the rows that nothing may be guessed.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.share(self.unknown.iter().map(|(_, rows)| rows).sum()) >= NOTICEABLE
    }

    /// The words that are not known, each with its share.
    pub(super) fn unknown_words(&self) -> String {
        self.with_shares(&self.unknown)
    }

    fn with_shares(&self, words: &[(&str, usize)]) -> String {
        let mut words: Vec<_> = words.iter().collect();
        words.sort_by_key(|(word, rows)| (std::cmp::Reverse(*rows), *word));
        let told = |(word, rows): &&(&str, usize)| format!("{} ({:.1} %)", listed(&[word]), 100.0 * self.share(*rows));
        words.iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// What a person should know of words of what went back.
    pub(super) fn note_of_returns(&self) -> Option<String> {
        (!self.went_back.is_empty()).then(|| {
            format!(
                "went back, taken as neither completed nor cancelled: {}; where such orders were delivered first, add them",
                self.with_shares(&self.went_back)
            )
        })
    }

    /// What a person should know of words that were guessed or left aside.
    pub(super) fn note(&self) -> Option<String> {
        let by_time = self.known_by_time.map(|word| {
            format!("{} is taken for the word of its end: nearly all of its orders have arrived", listed(&[word]))
        });
        let unknown = (!self.unknown.is_empty())
            .then(|| format!("not known, taken as neither completed nor cancelled: {}", self.unknown_words()));
        let stands_in = (!self.stands_in.is_empty())
            .then(|| format!("{} is the last step that is told of", listed(&self.stands_in)));
        let open = (!self.open.is_empty())
            .then(|| format!("not known, and of young orders alone, taken for open: {}", listed(&self.open)));
        let over = (!self.over.is_empty()).then(|| {
            format!(
                "of another end, taken as not completed: {}; add them where they were",
                self.with_shares(&self.over)
            )
        });
        let notes: Vec<String> = by_time
            .into_iter()
            .chain(over)
            .chain(stands_in)
            .chain(open)
            .chain(unknown)
            .chain(self.note_of_returns())
            .collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// Of each word's orders, the share that are young.
fn recent_by_word(land: &Landscape, at: ColumnAt, placed: ColumnAt) -> std::collections::BTreeMap<String, f64> {
    let placed_at = &land.column(placed).micros;
    let newest = placed_at.iter().flatten().max().copied().unwrap_or_default();
    let since = newest.saturating_sub(OPEN_DAYS * MICROS_PER_DAY);
    let is_young: Vec<bool> = placed_at.iter().map(|at| at.is_some_and(|at| at >= since)).collect();
    land.table(at.table).share_by_word(at.column, &is_young)
}
