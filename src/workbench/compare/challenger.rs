//! A forest to measure a scorecard against: how much does its simplicity cost on these rows?
//!
//! For comparison only. It is never stored, never published, and cannot be chosen as a model: it has no points, no reasons and no signs that anyone could check.
//!
//! Columns are turned into small whole numbers first (ranks of up to 255 quantile bins; categories in the order of their smoothed bad rate at training; missing
//! as −1), so that no scale, infinity or missing value reaches the trees. Rows are sorted before growing and each group of trees has its own seed, so the predictions
//! depend neither on the order of rows nor on threads.
//!
//! The trees are smartcore's regression trees on the 0/1 outcome: a forest's mean of leaf bad rates is a PD. linfa's trees vote by the commonest class of a leaf, prune
//! away all leaves that vote alike (where bads are rare, all of them), and break ties at random.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::error::CompareError;
use crate::model::validation::ValidationError;

/// A column of a table, as it comes: null where the value is missing.
#[derive(Debug, Clone, PartialEq)]
pub enum ChallengerColumn {
    /// Numbers.
    Numeric(Vec<Option<f64>>),
    /// Levels.
    Category(Vec<Option<String>>),
}

impl ChallengerColumn {
    fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Category(values) => values.len(),
        }
    }
}

/// How the forest is grown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChallengerSettings {
    /// Trees, 8 to 2000; rounded up to a multiple of 8.
    pub trees: usize,
    /// Least rows of a leaf, at least 1.
    pub leaf_rows: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for ChallengerSettings {
    fn default() -> Self {
        Self { trees: 104, leaf_rows: 10, seed: 1 }
    }
}

/// How one column becomes ranks.
#[derive(Debug, Clone, PartialEq)]
enum Coding {
    Numeric(Vec<f64>),
    Category(BTreeMap<String, u16>),
}

type Forest = RandomForestRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

/// A grown forest.
pub struct Challenger {
    names: Vec<String>,
    codings: Vec<Coding>,
    forests: Vec<Forest>,
}

/// Groups of trees: the unit of parallelism, fixed so that threads do not matter.
const GROUPS: usize = 8;
const MOST_CODES: usize = 255;

/// Grows a challenger from named columns and outcomes of one table.
///
/// # Errors
/// No columns, columns of other lengths, values that are not finite, a single outcome class, settings out of range.
pub fn grow_challenger(
    columns: &[(String, ChallengerColumn)],
    is_bad: &[bool],
    settings: &ChallengerSettings,
) -> Result<Challenger, CompareError> {
    check(columns, is_bad, settings)?;
    let codings: Vec<Coding> = columns.iter().map(|(_, column)| coding(column, is_bad)).collect();
    let coded: Vec<Vec<f64>> = columns
        .iter()
        .zip(&codings)
        .map(|((name, column), coding)| encode(name, column, coding))
        .collect::<Result<_, _>>()?;
    let mut rows: Vec<(Vec<f64>, bool)> =
        transpose(&coded, is_bad.len()).into_iter().zip(is_bad.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| {
        let by_codes = a.0.iter().zip(&b.0).map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne());
        by_codes.unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.1.cmp(&b.1))
    });
    let (features, outcomes): (Vec<Vec<f64>>, Vec<f64>) =
        rows.into_iter().map(|(codes, bad)| (codes, f64::from(u8::from(bad)))).unzip();
    let features = matrix(&features)?;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the root of a number of columns")]
    let tried = ((columns.len() as f64).sqrt().round() as usize).clamp(1, columns.len());
    let forests: Vec<Forest> = (0..GROUPS as u64)
        .into_par_iter()
        .map(|group| {
            let parameters = RandomForestRegressorParameters {
                max_depth: None,
                min_samples_leaf: settings.leaf_rows,
                min_samples_split: 2 * settings.leaf_rows,
                n_trees: settings.trees.div_ceil(GROUPS),
                m: Some(tried),
                keep_samples: false,
                seed: settings.seed.wrapping_mul(GROUPS as u64).wrapping_add(group),
            };
            RandomForestRegressor::fit(&features, &outcomes, parameters).map_err(|e| refused(&e))
        })
        .collect::<Result<_, _>>()?;
    Ok(Challenger { names: columns.iter().map(|(name, _)| name.clone()).collect(), codings, forests })
}

impl Challenger {
    /// PDs of new rows, given the columns of the training in the same order.
    ///
    /// # Errors
    /// Columns that are missing, of another kind or of unequal lengths, values that are not finite.
    pub fn predict(&self, columns: &[(String, ChallengerColumn)]) -> Result<Vec<f64>, CompareError> {
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        if rows == 0 {
            return Err(ValidationError::Empty.into());
        }
        check_columns(columns, rows)?;
        let mut coded = Vec::with_capacity(self.codings.len());
        for (i, (name, coding)) in self.names.iter().zip(&self.codings).enumerate() {
            let found = columns.get(i).filter(|(found, _)| found == name);
            let Some((_, column)) = found else {
                let expected = "this column in this place";
                return Err(CompareError::ColumnMismatch { column: name.clone(), expected });
            };
            coded.push(encode(name, column, coding)?);
        }
        let features = matrix(&transpose(&coded, rows))?;
        let groups: Vec<Vec<f64>> = self
            .forests
            .par_iter()
            .map(|forest| forest.predict(&features).map_err(|e| refused(&e)))
            .collect::<Result<_, _>>()?;
        let mut pd = vec![0.0; rows];
        for group in &groups {
            for (sum, part) in pd.iter_mut().zip(group) {
                *sum += part / GROUPS as f64;
            }
        }
        for p in &mut pd {
            *p = p.clamp(0.0, 1.0);
        }
        Ok(pd)
    }
}

fn refused(error: &smartcore::error::Failed) -> CompareError {
    CompareError::Forest { reason: error.to_string() }
}

fn check(
    columns: &[(String, ChallengerColumn)],
    is_bad: &[bool],
    settings: &ChallengerSettings,
) -> Result<(), CompareError> {
    if columns.is_empty() {
        return Err(CompareError::NoColumns);
    }
    let bad = is_bad.iter().filter(|bad| **bad).count();
    if bad == 0 || bad == is_bad.len() {
        return Err(CompareError::SingleClass { rows: is_bad.len(), bad });
    }
    if !(8..=2000).contains(&settings.trees) {
        let value = settings.trees as f64;
        return Err(ValidationError::BadSetting { setting: "trees", value, allowed: "8 to 2000" }.into());
    }
    if settings.leaf_rows == 0 {
        return Err(ValidationError::BadSetting { setting: "leaf_rows", value: 0.0, allowed: "at least 1" }.into());
    }
    check_columns(columns, is_bad.len())
}

fn check_columns(columns: &[(String, ChallengerColumn)], rows: usize) -> Result<(), CompareError> {
    for (_, column) in columns {
        if column.len() != rows {
            let what = "a challenger's columns";
            return Err(ValidationError::LengthMismatch { what, expected: rows, found: column.len() }.into());
        }
        if let ChallengerColumn::Numeric(values) = column {
            let broken = values.iter().enumerate().find_map(|(row, v)| v.filter(|v| !v.is_finite()).map(|v| (row, v)));
            if let Some((row, value)) = broken {
                return Err(ValidationError::NotFinite { row, value }.into());
            }
        }
    }
    Ok(())
}

fn coding(column: &ChallengerColumn, is_bad: &[bool]) -> Coding {
    match column {
        ChallengerColumn::Numeric(values) => {
            let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let mut cuts: Vec<f64> =
                (1..MOST_CODES).filter_map(|i| sorted.get(i * sorted.len() / MOST_CODES).copied()).collect();
            cuts.dedup();
            Coding::Numeric(cuts)
        }
        ChallengerColumn::Category(values) => {
            let total = is_bad.len() as f64;
            let base = is_bad.iter().filter(|bad| **bad).count() as f64 / total;
            let mut levels: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
            for (value, bad) in values.iter().zip(is_bad) {
                if let Some(value) = value {
                    let (rows, bads) = levels.entry(value).or_default();
                    *rows += 1.0;
                    *bads += f64::from(u8::from(*bad));
                }
            }
            // Ten rows at the overall rate keep a rare level from claiming an end of the order.
            let mut ordered: Vec<(f64, &str)> =
                levels.into_iter().map(|(level, (rows, bads))| ((bads + 10.0 * base) / (rows + 10.0), level)).collect();
            ordered.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
            let ranks = ordered.into_iter().zip(0_u16..).map(|((_, level), rank)| (level.to_owned(), rank)).collect();
            Coding::Category(ranks)
        }
    }
}

/// Ranks of a column; missing values and levels never seen at training are −1.
fn encode(name: &str, column: &ChallengerColumn, coding: &Coding) -> Result<Vec<f64>, CompareError> {
    match (column, coding) {
        (ChallengerColumn::Numeric(values), Coding::Numeric(cuts)) => Ok(values
            .iter()
            .map(|value| value.map_or(-1.0, |value| cuts.partition_point(|cut| *cut <= value) as f64))
            .collect()),
        (ChallengerColumn::Category(values), Coding::Category(ranks)) => Ok(values
            .iter()
            .map(|value| value.as_ref().and_then(|v| ranks.get(v)).map_or(-1.0, |rank| f64::from(*rank)))
            .collect()),
        (_, Coding::Numeric(_)) => Err(CompareError::ColumnMismatch { column: name.to_owned(), expected: "numbers" }),
        (_, Coding::Category(_)) => Err(CompareError::ColumnMismatch { column: name.to_owned(), expected: "levels" }),
    }
}

fn transpose(columns: &[Vec<f64>], rows: usize) -> Vec<Vec<f64>> {
    (0..rows).map(|row| columns.iter().filter_map(|column| column.get(row).copied()).collect()).collect()
}

fn matrix(rows: &Vec<Vec<f64>>) -> Result<DenseMatrix<f64>, CompareError> {
    DenseMatrix::from_2d_vec(rows).map_err(|e| refused(&e))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::model::validation::{Ranked, auc};

    /// Two numbers that say nothing alone and everything together, a level, and noise with gaps.
    fn table(rows: usize, seed: u64) -> (Vec<(String, ChallengerColumn)>, Vec<bool>) {
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut a, mut b, mut c, mut noise, mut bad) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..rows {
            let (x, y): (f64, f64) = (rng.random(), rng.random());
            let level = rng.random_range(0..3_u8);
            let odds = if (x > 0.5) == (y > 0.5) { -3.0 } else { 0.5 };
            bad.push(
                rng.random::<f64>() < 1.0 / (1.0 + crate::domain::elementary::exp(-(odds + f64::from(level) * 0.3))),
            );
            // A scale at which some trees would not split.
            a.push(Some(x * 1e-7));
            b.push(Some(y));
            c.push(Some(format!("level {level}")));
            noise.push((rng.random::<f64>() > 0.2).then(|| rng.random::<f64>()));
        }
        let columns = vec![
            ("a".to_owned(), ChallengerColumn::Numeric(a)),
            ("b".to_owned(), ChallengerColumn::Numeric(b)),
            ("c".to_owned(), ChallengerColumn::Category(c)),
            ("noise".to_owned(), ChallengerColumn::Numeric(noise)),
        ];
        (columns, bad)
    }

    fn settings() -> ChallengerSettings {
        ChallengerSettings { trees: 24, ..ChallengerSettings::default() }
    }

    #[test]
    fn finds_what_no_single_column_shows_on_new_rows() {
        let (columns, bad) = table(1500, 1);
        let forest = grow_challenger(&columns, &bad, &settings()).unwrap();
        let (fresh, outcome) = table(800, 2);
        let pd = forest.predict(&fresh).unwrap();
        assert!(auc(Ranked::new(&outcome, &pd).unwrap().ties()).unwrap() > 0.75);
    }

    #[test]
    fn row_order_and_threads_change_no_bit() {
        let (columns, bad) = table(400, 3);
        let reversed: Vec<(String, ChallengerColumn)> = columns
            .iter()
            .map(|(name, column)| {
                let column = match column {
                    ChallengerColumn::Numeric(v) => ChallengerColumn::Numeric(v.iter().rev().copied().collect()),
                    ChallengerColumn::Category(v) => ChallengerColumn::Category(v.iter().rev().cloned().collect()),
                };
                (name.clone(), column)
            })
            .collect();
        let turned: Vec<bool> = bad.iter().rev().copied().collect();
        let pd = grow_challenger(&columns, &bad, &settings()).unwrap().predict(&columns).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again =
            pool.install(|| grow_challenger(&reversed, &turned, &settings()).unwrap().predict(&columns).unwrap());
        assert_eq!(pd, again);
    }

    #[test]
    fn unseen_and_missing_values_get_a_pd_and_wrong_columns_do_not() {
        let (columns, bad) = table(300, 4);
        let forest = grow_challenger(&columns, &bad, &settings()).unwrap();
        let mut odd = columns.clone();
        odd[0].1 = ChallengerColumn::Numeric(vec![None; 300]);
        odd[2].1 = ChallengerColumn::Category(vec![Some("never seen".into()); 300]);
        assert!(forest.predict(&odd).unwrap().iter().all(|p| (0.0..=1.0).contains(p)));
        odd.swap(0, 1);
        assert!(matches!(forest.predict(&odd), Err(CompareError::ColumnMismatch { .. })));
        let mut kind = columns.clone();
        kind[2].1 = ChallengerColumn::Numeric(vec![None; 300]);
        assert!(matches!(forest.predict(&kind), Err(CompareError::ColumnMismatch { expected: "levels", .. })));
        let mut infinite = columns.clone();
        infinite[1].1 = ChallengerColumn::Numeric(vec![Some(f64::INFINITY); 300]);
        assert!(forest.predict(&infinite).is_err());
        assert!(grow_challenger(&[], &bad, &settings()).is_err());
        assert!(matches!(
            grow_challenger(&columns, &[true; 300], &settings()),
            Err(CompareError::SingleClass { rows: 300, bad: 300 })
        ));
    }
}
