//! Conditions on one row, as jobs and analysts write them in SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use polars::prelude::*;
use sqlparser::ast::{Expr, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::sql::{self, Inputs};
use super::sql_parse::ONE_SELECT;
use super::{row_wise, sql_faults, sql_run};

/// Where a condition is computed, for now.
const HOLDS: &str = "_holds";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The SELECT of the rows for which a condition holds. It stands on lines of its own, so that places in it are those in its text, a line further down.
pub(super) fn statement_of(condition: &str, input: &str) -> String {
    format!("SELECT * FROM {} WHERE (\n{condition}\n)", quoted(input))
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoCondition {
    /// Line and column in the text, from 1, where there is one to name.
    pub place: Option<(u64, u64)>,
    pub message: String,
    /// What is allowed, where it is not just any condition.
    pub help: Option<String>,
}

impl std::fmt::Display for NoCondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            None => f.write_str(&self.message),
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.message),
        }
    }
}

/// Checks that a text is one condition on one row of an input; `has_points` says that its cells come with decimal points, though the files have commas.
///
/// # Errors
/// What it is instead.
pub(super) fn check(condition: &str, input: &str, has_points: bool) -> Result<(), NoCondition> {
    let statement = statement_of(condition, input);
    let mut inputs = Inputs::only(input);
    inputs.with_points.extend(has_points.then_some(input));
    sql::check(&statement, &inputs, None).map_err(|refusal| {
        let help = Some(refusal.help).filter(|help| help != ONE_SELECT);
        // The condition begins on the second line.
        let line = u64::try_from(refusal.line).unwrap_or(0).saturating_sub(1).max(1);
        let told = refusal.message.strip_prefix("column ").and_then(|rest| rest.split_once(": "));
        let told = told.and_then(|(column, message)| Some((column.parse().ok()?, message.to_owned())));
        match told {
            Some((column, message)) if refusal.line > 0 => NoCondition { place: Some((line, column)), message, help },
            _ => NoCondition { place: (refusal.line > 0).then_some((line, 1)), message: refusal.message, help },
        }
    })?;
    if row_wise::is_row_wise(&statement, input) {
        Ok(())
    } else {
        let message = format!("it looks at more than one row of {input:?}, or uses a function that may");
        Err(NoCondition { place: None, message, help: None })
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
        ControlFlow::Continue(()) => check(condition, "rows", false)
            .map(|()| names.0.into_iter().collect())
            .map_err(|refusal| refusal.to_string()),
    }
}

/// The rows of an input, and whether a condition holds for each; null where a null decides it.
///
/// # Errors
/// It cannot be computed, or is no condition.
pub(crate) fn holds(condition: &str, input: &str, rows: DataFrame) -> Result<(DataFrame, BooleanChunked), String> {
    let text = format!("SELECT *, (\n{condition}\n) AS {HOLDS} FROM {}", quoted(input));
    let none = rows.clear();
    let marked = sql_run::execute(&text, [(input.to_owned(), rows.lazy())]).and_then(LazyFrame::collect);
    let marked = marked.map_err(|error| {
        let faults = sql_faults::faults(&statement_of(condition, input), vec![(input.to_owned(), none)]);
        faults.into_iter().next().map_or_else(|| sql_run::in_plain_words(&error), |fault| fault.message)
    })?;
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
    fn what_cannot_be_computed_is_told_of_the_part_at_fault() {
        let rows = df!("rate" => [13.5, 7.0], "grade" => ["A", "B"]).unwrap();
        let told = holds("grade = 'A' AND rate > '13%'", "rows", rows).unwrap_err();
        assert!(told.starts_with("rate is a number and '13%' is text") && told.ends_with("as 13"), "{told}");
    }

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
