//! How well a set of flags foresaw the defaults of a period.
//!
//! A merchant is **flagged** on a night on which an alert of one of the rules stood, at or beyond the threshold asked for.
//!
//! | figure | definition |
//! |---|---|
//! | money that later defaults | what was owed on loans whose first missed payment on the way into default fell due at least [`LEAD_DAYS`] after a night of the period, and before its last night + [`LEAD_DAYS`] |
//! | flagged money | the part of it whose merchant was flagged on a night at least [`LEAD_DAYS`] before that due date, and not before the loan was paid out (for a loan younger than that: on the last night before) |
//! | lead | days from the first such night (at most [`LONGEST_LEAD_DAYS`] back) to that due date; loans flagged later than [`LEAD_DAYS`] before, but before it, count in the median |
//! | flag | a run of flagged nights of a merchant, joined over pauses of up to [`JOIN_DAYS`] days |
//! | right | a loan of the merchant, none of whose missed payments on the way into default had fallen due when the flag began, is in default within the performance window after that |
//! | precision | right flags ÷ flags; those that begin when a payment on the way into default is missed already come too late and count as neither |
//!
//! Defaults are those that are seen by the day by which the period's outcomes are known.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::fate::{LoanDefault, LoanStory};
use super::panel::{MerchantSeries, Panel, Standing};
use crate::domain::days_between;

/// Days before the first missed payment at which a flag is early enough to act on.
pub const LEAD_DAYS: i64 = 14;
/// Days before it that a flag is remembered at most.
pub const LONGEST_LEAD_DAYS: i64 = 180;
/// Pauses that do not end a flag.
pub const JOIN_DAYS: i64 = 28;

/// A period of nights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// First night.
    pub from: Date,
    /// Last night.
    pub to: Date,
    /// Outcomes after this day are not looked at.
    pub known_by: Date,
}

/// How well flags did over a period.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Figures {
    /// Share of the money that later defaults that was flagged early enough; null where nothing defaults.
    pub flagged_money_share: Option<f64>,
    /// Share of flags that were right; null without flags.
    pub precision_share: Option<f64>,
    /// Median days from flag to first missed payment; null where no default was flagged.
    pub median_lead_days: Option<i64>,
    /// Money that later defaults, minor units.
    pub defaulted_minor: i64,
    /// The part of it that was flagged early enough.
    pub flagged_minor: i64,
    /// Loans that later default.
    pub defaulted_loans: u64,
    /// Those flagged early enough.
    pub flagged_loans: u64,
    /// Flags that are right or wrong.
    pub flags: u64,
    /// Right ones.
    pub right_flags: u64,
    /// Flags that began when a payment on the way into default was missed already.
    pub late_flags: u64,
    /// Borrowers and nights on which a flag stood.
    pub flagged_nights: u64,
    /// Alerts opened a night for every thousand open loans.
    pub alerts_per_thousand_loans_a_night: Option<f64>,
}

/// Judges flags over a period. `counts` says whether a standing alert makes its merchant flagged.
#[must_use]
pub fn judge(
    panel: &Panel,
    period: Period,
    every_days: u16,
    performance_days: u16,
    counts: impl Fn(&Standing) -> bool,
) -> Figures {
    let mut figures = Figures::default();
    let mut leads: Vec<i64> = Vec::new();
    let mut opened = 0_u64;
    for series in panel.merchants.values() {
        let flagged: Vec<Date> = series
            .standing
            .range(..=period.to)
            .filter(|(_, standing)| standing.iter().any(&counts))
            .map(|(night, _)| *night)
            .collect();
        opened += opened_of(series, period, &counts);
        figures.flagged_nights += flagged.iter().filter(|night| **night >= period.from).count() as u64;
        let defaults: Vec<(&LoanStory, LoanDefault)> =
            series.loans.values().filter_map(|loan| Some((loan, loan.default(period.known_by)?))).collect();
        for (loan, default) in &defaults {
            let act_by = default.first_missed_on.saturating_sub(LEAD_DAYS.days());
            if !(period.from..=period.to).contains(&act_by) {
                continue;
            }
            figures.defaulted_loans += 1;
            figures.defaulted_minor = figures.defaulted_minor.saturating_add(default.money_minor);
            let since = first_night(loan, default, act_by, every_days);
            let first = flagged.iter().find(|night| **night >= since && **night < default.first_missed_on);
            leads.extend(first.map(|night| i64::from(days_between(*night, default.first_missed_on))));
            if first.is_some_and(|night| *night <= act_by) {
                figures.flagged_loans += 1;
                figures.flagged_minor = figures.flagged_minor.saturating_add(default.money_minor);
            }
        }
        count_flags(&mut figures, series, &defaults, &flagged, period, performance_days);
    }
    leads.sort_unstable();
    figures.median_lead_days = leads.get(leads.len() / 2).copied();
    figures.flagged_money_share = share(figures.flagged_minor, figures.defaulted_minor);
    figures.precision_share = share(figures.right_flags.cast_signed(), figures.flags.cast_signed());
    let open: u64 =
        panel.open_loans.range(period.from..=period.to).filter(|(n, _)| panel.nights.contains(n)).map(|(_, l)| l).sum();
    let nights = open.saturating_mul(u64::from(every_days));
    figures.alerts_per_thousand_loans_a_night = (nights > 0).then(|| 1_000.0 * opened as f64 / nights as f64);
    figures
}

/// Alerts of a merchant that opened in a period: on their first night, or where they came to stand at the threshold asked for.
fn opened_of(series: &MerchantSeries, period: Period, counts: impl Fn(&Standing) -> bool) -> u64 {
    let mut opened = 0;
    let mut before: &[Standing] = &[];
    for (night, standing) in &series.standing {
        let stood = |rule: usize| before.iter().any(|s| s.rule == rule && counts(s));
        if (period.from..=period.to).contains(night) {
            opened += standing.iter().filter(|s| counts(s) && (s.is_new || !stood(s.rule))).count() as u64;
        }
        before = standing;
    }
    opened
}

/// The first night whose flag speaks of a loan.
fn first_night(loan: &LoanStory, default: &LoanDefault, act_by: Date, every_days: u16) -> Date {
    let remembered = default.first_missed_on.saturating_sub(LONGEST_LEAD_DAYS.days());
    let last_before = act_by.saturating_sub((i64::from(every_days) - 1).days());
    loan.disbursed_on.min(last_before).max(remembered)
}

/// Counts a merchant's flags.
fn count_flags(
    figures: &mut Figures,
    series: &MerchantSeries,
    defaults: &[(&LoanStory, LoanDefault)],
    flagged: &[Date],
    period: Period,
    performance_days: u16,
) {
    let mut last: Option<Date> = None;
    for &night in flagged.iter().filter(|night| **night >= period.from) {
        let goes_on = last.is_some_and(|last| i64::from(days_between(last, night)) <= JOIN_DAYS);
        last = Some(night);
        if goes_on {
            continue;
        }
        let is_in_default =
            series.loans.values().any(|loan| loan.on(night).is_some_and(|n| n.is_in_default && !n.is_over));
        let is_missed = defaults.iter().any(|(_, d)| d.first_missed_on <= night && night <= d.default_on);
        if is_in_default || is_missed {
            figures.late_flags += 1;
            continue;
        }
        let is_right = |d: &LoanDefault| {
            d.first_missed_on > night && days_between(night, d.default_on) <= i32::from(performance_days)
        };
        figures.flags += 1;
        figures.right_flags += u64::from(defaults.iter().any(|(_, d)| is_right(d)));
    }
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
