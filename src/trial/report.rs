//! What a trial came to: figures, and the frontier as table and plot.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use plotters::prelude::*;
use serde::Serialize;

use super::error::TrialError;
use super::figures::LenderFigures;
use super::run::TrialSettings;
use crate::domain::{Currency, Money};

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialReport {
    /// The job.
    pub job: String,
    /// Currency of all amounts.
    pub currency: Currency,
    /// What was tried.
    #[serde(flatten)]
    pub settings: TrialSettings,
    /// Nights of the job.
    pub nights: u64,
    /// What became of the job's money.
    #[serde(flatten)]
    pub figures: LenderFigures,
    /// The job's profit as a share of that of the lender who knows the truth; null where that one earned nothing.
    pub profit_share: Option<f64>,
    /// The lender who knows the truth.
    pub truth: LenderFigures,
    /// The job's policy, cut off after each band that it serves; empty where it was not asked for.
    pub frontier: Vec<FrontierPoint>,
    /// Nights on which the job published nothing.
    pub stopped: Vec<StoppedNight>,
}

/// A policy of the frontier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrontierPoint {
    /// The last band that it serves.
    pub up_to_band: String,
    /// What became of its money.
    #[serde(flatten)]
    pub figures: LenderFigures,
    /// As [`TrialReport::profit_share`].
    pub profit_share: Option<f64>,
}

/// A night on which the job published nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoppedNight {
    /// Which.
    pub on: String,
    /// Why.
    pub why: String,
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| format!("{:.2} %", 100.0 * s))
}

impl TrialReport {
    /// The figures as a table of text.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<22}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}{:>20}{:>18}{:>20}\n",
            "lender", "NPL", "worst", "bad", "served", "requests", "profit", "lent", "lost", "earned"
        );
        let money = |minor: i64| Money::new(minor, self.currency).to_string();
        let mut line = |name: &str, of: &LenderFigures, profit: Option<f64>| {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{name:<22}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}{:>20}{:>18}{:>20}",
                percent(of.npl_share),
                percent(of.npl_worst_share),
                percent(of.bad_share),
                percent(of.served_share),
                percent(of.requests_served_share),
                percent(profit),
                money(of.lent_minor),
                money(of.loss_minor),
                money(of.profit_minor),
            );
        };
        line("the job", &self.figures, self.profit_share);
        for point in &self.frontier {
            line(&format!("  up to band {}", point.up_to_band), &point.figures, point.profit_share);
        }
        line("who knows the truth", &self.truth, Some(1.0).filter(|_| self.truth.profit_minor > 0));
        let most_first = |counts: &BTreeMap<String, u64>| {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by_key(|(_, count)| Reverse(**count));
            counts.iter().map(|(why, count)| format!("{why} {count}")).collect::<Vec<_>>().join(", ")
        };
        for (what, counts) in [
            ("merchants never served", &self.figures.unserved_merchants),
            ("requests unserved", &self.figures.unserved_requests),
        ] {
            let _ = writeln!(text, "{what}: {}", most_first(counts));
        }
        if let Some(first) = self.stopped.first() {
            let _ = writeln!(text, "{} nights stopped, the first on {}: {}", self.stopped.len(), first.on, first.why);
        }
        text
    }

    /// The frontier as SVG: non-performing share against the share of askers served, a point a policy.
    ///
    /// # Errors
    /// The plot cannot be drawn.
    pub fn plot(&self) -> Result<String, TrialError> {
        let failed = |e: Box<dyn std::error::Error>| TrialError::Plot(e.to_string());
        let mut text = String::new();
        self.draw(&mut text).map_err(failed)?;
        Ok(text)
    }

    fn draw(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let own = [("job", &self.figures), ("truth", &self.truth)];
        let cuts = self.frontier.iter().map(|p| (p.up_to_band.as_str(), &p.figures));
        let points: Vec<(&str, f64, f64)> =
            cuts.chain(own).filter_map(|(name, of)| Some((name, of.served_share?, of.npl_share?))).collect();
        let most = points.iter().map(|p| p.2).fold(0.01, f64::max) * 1.15;
        let area = SVGBackend::with_string(text, (640, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .margin_right(30)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..1.0, 0.0..most)?;
        chart
            .configure_mesh()
            .x_desc("share of merchants who asked that got money")
            .y_desc("non-performing share")
            .x_label_formatter(&|s: &f64| format!("{:.0} %", s * 100.0))
            .y_label_formatter(&|s: &f64| format!("{:.1} %", s * 100.0))
            .draw()?;
        let line = points.iter().take(self.frontier.len()).map(|p| (p.1, p.2));
        chart.draw_series(LineSeries::new(line, RGBColor(37, 84, 160).stroke_width(2)))?;
        chart.draw_series(points.iter().map(|p| Circle::new((p.1, p.2), 4, RGBColor(37, 84, 160).filled())))?;
        chart.draw_series(
            points.iter().map(|p| Text::new(p.0.to_owned(), (p.1 + 0.01, p.2), ("sans-serif", 13).into_font())),
        )?;
        // What a good lender of small merchants reached ("What Alibaba Is", 2019), while half of those who ask are served.
        let aim = RGBColor(190, 70, 40);
        chart.draw_series(LineSeries::new([(0.5, AIM_NPL), (1.0, AIM_NPL)], aim.stroke_width(1)))?;
        chart.draw_series(LineSeries::new([(0.5, 0.0), (0.5, AIM_NPL)], aim.stroke_width(1)))?;
        area.present()?;
        drop(chart);
        drop(area);
        Ok(())
    }
}

/// Non-performing loans of a good lender in June 2013.
const AIM_NPL: f64 = 0.0084;
