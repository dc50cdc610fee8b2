//! Days that are written as instants of midnight in another zone than UTC: `2025-03-31 18:30` is the first of April in India. Those that count from 1970 are
//! moved to the day of that zone; of those in text or of a file's type a person is told.

use crate::profile::{RawColumn, TimeForm, ValueKind};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Zones lie so far ahead of UTC at the most, and all others behind it.
const FARTHEST_AHEAD: i64 = 14 * 3_600 * SECOND;
/// Fewer instants are at one time of day by chance.
const FEWEST: usize = 20;

/// Seconds by which the zone is ahead of UTC in which all instants of a column are midnights, in summer where it has one; none where they are those of UTC, or
/// of no one zone.
pub(super) fn seconds_ahead(raw: &RawColumn) -> Option<i64> {
    const QUARTER: i64 = 900;
    const HOUR: i64 = 3_600 * SECOND;
    // Noon of UTC is a way of writing a day, of which no zone makes another one.
    const NOON: i64 = 12 * HOUR;
    let ValueKind::Time { is_date: false, .. } = raw.kind else { return None };
    let mut times: Vec<i64> = raw.micros.iter().flatten().map(|at| at.rem_euclid(DAY)).collect();
    times.sort_unstable();
    times.dedup();
    let ahead = |time: i64| if DAY - time <= FARTHEST_AHEAD { DAY - time } else { -time };
    let ahead = match times.as_slice() {
        [0] => return None,
        [one] => ahead(*one),
        // Clocks are put forward by an hour in summer: so many seconds later, midnights of winter are of the same day still.
        [earlier, later] if later - earlier == HOUR && *earlier > 0 => ahead(*earlier),
        [0, later] if DAY - later == HOUR => HOUR,
        _ => return None,
    };
    let rows = raw.rows() - raw.nulls;
    let is_one = rows >= FEWEST && !times.contains(&NOON) && ahead % (QUARTER * SECOND) == 0;
    is_one.then_some(ahead / SECOND)
}

/// An instant of such a column so many seconds later, where its form counts from 1970.
pub(super) fn later(form: TimeForm, sql: &str, seconds: i64) -> Option<String> {
    let units = match form {
        TimeForm::EpochSeconds => seconds,
        TimeForm::EpochMillis => seconds * 1_000,
        TimeForm::EpochMicros => seconds * SECOND,
        TimeForm::EpochNanos => seconds * SECOND * 1_000,
        _ => return None,
    };
    Some(format!("(TRY_CAST({sql} AS BIGINT) + {units})"))
}

/// What a person should know of it.
pub(super) fn told(seconds: i64, is_moved: bool) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    let done = if is_moved { "the day is that of this zone" } else { "the day of UTC is taken, which may be another" };
    format!(
        "all at midnight of one zone, UTC{sign}{:02}:{:02} (in summer, where it has one): {done}",
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnights_of_a_zone_are_moved_to_its_day() {
        // 2025-03-31 18:30 UTC and the evenings after it; 04:00 UTC in New York; and times of all kinds.
        for (first, step, ahead) in [
            (1_743_445_800, 86_400, Some(19_800)),
            (1_743_393_600, 86_400, Some(-14_400)),
            (1_743_445_800, 4_321, None),
            // Noon and midnight of UTC.
            (1_743_422_400, 86_400, None),
            (1_743_379_200, 86_400, None),
        ] {
            let mut raw = RawColumn::of_texts("due_at", &["2025-03-31"; 30]);
            raw.kind = ValueKind::Time { form: TimeForm::EpochSeconds, is_certain: true, is_date: false };
            raw.micros = (0..30).map(|n| Some((first + n * step) * SECOND)).collect();
            assert_eq!(seconds_ahead(&raw), ahead, "{:?}", raw.kind);
        }
        // Winter and summer: Berlin, New York, Lisbon; noon beside an hour before; two times that are no zone's; the Azores, whose days are those of UTC.
        for (winter, summer, ahead) in [
            (23, 22, Some(7_200)),
            (5, 4, Some(-14_400)),
            (0, 23, Some(3_600)),
            (12, 11, None),
            (23, 21, None),
            (1, 0, None),
        ] {
            let mut raw = RawColumn::of_texts("due_at", &["2025-03-31"; 30]);
            raw.kind = ValueKind::Time { form: TimeForm::EpochSeconds, is_certain: true, is_date: false };
            let hour = |n: i64| if n < 15 { winter } else { summer };
            raw.micros = (0..30).map(|n| Some((1_735_689_600 + n * 86_400 + hour(n) * 3_600) * SECOND)).collect();
            assert_eq!(seconds_ahead(&raw), ahead, "{winter} {summer}");
        }
        assert_eq!(
            later(TimeForm::EpochSeconds, "t.at", 19_800).as_deref(),
            Some("(TRY_CAST(t.at AS BIGINT) + 19800)")
        );
        assert_eq!(later(TimeForm::Iso, "t.at", 19_800), None);
        assert!(told(-12_600, true).contains("UTC-03:30"));
    }
}
