//! The portfolio as one HTML page: what is owed and how late over the nights, where money moved, what became of each month's loans, what was expected of them,
//! provisions, concentrations, drift. Every figure is one of the published tables.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::{Currency, Money, days_since_epoch, grouped};
use crate::monitor::{
    Bucket, Dimension, DriftLine, ForecastBy, ForecastLine, PortfolioLine, PortfolioTables, ProvisionLine, RollBasis,
    RollRate, Stage, Standing, VintageLine,
};
use crate::page::{Block, Line, LinePlot, PageError, Plot, html, table};

/// Members of a dimension that are named; what is owed by the others stands in one row.
const MOST_MEMBERS: usize = 12;
/// Curves in one plot.
const MOST_CURVES: usize = 10;
/// Months whose roll rates are shown.
const MOST_MONTHS: usize = 3;
/// Months on the book at which vintages are compared.
const AGES: [i32; 6] = [3, 6, 9, 12, 18, 24];

/// What the page is made of.
#[derive(Clone, Copy)]
pub struct PortfolioPage<'a> {
    /// The job.
    pub job: &'a str,
    /// The night.
    pub as_of: Date,
    /// Of all amounts.
    pub currency: Currency,
    /// Tonight's tables, with those of the nights before.
    pub tables: &'a PortfolioTables,
    /// Drift, likewise.
    pub drift: &'a [DriftLine],
    /// Buckets of days past due, from the best on.
    pub buckets: &'a [Bucket],
}

impl PortfolioPage<'_> {
    /// The page. The same tables give the same bytes.
    ///
    /// # Errors
    /// The template cannot be filled in.
    pub fn html(&self) -> Result<String, PageError> {
        let title = format!("Portfolio of {} as of {}", self.job, self.as_of);
        let mut blocks = vec![Block::Heading(1, title.clone())];
        blocks.extend(self.in_short());
        blocks.extend(self.over_the_nights());
        blocks.extend(self.roll_rates());
        blocks.extend(self.vintages());
        blocks.extend(self.expected_and_realised());
        blocks.extend(self.provisions());
        blocks.extend(self.concentrations());
        blocks.extend(self.drift());
        html(&title, &blocks)
    }

    fn money(&self, minor: i64) -> String {
        Money::new(minor, self.currency).to_string()
    }

    /// An amount whose currency stands in the head of its row.
    fn amount(&self, minor: i64) -> String {
        let money = self.money(minor);
        money.strip_suffix(&format!(" {}", self.currency)).unwrap_or(&money).to_owned()
    }

    fn known_money(&self, minor: Option<i64>) -> String {
        minor.map_or_else(unknown, |minor| self.money(minor))
    }

    fn tonight(&self) -> impl Iterator<Item = &PortfolioLine> {
        self.tables.portfolio.iter().filter(|line| line.night_on == self.as_of)
    }

    fn in_short(&self) -> Vec<Block> {
        let all = self.tonight().find(|line| line.dimension == Dimension::All);
        let Some(all) = all else {
            return vec![Block::Paragraph("The job has no loan book: there is no portfolio to show.".to_owned())];
        };
        let of = |minor: i64| {
            let share = share_of(minor, all.outstanding_minor);
            format!("{}, {}", self.money(minor), share.map_or_else(unknown, percent))
        };
        let status = |name: &str| {
            self.tonight().find(|line| line.dimension == Dimension::Status && line.member.as_deref() == Some(name))
        };
        let written_off = status("written-off").and_then(|line| line.outstanding_minor).unwrap_or(0);
        let unknown_loans = status("unknown").map_or_else(
            || "none".to_owned(),
            |line| format!("{}, on which {} was lent", grouped(line.loans.unsigned_abs()), self.money(line.lent_minor)),
        );
        vec![
            Block::Paragraph(
                "Open loans, by principal not repaid. Non-performing: in default or late enough, with all loans of the same borrower and guarantee group. Every figure is in \
                 the run's tables: portfolio, roll_rates, vintages, provisions, forecast_outcomes, drift."
                    .to_owned(),
            ),
            table(
                &["", ""],
                [
                    ("outstanding", self.known_money(all.outstanding_minor)),
                    ("borrowers", grouped(all.borrowers.unsigned_abs())),
                    ("open loans", grouped(all.loans.unsigned_abs())),
                    ("non-performing", of(all.non_performing_minor)),
                    ("30 days past due and more", of(all.over_30_minor)),
                    ("60 days and more", of(all.over_60_minor)),
                    ("90 days and more", of(all.over_90_minor)),
                    ("provisions, weighted", all.provision_minor.map_or_else(unknown, of)),
                    ("written off, still owed", self.money(written_off)),
                    ("loans of which nothing is known", unknown_loans),
                ]
                .into_iter()
                .map(|(name, value)| vec![name.to_owned(), value])
                .collect(),
            ),
        ]
    }

    fn over_the_nights(&self) -> Vec<Block> {
        let mut nights: Vec<&PortfolioLine> =
            self.tables.portfolio.iter().filter(|line| line.dimension == Dimension::All).collect();
        nights.sort_by_key(|line| line.night_on);
        let mut unknown: BTreeMap<Date, i64> = BTreeMap::new();
        let not_known =
            |line: &&PortfolioLine| line.dimension == Dimension::Status && line.member.as_deref() == Some("unknown");
        for line in self.tables.portfolio.iter().filter(not_known) {
            unknown.insert(line.night_on, line.lent_minor);
        }
        // On a night without a loan book nothing is known to be owed: that is no zero.
        let is_blind = |line: &PortfolioLine| line.loans == 0 && unknown.contains_key(&line.night_on);
        let points = |value: &dyn Fn(&PortfolioLine) -> Option<f64>| -> Vec<Option<(f64, f64)>> {
            let point = |line: &&PortfolioLine| {
                let value = if is_blind(line) { None } else { value(line) };
                Some((day(line.night_on), value?))
            };
            nights.iter().map(point).collect()
        };
        let mut amounts =
            vec![line("outstanding", points(&|line| line.outstanding_minor.map(|minor| self.main_units(minor))))];
        if !unknown.is_empty() {
            let lent = |line: &&PortfolioLine| {
                let minor = unknown.get(&line.night_on).copied().unwrap_or(0);
                Some((day(line.night_on), self.main_units(minor)))
            };
            amounts.push(line("unknown, lent", nights.iter().map(lent).collect()));
        }
        let share = |minor: fn(&PortfolioLine) -> i64| {
            points(&|line: &PortfolioLine| share_of(minor(line), line.outstanding_minor).map(in_percent))
        };
        let shares = vec![
            line("30 days and more", share(|line| line.over_30_minor)),
            line("60 days and more", share(|line| line.over_60_minor)),
            line("90 days and more", share(|line| line.over_90_minor)),
            line("non-performing", share(|line| line.non_performing_minor)),
        ];
        let code = self.currency.code();
        let plots = [
            self.by_day("Owed, night by night", "outstanding.svg", &code, amounts),
            self.by_day("Past due, share of what is owed", "past-due.svg", "%", shares),
        ];
        section("Over the nights", nights_text(nights.len()), plots)
    }

    fn roll_rates(&self) -> Vec<Block> {
        let mut matrices: BTreeMap<(RollBasis, Date, Date), Vec<&RollRate>> = BTreeMap::new();
        for rate in &self.tables.rolls {
            matrices.entry((rate.basis, rate.from_on, rate.to_on)).or_default().push(rate);
        }
        let months = matrices.iter().rev().filter(|((basis, ..), _)| *basis == RollBasis::Month).take(MOST_MONTHS);
        let night = matrices.iter().filter(|((basis, _, to), _)| *basis == RollBasis::Night && *to == self.as_of);
        let shown: Vec<_> = night.chain(months).filter(|(_, rates)| !rates.is_empty()).collect();
        if shown.is_empty() {
            return Vec::new();
        }
        let mut blocks = vec![
            heading("Roll rates"),
            Block::Paragraph(
                "Where the money of each row went: every row adds up to 100 %. What was repaid is in paid-off, also of loans that stay open. The last row is what stands in each place \
                 at the end, with what came to be owed beyond the money of the rows."
                    .to_owned(),
            ),
        ];
        for ((basis, from, to), rates) in shown {
            let what = if *basis == RollBasis::Night { "From the night before" } else { "Month" };
            blocks.push(Block::Heading(3, format!("{what}: {from} to {to}")));
            blocks.push(self.matrix(rates));
        }
        blocks
    }

    /// One matrix, places in the order of lateness.
    fn matrix(&self, rates: &[&RollRate]) -> Block {
        let places = |of: fn(&RollRate) -> &str| -> Vec<&str> {
            let mut places: Vec<&str> =
                rates.iter().map(|rate| of(rate)).collect::<BTreeSet<&str>>().into_iter().collect();
            places.sort_by_key(|place| self.rank(place));
            places
        };
        let (from, to) = (places(|rate| &rate.from_place), places(|rate| &rate.to_place));
        let cell = |from: &str, to: &str| rates.iter().find(|rate| rate.from_place == from && rate.to_place == to);
        let rows = from.iter().map(|from| {
            let moved: Vec<i64> = to.iter().map(|to| cell(from, to).map_or(0, |rate| rate.moved_minor)).collect();
            let sum = moved.iter().fold(0_i64, |sum, part| sum.saturating_add(*part));
            let mut row = vec![(*from).to_owned(), self.money(sum)];
            row.extend(
                permilles(&moved)
                    .into_iter()
                    .map(|share| if share == 0 { unknown() } else { format!("{}.{} %", share / 10, share % 10) }),
            );
            row
        });
        let mut rows: Vec<Vec<String>> = rows.collect();
        let stands = |to: &&str| {
            let there = rates.iter().filter(|rate| rate.to_place == **to);
            there.fold(0_i64, |sum, rate| sum.saturating_add(rate.moved_minor).saturating_add(rate.increased_minor))
        };
        let mut last = vec![format!("at the end, {}", self.currency), String::new()];
        last.extend(to.iter().map(|to| self.amount(stands(to))));
        rows.push(last);
        let mut head = vec!["from", "money then"];
        head.extend(&to);
        table(&head, rows)
    }

    /// New loans, buckets from the best on, and what is no bucket.
    fn rank(&self, place: &str) -> usize {
        let bucket = self.buckets.iter().position(|bucket| bucket.name == place);
        match (place, bucket) {
            ("new", _) => 0,
            (_, Some(bucket)) => 1 + bucket,
            ("written-off", _) => 1 + self.buckets.len(),
            ("paid-off", _) => 2 + self.buckets.len(),
            // Unknown, no longer sent, and buckets that the monitor file had before.
            _ => 3 + self.buckets.len(),
        }
    }

    fn vintages(&self) -> Vec<Block> {
        let curves = VintageCurve::all(&self.tables.vintages);
        if curves.is_empty() {
            return Vec::new();
        }
        let lines = curves.iter().filter(|curve| curve.ages() > 0).map(|curve| {
            let points = (0..=curve.ages()).map(|age| {
                let share = if age == 0 { Some(0.0) } else { curve.share(age) };
                share.map(|share| (f64::from(age), in_percent(share)))
            });
            line(&curve.name, points.collect())
        });
        let plot = LinePlot {
            title: "In default so far, share of what was lent",
            file: "vintages.svg",
            x_name: "months on the book",
            x_text: &|age| format!("{age:.0}"),
            y_name: "%",
            y_text: &short,
            lines: lines.collect(),
        };
        let text = "Loans by when they were paid out, all products together: what was lent on those that had been in default for the first time by so many months on the book, as the \
                    books are known tonight. A curve goes as far as the youngest of its loans.";
        let mut blocks = section("Vintages", text.to_owned(), [plot.plot()]);
        let rows = curves.iter().map(|curve| {
            let mut row = vec![curve.name.clone(), grouped(curve.loans.unsigned_abs()), self.money(curve.lent_minor)];
            row.extend(AGES.map(|age| curve.share(age).map_or_else(unknown, percent)));
            row.push(curve.share_so_far().map_or_else(unknown, percent));
            row.push(self.money(curve.unpaid_minor));
            row
        });
        let ages = AGES.map(|age| format!("{age} months"));
        let mut head = vec!["paid out in", "loans", "lent"];
        head.extend(ages.iter().map(String::as_str));
        head.extend(["so far", "not repaid of it"]);
        blocks.push(table(&head, rows.collect()));
        blocks
    }

    fn expected_and_realised(&self) -> Vec<Block> {
        let of = |by: ForecastBy| self.tables.forecast_outcomes.iter().filter(move |line| line.by == by);
        let mut rows: Vec<&ForecastLine> = of(ForecastBy::All).chain(of(ForecastBy::Product)).collect();
        rows.extend(of(ForecastBy::Band));
        rows.sort_by(|a, b| (a.standing, a.by, &a.member).cmp(&(b.standing, b.by, &b.member)));
        if rows.is_empty() {
            return Vec::new();
        }
        let realised: Vec<&ForecastLine> =
            of(ForecastBy::Band).filter(|line| line.standing == Standing::Realised && line.loans > 0).collect();
        let bands: Vec<String> =
            realised.iter().map(|line| line.member.clone().unwrap_or_else(|| "no band".to_owned())).collect();
        let by_band = |value: fn(&ForecastLine) -> Option<f64>| -> Vec<Option<(f64, f64)>> {
            let point = |(at, line): (u32, &&ForecastLine)| Some((f64::from(at), in_percent(value(line)?)));
            (0..).zip(&realised).map(point).collect()
        };
        let plot = LinePlot {
            title: "Default rate by band: expected, and realised with its 95 % interval",
            file: "bands.svg",
            x_name: "risk band on the night of the forecast",
            x_text: &|at| label_at(&bands, at),
            y_name: "%",
            y_text: &short,
            lines: vec![
                line("expected", by_band(|line| line.expected_default_share)),
                line("realised", by_band(|line| line.default_share)),
                line("from", by_band(|line| line.default_share_low)),
                line("to", by_band(|line| line.default_share_high)),
            ],
        };
        let text = "A forecast is made on the first night that shows a loan, and never changed. Realised: its horizon is over, and what happened stands beside what was expected. \
                    Estimated: it runs, and nothing has been observed yet.";
        let mut blocks = section("Expected and realised losses", text.to_owned(), [plot.plot()]);
        let rows = rows.into_iter().map(|line| {
            let member = line.member.as_deref().unwrap_or("not known");
            let name = match line.by {
                ForecastBy::All => "all".to_owned(),
                ForecastBy::Band => format!("band {member}"),
                ForecastBy::Product | ForecastBy::Vintage => member.to_owned(),
            };
            let standing = match line.standing {
                Standing::Realised => "realised",
                Standing::Estimated => "estimated",
            };
            let interval = line.default_share_low.zip(line.default_share_high);
            let beyond =
                line.is_as_expected.map(|holds| match (holds, line.default_share, line.expected_default_share) {
                    (true, ..) => "as expected",
                    (false, Some(share), Some(expected)) if share > expected => "more than expected",
                    (false, ..) => "less than expected",
                });
            vec![
                name,
                standing.to_owned(),
                grouped(line.loans.unsigned_abs()),
                self.money(line.exposure_minor),
                line.expected_default_share.map_or_else(unknown, percent),
                line.default_share.map_or_else(unknown, percent),
                interval.map_or_else(unknown, |(low, high)| format!("{} to {}", percent(low), percent(high))),
                beyond.map_or_else(unknown, str::to_owned),
                self.money(line.expected_loss_minor),
                self.known_money(line.lost_minor),
            ]
        });
        let head = [
            "",
            "",
            "loans",
            "owed when foreseen",
            "default rate expected",
            "realised",
            "95 % interval",
            "",
            "loss expected",
            "lost",
        ];
        blocks.push(table(&head, rows.collect()));
        blocks
    }

    fn provisions(&self) -> Vec<Block> {
        let all = &self.tables.provisions;
        if all.is_empty() {
            return Vec::new();
        }
        let mut sums: BTreeMap<&str, BTreeMap<Date, i64>> = BTreeMap::new();
        for line in all {
            let sum = sums.entry(&line.scenario).or_default().entry(line.night_on).or_default();
            *sum = sum.saturating_add(line.provision_minor);
        }
        let lines = sums.iter().map(|(scenario, nights)| {
            let points = nights.iter().map(|(on, minor)| Some((day(*on), self.main_units(*minor))));
            line(scenario, points.collect())
        });
        let code = self.currency.code();
        let plot = self.by_day("Provisions, by scenario", "provisions.svg", &code, lines.collect());
        let text = "Stages as in IFRS 9, under each scenario; weighted is all of them by their weights. Loans of which nothing is known are provided for with a probability of default of 1.";
        let mut blocks = section("Provisions", text.to_owned(), [plot]);
        let tonight: Vec<&ProvisionLine> = all.iter().filter(|line| line.night_on == self.as_of).collect();
        let stages = [Stage::Performing, Stage::UnderPerforming, Stage::Impaired, Stage::Unknown];
        let there = |stage: &Stage| tonight.iter().any(|line| line.stage == *stage);
        let stages: Vec<Stage> = stages.into_iter().filter(there).collect();
        let scenarios: BTreeSet<&str> = tonight.iter().map(|line| line.scenario.as_str()).collect();
        let of =
            |scenario: &str, stage: Stage| tonight.iter().find(|line| line.scenario == scenario && line.stage == stage);
        let exposure = |stage: &Stage| {
            let line = tonight.iter().find(|line| line.stage == *stage);
            line.map_or(0, |line| line.exposure_minor)
        };
        let row = |name: &str, amounts: Vec<i64>| {
            let sum = amounts.iter().fold(0_i64, |sum, minor| sum.saturating_add(*minor));
            let cells = amounts.into_iter().chain([sum]).map(|minor| self.money(minor));
            std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
        };
        let mut rows = vec![row("owed", stages.iter().map(exposure).collect())];
        rows.extend(scenarios.into_iter().map(|scenario| {
            let amount = |stage: &Stage| of(scenario, *stage).map_or(0, |line| line.provision_minor);
            row(scenario, stages.iter().map(amount).collect())
        }));
        let mut head = vec![""];
        head.extend(stages.iter().map(|stage| stage.name()));
        head.push("all");
        blocks.push(table(&head, rows));
        blocks
    }

    fn concentrations(&self) -> Vec<Block> {
        let dimensions = [
            (Dimension::LargestBorrowers, "Largest borrowers"),
            (Dimension::LargestOwners, "Largest owners, the shops of one together"),
            (Dimension::LargestGroups, "Largest guarantee groups"),
            (Dimension::Product, "By product"),
            (Dimension::Category, "By category"),
            (Dimension::Region, "By region"),
            (Dimension::Band, "By risk band"),
            (Dimension::Bucket, "By days past due"),
        ];
        let mut blocks = Vec::new();
        for (dimension, name) in dimensions {
            let members: Vec<&PortfolioLine> = self.tonight().filter(|line| line.dimension == dimension).collect();
            // Where no owner has several shops, owners are the borrowers.
            let is_repetition = dimension == Dimension::LargestOwners && self.are_those_of_borrowers(&members);
            if !members.is_empty() && !is_repetition {
                blocks.push(Block::Heading(3, name.to_owned()));
                blocks.push(self.members(dimension, members));
            }
        }
        if !blocks.is_empty() {
            blocks.insert(0, heading("Concentrations"));
        }
        blocks
    }

    fn are_those_of_borrowers(&self, owners: &[&PortfolioLine]) -> bool {
        let borrowers = self.tonight().filter(|line| line.dimension == Dimension::LargestBorrowers);
        borrowers
            .map(|line| (&line.member, line.outstanding_minor))
            .eq(owners.iter().map(|line| (&line.member, line.outstanding_minor)))
    }

    /// One dimension: those that owe most first; what has an order of its own stands in it.
    fn members(&self, dimension: Dimension, mut members: Vec<&PortfolioLine>) -> Block {
        match dimension {
            Dimension::Bucket => members.sort_by_key(|line| line.member.as_deref().map(|place| self.rank(place))),
            Dimension::LargestBorrowers | Dimension::LargestOwners | Dimension::LargestGroups => {
                members.sort_by_key(|line| {
                    let first = line.member.as_deref().and_then(|name| name.split(' ').next()?.parse::<u64>().ok());
                    first.unwrap_or(u64::MAX)
                });
            }
            Dimension::Band => {}
            _ => members.sort_by(|a, b| (b.outstanding_minor, &a.member).cmp(&(a.outstanding_minor, &b.member))),
        }
        let named = members.len().min(if members.len() == MOST_MEMBERS + 1 { MOST_MEMBERS + 1 } else { MOST_MEMBERS });
        let (named, others) = members.split_at(named);
        let mut rows: Vec<Vec<String>> =
            named.iter().map(|line| self.member_row(line.member.as_deref().unwrap_or("not known"), &[*line])).collect();
        if !others.is_empty() {
            rows.push(self.member_row(&format!("{} others", grouped(others.len() as u64)), others));
        }
        table(
            &["", "borrowers", "loans", "outstanding", "share", "30 days and more", "non-performing", "provisions"],
            rows,
        )
    }

    fn member_row(&self, name: &str, lines: &[&PortfolioLine]) -> Vec<String> {
        let sum = |of: fn(&PortfolioLine) -> i64| lines.iter().fold(0_i64, |sum, line| sum.saturating_add(of(line)));
        let owed = sum(|line| line.outstanding_minor.unwrap_or(0));
        let share: Option<f64> = lines.iter().map(|line| line.share).sum();
        let provided = lines.iter().any(|line| line.provision_minor.is_some());
        let of_owed = |minor: i64| share_of(minor, Some(owed)).map_or_else(unknown, percent);
        vec![
            name.to_owned(),
            // A borrower may have loans of several members.
            if lines.len() == 1 { grouped(sum(|line| line.borrowers).unsigned_abs()) } else { unknown() },
            grouped(sum(|line| line.loans).unsigned_abs()),
            self.money(owed),
            share.map_or_else(unknown, percent),
            of_owed(sum(|line| line.over_30_minor)),
            of_owed(sum(|line| line.non_performing_minor)),
            if provided { self.money(sum(|line| line.provision_minor.unwrap_or(0))) } else { unknown() },
        ]
    }

    fn drift(&self) -> Vec<Block> {
        let mut tonight: Vec<&DriftLine> = self.drift.iter().filter(|line| line.night_on == self.as_of).collect();
        if tonight.is_empty() {
            return Vec::new();
        }
        let times = |line: &DriftLine| line.index.zip(line.critical).map_or(0.0, |(index, critical)| index / critical);
        tonight.sort_by(|a, b| {
            (a.variable.is_some().cmp(&b.variable.is_some()))
                .then(times(b).total_cmp(&times(a)))
                .then(a.variable.cmp(&b.variable))
        });
        let mut of_score: Vec<&DriftLine> = self.drift.iter().filter(|line| line.variable.is_none()).collect();
        of_score.sort_by_key(|line| line.night_on);
        let points = |value: fn(&DriftLine) -> Option<f64>| -> Vec<Option<(f64, f64)>> {
            of_score.iter().map(|line| Some((day(line.night_on), value(line)?))).collect()
        };
        let lines = vec![
            line("against training", points(|line| line.index)),
            line("critical, training", points(|line| line.critical)),
            line("against 1st night", points(|line| line.first_night_index)),
            line("critical, 1st night", points(|line| line.first_night_critical)),
        ];
        let plot = self.by_day("Stability index of the score", "drift.svg", "index", lines);
        let text = "How far tonight's merchants are from those the model was trained on, and from those of its first night. The critical value is what chance alone exceeds once in a \
                    hundred times at so many merchants. Training rows are merchants with a label, so that the first index may exceed it from the first night on.";
        let mut blocks = section("Drift", text.to_owned(), [plot]);
        let rows = tonight.into_iter().map(|line| {
            let number = |value: Option<f64>| value.map_or_else(unknown, |value| format!("{value:.4}"));
            let share = |value: Option<f64>| value.map_or_else(unknown, percent);
            let beyond = |index: Option<f64>, critical: Option<f64>| {
                index.zip(critical).map_or_else(unknown, |(index, critical)| {
                    if index > critical { "beyond" } else { "within" }.to_owned()
                })
            };
            vec![
                line.variable.clone().unwrap_or_else(|| "score".to_owned()),
                number(line.index),
                number(line.critical),
                beyond(line.index, line.critical),
                number(line.first_night_index),
                number(line.first_night_critical),
                beyond(line.first_night_index, line.first_night_critical),
                share(line.reference_missing_share),
                share(line.missing_share),
                line.score_shift.map_or_else(unknown, |points| format!("{points:+.1}")),
            ]
        });
        let head = [
            "",
            "against training",
            "critical",
            "",
            "against first night",
            "critical",
            "",
            "missing in training",
            "missing tonight",
            "moved the score by",
        ];
        blocks.push(table(&head, rows.collect()));
        blocks
    }

    fn main_units(&self, minor: i64) -> f64 {
        minor as f64 / self.currency.minor_units() as f64
    }

    fn by_day(&self, title: &str, file: &str, y_name: &str, lines: Vec<Line>) -> Option<Plot> {
        let x_text = |day: f64| date_of(day, self.as_of);
        LinePlot { title, file, x_name: "", x_text: &x_text, y_name, y_text: &short, lines }.plot()
    }
}

/// Loans paid out in some months, all products together.
struct VintageCurve {
    name: String,
    loans: i64,
    lent_minor: i64,
    defaulted_minor: i64,
    unpaid_minor: i64,
    /// What was lent on loans in default by so many months on the book, from one on, as far as every loan has come.
    by_age: Vec<i64>,
}

impl VintageCurve {
    /// The newest curves, oldest first, of as few months each as a plot has room for.
    fn all(lines: &[VintageLine]) -> Vec<Self> {
        let months: BTreeSet<Date> = lines.iter().filter_map(|line| line.disbursed_in).collect();
        let begins = |span: i8| -> BTreeSet<Date> { months.iter().map(|month| begin_of(*month, span)).collect() };
        let span = [1, 3, 6, 12].into_iter().find(|span| begins(*span).len() <= MOST_CURVES).unwrap_or(12);
        let begins = begins(span);
        let newest = begins.iter().skip(begins.len().saturating_sub(MOST_CURVES));
        newest.map(|begin| Self::of(lines, *begin, span)).collect()
    }

    fn of(lines: &[VintageLine], begin: Date, span: i8) -> Self {
        let own = || lines.iter().filter(|line| line.disbursed_in.is_some_and(|month| begin_of(month, span) == begin));
        let sum = |age: Option<i32>, of: fn(&VintageLine) -> i64| {
            own().filter(|line| line.months_on_book == age).fold(0_i64, |sum, line| sum.saturating_add(of(line)))
        };
        // Ages that every month of it has reached.
        let months: BTreeSet<Date> = own().filter_map(|line| line.disbursed_in).collect();
        let reached = |month: &Date| {
            own().filter(|line| line.disbursed_in == Some(*month)).filter_map(|line| line.months_on_book).max()
        };
        let ages = months.iter().map(|month| reached(month).unwrap_or(0)).min().unwrap_or(0);
        Self {
            name: name_of(begin, span),
            loans: sum(None, |line| line.loans),
            lent_minor: sum(None, |line| line.lent_minor),
            defaulted_minor: sum(None, |line| line.defaulted_minor),
            unpaid_minor: sum(None, |line| line.unpaid_minor),
            by_age: (1..=ages).map(|age| sum(Some(age), |line| line.defaulted_minor)).collect(),
        }
    }

    fn ages(&self) -> i32 {
        i32::try_from(self.by_age.len()).unwrap_or(i32::MAX)
    }

    fn share(&self, age: i32) -> Option<f64> {
        let at = usize::try_from(age).ok()?.checked_sub(1)?;
        share_of(*self.by_age.get(at)?, Some(self.lent_minor))
    }

    fn share_so_far(&self) -> Option<f64> {
        share_of(self.defaulted_minor, Some(self.lent_minor))
    }
}

/// First day of the span of months in which a month lies; spans begin with the year.
fn begin_of(month: Date, span: i8) -> Date {
    let back = (month.month() - 1) % span;
    month.first_of_month().saturating_sub(i64::from(back).months())
}

fn name_of(begin: Date, span: i8) -> String {
    let (year, month) = (begin.year(), begin.month());
    match span {
        1 => format!("{year}-{month:02}"),
        3 => format!("{year} Q{}", (month - 1) / 3 + 1),
        6 => format!("{year} H{}", (month - 1) / 6 + 1),
        _ => year.to_string(),
    }
}

fn heading(text: &str) -> Block {
    Block::Heading(2, text.to_owned())
}

fn section<const N: usize>(name: &str, text: String, plots: [Option<Plot>; N]) -> Vec<Block> {
    let plots: Vec<Plot> = plots.into_iter().flatten().collect();
    let plots = (!plots.is_empty()).then_some(Block::Plots(plots));
    [heading(name), Block::Paragraph(text)].into_iter().chain(plots).collect()
}

fn nights_text(nights: usize) -> String {
    match nights {
        0 | 1 => "This is the first night: curves begin here.".to_owned(),
        nights => format!("{} nights. Nothing is drawn where nothing is known.", grouped(nights as u64)),
    }
}

fn line(name: &str, points: Vec<Option<(f64, f64)>>) -> Line {
    Line { name: name.to_owned(), points }
}

fn day(on: Date) -> f64 {
    f64::from(days_since_epoch(on))
}

/// The date of a place on an axis of days.
fn date_of(day: f64, tonight: Date) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "days of the calendar")]
    let back = f64::from(days_since_epoch(tonight)).round() as i64 - day.round() as i64;
    tonight.saturating_sub(back.days()).to_string()
}

fn label_at(labels: &[String], at: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among few labels")]
    let at = at.round().max(0.0) as usize;
    labels.get(at).cloned().unwrap_or_default()
}

fn share_of(part: i64, whole: Option<i64>) -> Option<f64> {
    whole.filter(|whole| *whole > 0).map(|whole| part as f64 / whole as f64)
}

fn in_percent(share: f64) -> f64 {
    100.0 * share
}

fn percent(share: f64) -> String {
    format!("{:.2} %", in_percent(share))
}

/// What stands where nothing is known, or nothing is.
fn unknown() -> String {
    "–".to_owned()
}

/// A number short enough for an axis: 1.2 M.
fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, " bn"),
        size if size >= 1e6 => (value / 1e6, " M"),
        size if size >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 1.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Shares of a sum in thousandths that add up to 1,000: the largest remainders are rounded up. All zero where the sum is.
fn permilles(parts: &[i64]) -> Vec<u64> {
    let part = |minor: &i64| u128::from(minor.max(&0).unsigned_abs());
    let sum: u128 = parts.iter().map(part).sum();
    if sum == 0 {
        return vec![0; parts.len()];
    }
    let mut shares: Vec<u64> = parts.iter().map(|p| u64::try_from(part(p) * 1000 / sum).unwrap_or(0)).collect();
    let mut by_remainder: Vec<(std::cmp::Reverse<u128>, usize)> =
        parts.iter().enumerate().map(|(at, p)| (std::cmp::Reverse(part(p) * 1000 % sum), at)).collect();
    by_remainder.sort_unstable();
    let left = 1000_u64.saturating_sub(shares.iter().sum());
    for (_, at) in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
#[path = "portfolio_page_tests.rs"]
mod tests;
