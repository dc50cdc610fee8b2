//! The ability model as data, and what it foresees.

use serde::{Deserialize, Serialize};

use super::category::CategoryEffects;
use super::conformal::{SizeShift, shift_at};
use super::history::{LEVELS, PERIOD_DAYS, QUARTER, ReceiptHistory, YEAR};
use super::quantile::{Coefficients, Row, fitted};
use super::season::CategoryReceipts;
use crate::domain::elementary::{exp, ln, pow};
use crate::model::ModelError;

/// Quantiles that are foreseen, smallest first. The one by which is lent is [`super::AbilitySettings::quantile`].
pub const HORIZON_LEVELS: [f64; 6] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9];
/// Ratio of what comes to the yearly mean that counts as nothing: smaller outcomes are not told apart.
pub(super) const NOTHING: f64 = 0.01;
/// A fitted ratio below it is one of nothing: the fit is smooth, and does not come closer to [`NOTHING`].
const NEAR_NOTHING: f64 = 2.0 * NOTHING;
/// Days of history up to which a merchant is new.
pub(super) const NEW_DAYS: u16 = 90;

/// One quantile of receipts over one horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelModel {
    /// Share of merchants meant to take in less.
    pub level: f64,
    /// Coefficients: constant, size, quarter, month, weakest month of the quarter, weakest month of the year (each against the year), and
    /// `1 − 1 ÷ √(1 + active days)`: the fewer days had receipts, the more of what they say is chance.
    pub coefficients: Coefficients,
    /// What categories add.
    pub categories: CategoryEffects,
    /// What calibration adds.
    pub shifts: Vec<SizeShift>,
}

/// Receipts over one horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HorizonModel {
    /// Days ahead.
    pub horizon_days: u16,
    /// Exponent of (same days a year ago ÷ what the quarter says now), for merchants who traded then; it only ever lowers.
    pub own_season: f64,
    /// Quantiles, smallest first.
    pub levels: Vec<LevelModel>,
}

impl HorizonModel {
    /// Adds to the logarithm of every quantile up to one: what was foreseen at the least turned out to be too much.
    pub(super) fn lower(&mut self, quantile: f64, by: f64) {
        for level in self.levels.iter_mut().filter(|level| level.level <= quantile + 1e-9) {
            level.shifts.iter_mut().for_each(|shift| shift.shift += by);
        }
    }
}

/// The distribution of net receipts over some horizons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbilityModel {
    /// Version of this layout.
    pub format: u32,
    /// Mean logarithm of the yearly mean month in training: sizes are told against it.
    pub centre: f64,
    /// Smallest and largest such logarithm in training; a merchant beyond counts as one at the end.
    pub sizes: (f64, f64),
    /// Periods that levels look back at most: so many were known where it learnt. What further periods say it has not seen.
    #[serde(default)]
    pub reach_periods: usize,
    /// The quantile by which is lent.
    pub quantile: f64,
    /// Shortest horizon first.
    pub horizons: Vec<HorizonModel>,
}

/// Receipts that are foreseen over one horizon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HorizonForecast {
    /// Days ahead.
    pub horizon_days: u16,
    /// Reached by all but a share of merchants, which is the model's `quantile`.
    pub lower_minor: i64,
    /// Reached by half of them.
    pub median_minor: i64,
    /// Reached by a tenth of them.
    pub upper_minor: i64,
}

/// All that is foreseen of a merchant's receipts; empty where nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReceiptForecast {
    /// By horizon, the shortest first.
    pub horizons: Vec<HorizonForecast>,
}

impl ReceiptForecast {
    /// The same lower figure over any term: for callers who know no more.
    #[must_use]
    pub fn flat(lower_minor: i64) -> Self {
        let ahead =
            HorizonForecast { horizon_days: 1, lower_minor, median_minor: lower_minor, upper_minor: lower_minor };
        Self { horizons: vec![ahead] }
    }

    /// What will come in over a term at the least: the lower figure of the longest horizon that is not longer. Receipts of the days beyond
    /// it are not counted. `None` where no horizon is that short: less than it was foreseen for nothing is known of.
    #[must_use]
    pub fn lower_minor(&self, term_days: u16) -> Option<i64> {
        self.longest_within(term_days).map(|ahead| ahead.lower_minor)
    }

    /// What is foreseen over the longest horizon that is not longer than a term.
    #[must_use]
    pub fn longest_within(&self, term_days: u16) -> Option<&HorizonForecast> {
        let within = self.horizons.iter().filter(|ahead| ahead.horizon_days <= term_days);
        within.max_by_key(|ahead| ahead.horizon_days)
    }
}

/// A merchant's receipts as they are published: what is foreseen over one horizon, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MerchantReceipts {
    /// The merchant.
    pub merchant_id: String,
    /// Days ahead.
    pub horizon_days: u16,
    /// Days since the first receipt that was looked at; 0 for none.
    pub history_days: u16,
    /// Net receipts of the last 90 days.
    pub last_90_days_minor: i64,
    /// Net receipts of the last 360 days.
    pub last_360_days_minor: i64,
    /// What the time of the year does to the category, as a logarithm.
    pub season: f64,
    /// As in [`HorizonForecast`].
    pub lower_minor: i64,
    /// As in [`HorizonForecast`].
    pub median_minor: i64,
    /// As in [`HorizonForecast`].
    pub upper_minor: i64,
}

impl MerchantReceipts {
    /// The row of a merchant and horizon.
    #[must_use]
    pub fn new(
        merchant_id: &str,
        history: &ReceiptHistory,
        seasons: &CategoryReceipts,
        ahead: &HorizonForecast,
    ) -> Self {
        let last = |periods: usize| history.periods.iter().take(periods).fold(0, |sum: i64, p| sum.saturating_add(*p));
        Self {
            merchant_id: merchant_id.to_owned(),
            horizon_days: ahead.horizon_days,
            history_days: history.history_days,
            last_90_days_minor: last(QUARTER),
            last_360_days_minor: last(YEAR),
            season: seasons.season(&history.category, ahead.horizon_days) + 0.0,
            lower_minor: ahead.lower_minor,
            median_minor: ahead.median_minor,
            upper_minor: ahead.upper_minor,
        }
    }
}

/// What all merchants together say at an observation, over one horizon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Market {
    /// Whole periods of which receipts are known.
    pub known_periods: usize,
    /// The season of the merchant's category, as a logarithm.
    pub season: f64,
}

/// What the model looks at of one merchant at one horizon.
pub(super) struct Inputs {
    pub row: Row,
    /// Logarithm of the yearly mean month, kept within training's.
    pub size: f64,
    /// Yearly mean month × horizon in months × season, minor units: what a ratio of 1 means.
    pub unit: f64,
    /// Same days a year ago against what the quarter and the season say, at most 1; `None` where not known.
    pub own_season: Option<f64>,
    pub is_new: bool,
}

impl AbilityModel {
    /// What is known of a merchant; `None` without receipts in a year, or in as much of it as is known.
    pub(super) fn inputs(&self, history: &ReceiptHistory, market: Market, horizon: usize, days: u16) -> Option<Inputs> {
        let Market { known_periods, season } = market;
        let known = self.within_reach(known_periods);
        let [year, others @ ..]: [f64; LEVELS] = history.levels(known)?;
        let size = ln(year).clamp(self.sizes.0, self.sizes.1);
        let [quarter, month, weak_quarter, weak_year] = others.map(|level| ln(level / year));
        let months = f64::from(days) / f64::from(PERIOD_DAYS);
        // Both are levels: they are never nothing, and superadditive.
        let expected = others.first().copied().unwrap_or_default() * exp(season);
        let own = history.same_days_last_year(horizon).map(|minor| history.with_yearly_share(minor / months, known));
        Some(Inputs {
            row: [
                1.0,
                size - self.centre,
                quarter,
                month,
                weak_quarter,
                weak_year,
                1.0 - 1.0 / (1.0 + f64::from(history.active_days)).sqrt(),
            ],
            size,
            unit: year * months * exp(season),
            own_season: own.map(|last_year| (last_year / expected).min(1.0)),
            is_new: history.history_days < NEW_DAYS,
        })
    }

    /// Of the periods that are known, those that levels look back.
    pub(super) fn within_reach(&self, known_periods: usize) -> usize {
        known_periods.min(self.reach_periods)
    }

    /// Its horizons in days, the shortest first.
    #[must_use]
    pub fn horizon_days(&self) -> Vec<u16> {
        self.horizons.iter().map(|horizon| horizon.horizon_days).collect()
    }

    /// What is foreseen of a merchant. `seasons` are those of all merchants, as of the same observation.
    #[must_use]
    pub fn foresee(&self, history: &ReceiptHistory, seasons: &CategoryReceipts) -> ReceiptForecast {
        let of = |(at, model): (usize, &HorizonModel)| {
            let season = seasons.season(&history.category, model.horizon_days);
            let market = Market { known_periods: seasons.known_periods(), season };
            let at_level = |level: f64| {
                let amounts = self.quantiles(history, market, at, model);
                let found = model.levels.iter().position(|m| m.level >= level - 1e-9);
                minor(found.and_then(|n| amounts.get(n)).copied().unwrap_or(0.0))
            };
            HorizonForecast {
                horizon_days: model.horizon_days,
                lower_minor: at_level(self.quantile),
                median_minor: at_level(0.5),
                upper_minor: at_level(0.9),
            }
        };
        ReceiptForecast { horizons: self.horizons.iter().enumerate().map(of).collect() }
    }

    /// Amounts at every level, minor units, smallest level first. Where levels were fitted across each other the higher gives way: the lower
    /// figures are those that are lent by.
    pub(super) fn quantiles(
        &self,
        history: &ReceiptHistory,
        market: Market,
        at: usize,
        model: &HorizonModel,
    ) -> Vec<f64> {
        let Some(inputs) = self.inputs(history, market, at, model.horizon_days) else {
            return vec![0.0; model.levels.len()];
        };
        let mut least = 0.0_f64;
        let amounts = model.levels.iter().map(|level| {
            let effect = level.categories.of(&history.category, inputs.is_new);
            let log = fitted(&level.coefficients, &inputs.row) + effect + shift_at(&level.shifts, inputs.size);
            let ratio = exp(log) * inputs.own_season.map_or(1.0, |own| pow(own, model.own_season));
            let amount = if ratio <= NEAR_NOTHING { 0.0 } else { inputs.unit * ratio };
            least = least.max(amount);
            least
        });
        amounts.collect()
    }

    /// Whether its numbers are those that training writes.
    ///
    /// # Errors
    /// The layout is another one.
    pub fn check(&self, path: &std::path::Path) -> Result<(), ModelError> {
        if self.format == FORMAT {
            return Ok(());
        }
        let why = format!("ability layout {} is not {FORMAT}", self.format);
        Err(ModelError::BadModel { path: path.to_owned(), why })
    }
}

/// Version of this layout.
pub(super) const FORMAT: u32 = 3;

/// Whole minor units, rounded down, never negative.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of exact whole numbers")]
fn minor(value: f64) -> i64 {
    value.floor().clamp(0.0, 9.0e15) as i64
}
