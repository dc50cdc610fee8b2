//! Fitting: points of all bins at once, as a penalised logistic regression over bin codes.
//!
//! `problem` holds codes and outcomes, `penalty` says how far points may stray from the weight of evidence, `penalised` finds the
//! optimum, `linfa_check` has it confirmed by linfa, `inference` says how sure the estimates are.

mod cholesky;
mod inference;
mod linfa_check;
mod penalised;
mod penalty;
mod problem;

pub(crate) use cholesky::Factor;
pub use cholesky::inverse_diagonal;
pub use inference::{Covariance, Sampling};
pub use linfa_check::{SolverCheck, confirm};
pub use penalised::{Solution, Solver};
pub use penalty::{Penalty, Strength};
pub use problem::{Codes, Problem};
