//! Which choices are worth most together under bounds that all of them share: a multiple-choice knapsack with several bounds.
//!
//! ```text
//! Candidates ── priced bounds (Lagrangian) ──▶ each candidate's own best choice ──▶ upper bound of the profit, shadow prices
//!                                        └──▶ repair to within every bound, then fill what is left ──▶ the allocation
//! ```
//! With a price on every bound the problem falls apart: each candidate takes the choice of the largest *reduced profit* (profit less what it uses at
//! those prices). The sum of these, plus what the bounds themselves are worth at the prices, is an upper bound of any allocation's profit, whatever
//! the prices (Geoffrion 1974). Prices are sought that make it least; what the candidates choose under them is then brought within the bounds.
//!
//! Everything is a whole number and every sum is exact, so that the result is the same on every processor and for any number of threads. Choices are
//! made anew from each candidate in every pass and never kept: memory is that of the candidates.

mod bounds;
mod candidates;
mod dual;
mod frontier;
mod passes;
mod repair;
mod solve;
#[cfg(test)]
mod tests;

pub use bounds::{Bounds, Prices, Shadow};
pub use candidates::{Candidates, Choice, Place};
pub use frontier::{FrontierPoint, Varied, frontier};
pub use solve::{Allocation, optimise};
