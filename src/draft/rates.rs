//! What a loan costs a day, from whatever column says it: a rate, interest or a fee, in percent or as a fraction, a day, a month or a year.

use super::landscape::{Found, Landscape};
use super::names::Name;
use super::scope::{Piece, Scope};
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, RawColumn, ValueKind};
use crate::source::is_currency_mark;

/// For how long a rate is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// What a number of one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Fraction,
    Percent,
    BasisPoints,
}

/// How a column states a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stated {
    period: Period,
    unit: Unit,
    /// Why it may be otherwise, where name and numbers do not tell.
    doubt: Option<String>,
}

/// A column that scores less is no rate.
const MIN_SCORE: f64 = 0.45;
/// Higher numbers are amounts of money, or years.
const HIGHEST: f64 = 1_000.0;

/// The column of a table of loans that says what they cost.
pub(super) fn find(land: &Landscape, table: usize) -> Option<Found> {
    let scored = land.columns(table).filter_map(|at| Some((score(land, at)?, at)));
    let (score, at) = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))?;
    (score >= MIN_SCORE).then(|| Found { at, path: Vec::new(), score })
}

/// The column that says how many times what was advanced is paid back, as of advances to merchants: `1.25`.
pub(super) fn payback_factor(land: &Landscape, table: usize) -> Option<ColumnAt> {
    land.columns(table).find(|at| is_payback_factor(land.column(*at)))
}

fn is_payback_factor(raw: &RawColumn) -> bool {
    const FACTORS: [&str; 11] = [
        "factor", "factorrate", "multiple", "multiplier", "faktor", "fator", "facteur", "fattore", "carpan",
        "coefficient", "系数",
    ];
    /// Who pays back twice what was advanced pays more than anybody lends at.
    const HIGHEST: f64 = 2.0;
    /// A factor of anything else, as of risk or of scale, says so beside it.
    const BESIDE: [&str; 11] =
        ["rate", "buy", "sell", "payback", "repayment", "advance", "funding", "cost", "de", "of", "the"];
    let joined: String = raw.name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let words = super::names::words(&raw.name);
    let is_factor = |word: &String| FACTORS.contains(&word.as_str());
    let is_called_so = joined.contains("factorrate")
        || (words.iter().any(is_factor) && words.iter().all(|word| is_factor(word) || BESIDE.contains(&word.as_str())));
    is_called_so && raw.is_number() && raw.nulls == 0 && raw.numbers.range.0 > 1.0 && raw.numbers.range.1 <= HIGHEST
}

/// Rates and fees of what is paid once, of who is late, or of something else.
const OTHERS: [&str; 21] = [
    "late", "penal", "overdue", "default", "mora", "verzug", "arrear", "process", "origination", "setup", "upfront",
    "disburs", "bearbeitung", "insur", "exchange", "fx", "tax", "discount", "recover", "success", "share",
];

fn is_of_something_else(raw: &RawColumn) -> bool {
    let lower = raw.name.to_lowercase();
    OTHERS.iter().any(|word| lower.contains(word)) || super::advances::is_share_of_sales(raw)
}

/// Whether a column is called a fee and holds sums of money: they bear a currency's mark, or are far above any rate.
fn is_sum_of_money(raw: &RawColumn, name: &Name) -> bool {
    const HIGHEST_PERCENT: f64 = 100.0;
    let has_mark = matches!(&raw.kind, ValueKind::Decimal(form) if is_currency_mark(form.symbol.trim(), None));
    let is_rate = name.says(C::Rate) || unit_said(raw).is_some();
    name.says(C::Fee) && raw.is_number() && (has_mark || (!is_rate && raw.numbers.range.1 > HIGHEST_PERCENT))
}

/// Fees of loans, as sums of money in the rows of their table.
pub(super) enum Fees {
    /// None is stated.
    None,
    /// What is owed beside the principal.
    Owed(ColumnAt),
    /// What nobody can say of when it is owed, or whether.
    Unclear(Vec<ColumnAt>),
}

impl Fees {
    /// The columns that are in no instalment, for a person; none where there are no such.
    pub(super) fn unplaced(&self, land: &Landscape) -> Option<String> {
        let names = |columns: &[ColumnAt]| -> Vec<String> {
            columns.iter().map(|at| format!("{:?}", land.column(*at).name)).collect()
        };
        match self {
            Self::None => None,
            Self::Owed(at) => Some(names(&[*at]).join(", ")),
            Self::Unclear(columns) => Some(names(columns).join(", ")),
        }
    }
}

/// The fee of a row in minor units; none is 0.
pub(super) fn fee_minor(scope: &Scope, fee: ColumnAt) -> String {
    let cell = scope.name(fee);
    format!("CASE WHEN {cell} IS NULL THEN 0 ELSE {} END", scope.minor(fee, &cell).sql)
}

/// What a table of loans says of fees.
pub(super) fn fees(land: &Landscape, table: usize) -> Fees {
    const NOT_OWED: [C; 6] = [C::Id, C::Number, C::Time, C::Tax, C::Discount, C::Paid];
    let is_one = |at: &ColumnAt| {
        let (raw, name) = (land.column(*at), land.column_name(*at));
        is_sum_of_money(raw, name) && !NOT_OWED.iter().any(|concept| name.says(*concept))
    };
    let found: Vec<ColumnAt> = land.columns(table).filter(is_one).collect();
    match found.as_slice() {
        [] => Fees::None,
        [only] if land.column(*only).numbers.range.0 >= 0.0 && !is_of_something_else(land.column(*only)) => {
            Fees::Owed(*only)
        }
        _ => Fees::Unclear(found),
    }
}

fn score(land: &Landscape, at: ColumnAt) -> Option<f64> {
    let (raw, name) = (land.column(at), land.column_name(at));
    let lower = raw.name.to_lowercase();
    if lower == "daily_rate_ppm" {
        return Some(1.0);
    }
    let is_other =
        [C::Id, C::Number, C::Time, C::Tax, C::Discount, C::Liability, C::Stars].iter().any(|c| name.says(*c));
    let is_money = (raw.numbers.range.1 > HIGHEST && !lower.contains("ppm")) || is_sum_of_money(raw, name);
    let is_none = is_money || is_other || is_of_something_else(raw) || is_payback_factor(raw);
    if !raw.is_number() || raw.numbers.range.0 < 0.0 || is_none {
        return None;
    }
    let is_called = match (name.says(C::Rate), name.says(C::Interest), name.says(C::Fee)) {
        (true, true, _) => 0.7,
        (true, false, _) => 0.6,
        (false, true, _) => 0.5,
        (false, false, true) => 0.45,
        // A rate of interest, by its initials; or percent of some period, of which only a rate is.
        _ if raw.is_called(&["roi"]) => 0.6,
        _ if unit_said(raw).is_some() && period_said(&raw.name).is_some() => 0.3,
        _ => return None,
    };
    let is_more = |is_so: bool| if is_so { 0.15 } else { 0.0 };
    Some(is_called + is_more(unit_said(raw).is_some()) + is_more(period_said(&raw.name).is_some()))
}

/// The period that a name says.
fn period_said(name: &str) -> Option<Period> {
    const STEMS: [(Period, &[&str]); 4] = [
        (
            Period::Day,
            &[
                "daily", "diari", "diári", "täglich", "taeglich", "tageszins", "tagessatz", "journalier", "giornal",
                "dzienn", "günlük", "gunluk", "日",
            ],
        ),
        (
            Period::Week,
            &[
                "weekly", "semanal", "wöchentlich", "woechentlich", "hebdo", "settiman", "tygodni", "haftalık", "周",
                "週",
            ],
        ),
        (
            Period::Month,
            &["month", "mensual", "mensal", "mensuel", "mensile", "monat", "miesi", "miesię", "aylık", "aylik", "月"],
        ),
        (
            Period::Year,
            &[
                "year", "annual", "annum", "anual", "annuel", "annuo", "jahr", "jährlich", "roczn", "yıllık", "yillik",
                "年",
            ],
        ),
    ];
    const WORDS: [(Period, &[&str]); 4] = [
        (Period::Day, &[" day ", " p d ", " pd ", " tag ", " jour ", " dia ", " día ", " hari "]),
        (Period::Week, &[" week ", " p w ", " pw ", " woche ", " semana ", " minggu "]),
        (
            Period::Month,
            &[" p m ", " pm ", " mes ", " mês ", " mois ", " a m ", " bulan ", " bln ", " tháng ", " mwezi "],
        ),
        (Period::Year, &[" p a ", " pa ", " apr ", " a a ", " año ", " ano ", " an ", " tahun ", " thn "]),
    ];
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let spaced = format!(" {} ", words.join(" "));
    let by_word = || WORDS.into_iter().find(|(_, words)| words.iter().any(|word| spaced.contains(word)));
    let by_stem = STEMS.into_iter().find(|(_, stems)| stems.iter().any(|stem| lower.contains(stem)));
    by_stem.or_else(by_word).map(|(period, _)| period)
}

/// Whether a name says `per` something, and not `per cent`.
fn says_some_period(name: &str) -> bool {
    const PER: [&str; 4] = ["per", "pro", "por", "par"];
    let words = super::names::words(name);
    let is_one = |pair: &[String]| matches!(pair, [per, of] if PER.contains(&per.as_str()) && !of.starts_with("cent") && !of.starts_with("cien"));
    words.windows(2).any(is_one)
}

/// The unit that a name or the cells' own sign says.
fn unit_said(raw: &RawColumn) -> Option<Unit> {
    const PERCENT: [&str; 8] = ["%", "percent", "per cent", "pct", "prozent", "porcent", "pour cent", "per cento"];
    let lower = raw.name.to_lowercase();
    let has_sign = matches!(&raw.kind, ValueKind::Decimal(form) if form.symbol.trim() == "%");
    let is_of_points = raw.is_called(&["bps", "bp", "bip"]);
    match () {
        () if is_of_points || lower.contains("basis point") => Some(Unit::BasisPoints),
        () if has_sign || PERCENT.iter().any(|word| lower.contains(word)) => Some(Unit::Percent),
        () => None,
    }
}

/// Whether a name or the cells' own sign says that numbers are in percent.
pub(super) fn is_in_percent(raw: &RawColumn) -> bool {
    unit_said(raw) == Some(Unit::Percent)
}

/// What a column states. `is_rate`: its name calls it a rate or interest, not a fee.
fn stated(raw: &RawColumn, is_rate: bool, is_interest: bool) -> Stated {
    let highest = raw.numbers.range.1;
    let (period, no_period) = match period_said(&raw.name) {
        Some(period) => (period, None),
        None if is_rate && !says_some_period(&raw.name) => (Period::Year, None),
        None if is_interest && unit_said(raw).is_some() && !says_some_period(&raw.name) => (Period::Year, None),
        None => (
            Period::Year,
            Some("nothing says for how long it is: a day, a month, a year, or all of the term".to_owned()),
        ),
    };
    if let Some(unit) = unit_said(raw) {
        // More than one percent a day is no rate of interest.
        let most = match unit {
            Unit::Fraction => 0.01,
            Unit::Percent => 1.0,
            Unit::BasisPoints => 100.0,
        };
        let is_dear = period == Period::Day && highest > most;
        let too_dear = || {
            is_dear.then(|| {
                format!(
                    "its highest is {highest}: more than a day's interest, and a share of sales, or of another period"
                )
            })
        };
        return Stated { period, unit, doubt: no_period.or_else(too_dear) };
    }
    // Up to the first number rates are fractions, from the second on they are in percent.
    let (fraction, percent, most) = match period {
        Period::Day => (0.003, 0.02, 5.0),
        Period::Week => (0.02, 0.1, 30.0),
        Period::Month => (0.15, 0.3, 100.0),
        Period::Year => (1.0, 2.0, HIGHEST),
    };
    let unit = if highest < percent { Unit::Fraction } else { Unit::Percent };
    let between = || {
        ((fraction..percent).contains(&highest) || highest > most).then(|| {
            format!("its highest is {highest}, and nothing says whether that is in percent or a fraction of one")
        })
    };
    Stated { period, unit, doubt: no_period.or_else(between) }
}

fn stated_by(land: &Landscape, at: ColumnAt) -> Stated {
    let name = land.column_name(at);
    stated(land.column(at), name.says(C::Rate), name.says(C::Interest))
}

/// Why nobody can say what a rate is, where its name and numbers leave it open.
pub(super) fn doubt(land: &Landscape, at: ColumnAt, cell: &str) -> Option<String> {
    let raw = land.column(at);
    let stated = stated_by(land, at);
    let why = stated.doubt.as_ref().filter(|_| !raw.name.to_lowercase().contains("ppm"))?;
    Some(format!("{cell}: {why}. It is drafted as {}: compare it with a contract", stated.words()))
}

impl Stated {
    fn words(&self) -> String {
        let period = match self.period {
            Period::Day => "daily",
            Period::Week => "weekly",
            Period::Month => "monthly",
            Period::Year => "yearly",
        };
        let unit = match self.unit {
            Unit::Fraction => "as a fraction",
            Unit::Percent => "in percent",
            Unit::BasisPoints => "in basis points",
        };
        format!("a {period} rate {unit}")
    }

    /// Makes parts per million a day of a number.
    fn factor(&self) -> String {
        let one: i64 = match self.unit {
            Unit::Fraction => 1_000_000,
            Unit::Percent => 10_000,
            Unit::BasisPoints => 100,
        };
        match self.period {
            Period::Day => format!(" * {one}"),
            Period::Week => format!(" * {one} / 7"),
            Period::Month => format!(" * {} / 365", one * 12),
            Period::Year => format!(" * {one} / 365"),
        }
    }
}

/// Parts per million a day.
pub(super) fn per_day(scope: &Scope, at: ColumnAt, sql: &str) -> Piece {
    let raw = scope.land.column(at);
    if raw.name.to_lowercase().contains("ppm") {
        return Piece::sure(sql);
    }
    let stated = stated_by(scope.land, at);
    let made = format!("TRY_CAST(ROUND({}{}) AS BIGINT)", scope.number(at, sql), stated.factor());
    Piece::guess(scope.as_written(&made, at, sql), stated.words())
}

/// Parts per million a day as a number that is not rounded: over a term, what rounding takes or adds is owed by nobody.
pub(super) fn exact_per_day(scope: &Scope, at: ColumnAt) -> String {
    let number = scope.number(at, &scope.name(at));
    if scope.land.column(at).name.to_lowercase().contains("ppm") {
        return number;
    }
    format!("({number}{})", stated_by(scope.land, at).factor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated_of(name: &str, cells: &[&str]) -> Stated {
        let said = super::super::names::Name::of(name);
        stated(&RawColumn::of_texts(name, cells), said.says(C::Rate), said.says(C::Interest))
    }

    #[test]
    fn a_factor_of_what_is_paid_back_is_no_other_factor() {
        let is_one = |name: &str| is_payback_factor(&RawColumn::of_texts(name, &["1.25", "1.32"]));
        for name in ["Factor Rate", "factor", "buy_rate_factor", "Payback multiple", "Fator"] {
            assert!(is_one(name), "{name}");
        }
        for name in ["risk_factor", "Scale factor", "income_multiple", "rate"] {
            assert!(!is_one(name), "{name}");
        }
    }

    #[test]
    fn periods_and_units_are_those_of_names_and_cells() {
        for (name, cells, expected) in [
            ("Daily fee %", &["0.05", "0.08"][..], (Period::Day, Unit::Percent)),
            ("Daily fee", &["0.05%", "0.08%"], (Period::Day, Unit::Percent)),
            ("daily_rate", &["0.0005", "0.0008"], (Period::Day, Unit::Fraction)),
            ("daily_rate", &["0.05", "0.08"], (Period::Day, Unit::Percent)),
            ("Monthly interest", &["2.5%", "3.0%"], (Period::Month, Unit::Percent)),
            ("Monthly interest", &["2.5", "3.0"], (Period::Month, Unit::Percent)),
            ("Bunga % per bulan", &["2.0", "3.0"], (Period::Month, Unit::Percent)),
            ("Interest p.m.", &["0.025", "0.03"], (Period::Month, Unit::Fraction)),
            ("Rate p.a.", &["18.0", "24.0"], (Period::Year, Unit::Percent)),
            ("Rate p.a.", &["0.18", "0.24"], (Period::Year, Unit::Fraction)),
            ("APR", &["18", "24"], (Period::Year, Unit::Percent)),
            ("rate_bps_pa", &["1800", "2400"], (Period::Year, Unit::BasisPoints)),
            ("Weekly interest %", &["1", "2"], (Period::Week, Unit::Percent)),
            ("interest_rate", &["18.5", "24"], (Period::Year, Unit::Percent)),
        ] {
            let found = stated_of(name, cells);
            assert_eq!((found.period, found.unit), expected, "{name} {cells:?}");
            assert_eq!(found.doubt, None, "{name} {cells:?}");
        }
        for (name, cells) in [
            ("Daily fee", &["0.01", "0.015"][..]),
            ("Fee %", &["5", "6"]),
            ("Rate % per xyzzy", &["2.0", "3.0"]),
            ("Monthly rate", &["0.2", "0.25"]),
            ("interest", &["12", "14"]),
            ("Rate p.a.", &["1.2", "1.5"]),
        ] {
            assert!(stated_of(name, cells).doubt.is_some(), "{name} {cells:?}");
        }
    }
}
