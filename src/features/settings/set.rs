//! The whole feature set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::feature::{FeatureSpec, RawFeature, check};
use super::files::FeatureFiles;
use super::label::{LabelSpec, RawLabel};
use crate::authenticity::{RawAuthenticity, Settings, turn};
use crate::config::{ConfigError, ConfigFile};
use crate::domain::{Digest, Hasher};
use crate::features::Read;
use crate::tiles::{EVER, Forms, MeasureSpec, RawMeasure, ReadColumns};

/// Measures, features, authenticity and label, checked.
#[derive(Debug, Clone)]
pub struct FeatureConfig {
    /// Measures, in the order declared.
    pub measures: Vec<MeasureSpec>,
    /// Features, in the order declared.
    pub features: Vec<FeatureSpec>,
    /// Knobs of the authenticity rules.
    pub authenticity: Settings,
    /// The outcome predicate, where declared.
    pub label: Option<LabelSpec>,
    /// Digest of the files' texts, in order of their names: the feature set's identity.
    pub digest: Digest,
    forms: Vec<Forms>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeatureFile {
    #[serde(default, rename = "measure")]
    measures: Vec<RawMeasure>,
    #[serde(default, rename = "feature")]
    features: Vec<RawFeature>,
    #[serde(default)]
    authenticity: RawAuthenticity,
    label: Option<Spanned<RawLabel>>,
}

impl FeatureConfig {
    /// Opens a feature file, or a folder of them merged in order of their names.
    ///
    /// # Errors
    /// Whatever the files hold that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::from_files(&FeatureFiles::open(path)?.files)
    }

    /// Checks files already in memory.
    ///
    /// # Errors
    /// Whatever the files hold that is not allowed, with the line.
    pub fn from_files(files: &[ConfigFile]) -> Result<Self, ConfigError> {
        let mut hasher = Hasher::default();
        let mut raw_features = Vec::new();
        let mut raw_label: Option<(&ConfigFile, Spanned<RawLabel>)> = None;
        let mut measures: Vec<MeasureSpec> = Vec::new();
        let mut names = BTreeSet::new();
        let mut authenticity = Settings::default();
        for file in files {
            hasher.field(file.text().as_bytes());
            let raw: RawFeatureFile = file.parse()?;
            for measure in raw.measures {
                let span = measure.name_span();
                let measure = measure.check(file)?;
                if !names.insert(measure.name.clone()) {
                    let message = format!("measure {:?} is declared twice", measure.name);
                    return Err(file.refuse(&span, message, "each name once, over all feature files"));
                }
                measures.push(measure);
            }
            turn(file, &raw.authenticity, &mut authenticity)?;
            raw_features.extend(raw.features.into_iter().map(|feature| (file, feature)));
            if let Some(label) = raw.label {
                if raw_label.is_some() {
                    return Err(file.refuse(&label.span(), "a second [label]", "one [label], over all feature files"));
                }
                raw_label = Some((file, label));
            }
        }
        let mut features: Vec<FeatureSpec> = Vec::new();
        let mut names = BTreeSet::new();
        for (file, raw) in raw_features {
            let span = raw.span();
            let feature = check(file, raw, &measures)?;
            if !names.insert(feature.name.clone()) {
                let message = format!("feature {:?} is declared twice", feature.name);
                return Err(file.refuse(&span, message, "each name once, over all feature files"));
            }
            features.push(feature);
        }
        if let (true, Some(file)) = (features.is_empty(), files.first()) {
            return Err(file.refuse(&(0..0), "no [[feature]] is declared", "at least one [[feature]]"));
        }
        let label = raw_label.map(|(file, label)| label.into_inner().check(file, &measures)).transpose()?;
        let forms = forms(&measures, &features);
        Ok(Self { measures, features, authenticity, label, digest: hasher.finish(), forms })
    }

    /// A measure's position.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<usize> {
        self.measures.iter().position(|m| m.name == name)
    }

    /// The feature of that name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&FeatureSpec> {
        self.features.iter().find(|f| f.name == name)
    }

    /// Contract tables that a feature rests on: without one of them it is null. None for a feature that the job does not define.
    #[must_use]
    pub fn tables_of(&self, feature: &str) -> BTreeSet<&'static str> {
        let reads = self.feature(feature).into_iter().flat_map(|feature| feature.kind.reads());
        reads
            .filter_map(|read| self.measures.get(read.measure))
            .flat_map(|measure| measure.needs.iter().copied())
            .collect()
    }

    /// The features that models may learn from and the index counts, in the order declared.
    pub fn scored(&self) -> impl Iterator<Item = &FeatureSpec> {
        self.features.iter().filter(|feature| feature.is_scored)
    }

    /// Which tiles of a measure the features read.
    #[must_use]
    pub fn forms(&self, measure: usize) -> Forms {
        self.forms.get(measure).copied().unwrap_or_default()
    }

    /// How far back the features look, in days: tiles tell days apart that far.
    #[must_use]
    pub fn horizon_days(&self) -> u16 {
        let ends = self.features.iter().flat_map(|f| f.kind.reads()).map(|read| read.window.to);
        ends.filter(|to| *to != EVER).max().unwrap_or(1)
    }

    /// The columns that some measures read, by name.
    #[must_use]
    pub fn columns_of(&self, is_looked_at: impl Fn(&str) -> bool) -> ReadColumns {
        ReadColumns::of(self.measures.iter().filter(|measure| is_looked_at(&measure.name)))
    }

    /// The columns that comparing with the industry needs of all merchants.
    #[must_use]
    pub fn industry_columns(&self) -> ReadColumns {
        let compared: BTreeSet<usize> = self.industry_slots().keys().map(|read| read.measure).collect();
        ReadColumns::of(compared.into_iter().filter_map(|id| self.measures.get(id)))
    }

    /// Windows that are totalled by category, each with its slot.
    #[must_use]
    pub fn industry_slots(&self) -> BTreeMap<Read, usize> {
        let reads: BTreeSet<Read> = self.features.iter().flat_map(|f| f.kind.industry_reads()).collect();
        reads.into_iter().zip(0..).collect()
    }
}

fn forms(measures: &[MeasureSpec], features: &[FeatureSpec]) -> Vec<Forms> {
    let mut forms = vec![Forms::default(); measures.len()];
    for feature in features {
        for read in feature.kind.reads() {
            if let Some(form) = forms.get_mut(read.measure) {
                // Day tiles always: evidence is given in sums and row counts.
                form.days = true;
                form.rows |= feature.kind.needs_rows();
            }
        }
    }
    forms
}
