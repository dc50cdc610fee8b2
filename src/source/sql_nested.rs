//! Runs the queries within a query one by one, each in place of a table.
//!
//! The engine knows the functions of [`super::sql_functions`] in the outermost query only. So where a statement uses them, every query within it (WITH, FROM,
//! the sides of a UNION, IN) is run as a statement of its own, and stands in the query around it under a name. All of them are lazy: nothing is
//! computed sooner than it would be.

use std::ops::ControlFlow;

use polars::prelude::*;
use polars::sql::SQLContext;
use sqlparser::ast::{
    Expr, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins, Visit, Visitor, visit_expressions_mut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::sql_functions::is_own_function;
use super::sql_parse::Parsed;

/// Names of what queries within a statement gave.
const PART: &str = "_part";

/// Runs a statement.
///
/// # Errors
/// What the engine says.
pub(super) fn execute(context: &mut SQLContext, text: &str, mut parsed: Parsed) -> PolarsResult<LazyFrame> {
    match parsed.statements.as_mut_slice() {
        [Statement::Query(query)] if uses_own_functions(query) && has_queries_within(query) => {
            Nested { context, parts: 0 }.run(query)
        }
        [rebuilt] if parsed.is_rebuilt => context.execute(&rebuilt.to_string()),
        _ => context.execute(text),
    }
}

fn uses_own_functions(query: &Query) -> bool {
    struct Own;
    impl Visitor for Own {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if is_own_function(&function.name.to_string()) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Own).is_break()
}

fn has_queries_within(query: &Query) -> bool {
    struct Within(usize);
    impl Visitor for Within {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 += 1;
            if self.0 > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    matches!(query.body.as_ref(), SetExpr::SetOperation { .. }) || query.visit(&mut Within(0)).is_break()
}

struct Nested<'a> {
    context: &'a mut SQLContext,
    parts: usize,
}

impl Nested<'_> {
    /// Runs a query after those within it.
    fn run(&mut self, query: &mut Query) -> PolarsResult<LazyFrame> {
        self.flatten(query)?;
        self.context.execute(&query.to_string())
    }

    /// Runs the queries within a query.
    fn flatten(&mut self, query: &mut Query) -> PolarsResult<()> {
        if let Some(with) = query.with.take() {
            for mut named in with.cte_tables {
                polars_ensure!(
                    named.alias.columns.is_empty() && !with.recursive,
                    SQLInterface: "WITH {} names columns or calls itself, which is not understood", named.alias.name
                );
                let rows = self.run(&mut named.query)?;
                self.context.register(&named.alias.name.value, rows);
            }
        }
        self.body(&mut query.body)
    }

    fn body(&mut self, body: &mut SetExpr) -> PolarsResult<()> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.flatten(query),
            SetExpr::SetOperation { left, right, .. } => {
                for side in [left, right] {
                    // A chain of UNIONs is run from its left end.
                    self.body(side)?;
                    if !matches!(side.as_ref(), SetExpr::SetOperation { .. }) {
                        let rows = self.context.execute(&side.to_string())?;
                        let part = self.part(rows);
                        **side = *query_of(&part)?.body;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn select(&mut self, select: &mut Select) -> PolarsResult<()> {
        for table in &mut select.from {
            self.tables(table)?;
        }
        let flow = visit_expressions_mut(select, |expr| match expr {
            Expr::InSubquery { subquery, .. } | Expr::Exists { subquery, .. } | Expr::Subquery(subquery) => {
                match self.flatten_whole(subquery) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                }
            }
            _ => ControlFlow::Continue(()),
        });
        match flow {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// A query that uses functions of ours becomes one that reads what it gave; one that does not may look at the rows around it, and stays.
    fn flatten_whole(&mut self, query: &mut Query) -> PolarsResult<()> {
        if uses_own_functions(query) {
            let rows = self.run(query)?;
            let part = self.part(rows);
            *query = query_of(&part)?;
        }
        Ok(())
    }

    fn tables(&mut self, tables: &mut TableWithJoins) -> PolarsResult<()> {
        self.table(&mut tables.relation)?;
        tables.joins.iter_mut().try_for_each(|join| self.table(&mut join.relation))
    }

    fn table(&mut self, table: &mut TableFactor) -> PolarsResult<()> {
        match table {
            TableFactor::Derived { subquery, alias, .. } => {
                let rows = self.run(subquery)?;
                let part = self.part(rows);
                let mut query = query_of(&part)?;
                let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
                let Some(mut read) = select.from.pop().map(|from| from.relation) else { return Ok(()) };
                if let TableFactor::Table { alias: own, .. } = &mut read {
                    own.clone_from(alias);
                }
                *table = read;
                Ok(())
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.tables(table_with_joins),
            _ => Ok(()),
        }
    }

    /// Gives rows a name.
    fn part(&mut self, rows: LazyFrame) -> String {
        self.parts += 1;
        let name = format!("{PART}_{}", self.parts);
        self.context.register(&name, rows);
        name
    }
}

/// `SELECT * FROM part`.
fn query_of(part: &str) -> PolarsResult<Query> {
    let parsed = Parser::parse_sql(&GenericDialect, &format!("SELECT * FROM {part}"));
    match parsed.map(|mut statements| statements.pop()) {
        Ok(Some(Statement::Query(query))) => Ok(*query),
        _ => polars_bail!(SQLInterface: "the statement cannot be taken apart"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sql_run;
    use super::*;

    fn rows(text: &str) -> Vec<i64> {
        let frame = df!("id" => [1_i64, 2, 3], "price" => ["1.50", "2,000.00", "x"], "at" => ["2018-01-05", "2018-02-05", "2018-02-06"]);
        let run = sql_run::execute(text, [("t".to_owned(), frame.unwrap().lazy())]).and_then(LazyFrame::collect);
        let run = run.unwrap_or_else(|e| panic!("{text}: {e}"));
        let mut values: Vec<i64> = run
            .column("x")
            .unwrap()
            .cast(&DataType::Int64)
            .unwrap()
            .i64()
            .unwrap()
            .iter()
            .map(|n| n.unwrap_or(-1))
            .collect();
        values.sort_unstable();
        values
    }

    /// The engine alone knows functions of ours in the outermost query only.
    #[test]
    fn functions_are_known_wherever_a_query_stands() {
        let minor = "minor_units(price, 'EUR')";
        for (text, expected) in [
            (format!("SELECT {minor} AS x FROM t"), vec![-1, 150, 200_000]),
            (format!("SELECT x FROM (SELECT {minor} AS x FROM t) AS inner_rows WHERE x > 200"), vec![200_000]),
            (
                format!(
                    "WITH a AS (SELECT id, {minor} AS x FROM t), b AS (SELECT x FROM a WHERE id = 1) SELECT x FROM b"
                ),
                vec![150],
            ),
            (
                format!("SELECT {minor} AS x FROM t WHERE id = 1 UNION ALL SELECT {minor} AS x FROM t WHERE id < 3"),
                vec![150, 150, 200_000],
            ),
            (format!("SELECT id AS x FROM t WHERE id IN (SELECT id FROM t WHERE {minor} > 200)"), vec![2]),
            (format!("SELECT SUM({minor}) AS x FROM t GROUP BY date_trunc('month', at)"), vec![150, 200_000]),
            (
                format!(
                    "WITH sums AS (SELECT id, SUM({minor}) AS total FROM t GROUP BY id) SELECT sums.total AS x FROM t LEFT JOIN sums ON t.id = sums.id \
                     LEFT JOIN (SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY at) AS place FROM t) AS once ON once.id = t.id WHERE once.place = 1"
                ),
                vec![-1, 150, 200_000],
            ),
        ] {
            assert_eq!(rows(&text), expected, "{text}");
        }
    }
}
