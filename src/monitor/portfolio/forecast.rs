//! What was foreseen of loans, and what became of them: realised against predicted default, expected against realised loss.
//!
//! On the first night that shows a loan open and its borrower not in default, the borrower's probability of default of that night is a forecast of it: over the
//! model's horizon, on what is owed then. It is never changed afterwards. On the first night after the horizon that knows the loan, the outcome is taken:
//!
//! ```text
//! default       = in default for the first time after the night of the forecast, and within the horizon
//! expected loss = owed on the night of the forecast × probability × loss given default ([provisions] of the monitor file)
//! lost          = what is not repaid of it when the outcome is taken, of a loan in default; later recoveries are not in it
//! ```
//! Sums are over the loans of a month of disbursement, a product, a risk band, and all. **Realised** rows are over forecasts whose horizon is over and have an exact 95 %
//! interval of the default rate; **estimated** rows over those that still run, whose defaults nobody knows: what the model says, and no more. Defaults of
//! one year are not independent, so the truth lies outside of such intervals more often than they say.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::{BookContext, BookMerchant};
use super::totals::sum;
use crate::model::validation::exact_interval;
use crate::monitor::error::MonitorError;
use crate::monitor::restructure::share_ppm;
use crate::repayment::LoanStanding;

/// One loan's forecast: a row of `forecasts.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoanForecast {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Its product.
    pub product: String,
    /// When the money was paid out; `None` where that lies beyond the calendar.
    pub disbursed_on: Option<Date>,
    /// The night of the forecast.
    pub made_on: Date,
    /// The last day of its horizon.
    pub until_on: Date,
    /// The borrower's risk band on that night.
    pub band: Option<String>,
    /// The borrower's probability of default on that night; `None` without a score.
    pub pd_prob: Option<f64>,
    /// Principal not repaid on that night.
    pub exposure_minor: i64,
    /// What was expected to be lost; `None` without a probability, or where no loss given default is configured.
    pub expected_loss_minor: Option<i64>,
    /// What became of it.
    pub outcome: ForecastOutcome,
    /// What was lost; `None` while the horizon runs.
    pub lost_minor: Option<i64>,
}

/// What became of a loan within the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForecastOutcome {
    /// The horizon runs, or the loan has not been known since it was over.
    Open,
    /// No default within it.
    NoDefault,
    /// In default within it.
    Default,
}

impl ForecastOutcome {
    /// Stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NoDefault => "no-default",
            Self::Default => "default",
        }
    }
}

impl LoanForecast {
    /// The forecast of a loan that is seen for the first time; `None` of one that is over, or whose borrower is in default already.
    pub(super) fn make(
        loan: &LoanStanding,
        merchant: &BookMerchant,
        is_bad: bool,
        context: &BookContext<'_>,
    ) -> Option<Self> {
        if loan.is_closed || loan.is_written_off || loan.history.default_first_on.is_some() || is_bad {
            return None;
        }
        let lgd = context.monitor.portfolio.provisions.as_ref().map(|terms| share_ppm(terms.loss_given_default_share));
        let expected = |(pd, lgd): (f64, i64)| {
            let loss =
                i128::from(loan.outstanding_minor) * i128::from(share_ppm(pd)) * i128::from(lgd) / 1_000_000_000_000;
            i64::try_from(loss).unwrap_or(i64::MAX)
        };
        Some(Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan.loan_id.clone(),
            product: loan.product.clone(),
            disbursed_on: loan.history.disbursed_on,
            made_on: context.as_of,
            until_on: context.as_of.saturating_add(i64::from(context.horizon_days).days()),
            band: merchant.band.clone(),
            pd_prob: merchant.pd_prob,
            exposure_minor: loan.outstanding_minor,
            expected_loss_minor: merchant.pd_prob.zip(lgd).map(expected),
            outcome: ForecastOutcome::Open,
            lost_minor: None,
        })
    }

    /// The same once the loan is known tonight: the outcome is taken where the horizon is over.
    pub(super) fn seen(mut self, loan: &LoanStanding, tonight: Date) -> Self {
        if self.outcome != ForecastOutcome::Open || tonight <= self.until_on {
            return self;
        }
        let defaulted = loan.history.default_first_on.filter(|on| *on > self.made_on && *on <= self.until_on);
        let unpaid = loan.outstanding_minor.clamp(0, self.exposure_minor.max(0));
        (self.outcome, self.lost_minor) = match defaulted {
            Some(_) => (ForecastOutcome::Default, Some(unpaid)),
            None => (ForecastOutcome::NoDefault, Some(0)),
        };
        self
    }
}

/// What loans are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForecastBy {
    /// All together.
    All,
    /// First day of the month in which the money was paid out.
    Vintage,
    /// Product.
    Product,
    /// Risk band on the night of the forecast.
    Band,
}

/// Whether outcomes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The horizon is over: what happened.
    Realised,
    /// It runs: what the model says, and no more.
    Estimated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums {
    loans: i64,
    without_prob: i64,
    exposure_minor: i64,
    expected_ppm: i64,
    defaults: i64,
    expected_loss_minor: i64,
    lost_minor: i64,
}

impl Sums {
    fn of(forecast: &LoanForecast) -> Self {
        let Some(pd) = forecast.pd_prob else { return Self { without_prob: 1, ..Self::default() } };
        Self {
            loans: 1,
            without_prob: 0,
            exposure_minor: forecast.exposure_minor,
            expected_ppm: share_ppm(pd),
            defaults: i64::from(forecast.outcome == ForecastOutcome::Default),
            expected_loss_minor: forecast.expected_loss_minor.unwrap_or(0),
            lost_minor: forecast.lost_minor.unwrap_or(0),
        }
    }

    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        for (mine, theirs) in [
            (&mut self.loans, other.loans),
            (&mut self.without_prob, other.without_prob),
            (&mut self.exposure_minor, other.exposure_minor),
            (&mut self.expected_ppm, other.expected_ppm),
            (&mut self.defaults, other.defaults),
            (&mut self.expected_loss_minor, other.expected_loss_minor),
            (&mut self.lost_minor, other.lost_minor),
        ] {
            *mine = sum(*mine, theirs, "forecasts")?;
        }
        Ok(())
    }
}

/// Sums over forecasts, of a shard or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForecastSums(BTreeMap<(ForecastBy, Option<String>, Standing), Sums>);

impl ForecastSums {
    /// Adds a forecast.
    pub(super) fn add(&mut self, forecast: &LoanForecast) -> Result<(), MonitorError> {
        let standing = match forecast.outcome {
            ForecastOutcome::Open => Standing::Estimated,
            ForecastOutcome::NoDefault | ForecastOutcome::Default => Standing::Realised,
        };
        let vintage = forecast.disbursed_on.map(|on| on.first_of_month().to_string());
        for (by, member) in [
            (ForecastBy::All, Some("all".to_owned())),
            (ForecastBy::Vintage, vintage),
            (ForecastBy::Product, Some(forecast.product.clone())),
            (ForecastBy::Band, forecast.band.clone()),
        ] {
            self.0.entry((by, member, standing)).or_default().merge(&Sums::of(forecast))?;
        }
        Ok(())
    }

    /// Adds another shard's.
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        other.0.iter().try_for_each(|(key, sums)| self.0.entry(key.clone()).or_default().merge(sums))
    }

    /// The rows as published.
    pub(super) fn lines(&self) -> Vec<ForecastLine> {
        let line = |((by, member, standing), sums): (&(ForecastBy, Option<String>, Standing), &Sums)| {
            let is_realised = *standing == Standing::Realised;
            let count = |value: i64| u64::try_from(value).unwrap_or(0);
            let of_loans = |value: f64| (sums.loans > 0).then(|| value / sums.loans as f64);
            let known = is_realised && sums.loans > 0;
            let interval = known.then(|| exact_interval(count(sums.defaults), count(sums.loans), CONFIDENCE));
            let expected = of_loans(sums.expected_ppm as f64 / 1e6);
            ForecastLine {
                by: *by,
                member: member.clone(),
                standing: *standing,
                loans: sums.loans,
                loans_without_prob: sums.without_prob,
                exposure_minor: sums.exposure_minor,
                expected_default_share: expected,
                default_share: of_loans(sums.defaults as f64).filter(|_| is_realised),
                default_share_low: interval.map(|[low, _]| low),
                default_share_high: interval.map(|[_, high]| high),
                is_as_expected: expected.zip(interval).map(|(share, [low, high])| low <= share && share <= high),
                defaults: is_realised.then_some(sums.defaults),
                expected_loss_minor: sums.expected_loss_minor,
                lost_minor: is_realised.then_some(sums.lost_minor),
            }
        };
        self.0.iter().map(line).collect()
    }
}

/// Of the interval of a default rate.
const CONFIDENCE: f64 = 0.95;

/// Forecasts beside what happened: a row of `forecast_outcomes.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastLine {
    /// What loans are told apart by.
    pub by: ForecastBy,
    /// The member; `None` where it is not known.
    pub member: Option<String>,
    /// Whether outcomes are known.
    pub standing: Standing,
    /// Loans with a probability.
    pub loans: i64,
    /// Loans without one: in no other figure.
    pub loans_without_prob: i64,
    /// Owed on the nights of the forecasts.
    pub exposure_minor: i64,
    /// Mean probability of default.
    pub expected_default_share: Option<f64>,
    /// Loans that were in default within the horizon ÷ loans; `None` while it runs.
    pub default_share: Option<f64>,
    /// Lower end of its exact 95 % interval.
    pub default_share_low: Option<f64>,
    /// Upper end.
    pub default_share_high: Option<f64>,
    /// The mean probability lies within it.
    pub is_as_expected: Option<bool>,
    /// Loans that were in default within the horizon; `None` while it runs.
    pub defaults: Option<i64>,
    /// What was expected to be lost.
    pub expected_loss_minor: i64,
    /// What was lost; `None` while the horizon runs.
    pub lost_minor: Option<i64>,
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
