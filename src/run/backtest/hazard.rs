//! How the hazard model does beside the rules: trained on what was known when the judged period began, its threshold chosen before, judged after.
//!
//! Its observation is **money at risk**: the probability of trouble times what is owed and what a default costs beside it, in minor units. On the
//! nights that it learns from, the probability comes from a model that has seen nothing of the merchant; on judged nights, and those just before,
//! from the model over all of the earlier ones. So what is chosen on an earlier night holds on a later one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::choose::LEAST_MONEY_SHARE;
use super::curve::{CurvePoint, Flagged, along, along_rules, worst};
use super::judge::{Figures, Period, judge};
use super::panel::{Panel, PanelRule, Standing};
use super::plan::Plan;
use super::replay::BacktestError;
use crate::monitor::HazardTerms;
use crate::run::hazard::{
    AtRisk, Event, FirstMissed, HazardColumns, HazardFigures, MissedPayments, TooFewEvents, fit, probabilities,
};
use crate::run::rules::JobRules;
use crate::spill::{Shelf, Shelved};

/// Bytes of past nights that are held in memory.
const HELD_NIGHTS: usize = 256 << 20;
/// Thresholds tried where the model is held against the rules.
const TRIED: usize = 200;
/// Shares of borrowers and nights that officers may be able to look at.
const BUDGETS: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];
/// Its name among the rules.
pub const HAZARD_RULE: &str = "hazard";

/// Borrowers at risk, night by night.
pub struct HazardNights {
    /// What the model looks at.
    pub columns: HazardColumns,
    /// First missed payments that were known when the judged period began.
    pub missed: Vec<FirstMissed>,
    shelf: Shelf<Vec<AtRisk>>,
    nights: Vec<(Date, Shelved)>,
}

impl HazardNights {
    /// None yet; scratch goes to `folder`.
    pub fn new(rules: &JobRules, folder: &Path) -> Self {
        Self {
            columns: HazardColumns::of(rules),
            missed: Vec::new(),
            shelf: Shelf::new(folder, HELD_NIGHTS),
            nights: Vec::new(),
        }
    }

    /// Adds a night, later than those before.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add(&mut self, on: Date, rows: &[AtRisk]) -> Result<(), BacktestError> {
        self.nights.push((on, self.shelf.put(&rows.to_vec())?));
        Ok(())
    }

    /// All nights, oldest first.
    ///
    /// # Errors
    /// The system refuses to read.
    pub fn take(self) -> Result<Vec<(Date, Vec<AtRisk>)>, BacktestError> {
        let Self { shelf, nights, .. } = self;
        nights.into_iter().map(|(on, shelved)| Ok((on, shelf.take(shelved)?))).collect()
    }
}

/// What came of the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum HazardReport {
    /// It was trained and judged.
    Judged(Box<HazardJudged>),
    /// There was too little to learn from: there is no model.
    TooLittle(TooFewEvents),
}

/// A model, and what it foresaw in the judged period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HazardJudged {
    /// Days within which it foresees trouble.
    pub horizon_days: u16,
    /// What it rests on.
    #[serde(flatten)]
    pub model: HazardFigures,
    /// Money at risk from which a borrower is flagged, minor units: the least at which the model raises no more flags than all rules as configured do
    /// on borrowers with an open loan who are not in default, on no more nights.
    pub equal_from_minor: Option<f64>,
    /// The model there.
    pub at_equal_alerts: Figures,
    /// What is owed, without any model, at no more alerts: what the model has to beat beside the rules.
    pub owed_alone: Figures,
    /// The rules, on the same borrowers and nights.
    pub rules: Figures,
    /// Money at risk from which a borrower is flagged so that the share of money of the bar is found with the fewest flags, chosen on the earlier period; null
    /// where there is none, or that share is not found at any.
    pub chosen_from_minor: Option<f64>,
    /// The model there, on the period on which it was chosen.
    pub chosen_on_choosing_period: Option<Figures>,
    /// The model there, judged.
    pub chosen_judged: Option<Figures>,
    /// What is found against what it costs, judged: by money at risk, by rules, by both, by what is owed.
    pub curve: Vec<CurvePoint>,
    /// The model where officers can look at fewer borrowers than the rules flag.
    pub budgets: Vec<AlertBudget>,
}

/// What is foreseen where a share of borrowers and nights may be flagged, the gravest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertBudget {
    /// The share.
    pub nights_share: f64,
    /// By money at risk.
    pub hazard: Figures,
    /// By what is owed, without any model.
    pub owed_alone: Figures,
}

/// Trains the model and puts what it says onto the panel, as one rule more whose threshold is 0.
///
/// # Errors
/// The system refuses to read what was put aside; a model that does not fit its columns.
pub fn add_hazard(
    panel: &mut Panel,
    hazard: HazardNights,
    plan: &Plan,
    terms: HazardTerms,
    matures_days: u16,
) -> Result<HazardReport, BacktestError> {
    let (columns, missed) = (hazard.columns.clone(), MissedPayments::new(hazard.missed.iter().cloned()));
    let all = hazard.take()?;
    let is_mature = |on: Date| on.saturating_add(i64::from(matures_days).days()) <= plan.judged.from;
    let events: Vec<Event<'_>> = all
        .iter()
        .filter(|(on, _)| is_mature(*on))
        .flat_map(|(on, rows)| rows.iter().filter(|row| row.is_current).map(|row| (*on, row)))
        .map(|(night, row)| Event::of(night, row, &missed, terms.horizon_days))
        .collect();
    let horizon_nights = usize::from(terms.horizon_days.div_ceil(plan.every_days));
    let fitted = match fit(&columns, &events, (terms.horizon_days, u64::from(terms.min_events)), horizon_nights)? {
        Ok(fitted) => fitted,
        Err(too_little) => return Ok(HazardReport::TooLittle(too_little)),
    };
    let rule = panel.rules.len();
    panel.rules.push(PanelRule {
        code: HAZARD_RULE.to_owned(),
        is_lower_worse: false,
        threshold: Some(0.0),
        unjudged: 0,
        asked: 0,
        is_graded: true,
    });
    let watched: BTreeSet<Date> = panel.nights.iter().copied().collect();
    let mut stand = |on: Date, row: &AtRisk, prob: f64| {
        if watched.contains(&on) {
            let series = panel.merchants.entry(row.merchant_id.clone()).or_default();
            let exposed = row.owed_minor.max(0).saturating_add(terms.case_cost_minor);
            let standing = Standing { rule, beyond: prob * exposed as f64, is_new: false };
            series.standing.entry(on).or_default().push(standing);
        }
    };
    for (event, prob) in events.iter().zip(&fitted.out_of_sample) {
        stand(event.night, event.row, *prob);
    }
    for (on, rows) in all.iter().filter(|(on, _)| !is_mature(*on)) {
        // Who is late with something already is what rules on arrears are for.
        let rows: Vec<&AtRisk> = rows.iter().filter(|row| row.is_current).collect();
        for (row, prob) in rows.iter().zip(probabilities(&columns, &fitted.model, &rows)?) {
            stand(*on, row, prob);
        }
    }
    let rows = all.iter().flat_map(|(on, rows)| rows.iter().map(|row| (*on, row)));
    let owed: BTreeMap<(&str, Date), f64> =
        rows.map(|(on, row)| ((row.merchant_id.as_str(), on), row.owed_minor as f64)).collect();
    let judged = beside_rules(panel, plan, (rule, &owed), terms.horizon_days, fitted.figures);
    Ok(HazardReport::Judged(Box::new(judged)))
}

/// The model at no more alerts than the rules raise.
fn beside_rules(
    panel: &Panel,
    plan: &Plan,
    (rule, owed): (usize, &BTreeMap<(&str, Date), f64>),
    horizon_days: u16,
    model: HazardFigures,
) -> HazardJudged {
    let figures = |panel: &Panel, counts: &dyn Fn(&Standing) -> bool| {
        judge(panel, plan.judged, plan.every_days, plan.performance_days, counts)
    };
    let mut graded = among(panel, rule);
    let by_rules = figures(&graded, &|standing| standing.rule != rule);
    let at = |panel: &Panel, from: f64| figures(panel, &|standing| standing.rule == rule && standing.beyond >= from);
    let no_more = |panel: &Panel, grades: &[f64]| {
        let is_no_more = |f: &Figures| f.flags <= by_rules.flags && f.flagged_nights <= by_rules.flagged_nights;
        let mut tried: Vec<f64> = (1..=TRIED).filter_map(|n| worst(grades, n as f64 / TRIED as f64)).collect();
        tried.dedup_by(|a, b| a.total_cmp(b).is_eq());
        let mut judged = tried.into_iter().map(|from| (Some(from), at(panel, from)));
        let found = judged.rfind(|(_, figures)| is_no_more(figures));
        found.unwrap_or_else(|| (None, at(panel, f64::INFINITY)))
    };
    let grades_by_risk = grades(&graded, plan.judged, rule);
    let (equal_from_minor, at_equal_alerts) = no_more(&graded, &grades_by_risk);
    let within = |panel: &Panel, grades: &[f64], share: f64| at(panel, worst(grades, share).unwrap_or(f64::INFINITY));
    let by_risk = BUDGETS.map(|share| within(&graded, &grades_by_risk, share));
    let chosen = plan.choosing.and_then(|period| {
        let at = |from: f64| {
            judge(&graded, period, plan.every_days, plan.performance_days, |s| s.rule == rule && s.beyond >= from)
        };
        let grades = grades(&graded, period, rule);
        let mut tried =
            (1..=TRIED).filter_map(|n| worst(&grades, n as f64 / TRIED as f64)).map(|from| (from, at(from)));
        tried.find(|(_, figures)| figures.flagged_money_share.is_some_and(|share| share >= LEAST_MONEY_SHARE))
    });
    let chosen_judged = chosen.as_ref().map(|(from, _)| at(&graded, *from));
    let is_at_risk = |standing: &[Standing], from: f64| standing.iter().any(|s| s.rule == rule && s.beyond >= from);
    let is_ruled = |standing: &[Standing]| standing.iter().any(|s| s.rule != rule);
    let mut curve = along(Flagged::ByHazard, &graded, plan, &grades_by_risk, is_at_risk);
    curve.extend(along(Flagged::ByBoth, &graded, plan, &grades_by_risk, |s, from| is_at_risk(s, from) && is_ruled(s)));
    curve.extend(along_rules(&graded, plan, rule));
    for (merchant, series) in &mut graded.merchants {
        for (night, standing) in &mut series.standing {
            let owed = owed.get(&(merchant.as_str(), *night)).copied().unwrap_or_default();
            standing.iter_mut().filter(|s| s.rule == rule).for_each(|s| s.beyond = owed);
        }
    }
    let grades_by_owed = grades(&graded, plan.judged, rule);
    curve.extend(along(Flagged::ByOwed, &graded, plan, &grades_by_owed, is_at_risk));
    let (_, owed_alone) = no_more(&graded, &grades_by_owed);
    let budgets = BUDGETS.into_iter().zip(by_risk).map(|(nights_share, hazard)| AlertBudget {
        nights_share,
        hazard,
        owed_alone: within(&graded, &grades_by_owed, nights_share),
    });
    HazardJudged {
        horizon_days,
        model,
        equal_from_minor,
        at_equal_alerts,
        owed_alone,
        rules: by_rules,
        chosen_from_minor: chosen.as_ref().map(|(from, _)| *from),
        chosen_on_choosing_period: chosen.map(|(_, figures)| figures),
        chosen_judged,
        curve,
        budgets: budgets.collect(),
    }
}

/// Grades of a period's nights, gravest first.
fn grades(panel: &Panel, period: Period, rule: usize) -> Vec<f64> {
    let nights = period.from..=period.to;
    let standing =
        panel.merchants.values().flat_map(|series| series.standing.range(nights.clone())).flat_map(|(_, s)| s);
    let mut grades: Vec<f64> = standing.filter(|s| s.rule == rule).map(|s| s.beyond).collect();
    grades.sort_by(|a, b| b.total_cmp(a));
    grades
}

/// The panel on those nights alone on which the model says something of a borrower.
fn among(panel: &Panel, rule: usize) -> Panel {
    let mut panel = panel.clone();
    for series in panel.merchants.values_mut() {
        series.standing.retain(|_, standing| standing.iter().any(|s| s.rule == rule));
    }
    panel
}
