//! The plots a validator expects, as SVG text: ROC, distributions with KS, calibration, gains and lift, bins.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::curves::Curves;
use super::error::DocumentError;
use crate::model::binning::{Bin, BinRole, Bins};
use crate::model::validation::{Decile, Gain};

const SIZE: (u32, u32) = (520, 380);
const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(203, 213, 225);
const GOOD: RGBColor = RGBColor(13, 125, 112);
const BAD: RGBColor = RGBColor(190, 70, 40);
const ACCENT: RGBColor = RGBColor(37, 84, 160);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws onto a fresh canvas and returns the SVG text.
fn drawn(
    plot: &'static str,
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, DocumentError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let failed = |e: Box<dyn std::error::Error>| DocumentError::Plot { plot, reason: e.to_string() };
        area.fill(&WHITE).map_err(|e| failed(e.into()))?;
        draw(&area).map_err(failed)?;
        area.present().map_err(|e| failed(e.into()))?;
    }
    Ok(text)
}

fn label_style() -> TextStyle<'static> {
    ("sans-serif", 13).into_font().color(&INK)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form plotters takes formatters in")]
fn percent(share: &f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Draws axes and hands the chart over; shares are written in per cent.
macro_rules! chart {
    ($area:expr, $x:expr, $y:expr, $x_label:expr, $y_label:expr) => {
        chart!($area, $x, $y, $x_label, $y_label, &percent)
    };
    ($area:expr, $x:expr, $y:expr, $x_label:expr, $y_label:expr, $y_text:expr) => {{
        let mut chart = ChartBuilder::on($area)
            .margin(12)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d($x, $y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .x_desc($x_label)
            .y_desc($y_label)
            .x_label_formatter(&percent)
            .y_label_formatter($y_text)
            .label_style(label_style())
            .axis_desc_style(label_style())
            .x_labels(6)
            .y_labels(6)
            .draw()?;
        chart
    }};
}

macro_rules! legend {
    ($chart:expr, $place:expr) => {
        $chart
            .configure_series_labels()
            .position($place)
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT)
            .label_font(label_style())
            .draw()?
    };
}

fn swatch(color: RGBColor) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2))
}

/// The ROC curve.
pub(super) fn roc(curves: &Curves) -> Result<String, DocumentError> {
    drawn("ROC", |area| {
        let mut chart = chart!(area, 0.0..1.0, 0.0..1.0, "goods refused", "bads caught");
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], FAINT.stroke_width(2)))?;
        let curve = curves.roc.iter().map(|[x, y]| (*x, *y));
        chart.draw_series(LineSeries::new(curve, ACCENT.stroke_width(2)))?;
        Ok(())
    })
}

/// Distributions of goods and bads along the PD, with the widest gap.
pub(super) fn distributions(curves: &Curves) -> Result<String, DocumentError> {
    drawn("KS", |area| {
        let most = curves.distributions.last().map_or(1.0, |point| point[0]).max(1e-6);
        let mut chart = chart!(area, 0.0..most, 0.0..1.0, "PD", "share at or below");
        for (index, name, color) in [(1, "goods", GOOD), (2, "bads", BAD)] {
            let curve = curves.distributions.iter().map(|point| (point[0], point.get(index).copied().unwrap_or(0.0)));
            chart.draw_series(LineSeries::new(curve, color.stroke_width(2)))?.label(name).legend(swatch(color));
        }
        let widest = curves.distributions.iter().max_by(|a, b| (a[1] - a[2]).abs().total_cmp(&(b[1] - b[2]).abs()));
        if let Some([pd, good, bad]) = widest {
            let gap = [(*pd, *good), (*pd, *bad)];
            chart.draw_series(LineSeries::new(gap, INK.stroke_width(1)))?.label("widest").legend(swatch(INK));
        }
        legend!(chart, SeriesLabelPosition::LowerRight);
        Ok(())
    })
}

/// Predicted against observed default rate, with exact intervals.
pub(super) fn calibration(deciles: &[Decile]) -> Result<String, DocumentError> {
    drawn("calibration", |area| {
        let top = |d: &Decile| d.bad_rate_interval.map_or(d.bad_rate, |i| i[1]).max(d.mean_pd);
        let most = deciles.iter().map(top).fold(0.0, f64::max).clamp(0.01, 1.0);
        let mut chart = chart!(area, 0.0..most, 0.0..most, "predicted PD", "observed bad rate");
        chart
            .draw_series(LineSeries::new([(0.0, 0.0), (most, most)], FAINT.stroke_width(2)))?
            .label("calibrated")
            .legend(swatch(FAINT));
        for decile in deciles {
            if let Some([low, high]) = decile.bad_rate_interval {
                let bar = [(decile.mean_pd, low), (decile.mean_pd, high.min(most))];
                chart.draw_series(LineSeries::new(bar, ACCENT.mix(0.5).stroke_width(2)))?;
            }
        }
        let points = deciles.iter().map(|d| Circle::new((d.mean_pd, d.bad_rate), 4, ACCENT.filled()));
        chart.draw_series(points)?.label("observed, with interval").legend(swatch(ACCENT));
        legend!(chart, SeriesLabelPosition::UpperLeft);
        Ok(())
    })
}

/// Bads caught by refusing the riskiest.
pub(super) fn gains(table: &[Gain]) -> Result<String, DocumentError> {
    drawn("gains", |area| {
        let mut chart = chart!(area, 0.0..1.0, 0.0..1.0, "riskiest refused", "share");
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], FAINT.stroke_width(2)))?;
        let start = std::iter::once((0.0, 0.0));
        let bads = start.clone().chain(table.iter().map(|g| (g.rows_share, g.bads_captured_share)));
        chart.draw_series(LineSeries::new(bads, BAD.stroke_width(2)))?.label("bads caught").legend(swatch(BAD));
        let goods = start.chain(table.iter().map(|g| (g.rows_share, g.goods_refused_share)));
        chart.draw_series(LineSeries::new(goods, GOOD.stroke_width(2)))?.label("goods refused").legend(swatch(GOOD));
        legend!(chart, SeriesLabelPosition::LowerRight);
        Ok(())
    })
}

/// Bad rate of the refused against the overall one.
pub(super) fn lift(table: &[Gain]) -> Result<String, DocumentError> {
    drawn("lift", |area| {
        let most = table.iter().map(|g| g.lift.max(g.cumulative_lift)).fold(1.0, f64::max) * 1.1;
        let times = |lift: &f64| format!("{lift:.1} ×");
        let mut chart = chart!(area, 0.0..1.0, 0.0..most, "riskiest refused", "lift", &times);
        let mut start = 0.0;
        let bars = table.iter().map(|g| {
            let bar = Rectangle::new([(start, 0.0), (g.rows_share, g.lift)], ACCENT.mix(0.3).filled());
            start = g.rows_share;
            bar
        });
        chart.draw_series(bars)?.label("of each step").legend(swatch(ACCENT));
        let so_far = table.iter().map(|g| (g.rows_share, g.cumulative_lift));
        chart.draw_series(LineSeries::new(so_far, BAD.stroke_width(2)))?.label("so far").legend(swatch(BAD));
        chart.draw_series(LineSeries::new([(0.0, 1.0), (1.0, 1.0)], FAINT.stroke_width(2)))?;
        legend!(chart, SeriesLabelPosition::UpperRight);
        Ok(())
    })
}

/// A variable's bins: share of rows as bars, bad rate as a line.
pub(super) fn bins(variable: &Bins) -> Result<String, DocumentError> {
    drawn("bins", |area| {
        let total: f64 = variable.bins.iter().map(|bin| bin.rows).sum::<f64>().max(f64::MIN_POSITIVE);
        let share = |rows: f64| rows / total;
        let rate = |bad: f64, rows: f64| if rows > 0.0 { bad / rows } else { 0.0 };
        let held = variable.bins.iter().map(|bin| share(bin.rows).max(rate(bin.bad, bin.rows)));
        let most = (held.fold(0.05, f64::max) * 1.35).min(1.2);
        let count = variable.bins.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(24)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(-0.6..count - 0.4, 0.0..most)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .x_labels(0)
            .y_label_formatter(&percent)
            .y_label_style(label_style())
            .y_labels(6)
            .draw()?;
        for (i, bin) in variable.bins.iter().enumerate() {
            // Neighbouring names stand on two lines, so that they do not run into each other.
            let (x, y) = chart.backend_coord(&(i as f64, 0.0));
            let line = if i % 2 == 0 { 8 } else { 22 };
            let style = ("sans-serif", 11).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(shortened(&bin.label), (x, y + line), style))?;
        }
        let bars = variable.bins.iter().enumerate().map(|(i, bin)| {
            let at = i as f64;
            Rectangle::new([(at - 0.38, 0.0), (at + 0.38, share(bin.rows))], ACCENT.mix(0.3).filled())
        });
        chart.draw_series(bars)?.label("share of rows").legend(swatch(ACCENT));
        let point = |(i, bin): (usize, &Bin)| (i as f64, rate(bin.bad, bin.rows));
        let held = || variable.bins.iter().enumerate().filter(|(_, bin)| bin.rows > 0.0);
        // Special and missing values have no place in the order: points, no line.
        let line = held().filter(|(_, bin)| bin.role == BinRole::Regular).map(point);
        chart.draw_series(LineSeries::new(line, BAD.stroke_width(2)))?.label("bad rate").legend(swatch(BAD));
        chart.draw_series(held().map(point).map(|at| Circle::new(at, 3, BAD.filled())))?;
        legend!(chart, SeriesLabelPosition::UpperRight);
        Ok(())
    })
}

/// A label short enough to stand under a bar: of an interval, its upper edge.
fn shortened(label: &str) -> String {
    let label = label.split_once(" and ≤ ").map_or_else(|| label.to_owned(), |(_, edge)| format!("≤ {edge}"));
    if label.chars().count() <= 14 { label } else { label.chars().take(13).chain(std::iter::once('…')).collect() }
}
