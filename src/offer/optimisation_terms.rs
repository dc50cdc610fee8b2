//! Section `[optimisation]` of the policy: what is chosen among for each merchant, and what all offers of a night together must stay within.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// How limits and rates of a night are chosen together.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimisationTerms {
    /// Rates to choose among, as steps from the offer's own; 0 is one of them. Rising.
    pub rate_steps_ppm: Vec<i64>,
    /// Limits to choose among; the last one is the whole. Rising.
    pub limits: Vec<LimitPart>,
    /// The daily rate at which every second merchant takes an offer.
    pub accepted_rate_ppm: i64,
    /// Standard deviation of the logarithm of the rate that merchants would just pay.
    pub accepted_spread: f64,
    /// The most that may be expected to be lost on the offers of a night.
    pub max_expected_loss_minor: Option<i64>,
    /// The most that merchants of one category may owe and be offered, as a share of the portfolio's budget.
    pub max_category_share: Option<f64>,
    /// The same for merchants of one region.
    pub max_region_share: Option<f64>,
    /// Of the offers that rules and caps allow, the least share that is made.
    pub min_offer_share: f64,
}

/// A part of the limit that the caps allow, and how much of that limit is then expected to be drawn. Parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitPart {
    /// What is offered.
    pub share_ppm: i64,
    /// What is drawn.
    pub drawn_ppm: i64,
}

const MILLION: f64 = 1_000_000.0;
const WHOLE_PPM: i64 = 1_000_000;
/// Limits and rates make at most so many choices.
const MOST_STEPS: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOptimisation {
    rate_steps_ppm: Option<Spanned<Vec<Spanned<i64>>>>,
    limits: Option<Spanned<Vec<RawPart>>>,
    accepted_rate_ppm: Spanned<i64>,
    accepted_spread: Spanned<f64>,
    max_expected_loss_minor: Option<Spanned<i64>>,
    max_category_share: Option<Spanned<f64>>,
    max_region_share: Option<Spanned<f64>>,
    min_offer_share: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    share: Spanned<f64>,
    drawn: Spanned<f64>,
}

impl RawOptimisation {
    /// Checks the section; shares of a budget need `has_budget`.
    pub(super) fn check(&self, file: &ConfigFile, has_budget: bool) -> Result<OptimisationTerms, ConfigError> {
        let share = |value: &Option<Spanned<f64>>, key: &str| {
            value.as_ref().map(|value| bounds::unit(file, value, key)).transpose()
        };
        let of_budget = |value: &Option<Spanned<f64>>, key: &str| match value {
            Some(value) if !has_budget => {
                let message = format!("{key} is a share of the portfolio's budget, and there is none");
                let fault = file.refuse(&value.span(), message, "portfolio_budget_minor above the sections");
                file.pass_over(fault, None)
            }
            value => share(value, key),
        };
        Ok(OptimisationTerms {
            rate_steps_ppm: file.part(Vec::new(), || self.rate_steps(file))?,
            limits: file.part(Vec::new(), || self.limit_parts(file))?,
            accepted_rate_ppm: bounds::integer(file, &self.accepted_rate_ppm, "accepted_rate_ppm", 1..=100_000)?,
            accepted_spread: bounds::finite(file, &self.accepted_spread, "accepted_spread", 0.001..=10.0)?,
            max_expected_loss_minor: self
                .max_expected_loss_minor
                .as_ref()
                .map(|most| bounds::integer(file, most, "max_expected_loss_minor", 0..=1_000_000_000_000_000))
                .transpose()?,
            max_category_share: of_budget(&self.max_category_share, "max_category_share")?,
            max_region_share: of_budget(&self.max_region_share, "max_region_share")?,
            min_offer_share: share(&self.min_offer_share, "min_offer_share")?.unwrap_or(0.0),
        })
    }

    fn rate_steps(&self, file: &ConfigFile) -> Result<Vec<i64>, ConfigError> {
        let Some(raw) = &self.rate_steps_ppm else { return Ok(vec![0]) };
        let mut steps: Vec<i64> = Vec::new();
        for step in raw.get_ref() {
            let checked = bounds::integer(file, step, "rate_steps_ppm", -100_000..=100_000)?;
            if steps.last().is_some_and(|last| *last >= checked) {
                return Err(file.refuse(&step.span(), format!("{checked} does not rise"), "steps that rise"));
            }
            steps.push(checked);
        }
        if steps.len() > MOST_STEPS || !steps.contains(&0) {
            let help = "up to eight steps, 0 among them: the offer's own rate";
            return Err(file.refuse(
                &raw.span(),
                "rate_steps_ppm has too many steps, or not the offer's own rate",
                help,
            ));
        }
        Ok(steps)
    }

    fn limit_parts(&self, file: &ConfigFile) -> Result<Vec<LimitPart>, ConfigError> {
        let Some(raw) = &self.limits else { return Ok(vec![LimitPart { share_ppm: WHOLE_PPM, drawn_ppm: WHOLE_PPM }]) };
        #[expect(clippy::cast_possible_truncation, reason = "a share of a million")]
        let ppm = |share: f64| (share * MILLION).round() as i64;
        let mut parts: Vec<LimitPart> = Vec::new();
        for part in raw.get_ref() {
            let checked = LimitPart {
                share_ppm: ppm(bounds::unit(file, &part.share, "share")?),
                drawn_ppm: ppm(bounds::unit(file, &part.drawn, "drawn")?),
            };
            let rises =
                parts.last().is_none_or(|l| l.share_ppm < checked.share_ppm && l.drawn_ppm <= checked.drawn_ppm);
            if !rises || checked.share_ppm == 0 || checked.drawn_ppm > checked.share_ppm {
                let message = "a part of the limit is 0, does not rise, or is less than what is drawn of it";
                return Err(file.refuse(&part.share.span(), message, "rising shares, each at least what is drawn"));
            }
            parts.push(checked);
        }
        if parts.len() > MOST_STEPS || parts.last().is_none_or(|last| last.share_ppm != WHOLE_PPM) {
            let help = "up to eight parts, the last with share = 1: what the caps allow";
            return Err(file.refuse(&raw.span(), "limits has too many parts, or none that is the whole", help));
        }
        Ok(parts)
    }
}

pub(super) static OPTIMISATION_KEYS: Section = Section {
    head: "[optimisation]",
    doc: "Off unless this section is there. Limits and rates of all offers of a night are chosen together, for the largest expected profit: share that \
          takes the offer × what is then drawn × (rate − expected loss − funding − cost) over the schedule. No limit rises above what rules and caps \
          allow, and no rate leaves the range from the floor to the lawful most. What all together stay within: portfolio_budget_minor and the bounds \
          of this section. The share that takes an offer is that of merchants who would pay its rate: their most is log-normal.",
    keys: &[
        Key::new(
            "rate_steps_ppm",
            "list of whole numbers",
            "[-40, 0, 40, 80]",
            "rates to choose among, as steps from the offer's own rate; those below its floor or above the law are left out",
        )
        .unit("ppm a day")
        .range("rising, 0 among them, at most eight")
        .or("[0]: the offer's own rate"),
        Key::new(
            "limits",
            "list of tables",
            "[{ share = 0.5, drawn = 0.45 }, { share = 1.0, drawn = 0.7 }]",
            "limits to choose among, as shares of what the caps allow, and how much of what the caps allow is expected to be drawn of each",
        )
        .range("rising, share = 1 last, drawn at most share, at most eight")
        .or("the whole limit, drawn in full"),
        Key::new("accepted_rate_ppm", "whole number", "560", "the rate at which every second merchant takes an offer")
            .unit("ppm a day")
            .range("1 to 100000"),
        Key::new(
            "accepted_spread",
            "number",
            "0.12",
            "standard deviation of the logarithm of the rate that a merchant would just pay",
        )
        .range("0.001 to 10"),
        Key::new(
            "max_expected_loss_minor",
            "whole number",
            "2_000_000",
            "the most that may be expected to be lost on the offers of a night",
        )
        .unit("minor units")
        .range("0 to 10^15")
        .or("no such bound"),
        Key::new(
            "max_category_share",
            "number",
            "",
            "the most that merchants of one category may owe and be offered; merchants of no known category are one",
        )
        .unit("share of portfolio_budget_minor")
        .range("0 to 1")
        .or("no such bound"),
        Key::new("max_region_share", "number", "", "the same for merchants of one region")
            .unit("share of portfolio_budget_minor")
            .range("0 to 1")
            .or("no such bound"),
        Key::new(
            "min_offer_share",
            "number",
            "0.6",
            "the least share of the offers that rules and caps allow that is made; the other bounds go first",
        )
        .unit("share")
        .range("0 to 1")
        .or("0"),
    ],
};
