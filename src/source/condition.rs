//! Conditions on one row, as jobs and analysts write them in SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use polars::prelude::*;
use sqlparser::ast::{Expr, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::{row_wise, sql, sql_run};

/// Where a condition is computed, for now.
const HOLDS: &str = "_holds";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The SELECT of the rows for which a condition holds. It stands on lines of its own, so that places in it are those in its text, a line further down.
pub(super) fn statement_of(condition: &str, input: &str) -> String {
    format!("SELECT * FROM {} WHERE (\n{condition}\n)", quoted(input))
}

/// Checks that a text is one condition on one row of an input.
///
/// # Errors
/// What it is instead.
pub(super) fn check(condition: &str, input: &str) -> Result<(), String> {
    let statement = statement_of(condition, input);
    sql::check(&statement, std::iter::once(input), None).map_err(|refusal| match refusal.line {
        0 => refusal.message,
        // The condition begins on the second line.
        line => format!("line {}, {}", (line - 1).max(1), refusal.message),
    })?;
    if row_wise::is_row_wise(&statement, input) {
        Ok(())
    } else {
        Err(format!("it looks at more than one row of {input:?}, or uses a function that may"))
    }
}

/// The columns that a condition names, sorted.
///
/// # Errors
/// It is no condition on one row, or names a column by its table.
pub(crate) fn condition_columns(condition: &str) -> Result<Vec<String>, String> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = String;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
            match expr {
                Expr::Identifier(name) => {
                    self.0.insert(name.value.clone());
                }
                Expr::CompoundIdentifier(_) => {
                    return ControlFlow::Break(format!("{expr} names a table: a column stands by itself"));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let parsed = Parser::new(&GenericDialect).try_with_sql(condition).and_then(|mut parser| parser.parse_expr());
    let mut names = Names(BTreeSet::new());
    match parsed.map_err(|e| e.to_string())?.visit(&mut names) {
        ControlFlow::Break(why) => Err(why),
        ControlFlow::Continue(()) => check(condition, "rows").map(|()| names.0.into_iter().collect()),
    }
}

/// The rows of an input, and whether a condition holds for each; null where a null decides it.
///
/// # Errors
/// It cannot be computed, or is no condition.
pub(crate) fn holds(condition: &str, input: &str, rows: DataFrame) -> Result<(DataFrame, BooleanChunked), String> {
    let text = format!("SELECT *, (\n{condition}\n) AS {HOLDS} FROM {}", quoted(input));
    let marked = sql_run::execute(&text, [(input.to_owned(), rows.lazy())])
        .and_then(LazyFrame::collect)
        .map_err(|e| sql_run::in_plain_words(&e))?;
    let column = marked.column(HOLDS).map_err(|e| e.to_string())?;
    let holds = match column.dtype() {
        DataType::Boolean => column.bool().cloned().map_err(|e| e.to_string())?,
        DataType::Null => BooleanChunked::full_null(HOLDS.into(), column.len()),
        _ => return Err(format!("{condition} is no condition: it is neither true nor false")),
    };
    let rows = marked.drop(HOLDS).map_err(|e| e.to_string())?;
    Ok((rows, holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_their_columns_and_look_at_one_row() {
        let columns =
            condition_columns("status IN ('Late', 'Default') AND NOT (\"days past\" < 30 OR LOWER(kind) = 'x')");
        assert_eq!(columns.unwrap(), ["days past", "kind", "status"]);
        for (condition, word) in [
            ("SUM(x) > 1", "more than one row"),
            ("t.x = 1", "names a table"),
            ("x IN (SELECT x FROM rows)", "more than one row"),
            ("x = 1); DROP TABLE rows; (", ""),
            ("", ""),
        ] {
            let error = condition_columns(condition).unwrap_err();
            assert!(error.contains(word), "{condition}: {error}");
        }
    }
}
