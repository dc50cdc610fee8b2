//! Lengths of time as people write them: `12 months`, `90 days`, `6 meses`, `12个月`.

/// What the numbers of a column of lengths of time are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanForm {
    /// Cells of days and weeks: days.
    Days,
    /// Cells of months and years: months.
    Months,
    /// Cells of both: days, a month being 30 of them and a year 365.
    Mixed,
}

/// A unit of time, with its words in small letters.
struct Unit {
    /// How many days it has, where it has always as many.
    days: Option<u16>,
    /// How many months it has.
    months: Option<u16>,
    words: &'static [&'static str],
}

const UNITS: [Unit; 4] = [
    Unit {
        days: Some(1),
        months: None,
        words: &[
            "d", "day", "days", "tag", "tage", "dia", "dias", "día", "días", "jour", "jours", "giorno", "giorni",
            "dni", "gün", "gun", "hari", "天", "日", "일",
        ],
    },
    Unit {
        days: Some(7),
        months: None,
        words: &[
            "w", "wk", "wks", "week", "weeks", "woche", "wochen", "semana", "semanas", "semaine", "semaines",
            "settimana", "settimane", "tygodni", "tygodnie", "hafta", "minggu", "周", "週", "星期", "週間", "주",
        ],
    },
    Unit {
        days: None,
        months: Some(1),
        words: &[
            "m", "mo", "mos", "mth", "mths", "mnth", "mnths", "month", "months", "monat", "monate", "mes", "meses",
            "mês", "mois", "mese", "mesi", "miesiąc", "miesiące", "miesięcy", "ay", "bulan", "bln", "个月", "個月",
            "月", "ヶ月", "か月", "カ月", "개월", "мес",
        ],
    },
    Unit {
        days: None,
        months: Some(12),
        words: &[
            "y", "yr", "yrs", "year", "years", "jahr", "jahre", "año", "años", "ano", "anos", "an", "ans", "anno",
            "anni", "rok", "lata", "lat", "yıl", "yil", "tahun", "thn", "年", "년",
        ],
    },
];
/// Days of a month and of a year where lengths are written in both.
const DAYS_OF_MONTH: u16 = 30;
const DAYS_OF_YEAR: u16 = 365;

/// The number of a cell and its unit.
fn parts(cell: &str) -> Option<(u32, &'static Unit)> {
    let cell = cell.trim().trim_end_matches('.');
    let digits = cell.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = cell.split_at(digits);
    let word = rest.trim_start_matches([' ', '\u{a0}', '-']).to_lowercase();
    let unit = UNITS.iter().find(|unit| unit.words.contains(&word.as_str()))?;
    Some((number.parse().ok().filter(|_| number.len() <= 5)?, unit))
}

impl SpanForm {
    /// The form that reads all of the cells.
    #[must_use]
    pub fn of(cells: &[&str]) -> Option<Self> {
        let (mut days, mut months) = (false, false);
        for cell in cells {
            let (_, unit) = parts(cell)?;
            days |= unit.days.is_some();
            months |= unit.months.is_some();
        }
        match (days, months) {
            (true, true) => Some(Self::Mixed),
            (true, false) => Some(Self::Days),
            (false, true) => Some(Self::Months),
            (false, false) => None,
        }
    }

    /// How many days or months a unit has in this form.
    const fn units(self, unit: &Unit) -> Option<u16> {
        match (self, unit) {
            (Self::Months, Unit { months, .. }) => *months,
            (Self::Days, Unit { days, .. }) => *days,
            (Self::Mixed, Unit { days: Some(days), .. }) => Some(*days),
            (Self::Mixed, Unit { months: Some(1), .. }) => Some(DAYS_OF_MONTH),
            (Self::Mixed, Unit { months, .. }) => match months {
                Some(_) => Some(DAYS_OF_YEAR),
                None => None,
            },
        }
    }

    /// A cell's days or months.
    #[must_use]
    pub fn value(self, cell: &str) -> Option<f64> {
        let (number, unit) = parts(cell)?;
        Some(f64::from(number) * f64::from(self.units(unit)?))
    }

    /// SQL that gives the days or months as DOUBLE, null where the cell has another unit or is no length of time.
    #[must_use]
    pub fn sql(self, column: &str) -> String {
        let number = format!("TRY_CAST(regexp_extract({column}, '([0-9]+)', 1) AS DOUBLE)");
        let cases = UNITS.iter().filter_map(|unit| {
            let words = unit.words.join("|");
            let times = self.units(unit)?;
            let many = if times == 1 { String::new() } else { format!(" * {times}") };
            Some(format!(
                "WHEN regexp_like(LOWER({column}), '^\\s*[0-9]+[\\s-]*({words})\\.?\\s*$') THEN {number}{many}"
            ))
        });
        format!("CASE {} ELSE NULL END", cases.collect::<Vec<_>>().join(" "))
    }

    /// The form in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Days => "days and weeks",
            Self::Months => "months and years",
            Self::Mixed => "days and months",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_days_or_months() {
        for (cells, form, value) in [
            (vec!["12 months", "1 month"], SpanForm::Months, 12.0),
            (vec![" 36 months", "5 years"], SpanForm::Months, 36.0),
            (vec!["12个月", "6个月"], SpanForm::Months, 12.0),
            (vec!["2 tahun", "6 bulan"], SpanForm::Months, 24.0),
            (vec!["26 Weeks", "90 days"], SpanForm::Days, 182.0),
            (vec!["30-day", "60-day"], SpanForm::Days, 30.0),
            (vec!["3 mos.", "45 d"], SpanForm::Mixed, 90.0),
        ] {
            assert_eq!(SpanForm::of(&cells), Some(form), "{cells:?}");
            assert_eq!(form.value(cells[0]), Some(value), "{cells:?}");
        }
        for cells in
            [vec!["12", "6"], vec!["30 days", "current"], vec!["months"], vec!["7 mm"], vec!["1.5 years"], vec![]]
        {
            assert_eq!(SpanForm::of(&cells), None, "{cells:?}");
        }
    }
}
