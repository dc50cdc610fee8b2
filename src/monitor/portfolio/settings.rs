//! The sections `[portfolio]` and `[provisions]` of the monitor file.

use serde::Deserialize;
use toml::Spanned;

use super::roll::{NEW, NOT_SENT, PAID_OFF, UNKNOWN, WRITTEN_OFF};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// Names that no bucket may bear.
pub(crate) const RESERVED_PLACES: [&str; 5] = [PAID_OFF, WRITTEN_OFF, UNKNOWN, NOT_SENT, NEW];

/// Under which name the scenarios are published together.
pub(super) const WEIGHTED: &str = "weighted";

/// How the portfolio is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioTerms {
    /// Months, before the one that runs, of which roll rates are given.
    pub roll_months: u16,
    /// What is set aside; `None` where nothing is.
    pub provisions: Option<ProvisionTerms>,
}

/// What is set aside for losses to come.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisionTerms {
    /// Share of what is owed at default that is lost, 0 to 1.
    pub loss_given_default_share: f64,
    /// From how many days past due on a loan is under-performing.
    pub under_performing_from_dpd: i64,
    /// From which probability of default on it is.
    pub under_performing_from_prob: f64,
    /// What may come; weights add up to 1.
    pub scenarios: Vec<Scenario>,
}

/// One way in which things may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// How likely it is.
    pub weight: f64,
    /// By what probabilities of default are multiplied.
    pub pd_factor: f64,
}

/// `[portfolio]` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPortfolio {
    roll_months: Option<Spanned<i64>>,
}

/// `[provisions]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawProvisions {
    loss_given_default_share: Spanned<f64>,
    under_performing_from_dpd: Spanned<i64>,
    under_performing_from_prob: Spanned<f64>,
    scenario: Spanned<Vec<RawScenario>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    name: Spanned<String>,
    weight: Spanned<f64>,
    pd_factor: Spanned<f64>,
}

/// `[portfolio]` in the reference.
pub(crate) static PORTFOLIO_KEYS: Section = Section {
    head: "[portfolio]",
    doc: "How the portfolio is reported. The section may be left out.",
    keys: &[Key::new(
        "roll_months",
        "whole number",
        "3",
        "months, before the one that runs, of which roll rates are given; each costs another reading of the loan book",
    )
    .unit("months")
    .range("0 to 36")
    .or("3")],
};

/// `[provisions]` in the reference.
pub(crate) static PROVISION_KEYS: Section = Section {
    head: "[provisions]",
    doc: "What is set aside for losses to come, in the stages of IFRS 9: performing (over a year at most), under-performing (over the rest of the term) \
          and impaired (probability 1). The section may be left out.",
    keys: &[
        Key::new("loss_given_default_share", "number", "0.6", "share of what is owed at default that is lost")
            .unit("share")
            .range("0 to 1"),
        Key::new(
            "under_performing_from_dpd",
            "whole number",
            "31",
            "from how many days past due on a loan is under-performing",
        )
        .unit("days")
        .range("1 to 3660"),
        Key::new("under_performing_from_prob", "number", "0.2", "from which probability of default on it is")
            .unit("probability")
            .range("0 to 1"),
        Key::section("scenario", "what may come"),
    ],
};

/// `[[provisions.scenario]]` in the reference.
pub(crate) static SCENARIO_KEYS: Section = Section {
    head: "[[provisions.scenario]]",
    doc: "One way in which things may go. The weights of all add up to 1.",
    keys: &[
        Key::new("name", "text", "\"base\"", "its name in the table of provisions"),
        Key::new("weight", "number", "1.0", "how likely it is").range("0 to 1"),
        Key::new("pd_factor", "number", "1.0", "by what probabilities of default are multiplied").range("0 to 100"),
    ],
};

impl RawPortfolio {
    /// Checks both sections.
    ///
    /// # Errors
    /// A value out of range, with the line.
    pub(crate) fn check(
        &self,
        file: &ConfigFile,
        provisions: Option<&Spanned<RawProvisions>>,
    ) -> Result<PortfolioTerms, ConfigError> {
        Ok(PortfolioTerms {
            roll_months: match &self.roll_months {
                None => 3,
                Some(months) => bounds::whole(file, months, "roll_months", 0..37)?,
            },
            provisions: file.part(None, || provisions.map(|raw| raw.get_ref().check(file)).transpose())?,
        })
    }
}

impl RawProvisions {
    fn check(&self, file: &ConfigFile) -> Result<ProvisionTerms, ConfigError> {
        let mut scenarios: Vec<Scenario> = Vec::new();
        for raw in self.scenario.get_ref() {
            let name = bounds::slug(file, &raw.name, "name")?;
            if name == WEIGHTED || scenarios.iter().any(|known| known.name == name) {
                let message = format!("scenario {name:?} is there already, or is the name of all together");
                file.pass_over(file.refuse(&raw.name.span(), message, "a name of its own for each scenario"), ())?;
            }
            scenarios.push(Scenario {
                name,
                weight: bounds::unit(file, &raw.weight, "weight")?,
                pd_factor: bounds::finite(file, &raw.pd_factor, "pd_factor", 0.0..=100.0)?,
            });
        }
        let weights: f64 = scenarios.iter().map(|scenario| scenario.weight).sum();
        if (weights - 1.0).abs() > 1e-9 {
            let message = format!("the weights of the scenarios add up to {weights}");
            return Err(file.refuse(&self.scenario.span(), message, "weights that add up to 1"));
        }
        Ok(ProvisionTerms {
            loss_given_default_share: bounds::unit(file, &self.loss_given_default_share, "loss_given_default_share")?,
            under_performing_from_dpd: bounds::integer(
                file,
                &self.under_performing_from_dpd,
                "under_performing_from_dpd",
                1..=3_660,
            )?,
            under_performing_from_prob: bounds::unit(
                file,
                &self.under_performing_from_prob,
                "under_performing_from_prob",
            )?,
            scenarios,
        })
    }
}
