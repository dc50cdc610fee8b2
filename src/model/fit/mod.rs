//! Fitting: points of all bins at once, as a penalised logistic regression over bin codes.
//!
//! `problem` holds codes and outcomes, `penalty` says how far points may stray from the weight of evidence, `newton` finds the
//! optimum, `linfa` confirms it with an independent solver, `inference` says how sure the estimates are.

mod cholesky;
mod inference;
mod linfa_solver;
mod newton;
mod penalty;
mod problem;

pub use cholesky::inverse_diagonal;
pub use inference::{Covariance, Sampling};
pub use linfa_solver::{SolverCheck, polish};
pub use newton::{Solution, Solver};
pub use penalty::{Penalty, Strength};
pub use problem::{Codes, Problem};

pub(crate) use newton::sigmoid;
