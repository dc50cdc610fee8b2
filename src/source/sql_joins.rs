//! Conditions of joins that are no comparison of the two tables.
//!
//! The engine computes a condition such as `e.kind = 'refund'` on the table at the left, where that has a column of this name too, and joins other rows than are asked
//! for without a word.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, Query, Select, Spanned, TableFactor, Visit, Visitor,
};

use super::sql_parse::Refusal;

/// Refuses joins, those within other SELECTs too, whose ON holds anything but comparisons between a column of the joined table and one of those before it.
pub(super) fn check(query: &Query) -> ControlFlow<Refusal> {
    struct Selects;
    impl Visitor for Selects {
        type Break = Refusal;

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
            select.from.iter().flat_map(|part| &part.joins).try_for_each(check_join)
        }
    }
    query.visit(&mut Selects)
}

fn check_join(join: &Join) -> ControlFlow<Refusal> {
    let Some(on) = condition_of(&join.join_operator) else { return ControlFlow::Continue(()) };
    let wrong = conjuncts(on).into_iter().find(|condition| !compares_tables(condition));
    match wrong {
        None => ControlFlow::Continue(()),
        Some(condition) => {
            let message = format!("{condition} in ON does not compare a column of one table with one of the other");
            ControlFlow::Break(Refusal::at(condition.span().start, &message, help(&join.relation, condition)))
        }
    }
}

fn condition_of(operator: &JoinOperator) -> Option<&Expr> {
    match operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on))
        | JoinOperator::Left(JoinConstraint::On(on))
        | JoinOperator::LeftOuter(JoinConstraint::On(on))
        | JoinOperator::Right(JoinConstraint::On(on))
        | JoinOperator::RightOuter(JoinConstraint::On(on))
        | JoinOperator::FullOuter(JoinConstraint::On(on))
        | JoinOperator::Semi(JoinConstraint::On(on))
        | JoinOperator::LeftSemi(JoinConstraint::On(on))
        | JoinOperator::RightSemi(JoinConstraint::On(on))
        | JoinOperator::Anti(JoinConstraint::On(on))
        | JoinOperator::LeftAnti(JoinConstraint::On(on))
        | JoinOperator::RightAnti(JoinConstraint::On(on)) => Some(on),
        _ => None,
    }
}

/// The conditions that AND joins.
fn conjuncts(on: &Expr) -> Vec<&Expr> {
    match on {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left).into_iter().chain(conjuncts(right)).collect()
        }
        Expr::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// Whether a condition compares columns, and not those of one table with each other.
fn compares_tables(condition: &Expr) -> bool {
    let Expr::BinaryOp { left, op, right } = condition else { return false };
    let is_comparison = matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    );
    let (left, right) = (tables_of(left), tables_of(right));
    let is_one_table = matches!((left.as_slice(), right.as_slice()), ([Some(a)], [Some(b)]) if a == b);
    is_comparison && !left.is_empty() && !right.is_empty() && !is_one_table
}

/// What the columns of an expression are of, each table once; a column that names none is of `None`.
fn tables_of(expr: &Expr) -> Vec<Option<String>> {
    #[derive(Default)]
    struct Columns {
        of: Vec<Option<String>>,
    }
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let table = match expr {
                Expr::Identifier(_) => None,
                Expr::CompoundIdentifier(parts) => parts.first().map(|table| table.value.to_lowercase()),
                _ => return ControlFlow::Continue(()),
            };
            if !self.of.contains(&table) {
                self.of.push(table);
            }
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns::default();
    let _: ControlFlow<()> = expr.visit(&mut columns);
    columns.of
}

fn help(joined: &TableFactor, condition: &Expr) -> String {
    let (read, alias) = match joined {
        TableFactor::Table { name, alias, .. } => {
            (name.to_string(), alias.as_ref().map_or(name.to_string(), |alias| alias.name.to_string()))
        }
        TableFactor::Derived { alias: Some(alias), .. } => ("…".to_owned(), alias.name.to_string()),
        _ => return "write it into WHERE".to_owned(),
    };
    // A subquery must not bear the input's own name.
    let called = if alias == read { format!("meant_{}", alias.trim_matches('"')) } else { alias.clone() };
    let tables = tables_of(condition);
    let is_of_joined = matches!(tables.as_slice(), [Some(table)] if *table == alias.trim_matches('"').to_lowercase());
    if is_of_joined {
        let alone = condition.to_string().replace(&format!("{alias}."), "");
        format!("take the rows that are meant first: JOIN (SELECT * FROM {read} WHERE {alone}) AS {called} ON …")
    } else {
        format!(
            "what is meant of {alias} alone goes into (SELECT * FROM {read} WHERE …) AS {called}; anything else into WHERE, or a CASE around what is read from {alias}"
        )
    }
}
