//! What portfolio optimisation makes of a published run under a policy, and the efficient frontier. Nothing is published.

use std::fmt::Write as _;
use std::path::Path;

use jiff::civil::Date;
use plotters::prelude::*;
use serde::Serialize;

use super::policy_diff::{PolicyDiffError, PolicyName};
use super::run_again::RunAgain;
use super::settled_run::place_of;
use crate::domain::{Currency, Money, grouped};
use crate::offer::{BoundLine, BoundName, ChoiceGrid, Committed, OfferPool, OptimisationSummary, Policy, decide};
use crate::optimise::{FrontierPoint, Place, Varied};
use crate::page::{Block, PageError, Plot, html, table};
use crate::report::text_table;

/// A policy's optimum on a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyOptimum {
    /// The run.
    pub run_id: String,
    /// Its as-of date.
    pub as_of: Date,
    /// Currency of all amounts.
    pub currency: Option<Currency>,
    /// The policy.
    pub policy: PolicyName,
    /// Merchants decided on.
    pub merchants: u64,
    /// What is chosen under the policy's own bounds.
    pub optimisation: OptimisationSummary,
    /// The efficient frontier; empty where it was not asked for.
    pub frontier: Vec<OptimumPoint>,
    /// What is varied along it.
    pub varied: Option<BoundName>,
}

/// One point of the efficient frontier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OptimumPoint {
    /// The most of what is varied, minor units.
    pub most_minor: i64,
    /// Expected profit.
    pub profit_minor: i64,
    /// No choice within the bounds has a larger expected profit.
    pub profit_bound_minor: i64,
    /// Lent beyond what offers held before.
    pub lent_minor: i64,
    /// Expected loss.
    pub expected_loss_minor: i64,
    /// Offers made.
    pub offered: u64,
    /// Whether as many offers are made as the policy asks for.
    pub is_enough: bool,
    /// What one more unit of what is varied would bring.
    pub shadow_price: f64,
}

/// Decides every merchant of a run, or of an output folder's current run, and optimises the offers; with `along` the frontier of so many points too.
///
/// # Errors
/// See [`PolicyDiffError`].
pub fn policy_optimum(
    run: &Path,
    file: &Path,
    along: Option<(Varied, usize)>,
) -> Result<PolicyOptimum, PolicyDiffError> {
    let run = RunAgain::open(run)?;
    let policy = Policy::open(file)?;
    run.check(&policy)?;
    let Some(grid) = ChoiceGrid::of(&policy)? else {
        let run = run.manifest().run_id.clone();
        return Err(PolicyDiffError::NotOptimised { run, policy: file.display().to_string() });
    };
    let (mut committed, mut offers, mut merchants) = (Committed::default(), Vec::new(), 0_u64);
    run.each_case(|_, case, facts| {
        merchants += 1;
        let place = place_of(&policy, &run, facts)?;
        committed.add(&place, case.account.owed_at_most_minor(), case.account.held_minor(None));
        for offer in decide(&policy, case, &run.as_of)?.offers {
            let held = case.account.replaced(&offer.product).map_or(0, |replaced| replaced.held_minor);
            offers.push((grid.candidate(&policy, &offer, held, Place::default())?, place.clone()));
        }
        Ok(())
    })?;
    let mut pool = OfferPool::beside(committed);
    for (candidate, place) in offers {
        pool.put(candidate, &place);
    }
    let pool = OfferPool::joined(vec![pool]);
    let points = along.map(|(varied, points)| pool.clone().frontier(&policy, &grid, varied, points));
    let optimisation = pool.allocate(&policy, &grid).summary;
    let manifest = run.manifest();
    Ok(PolicyOptimum {
        run_id: manifest.run_id.clone(),
        as_of: manifest.as_of,
        currency: manifest.currency,
        policy: run.named(file, &policy),
        merchants,
        optimisation,
        frontier: points.into_iter().flatten().map(|point| optimum_point(&point, along.map(|(v, _)| v))).collect(),
        varied: along.map(|(varied, _)| match varied {
            Varied::Lent => BoundName::Lent,
            Varied::Loss => BoundName::ExpectedLoss,
        }),
    })
}

fn optimum_point(point: &FrontierPoint, varied: Option<Varied>) -> OptimumPoint {
    let found = &point.allocation;
    OptimumPoint {
        most_minor: point.most_minor,
        profit_minor: found.profit_minor,
        profit_bound_minor: found.bound_minor,
        lent_minor: found.lent_minor,
        expected_loss_minor: found.loss_minor,
        offered: found.chosen,
        is_enough: found.chosen >= found.least_chosen,
        shadow_price: if varied == Some(Varied::Loss) { found.shadow.loss() } else { found.shadow.lent() },
    }
}

/// What optimisation came to, for a terminal.
#[must_use]
pub(crate) fn optimisation_text(found: &OptimisationSummary, currency: Currency) -> String {
    let money = |minor: i64| Money::new(minor, currency).to_string();
    let mut text = format!(
        "  optimised  {} of {} possible offers, {} lowered, {} at another rate; expected profit {}, at most {} ({:.3} % more)\n",
        grouped(found.offered),
        grouped(found.candidates),
        grouped(found.lowered),
        grouped(found.repriced),
        money(found.profit_minor),
        money(found.profit_bound_minor),
        100.0 * found.gap_share(),
    );
    let bound = |line: &BoundLine| {
        let binds = if line.shadow_price > 0.0 {
            format!("binds: one more brings {:.5}", line.shadow_price)
        } else if line.most_minor < 0 {
            "binds: what was lent before is past it already, and nothing new is offered".to_owned()
        } else {
            "does not bind".to_owned()
        };
        format!("             {}: {} of {}, {binds}\n", line.bound, money(line.used_minor), money(line.most_minor))
    };
    text.extend(found.bounds.iter().map(bound));
    if found.least_offered > 0 {
        let short = if found.offered < found.least_offered { "; the other bounds leave no room for more" } else { "" };
        let price = match found.offer_price_minor {
            0 => "does not bind".to_owned(),
            price => format!("binds: the last one costs {}", money(price)),
        };
        let least = grouped(found.least_offered);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "             offers: {} of at least {least}, {price}{short}", grouped(found.offered));
    }
    text
}

const HEAD: [&str; 8] =
    ["at most", "expected profit", "no more than", "lent", "expected loss", "offers", "enough", "one more brings"];

impl PolicyOptimum {
    fn money(&self, minor: i64) -> String {
        match self.currency {
            Some(currency) => Money::new(minor, currency).to_string(),
            None => format!("{minor} minor units"),
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |point: &OptimumPoint| {
            vec![
                self.money(point.most_minor),
                self.money(point.profit_minor),
                self.money(point.profit_bound_minor),
                self.money(point.lent_minor),
                self.money(point.expected_loss_minor),
                grouped(point.offered),
                if point.is_enough { "yes" } else { "no" }.to_owned(),
                format!("{:.5}", point.shadow_price),
            ]
        };
        self.frontier.iter().map(row).collect()
    }

    fn heading(&self) -> String {
        let merchants = grouped(self.merchants);
        format!(
            "run {} as of {}: {merchants} merchants decided again under {}",
            self.run_id, self.as_of, self.policy.file
        )
    }

    fn summary(&self) -> String {
        self.currency.map(|currency| optimisation_text(&self.optimisation, currency)).unwrap_or_default()
    }

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}", self.heading(), self.summary());
        if let Some(varied) = &self.varied {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  frontier   the largest expected profit, by the most of: {varied}");
            text.push_str(&text_table(&HEAD, &self.rows()));
        }
        text
    }

    /// The frontier as one HTML page with its plot.
    ///
    /// # Errors
    /// The plot cannot be drawn, or the template cannot be filled in.
    pub fn page(&self) -> Result<String, PageError> {
        let title = format!("Efficient frontier of {}", self.policy.file);
        let failed = |why: Box<dyn std::error::Error>| PageError { title: title.clone(), why: why.to_string() };
        let lines = self.summary();
        let mut blocks = vec![
            Block::Heading(1, title.clone()),
            Block::Paragraph(self.heading()),
            Block::List(lines.lines().map(|line| line.trim().to_owned()).collect()),
        ];
        if let Some(varied) = &self.varied {
            blocks.push(Block::Heading(2, format!("The largest expected profit, by the most of: {varied}")));
            blocks.push(Block::Plots(vec![self.plot(varied).map_err(failed)?]));
            blocks.push(table(&HEAD, self.rows()));
        }
        html(&title, &blocks)
    }

    fn plot(&self, varied: &BoundName) -> Result<Plot, Box<dyn std::error::Error>> {
        let main = |minor: i64| minor as f64 / self.currency.map_or(1.0, |currency| currency.minor_units() as f64);
        let widest = self.frontier.iter().map(|point| main(point.most_minor)).fold(1.0, f64::max);
        let highest = self.frontier.iter().map(|point| main(point.profit_minor)).fold(1.0, f64::max);
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (640, 360)).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area)
                .margin(12)
                .margin_right(36)
                .x_label_area_size(40)
                .y_label_area_size(84)
                .build_cartesian_2d(0.0..widest * 1.02, 0.0..highest * 1.1)?;
            let whole = |value: &f64| format!("{value:.0}");
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(RGBColor(203, 213, 225))
                .axis_style(RGBColor(31, 41, 55))
                .x_labels(6)
                .y_labels(6)
                .x_label_formatter(&whole)
                .y_label_formatter(&whole)
                .x_desc(format!("at most: {varied}"))
                .y_desc("expected profit")
                .draw()?;
            let color = RGBColor(37, 84, 160);
            let points: Vec<(f64, f64)> =
                self.frontier.iter().map(|point| (main(point.most_minor), main(point.profit_minor))).collect();
            chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|at| Circle::new(*at, 3, color.filled())))?;
            area.present()?;
        }
        Ok(Plot { title: format!("Expected profit by {varied}"), file: "frontier.svg".to_owned(), svg })
    }
}
