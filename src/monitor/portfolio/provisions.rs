//! Provisions in the stages of IFRS 9, under each scenario.
//!
//! | stage | loans | probability of default |
//! |---|---|---|
//! | performing (1) | all others | over the rest of the term, a year at most |
//! | under-performing (2) | late enough, restructured, or of a borrower who is likely enough to default; also of one without a probability | over the rest of the term |
//! | impaired (3) | non-performing by class, contagion included | 1 |
//! | unknown | nothing is known of them | 1, on what was lent |
//!
//! The model gives `p` over its horizon `h`. With a constant hazard, under a scenario's factor `f`, over `t` days: `1 − (1 − min(1, f·p))^(t ÷ h)`.
//! A loan that is past due or past its term is looked at over `h`. Without `p` the probability is 1: unknown never means good.
//! Provision = probability × loss given default × principal not repaid, rounded to whole minor units loan by loan. What is written off is gone
//! from the book and has none.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::settings::{ProvisionTerms, WEIGHTED};
use super::totals::sum;
use crate::domain::days_between;
use crate::domain::elementary::{exp_m1, ln_1p};
use crate::monitor::class::Class;
use crate::monitor::error::MonitorError;
use crate::repayment::LoanStanding;

/// How much worse a loan is than when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Stage 1.
    Performing,
    /// Stage 2: the risk has risen.
    UnderPerforming,
    /// Stage 3.
    Impaired,
    /// Nothing is known of it.
    Unknown,
}

impl Stage {
    /// Stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performing => "performing",
            Self::UnderPerforming => "under-performing",
            Self::Impaired => "impaired",
            Self::Unknown => "unknown",
        }
    }
}

/// One loan's provision under every scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provision {
    pub stage: Stage,
    pub exposure_minor: i64,
    /// In the order of the scenarios.
    pub by_scenario: Vec<i64>,
    pub weighted_minor: i64,
}

impl ProvisionTerms {
    /// Of a known loan, seen on a date. `pd_prob` is the borrower's, over `horizon_days`.
    pub(super) fn provide(
        &self,
        loan: &LoanStanding,
        class: Class,
        pd_prob: Option<f64>,
        horizon_days: u16,
        as_of: Date,
    ) -> Provision {
        let stage = self.stage(loan, class, pd_prob);
        let rest = loan.history.ends_on.map(|ends| days_between(as_of, ends)).filter(|days| *days > 0 && loan.dpd == 0);
        let horizon = f64::from(horizon_days.max(1));
        let days = match (rest, stage) {
            (None, _) => horizon,
            (Some(days), Stage::Performing) => f64::from(days.min(YEAR)),
            (Some(days), _) => f64::from(days),
        };
        let chance = |factor: f64| match pd_prob {
            Some(pd) if stage != Stage::Impaired => default_prob((pd * factor).min(1.0), days / horizon),
            _ => 1.0,
        };
        self.of(stage, loan.outstanding_minor, chance)
    }

    /// Of a loan of which nothing is known but, perhaps, what was lent.
    pub(super) fn of_unknown(&self, principal_minor: Option<i64>) -> Provision {
        self.of(Stage::Unknown, principal_minor.unwrap_or(0), |_| 1.0)
    }

    fn stage(&self, loan: &LoanStanding, class: Class, pd_prob: Option<f64>) -> Stage {
        if class.is_non_performing() {
            Stage::Impaired
        } else if loan.is_restructured
            || loan.dpd >= self.under_performing_from_dpd
            || pd_prob.is_none_or(|pd| pd >= self.under_performing_from_prob)
        {
            Stage::UnderPerforming
        } else {
            Stage::Performing
        }
    }

    fn of(&self, stage: Stage, exposure_minor: i64, chance: impl Fn(f64) -> f64) -> Provision {
        let lost = exposure_minor as f64 * self.loss_given_default_share;
        let losses: Vec<f64> = self.scenarios.iter().map(|scenario| lost * chance(scenario.pd_factor)).collect();
        let weighted: f64 = self.scenarios.iter().zip(&losses).map(|(scenario, loss)| scenario.weight * loss).sum();
        Provision {
            stage,
            exposure_minor,
            by_scenario: losses.into_iter().map(whole_minor).collect(),
            weighted_minor: whole_minor(weighted),
        }
    }
}

/// Days in a year.
const YEAR: i32 = 365;

/// Of `p` over one horizon, the probability over `horizons` of them.
fn default_prob(p: f64, horizons: f64) -> f64 {
    if p >= 1.0 { 1.0 } else { -exp_m1(horizons * ln_1p(-p)) }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of an i64, so it fits but for rounding, which saturates")]
fn whole_minor(minor: f64) -> i64 {
    minor.round() as i64
}

/// Provisions of many loans, by stage and scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ProvisionSums(BTreeMap<(Stage, String), ProvisionSum>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct ProvisionSum {
    loans: i64,
    exposure_minor: i64,
    provision_minor: i64,
}

impl ProvisionSums {
    pub fn add(&mut self, terms: &ProvisionTerms, provision: &Provision) -> Result<(), MonitorError> {
        let of = |provision_minor| ProvisionSum { loans: 1, exposure_minor: provision.exposure_minor, provision_minor };
        for (scenario, &minor) in terms.scenarios.iter().zip(&provision.by_scenario) {
            self.add_sum(provision.stage, &scenario.name, of(minor))?;
        }
        self.add_sum(provision.stage, WEIGHTED, of(provision.weighted_minor))
    }

    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        other.0.iter().try_for_each(|((stage, scenario), added)| self.add_sum(*stage, scenario, *added))
    }

    fn add_sum(&mut self, stage: Stage, scenario: &str, added: ProvisionSum) -> Result<(), MonitorError> {
        let known = self.0.entry((stage, scenario.to_owned())).or_default();
        known.loans = sum(known.loans, added.loans, "loans provided for")?;
        known.exposure_minor = sum(known.exposure_minor, added.exposure_minor, "exposure provided for")?;
        known.provision_minor = sum(known.provision_minor, added.provision_minor, "provisions")?;
        Ok(())
    }

    /// Principal of the open loans, and weighted provisions of all.
    pub fn totals(&self) -> (i128, i128) {
        let weighted = self.0.iter().filter(|((_, scenario), _)| scenario == WEIGHTED);
        weighted.fold((0, 0), |(exposure, provision), ((stage, _), sum)| {
            let counted = if *stage == Stage::Unknown { 0 } else { i128::from(sum.exposure_minor) };
            (exposure + counted, provision + i128::from(sum.provision_minor))
        })
    }

    pub fn lines(&self, as_of: Date) -> Vec<ProvisionLine> {
        let line = |((stage, scenario), sum): (&(Stage, String), &ProvisionSum)| ProvisionLine {
            night_on: as_of,
            scenario: scenario.clone(),
            stage: *stage,
            loans: sum.loans,
            exposure_minor: sum.exposure_minor,
            provision_minor: sum.provision_minor,
        };
        self.0.iter().map(line).collect()
    }
}

/// Provisions of one stage under one scenario: a row of `provisions.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionLine {
    /// The night.
    pub night_on: Date,
    /// The scenario; `weighted` for all by their weights.
    pub scenario: String,
    /// The stage.
    pub stage: Stage,
    /// Loans in it.
    pub loans: i64,
    /// Principal not repaid; what was lent, of loans of which nothing is known.
    pub exposure_minor: i64,
    /// What is set aside.
    pub provision_minor: i64,
}

#[cfg(test)]
#[path = "provisions_tests.rs"]
mod tests;
