//! Forms of a date and a time of day that are written together in a way of their own: `31/12/2018, 09:30`, `Dec 31, 2018 9:30:00 AM PST`, `20181231T093000Z`.

use crate::source::instant_by_formats;

/// A date, a time of day and a zone, as they follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullForm {
    date: &'static str,
    /// What follows the date.
    time: &'static str,
    /// The word of a zone behind, and that of its summer time.
    zone: Zone,
}

/// The words of a zone, with what stands before them.
type Zone = (&'static str, &'static str);

const DATES: [&str; 29] = [
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%m.%d.%Y", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%Y-%m-%d",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d-%b-%y",
    "%d %b %y", "%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%d %B %Y", "%d de %B de %Y", "%a, %d %b %Y", "%a %d %b %Y",
    "%a %b %d %Y", "%Y年%m月%d日", "%Y%m%d",
];
const TIMES: [&str; 24] = [
    ", %H:%M:%S", ", %H:%M", ", %I:%M:%S %p", ", %I:%M %p", " at %H:%M", " at %I:%M %p", " at %I:%M:%S %p",
    " %I:%M:%S %p", " %I:%M %p", " %p %I:%M:%S", " %p %I:%M", " %H:%M:%S%.f", " %H:%M", " %I.%M.%S%.f %p",
    "T%H:%M:%S%.f", "T%H:%M", " %H.%M.%S%.f", " %H.%M", "-%H.%M.%S%.f", " %Hh%M", " %H:%M Uhr", " %H:%M:%S Uhr",
    " %H%M%S", "T%H%M%S",
];
/// Formats whose date is not one piece: what a Java program writes.
const TAKEN_APART: [&str; 1] = ["%a %b %d %H:%M:%S%zone %Y"];
const NONE: Zone = ("", "");
const OFFSETS: [Zone; 4] = [(" %z", ""), ("%z", ""), (" %:z", ""), ("%:z", "")];
const OF_UTC: [Zone; 3] = [("Z", ""), (" UTC", ""), (" GMT", "")];
/// Of these words nobody knows the zone for certain.
const OTHERS: [Zone; 20] = [
    (" PST", " PDT"),
    (" MST", " MDT"),
    (" CST", " CDT"),
    (" EST", " EDT"),
    (" CET", " CEST"),
    (" MEZ", " MESZ"),
    (" WET", " WEST"),
    (" EET", " EEST"),
    (" AEST", " AEDT"),
    (" BRT", " BRST"),
    (" IST", ""),
    (" WIB", ""),
    (" MSK", ""),
    (" EAT", ""),
    (" WAT", ""),
    (" SAST", ""),
    (" SGT", ""),
    (" HKT", ""),
    (" JST", ""),
    (" KST", ""),
];
/// Of the cells that are there, so many must be read.
const ENOUGH: f64 = 0.97;

/// The zones that a cell may end with.
fn zones_of(cell: &str) -> impl Iterator<Item = Zone> {
    let has_offset = cell.rfind(['+', '-']).is_some_and(|at| matches!(cell.len() - at, 5 | 6));
    let has = move |word: &str| !word.is_empty() && cell.contains(word);
    let offsets = OFFSETS.into_iter().filter(move |_| has_offset);
    let words = OF_UTC.into_iter().chain(OTHERS).filter(move |zone| has(zone.0) || has(zone.1));
    std::iter::once(NONE).chain(offsets).chain(words)
}

impl FullForm {
    /// The form that reads the cells, and whether no other order of day and month reads them too.
    pub(super) fn of(cells: &[&str]) -> Option<(Self, bool)> {
        const LENGTHS: std::ops::RangeInclusive<usize> = 12..=48;
        let first = cells.first()?.trim();
        let digits = first.bytes().filter(u8::is_ascii_digit).count();
        if !LENGTHS.contains(&first.len()) || digits < 6 {
            return None;
        }
        let whole = DATES.into_iter().flat_map(|date| TIMES.into_iter().map(move |time| (date, time)));
        let forms = whole
            .chain(TAKEN_APART.map(|format| (format, "")))
            .flat_map(|(date, time)| zones_of(first).map(move |zone| Self { date, time, zone }));
        let strays = (1.0 - ENOUGH) * cells.len() as f64;
        let reads = |form: &Self| {
            let mut missed = 0.0;
            cells.iter().all(|cell| {
                missed += if form.micros(cell).is_none() { 1.0 } else { 0.0 };
                missed <= strays
            })
        };
        let mut fitting = forms.filter(|form| form.micros(first).is_some()).filter(reads);
        let form = fitting.next()?;
        // Some forms read the same cells alike.
        let reads_alike = |other: Self| cells.iter().all(|cell| form.micros(cell) == other.micros(cell));
        let is_certain = fitting.all(reads_alike);
        Some((form, is_certain))
    }

    /// A cell as UTC microseconds, if it has this form.
    #[must_use]
    pub fn micros(self, cell: &str) -> Option<i64> {
        const EARLIEST: i64 = -2_208_988_800_000_000;
        instant_by_formats(cell.trim(), &self.formats()).filter(|micros| *micros >= EARLIEST)
    }

    /// Its formats, as `try_strptime` takes them.
    #[must_use]
    pub fn formats(self) -> Vec<String> {
        let with = |zone: &str| {
            if self.date.contains("%zone") {
                self.date.replace("%zone", zone)
            } else {
                format!("{}{}{zone}", self.date, self.time)
            }
        };
        let summer = Some(self.zone.1).filter(|zone| !zone.is_empty());
        std::iter::once(self.zone.0).chain(summer).map(with).collect()
    }

    /// Whether what is read is an instant whatever the job's zone: an offset or UTC stands behind.
    #[must_use]
    pub fn is_instant(self) -> bool {
        OFFSETS.contains(&self.zone) || OF_UTC.contains(&self.zone)
    }

    /// The word of a zone behind that nobody can be certain of.
    #[must_use]
    pub fn zone_word(self) -> Option<&'static str> {
        Some(self.zone.0.trim()).filter(|_| OTHERS.contains(&self.zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_that_stand_together_are_read() {
        // 18 June 2024, 17:24:33 UTC.
        const AT: i64 = 1_718_731_473_000_000;
        const AT_THE_MINUTE: i64 = AT - 33_000_000;
        for (cell, at) in [
            ("18/06/2024, 17:24:33", AT),
            ("18.6.2024, 17:24", AT_THE_MINUTE),
            ("6/18/2024, 5:24:33 PM", AT),
            ("18/06/2024 05:24:33 p.m.", AT),
            ("Jun 18, 2024, 5:24:33 PM", AT),
            ("Jun 18, 2024 at 5:24 PM", AT_THE_MINUTE),
            ("Jun 18, 2024 5:24:33 PM PDT", AT),
            ("18-JUN-24 05.24.33.000000 PM", AT),
            ("2024-06-18-17.24.33.000000", AT),
            ("2024-06-18 17.24.33", AT),
            ("20240618T172433Z", AT),
            ("20240618 172433", AT),
            ("Tue, 18 Jun 2024 17:24:33 GMT", AT),
            ("Tue, 18 Jun 2024 22:54:33 +0530", AT),
            ("06/18/2024 17:24:33 +0000", AT),
            ("Tue Jun 18 17:24:33 IST 2024", AT),
            ("Tue Jun 18 17:24:33 2024", AT),
            ("18.06.2024 17:24 Uhr", AT_THE_MINUTE),
            ("18/06/2024 17h24", AT_THE_MINUTE),
            ("18/06/2024T17:24:33", AT),
            ("18/06/2024 17:24:33.250", AT + 250_000),
            ("2024/06/18 下午05:24:33", AT),
            ("2024-06-18 오후 5:24:33", AT),
            ("2024-06-18 17:24:33 WIB", AT),
        ] {
            let form = FullForm::of(&[cell]).map(|(form, _)| form);
            assert_eq!(form.and_then(|form| form.micros(cell)), Some(at), "{cell}: {form:?}");
        }
        for cell in [
            "Order 20240608 12345678",
            "0171 1234567890",
            "12-40972-42996",
            "10.0.0.1:8080 and on",
            "Sunday lunch 2024",
        ] {
            assert_eq!(FullForm::of(&[cell]), None, "{cell}");
        }
        let both = ["06/08/2024, 17:24:33", "06/09/2024, 17:24:33"];
        assert!(FullForm::of(&both).is_some_and(|(_, is_certain)| !is_certain));
        let both = ["06/08/2024 17:24:33+0530", "06/09/2024 17:24:33+0530"];
        assert!(FullForm::of(&both).is_some_and(|(_, is_certain)| !is_certain), "two zones read them alike");
        assert!(
            FullForm::of(&["06/18/2024, 17:24:33"])
                .is_some_and(|(form, is_certain)| is_certain && form.date == "%m/%d/%Y")
        );
        let summer = FullForm::of(&["Jun 8, 2024 5:24:33 AM PDT", "Dec 8, 2024 5:24:33 AM PST"]).unwrap().0;
        assert_eq!((summer.formats().len(), summer.zone_word(), summer.is_instant()), (2, Some("PST"), false));
        let offset = FullForm::of(&["06/08/2024 17:24:33 +0530"]).unwrap().0;
        assert!(offset.is_instant());
    }
}
