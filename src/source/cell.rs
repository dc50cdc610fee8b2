//! Text cells read as contract types.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Zoned, tz};

use crate::domain::days_since_epoch;

/// A whole number: optional sign and digits, nothing else.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// An instant in UTC microseconds: `2018-08-01 12:30:00`, `2018-08-01T12:30:00.5`, `2018-08-01` (midnight); with `Z`, an offset (`-0300`, also after
/// a space) or a zone (`2018-08-01T12:30:00[Asia/Shanghai]`) the instant meant, without one UTC. An offset that the zone did not have then cannot be read.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(plain) = plain_instant(text) {
        return Some(plain);
    }
    if text.contains('[') {
        return text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp().as_microsecond());
    }
    if let Some((time, offset)) = text.rsplit_once(' ').filter(|(time, _)| time.contains(':')) {
        // Some programs set the offset apart.
        return match offset {
            "UTC" | "GMT" | "Z" => instant(time),
            _ if offset.starts_with(['+', '-']) && time.ends_with(|c: char| c.is_ascii_digit()) => {
                format!("{time}{offset}").parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
            }
            _ => None,
        };
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let civil: DateTime = text.parse().ok()?;
    tz::TimeZone::UTC.to_timestamp(civil).ok().map(Timestamp::as_microsecond)
}

/// The commonest form, `YYYY-MM-DD HH:MM:SS`, without the cost of a general parser.
fn plain_instant(text: &str) -> Option<i64> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let digits = |range: std::ops::Range<usize>| -> Option<i16> {
        bytes.get(range)?.iter().try_fold(0_i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
    };
    if [bytes[4], bytes[7], bytes[13], bytes[16]] != *b"--::" || !matches!(bytes[10], b' ' | b'T') {
        return None;
    }
    let small = |range| digits(range).and_then(|n| i8::try_from(n).ok());
    let date = Date::new(digits(0..4)?, small(5..7)?, small(8..10)?).ok()?;
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Some((i64::from(days_since_epoch(date)) * 86_400 + seconds) * 1_000_000)
}

/// A date as days since 1970-01-01.
pub(crate) fn day(text: &str) -> Option<i32> {
    text.trim().parse::<Date>().ok().filter(|_| text.trim().len() == 10).map(days_since_epoch)
}

/// A list of identifiers, separated by semicolons.
pub(crate) fn ids(text: &str) -> Vec<&str> {
    text.split(';').map(str::trim).filter(|id| !id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_their_several_spellings() {
        let noon = 1_533_126_600_000_000;
        for text in [
            "2018-08-01 12:30:00",
            "2018-08-01T12:30:00",
            "2018-08-01T12:30:00Z",
            "2018-08-01T12:30:00.000",
            "2018-08-01 09:30:00-03:00",
            "2018-08-01 09:30:00 -0300",
            "2018-08-01 18:00:00 +05:30",
            "2018-08-01 12:30:00 UTC",
            " 2018-08-01 12:30:00 ",
        ] {
            assert_eq!(instant(text), Some(noon), "{text}");
        }
        assert_eq!(instant("2018-08-01"), Some(1_533_081_600_000_000));
        assert_eq!(instant("1969-12-31 23:59:59"), Some(-1_000_000));
        for text in ["", "yesterday", "2018-13-01 00:00:00", "2018-02-30 00:00:00", "2018-08-01 24:00:00", "01/08/2018"]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn zones_are_honoured() {
        let midnight_in_shanghai = Some(1_514_736_000_000_000);
        for text in [
            "2018-01-01T00:00:00[Asia/Shanghai]",
            "2018-01-01 00:00:00[Asia/Shanghai]",
            "2018-01-01T00:00:00+08:00[Asia/Shanghai]",
            "2017-12-31T16:00:00Z[Asia/Shanghai]",
            "2017-12-31T13:00:00-03:00",
        ] {
            assert_eq!(instant(text), midnight_in_shanghai, "{text}");
        }
        // Summer time: New York is four hours behind in July.
        assert_eq!(instant("2018-07-01T00:00:00[America/New_York]"), instant("2018-07-01 04:00:00"));
        for text in
            ["2018-01-01T00:00:00+05:00[Asia/Shanghai]", "2018-01-01T00:00:00[Nowhere/Here]", "2018-01-01 00:00:00 CST"]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_days() {
        assert_eq!(whole_number("-12"), Some(-12));
        assert_eq!(whole_number("12.50"), None);
        assert_eq!(whole_number("99999999999999999999"), None);
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(day("2018-08-01 00:00:00"), None);
        assert_eq!(ids("a; b;;c"), ["a", "b", "c"]);
    }
}
