//! Letters as names are compared by.

/// A lowercase letter without its accent.
pub(crate) const fn without_accent(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ą' | 'ă' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'ů' => 'u',
        'ç' | 'č' | 'ć' => 'c',
        'ñ' | 'ń' => 'n',
        'š' | 'ś' | 'ş' => 's',
        'ž' | 'ź' | 'ż' => 'z',
        'ğ' => 'g',
        'ř' => 'r',
        'ł' => 'l',
        'ý' => 'y',
        other => other,
    }
}

/// Whether a character is a sign over, under or beside a letter that is no letter itself: accents, points of vowels, marks of tones.
pub(crate) const fn is_mark(c: char) -> bool {
    is_accent(c)
        || matches!(c, '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{94d}' | '\u{9cd}' | '\u{e47}'..='\u{e4e}')
}

/// Whether a character is an accent alone, set over the letter before it: what lowercasing makes of `İ`, and files of some systems of every accent.
pub(crate) const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}
