//! A scorecard as one SQL query: values, bins, points, score, PD and band.
//!
//! ```text
//! relation ── value_k ──▶ bin_k (CASE) ──▶ points_k (CASE) ──▶ score ──▶ pd_prob, band
//! ```
//!
//! One step a common table expression, so that each can be read and queried by itself. Only the columns that are asked for are carried
//! through, by name: no column of the table can be mistaken for one of the query's own.
//!
//! It answers as [`Scorecard::score`] and `integrity apply` do: null and NaN are missing; special values come before edges; words that mean "no value"
//! are missing unless they are a level; levels that training never saw take the stated fallback. An infinite value, which scoring refuses,
//! gives a null score. Two things an engine must bring along: numbers in columns of numbers (dates as days since 1970-01-01) and text or whole
//! numbers in columns of levels. PDs agree to the last digits only, because engines compute `EXP` each in their own way.

use std::fmt::Write as _;

use super::error::DocumentError;
use super::sql_text::{comment, literal, number, quoted};
use crate::model::binning::{BinKind, Bins};
use crate::model::calibration::CalibrationMap;
use crate::model::table::number_as_text;
use crate::model::{PairTable, Scorecard};
use crate::workbench::table::MISSING_WORDS;

/// What the query reads and carries through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlSource {
    /// The table or view; quoted as it stands.
    pub relation: String,
    /// Columns to carry through, such as an id.
    pub keep: Vec<String>,
}

/// Columns the query adds, beside `points_1`, `points_2`, … of variables, then tables.
const OWN: [&str; 3] = ["score", "pd_prob", "band"];

/// Writes the query. It returns the columns kept, the points of each variable and table, `score`, `pd_prob` and `band`.
///
/// # Errors
/// Names that SQL cannot carry, columns to keep that are named twice or like the query's own, or a scorecard whose parts do not fit each other.
pub fn export_sql(card: &Scorecard, source: &SqlSource) -> Result<String, DocumentError> {
    check(card)?;
    let names = Names::new(source)?;
    let kept: Vec<String> = source.keep.iter().map(|name| quoted(name)).collect::<Result<_, _>>()?;
    let mut values = kept.clone();
    let mut bins = kept.clone();
    let mut points = kept.clone();
    for (i, variable) in card.variables.iter().enumerate() {
        let k = i + 1;
        values.push(format!("{} AS value_{k}", value(&variable.bins)?));
        bins.push(format!("{} AS bin_{k}", bin_case(&variable.bins, &format!("value_{k}"))));
        points.push(format!("{} AS points_{k}", main_case(&variable.points, &format!("bin_{k}"))));
    }
    let variables = card.variables.len();
    points.extend(
        card.tables.iter().enumerate().map(|(i, t)| format!("{} AS points_{}", pair_case(t), variables + i + 1)),
    );
    let [values, bins, points] = [values, bins, points].map(|list| list.join(",\n    "));
    let own: Vec<String> = (1..=variables + card.tables.len()).map(|k| format!("points_{k}")).collect();
    let through = [kept, own.clone()].concat().join(", ");
    let relation = quoted(&source.relation)?;
    let [valued, binned, pointed, scored, raw] = &names.steps;
    let mut text = header(card);
    let _ = write!(
        text,
        "WITH {valued} AS (\n  SELECT\n    {values}\n  FROM {relation}\n),\n\
         {binned} AS (\n  SELECT\n    {bins}\n  FROM {valued}\n),\n\
         {pointed} AS (\n  SELECT\n    {points}\n  FROM {binned}\n),\n\
         {scored} AS (\n  SELECT {through},\n    {} + {} AS score\n  FROM {pointed}\n),\n\
         {raw} AS (\n  SELECT {through}, score,\n    {} AS raw_pd\n  FROM {scored}\n)\n\
         SELECT {through}, score,\n  {} AS pd_prob,\n  {} AS band\nFROM {raw}\n",
        card.base_points,
        own.join(" + "),
        raw_pd(card),
        stated_pd(card),
        band_case(card),
    );
    Ok(text)
}

/// Names of the steps that clash with nothing the caller named.
struct Names {
    steps: [String; 5],
}

impl Names {
    fn new(source: &SqlSource) -> Result<Self, DocumentError> {
        let mut seen: Vec<String> = Vec::new();
        for name in &source.keep {
            let lower = name.to_lowercase();
            let refuse = |reason| Err(DocumentError::BadName { name: name.clone(), reason });
            // Engines compare even quoted names without regard to case.
            if seen.contains(&lower) {
                return refuse("it is kept twice");
            }
            let numbered = ["value_", "bin_", "points_"]
                .iter()
                .any(|p| lower.strip_prefix(p).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())));
            if OWN.contains(&lower.as_str()) || lower == "raw_pd" || numbered {
                return refuse("the query has a column of that name itself; keep it under another name");
            }
            seen.push(lower);
        }
        let relation = source.relation.to_lowercase();
        let free = |name: &str| if relation == name { format!("{name}_") } else { name.to_owned() };
        Ok(Self { steps: ["valued", "binned", "pointed", "scored", "raw"].map(free) })
    }
}

fn header(card: &Scorecard) -> String {
    let mut text = String::from(
        "-- Points of a scorecard; a higher score is safer.\n-- Columns of numbers hold plain numbers: of cells such as '13.56%' or '$1,234.00' it is 13.56 and 1234.\n",
    );
    for (k, variable) in card.variables.iter().enumerate() {
        let _ = writeln!(text, "-- points_{}: {}", k + 1, comment(&variable.bins.name));
    }
    let name = |i: usize| card.variables.get(i).map_or("", |v| v.bins.name.as_str());
    for (k, table) in card.tables.iter().enumerate() {
        let both = format!("{} with {}", name(table.left), name(table.right));
        let _ = writeln!(text, "-- points_{}: {}", card.variables.len() + k + 1, comment(&both));
    }
    text
}

pub(super) fn check(card: &Scorecard) -> Result<(), DocumentError> {
    let broken = |part: &str, reason| Err(DocumentError::BrokenScorecard { part: part.to_owned(), reason });
    if card.variables.is_empty() {
        return broken("the scorecard", "it has no variable");
    }
    for variable in &card.variables {
        let n = variable.bins.bins.len();
        let unseen = match &variable.bins.kind {
            BinKind::Number { .. } => 0,
            BinKind::Text { unseen, .. } => *unseen,
        };
        let inside = variable.bins.specials.iter().all(|(_, bin)| *bin < n) && variable.bins.missing < n && unseen < n;
        if variable.points.len() != n || !inside {
            return broken(&variable.bins.name, "its bins and points do not fit each other");
        }
    }
    for table in &card.tables {
        let fits = |position: usize, groups: &[u8], n: usize| {
            card.variables.get(position).is_some_and(|v| v.bins.bins.len() == groups.len())
                && groups.iter().all(|g| usize::from(*g) < n)
        };
        let columns = table.points.first().map_or(0, Vec::len);
        let even = table.points.iter().all(|row| row.len() == columns);
        if !even
            || !fits(table.left, &table.left_groups, table.points.len())
            || !fits(table.right, &table.right_groups, columns)
        {
            return broken(&table.code, "its grid does not fit the bins of its variables");
        }
    }
    Ok(())
}

/// The raw value, typed. Text is trimmed as the readers of files do, unless the levels themselves hold outer spaces.
fn value(bins: &Bins) -> Result<String, DocumentError> {
    let column = quoted(&bins.name)?;
    Ok(match &bins.kind {
        BinKind::Number { .. } => format!("CAST({column} AS DOUBLE PRECISION)"),
        BinKind::Text { levels, .. } if levels.iter().flatten().any(|level| level.trim() != level) => {
            format!("CAST({column} AS VARCHAR)")
        }
        BinKind::Text { .. } => format!("TRIM(CAST({column} AS VARCHAR))"),
    })
}

/// The bin of a value; null where it has none.
fn bin_case(bins: &Bins, column: &str) -> String {
    let mut text = format!("CASE WHEN {column} IS NULL");
    match &bins.kind {
        BinKind::Number { edges } => {
            // NaN differs from itself in some engines, equals itself in others.
            let _ = write!(
                text,
                " OR {column} <> {column} OR {column} = CAST('NaN' AS DOUBLE PRECISION) THEN {}",
                bins.missing
            );
            for (special, bin) in &bins.specials {
                let _ = write!(text, " WHEN {column} = {} THEN {bin}", number(*special));
            }
            let (most, least) = (number(f64::MAX), number(f64::MIN));
            let _ = write!(text, " WHEN {column} > {most} OR {column} < {least} THEN NULL");
            for (bin, edge) in edges.iter().enumerate() {
                let _ = write!(text, " WHEN {column} <= {} THEN {bin}", number(*edge));
            }
            let _ = write!(text, " ELSE {} END", edges.len());
        }
        BinKind::Text { levels, unseen } => {
            let _ = write!(text, " THEN {}", bins.missing);
            let list = |names: &[String]| names.iter().map(|n| literal(n)).collect::<Vec<_>>().join(", ");
            for (special, bin) in &bins.specials {
                let _ = write!(text, " WHEN {column} = {} THEN {bin}", literal(&number_as_text(*special)));
            }
            for (bin, names) in levels.iter().enumerate().filter(|(_, names)| !names.is_empty()) {
                let _ = write!(text, " WHEN {column} IN ({}) THEN {bin}", list(names));
            }
            let words = MISSING_WORDS.map(str::to_owned);
            let _ = write!(text, " WHEN LOWER({column}) IN ({}) THEN {} ELSE {unseen} END", list(&words), bins.missing);
        }
    }
    text
}

/// Points by bin; a null bin has none, and with it the row has no score.
fn main_case(points: &[i32], column: &str) -> String {
    let mut text = format!("CASE {column}");
    for (bin, points) in points.iter().enumerate() {
        let _ = write!(text, " WHEN {bin} THEN {points}");
    }
    text.push_str(" END");
    text
}

/// Points of a pair, row by row of its grid.
fn pair_case(table: &PairTable) -> String {
    let members = |groups: &[u8], group: usize| -> Vec<String> {
        (0..groups.len())
            .filter(|&b| groups.get(b).map(|g| usize::from(*g)) == Some(group))
            .map(|b| b.to_string())
            .collect()
    };
    let mut text = "CASE".to_owned();
    for (i, row) in table.points.iter().enumerate() {
        let left = members(&table.left_groups, i);
        if left.is_empty() {
            continue;
        }
        let _ = write!(text, " WHEN bin_{} IN ({}) THEN CASE", table.left + 1, left.join(", "));
        for (j, points) in row.iter().enumerate() {
            let right = members(&table.right_groups, j);
            if !right.is_empty() {
                let _ = write!(text, " WHEN bin_{} IN ({}) THEN {points}", table.right + 1, right.join(", "));
            }
        }
        text.push_str(" END");
    }
    text.push_str(" END");
    text
}

/// The PD that the scale alone gives.
fn raw_pd(card: &Scorecard) -> String {
    let (offset, factor) = (number(card.scaling.offset()), number(card.scaling.factor()));
    format!("1.0e0 / (1.0e0 + EXP((score - {offset}) / {factor}))")
}

/// The calibrated PD, floored.
fn stated_pd(card: &Scorecard) -> String {
    let sigmoid = |log_odds: &str| format!("1.0e0 / (1.0e0 + EXP(-({log_odds})))");
    let (offset, factor) = (number(card.scaling.offset()), number(card.scaling.factor()));
    let calibrated = match card.calibration.map() {
        CalibrationMap::Identity => "raw_pd".to_owned(),
        CalibrationMap::Platt { intercept, slope } => {
            sigmoid(&format!("{} + {} * (({offset} - score) / {factor})", number(*intercept), number(*slope)))
        }
        CalibrationMap::Beta { a, b, c } => {
            let held = format!("LEAST(GREATEST(raw_pd, {}), {})", number(f64::EPSILON), number(1.0 - f64::EPSILON));
            sigmoid(&format!("{} + {} * LN({held}) - {} * LN(1.0e0 - {held})", number(*c), number(*a), number(*b)))
        }
        CalibrationMap::Isotonic { raw, calibrated } => isotonic_case(raw, calibrated),
    };
    let floor = number(card.calibration.pd_floor());
    format!("CASE WHEN score IS NULL THEN NULL WHEN {calibrated} < {floor} THEN {floor} ELSE {calibrated} END")
}

/// Straight lines between knots, flat outside.
fn isotonic_case(knots: &[f64], values: &[f64]) -> String {
    let points: Vec<(f64, f64)> = knots.iter().copied().zip(values.iter().copied()).collect();
    let (Some((first, low)), Some((_, high))) = (points.first(), points.last()) else { return "NULL".to_owned() };
    let mut case = format!("CASE WHEN raw_pd < {} THEN {}", number(*first), number(*low));
    for [(x0, y0), (x1, y1)] in points.array_windows() {
        let (start, end) = (number(*x0), number(*x1));
        let rise = number(y1 - y0);
        let _ = write!(
            case,
            " WHEN raw_pd < {end} THEN {} + (raw_pd - {start}) / {} * {rise}",
            number(*y0),
            number(x1 - x0)
        );
    }
    let _ = write!(case, " ELSE {} END", number(*high));
    case
}

fn band_case(card: &Scorecard) -> String {
    let mut case = "CASE WHEN score IS NULL THEN NULL".to_owned();
    let mut last = "''".to_owned();
    for band in &card.bands {
        let Some(least) = band.min_score else {
            last = literal(&band.name);
            break;
        };
        let _ = write!(case, " WHEN score >= {least} THEN {}", literal(&band.name));
    }
    let _ = write!(case, " ELSE {last} END");
    case
}

#[cfg(test)]
pub(super) mod tests {
    use polars::prelude::{Column as Series, DataFrame, DataType, IntoLazy, NamedFrom, Series as Values};
    use polars::sql::SQLContext;
    use proptest::prelude::*;

    use super::*;
    use crate::model::fixture::{LEVEL, NUMBER, PLAIN, card};
    use crate::model::{Column, ScoringTable};

    /// Every value that means something, and many that mean nothing.
    const NUMBERS: [Option<f64>; 13] = [
        None,
        Some(f64::NAN),
        Some(-9.0),
        Some(7.0),
        Some(-0.5),
        Some(-0.499_999_999_999_999_9),
        Some(0.1),
        Some(0.100_000_000_000_000_02),
        Some(1e9),
        Some(1e300),
        Some(-1e300),
        Some(0.0),
        Some(30.0),
    ];
    const LEVELS: [Option<&str>; 10] = [
        None,
        Some("it's \"safe\""),
        Some("Ärger; DROP TABLE x"),
        Some("B|<b>"),
        Some("7"),
        Some("none"),
        Some("-9"),
        Some("never seen"),
        Some(" spaced "),
        Some(""),
    ];

    #[derive(Default)]
    pub struct Rows {
        pub number: Vec<Option<f64>>,
        pub level: Vec<Option<&'static str>>,
        pub plain: Vec<Option<f64>>,
    }

    pub fn rows() -> Rows {
        let mut rows = Rows::default();
        for a in NUMBERS {
            for b in LEVELS {
                for c in [None, Some(30.0), Some(30.1), Some(-9.0), Some(f64::NAN)] {
                    rows.number.push(a);
                    rows.level.push(b);
                    rows.plain.push(c);
                }
            }
        }
        rows
    }

    fn answered(card: &Scorecard, relation: &str, rows: &Rows) -> (Vec<i64>, Vec<f64>, Vec<String>) {
        let ids: Vec<i64> = (0_i64..).take(rows.number.len()).collect();
        let columns: Vec<Series> = vec![
            Values::new("row id".into(), ids).into(),
            Values::new(NUMBER.into(), &rows.number).into(),
            Values::new(LEVEL.into(), &rows.level).into(),
            Values::new(PLAIN.into(), &rows.plain).into(),
        ];
        let frame = DataFrame::new(columns[0].len(), columns).unwrap();
        let mut context = SQLContext::new();
        context.register(relation, frame.lazy());
        let source = SqlSource { relation: relation.to_owned(), keep: vec!["row id".to_owned()] };
        let query = export_sql(card, &source).unwrap();
        let found = context.execute(&query).unwrap().collect().unwrap();
        let column = |name: &str, kind| found.column(name).unwrap().cast(&kind).unwrap();
        assert_eq!(column("row id", DataType::Int64).i64().unwrap().get(0), Some(0));
        (
            column("score", DataType::Int64).i64().unwrap().into_no_null_iter().collect(),
            column("pd_prob", DataType::Float64).f64().unwrap().into_no_null_iter().collect(),
            column("band", DataType::String).str().unwrap().iter().map(|b| b.unwrap().to_owned()).collect(),
        )
    }

    /// Rows as the scorecard sees them: a text of nothing is null once a reader of files has seen it.
    pub fn scoring_table(rows: &Rows) -> ScoringTable {
        let read: Vec<Option<&str>> = rows.level.iter().map(|l| l.filter(|l| !l.is_empty())).collect();
        ScoringTable {
            columns: vec![
                Column::from_options(NUMBER, &rows.number),
                Column::from_texts(LEVEL, &read),
                Column::from_options(PLAIN, &rows.plain),
            ],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Edges and special values of any size are written digit for digit: their nearest neighbours fall where scoring puts them.
        #[test]
        fn every_edge_cuts_where_it_stands(
            mut edges in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 1..8),
            special in prop::num::f64::NORMAL,
        ) {
            edges.retain(|e| *e != 0.0 || e.is_sign_positive());
            edges.sort_by(f64::total_cmp);
            edges.dedup();
            let n = edges.len();
            let mut made = card(CalibrationMap::Identity);
            let scored = &mut made.variables[0];
            let pattern = scored.bins.bins[0].clone();
            scored.bins.bins = vec![pattern; n + 3];
            scored.bins.kind = BinKind::Number { edges: edges.clone() };
            scored.bins.specials = vec![(special, n + 1)];
            scored.bins.missing = n + 2;
            scored.points = (0..).take(n + 3).collect();
            made.tables.clear();
            let near = |v: f64| [v, v.next_up(), v.next_down()];
            let mut rows = Rows::default();
            rows.number.extend(edges.iter().chain([&special]).flat_map(|v| near(*v)).filter(|v| v.is_finite()).map(Some));
            rows.number.extend([None, Some(f64::NAN)]);
            rows.level = vec![None; rows.number.len()];
            rows.plain = vec![None; rows.number.len()];
            let expected: Vec<i64> =
                made.score(&scoring_table(&rows)).unwrap().iter().map(|r| i64::from(r.score)).collect();
            prop_assert_eq!(answered(&made, "t", &rows).0, expected);
        }
    }

    #[test]
    fn the_query_scores_as_the_scorecard_does() {
        let maps = [
            CalibrationMap::Identity,
            CalibrationMap::Platt { intercept: -0.3, slope: 1.2 },
            CalibrationMap::Beta { a: 1.5, b: 0.7, c: 0.4 },
            CalibrationMap::Isotonic { raw: vec![0.2, 0.5, 0.9], calibrated: vec![0.1, 0.1, 0.8] },
        ];
        let rows = rows();
        let table = scoring_table(&rows);
        for (map, relation) in maps.into_iter().zip(["applicants", "a \"b\" ; --", "binned", "Raw"]) {
            let mut card = card(map);
            if let (true, BinKind::Text { levels, .. }) = (relation == "Raw", &mut card.variables[1].bins.kind) {
                // Only a table in memory can have taught this level; then it is compared as it stands.
                levels[0].push(" spaced ".to_owned());
            }
            let expected = card.score(&table).unwrap();
            let (score, pd, band) = answered(&card, relation, &rows);
            assert_eq!(score.len(), expected.len());
            for (((score, pd), band), row) in score.iter().zip(&pd).zip(&band).zip(&expected) {
                assert_eq!(*score, i64::from(row.score), "{:?}", row.bins);
                assert!((pd - row.pd).abs() < 1e-13, "{pd} {}", row.pd);
                assert_eq!(*band, row.band);
            }
        }
    }

    #[test]
    fn names_that_would_be_confused_and_broken_cards_are_refused() {
        let source = |keep: &[&str]| SqlSource {
            relation: "t".to_owned(),
            keep: keep.iter().map(|k| (*k).to_owned()).collect(),
        };
        let card = card(CalibrationMap::Identity);
        for keep in [&["Score"][..], &["points_12"], &["a", "A"], &["raw_pd"], &[""]] {
            assert!(matches!(export_sql(&card, &source(keep)), Err(DocumentError::BadName { .. })), "{keep:?}");
        }
        assert!(export_sql(&card, &source(&["points_total", "id"])).is_ok());
        let mut broken = card.clone();
        broken.variables[0].points.pop();
        assert!(matches!(export_sql(&broken, &source(&[])), Err(DocumentError::BrokenScorecard { .. })));
        let mut broken = card.clone();
        broken.tables[0].points.pop();
        assert!(matches!(export_sql(&broken, &source(&[])), Err(DocumentError::BrokenScorecard { .. })));
    }

    #[test]
    fn a_line_break_in_a_name_does_not_end_a_comment() {
        let source = SqlSource { relation: "t".to_owned(), keep: Vec::new() };
        let query = export_sql(&card(CalibrationMap::Identity), &source).unwrap();
        assert!(query.lines().take(5).all(|line| line.starts_with("--")), "{query}");
    }
}
