//! Which nights a backtest of alerts replays, and what each is for.

use jiff::ToSpan;
use jiff::civil::Date;

use super::judge::Period;
use super::replay::BacktestError;
use crate::domain::AsOf;

/// What the caller decides about a backtest.
#[derive(Debug, Clone, Copy)]
pub struct BacktestOptions {
    /// First night; by default three performance windows before the last.
    pub from: Option<Date>,
    /// Last night judged; by default the last one after which the performance window has closed.
    pub to: Option<Date>,
    /// Days from one replayed night to the next.
    pub every_days: u16,
}

/// Nights before the judged period on which alerts are replayed as well, so that what stands when it begins has stood before.
const WARM_UP_NIGHTS: usize = 4;
/// Fewer nights are too few to choose thresholds on.
const LEAST_NIGHTS: usize = 4;

/// Which nights are looked at, and what they are for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Every night, oldest first, up to as-of: whether its alerts are replayed, or its ledger alone is looked at.
    pub nights: Vec<(Date, NightScope)>,
    /// Thresholds are chosen on it; `None` where the period has no room: then the monitor file's are judged.
    pub choosing: Option<Period>,
    /// And judged on it.
    pub judged: Period,
    /// Days from one night to the next.
    pub every_days: u16,
    /// Days within which a default makes an alert right.
    pub performance_days: u16,
}

/// What is looked at on a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NightScope {
    /// Features, ledger and alerts.
    Alerts,
    /// Features and ledger: the hazard model learns from it.
    Features,
    /// The same on a night before the first one that is asked for: nothing else is told of it.
    FeaturesAlone,
    /// The ledger alone.
    Ledger,
}

impl Plan {
    /// The last third of the nights from `from` to `to` is judged. Thresholds are chosen on the first nights, those whose performance window has
    /// closed when the judged period begins: what is chosen must not rest on what happened in it. By default `to` is the last night whose window
    /// closes by as-of, and `from` three windows before.
    ///
    /// # Errors
    /// Too short a period, or one whose outcomes lie beyond the data.
    pub fn new(as_of: &AsOf, performance_days: u16, how: &BacktestOptions) -> Result<Self, BacktestError> {
        let window = i64::from(performance_days).days();
        let last = as_of.date().saturating_sub(window);
        let to = how.to.unwrap_or(last);
        let from = how.from.unwrap_or_else(|| to.saturating_sub((3 * i64::from(performance_days)).days()));
        if to > last {
            return Err(BacktestError::NoOutcomes { to, last, performance_days });
        }
        let step = i64::from(how.every_days.max(1)).days();
        let dates: Vec<Date> = std::iter::successors(Some(from), |day| day.checked_add(step).ok())
            .take_while(|day| *day <= as_of.date())
            .collect();
        let asked = dates.iter().filter(|day| **day <= to).count();
        let split = asked - asked / 3;
        let choosable = dates.iter().take(split);
        let choosable =
            choosable.filter(|day| dates.get(split).is_some_and(|first| day.saturating_add(window) <= *first));
        let choosable = choosable.count();
        let has_room = choosable >= LEAST_NIGHTS;
        let judged_at = if has_room { split } else { 0 };
        let (Some(&first), Some(&begin), Some(&end)) =
            (dates.first(), dates.get(judged_at), dates.get(asked.max(1) - 1))
        else {
            return Err(BacktestError::TooShort { from, to, nights: asked });
        };
        if asked < LEAST_NIGHTS {
            return Err(BacktestError::TooShort { from, to, nights: asked });
        }
        let chosen_to = dates.get(choosable.max(1) - 1).copied().unwrap_or(first);
        let look = |at: usize| {
            let is_watched = at < choosable || (at + WARM_UP_NIGHTS >= judged_at && at < asked);
            if is_watched { NightScope::Alerts } else { NightScope::Ledger }
        };
        Ok(Self {
            nights: dates.iter().enumerate().map(|(at, day)| (*day, look(at))).collect(),
            choosing: has_room.then_some(Period { from: first, to: chosen_to, known_by: begin }),
            judged: Period { from: begin, to: end, known_by: as_of.date() },
            every_days: how.every_days.max(1),
            performance_days,
        })
    }

    /// Adds nights that the hazard model learns from: so many, the last one early enough that its outcomes are known after `matures_days`, when the
    /// judged period begins.
    #[must_use]
    pub fn learning(mut self, nights: u16, matures_days: u16) -> Self {
        let step = i64::from(self.every_days).days();
        let last = self.judged.from.saturating_sub(i64::from(matures_days).days());
        let first = last.saturating_sub((i64::from(nights.saturating_sub(1)) * i64::from(self.every_days)).days());
        for (_, look) in
            self.nights.iter_mut().filter(|(day, look)| *look == NightScope::Ledger && (first..=last).contains(day))
        {
            *look = NightScope::Features;
        }
        let asked_from = self.nights.first().map_or(first, |(day, _)| *day);
        let earlier = std::iter::successors(asked_from.checked_sub(step).ok(), |day| day.checked_sub(step).ok());
        let mut all: Vec<(Date, NightScope)> =
            earlier.take_while(|day| *day >= first).map(|day| (day, NightScope::FeaturesAlone)).collect();
        all.reverse();
        all.append(&mut self.nights);
        self.nights = all;
        self
    }
}
