//! The whole trial: one marketplace up to the first night, then a copy of it for every lender.

use std::fs;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::error::TrialError;
use super::figures::{LenderFigures, share};
use super::lender::Lender;
use super::policies::{cut_off_after_each_band, without_refusals};
use super::report::{FrontierPoint, TrialReport};
use crate::run::{Job, JobRules, Progress, RunOptions};
use crate::simulate::{Market, MarketSpan, SimulationSettings};

/// What to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialSettings {
    /// Merchants.
    pub merchants: u64,
    /// Months in which the job lends.
    pub months: u16,
    /// Months before, with the lender of the history: what models learn from.
    pub warm_up_months: u16,
    /// Chooses the marketplace.
    pub seed: u64,
    /// Days from one night to the next.
    pub every_days: u16,
    /// The first day on which nothing is lent any more.
    #[serde(serialize_with = "as_text")]
    pub end_on: Date,
    /// Whether the job's policy is also tried cut off after each band.
    pub with_frontier: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_text<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// Days after the last month until every loan is repaid or written off: the longest term, restructuring and write-off included.
const RUN_OFF_DAYS: u16 = 720;

impl TrialSettings {
    fn first_night(&self) -> Result<Date, TrialError> {
        let refuse = |setting: &'static str, value: u16, allowed: &'static str| {
            Err(TrialError::BadSetting { setting, value: value.to_string(), allowed })
        };
        if !(1..=120).contains(&self.months) {
            return refuse("months", self.months, "1 to 120");
        }
        if !(1..=120).contains(&self.warm_up_months) {
            return refuse("warm-up-months", self.warm_up_months, "1 to 120");
        }
        if !(1..=31).contains(&self.every_days) {
            return refuse("every-days", self.every_days, "1 to 31");
        }
        self.end_on.checked_sub(i32::from(self.months).months()).map_err(|_| TrialError::BadSetting {
            setting: "end-on",
            value: self.end_on.to_string(),
            allowed: "a date whose span of months lies within the calendar",
        })
    }

    /// Every night, and the day on which the next one falls or lending ends.
    fn nights(&self, first: Date) -> Vec<(Date, Date)> {
        let step = i64::from(self.every_days).days();
        let dates = std::iter::successors(Some(first), |day| day.checked_add(step).ok());
        let dates: Vec<Date> = dates.take_while(|day| *day < self.end_on).collect();
        let next = dates.iter().skip(1).copied().chain([self.end_on]);
        dates.iter().copied().zip(next).collect()
    }
}

/// Tries a job's policy, below the new or empty folder `out`; its own files, models and runs included.
///
/// # Errors
/// See [`TrialError`]. A night that a gate or a model stops is no error: it is told in the report.
pub fn run_trial(
    job: &Path,
    settings: &TrialSettings,
    out: &Path,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<TrialReport, TrialError> {
    let first = settings.first_night()?;
    let job = Job::open(job)?;
    let rules = JobRules::open(&job)?;
    fs::create_dir_all(out).map_err(TrialError::io(out))?;
    let mut market =
        SimulationSettings::new(settings.merchants, settings.warm_up_months, settings.seed, job.intake.currency);
    market.end_on = first;
    let span = MarketSpan { lends_from: first, lends_until: settings.end_on, run_off_days: RUN_OFF_DAYS };
    let cuts = if settings.with_frontier { cut_off_after_each_band(&rules.policy) } else { Vec::new() };
    let nights = settings.nights(first);
    progress.stage("the months before", None);
    let market = Market::until_lending(&market, &span)?;
    progress.stage("nights", Some(nights.len() as u64 * (2 + cuts.len() as u64)));

    let models = |name: &str| out.join(name).join("models");
    let lender = |name: &str, policy, knows_truth, models| {
        Lender::new(name, (&market, policy), knows_truth, (out.join(name), models))
    };
    let mut own = lender("job", rules.policy.clone(), false, models("job"));
    // It sees the job's scores, for the same terms.
    let mut truth = lender("truth", without_refusals(&rules.policy), true, models("job"));
    let mut cut: Vec<(String, Lender)> = cuts
        .into_iter()
        .map(|(band, policy)| {
            let name = format!("up-to-{band}");
            (band, lender(&name, policy, false, models(&name)))
        })
        .collect();
    for &(on, next) in &nights {
        for lender in [&mut own, &mut truth].into_iter().chain(cut.iter_mut().map(|(_, lender)| lender)) {
            lender.night(&job, &rules, options, on, next)?;
            progress.advance(1);
        }
    }
    progress.stage("run-off", None);
    for lender in [&mut own, &mut truth].into_iter().chain(cut.iter_mut().map(|(_, lender)| lender)) {
        lender.market.run_off();
    }
    let seasoned_from = nights.get(nights.len() / 2).map_or(first, |night| night.0);
    let figures = LenderFigures::of(&own, seasoned_from);
    let of_truth = LenderFigures::of(&truth, seasoned_from);
    let profit_share = |of: &LenderFigures| share(of.profit_minor.into(), of_truth.profit_minor.into());
    let frontier = cut.iter().map(|(band, lender)| {
        let figures = LenderFigures::of(lender, seasoned_from);
        FrontierPoint { up_to_band: band.clone(), profit_share: profit_share(&figures), figures }
    });
    let report = TrialReport {
        job: job.name.clone(),
        currency: job.intake.currency,
        settings: settings.clone(),
        nights: nights.len() as u64,
        profit_share: profit_share(&figures),
        frontier: frontier.collect(),
        figures,
        truth: of_truth,
        stopped: own.stopped,
    };
    let write = |name: &str, text: String| {
        let path = out.join(name);
        fs::write(&path, text).map_err(TrialError::io(&path))
    };
    write("trial.json", serde_json::to_string_pretty(&report)? + "\n")?;
    write("trial.txt", report.table())?;
    write("frontier.svg", report.plot()?)?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TrialSettings {
        TrialSettings {
            merchants: 10,
            months: 2,
            warm_up_months: 12,
            seed: 1,
            every_days: 31,
            end_on: Date::constant(2025, 7, 1),
            with_frontier: false,
        }
    }

    #[test]
    fn nights_follow_each_other_until_lending_ends() {
        let first = settings().first_night().unwrap();
        assert_eq!(first, Date::constant(2025, 5, 1));
        let [first_of_june, end] = [Date::constant(2025, 6, 1), settings().end_on];
        assert_eq!(settings().nights(first), [(first, first_of_june), (first_of_june, end)]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for bad in [
            TrialSettings { months: 0, ..settings() },
            TrialSettings { warm_up_months: 0, ..settings() },
            TrialSettings { every_days: 0, ..settings() },
            TrialSettings { every_days: 32, ..settings() },
            TrialSettings { end_on: Date::MIN, ..settings() },
        ] {
            assert!(bad.first_night().is_err(), "{bad:?}");
        }
    }
}
