//! Names of months in the languages that exports come in.

/// Names, with the number of the month: Spanish, Portuguese, French, German and Italian, in lowercase; and their short forms.
const FULL: [(&str, usize); 57] = [
    ("enero", 1),
    ("febrero", 2),
    ("marzo", 3),
    ("abril", 4),
    ("mayo", 5),
    ("junio", 6),
    ("julio", 7),
    ("agosto", 8),
    ("septiembre", 9),
    ("setiembre", 9),
    ("octubre", 10),
    ("noviembre", 11),
    ("diciembre", 12),
    ("janeiro", 1),
    ("fevereiro", 2),
    ("março", 3),
    ("marco", 3),
    ("maio", 5),
    ("junho", 6),
    ("julho", 7),
    ("setembro", 9),
    ("outubro", 10),
    ("novembro", 11),
    ("dezembro", 12),
    ("janvier", 1),
    ("février", 2),
    ("fevrier", 2),
    ("mars", 3),
    ("avril", 4),
    ("mai", 5),
    ("juin", 6),
    ("juillet", 7),
    ("août", 8),
    ("aout", 8),
    ("septembre", 9),
    ("octobre", 10),
    ("décembre", 12),
    ("decembre", 12),
    ("januar", 1),
    ("jänner", 1),
    ("februar", 2),
    ("märz", 3),
    ("maerz", 3),
    ("juni", 6),
    ("juli", 7),
    ("oktober", 10),
    ("dezember", 12),
    ("gennaio", 1),
    ("febbraio", 2),
    ("aprile", 4),
    ("maggio", 5),
    ("giugno", 6),
    ("luglio", 7),
    ("settembre", 9),
    ("ottobre", 10),
    ("dicembre", 12),
    ("novembre", 11),
];
const SHORT: [(&str, usize); 30] = [
    ("ene", 1),
    ("janv", 1),
    ("gen", 1),
    ("fev", 2),
    ("fév", 2),
    ("févr", 2),
    ("fevr", 2),
    ("mär", 3),
    ("mrz", 3),
    ("abr", 4),
    ("avr", 4),
    ("mag", 5),
    ("giu", 6),
    ("lug", 7),
    ("juil", 7),
    ("ago", 8),
    ("aoû", 8),
    ("set", 9),
    ("sept", 9),
    ("out", 10),
    ("okt", 10),
    ("ott", 10),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("may", 5),
    ("jun", 6),
    ("jul", 7),
    ("oct", 10),
    ("nov", 11),
];
const ENGLISH: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];

/// A text in which names of months are English; `None` where it has none of another language.
pub(super) fn in_english(text: &str) -> Option<String> {
    let mut english = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut found = false;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(if end == 0 { first.len_utf8() } else { end });
        rest = after;
        let lower = word.to_lowercase();
        let named = |names: &[(&str, usize)]| names.iter().find(|(name, _)| *name == lower).map(|(_, month)| *month);
        let english_of = |month: usize| ENGLISH.get(month - 1).copied().unwrap_or_default();
        if let Some(month) = named(&FULL) {
            english.push_str(english_of(month));
            found = true;
        } else if let Some(month) = named(&SHORT) {
            english.push_str(english_of(month).get(..3).unwrap_or_default());
            // `14 sept. 2023`
            rest = rest.strip_prefix('.').unwrap_or(rest);
            found = true;
        } else {
            english.push_str(word);
        }
    }
    found.then_some(english)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_several_languages_are_read() {
        for (text, english) in [
            ("14 de marzo de 2024", "14 de March de 2024"),
            ("3 septiembre 2023 10:05", "3 September 2023 10:05"),
            ("14 sept. 2023", "14 Sep 2023"),
            ("1. März 2024", "1. March 2024"),
            ("2 août 2024", "2 August 2024"),
            ("05/dez/2023", "05/Dec/2023"),
            ("7 MAI 2024", "7 May 2024"),
        ] {
            assert_eq!(in_english(text).as_deref(), Some(english));
        }
        assert_eq!(in_english("5 March 2024 09:00"), None);
        assert_eq!(in_english("2024年3月14日"), None);
    }
}
