//! Training of the ability model.

use serde::{Deserialize, Serialize};

use super::category::{CategoryEffects, Residual};
use super::conformal::shifts;
use super::history::{ReceiptHistory, YEAR};
use super::naive::pinball;
use super::predict::{AbilityModel, FORMAT, HORIZON_LEVELS, HorizonModel, Inputs, LevelModel, Market, NOTHING};
use super::quantile::{QUARTER_COLUMN, Sample, SizeEffect, fit, fitted};
use super::report::{AbilityReport, Lowered, judge, lowering};
use crate::domain::elementary::{ln, pow};
use crate::model::ModelError;

/// How the ability model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AbilitySettings {
    /// Share of outcomes that may fall below the figure by which is lent; one of [`HORIZON_LEVELS`], below a half.
    pub quantile: f64,
    /// Ridge strength, in rows: each coefficient is drawn to zero as if by so many rows.
    pub ridge: f64,
    /// Groups of size that are calibrated apart.
    pub groups: usize,
}

impl Default for AbilitySettings {
    fn default() -> Self {
        Self { quantile: 0.1, ridge: 3.0, groups: 4 }
    }
}

/// What a row of training is used for. All rows of a merchant are used for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbilityGroup {
    /// Coefficients are fitted to it.
    Fit,
    /// Quantiles are shifted by it.
    Calibrate,
    /// Neither: it judges what came out.
    Judge,
}

/// A merchant at an observation, and what came in after it.
#[derive(Debug, Clone)]
pub struct ObservedReceipts {
    /// What could be seen.
    pub history: ReceiptHistory,
    /// Whole periods of which the market's receipts were known.
    pub known_periods: usize,
    /// The season of the merchant's category, by horizon.
    pub seasons: Vec<f64>,
    /// Net receipts after the observation, by horizon, minor units.
    pub after_minor: Vec<i64>,
    /// What the row is used for.
    pub group: AbilityGroup,
}

impl ObservedReceipts {
    /// Receipts over a horizon, not below zero: nothing can be repaid from less.
    pub(super) fn after(&self, horizon: usize) -> Option<f64> {
        self.after_minor.get(horizon).map(|&minor| minor.max(0) as f64)
    }

    pub(super) fn market(&self, horizon: usize) -> Market {
        let season = self.seasons.get(horizon).copied().unwrap_or_default();
        Market { known_periods: self.known_periods, season }
    }
}

/// A trained ability model and what its training told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedAbility {
    /// The model.
    pub ability: AbilityModel,
    /// The report.
    pub report: AbilityReport,
}

/// Rows whose receipts are known that a fit needs.
pub(crate) const MIN_ROWS: usize = 30;
/// So many rows bound a quantile of a twentieth.
pub(crate) const MIN_CALIBRATING: usize = 20;

/// Exponents of a merchant's own season that are tried.
const OWN_SEASONS: [f64; 4] = [0.0, 0.1, 0.2, 0.35];

/// Trains the ability model over `horizons`, in days, the shortest first. Merchants without receipts in the year before, as far as it is
/// known, are left out: nothing is foreseen of them, and nothing is lent on it.
///
/// # Errors
/// Settings out of range, or too few rows to fit or to calibrate by.
pub fn train_ability(
    rows: &[ObservedReceipts],
    horizons: &[u16],
    settings: &AbilitySettings,
) -> Result<TrainedAbility, ModelError> {
    let lent_by = HORIZON_LEVELS.iter().position(|level| (level - settings.quantile).abs() < 1e-9);
    let is_sound = settings.quantile < 0.5 && settings.ridge > 0.0 && settings.groups > 0 && !horizons.is_empty();
    let Some(lent_by) = lent_by.filter(|_| is_sound) else {
        let why = "quantile 0.05, 0.1 or 0.25, ridge above 0, at least one group and one horizon".to_owned();
        return Err(ModelError::BadSetting { setting: "ability", why });
    };
    let rows: Vec<&ObservedReceipts> =
        rows.iter().filter(|row| row.history.levels(row.known_periods).is_some()).collect();
    let of = |group: AbilityGroup| rows.iter().copied().filter(move |row| row.group == group);
    let (to_fit, to_calibrate) = (of(AbilityGroup::Fit).count(), of(AbilityGroup::Calibrate).count());
    if to_fit < MIN_ROWS || to_calibrate < MIN_CALIBRATING {
        let why = format!(
            "{to_fit} merchant snapshots with receipts to fit and {to_calibrate} to calibrate by: at least {MIN_ROWS} and {MIN_CALIBRATING} are \
             needed for ability"
        );
        return Err(ModelError::CannotTrain { why });
    }
    let reach_periods = of(AbilityGroup::Fit).map(|row| row.known_periods).max().unwrap_or(YEAR);
    let levels = of(AbilityGroup::Fit).filter_map(|row| row.history.levels(row.known_periods));
    let sizes: Vec<f64> = levels.map(|[year, ..]| ln(year)).collect();
    let mut model = AbilityModel {
        format: FORMAT,
        centre: sizes.iter().sum::<f64>() / sizes.len() as f64,
        sizes: sizes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &s| (low.min(s), high.max(s))),
        reach_periods,
        quantile: settings.quantile,
        horizons: Vec::new(),
    };
    for (at, &horizon_days) in horizons.iter().enumerate() {
        let fitting: Vec<(&ObservedReceipts, Inputs, f64)> = looked_at(&model, of(AbilityGroup::Fit), at, horizon_days);
        let calibrating = looked_at(&model, of(AbilityGroup::Calibrate), at, horizon_days);
        let sample = Sample {
            x: fitting.iter().map(|(_, inputs, _)| inputs.row).collect(),
            y: fitting.iter().map(|(_, _, target)| *target).collect(),
        };
        let coefficients = HORIZON_LEVELS
            .iter()
            .map(|&level| {
                // A cautious figure grows with size, the median as the rows say.
                let size = if level < 0.5 { SizeEffect::AtLeastInProportion } else { SizeEffect::Free };
                fit(&sample, level, size, settings.ridge)
            })
            .collect::<Result<Vec<_>, _>>()?;
        // The quarter's exponent must stay above zero where a weak last year takes from it.
        let lower = HORIZON_LEVELS.iter().zip(&coefficients).filter(|(level, _)| **level < 0.5);
        let most = lower.map(|(_, c)| c.get(QUARTER_COLUMN).copied().unwrap_or_default()).fold(f64::INFINITY, f64::min);
        let own_season = coefficients
            .get(lent_by)
            .map_or(0.0, |c| own_season(&fitting, at, settings.quantile, most, |inputs| fitted(c, &inputs.row)));
        let levels = HORIZON_LEVELS.iter().zip(coefficients).map(|(&level, coefficients)| {
            let left = |inputs: &Inputs, target: f64| {
                let own = inputs.own_season.map_or(0.0, |own| own_season * ln(own));
                target - fitted(&coefficients, &inputs.row) - own
            };
            let residuals: Vec<Residual<'_>> = fitting
                .iter()
                .map(|(row, inputs, target)| Residual {
                    category: &row.history.category,
                    is_new: inputs.is_new,
                    left: left(inputs, *target),
                })
                .collect();
            let categories = CategoryEffects::learn(&residuals, level);
            let calibration: Vec<(f64, f64)> = calibrating
                .iter()
                .map(|(row, inputs, target)| {
                    (inputs.size, left(inputs, *target) - categories.of(&row.history.category, inputs.is_new))
                })
                .collect();
            let shifts = shifts(&calibration, level, settings.groups, MIN_ROWS);
            LevelModel { level, coefficients, categories, shifts }
        });
        let levels = levels.collect();
        model.horizons.push(HorizonModel { horizon_days, own_season, levels });
    }
    let lowered: Vec<Option<Lowered>> = (0..horizons.len()).map(|at| lowering(&model, &rows, at, lent_by)).collect();
    for (horizon, lowered) in model.horizons.iter_mut().zip(&lowered) {
        if let Some(Lowered { factor, .. }) = lowered {
            horizon.lower(settings.quantile, ln(*factor));
        }
    }
    let mut report = judge(&model, &rows, lent_by, (to_fit, to_calibrate));
    report.horizons.iter_mut().zip(lowered).for_each(|(horizon, lowered)| horizon.lowered = lowered);
    Ok(TrainedAbility { ability: model, report })
}

/// Rows with what the model looks at and the target: the logarithm of what came against the unit.
fn looked_at<'a>(
    model: &AbilityModel,
    rows: impl Iterator<Item = &'a ObservedReceipts>,
    at: usize,
    horizon_days: u16,
) -> Vec<(&'a ObservedReceipts, Inputs, f64)> {
    let row = |row: &'a ObservedReceipts| {
        let inputs = model.inputs(&row.history, row.market(at), at, horizon_days)?;
        let target = ln((row.after(at)? / inputs.unit).max(NOTHING));
        Some((row, inputs, target))
    };
    rows.filter_map(row).collect()
}

/// The exponent, at most `most`, that leaves the least loss over merchants who traded a year ago; none where there are too few of them.
fn own_season(
    rows: &[(&ObservedReceipts, Inputs, f64)],
    at: usize,
    level: f64,
    most: f64,
    fitted: impl Fn(&Inputs) -> f64,
) -> f64 {
    let known: Vec<(f64, f64, f64, f64)> = rows
        .iter()
        .filter_map(|(row, inputs, _)| {
            let ratio = crate::domain::elementary::exp(fitted(inputs));
            Some((inputs.own_season?, ratio, inputs.unit, row.after(at)?))
        })
        .collect();
    if known.len() < 4 * MIN_ROWS {
        return 0.0;
    }
    let loss = |exponent: f64| -> f64 {
        known.iter().map(|(own, ratio, unit, seen)| pinball(level, *seen, unit * ratio * pow(*own, exponent))).sum()
    };
    let allowed = OWN_SEASONS.iter().filter(|exponent| **exponent <= most);
    let best = allowed.map(|&exponent| (loss(exponent), exponent)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(0.0, |(_, exponent)| exponent)
}
