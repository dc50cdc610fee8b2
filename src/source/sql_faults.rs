//! Which parts of a statement the engine refuses, and why, in the writer's terms.
//!
//! The engine names no place and stops at its first fault. So where it refuses a statement, the parts are tried one by one over inputs without rows, down to
//! the smallest that fails.

use std::collections::BTreeSet;

use polars::prelude::{DataFrame, DataType, IntoLazy, PlSmallStr, PolarsError, PolarsResult};
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, Spanned, Statement, TableFactor,
    UnaryOperator, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Location;

use super::sql_functions::is_own_function;
use super::sql_reference::{ROW_FUNCTIONS, ROWS_FUNCTIONS};
use super::sql_walk::{Step, each_outside_queries, walk_outside_queries};
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
    let ran = trial.run(text);
    let Err(error) = ran else {
        trial.operands(text);
        return trial.faults;
    };
    match sql_parse::parse(text) {
        Ok(parsed) => {
            if let [Statement::Query(query)] = parsed.statements.as_slice() {
                trial.query(query);
            }
        }
        Err(refusal) => trial.faults.push(Fault { line: 0, column: 0, message: refusal.message }),
    }
    if trial.faults.is_empty() {
        trial.operands(text);
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

    /// Tells operands that the engine takes and makes null of, and those that it refuses once there are rows.
    fn operands(&mut self, text: &str) {
        let Ok(parsed) = sql_parse::parse(text) else { return };
        let is_doubtful = text.contains('+') || text.to_lowercase().contains(UNNEST);
        if let ([Statement::Query(query)], true) = (parsed.statements.as_slice(), is_doubtful) {
            self.operands_of_query(query);
        }
    }

    fn operands_of_query(&mut self, query: &Query) {
        let tables = self.tables.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.operands_of_query(&cte.query);
            if let Ok(rows) = self.run(&cte.query.to_string()) {
                self.tables.push((cte.alias.name.value.clone(), rows));
            }
        }
        self.operands_of_body(&query.body);
        self.tables.truncate(tables);
    }

    fn operands_of_body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Query(query) => self.operands_of_query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.operands_of_body(left);
                self.operands_of_body(right);
            }
            SetExpr::Select(select) => {
                for query in queries_in_from(select) {
                    self.operands_of_query(query);
                }
                let rows = all_rows_of(select);
                for (expr, place) in doubtful_in(select) {
                    let parts = parts_of(&expr);
                    let is_text = |part: &Expr| self.kind(&rows, part).is_ok_and(|kind| kind == DataType::String);
                    match parts.as_slice() {
                        [left, right] if is_text(left) && is_text(right) => self.tell(place, sum_of_texts(left, right)),
                        [list] if is_text(list) => self.tell(place, unnest_of_text(list)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
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
                match query.body.as_ref() {
                    SetExpr::Select(select) if self.is_of_qualify(select) => {
                        let place =
                            select.qualify.as_ref().map_or(Location::empty(), |condition| condition.span().start);
                        let message = "QUALIFY takes what SELECT gives: number the rows in WITH, row_number() OVER (PARTITION BY … ORDER BY …) AS place, and keep place = 1 in WHERE";
                        self.tell(place, message.to_owned());
                    }
                    body => self.tell(body.span().start, plain(&error)),
                }
            }
        }
        self.tables.truncate(tables);
    }

    /// Whether a SELECT runs but for its QUALIFY.
    fn is_of_qualify(&self, select: &Select) -> bool {
        let without = Select { qualify: None, ..select.clone() };
        select.qualify.is_some() && self.run(&without.to_string()).is_ok()
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
        let rows = all_rows_of(select);
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
                        self.tell(expr.span().start, not_of_group(expr));
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
                    let known = self.tables.iter().flat_map(|(_, rows)| rows.get_column_names_owned());
                    let why = sql_run::with_nearest_name(plain(&error), &known.collect::<Vec<_>>());
                    return self.tell(factor.span().start, format!("{} cannot be joined: {why}", short(factor)));
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
            Expr::Identifier(name) => {
                let near = self.nearest_column(rows, name);
                let hint = if near.is_none() { text_hint(name) } else { String::new() };
                unknown_column(name, near.as_deref()) + &hint
            }
            Expr::CompoundIdentifier(names) => match names.last() {
                Some(name) => unknown_column(name, self.nearest_column(rows, name).as_deref()),
                None => plain(error),
            },
            _ => fault_of_expr(expr, &parts, &kinds, error),
        };
        self.tell(expr.span().start, message);
    }

    fn nearest_column(&self, rows: &Select, name: &Ident) -> Option<String> {
        let columns = self.run(&rows.to_string()).unwrap_or_default();
        let known = columns.get_column_names().into_iter().map(PlSmallStr::as_str);
        sql_run::nearest_name(&name.value, known).map(str::to_owned)
    }

    /// The type of an expression.
    fn kind(&self, rows: &Select, expr: &Expr) -> PolarsResult<DataType> {
        let item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new("it") };
        let alone = Select { projection: vec![item], ..rows.clone() };
        Ok(self.run(&alone.to_string())?.column("it")?.dtype().clone())
    }
}

fn unknown_column(name: &Ident, near: Option<&str>) -> String {
    let near = near.map_or(String::new(), |near| format!("; there is {near:?}"));
    format!("no column {:?} is in FROM here{near}", name.value)
}

/// How a text is written, for a name alone that may be meant as one.
fn text_hint(name: &Ident) -> String {
    if name.value.contains('\'') {
        String::new()
    } else {
        format!("; a text stands in single quotes: '{}'", name.value)
    }
}

/// A value that differs within the groups of a GROUP BY.
fn not_of_group(expr: &Expr) -> String {
    let written = short(expr);
    if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
        format!(
            "{written} differs within a group of GROUP BY: name it there too, or take MIN({written}); where every row is to stay, compute sums in WITH with GROUP BY, and \
             join them to the rows"
        )
    } else {
        format!("{written} is not one value of a group of GROUP BY: compute it in WITH, and group by its column")
    }
}

/// All rows of a SELECT, nothing made of them.
fn all_rows_of(select: &Select) -> Select {
    Select {
        distinct: None,
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        ..select.clone()
    }
}

/// The function of the engine that makes rows of a list.
const UNNEST: &str = "unnest";

/// Sums and unnested lists in the values and conditions of a SELECT, without those of queries within it.
fn doubtful_in(select: &Select) -> Vec<(Expr, Location)> {
    let mut doubtful = Vec::new();
    let mut see = |expr: &Expr| {
        let is_meant = match expr {
            Expr::BinaryOp { op: BinaryOperator::Plus, .. } => true,
            Expr::Function(function) => function.name.to_string().eq_ignore_ascii_case(UNNEST),
            _ => false,
        };
        if is_meant {
            doubtful.push((expr.clone(), expr.span().start));
        }
    };
    each_outside_queries(&select.projection, &mut see);
    each_outside_queries(&select.selection, &mut see);
    each_outside_queries(&select.group_by, &mut see);
    each_outside_queries(&select.having, &mut see);
    doubtful
}

fn unnest_of_text(list: &Expr) -> String {
    let list = short(list);
    format!("{list} is text, and unnest takes a list: string_to_array({list}, separator) makes one of text")
}

fn sum_of_texts(left: &Expr, right: &Expr) -> String {
    let (left, right) = (short(left), short(right));
    format!(
        "{left} is text and {right} is text: + adds numbers, as to_number({left}) gives; {left} || {right} joins texts"
    )
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
    let (mut depth, mut found) = (0_usize, Vec::new());
    walk_outside_queries(expr, |step| match step {
        Step::Enter(part) => {
            if depth == 1 {
                found.push(part.clone());
            }
            depth += 1;
        }
        Step::Leave(_) => depth -= 1,
    });
    found
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
        Expr::Like { .. } | Expr::ILike { .. } | Expr::RLike { .. } => meets("LIKE takes texts: CAST(x AS VARCHAR)"),
        Expr::InSubquery { .. } => Some(format!(
            "{written} is not understood within another expression: LEFT JOIN (SELECT DISTINCT id FROM other WHERE …) AS e ON o.id = e.id, and ask e.id IS NOT NULL"
        )),
        Expr::Between { .. } | Expr::InList { .. } => {
            let named = parts.iter().zip(kinds).take(3);
            let named: Vec<String> =
                named.map(|(part, kind)| format!("{} is {}", short(part), kind_in_words(kind))).collect();
            Some(format!("{}: values of one type are compared; {}", named.join(", "), cast(parts, kinds)))
        }
        Expr::Cast { data_type, .. } => kinds.first().map(|kind| {
            let types = "types: BIGINT, DOUBLE (of decimals too; minor_units(x, currency) makes exact amounts), VARCHAR, DATE, TIMESTAMP, BOOLEAN";
            format!("{} cannot become {data_type} here; {types}", kind_in_words(kind))
        }),
        Expr::Extract { field, expr: of, .. } if kinds.first() == Some(&DataType::String) => {
            Some(format!("{} is text: EXTRACT({field} FROM try_timestamp({}))", short(of), short(of)))
        }
        Expr::Array(list) => {
            list.elem.first().filter(|only| list.elem.len() == 1 && matches!(only, Expr::Identifier(_))).map(|only| {
                format!("{written} is a list: a column whose name needs quotes stands in double ones, \"{only}\"")
            })
        }
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
    let words = plain(error);
    let is_text = kinds.first() == Some(&DataType::String) || kinds.last() == Some(&DataType::String);
    let words = match function.name {
        _ if words.contains("mixed asc/desc") => {
            "ORDER BY in OVER has one direction for all of its columns: DESC after each or none; a number turns round as -1 * x".to_owned()
        }
        "date_part" if is_text => "a time is needed: date_part('year', try_timestamp(x))".to_owned(),
        "sum" | "avg" | "median" if is_text => "numbers are needed: to_number(x), or try_cast(x AS BIGINT)".to_owned(),
        _ => words,
    };
    format!("{} is given {given}: {words}", function.form)
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
    let written = match text {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    };
    if let (Some(text), true) = (written, other.is_some_and(DataType::is_numeric)) {
        let number = text.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').parse::<f64>().unwrap_or(13.0);
        return format!("numbers are written without quotes, as {number}");
    }
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
            ("SELECT id || 'a' AS x, id + 'a' AS y FROM t", "line 1, column 24: ", "id || 'a' joins texts"),
            (
                "WITH w AS (SELECT id FROM t) SELECT s.id FROM (SELECT id + id AS id FROM w) AS s",
                "line 1, column ",
                "joins texts",
            ),
            ("SELECT id = \"a\" AS x FROM t", "line 1, column 13: ", "single quotes: 'a'"),
            ("SELECT MIN(k) AS k, n FROM t GROUP BY id", "line 1, column 21: ", "MIN(n)"),
            ("SELECT EXTRACT(YEAR FROM d) AS x FROM t", "line 1, column ", "try_timestamp(d)"),
            ("SELECT date_part('year', d) AS x FROM t", "line 1, column 8: ", "try_timestamp(x)"),
            ("SELECT id, unnest(n) AS x FROM t", "line 1, column 12: ", "string_to_array"),
            ("SELECT row_number() OVER (ORDER BY id DESC, k) AS x FROM t", "line 1, column 8: ", "one direction"),
            ("SELECT id AS x FROM t QUALIFY row_number() OVER (ORDER BY id) = 1", "line 1, column ", "in WITH"),
            ("SELECT SUM(n) AS x FROM t", "line 1, column 8: ", "to_number(x)"),
            ("SELECT [id] AS x, k FROM t WHERE [id]", "line 1, column ", "\"id\""),
            ("SELECT id, _row 'p' AS g FROM t", "line 1, column ", "a comma or AS is missing after _row"),
            ("SELECT (SELECT MAX(k) FROM u) AS x FROM t", "line 1, column ", "compute it in WITH"),
            ("SELECT id, SUM(n + 1) AS x FROM t GROUP BY id", "line 1, column 16: ", "takes numbers"),
            ("SELECT t.id, u.idd AS x FROM t JOIN u ON t.id = u.id", "line 1, column 14: ", "there is \"id\""),
            ("SELECT t.id FROM t JOIN u ON t.id = u.idd", "line 1, column ", "cannot be joined"),
            ("SELECT t.id FROM t JOIN u ON t.id = u.idd", "line 1, column ", "there is \"id\""),
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
