//! What a source's SQL may be: one SELECT over the job's inputs, and nothing else.
//!
//! polars would also read any file that a table function names, and drop or empty tables. An input that the job does not declare is in
//! no manifest, so that nobody could say later what a run was made from; such statements are refused before anything runs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SetExpr, Statement, TableFactor, TableWithJoins, Visit, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

/// Marks a place in a SELECT that a person must fill; what is wanted there follows on the line.
pub(crate) const GAP: &str = "-- GAP:";

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// 1-based line of the statement's file; 0 where the whole is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What is allowed.
    pub help: String,
}

/// Checks a statement against the names of the job's inputs.
pub(super) fn check<'a>(text: &str, inputs: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    const ONE_SELECT: &str = "a source is one SELECT over the job's inputs";
    let inputs: BTreeSet<&str> = inputs.collect();
    // As polars parses it.
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let statements = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|e| Refusal { line: line_in(&e.to_string()), message: e.to_string(), help: ONE_SELECT.to_owned() })?;
    let [Statement::Query(query)] = statements.as_slice() else {
        let message = match statements.as_slice() {
            [] => "there is no statement".to_owned(),
            [other] => format!("{} is not a SELECT", first_words(&other.to_string())),
            several => format!("there are {} statements", several.len()),
        };
        return Err(Refusal { line: 0, message, help: ONE_SELECT.to_owned() });
    };
    let mut names = Names::default();
    let _: ControlFlow<Refusal> = query.visit(&mut names);
    let checked = query.visit(&mut Check { text, inputs: &inputs, named: &names.named });
    match if checked.is_continue() { query.visit(&mut Qualifiers::default()) } else { checked } {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
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
        let at = table.span.start;
        let message = format!("column {}: {expr} is of a table that is not in FROM here", at.column);
        let help = format!("tables that are there: {}; join {table} first, or name one of them", visible.join(", "));
        ControlFlow::Break(Refusal { line: usize::try_from(at.line).unwrap_or(0), message, help })
    }
}

fn line_of(name: &ObjectName) -> usize {
    let line = |ident: &Ident| usize::try_from(ident.span.start.line).unwrap_or(0);
    name.0.first().and_then(|part| part.as_ident()).map_or(0, line)
}

/// The line in a parser's words, `… at Line: 3, Column: 7`.
fn line_in(words: &str) -> usize {
    let after = words.rsplit_once("Line: ").map_or("", |(_, after)| after);
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), Refusal> {
        check(text, ["orders", "items"].into_iter())
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
