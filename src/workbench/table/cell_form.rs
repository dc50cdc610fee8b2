//! How a column of text writes its numbers or dates: plainly, or in one of the forms that people use.

use super::parse;
use crate::domain::MICROS_PER_DAY;
use crate::model::table::Kind;
use crate::profile::{Digits, NumberForm, TimeForm};

/// One way to write every cell of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CellForm {
    /// `12`, `-3.5`, `1e6`, `true`.
    Number,
    /// `$18,500`, `5.98%`, `1.234,50 €`: read without its marks.
    WrittenNumber(NumberForm),
    /// `2018-08-01`, with or without a time of day.
    Day,
    /// `31.12.2018`, `12/31/18 9:05 PM`, `Dec-2016`.
    WrittenDay(TimeForm),
    /// Anything else.
    Text,
}

impl CellForm {
    /// The form that reads every cell, and what a reader of the report should know.
    pub(super) fn of<'a, I: Iterator<Item = &'a str>>(cells: impl Fn() -> I) -> (Self, Option<String>) {
        let (mut numbers, mut dates, mut texts) = (0_usize, 0_usize, 0_usize);
        let mut example = None;
        for cell in cells() {
            if parse::number(cell).is_some() {
                numbers += 1;
            } else if texts == 0 && parse::date(cell).is_some() {
                dates += 1;
            } else {
                texts += 1;
                example.get_or_insert(cell);
            }
        }
        match (numbers, dates, texts) {
            (_, 0, 0) => return (Self::Number, None),
            (0, _, 0) => return (Self::Day, None),
            _ => {}
        }
        let (written, doubt) = Self::written(&cells);
        match (written, numbers) {
            (Some(form), _) => (form, None),
            (None, 0) => (Self::Text, doubt),
            (None, n) => {
                let example = example.unwrap_or("a date");
                let note = format!(
                    "mixes {n} numbers with {} other values such as {example:?}: treated as text; mend the values, or \
                     declare them missing, to use it as a number",
                    dates + texts
                );
                (Self::Text, Some(note))
            }
        }
    }

    /// A form that people write by, where it reads every cell. Not for dates that may be of two orders: another table would be read otherwise.
    fn written<'a, I: Iterator<Item = &'a str>>(cells: &impl Fn() -> I) -> (Option<Self>, Option<String>) {
        // Most columns of words are known by their first cells.
        const FIRST: usize = 200;
        let first: Vec<&str> = cells().take(FIRST).collect();
        if TimeForm::of(&first, Digits::AreNumbers).is_none() && NumberForm::of(&first).is_none() {
            return (None, None);
        }
        let all: Vec<&str> = cells().collect();
        if let Some((form, is_certain)) = TimeForm::of(&all, Digits::AreNumbers) {
            let reads_all = all.iter().all(|cell| form.micros(cell).is_some());
            let doubt = (reads_all && !is_certain).then(|| {
                format!(
                    "dates as {}, or in the other order: no row tells, so they are text; write them as 2018-12-31",
                    form.words()
                )
            });
            return ((reads_all && is_certain).then_some(Self::WrittenDay(form)), doubt);
        }
        let form = NumberForm::of(&all).filter(|form| all.iter().all(|cell| form.value(cell).is_some()));
        (form.map(Self::WrittenNumber), None)
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Number | Self::WrittenNumber(_) => Kind::Number,
            Self::Day | Self::WrittenDay(_) => Kind::Date,
            Self::Text => Kind::Text,
        }
    }

    /// A cell as a number, or as days since 1970-01-01.
    pub(super) fn value(&self, cell: &str) -> Option<f64> {
        match self {
            Self::Number => parse::number(cell),
            Self::WrittenNumber(form) => form.value(cell),
            Self::Day => parse::date(cell),
            Self::WrittenDay(form) => form.micros(cell).map(|micros| micros as f64 / MICROS_PER_DAY as f64),
            Self::Text => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> CellForm {
        CellForm::of(|| cells.iter().copied()).0
    }

    #[test]
    fn numbers_and_dates_are_read_as_people_write_them() {
        assert_eq!(of(&["1", "2.5"]), CellForm::Number);
        assert_eq!(of(&["2018-01-02"]), CellForm::Day);
        for (cells, values) in [
            (vec!["$18,500", "$950"], vec![18_500.0, 950.0]),
            (vec!["5.98%", "12%"], vec![5.98, 12.0]),
            (vec!["1.234,50 €", "7,00 €"], vec![1_234.5, 7.0]),
            (vec!["31.12.2018", "01.02.2018"], vec![17_896.0, 17_563.0]),
            (vec!["07/22/22", "01/02/22"], vec![19_195.0, 18_994.0]),
            (vec!["Dec-2016", "Jan-1970"], vec![17_136.0, 0.0]),
        ] {
            let form = of(&cells);
            assert_eq!(cells.iter().map(|cell| form.value(cell).unwrap()).collect::<Vec<_>>(), values, "{form:?}");
        }
    }

    #[test]
    fn what_no_form_reads_from_end_to_end_is_text() {
        for cells in
            [vec!["36 months", "60 months"], vec!["5%", "unknown"], vec!["a1", "b2"], vec!["31.12.2018", "soon"]]
        {
            assert_eq!(of(&cells), CellForm::Text, "{cells:?}");
        }
        let (form, note) = CellForm::of(|| ["01/02/2018", "03/04/2018"].into_iter());
        assert_eq!(form, CellForm::Text);
        assert!(note.unwrap().contains("other order"));
    }
}
