//! The columns that a SELECT gives: whether the contract has them, and of which input `_file` and `_row` are.
//!
//! Rows are accounted for by file and row of one input. Those of another, joined or put below by UNION, would be booked under files that they are not in.
//! The same walk finds numbers that are read with a decimal mark which their input no longer has.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query,
    RenameSelectItem, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    Spanned, TableAlias, TableFactor, TableWithJoins, Visit, Visitor, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Location;

use super::sql::Inputs;
use super::sql_functions::decimal_mark_of;
use super::sql_parse::Refusal;
use super::sql_run::nearest_name;
use super::sql_walk::each_outside_queries;
use crate::contract::TableContract;

/// The columns by which rows are accounted for.
const LINEAGE: [&str; 2] = ["_file", "_row"];

/// What a SELECT is written for.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub table: &'static TableContract,
    /// The input whose rows are accounted for.
    pub from: &'a str,
}

/// Any column of an input but those by which rows are accounted for.
const OTHER: &str = "";

/// The columns of inputs that a value is made of, by name those by which rows are accounted for, and where each is named.
type Origins = BTreeMap<(String, &'static str), Location>;

/// A column that a query gives.
#[derive(Clone)]
struct Output {
    name: String,
    /// Its place among the columns; unknown after a `*`.
    position: Option<usize>,
    origins: Origins,
    /// Where its name is written; nowhere where it comes of a `*`.
    named_at: Option<Named>,
}

#[derive(Clone)]
struct Named {
    place: Location,
    /// The engine makes the name, of a column in the expression.
    is_made: bool,
}

/// What a query gives.
#[derive(Clone, Default)]
struct Outputs {
    columns: Vec<Output>,
    /// The inputs whose other columns a `*` passes on under their own names.
    rest: BTreeSet<String>,
}

/// A table of a FROM, by the names that it has there.
struct Table {
    names: Vec<String>,
    outputs: Outputs,
}

/// Refuses decimal marks that inputs no longer have and, where it is known what a SELECT is for, columns that the contract lacks, and rows of other inputs than the
/// source's.
pub(super) fn check(query: &Query, inputs: &Inputs<'_>, purpose: Option<Purpose<'_>>) -> ControlFlow<Refusal> {
    let scope = Scope { inputs, named: BTreeMap::new() };
    let outputs = scope.query(query)?.columns;
    let Some(purpose) = purpose else { return ControlFlow::Continue(()) };
    check_lineage(&outputs, purpose.from)?;
    let used = names_used_beside(query);
    for output in &outputs {
        let is_known = purpose.table.column(&output.name).is_some() || output.name.starts_with('_');
        let (Some(named), false) = (&output.named_at, is_known || used.contains(&output.name)) else { continue };
        return ControlFlow::Break(unknown_column(output, named, purpose.table));
    }
    ControlFlow::Continue(())
}

fn unknown_column(output: &Output, named: &Named, table: &TableContract) -> Refusal {
    let columns = table.columns.iter().map(|column| column.name);
    let all = columns.clone().collect::<Vec<_>>().join(", ");
    if named.is_made || output.name.is_empty() {
        let message = format!("this is given to no column of table {:?}", table.name);
        return Refusal::at(named.place, &message, format!("name the column with AS; columns: {all}"));
    }
    let near = nearest_name(&output.name, columns).map(|name| format!(" there is {name:?};"));
    let message = format!("table {:?} has no column {:?}", table.name, output.name);
    let help = format!("{} take it away, or give it the name of a column: {all}", near.unwrap_or_default());
    Refusal::at(named.place, &message, help.trim_start())
}

fn check_lineage(outputs: &[Output], from: &str) -> ControlFlow<Refusal> {
    for wanted in LINEAGE {
        let given = outputs.iter().filter(|output| output.name == wanted);
        let origins = given.flat_map(|output| &output.origins);
        for ((input, column), place) in origins.filter(|((_, column), _)| *column != OTHER) {
            if input != from {
                let message =
                    format!("{wanted} is that of input {input:?}, and this source accounts for the rows of {from:?}");
                let help = format!(
                    "take _file and _row of {from} in every SELECT; rows of {input} that are to be in the table too need a [[source]] of their own, with the same table and from = {input:?}"
                );
                return ControlFlow::Break(Refusal::at(*place, &message, help));
            }
            if *column != wanted {
                let message = format!("{wanted} is made of {column} here");
                let help = "pass _file on as _file and _row as _row; the SELECTs of a UNION have their columns in the same order";
                return ControlFlow::Break(Refusal::at(*place, &message, help));
            }
        }
    }
    ControlFlow::Continue(())
}

/// The names that ORDER BY, QUALIFY and their kin of the outermost query take.
fn names_used_beside(query: &Query) -> BTreeSet<String> {
    let mut names = names_in(&query.order_by);
    if let SetExpr::Select(select) = query.body.as_ref() {
        names.extend(names_in(&select.qualify));
        names.extend(names_in(&select.having));
    }
    names.into_iter().map(|found| found.column).collect()
}

/// A column as an expression names it.
struct ColumnName {
    table: Option<String>,
    column: String,
    place: Location,
}

/// The columns that a part of a statement names, those of queries within it aside.
fn names_in(part: &impl Visit) -> Vec<ColumnName> {
    let mut names = Vec::new();
    each_outside_queries(part, |expr| {
        let (table, column) = match expr {
            Expr::Identifier(column) => (None, column),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] => (Some(table.value.clone()), column),
                _ => return,
            },
            _ => return,
        };
        names.push(ColumnName { table, column: column.value.clone(), place: expr.span().start });
    });
    names
}

/// What can be read where a query stands.
#[derive(Clone)]
struct Scope<'a> {
    inputs: &'a Inputs<'a>,
    /// What WITH gives.
    named: BTreeMap<String, Outputs>,
}

impl Scope<'_> {
    fn query(&self, query: &Query) -> ControlFlow<Refusal, Outputs> {
        let mut scope = self.clone();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let outputs = scope.query(&cte.query)?;
            scope.named.insert(cte.alias.name.value.clone(), outputs);
        }
        scope.body(&query.body)
    }

    fn body(&self, body: &SetExpr) -> ControlFlow<Refusal, Outputs> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (left, right) = (self.body(left)?, self.body(right)?);
                // Other operations give rows of the left side only.
                ControlFlow::Continue(if *op == SetOperator::Union {
                    united(left, right, *set_quantifier)
                } else {
                    left
                })
            }
            _ => ControlFlow::Continue(Outputs::default()),
        }
    }

    fn select(&self, select: &Select) -> ControlFlow<Refusal, Outputs> {
        let mut tables = Vec::new();
        for from in &select.from {
            tables.extend(self.tables(from)?);
        }
        self.check_marks(select, &tables)?;
        let (mut outputs, mut rest) = (Vec::new(), BTreeSet::new());
        let mut position = Some(0);
        for item in &select.projection {
            let (expr, alias) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, None),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
                SelectItem::Wildcard(options) => {
                    outputs.extend(all_of(tables.iter(), options));
                    rest.extend(tables.iter().flat_map(|table| table.outputs.rest.clone()));
                    position = None;
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let called = last_of(name).map_or("", |ident| ident.value.as_str());
                    let meant = || tables.iter().filter(|table| table.is_called(called)).take(1);
                    outputs.extend(all_of(meant(), options));
                    rest.extend(meant().flat_map(|table| table.outputs.rest.clone()));
                    position = None;
                    continue;
                }
                SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => {
                    position = None;
                    continue;
                }
            };
            let names = names_in(expr);
            let (name, place, is_made) = match (alias, expr) {
                (Some(alias), _) => (alias.value.clone(), alias.span.start, false),
                (None, expr) => {
                    let is_made = !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                    let name = names.first().map(|name| name.column.clone()).unwrap_or_default();
                    (name, expr.span().start, is_made)
                }
            };
            let origins = names.iter().flat_map(|name| origins_of(&tables, name)).collect();
            outputs.push(Output { name, position, origins, named_at: Some(Named { place, is_made }) });
            position = position.map(|at| at + 1);
        }
        ControlFlow::Continue(Outputs { columns: outputs, rest })
    }

    /// Refuses numbers that are read with a decimal comma where their cells have a point already: most would be null, and `12.500` twelve thousand.
    fn check_marks(&self, select: &Select, tables: &[Table]) -> ControlFlow<Refusal> {
        struct Marked<'a> {
            scope: &'a Scope<'a>,
            tables: &'a [Table],
            queries: usize,
        }
        impl Visitor for Marked<'_> {
            type Break = Refusal;

            fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refusal> {
                self.queries += 1;
                // Those within it are walked with it.
                if self.queries == 1 { self.scope.query(query).map_continue(drop) } else { ControlFlow::Continue(()) }
            }

            fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Refusal> {
                self.queries -= 1;
                ControlFlow::Continue(())
            }

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
                let Some(number) = number_with_comma(expr).filter(|_| self.queries == 0) else {
                    return ControlFlow::Continue(());
                };
                let origins = names_in(number).into_iter().flat_map(|name| origins_of(self.tables, &name));
                let inputs = origins.map(|((input, _), _)| input);
                match inputs.into_iter().find(|input| self.scope.inputs.with_points.contains(input.as_str())) {
                    Some(input) => ControlFlow::Break(mark_is_gone(expr, &input)),
                    None => ControlFlow::Continue(()),
                }
            }
        }
        let mut marked = Marked { scope: self, tables, queries: 0 };
        // Queries in FROM are walked as tables.
        select.from.iter().flat_map(|from| &from.joins).try_for_each(|join| join.join_operator.visit(&mut marked))?;
        select.projection.visit(&mut marked)?;
        select.selection.visit(&mut marked)?;
        select.group_by.visit(&mut marked)?;
        select.having.visit(&mut marked)?;
        select.qualify.visit(&mut marked)
    }

    fn tables(&self, from: &TableWithJoins) -> ControlFlow<Refusal, Vec<Table>> {
        let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
        let mut tables = Vec::new();
        for factor in factors {
            tables.extend(self.table(factor)?);
        }
        ControlFlow::Continue(tables)
    }

    fn table(&self, factor: &TableFactor) -> ControlFlow<Refusal, Vec<Table>> {
        let called =
            |alias: &Option<TableAlias>| alias.iter().map(|alias| alias.name.value.clone()).collect::<Vec<_>>();
        ControlFlow::Continue(match factor {
            TableFactor::Table { name, alias, .. } => {
                let Some(ident) = last_of(name) else { return ControlFlow::Continue(Vec::new()) };
                let mut names = called(alias);
                names.push(ident.value.clone());
                let outputs = self.named.get(&ident.value).cloned();
                vec![Table { names, outputs: outputs.unwrap_or_else(|| self.of_input(&ident.value)) }]
            }
            TableFactor::Derived { subquery, alias, .. } => {
                vec![Table { names: called(alias), outputs: self.query(subquery)? }]
            }
            TableFactor::NestedJoin { table_with_joins, .. } => return self.tables(table_with_joins),
            _ => Vec::new(),
        })
    }

    fn of_input(&self, input: &str) -> Outputs {
        let columns = LINEAGE.into_iter().filter(|_| self.inputs.names.contains(input));
        let origins = |column| BTreeMap::from([((input.to_owned(), column), Location::empty())]);
        let columns = columns
            .map(|name| Output { name: name.to_owned(), position: None, origins: origins(name), named_at: None })
            .collect();
        let rest = [input.to_owned()].into_iter().filter(|input| self.inputs.names.contains(input.as_str())).collect();
        Outputs { columns, rest }
    }
}

impl Table {
    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

fn last_of(name: &ObjectName) -> Option<&Ident> {
    name.0.last()?.as_ident()
}

/// Origins that were not placed yet stand here.
fn placed(origins: &Origins, here: Location) -> Origins {
    let place = |place: &Location| if place.line == 0 { here } else { *place };
    origins.iter().map(|(origin, at)| (origin.clone(), place(at))).collect()
}

/// What a column is made of: that of the first table which has it. The engine calls those of later ones `column:table` as well.
fn origins_of(tables: &[Table], name: &ColumnName) -> Origins {
    let find = |table: Option<&str>, column: &str| {
        let mut searched = tables.iter().filter(|one| table.is_none_or(|table| one.is_called(table)));
        searched.find_map(|table| table.outputs.columns.iter().find(|output| output.name == column))
    };
    let found = find(name.table.as_deref(), &name.column).or_else(|| {
        let (column, table) = name.column.split_once(':')?;
        find(Some(table), column)
    });
    if let Some(output) = found {
        return placed(&output.origins, name.place);
    }
    let called = |table: &&Table| name.table.as_deref().is_none_or(|called| table.is_called(called));
    let rest = tables.iter().filter(called).flat_map(|table| &table.outputs.rest);
    rest.map(|input| ((input.clone(), OTHER), name.place)).collect()
}

/// The number that a call reads with a decimal comma, with a mark of its own or by `REPLACE(REPLACE(x, '.', ''), ',', '.')`.
fn number_with_comma(expr: &Expr) -> Option<&Expr> {
    let (name, given) = call_of(expr)?;
    if name == "replace" {
        return given.first().copied().filter(|number| is_replaced(&given, ",", ".") && drops_points(number));
    }
    let mark = given.get(decimal_mark_of(&name)?)?;
    given.first().copied().filter(|_| text_of(mark).as_deref() == Some(","))
}

/// The name of a function in small letters, and what it is given.
fn call_of(expr: &Expr) -> Option<(String, Vec<&Expr>)> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let given = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(given)) => Some(given),
        _ => None,
    });
    Some((function.name.to_string().to_lowercase(), given.collect()))
}

/// Whether `REPLACE(x, what, with)` is given these.
fn is_replaced(given: &[&Expr], what: &str, with: &str) -> bool {
    matches!(given, [_, a, b] if text_of(a).as_deref() == Some(what) && text_of(b).as_deref() == Some(with))
}

/// Whether points are taken away within an expression, as those between thousands are.
fn drops_points(expr: &Expr) -> bool {
    struct Points;
    impl Visitor for Points {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match call_of(expr) {
                Some((name, given)) if name == "replace" && is_replaced(&given, ".", "") => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Points).is_break()
}

fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    }
}

fn mark_is_gone(call: &Expr, input: &str) -> Refusal {
    let message = format!(
        "{call} reads a decimal comma, but cells of input {input:?} come with decimal points, since decimal = \",\" is declared for it"
    );
    let help = format!(
        "leave ',' out here, or read it by to_number; or take decimal = \",\" away from {input} under [inputs], and write ',' in every call that reads its numbers"
    );
    Refusal::at(call.span().start, &message, help)
}

/// All columns of tables, as far as they are known.
fn all_of<'a>(tables: impl Iterator<Item = &'a Table>, options: &WildcardAdditionalOptions) -> Vec<Output> {
    let here = options.wildcard_token.0.span.start;
    let mut outputs: Vec<Output> = Vec::new();
    for table in tables {
        for column in &table.outputs.columns {
            let is_taken = outputs.iter().any(|output| output.name == column.name);
            let name = match table.names.first() {
                Some(called) if is_taken => format!("{}:{called}", column.name),
                _ => column.name.clone(),
            };
            outputs.push(Output { name, position: None, origins: placed(&column.origins, here), named_at: None });
        }
    }
    let excluded = excluded(options);
    outputs.retain(|output| !excluded.contains(&output.name.as_str()));
    let renamed = match &options.opt_rename {
        Some(RenameSelectItem::Single(one)) => std::slice::from_ref(one),
        Some(RenameSelectItem::Multiple(several)) => several.as_slice(),
        None => &[],
    };
    for output in &mut outputs {
        if let Some(new) = renamed.iter().find(|new| new.ident.value == output.name) {
            output.name.clone_from(&new.alias.value);
        }
    }
    outputs
}

fn excluded(options: &WildcardAdditionalOptions) -> Vec<&str> {
    let names = match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(one)) => std::slice::from_ref(one),
        Some(ExcludeSelectItem::Multiple(several)) => several.as_slice(),
        None => &[],
    };
    let except =
        options.opt_except.iter().flat_map(|e| std::iter::once(&e.first_element).chain(&e.additional_elements));
    names.iter().filter_map(last_of).chain(except).map(|ident| ident.value.as_str()).collect()
}

/// The columns of a UNION, which have the names of its left side.
fn united(left: Outputs, right: Outputs, quantifier: SetQuantifier) -> Outputs {
    let Outputs { columns: mut left, mut rest } = left;
    let right = {
        rest.extend(right.rest);
        right.columns
    };
    let is_by_name =
        matches!(quantifier, SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName);
    for output in &mut left {
        let at_its_place = |other: &&Output| other.position.is_some() && other.position == output.position;
        let of_its_name = |other: &&Output| {
            let is_placed = other.position.is_some() && output.position.is_some();
            other.name == output.name && (is_by_name || !is_placed)
        };
        let twin = right.iter().find(|other| !is_by_name && at_its_place(other));
        let twin = twin.or_else(|| right.iter().find(of_its_name));
        for (origin, place) in twin.iter().flat_map(|twin| &twin.origins) {
            output.origins.entry(origin.clone()).or_insert(*place);
        }
    }
    if is_by_name {
        let added: Vec<Output> =
            right.into_iter().filter(|other| left.iter().all(|output| output.name != other.name)).collect();
        left.extend(added);
    }
    Outputs { columns: left, rest }
}
