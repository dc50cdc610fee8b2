//! How well a set of flags foresaw the defaults of a period.
//!
//! A merchant is **flagged** on a night on which an alert of one of the rules stood, at or beyond the threshold asked for.
//!
//! | figure | definition |
//! |---|---|
//! | foreseeing night | of a default: a flagged night of its borrower on which its first missed payment on the way was still to come, and after which it is in default within the performance window |
//! | money that later defaults | what was owed on loans whose first missed payment on the way into default fell due at least [`LEAD_DAYS`] after a night of the period, and before its last night + [`LEAD_DAYS`] |
//! | flagged money | the part of it that has a foreseeing night at least [`LEAD_DAYS`] before that due date, and not before the loan was paid out (for a loan younger than that: on the last night before) |
//! | lead | days from the first foreseeing night to that due date; loans flagged later than [`LEAD_DAYS`] before, but before it, count in the median |
//! | flag | a run of flagged nights of a borrower, joined over pauses of up to [`JOIN_DAYS`] days: what an officer is called about once |
//! | right | one of its nights foresees a default |
//! | precision | right flags ÷ flags; those that begin when a payment on the way into default is missed already come too late and count as neither |
//! | money precision | of what the borrower owed while flagged, at the most of the flag, the part that defaults as the flag foresaw |
//! | night precision | foreseeing nights ÷ flagged nights, nights on which a payment on the way into default is missed left out: a flag that never ends is seen here |
//!
//! One definition of a foreseeing night stands behind both shares: a flag that caught money is right, and one that stands for months is judged by all of
//! them, not by the day on which it began. Defaults are those that are seen by the day by which the period's outcomes are known.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::fate::{LoanDefault, LoanStory};
use super::panel::{MerchantSeries, Panel, Standing};
use crate::domain::days_between;

/// Days before the first missed payment at which a flag is early enough to act on.
pub const LEAD_DAYS: i64 = 14;
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
    /// Days from flag to first missed payment of every such default, fewest first.
    #[serde(skip)]
    pub lead_days: Vec<i64>,
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
    /// Of what was owed under flags, the part that defaulted as they foresaw; null where nothing was owed.
    pub money_precision_share: Option<f64>,
    /// The most that was owed while flagged, over all flags; minor units.
    pub owed_under_flags_minor: i64,
    /// The part of it that defaulted as the flags foresaw.
    pub foreseen_minor: i64,
    /// Foreseeing nights ÷ flagged nights of flags; null without flags.
    pub night_precision_share: Option<f64>,
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
    let mut opened = 0_u64;
    let mut nights = Nights::default();
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
            let since = first_night(loan, act_by, every_days);
            let first =
                flagged.iter().find(|night| **night >= since && is_foreseen(default, **night, performance_days));
            figures.lead_days.extend(first.map(|night| i64::from(days_between(*night, default.first_missed_on))));
            if first.is_some_and(|night| *night <= act_by) {
                figures.flagged_loans += 1;
                figures.flagged_minor = figures.flagged_minor.saturating_add(default.money_minor);
            }
        }
        let flags = flags_of(&flagged, period);
        for flag in flags {
            count(&mut figures, &mut nights, series, &defaults, flag, performance_days);
        }
    }
    figures.lead_days.sort_unstable();
    figures.median_lead_days = figures.lead_days.get(figures.lead_days.len() / 2).copied();
    figures.flagged_money_share = share(figures.flagged_minor, figures.defaulted_minor);
    figures.precision_share = share(figures.right_flags.cast_signed(), figures.flags.cast_signed());
    figures.money_precision_share = share(figures.foreseen_minor, figures.owed_under_flags_minor);
    figures.night_precision_share = share(nights.foreseeing.cast_signed(), nights.judged.cast_signed());
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
fn first_night(loan: &LoanStory, act_by: Date, every_days: u16) -> Date {
    let last_before = act_by.saturating_sub((i64::from(every_days) - 1).days());
    loan.disbursed_on.min(last_before)
}

/// Whether a flag on a night foresees a default.
fn is_foreseen(default: &LoanDefault, night: Date, performance_days: u16) -> bool {
    default.first_missed_on > night && days_between(night, default.default_on) <= i32::from(performance_days)
}

/// Flagged nights within a period, one slice a flag.
fn flags_of(flagged: &[Date], period: Period) -> Vec<&[Date]> {
    let within = flagged.partition_point(|night| *night < period.from);
    let goes_on = |last: &Date, night: &Date| i64::from(days_between(*last, *night)) <= JOIN_DAYS;
    flagged.get(within..).unwrap_or_default().chunk_by(goes_on).collect()
}

/// Flagged nights of flags that did not come too late.
#[derive(Default)]
struct Nights {
    judged: u64,
    foreseeing: u64,
}

/// Counts a flag.
fn count(
    figures: &mut Figures,
    nights: &mut Nights,
    series: &MerchantSeries,
    defaults: &[(&LoanStory, LoanDefault)],
    flag: &[Date],
    performance_days: u16,
) {
    let is_late = |night: &Date| {
        let is_in_default =
            series.loans.values().any(|loan| loan.on(*night).is_some_and(|n| n.is_in_default && !n.is_over));
        is_in_default || defaults.iter().any(|(_, d)| d.first_missed_on <= *night && *night <= d.default_on)
    };
    if flag.first().is_none_or(is_late) {
        figures.late_flags += 1;
        return;
    }
    let foresees = |night: &Date| defaults.iter().any(|(_, d)| is_foreseen(d, *night, performance_days));
    let in_time = flag.iter().filter(|night| !is_late(night));
    nights.judged += in_time.clone().count() as u64;
    nights.foreseeing += in_time.filter(|night| foresees(night)).count() as u64;
    let owed_on = |night: &Date| -> i64 {
        let open = series.loans.values().filter_map(|loan| loan.on(*night)).filter(|n| !n.is_over);
        open.fold(0, |sum, loan| sum.saturating_add(loan.outstanding_minor))
    };
    let owed = flag.iter().map(owed_on).max().unwrap_or(0);
    let foreseen = defaults.iter().filter(|(_, d)| flag.iter().any(|night| is_foreseen(d, *night, performance_days)));
    let lost = foreseen.clone().fold(0_i64, |sum, (_, d)| sum.saturating_add(d.money_minor));
    figures.flags += 1;
    figures.right_flags += u64::from(foreseen.count() > 0);
    figures.owed_under_flags_minor = figures.owed_under_flags_minor.saturating_add(owed);
    figures.foreseen_minor = figures.foreseen_minor.saturating_add(lost.min(owed));
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
