//! The walk through the expressions of a part of a statement, those of queries within it aside.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Visit, Visitor};

/// An expression on the walk: before those within it, and after them.
pub(super) enum Step<'a> {
    Enter(&'a Expr),
    Leave(&'a Expr),
}

/// Walks through a part of a statement.
pub(super) fn walk_outside_queries(part: &impl Visit, see: impl FnMut(Step<'_>)) {
    struct Outside<F> {
        queries: usize,
        see: F,
    }
    impl<F: FnMut(Step<'_>)> Outside<F> {
        fn step(&mut self, step: Step<'_>) -> ControlFlow<()> {
            if self.queries == 0 {
                (self.see)(step);
            }
            ControlFlow::Continue(())
        }
    }
    impl<F: FnMut(Step<'_>)> Visitor for Outside<F> {
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
            self.step(Step::Enter(expr))
        }

        fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.step(Step::Leave(expr))
        }
    }
    let _: ControlFlow<()> = part.visit(&mut Outside { queries: 0, see });
}

/// Shows every expression of a part of a statement.
pub(super) fn each_outside_queries(part: &impl Visit, mut see: impl FnMut(&Expr)) {
    walk_outside_queries(part, |step| {
        if let Step::Enter(expr) = step {
            see(expr);
        }
    });
}
