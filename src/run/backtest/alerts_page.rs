//! A backtest of alerts as one HTML page.

use plotters::prelude::*;

use super::choose::{LEAST_MONEY_SHARE, LEAST_PRECISION};
use super::curve::Flagged;
use super::hazard::HazardReport;
use super::judge::Figures;
use super::report::{AlertBacktest, LeadTimes};
use crate::domain::grouped;
use crate::page::{Bar, Block, PageError, Plot, html, table};

const SIZE: (u32, u32) = (640, 400);
const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(203, 213, 225);
const RULE: RGBColor = RGBColor(120, 130, 140);
const CHOSEN: RGBColor = RGBColor(20, 20, 20);

/// What a plot has on its horizontal axis beside the share of money that was found.
#[derive(Clone, Copy)]
enum Cost {
    Precision,
    Flags,
}

impl Cost {
    /// Nothing where the figures have none: without flags there is no precision.
    fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Precision => figures.precision_share,
            Self::Flags => Some(figures.flags as f64),
        }
    }
}

/// Where figures lie on a plot.
fn position(cost: Cost, figures: &Figures) -> Option<(f64, f64)> {
    cost.of(figures).zip(figures.flagged_money_share)
}

fn color_of(flagged: Flagged) -> RGBColor {
    match flagged {
        Flagged::ByHazard => RGBColor(37, 84, 160),
        Flagged::ByBoth => RGBColor(13, 125, 112),
        Flagged::ByRules => RGBColor(190, 70, 40),
        Flagged::ByOwed => RGBColor(190, 150, 40),
    }
}

impl AlertBacktest {
    /// The page: no script, nothing fetched.
    ///
    /// # Errors
    /// A plot cannot be drawn, or the template cannot be filled in.
    pub fn page(&self) -> Result<String, PageError> {
        let title = format!("{}: backtest of alerts", self.job);
        let failed = |why: Box<dyn std::error::Error>| PageError { title: title.clone(), why: why.to_string() };
        let mut blocks = vec![Block::Heading(1, title.clone()), self.what_was_done()];
        blocks.push(Block::Heading(2, "What is found against what it costs".to_owned()));
        blocks.push(Block::Paragraph(self.curve_text()));
        blocks.push(Block::Plots(vec![
            self.cost_plot(Cost::Precision).map_err(failed)?,
            self.cost_plot(Cost::Flags).map_err(failed)?,
        ]));
        blocks.push(table(&Self::HEAD, self.rows()));
        blocks.push(Block::Heading(2, "What each rule adds".to_owned()));
        blocks.push(Block::Paragraph(
            "The money that later defaults which no other rule flagged early enough, with all rules as configured."
                .to_owned(),
        ));
        blocks.push(Block::Bars(Bar::all(self.added())));
        blocks.push(Block::Heading(2, "How early".to_owned()));
        for (name, figures) in self.leads() {
            blocks.push(Block::Paragraph(format!(
                "{name}: loans that default, by days from the first flag to the first missed payment. Fewer than {} days are too few to act.",
                self.lead_days
            )));
            blocks.push(Block::Bars(Bar::all(lead_bars(figures))));
        }
        html(&title, &blocks)
    }

    fn what_was_done(&self) -> Block {
        let judged = &self.judged_on;
        let chosen = self.chosen_on.map_or_else(
            || "Thresholds: as in the monitor file, for want of an earlier period to choose them on.".to_owned(),
            |on| format!("Thresholds: chosen on {} to {}, by what was known on {}.", on.from, on.to, on.known_by),
        );
        Block::List(vec![
            format!("Judged: alerts of {} to {}, every {} days.", judged.from, judged.to, self.every_days),
            format!("What became of loans is known up to {}.", judged.known_by),
            chosen,
            format!(
                "{} loans over {} minor units default with their first missed payment in the judged period.",
                grouped(self.judged.defaulted_loans),
                grouped(self.judged.defaulted_minor.unsigned_abs())
            ),
        ])
    }

    fn curve_text(&self) -> String {
        let aim = format!(
            "The dashed lines are what is aimed at: {:.0} % of the money that later defaults, flagged {} days or more before the first missed payment, at a \
             precision of {:.0} %. Dots are single rules, the square the chosen ones.",
            100.0 * LEAST_MONEY_SHARE,
            self.lead_days,
            100.0 * LEAST_PRECISION
        );
        match &self.hazard {
            Some(HazardReport::Judged(_)) => format!("{aim} Lines are of borrowers who are late with nothing."),
            Some(HazardReport::TooLittle(why)) => {
                format!("{aim} There are no lines, for want of a hazard model: {}.", why.why)
            }
            None => format!("{aim} There are no lines: the monitor file has no hazard model."),
        }
    }

    /// Money of which each rule alone gave notice, rules that add most first.
    fn added(&self) -> Vec<(String, u64, String)> {
        let added = |rule: &super::RuleReport| {
            let minor = rule.adds_money_share.map_or(0.0, |share| share * self.as_configured.defaulted_minor as f64);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of money, not negative")]
            let minor = minor.round().max(0.0) as u64;
            let share = rule.adds_money_share.map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
            (rule.rule.clone(), minor, share)
        };
        let mut bars: Vec<(String, u64, String)> = self.rules.iter().map(added).collect();
        bars.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        bars
    }

    fn leads(&self) -> Vec<(&'static str, &Figures)> {
        let hazard = match &self.hazard {
            Some(HazardReport::Judged(hazard)) => hazard.chosen_judged.as_ref(),
            _ => None,
        };
        let hazard = hazard.map(|figures| ("Money at risk, from the amount chosen before", figures));
        std::iter::once(("The chosen rules", &self.judged)).chain(hazard).collect()
    }

    fn cost_plot(&self, cost: Cost) -> Result<Plot, Box<dyn std::error::Error>> {
        let curve = match &self.hazard {
            Some(HazardReport::Judged(hazard)) => hazard.curve.as_slice(),
            _ => &[],
        };
        let alone = || self.rules.iter().map(|rule| &rule.alone);
        let shown = || curve.iter().map(|point| &point.figures).chain(alone()).chain([&self.judged]);
        let aimed = match cost {
            Cost::Precision => LEAST_PRECISION,
            Cost::Flags => 1.0,
        };
        let widest = shown().filter_map(|figures| cost.of(figures)).fold(aimed, f64::max) * 1.05;
        let (title, file) = match cost {
            Cost::Precision => ("Money found, against precision", "precision.svg"),
            Cost::Flags => ("Money found, against flags", "flags.svg"),
        };
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area)
                .margin(12)
                .margin_right(36)
                .x_label_area_size(42)
                .y_label_area_size(60)
                .build_cartesian_2d(0.0..widest, 0.0..1.05)?;
            let percent = |share: &f64| format!("{:.0} %", share * 100.0);
            let count = |flags: &f64| format!("{flags:.0}");
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(FAINT)
                .axis_style(INK)
                .x_labels(8)
                .x_desc(match cost {
                    Cost::Precision => "right flags",
                    Cost::Flags => "flags",
                })
                .x_label_formatter(match cost {
                    Cost::Precision => &percent,
                    Cost::Flags => &count,
                })
                .y_label_formatter(&percent)
                .draw()?;
            let aim_money = ((0.0, LEAST_MONEY_SHARE), (widest, LEAST_MONEY_SHARE));
            let mut aims = vec![aim_money];
            if matches!(cost, Cost::Precision) {
                aims.push(((LEAST_PRECISION, 0.0), (LEAST_PRECISION, 1.05)));
            }
            for (from, to) in aims {
                chart.draw_series(DashedLineSeries::new([from, to], 4, 4, INK.mix(0.6).stroke_width(1)))?;
            }
            for flagged in Flagged::ALL {
                let points = curve.iter().filter(|point| point.flagged == flagged);
                let points: Vec<(f64, f64)> = points.filter_map(|point| position(cost, &point.figures)).collect();
                if points.is_empty() {
                    continue;
                }
                let color = color_of(flagged);
                chart
                    .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(2))?
                    .label(flagged.text())
                    .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2)));
            }
            let rules: Vec<(f64, f64)> = alone().filter_map(|figures| position(cost, figures)).collect();
            if !rules.is_empty() {
                chart
                    .draw_series(rules.iter().map(|at| Circle::new(*at, 3, RULE.filled())))?
                    .label("a rule alone")
                    .legend(|(x, y)| Circle::new((x + 8, y), 3, RULE.filled()));
            }
            if let Some((x, y)) = position(cost, &self.judged) {
                chart
                    .draw_series([EmptyElement::at((x, y)) + Rectangle::new([(-4, -4), (4, 4)], CHOSEN.filled())])?
                    .label("chosen rules")
                    .legend(|(x, y)| Rectangle::new([(x + 4, y - 4), (x + 12, y + 4)], CHOSEN.filled()));
            }
            let legend = match cost {
                Cost::Precision => SeriesLabelPosition::UpperRight,
                Cost::Flags => SeriesLabelPosition::LowerRight,
            };
            chart
                .configure_series_labels()
                .position(legend)
                .background_style(WHITE.mix(0.85))
                .border_style(FAINT)
                .draw()?;
            area.present()?;
        }
        Ok(Plot { title: title.to_owned(), file: file.to_owned(), svg })
    }
}

/// Loans by how early they were flagged, those that were not flagged in time first.
fn lead_bars(figures: &Figures) -> Vec<(String, u64, String)> {
    let flagged = figures.lead_days.len() as u64;
    let missed = figures.defaulted_loans.saturating_sub(flagged);
    let bar = |label: String, loans: u64| (label, loans, grouped(loans));
    let spans = LeadTimes::of(figures);
    let spans = spans.iter().map(|span| bar(format!("{} to {} days", span.from_days, span.to_days), span.loans));
    std::iter::once(bar("not before it".to_owned(), missed)).chain(spans).collect()
}
