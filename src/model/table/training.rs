//! What training takes: feature columns, a two-valued target, weights, a split.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::column::{Column, Direction, Values, number_as_text};
use super::file::{Kind, TableFile};
use crate::model::ModelError;

/// Where feature columns come from: memory, or a file read one column at a time.
#[derive(Debug)]
pub enum Features {
    /// Columns in memory.
    Memory(Vec<Column>),
    /// A file, and the positions of the columns to use.
    File {
        /// The file.
        file: TableFile,
        /// Positions of feature columns.
        at: Vec<usize>,
    },
}

impl Features {
    /// All columns of a file but those set aside.
    #[must_use]
    pub fn beside(file: TableFile, aside: &[String]) -> Self {
        let feature = |i: &usize| file.names().get(*i).is_some_and(|name| !aside.contains(name));
        let at = (0..file.names().len()).filter(feature).collect();
        Self::File { file, at }
    }

    /// Number of feature columns.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(columns) => columns.len(),
            Self::File { at, .. } => at.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the `i`-th feature.
    #[must_use]
    pub fn name(&self, i: usize) -> String {
        match self {
            Self::Memory(columns) => columns.get(i).map(|c| c.name.clone()),
            Self::File { file, at } => at.get(i).and_then(|&p| file.names().get(p).cloned()),
        }
        .unwrap_or_default()
    }

    /// Number of parts that columns come in.
    #[must_use]
    pub fn parts(&self) -> usize {
        match self {
            Self::Memory(_) => 1,
            Self::File { file, .. } => file.parts(),
        }
    }

    /// What the `i`-th feature holds, with a note for the reader of the report; `None` where no scorecard can use its type.
    #[must_use]
    pub fn kind(&self, i: usize) -> Option<(Kind, Option<String>)> {
        match self {
            Self::Memory(columns) => columns.get(i).map(|column| match column.values {
                Values::Number(_) => (Kind::Number, None),
                Values::Text(_) => (Kind::Text, None),
            }),
            Self::File { file, at } => at.get(i).and_then(|&position| file.kind(position)),
        }
    }

    /// One part of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn part(&self, i: usize, part: usize, kind: Kind) -> Result<Cow<'_, Column>, ModelError> {
        let none = || ModelError::CannotTrain { why: format!("there is no feature {i}") };
        match self {
            Self::Memory(columns) => columns.get(i).map(Cow::Borrowed).ok_or_else(none),
            Self::File { file, at } => file.load_part(part, *at.get(i).ok_or_else(none)?, kind).map(Cow::Owned),
        }
    }

    /// An error about one part of a feature, with the name of its file where there are several.
    #[must_use]
    pub fn named(&self, part: usize, error: ModelError) -> ModelError {
        match self {
            Self::Memory(_) => error,
            Self::File { file, .. } => file.named_part(part, error),
        }
    }

    /// The whole of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn whole(&self, i: usize, kind: Kind) -> Result<Cow<'_, Column>, ModelError> {
        match self {
            Self::Memory(_) => self.part(i, 0, kind),
            Self::File { file, at } => {
                let read = at.get(i).map(|&position| file.load(position, Some(kind))).transpose()?.flatten();
                let none = || ModelError::CannotTrain { why: format!("there is no feature {i}") };
                read.map(|(column, _)| Cow::Owned(column)).ok_or_else(none)
            }
        }
    }
}

/// A table to train on.
#[derive(Debug)]
pub struct TrainingTable {
    /// Feature columns.
    pub features: Features,
    /// What is expected of some of them, by name.
    pub directions: BTreeMap<String, Direction>,
    /// One a row: `true` is bad (defaulted).
    pub target: Vec<bool>,
    /// One a row, positive; `None` weighs all rows alike.
    pub weights: Option<Vec<f64>>,
    /// One a row: `true` is kept for testing and is seen by nothing that is fitted.
    pub test: Vec<bool>,
    /// One a row: rows of one group (a merchant's snapshots) stay in one fold of the cross-validation.
    pub groups: Option<Vec<u64>>,
    /// One a row: when it was observed, in any unit that rises; `None` where that is not known.
    pub times: Option<Vec<f64>>,
}

impl TrainingTable {
    /// A table in memory, as the pipeline has it. Every row trains; set `test` for an out-of-time part.
    ///
    /// # Errors
    /// Columns and target differ in length, or two columns share a name.
    pub fn new(columns: Vec<Column>, target: Vec<bool>) -> Result<Self, ModelError> {
        if let Some(column) = columns.iter().find(|c| c.len() != target.len()) {
            return Err(ModelError::CannotTrain {
                why: format!("column {:?} has {} rows, the target {}", column.name, column.len(), target.len()),
            });
        }
        let mut names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(ModelError::CannotTrain { why: format!("two columns are called {twice:?}") });
        }
        let test = vec![false; target.len()];
        Ok(Self {
            features: Features::Memory(columns),
            directions: BTreeMap::new(),
            target,
            weights: None,
            test,
            groups: None,
            times: None,
        })
    }

    /// Declares what is expected of a variable.
    #[must_use]
    pub fn expecting(mut self, name: &str, direction: Direction) -> Self {
        self.directions.insert(name.to_owned(), direction);
        self
    }
}

/// A table to score: columns in memory, of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringTable {
    /// Columns, in any order; those the model does not use are ignored.
    pub columns: Vec<Column>,
}

impl ScoringTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// The column of that name.
    ///
    /// # Errors
    /// It is not there.
    pub fn column(&self, name: &str) -> Result<&Column, ModelError> {
        self.columns.iter().find(|c| c.name == name).ok_or_else(|| ModelError::NoColumn {
            column: name.to_owned(),
            available: self.columns.iter().take(40).map(|c| c.name.clone()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Words that mean "bad" in a two-valued text target.
const BAD_WORDS: [&str; 12] =
    ["1", "bad", "yes", "y", "true", "default", "defaulted", "charged off", "event", "fraud", "b", "positive"];

/// Reads a target column: `true` is bad. `positive` names the bad value where the values themselves do not say it.
///
/// # Errors
/// Missing values, one value only, more than two, or two of which neither is known to be the bad one.
pub fn read_target(file: &TableFile, name: &str, positive: Option<&str>) -> Result<(Vec<bool>, String), ModelError> {
    let at = file.position(name)?;
    let refuse = |why: String| ModelError::BadTarget { column: name.to_owned(), why };
    if file.rows() == 0 {
        return Err(refuse("the table has no rows".to_owned()));
    }
    let (column, _) = file
        .load(at, None)?
        .ok_or_else(|| refuse("its type is nested or binary; two values are needed, such as 0 and 1".to_owned()))?;
    let texts: Vec<Option<String>> = match &column.values {
        Values::Number(v) => v.iter().map(|&x| (!x.is_nan()).then(|| number_as_text(x))).collect(),
        Values::Text(t) => (0..t.codes.len()).map(|i| t.get(i).map(str::to_owned)).collect(),
    };
    let missing = texts.iter().filter(|t| t.is_none()).count();
    if missing > 0 {
        let first = texts.iter().position(Option::is_none).unwrap_or(0) + 1;
        return Err(refuse(format!(
            "{missing} rows have no outcome (the first is row {first}); leave out rows whose outcome is not known"
        )));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts.iter().flatten() {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    let shown = || {
        let mut list: Vec<String> = counts.iter().take(6).map(|(v, n)| format!("{v:?} ({n} rows)")).collect();
        if counts.len() > 6 {
            list.push(format!("… {} in all", counts.len()));
        }
        list.join(", ")
    };
    let bad = match (counts.len(), positive) {
        (1, _) => {
            return Err(refuse(format!("all rows have one value, {}: there is nothing to tell apart", shown())));
        }
        (n, _) if n > 2 => {
            return Err(refuse(format!("it has {n} values, {}: exactly two are needed", shown())));
        }
        (_, Some(positive)) => {
            let same = |v: &str| v == positive || as_number(v).is_some_and(|x| as_number(positive) == Some(x));
            let found = counts.keys().find(|v| same(v)).map(|v| (*v).to_owned());
            found.ok_or_else(|| refuse(format!("the bad value {positive:?} does not occur; it has {}", shown())))?
        }
        (_, None) => {
            let matching: Vec<&&str> =
                counts.keys().filter(|v| BAD_WORDS.iter().any(|w| v.eq_ignore_ascii_case(w))).collect();
            match matching.as_slice() {
                [one] => (**one).to_owned(),
                _ => {
                    return Err(refuse(format!("it has {}: say which of them is bad with --positive VALUE", shown())));
                }
            }
        }
    };
    let target = texts.iter().map(|t| t.as_deref() == Some(bad.as_str())).collect();
    Ok((target, bad))
}

fn as_number(text: &str) -> Option<f64> {
    super::parse::number(text)
}
