//! The forms in which exports write amounts, and the SQL that makes minor units of them.

use crate::source::{is_currency_mark, plain_number};

/// How a column writes its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberForm {
    /// Before the fraction: `.` or `,`.
    pub decimal: char,
    /// Between thousands, where written.
    pub thousands: Option<char>,
    /// A symbol or code around the number: `R$`, `EUR`.
    pub symbol: String,
    /// Whether a minus stands behind: `12.50-`.
    pub minus_behind: bool,
    /// Whether what stands in brackets is below zero: `($12.50)`.
    pub minus_in_brackets: bool,
}

/// Of the cells that are there, so many must be read.
const ENOUGH: f64 = 0.97;

impl NumberForm {
    /// `1234.50`.
    #[must_use]
    pub const fn plain() -> Self {
        Self { decimal: '.', thousands: None, symbol: String::new(), minus_behind: false, minus_in_brackets: false }
    }

    /// The form that reads the cells.
    #[must_use]
    pub fn of(cells: &[&str]) -> Option<Self> {
        let minus_in_brackets = cells.iter().any(|cell| in_brackets(cell).is_some());
        let symbol = cells.first().map_or(String::new(), |cell| {
            let cell = in_brackets(cell).unwrap_or(cell);
            let around = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '-' | '+' | '\'');
            cell.chars().filter(|c| !around(*c)).collect()
        });
        // `m0000002` and `1e5` are no amounts: letters alone stand apart from their number.
        let stands_apart = |cell: &&str| {
            cell.split_once(&symbol).is_some_and(|(before, after)| {
                before.ends_with(char::is_whitespace) || after.starts_with(char::is_whitespace)
            })
        };
        let stand_apart = || cells.iter().all(stands_apart);
        // `#1001` and `dp_17` name something.
        let is_of_names = symbol.contains(['#', '№', '_', '/', ':']);
        let is_symbol = !is_of_names
            && !changes_the_number(&symbol)
            && symbol.chars().count() <= 3
            && (symbol.chars().any(|c| !c.is_alphanumeric()) || stand_apart() || is_letter_of_money(&symbol));
        let symbol = if is_symbol { symbol } else { String::new() };
        let minus_behind = cells.iter().any(|cell| cell.len() > 1 && cell.ends_with('-'));
        let count = |form: &Self| cells.iter().filter(|cell| form.value(cell).is_some()).count();
        // `18,500` is thousands more often than three decimals. The form that reads most: `1.234.567` among others tells that `177.900` is thousands.
        let forms = [
            ('.', None),
            ('.', Some(',')),
            (',', None),
            (',', Some('.')),
            ('.', Some(' ')),
            (',', Some(' ')),
            ('.', Some('\'')),
            (',', Some('\'')),
            // Blanks that no line breaks at: what programs write between thousands.
            (',', Some('\u{a0}')),
            ('.', Some('\u{a0}')),
            (',', Some('\u{202f}')),
            ('.', Some('\u{202f}')),
        ]
        .into_iter()
        .map(|(decimal, thousands)| Self {
            decimal,
            thousands,
            symbol: symbol.clone(),
            minus_behind,
            minus_in_brackets,
        });
        let mut best: Option<(usize, Self)> = None;
        for form in forms {
            let read = count(&form);
            if best.as_ref().is_none_or(|(most, _)| read > *most) {
                best = Some((read, form));
            }
        }
        let (read, form) = best.filter(|_| !cells.is_empty())?;
        (read as f64 >= ENOUGH * cells.len() as f64).then_some(form)
    }

    /// A cell's number, if it has this form.
    #[must_use]
    pub fn value(&self, cell: &str) -> Option<f64> {
        let plain = self.plain_text(cell)?;
        plain.parse::<f64>().ok().filter(|n| n.is_finite())
    }

    /// Digits after the decimal mark.
    #[must_use]
    pub fn decimals(&self, cell: &str) -> usize {
        self.plain_text(cell).and_then(|plain| plain.split_once('.').map(|(_, fraction)| fraction.len())).unwrap_or(0)
    }

    pub(super) fn plain_text(&self, cell: &str) -> Option<String> {
        let inner = in_brackets(cell).filter(|_| self.minus_in_brackets);
        let amount = inner.unwrap_or(cell);
        let bare = if self.symbol.is_empty() { amount.to_owned() } else { amount.replacen(&self.symbol, "", 1) };
        let plain = plain_number(bare.trim(), self.decimal, self.thousands)?;
        match inner {
            // A sign within brackets means nothing that anybody knows.
            Some(_) => (!plain.starts_with('-')).then(|| format!("-{plain}")),
            None => Some(plain),
        }
    }

    /// SQL that gives the number as DOUBLE, null where it cannot be read.
    #[must_use]
    pub fn sql(&self, column: &str) -> String {
        let mut text = column.to_owned();
        for gone in [Some(self.symbol.clone()), self.thousands.map(String::from)].into_iter().flatten() {
            if !gone.is_empty() {
                text = format!("REPLACE({text}, '{}', '')", gone.replace('\'', "''"));
            }
        }
        // `30,00 %`: what stood between number and symbol goes with it, a blank of any width.
        if !self.symbol.is_empty() {
            text = format!("TRIM({text})");
        }
        if self.decimal != '.' {
            text = format!("REPLACE({text}, '{}', '.')", self.decimal);
        }
        if self.minus_behind {
            text = format!("CASE WHEN {text} LIKE '%-' THEN '-' || REPLACE({text}, '-', '') ELSE {text} END");
        }
        if self.minus_in_brackets {
            let bare = format!("REPLACE(REPLACE({text}, '(', ''), ')', '')");
            text = format!("CASE WHEN {text} LIKE '(%)' THEN '-' || {bare} ELSE {text} END");
        }
        format!("TRY_CAST({text} AS DOUBLE)")
    }
}

/// What stands in brackets, where a cell is nothing else.
fn in_brackets(cell: &str) -> Option<&str> {
    cell.trim().strip_prefix('(')?.strip_suffix(')')
}

/// Whether a currency's name in a script that writes words together, as in `89.50元`.
fn is_letter_of_money(symbol: &str) -> bool {
    !symbol.is_ascii() && is_currency_mark(symbol, None)
}

/// Whether a number means another one with such a text beside it: a sign or a bound, a fraction, a word for thousands or millions, debit or credit.
fn changes_the_number(symbol: &str) -> bool {
    const CHARACTERS: [char; 16] =
        ['<', '>', '≤', '≥', '~', '≈', '±', '\u{2212}', '–', '—', '½', '¼', '¾', '(', '万', '亿'];
    const WORDS: [&str; 13] = ["k", "m", "mm", "mn", "b", "bn", "t", "l", "mil", "mio", "tsd", "cr", "dr"];
    symbol.contains(CHARACTERS) || WORDS.contains(&symbol.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart_by_what_they_read() {
        let form = |decimal, thousands, symbol: &str| NumberForm {
            decimal,
            thousands,
            symbol: symbol.to_owned(),
            ..NumberForm::plain()
        };
        for (cells, expected) in [
            (vec!["1234.50", "-3"], form('.', None, "")),
            (vec!["89.50元", "1,234.56元"], form('.', Some(','), "元")),
            (vec!["1234,50"], form(',', None, "")),
            (vec!["1,234.50", "12.00"], form('.', Some(','), "")),
            (vec!["1.234,50", "12,00"], form(',', Some('.'), "")),
            (vec!["R$ 12,00", "R$ 1.234,50"], form(',', Some('.'), "R$")),
            (vec!["$12.00"], form('.', None, "$")),
            (vec!["$18,500", "$950"], form('.', Some(','), "$")),
            (vec!["0,125", "0,500"], form(',', None, "")),
            (vec!["1'250.00"], form('.', Some('\''), "")),
            ([vec!["Rp 177.900"; 98], vec!["Rp 1.234.567", "Rp 2.000.500"]].concat(), form(',', Some('.'), "Rp")),
            (vec!["5.98%"], form('.', None, "%")),
        ] {
            let found = NumberForm::of(&cells).unwrap();
            assert_eq!(found, expected, "{cells:?}");
        }
        let behind = NumberForm { minus_behind: true, ..NumberForm::plain() };
        assert_eq!(NumberForm::of(&["12.50", "3.00-"]), Some(behind.clone()));
        assert_eq!(behind.value("3.00-"), Some(-3.0));
        for cells in [["($1,234.50)", "$3.00"], ["$3.00", "($1,234.50)"]] {
            let brackets = NumberForm::of(&cells).unwrap();
            assert_eq!((brackets.symbol.as_str(), brackets.value("($1,234.50)")), ("$", Some(-1_234.5)));
        }
        assert_eq!(NumberForm::of(&["EUR 12.00", "EUR 3"]).map(|f| f.symbol), Some("EUR".to_owned()));
        let narrow = NumberForm::of(&["1\u{202f}234,56\u{a0}zł", "950,00\u{a0}zł"]).unwrap();
        assert_eq!(narrow.value("1\u{202f}234,56\u{a0}zł"), Some(1234.56));
        let wide = NumberForm::of(&["1\u{a0}234,56 €", "12\u{a0}000,10 €"]).unwrap();
        assert_eq!((wide.value("12\u{a0}000,10 €"), wide.thousands), (Some(12_000.10), Some('\u{a0}')));
        let blanks = NumberForm::of(&["30,00\u{a0}%", "3,00\u{202f}%", "4 %"]);
        assert_eq!(blanks.map(|f| (f.symbol, f.decimal)), Some(("%".to_owned(), ',')));
        for cells in [
            vec!["a1"],
            vec!["m0000002", "m0000003"],
            vec!["1e5", "2"],
            vec!["abc"],
            vec![],
            vec!["12-3"],
            vec!["#1001", "#1002"],
            vec!["dp_17", "dp_230"],
            vec!["\u{2212}5.00", "\u{2212}7.00"],
            vec!["<5", "<7"],
            vec!["1.5 K", "2 K"],
        ] {
            assert_eq!(NumberForm::of(&cells), None, "{cells:?}");
        }
    }

    #[test]
    fn values_and_decimals() {
        let form = NumberForm { decimal: ',', thousands: Some('.'), symbol: "R$".to_owned(), ..NumberForm::plain() };
        assert_eq!(form.value("R$ 1.234,50"), Some(1_234.5));
        assert_eq!(form.decimals("R$ 1.234,5"), 1);
        assert_eq!(form.value("1.23,50"), None, "groups are of three");
        assert_eq!(
            form.sql("x"),
            "TRY_CAST(REPLACE(TRIM(REPLACE(REPLACE(x, 'R$', ''), '.', '')), ',', '.') AS DOUBLE)"
        );
    }
}
