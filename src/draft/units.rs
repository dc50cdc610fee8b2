//! Whether amounts are written in the main unit of their currency or in its minor unit.
//!
//! An amount read in the wrong unit is wrong by a hundred and looks right. What tells, the surest first: the column's name (`amount_cents`), decimals,
//! what a text beside the data says, another column that says the same with decimals, and how the numbers end. Columns of one table are written alike.

use super::landscape::Landscape;
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::domain::Currency;
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// Words for minor units, in names and texts. `cent` alone is one in a name, and none in a text (`12 per cent`).
const MINOR_WORDS: [&str; 19] = [
    "minor", "cents", "centavos", "centimos", "centimes", "fen", "pence", "paise", "paisa", "kobo", "sen", "satang",
    "grosze", "groszy", "kopecks", "kopeks", "kurus", "bani", "pesewas",
];
/// How a text says that amounts are in minor units, in lowercase.
const MINOR_PHRASES: [&str; 16] = [
    "minor unit",
    "in cents",
    "are cents",
    "as cents",
    "integer cents",
    "whole cents",
    "smallest currency unit",
    "smallest unit",
    "en centavos",
    "em centavos",
    "en centimes",
    "in pence",
    "in paise",
    "in fen",
    "单位：分",
    "单位为分",
];
/// How a text says that amounts are in main units.
const MAIN_PHRASES: [&str; 6] = ["main unit", "major unit", "in dollars", "in euros", "单位：元", "单位为元"];
/// How a text speaks of all amounts.
const ALL_AMOUNTS: [&str; 10] =
    ["amounts", "prices", "money", "monetary", "currency values", "importes", "valores", "montants", "betrage", "金额"];

/// Currencies in which prices have a fraction as a rule, so that whole numbers which end as prices do are in the minor unit. In others (rupees, pesos,
/// rand) 1999 is as likely a price.
const PRICED_WITH_FRACTIONS: [&str; 12] =
    ["USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "BRL", "SGD", "PLN", "ILS", "CNY"];

/// What a person says that whole numbers without decimals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountUnit {
    /// Whole units of the currency.
    Main,
    /// Its cents.
    Minor,
}

/// Why nobody can tell from an order's amount whether it is written in the main unit: whole numbers of a currency in which prices have a fraction, or of another of which
/// they are not round, none of them so small that cents would be absurd, and nothing else that says it.
pub(super) fn unclear(land: &Landscape, currency: Option<Currency>, at: ColumnAt) -> Option<String> {
    let raw = land.column(at);
    let code = currency.filter(|c| c.minor_units() > 1)?;
    let could_be_minor = if PRICED_WITH_FRACTIONS.contains(&code.code().as_str()) {
        raw.distinct >= 20 && raw.numbers.mean >= 500.0 && raw.numbers.endings.below_hundred <= 0.05
    } else {
        // Whole prices are round more often than by chance; where none is small and none is round, they are in the minor unit or nobody can tell.
        const BY_CHANCE: f64 = 0.2;
        matches!(raw.kind, ValueKind::Whole)
            && raw.distinct >= 100
            && raw.numbers.mean >= 5_000.0
            && raw.numbers.endings.below_hundred <= 0.005
            && raw.numbers.endings.of_prices <= BY_CHANCE
    };
    let is_open = is_whole(raw)
        && could_be_minor
        && land.amounts.is_none()
        && !is_called_minor(&raw.name)
        && evidence(land, currency, at).is_none()
        && of_the_same_export(land, currency, at).is_none();
    is_open.then(|| {
        format!(
            "whole numbers: {code} or its minor unit? Amounts read in the wrong one are wrong by a hundred, and so are limits. \
             `integrity init … --amounts minor` (or main) into an empty folder writes all of them so; here it is taken as {code}"
        )
    })
}

/// Why the cells of a column are no amounts as somebody paid them, though they are called so: figures that were scaled before the data were given away.
pub(super) fn is_scaled(raw: &RawColumn) -> Option<String> {
    /// No currency has more decimals, and prices of fuel and shares have a fourth.
    const MOST_DECIMALS: usize = 4;
    let rows = (raw.rows() - raw.nulls).max(1) as f64;
    let below = raw.numbers.negative.len() as f64 / rows;
    // What a sum of floats leaves behind is far smaller.
    let is_finer = |number: &&f64| (**number * 1e4 - (**number * 1e4).round()).abs() > 1e-3;
    let numbers = || raw.numbers.sample.iter().flatten();
    let is_fine = raw.numbers.decimals > MOST_DECIMALS && numbers().filter(is_finer).count() * 2 > numbers().count();
    let is_below = below > 0.5 && is_fine;
    let told = if is_below {
        format!("{:.0} % of its values are below zero, with", 100.0 * below)
    } else {
        "its values have".to_owned()
    };
    is_fine.then(|| {
        format!(
            "{told} up to {} decimals: scaled figures, it seems, and no amounts of money; write what was paid",
            raw.numbers.decimals
        )
    })
}

/// Minor units in one unit of a column, and what was guessed about that.
pub(super) fn minor_units(land: &Landscape, currency: Option<Currency>, at: ColumnAt) -> (i64, Option<String>) {
    let raw = land.column(at);
    if is_called_minor(&raw.name) {
        return (1, None);
    }
    let units = currency.map_or(100, |currency| currency.minor_units());
    let unknown = || "times 100, as of a currency with cents: say the currency in job.toml".to_owned();
    let otherwise = || currency.is_none().then(unknown);
    if units == 1 || !is_whole(raw) {
        return (units, otherwise());
    }
    match land.amounts {
        Some(AmountUnit::Minor) => return (1, None),
        Some(AmountUnit::Main) => return (units, otherwise()),
        None => {}
    }
    match evidence(land, currency, at) {
        Some(UnitEvidence { is_minor: true, why }) => return (1, Some(format!("{why}: taken as minor units"))),
        Some(UnitEvidence { is_minor: false, .. }) => return (units, otherwise()),
        None => {}
    }
    if let Some(why) = of_the_same_export(land, currency, at) {
        return (1, Some(format!("whole numbers, taken as minor units as {why}")));
    }
    let main = currency.map(|currency| {
        format!("whole numbers, taken as {currency}, not as its minor unit (for which: --amounts minor)")
    });
    (units, main.or_else(otherwise))
}

/// What tells of one column alone.
struct UnitEvidence {
    is_minor: bool,
    why: String,
}

fn evidence(land: &Landscape, currency: Option<Currency>, at: ColumnAt) -> Option<UnitEvidence> {
    let raw = land.column(at);
    let minor = |why: String| Some(UnitEvidence { is_minor: true, why });
    if let Some(said) = said_in_notes(land, &raw.name) {
        return Some(said);
    }
    if let Some(main) = &raw.numbers.hundredfold_of {
        return minor(format!("{:?} is a hundred times {main:?}", raw.name));
    }
    let has_fractions = currency.is_some_and(|c| PRICED_WITH_FRACTIONS.contains(&c.code().as_str()));
    (has_fractions && ends_as_prices(raw) && is_of_trade(land, at)).then(|| UnitEvidence {
        is_minor: true,
        why: "whole numbers that end as prices do (99, 00, 50), none of them below 100".to_owned(),
    })
}

/// Another amount of the same table, or of a folder without any decimals, whose own name, text or neighbour tells.
fn of_the_same_export(land: &Landscape, currency: Option<Currency>, at: ColumnAt) -> Option<String> {
    let tables = 0..land.folder.tables.len();
    let all: Vec<ColumnAt> = tables.flat_map(|table| amounts(land, table)).filter(|other| *other != at).collect();
    let called = |other: &ColumnAt| format!("{}.{} is", land.table(other.table).name, land.column(*other).name);
    let has_decimals = |other: &&ColumnAt| !is_whole(land.column(**other));
    let own = || all.iter().filter(|other| other.table == at.table);
    if own().any(|other| has_decimals(&other)) {
        return None;
    }
    let tells = |other: &&ColumnAt| {
        is_called_minor(&land.column(**other).name)
            || evidence(land, currency, **other).is_some_and(|said| said.is_minor)
    };
    // How prices end says nothing of what is lent.
    let is_sure = |other: &&ColumnAt| {
        let raw = land.column(**other);
        is_called_minor(&raw.name) || raw.numbers.hundredfold_of.is_some()
    };
    // What falls due in parts has odd cents, unless it is written without any.
    let is_of_book = |at: &ColumnAt| matches!(land.role(at.table), Some(C::Loan | C::Instalment | C::Payment));
    let is_odd = |other: &ColumnAt| {
        let raw = land.column(*other);
        is_of_book(other)
            && raw.distinct >= 20
            && raw.numbers.endings.of_prices < 0.9
            && raw.numbers.endings.below_hundred <= 0.05
    };
    let by_prices =
        || if is_of_book(&at) && all.iter().chain([&at]).any(is_odd) { all.iter().find(tells) } else { None };
    let elsewhere = || {
        if all.iter().any(|other| has_decimals(&other)) { None } else { all.iter().find(is_sure).or_else(by_prices) }
    };
    own().find(tells).or_else(elsewhere).map(called)
}

/// Columns of a table that say sums of money.
fn amounts<'a>(land: &'a Landscape, table: usize) -> impl Iterator<Item = ColumnAt> + use<'a> {
    const MONEY: [C; 11] = [
        C::Amount,
        C::Freight,
        C::Tax,
        C::Discount,
        C::Refund,
        C::Principal,
        C::Interest,
        C::Fee,
        C::Sales,
        C::Cost,
        C::Deposit,
    ];
    land.columns(table).filter(|at| {
        let name = land.column_name(*at);
        let is_other = [C::Id, C::Rate, C::Number, C::Quantity, C::Time].iter().any(|c| name.says(*c));
        land.column(*at).is_number() && !is_other && MONEY.iter().any(|c| name.says(*c))
    })
}

/// `amount_cents`, `amountCents`, `price_in_cent`, `total_minor`.
fn is_called_minor(name: &str) -> bool {
    let mut spaced = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase());
        before = c;
    }
    let is_minor = |word: &str| MINOR_WORDS.contains(&word) || word == "cent" || word == "分";
    spaced.split(|c: char| !c.is_alphabetic()).any(is_minor)
}

fn is_whole(raw: &RawColumn) -> bool {
    matches!(raw.kind, ValueKind::Whole) || raw.numbers.decimals == 0
}

fn ends_as_prices(raw: &RawColumn) -> bool {
    let ends = raw.numbers.endings;
    raw.distinct >= 20
        && raw.numbers.mean >= 500.0
        && ends.below_hundred <= 0.005
        && ends.of_prices >= 0.6
        && ends.just_below >= 0.15
}

/// Whether a table tells of orders or of what follows them.
fn is_of_trade(land: &Landscape, at: ColumnAt) -> bool {
    let role = land.role(at.table);
    matches!(role, Some(C::Order | C::Item | C::Dispute))
        || (role.is_none() && !land.candidates(at.table, &ORDERS, "placed_at", true).is_empty())
}

/// What the texts beside the data say of a column, or of all amounts.
fn said_in_notes(land: &Landscape, column: &str) -> Option<UnitEvidence> {
    let column = column.to_lowercase();
    let lines = || {
        land.folder.notes.iter().flat_map(|note| note.text.lines().map(move |line| (&note.file, line.to_lowercase())))
    };
    let says = |line: &str, phrases: &[&str]| phrases.iter().any(|phrase| line.contains(phrase));
    let unit = |line: &str| match (says(line, &MINOR_PHRASES), says(line, &MAIN_PHRASES)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    let names = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-')).any(|word| word == column)
    };
    let of_column =
        || lines().find_map(|(file, line)| names(&line).then(|| unit(&line)).flatten().map(|is| (file, is)));
    let of_all = || {
        lines().find_map(|(file, line)| says(&line, &ALL_AMOUNTS).then(|| unit(&line)).flatten().map(|is| (file, is)))
    };
    let (file, is_minor) = of_column().or_else(of_all)?;
    Some(UnitEvidence { is_minor, why: format!("{file} says so") })
}
