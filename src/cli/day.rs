//! Days on the command line.

use jiff::civil::Date;

/// A day as it is written on the command line.
///
/// # Errors
/// What is written is none.
pub fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{text:?} is no day: write it as 2024-07-31, year first"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::day;

    #[test]
    fn a_day_is_written_year_first() {
        assert_eq!(day("2024-07-31"), Ok(date(2024, 7, 31)));
        for wrong in ["31.07.2024", "2024-07", "Jul-2024", "2024-02-30"] {
            assert!(day(wrong).unwrap_err().contains("2024-07-31"), "{wrong}");
        }
    }
}
