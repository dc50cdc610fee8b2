//! Ratings: the contract has one to five stars, exports have ten or a hundred points too.

use super::scope::{Piece, Scope};
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// What the best rating of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Best {
    Five,
    Ten,
    Hundred,
}

/// Of fewer ratings the highest need not be the best.
const MANY_RATINGS: usize = 50;

/// The scale of ratings, where name or numbers show it.
fn best(raw: &RawColumn) -> Option<Best> {
    const TEN: [&str; 7] = ["10", "ten", "nps", "zehn", "dix", "dez", "diez"];
    const HUNDRED: [&str; 6] = ["100", "hundred", "percent", "pct", "prozent", "%"];
    let (lowest, highest) = raw.numbers.range;
    let lower = raw.name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '%').collect();
    let is_called = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let is_shown = |best: f64| raw.rows() - raw.nulls >= MANY_RATINGS && (highest - best).abs() < f64::EPSILON;
    match () {
        () if lowest < 0.0 || highest > 100.0 => None,
        () if is_called(&HUNDRED) => Some(Best::Hundred),
        () if highest <= 10.0 && is_called(&TEN) => Some(Best::Ten),
        () if highest <= 5.0 => Some(Best::Five),
        () if is_shown(10.0) => Some(Best::Ten),
        () if is_shown(100.0) => Some(Best::Hundred),
        () => None,
    }
}

/// Whether a column gives one to five stars as they are; single cells may be errors.
pub(super) fn are_stars(raw: &RawColumn) -> bool {
    let all: usize = raw.words.values().sum();
    let is_star = |word: &str| word.parse::<f64>().is_ok_and(|n| (0.0..=5.0).contains(&n));
    let stars: usize = raw.words.iter().filter(|(word, _)| is_star(word)).map(|(_, rows)| rows).sum();
    raw.is_number() && all > 0 && stars as f64 >= 0.97 * all as f64
}

/// Whether a column that is called so can be ratings of any scale.
pub(super) fn are_ratings(raw: &RawColumn) -> bool {
    are_stars(raw)
        || best_beside(raw).is_some()
        || (raw.is_number() && raw.numbers.range.0 >= 0.0 && raw.numbers.range.1 <= 100.0 && raw.numbers.range.1 > 1.0)
}

/// The best rating where every cell says it: `4/5`.
fn best_beside(raw: &RawColumn) -> Option<Best> {
    let of = |best: &str| {
        let is_one = |word: &String| {
            word.split_once('/').is_some_and(|(own, of)| of.trim() == best && own.trim().parse::<f64>().is_ok())
        };
        raw.kind == ValueKind::Text && !raw.words.is_empty() && raw.words.keys().all(is_one)
    };
    [("5", Best::Five), ("10", Best::Ten)].into_iter().find(|(best, _)| of(best)).map(|(_, best)| best)
}

/// Why nobody can say what a rating is worth, where the scale does not show.
pub(super) fn doubt(raw: &RawColumn, cell: &str) -> Option<String> {
    let (lowest, highest) = raw.numbers.range;
    (!are_stars(raw) && best(raw).is_none()).then(|| {
        format!(
            "{cell} has ratings from {lowest} to {highest}, and nothing says what the best one is: bring them to 1 to 5, e.g. ROUND(x / 2) where it is 10"
        )
    })
}

/// Whether ratings below one are more than single errors.
fn begins_at_zero(raw: &RawColumn) -> bool {
    const ERRORS: f64 = 0.005;
    let numbers: Vec<f64> = raw.numbers.sample.iter().flatten().copied().collect();
    let below = numbers.iter().filter(|number| (0.0..1.0).contains(*number)).count();
    raw.numbers.range.0 >= 0.0 && below as f64 > ERRORS * numbers.len() as f64
}

/// Whole stars of a rating.
pub(super) fn in_five(scope: &Scope, at: ColumnAt, sql: &str) -> Piece {
    let raw = scope.land.column(at);
    if let Some(best) = best_beside(raw) {
        let divisor = if best == Best::Ten { " / 2" } else { "" };
        let number = format!("TRY_CAST(SPLIT_PART({sql}, '/', 1) AS DOUBLE)");
        let made = format!("TRY_CAST(ROUND({number}{divisor}) AS BIGINT)");
        return Piece::guess(scope.as_written(&made, at, sql), "what stands before the stroke");
    }
    let best = if are_stars(raw) { Some(Best::Five) } else { best(raw) };
    let (divisor, note) = match best {
        None | Some(Best::Five) if begins_at_zero(raw) => {
            ("", Some("ratings begin at 0, which may say that nobody rated"))
        }
        None | Some(Best::Five) if matches!(raw.kind, ValueKind::Whole) => return Piece::sure(sql),
        None | Some(Best::Five) if raw.has_fractions() => ("", Some("halves are rounded up")),
        None | Some(Best::Five) => ("", None),
        Some(Best::Ten) => (" / 2", Some("ratings of 10, halved")),
        Some(Best::Hundred) => (" / 20", Some("ratings of 100, divided by 20")),
    };
    let number = scope.number(at, sql);
    let made = match note {
        // Nine of ten are five stars, not the even number of 4.5; the worst rating is one.
        Some(_) => format!(
            "CASE WHEN {number} >= 0 AND {number}{divisor} < 1 THEN 1 ELSE TRY_CAST(FLOOR({number}{divisor} + 0.5) AS BIGINT) END"
        ),
        None => format!("TRY_CAST(ROUND({number}) AS BIGINT)"),
    };
    Piece { sql: scope.as_written(&made, at, sql), note: note.map(|note| format!("{note}; the worst is one star")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, ratings: &[f64]) -> RawColumn {
        let texts: Vec<String> = ratings.iter().cycle().take(60).map(ToString::to_string).collect();
        RawColumn::of_texts(name, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn the_scale_is_that_of_the_name_or_of_the_highest() {
        for (name, ratings, expected) in [
            ("rating", &[1.0, 3.0, 5.0][..], Some(Best::Five)),
            ("rating", &[1.0, 7.0, 10.0], Some(Best::Ten)),
            ("rating", &[20.0, 80.0, 100.0], Some(Best::Hundred)),
            ("score_pct", &[3.0, 80.0], Some(Best::Hundred)),
            ("score_10", &[3.0, 9.0], Some(Best::Ten)),
            ("rating", &[1.0, 7.0, 8.0], None),
            ("rating", &[-1.0, 7.0, 10.0], None),
        ] {
            let raw = column(name, ratings);
            assert_eq!(best(&raw), expected, "{name} {ratings:?}");
            assert_eq!(doubt(&raw, "x").is_some(), expected.is_none(), "{name} {ratings:?}");
        }
    }
}
