//! Aggregates where no GROUP BY says of which rows.
//!
//! The engine gives every row the aggregate of the whole table, and says nothing.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Function, GroupByExpr, Query, Select, SelectItem, Spanned, Visit, Visitor};
use sqlparser::tokenizer::Location;

use super::sql_parse::Refusal;
use super::sql_walk::{Step, walk_outside_queries};

/// Functions that make one value of many rows, as the engine knows them.
const AGGREGATES: [&str; 29] = [
    "any_value", "array_agg", "avg", "corr", "count", "covar", "covar_pop", "covar_samp", "first", "group_concat",
    "last", "listagg", "max", "mean", "median", "min", "quantile_cont", "quantile_disc", "stddev", "stddev_samp",
    "stdev", "stdev_samp", "string_agg", "sum", "total", "var", "var_pop", "var_samp", "variance",
];

/// Refuses SELECTs, those within others too, that mix rows with an aggregate of all of them.
pub(super) fn check(query: &Query) -> ControlFlow<Refusal> {
    struct Selects;
    impl Visitor for Selects {
        type Break = Refusal;

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
            check_select(select)
        }
    }
    query.visit(&mut Selects)
}

fn check_select(select: &Select) -> ControlFlow<Refusal> {
    if let Some(aggregate) = select.selection.as_ref().and_then(|condition| Terms::of(condition).aggregate) {
        let message = format!("WHERE looks at one row, and {} at more than one row", aggregate.text);
        let help =
            "GROUP BY … HAVING takes groups by what their rows are together; or compute it in WITH, and join that";
        return ControlFlow::Break(Refusal::at(aggregate.place, &message, help));
    }
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(by, modifiers) => !by.is_empty() || !modifiers.is_empty(),
    };
    if is_grouped {
        return ControlFlow::Continue(());
    }
    let (mut aggregate, mut row) = (None, None);
    for item in &select.projection {
        let terms = match item {
            SelectItem::UnnamedExpr(expr)
            | SelectItem::ExprWithAlias { expr, .. }
            | SelectItem::ExprWithAliases { expr, .. } => Terms::of(expr),
            SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {
                Terms { row: Some(item.to_string()), ..Terms::default() }
            }
        };
        aggregate = aggregate.or(terms.aggregate);
        row = row.or(terms.row);
    }
    let (Some(Term { text, place }), Some(row)) = (aggregate, row) else { return ControlFlow::Continue(()) };
    let message = format!("{text} is one value of all rows, and {row} beside it one of each row");
    let help = format!(
        "GROUP BY what the rows have in common, or write {text} OVER (PARTITION BY …); for a value of the whole table, compute it in WITH, and join that"
    );
    ControlFlow::Break(Refusal::at(place, &message, help))
}

/// An aggregate, and where it stands.
struct Term {
    text: String,
    place: Location,
}

/// What an expression is made of.
#[derive(Default)]
struct Terms {
    /// Its first aggregate.
    aggregate: Option<Term>,
    /// What in it differs from row to row: its first column outside aggregates, or function with OVER.
    row: Option<String>,
}

impl Terms {
    fn of(expr: &Expr) -> Self {
        let mut terms = Self::default();
        // How many aggregates and windows the walk is within.
        let mut within = 0_usize;
        let is_closed_call = |expr: &Expr| matches!(expr, Expr::Function(function) if is_closed(function));
        walk_outside_queries(expr, |step| match step {
            Step::Enter(expr) => {
                if within == 0 {
                    terms.note(expr);
                }
                within += usize::from(is_closed_call(expr));
            }
            Step::Leave(expr) => within -= usize::from(is_closed_call(expr)),
        });
        terms
    }

    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Function(function) if function.over.is_some() => {
                self.row.get_or_insert_with(|| expr.to_string());
            }
            Expr::Function(function) if is_aggregate(function) => {
                self.aggregate.get_or_insert_with(|| Term { text: expr.to_string(), place: expr.span().start });
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                self.row.get_or_insert_with(|| expr.to_string());
            }
            _ => {}
        }
    }
}

/// Whether what stands in a call belongs to it alone.
fn is_closed(function: &Function) -> bool {
    function.over.is_some() || is_aggregate(function)
}

fn is_aggregate(function: &Function) -> bool {
    AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str())
}
