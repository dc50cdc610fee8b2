//! What a source's SQL may be: one SELECT over the job's inputs, and nothing else.
//!
//! polars would also read any file that a table function names, and drop or empty tables. An input that the job does not declare is in
//! no manifest, so that nobody could say later what a run was made from; such statements are refused before anything runs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query, Select, SetExpr, Spanned,
    Statement, TableFactor, TableWithJoins, UnaryOperator, Value, Visit, Visitor,
};

use super::sql_functions::fault_of_constant;
use super::sql_groups;
use super::sql_habits;
use super::sql_joins;
use super::sql_outputs::{self, Purpose};
use super::sql_parse::{self, ONE_SELECT, Refusal};

/// Marks a place in a SELECT that a person must fill; what is wanted there follows on the line.
pub(crate) const GAP: &str = "-- GAP:";

/// What a statement may read.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs<'a> {
    /// The job's inputs.
    pub names: BTreeSet<&'a str>,
    /// Those whose cells are handed on with decimal points, though the files have commas.
    pub with_points: BTreeSet<&'a str>,
}

impl<'a> Inputs<'a> {
    /// One input, whose numbers are as its files write them.
    pub(super) fn only(name: &'a str) -> Self {
        Self { names: BTreeSet::from([name]), ..Self::default() }
    }
}

/// Checks a statement against the job's inputs, and against what it is for where that is given.
pub(super) fn check(text: &str, inputs: &Inputs<'_>, purpose: Option<Purpose<'_>>) -> Result<(), Refusal> {
    let statements = sql_parse::parse(text)?.statements;
    let [Statement::Query(query)] = statements.as_slice() else {
        let message = match statements.as_slice() {
            [] => "there is no statement".to_owned(),
            [other] => format!("{} is not a SELECT", first_words(&other.to_string())),
            several => format!("there are {} statements", several.len()),
        };
        return Err(Refusal { line: 0, message, help: ONE_SELECT.to_owned() });
    };
    match check_query(query, text, inputs, purpose) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn check_query(query: &Query, text: &str, inputs: &Inputs<'_>, purpose: Option<Purpose<'_>>) -> ControlFlow<Refusal> {
    let mut names = Names::default();
    let _: ControlFlow<Refusal> = query.visit(&mut names);
    query.visit(&mut Check { text, inputs: &inputs.names, named: &names.named })?;
    sql_habits::check(query)?;
    query.visit(&mut Qualifiers::default())?;
    sql_groups::check(query)?;
    sql_joins::check(query)?;
    sql_outputs::check(query, inputs, purpose)
}

/// The gaps of a draft: where a mark stands, and what is wanted there.
pub(super) fn gaps(text: &str) -> Vec<Refusal> {
    let marked = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, line.split_once(GAP)?.1.trim())));
    let refusal = |(line, wanted): (usize, &str)| {
        let help = format!("{wanted}; then take the mark {GAP:?} away").trim_start_matches("; ").to_owned();
        Refusal { line, message: "a gap is left to fill".to_owned(), help }
    };
    marked.map(refusal).collect()
}

/// The names that WITH gives.
#[derive(Default)]
struct Names {
    named: BTreeSet<String>,
}

impl Visitor for Names {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        self.named.extend(query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| cte.alias.name.value.clone()));
        ControlFlow::Continue(())
    }
}

struct Check<'a> {
    text: &'a str,
    inputs: &'a BTreeSet<&'a str>,
    named: &'a BTreeSet<String>,
}

impl Check<'_> {
    /// The line on which a name stands: the parser does not keep that of a name in quotes.
    fn line_of(&self, name: &ObjectName) -> usize {
        let written = name.to_string();
        let searched = || self.text.split_once(&written).map_or(0, |(before, _)| before.matches('\n').count() + 1);
        match line_of(name) {
            0 => searched(),
            line => line,
        }
    }

    fn declared(&self) -> String {
        format!("inputs of this job: {}", self.inputs.iter().copied().collect::<Vec<_>>().join(", "))
    }
}

impl Visitor for Check<'_> {
    type Break = Refusal;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<Refusal> {
        // The whole is a query; a statement within one is an INSERT or its like.
        let message = format!("{} is not a SELECT", first_words(&statement.to_string()));
        ControlFlow::Break(Refusal { line: 0, message, help: "a source only reads".to_owned() })
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        // polars would read the input, not what WITH makes, and say nothing.
        let names = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| &cte.alias.name);
        if let Some(name) = names.into_iter().find(|name| self.inputs.contains(name.value.as_str())) {
            let line = usize::try_from(name.span.start.line).unwrap_or(0);
            let message = format!("WITH gives {name} the name of an input");
            return ControlFlow::Break(Refusal { line, message, help: "give it another name".to_owned() });
        }
        match query.body.as_ref() {
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                let message = format!("{} is not a SELECT", first_words(&query.body.to_string()));
                ControlFlow::Break(Refusal { line: 0, message, help: "a source only reads".to_owned() })
            }
            SetExpr::Table(table) => {
                let name = table.table_name.clone().unwrap_or_default();
                let message = format!("TABLE {name} is not a SELECT");
                ControlFlow::Break(Refusal { line: 0, message, help: format!("SELECT * FROM {name}") })
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        // The engine would read the input's columns, and not what the subquery gives.
        if let TableFactor::Derived { alias: Some(alias), .. } = factor
            && self.inputs.contains(alias.name.value.as_str())
        {
            let message = format!("AS {} gives a subquery the name of an input", alias.name);
            return ControlFlow::Break(Refusal::at(alias.name.span.start, &message, "give it another name".to_owned()));
        }
        let (line, called) = match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                (self.line_of(name), name.to_string())
            }
            TableFactor::TableFunction { expr, .. } => (0, first_words(&expr.to_string())),
            _ => return ControlFlow::Continue(()),
        };
        let message = format!("{called}(…) reads what the job does not declare");
        let help = format!("name the files under [inputs] of the job; {}", self.declared());
        ControlFlow::Break(Refusal { line, message, help })
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
        for (at, argument) in list.args.iter().enumerate() {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(given)) = argument else { continue };
            if let Some((message, help)) = fault_of_constant(&function.name.to_string(), at, written_out(given)) {
                return ControlFlow::Break(Refusal::at(given.span().start, &message, help));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Refusal> {
        let name = match relation.0.as_slice() {
            [only] => only.as_ident().map(|ident| ident.value.clone()),
            _ => None,
        };
        if name.as_ref().is_some_and(|name| self.inputs.contains(name.as_str()) || self.named.contains(name)) {
            return ControlFlow::Continue(());
        }
        let message = format!("{relation} is neither an input of the job nor a name that WITH gives");
        ControlFlow::Break(Refusal { line: self.line_of(relation), message, help: self.declared() })
    }
}

/// A text or number that stands in the statement itself.
fn written_out(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.clone()),
            other => other.clone().into_string(),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => written_out(expr).map(|number| format!("-{number}")),
        Expr::Nested(inner) => written_out(inner),
        _ => None,
    }
}

/// The tables that a column may be named by, from the outermost SELECT to the one at hand.
#[derive(Default)]
struct Qualifiers {
    within: Vec<Within>,
}

enum Within {
    /// The tables of a SELECT.
    Select(Vec<String>),
    /// A SELECT in FROM, which does not see the tables beside it.
    Derived,
}

/// What the tables of a FROM are called, each by its alias too.
fn tables_of(from: &[TableWithJoins]) -> Vec<String> {
    let factors =
        from.iter().flat_map(|part| std::iter::once(&part.relation).chain(part.joins.iter().map(|j| &j.relation)));
    factors.flat_map(names_of_factor).collect()
}

fn names_of_factor(factor: &TableFactor) -> Vec<String> {
    let (mut names, alias) = match factor {
        TableFactor::Table { name, alias, .. } => (
            name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).into_iter().collect(),
            alias,
        ),
        TableFactor::NestedJoin { table_with_joins, alias } => {
            (tables_of(std::slice::from_ref(table_with_joins.as_ref())), alias)
        }
        TableFactor::Derived { alias, .. } => (Vec::new(), alias),
        _ => return Vec::new(),
    };
    names.extend(alias.iter().map(|alias| alias.name.value.clone()));
    names
}

impl Visitor for Qualifiers {
    type Break = Refusal;

    // What orders a query stands outside its SELECT, and speaks of its tables.
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
        let tables = match query.body.as_ref() {
            SetExpr::Select(select) => tables_of(&select.from),
            _ => Vec::new(),
        };
        self.within.push(Within::Select(tables));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Refusal> {
        self.within.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
        self.within.push(Within::Select(tables_of(&select.from)));
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<Refusal> {
        self.within.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        if matches!(factor, TableFactor::Derived { .. }) {
            self.within.push(Within::Derived);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        if matches!(factor, TableFactor::Derived { .. }) {
            self.within.pop();
        }
        ControlFlow::Continue(())
    }

    // polars would take the column of any table that has one of that name, and say nothing.
    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        let Expr::CompoundIdentifier(parts) = expr else { return ControlFlow::Continue(()) };
        let [table, _] = parts.as_slice() else { return ControlFlow::Continue(()) };
        let visible: Vec<&str> = self
            .within
            .iter()
            .rev()
            .map_while(|within| if let Within::Select(names) = within { Some(names) } else { None })
            .flatten()
            .map(String::as_str)
            .collect();
        // What orders a UNION names columns alone.
        if visible.is_empty() || visible.iter().any(|name| name.eq_ignore_ascii_case(&table.value)) {
            return ControlFlow::Continue(());
        }
        let message = format!("{expr} is of a table that is not in FROM here");
        let help = format!("tables that are there: {}; join {table} first, or name one of them", visible.join(", "));
        ControlFlow::Break(Refusal::at(table.span.start, &message, help))
    }
}

fn line_of(name: &ObjectName) -> usize {
    let line = |ident: &Ident| usize::try_from(ident.span.start.line).unwrap_or(0);
    name.0.first().and_then(|part| part.as_ident()).map_or(0, line)
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `items` the files have decimal commas.
    fn inputs() -> Inputs<'static> {
        Inputs { names: BTreeSet::from(["orders", "items"]), with_points: BTreeSet::from(["items"]) }
    }

    fn checked(text: &str) -> Result<(), Refusal> {
        check(text, &inputs(), None)
    }

    fn checked_for(table: &str, text: &str) -> Result<(), Refusal> {
        let purpose = Purpose { table: crate::contract::table(table).unwrap(), from: "orders" };
        check(text, &inputs(), Some(purpose))
    }

    #[test]
    fn decimal_commas_are_not_read_where_the_cells_have_points_already() {
        for text in [
            "SELECT minor_units(price, 'EUR', ',') AS p FROM items",
            "SELECT to_number(REPLACE(i.price, ' ', ''), ',') AS p FROM orders AS o JOIN items AS i ON o.id = i.id",
            "WITH w AS (SELECT *, price AS paid FROM items) SELECT MINOR_UNITS(paid, 'EUR', ',') AS p FROM w",
            "WITH w AS (SELECT o.*, i.price AS paid FROM orders AS o JOIN items AS i ON o.id = i.id) SELECT to_number(paid, ',') AS p FROM w",
            "SELECT TRY_CAST(REPLACE(TRIM(REPLACE(price, '.', '')), ',', '.') AS DOUBLE) AS p FROM items",
            "SELECT s.p FROM (SELECT SUM(to_number(price, ',')) AS p FROM items) AS s",
            "SELECT id FROM orders WHERE id IN (SELECT id FROM items WHERE to_number(price, ',') > 0)",
        ] {
            let refusal = checked(text).unwrap_err();
            assert!(refusal.line == 1 && refusal.message.contains("input \"items\""), "{text}: {refusal:?}");
            assert!(refusal.help.contains("leave ',' out here, "), "{refusal:?}");
        }
        for text in [
            "SELECT minor_units(price, 'EUR') AS p, to_number(price, '.') AS n FROM items",
            "SELECT REPLACE(tax_id, '.', '') AS id, REPLACE(price, ',', '.') AS p FROM items",
            "SELECT to_number(o.total, ',') AS p FROM orders AS o JOIN items AS i ON o.id = i.id",
            "WITH w AS (SELECT o.*, i.price AS paid FROM orders AS o JOIN items AS i ON o.id = i.id) SELECT to_number(total, ',') AS p FROM w",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_join_on_anything_but_columns_of_both_tables_is_refused() {
        let joined =
            |on: &str| checked(&format!("SELECT o._file, o._row FROM orders AS o LEFT JOIN items AS e ON {on}"));
        for sound in
            ["o.id = e.id", "o.id = e.id AND (e.day <= o.day)", "CAST(o.id AS VARCHAR) = LOWER(e.id)", "id = number"]
        {
            assert_eq!(joined(sound), Ok(()), "{sound}");
        }
        for (wrong, told) in [
            ("o.id = e.id AND e.kind = 'refund'", "e.kind = 'refund' in ON"),
            ("o.id = e.id AND 'refund' = e.kind", "'refund' = e.kind in ON"),
            ("o.id = e.id AND e.kind IN ('refund')", "e.kind IN ('refund') in ON"),
            ("o.id = e.id OR o.other = e.id", "OR"),
            ("o.id = o.other", "o.id = o.other"),
        ] {
            let refusal = joined(wrong).unwrap_err();
            assert!(refusal.message.contains(told) && refusal.line == 1, "{refusal:?}");
        }
        let refusal = joined("o.id = e.id AND e.kind = 'refund'").unwrap_err();
        assert!(refusal.help.contains("(SELECT * FROM items WHERE kind = 'refund') AS e"), "{}", refusal.help);
        assert!(joined("o.id = e.id AND o.kind = 'sale'").unwrap_err().help.contains("WHERE"));
        // A subquery by the name of an input would be read as that.
        let text =
            "SELECT o._file, o._row FROM orders AS o\nLEFT JOIN (SELECT id FROM items) AS items ON o.id = items.id";
        let refusal = checked(text).unwrap_err();
        assert!(refusal.line == 2 && refusal.message.contains("AS items gives a subquery"), "{refusal:?}");
    }

    #[test]
    fn rows_of_another_input_are_refused_wherever_they_come_from() {
        for (text, line, column) in [
            ("SELECT _file, _row FROM items", 1, 8),
            ("SELECT _file, _row FROM orders UNION ALL\nSELECT _file, _row FROM items", 2, 8),
            ("SELECT * FROM orders UNION ALL\nSELECT * FROM items", 2, 8),
            ("SELECT *, a AS order_id FROM orders UNION ALL\nSELECT _file, _row, a FROM items", 2, 8),
            ("SELECT * FROM (SELECT * FROM orders UNION\n SELECT * FROM items) AS both", 2, 9),
            (
                "WITH both AS (SELECT _file, _row FROM orders UNION ALL\nSELECT _file, _row FROM items)\nSELECT * FROM both",
                2,
                8,
            ),
            ("SELECT items._file, items._row FROM orders JOIN items ON orders.id = items.id", 1, 8),
            ("SELECT orders._file, i._row FROM orders JOIN items AS i ON orders.id = i.id", 1, 22),
            ("SELECT i._file,\n orders._row FROM orders JOIN (SELECT * FROM items) AS i USING (id)", 2, 39),
            ("SELECT _file, _row FROM items JOIN orders ON orders.id = items.id", 1, 8),
            ("SELECT orders.*, \"_row:items\" AS _row FROM orders JOIN items USING (id)", 1, 18),
            ("SELECT \"_file:items\" AS _file, _row FROM orders JOIN items USING (id)", 1, 8),
            ("SELECT COALESCE(orders._file, items._file) AS _file, _row FROM orders JOIN items USING (id)", 1, 31),
            (
                "WITH i AS (SELECT _file AS f, _row AS r, id FROM items)\nSELECT f AS _file, r AS _row FROM orders JOIN i USING (id)",
                1,
                19,
            ),
            ("SELECT _file, _row FROM orders UNION ALL SELECT _row, _file FROM orders", 1, 49),
            ("SELECT _file, _row FROM orders UNION ALL BY NAME SELECT _row, _file FROM items", 1, 63),
        ] {
            let refusal = checked_for("orders", text).expect_err(text);
            assert!(refusal.message.starts_with(&format!("column {column}: ")), "{text}: {refusal:?}");
            assert_eq!(refusal.line, line, "{text}: {refusal:?}");
        }
        for text in [
            "SELECT * FROM orders",
            "SELECT _file, _row, a AS order_id FROM orders UNION ALL SELECT _file, _row, b FROM orders",
            "SELECT * FROM orders UNION ALL SELECT * FROM orders WHERE a = 1",
            "SELECT _file, _row FROM orders JOIN items ON orders.id = items.id",
            "SELECT * EXCLUDE (_file) FROM orders",
            "SELECT MIN(o._file) AS _file, MIN(o._row) AS _row FROM orders AS o JOIN items USING (id) GROUP BY o.id",
            "WITH i AS (SELECT * FROM items), o AS (SELECT * FROM orders) SELECT o._file, o._row FROM o JOIN i USING (id)",
            "SELECT _file, _row FROM orders WHERE id IN (SELECT _row FROM items)",
            "SELECT _file, _row FROM orders EXCEPT SELECT _file, _row FROM items",
        ] {
            assert_eq!(checked_for("orders", text), Ok(()), "{text}");
        }
    }

    #[test]
    fn columns_that_the_contract_lacks_are_refused_where_they_are_named() {
        for (text, column, near) in [
            ("SELECT _file, _row, a AS group_id, b AS left_on FROM orders", 41, Some("left_at")),
            ("SELECT _file, _row, a AS group_id, left_on FROM orders", 36, Some("left_at")),
            ("SELECT *, b AS zzz FROM orders", 16, None),
            ("SELECT _file, _row, UPPER(left_on) FROM orders", 21, None),
            (
                "SELECT _file, _row, b AS left_on FROM orders UNION ALL SELECT _file, _row, b FROM orders",
                26,
                Some("left_at"),
            ),
        ] {
            let refusal = checked_for("guarantee_groups", text).expect_err(text);
            assert!(refusal.message.starts_with(&format!("column {column}: ")), "{text}: {refusal:?}");
            assert_eq!(refusal.help.split_once("there is \"").and_then(|h| h.1.split_once('"')).map(|h| h.0), near);
        }
        for text in [
            "SELECT *, b AS left_at FROM orders",
            "SELECT * FROM (SELECT _file, _row, a AS anything FROM orders) AS x",
            "SELECT _file, _row, b AS _note, UPPER(group_id) FROM orders",
            "SELECT _file, _row, row_number() OVER (PARTITION BY a ORDER BY b) AS place FROM orders QUALIFY place = 1",
        ] {
            assert_eq!(checked_for("guarantee_groups", text), Ok(()), "{text}");
        }
    }

    #[test]
    fn aggregates_of_the_whole_table_do_not_stand_beside_rows() {
        for (text, column, words) in [
            ("SELECT id, MAX(at) AS at FROM orders", 12, "MAX(at) is one value of all rows, and id"),
            ("SELECT *, COUNT(*) AS n FROM orders", 11, "and * beside it"),
            ("SELECT CASE WHEN at = MAX(at) THEN 1 END AS x FROM orders", 23, "and at beside it"),
            ("WITH a AS (SELECT id, SUM(n) AS n FROM orders) SELECT * FROM a", 23, "SUM(n)"),
            ("SELECT id FROM orders WHERE COUNT(*) > 1", 29, "WHERE looks at one row"),
            ("SELECT id FROM orders WHERE n > 1 AND SUM(n) > 1 GROUP BY id", 39, "HAVING"),
            ("SELECT MAX(n) AS n, ROW_NUMBER() OVER (ORDER BY n) AS x FROM orders", 8, "MAX(n)"),
        ] {
            let refusal = checked(text).expect_err(text);
            assert!(refusal.message.starts_with(&format!("column {column}: ")), "{text}: {refusal:?}");
            assert!(format!("{} {}", refusal.message, refusal.help).contains(words), "{text}: {refusal:?}");
        }
        for text in [
            "SELECT id, MAX(at) OVER (PARTITION BY id) AS at FROM orders",
            "SELECT id, SUM(COUNT(*)) OVER () AS n FROM orders GROUP BY id",
            "SELECT id, MAX(at) AS at FROM orders GROUP BY id HAVING COUNT(*) > 1",
            "SELECT MIN(_file) AS _file, MIN(_row) AS _row, MAX(at) AS at, 'x' AS kind FROM orders",
            "SELECT id FROM orders WHERE at IN (SELECT MAX(at) FROM items)",
            "WITH last AS (SELECT MAX(at) AS at FROM orders) SELECT id FROM orders JOIN last ON orders.at = last.at",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn arguments_that_no_column_may_give_are_written_out() {
        for (call, column, words) in [
            ("regexp_replace(a, b, 'x')", 26, "argument 2 of regexp_replace"),
            ("try_strptime(a, '%Y', b)", 30, "argument 3 of try_strptime"),
            ("date_trunc(b, a)", 19, "argument 1"),
            ("minor_units(a, 'EUR', b)", 30, "argument 3"),
            ("minor_units(a, 'euro')", 23, "not a currency"),
            ("regexp_extract(a, 'x', b)", 31, "argument 3"),
        ] {
            let refusal = checked(&format!("SELECT {call} FROM orders")).expect_err(call);
            assert!(refusal.message.starts_with(&format!("column {column}: ")), "{call}: {refusal:?}");
            assert!(refusal.message.contains(words), "{call}: {refusal:?}");
        }
        assert_eq!(checked("SELECT minor_units(a, currency), regexp_extract(a, 'x', 1) FROM orders"), Ok(()));
    }

    #[test]
    fn selects_over_inputs_pass() {
        for text in [
            "SELECT * FROM orders",
            "SELECT o._file, o._row FROM orders AS o LEFT JOIN items ON o.id = items.id;",
            "WITH pairs AS (SELECT DISTINCT id FROM items), more AS (SELECT * FROM pairs) SELECT * FROM orders JOIN more USING (id)",
            "SELECT * FROM orders WHERE id IN (SELECT id FROM items) -- FROM read_csv('x')",
            "SELECT 'FROM read_csv(1)' AS a, \"items\".b FROM \"items\" /* nowhere */",
            "SELECT * FROM orders UNION ALL SELECT * FROM items",
            "SELECT a, FROM orders",
            "SELECT * FROM (SELECT * FROM orders) AS o",
            "SELECT o.id, items.b FROM orders AS o LEFT JOIN items ON o.id = items.id ORDER BY o.id",
            "SELECT orders.id FROM orders WHERE orders.id IN (SELECT items.id FROM items WHERE items.b = orders.b)",
            "WITH more AS (SELECT items.id FROM items) SELECT more.id FROM (SELECT orders.id FROM orders) AS o JOIN more ON o.id = more.id",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn gaps_are_found_with_what_is_wanted() {
        let found =
            gaps("SELECT\n    NULL AS id,  -- GAP: the order\n    1 AS x,\n    NULL AS at  -- GAP:\nFROM orders");
        let seen: Vec<_> = found.iter().map(|gap| (gap.line, gap.help.contains("the order"))).collect();
        assert_eq!(seen, [(2, true), (4, false)]);
        assert_eq!(gaps("SELECT * FROM orders -- a gap"), []);
    }

    #[test]
    fn everything_else_is_refused_with_its_line() {
        for (text, line, word) in [
            ("SELECT *\nFROM read_csv('/any/path')", 2, "read_csv"),
            ("SELECT * FROM orders\nLEFT JOIN READ_PARQUET('x') AS p ON true", 2, "READ_PARQUET"),
            ("WITH a AS (\nSELECT * FROM\nread_ipc('x')) SELECT * FROM a", 3, "read_ipc"),
            ("SELECT * FROM orders WHERE id IN (SELECT id\nFROM read_json('x'))", 2, "read_json"),
            ("SELECT * FROM orders UNION ALL\nSELECT * FROM nowhere", 2, "nowhere"),
            ("SELECT * FROM 'file.csv'", 1, "file.csv"),
            ("SELECT * FROM other.orders", 1, "other.orders"),
            ("SELECT * FROM orders; SELECT * FROM items", 0, "2 statements"),
            ("WITH items AS (\nSELECT * FROM orders) SELECT * FROM items", 1, "the name of an input"),
            (
                "SELECT * FROM (\nWITH orders AS (SELECT * FROM items) SELECT * FROM orders) AS o",
                2,
                "the name of an input",
            ),
            ("SELECT orders.id,\n    items.b FROM orders", 2, "column 5: items.b"),
            ("SELECT *\nFROM orders JOIN (SELECT a.id FROM items) AS a ON a.id = orders.id", 2, "a.id is of a table"),
            ("SELECT * FROM orders WHERE id IN (SELECT nowhere.id FROM items)", 1, "nowhere.id"),
            ("SELECT id FROM orders UNION ALL SELECT orders.id FROM items", 1, "orders.id"),
            ("DROP TABLE orders", 0, "DROP TABLE"),
            ("INSERT INTO orders VALUES (1)", 0, "INSERT INTO"),
            ("DELETE FROM orders", 0, "DELETE FROM"),
            ("CREATE TABLE x AS SELECT * FROM orders", 0, "CREATE TABLE"),
            ("SHOW TABLES", 0, "SHOW TABLES"),
            ("-- nothing", 0, "no statement"),
            ("SELECT *\nFROM orders\nWHERE (", 3, "expression"),
        ] {
            let refusal = checked(text).unwrap_err();
            assert!(refusal.message.contains(word), "{text}: {refusal:?}");
            assert!(refusal.line == line || word == "expression", "{text}: {refusal:?}");
        }
    }
}
