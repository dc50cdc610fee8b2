//! `[[feature]]`: one number a merchant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use crate::config::{ConfigError, ConfigFile};
use crate::features::{Guard, KINDS, Kind, Names, Params};
use crate::tiles::MeasureSpec;

/// What a feature describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Verification, tenure, deposits.
    Standing,
    /// Orders, turnover, growth.
    Trade,
    /// Promises of time.
    Fulfilment,
    /// Reviews, buyers.
    Customers,
    /// Disputes.
    Conflict,
    /// Past loans.
    CreditRecord,
    /// Suspect shares.
    Authenticity,
    /// The merchant against its category.
    Industry,
    /// Integrity capital.
    Capital,
}

impl Group {
    /// Every group by its word.
    pub const WORDS: [(&'static str, Self); 9] = [
        ("standing", Self::Standing),
        ("trade", Self::Trade),
        ("fulfilment", Self::Fulfilment),
        ("customers", Self::Customers),
        ("conflict", Self::Conflict),
        ("credit-record", Self::CreditRecord),
        ("authenticity", Self::Authenticity),
        ("industry", Self::Industry),
        ("capital", Self::Capital),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, group)| *group == self).map_or("", |(word, _)| word)
    }
}

/// Whether more of a feature makes a merchant safer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More is safer.
    HigherSafer,
    /// Less is safer.
    LowerSafer,
    /// Not known, or not monotone.
    Either,
}

impl Direction {
    /// Every direction by its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("higher-safer", Self::HigherSafer), ("lower-safer", Self::LowerSafer), ("either", Self::Either)];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, direction)| *direction == self).map_or("", |(word, _)| word)
    }
}

/// What a feature's number counts. The word stands in the feature's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Minor units of the job's currency.
    Minor,
    /// A part of a whole, 0 to 1.
    Share,
    /// A quotient without bounds.
    Ratio,
    /// Things.
    Count,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Stars, 1 to 5.
    Stars,
    /// A bounded change, −1 to 1.
    Trend,
    /// A difference of shares or trends, −1 to 1.
    Gap,
    /// A place on a scale.
    Level,
}

impl Unit {
    /// Every unit by its word.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("minor", Self::Minor),
        ("share", Self::Share),
        ("ratio", Self::Ratio),
        ("count", Self::Count),
        ("days", Self::Days),
        ("hours", Self::Hours),
        ("stars", Self::Stars),
        ("trend", Self::Trend),
        ("gap", Self::Gap),
        ("level", Self::Level),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, unit)| *unit == self).map_or("", |(word, _)| word)
    }
}

/// A checked feature.
#[derive(Debug, Clone)]
pub struct FeatureSpec {
    /// Its name: noun, statistic, window, unit.
    pub name: String,
    /// What it describes.
    pub group: Group,
    /// Whether more of it is safer.
    pub direction: Direction,
    /// What its number counts.
    pub unit: Unit,
    /// The kind's name in configuration.
    pub kind_name: &'static str,
    /// The formula.
    pub kind: Kind,
    /// When it is null for want of the merchant's own evidence: the guards of its kind, and the history asked for.
    pub guards: Vec<Guard>,
    /// Null for merchants registered fewer days ago: what is configured or what the formula needs, whichever is more.
    pub min_history_days: u16,
    /// Days of the window; `None` where the kind has none.
    pub window_days: Option<u16>,
    /// Models may learn from it and the index counts it; otherwise it is there for rules alone.
    pub is_scored: bool,
    /// What a reader of a reason is told that it is; `None` leaves it to the name.
    pub says: Option<String>,
    /// What it says about keeping promises.
    pub why: String,
    /// Author, year, page; or "project judgement".
    pub source: String,
}

impl FeatureSpec {
    /// Its formula with every parameter, and then every condition under which it is null.
    #[must_use]
    pub fn formula(&self, names: Names) -> String {
        let own = self.guards.iter().map(|guard| guard.words(names));
        let peers = self.kind.peer_guards();
        let conditions: Vec<String> = own.chain(peers.iter().map(|guard| guard.words(names))).collect();
        let formula = self.kind.formula(names);
        if conditions.is_empty() {
            formula
        } else {
            format!("{formula}; null where {}", conditions.join("; or where "))
        }
    }
}

/// A feature as written: every key is taken by whoever understands it.
pub(super) type RawFeature = Spanned<BTreeMap<String, Spanned<Value>>>;

/// Checks a feature against the measures declared.
pub(super) fn check(file: &ConfigFile, raw: RawFeature, measures: &[MeasureSpec]) -> Result<FeatureSpec, ConfigError> {
    let span = raw.span();
    let mut params = Params::new(file, span, raw.into_inner(), measures);
    let (name, name_span) = params.text("name")?;
    let name = crate::tiles::checked_name(file, &Spanned::new(name_span.clone(), name))?;
    let group = params.word("group", &Group::WORDS)?;
    let direction = params.word("direction", &Direction::WORDS)?;
    let unit = params.word("unit", &Unit::WORDS)?;
    let min_history_days = params.optional_days("min_history_days", 0)?.unwrap_or(0);
    let is_scored = !params.flag("rules_only")?;
    let says = params.optional_text("says")?;
    let (why, _) = params.text("why")?;
    let (source, _) = params.text("source")?;
    let kinds: Vec<(&str, usize)> = KINDS.iter().enumerate().map(|(n, (word, _))| (*word, n)).collect();
    let chosen = params.word("kind", &kinds)?;
    let Some((kind_name, make)) = KINDS.get(chosen).copied() else {
        return Err(params.refuse("unknown kind", "see the list of kinds"));
    };
    let kind = make(&mut params)?;
    params.finish(kind_name)?;

    let words: Vec<&str> = name.split('_').collect();
    let is_last = matches!(unit, Unit::Minor | Unit::Days | Unit::Hours | Unit::Stars);
    let has_unit = if is_last { words.last() == Some(&unit.word()) } else { words.contains(&unit.word()) };
    if !has_unit {
        let place = if is_last { "end with" } else { "hold" };
        let message = format!("feature {name:?} is in {}, but its name does not say so", unit.word());
        return Err(file.refuse(&name_span, message, format!("the name must {place} the word {:?}", unit.word())));
    }
    let windows = kind.window_words();
    if !windows.is_empty() && !windows.iter().any(|window| words.contains(&window.as_str())) {
        let message = format!("feature {name:?} looks at {}, but its name does not say so", windows.join(" or "));
        return Err(file.refuse(
            &name_span,
            message,
            format!("the name must hold the word {:?}", windows.join(" or ")),
        ));
    }
    let window_days = kind.named_days();
    let days = min_history_days.max(kind.history_days());
    let mut guards = kind.guards();
    guards.extend((days > 0).then_some(Guard::History { days }));
    Ok(FeatureSpec {
        name,
        group,
        direction,
        unit,
        kind_name,
        kind,
        guards,
        min_history_days: days,
        window_days,
        is_scored,
        says,
        why,
        source,
    })
}
