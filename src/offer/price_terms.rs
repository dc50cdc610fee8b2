//! Price terms of the policy: section `[price]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::Probability;
use crate::domain::elementary::{exp, ln_1p};

/// Price terms that hold for all products. The daily rate is floored at expected loss + funding + cost + margin, each a day, and is refused
/// above the lawful most.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceTerms {
    /// Share of the balance lost at default.
    pub loss_given_default_prob: Probability,
    /// Days over which the model's PD is meant.
    pub pd_horizon_days: u16,
    /// How default spreads over time.
    pub term_structure: TermStructure,
    /// Cost of funds.
    pub funding_daily_ppm: i64,
    /// Running cost.
    pub cost_daily_ppm: i64,
    /// What the lender earns beyond its costs.
    pub margin_daily_ppm: i64,
    /// The least a day that the lender takes.
    pub min_daily_rate_ppm: i64,
    /// The lawful most a day.
    pub max_daily_rate_ppm: i64,
    /// The lawful most a year, as an actuarial annual percentage rate: 0.24 is 24 %.
    pub max_apr_prob: f64,
    /// Where each figure comes from, by its key.
    pub sources: BTreeMap<String, String>,
}

/// A figure that prices rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceFigure {
    /// Its key in the policy file's `[price]`.
    pub key: String,
    /// Its value.
    pub value: f64,
    /// Where it comes from; null where the file does not say.
    pub source: Option<String>,
}

impl PriceTerms {
    /// The figures behind floor, ceiling and legal cap, with where they come from.
    #[must_use]
    pub fn figures(&self) -> Vec<PriceFigure> {
        let ppm = |value: i64| value as f64;
        let figures = [
            ("loss_given_default_prob", self.loss_given_default_prob.get()),
            ("pd_horizon_days", f64::from(self.pd_horizon_days)),
            ("funding_daily_ppm", ppm(self.funding_daily_ppm)),
            ("cost_daily_ppm", ppm(self.cost_daily_ppm)),
            ("margin_daily_ppm", ppm(self.margin_daily_ppm)),
            ("min_daily_rate_ppm", ppm(self.min_daily_rate_ppm)),
            ("max_daily_rate_ppm", ppm(self.max_daily_rate_ppm)),
            ("max_apr_prob", self.max_apr_prob),
        ];
        let figure = |(key, value): (&str, f64)| PriceFigure {
            key: key.to_owned(),
            value,
            source: self.sources.get(key).cloned(),
        };
        figures.into_iter().map(figure).collect()
    }
}

/// Cumulative hazard of default by day, as a share of that of the model's horizon: `PD(t) = 1 − (1 − PD(horizon))^share(t)`. Between two
/// points, and beyond the last one, it grows along a straight line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TermStructure {
    /// (days, share), rising; begins at (0, 0) unwritten.
    points: Vec<(f64, f64)>,
}

impl TermStructure {
    /// Default is as likely on each day as on any other.
    #[must_use]
    pub fn constant(horizon_days: u16) -> Self {
        Self { points: vec![(f64::from(horizon_days.max(1)), 1.0)] }
    }

    /// Share of the horizon's cumulative hazard up to a day.
    fn share(&self, days: f64) -> f64 {
        let (mut from, mut slope) = ((0.0, 0.0), 0.0);
        for &(day, share) in &self.points {
            slope = (share - from.1) / (day - from.0);
            if days <= day {
                break;
            }
            from = (day, share);
        }
        from.1 + slope * (days - from.0)
    }

    /// Probability of default within some days, where `pd` is that of the model's horizon.
    #[must_use]
    pub fn pd_within(&self, pd: Probability, days: u16) -> f64 {
        let hazard = -ln_1p(-pd.get());
        // An infinite hazard is certain default, on the first day already.
        if hazard.is_finite() {
            1.0 - exp(-hazard * self.share(f64::from(days)))
        } else {
            f64::from(u8::from(days > 0))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    loss_given_default_prob: Spanned<f64>,
    pub(super) pd_horizon_days: Spanned<i64>,
    term_structure: Option<Spanned<Vec<RawPoint>>>,
    funding_daily_ppm: Spanned<i64>,
    cost_daily_ppm: Spanned<i64>,
    margin_daily_ppm: Option<Spanned<i64>>,
    min_daily_rate_ppm: Option<Spanned<i64>>,
    max_daily_rate_ppm: Spanned<i64>,
    max_apr_prob: Spanned<f64>,
    #[serde(default)]
    sources: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPoint {
    days: Spanned<i64>,
    hazard_share: Spanned<f64>,
}

impl RawPrice {
    pub(super) fn check(&self, file: &ConfigFile) -> Result<PriceTerms, ConfigError> {
        let loss = bounds::unit(file, &self.loss_given_default_prob, "loss_given_default_prob")?;
        let loss = Probability::new(loss)
            .map_err(|e| file.refuse(&self.loss_given_default_prob.span(), e.to_string(), "a number from 0 to 1"))?;
        let ppm = |value: &Spanned<i64>, key: &str, most: i64| bounds::integer(file, value, key, 0..=most);
        let optional = |value: &Option<Spanned<i64>>, key: &str, most: i64| {
            value.as_ref().map_or(Ok(0), |value| ppm(value, key, most))
        };
        let before = file.noted_count();
        let max_daily_rate_ppm = bounds::integer(file, &self.max_daily_rate_ppm, "max_daily_rate_ppm", 1..=100_000)?;
        let pd_horizon_days = bounds::days(file, &self.pd_horizon_days, "pd_horizon_days", 7..=730)?;
        let price = PriceTerms {
            loss_given_default_prob: loss,
            pd_horizon_days,
            term_structure: file
                .part(TermStructure::constant(pd_horizon_days), || self.term_structure(file, pd_horizon_days))?,
            funding_daily_ppm: ppm(&self.funding_daily_ppm, "funding_daily_ppm", 10_000)?,
            cost_daily_ppm: ppm(&self.cost_daily_ppm, "cost_daily_ppm", 10_000)?,
            margin_daily_ppm: optional(&self.margin_daily_ppm, "margin_daily_ppm", 10_000)?,
            min_daily_rate_ppm: optional(&self.min_daily_rate_ppm, "min_daily_rate_ppm", max_daily_rate_ppm)?,
            max_daily_rate_ppm,
            max_apr_prob: bounds::finite(file, &self.max_apr_prob, "max_apr_prob", 0.0..=10.0)?,
            sources: self.sources(file)?,
        };
        let least = price.funding_daily_ppm + price.cost_daily_ppm + price.margin_daily_ppm;
        file.part_since(before, (), || {
            if least <= price.max_daily_rate_ppm {
                return Ok(());
            }
            let message = "funding, cost and margin alone exceed max_daily_rate_ppm";
            Err(file.refuse(&self.max_daily_rate_ppm.span(), message, "no loan could be priced lawfully"))
        })?;
        Ok(price)
    }

    fn term_structure(&self, file: &ConfigFile, horizon: u16) -> Result<TermStructure, ConfigError> {
        let Some(raw) = &self.term_structure else { return Ok(TermStructure::constant(horizon)) };
        let mut points: Vec<(f64, f64)> = Vec::new();
        for point in raw.get_ref() {
            let days = bounds::days(file, &point.days, "days", 1..=3_660)?;
            let share = bounds::finite(file, &point.hazard_share, "hazard_share", 0.0..=1_000.0)?;
            let (last_day, last_share) = points.last().copied().unwrap_or((0.0, 0.0));
            if f64::from(days) <= last_day || share < last_share {
                let message = format!("day {days} with hazard_share = {share} does not continue what is before it");
                return Err(file.refuse(&point.days.span(), message, "days rise, and hazard_share does not fall"));
            }
            points.push((f64::from(days), share));
        }
        let curve = TermStructure { points };
        let at_horizon = curve.share(f64::from(horizon));
        if (at_horizon - 1.0).abs() > 1e-9 {
            let message = format!("hazard_share is {at_horizon} at pd_horizon_days = {horizon}");
            return Err(file.refuse(
                &raw.span(),
                message,
                "1 at pd_horizon_days: the model's PD is meant over that time",
            ));
        }
        Ok(curve)
    }

    fn sources(&self, file: &ConfigFile) -> Result<BTreeMap<String, String>, ConfigError> {
        let known = PRICE_KEYS.keys.iter().map(|key| key.name).filter(|name| *name != "sources");
        let known: Vec<&str> = known.collect();
        let mut sources = BTreeMap::new();
        for (key, text) in &self.sources {
            if !known.contains(&key.get_ref().as_str()) {
                let message = format!("{:?} is not a key of [price]", key.get_ref());
                file.pass_over(file.refuse(&key.span(), message, format!("one of: {}", known.join(", "))), ())?;
            }
            sources.insert(key.get_ref().clone(), bounds::text(file, text, "a source")?);
        }
        Ok(sources)
    }
}

pub(super) static PRICE_KEYS: Section = Section {
    head: "[price]",
    doc: "The daily rate is the band's, but at least the floor: expected loss over the loan's own term (PD of the term × loss given default × balance, \
          period by period) + funding + cost + margin. A loan whose floor exceeds the lawful most is declined. Interest is simple, on the balance, \
          by actual days; a year has 365 days.",
    keys: &[
        Key::new("loss_given_default_prob", "number", "0.6", "share of the balance lost at default")
            .unit("share")
            .range("0 to 1"),
        Key::new(
            "pd_horizon_days",
            "whole number",
            "90",
            "the time over which the model's PD is meant: `performance_days` of the job",
        )
        .unit("days")
        .range("7 to 730"),
        Key::new(
            "term_structure",
            "list of tables",
            "[{ days = 30, hazard_share = 0.1 }, { days = 90, hazard_share = 1.0 }]",
            "how default spreads over time: cumulative hazard up to a day, as a share of that over pd_horizon_days",
        )
        .range("days rise; 1 at pd_horizon_days")
        .or("every day is as likely as any other"),
        Key::new("funding_daily_ppm", "whole number", "184", "cost of funds").unit("ppm a day").range("0 to 10000"),
        Key::new("cost_daily_ppm", "whole number", "60", "running cost").unit("ppm a day").range("0 to 10000"),
        Key::new("margin_daily_ppm", "whole number", "20", "what the lender earns beyond its costs")
            .unit("ppm a day")
            .range("0 to 10000")
            .or("0"),
        Key::new("min_daily_rate_ppm", "whole number", "300", "the least that the lender takes")
            .unit("ppm a day")
            .range("0 to max_daily_rate_ppm")
            .or("0"),
        Key::new("max_daily_rate_ppm", "whole number", "900", "the lawful most a day")
            .unit("ppm a day")
            .range("1 to 100000, not below funding, cost and margin"),
        Key::new(
            "max_apr_prob",
            "number",
            "0.35",
            "the lawful most a year, as an actuarial annual percentage rate: 0.24 is 24 %",
        )
        .unit("share")
        .range("0 to 10"),
        Key::new(
            "sources",
            "table of texts",
            "{ max_apr_prob = \"court's ceiling of 2020\" }",
            "where figures of this section come from, by key; `explain` and report.html show them beside the figures",
        )
        .or("none"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn pd(value: f64) -> Probability {
        Probability::new(value).unwrap()
    }

    #[test]
    fn constant_hazard_compounds() {
        let curve = TermStructure::constant(180);
        assert!((curve.pd_within(pd(0.19), 180) - 0.19).abs() < 1e-12);
        // 1 − (1 − 0.19)^(90 ÷ 180) = 1 − 0.9.
        assert!((curve.pd_within(pd(0.19), 90) - 0.1).abs() < 1e-12);
        assert!((curve.pd_within(pd(0.19), 360) - (1.0 - 0.81 * 0.81)).abs() < 1e-12);
        assert!(curve.pd_within(pd(0.0), 500).abs() < 1e-12);
        assert!((curve.pd_within(pd(1.0), 1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_written_curve_is_followed_and_continued() {
        let curve = TermStructure { points: vec![(30.0, 0.1), (180.0, 1.0)] };
        for (days, share) in [(0.0, 0.0), (15.0, 0.05), (30.0, 0.1), (105.0, 0.55), (180.0, 1.0), (330.0, 1.9)] {
            assert!((curve.share(days) - share).abs() < 1e-12, "{days}");
        }
    }
}
