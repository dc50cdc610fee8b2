//! Words for the halves of the day in the languages that exports come in.

/// Words of the morning and of the afternoon, in small letters. Longer ones stand before those that they begin with.
const HALVES: [(&str, &str); 14] = [
    ("a. m.", "AM"),
    ("p. m.", "PM"),
    ("a.m.", "AM"),
    ("p.m.", "PM"),
    ("上午", "AM"),
    ("下午", "PM"),
    ("오전", "AM"),
    ("오후", "PM"),
    ("午前", "AM"),
    ("午後", "PM"),
    ("vorm.", "AM"),
    ("nachm.", "PM"),
    ("ÖÖ", "AM"),
    ("ÖS", "PM"),
];

/// A text in which the half of the day is written as in English; `None` where it has none in another way.
pub(crate) fn with_english_half(text: &str) -> Option<String> {
    // Blanks that no line breaks at stand between the letters, too.
    let plain = text.replace(['\u{a0}', '\u{202f}'], " ");
    let lower = plain.to_lowercase();
    HALVES.iter().find_map(|(word, half)| {
        let word = word.to_lowercase();
        let at = lower.find(&word).filter(|_| lower.len() == plain.len())?;
        Some(format!("{}{half}{}", plain.get(..at)?, plain.get(at + word.len()..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_the_day_are_read_in_several_languages() {
        for (text, english) in [
            ("08/06/2024 05:24:33 p.m.", Some("08/06/2024 05:24:33 PM")),
            ("08/06/2024 05:24:33 P. M.", Some("08/06/2024 05:24:33 PM")),
            ("08/06/2024 05:24 a.\u{a0}m.", Some("08/06/2024 05:24 AM")),
            ("2024/06/08 上午05:24:33", Some("2024/06/08 AM05:24:33")),
            ("2024-06-08 오후 5:24:33", Some("2024-06-08 PM 5:24:33")),
            ("2024-06-08 05:24 AM", None),
        ] {
            assert_eq!(with_english_half(text).as_deref(), english, "{text}");
        }
    }
}
