//! Caps that rest on evidence of a merchant's means: `[product.caps]` of the policy.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::features::FeatureUses;

/// Caps that rest on evidence of the merchant's means; at least one is given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EvidenceCaps {
    /// Share of the lower figure of net receipts over the loan's own term, in parts per million.
    pub ability_share_ppm: Option<i64>,
    /// Share of the same that the payments of all debts within the term may take.
    pub debt_service_share_ppm: Option<i64>,
    /// Multiple of integrity capital, in parts per million.
    pub integrity_capital_factor_ppm: Option<CapitalFactor>,
    /// Multiple of the lowest month.
    pub lowest_month: Option<LowestMonthCap>,
    /// Share of the pledged receivables that is lent, in parts per million.
    pub receivables_advance_rate_ppm: Option<i64>,
    /// Share of declared sales less declared costs over the term that payments of all debts may take.
    pub declared_debt_service_share_ppm: Option<i64>,
    /// Declared liabilities with the loan against declared assets.
    pub declared_leverage_ppm: Option<i64>,
    /// How fast limits grow.
    pub growth: Option<GrowthCap>,
}

impl EvidenceCaps {
    /// Whether any cap looks at what an applicant declares.
    #[must_use]
    pub const fn read_declarations(&self) -> bool {
        self.declared_debt_service_share_ppm.is_some() || self.declared_leverage_ppm.is_some()
    }
}

/// Multiple of integrity capital.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapitalFactor {
    /// The same for every band.
    Same(i64),
    /// By band.
    ByBand(BTreeMap<String, i64>),
}

impl CapitalFactor {
    /// The multiple of a band; 0 for a band that is not named.
    #[must_use]
    pub fn of(&self, band: &str) -> i64 {
        match self {
            Self::Same(factor) => *factor,
            Self::ByBand(factors) => factors.get(band).copied().unwrap_or(0),
        }
    }
}

/// A multiple of the lowest month's trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowestMonthCap {
    /// Feature that holds the lowest month, in minor units.
    pub feature: String,
    /// Multiple in parts per million: 2,000,000 is twice the lowest month.
    pub factor_ppm: i64,
}

/// Graduated growth: a merchant who never repaid begins with `first_limit_minor`; after that the limit is at most a multiple of the largest loan
/// repaid without ever being materially late. A loan that was late takes all that went before away, and one that was paid back at once counts for
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrowthCap {
    /// The largest first limit.
    pub first_limit_minor: i64,
    /// Multiple in parts per million: 2,000,000 doubles with every clean loan.
    pub factor_ppm: i64,
    /// Days for which a loan was owed, until half of it was paid back, before it counts; half of its own term is enough.
    pub least_days_owed: i64,
}

/// A month (project judgement).
const LEAST_DAYS_OWED: i64 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCaps {
    ability_share_ppm: Option<Spanned<i64>>,
    debt_service_share_ppm: Option<Spanned<i64>>,
    integrity_capital_factor_ppm: Option<Spanned<RawFactor>>,
    lowest_month: Option<RawLowestMonth>,
    receivables_advance_rate_ppm: Option<Spanned<i64>>,
    declared_debt_service_share_ppm: Option<Spanned<i64>>,
    declared_leverage_ppm: Option<Spanned<i64>>,
    growth: Option<RawGrowth>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawFactor {
    Same(i64),
    ByBand(BTreeMap<String, i64>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLowestMonth {
    feature: Spanned<String>,
    factor_ppm: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGrowth {
    first_limit_minor: Spanned<i64>,
    factor_ppm: Spanned<i64>,
    least_days_owed: Option<Spanned<i64>>,
}

/// Largest multiple of integrity capital or of a month.
const MOST_FACTOR_PPM: i64 = 100_000_000;

/// Checks the section. `bands` are those of the policy, safest first; `served` those that the product has a rate for.
pub(super) fn check_caps(
    file: &ConfigFile,
    raw: &Spanned<RawCaps>,
    bands: &[String],
    served: &[&str],
    hard_cap_minor: i64,
    feature_uses: &mut FeatureUses,
) -> Result<EvidenceCaps, ConfigError> {
    let caps = raw.get_ref();
    let ppm = |value: &Option<Spanned<i64>>, key: &str, most: i64| {
        value.as_ref().map(|v| bounds::integer(file, v, key, 1..=most)).transpose()
    };
    let lowest_month = match &caps.lowest_month {
        None => None,
        Some(lowest) => {
            feature_uses.push(&lowest.feature);
            let factor_ppm = bounds::integer(file, &lowest.factor_ppm, "factor_ppm", 1..=MOST_FACTOR_PPM)?;
            Some(LowestMonthCap { feature: lowest.feature.get_ref().clone(), factor_ppm })
        }
    };
    let growth = |growth: &RawGrowth| -> Result<GrowthCap, ConfigError> {
        let first = &growth.first_limit_minor;
        Ok(GrowthCap {
            first_limit_minor: bounds::integer(file, first, "first_limit_minor", 1..=hard_cap_minor)?,
            factor_ppm: bounds::integer(file, &growth.factor_ppm, "factor_ppm", 1_000_000..=MOST_FACTOR_PPM)?,
            least_days_owed: growth
                .least_days_owed
                .as_ref()
                .map_or(Ok(LEAST_DAYS_OWED), |days| bounds::integer(file, days, "least_days_owed", 0..=365))?,
        })
    };
    let checked = EvidenceCaps {
        ability_share_ppm: ppm(&caps.ability_share_ppm, "ability_share_ppm", 10_000_000)?,
        debt_service_share_ppm: ppm(&caps.debt_service_share_ppm, "debt_service_share_ppm", 1_000_000)?,
        integrity_capital_factor_ppm: caps
            .integrity_capital_factor_ppm
            .as_ref()
            .map(|factor| file.part(CapitalFactor::Same(1), || check_factor(file, factor, bands, served)))
            .transpose()?,
        lowest_month,
        receivables_advance_rate_ppm: ppm(
            &caps.receivables_advance_rate_ppm,
            "receivables_advance_rate_ppm",
            1_000_000,
        )?,
        declared_debt_service_share_ppm: ppm(
            &caps.declared_debt_service_share_ppm,
            "declared_debt_service_share_ppm",
            1_000_000,
        )?,
        declared_leverage_ppm: ppm(&caps.declared_leverage_ppm, "declared_leverage_ppm", 1_000_000)?,
        growth: caps.growth.as_ref().map(growth).transpose()?,
    };
    let on_means = EvidenceCaps {
        declared_debt_service_share_ppm: None,
        declared_leverage_ppm: None,
        growth: None,
        ..checked.clone()
    };
    // What a merchant declares, or repaid once, is no evidence of what it takes in.
    if on_means == EvidenceCaps::default() {
        let help = "one or more of ability_share_ppm, debt_service_share_ppm, integrity_capital_factor_ppm, lowest_month, receivables_advance_rate_ppm";
        return Err(file.refuse(&raw.span(), "no cap rests on evidence of the merchant's means", help));
    }
    Ok(checked)
}

fn check_factor(
    file: &ConfigFile,
    raw: &Spanned<RawFactor>,
    bands: &[String],
    served: &[&str],
) -> Result<CapitalFactor, ConfigError> {
    let refuse = |message: String, help: &str| file.refuse(&raw.span(), message, help);
    let in_range = |factor: i64| {
        let message = format!("integrity_capital_factor_ppm = {factor} is out of range");
        if (1..=MOST_FACTOR_PPM).contains(&factor) { Ok(factor) } else { Err(refuse(message, "1 to 100000000")) }
    };
    match raw.get_ref() {
        RawFactor::Same(factor) => Ok(CapitalFactor::Same(in_range(*factor)?)),
        RawFactor::ByBand(factors) => {
            for band in factors.keys().filter(|band| !bands.contains(band)) {
                file.pass_over(refuse(format!("{band:?} is not a band"), "bands of this policy"), ())?;
            }
            let is_left_out = |band: &str| bands.iter().any(|known| known == band) && !factors.contains_key(band);
            for band in served.iter().filter(|band| is_left_out(band)) {
                let message = format!("band {band:?} is served and has no factor");
                file.pass_over(refuse(message, "a factor for every band with a rate"), ())?;
            }
            let mut least = i64::MAX;
            for factor in bands.iter().filter_map(|band| factors.get(band)) {
                if in_range(*factor)? > least {
                    let message = "a riskier band has a larger factor than a safer one".to_owned();
                    return Err(refuse(message, "factors that do not rise with risk"));
                }
                least = *factor;
            }
            Ok(CapitalFactor::ByBand(factors.clone()))
        }
    }
}

pub(super) static CAPS_KEYS: Section = Section {
    head: "[[product]]\n[product.caps]",
    doc: "At least one of those that rest on what is observed of the merchant's means.",
    keys: &[
        Key::new(
            "ability_share_ppm",
            "whole number",
            "300_000",
            "share of the lower figure of net receipts over the loan's own term",
        )
        .unit("ppm")
        .range("1 to 10^7")
        .or("no such cap"),
        Key::new(
            "debt_service_share_ppm",
            "whole number",
            "400_000",
            "share of the lower figure of net receipts over the term that the payments of this loan, with all that is owed and offered, may take; a longer \
             product beside it leaves it this, by a cap `debt-service` of its own",
        )
        .unit("ppm")
        .range("1 to 10^6")
        .or("no such cap"),
        Key::new(
            "integrity_capital_factor_ppm",
            "whole number, or a table by band",
            "{ A = 1_500_000, B = 1_000_000, C = 500_000 }",
            "multiple of integrity capital; by band it does not rise with risk",
        )
        .unit("ppm")
        .range("1 to 10^8")
        .or("no such cap"),
        Key::new(
            "receivables_advance_rate_ppm",
            "whole number",
            "700_000",
            "share of the pledged receivables that is lent",
        )
        .unit("ppm")
        .range("1 to 10^6")
        .or("no such cap"),
        Key::new(
            "declared_debt_service_share_ppm",
            "whole number",
            "500_000",
            "share of what an applicant declares to earn over the term (sales less operating costs) that the payments of all debts may take; \
             asked of applicants, and of whoever declared it within declaration_days",
        )
        .unit("ppm")
        .range("1 to 10^6")
        .or("no such cap"),
        Key::new(
            "declared_leverage_ppm",
            "whole number",
            "800_000",
            "the most that an applicant's declared liabilities may be of the declared assets, this loan included; \
             asked of the same",
        )
        .unit("ppm")
        .range("1 to 10^6")
        .or("no such cap"),
        Key::section("lowest_month", "a multiple of the lowest month's trade").or("no such cap"),
        Key::section("growth", "how fast limits grow with loans that were owed for a while and repaid on time")
            .or("no such cap"),
    ],
};

pub(super) static LOWEST_MONTH_KEYS: Section = Section {
    head: "[[product]]\n[product.caps.lowest_month]",
    doc: "",
    keys: &[
        Key::new("feature", "word", "\"gmv_lowest_month_3m_minor\"", "the feature that holds the lowest month")
            .range("a feature in minor units"),
        Key::new("factor_ppm", "whole number", "1_000_000", "the multiple: 2,000,000 is twice")
            .unit("ppm")
            .range("1 to 10^8"),
    ],
};

pub(super) static GROWTH_KEYS: Section = Section {
    head: "[[product]]\n[product.caps.growth]",
    doc: "The limit is at most first_limit_minor, or the multiple of the largest loan, of any product, that was repaid in full and never materially \
          late since the last loan that was; one loan that is late takes it back to first_limit_minor at once. A loan counts only if it was owed for \
          least_days_owed, or for half of its own term where that is shorter: until then less than half of it had been paid back.",
    keys: &[
        Key::new("first_limit_minor", "whole number", "2_000_000", "the most that a merchant begins with")
            .unit("minor units")
            .range("1 to hard_cap_minor"),
        Key::new("factor_ppm", "whole number", "2_000_000", "the multiple: 2,000,000 is twice")
            .unit("ppm")
            .range("10^6 to 10^8"),
        Key::new(
            "least_days_owed",
            "whole number",
            "30",
            "for how long a loan must have been owed to count, until half of it was paid back; half of its own term is enough. 0: a loan paid back \
             within the hour counts",
        )
        .unit("days")
        .range("0 to 365")
        .or("30"),
    ],
};
