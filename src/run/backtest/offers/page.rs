//! A backtest of offers as one HTML page.

use plotters::prelude::*;

use super::figures::ShareRange;
use super::report::{OfferBacktest, SideReport, percents};
use crate::domain::grouped;
use crate::page::{Block, PageError, Plot, html, table};

const SIZE: (u32, u32) = (640, 360);
const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(203, 213, 225);
const OWN: RGBColor = RGBColor(37, 84, 160);
const AGAINST: RGBColor = RGBColor(190, 70, 40);
const BOOK: RGBColor = RGBColor(120, 130, 140);

/// One line of a plot: its name, colour and a range at each position; `None` leaves a gap.
struct Series<'a> {
    name: &'a str,
    color: RGBColor,
    ranges: Vec<Option<ShareRange>>,
}

impl OfferBacktest {
    /// The page: no script, nothing fetched.
    ///
    /// # Errors
    /// A plot cannot be drawn, or the template cannot be filled in.
    pub fn page(&self) -> Result<String, PageError> {
        let title = format!("{}: backtest of offers", self.job);
        let failed = |why: Box<dyn std::error::Error>| PageError { title: title.clone(), why: why.to_string() };
        let mut blocks = vec![Block::Heading(1, title.clone())];
        blocks.extend(self.what_was_done());
        for (name, side) in self.sides() {
            blocks.extend(self.of_side(name, side));
        }
        blocks.push(Block::Heading(2, "Loans really made".to_owned()));
        blocks.push(Block::Paragraph(
            "What became of the loans that were really made in the period, and of those that each policy would have made, up to its limits. A figure \
             that is not known is given from its lowest to its highest value: loans that are still open may be repaid or lost, and a loan above the \
             limit would have been a smaller one."
                .to_owned(),
        ));
        let mut rows = vec![self.loan_row("all, as they were", &self.book)];
        for (name, side) in self.sides() {
            rows.push(self.loan_row(&format!("{name} would have made"), &side.followed));
            rows.push(self.loan_row(&format!("{name} would have refused"), &side.refused));
        }
        blocks.push(table(&Self::LOAN_HEAD, rows));
        blocks.push(Block::Plots(vec![
            self.non_performing_plot().map_err(failed)?,
            self.vintage_plot().map_err(failed)?,
        ]));
        blocks.push(Block::Heading(2, "Swaps".to_owned()));
        let there = if self.against.is_some() { "the other policy" } else { "the loans that were really made" };
        blocks.push(Block::Paragraph(format!(
            "Against {there}. {} offers are of both. Of an offer whose merchant drew no loan nobody knows what would have become: such offers make \
             the bad share of offers a range.",
            grouped(self.swaps.both)
        )));
        blocks.push(table(&Self::SWAP_HEAD, self.swap_rows()));
        blocks.push(Block::Heading(2, "Date by date".to_owned()));
        blocks.push(table(
            &["", "loans", "made here", "NPL, really made", "NPL, here", "NPL, against"],
            self.date_rows(),
        ));
        html(&title, &blocks)
    }

    fn sides(&self) -> impl Iterator<Item = (&'static str, &SideReport)> {
        [Some(("the job", &self.own)), self.against.as_ref().map(|side| ("the other", side))].into_iter().flatten()
    }

    fn what_was_done(&self) -> Vec<Block> {
        let day = |day: Option<jiff::civil::Date>| day.map_or("–".to_owned(), |day| day.to_string());
        let mut facts = vec![
            format!(
                "Dates: {} to {}, every {} days, each decided on what was known then.",
                day(self.from),
                day(self.to),
                self.every_days
            ),
            format!("What became of loans is known up to {}.", self.known_by),
        ];
        for (name, side) in self.sides() {
            facts.push(format!("{name}: {}", side.file));
            facts.extend(Self::model_lines(side).into_iter().map(|line| format!("{name}: model {line}")));
        }
        if self.unknown_loans_of_other_dates + self.nameless_loans > 0 {
            facts.push(format!(
                "{} loans of unknown books were not made in the period, or nobody can say; {} records name no loan: they are in no figure.",
                grouped(self.unknown_loans_of_other_dates),
                grouped(self.nameless_loans)
            ));
        }
        vec![Block::List(facts)]
    }

    fn of_side(&self, name: &str, side: &SideReport) -> Vec<Block> {
        let offers = side.offers_by_band.iter().chain(&side.offers_by_product).map(|(key, of)| {
            vec![
                key.clone(),
                grouped(of.offers),
                self.money(of.limit_minor),
                grouped(of.with_loan),
                grouped(of.bad),
                grouped(of.unknown + of.without_loan),
                percents(of.bad_share),
            ]
        });
        let head = ["band or product", "offers", "limits in all", "with a loan", "bad", "not known", "bad share"];
        vec![
            Block::Heading(2, format!("Offers of {name}")),
            Block::Paragraph(Self::approval_text(side) + "."),
            table(&head, offers.collect()),
            Block::Heading(3, format!("{name} would have made, by band")),
            table(&Self::LOAN_HEAD, self.loan_rows(&side.followed_by_band)),
            Block::Heading(3, format!("{name} would have made, by product")),
            table(&Self::LOAN_HEAD, self.loan_rows(&side.followed_by_product)),
            Block::Heading(3, format!("{name} would have made, by month of the draw")),
            table(&Self::LOAN_HEAD, self.loan_rows(&side.followed_by_vintage)),
        ]
    }

    fn non_performing_plot(&self) -> Result<Plot, Box<dyn std::error::Error>> {
        let of = |share: fn(&super::DateLine) -> Option<ShareRange>| self.dates.iter().map(share).collect();
        let mut series = vec![
            Series { name: "really made", color: BOOK, ranges: of(|line| line.book_npl) },
            Series { name: "the job", color: OWN, ranges: of(|line| line.npl) },
        ];
        if self.against.is_some() {
            series.push(Series { name: "the other", color: AGAINST, ranges: of(|line| line.against_npl) });
        }
        let labels: Vec<String> = self.dates.iter().map(|line| line.on.to_string()).collect();
        plot("Non-performing share, by date", "npl.svg", &labels, &series)
    }

    fn vintage_plot(&self) -> Result<Plot, Box<dyn std::error::Error>> {
        let months: Vec<&String> = self.book_by_vintage.keys().collect();
        let of = |by: &std::collections::BTreeMap<String, super::LoanFigures>| {
            months.iter().map(|month| by.get(*month).and_then(|figures| figures.loss_share)).collect()
        };
        let mut series = vec![
            Series { name: "really made", color: BOOK, ranges: of(&self.book_by_vintage) },
            Series { name: "the job", color: OWN, ranges: of(&self.own.followed_by_vintage) },
        ];
        if let Some(against) = &self.against {
            series.push(Series { name: "the other", color: AGAINST, ranges: of(&against.followed_by_vintage) });
        }
        let labels: Vec<String> = months.iter().map(|month| (*month).clone()).collect();
        plot("Loss share, by month of the draw", "vintages.svg", &labels, &series)
    }
}

/// Ranges over positions: a bar from lowest to highest at each, and a line through the lowest.
fn plot(title: &str, file: &str, labels: &[String], series: &[Series<'_>]) -> Result<Plot, Box<dyn std::error::Error>> {
    let highest = series.iter().flat_map(|s| s.ranges.iter().flatten()).map(|range| range.highest).fold(0.01, f64::max);
    let last = labels.len().saturating_sub(1).max(1) as f64;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .margin_right(36)
            .x_label_area_size(34)
            .y_label_area_size(60)
            .build_cartesian_2d(-0.3..last + 0.3, 0.0..highest * 1.1)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|at: &f64| label_at(labels, *at))
            .y_label_formatter(&|share: &f64| format!("{:.1} %", share * 100.0))
            .draw()?;
        for (number, Series { name, color, ranges }) in series.iter().enumerate() {
            // Side by side, so that ranges do not hide each other.
            let aside = 0.08 * number as f64;
            let known =
                ranges.iter().enumerate().filter_map(|(at, range)| range.map(|range| (at as f64 + aside, range)));
            let points: Vec<(f64, ShareRange)> = known.collect();
            let bars = points.iter().map(|(at, range)| {
                PathElement::new(vec![(*at, range.lowest), (*at, range.highest)], color.mix(0.55).stroke_width(4))
            });
            chart.draw_series(bars)?;
            let line = LineSeries::new(points.iter().map(|(at, range)| (*at, range.lowest)), color.stroke_width(2));
            let color = *color;
            chart
                .draw_series(line)?
                .label(*name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT)
            .draw()?;
        area.present()?;
    }
    Ok(Plot { title: title.to_owned(), file: file.to_owned(), svg })
}

/// The label of a whole position; none between.
fn label_at(labels: &[String], at: f64) -> String {
    let nearest = at.round();
    if nearest < 0.0 || (at - nearest).abs() > 0.01 {
        return String::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and at most the number of labels"
    )]
    let at = nearest as usize;
    labels.get(at).cloned().unwrap_or_default()
}
