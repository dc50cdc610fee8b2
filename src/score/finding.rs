//! Reasons in the reader's words: what was found of a merchant, not which bin of which column.

use crate::domain::{Currency, Money, Reason, ReasonCode, ReasonCodeError, grouped, whole};
use crate::features::{FeatureConfig, FeatureSpec, Unit};
use crate::model::binning::{BinKind, BinRole, Bins};
use crate::model::{self, Scorecard, Scored};

/// The reasons of a score, each with its code and a text such as `share of parcels handed over late in half a year: 12 % to 20 %`.
/// A variable that is not a feature of this configuration keeps the model's own words. Where no factor cost a point, the factors that
/// earned the most are named instead: every score has a reason.
///
/// # Errors
/// A model whose reasons have no code.
pub fn findings(
    card: &Scorecard,
    scored: &Scored,
    features: &FeatureConfig,
    currency: Currency,
) -> Result<Vec<Reason>, ReasonCodeError> {
    let reader = Reader { card, scored, features, currency };
    if scored.reasons.is_empty() {
        return reader.strengths();
    }
    scored.reasons.iter().map(|r| Ok(Reason { code: ReasonCode::new(&r.code)?, text: reader.text(r) })).collect()
}

/// A score names at most this many factors (US Regulation B, comment 9(b)(2)-1).
const MOST_REASONS: usize = 4;

struct Reader<'a> {
    card: &'a Scorecard,
    scored: &'a Scored,
    features: &'a FeatureConfig,
    currency: Currency,
}

impl Reader<'_> {
    fn text(&self, reason: &model::Reason) -> String {
        let own = || reason.text.clone();
        if let Some(at) = self.card.variables.iter().position(|v| v.code == reason.code) {
            return self.found(at).unwrap_or_else(own);
        }
        let Some(table) = self.card.tables.iter().find(|t| t.code == reason.code) else { return own() };
        match (self.found(table.left), self.found(table.right)) {
            (Some(left), Some(right)) => format!("{left}, together with {right}"),
            _ => own(),
        }
    }

    /// The variables that earned the most points against an average merchant.
    fn strengths(&self) -> Result<Vec<Reason>, ReasonCodeError> {
        let mut earned: Vec<(i32, usize)> = self
            .card
            .variables
            .iter()
            .zip(&self.scored.points)
            .map(|(variable, points)| points - variable.reference_points)
            .zip(0..)
            .collect();
        earned.sort_by_key(|&(points, at)| (-points, at));
        earned
            .into_iter()
            .take(MOST_REASONS)
            .filter_map(|(_, at)| self.card.variables.get(at).map(|variable| (at, variable)))
            .map(|(at, variable)| {
                let text = self.found(at).unwrap_or_else(|| variable.bins.name.clone());
                Ok(Reason { code: ReasonCode::new(&variable.code)?, text })
            })
            .collect()
    }

    /// What was found of the variable at a position of the card.
    fn found(&self, at: usize) -> Option<String> {
        let bins = &self.card.variables.get(at)?.bins;
        let feature = self.features.features.iter().find(|f| f.name == bins.name)?;
        let name = feature.says.as_deref().unwrap_or(&feature.name);
        let bin = usize::from(*self.scored.bins.get(at)?);
        Some(format!("{name}: {}", range(feature, bins, bin, self.currency)?))
    }
}

fn range(feature: &FeatureSpec, bins: &Bins, bin: usize, currency: Currency) -> Option<String> {
    let BinKind::Number { edges } = &bins.kind else { return None };
    let found = bins.bins.get(bin)?;
    match found.role {
        BinRole::Missing => return Some("not known, or too little history".to_owned()),
        BinRole::Special | BinRole::Unseen => return Some(found.label.clone()),
        BinRole::Regular => {}
    }
    let above = bin.checked_sub(1).and_then(|lower| edges.get(lower)).copied();
    let up_to = edges.get(bin).copied();
    let words = Words { unit: feature.unit, whole: counts_whole(feature.unit), currency };
    Some(between(above.map(|v| words.above(v)), up_to.map(|v| words.up_to(v))))
}

fn between(above: Option<String>, up_to: Option<String>) -> String {
    match (above, up_to) {
        // Its only other bin is that of merchants who have none.
        (None, None) => "known, which alone counts here, whatever the value".to_owned(),
        (Some(above), None) => format!("{above} or more"),
        (None, Some(up_to)) => format!("at most {up_to}"),
        (Some(above), Some(up_to)) if above == up_to => above,
        (Some(above), Some(up_to)) => format!("{above} to {up_to}"),
    }
}

/// Units whose values are whole numbers, so that "more than 2.5" is "3 or more".
fn counts_whole(unit: Unit) -> bool {
    matches!(unit, Unit::Minor | Unit::Count | Unit::Days | Unit::Level)
}

/// Writes values of one unit.
struct Words {
    unit: Unit,
    whole: bool,
    currency: Currency,
}

impl Words {
    /// The least value above an edge that the unit can say.
    fn above(&self, edge: f64) -> String {
        self.write(if self.whole { edge.floor() + 1.0 } else { edge })
    }

    /// The greatest value up to an edge.
    fn up_to(&self, edge: f64) -> String {
        self.write(if self.whole { edge.floor() } else { edge })
    }

    fn write(&self, value: f64) -> String {
        match self.unit {
            Unit::Minor => whole(value).map_or_else(|| value.to_string(), |m| Money::new(m, self.currency).to_string()),
            Unit::Share | Unit::Gap => format!("{} %", short(100.0 * value)),
            Unit::Days => format!("{value} days"),
            Unit::Hours => format!("{} hours", short(value)),
            Unit::Stars => format!("{} stars", short(value)),
            Unit::Count => whole(value).and_then(|n| u64::try_from(n).ok()).map_or_else(|| value.to_string(), grouped),
            Unit::Level => value.to_string(),
            Unit::Ratio | Unit::Trend => short(value),
        }
    }
}

/// Four significant figures, without zeros that say nothing.
fn short(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 1_000.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_of_all_values_says_that_there_is_one() {
        let text = |word: &str| Some(word.to_owned());
        assert!(between(None, None).starts_with("known"));
        assert_eq!(between(text("3"), None), "3 or more");
        assert_eq!(between(text("3"), text("3")), "3");
        assert_eq!(between(None, text("12 %")), "at most 12 %");
    }

    #[test]
    fn values_are_written_in_their_unit() {
        let words = |unit| Words { unit, whole: counts_whole(unit), currency: Currency::new("CNY").unwrap() };
        assert_eq!(words(Unit::Minor).above(5_950_000.0), "59,500.01 CNY");
        assert_eq!(words(Unit::Minor).up_to(13_049_500.5), "130,495.00 CNY");
        assert_eq!(words(Unit::Share).up_to(0.263_4), "26.34 %");
        assert_eq!(words(Unit::Gap).above(-0.05), "-5 %");
        assert_eq!(words(Unit::Count).above(1_999.5), "2,000");
        assert_eq!(
            (words(Unit::Days).above(0.5), words(Unit::Days).up_to(3.5)),
            ("1 days".to_owned(), "3 days".to_owned())
        );
        assert_eq!(words(Unit::Stars).up_to(4.172), "4.17 stars");
        assert_eq!(
            (short(0.0), short(-0.000_01), short(0.05), short(12_345.6)),
            ("0".into(), "0".into(), "0.05".into(), "12346".into())
        );
    }
}
