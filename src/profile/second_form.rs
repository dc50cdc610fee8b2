//! Columns whose times or numbers are written in two forms: another program, or another month, wrote some of the cells.

use super::number_form::NumberForm;
use super::time_form::{PartOrder, TimeForm};

/// The form of the cells that a column's main form does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondForm {
    /// How they are written.
    pub form: TimeForm,
    /// Whether every cell can be read in one way alone.
    pub is_told: bool,
    /// A cell that the main form alone reads, and one that this one alone reads.
    pub examples: [String; 2],
}

/// Of the cells that are there, so many must be read by one form or the other.
const ENOUGH: f64 = 0.97;
/// So many cells show whether a column writes times at all.
const LOOKED_AT: usize = 300;
/// The main form reads so many of them.
const LEAST_OF_MAIN: f64 = 0.2;
/// Fewer strays are errors of typing (project judgement).
const MIN_STRAYS: usize = 3;
const MIN_STRAY_SHARE: f64 = 0.005;
/// Of strays so many are read by the other form, or they are errors.
const MOST_STRAYS: f64 = 0.9;

impl SecondForm {
    /// Two forms that read a column together where none does alone: the main one, whether it is certain which number of it is the day, and the second.
    pub(super) fn of(cells: &[&str]) -> Option<(TimeForm, bool, Self)> {
        let stride = (cells.len() / LOOKED_AT).max(1);
        let some: Vec<&str> = cells.iter().step_by(stride).copied().collect();
        let main = most_read(&some).filter(|(_, share)| *share >= LEAST_OF_MAIN)?.0;
        let (own, others): (Vec<&str>, Vec<&str>) = cells.iter().partition(|cell| main.micros(cell).is_some());
        let (second, _) = most_read(&others)?;
        let read = others.iter().filter(|cell| second.micros(cell).is_some()).count();
        let is_enough = (own.len() + read) as f64 >= ENOUGH * cells.len() as f64;
        let found = Self::between(second, &own, &others)?;
        let is_certain = found.is_told && is_order_told(main, &own) && is_order_told(second, &others);
        is_enough.then_some((main, is_certain, found))
    }

    /// The form of nearly all cells that the main one cannot read. Where that is the other order of day and month, some of those that the main one reads are
    /// of it too.
    pub(super) fn among_strays(main: TimeForm, cells: &[&str]) -> Option<Self> {
        let (own, strays): (Vec<&str>, Vec<&str>) = cells.iter().partition(|cell| main.micros(cell).is_some());
        let are_many = strays.len() >= MIN_STRAYS && strays.len() as f64 >= MIN_STRAY_SHARE * cells.len() as f64;
        if !are_many {
            return None;
        }
        let reads_them = |form: &TimeForm| {
            let read = strays.iter().filter(|cell| form.micros(cell).is_some()).count();
            read as f64 >= MOST_STRAYS * strays.len() as f64
        };
        let most_read = || most_read(&strays).map(|(form, _)| form);
        let second = main.other_order().filter(reads_them).or_else(|| most_read().filter(reads_them))?;
        let found = Self::between(second, &own, &strays)?;
        Some(Self { is_told: found.is_told && is_order_told(second, &strays), ..found })
    }

    fn between(second: TimeForm, own: &[&str], others: &[&str]) -> Option<Self> {
        let is_told = own.iter().all(|cell| second.micros(cell).is_none());
        let of_main = own.iter().find(|cell| second.micros(cell).is_none())?;
        let of_second = others.iter().find(|cell| second.micros(cell).is_some())?;
        Some(Self { form: second, is_told, examples: [(*of_main).to_owned(), (*of_second).to_owned()] })
    }

    /// Why nobody can say what a cell means, where that is so.
    pub(super) fn doubt(&self, main: TimeForm) -> Option<String> {
        let [first, second] = &self.examples;
        let (main, other) = (main.words(), self.form.words());
        (!self.is_told).then(|| {
            format!(
                "dates of two forms, of which some cells can be read in more ways than one: {main} as {first:?}, and {other} as {second:?}. Say which rows are which, e.g. by _file: \
                 CASE WHEN _file IN (…) THEN try_strptime(x, A) ELSE try_strptime(x, B) END, or have the export mended"
            )
        })
    }
}

/// Whether the cells tell which number is the day.
fn is_order_told(form: TimeForm, cells: &[&str]) -> bool {
    form.other_order()
        .is_none_or(|other| cells.iter().any(|cell| form.micros(cell).is_some() && other.micros(cell).is_none()))
}

/// The form of whole dates that reads most of the cells, and which share of them.
fn most_read(cells: &[&str]) -> Option<(TimeForm, f64)> {
    let has_digit = |cell: &&&str| cell.bytes().any(|b| b.is_ascii_digit()) && (6..=40).contains(&cell.len());
    let likely: Vec<&str> = cells.iter().filter(has_digit).copied().collect();
    let read = |form: TimeForm| likely.iter().filter(|cell| form.micros(cell).is_some()).count();
    // Of two that read as many the first is taken.
    let mut best: Option<(TimeForm, usize)> = None;
    for form in TimeForm::of_dates() {
        let count = read(form);
        if count > best.map_or(0, |(_, most)| most) {
            best = Some((form, count));
        }
    }
    best.map(|(form, count)| (form, count as f64 / cells.len().max(1) as f64))
}

impl TimeForm {
    /// The same numbers with day and month changed.
    fn other_order(self) -> Option<Self> {
        match self {
            Self::Parts { separator, order: PartOrder::DayFirst } => {
                Some(Self::Parts { separator, order: PartOrder::MonthFirst })
            }
            Self::Parts { separator, order: PartOrder::MonthFirst } => {
                Some(Self::Parts { separator, order: PartOrder::DayFirst })
            }
            _ => None,
        }
    }
}

/// Of the numbers of a column so many have another count of decimals, or three are how it is written.
const MIN_OTHERS: f64 = 0.5;
/// Of so many numbers with three decimals one ends in a zero, unless a program left zeros off.
const MANY_THREES: usize = 30;

/// Why some numbers may be read in two ways: three digits stand behind their decimal mark, as behind that of thousands, and the others have fewer.
pub(super) fn doubt_of_thousands<'a>(form: &NumberForm, cells: impl Iterator<Item = &'a str>) -> Option<String> {
    if form.thousands.is_some() {
        return None;
    }
    let (mut threes, mut all, mut has_zero) = (0_usize, 0_usize, false);
    let (mut first, mut other): (Option<&str>, Option<&str>) = (None, None);
    for cell in cells {
        let Some(plain) = form.plain_text(cell.trim()) else { continue };
        all += 1;
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        match fraction.len() {
            0..=2 => other = other.filter(|known| known.contains(form.decimal)).or(Some(cell)),
            3 => {
                let whole = whole.trim_start_matches('-');
                // `0.125` and `1234.567` are no thousands.
                if whole.len() > 3 || whole.starts_with('0') {
                    return None;
                }
                threes += 1;
                has_zero |= fraction.ends_with('0');
                first = first.or(Some(cell));
            }
            _ => return None,
        }
    }
    let are_some = threes >= MIN_STRAYS && threes as f64 >= MIN_STRAY_SHARE * all as f64;
    let are_few = (all - threes) as f64 >= MIN_OTHERS * all as f64;
    let (first, other) = (first?, other?);
    (are_some && are_few && (has_zero || threes < MANY_THREES)).then(|| {
        let thousands: String = first.chars().filter(|c| *c != form.decimal).collect();
        format!(
            "{threes} of {all} numbers with three digits behind {:?}: {first:?} may be {thousands} or a fraction, beside {other:?}. Say which, e.g. by _file, or \
             have the export mended",
            form.decimal
        )
    })
}

/// Why amounts may be read in two ways: each of them has three digits behind its decimal mark, as behind that of thousands.
pub(super) fn doubt_of_all_threes<'a>(form: &NumberForm, cells: impl Iterator<Item = &'a str>) -> Option<String> {
    if form.thousands.is_some() || form.symbol.contains('%') {
        return None;
    }
    let mut first: Option<&str> = None;
    let mut all = 0_usize;
    for cell in cells {
        let plain = form.plain_text(cell.trim())?;
        let (whole, fraction) = plain.split_once('.')?;
        let whole = whole.trim_start_matches('-');
        if fraction.len() != 3 || whole.len() > 3 || whole.starts_with('0') {
            return None;
        }
        all += 1;
        first = first.or(Some(cell));
    }
    let first = first.filter(|_| all >= MANY_THREES)?;
    let thousands: String = first.chars().filter(|c| *c != form.decimal).collect();
    Some(format!(
        "three digits behind {:?} in every cell: {first:?} may be {thousands} or a fraction. Say which: minor_units(x, 'CODE', ',') reads a point as thousands",
        form.decimal
    ))
}

/// The form that reads most numbers where another reads nearly all that are left, and why that is in doubt.
pub(super) fn two_decimal_marks(cells: &[&str]) -> Option<(NumberForm, String)> {
    let marked = |mark: char| NumberForm { decimal: mark, ..NumberForm::plain() };
    let read = |form: &NumberForm| cells.iter().filter(|cell| form.value(cell).is_some()).count();
    let (point, comma) = (marked('.'), marked(','));
    let (main, second) = if read(&point) >= read(&comma) { (point, comma) } else { (comma, point) };
    let alone = |form: &NumberForm, other: &NumberForm| {
        cells.iter().find(|cell| form.value(cell).is_some() && other.value(cell).is_none()).copied()
    };
    let (first, other) = (alone(&main, &second)?, alone(&second, &main)?);
    let both = cells.iter().filter(|cell| main.value(cell).is_some() || second.value(cell).is_some()).count();
    let is_enough = both as f64 >= ENOUGH * cells.len() as f64;
    is_enough.then(|| {
        let why = format!(
            "numbers with two decimal marks: {first:?} and {other:?}. Write one of them, e.g. REPLACE(x, {:?}, {:?}), where no thousands are marked",
            second.decimal.to_string(),
            main.decimal.to_string()
        );
        (main, why.replace('"', "'"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(parts: &[(&str, usize)]) -> Vec<String> {
        let days = |form: &str, count: usize| -> Vec<String> {
            (0..count)
                .map(|n| form.replace("DD", &format!("{:02}", n % 28 + 1)).replace("MM", &format!("{:02}", n % 12 + 1)))
                .collect()
        };
        parts.iter().flat_map(|(form, count)| days(form, *count)).collect()
    }

    fn of(parts: &[(&str, usize)]) -> Option<(TimeForm, bool, SecondForm)> {
        let cells = repeated(parts);
        SecondForm::of(&cells.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn two_forms_are_told_apart_or_named() {
        let (main, is_certain, second) = of(&[("2024-MM-DD", 60), ("DD.MM.2024 09:30", 40)]).unwrap();
        let german = TimeForm::Parts { separator: '.', order: PartOrder::DayFirst };
        assert_eq!((main, second.form, second.is_told, is_certain), (TimeForm::Iso, german, true, true));
        assert_eq!(second.doubt(main), None);

        let (main, is_certain, second) = of(&[("DD/MM/2024", 60), ("MM/DD/2024", 40)]).unwrap();
        assert!(!second.is_told && !is_certain, "{second:?}");
        let doubt = second.doubt(main).unwrap();
        assert!(doubt.contains("day/month/year") && doubt.contains("month/day/year"), "{doubt}");

        assert_eq!(of(&[("2024-MM-DD", 60), ("pending", 40)]), None);
        assert_eq!(of(&[("DD apples", 100)]), None);
    }

    #[test]
    fn a_few_rows_of_another_form_are_no_errors_of_typing() {
        let form = TimeForm::Parts { separator: '/', order: PartOrder::DayFirst };
        let among = |parts: &[(&str, usize)]| {
            let cells = repeated(parts);
            SecondForm::among_strays(form, &cells.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(among(&[("DD/MM/2024", 970), ("MM/DD/2024", 30)]).is_some_and(|second| !second.is_told));
        assert_eq!(among(&[("DD/MM/2024", 998), ("02/30/2024", 2)]), None);
        assert_eq!(among(&[("DD/MM/2024", 100)]), None);
        let iso = among(&[("DD/MM/2024", 980), ("2024-MM-DD", 20)]).unwrap();
        assert_eq!((iso.form, iso.is_told), (TimeForm::Iso, true));
        let one_way = among(&[("DD/MM/2024", 980), ("03.04.2024", 20)]).unwrap();
        assert!(!one_way.is_told, "the third of April, or the fourth of March: {one_way:?}");
        assert_eq!(among(&[("DD/MM/2024", 980), ("unknown", 20)]), None);
    }

    #[test]
    fn three_digits_behind_the_mark_are_doubted_beside_others() {
        let plain = NumberForm::plain();
        let doubt = |cells: &[&str]| doubt_of_thousands(&plain, cells.iter().copied());
        let said = doubt(&["12.50", "99.00", "7.25", "1.230", "1.999", "2.100"]).unwrap();
        assert!(said.contains("\"1.230\" may be 1230") && said.contains("\"12.50\""), "{said}");
        for cells in [
            &["1.234", "2.500", "3.125"][..],
            &["12.50", "99.00", "7.25", "0.125", "1.999", "2.100"],
            &["12.50", "99.00", "7.25", "1234.125", "1.999", "2.100"],
            &["12.50", "99.00", "7.25"],
        ] {
            assert_eq!(doubt(cells), None, "{cells:?}");
        }
        // A program that leaves zeros off writes no zero at the end.
        let left_off: Vec<String> = (0..400)
            .map(|n| if n % 9 == 0 { format!("1.{}3", 10 + n % 80) } else { format!("1.{}", n % 10) })
            .collect();
        assert_eq!(doubt_of_thousands(&plain, left_off.iter().map(String::as_str)), None);
    }

    #[test]
    fn two_decimal_marks_are_named() {
        let (form, why) = two_decimal_marks(&["12.50", "3.00", "1.5", "7,25"]).unwrap();
        assert!(form.decimal == '.' && why.contains("'12.50' and '7,25'"), "{why}");
        assert_eq!(two_decimal_marks(&["12.50", "3.00"]), None);
        assert_eq!(two_decimal_marks(&["12.50", "a,b", "c,d"]), None);
    }
}
