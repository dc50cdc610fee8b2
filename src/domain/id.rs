//! What an identifier that somebody sends by day may be.

/// Characters of an identifier, at most: a digest has 64, a mail address 254 (project judgement).
const MAX_CHARS: usize = 256;

/// Why a text names nothing; `None` where it may be an identifier.
#[must_use]
pub fn id_fault(id: &str) -> Option<String> {
    let (length, control) = (id.chars().count(), id.chars().find(|c| c.is_control()));
    if id.trim().is_empty() {
        Some("is empty".to_owned())
    } else if length > MAX_CHARS {
        Some(format!("has {length} characters; an identifier has {MAX_CHARS} at most"))
    } else {
        control.map(|c| format!("holds the control character {c:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_endless_and_unprintable_texts_name_nothing() {
        let longest = "é".repeat(MAX_CHARS);
        for (id, fault) in [
            ("m-1", None),
            ("商户 12", None),
            (longest.as_str(), None),
            (&format!("{longest}x"), Some("257 characters")),
            (" ", Some("empty")),
            ("m\0", Some("'\\0'")),
            ("m\n1", Some("'\\n'")),
        ] {
            let found = id_fault(id);
            assert_eq!(found.is_some(), fault.is_some(), "{id:?}: {found:?}");
            assert!(fault.is_none_or(|words| found.is_some_and(|found| found.contains(words))), "{id:?}");
        }
    }
}
