//! The bin of each value of a column.

use std::collections::{BTreeMap, HashMap};

use super::bins::{BinKind, Bins};
use super::places::{Places, byte};
use crate::model::ModelError;
use crate::model::table::{Column, MISSING_LEVEL, Values, number_as_text};

impl Bins {
    /// The bin of every value of a column. A text model column read as numbers is compared as text; numbers must be numbers.
    ///
    /// # Errors
    /// Text where the model needs numbers, or an infinite value that is not a special one.
    pub fn assign(&self, column: &Column) -> Result<Vec<u8>, ModelError> {
        Assigner::new(self).assign(column)
    }
}

/// What finding bins needs beside the bins, prepared once for many blocks of rows.
#[derive(Debug)]
pub struct Assigner<'a> {
    bins: &'a Bins,
    finder: Finder<'a>,
}

#[derive(Debug)]
enum Finder<'a> {
    Number(Places<'a>),
    Text { bin_of: HashMap<String, u8>, unseen: u8 },
}

impl<'a> Assigner<'a> {
    /// Prepares for columns of any length.
    #[must_use]
    pub fn new(bins: &'a Bins) -> Self {
        let finder = match &bins.kind {
            BinKind::Number { edges } => {
                let specials = bins.specials.iter().map(|(s, bin)| (*s, byte(*bin))).collect();
                Finder::Number(Places::new(edges, specials, byte(bins.missing)))
            }
            BinKind::Text { levels, unseen } => {
                let mut bin_of: HashMap<String, u8> = HashMap::new();
                for (bin, names) in levels.iter().enumerate() {
                    bin_of.extend(names.iter().map(|n| (n.clone(), byte(bin))));
                }
                bin_of.extend(bins.specials.iter().map(|(s, bin)| (number_as_text(*s), byte(*bin))));
                Finder::Text { bin_of, unseen: byte(*unseen) }
            }
        };
        Self { bins, finder }
    }

    /// As [`Bins::assign`].
    ///
    /// # Errors
    /// As [`Bins::assign`].
    pub fn assign(&self, column: &Column) -> Result<Vec<u8>, ModelError> {
        let missing = byte(self.bins.missing);
        match (&self.finder, &column.values) {
            (Finder::Number(places), Values::Number(values)) => {
                let mut codes = Vec::with_capacity(values.len());
                if places.codes(values, &mut codes)
                    && let Some(row) = values.iter().position(|v| v.is_infinite() && !places.is_special(*v))
                {
                    return Err(ModelError::Infinite { column: self.bins.name.clone(), row: row + 1 });
                }
                Ok(codes)
            }
            (Finder::Number(_), Values::Text(text)) => {
                // A column without a single value has no kind of its own.
                if let Some(row) = text.codes.iter().position(|c| *c != MISSING_LEVEL) {
                    return Err(ModelError::WrongKind {
                        column: self.bins.name.clone(),
                        expected: "a number",
                        found: text.get(row).unwrap_or_default().to_owned(),
                        row: row + 1,
                    });
                }
                Ok(vec![missing; text.codes.len()])
            }
            (Finder::Text { bin_of, unseen }, Values::Text(text)) => {
                let find = |level: &String| bin_of.get(level).copied().unwrap_or(*unseen);
                let of_level: Vec<u8> = text.levels.iter().map(find).collect();
                Ok(text.codes.iter().map(|&c| of_level.get(c as usize).copied().unwrap_or(missing)).collect())
            }
            (Finder::Text { bin_of, unseen }, Values::Number(numbers)) => {
                let find = |v: f64| bin_of.get(&number_as_text(v)).copied().unwrap_or(*unseen);
                Ok(numbers.iter().map(|&v| if v.is_nan() { missing } else { find(v) }).collect())
            }
        }
    }
}

/// Levels of one column that training never saw, with the rows that hold them.
pub type UnseenLevels = BTreeMap<String, u64>;

impl Assigner<'_> {
    /// The values of a column that the model knows nothing of, and how often each occurs.
    #[must_use]
    pub fn unseen(&self, column: &Column) -> UnseenLevels {
        let Finder::Text { bin_of, .. } = &self.finder else { return UnseenLevels::new() };
        let mut found = UnseenLevels::new();
        match &column.values {
            Values::Text(text) => {
                let new: Vec<bool> = text.levels.iter().map(|level| !bin_of.contains_key(level)).collect();
                if new.iter().any(|n| *n) {
                    let mut rows = vec![0_u64; new.len()];
                    for &code in &text.codes {
                        if let Some(count) = rows.get_mut(code as usize) {
                            *count += 1;
                        }
                    }
                    let counted = text.levels.iter().zip(rows).zip(new).filter(|((_, rows), new)| *new && *rows > 0);
                    found.extend(counted.map(|((level, rows), _)| (level.clone(), rows)));
                }
            }
            Values::Number(numbers) => {
                for level in numbers.iter().filter(|v| !v.is_nan()).map(|v| number_as_text(*v)) {
                    if !bin_of.contains_key(&level) {
                        *found.entry(level).or_default() += 1;
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::binning::Trend;
    use crate::model::table::same_number;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(f64::NAN),
            Just(f64::MIN_POSITIVE),
            Just(f64::MAX),
            (-5_i32..5).prop_map(f64::from),
            (17_000_i32..19_000).prop_map(f64::from),
            -2.0..2.0,
            prop::num::f64::NORMAL,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_agree_with_comparing(
            edges in prop::collection::vec(number(), 0..12),
            specials in prop::collection::vec(number(), 0..3),
            values in prop::collection::vec(number(), 0..200),
        ) {
            let mut edges: Vec<f64> = edges.into_iter().filter(|v| !v.is_nan()).collect();
            edges.sort_unstable_by(f64::total_cmp);
            edges.dedup();
            let regular = edges.len() + 1;
            let specials: Vec<(f64, usize)> =
                specials.into_iter().filter(|v| !v.is_nan()).enumerate().map(|(i, v)| (v, regular + i)).collect();
            let missing = regular + specials.len();
            let near = edges.iter().flat_map(|e| [*e, e.next_up(), e.next_down()]);
            let values: Vec<f64> = values.into_iter().chain(near).filter(|v| !v.is_infinite()).collect();
            let kind = BinKind::Number { edges: edges.clone() };
            let bins = Bins { name: "x".to_owned(), kind, specials: specials.clone(), missing, trend: Trend::None, iv: 0.0, bins: vec![] };
            let twin = |v: &f64| {
                if v.is_nan() {
                    missing
                } else {
                    let special = specials.iter().find(|(s, _)| same_number(*s, *v)).map(|(_, bin)| *bin);
                    special.unwrap_or_else(|| edges.iter().filter(|e| **e < *v).count())
                }
            };
            let expected: Vec<u8> = values.iter().map(|v| byte(twin(v))).collect();
            let column = Column { name: "x".to_owned(), values: Values::Number(values) };
            prop_assert_eq!(&bins.assign(&column).unwrap(), &expected);
        }
    }
}
