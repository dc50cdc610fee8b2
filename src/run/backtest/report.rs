//! What a backtest tells.

use std::fmt::Write as _;

use serde::Serialize;

use super::choose::{ChosenRule, LEAST_MONEY_SHARE, LEAST_PRECISION, as_in_file, choose, is_chosen};
use super::curve::CurvePoint;
use super::hazard::{AlertBudget, HazardReport};
use super::judge::{Figures, LEAD_DAYS, Period, judge};
use super::panel::Panel;
use super::plan::Plan;
use crate::run::summary::write_table;

/// One rule by itself, over the judged period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleReport {
    /// Its code.
    pub rule: String,
    /// At the monitor file's threshold, alone.
    pub alone: Figures,
    /// Share of the money that later defaults that no other rule flagged early enough; null where nothing defaults.
    pub adds_money_share: Option<f64>,
    /// Share of merchants and nights of which it could not say anything; null where it was asked about none.
    pub unjudged_share: Option<f64>,
}

/// Loans that default by how long before the first missed payment they were flagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadTimes {
    /// Days at the least.
    pub from_days: i64,
    /// Days at the most.
    pub to_days: i64,
    /// Loans.
    pub loans: u64,
}

impl LeadTimes {
    /// Spans of [`LEAD_DAYS`] days up to the longest lead: those in the first came too late to act on.
    pub(super) fn of(figures: &Figures) -> Vec<Self> {
        let longest = figures.lead_days.last().copied();
        let spans =
            (0..).map(|span| span * LEAD_DAYS).take_while(|from| longest.is_some_and(|longest| *from <= longest));
        let span = |from_days: i64| {
            let to_days = from_days + LEAD_DAYS - 1;
            let loans = figures.lead_days.iter().filter(|lead| (from_days..=to_days).contains(lead)).count() as u64;
            Self { from_days, to_days, loans }
        };
        spans.map(span).collect()
    }
}

/// The result of a backtest of alerts. The figures at the top are those of the chosen rules over the judged period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertBacktest {
    /// Job.
    pub job: String,
    /// Thresholds were chosen on it; null where there was no room, and the monitor file's are judged.
    pub chosen_on: Option<Period>,
    /// And judged on it.
    pub judged_on: Period,
    /// Nights replayed.
    pub nights: usize,
    /// Days from one to the next.
    pub every_days: u16,
    /// Days before the first missed payment at which a flag is early enough.
    pub lead_days: i64,
    /// Days within which a default makes a flag right.
    pub performance_days: u16,
    /// The chosen rules, judged.
    #[serde(flatten)]
    pub judged: Figures,
    /// Loans that default by how long before their first missed payment the chosen rules flagged them; those that they did not flag before it are in none.
    pub lead_times: Vec<LeadTimes>,
    /// The precision that flags should have.
    pub least_precision_share: f64,
    /// The share of the money that later defaults which they should find early enough.
    pub least_money_share: f64,
    /// The chosen rules, with their thresholds.
    pub chosen: Vec<ChosenRule>,
    /// The chosen rules on the period on which they were chosen: what choosing by hindsight makes of them.
    pub on_choosing_period: Option<Figures>,
    /// All rules as the monitor file has them, judged.
    pub as_configured: Figures,
    /// Every rule by itself.
    pub rules: Vec<RuleReport>,
    /// The hazard model beside the rules; null where the monitor file has no `[hazard]`.
    pub hazard: Option<HazardReport>,
    /// Merchants with a loan of which nothing was known on a night: that loan is judged by nothing.
    pub merchants_with_unknown_loans: u64,
}

impl AlertBacktest {
    /// Heads of the columns of [`Self::rows`].
    pub(super) const HEAD: [&'static str; 11] = [
        "",
        "money flagged",
        "adds",
        "precision",
        "of money",
        "of nights",
        "lead days",
        "flags",
        "late",
        "a thousand loans a night",
        "not judged",
    ];

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    /// What flags in one way or another do, judged; then every rule by itself.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![row("chosen, judged", &self.judged, None, None)];
        rows.extend(self.on_choosing_period.iter().map(|f| row("chosen, by hindsight", f, None, None)));
        rows.push(row("all, as configured", &self.as_configured, None, None));
        if let Some(HazardReport::Judged(hazard)) = &self.hazard {
            rows.push(row("rules, borrowers at risk", &hazard.rules, None, None));
            rows.push(row("hazard, no more alerts", &hazard.at_equal_alerts, None, None));
            rows.push(row("what is owed alone, no more alerts", &hazard.owed_alone, None, None));
            let chosen = hazard.chosen_from_minor.zip(hazard.chosen_judged.as_ref());
            rows.extend(chosen.map(|(from, f)| row(&format!("hazard from {from:.0}, chosen before"), f, None, None)));
        }
        rows.extend(self.rules.iter().map(|r| row(&r.rule, &r.alone, r.adds_money_share, r.unjudged_share)));
        rows
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Period { from, to, known_by } = self.judged_on;
        writeln!(
            out,
            "{}: alerts of {from} to {to}, every {} days, judged by defaults up to {known_by}",
            self.job, self.every_days
        )?;
        let how = match self.chosen_on {
            Some(Period { from, to, known_by }) => format!("chosen on {from} to {to}, by what was known on {known_by}"),
            None => "as in the monitor file: the period has no room to choose them on another".to_owned(),
        };
        writeln!(out, "  thresholds {how}")?;
        let chosen: Vec<Vec<String>> = self
            .chosen
            .iter()
            .map(|c| vec![c.rule.clone(), c.threshold.map_or("–".to_owned(), |t| format!("{t:.4}"))])
            .collect();
        write_table(out, &["chosen rule", "threshold"], &chosen)?;
        let (money, precise) = (100.0 * LEAST_MONEY_SHARE, 100.0 * LEAST_PRECISION);
        if self.on_choosing_period.as_ref().is_some_and(|f| f.flagged_money_share.is_none_or(|s| s < LEAST_MONEY_SHARE))
        {
            writeln!(
                out,
                "  no rules find {money:.0} % of the money where they are chosen; those that find most are judged"
            )?;
        }
        let is_met = self.judged.flagged_money_share.is_some_and(|share| share >= LEAST_MONEY_SHARE)
            && self.judged.precision_share.is_some_and(|share| share >= LEAST_PRECISION);
        let verdict = if is_met { "met" } else { "not met" };
        writeln!(
            out,
            "  {money:.0} % of the money at a precision of {precise:.0} %: {verdict} by the chosen rules, judged"
        )?;
        write_table(out, &Self::HEAD, &self.rows())?;
        match &self.hazard {
            None => {}
            Some(HazardReport::TooLittle(why)) => writeln!(
                out,
                "  no hazard model: {} ({} first missed payments, {} are needed: min_events)",
                why.why, why.events, why.needed
            )?,
            Some(HazardReport::Judged(hazard)) => {
                writeln!(out, "  hazard model: {}", hazard.model.text())?;
                let of = |figures: &Figures| {
                    let percent =
                        |share: Option<f64>| share.map_or("–".to_owned(), |s| format!("{:.1} %", 100.0 * s));
                    [percent(figures.flagged_money_share), percent(figures.precision_share), figures.flags.to_string()]
                };
                let budget = |b: &AlertBudget| {
                    let share = format!("worst {:.0} % of borrowers and nights", 100.0 * b.nights_share);
                    [vec![share], of(&b.hazard).to_vec(), of(&b.owed_alone).to_vec()].concat()
                };
                let rows: Vec<Vec<String>> = hazard.budgets.iter().map(budget).collect();
                let head = ["", "money by risk", "precision", "flags", "money by owed", "precision", "flags"];
                write_table(out, &head, &rows)?;
                writeln!(out, "  what is found against what it costs:")?;
                let point = |p: &CurvePoint| {
                    let at = p.from_minor.map_or_else(|| p.rules.to_string(), |from| format!("from {from:.0}"));
                    [vec![p.flagged.text().to_owned(), at], of(&p.figures).to_vec()].concat()
                };
                let rows: Vec<Vec<String>> = hazard.curve.iter().map(point).collect();
                write_table(out, &["flagged by", "", "money", "precision", "flags"], &rows)?;
            }
        }
        writeln!(
            out,
            "  {} loans over {} minor units default with their first missed payment in the judged period",
            self.judged.defaulted_loans, self.judged.defaulted_minor
        )
    }
}

fn row(name: &str, figures: &Figures, adds: Option<f64>, unjudged: Option<f64>) -> Vec<String> {
    let percent = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    vec![
        name.to_owned(),
        percent(figures.flagged_money_share),
        percent(adds),
        percent(figures.precision_share),
        percent(figures.money_precision_share),
        percent(figures.night_precision_share),
        figures.median_lead_days.map_or("–".to_owned(), |days| days.to_string()),
        figures.flags.to_string(),
        figures.late_flags.to_string(),
        figures.alerts_per_thousand_loans_a_night.map_or("–".to_owned(), |n| format!("{n:.2}")),
        percent(unjudged),
    ]
}

/// Judges a panel.
#[must_use]
pub fn report(job: &str, plan: &Plan, panel: &Panel, hazard: Option<HazardReport>) -> AlertBacktest {
    let figures = |period: Period, counts: &dyn Fn(usize, f64) -> bool| {
        judge(panel, period, plan.every_days, plan.performance_days, |s| counts(s.rule, s.beyond))
    };
    let chosen = match plan.choosing {
        Some(period) => choose(panel, period, plan.every_days, plan.performance_days),
        None => as_in_file(panel),
    };
    let by_chosen =
        |period| judge(panel, period, plan.every_days, plan.performance_days, |standing| is_chosen(&chosen, standing));
    let graded: Vec<usize> =
        panel.rules.iter().enumerate().filter(|(_, rule)| rule.is_graded).map(|(at, _)| at).collect();
    let as_configured = figures(plan.judged, &|at, _| !graded.contains(&at));
    let rules = panel
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| !rule.is_graded)
        .map(|(at, rule)| {
            let without = figures(plan.judged, &|other, _| other != at && !graded.contains(&other));
            let added = as_configured.flagged_minor - without.flagged_minor;
            let defaulted = as_configured.defaulted_minor;
            RuleReport {
                rule: rule.code.clone(),
                alone: figures(plan.judged, &|other, _| other == at),
                adds_money_share: (defaulted > 0).then(|| added as f64 / defaulted as f64),
                unjudged_share: (rule.asked > 0).then(|| rule.unjudged as f64 / rule.asked as f64),
            }
        })
        .collect();
    let judged = by_chosen(plan.judged);
    AlertBacktest {
        job: job.to_owned(),
        chosen_on: plan.choosing,
        judged_on: plan.judged,
        nights: panel.nights.len(),
        every_days: plan.every_days,
        lead_days: LEAD_DAYS,
        performance_days: plan.performance_days,
        lead_times: LeadTimes::of(&judged),
        judged,
        on_choosing_period: plan.choosing.map(by_chosen),
        least_precision_share: LEAST_PRECISION,
        least_money_share: LEAST_MONEY_SHARE,
        chosen,
        as_configured,
        rules,
        hazard,
        merchants_with_unknown_loans: panel.merchants.values().filter(|series| series.unknown_loans > 0).count() as u64,
    }
}
