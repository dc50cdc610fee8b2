//! Names of tables and columns, taken apart into what they mean.

use std::collections::BTreeSet;

use super::vocabulary::{Concept, VOCABULARY};
use crate::profile::{Digits, is_accent, without_accent};

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// What its words mean.
    pub concepts: BTreeSet<Concept>,
    /// Words that mean nothing here.
    pub unknown: usize,
}

impl Name {
    /// Takes a name apart: `OrderPurchaseTS`, `order_purchase_ts`, `bestelldatum` and `订单时间` alike.
    pub(super) fn of(name: &str) -> Self {
        // `amount.$numberDecimal` says how a field is written, and not what it is.
        let name = name.split(".$").next().unwrap_or(name);
        let mut concepts = BTreeSet::new();
        let mut unknown = 0;
        let words = words(name);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let pair = words.get(at + 1).map(|next| format!("{word} {next}"));
            if let Some(found) = pair.as_deref().map(meanings).filter(|found| !found.is_empty()) {
                concepts.extend(found);
                at += 2;
                continue;
            }
            let found = understood(word);
            unknown += usize::from(found.is_empty());
            concepts.extend(found);
            at += 1;
        }
        Self { concepts, unknown }
    }

    /// Whether it means that.
    pub(super) fn says(&self, concept: Concept) -> bool {
        self.concepts.contains(&concept)
    }

    /// What digits alone are under this name.
    pub(super) fn digits(&self) -> Digits {
        use Concept as C;
        const TIMES: [Concept; 13] = [
            C::Time,
            C::Placed,
            C::Created,
            C::Opened,
            C::Due,
            C::Disbursed,
            C::Registered,
            C::Joined,
            C::Left,
            C::Closed,
            C::Delivered,
            C::Shipped,
            C::Recorded,
        ];
        const NUMBERS: [Concept; 13] = [
            C::Term,
            C::Number,
            C::Id,
            C::Amount,
            C::Quantity,
            C::PostCode,
            C::Principal,
            C::Interest,
            C::Rate,
            C::Fee,
            C::Cost,
            C::Sales,
            C::Stars,
        ];
        if [C::Term, C::Number].iter().any(|c| self.says(*c)) {
            Digits::AreNumbers
        } else if self.says(C::Month) {
            // `202406`, and how many months.
            Digits::MayBeTimes
        } else if TIMES.iter().any(|c| self.says(*c)) {
            Digits::AreTimes
        } else if NUMBERS.iter().any(|c| self.says(*c)) {
            Digits::AreNumbers
        } else {
            Digits::MayBeTimes
        }
    }
}

/// All that a word means, alone or taken apart; an umlaut may be written out: `Ruecklastschrift`, `gekuendigt`.
fn understood(word: &str) -> Vec<Concept> {
    // Fields that a company added to its ERP begin so.
    let word = word.strip_prefix("zz").filter(|rest| !rest.is_empty()).unwrap_or(word);
    let known = |word: &str| Some(meanings(word)).filter(|found| !found.is_empty()).unwrap_or_else(|| parts(word));
    let found = known(word);
    let without_umlauts = word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    if found.is_empty() && without_umlauts != word { known(&without_umlauts) } else { found }
}

/// All that a word means: `pago` is a payment and paid.
fn meanings(word: &str) -> Vec<Concept> {
    let is_meant = |words: &[&str]| words.iter().any(|known| is_form_of(word, known));
    let found: Vec<Concept> =
        VOCABULARY.iter().filter(|(_, words)| words.contains(&word)).map(|(concept, _)| *concept).collect();
    if !found.is_empty() {
        return found;
    }
    VOCABULARY.iter().filter(|(_, words)| is_meant(words)).map(|(concept, _)| *concept).collect()
}

/// Whether a word is a known one with the ending of a plural or a case: `sellers`, `filialen`, `kredite`.
fn is_form_of(word: &str, known: &str) -> bool {
    let endings = ["s", "es", "e", "n", "en", "er", "i"];
    let long_enough = known.chars().count() >= 3;
    long_enough
        && word
            .strip_prefix(known)
            .is_some_and(|ending| ending == "s" || (known.len() > 3 && endings.contains(&ending)))
}

/// A word written together, such as `orderid`, `bestelldatum` or `订单金额`, as known words from end to end; empty where it is not. In scripts without spaces
/// between words, the known ones among others: `经营类目` speaks of a category.
fn parts(word: &str) -> Vec<Concept> {
    let is_long_enough = |word: &&str| word.chars().count() > 1 || !word.is_ascii();
    let known: Vec<&str> =
        VOCABULARY.iter().flat_map(|(_, words)| words.iter().copied()).filter(is_long_enough).collect();
    let whole = split(word, &known, 4);
    let among = || if word.chars().any(is_unspaced) { among(word, &known) } else { Vec::new() };
    whole.unwrap_or_else(among).into_iter().flat_map(meanings).collect()
}

/// Whether a letter is of a script that writes words together.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{0e00}'..='\u{0e7f}')
}

/// Known words in a text, each the longest at its place.
fn among<'a>(word: &str, known: &[&'a str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let longest = known.iter().filter(|w| rest.starts_with(**w)).max_by_key(|w| w.len());
        found.extend(longest);
        let step = longest.map_or_else(|| rest.chars().next().map_or(1, char::len_utf8), |w| w.len());
        rest = rest.get(step..).unwrap_or_default();
    }
    found
}

/// Known words that make up a text from end to end, at most so many, the longest first.
fn split<'a>(rest: &str, known: &[&'a str], depth: usize) -> Option<Vec<&'a str>> {
    if rest.is_empty() {
        return Some(Vec::new());
    }
    if depth == 0 {
        return None;
    }
    let mut fitting: Vec<&&str> = known.iter().filter(|w| rest.starts_with(**w)).collect();
    fitting.sort_by_key(|w| std::cmp::Reverse(w.len()));
    fitting.into_iter().find_map(|word| {
        let after = rest.strip_prefix(*word)?;
        // A linking letter, as in `bestellungsdatum` or `orders`.
        [after, after.strip_prefix('s').unwrap_or(after)].into_iter().find_map(|after| {
            let mut tail = split(after, known, depth - 1)?;
            tail.insert(0, word);
            Some(tail)
        })
    })
}

/// Lowercase words without accents: split at signs, digits and capitals.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    let letters: Vec<char> = name.chars().filter(|c| !is_accent(*c)).collect();
    for (at, &c) in letters.iter().enumerate() {
        if c.is_alphabetic() {
            let after_is_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
            let begins = !before.is_alphabetic() || (c.is_uppercase() && (before.is_lowercase() || after_is_lower));
            if begins || words.is_empty() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase().filter(|c| !is_accent(*c)).map(without_accent));
            }
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use Concept as C;

    fn concepts(name: &str) -> Vec<C> {
        Name::of(name).concepts.into_iter().collect()
    }

    #[test]
    fn how_a_field_is_written_is_no_part_of_its_name() {
        assert_eq!(concepts("amount.$numberDecimal"), concepts("amount"));
        assert_eq!(concepts("_id.$oid"), concepts("_id"));
        assert_eq!(concepts("ZZLIFNR"), concepts("LIFNR"));
    }

    #[test]
    fn one_meaning_in_many_spellings() {
        for name in [
            "order_date",
            "OrderDate",
            "ORDER DATE",
            "orderdate",
            "data_pedido",
            "fecha_pedido",
            "bestelldatum",
            "Bestell-Datum",
            "订单日期",
            "SİPARİŞ TARİHİ",
            "Sipariş Tarihi",
            "주문일자",
        ] {
            assert_eq!(concepts(name), [C::Order, C::Time], "{name}");
        }
        assert_eq!(concepts("RuecklastschriftAm"), concepts("Rücklastschrift am"));
        assert!(concepts("RuecklastschriftAm").contains(&C::Time));
        assert_eq!(concepts("order_estimated_delivery_date"), [C::Order, C::Time, C::Delivered, C::Estimated]);
        assert_eq!(concepts("seller_id"), [C::Merchant, C::Id]);
        assert_eq!(Name::of("xyzzy_id").unknown, 1);
        assert!(concepts("pago").contains(&C::Paid) && concepts("pago").contains(&C::Payment));
    }

    #[test]
    fn digits_are_times_only_under_a_name_of_time() {
        for (name, digits) in [
            ("created_ts", Digits::AreTimes),
            ("AUSZAHLUNG", Digits::AreTimes),
            ("amount", Digits::AreNumbers),
            ("term_months", Digits::AreNumbers),
            ("Report Month", Digits::MayBeTimes),
            ("order_id", Digits::AreNumbers),
            ("xyzzy", Digits::MayBeTimes),
        ] {
            assert_eq!(Name::of(name).digits(), digits, "{name}");
        }
    }
}
