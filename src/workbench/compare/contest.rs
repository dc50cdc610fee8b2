//! Champion and challenger on one table: who ranks better, who is better calibrated, and what would change for whom.

use serde::{Deserialize, Serialize};

use super::error::CompareError;
use super::migration::{Migration, migration};
use super::swap_set::{SwapSet, swap_set};
use crate::model::validation::{
    Ranked, Tie, ValidationError, ValidationReport, ValidationSettings, log_loss, two_sided_p_value, two_sided_z,
    validate_ranked,
};
use crate::workbench::validation::{DeLongTest, delong_test};

/// How two models are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComparisonSettings {
    /// Approval rates at which swap sets are made, each above 0 and at most 1.
    pub approval_rates: Vec<f64>,
    /// Settings of each model's own report; its bins are those of the migration, too.
    pub validation: ValidationSettings,
}

impl Default for ComparisonSettings {
    fn default() -> Self {
        Self { approval_rates: vec![0.5, 0.6, 0.7, 0.8, 0.9], validation: ValidationSettings::default() }
    }
}

/// The mean difference of a loss over rows, champion less challenger: above 0, the challenger is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LossDifference {
    /// Mean difference per row.
    pub difference: f64,
    /// Its interval, from the rows' paired differences.
    pub interval: [f64; 2],
    /// Two-sided p-value of "no difference"; 1 where all rows agree.
    pub p_value: f64,
}

/// Two models compared on one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The champion's report.
    pub champion: ValidationReport,
    /// The challenger's report.
    pub challenger: ValidationReport,
    /// `DeLong`'s test of the AUCs, champion first; null where it is undefined.
    pub auc_test: Option<DeLongTest>,
    /// Why the test is null.
    pub auc_test_undefined: Option<String>,
    /// Squared errors compared.
    pub brier_difference: LossDifference,
    /// Log losses compared.
    pub log_loss_difference: LossDifference,
    /// Who would be swapped, at each approval rate.
    pub swap_sets: Vec<SwapSet>,
    /// How rows move between deciles.
    pub migration: Migration,
}

/// Compares two models' predictions for the same rows.
///
/// # Errors
/// Columns that do not fit each other, predictions that are not probabilities, settings out of range.
pub fn compare(
    is_bad: &[bool],
    champion_pd: &[f64],
    challenger_pd: &[f64],
    settings: &ComparisonSettings,
) -> Result<Comparison, CompareError> {
    let champion = Ranked::new(is_bad, champion_pd)?;
    let challenger = Ranked::new(is_bad, challenger_pd)?;
    for rate in &settings.approval_rates {
        if !(*rate > 0.0 && *rate <= 1.0) {
            let allowed = "above 0 and at most 1";
            return Err(ValidationError::BadSetting { setting: "an approval rate", value: *rate, allowed }.into());
        }
    }
    let confidence = settings.validation.confidence;
    let (one, two) = ((champion_pd, &champion), (challenger_pd, &challenger));
    let test = delong_test(is_bad, champion_pd, challenger_pd, confidence)?;
    let surprise =
        |bad: bool, pd: f64| log_loss(&[Tie { pd, good: f64::from(u8::from(!bad)), bad: f64::from(u8::from(bad)) }]);
    Ok(Comparison {
        champion: validate_ranked(&champion, &settings.validation)?,
        challenger: validate_ranked(&challenger, &settings.validation)?,
        auc_test: test.ok(),
        auc_test_undefined: test.err().map(|reason| reason.to_string()),
        brier_difference: squared_error_difference(is_bad, champion_pd, challenger_pd, confidence),
        log_loss_difference: paired(is_bad, champion_pd, challenger_pd, surprise, confidence),
        swap_sets: settings.approval_rates.iter().map(|rate| swap_set(is_bad, one, two, *rate, confidence)).collect(),
        migration: migration(is_bad, one, two, settings.validation.bins),
    })
}

/// Mean difference of squared errors. The columns are of one table.
pub(super) fn squared_error_difference(
    is_bad: &[bool],
    champion: &[f64],
    challenger: &[f64],
    confidence: f64,
) -> LossDifference {
    paired(is_bad, champion, challenger, |bad, pd| (pd - f64::from(u8::from(bad))).powi(2), confidence)
}

fn paired(
    is_bad: &[bool],
    champion: &[f64],
    challenger: &[f64],
    loss: impl Fn(bool, f64) -> f64,
    confidence: f64,
) -> LossDifference {
    let mut differences: Vec<f64> = is_bad
        .iter()
        .zip(champion.iter().zip(challenger))
        .map(|(bad, (one, two))| loss(*bad, *one) - loss(*bad, *two))
        .collect();
    // In ascending order, so that the order of rows does not reach the last bits.
    differences.sort_unstable_by(f64::total_cmp);
    let n = differences.len() as f64;
    let difference = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - difference).powi(2)).sum();
    let error = if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
    let half = two_sided_z(confidence) * error;
    let p_value = if error > 0.0 { two_sided_p_value(difference / error) } else { 1.0 };
    LossDifference { difference, interval: [difference - half, difference + half], p_value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{OTHER_PD, PD, assert_close, is_bad};

    // numpy 2: d = (pd - y)**2 - (other - y)**2; d.mean(), d.std(ddof=1) / sqrt(40); scipy 1.17.1: 2 * norm.sf(|z|)
    #[test]
    fn losses_are_compared_row_by_row() {
        let found = compare(&is_bad(), &PD, &OTHER_PD, &ComparisonSettings::default()).unwrap();
        let difference = found.brier_difference;
        assert_close(difference.difference, found.champion.brier - found.challenger.brier, 1e-14);
        assert_close(found.log_loss_difference.difference, found.champion.log_loss - found.challenger.log_loss, 1e-14);
        assert_close(difference.difference, -0.011_877_5, 1e-14);
        assert_close(difference.interval[0], -0.032_047_205_353_597_44, 1e-10);
        assert_close(difference.p_value, 0.248_426_345_796_395_1, 1e-10);
        assert_close(found.auc_test.unwrap().z, 0.928_395_437_842_231_4, 1e-12);
        assert_eq!(found.swap_sets.len(), 5);
        for set in &found.swap_sets {
            assert_eq!(set.both.rows + set.swapped_in.rows + set.swapped_out.rows + set.neither.rows, 40);
            assert!(set.champion_rate <= set.approval_rate && set.challenger_rate <= set.approval_rate);
        }
        assert_eq!(found.migration.rows.iter().flatten().sum::<u64>(), 40);
        assert_eq!(found.migration.bad.iter().flatten().sum::<u64>(), 13);
    }

    #[test]
    fn a_model_against_itself_changes_nothing() {
        let found = compare(&is_bad(), &PD, &PD, &ComparisonSettings::default()).unwrap();
        assert!(found.auc_test.is_none() && found.auc_test_undefined.is_some());
        assert_close(found.brier_difference.p_value, 1.0, 0.0);
        assert!(found.swap_sets.iter().all(|set| set.swapped_in.rows + set.swapped_out.rows == 0));
        assert_close(found.migration.unmoved_share, 1.0, 0.0);
    }

    #[test]
    fn row_order_changes_no_bit_and_bad_requests_are_refused() {
        let settings = ComparisonSettings::default();
        let rotate = |values: &[f64]| {
            let mut values = values.to_vec();
            values.rotate_left(11);
            values
        };
        let mut bad = is_bad();
        bad.rotate_left(11);
        assert_eq!(
            compare(&bad, &rotate(&PD), &rotate(&OTHER_PD), &settings).unwrap(),
            compare(&is_bad(), &PD, &OTHER_PD, &settings).unwrap()
        );
        assert!(compare(&is_bad(), &PD, &PD[..3], &settings).is_err());
        let broken = ComparisonSettings { approval_rates: vec![0.0], ..settings };
        assert!(compare(&is_bad(), &PD, &OTHER_PD, &broken).is_err());
    }
}
