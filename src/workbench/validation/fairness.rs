//! Does a cut-off treat the groups of a named column alike, and could differences be chance?
//!
//! Three questions, each against a reference group, each with its interval and test:
//! - *Adverse impact*: approval rate of the group over that of the reference. Below four fifths **and** not by chance it is called adverse (the four-fifths rule of
//!   the US Uniform Guidelines 1978, § 1607.4 D, which itself asks for statistical significance).
//! - *Equal opportunity*: the same among those who turned out good; a group of more bads may be approved less and still be treated alike (Hardt, Price & Srebro 2016).
//! - *Conditional parity*: the same among rows alike in a stated legitimate column (history length, say), combined over its values.
//!
//! Beside them whether PDs mean the same for each group: its bad rate against its mean PD. A model can satisfy this and fail the others; which matters is a
//! decision about policy, not a statistic. Rows of unknown group are a group of their own; with rows of unknown condition, unknown is one condition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::two_by_two::{RateComparison, StratifiedComparison, Stratum, compare_rates, compare_strata};
use crate::model::validation::{ValidationError, check_confidence, exact_interval, jeffreys_p_value};

/// How fairness is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairnessSettings {
    /// Approve at or below this PD.
    pub cut_off_pd: f64,
    /// The reference group; the largest one where null.
    #[serde(default)]
    pub reference: Option<String>,
    /// Coverage of intervals.
    #[serde(default = "customary_confidence")]
    pub confidence: f64,
    /// The adverse-impact ratio below which a difference matters.
    #[serde(default = "four_fifths")]
    pub least_ratio: f64,
}

impl FairnessSettings {
    /// Approval up to a PD, against the largest group, with customary confidence and the four-fifths rule.
    #[must_use]
    pub fn at(cut_off_pd: f64) -> Self {
        Self { cut_off_pd, reference: None, confidence: customary_confidence(), least_ratio: four_fifths() }
    }
}

fn customary_confidence() -> f64 {
    0.95
}

fn four_fifths() -> f64 {
    0.8
}

/// One group against the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupFairness {
    /// The group; null for rows whose group is unknown.
    pub group: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Bad rows.
    pub bad: u64,
    /// Rows at or below the cut-off.
    pub approved: u64,
    /// Share approved.
    pub approval_rate: f64,
    /// Its exact interval.
    pub approval_interval: [f64; 2],
    /// Share of the goods approved; null without goods.
    pub good_approval_rate: Option<f64>,
    /// Observed bad rate.
    pub bad_rate: f64,
    /// Mean PD.
    pub mean_pd: f64,
    /// One-sided Jeffreys p-value of "the group's PDs are high enough".
    pub pd_too_low_p_value: f64,
    /// Approval against the reference; null for the reference itself.
    pub adverse_impact: Option<RateComparison>,
    /// Approval of goods against the reference's goods.
    pub equal_opportunity: Option<RateComparison>,
    /// Approval among rows alike; null without a conditioning column or where it cannot tell.
    pub conditional_parity: Option<StratifiedComparison>,
    /// Whether the adverse-impact ratio is below the least ratio and its p-value below 1 − confidence.
    pub is_adverse: bool,
}

/// Fairness of one cut-off over one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FairnessReport {
    /// The column.
    pub column: String,
    /// The column held alike in conditional parity.
    pub condition: Option<String>,
    /// Approve at or below this PD.
    pub cut_off_pd: f64,
    /// The reference group.
    pub reference: String,
    /// All groups, unknown first, then by name.
    pub groups: Vec<GroupFairness>,
}

/// A named column of a table; null where the value is unknown.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The column's name.
    pub name: &'a str,
    /// Its values.
    pub values: &'a [Option<&'a str>],
}

/// Most groups a fairness report will compare.
const MOST_GROUPS: usize = 100;

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    bad: u64,
    approved: u64,
    good_approved: u64,
    pds: Vec<f64>,
    /// By condition: approved and rows.
    conditions: BTreeMap<Option<String>, (u64, u64)>,
}

/// Tests a cut-off over the groups of a column.
///
/// # Errors
/// Columns that do not fit each other, predictions that are not probabilities, settings out of range, an unknown or missing reference, more than 100 groups.
pub fn fairness(
    is_bad: &[bool],
    pd: &[f64],
    column: Named<'_>,
    condition: Option<Named<'_>>,
    settings: &FairnessSettings,
) -> Result<FairnessReport, ValidationError> {
    check(is_bad, pd, column, condition, settings)?;
    let mut groups: BTreeMap<Option<&str>, Counts> = BTreeMap::new();
    for (row, ((bad, pd), group)) in is_bad.iter().zip(pd).zip(column.values).enumerate() {
        let counts = groups.entry(*group).or_default();
        let approved = u64::from(*pd <= settings.cut_off_pd);
        counts.rows += 1;
        counts.bad += u64::from(*bad);
        counts.approved += approved;
        counts.good_approved += if *bad { 0 } else { approved };
        counts.pds.push(*pd);
        if let Some(condition) = condition {
            let value = condition.values.get(row).copied().flatten().map(str::to_owned);
            let stratum = counts.conditions.entry(value).or_default();
            stratum.0 += approved;
            stratum.1 += 1;
        }
    }
    if groups.len() > MOST_GROUPS {
        return Err(ValidationError::TooManySegments { segments: groups.len(), limit: MOST_GROUPS });
    }
    for counts in groups.values_mut() {
        counts.pds.sort_unstable_by(f64::total_cmp);
    }
    let name = reference_name(&groups, settings)?;
    let unknown = || ValidationError::UnknownName { what: "reference group", name: name.clone() };
    let reference = groups.get(&Some(name.as_str())).ok_or_else(unknown)?;
    let compared = groups
        .iter()
        .map(|(group, counts)| judge(*group, counts, (*group != Some(name.as_str())).then_some(reference), settings))
        .collect();
    Ok(FairnessReport {
        column: column.name.to_owned(),
        condition: condition.map(|c| c.name.to_owned()),
        cut_off_pd: settings.cut_off_pd,
        reference: name.clone(),
        groups: compared,
    })
}

fn check(
    is_bad: &[bool],
    pd: &[f64],
    column: Named<'_>,
    condition: Option<Named<'_>>,
    settings: &FairnessSettings,
) -> Result<(), ValidationError> {
    check_confidence(settings.confidence)?;
    let expected = is_bad.len();
    if expected == 0 {
        return Err(ValidationError::Empty);
    }
    let lengths = [
        ("predictions", pd.len()),
        ("groups", column.values.len()),
        ("conditions", condition.map_or(expected, |c| c.values.len())),
    ];
    if let Some((what, found)) = lengths.into_iter().find(|(_, found)| *found != expected) {
        return Err(ValidationError::LengthMismatch { what, expected, found });
    }
    if let Some((row, value)) = pd.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(ValidationError::NotAProbability { row, value: *value });
    }
    for (setting, value) in [("cut_off_pd", settings.cut_off_pd), ("least_ratio", settings.least_ratio)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(ValidationError::BadSetting { setting, value, allowed: "a finite number from 0 to 1" });
        }
    }
    Ok(())
}

/// The configured reference, or the largest named group (the first by name among equals).
fn reference_name(
    groups: &BTreeMap<Option<&str>, Counts>,
    settings: &FairnessSettings,
) -> Result<String, ValidationError> {
    if let Some(name) = &settings.reference {
        return Ok(name.clone());
    }
    let mut largest: Option<(&str, u64)> = None;
    for (group, counts) in groups {
        if let Some(name) = group
            && largest.is_none_or(|(_, rows)| counts.rows > rows)
        {
            largest = Some((name, counts.rows));
        }
    }
    largest
        .map(|(name, _)| name.to_owned())
        .ok_or(ValidationError::UnknownName { what: "reference group", name: "any named group".to_owned() })
}

fn judge(
    group: Option<&str>,
    counts: &Counts,
    reference: Option<&Counts>,
    settings: &FairnessSettings,
) -> GroupFairness {
    let rows = counts.rows as f64;
    let goods = counts.rows - counts.bad;
    let mean_pd = counts.pds.iter().sum::<f64>() / rows;
    let adverse_impact = reference.and_then(|reference| {
        compare_rates((counts.approved, counts.rows), (reference.approved, reference.rows), settings.confidence)
    });
    let equal_opportunity = reference.and_then(|reference| {
        let reference_goods = reference.rows - reference.bad;
        compare_rates((counts.good_approved, goods), (reference.good_approved, reference_goods), settings.confidence)
    });
    let conditional_parity = reference.and_then(|reference| {
        let strata: Vec<Stratum> = counts
            .conditions
            .iter()
            .filter_map(|(value, own)| Some(Stratum { group: *own, reference: *reference.conditions.get(value)? }))
            .collect();
        compare_strata(&strata, settings.confidence)
    });
    let is_adverse = adverse_impact.is_some_and(|found| {
        found.ratio.is_some_and(|ratio| ratio < settings.least_ratio) && found.p_value < 1.0 - settings.confidence
    });
    GroupFairness {
        group: group.map(str::to_owned),
        rows: counts.rows,
        bad: counts.bad,
        approved: counts.approved,
        approval_rate: counts.approved as f64 / rows,
        approval_interval: exact_interval(counts.approved, counts.rows, settings.confidence),
        good_approval_rate: (goods > 0).then(|| counts.good_approved as f64 / goods as f64),
        bad_rate: counts.bad as f64 / rows,
        mean_pd,
        pd_too_low_p_value: jeffreys_p_value(counts.bad, counts.rows, mean_pd),
        adverse_impact,
        equal_opportunity,
        conditional_parity,
        is_adverse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::assert_close;

    /// Rows of a group: (approved goods, refused goods, approved bads, refused bads), cut-off 0.2.
    fn rows(table: &[(&'static str, [usize; 4])]) -> (Vec<bool>, Vec<f64>, Vec<Option<&'static str>>) {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for (group, counts) in table {
            for (count, (bad, pd)) in counts.iter().zip([(false, 0.1), (false, 0.3), (true, 0.2), (true, 0.4)]) {
                for _ in 0..*count {
                    columns.0.push(bad);
                    columns.1.push(pd);
                    columns.2.push(Some(*group));
                }
            }
        }
        columns
    }

    fn settings() -> FairnessSettings {
        FairnessSettings { cut_off_pd: 0.2, reference: None, confidence: 0.95, least_ratio: 0.8 }
    }

    #[test]
    fn adverse_impact_by_hand() {
        let (bad, pd, group) = rows(&[("a", [280, 80, 20, 20]), ("b", [120, 60, 60, 60])]);
        let report = fairness(&bad, &pd, Named { name: "g", values: &group }, None, &settings()).unwrap();
        assert_eq!(report.reference, "a");
        let b = report.groups.iter().find(|g| g.group.as_deref() == Some("b")).unwrap();
        assert_eq!((b.rows, b.bad, b.approved), (300, 120, 180));
        // 180 / 300 against 300 / 400
        assert_close(b.adverse_impact.unwrap().ratio.unwrap(), 0.8, 1e-12);
        assert!(!b.is_adverse, "exactly four fifths is not below it");
        // 120 / 180 against 280 / 360
        assert_close(b.equal_opportunity.unwrap().ratio.unwrap(), (2.0 / 3.0) / (7.0 / 9.0), 1e-12);
        assert!(report.groups.iter().any(|g| g.group.as_deref() == Some("a") && g.adverse_impact.is_none()));
    }

    #[test]
    fn a_low_ratio_is_adverse_only_where_it_is_not_chance() {
        let (bad, pd, group) = rows(&[("a", [90, 10, 0, 0]), ("b", [5, 4, 0, 0]), ("c", [50, 50, 0, 0])]);
        let report = fairness(&bad, &pd, Named { name: "g", values: &group }, None, &settings()).unwrap();
        let adverse: Vec<(Option<&str>, bool)> =
            report.groups.iter().map(|g| (g.group.as_deref(), g.is_adverse)).collect();
        // b: 5 of 9 against 90 of 100, Fisher p = .013: not chance either; one row fewer refused and it is.
        assert_eq!(adverse, [(Some("a"), false), (Some("b"), true), (Some("c"), true)]);
        let (bad, pd, group) = rows(&[("a", [90, 10, 0, 0]), ("b", [4, 2, 0, 0])]);
        let report = fairness(&bad, &pd, Named { name: "g", values: &group }, None, &settings()).unwrap();
        assert!(report.groups.iter().all(|g| !g.is_adverse));
        assert!(report.groups[1].adverse_impact.unwrap().ratio.unwrap() < 0.8);
    }

    #[test]
    fn like_compared_with_like_can_clear_a_group() {
        // Within each history the groups are approved alike; b merely has more young merchants.
        let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let cells: [(&str, &str, usize, usize); 4] =
            [("a", "old", 160, 40), ("a", "young", 20, 30), ("b", "old", 40, 10), ("b", "young", 80, 120)];
        for (group, history, approved, refused) in cells {
            for i in 0..approved + refused {
                columns.0.push(i % 9 == 0);
                columns.1.push(if i < approved { 0.1 } else { 0.5 });
                columns.2.push(Some(group));
                columns.3.push(Some(history));
            }
        }
        let (bad, pd, group, history) = columns;
        let condition = Named { name: "history", values: &history };
        let report = fairness(&bad, &pd, Named { name: "g", values: &group }, Some(condition), &settings()).unwrap();
        let b = report.groups.iter().find(|g| g.group.as_deref() == Some("b")).unwrap();
        let a_reference = report.reference == "a";
        assert!(a_reference && b.is_adverse);
        let parity = b.conditional_parity.unwrap();
        assert_close(parity.odds_ratio, 1.0, 1e-12);
        assert!(parity.p_value > 0.99 && parity.strata == 2);
    }

    #[test]
    fn unknown_is_a_group_of_its_own() {
        let group = [Some("a"), None, Some("a")];
        let report =
            fairness(&[true, false, false], &[0.1, 0.2, 0.3], Named { name: "g", values: &group }, None, &settings())
                .unwrap();
        assert_eq!(report.groups[0].group, None);
        assert_eq!(report.groups[0].rows, 1);
    }

    #[test]
    fn bad_requests_are_refused() {
        let group = [Some("a"), None];
        let run = |settings: &FairnessSettings, values: &[Option<&str>]| {
            fairness(&[true, false], &[0.1, 0.2], Named { name: "g", values }, None, settings)
        };
        let unknown = FairnessSettings { reference: Some("z".into()), ..settings() };
        assert!(matches!(run(&unknown, &group), Err(ValidationError::UnknownName { .. })));
        assert!(matches!(run(&settings(), &[None, None]), Err(ValidationError::UnknownName { .. })));
        assert!(matches!(run(&settings(), &[None]), Err(ValidationError::LengthMismatch { .. })));
        let broken = FairnessSettings { cut_off_pd: f64::NAN, ..settings() };
        assert!(matches!(run(&broken, &group), Err(ValidationError::BadSetting { .. })));
    }
}
