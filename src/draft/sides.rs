//! Reviews of both sides: where merchants rate buyers too, only what buyers wrote is a review of the contract.

use super::landscape::Landscape;
use super::names::Name;
use super::scope::Scope;
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::profile::{ColumnAt, ValueKind};

/// A column of sides has so many different words at most.
const MAX_SIDES: usize = 8;
/// A column that is called one and has words that are not known has so many at most.
const MAX_UNKNOWN_SIDES: usize = 4;

/// Who wrote a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Buyer,
    Merchant,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Buyer => Self::Merchant,
            Self::Merchant => Self::Buyer,
        }
    }
}

/// Words before the one who wrote, and before the one who is written of.
// `do` is Portuguese for the one and Polish for the other: it says neither.
const BY: [&str; 11] = ["by", "from", "von", "vom", "de", "da", "du", "par", "od", "por", "przez"];
const ABOUT: [&str; 15] =
    ["to", "on", "about", "of", "for", "an", "uber", "ueber", "para", "sobre", "o", "sur", "al", "au", "a"];
/// Words between one of these and the party, as in `by the seller`.
const ARTICLES: [&str; 11] = ["the", "den", "dem", "der", "die", "le", "la", "el", "il", "lo", "l"];
/// Words between them and the party that may mean either.
const UNCLEAR: [&str; 1] = ["do"];
/// Names of columns in which a side did something else than write or rate.
const OTHER_DEEDS: [&str; 12] = [
    "paid", "pays", "payer", "replied", "resolved", "closed", "cancelled", "canceled", "opened", "refunded", "shipped",
    "updated",
];
/// Names of columns that say who is written of.
const WRITTEN_OF: [&str; 16] = [
    "reviewable", "ratable", "reviewee", "ratee", "recipient", "receiver", "target", "subject", "reviewed", "rated",
    "about", "to", "bewerteter", "evaluado", "avaliado", "object",
];
/// Names of columns that say who wrote, or in which direction.
const WRITTEN_BY: [&str; 30] = [
    "by", "from", "reviewer", "rater", "author", "writer", "role", "side", "direction", "party", "sender", "giver",
    "given", "written", "left", "submitted", "posted", "created", "von", "autor", "rolle", "rol", "seite", "richtung",
    "verfasser", "auteur", "autore", "sens", "lado", "strona",
];

/// Takes only the rows that buyers wrote; where a column tells the side in words that are not known, a person must say.
pub(super) fn buyers_only(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let is_told = |at: &ColumnAt| may_tell(land, *at, MAX_SIDES) && is_called_side(land, *at);
    let told = land.columns(scope.driver).filter(is_told).find_map(|at| {
        let words = || land.column(at).words.keys().map(String::as_str);
        let by = |side: Side| words().filter(|word| author(land, at, word) == Some(side)).collect::<Vec<_>>();
        let (buyers, merchants) = (by(Side::Buyer), by(Side::Merchant));
        (!buyers.is_empty() && !merchants.is_empty()).then_some((at, buyers, merchants))
    });
    if let Some((at, buyers, merchants)) = told {
        let cells = land.column(at);
        let name = scope.column_name(at);
        let rows = cells.rows() - cells.rows_with(&buyers);
        draft.skip(Skipped {
            why: format!(
                "{rows} row(s) of which {name} says {} or another than {} were not written by buyers: they are no reviews of a merchant.",
                words::listed(&merchants),
                words::listed(&buyers)
            ),
            keeps: format!("{} IN ({})", scope.id_of(at, &scope.bare(at)), words::listed(&buyers)),
            share: rows as f64 / cells.rows().max(1) as f64,
        });
        return;
    }
    let names_both = |at: ColumnAt| {
        let sides: Vec<Side> = land.column(at).words.keys().filter_map(|word| side_of(word)).collect();
        sides.contains(&Side::Buyer) && sides.contains(&Side::Merchant)
    };
    let unclear = land.columns(scope.driver).find(|at| {
        may_tell(land, *at, MAX_UNKNOWN_SIDES)
            && (is_called_side(land, *at) || names_both(*at) && !is_of_another_deed(land, *at))
    });
    if let Some(at) = unclear {
        let all: Vec<&str> = land.column(at).words.keys().map(String::as_str).collect();
        // One side alone, and it is the buyers'.
        if all.iter().all(|word| author(land, at, word) == Some(Side::Buyer)) {
            return;
        }
        let name = scope.column_name(at);
        let why = format!(
            "{name} seems to say who wrote a review, in the words {}: which of them are buyers? Only their rows are reviews; name them in a where of the \
             source in job.toml, such as where = \"{} IN ('…')\"",
            words::listed(&all),
            scope.bare(at).replace('"', "\\\"")
        );
        draft.doubt("buyer_id", &why);
    }
}

/// Whether a column has the few words that sides have.
fn may_tell(land: &Landscape, at: ColumnAt, most: usize) -> bool {
    let cells = land.column(at);
    let names_something = land.named.contains_key(&at) || land.folder.references.iter().any(|r| r.from == at);
    cells.kind == ValueKind::Text && (1..=most).contains(&cells.words.len()) && !cells.is_list && !names_something
}

/// The words of a name or a cell, where `camelCase` is two.
fn words_of(text: &str) -> Vec<String> {
    let mut parted = String::new();
    let mut was_small = false;
    for letter in text.chars() {
        if was_small && letter.is_uppercase() {
            parted.push(' ');
        }
        was_small = letter.is_lowercase();
        parted.push(letter);
    }
    let lower: String = parted.to_lowercase().chars().map(crate::profile::without_accent).collect();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

/// Whether a column's name says that a side did something else than write.
fn is_of_another_deed(land: &Landscape, at: ColumnAt) -> bool {
    words_of(&land.column(at).name).iter().any(|word| OTHER_DEEDS.contains(&word.as_str()))
}

/// Whether a column's name says that it tells the side, and not a person or a time.
fn is_called_side(land: &Landscape, at: ColumnAt) -> bool {
    let words = words_of(&land.column(at).name);
    let is_one_of = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
    let is_other =
        [C::Time, C::Channel, C::Region, C::Country, C::Product].iter().any(|c| land.column_name(at).says(*c));
    (is_one_of(&WRITTEN_BY) || is_one_of(&WRITTEN_OF)) && !is_other && !is_of_another_deed(land, at)
}

/// Who wrote what a word of a column of sides marks.
fn author(land: &Landscape, at: ColumnAt, word: &str) -> Option<Side> {
    author_by(&land.column(at).name, word)
}

/// The same by the column's name.
fn author_by(name: &str, word: &str) -> Option<Side> {
    let names = words_of(name);
    let is_one_of = |of: &[&str]| names.iter().any(|name| of.contains(&name.as_str()));
    let said = side_of(word)?;
    // `rated_by` says who wrote, `rated` who is written of.
    let is_of_target = is_one_of(&WRITTEN_OF) && !is_one_of(&["by", "from", "von", "par", "por"]);
    let has_direction = words_of(word).iter().any(|w| BY.contains(&w.as_str()) || ABOUT.contains(&w.as_str()));
    Some(if is_of_target && !has_direction { said.other() } else { said })
}

/// Who wrote, by a word such as `seller`, `by_client` or `buyer_to_seller`.
fn side_of(word: &str) -> Option<Side> {
    let words = words_of(word);
    let party = |word: &str| {
        let name = Name::of(word);
        match (name.says(C::Merchant) || name.says(C::Worker), name.says(C::Buyer)) {
            (true, false) => Some(Side::Merchant),
            (false, true) => Some(Side::Buyer),
            _ => None,
        }
    };
    let mut first = None;
    for (at, word) in words.iter().enumerate() {
        let Some(side) = party(word) else { continue };
        let earlier = |back: usize| at.checked_sub(back).and_then(|n| words.get(n)).map_or("", String::as_str);
        let before = if ARTICLES.contains(&earlier(1)) { earlier(2) } else { earlier(1) };
        if UNCLEAR.contains(&before) {
            return None;
        }
        if BY.contains(&before) {
            return Some(side);
        }
        let is_about = ABOUT.contains(&before) || before == "2";
        first = first.or(Some(if is_about { side.other() } else { side }));
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_who_wrote() {
        for (word, expected) in [
            ("seller", Some(Side::Merchant)),
            ("BUYER", Some(Side::Buyer)),
            ("client", Some(Side::Buyer)),
            ("freelancer", Some(Side::Merchant)),
            ("buyer_to_seller", Some(Side::Buyer)),
            ("seller->buyer", Some(Side::Merchant)),
            ("to_seller", Some(Side::Buyer)),
            ("left by the seller", Some(Side::Merchant)),
            ("kunde", Some(Side::Buyer)),
            ("sprzedawca", Some(Side::Merchant)),
            ("an den Verkäufer", Some(Side::Buyer)),
            ("al vendedor", Some(Side::Buyer)),
            ("do sprzedawcy", None),
            ("A", None),
        ] {
            assert_eq!(side_of(word), expected, "{word}");
        }
    }

    #[test]
    fn columns_of_who_is_written_of_are_turned_round() {
        for (column, expected) in [
            ("reviewer_role", Side::Merchant),
            ("given_by", Side::Merchant),
            ("rated_by", Side::Merchant),
            ("reviewee_role", Side::Buyer),
            ("revieweeType", Side::Buyer),
            ("target", Side::Buyer),
        ] {
            assert_eq!(author_by(column, "seller"), Some(expected), "{column}");
        }
    }
}
