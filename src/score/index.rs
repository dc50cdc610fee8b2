//! The integrity index: how a merchant's record stands against the reference population, group by group.

use std::collections::BTreeMap;

use super::reference::Reference;

/// The index runs from 0 (below every merchant of the reference population) to this (above every one).
pub const INDEX_TOP: i32 = 1000;

/// One feature as the index sees it.
#[derive(Debug, Clone, Copy)]
pub struct IndexedFeature<'a> {
    /// Name, as the reference knows it.
    pub name: &'a str,
    /// Feature group.
    pub group: &'a str,
    /// `true` where more makes a merchant safer, `false` where less does.
    pub higher_is_safer: bool,
    /// The merchant's value; null means no evidence and moves nothing.
    pub value: Option<f64>,
}

/// A merchant's index and sub-indices, 0 to [`INDEX_TOP`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MerchantIndex {
    /// Mean of the sub-indices that have evidence; `None` without any.
    pub index: Option<i32>,
    /// By group; groups without evidence are absent.
    pub groups: BTreeMap<String, i32>,
}

/// Sub-index of a group = 1000 × mean over its directional features with a value of the mid-rank in the reference population,
/// turned so that more is safer. Index = mean of the sub-indices, each group counting alike, so that a group with many features
/// does not drown the others. Rounded half up.
///
/// Source: project judgement, after the Credit Access Index's equal standing of conditions, trade and disputes.
#[must_use]
pub fn merchant_index<'a>(
    reference: &Reference,
    features: impl IntoIterator<Item = IndexedFeature<'a>>,
) -> MerchantIndex {
    let mut sums: BTreeMap<&str, (f64, u32)> = BTreeMap::new();
    for feature in features {
        let Some(rank) = feature.value.and_then(|v| reference.rank(feature.name, v)) else { continue };
        let safer = if feature.higher_is_safer { rank } else { 1.0 - rank };
        let (sum, count) = sums.entry(feature.group).or_default();
        *sum += safer;
        *count += 1;
    }
    let means: Vec<(&str, f64)> =
        sums.into_iter().map(|(group, (sum, count))| (group, sum / f64::from(count))).collect();
    let index =
        (!means.is_empty()).then(|| on_scale(means.iter().map(|(_, mean)| mean).sum::<f64>() / means.len() as f64));
    MerchantIndex { index, groups: means.into_iter().map(|(group, mean)| (group.to_owned(), on_scale(mean))).collect() }
}

#[expect(clippy::cast_possible_truncation, reason = "a share times 1000 fits")]
fn on_scale(share: f64) -> i32 {
    (share.clamp(0.0, 1.0) * f64::from(INDEX_TOP) + 0.5).floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{FeatureColumn, FeatureTable};

    fn reference() -> Reference {
        let column =
            |name: &str| FeatureColumn { name: name.to_owned(), values: (0..10).map(|i| Some(f64::from(i))).collect() };
        let table = FeatureTable {
            merchants: (0..10).map(|i| format!("m{i}")).collect(),
            columns: vec![column("good"), column("bad")],
        };
        Reference::fit(&[table]).unwrap()
    }

    fn feature<'a>(name: &'a str, group: &'a str, higher_is_safer: bool, value: Option<f64>) -> IndexedFeature<'a> {
        IndexedFeature { name, group, higher_is_safer, value }
    }

    #[test]
    fn best_everywhere_is_the_top_and_worst_the_bottom() {
        let best = [feature("good", "trade", true, Some(99.0)), feature("bad", "conflict", false, Some(-1.0))];
        assert_eq!(merchant_index(&reference(), best).index, Some(INDEX_TOP));
        let worst = [feature("good", "trade", true, Some(-1.0)), feature("bad", "conflict", false, Some(99.0))];
        assert_eq!(merchant_index(&reference(), worst).index, Some(0));
    }

    #[test]
    fn no_evidence_moves_nothing() {
        let some = [feature("good", "trade", true, Some(99.0)), feature("bad", "conflict", false, None)];
        let index = merchant_index(&reference(), some);
        assert_eq!(index.index, Some(INDEX_TOP));
        assert_eq!(index.groups.len(), 1);
        assert_eq!(merchant_index(&reference(), []).index, None);
    }

    #[test]
    fn a_worse_value_never_raises_the_index() {
        let mut last = i32::MAX;
        for i in 0..12 {
            let index =
                merchant_index(&reference(), [feature("bad", "conflict", false, Some(f64::from(i)))]).index.unwrap();
            assert!(index <= last);
            last = index;
        }
    }
}
