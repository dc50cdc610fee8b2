//! Amounts as people write them: a sign, brackets, a currency, thousands marks. What is not understood is not a number: `1.5K`, `12%` and `<5`.

use super::number_text::{self, plain_number};
use crate::domain::Currency;

/// Symbols and short names in lower case, with the codes of the currencies that are written so; none: of many. Left out is what may also be a number's
/// unit: `M$` may be millions, `k` thousands, `L` lakhs, `Cr` crores or a credit, `p` and `¢` hundredths.
const MARKS: [(&str, &str); 89] = [
    (
        "$",
        "USD CAD AUD NZD HKD SGD TWD MXN ARS CLP COP UYU BRL DOP CUP JMD TTD BBD BSD BZD BMD KYD XCD GYD SRD LRD NAD FJD SBD ZWG BND NIO MOP TOP WST \
         PAB CVE",
    ),
    ("¤", ""),
    ("€", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("£", "GBP FKP GIP SHP EGP LBP SYP SDG SSP"),
    ("¥", "JPY CNY"),
    ("￥", "JPY CNY"),
    ("cn¥", "CNY"),
    ("rmb", "CNY"),
    ("元", "CNY TWD HKD SGD"),
    ("円", "JPY"),
    ("원", "KRW"),
    ("₩", "KRW KPW"),
    ("₹", "INR"),
    ("rs", "INR PKR LKR NPR MUR SCR"),
    ("₨", "INR PKR LKR NPR MUR SCR"),
    ("৳", "BDT"),
    ("tk", "BDT"),
    ("₽", "RUB"),
    ("руб", "RUB BYN"),
    ("р", "RUB BYN"),
    ("₴", "UAH"),
    ("грн", "UAH"),
    ("₸", "KZT"),
    ("тг", "KZT"),
    ("сом", "KGS"),
    ("сум", "UZS"),
    ("₺", "TRY"),
    ("tl", "TRY"),
    ("₼", "AZN"),
    ("₾", "GEL"),
    ("֏", "AMD"),
    ("₪", "ILS"),
    ("฿", "THB"),
    ("₫", "VND"),
    ("đ", "VND"),
    ("vnđ", "VND"),
    ("₭", "LAK"),
    ("៛", "KHR"),
    ("₮", "MNT"),
    ("₱", "PHP CUP"),
    ("₦", "NGN"),
    ("₵", "GHS"),
    ("gh₵", "GHS"),
    ("ksh", "KES"),
    ("tsh", "TZS"),
    ("ush", "UGX"),
    ("r", "ZAR"),
    ("fcfa", "XOF XAF"),
    ("cfa", "XOF XAF"),
    ("₡", "CRC"),
    ("₲", "PYG"),
    ("q", "GTQ"),
    ("s/", "PEN"),
    ("bs", "BOB VES VED"),
    ("r$", "BRL"),
    ("us$", "USD"),
    ("ca$", "CAD"),
    ("c$", "CAD NIO"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("nt$", "TWD"),
    ("mx$", "MXN"),
    ("ar$", "ARS"),
    ("col$", "COP"),
    ("rd$", "DOP"),
    ("kr", "SEK NOK DKK ISK"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("lei", "RON MDL"),
    ("лв", "BGN"),
    ("ден", "MKD"),
    ("дин", "RSD"),
    ("din", "RSD"),
    ("fr", "CHF XOF XAF XPF"),
    ("sfr", "CHF"),
    ("rp", "IDR"),
    ("rm", "MYR"),
    ("dh", "AED MAD"),
    ("dhs", "AED MAD"),
    ("sr", "SAR"),
    ("د.إ", "AED"),
    ("﷼", "IRR SAR YER OMR QAR"),
];

/// Names of currencies that are cut short: a point after them belongs to them, as in `Rs.500` and `S/.20`.
const WITH_POINT: [&str; 8] = ["rs", "kr", "fr", "sfr", "rp", "s/", "bs", "руб"];

/// Whether a text stands for a currency: for this one, where one is given.
pub(crate) fn is_currency_mark(mark: &str, currency: Option<Currency>) -> bool {
    let is_meant = |codes: &str| currency.is_none_or(|currency| codes.split(' ').any(|code| code == currency.code()));
    let lower = mark.to_lowercase();
    let is_code = || match currency {
        Some(currency) => mark.eq_ignore_ascii_case(&currency.code()),
        // In small letters many a code is a word.
        None => Currency::is_listed(mark),
    };
    MARKS.iter().any(|(known, codes)| *known == lower && (codes.is_empty() || is_meant(codes))) || is_code()
}

const fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}')
}

const fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

/// Blanks of every width, and marks that are not seen.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The number of a cell, with a decimal point and no thousands marks. A currency may stand before and after it, a sign before it, a minus after it, or brackets
/// around it, which are a minus. `None` where anything else does, or where the amount names another currency than `currency`.
pub(super) fn amount_in(cell: &str, decimal: char, currency: Option<Currency>) -> Option<String> {
    let mut rest = cell.trim_matches(is_blank);
    let (mut is_negative, mut before, mut after): (Option<bool>, bool, bool) = (None, false, false);
    loop {
        let shorter = if let (None, Some(inner)) = (is_negative, in_brackets(rest)) {
            is_negative = Some(true);
            inner
        } else if let (None, Some(unsigned)) = (is_negative, rest.strip_prefix(|c| is_minus(c) || is_plus(c))) {
            is_negative = Some(rest.starts_with(is_minus));
            unsigned
        } else if let (None, Some(unsigned)) = (is_negative, before_minus(rest)) {
            is_negative = Some(true);
            unsigned
        } else if let (false, Some(behind)) = (before, after_mark(rest, currency)) {
            before = true;
            behind
        } else if let (false, Some(ahead)) = (after, before_mark(rest, currency)) {
            after = true;
            ahead
        } else {
            break;
        };
        rest = shorter.trim_matches(is_blank);
    }
    let plain = unsigned_number(rest, decimal)?;
    Some(if is_negative == Some(true) { format!("-{plain}") } else { plain })
}

/// A cell of a file with decimal commas, where it holds a number, an amount or a percentage that a decimal point would write otherwise: `R$ 1.234,56` is `R$ 1234.56`.
pub(super) fn with_decimal_point(cell: &str) -> Option<String> {
    /// No amount is longer.
    const LONGEST: usize = 64;
    if let Some(bare) = number_text::with_decimal_point(cell) {
        return Some(bare);
    }
    let (first, last) = (cell.find(|c: char| c.is_ascii_digit())?, cell.rfind(|c: char| c.is_ascii_digit())?);
    if cell.len() > LONGEST {
        return None;
    }
    let (before, number, after) = (cell.get(..first)?, cell.get(first..=last)?, cell.get(last + 1..)?);
    let plain = unsigned_number(number, ',').filter(|plain| plain != number)?;
    let amount = cell.trim_matches(is_blank);
    let amount = amount.strip_suffix(['%', '‰']).unwrap_or(amount);
    amount_in(amount, ',', None).map(|_| format!("{before}{plain}{after}"))
}

fn in_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')')
}

/// What stands before a minus at the end. `12,-` is a price without cents and no minus.
fn before_minus(text: &str) -> Option<&str> {
    text.strip_suffix(is_minus).filter(|unsigned| unsigned.ends_with(|c: char| !is_blank(c) && !matches!(c, '.' | ',')))
}

const fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ',' | '(' | ')') || is_minus(c) || is_plus(c)
}

/// What follows a currency at the beginning.
fn after_mark(text: &str, currency: Option<Currency>) -> Option<&str> {
    let end = text.find(|c| is_of_number(c) || is_blank(c))?;
    let (mark, rest) = text.split_at(end);
    match mark.strip_suffix('.') {
        None => is_currency_mark(mark, currency).then_some(rest),
        Some(short) if WITH_POINT.contains(&short.to_lowercase().as_str()) => {
            is_currency_mark(short, currency).then_some(rest)
        }
        // `€.50`; of `EUR.50` nobody knows.
        Some(symbol) if !symbol.ends_with(char::is_alphabetic) => {
            is_currency_mark(symbol, currency).then_some(text.get(symbol.len()..)?)
        }
        Some(_) => None,
    }
}

/// What stands before a currency at the end.
fn before_mark(text: &str, currency: Option<Currency>) -> Option<&str> {
    let (at, last) = text.char_indices().rev().find(|(_, c)| is_of_number(*c) || is_blank(*c))?;
    let (rest, mark) = text.split_at(at + last.len_utf8());
    let bare = mark.strip_suffix('.').filter(|bare| bare.ends_with(char::is_alphabetic)).unwrap_or(mark);
    is_currency_mark(bare, currency).then_some(rest)
}

/// A number without a sign, whose thousands may be marked by what is not the decimal mark, blanks or apostrophes.
fn unsigned_number(text: &str, decimal: char) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == decimal) {
        return None;
    }
    let plain: String = text
        .chars()
        .map(|c| match c {
            '\u{2019}' => '\'',
            c if c.is_whitespace() && !c.is_control() => ' ',
            c => c,
        })
        .collect();
    let other = if decimal == ',' { '.' } else { ',' };
    [None, Some(other), Some(' '), Some('\'')]
        .into_iter()
        .find_map(|thousands| plain_number(&plain, decimal, thousands))
        .filter(|number| !number.contains('-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_of_files_with_decimal_commas_get_a_point() {
        for (cell, plain) in [
            ("R$ 1.234,56", Some("R$ 1234.56")),
            ("R$ 12.500", Some("R$ 12500")),
            ("1.234,50 €", Some("1234.50 €")),
            ("(1.234,50)", Some("(1234.50)")),
            ("€ 1 234,5-", Some("€ 1234.5-")),
            ("12,5 %", Some("12.5 %")),
            ("1.234,50", Some("1234.50")),
            ("€ 12", None),
            ("12.5 €", None),
            ("€ 0.123", None),
            ("12,5 kg", None),
            ("Am Markt 1,5", None),
            ("01.02.2018 EUR", None),
            ("%", None),
        ] {
            assert_eq!(with_decimal_point(cell).as_deref(), plain, "{cell}");
        }
    }

    #[test]
    fn what_is_understood_and_what_is_not() {
        let eur = Currency::new("EUR").ok();
        for (cell, number) in [
            ("\u{2212}5", Some("-5")),
            ("–5", Some("-5")),
            ("5\u{2212}", Some("-5")),
            ("5-", Some("-5")),
            ("- 5", Some("-5")),
            ("+5", Some("5")),
            ("(1,234.50)", Some("-1234.50")),
            ("(€5)", Some("-5")),
            ("€(5)", Some("-5")),
            ("€-5", Some("-5")),
            ("-€5", Some("-5")),
            ("5- EUR", Some("-5")),
            ("5€-", Some("-5")),
            ("EUR 5", Some("5")),
            ("5 eur", Some("5")),
            ("€5 EUR", Some("5")),
            ("€.50", Some(".50")),
            ("1\u{202f}234\u{a0}567", Some("1234567")),
            ("1’234", Some("1234")),
            ("\u{feff}5\u{200e}", Some("5")),
            ("0.5", Some("0.5")),
            // Neither a sign nor a currency.
            ("1.5K", None),
            ("2M", None),
            ("2 mil", None),
            ("M$2", None),
            ("12%", None),
            ("<5", None),
            ("~5", None),
            ("5½", None),
            ("5h", None),
            ("5p", None),
            ("5 CR", None),
            ("5 DR", None),
            ("5+", None),
            ("1e5", None),
            ("5 - 7", None),
            ("(-5)", None),
            ("-(5)", None),
            ("-5-", None),
            ("--5", None),
            ("(5", None),
            ("12.-", None),
            ("12,-", None),
            ("12,–", None),
            ("—5", None),
            ("EUR.50", None),
            ("€€5", None),
            ("1\t234", None),
            ("1.234.567", None),
            ("€", None),
            ("-", None),
            ("()", None),
            ("", None),
            // Another currency than the one that is asked for.
            ("5 USD", None),
            ("£5", None),
            ("R$ 5", None),
            ("¥5", None),
            ("$5", None),
        ] {
            assert_eq!(amount_in(cell, '.', eur).as_deref(), number, "{cell:?}");
        }
        for (cell, number) in [
            ("Rs.500", Some("500")),
            ("500 руб.", Some("500")),
            ("S/.20", Some("20")),
            ("5 USD", Some("5")),
            ("top 5", None),
            ("R$ 1.234", Some("1.234")),
        ] {
            assert_eq!(amount_in(cell, '.', None).as_deref(), number, "{cell:?}");
        }
        assert_eq!(amount_in("1.234,50 zł", ',', None).as_deref(), Some("1234.50"));
        assert_eq!(amount_in("1,234.50 zł", ',', None), None);
    }

    #[test]
    fn marks_are_in_small_letters_and_of_known_codes() {
        for (at, (mark, codes)) in MARKS.iter().enumerate() {
            assert_eq!(*mark, mark.to_lowercase());
            assert!(MARKS.iter().take(at).all(|(before, _)| before != mark), "{mark} twice");
            assert!(codes.split_ascii_whitespace().all(Currency::is_listed));
        }
    }

    /// An amount as a person might write it, and its hundredths.
    fn written() -> impl Strategy<Value = (String, char, i64)> {
        let thousands = prop::sample::select(vec!["", "other", " ", "\u{a0}", "\u{202f}", "\u{2009}", "'", "’"]);
        let sign = prop::sample::select(vec!["", "", "-", "\u{2212}", "–", "+", "after", "brackets"]);
        let mark = prop::sample::select(vec!["", "€", "EUR", "¤"]);
        let layout = (any::<bool>(), any::<bool>(), any::<bool>());
        (0_i64..100_000_000_000, prop::sample::select(vec!['.', ',']), thousands, sign, mark, layout).prop_map(
            |(hundredths, decimal, thousands, sign, mark, (mark_first, sign_first, blank))| {
                let other = if decimal == '.' { "," } else { "." };
                let between = if thousands == "other" { other } else { thousands };
                let digits = (hundredths / 100).to_string();
                let mut whole = String::new();
                for (at, digit) in digits.chars().enumerate() {
                    if at > 0 && (digits.len() - at).is_multiple_of(3) {
                        whole += between;
                    }
                    whole.push(digit);
                }
                let mut number = format!("{whole}{decimal}{:02}", hundredths % 100);
                if sign == "after" {
                    number.push('-');
                }
                let leading = if matches!(sign, "after" | "brackets") { "" } else { sign };
                let gap = if blank { "\u{a0}" } else { "" };
                let text = match (mark_first, sign_first) {
                    _ if mark.is_empty() => format!("{leading}{number}"),
                    (true, true) => format!("{leading}{mark}{gap}{number}"),
                    (true, false) => format!("{mark}{gap}{leading}{number}"),
                    (false, _) => format!("{leading}{number}{gap}{mark}"),
                };
                let text = if sign == "brackets" { format!("({text})") } else { text };
                let is_negative = !matches!(sign, "" | "+");
                (text, decimal, if is_negative { -hundredths } else { hundredths })
            },
        )
    }

    fn hundredths(plain: &str) -> i64 {
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        let value: i64 = digits.parse().unwrap();
        if plain.starts_with('-') { -value } else { value }
    }

    proptest! {
        #[test]
        fn amounts_are_read_as_they_were_meant((text, decimal, meant) in written()) {
            let read = amount_in(&text, decimal, Currency::new("EUR").ok());
            prop_assert_eq!(read.as_deref().map(hundredths), Some(meant), "{}", text);
        }

        #[test]
        fn one_strange_character_makes_an_amount_none(
            (text, decimal, _) in written(),
            at: prop::sample::Index,
            strange in prop::sample::select(vec!['K', 'M', 'h', '%', '<', '½', '²', '٣', '#', '~', '*', '=', '/', 'e', '_', '—', '一']),
        ) {
            let mut characters: Vec<char> = text.chars().collect();
            characters.insert(at.index(characters.len() + 1), strange);
            let text: String = characters.into_iter().collect();
            prop_assert_eq!(amount_in(&text, decimal, None), None, "{}", text);
        }

        /// Whatever is read keeps every digit in its order and has a minus if, and only if, one is written.
        #[test]
        fn nothing_of_a_cell_is_lost(text in "[-+−–() 0-9.,'€$KM%<hCD]{0,9}") {
            if let Some(read) = amount_in(&text, '.', None) {
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
                prop_assert_eq!(digits(&read), digits(&text), "{}", text);
                let minuses = text.chars().filter(|c| matches!(c, '-' | '−' | '–' | '(')).count();
                prop_assert_eq!(usize::from(read.starts_with('-')), minuses, "{}", text);
                // A point behind letters is an abbreviation's.
                let is_decimal = |(at, _): (usize, &str)| !text[..at].ends_with(char::is_alphabetic);
                prop_assert_eq!(read.contains('.'), text.match_indices('.').any(is_decimal), "{}", text);
                // Beside number and sign there is nothing but a currency, in front, behind or both.
                let is_mark = |c: &char| !c.is_ascii_digit() && !"-+−–() .,'".contains(*c);
                let mark = |text: &str| text.to_lowercase().chars().filter(is_mark).collect::<String>();
                let known = MARKS.iter().map(|(known, _)| *known).chain(Currency::listed());
                let known: Vec<String> = known.map(mark).collect();
                let found = mark(&text);
                let behind = |ahead: &String| found.strip_prefix(ahead.as_str()).is_some_and(|behind| behind.is_empty() || known.iter().any(|mark| mark == behind));
                prop_assert!(found.is_empty() || known.iter().any(behind), "{}", text);
            }
        }
    }
}
