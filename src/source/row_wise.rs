//! Whether a SELECT looks at one row at a time: then its input can be read batch by batch, and no table has to fit in memory.
//!
//! Only what is known to be row-wise counts: one input, no join, no grouping, no window, no order, no limit, no query within, and no function
//! that is not on the list of [`super::sql_reference`]. Whatever else a statement says, it is run over the whole of its inputs.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, FunctionArguments, GroupByExpr, ObjectName, Query, Select, SetExpr, Statement, TableFactor, Visit,
    Visitor,
};

use super::sql_parse;
use super::sql_reference::ROW_FUNCTIONS;

/// Whether `text`, a statement that [`super::sql::check`] accepts, computes each of its rows from one row of `input`.
pub(super) fn is_row_wise(text: &str, input: &str) -> bool {
    let Ok(parsed) = sql_parse::parse(text) else { return false };
    let [Statement::Query(query)] = parsed.statements.as_slice() else { return false };
    is_plain(query, input) && query.visit(&mut OneRow { queries: 0 }).is_continue()
}

/// One SELECT from the input, with nothing around it.
fn is_plain(query: &Query, input: &str) -> bool {
    let Query { with: None, body, order_by: None, limit_clause: None, fetch: None, .. } = query else { return false };
    let SetExpr::Select(select) = body.as_ref() else { return false };
    let Select { distinct, top: None, from, having: None, qualify: None, prewhere: None, into: None, .. } =
        select.as_ref()
    else {
        return false;
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(by, modifiers) => !by.is_empty() || !modifiers.is_empty(),
    };
    let is_sorted = !select.sort_by.is_empty() || !select.cluster_by.is_empty() || !select.distribute_by.is_empty();
    let is_distinct = !matches!(distinct, None | Some(Distinct::All));
    let has_more = !select.lateral_views.is_empty() || !select.named_window.is_empty();
    let [table] = from.as_slice() else { return false };
    let is_input = match &table.relation {
        TableFactor::Table { name, args: None, .. } => is_named(name, input),
        _ => false,
    };
    is_input && table.joins.is_empty() && !is_grouped && !is_sorted && !is_distinct && !has_more
}

fn is_named(name: &ObjectName, input: &str) -> bool {
    matches!(name.0.as_slice(), [only] if only.as_ident().is_some_and(|ident| ident.value == input))
}

fn is_of_one_row(name: &str) -> bool {
    ROW_FUNCTIONS.iter().any(|function| function.name.eq_ignore_ascii_case(name))
}

/// Stops at what looks at more than one row.
struct OneRow {
    queries: usize,
}

impl Visitor for OneRow {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        if self.queries > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let is_listed = match function.name.0.as_slice() {
            [only] => only.as_ident().is_some_and(|ident| is_of_one_row(&ident.value)),
            _ => false,
        };
        let is_simple = match &function.args {
            FunctionArguments::None => true,
            FunctionArguments::Subquery(_) => false,
            FunctionArguments::List(list) => list.duplicate_treatment.is_none() && list.clauses.is_empty(),
        };
        let looks_around = function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty();
        if is_listed && is_simple && !looks_around { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_at_a_time() {
        for text in [
            "SELECT * FROM orders",
            "SELECT _file, _row, id AS order_id, UPPER(currency) AS currency FROM orders;",
            "SELECT o._file, o._row, COALESCE(o.a, o.b) AS a FROM orders AS o WHERE o.a IS NOT NULL",
            "SELECT ALL _file, CASE WHEN a IN (1, 2) THEN ROUND(a * 100) ELSE NULL END AS a, CAST(b AS BIGINT) AS b FROM \"orders\"",
        ] {
            assert!(is_row_wise(text, "orders"), "{text}");
        }
    }

    #[test]
    fn whatever_looks_at_other_rows() {
        for text in [
            "SELECT * FROM items",
            "SELECT * FROM orders LEFT JOIN items ON orders.id = items.id",
            "SELECT * FROM orders, items",
            "SELECT DISTINCT a FROM orders",
            "SELECT DISTINCT ON (a) a, b FROM orders",
            "SELECT a, COUNT(*) FROM orders GROUP BY a",
            "SELECT a FROM orders GROUP BY ALL",
            "SELECT MAX(a) FROM orders",
            "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM orders",
            "SELECT ABS(a) OVER (PARTITION BY b) FROM orders",
            "SELECT a FROM orders ORDER BY a",
            "SELECT a FROM orders LIMIT 5",
            "SELECT a FROM orders OFFSET 5",
            "SELECT a FROM orders FETCH FIRST 5 ROWS ONLY",
            "SELECT a FROM orders QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
            "SELECT a FROM orders WHERE id IN (SELECT id FROM orders)",
            "SELECT a FROM orders WHERE EXISTS (SELECT 1 FROM orders)",
            "SELECT (SELECT MAX(a) FROM orders) AS a FROM orders",
            "WITH o AS (SELECT * FROM orders) SELECT * FROM o",
            "SELECT * FROM (SELECT * FROM orders) AS o",
            "SELECT * FROM orders UNION ALL SELECT * FROM orders",
            "SELECT FIRST(a) FROM orders",
            "SELECT UNNEST(a) FROM orders",
            "SELECT RANDOM() FROM orders",
            "not a statement",
        ] {
            assert!(!is_row_wise(text, "orders"), "{text}");
        }
    }
}
