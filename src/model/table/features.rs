//! Where feature columns come from: memory, or a source that reads them one at a time.

use std::borrow::Cow;
use std::fmt::Debug;

use super::column::{Column, Kind, Values};
use crate::model::ModelError;

/// Feature columns that are read when they are needed. Columns come in parts (a part a file), so that none need be held whole.
pub trait FeatureSource: Debug + Send + Sync {
    /// Number of feature columns.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the `i`-th feature; empty where there is none.
    fn name(&self, i: usize) -> String;

    /// Number of parts that columns come in.
    fn parts(&self) -> usize;

    /// What the `i`-th feature holds, with a note for the reader of the report; `None` where no scorecard can use its type.
    fn kind(&self, i: usize) -> Option<(Kind, Option<String>)>;

    /// One part of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// It cannot be read.
    fn part(&self, i: usize, part: usize, kind: Kind) -> Result<Column, ModelError>;

    /// The whole of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// It cannot be read.
    fn whole(&self, i: usize, kind: Kind) -> Result<Column, ModelError>;

    /// An error about one part of a feature, with the name of its file where there are several.
    fn named(&self, part: usize, error: ModelError) -> ModelError;
}

/// Feature columns, wherever they come from.
#[derive(Debug)]
pub enum Features {
    /// Columns in memory.
    Memory(Vec<Column>),
    /// Columns read one at a time.
    Source(Box<dyn FeatureSource>),
}

impl Features {
    /// Number of feature columns.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(columns) => columns.len(),
            Self::Source(source) => source.len(),
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
            Self::Memory(columns) => columns.get(i).map(|c| c.name.clone()).unwrap_or_default(),
            Self::Source(source) => source.name(i),
        }
    }

    /// Number of parts that columns come in.
    #[must_use]
    pub fn parts(&self) -> usize {
        match self {
            Self::Memory(_) => 1,
            Self::Source(source) => source.parts(),
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
            Self::Source(source) => source.kind(i),
        }
    }

    /// One part of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn part(&self, i: usize, part: usize, kind: Kind) -> Result<Cow<'_, Column>, ModelError> {
        match self {
            Self::Memory(columns) => columns.get(i).map(Cow::Borrowed).ok_or_else(|| no_feature(i)),
            Self::Source(source) => source.part(i, part, kind).map(Cow::Owned),
        }
    }

    /// An error about one part of a feature, with the name of its file where there are several.
    #[must_use]
    pub fn named(&self, part: usize, error: ModelError) -> ModelError {
        match self {
            Self::Memory(_) => error,
            Self::Source(source) => source.named(part, error),
        }
    }

    /// The whole of the `i`-th feature, read as the kind that [`Self::kind`] found.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn whole(&self, i: usize, kind: Kind) -> Result<Cow<'_, Column>, ModelError> {
        match self {
            Self::Memory(_) => self.part(i, 0, kind),
            Self::Source(source) => source.whole(i, kind).map(Cow::Owned),
        }
    }
}

fn no_feature(i: usize) -> ModelError {
    ModelError::CannotTrain { why: format!("there is no feature {i}") }
}
