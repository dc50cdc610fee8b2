//! Which rows train and which test: by time, or at random with equal shares of each outcome.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::domain::date_of_days;
use crate::model::ModelError;

/// How rows are set aside for testing.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Split {
    /// All rows train; the report's figures come from cross-validation.
    #[default]
    None,
    /// A share of each outcome's rows, drawn with a seed.
    Random {
        /// Share of rows that test, between 0 and 1.
        test_share: f64,
        /// Seed of the draw.
        seed: u64,
    },
    /// Rows at or after an instant test.
    OutOfTime {
        /// Column of dates.
        column: String,
        /// First day of the test part, in days since 1970-01-01.
        test_from: f64,
    },
}

/// One flag a row: `true` tests. `times` is needed for [`Split::OutOfTime`] only.
///
/// # Errors
/// A share outside (0, 1), missing times, or a part left empty or with one outcome only.
pub fn assign_split(split: &Split, target: &[bool], times: Option<&[f64]>) -> Result<Vec<bool>, ModelError> {
    let test = match split {
        Split::None => return Ok(vec![false; target.len()]),
        Split::Random { test_share, seed } => {
            if !(*test_share > 0.0 && *test_share < 1.0) {
                return Err(ModelError::BadSetting {
                    setting: "test-share",
                    why: format!("{test_share} is not between 0 and 1"),
                });
            }
            stratified(target, *test_share, *seed)
        }
        Split::OutOfTime { column, test_from } => {
            let times = times.ok_or_else(|| ModelError::BadSetting {
                setting: "time",
                why: format!("column {column:?} holds no dates"),
            })?;
            if let Some(row) = times.iter().position(|t| t.is_nan()) {
                return Err(ModelError::CannotTrain {
                    why: format!(
                        "row {} has no date in {column:?}: it can be put neither in train nor in test",
                        row + 1
                    ),
                });
            }
            times.iter().map(|t| t >= test_from).collect()
        }
    };
    for (part, name) in [(false, "train"), (true, "test")] {
        let bad = target.iter().zip(&test).filter(|(y, t)| **t == part && **y).count();
        let all = test.iter().filter(|t| **t == part).count();
        if bad == 0 || bad == all {
            return Err(ModelError::CannotTrain {
                why: format!(
                    "the {name} part has {all} rows with {bad} bad ones: both outcomes are needed in it{}",
                    days_of(split, times)
                ),
            });
        }
    }
    Ok(test)
}

/// From when to when the dates lie by which rows are parted; nothing for other splits.
fn days_of(split: &Split, times: Option<&[f64]>) -> String {
    let (Split::OutOfTime { column, .. }, Some(times)) = (split, times) else { return String::new() };
    #[expect(clippy::cast_possible_truncation, reason = "days of the calendar")]
    let day = |time: Option<f64>| time.and_then(|time| date_of_days(time.floor() as i64));
    let first = day(times.iter().copied().min_by(f64::total_cmp));
    let last = day(times.iter().copied().max_by(f64::total_cmp));
    first.zip(last).map_or_else(String::new, |(first, last)| format!("; {column:?} runs from {first} to {last}"))
}

fn stratified(target: &[bool], share: f64, seed: u64) -> Vec<bool> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut test = vec![false; target.len()];
    for outcome in [false, true] {
        let mut rows: Vec<usize> = (0..target.len()).filter(|&i| target.get(i) == Some(&outcome)).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a length")]
        let take = (rows.len() as f64 * share).round() as usize;
        // Fisher–Yates, as far as needed.
        for i in 0..take.min(rows.len()) {
            let j = rng.random_range(i..rows.len());
            rows.swap(i, j);
        }
        for &row in rows.iter().take(take) {
            if let Some(flag) = test.get_mut(row) {
                *flag = true;
            }
        }
    }
    test
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_rows_says_from_when_to_when_there_are_any() {
        let split = Split::OutOfTime { column: "issued".to_owned(), test_from: 20_000.0 };
        let told = assign_split(&split, &[true, false], Some(&[17_000.0, 17_030.0])).unwrap_err().to_string();
        assert!(told.contains("the test part has 0 rows"), "{told}");
        assert!(told.contains("\"issued\" runs from 2016-07-18 to 2016-08-17"), "{told}");
    }
}
