//! Feature columns of a table file, for training.

use super::file::TableFile;
use crate::model::ModelError;
use crate::model::table::{Column, FeatureSource, Features, Kind};

/// Columns of a file, and which of them are features.
#[derive(Debug)]
struct FileFeatures {
    file: TableFile,
    /// Positions of feature columns in the file.
    at: Vec<usize>,
}

/// All columns of a file but those set aside, as features to train on.
#[must_use]
pub fn features_beside(file: TableFile, aside: &[String]) -> Features {
    let feature = |i: &usize| file.names().get(*i).is_some_and(|name| !aside.contains(name));
    let at = (0..file.names().len()).filter(feature).collect();
    Features::Source(Box::new(FileFeatures { file, at }))
}

impl FileFeatures {
    fn position(&self, i: usize) -> Result<usize, ModelError> {
        self.at.get(i).copied().ok_or_else(|| no_feature(i))
    }
}

impl FeatureSource for FileFeatures {
    fn len(&self) -> usize {
        self.at.len()
    }

    fn name(&self, i: usize) -> String {
        self.at.get(i).and_then(|&at| self.file.names().get(at).cloned()).unwrap_or_default()
    }

    fn parts(&self) -> usize {
        self.file.parts()
    }

    fn kind(&self, i: usize) -> Option<(Kind, Option<String>)> {
        self.at.get(i).and_then(|&at| self.file.kind(at))
    }

    fn part(&self, i: usize, part: usize, kind: Kind) -> Result<Column, ModelError> {
        self.file.load_part(part, self.position(i)?, kind)
    }

    fn whole(&self, i: usize, kind: Kind) -> Result<Column, ModelError> {
        let read = self.file.load(self.position(i)?, Some(kind))?;
        read.map(|(column, _)| column).ok_or_else(|| no_feature(i))
    }

    fn named(&self, part: usize, error: ModelError) -> ModelError {
        self.file.named_part(part, error)
    }
}

fn no_feature(i: usize) -> ModelError {
    ModelError::CannotTrain { why: format!("there is no feature {i}") }
}
