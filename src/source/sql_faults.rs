//! Which parts of a statement the engine refuses, and why, in the writer's terms.
//!
//! The engine names no place and stops at its first fault. So where it refuses a statement, the parts are tried one by one over inputs without rows, down to
//! the smallest that fails.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use polars::prelude::{DataFrame, DataType, IntoLazy, PlSmallStr, PolarsError, PolarsResult};
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, Spanned, Statement, TableFactor,
    UnaryOperator, Visit, Visitor, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Location;

use super::sql_functions::is_own_function;
use super::sql_reference::{ROW_FUNCTIONS, ROWS_FUNCTIONS};
use super::{sql_parse, sql_run};

/// A part of a statement that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// 1-based; 0 where the whole is meant.
    pub line: u64,
    /// 1-based.
    pub column: u64,
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}, column {}: {}", self.column, self.message),
        }
    }
}

/// The faults of a statement that runs over tables without rows; none where the engine takes it.
pub(super) fn faults(text: &str, tables: Vec<(String, DataFrame)>) -> Vec<Fault> {
    let mut trial = Trial { tables, faults: Vec::new() };
    let Err(error) = trial.run(text) else { return Vec::new() };
    match sql_parse::parse(text) {
        Ok(parsed) => {
            if let [Statement::Query(query)] = parsed.statements.as_slice() {
                trial.query(query);
            }
        }
        Err(refusal) => trial.faults.push(Fault { line: 0, column: 0, message: refusal.message }),
    }
    if trial.faults.is_empty() {
        trial.tell(Location::empty(), plain(&error));
    }
    let mut faults = trial.faults;
    faults.sort_by_key(|fault| (fault.line, fault.column));
    faults.dedup();
    faults
}

struct Trial {
    /// What can be read: inputs, and what WITH gives.
    tables: Vec<(String, DataFrame)>,
    faults: Vec<Fault>,
}

impl Trial {
    fn run(&self, text: &str) -> PolarsResult<DataFrame> {
        let tables = self.tables.iter().map(|(name, rows)| (name.clone(), rows.clone().lazy()));
        sql_run::execute(text, tables)?.collect()
    }

    fn tell(&mut self, place: Location, message: String) {
        self.faults.push(Fault { line: place.line, column: place.column, message });
    }

    fn query(&mut self, query: &Query) {
        let (tables, faults) = (self.tables.len(), self.faults.len());
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            match self.run(&cte.query.to_string()) {
                Ok(rows) => self.tables.push((cte.alias.name.value.clone(), rows)),
                Err(_) => self.query(&cte.query),
            }
        }
        // What is wrong in WITH makes what comes after fail too.
        if self.faults.len() == faults {
            self.body(&query.body);
        }
        if self.faults.len() == faults {
            let without = Query { with: None, ..query.clone() };
            if let Err(error) = self.run(&without.to_string()) {
                self.tell(query.body.span().start, plain(&error));
            }
        }
        self.tables.truncate(tables);
    }

    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, right, .. } => {
                let faults = self.faults.len();
                self.body(left);
                self.body(right);
                if self.faults.len() > faults {
                    return;
                }
                let (Ok(first), Ok(second)) = (self.run(&left.to_string()), self.run(&right.to_string())) else {
                    return;
                };
                if first.width() != second.width() {
                    let (before, here) = (first.width(), second.width());
                    let message = format!(
                        "{op} joins SELECTs with the same columns: those before have {before}, this one has {here}"
                    );
                    self.tell(right.span().start, message);
                }
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select) {
        let faults = self.faults.len();
        for query in queries_in_from(select) {
            if self.run(&query.to_string()).is_err() {
                self.query(query);
            }
        }
        if self.faults.len() > faults {
            return;
        }
        // All of its rows, nothing made of them.
        let rows = Select {
            distinct: None,
            projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
            selection: None,
            group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
            sort_by: Vec::new(),
            having: None,
            named_window: Vec::new(),
            qualify: None,
            ..select.clone()
        };
        if self.run(&rows.to_string()).is_err() {
            return self.joins(&rows);
        }
        if let Some(condition) = &select.selection {
            self.condition(&rows, condition);
        }
        if let GroupByExpr::Expressions(by, _) = &select.group_by {
            for expr in by {
                // GROUP BY 1 and names that SELECT gives are the engine's to read.
                if !matches!(expr, Expr::Value(_) | Expr::Identifier(_)) {
                    self.value(&rows, expr);
                }
            }
        }
        let grouped =
            Select { group_by: select.group_by.clone(), named_window: select.named_window.clone(), ..rows.clone() };
        let mut names = BTreeSet::new();
        let mut repeated = Vec::new();
        for item in &select.projection {
            let alone = Select { projection: vec![item.clone()], ..grouped.clone() };
            match (self.run(&alone.to_string()), item) {
                (Ok(given), _) => {
                    let mut given = given.get_column_names().into_iter().map(ToString::to_string);
                    repeated
                        .extend(given.find(|name| !names.insert(name.clone())).map(|name| (item.span().start, name)));
                    names.extend(given);
                }
                (Err(error), SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => {
                    let is_grouped = select.group_by != GroupByExpr::Expressions(Vec::new(), Vec::new());
                    if is_grouped && self.kind(&rows, expr).is_ok() {
                        let message = format!(
                            "{} is sound of rows, and cannot be taken as GROUP BY stands here: compute it in WITH, and group by its column",
                            short(expr)
                        );
                        self.tell(expr.span().start, message);
                    } else {
                        self.part(&rows, expr, &error);
                    }
                }
                (Err(error), _) => self.tell(item.span().start, plain(&error)),
            }
        }
        if self.faults.len() == faults {
            for (place, name) in repeated {
                self.tell(place, format!("a second column is called {name:?}: give one of them another name with AS"));
            }
        }
    }

    /// Finds the join that cannot be made.
    fn joins(&mut self, rows: &Select) {
        for (at, table) in rows.from.iter().enumerate() {
            for joined in 0..=table.joins.len() {
                let mut until = rows.clone();
                until.from.truncate(at + 1);
                if let Some(last) = until.from.last_mut() {
                    last.joins.truncate(joined);
                }
                if let Err(error) = self.run(&until.to_string()) {
                    let factor =
                        joined.checked_sub(1).and_then(|join| table.joins.get(join)).map(|join| &join.relation);
                    let factor = factor.unwrap_or(&table.relation);
                    return self
                        .tell(factor.span().start, format!("{} cannot be joined: {}", short(factor), plain(&error)));
                }
            }
        }
    }

    /// Finds what is wrong in a WHERE.
    fn condition(&mut self, rows: &Select, condition: &Expr) {
        let faults = self.faults.len();
        let alone = Select { selection: Some(condition.clone()), ..rows.clone() };
        let Err(error) = self.run(&alone.to_string()) else { return };
        match condition {
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                self.condition(rows, left);
                self.condition(rows, right);
            }
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => self.condition(rows, inner),
            _ => {}
        }
        if self.faults.len() > faults {
            return;
        }
        match self.kind(rows, condition) {
            Ok(kind) if kind != DataType::Boolean => {
                let message = format!("{} is {}, and so it is no condition", short(condition), kind_in_words(&kind));
                self.tell(condition.span().start, message);
            }
            Ok(_) => self.tell(condition.span().start, format!("{}: {}", short(condition), plain(&error))),
            Err(error) => self.part(rows, condition, &error),
        }
    }

    fn value(&mut self, rows: &Select, expr: &Expr) {
        if let Err(error) = self.kind(rows, expr) {
            self.part(rows, expr, &error);
        }
    }

    /// Finds the smallest expressions in one that fails.
    fn part(&mut self, rows: &Select, expr: &Expr, error: &PolarsError) {
        let faults = self.faults.len();
        let parts = parts_of(expr);
        for part in &parts {
            self.value(rows, part);
        }
        if let (Expr::InSubquery { subquery, .. }, true) = (expr, self.faults.len() == faults)
            && self.run(&subquery.to_string()).is_err()
        {
            self.query(subquery);
        }
        if self.faults.len() > faults {
            return;
        }
        let kinds: Vec<DataType> = parts.iter().filter_map(|part| self.kind(rows, part).ok()).collect();
        let message = match expr {
            Expr::Identifier(name) => self.unknown_column(rows, name),
            Expr::CompoundIdentifier(names) => match names.last() {
                Some(name) => self.unknown_column(rows, name),
                None => plain(error),
            },
            _ => fault_of_expr(expr, &parts, &kinds, error),
        };
        self.tell(expr.span().start, message);
    }

    fn unknown_column(&self, rows: &Select, name: &Ident) -> String {
        let columns = self.run(&rows.to_string()).unwrap_or_default();
        let near = sql_run::nearest_name(&name.value, columns.get_column_names().into_iter().map(PlSmallStr::as_str));
        let near = near.map(|near| format!("; there is {near:?}")).unwrap_or_default();
        format!("no column {:?} is in FROM here{near}", name.value)
    }

    /// The type of an expression.
    fn kind(&self, rows: &Select, expr: &Expr) -> PolarsResult<DataType> {
        let item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new("it") };
        let alone = Select { projection: vec![item], ..rows.clone() };
        Ok(self.run(&alone.to_string())?.column("it")?.dtype().clone())
    }
}

/// The queries that stand in a FROM.
fn queries_in_from(select: &Select) -> Vec<&Query> {
    let factors = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|j| &j.relation)));
    factors
        .filter_map(|factor| match factor {
            TableFactor::Derived { subquery, .. } => Some(subquery.as_ref()),
            _ => None,
        })
        .collect()
}

/// The expressions directly within one.
fn parts_of(expr: &Expr) -> Vec<Expr> {
    #[derive(Default)]
    struct Parts {
        depth: usize,
        queries: usize,
        found: Vec<Expr>,
    }
    impl Visitor for Parts {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.queries += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.queries -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if self.depth == 1 && self.queries == 0 {
                self.found.push(expr.clone());
            }
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
    }
    let mut parts = Parts::default();
    let _: ControlFlow<()> = expr.visit(&mut parts);
    parts.found
}

/// What is wrong with an expression whose parts are sound.
fn fault_of_expr(expr: &Expr, parts: &[Expr], kinds: &[DataType], error: &PolarsError) -> String {
    let written = short(expr);
    if let Some(interval) = std::iter::once(expr).chain(parts).find(|part| matches!(part, Expr::Interval(_))) {
        return format!("{} is not understood here: add_months(x, n) and add_days(x, n) add to times", short(interval));
    }
    let meets = |what: &str| match (parts, kinds) {
        ([one, other], [kind, other_kind]) => Some(format!(
            "{} is {} and {} is {}: {what}",
            short(one),
            kind_in_words(kind),
            short(other),
            kind_in_words(other_kind)
        )),
        _ => None,
    };
    let told = match expr {
        Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. } => Some("^ is not understood: pow(x, y)".to_owned()),
        Expr::BinaryOp { op, .. } if is_comparison(op) => {
            meets(&format!("{op} compares values of one type; {}", cast(parts, kinds)))
        }
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            meets(&format!("{op} joins conditions"))
        }
        // Of numbers nothing can be wrong with their types.
        Expr::BinaryOp { op, .. } if !kinds.iter().all(DataType::is_primitive_numeric) => {
            meets(&format!("{op} takes numbers; {}", cast(parts, kinds)))
        }
        Expr::Like { .. } | Expr::ILike { .. } | Expr::RLike { .. } | Expr::SimilarTo { .. } => {
            meets("LIKE takes texts: CAST(x AS VARCHAR)")
        }
        Expr::Between { .. } | Expr::InList { .. } | Expr::InSubquery { .. } => {
            let named = parts.iter().zip(kinds).take(3);
            let named: Vec<String> =
                named.map(|(part, kind)| format!("{} is {}", short(part), kind_in_words(kind))).collect();
            Some(format!("{}: values of one type are compared; {}", named.join(", "), cast(parts, kinds)))
        }
        Expr::Cast { data_type, .. } => kinds.first().map(|kind| {
            let types = "types: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP, BOOLEAN";
            format!("{} cannot become {data_type} here; {types}", kind_in_words(kind))
        }),
        Expr::Exists { .. } => Some("EXISTS is not understood: x IN (SELECT …), or a join".to_owned()),
        Expr::Subquery(_) => {
            Some("a SELECT for one value is not understood here: compute it in WITH, and join that".to_owned())
        }
        Expr::Prefixed { prefix, .. } => Some(format!("a comma or AS is missing after {prefix}")),
        Expr::Function(function) => Some(fault_of_function(&function.name.to_string(), kinds, error)),
        // Functions that SQL has a grammar of its own for.
        Expr::Substring { .. } => Some(fault_of_function("substr", kinds, error)),
        Expr::Trim { .. } => Some(fault_of_function("trim", kinds, error)),
        Expr::Position { .. } => Some(fault_of_function("strpos", kinds, error)),
        Expr::Ceil { .. } => Some(fault_of_function("ceil", kinds, error)),
        Expr::Floor { .. } => Some(fault_of_function("floor", kinds, error)),
        _ => None,
    };
    told.unwrap_or_else(|| format!("{written}: {}", plain(error)))
}

fn fault_of_function(name: &str, kinds: &[DataType], error: &PolarsError) -> String {
    let lower = name.to_lowercase();
    let known = || ROW_FUNCTIONS.iter().chain(&ROWS_FUNCTIONS);
    let Some(function) = known().find(|function| function.name == lower) else {
        let words = plain(error);
        if !words.contains("unsupported function") && !is_own_function(name) {
            return format!("{name}: {words}");
        }
        let near = sql_run::nearest_name(&lower, known().map(|function| function.name));
        let near = near.map(|near| format!("; there is {near}")).unwrap_or_default();
        return format!("there is no function {name}{near}; docs/sql.md lists them");
    };
    let given = kinds.iter().map(kind_in_words).collect::<Vec<_>>().join(", ");
    format!("{} is given {given}: {}", function.form, plain(error))
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, Spaceship};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship)
}

/// How what is text becomes like what is not.
fn cast(parts: &[Expr], kinds: &[DataType]) -> String {
    let text =
        parts.iter().zip(kinds).find(|(part, kind)| **kind == DataType::String && !matches!(part, Expr::Value(_)));
    let text = text.or_else(|| parts.iter().zip(kinds).find(|(_, kind)| **kind == DataType::String));
    let other = kinds.iter().find(|kind| **kind != DataType::String);
    let Some((text, _)) = text else { return "CAST one of them".to_owned() };
    match other {
        Some(DataType::Date) => format!("try_cast({} AS DATE)", short(text)),
        Some(DataType::Datetime(..)) => format!("try_cast({} AS TIMESTAMP)", short(text)),
        Some(DataType::Boolean) => format!("{} = 'true' is a condition", short(text)),
        _ => format!("try_cast({} AS DOUBLE), or to_number", short(text)),
    }
}

fn kind_in_words(kind: &DataType) -> String {
    match kind {
        DataType::String => "text".to_owned(),
        DataType::Boolean => "true or false".to_owned(),
        DataType::Date => "a date".to_owned(),
        DataType::Datetime(..) => "a time".to_owned(),
        DataType::List(_) => "a list".to_owned(),
        DataType::Null => "null".to_owned(),
        kind if kind.is_integer() => "a whole number".to_owned(),
        kind if kind.is_numeric() => "a number".to_owned(),
        other => other.to_string(),
    }
}

/// An expression as it can be told in a line.
fn short(expr: &impl ToString) -> String {
    const LONGEST: usize = 60;
    let text = expr.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    format!("{} …", text.chars().take(LONGEST).collect::<String>())
}

/// The engine's words where they can be told.
fn plain(error: &PolarsError) -> String {
    const INNER: [&str; 8] = ["Span(", " { ", "dyn ", ".alias(", "LazyFrame", "polars", "DataFrame", "Expr"];
    let words = sql_run::in_plain_words(error);
    if INNER.iter().any(|inner| words.contains(inner)) { "it is not understood here".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let rows = df!("id" => ["a"], "n" => ["1"], "k" => [1_i64], "d" => ["2018-01-01"]).unwrap().clear();
        let tables = vec![("t".to_owned(), rows.clone()), ("u".to_owned(), rows)];
        faults(text, tables).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_part_that_fails_is_told_with_its_place_and_in_plain_words() {
        for (text, place, words) in [
            ("SELECT id,\n  n > 2 AS x FROM t", "line 2, column 3: ", "n is text and 2 is a whole number"),
            ("SELECT id FROM t WHERE n > 2", "line 1, column 24: ", "try_cast(n AS DOUBLE)"),
            ("SELECT id FROM t WHERE id = 'a' AND (k = 1 OR n > 2)", "line 1, column 47: ", "try_cast(n AS DOUBLE)"),
            ("SELECT d < try_cast(d AS DATE) AS x FROM t", "line 1, column 8: ", "try_cast(d AS DATE)"),
            ("SELECT n + 1 AS x FROM t", "line 1, column 8: ", "takes numbers"),
            ("SELECT UPPER(n * 2) AS x FROM t", "line 1, column 14: ", "takes numbers"),
            ("SELECT id FROM t WHERE n", "line 1, column 24: ", "n is text"),
            ("SELECT k LIKE '1%' AS x FROM t", "line 1, column 8: ", "k is a whole number"),
            ("SELECT substr(d) AS x FROM t", "line 1, column 15: ", "substr(x, from [, length])"),
            ("SELECT d + INTERVAL '1 month' AS x FROM t", "line 1, column ", "add_months(x, n)"),
            ("SELECT 2 ^ 3 AS x FROM t", "line 1, column 8: ", "pow(x, y)"),
            ("SELECT regex_replace(n, 'a', 'b') AS x FROM t", "line 1, column 8: ", "there is regexp_replace"),
            ("SELECT id, nn AS x FROM t", "line 1, column 12: ", "there is \"n\""),
            ("WITH w AS (\nSELECT idd FROM t) SELECT idd FROM w", "line 2, column 8: ", "there is \"id\""),
            ("SELECT id FROM t UNION ALL\nSELECT idd FROM t", "line 2, column 8: ", "there is \"id\""),
            ("SELECT id FROM (SELECT idd AS id FROM t) AS s", "line 1, column 24: ", "there is \"id\""),
            (
                "SELECT id, n FROM t UNION ALL\nSELECT id FROM t",
                "line 2, column ",
                "those before have 2, this one has 1",
            ),
            ("SELECT id AS x, n AS x FROM t", "line 1, column 17: ", "a second column is called \"x\""),
            ("SELECT id FROM t WHERE EXISTS (SELECT id FROM u)", "line 1, column ", "EXISTS is not understood"),
            ("SELECT id, _row 'p' AS g FROM t", "line 1, column ", "a comma or AS is missing after _row"),
            ("SELECT (SELECT MAX(k) FROM u) AS x FROM t", "line 1, column ", "compute it in WITH"),
            ("SELECT id, SUM(n + 1) AS x FROM t GROUP BY id", "line 1, column 16: ", "takes numbers"),
            ("SELECT t.id, u.idd AS x FROM t JOIN u ON t.id = u.id", "line 1, column 14: ", "there is \"id\""),
            ("SELECT t.id FROM t JOIN u ON t.id = u.idd", "line 1, column ", "cannot be joined"),
        ] {
            let told = told(text);
            let first = told.first().unwrap_or_else(|| panic!("{text} runs"));
            assert!(first.starts_with(place) && first.contains(words), "{text}: {told:?}");
            for inner in ["Span", "polars", "Ident", "dyn int", "lazy", "plan", "\n"] {
                assert!(!first.contains(inner), "{text}: {first}");
            }
        }
    }

    #[test]
    fn several_faults_are_told_at_once_and_sound_statements_have_none() {
        assert_eq!(told("SELECT n + 1 AS a, nn AS b, id FROM t WHERE k").len(), 3);
        assert_eq!(
            told("WITH w AS (SELECT nn FROM t), v AS (SELECT id + 1 AS x FROM u) SELECT * FROM w JOIN v USING (id)")
                .len(),
            2
        );
        assert_eq!(
            told("WITH w AS (SELECT id, SUM(k) AS k FROM t GROUP BY id) SELECT * FROM w WHERE k > 1 ORDER BY k"),
            [""; 0]
        );
    }
}
