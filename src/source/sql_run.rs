//! Runs a statement over inputs, with the functions that sources have beside the engine's, and says what is wrong in the writer's terms.

use std::ops::ControlFlow;
use std::sync::Arc;

use polars::prelude::*;
use polars::sql::SQLContext;
use sqlparser::ast::{CastKind, Expr, Spanned, Visit, Visitor};
use sqlparser::tokenizer::Location;

use super::sql_functions::OwnFunctions;
use super::sql_mentions::words;
use super::{sql_nested, sql_parse};

/// The engine reads expressions that lie within each other by recursion, with about 64 KiB a level: so many fit on any stack.
const SHALLOW: usize = 8;
/// Stack for all that [`super::sql_parse`] lets pass.
const STACK: usize = 32 << 20;

/// Runs a statement over inputs, lazily.
///
/// # Errors
/// What the engine says; see [`in_plain_words`].
pub(super) fn execute(text: &str, inputs: impl IntoIterator<Item = (String, LazyFrame)>) -> PolarsResult<LazyFrame> {
    let mut context = SQLContext::new().with_function_registry(Arc::new(OwnFunctions));
    for (name, rows) in inputs {
        context.register(&name, rows);
    }
    let parsed = match sql_parse::parse(text) {
        Ok(parsed) => parsed,
        Err(refusal) => polars_bail!(SQLInterface: "{}", refusal.message),
    };
    if parsed.depth <= SHALLOW {
        return sql_nested::execute(&mut context, text, parsed);
    }
    std::thread::scope(|scope| {
        let run = || sql_nested::execute(&mut context, text, parsed);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        let Ok(result) = thread.map(std::thread::ScopedJoinHandle::join) else {
            polars_bail!(ComputeError: "the system gives no thread for a deeply nested statement")
        };
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What is wrong, without the engine's plan and advice to its own developers.
pub(super) fn in_plain_words(error: &PolarsError) -> String {
    let words = error.to_string();
    let kinds =
        ["SQL interface error: ", "SQL syntax error: ", "not found: ", "invalid operation: ", "compute error: "];
    let words = words.split("\n\n").next().unwrap_or_default();
    let words = words.split("Resolved plan until failure").next().unwrap_or_default();
    let words = kinds.iter().fold(words, |words, kind| words.strip_prefix(kind).unwrap_or(words));
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    of_other_types(&words).or_else(|| type_conflict(&words)).or_else(|| of_failed_cast(&words)).unwrap_or(words)
}

/// Texts that cannot become what CAST asks for, as the engine says it, and what reads them.
fn of_failed_cast(words: &str) -> Option<String> {
    let (kind, _) = words.split_once("conversion from `str` to `")?.1.split_once("` failed in column")?;
    let instead = match kind {
        kind if kind.starts_with("datetime") => {
            "try_strptime(x, format) reads other forms, and try_timestamp(x) is null there"
        }
        "date" => "try_strptime(x, format) reads other forms, and try_date(x) is null there",
        "bool" => "try_cast(x AS BOOLEAN) is null there, and CASE reads other words",
        kind if kind.starts_with('i') || kind.starts_with('u') => {
            "try_cast(x AS BIGINT) is null there, and to_number(x) reads thousands marks and currencies"
        }
        _ => "try_cast(x AS DOUBLE) is null there, and to_number(x) reads thousands marks and currencies",
    };
    Some(format!("{words}; {instead}"))
}

/// Values of two types in one expression, as the engine says it.
fn type_conflict(words: &str) -> Option<String> {
    let (one, other) = words.split_once("failed to determine supertype of ")?.1.split_once(" and ")?;
    Some(format!(
        "values of type {one} and of type {other} meet in one expression (COALESCE, GREATEST, CASE, a comparison): CAST them to one type, times AS TIMESTAMP"
    ))
}

/// `IN` with values of another type than the column's, as the engine says it.
fn of_other_types(words: &str) -> Option<String> {
    let (values, column) = words.strip_prefix("'is_in' cannot check for List(")?.split_once(") values in ")?;
    let column = column.strip_suffix(" data")?;
    Some(format!(
        "IN compares a column of type {column} with values of type {values}: write the values as the column has them (3, not '3'), or CAST the column"
    ))
}

/// The same with the place in the statement, where a name in it is at fault: `line 3, column 12: …`.
pub(super) fn in_plain_words_of(text: &str, error: &PolarsError) -> String {
    let words = in_plain_words(error);
    // Values are quoted too, and may be words of the statement.
    let named = words.split(" values: [").next().unwrap_or(&words);
    let place = place_of_cast(text, &words).or_else(|| quoted_names(named).find_map(|name| place_of(text, name)));
    place.map_or_else(|| words.clone(), |(line, column)| format!("line {line}, column {column}: {words}"))
}

/// Where a cast stands that cannot take a text: what it casts may be named elsewhere too.
fn place_of_cast(text: &str, words: &str) -> Option<(usize, usize)> {
    struct Casts<'a> {
        kind: &'a str,
        column: &'a str,
    }
    impl Visitor for Casts<'_> {
        type Break = Location;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
            let own = match self.kind {
                kind if kind.starts_with("datetime") => "cast_timestamp",
                "date" => "cast_date",
                "bool" => "cast_boolean",
                _ => "",
            };
            let is_meant = match expr {
                Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, .. } => own.is_empty(),
                Expr::Function(function) => function.name.to_string() == own,
                _ => false,
            };
            let names =
                || expr.to_string().split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == self.column);
            if is_meant && names() { ControlFlow::Break(expr.span().start) } else { ControlFlow::Continue(()) }
        }
    }
    let (kind, rest) = words.split_once("conversion from `str` to `")?.1.split_once("` failed in column '")?;
    let (column, _) = rest.split_once('\'')?;
    let statements = sql_parse::parse(text).ok()?.statements;
    let place = statements.visit(&mut Casts { kind, column }).break_value()?;
    Some((usize::try_from(place.line).ok()?, usize::try_from(place.column).ok()?)).filter(|(line, _)| *line > 0)
}

/// A fault that names a column which is not there, with the name that is most like it.
pub(super) fn with_nearest_name(words: String, known: &[PlSmallStr]) -> String {
    if !["no column named", "unable to find column", "nvalid identifier"].iter().any(|fault| words.contains(fault)) {
        return words;
    }
    let unknown = quoted_names(&words).find(|name| known.iter().all(|column| column != name));
    match unknown.and_then(|name| nearest_name(name, known.iter().map(PlSmallStr::as_str))) {
        Some(column) => format!("{words}; there is {column:?}"),
        None => words,
    }
}

/// The name that is most like one that is not there, where any is like it.
pub(super) fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE_ENOUGH: f64 = 0.85;
    let likeness = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let nearest = likeness.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))?;
    (nearest.0 >= LIKE_ENOUGH).then_some(nearest.1)
}

/// Names in quotes.
fn quoted_names(words: &str) -> impl Iterator<Item = &str> {
    ['"', '\'', '`'].into_iter().flat_map(|quote| words.split(quote).skip(1).step_by(2)).filter(|name| !name.is_empty())
}

/// Where a name stands as a word of its own; line and column count from 1.
fn place_of(text: &str, name: &str) -> Option<(usize, usize)> {
    words(text).into_iter().find(|word| word.name == name).map(|word| word.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let rows = df!("id" => [1, 2], "name" => ["a", "b"]).unwrap().lazy();
        match execute(text, [("orders".to_owned(), rows)]).and_then(LazyFrame::collect) {
            Ok(frame) => frame.to_string(),
            Err(error) => in_plain_words_of(text, &error),
        }
    }

    #[test]
    fn faults_are_told_in_terms_of_the_statement() {
        for (text, begins, has) in [
            ("SELECT id FROM orders WHERE id IN ('1', '2')", "IN compares a column of type Int", "not '3'"),
            ("SELECT id,\n  nme AS x\nFROM orders", "line 2, column 3: ", "nme"),
            ("SELECT o.id,\n  o.nme AS x\nFROM orders AS o", "line 2, column ", "nme"),
            ("SELECT id\nFROM orders\nWHERE frobnicate(id) = 1", "line 3, column 7: ", "frobnicate"),
        ] {
            let words = words(text);
            assert!(words.starts_with(begins) && words.contains(has), "{words}");
            for engine in ["Resolved plan", "DF [", "SELECT [", "polars"] {
                assert!(!words.contains(engine), "{words}");
            }
        }
    }

    /// docs/sql.md says so.
    #[test]
    fn products_beyond_whole_numbers_are_null_by_way_of_doubles() {
        let rows = df!("a" => [4_000_000_000_000_000_i64, 12]).unwrap().lazy();
        let text = "SELECT try_cast(ROUND(CAST(a AS DOUBLE) * 10000) AS BIGINT) AS x FROM t";
        let made = execute(text, [("t".to_owned(), rows)]).and_then(LazyFrame::collect).unwrap();
        assert_eq!(made.column("x").unwrap().i64().unwrap().iter().collect::<Vec<_>>(), [None, Some(120_000)]);
    }

    #[test]
    fn texts_become_true_and_false_or_null() {
        let rows = df!("a" => ["true", "No", "1", "maybe"]).unwrap().lazy();
        let text = "SELECT try_cast(a AS BOOLEAN) AS x FROM t";
        let made = execute(text, [("t".to_owned(), rows)]).and_then(LazyFrame::collect).unwrap();
        let said = made.column("x").unwrap().bool().unwrap().iter().collect::<Vec<_>>();
        assert_eq!(said, [Some(true), Some(false), Some(true), None]);
    }

    #[test]
    fn plain_casts_name_the_place_and_the_values_that_they_cannot_take() {
        let words = |text: &str| {
            let rows = df!("a" => ["true", "No", "maybe"], "n" => ["1", "x", "3"]).unwrap().lazy();
            match execute(text, [("t".to_owned(), rows)]).and_then(LazyFrame::collect) {
                Ok(frame) => frame.to_string(),
                Err(error) => in_plain_words_of(text, &error),
            }
        };
        for cast in ["CAST(a AS BOOLEAN)", "a::BOOLEAN", "CAST(TRIM(a) AS BOOL)"] {
            let words = words(&format!("SELECT n,\n  {cast} AS maybe FROM t"));
            assert!(
                words.starts_with("line 2, column ") && words.contains("1 out of 3 values: [\"maybe\"]"),
                "{words}"
            );
        }
        let words_of_time = words("SELECT n, a AS b,\n  CAST(a AS TIMESTAMP) AS at FROM t");
        assert!(words_of_time.starts_with("line 2, column 8: "), "not where it is named first: {words_of_time}");
        assert!(words_of_time.contains("try_strptime(x, format)"), "{words_of_time}");
        let words_of_number = words("SELECT 'x' AS x,\n  CAST(n AS BIGINT) AS k FROM t");
        assert!(words_of_number.starts_with("line 2, column 8: "), "not that of a value: {words_of_number}");
        let rows = df!("a" => [Some("true"), Some("No"), None]).unwrap().lazy();
        let made = execute("SELECT CAST(a AS BOOLEAN) AS x FROM t", [("t".to_owned(), rows)]);
        let made = made.and_then(LazyFrame::collect).unwrap();
        assert_eq!(
            made.column("x").unwrap().bool().unwrap().iter().collect::<Vec<_>>(),
            [Some(true), Some(false), None]
        );
    }

    #[test]
    fn plain_casts_read_times_in_the_contracts_form() {
        let rows = df!("a" => [Some("2018-08-17 12:30:00"), Some("2018-08-17T12:30:00Z"), Some("2018-08-17"), None]);
        let text = "SELECT CAST(a AS TIMESTAMP) AS at, a::DATE AS day, SAFE_CAST(a AS TIMESTAMP) AS tried FROM t";
        let made = execute(text, [("t".to_owned(), rows.unwrap().lazy())]).and_then(LazyFrame::collect).unwrap();
        for (column, nulls) in [("at", 1), ("day", 1), ("tried", 1)] {
            assert_eq!(made.column(column).unwrap().null_count(), nulls, "{column}");
        }
        let days = made.column("day").unwrap().cast(&DataType::String).unwrap();
        assert!(days.str().unwrap().iter().flatten().all(|day| day == "2018-08-17"));
    }

    #[test]
    fn rows_are_made_of_lists_and_of_numbers() {
        let rows =
            df!("_row" => [1, 2, 3], "n" => [Some(2), None, Some(0)], "day" => ["2018-01-31"; 3]).unwrap().lazy();
        let text = "WITH w AS (SELECT *, unnest(generate_series(1, n)) AS number FROM t) SELECT _row, number, try_date(add_months(day, number)) AS due FROM w";
        let made = execute(text, [("t".to_owned(), rows)]).and_then(LazyFrame::collect).unwrap();
        let of = |column: &str| made.column(column).unwrap().cast(&DataType::Int64).unwrap().i64().unwrap().to_vec();
        assert_eq!(of("_row"), [Some(1), Some(1), Some(2), Some(3)]);
        assert_eq!(of("number"), [Some(1), Some(2), None, None]);
        let due = made.column("due").unwrap().cast(&DataType::String).unwrap();
        assert_eq!(due.str().unwrap().iter().collect::<Vec<_>>(), [Some("2018-02-28"), Some("2018-03-31"), None, None]);
    }

    #[test]
    fn doubles_become_the_text_that_whole_numbers_become_also_where_rows_are_grouped_by_it() {
        let rows = || df!("k" => [123.0, 0.5, 123.0], "n" => [1_i64, 2, 3]).unwrap().lazy();
        for text in [
            "SELECT CAST(k AS VARCHAR) AS k, SUM(n) AS n FROM t GROUP BY CAST(k AS VARCHAR) ORDER BY k",
            "SELECT CAST(k AS VARCHAR) AS k, SUM(n) AS n FROM t GROUP BY 1 ORDER BY CAST(k AS VARCHAR)",
            "WITH w AS (SELECT k::TEXT AS k, n FROM t) SELECT k, SUM(n) AS n FROM w GROUP BY k ORDER BY k",
            "SELECT CAST(CAST(t.k AS VARCHAR) AS VARCHAR) AS k, SUM(t.n) AS n FROM t JOIN t AS u ON CAST(t.k AS VARCHAR) = CAST(u.k AS VARCHAR) WHERE u.n <> 3 GROUP BY CAST(CAST(t.k AS VARCHAR) AS VARCHAR) ORDER BY k",
        ] {
            let made = execute(text, [("t".to_owned(), rows())]).and_then(LazyFrame::collect);
            let made = made.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                made.column("k").unwrap().str().unwrap().iter().collect::<Vec<_>>(),
                [Some("0.5"), Some("123")],
                "{text}"
            );
            assert_eq!(
                made.column("n").unwrap().i64().unwrap().iter().collect::<Vec<_>>(),
                [Some(2), Some(4)],
                "{text}"
            );
        }
    }

    /// Tests run on small stacks.
    #[test]
    fn what_is_nested_as_deeply_as_may_be_runs_on_any_thread() {
        let rows = |text: &str| {
            let rows = df!("id" => [1, 2], "name" => ["a", "b"]).unwrap().lazy();
            execute(text, [("orders".to_owned(), rows)]).and_then(LazyFrame::collect).map(|made| made.height())
        };
        let nested = |levels: usize| {
            [
                format!("SELECT id FROM orders WHERE {} > 1", vec!["id"; levels].join(" + ")),
                format!("SELECT {}id{} AS x FROM orders", "ABS(".repeat(levels), ")".repeat(levels)),
                format!("SELECT id FROM orders WHERE {} name = 'c'", "NOT ".repeat(levels)),
                format!(
                    "SELECT {} 0 {} AS x FROM orders",
                    "CASE WHEN id = 7 THEN 1 ELSE ".repeat(levels),
                    "END ".repeat(levels)
                ),
                format!("SELECT {} || {} AS x FROM orders", ["name"; 12].join(" || "), "LOWER(name)"),
            ]
        };
        for text in nested(46) {
            match sql_parse::parse(&text) {
                Ok(_) => assert!(rows(&text).is_ok(), "{text}: {:?}", rows(&text)),
                Err(refusal) => assert!(refusal.message.contains("lie within"), "{text}: {refusal:?}"),
            }
        }
        for text in nested(20) {
            assert!(rows(&text).is_ok(), "{text}: {:?}", rows(&text));
        }
        for op in [" OR ", " AND ", " || "] {
            let chain = vec!["name = 'a'"; 2_000].join(op).replace(if op == " || " { " = 'a'" } else { "\0" }, "");
            let text = format!("SELECT {chain} AS x FROM orders");
            assert_eq!(rows(&text).unwrap(), 2);
        }
        let sides = ["SELECT id FROM orders"; 200].join(" UNION ALL ");
        assert_eq!(rows(&sides).unwrap(), 400);
        let whens = "WHEN id = 7 THEN 1 ".repeat(600);
        assert_eq!(rows(&format!("SELECT CASE {whens} END AS x FROM orders")).unwrap(), 2);
    }

    #[test]
    fn the_name_most_like_an_unknown_one_is_told() {
        let known = ["order_id", "buyer_id"].map(PlSmallStr::from);
        let told = |words: &str| with_nearest_name(words.to_owned(), &known);
        assert!(told("line 1: no column named 'buyr_id' found in table 'orders'").ends_with("; there is \"buyer_id\""));
        assert!(!told("line 1: no column named 'zzz' found in table 'orders'").contains("there is"));
        assert!(!told("something else about 'buyr_id'").contains("there is"));
    }

    #[test]
    fn types_that_do_not_meet_are_named() {
        let words = type_conflict("failed to determine supertype of datetime[ns] and datetime[ms, UTC]").unwrap();
        assert!(words.contains("type datetime[ns] and of type datetime[ms, UTC] meet"), "{words}");
        assert_eq!(type_conflict("something else of a and b"), None);
    }

    #[test]
    fn places_are_those_of_whole_words() {
        let text = "SELECT namesake, '--', 'name', -- name\n  name FROM x";
        assert_eq!(place_of(text, "name"), Some((2, 3)));
        assert_eq!(place_of(text, "nowhere"), None);
    }
}
