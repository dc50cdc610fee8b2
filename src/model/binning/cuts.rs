//! The cuts of one variable as a person may set them.

use serde::{Deserialize, Serialize};

use crate::model::ModelError;
use crate::model::binning::bins::{BinKind, BinRole, Bins};
use crate::model::binning::dynamic::Trend;
use crate::model::binning::fine::{FineColumn, FineScale};
use crate::model::binning::variable::{Merges, interval, listing};
use crate::model::table::{Column, Values, same_number};

/// What the regular bins are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Intervals. Upper edges, inclusive, of all bins but the last: there can be neither gap nor overlap.
    Number {
        /// Strictly rising, finite.
        edges: Vec<f64>,
    },
    /// Groups of levels.
    Text {
        /// One list a bin; no level is in two.
        levels: Vec<Vec<String>>,
        /// Bin of levels in no list; `None` is the bin of missing values.
        unseen: Option<usize>,
    },
}

/// Regular bins, and which of them missing and special values share. What shares none has a bin of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cuts {
    /// The regular bins.
    pub scale: Scale,
    /// The regular bin that missing values share.
    pub missing_with: Option<usize>,
    /// Special values that share a regular bin, and which.
    pub specials_with: Vec<(f64, usize)>,
}

/// A variable whose cuts a person set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableEdit {
    /// The column.
    pub variable: String,
    /// As exported, where the file says.
    pub before: Option<Cuts>,
    /// As set.
    pub cuts: Cuts,
    /// Why.
    pub reason: String,
}

impl Cuts {
    /// The cuts of a variable of a model.
    #[must_use]
    pub fn of(bins: &Bins) -> Self {
        let shared = |bin: usize| bins.bins.get(bin).is_some_and(|b| b.role == BinRole::Regular).then_some(bin);
        let scale = match &bins.kind {
            BinKind::Number { edges } => Scale::Number { edges: edges.clone() },
            BinKind::Text { levels, unseen } => {
                Scale::Text { levels: levels.clone(), unseen: (*unseen != bins.missing).then_some(*unseen) }
            }
        };
        let specials_with = bins.specials.iter().filter_map(|&(value, bin)| Some((value, shared(bin)?))).collect();
        Self { scale, missing_with: shared(bins.missing), specials_with }
    }

    /// Number of regular bins.
    #[must_use]
    pub fn bins(&self) -> usize {
        match &self.scale {
            Scale::Number { edges } => edges.len() + 1,
            Scale::Text { levels, .. } => levels.len(),
        }
    }

    /// Label of each regular bin, as the model shows it.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        match &self.scale {
            Scale::Number { edges } => {
                (0..=edges.len()).map(|i| interval(i.checked_sub(1).and_then(|i| edges.get(i)), edges.get(i))).collect()
            }
            Scale::Text { levels, .. } => levels.iter().map(|names| listing(&sorted(names))).collect(),
        }
    }

    /// Whether both put every value into the same company: the order of text bins, and of levels within them, says nothing.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let company = |cuts: &Self, bin: Option<usize>| bin.map(|b| cuts.content(b));
        let specials = |cuts: &Self| -> Vec<(u64, Vec<String>)> {
            let mut list: Vec<_> = cuts.specials_with.iter().map(|&(v, b)| (v.to_bits(), cuts.content(b))).collect();
            list.sort();
            list
        };
        let all = |cuts: &Self| -> Vec<Vec<String>> {
            let mut list: Vec<_> = (0..cuts.bins()).map(|b| cuts.content(b)).collect();
            list.sort();
            list
        };
        let unseen = |cuts: &Self| match &cuts.scale {
            Scale::Text { unseen, .. } => company(cuts, unseen.or(cuts.missing_with)),
            Scale::Number { .. } => None,
        };
        std::mem::discriminant(&self.scale) == std::mem::discriminant(&other.scale)
            && all(self) == all(other)
            && company(self, self.missing_with) == company(other, other.missing_with)
            && specials(self) == specials(other)
            && unseen(self) == unseen(other)
    }

    /// What falls into a regular bin, comparable between cuts.
    fn content(&self, bin: usize) -> Vec<String> {
        match &self.scale {
            Scale::Number { .. } => self.labels().get(bin).cloned().into_iter().collect(),
            Scale::Text { levels, .. } => levels.get(bin).map(|names| sorted(names)).unwrap_or_default(),
        }
    }
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

/// A column coded by given cuts: one fine cell a regular bin; special and missing values that share one are coded as it.
///
/// # Errors
/// Edges for text or levels for numbers, or an infinite value.
pub fn code_as_given(column: &Column, cuts: &Cuts, specials: &[f64]) -> Result<(FineColumn, Merges), ModelError> {
    let refuse = |why: String| Err(ModelError::BadSetting { setting: "bins", why });
    match (&cuts.scale, &column.values) {
        (Scale::Number { .. }, Values::Text(text)) if !text.levels.is_empty() => {
            return refuse(format!("column {:?} holds text: give `levels`, not `edges`", column.name));
        }
        (Scale::Text { .. }, Values::Number(_)) => {
            return refuse(format!("column {:?} holds numbers: give `edges`, not `levels`", column.name));
        }
        _ => {}
    }
    let cells = cuts.bins();
    let own_missing = cells + specials.len();
    let missing = cuts.missing_with.unwrap_or(own_missing);
    let mut merged: Merges = cuts.missing_with.map(|bin| (own_missing, bin)).into_iter().collect();
    let mut placed = Vec::new();
    for (which, &value) in specials.iter().enumerate() {
        let with = cuts.specials_with.iter().find(|(v, _)| same_number(*v, value)).map(|&(_, bin)| bin);
        merged.extend(with.map(|bin| (cells + which, bin)));
        placed.push((value, with.unwrap_or(cells + which)));
    }
    let (kind, scale) = match &cuts.scale {
        Scale::Number { edges } => {
            (BinKind::Number { edges: edges.clone() }, FineScale::Number { edges: edges.clone() })
        }
        Scale::Text { levels, unseen } => (
            BinKind::Text { levels: levels.clone(), unseen: unseen.unwrap_or(missing) },
            FineScale::Text { levels: levels.clone(), pool: unseen.and_then(|b| u8::try_from(b).ok()) },
        ),
    };
    let name = column.name.clone();
    let bins = Bins { name, kind, specials: placed, missing, trend: Trend::None, iv: 0.0, bins: Vec::new() };
    let codes = bins.assign(column)?;
    Ok((FineColumn { name: bins.name, scale, cells, specials: specials.to_vec(), codes }, merged))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn text(levels: &[&[&str]], unseen: Option<usize>) -> Cuts {
        let levels = levels.iter().map(|l| l.iter().map(|s| (*s).to_owned()).collect()).collect();
        Cuts { scale: Scale::Text { levels, unseen }, missing_with: None, specials_with: vec![] }
    }

    #[test]
    fn the_order_of_text_bins_is_no_edit_but_their_company_is() {
        let cuts = text(&[&["a", "b"], &["c"]], Some(1));
        assert!(cuts.same(&text(&[&["c"], &["b", "a"]], Some(0))));
        assert!(!cuts.same(&text(&[&["c"], &["b", "a"]], Some(1))));
        assert!(!cuts.same(&text(&[&["c", "b"], &["a"]], Some(0))));
        assert!(!cuts.same(&Cuts { missing_with: Some(0), ..cuts.clone() }));
    }

    #[test]
    fn shared_values_are_coded_as_their_company() {
        let column = Column::from_options("x", &[Some(1.0), Some(2.0), Some(-9.0), None]);
        let cuts =
            Cuts { scale: Scale::Number { edges: vec![1.0] }, missing_with: Some(1), specials_with: vec![(-9.0, 0)] };
        let (fine, merged) = code_as_given(&column, &cuts, &[-8.0, -9.0]).unwrap();
        assert_eq!(fine.codes, [0, 1, 0, 1]);
        assert_eq!(merged, BTreeMap::from([(3, 0), (4, 1)]));
        assert!(code_as_given(&Column::from_texts("x", &[Some("a")]), &cuts, &[]).is_err());
    }
}
