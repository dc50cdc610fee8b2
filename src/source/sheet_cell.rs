//! What a cell of a sheet says, as the text that a CSV file would hold.

use calamine::{Data, ExcelDateTime};
use jiff::civil::Date;

const MS_A_DAY: f64 = 86_400_000.0;

/// The text of a cell; `None` where it is blank.
///
/// # Errors
/// The cell holds an error, in the words of the sheet.
pub(super) fn text_of(cell: &Data, with_time: bool) -> Result<Option<String>, String> {
    Ok(match cell {
        Data::Empty => None,
        Data::String(text) => (!text.is_empty()).then(|| text.clone()),
        Data::Int(number) => Some(number.to_string()),
        Data::Float(number) => Some(number_text(*number)),
        Data::Bool(value) => Some(value.to_string()),
        Data::DateTime(moment) => Some(moment_text(*moment, with_time)),
        Data::DateTimeIso(text) => {
            Some(if with_time && !text.contains('T') { format!("{text}T00:00:00") } else { text.clone() })
        }
        Data::DurationIso(text) => Some(clock_text(text)),
        Data::Error(error) => return Err(error.to_string()),
    })
}

/// Whether a cell holds a day with a time of day.
pub(super) fn has_time(cell: &Data) -> bool {
    match cell {
        Data::DateTime(moment) if moment.is_datetime() && moment.as_f64() >= 1.0 => {
            let (_, _, _, hour, minute, second, thousandths) = moment.to_ymd_hms_milli();
            (hour, minute, second, thousandths) != (0, 0, 0, 0)
        }
        Data::DateTimeIso(text) => text.contains('T'),
        _ => false,
    }
}

/// A number as short as it can be written and read back: sheets know no whole numbers.
fn number_text(number: f64) -> String {
    // Without the sign of a negative zero.
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

/// Whole days, and milliseconds of the day. Sheets count days in fractions: `10:00` is 0.41666….
#[expect(clippy::cast_possible_truncation, reason = "the reader has checked the sheet's own range of days")]
fn milliseconds(serial: f64) -> (i64, i64) {
    let all = (serial * MS_A_DAY).round() as i64;
    (all.div_euclid(MS_A_DAY as i64), all.rem_euclid(MS_A_DAY as i64))
}

fn moment_text(moment: ExcelDateTime, with_time: bool) -> String {
    let serial = moment.as_f64();
    if !serial.is_finite() || serial < 0.0 {
        return number_text(serial);
    }
    let (days, of_day) = milliseconds(serial);
    if moment.is_duration() || serial < 1.0 {
        return clock(days * 24, of_day);
    }
    let (year, month, day, hour, minute, second, thousandths) = moment.to_ymd_hms_milli();
    let date = i8::try_from(month).ok().zip(i8::try_from(day).ok());
    let date = date.and_then(|(month, day)| Date::new(i16::try_from(year).ok()?, month, day).ok());
    // The one day that sheets count and no calendar has, 1900-02-29.
    let Some(date) = date else { return number_text(serial) };
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    if with_time { format!("{date}T{}", clock(0, seconds * 1_000 + i64::from(thousandths))) } else { date.to_string() }
}

/// `10:05:00`, and thousandths where there are any.
fn clock(more_hours: i64, of_day: i64) -> String {
    let (seconds, thousandths) = (of_day / 1_000, of_day % 1_000);
    let text = format!("{:02}:{:02}:{:02}", more_hours + seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if thousandths == 0 { text } else { format!("{text}.{thousandths:03}") }
}

/// `PT10H05M00S` as `10:05:00`; anything else as it stands.
fn clock_text(text: &str) -> String {
    let parts = || -> Option<(i64, i64, f64)> {
        let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
        let (minutes, rest) = rest.split_once('M')?;
        let seconds = rest.strip_suffix('S')?.replace(',', ".");
        Some((hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?))
    };
    match parts() {
        #[expect(clippy::cast_possible_truncation, reason = "below a minute")]
        Some((hours, minutes @ 0..60, seconds)) if (0.0..60.0).contains(&seconds) => {
            clock(hours, minutes * 60_000 + (seconds * 1_000.0).round() as i64)
        }
        _ => text.to_owned(),
    }
}

/// A column's letters: `A`, `Z`, `AA`.
pub(super) fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or(0)));
        left /= 26;
    }
    letters.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};

    use super::*;

    fn moment(serial: f64, is_1904: bool) -> Data {
        Data::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904))
    }

    #[test]
    fn cells_are_written_as_a_csv_file_would_have_them() {
        let said = |cell: &Data| text_of(cell, has_time(cell)).unwrap().unwrap();
        // Serial numbers as Excel shows them.
        for (cell, expected) in [
            (Data::Float(12.0), "12"),
            (Data::Float(-0.0), "0"),
            (Data::Float(0.1), "0.1"),
            (Data::Float(123_456_789_012.0), "123456789012"),
            (Data::Float(1e15), "1000000000000000"),
            (Data::Bool(true), "true"),
            (moment(43_101.0, false), "2018-01-01"),
            (moment(43_101.0 + 10.0 / 24.0, false), "2018-01-01T10:00:00"),
            (moment(43_101.999_999_999, false), "2018-01-02"),
            (moment(43_101.0 + 0.5 + 0.001 / 86_400.0, false), "2018-01-01T12:00:00.001"),
            (moment(41_639.0, true), "2018-01-01"),
            (moment(1.0, false), "1900-01-01"),
            (moment(61.0, false), "1900-03-01"),
            (moment(60.0, false), "60"),
            (moment(0.5, false), "12:00:00"),
            (Data::DateTime(ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false)), "36:00:00"),
            (Data::DateTimeIso("2018-01-01".to_owned()), "2018-01-01"),
            (Data::DurationIso("PT09H05M07S".to_owned()), "09:05:07"),
            (Data::DurationIso("P1D".to_owned()), "P1D"),
        ] {
            assert_eq!(said(&cell), expected, "{cell:?}");
        }
        assert_eq!(text_of(&moment(43_101.0, false), true).unwrap().unwrap(), "2018-01-01T00:00:00");
        assert_eq!(text_of(&Data::String(String::new()), false).unwrap(), None);
        assert_eq!(text_of(&Data::Error(CellErrorType::Div0), false).unwrap_err(), "#DIV/0!");
    }

    #[test]
    fn columns_have_letters() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(letters), ["A", "Z", "AA", "ZZ", "AAA", "XFD"].map(str::to_owned));
    }
}
